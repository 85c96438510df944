"""Plots drawn on the server, without a script nor a style: the policy of the pages allows neither inline.

A plot is one image with its name; the page writes the same numbers in a table beside it. Lines and letters take the
colour of the text around; the other colours are told apart from a white page and from a dark one (3:1).
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from labonnealternance.kit.text import grouped

WIDTH, HEIGHT, MARGIN = 440, 300, 58
# Room for half of the last label.
EDGE = 22
# Of a column, the part that is left empty beside its bar.
GAP = 0.3
ROW, BAR = 40, 14

Point = tuple[float, float]


def place(x: float, y: float, largest: Point) -> Point:
    """Where a point stands in the image; ``largest`` is the one that ends both axes."""
    return (
        round(MARGIN + x / largest[0] * (WIDTH - MARGIN - EDGE), 1),
        round(HEIGHT - MARGIN - y / largest[1] * (HEIGHT - MARGIN - EDGE), 1),
    )


def line(points: Sequence[Point], largest: Point) -> str:
    """The ``points`` of a polyline."""
    return " ".join("{},{}".format(*place(x, y, largest)) for x, y in points)


def frame(
    title: str,
    *,
    x_label: str,
    y_label: str,
    largest: Point,
    x_ticks: Sequence[tuple[float, str]],
    y_ticks: Sequence[tuple[float, str]],
    drawn: SafeString,
) -> SafeString:
    """The image: its axes with their labels and their ticks, each at a value, and what is ``drawn`` within."""
    below = format_html_join(
        "",
        '<text x="{}" y="{}" font-size="11" text-anchor="middle" fill="currentColor">{}</text>',
        ((place(at, 0, largest)[0], HEIGHT - MARGIN + 16, label) for at, label in x_ticks),
    )
    beside = format_html_join(
        "",
        '<text x="{}" y="{}" font-size="11" text-anchor="end" fill="currentColor">{}</text>',
        ((MARGIN - 6, place(0, at, largest)[1] + 4, label) for at, label in y_ticks),
    )
    left, bottom = place(0, 0, largest)
    return format_html(
        '<svg role="img" aria-label="{}" viewBox="0 0 {} {}" width="{}" height="{}">'
        '<path d="M{} {}V{}H{}" fill="none" stroke="currentColor"/>{}{}{}'
        '<text x="{}" y="{}" font-size="12" text-anchor="middle" fill="currentColor">{}</text>'
        '<text x="12" y="{}" font-size="12" text-anchor="middle" fill="currentColor" transform="rotate(-90 12 {})">{}'
        "</text></svg>",
        title, WIDTH, HEIGHT, WIDTH, HEIGHT, left, EDGE, bottom, WIDTH - EDGE, below, beside, drawn,
        WIDTH / 2, HEIGHT - 6, x_label, HEIGHT / 2, HEIGHT / 2, y_label,
    )  # fmt: skip


class Curve(NamedTuple):
    """``points`` to join, in order; ``dash``: an SVG pattern, so that colour alone tells no line from another."""

    points: Sequence[Point]
    colour: str = "currentColor"
    dash: str = "none"
    with_dots: bool = False


SHARES = (0, 0.25, 0.5, 0.75, 1)
LEGEND_LINE = 18


def percent(share: float) -> str:
    """A share in whole per cent, with its sign kept beside it.

    >>> percent(0.283)
    '28\xa0%'
    """
    return f"{100 * share:.0f}\xa0%"


def curves(title: str, *, lines: Mapping[str, Curve], top: float = 1.0, x_label: str, y_label: str) -> SafeString:
    """Shares against shares, both axes from 0 to ``top``: a line for each name, and the names in a corner."""
    largest = (top, top)
    drawn = format_html_join(
        "",
        '<polyline points="{}" fill="none" stroke="{}" stroke-width="2" stroke-dasharray="{}"><title>{}</title>'
        "</polyline>",
        ((line(curve.points, largest), curve.colour, curve.dash, name) for name, curve in lines.items()),
    )
    dots = format_html_join(
        "",
        '<circle cx="{}" cy="{}" r="4" fill="{}"><title>{} : {}, {}</title></circle>',
        (
            (*place(x, y, largest), curve.colour, name, percent(x), percent(y))
            for name, curve in lines.items()
            if curve.with_dots
            for x, y in curve.points
        ),
    )
    left = WIDTH - EDGE - 168
    legend = format_html_join(
        "",
        '<line x1="{}" y1="{}" x2="{}" y2="{}" stroke="{}" stroke-width="2" stroke-dasharray="{}"/>'
        '<text x="{}" y="{}" font-size="12" fill="currentColor">{}</text>',
        (
            (left, at - 4, left + 28, at - 4, curve.colour, curve.dash, left + 34, at, name)
            for rank, (name, curve) in enumerate(lines.items())
            for at in [HEIGHT - MARGIN - 10 - LEGEND_LINE * (len(lines) - 1 - rank)]
        ),
    )
    shown = [(share * top, percent(share * top)) for share in SHARES]
    return frame(
        title, x_label=x_label, y_label=y_label, largest=largest, x_ticks=shown, y_ticks=shown,
        drawn=drawn + dots + legend,
    )  # fmt: skip


def ticks(most: int) -> list[int]:
    """Round numbers from 0 to ``most`` or a little above, six at most.

    >>> ticks(7), ticks(0), ticks(130)
    ([0, 2, 4, 6, 8], [0, 1], [0, 50, 100, 150])
    """
    scale = 1
    while True:
        for step in (scale, 2 * scale, 5 * scale):
            if 5 * step >= most:
                return [n * step for n in range(max(1, -(-most // step)) + 1)]
        scale *= 10


def columns(
    title: str,
    *,
    labels: Sequence[str],
    series: Mapping[str, Sequence[int]],
    colours: Mapping[str, str],
    x_label: str,
    y_label: str,
) -> SafeString:
    """Whole numbers as stacked columns: one for each of ``labels``, a part for each of ``series``, by its name."""
    heights = [sum(values[n] for values in series.values()) for n in range(len(labels))]
    scale = ticks(max(heights, default=0))
    largest = (float(len(labels)) or 1.0, float(scale[-1]))
    bars = []
    for n, label in enumerate(labels):
        below = 0
        for name, values in series.items():
            if values[n]:
                left, top = place(n + GAP / 2, below + values[n], largest)
                right, bottom = place(n + 1 - GAP / 2, below, largest)
                width, height = round(right - left, 1), round(bottom - top, 1)
                bars.append((left, top, width, height, colours[name], label, name, values[n]))
            below += values[n]
    drawn = format_html_join(
        "", '<rect x="{}" y="{}" width="{}" height="{}" fill="{}"><title>{}, {} : {}</title></rect>', bars
    )
    legend = format_html_join(
        "",
        '<rect x="{}" y="{}" width="10" height="10" fill="{}"/>'
        '<text x="{}" y="{}" font-size="11" fill="currentColor">{}</text>',
        (
            (MARGIN + 8 + 96 * place_of, 2, colours[name], MARGIN + 22 + 96 * place_of, 11, name)
            for place_of, name in enumerate(series)
        ),
    )
    return frame(
        title,
        x_label=x_label,
        y_label=y_label,
        largest=largest,
        x_ticks=[(n + 0.5, label) for n, label in enumerate(labels)],
        y_ticks=[(float(each), grouped(each)) for each in scale],
        drawn=drawn + legend,
    )


def rows(title: str, *, values: Mapping[str, int], colour: str) -> SafeString:
    """Whole numbers as bars that lie one below the other, each under its label."""
    most = max(values.values(), default=0) or 1
    height = ROW * len(values) or ROW
    drawn = format_html_join(
        "",
        '<text x="0" y="{}" font-size="12" fill="currentColor">{}</text>'
        '<rect x="0" y="{}" width="{}" height="{}" fill="{}"/>'
        '<text x="{}" y="{}" font-size="12" fill="currentColor">{}</text>',
        (
            (
                ROW * n + 12, label, ROW * n + 18, length, BAR, colour,
                length + 6, ROW * n + 18 + BAR - 3, grouped(value),
            )
            for n, (label, value) in enumerate(values.items())
            for length in [round(value / most * (WIDTH - MARGIN), 1)]
        ),
    )  # fmt: skip
    return format_html(
        '<svg role="img" aria-label="{}" viewBox="0 0 {} {}" width="{}" height="{}">{}</svg>',
        title, WIDTH, height, WIDTH, height, drawn,
    )  # fmt: skip
