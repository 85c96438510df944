"""Who may deposit offers: what is known of a SIRET, from the local table, else from the registry of companies.

A registry that does not answer is never a reason to stop someone: the establishment is kept *to verify*, and
``verify_pending`` finishes the work. Nothing of it is public before that.
"""

import datetime as dt
import heapq
import itertools
import logging
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from companies.actions import contacts, opcos
from companies.clients import registry
from companies.clients.registry import NotInRegistry, RegistryDown, RegistryEstablishment, UnreadableAnswer
from companies.enums import TEACHING, HeadcountBand, Refusal
from companies.models import (
    Commune,
    Establishment,
    FormerCommune,
    Idcc,
    InvalidNumber,
    Naf,
    Opco,
    VisibilityDecision,
    clean_siret,
)
from labonnealternance.kit.commands import single_run

# The registry gives 7 answers a second to one address: two tasks share them with the visitors.
VERIFICATIONS_A_SECOND = 2
REFRESHMENTS_A_SECOND = 4
LONGEST_WAIT_SECONDS = 60
# An unknown SIRET is believed to be so when it is said again on another day: a search index may be down for a while.
UNKNOWN_AGAIN_AFTER = dt.timedelta(hours=24)
ALARMING_AGE = dt.timedelta(hours=24)
CHUNK = 1_000
# The registry's point is believed near the commune's, in degrees.
FAR = 0.5

logger = logging.getLogger(__name__)

_SENTENCES = {
    Refusal.UNKNOWN: (
        "Le registre des entreprises ne connaît pas ce SIRET. Vérifiez ses chiffres ; si l’établissement vient d’être"
        " créé, réessayez dans quelques jours, ou écrivez-nous à {contact}."
    ),
    Refusal.CLOSED: (
        "Cet établissement est fermé, selon le registre des entreprises. S’il a déménagé, donnez le SIRET de sa"
        " nouvelle adresse ; s’il est ouvert, demandez à l’Insee de corriger le registre."
    ),
    Refusal.NOT_DIFFUSIBLE: (
        "Cette entreprise s’est opposée à la diffusion de ses données : nous ne pouvons pas publier ses offres. Pour"
        " lever cette opposition, modifiez son statut de diffusion auprès de l’Insee."
    ),
    Refusal.TEACHING: (
        "Cet établissement est un établissement d’enseignement : inscrivez-vous comme CFA, en nous écrivant à"
        " {contact}."
    ),
    Refusal.HIDDEN: (
        "Cet établissement a demandé à ne plus figurer sur La bonne alternance. Si vous le représentez et souhaitez y"
        " revenir, écrivez-nous à {contact}."
    ),
}


class RefusedEstablishment(Exception):
    """This establishment may not deposit offers: ``sentence`` says why and what to do, ``code`` is a ``Refusal``."""

    def __init__(self, code: Refusal, sentence: str = ""):
        self.code = code
        self.sentence = sentence or _SENTENCES[code].format(contact=settings.CONTACT_EMAIL)
        super().__init__(self.sentence)


class CouldNotVerify(Exception):
    """The registry did not tell what was asked; the message says so in French."""


@dataclass(frozen=True)
class LegalData:
    """What is shown of an establishment for the person to confirm; all but the SIRET is empty when it is to verify.

    ``establishment`` is None where there is no row yet: ``keep`` makes it.
    """

    establishment: Establishment | None
    siret: str
    name: str
    legal_name: str
    naf_label: str
    address_lines: list[str]
    is_to_verify: bool
    opco: Opco | None


@dataclass(frozen=True)
class Outcome:
    """What a task did: rows written, how many of them are refused, and whether the registry stopped answering."""

    written: int
    refused: int
    is_interrupted: bool


# ── Someone registers ────────────────────────────────────────────────────────────────────────────────────────────────


def look_up(*, siret: str, at: dt.datetime) -> LegalData:
    """What is known of ``siret``, as someone typed it. Writes nothing. Raises ``RefusedEstablishment``.

    Asks the registry (5 s at most) where the local table does not know or would refuse, and the OPCO service (3 s)
    where no OPCO is known: not to be called in a transaction.
    """
    number, known, told = _consulted(siret, at)
    shown = known
    if told is not None:
        shown = Establishment(siret=number, **_facts(told, at))
    if shown is None or (told is None and shown.to_verify_since):
        return LegalData(known, number, "", "", "", [], True, known.opco if known else None)
    opco = known.opco if known else None
    return LegalData(
        establishment=known,
        siret=number,
        name=shown.display_name,
        legal_name=shown.legal_name,
        naf_label=shown.naf.label if shown.naf else "",
        address_lines=_address_lines(shown),
        is_to_verify=False,
        opco=opco or opcos.find(siret=number, idcc_id=shown.idcc_id)[0],
    )


