"""The figures that say whether e-mails leave."""

from datetime import timedelta

import pytest
import time_machine

from labonnealternance.kit.health import NotReady
from labonnealternance.mail import health
from labonnealternance.mail.enums import MessageStatus
from tests.mail.conftest import AT

pytestmark = pytest.mark.django_db


def test_an_empty_outbox_has_no_age(write):
    write().move(to=MessageStatus.SENT, by=None, at=AT)
    assert health.figures(AT) == health.OutboxFigures(0, 0, 0, 0, None, None)


def test_figures_tell_what_waits_since_when_and_what_failed(write, django_assert_num_queries):
    put_off = write(at=AT - timedelta(hours=3))
    put_off.attempts, put_off.next_attempt_at = 4, AT + timedelta(minutes=5)
    put_off.move(to=MessageStatus.QUEUED, by=None, at=AT, reason="450")
    write(at=AT - timedelta(minutes=10))
    write(at=AT)
    write().move(to=MessageStatus.FAILED, by=None, at=AT - timedelta(hours=23))
    write().move(to=MessageStatus.FAILED, by=None, at=AT - timedelta(hours=25))
    with django_assert_num_queries(2):
        found = health.figures(AT)
    assert found == health.OutboxFigures(
        queued=3,
        due=2,
        retrying=1,
        failed_last_day=1,
        oldest_unsent_age=timedelta(hours=3),
        longest_overdue=timedelta(minutes=10),
    )


def test_a_message_that_no_worker_takes_makes_the_service_not_ready(write):
    write()
    with time_machine.travel(AT + timedelta(minutes=14), tick=False):
        health.outbox()
    with time_machine.travel(AT + timedelta(minutes=16), tick=False), pytest.raises(NotReady):
        health.outbox()
