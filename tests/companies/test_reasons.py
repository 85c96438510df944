"""What a reason says, for every fact that the model may have seen."""

import re

import pytest

from companies.actions.reasons import SENTENCES, Reason, in_words

NAMES = {
    "past": ("years_in_a_row", "contracts_12m", "months_since_contract"),
    "unit": ("unit_establishments", "unit_contracts_12m"),
    "headcount": ("headcount",),
    "age": ("age_months",),
    "activity": ("naf_rate",),
    "place": ("naf_departement_rate",),
    "hires": ("hires_12m",),
    "accounts": ("turnover", "turnover_growth"),
    "job": ("share",),
}
ACTIVITY = "Activité qui recrute en alternance"
YEAR = "sur les douze derniers mois connus"
EXTREMES = (None, 0.0, 0.001, 0.999, 1.0, 11.0, 12.0, 23.0, 24.0, 5000.0, 1e9, -3.0)


def sentence(family, **facts):
    return Reason(family, 1.0, facts).sentence


@pytest.mark.parametrize("family", sorted(SENTENCES))
def test_a_sentence_reads_whatever_its_facts(family):
    for value in EXTREMES:
        said = sentence(family, **dict.fromkeys(NAMES[family], value))
        assert re.fullmatch(r"[A-ZÀ-Ý][^\n]+[^.\s]", said), said
        assert not re.search(r"None|\bnan\b|\binf\b|e\+|\b\d+\.\d|  |\{|\b1 ans|\b0 ans", said), said
    assert sentence(family)


@pytest.mark.parametrize(
    ("family", "facts", "said"),
    [
        ("past", {"years_in_a_row": 3.0}, "Recrutement en alternance chaque année depuis 3 ans"),
        (
            "past",
            {"years_in_a_row": 1.0, "contracts_12m": 1.0, "months_since_contract": 4.0},
            "Recrutement en alternance sur les douze derniers mois connus",
        ),
        ("past", {"months_since_contract": 13.0}, "Dernier recrutement en alternance il y a plus d’un an"),
        ("past", {"months_since_contract": 24.0}, "Dernier recrutement en alternance il y a plus de 2 ans"),
        ("past", {"contracts_12m": 0.0}, "Aucun recrutement en alternance connu ces dernières années"),
        ("headcount", {"headcount": "12"}, "Effectif de l’établissement : 20 à 49 salariés"),
        ("headcount", {"headcount": "00"}, "Effectif de l’établissement : 0 salarié"),
        ("headcount", {"headcount": None}, "Effectif non renseigné"),
        ("age", {"age_months": 11.0}, "Établissement créé il y a moins d’un an"),
        ("age", {"age_months": 12.0}, "Établissement créé il y a 1 an"),
        ("age", {"age_months": 1512.0}, "Établissement créé il y a 126 ans"),
        ("activity", {"naf_rate": 2.345}, f"{ACTIVITY} 2,3 fois plus souvent que la moyenne du pays"),
        ("activity", {"naf_rate": 1.99}, f"{ACTIVITY} 2 fois plus souvent que la moyenne du pays"),
        ("activity", {"naf_rate": 0.2}, f"{ACTIVITY} moins souvent que la moyenne du pays"),
        ("unit", {"unit_establishments": 1.0}, "Entreprise d’un seul établissement"),
        (
            "unit",
            {"unit_establishments": 2.0, "unit_contracts_12m": 0.0},
            f"Aucun recrutement en alternance dans l’autre établissement de l’entreprise {YEAR}",
        ),
        ("accounts", {"turnover": 9, "turnover_growth": -1}, "Comptes de l’entreprise : chiffre d’affaires en baisse"),
        ("job", {"share": 0.124}, "Métier qui représente 12 % des embauches de l’activité"),
        ("job", {"share": 0.004}, "Métier qui représente moins de 1 % des embauches de l’activité"),
    ],
)  # fmt: skip
def test_a_sentence_tells_its_facts_with_the_right_plural(family, facts, said):
    assert sentence(family, **facts) == said


@pytest.mark.parametrize("family", ["past", "unit", "hires"])
def test_no_sentence_tells_how_many_contracts_were_signed(family):
    few, many = (dict.fromkeys(NAMES[family], 3.0) | {name: count for name in NAMES[family] if "12m" in name}
                 for count in (1.0, 97.0))  # fmt: skip
    assert sentence(family, **few) == sentence(family, **many)


def test_a_reason_may_lower_the_estimate():
    raised, lowered = Reason("age", 0.4, {"age_months": 40.0}), Reason("headcount", -0.2, {"headcount": "01"})
    assert in_words([raised, lowered]) == (
        "établissement créé il y a 3 ans (augmente l’estimation) ;"
        " effectif de l’établissement : 1 ou 2 salariés (diminue l’estimation)"
    )
