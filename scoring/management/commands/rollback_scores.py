"""Puts the previous release of the score back online, at once."""

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from companies.actions import hiring_potentials
from scoring.management.people import member_of_support


class Command(BaseCommand):
    help = "Remet en ligne la livraison précédente du score."

    def add_arguments(self, parser):
        parser.add_argument("--by", metavar="E-MAIL", required=True, help="la personne qui en répond")
        parser.add_argument("--reason", metavar="RAISON", required=True, help="la raison, gardée au journal")

    def handle(self, *, by, reason, **options):
        person = member_of_support(by)
        try:
            release = hiring_potentials.rollback(by=person, at=timezone.now(), reason=reason)
        except (hiring_potentials.NothingToRollBackTo, hiring_potentials.ReasonMissing) as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"{release} remise en ligne.")
