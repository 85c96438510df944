"""What must hold of what establishments ask."""

from datetime import datetime, timedelta

from django.db.models import Q

from labonnealternance.kit.consistency import Check, bounded
from unsubscribe.actions.clock import DETAILS_KEPT, DOCUMENTS_KEPT, SETTLED_KEPT, UNCONFIRMED_KEPT
from unsubscribe.enums import Status
from unsubscribe.models import Report, Request

LONGEST_WAIT = timedelta(days=5)
MISSED_NIGHTS = timedelta(days=2)


def waiting_too_long(at: datetime):
    return Request.objects.to_treat().filter(confirmed_at__lt=at - LONGEST_WAIT).order_by("confirmed_at")


def kept_too_long(at: datetime):
    end = at - MISSED_NIGHTS
    documents = Request.objects.exclude(document="")
    over = Q(settled_at__lte=end - SETTLED_KEPT) | Q(status=Status.EXPIRED, expires_at__lte=end - UNCONFIRMED_KEPT)
    return bounded(
        Request.objects.filter(status=Status.ASKED, expires_at__lte=end).order_by("asked_at"),
        documents.filter(settled_at__lte=end - DOCUMENTS_KEPT).order_by("asked_at"),
        documents.filter(status=Status.EXPIRED, expires_at__lte=end).order_by("asked_at"),
        Request.objects.filter(over, document="").order_by("asked_at"),
        Report.objects.filter(erased_at__isnull=True, reported_at__lte=end - DETAILS_KEPT).order_by("reported_at"),
        Report.objects.filter(settled_at__lte=end - SETTLED_KEPT).order_by("settled_at"),
    )


def _label(row: Request | Report) -> str:
    if isinstance(row, Report):
        return f"Signalement du {row.reported_at:%d/%m/%Y}"
    return f"Demande du {row.asked_at:%d/%m/%Y}"


CHECKS = [
    Check(
        "unsubscribe.waiting_too_long",
        "Une demande confirmée est traitée dans les cinq jours.",
        waiting_too_long,
        "Traitez-la, ou refusez-la avec une réponse.",
        label=_label,
    ),
    Check(
        "unsubscribe.kept_too_long",
        "Justificatifs, demandes et signalements sont effacés quand leur durée de conservation est passée.",
        kept_too_long,
        "La tâche de la nuit n’est pas passée : « manage.py purge_requests » la rattrape.",
        label=_label,
    ),
]
