"""What visitors report about establishments and offers, and what support does with it.

Anyone may report anything: a report changes nothing by itself, and its answer says nothing of what is known.
"""

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta

import structlog
from django.db import transaction

from companies.actions import visibility
from companies.actions.visibility import RefusedDecision
from companies.enums import DecisionOrigin, DecisionReason, DecisionScope
from labonnealternance.kit import limits
from labonnealternance.kit.http import network_of
from labonnealternance.kit.limits import Limit
from offers.models import Offer
from unsubscribe.actions.effects import RefusedRequest
from unsubscribe.actions.treatment import check_holder
from unsubscribe.enums import ReportKind, ReportStatus
from unsubscribe.models import LONGEST_COMMENT, Report

logger = structlog.get_logger(__name__)

# A class that looks for its employers passes; a machine that reports them one by one does not.
PER_NETWORK = Limit("report-network", count=20, per=timedelta(hours=1))
PER_ESTABLISHMENT = Limit("report-establishment", count=3, per=timedelta(days=1))
# Of one establishment: settled in one go.
MOST_SETTLED = 500


def report(
    *,
    siret: str,
    kind: str,
    details: str,
    email: str,
    key: uuid.UUID,
    ip: str,
    at: datetime,
    offer: Offer | None = None,
) -> Report:
    """Keeps what a visitor says of ``siret``, or of its ``offer``; the same form sent twice is one report.

    Raises ``RefusedRequest``, ``limits.TooMany``.
    """
    details = details.strip()
    if kind not in ReportKind:
        raise RefusedRequest(kind="Choisissez ce qui ne va pas.")
    if kind == ReportKind.OTHER and not details:
        raise RefusedRequest(details="Dites ce qui ne va pas.")
    if len(details) > LONGEST_COMMENT:
        raise RefusedRequest(details=f"{LONGEST_COMMENT} caractères au plus.")
    network = network_of(ip)
    limits.hit(PER_NETWORK, subject=network, at=at)
    limits.hit(PER_ESTABLISHMENT, subject=f"{network} {siret}", at=at)
    told = {"siret": siret, "kind": kind, "details": details, "email": email, "offer": offer, "reported_at": at}
    found, is_new = Report.objects.get_or_create(key=key, defaults=told)
    if is_new:
        logger.info("report_made", report=str(found.pk), kind=found.kind)
    return found


# ── Support ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _to_treat(report_id: uuid.UUID) -> Report:
    found = Report.objects.select_for_update(of=("self",)).get(pk=report_id)
    if found.status != ReportStatus.TO_TREAT:
        raise RefusedRequest(status="Ce signalement est déjà réglé.")
    return found


@transaction.atomic
def take(*, report_id: uuid.UUID, by, at: datetime) -> Report:
    """``by`` follows the report from now on, in the place of who did. Raises ``RefusedRequest``."""
    found = _to_treat(report_id)
    found.taken_by = by
    found.save(update_fields=["taken_by"])
    logger.info("report_taken", report=str(found.pk), by=by.pk, at=at.isoformat())
    return found


@transaction.atomic
def give_back(*, report_id: uuid.UUID, by, at: datetime) -> Report:
    """Nobody follows the report any more. Raises ``RefusedRequest`` where it is not ``by`` who does."""
    found = _to_treat(report_id)
    check_holder(found, by=by)
    found.taken_by = None
    found.save(update_fields=["taken_by"])
    logger.info("report_given_back", report=str(found.pk), by=by.pk, at=at.isoformat())
    return found


@transaction.atomic
def treat(
    *,
    report_id: uuid.UUID,
    by,
    at: datetime,
    reason: str,
    delist_as_closed: bool = False,
    with_others: bool = False,
) -> list[Report]:
    """What was reported is mended: ``reason`` says how. Returns what was settled. Raises ``RefusedRequest``.

    ``delist_as_closed`` takes the establishment out of sight; ``with_others`` settles whatever else waits about it.
    """
    found = _to_treat(report_id)
    settled = _settle(found, to=ReportStatus.TREATED, by=by, at=at, reason=reason, with_others=with_others)
    if delist_as_closed:
        try:
            visibility.delist(
                scope=DecisionScope.SIRET,
                value=found.siret,
                by=by,
                at=at,
                reason=DecisionReason.CLOSED,
                origin=DecisionOrigin.SUPPORT,
                comment=reason.strip(),
            )
        except RefusedDecision as refusal:
            raise RefusedRequest(delist_as_closed=str(refusal)) from None
    return settled


@transaction.atomic
def dismiss(*, report_id: uuid.UUID, by, at: datetime, reason: str, with_others: bool = False) -> list[Report]:
    """Nothing is to be done: ``reason`` says why. Raises ``RefusedRequest``."""
    found = _to_treat(report_id)
    return _settle(found, to=ReportStatus.DISMISSED, by=by, at=at, reason=reason, with_others=with_others)


def _settle(found: Report, *, to: ReportStatus, by, at: datetime, reason: str, with_others: bool) -> list[Report]:
    if not reason.strip():
        raise RefusedRequest(reason="Dites pourquoi.")
    check_holder(found, by=by)
    settled = [found, *(_others(found, by=by) if with_others else ())]
    for each in settled:
        each.move(to=to, by=by, at=at, reason=reason.strip())
    logger.info("reports_settled", reports=len(settled), to=to, by=by.pk)
    return settled


def _others(found: Report, *, by) -> Iterable[Report]:
    """Those about the same establishment that nobody else follows."""
    waiting = Report.objects.to_treat().filter(siret=found.siret).exclude(pk=found.pk)
    locked = waiting.select_for_update(of=("self",), skip_locked=True).order_by("reported_at", "id")
    return [each for each in locked[:MOST_SETTLED] if each.taken_by_id in {None, by.pk}]
