"""The simulated history: published facts, what makes the task hard, and nothing real."""

import csv
import hashlib
import re

import numpy as np
import pandas as pd
import pytest
from stdnum.fr import siret as siret_number

from scoring.pipeline import months as month_of
from scoring.pipeline.nomenclatures import SIZES, size_of
from scoring.pipeline.simulate import SEASON, STOCK_COLUMNS, lambert_93, simulate
from scoring.pipeline.simulated_country import HIRING_RATES, MEAN_CONTRACTS, References, World, solve_rates
from tests.scoring import country


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """40,000 establishments: enough for the rates of the largest ones."""
    return country.make_history(tmp_path_factory.mktemp("large"), size=40_000, seed=11)


@pytest.fixture(scope="module")
def tables(large):
    stock = pd.read_parquet(large / "establishments.parquet")
    contracts = pd.read_parquet(large / "contracts.parquet")
    contracts["month"] = pd.to_datetime(contracts["start_month"])
    return stock, contracts


def digests(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_share_that_hires_and_the_mean_are_those_published_for_each_size(tables):
    stock, contracts = tables
    year = contracts[contracts["month"].dt.year == 2025].groupby("siret")["count"].sum()
    whole_year = stock[
        (stock["dateCreationEtablissement"] < "2025-01") & (stock["etatAdministratifEtablissement"] == "A")
    ]
    sizes = whole_year["trancheEffectifsEtablissement"].map(size_of)
    counts = whole_year["siret"].map(year).fillna(0)
    for size, rate, mean in zip(SIZES, HIRING_RATES, MEAN_CONTRACTS, strict=True):
        found = counts[sizes == size]
        error = (rate * (1 - rate) / len(found)) ** 0.5
        assert (found > 0).mean() == pytest.approx(rate, abs=max(0.01, 3.5 * error)), size
        assert found[found > 0].mean() == pytest.approx(mean, rel=0.2 if size == "250+" else 0.1), size


def test_the_solver_finds_the_rate_and_the_mean_together():
    effects = np.exp(np.random.default_rng(3).normal(0, 0.7, 5_000))
    scale, shape = solve_rates(effects, 0.47, 2.6)
    assert (scale * effects).mean() == pytest.approx(0.47 * 2.6)
    assert 1 - ((1 + scale * effects / shape) ** -shape).mean() == pytest.approx(0.47, abs=1e-6)


def test_one_third_of_the_employers_have_no_history(tables):
    _, contracts = tables
    hired = set(contracts[contracts["month"].dt.year == 2025]["siret"])
    before = set(contracts[contracts["month"] < "2025"]["siret"])
    assert len(hired - before) / len(hired) == pytest.approx(1 / 3, abs=0.05)


def test_september_is_the_season(tables):
    _, contracts = tables
    by_month = contracts[contracts["month"].dt.year == 2025].groupby(contracts["month"].dt.month)["count"].sum()
    assert by_month.idxmax() == 9
    assert by_month[9] / by_month.sum() == pytest.approx(SEASON[8], abs=0.07)


def test_the_last_months_are_not_wholly_declared(tables):
    _, contracts = tables
    volumes = contracts.groupby("month")["count"].sum()
    assert volumes.index.max() == pd.Timestamp("2026-10-01")
    assert volumes["2026-10-01"] < 0.7 * volumes["2025-10-01"]
    assert volumes["2026-04-01"] > 0.8 * volumes["2025-04-01"]


def test_habits_last_from_one_year_to_the_next(tables):
    stock, contracts = tables
    hired = {
        year: set(contracts[contracts["month"].dt.year == year]["siret"]) & set(stock["siret"]) for year in (2024, 2025)
    }
    again = len(hired[2024] & hired[2025]) / len(hired[2024])
    assert again > 2 * len(hired[2025]) / len(stock)


def test_the_oracle_is_the_mean_of_what_was_drawn_and_stands_apart(large, tables):
    _, contracts = tables
    oracle = pd.read_parquet(large / "oracle" / "oracle.parquet")
    start = pd.Timestamp("2025-05-01")
    windows = sorted(str(day) for day in oracle["window_start"].unique())
    assert windows == ["2023-11-01", "2024-11-01", "2025-11-01", "2026-11-01"]
    start = pd.Timestamp("2024-11-01")
    expected = oracle[oracle["window_start"] == start.date()].set_index("siret")["expected_contracts"]
    drawn = contracts[(contracts["month"] >= start) & (contracts["month"] < start + pd.DateOffset(months=6))]
    assert drawn["count"].sum() == pytest.approx(expected.sum(), rel=0.05)
    counts = drawn.groupby("siret")["count"].sum().reindex(expected.index, fill_value=0)
    top = expected.nlargest(len(expected) // 10).index
    assert counts[top].sum() == pytest.approx(expected[top].sum(), rel=0.06)
    assert not (large / "oracle.parquet").exists()


def test_the_same_seed_and_date_give_the_same_files(tmp_path):
    first, again = (country.make_history(tmp_path / name, size=700, seed=3) for name in ("first", "again"))
    other = country.make_history(tmp_path / "other", size=700, seed=4)
    assert digests(first) == digests(again)
    assert digests(first)["contracts.parquet"] != digests(other)["contracts.parquet"]


def test_memory_follows_the_chunk_and_the_country_does_not_depend_on_it(tmp_path):
    whole = country.make_history(tmp_path / "whole", size=900, chunk=900)
    chunks = country.make_history(tmp_path / "chunks", size=900, chunk=250)
    same = ["siret", "activitePrincipaleEtablissement", "codeCommuneEtablissement", "trancheEffectifsEtablissement"]
    tables = [pd.read_parquet(folder / "establishments.parquet")[same] for folder in (whole, chunks)]
    pd.testing.assert_frame_equal(*tables)


def test_establishments_are_rows_of_the_registry_all_of_text(tables):
    stock, _ = tables
    assert list(stock.columns) == list(STOCK_COLUMNS)
    assert stock["siret"].is_unique
    assert all(siret_number.is_valid(siret) for siret in stock["siret"].head(2_000))
    assert stock["siret"].str.startswith("000").all()
    assert (stock["siren"] + stock["nic"] == stock["siret"]).all()
    assert stock["activitePrincipaleEtablissement"].str.fullmatch(r"\d\d\.\d\d[A-Z]").all()
    assert set(stock["etatAdministratifEtablissement"]) == {"A", "F"}
    assert set(stock["statutDiffusionEtablissement"]) == {"O", "P"}
    assert stock["denominationUsuelleEtablissement"].str.fullmatch(r"[A-Z ]+").all()


def test_towns_draw_establishments_as_they_draw_people(tables):
    stock, _ = tables
    people = country.references().communes.set_index("code")["population"]
    counts = stock["codeCommuneEtablissement"].value_counts().reindex(people.index, fill_value=0)
    assert np.corrcoef(people, counts)[0, 1] > 0.97


def test_a_share_of_the_country_gathers_around_the_towns_that_are_named(tmp_path):
    communes = country.references().communes
    named = communes[communes["departement"] == "57"].iloc[5]
    country.make_history(tmp_path, size=900, months=36, gathered={named["code"]: 0.4})
    drawn = pd.read_parquet(tmp_path / "establishments.parquet")["codeCommuneEtablissement"]
    degrees = np.hypot(
        communes["latitude"] - named["latitude"],
        (communes["longitude"] - named["longitude"]) * np.cos(np.radians(named["latitude"])),
    )
    near = communes.loc[degrees * 111.2 <= 30, "code"]
    people = communes.set_index("code")["population"]
    assert drawn.isin(near).mean() == pytest.approx(0.4 + 0.6 * people[near].sum() / people.sum(), abs=0.06)
    assert drawn[~drawn.isin(near)].nunique() > 20


def test_points_are_in_the_projection_of_the_registry():
    # The origin of Lambert-93 and a published point of IGN's circular.
    east, north = lambert_93(np.array([46.5, 49.0]), np.array([3.0, 3.0]))
    assert east == pytest.approx([700_000, 700_000], abs=0.01)
    assert north[0] == pytest.approx(6_600_000, abs=0.5)


def test_overseas_points_are_left_out(tables):
    stock, _ = tables
    overseas = stock["codeCommuneEtablissement"].str.startswith("974")
    assert stock.loc[overseas, "coordonneeLambertAbscisseEtablissement"].isna().all()
    assert stock.loc[~overseas, "coordonneeLambertAbscisseEtablissement"].notna().all()


def test_contacts_are_fictional(large):
    with (large / "contacts.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert 0.5 < len(rows) / 40_000 < 0.8
    for row in rows[:3_000]:
        assert row["email"] == "" or row["email"].endswith("@exemple.fr")
        assert row["phone"] == "" or re.fullmatch(r"(019900|063998)\d{4}", row["phone"])
        assert row["email"] or row["phone"]
        assert row["source"] == "Simulation"


def test_more_legal_units_than_the_first_range_holds_still_have_valid_numbers(tmp_path):
    world = World(size=130_000, seed=1, as_of=country.AS_OF, months=36)
    simulate(world, country.references(), tmp_path)
    sirets = pd.read_parquet(tmp_path / "establishments.parquet", columns=["siret"])["siret"]
    assert sirets.is_unique
    assert all(siret_number.is_valid(siret) for siret in sirets.tail(500))


@pytest.mark.parametrize(
    "fault",
    [
        {"size": 0},
        {"months": 12},
        {"months": 100_000},
        {"seed": -1},
        {"as_of": country.AS_OF.replace(day=2)},
        {"as_of": country.AS_OF.replace(year=1)},
        {"gathered": {"57463": 1.2}},
        {"gathered": {"57463": -0.2, "69381": 0.4}},
    ],
)
def test_an_impossible_world_is_refused(fault):
    with pytest.raises(ValueError, match=r"simulation|graine"):
        World(**{"size": 10, "seed": 1, "as_of": country.AS_OF, **fault})


def test_a_country_without_communes_is_refused(tmp_path):
    known = country.references()
    with pytest.raises(ValueError, match="référentiels"):
        simulate(World(size=10, seed=1, as_of=country.AS_OF), References(known.communes.head(0), known.naf), tmp_path)


def test_a_town_that_is_not_known_gathers_nobody(tmp_path):
    with pytest.raises(ValueError, match="La commune 99999"):
        country.make_history(tmp_path, size=10, gathered={"99999": 0.5})


def test_months_are_whole_numbers():
    assert month_of.text(month_of.index(country.AS_OF)) == "2026-11"
    assert month_of.first_day(month_of.index(country.AS_OF)) == country.AS_OF
    assert month_of.window_text(month_of.index(country.AS_OF)) == "2026-11 → 2027-04"
