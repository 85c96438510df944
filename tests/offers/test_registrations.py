"""A recruiter comes: nothing holds before the address is proved, and the pages are the same whoever has it."""

import datetime as dt

import pytest
import time_machine
from django.db import transaction

from companies.actions.registrations import RefusedEstablishment
from companies.enums import OpcoOrigin
from companies.models import Establishment
from labonnealternance.accounts import actions as accounts
from labonnealternance.accounts.enums import Role
from labonnealternance.accounts.models import SignInLink, User
from labonnealternance.kit.limits import TooMany
from labonnealternance.mail.models import Message
from offers.actions import accesses, offers, registrations
from offers.actions.accesses import AccessDenied, NotForSupport
from offers.actions.registrations import RefusedRegistration
from offers.enums import AccessOrigin, AccessStatus, OfferEventKind, OfferStatus
from offers.models import Access, Offer, Registration
from tests.factories import (
    AccessFactory,
    ContactFactory,
    EstablishmentFactory,
    OpcoFactory,
    RegistrationFactory,
    StaffFactory,
    UserFactory,
    make_siret,
)
from tests.offers.market import AT, fields, job, new_key, together
from tests.offers.recruiter_journey import words

pytestmark = pytest.mark.django_db

__all__ = ["job"]

SIRET = make_siret(60)
LATER = AT + dt.timedelta(minutes=3)
TITLE = "Boulanger / Boulangère"


@pytest.fixture
def bakery():
    return EstablishmentFactory(siret=SIRET, name="BOULANGERIE DURAND")


@pytest.fixture
def begin(bakery):
    """A visitor's registration; what matters to a test is given."""

    def begun(**given):
        said = {
            "siret": SIRET, "email": "zoe@exemple.fr", "first_name": "Zoé", "last_name": "Durand",
            "phone": "01 99 00 00 18", "opco_code": "", "ip": "192.0.2.1", "at": AT,
        }  # fmt: skip
        return registrations.begin(**{**said, **given})

    return begun


@pytest.fixture
def deposit(job):
    def deposited(registration, *, at=AT, **given):
        return offers.deposit(
            access_id=registration.access_id,
            fields=fields(job, **given),
            key=new_key(),
            at=at,
            registration=registration,
        )

    return deposited


@pytest.fixture
def tokens(monkeypatch):
    """The tokens of the links that are sent, in order."""
    drawn = []

    def draw(size):
        drawn.append(f"jeton-{len(drawn)}-".ljust(43, "x"))
        return drawn[-1]

    monkeypatch.setattr("labonnealternance.accounts.actions.secrets.token_urlsafe", draw)
    return drawn


def send(registration, at=AT):
    registrations.send_link(registration_id=registration.pk, at=at)


def mails():
    return list(Message.objects.order_by("created_at", "pk").values_list("kind", flat=True))


# ── A visitor's word ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_a_visitor_says_is_kept_and_nothing_of_it_holds(begin, bakery):
    registration = begin()
    access, user = registration.access, registration.access.user
    assert (registration.first_name, registration.last_name, registration.phone) == ("Zoé", "Durand", "+33199000018")
    assert (access.establishment, access.status, access.confirmed_at) == (bakery, AccessStatus.AWAITING, None)
    assert access.origin == AccessOrigin.REGISTRATION
    assert (user.email, user.first_name, user.phone, user.email_confirmed_at) == ("zoe@exemple.fr", "", "", None)
    assert not user.has_usable_password()
    assert user.roles == []
    assert not Access.objects.awaiting().exists()
    assert not Message.objects.exists()


def test_the_same_form_sent_twice_is_one_registration(begin):
    assert begin() == begin()
    assert (Registration.objects.count(), Access.objects.count(), User.objects.count()) == (1, 1, 1)


def test_the_same_siret_and_address_said_otherwise_are_one_access(begin):
    assert begin().access == begin(first_name="Zoë", email=" ZOE@Exemple.fr ").access
    assert (Registration.objects.count(), Access.objects.count()) == (2, 1)


@pytest.mark.django_db(transaction=True)
def test_eight_forms_at_once_are_one_account_and_one_access(begin):
    answers = together(*[begin for _ in range(8)])
    assert len({registration.pk for registration in answers}) == 1
    assert (Access.objects.count(), User.objects.count()) == (1, 1)


