"""The simulated country: its establishments, where they are, what they do, how they tend to hire.

What is drawn here lasts: what happens there month by month is ``scoring.pipeline.simulate``'s, which tells the world.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pandas as pd

from scoring.pipeline import months as month_of
from scoring.pipeline.nomenclatures import BAND_BOUNDS, SIZES, section_of

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
BANDS = tuple(BAND_BOUNDS)
_NEVER = 10**6


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
class Country:
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


def drawn_communes(world: World, communes: pd.DataFrame) -> pd.DataFrame:
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


def draw_country(world: World, references: References) -> Country:
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
    return Country(
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
