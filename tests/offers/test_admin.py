"""Support sees accesses, offers and registrations, decides, moderates, and acts for who telephones."""

import datetime as dt
from urllib.parse import quote

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from companies.models import spaced_siret
from labonnealternance.mail.models import Message
from offers.actions import accesses, offers
from offers.enums import AccessStatus, Door, OfferEventKind, OfferStatus, Outcome, ReminderKind
from offers.models import AccessMove, Offer, OfferDay, OfferEvent, OfferReminder
from tests.factories import (
    AccessFactory,
    ContactFactory,
    EstablishmentFactory,
    OfferFactory,
    RegistrationFactory,
    StaffFactory,
    UserFactory,
    make_siren,
    make_siret,
)
from tests.office import enter

pytestmark = pytest.mark.django_db

NOW = timezone.now


def page(instance, name="change"):
    return reverse(f"admin:offers_{instance._meta.model_name}_{name}", args=[instance.pk])


def found(office, model, question, **filters):
    answer = office.get(reverse(f"admin:offers_{model}_changelist"), {"q": question, **filters})
    assert answer.status_code == 200
    return {row.pk for row in answer.context["cl"].result_list}


def press(office, instance, button, answers):
    return office.post(page(instance, button), answers, follow=True)


def press_having_read(office, instance, button, answers):
    """Both steps of a button that shows what it will send."""
    shown = press(office, instance, button, answers)
    return press(office, instance, button, {**answers, "seen": shown.context["seen"]})


def edited(offer, reason, by=None):
    """A line of the journal, to save."""
    status = offer.status
    return OfferEvent(
        offer=offer, kind=OfferEventKind.EDITED, from_status=status, to_status=status, by=by, at=NOW(),
        via=Door.SUPPORT, reason=reason,
    )  # fmt: skip


@pytest.fixture
def bakery():
    return EstablishmentFactory(siret=make_siret(1), name="LE FOURNIL EXEMPLE")


@pytest.fixture
def awaiting(bakery):
    """A person who proved their address, and whom nothing vouches for."""
    return AccessFactory(
        user=UserFactory(email="zoe@exemple.fr", first_name="Zoé", last_name="Fournil", phone="+33199000018"),
        establishment=bakery,
        status=AccessStatus.AWAITING,
    )


class TestFinding:
    """By a SIRET, a SIREN, or the first letters of an address: in the three lists."""

    @pytest.mark.parametrize(
        "question", [make_siret(1), f" {spaced_siret(make_siret(1))}", make_siren(1), "zoe@exemple.fr", "ZOE@"]
    )
    def test_what_is_asked_for_is_found_and_nothing_else(self, office, awaiting, question):
        offer = OfferFactory(access=awaiting, status=OfferStatus.AWAITING)
        registration = RegistrationFactory(access=awaiting)
        other = RegistrationFactory(access=AccessFactory(status=AccessStatus.AWAITING, confirmed_at=None))
        OfferFactory()
        assert found(office, "access", question) == {awaiting.pk}
        assert found(office, "offer", question) == {offer.pk}
        assert found(office, "registration", question) == {registration.pk}
        assert other.pk in found(office, "registration", "")

    @pytest.mark.parametrize("question", ["\x00", "%", "_", "9" * 40, "é" * 300, "00000", "@", "🥖", "'; --", "\u202e"])
    def test_a_question_that_fits_nothing_finds_nothing(self, office, awaiting, question):
        for model in ("access", "offer", "registration"):
            answer = office.get(reverse(f"admin:offers_{model}_changelist"), {"q": question})
            assert answer.status_code in {200, 400}
            if answer.status_code == 200:
                assert list(answer.context["cl"].result_list) == []

    def test_an_offer_is_found_by_its_identifier(self, office):
        offer = OfferFactory()
        OfferFactory()
        assert found(office, "offer", f" {offer.pk} ") == {offer.pk}
        assert found(office, "offer", str(offer.pk)[:-1]) == set()

    def test_a_search_reads_indexes(self, office, awaiting):
        """Each question's plan, where sequential scans cost too much to be chosen without need."""
        OfferFactory(access=awaiting)
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
        for model in ("access", "offer"):
            for question in (make_siret(1), make_siren(1), "zoe@"):
                with CaptureQueriesContext(connection) as asked:
                    found(office, model, question)
                for query in asked:
                    if 'FROM "offers_' in query["sql"] or "LIKE" in query["sql"]:
                        with connection.cursor() as cursor:
                            cursor.execute("EXPLAIN " + query["sql"])
                            plan = "\n".join(line for (line,) in cursor.fetchall())
                        assert "Seq Scan" not in plan, plan

    def test_the_accesses_to_decide_are_a_filter(self, office, awaiting):
        granted = AccessFactory()
        unconfirmed = AccessFactory(status=AccessStatus.AWAITING, confirmed_at=None)
        assert found(office, "access", "", etat="a-decider") == {awaiting.pk}
        assert found(office, "access", "", etat="non-confirme") == {unconfirmed.pk}
        assert found(office, "access", "", etat="granted") == {granted.pk}
        assert found(office, "access", "", etat="n’importe") == {awaiting.pk, granted.pk, unconfirmed.pk}

    def test_the_registrations_not_confirmed_are_a_filter(self, office):
        pending, confirmed = RegistrationFactory(), RegistrationFactory(confirmed_at=NOW())
        assert found(office, "registration", "", etat="en-attente") == {pending.pk}
        assert found(office, "registration", "", etat="confirmee") == {confirmed.pk}

    def test_the_page_of_an_establishment_opens_its_accesses_and_its_offers(self, office, awaiting):
        offer = OfferFactory(access=awaiting)
        OfferFactory()
        text = office.get(reverse("admin:companies_establishment_change", args=[awaiting.establishment_id])).text
        for model, expected in (("access", awaiting), ("offer", offer)):
            address = f"{reverse(f'admin:offers_{model}_changelist')}?q={awaiting.establishment.siret}"
            assert address in text
            assert [row.pk for row in office.get(address).context["cl"].result_list] == [expected.pk]


