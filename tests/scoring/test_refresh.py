"""A run against the database: published by its gates or by a person, never by halves, alone."""

import datetime as dt
import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import OperationalError

from companies.actions import hiring_potentials
from companies.actions.hiring_potentials import NothingToRollBackTo, ReasonMissing
from companies.enums import ReleaseStatus
from companies.models import Establishment, HiringPotential, Release, SearchEdition
from labonnealternance.kit.commands import AlreadyRunning, single_run
from labonnealternance.kit.states import ForbiddenMove
from scoring.actions import refresh as refreshing
from scoring.actions import sources
from scoring.enums import RunStatus
from scoring.models import GateVerdict, Run
from scoring.pipeline import gates
from scoring.pipeline.errors import PipelineRefusal, UnreadableFile
from scoring.pipeline.predict import ExposurePolicy
from tests import processes
from tests.factories import StaffFactory, UserFactory
from tests.scoring import country

NOW = country.NOW


@pytest.fixture
def establishments(db, history):
    country.load(history)


@pytest.fixture
def strict(monkeypatch):
    """A gate that nothing passes."""
    monkeypatch.setattr(gates, "LEAST_JACCARD", 2)
    monkeypatch.setattr(gates, "MOST_EXPOSED_SHARE", -1)


def run_once(history, **given):
    return refreshing.refresh(**{"history": history, "by": None, "at": NOW, "seed": 1, **given})


def counts():
    return [model.objects.count() for model in (Run, GateVerdict, Release, SearchEdition, HiringPotential)]


def test_a_run_publishes_what_it_exposed_and_keeps_all_it_found(establishments, history):
    outcome = run_once(history)
    run = Run.objects.get()
    assert outcome.published
    assert run.status == RunStatus.SUCCEEDED
    assert run.release.status == ReleaseStatus.CURRENT
    assert run.release.summary["potentials"] == len(outcome.result.exposed) == HiringPotential.objects.count()
    assert run.release.summary["unknown_sirets"] == run.release.summary["unknown_romes"] == 0
    assert run.release.policy["version"] == ExposurePolicy().version
    assert set(run.release.policy["minimum_by_rome"]) <= set(country.ROME)
    assert run.report["metrics"]["model"]["roc_auc"] > 0.7
    assert run.verdicts.filter(departement="57").count() == 3
    assert not run.verdicts.filter(passed=False).exists()
    assert [(move.from_status, move.to_status) for move in run.journal.all()] == [("running", "succeeded")]
    assert sorted(path.name for path in run.folder.iterdir()) == [
        "features.parquet",
        "model",
        "predictions.parquet",
        "report.json",
    ]
    assert pq.read_table(run.folder / "predictions.parquet").num_rows == len(outcome.result.scored)


def test_the_database_gives_the_establishments_that_the_file_gives(establishments, history, dataset):
    from_database = sources.establishments().set_index("siret").sort_index()
    from_file = dataset.establishments.set_index("siret").sort_index()
    assert from_database.index.tolist() == from_file.index.tolist()
    for column in ("siren", "naf", "band", "departement", "employment_zone", "commune"):
        assert from_database[column].tolist() == from_file[column].tolist(), column
    assert from_database["created_month"].tolist() == from_file["created_month"].tolist()
    assert from_database["closed_month"].isna().sum() == from_file["closed_month"].isna().sum()


def test_what_is_closed_since_is_learnt_from_and_not_exposed(establishments, computed, history):
    run_once(history)
    assert Establishment.objects.filter(closed_on__isnull=False).exists()
    exposed = HiringPotential.objects.values("establishment")
    assert not Establishment.objects.filter(pk__in=exposed, closed_on__lt=country.AS_OF).exists()


def test_a_dry_run_writes_nothing(establishments, history, settings):
    before = counts()
    outcome = run_once(history, dry_run=True)
    assert outcome.run is None
    assert outcome.result.report["exposed"]["pairs"] > 0
    assert counts() == before == [0, 0, 0, 0, 0]
    assert not settings.SCORING_DIR.exists()
    assert not (history / "quarantine.csv.gz").exists()


def test_without_publication_the_release_waits(establishments, computed, history):
    outcome = run_once(history, publish=False)
    assert not outcome.published
    assert outcome.run.release.status == ReleaseStatus.READY
    assert outcome.run.can_be_published
    assert not SearchEdition.objects.filter(is_current=True).exists()


def test_a_gate_that_refuses_stops_the_publication_and_not_the_writing(establishments, history, strict):
    outcome = run_once(history)
    run = Run.objects.get()
    assert not outcome.published
    assert (run.status, run.release.status) == (RunStatus.REFUSED, ReleaseStatus.READY)
    assert run.refusal == "sélectivité"
    assert run.verdicts.filter(departement="974").count() == 3
    assert [verdict.gate for verdict in run.verdicts.filter(passed=False)] == ["sélectivité"]


