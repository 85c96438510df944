"""The page of an establishment: what it says, and that it is gone from the second of the decision."""

import datetime as dt
import re

import pytest
from django.urls import reverse
from django.utils import timezone

from companies.actions import visibility
from companies.enums import Channel, DecisionOrigin, DecisionReason
from companies.models import Establishment
from tests import factories
from tests.offers.public_town import BAKER, COOK, build_town, put_online

pytestmark = pytest.mark.django_db


def address(establishment):
    return reverse("offers:establishment", args=[establishment.siret])


def decide(action, establishment, **more):
    return action(
        scope="siret", value=establishment.siret, by=None, at=timezone.now(), reason=DecisionReason.OTHER,
        origin=DecisionOrigin.SUPPORT, **more,
    )  # fmt: skip


@pytest.fixture
def bakery():
    return build_town(bakeries=1)[0]


def test_it_says_why_what_where_and_how(client, bakery):
    put_online([(bakery, BAKER), (bakery, COOK)])
    html = client.get(address(bakery)).content.decode()
    for expected in (
        bakery.name, "Fort potentiel d’embauche", "Boulanger / Boulangère", "Cuisinier / Cuisinière", "ces métiers",
        "10 à 19 salariés", "Boulangerie et boulangerie-pâtisserie", "1 PLACE D&#x27;ARMES", "57000 Metz",
        'href="tel:+33199000000"', "01 99 00 00 00", "candidature spontanée",
    ):  # fmt: skip
        assert expected in html
    assert "variable inconnue" not in html


def test_the_e_mail_is_never_shown(client, bakery):
    assert "fournil0" not in client.get(address(bakery)).content.decode()


def test_a_hidden_telephone_is_not_shown_from_that_second(client, bakery):
    decide(visibility.hide_channel, bakery, channel=Channel.PHONE)
    html = client.get(address(bakery)).content.decode()
    assert "Non communiqué" in html
    assert "01 99 00" not in html


def test_delisted_it_is_gone_from_that_second(client, bakery):
    assert client.get(address(bakery)).status_code == 200
    decide(visibility.delist, bakery)
    response = client.get(address(bakery))
    assert response.status_code == 410
    assert bakery.name not in response.content.decode()
    assert "n’est plus proposée" in response.content.decode()


def test_paused_it_comes_back_by_itself(client, bakery):
    import time_machine as clock

    decide(visibility.pause, bakery, ends_on=timezone.localdate() + dt.timedelta(days=7))
    assert client.get(address(bakery)).status_code == 410
    with clock.travel(timezone.now() + dt.timedelta(days=9)):
        assert client.get(address(bakery)).status_code == 200


@pytest.mark.parametrize("change", [{"is_diffusible": False}, {"closed_on": dt.date(2020, 1, 1)}])
def test_closed_or_non_diffusible_it_is_gone(client, bakery, change):
    Establishment.objects.filter(pk=bakery.pk).update(**change)
    assert client.get(address(bakery)).status_code == 410


def test_without_potential_there_is_no_page(client):
    assert client.get(address(factories.EstablishmentFactory())).status_code == 404


def test_it_is_gone_where_a_former_release_showed_it(client, bakery):
    other = factories.EstablishmentFactory(siret=factories.make_siret(90_000))
    put_online([(other, BAKER)])
    assert client.get(address(bakery)).status_code == 410
    assert client.get(address(other)).status_code == 200


def test_delisted_before_it_was_ever_shown_it_is_not_found(client):
    establishment = factories.EstablishmentFactory()
    decide(visibility.delist, establishment)
    assert client.get(address(establishment)).status_code == 404


@pytest.mark.parametrize(
    "siret", ["0" * 14, "1234567890123", "123456789012345", "1234567890123a", "１２３４５６７８９０１２３４"]
)
def test_an_unknown_or_wrong_number_is_not_found(client, siret):
    assert client.get(f"/etablissement/{siret}/").status_code == 404


def test_head_is_answered_and_nothing_is_kept(client, bakery):
    response = client.head(address(bakery))
    assert response.status_code == 200
    assert "no-cache" in response["Cache-Control"]
    assert not response.cookies
    assert client.post(address(bakery)).status_code == 405


def test_the_way_back_is_only_offered_to_a_search_of_ours(client, bakery):
    assert "Retour aux résultats" not in client.get(address(bakery)).content.decode()
    html = client.get(address(bakery) + "?metier=Boulanger&lieu=Metz").content.decode()
    assert 'href="/recherche/?metier=Boulanger&amp;lieu=Metz"' in html
    assert "Retour" not in client.get(address(bakery) + "?metier=" + "a" * 3000).content.decode().split("<h1")[0]


def test_it_leads_to_the_search_of_its_job_around_it(client, bakery):
    put_online([(bakery, BAKER), (bakery, COOK)])
    html = client.get(address(bakery) + f"?romes={COOK}").content.decode()
    others = re.search(r'href="(/recherche/[^"]+)">Voir d’autres', html)[1].replace("&amp;", "&")
    assert f"romes={COOK}&" in others
    assert bakery.name in client.get(others).content.decode()


def test_it_costs_few_queries(client, bakery, django_assert_max_num_queries):
    with django_assert_max_num_queries(6):
        client.get(address(bakery))


def test_the_job_that_was_asked_for_is_read_first(client, bakery):
    put_online([(bakery, BAKER), (bakery, COOK)])
    html = client.get(address(bakery) + f"?romes={COOK}").content.decode()
    assert html.index("Cuisinier / Cuisinière") < html.index("Boulanger / Boulangère")


def test_listed_at_its_own_request_nothing_is_said_of_its_potential(client, bakery):
    newcomer = factories.EstablishmentFactory(
        siret=factories.make_siret(9001), name="FOURNIL NEUF", latitude=bakery.latitude, longitude=bakery.longitude
    )
    visibility.list_establishment(
        siret=newcomer.siret, rome_codes=[COOK], by=None, at=timezone.now(),
        reason=DecisionReason.REQUESTED_LISTING, origin=DecisionOrigin.SUPPORT,
    )  # fmt: skip
    page = client.get(address(newcomer)).content.decode()
    assert "Souhaite recruter en alternance" in page
    assert "Cuisinier / Cuisinière" in page
    assert "potentiel" not in page.lower().split("<main")[1].split("</main")[0]
    results = client.get(reverse("offers:search"), {"metier": "Cuisinier", "lieu": "Metz"}).content.decode()
    assert "FOURNIL NEUF" in results
    assert "Souhaite recruter en alternance" in results
