"""The web process as it runs in production: PostgreSQL goes and comes back, and the logs tell nothing of anyone."""

import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from django.conf import settings
from django.db import OperationalError, connection

from labonnealternance.kit.postgres.base import DatabaseWrapper
from tests import processes
from tests.accounts.test_sign_in_link import link_to
from tests.factories import UserFactory

PROJECT = Path(settings.BASE_DIR)


class Relay:
    """A PostgreSQL address that stands in front of the real one, and that can be shut and opened."""

    def __init__(self, target: str):
        self.target = target
        self.folder = tempfile.mkdtemp(prefix="lba-")
        self.open_sockets: list[socket.socket] = []
        self.server: socketserver.BaseServer | None = None
        self.flows = threading.Event()
        self.flows.set()

    @property
    def address(self) -> str:
        return f"{self.folder}/.s.PGSQL.5432"

    def open(self):
        relay = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                with socket.socket(socket.AF_UNIX) as behind:
                    behind.connect(relay.target)
                    relay.open_sockets += [self.request, behind]
                    back = threading.Thread(target=relay._pour, args=(behind, self.request), daemon=True)
                    back.start()
                    relay._pour(self.request, behind)
                    back.join(timeout=5)

        class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
            daemon_threads = True

        self.server = Server(self.address, Handler)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def _pour(self, source: socket.socket, target: socket.socket):
        with contextlib.suppress(OSError):
            while received := source.recv(65536):
                self.flows.wait()
                target.sendall(received)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)

    def freeze(self):
        """Everything is taken, and nothing answers."""
        self.flows.clear()

    def thaw(self):
        self.flows.set()

    def shut(self):
        self.thaw()
        if self.server is None:
            return
        self.server.shutdown()
        self.server.server_close()
        self.server = None
        Path(self.address).unlink()
        for each in self.open_sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        self.open_sockets.clear()


class Web:
    """A gunicorn of one process, its address and its log."""

    def __init__(self, process: subprocess.Popen, port: int, log: Path):
        self.process = process
        self.port = port
        self.log = log
        self.cookies: dict[str, str] = {}

    def ask(self, method, path, form=None, headers=None):
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {"Cookie": cookies, **(headers or {})}
        body = None
        if form is not None:
            body = urlencode({**form, "csrfmiddlewaretoken": self.cookies.get("csrf", "")})
            headers |= {"Content-Type": "application/x-www-form-urlencoded", "Origin": f"http://127.0.0.1:{self.port}"}
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        answer.text = answer.read().decode()
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                cookie, _, kept = value.split(";")[0].partition("=")
                self.cookies[cookie] = kept
        self.connection.close()
        return answer


@pytest.fixture
def relay():
    parameters = connection.settings_dict
    relay = Relay(f"{parameters['HOST']}/.s.PGSQL.5432")
    relay.open()
    yield relay
    relay.shut()
    shutil.rmtree(relay.folder)


@pytest.fixture
def web(relay, tmp_path, transactional_db):
    port = processes.free_port()
    log = tmp_path / "log"
    name = connection.settings_dict["NAME"]
    environment = {
        "PATH": os.environ["PATH"],
        "STATE_DIR": os.environ.get("STATE_DIR", ""),
        "DJANGO_SETTINGS_MODULE": "labonnealternance.settings.local",
        "DATABASE_URL": f"postgres://{connection.settings_dict['USER']}@{quote(relay.folder, safe='')}/{name}",
        "REDIS_URL": settings.CELERY_BROKER_URL,
        "SITE_URL": f"http://127.0.0.1:{port}",
        "LOG_FORMAT": "json",
        "WEB_CONCURRENCY": "1",
        "PYTHONUNBUFFERED": "1",
    }
    with log.open("w") as output:
        process = subprocess.Popen(
            [
                sys.executable, "-m", "gunicorn", "--config", "python:labonnealternance.gunicorn",
                "--bind", f"127.0.0.1:{port}", "labonnealternance.wsgi",
            ],
            cwd=PROJECT, env=environment, stdout=output, stderr=output,
        )  # fmt: skip
    web = Web(process, port, log)

    def answers():
        assert process.poll() is None, log.read_text()
        with contextlib.suppress(OSError):
            return web.ask("GET", "/livez").status == 200

    processes.wait_until(answers)
    yield web
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=60)


def test_without_the_database_a_page_says_when_to_come_back_and_works_again_without_a_restart(web, relay):
    user = UserFactory()
    assert web.ask("GET", "/compte/connexion/").status == 200
    assert web.ask("POST", "/compte/connexion/", {"email": user.email}).status == 302
    assert json.loads(web.ask("GET", "/readyz").text)["checks"]["database"] == "ok"

    relay.shut()
    for _ in range(3):
        begun = time.monotonic()
        down = web.ask("POST", "/compte/connexion/", {"email": user.email})
        assert time.monotonic() - begun < 10
        assert down.status == 503
        assert down.getheader("Retry-After") == "30"
        assert "Service momentanément indisponible" in down.text
        assert "psycopg" not in down.text
        assert "Traceback" not in down.text
        assert "frame-ancestors 'none'" in down.getheader("Content-Security-Policy")
    with_session = web.ask("GET", "/compte/", headers={"Cookie": "session=" + "a" * 32})
    assert with_session.status == 503
    not_ready = web.ask("GET", "/readyz")
    assert not_ready.status == 503
    told = json.loads(not_ready.text)
    assert told["ready"] is False
    assert told["checks"]["database"] == "unreachable"
    assert told["checks"]["broker"] == "ok"
    assert relay.folder not in not_ready.text
    assert web.ask("GET", "/livez").status == 200

    relay.open()
    assert web.ask("POST", "/compte/connexion/", {"email": user.email}).status == 302
    assert web.ask("GET", "/compte/", headers={"Cookie": "session=" + "a" * 32}).status == 302
    assert json.loads(web.ask("GET", "/readyz").text)["checks"]["database"] == "ok"


