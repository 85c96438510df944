"""How often an offer is shown, opened, applied to: exact sums, no visitor who waits, no page that fails."""

import atexit
import datetime as dt
import signal
import threading
import time
import uuid

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from offers.actions import counts
from offers.models import Offer, OfferDay
from tests import processes
from tests.factories import OfferFactory
from tests.kit.test_web_process import relay, web  # noqa: F401 (fixtures)

WHATS = ("shown", "opened", "applied")


@pytest.fixture(autouse=True)
def nothing_noted(monkeypatch):
    """Each test notes in memory of its own, and leaves nothing to write when the tests end."""
    for name, empty in {"_kept": {}, "_notes": 0, "_writer": None, "_enough": threading.Event()}.items():
        monkeypatch.setattr(counts, name, empty)
    yield
    atexit.unregister(counts.write)


def sums(offer):
    found = Offer.objects.with_counts().get(pk=offer.pk)
    return found.shown, found.opened, found.applied


def writer_ends():
    """Waits for the thread, which may be done already."""
    if writer := counts._writer:
        writer.join(timeout=60)


def in_threads(works):
    faults = []

    def run(work):
        try:
            work()
        except Exception as fault:
            faults.append(fault)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[work]) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []


@pytest.mark.django_db
def test_an_offer_that_nobody_read_has_zeros():
    assert sums(OfferFactory()) == (0, 0, 0)


@pytest.mark.django_db
def test_notes_of_several_offers_and_days_are_written_in_one_statement_and_summed():
    first, second = OfferFactory.create_batch(2)
    at = timezone.now()
    with CaptureQueriesContext(connection) as noting:
        counts.note(offer_ids=[first.pk, second.pk], what="shown", at=at)
        counts.note(offer_ids=[first.pk], what="opened", at=at)
        counts.note(offer_ids=[first.pk], what="shown", at=at - dt.timedelta(days=1))
    assert len(noting) == 0
    with CaptureQueriesContext(connection) as writing:
        counts.write()
    assert len(writing) == 1
    counts.note(offer_ids=[first.pk], what="applied", at=at)
    counts.write()
    assert sums(first) == (2, 1, 1)
    assert sums(second) == (1, 0, 0)
    assert OfferDay.objects.filter(offer=first).count() == 2


@pytest.mark.django_db
def test_days_are_those_of_paris():
    offer = OfferFactory()
    for at in (
        dt.datetime(2026, 6, 30, 21, 59, tzinfo=dt.UTC),
        dt.datetime(2026, 6, 30, 22, 0, tzinfo=dt.UTC),
    ):
        counts.note(offer_ids=[offer.pk], what="opened", at=at)
    counts.write()
    days = OfferDay.objects.filter(offer=offer).order_by("day").values_list("day", "opened")
    assert list(days) == [(dt.date(2026, 6, 30), 1), (dt.date(2026, 7, 1), 1)]


@pytest.mark.django_db
def test_an_id_of_no_offer_costs_the_others_nothing():
    offer = OfferFactory()
    counts.note(offer_ids=[uuid.uuid4(), offer.pk, uuid.uuid4()], what="shown", at=timezone.now())
    counts.write()
    assert sums(offer) == (1, 0, 0)


@pytest.mark.django_db
def test_the_sums_of_a_list_are_read_in_its_one_query():
    offers = OfferFactory.create_batch(3)
    counts.note(offer_ids=[offer.pk for offer in offers], what="shown", at=timezone.now())
    counts.write()
    with CaptureQueriesContext(connection) as reading:
        assert [offer.shown for offer in Offer.objects.with_counts()] == [1, 1, 1]
    assert len(reading) == 1


@pytest.mark.django_db(transaction=True)
def test_eight_threads_of_a_hundred_notes_are_exactly_eight_hundred(settings):
    offers = OfferFactory.create_batch(5)
    at = timezone.now()
    # The thread that writes runs meanwhile, again and again.
    settings.OFFER_COUNTS_DELAY = 0.01

    def work(what):
        for number in range(100):
            counts.note(offer_ids=[offers[number % 5].pk], what=what, at=at)
            time.sleep(0.0005)

    in_threads([lambda what=WHATS[n % 2]: work(what) for n in range(8)])
    settings.OFFER_COUNTS_DELAY = None
    counts._enough.set()
    writer_ends()
    counts.write()
    assert [sums(offer) for offer in offers] == [(80, 80, 0)] * 5


