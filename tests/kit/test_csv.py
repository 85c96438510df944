"""Files for spreadsheets: read back as they were written, run by no program, held in memory a piece at a time."""

import csv
import doctest
import io
import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from labonnealternance.kit import csv as kit_csv
from labonnealternance.kit.csv import harmless, stream


def read(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), delimiter=";"))


def test_the_examples_of_the_module_hold():
    assert doctest.testmod(kit_csv).failed == 0


def test_a_file_is_utf_8_with_a_bom_and_semicolons():
    data = b"".join(stream(["Nom", "Ville"], [["Élise ; Œuvres", 'dit "le four"']]))
    assert data.startswith(b"\xef\xbb\xbf")
    assert read(data) == [["Nom", "Ville"], ["Élise ; Œuvres", 'dit "le four"']]
    assert data.decode("utf-8-sig").splitlines()[0] == '"Nom";"Ville"'


def test_no_cell_begins_like_a_formula():
    dangerous = ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "\xa0=1", "＝1", "%0A=1"]
    [_, *lines] = read(b"".join(stream(["x"], [[each] for each in dangerous])))
    assert [line[0] for line in lines] == [f"'{each}" for each in dangerous]


@given(st.lists(st.lists(st.text(alphabet=st.characters(exclude_categories=["Cs"])), min_size=2, max_size=2)))
def test_any_text_is_read_back_in_its_own_cell(rows):
    found = read(b"".join(stream(["a", "b"], rows)))[1:]
    assert found == [[str(harmless(cell)) for cell in row] for row in rows]
    assert not any(cell.lstrip()[:1] in set("=+-@") for row in found for cell in row if cell.strip())


def test_the_same_memory_for_a_thousand_rows_and_for_a_hundred_thousand():
    def peak(number: int) -> int:
        tracemalloc.start()
        size = sum(len(piece) for piece in stream(["a"], (["x" * 100] for _ in range(number))))
        assert size > 100 * number
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return highest

    assert peak(100_000) < 2 * peak(1_000)
