"""A simulated history: establishments and monthly contracts drawn from published facts, never presented as real.

No public file says which establishment hired. This generator serves the demo, the tests and the measurements. It holds
what the score must find (sizes, activities, places, habits, growth) and what makes it hard (employers without a past,
establishments that change, declarations that come late), and it keeps the true expected number of each establishment
aside, so that a ranking can be read against the best possible one.

The world, for an establishment i of size s in year y and month m::

    contracts ~ Poisson(scale_s × effects_i × residual_{i,y} × trend_y × season_{i,m})

``effects`` are what a file can show (headcount inside its band, activity, département, employment zone, legal unit);
``residual`` is a gamma variable of mean 1 that lasts from one year to the next and is drawn anew with probability
``renewal``. ``scale`` and the shape of the gamma are solved for each size, so that the share of establishments that
hire in a year and the mean contracts of those that do are the published ones. Everything is vectorised and written by
chunks: memory does not grow with the number of months, and the same seed and date give the same files.
"""

import csv
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from scoring.pipeline import months as month_of
from scoring.pipeline.nomenclatures import BAND_BOUNDS, SIZES, section_of
from scoring.pipeline.vocabulary import SIGN_COMPLEMENTS, SIGNS, STOCK_COLUMNS, STREET_KINDS, STREETS

LONGEST_HISTORY = 600
# Firms that hire at least one apprentice in a year, and their mean contracts, by size.
HIRING_RATES = (0.13, 0.33, 0.47, 0.61, 0.92)
MEAN_CONTRACTS = (1.5, 2.0, 2.6, 4.0, 24.1)
SIZE_SHARES = (0.78, 0.095, 0.075, 0.042, 0.008)

# Employers' bands, as shares of their size.
BAND_SHARES: tuple[dict[str, float], ...] = (
    {"01": 0.55, "02": 0.28, "03": 0.17},
    {"11": 1.0},
    {"12": 1.0},
    {"21": 0.62, "22": 0.31, "31": 0.07},
    {"32": 0.66, "41": 0.23, "42": 0.08, "51": 0.025, "52": 0.004, "53": 0.001},
)

# January → December; school years start in September.
SEASON = np.array([0.045, 0.035, 0.030, 0.022, 0.020, 0.028, 0.075, 0.110, 0.400, 0.135, 0.060, 0.040])

# Employer establishments and taste for apprenticeship (log scale) by NAF section.
SECTION_WEIGHTS = {
    "A": 3, "B": 0.2, "C": 9, "D": 0.3, "E": 0.7, "F": 14, "G": 24, "H": 4, "I": 13, "J": 4, "K": 4, "L": 3, "M": 11,
    "N": 6, "O": 1.5, "P": 2, "Q": 9, "R": 3, "S": 9, "T": 0.1, "U": 0.05,
}  # fmt: skip
SECTION_TASTES = {
    "A": 0.0, "B": -0.3, "C": 0.3, "D": 0.4, "E": 0.0, "F": 0.35, "G": 0.1, "H": -0.4, "I": 0.2, "J": 0.1, "K": 0.0,
    "L": -0.3, "M": 0.05, "N": -0.2, "O": -0.4, "P": -0.4, "Q": -0.3, "R": -0.2, "S": 0.15, "T": -1.0, "U": -1.0,
}  # fmt: skip
# Activities with many establishments, and those known for their apprentices. Of the others, a short list holds the
# ordinary ones; in the whole nomenclature most are rare.
SHORT_LIST = 200
ORDINARY_NAF, RARE_NAF = 1.0, 0.12
COMMON_NAF = {
    "1071C": 9, "1071D": 2, "1013B": 3, "4321A": 7, "4322A": 7, "4322B": 4, "4331Z": 3, "4332A": 5, "4333Z": 3,
    "4334Z": 6, "4339Z": 3, "4391A": 2, "4391B": 3, "4399C": 8, "4120A": 4, "4511Z": 5, "4520A": 9, "4711D": 4,
    "4711F": 3, "4722Z": 3, "4759A": 2, "4771Z": 6, "4773Z": 7, "4775Z": 3, "4776Z": 4, "5510Z": 4, "5610A": 12,
    "5610C": 9, "5630Z": 5, "6201Z": 3, "6202A": 4, "6622Z": 4, "6831Z": 5, "6910Z": 4, "6920Z": 6, "7022Z": 5,
    "7111Z": 3, "7112B": 5, "7500Z": 3, "8121Z": 4, "8130Z": 4, "8621Z": 4, "8623Z": 4, "8690D": 2, "8891A": 3,
    "9602A": 12, "9602B": 4, "9313Z": 2,
}  # fmt: skip
NAF_TASTES = {
    "1071C": 0.9, "1071D": 0.9, "1013B": 0.7, "9602A": 1.0, "9602B": 0.6, "4520A": 0.7, "4321A": 0.5, "4322A": 0.5,
    "4322B": 0.5, "4332A": 0.4, "4391A": 0.6, "4773Z": 0.7, "4776Z": 0.6, "6920Z": 0.6, "6201Z": 0.3, "4511Z": 0.4,
    "8623Z": 0.4, "7500Z": 0.4, "8121Z": -0.8, "4120A": 0.2, "8130Z": 0.5,
}  # fmt: skip

