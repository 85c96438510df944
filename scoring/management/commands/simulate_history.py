"""Writes a simulated history: establishments, contracts, hires, accounts, contacts, and the truth kept aside."""

from datetime import date
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from labonnealternance.kit.commands import progress


class Command(BaseCommand):
    help = "Écrit un historique simulé (jamais présenté comme réel) pour la démonstration, les tests et les mesures."

    def add_arguments(self, parser):
        parser.add_argument("--size", type=int, default=12_000, help="nombre d’établissements")
        parser.add_argument("--seed", type=int, default=2026, help="même graine et même date : mêmes fichiers")
        parser.add_argument("--months", type=int, default=84, help="profondeur de l’historique, en mois")
        parser.add_argument("--as-of", help="mois des fichiers, AAAA-MM (par défaut, le mois en cours)")
        parser.add_argument(
            "--gather",
            action="append",
            default=[],
            metavar="CODE=PART",
            help="part des établissements placée autour d’une commune (57463=0.3) ; répétable",
        )
        parser.add_argument("--out", type=Path, required=True, help="dossier où écrire les fichiers")

    def handle(self, *, size, seed, months, as_of, gather, out, verbosity, **options):
        # The pipeline's libraries are loaded by the commands that need them, never by the web process.
        from scoring.actions.sources import simulation_references
        from scoring.pipeline.simulate import simulate
        from scoring.pipeline.simulated_country import World

        try:
            day = date.fromisoformat(f"{as_of}-01") if as_of else timezone.localdate().replace(day=1)
        except ValueError as fault:
            raise CommandError(f"--as-of : {as_of!r} n’est pas un mois (AAAA-MM).") from fault
        try:
            gathered = {code: float(share) for code, share in (each.split("=") for each in gather)}
        except ValueError as fault:
            raise CommandError("--gather : donnez le code d’une commune et une part, comme 57463=0.3.") from fault
        try:
            world = World(size=size, seed=seed, as_of=day, months=months, gathered=gathered)
        except ValueError as fault:
            raise CommandError(str(fault)) from fault
        references = simulation_references()
        if references.communes.empty or references.naf.empty:
            raise CommandError("Aucune commune ou aucune activité en base : lancez d’abord import_references.")
        if unknown := set(gathered) - set(references.communes["code"]):
            raise CommandError(f"--gather : la base n’a pas de commune habitée de code {', '.join(sorted(unknown))}.")
        shown = None if verbosity else False
        with progress(total=size, label="Simulation", unit="établissements", shown=shown) as bar:
            try:
                rows = simulate(world, references, out, progress=bar.update)
            except OSError as fault:
                raise CommandError(
                    f"Rien ne peut être écrit dans {fault.filename or out} : donnez un autre dossier avec --out."
                ) from fault
        if verbosity:
            for name, count in rows.items():
                self.stdout.write(f"{name:<15} {count:>12,} lignes".replace(",", " "))
            self.stdout.write(f"Historique simulé écrit dans {out} (données fictives).")
