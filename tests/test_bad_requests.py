"""Every public address against what no form sends: no fault of ours, no internals, the same headers."""

import functools

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from companies.actions import visibility_links
from offers.actions import links
from opco.actions import answers
from opco.models import Decision
from tests import factories
from tests.offers import public_town
from tests.opco.desk import ask, decided, make_desk, make_file
from tests.test_views_declare_who_may_see import PUBLIC

pytestmark = pytest.mark.django_db

LONG = "a" * 100_000
GARBAGE = {
    "nothing": "",
    "nul": "%00",
    "no utf-8": "%FF%FE%C3%28",
    "half a pair": "%ED%A0%80",
    "long": LONG,
    "long and accented": "%C3%A9" * 20_000,
    "marks alone": "%CC%81" * 5_000,
    "digits": "9" * 5_000,
    "negative": "-1",
    "not a number": "NaN",
    "infinite": "-inf",
    "beyond a float": "1e400",
    "beyond an integer": "99999999999999999999",
    "other digits": "%D9%A3%D9%A0",
    "separators": "1_000",
    "markup": "%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
    "turned order": "%E2%80%AE",
    "header": "%0D%0ASet-Cookie:%20a=b",
    "path": "../../../etc/passwd",
    "template": "{{7*7}}{%25debug%25}",
    "format": "%25s%25(a)s{0}",
    "query": "'%20OR%201=1;--",
    "text search": "%26%20|!(:*",
    "other site": "//exemple.fr/%5C",
    "codes": "D1102," * 2_000,
}
PARAMETERS = ("metier", "romes", "lieu", "code", "lat", "lon", "rayon", "tri", "page", "q", "next", "to", "format")
# What a page reads is also tried alone, among ordinary values.
READ = {
    "offers:search": PARAMETERS[:9],
    "offers:establishment": ("metier", "romes"),
    "offers:offer": ("metier", "romes"),
    "offers:suggest_jobs": ("q",),
    "offers:suggest_places": ("q",),
    "offers:register": ("q", "siret"),
    "offers:register_contact": ("siret",),
    "offers:suggest_establishments": ("q",),
    "offers:suggest_titles": ("q",),
    "offers:job_sheet": ("job", "ogr", "boxes_of", "skills", "starts_on"),
    "accounts:sign_in": ("next",),
    "admin:login": ("next",),
    "mail:mailbox": ("to", "format"),
}
# Refused before any page sees it: what comes with it is not tried.
REFUSED_AT_THE_DOOR = ("nul", "no utf-8", "half a pair")
ORDINARY = {
    "metier": "Boulanger", "romes": "D1102", "lieu": "Metz", "code": "57463", "rayon": "30", "page": "1",
}  # fmt: skip
HEADERS = ("Content-Security-Policy", "X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy",
           "Permissions-Policy", "Cross-Origin-Opener-Policy", "Cross-Origin-Resource-Policy")  # fmt: skip
INTERNALS = ("Traceback", "psycopg", "site-packages", "Exception", str(settings.BASE_DIR), "⟪variable inconnue")
TOKEN = "20260101T000000000000-0000000000000000"


@pytest.fixture
def town(db):
    """Gives the town, built once it is asked for: most pages show nothing of it."""

    @functools.cache
    def build():
        found = public_town.build_town(bakeries=2)
        factories.OfferFactory(access__establishment=found[0])
        decided(ask, make_desk(), make_file())
        return found

    return build


@pytest.fixture
def client(settings):
    # A fault answers as it would to a visitor, instead of being raised.
    return Client(raise_request_exception=False)


# What stands in the address of a page, read from the town; every other page has an address without any.
IN_THE_ADDRESS = {
    "offers:establishment": lambda town: [town[0].siret],
    "offers:offer": lambda town: [town[0].offers.get().pk],
    "offers:offer_apply": lambda town: [town[0].offers.get().pk],
    "offers:offer_act": lambda town: [links.make(offer=town[0].offers.get(), act=links.Act.CLOSE)],
    "offers:sitemap_of_offers": lambda town: [town[0].offers.get().expires_on],
    "opco:answer": lambda town: [answers.token_of(Decision.objects.get())],
    "unsubscribe:by_mail": lambda town: [leave_token(town[0])],
    "unsubscribe:report": lambda town: [town[0].siret],
    "unsubscribe:report_offer": lambda town: [town[0].offers.get().pk],
    "unsubscribe:ask_by_mail": lambda town: [leave_token(town[0]), "pause"],
}
WORDS_IN_THE_ADDRESS = {
    "accounts:use_link": ["jeton"],
    "accounts:renew_link": ["jeton"],
    "accounts:use_address_link": ["jeton"],
    "unsubscribe:ask": ["leave"],
    "unsubscribe:ask_support": ["be_listed"],
    "unsubscribe:act": ["jeton"],
    "unsubscribe:confirm": ["jeton"],
}


def leave_token(establishment) -> str:
    made = visibility_links.make(siret=establishment.siret, email="fournil@exemple.fr")
    return made.rstrip("/").rpartition("/")[2]


def address(name: str, town) -> str:
    if name in IN_THE_ADDRESS:
        return reverse(name, args=IN_THE_ADDRESS[name](town()))
    if name in READ:
        town()
    if name.startswith("mail:mailbox_"):
        return reverse(name, args=[TOKEN])
    return reverse(name, args=WORDS_IN_THE_ADDRESS.get(name, []))


def check(answer, *, asked: object) -> None:
    assert answer.status_code < 500, asked
    for header in HEADERS:
        assert header in answer.headers, (asked, header)
    assert "a=b" not in str(answer.cookies), asked
    place = answer.headers.get("Location", "/")
    assert place.startswith("/"), (asked, place)
    assert not place.startswith(("//", "/\\")), (asked, place)
    text = answer.content.decode()
    assert "<script>alert(1)" not in text, asked
    for internal in INTERNALS:
        assert internal not in text, (asked, internal)


