"""A contact that is known later, or an address that changes, grants what waited for it: by itself, once, and told."""

import datetime as dt
from collections import Counter

import pytest
from django.db import connection

from companies.enums import Channel
from companies.models import Establishment
from labonnealternance.mail.models import Message
from offers.actions import accesses, clock
from offers.enums import AccessStatus, OfferStatus
from offers.models import Access
from tests.factories import (
    AccessFactory,
    ContactCorrectionFactory,
    ContactFactory,
    EstablishmentFactory,
    OfferFactory,
    UserFactory,
    make_siret,
)
from tests.offers.market import AT, together

pytestmark = pytest.mark.django_db

SIRET, SISTER, OTHER = make_siret(50), make_siret(50, branch=2), make_siret(51)
ASKED = AT - dt.timedelta(days=3)


def awaiting(email="zoe@durand.exemple.fr", *, siret=SIRET, **given):
    user = given.pop("user", None) or UserFactory(email=email, email_confirmed_at=ASKED)
    establishment = Establishment.objects.filter(siret=siret).first() or EstablishmentFactory(siret=siret)
    return AccessFactory(
        user=user, establishment=establishment, **{"status": AccessStatus.AWAITING, "confirmed_at": ASKED, **given}
    )


def mails():
    return Counter(Message.objects.values_list("kind", flat=True))


def is_granted(access):
    access.refresh_from_db()
    return access.status == AccessStatus.GRANTED


def contact_imported():
    ContactFactory(siret=SIRET, email="zoe@durand.exemple.fr")


def contact_of_a_sister_imported():
    ContactFactory(siret=SISTER, email="paie@durand.exemple.fr")


def contact_corrected():
    ContactFactory(siret=SIRET, email="ancien@gmail.com")
    ContactCorrectionFactory(siret=SIRET, channel=Channel.EMAIL, value="zoe@durand.exemple.fr")


def contact_of_a_sister_corrected():
    ContactCorrectionFactory(siret=SISTER, channel=Channel.EMAIL, value="paie@durand.exemple.fr")


@pytest.mark.parametrize(
    "learn, reason",
    [
        (contact_imported, accesses.KNOWN_CONTACT),
        (contact_corrected, accesses.KNOWN_CONTACT),
        (contact_of_a_sister_imported, accesses.KNOWN_DOMAIN),
        (contact_of_a_sister_corrected, accesses.KNOWN_DOMAIN),
    ],
)
def test_a_contact_known_later_grants_what_waited_and_the_person_is_told_once(learn, reason):
    access = awaiting()
    offer = OfferFactory(access=access, status=OfferStatus.AWAITING)
    assert clock.judge_awaiting(at=AT) == 0
    learn()
    assert clock.judge_awaiting(at=AT) == 1
    assert clock.judge_awaiting(at=AT) == 0
    assert is_granted(access)
    line = access.journal.get()
    assert (line.by, line.at, line.reason) == (None, AT, reason)
    offer.refresh_from_db()
    assert offer.status == OfferStatus.ACTIVE
    assert mails() == {"access_granted": 1, "offer_published": 1}


def test_a_person_who_takes_the_address_of_a_contact_is_granted():
    ContactFactory(siret=SIRET, email="durand@gmail.com")
    access = awaiting("zoe@gmail.com")
    assert clock.judge_awaiting(at=AT) == 0
    access.user.email = "durand@gmail.com"
    access.user.save()
    assert clock.judge_awaiting(at=AT) == 1
    assert is_granted(access)


def test_what_was_denied_stays_denied_and_what_nobody_vouches_for_waits():
    ContactFactory(siret=SIRET, email="paie@durand.exemple.fr")
    kept = [
        awaiting("a@durand.exemple.fr", status=AccessStatus.DENIED),
        awaiting("b@durand.exemple.fr", confirmed_at=None),
        awaiting(user=UserFactory(email="c@durand.exemple.fr", is_active=False)),
        awaiting(user=UserFactory(email="d@durand.exemple.fr", is_staff=True)),
        awaiting("e@durand.exemple.fr", siret=OTHER),
        awaiting("f@gmail.com"),
    ]
    ContactFactory(siret=SISTER, email="paie@gmail.com")
    before = {access.pk: access.status for access in kept}
    assert clock.judge_awaiting(at=AT) == 0
    assert dict(Access.objects.values_list("pk", "status")) == before
    assert not Message.objects.exists()


def test_an_address_that_was_corrected_since_vouches_for_nobody_and_hides_nobody_behind_it(monkeypatch):
    monkeypatch.setattr(clock, "BATCH", 1)
    ContactFactory(siret=SIRET, email="zoe@durand.exemple.fr")
    ContactCorrectionFactory(siret=SIRET, channel=Channel.EMAIL, value="")
    first = awaiting()
    ContactFactory(siret=OTHER, email="lea@martin.exemple.fr")
    second = awaiting("lea@martin.exemple.fr", siret=OTHER)
    assert clock.judge_awaiting(at=AT) == 1
    assert (is_granted(first), is_granted(second)) == (False, True)


@pytest.mark.django_db(transaction=True)
def test_four_clocks_at_once_grant_once():
    for n in range(5):
        ContactFactory(siret=make_siret(60 + n), email=f"zoe@durand-{n}.exemple.fr")
        awaiting(f"zoe@durand-{n}.exemple.fr", siret=make_siret(60 + n))
    assert sum(together(*[lambda: clock.judge_awaiting(at=AT) for _ in range(4)])) == 5
    assert mails() == {"access_granted": 5}


def test_contacts_are_found_by_their_siret_however_many_there_are():
    awaiting()
    with connection.cursor() as cursor:
        cursor.execute("""
            INSERT INTO companies_contact (siret, email, phone, source, imported_at)
            SELECT lpad(n::text, 14, '0'), 'x' || n || '@y' || n % 50 || '.exemple.fr', '', '', now()
            FROM generate_series(1, 20000) n
        """)
        cursor.execute("ANALYZE companies_contact, offers_access")
    waiting = Access.objects.awaiting().filter(
        clock.contacts.may_be_vouched_for(email="user__email", establishment="establishment")
    )
    # The alias follows the name: the table of corrections, whose name begins alike, is small enough to be read whole.
    assert "Seq Scan on companies_contact " not in waiting.explain()
