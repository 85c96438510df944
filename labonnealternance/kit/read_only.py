"""A block in which nothing is written: the database itself refuses, whatever the code tries."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.db import connection, transaction

_is_on: ContextVar[bool] = ContextVar("read_only", default=False)
# SQLSTATE of a statement that writes in a transaction that may not.
_REFUSED = "25006"


@contextmanager
def read_only() -> Iterator[None]:
    """Within the block every statement that would write raises; ``is_refusal`` knows the exception."""
    before = _is_on.set(True)
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION READ ONLY")
            yield
    finally:
        _is_on.reset(before)


def is_read_only() -> bool:
    """Whether the request is in such a block: what counts visitors does not try."""
    return _is_on.get()


def is_refusal(fault: BaseException | None) -> bool:
    """Whether ``fault`` is, or comes from, a statement that wrote in such a block."""
    while fault is not None:
        if getattr(fault, "sqlstate", None) == _REFUSED:
            return True
        fault = fault.__cause__ or fault.__context__
    return False
