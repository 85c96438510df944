"""Why an establishment is expected to hire: what each family of features adds to the logarithm of its expected number.

The contributions are LightGBM's own (``pred_contrib``: exact Shapley values of the trees), of the count, which is what
decides who is exposed; those of a family are the sum of its features'. The expected number of a pair is that of the
establishment times the share of the job in its activity: the logarithm of that share is one contribution more, beside
the usual share of the job. All of them add up to the logarithm of the pair's expected number, but for a constant.

They take milliseconds for each establishment. A run keeps the features of the establishments that it exposed, and what
is asked is computed from there, whatever the files and the registry have become.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from scoring.pipeline.features import Feature
from scoring.pipeline.nomenclatures import BAND_BOUNDS
from scoring.pipeline.train import Model

FILE = "features.parquet"
# An establishment is found by reading one group.
ROWS_A_GROUP = 10_000
MOST_REASONS = 3
# What changes the expected number by less than one per cent is no reason.
LEAST_WEIGHT = 0.01
JOB = "job"

# The features whose value the sentence of a family tells.
FACTS: dict[str, tuple[str, ...]] = {
    "past": ("years_in_a_row", "contracts_12m", "months_since_contract"),
    "unit": ("unit_establishments", "unit_contracts_12m"),
    "headcount": ("headcount",),
    "age": ("age_months",),
    "activity": ("naf_rate",),
    "place": ("naf_departement_rate",),
    "hires": ("hires_12m",),
    "accounts": ("turnover", "turnover_growth"),
}


@dataclass(frozen=True)
class Cause:
    """What one family adds to the logarithm of the expected number, and its facts: a number, or None if unknown."""

    family: str
    weight: float
    facts: dict[str, float | str | None]


def keep_features(table: pd.DataFrame, rows: np.ndarray, sirets: np.ndarray, folder: Path) -> None:
    """Writes ``features.parquet``: the ``rows`` of ``table`` with their ``sirets``, by SIRET, in groups."""
    order = np.argsort(sirets)
    rows, sirets = rows[order], sirets[order]
    writer = None
    try:
        for first in range(0, len(rows), ROWS_A_GROUP):
            part = table.iloc[rows[first : first + ROWS_A_GROUP]]
            part = part.astype(dict.fromkeys(part.select_dtypes("category"), str))
            part.insert(0, "siret", sirets[first : first + ROWS_A_GROUP])
            group = pa.Table.from_pandas(part, preserve_index=False)
            writer = writer or pq.ParquetWriter(folder / FILE, group.schema)
            writer.write_table(group)
    finally:
        if writer:
            writer.close()


def read_features(folder: Path, features: Iterable[Feature], sirets: Iterable[str]) -> pd.DataFrame:
    """The features of ``sirets`` as they were kept, by SIRET; those that were not are left out."""
    table = pq.read_table(folder / FILE, filters=[("siret", "in", list(sirets))]).to_pandas().set_index("siret")
    return table.astype({feature.name: "category" for feature in features if feature.categorical})


def contributions(model: Model, table: pd.DataFrame) -> pd.DataFrame:
    """What each family adds to the logarithm of the expected number: a row for each of ``table``, a column each."""
    names = [feature.name for feature in model.features]
    found = np.asarray(model.counter.predict(table[names], pred_contrib=True, num_threads=1))
    # The last column is what the average establishment expects.
    by_feature = pd.DataFrame(found[:, :-1], index=table.index, columns=names)
    return by_feature.T.groupby([feature.family for feature in model.features]).sum().T


def explain(
    model: Model, table: pd.DataFrame, potentials: Mapping[str, Mapping[str, float]], usual_shares: Mapping[str, float]
) -> dict[str, dict[str, list[Cause]]]:
    """The strongest causes of each pair, strongest first.

    ``table``: features by SIRET; ``potentials``: SIRET → job → expected number, as exposed; ``usual_shares``: the share
    of each job in the activities that hire for it (geometric mean over the pairs of the country).
    """
    added = contributions(model, table)
    expected = np.asarray(model.counter.predict(table[[feature.name for feature in model.features]], num_threads=1))
    result: dict[str, dict[str, list[Cause]]] = {}
    names = [name for of_family in FACTS.values() for name in of_family]
    weights, values = added[list(FACTS)].to_numpy(float), table[names].to_numpy(float)
    for place, (siret, whole) in enumerate(zip(table.index, expected * model.count_scale, strict=True)):
        of_all = dict(zip(FACTS, weights[place].tolist(), strict=True))
        facts = dict(zip(names, values[place].tolist(), strict=True))
        result[siret] = {}
        for rome, of_pair in potentials.get(siret, {}).items():
            # Both numbers were rounded to four bytes: a share is never more than the whole.
            share = min(of_pair / whole, 1.0)
            causes = [Cause(name, weight, _facts(name, facts)) for name, weight in of_all.items()]
            if rome in usual_shares:
                causes.append(Cause(JOB, float(np.log(share / usual_shares[rome])), {"share": round(share, 4)}))
            result[siret][rome] = strongest(causes)
    return result


def strongest(causes: Iterable[Cause]) -> list[Cause]:
    """The ``MOST_REASONS`` that weigh most, whichever way."""
    told = [cause for cause in causes if abs(cause.weight) >= LEAST_WEIGHT]
    return sorted(told, key=lambda cause: -abs(cause.weight))[:MOST_REASONS]


def _facts(family: str, row: Mapping[str, float]) -> dict[str, float | str | None]:
    facts: dict[str, float | str | None] = {}
    for name in FACTS[family]:
        value = row[name]
        if np.isnan(value):
            facts[name] = None
        elif name == "headcount":
            facts[name] = _band(value)
        else:
            facts[name] = round(value, 3)
    return facts


def _band(headcount: float) -> str:
    """The band of a ``headcount``, which is the middle of one."""
    return min(BAND_BOUNDS, key=lambda band: abs((BAND_BOUNDS[band][0] * BAND_BOUNDS[band][1]) ** 0.5 - headcount))
