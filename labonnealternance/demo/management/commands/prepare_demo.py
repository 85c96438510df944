"""Migrates, loads the references and the demo's data, publishes a first score; what is already there is left alone."""

import time

from django.core.management import BaseCommand, CommandError, call_command
from django.db import OperationalError, connection

from labonnealternance.kit import demo_registry as demo


class Command(BaseCommand):
    help = "Prépare la démonstration : références, établissements simulés, premier score, comptes."

    def handle(self, **options):
        try:
            connection.ensure_connection()
        except OperationalError as fault:
            raise CommandError(f"La base de DATABASE_URL ne répond pas : {fault}") from None
        # Asked first: what an app refuses is told before anything is made.
        steps = demo.steps()
        call_command("migrate", interactive=False, verbosity=0)
        call_command("sync_groups", verbosity=0)
        for step in steps:
            if step.is_done():
                continue
            self.stdout.write(f"— {step.label}…")
            begun = time.monotonic()
            step.run()
            self.stdout.write(f"  fait en {time.monotonic() - begun:.1f} s")
