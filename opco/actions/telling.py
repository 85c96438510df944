"""Advisors are told: at once of a file that is new to their OPCO, and three mornings a week of what waits.

Whoever tells an OPCO's advisors holds the OPCO's row: late, twice, or twice at once, each is told once.
"""

from collections.abc import Callable
from datetime import datetime, time, timedelta

import structlog
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.timezone import localdate, localtime

from companies.models import Opco
from labonnealternance.mail import actions as mail
from offers.models import Access, Offer
from opco.actions import letters, queue
from opco.actions.desks import Desk
from opco.actions.queue import Filters
from opco.enums import Tab
from opco.models import Advisor, Reminder, Told

logger = structlog.get_logger(__name__)

# Monday, Wednesday, Friday; late as long as it is still the working day.
REMINDER_DAYS = {0, 2, 4}
REMINDER_FROM, REMINDER_UNTIL = time(8, 30), time(18, 0)
LONG = timedelta(days=7)
CHUNK = 2000


def _to_treat(advisor: Advisor, *, at: datetime) -> QuerySet[Access]:
    """What waits for the advisors of an OPCO, in the order of their queue."""
    desk = Desk(advisor.user, advisor.opco)
    return queue.rows_of(tab=Tab.TO_TREAT, desk=desk, filters=Filters(), at=at)


def _untold() -> Q:
    return ~Q(Exists(Told.objects.filter(access=OuterRef("pk"), opco=OuterRef("establishment__opco"))))


def _each_opco(opcos: list[str], tell: Callable[[list[Advisor]], int]) -> int:
    """``tell`` for the active advisors of each OPCO, in a transaction of its own; one that fails stops no other.

    An OPCO that someone else is telling is left to them.
    """
    told = 0
    for code in opcos:
        try:
            with transaction.atomic():
                rows = Opco.objects.select_for_update(no_key=True, skip_locked=True)
                if rows.filter(pk=code).first() is None:
                    continue
                advisors = Advisor.objects.active().select_related("user", "opco").filter(opco=code).order_by("pk")
                found = list(advisors)
                told += tell(found) if found else 0
        except Exception:
            logger.exception("opco_not_told", opco=code)
    return told


def tell_new(*, at: datetime) -> int:
    """Writes to the active advisors of each OPCO about the files that nobody told them of; returns how many files.

    One e-mail to each, however many files came. Where an OPCO has no advisor the files wait for its first one.
    """
    rows = Access.objects.awaiting().filter(_untold(), establishment__opco__isnull=False)
    opcos = rows.order_by("establishment__opco").values_list("establishment__opco", flat=True).distinct()

    def tell(advisors: list[Advisor]) -> int:
        opco, files = advisors[0].opco, _to_treat(advisors[0], at=at)
        new = list(files.filter(_untold()).values_list("pk", flat=True))
        if not new:
            return 0
        for first in range(0, len(new), CHUNK):
            Told.objects.bulk_create(Told(access_id=pk, opco=opco, at=at) for pk in new[first : first + CHUNK])
        shown = list(files.filter(pk__in=new[: letters.MOST_LINES]))
        mail.write_many([letters.new_files(advisor=each, files=shown, total=len(new)) for each in advisors], at=at)
        logger.info("opco_told", opco=opco.pk, files=len(new), advisors=len(advisors))
        return len(new)

    return _each_opco(list(opcos), tell)


def remind(*, at: datetime) -> int:
    """Monday, Wednesday and Friday from 8:30 in Paris, once a day: what waits, to active advisors; returns how many
    OPCOs were written to. A queue that was empty in the morning is not spoken of later in the day.
    """
    today, now = localdate(at), localtime(at).time()
    if today.weekday() not in REMINDER_DAYS or not REMINDER_FROM <= now < REMINDER_UNTIL:
        return 0
    opcos = Advisor.objects.active().order_by("opco").values_list("opco", flat=True).distinct()

    def tell(advisors: list[Advisor]) -> int:
        opco = advisors[0].opco
        if Reminder.objects.filter(opco=opco, day=today).exists():
            return 0
        files = _to_treat(advisors[0], at=at)
        waiting = files.count()
        Reminder.objects.create(opco=opco, day=today, at=at, waiting=waiting)
        if not waiting:
            return 0
        oldest = files.order_by("confirmed_at").values_list("confirmed_at", flat=True)[0]
        assert oldest
        counts = letters.Counts(
            waiting=waiting,
            answered=files.filter(case__answered_at__isnull=False).count(),
            long=files.filter(confirmed_at__lte=at - LONG).count(),
            offers=Offer.objects.live().filter(access__in=files.order_by().values("pk")).count(),
            oldest_on=localdate(oldest),
        )
        mail.write_many([letters.reminder(advisor=each, counts=counts) for each in advisors], at=at)
        logger.info("opco_reminded", opco=opco.pk, waiting=waiting, advisors=len(advisors))
        return 1

    return _each_opco(list(opcos), tell)
