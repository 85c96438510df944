"""A person is given what is held about them, or has it erased: with an account, or only an address."""

import datetime as dt
import io
import json

import pytest
from axes.models import AccessAttempt
from django.contrib.admin.models import LogEntry
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from companies.actions import contacts, visibility
from companies.enums import Channel, DecisionOrigin, DecisionReason, DecisionScope
from companies.models import Contact, ContactCorrection, Establishment, VisibilityDecision
from labonnealternance.accounts import actions, erasure, visits
from labonnealternance.accounts.enums import Role
from labonnealternance.accounts.models import AddressChange, Session, SignInLink, User
from labonnealternance.kit import personal_registry
from labonnealternance.kit.models import Reading
from labonnealternance.mail import actions as mail
from labonnealternance.mail.enums import SuppressionReason, SuppressionSource
from labonnealternance.mail.models import Message, Suppression
from offers.enums import AccessStatus, OfferStatus
from offers.models import Access, Offer, Registration
from opco.enums import DecisionKind, DecisionStatus
from opco.models import Answer, Decision, Note
from tests.factories import (
    AccessFactory,
    ContactFactory,
    EstablishmentFactory,
    OfferFactory,
    RegistrationFactory,
    RequestFactory,
    StaffFactory,
    UserFactory,
)
from tests.office import enter
from unsubscribe.enums import Status
from unsubscribe.models import Request

pytestmark = pytest.mark.django_db

ADDRESS = "rachida.recrute@exemple.fr"
PAGE = "/admin/donnees-personnelles/"
NAME = "Nomàeffacer"