def test_one_person_has_several_establishments_and_one_establishment_several_persons(begin):
    other = EstablishmentFactory(siret=make_siret(61))
    for siret, email in ((SIRET, "a@exemple.fr"), (other.siret, "a@exemple.fr"), (SIRET, "b@exemple.fr")):
        begin(siret=siret, email=email)
    assert (Access.objects.count(), User.objects.count()) == (3, 2)


def test_a_registry_that_is_down_stops_nobody(begin):
    registration = begin(siret=make_siret(62))
    assert registration.access.establishment.to_verify_since == AT


def test_what_companies_refuses_is_refused_here_and_leaves_nothing(begin):
    EstablishmentFactory(siret=make_siret(63), closed_on=dt.date(2020, 1, 1))
    with pytest.raises(RefusedEstablishment, match="fermé"):
        begin(siret=make_siret(63))
    assert not User.objects.exists()


@pytest.mark.parametrize(
    "given, field",
    [
        ({"email": ""}, "email"),
        ({"email": "zoe"}, "email"),
        ({"email": "é" * 300 + "@exemple.fr"}, "email"),
        ({"phone": ""}, "phone"),
        ({"phone": "08 99 00 00 00"}, "phone"),
        ({"phone": "12"}, "phone"),
        ({"first_name": " "}, "first_name"),
        ({"first_name": "a" * 101}, "first_name"),
        ({"first_name": "Gagnez www.exemple.fr"}, "first_name"),
        ({"last_name": "Du\x00rand"}, "last_name"),
        ({"last_name": "Du\u202erand"}, "last_name"),
        ({"opco_code": "autre"}, "opco"),
    ],
    ids=lambda given: str(given)[:50],
)
def test_what_can_not_be_kept_is_a_sentence_beside_its_field(begin, given, field):
    with pytest.raises(RefusedRegistration) as refusal:
        begin(**given)
    assert set(refusal.value.faults) == {field}
    assert refusal.value.faults[field].endswith(".")
    assert not User.objects.exists()


@pytest.mark.parametrize("name", ["D'Ëxemple-Ñ", "<script>alert(1)</script>", "李", "🙂", "Jean-Pierre Jr."])
def test_a_name_is_what_people_call_themselves(begin, name):
    assert begin(first_name=name).first_name == name


def test_a_network_and_an_address_have_their_limits(begin):
    for n in range(registrations.REGISTRATIONS_PER_ADDRESS.count):
        begin(ip=f"192.0.2.{n}")
    with pytest.raises(TooMany):
        begin(ip="192.0.2.99")
    for n in range(registrations.REGISTRATIONS_PER_NETWORK.count):
        begin(email=f"personne{n}@exemple.fr", ip="198.51.100.1")
    with pytest.raises(TooMany):
        begin(email="une-autre@exemple.fr", ip="198.51.100.1")
    begin(email="une-autre@exemple.fr", ip="198.51.100.2")


# ── The link ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_link_at_the_end_names_the_establishment_and_the_offer(begin, deposit):
    registration = begin()
    deposit(registration)
    send(registration)
    link, message = SignInLink.objects.get(), Message.objects.get()
    assert link.subject == f"registration:{registration.pk}"
    assert (link.address, link.next_path) == ("zoe@exemple.fr", "/recruteur/")
    assert (message.kind, message.recipient, message.confidential) == ("registration_link", "zoe@exemple.fr", True)
    assert "BOULANGERIE DURAND" in message.text_body
    assert TITLE in message.text_body


def test_a_button_pressed_twice_is_one_mail_and_after_a_minute_another(begin):
    registration = begin()
    for seconds, count in ((0, 1), (30, 1), (59, 1), (61, 2)):
        send(registration, at=AT + dt.timedelta(seconds=seconds))
        assert Message.objects.count() == count


def test_nobody_is_written_to_without_end(begin):
    registration = begin()
    at = AT
    with pytest.raises(TooMany):
        for _ in range(20):
            send(registration, at=at)
            at += dt.timedelta(seconds=61)
    assert Message.objects.count() == registrations.LINKS_PER_ADDRESS.count + 1


