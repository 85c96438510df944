"""What waits for somebody, on the back-office's first page: told by the apps, each for itself.

Each app's ``admin`` tells the rows that wait, and the address of the list that shows them:

    @waits("Demandes d'établissements", rank=10, permission="unsubscribe.view_request")
    def requests(*, at):
        return Request.objects.to_treat(), reverse("admin:unsubscribe_request_changelist")

Rows are counted, never read: one query a line, that stops at the first number which says no more than « many ».
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

MOST_COUNTED = 100


@dataclass(frozen=True)
class Waiting:
    """``number`` is ``MOST_COUNTED + 1`` where there are more."""

    label: str
    number: int
    url: str

    @property
    def told(self) -> str:
        return f"{MOST_COUNTED}+" if self.number > MOST_COUNTED else str(self.number)


@dataclass(frozen=True, order=True)
class _Told:
    rank: int
    label: str
    permission: str
    tell: Callable[..., tuple[QuerySet[Any], str]] = field(compare=False)


_lines: list[_Told] = []


def waits(label: str, *, rank: int, permission: str) -> Callable[[Callable], Callable]:
    """Makes ``tell(at=…) -> (rows, address)`` a line of the first page, for who has ``permission``; low ranks first."""

    def register(tell: Callable[..., tuple[QuerySet[Any], str]]) -> Callable[..., tuple[QuerySet[Any], str]]:
        _lines.append(_Told(rank, label, permission, tell))
        return tell

    return register


def waiting_for(user: Any, *, at: datetime) -> list[Waiting]:
    """What ``user`` may open of what waits at ``at``, nothing waiting too."""
    found = []
    for line in sorted(_lines):
        if user.has_perm(line.permission):
            rows, url = line.tell(at=at)
            found.append(Waiting(line.label, rows.order_by()[: MOST_COUNTED + 1].count(), url))
    return found
