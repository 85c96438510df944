"""What every test stands on: this copy's own PostgreSQL and broker, started once, and no other host."""

import contextlib
import gc
import socket

import pytest

from labonnealternance.embedded import services

_running = contextlib.ExitStack()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config):
    # Workers of xdist inherit the addresses of the services from the first process.
    _running.enter_context(services())


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config):
    _running.close()


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session):
    """The rubbish of a test is looked for among what tests make, and not each time among all that was imported."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


class OutsideNetworkUsed(AssertionError):
    """A test tried to reach a host other than this machine."""


@pytest.fixture(autouse=True)
def no_outside_network(monkeypatch):
    """Only Unix sockets and the loopback answer: a forgotten call to an outside service fails, and says so."""
    connect = socket.socket.connect

    def guarded(self, address):
        if self.family != socket.AF_UNIX and address[0] not in {"127.0.0.1", "::1", "localhost"}:
            raise OutsideNetworkUsed(f"{address[0]}:{address[1]}")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


#: What is long to make and serves a whole file or folder, or is long by itself: one process has it, and begins with it.
#: (The marks ``xdist_group`` do nothing: pytest-xdist 3.8 writes them where pytest 9 no longer reads.)
TOGETHER = (
    "tests/scoring/", "tests/demo/test_run.py", "tests/companies/test_official_files.py", "tests/test_permissions.py",
    "tests/consistency/test_checks.py",
)  # fmt: skip


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    if config.getvalue("dist") != "loadgroup":
        return None
    from xdist.scheduler import LoadScopeScheduling

    class InGroups(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return next((place for place in TOGETHER if nodeid.startswith(place)), nodeid)

    return InGroups(config, log)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """The database as a deployment leaves it: support's groups have their permissions.

    What a transactional test leaves is deleted, in a fraction of the time that Django's ``flush`` takes; what a
    deployment wrote stays: the types of contents, their permissions, the groups.
    """
    from django.apps import apps
    from django.contrib.auth.models import Group, Permission
    from django.contrib.contenttypes.models import ContentType
    from django.db import connection, transaction
    from django.test import TransactionTestCase

    from labonnealternance.accounts import groups

    with django_db_blocker.unblock():
        groups.sync()
        # A process learns the types once, before any test counts its queries.
        ContentType.objects.get_for_models(*apps.get_models())
        deployed = list(Group.objects.values_list("pk", flat=True))
        found = set(connection.introspection.django_table_names(only_existing=True, include_views=False))
    tables = sorted(
        found - {model._meta.db_table for model in (ContentType, Permission, Group, Group.permissions.through)}
    )
    # A request that a test has left behind writes before, and is deleted, or after, as with ``flush``.
    lock = f"LOCK TABLE {', '.join(map(connection.ops.quote_name, tables))} IN EXCLUSIVE MODE"
    delete = "; ".join(f"DELETE FROM {connection.ops.quote_name(table)}" for table in tables)

    def empty(self):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(lock)
            # The space of many rows is given back: those that a test leaves would slow all that follow.
            cursor.execute(
                "SELECT relname FROM pg_class"
                " WHERE relname = ANY(%s) AND relkind = 'r' AND pg_relation_size(oid) > 2000000",
                [tables],
            )
            if large := [connection.ops.quote_name(name) for (name,) in cursor.fetchall()]:
                cursor.execute(f"TRUNCATE {', '.join(large)} CASCADE")
            cursor.execute(delete)
            # The groups that are roles are made with the first person who has it: they leave with that test.
            Group.objects.exclude(pk__in=deployed).delete()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", empty)
        yield


@pytest.fixture
def support(db):
    """A member of support."""
    from tests.factories import StaffFactory

    return StaffFactory()


@pytest.fixture
def office(client, support):
    """The back-office, which ``support`` has entered."""
    from tests.office import enter

    return enter(client, support)
