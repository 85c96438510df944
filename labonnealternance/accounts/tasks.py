"""What time does to accounts."""

from celery import shared_task
from django.utils import timezone

from labonnealternance.accounts import actions


@shared_task(name="accounts.purge")
def purge() -> None:
    """Every night: expired links, counters, sessions and failures, and people without activity for two years."""
    actions.purge(at=timezone.now())
