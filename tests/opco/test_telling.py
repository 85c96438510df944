"""Advisors are told at once of a new file, and reminded three mornings a week of what waits: each exactly once."""

import datetime as dt

import pytest

from companies.actions import opcos
from companies.enums import OpcoOrigin
from labonnealternance.mail import actions as mail
from labonnealternance.mail.models import Message
from offers.models import Access
from opco import tasks
from opco.actions import advisors, telling
from opco.models import Reminder, Told
from tests import factories
from tests.mail.snapshots import check_email
from tests.offers.market import together
from tests.opco.desk import AT, DAY, HOUR, MINUTE, PARIS, ask, certify, decided, make_advisor, make_file, make_opco

pytestmark = pytest.mark.django_db

# A Monday.
MORNING = dt.datetime(2026, 11, 23, 8, 30, tzinfo=PARIS)


def told(kind="opco_new_files") -> list[str]:
    return sorted(Message.objects.filter(kind=kind).values_list("recipient", flat=True))


@pytest.fixture
def advisor():
    return make_advisor(email="anne@exemple.fr")


# ── At once ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_new_file_is_told_to_each_active_advisor_of_its_opco_and_to_nobody_else(advisor):
    make_advisor(email="bruno@exemple.fr")
    make_advisor(make_opco(2), email="autre-opco@exemple.fr")
    gone = make_advisor(email="partie@exemple.fr")
    advisors.deactivate(advisor_id=gone.pk, by=factories.StaffFactory(), at=AT)
    make_advisor(email="compte-ferme@exemple.fr", is_active=False)
    make_file()
    assert telling.tell_new(at=AT) == 1
    assert told() == ["anne@exemple.fr", "bruno@exemple.fr"]


def test_what_was_told_is_not_told_again(advisor):
    make_file()
    assert [telling.tell_new(at=AT + n * MINUTE) for n in range(3)] == [1, 0, 0]
    make_file()
    assert telling.tell_new(at=AT + 3 * MINUTE) == 1
    assert len(told()) == 2
    assert "Un nouveau recruteur" in Message.objects.latest("created_at").subject


def test_a_clock_that_stood_still_for_days_tells_of_all_in_one_email(advisor):
    for n in range(4):
        make_file(asked_at=AT - n * DAY)
    assert telling.tell_new(at=AT + 3 * DAY) == 4
    assert Message.objects.get().subject == "4 nouveaux recruteurs à valider"


def test_one_email_names_ten_files_and_counts_the_others(advisor):
    for n in range(23):
        make_file(establishment__name=f"FOURNIL {n:02d}.", asked_at=AT - (30 - n) * DAY)
    assert telling.tell_new(at=AT) == 23
    body = Message.objects.get().text_body
    assert [n for n in range(23) if f"FOURNIL {n:02d}." in body.upper()] == list(range(10)), "those that waited longest"
    assert "et 13 autres." in body
    assert body.count("SIRET") == 10


@pytest.mark.parametrize("made", ["not confirmed", "granted", "denied", "without OPCO", "held"])
def test_only_what_waits_for_the_opco_is_told(advisor, made, desk):
    if made == "held":
        certify(desk, make_file())
    else:
        make_file(
            **{
                "not confirmed": {"confirmed_at": None},
                "granted": {"status": "granted"},
                "denied": {"status": "denied"},
                "without OPCO": {"establishment__opco": None},
            }[made]
        )
    assert telling.tell_new(at=AT) == 0
    assert told() == []
    assert Told.objects.count() == 0


def test_a_file_that_is_passed_on_is_told_to_the_next_opco(advisor):
    make_advisor(other := make_opco(2), email="autre-opco@exemple.fr")
    file = make_file()
    telling.tell_new(at=AT)
    opcos.assign(establishment_id=file.establishment_id, opco=other, origin=OpcoOrigin.ADVISOR, by=advisor.user, at=AT)
    assert telling.tell_new(at=AT + MINUTE) == 1
    assert told() == ["anne@exemple.fr", "autre-opco@exemple.fr"]


def test_where_an_opco_has_no_advisor_its_files_wait_for_the_first_one():
    make_file()
    assert telling.tell_new(at=AT) == 0
    make_advisor(email="premiere@exemple.fr")
    assert telling.tell_new(at=AT + DAY) == 1
    assert told() == ["premiere@exemple.fr"]


def test_an_opco_whose_email_can_not_be_written_stops_no_other(advisor, monkeypatch):
    make_advisor(make_opco(2), email="autre-opco@exemple.fr")
    make_file()
    make_file(make_opco(2))
    write = mail.write_many

    def broken(letters, *, at):
        if letters[0].to == "anne@exemple.fr":
            raise RuntimeError
        return write(letters, at=at)

    monkeypatch.setattr(mail, "write_many", broken)
    assert telling.tell_new(at=AT) == 1
    assert told() == ["autre-opco@exemple.fr"]
    assert Told.objects.get().opco_id == "opco-2", "what was not written is not told"
    monkeypatch.undo()
    assert telling.tell_new(at=AT) == 1
    assert told() == ["anne@exemple.fr", "autre-opco@exemple.fr"]


