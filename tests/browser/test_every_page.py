"""What holds on every public page: accessibility, both themes, narrow screens, large text, no call to another host."""

import pytest
from django.urls import reverse

from companies.models import Release
from offers.public.information import LISTED
from tests.browser.conftest import NARROW, OF_COLOURS, WIDE, violations
from tests.offers.measures import MEASURES
from tests.offers.public_town import build_town

pytestmark = pytest.mark.django_db(transaction=True)

PATHS = [
    "/",
    "/recherche/",
    "/recherche/?metier=Boulanger&lieu=Metz&rayon=30",
    "/recherche/?metier=Boulanger&lieu=Metz&rayon=30&page=2&vue=carte",
    "/recherche/?metier=Cuisinier&lieu=Metz&rayon=10",
    "/recherche/?metier=zzzzzz&lieu=wwwwww&rayon=7&page=abc",
]
MISSING = ["/rien-ici/", "/etablissement/00000000000000/"]


@pytest.fixture
def paths():
    """Every public page: found, not found, empty, wrong."""
    town = build_town(bakeries=23)
    Release.objects.update(measures=MEASURES)
    information = [*(reverse(f"offers:{name}") for name in LISTED), reverse("accounts:sign_in")]
    return [*PATHS, f"/etablissement/{town[0].siret}/?metier=Boulanger&lieu=Metz", *information, *MISSING]


def opened(visit, paths, **options):
    """The page at each path, in turn; only what is not found may complain."""
    for missing in (False, True):
        with visit("/", complaints_expected=missing, **options) as page:
            for path in paths:
                if (path in MISSING) == missing:
                    page.goto(path)
                    yield page, path


@pytest.mark.parametrize(("width", "theme"), [(NARROW, "light"), (WIDE, "light"), (WIDE, "dark")])
def test_axe_finds_no_violation(paths, visit, width, theme):
    faults = {}
    with visit("/", width=width, color_scheme=theme, bypass_csp=True, complaints_expected=True) as page:
        for path in paths:
            page.goto(path)
            if "vue=carte" in path:
                page.locator(".map__pin").first.wait_for()
            # What fades in is judged once it is there.
            page.wait_for_timeout(100)
            if found := violations(page, OF_COLOURS if theme == "dark" else None):
                faults[path] = found
    assert faults == {}


@pytest.mark.parametrize("width", [NARROW, WIDE])
def test_no_page_complains_calls_another_host_or_scrolls_sideways(paths, visit, width):
    for page, path in opened(visit, paths, width=width):
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_every_page_holds_with_text_twice_as_large(paths, visit):
    for page, path in opened(visit, paths, width=WIDE, bypass_csp=True):
        page.add_style_tag(content="html { font-size: 200% !important }")
        assert page.evaluate("document.documentElement.scrollWidth") <= WIDE, path
        cut = page.evaluate(
            "[...document.querySelectorAll('main h1, main h2, main p, main .fr-btn')]"
            ".filter(e => e.clientWidth && e.scrollWidth > e.clientWidth + 1 && !e.closest('.fr-sr-only'))"
            ".map(e => e.textContent.trim().slice(0, 60))"
        )
        assert cut == [], path


def test_axe_finds_no_violation_in_what_opens(paths, visit):
    with visit(PATHS[2], width=NARROW, bypass_csp=True) as page:

        def found():
            page.wait_for_timeout(400)
            return violations(page)

        page.get_by_text("Modifier la recherche").click()
        assert found() == []
        page.get_by_role("combobox", name="Métier").fill("boulang")
        page.locator("#metier-suggestions li").first.wait_for()
        page.keyboard.press("ArrowDown")
        assert found() == []
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Afficher la carte").click()
        page.locator(".map__pin").first.press("Enter")
        page.locator(".leaflet-popup a").first.wait_for()
        assert found() == []
        page.get_by_role("button", name="Menu").click()
        assert found() == []
        page.get_by_role("dialog").get_by_role("button", name="Paramètres d’affichage").click()
        page.get_by_text("Thème sombre").wait_for()
        assert found() == []


def test_the_axe_check_would_see_a_fault(visit):
    with visit("/", bypass_csp=True) as page:
        page.evaluate("document.querySelector('label[for=metier]').remove()")
        assert "label" in {rule for rule, *_ in violations(page)}
