"""What the night's checks do, by hand."""

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from labonnealternance.consistency import actions
from labonnealternance.kit.text import counted


class Command(BaseCommand):
    help = "Passe en revue ce qui doit être vrai des données, sans rien changer ; sort avec 1 en cas de défaut."

    def handle(self, **options):
        run = actions.run_now(at=timezone.now())
        results = list(run.results.order_by("pk"))
        for result in results:
            self.stdout.write(f"{'ok    ' if result.holds else 'DÉFAUT'}  {result.rule}")
            if result.holds:
                continue
            self.stdout.write(f"        {result.error or result.told_count}, depuis le {_day(result.failing_since)}")
            for example in result.examples:
                self.stdout.write(f"        – {example['label']}  {example['page']}".rstrip())
            if result.remedy:
                self.stdout.write(f"        {result.remedy}")
        failing = [result for result in results if not result.holds]
        if failing:
            raise CommandError(f"{counted(len(failing), 'contrôle est', 'contrôles sont')} en défaut.")
        self.stdout.write(f"{counted(len(results), 'contrôle', 'contrôles')}, rien à signaler.")


def _day(at) -> str:
    return timezone.localtime(at).strftime("%d/%m/%Y")
