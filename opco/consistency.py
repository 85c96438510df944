"""What must hold of the OPCO's queue."""

from datetime import datetime, timedelta

from django.db.models import Q

from labonnealternance.kit.consistency import Check, bounded, numbered
from opco.actions.clock import TEXTS_KEPT
from opco.enums import DecisionStatus
from opco.models import Advisor, Answer, Decision, Note

LATE = timedelta(minutes=10)
MISSED_NIGHTS = timedelta(days=2)


def without_account(at: datetime):
    shut = Q(user__is_active=False) | Q(user__is_staff=True) | Q(user__anonymised_at__isnull=False)
    return Advisor.objects.filter(shut, deactivated_at__isnull=True).order_by("pk")


def held_too_long(at: datetime):
    held = Decision.objects.held().select_related("access")
    return held.filter(effective_at__lt=at - LATE).order_by("effective_at")


def kept_too_long(at: datetime):
    end = at - MISSED_NIGHTS - TEXTS_KEPT
    return bounded(
        Note.objects.filter(at__lt=end).order_by("at"),
        Answer.objects.filter(at__lt=end).order_by("at"),
        Decision.objects.filter(made_at__lt=end).exclude(status=DecisionStatus.HELD).exclude(text="").order_by("pk"),
    )


CHECKS = [
    Check(
        "opco.without_account",
        "Un conseiller OPCO en fonction a un compte actif, qui n’est pas du support.",
        without_account,
        "Retirez son accès depuis sa fiche, ou réactivez son compte.",
    ),
    Check(
        "opco.held_too_long",
        "Une décision d’un conseiller est appliquée dans les dix minutes.",
        held_too_long,
        "La tâche « opco.apply_decisions » ne passe pas, ou échoue : prévenez l’équipe technique.",
        label=lambda decision: f"{numbered(decision)}, sur l’accès {decision.access_id}",
    ),
    Check(
        "opco.kept_too_long",
        "Ce que conseillers et recruteurs ont écrit dans la file est effacé après deux ans.",
        kept_too_long,
        "La tâche de la nuit « opco.erase_old » n’est pas passée.",
    ),
]
