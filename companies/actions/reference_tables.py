"""The official nomenclatures, loaded into their tables: all of them in one transaction, or nothing."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from django.contrib.postgres.indexes import GinIndex
from django.db import connection, models, transaction
from django.utils import timezone

from companies.actions import naf_shares
from companies.clients import reference_files
from companies.clients.reference_files import Fault, References, SourceRefused
from companies.enums import ImportStatus
from companies.models import (
    Commune,
    Departement,
    FormerCommune,
    Idcc,
    Naf,
    NafRomeShare,
    Opco,
    ReferenceImport,
    Region,
    Rome,
    RomeAppellation,
    RomeItem,
    RomeMobility,
    RomeWord,
)

__all__ = ["SourceRefused", "TableReport", "load"]

#: A table that would shrink under this share of its rows is not believed.
SMALLEST_TABLE = 0.8
MOST_FAULTS_KEPT = 200
LONGEST_WORD = 100
MOST_KEPT_NAMED = 5


@dataclass(frozen=True)
class Table:
    """Where rows go: ``columns`` in the order of the rows, the first ``key`` of them identify a row."""

    model: type[models.Model]
    columns: tuple[str, ...]
    rows: Iterable[tuple]
    key: int = 1
    #: Computed here from the other tables: its size says nothing of the source.
    is_derived: bool = False

    @property
    def name(self) -> str:
        return self.model._meta.db_table

    @property
    def label(self) -> str:
        return str(self.model._meta.verbose_name_plural)


@dataclass
class TableReport:
    """Numbers of rows: read from the source, then added, changed, removed; ``kept`` left the source but are in use."""

    read: int = 0
    added: int = 0
    changed: int = 0
    removed: int = 0
    kept: int = 0
    kept_examples: tuple[str, ...] = ()


@dataclass
class Report:
    """What ``load`` did, table by table (French plural names), and the lines that it put aside."""

    tables: dict[str, TableReport]
    faults: list[Fault]


def load(*, source: Path, at: dt.datetime, forced_reason: str = "") -> Report:
    """Reads the official files of ``source`` and makes the tables say the same; can be run again without harm.

    Raises ``SourceRefused`` (a French sentence; nothing is changed, and the refusal is kept in the journal) when a file
    or a column is missing, or when a table would lose more than 20 % of its rows and no ``forced_reason`` is given.
    """
    journal = ReferenceImport(source=source.name[:255], started_at=at, forced_reason=forced_reason)
    try:
        found = reference_files.read(source)
        with transaction.atomic():
            reports = _replace(_tables(found), forced=bool(forced_reason))
    except SourceRefused as refusal:
        journal.status, journal.refusal = ImportStatus.REFUSED, str(refusal)
        raise
    else:
        journal.status = ImportStatus.DONE
        journal.tables = {label: asdict(report) for label, report in reports.items()}
        journal.bad_lines = len(found.faults)
        journal.faults = [[fault.file, fault.line, fault.reason] for fault in found.faults[:MOST_FAULTS_KEPT]]
        return Report(tables=reports, faults=found.faults)
    finally:
        if journal.status:
            journal.finished_at = timezone.now()
            journal.save(force_insert=True)


def _tables(found: References) -> list[Table]:
    """The tables, those that others point at first."""
    titles = Counter(row[1] for row in found.appellations if not row[7])
    words = Counter(word for row in found.appellations for word in set(row[4].split()) if len(word) <= LONGEST_WORD)
    counts = naf_shares.hirings_by_job(
        hirings=found.hirings,
        parents={row[0]: row[2] for row in found.romes if row[2]},
        titles=titles,
        divisions=found.rome_divisions,
    )
    national = naf_shares.national_hirings(counts=counts)
    shares = naf_shares.shares(nafs=[row[0] for row in found.nafs], counts=counts)
    return [
        Table(Region, ("code", "name"), found.regions),
        Table(Departement, ("code", "name", "region_id"), found.departements),
        Table(
            Commune,
            (
                "code", "name", "search_key", "postcodes", "departement_id", "population", "latitude", "longitude",
                "employment_zone", "parent_id",
            ),
            found.communes,
        ),
        Table(FormerCommune, ("code", "name", "search_key", "commune_id"), found.former_communes),
        Table(Naf, ("code", "label"), found.nafs),
        Table(Opco, ("code", "name", "api_label"), found.opcos),
        Table(Idcc, ("code", "label", "opco_id"), found.idccs),
        Table(
            Rome,
            (
                "code", "label", "parent_code", "domain_code", "domain_label", "large_domain_label", "definition",
                "access", "hirings",
            ),
            [(*row, national.get(row[0], 0)) for row in found.romes],
        ),
        Table(
            RomeAppellation,
            (
                "ogr", "rome_id", "label", "short_label", "search_key", "masculine_key", "feminine_key", "is_rare",
                "is_main",
            ),
            found.appellations,
        ),
        Table(RomeWord, ("word", "uses"), list(words.items()), is_derived=True),
        Table(RomeItem, ("rome_id", "kind", "ogr", "label", "category", "is_core"), found.items, key=3),
        Table(RomeMobility, ("rome_id", "target_id", "position"), found.mobilities, key=2),
        Table(NafRomeShare, ("naf_id", "rome_id", "share"), shares, key=2, is_derived=True),
    ]  # fmt: skip


def _replace(tables: list[Table], *, forced: bool) -> dict[str, TableReport]:
    reports = {}
    with connection.cursor() as cursor:
        for table in tables:
            reports[table.label] = TableReport(read=_stage(cursor, table))
        shrunk = [sentence for table in tables if (sentence := _shrinks(cursor, table, reports[table.label].read))]
        if shrunk and not forced:
            raise SourceRefused(
                f"La source est trop petite : {' ; '.join(shrunk)}. Si c’est voulu, relancez avec --force RAISON."
            )
        for table in tables:
            _write(cursor, table, reports[table.label])
        # Those that point at others leave first.
        for table in reversed(tables):
            _remove(cursor, table, reports[table.label])
        for table in tables:
            cursor.execute(f"DROP TABLE staged_{table.name}")
            cursor.execute(f"ANALYZE {table.name}")
            for index in table.model._meta.indexes:
                if isinstance(index, GinIndex):
                    # What a bulk load leaves in the index's waiting list is read whole by every search.
                    cursor.execute("SELECT gin_clean_pending_list(%s::regclass)", [index.name])
    return reports


def _stage(cursor, table: Table) -> int:
    """Copies the rows into a temporary table of the same types, and counts them."""
    columns = ", ".join(table.columns)
    cursor.execute(
        f"CREATE TEMPORARY TABLE staged_{table.name} ON COMMIT DROP AS SELECT {columns} FROM {table.name} WITH NO DATA"  # noqa: S608
    )
    count = 0
    with cursor.copy(f"COPY staged_{table.name} ({columns}) FROM STDIN") as copy:
        for row in table.rows:
            copy.write_row(row)
            count += 1
    cursor.execute(f"CREATE INDEX ON staged_{table.name} ({', '.join(table.columns[: table.key])})")
    cursor.execute(f"ANALYZE staged_{table.name}")
    return count


def _shrinks(cursor, table: Table, read: int) -> str:
    """A piece of sentence when the source holds too few rows of ``table``."""
    if table.is_derived:
        return ""
    cursor.execute(f"SELECT count(*) FROM {table.name}")  # noqa: S608
    current = cursor.fetchone()[0]
    return f"{table.label}, {read} au lieu de {current}" if read < SMALLEST_TABLE * current else ""


def _same_key(table: Table, left: str, right: str) -> str:
    return " AND ".join(f"{left}.{column} = {right}.{column}" for column in table.columns[: table.key])


def _write(cursor, table: Table, report: TableReport) -> None:
    """Changes the rows that differ, then adds those that are missing."""
    columns, others = table.columns, table.columns[table.key :]
    cursor.execute(
        f"UPDATE {table.name} kept SET {', '.join(f'{column} = staged.{column}' for column in others)}"  # noqa: S608
        f" FROM staged_{table.name} staged WHERE {_same_key(table, 'kept', 'staged')}"
        f" AND ({', '.join(f'kept.{column}' for column in others)})"
        f" IS DISTINCT FROM ({', '.join(f'staged.{column}' for column in others)})"
    )
    report.changed = cursor.rowcount
    cursor.execute(
        f"INSERT INTO {table.name} ({', '.join(columns)})"  # noqa: S608
        f" SELECT {', '.join(f'staged.{column}' for column in columns)} FROM staged_{table.name} staged"
        f" WHERE NOT EXISTS (SELECT FROM {table.name} kept WHERE {_same_key(table, 'kept', 'staged')})"
    )
    report.added = cursor.rowcount


def _remove(cursor, table: Table, report: TableReport) -> None:
    """Removes the rows that left the source, but those that something still points at."""
    left = f"NOT EXISTS (SELECT FROM staged_{table.name} staged WHERE {_same_key(table, 'kept', 'staged')})"
    # Those without a name on this side too: the offers of a job, the trace of an OPCO.
    pointing = [
        relation
        for relation in table.model._meta.get_fields(include_hidden=True)
        if isinstance(relation, models.ForeignObjectRel) and not relation.many_to_many
    ]
    unused = [
        f"NOT EXISTS (SELECT FROM {relation.related_model._meta.db_table} pointing"
        f" WHERE pointing.{relation.field.column} = kept.{relation.field.target_field.column})"
        for relation in pointing
    ]
    # A commune waits for its arrondissements, hence more than one pass.
    while True:
        cursor.execute(f"DELETE FROM {table.name} kept WHERE {' AND '.join([left, *unused])}")  # noqa: S608
        report.removed += cursor.rowcount
        if not cursor.rowcount or not any(relation.related_model is table.model for relation in pointing):
            break
    cursor.execute(
        f"SELECT count(*), (array_agg({table.columns[0]}::text ORDER BY {table.columns[0]}))[:{MOST_KEPT_NAMED}]"  # noqa: S608
        f" FROM {table.name} kept WHERE {left}"
    )
    report.kept, examples = cursor.fetchone()
    report.kept_examples = tuple(examples or ())
