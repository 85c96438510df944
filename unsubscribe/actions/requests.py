"""A request is asked by anyone, and done by who reads the mail of the establishment's known address.

Nothing that comes back tells whether an establishment or an address is known.
"""

import secrets
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import structlog
from django.core.files import File
from django.db import transaction
from django.utils.timezone import localdate

from companies.actions import contacts
from companies.enums import Channel, DecisionOrigin, DecisionReason, DecisionScope
from companies.models import Establishment, InvalidContact, clean_phone
from labonnealternance.accounts.models import digest_of
from labonnealternance.kit import limits
from labonnealternance.kit.http import network_of
from labonnealternance.kit.limits import Limit
from labonnealternance.mail import actions as mail
from unsubscribe import emails
from unsubscribe.actions import effects, why_shown
from unsubscribe.actions.effects import MOST_DECIDED, RefusedRequest
from unsubscribe.enums import CHANNELS, REASONS, Outcome, Proof, Status
from unsubscribe.models import MOST_JOBS, Request

logger = structlog.get_logger(__name__)

# An office where several people ask for their shops passes; a machine that tries SIRETs one by one does not.
PER_NETWORK = Limit("unsubscribe-network", count=60, per=timedelta(hours=1))
PER_SUBJECT = Limit("unsubscribe-subject", count=5, per=timedelta(hours=1))
# Each of them writes to an address that a visitor did not have to know: reached, nothing says so.
PER_KNOWN_ADDRESS = Limit("unsubscribe-letters", count=10, per=timedelta(hours=1))
# Documents are kept for support to read.
DOCUMENTS_PER_NETWORK = Limit("unsubscribe-documents", count=10, per=timedelta(hours=1))

LINK_LIFE = timedelta(hours=emails.LINK_HOURS)
LONGEST_PAUSE = timedelta(days=366)
LISTED_FOR = timedelta(days=365)
# Those that a page shows to be ticked; "all of them" reaches the others too.
MOST_SHOWN = 500


class LinkNotValid(Exception):
    """The link was never ours, was used, has expired, or its address is no longer the known one."""


@dataclass(frozen=True)
class Wish:
    """What is asked: ``ends_on`` ends a pause, ``channel`` is hidden, ``email`` and ``phone`` replace the known ones,
    ``rome_codes`` are the jobs to be listed for.
    """

    outcome: str
    reason: str = ""
    ends_on: date | None = None
    channel: str = Channel.ALL
    email: str = ""
    phone: str = ""
    rome_codes: tuple[str, ...] = ()
    comment: str = ""


def _columns(wish: Wish, *, at: datetime) -> dict[str, Any]:
    """The columns of ``wish``. Raises ``RefusedRequest``, whose ``faults`` name the fields."""
    today = localdate(at)
    told: dict[str, Any] = {"outcome": Outcome(wish.outcome), "comment": wish.comment.strip()}
    if wish.outcome in {Outcome.LEAVE, Outcome.PAUSE, Outcome.HIDE}:
        if wish.reason not in REASONS:
            raise RefusedRequest(reason="Choisissez un motif.")
        told["reason"] = wish.reason
    else:
        told["reason"] = DecisionReason.OTHER
    match wish.outcome:
        case Outcome.PAUSE:
            if wish.ends_on is None:
                raise RefusedRequest(ends_on="Indiquez le dernier jour de la pause.")
            if not today < wish.ends_on <= today + LONGEST_PAUSE:
                raise RefusedRequest(ends_on="Une pause finit dans l’année qui vient, demain au plus tôt.")
            told["ends_on"] = wish.ends_on
        case Outcome.HIDE:
            if wish.channel not in CHANNELS:
                raise RefusedRequest(channel="Choisissez le moyen de contact à masquer.")
            told["channel"] = wish.channel
        case Outcome.CORRECT:
            try:
                told |= {"email": wish.email, "phone": clean_phone(wish.phone)}
            except InvalidContact as refusal:
                raise RefusedRequest(phone=str(refusal)) from None
            if not wish.email and not told["phone"]:
                raise RefusedRequest(email="Donnez la nouvelle adresse, le nouveau téléphone, ou les deux.")
        case Outcome.BE_LISTED:
            codes = sorted(set(wish.rome_codes))
            if not 0 < len(codes) <= MOST_JOBS:
                raise RefusedRequest(job_1="Indiquez au moins un métier.")
            told |= {"rome_codes": codes, "ends_on": today + LISTED_FOR, "reason": DecisionReason.REQUESTED_LISTING}
    return told