@pytest.mark.django_db(transaction=True)
def test_processes_that_write_the_same_offers_never_stop_each_other():
    offers = OfferFactory.create_batch(30)
    at = timezone.now()
    ids = [offer.pk for offer in offers]

    def write(order):
        for _ in range(40):
            # What another process does: rows of its own, in an order of its own.
            counts._add({(pk, timezone.localdate(at)): counts.Counter(shown=1) for pk in order})

    in_threads([lambda: write(ids), lambda: write(ids[::-1]), lambda: write(ids[15:] + ids[:15])])
    assert {sums(offer) for offer in offers} == {(120, 0, 0)}


@pytest.mark.django_db(transaction=True)
def test_the_thread_writes_after_the_delay_holds_no_connection_and_ends(settings):
    offer = OfferFactory()

    def clients():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
                " AND backend_type = 'client backend'"
            )
            return {pid for (pid,) in cursor.fetchall()}

    # What a test before this one has left open is none of the thread's.
    known = clients()
    settings.OFFER_COUNTS_DELAY = 1
    begun = time.monotonic()
    counts.note(offer_ids=[offer.pk], what="opened", at=timezone.now())
    assert time.monotonic() - begun < 0.8
    before = sums(offer)
    # A machine that held this test up for the whole delay has shown nothing of what comes before it.
    assert before == (0, 0, 0) or time.monotonic() - begun >= 1
    writer_ends()
    assert sums(offer) == (0, 1, 0)
    assert counts._writer is None
    # Another one starts when there is something again.
    settings.OFFER_COUNTS_DELAY = 0.01
    counts.note(offer_ids=[offer.pk], what="opened", at=timezone.now())
    writer_ends()
    assert sums(offer) == (0, 2, 0)

    # The server takes a moment to see a client leave.
    processes.wait_until(lambda: clients() <= known)


@pytest.mark.django_db(transaction=True)
def test_many_notes_are_written_without_waiting_for_the_delay(settings):
    offer = OfferFactory()
    settings.OFFER_COUNTS_DELAY = 30
    for _ in range(counts.MANY):
        counts.note(offer_ids=[offer.pk], what="shown", at=timezone.now())
    settings.OFFER_COUNTS_DELAY = 0.01
    writer_ends()
    assert sums(offer) == (counts.MANY, 0, 0)


@pytest.mark.django_db(transaction=True)
def test_an_offer_that_someone_acts_on_makes_nobody_wait():
    busy, free = OfferFactory.create_batch(2)
    held, done = threading.Event(), threading.Event()

    def act():
        with transaction.atomic():
            Offer.objects.select_for_update().get(pk=busy.pk)
            held.set()
            done.wait(60)

    acting = threading.Thread(target=lambda: in_threads([act]))
    acting.start()
    assert held.wait(60)
    counts.note(offer_ids=[busy.pk, free.pk], what="shown", at=timezone.now())
    begun = time.monotonic()
    counts.write()
    took = time.monotonic() - begun
    done.set()
    acting.join()
    assert took < 10
    assert sums(free) == (1, 0, 0)


@pytest.mark.django_db
def test_a_database_that_is_lost_costs_counts_and_no_fault(monkeypatch, caplog):
    offer = OfferFactory()

    def lost(taken):
        raise DatabaseError("the server closed the connection")

    counts.note(offer_ids=[offer.pk], what="opened", at=timezone.now())
    with monkeypatch.context() as broken:
        broken.setattr(counts, "_add", lost)
        counts.write()
    assert "counts of 1 offers are lost" in caplog.text
    counts.note(offer_ids=[offer.pk], what="opened", at=timezone.now())
    counts.write()
    assert sums(offer) == (0, 1, 0)


def test_memory_is_bounded_while_nothing_can_be_written(monkeypatch):
    monkeypatch.setattr(counts, "MOST_KEPT", 10)
    known = [uuid.uuid4() for _ in range(50)]
    for _ in range(3):
        counts.note(offer_ids=known, what="shown", at=timezone.now())
    assert len(counts._kept) == 10
    assert {each["shown"] for each in counts._kept.values()} == {3}


def test_what_was_noted_last_is_written_when_the_web_process_ends(web):  # noqa: F811
    offer = OfferFactory()
    assert web.ask("GET", f"/offre/{offer.pk}/", headers={"User-Agent": "Mozilla/5.0"}).status == 200
    assert web.ask("GET", f"/offre/{offer.pk}/", headers={"User-Agent": "Googlebot/2.1"}).status == 200
    web.process.send_signal(signal.SIGTERM)
    web.process.wait(timeout=60)
    assert sums(offer) == (0, 1, 0)