class TestAccess:
    def test_the_page_tells_the_person_the_establishment_and_what_waits(self, office, awaiting):
        OfferFactory(access=awaiting, status=OfferStatus.AWAITING, custom_title="Boulanger de nuit")
        RegistrationFactory(access=awaiting, first_name="<b>Zo", last_name="Pirate")
        text = office.get(page(awaiting)).text
        for told in (
            "zoe@exemple.fr", "Zoé Fournil", "01 99 00 00 18", "LE FOURNIL EXEMPLE", "Boulanger de nuit",
            "&lt;b&gt;Zo Pirate", "Accorder", "Refuser",
        ):  # fmt: skip
            assert told in text
        assert "<b>Zo" not in text

    @pytest.mark.parametrize(
        ("email", "contact", "sentence"),
        [
            ("chef@fournil-exemple.fr", "chef@fournil-exemple.fr", "C’est le contact connu"),
            ("zoe@fournil-exemple.fr", "chef@fournil-exemple.fr", "Son domaine est celui d’un contact connu"),
            ("zoe@gmail.com", "chef@gmail.com", "n’importe qui peut avoir une adresse gmail.com"),
            ("zoe@ailleurs-exemple.fr", "chef@fournil-exemple.fr", "Rien ne rapproche ailleurs-exemple.fr"),
            ("zoe@ailleurs-exemple.fr", "", "Rien ne rapproche ailleurs-exemple.fr"),
        ],
    )
    def test_the_address_is_compared_with_the_known_contacts(self, office, bakery, email, contact, sentence):
        if contact:
            ContactFactory(siret=bakery.siret, email=contact)
        access = AccessFactory(
            user=UserFactory(email=email), establishment=bakery, status=AccessStatus.AWAITING, decided_at=None
        )
        text = office.get(page(access)).text.replace("&#x27;", "'")
        assert sentence in text
        assert (contact or "aucun") in text

    def test_granted_by_support_it_is_told_and_what_waited_is_published(self, office, support, awaiting):
        offer = OfferFactory(access=awaiting, status=OfferStatus.AWAITING)
        assert "Ce champ est obligatoire." in press(office, awaiting, "grant", {"reason": " "}).text
        assert "accès est accordé" in press(office, awaiting, "grant", {"reason": "Vu au téléphone"}).text
        awaiting.refresh_from_db()
        offer.refresh_from_db()
        line = AccessMove.objects.get(access=awaiting)
        assert (awaiting.status, offer.status) == (AccessStatus.GRANTED, OfferStatus.ACTIVE)
        assert (line.by, line.reason) == (support, "Vu au téléphone")
        assert Message.objects.filter(kind="access_granted", recipient="zoe@exemple.fr").count() == 1
        assert "Vu au téléphone" in office.get(page(awaiting)).text

    def test_the_mail_of_a_refusal_is_read_before_it_is_sent(self, office, support, awaiting):
        offer = OfferFactory(access=awaiting, status=OfferStatus.AWAITING, custom_title="Boulanger de nuit")
        asked = {"reason": "Vous n’êtes pas <connue> de l’entreprise."}
        shown = press(office, awaiting, "deny", asked).text.replace("&#x27;", "'")
        for told in (
            "Ce qui sera envoyé",
            "À : zoe@exemple.fr",
            "pas &lt;connue&gt; de l’entreprise",
            "Boulanger de nuit",
        ):
            assert told in shown
        awaiting.refresh_from_db()
        assert awaiting.status == AccessStatus.AWAITING
        assert not Message.objects.exists()

        assert "accès est refusé" in press_having_read(office, awaiting, "deny", asked).text
        awaiting.refresh_from_db()
        offer.refresh_from_db()
        assert (awaiting.status, offer.status) == (AccessStatus.DENIED, OfferStatus.CANCELLED)
        message = Message.objects.get(kind="access_denied")
        assert message.text_body in shown.replace("&lt;", "<").replace("&gt;", ">")
        assert awaiting.journal.get().by == support

    def test_a_reason_changed_after_it_was_read_is_shown_again(self, office, awaiting):
        seen = press(office, awaiting, "deny", {"reason": "Première raison"}).context["seen"]
        again = press(office, awaiting, "deny", {"reason": "Seconde raison", "seen": seen})
        assert "Seconde raison" in again.context["preview"]
        awaiting.refresh_from_db()
        assert awaiting.status == AccessStatus.AWAITING

    def test_who_never_confirmed_is_refused_without_a_mail(self, office, bakery):
        access = AccessFactory(status=AccessStatus.AWAITING, confirmed_at=None, establishment=bakery)
        assert "Accorder" not in office.get(page(access)).text
        shown = press(office, access, "deny", {"reason": "Usurpation"})
        assert "Aucun e-mail" in shown.context["preview"]
        press_having_read(office, access, "deny", {"reason": "Usurpation"})
        access.refresh_from_db()
        assert access.status == AccessStatus.DENIED
        assert not Message.objects.exists()

    def test_what_another_decided_meanwhile_is_told(self, office, awaiting):
        other = UserFactory(first_name="Sacha", last_name="Support", is_staff=True)
        seen = press(office, awaiting, "deny", {"reason": "Inconnue"}).context["seen"]
        accesses.deny(access_id=awaiting.pk, by=other, at=NOW(), reason="Inconnue")
        told = press(office, awaiting, "deny", {"reason": "Inconnue", "seen": seen}).text
        assert "plus possible" in told
        assert awaiting.journal.count() == 1


