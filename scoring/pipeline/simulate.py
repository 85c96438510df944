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
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from scoring.pipeline import months as month_of
from scoring.pipeline.simulated_country import (
    BANDS,
    KM_PER_DEGREE,
    Country,
    References,
    World,
    draw_country,
    drawn_communes,
)
from scoring.pipeline.vocabulary import SIGN_COMPLEMENTS, SIGNS, STOCK_COLUMNS, STREET_KINDS, STREETS

# January → December; school years start in September.
SEASON = np.array([0.045, 0.035, 0.030, 0.022, 0.020, 0.028, 0.075, 0.110, 0.400, 0.135, 0.060, 0.040])

ORACLE_WINDOW_MONTHS = 6
ORACLE_YEARS_BACK = 3


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
    references = replace(references, communes=drawn_communes(world, references.communes))
    country = draw_country(world, references)
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


def _events(world: World, country: Country, part: slice, siret: np.ndarray, rng) -> dict[str, pa.Table]:
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


def _stock(world: World, country: Country, part: slice, siret: np.ndarray, texts: _Texts, rng) -> pa.Table:
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


def _contacts(world: World, country: Country, part: slice, siret: np.ndarray, rng) -> Iterator[tuple[str, ...]]:
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
