"""Logs and error reports tell nothing of a person, and no key."""

import io
import json
import logging
import logging.config
import time

import pytest
import sentry_sdk
import structlog
from sentry_sdk.transport import Transport

from labonnealternance.kit import logging as kit_logging
from labonnealternance.kit import sentry
from labonnealternance.kit.logging import masked

SECRETS = [
    "jeanne.dupont+lba@exemple.fr",
    "jeanne.dupont%40exemple.fr",
    "01 99 00 12 34",
    "+33199001234",
    "0639981234",
    "pdTy2_R4nd0m-t0k3n",
]


@pytest.mark.parametrize(
    "text, told",
    [
        ("Key (email)=(jeanne@exemple.fr) already exists.", "Key (email)=(***) already exists."),
        ("/compte/lien/pdTy2_R4nd0m-t0k3n/", "/compte/lien/***/"),
        ("/recruteur/action/WyJhIiwicHJvbG9uZyJd:1vMcRz:b4T_8-x/", "/recruteur/action/***/"),
        ("GET /recherche/?email=a%40exemple.fr&x=1", "GET /recherche/?email=***&x=1"),
        ("appelez le 01 99 00 12 34 ou le +33 6 39 98 12 34", "appelez le *** ou le ***"),
        ("Authorization: Bearer abcdefgh12345678", "Authorization: ***"),
        ('{"api_key": "abcdefgh12345678"}', '{"api_key": "***"}'),
        ("password=tressecret&next=/", "password=***&next=/"),
        ("postgres://lba:tressecret@base:5432/lba", "postgres://lba:***@base:5432/lba"),
        ("SIRET 00000001000017, version 5.2.19, 1 584 codes", "SIRET 00000001000017, version 5.2.19, 1 584 codes"),
        ("/entreprise/00000001000017/", "/entreprise/00000001000017/"),
        ("8f14e45f-ceea-467f-a9d0-000000000000", "8f14e45f-ceea-467f-a9d0-000000000000"),
    ],
)
def test_what_names_or_opens_is_masked_and_the_rest_is_kept(text, told):
    assert masked(text) == told


@pytest.mark.parametrize(
    "piece", ["a", "a.", "%40a", "a@", "a@a.", "0", "0 1", "csrf", "token ", "token=", "://a:", "/lien/", " "]
)
def test_masking_takes_a_time_in_proportion_of_the_text(piece):
    begun = time.process_time()
    masked("/" + piece * (200_000 // len(piece)) + "/")
    assert time.process_time() - begun < 4


@pytest.fixture
def output(monkeypatch):
    """What a handler of the production's configuration writes."""
    configuration = kit_logging.configuration(level="INFO", form="json")
    formatter = dict(configuration["formatters"]["masked"])
    kind = formatter.pop("()")
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(kind(**formatter))
    logger = logging.getLogger("essai")
    logger.addHandler(handler)
    logger.setLevel("INFO")
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logger.removeHandler(handler)


def test_a_line_is_json_masked_in_its_text_its_arguments_its_fields_and_its_trace(output):
    try:
        raise ValueError(" ".join(SECRETS[:5]) + " /lien/" + SECRETS[5])
    except ValueError:
        logging.getLogger("essai").exception("Échec pour %s", SECRETS[0])
    structlog.get_logger("essai").warning("échec", contact={"email": [SECRETS[0]]}, count=3, path="/lien/" + SECRETS[5])
    trace, fields = output()
    assert trace["event"] == "Échec pour ***"
    assert "ValueError: ***" in trace["exception"]
    assert (fields["contact"], fields["count"], fields["path"]) == ({"email": ["***"]}, 3, "/lien/***")
    assert fields["level"] == "warning"
    assert not any(secret in json.dumps([trace, fields], ensure_ascii=False) for secret in SECRETS)


def test_what_a_visitor_was_refused_is_no_error_to_report():
    assert sentry.scrub({"logger": "django.security.DisallowedHost", "message": "Invalid HTTP_HOST header"}, {}) is None
    assert sentry.scrub({"logger": "django.request", "message": "x"}, {}) == {
        "logger": "django.request",
        "message": "x",
    }


class Kept(Transport):
    def __init__(self):
        super().__init__()
        self.sent = []

    def capture_envelope(self, envelope):
        self.sent += [item.payload.json for item in envelope.items if item.type == "event"]


@pytest.mark.django_db
def test_an_error_report_holds_neither_person_nor_form_nor_cookie_nor_link(client, settings, monkeypatch):
    from tests.factories import UserFactory

    user = UserFactory(email=SECRETS[0])
    kept = Kept()
    sentry.start(dsn="https://cle@192.0.2.1/1", transport=kept)

    def breaks(**anything):
        password = "tres " + "secret"  # noqa: F841
        raise RuntimeError(f"{user.email} a perdu /compte/lien/{SECRETS[5]}/")

    monkeypatch.setattr("labonnealternance.accounts.actions.emails.sign_in_link", breaks)
    client.raise_request_exception = False
    try:
        answer = client.post(
            "/compte/connexion/?email=" + SECRETS[1],
            {"email": user.email},
            headers={"cookie": "csrf=secretsecret", "x-forwarded-for": "192.0.2.55", "referer": "/lien/" + SECRETS[5]},
        )
        assert answer.status_code == 500
        sentry_sdk.flush()
    finally:
        sentry_sdk.get_client().close()
        sentry_sdk.get_global_scope().set_client(None)
    assert kept.sent
    for event in kept.sent:
        assert "user" not in event
        assert set(event.get("request", {})) <= {"method", "url"}
    told = json.dumps(kept.sent, ensure_ascii=False)
    assert "RuntimeError" in told
    for secret in (*SECRETS, "tres secret", "secretsecret", "192.0.2.55"):
        assert secret not in told
