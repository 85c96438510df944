"""The life of an offer: deposited, published, edited, prolonged, closed. A refusal is a sentence in French."""

import contextlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

import structlog
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.timezone import localdate

from companies.actions.job_sheets import JobSheet, UnknownJob, sheet_of
from companies.models import Establishment
from labonnealternance.accounts.models import User
from labonnealternance.kit.http import has_control_characters
from labonnealternance.kit.text import french_date, names_an_address
from labonnealternance.mail import actions as mail
from offers import emails
from offers.actions import links
from offers.enums import (
    RECRUITER_CANCEL_REASONS,
    AccessStatus,
    CancelReason,
    ContractType,
    Door,
    FilledThrough,
    Level,
    OfferEventKind,
    OfferStatus,
    Outcome,
)
from offers.models import (
    LONGEST_DURATION,
    LONGEST_PRESENTATION,
    LONGEST_QUESTION,
    LONGEST_TITLE,
    MOST_POSITIONS,
    MOST_QUESTIONS,
    SHORTEST_DURATION,
    SHORTEST_PRESENTATION,
    SHORTEST_TITLE,
    Access,
    Offer,
    OfferEvent,
    Registration,
)

logger = structlog.get_logger(__name__)

YEARS_AHEAD = 2
LONGEST_COMMENT = 500
INVISIBLE = "Ce texte contient un caractère invisible qui n’est pas accepté : tapez-le de nouveau."
# An address that nobody has proved holds no more than these.
MOST_UNCONFIRMED = 3


class RefusedOffer(Exception):
    """What was asked of an offer is not done; the message is a sentence for the person.

    ``faults``: the name of each field of ``OfferFields`` that is wrong → its own sentence.
    """

    def __init__(self, sentence: str, faults: dict[str, str] | None = None):
        super().__init__(sentence)
        self.faults = faults or {}


class AlreadyProlonged(RefusedOffer):
    """Someone prolonged the offer since the link was written: it is not done twice."""


@dataclass(frozen=True, kw_only=True)
class OfferFields:
    """What a recruiter may say of an offer; the job's title and the start are enough.

    ``skills`` and ``knowledge`` are those kept of the job's sheet, by their labels; None keeps them all.
    """

    appellation_ogr: int | None
    starts_on: date
    custom_title: str = ""
    contract_types: Sequence[str] = (ContractType.APPRENTICESHIP,)
    level: str = ""
    duration_months: int = 12
    positions: int = 1
    presentation: str = ""
    questions: Sequence[str] = field(default_factory=tuple)
    shows_phone: bool = False
    skills: Sequence[str] | None = None
    knowledge: Sequence[str] | None = None


def fields_of(offer: Offer) -> OfferFields:
    """What was said of ``offer``: to show it in its form, or to begin another like it."""
    return OfferFields(
        appellation_ogr=offer.appellation_id,
        starts_on=offer.starts_on,
        custom_title=offer.custom_title,
        contract_types=tuple(offer.contract_types),
        level=offer.level,
        duration_months=offer.duration_months,
        positions=offer.positions,
        presentation=offer.presentation,
        questions=tuple(offer.questions),
        shows_phone=offer.shows_phone,
        skills=tuple(offer.skills),
        knowledge=tuple(offer.knowledge),
    )


# ── What may be said ─────────────────────────────────────────────────────────────────────────────────────────────────


def last_start(at: datetime) -> date:
    """The latest day that an offer may start on, said at ``at``."""
    today = localdate(at)
    try:
        return today.replace(year=today.year + YEARS_AHEAD)
    except ValueError:  # the 29th of February
        return today.replace(year=today.year + YEARS_AHEAD, day=28)


def _tidy(fields: OfferFields) -> OfferFields:
    """The same, as it is kept: without spaces around, empty questions, nor the same contract twice."""
    return replace(
        fields,
        custom_title=fields.custom_title.strip(),
        contract_types=[kind.value for kind in ContractType if kind in fields.contract_types],
        presentation=fields.presentation.replace("\r\n", "\n").strip(),
        questions=[question.strip() for question in fields.questions if question.strip()],
    )


