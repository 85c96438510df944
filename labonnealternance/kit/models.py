"""Counters of what someone does within a time; what they count is told by ``limits.py``."""

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
