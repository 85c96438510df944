"""Statements that the search asks a thousand times: their SQL written once, their plans kept by each connection."""

import datetime
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property, lru_cache
from typing import Any
from weakref import WeakKeyDictionary

import psycopg.sql
from django.db import connection
from django.db.models import Model, QuerySet
from django.db.models.base import ModelState
from django.utils.timezone import localdate

from companies.models import Commune, Establishment, Naf, Rome

# The SQL, with parameters by name, and their values.
Query = tuple[str, dict[str, Any]]


def rows(sql: str, params: dict) -> list[tuple]:
    """The rows of a query whose plan each connection keeps: it takes as long to plan as to answer.

    Every parameter's type must be told by its surroundings, or by a cast: it is not known when the plan is made.
    """
    return rows_of([(sql, params)])[0]


def rows_of(queries: Sequence[Query]) -> list[list[tuple]]:
    """``rows`` of each of ``queries``, asked in one round trip: the way there and back costs as much as a short one."""
    with connection.cursor() as cursor:
        kept = _PREPARED.setdefault(connection.connection, set())
        asked, values = [], []
        for sql, params in queries:
            name, numbered, order = _prepared(sql)
            if name not in kept:
                with connection.wrap_database_errors:
                    connection.connection.execute(f"PREPARE {name} AS {numbered}")
                kept.add(name)
            asked.append(f"EXECUTE {name} ({', '.join(['%s'] * len(order))});" if order else f"EXECUTE {name};")
            values += [params[each] for each in order]
        # Left to itself PostgreSQL plans each question anew, which takes as long as answering it; and elsewhere it must
        # be left to itself: the checks of foreign keys would keep the plan of a table still empty.
        cursor.execute(f"SET plan_cache_mode = force_generic_plan; {' '.join(asked)} RESET plan_cache_mode", values)
        answers = []
        for _ in queries:
            cursor.nextset()
            answers.append(cursor.fetchall())
        return answers


_PREPARED: WeakKeyDictionary[Any, set[str]] = WeakKeyDictionary()


def array(values: Iterable) -> str:
    """Numbers as PostgreSQL reads an array of them: quicker than each by itself."""
    return f"{{{','.join(map(str, values))}}}"


@lru_cache(maxsize=64)
def _prepared(sql: str) -> tuple[str, str, list[str]]:
    """A name of its own, the same query with numbered parameters, and the names of these in order."""
    order: list[str] = []

    def number(match: re.Match) -> str:
        if match[1] not in order:
            order.append(match[1])
        return f"${order.index(match[1]) + 1}"

    numbered = re.sub(r"%\((\w+)\)s", number, sql)
    return f"search_{hashlib.sha256(sql.encode()).hexdigest()[:24]}", numbered, order


class At:
    """The SQL of a queryset that depends on an instant, written once: writing it costs more than asking it.

    It is written for an instant that nothing else names, which then gives its place to the instant of each question.
    """

    MARK = datetime.datetime(9999, 6, 15, 12, 0, 0, 123456, tzinfo=datetime.UTC)

    def __init__(self, queryset: Callable[[datetime.datetime], QuerySet], prefix: str):
        self.queryset = queryset
        self.prefix = prefix

    @cached_property
    def sql(self) -> str:
        """To stand within a larger query, between parentheses. What is not an instant is written in it: an index on
        some kinds of rows only serves a plan that sees which kind it reads.
        """
        sql, params = self.queryset(self.MARK).query.sql_with_params()
        marks = {self.MARK: f"%({self.prefix}_at)s::timestamptz", localdate(self.MARK): f"%({self.prefix}_on)s::date"}
        return sql % tuple(
            marks[value] if isinstance(value, datetime.date) else psycopg.sql.Literal(value).as_string()
            for value in params
        )

    def params(self, at: datetime.datetime) -> dict:
        return {f"{self.prefix}_at": at, f"{self.prefix}_on": paris_day(at)}


@lru_cache(maxsize=8)
def paris_day(at: datetime.datetime) -> datetime.date:
    """The day that ``at`` is in Paris, which one question asks many times."""
    return localdate(at)


class Loader:
    """Makes instances of several models from the columns of one row; what is not read is deferred.

    A commune, an activity or a job met twice in an answer is the same instance: making it costs more than reading it.
    """

    def __init__(self, **tables: tuple[type[Model], str]):
        """Table → its model, and the names of the columns to read, the key among them, separated by spaces."""
        self.parts: list[tuple[str, type[Model], list[str], int, int]] = []
        first = 0
        for table, (model, names) in tables.items():
            asked = set(names.split())
            # The key comes first, as in the model; ``from_db`` wants the model's order.
            columns = [field.attname for field in model._meta.concrete_fields if field.attname in asked]
            if unknown := asked - set(columns):
                raise ValueError(f"{model.__name__} has no {unknown}")
            self.parts.append((table, model, columns, first, first + len(columns)))
            first += len(columns)
        self.sql = ", ".join(f"{table}.{column}" for table, _, columns, _, _ in self.parts for column in columns)

    def __call__(self, answer: list[tuple], *, skip: int) -> Iterator[dict[str, Any]]:
        """For each row, past its ``skip`` first values: table → instance, or None where an outer join found none."""
        known: dict[tuple[str, Any], Any] = {}
        for row in answer:
            loaded: dict[str, Any] = {}
            for table, model, columns, first, end in self.parts:
                key = row[skip + first]
                instance = known.get((table, key))
                if instance is None and key is not None:
                    instance = known[table, key] = _instance(model, columns, row[skip + first : skip + end])
                loaded[table] = instance
            yield loaded


def _instance(model: type[Model], columns: list[str], values: Sequence) -> Any:
    """What ``model.from_db`` makes, without a look at the columns that are not read: a fifth of its time.

    Our models neither listen to their own making nor keep more than their columns.
    """
    instance, state = model.__new__(model), ModelState()
    instance.__dict__ = dict(zip(columns, values, strict=True), _state=state)
    state.__dict__ = {"db": "default", "adding": False}
    return instance


# What a list of results reads of each.
READ: dict[str, tuple[type[Model], str]] = {
    "establishment": (
        Establishment,
        "id siret name legal_name naf_id headcount_band address postcode commune_id latitude longitude",
    ),
    "naf": (Naf, "code label"),
    "commune": (Commune, "code name departement_id"),
    "rome": (Rome, "code label"),
}
