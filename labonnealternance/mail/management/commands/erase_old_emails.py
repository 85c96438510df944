"""What the nightly task does, by hand."""

from dataclasses import asdict

from django.core.management.base import BaseCommand
from django.utils import timezone

from labonnealternance.mail import actions

LABELS = {
    "texts": "textes d’e-mails",
    "messages": "e-mails entiers",
    "suppressions": "adresses écartées puis rétablies",
}


class Command(BaseCommand):
    help = "Efface le texte des e-mails de plus de 90 jours, et les e-mails de plus de 2 ans."

    def add_arguments(self, parser):
        parser.add_argument("--dry-run", action="store_true", help="compter sans rien effacer")

    def handle(self, *args, dry_run, **options):
        erased = actions.erase_old(at=timezone.now(), dry_run=dry_run)
        for kind, count in asdict(erased).items():
            self.stdout.write(f"{count:>8}  {LABELS[kind]}")
        self.stdout.write("Rien n’a été effacé (--dry-run)." if dry_run else "C’est fait.")
