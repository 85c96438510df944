"""How good a ranking is: the same figures for the model, the baselines and, where the truth is known, the oracle."""

from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from scoring.pipeline.train import Scores

TOP_SHARES = (0.05, 0.10, 0.20)
FEWEST_OF_EACH = 10


def order(scores: np.ndarray, seed: int = 0) -> np.ndarray:
    """Rows from the highest score down; equal scores in a drawn order, so that no row gains by its place in a file."""
    return np.lexsort((np.random.default_rng(seed).random(len(scores)), -scores))


def measure(contracts: np.ndarray, scores: Scores) -> dict[str, Any]:
    """Every figure of one ranking on one window.

    ``capture_employers_10``: the share of the employers that are in the top 10 % by ``rank``;
    ``capture_contracts_10``: the share of the contracts in the top 10 % by ``expected``; ``lift_10``: how many times
    more employers there are in that top than among all.
    """
    hired = contracts > 0
    figures: dict[str, Any] = {
        "establishments": len(contracts),
        "employers": int(hired.sum()),
        "contracts": float(contracts.sum()),
        "rate": float(hired.mean()),
        "roc_auc": float(roc_auc_score(hired, scores.rank)),
        "pr_auc": float(average_precision_score(hired, scores.rank)),
        "log_loss": float(log_loss(hired, scores.probability)),
        "brier": float(brier_score_loss(hired, scores.probability)),
        "mean_probability": float(scores.probability.mean()),
        "mean_expected": float(scores.expected.mean()),
        "calibration_error": calibration_error(hired, scores.probability),
    }
    by_rank, by_count = order(scores.rank), order(scores.expected)
    for share in TOP_SHARES:
        top = max(1, round(share * len(hired)))
        name = f"{share:.0%}".rstrip("%")
        found = hired[by_rank[:top]].sum()
        figures[f"capture_employers_{name}"] = float(found / hired.sum())
        figures[f"capture_contracts_{name}"] = float(contracts[by_count[:top]].sum() / contracts.sum())
        figures[f"precision_{name}"] = float(found / top)
        figures[f"lift_{name}"] = float(found / top / hired.mean())
    return figures


def calibration_deciles(hired: np.ndarray, probability: np.ndarray) -> list[dict[str, float]]:
    """Ten groups of equal size, from the least to the most probable: what was said, and what came."""
    groups = np.array_split(np.argsort(probability, kind="stable"), 10)
    return [
        {
            "predicted": float(probability[rows].mean()),
            "observed": float(hired[rows].mean()),
            "establishments": len(rows),
        }
        for rows in groups
        if len(rows)
    ]


def calibration_error(hired: np.ndarray, probability: np.ndarray) -> float:
    """The mean distance between what was said and what came, over the ten groups."""
    deciles = calibration_deciles(hired, probability)
    total = sum(group["establishments"] for group in deciles)
    return float(sum(abs(g["predicted"] - g["observed"]) * g["establishments"] for g in deciles) / total)


def capture_curve(contracts: np.ndarray, scores: np.ndarray, points: int = 40) -> list[tuple[float, float, float]]:
    """(share of the establishments called, share of the employers found, share of the contracts found)."""
    ranked = contracts[order(scores)]
    employers, total = np.cumsum(ranked > 0), np.cumsum(ranked)
    places = np.unique(np.linspace(0, len(ranked) - 1, points).astype(int))
    return [
        (
            round(float((place + 1) / len(ranked)), 4),
            round(float(employers[place] / employers[-1]), 4),
            round(float(total[place] / total[-1]), 4),
        )
        for place in places
    ]


@dataclass(frozen=True)
class AucDifference:
    """ROC-AUC of two rankings of the same rows, and the standard error of their difference (DeLong)."""

    first: float
    second: float
    error: float

    @property
    def difference(self) -> float:
        return self.first - self.second

    def surely_below(self, limit: float, groups: int, level: float = 0.05) -> bool:
        """Whether the difference is below ``limit`` beyond chance, ``groups`` being looked at in all.

        With a hundred groups one in twenty would be "worse" by chance alone: the level is shared among them (Šidák).
        """
        confidence = (1 - level) ** (1 / max(groups, 1))
        return self.difference + NormalDist().inv_cdf(confidence) * self.error < limit


