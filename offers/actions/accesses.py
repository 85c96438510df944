"""Who may act for an establishment: judged by what is known of it, granted or refused by a person."""

from datetime import datetime

import structlog
from django.conf import settings
from django.db import transaction
from django.utils.timezone import localtime

from companies.actions import contacts
from labonnealternance.accounts.models import User
from labonnealternance.kit.text import french_time
from labonnealternance.mail import actions as mail
from labonnealternance.mail.actions import Letter
from offers import emails
from offers.actions import offers
from offers.enums import AccessStatus, CancelReason, Door, OfferStatus, Outcome
from offers.models import Access, Offer

logger = structlog.get_logger(__name__)

KNOWN_CONTACT = "L’adresse est celle du contact connu de l’établissement."
KNOWN_DOMAIN = "Le domaine de l’adresse est celui d’un contact connu de l’entreprise."


class AccessDenied(Exception):
    """The person was refused the right to act for this establishment; the message says whom to write to, in French."""

    def __init__(self, access: Access):
        super().__init__(
            f"Votre demande pour l’établissement {access.establishment.display_name} "
            f"(SIRET {access.establishment.siret}) a été refusée. "
            f"Si vous pensez qu’il s’agit d’une erreur, écrivez à {settings.CONTACT_EMAIL}."
        )


class NotConfirmed(Exception):
    """Nobody proved yet that they read the address: there is nobody to judge."""

    def __init__(self):
        super().__init__("Cette personne n’a pas encore confirmé son adresse e-mail.")


class NotForSupport(Exception):
    """A member of support acts in the back-office, and has no access to an establishment."""

    def __init__(self):
        super().__init__("Une adresse du support n’agit pas pour un établissement : passez par le back-office.")


class AlreadyDecided(Exception):
    """Someone decided the same before; the message says who and when, in French."""

    def __init__(self, access: Access):
        last = access.journal.select_related("by").latest("at", "pk")
        who = f"par {last.by.get_full_name()}" if last.by else "automatiquement"
        super().__init__(
            f"Cet accès est déjà {access.get_status_display().lower()} : décidé {who} "
            f"le {localtime(last.at):%d/%m/%Y} à {french_time(last.at)}."
        )


def _locked(access_id: int) -> Access:
    rows = Access.objects.select_related("user", "establishment")
    return rows.select_for_update(of=("self",), no_key=True).get(pk=access_id)


def _why_granted(access: Access) -> str:
    """Why nobody needs to judge ``access``; empty where somebody must."""
    user, establishment = access.user, access.establishment
    if not user.is_active or user.is_staff:
        return ""
    if contacts.known_contact(siret=establishment.siret) == user.email:
        return KNOWN_CONTACT
    domain = user.email.rpartition("@")[2]
    if not contacts.is_free_mail(domain) and domain in contacts.known_domains(siren=establishment.siren):
        return KNOWN_DOMAIN
    return ""


def _grant_if_vouched_for(access: Access, *, at: datetime) -> bool:
    """Tells whether it did; what was decided is not judged again."""
    reason = _why_granted(access) if access.status == AccessStatus.AWAITING and access.confirmed_at else ""
    if reason:
        access.move(to=AccessStatus.GRANTED, by=None, at=at, reason=reason)
        logger.info("access_granted", access=access.pk, automatically=True)
    return bool(reason)


@transaction.atomic
def judge(*, access_id: int, at: datetime) -> Access:
    """Grants the access of someone confirmed whom a known contact vouches for; then publishes what waited for it.

    Otherwise it stays awaiting, for a person to decide, or for a contact to be known.
    """
    access = _locked(access_id)
    _grant_if_vouched_for(access, at=at)
    if access.status == AccessStatus.GRANTED:
        offers.publish_awaiting(access_id=access.pk, at=at)
    return access


@transaction.atomic
def judge_again(*, access_id: int, at: datetime) -> bool:
    """Judges an access that waits, by what is known now; whoever is granted one is told: they are on no page of ours
    any more. Tells whether it was granted.
    """
    access = _locked(access_id)
    granted = _grant_if_vouched_for(access, at=at)
    if granted:
        published = offers.publish_awaiting(access_id=access.pk, at=at)
        mail.write_many([emails.access_granted(access=access, published=published)], at=at)
    return granted


@transaction.atomic
def grant(*, access_id: int, by: User, at: datetime, reason: str = "") -> Access:
    """``by`` vouches for the person, who is told; their confirmed offers are published at once.

    Raises ``AlreadyDecided``, ``NotConfirmed``, ``NotForSupport``.
    """
    access = _locked(access_id)
    if access.status == AccessStatus.GRANTED:
        raise AlreadyDecided(access)
    if access.confirmed_at is None:
        raise NotConfirmed
    if access.user.is_staff:
        raise NotForSupport
    access.move(to=AccessStatus.GRANTED, by=by, at=at, reason=reason)
    published = offers.publish_awaiting(access_id=access.pk, at=at)
    mail.write_many([emails.access_granted(access=access, published=published)], at=at)
    logger.info("access_granted", access=access.pk, by=by.pk)
    return access


def denial_of(*, access: Access, reason: str) -> Letter:
    """What the person of ``access`` would read if it were refused now: to be shown before. Writes nothing."""
    cancelled = list(Offer.objects.live().filter(access=access).order_by("pk"))
    was_granted = access.status == AccessStatus.GRANTED
    return emails.access_denied(access=access, reason=reason, was_granted=was_granted, cancelled=cancelled)


@transaction.atomic
def deny(*, access_id: int, by: User, at: datetime, reason: str) -> Access:
    """``by`` refuses the person, who is told why; their offers there, awaiting or published, are cancelled.

    ``reason`` is written to the person as it is. Raises ``AlreadyDecided``.
    """
    access = _locked(access_id)
    if access.status == AccessStatus.DENIED:
        raise AlreadyDecided(access)
    was_granted = access.status == AccessStatus.GRANTED
    access.move(to=AccessStatus.DENIED, by=by, at=at, reason=reason)
    cancelled = list(Offer.objects.live().filter(access=access).select_for_update(no_key=True).order_by("pk"))
    Offer.move_all(
        cancelled,
        to=OfferStatus.CANCELLED,
        by=by,
        at=at,
        via=Door.SUPPORT if by.is_staff else Door.OPCO,
        reason=CancelReason.ACCESS_DENIED.label,
        outcome=Outcome.CANCELLED,
        cancel_reason=CancelReason.ACCESS_DENIED,
    )
    if access.confirmed_at:
        # Nobody is told of what they did not ask for: another may have typed their address.
        letter = emails.access_denied(access=access, reason=reason, was_granted=was_granted, cancelled=cancelled)
        mail.write_many([letter], at=at)
    logger.info("access_denied", access=access.pk, by=by.pk, offers=len(cancelled))
    return access
