"""Puts the previous release of the score back online, at once."""

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from companies.actions.hiring_potentials import NothingToRollBackTo, ReasonMissing
from labonnealternance.accounts.models import User
from scoring.actions import releases


class Command(BaseCommand):
    help = "Remet en ligne la livraison précédente du score."

    def add_arguments(self, parser):
        parser.add_argument("--by", metavar="E-MAIL", required=True, help="la personne qui en répond")
        parser.add_argument("--reason", metavar="RAISON", required=True, help="la raison, gardée au journal")

    def handle(self, *, by, reason, **options):
        person = User.objects.filter(email=by.strip().lower(), is_staff=True, is_active=True).first()
        if person is None:
            raise CommandError(f"{by} n'est pas l'adresse d'un membre actif du support.")
        try:
            release = releases.rollback(by=person, at=timezone.now(), reason=reason)
        except (NothingToRollBackTo, ReasonMissing) as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"{release} remise en ligne.")
