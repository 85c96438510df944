"""Pages of one offer: what it says, how to apply to it, and that it is over. No account."""

import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db.models import Exists, OuterRef
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from companies.models import Establishment, RomeMobility
from labonnealternance.kit.http import client_ip, network_of
from labonnealternance.kit.limits import Limit, TooMany, hit
from labonnealternance.kit.text import counted, french_date
from offers import search as market
from offers.actions import counts, sheets
from offers.enums import OfferStatus
from offers.models import Offer
from offers.public import questions
from offers.public.job_posting import job_posting
from offers.public.readers import is_a_person
from offers.public.views import fresh, phone_in_words

MOST_SIMILAR = 5
NEAR_JOBS = 20
# A class behind one address may look at its offers; nobody may collect the telephone numbers of the country.
HOW_TO_APPLY = Limit("how_to_apply", count=150, per=timedelta(hours=1))
# What a candidate's page reads of an offer beside its own row.
READ_WITH = ("rome", "access__user", "establishment__naf", "establishment__commune__departement__region")


@login_not_required
@require_safe
@fresh
def offer(request: HttpRequest, *, offer_id: uuid.UUID) -> HttpResponse:
    """One offer, as everything stands now: 410 once it is over or hidden, 404 where it never was public."""
    at = timezone.now()
    found = _public(offer_id, at)
    if found is None:
        return _gone(request, offer_id, at)
    if request.method == "GET" and is_a_person(request) and request.user != found.access.user:
        counts.note(offer_ids=[found.pk], what="opened", at=at)
    sheet = sheets.sheet_of_offer(offer=found, at=at)
    query = request.META["QUERY_STRING"] if request.GET.get("metier") or request.GET.get("romes") else ""
    context = {
        "sheet": sheet,
        "apply_url": reverse("offers:offer_apply", args=[found.pk]),
        "share_url": f"{settings.SITE_URL}{reverse('offers:offer', args=[found.pk])}",
        "job_posting": job_posting(offer=found, sheet=sheet),
        "others": questions.address_around(rome=found.rome, commune=found.establishment.commune),
        "report_url": reverse(settings.REPORT_PAGES["offer"], args=[found.pk]),
        "back": f"{reverse('offers:search')}?{query}" if query and len(query) <= 2000 else "",
    }
    return render(request, "offers/public/offer.html", context)


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def offer_apply(request: HttpRequest, *, offer_id: uuid.UUID) -> HttpResponse:
    """How to apply to an offer; told to who asks by the button, so that no robot that follows links collects it."""
    at = timezone.now()
    found = _public(offer_id, at)
    if found is None:
        return _gone(request, offer_id, at)
    context = {"sheet": sheets.sheet_of_offer(offer=found, at=at), "is_told": False, "refusal": ""}
    if request.method != "POST":
        return render(request, "offers/public/offer_apply.html", context)
    try:
        hit(HOW_TO_APPLY, subject=network_of(client_ip(request)), at=at)
    except TooMany as limit:
        minutes = counted(limit.minutes, "minute", "minutes")
        context["refusal"] = f"Trop de demandes viennent de votre connexion. Réessayez dans {minutes}."
        response = render(request, "offers/public/offer_apply.html", context, status=429)
        response["Retry-After"] = str(limit.seconds)
        return response
    if is_a_person(request) and request.user != found.access.user:
        counts.note(offer_ids=[found.pk], what="applied", at=at)
    context |= {
        "is_told": True,
        "phone": phone_in_words(_phone_of(found, at)),
        "recruiter": found.access.user.first_name if found.shows_phone else "",
        "questions": found.questions,
    }
    return render(request, "offers/public/offer_apply.html", context)


def _public(offer_id: uuid.UUID, at: datetime) -> Offer | None:
    return Offer.objects.public(at).select_related(*READ_WITH).filter(pk=offer_id).first()


def _phone_of(found: Offer, at: datetime) -> str:
    """The recruiter's own where they chose to show it, else what the establishment shows."""
    if found.shows_phone and found.access.user.phone:
        return found.access.user.phone
    return Establishment.objects.with_contact(at).get(pk=found.establishment_id).shown_phone


def _gone(request: HttpRequest, offer_id: uuid.UUID, at: datetime) -> HttpResponse:
    """Why there is no such offer any more, in general words, and what is like it; 404 where it never was public."""
    known = (
        Offer.objects.filter(pk=offer_id, published_at__isnull=False)
        .annotate(may_be_named=Exists(Establishment.objects.showable(at).filter(pk=OuterRef("establishment"))))
        .select_related("rome", "establishment__commune")
        .first()
    )
    if known is None:
        raise Http404
    is_over = known.status in {OfferStatus.ACTIVE, OfferStatus.EXPIRED} and not known.is_public(at)
    context = {
        # A title may name the establishment, and an offer that support took away has one that nobody should read.
        "title": known.title if known.may_be_named and (is_over or known.status == OfferStatus.FILLED) else "",
        "is_filled": known.status == OfferStatus.FILLED,
        "last_day": french_date(known.expires_on) if is_over and known.expires_on else "",
        "similar": _similar(known, at),
        "others": questions.address_around(rome=known.rome, commune=known.establishment.commune),
    }
    return render(request, "offers/public/offer_gone.html", context, status=410)


def _similar(like: Offer, at: datetime) -> list[sheets.OfferCard]:
    """Offers of the same job around the same place, nearest first, then of the jobs near it; public at ``at``."""
    if like.latitude is None or like.longitude is None:
        return []
    found: dict[uuid.UUID, Offer] = {}
    near = RomeMobility.objects.filter(rome=like.rome_id).order_by("position").values_list("target_id", flat=True)
    for codes in ([like.rome_id], near[:NEAR_JOBS]):
        if len(found) < MOST_SIMILAR:
            question = market.Question(
                rome_codes=tuple(codes),
                latitude=like.latitude,
                longitude=like.longitude,
                radius_km=100,
                per_page=MOST_SIMILAR,
                sort="distance",
                kinds=frozenset([market.Kind.OFFERS]),
            )
            found |= {each.offer.pk: each.offer for each in market.search(question, at=at).offers}
    return [sheets.card_of_offer(offer=each, at=at) for each in list(found.values())[:MOST_SIMILAR]]