@pytest.mark.django_db(transaction=True)
def test_eight_buttons_at_once_are_one_mail(begin):
    registration = begin()
    together(*[lambda: send(registration) for _ in range(8)])
    assert mails() == ["registration_link"]


@pytest.mark.parametrize(
    "who, kind",
    [
        ("new", "registration_link"),
        ("known", "registration_link"),
        ("denied", "registration_refused"),
        ("shut", "registration_refused"),
        ("support", "registration_of_support"),
    ],
)
def test_whoever_has_the_address_the_visitor_gets_the_same_and_one_mail_leaves(begin, deposit, bakery, who, kind):
    if who != "new":
        make = StaffFactory if who == "support" else UserFactory
        user = make(email="zoe@exemple.fr", is_active=who != "shut", email_confirmed_at=AT)
        if who != "support":
            status = AccessStatus.DENIED if who == "denied" else AccessStatus.GRANTED
            AccessFactory(user=user, establishment=bakery, status=status)
    registration = begin()
    offer = deposit(registration)
    send(registration)
    registration.refresh_from_db()
    assert registration.link_sent_at == AT
    assert (offer.status, offer.confirmed_at) == (OfferStatus.AWAITING, None)
    assert mails() == [kind]
    assert Message.objects.get().recipient == "zoe@exemple.fr"
    assert SignInLink.objects.exists() == (kind == "registration_link")


# ── The confirmation ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def journey(begin, deposit, tokens):
    """A registration with an offer, whose link was sent."""

    def done(**given):
        registration = begin(**given)
        deposit(registration)
        send(registration)
        return registration

    return done


def test_the_link_s_use_confirms_all_that_it_named(journey, tokens):
    registration = journey()
    accounts.use_link(token=tokens[0], at=LATER)
    registration.refresh_from_db()
    access, offer = registration.access, Offer.objects.get()
    user = User.objects.get()
    assert (registration.confirmed_at, access.confirmed_at, offer.confirmed_at) == (LATER, LATER, LATER)
    assert (user.first_name, user.last_name, user.phone) == ("Zoé", "Durand", "+33199000018")
    assert user.email_confirmed_at == LATER
    assert user.roles == [Role.RECRUITER]
    assert (access.status, offer.status) == (AccessStatus.AWAITING, OfferStatus.AWAITING)
    assert list(Access.objects.awaiting()) == [access]
    assert offer.journal.get(kind=OfferEventKind.CONFIRMED).by == user


def page_of_link(client, token, at=LATER) -> str:
    with time_machine.travel(at, tick=False):
        answer = client.get(f"/compte/lien/{token}/")
    assert answer.status_code == 200
    return words(answer)


def test_the_link_s_page_repeats_what_its_button_confirms_and_opening_it_confirms_nothing(
    client, journey, deposit, tokens
):
    registration = journey()
    deposit(registration, at=AT + dt.timedelta(minutes=1), custom_title="Déposée après le lien")
    page = page_of_link(client, tokens[0])
    assert "votre inscription pour BOULANGERIE DURAND, SIRET 000 000 " in page
    assert f"votre offre « {TITLE} »" in page
    assert "Confirmer et me connecter" in page
    assert "Quitter sans confirmer" in page
    assert "Déposée après le lien" not in page
    registration.refresh_from_db()
    assert registration.confirmed_at is None
    assert not Offer.objects.filter(confirmed_at__isnull=False).exists()


@pytest.mark.parametrize("change", ["confirmed", "denied", "gone"])
def test_a_link_with_nothing_left_to_confirm_says_only_that_it_signs_in(client, journey, tokens, change):
    registration = journey()
    if change == "confirmed":
        registrations.confirm(registration_id=registration.pk, user=registration.access.user, at=LATER)
    elif change == "denied":
        Access.objects.update(status=AccessStatus.DENIED)
    else:
        Offer.objects.all().delete()
        registration.delete()
    page = page_of_link(client, tokens[0])
    assert "Ouvrir votre espace" in page
    assert "Confirmer" not in page


def test_whom_a_known_contact_vouches_for_is_published_by_the_link_alone(journey, tokens):
    ContactFactory(siret=SIRET, email="contact@durand.exemple.fr")
    journey(email="zoe@durand.exemple.fr")
    accounts.use_link(token=tokens[0], at=LATER)
    offer = Offer.objects.public(LATER).get()
    assert (offer.published_at, offer.expires_on) == (LATER, Offer.last_day_from(LATER))
    assert mails() == ["registration_link", "offer_published"]


