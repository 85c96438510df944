"""The whole life of an offer after its deposit, as its recruiter and a candidate live it: the clock is moved, the
periodic tasks run, the e-mails are read and their links are opened in a browser that is signed in nowhere.
"""

import re
import uuid
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
import time_machine as clock_machine
from django.urls import reverse
from django.utils.timezone import localdate

from labonnealternance.kit.text import french_date
from labonnealternance.mail.models import Message
from offers import tasks
from offers.actions import offers as acts
from offers.enums import FilledThrough, OfferEventKind, OfferStatus, Outcome
from offers.models import LIFETIME, OfferReminder
from tests.browser.conftest import NARROW, violations
from tests.browser.test_recruiter_space import look, signed_in
from tests.factories import AccessFactory, EstablishmentFactory, UserFactory
from tests.offers.market import baker, fields, paris

pytestmark = pytest.mark.django_db(transaction=True)

# Its thirty days go through the last Sunday of March, when Paris loses an hour.
PUBLISHED_AT = paris(2027, 3, 10, 10, 0)


@pytest.fixture
def clock():
    """``clock(moment)`` moves the time of this process; the browser keeps its own."""
    with clock_machine.travel(PUBLISHED_AT, tick=True) as traveller:
        yield traveller.move_to


def run_the_tasks():
    """What beat does, twice over."""
    for _ in range(2):
        for task in (tasks.publish_ready, tasks.expire_due, tasks.remind_due):
            task()


def mail_of(kind, user):
    """The only e-mail of its kind that ``user`` was written."""
    return Message.objects.get(kind=kind, recipient=user.email)


def link_in(message, sentence):
    """The path of the link that follows ``sentence`` in the text of an e-mail."""
    found = re.search(re.escape(sentence) + r"\s*:?\s*\n(https?://\S+)", message.text_body)
    assert found, message.text_body
    return urlsplit(found.group(1)).path


