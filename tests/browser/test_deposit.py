"""The way of a recruiter, from the home page to the offer that candidates read, in a real browser."""

import datetime as dt
import os
import re
import time
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Page, expect

from companies.enums import RomeItemKind
from companies.models import RomeItem
from labonnealternance.mail import actions as mail
from offers.enums import OfferStatus
from offers.models import Offer
from tests import factories
from tests.browser.conftest import NARROW, WIDE
from tests.offers.public_town import BAKER, build_references

pytestmark = pytest.mark.django_db(transaction=True)

EMAIL = "camille@fournil.exemple.fr"
SIRET = factories.make_siret(1)
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
        self.page.get_by_label(label).press_sequentially(text)
        self.page.get_by_role("option", name=option).first.click()
        self.fields += 1
        self.clicks += 1

    def press(self, role: str, name: str | re.Pattern) -> None:
        self.page.get_by_role(role, name=name).first.click()
        self.clicks += 1


def post_arrives() -> None:
    """What the worker does."""
    mail.deliver_due(at=timezone.now())


def look(page: Page, step: str) -> list:
    """What axe says of the page; nothing scrolls sideways."""
    page.wait_for_timeout(150)
    width = page.viewport_size["width"]
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"{step}-{width}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width, step
    return [
        (step, fault["id"], [node["html"][:200] for node in fault["nodes"]])
        for fault in Axe().run(page).response["violations"]
    ]


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
        hand.choose("Métier recherché", "boulang", "Boulanger / Boulangère")
        hand.fill("Début du contrat", START.isoformat())
        hand.press("button", "Publier l’offre")
        expect(page.get_by_role("heading", level=1)).to_have_text("Vérifiez votre boîte aux lettres")
        assert EMAIL in page.inner_text("main")
        post_arrives()
        page.goto(f"/boite-aux-lettres/?to={EMAIL}")
        hand.press("link", "Confirmez")
        hand.press("link", re.compile("compte.lien"))
        hand.press("button", "Me connecter")
        offer = Offer.objects.get()
        assert offer.status == OfferStatus.ACTIVE
        page.goto(f"/offre/{offer.pk}/")
        expect(page.get_by_role("heading", level=1)).to_have_text("Boulanger / Boulangère")
        expect(page.get_by_text("Pétrir une pâte")).to_be_visible()
    seconds = time.monotonic() - begun
    print(f"\nDeposit: {hand.fields} fields filled, {hand.clicks} clicks, {seconds:.1f} s of machine time")
    assert hand.fields == 7
    assert hand.clicks <= 10
