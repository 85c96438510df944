"""Who uses the embedded services: the first to come starts them, the last to leave stops them.

Every process that needs them holds a shared lock on one file. On leaving it tries to make that lock exclusive: where it
can, nobody else is left, and the services stop. A process that is killed loses its lock with its life, so that a
forgotten server is adopted, and stopped, by the next one.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator

from labonnealternance.embedded import postgres, valkey
from labonnealternance.embedded.state import state_dir


def _needed():
    """The services that no variable of the user's names; those that the local settings named are still ours."""
    ours = os.environ.get("EMBEDDED_SERVICES", "").split()
    candidates = {"DATABASE_URL": postgres, "REDIS_URL": valkey}
    return [service for name, service in candidates.items() if not os.environ.get(name) or name in ours]


@contextlib.contextmanager
def services() -> Iterator[None]:
    """Within the block the services that no variable names are up."""
    wanted = _needed()
    if not wanted:
        yield
        return
    with open(state_dir() / "lease.lock", "w") as lease, open(state_dir() / "start.lock", "w") as door:
        fcntl.flock(door, fcntl.LOCK_EX)
        fcntl.flock(lease, fcntl.LOCK_SH)
        try:
            for service in wanted:
                service.start()
            fcntl.flock(door, fcntl.LOCK_UN)
            yield
        finally:
            fcntl.flock(door, fcntl.LOCK_EX)
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(lease, fcntl.LOCK_EX | fcntl.LOCK_NB)
                for service in reversed(wanted):
                    service.stop()
