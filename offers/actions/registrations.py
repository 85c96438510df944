"""A recruiter comes: with an address to prove, by a link sent at the end of the journey; or signed in already.

What a visitor says holds nothing before the person who reads the address confirms it, and what the visitor is shown is
the same whoever has the address: new, known, refused there, of support.
"""

import contextlib
import uuid
from datetime import datetime, timedelta

import structlog
from django.db import IntegrityError, transaction
from django.urls import reverse

from companies.actions import opcos
from companies.actions import registrations as establishments
from companies.actions.opcos import RefusedOpco
from companies.enums import OpcoOrigin
from companies.models import Establishment, InvalidContact, Opco, clean_email, clean_phone
from labonnealternance.accounts.actions import give_role
from labonnealternance.accounts.actions import send_link as send_sign_in_link
from labonnealternance.accounts.enums import Role
from labonnealternance.accounts.models import SignInLink, User
from labonnealternance.kit import limits
from labonnealternance.kit.http import has_control_characters, network_of
from labonnealternance.kit.limits import Limit
from labonnealternance.kit.text import names_an_address
from labonnealternance.mail import actions as mail
from offers import emails
from offers.actions import accesses
from offers.actions.accesses import AccessDenied, NotForSupport
from offers.enums import AccessOrigin, AccessStatus, Door, OfferEventKind, OfferStatus
from offers.models import Access, Offer, OfferEvent, Registration

logger = structlog.get_logger(__name__)

# A firm registers its shops one after the other; a room of forty people behind one network is shown the service.
REGISTRATIONS_PER_ADDRESS = Limit("registration-address", count=10, per=timedelta(hours=1))
REGISTRATIONS_PER_NETWORK = Limit("registration-network", count=60, per=timedelta(hours=1))
LONGEST_NAME = 100
# A form sent twice, or an impatient button, is one mail.
LINKS_APART = timedelta(minutes=1)
LINKS_PER_ADDRESS = Limit("registration-link-address", count=10, per=timedelta(hours=1))


class RefusedRegistration(Exception):
    """What a visitor says of themselves can't be kept. ``faults``: the name of each field → its French sentence."""

    def __init__(self, faults: dict[str, str]):
        super().__init__(" ".join(faults.values()))
        self.faults = faults


# ── Someone who is not signed in ─────────────────────────────────────────────────────────────────────────────────────


def begin(
    *,
    siret: str,
    email: str,
    first_name: str,
    last_name: str,
    phone: str,
    opco_code: str,
    ip: str,
    at: datetime,
) -> Registration:
    """Keeps what a visitor says, in the name of an address that nobody has proved.

    The same SIRET and address make one access, however often and at once they come. Raises ``RefusedRegistration``,
    ``limits.TooMany``, and what ``companies`` refuses of an establishment.
    """
    email, said = _checked(email=email, first_name=first_name, last_name=last_name, phone=phone, opco_code=opco_code)
    limits.hit(REGISTRATIONS_PER_NETWORK, subject=network_of(ip), at=at)
    limits.hit(REGISTRATIONS_PER_ADDRESS, subject=email, at=at)
    establishment = establishments.keep(siret=siret, at=at)
    with transaction.atomic():
        access = _access(_person(email, at=at), establishment, origin=AccessOrigin.REGISTRATION, at=at)
        # The same form sent twice: the lock on the access makes the second one find the first.
        same = Registration.objects.pending().filter(access=access, link_sent_at__isnull=True, **said).first()
        return same or Registration.objects.create(access=access, created_at=at, **said)


