"""The results page: what it finds, what it says of a question it can't read, and what it costs."""

import json
import re
from datetime import date, timedelta
from urllib.parse import parse_qsl

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from companies.models import Rome, RomeMobility
from labonnealternance.kit.text import clean_line
from offers.models import Offer
from offers.public import questions, views
from tests.factories import OfferFactory
from tests.offers.public_town import BAKER, COOK, build_references, build_town

pytestmark = pytest.mark.django_db


def ask(client, **parameters):
    response = client.get(reverse("offers:search"), parameters)
    assert response.status_code == 200
    html = response.content.decode()
    assert "variable inconnue" not in html
    assert html.count("<h1") == 1
    return html.replace("\u00a0", " ").replace("&nbsp;", " ").replace("\u202f", " ")


METZ = {"metier": "Boulanger", "lieu": "Metz", "rayon": "30"}


def test_results_say_who_where_how_far_how_large_and_the_potential_in_words(client):
    build_town(bakeries=1)
    html = ask(client, **METZ)
    assert "1 entreprise " in html
    assert "BOULANGERIE DU PONT 1" in html
    assert "Metz (57000), à moins de 1 km" in html
    assert "10 à 19 salariés" in html
    assert "Boulangerie et boulangerie-pâtisserie" in html
    assert "Fort potentiel d’embauche" in html


def test_several_are_counted_in_the_plural(client):
    build_town(bakeries=3)
    assert "3 entreprises" in ask(client, **METZ)


def test_no_way_to_reach_a_person_is_on_the_results(client):
    build_town(bakeries=2)
    html = ask(client, **METZ)
    assert "@example.fr" not in html
    assert "01 99 00" not in html


def test_pages_follow_each_other_without_losing_anyone(client):
    build_town(bakeries=23)
    first, second = ask(client, **METZ), ask(client, **METZ, page="2")
    names = [set(re.findall(r"BOULANGERIE DU PONT \d+", html)) for html in (first, second)]
    assert len(names[0]) == 20
    assert len(names[1]) == 3
    assert not names[0] & names[1]
    assert "page=2" in first
    assert 'aria-current="page" title="Page 2"' in second
    assert ": 23 entreprises, page 2 – La bonne alternance</title>" in second


def test_a_page_after_the_last_shows_the_last_and_says_so(client):
    build_town(bakeries=23)
    for page in ("3", "999", "9" * 400):
        html = ask(client, **METZ, page=page)
        assert "voici la dernière, la page 2" in html
        assert 'aria-current="page" title="Page 2"' in html


@pytest.mark.parametrize("page", ["abc", "-1", "0", "1.5", "²", "１", "1e3", " "])
def test_a_page_that_is_no_number_shows_the_first_and_says_so(client, page):
    build_references()
    assert "voici la première" in ask(client, **METZ, page=page)


@pytest.mark.parametrize(
    ("radius", "taken"),
    [("7", 10), ("0", 10), ("-5", 10), ("25", 30), ("50", 60), ("1000000", 100), ("10.5", 10), ("1e2", 100)],
)
def test_a_distance_out_of_the_list_is_rounded_to_the_nearest(client, radius, taken):
    build_references()
    html = ask(client, **METZ | {"rayon": radius})
    assert f'<option value="{taken}" selected>' in html
    assert ("Cette distance n’est pas proposée" in html) == (radius != "1e2")


@pytest.mark.parametrize("radius", ["abc", "nan", "inf", "1" * 5000, "10 km"])
def test_a_distance_that_is_no_number_becomes_30_km_and_says_so(client, radius):
    build_references()
    html = ask(client, **METZ | {"rayon": radius})
    assert "pas un nombre" in html
    assert '<option value="30" selected>' in html


