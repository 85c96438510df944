"""The registry's stock files as streams: CSV (plain, gzip or zip) and Parquet, recognised by what they hold.

Loads pyarrow: only the import commands may import this module, never the web.
"""

import contextlib
import csv
import gzip
import hashlib
import io
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

# The reader keeps up to 32 blocks ahead of a slow database: this bounds its memory.
BLOCK = 4 * 1024 * 1024
ROWS = 16_384
LONGEST_HEADER = 64 * 1024
# How an archive starts, with a file in it and without.
ZIP = {b"PK\x03\x04", b"PK\x05\x06"}


class UnreadableFile(Exception):
    """The file can't be read as what it should be; the message says why, in French."""


@dataclass(frozen=True)
class Rejected:
    """A line that does not fit: its number in the file (the header is line 1), why, and what it holds.

    ``siret`` is the line's SIRET where it can still be told: a line set aside is no sign of a closure.
    """

    line: int
    reason: str
    content: str | dict[str, str]
    siret: str | None = None


@dataclass(frozen=True)
class Batch:
    """Some lines of a file: ``columns`` maps a name to an array of UTF-8 text, as it stands in the file."""

    lines: np.ndarray
    columns: dict[str, pa.StringArray]
    rejected: list[Rejected]
    position: int


@dataclass
class StockFile:
    """A file to read: ``header`` names its columns, ``size`` is in bytes on the disk."""

    path: Path
    header: list[str]
    size: int
    _batches: Callable[[Sequence[str]], Iterator[Batch]] = field(repr=False)

    @property
    def name(self) -> str:
        return self.path.name

    def batches(self, wanted: Sequence[str]) -> Iterator[Batch]:
        """The file's lines with the ``wanted`` columns that it has; raises ``UnreadableFile``."""
        present = [name for name in wanted if name in self.header]
        try:
            yield from self._batches(present)
        except UnreadableFile:
            raise
        except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile):
            raise UnreadableFile(f"{self.name} est incomplet ou abîmé : téléchargez-le à nouveau.") from None
        except pa.ArrowInvalid as error:
            if "straddling" in str(error):
                raise UnreadableFile(
                    f"{self.name} : une ligne n’a pas de fin, un guillemet n’est sans doute pas fermé."
                ) from None
            raise UnreadableFile(f"{self.name} est abîmé, ou n’est pas au format attendu.") from None
        except (pa.ArrowException, OSError):
            raise UnreadableFile(f"{self.name} est abîmé, ou ne peut pas être lu jusqu’au bout.") from None

    def sha256(self) -> str:
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


def open_stock(path: Path) -> StockFile:
    """Recognises ``path`` by its first bytes and reads its header. Raises ``UnreadableFile``."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            magic = file.read(4)
    except FileNotFoundError:
        raise UnreadableFile(f"{path} n’existe pas.") from None
    except IsADirectoryError:
        raise UnreadableFile(f"{path} est un dossier, pas un fichier.") from None
    except OSError:
        raise UnreadableFile(f"{path} ne peut pas être lu par ce compte.") from None
    if size == 0:
        raise UnreadableFile(f"{path.name} est vide.")
    try:
        if magic == b"PAR1":
            return _open_parquet(path, size)
        return _open_csv(path, size, magic)
    except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile):
        raise UnreadableFile(f"{path.name} est incomplet ou abîmé : téléchargez-le à nouveau.") from None


def _refuse_repeated(path: Path, header: list[str]):
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated and not repeated[0]:
        raise UnreadableFile(f"{path.name} : des colonnes n’ont pas de nom ; la première ligne doit les nommer toutes.")
    if repeated:
        raise UnreadableFile(f"{path.name} : la colonne {repeated[0]} est écrite deux fois.")


# Parquet


def _open_parquet(path: Path, size: int) -> StockFile:
    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowException, OSError):
        raise UnreadableFile(f"{path.name} est incomplet ou abîmé : téléchargez-le à nouveau.") from None
    schema = file.schema_arrow
    header = list(schema.names)
    _refuse_repeated(path, header)

    def batches(wanted: Sequence[str]) -> Iterator[Batch]:
        for name in wanted:
            _refuse_numbers(path.name, name, schema.field(name).type)
        line, total = 2, max(file.metadata.num_rows, 1)
        for batch in file.iter_batches(batch_size=ROWS, columns=list(wanted), use_threads=False):
            lines = np.arange(line, line + batch.num_rows, dtype=np.int64)
            columns = {name: _as_binary(batch.column(name)) for name in wanted}
            line += batch.num_rows
            yield _decoded(path.name, lines, columns, [], position=size * (line - 2) // total)

    return StockFile(path=path, header=header, size=size, _batches=batches)


def _refuse_numbers(file_name: str, column: str, kind: pa.DataType):
    """Codes are text: a number has already lost its zeros, and nothing tells which."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_nested(kind) or pa.types.is_null(kind):
        raise UnreadableFile(f"{file_name} : la colonne {column} n’est pas du texte.")
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        if column.startswith("coordonneeLambert"):
            return
        raise UnreadableFile(
            f"{file_name} : la colonne {column} contient des nombres, qui ont perdu leurs zéros. "
            "Enregistrez-la comme du texte."
        )


