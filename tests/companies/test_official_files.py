"""The official files of ``DATA_DIR``: read once, then counted, suggested from, shown as sheets."""

from pathlib import Path

import pandas as pd
import pytest
from django.conf import settings
from django.db import transaction

from companies.models import Commune, Idcc, Naf, NafRomeShare, Opco, Rome, RomeAppellation, RomeItem, RomeMobility
from scoring import demo
from scoring.actions.sources import simulation_references
from scoring.pipeline.simulate import simulate
from scoring.pipeline.simulated_country import World
from tests.companies.sample_source import load
from tests.companies.test_job_sheets import check_every_sheet
from tests.companies.test_suggestions import JOBS, PLACES, first_jobs, first_places, place
from tests.scoring.country import AS_OF

pytestmark = [
    pytest.mark.official_data,
    pytest.mark.django_db,
    pytest.mark.skipif(not settings.DATA_DIR, reason="no official files here (DATA_DIR)"),
]


@pytest.fixture(scope="module")
def report(django_db_setup, django_db_blocker):
    """What was told when they were read; the tables hold them until the last test."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield load(Path(str(settings.DATA_DIR)))
        transaction.set_rollback(True)


def test_they_are_read_whole(report):
    assert Rome.objects.count() == 1584
    assert RomeAppellation.objects.count() == 13_120
    assert Naf.objects.count() == 732
    assert RomeItem.objects.count() == 104_219
    assert RomeMobility.objects.count() == 14_912
    assert Commune.objects.count() == 35_014
    assert Commune.objects.filter(latitude=None).count() == 81
    assert (Opco.objects.count(), Idcc.objects.count()) == (11, 330)
    assert [fault.file for fault in report.faults] == ["opco/idcc_opco.csv"] * 3, "three branches have no number"
    assert not Rome.objects.filter(definition="").exists()
    assert NafRomeShare.objects.values("naf").distinct().count() == 732
    assert NafRomeShare.objects.get(naf="1071C", rome="D1102").share > 0.25
    assert "''" not in "".join(Rome.objects.values_list("definition", flat=True))


@pytest.mark.usefixtures("report")
def test_what_people_type_gives_the_right_job_and_place_first():
    assert first_jobs() == {text: [code] for text, code in JOBS.items()}
    assert first_places() == {text: [label] for text, label in PLACES.items()}
    assert place("Bellegarde-sur-Valserine").label == "Valserhône (01200)", "a former name"


@pytest.mark.usefixtures("report")
def test_every_job_has_a_sheet():
    assert Rome.objects.count() > 1500
    check_every_sheet()


@pytest.mark.usefixtures("report")
def test_the_demo_s_establishments_make_real_towns_where_visitors_look(tmp_path):
    world = World(size=demo.USUAL_SIZE, seed=demo.SEED, as_of=AS_OF, months=36, gathered=demo.GATHERED)
    simulate(world, simulation_references(), tmp_path)
    drawn = pd.read_parquet(tmp_path / "establishments.parquet")
    communes = drawn["codeCommuneEtablissement"]
    bakeries = communes[drawn["activitePrincipaleEtablissement"] == "10.71C"]
    assert (bakeries.str.startswith("57")).sum() > 40
    assert communes[communes.str.startswith("57")].nunique() > 150, "its villages too"
    assert communes.str[:2].nunique() > 90, "and the country beyond"
