"""Imports of the registry's files: staged aside, compared with the last one, applied in one transaction.

A run that is killed leaves nothing applied: staging tables belong to its session, and the facts change in one
transaction at the end. Human decisions live in other tables; nothing here writes them.
"""

import datetime as dt
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from django.db import IntegrityError, connection, transaction

from companies.enums import ImportKind, ImportStatus
from companies.models import Commune, EstablishmentImport, FormerCommune, Naf

# A file with more faults than this is not the file it should be.
LARGEST_QUARANTINED_SHARE = 0.05
ALWAYS_BEARABLE = 20
SMALLEST_SHARE_OF_LAST = 0.8


class RefusedImport(ValueError):
    """The file is not applied; the message says why, in French. Nothing has changed."""


class ParsedRows(Protocol):
    """Some lines of a file, judged (``companies.clients.sirene_rows``)."""

    rows: int
    rejected: list[Any]
    position: int
    unknown_naf: int
    unplaced: int
    latest: dt.date | None

    def csv(self) -> bytes: ...


class QuarantineFile(Protocol):
    """Where the lines that do not fit go (``companies.clients.quarantine``)."""

    rows: int

    def add(self, *, file_name: str, line: int, reason: str, content: Any) -> None: ...

    def close(self) -> Any: ...


@dataclass(frozen=True)
class Source:
    """A file, or a part of one: its lines come as judged rows, in the order of the staging table's columns."""

    name: str
    sha256: str
    batches: Iterable[ParsedRows]


STAGED_ESTABLISHMENTS = """
    siret varchar(14), own_name varchar(200), naf_id varchar(5), headcount_band varchar(2), created_on date,
    address_complement varchar(200), address varchar(200), postcode varchar(5), commune_id varchar(5),
    latitude double precision, longitude double precision, is_headquarters boolean, is_employer boolean,
    is_diffusible boolean, is_closed boolean, closed_on date, registry_updated_at timestamp
"""
STAGED_LEGAL_UNITS = "siren varchar(9), name varchar(200), legal_category varchar(4), is_diffusible boolean"

_FACTS = (
    "name", "legal_name", "naf_id", "headcount_band", "created_on", "address_complement", "address", "postcode",
    "commune_id", "latitude", "longitude", "is_headquarters", "is_employer", "is_diffusible", "registry_updated_at",
)  # fmt: skip

# A staged line as the table keeps it: named by its sign, else by its company; hidden when either is.
_STAGED_FACTS = """
    SELECT s.siret, COALESCE(NULLIF(s.own_name, ''), u.name, '') AS name, COALESCE(u.name, '') AS legal_name,
        s.naf_id, s.headcount_band, s.created_on, s.address_complement, s.address, s.postcode, s.commune_id,
        s.latitude, s.longitude, s.is_headquarters, s.is_employer,
        s.is_diffusible AND COALESCE(u.is_diffusible, true) AS is_diffusible,
        s.registry_updated_at AT TIME ZONE 'Europe/Paris' AS registry_updated_at, s.is_closed, s.closed_on
    FROM staged s LEFT JOIN companies_legalunit u ON u.siren = left(s.siret, 9)
"""


def import_establishments(
    *,
    sources: list[Source],
    at: dt.datetime,
    quarantine: QuarantineFile,
    dated_on: dt.date | None = None,
    forced_reason: str = "",
    is_partial: bool = False,
    on_progress: Callable[[int], Any] = lambda position: None,
) -> EstablishmentImport:
    """Brings the table of establishments to what a stock file (or its parts) says.

    New SIRETs are added, changed facts are written, closed ones get their date; an establishment that a whole stock no
    longer holds is closed on the file's date, unless the table knows it from a later day. ``dated_on`` is the day of
    the file, by default its latest line's. ``is_partial``: a part of the registry, which closes nothing by silence.
    Raises ``RefusedImport``, and then changes nothing; ``forced_reason`` lets an old, small or faulty file through.
    """
    run = _Run(ImportKind.ESTABLISHMENTS, sources, at, quarantine, dated_on, forced_reason, is_partial, on_progress)
    return run.execute(STAGED_ESTABLISHMENTS, _apply_establishments)


