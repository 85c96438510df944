"""A limit holds when requests come at the same moment, and opens again."""

import contextlib
import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.utils import timezone

from labonnealternance.kit import limits
from labonnealternance.kit.limits import Limit, TooMany
from labonnealternance.kit.models import Counter

LIMIT = Limit("essai", count=3, per=dt.timedelta(minutes=10))


@pytest.mark.django_db
def test_beyond_the_limit_it_says_how_long_to_wait():
    at = timezone.now()
    for _ in range(3):
        limits.hit(LIMIT, subject="a", at=at)
    with pytest.raises(TooMany) as refusal:
        limits.hit(LIMIT, subject="a", at=at + dt.timedelta(minutes=9, seconds=30))
    assert (refusal.value.seconds, refusal.value.minutes) == (30, 1)
    limits.hit(LIMIT, subject="b", at=at)
    limits.hit(Limit("autre", count=3, per=LIMIT.per), subject="a", at=at)


@pytest.mark.django_db
def test_insisting_does_not_make_the_wait_longer_and_the_window_opens_again():
    at = timezone.now()
    for _ in range(20):
        with contextlib.suppress(TooMany):
            limits.hit(LIMIT, subject="a", at=at)
    assert Counter.objects.get().hits == 4
    for _ in range(3):
        limits.hit(LIMIT, subject="a", at=at + LIMIT.per)
    with pytest.raises(TooMany):
        limits.hit(LIMIT, subject="a", at=at + LIMIT.per)


@pytest.mark.django_db(transaction=True)
def test_of_eight_at_the_same_moment_three_pass():
    at = timezone.now()

    def hit(_):
        try:
            limits.hit(LIMIT, subject="a", at=at)
            return True
        except TooMany:
            return False
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(hit, range(8))) == 3


@pytest.mark.django_db
def test_counters_whose_window_is_over_are_forgotten():
    at = timezone.now()
    limits.hit(LIMIT, subject="a", at=at)
    limits.hit(LIMIT, subject="b", at=at + dt.timedelta(minutes=5))
    later = at + LIMIT.per
    assert limits.purge(at=later, dry_run=True) == 1
    assert Counter.objects.count() == 2
    assert limits.purge(at=later) == 1
    assert limits.purge(at=later) == 0
