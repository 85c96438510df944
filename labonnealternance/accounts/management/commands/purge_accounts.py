"""What the nightly task does, by hand."""

from django.core.management.base import BaseCommand
from django.utils import timezone

from labonnealternance.accounts import actions

LABELS = {
    "links": "liens de connexion expirés",
    "changes": "changements d’adresse expirés",
    "counters": "compteurs terminés",
    "sessions": "sessions expirées",
    "failures": "échecs de connexion passés",
    "people": "personnes sans activité depuis deux ans, à anonymiser",
    "visits": "visites d’un espace par le support, il y a plus d’un an",
    "readings": "consultations par le support, il y a plus d’un an",
}


class Command(BaseCommand):
    help = "Efface ce qui ne sert plus : liens, compteurs, sessions, échecs ; anonymise les personnes sans activité."

    def add_arguments(self, parser):
        parser.add_argument("--dry-run", action="store_true", help="compter sans rien effacer")

    def handle(self, *, dry_run, **options):
        purged = actions.purge(at=timezone.now(), dry_run=dry_run)
        for kind, count in purged.as_dict().items():
            self.stdout.write(f"{count:>8}  {LABELS[kind]}")
        self.stdout.write("Rien n’a été effacé (--dry-run)." if dry_run else "C’est fait.")
