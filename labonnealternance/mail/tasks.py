"""The worker's and the clock's doors to the outbox."""

from uuid import UUID

from celery import shared_task
from django.utils import timezone

from labonnealternance.mail import actions


@shared_task(name="mail.send")
def send(message_id: str):
    """Sends one message at once: the wake-up of a freshly written one."""
    actions.deliver(message_id=UUID(message_id), at=timezone.now())


@shared_task(name="mail.sweep")
def sweep():
    """Each minute: sends what is due, whoever wrote it and whatever the broker lost."""
    actions.deliver_due(at=timezone.now())


@shared_task(name="mail.erase_old")
def erase_old():
    """Each night: forgets what is too old to be kept."""
    actions.erase_old(at=timezone.now())
