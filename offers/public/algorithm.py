"""The public page about the algorithm: what it reads, how good the release online was found to be, how to contest it.

Every figure is that of the release online, as its computation left it (``Release.measures``); none is written by hand.
"""

import datetime
from collections.abc import Iterable
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from companies.enums import ReleaseStatus
from companies.models import Release
from labonnealternance.kit import plots
from labonnealternance.kit.plots import Curve
from labonnealternance.kit.text import french_date, french_month, grouped

TITLE = "L’algorithme"
MOST_VERSIONS = 6

RULES = {
    "model": ("le modèle", "#6a6af4", "none"),
    "last_year": ("contrats de l’an passé", "#d64d00", "7 4"),
    "size_naf": ("taille × activité", "#1f8d49", "2 4"),
    "least_squares": ("moindres carrés", "#a558a0", "9 3 2 3"),
}
# What the model reads, by family (``companies.actions.reasons``), and where it comes from.
FAMILIES = {
    "past": ("Contrats d’alternance déjà signés par l’établissement", "contrats déclarés"),
    "unit": ("Contrats signés par les autres établissements de l’entreprise", "contrats déclarés, base Sirene"),
    "headcount": ("Effectif de l’établissement", "base Sirene"),
    "age": ("Ancienneté de l’établissement", "base Sirene"),
    "activity": ("Activité, et habitude de cette activité à recruter en alternance", "base Sirene, contrats déclarés"),
    "place": ("Département, bassin d’emploi, habitudes locales du secteur", "base Sirene, contrats déclarés"),
    "hires": ("Embauches de tous types", "déclarations d’embauche"),
    "accounts": ("Chiffre d’affaires et effectif de l’entreprise", "comptes publiés"),
}
FIGURES = (
    ("Aire sous la courbe ROC (AUC)", "roc_auc", 3),
    ("Employeurs trouvés dans les 10\xa0% les mieux classés", "capture_employers_10", None),
    ("Contrats trouvés dans les 10\xa0% les mieux classés", "capture_contracts_10", None),
    ("Précision\xa0: part d’employeurs parmi ces 10\xa0%", "precision_10", None),
    ("Gain par rapport au hasard (lift)", "lift_10", 1),
)
# Under it, a family is told without its bar.
LEAST_SHARE = 0.01
# Of a curve, the shares that its table tells.
TOLD_SHARES = (0.05, 0.1, 0.2, 0.3, 0.5)


@login_not_required
@require_safe
@cache_control(public=True, max_age=300)
def algorithm(request: HttpRequest) -> HttpResponse:
    """What the algorithm is made of and what it is worth, or that nothing is online."""
    online = Release.objects.filter(status=ReleaseStatus.CURRENT).first()
    context: dict[str, Any] = {
        "title": TITLE,
        "online": online,
        "all_families": list(FAMILIES.values()),
        "versions": _versions(),
        "versions_head": [
            "Version",
            "Publiée le",
            "Mesurée sur la période",
            "AUC",
            "Gain à 10\xa0%",
            "Établissements à fort potentiel",
        ],
    }
    if online:
        context["published_on"] = _day(online.published_at)
        context["policy"] = _policy(online.policy)
        if online.measures:
            context |= _told(online.measures)
    return render(request, "offers/public/information/algorithm.html", context)


def _versions() -> list[tuple[str, ...]]:
    """The last releases that were online, latest first: a line of a table each."""
    published = Release.objects.filter(published_at__isnull=False).defer("policy", "summary")
    return [
        (
            f"{release} (en ligne)" if release.status == ReleaseStatus.CURRENT else str(release),
            _day(release.published_at),
            _window(release.measures["windows"]["report"]) if release.measures else "—",
            _figure(release.measures, "roc_auc", 3),
            _figure(release.measures, "lift_10", 1),
            grouped(release.measures["exposed"]["establishments"]) if release.measures else "—",
        )
        for release in published.order_by("-published_at", "-pk")[:MOST_VERSIONS]
    ]


def _figure(measures: dict[str, Any], name: str, digits: int | None) -> str:
    return _number(measures["rankings"]["model"][name], digits) if measures else "—"


