"""Several advisors, several clocks, dead workers: real threads, real processes, real PostgreSQL."""

import time
import uuid
from threading import Barrier

import pytest
import time_machine
from django.db import connection, transaction
from django.urls import reverse

from companies.models import Establishment
from labonnealternance.mail.models import Message
from offers.enums import AccessStatus
from opco.actions import advisors, answers, batches, cases, clock, decisions
from opco.actions.cases import TakenByAnother
from opco.actions.decisions import AlreadyDecided, TooLateToUndo, version_of
from opco.actions.desks import locked_file
from opco.enums import DecisionStatus
from opco.models import Answer, Decision, Note
from tests import factories, processes
from tests.offers.market import together
from tests.opco.desk import AT, SECOND, TICK, ask, certify, decided, make_desk, make_file, make_opco, pass_on, seated

pytestmark = pytest.mark.django_db(transaction=True)


def test_of_eight_advisors_who_decide_at_the_same_moment_one_does_and_seven_are_told_who_and_when():
    opco, access = make_opco(), make_file(offers=1)
    desks = [make_desk(opco, first_name=f"Conseil{n}") for n in range(8)]
    seen = version_of(access)
    acts = [decisions.certify, decisions.refuse] * 4
    said = {"reason": decisions.RefusalReason.OTHER, "text": "Non."}

    def decide(act, desk):
        options = said if act is decisions.refuse else {}
        return lambda: act(desk=desk, access_id=access.pk, seen=seen, at=AT, **options)

    results = together(*(decide(act, desk) for act, desk in zip(acts, desks, strict=True)))
    [made] = [result for result in results if isinstance(result, Decision)]
    told = [result for result in results if isinstance(result, AlreadyDecided)]
    assert len(told) == 7
    assert {(each.by, each.at) for each in told} == {(made.made_by, AT)}
    assert Decision.objects.count() == 1
    clock.apply_due(at=AT + TICK)
    assert Message.objects.filter(kind__in=["access_granted", "access_denied"]).count() == 1


def test_two_browsers_on_one_file_the_second_sees_who_and_when():
    opco, access, following = make_opco(), make_file(offers=1), make_file()
    browsers = [seated(make_desk(opco, first_name=name).user) for name in ("Anne", "Bruno")]
    path = reverse("opco:certify", args=[access.pk])
    seen = version_of(access)
    answers_ = together(*(lambda browser=browser: browser.post(path, {"seen": seen}) for browser in browsers))
    assert sorted(answer.url for answer in answers_) == sorted(
        [reverse("opco:case", args=[access.pk]), reverse("opco:case", args=[following.pk])]
    )
    late = browsers[[answer.url for answer in answers_].index(reverse("opco:case", args=[access.pk]))]
    page = late.get(reverse("opco:case", args=[access.pk])).content.decode()
    winner = Decision.objects.get().made_by.get_full_name()
    assert f"Décision déjà prise par {winner} à " in page


def test_four_clocks_at_once_apply_each_decision_once_and_write_each_mail_once():
    desk = make_desk()
    files = [make_file(offers=1) for _ in range(12)]
    for access in files:
        certify(desk, access)
    applied = together(*(lambda: clock.apply_due(at=AT + TICK) for _ in range(4)))
    assert sum(applied) == 12
    assert Message.objects.filter(kind="access_granted").count() == 12
    assert Message.objects.filter(kind="offer_published").count() == 12
    assert not Decision.objects.exclude(status=DecisionStatus.APPLIED).exists()
    assert {access.journal.count() for access in files} == {1}


def test_an_undo_and_the_clock_at_the_same_moment_one_of_the_two_wins_whole():
    desk = make_desk()
    outcomes = set()
    for _ in range(12):
        access = make_file()
        decision = certify(desk, access)
        undone, applied = together(
            lambda decision=decision: decisions.undo(desk=desk, decision_id=decision.pk, at=AT + TICK),
            lambda: clock.apply_due(at=AT + TICK),
        )
        access.refresh_from_db()
        decision.refresh_from_db()
        mails = Message.objects.filter(kind="access_granted", recipient=access.user.email).count()
        if isinstance(undone, TooLateToUndo):
            assert (decision.status, access.status, mails, applied) == (
                DecisionStatus.APPLIED, AccessStatus.GRANTED, 1, 1,
            )  # fmt: skip
        else:
            assert (decision.status, access.status, mails, applied) == (
                DecisionStatus.UNDONE, AccessStatus.AWAITING, 0, 0,
            )  # fmt: skip
        outcomes.add(decision.status)
    assert outcomes


