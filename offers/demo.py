"""The candidates' main pages, on a search that finds establishments, and an establishment that others may act on."""

from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone

from companies.models import Establishment


def _shown_establishment():
    return Establishment.objects.listed(at=timezone.now()).order_by("pk").first()


def accounts():
    shown = _shown_establishment()
    return {"recruiter": {"siret": shown.siret}} if shown else {}


def pages():
    found = {
        "home": reverse("offers:home"),
        "search": reverse("offers:search"),
        "search_example": reverse("offers:search") + "?" + urlencode({"metier": "Boulanger", "lieu": "Lyon", "rayon": 30}),
    }
    return found
