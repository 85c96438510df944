"""The life of an offer: what is refused, what is published, what each act does in each state."""

import datetime as dt
from dataclasses import replace

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from companies.enums import Refusal
from labonnealternance.kit.states import ForbiddenMove
from labonnealternance.mail.models import Message
from offers.actions import accesses, offers
from offers.actions.offers import AlreadyProlonged, RefusedOffer
from offers.enums import (
    RECRUITER_CANCEL_REASONS,
    AccessStatus,
    CancelReason,
    ContractType,
    Door,
    FilledThrough,
    Level,
    OfferEventKind,
    OfferStatus,
    Outcome,
)
from offers.models import Offer, OfferEvent
from tests import factories
from tests.factories import (
    AccessFactory,
    EstablishmentFactory,
    OfferFactory,
    RegistrationFactory,
    RomeAppellationFactory,
    RomeFactory,
    StaffFactory,
)
from tests.offers.market import AT, KNOWLEDGE, SKILLS, fields, job, new_key, paris, together

pytestmark = pytest.mark.django_db

__all__ = ["job"]


@pytest.fixture
def access(db):
    return AccessFactory(user__phone="+33199000018")


@pytest.fixture
def awaiting(db):
    return AccessFactory(status=AccessStatus.AWAITING)


@pytest.fixture
def deposit(access, job):
    """Deposits for a granted access; what matters to a test is given."""

    def done(*, at=AT, on=None, key=None, by=None, registration=None, **given):
        on = on or access
        by = None if registration else by or on.user
        return offers.deposit(
            access_id=on.pk, fields=fields(job, **given), key=key or new_key(), at=at, by=by, registration=registration
        )

    return done


def published(**given):
    """An offer published at ``AT``."""
    return OfferFactory(**{"created_at": AT, **given})


def events(offer):
    return list(offer.journal.order_by("pk").values_list("kind", flat=True))


# ── Deposit ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_title_and_a_start_are_enough_everything_else_has_a_default(deposit, job, access):
    offer = Offer.objects.get(pk=deposit().pk)
    assert (offer.title, offer.rome, offer.appellation) == (job.label, job.rome, job)
    assert (offer.contract_types, offer.level) == ([ContractType.APPRENTICESHIP], "")
    assert (offer.duration_months, offer.positions, offer.questions, offer.presentation) == (12, 1, [], "")
    assert (offer.description, offer.skills, offer.knowledge) == (job.rome.definition, SKILLS, KNOWLEDGE)
    assert (offer.access, offer.establishment, offer.shows_phone) == (access, access.establishment, False)


def test_of_a_granted_access_it_is_active_in_the_same_second_for_thirty_days(deposit, access):
    offer = deposit()
    offer.refresh_from_db()
    assert offer.status == OfferStatus.ACTIVE
    assert (offer.published_at, offer.expires_on, offer.confirmed_at) == (AT, dt.date(2026, 12, 23), AT)
    assert (offer.latitude, offer.longitude) == (access.establishment.latitude, access.establishment.longitude)
    assert events(offer) == [OfferEventKind.DEPOSITED, OfferEventKind.PUBLISHED]
    assert list(Offer.objects.public(AT)) == [offer]
    assert Message.objects.get().kind == "offer_published"


def test_an_offer_of_an_awaiting_access_waits_and_nobody_sees_it(deposit, awaiting):
    offer = deposit(on=awaiting)
    assert (offer.status, offer.expires_on) == (OfferStatus.AWAITING, None)
    assert not Offer.objects.public(AT).exists()
    assert not Message.objects.exists()


@pytest.mark.parametrize(
    "held",
    [{"to_verify_since": AT}, {"is_diffusible": False}],
)
def test_an_offer_of_an_establishment_to_verify_or_that_may_not_be_shown_waits(deposit, held):
    establishment = EstablishmentFactory(**held)
    offer = deposit(on=AccessFactory(establishment=establishment))
    assert offer.status == OfferStatus.AWAITING


@pytest.mark.parametrize("shut", [{"closed_on": dt.date(2026, 11, 23)}, {"refusal": Refusal.UNKNOWN}])
def test_nothing_is_deposited_for_an_establishment_that_is_closed_or_refused(deposit, shut):
    with pytest.raises(RefusedOffer, match="fermé"):
        deposit(on=AccessFactory(establishment__closed_on=None, establishment=EstablishmentFactory(**shut)))
    assert not Offer.objects.exists()


