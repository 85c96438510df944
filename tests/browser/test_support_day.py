"""A support agent's day in a real browser, by what the pages say alone: from the morning's list to the last check."""

import re
from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.utils import timezone
from django_otp.oath import TOTP
from playwright.sync_api import Locator, Page, expect

from companies.actions.contacts import known_contact
from companies.models import Establishment, Remark, spaced_siret
from labonnealternance.accounts import actions
from labonnealternance.accounts.enums import Role
from labonnealternance.accounts.models import Visit
from labonnealternance.consistency.actions import run_now
from labonnealternance.mail.enums import MessageStatus
from labonnealternance.mail.models import Message
from offers.enums import OfferStatus
from offers.models import Offer
from tests import factories
from tests.browser.conftest import NARROW, WIDE, violations
from tests.browser.test_recruiter_space import look as picture
from tests.offers.public_town import build_town
from tests.unsubscribe.conftest import PDF
from unsubscribe.enums import ReportStatus, Status
from unsubscribe.models import Report, Request

pytestmark = pytest.mark.django_db(transaction=True)

EMAIL, PASSWORD = "lea@exemple.fr", "quatre chevaux au galop"
HOME = "La bonne alternance — support"


class Day:
    """The agent's browser: every page that is looked at is judged, and what is wrong is told in the evening."""

    def __init__(self, page: Page):
        self.page = page
        self.faults: dict[str, object] = {}

    def look(self, step: str) -> None:
        picture(self.page, step)
        if found := violations(self.page):
            self.faults[step] = found

    def go(self, link: Locator) -> None:
        """Follows a link, or sends a form, as far as the page that it opens."""
        with self.page.expect_navigation():
            link.click()

    def home(self) -> None:
        self.go(self.page.get_by_role("link", name=HOME))
        self.page.get_by_role("table", name="À traiter").wait_for()

    def to_do(self, label: str):
        """The link and the number of a line of what waits."""
        line = self.page.get_by_role("table", name="À traiter").get_by_role("row").filter(has_text=label)
        return line.get_by_role("link"), line.get_by_role("cell")

    def open(self, label: str) -> None:
        """An entry of the home."""
        self.go(self.page.locator("#content-main").get_by_role("link", name=label, exact=True).last)

    def find(self, text: str) -> None:
        """The only row of a list that is found by ``text``."""
        self.page.get_by_role("textbox", name="Chercher").fill(text)
        self.go(self.page.get_by_role("button", name="Rechercher"))
        self.go(self.page.locator("#result_list").get_by_role("row").nth(1).get_by_role("link").first)

    def press(self, label: str) -> None:
        """A button of a page, that opens the page where it is confirmed."""
        self.go(self.page.get_by_role("link", name=label, exact=True))

    def confirm(self, label: str, said: str) -> None:
        self.go(self.page.get_by_role("button", name=label, exact=True))
        self.told(said)

    def told(self, sentence: str) -> None:
        expect(self.page.get_by_role("listitem").filter(has_text=sentence).first).to_be_visible()

    def enter(self) -> None:
        """The Enter key, and the page that it opens."""
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")

    def tab_to(self, label: str) -> None:
        """Moves the keyboard to what is called ``label``."""
        for _ in range(120):
            self.page.keyboard.press("Tab")
            reached = self.page.evaluate(
                "(e => e.labels?.[0]?.innerText || e.value || e.innerText || '')(document.activeElement)"
            )
            if reached.rstrip(" \xa0:").strip() == label:
                return
        pytest.fail(f"The keyboard does not reach « {label} ».")