def keep(*, siret: str, at: dt.datetime) -> Establishment:
    """The row of ``siret``, with what the registry told just now where it was asked, or to verify; and its OPCO.

    Twice, or by two people at once, gives the same row. Raises ``RefusedEstablishment``; not to be called in a
    transaction (see ``look_up``).
    """
    number, known, told = _consulted(siret, at)
    is_new = False
    if known is None:
        facts = _facts(told, at) if told else {"name": "", "is_employer": False, "to_verify_since": at}
        known, is_new = Establishment.objects.get_or_create(siret=number, defaults=facts)
    if told and not is_new:
        known = _write(known, told, at)
    _resolve_opco(known, at)
    return known


def _resolve_opco(row: Establishment, at: dt.datetime) -> None:
    if row.opco_id is None and not row.to_verify_since:
        opcos.resolve(establishment=row, at=at)


def _consulted(text: str, at: dt.datetime) -> tuple[str, Establishment | None, RegistryEstablishment | None]:
    """The SIRET, its row, and the registry's answer where it gave one. Raises ``RefusedEstablishment``."""
    try:
        siret = clean_siret(text)
    except InvalidNumber as fault:
        where = "Le SIRET figure sur vos factures et vos bulletins de paie."
        raise RefusedEstablishment(Refusal.INVALID, f"{fault} {where}") from None
    hiding = VisibilityDecision.objects.in_force(at).hiding()
    if hiding.about(siret=siret, email=contacts.known_contact(siret=siret)).exists():
        raise RefusedEstablishment(Refusal.HIDDEN)
    known = Establishment.objects.select_related("naf", "commune", "opco").filter(siret=siret).first()
    refusal = _refusal_of_row(known, at) if known else None
    if known and not known.to_verify_since and not refusal:
        return siret, known, None
    try:
        told = registry.find_establishment(siret)
    except NotInRegistry:
        raise RefusedEstablishment(refusal or Refusal.UNKNOWN) from None
    except RegistryDown:
        if refusal:
            raise RefusedEstablishment(refusal) from None
        return siret, known, None
    if refusal := _refusal_of_answer(told):
        raise RefusedEstablishment(refusal)
    return siret, known, told


def _refusal_of_row(row: Establishment, at: dt.datetime) -> Refusal | None:
    if row.refusal:
        return Refusal(row.refusal)
    if row.closed_on and row.closed_on <= timezone.localdate(at):
        return Refusal.CLOSED
    if not row.is_diffusible:
        return Refusal.NOT_DIFFUSIBLE
    return Refusal.TEACHING if (row.naf_id or "").startswith(TEACHING) else None


def _refusal_of_answer(told: RegistryEstablishment) -> Refusal | None:
    if told.is_closed:
        return Refusal.CLOSED
    if not told.is_diffusible:
        return Refusal.NOT_DIFFUSIBLE
    return Refusal.TEACHING if told.naf.startswith(TEACHING) else None


def _address_lines(shown: Establishment) -> list[str]:
    town = f"{shown.postcode} {shown.commune.name if shown.commune else ''}".strip()
    return [line for line in (shown.address_complement, shown.address, town) if line]


# ── What the registry told ───────────────────────────────────────────────────────────────────────────────────────────


def _facts(told: RegistryEstablishment, at: dt.datetime) -> dict[str, Any]:
    """The columns that an answer gives; an activity or a commune that the local tables do not know is left blank."""
    today = timezone.localdate(at)
    commune = Commune.objects.filter(code=told.commune).first()
    if commune is None and (former := FormerCommune.objects.filter(code=told.commune).first()):
        commune = former.commune
    latitude, longitude = _point(told, commune)
    return {
        "name": told.name,
        "legal_name": told.legal_name,
        "naf": Naf.objects.filter(code=told.naf).first(),
        "headcount_band": HeadcountBand(told.headcount_band),
        "created_on": told.created_on,
        "address_complement": "",
        "address": told.address,
        "postcode": told.postcode,
        "commune": commune,
        "latitude": latitude,
        "longitude": longitude,
        "is_headquarters": told.is_headquarters,
        "is_employer": told.is_employer,
        "is_diffusible": told.is_diffusible,
        "idcc": _branch(told.idccs),
        "closed_on": min(told.closed_on or today, today) if told.is_closed else None,
        # The answer is fresher than any file of an earlier day.
        "registry_updated_at": at,
        "checked_at": at,
    }