def ask(*, scope: str, value: str, wish: Wish, ip: str, at: datetime) -> None:
    """Sends a link to the known address of the SIRET or address ``value``, where there is one.

    Raises ``RefusedRequest``, ``limits.TooMany``.
    """
    told = _columns(wish, at=at)
    limits.hit(PER_NETWORK, subject=network_of(ip), at=at)
    limits.hit(PER_SUBJECT, subject=value, at=at)
    address = known_address(scope=scope, value=value)
    if address:
        # Reached in silence: an answer of its own would tell that the address is known.
        with suppress(limits.TooMany):
            limits.hit(PER_KNOWN_ADDRESS, subject=address, at=at)
            _write(
                told=told,
                at=at,
                letter=emails.link_to_act,
                scope=scope,
                value=value,
                proof=Proof.MAILBOX,
                address=address,
            )
            # Known by the time the mail is read.
            why_shown.of_sirets(
                [value] if scope == DecisionScope.SIRET else contacts.sirets_of(email=value, limit=1), at=at
            )


def known_address(*, scope: str, value: str) -> str:
    """Where the link of a request about ``value`` goes: "" where nothing is known."""
    if scope == DecisionScope.SIRET:
        return contacts.known_contact(siret=value)
    return value if contacts.sirets_of(email=value, limit=1) else ""


@transaction.atomic
def _write(*, told: dict[str, Any], at: datetime, letter=None, **more) -> str:
    """Writes the request, and the ``letter`` that carries its link; returns the secret of the link."""
    token = secrets.token_urlsafe(32)
    request = Request.objects.create(digest=digest_of(token), asked_at=at, expires_at=at + LINK_LIFE, **told, **more)
    if letter:
        mail.write_many([letter(request=request, token=token)], at=at)
    logger.info("unsubscribe_asked", request=str(request.pk), outcome=request.outcome, proof=request.proof)
    return token


def ask_by_mail(*, siret: str, email: str, wish: Wish, ip: str, at: datetime) -> str:
    """The wish of who followed the link of a mail about ``siret``, sent to ``email``.

    Where the address is still the known one: the secret of the link that does it, to go on at once. That link lasts as
    long as the mail, and a mail is forwarded: what it can't take back by itself (another contact, a listing), and what
    another address decides by now, is asked as by anyone, and gives "". Raises ``RefusedRequest``, ``limits.TooMany``.
    """
    reversible = wish.outcome in {Outcome.LEAVE, Outcome.PAUSE, Outcome.HIDE}
    if not reversible or known_address(scope=DecisionScope.SIRET, value=siret) != email:
        ask(scope=DecisionScope.SIRET, value=siret, wish=wish, ip=ip, at=at)
        return ""
    told = _columns(wish, at=at)
    limits.hit(PER_NETWORK, subject=network_of(ip), at=at)
    return _write(
        told=told,
        at=at,
        scope=DecisionScope.SIRET,
        value=siret,
        proof=Proof.MAILBOX,
        address=email,
        is_narrow=True,
    )


def ask_support(
    *, siret: str, covers_company: bool, wish: Wish, address: str, document: File, ip: str, at: datetime
) -> None:
    """Keeps the request and its ``document`` for support, and sends to ``address`` the link that hands them over.

    Raises ``RefusedRequest``, ``limits.TooMany``.
    """
    told = _columns(wish, at=at)
    limits.hit(DOCUMENTS_PER_NETWORK, subject=network_of(ip), at=at)
    limits.hit(PER_SUBJECT, subject=address, at=at)
    _write(
        told=told,
        at=at,
        letter=emails.link_to_confirm,
        scope=DecisionScope.SIRET,
        value=siret,
        covers_company=covers_company,
        proof=Proof.DOCUMENT,
        address=address,
        document=document,
    )