def test_who_was_refused_deposits_nothing(deposit):
    with pytest.raises(RefusedOffer, match="refusé"):
        deposit(on=AccessFactory(status=AccessStatus.DENIED))
    assert not Offer.objects.exists()


def test_a_registration_s_offer_waits_for_the_address_even_where_the_access_is_granted(deposit, access):
    """A stranger who types the address of someone known publishes nothing in their name."""
    offer = deposit(registration=RegistrationFactory(access=access))
    assert (offer.status, offer.confirmed_at) == (OfferStatus.AWAITING, None)
    offers.publish_awaiting(access_id=access.pk, at=AT)
    offer.refresh_from_db()
    assert offer.status == OfferStatus.AWAITING


def test_a_registration_brings_three_offers_at_most_before_its_address_is_proved(deposit, access):
    registration = RegistrationFactory(access=access)
    keys = [new_key() for _ in range(3)]
    for key in keys:
        deposit(registration=registration, key=key)
    with pytest.raises(RefusedOffer, match="Confirmez d’abord votre adresse"):
        deposit(registration=registration)
    assert deposit(registration=registration, key=keys[0]).deposit_key == keys[0]
    assert Offer.objects.count() == 3


def test_a_deposit_is_someone_s_or_a_registration_s(access, job):
    with pytest.raises(ValueError, match="signed in"):
        offers.deposit(access_id=access.pk, fields=fields(job), key=new_key(), at=AT)
    other = RegistrationFactory()
    with pytest.raises(ValueError, match="another access"):
        offers.deposit(access_id=access.pk, fields=fields(job), key=new_key(), at=AT, registration=other)


def test_the_same_form_sent_twice_is_one_offer_and_one_mail(deposit):
    key = new_key()
    assert deposit(key=key) == deposit(key=key)
    assert (Offer.objects.count(), OfferEvent.objects.count(), Message.objects.count()) == (1, 2, 1)


@pytest.mark.django_db(transaction=True)
def test_the_same_form_sent_eight_times_at_once_is_one_offer_and_one_mail(access, job):
    key = new_key()
    deposits = together(
        *[
            lambda: offers.deposit(access_id=access.pk, fields=fields(job), key=key, at=AT, by=access.user)
            for _ in range(8)
        ]
    )
    assert len({offer.pk for offer in deposits}) == 1
    assert (Offer.objects.count(), OfferEvent.objects.count(), Message.objects.count()) == (1, 2, 1)


def test_another_s_key_tells_nothing_of_their_offer(deposit):
    key = new_key()
    deposit(key=key)
    with pytest.raises(RefusedOffer, match="a déjà servi"):
        deposit(key=key, on=AccessFactory())
    assert Offer.objects.count() == 1


def test_a_deposit_takes_few_queries_whatever_the_offers_around(deposit, access, job):
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            deposit()
        counts.append(sum("SAVEPOINT" not in query["sql"] for query in queries))
        for _ in range(10):
            OfferFactory(access=access)
    assert counts[0] == counts[1]
    assert counts[0] <= 11
    sheet = offers.sheet_of(appellation_ogr=job.pk)
    with CaptureQueriesContext(connection) as queries:
        offers.deposit(access_id=access.pk, fields=fields(job), key=new_key(), at=AT, by=access.user, sheet=sheet)
    assert sum("SAVEPOINT" not in query["sql"] for query in queries) <= 8


def test_the_sheet_of_another_job_is_not_used(access, job):
    other = RomeAppellationFactory(label="Fleuriste", rome=RomeFactory(code="D1209", label="Fleuriste"))
    sheet = offers.sheet_of(appellation_ogr=other.pk)
    offer = offers.deposit(access_id=access.pk, fields=fields(job), key=new_key(), at=AT, by=access.user, sheet=sheet)
    assert (offer.rome, offer.skills) == (job.rome, SKILLS)


# ── What may be said ─────────────────────────────────────────────────────────────────────────────────────────────────

