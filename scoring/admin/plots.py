"""The two plots of a run of the score."""

from collections.abc import Sequence
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from labonnealternance.kit import plots
from labonnealternance.kit.plots import HEIGHT, MARGIN, WIDTH, Point, line, place

COLOURS = {"model": "#000091", "last_year": "#b34000", "size_naf": "#18753c", "least_squares": "#6e445a"}
SHARES = (0, 0.25, 0.5, 0.75, 1)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _frame(title: str, x_label: str, y_label: str, largest: Point, drawn: SafeString) -> SafeString:
    x_ticks, y_ticks = ([(share * end, _percent(share * end)) for share in SHARES] for end in largest)
    return plots.frame(
        title, x_label=x_label, y_label=y_label, largest=largest, x_ticks=x_ticks, y_ticks=y_ticks, drawn=drawn
    )


def calibration(deciles: Sequence[dict[str, Any]]) -> SafeString:
    """What was announced against what came, a point per tenth of the establishments; the diagonal is the ideal."""
    top = max((max(group["predicted"], group["observed"]) for group in deciles), default=1.0) * 1.05 or 1.0
    largest = (top, top)
    drawn = format_html(
        '<polyline points="{}" fill="none" stroke="currentColor" stroke-dasharray="4 4"/>'
        '<polyline points="{}" fill="none" stroke="{}" stroke-width="2"/>',
        line([(0, 0), (top, top)], largest),
        line([(group["predicted"], group["observed"]) for group in deciles], largest),
        COLOURS["model"],
    )
    dots = format_html_join(
        "",
        '<circle cx="{}" cy="{}" r="4" fill="{}"><title>annoncé {}, constaté {}</title></circle>',
        (
            (
                *place(group["predicted"], group["observed"], largest),
                COLOURS["model"],
                _percent(group["predicted"]),
                _percent(group["observed"]),
            )
            for group in deciles
        ),
    )
    return _frame("Calibrage : part annoncée et part constatée", "annoncé", "constaté", largest, drawn + dots)


def capture(curves: dict[str, Sequence[Sequence[float]]], labels: dict[str, str]) -> SafeString:
    """The share of the employers found against the share of the establishments called, a line per ranking."""
    lines = format_html_join(
        "",
        '<polyline points="{}" fill="none" stroke="{}" stroke-width="2"><title>{}</title></polyline>',
        (
            (
                line([(0.0, 0.0), *((point[0], point[1]) for point in points)], (1, 1)),
                COLOURS.get(name, "currentColor"),
                labels.get(name, name),
            )
            for name, points in curves.items()
        ),
    )
    legend = format_html_join(
        "",
        '<text x="{}" y="{}" font-size="12" fill="{}">{}</text>',
        (
            (WIDTH - 190, HEIGHT - MARGIN - 14 * (len(curves) - rank), COLOURS.get(name, "currentColor"), labels[name])
            for rank, name in enumerate(curves)
        ),
    )
    return _frame(
        "Capture : employeurs trouvés selon la part des établissements appelés",
        "établissements, du meilleur score au moins bon",
        "employeurs trouvés",
        (1, 1),
        lines + legend,
    )