def import_legal_units(
    *,
    sources: list[Source],
    at: dt.datetime,
    quarantine: QuarantineFile,
    dated_on: dt.date | None = None,
    forced_reason: str = "",
    is_partial: bool = False,
    on_progress: Callable[[int], Any] = lambda position: None,
) -> EstablishmentImport:
    """Brings the table of companies to what a ``StockUniteLegale`` file says, and names their establishments.

    A company that the file no longer holds stays: its name does no harm. Raises ``RefusedImport``.
    """
    run = _Run(ImportKind.LEGAL_UNITS, sources, at, quarantine, dated_on, forced_reason, is_partial, on_progress)
    return run.execute(STAGED_LEGAL_UNITS, _apply_legal_units)


def known_places() -> dict[str, Any]:
    """What a file's codes are checked against: NAF codes, communes with their point, former communes."""
    return {
        "naf_codes": list(Naf.objects.values_list("code", flat=True)),
        "communes": list(Commune.objects.values_list("code", "departement_id", "latitude", "longitude")),
        "former": dict(FormerCommune.objects.values_list("code", "commune_id")),
    }


class _Run:
    """One import, from its first line to its last state."""

    def __init__(self, kind, sources, at, quarantine, dated_on, forced_reason, is_partial, on_progress):
        self.kind, self.sources, self.at, self.quarantine = kind, sources, at, quarantine
        self.dated_on, self.forced_reason, self.is_partial = dated_on, forced_reason.strip(), is_partial
        self.on_progress = on_progress
        self._sirets_set_aside: list[str] = []

    def execute(self, staged: str, apply: "Callable[[_Run], None]") -> EstablishmentImport:
        EstablishmentImport.objects.filter(kind=self.kind, status=ImportStatus.RUNNING).update(
            status=ImportStatus.INTERRUPTED, finished_at=self.at
        )
        digests = [source.sha256 for source in self.sources]
        self.record = EstablishmentImport.objects.create(
            kind=self.kind,
            file_name=", ".join(source.name for source in self.sources)[:255],
            file_sha256=digests[0] if len(digests) == 1 else _joint_digest(digests),
            file_dated_on=self.dated_on,
            is_partial=self.is_partial,
            forced_reason=self.forced_reason,
            started_at=self.at,
        )
        self.last = (
            EstablishmentImport.objects.filter(kind=self.kind, status=ImportStatus.DONE, is_partial=False)
            .order_by("-file_dated_on", "-started_at")
            .first()
        )
        try:
            self._refuse_older()
            self._stage(staged)
            self._refuse_faulty()
            self._refuse_older()
            self._apply(apply)
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE companies_establishment")
        except RefusedImport as refusal:
            self.record.refusal = str(refusal)
            self._finish(ImportStatus.REFUSED)
            raise
        except BaseException:
            # A file that stops in the middle, Ctrl-C: as far as the table goes, this run never was.
            if not connection.needs_rollback and connection.is_usable():
                self._finish(ImportStatus.INTERRUPTED)
            raise
        finally:
            self.quarantine.close()
            if connection.is_usable():
                with connection.cursor() as cursor:
                    cursor.execute("DROP TABLE IF EXISTS staged, set_aside, difference")
        return self.record

    def _apply(self, apply: "Callable[[_Run], None]"):
        """The staged lines, once more when somebody registered one of their SIRETs in the meantime."""
        for last_try in (False, False, True):
            try:
                with transaction.atomic():
                    apply(self)
                    self._finish(ImportStatus.DONE)
                return
            except IntegrityError:
                if last_try:
                    raise RefusedImport(
                        "Les références ou les établissements ont changé pendant l'import : relancez-le."
                    ) from None

    def _stage(self, staged: str):
        """Copies the lines that fit beside the table, in this session alone; sets the others aside."""
        with connection.cursor() as cursor:
            # Another statement of this session would find a killed client only at the end of its work.
            cursor.execute("SET client_connection_check_interval = '2s'")
            cursor.execute("DROP TABLE IF EXISTS staged, set_aside")
            cursor.execute(f"CREATE TEMPORARY TABLE staged ({staged})")
            cursor.execute("CREATE TEMPORARY TABLE set_aside (siret varchar(14))")
            latest: list[dt.date] = []
            done = 0
            for source in self.sources:
                position = 0
                with cursor.copy("COPY staged FROM STDIN (FORMAT csv)") as copy:
                    for batch in source.batches:
                        copy.write(batch.csv())
                        self._count(source, batch, latest)
                        position = batch.position
                        self.on_progress(done + position)
                done += position
            with cursor.copy("COPY set_aside FROM STDIN") as copy:
                for siret in self._sirets_set_aside:
                    copy.write_row([siret])
            cursor.execute("ANALYZE staged")
        if self.record.file_dated_on is None and latest:
            self.record.file_dated_on = max(latest)

    def _count(self, source: Source, batch: ParsedRows, latest: list[dt.date]):
        record = self.record
        for rejected in batch.rejected:
            self.quarantine.add(
                file_name=source.name, line=rejected.line, reason=rejected.reason, content=rejected.content
            )
            if rejected.siret is not None:
                self._sirets_set_aside.append(rejected.siret)
        record.read_rows += batch.rows + len(batch.rejected)
        record.quarantined_rows += len(batch.rejected)
        record.unknown_naf_rows += batch.unknown_naf
        record.unplaced_rows += batch.unplaced
        if batch.latest is not None:
            latest.append(batch.latest)
        if record.read_rows > 100_000 and record.quarantined_rows > record.read_rows / 2:
            raise RefusedImport("Plus de la moitié des lignes ne sont pas au format attendu : lecture arrêtée.")

    def _refuse_faulty(self):
        record = self.record
        fitting = record.read_rows - record.quarantined_rows
        if record.read_rows == 0:
            raise RefusedImport("Le fichier ne contient aucune ligne.")
        if fitting == 0:
            raise RefusedImport("Aucune ligne du fichier n'est au format attendu.")
        if record.file_dated_on is None:
            raise RefusedImport("Le fichier ne dit pas son jour : donnez-le avec --dated-on.")
        if self.forced_reason:
            return
        if record.quarantined_rows > max(ALWAYS_BEARABLE, LARGEST_QUARANTINED_SHARE * record.read_rows):
            raise RefusedImport(
                f"{_number(record.quarantined_rows)} lignes sur {_number(record.read_rows)} ont été écartées, plus de "
                f"{LARGEST_QUARANTINED_SHARE:.0%} : vérifiez le fichier, ou donnez la raison avec --force."
            )
        if not self.is_partial and self.last and record.read_rows < SMALLEST_SHARE_OF_LAST * self.last.read_rows:
            raise RefusedImport(
                f"Le fichier a {_number(record.read_rows)} lignes, le dernier importé en avait "
                f"{_number(self.last.read_rows)} : il manque plus d'une ligne sur cinq. Vérifiez-le, dites qu'il est "
                "partiel avec --partial, ou donnez la raison avec --force."
            )

    def _refuse_older(self):
        dated_on, last = self.record.file_dated_on, self.last
        if self.forced_reason or dated_on is None or last is None or last.file_dated_on is None:
            return
        if dated_on < last.file_dated_on:
            raise RefusedImport(
                f"Le fichier est du {dated_on:%d/%m/%Y}, plus ancien que le dernier importé "
                f"({last.file_dated_on:%d/%m/%Y}). S'il le faut, donnez la raison avec --force."
            )

    def _finish(self, status):
        self.record.status = status
        path = self.quarantine.close()
        if path is not None:
            self.record.quarantine_file = str(path)[-255:]
        self.record.finished_at = dt.datetime.now(tz=dt.UTC)
        self.record.save()