@pytest.mark.parametrize("parameters", [{}, {"utm_source": "affiche"}, {"rayon": "30"}])
def test_an_address_that_asks_nothing_shows_the_form_without_reproach(client, parameters):
    html = ask(client, **parameters)
    assert "Quel métier, et où ?" in html
    assert "fr-error-text" not in html


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"lieu": "Metz"}, "Indiquez un métier."),
        ({"metier": "Boulanger"}, "Indiquez une commune ou un code postal."),
        ({"metier": "zzzzqqqq", "lieu": "Metz"}, "Nous ne connaissons pas ce métier."),
        ({"metier": "Boulanger", "lieu": "zzzzqqqq"}, "Nous ne connaissons pas ce lieu."),
        ({"metier": "b" * 5000, "lieu": "Metz"}, "Le métier est trop long"),
        ({"metier": "Boulanger", "lieu": "m" * 5000}, "Le lieu est trop long"),
        ({"romes": "Z9999", "lieu": "Metz"}, "Indiquez un métier."),
        ({"romes": "'; DROP TABLE", "lieu": "Metz"}, "Indiquez un métier."),
        ({"romes": BAKER, "code": "00000"}, "Indiquez une commune"),
        ({"romes": BAKER, "lat": "abc", "lon": "6"}, "Indiquez une commune"),
        ({"romes": BAKER, "lat": "nan", "lon": "6"}, "Indiquez une commune"),
        ({"romes": BAKER, "lat": "1e400", "lon": "6"}, "Indiquez une commune"),
    ],
)
def test_what_is_not_understood_is_told_beside_its_field(client, parameters, sentence):
    build_references()
    html = ask(client, **parameters)
    assert f"{sentence}"[:30] in html
    assert 'aria-invalid="true"' in html
    assert "variable" not in html


def test_what_was_typed_is_never_lost_nor_run(client):
    build_references()
    html = ask(client, metier='<script>alert("1")</script>', lieu="Metz")
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;" in html
    assert 'value="Metz"' in html


def test_invisible_characters_are_left_out(client):
    build_town(bakeries=1)
    assert "1 entreprise " in ask(client, metier="Boulanger\u200b \t / Boulangère\u202e", lieu=" Metz\x07")


def test_a_nul_is_a_bad_request(client):
    assert client.get("/recherche/?metier=a%00b&lieu=Metz").status_code == 400
    assert client.get("/suggestions/metiers/?q=a%00b").status_code == 400


@pytest.mark.parametrize("path", ["/recherche/?metier=%ff%fe&lieu=%c3", "/recherche/?" + "metier=a&" * 500])
def test_a_broken_address_is_no_error_of_ours(client, path):
    build_references()
    assert client.get(path).status_code in {200, 400}


def test_a_text_close_to_a_job_is_answered_and_the_others_are_offered(client):
    build_town(bakeries=1)
    html = ask(client, metier="boulang", lieu="Metz")
    assert "1 entreprise " in html
    assert "Boulanger pâtissier / Boulangère pâtissière" in html
    assert "Vous cherchiez un autre" in html


def test_the_choices_of_the_address_win_over_a_guess(client):
    build_town(bakeries=1)
    html = ask(client, metier="Mon métier", romes=BAKER, lieu="Chez moi", code="57463")
    assert "1 entreprise " in html
    assert "Vous cherchiez un autre" not in html


def test_a_point_of_the_map_is_a_place(client):
    build_town(bakeries=1)
    html = ask(client, romes=BAKER, lat="49.12", lon="6.17")
    assert "près de la position choisie" in html
    assert "1 entreprise " in html
    assert 'name="lat" value="49.12"' in html


def test_nothing_near_widens_the_search_and_says_so(client):
    build_town(bakeries=1)
    html = ask(client, metier="Boulanger", lieu="Thionville", rayon="10")
    assert "Rien à moins de 10 km : nous avons élargi la recherche à 30 km." in html
    assert "1 entreprise " in html


def follow(html, words):
    """The address of the link of these words, as the query of another search."""
    return dict(parse_qsl(re.search(rf'href="\?([^"]*)"[^>]*>{re.escape(words)}<', html)[1].replace("&amp;", "&")))


