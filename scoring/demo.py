"""The demo's establishments and their simulated history, then a first score."""

import os
import shutil
from pathlib import Path

from django.core.management import call_command

from companies.enums import ImportStatus, ReleaseStatus
from companies.models import Contact, EstablishmentImport, Release
from labonnealternance.accounts.demo import SUPPORT
from labonnealternance.embedded import state_dir
from labonnealternance.kit.demo_registry import Step

SEED = 2026


def _history() -> Path:
    return state_dir() / "history"


def _simulate():
    """Written aside first: an interrupted simulation is begun again."""
    aside = state_dir() / "history.part"
    shutil.rmtree(aside, ignore_errors=True)
    size = os.environ.get("DEMO_SIZE") or "12000"
    call_command("simulate_history", "--size", size, "--seed", str(SEED), "--out", str(aside))
    aside.rename(_history())


def _publish_a_first_score():
    """A small draw may fail a gate by chance: the demo's support answers for it, by name, as a person would."""
    answered = ["--publish-anyway", "Démonstration sur des données simulées", "--by", SUPPORT]
    call_command("refresh_scores", "--history", str(_history()), *answered)


def steps():
    return [
        Step("établissements et contrats simulés (aucun n'est réel)", _history().exists, _simulate),
        Step(
            "import des établissements",
            EstablishmentImport.objects.filter(status=ImportStatus.DONE).exists,
            lambda: call_command("import_establishments", str(_history() / "establishments.parquet")),
        ),
        Step(
            "import des contacts",
            Contact.objects.exists,
            lambda: call_command("import_contacts", str(_history() / "contacts.csv")),
        ),
        Step(
            "premier score, calculé et publié",
            Release.objects.filter(status=ReleaseStatus.CURRENT).exists,
            _publish_a_first_score,
        ),
    ]
