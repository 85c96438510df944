"""Who judges recruiters in the name of an OPCO."""

from django.conf import settings
from django.db import models

from companies.models import Opco


class AdvisorQuerySet(models.QuerySet["Advisor"]):
    def active(self):
        """Those whose person still enters, too."""
        return self.filter(deactivated_at__isnull=True, user__is_active=True)


class Advisor(models.Model):
    """A person who sees one OPCO's files, until they are deactivated. The row is looked up at each request."""

    # An account is deleted only where it never signed in: it left nothing behind.
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="advisor", verbose_name="personne"
    )
    opco = models.ForeignKey(Opco, on_delete=models.PROTECT, related_name="advisors", verbose_name="OPCO")
    created_at = models.DateTimeField("créé le")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", verbose_name="créé par"
    )
    deactivated_at = models.DateTimeField("désactivé le", null=True, blank=True)
    deactivated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="désactivé par",
    )

    objects = AdvisorQuerySet.as_manager()

    class Meta:
        verbose_name = "conseiller OPCO"
        verbose_name_plural = "conseillers OPCO"

    def __str__(self):
        return f"Conseiller {self.pk}"

    @property
    def is_active(self) -> bool:
        """The same as ``active()`` of the table."""
        return self.deactivated_at is None and self.user.is_active
