"""Long commands: one at a time, and quiet where nobody looks."""

import io
import signal
import subprocess

import pytest
from django.core.management import BaseCommand
from django.db import connection, transaction

from labonnealternance.kit.commands import ALREADY_RUNNING, AlreadyRunning, progress, single_run
from tests import processes


@pytest.mark.django_db(transaction=True)
def test_a_second_run_of_the_same_work_is_refused_in_french_and_another_work_is_not():
    with single_run("import"):
        with pytest.raises(AlreadyRunning, match="« import » est déjà en cours") as refusal, single_run("import"):
            pass
        assert refusal.value.returncode == ALREADY_RUNNING
        with single_run("score"):
            pass
    with single_run("import"):
        pass


@pytest.mark.django_db(transaction=True)
def test_the_lock_is_given_back_after_a_fault_and_outlasts_the_work_s_own_connection():
    with pytest.raises(ZeroDivisionError), single_run("import"):
        raise ZeroDivisionError
    with single_run("import"), transaction.atomic():
        connection.close()
        with pytest.raises(AlreadyRunning), single_run("import"):
            pass


class Command(BaseCommand):
    def handle(self, **options):
        with single_run("import"):
            pass


@pytest.mark.django_db(transaction=True)
def test_the_command_that_comes_second_exits_with_its_own_code(capsys):
    with single_run("import"), pytest.raises(SystemExit) as end:
        Command(stderr=io.StringIO()).run_from_argv(["manage.py", "import"])
    assert end.value.code == ALREADY_RUNNING


@pytest.mark.django_db(transaction=True)
def test_ctrl_c_ends_a_command_by_its_code_and_shows_no_trace():
    process = processes.start(
        "manage.py", "shell", "--no-imports", "-c", "import time; print('on', flush=True); time.sleep(60)",
        stderr=subprocess.PIPE,
        # A shell that runs the tests in its background has what it starts ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    assert process.stdout.readline() == "on\n"
    process.send_signal(signal.SIGINT)
    assert "Traceback" not in process.communicate(timeout=60)[1]
    assert process.returncode == 130


HOLD = """
import time, django
django.setup()
from labonnealternance.kit.commands import single_run
with single_run("import"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.mark.django_db(transaction=True)
def test_a_killed_run_leaves_the_place_to_the_next_one():
    process = processes.start_until("held", HOLD)
    with pytest.raises(AlreadyRunning), single_run("import"):
        pass
    processes.kill(process)

    def again():
        with single_run("import"):
            return "held"

    assert processes.once_the_lock_is_back(again) == "held"


def test_the_bar_is_quiet_where_nobody_looks_and_shows_when_asked(capsys):
    with progress(total=3, label="Lecture") as bar:
        bar.update(3)
    assert capsys.readouterr().err == ""
    with progress(total=3, label="Lecture", shown=True) as bar:
        bar.update(3)
    told = capsys.readouterr()
    assert "Lecture" in told.err
    assert told.out == ""