TODAY = AT.date()
GOOD = [
    {"custom_title": "CAP"},
    {"custom_title": "é" * 150},
    {"custom_title": "Développeur ASP.NET / Node.js (H/F)"},
    {"custom_title": "<script>alert(1)</script>"},
    {"custom_title": "Boulanger 🥖 مخبز"},
    {"contract_types": ["professionalisation", "apprenticeship"]},
    *({"level": level} for level in Level),
    {"duration_months": 6},
    {"duration_months": 36},
    {"positions": 10},
    {"starts_on": TODAY},
    {"starts_on": dt.date(2028, 11, 23)},
    {"presentation": "é" * 30},
    {"presentation": "Une boulangerie\r\n" + "é" * 784},
    {"questions": ["a" * 200] * 3},
    {"questions": ["Une question ?", " ", "", "", "Une autre ?"]},
    {"skills": SKILLS[:1], "knowledge": []},
    {"skills": []},
    {"shows_phone": True},
]


@pytest.mark.parametrize("given", GOOD, ids=lambda given: str(given)[:60])
def test_what_the_rule_allows_is_kept(deposit, given):
    assert deposit(**given).status == OfferStatus.ACTIVE


BAD = [
    {"custom_title": "ab"},
    {"custom_title": "é" * 151},
    {"custom_title": "Boulanger, voir https://exemple.fr"},
    {"custom_title": "Boulanger www.exemple"},
    {"custom_title": "Boulanger exemple.fr/offre"},
    {"custom_title": "Boulanger EXEMPLE.COM"},
    {"custom_title": "Boulanger ｅｘｅｍｐｌｅ．ｆｒ"},
    {"custom_title": "Écrire à zoe@exemple.fr"},
    {"custom_title": "Boul\x00anger"},
    {"custom_title": "Boul\u202eanger"},
    {"custom_title": "Boulanger\nBcc: x"},
    {"contract_types": []},
    {"contract_types": ["stage"]},
    {"level": "8"},
    {"duration_months": 5},
    {"duration_months": 37},
    {"positions": 0},
    {"positions": 11},
    {"starts_on": dt.date(2026, 11, 22)},
    {"starts_on": dt.date(2028, 11, 24)},
    {"presentation": "Trop courte"},
    {"presentation": "é" * 801},
    {"presentation": "\x1b" + "é" * 60},
    {"questions": ["a"] * 4},
    {"questions": ["a" * 201]},
    {"questions": ["Une\x00question ?"]},
    {"skills": ["Piloter un avion"]},
    {"knowledge": ["Pétrir une pâte"]},
    {"appellation_ogr": None},
    {"appellation_ogr": 1},
]


@pytest.mark.parametrize("given", BAD, ids=lambda given: str(given)[:60])
def test_what_the_rule_forbids_is_a_sentence_beside_its_field(deposit, given):
    with pytest.raises(RefusedOffer) as refusal:
        deposit(**given)
    [(name, sentence)] = refusal.value.faults.items()
    assert {name} == set(given)
    assert sentence.endswith(".")
    assert not Offer.objects.exists()


def test_all_that_is_wrong_is_told_at_once(deposit):
    with pytest.raises(RefusedOffer) as refusal:
        deposit(custom_title="x", positions=99, level="9")
    assert set(refusal.value.faults) == {"custom_title", "positions", "level"}


def test_the_phone_is_shown_where_there_is_one(deposit, access):
    access.user.phone = ""
    access.user.save()
    with pytest.raises(RefusedOffer) as refusal:
        deposit(shows_phone=True)
    assert set(refusal.value.faults) == {"shows_phone"}
    registration = RegistrationFactory(access=access)
    assert deposit(shows_phone=True, registration=registration).shows_phone


def test_texts_are_kept_tidy(deposit):
    offer = deposit(custom_title="  Boulanger  ", questions=["", " Permis ? "], presentation=f"  {'a' * 40}\r\nb ")
    assert (offer.custom_title, offer.questions) == ("Boulanger", ["Permis ?"])
    assert offer.presentation == f"{'a' * 40}\nb"


def test_skills_stay_in_the_order_of_the_sheet(deposit):
    assert deposit(skills=[SKILLS[2], SKILLS[0]]).skills == [SKILLS[0], SKILLS[2]]


