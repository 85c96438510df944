"""What long commands share: a progress bar, and the certainty of running alone."""

import contextlib
import hashlib
import sys
from collections.abc import Iterator

from django.core.management import CommandError
from django.db import DatabaseError, OperationalError, connection
from tqdm import tqdm

# EX_TEMPFAIL of sysexits.h: nothing is wrong, try again later.
ALREADY_RUNNING = 75
# What shells say of a command that Ctrl-C stopped.
INTERRUPTED = 130
# PostgreSQL's own code.
_DISK_FULL = "53100"


class AlreadyRunning(CommandError):
    """The same work runs in another process; a command that lets it through exits with ``ALREADY_RUNNING``."""

    def __init__(self, name: str):
        super().__init__(f"« {name} » est déjà en cours dans un autre processus.", returncode=ALREADY_RUNNING)


def _lock_number(name: str) -> int:
    """A signed number of 64 bits: what PostgreSQL's advisory locks are named by."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)


@contextlib.contextmanager
def single_run(name: str) -> Iterator[None]:
    """Within the block no other process runs ``name``; raises ``AlreadyRunning`` at once where one does.

    The lock lives on a connection of its own: it outlasts whatever the work does to Django's, and the server takes it
    back from a process that is killed. It needs a direct connection (no pooler that changes server between statements).
    """
    own = connection.copy()
    try:
        with own.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [_lock_number(name)])
            if not cursor.fetchone()[0]:
                raise AlreadyRunning(name)
        try:
            yield
        finally:
            # Given back before the connection ends: the server takes a moment to notice that, and the next run is now.
            with contextlib.suppress(DatabaseError), own.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [_lock_number(name)])
    finally:
        own.close()


@contextlib.contextmanager
def all_or_nothing() -> Iterator[None]:
    """Within the block, what stops an import that is applied in one transaction is told in a sentence."""
    try:
        yield
    except KeyboardInterrupt:
        raise CommandError("Import interrompu : rien n’a changé.", returncode=INTERRUPTED) from None
    except OperationalError as error:
        is_full = getattr(error.__cause__, "sqlstate", None) == _DISK_FULL
        why = "la base n’a plus de place sur son disque" if is_full else "la base ne répond plus"
        raise CommandError(f"Import interrompu : {why}. Rien n’a changé.") from None
    except OSError as error:
        raise CommandError(
            f"Import interrompu, rien n’a changé : {error.filename or 'le disque'} ne peut pas être écrit."
        ) from None


def progress(*, total: int | None, label: str, unit: str = "lignes", shown: bool | None = None) -> tqdm:
    """A bar on the standard error, to be used as ``with progress(…) as bar: bar.update(n)``.

    ``total`` is a number of ``unit`` (None: unknown). Quiet where nobody looks (not a terminal), unless ``shown``.
    """
    if shown is None:
        shown = sys.stderr.isatty()
    return tqdm(total=total, desc=label, unit=f" {unit}", unit_scale=True, file=sys.stderr, disable=not shown)
