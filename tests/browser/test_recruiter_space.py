"""The recruiter's space in a real browser: every page and every state, by keyboard, without script, on paper."""

import os
import re
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.timezone import localdate

from offers.actions import links
from offers.enums import AccessStatus, CancelReason, Door, FilledThrough, OfferEventKind, OfferStatus, Outcome
from offers.models import Offer, OfferDay, OfferEvent
from tests.browser.conftest import NARROW, OF_COLOURS, WIDE, violations
from tests.factories import (
    AccessFactory,
    EstablishmentFactory,
    OfferFactory,
    OpcoFactory,
    RegistrationFactory,
    RomeFactory,
    UserFactory,
    VisibilityDecisionFactory,
)

pytestmark = pytest.mark.django_db(transaction=True)

SHOTS = os.environ.get("SHOTS_DIR")
LONG_TITLE = "Apprenti boulanger-pâtissier-tourier en alternance, fournil de nuit, quartier de la gare " + "x" * 61


def signed_in(user, live_server) -> dict:
    """What a browser holds once ``user`` has signed in."""
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    cookie = {
        "name": settings.SESSION_COOKIE_NAME,
        "value": client.cookies[settings.SESSION_COOKIE_NAME].value,
        "domain": urlsplit(live_server.url).hostname,
        "path": "/",
        "expires": -1,
        "httpOnly": True,
        "secure": False,
        "sameSite": "Lax",
    }
    return {"cookies": [cookie], "origins": []}


@pytest.fixture
def town():
    """A recruiter with an offer of every status, and an access of every kind; returns the recruiter and the offers."""
    now = timezone.now()
    user = UserFactory(email_confirmed_at=now, first_name="Rachida", phone="+33199000018")
    opco = OpcoFactory(code="ocapiat", name="OCAPIAT")
    shop = AccessFactory(user=user, establishment=EstablishmentFactory(name="BOULANGERIE DU SABLON", opco=opco))
    mill = AccessFactory(user=user, establishment=EstablishmentFactory(name="MOULIN DE LA SEILLE"))
    VisibilityDecisionFactory(value=mill.establishment.siret)
    asked = AccessFactory(
        user=user,
        status=AccessStatus.AWAITING,
        establishment=EstablishmentFactory(name="FOURNIL DES ALLEMANDS", opco=opco),
    )
    AccessFactory(user=user, status=AccessStatus.DENIED, establishment=EstablishmentFactory(name="PAIN D'ÉPICES"))
    unsure = AccessFactory(
        user=user, establishment=EstablishmentFactory(name="ÉTABLISSEMENT SANS RÉPONSE", to_verify_since=now)
    )
    pending = RegistrationFactory(
        access=AccessFactory(
            user=user,
            status=AccessStatus.AWAITING,
            confirmed_at=None,
            establishment=EstablishmentFactory(name="LA MIE"),
        )
    )
    cook = RomeFactory(code="G1602", label="Cuisinier / Cuisinière")
    offers = {
        "en ligne": OfferFactory(
            access=shop,
            created_at=now - timedelta(days=12),
            presentation="Une équipe de six, un fournil neuf, deux jours de repos de suite.\nVenez nous voir !",
            questions=["Pouvez-vous commencer à 5 heures ?"],
            knowledge=["Règles d’hygiène", "Types de farines"],
            level="3",
        ),
        "dernier jour": OfferFactory(access=shop, custom_title=LONG_TITLE, created_at=now - timedelta(days=30)),
        "masquée": OfferFactory(access=mill, rome=cook, job_label=cook.label),
        "en attente": OfferFactory(access=asked, status=OfferStatus.AWAITING, custom_title="Vendeur en boulangerie"),
        "à vérifier": OfferFactory(access=unsure, status=OfferStatus.AWAITING),
        "à confirmer": OfferFactory(
            access=pending.access, registration=pending, status=OfferStatus.AWAITING, confirmed_at=None,
            custom_title="Tourier",
        ),
        "pourvue": OfferFactory(
            access=shop, status=OfferStatus.FILLED, outcome=Outcome.FILLED_ELSEWHERE,
            filled_through=FilledThrough.CFA, outcome_comment="Le CFA de Metz nous a envoyé une candidate.",
        ),
        "annulée": OfferFactory(
            access=shop, status=OfferStatus.CANCELLED, outcome=Outcome.CANCELLED, cancel_reason=CancelReason.TOO_EARLY
        ),
        "expirée": OfferFactory(access=shop, status=OfferStatus.EXPIRED, created_at=now - timedelta(days=45)),
    }  # fmt: skip
    for n in range(12):
        OfferDay.objects.create(
            offer=offers["en ligne"],
            day=localdate() - timedelta(days=n),
            shown=40 + 9 * (n % 4),
            opened=3 * (n % 5),
            applied=n % 2,
        )
    for days, kind, via, reason in (
        (12, OfferEventKind.DEPOSITED, Door.SPACE, ""),
        (12, OfferEventKind.PUBLISHED, Door.CLOCK, ""),
        (3, OfferEventKind.EDITED, Door.SPACE, "présentation, diplôme visé"),
    ):
        OfferEvent.objects.create(
            offer=offers["en ligne"], kind=kind, via=via, at=now - timedelta(days=days), reason=reason,
            from_status=OfferStatus.ACTIVE, to_status=OfferStatus.ACTIVE,
        )  # fmt: skip
    return user, offers