def test_no_query_is_added_by_a_file_nor_by_an_advisor(advisor, django_assert_num_queries):
    make_file(offers=1)
    with django_assert_num_queries(9):
        telling.tell_new(at=AT)
    for n in range(12):
        make_file(offers=1, establishment__commune=factories.CommuneFactory(code=f"5700{n}"[:5]))
    make_advisor(email="bruno@exemple.fr")
    with django_assert_num_queries(9):
        telling.tell_new(at=AT)
    with django_assert_num_queries(1):
        telling.tell_new(at=AT)


@pytest.mark.django_db(transaction=True)
def test_four_clocks_at_once_tell_and_remind_once():
    make_advisor(email="anne@exemple.fr")
    make_advisor(make_opco(2), email="autre-opco@exemple.fr")
    for n in range(6):
        make_file(make_opco(1 + n % 2))

    def sweep():
        telling.tell_new(at=MORNING)
        telling.remind(at=MORNING)

    assert together(*[sweep for _ in range(4)]) == [None] * 4
    sweep()
    assert told() == told("opco_reminder") == ["anne@exemple.fr", "autre-opco@exemple.fr"]
    assert Told.objects.count() == 6


# ── Three mornings a week ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("day", "is_reminded"),
    [(23, True), (24, False), (25, True), (26, False), (27, True), (28, False), (29, False)],
)
def test_advisors_are_reminded_on_mondays_wednesdays_and_fridays(advisor, day, is_reminded):
    make_file(asked_at=AT - 9 * DAY)
    assert telling.remind(at=MORNING.replace(day=day)) == is_reminded
    assert told("opco_reminder") == ["anne@exemple.fr"] * is_reminded


@pytest.mark.parametrize(
    ("hour", "minute", "is_reminded"),
    [(0, 5, False), (8, 29, False), (8, 30, True), (17, 59, True), (18, 0, False), (23, 59, False)],
)
def test_the_reminder_leaves_at_half_past_eight_or_later_in_the_working_day(advisor, hour, minute, is_reminded):
    make_file()
    assert telling.remind(at=MORNING.replace(hour=hour, minute=minute)) == is_reminded


@pytest.mark.parametrize("at", ["2026-03-30T06:30:00+00:00", "2026-10-26T07:30:00+00:00"])
def test_half_past_eight_is_that_of_paris_after_both_clock_changes(advisor, at):
    make_file()
    moment = dt.datetime.fromisoformat(at)
    assert telling.remind(at=moment - MINUTE) == 0
    assert telling.remind(at=moment) == 1


def test_an_empty_queue_is_not_spoken_of_nor_later_in_the_same_day(advisor):
    assert telling.remind(at=MORNING) == 0
    make_file()
    assert telling.remind(at=MORNING + HOUR) == 0, "what came since was told at once"
    assert told("opco_reminder") == []
    assert telling.remind(at=MORNING + 2 * DAY) == 1


def test_a_day_is_told_once_however_often_the_clock_asks(advisor):
    make_file()
    assert [telling.remind(at=MORNING + n * HOUR) for n in range(9)] == [1] + [0] * 8
    assert told("opco_reminder") == ["anne@exemple.fr"]
    assert list(Reminder.objects.values_list("waiting", flat=True)) == [1]


def test_only_active_advisors_are_reminded_each_of_their_opco(advisor):
    gone = make_advisor(email="partie@exemple.fr")
    advisors.deactivate(advisor_id=gone.pk, by=factories.StaffFactory(), at=AT)
    make_advisor(make_opco(2), email="file-vide@exemple.fr")
    make_file()
    assert telling.remind(at=MORNING) == 1
    assert told("opco_reminder") == ["anne@exemple.fr"]


def test_what_waits_for_an_answer_is_not_counted_as_waiting_for_the_advisor(advisor, desk):
    decided(ask, desk, make_file(asked_at=AT - 9 * DAY))
    assert telling.remind(at=MORNING + 2 * DAY) == 0


# ── As they are read ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def numbered():
    """``name`` → what the numbers of the files are replaced by."""
    return lambda: {f"/dossiers/{pk}/": f"/dossiers/{n}/" for n, pk in enumerate(
        Access.objects.order_by("confirmed_at").values_list("pk", flat=True), start=1
    )}  # fmt: skip


def test_the_email_of_new_files_as_it_is_read(advisor, numbered):
    place = {"establishment__name": "BOULANGERIE & FILS", "establishment__siret": factories.make_siret(1)}
    make_file(offers=2, **place)
    for n in range(2, 13):
        make_file(
            asked_at=AT - DAY + n * MINUTE,
            establishment__name=f"FOURNIL {n}",
            establishment__siret=factories.make_siret(n),
        )
    telling.tell_new(at=AT)
    message = Message.objects.get()
    assert "et 2 autres." in message.text_body
    assert "exemple.fr" not in message.text_body.replace("site.exemple.fr", ""), "nothing is told of who waits"
    check_email(message, __file__, replace=numbered())


def test_the_reminder_as_it_is_read(advisor):
    make_file(offers=3)
    make_file(asked_at=AT - 9 * DAY)
    make_file()
    telling.remind(at=MORNING)
    check_email(Message.objects.get(), __file__)


def test_the_worker_tells_and_reminds_by_the_clock_s_own_time(advisor, time_machine):
    make_file()
    time_machine.move_to(MORNING, tick=False)
    tasks.tell_new()
    tasks.remind()
    assert told() == told("opco_reminder") == ["anne@exemple.fr"]
    assert set(Message.objects.values_list("created_at", flat=True)) == {MORNING}
