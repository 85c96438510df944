"""The demo's references: the official files where ``DATA_DIR`` names them, else the project's own sample."""

from django.core.management import call_command

from companies.models import Rome
from labonnealternance.kit.demo_registry import Step


def steps():
    return [
        Step(
            label="références (métiers, communes, activités, OPCO)",
            is_done=Rome.objects.exists,
            run=lambda: call_command("import_references"),
        )
    ]
