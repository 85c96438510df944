"""The recruiter's space: what waits for the person, their offers and what became of them, their establishments.

Every row is fetched through the person's own: another's id is a 404, whatever the method.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from urllib.parse import quote
from uuid import UUID

import segno
from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Case, Count, Exists, OuterRef, Prefetch, Q, QuerySet, Subquery, Value, When
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import Truncator
from django.utils.timezone import localdate
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from companies.models import Establishment, spaced_siret
from labonnealternance.accounts import actions as accounts
from labonnealternance.accounts.models import User
from labonnealternance.kit.contacts import shown_phone
from labonnealternance.kit.pages import page_links
from labonnealternance.kit.text import counted, french_date, grouped
from offers.actions import offers as acts
from offers.actions import registrations
from offers.actions.accesses import AccessDenied, NotForSupport
from offers.actions.offers import AlreadyProlonged, RefusedOffer
from offers.actions.sheets import employer_of, sheet_of_offer
from offers.enums import AccessStatus, Door, OfferStatus
from offers.models import Access, AccessMove, Offer, OfferDay, Registration
from offers.recruiters import words
from offers.recruiters.closing import CloseForm
from offers.recruiters.forms import ContactForm, focus_first_fault

PER_PAGE = 20
# Who has fewer offers sees them at a glance.
WORTH_FILTERING = 6
# What waits for the person stands above their offers: the newest of it.
MOST_WAITING = 10
# Of a person's establishments, those that the list may be narrowed to.
MOST_CHOICES = 200
MOST_EVENTS = 100
# The readers of the last days are drawn, a bar each.
DAYS_SHOWN, CHART_HEIGHT = 30, 60
# What a sheet of paper holds beside the QR code.
PRINTED_TEXT = 450
PRINTED_SKILLS = 6


def _person(request: HttpRequest) -> User:
    """Who is signed in."""
    assert isinstance(request.user, User)
    return request.user


def _offers(user: User, *, at: datetime) -> QuerySet[Offer]:
    """The person's offers with what their pages read; ``is_showable``: the public may see the employer."""
    rows = Offer.objects.of(user).with_counts().annotate(is_showable=_is_showable(at))
    return rows.select_related("access", "establishment__opco", "establishment__naf", "establishment__commune")


def _is_showable(at: datetime) -> Exists:
    return Exists(Establishment.objects.showable(at).filter(pk=OuterRef("establishment")))


def _offer(request: HttpRequest, offer_id: UUID, *, at: datetime) -> Offer:
    return get_object_or_404(_offers(_person(request), at=at), pk=offer_id)


def _public_address(offer: Offer) -> str:
    """The whole address of the page that candidates read."""
    return settings.SITE_URL + reverse("offers:offer", args=[offer.pk])


# ── The offers ───────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class OfferLine:
    """An offer as the list and its page show it.

    ``is_live``: awaiting or online; ``is_shown``: online, and nothing hides its employer; ``counts``: number and noun.
    """

    offer: Offer
    state: words.State
    is_live: bool
    is_online: bool
    is_shown: bool
    may_prolong: bool
    may_duplicate: bool
    lacks_outcome: bool
    counts: list[tuple[str, str]]


_NOUNS = {
    "shown": ("vue dans les résultats", "vues dans les résultats"),
    "opened": ("ouverture de la page", "ouvertures de la page"),
    "applied": ("demande de contact", "demandes de contact"),
}


def _line(offer: Offer, *, at: datetime) -> OfferLine:
    is_online = offer.is_public(at)
    is_live = is_online or offer.status == OfferStatus.AWAITING
    counts = [(getattr(offer, what), one, many) for what, (one, many) in _NOUNS.items()]
    return OfferLine(
        offer=offer,
        state=words.state_of_offer(offer, at=at),
        is_live=is_live,
        is_online=is_online,
        is_shown=is_online and offer.is_showable,  # type: ignore[attr-defined]
        # The day of its publication an offer has its thirty days already.
        may_prolong=is_online and offer.expires_on != Offer.last_day_from(at),
        may_duplicate=offer.access.status != AccessStatus.DENIED,
        lacks_outcome=not is_live and not offer.outcome,
        # Nobody reads what was never published.
        counts=[(grouped(number), many if number > 1 else one) for number, one, many in counts]
        if offer.published_at
        else [],
    )


def _online(at: datetime) -> Q:
    return Q(status=OfferStatus.ACTIVE, expires_on__gte=localdate(at))


