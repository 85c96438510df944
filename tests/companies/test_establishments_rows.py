"""The judges of lines, for any line: whole columns give what one value at a time gives."""

import datetime as dt
import string

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.fr import siret as siret_number

from companies.clients.sirene import Batch
from companies.clients.sirene_rows import EstablishmentRows, Numbers, Places, valid_sirets
from companies.models import InvalidNumber, clean_siret
from tests.factories import make_siret

TODAY = dt.date(2026, 11, 21)
PLACES = Places(["1071C"], [("57463", "57", 49.1193, 6.1757)], {"57999": "57463"})
COLUMNS = [*EstablishmentRows.essential, *EstablishmentRows.optional]

# A busy machine is no fault of the judges.
unhurried = settings(max_examples=60, deadline=None)

digits = st.text(string.digits, min_size=14, max_size=14)
sirets = st.one_of(
    digits,
    st.integers(1, 99_999).map(make_siret),
    st.integers(0, 99_999).map(lambda nic: f"356000000{nic:05d}"),
    st.text(max_size=20),
)


@unhurried
@given(st.lists(sirets, max_size=30))
def test_a_column_of_sirets_is_judged_as_each_of_them_is(texts):
    _, _, sound = valid_sirets(pa.array(texts, pa.string()))
    assert sound.tolist() == [
        text.isascii() and text.isdigit() and len(text) == 14 and siret_number.is_valid(text) for text in texts
    ]


def test_la_poste_follows_its_own_rule():
    head, office, wrong = "35600000000048", "35600000009075", "35600000009076"
    assert valid_sirets(pa.array([head, office, wrong]))[2].tolist() == [True, True, False]


@unhurried
@given(sirets)
def test_a_typed_siret_is_fourteen_digits_or_a_sentence(text):
    try:
        assert siret_number.is_valid(clean_siret(text))
        assert len(clean_siret(text)) == 14
    except InvalidNumber as refusal:
        assert str(refusal).endswith(".")


@unhurried
@given(st.lists(st.lists(st.integers(0, 60), max_size=20), max_size=12))
def test_a_number_is_repeated_when_it_was_met_before(batches):
    numbers, met = Numbers(), set()
    for batch in batches:
        expected = []
        for number in batch:
            expected.append(number in met)
            met.add(number)
        assert numbers.repeated(np.array(batch, dtype=np.int64)).tolist() == expected


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
values = {
    "siret": sirets,
    "statutDiffusionEtablissement": st.sampled_from(["O", "P", "N", "", "x"]),
    "etatAdministratifEtablissement": st.sampled_from(["A", "F", "", "x"]),
    "trancheEffectifsEtablissement": st.sampled_from(["", "NN", "00", "11", "53", "99"]),
    "caractereEmployeurEtablissement": st.sampled_from(["", "O", "N", "x"]),
    "activitePrincipaleEtablissement": st.one_of(st.sampled_from(["10.71C", "1071C", ""]), texts),
    "codeCommuneEtablissement": st.one_of(st.sampled_from(["57463", "57999", "75101", ""]), texts),
    "dateCreationEtablissement": st.one_of(st.dates().map(str), st.just("2021-02-30"), texts),
    "dateDebut": st.one_of(st.dates().map(str), texts),
    "dateDernierTraitementEtablissement": st.one_of(st.datetimes().map(lambda t: t.isoformat()), texts),
    "coordonneeLambertAbscisseEtablissement": st.one_of(st.floats().map(str), texts),
    "coordonneeLambertOrdonneeEtablissement": st.one_of(st.floats().map(str), texts),
}
lines = st.lists(st.fixed_dictionaries({name: values.get(name, texts) for name in COLUMNS}), max_size=8)


@unhurried
@given(lines)
def test_any_line_is_a_row_or_set_aside_and_never_lost(given_lines):
    batch = Batch(
        np.arange(2, 2 + len(given_lines), dtype=np.int64),
        {name: pa.array([each[name] for each in given_lines], pa.string()) for name in COLUMNS},
        [],
        position=0,
    )
    parsed = EstablishmentRows(PLACES, today=TODAY).parse(batch)
    assert parsed.rows + len(parsed.rejected) == len(given_lines)
    assert len({rejected.line for rejected in parsed.rejected}) == len(parsed.rejected)
    assert all(rejected.reason.endswith(".") for rejected in parsed.rejected)
    if parsed.table is None:
        return
    for row in parsed.table.to_pylist():
        assert siret_number.is_valid(row["siret"])
        assert len(row["siret"]) == 14
        assert len(row["own_name"]) <= 200
        assert len(row["address"]) <= 200
        assert row["naf_id"] in (None, "1071C")
        assert row["commune_id"] in (None, "57463")
        assert (row["latitude"] is None) == (row["longitude"] is None) == (row["commune_id"] is None)
        if row["latitude"] is not None:
            assert abs(row["latitude"] - 49.1193) <= 0.51
        assert row["closed_on"] is None or row["is_closed"]
        if row["registry_updated_at"] is not None:
            assert row["registry_updated_at"].date() <= TODAY + dt.timedelta(days=1)
