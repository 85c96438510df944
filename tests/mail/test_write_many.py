"""Writing the e-mails of a batch: one statement, one wake-up, all of them or none."""

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from labonnealternance.kit.contacts import NotAnAddress
from labonnealternance.mail.actions import Letter, outbox, write_many
from labonnealternance.mail.models import Message
from labonnealternance.mail.render import UnknownVariable
from tests.mail.conftest import AT

pytestmark = pytest.mark.django_db


def letter(n, **given):
    context = {"name": f"Zoé {n}", "offer": "Boulanger·ère", "link": "http://exemple.fr/offre/1"}
    return Letter(**{"name": "essai", "to": f"Zoe{n}@exemple.fr", "context": context, **given})


@pytest.fixture
def told(monkeypatch):
    """What the workers are told of."""
    tasks = []
    monkeypatch.setattr(outbox, "_tell", lambda *what: tasks.append(what))
    return tasks


def test_each_letter_is_a_message_of_its_own():
    write_many([letter(1), letter(2, reply_to="Moi@exemple.fr", headers={"X-Offre": "2"}, confidential=True)], at=AT)
    first, second = Message.objects.order_by("recipient")
    assert (first.recipient, first.subject, first.created_at) == ("zoe1@exemple.fr", "Bonjour Zoé 1", AT)
    assert (second.reply_to, second.headers, second.confidential) == ("moi@exemple.fr", {"X-Offre": "2"}, True)
    assert first.message_id != second.message_id


def test_a_hundred_letters_are_one_insert_and_one_wake_up(told, django_capture_on_commit_callbacks):
    counts = []
    for number in (2, 100):
        with django_capture_on_commit_callbacks(execute=True), CaptureQueriesContext(connection) as queries:
            assert len(write_many((letter(n) for n in range(number)), at=AT)) == number
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert told == [("mail.sweep",)] * 2


def test_one_letter_wakes_a_worker_for_itself(told, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        [message] = write_many([letter(1)], at=AT)
    assert told == [("mail.send", str(message.pk))]


def test_no_letter_is_no_statement_and_no_wake_up(told, django_capture_on_commit_callbacks, django_assert_num_queries):
    with django_capture_on_commit_callbacks(execute=True), django_assert_num_queries(0):
        assert write_many([], at=AT) == []
    assert told == []


@pytest.mark.parametrize(
    "bad, refusal", [({"to": "zoe"}, NotAnAddress), ({"context": {}}, UnknownVariable), ({"name": "../x"}, ValueError)]
)
def test_one_letter_that_can_not_be_written_leaves_none_of_them(bad, refusal):
    with pytest.raises(refusal), transaction.atomic():
        write_many([letter(1), letter(2, **bad)], at=AT)
    assert not Message.objects.exists()
