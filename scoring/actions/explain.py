"""The answers to what pages ask of the score. Loads LightGBM: for the worker, never from the web."""

from datetime import datetime
from pathlib import Path

import structlog
from lightgbm.basic import LightGBMError

from companies.actions import explanations
from companies.actions.explanations import Potentials
from companies.actions.reasons import Reason
from scoring.models import Run
from scoring.pipeline import explain as pipeline
from scoring.pipeline.train import Model

logger = structlog.get_logger(__name__)


def answer_asked(*, at: datetime) -> int:
    """Gives their reasons to the establishments that somebody reads about; returns how many were answered."""
    return explanations.answer_asked(explain=reasons_of, at=at)


def reasons_of(release_id: int, potentials: Potentials) -> dict[str, dict[str, list[Reason]]]:
    """The reasons of the pairs of a release, from what its run kept. Nothing where its files are gone or spoilt."""
    run = Run.objects.filter(release=release_id).select_related("release").order_by("-pk").first()
    if run is None or run.release is None or not (run.folder / pipeline.FILE).is_file():
        return {}
    try:
        return of_folder(run.folder, potentials, run.release.policy.get("usual_share_by_rome", {}))
    except (ValueError, LightGBMError):
        # Tried again every fifteen seconds, it would stop the answers of the other releases too.
        logger.exception("score_files_spoilt", run=run.pk)
        return {}


def of_folder(
    folder: Path, potentials: Potentials, usual_shares: dict[str, float]
) -> dict[str, dict[str, list[Reason]]]:
    """The same, from the folder of a run."""
    model = Model.load(folder / "model")
    table = pipeline.read_features(folder, model.features, potentials)
    found = pipeline.explain(model, table, potentials, usual_shares)
    return {
        siret: {
            rome: [Reason(cause.family, cause.weight, cause.facts) for cause in causes] for rome, causes in jobs.items()
        }
        for siret, jobs in found.items()
    }
