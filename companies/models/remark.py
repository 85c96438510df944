"""What support notes about an establishment, for colleagues."""

from django.conf import settings
from django.db import models
from django.db.models import Q

LONGEST_REMARK = 2000


class RemarkQuerySet(models.QuerySet["Remark"]):
    def about(self, siret: str):
        """Newest first."""
        return self.filter(siret=siret).order_by("-at", "-pk")


class Remark(models.Model):
    """A note about a SIRET, imported or not. Never edited: taken away, and then its text is gone."""

    siret = models.CharField("SIRET", max_length=14)
    text = models.TextField("remarque", blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name="auteur")
    at = models.DateTimeField("écrite le")
    removed_at = models.DateTimeField("retirée le", null=True, blank=True)
    removed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="retirée par",
    )

    objects = RemarkQuerySet.as_manager()

    class Meta:
        verbose_name = "remarque"
        constraints = [
            models.CheckConstraint(
                condition=Q(siret__regex=r"^\d{14}$"),
                name="remark_siret_has_14_digits",
                violation_error_message="Un SIRET a 14 chiffres.",
            ),
            models.CheckConstraint(
                condition=(Q(removed_at__isnull=True, removed_by__isnull=True) & ~Q(text=""))
                | Q(removed_at__isnull=False, removed_by__isnull=False, text=""),
                name="remark_has_a_text_until_someone_removes_it",
                violation_error_message="Une remarque a un texte, que seule la personne qui la retire efface.",
            ),
        ]
        indexes = [models.Index(fields=["siret", "-at", "-id"], name="remark_latest")]

    def __str__(self):
        return f"Remarque {self.pk}"
