"""`make run` from nothing, as a newcomer has it: it starts, it answers, Ctrl-C stops it, and it starts again whole."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import psutil
import pytest

from tests import processes

SIZE = "3000"
RESULT, OFFER = '<li class="result ', "Offre d’emploi</p>"


@pytest.fixture
def environment():
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    ours = {"DATABASE_URL", "REDIS_URL", "EMBEDDED_SERVICES", "LOCAL", "SITE_URL", "DATA_DIR", "EMAIL_URL"}
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    yield {**kept, "STATE_DIR": str(folder / "state"), "PORT": str(processes.free_port()), "DEMO_SIZE": SIZE}
    shutil.rmtree(folder)


class Copy:
    """One `make run`, its output kept in a file."""

    def __init__(self, environment):
        self.environment = environment
        self.log = Path(environment["STATE_DIR"] + ".log")
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "labonnealternance.demo.run"],
                env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip

    def wait_until_announced(self, seconds):
        limit = time.monotonic() + seconds
        while "Ctrl-C pour tout arrêter" not in self.log.read_text():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < limit, self.log.read_text()
            time.sleep(0.2)

    def get(self, path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.environment['PORT']}{path}", timeout=120) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def manage(self, *arguments):
        environment = {name: value for name, value in self.environment.items() if name != "PORT"}
        answer = subprocess.run(
            [sys.executable, "manage.py", *arguments], env=environment, capture_output=True, text=True, timeout=300
        )
        assert answer.returncode == 0, answer.stderr
        return answer.stdout

    def kill(self):
        """SIGKILL, of the first process alone: it has no time for anything. Gives those that it had started."""
        started = psutil.Process(self.process.pid).children(recursive=True)
        self.process.kill()
        self.process.wait(120)
        return started

    def interrupt(self):
        """Ctrl-C reaches the whole group of a terminal."""
        os.killpg(self.process.pid, signal.SIGINT)
        self.process.wait(120)


def is_free(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", int(port))) != 0


def test_one_command_runs_the_service_and_a_second_one_loses_nothing(environment):
    copy = Copy(environment)
    try:
        copy.wait_until_announced(600)
        told = json.loads(copy.manage("demo_accounts", "--json"))
        assert told["base_url"] == f"http://127.0.0.1:{environment['PORT']}"
        assert copy.get("/")[0] == 200
        status, results = copy.get(told["pages"]["search_example"].removeprefix(told["base_url"]))
        assert status == 200
        assert results.count(RESULT) >= 8, "a visitor sees a market, however small the country"
        assert results.count(OFFER) > 3
        assert told["pages"]["offer_example"].removeprefix(told["base_url"]) in results
        offers = told["roles"]["recruiter"]["offers"]
        assert set(offers) == {"ending", "read", "filled", "awaiting"}
        for page in ("offer_example", "offer_act_prolong", "register"):
            assert copy.get(told["pages"][page].removeprefix(told["base_url"]))[0] == 200, page
        assert copy.get("/readyz")[0] == 200
        assert copy.get("/cette-page-n-existe-pas")[0] == 404

        second = subprocess.run(
            [sys.executable, "-m", "labonnealternance.demo.run"], env=environment, capture_output=True, text=True
        )
        assert second.returncode != 0
        assert "tourne déjà" in second.stderr
        assert copy.get("/livez")[0] == 200
    finally:
        copy.interrupt()
    assert copy.process.returncode == 0, copy.log.read_text()
    assert "offer_deposited" not in copy.log.read_text()
    assert is_free(environment["PORT"])
    left = subprocess.run(["pgrep", "-f", environment["STATE_DIR"]], capture_output=True, text=True).stdout
    assert left == ""

    before = told["roles"]["support"]
    begun = time.monotonic()
    copy.log.unlink()
    again = Copy(environment)
    try:
        again.wait_until_announced(240)
        took = time.monotonic() - begun
        roles = json.loads(again.manage("demo_accounts", "--json"))["roles"]
        assert roles["support"]["password"] == before["password"]
        assert roles["recruiter"]["offers"] == offers
        assert again.get(told["pages"]["search_example"].removeprefix(told["base_url"]))[1].count(RESULT) == (
            results.count(RESULT)
        )
    finally:
        started = again.kill()
    # Killed, it leaves no process behind, and the port is free; the database waits for whoever comes next.
    assert len(started) > 6
    assert psutil.wait_procs(started, timeout=60)[1] == []
    assert is_free(environment["PORT"])
    subprocess.run(
        [sys.executable, "-c", "import labonnealternance.embedded as e\nwith e.services(): pass"],
        env=environment,
        check=True,
        timeout=120,
    )
    left = subprocess.run(["pgrep", "-f", environment["STATE_DIR"]], capture_output=True, text=True).stdout
    assert left == ""
    # 15 seconds on a machine that does nothing else; the tests share two cores, here or slower.
    assert took < 120


def test_a_taken_port_is_told_with_another_one_to_use(environment):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", int(environment["PORT"])))
        taken.listen()
        answer = subprocess.run(
            [sys.executable, "-m", "labonnealternance.demo.run"], env=environment, capture_output=True, text=True
        )
    assert answer.returncode == 1
    assert f"Le port {environment['PORT']} est déjà pris" in answer.stderr
