"""What time does: twice, late, at once, after an outage or killed, each mail leaves once and no offer is missed."""

import datetime as dt
from collections import Counter

import pytest
import time_machine
from celery import current_app
from celery.schedules import crontab
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from companies.enums import Refusal
from companies.models import Establishment
from labonnealternance.accounts.models import User
from labonnealternance.mail.models import Message
from offers import tasks
from offers.actions import clock, links, offers
from offers.actions.clock import Purged
from offers.enums import AccessStatus, CancelReason, Door, OfferEventKind, OfferStatus, Outcome, ReminderKind
from offers.models import Access, Offer, OfferEvent, OfferReminder, Registration
from tests import processes
from tests.factories import (
    AccessFactory,
    EstablishmentFactory,
    OfferFactory,
    RegistrationFactory,
    StaffFactory,
)
from tests.offers.market import AT, paris, together

pytestmark = pytest.mark.django_db

LAST_DAY = dt.date(2026, 12, 23)
DAY = dt.timedelta(days=1)


def published(**given):
    """Published at ``AT``: its last day is the 23rd of December 2026."""
    return OfferFactory(**{"created_at": AT, **given})


def statuses():
    return Counter(Offer.objects.values_list("status", flat=True))


def mails(**given):
    return Counter(Message.objects.filter(**given).values_list("kind", flat=True))


@pytest.fixture
def small_batches(monkeypatch):
    monkeypatch.setattr(clock, "BATCH", 3)


# ── Expiry ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_offer_lives_to_the_end_of_its_thirtieth_day_in_paris():
    offer = published()
    clock.expire_due(at=paris(2026, 12, 23, 23, 59, 59))
    assert statuses() == {"active": 1}
    assert Offer.objects.public(paris(2026, 12, 23, 23, 59, 59)).exists()
    midnight = paris(2026, 12, 24, 0, 0)
    assert not Offer.objects.public(midnight).exists(), "pages do not wait for the clock"
    assert clock.expire_due(at=midnight) == 1
    offer.refresh_from_db()
    assert (offer.status, offer.closed_at, offer.outcome) == (OfferStatus.EXPIRED, midnight, "")
    line = offer.journal.get()
    assert (line.kind, line.via, line.by) == (OfferEventKind.CLOSED, Door.CLOCK, None)
    assert OfferReminder.objects.get().kind == ReminderKind.EXPIRED
    assert list(Message.objects.values_list("kind", "recipient")) == [("offer_expired", offer.access.user.email)]


@pytest.mark.parametrize(
    "published_at, last_second, first_second",
    [
        # Summer time begins (2026-03-29): UTC+1 on publication, UTC+2 at the end.
        ("2026-03-10T12:00:00Z", "2026-04-09T21:59:59Z", "2026-04-09T22:00:00Z"),
        # The last day is the short one itself: 23 hours.
        ("2026-02-27T12:00:00Z", "2026-03-29T21:59:59Z", "2026-03-29T22:00:00Z"),
        # Winter time begins (2026-10-25): UTC+2, then UTC+1.
        ("2026-10-10T12:00:00Z", "2026-11-09T22:59:59Z", "2026-11-09T23:00:00Z"),
        # The last day is the long one: 25 hours.
        ("2026-09-25T12:00:00Z", "2026-10-25T22:59:59Z", "2026-10-25T23:00:00Z"),
        ("2027-03-01T12:00:00Z", "2027-03-31T21:59:59Z", "2027-03-31T22:00:00Z"),
        # Published between midnight in Paris and midnight in UTC: the day is Paris's.
        ("2027-03-28T22:30:00Z", "2027-04-28T21:59:59Z", "2027-04-28T22:00:00Z"),
        ("2026-10-25T23:30:00Z", "2026-11-25T22:59:59Z", "2026-11-25T23:00:00Z"),
    ],
)
def test_across_both_clock_changes_it_ends_at_midnight_in_paris(published_at, last_second, first_second):
    at = dt.datetime.fromisoformat(published_at)
    offer = OfferFactory(created_at=at)
    for moment, status in ((last_second, OfferStatus.ACTIVE), (first_second, OfferStatus.EXPIRED)):
        with time_machine.travel(dt.datetime.fromisoformat(moment), tick=False):
            assert offer.is_public(dt.datetime.now(dt.UTC)) == (status == OfferStatus.ACTIVE)
            tasks.expire_due()
        offer.refresh_from_db()
        assert offer.status == status