def test_two_years_from_the_29th_of_february_are_the_28th():
    assert offers.last_start(paris(2028, 2, 29)) == dt.date(2030, 2, 28)


# ── Publication ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_thirty_days_count_from_the_publication_not_from_the_deposit(deposit, awaiting, support):
    offer = deposit(on=awaiting)
    later = AT + dt.timedelta(days=12)
    accesses.grant(access_id=awaiting.pk, by=support, at=later)
    offer.refresh_from_db()
    assert (offer.created_at, offer.published_at, offer.expires_on) == (AT, later, dt.date(2027, 1, 4))


def test_the_position_is_the_establishment_s_on_the_day_of_the_publication(deposit, awaiting, support):
    offer = deposit(on=awaiting)
    awaiting.establishment.latitude, awaiting.establishment.longitude = 45.0, 3.0
    awaiting.establishment.save()
    accesses.grant(access_id=awaiting.pk, by=support, at=AT)
    offer.refresh_from_db()
    assert (offer.latitude, offer.longitude) == (45.0, 3.0)


def test_publishing_twice_publishes_once(deposit, awaiting):
    deposit(on=awaiting)
    awaiting.move(to=AccessStatus.GRANTED, by=None, at=AT)
    assert offers.publish_awaiting(access_id=awaiting.pk, at=AT) == 1
    assert offers.publish_awaiting(access_id=awaiting.pk, at=AT) == 0
    assert Message.objects.filter(kind="offer_published").count() == 1


# ── Edition ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def edit(offer, *, at=AT, **given):
    given = replace(offers.fields_of(offer), **given)
    return offers.edit(offer_id=offer.pk, fields=given, by=offer.access.user, at=at)


def test_an_edition_changes_what_is_said_and_never_the_days(deposit):
    offer = deposit()
    later = AT + dt.timedelta(days=10)
    edit(offer, at=later, custom_title="Boulanger de nuit", positions=3, skills=SKILLS[:1])
    offer.refresh_from_db()
    assert (offer.title, offer.positions, offer.skills, offer.edited_at) == ("Boulanger de nuit", 3, SKILLS[:1], later)
    assert (offer.published_at, offer.expires_on, offer.status) == (AT, dt.date(2026, 12, 23), OfferStatus.ACTIVE)
    line = offer.journal.get(kind=OfferEventKind.EDITED)
    assert (line.reason, line.by) == ("compétences, titre, postes", offer.access.user)


def test_an_awaiting_offer_is_edited_too(deposit, awaiting):
    offer = deposit(on=awaiting)
    assert edit(offer, positions=2).positions == 2


def test_an_edition_that_changes_nothing_leaves_no_line(deposit):
    offer = deposit(skills=SKILLS[:2])
    edit(offer)
    offer.refresh_from_db()
    assert offer.edited_at is None
    assert OfferEventKind.EDITED not in events(offer)


def test_the_job_itself_may_change_with_what_its_sheet_says(deposit):
    other = RomeAppellationFactory(label="Fleuriste", rome=RomeFactory(code="D1209", definition="Compose."))
    offer = edit(deposit(), appellation_ogr=other.pk, skills=None, knowledge=None)
    assert (offer.title, offer.rome_id, offer.description, offer.skills) == ("Fleuriste", "D1209", "Compose.", [])


def test_what_an_offer_holds_stands_whatever_the_calendar_and_the_nomenclature_became(deposit, job):
    offer = deposit(starts_on=TODAY)
    job.rome.items.all().delete()
    job.rome.definition = "Autre chose."
    job.rome.save()
    changed = edit(offer, at=AT + dt.timedelta(days=5), positions=2)
    assert (changed.starts_on, changed.skills, changed.description) == (
        TODAY,
        SKILLS,
        "Réalise des produits de boulangerie.",
    )
    with pytest.raises(RefusedOffer, match="passée"):
        edit(offer, at=AT + dt.timedelta(days=5), starts_on=TODAY - dt.timedelta(days=1))


def test_an_offer_whose_title_left_the_nomenclature_keeps_its_job(deposit, job):
    offer = deposit()
    label, rome = job.label, job.rome
    job.delete()
    offer.refresh_from_db()
    changed = edit(offer, positions=2)
    assert (changed.positions, changed.job_label, changed.rome) == (2, label, rome)


