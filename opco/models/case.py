"""What the queue itself knows of a file: who is on it, what was asked and answered, what colleagues noted."""

import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models

from offers.models import Access
from opco.models.decision import Decision

# A file that was taken is free again after this long: nobody's holiday stops a recruiter.
TAKING = timedelta(hours=2)
LONGEST_TEXT = 2000


class Case(models.Model):
    """The queue's own row about an access, made on demand: without one nobody took it, and nothing was asked."""

    access = models.OneToOneField(
        Access, on_delete=models.PROTECT, primary_key=True, related_name="case", verbose_name="accès"
    )
    taken_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="pris par",
    )
    taken_at = models.DateTimeField("pris le", null=True, blank=True)
    # The person's answer is awaited since…
    asked_at = models.DateTimeField("informations demandées le", null=True, blank=True)
    # …or came, and waits for an advisor.
    answered_at = models.DateTimeField("réponse reçue le", null=True, blank=True)

    class Meta:
        verbose_name = "dossier"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(taken_by__isnull=True, taken_at__isnull=True)
                | models.Q(taken_by__isnull=False, taken_at__isnull=False),
                name="opco_case_taken_by_someone_at_some_time",
                violation_error_message="Un dossier pris l’est par quelqu’un, depuis un moment.",
            ),
            models.CheckConstraint(
                condition=models.Q(asked_at__isnull=True) | models.Q(answered_at__isnull=True),
                name="opco_case_asked_or_answered",
                violation_error_message="Un dossier attend une réponse, ou l’a reçue.",
            ),
        ]

    def __str__(self):
        return f"Dossier {self.pk}"

    def is_taken(self, at: datetime) -> bool:
        """Whether someone is still on it at ``at``."""
        return self.taken_at is not None and self.taken_at > at - TAKING


class Note(models.Model):
    """What an advisor writes for colleagues."""

    access = models.ForeignKey(Access, on_delete=models.PROTECT, related_name="notes", verbose_name="accès")
    # Drawn when the form is shown: the same form sent twice is one note.
    key = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name="auteur")
    at = models.DateTimeField("écrite le", db_index=True)
    text = models.TextField("texte")

    class Meta:
        verbose_name = "note"

    def __str__(self):
        return f"Note {self.pk}"


class Answer(models.Model):
    """What the recruiter answers to what an advisor asked."""

    question = models.ForeignKey(Decision, on_delete=models.PROTECT, related_name="answers", verbose_name="question")
    # Drawn when the form is shown: the same form sent twice is one answer.
    key = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    at = models.DateTimeField("reçue le", db_index=True)
    text = models.TextField("texte")

    class Meta:
        verbose_name = "réponse"

    def __str__(self):
        return f"Réponse {self.pk}"