def test_nothing_at_all_says_how_far_it_was_sought_and_leads_to_near_jobs(client):
    build_town(bakeries=1)
    RomeMobility.objects.create(rome_id=COOK, target_id=BAKER, position=1)
    html = ask(client, metier="Cuisinier", lieu="Metz")
    assert "Aucun résultat" in html
    assert "à moins de 100 km" in html
    assert "1 entreprise " in ask(client, **follow(html, "Boulanger / Boulangère"))


def test_few_results_lead_to_the_next_distance_and_to_near_jobs(client):
    build_town(bakeries=1)
    RomeMobility.objects.create(rome_id=BAKER, target_id=COOK, position=1)
    html = ask(client, **METZ)
    assert follow(html, "Élargir à 60 km")["rayon"] == "60"
    assert follow(html, "Cuisinier / Cuisinière")["romes"] == COOK
    assert "Élargir" not in ask(client, **METZ | {"rayon": "100"})


def test_many_results_lead_nowhere_else(client):
    build_town(bakeries=views.FEW)
    html = ask(client, **METZ)
    assert "Élargir" not in html
    assert "métiers proches" not in html


def test_each_filter_is_told_above_the_results_and_left_out_alone(client):
    build_town(bakeries=1)
    html = ask(client, **METZ, genre="entreprises", debut="3")
    assert follow(html, "Entreprises à contacter")["debut"] == "3"
    without = follow(html, "Début : d’ici trois mois")
    assert without["genre"] == "entreprises"
    assert "debut" not in without


def test_no_link_of_the_page_holds_an_empty_filter(client):
    build_town(bakeries=23)
    html = ask(client, **METZ, genre="entreprises", niveau="", contrat="", debut="", tri="", romes="", code="")
    queries = re.findall(r'href="[^"]*\?([^"]*)"', html)
    assert len(queries) > 20
    assert [query for query in queries if re.search(r"=(&|$)", query)] == []


def test_what_is_not_understood_is_the_page_s_title_and_where_one_types(client):
    build_references()
    html = ask(client, metier="", lieu="")
    assert "<title>Erreur : précisez votre recherche" in html
    assert re.search(r'id="metier"[^>]* autofocus', html)
    assert html.count("autofocus") == 1
    assert re.search(r'id="lieu"[^>]* autofocus', ask(client, metier="Boulanger", lieu=""))


def test_the_map_has_the_points_of_the_list_and_calls_nobody(client, settings):
    build_town(bakeries=3)
    html = client.get(reverse("offers:search"), METZ).content.decode()
    points = json.loads(re.search(r'<script id="points" type="application/json">(.*?)</script>', html)[1])
    assert [point["number"] for point in points["points"]] == ["1", "2", "3"]
    assert points["tiles"] == ""
    settings.MAP_TILES_URL = "https://tuiles.exemple.fr/{z}/{x}/{y}.png"
    assert b"tuiles.exemple.fr" in client.get(reverse("offers:search"), METZ).content


def test_a_result_leads_to_the_page_and_the_page_leads_back(client):
    build_town(bakeries=1)
    html = client.get(reverse("offers:search"), METZ).content.decode()
    address = re.search(r'href="(/etablissement/[^"]+)"', html)[1].replace("&amp;", "&")
    page = client.get(address).content.decode()
    back = re.search(r'href="(/recherche/[^"]+)"', page)[1].replace("&amp;", "&")
    assert "1 entreprise" in client.get(back).content.decode()


def test_some_results_and_twenty_cost_the_same_queries_and_few_one_more(client):
    build_town(bakeries=1)
    written = {
        "metier": "Boulanger / Boulangère",
        "romes": BAKER,
        "lieu": "Metz (57000)",
        "code": "57463",
        "rayon": "10",
    }
    with CaptureQueriesContext(
        connection,
    ) as one:
        ask(client, **written)
    build_town(bakeries=views.FEW)
    with CaptureQueriesContext(connection) as some:
        ask(client, **written)
    build_town(bakeries=25)
    with CaptureQueriesContext(connection) as twenty:
        html = ask(client, **written)
    assert html.count("Fort potentiel d’embauche") == 20
    assert len(twenty) == len(some) == len(one) - 1
    assert len(twenty) <= 10


