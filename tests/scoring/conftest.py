"""One simulated history for all the tests of the score, and one run of the pipeline on it."""

import pytest

from scoring.actions import refresh as refreshing
from scoring.pipeline.predict import ExposurePolicy
from scoring.pipeline.run import read_oracle, score
from tests.scoring import country


@pytest.fixture(autouse=True)
def own_folder(settings, tmp_path):
    """No test writes its models beside another's."""
    settings.SCORING_DIR = tmp_path / "scoring"


@pytest.fixture(scope="session")
def history(tmp_path_factory):
    return country.make_history(tmp_path_factory.mktemp("history"))


@pytest.fixture(scope="session")
def dataset(history):
    return country.read(history)


@pytest.fixture(scope="session")
def result(dataset, history):
    return score(dataset, country.shares(), policy=ExposurePolicy(), seed=1, oracle=read_oracle(history))


@pytest.fixture
def computed(monkeypatch, dataset, result):
    """Runs of this test take the score that was computed once: what they test comes after."""
    monkeypatch.setattr(refreshing, "_compute", lambda *given, **named: (result, dataset))
