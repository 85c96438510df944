"""Rows for the tests of releases and of the search: jobs, establishments on a map, a release online."""

import datetime
import itertools
from collections.abc import Iterable
from zoneinfo import ZoneInfo

from companies.actions import hiring_potentials
from companies.enums import DecisionKind
from companies.models import Contact, Establishment, Release, VisibilityDecision
from tests.factories import RomeFactory, VisibilityDecisionFactory, make_siret

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime.datetime(2026, 11, 20, 10, 0, tzinfo=PARIS)
BAKER, COOK, SELLER = "D1102", "G1602", "D1106"
METZ = (49.1193, 6.1757)

_numbers = itertools.count(50_000)


def make_jobs(*codes: str) -> None:
    """The jobs ``codes`` (three of food by default)."""
    for code in codes or (BAKER, COOK, SELLER):
        RomeFactory(code=code, label=f"Métier {code}")


def make_establishments(points: Iterable[tuple[float, float]], *, with_phone: bool = True) -> list[Establishment]:
    """Open, diffusible employers at these points (degrees), in order."""
    made = Establishment.objects.bulk_create(
        [
            Establishment(siret=make_siret(n), name=f"Maison {n}", latitude=latitude, longitude=longitude)
            for n, (latitude, longitude) in zip(_numbers, points, strict=False)
        ]
    )
    if with_phone:
        Contact.objects.bulk_create(
            [Contact(siret=each.siret, phone="+33199000001", source="test", imported_at=NOW) for each in made]
        )
    return made


def make_establishment(latitude: float = METZ[0], longitude: float = METZ[1], **kept) -> Establishment:
    return make_establishments([(latitude, longitude)], **kept)[0]


def make_release(rows, *, at: datetime.datetime = NOW) -> Release:
    """A release ready to be published, of ``(establishment, rome_code, expected)`` rows."""
    release = hiring_potentials.begin_release(policy={"minimum": 0.1}, origin="test", at=at)
    hiring_potentials.write_potentials(release=release, rows=[(e.siret, code, number) for e, code, number in rows])
    return hiring_potentials.finish_release(release=release, at=at)


def put_online(rows, *, at: datetime.datetime = NOW) -> Release:
    """The same, online."""
    return hiring_potentials.publish(release_id=make_release(rows, at=at).pk, by=None, at=at)


def hide(establishment: Establishment, *, at: datetime.datetime = NOW, **fields) -> VisibilityDecision:
    """Delists it, just before ``at``."""
    return VisibilityDecisionFactory(
        **{"value": establishment.siret, "starts_at": at - datetime.timedelta(seconds=1), **fields}
    )


def list_by_hand(establishment: Establishment, *codes: str, at: datetime.datetime = NOW) -> VisibilityDecision:
    """What support decides when an establishment asks to be found."""
    return hide(establishment, at=at, kind=DecisionKind.LISTED, rome_codes=list(codes), reason="requested_listing")
