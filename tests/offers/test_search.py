"""The search: the right establishments, in the right order, none that is hidden."""

import datetime
import random
from math import asin, atan2, cos, degrees, radians, sin, sqrt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from companies.actions import hiring_potentials
from companies.enums import DecisionKind, DecisionScope
from companies.models import Contact, Establishment, Rome, SearchEdition
from offers.search import RADII_KM, Kind, Question, search
from offers.sources import establishments, limits
from offers.sources.disc import EARTH_RADIUS_KM, Disc
from offers.sources.establishments_sql import CONTACTS, LISTED
from tests.companies.potentials import (
    BAKER,
    COOK,
    METZ,
    NOW,
    SELLER,
    hide,
    list_by_hand,
    make_establishment,
    make_establishments,
    make_jobs,
    put_online,
)
from tests.factories import OfferFactory

DAY = datetime.timedelta(days=1)
SECOND = datetime.timedelta(seconds=1)
SAINT_DENIS = (-20.8789, 55.4481)
WALLIS = (-13.2825, -176.1764)
NORTH = radians(1) * EARTH_RADIUS_KM  # kilometres in a degree of latitude


@pytest.fixture
def jobs(db):
    make_jobs()


#: The ways to an answer: everything in the disc is read, or the first of each job, which tell the total or not.
PATHS = ["few", "many", "many, counted apart"]


def take(path: str, monkeypatch) -> None:
    """From now on the search takes this way to its answers."""
    if path != "few":
        monkeypatch.setattr(limits, "FEW_ENTRIES", 0)
        monkeypatch.setattr(limits, "LONGEST_TOTAL", 30)
        monkeypatch.setattr(limits, "ROOM_FOR_HIDDEN", 2)
    if path == "many, counted apart":
        monkeypatch.setattr(establishments, "MORE", -(10**9))


@pytest.fixture(params=PATHS)
def path(request, monkeypatch):
    take(request.param, monkeypatch)
    return request.param


def ask(*codes, place=METZ, at=NOW, **asked):
    return search(Question(codes or (BAKER,), *place, **asked), at=at)


def numbers(answer) -> list[int]:
    return [each.establishment.pk for each in answer.establishments]


def kilometres(a: tuple[float, float], b: tuple[float, float]) -> float:
    """The haversine formula, as a textbook has it."""
    (south, west), (north, east) = (map(radians, a), map(radians, b))
    half = sin((north - south) / 2) ** 2 + cos(south) * cos(north) * sin((east - west) / 2) ** 2
    return 2 * EARTH_RADIUS_KM * asin(sqrt(half))


def around(place, count, spread=1.2, seed=1) -> list[tuple[float, float]]:
    draw = random.Random(seed)
    return [(place[0] + draw.gauss(0, spread / 2), place[1] + draw.gauss(0, spread)) for _ in range(count)]


def written_order() -> dict[tuple[int, str], int]:
    """The order key of each pair of the edition that the search reads."""
    edition = SearchEdition.objects.get(is_current=True)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT establishment_id, rome, order_key FROM {edition.entries_table}")
        return {(number, code): key for number, code, key in cursor.fetchall()}


