"""What the import commands share: opening the files, the bar, the refusals as sentences, the account of the run."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from companies.actions.imports import RefusedImport, Source
from companies.clients import sirene
from companies.clients.quarantine import Quarantine
from companies.models import EstablishmentImport
from labonnealternance.kit.commands import all_or_nothing, progress
from labonnealternance.kit.text import counted


class ImportCommand(BaseCommand):
    """A command that reads files as a stream and hands them to one action."""

    def add_arguments(self, parser):
        parser.add_argument("files", nargs="+", type=Path, metavar="FICHIER")
        parser.add_argument(
            "--force",
            default="",
            metavar="RAISON",
            help="importe un fichier ancien, trop petit ou fautif ; la raison est gardée",
        )
        parser.add_argument(
            "--quarantine-dir",
            type=Path,
            metavar="DOSSIER",
            help="où écrire les lignes écartées (par défaut, près du fichier)",
        )

    def opened(self, path: Path) -> sirene.StockFile:
        try:
            return sirene.open_stock(path)
        except sirene.UnreadableFile as error:
            raise CommandError(str(error)) from None

    def require(self, file: sirene.StockFile, essential: Sequence[str]):
        """Stops with the names of the columns that ``file`` lacks."""
        missing = [name for name in essential if name not in file.header]
        if missing:
            plural = "les colonnes" if len(missing) > 1 else "la colonne"
            raise CommandError(f"{file.name} n’a pas {plural} {', '.join(missing)}.")

    def bring(
        self,
        files: list[sirene.StockFile],
        rows: Any,
        act: Callable[..., EstablishmentImport],
        quarantine_dir: Path | None,
        **options: Any,
    ):
        """Hands the judged lines of ``files`` to the action ``act``, and tells what came of it."""
        label = files[0].name if len(files) == 1 else f"{len(files)} fichiers"
        name = f"{files[0].name}.{timezone.localtime():%Y%m%d-%H%M%S}.lignes-ecartees.csv"
        wanted = [*rows.essential, *rows.optional]
        with all_or_nothing(), progress(total=sum(file.size for file in files), label=label, unit="o") as bar:
            try:
                record = act(
                    sources=[
                        Source(name=file.name, sha256=file.sha256(), batches=map(rows.parse, file.batches(wanted)))
                        for file in files
                    ],
                    at=timezone.now(),
                    quarantine=Quarantine((quarantine_dir or files[0].path.parent) / name),
                    on_progress=lambda position: bar.update(position - bar.n),
                    **options,
                )
            except (RefusedImport, sirene.UnreadableFile) as refusal:
                raise CommandError(str(refusal)) from None
        self.tell(label, record)

    def tell(self, label: str, record: EstablishmentImport):
        facts = [
            counted(record.read_rows, "ligne lue", "lignes lues"),
            counted(record.added_rows, "nouveau", "nouveaux"),
            counted(record.changed_rows, "modifié", "modifiés"),
            counted(record.closed_rows, "fermé", "fermés"),
            counted(record.reopened_rows, "rouvert", "rouverts"),
        ]
        self.stdout.write(f"{label} (du {record.file_dated_on:%d/%m/%Y}) : {', '.join(facts)}.")
        if record.quarantined_rows:
            lines = counted(record.quarantined_rows, "ligne écartée", "lignes écartées")
            self.stdout.write(f"{lines}, avec leur raison : {record.quarantine_file}")
        if record.unknown_naf_rows:
            rows = counted(record.unknown_naf_rows, "établissement", "établissements")
            self.stdout.write(f"{rows} d’une activité inconnue des références.")
        if record.unplaced_rows:
            rows = counted(record.unplaced_rows, "établissement ouvert", "établissements ouverts")
            self.stdout.write(f"{rows} sans position : la recherche ne les montre pas.")
