"""The clock's doors."""

from celery import shared_task
from django.utils import timezone

from opco.actions import clock, telling


@shared_task(name="opco.apply_decisions")
def apply_decisions():
    """Every 15 seconds: applies the decisions whose minute is over."""
    clock.apply_due(at=timezone.now())


@shared_task(name="opco.erase_old")
def erase_old():
    """Each night: erases texts that are two years old."""
    clock.erase_old(at=timezone.now())


@shared_task(name="opco.tell_new")
def tell_new():
    """Each minute: advisors are told of the files that are new to them."""
    telling.tell_new(at=timezone.now())


@shared_task(name="opco.remind")
def remind():
    """Each hour from 8:30, three days a week: what waits, told once a day."""
    telling.remind(at=timezone.now())
