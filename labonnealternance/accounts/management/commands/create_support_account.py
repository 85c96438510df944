"""Brings someone into support: a password, and a second factor whose secret is shown once."""

import getpass
import io
import sys

import segno
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from labonnealternance.accounts import actions
from labonnealternance.kit.contacts import NotAnAddress, clean_email


class Command(BaseCommand):
    help = "Crée un compte de support : demande un mot de passe, et montre une fois le secret du second facteur."

    def add_arguments(self, parser):
        parser.add_argument("email")
        parser.add_argument("--name", default="", help="prénom et nom, séparés par un espace")
        parser.add_argument(
            "--group", choices=list(settings.STAFF_GROUPS), default="", help="ce qu’il peut faire (Support par défaut)"
        )
        parser.add_argument("--superuser", action="store_true", help="gère aussi les comptes du support")
        parser.add_argument("--renew", action="store_true", help="nouveau mot de passe et nouveau second facteur")
        parser.add_argument(
            "--password-stdin", action="store_true", help="lire le mot de passe sur l’entrée standard, sur une ligne"
        )

    def handle(self, *, email, name, group, superuser, renew, password_stdin, **options):
        first_name, _, last_name = name.strip().partition(" ")
        try:
            device = actions.create_support_account(
                email=clean_email(email),
                password=self._password(from_stdin=password_stdin),
                first_name=first_name,
                last_name=last_name,
                superuser=superuser,
                group=group,
                renew=renew,
            )
        except NotAnAddress as refusal:
            raise CommandError(str(refusal)) from None
        except ValidationError as refusal:
            raise CommandError("\n".join(refusal.messages)) from None
        except actions.AlreadySupport:
            raise CommandError(
                f"{email} est déjà un compte de support. Pour changer son mot de passe et son second facteur : --renew"
            ) from None
        self._show(device.config_url)

    def _password(self, *, from_stdin: bool) -> str:
        if from_stdin:
            return sys.stdin.readline().rstrip("\n")
        password = getpass.getpass("Mot de passe (12 caractères ou plus) : ")
        if getpass.getpass("Encore une fois : ") != password:
            raise CommandError("Les deux mots de passe diffèrent.")
        return password

    def _show(self, address: str) -> None:
        self.stdout.write("Scannez ce code dans une application d’authentification, maintenant :")
        self.stdout.write("il ne sera plus montré.\n")
        drawn = io.StringIO()
        segno.make(address, error="l", micro=False).terminal(out=drawn, border=2, compact=True)
        self.stdout.write(drawn.getvalue())
        self.stdout.write(f"\n{address}\n")
