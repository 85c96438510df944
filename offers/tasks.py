"""The clock's doors: what happens to offers and registrations each minute, each hour, each night."""

import contextlib

from celery import shared_task
from django.utils import timezone

from labonnealternance.kit.commands import AlreadyRunning
from offers.actions import clock


@shared_task(name="offers.publish_ready")
def publish_ready():
    """Each minute: publishes what nothing holds back any more."""
    clock.publish_ready(at=timezone.now())


@shared_task(name="offers.judge_awaiting")
def judge_awaiting():
    """Every ten minutes: grants what a contact that came meanwhile vouches for."""
    clock.judge_awaiting(at=timezone.now())


@shared_task(name="offers.expire_due")
def expire_due():
    """Each hour, and first right after midnight: ends the offers whose last day is over."""
    clock.expire_due(at=timezone.now())


@shared_task(name="offers.remind_due")
def remind_due():
    """Each hour of the day: the e-mails of the offers that end soon."""
    clock.remind_due(at=timezone.now())


@shared_task(name="offers.remind_registrations")
def remind_registrations():
    """Each hour of the morning: how to finish a registration whose link was not used."""
    clock.remind_registrations(at=timezone.now())


@shared_task(name="offers.close_for_closed_establishments")
def close_for_closed_establishments():
    """Each night: withdraws the offers of establishments that are closed, or may not be shown."""
    clock.close_for_closed_establishments(at=timezone.now())


@shared_task(name="offers.refresh_registry")
def refresh_registry():
    """Each night: what the registry says today of the establishments in use."""
    with contextlib.suppress(AlreadyRunning):
        clock.refresh_registry(at=timezone.now())


@shared_task(name="offers.refresh_positions")
def refresh_positions():
    """Each night: offers are where their establishment is."""
    clock.refresh_positions(at=timezone.now())


@shared_task(name="offers.purge_registrations")
def purge_registrations():
    """Each night: forgets old registrations, and all that the unconfirmed ones brought."""
    clock.purge_registrations(at=timezone.now())