def pages(offers) -> dict[str, str]:
    """Every page of the space and of the links, by a name for its picture."""
    online, late = offers["en ligne"], offers["dernier jour"]

    def of(name, offer, query=""):
        return reverse(f"offers:{name}", args=[offer.pk]) + query

    def act(offer, kind, query=""):
        return reverse("offers:offer_act", args=[links.make(offer=offer, act=kind)]) + query

    return {
        "espace": reverse("offers:space"),
        "espace-filtre": reverse("offers:space") + "?etat=en-attente",
        "offre": of("recruiter_offer", online),
        "offre-dernier-jour": of("recruiter_offer", late),
        "offre-en-attente": of("recruiter_offer", offers["en attente"]),
        "offre-pourvue": of("recruiter_offer", offers["pourvue"]),
        "cloture": of("offer_close", online),
        "cloture-pourvue": of("offer_close", online, "?pourvue"),
        "cloture-attente": of("offer_close", offers["en attente"]),
        "cloture-issue": of("offer_close", offers["expirée"]),
        "cloture-deja": of("offer_close", offers["pourvue"]),
        "affiche": of("offer_print", online),
        "coordonnees": reverse("offers:contact_edit"),
        "etablissements": reverse("offers:establishments"),
        "lien-prolonger": act(late, "prolong"),
        "lien-pourvue": act(online, "filled"),
        "lien-autrement": act(online, "filled", "?autrement"),
        "lien-clore": act(offers["expirée"], "close"),
        "lien-deja": act(offers["pourvue"], "close"),
    }


def look(page, name):
    """A picture of the page, where somebody asks for pictures (SHOTS_DIR)."""
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=True)


@pytest.mark.parametrize(("width", "theme"), [(NARROW, "light"), (WIDE, "light"), (WIDE, "dark")])
def test_no_page_has_an_axe_violation_complains_or_scrolls_sideways(town, visit, live_server, width, theme):
    user, offers = town
    faults = {}
    state = signed_in(user, live_server)
    with visit("/", width=width, color_scheme=theme, storage_state=state, bypass_csp=True) as page:
        for name, path in pages(offers).items():
            page.goto(path)
            page.wait_for_timeout(100)
            look(page, f"{name}-{width}-{theme}")
            assert page.evaluate("document.documentElement.scrollWidth") <= width, name
            if found := violations(page, OF_COLOURS if theme == "dark" else None):
                faults[name] = found
    assert faults == {}


def test_no_page_asks_for_anything_that_the_policy_refuses(town, visit, live_server):
    user, offers = town
    with visit("/", storage_state=signed_in(user, live_server)) as page:
        for path in pages(offers).values():
            page.goto(path)


def test_every_page_holds_with_text_twice_as_large(town, visit, live_server):
    user, offers = town
    with visit("/", width=WIDE, storage_state=signed_in(user, live_server), bypass_csp=True) as page:
        for name, path in pages(offers).items():
            page.goto(path)
            page.add_style_tag(content="html { font-size: 200% !important }")
            assert page.evaluate("document.documentElement.scrollWidth") <= WIDE, name


@pytest.mark.parametrize("width", [NARROW, WIDE])
def test_errors_are_told_beside_their_fields_without_an_axe_violation(town, visit, live_server, width):
    user, offers = town
    state = signed_in(user, live_server)
    with visit(reverse("offers:contact_edit"), width=width, storage_state=state, bypass_csp=True) as page:
        page.get_by_label("Prénom").fill("")
        page.get_by_label("Téléphone").fill("0899123456")
        page.get_by_role("button", name="Enregistrer").click()
        page.get_by_text("Ce numéro de téléphone est surtaxé.").wait_for()
        look(page, f"coordonnees-erreur-{width}")
        assert violations(page) == []
        page.goto(reverse("offers:offer_close", args=[offers["en ligne"].pk]))
        page.get_by_role("button", name="Clôturer l’offre").click()
        page.get_by_text("Choisissez ce qu’est devenue l’offre.").wait_for()
        look(page, f"cloture-erreur-{width}")
        assert violations(page) == []


def test_an_offer_is_prolonged_and_closed_by_keyboard_alone(town, visit, live_server):
    user, offers = town
    offer = offers["dernier jour"]
    with visit(reverse("offers:space"), width=NARROW, storage_state=signed_in(user, live_server)) as page:

        def tab_to(name):
            for _ in range(150):
                page.keyboard.press("Tab")
                if page.evaluate("(document.activeElement.textContent || '').trim().replace(/\\s+/g, ' ')") == name:
                    return
            pytest.fail(f"no Tab leads to « {name} »")

        tab_to(f"Prolonger de 30 jours l’offre {offer.title}")
        page.keyboard.press("Enter")
        page.get_by_text("est en ligne jusqu’au").wait_for()
        tab_to("Clôturer")
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Clôturer cette offre").wait_for()
        # What the answer does not need is not on the way.
        assert not page.get_by_label("Pourquoi l’annulez-vous").is_visible()
        for _ in range(40):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.type") == "radio":
                break
        page.keyboard.press("Space")
        page.keyboard.press("ArrowDown")
        page.get_by_label("Par quel moyen").wait_for()
        page.keyboard.press("Tab")
        page.keyboard.type("France")
        tab_to("Clôturer l’offre")
        page.keyboard.press("Enter")
        page.get_by_text("est close. Les candidats ne voient plus l’offre.").wait_for()
    offer.refresh_from_db()
    assert (offer.outcome, offer.filled_through) == (Outcome.FILLED_ELSEWHERE, FilledThrough.FRANCE_TRAVAIL)


