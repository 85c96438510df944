"""The way of a candidate, from the home page to an establishment, in a real browser."""

import re

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from companies.actions import visibility
from companies.enums import DecisionOrigin, DecisionReason
from tests.browser.conftest import NARROW
from tests.offers.public_town import build_town

pytestmark = pytest.mark.django_db(transaction=True)
SEARCH = "/recherche/?metier=Boulanger&lieu=Metz&rayon=30"


@pytest.fixture
def town():
    return build_town(bakeries=23)


def test_the_whole_way_is_made_by_keyboard_alone(town, visit):
    with visit("/") as page:
        keys = page.keyboard
        keys.press("Tab")
        expect(page.get_by_role("link", name="Contenu")).to_be_focused()
        keys.press("Enter")
        keys.press("Tab")
        job = page.get_by_role("combobox", name="Métier")
        expect(job).to_be_focused()
        keys.type("boulang")
        expect(page.get_by_role("option", name="Boulanger / Boulangère", exact=True)).to_be_visible()
        keys.press("ArrowDown")
        keys.press("Enter")
        expect(job).to_have_value("Boulanger / Boulangère")
        keys.press("Tab")
        keys.type("57000")
        expect(page.locator(".suggestions:not([hidden]) li").first).to_be_visible()
        keys.press("ArrowDown")
        keys.press("Enter")
        keys.press("Enter")
        page.wait_for_url(re.compile("/recherche/"))
        expect(page.get_by_role("heading", level=1)).to_contain_text("Boulanger / Boulangère près de Metz")
        expect(page.locator("#total")).to_contain_text("23 entreprises")
        page.locator(".result a").first.focus()
        keys.press("Enter")
        page.wait_for_url(re.compile("/etablissement/"))
        expect(page.get_by_role("heading", level=1)).to_contain_text("BOULANGERIE")
        page.get_by_role("link", name="Retour aux résultats").focus()
        keys.press("Enter")
        expect(page.locator("#total")).to_contain_text("23 entreprises")


def test_the_address_that_one_shares_holds_only_what_was_chosen(town, visit):
    with visit("/") as page:
        page.get_by_label("Métier").fill("boulanger")
        page.get_by_label("Lieu").fill("metz")
        page.get_by_text("Filtrer les résultats").click()
        page.get_by_label("Contrat").select_option("apprentissage")
        page.get_by_role("button", name="Rechercher").click()
        page.wait_for_url("**/recherche/?metier=boulanger&lieu=metz&rayon=30&contrat=apprentissage")
        # What is missing is still told, beside its field.
        page.get_by_label("Lieu").fill("")
        page.get_by_role("button", name="Rechercher").click()
        expect(page.get_by_text("Indiquez une commune ou un code postal.").first).to_be_visible()


@pytest.mark.parametrize("script", [True, False])
def test_on_a_phone_the_form_of_the_results_is_folded(town, visit, script):
    with visit(SEARCH, width=NARROW, java_script_enabled=script) as page:
        job = page.get_by_label("Métier", exact=False)
        expect(job).not_to_be_visible()
        page.get_by_text("Modifier la recherche").click()
        expect(job).to_be_visible()
        box = job.bounding_box()
        assert box["x"] + box["width"] <= NARROW
        job.fill("cuisinier")
        page.get_by_role("button", name="Rechercher").click()
        page.wait_for_url(re.compile("cuisinier"))


def test_on_a_phone_the_form_stays_open_while_there_is_nothing_to_read(town, visit):
    with visit("/recherche/?metier=zzzz&lieu=Metz", width=NARROW) as page:
        expect(page.get_by_label("Métier")).to_be_visible()


def test_on_a_wide_screen_the_form_of_the_results_is_there_on_one_line(town, visit):
    with visit(SEARCH) as page:
        expect(page.get_by_text("Modifier la recherche")).not_to_be_visible()
        job, button = page.get_by_label("Métier"), page.get_by_role("button", name="Rechercher")
        assert abs(job.bounding_box()["y"] - button.bounding_box()["y"]) < 5


def test_on_a_phone_how_to_reach_an_establishment_comes_before_the_advice(town, visit):
    with visit(f"/etablissement/{town[0].siret}/", width=NARROW) as page:
        tops = [
            page.get_by_role("heading", name=name).bounding_box()["y"]
            for name in ("Pourquoi cette entreprise", "L’établissement", "Réussir votre candidature")
        ]
        assert tops == sorted(tops)


