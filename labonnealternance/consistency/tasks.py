"""The clock's doors to the checks."""

import contextlib

from celery import shared_task
from django.utils import timezone

from labonnealternance.consistency import actions
from labonnealternance.kit.commands import AlreadyRunning


@shared_task(name="consistency.run_night")
def run_night():
    """Once a night: looks at all that must hold, and writes to support when something does not."""
    with contextlib.suppress(AlreadyRunning):
        actions.run_night(at=timezone.now())


@shared_task(name="consistency.run_asked")
def run_asked():
    """Each minute: does what somebody asked for in the back-office."""
    with contextlib.suppress(AlreadyRunning):
        actions.run_asked(at=timezone.now())
