"""The links of e-mails: bound to one act on one offer, open until thirty days after the last day they announced."""

import datetime as dt

import pytest
from django.core import signing
from django.test import override_settings

from offers.actions import links
from offers.actions.links import Act, BadLink, LinkExpired
from tests.factories import OfferFactory
from tests.offers.market import AT, paris

pytestmark = pytest.mark.django_db


@pytest.fixture
def offer():
    return OfferFactory(created_at=AT)


@pytest.mark.parametrize("act", Act)
def test_a_link_says_its_act_its_offer_and_the_last_day_it_was_written_for(offer, act):
    token = links.make(offer=offer, act=act)
    assert links.read(token=token, at=AT) == (offer.pk, act, dt.date(2026, 12, 23))
    offer.expires_on = dt.date(2027, 1, 10)
    offer.save()
    assert links.read(token=token, at=AT).expires_on == dt.date(2026, 12, 23)


def test_each_act_and_each_offer_has_a_link_of_its_own(offer):
    tokens = [*links.all_of(offer).values(), *links.all_of(OfferFactory(created_at=AT)).values()]
    assert len(set(tokens)) == 6


@pytest.mark.parametrize(
    "moment, opens",
    [((2026, 12, 24, 0, 0), True), ((2027, 1, 22, 23, 59, 59), True), ((2027, 1, 23, 0, 0), False)],
)
def test_a_link_opens_until_thirty_days_after_the_last_day_in_paris(offer, moment, opens):
    token = links.make(offer=offer, act=Act.FILLED)
    if opens:
        assert links.read(token=token, at=paris(*moment))
        return
    with pytest.raises(LinkExpired):
        links.read(token=token, at=paris(*moment))


def test_a_link_that_was_changed_at_any_place_opens_nothing(offer):
    token = links.make(offer=offer, act=Act.CLOSE)
    for place in range(len(token)):
        other = "A" if token[place] != "A" else "B"
        with pytest.raises(BadLink):
            links.read(token=token[:place] + other + token[place + 1 :], at=AT)


@pytest.mark.parametrize("token", ["", "x", ":", "é" * 10, "a:b:c", "." * 50, "\x00", "a" * 5000])
def test_what_is_no_link_opens_nothing(token):
    with pytest.raises(BadLink):
        links.read(token=token, at=AT)


def test_what_the_service_signed_for_something_else_opens_nothing(offer):
    said = [offer.pk.hex, "filled", offer.expires_on.toordinal()]
    for token in (signing.dumps(said), signing.dumps(said, salt="autre"), signing.dumps("x", salt="offers.links")):
        with pytest.raises(BadLink):
            links.read(token=token, at=AT)


def test_another_secret_opens_nothing(offer):
    token = links.make(offer=offer, act=Act.FILLED)
    with override_settings(SECRET_KEY="autre" * 20), pytest.raises(BadLink):
        links.read(token=token, at=AT)


def test_a_token_is_written_in_an_address_as_it_is(offer):
    token = links.make(offer=offer, act=Act.PROLONG)
    assert len(token) < 200
    assert all(sign.isalnum() or sign in "-_:" for sign in token)
