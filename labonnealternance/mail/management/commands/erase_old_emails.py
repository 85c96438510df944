"""``manage.py erase_old_emails [--dry-run]``: what the nightly task does, or what it would do."""

from django.core.management.base import BaseCommand
from django.utils import timezone

from labonnealternance.mail import actions


class Command(BaseCommand):
    help = "Efface le texte des e-mails de plus de 90 jours, et les e-mails de plus de 2 ans."

    def add_arguments(self, parser):
        parser.add_argument("--dry-run", action="store_true", help="Compte sans rien effacer.")

    def handle(self, *args, dry_run, **options):
        erased = actions.erase_old(at=timezone.now(), dry_run=dry_run)
        self.stdout.write("À effacer (essai à blanc) :" if dry_run else "Effacé :")
        self.stdout.write(f"  textes d'e-mails : {erased.texts}")
        self.stdout.write(f"  e-mails entiers : {erased.messages}")
        self.stdout.write(f"  suppressions d'adresses levées : {erased.suppressions}")
