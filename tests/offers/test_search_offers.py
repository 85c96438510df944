"""Offers in the search: beside the establishments, in one list, from the second they are public to the last one."""

import datetime as dt
import random
from math import asin, cos, radians, sin, sqrt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import localdate

from companies.enums import DecisionScope
from companies.models import Establishment
from offers.enums import ContractType, Level, OfferStatus
from offers.models import Offer
from offers.search import Filters, Kind, Question, search
from offers.sources import limits
from offers.sources.disc import EARTH_RADIUS_KM
from tests.companies.potentials import (
    BAKER,
    COOK,
    METZ,
    NOW,
    SELLER,
    hide,
    make_establishment,
    make_establishments,
    make_jobs,
    put_online,
)
from tests.factories import AccessFactory, OfferFactory

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


@pytest.fixture
def jobs(db):
    make_jobs()


@pytest.fixture
def recruiter(jobs):
    return AccessFactory()


def make_offer(recruiter, place=METZ, rome=BAKER, **fields):
    """An offer at ``place``, of an establishment of its own."""
    establishment = fields.pop("establishment", None) or make_establishment(*place)
    fields.setdefault("created_at", NOW - HOUR)
    return OfferFactory(
        access=AccessFactory(user=recruiter.user, establishment=establishment),
        rome_id=rome,
        rome=None,
        latitude=place[0],
        longitude=place[1],
        **fields,
    )


def ask(*codes, place=METZ, at=NOW, **asked):
    return search(Question(codes or (BAKER,), *place, **asked), at=at)


def kilometres(a, b):
    (south, west), (north, east) = (map(radians, a), map(radians, b))
    half = sin((north - south) / 2) ** 2 + cos(south) * cos(north) * sin((east - west) / 2) ** 2
    return 2 * EARTH_RADIUS_KM * asin(sqrt(half))


def found(answer):
    return [each.offer.pk for each in answer.offers]


class TestWhatIsFound:
    @pytest.mark.parametrize("radius", [10, 60, 100])
    def test_the_same_offers_as_public_says_within_the_radius_and_no_other(self, recruiter, radius):
        draw = random.Random(radius)
        offers = []
        for n in range(80):
            place = METZ[0] + draw.gauss(0, 0.3), METZ[1] + draw.gauss(0, 0.4)
            offer = make_offer(
                recruiter,
                place,
                draw.choice([BAKER, COOK, SELLER]),
                created_at=NOW - draw.randint(0, 40) * DAY,
                status=draw.choice([*OfferStatus, OfferStatus.ACTIVE, OfferStatus.ACTIVE, OfferStatus.ACTIVE]),
            )
            offers.append(offer)
            if n % 9 == 0:
                hide(offer.establishment)
            if n % 11 == 0:
                Establishment.objects.filter(pk=offer.establishment_id).update(is_diffusible=False)
            if n % 13 == 0:
                Establishment.objects.filter(pk=offer.establishment_id).update(closed_on=localdate(NOW))
        expected = {
            offer.pk
            for offer in Offer.objects.public(NOW)
            if offer.rome_id != COOK and kilometres(METZ, (offer.latitude, offer.longitude)) <= radius
        }
        assert len(expected) < 60 and (len(expected) > 3 or radius == 10)
        answer = ask(BAKER, SELLER, radius_km=radius, widen=False, per_page=150)
        assert set(found(answer)) == expected
        assert answer.total == answer.offers_total == len(expected)
        for each in answer.offers:
            away = kilometres(METZ, (each.offer.latitude, each.offer.longitude))
            assert each.distance_km == pytest.approx(away, abs=0.002)

    def test_an_offer_is_found_in_the_second_it_becomes_active_and_no_more_in_the_one_it_is_closed(self, recruiter):
        offer = make_offer(recruiter, status=OfferStatus.AWAITING)
        assert found(ask()) == []
        offer.move(to=OfferStatus.ACTIVE, by=None, at=NOW, via="clock")
        assert found(ask()) == [offer.pk]
        offer.move(to=OfferStatus.FILLED, by=None, at=NOW, via="clock")
        assert found(ask()) == []

    @pytest.mark.parametrize("last_day", [dt.date(2026, 3, 29), dt.date(2026, 10, 25), dt.date(2026, 12, 1)])
    def test_an_offer_is_found_to_the_end_of_its_last_day_in_paris(self, recruiter, last_day):
        offer = make_offer(recruiter)
        Offer.objects.filter(pk=offer.pk).update(expires_on=last_day)
        paris = dt.timezone(dt.timedelta(hours=1 if last_day.month == 12 or last_day == dt.date(2026, 10, 25) else 2))
        midnight = dt.datetime.combine(last_day + DAY, dt.time(), tzinfo=paris)
        assert found(ask(at=midnight - dt.timedelta(seconds=1))) == [offer.pk]
        assert found(ask(at=midnight)) == []

    def test_the_offer_of_a_delisted_establishment_or_company_or_address_is_gone_at_once(self, recruiter):
        offer = make_offer(recruiter)
        hide(offer.establishment, scope=DecisionScope.SIREN, value=offer.establishment.siret[:9])
        assert found(ask()) == []
        assert ask().total == 0

    def test_an_offer_across_the_antimeridian_is_found(self, recruiter):
        offer = make_offer(recruiter, (-16.5, 179.95))
        assert found(ask(place=(-16.5, -179.95), radius_km=30)) == [offer.pk]

    def test_the_total_stays_right_where_most_are_hidden(self, recruiter, monkeypatch):
        monkeypatch.setattr(limits, "LONGEST_TOTAL", 10)
        monkeypatch.setattr(limits, "ROOM_FOR_HIDDEN", 0)
        offers = [make_offer(recruiter, created_at=NOW - (n + 1) * HOUR) for n in range(40)]
        for offer in offers[:33]:
            hide(offer.establishment)
        answer = ask()
        assert found(answer) == [offer.pk for offer in offers[33:]]
        assert answer.total == 7 and not answer.total_is_capped


