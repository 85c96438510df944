"""Tells how to act as each role on this running copy."""

import json

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import ProgrammingError

from labonnealternance.accounts.enums import Role
from labonnealternance.kit import demo_registry as demo


class Command(BaseCommand):
    help = "Donne les comptes de démonstration et les adresses des pages principales."

    def add_arguments(self, parser):
        parser.add_argument("--json", action="store_true", help="pour un script")

    def handle(self, *, json: bool, **options):
        try:
            told = describe()
        except ProgrammingError:
            raise CommandError("La base n’est pas encore prête : lancez d’abord make run, ou prepare_demo.") from None
        if json:
            self.stdout.write(as_json(told))
            return
        self.stdout.write(as_text(told))


def describe() -> dict:
    """Base address, mailbox address, roles, pages and things to try of this copy, every address whole."""
    pages = {name: settings.SITE_URL + path for name, path in demo.pages().items()}
    return {
        "base_url": settings.SITE_URL,
        "mailbox_url": pages.get("mailbox"),
        "roles": demo.accounts(),
        "pages": pages,
        **demo.examples(),
    }


def as_json(told: dict) -> str:
    return json.dumps(told, ensure_ascii=False, indent=2)


# What a person reads of each role; a script reads all of it.
FACTS = {"email": "", "siret": "SIRET", "password": "mot de passe", "totp_now": "code (30 s)"}


def as_text(told: dict) -> str:
    lines = [f"Adresse          {told['base_url']}/"]
    if told["mailbox_url"]:
        lines.append(f"E-mails envoyés  {told['mailbox_url']}")
    lines.append("Comptes de démonstration :")
    for role, facts in told["roles"].items():
        shown = ", ".join(f"{label} {facts[name]}".strip() for name, label in FACTS.items() if facts.get(name))
        lines.append(f"  {facts.get('label') or Role(role).label:<25} {shown}")
    lines += [
        f"Le support entre par {told['pages']['admin']} ; manage.py demo_accounts redonne un code.",
        f"Les autres entrent par {told['pages']['sign_in']} : le lien arrive dans les e-mails envoyés.",
    ]
    if registration := told.get("registration"):
        lines += [
            f"Pour s’inscrire comme recruteur : {told['pages']['register']}, avec le SIRET {registration['siret']}",
            f"  et l’adresse {registration['granted']} : l’accès est accordé aussitôt ;",
            f"  ou {registration['awaiting']} : quelqu’un doit l’accorder.",
        ]
    return "\n".join(lines)