# What a search around a town reaches first.
GATHERING_KM = 30
KM_PER_DEGREE = 111.2
ORACLE_WINDOW_MONTHS = 6
ORACLE_YEARS_BACK = 3


@dataclass(frozen=True)
class References:
    """The nomenclatures that establishments are drawn from.

    ``communes``: code, name, postcode, departement, population, latitude, longitude (degrees, may be missing),
    employment_zone. ``naf``: code (``4711D``), label. Only communes with people and a postcode are drawn.
    """

    communes: pd.DataFrame
    naf: pd.DataFrame


@dataclass(frozen=True)
class World:
    """What the simulated country is like; the defaults are the published facts."""

    size: int
    seed: int
    as_of: date
    months: int = 84
    # Share of a month's contracts that the file contains 1, 2, 3… months later.
    declared_after: tuple[float, ...] = (0.45, 0.75, 0.90, 0.97, 0.99)
    # Probability that an establishment's habits change from one year to the next.
    renewal: float = 0.15
    growth: float = 1.05
    mean_age_years: float = 9.0
    apprenticeship_share: float = 0.92
    with_contact_share: float = 0.65
    # Shares of the establishments that gather around communes, by their codes: each is then a real town.
    gathered: Mapping[str, float] = field(default_factory=dict)
    chunk: int = 50_000

    def __post_init__(self):
        if self.size < 1 or self.months < 36:
            raise ValueError("Une simulation compte au moins 1 établissement et 36 mois.")
        if self.months > LONGEST_HISTORY:
            raise ValueError(f"Une simulation compte au plus {LONGEST_HISTORY} mois.")
        if not 2000 <= self.as_of.year <= 2100:
            raise ValueError("Une simulation se situe entre 2000 et 2100.")
        if self.seed < 0:
            raise ValueError("Une graine est un nombre positif ou nul.")
        if self.as_of.day != 1:
            raise ValueError("La date de la simulation est le premier jour d’un mois.")
        if not all(0 <= share <= 1 for share in self.gathered.values()) or sum(self.gathered.values()) > 1:
            raise ValueError("Les parts d’une simulation vont de 0 à 1, et leur somme aussi.")

    @property
    def end(self) -> int:
        """The first month that the files do not contain."""
        return month_of.index(self.as_of)

    @property
    def start(self) -> int:
        return self.end - self.months


