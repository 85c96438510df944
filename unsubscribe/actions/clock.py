"""What time does to requests and reports. Each function finds its rows: late, twice, or twice at once, it is one."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import Q

from unsubscribe.enums import Status
from unsubscribe.models import Report, ReportMove, Request

logger = structlog.get_logger(__name__)

DOCUMENTS_KEPT = timedelta(days=30)
UNCONFIRMED_KEPT = timedelta(days=30)
SETTLED_KEPT = timedelta(days=2 * 365)
DETAILS_KEPT = timedelta(days=365)
BATCH = 500


@dataclass(frozen=True)
class Purged:
    """How many links expired; documents, requests, details of reports and reports were, or would be, erased."""

    expired: int
    documents: int
    requests: int
    details: int
    reports: int


def purge(*, at: datetime, dry_run: bool = False) -> Purged:
    """Forgets what has no more use; with ``dry_run`` only counts. Safe to run twice, or to be stopped."""
    expired = Request.objects.filter(status=Status.ASKED, expires_at__lte=at)
    documents = Request.objects.exclude(document="").filter(
        Q(settled_at__lte=at - DOCUMENTS_KEPT) | Q(status=Status.EXPIRED)
    )
    over = Request.objects.filter(
        Q(settled_at__lte=at - SETTLED_KEPT) | Q(status=Status.EXPIRED, expires_at__lte=at - UNCONFIRMED_KEPT),
        document="",
    )
    details = Report.objects.filter(erased_at__isnull=True, reported_at__lte=at - DETAILS_KEPT)
    reports = Report.objects.filter(settled_at__lte=at - SETTLED_KEPT)
    if dry_run:
        return Purged(expired.count(), documents.count(), over.count(), details.count(), reports.count())
    purged = Purged(
        expired=_each(expired, lambda request: request.move(to=Status.EXPIRED, by=None, at=at)),
        documents=_each(documents, _erase_document),
        requests=_each(over, lambda request: request.delete()),
        details=_each(details, lambda report: _erase_details(report, at)),
        reports=_each(reports, lambda report: report.delete()),
    )
    logger.info("unsubscribe_purged", **asdict(purged))
    return purged


def _each(rows, act) -> int:
    done = 0
    while True:
        with transaction.atomic():
            batch = list(rows.select_for_update(of=("self",), skip_locked=True)[:BATCH])
            for row in batch:
                act(row)
        done += len(batch)
        if len(batch) < BATCH:
            return done


def _erase_document(request: Request) -> None:
    """The file goes first: stopped between the two, the next turn finds the row again."""
    request.document.delete(save=False)
    request.save(update_fields=["document"])


def _erase_details(report: Report, at: datetime) -> None:
    """What the visitor wrote, and what support wrote of it; what was reported of whom, and its end, stay."""
    ReportMove.objects.filter(report=report).update(reason="")
    report.details, report.email, report.erased_at = "", "", at
    report.save(update_fields=["details", "email", "erased_at"])
