"""What is held of who asked for something about establishments, or reported one."""

from django.db.models import Q

from labonnealternance.kit.personal_registry import Kind, Subject
from unsubscribe.enums import ReportStatus, Status
from unsubscribe.models import Report, ReportMove, Request


def _requests(subject: Subject):
    return Request.objects.filter(Q(address=subject.address) | Q(email=subject.address) | Q(value=subject.address))


def _erase_requests(rows, subject: Subject, by, at) -> None:
    """The files go first."""
    for request in rows.select_for_update(of=("self",)):
        if request.document:
            request.document.delete(save=False)
        request.delete()


def _erase_reports(rows, subject: Subject, by, at) -> None:
    settled = rows.exclude(status=ReportStatus.TO_TREAT)
    ReportMove.objects.filter(report__in=settled).update(reason="")
    settled.update(details="", erased_at=at)
    rows.update(email="")


_REQUEST = [
    "outcome", "scope", "value", "reason", "ends_on", "channel", "email", "phone", "rome_codes", "comment",
    "status", "proof", "address", "document", "asked_at", "confirmed_at", "settled_at",
]  # fmt: skip

KINDS = [
    Kind(
        name="Demandes à traiter sur des établissements",
        covers=["unsubscribe.Request", "unsubscribe.RequestMove"],
        rows=lambda subject: _requests(subject).filter(status=Status.CONFIRMED),
        shown=_REQUEST,
        fate="Gardées jusqu’à leur réponse : traitez-les d’abord, puis revenez ici.",
    ),
    Kind(
        name="Demandes faites sur des établissements",
        covers=["unsubscribe.Request", "unsubscribe.RequestMove"],
        rows=lambda subject: _requests(subject).exclude(status=Status.CONFIRMED),
        shown=_REQUEST,
        fate="Supprimées avec leurs justificatifs ; ce qu’elles ont décidé (retrait, pause, référencement) reste.",
        erase=_erase_requests,
    ),
    Kind(
        name="Signalements",
        covers=["unsubscribe.Report", "unsubscribe.ReportMove"],
        rows=lambda subject: Report.objects.filter(email=subject.address),
        shown=["siret", "kind", "details", "email", "status", "reported_at", "settled_at"],
        fate="Adresse et précisions effacées ; d’un signalement à traiter, l’adresse seule.",
        erase=_erase_reports,
    ),
]
