"""How small the demo may be: a size of which no score can be made is refused before anything is."""

import datetime as dt

import pytest
from django.core.management import CommandError

from labonnealternance.kit import demo_registry
from scoring import demo
from scoring.pipeline import dataset as dataset_of
from scoring.pipeline import months as month_of
from scoring.pipeline import windows
from scoring.pipeline.simulate import simulate
from scoring.pipeline.simulated_country import World
from tests.scoring import country


@pytest.mark.parametrize("given", ["0", "600", "999", "-1000", "douze mille", "1e4"])
def test_a_demo_too_small_is_refused_with_the_least_size(given, monkeypatch):
    monkeypatch.setenv("DEMO_SIZE", given)
    with pytest.raises(CommandError, match=f"DEMO_SIZE={given} : .* au moins {demo.LEAST_SIZE} établissements"):
        demo_registry.steps()


@pytest.mark.parametrize("given", ["", "1000", "40000"])
def test_any_other_size_is_prepared(given, monkeypatch):
    monkeypatch.setenv("DEMO_SIZE", given)
    assert demo_registry.steps()


@pytest.mark.parametrize("month", [1, 4, 7, 12])
def test_the_least_size_has_enough_employers_to_learn_from_whatever_the_month(month, tmp_path):
    as_of = dt.date(2027, month, 1)
    references = country.references()
    simulate(World(size=demo.LEAST_SIZE, seed=demo.SEED, as_of=as_of), references, tmp_path)
    stock = dataset_of.establishments_from_stock(tmp_path / "establishments.parquet", references.communes)
    read = dataset_of.read(
        tmp_path, stock, run_month=month_of.index(as_of), quarantine_path=tmp_path / "quarantine.csv.gz"
    )
    windows.plan(read, windows.measure_delay(read))
