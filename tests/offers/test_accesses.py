"""Who may act for an establishment: granted by what is known, else by a person; refused for good, with a message."""

import datetime as dt

import pytest

from companies.enums import Channel
from labonnealternance.kit.states import ForbiddenMove
from labonnealternance.mail.models import Message
from offers.actions import accesses
from offers.actions.accesses import AlreadyDecided, NotConfirmed, NotForSupport
from offers.enums import AccessStatus, CancelReason, Door, OfferStatus, Outcome
from offers.models import Access, Offer
from tests.factories import (
    AccessFactory,
    ContactCorrectionFactory,
    ContactFactory,
    EstablishmentFactory,
    OfferFactory,
    RegistrationFactory,
    StaffFactory,
    UserFactory,
    make_siret,
)
from tests.offers.market import AT, together

pytestmark = pytest.mark.django_db

SIRET, SISTER, OTHER = make_siret(50), make_siret(50, branch=2), make_siret(51)


@pytest.fixture
def bakery():
    return EstablishmentFactory(siret=SIRET, name="BOULANGERIE DURAND")


@pytest.fixture
def ask(bakery):
    """An awaiting access of a person who has ``email``."""

    def asked(email, **given):
        user = given.pop("user", None) or UserFactory(email=email, email_confirmed_at=AT)
        return AccessFactory(user=user, **{"establishment": bakery, "status": AccessStatus.AWAITING, **given})

    return asked


def judged(access):
    return accesses.judge(access_id=access.pk, at=AT)


# ── By itself ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_known_contact_is_granted_at_once(ask):
    ContactFactory(siret=SIRET, email="durand@gmail.com")
    access = judged(ask("durand@gmail.com"))
    assert (access.status, access.decided_at) == (AccessStatus.GRANTED, AT)
    line = access.journal.get()
    assert (line.by, line.at, line.reason) == (None, AT, accesses.KNOWN_CONTACT)


def test_a_corrected_contact_wins_over_the_imported_one(ask):
    ContactFactory(siret=SIRET, email="durand@gmail.com")
    ContactCorrectionFactory(siret=SIRET, channel=Channel.EMAIL, value="martin@orange.fr")
    assert judged(ask("durand@gmail.com")).status == AccessStatus.AWAITING
    assert judged(ask("martin@orange.fr")).status == AccessStatus.GRANTED


@pytest.mark.parametrize("siret", [SIRET, SISTER])
def test_a_professional_domain_shared_within_the_company_is_granted(ask, siret):
    ContactFactory(siret=siret, email="contact@durand.exemple.fr")
    access = judged(ask("zoe@durand.exemple.fr"))
    assert access.status == AccessStatus.GRANTED
    assert access.journal.get().reason == accesses.KNOWN_DOMAIN


@pytest.mark.parametrize(
    "siret, known, asking",
    [
        (SIRET, "durand@gmail.com", "zoe@gmail.com"),
        (SIRET, "durand@orange.fr", "zoe@orange.fr"),
        (OTHER, "contact@durand.exemple.fr", "zoe@durand.exemple.fr"),
        (SIRET, "contact@durand.exemple.fr", "zoe@autre.durand.exemple.fr"),
        (SIRET, "contact@durand.exemple.fr", "zoe@exemple.fr"),
        (SIRET, "", "zoe@durand.exemple.fr"),
        (SISTER, "durand@gmail.com", "durand@gmail.com"),
    ],
    ids=["free mail", "a provider's", "another company", "a subdomain", "a parent domain", "none", "another's contact"],
)
def test_everyone_else_waits_for_a_person(ask, siret, known, asking):
    ContactFactory(siret=siret, email=known)
    access = judged(ask(asking))
    assert (access.status, access.journal.count()) == (AccessStatus.AWAITING, 0)


def test_nobody_is_judged_before_they_prove_that_they_read_the_address(ask):
    ContactFactory(siret=SIRET, email="durand@gmail.com")
    assert judged(ask("durand@gmail.com", confirmed_at=None)).status == AccessStatus.AWAITING


def test_an_account_that_is_shut_is_granted_nothing(ask):
    ContactFactory(siret=SIRET, email="durand@gmail.com")
    shut = UserFactory(email="durand@gmail.com", is_active=False)
    assert judged(ask("", user=shut)).status == AccessStatus.AWAITING


