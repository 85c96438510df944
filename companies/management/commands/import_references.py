"""``import_references``: the nomenclatures, from the official files or from the project's own sample."""

from pathlib import Path

from django.conf import settings
from django.core.management import BaseCommand, CommandError
from django.utils import timezone

from companies.actions import reference_tables
from companies.models import Rome
from labonnealternance.kit.commands import all_or_nothing, single_run

SAMPLE = Path(__file__).resolve().parents[2] / "sample"
MOST_FAULTS_TOLD = 30


class Command(BaseCommand):
    """Door to ``companies.actions.reference_tables.load``."""

    help = "Charge les nomenclatures : communes, NAF, métiers (ROME), OPCO, conventions collectives."

    def add_arguments(self, parser):
        parser.add_argument(
            "--source",
            type=Path,
            metavar="DOSSIER",
            help="dossier des fichiers officiels (par défaut DATA_DIR, sinon l’échantillon du projet)",
        )
        parser.add_argument(
            "--force",
            default="",
            metavar="RAISON",
            help="accepte une source qui a moins de 80 % des lignes en place ; la raison est gardée au journal",
        )
        parser.add_argument(
            "--if-empty", action="store_true", help="ne fait rien quand les nomenclatures sont déjà chargées"
        )

    def handle(self, *, source: Path | None, force: str, if_empty: bool, **options):
        if if_empty and Rome.objects.exists():
            self.stdout.write("Les nomenclatures sont déjà chargées.")
            return
        with single_run("import_references"), all_or_nothing():
            try:
                report = reference_tables.load(
                    source=source or settings.DATA_DIR or SAMPLE, forced_reason=force.strip(), at=timezone.now()
                )
            except reference_tables.SourceRefused as refusal:
                raise CommandError(str(refusal)) from refusal
        self._tell(report)

    def _tell(self, report):
        heads = ("lues", "ajoutées", "modifiées", "retirées", "gardées")
        self.stdout.write(f"{'':44}" + "".join(f"{head:>11}" for head in heads))
        for label, table in report.tables.items():
            numbers = (table.read, table.added, table.changed, table.removed, table.kept)
            self.stdout.write(f"{label:44}" + "".join(f"{number:>11}" for number in numbers))
        for label, table in report.tables.items():
            if table.kept:
                self.stdout.write(
                    f"{label} : {table.kept} hors de la source mais encore en usage"
                    f" ({', '.join(table.kept_examples)}{'…' if table.kept > len(table.kept_examples) else ''})"
                )
        if report.faults:
            number = len(report.faults)
            self.stdout.write(f"{number} ligne{'s' if number > 1 else ''} écartée{'s' if number > 1 else ''} :")
        for fault in report.faults[:MOST_FAULTS_TOLD]:
            self.stdout.write(f"  {fault.file}, ligne {fault.line} : {fault.reason}")
        if len(report.faults) > MOST_FAULTS_TOLD:
            self.stdout.write(f"  … et {len(report.faults) - MOST_FAULTS_TOLD} autres (voir l’administration)")
