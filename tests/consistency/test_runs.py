"""The checks are looked at one by one, kept with since when they fail, and told to support at night."""

import datetime as dt
import io

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from labonnealternance.consistency import actions, tasks
from labonnealternance.consistency.enums import Outcome, Told
from labonnealternance.consistency.models import RUNS_KEPT, Result, Run
from labonnealternance.kit import consistency
from labonnealternance.kit.commands import AlreadyRunning, single_run
from labonnealternance.kit.consistency import MOST_COUNTED, MOST_SHOWN, Check, look
from labonnealternance.mail.models import Message
from tests.factories import UserFactory
from tests.mail.snapshots import check_email

pytestmark = pytest.mark.django_db

AT = dt.datetime(2026, 11, 21, 5, 0, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


class Essay:
    """Checks whose word a test changes."""

    def __init__(self, monkeypatch):
        self.faults: list = []
        self.crash: Exception | None = None
        first = Check(
            "essai.premier", "Rien ne traîne.", self._find, remedy="Rangez.", label=str, page=lambda row: "/ici/"
        )
        second = Check("essai.second", "Le second passe quand même.", lambda at: [])
        monkeypatch.setattr(consistency, "checks", lambda: [first, second])

    def _find(self, at):
        if self.crash:
            raise self.crash
        return self.faults


@pytest.fixture
def essay(monkeypatch):
    return Essay(monkeypatch)


def told():
    return list(Message.objects.order_by("created_at").values_list("kind", flat=True))


def test_an_empty_database_tells_nothing():
    run = actions.run_now(at=AT)
    assert list(actions.failures_of(run)) == []
    assert run.results.count() > 15


def test_a_check_counts_and_shows_a_bounded_number_of_faults():
    UserFactory.create_batch(3)
    few = look(Check("a", "A", lambda at: UserFactory._meta.model.objects.order_by("pk")), at=AT)
    assert (few.count, len(few.examples), few.holds) == (3, 3, False)
    assert few.examples[0]["page"].startswith("/admin/accounts/user/")
    assert "@" not in few.examples[0]["label"]
    many = look(Check("a", "A", lambda at: iter(range(10**9)), label=str), at=AT)
    assert (many.count, len(many.examples)) == (MOST_COUNTED + 1, MOST_SHOWN)


def test_a_check_writes_nothing():
    def write(at):
        UserFactory()
        return []

    found = look(Check("a", "A", write), at=AT)
    assert "Il s’est arrêté sur une erreur" in found.error
    assert not UserFactory._meta.model.objects.exists()
    UserFactory()


def test_a_check_has_a_clock_of_its_own_and_leaves_that_of_others():
    def wait(at):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(5)")
        return []

    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        before = cursor.fetchone()
        found = look(Check("a", "A", wait), at=AT, patience=0.05)
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == before
    assert found.error == "Il n’a pas fini en 0 s."


def test_since_when_a_check_fails_is_kept_until_it_holds_again(essay):
    essay.faults = ["une clé"]
    actions.run_now(at=AT)
    actions.run_now(at=AT + DAY)
    first = Result.objects.filter(name="essai.premier").order_by("pk")
    assert [each.failing_since for each in first] == [AT, AT]
    essay.faults = []
    actions.run_now(at=AT + 2 * DAY)
    essay.faults = ["une clé"]
    run = actions.run_now(at=AT + 3 * DAY)
    assert run.results.get(name="essai.premier").failing_since == AT + 3 * DAY
    assert run.results.get(name="essai.second").outcome == Outcome.HOLDS


def test_a_check_that_crashes_is_told_as_a_failure_and_stops_no_other(essay):
    essay.crash = ValueError("mot de passe")
    run = actions.run_night(at=AT)
    crashed, other = run.results.order_by("pk")
    assert (crashed.outcome, other.outcome) == (Outcome.CRASHED, Outcome.HOLDS)
    assert "ValueError" in crashed.error
    assert "mot de passe" not in crashed.error
    assert crashed.error in Message.objects.get().text_body


def test_the_night_writes_once_while_something_fails_and_once_when_all_is_well(essay):
    actions.run_night(at=AT)
    assert told() == []
    essay.faults = ["une clé", "une autre"]
    actions.run_night(at=AT + DAY)
    actions.run_night(at=AT + DAY)
    assert told() == ["checks_failed"]
    actions.run_night(at=AT + 2 * DAY)
    assert told() == ["checks_failed"] * 2
    essay.faults = []
    # What a person looks at meanwhile changes nothing to what the night owes.
    actions.run_now(at=AT + 2 * DAY)
    actions.run_night(at=AT + 3 * DAY)
    actions.run_night(at=AT + 4 * DAY)
    assert told() == ["checks_failed"] * 2 + ["checks_hold_again"]
    assert list(Run.objects.exclude(told="").order_by("pk").values_list("told", flat=True)) == [
        Told.FAILURES, Told.FAILURES, Told.WELL,
    ]  # fmt: skip


def test_a_night_that_was_stopped_in_the_middle_is_begun_again(essay):
    essay.faults = ["une clé"]
    stopped = Run.objects.create(asked_at=AT, night=AT.date(), started_at=AT)
    Result.objects.create(run=stopped, name="essai.second", rule="", outcome=Outcome.HOLDS)
    assert actions.run_night(at=AT + dt.timedelta(minutes=5)) == stopped
    assert stopped.results.count() == 2
    assert told() == ["checks_failed"]


def test_the_e_mail_of_a_failure(essay, settings):
    essay.faults = ["Établissement 000 000 010 00013", "deux", "trois", "quatre"]
    actions.run_night(at=AT)
    letter = Message.objects.get()
    assert letter.recipient == settings.CONTACT_EMAIL
    check_email(letter, __file__)


def test_the_e_mail_when_all_is_well_again(essay):
    essay.faults = ["une clé"]
    actions.run_night(at=AT)
    essay.faults = []
    actions.run_night(at=AT + DAY)
    check_email(Message.objects.get(kind="checks_hold_again"), __file__)


def test_runs_do_not_pile_up(essay):
    Run.objects.bulk_create(Run(asked_at=AT, started_at=AT, finished_at=AT) for _ in range(RUNS_KEPT + 3))
    run = actions.run_now(at=AT + DAY)
    assert Run.objects.count() == RUNS_KEPT
    assert Run.objects.filter(pk=run.pk).exists()


def test_two_looks_at_once_are_one(essay):
    with single_run("consistency"):
        with pytest.raises(AlreadyRunning):
            actions.run_now(at=AT)
        tasks.run_night()
        tasks.run_asked()
    assert not Run.objects.exists()


def test_the_night_s_task_looks_at_the_night_of_paris(essay):
    with time_machine.travel(dt.datetime(2026, 11, 21, 23, 30, tzinfo=dt.UTC), tick=False):
        tasks.run_night()
    assert Run.objects.get().night == dt.date(2026, 11, 22)


def test_the_command_prints_and_exits_1_on_a_failure(essay):
    out = io.StringIO()
    call_command("check_consistency", stdout=out)
    assert "ok      Rien ne traîne." in out.getvalue()
    assert "2 contrôles, rien à signaler." in out.getvalue()
    essay.faults = ["une clé"]
    out = io.StringIO()
    with pytest.raises(CommandError, match="1 contrôle est en défaut") as refusal:
        call_command("check_consistency", stdout=out)
    assert refusal.value.returncode == 1
    for words in ("DÉFAUT  Rien ne traîne.", "1 défaut, depuis le", "– une clé  /ici/", "Rangez."):
        assert words in out.getvalue()


# The page


def test_the_page_shows_what_fails_since_when_and_examples(office, essay):
    assert "Aucun passage" in office.get("/admin/coherence/").text
    essay.faults = ["Établissement <b>12</b>"]
    run = actions.run_now(at=AT)
    page = office.get("/admin/coherence/").text
    for words in (
        "Rien ne traîne.",
        "1 défaut",
        "21/11/2026 à 06:00",
        "Rangez.",
        '<a href="/ici/">Établissement &lt;b&gt;',
    ):
        assert words in page
    assert page.index("En défaut</h2>") < page.index("Rien à signaler</h2>") < page.index("Le second passe")
    assert run.results.count() == 2


def test_the_button_asks_for_a_run_that_a_worker_does_once(office, support, essay):
    answer = office.post("/admin/coherence/", follow=True)
    assert "Les contrôles passent dans la minute" in answer.text
    assert "Un passage est demandé" in answer.text
    office.post("/admin/coherence/")
    assert Run.objects.get().asked_by == support
    tasks.run_asked()
    assert actions.run_asked(at=timezone.now()) is None
    assert f"demandé par {support.get_full_name()}" in office.get("/admin/coherence/").text
    assert told() == []