def _faults(fields: OfferFields, *, sheet: JobSheet, at: datetime, known: Offer | None) -> dict[str, str]:
    """The sentences of what is wrong in ``fields``, which are tidy; ``known`` is the offer that they change.

    What an offer holds already stands, whatever the calendar and the nomenclature have become since.
    """
    faults = {}
    title = fields.custom_title
    if title and not SHORTEST_TITLE <= len(title) <= LONGEST_TITLE:
        faults["custom_title"] = f"Le titre a de {SHORTEST_TITLE} à {LONGEST_TITLE} caractères."
    elif names_an_address(title):
        faults["custom_title"] = "Le titre ne contient ni adresse de site, ni adresse e-mail."
    elif has_control_characters(title):
        faults["custom_title"] = INVISIBLE
    if not fields.contract_types:
        faults["contract_types"] = "Choisissez au moins un type de contrat."
    if fields.level and fields.level not in Level:
        faults["level"] = "Choisissez un diplôme de la liste."
    if not SHORTEST_DURATION <= fields.duration_months <= LONGEST_DURATION:
        faults["duration_months"] = f"Un contrat dure de {SHORTEST_DURATION} à {LONGEST_DURATION} mois."
    if not 1 <= fields.positions <= MOST_POSITIONS:
        faults["positions"] = f"Une offre a de 1 à {MOST_POSITIONS} postes."
    if not (known and fields.starts_on == known.starts_on):
        if fields.starts_on < localdate(at):
            faults["starts_on"] = "La date de début est passée : indiquez une date à partir d’aujourd’hui."
        elif fields.starts_on > last_start(at):
            faults["starts_on"] = f"La date de début est dans {YEARS_AHEAD} ans au plus."
    presentation = fields.presentation
    if presentation and not SHORTEST_PRESENTATION <= len(presentation) <= LONGEST_PRESENTATION:
        faults["presentation"] = (
            f"La présentation a de {SHORTEST_PRESENTATION} à {LONGEST_PRESENTATION} caractères, ou reste vide."
        )
    elif has_control_characters(presentation, allowed="\n\t"):
        faults["presentation"] = INVISIBLE
    if len(fields.questions) > MOST_QUESTIONS:
        faults["questions"] = f"Posez {MOST_QUESTIONS} questions au plus."
    elif any(len(question) > LONGEST_QUESTION for question in fields.questions):
        faults["questions"] = f"Une question a au plus {LONGEST_QUESTION} caractères."
    elif any(has_control_characters(question) for question in fields.questions):
        faults["questions"] = INVISIBLE
    for name in ("skills", "knowledge"):
        chosen = getattr(fields, name)
        allowed = {*getattr(sheet, name), *(getattr(known, name) if known else ())}
        if chosen is not None and not set(chosen) <= allowed:
            faults[name] = "Choisissez dans la liste du métier."
    return faults


def _sheet(fields: OfferFields, *, read: JobSheet | None = None, known: Offer | None = None) -> JobSheet:
    """The sheet of the job that is told; an offer whose title left the nomenclature keeps its job."""
    told = fields.appellation_ogr
    if told is not None and read and read.appellation and read.appellation.pk == told:
        return read
    with contextlib.suppress(UnknownJob):
        if told is not None:
            return sheet_of(appellation_ogr=told)
        if known:
            return sheet_of(rome_code=known.rome_id)
    sentence = "Choisissez un métier dans la liste."
    raise RefusedOffer(sentence, {"appellation_ogr": sentence})


def _columns(
    fields: OfferFields, *, sheet: JobSheet, at: datetime, phone: str, known: Offer | None = None
) -> dict[str, object]:
    """The columns that ``fields`` make. Raises ``RefusedOffer``."""
    fields = _tidy(fields)
    faults = _faults(fields, sheet=sheet, at=at, known=known)
    if fields.shows_phone and not phone:
        faults["shows_phone"] = "Indiquez d’abord votre téléphone dans vos coordonnées."
    if faults:
        raise RefusedOffer(" ".join(faults.values()), faults)
    same_job = known is not None and known.appellation_id == fields.appellation_ogr
    told = known if same_job else None

    def kept(name: str) -> list[str]:
        offered = list(dict.fromkeys([*getattr(sheet, name), *(getattr(told, name) if told else [])]))
        chosen = getattr(fields, name)
        return offered if chosen is None else [label for label in offered if label in set(chosen)]

    return {
        "rome": sheet.rome,
        "appellation": sheet.appellation,
        "job_label": told.job_label if told else sheet.label,
        "description": told.description if told else sheet.definition,
        "skills": kept("skills"),
        "knowledge": kept("knowledge"),
        "custom_title": fields.custom_title,
        "contract_types": fields.contract_types,
        "level": fields.level,
        "duration_months": fields.duration_months,
        "positions": fields.positions,
        "starts_on": fields.starts_on,
        "presentation": fields.presentation,
        "questions": fields.questions,
        "shows_phone": fields.shows_phone,
    }