# ── The link ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Place:
    """An establishment behind an address, as far as it is known."""

    siret: str
    name: str
    place: str


def find(*, token: str, proof: Proof, at: datetime) -> Request:
    """The request of a link, still to confirm or already confirmed; changes nothing. Raises ``LinkNotValid``."""
    request = Request.objects.filter(digest=digest_of(token), proof=proof).first()
    return _checked(request, at=at)


def _locked(*, token: str, proof: Proof, at: datetime) -> Request:
    rows = Request.objects.select_for_update(of=("self",))
    return _checked(rows.filter(digest=digest_of(token), proof=proof).first(), at=at)


def _checked(request: Request | None, *, at: datetime) -> Request:
    if request is None or (request.confirmed_at is None and not request.is_usable(at)):
        raise LinkNotValid
    return request


def sirets_behind(request: Request) -> list[str]:
    """Those that the reader of the link's mail speaks for: the one that was named first, then the others."""
    if request.is_narrow:
        is_known = contacts.known_contact(siret=request.value) == request.address
        return [request.value] if is_known else []
    found = contacts.sirets_of(email=request.address, limit=MOST_DECIDED)
    return sorted(found, key=lambda siret: siret != request.value)


def places(sirets: list[str]) -> list[Place]:
    """The first ``MOST_SHOWN`` of ``sirets``, named where they are known."""
    shown = sirets[:MOST_SHOWN]
    rows = Establishment.objects.filter(siret__in=shown).select_related("commune")
    known = {row.siret: row for row in rows}
    return [_place(siret, known.get(siret)) for siret in shown]


def _place(siret: str, row: Establishment | None) -> Place:
    if row is None:
        return Place(siret, "Établissement pas encore présent dans nos données", "")
    return Place(siret, row.display_name, f"{row.postcode} {row.commune.name if row.commune else ''}".strip())


@transaction.atomic
def act(*, token: str, sirets: Iterable[str], all_of_them: bool, at: datetime) -> Request:
    """Does what was asked for ``sirets``, or for all that the address speaks for, now and later; once.

    Raises ``LinkNotValid``; ``RefusedRequest`` where nothing, or something else than what the address speaks for, is
    chosen.
    """
    request = _locked(token=token, proof=Proof.MAILBOX, at=at)
    if request.status == Status.DONE:
        return request
    behind = sirets_behind(request)
    if not behind:
        raise LinkNotValid
    chosen = behind if all_of_them else list(dict.fromkeys(sirets))
    if not chosen:
        raise RefusedRequest(sirets="Cochez au moins un établissement.")
    if set(chosen) - set(behind):
        raise RefusedRequest(sirets="Un des établissements n’est pas rattaché à votre adresse : cochez-les de nouveau.")
    request.move(to=Status.CONFIRMED, by=None, at=at, reason="Lien suivi")
    targets = [(DecisionScope.SIRET, siret) for siret in chosen]
    if all_of_them and not request.is_narrow:
        targets.append((DecisionScope.EMAIL, request.address))
    effects.apply(request=request, targets=targets, by=None, at=at, origin=DecisionOrigin.MAIL_LINK)
    mail.write_many([emails.done(request=request, to=request.address)], at=at)
    return request


@transaction.atomic
def confirm(*, token: str, at: datetime) -> Request:
    """Hands the request over to support; twice is no error. Raises ``LinkNotValid``."""
    request = _locked(token=token, proof=Proof.DOCUMENT, at=at)
    if request.status == Status.ASKED:
        request.move(to=Status.CONFIRMED, by=None, at=at, reason="Adresse de réponse confirmée")
    return request
