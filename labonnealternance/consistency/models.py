"""What the checks said, and since when."""

from django.conf import settings
from django.db import models

from labonnealternance.consistency.enums import Outcome, Told
from labonnealternance.kit.consistency import MOST_COUNTED

# Beyond, the oldest are forgotten.
RUNS_KEPT = 100


class RunQuerySet(models.QuerySet["Run"]):
    def waiting(self):
        """Asked for, and not begun."""
        return self.filter(started_at__isnull=True)

    def finished(self):
        return self.filter(finished_at__isnull=False)


class Run(models.Model):
    """All the checks, looked at one after the other: at night, or because somebody asked."""

    asked_at = models.DateTimeField("demandé le")
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="demandé par",
    )
    # The day (Paris) whose night it is: two clocks are one.
    night = models.DateField(
        "nuit du", null=True, blank=True, unique=True, error_messages={"unique": "Cette nuit a déjà ses contrôles."}
    )
    started_at = models.DateTimeField("début", null=True, blank=True)
    finished_at = models.DateTimeField("fin", null=True, blank=True)
    told = models.CharField("e-mail écrit", max_length=10, choices=Told, blank=True)

    objects = RunQuerySet.as_manager()

    class Meta:
        verbose_name = "passage des contrôles"
        verbose_name_plural = "passages des contrôles"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(finished_at__isnull=True) | models.Q(started_at__isnull=False),
                name="consistency_run_began_before_it_ended",
                violation_error_message="Un passage terminé a commencé.",
            )
        ]

    def __str__(self):
        return f"Passage {self.pk}"


class Result(models.Model):
    """What one check said in one run. ``examples``: ``{"label": …, "page": path or ""}``."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="results", verbose_name="passage")
    name = models.CharField("contrôle", max_length=100)
    rule = models.CharField("règle", max_length=500)
    remedy = models.CharField("remède", max_length=500, blank=True)
    outcome = models.CharField("constat", max_length=10, choices=Outcome)
    count = models.PositiveIntegerField("défauts", default=0)
    examples = models.JSONField("exemples", default=list)
    error = models.CharField("erreur", max_length=300, blank=True)
    failing_since = models.DateTimeField("en défaut depuis", null=True, blank=True)
    seconds = models.FloatField("durée en secondes", default=0)

    class Meta:
        verbose_name = "constat"
        constraints = [
            models.UniqueConstraint(
                fields=["run", "name"],
                name="consistency_one_result_per_check_and_run",
                violation_error_message="Ce contrôle a déjà un constat dans ce passage.",
            ),
            models.CheckConstraint(
                condition=models.Q(outcome=Outcome.HOLDS) ^ models.Q(failing_since__isnull=False),
                name="consistency_failing_since_while_failing",
                violation_error_message="Un contrôle en défaut, et lui seul, l’est depuis un moment.",
            ),
        ]

    def __str__(self):
        return f"{self.name} : {self.get_outcome_display()}"

    @property
    def holds(self) -> bool:
        return self.outcome == Outcome.HOLDS

    @property
    def told_count(self) -> str:
        """The number of faults as it is read."""
        if self.count > MOST_COUNTED:
            return f"plus de {MOST_COUNTED} défauts"
        return f"{self.count} défaut{'s' if self.count > 1 else ''}"
