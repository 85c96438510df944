"""The gates: what a release must show before it is published without a person's name.

Each is a function of figures (before, after) that returns a verdict; none looks at another, and every one is computed,
for every département, before any of them stops a run. A group too small to be judged says so: it neither passes for
good nor fails by chance.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from scoring.pipeline.evaluate import AucDifference

DATA, MODEL = "data", "model"

# Data.
LEAST_VOLUME_KEPT = 0.80
MOST_MONTHS_OLD = 2
MOST_UNKNOWN_SIRETS = 0.05
MOST_QUARANTINED = 0.01
MOST_DELAY = 6
# Model.
NATIONAL_AUC_MARGIN = 0.005
DEPARTEMENT_AUC_TOLERANCE = 0.02
MOST_CALIBRATION_ERROR = 0.02
MOST_CALIBRATION_BIAS = 0.25
MOST_PSI = 0.25
LEAST_JACCARD = 0.20
LEAST_EXPOSED_SHARE = 0.05
MOST_EXPOSED_SHARE = 0.60
FEWEST_SCORED = 30


@dataclass(frozen=True)
class Verdict:
    """One gate: what was measured, against what limit, and the sentence that says it."""

    family: str
    gate: str
    passed: bool
    measure: float | None
    limit: float
    sentence: str
    departement: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %".replace(".", ",")


def _number(value: float, digits: int = 3) -> str:
    return f"{value:.{digits}f}".replace(".", ",")


# Data ----------------------------------------------------------------------------------------------------------

FILES = {"contracts": "contrats", "hires": "embauches", "financials": "comptes"}


def volume(before: float | None, after: float, *, what: str, departement: str = "") -> Verdict:
    """``what`` (establishments, contracts…) is not much smaller than in the last published run."""
    if not before:
        return Verdict(
            DATA,
            f"volume ({what})",
            after > 0,
            None,
            LEAST_VOLUME_KEPT,
            "Pas de calcul précédent à comparer.",
            departement,
        )
    share = after / before
    return Verdict(
        DATA,
        f"volume ({what})",
        share >= LEAST_VOLUME_KEPT,
        share,
        LEAST_VOLUME_KEPT,
        f"{_percent(share)} du calcul précédent.",
        departement,
    )


def departement_volume(former_year: float, last_year: float, *, departement: str, growth: float) -> Verdict:
    """A département's contracts did not vanish from the file: the last complete year beside the one before.

    Between two years of about ``n`` employers the count varies by itself by about √(2n); a small département is given
    that room (four times), so that only a hole in the data is caught.
    """
    expected = former_year * min(growth, 1.0)
    room = 4 * (2 * max(expected, 1.0)) ** 0.5
    limit = max(0.0, LEAST_VOLUME_KEPT * expected - room)
    return Verdict(
        DATA,
        "volume du département",
        last_year >= limit and (last_year > 0 or former_year < FEWEST_SCORED),
        last_year,
        round(limit, 1),
        f"{last_year:.0f} employeurs-mois sur un an, {former_year:.0f} l’année d’avant.",
        departement,
    )


def freshness(horizon: int, run_month: int) -> Verdict:
    """The last month of the file is recent."""
    age = run_month - horizon
    return Verdict(
        DATA,
        "fraîcheur",
        age <= MOST_MONTHS_OLD,
        age,
        MOST_MONTHS_OLD,
        f"Les contrats s’arrêtent {age} mois avant le calcul." if age else "Les contrats vont jusqu’au mois dernier.",
    )


def unknown_sirets(share: float) -> Verdict:
    """Nearly all contracts are signed by establishments that the database knows."""
    return Verdict(
        DATA,
        "SIRET inconnus",
        share <= MOST_UNKNOWN_SIRETS,
        share,
        MOST_UNKNOWN_SIRETS,
        f"{_percent(share)} des lignes de contrats ont un SIRET inconnu de la base.",
    )


def quarantine(share: float, *, file: str) -> Verdict:
    """Few rows had to be put aside."""
    return Verdict(
        DATA,
        f"quarantaine ({FILES.get(file, file)})",
        share <= MOST_QUARANTINED,
        share,
        MOST_QUARANTINED,
        f"{_percent(share)} des lignes sont écartées.",
    )


def delay(months: int) -> Verdict:
    """Declarations are not so late that the score would speak of the past."""
    incomplete = "Le dernier mois est incomplet." if months == 1 else f"Les {months} derniers mois sont incomplets."
    return Verdict(
        DATA,
        "retard des déclarations",
        months <= MOST_DELAY,
        months,
        MOST_DELAY,
        incomplete if months else "Tous les mois sont complets.",
    )


# Model ---------------------------------------------------------------------------------------------------------


def national_auc(baseline: float, model: float, *, name: str) -> Verdict:
    """The model ranks better than the best baseline."""
    gain = model - baseline
    return Verdict(
        MODEL,
        "mieux que la meilleure référence",
        gain >= NATIONAL_AUC_MARGIN,
        gain,
        NATIONAL_AUC_MARGIN,
        f"AUC {_number(model)} contre {_number(baseline)} ({name}).",
    )


def national_capture(baseline: float, model: float, *, what: str, name: str) -> Verdict:
    """The top tenth of the model holds no fewer employers, or contracts, than that of the best baseline."""
    return Verdict(
        MODEL,
        f"capture des {what} dans les 10 % de tête",
        model >= baseline,
        model - baseline,
        0.0,
        f"{_percent(model)} contre {_percent(baseline)} ({name}).",
    )


def departement_auc(comparison: AucDifference | None, *, departement: str, groups: int, employers: int) -> Verdict:
    """The model is not worse than the département's best baseline, beyond the tolerance and beyond chance."""
    if comparison is None:
        return Verdict(
            MODEL,
            "pas pire dans le département",
            True,
            None,
            -DEPARTEMENT_AUC_TOLERANCE,
            f"Trop peu d’employeurs pour juger ({employers}).",
            departement,
        )
    return Verdict(
        MODEL,
        "pas pire dans le département",
        not comparison.surely_below(-DEPARTEMENT_AUC_TOLERANCE, groups),
        comparison.difference,
        -DEPARTEMENT_AUC_TOLERANCE,
        f"AUC {_number(comparison.first)} contre {_number(comparison.second)}, ± {_number(comparison.error)}.",
        departement,
    )


