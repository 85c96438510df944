"""The clock's doors."""

from celery import shared_task
from django.utils import timezone

from unsubscribe.actions import clock


@shared_task(name="unsubscribe.purge")
def purge():
    """Each night: links that expired, documents that were treated, requests and reports whose time is over."""
    clock.purge(at=timezone.now())
