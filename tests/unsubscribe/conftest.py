"""An establishment that the public sees, and how one reaches the secret of a link."""

import re

import pytest
from django.urls import reverse

from companies.enums import DecisionReason
from labonnealternance.mail.models import Message
from tests import factories
from tests.factories import make_siret

ADDRESS = "accueil@exemple.fr"
SIRET = make_siret(1)
PDF = b"%PDF-1.7\n1 0 obj\nendobj\ntrailer\n%%EOF\n"


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """No answer lasts longer than its work."""
    monkeypatch.setattr("unsubscribe.views.ask.ANSWER_SECONDS", 0)


@pytest.fixture
def shop(db):
    """Listed, with a known address."""
    factories.ContactFactory(siret=SIRET, email=ADDRESS, phone="+33199000018")
    return factories.EstablishmentFactory(siret=SIRET, name="BOULANGERIE DU PONT")


@pytest.fixture
def branches(shop):
    """Two more behind the same address, one of them not imported yet; and a stranger."""
    factories.ContactFactory(siret=make_siret(2), email=ADDRESS)
    factories.EstablishmentFactory(siret=make_siret(2), name="BOULANGERIE DE LA GARE")
    factories.ContactFactory(siret=make_siret(3), email=ADDRESS)
    factories.ContactFactory(siret=make_siret(9), email="autre@exemple.fr")
    factories.EstablishmentFactory(siret=make_siret(9))
    return [SIRET, make_siret(2), make_siret(3)]


ANSWERS = {
    "quitter": {"reason": DecisionReason.NO_APPRENTICES},
    "pause": {"reason": DecisionReason.ALREADY_FOUND, "ends_on": "2026-12-31"},
    "masquer": {"reason": DecisionReason.OTHER_CHANNELS, "channel": "phone"},
    "corriger": {"email": "Nouveau@exemple.fr", "phone": "01 99 00 00 44"},
    "etre-reference": {"job_1": "boulanger / boulangère"},
}


def ask(client, word="quitter", *, who=SIRET, **more):
    """Sends the form of ``word``."""
    return client.post(f"/desinscription/{word}/", {"who": who, **ANSWERS[word], **more})


def last_link() -> str:
    """The path of the link of the latest letter."""
    letter = (
        Message.objects.filter(kind__in=["unsubscribe_link", "unsubscribe_contact"]).order_by("-created_at").first()
    )
    return re.search(r"https?://[^/]+(/desinscription/\S+)", letter.text_body)[1]


def page(name, asked):
    return reverse(f"admin:unsubscribe_request_{name}", args=[asked.pk])


def press(client, name, asked, **answers):
    """Reads what the button will send, then confirms it."""
    answer = client.post(page(name, asked), answers)
    if answer.status_code == 200 and answer.context["seen"]:
        answer = client.post(page(name, asked), {**answers, "seen": answer.context["seen"]})
    return answer
