"""Pages of the candidates: search, results, an establishment. No account, no cookie; the address holds the state."""

from dataclasses import dataclass

import phonenumbers
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from companies.actions import hiring_potentials, references
from companies.enums import HeadcountBand
from companies.models import Establishment, spaced_siret
from labonnealternance.kit import errors
from labonnealternance.kit.text import counted, grouped
from offers import search as market
from offers.public import questions

MAX_SUGGESTIONS = 10
# Of an establishment's jobs, how many are read without unfolding the others.
FIRST_JOBS = 6
HIGH_POTENTIAL = "Fort potentiel d’embauche"
# Listed at its own request: the model says nothing of it.
ASKED_FOR = "Souhaite recruter en alternance"
# A page of results must be gone as soon as a decision is taken: nobody may keep it.
fresh = cache_control(private=True, no_cache=True)


@login_not_required
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """What the service is, for whom, and the search."""
    return render(request, "offers/public/home.html", {"question": questions.Question(), **_FORM})


@login_not_required
@require_safe
@fresh
def search(request: HttpRequest) -> HttpResponse:
    """The establishments that answer a question, or what is missing to answer it."""
    if not questions.is_asked(request.GET):
        return render(request, "offers/public/search.html", {"question": questions.Question(), **_FORM})
    question = questions.read(request.GET)
    context = {"question": question, **_FORM}
    if question.is_complete:
        context |= _answer(question)
    return render(request, "offers/public/search.html", context)


@login_not_required
@require_safe
@fresh
def establishment(request: HttpRequest, *, siret: str) -> HttpResponse:
    """One establishment; 404, or 410 where its page existed, as soon as it may no longer be shown."""
    at = timezone.now()
    found = (
        Establishment.objects.listed(at)
        .with_contact(at)
        .select_related("naf", "commune__departement")
        .filter(siret=siret)
        .first()
    )
    jobs = hiring_potentials.jobs_of(establishment=found, at=at) if found else None
    if found is None or jobs is None or not any(jobs):
        if hiring_potentials.was_public(siret=siret, at=at):
            return errors.gone(request)
        raise Http404
    searched = request.GET.get("romes", "")[:200].split(",")
    likely = sorted(jobs.likely, key=lambda job: job.code not in searched)
    query = request.META["QUERY_STRING"] if request.GET.get("metier") or request.GET.get("romes") else ""
    context = {
        "establishment": found,
        "asked_jobs": jobs.asked,
        "jobs": likely[:FIRST_JOBS],
        "other_jobs": likely[FIRST_JOBS:],
        "badge": HIGH_POTENTIAL if likely else ASKED_FOR,
        "size": _size(found),
        "phone": _phone(found.shown_phone),
        "siret": spaced_siret(found.siret),
        "back": f"{reverse('offers:search')}?{query}" if query and len(query) <= 2000 else "",
    }
    return render(request, "offers/public/establishment.html", context)


@login_not_required
@require_safe
@cache_control(public=True, max_age=3600)
def suggest_jobs(request: HttpRequest) -> JsonResponse:
    """``{"suggestions": [{"label", "value"}]}`` for ``?q=``; ``value`` is a list of ROME codes with commas."""
    text = questions.clean(request.GET.get("q", ""))[: questions.MAX_TEXT]
    jobs = references.suggest_jobs(text=text, limit=MAX_SUGGESTIONS) if len(text) > 1 else []
    return JsonResponse({"suggestions": [{"label": job.label, "value": ",".join(job.rome_codes)} for job in jobs]})


@login_not_required
@require_safe
@cache_control(public=True, max_age=3600)
def suggest_places(request: HttpRequest) -> JsonResponse:
    """``{"suggestions": [{"label", "value"}]}`` for ``?q=``; ``value`` is INSEE's code of the commune."""
    text = questions.clean(request.GET.get("q", ""))[: questions.MAX_TEXT]
    places = references.suggest_places(text=text, limit=MAX_SUGGESTIONS) if len(text) > 1 else []
    return JsonResponse({"suggestions": [{"label": place.label, "value": place.code} for place in places]})


# ── What the results page says ───────────────────────────────────────────────────────────────────────────────────────


_ANY_SIRET = "0" * 14
_FORM = {"radii": questions.RADII_KM}


@dataclass(frozen=True)
class Card:
    """One result, in words."""

    number: str
    name: str
    url: str
    place: str
    distance: str
    sector: str
    size: str
    job: str
    badge: str


