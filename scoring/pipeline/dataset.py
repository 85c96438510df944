"""The inputs of the score: read in chunks, checked row by row, joined to the establishments by SIRET text.

A row that does not fit is written to a quarantine file with its file, line and reason, and counted; too many stop the
run. What is kept in memory are four arrays per event (establishment, month, kind, count), a few bytes a row.
"""

import csv
import gzip
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from scoring.pipeline.errors import TooManyFaults, UnreadableFile

CHUNK_ROWS = 250_000
# A share of faulty rows above which a file can't be trusted at all (the gates are stricter).
STOP_SHARE = 0.05
QUARANTINE_ROWS_KEPT = 100_000
LARGEST_COUNT = 5_000
# No French company comes near: what lies beyond is a fault of the file.
LARGEST_TURNOVER = 1e13  # euros
LARGEST_HEADCOUNT = 1e7
FIRST_MONTH = 2000 * 12

CONTRACT_TYPES = ("APR", "PRO")
HIRE_TYPES = ("CDI", "CDD")

# The columns of the establishments' table, whatever it was read from.
ESTABLISHMENT_COLUMNS = (
    "siret", "siren", "naf", "band", "created_month", "closed_month", "commune", "departement", "employment_zone",
)  # fmt: skip


@dataclass(frozen=True)
class Events:
    """Counts by establishment and month: four arrays of one length; ``who`` numbers the establishments' rows."""

    who: np.ndarray  # int32
    month: np.ndarray  # int32, as in ``months``
    kind: np.ndarray  # int8, the place in CONTRACT_TYPES or HIRE_TYPES
    count: np.ndarray  # int32

    def __len__(self) -> int:
        return len(self.who)

    def before(self, month: int) -> "Events":
        """The events strictly before ``month``."""
        kept = self.month < month
        return Events(self.who[kept], self.month[kept], self.kind[kept], self.count[kept])

    def total(self, establishments: int, first: int, last: int, kind: int | None = None) -> np.ndarray:
        """The counts of each establishment from month ``first`` to month ``last``, which is not included."""
        kept = (self.month >= first) & (self.month < last)
        if kind is not None:
            kept &= self.kind == kind
        return np.bincount(self.who[kept], weights=self.count[kept], minlength=establishments).astype(np.float32)


@dataclass(frozen=True)
class FileReport:
    """What was read of a file."""

    rows: int
    quarantined: int
    unknown_sirets: int
    ahead: int
    reasons: dict[str, int]

    @property
    def quarantine_share(self) -> float:
        return self.quarantined / self.rows if self.rows else 0.0

    @property
    def unknown_share(self) -> float:
        return self.unknown_sirets / self.rows if self.rows else 0.0

    def as_json(self) -> dict[str, Any]:
        return {
            "rows": self.rows,
            "quarantined": self.quarantined,
            "unknown_sirets": self.unknown_sirets,
            "ahead": self.ahead,
            "reasons": self.reasons,
        }


@dataclass(frozen=True)
class Dataset:
    """Everything a run looks at.

    ``establishments``: one row per establishment, ESTABLISHMENT_COLUMNS, numbered from 0. ``unit``: the number of each
    establishment's legal unit. ``accounts``: unit, year, turnover (euros), headcount. ``horizon``: the first month
    after the data; the score speaks of the six months that start there.
    """

    establishments: pd.DataFrame
    unit: np.ndarray
    contracts: Events
    hires: Events
    accounts: pd.DataFrame
    first_month: int
    horizon: int
    run_month: int
    reports: dict[str, FileReport] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return len(self.establishments)

    def open_at(self, month: int) -> np.ndarray:
        """Which establishments exist at the start of ``month`` (a mask)."""
        created = self.establishments["created_month"].to_numpy(float)
        closed = self.establishments["closed_month"].to_numpy(float)
        return ~(created >= month) & ~(closed < month)


class Quarantine:
    """The file of the rows that were put aside; written only when there are some."""

    def __init__(self, path: Path):
        self.path = path
        self._file: TextIO | None = None
        self._written = 0

    def add(self, source: str, lines: np.ndarray, reason: str, rows: pa.Table) -> None:
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = gzip.open(self.path, "wt", encoding="utf-8", newline="")  # noqa: SIM115
            csv.writer(self._file).writerow(["file", "line", "reason", "row"])
        room = QUARANTINE_ROWS_KEPT - self._written
        writer = csv.writer(self._file)
        for line, row in zip(lines[: max(room, 0)], rows.slice(0, max(room, 0)).to_pylist(), strict=True):
            text = ";".join("" if value is None else str(value) for value in row.values())
            # A spreadsheet must not run what a file holds.
            writer.writerow([source, int(line), reason, f"'{text}" if text[:1] in "=+-@\t\r" else text])
            self._written += 1

    def add_cut(self, source: str, cut: list[tuple[int, str]], reasons: Counter[str]) -> int:
        """Puts aside rows that have not the header's number of fields; counts them in ``reasons``, returns how many."""
        reason = "la ligne n’a pas autant de champs que l’en-tête"
        if cut:
            lines, texts = zip(*cut, strict=True)
            self.add(source, np.array(lines), reason, pa.table({"row": texts}))
            reasons[reason] += len(cut)
        return len(cut)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


