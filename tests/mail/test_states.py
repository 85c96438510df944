"""The statuses of a message: every move that is allowed, and no other."""

import itertools

import pytest
from django.db import IntegrityError, transaction

from labonnealternance.kit.states import ForbiddenMove
from labonnealternance.mail.enums import MessageStatus
from labonnealternance.mail.models import Message
from tests.mail.conftest import AT

pytestmark = pytest.mark.django_db

ALLOWED = {("queued", "queued"), ("queued", "sent"), ("queued", "failed"), ("queued", "suppressed")}


@pytest.mark.parametrize(("start", "end"), list(itertools.product(MessageStatus, MessageStatus)))
def test_every_move_is_allowed_or_forbidden_by_name(write, start, end):
    message = write()
    if start != MessageStatus.QUEUED:
        message.move(to=start, by=None, at=AT)
    lines = message.journal.count()
    if (start, end) in ALLOWED:
        message.move(to=end, by=None, at=AT, reason="essai")
        assert Message.objects.get(pk=message.pk).status == end
        line = message.journal.latest("pk")
        assert (line.from_status, line.to_status, line.at, line.reason) == (start, end, AT, "essai")
    else:
        with pytest.raises(ForbiddenMove):
            message.move(to=end, by=None, at=AT)
        assert message.journal.count() == lines


@pytest.mark.parametrize(
    "change",
    [
        {"next_attempt_at": None},
        {"sent_at": AT},
        {"status": "sent"},
        {"recipient": "Zoe@exemple.fr"},
    ],
)
def test_the_database_refuses_a_state_that_contradicts_its_dates(write, change):
    message = write()
    with pytest.raises(IntegrityError), transaction.atomic():
        Message.objects.filter(pk=message.pk).update(**change)
