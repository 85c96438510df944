"""The web server: ``gunicorn --config python:labonnealternance.gunicorn labonnealternance.wsgi``.

WEB_CONCURRENCY is the number of processes (2), WEB_THREADS of threads in each (4): their product bounds the
connections to PostgreSQL. The access log says what was asked and how long it took, not who asked.
"""

import os
from logging import getLevelNamesMapping
from pathlib import Path

from gunicorn.glogging import Logger
from gunicorn.http.errors import LimitRequestLine
from gunicorn.util import write_nonblock
from gunicorn.workers.gthread import ThreadWorker

from labonnealternance.kit import logging

ADDRESS_TOO_LONG = """\
<!DOCTYPE html>
<html lang="fr">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Adresse trop longue</title></head>
<body>
<h1>Adresse trop longue</h1>
<p>Ce que vous avez écrit, ou le lien que vous avez suivi, dépasse ce que le service peut lire.</p>
<p>Revenez en arrière et écrivez-le en moins de mots, ou <a href="/">repartez de l’accueil</a>.</p>
</body>
</html>
"""


def _number(name: str, default: int) -> int:
    given = os.environ.get(name) or str(default)
    if not given.isdecimal() or int(given) < 1:
        raise SystemExit(f"{name} n’est pas un nombre entier, 1 ou plus : {given!r}")
    return int(given)


def _level() -> str:
    """LOG_LEVEL; a wrong one is told by the settings, which are read next."""
    given = os.environ.get("LOG_LEVEL", "").strip().upper()
    return given if given in getLevelNamesMapping() else "INFO"


workers = _number("WEB_CONCURRENCY", 2)
threads = _number("WEB_THREADS", 4)
# Longer than the statement timeout of the web (10 s): the database gives up first, and the visitor reads a page.
timeout = 15
graceful_timeout = 15
keepalive = 5
# The longest that gunicorn reads: a search whose every field is full, in any script, fits in it.
limit_request_line = 8190
# A heartbeat on a disk that is busy would look like a worker that hangs.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
# By default a visitor whose proxy is on this machine may say where the site is mounted: SCRIPT_NAME moves every link.
forwarder_headers = ""
accesslog = "-"
# A second door, and one file per account that two copies would fight for.
control_socket_disable = True
logconfig_dict = logging.configuration(
    level=_level(),
    form=os.environ.get("LOG_FORMAT") or ("text" if os.environ.get("LOCAL") == "1" else "json"),
)


class AccessLogger(Logger):
    """One line per request: neither address of the visitor, nor query, nor secret of a link."""

    def access(self, resp, req, environ, request_time):
        if not self.access_log_enabled:
            return
        self.access_log.info(
            "request",
            extra={
                "method": environ.get("REQUEST_METHOD"),
                "path": environ.get("PATH_INFO", ""),
                "status": resp.status_code,
                "milliseconds": round(request_time.total_seconds() * 1000),
                "bytes": getattr(resp, "sent", None),
            },
        )


logger_class = AccessLogger


class Worker(ThreadWorker):
    """Refuses what can't reach a page: in French what a visitor may do, and in the log not a word on who it was."""

    def handle_error(self, req, client, addr, exc):
        if not isinstance(exc, LimitRequestLine):
            super().handle_error(req, client, ("", -1), exc)
            return
        self.log.warning("address_too_long")
        page = ADDRESS_TOO_LONG.encode()
        head = (
            "HTTP/1.1 414 URI Too Long\r\nConnection: close\r\nCache-Control: no-store\r\n"
            f"Content-Type: text/html; charset=utf-8\r\nContent-Length: {len(page)}\r\n\r\n"
        )
        write_nonblock(client, head.encode() + page)


worker_class = Worker
