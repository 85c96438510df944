"""The links of the e-mails about an offer: each shows a button for one act on one offer, and opens no session.

Readers of mail open links by themselves: only POST acts. Whoever comes late, or twice, is told how things stand.
"""

from datetime import datetime

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from companies.models import spaced_siret
from labonnealternance.kit.text import french_date
from labonnealternance.kit.views import secret_page
from offers.actions import links
from offers.actions import offers as acts
from offers.actions.links import Act, BadLink, LinkExpired, Read
from offers.actions.offers import RefusedOffer
from offers.enums import Door, OfferStatus, Outcome
from offers.models import Offer
from offers.recruiters import words
from offers.recruiters.closing import CloseForm
from offers.recruiters.forms import focus_first_fault


@login_not_required
@secret_page
@require_http_methods(["GET", "HEAD", "POST"])
def offer_act(request: HttpRequest, *, token: str) -> HttpResponse:
    """What the button will do, or how things stand; POST does it."""
    at = timezone.now()
    try:
        link = links.read(token=token, at=at)
    except BadLink:
        return _no_link(request, 404)
    except LinkExpired:
        return _no_link(request, 410)
    offer = Offer.objects.select_related("access", "establishment__opco").filter(pk=link.offer_id).first()
    if offer is None:
        return _no_link(request, 410)
    act = _prolong if link.act == Act.PROLONG else _close
    return act(request, offer, link, at=at)


def _no_link(request: HttpRequest, status: int) -> HttpResponse:
    return render(request, "offers/recruiters/act_link.html", {"is_old": status == 410}, status=status)


def _page(request: HttpRequest, offer: Offer, *, at: datetime, **context) -> HttpResponse:
    is_online = offer.is_public(at)
    is_awaiting = offer.status == OfferStatus.AWAITING
    context |= {
        "offer": offer,
        "siret": spaced_siret(offer.establishment.siret),
        "last_day": french_date(offer.expires_on) if offer.expires_on else "",
        "is_online": is_online,
        "is_awaiting": is_awaiting,
        "is_closed": not (is_online or is_awaiting),
        "outcome": words.outcome_of(offer) if offer.outcome else "",
        "is_done": "fait" in request.GET,
    }
    return render(request, "offers/recruiters/act.html", context)


def _prolong(request: HttpRequest, offer: Offer, link: Read, *, at: datetime) -> HttpResponse:
    """Thirty days from now, once for each last day that an e-mail announced."""
    if request.method == "POST":
        try:
            acts.prolong(offer_id=offer.pk, by=None, at=at, via=Door.MAIL_LINK, seen=link.expires_on)
        except RefusedOffer:
            # Prolonged or closed meanwhile: the page that follows says which.
            return redirect(request.path)
        return redirect(f"{request.path}?fait")
    was_used = offer.expires_on is not None and offer.expires_on > link.expires_on
    # The day of its publication an offer has its thirty days already.
    is_whole = offer.expires_on == Offer.last_day_from(at)
    context = {
        "act": "prolong",
        "may_prolong": offer.is_public(at) and not was_used and not is_whole,
        "new_last_day": french_date(Offer.last_day_from(at)),
    }
    return _page(request, offer, at=at, **context)


def _close(request: HttpRequest, offer: Offer, link: Read, *, at: datetime) -> HttpResponse:
    """Closes the offer with its outcome, or gives its outcome to one that is closed; a word that was given stands."""
    if request.method == "POST" and offer.outcome:
        return redirect(request.path)
    is_filled = link.act == Act.FILLED
    otherwise = {"outcome": Outcome.FILLED_ELSEWHERE.value} if is_filled else {}
    form = CloseForm(
        request.POST if request.method == "POST" else None, offer=offer, filled_only=is_filled, initial=otherwise
    )
    if form.is_bound and form.is_valid():
        try:
            acts.close(offer_id=offer.pk, by=None, at=at, via=Door.MAIL_LINK, **form.cleaned_data)
        except RefusedOffer as refusal:
            form.add_error(None, str(refusal))
        else:
            return redirect(f"{request.path}?fait")
    focus_first_fault(form)
    # The shortest way for who found someone here: one button, and the whole form behind a link.
    one_button = is_filled and not form.is_bound and "autrement" not in request.GET
    context = {"act": "close", "is_filled": is_filled, "form": form, "one_button": one_button}
    return _page(request, offer, at=at, **context)
