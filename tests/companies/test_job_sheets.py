"""The sheet of a job as an offer takes it."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from companies.actions.job_sheets import MOST_KNOWLEDGE, MOST_SKILLS, UnknownJob, sheet_of
from companies.models import Rome, RomeAppellation, RomeItem
from tests.companies.sample_source import load
from tests.factories import RomeAppellationFactory, RomeFactory

pytestmark = pytest.mark.django_db


def item(ogr, label, *, kind="skill", core=False, category="Technique"):
    RomeItem.objects.create(rome_id="D1102", kind=kind, ogr=ogr, label=label, category=category, is_core=core)


@pytest.fixture
def baker():
    return RomeFactory()


def test_the_core_of_the_job_comes_first_then_what_is_its_own(baker):
    item(5, "Encaisser")
    item(1, "Être rigoureux", category="Transverse")
    item(4, "Pétrir", core=True)
    item(2, "Travailler proprement", core=True, category="Transverse")
    item(3, "Cuire", core=True, category="Technique expert")
    assert sheet_of(rome_code="D1102").skills == [
        "Cuire", "Pétrir", "Travailler proprement", "Encaisser", "Être rigoureux",
    ]  # fmt: skip


def test_it_is_bounded(baker):
    for n in range(40):
        item(n, f"Compétence {n}", core=n >= 30)
        item(n, f"Savoir {n}", kind="knowledge")
    sheet = sheet_of(rome_code="D1102")
    assert (len(sheet.skills), len(sheet.knowledge)) == (MOST_SKILLS, MOST_KNOWLEDGE)
    assert sheet.skills[:10] == [f"Compétence {n}" for n in range(30, 40)]


def test_a_diploma_is_no_knowledge_to_have(baker):
    item(1, "CAP boulanger", kind="knowledge", core=True, category="Certifications et habilitations")
    item(2, "Chaîne du froid", kind="knowledge", category="Normes et procédés")
    assert sheet_of(rome_code="D1102").knowledge == ["Chaîne du froid"]


def test_a_title_gives_the_sheet_of_its_job_under_its_own_name(baker):
    title = RomeAppellationFactory(rome=baker, label="Tourier / Tourière")
    sheet = sheet_of(appellation_ogr=title.ogr)
    assert (sheet.rome, sheet.appellation, sheet.label) == (baker, title, "Tourier / Tourière")
    assert sheet.definition == baker.definition
    assert sheet_of(rome_code="D1102").appellation is None


@pytest.mark.parametrize("asked", [{"appellation_ogr": 1}, {"appellation_ogr": 2**40}, {"rome_code": "Z9999"}, {}])
def test_an_unknown_job_is_told(asked):
    with pytest.raises(UnknownJob):
        sheet_of(**asked)


def check_every_sheet():
    for rome in Rome.objects.all():
        sheet = sheet_of(rome_code=rome.code)
        assert sheet.definition, rome
        assert 1 <= len(sheet.skills) <= MOST_SKILLS, rome
        assert len(sheet.knowledge) <= MOST_KNOWLEDGE, rome
        assert len(set(sheet.skills)) == len(sheet.skills), rome
        assert all(0 < len(label) <= 500 for label in sheet.skills + sheet.knowledge)
        core = set(RomeItem.objects.filter(rome=rome, kind="skill", is_core=True).values_list("label", flat=True))
        first = [label in core for label in sheet.skills]
        assert first == sorted(first, reverse=True), rome
        assert sum(first) == min(len(core), MOST_SKILLS), rome


def test_every_job_of_the_sample_has_a_sheet():
    load()
    check_every_sheet()
    title = RomeAppellation.objects.filter(rome="D1102").first()
    with CaptureQueriesContext(connection) as seen:
        sheet_of(appellation_ogr=title.ogr)
    assert len(seen) == 2