def test_a_database_that_is_frozen_keeps_nobody_waiting_and_is_asked_again_once_it_answers(relay, transactional_db):
    parameters = connection.settings_dict
    options = {**parameters["OPTIONS"], "answer_within": 0.5}
    behind = DatabaseWrapper({**parameters, "HOST": relay.folder, "OPTIONS": options})

    def ask():
        try:
            with behind.cursor() as cursor:
                cursor.execute("SELECT 1")
                return cursor.fetchone()[0]
        finally:
            # As at the end of a request.
            behind.close_if_unusable_or_obsolete()

    assert ask() == 1
    relay.freeze()
    begun = time.monotonic()
    for _ in range(2):
        with pytest.raises(OperationalError):
            ask()
    assert time.monotonic() - begun < 10
    relay.thaw()
    assert ask() == 1
    behind.close()


def test_the_web_waits_longer_than_the_server_takes_to_give_up():
    assert settings.ANSWER_WITHIN["web"] > int(settings.STATEMENT_TIMEOUTS["web"].removesuffix("s"))


def test_a_sign_in_leaves_neither_address_nor_link_in_the_logs(web):
    user = UserFactory(email="tres.reconnaissable@exemple.fr", last_name="Reconnaissable")
    web.ask("GET", "/compte/connexion/?next=/compte/%3Femail=tres.reconnaissable%40exemple.fr")
    web.ask("POST", "/compte/connexion/", {"email": user.email})
    path = "/compte/lien/" + link_to(user).split("/lien/")[1]
    assert web.ask("GET", path, headers={"Referer": f"http://127.0.0.1:{web.port}{path}"}).status == 200
    assert web.ask("POST", path, {}).status == 302
    assert web.ask("POST", path, {}).status == 200
    assert web.ask("POST", f"{path}renouveler/", {}).status == 200
    web.ask("POST", "/admin/login/", {"username": user.email, "password": "tres secret", "otp_token": "123456"})

    lines = [json.loads(line) for line in web.log.read_text().splitlines()]
    asked = [
        (line["method"], line["path"], line["status"]) for line in lines if line.get("logger") == "gunicorn.access"
    ]
    assert ("POST", "/compte/lien/***/", 302) in asked
    assert ("POST", "/compte/lien/***/renouveler/", 200) in asked
    assert ("GET", "/compte/connexion/", 200) in asked
    assert {line["event"] for line in lines} >= {"sign_in_link_sent", "sign_in_link_used"}
    log = web.log.read_text()
    for secret in ("reconnaissable", "Reconnaissable", path.split("/")[-2], "tres secret", "123456"):
        assert secret not in log


def test_a_visitor_moves_no_link_and_what_is_refused_leaves_one_line(web):
    home = web.ask("GET", "/").text
    for name in ("SCRIPT_NAME", "Script-Name"):
        assert web.ask("GET", "/compte/connexion/", headers={name: "/compte"}).status == 200
    assert web.ask("GET", "/", headers={"PATH_INFO": "/admin/", "SCRIPT_NAME": "/"}).text == home
    assert web.ask("HEAD", "/").status == 200
    assert web.ask("GET", "/", headers={"Host": "mechant.exemple.fr"}).status == 400
    assert web.ask("GET", "/?q=%00").status == 400
    assert web.ask("GET", "/?q=" + "%C3%A9" * 1300).status == 200
    too_long = web.ask("GET", "/?q=" + "a" * 10_000)
    assert too_long.status == 414
    assert "Adresse trop longue" in too_long.text
    with socket.create_connection(("127.0.0.1", web.port), timeout=60) as garbled:
        garbled.sendall(b"GET / HTTP/9.9\r\n\r\n")
        assert garbled.recv(4096).startswith(b"HTTP/1.1 400")
    log = web.log.read_text()
    assert "address_too_long" in log
    assert not [line for line in log.splitlines() if '"level": "warning"' in line and "127.0.0.1" in line]
    assert "mechant.exemple.fr" in log
    assert "Traceback" not in log
    assert "WSGI app sent body" not in log


def test_a_probe_needs_neither_a_known_host_nor_a_cookie(web):
    for path in ("/livez", "/readyz"):
        answer = web.ask("GET", path, headers={"Host": "10.0.0.7"})
        assert answer.status == 200, answer.text
        assert answer.getheader("Cache-Control") == "no-store"
        assert answer.getheader("Set-Cookie") is None
