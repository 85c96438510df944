import pytest

from tests.companies.fake_registry import FakeOpcoService, FakeRegistry


@pytest.fixture
def registry(settings):
    """The registry of companies, whose answers are chosen."""
    with FakeRegistry() as fake:
        settings.COMPANY_REGISTRY_URL = fake.url
        yield fake


@pytest.fixture
def opco_service(settings):
    """The OPCO service, whose answers are chosen."""
    with FakeOpcoService() as fake:
        settings.OPCO_SERVICE_URL = fake.url
        yield fake


@pytest.fixture
def impatient(monkeypatch):
    """Both services are waited for half a second: what is waited for longer is told by its own test."""
    monkeypatch.setattr(FakeRegistry.service, "seconds", 0.5)
    monkeypatch.setattr(FakeOpcoService.service, "seconds", 0.5)
