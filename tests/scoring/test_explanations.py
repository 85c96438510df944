"""The reasons of a score are the largest contributions of the model that gave it, whatever came since."""

import math
import shutil

import numpy as np
import pytest

from companies.actions import explanations
from companies.actions.reasons import SENTENCES
from companies.models import HiringPotential
from scoring.actions import explain as answering
from scoring.actions import refresh as refreshing
from scoring.pipeline import explain, features
from scoring.pipeline.explain import Cause, strongest
from scoring.pipeline.run import keep, public_measures
from scoring.tasks import explain as task
from tests.scoring import country

NOW = country.NOW


@pytest.fixture(scope="module")
def kept(result, dataset, tmp_path_factory):
    """The folder of a run, and the potentials of a few of the establishments that it exposed."""
    folder = tmp_path_factory.mktemp("run")
    keep(result, dataset, folder)
    sirets = dataset.establishments["siret"].to_numpy()
    wanted = set(sirets[np.unique(result.exposed.who)[::40]])
    potentials = {siret: {} for siret in sorted(wanted)}
    for siret, rome, expected in result.exposed.rows(sirets):
        if siret in wanted:
            potentials[siret][rome] = float(np.float32(expected))
    return folder, potentials


def test_the_reasons_are_the_largest_contributions_of_the_model(kept, result, dataset):
    folder, potentials = kept
    usual = result.exposed.usual_share_by_rome
    found = answering.of_folder(folder, potentials, usual)
    assert set(found) == set(potentials)
    shares = {(row.naf, row.rome): row.share for row in country.shares().itertuples(index=False)}
    place = dict(zip(dataset.establishments["siret"].iloc[result.scored], range(len(result.scored)), strict=True))
    names = [feature.name for feature in result.model.features]
    seen = set()
    for siret, jobs in potentials.items():
        row = result.features.iloc[[place[siret]]][names]
        direct = result.model.counter.predict(row, pred_contrib=True)[0][:-1]
        for rome in jobs:
            added = dict.fromkeys(explain.FACTS, 0.0)
            for feature, value in zip(result.model.features, direct, strict=True):
                added[feature.family] += value
            added["job"] = math.log(shares[str(row["naf"].iloc[0]), rome] / usual[rome])
            largest = sorted((n for n in added if abs(added[n]) >= 0.01), key=lambda n: -abs(added[n]))[:3]
            assert [reason.family for reason in found[siret][rome]] == largest
            assert [reason.weight for reason in found[siret][rome]] == pytest.approx(
                [added[n] for n in largest], abs=1e-5
            )
            seen |= {(reason.family, reason.raises) for reason in found[siret][rome]}
    assert {("past", True), ("past", False), ("job", True), ("job", False)} <= seen


def test_the_contributions_add_up_to_the_logarithm_of_the_expected_number(kept, result):
    folder, potentials = kept
    table = explain.read_features(folder, result.model.features, potentials)
    total = explain.contributions(result.model, table).sum(axis=1)
    gaps = np.log(result.model.counter.predict(table)) - total
    assert gaps.to_numpy() == pytest.approx(gaps.iloc[0], abs=1e-6)


def test_every_feature_belongs_to_a_family_that_has_its_facts_and_its_sentence(result):
    specification = {feature.name: feature for feature in features.specification(result.windows)}
    families = {feature.family for feature in specification.values()}
    assert families == set(explain.FACTS)
    assert families | {explain.JOB} == set(SENTENCES)
    for family, names in explain.FACTS.items():
        assert {specification[name].family for name in names} == {family}


def test_what_hardly_weighs_is_no_reason():
    causes = [Cause("age", 0.009, {}), Cause("past", -0.5, {}), Cause("unit", 0.3, {})]
    assert [cause.family for cause in strongest(causes)] == ["past", "unit"]


def test_a_run_keeps_what_explains_those_that_it_exposed_and_nobody_else(kept, result, dataset):
    folder, potentials = kept
    hidden = np.setdiff1d(result.scored, result.exposed.who)[:3]
    sirets = [*list(potentials)[:2], *dataset.establishments["siret"].iloc[hidden]]
    assert list(explain.read_features(folder, result.model.features, sirets).index) == list(potentials)[:2]


def test_the_public_measures_are_those_of_the_report(result):
    told = public_measures(result)
    assert told["rankings"]["model"]["roc_auc"] == result.report["metrics"]["model"]["roc_auc"]
    assert told["is_simulated"]
    assert sum(told["families"].values()) == pytest.approx(1, abs=0.01)
    assert set(told["families"]) <= set(SENTENCES)


def test_beat_wakes_the_worker_while_a_person_waits(settings):
    assert settings.CELERY_BEAT_SCHEDULE["scoring.explain"]["task"] == task.name
    assert settings.CELERY_BEAT_SCHEDULE["scoring.explain"]["schedule"] <= 15


def cut(folder):
    (folder / explain.FILE).write_bytes(b"PAR1")


def test_the_worker_answers_what_a_page_asked_and_says_that_files_are_spoilt_or_lost(db, computed, history, client):
    country.load(history)
    outcome = refreshing.refresh(history=history, by=None, at=NOW, seed=1)
    assert outcome.release.measures == public_measures(outcome.result)
    exposed = HiringPotential.objects.order_by("establishment_id").values_list("establishment_id", flat=True)
    first, second, last = exposed.distinct()[:3]
    assert explanations.reasons_of(establishment_ids=[first], at=NOW)[first].is_awaited
    task()
    found = explanations.reasons_of(establishment_ids=[first], at=NOW)[first]
    jobs = HiringPotential.objects.filter(establishment=first).values_list("rome_id", flat=True)
    assert set(found.by_rome) == set(jobs)
    assert all(1 <= len(reasons) <= 3 and all(map(str, reasons)) for reasons in found.by_rome.values())
    assert "est dit «&nbsp;à fort potentiel&nbsp;»" in client.get("/algorithme/").content.decode()
    for number, spoil in ((second, cut), (last, shutil.rmtree)):
        spoil(outcome.run.folder)
        explanations.reasons_of(establishment_ids=[number], at=NOW)
        task()
        assert explanations.reasons_of(establishment_ids=[number], at=NOW)[number] == (False, {})
