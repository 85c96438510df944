"""Reasons are asked for by who reads them, answered once by the worker, and gone with their release."""

import datetime
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from companies.actions import explanations, hiring_potentials
from companies.actions.reasons import Reason
from companies.models import Explanation, Release
from tests.companies.potentials import BAKER, COOK, NOW, make_establishment, make_establishments, make_jobs, put_online

LATER = NOW + datetime.timedelta(days=1)
BIG = Reason("headcount", 1.2, {"headcount": "12"})
YOUNG = Reason("age", -0.4, {"age_months": 7.0})


def explain(release_id, potentials):
    """The worker's part, without a model."""
    return {siret: {rome: [BIG, YOUNG] for rome in jobs} for siret, jobs in potentials.items()}


def read(*establishments):
    found = explanations.reasons_of(establishment_ids=[each.pk for each in establishments], at=NOW)
    return [found[each.pk] for each in establishments]


@pytest.fixture
def bakery(db):
    make_jobs()
    return make_establishment()


def test_reasons_are_awaited_at_the_first_reading_and_known_after_the_worker(bakery):
    put_online([(bakery, BAKER, 2.0), (bakery, COOK, 1.0)])
    assert read(bakery) == [(True, {})]
    assert explanations.is_asked()
    assert explanations.answer_asked(explain=explain, at=NOW) == 1
    assert read(bakery) == [(False, {BAKER: [BIG, YOUNG], COOK: [BIG, YOUNG]})]
    assert not explanations.is_asked()
    assert explanations.answer_asked(explain=explain, at=NOW) == 0


def test_nothing_is_asked_of_an_establishment_that_the_release_does_not_name(bakery):
    other = make_establishment()
    put_online([(bakery, BAKER, 2.0)])
    assert read(other, bakery) == [(False, {}), (True, {})]
    assert Explanation.objects.count() == 1


def test_nothing_is_asked_when_no_release_is_online(bakery):
    assert read(bakery) == [(False, {})]
    assert not Explanation.objects.exists()


def test_reasons_that_were_not_kept_are_not_awaited_for_ever(bakery):
    put_online([(bakery, BAKER, 2.0)])
    read(bakery)
    explanations.answer_asked(explain=lambda release_id, potentials: {}, at=NOW)
    assert read(bakery) == [(False, {})]
    assert not explanations.is_asked()


def test_a_new_release_has_its_own_reasons_and_a_rollback_finds_the_former_ones(bakery):
    put_online([(bakery, BAKER, 2.0)])
    read(bakery)
    explanations.answer_asked(explain=explain, at=NOW)
    put_online([(bakery, BAKER, 2.0)], at=LATER)
    assert read(bakery) == [(True, {})]
    hiring_potentials.rollback(by=None, at=LATER, reason="Essai")
    assert read(bakery) == [(False, {BAKER: [BIG, YOUNG]})]


def test_reasons_disappear_with_the_potentials_of_their_release(bakery, monkeypatch):
    first = put_online([(bakery, BAKER, 2.0)])
    read(bakery)
    for _ in range(2):
        put_online([(bakery, BAKER, 2.0)])
    monkeypatch.setattr(hiring_potentials, "KEPT_RETIRED_RELEASES", 0)
    hiring_potentials.clean_up(at=LATER)
    assert Release.objects.get(pk=first.pk).dropped_at
    assert not Explanation.objects.filter(release=first).exists()
    assert explanations.answer_asked(explain=explain, at=LATER) == 0


def test_a_reason_without_a_sentence_is_refused(bakery):
    put_online([(bakery, BAKER, 2.0)])
    read(bakery)
    with pytest.raises(ValueError, match="No sentence for: moon"):
        explanations.answer_asked(
            explain=lambda release_id, potentials: {bakery.siret: {BAKER: [Reason("moon", 1, {})]}}, at=NOW
        )
    assert explanations.is_asked()


def test_the_queries_do_not_grow_with_the_establishments(db, django_assert_num_queries):
    make_jobs()
    shops = make_establishments([(49.0, 6.0)] * 12)
    put_online([(shop, BAKER, 2.0) for shop in shops])
    read(shops[0], shops[1])
    with django_assert_num_queries(2):
        read(shops[0])
    with django_assert_num_queries(4):
        assert all(each.is_awaited for each in read(*shops))
    with django_assert_num_queries(2):
        read(*shops)


def test_a_page_asks_for_so_many_at_most(bakery, monkeypatch):
    shops = make_establishments([(49.0, 6.0)] * 3)
    put_online([(shop, BAKER, 2.0) for shop in shops])
    monkeypatch.setattr(explanations, "MOST_ASKED", 2)
    found = explanations.reasons_of(establishment_ids=[shop.pk for shop in shops], at=NOW)
    assert list(found) == [shops[0].pk, shops[1].pk]
    monkeypatch.setattr(explanations, "MOST_ANSWERED", 1)
    assert [explanations.answer_asked(explain=explain, at=NOW) for _ in range(3)] == [1, 1, 0]


@pytest.mark.django_db(transaction=True)
def test_two_workers_never_answer_the_same_question(bakery):
    put_online([(bakery, BAKER, 2.0)])
    read(bakery)

    def other_worker():
        try:
            return explanations.answer_asked(explain=explain, at=NOW)
        finally:
            connection.close()

    with transaction.atomic(), ThreadPoolExecutor(1) as pool:
        assert explanations.answer_asked(explain=explain, at=NOW) == 1
        assert pool.submit(other_worker).result() == 0