# What the list may be narrowed to, as its address says it.
STATUSES = {"en-ligne": "En ligne", "en-attente": "En attente", "closes": "Closes"}


def _of_status(status: str, *, at: datetime) -> Q:
    awaiting = Q(status=OfferStatus.AWAITING)
    return {"en-ligne": _online(at), "en-attente": awaiting, "closes": ~(awaiting | _online(at))}.get(status, Q())


@require_safe
def space(request: HttpRequest) -> HttpResponse:
    """What waits for the person, then their offers."""
    user, at = _person(request), timezone.now()
    mine = _offers(user, at=at)
    establishments = list(
        Establishment.objects.filter(Exists(Offer.objects.of(user).filter(establishment=OuterRef("pk"))))
        .order_by("name", "siret")
        .values_list("siret", "name")[:MOST_CHOICES]
    )
    status = request.GET.get("etat", "")
    status = status if status in STATUSES else ""
    siret = request.GET.get("etablissement", "")
    siret = siret if siret in dict(establishments) else ""
    chosen = mine.filter(_of_status(status, at=at))
    if siret:
        chosen = chosen.filter(establishment__siret=siret)
    # Those that someone still acts on come first, then those whose outcome is asked.
    rank = Case(
        When(Q(status=OfferStatus.AWAITING) | _online(at), then=Value(0)),
        When(outcome="", then=Value(1)),
        default=Value(2),
    )
    page = Paginator(chosen.order_by(rank, "-created_at", "-pk"), PER_PAGE).get_page(request.GET.get("page"))
    total = mine.count()
    context = {
        "section": "offers",
        **_waiting(user),
        "shown_at": at.isoformat(),
        "total": total,
        "lines": [_line(each, at=at) for each in page],
        "page": page,
        "links": page_links(page, {"etat": status, "etablissement": siret}),
        "has_filters": total >= WORTH_FILTERING or len(establishments) > 1,
        "statuses": STATUSES,
        "status": status,
        "establishments": [
            (number, f"{name or 'Sans nom connu'} ({spaced_siret(number)})") for number, name in establishments
        ],
        "siret": siret,
    }
    return render(request, "offers/recruiters/space.html", context)


def _waiting(user: User) -> dict[str, object]:
    """What stands between the person and an offer online, the newest of each kind; three queries."""
    to_confirm = (
        Registration.objects.to_confirm()
        .filter(access__user=user)
        .select_related("access__establishment")
        .prefetch_related(Prefetch("offers", Offer.objects.filter(confirmed_at__isnull=True).live(), "to_publish"))
        .order_by("-created_at")[:MOST_WAITING]
    )
    denials = AccessMove.objects.filter(access=OuterRef("pk"), to_status=AccessStatus.DENIED)
    accesses = list(
        Access.objects.of(user)
        .select_related("establishment__opco")
        .annotate(denial=Subquery(denials.order_by("-at", "-pk").values("reason")[:1]))
        .order_by(Case(When(status=AccessStatus.GRANTED, then=Value(1)), default=Value(0)), "-asked_at", "-pk")[
            :MOST_WAITING
        ]
    )
    confirmed = [each for each in accesses if each.confirmed_at]
    return {
        "to_confirm": list(to_confirm),
        "awaiting": [
            (each, words.who_decides(each.establishment.opco))
            for each in confirmed
            if each.status == AccessStatus.AWAITING
        ],
        "denied": [each for each in accesses if each.status == AccessStatus.DENIED],
        "to_verify": [
            each for each in confirmed if each.status == AccessStatus.GRANTED and each.establishment.to_verify_since
        ],
        "has_access": bool(accesses),
        "may_deposit": any(each.status != AccessStatus.DENIED for each in confirmed),
        "contact_email": settings.CONTACT_EMAIL,
    }


@require_POST
def confirm_registration(request: HttpRequest, *, registration_id: UUID) -> HttpResponse:
    """The person says that a registration made in the name of their address is theirs, as the page showed it."""
    at = timezone.now()
    shown_at = _moment(request.POST.get("shown_at", "")) or at
    try:
        confirmed = registrations.confirm(
            registration_id=registration_id, user=_person(request), until=min(shown_at, at), at=at
        )
    except Registration.DoesNotExist:
        raise Http404 from None
    except (AccessDenied, NotForSupport) as refusal:
        messages.error(request, str(refusal))
    else:
        establishment = confirmed.access.establishment
        messages.success(request, f"Votre demande pour {establishment.display_name} est confirmée.")
    return redirect("offers:space")


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


