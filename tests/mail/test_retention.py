"""What is forgotten, and when."""

from datetime import timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import call_command

from labonnealternance.mail.actions import Erased, erase_old, lift, suppress
from labonnealternance.mail.enums import MessageStatus, SuppressionReason, SuppressionSource
from labonnealternance.mail.models import JournalLine, Message, Suppression
from labonnealternance.mail.tasks import erase_old as nightly_task
from tests.mail.conftest import AT

pytestmark = pytest.mark.django_db


@pytest.fixture
def settled(write):
    def message(*, days, to=MessageStatus.SENT):
        message = write(at=AT - timedelta(days=days), reply_to="recruteur@exemple.fr", headers={"X-Offre": "1"})
        message.provider_answer = "250 zoe@exemple.fr"
        message.move(to=to, by=None, at=message.created_at, reason="250 zoe@exemple.fr")
        return message

    return message


@pytest.mark.parametrize("status", [MessageStatus.SENT, MessageStatus.FAILED, MessageStatus.SUPPRESSED])
def test_what_a_message_said_is_erased_after_90_days(settled, status):
    old, recent = settled(days=90, to=status), settled(days=89, to=status)
    assert erase_old(at=AT) == Erased(texts=1, messages=0, suppressions=0)
    old.refresh_from_db()
    recent.refresh_from_db()
    assert (old.subject, old.text_body, old.html_body, old.reply_to, old.headers) == ("", "", "", "", {})
    assert old.provider_answer == old.journal.get().reason == ""
    assert old.erased_at == AT
    assert (old.status, old.recipient, old.kind) == (status, "zoe@exemple.fr", "essai")
    assert recent.text_body
    assert recent.journal.get().reason == "250 zoe@exemple.fr"


def test_a_message_is_deleted_after_two_years_with_its_journal(settled):
    settled(days=730)
    kept = settled(days=729)
    assert erase_old(at=AT) == Erased(texts=1, messages=1, suppressions=0)
    assert Message.objects.get() == kept
    assert JournalLine.objects.get().message == kept


def test_a_message_that_has_not_left_is_never_forgotten(write):
    write(at=AT - timedelta(days=1000))
    assert erase_old(at=AT) == Erased(texts=0, messages=0, suppressions=0)
    assert Message.objects.get().text_body


def test_a_suppression_is_kept_while_it_holds_and_two_years_after():
    for address in ("tenue@exemple.fr", "levee@exemple.fr", "recente@exemple.fr"):
        suppress(
            address=address,
            reason=SuppressionReason.BOUNCE,
            source=SuppressionSource.PROVIDER,
            by=None,
            at=AT - timedelta(days=2000),
        )
    lift(address="levee@exemple.fr", by=None, at=AT - timedelta(days=730), reason="Rouverte")
    lift(address="recente@exemple.fr", by=None, at=AT - timedelta(days=729), reason="Rouverte")
    assert erase_old(at=AT).suppressions == 1
    assert set(Suppression.objects.values_list("address", flat=True)) == {"tenue@exemple.fr", "recente@exemple.fr"}


def test_the_second_time_finds_nothing_to_do(settled):
    settled(days=100)
    erase_old(at=AT)
    assert erase_old(at=AT) == Erased(texts=0, messages=0, suppressions=0)


def test_batches_go_to_the_end(settled, monkeypatch):
    monkeypatch.setattr("labonnealternance.mail.actions.retention._BATCH", 2)
    for _ in range(5):
        settled(days=100)
    assert erase_old(at=AT).texts == 5


@time_machine.travel(AT, tick=False)
def test_a_dry_run_counts_and_touches_nothing(settled):
    settled(days=100)
    settled(days=800)
    output = StringIO()
    call_command("erase_old_emails", "--dry-run", stdout=output)
    assert output.getvalue().splitlines() == [
        "       2  textes d’e-mails",
        "       1  e-mails entiers",
        "       0  adresses écartées puis rétablies",
        "Rien n’a été effacé (--dry-run).",
    ]
    assert Message.objects.filter(erased_at__isnull=True).count() == 2
    nightly_task()
    assert Message.objects.filter(erased_at__isnull=False).count() == 1