def test_the_whole_way_is_made_without_javascript(town, visit):
    with visit("/", width=NARROW, java_script_enabled=False) as page:
        page.get_by_label("Métier").fill("boulangere")
        page.get_by_label("Lieu").fill("metz")
        page.get_by_role("button", name="Rechercher").click()
        assert "23 entreprises" in page.inner_text("#total")
        # Nothing that a script would have to bring to life is shown.
        assert not page.get_by_text("Afficher la carte").is_visible()
        assert not page.get_by_role("button", name="Paramètres d’affichage").first.is_visible()
        assert page.get_by_role("link", name="Comment ça marche").first.is_visible()
        page.get_by_role("link", name="2", exact=True).click()
        assert page.locator(".result").count() == 3
        # The fields can be changed: the text wins over the choice that the address still holds.
        page.get_by_text("Modifier la recherche").click()
        page.get_by_label("Métier").fill("cuisinier")
        page.get_by_role("button", name="Rechercher").click()
        assert "Cuisinier" in page.inner_text("h1")


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("dev web", "Développeur / Développeuse web"),
        ("boulangere", "Boulanger / Boulangère"),
        ("mecanicien auto", "Mécanicien / Mécanicienne automobile"),
    ],
)
def test_a_job_is_suggested_as_people_type_it(town, visit, typed, offered):
    with visit("/") as page:
        field = page.get_by_role("combobox", name="Métier")
        field.press_sequentially(typed)
        option = page.get_by_role("option", name=offered, exact=True)
        expect(option).to_be_visible()
        expect(field).to_have_attribute("aria-expanded", "true")
        expect(page.get_by_role("status").filter(has_text="suggestion")).not_to_be_empty()
        option.click()
        expect(field).to_have_value(offered)
        expect(field).to_have_attribute("aria-expanded", "false")


def test_suggestions_close_on_escape_and_keep_what_was_typed(town, visit):
    with visit("/") as page:
        field = page.get_by_role("combobox", name="Lieu")
        field.press_sequentially("met")
        expect(page.locator(".suggestions:not([hidden]) li").first).to_be_visible()
        field.press("ArrowDown")
        expect(field).to_have_attribute("aria-activedescendant", "lieu-suggestions-0")
        field.press("Escape")
        expect(page.locator(".suggestions:not([hidden])")).to_have_count(0)
        expect(field).to_have_value("met")


def test_changing_a_text_forgets_the_choice_behind_it(town, visit):
    with visit(SEARCH + "&romes=D1102&code=57463") as page:
        page.get_by_role("combobox", name="Métier").fill("cuisinier")
        page.get_by_role("button", name="Rechercher").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Cuisinier")


def test_the_map_opens_closes_and_is_kept_in_the_address(town, visit):
    with visit(SEARCH) as page:
        page.get_by_role("button", name="Afficher la carte").press("Enter")
        expect(page.locator(".map__pin")).to_have_count(20)
        assert "vue=carte" in page.url
        pin = page.get_by_role("button", name=re.compile(r"^1\. BOULANGERIE"))
        pin.focus()
        pin.press("Enter")
        popup = page.locator(".leaflet-popup-content a")
        expect(popup).to_have_attribute("href", re.compile("^/etablissement/"))
        page.reload()
        expect(page.locator(".map__pin")).to_have_count(20)
        page.get_by_role("button", name="Masquer la carte").click()
        expect(page.locator("#carte")).to_be_hidden()
        assert "vue=carte" not in page.url


def test_a_delisted_establishment_is_gone_at_the_next_look(town, visit):
    chosen = town[0]
    with visit(f"/etablissement/{chosen.siret}/", complaints_expected=True) as page:
        expect(page.get_by_role("heading", level=1)).to_contain_text(chosen.name)
        visibility.delist(
            scope="siret", value=chosen.siret, by=None, at=timezone.now(), reason=DecisionReason.OTHER,
            origin=DecisionOrigin.SUPPORT,
        )  # fmt: skip
        assert page.reload().status == 410
        expect(page.get_by_role("heading", level=1)).to_contain_text("n’est plus proposée")
        page.goto(SEARCH)
        expect(page.locator("#total")).to_contain_text("22 entreprises")
        page.goto(SEARCH + "&page=2")
        expect(page.locator(f'a[href^="/etablissement/{chosen.siret}/"]')).to_have_count(0)


def test_the_chosen_theme_is_there_from_the_first_paint(town, visit):
    with visit("/", color_scheme="light") as page:
        root = page.locator("html")
        expect(root).to_have_attribute("data-fr-theme", "light")
        page.get_by_role("button", name="Paramètres d’affichage").first.click()
        page.get_by_text("Thème sombre").click()
        expect(root).to_have_attribute("data-fr-theme", "dark")
        # DSFR's own script is kept away: what remains is the small one of the head.
        page.route("**/dsfr.module.min.js", lambda route: route.fulfill(body="", content_type="text/javascript"))
        page.reload()
        expect(root).to_have_attribute("data-fr-theme", "dark")


def test_the_system_s_dark_theme_is_followed(town, visit):
    with visit("/", color_scheme="dark") as page:
        expect(page.locator("html")).to_have_attribute("data-fr-theme", "dark")


def test_the_menu_opens_on_a_telephone(town, visit):
    with visit("/", width=NARROW) as page:
        page.get_by_role("button", name="Menu").click()
        link = page.get_by_role("dialog").get_by_role("link", name="Comment ça marche")
        expect(link).to_be_visible()
        link.click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Comment ça marche")
