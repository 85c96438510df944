"""Counters of what someone does within a time (``limits.py``); what support read of people (``readings.py``)."""

from django.conf import settings
from django.db import models


class Counter(models.Model):
    """How often something happened in a window that ends at ``ends_at``; the key is a digest and names nobody."""

    key = models.CharField("empreinte", max_length=64, primary_key=True)
    hits = models.PositiveIntegerField("nombre")
    ends_at = models.DateTimeField("fin de la fenêtre")

    class Meta:
        verbose_name = "compteur"
        indexes = [models.Index(fields=["ends_at"], name="kit_counter_ends_at")]

    def __str__(self):
        return f"{self.key[:8]} : {self.hits}"


class Reading(models.Model):
    """A member of support opened a page about an object that holds personal data, or took data out.

    It names the object by its key alone: the journal tells nothing more of anybody.
    """

    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name="par")
    at = models.DateTimeField("le")
    screen = models.CharField("écran", max_length=60)
    # « accounts.user »; the key is empty for what is about no object (an export of an address without an account).
    model = models.CharField("objet", max_length=60)
    object_key = models.CharField("identifiant", max_length=40, blank=True)

    class Meta:
        verbose_name = "consultation"
        indexes = [
            # The journal, latest first, and what is purged of it.
            models.Index(fields=["-at", "-id"], name="kit_reading_latest"),
            models.Index(fields=["model", "object_key"], name="kit_reading_about"),
        ]

    def __str__(self):
        return f"Consultation {self.pk}"
