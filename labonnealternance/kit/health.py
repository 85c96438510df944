"""/livez: this process answers. /readyz: what it stands on answers too.

Each check is a function named in ``settings.READINESS_CHECKS``; it returns nothing, or raises ``NotReady`` with a
sentence that tells no internals.
"""

import logging
import secrets
from functools import cache

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpResponse, JsonResponse
from django.utils.module_loading import import_string

from labonnealternance.celery import app

logger = logging.getLogger(__name__)


class NotReady(Exception):
    """What is not ready, in a sentence."""


def livez() -> HttpResponse:
    """Reads nothing: a slow database is no reason to restart a process."""
    return HttpResponse("ok\n", content_type="text/plain", headers={"Cache-Control": "no-store"})


def readyz() -> JsonResponse:
    """200, or 503 and which check fails: ``{"ready": false, "checks": {"database": "unreachable", …}}``."""
    checks = {name: _outcome(dotted_path) for name, dotted_path in settings.READINESS_CHECKS.items()}
    ready = all(outcome == "ok" for outcome in checks.values())
    return JsonResponse(
        {"ready": ready, "checks": checks}, status=200 if ready else 503, headers={"Cache-Control": "no-store"}
    )


def _outcome(dotted_path: str) -> str:
    try:
        import_string(dotted_path)()
    except NotReady as reason:
        return str(reason)
    except Exception:
        # The exception's own words may name a host or an account: who runs the service reads them in the log.
        logger.warning("%s is not ready", dotted_path, exc_info=True)
        return "unreachable"
    return "ok"


def database() -> None:
    """PostgreSQL answers, and accepts writing (a replica in recovery does not)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_is_in_recovery() OR current_setting('default_transaction_read_only') = 'on'")
        if cursor.fetchone()[0]:
            raise NotReady("read-only")


@cache
def _no_migration_waits() -> bool:
    """Remembered once true: a process never sees its own code's migrations undone. (A refusal is not cached.)"""
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise NotReady("migrations wait to be applied")
    return True


def migrations() -> None:
    """Every migration of this code is applied."""
    _no_migration_waits()


def broker() -> None:
    """The broker of the workers answers."""
    with app.connection_for_write(transport_options={"socket_timeout": 2, "socket_connect_timeout": 1}) as broker:
        broker.ensure_connection(max_retries=1, interval_start=0, timeout=2)


def storage() -> None:
    """A file can be written, read and deleted."""
    name = default_storage.save(f"readyz/{secrets.token_hex(8)}", ContentFile(b"ok"))
    try:
        with default_storage.open(name) as file:
            if file.read() != b"ok":
                raise NotReady("files are not read as they were written")
    finally:
        default_storage.delete(name)
