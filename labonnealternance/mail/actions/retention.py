"""Forget in time: what messages said, then that they were."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from labonnealternance.mail.models import JournalLine, Message, Suppression

# Support answers "did it leave, what did it say" for three months, "did it leave" for two years.
TEXT_KEPT = timedelta(days=90)
ROW_KEPT = timedelta(days=730)
# The e-mail that tells a person that their data are erased names them: it proves for a month that they were told.
ERASURE_TOLD = "personal_data_erased"
ERASURE_TOLD_KEPT = timedelta(days=30)
_BATCH = 1000


@dataclass(frozen=True)
class Erased:
    """How many rows were, or would be, touched."""

    texts: int
    messages: int
    suppressions: int


def erase_old(*, at: datetime, dry_run: bool = False) -> Erased:
    """Empties settled messages after 90 days, deletes them after 2 years, and lifted suppressions likewise; a message
    that told of an erasure is deleted after a month.

    Works in batches, each in its own transaction: stopped anywhere, the next run goes on. ``dry_run`` only counts.
    """
    texts = Message.objects.settled().filter(erased_at__isnull=True, created_at__lte=at - TEXT_KEPT)
    told = Q(kind=ERASURE_TOLD, created_at__lte=at - ERASURE_TOLD_KEPT)
    messages = Message.objects.settled().filter(told | Q(created_at__lte=at - ROW_KEPT))
    suppressions = Suppression.objects.filter(lifted_at__lte=at - ROW_KEPT)
    if dry_run:
        return Erased(texts=texts.count(), messages=messages.count(), suppressions=suppressions.count())
    deleted = _in_batches(messages, lambda batch: batch.delete()[1].get("mail.Message", 0))
    erased = _in_batches(texts, lambda batch: _erase(batch, at))
    return Erased(texts=erased, messages=deleted, suppressions=suppressions.delete()[0])


def _erase(batch, at) -> int:
    # Servers like to repeat an address, or a line of the message, in their answers.
    JournalLine.objects.filter(message__in=batch).update(reason="")
    return batch.update(
        subject="", text_body="", html_body="", reply_to="", headers={}, provider_answer="", erased_at=at
    )


def _in_batches(rows, act) -> int:
    total = 0
    while True:
        with transaction.atomic():
            chosen = list(rows.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True)[:_BATCH])
            if not chosen:
                return total
            total += act(rows.model.objects.filter(pk__in=chosen))
