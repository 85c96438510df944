"""What every answer carries, whatever it answers."""

import re

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import Client, override_settings
from django.urls import path
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from labonnealternance import urls
from labonnealternance.accounts import actions
from labonnealternance.kit.middleware import PrivatePagesMiddleware
from tests.accounts.test_support import PASSWORD, code, enter
from tests.factories import OfferFactory

pytestmark = pytest.mark.django_db


def breaks(request):
    raise RuntimeError("une faute de notre part")


breaks.login_required = False


def directives(answer) -> dict[str, str]:
    found = (part.strip().partition(" ") for part in answer["Content-Security-Policy"].split(";"))
    return {name: values for name, _, values in found}


urlpatterns = [path("casse/", breaks), *urls.urlpatterns]
handler404 = "labonnealternance.kit.errors.page_not_found"
handler500 = "labonnealternance.kit.errors.server_error"


ANSWERS = {
    "page": lambda client: client.get("/compte/connexion/"),
    "redirection": lambda client: client.get("/compte/"),
    "not found": lambda client: client.get("/nulle/part/"),
    "refused address": lambda client: client.get("/compte/connexion/?next=%00"),
    "refused host": lambda client: client.get("/", headers={"host": "mechant.exemple.fr"}),
    "refused form": lambda client: Client(enforce_csrf_checks=True).post("/compte/connexion/"),
    "static file": lambda client: client.get("/static/lba/css/site.css"),
    "back-office": lambda client: client.get("/admin/login/"),
    "security.txt": lambda client: client.get("/.well-known/security.txt"),
}


@pytest.mark.parametrize("kind", ANSWERS)
def test_every_answer_carries_the_policies(client, kind):
    answer = ANSWERS[kind](client)
    answer.close()
    policy = directives(answer)
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["base-uri"] == "'none'"
    assert policy["object-src"] == "'none'"
    assert policy["form-action"] == "'self'"
    for name in ("script-src", "style-src"):
        assert set(re.sub(r"'nonce-[^']+'", "", policy[name]).split()) == {"'self'"}
    assert "unsafe" not in answer["Content-Security-Policy"]
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == "strict-origin-when-cross-origin"
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in answer["Permissions-Policy"]
    assert "geolocation=()" in answer["Permissions-Policy"]


@override_settings(ROOT_URLCONF=__name__)
def test_an_answer_to_a_fault_of_ours_carries_them_too_and_tells_no_internals():
    answer = Client(raise_request_exception=False).get("/casse/")
    assert answer.status_code == 500
    assert directives(answer)["default-src"] == "'none'"
    assert "Erreur inattendue" in answer.text
    for internal in ("RuntimeError", "une faute de notre part", "Traceback", "tests/"):
        assert internal not in answer.text


def test_pages_hold_nothing_inline_that_the_policy_would_refuse(client):
    device = actions.create_support_account(email="chef@exemple.fr", password=PASSWORD, superuser=True)
    offer = f"/offre/{OfferFactory().pk}/"
    pages = ["/", offer, "/compte/connexion/", "/compte/connexion/envoye/", "/nulle/part/", "/admin/login/"]
    answers = [*(client.get(page) for page in pages), client.post(f"{offer}postuler/")]
    enter(client, email="chef@exemple.fr", token=code(device))
    for page in ("/compte/", "/admin/", "/admin/accounts/user/", f"/admin/accounts/user/{device.user_id}/change/"):
        answers.append(client.get(page))
        assert answers[-1].status_code == 200
    for answer in answers:
        nonces = set(re.findall(r"'nonce-([^']+)'", answer["Content-Security-Policy"]))
        for tag in re.findall(r"<(?:script|style)\b[^>]*>", answer.text):
            given = re.search(r'nonce="([^"]+)"', tag)
            is_data = 'type="application/json"' in tag or 'type="application/ld+json"' in tag
            assert "src=" in tag or is_data or (given and given.group(1) in nonces), tag
        assert not re.search(r"<[^>]+\s(style|on[a-z]+)=", answer.text)
        assert "javascript:" not in answer.text


@pytest.fixture
def https(settings):
    """The settings that https switches on, as base.py computes them."""
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_HSTS_SECONDS = 365 * 24 * 3600
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")


def test_https_is_asked_for_a_year(https):
    plain = Client().get("/compte/connexion/")
    assert plain.status_code == 301
    assert plain.url.startswith("https://")
    secured = Client(headers={"x-forwarded-proto": "https"}).get("/compte/connexion/")
    assert secured.status_code == 200
    assert secured["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains; preload"


def test_probes_are_not_sent_to_https(https):
    assert Client().get("/livez").status_code == 200


def test_cookies_are_out_of_reach_of_scripts_and_of_other_sites(client):
    device = actions.create_support_account(email="chef@exemple.fr", password=PASSWORD)
    client.get("/admin/login/")
    enter(client, email="chef@exemple.fr", token=code(device))
    assert {settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME} <= set(client.cookies)
    for name in (settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME):
        cookie = client.cookies[name]
        assert cookie["httponly"]
        assert cookie["samesite"] == "Lax"
        assert cookie["path"] == "/"
        assert not cookie["domain"]


@pytest.mark.parametrize(
    "path",
    ["/.git/config", "/.env", "/static/../manage.py", "/media/x", "/files/x", "/static/", "/admin/doc/", "/__debug__/"],
)
def test_nothing_of_the_machine_is_reachable(client, path):
    answer = client.get(path)
    assert answer.status_code in {302, 404}
    assert answer.status_code == 404 or answer.url.startswith("/admin/login/")


def test_security_txt_tells_whom_to_write_to_and_is_still_valid(client):
    answer = client.get("/.well-known/security.txt")
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    fields = dict(line.split(": ", 1) for line in answer.text.splitlines())
    assert fields["Contact"] == f"mailto:{settings.CONTACT_EMAIL}"
    assert fields["Canonical"] == f"{settings.SITE_URL}/.well-known/security.txt"
    assert timezone.now() < parse_datetime(fields["Expires"]) < timezone.now() + timezone.timedelta(days=365)


def test_the_answer_of_a_view_may_be_shared_with_another_site_only_when_it_says_so(rf):
    def shared(request):
        return HttpResponse(headers={"Cross-Origin-Resource-Policy": "cross-origin"})

    assert PrivatePagesMiddleware(shared)(rf.get("/"))["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert (
        PrivatePagesMiddleware(lambda request: HttpResponse())(rf.get("/"))["Cross-Origin-Resource-Policy"]
        == "same-origin"
    )
