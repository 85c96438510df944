"""The way of a recruiter, from the home page to the offer that candidates read, in a real browser."""

import datetime as dt
import os
import re
import time
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from companies.enums import RomeItemKind
from companies.models import RomeItem
from labonnealternance.mail import actions as mail
from offers.enums import OfferStatus
from offers.models import Offer
from tests import factories
from tests.browser.conftest import NARROW, WIDE, violations
from tests.offers.public_town import BAKER, build_references

pytestmark = pytest.mark.django_db(transaction=True)

EMAIL = "camille@fournil.exemple.fr"
SIRET = factories.make_siret(1)
TITLE = "Boulanger / Boulangère"
START = timezone.localdate() + dt.timedelta(days=30)
# Where someone wants to look at what the tests saw.
SHOTS = os.environ.get("SHOTS_DIR", "")


@pytest.fixture
def bakery(settings, tmp_path, live_server):
    """An establishment whose known contact is the recruiter, and the mailbox of a laptop."""
    settings.SITE_URL = live_server.url
    settings.EMAIL_BACKEND = "labonnealternance.mail.mailbox.MailboxBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path / "mailbox")
    build_references()
    for n, label in enumerate(["Pétrir une pâte", "Conduire une cuisson", "Façonner des pains"]):
        RomeItem.objects.create(rome_id=BAKER, kind=RomeItemKind.SKILL, ogr=100 + n, label=label)
    RomeItem.objects.create(rome_id=BAKER, kind=RomeItemKind.KNOWLEDGE, ogr=200, label="Types de farine")
    factories.ContactFactory(siret=SIRET, email=EMAIL)
    return factories.EstablishmentFactory(siret=SIRET, name="FOURNIL DU PONT", opco=factories.OpcoFactory())


class Hand:
    """Counts what a person does."""

    def __init__(self, page: Page):
        self.page, self.fields, self.clicks = page, 0, 0

    def fill(self, label: str, text: str) -> None:
        self.page.get_by_label(label, exact=True).fill(text)
        self.fields += 1

    def choose(self, label: str, text: str, option: str | re.Pattern) -> None:
        self.page.get_by_label(label, exact=True).press_sequentially(text)
        self.page.get_by_role("option", name=option, exact=True).click()
        self.fields += 1
        self.clicks += 1

    def press(self, role: str, name: str | re.Pattern) -> None:
        self.page.get_by_role(role, name=name).first.click()
        self.clicks += 1


def post_arrives() -> None:
    """What the worker does."""
    mail.deliver_due(at=timezone.now())


def look(page: Page, step: str) -> list[tuple]:
    """What axe says against the page, where nothing scrolls sideways."""
    page.wait_for_timeout(150)
    width = page.viewport_size["width"]
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"{step}-{width}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width, step
    return [(step, *fault) for fault in violations(page)]


def come_to_the_offer(page: Page) -> Hand:
    """The way to the form of the first offer."""
    hand = Hand(page)
    page.goto(f"/recruteur/inscription/contact/?siret={SIRET}")
    hand.fill("Prénom", "Camille")
    hand.fill("Nom", "Exemple")
    hand.fill("Adresse e-mail", EMAIL)
    hand.fill("Téléphone", "01 99 00 12 34")
    hand.press("button", "Continuer")
    page.get_by_label("Métier recherché", exact=True).wait_for()
    return hand


def test_an_offer_is_public_after_seven_fields(bakery, visit):
    begun = time.monotonic()
    with visit("/", width=NARROW) as page:
        hand = Hand(page)
        hand.press("link", "Vous recrutez")
        hand.choose("SIRET ou nom de votre établissement", "fournil metz", re.compile("FOURNIL DU PONT"))
        hand.press("button", "Continuer")
        hand.fill("Prénom", "Camille")
        hand.fill("Nom", "Exemple")
        hand.fill("Adresse e-mail", EMAIL)
        hand.fill("Téléphone", "01 99 00 12 34")
        hand.press("button", "Continuer")
        hand.choose("Métier recherché", "boulang", TITLE)
        hand.fill("Début du contrat", START.isoformat())
        hand.press("button", "Publier l’offre")
        expect(page.get_by_role("heading", level=1)).to_have_text("Consultez votre messagerie")
        assert EMAIL in page.inner_text("main")
        post_arrives()
        page.goto(f"/boite-aux-lettres/?to={EMAIL}")
        hand.press("link", "Confirmez")
        hand.press("link", re.compile("compte.lien"))
        hand.press("button", "Confirmer et me connecter")
        expect(page.get_by_text("En ligne").first).to_be_visible()
        seconds = time.monotonic() - begun
        offer = Offer.objects.get()
        assert offer.status == OfferStatus.ACTIVE
        page.goto("/recherche/?metier=Boulanger&lieu=Metz&rayon=10")
        page.locator(".result").get_by_role("link", name=TITLE).first.click()
        page.wait_for_url(re.compile(f"/offre/{offer.pk}/"))
        expect(page.get_by_role("heading", level=1)).to_have_text(TITLE)
        expect(page.get_by_text("Pétrir une pâte")).to_be_visible()
        page.context.clear_cookies()
        assert page.goto(f"/offre/{offer.pk}/").status == 200
    print(f"\nDeposit: {hand.fields} fields filled, {hand.clicks} clicks, {seconds:.1f} s of machine time")
    assert hand.fields == 7
    assert hand.clicks == 9


