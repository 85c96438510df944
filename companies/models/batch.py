"""Decisions made about many establishments in one go: what was asked, by whom, and whether it was undone."""

from django.conf import settings
from django.db import models

from companies.enums import BatchKind, DecisionReason, DecisionScope


class Batch(models.Model):
    """What one press of a button decided or corrected; its rows name it.

    The key comes from the preview: pressing the button of the same preview twice makes one.
    """

    id = models.UUIDField("numéro", primary_key=True, editable=False)
    kind = models.CharField("décision", max_length=15, choices=BatchKind)
    scope = models.CharField("portée", max_length=5, choices=DecisionScope)
    asked = models.TextField("ce qui a été fait")
    reason = models.CharField("motif", max_length=25, choices=DecisionReason, blank=True)
    comment = models.TextField("commentaire", blank=True)
    # What the preview counted, by the names of ``companies.actions.batches.Effect``.
    counts = models.JSONField("effet", default=dict)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False, verbose_name="auteur"
    )
    at = models.DateTimeField("le")
    undone_at = models.DateTimeField("annulé le", null=True, blank=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        verbose_name="annulé par",
    )
    undone_reason = models.TextField("raison de l’annulation", blank=True)

    class Meta:
        verbose_name = "lot de décisions"
        verbose_name_plural = "lots de décisions"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(undone_at__isnull=True, undone_by__isnull=True, undone_reason="")
                | models.Q(undone_at__isnull=False, undone_by__isnull=False) & ~models.Q(undone_reason=""),
                name="batch_undone_by_someone_for_a_reason",
                violation_error_message="Un lot est annulé par une personne, pour une raison.",
            ),
        ]
        indexes = [models.Index(fields=["-at", "-id"], name="batch_latest")]

    def __str__(self):
        return self.asked