def test_a_denied_access_stays_denied_whoever_vouches_by_mail(ask):
    ContactFactory(siret=SIRET, email="durand@gmail.com")
    access = judged(ask("durand@gmail.com", status=AccessStatus.DENIED))
    assert (access.status, access.journal.count()) == (AccessStatus.DENIED, 0)


def test_what_waited_is_published_in_the_same_second_and_told(ask):
    ContactFactory(siret=SIRET, email="durand@gmail.com")
    access = ask("durand@gmail.com")
    offer = OfferFactory(access=access, status=OfferStatus.AWAITING, created_at=AT - dt.timedelta(days=3))
    unconfirmed = OfferFactory(access=access, status=OfferStatus.AWAITING, confirmed_at=None)
    judged(access)
    assert list(Offer.objects.public(AT)) == [offer]
    unconfirmed.refresh_from_db()
    assert unconfirmed.status == OfferStatus.AWAITING
    assert list(Message.objects.values_list("kind", "recipient")) == [("offer_published", "durand@gmail.com")]


def test_judged_again_nothing_more_happens(ask):
    ContactFactory(siret=SIRET, email="durand@gmail.com")
    access = ask("durand@gmail.com")
    judged(access)
    judged(access)
    assert access.journal.count() == 1


# ── By a person ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_grant_publishes_what_waited_and_is_told_to_the_person(ask, support):
    access = ask("zoe@exemple.fr")
    OfferFactory(access=access, status=OfferStatus.AWAITING)
    accesses.grant(access_id=access.pk, by=support, at=AT, reason="Vue au téléphone")
    line = access.journal.get()
    assert (line.to_status, line.by, line.reason) == (AccessStatus.GRANTED, support, "Vue au téléphone")
    assert Offer.objects.public(AT).count() == 1
    assert sorted(Message.objects.values_list("kind", flat=True)) == ["access_granted", "offer_published"]


def test_a_grant_asks_for_someone_confirmed_who_is_not_of_support(ask, support):
    with pytest.raises(NotConfirmed, match="pas encore confirmé"):
        accesses.grant(access_id=ask("zoe@exemple.fr", confirmed_at=None).pk, by=support, at=AT)
    with pytest.raises(NotForSupport, match="back-office"):
        accesses.grant(access_id=ask("", user=StaffFactory()).pk, by=support, at=AT)
    assert not Access.objects.granted().exists()
    assert not Message.objects.exists()


@pytest.mark.parametrize("before, told", [(AccessStatus.AWAITING, "refusée"), (AccessStatus.GRANTED, "retiré")])
def test_a_refusal_cancels_the_person_s_offers_there_and_says_why(ask, support, before, told):
    access = ask("zoe@exemple.fr", status=before)
    waiting = OfferFactory(access=access, status=OfferStatus.AWAITING)
    live = [waiting, OfferFactory(access=access)] if before == AccessStatus.GRANTED else [waiting]
    elsewhere = OfferFactory(access=AccessFactory(user=access.user))
    someone_else = OfferFactory(access=AccessFactory(establishment=access.establishment))
    filled = OfferFactory(access=access, status=OfferStatus.FILLED)
    accesses.deny(access_id=access.pk, by=support, at=AT, reason="Ce n’est pas votre entreprise.")
    for offer in live:
        offer.refresh_from_db()
        assert (offer.status, offer.outcome, offer.cancel_reason, offer.closed_at) == (
            OfferStatus.CANCELLED, Outcome.CANCELLED, CancelReason.ACCESS_DENIED, AT,
        )  # fmt: skip
        line = offer.journal.get()
        assert (line.by, line.via) == (support, Door.SUPPORT)
    for offer, status in (
        (elsewhere, OfferStatus.ACTIVE),
        (someone_else, OfferStatus.ACTIVE),
        (filled, OfferStatus.FILLED),
    ):
        offer.refresh_from_db()
        assert offer.status == status
    message = Message.objects.get()
    assert message.recipient == "zoe@exemple.fr"
    assert "Ce n’est pas votre entreprise." in message.text_body
    assert told in message.text_body


