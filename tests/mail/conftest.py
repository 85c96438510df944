"""E-mails of the tests' own, and a real SMTP server that answers as each test asks."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from labonnealternance.mail import actions, render
from labonnealternance.mail.actions import outbox
from tests.mail.smtp import MailServer

AT = datetime(2026, 3, 2, 9, 30, tzinfo=ZoneInfo("Europe/Paris"))


@pytest.fixture(autouse=True)
def own_emails(settings):
    """``essai`` and its neighbours, written for these tests."""
    options = settings.TEMPLATES[0]
    settings.TEMPLATES = [{**options, "DIRS": [*options["DIRS"], Path(__file__).parent / "templates"]}]
    render._engine.cache_clear()
    yield
    render._engine.cache_clear()


@pytest.fixture(autouse=True)
def broker_answers_again(monkeypatch):
    """A test that shuts the broker leaves no silence behind."""
    monkeypatch.setattr(outbox, "_broker_is_silent_until", 0.0)


@pytest.fixture
def server(settings):
    """A mail server on the loopback, that Django's settings name."""
    with MailServer() as running:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = running.host, running.port
        yield running


@pytest.fixture
def write():
    """Writes the e-mail ``essai``; what matters to a test is given."""

    def written(**given):
        context = {"name": "Zoé", "offer": "Boulanger·ère à Nœux", "link": "http://exemple.fr/offre/1"}
        values = {"name": "essai", "to": "zoe@exemple.fr", "at": AT, **given}
        return actions.write(**{**values, "context": {**context, **given.get("context", {})}})

    return written