def test_run_twice_or_after_a_day_of_outage_each_mail_leaves_once_and_none_is_missed(small_batches):
    for n in range(8):
        published(expires_on=dt.date(2026, 12, 20) + (n % 3) * DAY)
    published()
    assert clock.expire_due(at=paris(2026, 12, 23, 10)) == 8
    assert clock.expire_due(at=paris(2026, 12, 23, 10)) == 0
    assert statuses() == {"expired": 8, "active": 1}
    assert mails() == {"offer_expired": 8}


def test_an_account_that_is_shut_is_not_written_to_and_its_offers_end_all_the_same():
    offer = published(access__user__is_active=False)
    clock.remind_due(at=paris(2026, 12, 22, 8))
    clock.expire_due(at=paris(2026, 12, 24, 1))
    offer.refresh_from_db()
    assert offer.status == OfferStatus.EXPIRED
    assert not Message.objects.exists()
    assert not OfferReminder.objects.exists()


def test_what_is_closed_already_is_left_alone():
    for status in (OfferStatus.FILLED, OfferStatus.CANCELLED, OfferStatus.EXPIRED):
        published(status=status)
    OfferFactory(status=OfferStatus.AWAITING)
    assert clock.expire_due(at=paris(2027, 6, 1)) == 0
    assert clock.remind_due(at=paris(2026, 12, 22, 8)) == {ReminderKind.DAY: 0, ReminderKind.WEEK: 0}
    assert not Message.objects.exists()


# ── Reminders ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_day_after_day_a_reminder_leaves_seven_days_before_and_another_the_day_before():
    published()
    left = {}
    for day in range(32):
        at = AT + day * DAY
        for _ in range(2):
            clock.remind_due(at=at)
            clock.expire_due(at=at)
        for message in Message.objects.filter(created_at=at):
            left[message.kind] = at.date()
    assert left == {
        "offer_expires_soon": dt.date(2026, 12, 16),
        "offer_expires_tomorrow": dt.date(2026, 12, 22),
        "offer_expired": dt.date(2026, 12, 24),
    }
    assert Message.objects.count() == 3


@pytest.mark.parametrize(
    "first_run, kinds",
    [
        (dt.date(2026, 12, 15), {}),
        (dt.date(2026, 12, 16), {"offer_expires_soon": 1}),
        (dt.date(2026, 12, 17), {"offer_expires_soon": 1}),
        (dt.date(2026, 12, 21), {"offer_expires_soon": 1}),
        (dt.date(2026, 12, 22), {"offer_expires_tomorrow": 1}),
        (dt.date(2026, 12, 23), {"offer_expires_tomorrow": 1}),
        (dt.date(2026, 12, 24), {}),
    ],
)
def test_late_it_leaves_as_long_as_it_is_true_and_where_both_are_due_the_second_alone(first_run, kinds):
    published()
    for _ in range(2):
        clock.remind_due(at=paris(first_run.year, first_run.month, first_run.day, 8))
    assert mails() == kinds


def test_a_prolonged_offer_is_reminded_again_of_its_new_last_day():
    offer = published()
    clock.remind_due(at=paris(2026, 12, 16, 8))
    offer.expires_on = dt.date(2027, 1, 15)
    offer.save()
    clock.remind_due(at=paris(2026, 12, 17, 8))
    assert mails() == {"offer_expires_soon": 1}
    clock.remind_due(at=paris(2027, 1, 8, 8))
    assert mails() == {"offer_expires_soon": 2}
    assert set(OfferReminder.objects.values_list("expires_on", flat=True)) == {LAST_DAY, dt.date(2027, 1, 15)}


def test_the_links_of_a_reminder_do_what_they_say():
    offer = published()
    clock.remind_due(at=paris(2026, 12, 16, 8))
    text = Message.objects.get().text_body
    tokens = [line.rsplit("/", 2)[1] for line in text.splitlines() if "/action/" in line]
    read = [links.read(token=token, at=paris(2026, 12, 16, 9)) for token in tokens]
    assert [(each.act, each.offer_id) for each in read] == [(act, offer.pk) for act in links.Act]
    offers.prolong(offer_id=offer.pk, by=None, at=paris(2026, 12, 16, 9), via=Door.MAIL_LINK, seen=read[0].expires_on)
    offer.refresh_from_db()
    assert offer.expires_on == dt.date(2027, 1, 15)


