"""Statements that the search asks a thousand times: their SQL written once, their plans kept by each connection."""

import datetime
import hashlib
import re
from collections.abc import Callable, Iterator
from functools import cache, cached_property, lru_cache
from typing import Any
from weakref import WeakKeyDictionary

import psycopg.sql
from django.db import connection
from django.db.models import Model, QuerySet
from django.utils.timezone import localdate


def rows(sql: str, params: dict) -> list[tuple]:
    """The rows of a query whose plan each connection keeps: it takes as long to plan as to answer.

    Every parameter's type must be told by its surroundings, or by a cast: it is not known when the plan is made.
    """
    name, numbered, order = _prepared(sql)
    with connection.cursor() as cursor:
        kept = _PREPARED.setdefault(connection.connection, set())
        if name not in kept:
            with connection.wrap_database_errors:
                connection.connection.execute(f"PREPARE {name} AS {numbered}")
            kept.add(name)
        values = f"({', '.join(['%s'] * len(order))})" if order else ""
        cursor.execute(f"EXECUTE {name} {values}", [params[each] for each in order])
        return cursor.fetchall()


_PREPARED: WeakKeyDictionary[Any, set[str]] = WeakKeyDictionary()


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
        return {f"{self.prefix}_at": at, f"{self.prefix}_on": localdate(at)}


# Long texts that a list of results does not show.
LEFT_OUT = {"definition", "access", "description", "presentation"}


@cache
def _columns(model: type[Model]) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields if field.attname not in LEFT_OUT]


class Loader:
    """Makes instances of several models from the columns of one row.

    A commune, an activity or a job met twice in an answer is the same instance: making it costs more than reading it.
    """

    def __init__(self, **tables: type[Model]):
        self.tables = tables
        self.sql = ", ".join(f"{name}.{column}" for name, model in tables.items() for column in _columns(model))

    def __call__(self, answer: list[tuple], *, skip: int) -> Iterator[dict[str, Any]]:
        """For each row, past its ``skip`` first values: table → instance, or None where an outer join found none."""
        known: dict[tuple[str, Any], Any] = {}
        parts = []
        start = skip
        for name, model in self.tables.items():
            columns = _columns(model)
            parts.append((name, model, columns, start, start + len(columns)))
            start += len(columns)
        for row in answer:
            loaded: dict[str, Any] = {}
            for name, model, columns, first, last in parts:
                key = row[first]
                if key is None:
                    loaded[name] = None
                    continue
                instance = known.get((name, key))
                if instance is None:
                    instance = known[name, key] = model.from_db("default", columns, row[first:last])
                loaded[name] = instance
            yield loaded
