"""What the nightly task does, by hand."""

from dataclasses import asdict

from django.core.management.base import BaseCommand
from django.utils import timezone

from unsubscribe.actions import clock

LABELS = {
    "expired": "demandes jamais confirmées, dont le lien a expiré",
    "documents": "justificatifs à effacer",
    "requests": "demandes à effacer",
    "details": "précisions de signalements à effacer",
    "reports": "signalements à effacer",
}


class Command(BaseCommand):
    help = "Efface les justificatifs, les demandes et les signalements dont le délai de conservation est passé."

    def add_arguments(self, parser):
        parser.add_argument("--dry-run", action="store_true", help="compter sans rien effacer")

    def handle(self, *, dry_run, **options):
        purged = clock.purge(at=timezone.now(), dry_run=dry_run)
        for kind, count in asdict(purged).items():
            self.stdout.write(f"{count:>8}  {LABELS[kind]}")
        self.stdout.write("Rien n’a été effacé (--dry-run)." if dry_run else "C’est fait.")