def _as_binary(array: pa.Array) -> pa.BinaryArray:
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_timestamp(array.type):
        array = pc.strftime(array, format="%Y-%m-%dT%H:%M:%S")
    return pc.fill_null(pc.cast(pc.cast(array, pa.string()), pa.binary()), b"")


# CSV


class _Physical(io.RawIOBase):
    """A stream that counts its lines while it is read."""

    def __init__(self, stream, position: Callable[[], int]):
        self.stream, self.position = stream, position
        self.newlines, self.last = 0, b"\n"

    def readable(self):
        return True

    def read(self, size=-1):
        chunk = self.stream.read(size)
        if chunk:
            self.newlines += chunk.count(b"\n")
            self.last = chunk[-1:]
        return chunk

    @property
    def lines(self) -> int:
        return self.newlines + (self.last != b"\n")


@contextlib.contextmanager
def _stream(path: Path, magic: bytes) -> Iterator[_Physical]:
    """The text inside ``path``, unpacked while it is read."""
    with contextlib.ExitStack() as opened:
        raw = opened.enter_context(path.open("rb"))
        stream: Any = raw
        if magic[:2] == b"\x1f\x8b":
            stream = opened.enter_context(gzip.open(raw))
        elif magic in ZIP:
            archive = opened.enter_context(zipfile.ZipFile(raw))
            try:
                stream = opened.enter_context(archive.open(_only_member(path, archive)))
            except NotImplementedError:
                raise UnreadableFile(
                    f"{path.name} est compressé d’une manière que nous ne lisons pas : décompressez-le."
                ) from None
        yield _Physical(stream, raw.tell)