@pytest.fixture(autouse=True)
def files(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def life(support):
    """A recruiter of whom every part of the service knows something."""
    at = timezone.now()
    user = UserFactory(email=ADDRESS, first_name="Rachida", last_name=NAME, phone="+33199000018")
    actions.give_role(user=user, role=Role.RECRUITER)
    access = AccessFactory(user=user, status=AccessStatus.GRANTED)
    RegistrationFactory(access=access, first_name="Rachida", last_name=NAME)
    offer = OfferFactory(access=access, status=OfferStatus.ACTIVE, presentation=f"Demandez {NAME} au comptoir, merci.")
    waiting = AccessFactory(user=user, status=AccessStatus.AWAITING)
    question = Decision.objects.create(
        access=waiting, kind=DecisionKind.ASK, status=DecisionStatus.HELD, text=f"Bonjour {NAME}", made_by=support,
        made_at=at, effective_at=at,
    )  # fmt: skip
    Answer.objects.create(question=question, at=at, text=f"Je suis {NAME}")
    Note.objects.create(access=waiting, by=support, at=at, text=f"Vu avec {NAME}")
    actions.send_link(user=user, next_path="/recruteur/", at=at)
    AddressChange.objects.create(
        user=user, address="autre@exemple.fr", digest="a" * 64, created_at=at, expires_at=at + dt.timedelta(minutes=10)
    )
    Client().force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    AccessAttempt.objects.create(username=ADDRESS, ip_address="192.0.2.1", user_agent="", failures_since_start=1)
    visits.begin(user_id=user.pk, by=support, reason=f"Aider {NAME}", at=at)
    LogEntry.objects.create(
        user=support, object_id=str(user.pk), object_repr=ADDRESS, action_flag=2, change_message="Désactiver"
    )
    traces(support, at)
    return user, offer


def traces(support, at):
    """What is held of an address, account or not."""
    ContactFactory(siret=EstablishmentFactory().siret, email=ADDRESS)
    corrected = EstablishmentFactory().siret
    ContactFactory(siret=corrected, email="avant@exemple.fr")
    visibility.correct_contact(
        siret=corrected, channel=Channel.EMAIL, value=ADDRESS, by=None, at=at, reason=f"Par {NAME}",
        origin=DecisionOrigin.FORM,
    )  # fmt: skip
    visibility.delist(
        scope=DecisionScope.EMAIL, value=ADDRESS, by=None, at=at, reason=DecisionReason.OTHER,
        origin=DecisionOrigin.MAIL_LINK,
    )  # fmt: skip
    mail.suppress(address=ADDRESS, reason=SuppressionReason.OTHER, source=SuppressionSource.SUPPORT, by=support, at=at)
    treated = RequestFactory(status=Status.DONE, address=ADDRESS)
    treated.document.save("preuve.pdf", ContentFile(b"%PDF-1.4"))
    RequestFactory(status=Status.CONFIRMED, address=ADDRESS)


def export(client):
    answer = client.post(PAGE, {"address": ADDRESS, "export": "1"})
    assert answer["Content-Disposition"].startswith('attachment; filename="donnees-')
    return json.loads(b"".join(answer.streaming_content))


def press(client, *, typed=ADDRESS, reason="Demande reçue le 21 novembre", seen=None, address=ADDRESS):
    page = client.post(PAGE, {"address": address})
    return client.post(
        PAGE,
        {
            "address": address,
            "erase": "1",
            "typed": typed,
            "reason": reason,
            "seen": page.context["seen"] if seen is None else seen,
        },
    )


def everything():
    """All that the tables hold of our apps, as text."""
    from django.apps import apps

    told = []
    for label in ("accounts", "mail", "kit", "companies", "offers", "scoring", "opco", "unsubscribe", "admin", "axes"):
        for model in apps.get_app_config(label).get_models():
            told += [f"{model._meta.label} {values}" for values in model._base_manager.values_list()]
    return told


def test_the_file_holds_all_that_is_known_in_french_with_iso_dates(office, life, support):
    told = export(office)
    assert told["adresse"] == ADDRESS
    held = {name: rows for name, rows in told["données"].items() if rows}
    assert set(told["données"]) == {kind.name for kind in personal_registry.kinds()}
    assert {
        "Compte", "Liens de connexion", "Changements d’adresse demandés", "Sessions ouvertes", "Échecs de connexion",
        "Visites de l’espace par le support", "Journal du support", "E-mails envoyés", "Adresse écartée des envois",
        "Contacts d’établissements", "Corrections de contact", "Décisions de visibilité par adresse",
        "Offres déposées", "Inscriptions", "Accès à des établissements", "Décisions des conseillers sur un dossier",
        "Réponses données à un conseiller", "Notes des conseillers", "Demandes à traiter sur des établissements",
        "Demandes faites sur des établissements",
    } <= set(held)  # fmt: skip
    [account] = held["Compte"]
    assert (account["Nom"], account["Téléphone"], account["Rôles"]) == (NAME, "+33199000018", ["Recruteur"])
    assert dt.datetime.fromisoformat(account["Inscription"]).utcoffset() is not None
    assert held["Offres déposées"][0]["État"] == "Publiée"
    assert Reading.objects.filter(by=support, screen="Export des données", object_key=str(life[0].pk)).exists()
    assert LogEntry.objects.filter(user=support, change_message="Exporter ses données").exists()
    # A link that opens a session is not read out.
    assert "/compte/lien/" not in json.dumps(told)


def test_before_erasing_support_reads_how_many_rows_of_each_kind_and_what_stays_and_why(office, life):
    page = office.post(PAGE, {"address": ADDRESS.upper()})
    counts = {each.kind.name: each.count for each in page.context["held"]}
    assert counts["Offres déposées"] == 1
    assert counts["Accès à des établissements"] == 2
    assert "les établissements retirés reviendraient" in page.text.replace("&#x27;", "'")
    assert ADDRESS not in page.request["PATH_INFO"] + page.request["QUERY_STRING"]
    assert User.objects.filter(email=ADDRESS).exists()


def test_erased_nothing_names_the_person_but_what_protects_them_and_what_waits(office, life):
    assert press(office).url == PAGE
    left = [line for line in everything() if ADDRESS in line.lower() or NAME in line]
    kept = sorted({line.split(" ", 1)[0] for line in left})
    # The last e-mail is on its way, and leaves its text behind when it has left.
    assert kept == [
        "companies.VisibilityDecision", "mail.Message", "mail.Suppression", "unsubscribe.Request",
    ]  # fmt: skip
    message = Message.objects.get(recipient=ADDRESS)
    assert (message.kind, message.confidential) == ("personal_data_erased", True)
    assert Request.objects.get(address=ADDRESS).status == Status.CONFIRMED


def test_what_the_person_could_do_ends_at_once_and_rows_that_others_need_stay(office, life):
    user, offer = life
    press(office)
    user.refresh_from_db()
    offer.refresh_from_db()
    assert (user.is_active, user.email) == (False, f"anonyme-{user.pk}@anonyme.invalid")
    assert not Session.objects.filter(user=user).exists()
    assert not SignInLink.objects.filter(user=user).exists()
    assert offer.status == OfferStatus.CANCELLED
    assert not Offer.objects.public(at=timezone.now()).filter(pk=offer.pk).exists()
    assert offer.journal.latest("at", "pk").by.is_staff
    assert {access.status for access in Access.objects.filter(user=user)} == {AccessStatus.DENIED}
    assert Decision.objects.get().status == DecisionStatus.DROPPED
    assert not Registration.objects.exists()
    # Nobody else is written to: neither the recruiter of an offer that closes, nor one who is refused.
    assert set(Message.objects.values_list("kind", flat=True)) == {"personal_data_erased"}


def test_a_delisting_by_address_stays_effective_and_no_import_brings_the_contact_back(office, life):
    sirets = list(Contact.objects.filter(email=ADDRESS).values_list("siret", flat=True))
    corrected = ContactCorrection.objects.get(value=ADDRESS).siret
    press(office)
    assert VisibilityDecision.objects.in_force(timezone.now()).filter(value=ADDRESS).exists()
    Contact.objects.filter(siret__in=sirets).update(email=ADDRESS)
    for siret in [*sirets, corrected]:
        assert contacts.known_contact(siret=siret) == ""
    assert Establishment.objects.count() >= 2


def test_the_files_that_were_joined_are_gone(office, life, tmp_path):
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1
    press(office)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_an_address_without_an_account_is_exported_and_erased_too(office, support):
    traces(support, timezone.now())
    told = export(office)
    assert told["données"]["Compte"] == []
    assert len(told["données"]["Contacts d’établissements"]) == 1
    press(office)
    assert not Contact.objects.filter(email=ADDRESS).exists()
    assert Message.objects.get(recipient=ADDRESS).kind == "personal_data_erased"
    assert LogEntry.objects.filter(object_repr="Personne sans compte", change_message__startswith="Effacer").exists()


def test_twice_is_no_error_and_writes_no_second_mail(office, life):
    press(office)
    again = press(office)
    assert again.url == PAGE
    assert Message.objects.filter(kind="personal_data_erased").count() == 1


def test_a_person_who_comes_back_starts_anew(office, life):
    user, _ = life
    press(office)
    back = User.objects.create_user(ADDRESS)
    assert back.pk != user.pk
    assert not Access.objects.filter(user=back).exists()
    assert actions.send_link(user=back, next_path="", at=timezone.now()) is not None


@pytest.mark.parametrize(
    "wrong",
    [{"typed": "autre@exemple.fr"}, {"typed": ""}, {"reason": ""}, {"seen": "0" * 64}],
    ids=lambda wrong: next(iter(wrong)) + ":" + next(iter(wrong.values()))[:5],
)
def test_nothing_is_erased_unless_it_was_read_typed_again_and_justified(office, life, wrong):
    page = press(office, **wrong)
    assert page.status_code == 200
    assert User.objects.filter(email=ADDRESS).exists()


def test_a_member_of_support_is_not_erased(office, support):
    assert "Effacer ses données" not in office.post(PAGE, {"address": support.email}).text
    with pytest.raises(erasure.NotErased):
        erasure.erase(address=support.email, by=StaffFactory(), at=timezone.now(), reason="Essai")
    assert User.objects.filter(email=support.email).exists()


def test_the_page_of_a_person_leads_there_without_their_address_in_the_page_s_own(office, life):
    user, _ = life
    page = office.get(reverse("admin:accounts_user_change", args=[user.pk]))
    assert f"{PAGE}?personne={user.pk}" in page.text
    assert office.get(f"{PAGE}?personne={user.pk}").context["subject"].address == ADDRESS


@pytest.mark.parametrize("odd", ["0", "x", "-1", "9" * 40, "é", ""])
def test_an_odd_number_of_a_person_is_a_404(office, odd):
    assert office.get(PAGE, {"personne": odd}).status_code == 404


@pytest.mark.parametrize("odd", ["", "x", "a@[127.0.0.1]", "é" * 300, "<script>@x"])
def test_an_odd_address_is_told(office, odd):
    page = office.post(PAGE, {"address": odd, "erase": "1"})
    assert page.status_code == 200
    assert page.context["form"].errors


def test_who_has_no_right_sees_exports_and_erases_nothing(client, life):
    recruiter = Client()
    recruiter.force_login(UserFactory(), backend="django.contrib.auth.backends.ModelBackend")
    assert recruiter.post(PAGE, {"address": ADDRESS, "export": "1"}).url.startswith("/admin/login/")
    reader = enter(client, StaffFactory(group="Support lecture"))
    for act in ("look", "export", "erase"):
        assert reader.post(PAGE, {"address": ADDRESS, act: "1"}).status_code == 403
    assert PAGE not in reader.get("/admin/").text
    assert PAGE not in reader.get(reverse("admin:accounts_user_change", args=[life[0].pk])).text
    assert User.objects.filter(email=ADDRESS).exists()


def test_the_command_counts_then_erases(life, support):
    told = io.StringIO()
    call_command("erase_person", ADDRESS, "--dry-run", stdout=told)
    assert "1  Compte — " in told.getvalue()
    assert User.objects.filter(email=ADDRESS).exists()
    for options in ([], ["--by", "inconnu@exemple.fr"], ["--by", support.email]):
        with pytest.raises(CommandError):
            call_command("erase_person", ADDRESS, *options)
    call_command("erase_person", ADDRESS, "--by", support.email, "--reason", "Demande", stdout=told)
    assert not User.objects.filter(email=ADDRESS).exists()
    call_command("erase_person", "jamais.vue@exemple.fr", "--dry-run", stdout=told)
    assert "Rien sur cette adresse." in told.getvalue()


def test_the_mail_that_tells_of_it_is_forgotten_after_a_month(life, support):
    at = timezone.now()
    erasure.erase(address=ADDRESS, by=support, at=at, reason="Essai")
    Message.objects.update(status="suppressed", next_attempt_at=None)
    mail.erase_old(at=at + dt.timedelta(days=29))
    assert Message.objects.count() == 1
    mail.erase_old(at=at + dt.timedelta(days=31))
    assert not Message.objects.exists()


def test_lifted_suppressions_go_and_those_in_force_stay(support):
    at = timezone.now()
    mail.suppress(address=ADDRESS, reason=SuppressionReason.OTHER, source=SuppressionSource.SUPPORT, by=support, at=at)
    mail.lift(address=ADDRESS, by=support, at=at, reason="Essai")
    mail.suppress(address=ADDRESS, reason=SuppressionReason.OTHER, source=SuppressionSource.SUPPORT, by=support, at=at)
    erasure.erase(address=ADDRESS, by=support, at=at, reason="Essai")
    assert Suppression.objects.get().lifted_at is None
