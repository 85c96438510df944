"""The figures of a queue: plotted, and written in a table beside each plot."""

from datetime import date, timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import date_format
from django.views.decorators.http import require_safe

from labonnealternance.kit import plots
from labonnealternance.kit.text import counted, french_date, grouped, short_month
from opco.actions.desks import Desk
from opco.actions.figures import Delay, Figures, figures
from opco.enums import DecisionKind
from opco.views.desk import at_desk, frame

# Short enough for a legend; told apart on a white page and on a dark one.
_KINDS = {
    DecisionKind.CERTIFY: ("Certifiés", "#009081"),
    DecisionKind.REFUSE: ("Refusés", "#ce614a"),
    DecisionKind.PASS_ON: ("Transmis", "#6a6af4"),
    DecisionKind.ASK: ("Questions", "#a558a0"),
}


def duration(span: timedelta) -> str:
    """How long one waited, as a sentence says it: the two largest units at most.

    >>> duration(timedelta(days=3, hours=4, minutes=5)), duration(timedelta(hours=1)), duration(timedelta(seconds=20))
    ('3 jours et 4 h', '1 h', 'moins d’une minute')
    """
    minutes = round(span.total_seconds() / 60)
    if minutes < 1:
        return "moins d’une minute"
    days, minutes = divmod(minutes, 24 * 60)
    hours, minutes = divmod(minutes, 60)
    if days:
        days_told = counted(days, "jour", "jours")
        return f"{days_told} et {hours} h" if hours else days_told
    if hours:
        return f"{hours} h {minutes:02d}" if minutes else f"{hours} h"
    return f"{minutes} min"


def _waited(delay: Delay | None) -> tuple[str, str]:
    return (duration(delay.median), duration(delay.ninetieth)) if delay else ("–", "–")


def _month(first: date) -> str:
    return date_format(first, "F Y")


def _columns(told: Figures) -> str:
    return plots.columns(
        "Décisions de chaque mois, par sorte",
        labels=[short_month(month.first) for month in told.months],
        series={name: [month.made[kind] for month in told.months] for kind, (name, _) in _KINDS.items()},
        colours=dict(_KINDS.values()),
        x_label=f"de {_month(told.months[0].first)} à {_month(told.months[-1].first)}",
        y_label="décisions",
    )


def _share(number: int, whole: int) -> str:
    return f"{100 * number / whole:.0f} %".replace(" ", "\u00a0") if whole else "–"


@require_safe
@at_desk
def page(request: HttpRequest, desk: Desk) -> HttpResponse:
    """How many wait, how long one waited, what was decided and why, over twelve months."""
    at = timezone.now()
    told = figures(desk=desk, at=at)
    median, ninetieth = _waited(told.delay)
    refused = sum(told.reasons.values())
    reasons = {reason: number for reason, number in told.reasons.items() if number}
    most_first = sorted(reasons, key=lambda reason: -reasons[reason])
    context = {
        **frame(desk, section="figures", at=at),
        "waiting": grouped(told.waiting),
        "asked": grouped(told.asked),
        "oldest_on": french_date(told.oldest_on) if told.oldest_on else "",
        "median": median,
        "ninetieth": ninetieth,
        "kinds": [name for name, _ in _KINDS.values()],
        "months": [
            (_month(month.first), [grouped(month.made[kind]) for kind in _KINDS], *_waited(month.delay))
            for month in reversed(told.months)
        ],
        "made": [grouped(told.made[kind]) for kind in _KINDS],
        "has_decisions": any(told.made.values()),
        "months_plot": _columns(told),
        "reasons": [(each.label, grouped(reasons[each]), _share(reasons[each], refused)) for each in most_first],
        "reasons_plot": plots.rows(
            "Refus par motif", values={each.label: reasons[each] for each in most_first}, colour="#ce614a"
        ),
    }
    return render(request, "opco/figures.html", context)
