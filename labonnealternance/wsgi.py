"""The web process."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "labonnealternance.settings.base")
os.environ.setdefault("PROCESS_KIND", "web")

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
