"""Suggestions of jobs and places: ``DATA_DIR=… python -m tests.bench.bench_suggestions [--rounds N]``.

Each keystroke of the texts below is asked (from the second letter on, as the page does), warm, one after the other:

- jobs and places as the page asks them (all the queries and the Python around);
- the query that one would write first: ``icontains`` on the label, for the text as typed.

Works in a database of its own, loaded from ``DATA_DIR`` (else from the sample) and dropped at the end. The table is
printed, and kept as JSON in ``bench-results/``.
"""

import argparse
import json
import os
import platform
import statistics
import time
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg

from labonnealternance.embedded import postgres, services

DATABASE = "bench_suggestions"
PROJECT = Path(__file__).resolve().parents[2]
JOBS = [
    "développeur web", "dev web", "boulangère", "mecanicien auto", "secrétaire médicale", "comptable", "électricien",
    "coiffeuse", "vendeuse en prêt-à-porter", "aide soignante", "plombier chauffagiste", "assistant rh", "commercial",
    "technicien de maintenance", "préparateur de commandes", "chargé de communication", "éducateur de jeunes enfants",
]  # fmt: skip
MISTYPED_JOBS = [
    "coifeur",
    "plonbier",
    "secretere medicale",
    "chaudronier",
    "electrisien",
    "boulangerre",
    "infirmiere xyz",
]
PLACES = [
    "metz", "paris 11", "saint-étienne", "le havre", "la rochelle", "aix-en-provence", "57000", "69003", "lyon 3e",
    "montpellier", "villeurbanne", "sarlat-la-canéda", "saint-denis", "bourg-en-bresse", "clermont-ferrand",
    "strasbourg",
]  # fmt: skip
MISTYPED_PLACES = ["marseile", "bordaux", "villeurbane", "monpellier", "strasbour67", "grenobl cedex", "perpinian"]


def keystrokes(texts: list[str]) -> list[str]:
    """What has been typed after each key."""
    return [text[:length] for text in texts for length in range(2, len(text) + 1)]


def measure(ask, texts: list[str], rounds: int) -> dict:
    """Milliseconds of each ask: median, 95th percentile, worst."""
    for text in texts:
        ask(text)
    times = []
    for _ in range(rounds):
        for text in texts:
            begun = time.perf_counter()
            ask(text)
            times.append((time.perf_counter() - begun) * 1000)
    cuts = statistics.quantiles(times, n=100)
    return {"asks": len(times), "p50": round(cuts[49], 2), "p95": round(cuts[94], 2), "worst": round(max(times), 1)}


def results(rounds: int) -> dict:
    """Loads the tables and measures."""
    from django.core.management import call_command

    from companies.actions.references import suggest_jobs, suggest_places
    from companies.models import Commune, RomeAppellation

    call_command("migrate", verbosity=0)
    call_command("import_references")

    def naive_jobs(text: str) -> list:
        return list(RomeAppellation.objects.filter(label__icontains=text).order_by("label")[:10])

    def naive_places(text: str) -> list:
        return list(Commune.objects.filter(name__icontains=text).order_by("-population")[:10])

    def jobs(text: str) -> list:
        return suggest_jobs(text=text)

    def places(text: str) -> list:
        return suggest_places(text=text)

    return {
        "jobs, each keystroke": measure(jobs, keystrokes(JOBS), rounds),
        "jobs, mistyped": measure(jobs, MISTYPED_JOBS, rounds * 5),
        "jobs, icontains": measure(naive_jobs, keystrokes(JOBS), rounds),
        "places, each keystroke": measure(places, keystrokes(PLACES), rounds),
        "places, mistyped": measure(places, MISTYPED_PLACES, rounds * 5),
        "places, icontains": measure(naive_places, keystrokes(PLACES), rounds),
        "rows": {"appellations": RomeAppellation.objects.count(), "communes": Commune.objects.count()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "labonnealternance.settings.local")
    with services():
        server = os.environ.get("DATABASE_URL") or (
            f"postgres://{postgres.USER}@{quote(postgres.host(), safe='')}/{postgres.DATABASE}"
        )
        with psycopg.connect(server, autocommit=True) as admin:
            admin.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
            admin.execute(f"CREATE DATABASE {DATABASE}")
            os.environ["DATABASE_URL"] = urlunsplit(urlsplit(server)._replace(path=f"/{DATABASE}"))
            try:
                import django

                django.setup()
                measured = results(arguments.rounds)
                from django.db import connection

                connection.close()
            finally:
                admin.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
    print(f"{measured['rows']['appellations']} appellations, {measured['rows']['communes']} communes")
    print(f"{'':26}{'asks':>7}{'p50':>8}{'p95':>8}{'worst':>8}   (ms)")
    for name, row in measured.items():
        if name != "rows":
            print(f"{name:26}{row['asks']:>7}{row['p50']:>8}{row['p95']:>8}{row['worst']:>8}")
    folder = PROJECT / "bench-results"
    folder.mkdir(exist_ok=True)
    measured["machine"] = {"python": platform.python_version(), "cores": os.cpu_count()}
    (folder / "suggestions.json").write_text(json.dumps(measured, indent=2))


if __name__ == "__main__":
    main()
