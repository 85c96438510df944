"""The runs of the score: what each one read, found and was allowed to do."""

from pathlib import Path

from django.conf import settings
from django.db import models

from companies.models import Release
from labonnealternance.kit.states import Move, WithStatus
from scoring.enums import GateFamily, RunStatus


class Run(WithStatus):
    """One computation of the score, from the files to the verdicts.

    ``report`` holds every figure (``scoring.pipeline.run``); the model and the predictions are files in ``folder``.
    """

    MOVES = {
        RunStatus.RUNNING: {RunStatus.SUCCEEDED, RunStatus.REFUSED, RunStatus.FAILED, RunStatus.INTERRUPTED},
        RunStatus.SUCCEEDED: set(),
        RunStatus.REFUSED: set(),
        RunStatus.FAILED: set(),
        RunStatus.INTERRUPTED: set(),
    }

    status = models.CharField("état", max_length=12, choices=RunStatus, default=RunStatus.RUNNING)
    started_at = models.DateTimeField("début")
    finished_at = models.DateTimeField("fin", null=True)
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        verbose_name="lancé par",
    )
    history = models.CharField("historique", max_length=255)
    seed = models.PositiveIntegerField("graine")
    parameters = models.JSONField("paramètres", default=dict)
    report = models.JSONField("mesures", default=dict)
    refusal = models.TextField("raison", blank=True)
    release = models.ForeignKey(
        Release, on_delete=models.PROTECT, null=True, related_name="score_runs", verbose_name="livraison"
    )

    class Meta:
        verbose_name = "calcul du score"
        verbose_name_plural = "calculs du score"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status=RunStatus.RUNNING, finished_at__isnull=True)
                | (~models.Q(status=RunStatus.RUNNING) & models.Q(finished_at__isnull=False)),
                name="run_is_finished_or_running",
                violation_error_message="Un calcul est en cours, ou il a une date de fin.",
            )
        ]
        indexes = [models.Index(fields=["-started_at"], name="run_latest")]

    def __str__(self):
        return f"Calcul {self.pk}"

    @property
    def folder(self) -> Path:
        """Where the model, the predictions and the quarantine of this run are kept."""
        return Path(settings.SCORING_DIR) / "runs" / str(self.pk)

    @property
    def can_be_published(self) -> bool:
        """Whether it has a release that waits, or that was withdrawn and is still kept."""
        return self.release is not None and self.release.is_publishable

    def move(self, *, to, by, at, reason=""):
        """Only writer of ``status``; every move leaves a line in the journal."""
        self._pass_to(to, by=by, at=at, reason=reason)
        self.finished_at, self.refusal = at, reason
        self.save(update_fields=["status", "finished_at", "refusal"])


class RunMove(Move):
    """One line of a run's journal."""

    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="journal", verbose_name="calcul")
    from_status = models.CharField("de", max_length=12, choices=RunStatus)
    to_status = models.CharField("à", max_length=12, choices=RunStatus)

    def __str__(self):
        return f"{self.run} : {self.get_from_status_display()} → {self.get_to_status_display()}"


class GateVerdict(models.Model):
    """What one gate said of one run, for the country or for a département."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="verdicts", verbose_name="calcul")
    family = models.CharField("famille", max_length=5, choices=GateFamily)
    gate = models.CharField("contrôle", max_length=100)
    departement = models.CharField("département", max_length=10, blank=True)
    passed = models.BooleanField("passé")
    measure = models.FloatField("mesure", null=True)
    limit = models.FloatField("limite")
    sentence = models.CharField("constat", max_length=300)

    class Meta:
        verbose_name = "verdict"
        constraints = [
            models.UniqueConstraint(
                fields=["run", "gate", "departement"],
                name="one_verdict_per_gate_and_departement",
                violation_error_message="Ce contrôle a déjà un verdict pour ce département.",
            )
        ]

    def __str__(self):
        return f"{self.gate} {self.departement}".strip()