class TestOrder:
    def test_by_distance_an_establishment_keeps_its_place_among_more_offers_than_are_counted(
        self, recruiter, monkeypatch
    ):
        monkeypatch.setattr(limits, "LONGEST_TOTAL", 3)
        at_hand = make_establishment(*METZ)
        put_online([(at_hand, BAKER, 1)])
        for _ in range(5):
            make_offer(recruiter, (METZ[0] + 0.1, METZ[1]))
        answer = ask(sort="distance")
        assert [each.pk for each in (row.establishment for row in answer.results[:1])] == [at_hand.pk]
        assert len(answer.results) == 3 and answer.total_is_capped

    def test_offers_come_first_near_and_new_ones_before_then_the_establishments(self, recruiter):
        near = make_offer(recruiter, METZ, created_at=NOW - 20 * DAY)
        new = make_offer(recruiter, (METZ[0] + 0.1, METZ[1]), created_at=NOW - HOUR)
        far_and_old = make_offer(recruiter, (METZ[0] + 0.2, METZ[1]), created_at=NOW - 25 * DAY)
        places = make_establishments([METZ] * 3)
        put_online([(each, BAKER, 1) for each in places])
        answer = ask()
        assert found(answer) == [new.pk, near.pk, far_and_old.pk]
        assert [type(each).__name__ for each in answer.results] == ["FoundOffer"] * 3 + ["FoundEstablishment"] * 3

    def test_by_date_the_newest_offer_comes_first(self, recruiter):
        offers = [make_offer(recruiter, created_at=NOW - n * DAY) for n in (5, 1, 9)]
        assert found(ask(sort="date")) == [offers[1].pk, offers[0].pk, offers[2].pk]

    def test_by_distance_offers_and_establishments_are_mixed(self, recruiter):
        offers = [make_offer(recruiter, (METZ[0] + away, METZ[1])) for away in (0.02, 0.06)]
        places = make_establishments([(METZ[0] + away, METZ[1]) for away in (0.04, 0.08, 0.0)])
        put_online([(each, BAKER, 1) for each in places])
        answer = ask(sort="distance")
        kinds = "".join("o" if each in answer.offers else "e" for each in answer.results)
        assert kinds == "eoeoe"
        distances = [each.distance_km for each in answer.results]
        assert distances == sorted(distances)
        assert found(answer) == [offer.pk for offer in offers]

    @pytest.mark.parametrize("sort", ["relevance", "distance", "date"])
    def test_pages_leave_nothing_out_and_repeat_nothing(self, recruiter, sort):
        draw = random.Random(4)

        def somewhere():
            return METZ[0] + draw.gauss(0, 0.05), METZ[1] + draw.gauss(0, 0.05)

        offers = [make_offer(recruiter, somewhere(), created_at=NOW - n * HOUR) for n in range(23)]
        places = make_establishments([somewhere() for _ in range(31)])
        put_online([(each, BAKER, 1) for each in places])
        whole = ask(sort=sort, per_page=150)
        pages = [ask(sort=sort, per_page=7, page=page) for page in range(1, 9)]
        assert [each for page in pages for each in page.results] == whole.results
        assert len(whole.results) == len(offers) + len(places)
        assert {page.total for page in pages} == {54} and {page.offers_total for page in pages} == {23}
        assert pages[0].pages == 8


