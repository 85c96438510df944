"""Closed lists of the consistency checks."""

from django.db import models


class Outcome(models.TextChoices):
    """What a check said."""

    HOLDS = "holds", "Rien à signaler"
    FAILS = "fails", "En défaut"
    CRASHED = "crashed", "N’a pas pu être fait"


class Told(models.TextChoices):
    """What the night's e-mail said."""

    FAILURES = "failures", "Des contrôles sont en défaut"
    WELL = "well", "Tout est rentré dans l’ordre"
