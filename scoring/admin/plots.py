"""The two plots of a run of the score."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.safestring import SafeString

from labonnealternance.kit import plots
from labonnealternance.kit.plots import Curve

# Each is told apart from a white page and from a dark one.
LINES = {
    "model": ("#6a6af4", "none"),
    "last_year": ("#d64d00", "7 4"),
    "size_naf": ("#1f8d49", "2 4"),
    "least_squares": ("#a558a0", "9 3 2 3"),
}


def calibration(deciles: Sequence[dict[str, Any]]) -> SafeString:
    """What was announced against what came, a point per tenth of the establishments; the diagonal is the ideal."""
    top = max((max(group["predicted"], group["observed"]) for group in deciles), default=1.0) * 1.05 or 1.0
    colour, _ = LINES["model"]
    return plots.curves(
        "Calibrage : part annoncée et part constatée",
        lines={
            "modèle": Curve([(group["predicted"], group["observed"]) for group in deciles], colour, with_dots=True),
            "idéal": Curve([(0, 0), (top, top)], dash="4 4"),
        },
        top=top,
        x_label="annoncé",
        y_label="constaté",
    )


def capture(curves: Mapping[str, Sequence[Sequence[float]]], labels: Mapping[str, str]) -> SafeString:
    """The share of the employers found against the share of the establishments called, a line per ranking."""
    return plots.curves(
        "Capture : employeurs trouvés selon la part des établissements appelés",
        lines={
            labels[name]: Curve([(0.0, 0.0), *((point[0], point[1]) for point in points)], *LINES.get(name, ()))
            for name, points in curves.items()
        },
        x_label="établissements, du meilleur score au moins bon",
        y_label="employeurs trouvés",
    )
