"""An establishment in a real browser: it leaves by the link of a mail, asks support, asks to be listed."""

import re

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import expect

from companies.actions import explanations, visibility_links
from companies.actions.reasons import Reason
from companies.models import Establishment, VisibilityDecision
from labonnealternance.mail.models import Message
from tests import factories
from tests.browser.conftest import NARROW, OF_COLOURS, WIDE, violations
from tests.offers.public_town import BAKER, build_town
from tests.office import enter
from tests.unsubscribe.conftest import PDF, last_link, press
from unsubscribe.models import Request

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def files(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def town():
    """Two bakeries, the second of which nobody knows the address of."""
    found = build_town(bakeries=2)
    factories.ContactCorrectionFactory(siret=found[1].siret, value="")
    return found


def explain(establishment):
    """What the worker answers, without a model."""
    explanations.reasons_of(establishment_ids=[establishment.pk], at=timezone.now())
    reasons = [Reason("past", 1.1, {"years_in_a_row": 3}), Reason("headcount", -0.3, {"headcount": "02"})]
    explanations.answer_asked(
        explain=lambda release_id, found: {siret: dict.fromkeys(jobs, reasons) for siret, jobs in found.items()},
        at=timezone.now(),
    )


def is_listed(establishment):
    return Establishment.objects.listed(timezone.now()).filter(pk=establishment.pk).exists()


def know(establishment):
    return Establishment.objects.with_effective_contact().get(pk=establishment.pk).effective_email


@pytest.mark.parametrize("script", [True, False])
def test_it_leaves_by_the_link_of_a_mail_in_a_few_gestures(town, visit, script):
    shop = town[0]
    with visit(f"/etablissement/{shop.siret}/", java_script_enabled=script) as page:
        page.get_by_role("link", name="Retirer, mettre en pause ou corriger un établissement").click()
        page.get_by_role("link", name="Ne plus apparaître").click()
        page.get_by_label("SIRET ou adresse e-mail de l’établissement").fill(shop.siret)
        page.get_by_label("Pourquoi ?").select_option(label="Ne recrute pas en alternance")
        page.get_by_role("button", name="Recevoir le lien de confirmation").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Consultez votre messagerie")
        assert Message.objects.get().recipient == know(shop)
        page.goto(last_link())
        expect(page.get_by_role("checkbox", name=shop.name)).to_be_checked()
        page.get_by_role("button", name="Confirmer").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("C’est fait")
    assert not is_listed(shop)
    assert Client().get(f"/etablissement/{shop.siret}/").status_code == 410


def test_the_link_that_every_mail_carries_pauses_with_the_keyboard_alone(town, visit, settings):
    shop = town[0]
    path = visibility_links.make(siret=shop.siret, email=know(shop)).removeprefix(settings.SITE_URL)
    with visit(path) as page:
        page.get_by_role("link", name="Faire une pause").press("Enter")
        day = timezone.localdate() + timezone.timedelta(days=30)
        page.get_by_label("Dernier jour de la pause").fill(day.isoformat())
        page.get_by_label("Pourquoi ?").select_option(label="Recrutement déjà fait")
        page.get_by_role("button", name="Continuer").press("Enter")
        page.get_by_role("button", name="Confirmer").press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("C’est fait")
    assert not is_listed(shop)
    assert timezone.localdate(VisibilityDecision.objects.get().ends_at) == day + timezone.timedelta(days=1)


def test_one_without_address_joins_a_document_and_support_does_it(town, visit):
    shop = town[1]
    with visit("/desinscription/quitter/") as page:
        page.get_by_role("link", name="Adressez la demande à notre équipe").click()
        page.get_by_role("button", name="Envoyer à notre équipe").click()
        expect(page.get_by_text("Joignez un justificatif.")).to_be_visible()
        page.get_by_label("SIRET de l’établissement").fill(shop.siret)
        page.get_by_label("Pourquoi ?").select_option(label="Établissement fermé")
        page.get_by_label("Votre adresse e-mail").fill("gerant@exemple.fr")
        page.get_by_label("Justificatif").set_input_files(
            {"name": "kbis.pdf", "mimeType": "application/pdf", "buffer": PDF}
        )
        page.get_by_role("button", name="Envoyer à notre équipe").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Confirmez votre adresse")
        page.goto(last_link())
        page.get_by_role("button", name="Transmettre ma demande").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Votre demande est chez nous")
    assert is_listed(shop)
    press(enter(Client(), factories.StaffFactory()), "treat", Request.objects.get(), note="")
    assert not is_listed(shop)
    assert Message.objects.get(kind="unsubscribe_done").recipient == "gerant@exemple.fr"


@pytest.mark.parametrize("script", [True, False])
def test_it_asks_to_be_listed_for_a_job_and_is_found(town, visit, script):
    shop = town[0]
    Establishment.objects.filter(pk=shop.pk).update(is_employer=False)
    with visit("/desinscription/", java_script_enabled=script) as page:
        page.get_by_role("link", name="Être référencé", exact=True).click()
        page.get_by_label("SIRET ou adresse e-mail de l’établissement").fill(shop.siret)
        job = page.get_by_label("Métier", exact=True)
        if script:
            job.press_sequentially("boulang")
            page.get_by_role("option", name="Boulanger / Boulangère", exact=True).click()
        else:
            job.fill("boulanger / boulangère")
        page.get_by_role("button", name="Recevoir le lien de confirmation").click()
        page.goto(last_link())
        page.get_by_role("button", name="Confirmer").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("C’est fait")
    assert is_listed(shop)
    assert shop.siret in Client().get(f"/recherche/?romes={BAKER}&lieu=Metz&code=57463&rayon=10").text


@pytest.mark.parametrize(("width", "theme"), [(NARROW, "light"), (WIDE, "light"), (WIDE, "dark")])
def test_axe_finds_no_violation_and_nothing_scrolls_sideways(town, visit, settings, width, theme):
    shop = town[0]
    by_mail = visibility_links.make(siret=shop.siret, email=know(shop)).removeprefix(settings.SITE_URL)
    found = {}
    options = {"color_scheme": theme, "bypass_csp": True, "complaints_expected": True}
    with visit("/desinscription/", width=width, **options) as page:

        def look(step):
            page.wait_for_timeout(100)
            found[step] = violations(page, OF_COLOURS if theme == "dark" else None)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, step

        look("choices")
        for word in ("quitter", "pause", "masquer", "corriger", "etre-reference"):
            page.goto(f"/desinscription/{word}/")
            look(word)
            page.goto(f"/desinscription/{word}/sans-adresse/")
            page.get_by_role("button", name="Envoyer à notre équipe").click()
            page.locator(".fr-error-text").first.wait_for()
            look(f"{word}, wrong")
        page.goto("/desinscription/demande-envoyee/")
        look("sent")
        explain(shop)
        page.goto(by_mail)
        expect(page.get_by_text("Recrutement en alternance chaque année depuis 3 ans")).to_be_visible()
        look("from a mail")
        page.goto(f"{by_mail}quitter/")
        page.get_by_label("Pourquoi ?").select_option(label="Autre")
        page.get_by_role("button", name="Continuer").click()
        look("to confirm")
        page.get_by_role("checkbox", name=shop.name).press("Space")
        page.get_by_role("button", name="Confirmer").click()
        expect(page.get_by_role("alert")).to_contain_text("Cochez au moins un établissement")
        look("nothing ticked")
        page.get_by_role("checkbox", name=re.compile(shop.name)).press("Space")
        page.get_by_role("button", name="Confirmer").click()
        page.get_by_role("heading", name="C’est fait").wait_for()
        look("done")
        page.goto("/desinscription/lien/jeton/")
        look("no link")
    assert {step: violations for step, violations in found.items() if violations} == {}
