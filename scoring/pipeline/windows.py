"""Which months a run learns from, is judged on, and speaks of; and how late the declarations come.

Windows last six months and are all of one season, a year apart, so that autumn is never compared with spring. A window
that starts in month w only sees months before ``w - delay``: the same distance holds when the model learns and when it
scores, and the months that are not wholly declared are on neither side.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from scoring.pipeline import months as month_of
from scoring.pipeline.dataset import Dataset
from scoring.pipeline.errors import DegenerateWindow

LENGTH = 6
LONGEST_LOOKBACK = 42  # seven half-years
SHORTEST_LOOKBACK = 12
# A month is taken as complete from this share of the expected declarations.
COMPLETE_SHARE = 0.93
CHANCE = 1.64  # standard errors: one in twenty
# Employers that sign in several months of a year make counts vary more than by chance alone.
CLUSTERING = 1.5
LONGEST_DELAY = 12
FEWEST_EMPLOYERS = 30
LARGEST_EMPLOYER_SHARE = 0.95


@dataclass(frozen=True)
class Delay:
    """How late declarations come.

    ``months``: the last months of the data that are not complete. ``completeness``: for each age (0 = the last month
    of the data), the share of the expected declarations that is there. ``growth``: the yearly trend taken out.
    """

    months: int
    completeness: tuple[float, ...]
    growth: float

    def as_json(self) -> dict[str, Any]:
        return {
            "months": self.months,
            "completeness": [round(share, 3) for share in self.completeness],
            "growth": round(self.growth, 3),
        }


@dataclass(frozen=True)
class Windows:
    """The first months of the windows, the delay and the depth of the past that each of them sees."""

    fit: int
    calibrate: int
    report: int
    target: int
    delay: int
    lookback: int

    def cut(self, start: int) -> int:
        """The first month that a window starting in ``start`` does not see."""
        return start - self.delay

    @property
    def half_years(self) -> int:
        return self.lookback // 6

    def as_json(self) -> dict[str, Any]:
        return {
            **{name: month_of.window_text(getattr(self, name)) for name in ("fit", "calibrate", "report", "target")},
            "delay_months": self.delay,
            "lookback_months": self.lookback,
        }


def measure_delay(dataset: Dataset) -> Delay:
    """Compares each recent month with the same month of the years before, the trend taken out.

    The number of employers of a month is what is compared (a single large employer weighs one). From the last month
    back, a month is incomplete when it falls short of the six months before it by more than chance explains; the first
    complete one ends the delay. A lack that the data are too few to show is no delay: it changes nothing there.
    """
    contracts = dataset.contracts
    span = dataset.horizon - dataset.first_month
    if span < 36:
        raise DegenerateWindow(
            f"L’historique compte {span} mois : il en faut au moins 36 pour mesurer le retard des déclarations."
        )
    pairs = np.unique(contracts.who.astype(np.int64) * 100_000 + contracts.month)
    by_age = np.bincount(dataset.horizon - 1 - (pairs % 100_000), minlength=span).astype(float)
    recent, former = by_age[LONGEST_DELAY : LONGEST_DELAY + 12].sum(), by_age[LONGEST_DELAY + 12 : 36].sum()
    growth = float(np.clip(recent / former, 0.5, 2.0)) if former else 1.0
    years = [back for back in (1, 2, 3) if 12 * back + LONGEST_DELAY + LENGTH <= span]
    length = LONGEST_DELAY + LENGTH
    expected = np.mean([by_age[12 * back : 12 * back + length] * growth**back for back in years], axis=0)
    if not expected.sum():
        raise DegenerateWindow("Les fichiers n’ont aucun contrat un an avant leur fin : le retard ne se mesure pas.")
    seen = by_age[:length]
    ratio = np.divide(seen, expected, out=np.ones(len(seen)), where=expected > 0)
    completeness: list[float] = []
    months, ended = 0, False
    for age in range(LONGEST_DELAY):
        older = slice(age + 1, age + 1 + LENGTH)
        whole = seen[older].sum() / max(expected[older].sum(), 1e-9)
        share = ratio[age] / max(whole, 1e-9)
        counted = [seen[age], 2 * expected[age], seen[older].sum(), 2 * expected[older].sum()]
        error = (CLUSTERING * sum(1 / max(count, 1) for count in counted)) ** 0.5
        ended |= not (share < COMPLETE_SHARE and share < 1 - CHANCE * error)
        months += not ended
        completeness.append(float(min(share, 1.0)))
    # The months of the delay are told as shares of complete ones.
    for age in reversed(range(months)):
        completeness[age] = float(min(1.0, ratio[age] / max(ratio[months : months + LENGTH].mean(), 1e-9)))
    return Delay(months, tuple(completeness), growth)


def plan(dataset: Dataset, delay: Delay) -> Windows:
    """The rolling windows; raises ``DegenerateWindow`` where the data can't hold them."""
    target = dataset.horizon
    report = target - 12
    while report + LENGTH > dataset.horizon - delay.months:
        report -= 12
    fit = report - 24
    lookback = min(LONGEST_LOOKBACK, fit - delay.months - dataset.first_month) // 6 * 6
    if lookback < SHORTEST_LOOKBACK:
        missing = SHORTEST_LOOKBACK + dataset.first_month + delay.months - fit
        raise DegenerateWindow(
            f"L’historique commence en {month_of.text(dataset.first_month)} : il manque {missing} mois pour apprendre"
            f" sur {month_of.window_text(fit)} avec un an de passé."
        )
    windows = Windows(fit, fit + 12, report, target, delay.months, lookback)
    for name, start in (("d’apprentissage", fit), ("de calibrage", fit + 12), ("d’évaluation", report)):
        check_window(dataset, windows, start, name)
    return windows


def check_window(dataset: Dataset, windows: Windows, start: int, name: str) -> None:
    """The window lies inside the complete months, and has both employers and establishments that did not hire."""
    described = f"La fenêtre {name} ({month_of.window_text(start)})"
    if start < dataset.first_month or start + LENGTH > dataset.horizon - windows.delay:
        raise DegenerateWindow(f"{described} sort des mois complets des fichiers.")
    eligible = dataset.open_at(start)
    hired = target_counts(dataset, start)[eligible] > 0
    if hired.sum() < FEWEST_EMPLOYERS:
        raise DegenerateWindow(
            f"{described} ne compte que {int(hired.sum())} employeurs : il en faut au moins {FEWEST_EMPLOYERS}."
        )
    if hired.mean() > LARGEST_EMPLOYER_SHARE:
        raise DegenerateWindow(f"{described} est dégénérée : {hired.mean():.0%} des établissements y recrutent.")


def target_counts(dataset: Dataset, start: int) -> np.ndarray:
    """The contracts that each establishment signed in the six months from ``start``."""
    return dataset.contracts.total(dataset.size, start, start + LENGTH)
