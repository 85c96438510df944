"""Look at all that must hold, keep what was seen, and tell support when something does not."""

from datetime import datetime

import structlog
from celery import current_app
from django.db import transaction
from django.utils.timezone import localdate

from labonnealternance.accounts.models import User
from labonnealternance.consistency import emails
from labonnealternance.consistency.enums import Outcome, Told
from labonnealternance.consistency.models import RUNS_KEPT, Result, Run
from labonnealternance.kit import consistency
from labonnealternance.kit.commands import single_run

logger = structlog.get_logger(__name__)

_ALONE = "consistency"


@transaction.atomic
def ask(*, by: User, at: datetime) -> Run:
    """A worker will look within the minute; asked twice before it began, it looks once."""
    waiting = Run.objects.waiting().order_by("pk").first()
    if waiting:
        return waiting
    run = Run.objects.create(asked_at=at, asked_by=by)
    transaction.on_commit(_wake, robust=True)
    return run


def _wake() -> None:
    """Best effort: the clock finds the row within a minute."""
    current_app.send_task("consistency.run_asked")


def run_asked(*, at: datetime) -> Run | None:
    """Does what was asked for; raises ``AlreadyRunning`` while another process is at it."""
    with single_run(_ALONE):
        run = Run.objects.waiting().order_by("pk").first()
        return _fill(run, at=at) if run else None


def run_now(*, at: datetime) -> Run:
    """Looks at once, in this process. Raises ``AlreadyRunning``."""
    with single_run(_ALONE):
        return _fill(Run.objects.create(asked_at=at), at=at)


def run_night(*, at: datetime) -> Run | None:
    """Looks once a night, and writes to support: what fails, each night while it does; then that all is well again.

    None where this night was looked at before. One that was stopped in the middle is begun again.
    """
    with single_run(_ALONE):
        run, _ = Run.objects.get_or_create(night=localdate(at), defaults={"asked_at": at})
        if run.finished_at:
            return None
        run.results.all().delete()
        run = _fill(run, at=at)
        _tell(run, at=at)
        return run


def _fill(run: Run, *, at: datetime) -> Run:
    """Each check says its word, one that crashes too; the run is finished when the last one has."""
    before = Run.objects.finished().order_by("-finished_at", "-pk").first()
    since = dict(before.results.values_list("name", "failing_since")) if before else {}
    run.started_at = at
    run.save(update_fields=["started_at"])
    for check in consistency.checks():
        found = consistency.look(check, at=at)
        outcome = Outcome.HOLDS if found.holds else Outcome.CRASHED if found.error else Outcome.FAILS
        Result.objects.create(
            run=run,
            name=check.name,
            rule=check.rule,
            remedy=check.remedy,
            outcome=outcome,
            count=found.count,
            examples=found.examples,
            error=found.error,
            failing_since=None if found.holds else since.get(check.name) or at,
            seconds=found.seconds,
        )
        if not found.holds:
            logger.warning("consistency_check_failed", check=check.name, outcome=outcome.value, count=found.count)
    run.finished_at = at
    run.save(update_fields=["finished_at"])
    kept = Run.objects.order_by("-pk").values_list("pk", flat=True)[:RUNS_KEPT]
    Run.objects.exclude(pk__in=list(kept)).delete()
    return run


@transaction.atomic
def _tell(run: Run, *, at: datetime) -> None:
    failing = list(failures_of(run))
    last = Run.objects.exclude(told="").order_by("-pk").first()
    if failing:
        run.told = Told.FAILURES
        emails.checks_failed(run=run, failing=failing, at=at)
    elif last and last.told == Told.FAILURES:
        run.told = Told.WELL
        emails.checks_hold_again(run=run, at=at)
    run.save(update_fields=["told"])


def failures_of(run: Run):
    """What does not hold, the oldest fault first."""
    return run.results.exclude(outcome=Outcome.HOLDS).order_by("failing_since", "pk")
