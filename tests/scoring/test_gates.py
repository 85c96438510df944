"""Each gate on both sides of its limit; and all of them computed before any stops."""

import pytest

from scoring.pipeline import gates
from scoring.pipeline.evaluate import AucDifference

CASES = [
    (gates.volume(1000, 800, what="contrats"), True),
    (gates.volume(1000, 799, what="contrats"), False),
    (gates.volume(None, 10, what="contrats"), True),
    (gates.volume(None, 0, what="contrats"), False),
    (gates.departement_volume(1000, 700, departement="57", growth=1.0), True),
    (gates.departement_volume(1000, 600, departement="57", growth=1.0), False),
    (gates.departement_volume(100_000, 79_000, departement="75", growth=1.0), True),
    (gates.departement_volume(100_000, 78_000, departement="75", growth=1.0), False),
    (gates.departement_volume(40, 0, departement="48", growth=1.0), False),
    (gates.departement_volume(8, 0, departement="48", growth=1.0), True),
    (gates.freshness(horizon=100, run_month=102), True),
    (gates.freshness(horizon=100, run_month=103), False),
    (gates.unknown_sirets(0.05), True),
    (gates.unknown_sirets(0.051), False),
    (gates.quarantine(0.01, file="contracts"), True),
    (gates.quarantine(0.011, file="contracts"), False),
    (gates.delay(6), True),
    (gates.delay(7), False),
    (gates.national_auc(0.75, 0.756, name="an passé"), True),
    (gates.national_auc(0.75, 0.754, name="an passé"), False),
    (gates.national_capture(0.45, 0.45, what="contrats", name="an passé"), True),
    (gates.national_capture(0.45, 0.44, what="contrats", name="an passé"), False),
    (gates.calibration(0.02), True),
    (gates.calibration(0.021), False),
    (gates.bias(0.12, 0.10), True),
    (gates.bias(0.13, 0.10), False),
    (gates.bias(0.07, 0.10), False),
    (gates.bias(0.10, 0.0), False),
    (gates.drift({"a": 0.1, "b": 0.25}), True),
    (gates.drift({"a": 0.1, "b": 0.26}), False),
    (gates.stability(None), True),
    (gates.stability(0.2), True),
    (gates.stability(0.19), False),
    (gates.selectivity(60, 100), True),
    (gates.selectivity(61, 100), False),
    (gates.exposure(5, 100, departement="57"), True),
    (gates.exposure(4, 100, departement="57"), False),
    (gates.exposure(0, 29, departement="57"), True),
    (gates.exposure(0, 30, departement="57"), False),
]


@pytest.mark.parametrize(("verdict", "passed"), CASES)
def test_each_gate_stands_where_its_limit_is(verdict, passed):
    assert verdict.passed is passed
    assert verdict.sentence
    assert verdict.family in {gates.DATA, gates.MODEL}


@pytest.mark.parametrize(
    ("months", "sentence"),
    [
        (0, "Tous les mois sont complets."),
        (1, "Le dernier mois est incomplet."),
        (2, "Les 2 derniers mois sont incomplets."),
    ],
)
def test_late_declarations_are_told_in_french(months, sentence):
    assert gates.delay(months).sentence == sentence


def judge(difference, error, groups=1):
    return gates.departement_auc(
        AucDifference(0.7 + difference, 0.7, error), departement="57", groups=groups, employers=50
    ).passed


def test_a_departement_that_is_surely_worse_beyond_the_tolerance_stops():
    assert not judge(-0.06, 0.01)
    assert judge(-0.06, 0.06)
    assert judge(-0.015, 0.001)
    assert not judge(-0.03, 0.001)


def test_with_many_departements_chance_alone_does_not_stop_a_run():
    assert not judge(-0.06, 0.02, groups=1)
    assert judge(-0.06, 0.02, groups=300)
    assert not judge(-0.15, 0.02, groups=300)


def test_a_departement_too_small_says_so():
    verdict = gates.departement_auc(None, departement="48", groups=1, employers=4)
    assert verdict.passed
    assert verdict.measure is None
    assert "Trop peu d’employeurs" in verdict.sentence


def test_all_verdicts_of_all_departements_are_there_whatever_the_first_ones_say(result):
    names = {verdict.gate for verdict in result.verdicts}
    assert {"fraîcheur", "mieux que la meilleure référence", "calibrage", "sélectivité"} <= names
    for gate in ("volume du département", "pas pire dans le département", "établissements exposés"):
        assert len([verdict for verdict in result.verdicts if verdict.gate == gate]) == 8
    assert len({(verdict.gate, verdict.departement) for verdict in result.verdicts}) == len(result.verdicts)


def test_a_simulated_country_passes_all_its_gates(result):
    assert [f"{verdict.gate} {verdict.departement}: {verdict.sentence}" for verdict in result.refusals] == []