def _ranks(scores: np.ndarray) -> np.ndarray:
    """Ranks from 1, equal scores sharing their mean rank."""
    return pd.Series(scores).rank().to_numpy()


def compare_auc(hired: np.ndarray, first: np.ndarray, second: np.ndarray) -> AucDifference | None:
    """DeLong, DeLong and Clarke-Pearson (1988), by ranks (Sun and Xu, 2014): paired, in n log n.

    None where there are fewer than ten of either kind: nothing can be said.
    """
    positive, negative = np.flatnonzero(hired), np.flatnonzero(~hired)
    m, n = len(positive), len(negative)
    if min(m, n) < FEWEST_OF_EACH:
        return None
    structure = []
    for scores in (first, second):
        everyone = _ranks(scores)
        above = (everyone[positive] - _ranks(scores[positive])) / n
        below = 1 - (everyone[negative] - _ranks(scores[negative])) / m
        structure.append((above.mean(), above, below))
    (first_auc, above_1, below_1), (second_auc, above_2, below_2) = structure
    variance = np.var(above_1 - above_2, ddof=1) / m + np.var(below_1 - below_2, ddof=1) / n
    return AucDifference(float(first_auc), float(second_auc), float(np.sqrt(variance)))


def by_group(
    groups: pd.Series, contracts: np.ndarray, model: Scores, baselines: dict[str, Scores]
) -> dict[str, dict[str, Any]]:
    """The model beside the best baseline of each group, in every group, however small.

    ``judged`` is false where the group has fewer than ten employers, or fewer than ten others: its AUC would be noise.
    """
    result: dict[str, dict[str, Any]] = {}
    for name, rows in sorted(groups.reset_index(drop=True).groupby(groups.to_numpy()).indices.items()):
        hired = contracts[rows] > 0
        facts: dict[str, Any] = {
            "establishments": len(rows),
            "employers": int(hired.sum()),
            "contracts": float(contracts[rows].sum()),
            "mean_probability": float(model.probability[rows].mean()),
            "rate": float(hired.mean()),
            "judged": False,
        }
        compared = {
            baseline: compare_auc(hired, model.rank[rows], scores.rank[rows]) for baseline, scores in baselines.items()
        }
        known = {baseline: found for baseline, found in compared.items() if found is not None}
        if known:
            best = max(known, key=lambda baseline: known[baseline].second)
            facts |= {
                "judged": True,
                "roc_auc": known[best].first,
                "best_baseline": best,
                "best_baseline_auc": known[best].second,
                "error": known[best].error,
            }
        result[str(name)] = facts
    return result


def jaccard(first: set, second: set) -> float:
    """The share of two sets that is common to both."""
    return len(first & second) / len(first | second) if first | second else 1.0


def psi(reference: pd.Series, current: pd.Series) -> float:
    """The population stability index of a feature between two windows (0: the same; above 0.25: another population).

    Five classes of equal size in the reference (or the common categories), and one for what is missing. A class counts
    for at least 0.5 %: a value that one large group shares must not look like a new population when it moves a little.
    """
    if isinstance(reference.dtype, pd.CategoricalDtype):
        expected = reference.value_counts(normalize=True, dropna=False)
        found = current.value_counts(normalize=True, dropna=False)
        # Rare values are counted together: a hundred communes of one row each would look like a change.
        common = expected[expected >= 0.01].index
        before = np.append(expected.reindex(common, fill_value=0), expected[~expected.index.isin(common)].sum())
        after = np.append(found.reindex(common, fill_value=0), found[~found.index.isin(common)].sum())
    else:
        edges: np.ndarray = (
            np.unique(np.nanquantile(reference, np.linspace(0, 1, 6)[1:-1])) if reference.notna().any() else np.empty(0)
        )
        before, after = (
            np.append(
                np.bincount(np.searchsorted(edges, column.dropna(), side="left"), minlength=len(edges) + 1),
                column.isna().sum(),
            )
            / len(column)
            for column in (reference, current)
        )
    before, after = np.maximum(before, 0.005), np.maximum(after, 0.005)
    return float(np.sum((after - before) * np.log(after / before)))


def oracle_scores(expected: np.ndarray) -> Scores:
    """The best possible ranking: the true means."""
    probability = (1 - np.exp(-expected)).clip(1e-4, 1 - 1e-4)
    return Scores(rank=probability, probability=probability, expected=expected)