def test_of_eight_undos_at_the_same_moment_all_say_the_same():
    desk = make_desk()
    decision = certify(desk, make_file())
    results = together(
        *(lambda: decisions.undo(desk=desk, decision_id=decision.pk, at=AT + SECOND).status for _ in range(8))
    )
    assert set(results) == {DecisionStatus.UNDONE}


def test_of_eight_colleagues_who_take_a_file_at_the_same_moment_one_has_it():
    opco, access = make_opco(), make_file()
    desks = [make_desk(opco) for _ in range(8)]
    results = together(*(lambda desk=desk: cases.take(desk=desk, access_id=access.pk, at=AT) for desk in desks))
    assert sum(result is None for result in results) == 1
    assert sum(isinstance(result, TakenByAnother) for result in results) == 7


def test_two_batches_of_the_same_files_at_the_same_moment_certify_each_once():
    opco = make_opco()
    first, second = make_desk(opco), make_desk(opco)
    known, *files = [make_file(user__email=f"{n}@groupe-exemple.fr") for n in range(9)]
    decided(certify, first, known)
    Message.objects.all().delete()

    def batch(desk, order):
        return lambda: batches.certify_all(
            desk=desk, domain="groupe-exemple.fr", access_ids=[each.pk for each in order], batch=uuid.uuid4(), at=AT
        )

    results = together(batch(first, files), batch(second, files[::-1]))
    assert sum(len(result.made) for result in results) == 8
    assert sum(len(result.refused) for result in results) == 8
    assert clock.apply_due(at=AT + TICK) == 8
    assert Message.objects.filter(kind="access_granted").count() == 8


def test_a_button_pressed_eight_times_at_once_is_one_decision_one_note_one_answer():
    desk = make_desk()
    access, asked = make_file(), make_file()
    question = decided(ask, desk, asked)
    seen, key = version_of(access), uuid.uuid4()
    made = together(*(lambda: decisions.certify(desk=desk, access_id=access.pk, seen=seen, at=AT) for _ in range(8)))
    assert len({decision.pk for decision in made}) == 1
    together(*(lambda: cases.note(desk=desk, access_id=access.pk, text="x", key=key, at=AT) for _ in range(8)))
    token = answers.token_of(question)
    together(*(lambda: answers.answer(token=token, text="x", key=key, at=AT) for _ in range(8)))
    assert (Note.objects.count(), Answer.objects.count()) == (1, 1)


def test_the_number_of_answers_holds_when_they_come_together():
    question = decided(ask, make_desk(), make_file())
    token = answers.token_of(question)
    together(*(lambda: answers.answer(token=token, text="x", key=uuid.uuid4(), at=AT) for _ in range(10)))
    assert Answer.objects.count() == answers.MOST_ANSWERS


def test_a_deactivation_and_a_decision_at_the_same_moment_leave_nothing_applied():
    for _ in range(6):
        desk, access = make_desk(), make_file()
        together(
            lambda desk=desk: advisors.deactivate(advisor_id=desk.user.advisor.pk, by=factories.StaffFactory(), at=AT),
            lambda desk=desk, access=access: certify(desk, access),
        )
        clock.apply_due(at=AT + TICK)
        access.refresh_from_db()
        assert access.status == AccessStatus.AWAITING
    assert not Message.objects.exists()


def test_two_files_of_one_establishment_passed_on_and_certified_at_the_same_tick_by_two_clocks():
    desk, other = make_desk(), make_opco(2)
    first = make_file()
    second = make_file(establishment=first.establishment)
    pass_on(desk, first, other)
    certify(desk, second)
    together(*(lambda: clock.apply_due(at=AT + TICK) for _ in range(2)))
    states = dict(Decision.objects.values_list("kind", "status"))
    second.refresh_from_db()
    establishment = Establishment.objects.get()
    # Either order is right; never a certification by an OPCO that has the establishment no more, nor half of one.
    assert states["pass_on"] == DecisionStatus.APPLIED
    assert establishment.opco == other
    assert (second.status == AccessStatus.GRANTED) == (states["certify"] == DecisionStatus.APPLIED)


