"""Limits on what one visitor may do within a time; they hold when requests come at the same moment."""

import hashlib
import hmac
import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection

from labonnealternance.kit.models import Counter
from labonnealternance.kit.read_only import is_read_only


@dataclass(frozen=True)
class Limit:
    """``count`` times ``per`` window, counted under ``name``."""

    name: str
    count: int
    per: timedelta


class TooMany(Exception):
    """The limit is reached; ``seconds`` (whole, at least 1) until it opens again."""

    def __init__(self, seconds: int):
        super().__init__(f"again in {seconds} s")
        self.seconds = seconds

    @property
    def minutes(self) -> int:
        """The same in whole minutes, at least 1."""
        return math.ceil(self.seconds / 60)


def _key(limit: Limit, subject: str) -> str:
    """A keyed digest: the table tells neither an address nor a network, even to who guesses them."""
    told = f"{limit.name}\0{subject}".encode()
    return hmac.new(settings.SECRET_KEY.encode(), told, hashlib.sha256).hexdigest()


def hit(limit: Limit, *, subject: str, at: datetime) -> None:
    """Counts one more for ``subject``; raises ``TooMany`` beyond the limit.

    One statement counts and tells: two requests at the same moment never read the same number. Call it outside a
    transaction that may be undone, or the count is undone with it. Where nothing may be written, nothing is counted.
    """
    if is_read_only():
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO kit_counter AS counter (key, hits, ends_at) VALUES (%(key)s, 1, %(ends_at)s)
            ON CONFLICT (key) DO UPDATE SET
                hits = CASE WHEN counter.ends_at <= %(at)s THEN 1 ELSE least(counter.hits, %(count)s) + 1 END,
                ends_at = CASE WHEN counter.ends_at <= %(at)s THEN excluded.ends_at ELSE counter.ends_at END
            RETURNING hits, ends_at
            """,
            {"key": _key(limit, subject), "at": at, "ends_at": at + limit.per, "count": limit.count},
        )
        hits, ends_at = cursor.fetchone()
    if hits > limit.count:
        raise TooMany(max(1, math.ceil((ends_at - at).total_seconds())))


def purge(*, at: datetime, dry_run: bool = False) -> int:
    """Deletes the counters whose window is over; returns their number."""
    over = Counter.objects.filter(ends_at__lte=at)
    return over.count() if dry_run else over.delete()[0]
