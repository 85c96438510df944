"""The clock's door to the score."""

from celery import shared_task
from django.utils import timezone

from companies.actions import explanations


@shared_task(name="scoring.explain")
def explain():
    """A few times a minute: the reasons that pages wait for. The libraries are loaded the first time one does."""
    if explanations.is_asked():
        from scoring.actions.explain import answer_asked

        answer_asked(at=timezone.now())
