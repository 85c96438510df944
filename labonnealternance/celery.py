"""The worker and its clock (beat). Tasks find rows to handle: what the broker loses is found again."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "labonnealternance.settings.base")

from celery import Celery

app = Celery("labonnealternance")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