def test_the_whole_way_is_made_by_keyboard_alone(bakery, visit):
    with visit("/") as page:
        keys = page.keyboard
        page.get_by_role("link", name="Vous recrutez").focus()
        keys.press("Enter")
        page.get_by_role("combobox").focus()
        keys.type("fournil")
        expect(page.get_by_role("option").first).to_be_visible()
        keys.press("ArrowDown")
        keys.press("Enter")
        keys.press("Enter")
        page.wait_for_url(re.compile("contact"))
        page.get_by_label("Prénom").focus()
        for text in ("Camille", "Exemple", EMAIL, "0199001234"):
            keys.type(text)
            keys.press("Tab")
        expect(page.get_by_role("button", name="Continuer")).to_be_focused()
        keys.press("Enter")
        page.get_by_role("combobox").focus()
        keys.type("boulang")
        expect(page.get_by_role("option", name=TITLE, exact=True)).to_be_visible()
        keys.press("ArrowDown")
        keys.press("Enter")
        expect(page.get_by_text("Ce que liront les candidats")).to_be_visible()
        keys.press("Tab")
        # The same in the order of any country.
        keys.type("01012028" if START.year > 2026 else "01012027")
        keys.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Consultez votre messagerie")
        assert Offer.objects.get().starts_on.month == 1
        post_arrives()
        page.goto(f"/boite-aux-lettres/?to={EMAIL}")
        for name in ("Confirmez", re.compile("compte.lien")):
            page.get_by_role("link", name=name).first.focus()
            keys.press("Enter")
        page.get_by_role("button", name="Confirmer et me connecter").focus()
        keys.press("Enter")
        expect(page.get_by_text("En ligne").first).to_be_visible()


def test_the_whole_way_is_made_without_javascript(bakery, visit):
    with visit("/", width=NARROW, java_script_enabled=False) as page:
        hand = Hand(page)
        hand.press("link", "Vous recrutez")
        hand.fill("SIRET ou nom de votre établissement", "fournil metz")
        hand.press("button", "Continuer")
        hand.press("link", "FOURNIL DU PONT")
        hand.fill("Prénom", "Camille")
        hand.fill("Nom", "Exemple")
        hand.fill("Adresse e-mail", EMAIL)
        hand.fill("Téléphone", "01 99 00 12 34")
        hand.press("button", "Continuer")
        hand.fill("Métier recherché", "boulangerie")
        hand.press("button", "Voir la description")
        page.locator("label", has_text=re.compile(f"^{TITLE}$")).click()
        hand.press("button", "Voir la description")
        expect(page.get_by_label("Métier recherché", exact=True)).to_have_value(TITLE)
        page.get_by_text("3 compétences et 1 savoir").click()
        page.get_by_text("Conduire une cuisson").click()
        hand.fill("Début du contrat", START.isoformat())
        hand.press("button", "Aperçu")
        expect(page.get_by_text("voici ce que liront les candidats")).to_be_visible()
        expect(page.get_by_text("Conduire une cuisson")).to_have_count(0)
        hand.press("button", "Modifier")
        expect(page.get_by_label("Début du contrat")).to_have_value(START.isoformat())
        hand.press("button", "Publier l’offre")
        expect(page.get_by_role("heading", level=1)).to_have_text("Consultez votre messagerie")
        assert Offer.objects.get().skills == ["Pétrir une pâte", "Façonner des pains"]
        post_arrives()
        page.goto(f"/boite-aux-lettres/?to={EMAIL}")
        hand.press("link", "Confirmez")
        hand.press("link", re.compile("compte.lien"))
        hand.press("button", "Confirmer et me connecter")
        assert page.goto(f"/offre/{Offer.objects.get().pk}/").status == 200


def test_what_was_unticked_stays_so_while_the_title_does_and_a_new_title_has_its_own(bakery, visit):
    with visit("/") as page:
        hand = come_to_the_offer(page)
        hand.choose("Métier recherché", "boulang", TITLE)
        page.get_by_text("3 compétences").click()
        page.get_by_text("Conduire une cuisson").click()
        hand.fill("Début du contrat", START.isoformat())
        expect(page.get_by_label("Conduire une cuisson")).not_to_be_checked()
        page.get_by_label("Métier recherché", exact=True).fill("cuisinier")
        page.keyboard.press("Tab")
        expect(page.get_by_text("Conduire une cuisson")).to_have_count(0)
        # A title that is clear is described without being chosen in the list.
        expect(page.get_by_text("Ce que liront les candidats")).to_be_visible()
        hand.press("button", "Publier l’offre")
        expect(page.get_by_role("heading", level=1)).to_have_text("Consultez votre messagerie")
        assert Offer.objects.get().job_label == "Cuisinier / Cuisinière"