def test_a_person_publishes_against_a_gate_with_a_reason_that_stays(establishments, history, strict):
    support = StaffFactory()
    outcome = run_once(history, publish_anyway="Rentrée : vérifié à la main.", by=support)
    assert outcome.published
    release = Release.objects.get()
    line = release.journal.get(to_status=ReleaseStatus.CURRENT)
    assert (line.by, line.reason) == (support, "Rentrée : vérifié à la main.")
    assert outcome.run.status == RunStatus.REFUSED
    with pytest.raises(ValueError, match="person"):
        run_once(history, publish_anyway="Parce que.")


def test_support_publishes_later_what_was_refused(establishments, history, strict):
    run, support = run_once(history).run, StaffFactory()
    with pytest.raises(ReasonMissing):
        hiring_potentials.ask_publication(release_id=run.release_id, by=support, at=NOW, reason=" ")
    hiring_potentials.ask_publication(release_id=run.release_id, by=support, at=NOW, reason="Relu.")
    [release] = hiring_potentials.publish_asked(at=NOW)
    assert release.status == ReleaseStatus.CURRENT
    with pytest.raises(ForbiddenMove):
        hiring_potentials.ask_publication(release_id=run.release_id, by=support, at=NOW, reason="Encore.")


def test_rolling_back_puts_the_former_release_online_and_says_who_and_why(establishments, computed, history):
    support = StaffFactory()
    first = run_once(history).release
    with pytest.raises(NothingToRollBackTo):
        hiring_potentials.rollback(by=support, at=NOW, reason="Trop tôt.")
    second = run_once(history, seed=2).release
    back = hiring_potentials.rollback(by=support, at=NOW, reason="Plaintes.")
    assert back == first
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.status, second.status) == (ReleaseStatus.CURRENT, ReleaseStatus.RETIRED)
    assert first.journal.latest("pk").by == support
    assert HiringPotential.objects.filter(release__status=ReleaseStatus.CURRENT).exists()


def test_the_second_run_is_compared_with_the_release_online(establishments, history):
    run_once(history)
    outcome = run_once(history, seed=2)
    stability = outcome.run.verdicts.get(gate="stabilité")
    assert stability.passed
    assert 0.5 < stability.measure < 1
    assert outcome.run.verdicts.get(gate="volume (contrats)").measure == 1


def test_a_file_much_smaller_than_the_last_one_is_caught(establishments, history, tmp_path):
    run_once(history)
    for path in history.glob("*.parquet"):
        if path.stem != "contracts":
            (tmp_path / path.name).symlink_to(path)
    table = pq.read_table(history / "contracts.parquet")
    kept = pa.array([row % 10 < 7 for row in range(table.num_rows)])
    pq.write_table(table.filter(kept), tmp_path / "contracts.parquet")
    outcome = run_once(tmp_path)
    assert outcome.run.status == RunStatus.REFUSED
    assert "volume (contrats)" in outcome.run.refusal
    assert Release.objects.filter(status=ReleaseStatus.CURRENT).get() != outcome.release


def test_a_file_that_is_too_old_is_caught(establishments, history):
    outcome = run_once(history, at=NOW + dt.timedelta(days=120))
    assert "fraîcheur" in outcome.run.refusal
    assert not outcome.published


def test_inputs_that_do_not_allow_a_score_are_told_and_leave_a_trace(establishments, tmp_path):
    with pytest.raises(UnreadableFile, match="contracts"):
        run_once(tmp_path)
    run = Run.objects.get()
    assert run.status == RunStatus.REFUSED
    assert "contracts" in run.refusal
    assert run.release is None


def test_without_jobs_by_activity_the_run_says_what_to_import(db, history):
    with pytest.raises(PipelineRefusal, match="référentiels"):
        run_once(history)


def test_a_run_that_fails_says_so_and_takes_its_release_away(establishments, computed, history, monkeypatch):
    def broken(**given):
        raise OSError("disque plein")

    monkeypatch.setattr(hiring_potentials, "finish_release", broken)
    with pytest.raises(OSError, match="disque plein"):
        run_once(history)
    run = Run.objects.get()
    assert (run.status, run.refusal) == (RunStatus.FAILED, "OSError : disque plein")
    assert run.release.status == ReleaseStatus.ABANDONED
    assert not HiringPotential.objects.exists()