def find_file(folder: Path, name: str) -> Path | None:
    """``name`` in Parquet or CSV, compressed or not."""
    for suffix in (".parquet", ".csv", ".csv.gz"):
        path = folder / f"{name}{suffix}"
        if path.is_file():
            return path
    return None


@dataclass(frozen=True)
class _Chunk:
    """Some rows of a file, each with the number by which a person finds it again (a CSV's header is line 1).

    ``cut``: the rows that have not the header's number of fields, ``(line, text)``.
    """

    rows: pa.Table
    lines: np.ndarray
    cut: list[tuple[int, str]]


def _chunks(path: Path, columns: tuple[str, ...], *, numbers: tuple[str, ...] = ()) -> Iterator[_Chunk]:
    """The columns of a file by chunks: text (a date may be one), but ``numbers``, which may be either."""
    try:
        yield from (_parquet_chunks if path.name.endswith(".parquet") else _csv_chunks)(path, columns, numbers)
    except (pa.ArrowException, OSError) as fault:
        raise UnreadableFile(f"{path.name} est vide, abîmé, ou n’est pas au format attendu.") from fault


def _parquet_chunks(path: Path, columns: tuple[str, ...], numbers: tuple[str, ...]) -> Iterator[_Chunk]:
    source = pq.ParquetFile(path)
    _check_columns(path, source.schema_arrow.names, columns)
    for name in columns:
        kind = source.schema_arrow.field(name).type
        if name in ("siret", "siren") and not _is_text(kind):
            raise UnreadableFile(
                f"{path.name} : la colonne « {name} » n’est pas du texte, ses zéros de tête sont perdus."
            )
        fits = _is_text(kind) or pa.types.is_null(kind) or pa.types.is_primitive(kind)
        if not fits or (name in numbers and pa.types.is_temporal(kind)):
            wanted = "un nombre" if name in numbers else "du texte"
            raise UnreadableFile(f"{path.name} : la colonne « {name} » n’est pas {wanted}.")
    line = 1
    for batch in source.iter_batches(batch_size=CHUNK_ROWS, columns=list(columns)):
        yield _Chunk(pa.Table.from_batches([batch]), np.arange(line, line + batch.num_rows), [])
        line += batch.num_rows


def _csv_chunks(path: Path, columns: tuple[str, ...], numbers: tuple[str, ...]) -> Iterator[_Chunk]:
    cut: list[tuple[int, str]] = []

    def set_aside(row) -> str:
        cut.append((row.number, row.text))
        return "skip"

    with pa_csv.open_csv(
        pa.input_stream(str(path), compression="gzip" if path.suffix == ".gz" else None),
        # In one thread a row that is set aside has a number.
        read_options=pa_csv.ReadOptions(block_size=8 << 20, use_threads=False),
        parse_options=pa_csv.ParseOptions(invalid_row_handler=set_aside),
        # Bytes: one row in another encoding must not stop the others.
        convert_options=pa_csv.ConvertOptions(column_types=dict.fromkeys(columns, pa.binary())),
    ) as reader:
        _check_columns(path, reader.schema.names, columns)
        line = 2
        for batch in reader:
            rows = pa.Table.from_batches([batch]).select(list(columns))
            # The reader looks ahead: some of the rows set aside come after this chunk.
            lines = np.arange(line, line + batch.num_rows + len(cut))
            lines = lines[~np.isin(lines, [number for number, _ in cut])][: batch.num_rows]
            line = int(lines[-1]) + 1 if len(lines) else line
            mine = [row for row in cut if row[0] < line]
            cut[:] = [row for row in cut if row[0] >= line]
            yield _Chunk(pa.table([_decoded(rows[name]) for name in columns], names=list(columns)), lines, mine)
    if cut:
        none = pa.table([pa.array([], pa.string()) for _ in columns], names=list(columns))
        yield _Chunk(none, np.empty(0, int), cut)