# ── At the same moment, and killed ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db(transaction=True)
def test_four_clocks_at_once_write_each_mail_once(small_batches):
    for n in range(40):
        published(expires_on=LAST_DAY - (n % 3) * DAY)
    at = paris(2026, 12, 22, 8)

    def night():
        clock.expire_due(at=at)
        clock.remind_due(at=at)

    answers = together(*[night for _ in range(4)])
    assert answers == [None] * 4
    night()
    assert statuses() == {"expired": 13, "active": 27}
    assert mails() == {"offer_expired": 13, "offer_expires_tomorrow": 27}
    assert OfferReminder.objects.count() == 40
    assert OfferEvent.objects.count() == 13


@pytest.mark.django_db(transaction=True)
def test_a_clock_killed_in_the_middle_of_a_batch_loses_nothing_and_doubles_nothing():
    for _ in range(7):
        published()
    script = """
        import datetime as dt, signal, sys, time
        import django
        django.setup()
        from labonnealternance.mail import actions as mail
        from offers.actions import clock, links, offers

        clock.BATCH = 3
        write, batches = mail.write_many, []

        def slow(letters, *, at):
            # The second batch has moved its offers and written its reminders and its e-mails, and is not committed.
            written = write(letters, at=at)
            batches.append(len(written))
            if len(batches) == 2:
                print("middle", flush=True)
                time.sleep(60)
            return written

        mail.write_many = slow
        clock.expire_due(at=dt.datetime(2026, 12, 24, 0, 1, tzinfo=dt.timezone(dt.timedelta(hours=1))))
    """
    process = processes.start_until("middle", script)
    assert statuses() == {"expired": 3, "active": 4}
    processes.kill(process)

    def finished():
        clock.expire_due(at=paris(2026, 12, 24, 1))
        return statuses() == {"expired": 7}

    processes.wait_until(finished)
    assert mails() == {"offer_expired": 7}
    assert len(set(Message.objects.values_list("recipient", flat=True))) == 7
    assert (OfferReminder.objects.count(), OfferEvent.objects.count()) == (7, 7)


@pytest.mark.django_db(transaction=True)
def test_an_offer_that_someone_prolongs_at_that_moment_is_not_reminded_of_its_old_day():
    offer = published()
    together(
        lambda: offers.prolong(offer_id=offer.pk, by=None, at=paris(2026, 12, 16, 8), via=Door.MAIL_LINK),
        lambda: clock.remind_due(at=paris(2026, 12, 16, 8)),
    )
    clock.remind_due(at=paris(2026, 12, 16, 9))
    offer.refresh_from_db()
    assert offer.expires_on == dt.date(2027, 1, 15)
    assert mails().total() == OfferReminder.objects.count() <= 1


def queries_of(act):
    with CaptureQueriesContext(connection) as queries:
        act()
    return len(queries)


@pytest.mark.parametrize("number", [20, 60])
def test_a_batch_takes_the_same_queries_whatever_its_number(number):
    few, many = {}, {}
    for counts, size in ((few, 2), (many, number)):
        for _ in range(size):
            published()
        counts["week"] = queries_of(lambda: clock.remind_due(at=paris(2026, 12, 16, 8)))
        counts["day"] = queries_of(lambda: clock.remind_due(at=paris(2026, 12, 22, 8)))
        counts["expire"] = queries_of(lambda: clock.expire_due(at=paris(2026, 12, 24, 8)))
        for _ in range(size):
            OfferFactory(status=OfferStatus.AWAITING)
        counts["publish"] = queries_of(lambda: clock.publish_ready(at=AT))
        Establishment.objects.update(closed_on=AT.date())
        counts["close"] = queries_of(lambda: clock.close_for_closed_establishments(at=AT))
        for _ in range(size):
            RegistrationFactory(created_at=AT - 31 * DAY, link_sent_at=AT - 31 * DAY)
        counts["purge"] = queries_of(lambda: clock.purge_registrations(at=AT))
        for _ in range(size):
            RegistrationFactory(created_at=AT - DAY, link_sent_at=AT - DAY)
        counts["unfinished"] = queries_of(lambda: clock.remind_registrations(at=AT))
        Establishment.objects.update(closed_on=None)
    assert few == many
    # A deletion asks each table that points to what it deletes.
    assert max(count for name, count in few.items() if name != "purge") <= 10