def test_everything_works_without_javascript(town, visit, live_server):
    user, offers = town
    state = signed_in(user, live_server)
    with visit(reverse("offers:space"), width=NARROW, storage_state=state, java_script_enabled=False) as page:
        look(page, "espace-sans-script")
        page.get_by_role("button", name="Confirmer ma demande").click()
        page.get_by_text("est confirmée").wait_for()
        page.get_by_label("État").select_option("closes")
        page.get_by_role("button", name="Filtrer").click()
        page.get_by_role("link", name="Dire ce qu’elle est devenue").first.click()
        page.get_by_label("Pourvue grâce à La bonne alternance").check(force=True)
        page.get_by_role("button", name="Envoyer ma réponse").click()
        page.get_by_text("votre réponse est notée").wait_for()
        page.goto(reverse("offers:recruiter_offer", args=[offers["en ligne"].pk]))
        look(page, "offre-sans-script")
        assert not page.get_by_role("button", name="Copier l’adresse").is_visible()
        page.get_by_text("Le détail par jour").click()
        assert page.get_by_role("row").count() == 14
        page.goto(reverse("offers:contact_edit"))
        page.get_by_label("Nom", exact=True).fill("Nouveau")
        page.get_by_role("button", name="Enregistrer").click()
        page.get_by_text("sont enregistrées").wait_for()
    offers["expirée"].refresh_from_db()
    assert offers["expirée"].outcome == Outcome.FILLED_HERE


def test_the_address_of_an_offer_is_copied_by_its_button(town, visit, live_server):
    user, offers = town
    offer = offers["en ligne"]
    path = reverse("offers:recruiter_offer", args=[offer.pk])
    allowed = ["clipboard-read", "clipboard-write"]
    with visit(path, storage_state=signed_in(user, live_server), permissions=allowed) as page:
        page.get_by_role("button", name="Copier l’adresse").click()
        page.get_by_text("L’adresse est copiée.").wait_for()
        assert page.evaluate("navigator.clipboard.readText()") == f"{settings.SITE_URL}/offre/{offer.pk}/"


@pytest.mark.parametrize("kind", ["courte", "longue"])
def test_the_poster_is_one_sheet_of_a4(visit, live_server, kind):
    user = UserFactory(email_confirmed_at=timezone.now())
    told = {}
    if kind == "longue":
        told = {
            "custom_title": LONG_TITLE,
            "presentation": "Une équipe de six personnes, un fournil neuf.\n" * 17,
            "skills": ["Organiser et contrôler un approvisionnement de matières premières en boulangerie " * 3] * 15,
        }
    establishment = EstablishmentFactory(
        name="BOULANGERIE " * 16 if told else "LE FOURNIL", address_complement="BÂTIMENT C " * 10 if told else ""
    )
    offer = OfferFactory(access=AccessFactory(user=user, establishment=establishment), **told)
    path = reverse("offers:offer_print", args=[offer.pk])
    with visit(path, storage_state=signed_in(user, live_server)) as page:
        # The margins that browsers leave.
        sheet = page.pdf(format="A4", margin=dict.fromkeys(("top", "right", "bottom", "left"), "12mm"))
        page.set_viewport_size({"width": 700, "height": 1000})
        page.emulate_media(media="print")
        assert page.locator(".poster svg.qr").is_visible()
        assert not page.get_by_role("button", name="Imprimer").is_visible()
        look(page, f"affiche-papier-{kind}")
    if SHOTS:
        (Path(SHOTS) / f"affiche-{kind}.pdf").write_bytes(sheet)
    assert len(re.findall(rb"/Type\s*/Page\b", sheet)) == 1


def test_a_new_recruiter_is_told_what_to_do(visit, live_server):
    user = UserFactory(email_confirmed_at=timezone.now())
    state = signed_in(user, live_server)
    with visit(reverse("offers:space"), width=NARROW, storage_state=state, bypass_csp=True) as page:
        look(page, "espace-vide")
        assert violations(page) == []
        page.goto(reverse("offers:establishments"))
        look(page, "etablissements-vide")
        assert violations(page) == []
        AccessFactory(user=user)
        page.goto(reverse("offers:space"))
        look(page, "espace-sans-offre")
        page.get_by_role("link", name="Déposer une offre").click()
        page.wait_for_url("**/recruteur/offres/nouvelle/**")
    assert not Offer.objects.exists()