def _decoded(column: pa.ChunkedArray) -> pa.ChunkedArray:
    try:
        return pc.cast(column, pa.string())
    except pa.ArrowInvalid:
        return pa.chunked_array([pa.array([value.decode("utf-8", "replace") for value in column.to_pylist()])])


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_dictionary(kind)


def _check_columns(path: Path, found: list[str], wanted: tuple[str, ...]) -> None:
    repeated = [name for name in wanted if found.count(name) > 1]
    if repeated:
        raise UnreadableFile(f"{path.name} : la colonne « {repeated[0]} » est écrite deux fois.")
    missing = [name for name in wanted if name not in found]
    if missing:
        names = ", ".join(f"« {name} »" for name in missing)
        raise UnreadableFile(
            f"{path.name} : il manque {'les colonnes' if len(missing) > 1 else 'la colonne'} {names}."
            " Le format attendu est décrit dans docs/scoring.md."
        )


def _text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.utf8_trim_whitespace(pc.cast(column, pa.string()))


def _numbers(column: pa.ChunkedArray) -> np.ndarray:
    """A column as floats; what is not a number is NaN."""
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        # Beyond 2^53 a float is not exact, and no count goes so far.
        return pc.cast(column, pa.float64(), safe=False).to_numpy()
    column = pc.utf8_trim_whitespace(column)
    good = pc.match_substring_regex(column, r"^-?\d{1,15}(\.\d+)?$")
    return pc.cast(pc.if_else(good, column, None), pa.float64()).to_numpy()


def parse_months(column: pa.ChunkedArray) -> np.ndarray:
    """Month numbers of dates, ``AAAA-MM-JJ`` or ``AAAA-MM``; -1 where there is none."""
    text = pc.fill_null(_text(column), "")
    good = pc.match_substring_regex(text, r"^\d{4}-(0[1-9]|1[0-2])(-\d{2}([ T].*)?)?$").to_numpy()
    text = pc.if_else(pa.chunked_array([pa.array(good)]), text, "0000-01")
    year = pc.cast(pc.utf8_slice_codeunits(text, 0, 4), pa.int32()).to_numpy()
    month = pc.cast(pc.utf8_slice_codeunits(text, 5, 7), pa.int32()).to_numpy()
    return np.where(good, year * 12 + month - 1, -1)


def fixed_bytes(column: pa.ChunkedArray, width: int) -> np.ndarray:
    """Texts of exactly ``width`` ASCII characters as an array of ``S<width>``: zeros kept, a seventh of the memory."""
    if not len(column):
        return np.empty(0, dtype=f"S{width}")
    return np.frombuffer("".join(column.to_pylist()).encode("ascii"), dtype=f"S{width}")


def has_luhn(sirets: np.ndarray) -> np.ndarray:
    """Which SIRETs (``S14``, digits only) have a valid key; La Poste's have a rule of their own."""
    digits = sirets.view(np.uint8).reshape(-1, 14).astype(np.int16) - 48
    doubled = digits.copy()
    doubled[:, ::2] *= 2
    doubled[doubled > 9] -= 9
    post_office = (np.char.startswith(sirets, b"356000000")) & (digits.sum(axis=1) % 5 == 0)
    return (doubled.sum(axis=1) % 10 == 0) | post_office


class SiretIndex:
    """From SIRET texts to the numbers of the establishments' rows."""

    def __init__(self, sirets: pd.Series):
        keys = np.asarray(sirets.to_numpy(), dtype="S14")
        self._order = np.argsort(keys, kind="stable").astype(np.int32)
        self._keys = keys[self._order]

    def find(self, sirets: np.ndarray) -> np.ndarray:
        """The row of each SIRET (``S14``), -1 where it is unknown."""
        if not len(self._keys):
            return np.full(len(sirets), -1, dtype=np.int32)
        place = np.searchsorted(self._keys, sirets).clip(max=len(self._keys) - 1)
        return np.where(self._keys[place] == sirets, self._order[place], -1).astype(np.int32)