def _apply_establishments(run: _Run):
    """Writes the differences between the staged lines and the table; one transaction: readers see before or after."""
    record = run.record
    given = {"dated_on": record.file_dated_on, "run": record.pk, "forced": bool(run.forced_reason)}
    # A closure without a date keeps the day it was first seen.
    closed_on = "CASE WHEN s.is_closed THEN COALESCE(s.closed_on, e.closed_on, %(dated_on)s) END"
    new, old = (", ".join(f"{table}.{column}" for column in _FACTS) for table in ("s", "e"))
    facts = ", ".join(_FACTS)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL work_mem = '192MB'")
        # Trigrams of names are sorted by larger heaps before they reach their index.
        cursor.execute("SET LOCAL gin_pending_list_limit = '64MB'")
        # Facts that the registry told since the day of the file are fresher than the file.
        cursor.execute(
            f"""
            CREATE TEMPORARY TABLE difference ON COMMIT DROP AS
            SELECT e.id, e.closed_on AS was_closed_on, {new}, {closed_on} AS closed_on
            FROM ({_STAGED_FACTS}) s JOIN companies_establishment e ON e.siret = s.siret
            WHERE ROW({new}, {closed_on}) IS DISTINCT FROM ROW({old}, e.closed_on)
                AND (%(forced)s OR s.registry_updated_at IS NULL OR e.registry_updated_at IS NULL
                    OR s.registry_updated_at >= e.registry_updated_at)
            """,  # noqa: S608 (names of columns, written above)
            given,
        )
        cursor.execute(
            f"""
            UPDATE companies_establishment e SET ({facts}, closed_on, last_import_id) = ({new}, s.closed_on, %(run)s)
            FROM difference s WHERE e.id = s.id
            """,  # noqa: S608 (names of columns, written above)
            given,
        )
        cursor.execute(
            """
            SELECT count(*) FILTER (WHERE (was_closed_on IS NULL) = (closed_on IS NULL)),
                count(*) FILTER (WHERE was_closed_on IS NULL AND closed_on IS NOT NULL),
                count(*) FILTER (WHERE was_closed_on IS NOT NULL AND closed_on IS NULL)
            FROM difference
            """
        )
        record.changed_rows, record.closed_rows, record.reopened_rows = cursor.fetchone()
        if not run.is_partial:
            cursor.execute(
                """
                UPDATE companies_establishment e SET closed_on = %(dated_on)s, last_import_id = %(run)s
                WHERE e.closed_on IS NULL
                    AND NOT EXISTS (SELECT FROM staged s WHERE s.siret = e.siret)
                    AND NOT EXISTS (SELECT FROM set_aside a WHERE a.siret = e.siret)
                    AND (e.created_on IS NULL OR e.created_on <= %(dated_on)s)
                    AND (e.registry_updated_at IS NULL
                        OR (e.registry_updated_at AT TIME ZONE 'Europe/Paris')::date <= %(dated_on)s)
                """,
                given,
            )
            record.closed_rows += cursor.rowcount
        cursor.execute(
            f"""
            INSERT INTO companies_establishment (siret, {facts}, closed_on, last_import_id)
            SELECT s.siret, {new}, CASE WHEN s.is_closed THEN COALESCE(s.closed_on, %(dated_on)s) END, %(run)s
            FROM ({_STAGED_FACTS}) s
            WHERE NOT EXISTS (SELECT FROM companies_establishment e WHERE e.siret = s.siret)
            """,  # noqa: S608 (names of columns, written above)
            given,
        )
        record.added_rows = cursor.rowcount


