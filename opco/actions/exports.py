"""The lists of the queue, taken out whole: who took which one is kept, with the number of lines that left."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import structlog
from django.db.models import CharField, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Concat

from opco.actions import queue
from opco.actions.desks import Desk
from opco.actions.queue import Filters
from opco.enums import Tab
from opco.models import Decision, Export

logger = structlog.get_logger(__name__)

CHUNK = 500


def take_out(*, desk: Desk, tab: Tab, filters: Filters, at: datetime) -> Iterator[Any]:
    """The rows of ``tab`` as its list shows them, all of them, read as they are asked for; those that leave the list
    meanwhile are left out.

    Files (``Access``) come with the ``reason`` and the author, ``judge``, of the decision that stands; what was passed
    on is decisions. The journal has its line before the first row, and their number once the reader has the last one,
    or left.
    """
    rows: QuerySet[Any]
    if tab == Tab.PASSED_ON:
        rows = queue.passed_on(desk=desk, filters=filters, at=at)
    else:
        standing = Decision.objects.standing().filter(access=OuterRef("pk")).order_by("-pk")
        judge = Concat("made_by__first_name", Value(" "), "made_by__last_name", output_field=CharField())
        rows = queue.rows_of(tab=tab, desk=desk, filters=filters, at=at).annotate(
            reason=Subquery(standing.values("reason")[:1]),
            judge=Subquery(standing.annotate(judge=judge).values("judge")[:1]),
        )
    journal = Export.objects.create(by=desk.user, opco=desk.opco, tab=tab, is_narrowed=filters != Filters(), at=at)
    return _counted(rows, journal)


def _counted(rows: QuerySet[Any], journal: Export) -> Iterator[Any]:
    number = 0
    try:
        # Short statements, whatever the length of the list: none is cut, and no cursor is held while a reader is slow.
        keys = list(rows.values_list("pk", flat=True))
        for first in range(0, len(keys), CHUNK):
            for row in rows.filter(pk__in=keys[first : first + CHUNK]):
                number += 1
                yield row
    finally:
        journal.rows = number
        journal.save(update_fields=["rows"])
        logger.info("opco_exported", export=journal.pk, by=journal.by_id, rows=number)
