"""Pages of the candidates: search, results, an establishment. No account, no cookie; the address holds the state."""

import datetime
import uuid
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from companies.actions import hiring_potentials, references
from companies.models import Establishment, spaced_siret
from labonnealternance.kit import errors
from labonnealternance.kit.contacts import shown_phone
from labonnealternance.kit.text import clean_line, counted, french_date, grouped
from offers import search as market
from offers.actions import counts, sheets
from offers.actions.sheets import place_of, size_of
from offers.enums import ContractType, Level
from offers.models import Offer
from offers.public import questions
from offers.public.readers import is_a_person

MAX_SUGGESTIONS = 10
# Of an establishment's jobs, how many are read without unfolding the others.
FIRST_JOBS = 6
# Of its offers, how many its page names: the newest.
MOST_OFFERS = 20
# Fewer results than this, and the page says where else to look.
FEW = 10
HIGH_POTENTIAL = "Fort potentiel d’embauche"
OFFER = "Offre d’emploi"
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
    """The offers and the establishments that answer a question, or what is missing to answer it."""
    if not questions.is_asked(request.GET):
        return render(request, "offers/public/search.html", {"question": questions.Question(), **_FORM})
    question = questions.read(request.GET)
    context = {"question": question, **_FORM}
    if question.is_complete:
        context |= _answer(question, is_counted=is_a_person(request))
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
        "size": size_of(found),
        "phone": phone_in_words(found.shown_phone),
        "siret": spaced_siret(found.siret),
        "report_url": reverse(settings.REPORT_PAGES["establishment"], args=[found.siret]),
        "offers": [sheets.card_of_offer(offer=each, at=at) for each in _offers_of(found, at)],
        "others": questions.address_around(rome=[*likely, *jobs.asked][0], commune=found.commune),
        "back": f"{reverse('offers:search')}?{query}" if query and len(query) <= 2000 else "",
    }
    return render(request, "offers/public/establishment.html", context)


@login_not_required
@require_safe
@cache_control(public=True, max_age=3600)
def suggest_jobs(request: HttpRequest) -> JsonResponse:
    """``{"suggestions": [{"label", "value"}]}`` for ``?q=``; ``value`` is a list of ROME codes with commas."""
    text = clean_line(request.GET.get("q", ""))[: questions.MAX_TEXT]
    jobs = references.suggest_jobs(text=text, limit=MAX_SUGGESTIONS) if len(text) > 1 else []
    return JsonResponse({"suggestions": [{"label": job.label, "value": ",".join(job.rome_codes)} for job in jobs]})


@login_not_required
@require_safe
@cache_control(public=True, max_age=3600)
def suggest_places(request: HttpRequest) -> JsonResponse:
    """``{"suggestions": [{"label", "value"}]}`` for ``?q=``; ``value`` is INSEE's code of the commune."""
    text = clean_line(request.GET.get("q", ""))[: questions.MAX_TEXT]
    places = references.suggest_places(text=text, limit=MAX_SUGGESTIONS) if len(text) > 1 else []
    return JsonResponse({"suggestions": [{"label": place.label, "value": place.code} for place in places]})


def _offers_of(found: Establishment, at: datetime.datetime) -> QuerySet[Offer]:
    newest = Offer.objects.public(at).filter(establishment=found).order_by("-published_at", "id")
    return newest.select_related("establishment__commune")[:MOST_OFFERS]


# ── What the results page says ───────────────────────────────────────────────────────────────────────────────────────


_ANY_SIRET = "0" * 14
_ANY_OFFER = uuid.UUID(int=0)
_FORM = {
    "radii": questions.RADII_KM,
    "kinds": [(value, label) for value, (label, _) in questions.KINDS.items()],
    "levels": list(questions.LEVELS.items()),
    "contracts": [(value, contract.label) for value, contract in questions.CONTRACTS.items()],
    "starts": [(value, label) for value, (label, _) in questions.STARTS.items()],
}


@dataclass(frozen=True)
class Card:
    """One result, in words; ``lines`` are ``(icon, text)``."""

    number: str
    is_offer: bool
    badge: str
    title: str
    url: str
    name: str
    place: str
    distance: str
    lines: list[tuple[str, str]]