def test_without_network_for_its_description_an_offer_is_deposited_all_the_same(bakery, visit):
    with visit("/", complaints_expected=True) as page:
        hand = come_to_the_offer(page)
        page.route("**/fiche-metier/**", lambda route: route.abort())
        hand.choose("Métier recherché", "boulang", TITLE)
        hand.fill("Début du contrat", START.isoformat())
        hand.press("button", "Publier l’offre")
        expect(page.get_by_role("heading", level=1)).to_have_text("Consultez votre messagerie")
        assert len(Offer.objects.get().skills) == 3


def test_going_back_and_sending_the_offer_again_makes_no_second_one(bakery, visit):
    with visit("/") as page:
        hand = come_to_the_offer(page)
        hand.choose("Métier recherché", "boulang", TITLE)
        hand.fill("Début du contrat", START.isoformat())
        page.get_by_role("button", name="Publier l’offre").dblclick()
        expect(page.get_by_role("heading", level=1)).to_have_text("Consultez votre messagerie")
        assert Offer.objects.count() == 1


@pytest.mark.parametrize(("width", "theme"), [(NARROW, "light"), (WIDE, "dark")])
def test_axe_finds_no_violation_on_the_way(bakery, visit, width, theme):
    closed, other = factories.make_siret(3), factories.make_siret(2)
    factories.EstablishmentFactory(siret=other, name="FOURNIL DU PARC")
    factories.EstablishmentFactory(siret=closed, name="FOURNIL FERMÉ", closed_on=dt.date(2025, 1, 1))
    found = []
    contact = "/recruteur/inscription/contact/?siret="
    # axe is a script of ours in the page: the policy would refuse it.
    options = {"width": width, "color_scheme": theme, "bypass_csp": True, "complaints_expected": True}
    with visit("/recruteur/inscription/", **options) as page:
        found += look(page, "01-establishment")
        page.get_by_role("combobox").press_sequentially("fournil")
        page.get_by_role("option").first.wait_for()
        page.keyboard.press("ArrowDown")
        found += look(page, "02-suggestions")
        for step, path in {
            "03-list": "/recruteur/inscription/?q=fournil",
            "04-wrong": f"/recruteur/inscription/?q={SIRET[:-1]}1",
            "05-closed": f"{contact}{closed}",
            "06-to-verify": f"{contact}{factories.make_siret(9)}",
            "07-contact": f"{contact}{SIRET}",
        }.items():
            page.goto(path)
            found += look(page, step)
        page.get_by_role("button", name="Continuer").click()
        page.get_by_text("Indiquez votre prénom.").wait_for()
        assert page.evaluate("document.activeElement.name") == "first_name"
        found += look(page, "08-contact-errors")
        hand = come_to_the_offer(page)
        found += look(page, "09-offer")
        hand.press("button", "Publier l’offre")
        page.get_by_text("Indiquez le métier recherché.").wait_for()
        assert page.evaluate("document.activeElement.name") == "job"
        found += look(page, "10-offer-errors")
        hand.fill("Métier recherché", "boulangerie")
        hand.press("button", "Publier l’offre")
        page.get_by_text("Vous vouliez dire").wait_for()
        found += look(page, "11-choices")
        page.get_by_label("Métier recherché", exact=True).fill("")
        hand.choose("Métier recherché", "boulang", TITLE)
        page.get_by_text("3 compétences").click()
        page.get_by_text("Préciser l’offre").click()
        found += look(page, "12-unfolded")
        hand.fill("Début du contrat", START.isoformat())
        hand.press("button", "Aperçu")
        page.get_by_text("voici ce que liront").wait_for()
        found += look(page, "13-preview")
        hand.press("button", "Publier l’offre")
        page.get_by_text("Consultez votre messagerie").wait_for()
        found += look(page, "14-done")
        post_arrives()
        page.goto(f"/boite-aux-lettres/?to={EMAIL}")
        hand.press("link", "Confirmez")
        hand.press("link", re.compile("compte.lien"))
        hand.press("button", "Confirmer et me connecter")
        page.get_by_text("En ligne").first.wait_for()
        offer = Offer.objects.get()
        for step, path in {
            "15-new": "/recruteur/offres/nouvelle/",
            "16-add": "/recruteur/inscription/",
            "17-add-this": f"{contact}{other}",
            "18-edit": f"/recruteur/offres/{offer.pk}/modifier/",
            "19-copy": f"/recruteur/offres/{offer.pk}/dupliquer/",
        }.items():
            page.goto(path)
            found += look(page, step)
        page.goto(f"{contact}{other}")
        hand.press("button", "Ajouter cet établissement")
        page.get_by_label("Établissement qui recrute").wait_for()
        found += look(page, "20-several")
    assert found == []