class TestFilters:
    def test_a_candidate_asks_for_offers_only_or_for_establishments_only(self, recruiter):
        offer = make_offer(recruiter)
        put_online([(make_establishment(*METZ), BAKER, 1)])
        assert len(ask().results) == 2
        assert [each.offer.pk for each in ask(kinds=frozenset([Kind.OFFERS])).results] == [offer.pk]
        only = ask(kinds=frozenset([Kind.ESTABLISHMENTS]))
        assert only.offers == [] and len(only.establishments) == only.total == 1 and only.offers_total == 0

    def test_a_level_finds_its_offers_and_those_to_whom_it_is_indifferent(self, recruiter):
        same = make_offer(recruiter, level=Level.LEVEL_5)
        any_level = make_offer(recruiter, level="")
        make_offer(recruiter, level=Level.LEVEL_3)
        assert set(found(ask(filters=Filters(level="5")))) == {same.pk, any_level.pk}

    def test_a_contract_finds_the_offers_that_propose_it(self, recruiter):
        both = make_offer(recruiter, contract_types=[*ContractType])
        make_offer(recruiter, contract_types=[ContractType.APPRENTICESHIP])
        assert found(ask(filters=Filters(contract=ContractType.PROFESSIONALISATION))) == [both.pk]

    def test_a_start_finds_the_offers_that_begin_then_both_days_included(self, recruiter):
        day = localdate(NOW)
        offers = [make_offer(recruiter, starts_on=day + n * DAY) for n in (10, 20, 30)]
        asked = Filters(starts_from=day + 20 * DAY, starts_until=day + 30 * DAY)
        assert set(found(ask(filters=asked))) == {offers[1].pk, offers[2].pk}
        assert found(ask(filters=Filters(starts_until=day + 10 * DAY))) == [offers[0].pk]

    def test_filters_narrow_offers_only_and_the_search_does_not_widen_while_establishments_are_left(self, recruiter):
        make_offer(recruiter, level=Level.LEVEL_3)
        put_online([(make_establishment(*METZ), BAKER, 1)])
        answer = ask(filters=Filters(level="7"))
        assert answer.offers == [] and len(answer.establishments) == 1 and not answer.widened


class TestCost:
    def test_the_number_of_queries_does_not_depend_on_the_number_of_offers(self, recruiter):
        put_online([(make_establishment(*METZ), BAKER, 1)])
        counts = []
        for more in (1, 12):
            for _ in range(more):
                make_offer(recruiter)
            with CaptureQueriesContext(connection) as queries:
                ask()
            counts.append(len(queries))
        assert counts[0] == counts[1] == 2, [query["sql"][:90] for query in queries]

    def test_a_page_full_of_offers_beyond_the_cap_asks_nothing_of_the_establishments(self, recruiter, monkeypatch):
        monkeypatch.setattr(limits, "LONGEST_TOTAL", 5)
        for _ in range(7):
            make_offer(recruiter)
        with CaptureQueriesContext(connection) as queries:
            answer = ask()
        assert answer.total == answer.offers_total == 5 and answer.total_is_capped
        assert len(queries) == 1
