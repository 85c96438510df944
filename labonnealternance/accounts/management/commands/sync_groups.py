"""Gives the groups of support the permissions that the code says, at each deployment."""

from django.core.management.base import BaseCommand, CommandError

from labonnealternance.accounts import groups


class Command(BaseCommand):
    help = "Donne aux groupes du support les droits que dit settings/groups.py, et retire tous les autres."

    def add_arguments(self, parser):
        parser.add_argument("--dry-run", action="store_true", help="dire ce qui changerait, sans rien changer")

    def handle(self, *, dry_run, verbosity, **options):
        try:
            changes = groups.sync(dry_run=dry_run)
        except groups.UnknownPermission as refusal:
            raise CommandError(str(refusal)) from None
        if not verbosity:
            return
        for change in changes:
            self.stdout.write(str(change))
        if not changes:
            self.stdout.write("Les groupes sont déjà comme le code le dit.")
        else:
            self.stdout.write("Rien n’a été changé (--dry-run)." if dry_run else "C’est fait.")
