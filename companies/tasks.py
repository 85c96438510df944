"""The clock's doors: what happens to establishments each minute and each night."""

import contextlib

from celery import shared_task
from django.utils import timezone

from companies.actions import hiring_potentials, registrations
from labonnealternance.kit.commands import AlreadyRunning


@shared_task(name="companies.publish_asked")
def publish_asked():
    """Each minute: publishes the release that a person asked for."""
    with contextlib.suppress(AlreadyRunning):
        hiring_potentials.publish_asked(at=timezone.now())


@shared_task(name="companies.renew_search_order")
def renew_search_order():
    """Each night: the order of the day. A publication that runs meanwhile brings it by itself."""
    with contextlib.suppress(AlreadyRunning):
        hiring_potentials.renew_order(at=timezone.now())


@shared_task(name="companies.verify_pending")
def verify_pending():
    """Every ten minutes: the registrations made while the registry of companies was silent."""
    with contextlib.suppress(AlreadyRunning):
        registrations.verify_pending(at=timezone.now())
