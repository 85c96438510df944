"""The links of e-mails that prolong, fill or close an offer: a button, no session, nothing on a GET."""

import re
from datetime import timedelta

import pytest
from django.contrib.sessions.backends.base import SessionBase
from django.core import signing
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.timezone import localdate

from companies.models import spaced_siret
from labonnealternance.kit.text import french_date
from offers.actions import links
from offers.actions.links import KEPT, Act
from offers.enums import Door, OfferEventKind, OfferStatus, Outcome
from offers.models import LIFETIME, Offer
from tests.factories import AccessFactory, OfferFactory

pytestmark = pytest.mark.django_db

ENDS_IN = timedelta(days=7)


@pytest.fixture
def offer():
    """Online for seven days more."""
    made = OfferFactory(created_at=timezone.now() - LIFETIME + ENDS_IN)
    assert made.expires_on == localdate() + ENDS_IN
    return made


def address(offer, act):
    return reverse("offers:offer_act", args=[links.make(offer=offer, act=act)])


def state(offer):
    """All that an act could change."""
    return Offer.objects.values().get(pk=offer.pk), offer.journal.count()


@pytest.mark.parametrize("act", Act)
def test_the_page_says_which_offer_which_siret_and_has_a_button(client, offer, act):
    text = client.get(address(offer, act)).text
    assert offer.title in text
    assert spaced_siret(offer.establishment.siret) in text
    assert text.count('<form method="post"') == 1
    assert '<button type="submit"' in text


def test_the_page_says_until_when_the_offer_would_be_online(client, offer):
    text = client.get(address(offer, Act.PROLONG)).text
    assert f"jusqu’au {french_date(localdate() + LIFETIME)} inclus" in text


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE"])
@pytest.mark.parametrize("act", Act)
def test_nothing_but_post_acts(client, offer, act, method):
    before = state(offer)
    for query in ("", "?fait", "?autrement", "?outcome=filled_here"):
        client.generic(method, address(offer, act) + query)
    assert state(offer) == before


@pytest.mark.parametrize("act", Act)
def test_a_form_of_another_site_does_not_act(offer, act):
    before = state(offer)
    answer = Client(enforce_csrf_checks=True).post(address(offer, act), {"outcome": "filled_here"})
    assert answer.status_code == 403
    assert state(offer) == before


@pytest.mark.parametrize("act", Act)
def test_no_session_is_opened_and_the_secret_of_the_page_goes_to_no_other_site(client, offer, act, monkeypatch):
    monkeypatch.setattr(SessionBase, "cycle_key", lambda self: pytest.fail("a session was opened"))
    for answer in (
        client.get(address(offer, act)),
        client.head(address(offer, act)),
        client.post(address(offer, act), {"outcome": "filled_here"}),
        client.get(address(offer, act)),
        client.get(reverse("offers:offer_act", args=["rien"])),
    ):
        assert "session" not in answer.cookies
        assert answer["Referrer-Policy"] == "same-origin"
        assert "no-store" in answer["Cache-Control"]
        assert "noindex" in answer["X-Robots-Tag"]
        for tag in ('rel="canonical"', "og:url"):
            assert tag not in answer.text
    assert client.get(reverse("offers:space")).status_code == 302


def test_the_button_prolongs_by_thirty_days_from_now_once(client, offer):
    target = address(offer, Act.PROLONG)
    answer = client.post(target, follow=True)
    assert "C’est fait" in answer.text
    last_day = localdate() + LIFETIME
    assert f"en ligne jusqu’au {french_date(last_day)} inclus" in answer.text
    for _ in range(2):
        assert "L’offre est déjà prolongée" in client.post(target, follow=True).text
    assert "<form" not in client.get(target).text.split("<main")[1].split("</main")[0]
    offer.refresh_from_db()
    assert offer.expires_on == last_day
    [event] = offer.journal.all()
    assert (event.kind, event.via, event.by) == (OfferEventKind.PROLONGED, Door.MAIL_LINK, None)


def test_a_link_of_a_former_last_day_does_not_prolong_again(client, offer, time_machine):
    old = address(offer, Act.PROLONG)
    client.post(old)
    time_machine.move_to(timezone.now() + timedelta(days=25))
    assert "L’offre est déjà prolongée" in client.post(old, follow=True).text
    offer.refresh_from_db()
    fresh = address(offer, Act.PROLONG)
    assert "C’est fait" in client.post(fresh, follow=True).text


def test_a_link_used_after_the_last_day_says_that_the_offer_is_closed(client, offer):
    target = address(offer, Act.PROLONG)
    Offer.objects.filter(pk=offer.pk).update(expires_on=localdate() - timedelta(days=1))
    before = state(offer)
    text = client.post(target, follow=True).text
    assert "L’offre est close" in text
    assert "Dupliquez-la" in text
    assert state(offer) == before


def test_filled_here_is_one_button(client, offer):
    target = address(offer, Act.FILLED)
    text = client.get(target).text
    assert '<input type="hidden" name="outcome" value="filled_here">' in text
    answer = client.post(target, {"outcome": "filled_here"}, follow=True)
    assert "Merci, c’est noté" in answer.text
    offer.refresh_from_db()
    assert (offer.status, offer.outcome) == (OfferStatus.FILLED, Outcome.FILLED_HERE)
    assert offer.journal.get().via == Door.MAIL_LINK


