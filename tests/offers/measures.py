"""The public measures of a release, in the form of ``scoring.pipeline.run.public_measures``: invented."""

RULES = ("model", "last_year", "size_naf", "least_squares")
MEASURES = {
    "is_simulated": False,
    "data": {"first_month": "2019-11", "last_month": "2026-10"},
    "windows": {"report": "2025-10 → 2026-03", "target": "2026-11 → 2027-04", "delay_months": 2},
    "evaluated": {
        "establishments": 43960, "employers": 3470, "contracts": 6670.0, "rate": 0.0789, "mean_probability": 0.0805,
    },
    "rankings": {
        name: {
            "roc_auc": 0.847 - drop, "pr_auc": 0.45 - drop, "calibration_error": 0.0154,
            "capture_employers_10": 0.513 - drop, "capture_contracts_10": 0.711 - drop, "precision_10": 0.405 - drop,
            "lift_10": 5.13 - 10 * drop,
        }
        for name, drop in zip(RULES, (0, 0.1, 0.08, 0.07), strict=True)
    },
    "first_time": {"share_of_employers": 0.222, "roc_auc": 0.701, "lift_10": 2.6},
    "sizes": {
        name: {
            "establishments": 1000, "employers": 80, "contracts": 100.0, "rate": 0.08, "mean_probability": 0.081,
            "roc_auc": auc,
        }
        for name, auc in (("1–9", 0.8), ("250+", None), ("20–49", 0.75), ("inconnu", 0.6))
    },
    "calibration": [
        {"predicted": n / 20, "observed": n / 20 + 0.01, "establishments": 4396} for n in range(1, 11)
    ],
    "capture": {
        name: [[0.0002, 0.003], [0.1, 0.513 - drop], [0.5, 0.9 - drop], [1.0, 1.0]]
        for name, drop in zip(RULES, (0, 0.1, 0.08, 0.07), strict=True)
    },
    "families": {
        "past": 0.61, "headcount": 0.2, "activity": 0.1, "hires": 0.05, "place": 0.02, "age": 0.01, "unit": 0.007,
        "accounts": 0.003,
    },
    "scored": 43000,
    "exposed": {"pairs": 30000, "establishments": 12920, "jobs": 50},
}  # fmt: skip
