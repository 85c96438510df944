"""What the queue did of its own, or gave away: who was told of a file, who was reminded, who took a list out."""

from django.conf import settings
from django.db import models

from companies.models import Opco
from offers.models import Access
from opco.enums import Tab


class Told(models.Model):
    """The advisors of an OPCO were told of a file; one that changes OPCO is told to the next one's."""

    access = models.ForeignKey(Access, on_delete=models.CASCADE, related_name="+", verbose_name="accès")
    opco = models.ForeignKey(Opco, on_delete=models.PROTECT, related_name="+", db_index=False, verbose_name="OPCO")
    at = models.DateTimeField("signalé le")

    class Meta:
        verbose_name = "signalement"
        constraints = [
            models.UniqueConstraint(
                fields=["access", "opco"],
                name="opco_told_once_of_a_file",
                violation_error_message="Ce dossier est déjà signalé à cet OPCO.",
            )
        ]

    def __str__(self):
        return f"Signalement {self.pk}"


class Reminder(models.Model):
    """A day when an OPCO's queue was looked at in the morning; ``waiting`` files, none when nobody was written to."""

    opco = models.ForeignKey(Opco, on_delete=models.PROTECT, related_name="+", db_index=False, verbose_name="OPCO")
    day = models.DateField("jour")
    at = models.DateTimeField("le")
    waiting = models.PositiveIntegerField("dossiers à traiter")

    class Meta:
        verbose_name = "rappel"
        constraints = [
            models.UniqueConstraint(
                fields=["opco", "day"],
                name="opco_reminded_once_a_day",
                violation_error_message="Cet OPCO a déjà eu son rappel ce jour-là.",
            )
        ]

    def __str__(self):
        return f"Rappel {self.pk}"


class Export(models.Model):
    """A list of people that left the service as a file: who took it, when, which one, and how many lines it had.

    What it was narrowed by is not kept: it may name someone.
    """

    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name="par")
    opco = models.ForeignKey(
        Opco,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        verbose_name="OPCO",
        help_text="Vide : la liste du support, tous OPCO confondus.",
    )
    tab = models.CharField("liste", max_length=20, choices=Tab)
    is_narrowed = models.BooleanField("filtrée")
    at = models.DateTimeField("le", db_index=True)
    # Empty until the last line, or the last one that left before the reader went away.
    rows = models.PositiveIntegerField("lignes", null=True, blank=True)

    class Meta:
        verbose_name = "export"

    def __str__(self):
        return f"Export {self.pk}"
