"""What the service holds about a person, told by the apps: read out on request, erased on request.

An app tells its part in a module named ``personal_data``, found here by name as Django finds ``admin``: ``KINDS``, a
list of ``Kind``. A column that may hold personal data and that no kind covers fails a test, unless the test says why.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import models, transaction
from django.utils import timezone
from django.utils.text import capfirst

from labonnealternance.kit.apps_tell import modules_named


@dataclass(frozen=True)
class Subject:
    """Who it is about: an e-mail address in lower case, and the account that has it, if there is one."""

    address: str
    user: Any = None


@dataclass(frozen=True)
class Kind:
    """One sort of rows about a person.

    ``rows`` finds them; ``shown`` are the columns that are read out: names of columns, or a label and a function of the
    row. ``covers`` are the models, or the columns, whose personal data are these. ``erase`` deletes or empties the rows
    that ``rows`` found; without it they stay. ``fate`` says in French what becomes of them, and why they stay.
    """

    name: str
    covers: Sequence[str]
    rows: Callable[[Subject], models.QuerySet]
    shown: Sequence[str | tuple[str, Callable[[Any], Any]]]
    fate: str
    erase: Callable[[models.QuerySet, Subject, Any, datetime], object] | None = None


@dataclass(frozen=True)
class Held:
    """How many rows of ``kind`` there are."""

    kind: Kind
    count: int


def of_user(model: Any, path: str) -> Callable[[Subject], models.QuerySet]:
    """For ``Kind.rows``: the rows of ``model`` whose ``path`` is the person; none where they have no account."""

    def rows(subject: Subject) -> models.QuerySet:
        return model.objects.filter(**{path: subject.user}) if subject.user else model.objects.none()

    return rows


def kinds() -> list[Kind]:
    """Every kind, higher floors first: what leans on an account goes before it."""
    told = reversed(list(modules_named("personal_data")))
    return [kind for module in told for kind in module.KINDS]


def held(subject: Subject) -> list[Held]:
    """What there is about ``subject``, kinds without a row too."""
    return [Held(kind, kind.rows(subject).count()) for kind in kinds()]


def erase(subject: Subject, *, by: Any, at: datetime) -> list[Held]:
    """Erases what may be, all of it or nothing; returns what there was. Twice is no error."""
    with transaction.atomic():
        found = held(subject)
        for each in found:
            # What came since it was counted too.
            if each.kind.erase is not None:
                each.kind.erase(each.kind.rows(subject), subject, by, at)
    return found


def stream(subject: Subject, *, at: datetime) -> Iterator[bytes]:
    """One JSON file, row by row: what is held in memory does not grow with their number."""
    head = {"adresse": subject.address, "établi le": _plain(at)}
    yield (json.dumps(head, ensure_ascii=False, indent=2)[:-2] + ',\n  "données": {').encode()
    between = "\n"
    for kind in reversed(kinds()):
        yield f"{between}    {json.dumps(kind.name, ensure_ascii=False)}: [".encode()
        before_row = "\n"
        for row in kind.rows(subject).order_by("pk").iterator(chunk_size=200):
            yield (before_row + "      " + json.dumps(_told(kind, row), ensure_ascii=False)).encode()
            before_row = ",\n"
        yield b"]"
        between = ",\n"
    yield b"\n  }\n}\n"


def _told(kind: Kind, row: Any) -> dict[str, Any]:
    told = {}
    for column in kind.shown:
        if isinstance(column, str):
            field = row._meta.get_field(column)
            value = getattr(row, f"get_{column}_display")() if field.choices else getattr(row, column)
            told[capfirst(str(field.verbose_name))] = _plain(value)
        else:
            label, read = column
            told[label] = _plain(read(row))
    return told


def _plain(value: Any) -> Any:
    """As JSON holds it: dates in ISO form, in Paris; files by their names."""
    if isinstance(value, datetime):
        return timezone.localtime(value).isoformat(timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return str(value)