def test_what_is_wrong_is_refused_on_edition_and_changes_nothing(deposit):
    offer = deposit()
    with pytest.raises(RefusedOffer):
        edit(offer, positions=2, custom_title="www.exemple.fr")
    offer.refresh_from_db()
    assert (offer.positions, offer.custom_title) == (1, "")


def test_an_offer_that_is_closed_or_over_is_not_edited():
    closed = [published(status=status) for status in (OfferStatus.FILLED, OfferStatus.CANCELLED, OfferStatus.EXPIRED)]
    for offer in [*closed, published()]:
        with pytest.raises(RefusedOffer, match="close"):
            edit(offer, at=paris(2026, 12, 24, 0, 0), positions=2)


def test_the_fields_of_an_offer_make_another_like_it(deposit, access):
    first = deposit(custom_title="Boulanger de nuit", questions=["Permis ?"], skills=SKILLS[1:], level="3", positions=2)
    second = offers.deposit(access_id=access.pk, fields=offers.fields_of(first), key=new_key(), at=AT, by=access.user)
    assert second != first
    assert offers.fields_of(second) == offers.fields_of(first)


# ── Prolongation ─────────────────────────────────────────────────────────────────────────────────────────────────────


def prolong(offer, at, **given):
    return offers.prolong(offer_id=offer.pk, **{"by": None, "at": at, "via": Door.MAIL_LINK, **given})


def test_a_prolongation_gives_thirty_days_from_then():
    offer = published()
    prolong(offer, paris(2026, 12, 16, 10))
    offer.refresh_from_db()
    assert offer.expires_on == dt.date(2027, 1, 15)
    line = offer.journal.get(kind=OfferEventKind.PROLONGED)
    assert (line.reason, line.via, line.by) == ("Jusqu’au 15 janvier 2027", Door.MAIL_LINK, None)


def test_the_same_link_prolongs_once_and_then_says_so():
    offer = published()
    seen = offer.expires_on
    prolong(offer, paris(2026, 12, 16, 10), seen=seen)
    with pytest.raises(AlreadyProlonged, match="jusqu’au 15 janvier 2027 inclus"):
        prolong(offer, paris(2026, 12, 20, 10), seen=seen)
    offer.refresh_from_db()
    assert offer.expires_on == dt.date(2027, 1, 15)


@pytest.mark.django_db(transaction=True)
def test_the_same_link_pressed_eight_times_at_once_prolongs_once():
    offer = published()
    seen = offer.expires_on
    answers = together(*[lambda: prolong(offer, paris(2026, 12, 16, 10), seen=seen) for _ in range(8)])
    assert sum(isinstance(answer, AlreadyProlonged) for answer in answers) == 7
    assert offer.journal.count() == 1


def test_prolonged_twice_in_a_day_it_is_prolonged_once():
    offer = published()
    for hour in (9, 18):
        prolong(offer, paris(2026, 12, 16, hour), via=Door.SPACE, by=offer.access.user)
    assert events(offer) == [OfferEventKind.PROLONGED]


def test_an_offer_is_prolonged_until_the_last_minute_of_its_last_day_in_paris():
    offer = published()
    assert offer.expires_on == dt.date(2026, 12, 23)
    with pytest.raises(RefusedOffer, match="close"):
        prolong(offer, paris(2026, 12, 24, 0, 0))
    assert prolong(offer, paris(2026, 12, 23, 23, 59)).expires_on == dt.date(2027, 1, 22)


def test_what_is_not_published_is_not_prolonged():
    with pytest.raises(RefusedOffer, match="pas encore publiée"):
        prolong(OfferFactory(status=OfferStatus.AWAITING, created_at=AT), AT)
    for status in (OfferStatus.FILLED, OfferStatus.CANCELLED, OfferStatus.EXPIRED):
        with pytest.raises(RefusedOffer, match="close"):
            prolong(published(status=status), AT)


# ── The end ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def close(offer, outcome, **given):
    values = {"by": offer.access.user, "at": AT, "via": Door.SPACE, **given}
    return offers.close(offer_id=offer.pk, outcome=outcome, **values)