class TestOffer:
    @pytest.fixture
    def offer(self, awaiting):
        accesses.grant(access_id=awaiting.pk, by=UserFactory(is_staff=True), at=NOW())
        Message.objects.all().delete()
        return OfferFactory(access=awaiting, custom_title="Boulanger de nuit", presentation="Une maison <ouverte>.")

    def test_the_page_tells_everything(self, office, support, offer):
        offers.prolong(offer_id=offer.pk, by=support, at=NOW() + dt.timedelta(days=2), via=Door.SUPPORT)
        offer.refresh_from_db()
        OfferReminder.objects.create(offer=offer, kind=ReminderKind.WEEK, expires_on=offer.expires_on, written_at=NOW())
        OfferDay.objects.create(offer=offer, day=timezone.localdate(), shown=41, opened=12, applied=3)
        OfferDay.objects.create(offer=offer, day=timezone.localdate() - dt.timedelta(days=1), shown=1)
        text = office.get(page(offer)).text
        for told in (
            "Boulanger de nuit", "LE FOURNIL EXEMPLE", "zoe@exemple.fr", "accès accordé", "Une maison &lt;ouverte&gt;.",
            "Pétrir une pâte", "Apprentissage", "<td>42</td><td>12</td><td>3</td>", "Prolongée", "Sept jours avant",
            str(offer.pk), reverse("offers:offer", args=[offer.pk]),
        ):  # fmt: skip
            assert told in text

    def test_the_journal_on_the_page_is_bounded(self, office, offer):
        OfferEvent.objects.bulk_create(edited(offer, f"fois {n}") for n in range(200))
        text = office.get(page(offer)).text
        assert text.count("fois ") == 50
        assert "fois 199" in text

    def test_the_mail_of_a_moderation_is_read_before_it_is_sent(self, office, support, offer):
        asked = {"comment": "Le lien mène ailleurs."}
        shown = press(office, offer, "moderate", asked)
        assert "Le lien mène ailleurs." in shown.context["preview"]
        offer.refresh_from_db()
        assert offer.status == OfferStatus.ACTIVE
        assert "offre est retirée" in press_having_read(office, offer, "moderate", asked).text
        offer.refresh_from_db()
        assert (offer.status, offer.cancel_reason) == (OfferStatus.CANCELLED, "moderated")
        line = offer.journal.get(to_status=OfferStatus.CANCELLED)
        assert (line.by, line.via) == (support, Door.SUPPORT)
        assert Message.objects.get().text_body in shown.context["preview"]
        assert not Offer.objects.public(NOW()).exists()

    def test_prolonged_for_who_telephones(self, office, support, offer):
        before = offer.expires_on
        Offer.objects.filter(pk=offer.pk).update(expires_on=before - dt.timedelta(days=10))
        assert "offre est prolongée" in press(office, offer, "prolong", {}).text
        offer.refresh_from_db()
        assert offer.expires_on == Offer.last_day_from(NOW())
        assert offer.journal.get(kind=OfferEventKind.PROLONGED).by == support

    def test_closed_for_who_telephones(self, office, support, offer):
        wrong = press(office, offer, "close", {"outcome": "filled_here", "cancel_reason": "mistake"}).text
        assert "Seule une offre annulée a un motif" in wrong
        assert "Ce champ est obligatoire." in press(office, offer, "close", {"outcome": ""}).text
        press(office, offer, "close", {"outcome": "filled_elsewhere", "filled_through": "network", "comment": ""})
        offer.refresh_from_db()
        assert (offer.status, offer.outcome, offer.filled_through) == (
            OfferStatus.FILLED, Outcome.FILLED_ELSEWHERE, "network",
        )  # fmt: skip
        assert offer.journal.get(to_status=OfferStatus.FILLED).via == Door.SUPPORT

    def test_the_outcome_of_an_expired_offer_is_given_by_telephone(self, office, bakery):
        offer = OfferFactory(status=OfferStatus.EXPIRED)
        press(office, offer, "close", {"outcome": "filled_here"})
        offer.refresh_from_db()
        assert (offer.status, offer.outcome) == (OfferStatus.EXPIRED, Outcome.FILLED_HERE)
        assert "Clôturer" not in office.get(page(offer)).text

    @pytest.mark.parametrize("status", [OfferStatus.FILLED, OfferStatus.CANCELLED])
    def test_a_closed_offer_has_no_button(self, office, status):
        text = office.get(page(OfferFactory(status=status))).text
        for button in ("Retirer l’offre", "Prolonger", "Clôturer"):
            assert button not in text

    def test_an_offer_that_nobody_sees_has_no_public_page_to_open(self, office):
        offer = OfferFactory(status=OfferStatus.AWAITING)
        assert reverse("offers:offer", args=[offer.pk]) not in office.get(page(offer)).text