def test_stopped_by_hand_is_no_failure(establishments, history):
    def stop(label):
        if label.startswith("Potentiels"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_once(history, step=stop)
    assert Run.objects.get().status == RunStatus.INTERRUPTED


@pytest.mark.parametrize("start", RunStatus)
@pytest.mark.parametrize("end", RunStatus)
def test_a_run_moves_only_where_the_table_says(db, start, end):
    finished = None if start == RunStatus.RUNNING else NOW
    run = Run.objects.create(status=start, started_at=NOW, finished_at=finished, history="h", seed=1)
    allowed = start == RunStatus.RUNNING and end != RunStatus.RUNNING
    if allowed:
        run.move(to=end, by=None, at=NOW, reason="Parce que.")
        assert run.journal.get().to_status == end
        assert Run.objects.get().finished_at == NOW
    else:
        with pytest.raises(ForbiddenMove):
            run.move(to=end, by=None, at=NOW)
        assert not run.journal.exists()


def test_files_of_runs_whose_potentials_are_gone_are_deleted(establishments, computed, history):
    first = run_once(history, publish=False)
    hiring_potentials.abandon(release=first.release, at=NOW, reason="Essai.")
    second = run_once(history, publish=False)
    assert not first.run.folder.exists()
    assert second.run.folder.exists()


# Commands ---------------------------------------------------------------------------------------------------------


def told(*arguments, **options):
    out, err = io.StringIO(), io.StringIO()
    with time_machine.travel(NOW, tick=True):
        call_command(*arguments, stdout=out, stderr=err, **options)
    return out.getvalue(), err.getvalue()


def test_the_command_tells_metrics_baselines_and_verdicts(establishments, history):
    out, _ = told("refresh_scores", "--history", str(history))
    for words in ("ROC-AUC", "modèle", "moindres carrés", "oracle", "Contrôles", "8 départements sur 8", "en ligne"):
        assert words in out
    assert "✗" not in out
    assert Release.objects.get().status == ReleaseStatus.CURRENT


def test_the_command_leaves_with_an_error_when_a_gate_refuses(establishments, history, strict):
    with pytest.raises(SystemExit) as stopped:
        told("refresh_scores", "--history", str(history))
    assert stopped.value.code == 1
    assert Release.objects.get().status == ReleaseStatus.READY


def test_the_command_rolls_back(establishments, computed, history):
    support = StaffFactory()
    first = run_once(history).release
    run_once(history, seed=2)
    out, _ = told("rollback_scores", "--by", support.email, "--reason", "Plaintes.")
    assert "remise en ligne" in out
    assert Release.objects.get(status=ReleaseStatus.CURRENT) == first


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["refresh_scores", "--history", "nulle-part"], "n’est pas un dossier"),
        (["refresh_scores", "--history", ".", "--publish-anyway", "Si."], "demande --by"),
        (
            ["refresh_scores", "--history", ".", "--publish-anyway", "Si.", "--by", "x@exemple.fr", "--dry-run"],
            "ne va ni",
        ),
        (["refresh_scores", "--history", ".", "--by", "inconnue@exemple.fr"], "membre actif du support"),
        (["rollback_scores", "--by", "inconnue@exemple.fr", "--reason", "Si."], "membre actif du support"),
        (["simulate_history", "--out", "x", "--as-of", "hier"], "n’est pas un mois"),
        (["simulate_history", "--out", "x", "--size", "0"], "au moins 1 établissement"),
        (["simulate_history", "--out", "x", "--as-of", "0001-01"], "entre 2000 et 2100"),
        (["simulate_history", "--out", "x", "--gather", "57463"], "comme 57463=0.3"),
        (["simulate_history", "--out", "x", "--gather", "57463=1.3"], "vont de 0 à 1"),
        (["simulate_history", "--out", "x"], "import_references"),
    ],
)
def test_a_command_that_cannot_run_says_why(db, arguments, sentence):
    with pytest.raises(CommandError, match=sentence):
        told(*arguments)


def test_who_is_not_of_support_answers_for_nothing(db, tmp_path):
    with pytest.raises(CommandError, match="membre actif du support"):
        told("rollback_scores", "--by", UserFactory().email, "--reason", "Si.")


