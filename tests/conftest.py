"""What every test stands on: this copy's own PostgreSQL and broker, started once, and no other host."""

import contextlib
import functools
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


@pytest.fixture(scope="session", autouse=True)
def quick_emptying():
    """What a transactional test leaves is deleted, in a fraction of the time that Django's ``flush`` takes.

    The types of contents and their permissions, which ``flush`` makes anew each time, stay as migrations made them;
    and the groups of support.
    """
    from django.contrib.auth.models import Group, Permission
    from django.contrib.contenttypes.models import ContentType
    from django.db import connection, transaction
    from django.test import TransactionTestCase

    kept = {model._meta.db_table for model in (ContentType, Permission, Group, Group.permissions.through)}

    @functools.cache
    def emptying():
        found = connection.introspection.django_table_names(only_existing=True, include_views=False)
        names = [connection.ops.quote_name(name) for name in sorted(set(found) - kept)]
        # A request that a test has left behind writes before, and is deleted, or after, as with ``flush``.
        lock = f"LOCK TABLE {', '.join(names)} IN EXCLUSIVE MODE"
        return "; ".join([lock, *(f"DELETE FROM {name}" for name in names)])

    def empty(self):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(emptying())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", empty)
        yield


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """The database as a deployment leaves it: support's groups have their permissions."""
    from labonnealternance.accounts import groups

    with django_db_blocker.unblock():
        groups.sync()


@pytest.fixture
def support(db):
    """A member of support."""
    from tests.factories import StaffFactory

    return StaffFactory()


@pytest.fixture
def office(client, support):
    """The back-office, which ``support`` has entered."""
    from django.apps import apps
    from django.contrib.contenttypes.models import ContentType

    from tests.office import enter

    # A process learns them once, and forgets them when a test empties the tables: no page is to be charged for it.
    ContentType.objects.get_for_models(*apps.get_models())
    return enter(client, support)
