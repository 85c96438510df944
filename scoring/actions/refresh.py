"""The run of a score, from the files to the release: what ``refresh_scores`` does. Loads LightGBM: never from the web.

A run writes aside until its last step. Killed at any point it leaves what the public reads untouched; the next one
finds it still *running* while nobody holds the lock, marks it interrupted, drops what it had written, and starts again.
"""

import contextlib
import itertools
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Q
from django.utils import timezone

from companies.actions import hiring_potentials
from companies.enums import ReleaseStatus
from companies.models import Release
from labonnealternance.accounts.models import User
from labonnealternance.kit.commands import single_run
from scoring.actions import sources
from scoring.enums import RunStatus
from scoring.models import GateVerdict, Run
from scoring.pipeline import dataset as dataset_of
from scoring.pipeline import months as month_of
from scoring.pipeline.errors import PipelineRefusal
from scoring.pipeline.predict import ExposurePolicy
from scoring.pipeline.run import Previous, Result, keep, previous_of, public_measures, read_oracle, score

WORK = "calcul du score"
ROWS_A_WRITE = 100_000
Step = Callable[[str], None]


@dataclass(frozen=True)
class Outcome:
    """What a run left. ``run`` and ``release`` are None after a dry run; ``published`` says whether it is online."""

    result: Result
    run: Run | None = None
    release: Release | None = None
    published: bool = False


def refresh(
    *,
    history: Path,
    by: User | None,
    at: datetime,
    seed: int = 2026,
    policy: ExposurePolicy | None = None,
    publish: bool = True,
    publish_anyway: str = "",
    dry_run: bool = False,
    step: Step = lambda label: None,
) -> Outcome:
    """Computes a score from the files of ``history`` and the database's establishments, and publishes it.

    It is published when every gate lets it through, or when ``by`` says why it must be in ``publish_anyway``. A dry run
    computes and tells, and writes nothing. Raises ``PipelineRefusal`` where the inputs don't allow a score, and
    ``AlreadyRunning`` where another run is under way.
    """
    if publish_anyway and by is None:
        raise ValueError("Publishing against a gate needs a person.")
    policy = policy or ExposurePolicy()
    with single_run(WORK):
        if dry_run:
            with tempfile.TemporaryDirectory() as folder:
                result, _ = _compute(history, Path(folder), at=at, seed=seed, policy=policy, step=step)
            return Outcome(result)
        close_interrupted(at=at)
        forget_files()
        run = Run.objects.create(
            started_at=at, started_by=by, history=history.name, seed=seed, parameters={"policy": policy.as_json()}
        )
        try:
            outcome = _run(run, history, at=at, seed=seed, policy=policy, step=step)
        except BaseException as fault:
            # Where the database is what fails, the next run finds this one still running, and closes it.
            with contextlib.suppress(OperationalError, InterfaceError):
                _give_up(run, fault)
            raise
        wanted = publish and (not outcome.result.refusals or publish_anyway)
        if not wanted or outcome.release is None:
            return outcome
        step("Mise en ligne")
        reason = publish_anyway if outcome.result.refusals else ""
        release = hiring_potentials.publish(release_id=outcome.release.pk, by=by, at=timezone.now(), reason=reason)
        return replace(outcome, release=release, published=True)