def test_an_offer_is_published_prolonged_by_mail_expires_and_its_outcome_is_told_by_mail(visit, clock, live_server):
    user = UserFactory(email_confirmed_at=PUBLISHED_AT, joined_at=PUBLISHED_AT, first_name="Rachida")
    shop = EstablishmentFactory(name="BOULANGERIE DU SABLON")
    access = AccessFactory(user=user, establishment=shop, asked_at=PUBLISHED_AT)
    told = fields(baker(), starts_on=(PUBLISHED_AT + timedelta(days=90)).date(), custom_title="Apprenti boulanger")
    offer = acts.deposit(access_id=access.pk, fields=told, key=uuid.uuid4(), at=PUBLISHED_AT, by=user)
    page_of_offer = reverse("offers:offer", args=[offer.pk])
    faults = {}

    # A candidate, and links of e-mails: nobody is signed in here. 410 is what the public page ends with.
    with visit(page_of_offer, width=NARROW, bypass_csp=True, complaints_expected=True) as page:

        def check(name):
            page.wait_for_timeout(100)
            look(page, f"vie-{name}")
            if found := violations(page):
                faults[name] = found

        # Online from the second it was deposited, for thirty days that one change of hour does not shorten.
        assert offer.status == OfferStatus.ACTIVE
        assert offer.expires_on == (PUBLISHED_AT + LIFETIME).date()
        page.get_by_role("heading", name="Apprenti boulanger").wait_for()
        assert mail_of("offer_published", user)
        check("1-en-ligne")

        # Nothing is written the eighth day before the last one, and one e-mail the seventh.
        clock(paris(2027, 4, 1, 18, 0))
        run_the_tasks()
        assert not OfferReminder.objects.exists()
        clock(paris(2027, 4, 2, 9, 0))
        assert (offer.expires_on - localdate()).days == 7
        run_the_tasks()
        week = mail_of("offer_expires_soon", user)
        assert shop.name in week.text_body

        # Its link shows until when the offer would stay; the button does it, once.
        page.goto(link_in(week, "La publier 30 jours de plus"))
        new_last_day = localdate() + LIFETIME
        page.get_by_text(f"jusqu’au {french_date(new_last_day)} inclus").wait_for()
        check("2-prolonger")
        offer.refresh_from_db()
        assert offer.expires_on == (PUBLISHED_AT + LIFETIME).date()
        page.get_by_role("button", name="Prolonger de 30 jours").click()
        page.get_by_role("heading", name="C’est fait").wait_for()
        check("3-prolongee")
        offer.refresh_from_db()
        assert offer.expires_on == new_last_day
        page.goto(link_in(week, "La publier 30 jours de plus"))
        page.get_by_role("heading", name="L’offre est déjà prolongée").wait_for()

        # The former last day goes by, and the offer stays; its new week and its new eve are told, each once.
        clock(paris(2027, 4, 20, 9, 0))
        run_the_tasks()
        assert page.goto(page_of_offer).status == 200
        clock(paris(2027, 4, 25, 9, 0))
        run_the_tasks()
        assert Message.objects.filter(kind="offer_expires_soon").count() == 2
        clock(paris(2027, 5, 1, 9, 0))
        run_the_tasks()
        eve = mail_of("offer_expires_tomorrow", user)
        page.goto(link_in(eve, "Elle est pourvue"))
        page.get_by_role("button", name="Oui, grâce à La bonne alternance").wait_for()
        check("4-pourvue")

        # To the last minute of the last day in Paris, and not one more, task or no task.
        clock(paris(2027, 5, 2, 23, 59))
        run_the_tasks()
        assert page.goto(page_of_offer).status == 200
        clock(paris(2027, 5, 3, 0, 0))
        assert page.goto(page_of_offer).status == 410
        check("5-terminee")
        page.goto(link_in(eve, "La publier 30 jours de plus"))
        page.get_by_role("heading", name="L’offre est close").wait_for()
        clock(paris(2027, 5, 3, 9, 0))
        run_the_tasks()
        offer.refresh_from_db()
        assert (offer.status, offer.outcome) == (OfferStatus.EXPIRED, "")
        assert page.goto(page_of_offer).status == 410

        # The e-mail that asks the outcome gets it.
        asked = mail_of("offer_expired", user)
        page.goto(link_in(asked, "Elle est pourvue"))
        page.get_by_text("Elle est close depuis la fin du 2 mai 2027").wait_for()
        page.get_by_role("link", name="Oui, par un autre moyen").click()
        page.get_by_label("Par quel moyen").select_option(FilledThrough.NETWORK)
        check("6-issue")
        page.get_by_role("button", name="Envoyer ma réponse").click()
        page.get_by_role("heading", name="Merci, c’est noté").wait_for()
        check("7-merci")
        page.goto(link_in(asked, "Elle n’est pas pourvue"))
        page.get_by_role("heading", name="L’offre est déjà close").wait_for()

        # None of it opened a session.
        page.goto(reverse("offers:space"))
        page.get_by_role("heading", name="Se connecter").wait_for()

    offer.refresh_from_db()
    assert (offer.status, offer.outcome) == (OfferStatus.EXPIRED, Outcome.FILLED_ELSEWHERE)
    assert list(offer.journal.order_by("at", "pk").values_list("kind", flat=True)) == [
        OfferEventKind.DEPOSITED,
        OfferEventKind.PUBLISHED,
        OfferEventKind.PROLONGED,
        OfferEventKind.CLOSED,
        OfferEventKind.OUTCOME,
    ]

    # What the recruiter reads of it once signed in.
    path = reverse("offers:recruiter_offer", args=[offer.pk])
    with visit(path, width=NARROW, storage_state=signed_in(user, live_server)) as page:
        history = page.locator(".history").inner_text()
        look(page, "vie-8-historique")
        for line in (
            "Offre déposée",
            "Offre prolongée – Jusqu’au 2 mai 2027",
            "Offre expirée",
            "par vous, par le lien d’un e-mail",
        ):
            assert line in history
    assert Message.objects.filter(recipient=user.email).count() == 5
    assert faults == {}