def _told(measures: dict[str, Any]) -> dict[str, Any]:
    """The figures of a release, in words."""
    model, evaluated, exposed = measures["rankings"]["model"], measures["evaluated"], measures["exposed"]
    rankings = {name: RULES[name][0] for name in RULES if name in measures["rankings"]}
    best = max((name for name in rankings if name != "model"), key=lambda name: measures["rankings"][name]["roc_auc"])
    beginners = measures["first_time"]
    return {
        "measures": measures,
        "last_month": _month(measures["data"]["last_month"]),
        "first_month": _month(measures["data"]["first_month"]),
        "delay": _delay(measures["windows"]["delay_months"]),
        "window": _window(measures["windows"]["report"]),
        "target": _window(measures["windows"]["target"]),
        "evaluated": {name: grouped(evaluated[name]) for name in ("establishments", "employers", "contracts")},
        "rate": plots.percent(evaluated["rate"]),
        "precision": plots.percent(model["precision_10"]),
        "lift": _number(model["lift_10"], 1),
        "captured": plots.percent(model["capture_employers_10"]),
        "captured_contracts": plots.percent(model["capture_contracts_10"]),
        "calibration_gap": _points(100 * model["calibration_error"]),
        "auc": plots.percent(model["roc_auc"]),
        "best_baseline": rankings[best],
        "best_baseline_auc": plots.percent(measures["rankings"][best]["roc_auc"]),
        "scored": grouped(measures["scored"]),
        "exposed": {name: grouped(exposed[name]) for name in ("establishments", "pairs", "jobs")},
        "exposed_share": plots.percent(exposed["establishments"] / max(measures["scored"], 1)),
        "families": _families(measures["families"]),
        "families_head": ["Données", "D’où elles viennent", "Poids"],
        "families_plot": plots.rows(
            "Part de chaque famille de données dans l’estimation, en pour cent",
            values={
                FAMILIES[name][0]: round(100 * share)
                for name, share in _by_share(measures["families"])
                if share >= LEAST_SHARE
            },
            colour=RULES["model"][1],
        ),
        "rankings_head": ["Mesure", *rankings.values()],
        "figures": [
            (label, *(_number(measures["rankings"][name][figure], digits) for name in rankings))
            for label, figure, digits in FIGURES
        ],
        "capture_plot": _capture_plot(measures["capture"], rankings),
        "capture_rows": [
            (plots.percent(share), *(plots.percent(_at(measures["capture"][name], share)) for name in rankings))
            for share in TOLD_SHARES
        ],
        "capture_head": ["Établissements retenus", *rankings.values()],
        "calibration_plot": _calibration_plot(measures["calibration"]),
        "calibration_rows": [
            (f"Groupe {n}", _number(100 * group["predicted"], 1), _number(100 * group["observed"], 1))
            for n, group in enumerate(measures["calibration"], start=1)
        ],
        "calibration_head": ["Groupe", "Annoncé (%)", "Constaté (%)"],
        "sizes_head": ["Effectif", "Établissements", "Employeurs (%)", "Annoncé (%)", "AUC"],
        "sizes": [
            (
                _size(name),
                grouped(facts["establishments"]),
                _number(100 * facts["rate"], 1),
                _number(100 * facts["mean_probability"], 1),
                _number(facts["roc_auc"], 3),
            )
            for name, facts in sorted(measures["sizes"].items(), key=_by_headcount)
        ],
        "beginners_share": plots.percent(beginners["share_of_employers"]),
        "beginners_auc": _number(beginners.get("roc_auc"), 3),
        "beginners_lift": _number(beginners.get("lift_10"), 1),
    }


def _policy(policy: dict[str, Any]) -> dict[str, Any]:
    """What *high* means for this release, as the sentences of the page need it."""
    shares = ("establishment_share", "exposed_share", "floor_share", "least_share")
    told = {name: plots.percent(policy[name]) for name in shares if name in policy}
    return {**told, **{name: policy[name] for name in ("version", "zone_floor", "zone_ceiling") if name in policy}}


def _by_share(families: dict[str, float]) -> Iterable[tuple[str, float]]:
    known = ((name, share) for name, share in families.items() if name in FAMILIES)
    return sorted(known, key=lambda pair: -pair[1])


def _families(families: dict[str, float]) -> list[tuple[str, str, str]]:
    return [
        (*FAMILIES[name], plots.percent(share) if share >= LEAST_SHARE else "moins de 1\xa0%")
        for name, share in _by_share(families)
    ]


def _capture_plot(curves: dict[str, list[list[float]]], rankings: dict[str, str]):
    return plots.curves(
        "Part des employeurs trouvés selon la part des établissements retenus",
        lines={
            label: Curve([(0.0, 0.0), *((x, y) for x, y in curves[name])], *RULES[name][1:])
            for name, label in rankings.items()
        },
        x_label="établissements retenus, du mieux classé au moins bien classé",
        y_label="employeurs trouvés",
    )


def _calibration_plot(groups: list[dict[str, float]]):
    top = max((max(group["predicted"], group["observed"]) for group in groups), default=1.0) * 1.05 or 1.0
    return plots.curves(
        "Part d’employeurs annoncée et part constatée, par dixième des établissements",
        lines={
            "constaté": Curve(
                [(each["predicted"], each["observed"]) for each in groups], RULES["model"][1], "none", True
            ),
            "annonce parfaite": Curve([(0, 0), (top, top)], dash="4 4"),
        },
        top=top,
        x_label="annoncé",
        y_label="constaté",
    )


def _at(curve: list[list[float]], share: float) -> float:
    """The height of a curve at ``share``, straight between its points."""
    x, y = 0.0, 0.0
    for next_x, next_y in curve:
        if next_x >= share:
            return y + (next_y - y) * (share - x) / (next_x - x) if next_x > x else next_y
        x, y = next_x, next_y
    return y


def _size(name: str) -> str:
    if not name[0].isdigit():
        return "Effectif inconnu"
    return f"{name[:-1]} salariés et plus" if name.endswith("+") else f"{name.replace('–', ' à ')} salariés"


def _delay(months: int) -> str:
    if not months:
        return "tous les mois sont complets"
    if months == 1:
        return "le dernier mois, incomplet, n’est pas lu"
    return f"les {months} derniers mois, incomplets, ne sont pas lus"


def _points(value: float) -> str:
    return f"{_number(value, 1)} point{'s' if round(value, 1) >= 2 else ''}"


def _by_headcount(size: tuple[str, Any]) -> int:
    digits = "".join(sign for sign in size[0].split("–")[0] if sign.isdigit())
    return int(digits) if digits else 10**9


def _number(value: float | None, digits: int | None) -> str:
    """``0,823``, or ``68 %`` without digits."""
    if value is None:
        return "—"
    return plots.percent(value) if digits is None else f"{value:.{digits}f}".replace(".", ",")


def _day(at: datetime.datetime | None) -> str:
    return french_date(timezone.localdate(at)) if at else ""


def _month(text: str) -> str:
    return french_month(datetime.date.fromisoformat(f"{text}-01"))


def _window(text: str) -> str:
    """``de novembre 2025 à avril 2026``, from ``2025-11 → 2026-04``."""
    first, last = (_month(part) for part in text.split(" → "))
    preposition = "d’" if first[0] in "ao" else "de "
    return f"{preposition}{first} à {last}"
