"""Lists as files that spreadsheet programs open: UTF-8 with a BOM, semicolons, and no cell that they would run."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

# What begins a formula in one program or another; full-width signs are read as the plain ones.
_RUNS = tuple("=+-@\t\r\n|%＝＋－＠")
_CHUNK = 32 * 1024

Cell = str | int | None


def harmless(cell: Cell) -> str | int:
    """``cell`` as no program runs it: a text that begins like a formula is preceded by an apostrophe.

    >>> harmless("=1+1"), harmless(" @nom"), harmless("Boulangerie"), harmless(-3), harmless(None)
    ("'=1+1", "' @nom", 'Boulangerie', -3, '')
    """
    if cell is None or isinstance(cell, int):
        return "" if cell is None else cell
    begins_like_one = cell.startswith(_RUNS) or cell.lstrip().startswith(_RUNS)
    return f"'{cell}" if begins_like_one else cell


def stream(headings: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[bytes]:
    """The file, some kilobytes at a time, as ``rows`` come: what is held does not grow with their number.

    Every cell stands in quotes: a program that splits at another sign than ours splits none of them.
    """
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=";", quoting=csv.QUOTE_ALL)
    buffer.write("\ufeff")
    writer.writerow(headings)
    for row in rows:
        writer.writerow([harmless(cell) for cell in row])
        if buffer.tell() > _CHUNK:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode()
