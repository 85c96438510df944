"""What the OPCO's queue holds of a recruiter, or of an advisor."""

from django.db.models import Q

from labonnealternance.kit.personal_registry import Kind, Subject, of_user
from opco.actions import advisors
from opco.enums import DecisionStatus
from opco.models import Advisor, Answer, Decision, Note

WHY = "Données effacées à la demande de la personne"


def _erase_decisions(rows, subject: Subject, by, at) -> None:
    """What is held has no more effect: it would write to the person."""
    for decision in rows.filter(status=DecisionStatus.HELD).select_for_update(of=("self",)):
        decision.settle(to=DecisionStatus.DROPPED, by=by, at=at, reason=WHY)
    rows.update(text="")


def _deactivate(rows, subject: Subject, by, at) -> None:
    for advisor in rows:
        advisors.deactivate(advisor_id=advisor.pk, by=by, at=at)


KINDS = [
    Kind(
        name="Décisions des conseillers sur un dossier",
        covers=["opco.Decision"],
        rows=of_user(Decision, "access__user"),
        shown=["kind", "status", "reason", "text", "made_at", "settled_at"],
        fate="Gardées sans leurs textes ; celles qui attendaient n’ont plus d’effet.",
        erase=_erase_decisions,
    ),
    Kind(
        name="Réponses données à un conseiller",
        covers=["opco.Answer"],
        rows=of_user(Answer, "question__access__user"),
        shown=["at", "text"],
        fate="Supprimées.",
        erase=lambda rows, subject, by, at: rows.delete(),
    ),
    Kind(
        name="Notes des conseillers",
        covers=["opco.Note"],
        rows=lambda subject: (
            Note.objects.filter(Q(access__user=subject.user) | Q(by=subject.user))
            if subject.user
            else Note.objects.none()
        ),
        shown=["at", "text"],
        fate="Supprimées.",
        erase=lambda rows, subject, by, at: rows.delete(),
    ),
    Kind(
        name="Rôle de conseiller OPCO",
        covers=["opco.Advisor"],
        rows=of_user(Advisor, "user"),
        shown=[("OPCO", lambda advisor: advisor.opco.name), "created_at", "deactivated_at"],
        fate="Désactivé ; ses décisions restent, sans son nom.",
        erase=_deactivate,
    ),
]