@dataclass
class _Country:
    """Arrays of one value per establishment."""

    siren: np.ndarray  # the 8 digits before the check digit
    nic: np.ndarray  # 1, 2, 3…
    unit: np.ndarray
    commune: np.ndarray
    naf: np.ndarray
    size: np.ndarray
    band: np.ndarray
    headcount: np.ndarray
    created: np.ndarray  # months, may lie before the files
    closed: np.ndarray  # months, far away when open
    effects: np.ndarray
    shape: np.ndarray
    season_sharpness: np.ndarray
    shown_band: np.ndarray = field(default_factory=lambda: np.empty(0))


BANDS = tuple(BAND_BOUNDS)
_NEVER = 10**6


def simulate(
    world: World, references: References, folder: Path, *, progress: Callable[[int], None] = lambda rows: None
) -> dict[str, int]:
    """Writes the history to ``folder`` and returns the rows of each file.

    Files: ``establishments.parquet`` (SIRENE's columns, as text), ``contracts.parquet``, ``hires.parquet``,
    ``financials.parquet``, ``contacts.csv`` and, in ``oracle/``, ``oracle.parquet`` (siret, window_start,
    expected_contracts: the true mean of the 6 months that start there, for the next window and the same season of the
    three years before). ``progress`` is told of each chunk of establishments done.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "oracle").mkdir(exist_ok=True)
    references = replace(references, communes=_drawn_communes(world, references.communes))
    country = _draw_country(world, references)
    rows = {"establishments": 0, "contracts": 0, "hires": 0, "financials": 0, "contacts": 0, "oracle": 0}
    texts = _Texts.of(references)
    schemas = {
        "establishments": pa.schema([(name, pa.string()) for name in STOCK_COLUMNS]),
        "contracts": pa.schema(
            [
                ("siret", pa.string()),
                ("start_month", pa.date32()),
                ("contract_type", pa.string()),
                ("count", pa.int32()),
            ]
        ),
        "hires": pa.schema(
            [("siret", pa.string()), ("month", pa.date32()), ("contract_type", pa.string()), ("count", pa.int32())]
        ),
        "financials": pa.schema(
            [("siren", pa.string()), ("year", pa.int32()), ("turnover", pa.float64()), ("headcount", pa.int32())]
        ),
        "oracle": pa.schema(
            [("siret", pa.string()), ("window_start", pa.date32()), ("expected_contracts", pa.float64())]
        ),
    }
    paths = {name: folder / ("oracle" if name == "oracle" else "") / f"{name}.parquet" for name in schemas}
    writers = {name: pq.ParquetWriter(paths[name], schema, compression="zstd") for name, schema in schemas.items()}
    seeds = np.random.SeedSequence([world.seed, 1]).spawn(-(-world.size // world.chunk))
    try:
        with (folder / "contacts.csv").open("w", newline="", encoding="utf-8") as file:
            contacts = csv.writer(file, lineterminator="\n")
            contacts.writerow(["siret", "email", "phone", "source"])
            for number, seed in enumerate(seeds):
                part = slice(number * world.chunk, min((number + 1) * world.chunk, world.size))
                rng = np.random.default_rng(seed)
                siret = _sirets(country.siren[part], country.nic[part])
                tables = {
                    "establishments": _stock(world, country, part, siret, texts, rng),
                    **_events(world, country, part, siret, rng),
                }
                for name, table in tables.items():
                    writers[name].write_table(table.cast(schemas[name]), row_group_size=200_000)
                    rows[name] += table.num_rows
                for line in _contacts(world, country, part, siret, rng):
                    contacts.writerow(line)
                    rows["contacts"] += 1
                progress(part.stop - part.start)
    finally:
        for writer in writers.values():
            writer.close()
    return rows


def _drawn_communes(world: World, communes: pd.DataFrame) -> pd.DataFrame:
    """The communes that establishments are drawn in, with their ``weight``: a small country gathers in the largest town
    of each département, in its larger towns, and around those that ``world`` names, so that a search finds several of a
    trade around one.
    """
    # Firms gather a little more than people do.
    people = communes["population"].to_numpy(float) ** 1.05
    rank = communes["population"].rank(method="first", ascending=False)
    chief = communes.groupby("departement")["population"].transform("max") == communes["population"]
    weight = _shares(people, (chief | (rank <= max(150, world.size // 40))).to_numpy())
    weight *= 1 - sum(world.gathered.values())
    for code, share in world.gathered.items():
        weight += share * _shares(people, _kilometres_to(code, communes) <= GATHERING_KM)
    return communes.assign(weight=weight)[weight > 0].reset_index(drop=True)


def _shares(values: np.ndarray, kept: np.ndarray) -> np.ndarray:
    values = np.where(kept, values, 0.0)
    return values / max(values.sum(), 1.0)


def _kilometres_to(code: str, communes: pd.DataFrame) -> np.ndarray:
    """Distances to the commune ``code``, good enough for a town's surroundings."""
    points = communes[["latitude", "longitude"]].to_numpy(float)
    here = points[(communes["code"] == code).to_numpy()]
    if not len(here):
        raise ValueError(f"La commune {code} n’est pas dans les référentiels, ou personne n’y habite.")
    north, east = (points - here[0]).T
    return np.hypot(north, east * np.cos(np.radians(here[0, 0]))) * KM_PER_DEGREE