# ── One offer ────────────────────────────────────────────────────────────────────────────────────────────────────────


@require_safe
def offer(request: HttpRequest, *, offer_id: UUID) -> HttpResponse:
    """The offer as the person sees it: its state, its sheet, its readers, what happened to it, how to share it."""
    at = timezone.now()
    found = _offer(request, offer_id, at=at)
    events = found.journal.order_by("-at", "-pk")[:MOST_EVENTS]
    address = _public_address(found)
    context = {
        "section": "offers",
        "line": _line(found, at=at),
        "offer": found,
        "sheet": sheet_of_offer(offer=found, at=at),
        "siret": spaced_siret(found.establishment.siret),
        "happenings": [words.happening(each) for each in events],
        "readers": _readers(found, at=at),
        "is_first_day": found.published_at is not None and localdate(found.published_at) == localdate(at),
        "address": address,
        "mail": _mail_address(found, address),
        "qr": qr_code(address),
    }
    return render(request, "offers/recruiters/offer.html", context)


@dataclass(frozen=True)
class Day:
    """A day's counts, and the bar that tells its openings: in a drawing of ``DAYS_SHOWN`` × 10 by ``CHART_HEIGHT``."""

    day: str
    shown: int
    opened: int
    applied: int
    x: int
    height: int

    @property
    def y(self) -> int:
        return CHART_HEIGHT - self.height


@dataclass(frozen=True)
class Readers:
    """The readers of an offer over the last days, oldest first; ``told`` says in words what the drawing shows."""

    days: list[Day]
    told: str
    width: int
    height: int


def _readers(offer: Offer, *, at: datetime) -> Readers | None:
    """Nothing before the offer is published, nor when its last days were read by nobody."""
    if offer.published_at is None:
        return None
    last = localdate(min(at, offer.closed_at or at))
    first = max(last - timedelta(days=DAYS_SHOWN - 1), localdate(offer.published_at))
    rows = {row.day: row for row in offer.days.filter(day__range=(first, last))}
    most = max((row.opened for row in rows.values()), default=0)
    days = []
    for n in range((last - first).days + 1):
        row = rows.get(first + timedelta(days=n)) or OfferDay()
        height = round(CHART_HEIGHT * row.opened / most) if most else 0
        days.append(
            Day(
                day=french_date(first + timedelta(days=n)),
                shown=row.shown,
                opened=row.opened,
                applied=row.applied,
                x=n * 10,
                height=max(height, 1),
            )
        )
    if not rows:
        return None
    total = sum(row.opened for row in rows.values())
    told = f"{counted(total, 'ouverture', 'ouvertures')} en {counted(len(days), 'jour', 'jours')}"
    if most:
        best = max(days, key=lambda each: each.opened)
        told += f", dont {grouped(most)} le {best.day}"
    return Readers(days=days, told=told, width=len(days) * 10, height=CHART_HEIGHT)


def _mail_address(offer: Offer, address: str) -> str:
    """What opens the person's own mail program on a message that tells of the offer."""
    subject = f"Offre en alternance : {offer.title}"
    body = f"Bonjour,\r\n\r\nVoici une offre en alternance chez {offer.establishment.display_name} :\r\n{address}\r\n"
    return f"mailto:?subject={quote(subject)}&body={quote(body)}"


def qr_code(address: str) -> SafeString:
    """``address`` as an SVG to put in a page: shapes alone, without a style that the policy would refuse."""
    code = segno.make(address, error="m", micro=False)
    # Its signs are the library's own; nothing of what anybody typed is among them.
    return mark_safe(code.svg_inline(omitsize=True, light="#fff", svgclass="qr", lineclass=None))  # noqa: S308


@require_POST
def offer_prolong(request: HttpRequest, *, offer_id: UUID) -> HttpResponse:
    """Thirty days from now; the last day that the page showed is told, so that a double click is one prolongation."""
    at = timezone.now()
    found = _offer(request, offer_id, at=at)
    # What no page wrote is no day that the person was shown: it is refused like a former one.
    seen = _day(request.POST.get("seen")) or date.min
    try:
        acts.prolong(offer_id=found.pk, by=_person(request), at=at, via=Door.SPACE, seen=seen)
    except AlreadyProlonged as refusal:
        messages.info(request, str(refusal))
    except RefusedOffer as refusal:
        messages.error(request, str(refusal))
    else:
        last_day = french_date(Offer.last_day_from(at))
        if found.expires_on == Offer.last_day_from(at):
            told = f"« {found.title} » n’a pas été prolongée : elle a déjà ses 30 jours, jusqu’au {last_day}."
            messages.info(request, told)
        else:
            messages.success(request, f"« {found.title} » est en ligne jusqu’au {last_day}.")
    return redirect("offers:recruiter_offer", found.pk)


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        return None


