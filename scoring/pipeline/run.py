"""One run of the score, from a dataset to a release ready to be written, without a database.

Nothing here publishes: the result holds the exposed pairs, the figures and the verdicts, and who calls decides.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from scoring.pipeline import evaluate, gates
from scoring.pipeline import features as feature_of
from scoring.pipeline import months as month_of
from scoring.pipeline.dataset import Dataset, find_file, parse_months
from scoring.pipeline.explain import keep_features
from scoring.pipeline.gates import Verdict
from scoring.pipeline.nomenclatures import size_of
from scoring.pipeline.predict import Exposed, ExposurePolicy, expose
from scoring.pipeline.train import BASELINE_LABELS, Model, Scores, Window, fit, fit_baselines, refit, trees_of
from scoring.pipeline.windows import Windows, measure_delay, plan, target_counts

STABILITY_SHARE = 0.10
Step = Callable[[str], None]


@dataclass(frozen=True)
class Previous:
    """What the release that is online left: its volumes, and the SIRETs of the top of its ranking."""

    volumes: dict[str, float] = field(default_factory=dict)
    top: frozenset[str] | None = None


@dataclass(frozen=True)
class Result:
    """What a run found.

    ``scored``: rows of the dataset's establishments; ``features``, ``scores``: theirs. ``report``: every figure, as
    JSON.
    """

    windows: Windows
    model: Model
    scored: np.ndarray
    features: pd.DataFrame
    scores: Scores
    exposed: Exposed
    policy: ExposurePolicy
    report: dict[str, Any]
    verdicts: list[Verdict]

    @property
    def refusals(self) -> list[Verdict]:
        return gates.refused(self.verdicts)


def volumes(dataset: Dataset) -> dict[str, float]:
    """What the next run compares itself with."""
    return {
        "établissements": float(dataset.open_at(dataset.horizon).sum()),
        "contrats": float(dataset.reports["contracts"].rows if dataset.reports else len(dataset.contracts)),
    }


def score(
    dataset: Dataset,
    shares: pd.DataFrame,
    *,
    policy: ExposurePolicy,
    seed: int,
    previous: Previous | None = None,
    oracle: pd.DataFrame | None = None,
    step: Step = lambda label: None,
) -> Result:
    """Learns, measures, scores, exposes and judges. ``shares``: naf, rome, share. Raises ``PipelineRefusal``.

    ``oracle``: siret, window_start (a month's number), expected_contracts, for simulated histories only.
    """
    previous = previous or Previous()
    timings: dict[str, float] = {}
    clock = time.perf_counter()

    def tick(name: str) -> None:
        nonlocal clock
        now = time.perf_counter()
        timings[name], clock = round(now - clock, 2), now

    step("Fenêtres et retard des déclarations")
    delay = measure_delay(dataset)
    windows = plan(dataset, delay)
    tick("windows")

    step(f"Variables ({len(feature_of.specification(windows))} par établissement, quatre fenêtres)")
    columns = tuple(feature_of.specification(windows))
    known_levels = feature_of.levels(dataset)
    rows, past = {}, {}
    for name in ("fit", "calibrate", "report"):
        start = getattr(windows, name)
        rows[name] = np.flatnonzero(dataset.open_at(start))
        table = feature_of.build(dataset, windows, start, known_levels).iloc[rows[name]].reset_index(drop=True)
        past[name] = Window(table, target_counts(dataset, start)[rows[name]])
    scored = np.flatnonzero(dataset.open_at(windows.target))
    to_score = feature_of.build(dataset, windows, windows.target, known_levels).iloc[scored].reset_index(drop=True)
    tick("features")

    step("Apprentissage : classification, comptage, calibrage, trois références")
    judged = fit(past["fit"], past["calibrate"], columns, seed)
    baselines = fit_baselines(past["fit"], past["calibrate"])
    trees = trees_of(judged)
    tick("train")

    step(f"Évaluation sur {month_of.window_text(windows.report)}")
    truth = past["report"]
    found = judged.scores(truth.features)
    rival = {name: rule.scores(truth.features) for name, rule in baselines.items()}
    metrics = {"model": evaluate.measure(truth.contracts, found)}
    metrics |= {name: evaluate.measure(truth.contracts, scores) for name, scores in rival.items()}
    if oracle is not None:
        true_mean = _true_means(dataset, oracle, windows.report, rows["report"])
        if true_mean is not None:
            metrics["oracle"] = evaluate.measure(truth.contracts, evaluate.oracle_scores(true_mean))
    groups = _groups(dataset, rows["report"], truth)
    by_group = {name: evaluate.by_group(values, truth.contracts, found, rival) for name, values in groups.items()}
    first_time = (truth.features["contracts_past"] == 0).to_numpy()
    beginners = _beginners(truth, found, rival, first_time)
    tick("evaluate")

    step("Nouvel apprentissage sur la dernière fenêtre complète, et score")
    model = refit(past["report"], past["calibrate"], columns, seed, trees)
    scores = model.scores(to_score)
    drift = {
        feature.name: round(evaluate.psi(truth.features[feature.name], to_score[feature.name]), 4)
        for feature in columns
    }
    importance = dict(
        sorted(
            zip(
                (feature.name for feature in columns),
                (float(gain) for gain in model.classifier.feature_importance("gain")),
                strict=True,
            ),
            key=lambda pair: -pair[1],
        )
    )
    tick("score")

    step("Potentiels par métier, et ce qui est exposé")
    exposed = expose(dataset.establishments, scored, scores.expected, shares, policy)
    tick("expose")

    siret = dataset.establishments["siret"].to_numpy()
    top = set(siret[scored[evaluate.order(scores.rank)[: max(1, round(STABILITY_SHARE * len(scored)))]]])
    common = None if previous.top is None else evaluate.jaccard(set(previous.top), top)
    step("Contrôles")
    verdicts = _judge(
        dataset, windows, delay.growth, previous, metrics, by_group["departement"], drift, common, scored, exposed
    )
    tick("gates")

    report = {
        "data": {
            "first_month": month_of.text(dataset.first_month),
            "last_month": month_of.text(dataset.horizon - 1),
            "files": {name: file.as_json() for name, file in dataset.reports.items()},
            "volumes": volumes(dataset),
        },
        "delay": delay.as_json(),
        "windows": windows.as_json(),
        "trees": trees.as_json(),
        "metrics": metrics,
        "first_time": beginners,
        "groups": by_group,
        "calibration": evaluate.calibration_deciles(truth.hired, found.probability),
        "capture": {
            "model": evaluate.capture_curve(truth.contracts, found.rank),
            **{name: evaluate.capture_curve(truth.contracts, scores.rank) for name, scores in rival.items()},
        },
        "psi": drift,
        "importance": importance,
        "jaccard": common,
        "scored": {
            "establishments": len(scored),
            "mean_probability": float(scores.probability.mean()),
            "expected_contracts": float(scores.expected.sum()),
        },
        "exposed": {
            "pairs": len(exposed),
            "establishments": len(np.unique(exposed.who)),
            "jobs": len(np.unique(exposed.rome)),
        },
        "timings": timings,
    }
    return Result(windows, model, scored, to_score, scores, exposed, policy, report, verdicts)


# Of the report, what the public page about the algorithm tells.
PUBLIC_FIGURES = (
    "roc_auc", "pr_auc", "calibration_error", "capture_employers_10", "capture_contracts_10", "precision_10", "lift_10",
)  # fmt: skip
PUBLIC_COUNTS = ("establishments", "employers", "contracts", "rate", "mean_probability")


def public_measures(result: Result) -> dict[str, Any]:
    """How good the model was found to be, as JSON, for those whom it names and for those whom it leaves out."""
    report = result.report
    metrics, beginners = report["metrics"], report["first_time"]
    ranked = ["model", *BASELINE_LABELS]
    gains = pd.Series(result.model.counter.feature_importance("gain"))
    by_family = gains.groupby([feature.family for feature in result.model.features]).sum()
    return {
        # A truth that is known beforehand is that of a simulation.
        "is_simulated": "oracle" in metrics,
        "data": {name: report["data"][name] for name in ("first_month", "last_month")},
        "windows": {name: report["windows"][name] for name in ("report", "target", "delay_months")},
        "evaluated": {name: metrics["model"][name] for name in PUBLIC_COUNTS},
        "rankings": {name: {figure: metrics[name][figure] for figure in PUBLIC_FIGURES} for name in ranked},
        "first_time": {
            "share_of_employers": beginners["share_of_employers"],
            **{name: beginners["model"][name] for name in ("roc_auc", "lift_10") if "model" in beginners},
        },
        "sizes": {
            name: {figure: facts.get(figure) for figure in (*PUBLIC_COUNTS, "roc_auc")}
            for name, facts in report["groups"]["size"].items()
        },
        "calibration": report["calibration"],
        "capture": {name: [list(point[:2]) for point in report["capture"][name]] for name in ranked},
        # How much of what the trees explain goes through each family.
        "families": (by_family / max(gains.sum(), 1e-9)).round(4).to_dict(),
        "scored": report["scored"]["establishments"],
        "exposed": report["exposed"],
    }


def _groups(dataset: Dataset, rows: np.ndarray, truth: Window) -> dict[str, pd.Series]:
    table = dataset.establishments.iloc[rows]
    return {
        "departement": table["departement"].astype(str).replace("", "inconnu"),
        "size": table["band"].map(size_of),
        "first_time": pd.Series(np.where(truth.features["contracts_past"] == 0, "sans historique", "avec historique")),
    }


def _beginners(truth: Window, found: Scores, rival: dict[str, Scores], first_time: np.ndarray) -> dict[str, Any]:
    """Employers without a past: how many they are, and how well they are found among those without a past."""
    hired = truth.hired
    facts: dict[str, Any] = {"share_of_employers": float(hired[first_time].sum() / hired.sum())}
    if min(hired[first_time].sum(), (~hired[first_time]).sum()) >= evaluate.FEWEST_OF_EACH:
        for name, scores in {"model": found, **rival}.items():
            kept = Scores(scores.rank[first_time], scores.probability[first_time], scores.expected[first_time])
            facts[name] = evaluate.measure(truth.contracts[first_time], kept)
    return facts


def read_oracle(folder: Path) -> pd.DataFrame | None:
    """The truth kept aside by ``simulate_history``, where there is one."""
    path = find_file(folder / "oracle", "oracle")
    if path is None:
        return None
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    return pd.DataFrame(
        {
            "siret": table["siret"].to_pandas(),
            "window_start": parse_months(table["window_start"]),
            "expected_contracts": table["expected_contracts"].to_numpy(),
        }
    )


def _true_means(dataset: Dataset, oracle: pd.DataFrame, start: int, rows: np.ndarray) -> np.ndarray | None:
    mine = oracle[oracle["window_start"] == start]
    if mine.empty:
        return None
    by_siret = mine.set_index("siret")["expected_contracts"]
    return dataset.establishments["siret"].iloc[rows].map(by_siret).fillna(0).to_numpy(float)


def best_baseline(metrics: dict[str, Any], figure: str) -> tuple[str, float]:
    """(name, value) of the baseline with the highest ``figure``."""
    name = max(BASELINE_LABELS, key=lambda rule: metrics[rule][figure])
    return name, metrics[name][figure]


def _judge(
    dataset: Dataset,
    windows: Windows,
    growth: float,
    previous: Previous,
    metrics: dict[str, Any],
    departements: dict[str, dict[str, Any]],
    drift: dict[str, float],
    common: float | None,
    scored: np.ndarray,
    exposed: Exposed,
) -> list[Verdict]:
    found = volumes(dataset)
    verdicts = [
        gates.freshness(dataset.horizon, dataset.run_month),
        gates.delay(windows.delay),
        *(gates.volume(previous.volumes.get(name), found[name], what=name) for name in found),
    ]
    if dataset.reports:
        verdicts.append(gates.unknown_sirets(dataset.reports["contracts"].unknown_share))
        verdicts += [gates.quarantine(file.quarantine_share, file=name) for name, file in dataset.reports.items()]
    verdicts += _departement_volumes(dataset, windows, growth)

    ours = metrics["model"]
    rule, auc = best_baseline(metrics, "roc_auc")
    verdicts.append(gates.national_auc(auc, ours["roc_auc"], name=BASELINE_LABELS[rule]))
    for what, figure in (("employeurs", "capture_employers_10"), ("contrats", "capture_contracts_10")):
        rule, value = best_baseline(metrics, figure)
        verdicts.append(gates.national_capture(value, ours[figure], what=what, name=BASELINE_LABELS[rule]))
    verdicts += [
        gates.calibration(ours["calibration_error"]),
        gates.bias(ours["mean_probability"], ours["rate"]),
        gates.drift(drift),
        gates.stability(common),
        gates.selectivity(len(np.unique(exposed.who)), len(scored)),
    ]
    comparisons = len(BASELINE_LABELS) * sum(facts["judged"] for facts in departements.values())
    for code, facts in departements.items():
        comparison = None
        if facts["judged"]:
            comparison = evaluate.AucDifference(facts["roc_auc"], facts["best_baseline_auc"], facts["error"])
        verdicts.append(
            gates.departement_auc(comparison, departement=code, groups=comparisons, employers=facts["employers"])
        )
    places = dataset.establishments["departement"].replace("", "inconnu")
    shown = places.iloc[np.unique(exposed.who)].value_counts()
    verdicts += [
        gates.exposure(int(shown.get(code, 0)), int(count), departement=str(code))
        for code, count in sorted(places.iloc[scored].value_counts().items())
    ]
    return verdicts


def _departement_volumes(dataset: Dataset, windows: Windows, growth: float) -> list[Verdict]:
    codes, names = pd.factorize(dataset.establishments["departement"].replace("", "inconnu"), sort=True)
    last = dataset.horizon - windows.delay
    years = []
    for first in (last - 24, last - 12):
        kept = (dataset.contracts.month >= first) & (dataset.contracts.month < first + 12)
        months = np.unique(dataset.contracts.who[kept].astype(np.int64) * 100_000 + dataset.contracts.month[kept])
        years.append(np.bincount(codes[months // 100_000], minlength=len(names)))
    return [
        gates.departement_volume(float(former), float(latest), departement=str(name), growth=growth)
        for name, former, latest in zip(names, *years, strict=True)
    ]


def keep(result: Result, dataset: Dataset, folder: Path) -> None:
    """Writes what a run leaves behind: the model, its figures, every prediction (``predictions.parquet``), and what
    explains those that it exposed (``features.parquet``).
    """
    result.model.save(folder / "model")
    sirets = dataset.establishments["siret"].to_numpy()
    exposed = np.unique(result.exposed.who)
    keep_features(result.features, np.searchsorted(result.scored, exposed), sirets[exposed], folder)
    pd.DataFrame(
        {
            "siret": sirets[result.scored],
            "probability": result.scores.probability.astype(np.float32),
            "expected": result.scores.expected.astype(np.float32),
            "rank_score": result.scores.rank.astype(np.float32),
        }
    ).to_parquet(folder / "predictions.parquet", index=False)
    (folder / "report.json").write_text(json.dumps(result.report, ensure_ascii=False, indent=1))


def previous_of(folder: Path, report: dict[str, Any]) -> Previous:
    """What a former run left in ``folder``; its top is None where its predictions are gone."""
    path = folder / "predictions.parquet"
    top = None
    if path.is_file():
        table = pd.read_parquet(path, columns=["siret", "rank_score"])
        rows = evaluate.order(table["rank_score"].to_numpy())[: max(1, round(STABILITY_SHARE * len(table)))]
        top = frozenset(table["siret"].to_numpy()[rows])
    return Previous(volumes=report.get("data", {}).get("volumes", {}), top=top)
