"""What an OPCO's queue did in twelve months: how many wait, how long one waited, what was decided and why."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import (
    Aggregate,
    Count,
    DateField,
    DurationField,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    QuerySet,
)
from django.db.models.functions import TruncMonth
from django.utils.timezone import get_current_timezone, localdate

from offers.models import AccessMove
from opco.actions import queue
from opco.actions.desks import Desk, decisions_of
from opco.actions.queue import Filters
from opco.enums import DecisionKind, DecisionStatus, RefusalReason, Tab
from opco.models import Decision

MONTHS = 12


class _Percentile(Aggregate):
    """``_Percentile("x", fraction=0.5)`` is the median of x."""

    template = "percentile_cont(%(fraction)s) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = DurationField()


@dataclass(frozen=True)
class Delay:
    """How long people waited from their confirmed request to the first word: half of them, and nine in ten, less."""

    median: timedelta
    ninetieth: timedelta


@dataclass(frozen=True)
class Month:
    """The decisions of a month that begins on ``first``; ``delay`` is None where nobody was judged."""

    first: date
    made: Mapping[DecisionKind, int]
    delay: Delay | None


@dataclass(frozen=True)
class Figures:
    """``months`` are the last twelve, the present one last; ``delay`` and ``reasons`` are of all twelve."""

    waiting: int
    asked: int
    oldest_on: date | None
    delay: Delay | None
    reasons: Mapping[RefusalReason, int]
    months: list[Month]

    @property
    def made(self) -> dict[DecisionKind, int]:
        return {kind: sum(month.made[kind] for month in self.months) for kind in DecisionKind}


def _firsts(today: date) -> list[date]:
    """The first days of the last twelve months."""
    last = today.year * 12 + today.month - 1
    return [date(number // 12, number % 12 + 1, 1) for number in range(last - MONTHS + 1, last + 1)]


def _judgements(rows: QuerySet[Decision]) -> QuerySet[Any]:
    """The first word about each file: what was changed later, by whoever, was nobody's waiting."""
    moved_before = AccessMove.objects.filter(access=OuterRef("access"), at__lt=OuterRef("made_at"))
    waited = ExpressionWrapper(F("made_at") - F("access__confirmed_at"), output_field=DurationField())
    return rows.filter(~Exists(moved_before), kind__in=[DecisionKind.CERTIFY, DecisionKind.REFUSE]).annotate(
        waited=waited
    )


_DELAY = {"median": _Percentile("waited", fraction=0.5), "ninetieth": _Percentile("waited", fraction=0.9)}


def _delay(told: Mapping[str, timedelta | None]) -> Delay | None:
    median, ninetieth = told["median"], told["ninetieth"]
    return Delay(median, ninetieth) if median is not None and ninetieth is not None else None


def figures(*, desk: Desk, at: datetime) -> Figures:
    """The desk's figures at ``at``. Six queries, whatever the number of decisions."""
    counts = queue.counts(desk=desk, filters=Filters(), at=at)
    waiting = queue.rows_of(tab=Tab.TO_TREAT, desk=desk, filters=Filters(), at=at)
    oldest = waiting.order_by("confirmed_at").values_list("confirmed_at", flat=True).first()
    firsts = _firsts(localdate(at))
    begun = datetime.combine(firsts[0], time.min, tzinfo=get_current_timezone())
    standing = [DecisionStatus.HELD, DecisionStatus.APPLIED]
    rows = decisions_of(desk).filter(status__in=standing, made_at__gte=begun, made_at__lte=at)
    by_month = rows.annotate(month=TruncMonth("made_at", output_field=DateField())).order_by()
    made = {first: dict.fromkeys(DecisionKind, 0) for first in firsts}
    reasons = dict.fromkeys(RefusalReason, 0)
    for month, kind, reason, number in by_month.values_list("month", "kind", "reason").annotate(number=Count("pk")):
        made[month][DecisionKind(kind)] += number
        if reason:
            reasons[RefusalReason(reason)] += number
    delays = {each["month"]: _delay(each) for each in _judgements(by_month).values("month").annotate(**_DELAY)}
    return Figures(
        waiting=counts[Tab.TO_TREAT],
        asked=counts[Tab.ASKED],
        oldest_on=localdate(oldest) if oldest else None,
        delay=_delay(_judgements(rows).aggregate(**_DELAY)),
        reasons=reasons,
        months=[Month(first, made[first], delays.get(first)) for first in firsts],
    )
