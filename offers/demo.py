"""The candidates' main pages, on a search that finds establishments, and an establishment that others may act on."""

from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone

from companies.enums import ReleaseStatus
from companies.models import Establishment, HiringPotential


def _shown_establishment():
    """An establishment that has a page: the release online holds it, and nothing hides it."""
    held = HiringPotential.objects.filter(release__status=ReleaseStatus.CURRENT).values("establishment_id")
    return Establishment.objects.listed(at=timezone.now()).filter(pk__in=held).order_by("pk").first()


def accounts():
    shown = _shown_establishment()
    return {"recruiter": {"siret": shown.siret}} if shown else {}


def pages():
    example = urlencode({"metier": "Boulanger", "lieu": "Lyon", "rayon": 30})
    told = {
        "home": reverse("offers:home"),
        "search": reverse("offers:search"),
        "search_example": f"{reverse('offers:search')}?{example}",
        "how_it_works": reverse("offers:how_it_works"),
        "contact": reverse("offers:contact"),
    }
    shown = _shown_establishment()
    if shown:
        told["establishment_example"] = reverse("offers:establishment", args=[shown.siret])
    return told
