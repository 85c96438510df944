"""/readyz says which of what the service stands on fails, and tells no internals."""

import datetime as dt
import json

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerDown

from labonnealternance.kit import health
from labonnealternance.mail.models import Message

pytestmark = pytest.mark.django_db


def told(client):
    answer = client.get("/readyz")
    return answer.status_code, json.loads(answer.content)


def test_when_all_answers_it_is_ready(client):
    status, body = told(client)
    assert (status, body["ready"]) == (200, True)
    assert body["checks"] == dict.fromkeys(["database", "migrations", "broker", "storage", "outbox"], "ok")


def test_the_broker_down(client, monkeypatch):
    monkeypatch.setattr(health.app.conf, "broker_write_url", "redis+socket:///nulle/part.sock")
    status, body = told(client)
    assert status == 503
    assert body["checks"]["broker"] == "unreachable"
    assert body["checks"]["database"] == "ok"
    assert "part.sock" not in json.dumps(body)


def test_the_broker_s_own_exception_is_one_that_a_caller_may_catch(monkeypatch):
    monkeypatch.setattr(health.app.conf, "broker_write_url", "redis+socket:///nulle/part.sock")
    with pytest.raises(BrokerDown):
        health.broker()


def test_files_that_can_t_be_written(client, settings, tmp_path):
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    settings.MEDIA_ROOT = in_the_way
    status, body = told(client)
    assert status == 503
    assert body["checks"]["storage"] == "unreachable"


def test_the_probe_leaves_no_file(client, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    assert told(client)[1]["checks"]["storage"] == "ok"
    assert default_storage.listdir("readyz")[1] == []


def test_migrations_that_wait(client, monkeypatch):
    from django.db.migrations.recorder import MigrationRecorder

    health._no_migration_waits.cache_clear()
    MigrationRecorder.Migration.objects.filter(app="kit").delete()
    status, body = told(client)
    assert status == 503
    assert body["checks"]["migrations"] == "migrations wait to be applied"


def test_e_mails_that_wait_too_long(client):
    long_ago = timezone.now() - dt.timedelta(hours=6)
    Message.objects.create(
        kind="essai", recipient="a@exemple.fr", subject="a", created_at=long_ago, next_attempt_at=long_ago
    )
    status, body = told(client)
    assert status == 503
    assert body["checks"]["outbox"] == "e-mails wait to be sent"


def test_a_read_only_database(client, monkeypatch):
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
    try:
        assert told(client)[1]["checks"]["database"] == "read-only"
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET default_transaction_read_only")


def test_a_process_that_lives_says_so_without_reading_anything(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert client.get("/livez").content == b"ok\n"
