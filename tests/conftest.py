"""What every test stands on: this copy's own PostgreSQL and broker, started once, and no other host."""

import contextlib
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