@pytest.fixture
def town(settings, tmp_path):
    """Eight bakeries, and what happened about them in the night."""
    settings.MEDIA_ROOT = tmp_path
    town = build_town(bakeries=8)
    asked = factories.RequestFactory(value=town[0].siret, address="gerante@exemple.fr", comment="Nous partons.")
    asked.document.save("kbis.pdf", ContentFile(PDF))
    factories.RequestFactory(value=town[1].siret, address="inconnu@exemple.fr", asked_at=timezone.now())
    factories.ReportFactory(siret=town[2].siret, details="Rideau baissé depuis l’été.", email="voisin@exemple.fr")
    recruiter = factories.UserFactory(
        email="recruteur@exemple.fr", first_name="Rachida", last_name="Recrute", email_confirmed_at=timezone.now()
    )
    actions.give_role(user=recruiter, role=Role.RECRUITER)
    access = factories.AccessFactory(user=recruiter, establishment=town[7])
    factories.OfferFactory(access=access, custom_title="Payez pour postuler")
    Message.objects.create(
        kind="essai", recipient="recruteur@exemple.fr", subject="Votre offre est en ligne",
        status=MessageStatus.FAILED, created_at=timezone.now() - timedelta(hours=20), attempts=3,
        provider_answer="550 boîte inconnue", text_body="Bonjour, votre offre est en ligne.",
    )  # fmt: skip
    # A colleague who has no second factor: what the night's checks find.
    factories.StaffFactory(first_name="Noé", last_name="Nouveau")
    run_now(at=timezone.now())
    return town


def public_page(shop) -> int:
    return Client().get(f"/etablissement/{shop.siret}/").status_code


def signs_in(page: Page) -> Day:
    """The morning: an account of the group that does all, its password and the code of the moment."""
    device = actions.create_support_account(email=EMAIL, password=PASSWORD, first_name="Léa", last_name="Soutien")
    page.set_default_timeout(60_000)
    expect.set_options(timeout=60_000)
    day = Day(page)
    day.look("sign-in")
    page.get_by_label("Adresse e-mail").fill(EMAIL)
    page.get_by_label("Mot de passe").fill(PASSWORD)
    page.get_by_label("Code à 6 chiffres").fill(f"{TOTP(device.bin_key).token():06d}")
    day.go(page.get_by_role("button", name="Connexion"))
    page.get_by_role("table", name="À traiter").wait_for()
    return day


def test_the_day_of_a_support_agent(town, visit):
    # axe is a script of ours in the page: the policy would refuse it.
    with visit("/admin/", bypass_csp=True) as page:
        day = signs_in(page)
        reads_what_waits(day)
        accepts_a_request_that_came_with_a_document(day, town[0])
        refuses_another_with_the_keyboard_alone(day, town[1])
        treats_a_report_from_the_establishment_s_page(day, town[2])
        decides_about_many_then_undoes_it(day, town[3:7])
        reads_why_one_is_shown_corrects_its_contact_and_notes_it(day, town[3])
        withdraws_an_offer(day, town[7])
        reads_why_a_message_did_not_leave(day)
        sees_a_recruiter_s_space_and_comes_back(day)
        reads_the_checks(day)
    assert day.faults == {}


def reads_what_waits(day: Day) -> None:
    numbers = {
        "Demandes d’établissements": "2", "Signalements": "1", "Recruteurs à valider, sans OPCO": "0",
        "E-mails refusés depuis 7 jours": "1", "E-mails en retard d’envoi": "0", "Contrôles des données en défaut": "1",
    }  # fmt: skip
    for label, number in numbers.items():
        expect(day.to_do(label)[1]).to_have_text(number)
    day.look("home")
    day.page.set_viewport_size({"width": NARROW, "height": 800})
    day.look("home-narrow")
    assert day.page.evaluate("document.documentElement.scrollWidth") <= NARROW
    day.page.set_viewport_size({"width": WIDE, "height": 800})


