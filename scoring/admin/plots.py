"""Two plots drawn on the server, without a script nor a style: the policy of the pages allows neither inline."""

from collections.abc import Sequence
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

WIDTH, HEIGHT, MARGIN = 440, 300, 58
# Room for half of the last label.
EDGE = 22
COLOURS = {"model": "#000091", "last_year": "#b34000", "size_naf": "#18753c", "least_squares": "#6e445a"}


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _place(x: float, y: float, largest_x: float, largest_y: float) -> tuple[float, float]:
    return (
        round(MARGIN + x / largest_x * (WIDTH - MARGIN - EDGE), 1),
        round(HEIGHT - MARGIN - y / largest_y * (HEIGHT - MARGIN - EDGE), 1),
    )


def _line(points: Sequence[tuple[float, float]], largest: tuple[float, float]) -> str:
    return " ".join("{},{}".format(*_place(x, y, *largest)) for x, y in points)


def _frame(title: str, x_label: str, y_label: str, largest: tuple[float, float], drawn: SafeString) -> SafeString:
    ticks = [
        (*_place(share * largest[0], 0, *largest), *_place(0, share * largest[1], *largest), share)
        for share in (0, 0.25, 0.5, 0.75, 1)
    ]
    axes = format_html_join(
        "",
        '<text x="{}" y="{}" font-size="11" text-anchor="middle" fill="currentColor">{}</text>'
        '<text x="{}" y="{}" font-size="11" text-anchor="end" fill="currentColor">{}</text>',
        (
            (x, y + 16, _percent(share * largest[0]), left - 6, up + 4, _percent(share * largest[1]))
            for x, y, left, up, share in ticks
        ),
    )
    left, bottom = _place(0, 0, *largest)
    return format_html(
        '<svg role="img" aria-label="{}" viewBox="0 0 {} {}" width="{}" height="{}">'
        '<path d="M{} {}V{}H{}" fill="none" stroke="currentColor"/>{}{}'
        '<text x="{}" y="{}" font-size="12" text-anchor="middle" fill="currentColor">{}</text>'
        '<text x="12" y="{}" font-size="12" text-anchor="middle" fill="currentColor" transform="rotate(-90 12 {})">{}'
        "</text></svg>",
        title, WIDTH, HEIGHT, WIDTH, HEIGHT, left, EDGE, bottom, WIDTH - EDGE, axes, drawn,
        WIDTH / 2, HEIGHT - 6, x_label, HEIGHT / 2, HEIGHT / 2, y_label,
    )  # fmt: skip


def calibration(deciles: Sequence[dict[str, Any]]) -> SafeString:
    """What was announced against what came, a point per tenth of the establishments; the diagonal is the ideal."""
    top = max((max(group["predicted"], group["observed"]) for group in deciles), default=1.0) * 1.05 or 1.0
    largest = (top, top)
    drawn = format_html(
        '<polyline points="{}" fill="none" stroke="currentColor" stroke-dasharray="4 4"/>'
        '<polyline points="{}" fill="none" stroke="{}" stroke-width="2"/>',
        _line([(0, 0), (top, top)], largest),
        _line([(group["predicted"], group["observed"]) for group in deciles], largest),
        COLOURS["model"],
    )
    dots = format_html_join(
        "",
        '<circle cx="{}" cy="{}" r="4" fill="{}"><title>annoncé {}, constaté {}</title></circle>',
        (
            (
                *_place(group["predicted"], group["observed"], *largest),
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
                _line([(0.0, 0.0), *((point[0], point[1]) for point in points)], (1, 1)),
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
            (WIDTH - 190, HEIGHT - MARGIN - 14 * (len(curves) - place), COLOURS.get(name, "currentColor"), labels[name])
            for place, name in enumerate(curves)
        ),
    )
    return _frame(
        "Capture : employeurs trouvés selon la part des établissements appelés",
        "établissements, du meilleur score au moins bon",
        "employeurs trouvés",
        (1, 1),
        lines + legend,
    )