def draft(
    *,
    establishment: Establishment,
    fields: OfferFields,
    phone: str,
    at: datetime,
    sheet: JobSheet | None = None,
    known: Offer | None = None,
) -> Offer:
    """The offer that ``fields`` would make, or make of ``known``, to be read before it is kept: nothing is saved.

    ``phone`` is what the offer may show, ``sheet`` the job's, where the form has read it. Raises ``RefusedOffer``.
    """
    sheet = _sheet(fields, read=sheet, known=known)
    return Offer(establishment=establishment, **_columns(fields, sheet=sheet, at=at, phone=phone, known=known))


# ── From the deposit to the publication ──────────────────────────────────────────────────────────────────────────────


def deposit(
    *,
    access_id: int,
    fields: OfferFields,
    key: uuid.UUID,
    at: datetime,
    by: User | None = None,
    registration: Registration | None = None,
    sheet: JobSheet | None = None,
) -> Offer:
    """An offer of the access's establishment: published at once where nothing is left to wait for.

    ``by`` is the person who is signed in; without them the offer belongs to a ``registration``, and waits for the
    address to be proved. ``key`` is drawn with the form: sent twice, even at the same moment, it is one offer.
    ``sheet`` is the job's, where the form has read it. Raises ``RefusedOffer``.
    """
    if (by is None) == (registration is None):
        raise ValueError("an offer is deposited by someone signed in, or within a registration")
    sheet = _sheet(fields, read=sheet)
    try:
        with transaction.atomic():
            return _deposit(access_id, fields, sheet, key, at=at, by=by, registration=registration)
    except IntegrityError as fault:
        if "deposit_key" not in str(fault):
            raise
    twin = Offer.objects.filter(deposit_key=key, access=access_id).first()
    if twin is None:
        # The key of another access's form: nothing is said of what it made.
        raise RefusedOffer("Ce formulaire a déjà servi : rechargez la page.")
    return twin


def _deposit(
    access_id: int,
    fields: OfferFields,
    sheet: JobSheet,
    key: uuid.UUID,
    *,
    at: datetime,
    by: User | None,
    registration: Registration | None,
) -> Offer:
    # The lock makes a deposit and a refusal of the access follow each other: nothing is published after a refusal.
    access = (
        Access.objects.select_related("user", "establishment")
        .select_for_update(of=("self",), no_key=True)
        .get(pk=access_id)
    )
    establishment = access.establishment
    if by and access.status == AccessStatus.DENIED:
        raise RefusedOffer("Le droit de publier des offres pour cet établissement vous a été refusé.")
    if establishment.refusal or (establishment.closed_on and establishment.closed_on <= localdate(at)):
        raise RefusedOffer("Une offre ne peut pas être déposée pour cet établissement : il est fermé, ou refusé.")
    if registration:
        if registration.access_id != access.pk:
            raise ValueError("the registration is another access's")
        if registration.offers.exclude(deposit_key=key).count() >= MOST_UNCONFIRMED:
            raise RefusedOffer(
                "Confirmez d’abord votre adresse avec le lien reçu par e-mail : "
                "vous déposerez vos autres offres depuis votre espace."
            )
    offer = Offer.objects.create(
        access=access,
        establishment=establishment,
        registration=registration,
        deposit_key=key,
        created_at=at,
        confirmed_at=at if by else None,
        **_columns(fields, sheet=sheet, at=at, phone=registration.phone if registration else access.user.phone),
    )
    _note(offer, OfferEventKind.DEPOSITED, by=by, at=at, via=_door_of(by))
    logger.info("offer_deposited", offer=offer.pk, access=access.pk)
    if by and access.status == AccessStatus.GRANTED:
        [offer] = _publish(Offer.objects.publishable().filter(pk=offer.pk), at=at) or [offer]
    return offer