def _checked(*, email: str, first_name: str, last_name: str, phone: str, opco_code: str) -> tuple[str, dict]:
    """The address, and the columns of a registration, as they are kept. Raises ``RefusedRegistration``."""
    faults = {}
    said: dict[str, str | None] = {"first_name": first_name.strip(), "last_name": last_name.strip(), "opco_id": None}
    for name, asked in (("first_name", "Indiquez votre prénom."), ("last_name", "Indiquez votre nom.")):
        text = said[name] or ""
        if not text:
            faults[name] = asked
        elif len(text) > LONGEST_NAME:
            faults[name] = f"{LONGEST_NAME} caractères au plus."
        elif names_an_address(text) or has_control_characters(text):
            faults[name] = "Un nom s’écrit sans adresse de site ni caractère invisible."
    try:
        email = clean_email(email)
        if not email:
            faults["email"] = "Indiquez une adresse e-mail."
    except InvalidContact as refusal:
        faults["email"] = str(refusal)
    try:
        said["phone"] = clean_phone(phone)
        if not said["phone"]:
            faults["phone"] = "Indiquez un numéro de téléphone."
    except InvalidContact as refusal:
        faults["phone"] = str(refusal)
    if opco_code:
        said["opco_id"] = opco_code
        if not Opco.objects.filter(code=opco_code).exists():
            faults["opco"] = "Choisissez un OPCO de la liste."
    if faults:
        raise RefusedRegistration(faults)
    return email, said


def _person(email: str, *, at: datetime) -> User:
    """The account of ``email``, made if need be; locked, so that neither time nor another tab takes it away."""
    known = User.objects.filter(email=email).select_for_update(no_key=True)
    user = known.first()
    if user is None:
        try:
            with transaction.atomic():
                user = User.objects.create_user(email, joined_at=at)
        except IntegrityError:
            user = known.get()
    return user


def _access(user: User, establishment: Establishment, *, origin: AccessOrigin, at: datetime) -> Access:
    """The access of ``user`` to ``establishment``, asked for if need be; locked."""
    Access.objects.bulk_create(
        [Access(user=user, establishment=establishment, origin=origin, asked_at=at)], ignore_conflicts=True
    )
    return (
        Access.objects.select_related("user", "establishment")
        .select_for_update(of=("self",), no_key=True)
        .get(user=user, establishment=establishment)
    )


@transaction.atomic
def send_link(*, registration_id: uuid.UUID, at: datetime) -> None:
    """At the end of the journey: writes to the address how to confirm, or why there is nothing to confirm.

    Asked again within a minute, the first mail is enough. Raises ``limits.TooMany``.
    """
    registration = (
        Registration.objects.select_related("access__user", "access__establishment")
        .select_for_update(of=("self",), no_key=True)
        .get(pk=registration_id)
    )
    sent_at, access = registration.link_sent_at, registration.access
    if sent_at:
        if at - sent_at < LINKS_APART:
            return
        limits.hit(LINKS_PER_ADDRESS, subject=access.user.email, at=at)
    registration.link_sent_at = at
    registration.save(update_fields=["link_sent_at"])
    if access.user.is_staff:
        mail.write_many([emails.registration_of_support(access=access)], at=at)
    elif access.status == AccessStatus.DENIED or not access.user.is_active:
        mail.write_many([emails.registration_refused(access=access)], at=at)
    else:
        send_sign_in_link(
            user=access.user, next_path=reverse("offers:space"), subject=emails.subject_of(registration), at=at
        )


def link_used(*, link: SignInLink, at: datetime) -> None:
    """A sign-in link was used (``settings.LINK_USED``): confirms the registration that it was sent for, if any.

    What was deposited after the link had left is not confirmed by it: its mail did not tell of it.
    """
    registration_id = emails.registration_of(link)
    if registration_id is None:
        return
    try:
        confirm(registration_id=registration_id, user=link.user, until=link.created_at, at=at)
    except (Registration.DoesNotExist, AccessDenied):
        # Deleted with time, or refused meanwhile: the person is signed in all the same, and the space says it.
        logger.info("registration_not_confirmed", registration=str(registration_id))