def _apply_legal_units(run: _Run):
    """Writes the companies, then the names of their establishments that bear none of their own."""
    record = run.record
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL work_mem = '192MB'")
        cursor.execute(
            """
            UPDATE companies_legalunit u
            SET (name, legal_category, is_diffusible) = (s.name, s.legal_category, s.is_diffusible)
            FROM staged s WHERE s.siren = u.siren
                AND ROW(s.name, s.legal_category, s.is_diffusible)
                    IS DISTINCT FROM ROW(u.name, u.legal_category, u.is_diffusible)
            """
        )
        record.changed_rows = cursor.rowcount
        cursor.execute(
            """
            INSERT INTO companies_legalunit (siren, name, legal_category, is_diffusible)
            SELECT s.siren, s.name, s.legal_category, s.is_diffusible FROM staged s
            ON CONFLICT (siren) DO NOTHING
            """
        )
        record.added_rows = cursor.rowcount
        # A name equal to the company's former one, or blank, was the company's.
        cursor.execute(
            """
            UPDATE companies_establishment e
            SET legal_name = u.name, is_diffusible = e.is_diffusible AND u.is_diffusible,
                name = CASE WHEN e.name IN ('', e.legal_name) THEN u.name ELSE e.name END
            FROM companies_legalunit u JOIN staged s ON s.siren = u.siren
            WHERE e.siren = u.siren AND (e.legal_name <> u.name OR (e.is_diffusible AND NOT u.is_diffusible))
            """
        )


def _joint_digest(digests: Iterable[str]) -> str:
    return hashlib.sha256("".join(digests).encode()).hexdigest()


def _number(n: int) -> str:
    """``n`` with a narrow no-break space between thousands."""
    return f"{n:,}".replace(",", "\u202f")
