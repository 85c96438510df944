"""The clock's doors."""

from celery import shared_task
from django.utils import timezone

from opco.actions import clock


@shared_task(name="opco.apply_decisions")
def apply_decisions():
    """Every 15 seconds: applies the decisions whose minute is over."""
    clock.apply_due(at=timezone.now())


@shared_task(name="opco.erase_old")
def erase_old():
    """Each night: erases texts that are two years old."""
    clock.erase_old(at=timezone.now())
