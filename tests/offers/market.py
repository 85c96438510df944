"""What the tests of the market share: moments in Paris, a job with its sheet, two things done at the same moment."""

import datetime as dt
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from zoneinfo import ZoneInfo

import pytest
from django.db import connection

from companies.enums import RomeItemKind
from companies.models import RomeItem
from offers.actions.offers import OfferFields
from tests.factories import RomeAppellationFactory, RomeFactory

PARIS = ZoneInfo("Europe/Paris")
AT = dt.datetime(2026, 11, 23, 9, 30, tzinfo=PARIS)
SKILLS = ["Pétrir une pâte", "Conduire une cuisson", "Façonner des pains"]
KNOWLEDGE = ["Normes d’hygiène", "Types de farine"]


def paris(*moment: int) -> dt.datetime:
    return dt.datetime(*moment, tzinfo=PARIS)


def baker():
    """The title of a job whose sheet lists three skills and two pieces of knowledge."""
    appellation = RomeAppellationFactory(rome=RomeFactory())
    for kind, labels in ((RomeItemKind.SKILL, SKILLS), (RomeItemKind.KNOWLEDGE, KNOWLEDGE)):
        for n, label in enumerate(labels):
            RomeItem.objects.get_or_create(rome=appellation.rome, kind=kind, ogr=100 + n, defaults={"label": label})
    return appellation


def fields(job, **given) -> OfferFields:
    """The least that a recruiter says, for a job that starts in twenty days."""
    return OfferFields(**{"appellation_ogr": job.pk, "starts_on": (AT + dt.timedelta(days=20)).date(), **given})


def new_key() -> uuid.UUID:
    return uuid.uuid4()


def together(*acts: Callable[[], object]) -> list:
    """What each of ``acts`` gives, or the exception that it raises, when all start at the same moment."""
    start = Barrier(len(acts))

    def run(act):
        try:
            start.wait(60)
            return act()
        except Exception as fault:
            return fault
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


@pytest.fixture
def job(db):
    return baker()
