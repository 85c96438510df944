"""The web process, for an asynchronous server."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "labonnealternance.settings.base")
os.environ.setdefault("PROCESS_KIND", "web")

from django.core.asgi import get_asgi_application

application = get_asgi_application()