@pytest.mark.django_db(transaction=True)
def test_the_link_used_eight_times_at_once_confirms_once(journey, tokens):
    ContactFactory(siret=SIRET, email="zoe@exemple.fr")
    journey()
    answers = together(*[lambda: accounts.use_link(token=tokens[0], at=LATER) for _ in range(8)])
    assert sum(isinstance(answer, SignInLink) for answer in answers) == 1
    assert mails().count("offer_published") == 1
    assert Access.objects.get().journal.count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_link_and_the_button_at_once_confirm_once(journey, tokens):
    ContactFactory(siret=SIRET, email="zoe@exemple.fr")
    registration = journey()
    user = User.objects.get()
    answers = together(
        lambda: accounts.use_link(token=tokens[0], at=LATER),
        *[lambda: registrations.confirm(registration_id=registration.pk, user=user, at=LATER) for _ in range(4)],
    )
    assert [answer for answer in answers if isinstance(answer, Exception)] == []
    assert mails().count("offer_published") == 1
    assert Offer.objects.get().journal.filter(kind=OfferEventKind.CONFIRMED).count() == 1


def test_an_ordinary_link_confirms_nothing_of_a_registration(journey, tokens):
    registration = journey()
    accounts.send_link(user=User.objects.get(), next_path="", at=AT)
    accounts.use_link(token=tokens[1], at=LATER)
    registration.refresh_from_db()
    assert (registration.confirmed_at, registration.access.confirmed_at) == (None, None)
    assert User.objects.get().first_name == ""
    assert list(Registration.objects.to_confirm()) == [registration]


def test_signed_in_by_an_ordinary_link_the_person_confirms_by_a_button_and_is_introduced(journey, tokens):
    registration = journey()
    accounts.send_link(user=User.objects.get(), next_path="", at=AT)
    user = accounts.use_link(token=tokens[1], at=LATER).user
    registrations.confirm(registration_id=registration.pk, user=user, at=LATER + dt.timedelta(minutes=1))
    user.refresh_from_db()
    assert (user.first_name, user.last_name, user.phone) == ("Zoé", "Durand", "+33199000018")
    assert not Registration.objects.to_confirm().exists()


def test_a_stranger_who_types_someone_s_address_changes_nothing_of_theirs(begin, deposit, bakery, tokens):
    person = UserFactory(email="zoe@exemple.fr", first_name="Zoé", last_name="Vraie", email_confirmed_at=AT)
    access = AccessFactory(user=person, establishment=bakery)
    registration = begin(first_name="Autre", last_name="Personne", phone="01 99 00 00 99")
    offer = deposit(registration)
    send(registration)
    accounts.send_link(user=person, next_path="", at=AT)
    accounts.use_link(token=tokens[1], at=LATER)
    for row in (person, access, offer):
        row.refresh_from_db()
    assert (person.first_name, person.last_name, person.phone) == ("Zoé", "Vraie", "")
    assert (access.status, access.confirmed_at) == (AccessStatus.GRANTED, access.asked_at)
    assert offer.status == OfferStatus.AWAITING
    # Confirmed by the person after all, the offer is theirs; the stranger's names still are not.
    registrations.confirm(registration_id=registration.pk, user=person, at=LATER)
    offer.refresh_from_db()
    person.refresh_from_db()
    assert offer.status == OfferStatus.ACTIVE
    assert (person.first_name, person.phone) == ("Zoé", "")


def test_what_was_deposited_after_the_link_left_is_not_confirmed_by_it(begin, deposit, tokens):
    registration = begin()
    first = deposit(registration)
    send(registration)
    second = deposit(registration, at=AT + dt.timedelta(minutes=1), custom_title="Glissée après coup")
    accounts.use_link(token=tokens[0], at=LATER)
    for offer in (first, second):
        offer.refresh_from_db()
    assert (first.confirmed_at, second.confirmed_at) == (LATER, None)
    assert list(Registration.objects.to_confirm()) == [registration]
    send(registration, at=LATER)
    assert "Glissée après coup" in Message.objects.filter(kind="registration_link").latest("created_at").text_body
    accounts.use_link(token=tokens[1], at=LATER + dt.timedelta(minutes=1))
    second.refresh_from_db()
    assert second.confirmed_at == LATER + dt.timedelta(minutes=1)