def _answer(question: questions.Question, *, is_counted: bool) -> dict:
    at = timezone.now()
    today = timezone.localdate(at)
    answer = market.search(questions.asked_of_the_market(question, today=today), at=at)
    if question.page > answer.pages > 0:
        question.notices.append(
            f"Cette page de résultats n’existe pas\u00a0: voici la dernière, la page {answer.pages}."
        )
        question.page = answer.pages
        answer = market.search(questions.asked_of_the_market(question, today=today), at=at)
    if is_counted:
        counts.note(offer_ids=[each.offer.pk for each in answer.offers], what="shown", at=at)
    query = question.query()
    # Reversed once: twenty times would cost a tenth of the page.
    to_establishment = reverse("offers:establishment", args=[_ANY_SIRET])
    to_offer = reverse("offers:offer", args=[_ANY_OFFER])
    several_jobs = len(question.rome_codes) > 1
    first = (question.page - 1) * questions.PER_PAGE + 1
    cards = [
        _offer_card(found, number, f"{to_offer.replace(str(_ANY_OFFER), str(found.offer.pk))}?{query}", today)
        if isinstance(found, market.FoundOffer)
        else _establishment_card(
            found,
            number,
            f"{to_establishment.replace(_ANY_SIRET, found.establishment.siret)}?{query}",
            shows_job=several_jobs,
        )
        for number, found in enumerate(answer.results, start=first)
    ]
    points = [
        {
            "number": card.number,
            "name": f"{card.title} – {card.name}" if card.is_offer else card.title,
            "detail": f"{card.distance} – {card.place}",
            "url": card.url,
            "at": [round(point.latitude, 5), round(point.longitude, 5)],
        }
        for card, point in zip(
            cards,
            (each.offer if isinstance(each, market.FoundOffer) else each.establishment for each in answer.results),
            strict=True,
        )
        if point.latitude is not None and point.longitude is not None
    ]
    sorts = [("", "pertinence"), ("distance", "distance")]
    if answer.offers_total:
        sorts.append(("date", "date"))
    return {
        "answer": answer,
        "near": _near(question.place_label),
        "cards": cards,
        "total": _total(answer),
        "links": _links(question, answer.pages),
        "page_label": str(question.page),
        "sorts": [
            (label, question.query(tri=value), value == questions.SORTS[question.sort]) for value, label in sorts
        ],
        "without_filters": question.query(genre="", niveau="", contrat="", debut="") if question.is_filtered else "",
        # Where nothing is found, the widest disc was searched.
        "reach_km": answer.used_radius_km if answer.total else max(questions.RADII_KM),
        "wider": _wider(question, answer),
        "near_jobs": _near_jobs(question) if answer.total < FEW else [],
        "map": {
            "centre": [question.latitude, question.longitude],
            "place": question.place_label,
            "radius_km": answer.used_radius_km,
            "tiles": settings.MAP_TILES_URL,
            "credit": settings.MAP_TILES_CREDIT,
            "points": points,
        },
    }


def _wider(question: questions.Question, answer: market.Answer) -> questions.Alternative | None:
    """The next radius, where few results leave a reason to look further."""
    wider = [radius for radius in questions.RADII_KM if radius > answer.used_radius_km]
    if not wider or not 0 < answer.total < FEW:
        return None
    return questions.Alternative(f"Élargir à {wider[0]} km", question.query(rayon=wider[0]))


def _near_jobs(question: questions.Question) -> list[questions.Alternative]:
    return [
        questions.Alternative(label, question.query(metier=label, romes=code))
        for code, label in references.near_jobs(rome_codes=question.rome_codes)
    ]


def _establishment_card(found: market.FoundEstablishment, number: int, url: str, *, shows_job: bool) -> Card:
    establishment = found.establishment
    lines = [
        ("briefcase-line", found.rome.label if shows_job else ""),
        ("building-line", establishment.naf.label if establishment.naf else ""),
        ("team-line", size_of(establishment)),
        ("file-text-line", "A aussi publié une offre pour ce métier" if found.has_offer else ""),
    ]
    return Card(
        number=str(number),
        is_offer=False,
        badge=ASKED_FOR if found.is_asked_for else HIGH_POTENTIAL,
        title=establishment.display_name,
        url=url,
        name="",
        place=place_of(establishment),
        distance=_distance(found.distance_km),
        lines=[line for line in lines if line[1]],
    )


def _offer_card(found: market.FoundOffer, number: int, url: str, today: datetime.date) -> Card:
    offer = found.offer
    assert offer.published_at
    contracts = " ou ".join(ContractType(each).label.lower() for each in offer.contract_types)
    level = f", {Level(offer.level).label}" if offer.level else ""
    lines = [
        ("calendar-line", f"Début {_start(offer.starts_on, today)}, {offer.duration_months}\u00a0mois"),
        ("file-text-line", f"Contrat en {contracts}{level}"),
        ("time-line", f"Publiée {_ago(timezone.localdate(offer.published_at), today)}"),
    ]
    return Card(
        number=str(number),
        is_offer=True,
        badge=OFFER,
        title=offer.title,
        url=url,
        name=offer.establishment.display_name,
        place=place_of(offer.establishment),
        distance=_distance(found.distance_km),
        lines=lines,
    )


def _start(day: datetime.date, today: datetime.date) -> str:
    return "dès que possible" if day <= today else f"le {french_date(day)}"


def _ago(day: datetime.date, today: datetime.date) -> str:
    days = (today - day).days
    return {0: "aujourd’hui", 1: "hier"}.get(days, f"il y a {days}\u00a0jours")


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
    """``Aucun résultat``, ``3 offres et 12 entreprises``, ``Plus de 100 résultats``."""
    if answer.total == 0:
        return "Aucun résultat"
    if answer.total_is_capped:
        offers = counted(answer.offers_total, "offre", "offres")
        beyond = answer.offers_total < answer.total
        told = f", dont {offers}" if answer.offers_total and beyond else ""
        return f"Plus de {grouped(answer.total)} résultats{told}"
    parts = [
        counted(answer.offers_total, "offre", "offres") if answer.offers_total else "",
        counted(answer.total - answer.offers_total, "entreprise", "entreprises")
        if answer.total > answer.offers_total
        else "",
    ]
    return " et ".join(part for part in parts if part)


def _distance(kilometres: float) -> str:
    if kilometres < 1:
        return "à moins de 1 km"
    return f"à {kilometres:.1f} km".replace(".", ",") if kilometres < 10 else f"à {kilometres:.0f} km"


def phone_in_words(number: str) -> dict[str, str] | None:
    """``number`` (E.164) as people read it, and as a telephone dials it."""
    return {"shown": shown_phone(number), "dialled": number} if number else None
