"""Jobs and places as people type them."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from companies.actions.references import (
    MOST_SUGGESTIONS,
    FoundJob,
    FoundPlace,
    find_job,
    find_place,
    suggest_jobs,
    suggest_places,
)
from companies.models import Commune, RomeAppellation
from tests.companies.sample_source import load

pytestmark = pytest.mark.django_db

#: What is typed, and the job that must come first (sample and official files alike).
JOBS = {
    "dev web": "M1855",
    "web developpeur": "M1855",
    "boulangere": "D1102",
    "Boulangère H/F": "D1102",
    "boulang": "D1102",
    "mecanicien auto": "I1604",
    "mecano auto": "I1604",
    "secretaire medicale": "M1609",
    "secretere medicale": "M1609",
    "compta": "M1203",
    "electricien": "F1602",
    "elec": "F1602",
    "coifeur": "D1202",
    "cap coiffure": "D1202",
    "apprentie coiffeuse": "D1202",
    "vendeuse": "D1214",
    "vendeurs": "D1214",
    "aide soignante": "J1501",
    "infirmiere": "J1506",
    "plonbier": "F1603",
    "maçonnerie": "F1703",
    "cuisinier": "G1609",
    "serveuse": "G1803",
    "préparateur de commande": "N1103",
    "chaudronier": "H2902",
    "soudure": "H2913",
    "assistant rh": "M1501",
    "nounou": "K1303",
    "opticienne lunetiere": "J1405",
    "xyzzy boulanger": "D1102",
}
#: What is typed, and the label that must come first.
PLACES = {
    "metz": "Metz (57000)",
    "METZ (57000)": "Metz (57000)",
    "57000 metz": "Metz (57000)",
    "metz 57": "Metz (57000)",
    "57050": "Metz (57050)",
    "st etienne": "Saint-Étienne (42000)",
    "Saint Étienne": "Saint-Étienne (42000)",
    "le havre": "Le Havre (76600)",
    "havre": "Le Havre (76600)",
    "l'isle sur la sorgue": "L'Isle-sur-la-Sorgue (84800)",
    "malo": "Saint-Malo (35400)",
    "paris": "Paris (75000)",
    "75000": "Paris (75000)",
    "Paris (75000)": "Paris (75000)",
    "paris 11": "Paris 11e arrondissement (75011)",
    "paris 11ème": "Paris 11e arrondissement (75011)",
    "75011": "Paris 11e arrondissement (75011)",
    "Paris 11e arrondissement (75011)": "Paris 11e arrondissement (75011)",
    "lyon 3e": "Lyon 3e arrondissement (69003)",
    "lyon 69": "Lyon (69000)",
    "marseile": "Marseille (13000)",
    "bordaux": "Bordeaux (33000)",
    "974": "Saint-Denis (97400)",
    "saint denis 93": "Saint-Denis (93200)",
    "grenoble cedex 9": "Grenoble (38000)",
}


def job(text: str) -> FoundJob:
    found = find_job(text=text)
    assert found is not None
    return found


def place(text: str) -> FoundPlace:
    found = find_place(text=text)
    assert found is not None
    return found


def first_jobs():
    return {text: [found.rome_codes[0] for found in suggest_jobs(text=text)][:1] for text in JOBS}


def first_places():
    return {text: [found.label for found in suggest_places(text=text)][:1] for text in PLACES}


def test_what_people_type_gives_the_right_job_first():
    load()
    assert first_jobs() == {text: [code] for text, code in JOBS.items()}


def test_what_people_type_gives_the_right_place_first():
    load()
    assert first_places() == {text: [label] for text, label in PLACES.items()}


def test_a_suggestion_comes_once_and_names_its_job_then_the_one_it_was_cut_off_from():
    load()
    jobs = suggest_jobs(text="developpeur", limit=20)
    assert len({job.label for job in jobs}) == len(jobs)
    web = next(job for job in jobs if job.label == "Développeur / Développeuse web")
    assert web.rome_codes == ["M1855", "M1805"]
    assert RomeAppellation.objects.get(ogr=web.ogr).rome_id == "M1855"
    places = suggest_places(text="saint", limit=20)
    assert len({place.code for place in places}) == len(places)


def test_a_usual_title_comes_before_a_rare_one():
    load()
    RomeAppellation.objects.filter(label__startswith="Fleuriste-décorateur").update(is_rare=True)
    RomeAppellation.objects.create(
        ogr=999_999, rome_id="D1209", label="Fleuriste-zébreur", short_label="F", search_key="fleuriste zebreur",
        masculine_key="fleuriste zebreur", feminine_key="fleuriste zebreur",
    )  # fmt: skip
    labels = [job.label for job in suggest_jobs(text="fleuriste")]
    assert labels[:3] == [
        "Fleuriste",
        "Fleuriste-zébreur",
        "Fleuriste-décorateur floral / Fleuriste-décoratrice florale",
    ]


def test_a_larger_town_comes_first_among_the_same_names():
    load()
    labels = [place.label for place in suggest_places(text="saint denis")]
    assert labels.index("Saint-Denis (97400)") < labels.index("Saint-Denis (93200)")


def test_a_place_without_a_point_says_so():
    load()
    papeete = suggest_places(text="papeete")[0]
    assert (papeete.latitude, papeete.longitude) == (None, None)
    assert suggest_places(text="metz")[0].latitude == pytest.approx(49.1, abs=0.1)


def test_the_very_text_is_known_from_a_guess():
    load()
    assert job("boulangère").is_exact
    assert job("Boulanger / Boulangère").is_exact
    guess = job("boulang")
    assert not guess.is_exact
    assert guess.rome_codes == ["D1102"]
    assert guess.alternatives
    assert find_job(text="zzzz") is None
    assert find_job(text="") is None
    assert place("Metz").is_exact
    assert place("Metz (57000)").is_exact
    assert place("75000").is_exact
    assert place("saint denis 97").label == "Saint-Denis (97400)"
    assert not place("bordaux").is_exact
    assert find_place(text="zzzzz") is None
    assert find_place(text="  ") is None


def test_of_namesakes_the_largest_is_answered_and_the_others_are_told():
    load()
    largest = place("saint denis")
    assert largest.label == "Saint-Denis (97400)"
    assert not largest.is_exact
    assert [other.label for other in largest.alternatives] == ["Saint-Denis (93200)"]
    assert place("Saint-Denis (93200)").is_exact
    assert place("Saint-Denis (97400)").is_exact


def test_every_label_finds_its_own_place_again():
    load()
    labels = {}
    for commune in Commune.objects.filter(departement__in=["75", "69", "57", "2A", "974", "13"]):
        for found in suggest_places(text=commune.name, limit=20):
            labels[found.label] = found.code
    assert len(labels) > 50
    lost = {label: code for label, code in labels.items() if place(label).code != code}
    assert lost == {}


def test_the_answer_is_bounded():
    load()
    assert len(suggest_jobs(text="e", limit=1000)) <= MOST_SUGGESTIONS
    assert len(suggest_places(text="s", limit=1000)) <= MOST_SUGGESTIONS
    assert len(suggest_jobs(text="s", limit=3)) == 3
    assert suggest_jobs(text="s", limit=0) == suggest_places(text="s", limit=-1) == []
    assert suggest_jobs(text="boulanger" + " x" * 5000)


@pytest.mark.parametrize("text", ["boulanger", "boul", "coifeur", "xyzzy boulanger", "z" * 80, "a b c d e f g h"])
def test_a_job_costs_at_most_three_queries(text):
    load()
    with CaptureQueriesContext(connection) as queries:
        suggest_jobs(text=text)
    assert len(queries) <= 3


@pytest.mark.parametrize("text", ["metz", "57", "57000", "99999", "marseile", "metz 75000", "z" * 80])
def test_a_place_costs_at_most_three_queries(text):
    load()
    with CaptureQueriesContext(connection) as queries:
        suggest_places(text=text)
    assert len(queries) <= 3


def test_no_text_is_an_error():
    load()

    @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.text(max_size=120))
    @example("%' OR 1=1 --")
    @example("\x00")
    @example("%(name)s %s %")
    @example("_" * 80)
    @example("c++ c#")
    @example("\ud83d")
    @example("٣٤٥٦٧")
    @example("²³¹")
    @example("57000 57000 57000")
    @example("de la du")
    def ask(text):
        assert isinstance(suggest_jobs(text=text), list)
        assert isinstance(suggest_places(text=text), list)
        find_job(text=text)
        find_place(text=text)

    ask()
