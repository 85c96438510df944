"""What members of support read of people, and took out: one line for a page, by keys alone, for a year."""

from datetime import datetime, timedelta

from labonnealternance.kit.models import Reading

KEPT = timedelta(days=365)


def note(*, by, at: datetime, screen: str, model: str, object_key: object = "") -> None:
    """``by`` opened ``screen`` of the object ``object_key`` of ``model`` (« accounts.user »)."""
    Reading.objects.create(by=by, at=at, screen=screen[:60], model=model[:60], object_key=str(object_key)[:40])


def purge(*, at: datetime, dry_run: bool = False) -> int:
    """Deletes the lines over a year old; returns their number."""
    over = Reading.objects.filter(at__lt=at - KEPT)
    return over.count() if dry_run else over.delete()[0]