def test_results_are_kept_by_no_cache_and_open_no_session(client):
    build_town(bakeries=1)
    response = client.get(reverse("offers:search"), METZ)
    assert "no-cache" in response["Cache-Control"]
    assert "private" in response["Cache-Control"]
    assert not response.cookies
    assert client.head(reverse("offers:search"), METZ).status_code == 200
    assert client.post(reverse("offers:search"), METZ).status_code == 405


def test_suggestions_are_short_public_and_cacheable(client):
    build_references()
    response = client.get(reverse("offers:suggest_jobs"), {"q": "boulang"})
    suggestions = response.json()["suggestions"]
    assert {"label": "Boulanger / Boulangère", "value": BAKER} in suggestions
    assert len(suggestions) <= 10
    assert "public" in response["Cache-Control"]
    places = client.get(reverse("offers:suggest_places"), {"q": "57000"}).json()["suggestions"]
    assert places[0]["value"] == "57463"


@pytest.mark.parametrize("name", ["offers:suggest_jobs", "offers:suggest_places"])
@pytest.mark.parametrize("text", ["", "a", "x" * 5000, "%", "\\", "'", "((", "\u202e", "😀😀"])
def test_suggestions_answer_whatever_is_typed(client, name, text):
    build_references()
    response = client.get(reverse(name), {"q": text})
    assert response.status_code == 200
    assert isinstance(response.json()["suggestions"], list)


def test_cleaning_keeps_what_people_type():
    assert clean_line("  Développeur\u00a0C++ \n web ") == "Développeur C++ web"


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("Metz (57000)", "près de Metz (57000)"),
        ("Ajaccio (20000)", "près d’Ajaccio (20000)"),
        ("Épinal (88000)", "près d’Épinal (88000)"),
        ("Le Mans (72000)", "près du Mans (72000)"),
        ("Les Abymes (97139)", "près des Abymes (97139)"),
        ("La Rochelle (17000)", "près de La Rochelle (17000)"),
        ("L'Isle-Adam (95290)", "près de L'Isle-Adam (95290)"),
    ],
)
def test_a_place_is_said_as_french_elides_it(place, said):
    assert views._near(place) == said


def test_the_nearest_come_first_when_asked(client):
    build_town(bakeries=12)
    html = ask(client, **METZ, tri="distance")
    distances = [float(km.replace(",", ".")) for km in re.findall(r"à (\d+(?:,\d)?) km</p>", html)]
    assert distances == sorted(distances)
    assert "tri=distance" in html
    assert "Trier par" in html