def test_a_registration_is_read_and_never_acted_on(office, awaiting):
    registration = RegistrationFactory(access=awaiting, first_name="Zo", last_name="Pirate", phone="+33199000042")
    text = office.get(page(registration)).text
    for told in ("Zo Pirate", "01 99 00 00 42", "LE FOURNIL EXEMPLE", "zoe@exemple.fr"):
        assert told in text
    assert 'type="submit"' not in text.partition('id="content-main"')[2]
    assert office.post(page(registration), {"first_name": "Autre"}).status_code == 403


def test_pages_read_as_much_with_one_offer_as_with_thirty(office, awaiting):
    offer = OfferFactory(access=awaiting, status=OfferStatus.AWAITING)
    registration = RegistrationFactory(access=awaiting)
    office.get(page(awaiting))
    pages = [page(awaiting), page(offer), page(registration)]
    counts = []
    for _ in range(2):
        counts.append([])
        for address in pages:
            with CaptureQueriesContext(connection) as asked:
                assert office.get(address).status_code == 200
            counts[-1].append(len(asked))
        for _ in range(29):
            OfferFactory(access=awaiting, registration=registration, status=OfferStatus.AWAITING)
            RegistrationFactory(access=awaiting)
            edited(offer, "essai", by=UserFactory(is_staff=True)).save()
    assert counts[0] == counts[1]


def test_the_page_of_a_person_tells_their_establishments_offers_and_mails_to_who_may_read_them(office, awaiting):
    OfferFactory(access=awaiting, custom_title="Apprenti au fournil")
    Message.objects.create(
        kind="essai", recipient=awaiting.user.email, subject="Votre lien", created_at=NOW(), next_attempt_at=NOW()
    )
    address = reverse("admin:accounts_user_change", args=[awaiting.user.pk])
    with CaptureQueriesContext(connection) as one:
        text = office.get(address).text
    for told in ("LE FOURNIL EXEMPLE", "Apprenti au fournil", "Votre lien", f"?q={quote(awaiting.user.email)}"):
        assert told in text, told
    for _ in range(3):
        OfferFactory(access=AccessFactory(user=awaiting.user))
    with CaptureQueriesContext(connection) as four:
        office.get(address)
    assert len(four) == len(one)
    reader = enter(Client(), StaffFactory(group="Science"))
    answer = reader.get(address)
    assert answer.status_code == 403 or "Apprenti au fournil" not in answer.text


@pytest.mark.parametrize("model", ["access", "offer", "registration"])
def test_only_support_enters(client, awaiting, model):
    address = reverse(f"admin:offers_{model}_changelist")
    assert client.get(address).status_code == 302
    client.force_login(awaiting.user, backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(address).status_code == 302
