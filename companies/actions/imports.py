"""How a file is imported, whatever it holds: staged aside, checked against the last one, applied in one transaction.

A run that is killed leaves nothing applied: staging tables belong to its session, and the facts change in one
transaction at the end. Human decisions live in other tables; nothing here writes them.
"""

import datetime as dt
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from django.db import IntegrityError, connection, transaction

from companies.enums import ImportKind, ImportStatus
from companies.models import EstablishmentImport
from labonnealternance.kit.text import grouped

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


@dataclass
class Run:
    """One import, from its first line to its last state. ``record`` and ``last`` exist once it is executed."""

    kind: ImportKind
    sources: list[Source]
    at: dt.datetime
    quarantine: QuarantineFile
    dated_on: dt.date | None = None
    forced_reason: str = ""
    is_partial: bool = False
    on_progress: Callable[[int], Any] = lambda position: None
    record: EstablishmentImport = field(init=False)
    last: EstablishmentImport | None = field(init=False)
    _sirets_set_aside: list[str] = field(init=False, default_factory=list)

    def execute(self, staged: str, apply: "Callable[[Run], None]") -> EstablishmentImport:
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
            forced_reason=self.forced_reason.strip(),
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

    def _apply(self, apply: "Callable[[Run], None]"):
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
                        "Les références ou les établissements ont changé pendant l’import : relancez-le."
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
            raise RefusedImport("Aucune ligne du fichier n’est au format attendu.")
        if record.file_dated_on is None:
            raise RefusedImport("Le fichier ne dit pas son jour : donnez-le avec --dated-on.")
        if self.record.forced_reason:
            return
        if record.quarantined_rows > max(ALWAYS_BEARABLE, LARGEST_QUARANTINED_SHARE * record.read_rows):
            raise RefusedImport(
                f"{grouped(record.quarantined_rows)} lignes sur {grouped(record.read_rows)} ont été écartées, plus de "
                f"{LARGEST_QUARANTINED_SHARE * 100:.0f} % : vérifiez le fichier, ou donnez la raison avec --force."
            )
        if not self.is_partial and self.last and record.read_rows < SMALLEST_SHARE_OF_LAST * self.last.read_rows:
            raise RefusedImport(
                f"Le fichier a {grouped(record.read_rows)} lignes, le dernier importé en avait "
                f"{grouped(self.last.read_rows)} : il manque plus d’une ligne sur cinq. Vérifiez-le, dites qu’il est "
                "partiel avec --partial, ou donnez la raison avec --force."
            )

    def _refuse_older(self):
        dated_on, last = self.record.file_dated_on, self.last
        if self.record.forced_reason or dated_on is None or last is None or last.file_dated_on is None:
            return
        if dated_on < last.file_dated_on:
            raise RefusedImport(
                f"Le fichier est du {dated_on:%d/%m/%Y}, plus ancien que le dernier importé "
                f"({last.file_dated_on:%d/%m/%Y}). S’il le faut, donnez la raison avec --force."
            )

    def _finish(self, status):
        self.record.status = status
        path = self.quarantine.close()
        if path is not None:
            self.record.quarantine_file = str(path)[-255:]
        self.record.finished_at = dt.datetime.now(tz=dt.UTC)
        self.record.save()


def _joint_digest(digests: Iterable[str]) -> str:
    return hashlib.sha256("".join(digests).encode()).hexdigest()
