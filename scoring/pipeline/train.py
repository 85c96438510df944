"""The model and its three baselines: fitted on one window, stopped and calibrated on the next one."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Read once, when the library is loaded: threads that wait asleep, not spinning, or a busy machine makes them crawl.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import lightgbm
import numpy as np
import pandas as pd
from sklearn.isotonic import IsotonicRegression

from scoring.pipeline.features import Feature
from scoring.pipeline.nomenclatures import BAND_BOUNDS

MOST_THREADS = 2
# Under this many rows a second thread costs more than it brings, above all on a busy machine.
ROWS_FOR_THREADS = 50_000
MOST_TREES = 600
PATIENCE = 30


@dataclass(frozen=True)
class Window:
    """A window to learn from: the features of the establishments that were open, and what they signed."""

    features: pd.DataFrame
    contracts: np.ndarray

    @property
    def hired(self) -> np.ndarray:
        return self.contracts > 0


@dataclass(frozen=True)
class Calibration:
    """A growing curve from raw scores to observed rates (isotonic, linear between its points)."""

    scores: tuple[float, ...]
    rates: tuple[float, ...]

    @classmethod
    def fit(cls, scores: np.ndarray, observed: np.ndarray) -> "Calibration":
        curve = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(scores, observed)
        return cls(tuple(curve.X_thresholds_.tolist()), tuple(curve.y_thresholds_.tolist()))

    def __call__(self, scores: np.ndarray) -> np.ndarray:
        """Probabilities; never quite 0 nor 1, which no finite past can prove."""
        return np.interp(scores, self.scores, self.rates).clip(1e-4, 1 - 1e-4)


@dataclass(frozen=True)
class Scores:
    """For each establishment: what to rank by, the probability of at least one contract, the expected number."""

    rank: np.ndarray
    probability: np.ndarray
    expected: np.ndarray


@dataclass(frozen=True)
class Model:
    """The classifier (at least one contract), the count (Poisson), and the calibration of both."""

    features: tuple[Feature, ...]
    classifier: lightgbm.Booster
    counter: lightgbm.Booster
    calibration: Calibration
    count_scale: float

    def scores(self, features: pd.DataFrame) -> Scores:
        table = features[[feature.name for feature in self.features]]
        raw, expected = _predict(self.classifier, table), _predict(self.counter, table) * self.count_scale
        return Scores(rank=raw, probability=self.calibration(raw), expected=expected)

    def save(self, folder: Path) -> None:
        """``classifier.txt``, ``counter.txt`` (LightGBM's format) and ``model.json`` (features and calibration)."""
        folder.mkdir(parents=True, exist_ok=True)
        self.classifier.save_model(folder / "classifier.txt")
        self.counter.save_model(folder / "counter.txt")
        described = {
            "features": [vars(feature) for feature in self.features],
            "calibration": {"scores": self.calibration.scores, "rates": self.calibration.rates},
            "count_scale": self.count_scale,
        }
        (folder / "model.json").write_text(json.dumps(described, ensure_ascii=False))

    @classmethod
    def load(cls, folder: Path) -> "Model":
        described = json.loads((folder / "model.json").read_text())
        return cls(
            features=tuple(Feature(**feature) for feature in described["features"]),
            classifier=lightgbm.Booster(model_file=folder / "classifier.txt"),
            counter=lightgbm.Booster(model_file=folder / "counter.txt"),
            calibration=Calibration(**{name: tuple(values) for name, values in described["calibration"].items()}),
            count_scale=described["count_scale"],
        )


@dataclass(frozen=True)
class Trees:
    """How many trees each half of the model needs."""

    classifier: int
    counter: int

    def as_json(self) -> dict[str, Any]:
        return {"classifier": self.classifier, "counter": self.counter}


def threads(rows: int) -> int:
    """How many threads LightGBM gets for ``rows`` rows."""
    return MOST_THREADS if rows >= ROWS_FOR_THREADS else 1


def parameters(rows: int, features: tuple[Feature, ...], seed: int) -> dict[str, Any]:
    """LightGBM's parameters for a window of ``rows`` establishments: larger windows bear finer trees."""
    return {
        "learning_rate": 0.05,
        "num_leaves": 15 if rows < 50_000 else 31 if rows < 500_000 else 63,
        "min_data_in_leaf": 40 if rows < 50_000 else 100 if rows < 500_000 else 200,
        "feature_fraction": 0.7,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "lambda_l2": 5.0,
        "cat_smooth": 30.0,
        "cat_l2": 30.0,
        "min_data_per_group": 50 if rows < 50_000 else 100,
        "max_cat_threshold": 16,
        "monotone_constraints": [feature.monotone for feature in features],
        "num_threads": threads(rows),
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
    }


def _predict(booster: lightgbm.Booster, table: pd.DataFrame) -> np.ndarray:
    return np.asarray(booster.predict(table, num_threads=threads(len(table))))


def _booster(
    objective: str, window: Window, features: tuple[Feature, ...], seed: int, trees: int, judge: Window | None = None
) -> lightgbm.Booster:
    columns = [feature.name for feature in features]
    categories = [feature.name for feature in features if feature.categorical]
    label = window.hired.astype(float) if objective == "binary" else window.contracts
    train = lightgbm.Dataset(window.features[columns], label, categorical_feature=categories, free_raw_data=True)
    settings = {"objective": objective, **parameters(len(label), features, seed)}
    if objective == "poisson":
        # A few very large employers must not carve trees for themselves.
        settings["poisson_max_delta_step"] = 0.3
    if judge is None:
        return lightgbm.train(settings, train, num_boost_round=trees)
    truth = judge.hired.astype(float) if objective == "binary" else judge.contracts
    valid = lightgbm.Dataset(judge.features[columns], truth, reference=train, categorical_feature=categories)
    stop = lightgbm.early_stopping(PATIENCE, verbose=False)
    return lightgbm.train(settings, train, num_boost_round=trees, valid_sets=[valid], callbacks=[stop])


def fit(window: Window, judge: Window, features: tuple[Feature, ...], seed: int, trees: Trees | None = None) -> Model:
    """A model fitted on ``window``, calibrated on ``judge``, a later window.

    Without ``trees``, ``judge`` also says when to stop.
    """
    classifier = _booster(
        "binary", window, features, seed, trees.classifier if trees else MOST_TREES, None if trees else judge
    )
    counter = _booster(
        "poisson", window, features, seed, trees.counter if trees else MOST_TREES, None if trees else judge
    )
    columns = [feature.name for feature in features]
    raw, expected = (_predict(booster, judge.features[columns]) for booster in (classifier, counter))
    scale = float(judge.contracts.sum() / expected.sum())
    return Model(features, classifier, counter, Calibration.fit(raw, judge.hired), scale)


def trees_of(model: Model) -> Trees:
    """The trees that early stopping kept."""
    return Trees(
        model.classifier.best_iteration or model.classifier.current_iteration(),
        model.counter.best_iteration or model.counter.current_iteration(),
    )


def refit(window: Window, before: Window, features: tuple[Feature, ...], seed: int, trees: Trees) -> Model:
    """The model that scores: fitted on the most recent complete window, with the number of trees found before.

    Its calibration is that of the same recipe one year earlier (fitted on ``before``, looked at on ``window``): a
    model can't be calibrated on the rows that it was fitted on.
    """
    earlier = fit(before, window, features, seed, trees)
    return Model(
        features,
        _booster("binary", window, features, seed, trees.classifier),
        _booster("poisson", window, features, seed, trees.counter),
        earlier.calibration,
        earlier.count_scale,
    )


# The baselines -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Baseline:
    """A rule that gives an expected number; its probability is calibrated as the model's is."""

    calibration: Calibration
    count_scale: float

    def raw(self, features: pd.DataFrame) -> np.ndarray:
        raise NotImplementedError

    def scores(self, features: pd.DataFrame) -> Scores:
        raw = self.raw(features)
        return Scores(raw, self.calibration(raw), np.maximum(raw * self.count_scale, 0))


@dataclass(frozen=True)
class LastYear(_Baseline):
    """The contracts of the last twelve known months."""

    def raw(self, features: pd.DataFrame) -> np.ndarray:
        return features["contracts_12m"].to_numpy(float)


@dataclass(frozen=True)
class SizeNafRate(_Baseline):
    """The share of establishments of the same size and activity (division) that hired."""

    rates: pd.Series
    national: float

    @staticmethod
    def _key(features: pd.DataFrame) -> pd.Series:
        bounds = [BAND_BOUNDS[band][0] for band in ("01", "11", "12", "21", "32")]
        size = np.searchsorted(bounds, features["headcount"].fillna(-1).to_numpy(), side="right")
        return pd.Series(size, index=features.index).astype(str) + "|" + features["division"].astype(str)

    @classmethod
    def rates_of(cls, window: Window) -> tuple[pd.Series, float]:
        national = float(window.hired.mean())
        groups = pd.Series(window.hired, index=window.features.index).groupby(cls._key(window.features))
        return (groups.sum() + 10 * national) / (groups.count() + 10), national

    def raw(self, features: pd.DataFrame) -> np.ndarray:
        return self._key(features).map(self.rates).fillna(self.national).to_numpy(float)


@dataclass(frozen=True)
class LeastSquares(_Baseline):
    """Least squares on the half-year lags and the headcount: what La Bonne Boîte ran."""

    coefficients: np.ndarray

    @staticmethod
    def _matrix(features: pd.DataFrame) -> np.ndarray:
        lags = [name for name in features if str(name).startswith("contracts_half_")]
        head = features["headcount"].fillna(0).to_numpy(float)
        return np.column_stack([features[lags].to_numpy(float), head, np.ones(len(features))])

    @classmethod
    def coefficients_of(cls, window: Window) -> np.ndarray:
        return np.linalg.lstsq(cls._matrix(window.features), window.contracts.astype(float), rcond=None)[0]

    def raw(self, features: pd.DataFrame) -> np.ndarray:
        return self._matrix(features) @ self.coefficients


BASELINE_LABELS = {
    "last_year": "contrats de l’an passé",
    "size_naf": "taux taille × activité",
    "least_squares": "moindres carrés (7 semestres + effectif)",
}


def fit_baselines(window: Window, judge: Window) -> dict[str, _Baseline]:
    """The three baselines, fitted and calibrated on the same windows as the model."""
    blank = Calibration((0.0, 1.0), (0.0, 1.0))
    rates, national = SizeNafRate.rates_of(window)
    rules: dict[str, _Baseline] = {
        "last_year": LastYear(blank, 1.0),
        "size_naf": SizeNafRate(blank, 1.0, rates, national),
        "least_squares": LeastSquares(blank, 1.0, LeastSquares.coefficients_of(window)),
    }
    fitted = {}
    for name, rule in rules.items():
        raw = rule.raw(judge.features)
        calibrated = {"calibration": Calibration.fit(raw, judge.hired)}
        scale = float(judge.contracts.sum() / max(np.maximum(raw, 0).sum(), 1e-9))
        fitted[name] = type(rule)(**{**vars(rule), **calibrated, "count_scale": scale})
    return fitted
