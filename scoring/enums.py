"""How a run of the score can stand."""

from django.db import models


class RunStatus(models.TextChoices):
    """The life of a run; whether its release is online is told by the release."""

    RUNNING = "running", "En cours"
    SUCCEEDED = "succeeded", "Réussi"
    REFUSED = "refused", "Refusé"
    FAILED = "failed", "En échec"
    INTERRUPTED = "interrupted", "Interrompu"


class GateFamily(models.TextChoices):
    """What a gate looks at."""

    DATA = "data", "Données"
    MODEL = "model", "Modèle"