def _read_events(
    path: Path, month_column: str, kinds: tuple[str, ...], index: SiretIndex, run_month: int, quarantine: Quarantine
) -> tuple[Events, FileReport]:
    parts: list[tuple[np.ndarray, ...]] = []
    rows = unknown = ahead = 0
    reasons: Counter[str] = Counter()
    for part in _chunks(path, ("siret", month_column, "contract_type", "count"), numbers=("count",)):
        chunk, n = part.rows, part.rows.num_rows
        siret = pc.fill_null(_text(chunk["siret"]), "")
        month = parse_months(chunk[month_column])
        kind = np.asarray(
            pc.fill_null(pc.index_in(_text(chunk["contract_type"]), value_set=pa.array(kinds)), -1).to_numpy()
        )
        count = _numbers(chunk["count"])
        shaped = pc.match_substring_regex(siret, r"^[0-9]{14}$").to_numpy()
        keyed = shaped.copy()
        keyed[shaped] = has_luhn(fixed_bytes(siret.filter(pa.array(shaped)), 14))
        whole = np.nan_to_num(count) == np.floor(np.nan_to_num(count))
        faults = (
            (~shaped, "le SIRET n’a pas 14 chiffres"),
            (~keyed, "la clé du SIRET est fausse"),
            (month < FIRST_MONTH, "le mois n’est pas de la forme AAAA-MM"),
            (kind < 0, f"le type de contrat n’est pas l’un de : {', '.join(kinds)}"),
            (~(whole & (count >= 1) & (count <= LARGEST_COUNT)), f"le nombre n’est pas entre 1 et {LARGEST_COUNT}"),
        )  # fmt: skip
        good = np.ones(n, dtype=bool)
        for wrong, reason in faults:
            wrong = wrong & good
            if wrong.any():
                quarantine.add(path.name, part.lines[wrong], reason, chunk.filter(pa.array(wrong)))
                reasons[reason] += int(wrong.sum())
                good &= ~wrong
        rows += n + quarantine.add_cut(path.name, part.cut, reasons)
        later = good & (month >= run_month)
        ahead += int(later.sum())
        good &= ~later
        who = index.find(fixed_bytes(siret.filter(pa.array(good)), 14))
        known = who >= 0
        unknown += int((~known).sum())
        parts.append(
            (
                who[known],
                month[good][known].astype(np.int32),
                kind[good][known].astype(np.int8),
                count[good][known].astype(np.int32),
            )
        )
    empty = (np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, np.int8), np.empty(0, np.int32))
    events = Events(*(np.concatenate(columns) for columns in zip(empty, *parts, strict=True)))
    report = FileReport(rows, sum(reasons.values()), unknown, ahead, dict(reasons))
    _stop_if_unhealthy(path, report)
    return events, report


def _read_accounts(path: Path, units: dict[str, int], quarantine: Quarantine) -> tuple[pd.DataFrame, FileReport]:
    parts: list[pd.DataFrame] = []
    rows = unknown = 0
    reasons: Counter[str] = Counter()
    for part in _chunks(path, ("siren", "year", "turnover", "headcount"), numbers=("year", "turnover", "headcount")):
        chunk = part.rows
        siren = pc.fill_null(_text(chunk["siren"]), "")
        year, turnover, headcount = (_numbers(chunk[name]) for name in ("year", "turnover", "headcount"))
        shaped = pc.match_substring_regex(siren, r"^[0-9]{9}$").to_numpy()
        faults = (
            (~shaped, "le SIREN n’a pas 9 chiffres"),
            (~((year >= 1990) & (year <= 2100)), "l’année n’en est pas une"),
            ((turnover < 0) | (headcount < 0), "un montant ou un effectif est négatif"),
            ((turnover > LARGEST_TURNOVER) | (headcount > LARGEST_HEADCOUNT), "un montant ou un effectif est démesuré"),
        )
        good = np.ones(chunk.num_rows, dtype=bool)
        for wrong, reason in faults:
            wrong = wrong & good
            if wrong.any():
                quarantine.add(path.name, part.lines[wrong], reason, chunk.filter(pa.array(wrong)))
                reasons[reason] += int(wrong.sum())
                good &= ~wrong
        rows += chunk.num_rows + quarantine.add_cut(path.name, part.cut, reasons)
        unit = np.array([units.get(text, -1) for text in siren.filter(pa.array(good)).to_pylist()], dtype=np.int32)
        known = unit >= 0
        unknown += int((~known).sum())
        parts.append(
            pd.DataFrame(
                {
                    "unit": unit[known],
                    "year": year[good][known].astype(np.int32),
                    "turnover": turnover[good][known],
                    "headcount": headcount[good][known],
                }
            )
        )
    report = FileReport(rows, sum(reasons.values()), unknown, 0, dict(reasons))
    _stop_if_unhealthy(path, report)
    accounts = pd.concat([_no_accounts(), *parts], ignore_index=True)
    return accounts.drop_duplicates(["unit", "year"], keep="last").reset_index(drop=True), report