def _door_of(by: User | None) -> Door:
    return Door.SUPPORT if by and by.is_staff else Door.SPACE


def _note(offer: Offer, kind: OfferEventKind, *, by: User | None, at: datetime, via: Door, reason: str = "") -> None:
    """A line of the journal for what is not a move."""
    OfferEvent.objects.create(
        offer=offer, kind=kind, from_status=offer.status, to_status=offer.status, by=by, at=at, via=via, reason=reason
    )


def _publish(rows: QuerySet[Offer], *, at: datetime) -> list[Offer]:
    """Publishes ``rows``, which are publishable and locked by being read, each with its e-mail; in a transaction."""
    offers = list(rows.select_related("access__user", "access__establishment"))
    if offers:
        Offer.move_all(offers, to=OfferStatus.ACTIVE, by=None, at=at, via=Door.CLOCK, kind=OfferEventKind.PUBLISHED)
        mail.write_many([emails.offer_published(offer=offer, tokens=links.all_of(offer)) for offer in offers], at=at)
        logger.info("offers_published", count=len(offers))
    return offers


@transaction.atomic
def publish_awaiting(*, access_id: int, at: datetime) -> int:
    """Publishes the offers of an access that nothing holds back any more; returns their number."""
    waiting = Offer.objects.publishable().filter(access_id=access_id).order_by("pk")
    return len(_publish(waiting.select_for_update(of=("self",), no_key=True), at=at))


@transaction.atomic
def publish_batch(*, at: datetime, size: int) -> int:
    """Publishes the oldest ``size`` offers that nothing holds back; returns their number.

    Those that someone works on at the same moment are left to them.
    """
    waiting = Offer.objects.publishable().order_by("created_at", "pk")
    return len(_publish(waiting.select_for_update(of=("self",), no_key=True, skip_locked=True)[:size], at=at))


# ── While it is published ────────────────────────────────────────────────────────────────────────────────────────────


def _locked(offer_id: uuid.UUID) -> Offer:
    rows = Offer.objects.select_related("access__user", "access__establishment")
    return rows.select_for_update(of=("self",), no_key=True).get(pk=offer_id)


def _refuse_the_closed(offer: Offer, *, at: datetime) -> None:
    """An offer beyond its last day is closed, even in the minutes before the clock says so."""
    if offer.closed_at or (offer.expires_on and offer.expires_on < localdate(at)):
        raise RefusedOffer("Cette offre est close. Pour la publier de nouveau, dupliquez-la depuis votre espace.")


@transaction.atomic
def edit(*, offer_id: uuid.UUID, fields: OfferFields, by: User, at: datetime, sheet: JobSheet | None = None) -> Offer:
    """Changes what an awaiting or published offer says; its days stay what they are. Raises ``RefusedOffer``."""
    offer = _locked(offer_id)
    _refuse_the_closed(offer, at=at)
    sheet = _sheet(fields, read=sheet, known=offer)
    columns = _columns(fields, sheet=sheet, at=at, phone=offer.access.user.phone, known=offer)
    changed = [name for name, value in columns.items() if getattr(offer, name) != value]
    if not changed:
        return offer
    for name in changed:
        setattr(offer, name, columns[name])
    offer.edited_at = at
    offer.save(update_fields=[*changed, "edited_at"])
    told = ", ".join(str(getattr(Offer._meta.get_field(name), "verbose_name", name)) for name in changed)
    _note(offer, OfferEventKind.EDITED, by=by, at=at, via=_door_of(by), reason=told)
    return offer


