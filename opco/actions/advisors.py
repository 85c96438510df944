"""Advisors come and go: support appoints them for one OPCO."""

from datetime import datetime

import structlog
from django.db import transaction

from companies.models import Opco
from labonnealternance.accounts.actions import close_other_sessions, give_role, take_role
from labonnealternance.accounts.enums import Role
from labonnealternance.accounts.models import User
from labonnealternance.kit.contacts import clean_email
from opco.enums import DecisionStatus
from opco.models import Advisor, Case, Decision

logger = structlog.get_logger(__name__)

# Why a decision that an advisor held has no effect.
DEACTIVATED = "Le conseiller a été désactivé entre-temps."


class NotAppointed(Exception):
    """The person can't be an advisor; the message says why, in French."""


@transaction.atomic
def appoint(*, email: str, first_name: str, last_name: str, opco: Opco, by: User, at: datetime) -> Advisor:
    """Lets the person of ``email`` judge ``opco``'s files; someone deactivated comes back.

    Raises ``NotAppointed``, and ``NotAnAddress``.
    """
    address = clean_email(email)
    User.objects.bulk_create([_newcomer(address, first_name, last_name, at)], ignore_conflicts=True)
    user = User.objects.select_for_update(no_key=True).get(email=address)
    if user.is_staff:
        raise NotAppointed("Un membre du support voit déjà la file de tous les OPCO.")
    if not user.is_active:
        raise NotAppointed("Ce compte est désactivé : réactivez-le d’abord.")
    if not (user.first_name or user.last_name):
        user.first_name, user.last_name = first_name, last_name
        user.save(update_fields=["first_name", "last_name"])
    known = Advisor.objects.select_related("opco").filter(user=user).first()
    if known and known.is_active:
        raise NotAppointed(f"Cette personne est déjà conseillère de {known.opco}.")
    appointed = {"opco": opco, "created_at": at, "created_by": by, "deactivated_at": None, "deactivated_by": None}
    advisor, _ = Advisor.objects.update_or_create(user=user, defaults=appointed)
    give_role(user=user, role=Role.ADVISOR)
    logger.info("advisor_appointed", advisor=advisor.pk, opco=opco.pk, by=by.pk)
    return advisor


def _newcomer(address: str, first_name: str, last_name: str, at: datetime) -> User:
    user = User(email=address, first_name=first_name, last_name=last_name, joined_at=at)
    user.set_unusable_password()
    return user


@transaction.atomic
def deactivate(*, advisor_id: int, by: User, at: datetime) -> None:
    """The advisor sees nothing more, at once; their files are free, and what they hold has no effect.

    The person's account stays: it may be a recruiter's too. Twice is no error.
    """
    advisor = Advisor.objects.select_related("user").select_for_update(of=("self",)).get(pk=advisor_id)
    if advisor.deactivated_at:
        return
    advisor.deactivated_at, advisor.deactivated_by = at, by
    advisor.save(update_fields=["deactivated_at", "deactivated_by"])
    held = Decision.objects.held().filter(made_by=advisor.user).select_for_update(of=("self",)).order_by("pk")
    for decision in held:
        decision.settle(to=DecisionStatus.DROPPED, by=by, at=at, reason=DEACTIVATED)
    take_role(user=advisor.user, role=Role.ADVISOR)
    close_other_sessions(user=advisor.user, kept_session=None)
    Case.objects.filter(taken_by=advisor.user).update(taken_by=None, taken_at=None)
    logger.info("advisor_deactivated", advisor=advisor.pk, by=by.pk)