APPLY = """
    import django
    django.setup()
    from django.utils.dateparse import parse_datetime
    import sys
    from opco.actions import clock
    print("ready", flush=True)
    clock.apply_due(at=parse_datetime(sys.argv[1]))
"""


def test_a_clock_killed_in_the_middle_of_a_decision_loses_nothing_and_repeats_nothing():
    desk = make_desk()
    access, other = make_file(offers=1), make_file()
    decision = certify(desk, access)
    certify(desk, other, at=AT + SECOND)
    with transaction.atomic():
        # The establishment's row is needed by the last act of a certification: the clock waits there, all else written.
        Establishment.objects.select_for_update().get(pk=access.establishment_id)
        process = processes.start_until("ready", APPLY, (AT + TICK + SECOND).isoformat())
        processes.wait_until(waits_for_a_lock)
        processes.kill(process)
    processes.wait_until(lambda: not waits_for_a_lock())
    decision.refresh_from_db()
    access.refresh_from_db()
    assert (decision.status, access.status) == (DecisionStatus.HELD, AccessStatus.AWAITING)
    assert not Message.objects.exists()
    processes.wait_until(lambda: clock.apply_due(at=AT + TICK + SECOND) or not Decision.objects.held().exists())
    clock.apply_due(at=AT + TICK + SECOND)
    assert not Decision.objects.exclude(status=DecisionStatus.APPLIED).exists()
    assert sorted(Message.objects.values_list("kind", flat=True)) == [
        "access_granted", "access_granted", "offer_published",
    ]  # fmt: skip
    assert access.journal.count() == 1


def waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return cursor.fetchone()[0] > 0


def test_a_clock_passes_over_what_another_one_is_at_and_does_the_rest_at_once():
    desk = make_desk()
    slow, quick = certify(desk, make_file()), certify(desk, make_file())
    both = Barrier(2)

    def holds():
        with transaction.atomic():
            Decision.objects.select_for_update().get(pk=slow.pk)
            both.wait(60)
            both.wait(60)

    def applies():
        both.wait(60)
        start = time.monotonic()
        applied = clock.apply_due(at=AT + TICK)
        took = time.monotonic() - start
        both.wait(60)
        return applied, took

    _, (applied, took) = together(holds, applies)
    assert applied == 1
    assert took < 5
    slow.refresh_from_db()
    quick.refresh_from_db()
    assert (slow.status, quick.status) == (DecisionStatus.HELD, DecisionStatus.APPLIED)


def test_reading_a_file_and_deciding_about_another_wait_for_nobody_who_is_deciding():
    desk, colleague, access, other = make_desk(), make_desk(make_opco()), make_file(), make_file()
    browser, both = seated(colleague.user), Barrier(2)

    def holds():
        with transaction.atomic():
            locked_file(desk, access.pk)
            both.wait(60)
            both.wait(60)

    def works():
        both.wait(60)
        try:
            # A wait would end by the lock's own limit.
            return browser.get(reverse("opco:case", args=[access.pk])).status_code, certify(colleague, other).status
        finally:
            both.wait(60)

    assert together(holds, works)[1] == (200, DecisionStatus.HELD)


def test_the_beat_applies_every_fifteen_seconds_tells_each_minute_and_runs_every_task():
    from celery import current_app
    from django.conf import settings

    import opco.tasks  # noqa: F401 (registers them)

    beat = {each["task"]: each["schedule"] for each in settings.CELERY_BEAT_SCHEDULE.values()}
    assert (beat["opco.apply_decisions"], beat["opco.tell_new"]) == (15, 60)
    assert {name for name in beat if name.startswith("opco.")} == {
        name for name in current_app.tasks if name.startswith("opco.")
    }
    certify(make_desk(), make_file())
    with time_machine.travel(AT + TICK, tick=False):
        current_app.tasks["opco.apply_decisions"].run()
    assert Decision.objects.get().status == DecisionStatus.APPLIED