def test_another_s_registration_is_not_there(journey):
    registration = journey()
    with pytest.raises(Registration.DoesNotExist):
        registrations.confirm(registration_id=registration.pk, user=UserFactory(), at=LATER)
    assert Access.objects.get().confirmed_at is None


def test_confirmed_twice_nothing_more_happens(journey, tokens):
    registration = journey()
    accounts.use_link(token=tokens[0], at=LATER)
    user = User.objects.get()
    registrations.confirm(registration_id=registration.pk, user=user, at=LATER + dt.timedelta(days=1))
    registration.refresh_from_db()
    assert registration.confirmed_at == LATER
    assert Offer.objects.get().journal.filter(kind=OfferEventKind.CONFIRMED).count() == 1


def test_refused_meanwhile_the_link_signs_in_and_confirms_nothing(journey, tokens, support):
    registration = journey()
    accesses.deny(access_id=registration.access.pk, by=support, at=AT, reason="Non")
    link = accounts.use_link(token=tokens[0], at=LATER)
    registration.refresh_from_db()
    assert link.user.email == "zoe@exemple.fr"
    assert (registration.confirmed_at, registration.access.confirmed_at) == (None, None)
    with pytest.raises(AccessDenied, match=r"refusée\. Si vous pensez qu’il s’agit d’une erreur, écrivez à"):
        registrations.confirm(registration_id=registration.pk, user=link.user, at=LATER)
    assert not Registration.objects.to_confirm().exists()


def test_deleted_meanwhile_the_link_signs_in(journey, tokens):
    registration = journey()
    Offer.objects.all().delete()
    registration.delete()
    assert accounts.use_link(token=tokens[0], at=LATER).user.email_confirmed_at == LATER


def test_nothing_of_support_is_confirmed(begin, support):
    registration = begin(email=support.email)
    with pytest.raises(NotForSupport):
        registrations.confirm(registration_id=registration.pk, user=support, at=LATER)
    assert not Access.objects.filter(confirmed_at__isnull=False).exists()


def test_of_two_registrations_of_one_establishment_the_second_has_nothing_left_to_confirm(begin, deposit, tokens):
    first, second = begin(), begin(first_name="Zoë")
    send(first)
    assert Registration.objects.to_confirm().count() == 2
    accounts.use_link(token=tokens[0], at=LATER)
    assert not Registration.objects.to_confirm().exists()
    deposit(second)
    assert list(Registration.objects.to_confirm()) == [second]


def test_a_confirmation_that_fails_uses_no_link(journey, tokens, monkeypatch):
    journey()

    def broken(**_):
        raise RuntimeError("panne")

    monkeypatch.setattr("offers.actions.accesses.judge", broken)
    with pytest.raises(RuntimeError, match="panne"), transaction.atomic():
        accounts.use_link(token=tokens[0], at=LATER)
    assert SignInLink.objects.get().used_at is None
    monkeypatch.undo()
    assert Access.objects.get().confirmed_at is None


# ── The OPCO ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_opco_that_a_visitor_chose_is_written_once_they_are_confirmed(journey, tokens, bakery):
    OpcoFactory(code="akto", name="AKTO")
    journey(opco_code="akto")
    bakery.refresh_from_db()
    assert bakery.opco is None
    accounts.use_link(token=tokens[0], at=LATER)
    bakery.refresh_from_db()
    assert (bakery.opco_id, bakery.opco_is_certified) == ("akto", False)
    assert bakery.opco_journal.get().origin == OpcoOrigin.RECRUITER


@pytest.mark.parametrize("certified", [False, True])
def test_an_opco_that_is_known_is_not_changed_by_a_visitor(journey, tokens, bakery, certified):
    known, _ = OpcoFactory(code="opco-ep"), OpcoFactory(code="akto", name="AKTO")
    Establishment.objects.update(opco=known, opco_is_certified=certified)
    journey(opco_code="akto")
    accounts.use_link(token=tokens[0], at=LATER)
    bakery.refresh_from_db()
    assert bakery.opco == known


