"""Tells how to act as each role on this running copy."""

import json

from django.conf import settings
from django.core.management.base import BaseCommand

from labonnealternance.kit import demo_registry as demo

ROLE_NAMES = {
    "support": "Support",
    "recruiter": "Recruteur",
    "advisor": "Conseiller OPCO",
    "cfa": "CFA",
    "partner": "Partenaire",
}


class Command(BaseCommand):
    help = "Donne les comptes de démonstration et les adresses des pages principales."

    def add_arguments(self, parser):
        parser.add_argument("--json", action="store_true", help="pour un script")

    def handle(self, *, json: bool, **options):
        told = describe()
        if json:
            self.stdout.write(as_json(told))
            return
        self.stdout.write(as_text(told))


def describe() -> dict:
    """Base address, mailbox address, roles and pages of this copy, every address whole."""
    pages = {name: settings.SITE_URL + path for name, path in demo.pages().items()}
    return {
        "base_url": settings.SITE_URL,
        "mailbox_url": pages.get("mailbox"),
        "roles": demo.accounts(),
        "pages": pages,
    }


def as_json(told: dict) -> str:
    return json.dumps(told, ensure_ascii=False, indent=2)


def as_text(told: dict) -> str:
    lines = [f"Adresse          {told['base_url']}/"]
    if told["mailbox_url"]:
        lines.append(f"E-mails envoyés  {told['mailbox_url']}")
    lines.append("Comptes de démonstration :")
    for role, facts in told["roles"].items():
        shown = ", ".join(f"{name} {value}" for name, value in facts.items() if value)
        lines.append(f"  {ROLE_NAMES[role]:<16} {shown}")
    return "\n".join(lines)