def test_filled_by_another_means_asks_which(client, offer):
    target = address(offer, Act.FILLED)
    text = client.get(f"{target}?autrement").text
    assert 'value="filled_elsewhere" required checked' in text
    answer = client.post(target, {"outcome": "filled_elsewhere"})
    assert "Choisissez par quel moyen" in answer.text
    assert "Merci" in client.post(target, {"outcome": "filled_elsewhere", "filled_through": "cfa"}, follow=True).text
    offer.refresh_from_db()
    assert (offer.outcome, offer.filled_through) == (Outcome.FILLED_ELSEWHERE, "cfa")


def test_the_link_that_fills_an_offer_does_not_cancel_it(client, offer):
    before = state(offer)
    answer = client.post(address(offer, Act.FILLED), {"outcome": "cancelled", "cancel_reason": "mistake"})
    assert "Choisissez une réponse de la liste." in answer.text
    assert state(offer) == before


def test_the_link_that_closes_takes_any_outcome(client, offer):
    answer = client.post(
        address(offer, Act.CLOSE),
        {"outcome": "cancelled", "cancel_reason": "too_early", "comment": "a" * 500},
        follow=True,
    )
    assert "Je recruterai plus tard" in answer.text
    offer.refresh_from_db()
    assert (offer.status, offer.cancel_reason) == (OfferStatus.CANCELLED, "too_early")


@pytest.mark.parametrize("act", [Act.FILLED, Act.CLOSE])
def test_closing_twice_is_no_error_and_the_page_says_that_it_is_closed(client, offer, act):
    client.post(address(offer, act), {"outcome": "filled_here"})
    before = state(offer)
    answer = client.post(address(offer, act), {"outcome": "filled_elsewhere", "filled_through": "cfa"}, follow=True)
    assert answer.status_code == 200
    assert "L’offre est déjà close" in answer.text
    assert "Pourvue grâce à La bonne alternance" in answer.text
    assert state(offer) == before


@pytest.mark.parametrize("act", [Act.FILLED, Act.CLOSE])
def test_an_offer_that_expired_without_a_word_takes_its_outcome_by_link(client, act):
    offer = OfferFactory(status=OfferStatus.EXPIRED)
    assert "Elle est close depuis la fin du" in client.get(address(offer, act)).text
    assert "Merci" in client.post(address(offer, act), {"outcome": "filled_here"}, follow=True).text
    offer.refresh_from_db()
    assert (offer.status, offer.outcome) == (OfferStatus.EXPIRED, Outcome.FILLED_HERE)


def test_a_link_too_old_says_so(client, offer, time_machine):
    target = address(offer, Act.CLOSE)
    time_machine.move_to(timezone.now() + ENDS_IN + KEPT - timedelta(hours=1))
    assert client.get(target).status_code == 200
    time_machine.move_to(timezone.now() + timedelta(days=2))
    for method in ("get", "post"):
        answer = getattr(client, method)(target)
        assert answer.status_code == 410
        assert "Ce lien est trop ancien" in answer.text


def test_a_link_is_bound_to_its_act_and_its_offer(client, offer):
    other = OfferFactory(created_at=timezone.now() - LIFETIME + ENDS_IN)
    before = state(other)
    client.post(address(offer, Act.FILLED), {"outcome": "filled_here", "act": "close", "offer": str(other.pk)})
    assert state(other) == before
    prolong = OfferFactory(created_at=timezone.now() - LIFETIME + ENDS_IN)
    client.post(address(prolong, Act.PROLONG), {"outcome": "filled_here"})
    prolong.refresh_from_db()
    assert prolong.status == OfferStatus.ACTIVE


@pytest.mark.parametrize("change", ["cut", "turned", "other salt", "nothing", "garbage", "long"])
def test_a_link_that_nobody_signed_says_so_and_acts_on_nothing(client, offer, change):
    token = links.make(offer=offer, act=Act.CLOSE)
    forged = {
        "cut": token[:-4],
        "turned": token[::-1],
        "other salt": signing.dumps([offer.pk.hex, "close", offer.expires_on.toordinal()], salt="autre"),
        "nothing": "x",
        "garbage": "é🎉%00",
        "long": "a" * 3000,
    }[change]
    before = state(offer)
    for method in ("get", "post"):
        answer = getattr(client, method)(f"/recruteur/action/{forged}/", {"outcome": "filled_here"})
        assert answer.status_code in {400, 404}
        assert offer.title not in answer.text
    assert state(offer) == before


def test_a_link_to_an_offer_that_is_no_more_says_so(client, offer):
    target = address(offer, Act.CLOSE)
    offer.delete()
    assert client.get(target).status_code == 410


def test_the_pages_do_not_tell_the_person_behind_the_offer(client, offer):
    user = offer.access.user
    for act in Act:
        text = client.get(address(offer, act)).text
        assert user.email not in text
        assert user.last_name not in text


def test_an_act_takes_a_constant_number_of_queries(client, offer, django_assert_max_num_queries):
    AccessFactory(establishment=offer.establishment)
    with django_assert_max_num_queries(1):
        client.get(address(offer, Act.PROLONG))
    with django_assert_max_num_queries(10):
        client.post(address(offer, Act.PROLONG))


def test_what_was_typed_is_kept_beside_a_mistake(client, offer):
    answer = client.post(address(offer, Act.CLOSE), {"outcome": "cancelled", "comment": "<script>alert(1)</script>"})
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in answer.text
    assert "<script>alert(1)" not in answer.text
    assert re.search(
        r'aria-invalid="true" aria-describedby="id_cancel_reason_error"|aria-describedby="[^"]*id_cancel', answer.text
    )
