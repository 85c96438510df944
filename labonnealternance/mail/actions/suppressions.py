"""Leave an address alone, and write to it again."""

from datetime import datetime

from django.db import transaction

from labonnealternance.mail.enums import SuppressionReason, SuppressionSource
from labonnealternance.mail.models import Suppression


class ReasonMissing(ValueError):
    """A suppression is lifted with a reason."""


@transaction.atomic
def suppress(
    *, address: str, reason: SuppressionReason, source: SuppressionSource, by, at: datetime, comment: str = ""
) -> Suppression:
    """From now on nothing is sent to ``address``; told twice, the first one stands."""
    address = address.strip().lower()
    Suppression.objects.bulk_create(
        [Suppression(address=address, reason=reason, source=source, by=by, at=at, comment=comment)],
        ignore_conflicts=True,
    )
    return Suppression.objects.in_force().get(address=address)


@transaction.atomic
def lift(*, address: str, by, at: datetime, reason: str) -> Suppression | None:
    """``address`` may be written to again; returns what was lifted, or None when nothing was in force."""
    reason = reason.strip()
    if not reason:
        raise ReasonMissing
    suppression = (
        Suppression.objects.in_force().select_for_update(of=("self",)).filter(address=address.strip().lower()).first()
    )
    if suppression:
        suppression.lifted_at, suppression.lifted_by, suppression.lift_reason = at, by, reason
        suppression.save(update_fields=["lifted_at", "lifted_by", "lift_reason"])
    return suppression