def _draw_country(world: World, references: References) -> _Country:
    rng = np.random.default_rng([world.seed, 0])
    communes = references.communes.sort_values("code", kind="stable").reset_index(drop=True)
    naf = references.naf.sort_values("code", kind="stable").reset_index(drop=True)
    if communes.empty or naf.empty:
        raise ValueError("Il faut au moins une commune et une activité : importez d’abord les référentiels.")
    n = world.size

    # Legal units: most have one establishment, a few have many.
    more = np.where(rng.random(n) < 0.08, np.minimum(rng.pareto(1.3, n) + 1, 300).astype(np.int64), 0)
    unit = np.repeat(np.arange(n), 1 + more)[:n]
    nic = np.arange(n) - np.searchsorted(unit, unit, side="left") + 1
    units = int(unit[-1]) + 1
    # 100,000 numbers start with 000; a larger country goes on after them.
    siren = rng.permutation(max(100_000, units))[:units][unit]

    commune = rng.choice(len(communes), n, p=(communes["weight"] / communes["weight"].sum()).to_numpy())

    sections = naf["code"].map(section_of)
    other = ORDINARY_NAF if len(naf) < SHORT_LIST else RARE_NAF
    common = naf["code"].map(COMMON_NAF).fillna(other).to_numpy(float)
    weight = common * sections.map(SECTION_WEIGHTS).to_numpy(float)
    weight /= pd.Series(common).groupby(sections).transform("sum").to_numpy(float)
    drawn = rng.choice(len(naf), n, p=weight / weight.sum())
    # Establishments of one legal unit share its activity, most of the time.
    own = rng.random(n) < 0.15
    naf_of = np.where(own, drawn, drawn[unit])

    size = rng.choice(len(SIZES), n, p=SIZE_SHARES)
    band = np.empty(n, dtype=np.int64)
    for number, shares in enumerate(BAND_SHARES):
        mine = size == number
        codes = [BANDS.index(code) for code in shares]
        band[mine] = rng.choice(codes, mine.sum(), p=np.array(list(shares.values())) / sum(shares.values()))
    fewest = np.array([bounds[0] for bounds in BAND_BOUNDS.values()], dtype=float)[band]
    most = np.array([bounds[1] for bounds in BAND_BOUNDS.values()], dtype=float)[band]
    headcount = np.floor(np.exp(rng.uniform(np.log(fewest), np.log(most + 1)))).clip(fewest, most)

    age = np.minimum(rng.exponential(world.mean_age_years * 12, n), 12 * 70).astype(np.int64)
    created = world.end - 1 - age
    closed = np.where(rng.random(n) < 0.03, world.end - rng.integers(1, 25, n), _NEVER)
    closed = np.where(closed <= created + 1, _NEVER, closed)

    def noise(codes: pd.Series, sigma: float) -> np.ndarray:
        values = sorted(set(codes))
        return codes.map(dict(zip(values, rng.normal(0, sigma, len(values)), strict=True))).to_numpy(float)

    naf_taste = sections.map(SECTION_TASTES).to_numpy(float) + naf["code"].map(NAF_TASTES).fillna(0).to_numpy(float)
    naf_taste += noise(naf["code"], 0.25)
    place_taste = noise(communes["departement"], 0.22) + noise(communes["employment_zone"].astype(str), 0.12)
    unit_taste = np.where(np.bincount(unit)[unit] > 1, rng.normal(0, 0.5, units)[unit], 0.0)
    log_effects = naf_taste[naf_of] + place_taste[commune] + unit_taste + rng.normal(0, 0.1, n)
    log_effects += 0.6 * np.log(np.maximum(headcount, 1))
    effects = np.exp(log_effects)
    scale, shape = np.empty(len(SIZES)), np.empty(len(SIZES))
    pooled = log_effects - 0.6 * np.log(np.maximum(headcount, 1))
    for number in range(len(SIZES)):
        mine = np.flatnonzero(size == number)
        sample = effects[mine[:20_000]] if len(mine) >= 50 else np.exp(pooled[:20_000])
        # The rates are those of a whole year; the last one bears the trend.
        scale[number], shape[number] = solve_rates(sample, HIRING_RATES[number], MEAN_CONTRACTS[number])
        if len(mine) < 50:
            effects[mine] = np.exp(pooled[mine])
    division = naf["code"].str[:2].astype(int).to_numpy()
    return _Country(
        siren=siren, nic=nic, unit=unit, commune=commune, naf=naf_of, size=size, band=band, headcount=headcount,
        created=created, closed=closed, effects=effects * scale[size], shape=shape[size],
        season_sharpness=(0.75 + 0.35 * np.random.default_rng([world.seed, 2]).random(100))[division[naf_of]],
        shown_band=np.where(rng.random(n) < 0.03, -1, band),
    )  # fmt: skip


