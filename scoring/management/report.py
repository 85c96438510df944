"""A run, told in a terminal."""

from collections.abc import Iterator
from typing import Any

from labonnealternance.kit.text import grouped
from scoring.actions.refresh import Outcome
from scoring.pipeline.gates import Verdict
from scoring.pipeline.train import BASELINE_LABELS

RANKINGS = {"model": "modèle", **BASELINE_LABELS, "oracle": "oracle (simulation)"}
FIGURES = (
    ("ROC-AUC", "roc_auc", 3),
    ("PR-AUC", "pr_auc", 3),
    ("log-loss", "log_loss", 4),
    ("Brier", "brier", 4),
    ("écart de calibrage", "calibration_error", 4),
    ("employeurs captés à 5 %", "capture_employers_5", None),
    ("employeurs captés à 10 %", "capture_employers_10", None),
    ("employeurs captés à 20 %", "capture_employers_20", None),
    ("contrats captés à 5 %", "capture_contracts_5", None),
    ("contrats captés à 10 %", "capture_contracts_10", None),
    ("contrats captés à 20 %", "capture_contracts_20", None),
    ("précision à 10 %", "precision_10", None),
    ("gain à 10 % (lift)", "lift_10", 2),
)
FULL_VERDICTS_SHOWN = 12


def number(value: float | None, digits: int | None) -> str:
    """``0,823``, or ``68,4 %`` without digits."""
    if value is None:
        return "—"
    text = f"{100 * value:.1f} %" if digits is None else f"{value:.{digits}f}"
    return text.replace(".", ",")


def table(rows: list[list[str]]) -> Iterator[str]:
    """Columns aligned: the first one to the left, the others to the right; the first row is the heading."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for place, row in enumerate(rows):
        cells = [cell.ljust(width) if not i else cell.rjust(width) for i, (cell, width) in enumerate(zip(row, widths, strict=True))]  # fmt: skip # noqa: E501
        yield "  " + "  ".join(cells).rstrip()
        if not place:
            yield "  " + "  ".join("─" * width for width in widths)


def lines(outcome: Outcome) -> Iterator[str]:
    """The whole report of a run, line by line."""
    report = outcome.result.report
    metrics, delay, windows = report["metrics"], report["delay"], report["windows"]
    model = metrics["model"]
    yield ""
    yield f"Données de {report['data']['first_month']} à {report['data']['last_month']}."
    late = delay["months"]
    yield (
        f"Retard des déclarations mesuré : {late} mois"
        f" (complétude du dernier mois : {number(delay['completeness'][0], None)})."
    )
    yield (
        f"Fenêtres : apprentissage {windows['fit']}, calibrage {windows['calibrate']}, évaluation {windows['report']} ;"
        f" score pour {windows['target']}."
    )
    yield (
        f"Évaluation sur {grouped(model['establishments'])} établissements, dont {grouped(model['employers'])}"
        f" employeurs ({number(model['rate'], None)}) et {grouped(model['contracts'])} contrats."
    )
    yield ""
    shown = [name for name in RANKINGS if name in metrics]
    yield from table(
        [
            ["", *(RANKINGS[name] for name in shown)],
            *([label, *(number(metrics[name][figure], digits) for name in shown)] for label, figure, digits in FIGURES),
        ]
    )
    yield ""
    beginners = report["first_time"]
    yield f"Employeurs sans historique : {number(beginners['share_of_employers'], None)} des employeurs."
    if "model" in beginners:
        best = max(BASELINE_LABELS, key=lambda name: beginners[name]["roc_auc"])
        yield (
            f"  parmi les établissements sans historique : AUC {number(beginners['model']['roc_auc'], 3)}"
            f" (meilleure référence : {number(beginners[best]['roc_auc'], 3)}, {BASELINE_LABELS[best]}),"
            f" gain à 10 % : {number(beginners['model']['lift_10'], 1)}."
        )
    yield ""
    yield from table(
        [
            ["taille", "établ.", "employeurs", "taux", "annoncé", "AUC", "meilleure réf."],
            *(
                [
                    name,
                    grouped(facts["establishments"]),
                    grouped(facts["employers"]),
                    number(facts["rate"], None),
                    number(facts["mean_probability"], None),
                    number(facts.get("roc_auc"), 3),
                    number(facts.get("best_baseline_auc"), 3),
                ]
                for name, facts in report["groups"]["size"].items()
            ),
        ]
    )
    yield ""
    exposed = report["exposed"]
    yield (
        f"Exposés : {grouped(exposed['pairs'])} couples établissement–métier, {grouped(exposed['establishments'])}"
        f" établissements sur {grouped(report['scored']['establishments'])}, {grouped(exposed['jobs'])} métiers."
    )
    yield ""
    yield from _verdicts(outcome.result.verdicts)


def _verdicts(verdicts: list[Verdict]) -> Iterator[str]:
    """National verdicts one by one; those of the départements counted, but for the ones that stop."""
    yield "Contrôles :"
    for verdict in verdicts:
        if not verdict.departement:
            yield f"  {'✓' if verdict.passed else '✗'} {verdict.gate} — {verdict.sentence}"
    groups: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        if verdict.departement:
            groups.setdefault(verdict.gate, []).append(verdict)
    for gate, found in groups.items():
        stopped = [verdict for verdict in found if not verdict.passed]
        unjudged = sum(verdict.measure is None for verdict in found)
        said = f"{len(found) - len(stopped)} départements sur {len(found)}"
        said += f", dont {unjudged} trop petits pour être jugés" if unjudged else ""
        yield f"  {'✗' if stopped else '✓'} {gate} — {said}"
        for verdict in stopped[:FULL_VERDICTS_SHOWN]:
            yield f"      ✗ {verdict.departement} : {verdict.sentence}"
        if len(stopped) > FULL_VERDICTS_SHOWN:
            yield f"      … et {len(stopped) - FULL_VERDICTS_SHOWN} autres"


def timings(report: dict[str, Any]) -> str:
    """``fenêtres 0,1 s · …``."""
    names = {
        "windows": "fenêtres",
        "features": "variables",
        "train": "apprentissage",
        "evaluate": "évaluation",
        "score": "score",
        "expose": "exposition",
        "gates": "contrôles",
    }
    return " · ".join(f"{names.get(name, name)} {number(seconds, 1)} s" for name, seconds in report["timings"].items())
