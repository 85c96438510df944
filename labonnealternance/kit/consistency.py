"""What must hold of the data, told by the apps: a check reads, names what breaks its rule, and mends nothing.

An app tells its own in a module named ``consistency``, found by name as Django finds ``admin``:

``CHECKS: list[Check]``
    In the order in which support reads them.

Labels name a row by a SIRET or a number, never a person: they are kept, and sent by e-mail.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

import structlog
from django.db import OperationalError, connection, transaction
from django.db.models import Model, QuerySet
from django.urls import NoReverseMatch, reverse
from django.utils.text import capfirst

from labonnealternance.kit.apps_tell import modules_named

logger = structlog.get_logger(__name__)

# Beyond, it is told that there are more.
MOST_COUNTED = 1000
MOST_SHOWN = 20
# Seconds that each statement of a check may take.
PATIENCE = 60.0


def page_of(row: Any) -> str:
    """The path of the row's page in the back-office; "" where it has none."""
    if not isinstance(row, Model):
        return ""
    try:
        return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
    except NoReverseMatch:
        return ""


def numbered(row: Model) -> str:
    """« Offre 12 »: a row by its kind and its key."""
    return f"{capfirst(str(row._meta.verbose_name))} {row.pk}"


def bounded(*found: QuerySet) -> Iterator[Any]:
    """The rows of several queries, one after the other, no more of each than are counted."""
    for rows in found:
        yield from rows[: MOST_COUNTED + 1]


@dataclass(frozen=True)
class Check:
    """``rule`` is the sentence of what must hold, in French; ``find`` gives what breaks it at an instant.

    ``name`` is kept with the results: « app.what_is_wrong ». ``remedy`` tells support what to do, in French.
    """

    name: str
    rule: str
    find: Callable[[datetime], Iterable[Any]]
    remedy: str = ""
    label: Callable[[Any], str] = numbered
    page: Callable[[Any], str] = page_of


@dataclass(frozen=True)
class Found:
    """What a check found: ``count`` faults (``MOST_COUNTED + 1`` for more) and some of them; or why it crashed."""

    count: int = 0
    examples: list[dict[str, str]] = field(default_factory=list)
    error: str = ""
    seconds: float = 0.0

    @property
    def holds(self) -> bool:
        return not self.count and not self.error


def checks() -> list[Check]:
    """Every check, lower floors first (the order of ``INSTALLED_APPS``)."""
    return [check for module in modules_named("consistency") for check in module.CHECKS]


def look(check: Check, *, at: datetime, patience: float = PATIENCE) -> Found:
    """Runs one check in a transaction that can't write, each statement within ``patience`` seconds; never raises."""
    begun = time.monotonic()
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL transaction_read_only = on")
                cursor.execute("SELECT set_config('statement_timeout', %s, true)", [f"{patience * 1000:.0f}ms"])
            found = check.find(at)
            rows = list(bounded(found) if isinstance(found, QuerySet) else islice(found, MOST_COUNTED + 1))
            examples = [{"label": check.label(row), "page": check.page(row)} for row in rows[:MOST_SHOWN]]
            # Its clocks end with it.
            transaction.set_rollback(True)
    except Exception as fault:
        logger.exception("consistency_check_crashed", check=check.name)
        return Found(error=_why(fault, patience), seconds=time.monotonic() - begun)
    return Found(count=len(rows), examples=examples, seconds=time.monotonic() - begun)


def _why(fault: Exception, patience: float) -> str:
    """A sentence that tells no internals: the log has the rest."""
    if isinstance(fault, OperationalError) and "statement timeout" in str(fault):
        return f"Il n’a pas fini en {patience:.0f} s."
    return f"Il s’est arrêté sur une erreur ({type(fault).__name__}) : le journal technique la raconte."
