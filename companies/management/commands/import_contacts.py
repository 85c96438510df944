"""``import_contacts FILE…``: the e-mails and phones of establishments (columns siret, email, phone, source)."""

from companies.actions import contacts
from companies.clients.contact_rows import ContactRows
from companies.management.importing import ImportCommand
from labonnealternance.kit.commands import single_run


class Command(ImportCommand):
    help = (
        "Importe des contacts d’établissements : CSV, .gz, .zip ou Parquet, colonnes siret, email, phone et, "
        "si elle y est, source. Un champ vide laisse le contact connu ; les corrections restent."
    )

    def handle(self, *, files, force, quarantine_dir, **others):
        with single_run("import_contacts"):
            opened = [self.opened(path) for path in files]
            for file in opened:
                self.require(file, ContactRows.essential)
            for file in opened:
                rows = ContactRows(default_source=file.name)
                self.bring([file], rows, contacts.import_contacts, quarantine_dir, forced_reason=force)
