"""What the reasons of a score cost: ``python -m tests.bench.bench_reasons [--establishments N]``.

A simulated country of N establishments, its score computed as ``refresh_scores`` does, without the database. Then:

- what a run spends and writes to keep the features of those that it exposes, beside the whole run;
- the reasons of one establishment that a page asks for, and of two hundred: reading, computing, wording;
- what it would take to compute those of every exposed establishment after each run, from the rate of a thousand.

Seconds of processor, and ratios to the run itself. A table is printed, and kept as JSON in ``bench-results/``.
"""

import argparse
import datetime as dt
import json
import os
import platform
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
ASKED, SAMPLE = 200, 1_000


def spent(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of processor, and what ``work`` gave."""
    begun = time.process_time()
    given = work()
    return time.process_time() - begun, given


def measure(establishments: int, folder: Path) -> dict:
    import django

    django.setup()
    import numpy as np

    from scoring.actions.explain import of_folder
    from scoring.pipeline import explain
    from scoring.pipeline.predict import ExposurePolicy
    from scoring.pipeline.run import keep, score
    from tests.scoring import country

    history = country.make_history(folder, size=establishments)
    reading, dataset = spent(lambda: country.read(history))
    scoring, result = spent(lambda: score(dataset, country.shares(), policy=ExposurePolicy(), seed=1))
    keeping, _ = spent(lambda: keep(result, dataset, folder))
    run = reading + scoring + keeping

    sirets, who = dataset.establishments["siret"].to_numpy(), np.unique(result.exposed.who)
    rows = np.searchsorted(result.scored, who)
    features, _ = spent(lambda: explain.keep_features(result.features, rows, sirets[who], folder))
    wanted = set(sirets[who[:: max(1, len(who) // ASKED)]][:ASKED])
    potentials: dict[str, dict[str, float]] = {siret: {} for siret in sorted(wanted)}
    for siret, rome, expected in result.exposed.rows(sirets):
        if siret in wanted:
            potentials[siret][rome] = expected
    usual = result.exposed.usual_share_by_rome
    first = dict(list(potentials.items())[:1])
    of_folder(folder, first, usual)
    one, _ = spent(lambda: of_folder(folder, first, usual))
    many, found = spent(lambda: of_folder(folder, potentials, usual))
    told, _ = spent(lambda: [str(reason) for jobs in found.values() for given in jobs.values() for reason in given])
    sample = result.features.iloc[rows[:SAMPLE]]
    bulk, _ = spent(lambda: explain.contributions(result.model, sample))
    return {
        "establishments": len(result.scored),
        "exposed": len(who),
        "pairs": len(result.exposed),
        "trees": result.report["trees"]["counter"],
        "run": run,
        "keeping_features": features,
        "features_megabytes": (folder / explain.FILE).stat().st_size / 1e6,
        "one": one,
        "asked": len(potentials),
        "many": many,
        "wording": told,
        "each_in_bulk": bulk / len(sample),
        "bulk": bulk / len(sample) * len(who),
    }


def table(found: dict) -> str:
    run = found["run"]
    sizes = f"{found['establishments']:,} establishments scored, {found['exposed']:,} exposed"
    lines = [
        f"{sizes} for {found['pairs']:,} pairs; {found['trees']} trees",
        f"{'':<58}{'processor':>12}{'of the run':>12}",
    ]
    for label, seconds in (
        ("the run: reading, learning, scoring, exposing, writing", run),
        (f"  of which, keeping the features ({found['features_megabytes']:.1f} MB)", found["keeping_features"]),
        ("one establishment that a page asks for", found["one"]),
        (f"{found['asked']} of them together", found["many"]),
        (f"  of which, {found['asked']} in words", found["wording"]),
        ("every exposed establishment, had it been so chosen", found["bulk"]),
    ):
        lines.append(f"{label:<58}{seconds:>10.3f} s{seconds / run:>11.2%}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--establishments", type=int, default=200_000)
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "labonnealternance.settings.local")
    os.environ["LOG_LEVEL"] = "WARNING"
    with tempfile.TemporaryDirectory() as folder:
        found = measure(options.establishments, Path(folder))
    found |= {
        "measured_at": dt.datetime.now(tz=dt.UTC).isoformat(timespec="seconds"),
        "processors": os.cpu_count(),
        "python": platform.python_version(),
    }
    print(table(found))
    kept = PROJECT / "bench-results" / f"reasons-{options.establishments}.json"
    kept.parent.mkdir(exist_ok=True)
    kept.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