def test_nobody_is_told_of_the_refusal_of_what_they_did_not_ask_for(ask, support):
    access = ask("zoe@exemple.fr", confirmed_at=None)
    accesses.deny(access_id=access.pk, by=support, at=AT, reason="Faux")
    assert not Message.objects.exists()


def test_an_unconfirmed_offer_of_a_stranger_is_cancelled_too(ask, support):
    registration = RegistrationFactory(access=ask("zoe@exemple.fr", confirmed_at=None))
    offer = OfferFactory(
        access=registration.access, registration=registration, status=OfferStatus.AWAITING, confirmed_at=None
    )
    accesses.deny(access_id=registration.access.pk, by=support, at=AT, reason="Faux")
    offer.refresh_from_db()
    assert offer.status == OfferStatus.CANCELLED


def test_the_second_who_decides_is_told_who_decided_and_when(ask):
    first, second = StaffFactory(first_name="Zoé", last_name="Premier"), StaffFactory()
    granted, denied = ask("a@exemple.fr"), ask("b@exemple.fr")
    accesses.grant(access_id=granted.pk, by=first, at=AT)
    with pytest.raises(AlreadyDecided, match=r"déjà accordé : décidé par Zoé Premier le 23/11/2026 à 9 h 30"):
        accesses.grant(access_id=granted.pk, by=second, at=AT + dt.timedelta(hours=1))
    accesses.deny(access_id=denied.pk, by=first, at=AT, reason="Non")
    with pytest.raises(AlreadyDecided, match="déjà refusé : décidé par Zoé Premier"):
        accesses.deny(access_id=denied.pk, by=second, at=AT, reason="Non plus")
    assert [access.journal.count() for access in (granted, denied)] == [1, 1]


def test_what_was_granted_by_itself_says_so_to_who_grants_it_again(ask, support):
    ContactFactory(siret=SIRET, email="durand@gmail.com")
    access = judged(ask("durand@gmail.com"))
    with pytest.raises(AlreadyDecided, match="décidé automatiquement le"):
        accesses.grant(access_id=access.pk, by=support, at=AT)


def test_a_refusal_may_be_undone_by_a_person_and_cancelled_offers_stay_cancelled(ask, support):
    access = ask("zoe@exemple.fr")
    offer = OfferFactory(access=access, status=OfferStatus.AWAITING)
    accesses.deny(access_id=access.pk, by=support, at=AT, reason="Non")
    accesses.grant(access_id=access.pk, by=support, at=AT, reason="Finalement oui")
    offer.refresh_from_db()
    assert offer.status == OfferStatus.CANCELLED
    assert list(access.journal.order_by("pk").values_list("to_status", flat=True)) == ["denied", "granted"]


@pytest.mark.django_db(transaction=True)
def test_of_eight_who_grant_at_once_one_does(ask, support):
    access = ask("zoe@exemple.fr")
    OfferFactory(access=access, status=OfferStatus.AWAITING)
    answers = together(*[lambda: accesses.grant(access_id=access.pk, by=support, at=AT) for _ in range(8)])
    assert sum(isinstance(answer, AlreadyDecided) for answer in answers) == 7
    assert Message.objects.count() == 2


# ── States ───────────────────────────────────────────────────────────────────────────────────────────────────────────

LEADS_TO = {
    AccessStatus.AWAITING: {AccessStatus.GRANTED, AccessStatus.DENIED},
    AccessStatus.GRANTED: {AccessStatus.DENIED},
    AccessStatus.DENIED: {AccessStatus.GRANTED},
}


@pytest.mark.parametrize("before", AccessStatus)
@pytest.mark.parametrize("after", AccessStatus)
def test_an_access_passes_only_where_its_state_leads(ask, before, after):
    access = ask("zoe@exemple.fr", status=before)
    if after in LEADS_TO[before]:
        access.move(to=after, by=None, at=AT)
        access.refresh_from_db()
        assert access.status == after
        assert access.journal.get().from_status == before
        return
    with pytest.raises(ForbiddenMove):
        access.move(to=after, by=None, at=AT)
    access.refresh_from_db()
    assert (access.status, access.journal.count()) == (before, 0)
