"""What people are called, and moments as a sentence tells them."""

from datetime import datetime

from django.utils.timezone import localdate, localtime

from labonnealternance.accounts.models import User
from labonnealternance.kit.text import french_time


def name_of(person: User | None) -> str:
    """A colleague by name; None is the service itself."""
    return person.get_full_name() if person else "le service, automatiquement"


def moment(at: datetime, *, now: datetime) -> str:
    """``at`` as it is told at ``now``: the hour, and the day where it is another one."""
    day = "" if localdate(at) == localdate(now) else f"le {localtime(at):%d/%m/%Y} "
    return f"{day}à {french_time(at)}"
