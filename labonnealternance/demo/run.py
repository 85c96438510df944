"""`make run`: the whole service on this machine, from nothing to an address to open.

Starts the embedded services, migrates, prepares the demo, then runs web, worker and beat side by side until Ctrl-C,
which stops all that was started here and nothing else. Run again, it starts in seconds and loses nothing. Killed, it
takes web, worker and beat with it; the services, which hold data, wait for the next run (``embedded.lease``).
"""

import fcntl
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from functools import partial

from honcho.manager import Manager
from honcho.process import Popen, Process

from labonnealternance.embedded import address_file, services, state_dir
from labonnealternance.embedded.parent import end_with_parent

HOST = "127.0.0.1"
PYTHON = sys.executable


def _port() -> int:
    given = os.environ.get("PORT") or "8000"
    if not given.isdigit() or not 0 < int(given) < 65536:
        raise SystemExit(f"PORT={given} n’est pas un port : un nombre de 1 à 65535.")
    return int(given)


def _refuse_a_taken_port(port: int):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            raise SystemExit(
                f"Le port {port} est déjà pris. Choisissez-en un autre : PORT={port + 1} make run"
            ) from None


def _prepare():
    """In a process of its own: what it imports and holds is given back before the service starts."""
    # Its steps tell what they do; the actions that they call would tell each row.
    answer = subprocess.run(
        [PYTHON, "manage.py", "prepare_demo"],
        env={"LOG_LEVEL": "warning", **os.environ},
        preexec_fn=end_with_parent,
    )
    if answer.returncode:
        raise SystemExit(answer.returncode)


class _Child(Process):
    """A process of honcho's, with the one that reads what it says: neither is left behind by who is killed above it."""

    def __init__(self, cmd, **options):
        # In the place of the shell, whose end would tell it nothing.
        super().__init__(f"exec {cmd}", **options)
        self._child_ctor = partial(Popen, preexec_fn=end_with_parent)

    def run(self, events=None, ignore_signals=False):
        # The reader holds the lock of this copy, and ignores the gentler signals.
        end_with_parent(signal.SIGKILL)
        super().run(events, ignore_signals)


def _processes(port: int) -> dict[str, str]:
    """The Procfile's processes, with what a laptop changes."""
    if os.environ.get("DEBUG") == "1":
        web = f"{PYTHON} manage.py runserver --noreload {HOST}:{port}"
    else:
        web = (
            f"{PYTHON} -m gunicorn --config python:labonnealternance.gunicorn --bind {HOST}:{port}"
            " labonnealternance.wsgi"
        )
    celery = f"{PYTHON} -m celery --quiet --app labonnealternance.celery"
    schedule = state_dir() / "beat-schedule"
    return {
        "web": web,
        "worker": f"{celery} worker --loglevel warning --concurrency 2 --without-gossip --without-mingle",
        "beat": f"{celery} beat --loglevel warning --pidfile= --schedule '{schedule}'",
    }


def _announce_when_up(address: str):
    """Prints the accounts once the pages answer, so that what is printed can be opened."""
    for _ in range(600):
        try:
            urllib.request.urlopen(f"{address}/livez", timeout=5)
            break
        except urllib.error.HTTPError:
            break
        except OSError:
            time.sleep(0.1)
    # Begun once the processes are there: one forked meanwhile would hold the pipe, and its end would never come.
    told = subprocess.run([PYTHON, "manage.py", "demo_accounts"], capture_output=True, text=True)
    print(f"\n{told.stdout}{told.stderr}\nCtrl-C pour tout arrêter.\n", flush=True)


def main():
    begun = time.monotonic()
    port = _port()
    address = os.environ.setdefault("SITE_URL", f"http://{HOST}:{port}")
    os.environ["DJANGO_SETTINGS_MODULE"] = "labonnealternance.settings.local"
    with open(state_dir() / "run.lock", "w") as only_one:
        try:
            fcntl.flock(only_one, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SystemExit(
                f"Cette copie tourne déjà (état dans {state_dir()}). Pour une seconde : STATE_DIR=… PORT=… make run"
            ) from None
        _refuse_a_taken_port(port)
        address_file().write_text(address)
        with services():
            _prepare()
            print(f"— prêt en {time.monotonic() - begun:.0f} s, démarrage de web, worker et beat…", flush=True)
            # Celery warns a worker that runs as root; here the machine is one's own, and nothing comes from outside.
            quiet = "ignore:You're running the worker with superuser privileges"
            environment = {"LOG_FORMAT": "text", "PYTHONWARNINGS": quiet, **os.environ, "PYTHONUNBUFFERED": "1"}
            manager = Manager()
            manager._process_ctor = _Child
            for name, command in _processes(port).items():
                kind = "web" if name == "web" else "worker"
                manager.add_process(name, command, env={**environment, "PROCESS_KIND": kind})
            threading.Thread(target=_announce_when_up, args=[f"http://{HOST}:{port}"], daemon=True).start()
            manager.loop()
        address_file().unlink(missing_ok=True)
    sys.exit(manager.returncode if manager.returncode not in (None, -2, 130) else 0)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("\nArrêté.")
