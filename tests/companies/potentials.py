"""Rows for the tests of releases and of the search: jobs, establishments on a map, a release online."""

import datetime
import itertools
from zoneinfo import ZoneInfo

from companies.actions import hiring_potentials
from companies.models import Establishment, Release, Rome

NOW = datetime.datetime(2026, 11, 20, 10, 0, tzinfo=ZoneInfo("Europe/Paris"))
BAKER, COOK, SELLER = "D1102", "G1602", "D1106"
METZ = (49.1193, 6.1757)

_numbers = itertools.count(1)


def make_jobs(*codes: str) -> None:
    """The jobs ``codes`` (three of food by default)."""
    Rome.objects.bulk_create(
        [Rome(code=code, label=f"Métier {code}", domain_code=code[:3]) for code in codes or (BAKER, COOK, SELLER)],
        ignore_conflicts=True,
    )


def make_establishment(latitude: float = METZ[0], longitude: float = METZ[1], **fields) -> Establishment:
    """An open, diffusible establishment of its own company."""
    number = next(_numbers)
    return Establishment.objects.create(
        **{
            "siret": f"{number:09d}00017",
            "name": f"Maison {number}",
            "latitude": latitude,
            "longitude": longitude,
            **fields,
        }
    )


def make_release(rows, *, at: datetime.datetime = NOW) -> Release:
    """A release ready to be published, of ``(establishment, rome_code, expected)`` rows."""
    release = hiring_potentials.begin_release(policy={"minimum": 0.1}, origin="test", at=at)
    hiring_potentials.write_potentials(release=release, rows=[(e.siret, code, number) for e, code, number in rows])
    return hiring_potentials.finish_release(release=release, at=at)


def put_online(rows, *, at: datetime.datetime = NOW) -> Release:
    """The same, online."""
    return hiring_potentials.publish(release_id=make_release(rows, at=at).pk, by=None, at=at)
