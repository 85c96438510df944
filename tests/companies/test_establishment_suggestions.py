"""Establishments as recruiters type them: digits, names, towns, slips; and none that may not be named."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from companies.actions.suggestions import MOST_READINGS, MOST_SUGGESTIONS, suggest_establishments
from companies.enums import DecisionKind, DecisionScope
from companies.models import Establishment
from companies.models.search_keys import NameKey
from tests.factories import (
    CommuneFactory,
    ContactFactory,
    EstablishmentFactory,
    NafFactory,
    VisibilityDecisionFactory,
    make_siren,
    make_siret,
)

pytestmark = pytest.mark.django_db

#: The names that have a town; what is typed; the name that must come first.
SHOPS = {
    "BOULANGERIE DU PONT": "57463",
    "BOULANGERIE DE PARIS": "57463",
    "BOULANGERIE EXEMPLE": "75111",
    "L'ATELIER GOURMAND": "57463",
    "CAFÉ DE L’ÉGLISE": "57463",
    "Cœur & Œufs S.A.S.": "57463",
    "GARAGE SAINT-MARTIN": "42218",
    "GARAGE MARTIN": "57463",
    "COIFFURE LAVILLETTE": "13055",
    "PHARMACIE": "42218",
    "PHARMACIE CENTRALE": "57463",
}
TYPED = {
    "boulangerie du pont": "BOULANGERIE DU PONT",
    "pont": "BOULANGERIE DU PONT",
    "boulang metz": "BOULANGERIE DU PONT",
    "boulangerie metz": "BOULANGERIE DU PONT",
    "Boulangerie, METZ (57000)": "BOULANGERIE DU PONT",
    "boulangerie 57050": "BOULANGERIE DU PONT",
    "metz boulangerie": "BOULANGERIE DU PONT",
    "boulangerie paris": "BOULANGERIE EXEMPLE",
    "boulangerie paris 11": "BOULANGERIE EXEMPLE",
    "boulangerie de paris": "BOULANGERIE DE PARIS",
    "atelier": "L'ATELIER GOURMAND",
    "l'atelier gourmand metz": "L'ATELIER GOURMAND",
    "café de l'église": "CAFÉ DE L’ÉGLISE",
    "CAFE DE L EGLISE": "CAFÉ DE L’ÉGLISE",
    "coeur et oeufs": "Cœur & Œufs S.A.S.",
    "cœur œufs": "Cœur & Œufs S.A.S.",
    "garage st etienne": "GARAGE SAINT-MARTIN",
    "garage saint-étienne": "GARAGE SAINT-MARTIN",
    "garage martin": "GARAGE MARTIN",
    "pharmacie": "PHARMACIE",
    "boulangrie du pont": "BOULANGERIE DU PONT",
    "bulangerie metz": "BOULANGERIE DU PONT",
    "coifure": "COIFFURE LAVILLETTE",
    "coiffure marseile": "COIFFURE LAVILLETTE",
    "pharmacie sentrale": "PHARMACIE CENTRALE",
}


@pytest.fixture
def town():
    for code, name, postcode, parent in [
        ("57463", "Metz", "57000", None), ("75056", "Paris", "75001", None),
        ("75111", "Paris 11e Arrondissement", "75011", "75056"), ("42218", "Saint-Étienne", "42000", None),
        ("13055", "Marseille", "13001", None),
    ]:  # fmt: skip
        CommuneFactory(code=code, name=name, postcodes=[postcode, "57050"] if code == "57463" else [postcode],
                       parent_id=parent)  # fmt: skip
    for name, code in SHOPS.items():
        EstablishmentFactory(name=name, commune_id=code, commune=None, latitude=49.0, longitude=6.0)
    Establishment.objects.filter(commune__isnull=True).delete()


def suggested(text, **options):
    return [each.name for each in suggest_establishments(text=text, at=timezone.now(), **options)]


class TestByName:
    @pytest.mark.parametrize("text, name", TYPED.items())
    def test_what_people_type_gives_the_right_one_first(self, town, text, name):
        assert suggested(text)[:1] == [name]

    def test_a_suggestion_tells_two_of_the_same_name_apart(self, town):
        EstablishmentFactory(siret=make_siret(900), name="GARAGE DOUBLE", address="3 RUE HAUTE", postcode="57000")
        (one,) = suggest_establishments(text="garage double", at=timezone.now())
        assert (one.siret, one.name, one.place) == (make_siret(900), "GARAGE DOUBLE", "3 RUE HAUTE, 57000 Metz")

    def test_the_key_of_the_index_has_neither_accents_nor_punctuation(self):
        shop = EstablishmentFactory(name="L’Été, d'Œuvre-&-C° (Ÿ)")
        key = Establishment.objects.annotate(key=NameKey("name")).get(pk=shop.pk).key
        assert key.split() == ["l", "ete", "d", "oeuvre", "c", "y"]
        assert key[0] == key[-1] == " "


class TestByNumber:
    def test_the_first_digits_of_a_siret_or_a_siren_are_enough(self):
        for branch in (1, 2, 3):
            EstablishmentFactory(siret=make_siret(1, branch=branch))
        EstablishmentFactory(siret=make_siret(2))
        spaced = f"{make_siren(1)[:3]} {make_siren(1)[3:6]}.{make_siren(1)[6:]}"
        found = suggest_establishments(text=spaced, at=timezone.now())
        assert [each.siret for each in found] == [make_siret(1, branch=branch) for branch in (1, 2, 3)]
        assert [each.siret for each in suggest_establishments(text=make_siret(2), at=timezone.now())] == [make_siret(2)]

    @pytest.mark.parametrize("text", ["", " ", "0", "00", "a", "zz", "0" * 15, "٣٤٥٦", "²³¹", "---"])
    def test_too_little_or_too_much_gives_none(self, text):
        EstablishmentFactory(siret=make_siret(1))
        assert suggested(text) == []


HIDDEN = {
    "delisted": lambda shop: VisibilityDecisionFactory(value=shop.siret),
    "delisted with its company": lambda shop: VisibilityDecisionFactory(
        value=shop.siret[:9], scope=DecisionScope.SIREN
    ),
    "paused": lambda shop: VisibilityDecisionFactory(
        value=shop.siret, kind=DecisionKind.PAUSED, ends_at=timezone.now() + dt.timedelta(days=3)
    ),
    "delisted by its address": lambda shop: (
        ContactFactory(siret=shop.siret, email="chef@exemple.fr"),
        VisibilityDecisionFactory(value="chef@exemple.fr", scope=DecisionScope.EMAIL),
    ),
    "closed": lambda shop: Establishment.objects.filter(pk=shop.pk).update(closed_on=timezone.localdate()),
    "not diffusible": lambda shop: Establishment.objects.filter(pk=shop.pk).update(is_diffusible=False),
    "to verify": lambda shop: Establishment.objects.filter(pk=shop.pk).update(to_verify_since=timezone.now()),
}


@pytest.mark.parametrize("how", HIDDEN)
@pytest.mark.parametrize(
    "text", ["fournil secret", "fournil secrt", "fournil secret metz", make_siret(7), make_siren(7)]
)
def test_one_that_may_not_be_named_is_never_suggested(how, text):
    shop = EstablishmentFactory(siret=make_siret(7), name="FOURNIL SECRET")
    assert suggested(text) == ["FOURNIL SECRET"]
    HIDDEN[how](shop)
    assert suggested(text) == []


def test_hidden_ones_make_room_for_the_others():
    for _ in range(60):
        VisibilityDecisionFactory(value=EstablishmentFactory(name="FOURNIL").siret)
    EstablishmentFactory.create_batch(3, name="FOURNIL VISIBLE")
    assert suggested("fournil") == ["FOURNIL VISIBLE"] * 3


def test_a_school_is_suggested_since_it_has_its_own_sentence():
    EstablishmentFactory(name="LYCEE EXEMPLE", naf=NafFactory(code="8531Z"))
    assert suggested("lycée exemple") == ["LYCEE EXEMPLE"]


def test_the_answer_is_bounded():
    EstablishmentFactory.create_batch(30, name="FOURNIL EXEMPLE")
    assert len(suggested("fournil")) == 8
    assert len(suggested("fournil", limit=1000)) == MOST_SUGGESTIONS
    assert suggested("fournil", limit=0) == suggested("fournil", limit=-1) == []
    assert len(suggested("000")) == 8


@pytest.mark.parametrize(
    "text", ["fournil", "fournil metz", "furnil metz", "a b c d e f g h", "saint martin le grand saint", "000"]
)
def test_it_costs_few_queries_whatever_there_is(town, text):
    EstablishmentFactory.create_batch(3, name="FOURNIL EXEMPLE")

    def queries():
        with CaptureQueriesContext(connection) as seen:
            suggested(text)
        return len(seen)

    few = queries()
    EstablishmentFactory.create_batch(20, name="FOURNIL EXEMPLE")
    assert queries() == few
    assert few <= 2 * (MOST_READINGS + 2) + 8


def test_a_name_and_a_town_are_found_by_their_indexes(town):
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO companies_establishment (siret, name, legal_name, headcount_band, address_complement, address,"
            " postcode, commune_id, is_headquarters, is_employer, is_diffusible)"
            " SELECT lpad((90000000 + n)::text, 14, '0'), 'NOM ' || md5(n::text), '', 'NN', '', '', '',"
            " (ARRAY['57463', '75111', '13055'])[1 + n % 3], false, true, true FROM generate_series(1, 20000) n"
        )
        cursor.execute("ANALYZE companies_establishment")
    with CaptureQueriesContext(connection) as seen:
        suggested("pharmacie metz")
    plans = []
    with connection.cursor() as cursor:
        for query in seen:
            if "LIKE" in query["sql"] and "companies_establishment" in query["sql"]:
                cursor.execute(f"EXPLAIN {query['sql']}")
                plans.append("\n".join(row[0] for row in cursor.fetchall()))
    assert plans
    assert all("establishment_name_key" in plan or "establishment_commune" in plan for plan in plans)


def test_no_text_is_an_error(town):
    @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.text(max_size=120))
    @example("%' OR 1=1 --")
    @example("\x00 boulangerie \x00")
    @example("%(name)s %s %")
    @example("_" * 80)
    @example("boulangerie \ud83d metz")
    @example("57000 57000 57000 boulangerie")
    @example("saint " * 30)
    @example("boulangerie " + "x" * 10_000)
    def ask(text):
        assert isinstance(suggested(text), list)

    ask()
