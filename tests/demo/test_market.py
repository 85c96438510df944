"""The demo's market: made by the real actions, once, and told to who wants to try it."""

import datetime as dt

import pytest
from django.utils import timezone

from labonnealternance.accounts import demo as people
from labonnealternance.accounts.models import User
from labonnealternance.kit import demo_registry
from labonnealternance.mail.models import Message
from offers import demo
from offers.actions import registrations
from offers.enums import AccessStatus, OfferStatus, Outcome
from offers.models import Access, Offer
from tests.companies.potentials import put_online
from tests.factories import (
    CommuneFactory,
    ContactFactory,
    EstablishmentFactory,
    RomeAppellationFactory,
    RomeFactory,
    make_siret,
)

pytestmark = pytest.mark.django_db

BAKER, COOK, SELLER = JOBS = "D1102", "G1602", "D1106"


@pytest.fixture
def towns(tmp_path, monkeypatch):
    """Accounts, fifteen establishments of two towns in the release online, of which five are of companies that no
    address is known of.
    """
    monkeypatch.setattr(people, "state_dir", lambda: tmp_path)
    people._create()
    for code in JOBS:
        RomeFactory(code=code, label=f"Métier {code}")
        RomeAppellationFactory(rome_id=code, label=f"Boulanger {code}" if code == BAKER else f"Titre {code}")
    places = [
        CommuneFactory(),
        CommuneFactory(code="69381", name="Lyon 1er Arrondissement", latitude=45.77, longitude=4.83),
    ]
    shops = [EstablishmentFactory(siret=make_siret(n), commune=places[n % 2]) for n in range(1, 16)]
    for shop in shops[:10]:
        ContactFactory(siret=shop.siret, email=f"recrutement.{shop.siret}@exemple.fr")
    put_online([(shop, job, 1) for shop in shops for job in JOBS])
    return shops


@pytest.fixture
def market(towns):
    [step] = demo.steps()
    assert not step.is_done()
    step.run()
    assert step.is_done()


@pytest.mark.usefixtures("market")
def test_the_recruiter_has_an_access_with_three_offers_and_waits_for_another():
    own = Offer.objects.filter(access__user__email=demo.RECRUITER)
    granted, awaiting = (own.filter(access__status=status) for status in (AccessStatus.GRANTED, AccessStatus.AWAITING))
    today = timezone.localdate()
    assert sorted((offer.status, offer.expires_on - today) for offer in granted) == [
        (OfferStatus.ACTIVE, dt.timedelta(days=6)),
        (OfferStatus.ACTIVE, dt.timedelta(days=21)),
        (OfferStatus.FILLED, dt.timedelta(days=15)),
    ]
    assert granted.get(status=OfferStatus.FILLED).outcome == Outcome.FILLED_HERE
    read = granted.filter(days__isnull=False).with_counts().distinct().get()
    assert read.shown > read.opened > read.applied
    assert awaiting.get().status == OfferStatus.AWAITING


@pytest.mark.usefixtures("market")
def test_offers_of_every_town_are_public_and_people_wait_for_support():
    public = Offer.objects.public(timezone.now())
    assert set(public.values_list("establishment__commune__name", flat=True)) == {"Metz", "Lyon 1er Arrondissement"}
    assert public.values("published_at").distinct().count() > 5
    assert set(public.values_list("rome", flat=True)) == set(JOBS)
    assert Access.objects.awaiting().exclude(user__email=demo.RECRUITER).exists()
    assert all(line.by is None for line in Access.objects.granted().last().journal.all())


@pytest.mark.usefixtures("market")
def test_the_mailbox_holds_what_is_new_only():
    assert [message.kind for message in Message.objects.filter(recipient=demo.RECRUITER)] == ["offer_expires_soon"]
    assert not Message.objects.exclude(recipient=demo.RECRUITER).exists()


@pytest.mark.usefixtures("market")
def test_prepared_again_nothing_is_added_until_the_recruiter_s_offers_are_over(time_machine):
    before = Offer.objects.count()
    [step] = demo.steps()
    assert step.is_done()
    time_machine.move_to(timezone.now() + dt.timedelta(days=31))
    assert not step.is_done()
    step.run()
    assert step.is_done()
    assert Offer.objects.count() == 2 * before


@pytest.mark.usefixtures("market")
def test_the_registration_that_is_told_is_granted_to_one_address_and_waits_with_the_other():
    told = demo_registry.examples()["registration"]
    assert not Access.objects.filter(establishment__siret=told["siret"]).exists()
    now = timezone.now()
    for address, status in ((told["granted"], AccessStatus.GRANTED), (told["awaiting"], AccessStatus.AWAITING)):
        person = User.objects.create_user(address, email_confirmed_at=now)
        access = registrations.add_establishment(user=person, siret=told["siret"], opco_code="", at=now)
        assert access.status == status


@pytest.mark.usefixtures("market")
def test_the_recruiter_s_offers_and_pages_are_told(client):
    told = demo_registry.accounts()["recruiter"]
    assert set(told) >= {"email", "sign_in", "space", "siret", "offers"}
    assert set(told["offers"]) == {"ending", "read", "filled", "awaiting"}
    assert Offer.objects.get(pk=told["offers"]["ending"]).establishment.siret == told["siret"]
    pages = demo_registry.pages()
    shown = {"register", "offer_example", "offer_act_prolong", "offer_act_filled", "offer_act_close", "search_example"}
    assert {name: client.get(pages[name]).status_code for name in shown} == dict.fromkeys(shown, 200)
    client.force_login(User.objects.get(email=demo.RECRUITER), backend="django.contrib.auth.backends.ModelBackend")
    for name in ("space", "recruiter_offer_example"):
        assert client.get(pages[name]).status_code == 200


def test_without_establishments_nothing_is_made_and_nothing_fails(db, tmp_path, monkeypatch):
    monkeypatch.setattr(people, "state_dir", lambda: tmp_path)
    people._create()
    demo._open_the_market()
    assert not Offer.objects.exists()
    assert demo_registry.accounts()["recruiter"]["offers"] == {}
    assert demo_registry.examples() == {}
