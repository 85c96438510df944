"""What support sees of the runs, and its two buttons."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from companies import tasks
from companies.enums import ReleaseStatus
from companies.models import Release
from scoring.actions import refresh as refreshing
from scoring.enums import RunStatus
from scoring.models import Run
from tests.scoring import country

pytestmark = pytest.mark.django_db

RUNS = "/admin/scoring/run/"


@pytest.fixture
def run(computed, history):
    country.load(history)
    return refreshing.refresh(history=history, by=None, at=country.NOW, seed=1, publish=False).run


def test_a_run_shows_its_figures_its_verdicts_and_its_plots(office, run):
    page = office.get(f"{RUNS}{run.pk}/change/").content.decode()
    for words in ("ROC-AUC", "moindres carrés", "fraîcheur", "sélectivité", "Mettre en ligne", "apprentissage 2023-11"):
        assert words in page
    assert page.count("<svg") >= 2
    plots = page[page.index("<svg role") :]
    assert "style=" not in plots[: plots.index("</svg>")]
    assert "pas pire dans le département" not in page
    assert "Remettre la livraison précédente" not in page


def test_a_run_without_figures_has_a_page_too(office):
    run = Run.objects.create(
        status=RunStatus.REFUSED, started_at=country.NOW, finished_at=country.NOW, history="h", seed=1, refusal="Vide."
    )
    page = office.get(f"{RUNS}{run.pk}/change/")
    assert page.status_code == 200
    assert "Vide." in page.content.decode()
    assert "Mettre en ligne" not in page.content.decode()


def test_the_list_has_the_same_number_of_queries_with_one_run_and_with_three(office, django_assert_num_queries):
    def add():
        release = Release.objects.create(origin="essai", begun_at=country.NOW, written_at=country.NOW)
        Run.objects.create(started_at=country.NOW, history="h", seed=1, release=release)

    add()
    with CaptureQueriesContext(connection) as one:
        office.get(RUNS)
    add()
    add()
    with django_assert_num_queries(len(one)):
        office.get(RUNS)


def test_support_publishes_with_a_reason_and_rolls_back(office, support, run, history):
    refused = office.post(f"{RUNS}{run.pk}/publish/", {"reason": ""})
    assert "obligatoire" in refused.content.decode()
    assert Release.objects.get().status == ReleaseStatus.READY
    assert office.post(f"{RUNS}{run.pk}/publish/", {"reason": "Relu.", "typed": str(run.release)}).status_code == 302
    tasks.publish_asked()
    run.release.refresh_from_db()
    assert run.release.status == ReleaseStatus.CURRENT
    line = run.release.journal.latest("pk")
    assert (line.by, line.reason) == (support, "Relu.")

    second = refreshing.refresh(history=history, by=None, at=country.NOW, seed=2).run
    assert (
        office.post(f"{RUNS}{second.pk}/roll_back/", {"reason": "Plaintes.", "typed": str(second.release)}).status_code
        == 302
    )
    run.release.refresh_from_db()
    assert run.release.status == ReleaseStatus.CURRENT


def test_a_roll_back_without_a_former_release_is_told(office, run):
    office.post(f"{RUNS}{run.pk}/publish/", {"reason": "Relu.", "typed": str(run.release)})
    tasks.publish_asked()
    answer = office.post(f"{RUNS}{run.pk}/roll_back/", {"reason": "Plaintes.", "typed": str(run.release)})
    assert "Aucune livraison précédente" in answer.content.decode()


def test_a_run_cannot_be_edited_deleted_or_added(office, run):
    assert office.get(f"{RUNS}add/").status_code == 403
    assert office.get(f"{RUNS}{run.pk}/delete/").status_code == 403
    office.post(f"{RUNS}{run.pk}/change/", {"status": "failed"})
    assert Run.objects.get().status == RunStatus.SUCCEEDED


def test_nobody_else_comes_in(client):
    assert client.get(RUNS).status_code == 302