@require_http_methods(["GET", "HEAD", "POST"])
def offer_close(request: HttpRequest, *, offer_id: UUID) -> HttpResponse:
    """Asks what became of the offer, and closes it; one that is closed already may still be given its outcome."""
    at = timezone.now()
    found = _offer(request, offer_id, at=at)
    line = _line(found, at=at)
    is_settled = not line.is_live and not line.lacks_outcome
    form = CloseForm(
        request.POST if request.method == "POST" else None,
        offer=found,
        filled_only="pourvue" in request.GET,
    )
    if form.is_bound and not is_settled and form.is_valid():
        try:
            acts.close(offer_id=found.pk, by=_person(request), at=at, via=Door.SPACE, **form.cleaned_data)
        except RefusedOffer as refusal:
            form.add_error(None, str(refusal))
        else:
            said = "Merci, votre réponse est notée." if line.lacks_outcome else "Les candidats ne voient plus l’offre."
            messages.success(request, f"« {found.title} » est close. {said}" if line.is_live else said)
            return redirect("offers:recruiter_offer", found.pk)
    focus_first_fault(form)
    context = {"section": "offers", "line": line, "offer": found, "is_settled": is_settled, "form": form}
    return render(request, "offers/recruiters/offer_close.html", context)


@require_safe
def offer_print(request: HttpRequest, *, offer_id: UUID) -> HttpResponse:
    """A sheet of A4 to post up, with a code that opens the offer; what is not online has none."""
    at = timezone.now()
    found = _offer(request, offer_id, at=at)
    if not _line(found, at=at).is_shown:
        raise Http404
    sheet = sheet_of_offer(offer=found, at=at)
    address = _public_address(found)
    context = {
        "section": "offers",
        "offer": found,
        "sheet": sheet,
        "text": Truncator(sheet.presentation or sheet.description).chars(PRINTED_TEXT),
        "skills": sheet.skills[:PRINTED_SKILLS],
        "address": address,
        "qr": qr_code(address),
    }
    return render(request, "offers/recruiters/offer_print.html", context)


# ── The person and their establishments ──────────────────────────────────────────────────────────────────────────────


@require_http_methods(["GET", "HEAD", "POST"])
def contact(request: HttpRequest) -> HttpResponse:
    """The person's names and telephone."""
    user = _person(request)
    if request.method == "POST":
        form = ContactForm(request.POST)
        if form.is_valid():
            accounts.set_contact(user=user, at=timezone.now(), **form.cleaned_data)
            messages.success(request, "Vos coordonnées sont enregistrées.")
            return redirect("offers:contact_edit")
        focus_first_fault(form)
    else:
        initial = {"first_name": user.first_name, "last_name": user.last_name, "phone": shown_phone(user.phone)}
        form = ContactForm(initial=initial)
    shows_phone = Offer.objects.of(user).live().filter(shows_phone=True).exists()
    context = {"section": "contact", "form": form, "shows_phone": shows_phone}
    return render(request, "offers/recruiters/contact.html", context)


@require_safe
def establishments(request: HttpRequest) -> HttpResponse:
    """What the person may act for, or has asked to."""
    at = timezone.now()
    accesses = (
        Access.objects.of(_person(request))
        .select_related("establishment__opco", "establishment__naf", "establishment__commune")
        .annotate(
            is_showable=_is_showable(at),
            live=Count("offers", filter=Q(offers__status__in=[OfferStatus.AWAITING, OfferStatus.ACTIVE])),
        )
        .order_by("establishment__name", "pk")
    )
    page = Paginator(accesses, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "section": "establishments",
        "page": page,
        "links": page_links(page, {}),
        "cards": [
            {
                "access": each,
                "state": words.state_of_access(each),
                "employer": employer_of(establishment=each.establishment),
                "opco": each.establishment.opco.name if each.establishment.opco else "Non connu",
                "siret": spaced_siret(each.establishment.siret),
                "may_deposit": each.status != AccessStatus.DENIED and each.confirmed_at is not None,
                "live": counted(each.live, "offre en cours", "offres en cours")
                if each.live
                else "Aucune offre en cours",
            }
            for each in page
        ],
        "contact_email": settings.CONTACT_EMAIL,
    }
    return render(request, "offers/recruiters/establishments.html", context)
