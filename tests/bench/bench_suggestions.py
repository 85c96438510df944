"""Suggestions: ``DATA_DIR=… python -m tests.bench.bench_suggestions [--rounds N] [--establishments N]``.

Each keystroke of the texts below is asked (from the second letter on, as the page does), warm, one after the other:

- jobs, places and establishments as the pages ask them (all the queries and the Python around);
- the query that one would write first: ``icontains`` on the label, for the text as typed.

Establishments (a million, ``tests/bench/shops.py``) live in the communes of ``DATA_DIR``, else of the sample.

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

ESTABLISHMENTS = [
    "boulangerie metz", "boulangerie de la gare paris", "garage dulier", "coiffure lyon 3", "café de la gare",
    "pharmacie saint-étienne", "sarl mardet", "restaurant le havre", "hotel 57000", "electricité nantes",
    "institut beauté bordeaux", "société barnard",
]  # fmt: skip
MISTYPED_ESTABLISHMENTS = ["boulangrie metz", "coifure", "pharmacie sentrale", "restaurent le havre", "garaje lille"]
SIRETS = ["00000012300003", "000 012 345", "000987"]


def keystrokes(texts: list[str]) -> list[str]:
    """What has been typed after each key."""
    return [text[:length] for text in texts for length in range(2, len(text) + 1)]


def measure(ask, texts: list[str], rounds: int) -> dict:
    """Milliseconds of each ask: median, 95th percentile, worst; and of processor, which neighbours change less."""
    from tests.bench.bench_search import processor_clock

    for text in texts:
        ask(text)
    clock = processor_clock()
    times, taken = [], []
    for _ in range(rounds):
        for text in texts:
            begun, used = time.perf_counter(), clock()
            ask(text)
            times.append((time.perf_counter() - begun) * 1000)
            taken.append(clock() - used)
    cuts, processor = statistics.quantiles(times, n=100), statistics.quantiles(taken, n=100)
    return {
        "asks": len(times), "p50": round(cuts[49], 1), "p95": round(cuts[94], 1), "worst": round(max(times), 1),
        "cpu p50": round(processor[49], 1), "cpu p95": round(processor[94], 1),
    }  # fmt: skip


def results(rounds: int, count: int) -> dict:
    """Loads the tables and measures."""
    from django.core.management import call_command
    from django.utils import timezone

    from companies.actions.references import suggest_jobs, suggest_places
    from companies.actions.suggestions import suggest_establishments
    from companies.models import Commune, Establishment, RomeAppellation
    from tests.bench import shops

    call_command("migrate", verbosity=0)
    call_command("import_references")
    shops.load(count)
    at = timezone.now()

    def naive_jobs(text: str) -> list:
        return list(RomeAppellation.objects.filter(label__icontains=text).order_by("label")[:10])

    def naive_places(text: str) -> list:
        return list(Commune.objects.filter(name__icontains=text).order_by("-population")[:10])

    def jobs(text: str) -> list:
        return suggest_jobs(text=text)

    def places(text: str) -> list:
        return suggest_places(text=text)

    def establishments(text: str) -> list:
        return suggest_establishments(text=text, at=at)

    def naive_establishments(text: str) -> list:
        return list(Establishment.objects.filter(name__icontains=text).order_by("name")[:8])

    return {
        "establishments, keystroke": measure(establishments, keystrokes(ESTABLISHMENTS), rounds),
        "establishments, mistyped": measure(establishments, MISTYPED_ESTABLISHMENTS, rounds * 5),
        "establishments, digits": measure(establishments, keystrokes(SIRETS), rounds),
        "establishments, icontains": measure(naive_establishments, ESTABLISHMENTS[:4], 1),
        "jobs, each keystroke": measure(jobs, keystrokes(JOBS), rounds),
        "jobs, mistyped": measure(jobs, MISTYPED_JOBS, rounds * 5),
        "jobs, icontains": measure(naive_jobs, keystrokes(JOBS), rounds),
        "places, each keystroke": measure(places, keystrokes(PLACES), rounds),
        "places, mistyped": measure(places, MISTYPED_PLACES, rounds * 5),
        "places, icontains": measure(naive_places, keystrokes(PLACES), rounds),
        "rows": {
            "appellations": RomeAppellation.objects.count(),
            "communes": Commune.objects.count(),
            "establishments": count,
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--establishments", type=int, default=1_000_000)
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
                measured = results(arguments.rounds, arguments.establishments)
                from django.db import connection

                connection.close()
            finally:
                admin.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
    print(", ".join(f"{count} {name}" for name, count in measured["rows"].items()))
    columns = ("asks", "p50", "p95", "worst", "cpu p50", "cpu p95")
    print(f"{'':27}" + "".join(f"{name:>9}" for name in columns) + "   (ms)")
    for name, row in measured.items():
        if name != "rows":
            print(f"{name:27}" + "".join(f"{row[column]:>9}" for column in columns))
    folder = PROJECT / "bench-results"
    folder.mkdir(exist_ok=True)
    measured["machine"] = {"python": platform.python_version(), "cores": os.cpu_count()}
    (folder / "suggestions.json").write_text(json.dumps(measured, indent=2))


if __name__ == "__main__":
    main()
