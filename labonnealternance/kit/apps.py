from django.apps import AppConfig


class KitConfig(AppConfig):
    """Small helpers that any service could use."""

    name = "labonnealternance.kit"
    label = "kit"
    verbose_name = "Outils"

    def ready(self):
        # Tasks declared with @shared_task meet the worker's application here.
        from labonnealternance import celery  # noqa: F401