@transaction.atomic
def prolong(*, offer_id: uuid.UUID, by: User | None, at: datetime, via: Door, seen: date | None = None) -> Offer:
    """Gives a published offer 30 days from ``at``.

    ``seen`` is the last day that the person was told: where it is another one, nothing is done. Raises
    ``AlreadyProlonged`` where someone prolonged the offer since, ``RefusedOffer`` for an offer that is not published.
    """
    offer = _locked(offer_id)
    _refuse_the_closed(offer, at=at)
    if offer.status != OfferStatus.ACTIVE:
        raise RefusedOffer("Cette offre n’est pas encore publiée : ses 30 jours commenceront à sa publication.")
    if seen and offer.expires_on != seen:
        assert offer.expires_on
        if seen < offer.expires_on and offer.journal.filter(kind=OfferEventKind.PROLONGED).exists():
            raise AlreadyProlonged(
                f"Cette offre a déjà été prolongée : elle est publiée jusqu’au {_day(offer)} inclus."
            )
        raise RefusedOffer(
            "Cette offre n’a pas été prolongée : la page n’était pas à jour. "
            f"Elle est publiée jusqu’au {_day(offer)} inclus."
        )
    last_day = Offer.last_day_from(at)
    if offer.expires_on == last_day:
        return offer
    offer.expires_on = last_day
    offer.save(update_fields=["expires_on"])
    _note(offer, OfferEventKind.PROLONGED, by=by, at=at, via=via, reason=f"Jusqu’au {_day(offer)}")
    logger.info("offer_prolonged", offer=offer.pk, via=via.value)
    return offer


def _day(offer: Offer) -> str:
    assert offer.expires_on
    return french_date(offer.expires_on)


# ── The end ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _check_outcome(outcome: Outcome, filled_through: str, cancel_reason: str, comment: str, *, via: Door) -> None:
    faults = {}
    if outcome not in Outcome:
        faults["outcome"] = "Dites ce qu’est devenue l’offre."
    if filled_through and (outcome != Outcome.FILLED_ELSEWHERE or filled_through not in FilledThrough):
        faults["filled_through"] = "Choisissez un moyen de la liste."
    allowed = RECRUITER_CANCEL_REASONS if via in {Door.SPACE, Door.MAIL_LINK} else list(CancelReason)
    if outcome == Outcome.CANCELLED and cancel_reason not in allowed:
        faults["cancel_reason"] = "Dites pourquoi l’offre est annulée."
    elif outcome != Outcome.CANCELLED and cancel_reason:
        faults["cancel_reason"] = "Seule une offre annulée a un motif d’annulation."
    if len(comment) > LONGEST_COMMENT:
        faults["comment"] = f"La précision a au plus {LONGEST_COMMENT} caractères."
    elif has_control_characters(comment, allowed="\n\r\t"):
        faults["comment"] = INVISIBLE
    if faults:
        raise RefusedOffer(" ".join(faults.values()), faults)


@transaction.atomic
def close(
    *,
    offer_id: uuid.UUID,
    outcome: Outcome,
    by: User | None,
    at: datetime,
    via: Door,
    filled_through: str = "",
    cancel_reason: str = "",
    comment: str = "",
) -> Offer:
    """Ends an offer with what became of it; one that expired without a word takes its outcome, and stays expired.

    Closed twice, the first word stands and nothing is refused. Withdrawn by support (``CancelReason.MODERATED``), the
    recruiter is told. Raises ``RefusedOffer``.
    """
    comment = comment.strip()
    _check_outcome(outcome, filled_through, cancel_reason, comment, via=via)
    offer = _locked(offer_id)
    facts = {
        "outcome": outcome,
        "filled_through": filled_through,
        "cancel_reason": cancel_reason,
        "outcome_comment": comment,
    }
    reason = CancelReason(cancel_reason).label if cancel_reason else Outcome(outcome).label
    if offer.status == OfferStatus.EXPIRED and not offer.outcome:
        for name, value in facts.items():
            setattr(offer, name, value)
        offer.save(update_fields=list(facts))
        _note(offer, OfferEventKind.OUTCOME, by=by, at=at, via=via, reason=reason)
        return offer
    if offer.closed_at:
        return offer
    to = OfferStatus.CANCELLED if outcome == Outcome.CANCELLED else OfferStatus.FILLED
    if to not in Offer.MOVES[OfferStatus(offer.status)]:
        raise RefusedOffer("Cette offre n’a pas encore été publiée : elle peut seulement être annulée.")
    offer.move(to=to, by=by, at=at, via=via, reason=reason, **facts)
    if cancel_reason == CancelReason.MODERATED:
        mail.write_many([emails.offer_moderated(offer=offer, comment=comment)], at=at)
    logger.info("offer_closed", offer=offer.pk, outcome=outcome, via=via.value)
    return offer