@pytest.mark.parametrize("name", READ)
def test_no_parameter_that_it_reads_makes_a_fault(client, town, name):
    path = address(name, town)
    for kind, garbage in GARBAGE.items():
        asked = "&".join(f"{parameter}={garbage}" for parameter in PARAMETERS)
        check(client.get(f"{path}?{asked}"), asked=(path, kind))
        for parameter in READ[name]:
            others = "&".join(f"{other}={value}" for other, value in ORDINARY.items() if other != parameter)
            check(client.get(f"{path}?{parameter}={garbage}&{others}"), asked=(path, parameter, kind))


@pytest.mark.parametrize("name", [name for name in PUBLIC if name not in READ])
def test_no_parameter_that_it_does_not_read_makes_a_fault(client, town, name):
    path = address(name, town)
    for kind in REFUSED_AT_THE_DOOR:
        check(client.get(f"{path}?{PARAMETERS[0]}={GARBAGE[kind]}"), asked=(path, kind))
    others = [garbage for kind, garbage in GARBAGE.items() if kind not in REFUSED_AT_THE_DOOR]
    for some in (others[::2], others[1::2]):
        asked = "&".join(f"{parameter}={garbage}" for parameter, garbage in zip(PARAMETERS, some, strict=False))
        check(client.get(f"{path}?{asked}"), asked=(path, some))


def test_what_is_read_is_read_by_a_public_page():
    assert set(READ) <= set(PUBLIC)


@pytest.mark.parametrize("name", PUBLIC)
def test_no_manner_of_asking_makes_a_fault(client, town, name):
    path = address(name, town)
    check(client.get(f"{path}?{'page=2&romes=D1102&metier=x&x[]=1&' * 300}"), asked="repeated parameters")
    check(client.get(f"{path}?&&=&;=%"), asked="no parameters")
    for method in ("HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "get"):
        check(client.generic(method, path), asked=(path, method))
    for kind, body in (
        ("application/json", b'{"email": '),
        ("multipart/form-data", b"without boundary"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="email"; filename="\0"\r\n\r\n',
        ),
        ("application/x-www-form-urlencoded", b"email=a%00b&email=c&next=//exemple.fr"),
        ("application/x-www-form-urlencoded", b"email=%FF%FE&username=%FF&password=%00&otp_token=%00"),
        ("application/x-www-form-urlencoded", b"&".join(b"a%d=1" % n for n in range(2_000))),
        ("application/x-www-form-urlencoded", b"email=" + b"a" * 3_000_000),
        ("text/plain; charset=utf-99", b"email=a"),
        ("", b"\0\xff"),
    ):
        check(client.generic("POST", path, body, content_type=kind), asked=(path, kind, body[:40]))


@pytest.mark.parametrize("name", PUBLIC)
def test_no_header_makes_a_fault(client, town, name):
    path = address(name, town)
    for header, value in {
        "host": "mechant.exemple.fr",
        "x-forwarded-host": "mechant.exemple.fr",
        "x-forwarded-for": "a, b, " + "192.0.2.1, " * 300,
        "x-original-url": "/admin/",
        "x-http-method-override": "DELETE",
        "cookie": "session=" + "a" * 4_000 + "; csrf=\x01; messages=x; =",
        "accept-language": "zz-" + "a" * 3_000 + ";q=9e9",
        "accept-encoding": "gzip;q=x",
        "if-modified-since": "hier",
        "if-none-match": "*",
        "range": "bytes=9-1",
        "referer": "\xff",
        "user-agent": "<script>alert(1)</script>",
        "authorization": "Basic \xff",
        "origin": "null",
    }.items():
        answer = client.get(path, headers={header: value})
        check(answer, asked=(path, header))
        # An address told by a header is followed nowhere, and repeated nowhere.
        assert "mechant" not in str(answer.headers) + answer.content.decode()


@pytest.mark.parametrize(
    "path",
    [
        "//exemple.fr/..", "/\\exemple.fr", "/%5Cexemple.fr", "/%2F%2Fexemple.fr", "//exemple.fr/compte",
        "/compte/connexion", "/recherche", "/etablissement/0/", "/etablissement/99999999999999/",
        "/etablissement/%D9%A0%D9%A0%D9%A0%D9%A0%D9%A0%D9%A0%D9%A0%D9%A0%D9%A0%D9%A0%D9%A0%D9%A0%D9%A0%D9%A0/",
        "/etablissement/00000001000017%0A/", "/compte/lien/%FF/", "/compte/lien/%0A/", f"/compte/lien/{LONG}/",
        "/compte/lien/a%2Fb/", "/offre/%FF/", "/offre/0/", "/offre/00000000-0000-0000-0000-000000000000%0A/",
        "/sitemap-offres-.xml", "/sitemap-offres-9999-99-99.xml",
        "/boite-aux-lettres/%2E%2E%2Fetc/", f"/{LONG}/", "/%FF", "/static/%FF",
        "/static/../manage.py", "/static/..%2Fmanage.py", "/static/..%5Cmanage.py", "/static/lba",
        "/.git/HEAD", "/.env", "/media/", "/files/", "/admin/%FF/", "/admin/companies/establishment/%FF/change/",
        "/admin/../../", "/index.php", "/wp-login.php",
    ],
)  # fmt: skip
def test_no_path_makes_a_fault_nor_leads_elsewhere(client, path):
    for method in ("GET", "HEAD", "POST"):
        check(client.generic(method, path), asked=(method, path[:80]))
