"""Processes of the tests' own, on the running test's database: started, waited for, killed."""

import contextlib
import os
import random
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import quote

from django.conf import settings
from django.db import connection

from labonnealternance.kit.commands import AlreadyRunning

Given = TypeVar("Given")


def database_url() -> str:
    """The address of the running test's database."""
    known = connection.settings_dict
    account = ":".join(quote(part, safe="") for part in (known["USER"], known["PASSWORD"]) if part)
    host = quote(known["HOST"], safe="") + (f":{known['PORT']}" if known["PORT"] else "")
    return f"postgres://{account}@{host}/{quote(known['NAME'])}"


def start(*arguments: str, variables: dict[str, str] | None = None, **options) -> subprocess.Popen[str]:
    """Python with ``arguments`` and the test's settings; ``stdout`` is a pipe, ``options`` are ``Popen``'s."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "labonnealternance.settings.test",
        "DATABASE_URL": database_url(),
        **(variables or {}),
    }
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=settings.BASE_DIR, env=environment, text=True,
        **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, **options},
    )  # fmt: skip


def start_until(word: str, script: str, *arguments: str, **options) -> subprocess.Popen[str]:
    """``script``, which runs on once it has said ``word``."""
    process = start("-c", textwrap.dedent(script), *arguments, **options)
    assert process.stdout
    assert process.stdout.readline().strip() == word
    return process


def free_port() -> int:
    """A port of this machine where nobody listens, and that the system gives to no other test's client meanwhile: it
    draws theirs from 32768 on.
    """
    draw = random.SystemRandom()
    while True:
        port = draw.randrange(10_000, 32_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def kill(process: subprocess.Popen[str]) -> None:
    """SIGKILL: the process has no time for anything."""
    process.kill()
    process.communicate()


def wait_until(condition: Callable[[], object], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.025)


def once_the_lock_is_back(act: Callable[[], Given]) -> Given:
    """What ``act`` gives: the server notices within seconds that a killed client is gone, and frees its lock."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        try:
            return act()
        except AlreadyRunning:
            time.sleep(0.05)
    raise AssertionError("the lock of a killed process is never given back")
