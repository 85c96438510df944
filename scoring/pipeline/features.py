"""What the model looks at: for a window that starts in month w, only what was known before ``w - delay``.

One table of float32 columns and categories per window, the same columns for all: the past is cut to the same depth, so
that the oldest window sees no less than the newest.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from scoring.pipeline.dataset import Dataset, Events
from scoring.pipeline.nomenclatures import BAND_BOUNDS, section_of
from scoring.pipeline.windows import LENGTH, Windows

# Smoothing of rates: a group counts for itself from about this many establishments on.
RATE_PRIOR = 30.0


@dataclass(frozen=True)
class Feature:
    """A column: its name, the family of causes that it tells of, its French label, and its direction if it has one.

    ``family``: what a person is told of (``scoring.pipeline.explain``). ``monotone``: 1 where more can only raise the
    score, -1 where more can only lower it, 0 where the data decide.
    """

    name: str
    family: str
    label: str
    monotone: int = 0
    categorical: bool = False


def specification(windows: Windows) -> list[Feature]:
    """The features of a run: the depth of the past sets how many lags there are."""
    halves = [
        Feature(f"contracts_half_{k}", "past", f"contrats signés {_half_text(k)}", monotone=1)
        for k in range(windows.half_years)
    ]
    seasons = [
        Feature(
            f"contracts_season_{k}", "past", f"contrats signés à la même saison il y a {k} an{'s' if k > 1 else ''}", 1
        )
        for k in _seasons(windows)
    ]
    return [
        *halves,
        *seasons,
        Feature("contracts_12m", "past", "contrats signés sur douze mois", 1),
        Feature("contracts_past", "past", "contrats signés sur toute la période connue", 1),
        Feature("professional_share", "past", "part des contrats de professionnalisation"),
        Feature("months_since_contract", "past", "mois écoulés depuis le dernier contrat", -1),
        Feature("years_in_a_row", "past", "années de suite avec au moins un contrat", 1),
        Feature("growth", "past", "évolution du nombre de contrats en un an"),
        Feature("unit_contracts_12m", "unit", "contrats signés par les autres établissements de l’entreprise", 1),
        Feature("unit_rate_12m", "unit", "contrats par autre établissement de l’entreprise"),
        Feature("unit_establishments", "unit", "nombre d’établissements de l’entreprise"),
        Feature("headcount", "headcount", "effectif de l’établissement", 1),
        Feature("age_months", "age", "ancienneté de l’établissement"),
        Feature("naf_rate", "activity", "recrutement en alternance de l’activité, par rapport au pays"),
        Feature(
            "naf_departement_rate",
            "place",
            "recrutement en alternance du secteur dans le département, par rapport au pays",
        ),
        Feature("hires_6m", "hires", "embauches de tous types sur six mois"),
        Feature("hires_12m", "hires", "embauches de tous types sur douze mois"),
        Feature("permanent_hires_12m", "hires", "embauches en CDI sur douze mois"),
        Feature("hires_per_head", "hires", "embauches sur douze mois rapportées à l’effectif"),
        Feature("turnover", "accounts", "chiffre d’affaires de l’entreprise"),
        Feature("turnover_growth", "accounts", "évolution du chiffre d’affaires"),
        Feature("unit_headcount", "accounts", "effectif de l’entreprise"),
        Feature("section", "activity", "section d’activité", categorical=True),
        Feature("division", "activity", "division d’activité", categorical=True),
        Feature("naf", "activity", "activité (NAF)", categorical=True),
        Feature("departement", "place", "département", categorical=True),
        Feature("employment_zone", "place", "bassin d’emploi", categorical=True),
    ]


def _half_text(number: int) -> str:
    return "au dernier semestre connu" if number == 0 else f"{number + 1} semestres en arrière"


def _seasons(windows: Windows) -> list[int]:
    """The years back whose same season lies wholly inside the past that every window sees."""
    return [
        years
        for years in (1, 2, 3)
        if 12 * years - LENGTH >= windows.delay and 12 * years <= windows.lookback + windows.delay
    ]


def levels(dataset: Dataset) -> dict[str, pd.Index]:
    """The values of each category, the same for every window and for the score."""
    table = dataset.establishments
    naf = pd.Index(sorted(set(table["naf"])))
    return {
        "section": pd.Index(sorted({_section(code) for code in naf})),
        "division": pd.Index(sorted({code[:2] for code in naf})),
        "naf": naf,
        "departement": pd.Index(sorted(set(table["departement"]))),
        "employment_zone": pd.Index(sorted(set(table["employment_zone"]))),
    }


def _section(naf: str) -> str:
    return section_of(naf) if naf[:2].isdigit() and naf[:2] <= "99" else ""


def headcount_of(bands: pd.Series) -> np.ndarray:
    """The middle of each band, in employees; NaN where the registry does not say."""
    middles = {band: (bounds[0] * bounds[1]) ** 0.5 for band, bounds in BAND_BOUNDS.items()}
    return bands.map(middles).to_numpy(np.float32)


def build(dataset: Dataset, windows: Windows, start: int, known_levels: dict[str, pd.Index]) -> pd.DataFrame:
    """The features of every establishment for the window that starts in month ``start``.

    Rows are those of ``dataset.establishments``, in order. Nothing after ``windows.cut(start)`` is read.
    """
    cut, n = windows.cut(start), dataset.size
    oldest = cut - windows.lookback
    past = dataset.contracts.before(cut)
    hires = dataset.hires.before(cut)
    columns: dict[str, np.ndarray | pd.Categorical] = {}
    for k in range(windows.half_years):
        columns[f"contracts_half_{k}"] = past.total(n, cut - 6 * (k + 1), cut - 6 * k)
    for k in _seasons(windows):
        first = start - 12 * k
        columns[f"contracts_season_{k}"] = past.total(n, max(first, oldest), min(first + LENGTH, cut))
    last_year = past.total(n, cut - 12, cut)
    columns["contracts_12m"] = last_year
    total = past.total(n, oldest, cut)
    columns["contracts_past"] = total
    columns["professional_share"] = _ratio(past.total(n, oldest, cut, kind=1), total)
    columns["months_since_contract"] = _recency(past, n, oldest, cut)
    columns["years_in_a_row"] = _streak(past, n, cut, windows.lookback // 12)
    columns["growth"] = (last_year - past.total(n, cut - 24, cut - 12)) if windows.lookback >= 24 else _missing(n)

    unit = dataset.unit
    members = np.bincount(unit).astype(np.float32)[unit]
    others = np.bincount(unit, weights=last_year)[unit].astype(np.float32) - last_year
    columns["unit_contracts_12m"] = others
    columns["unit_rate_12m"] = _ratio(others, members - 1)
    columns["unit_establishments"] = members

    table = dataset.establishments
    headcount = headcount_of(table["band"])
    columns["headcount"] = headcount
    columns["age_months"] = np.maximum(cut - table["created_month"].to_numpy(np.float32), 0)

    codes = {name: pd.Categorical(values, categories=known_levels[name]) for name, values in _categories(table).items()}
    # Rates over the whole known past, as multiples of the country's: neither the trend nor a small group's luck in one
    # year makes them move.
    seen = dataset.open_at(cut)
    hired = (total > 0) & seen
    everyone = np.full(n, hired.sum() / max(seen.sum(), 1))
    by_naf = _rate(codes["naf"].codes, hired, seen, everyone)
    division_place = codes["division"].codes.astype(np.int64) * (len(known_levels["departement"]) + 1)
    by_division_place = _rate(pd.factorize(division_place + codes["departement"].codes)[0], hired, seen, by_naf)
    columns["naf_rate"] = by_naf / everyone
    columns["naf_departement_rate"] = by_division_place / everyone

    if len(dataset.hires):
        columns["hires_6m"] = hires.total(n, cut - 6, cut)
        hired_12m = hires.total(n, cut - 12, cut)
        columns["hires_12m"] = hired_12m
        columns["permanent_hires_12m"] = hires.total(n, cut - 12, cut, kind=0)
        columns["hires_per_head"] = _ratio(hired_12m, headcount)
    else:
        for name in ("hires_6m", "hires_12m", "permanent_hires_12m", "hires_per_head"):
            columns[name] = _missing(n)
    columns["turnover"], columns["turnover_growth"], columns["unit_headcount"] = _accounts(dataset, cut)
    columns.update(codes)
    return pd.DataFrame({feature.name: columns[feature.name] for feature in specification(windows)})


def _categories(table: pd.DataFrame) -> dict[str, pd.Series]:
    naf = table["naf"]
    sections = {code: _section(code) for code in set(naf)}
    return {
        "section": naf.map(sections),
        "division": naf.str[:2],
        "naf": naf,
        "departement": table["departement"],
        "employment_zone": table["employment_zone"],
    }


def _missing(n: int) -> np.ndarray:
    return np.full(n, np.nan, dtype=np.float32)


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """``part / whole``, NaN where there is nothing to divide by."""
    return np.divide(part, whole, out=_missing(len(part)), where=whole > 0)


def _recency(past: Events, n: int, oldest: int, cut: int) -> np.ndarray:
    """Months since the last contract; NaN where none is known."""
    last = np.full(n, -1, dtype=np.int64)
    kept = past.month >= oldest
    np.maximum.at(last, past.who[kept], past.month[kept])
    return np.where(last >= 0, cut - 1 - last, np.nan).astype(np.float32)


def _streak(past: Events, n: int, cut: int, years: int) -> np.ndarray:
    """How many years in a row, going back from ``cut``, hold at least one contract."""
    streak, unbroken = np.zeros(n, dtype=np.float32), np.ones(n, dtype=bool)
    for back in range(years):
        unbroken &= past.total(n, cut - 12 * (back + 1), cut - 12 * back) > 0
        streak += unbroken
    return streak


def _rate(group: np.ndarray, hired: np.ndarray, counted: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """The share of the *other* establishments of the group that hired, drawn towards ``prior`` in small groups."""
    group = group.astype(np.int64) + 1
    hiring = np.bincount(group, weights=hired)[group] - hired
    total = np.bincount(group, weights=counted)[group] - counted
    return ((hiring + RATE_PRIOR * prior) / (total + RATE_PRIOR)).astype(np.float32)


def _accounts(dataset: Dataset, cut: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Turnover, its growth, and headcount of the legal unit: accounts are public in the July after their year."""
    latest = cut // 12 - (1 if cut % 12 >= 6 else 2)
    units = int(dataset.unit.max()) + 1
    turnover, former, headcount = (np.full(units, np.nan) for _ in range(3))
    accounts = dataset.accounts
    for year, into in ((latest, turnover), (latest - 1, former)):
        rows = accounts[accounts["year"] == year]
        into[rows["unit"].to_numpy()] = rows["turnover"].to_numpy()
        if year == latest:
            headcount[rows["unit"].to_numpy()] = rows["headcount"].to_numpy()
    growth = np.divide(turnover - former, former, out=np.full(units, np.nan), where=former > 0)
    return (
        turnover[dataset.unit].astype(np.float32),
        growth[dataset.unit].astype(np.float32),
        headcount[dataset.unit].astype(np.float32),
    )
