"""Computes the hiring potentials of every establishment, and publishes them when every gate lets them through."""

import sys
import time
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.db import InterfaceError, OperationalError
from django.utils import timezone

from companies.actions.hiring_potentials import ReleaseRefused
from scoring.management.people import member_of_support


class Command(BaseCommand):
    help = "Calcule le score, le contrôle, et le met en ligne si tous les contrôles passent."

    def add_arguments(self, parser):
        parser.add_argument("--history", type=Path, required=True, help="dossier des contrats, embauches et comptes")
        parser.add_argument("--seed", type=int, default=2026, help="même graine et mêmes fichiers : même modèle")
        parser.add_argument("--dry-run", action="store_true", help="calcule et montre, sans rien écrire")
        parser.add_argument("--no-publish", action="store_true", help="prépare la livraison sans la mettre en ligne")
        parser.add_argument("--publish-anyway", metavar="RAISON", default="", help="met en ligne malgré un contrôle")
        parser.add_argument("--by", metavar="E-MAIL", help="la personne qui en répond")

    def handle(self, *, history, seed, dry_run, no_publish, publish_anyway, by, verbosity, **options):
        if not history.is_dir():
            raise CommandError(f"{history} n’est pas un dossier.")
        if publish_anyway.strip() and not by:
            raise CommandError("--publish-anyway demande --by : la personne qui en répond.")
        if publish_anyway and (dry_run or no_publish):
            raise CommandError("--publish-anyway ne va ni avec --dry-run ni avec --no-publish.")
        person = member_of_support(by) if by else None

        # The pipeline's libraries are loaded by the commands that need them, never by the web process.
        from scoring.actions.refresh import refresh
        from scoring.management.report import lines, timings
        from scoring.pipeline.errors import PipelineRefusal

        begun = time.monotonic()

        def step(label: str) -> None:
            if verbosity:
                self.stdout.write(f"[{time.monotonic() - begun:5.1f} s] {label}")
                self.stdout.flush()

        try:
            outcome = refresh(
                history=history,
                by=person,
                at=timezone.now(),
                seed=seed,
                publish=not no_publish,
                publish_anyway=publish_anyway.strip(),
                dry_run=dry_run,
                step=step,
            )
        except (PipelineRefusal, ReleaseRefused) as refusal:
            raise CommandError(f"Le score n’est pas calculé : {refusal}") from refusal
        except KeyboardInterrupt:
            raise CommandError("Calcul interrompu : ce qui est en ligne n’a pas changé.", returncode=130) from None
        except (OperationalError, InterfaceError) as fault:
            raise CommandError(
                "Calcul interrompu : la base ne répond plus. Ce qui est en ligne n’a pas changé."
            ) from fault
        except OSError as fault:
            raise CommandError(
                f"Calcul interrompu : {fault.filename or 'le disque'} ne peut pas être lu ou écrit."
                " Ce qui est en ligne n’a pas changé."
            ) from fault
        if verbosity:
            for line in lines(outcome):
                self.stdout.write(line)
            self.stdout.write("")
            self.stdout.write(f"Durée : {time.monotonic() - begun:.1f} s ({timings(outcome.result.report)}).")
        stopped = outcome.result.refusals
        if dry_run:
            self.stdout.write("Essai à blanc : rien n’a été écrit.")
        elif outcome.published:
            self.stdout.write(f"{outcome.run} : {str(outcome.release).lower()} en ligne.")
        elif not stopped:
            self.stdout.write(
                f"{outcome.run} : {str(outcome.release).lower()} prête, pas mise en ligne (--no-publish)."
            )
        if stopped and not outcome.published:
            plural = "s" if len(stopped) > 1 else ""
            self.stderr.write(
                f"{len(stopped)} contrôle{plural} {'refusent' if plural else 'refuse'} la mise en ligne."
                " Une personne peut en décider : back-office, ou --publish-anyway RAISON --by E-MAIL."
            )
            sys.exit(1)