def _only_member(path: Path, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    members = [member for member in archive.infolist() if not member.is_dir()]
    if any(member.filename == "[Content_Types].xml" for member in members):
        raise UnreadableFile(f"{path.name} est un classeur : enregistrez-le au format CSV (UTF-8).")
    if len(members) != 1:
        held = f"contient {len(members)} fichiers ; il en faut un seul" if members else "ne contient aucun fichier"
        raise UnreadableFile(f"{path.name} {held}.")
    if members[0].flag_bits & 1:
        raise UnreadableFile(f"{path.name} est protégé par un mot de passe.")
    return members[0]


def _open_csv(path: Path, size: int, magic: bytes) -> StockFile:
    with _stream(path, magic) as stream:
        first = stream.stream.readline(LONGEST_HEADER)
    if not first.strip():
        raise UnreadableFile(f"{path.name} est vide, ou commence par une ligne vide.")
    if first[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\x00" in first:
        raise UnreadableFile(f"{path.name} n’est pas en UTF-8 : enregistrez-le au format CSV (UTF-8).")
    try:
        text = first.decode("utf-8-sig").strip("\r\n")
    except UnicodeDecodeError:
        raise UnreadableFile(f"{path.name} n’est pas en UTF-8 : enregistrez-le au format CSV (UTF-8).") from None
    if "\r" in text:
        raise UnreadableFile(f"{path.name} a d’anciennes fins de ligne : enregistrez-le au format CSV (UTF-8).")
    delimiter = max(",;\t|", key=text.count)
    header = [name.strip() for name in next(csv.reader([text], delimiter=delimiter))]
    _refuse_repeated(path, header)

    def batches(wanted: Sequence[str]) -> Iterator[Batch]:
        with _stream(path, magic) as stream:
            yield from _csv_batches(path.name, stream, header, delimiter, wanted)

    return StockFile(path=path, header=header, size=size, _batches=batches)


def _csv_batches(name, stream: _Physical, header, delimiter, wanted) -> Iterator[Batch]:
    skipped: list[int] = []
    rejected: list[Rejected] = []
    swallowing: list[int] = []

    def set_aside(row) -> str:
        skipped.append(row.number)
        if "\n" in row.text:
            swallowing.append(row.number)
        if row.text.strip():
            reason = f"{row.actual_columns} colonne{'s' if row.actual_columns > 1 else ''} au lieu de "
            rejected.append(Rejected(row.number, f"{reason}{row.expected_columns}.", row.text))
        return "skip"

    reader = pacsv.open_csv(
        pa.PythonFile(stream, mode="r"),
        read_options=pacsv.ReadOptions(use_threads=False, block_size=BLOCK, column_names=header, skip_rows=1),
        parse_options=pacsv.ParseOptions(delimiter=delimiter, invalid_row_handler=set_aside, ignore_empty_lines=False),
        # Bytes first: one line in another encoding must not stop the others.
        convert_options=pacsv.ConvertOptions(
            include_columns=list(wanted), column_types={column: pa.binary() for column in wanted}
        ),
    )
    line = 2
    for batch in reader:
        if batch.num_rows:
            lines = np.arange(line, line + batch.num_rows + len(skipped), dtype=np.int64)
            lines = lines[~np.isin(lines, skipped)][: batch.num_rows]
            line = int(lines[-1]) + 1
            skipped[:] = [number for number in skipped if number >= line]
            columns = {column: batch.column(column) for column in wanted}
            lines, columns = _without_blank_lines(lines, columns)
            yield _decoded(name, lines, columns, rejected, position=stream.position())
            rejected = []
    if rejected:
        yield Batch(
            np.zeros(0, dtype=np.int64), {c: pa.array([], pa.string()) for c in wanted}, rejected, stream.position()
        )
    read = line - 1 + len(skipped)
    if stream.lines > read:
        # In a column that is not read, what swallows the end of the file is its last line.
        first = swallowing[0] if swallowing else read
        raise UnreadableFile(
            f"{name}, ligne {first} : un guillemet n’est pas fermé, et des lignes s’y perdent ({stream.lines - read})."
        )


def _without_blank_lines(lines, columns):
    """A blank line, at the end of the file most often, comes as a row of empty fields."""
    blank = np.ones(len(lines), dtype=bool)
    for array in columns.values():
        blank &= pc.equal(pc.binary_length(array), 0).to_numpy(zero_copy_only=False)
    if not blank.any():
        return lines, columns
    return lines[~blank], {column: array.filter(pa.array(~blank)) for column, array in columns.items()}


def _decoded(name, lines, columns: dict[str, pa.BinaryArray], rejected: list[Rejected], *, position: int) -> Batch:
    """The batch as text; lines whose bytes are no UTF-8 are set aside."""
    try:
        texts = {column: pc.cast(array, pa.string()) for column, array in columns.items()}
    except pa.ArrowInvalid:
        wrong = {
            row for array in columns.values() for row, value in enumerate(array.to_pylist()) if not _is_utf8(value)
        }
        for row in sorted(wrong):
            content = {column: array[row].as_py().decode("utf-8", "replace") for column, array in columns.items()}
            rejected = [*rejected, Rejected(int(lines[row]), "Cette ligne n’est pas en UTF-8.", content)]
        kept = pa.array(sorted(set(range(len(lines))) - wrong), pa.int64())
        lines = lines[kept.to_numpy()]
        texts = {column: pc.cast(array.take(kept), pa.string()) for column, array in columns.items()}
    for column, array in texts.items():
        if _has_control(array):
            inside = pc.match_substring(array, "\n")
            if pc.any(inside).as_py():
                row = inside.to_pylist().index(True)
                raise UnreadableFile(f"{name}, ligne {lines[row]} : un guillemet n’est pas fermé ({column}).")
            texts[column] = pc.replace_substring_regex(array, r" *[\x00-\x1f\x7f]+ *", " ")
    return Batch(lines, texts, rejected, position)


def _is_utf8(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


def _has_control(array: pa.StringArray) -> bool:
    """Whether a byte of the array's texts is a control character (a look at the buffer, not at each text)."""
    data = array.buffers()[2]
    if data is None or not len(array):
        return False
    offsets = np.frombuffer(array.buffers()[1], dtype=np.int32)[array.offset : array.offset + len(array) + 1]
    octets = np.frombuffer(data, dtype=np.uint8)[offsets[0] : offsets[-1]]
    return bool((octets < 32).any() or (octets == 127).any())
