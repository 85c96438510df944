"""From an establishment's expected contracts to what a candidate sees: the pairs (establishment, job) called *high*."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class ExposurePolicy:
    """What *high* means; versioned and kept with each release.

    Only the best ``establishment_share`` of the establishments of an employment zone are exposed for anything. For each
    job their pairs are ranked inside each zone. A pair is exposed when its expected number reaches
    the job's minimum and its rank does not go beyond ``zone_ceiling`` (a city is not flooded). Where fewer than
    ``zone_floor`` pairs of the zone reach the minimum, the best ones are exposed up to that number, as long as they
    are among the best ``floor_share`` of the job's pairs in the country (a rural search is not left empty, and is not
    told that everybody hires).

    The minimum of a job is the expected number that ``exposed_share`` of its pairs reach, but never under
    ``least_expected`` (contracts in six months), unless ``minimum_by_rome`` sets it by hand. ``least_share``: jobs that
    are a smaller part of an activity's hirings are not proposed for it.
    """

    version: str = "2026-1"
    establishment_share: float = 0.45
    exposed_share: float = 0.25
    floor_share: float = 0.60
    least_expected: float = 0.005
    zone_floor: int = 4
    zone_ceiling: int = 400
    least_share: float = 0.02
    minimum_by_rome: dict[str, float] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Exposed:
    """The exposed pairs, as arrays: ``who`` (rows of the establishments), ``rome`` (places in ``codes``), expected.

    ``usual_share_by_rome``: the share of each job in the activities that hire for it, before anything is left out
    (geometric mean over its pairs): beside it, a share is large or small.
    """

    codes: np.ndarray
    who: np.ndarray
    rome: np.ndarray
    expected: np.ndarray
    minimum_by_rome: dict[str, float]
    usual_share_by_rome: dict[str, float]

    def __len__(self) -> int:
        return len(self.who)

    def rows(self, sirets: np.ndarray) -> Iterator[tuple[str, str, float]]:
        """(SIRET, ROME code, expected contracts in six months)."""
        for who, rome, expected in zip(self.who, self.rome, self.expected, strict=True):
            yield sirets[who], self.codes[rome], float(expected)


def expose(
    establishments: pd.DataFrame, scored: np.ndarray, expected: np.ndarray, shares: pd.DataFrame, policy: ExposurePolicy
) -> Exposed:
    """The pairs that ``policy`` exposes.

    ``scored``: rows of ``establishments`` that have a score; ``expected``: their expected contracts, in the same order;
    ``shares``: naf, rome, share (sums to 1 for each NAF). One job at a time, so that memory follows the largest job.
    """
    table = establishments.iloc[scored]
    zone = pd.factorize(table["employment_zone"].where(table["employment_zone"] != "", table["departement"]))[0]
    kept = _rank_within(zone, expected) < np.ceil(policy.establishment_share * np.bincount(zone))[zone]
    table, scored, expected, zone = table[kept], scored[kept], expected[kept], zone[kept]
    by_naf = dict(pd.Series(np.arange(len(table))).groupby(table["naf"].to_numpy()).indices.items())
    shares = shares[(shares["share"] >= policy.least_share) & shares["naf"].isin(set(by_naf))]
    codes = np.array(sorted(set(shares["rome"])), dtype=object)
    parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    minima: dict[str, float] = {}
    usual_shares: dict[str, float] = {}
    per_rome = shares.groupby("rome").indices
    nafs, weights = shares["naf"].to_numpy(), shares["share"].to_numpy(float)
    for number, code in enumerate(codes):
        places = per_rome[code]
        rows = np.concatenate([by_naf[nafs[place]] for place in places])
        counts = np.concatenate([expected[by_naf[nafs[place]]] * weights[place] for place in places])
        usual, floor = np.quantile(counts, [1 - policy.exposed_share, 1 - policy.floor_share])
        minimum = policy.minimum_by_rome.get(code, max(policy.least_expected, float(usual)))
        floor = min(minimum, max(policy.least_expected, float(floor)))
        minima[code] = round(minimum, 6)
        held_by = [len(by_naf[nafs[place]]) for place in places]
        usual_shares[code] = round(float(np.exp(np.average(np.log(weights[places]), weights=held_by))), 6)
        rank = _rank_within(zone[rows], counts)
        kept = ((counts >= minimum) & (rank < policy.zone_ceiling)) | ((counts >= floor) & (rank < policy.zone_floor))
        parts.append((scored[rows[kept]], np.full(kept.sum(), number, dtype=np.int32), counts[kept]))
    if not parts:
        return Exposed(codes, np.empty(0, int), np.empty(0, np.int32), np.empty(0, float), minima, usual_shares)
    who, rome, counts = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Exposed(codes, who, rome, counts, minima, usual_shares)


def _rank_within(group: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The rank (0 = highest) of each value inside its group."""
    order = np.lexsort((-values, group))
    ordered = group[order]
    first = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    position = np.arange(len(order)) - np.repeat(first, np.diff(np.r_[first, len(order)]))
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = position
    return rank
