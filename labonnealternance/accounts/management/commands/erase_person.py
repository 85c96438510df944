"""Erases what the service holds about a person who asked for it; what the back-office's page does, by hand."""

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from labonnealternance.accounts import erasure
from labonnealternance.accounts.models import User
from labonnealternance.kit import personal_registry
from labonnealternance.kit.contacts import NotAnAddress, clean_email


class Command(BaseCommand):
    help = "Efface ce que le service a sur une adresse e-mail, avec un compte ou sans, et l’en avertit."

    def add_arguments(self, parser):
        parser.add_argument("address", metavar="ADRESSE", help="l’adresse de la personne")
        parser.add_argument("--dry-run", action="store_true", help="compter sans rien effacer")
        parser.add_argument("--by", metavar="E-MAIL", default="", help="le membre du support qui en répond")
        parser.add_argument("--reason", metavar="RAISON", default="", help="la raison, gardée au journal")

    def handle(self, *, address, dry_run, by, reason, **options):
        try:
            address = clean_email(address)
        except NotAnAddress as refusal:
            raise CommandError(str(refusal)) from refusal
        if dry_run:
            found = personal_registry.held(erasure.subject_of(address=address))
        else:
            person = User.objects.filter(email=by.strip().lower(), is_staff=True, is_active=True).first()
            if person is None:
                raise CommandError("--by doit être l’adresse d’un membre actif du support.")
            try:
                found = erasure.erase(address=address, by=person, at=timezone.now(), reason=reason)
            except erasure.NotErased as refusal:
                raise CommandError(str(refusal)) from refusal
        for each in found:
            if each.count:
                self.stdout.write(f"{each.count:>8}  {each.kind.name} — {each.kind.fate}")
        if not any(each.count for each in found):
            self.stdout.write("Rien sur cette adresse.")
        self.stdout.write("Rien n’a été effacé (--dry-run)." if dry_run else "C’est fait.")