def solve_rates(effects: np.ndarray, rate: float, mean: float) -> tuple[float, float]:
    """(scale, shape) such that gamma-Poisson counts of mean ``scale × effects`` are the published ones.

    ``rate`` of the establishments have at least one contract in the year, ``mean`` contracts among those.
    """
    scale = rate * mean / effects.mean()
    low, high = 1e-4, 1e4
    for _ in range(80):
        shape = float(np.sqrt(low * high))
        hiring = 1 - ((1 + scale * effects / shape) ** -shape).mean()
        low, high = (shape, high) if hiring < rate else (low, shape)
    return float(scale), shape


def _events(world: World, country: _Country, part: slice, siret: np.ndarray, rng) -> dict[str, pa.Table]:
    """The contracts, hires, accounts and true rates of a chunk."""
    created, closed = country.created[part], country.closed[part]
    effects, shape, headcount = country.effects[part], country.shape[part], country.headcount[part]
    n = len(effects)
    first_year, last_year = world.start // 12, (world.end + ORACLE_WINDOW_MONTHS) // 12
    years = range(first_year, last_year + 1)
    residual = np.empty((len(years), n))
    residual[0] = rng.gamma(shape) / shape
    for number in range(1, len(years)):
        renewed = rng.random(n) < world.renewal
        residual[number] = np.where(renewed, rng.gamma(shape) / shape, residual[number - 1])
    season = SEASON[:, None] ** country.season_sharpness[part]
    season /= season.sum(axis=0)
    # The last whole year in the files has the published rates.
    last_whole = world.end // 12 - 1
    trend = {year: world.growth ** (year - last_whole) for year in years}

    def rate(month: int) -> np.ndarray:
        """The true mean number of contracts that start in ``month``."""
        active = (created <= month) & (month < closed)
        return active * effects * residual[month // 12 - first_year] * trend[month // 12] * season[month % 12]

    contracts, hires = [], []
    vigour = headcount * 0.01 * rng.gamma(2.0, 0.5, n)
    pro_share = (1 - world.apprenticeship_share) * 2 * rng.random(n)
    for month in range(world.start, world.end):
        drawn = rng.poisson(rate(month))
        late = world.end - month - 1
        if late < len(world.declared_after):
            drawn = rng.binomial(drawn, world.declared_after[late])
        found = np.flatnonzero(drawn)
        pro = rng.binomial(drawn[found], pro_share[found])
        for kind, count in (("APR", drawn[found] - pro), ("PRO", pro)):
            some = count > 0
            contracts.append((found[some], month, kind, count[some]))
        active = (created <= month) & (month < closed)
        habits = 0.6 + 0.4 * np.minimum(residual[month // 12 - first_year], 4.0)
        for kind, share in (("CDI", 0.45), ("CDD", 0.55)):
            drawn = rng.poisson(active * vigour * habits * share)
            found = np.flatnonzero(drawn)
            hires.append((found, month, kind, drawn[found]))

    windows = [world.end - 12 * back for back in range(ORACLE_YEARS_BACK + 1) if world.end - 12 * back >= world.start]
    oracle = pa.concat_tables(
        pa.table(
            {
                "siret": siret,
                "window_start": pa.array(np.full(n, np.datetime64(month_of.first_day(window)))),
                "expected_contracts": sum(rate(window + ahead) for ahead in range(ORACLE_WINDOW_MONTHS)),
            }
        )
        for window in windows
    )

    # One set of accounts for each legal unit: that of its first establishment in the country.
    first = np.flatnonzero((country.nic[part] == 1) & (rng.random(n) < 0.7))
    siren = np.array([text[:9] for text in siret[first]], dtype=object)
    productivity = 110_000 * np.exp(rng.normal(0, 0.5, len(first)))
    accounts = []
    for year in range(first_year, world.end // 12):
        known = created[first] // 12 <= year
        habits = np.minimum(residual[year - first_year][first], 3.0)
        staff = np.maximum(1, headcount[first] * (1 + 0.03 * (habits - 1)) * np.exp(rng.normal(0, 0.05, len(first))))
        turnover = productivity * staff * np.exp(rng.normal(0, 0.08, len(first)))
        accounts.append(
            pa.table(
                {
                    "siren": pa.array(siren[known], pa.string()),
                    "year": np.full(known.sum(), year, dtype=np.int32),
                    "turnover": np.round(turnover[known], -2),
                    "headcount": staff[known].astype(np.int32),
                }
            )
        )
    return {
        "contracts": _monthly(siret, contracts, "start_month"),
        "hires": _monthly(siret, hires, "month"),
        "financials": pa.concat_tables(accounts),
        "oracle": oracle,
    }


def _monthly(siret: np.ndarray, events: list, month_column: str) -> pa.Table:
    who = np.concatenate([event[0] for event in events])
    when = np.concatenate(
        [np.full(len(event[0]), np.datetime64(month_of.first_day(event[1]), "D")) for event in events]
    )
    kind = np.concatenate([np.full(len(event[0]), event[2], dtype=object) for event in events])
    count = np.concatenate([event[3] for event in events]).astype(np.int32)
    return pa.table(
        {
            "siret": pa.array(siret[who], pa.string()),
            month_column: pa.array(when),
            "contract_type": pa.array(kind, pa.string()),
            "count": count,
        }
    )


def _luhn_check(digits: np.ndarray) -> np.ndarray:
    """The digit that completes each row of ``digits`` (n, k) to a valid Luhn number."""
    doubled = digits[:, ::-1].copy()
    doubled[:, ::2] *= 2
    doubled[doubled > 9] -= 9
    return (10 - doubled.sum(axis=1) % 10) % 10


def _digits(numbers: np.ndarray, width: int) -> np.ndarray:
    return numbers[:, None] // 10 ** np.arange(width - 1, -1, -1) % 10


def _sirets(siren: np.ndarray, nic: np.ndarray) -> np.ndarray:
    """14-character texts: 8 digits, check, 4 digits, check."""
    digits = _digits(siren, 8)
    digits = np.column_stack([digits, _luhn_check(digits)])
    digits = np.column_stack([digits, _digits(nic, 4)])
    digits = np.column_stack([digits, _luhn_check(digits)])
    return np.ascontiguousarray(digits.astype(np.uint8) + 48).view("S14").ravel().astype("U14").astype(object)


@dataclass(frozen=True)
class _Texts:
    """The references as arrays to index by number."""

    naf: np.ndarray
    signs: list[tuple[str, ...]]
    commune: np.ndarray
    commune_name: np.ndarray
    postcode: np.ndarray
    latitude: np.ndarray
    longitude: np.ndarray
    spread_km: np.ndarray

    @classmethod
    def of(cls, references: References) -> "_Texts":
        communes = references.communes.sort_values("code", kind="stable")
        codes = references.naf.sort_values("code", kind="stable")["code"]
        starts = sorted(SIGNS, key=len, reverse=True)
        return cls(
            naf=(codes.str[:2] + "." + codes.str[2:]).to_numpy(object),
            signs=[SIGNS[next(start for start in starts if code.startswith(start))] for code in codes],
            commune=communes["code"].to_numpy(object),
            commune_name=communes["name"].map(_capitals).to_numpy(object),
            postcode=communes["postcode"].to_numpy(object),
            latitude=communes["latitude"].to_numpy(float),
            longitude=communes["longitude"].to_numpy(float),
            spread_km=np.clip(0.25 * np.sqrt(communes["population"].to_numpy(float) / 1000), 0.2, 5.0),
        )


def _capitals(name: str) -> str:
    """A name as the registry writes it: capitals, no accent, no apostrophe."""
    name = name.replace("œ", "oe").replace("Œ", "OE").replace("'", " ").replace("’", " ")
    bare = "".join(c for c in unicodedata.normalize("NFD", name) if not unicodedata.combining(c))
    return bare.upper()


def lambert_93(latitude: np.ndarray, longitude: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(easting, northing) in metres of points in degrees (IGN, NTG_71: Lambert-93 on the GRS 80 ellipsoid)."""
    n, c, x_0, y_0, e, meridian = 0.7256077650, 11754255.426, 700000.0, 12655612.050, 0.08181919106, np.radians(3)
    sine = np.sin(np.radians(latitude))
    isometric = np.arctanh(sine) - e * np.arctanh(e * sine)
    radius, angle = c * np.exp(-n * isometric), n * (np.radians(longitude) - meridian)
    return x_0 + radius * np.sin(angle), y_0 - radius * np.cos(angle)


def _stock(world: World, country: _Country, part: slice, siret: np.ndarray, texts: _Texts, rng) -> pa.Table:
    """The rows of the registry, every column as text."""
    n = len(siret)
    commune, naf, created, closed = (
        values[part] for values in (country.commune, country.naf, country.created, country.closed)
    )
    latitude = texts.latitude[commune] + rng.normal(0, 1, n) * texts.spread_km[commune] / KM_PER_DEGREE
    longitude = texts.longitude[commune] + rng.normal(0, 1, n) * texts.spread_km[commune] / (
        KM_PER_DEGREE * np.cos(np.radians(texts.latitude[commune]))
    )
    east, north = lambert_93(latitude, longitude)
    # Overseas the registry has other projections: those points are left out.
    known = (latitude > 41) & (latitude < 51.6) & (longitude > -5.6) & (longitude < 10)
    choice = rng.integers(0, 2**31, (4, n))
    sign = [texts.signs[a][c % len(texts.signs[a])] for a, c in zip(naf, choice[0], strict=True)]
    complement = np.array(SIGN_COMPLEMENTS, dtype=object)[choice[1] % len(SIGN_COMPLEMENTS)]
    shown = country.shown_band[part]
    treated = np.maximum(world.end - 1 - rng.integers(0, 18, n), created)
    treated_text = [
        f"{month_of.text(int(m))}-{1 + c % 28:02d}T{8 + c % 10:02d}:{c % 60:02d}:00"
        for m, c in zip(treated, choice[2], strict=True)
    ]
    days = rng.integers(1, 29, n)
    created_text = [f"{month_of.text(int(m))}-{d:02d}" for m, d in zip(created, days, strict=True)]
    is_closed = closed < world.end
    begun_text = np.array(
        [
            f"{month_of.text(int(m))}-01" if c else text
            for m, c, text in zip(closed, is_closed, created_text, strict=True)
        ],
        dtype=object,
    )
    easting, northing = (
        [f"{x:.2f}" if k else None for x, k in zip(axis, known, strict=True)] for axis in (east, north)
    )
    columns = {
        "siren": [text[:9] for text in siret],
        "nic": [text[9:] for text in siret],
        "siret": siret,
        "statutDiffusionEtablissement": np.where(rng.random(n) < 0.02, "P", "O"),
        "dateCreationEtablissement": created_text,
        "trancheEffectifsEtablissement": np.array([*BANDS, "NN"], dtype=object)[shown],
        "anneeEffectifsEtablissement": [str(world.end // 12 - 2) if band >= 0 else None for band in shown],
        "dateDernierTraitementEtablissement": treated_text,
        "etablissementSiege": np.where(country.nic[part] == 1, "true", "false"),
        "nombrePeriodesEtablissement": np.where(is_closed, "2", "1"),
        "numeroVoieEtablissement": (1 + choice[3] % 180).astype("U3"),
        "typeVoieEtablissement": np.array(STREET_KINDS, dtype=object)[choice[1] // 64 % len(STREET_KINDS)],
        "libelleVoieEtablissement": np.array(STREETS, dtype=object)[choice[2] // 64 % len(STREETS)],
        "codePostalEtablissement": texts.postcode[commune],
        "libelleCommuneEtablissement": texts.commune_name[commune],
        "codeCommuneEtablissement": texts.commune[commune],
        "coordonneeLambertAbscisseEtablissement": easting,
        "coordonneeLambertOrdonneeEtablissement": northing,
        "dateDebut": begun_text,
        "etatAdministratifEtablissement": np.where(is_closed, "F", "A"),
        "denominationUsuelleEtablissement": [f"{a} {b}" for a, b in zip(sign, complement, strict=True)],
        "activitePrincipaleEtablissement": texts.naf[naf],
        "nomenclatureActivitePrincipaleEtablissement": ["NAFRev2"] * n,
        "caractereEmployeurEtablissement": ["O"] * n,
    }
    return pa.table(
        {
            name: pa.array(columns[name], pa.string()) if name in columns else pa.nulls(n, pa.string())
            for name in STOCK_COLUMNS
        }
    )


def _contacts(world: World, country: _Country, part: slice, siret: np.ndarray, rng) -> Iterator[tuple[str, ...]]:
    """Fictional contacts: addresses of exemple.fr, numbers kept for fiction (01 99 00…, 06 39 98…)."""
    n = len(siret)
    draws = rng.random((4, n))
    numbers = rng.integers(0, 10_000, n)
    for i in np.flatnonzero(draws[0] < world.with_contact_share):
        # Half of the establishments of a legal unit share its address.
        shared = country.nic[part][i] > 1 and draws[1, i] < 0.5
        name = siret[i][:9] if shared else siret[i]
        email = f"recrutement.{name}@exemple.fr" if draws[2, i] < 0.85 else ""
        phone = f"{'019900' if draws[3, i] < 0.6 else '063998'}{numbers[i]:04d}"
        yield siret[i], email, "" if email and draws[3, i] > 0.9 else phone, "Simulation"
