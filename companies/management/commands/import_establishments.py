"""``import_establishments FILE…``: the registry's stock files, whatever their format."""

import argparse
import datetime as dt
from pathlib import Path

from django.core.management.base import CommandError
from django.utils import timezone

from companies.actions import establishments
from companies.clients.sirene import StockFile
from companies.clients.sirene_rows import EstablishmentRows, LegalUnitRows, Places
from companies.management.importing import ImportCommand
from labonnealternance.kit.commands import single_run


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"« {text} » n’est pas un jour (AAAA-MM-JJ).") from None


class Command(ImportCommand):
    help = (
        "Importe les fichiers stock de la base Sirene : StockEtablissement, et StockUniteLegale pour les noms "
        "(CSV, .gz, .zip ou Parquet). Plusieurs fichiers d’établissements sont les morceaux d’un même stock."
    )

    def add_arguments(self, parser):
        super().add_arguments(parser)
        parser.add_argument(
            "--dated-on",
            type=_day,
            metavar="AAAA-MM-JJ",
            help="le jour du fichier (par défaut, celui de sa ligne la plus récente)",
        )
        parser.add_argument(
            "--partial",
            action="store_true",
            help="le fichier est une partie du registre : il ne ferme rien par son silence",
        )

    def handle(self, *, files, dated_on, force, partial, quarantine_dir, **others):
        today = timezone.localdate()
        if dated_on is not None and dated_on > today:
            raise CommandError("--dated-on est un jour à venir.")
        options = {"dated_on": dated_on, "forced_reason": force, "is_partial": partial}
        with single_run("import_establishments"):
            units, stocks = self._sorted(files)
            if units:
                self.bring(
                    units, LegalUnitRows(today=today), establishments.import_legal_units, quarantine_dir, **options
                )
            if stocks:
                rows = EstablishmentRows(Places(**establishments.known_places()), today=today)
                self.bring(stocks, rows, establishments.import_establishments, quarantine_dir, **options)

    def _sorted(self, files: list[Path]) -> tuple[list[StockFile], list[StockFile]]:
        """The files by what their header says they hold: companies first, since they name the establishments."""
        units: list[StockFile] = []
        stocks: list[StockFile] = []
        for path in files:
            file = self.opened(path)
            if "siret" in file.header:
                self.require(file, EstablishmentRows.essential)
                stocks.append(file)
            elif "siren" in file.header:
                self.require(file, LegalUnitRows.essential)
                units.append(file)
            else:
                raise CommandError(
                    f"{file.name} n’a ni colonne siret ni colonne siren : ce n’est pas un fichier stock."
                )
        return units, stocks
