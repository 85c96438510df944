"""What time does at the queue. Each function finds its rows: late, twice, or twice at once, it is one."""

from datetime import datetime, timedelta

import structlog
from django.db import transaction

from companies.actions import opcos
from companies.enums import OpcoOrigin
from labonnealternance.mail import actions as mail
from offers.actions import accesses
from offers.enums import AccessStatus
from offers.models import Access
from opco import emails
from opco.actions import answers
from opco.actions.advisors import DEACTIVATED
from opco.enums import DecisionKind, DecisionStatus
from opco.models import KINDS, Advisor, Answer, Case, Decision, Note

logger = structlog.get_logger(__name__)

# A tick is 15 seconds: more than this many a tick are never made by hand.
BATCH = 500
TEXTS_KEPT = timedelta(days=2 * 365)


class _NoEffect(Exception):
    """Why a decision can't be applied any more, in French."""


def apply_due(*, at: datetime) -> int:
    """Applies the decisions whose minute is over, each once and in a transaction of its own; returns how many.

    Its e-mail, the offers that it publishes and its own state are written together, or not at all: a worker that dies
    leaves it held, for the next tick. One that fails does not stop the others.
    """
    due = Decision.objects.held().filter(effective_at__lte=at).order_by("effective_at", "pk")
    applied = 0
    for decision_id in list(due.values_list("pk", flat=True)[:BATCH]):
        try:
            applied += _settle(decision_id, at=at)
        except Exception:
            logger.exception("opco_decision_failed", decision=decision_id)
    return applied


@transaction.atomic
def _settle(decision_id: int, *, at: datetime) -> bool:
    """Applies a decision unless it is undone, or somebody else is at it; tells whether it was applied."""
    rows = Decision.objects.held().select_related("made_by", "to_opco")
    decision = rows.select_for_update(of=("self",), skip_locked=True).filter(pk=decision_id).first()
    if decision is None:
        return False
    try:
        with transaction.atomic():
            _apply(decision, at=at)
    except _NoEffect as why:
        decision.settle(to=DecisionStatus.DROPPED, by=None, at=at, reason=str(why))
        logger.info("opco_decision_dropped", decision=decision.pk)
        return False
    decision.settle(to=DecisionStatus.APPLIED, by=None, at=at)
    logger.info("opco_decision_applied", decision=decision.pk, kind=decision.kind)
    return True


def _apply(decision: Decision, *, at: datetime) -> None:
    """Does what was decided; raises ``_NoEffect`` where the file is not any more what was decided about."""
    # The establishment too: its OPCO stays what it is checked to be.
    access = (
        Access.objects.select_related("user", "establishment__opco")
        .select_for_update(of=("self", "establishment"), no_key=True)
        .get(pk=decision.access_id)
    )
    establishment, by = access.establishment, decision.made_by
    if not _still_judges(decision):
        raise _NoEffect(DEACTIVATED)
    if establishment.opco_id != decision.opco_id:
        raise _NoEffect("L’établissement a changé d’OPCO entre-temps.")
    if decision.kind not in KINDS[AccessStatus(access.status)]:
        raise _NoEffect("L’accès a été décidé par ailleurs entre-temps.")
    if decision.kind == DecisionKind.REFUSE and _answered_since(decision):
        raise _NoEffect("La personne a répondu entre-temps.")
    origin = OpcoOrigin.SUPPORT if by.is_staff else OpcoOrigin.ADVISOR
    match decision.kind:
        case DecisionKind.CERTIFY:
            try:
                accesses.grant(access_id=access.pk, by=by, at=at, reason="Certifié par l’OPCO")
            except accesses.NotForSupport as refusal:
                raise _NoEffect(str(refusal)) from None
            if establishment.opco:
                opcos.certify(establishment_id=establishment.pk, opco=establishment.opco, by=by, at=at, origin=origin)
        case DecisionKind.REFUSE:
            accesses.deny(access_id=access.pk, by=by, at=at, reason=decision.text)
        case DecisionKind.PASS_ON:
            opcos.assign(
                establishment_id=establishment.pk, opco=decision.to_opco, origin=origin, by=by, at=at,
                reason=decision.text,
            )  # fmt: skip
            # The colleagues who were on its other files have them no more.
            Case.objects.filter(access__establishment=establishment).update(taken_by=None, taken_at=None)
        case DecisionKind.ASK:
            letter = emails.information_asked(decision=decision, access=access, token=answers.token_of(decision))
            mail.write_many([letter], at=at)
    asked_at = at if decision.kind == DecisionKind.ASK else None
    waits = {"asked_at": asked_at, "answered_at": None}
    if asked_at:
        Case.objects.update_or_create(access=access, defaults=waits)
    else:
        Case.objects.filter(access=access).update(**waits)


def _answered_since(decision: Decision) -> bool:
    """Nobody is refused without what they answered being read."""
    return Answer.objects.filter(question__access=decision.access_id, at__gt=decision.made_at).exists()


def _still_judges(decision: Decision) -> bool:
    by = decision.made_by
    if by.is_staff:
        return by.is_active
    return Advisor.objects.active().filter(user=by, opco=decision.opco_id).exists()


def erase_old(*, at: datetime, dry_run: bool = False) -> int:
    """Erases what advisors and recruiters wrote two years ago; decisions stay without theirs. Returns how many."""
    limit = at - TEXTS_KEPT
    notes, received = Note.objects.filter(at__lt=limit), Answer.objects.filter(at__lt=limit)
    texts = Decision.objects.filter(made_at__lt=limit).exclude(status=DecisionStatus.HELD).exclude(text="")
    if dry_run:
        return notes.count() + received.count() + texts.count()
    erased = notes.delete()[0] + received.delete()[0] + texts.update(text="")
    logger.info("opco_texts_erased", count=erased)
    return erased