def accepts_a_request_that_came_with_a_document(day: Day, shop: Establishment) -> None:
    page = day.page
    day.go(day.to_do("Demandes d’établissements")[0])
    day.look("requests")
    day.go(page.get_by_role("link", name=spaced_siret(shop.siret)))
    day.look("request")
    day.press("Prendre en charge")
    day.confirm("Prendre en charge", "Vous suivez cette demande.")
    day.press("Télécharger le justificatif")
    day.look("request-document")
    with page.expect_download() as waited:
        page.get_by_role("button", name="Télécharger le justificatif").click()
    with open(waited.value.path(), "rb") as document:
        assert document.read() == PDF
    # The page stays, tells where the file is, and leads back.
    expect(page.get_by_text("Le fichier s’enregistre parmi vos téléchargements")).to_be_visible()
    day.go(page.get_by_role("link", name="Revenir à la fiche"))
    day.press("Faire ce qui est demandé")
    day.go(page.get_by_role("button", name="Voir ce qui sera envoyé"))
    expect(page.get_by_role("heading", name="Ce qui sera envoyé")).to_be_visible()
    expect(page.locator("pre")).to_contain_text("gerante@exemple.fr")
    day.look("request-preview")
    assert public_page(shop) == 200
    day.confirm("Faire ce qui est demandé", "C’est fait, et la réponse est partie.")
    assert public_page(shop) == 410
    assert Message.objects.filter(kind="unsubscribe_done", recipient="gerante@exemple.fr").exists()
    day.look("request-done")


def refuses_another_with_the_keyboard_alone(day: Day, shop: Establishment) -> None:
    page = day.page
    for label in ("Demandes", spaced_siret(shop.siret), "Refuser"):
        day.tab_to(label)
        day.enter()
    expect(page.get_by_role("heading", name="Refuser")).to_be_visible()
    day.tab_to("Réponse")
    page.keyboard.type("Ce document ne nomme pas l’établissement.")
    day.tab_to("Voir ce qui sera envoyé")
    day.enter()
    expect(page.locator("pre")).to_contain_text("Ce document ne nomme pas l’établissement.")
    day.tab_to("Refuser")
    day.enter()
    day.told("La demande est refusée, et la réponse est partie.")
    assert public_page(shop) == 200
    assert set(Request.objects.values_list("status", flat=True)) == {Status.DONE, Status.REFUSED}


def treats_a_report_from_the_establishment_s_page(day: Day, shop: Establishment) -> None:
    page = day.page
    day.home()
    expect(day.to_do("Demandes d’établissements")[1]).to_have_text("0")
    day.go(day.to_do("Signalements")[0])
    day.look("reports")
    day.go(page.get_by_role("link", name=spaced_siret(shop.siret)))
    day.look("report")
    day.go(page.get_by_role("link", name=re.compile(shop.display_name)))
    day.look("establishment")
    day.press("Retirer")
    page.get_by_label("Motif").select_option(label="Établissement fermé")
    day.look("establishment-delist")
    day.confirm("Retirer", "L’établissement est retiré.")
    assert public_page(shop) == 410
    day.go(page.get_by_role("link", name="Entreprise fermée"))
    day.press("Marquer traité")
    page.get_by_label("Raison").fill("Fermé : la mairie le confirme.")
    day.confirm("Marquer traité", "Le signalement est traité.")
    assert Report.objects.get().status == ReportStatus.TREATED


def decides_about_many_then_undoes_it(day: Day, shops: list[Establishment]) -> None:
    page = day.page
    day.home()
    day.open("Décider de plusieurs établissements")
    day.go(page.get_by_role("link", name="Mettre en pause", exact=True))
    page.get_by_label(re.compile("^Liste")).fill("\n".join([*(spaced_siret(each.siret) for each in shops), "1234"]))
    page.get_by_label("Motif").select_option(label="Recrutement déjà fait")
    page.get_by_label("Dernier jour de la pause").fill((timezone.localdate() + timedelta(days=30)).isoformat())
    day.go(page.get_by_role("button", name="Voir ce que cela fera"))
    effect = page.get_by_role("region", name="Ce que cela fera")
    expect(effect.get_by_role("row", name=re.compile("^Lignes écartées"))).to_contain_text("1")
    expect(effect.get_by_role("row", name="1234")).to_be_visible()
    day.look("batch-preview")
    assert [public_page(each) for each in shops] == [200] * 4
    day.go(page.get_by_role("button", name=re.compile("^Mettre en pause 4")))
    day.told("Ce lot peut être annulé.")
    assert [public_page(each) for each in shops] == [410] * 4
    day.look("batch")
    day.press("Annuler le lot")
    page.get_by_label("Raison").fill("Ce n’était pas cette liste.")
    day.go(page.get_by_role("button", name="Voir ce qui sera fait"))
    expect(page.locator("pre")).to_contain_text("4 décisions prennent fin")
    day.look("batch-undo")
    day.confirm("Annuler le lot", "Le lot est annulé.")
    assert [public_page(each) for each in shops] == [200] * 4


