"""Why a release names an establishment for a job, in words.

A reason is a family of causes, its weight, and the facts that its sentence tells. The sentence is always true of the
facts, whichever way they weigh: the page says beside it whether they raise or lower the estimate. The number of
contracts or of hires is never told: of a small establishment, it would be a person's.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from companies.enums import HeadcountBand
from labonnealternance.kit.text import counted, uncapitalised

Facts = Mapping[str, Any]

# Under this distance from 1, two rates are said to be the same.
_SAME = 0.1
_KNOWN_YEAR = "sur les douze derniers mois connus"


@dataclass(frozen=True)
class Reason:
    """``weight``: what the family adds to the logarithm of the expected number, beside the average."""

    family: str
    weight: float
    facts: Facts

    @property
    def raises(self) -> bool:
        return self.weight > 0

    @property
    def sentence(self) -> str:
        """The facts, in words that fit whoever reads them: support, or the establishment itself."""
        return SENTENCES[self.family](self.facts)

    @property
    def effect(self) -> str:
        return "augmente l’estimation" if self.raises else "diminue l’estimation"

    def __str__(self):
        return f"{self.sentence} ({self.effect})"


def _past(facts: Facts) -> str:
    years, months = facts.get("years_in_a_row") or 0, facts.get("months_since_contract")
    if years >= 2:
        return f"Recrutement en alternance chaque année depuis {counted(int(years), 'an', 'ans')}"
    if facts.get("contracts_12m"):
        return f"Recrutement en alternance {_KNOWN_YEAR}"
    if months is None:
        return "Aucun recrutement en alternance connu ces dernières années"
    return f"Dernier recrutement en alternance il y a plus {_of_years(months)}"


def _of_years(months: float) -> str:
    years = max(1, int(months) // 12)
    return "d’un an" if years == 1 else f"de {counted(years, 'an', 'ans')}"


def _unit(facts: Facts) -> str:
    others = int(facts.get("unit_establishments") or 1) - 1
    if others < 1:
        return "Entreprise d’un seul établissement"
    if facts.get("unit_contracts_12m"):
        return f"Recrutement en alternance dans un autre établissement de l’entreprise {_KNOWN_YEAR}"
    whom = "l’autre établissement" if others == 1 else "les autres établissements"
    return f"Aucun recrutement en alternance dans {whom} de l’entreprise {_KNOWN_YEAR}"


def _headcount(facts: Facts) -> str:
    band = facts.get("headcount")
    if band not in HeadcountBand.values or band == HeadcountBand.UNKNOWN:
        return str(HeadcountBand.UNKNOWN.label)
    return f"Effectif de l’établissement : {HeadcountBand(band).label}"


def _age(facts: Facts) -> str:
    months = facts.get("age_months")
    if months is None:
        return "Date de création de l’établissement inconnue"
    years = int(months) // 12
    return f"Établissement créé il y a {counted(years, 'an', 'ans') if years else 'moins d’un an'}"


def _times(rate: float | None) -> str:
    """How often a group hires, beside the country: ``2,3 fois plus souvent que la moyenne du pays``."""
    if rate is None:
        return "à une fréquence inconnue"
    if abs(rate - 1) < _SAME:
        return "aussi souvent que la moyenne du pays"
    if rate < 1:
        return "moins souvent que la moyenne du pays"
    if rate < 2 - _SAME / 2:
        return "plus souvent que la moyenne du pays"
    times = f"{rate:.1f}".removesuffix(".0").replace(".", ",") if rate < 10 else f"{rate:.0f}"
    return f"{times} fois plus souvent que la moyenne du pays"


def _activity(facts: Facts) -> str:
    return f"Activité qui recrute en alternance {_times(facts.get('naf_rate'))}"


def _place(facts: Facts) -> str:
    rate = facts.get("naf_departement_rate")
    return f"Secteur qui, dans ce département, recrute en alternance {_times(rate)}"


def _hires(facts: Facts) -> str:
    hires = facts.get("hires_12m")
    if hires is None:
        return "Embauches de tous types inconnues"
    if not hires:
        return f"Aucune embauche de plus d’un mois, tous contrats confondus, {_KNOWN_YEAR}"
    return f"Des embauches de plus d’un mois, tous contrats confondus, {_KNOWN_YEAR}"


def _accounts(facts: Facts) -> str:
    growth = facts.get("turnover_growth")
    if facts.get("turnover") is None:
        return "Comptes de l’entreprise inconnus"
    if growth is None:
        return "Comptes de l’entreprise : un seul exercice connu"
    trend = "stable" if abs(growth) < 0.02 else "en hausse" if growth > 0 else "en baisse"
    return f"Comptes de l’entreprise : chiffre d’affaires {trend}"


def _job(facts: Facts) -> str:
    percent = 100 * (facts.get("share") or 0)
    share = "moins de 1 %" if percent < 1 else f"{percent:.0f} %"
    return f"Métier qui représente {share} des embauches de l’activité"


#: One for each family of the model's causes (``scoring.pipeline.features``), and for the job.
SENTENCES: dict[str, Callable[[Facts], str]] = {
    "past": _past,
    "unit": _unit,
    "headcount": _headcount,
    "age": _age,
    "activity": _activity,
    "place": _place,
    "hires": _hires,
    "accounts": _accounts,
    "job": _job,
}


def in_words(reasons: list[Reason]) -> str:
    """Reasons as the end of a line: the facts and their effect, strongest first."""
    return " ; ".join(uncapitalised(str(reason)) for reason in reasons)