# ── Signed in ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def person():
    return UserFactory(email="zoe@exemple.fr", email_confirmed_at=AT)


def add(person, **given):
    return registrations.add_establishment(**{"user": person, "siret": SIRET, "opco_code": "", "at": AT, **given})


def test_someone_signed_in_adds_an_establishment_and_is_judged_at_once(person, bakery):
    ContactFactory(siret=SIRET, email="zoe@exemple.fr")
    access = add(person)
    assert (access.establishment, access.status, access.confirmed_at) == (bakery, AccessStatus.GRANTED, AT)
    assert access.origin == AccessOrigin.SPACE
    assert person.roles == [Role.RECRUITER]
    assert not Message.objects.exists()


def test_added_twice_it_is_the_same_access(person, bakery):
    assert add(person) == add(person)
    assert Access.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_added_in_eight_tabs_at_once_it_is_one_access(person, bakery):
    assert len({access.pk for access in together(*[lambda: add(person) for _ in range(8)])}) == 1


def test_a_denied_person_does_not_register_again_on_the_same_siret(person, bakery, settings):
    settings.CONTACT_EMAIL = "contact@exemple.fr"
    access = AccessFactory(user=person, establishment=bakery, status=AccessStatus.DENIED)
    with pytest.raises(AccessDenied, match=r"BOULANGERIE DURAND.*refusée.*contact@exemple\.fr"):
        add(person)
    access.refresh_from_db()
    assert access.status == AccessStatus.DENIED
    assert add(person, siret=EstablishmentFactory(siret=make_siret(64)).siret).status == AccessStatus.AWAITING


def test_what_a_visitor_had_begun_is_confirmed_by_who_adds_it_but_not_the_offers(person, begin, deposit):
    registration = begin()
    offer = deposit(registration)
    assert add(person) == registration.access
    offer.refresh_from_db()
    assert offer.confirmed_at is None
    assert list(Registration.objects.to_confirm()) == [registration]


def test_support_adds_no_establishment(support, bakery):
    with pytest.raises(NotForSupport):
        add(support)
    assert not Access.objects.exists()


def test_the_opco_that_someone_signed_in_chooses_is_written(person, bakery):
    OpcoFactory(code="akto", name="AKTO")
    add(person, opco_code="akto")
    bakery.refresh_from_db()
    assert bakery.opco_id == "akto"


# ── Through the pages of the accounts ────────────────────────────────────────────────────────────────────────────────


def test_the_link_of_the_mail_confirms_on_its_button_and_never_on_a_get(client, begin, deposit):
    registration = begin(at=dt.datetime.now(dt.UTC))
    deposit(registration, at=dt.datetime.now(dt.UTC), starts_on=dt.date.today() + dt.timedelta(days=30))
    send(registration, at=dt.datetime.now(dt.UTC))
    text = Message.objects.get().text_body
    path = next(line for line in text.splitlines() if "/lien/" in line).split("/", 3)[3]
    client.get(f"/{path}")
    registration.refresh_from_db()
    assert registration.confirmed_at is None
    answer = client.post(f"/{path}")
    assert (answer.status_code, answer["Location"]) == (302, "/recruteur/")
    registration.refresh_from_db()
    assert registration.confirmed_at is not None


def test_a_link_that_came_too_late_is_sent_again_and_confirms_the_same(client, begin):
    registration = begin(at=dt.datetime.now(dt.UTC))
    send(registration, at=dt.datetime.now(dt.UTC))
    token = Message.objects.get().text_body.split("/lien/")[1].split("/")[0]
    with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(minutes=11), tick=True):
        accounts.renew_link(token=token, ip="192.0.2.1", at=dt.datetime.now(dt.UTC))
        message = Message.objects.latest("created_at")
        assert message.kind == "registration_link"
        again = message.text_body.split("/lien/")[1].split("/")[0]
        accounts.use_link(token=again, at=dt.datetime.now(dt.UTC))
    registration.refresh_from_db()
    assert registration.confirmed_at is not None


def test_a_registration_of_a_denied_access_is_never_in_the_space(begin):
    registration = RegistrationFactory(access=AccessFactory(status=AccessStatus.DENIED))
    assert registration not in Registration.objects.to_confirm()
