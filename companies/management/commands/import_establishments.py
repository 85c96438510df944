"""``import_establishments FILE…``: the registry's stock files, whatever their format."""

import datetime as dt
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from companies.actions import establishments
from companies.clients import sirene
from companies.clients.quarantine import Quarantine
from companies.clients.sirene_rows import EstablishmentRows, LegalUnitRows, Places
from companies.models import EstablishmentImport
from labonnealternance.kit.commands import progress, single_run

INTERRUPTED = 130


class Command(BaseCommand):
    help = (
        "Importe les fichiers stock de la base Sirene : StockEtablissement, et StockUniteLegale pour les noms "
        "(CSV, .gz, .zip ou Parquet). Plusieurs fichiers d'établissements sont les morceaux d'un même stock."
    )

    def add_arguments(self, parser):
        parser.add_argument("files", nargs="+", type=Path, metavar="FICHIER")
        parser.add_argument(
            "--dated-on",
            type=dt.date.fromisoformat,
            metavar="AAAA-MM-JJ",
            help="le jour du fichier (par défaut, celui de sa ligne la plus récente)",
        )
        parser.add_argument(
            "--force",
            default="",
            metavar="RAISON",
            help="importe un fichier ancien, trop petit ou fautif ; la raison est gardée",
        )
        parser.add_argument(
            "--partial",
            action="store_true",
            help="le fichier est une partie du registre : il ne ferme rien par son silence",
        )
        parser.add_argument(
            "--quarantine-dir",
            type=Path,
            metavar="DOSSIER",
            help="où écrire les lignes écartées (par défaut, près du fichier)",
        )

    def handle(self, *, files, dated_on, force, partial, quarantine_dir, **others):
        today = timezone.localdate()
        if dated_on is not None and dated_on > today:
            raise CommandError("--dated-on est un jour à venir.")
        with single_run("import_establishments"):
            units, stocks = self._sorted(files)
            options = {"dated_on": dated_on, "forced_reason": force, "is_partial": partial}
            if units:
                self._import(
                    units, establishments.import_legal_units, LegalUnitRows(today=today), quarantine_dir, options
                )
            if stocks:
                rows = EstablishmentRows(Places(**establishments.known_places()), today=today)
                self._import(stocks, establishments.import_establishments, rows, quarantine_dir, options)

    def _sorted(self, files) -> tuple[list[sirene.StockFile], list[sirene.StockFile]]:
        """The files by what their header says they hold: companies first, since they name the establishments."""
        units, stocks = [], []
        for path in files:
            try:
                stock = sirene.open_stock(path)
            except sirene.UnreadableFile as error:
                raise CommandError(str(error)) from None
            kind, group = (EstablishmentRows, stocks) if "siret" in stock.header else (LegalUnitRows, units)
            missing = [name for name in kind.essential if name not in stock.header]
            if "siret" not in stock.header and "siren" not in stock.header:
                raise CommandError(
                    f"{stock.name} n'a ni colonne siret ni colonne siren : ce n'est pas un fichier stock."
                )
            if missing:
                plural = "les colonnes" if len(missing) > 1 else "la colonne"
                raise CommandError(f"{stock.name} n'a pas {plural} {', '.join(missing)}.")
            group.append(stock)
        return units, stocks

    def _import(self, group, act, rows, quarantine_dir, options):
        folder = quarantine_dir or group[0].path.parent
        label = group[0].name if len(group) == 1 else f"{len(group)} fichiers"
        name = f"{group[0].path.name}.{timezone.localtime():%Y%m%d-%H%M%S}.lignes-ecartees.csv"
        wanted = [*rows.essential, *rows.optional]
        with progress(total=sum(stock.size for stock in group), label=label, unit="o") as bar:
            try:
                record = act(
                    sources=[
                        establishments.Source(
                            name=stock.name, sha256=stock.sha256(), batches=map(rows.parse, stock.batches(wanted))
                        )
                        for stock in group
                    ],
                    at=timezone.now(),
                    quarantine=Quarantine(folder / name),
                    on_progress=lambda position: bar.update(position - bar.n),
                    **options,
                )
            except (establishments.RefusedImport, sirene.UnreadableFile) as refusal:
                raise CommandError(str(refusal)) from None
            except KeyboardInterrupt:
                raise CommandError("Import interrompu : rien n'a changé.", returncode=INTERRUPTED) from None
            except OSError as error:
                raise CommandError(f"Import interrompu, rien n'a changé : {error.strerror}.") from None
        self._tell(label, record)

    def _tell(self, label, record: EstablishmentImport):
        def plural(n, one, many):
            return f"{n:,}".replace(",", "\u202f") + f" {many if n > 1 else one}"

        facts = [
            plural(record.read_rows, "ligne lue", "lignes lues"),
            plural(record.added_rows, "nouveau", "nouveaux"),
            plural(record.changed_rows, "modifié", "modifiés"),
            plural(record.closed_rows, "fermé", "fermés"),
            plural(record.reopened_rows, "rouvert", "rouverts"),
        ]
        self.stdout.write(f"{label} (du {record.file_dated_on:%d/%m/%Y}) : {', '.join(facts)}.")
        if record.quarantined_rows:
            lines = plural(record.quarantined_rows, "ligne écartée", "lignes écartées")
            self.stdout.write(f"{lines}, avec leur raison : {record.quarantine_file}")
        if record.unknown_naf_rows:
            rows = plural(record.unknown_naf_rows, "établissement", "établissements")
            self.stdout.write(f"{rows} d'une activité inconnue des références.")
        if record.unplaced_rows:
            rows = plural(record.unplaced_rows, "établissement ouvert", "établissements ouverts")
            self.stdout.write(f"{rows} sans position : la recherche ne les montre pas.")
