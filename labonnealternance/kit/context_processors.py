"""What every page knows of the site; the pages' names come from the settings."""

from django.conf import settings
from django.urls import reverse


def site(request):
    """``site_name``, ``site_url``, the entries of the header and of the footer, each ``{label, url, role}``, and the
    ``visit`` that support makes of a recruiter's space, if this page is part of one.
    """
    return {
        "site_name": settings.SITE_NAME,
        "site_url": settings.SITE_URL,
        "visit": getattr(request, "visit", None),
        "navigation": {
            place: [
                {"label": entry["label"], "url": reverse(entry["url"]), "role": entry.get("role", "")}
                for entry in entries
            ]
            for place, entries in settings.NAVIGATION.items()
        },
    }