def _run(run: Run, history: Path, *, at: datetime, seed: int, policy: ExposurePolicy, step: Step) -> Outcome:
    run.folder.mkdir(parents=True, exist_ok=True)
    result, dataset = _compute(history, run.folder, at=at, seed=seed, policy=policy, step=step)
    keep(result, dataset, run.folder)
    step(f"Écriture de {len(result.exposed)} potentiels à l’écart")
    exposed_by = {
        **policy.as_json(),
        "minimum_by_rome": result.exposed.minimum_by_rome,
        "usual_share_by_rome": result.exposed.usual_share_by_rome,
    }
    with transaction.atomic():
        # Both or none: a release without its run would wait a day for the clean-up.
        release = hiring_potentials.begin_release(
            policy=exposed_by, origin=str(run), at=at, measures=public_measures(result)
        )
        run.release = release
        run.save(update_fields=["release"])
    rows = result.exposed.rows(dataset.establishments["siret"].to_numpy())
    while part := list(itertools.islice(rows, ROWS_A_WRITE)):
        hiring_potentials.write_potentials(release=release, rows=part)
    run.release = release = hiring_potentials.finish_release(release=release, at=timezone.now())
    stopped = result.refusals
    reason = " ; ".join(f"{verdict.gate} {verdict.departement}".strip() for verdict in stopped)
    with transaction.atomic():
        GateVerdict.objects.bulk_create(
            [GateVerdict(run=run, **verdict.as_json()) for verdict in result.verdicts], batch_size=500
        )
        run.report = result.report
        run.save(update_fields=["report"])
        run.move(to=RunStatus.REFUSED if stopped else RunStatus.SUCCEEDED, by=None, at=timezone.now(), reason=reason)
    return Outcome(result, run, release)


def _compute(
    history: Path, folder: Path, *, at: datetime, seed: int, policy: ExposurePolicy, step: Step
) -> tuple[Result, dataset_of.Dataset]:
    step("Lecture des établissements et de l’historique")
    shares = sources.rome_shares()
    if shares.empty:
        raise PipelineRefusal("Aucune part de métier par activité : importez d’abord les référentiels.")
    dataset = dataset_of.read(
        history,
        sources.establishments(),
        run_month=month_of.index(timezone.localdate(at)),
        quarantine_path=folder / "quarantine.csv.gz",
    )
    oracle = read_oracle(history)
    result = score(dataset, shares, policy=policy, seed=seed, previous=_previous(), oracle=oracle, step=step)
    return result, dataset


def _previous() -> Previous:
    online = Run.objects.filter(release__status=ReleaseStatus.CURRENT).order_by("-pk").first()
    return previous_of(online.folder, online.report) if online else Previous()


def _give_up(run: Run, fault: BaseException) -> None:
    """Marks a run that could not end, and drops what it had written."""
    run.refresh_from_db()
    if run.status != RunStatus.RUNNING:
        return
    if isinstance(fault, PipelineRefusal | hiring_potentials.ReleaseRefused):
        status, reason = RunStatus.REFUSED, str(fault)
    elif isinstance(fault, Exception):
        status, reason = RunStatus.FAILED, f"{type(fault).__name__} : {fault}"
    else:
        status, reason = RunStatus.INTERRUPTED, "Arrêté à la main."
    _close(run, status, reason, at=timezone.now())


def close_interrupted(*, at: datetime) -> int:
    """Marks the runs that a killed process left; the caller holds the lock, so that none of them lives."""
    dead = list(Run.objects.filter(status=RunStatus.RUNNING).order_by("pk"))
    for run in dead:
        _close(run, RunStatus.INTERRUPTED, "Le processus a été arrêté avant la fin.", at=at)
    return len(dead)


def _close(run: Run, status: RunStatus, reason: str, *, at: datetime) -> None:
    release = run.release
    if release is not None and release.status in {ReleaseStatus.WRITING, ReleaseStatus.READY}:
        hiring_potentials.abandon(release=release, at=at, reason=reason)
    run.move(to=status, by=None, at=at, reason=reason)


def forget_files() -> None:
    """Deletes the files of the runs whose potentials are gone; the figures stay in the database."""
    gone = Run.objects.exclude(status=RunStatus.RUNNING).filter(
        Q(release__isnull=True) | Q(release__status=ReleaseStatus.ABANDONED) | Q(release__dropped_at__isnull=False)
    )
    kept = Path(settings.SCORING_DIR) / "runs"
    present = {folder.name for folder in kept.iterdir() if folder.is_dir()} if kept.is_dir() else set()
    for run in gone.filter(pk__in=[name for name in present if name.isdigit()]).order_by("pk"):
        # The quarantine of a refused run is what the person has to read: it stays until the next success.
        if run.status != RunStatus.REFUSED or Run.objects.filter(pk__gt=run.pk, status=RunStatus.SUCCEEDED).exists():
            shutil.rmtree(run.folder, ignore_errors=True)
