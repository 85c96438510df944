"""The demo's establishments and their simulated history, then a first score."""

import os
import shutil
from pathlib import Path

from django.core.management import CommandError, call_command

from companies.enums import ImportStatus, ReleaseStatus
from companies.models import Contact, EstablishmentImport, Release
from labonnealternance.accounts.demo import SUPPORT
from labonnealternance.embedded import state_dir
from labonnealternance.kit.demo_registry import Step

SEED = 2027
USUAL_SIZE = 12_000
# Of fewer, too few hire in a window of some month of the year for a score to be learnt.
LEAST_SIZE = 1_000
# Around Metz and Lyon there are as many as in real towns; elsewhere the country is thin.
GATHERED = {"57463": 0.4, "69381": 0.1}


def _history() -> Path:
    return state_dir() / "history"


def _size() -> int:
    """DEMO_SIZE, refused before anything is prepared where nothing could come of it."""
    given = os.environ.get("DEMO_SIZE") or str(USUAL_SIZE)
    if not given.isdecimal() or int(given) < LEAST_SIZE:
        raise CommandError(
            f"DEMO_SIZE={given} : la démonstration compte au moins {LEAST_SIZE} établissements, sans quoi trop peu"
            " recrutent pour calculer un score."
        )
    return int(given)


def _simulate(size: int):
    """Written aside first: an interrupted simulation is begun again."""
    aside = state_dir() / "history.part"
    shutil.rmtree(aside, ignore_errors=True)
    gathered = [f"--gather={code}={share}" for code, share in GATHERED.items()]
    call_command("simulate_history", "--size", str(size), "--seed", str(SEED), *gathered, "--out", str(aside))
    aside.rename(_history())


def _publish_a_first_score():
    """A small draw may fail a gate by chance: the demo's support answers for it, by name, as a person would."""
    answered = ["--publish-anyway", "Démonstration sur des données simulées", "--by", SUPPORT]
    call_command("refresh_scores", "--history", str(_history()), *answered)


def steps():
    size = _size()
    return [
        Step("établissements et contrats simulés (aucun n’est réel)", _history().exists, lambda: _simulate(size)),
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