def _no_accounts() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "unit": np.empty(0, np.int32),
            "year": np.empty(0, np.int32),
            "turnover": np.empty(0, float),
            "headcount": np.empty(0, float),
        }
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %".replace(".", ",")


def _stop_if_unhealthy(path: Path, report: FileReport) -> None:
    if not report.rows:
        raise UnreadableFile(f"{path.name} ne contient aucune ligne.")
    if report.quarantine_share > STOP_SHARE:
        worst = max(report.reasons, key=lambda reason: report.reasons[reason])
        raise TooManyFaults(
            f"{path.name} : {_percent(report.quarantine_share)} des lignes sont écartées, plus de"
            f" {_percent(STOP_SHARE)} ;"
            f" première raison : {worst} ({report.reasons[worst]} lignes)."
        )


def read(folder: Path, establishments: pd.DataFrame, *, run_month: int, quarantine_path: Path) -> Dataset:
    """The dataset of a folder of files, for a run made in ``run_month``.

    ``contracts`` is needed; ``hires`` and ``financials`` are optional. Months from ``run_month`` on are counted apart
    (contracts may be signed ahead) and left out. Raises ``PipelineRefusal``.
    """
    if establishments.empty:
        raise UnreadableFile("Aucun établissement : importez d’abord la base SIRENE (import_establishments).")
    contracts_path = find_file(folder, "contracts")
    if contracts_path is None:
        raise UnreadableFile("Il n’y a pas de fichier « contracts » (.parquet, .csv ou .csv.gz) dans ce dossier.")
    index = SiretIndex(establishments["siret"])
    unit, sirens = pd.factorize(establishments["siren"])
    quarantine = Quarantine(quarantine_path)
    reports: dict[str, FileReport] = {}
    none = Events(np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, np.int8), np.empty(0, np.int32))
    try:
        contracts, reports["contracts"] = _read_events(
            contracts_path, "start_month", CONTRACT_TYPES, index, run_month, quarantine
        )
        hires_path = find_file(folder, "hires")
        hires = none
        if hires_path:
            hires, reports["hires"] = _read_events(hires_path, "month", HIRE_TYPES, index, run_month, quarantine)
        accounts_path = find_file(folder, "financials")
        accounts = _no_accounts()
        if accounts_path:
            units = {siren: number for number, siren in enumerate(sirens)}
            accounts, reports["financials"] = _read_accounts(accounts_path, units, quarantine)
    finally:
        quarantine.close()
    if not len(contracts):
        raise UnreadableFile("Aucun contrat ne correspond à un établissement connu : vérifiez les deux sources.")
    return Dataset(
        establishments=establishments.reset_index(drop=True),
        unit=unit.astype(np.int32),
        contracts=contracts,
        hires=hires,
        accounts=accounts,
        first_month=int(contracts.month.min()),
        horizon=int(contracts.month.max()) + 1,
        run_month=run_month,
        reports=reports,
    )


def establishments_from_stock(path: Path, communes: pd.DataFrame) -> pd.DataFrame:
    """The establishments' table of a SIRENE stock file, for runs without a database.

    ``communes``: code, departement, employment_zone.
    """
    wanted = (
        "siret", "activitePrincipaleEtablissement", "trancheEffectifsEtablissement", "dateCreationEtablissement",
        "etatAdministratifEtablissement", "dateDebut", "codeCommuneEtablissement", "caractereEmployeurEtablissement",
    )  # fmt: skip
    stock = pd.concat([chunk.rows.to_pandas() for chunk in _chunks(path, wanted)], ignore_index=True)
    stock = stock[stock["caractereEmployeurEtablissement"] != "N"].reset_index(drop=True)
    closed = (stock["etatAdministratifEtablissement"] == "F").to_numpy()
    created = parse_months(pa.chunked_array([pa.array(stock["dateCreationEtablissement"], pa.string())]))
    begun = parse_months(pa.chunked_array([pa.array(stock["dateDebut"], pa.string())]))
    places = communes.set_index("code")
    commune = stock["codeCommuneEtablissement"]
    return pd.DataFrame(
        {
            "siret": stock["siret"],
            "siren": stock["siret"].str[:9],
            "naf": stock["activitePrincipaleEtablissement"].str.replace(".", "", regex=False).fillna(""),
            "band": stock["trancheEffectifsEtablissement"].fillna("NN"),
            "created_month": np.where(created >= 0, created, np.nan),
            "closed_month": np.where(closed & (begun >= 0), begun, np.nan),
            "commune": commune,
            "departement": commune.map(places["departement"]).fillna(""),
            "employment_zone": commune.map(places["employment_zone"]).fillna(""),
        }
    )