# ── Closed establishments ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "gone, sentence",
    [
        ({"closed_on": dt.date(2026, 11, 23)}, "fermé, selon le registre"),
        ({"is_diffusible": False}, "opposée à la diffusion"),
        ({"refusal": Refusal.UNKNOWN, "closed_on": dt.date(2026, 11, 20)}, "ne connaît pas ce SIRET"),
        ({"refusal": Refusal.TEACHING}, "inscrivez-vous comme CFA"),
    ],
)
def test_the_offers_of_an_establishment_that_is_gone_are_closed_with_one_mail_a_person(gone, sentence):
    access = AccessFactory()
    colleague = AccessFactory(establishment=access.establishment)
    active, waiting = OfferFactory(access=access), OfferFactory(access=access, status=OfferStatus.AWAITING)
    theirs, filled = OfferFactory(access=colleague), OfferFactory(access=access, status=OfferStatus.FILLED)
    elsewhere = OfferFactory(access=AccessFactory(user=access.user))
    Establishment.objects.filter(pk=access.establishment_id).update(**gone)
    assert clock.close_for_closed_establishments(at=AT) == 3
    assert clock.close_for_closed_establishments(at=AT) == 0
    for offer in (active, waiting, theirs):
        offer.refresh_from_db()
        assert (offer.status, offer.outcome, offer.cancel_reason) == (
            OfferStatus.CANCELLED, Outcome.CANCELLED, CancelReason.ESTABLISHMENT_CLOSED,
        )  # fmt: skip
    for offer, status in ((filled, OfferStatus.FILLED), (elsewhere, OfferStatus.ACTIVE)):
        offer.refresh_from_db()
        assert offer.status == status
    assert mails() == {"offers_closed_with_establishment": 2}
    told = Message.objects.get(recipient=access.user.email)
    assert told.text_body.count("Boulanger / Boulangère") == 2
    assert sentence in told.text_body


def test_an_establishment_that_closes_tomorrow_is_open_today():
    OfferFactory(access__establishment=EstablishmentFactory(closed_on=dt.date(2026, 11, 24)), created_at=AT)
    assert clock.close_for_closed_establishments(at=paris(2026, 11, 23, 23, 59)) == 0
    assert clock.close_for_closed_establishments(at=paris(2026, 11, 24, 0, 0)) == 1


def test_nobody_is_told_of_what_a_stranger_asked_for_in_their_name():
    registration = RegistrationFactory()
    OfferFactory(access=registration.access, registration=registration, status=OfferStatus.AWAITING, confirmed_at=None)
    Establishment.objects.update(closed_on=AT.date())
    assert clock.close_for_closed_establishments(at=AT) == 1
    assert not Message.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_four_clocks_at_once_close_with_one_mail_a_person(small_batches):
    for _ in range(7):
        access = AccessFactory(establishment=EstablishmentFactory(closed_on=AT.date()))
        for _ in range(2):
            OfferFactory(access=access)
    answers = together(*[lambda: clock.close_for_closed_establishments(at=AT) for _ in range(4)])
    assert sum(answers) == 14
    assert mails() == {"offers_closed_with_establishment": 7}


# ── What waits ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_an_establishment_held_back_is_published_in_the_minute_after_it_is_verified(small_batches):
    establishment = EstablishmentFactory(to_verify_since=AT)
    for _ in range(5):
        OfferFactory(access=AccessFactory(establishment=establishment), status=OfferStatus.AWAITING, created_at=AT)
    assert clock.publish_ready(at=AT) == 0
    Establishment.objects.update(to_verify_since=None)
    assert clock.publish_ready(at=AT) == 5
    assert clock.publish_ready(at=AT) == 0
    assert mails() == {"offer_published": 5}
    assert set(Offer.objects.values_list("published_at", "expires_on")) == {(AT, LAST_DAY)}


@pytest.mark.django_db(transaction=True)
def test_four_clocks_at_once_publish_once(small_batches):
    for _ in range(10):
        OfferFactory(status=OfferStatus.AWAITING)
    answers = together(*[lambda: clock.publish_ready(at=AT) for _ in range(4)])
    assert sum(answers) + clock.publish_ready(at=AT) == 10
    assert mails() == {"offer_published": 10}


