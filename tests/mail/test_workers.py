"""Several workers, dead workers, no broker: nothing is sent twice at once, nothing is lost, nobody waits."""

import os
import socket
import subprocess
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
import redis
from celery import current_app
from django.conf import settings as django_settings
from django.db import connection, transaction

from labonnealternance.mail import actions, tasks
from labonnealternance.mail.enums import MessageStatus
from labonnealternance.mail.models import Message
from tests import processes
from tests.mail.conftest import AT

pytestmark = pytest.mark.django_db(transaction=True)


def in_threads(number, work):
    def run(_):
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(run, range(number)))


@pytest.fixture
def no_wake(monkeypatch):
    monkeypatch.setattr(actions.outbox, "_wake", lambda message_id: None)


def test_four_workers_that_sweep_together_send_each_message_once(write, server, no_wake):
    server.delay = 0.01
    written = {write(context={"name": str(n)}).message_id for n in range(24)}
    counts = in_threads(4, lambda: actions.deliver_due(at=AT)["sent"])
    assert sum(counts) == 24
    assert sorted(counts)[-2] > 0, "one worker alone did it all"
    assert Counter(server.message_ids) == dict.fromkeys(written, 1)
    assert not Message.objects.exclude(status=MessageStatus.SENT).exists()


def test_four_workers_woken_for_the_same_message_send_it_once(write, server, no_wake):
    server.delay = 0.2
    message = write()
    delivered = in_threads(4, lambda: actions.deliver(message_id=message.pk, at=AT))
    assert [found.pk for found in delivered if found] == [message.pk]
    assert server.message_ids == [message.message_id]


@pytest.fixture
def broker(monkeypatch):
    """The tests' broker, in a database of this process's own, that messages are announced to."""
    parts = urlsplit(django_settings.CELERY_BROKER_URL)
    number = 8 + int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % 8
    if parts.scheme == "redis+socket":
        url = f"{parts.scheme}://{parts.path}?virtual_host={number}"
        client = redis.Redis(unix_socket_path=parts.path, db=number)
    else:
        url = f"{parts.scheme}://{parts.netloc}/{number}"
        client = redis.Redis.from_url(url)
    monkeypatch.setattr(current_app.conf, "broker_write_url", url)
    client.flushdb()
    yield url
    client.flushdb()
    client.close()


@contextmanager
def worker(broker, server):
    """A real Celery worker on the tests' database, broker and mail server."""
    process = processes.start(
        "-m", "celery", "-A", "labonnealternance.celery", "worker", "--pool=solo", "--without-gossip",
        "--without-mingle", "--loglevel=WARNING",
        variables={
            "DJANGO_SETTINGS_MODULE": "labonnealternance.settings.local",
            "PROCESS_KIND": "worker",
            "REDIS_URL": broker,
            "EMAIL_URL": f"smtp://{server.host}:{server.port}",
        },
        stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        print(process.communicate()[0])


def test_a_worker_killed_between_the_sending_and_the_commit_loses_nothing_and_repeats_the_same_id(
    write, server, broker
):
    with transaction.atomic():
        written = {write(at=AT, context={"name": str(n)}).message_id for n in range(8)}

    with worker(broker, server) as first:
        # The server has taken the fourth message when the worker dies, before it could write so.
        server.kill = lambda: first.pid if len(server.received) == 4 else 0
        assert first.wait(120) == -9
    server.kill = None
    assert len(server.received) == 4
    assert Message.objects.filter(status=MessageStatus.SENT).count() == 3
    assert Message.objects.queued().count() == 5
    unsaid = server.message_ids[-1]

    with worker(broker, server):
        current_app.send_task("mail.sweep", connection=current_app.connection_for_write())
        processes.wait_until(lambda: not Message.objects.queued().exists())
    assert Counter(server.message_ids) == {**dict.fromkeys(written, 1), unsaid: 2}
    assert not Message.objects.exclude(status=MessageStatus.SENT).exists()


def test_only_the_id_travels_in_the_broker(write, broker):
    message = write()
    with current_app.connection_for_write() as found:
        announced = found.SimpleQueue(current_app.conf.task_default_queue).get(timeout=60)
    assert announced.payload[0] == [str(message.pk)]
    assert "exemple.fr" not in str(announced.payload) + str(announced.headers)


@pytest.fixture(params=["stopped", "silent", "unreachable"])
def broken_broker(request, monkeypatch):
    """A broker that refuses connections, one that takes them and says nothing, one whose packets are lost."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
        waiting = []
        if request.param != "stopped":
            listening.listen(0 if request.param == "unreachable" else 16)
        if request.param == "unreachable":
            # A full queue of connections: the kernel drops those that come.
            for _ in range(4):
                waiting.append(socket.socket())
                waiting[-1].setblocking(False)
                waiting[-1].connect_ex(listening.getsockname())
        monkeypatch.setattr(current_app.conf, "broker_write_url", f"redis://127.0.0.1:{port}/0")
        yield
        for each in waiting:
            each.close()


def test_a_broken_broker_costs_the_visitor_nothing_and_the_sweeper_sends(write, server, broken_broker, caplog):
    start = time.monotonic()
    with transaction.atomic():
        for _ in range(5):
            write()
    assert time.monotonic() - start < 2
    assert "No broker for a wake-up" in caplog.text
    assert Message.objects.queued().count() == 5
    tasks.sweep()
    assert len(server.received) == 5


def test_the_clock_sweeps_each_minute_and_forgets_each_night():
    schedule = django_settings.CELERY_BEAT_SCHEDULE
    assert schedule["mail.sweep"]["schedule"] == 60
    assert {schedule[name]["task"] for name in ("mail.sweep", "mail.erase_old")} <= set(current_app.tasks)
    assert "mail.send" in current_app.tasks


def test_a_wake_up_for_a_message_that_is_gone_does_nothing(write, server):
    message_id = str(write().pk)
    tasks.send(message_id)
    Message.objects.all().delete()
    tasks.send(message_id)
    assert len(server.received) == 1