def read_in_this_transaction(table: str) -> int:
    """How many times ``table`` was looked into."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT seq_scan + idx_scan FROM pg_stat_xact_user_tables WHERE relname = %s", [table])
        return cursor.fetchone()[0]


class TestDisc:
    @pytest.mark.parametrize("place", [METZ, SAINT_DENIS, WALLIS, (43.3, 5.37)])
    def test_what_lies_within_the_radius_is_found_and_nothing_else(self, jobs, place, monkeypatch):
        draw = random.Random(1)
        places = make_establishments(around(place, 250))
        rows = [(each, code, draw.expovariate(1) + 0.01) for each in places for code in draw.sample((BAKER, COOK), 1)]
        rows += [(each, SELLER, 1.0) for each in places[::3]]
        put_online(rows)
        hidden = {each.pk for each in places[::7]}
        for each in places[::7]:
            hide(each)
        order = written_order()
        for radius in RADII_KM:
            expected: dict[int, tuple[int, str, float]] = {}
            for each, code, _ in rows:
                away = kilometres(place, (each.latitude, each.longitude))
                if code != COOK and each.pk not in hidden and away <= radius:
                    expected[each.pk] = min(expected.get(each.pk, (2**40, "", 0)), (order[each.pk, code], code, away))
            assert expected
            by_order = sorted(expected, key=lambda n, expected=expected: (expected[n][0], n))
            by_distance = sorted(expected, key=lambda n, expected=expected: (expected[n][2], n))
            for path in PATHS:
                with monkeypatch.context() as ways:
                    take(path, ways)
                    for sort, ranked in (("relevance", by_order), ("distance", by_distance)):
                        case = (radius, path, sort)
                        answer = ask(BAKER, SELLER, place=place, radius_km=radius, sort=sort, widen=False)
                        assert answer.total == min(len(expected), limits.LONGEST_TOTAL), case
                        assert answer.total_is_capped == (len(expected) > limits.LONGEST_TOTAL), case
                        assert numbers(answer) == ranked[:20], case
                        for found in answer.establishments:
                            _, code, away = expected[found.establishment.pk]
                            assert found.rome.code == code, case
                            assert found.distance_km == pytest.approx(away, abs=0.002), case

    def test_the_edge_of_the_radius_is_within_a_few_metres(self, jobs, path):
        inside = make_establishment(METZ[0] + 9.995 / NORTH)
        outside = make_establishment(METZ[0] + 10.005 / NORTH)
        put_online([(inside, BAKER, 1), (outside, BAKER, 1)])
        assert numbers(ask(radius_km=10)) == [inside.pk]
        assert ask(radius_km=10).establishments[0].distance_km == pytest.approx(9.995, abs=0.002)

    def test_an_island_is_not_reached_from_the_mainland(self, jobs):
        put_online([(make_establishment(*SAINT_DENIS), BAKER, 1)])
        assert ask(radius_km=100).total == 0
        assert ask(place=SAINT_DENIS, radius_km=10).total == 1

    def test_the_antimeridian_does_not_cut_a_disc(self, jobs, path):
        places = make_establishments([(-16.5, 179.9), (-16.5, -179.9), (-16.5, 179.0)])
        put_online([(each, BAKER, 1) for each in places])
        assert set(numbers(ask(place=(-16.5, -179.95), radius_km=30))) == {places[0].pk, places[1].pk}

    @given(
        latitude=st.floats(-89, 89),
        longitude=st.floats(-180, 180),
        radius=st.sampled_from(RADII_KM),
        bearing=st.floats(0, 6.2831),
        part=st.floats(0, 1),
    )
    def test_the_ranges_asked_of_the_index_cover_the_disc(self, latitude, longitude, radius, bearing, part):
        disc = Disc(latitude, longitude, radius)
        angle, start = part * radius / EARTH_RADIUS_KM, radians(latitude)
        north = asin(max(-1, min(1, sin(start) * cos(angle) + cos(start) * sin(angle) * cos(bearing))))
        x = cos(angle) - sin(start) * sin(north)
        y = sin(bearing) * sin(angle) * cos(start)
        point = degrees(north), (longitude + degrees(atan2(y, x)) + 540) % 360 - 180
        band = point[0] // SearchEdition.LAT_BAND
        ranges = [(west, east) for number, west, east in disc.bands() if abs(number - band) <= 1e-9]
        assert any(west - 1e-5 <= point[1] <= east + 1e-5 for west, east in ranges) or abs(latitude) > 88


class TestOrderAndPages:
    def test_pages_leave_nothing_out_and_repeat_nothing(self, jobs, path):
        places = make_establishments(around(METZ, 60, spread=0.1))
        put_online([(each, code, 1 + each.pk % 5) for each in places for code in (BAKER, COOK, SELLER)])
        pages = [numbers(ask(BAKER, COOK, SELLER, page=n, per_page=7)) for n in range(1, 12)]
        found = [number for page in pages for number in page]
        assert len(found) == len(set(found)) == (60 if path == "few" else 30)
        assert found == numbers(ask(BAKER, COOK, SELLER, per_page=100))

    def test_a_page_beyond_the_last_one_is_empty(self, jobs, path):
        put_online([(each, BAKER, 1) for each in make_establishments([METZ] * 45)])
        answer = ask(page=1000)
        assert (answer.establishments, answer.total) == ([], 45 if path == "few" else 30)
        assert answer.pages == (3 if path == "few" else 2)

    def test_the_total_is_exact_up_to_a_limit_and_says_when_there_are_more(self, jobs, monkeypatch):
        monkeypatch.setattr(limits, "LONGEST_TOTAL", 10)
        places = make_establishments([METZ] * 11)
        put_online([(each, BAKER, 1) for each in places])
        assert (ask().total, ask().total_is_capped, ask(per_page=4).pages) == (10, True, 3)
        hide(places[0])
        assert (ask().total, ask().total_is_capped) == (10, False)

    def test_an_establishment_found_for_several_jobs_appears_once(self, jobs, path):
        places = make_establishments([METZ] * 40)
        put_online([(each, code, 1) for each in places for code in (BAKER, COOK)])
        found = numbers(ask(BAKER, COOK, per_page=100))
        assert len(found) == len(set(found))

    def test_the_same_job_asked_twice_changes_nothing(self, jobs):
        bakery = make_establishment()
        put_online([(bakery, BAKER, 1)])
        assert numbers(ask(BAKER, BAKER)) == [bakery.pk]

    def test_the_nearest_first(self, jobs, path):
        places = make_establishments([(METZ[0] + n / 100, METZ[1]) for n in range(50)])
        put_online([(each, BAKER, 1) for each in reversed(places)])
        assert numbers(ask(radius_km=60, sort="distance")) == [each.pk for each in places[:20]]

    def test_no_job_finds_nothing(self, jobs):
        put_online([(make_establishment(), BAKER, 1)])
        assert search(Question((), *METZ), at=NOW).total == 0

    def test_before_any_release_nothing_is_found(self, jobs):
        assert ask().total == 0

    @pytest.mark.parametrize(
        "asked", [{"radius_km": 20}, {"page": 0}, {"per_page": 0}, {"per_page": 1000}, {"place": (91, 0)}]
    )
    def test_a_question_without_sense_is_refused(self, asked):
        with pytest.raises(ValueError):
            ask(**asked)


class TestWidening:
    def test_the_radius_widens_until_something_is_found(self, jobs):
        put_online([(make_establishment(METZ[0] + 45 / NORTH), BAKER, 1)])
        answer = ask(radius_km=10)
        assert (answer.asked_radius_km, answer.used_radius_km, answer.widened, answer.total) == (10, 60, True, 1)

    def test_it_does_not_widen_where_something_is_found(self, jobs):
        near, far = make_establishments([METZ, (METZ[0] + 45 / NORTH, METZ[1])])
        put_online([(near, BAKER, 1), (far, BAKER, 1)])
        answer = ask(radius_km=10)
        assert (numbers(answer), answer.widened) == ([near.pk], False)

    def test_it_widens_past_what_is_hidden(self, jobs):
        near, far = make_establishments([METZ, (METZ[0] + 45 / NORTH, METZ[1])])
        put_online([(near, BAKER, 1), (far, BAKER, 1)])
        hide(near)
        assert numbers(ask(radius_km=10)) == [far.pk]

    def test_where_nothing_is_found_at_all_the_radius_stays_as_asked(self, jobs):
        answer = ask(radius_km=30)
        assert (answer.used_radius_km, answer.widened, answer.pages) == (30, False, 0)

    def test_it_does_not_widen_when_told_not_to(self, jobs):
        put_online([(make_establishment(METZ[0] + 45 / NORTH), BAKER, 1)])
        assert ask(radius_km=10, widen=False).total == 0


class TestVisibility:
    def test_a_delisted_establishment_vanishes_at_once_from_the_rows_and_the_total(self, jobs, path):
        places = make_establishments([METZ] * 20)
        put_online([(each, BAKER, 1) for each in places])
        first = numbers(ask())[0]
        hide(Establishment.objects.get(pk=first), at=NOW + 2 * SECOND)
        assert ask().total == 20
        answer = ask(at=NOW + SECOND)
        assert answer.total == 19
        assert first not in numbers(answer)

    @pytest.mark.parametrize("scope", DecisionScope)
    def test_a_decision_by_siret_by_siren_or_by_address_hides(self, jobs, scope):
        bakery = make_establishment()
        Contact.objects.filter(siret=bakery.siret).update(email="maison@example.fr")
        put_online([(bakery, BAKER, 1)])
        value = {"siret": bakery.siret, "siren": bakery.siret[:9], "email": "maison@example.fr"}[scope]
        hide(bakery, scope=scope, value=value)
        assert ask().total == 0

    def test_what_comes_back_is_found_at_once(self, jobs):
        bakery = make_establishment()
        hide(bakery, kind=DecisionKind.PAUSED, ends_at=NOW + DAY)
        put_online([(bakery, BAKER, 1)])
        assert ask().total == 0
        assert ask(at=NOW + DAY).total == 1

    def test_a_closed_or_non_diffusible_establishment_is_not_found(self, jobs, path):
        closed, secret, open_one = make_establishments([METZ] * 3)
        put_online([(each, BAKER, 1) for each in (closed, secret, open_one)])
        Establishment.objects.filter(pk=closed.pk).update(closed_on=NOW.date())
        Establishment.objects.filter(pk=secret.pk).update(is_diffusible=False)
        assert numbers(ask()) == [open_one.pk]

    def test_most_of_a_place_can_be_hidden(self, jobs, path):
        places = make_establishments([METZ] * 120)
        put_online([(each, BAKER, 1) for each in places])
        order = written_order()
        ranked = sorted(places, key=lambda each: order[each.pk, BAKER])
        for each in ranked[:75]:
            hide(each)
        answer = ask(per_page=10)
        assert answer.total == (45 if path == "few" else 30)
        assert numbers(answer) == [each.pk for each in ranked[75:85]]

    def test_a_deleted_job_or_an_unknown_one_is_not_a_fault(self, jobs):
        assert ask("Z9999").total == 0


class TestListedByHand:
    def test_it_is_found_from_the_second_of_the_decision(self, jobs, path):
        bakery = make_establishment()
        put_online([(make_establishment(*SAINT_DENIS), BAKER, 1)])
        list_by_hand(bakery, BAKER, at=NOW)
        assert ask(at=NOW - 2 * SECOND).total == 0
        answer = ask(at=NOW)
        assert (numbers(answer), answer.total, answer.establishments[0].rome.code) == ([bakery.pk], 1, BAKER)

    def test_it_is_found_for_its_jobs_within_the_radius_only(self, jobs):
        list_by_hand(make_establishment(), BAKER)
        assert ask(COOK).total == 0
        assert ask(BAKER, place=(48.0, 6.1757), radius_km=10, widen=False).total == 0

    def test_it_is_found_before_any_release(self, jobs):
        bakery = make_establishment()
        list_by_hand(bakery, BAKER)
        assert numbers(ask()) == [bakery.pk]

    def test_it_is_shown_once_where_a_release_holds_it_too(self, jobs, path):
        bakery = make_establishment()
        put_online([(bakery, BAKER, 1)])
        list_by_hand(bakery, BAKER, COOK)
        assert numbers(ask(BAKER, COOK)) == [bakery.pk]
        assert ask(BAKER, COOK).total == 1

    def test_it_takes_its_place_among_the_others_and_keeps_it_on_every_page(self, jobs, path):
        places = make_establishments([METZ] * 60)
        put_online([(each, BAKER, 1) for each in places[10:]])
        for each in places[:10]:
            list_by_hand(each, BAKER)
        pages = [number for n in range(1, 13) for number in numbers(ask(page=n, per_page=5))]
        assert len(pages) == len(set(pages)) == (60 if path == "few" else 30)
        by_hand = {each.pk for each in places[:10]}
        found = [number in by_hand for number in pages]
        assert any(found)
        assert found not in (sorted(found), sorted(found, reverse=True))

    def test_delisted_it_is_hidden_all_the_same(self, jobs):
        bakery = make_establishment()
        list_by_hand(bakery, BAKER)
        hide(bakery)
        assert ask().total == 0

    def test_without_any_contact_it_comes_last(self, jobs):
        silent = make_establishment(with_phone=False)
        put_online([(each, BAKER, 0.1) for each in make_establishments([METZ] * 5)])
        list_by_hand(silent, BAKER)
        assert numbers(ask())[-1] == silent.pk


class TestAnswer:
    def test_it_carries_what_a_page_shows(self, jobs, django_assert_num_queries):
        bakery = make_establishment()
        put_online([(bakery, BAKER, 1)])
        found = search(Question((BAKER,), *METZ), at=NOW, with_contacts=True).establishments[0]
        with django_assert_num_queries(0):
            assert (found.establishment.naf, found.establishment.commune, found.rome.label) == (
                None,
                None,
                "Métier D1102",
            )
        assert found.establishment.shown_phone == "+33199000001"
        assert found.establishment.has_email is False

    def test_the_number_of_queries_does_not_depend_on_the_number_of_rows(self, jobs, path):
        places = make_establishments([METZ] * 60)
        put_online([(each, BAKER, 1) for each in places])
        with CaptureQueriesContext(connection) as one:
            ask(per_page=1)
        with CaptureQueriesContext(connection) as thirty:
            ask(per_page=20)
        assert len(one) == len(thirty) == 2

    @pytest.mark.parametrize("at", [NOW, NOW + 200 * DAY, datetime.datetime(2026, 11, 20, 23, 30, tzinfo=datetime.UTC)])
    def test_the_sql_written_once_is_the_one_of_the_querysets(self, jobs, at):
        for kept, queryset in (
            (LISTED, Establishment.objects.listed(at=at).values_list("pk")),
            (CONTACTS, Establishment.objects.with_contact(at=at).values_list("pk", "shown_phone", "has_email")),
        ):
            with connection.cursor() as cursor:
                written = cursor.mogrify(kept.sql, kept.params(at)).replace("'::date::date", "'::date")
                written = written.replace("'::timestamptz::timestamptz", "'::timestamptz")
                assert written == cursor.mogrify(*queryset.query.sql_with_params())

    def test_what_decisions_list_is_read_from_the_decisions_whatever_indexes_there_are(self, jobs):
        """Read from the place, it would take longer the larger the disc."""
        with connection.cursor() as cursor:
            cursor.execute("CREATE INDEX of_another ON companies_establishment (latitude, longitude)")
            cursor.execute("ANALYZE companies_establishment")
            cursor.execute("SET LOCAL enable_seqscan = off")
        reader = establishments.Reader(codes=[BAKER], disc=Disc(*METZ, 100), at=NOW)
        sql, params = reader.first()[0]
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN {sql}", params)
            plan = "\n".join(line for (line,) in cursor.fetchall())
        assert "establishment_siret" in plan, plan
        assert "of_another" not in plan, plan

    @pytest.mark.parametrize("kind", Kind)
    def test_each_candidate_is_looked_at_by_itself_even_where_the_planner_believes_every_table_empty(self, jobs, kind):
        """As it does of tables that were vacuumed while nothing stood in them: at worst each is compared with each
        decision, never with each establishment too.
        """
        towns = make_establishments(around(METZ, 100, spread=0.2))
        put_online([(each, BAKER, 1.0) for each in towns])
        baker = Rome.objects.get(code=BAKER)
        for each in towns[:30]:
            OfferFactory(access__establishment=each, establishment=each, rome=baker)
        for each in towns[::3]:
            hide(each)
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE pg_class SET reltuples = 0, relpages = 1"
                " WHERE relkind = 'r' AND relname ~ '^(companies|offers)_'"
            )
        before = read_in_this_transaction("companies_contact")
        assert ask(BAKER, radius_km=100, kinds=frozenset({kind})).total
        assert read_in_this_transaction("companies_contact") - before < len(towns) * (len(towns[::3]) + 5)

    def test_an_answer_comes_from_the_edition_of_the_night_before_too(self, jobs):
        bakery = make_establishment()
        put_online([(bakery, BAKER, 1)])
        assert numbers(ask(at=NOW + 3 * DAY)) == [bakery.pk]
        hiring_potentials.renew_order(at=NOW + 3 * DAY)
        assert numbers(ask(at=NOW + 3 * DAY)) == [bakery.pk]