@pytest.mark.parametrize(
    "before, after",
    [
        ((None, None), (48.0, 2.0)),
        ((48.0, 2.0), (45.0, 3.0)),
        ((48.0, 2.0), (48.0, 1.0)),
        ((48.0, 2.0), (None, None)),
    ],
)
def test_an_offer_is_where_its_establishment_is(before, after):
    establishment = EstablishmentFactory(latitude=before[0], longitude=before[1])
    offer = OfferFactory(access=AccessFactory(establishment=establishment))
    assert clock.refresh_positions(at=AT) == 0
    Establishment.objects.update(latitude=after[0], longitude=after[1])
    assert clock.refresh_positions(at=AT) == 1
    assert clock.refresh_positions(at=AT) == 0
    offer.refresh_from_db()
    assert (offer.latitude, offer.longitude) == after


def test_many_offers_that_move_are_all_moved(small_batches):
    for _ in range(7):
        OfferFactory()
    OfferFactory(status=OfferStatus.FILLED)
    Establishment.objects.update(latitude=45.0)
    assert clock.refresh_positions(at=AT) == 7


def test_the_registry_is_asked_about_the_establishments_that_someone_may_act_for(monkeypatch):
    asked = []
    monkeypatch.setattr(
        clock.establishments, "refresh_used", lambda *, establishment_ids, at: asked.extend(establishment_ids)
    )
    granted, awaiting = AccessFactory(), AccessFactory(status=AccessStatus.AWAITING)
    AccessFactory(establishment=granted.establishment)
    AccessFactory(status=AccessStatus.DENIED)
    AccessFactory(status=AccessStatus.AWAITING, confirmed_at=None)
    clock.refresh_registry(at=AT)
    assert asked == sorted([granted.establishment_id, awaiting.establishment_id])


# ── Registrations ────────────────────────────────────────────────────────────────────────────────────────────────────


def unfinished(**given):
    return RegistrationFactory(**{"created_at": AT, "link_sent_at": AT, **given})


def test_the_morning_after_who_did_not_use_the_link_is_told_once_how_to_finish():
    registration = unfinished()
    assert clock.remind_registrations(at=paris(2026, 11, 23, 23, 59)) == 0
    for day in range(1, 4):
        clock.remind_registrations(at=AT + day * DAY)
    registration.refresh_from_db()
    assert registration.reminded_at == AT + DAY
    assert list(Message.objects.values_list("kind", "recipient")) == [
        ("registration_unfinished", registration.access.user.email)
    ]


def test_the_same_establishment_asked_for_twice_is_told_once():
    registration = unfinished()
    unfinished(access=registration.access)
    RegistrationFactory(access=registration.access, created_at=AT)
    assert clock.remind_registrations(at=AT + DAY) == 1
    assert not Registration.objects.filter(reminded_at=None).exists()


@pytest.mark.parametrize("who", ["confirmed", "denied", "shut", "support", "no link", "old", "another confirmed"])
def test_nobody_is_told_who_has_nothing_to_finish(who):
    registration = unfinished()
    access, user = registration.access, registration.access.user
    if who == "confirmed":
        registration.confirmed_at = access.confirmed_at = AT
    elif who == "another confirmed":
        access.confirmed_at = AT
    elif who == "denied":
        access.status = AccessStatus.DENIED
    elif who == "shut":
        user.is_active = False
    elif who == "support":
        user.is_staff = True
    elif who == "no link":
        registration.link_sent_at = None
    else:
        registration.created_at = registration.link_sent_at = AT - 30 * DAY
    for row in (registration, access, user):
        row.save()
    assert clock.remind_registrations(at=AT + DAY) == 0


@pytest.mark.django_db(transaction=True)
def test_four_clocks_at_once_tell_each_once(small_batches):
    for _ in range(10):
        unfinished()
    together(*[lambda: clock.remind_registrations(at=AT + DAY) for _ in range(4)])
    clock.remind_registrations(at=AT + DAY)
    assert mails() == {"registration_unfinished": 10}


def purged(at, **given):
    return clock.purge_registrations(at=at, **given)


def test_after_thirty_days_an_unconfirmed_registration_goes_with_all_that_it_brought():
    registration = unfinished()
    offer = OfferFactory(
        access=registration.access, registration=registration, status=OfferStatus.AWAITING, confirmed_at=None
    )
    OfferEvent.objects.create(
        offer=offer,
        kind=OfferEventKind.DEPOSITED,
        from_status=offer.status,
        to_status=offer.status,
        at=AT,
        via=Door.SPACE,
    )
    assert purged(AT + 30 * DAY) == Purged()
    later = AT + 30 * DAY + dt.timedelta(seconds=1)
    everything = Purged(registrations=1, offers=1, accesses=1, people=1)
    assert purged(later, dry_run=True) == everything
    assert Registration.objects.count() == 1
    assert purged(later) == everything
    assert purged(later) == Purged()
    for model in (Registration, Offer, OfferEvent, Access, User):
        assert not model.objects.exists()