def _point(told: RegistryEstablishment, commune: Commune | None) -> tuple[float | None, float | None]:
    """The registry's point, unless it lies far from its commune; else the commune's."""
    if commune is None or commune.latitude is None or commune.longitude is None:
        return told.latitude, told.longitude
    if told.latitude is None or told.longitude is None:
        return commune.latitude, commune.longitude
    is_near = abs(told.latitude - commune.latitude) <= FAR and abs(told.longitude - commune.longitude) <= 2 * FAR
    return (told.latitude, told.longitude) if is_near else (commune.latitude, commune.longitude)


def _branch(codes: tuple[str, ...]) -> Idcc | None:
    """The first of the agreements ``codes``, where all of those that are known lead to one OPCO."""
    known = {idcc.code: idcc for idcc in Idcc.objects.filter(code__in=codes)}
    if len({idcc.opco_id for idcc in known.values()}) != 1:
        return None
    return next(known[code] for code in codes if code in known)


@transaction.atomic
def _write(
    row: Establishment,
    told: RegistryEstablishment | None,
    at: dt.datetime,
    *,
    refusal: Refusal | None = None,
    is_verified: bool = True,
) -> Establishment:
    """Writes an answer on its row; None is that the registry does not know it. ``is_verified`` ends what was to verify.

    The day on which a closure was first seen stays, where the registry gives none.
    """
    locked = Establishment.objects.select_for_update(no_key=True).get(pk=row.pk)
    facts = _facts(told, at) if told else {"checked_at": at, "closed_on": timezone.localdate(at)}
    if facts["closed_on"] and locked.closed_on and not (told and told.closed_on):
        facts["closed_on"] = min(facts["closed_on"], locked.closed_on)
    if is_verified:
        facts |= {"to_verify_since": None, "refusal": refusal or ""}
    for name, value in facts.items():
        setattr(locked, name, value)
    locked.save(update_fields=list(facts))
    return locked


# ── The clock ────────────────────────────────────────────────────────────────────────────────────────────────────────


def verify_pending(*, at: dt.datetime, limit: int = 500) -> Outcome:
    """Finishes the registrations made while the registry was silent, oldest first, ``limit`` rows at most.

    Rows that an import filled meanwhile need no answer. What is refused is kept with its ``refusal``, closed or not
    diffusible, so that nothing of it is ever public. Raises ``AlreadyRunning``.
    """
    with single_run("vérification des établissements"):
        pending = Establishment.objects.filter(to_verify_since__isnull=False)
        written = refused = 0
        for row in pending.filter(last_import__isnull=False).order_by("to_verify_since", "pk")[:limit]:
            refused += bool(_settle_from_import(row, at))
            written += 1
        due = pending.filter(Q(checked_at__isnull=True) | Q(checked_at__lte=at - UNKNOWN_AGAIN_AFTER))
        rows = _Answers(due.order_by("to_verify_since", "pk")[:limit], a_second=VERIFICATIONS_A_SECOND)
        for row, told in rows:
            if told is None and row.checked_at is None:
                Establishment.objects.filter(pk=row.pk).update(checked_at=at)
                continue
            refused += bool(_settle(row, told, at))
            written += 1
        oldest = pending.order_by("to_verify_since").values_list("to_verify_since", flat=True).first()
        if oldest and oldest < at - ALARMING_AGE:
            logger.warning("An establishment is to verify since %s", oldest.date().isoformat())
        return Outcome(written, refused, rows.is_interrupted)


def verify_now(*, establishment_id: int, at: dt.datetime) -> Establishment:
    """Asks the registry about one establishment and writes what it says. Raises ``CouldNotVerify``."""
    row = Establishment.objects.get(pk=establishment_id)
    try:
        told = registry.find_establishment(row.siret)
    except NotInRegistry:
        if not row.to_verify_since:
            raise CouldNotVerify("Le registre ne connaît pas ce SIRET : rien n’est changé.") from None
        _settle(row, None, at)
    except RegistryDown:
        raise CouldNotVerify("Le registre ne répond pas : réessayez dans quelques minutes.") from None
    else:
        _settle(row, told, at)
    return Establishment.objects.get(pk=establishment_id)