@pytest.mark.parametrize(
    "outcome, given, status",
    [
        (Outcome.FILLED_HERE, {}, OfferStatus.FILLED),
        (Outcome.FILLED_ELSEWHERE, {"filled_through": FilledThrough.CFA}, OfferStatus.FILLED),
        (Outcome.FILLED_ELSEWHERE, {}, OfferStatus.FILLED),
        (Outcome.CANCELLED, {"cancel_reason": CancelReason.TOO_EARLY, "comment": " En mars. "}, OfferStatus.CANCELLED),
    ],
)
def test_closing_keeps_the_outcome_and_takes_the_offer_away_in_the_same_second(outcome, given, status):
    offer = published()
    close(offer, outcome, **given)
    offer.refresh_from_db()
    assert (offer.status, offer.outcome, offer.closed_at) == (status, outcome, AT)
    assert offer.filled_through == given.get("filled_through", "")
    assert (offer.cancel_reason, offer.outcome_comment) == (
        given.get("cancel_reason", ""),
        given.get("comment", "").strip(),
    )
    assert not Offer.objects.public(AT).exists()
    assert events(offer) == [OfferEventKind.CLOSED]


def test_closing_twice_is_no_error_and_the_first_word_stands():
    offer = published()
    close(offer, Outcome.FILLED_HERE)
    again = close(offer, Outcome.CANCELLED, cancel_reason=CancelReason.MISTAKE)
    assert (again.status, again.outcome, again.cancel_reason) == (OfferStatus.FILLED, Outcome.FILLED_HERE, "")
    assert offer.journal.count() == 1


def test_an_expired_offer_takes_its_outcome_once_and_stays_expired():
    offer = published(status=OfferStatus.EXPIRED)
    close(offer, Outcome.FILLED_ELSEWHERE, filled_through=FilledThrough.NETWORK, via=Door.MAIL_LINK, by=None)
    again = close(offer, Outcome.FILLED_HERE)
    assert (again.status, again.outcome) == (OfferStatus.EXPIRED, Outcome.FILLED_ELSEWHERE)
    assert events(offer) == [OfferEventKind.OUTCOME]


def test_an_offer_that_was_never_published_is_cancelled_and_not_filled():
    offer = OfferFactory(status=OfferStatus.AWAITING)
    with pytest.raises(RefusedOffer, match="pas encore été publiée"):
        close(offer, Outcome.FILLED_HERE)
    assert close(offer, Outcome.CANCELLED, cancel_reason=CancelReason.MISTAKE).status == OfferStatus.CANCELLED


@pytest.mark.parametrize(
    "outcome, given, field",
    [
        ("autre", {}, "outcome"),
        (Outcome.CANCELLED, {}, "cancel_reason"),
        (Outcome.CANCELLED, {"cancel_reason": "autre"}, "cancel_reason"),
        *((Outcome.CANCELLED, {"cancel_reason": reason}, "cancel_reason") for reason in CancelReason
          if reason not in RECRUITER_CANCEL_REASONS),
        (Outcome.FILLED_HERE, {"cancel_reason": CancelReason.MISTAKE}, "cancel_reason"),
        (Outcome.FILLED_HERE, {"filled_through": FilledThrough.CFA}, "filled_through"),
        (Outcome.FILLED_ELSEWHERE, {"filled_through": "pigeon"}, "filled_through"),
        (Outcome.FILLED_HERE, {"comment": "a" * 501}, "comment"),
        (Outcome.FILLED_HERE, {"comment": "a\x00"}, "comment"),
    ],
)  # fmt: skip
def test_an_outcome_that_says_nothing_clear_is_refused(outcome, given, field):
    offer = published()
    with pytest.raises(RefusedOffer) as refusal:
        close(offer, outcome, **given)
    assert set(refusal.value.faults) == {field}
    offer.refresh_from_db()
    assert offer.status == OfferStatus.ACTIVE


def test_support_withdraws_an_offer_and_its_recruiter_is_told(support):
    offer = published()
    close(
        offer, Outcome.CANCELLED, cancel_reason=CancelReason.MODERATED, comment="Ce n’est pas une alternance.",
        by=support, via=Door.SUPPORT,
    )  # fmt: skip
    message = Message.objects.get()
    assert (message.kind, message.recipient) == ("offer_moderated", offer.access.user.email)
    assert "Ce n’est pas une alternance." in message.text_body
    assert offer.journal.get().by == support


