"""What every page knows of the site; the pages' names come from the settings."""

from django.conf import settings
from django.urls import reverse


def site(request):
    """``site_name``, ``site_url`` and the entries of the header and of the footer, each ``{label, url, role}``."""
    return {
        "site_name": settings.SITE_NAME,
        "site_url": settings.SITE_URL,
        "navigation": {
            place: [
                {"label": entry["label"], "url": reverse(entry["url"]), "role": entry.get("role", "")}
                for entry in entries
            ]
            for place, entries in settings.NAVIGATION.items()
        },
    }
