from django.apps import AppConfig
from django.conf import settings


class KitConfig(AppConfig):
    """Small helpers that any service could use."""

    name = "labonnealternance.kit"
    label = "kit"
    verbose_name = "Outils"

    def ready(self):
        # Tasks declared with @shared_task meet the worker's application here.
        from labonnealternance import celery  # noqa: F401
        from labonnealternance.kit import logging

        logging.start()
        if settings.SENTRY_DSN:
            from labonnealternance.kit import sentry

            sentry.start(dsn=settings.SENTRY_DSN)