def test_a_person_and_an_access_that_something_else_holds_stay():
    confirmed = AccessFactory()
    of_someone_known = RegistrationFactory(access=confirmed, created_at=AT)
    OfferFactory(access=confirmed, registration=of_someone_known, status=OfferStatus.AWAITING, confirmed_at=None)
    kept = OfferFactory(access=confirmed)
    newer = RegistrationFactory(created_at=AT)
    RegistrationFactory(access=newer.access, created_at=AT + 20 * DAY)
    two_shops = RegistrationFactory(created_at=AT)
    AccessFactory(user=two_shops.access.user)
    signed_in = RegistrationFactory(created_at=AT)
    User.objects.filter(pk=signed_in.access.user_id).update(email_confirmed_at=AT)
    assert purged(AT + 31 * DAY) == Purged(registrations=4, offers=1, accesses=2, people=0)
    assert Access.objects.filter(pk__in=[confirmed.pk, newer.access.pk]).count() == 2
    assert User.objects.filter(pk__in=[two_shops.access.user_id, signed_in.access.user_id]).count() == 2
    assert list(Offer.objects.all()) == [kept]


def test_a_refusal_outlives_the_registration(support):
    registration = unfinished()
    registration.access.move(to=AccessStatus.DENIED, by=support, at=AT)
    assert purged(AT + 31 * DAY) == Purged(registrations=1)
    assert Access.objects.get().status == AccessStatus.DENIED


def test_support_whose_address_was_typed_stays():
    registration = RegistrationFactory(access__user=StaffFactory(), created_at=AT)
    assert purged(AT + 31 * DAY) == Purged(registrations=1, accesses=1)
    assert list(User.objects.all()) == [registration.access.user]


def test_a_confirmed_registration_is_deleted_thirty_days_later_and_what_happened_stays():
    access = AccessFactory()
    registration = RegistrationFactory(access=access, created_at=AT, confirmed_at=AT + DAY)
    offer = OfferFactory(access=access, registration=registration)
    OfferEvent.objects.create(
        offer=offer, kind=OfferEventKind.CONFIRMED, from_status=offer.status, to_status=offer.status, at=AT,
        via=Door.MAIL_LINK,
    )  # fmt: skip
    assert purged(AT + 31 * DAY) == Purged()
    assert purged(AT + 32 * DAY) == Purged(registrations=1)
    offer.refresh_from_db()
    assert (offer.registration, offer.journal.count()) == (None, 1)


def test_more_people_than_a_batch_are_all_forgotten(small_batches):
    for _ in range(8):
        unfinished()
    dry = purged(AT + 31 * DAY, dry_run=True)
    assert dry == purged(AT + 31 * DAY) == Purged(registrations=8, accesses=8, people=8)


# ── Beat ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_task_has_its_hour():
    schedule = {name: entry for name, entry in settings.CELERY_BEAT_SCHEDULE.items() if name.startswith("offers.")}
    ours = {name for name in current_app.tasks if name.startswith("offers.")}
    assert {entry["task"] for entry in schedule.values()} == ours
    assert schedule["offers.publish_ready"]["schedule"] == 60
    assert all(entry["options"]["expires"] for entry in schedule.values())
    hourly = schedule["offers.expire_due"]["schedule"]
    assert isinstance(hourly, crontab)
    assert (hourly.hour, hourly.minute) == (set(range(24)), {1})


def test_every_task_does_its_act_now(monkeypatch):
    done = []
    names = [
        "publish_ready", "judge_awaiting", "expire_due", "remind_due", "remind_registrations",
        "close_for_closed_establishments", "refresh_positions", "refresh_registry", "purge_registrations",
    ]  # fmt: skip
    for name in names:
        monkeypatch.setattr(clock, name, lambda *, at, name=name: done.append((name, at)))
    with time_machine.travel(AT, tick=False):
        for name in names:
            getattr(tasks, name)()
    assert done == [(name, AT) for name in names]