def refresh_used(*, establishment_ids: Iterable[int], at: dt.datetime, limit: int = 30_000) -> Outcome:
    """Asks the registry again about establishments that are in use, unless it was done on the day of ``at`` in Paris,
    and the OPCO service about those that have none.

    The longest unchecked come first; ``limit`` of them take two hours. One that the registry does not find any more is
    left as it is: the next import says what became of it. Raises ``AlreadyRunning``.
    """
    with single_run("rafraîchissement des établissements"):
        midnight = timezone.localtime(at).replace(hour=0, minute=0, second=0, microsecond=0)
        rows = _Answers(_due(establishment_ids, before=midnight, limit=limit), a_second=REFRESHMENTS_A_SECOND)
        written = 0
        for row, told in rows:
            if told is None:
                logger.warning("The registry does not find an establishment in use: %s", row.siret)
                Establishment.objects.filter(pk=row.pk).update(checked_at=at)
                continue
            _resolve_opco(_write(row, told, at, is_verified=False), at)
            written += 1
        return Outcome(written, 0, rows.is_interrupted)


def _due(establishment_ids: Iterable[int], *, before: dt.datetime, limit: int) -> Iterator[Establishment]:
    """The rows not checked since ``before``, longest unchecked first; those to verify have a task of their own."""
    due = Establishment.objects.filter(to_verify_since__isnull=True).exclude(checked_at__gte=before)

    def unchecked() -> Iterator[tuple[dt.datetime, int]]:
        ids = iter(establishment_ids)
        never = dt.datetime.min.replace(tzinfo=dt.UTC)
        while chunk := list(itertools.islice(ids, CHUNK)):
            for pk, checked_at in due.filter(pk__in=chunk).values_list("pk", "checked_at"):
                yield checked_at or never, pk

    chosen = [pk for _, pk in heapq.nsmallest(limit, unchecked())]
    for start in range(0, len(chosen), CHUNK):
        part = chosen[start : start + CHUNK]
        by_id = Establishment.objects.in_bulk(part)
        yield from (by_id[pk] for pk in part if pk in by_id)


def _settle(row: Establishment, told: RegistryEstablishment | None, at: dt.datetime) -> Refusal | None:
    """Ends the verification of ``row`` by the registry's answer (None: unknown), and returns what refuses it."""
    refusal = _refusal_of_answer(told) if told else Refusal.UNKNOWN
    written = _write(row, told, at, refusal=refusal)
    if refusal is None:
        _resolve_opco(written, at)
    return refusal


def _settle_from_import(row: Establishment, at: dt.datetime) -> Refusal | None:
    """Ends the verification of ``row`` by the facts that an import wrote since."""
    refusal = _refusal_of_row(row, at)
    row.to_verify_since, row.refusal = None, refusal or ""
    row.save(update_fields=["to_verify_since", "refusal"])
    if refusal is None:
        _resolve_opco(row, at)
    return refusal


class _Answers:
    """What the registry says of each row (None: unknown), at a measured pace.

    A row whose answer can't be read is passed over. After a failure the next row is asked, once the registry has had
    the time that it wants: two failures in a row end it, and ``is_interrupted``.
    """

    def __init__(self, rows: Iterable[Establishment], *, a_second: int):
        self._rows, self._pause = rows, 1 / a_second
        self.is_interrupted = False

    def __iter__(self) -> Iterator[tuple[Establishment, RegistryEstablishment | None]]:
        next_at, failures = 0.0, 0
        for row in self._rows:
            time.sleep(max(0.0, next_at - time.monotonic()))
            next_at = time.monotonic() + self._pause
            try:
                told = registry.find_establishment(row.siret)
            except NotInRegistry:
                told = None
            except UnreadableAnswer:
                continue
            except RegistryDown as down:
                failures += 1
                self.is_interrupted = True
                if failures > 1 or not settings.COMPANY_REGISTRY_URL:
                    return
                next_at = time.monotonic() + min(down.retry_after or 0, LONGEST_WAIT_SECONDS)
                continue
            failures, self.is_interrupted = 0, False
            yield row, told
