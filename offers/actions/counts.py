"""How often offers are shown, opened and asked how to apply to: noted in passing, written together.

A page only adds to a dictionary of its process; a thread of its own writes the whole in one statement, a few seconds
later or as soon as there is much, and once more when the process ends. What a lost database or a killed process takes
away is a few counts, never a page.
"""

import atexit
import logging
import threading
from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.utils.timezone import localdate

logger = logging.getLogger(__name__)

What = Literal["shown", "opened", "applied"]
# So many notes are written without waiting for the delay.
MANY = 500
# Where the database does not follow, what is kept in memory stops here: offers × days.
MOST_KEPT = 20_000

_lock = threading.Lock()
_kept: dict[tuple[UUID, date], Counter[str]] = {}
_notes = 0
_writer: threading.Thread | None = None
_enough = threading.Event()


def note(*, offer_ids: Iterable[UUID], what: What, at: datetime) -> None:
    """Counts one more of ``what`` for each of ``offer_ids``, on the day of ``at`` in Paris. Asks the database nothing.

    An id that is no offer's is forgotten when counts are written.
    """
    global _notes
    day = localdate(at)
    with _lock:
        for offer_id in offer_ids:
            if (offer_id, day) in _kept or len(_kept) < MOST_KEPT:
                _kept.setdefault((offer_id, day), Counter())[what] += 1
                _notes += 1
        if _notes >= MANY:
            _enough.set()
        if _kept and settings.OFFER_COUNTS_DELAY is not None:
            _start_writing()


def write() -> None:
    """Writes what was noted in this process; what can't be written is lost, and the log says so."""
    global _notes
    with _lock:
        taken = dict(_kept)
        _kept.clear()
        _notes = 0
        _enough.clear()
    if not taken:
        return
    try:
        _add(taken)
    except Exception:
        logger.warning("counts of %s offers are lost", len(taken), exc_info=True)


def _start_writing() -> None:
    """Starts the thread where none runs; the lock is held."""
    global _writer
    if _writer is not None and _writer.is_alive():
        return
    # The web server ends its processes in the ordinary way: what they noted last is not lost.
    atexit.unregister(write)
    atexit.register(write)
    _writer = threading.Thread(target=_write_later, name="offer-counts", daemon=True)
    _writer.start()


def _write_later() -> None:
    """The thread: it lives as long as there is something to write, and holds a connection only while it writes."""
    global _writer
    while True:
        _enough.wait(settings.OFFER_COUNTS_DELAY)
        try:
            write()
        finally:
            connection.close()
        with _lock:
            if not _kept:
                _writer = None
                return


def _add(taken: dict[tuple[UUID, date], Counter[str]]) -> None:
    """One statement. Rows come in one order, so that two processes wait for each other at most; an offer on which
    someone acts at this very moment is left out, so that nobody ever waits for a count.
    """
    rows = [(offer, day, each["shown"], each["opened"], each["applied"]) for (offer, day), each in taken.items()]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO offers_offerday AS kept (offer_id, day, shown, opened, applied)
            SELECT offer.id, noted.day, noted.shown, noted.opened, noted.applied
            FROM unnest(%s::uuid[], %s::date[], %s::integer[], %s::integer[], %s::integer[])
                AS noted (offer_id, day, shown, opened, applied)
            JOIN offers_offer offer ON offer.id = noted.offer_id
            ORDER BY offer.id, noted.day
            FOR KEY SHARE OF offer SKIP LOCKED
            ON CONFLICT (offer_id, day) DO UPDATE SET
                shown = kept.shown + excluded.shown,
                opened = kept.opened + excluded.opened,
                applied = kept.applied + excluded.applied
            """,
            [list(column) for column in zip(*rows, strict=True)],
        )
