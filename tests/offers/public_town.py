"""A small town for the tests of the public pages: jobs, places, bakeries that the search finds."""

import itertools

from django.utils import timezone

from companies.actions import hiring_potentials
from companies.models import Establishment
from tests import factories

BAKER, COOK, MECHANIC, DEVELOPER = "D1102", "G1602", "I1604", "M1805"
_JOBS = {
    BAKER: ("Boulanger / Boulangère", ["Boulanger / Boulangère", "Boulanger pâtissier / Boulangère pâtissière"]),
    COOK: ("Cuisinier / Cuisinière", ["Cuisinier / Cuisinière"]),
    MECHANIC: ("Mécanicien / Mécanicienne automobile", ["Mécanicien / Mécanicienne automobile"]),
    DEVELOPER: ("Développeur / Développeuse informatique", ["Développeur / Développeuse web"]),
}
_numbers = itertools.count(1)


def build_references() -> None:
    """Four jobs, three communes."""
    for code, (label, appellations) in _JOBS.items():
        rome = factories.RomeFactory(code=code, label=label)
        for appellation in appellations:
            factories.RomeAppellationFactory(rome=rome, label=appellation)
    factories.CommuneFactory()
    factories.CommuneFactory(
        code="57480",
        name="Montigny-lès-Metz",
        postcodes=["57950"],
        population=22_000,
        latitude=49.0956,
        longitude=6.1526,
    )
    factories.CommuneFactory(
        code="57672", name="Thionville", postcodes=["57100"], population=42_000, latitude=49.3579, longitude=6.1683
    )


def build_town(*, bakeries: int) -> list[Establishment]:
    """``bakeries`` within some kilometres of Metz, each with a telephone, online for the job of baker."""
    build_references()
    town = []
    for n in range(bakeries):
        siret = factories.make_siret(next(_numbers))
        factories.ContactFactory(siret=siret, email=f"fournil{n}@example.fr", phone=f"+3319900{n:04d}")
        town.append(
            factories.EstablishmentFactory(
                siret=siret,
                name=f"BOULANGERIE DU PONT {n + 1}",
                latitude=49.1193 + 0.003 * (n % 5),
                longitude=6.1757 + 0.004 * (n // 5),
            )
        )
    put_online([(found, BAKER) for found in town])
    return town


def put_online(pairs: list[tuple[Establishment, str]]) -> None:
    """Publishes a release that holds these pairs and no other."""
    at = timezone.now()
    release = hiring_potentials.begin_release(policy={}, origin="test", at=at)
    hiring_potentials.write_potentials(release=release, rows=[(found.siret, code, 0.8) for found, code in pairs])
    hiring_potentials.finish_release(release=release, at=at)
    hiring_potentials.publish(release_id=release.pk, by=None, at=at)
