"""Support's remarks: written, taken away, never edited."""

import datetime as dt

import structlog
from django.db import transaction

from companies.models import Remark
from companies.models.remark import LONGEST_REMARK

logger = structlog.get_logger(__name__)


class RefusedRemark(ValueError):
    """The remark can't be written or taken away; the message says why, in French."""


def write(*, siret: str, text: str, by, at: dt.datetime) -> Remark:
    """Adds a remark about ``siret``. Raises ``RefusedRemark``."""
    text = text.strip()
    if not text:
        raise RefusedRemark("Écrivez la remarque.")
    if len(text) > LONGEST_REMARK:
        raise RefusedRemark(f"Une remarque a au plus {LONGEST_REMARK} caractères.")
    remark = Remark.objects.create(siret=siret, text=text, by=by, at=at)
    logger.info("remark_written", remark=remark.pk, siret=siret, by=by.pk)
    return remark


@transaction.atomic
def remove(*, remark_id: int, siret: str, by, at: dt.datetime) -> Remark:
    """Erases the text of a remark about ``siret``; who wrote it, when, and who took it away stay.

    Twice is no error: the first one stands. Raises ``RefusedRemark``.
    """
    remark = Remark.objects.select_for_update(of=("self",)).filter(pk=remark_id, siret=siret).first()
    if remark is None:
        raise RefusedRemark("Cette remarque n’est pas celle de cet établissement.")
    if remark.removed_at is None:
        remark.text, remark.removed_at, remark.removed_by = "", at, by
        remark.save(update_fields=["text", "removed_at", "removed_by"])
        logger.info("remark_removed", remark=remark.pk, siret=siret, by=by.pk)
    return remark
