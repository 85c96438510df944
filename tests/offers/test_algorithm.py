"""The public page about the algorithm: what it reads, what it is worth, how to contest it."""

import itertools
import re

import pytest
from django.urls import reverse
from django.utils.html import strip_tags

from companies.actions.reasons import SENTENCES
from companies.models import Release
from offers.public.algorithm import FAMILIES, MOST_VERSIONS
from tests.companies.potentials import BAKER, NOW, make_establishment, make_jobs, put_online
from tests.offers.measures import MEASURES

pytestmark = pytest.mark.django_db
ADDRESS = "/algorithme/"


@pytest.fixture
def online():
    make_jobs()
    release = put_online([(make_establishment(), BAKER, 2.0)])
    release.policy = {
        "version": "2026-1", "establishment_share": 0.45, "exposed_share": 0.25, "floor_share": 0.6, "zone_floor": 4,
        "zone_ceiling": 400, "least_share": 0.02,
    }  # fmt: skip
    release.measures = MEASURES
    release.save()
    return release


def read(client):
    response = client.get(ADDRESS)
    assert response.status_code == 200
    html = response.content.decode()
    assert "variable inconnue" not in html
    return html, " ".join(strip_tags(html).replace("&nbsp;", " ").replace("\xa0", " ").replace("\u202f", " ").split())


def test_without_a_release_online_the_page_says_so_in_a_sentence(client):
    _, text = read(client)
    assert "Aucune estimation n’est en ligne aujourd’hui" in text
    assert "Aucune version n’a encore été publiée." in text
    assert "Que vaut-elle" not in text


def test_a_release_without_measures_is_not_given_any(client, online):
    Release.objects.update(measures={})
    _, text = read(client)
    assert "publiée le 20 novembre 2026, n’ont pas été conservées" in text
    assert "Que vaut-elle" not in text


def test_the_figures_are_those_of_the_release_online_and_dated(client, online):
    _, text = read(client)
    for said in (
        "publiée le 20 novembre 2026",
        "la période qui va d’octobre 2025 à mars 2026",
        "43 960 établissements, dont 3 470 (8 %) ont signé 6 670 contrats",
        "Parmi les 10 % d’établissements les mieux classés, 40 % ont vraiment recruté en alternance : 5,1 fois plus",
        "Ces 10 % réunissent 51 % des employeurs, et 71 % des contrats",
        "le premier devant dans 85 % des cas",
        "12 920 établissements sur 43 000 (30 %) sont à fort potentiel",
        "parmi les 45 % d’établissements les mieux classés de son bassin",
        "il se trompe de 1,5 point en moyenne",
        "Elles s’arrêtent à octobre 2026, et les 2 derniers mois, incomplets, ne sont pas lus.",
        "Ces établissements font 22 % des employeurs",
        "250 salariés et plus",
    ):
        assert said in text, said
    assert "démonstration" not in text


def test_a_simulated_history_is_never_presented_as_real(client, online):
    Release.objects.update(measures={**MEASURES, "is_simulated": True})
    assert "l’historique des embauches est simulé" in read(client)[1]


def test_each_plot_is_named_and_has_its_table(client, online):
    html, _ = read(client)
    plots = re.findall(r'<figure class="plot[^>]*>.*?</figure>\s*<div class="fr-table', html, flags=re.DOTALL)
    assert len(plots) == html.count("<svg role=") == 3
    assert html.count("<caption>") == html.count("<table") == 6
    assert not re.search(r"<[^>]+\s(style|on\w+)=", html)
    levels = [int(level) for level in re.findall(r"<h([1-6])", html.split("<main")[1].split("</main>")[0])]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    for anchor in re.findall(r'href="#([a-z]+)"', html.split("<main")[1]):
        assert f'id="{anchor}"' in html


def test_every_family_of_data_that_a_reason_may_name_is_published():
    assert {*FAMILIES, "job"} == set(SENTENCES)


def test_it_says_how_to_leave_and_how_to_be_listed(client, online):
    html, text = read(client)
    assert f'href="{reverse("unsubscribe:home")}"' in html
    assert "Une décision humaine passe toujours avant l’algorithme." in text


def test_the_last_versions_are_told_and_no_more_with_the_same_queries(client, online, django_assert_num_queries):
    with django_assert_num_queries(2):
        read(client)
    shop = make_establishment()
    for _ in range(MOST_VERSIONS):
        release = put_online([(shop, BAKER, 2.0)], at=NOW)
    with django_assert_num_queries(2):
        html, text = read(client)
    table = html.split("Dernières versions publiées</caption>")[1]
    assert table.split("</table>")[0].count('<th scope="row"') == MOST_VERSIONS
    assert f"{release} (en ligne)" in text
    assert f"{online} (en ligne)" not in text


def test_the_page_is_kept_by_caches_for_a_while_and_sets_no_cookie(client, online):
    response = client.get(ADDRESS)
    assert response["Cache-Control"] == "public, max-age=300"
    assert not response.cookies
    assert client.post(ADDRESS).status_code == 405
