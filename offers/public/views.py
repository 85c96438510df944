"""Pages of the candidates."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

_RADIUSES_KM = (10, 30, 60, 100)


@login_not_required
@require_safe
def home(request) -> HttpResponse:
    """What the service is, for whom, and the search."""
    question = {"job_text": "", "place_text": "", "place_code": "", "rome_codes": (), "radius_km": 30}
    return render(request, "offers/public/home.html", {"question": question, "radiuses": _RADIUSES_KM})
