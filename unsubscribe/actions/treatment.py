"""What support does with the requests that come with a document: oldest first, each followed by one agent."""

from datetime import datetime

import structlog
from django.db import transaction

from companies.actions import contacts
from companies.enums import DecisionOrigin, DecisionScope
from labonnealternance.mail import actions as mail
from labonnealternance.mail.actions import Letter
from unsubscribe import emails
from unsubscribe.actions import effects
from unsubscribe.actions.effects import RefusedRequest
from unsubscribe.enums import Outcome, Status
from unsubscribe.models import Request

logger = structlog.get_logger(__name__)


def _to_treat(request_id) -> Request:
    request = Request.objects.select_for_update(of=("self",)).get(pk=request_id)
    if request.status != Status.CONFIRMED:
        raise RefusedRequest(status="Cette demande n’est plus à traiter.")
    return request


@transaction.atomic
def take(*, request_id, by, at: datetime) -> Request:
    """``by`` follows the request from now on, in the place of who did. Raises ``RefusedRequest``."""
    request = _to_treat(request_id)
    request.taken_by = by
    request.save(update_fields=["taken_by"])
    logger.info("unsubscribe_taken", request=str(request.pk), by=by.pk, at=at.isoformat())
    return request


def check_holder(row, *, by) -> None:
    """Raises ``RefusedRequest`` where another agent follows ``row``: it is taken first."""
    if row.taken_by_id is not None and row.taken_by_id != by.pk:
        raise RefusedRequest(
            taken_by=f"C’est {row.taken_by.get_full_name()} qui s’en charge : prenez en charge d’abord."
        )


@transaction.atomic
def give_back(*, request_id, by, at: datetime) -> Request:
    """Nobody follows the request any more. Raises ``RefusedRequest`` where it is not ``by`` who does."""
    request = _to_treat(request_id)
    check_holder(request, by=by)
    request.taken_by = None
    request.save(update_fields=["taken_by"])
    logger.info("unsubscribe_given_back", request=str(request.pk), by=by.pk, at=at.isoformat())
    return request


def done_letters(*, request: Request, note: str = "") -> list[Letter]:
    """To who asked; and to the address known of the establishment, which may not be theirs."""
    addresses = dict.fromkeys([request.address, contacts.known_contact(siret=request.value)])
    return [emails.done(request=request, to=address, note=note) for address in addresses if address]


@transaction.atomic
def treat(*, request_id, by, at: datetime, for_company: bool = False, note: str = "") -> Request:
    """Does what was asked, for the establishment or for its whole company, and says so. Raises ``RefusedRequest``."""
    request = _to_treat(request_id)
    check_holder(request, by=by)
    if for_company and request.outcome in {Outcome.CORRECT, Outcome.BE_LISTED}:
        raise RefusedRequest(
            for_company="Une coordonnée et un référencement se décident établissement par établissement."
        )
    target = (DecisionScope.SIREN, request.value[:9]) if for_company else (DecisionScope.SIRET, request.value)
    # Read before: a correction changes the known address.
    letters = done_letters(request=request, note=note)
    effects.apply(request=request, targets=[target], by=by, at=at, origin=DecisionOrigin.FORM)
    mail.write_many(letters, at=at)
    logger.info("unsubscribe_treated", request=str(request.pk), by=by.pk)
    return request


@transaction.atomic
def refuse(*, request_id, by, at: datetime, answer: str) -> Request:
    """Answers why it can't be done. Raises ``RefusedRequest``."""
    request = _to_treat(request_id)
    check_holder(request, by=by)
    if not answer.strip():
        raise RefusedRequest(answer="Dites pourquoi la demande est refusée.")
    request.move(to=Status.REFUSED, by=by, at=at, reason=answer.strip())
    mail.write_many([emails.refused(request=request, answer=answer.strip())], at=at)
    logger.info("unsubscribe_refused", request=str(request.pk), by=by.pk)
    return request
