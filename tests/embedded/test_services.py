"""The embedded services: each copy its own, the last to leave stops them, nothing is lost."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import pytest

from labonnealternance.embedded import state_dir

USE = """
import sys, psycopg, redis
from labonnealternance.embedded import services, postgres, valkey
with services():
    with psycopg.connect(host=postgres.host(), user=postgres.USER, dbname=postgres.DATABASE, autocommit=True) as c:
        c.execute("CREATE TABLE IF NOT EXISTS kept (word text)")
        c.execute("INSERT INTO kept VALUES (%s)", [sys.argv[1]])
        words = [word for (word,) in c.execute("SELECT word FROM kept ORDER BY word")]
    broker = redis.Redis(unix_socket_path=str(valkey.socket()), decode_responses=True)
    broker.rpush("kept", sys.argv[1])
    print(" ".join(words), "|", " ".join(sorted(broker.lrange("kept", 0, -1))), flush=True)
    if len(sys.argv) > 2:
        sys.stdin.readline()
"""


@pytest.fixture
def open_folder():
    """A folder that every account may walk to (pytest's own are private)."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def copy_environment(open_folder):
    """A copy of its own, whatever the running tests use."""
    ours = {"DATABASE_URL", "REDIS_URL", "EMBEDDED_SERVICES", "LOCAL", "SITE_URL"}
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    return {**kept, "STATE_DIR": str(open_folder / "state")}


def use(environment, word):
    answer = subprocess.run(
        [sys.executable, "-c", USE, word], env=environment, capture_output=True, text=True, timeout=120
    )
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.strip()


def stay(environment, word):
    process = subprocess.Popen(
        [sys.executable, "-c", USE, word, "stay"],
        env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout.readline().strip()
    return process


def is_up(environment):
    script = (
        "from labonnealternance.embedded import postgres, valkey; print(postgres.is_running(), valkey.is_running())"
    )
    answer = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True)
    return answer.stdout.strip()


def test_the_first_to_come_starts_the_services_and_the_last_to_leave_stops_them(copy_environment):
    first = stay(copy_environment, "first")
    assert use(copy_environment, "second") == "first second | first second"
    assert is_up(copy_environment) == "True True"
    first.communicate("\n", timeout=60)
    assert is_up(copy_environment) == "False False"


def test_a_restart_loses_nothing(copy_environment):
    use(copy_environment, "before")
    assert use(copy_environment, "later") == "before later | before later"


def test_a_server_left_behind_by_a_killed_process_is_adopted_and_stopped_by_the_next(copy_environment):
    killed = stay(copy_environment, "killed")
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert is_up(copy_environment) == "True True"
    assert use(copy_environment, "next") == "killed next | killed next"
    assert is_up(copy_environment) == "False False"


# Ctrl-C at the very moment when what is named by the first argument runs, which leaves its folder half made.
STOPPED = """
import subprocess, sys
from pathlib import Path
run = subprocess.run
def stopped(command, **options):
    if Path(command[0]).name != sys.argv[1]:
        return run(command, **options)
    if "-D" in command:
        Path(command[command.index("-D") + 1], "PG_VERSION").write_text("18")
    raise KeyboardInterrupt
subprocess.run = stopped
from labonnealternance.embedded import services
with services():
    print("started")
"""


@pytest.mark.parametrize("binary", ["initdb", "valkey-server"])
def test_a_first_start_that_is_stopped_by_ctrl_c_leaves_nothing_running_and_is_begun_again(copy_environment, binary):
    answer = subprocess.run(
        [sys.executable, "-c", STOPPED, binary], env=copy_environment, capture_output=True, text=True, timeout=120
    )
    assert "KeyboardInterrupt" in answer.stderr
    assert answer.stdout == ""
    assert is_up(copy_environment) == "False False"
    assert use(copy_environment, "again") == "again | again"


def test_a_database_that_its_server_lacks_is_made_by_the_next_to_come(copy_environment):
    first = stay(copy_environment, "first")
    script = (
        "import psycopg; from labonnealternance.embedded import postgres as p; "
        "psycopg.connect(host=p.host(), user=p.USER, dbname='postgres', autocommit=True)"
        ".execute(f'DROP DATABASE {p.DATABASE} WITH (FORCE)')"
    )
    subprocess.run([sys.executable, "-c", script], env=copy_environment, check=True)
    assert use(copy_environment, "second") == "second | first second"
    first.communicate("\n", timeout=60)


def test_two_copies_run_side_by_side(copy_environment, open_folder):
    other_environment = {**copy_environment, "STATE_DIR": str(open_folder / "other")}
    one = stay(copy_environment, "one")
    assert use(other_environment, "other") == "other | other"
    assert is_up(copy_environment) == "True True"
    one.communicate("\n", timeout=60)


def test_a_private_parent_folder_and_a_long_path_are_no_obstacle(copy_environment, open_folder):
    private = open_folder / "private"
    private.mkdir(mode=0o700)
    state = private / ("a-very-long-name-" * 8) / "state"
    environment = {**copy_environment, "STATE_DIR": str(state)}
    assert use(environment, "word") == "word | word"
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    shutil.rmtree(f"/var/tmp/labonnealternance-{(state / 'mark').read_text()}", ignore_errors=True)


def test_a_state_folder_that_can_t_be_one_is_told(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("STATE_DIR", str(tmp_path / "file"))
    with pytest.raises(SystemExit, match="choisissez un autre STATE_DIR"):
        state_dir()


def test_a_variable_that_names_a_service_keeps_the_embedded_one_out(copy_environment):
    script = textwrap.dedent("""
        from labonnealternance.embedded import services, postgres, valkey
        with services():
            print(postgres.is_running(), valkey.is_running())
    """)
    environment = {**copy_environment, "DATABASE_URL": "postgres://elsewhere/db"}
    answer = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True)
    assert answer.stdout.strip() == "False True"