def _answer(question: questions.Question) -> dict:
    at = timezone.now()
    answer = market.search(_as_market_question(question), at=at)
    if question.page > answer.pages > 0:
        question.notices.append(
            f"Cette page de résultats n’existe pas\u00a0: voici la dernière, la page {answer.pages}."
        )
        question.page = answer.pages
        answer = market.search(_as_market_question(question), at=at)
    query = question.query()
    # Reversed once: twenty times would cost a tenth of the page.
    address = reverse("offers:establishment", args=[_ANY_SIRET])
    several_jobs = len(question.rome_codes) > 1
    first = (question.page - 1) * questions.PER_PAGE + 1
    cards = [
        Card(
            number=str(number),
            name=found.establishment.display_name,
            url=f"{address.replace(_ANY_SIRET, found.establishment.siret)}?{query}",
            place=_place(found.establishment),
            distance=_distance(found.distance_km),
            sector=found.establishment.naf.label if found.establishment.naf else "",
            size=_size(found.establishment),
            job=found.rome.label if several_jobs else "",
            badge=ASKED_FOR if found.is_asked_for else HIGH_POTENTIAL,
        )
        for number, found in enumerate(answer.establishments, start=first)
    ]
    points = [
        {
            "number": card.number,
            "name": card.name,
            "detail": f"{card.distance} – {card.place}",
            "url": card.url,
            "at": [round(found.establishment.latitude, 5), round(found.establishment.longitude, 5)],
        }
        for card, found in zip(cards, answer.establishments, strict=True)
        if found.establishment.latitude is not None and found.establishment.longitude is not None
    ]
    return {
        "answer": answer,
        "near": _near(question.place_label),
        "cards": cards,
        "total": _total(answer),
        "links": _links(question, answer.pages),
        "page_label": str(question.page),
        "by_relevance": question.query(tri=""),
        "by_distance": question.query(tri="distance"),
        "map": {
            "centre": [question.latitude, question.longitude],
            "place": question.place_label,
            "radius_km": answer.used_radius_km,
            "tiles": settings.MAP_TILES_URL,
            "credit": settings.MAP_TILES_CREDIT,
            "points": points,
        },
    }


def _as_market_question(question: questions.Question) -> market.Question:
    assert question.latitude is not None
    assert question.longitude is not None
    return market.Question(
        rome_codes=question.rome_codes,
        latitude=question.latitude,
        longitude=question.longitude,
        radius_km=question.radius_km,
        page=question.page,
        per_page=questions.PER_PAGE,
        sort=question.sort,
    )


def _links(question: questions.Question, pages: int) -> list[tuple[str, str]]:
    """The pages around the current one, with the first and the last: ``(label, address)``; a gap is ``("…", "")``."""
    near = {1, pages, *range(question.page - 1, question.page + 2)}
    numbers = sorted(number for number in near if 1 <= number <= pages)
    links: list[tuple[str, str]] = []
    for number in numbers:
        if links and int(links[-1][0]) != number - 1:
            links.append(("…", ""))
        links.append((str(number), "?" + question.query(page=number if number > 1 else "")))
    return links


def _near(place: str) -> str:
    """``près de Metz``, ``près d’Ajaccio``, ``près du Mans``, ``près des Abymes``: as French says it."""
    for article, joined in (("Le ", "près du "), ("Les ", "près des ")):
        if place.startswith(article):
            return joined + place.removeprefix(article)
    is_elided = place[:1].lower() in tuple("aeiouàâéèêëîïôöûœ")
    return f"près d’{place}" if is_elided else f"près de {place}"


def _total(answer: market.Answer) -> str:
    if answer.total == 0:
        return "Aucun établissement"
    if answer.total_is_capped:
        return f"Plus de {grouped(answer.total)} établissements"
    return counted(answer.total, "établissement", "établissements")


def _distance(kilometres: float) -> str:
    if kilometres < 1:
        return "à moins de 1 km"
    return f"à {kilometres:.1f} km".replace(".", ",") if kilometres < 10 else f"à {kilometres:.0f} km"


def _place(found: Establishment) -> str:
    if found.commune is None:
        return found.postcode
    return f"{found.commune.name} ({found.postcode or found.commune.departement_id})"


def _size(found: Establishment) -> str:
    return HeadcountBand(found.headcount_band).label if found.headcount_band != HeadcountBand.UNKNOWN else ""


def _phone(number: str) -> dict[str, str] | None:
    """``number`` as people read it, and as a telephone dials it."""
    if not number:
        return None
    try:
        parsed = phonenumbers.parse(number, "FR")
    except phonenumbers.NumberParseException:
        return None
    shape = phonenumbers.PhoneNumberFormat
    is_french = parsed.country_code == 33
    return {
        "shown": phonenumbers.format_number(parsed, shape.NATIONAL if is_french else shape.INTERNATIONAL),
        "dialled": phonenumbers.format_number(parsed, shape.E164),
    }
