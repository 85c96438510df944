"""What must hold of the score's runs."""

from datetime import datetime, timedelta

from labonnealternance.kit.consistency import Check
from scoring.enums import RunStatus
from scoring.models import Run

LONGEST = timedelta(days=1)


def never_ended(at: datetime):
    return Run.objects.filter(status=RunStatus.RUNNING, started_at__lt=at - LONGEST).order_by("started_at")


CHECKS = [
    Check(
        "scoring.never_ended",
        "Un calcul du score se termine dans la journée.",
        never_ended,
        "Il a été arrêté sans pouvoir le dire : le prochain calcul le marque interrompu.",
    )
]