# ── States ───────────────────────────────────────────────────────────────────────────────────────────────────────────

LEADS_TO = {
    OfferStatus.AWAITING: {OfferStatus.ACTIVE, OfferStatus.CANCELLED},
    OfferStatus.ACTIVE: {OfferStatus.FILLED, OfferStatus.CANCELLED, OfferStatus.EXPIRED},
    OfferStatus.FILLED: set(),
    OfferStatus.CANCELLED: set(),
    OfferStatus.EXPIRED: set(),
}


@pytest.mark.parametrize("before", OfferStatus)
@pytest.mark.parametrize("after", OfferStatus)
def test_an_offer_passes_only_where_its_state_leads(before, after):
    offer = published(status=before)
    if after in LEADS_TO[before]:
        offer.move(to=after, by=None, at=AT, via=Door.CLOCK)
        offer.refresh_from_db()
        line = offer.journal.get()
        assert (offer.status, line.from_status, line.to_status) == (after, before, after)
        return
    with pytest.raises(ForbiddenMove, match=before.label), transaction.atomic():
        offer.move(to=after, by=None, at=AT, via=Door.CLOCK)
    offer.refresh_from_db()
    assert offer.status == before
    assert not offer.journal.exists()


def test_one_that_may_not_move_holds_the_whole_batch_back():
    movable, closed = published(), published(status=OfferStatus.FILLED)
    with pytest.raises(ForbiddenMove):
        Offer.move_all([movable, closed], to=OfferStatus.EXPIRED, by=None, at=AT, via=Door.CLOCK)
    movable.refresh_from_db()
    assert movable.status == OfferStatus.ACTIVE
    assert not OfferEvent.objects.exists()


def test_the_journal_says_who_and_by_which_door(deposit, support):
    owner = deposit()
    assert owner.journal.get(kind=OfferEventKind.DEPOSITED).via == Door.SPACE
    by_support = deposit(by=support)
    assert by_support.journal.get(kind=OfferEventKind.DEPOSITED).via == Door.SUPPORT


@pytest.mark.django_db(transaction=True)
def test_two_outcomes_at_the_same_moment_are_one(job):
    offer = published()
    answers = together(
        lambda: close(offer, Outcome.FILLED_HERE),
        lambda: close(offer, Outcome.CANCELLED, cancel_reason=CancelReason.MISTAKE),
    )
    offer.refresh_from_db()
    assert {answer.status for answer in answers} == {offer.status}
    assert offer.journal.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_deposit_and_a_refusal_at_the_same_moment_leave_nothing_published(access, job):
    support = StaffFactory()
    for _ in range(5):
        deposit_or_denial(AccessFactory(), job, support)


def deposit_or_denial(access, job, support):
    deposited = {"access_id": access.pk, "fields": fields(job), "key": new_key(), "at": AT, "by": access.user}
    together(
        lambda: offers.deposit(**deposited),
        lambda: accesses.deny(access_id=access.pk, by=support, at=AT, reason="Essai"),
    )
    assert not Offer.objects.live().filter(access=access).exists()


def test_an_address_that_leaves_hides_the_offers_of_those_who_have_it_and_of_no_other():
    at = timezone.now()
    others = [factories.OfferFactory() for _ in range(2)]
    for offer, address in zip(others, ("avant@exemple.fr", "apres@exemple.fr"), strict=True):
        factories.ContactFactory(siret=offer.establishment.siret, email=address)
    gone = factories.OfferFactory()
    factories.ContactFactory(siret=gone.establishment.siret, email="part@exemple.fr")
    factories.VisibilityDecisionFactory(scope="email", value="part@exemple.fr")
    # A correction elsewhere is nobody else's address.
    factories.ContactCorrectionFactory(siret=others[1].establishment.siret, value="corrige@exemple.fr")
    assert set(Offer.objects.public(at)) == set(others)
    factories.VisibilityDecisionFactory(scope="email", value="corrige@exemple.fr")
    assert set(Offer.objects.public(at)) == {others[0]}
