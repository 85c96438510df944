"""Whether e-mails leave: the figures of readiness and of monitoring."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Min, Q
from django.utils import timezone

from labonnealternance.kit.health import NotReady
from labonnealternance.mail.enums import MessageStatus
from labonnealternance.mail.models import JournalLine, Message

# The sweeper comes each minute: a message that was due this long ago has no worker.
LONGEST_OVERDUE = timedelta(minutes=15)


@dataclass(frozen=True)
class OutboxFigures:
    """``queued`` messages have not left, of which ``due`` should leave now and ``retrying`` were put off at least once;
    ``failed_last_day`` were refused within 24 hours. ``oldest_unsent_age`` and ``longest_overdue`` are durations, or
    None when nothing waits: the second one tells of a worker that does not run, the first one of a server that does not
    take.
    """

    queued: int
    due: int
    retrying: int
    failed_last_day: int
    oldest_unsent_age: timedelta | None
    longest_overdue: timedelta | None


def figures(at: datetime) -> OutboxFigures:
    """The outbox at ``at``, in two queries of an index each."""
    waiting = Message.objects.queued().aggregate(
        queued=Count("pk"),
        due=Count("pk", filter=Q(next_attempt_at__lte=at)),
        retrying=Count("pk", filter=Q(attempts__gt=0)),
        oldest=Min("created_at"),
        first_due=Min("next_attempt_at", filter=Q(next_attempt_at__lte=at)),
    )
    failed = JournalLine.objects.filter(to_status=MessageStatus.FAILED, at__gt=at - timedelta(days=1))
    return OutboxFigures(
        queued=waiting["queued"],
        due=waiting["due"],
        retrying=waiting["retrying"],
        failed_last_day=failed.count(),
        oldest_unsent_age=_since(waiting["oldest"], at),
        longest_overdue=_since(waiting["first_due"], at),
    )


def _since(moment: datetime | None, at: datetime) -> timedelta | None:
    return max(at - moment, timedelta(0)) if moment else None


def outbox() -> None:
    """Readiness: messages leave when they are due. One that a server keeps putting off does not stop the service."""
    overdue = figures(timezone.now()).longest_overdue
    if overdue is not None and overdue > LONGEST_OVERDUE:
        raise NotReady("e-mails wait to be sent")
