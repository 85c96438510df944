"""Anyone reports what is wrong with an establishment or an offer; nothing that is answered tells what is known."""

import uuid

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from companies.models import Establishment, spaced_siret, validate_siret
from labonnealternance.kit.http import client_ip
from labonnealternance.kit.limits import TooMany
from labonnealternance.kit.text import counted
from offers.models import Offer
from unsubscribe.actions import reports
from unsubscribe.actions.effects import RefusedRequest
from unsubscribe.forms import ReportForm


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def report(request: HttpRequest, *, siret: str) -> HttpResponse:
    """About an establishment: named where the public may see it, and only by its number elsewhere."""
    try:
        validate_siret(siret)
    except ValidationError:
        raise Http404 from None
    return _answer(request, siret=siret, offer=None)


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def report_offer(request: HttpRequest, *, offer_id: uuid.UUID) -> HttpResponse:
    """About an offer that is public, or was when the form was opened."""
    offers = Offer.objects.all() if request.method == "POST" else Offer.objects.public(timezone.now())
    offer = get_object_or_404(offers.select_related("establishment"), pk=offer_id)
    return _answer(request, siret=offer.establishment.siret, offer=offer)


@login_not_required
@require_safe
def report_sent(request: HttpRequest) -> HttpResponse:
    """What becomes of it."""
    return render(request, "unsubscribe/report_sent.html")


def _answer(request: HttpRequest, *, siret: str, offer: Offer | None) -> HttpResponse:
    at = timezone.now()
    form = ReportForm(request.POST if request.method == "POST" else None, initial={"key": uuid.uuid4()})
    wait = 0
    if form.is_bound and form.is_valid():
        try:
            reports.report(siret=siret, offer=offer, ip=client_ip(request), at=at, **form.cleaned_data)
        except RefusedRequest as refusal:
            form.add_refusal(refusal)
        except TooMany as limit:
            wait = limit.seconds
            told = counted(limit.minutes, "minute", "minutes")
            form.add_error(None, f"Trop de signalements en peu de temps. Réessayez dans {told}.")
        else:
            return redirect("unsubscribe:report_sent")
    for name in form.errors:
        if name in form.fields:
            form.fields[name].widget.attrs["autofocus"] = True
            break
    is_public = offer is not None and Offer.objects.public(at).filter(pk=offer.pk).exists()
    context = {
        "form": form,
        "siret": siret,
        "shown_siret": spaced_siret(siret),
        "establishment": Establishment.objects.listed(at).filter(siret=siret).first(),
        "offer": offer if is_public else None,
    }
    answer = render(request, "unsubscribe/report.html", context, status=429 if wait else 200)
    if wait:
        answer["Retry-After"] = str(wait)
    return answer
