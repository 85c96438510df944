"""The page of an offer in a real browser: read, shared, applied to, and gone."""

import re

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from offers.actions import counts
from offers.enums import ContractType, OfferStatus
from offers.models import Offer
from tests import factories
from tests.browser.conftest import NARROW, OF_COLOURS, WIDE, violations
from tests.offers.public_town import BAKER, build_town, put_online

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def offer():
    """Everything that an offer may hold, of an establishment that has a page of its own."""
    bakery = build_town(bakeries=2)[0]
    return factories.OfferFactory(
        access__establishment=bakery,
        custom_title="Apprentie boulangère ou apprenti boulanger, fournil du quartier de la gare",
        contract_types=[ContractType.APPRENTICESHIP, ContractType.PROFESSIONALISATION],
        level="3",
        duration_months=24,
        positions=2,
        presentation="Un fournil de quartier, ouvert depuis 1980.\n\nNous sommes six, et nous aimons transmettre.",
        description="Réalise des produits de boulangerie et de viennoiserie selon les règles d’hygiène.",
        skills=["Pétrir une pâte", "Conduire une cuisson", "Façonner des pains et des viennoiseries"],
        knowledge=["Règles d’hygiène", "Types de farines"],
        questions=["Pouvez-vous commencer à quatre heures du matin ?"],
    )  # fmt: skip


@pytest.fixture
def closed(offer):
    """An offer that is filled, around which others are public."""
    for n in range(3):
        factories.OfferFactory(custom_title=f"Boulanger du pont {n + 1}")
    return factories.OfferFactory(status=OfferStatus.FILLED, custom_title="Boulanger de nuit")


def path_of(offer):
    return f"/offre/{offer.pk}/"


@pytest.mark.parametrize(("width", "theme"), [(NARROW, "light"), (WIDE, "light"), (WIDE, "dark"), (NARROW, "dark")])
def test_axe_finds_no_violation_and_nothing_scrolls_sideways_on_the_way(offer, closed, visit, width, theme):
    found = {}
    # axe is a script of ours in the page: the policy would refuse it. What is gone is told by the console.
    options = {"color_scheme": theme, "bypass_csp": True, "complaints_expected": True}
    with visit(path_of(offer), width=width, **options) as page:

        def look(step):
            page.wait_for_timeout(100)
            found[step] = violations(page, OF_COLOURS if theme == "dark" else None)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, step

        look("offer")
        page.get_by_role("button", name="Voir comment postuler").click()
        page.get_by_role("heading", name="Postuler à cette offre").wait_for()
        look("how to apply")
        page.goto(f"{path_of(offer)}postuler/")
        look("the button again")
        page.goto(path_of(closed))
        look("gone")
        page.goto(f"/etablissement/{offer.establishment.siret}/")
        look("its establishment")
    assert {step: violations for step, violations in found.items() if violations} == {}


@pytest.mark.parametrize("script", [True, False])
def test_how_to_apply_is_reached_with_and_without_javascript_and_the_policy_has_nothing_to_say(offer, visit, script):
    with visit(path_of(offer), width=NARROW, java_script_enabled=script) as page:
        copy = page.get_by_role("button", name="Copier l’adresse")
        assert copy.is_visible() == script
        assert page.locator(".share__address").is_visible()
        page.get_by_role("button", name="Voir comment postuler").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Postuler à cette offre")
        expect(page.locator('a[href="tel:+33199000000"]')).to_have_text("01 99 00 00 00")
        expect(page.get_by_text("Pouvez-vous commencer à quatre heures")).to_be_visible()
        page.get_by_role("link", name="Retour à l’offre").click()
        expect(page.get_by_role("heading", level=1)).to_have_text(offer.title)
    counts.write()
    told = Offer.objects.with_counts().get(pk=offer.pk)
    assert (told.opened, told.applied) == (2, 1)


def test_the_whole_way_is_made_by_keyboard_alone(offer, visit):
    with visit("/recherche/?romes=D1102&metier=Boulanger&lieu=Metz&code=57463") as page:
        page.get_by_role("link", name=re.compile("quartier de la gare")).focus()
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile(f"/offre/{offer.pk}/"))
        page.get_by_role("link", name="Retour aux résultats").focus()
        page.keyboard.press("Tab")
        expect(page.get_by_role("button", name="Voir comment postuler")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Postuler à cette offre")
        page.get_by_role("link", name="Retour à l’offre").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text(offer.title)


def test_the_address_is_copied_and_that_is_said(offer, visit, settings):
    with visit(path_of(offer), permissions=["clipboard-read", "clipboard-write"]) as page:
        button = page.get_by_role("button", name="Copier l’adresse")
        button.focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("status").filter(has_text="L’adresse est copiée.")).to_be_visible()
        assert page.evaluate("navigator.clipboard.readText()") == f"{settings.SITE_URL}{path_of(offer)}"
        expect(button).to_be_focused()


def test_on_a_phone_what_matters_and_the_button_come_before_the_text(offer, visit):
    with visit(path_of(offer), width=NARROW) as page:
        tops = [
            place.bounding_box()["y"]
            for place in (
                page.get_by_role("heading", level=1),
                page.get_by_role("heading", name="En bref"),
                page.get_by_role("button", name="Voir comment postuler"),
                page.get_by_role("heading", name="Le poste"),
                page.get_by_role("heading", name="L’entreprise"),
            )
        ]
        assert tops == sorted(tops)


def test_the_page_of_the_establishment_leads_to_its_offer(offer, visit):
    put_online([(offer.establishment, BAKER)])
    with visit(f"/etablissement/{offer.establishment.siret}/", width=NARROW) as page:
        page.get_by_role("link", name=offer.title).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(offer.title)


def test_over_it_leads_to_others_like_it(offer, closed, visit):
    with visit(path_of(offer), width=NARROW, complaints_expected=True) as page:
        Offer.objects.filter(pk=offer.pk).update(status=OfferStatus.FILLED, closed_at=timezone.now())
        assert page.reload().status == 410
        expect(page.get_by_role("heading", level=1)).to_have_text("Cette offre n’est plus proposée")
        page.get_by_role("link", name="Boulanger du pont 1").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Boulanger du pont 1")
        page.go_back()
        page.get_by_role("link", name="Chercher pour le même métier").click()
        expect(page.get_by_role("link", name="Boulanger du pont 2")).to_be_visible()


def test_every_page_holds_with_text_twice_as_large(offer, closed, visit):
    for path in (path_of(offer), f"{path_of(offer)}postuler/", path_of(closed)):
        with visit(path, bypass_csp=True, complaints_expected=True) as page:
            page.add_style_tag(content="html { font-size: 200% !important }")
            assert page.evaluate("document.documentElement.scrollWidth") <= WIDE, path