class TestOffers:
    @pytest.fixture
    def offer(self):
        build_town(bakeries=1)
        return OfferFactory(
            rome=Rome.objects.get(code=BAKER),
            custom_title="Apprenti boulanger",
            level="3",
            starts_on=timezone.localdate() + timedelta(days=20),
            # An hour ago may be yesterday.
            created_at=timezone.now(),
        )

    def test_an_offer_says_what_where_when_which_contract_and_since_when_and_leads_to_its_page(self, client, offer):
        html = ask(client, **METZ)
        for told in (
            "Offre d’emploi", "Apprenti boulanger", offer.establishment.name, "Metz (57000)", "12 mois",
            "Contrat en apprentissage, CAP, BEP et équivalents (niveau 3)", "Publiée aujourd’hui",
        ):  # fmt: skip
            assert told in html
        assert "1 offre et 1 entreprise" in html
        address = re.search(r'href="(/offre/[^"]+)"', html)[1].replace("&amp;", "&")
        page = client.get(address)
        assert page.status_code == 200
        assert "Apprenti boulanger" in page.content.decode()

    @pytest.mark.parametrize("sort", ["", "distance", "date"])
    def test_an_establishment_that_also_has_an_offer_for_the_job_says_so(self, client, sort):
        baker, neighbour = build_town(bakeries=2)
        for establishment, code in ((baker, BAKER), (neighbour, COOK)):
            OfferFactory(
                access__establishment=establishment, establishment=establishment, rome=Rome.objects.get(code=code)
            )
        html = ask(client, **METZ, tri=sort)
        assert "1 offre et 2 entreprises" in html
        cards = re.findall(r'<li class="result.*?</li>', html, re.DOTALL)
        told = [card for card in cards if "A aussi publié une offre pour ce métier" in card]
        assert [baker.name in card and "Fort potentiel" in card for card in told] == [True]

    @pytest.mark.parametrize(
        "filters, seen",
        [
            ({}, "1 offre et 1 entreprise"),
            ({"genre": "offres"}, "1 offre "),
            ({"genre": "entreprises"}, "1 entreprise "),
            ({"niveau": "3"}, "1 offre et 1 entreprise"),
            ({"niveau": "6"}, "1 entreprise "),
            ({"contrat": "apprentissage"}, "1 offre et 1 entreprise"),
            ({"contrat": "professionnalisation"}, "1 entreprise "),
            ({"debut": "1"}, "1 offre et 1 entreprise"),
            ({"debut": "apres"}, "1 entreprise "),
            ({"genre": "<script>", "niveau": "9", "contrat": "é" * 500, "debut": "-1"}, "1 offre et 1 entreprise"),
        ],
    )
    def test_a_filter_is_kept_by_the_address_the_form_and_the_links_and_narrows_offers(
        self, client, offer, filters, seen
    ):
        html = ask(client, **METZ, **filters)
        assert seen in html
        assert "<script>&" not in html
        for name, value in filters.items():
            if value in {"offres", "entreprises", "3", "6", "apprentissage", "professionnalisation", "1", "apres"}:
                assert f'<option value="{value}" selected>' in html
                if "1 offre et" in seen:
                    assert f"{name}={value}" in re.search(r'href="\?([^"]*tri=distance[^"]*)"', html)[1]

    def test_nothing_found_with_filters_proposes_to_take_them_away(self, client, offer):
        html = ask(client, metier="Boulanger", lieu="Metz", rayon="30", genre="offres", niveau="7")
        assert "Aucun résultat" in html
        without = re.search(r'href="\?([^"]*)">retirer les filtres', html)[1].replace("&amp;", "&")
        assert "1 offre et 1 entreprise" in client.get(f"{reverse('offers:search')}?{without}").content.decode()

    @pytest.mark.parametrize(
        "text, sort", [("", "relevance"), ("distance", "distance"), ("date", "date"), ("x", "relevance")]
    )
    def test_the_order_is_said_and_chosen_by_the_address(self, client, offer, text, sort):
        response = client.get(reverse("offers:search"), {**METZ, "tri": text})
        assert response.context["question"].sort == sort
        current = {"relevance": "pertinence", "distance": "distance", "date": "date"}[sort]
        assert f'<strong aria-current="true">{current}</strong>' in response.content.decode()

    def test_an_offer_that_should_have_begun_says_as_soon_as_possible(self, client, offer):
        Offer.objects.update(starts_on=timezone.localdate() - timedelta(days=3))
        assert "Début dès que possible" in ask(client, **METZ)

    @pytest.mark.parametrize(
        "day, months, expected",
        [("2026-01-31", 1, "2026-02-28"), ("2026-11-30", 3, "2027-02-28"), ("2026-08-31", 6, "2027-02-28"),
         ("2026-12-15", 1, "2027-01-15"), ("2028-01-30", 1, "2028-02-29"), ("2026-11-21", 0, "2026-11-21")],
    )  # fmt: skip
    def test_a_month_later_is_the_same_day_or_the_last_of_a_shorter_month(self, day, months, expected):
        assert questions._months_after(date.fromisoformat(day), months).isoformat() == expected