def test_a_folder_that_can_t_be_written_is_a_sentence(establishments, tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(CommandError, match=r"Rien ne peut être écrit dans .*taken"):
        told("simulate_history", "--size", "10", "--out", str(tmp_path / "taken"))


def test_a_town_to_gather_around_is_one_of_the_references(establishments, tmp_path):
    with pytest.raises(CommandError, match="pas de commune habitée de code 99999"):
        told("simulate_history", "--size", "10", "--gather", "99999=0.3", "--out", str(tmp_path / "drawn"))


def test_a_disk_that_can_t_be_written_stops_the_run_with_a_sentence(establishments, history, settings, tmp_path):
    (tmp_path / "taken").write_text("")
    settings.SCORING_DIR = tmp_path / "taken"
    with pytest.raises(CommandError, match=r"Calcul interrompu : .* Ce qui est en ligne n’a pas changé"):
        told("refresh_scores", "--history", str(history))
    assert not Release.objects.filter(status=ReleaseStatus.CURRENT).exists()


def test_potentials_of_nobody_are_told_and_not_published(establishments, history, monkeypatch):
    def refuse(**given):
        raise hiring_potentials.ReleaseRefused("Aucun potentiel ne concerne un établissement et un métier connus.")

    monkeypatch.setattr(hiring_potentials, "finish_release", refuse)
    with pytest.raises(CommandError, match="Le score n’est pas calculé : Aucun potentiel"):
        told("refresh_scores", "--history", str(history))


def test_a_database_that_goes_away_stops_the_run_with_a_sentence(establishments, history, monkeypatch):
    def gone(*given, **named):
        raise OperationalError("the server closed the connection")

    monkeypatch.setattr(refreshing, "_compute", gone)
    monkeypatch.setattr(refreshing, "_give_up", gone)
    with pytest.raises(CommandError, match="la base ne répond plus"):
        told("refresh_scores", "--history", str(history))


def test_simulate_history_draws_from_the_references_of_the_database(establishments, tmp_path):
    out, _ = told("simulate_history", "--size", "300", "--out", str(tmp_path / "drawn"))
    assert "données fictives" in out
    drawn = pq.read_table(tmp_path / "drawn" / "establishments.parquet")
    assert drawn.num_rows == 300
    assert set(drawn["codeCommuneEtablissement"].to_pylist()) <= set(country.references().communes["code"])
    assert max(pq.read_table(tmp_path / "drawn" / "contracts.parquet")["start_month"].to_pylist()) < country.AS_OF


# Killed, and two at once ------------------------------------------------------------------------------------------


KILLED = """
    import sys, time
    from pathlib import Path
    import django
    django.setup()
    from companies.actions import hiring_potentials
    from scoring.actions import refresh
    from tests.scoring.country import NOW

    def stop(*given, **named):
        print("here", flush=True)
        time.sleep(120)

    where = sys.argv[2]
    if where == "computing":
        refresh.score = stop
    elif where == "half written":
        written = hiring_potentials.write_potentials
        refresh.ROWS_A_WRITE = 1000
        def one(**named):
            written(**named)
            stop()
        hiring_potentials.write_potentials = one
    elif where == "written":
        hiring_potentials.finish_release = stop
    elif where == "before publication":
        hiring_potentials.publish = stop
    elif where == "publishing":
        hiring_potentials._switch_to = stop
    refresh.refresh(history=Path(sys.argv[1]), by=None, at=NOW, seed=2)
"""


def start(history, where, scoring_dir):
    scoring_dir.mkdir(parents=True, exist_ok=True)
    return processes.start_until("here", KILLED, str(history), where, variables={"SCORING_DIR": str(scoring_dir)})


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("where", ["computing", "half written", "written", "before publication", "publishing"])
def test_a_killed_run_changes_nothing_online_and_the_next_one_starts_by_itself(computed, history, settings, where):
    country.load(history)
    online = run_once(history).release
    edition = SearchEdition.objects.get(is_current=True)
    processes.kill(start(history, where, settings.SCORING_DIR))
    online.refresh_from_db()
    assert online.status == ReleaseStatus.CURRENT
    assert SearchEdition.objects.get(is_current=True) == edition
    assert HiringPotential.objects.filter(release=online).exists()
    dead = Run.objects.latest("pk")

    outcome = processes.once_the_lock_is_back(lambda: run_once(history, seed=3))
    assert outcome.published
    dead.refresh_from_db()
    online.refresh_from_db()
    assert online.status == ReleaseStatus.PREVIOUS
    assert Release.objects.get(status=ReleaseStatus.CURRENT) == outcome.release
    if where in {"before publication", "publishing"}:
        # Its computation had ended: its release is whole, and only waits.
        assert (dead.status, dead.release.status) == (RunStatus.SUCCEEDED, ReleaseStatus.READY)
    else:
        assert dead.status == RunStatus.INTERRUPTED
        assert dead.journal.get().reason == "Le processus a été arrêté avant la fin."
        assert dead.release is None or dead.release.status == ReleaseStatus.ABANDONED


@pytest.mark.django_db(transaction=True)
def test_of_two_runs_at_once_the_second_says_so_and_stops(history, settings):
    country.load(history)
    first = start(history, "computing", settings.SCORING_DIR)
    try:
        with pytest.raises(AlreadyRunning, match="déjà en cours"):
            run_once(history)
        with pytest.raises(CommandError) as refused:
            told("refresh_scores", "--history", str(history))
        assert refused.value.returncode == 75
        assert Run.objects.get().status == RunStatus.RUNNING
    finally:
        processes.kill(first)


def test_the_lock_is_given_back_after_a_run(establishments, history):
    run_once(history, dry_run=True)
    with single_run(refreshing.WORK):
        pass