@transaction.atomic
def confirm(*, registration_id: uuid.UUID, user: User, at: datetime, until: datetime | None = None) -> Registration:
    """``user``, who has proved the address, says that the registration is theirs; then the access is judged.

    Confirmed are the access, and the registration's offers that were deposited ``until`` then (by default ``at``): what
    the person was shown. The names and the phone reach the account if nothing is known of the person. Safe to repeat.
    Raises ``Registration.DoesNotExist`` for another's, ``AccessDenied``.
    """
    registration = Registration.objects.select_related("opco").get(pk=registration_id, access__user=user)
    # The person first, then the access: the order in which a link's use locks them.
    person = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    access = (
        Access.objects.select_related("user", "establishment")
        .select_for_update(of=("self",), no_key=True)
        .get(pk=registration.access_id)
    )
    _may_act(access)
    _introduce(person, registration, at=at)
    _choose_opco(access.establishment, registration.opco, at=at)
    if registration.confirmed_at is None:
        registration.confirmed_at = at
        registration.save(update_fields=["confirmed_at"])
    _confirm_offers(registration, by=person, until=until or at, at=at)
    _confirm_access(access, at=at)
    logger.info("registration_confirmed", access=access.pk)
    return registration


def _may_act(access: Access) -> None:
    if access.user.is_staff:
        raise NotForSupport
    if access.status == AccessStatus.DENIED:
        raise AccessDenied(access)


def _introduce(user: User, registration: Registration, *, at: datetime) -> None:
    """The names and the phone of someone whose address was never confirmed before now, or of whom nothing is known."""
    if user.email_confirmed_at not in {None, at} and (user.first_name or user.last_name or user.phone):
        return
    user.first_name, user.last_name = registration.first_name, registration.last_name
    user.phone = registration.phone
    user.email_confirmed_at = user.email_confirmed_at or at
    user.save(update_fields=["first_name", "last_name", "phone", "email_confirmed_at"])


def _choose_opco(establishment: Establishment, opco: Opco | None, *, at: datetime) -> None:
    """A recruiter's word counts where nobody else has said anything."""
    if opco:
        # Certified already: what was chosen serves nothing, and harms nobody.
        with contextlib.suppress(RefusedOpco):
            opcos.assign(establishment_id=establishment.pk, opco=opco, origin=OpcoOrigin.RECRUITER, by=None, at=at)


def _confirm_offers(registration: Registration, *, by: User, until: datetime, at: datetime) -> None:
    offers = list(
        registration.offers.filter(status=OfferStatus.AWAITING, confirmed_at__isnull=True, created_at__lte=until)
        .select_for_update(no_key=True)
        .order_by("pk")
    )
    Offer.objects.filter(pk__in=[offer.pk for offer in offers]).update(confirmed_at=at)
    OfferEvent.objects.bulk_create(
        OfferEvent(
            offer=offer, kind=OfferEventKind.CONFIRMED, from_status=offer.status, to_status=offer.status, by=by, at=at,
            via=Door.MAIL_LINK,
        )
        for offer in offers
    )  # fmt: skip


def _confirm_access(access: Access, *, at: datetime) -> None:
    if access.confirmed_at is None:
        access.confirmed_at = at
        access.save(update_fields=["confirmed_at"])
        give_role(user=access.user, role=Role.RECRUITER)
    accesses.judge(access_id=access.pk, at=at)


# ── Someone who is signed in ─────────────────────────────────────────────────────────────────────────────────────────


def add_establishment(*, user: User, siret: str, opco_code: str, at: datetime) -> Access:
    """The access of someone signed in to one more establishment, judged at once; the same one where it is theirs.

    Raises ``AccessDenied``, ``NotForSupport``, and what ``companies`` refuses of an establishment.
    """
    if user.is_staff:
        raise NotForSupport
    establishment = establishments.keep(siret=siret, at=at)
    with transaction.atomic():
        access = _access(user, establishment, origin=AccessOrigin.SPACE, at=at)
        _may_act(access)
        _choose_opco(establishment, Opco.objects.filter(code=opco_code).first(), at=at)
        _confirm_access(access, at=at)
    access.refresh_from_db()
    return access
