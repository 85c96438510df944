"""Putting a score online, and taking it back: what support may do from its pages, without the model's libraries."""

from datetime import datetime

from companies.actions import hiring_potentials
from companies.actions.hiring_potentials import ReasonMissing
from companies.models import Release
from labonnealternance.accounts.models import User
from labonnealternance.kit.states import ForbiddenMove
from scoring.models import Run


def publish(*, run_id: int, by: User, at: datetime, reason: str) -> Release:
    """A person puts the release of a run online, gates passed or not: their name and reason stay in its journal.

    Raises ``ReasonMissing`` without a reason, ``ForbiddenMove`` where the run has no release that can be published,
    ``AlreadyRunning`` during another publication.
    """
    if not reason.strip():
        raise ReasonMissing
    run = Run.objects.select_related("release").get(pk=run_id)
    if run.release_id is None:
        raise ForbiddenMove(f"Le {str(run).lower()} n'a pas de livraison à mettre en ligne.")
    return hiring_potentials.publish(release_id=run.release_id, by=by, at=at, reason=reason)


def rollback(*, by: User, at: datetime, reason: str) -> Release:
    """Puts the previous release back online, at once. Raises ``ReasonMissing`` and ``NothingToRollBackTo``."""
    return hiring_potentials.rollback(by=by, at=at, reason=reason)
