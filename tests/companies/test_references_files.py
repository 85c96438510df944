"""The parsers of the official files: whatever the bytes, an answer or a sentence, never a trace."""

import csv
import io

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from companies.clients import reference_files
from companies.clients.reference_files import SourceRefused, read
from companies.management.commands.import_references import SAMPLE
from companies.models.search_keys import place_key, title_keys
from tests.companies.sample_source import copy_sample

FILES = [
    "geo/communes.csv",
    "geo/regions.csv",
    "naf/naf_rev2_732.csv",
    "opco/idcc_opco.csv",
    "opco/opco.csv",
    "rome_v460/unix_referentiel_appellation_v460_utf8.csv",
    "rome_v460/unix_texte_v460_utf8.csv",
    "rome_v460/unix_coherence_item_v460_utf8.csv",
]
quick = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def try_to_read(source):
    """The references, or the sentence of the refusal."""
    try:
        return read(source)
    except SourceRefused as refusal:
        return str(refusal)


def is_good(answer):
    if isinstance(answer, str):
        return answer.endswith((".", ". ")) and "Traceback" not in answer
    return all(fault.reason and fault.line >= 2 for fault in answer.faults)


@pytest.fixture
def source(tmp_path):
    return copy_sample(tmp_path)


@quick
@given(file=st.sampled_from(FILES), content=st.binary(max_size=400))
@example(file="geo/communes.csv", content=b"")
@example(file="geo/communes.csv", content=b"\xff\xfec\x00o\x00d\x00e\x00")
def test_random_bytes_in_place_of_a_file(source, file, content):
    whole = (source / file).read_bytes()
    (source / file).write_bytes(content)
    assert is_good(try_to_read(source))
    (source / file).write_bytes(whole)


@quick
@given(file=st.sampled_from(FILES), line=st.binary(max_size=200))
@example(file="geo/communes.csv", line=b'57999,"Ville')
@example(file="geo/communes.csv", line="Évry".encode("latin-1"))
@example(file="geo/communes.csv", line=b"\x00" * 20)
@example(file="opco/opco.csv", line=b'"' * 9)
def test_a_random_line_among_good_ones_costs_no_other_line(source, file, line):
    whole = (source / file).read_bytes()
    (source / file).write_bytes(whole + line.replace(b"\n", b"") + b"\n")
    answer = read(source)
    assert is_good(answer)
    assert len(answer.communes) >= 231 and len(answer.romes) == 77
    (source / file).write_bytes(whole)


@quick
@given(file=st.sampled_from(FILES), at=st.integers(0, 5000), byte=st.binary(min_size=1, max_size=3))
def test_a_byte_changed_anywhere(source, file, at, byte):
    whole = (source / file).read_bytes()
    spoiled = bytearray(whole)
    spoiled[at % len(whole) : at % len(whole) + 1] = byte
    (source / file).write_bytes(bytes(spoiled))
    assert is_good(try_to_read(source))
    (source / file).write_bytes(whole)


@quick
@given(st.lists(st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), max_size=30), min_size=2, max_size=5))
def test_what_csv_writes_on_one_line_is_read_back(values):
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(values)
    assert reference_files._cut(line.getvalue()) == values


@pytest.mark.parametrize(("encoding", "expected"), [("utf-8-sig", "read"), ("utf-16", "refused"), ("cp1252", "faults")])
def test_a_file_in_another_encoding(source, encoding, expected):
    path = source / "geo/regions.csv"
    path.write_bytes(path.read_text("utf-8").encode(encoding))
    answer = try_to_read(source)
    assert is_good(answer)
    if expected == "read":
        assert len(answer.regions) == 26 and not answer.faults
    elif expected == "refused":
        assert "geo/regions.csv" in answer
    else:
        assert any("UTF-8" in fault.reason for fault in answer.faults)


def test_windows_line_ends_change_nothing(source):
    for path in source.rglob("*.csv"):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert read(source).communes == read(SAMPLE).communes


def test_a_file_that_is_a_folder_or_too_big(source, monkeypatch):
    monkeypatch.setattr(reference_files, "MAX_FILE_BYTES", 10)
    with pytest.raises(SourceRefused, match="trop gros"):
        read(source)
    monkeypatch.undo()
    (source / "geo/regions.csv").unlink()
    (source / "geo/regions.csv").mkdir()
    with pytest.raises(SourceRefused, match=r"geo/regions\.csv"):
        read(source)


@pytest.mark.parametrize(
    ("label", "masculine", "feminine"),
    [
        ("Mécanicien / Mécanicienne automobile", "mecanicien automobile", "mecanicienne automobile"),
        ("Chef boulanger / Cheffe boulangère", "chef boulanger", "cheffe boulangere"),
        ("Comptable", "comptable", "comptable"),
        ("Hôte / Hôtesse de caisse", "hote de caisse", "hotesse de caisse"),
        (" / ", "", ""),
    ],
)
def test_a_title_has_a_masculine_and_a_feminine_form(label, masculine, feminine):
    assert title_keys(label) == (masculine, feminine)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("St-Étienne", "saint etienne"),
        ("Ste Maxime", "sainte maxime"),
        ("Lyon 3ème arrondissement", "lyon 3"),
        ("PARIS 1er", "paris 1"),
        ("L’Haÿ-les-Roses", "l hay les roses"),
        ("Grenoble CEDEX", "grenoble"),
    ],
)
def test_the_ways_to_write_a_place_have_one_key(text, key):
    assert place_key(text) == key