def reads_why_one_is_shown_corrects_its_contact_and_notes_it(day: Day, shop: Establishment) -> None:
    page = day.page
    day.home()
    day.open("Pourquoi est-il affiché, ou non ?")
    page.get_by_label("SIRET").fill(spaced_siret(shop.siret))
    day.go(page.get_by_role("button", name="Voir pourquoi"))
    expect(page.get_by_role("heading", name="Ce qu’il faut pour être affiché")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="En pause").filter(has_text="annulée").first).to_be_visible()
    day.look("why")
    day.go(page.get_by_role("link", name="Fiche de l’établissement"))
    day.press("Corriger un contact")
    page.get_by_label(re.compile("^Contact")).select_option(label="E-mail")
    page.get_by_label("Nouvelle valeur").fill("fournil@exemple.fr")
    page.get_by_label("Raison").fill("Demandé par téléphone.")
    day.look("establishment-correct")
    day.confirm("Corriger un contact", "Le contact est corrigé.")
    assert known_contact(siret=shop.siret) == "fournil@exemple.fr"
    day.press("Ajouter une remarque")
    page.get_by_label("Remarque").fill("Rappeler en mars.")
    day.confirm("Ajouter une remarque", "La remarque est ajoutée.")
    expect(page.get_by_role("row").filter(has_text="Rappeler en mars.")).to_contain_text("Léa Soutien")
    assert Remark.objects.get().siret == shop.siret
    day.look("establishment-corrected")


def withdraws_an_offer(day: Day, shop: Establishment) -> None:
    page = day.page
    day.home()
    day.open("Offres")
    day.look("offers")
    day.find(shop.siret)
    day.look("offer")
    day.press("Retirer l’offre")
    page.get_by_label("Raison").fill("L’offre demande un paiement au candidat.")
    day.go(page.get_by_role("button", name="Voir ce qui sera envoyé"))
    expect(page.locator("pre")).to_contain_text("L’offre demande un paiement au candidat.")
    day.look("offer-preview")
    day.confirm("Retirer l’offre", "L’offre est retirée.")
    assert Offer.objects.get().status == OfferStatus.CANCELLED
    assert Client().get(f"/offre/{Offer.objects.get().pk}/").status_code == 410


def reads_why_a_message_did_not_leave(day: Day) -> None:
    page = day.page
    day.home()
    day.go(day.to_do("E-mails refusés depuis 7 jours")[0])
    day.look("mails")
    day.go(page.get_by_role("link", name="Votre offre est en ligne"))
    expect(page.get_by_text("Non : refusé pour de bon après 3 essais.")).to_be_visible()
    expect(page.get_by_text("550 boîte inconnue").first).to_be_visible()
    day.look("mail")


def sees_a_recruiter_s_space_and_comes_back(day: Day) -> None:
    page = day.page
    day.home()
    day.open("Personnes")
    day.look("people")
    day.find("recruteur@exemple.fr")
    day.look("person")
    day.press("Voir son espace en lecture seule")
    page.get_by_label("Raison").fill("La personne ne trouve pas son offre.")
    day.go(page.get_by_role("button", name="Voir son espace en lecture seule"))
    expect(page.get_by_text("Vous voyez l’espace de Rachida Recrute en lecture seule")).to_be_visible()
    expect(page.get_by_text("Payez pour postuler").first).to_be_visible()
    day.look("space")
    day.go(page.get_by_role("button", name="Quitter cet espace"))
    expect(page.get_by_role("link", name="Voir son espace en lecture seule")).to_be_visible()
    assert Visit.objects.get().ended_at


def reads_the_checks(day: Day) -> None:
    page = day.page
    day.home()
    day.go(day.to_do("Contrôles des données en défaut")[0])
    expect(page.get_by_role("heading", name="En défaut")).to_be_visible()
    day.look("checks")