def calibration(error: float) -> Verdict:
    """What was announced is what came, group by group."""
    return Verdict(
        MODEL,
        "calibrage",
        error <= MOST_CALIBRATION_ERROR,
        error,
        MOST_CALIBRATION_ERROR,
        f"Écart moyen de {_percent(error)} entre l’annoncé et le constaté, par dixième.",
    )


def bias(announced: float, observed: float) -> Verdict:
    """What was announced is what came, on the whole."""
    gap = announced / observed - 1 if observed else float("inf")
    return Verdict(
        MODEL,
        "biais",
        abs(gap) <= MOST_CALIBRATION_BIAS,
        gap,
        MOST_CALIBRATION_BIAS,
        f"{_percent(announced)} d’employeurs annoncés, {_percent(observed)} constatés.",
    )


def drift(values: dict[str, float]) -> Verdict:
    """The establishments that are scored look like those that the model learnt from."""
    worst = max(values, key=lambda name: values[name])
    return Verdict(
        MODEL,
        "dérive des variables (PSI)",
        values[worst] <= MOST_PSI,
        values[worst],
        MOST_PSI,
        f"Au plus {_number(values[worst])} ({worst}).",
    )


def stability(jaccard: float | None) -> Verdict:
    """The top of the list did not change altogether since the release that is online."""
    if jaccard is None:
        return Verdict(MODEL, "stabilité", True, None, LEAST_JACCARD, "Pas de livraison précédente à comparer.")
    return Verdict(
        MODEL,
        "stabilité",
        jaccard >= LEAST_JACCARD,
        jaccard,
        LEAST_JACCARD,
        f"{_percent(jaccard)} de la tête du classement est commune avec la livraison en ligne.",
    )


def exposure(exposed: int, scored: int, *, departement: str) -> Verdict:
    """A candidate of the département finds someone to write to."""
    if scored < FEWEST_SCORED:
        return Verdict(
            MODEL,
            "établissements exposés",
            True,
            None,
            LEAST_EXPOSED_SHARE,
            f"Trop peu d’établissements pour juger ({exposed} exposés sur {scored}).",
            departement,
        )
    share = exposed / scored
    return Verdict(
        MODEL,
        "établissements exposés",
        share >= LEAST_EXPOSED_SHARE,
        share,
        LEAST_EXPOSED_SHARE,
        f"{exposed} exposés sur {scored}.",
        departement,
    )


def selectivity(exposed: int, scored: int) -> Verdict:
    """*High* says something: most establishments are not it."""
    share = exposed / scored if scored else 0.0
    return Verdict(
        MODEL,
        "sélectivité",
        share <= MOST_EXPOSED_SHARE,
        share,
        MOST_EXPOSED_SHARE,
        f"{_percent(share)} des établissements sont exposés pour au moins un métier.",
    )


def refused(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """The verdicts that stop a publication."""
    return [verdict for verdict in verdicts if not verdict.passed]
