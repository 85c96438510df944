"""The form of an offer: the first one of a registration, a new one, a change, a copy. One page serves them all."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.db.models import Case, QuerySet, When
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.timezone import localdate
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods, require_safe

from companies.actions import references
from companies.models import Establishment
from labonnealternance.accounts.models import User
from labonnealternance.kit.contacts import shown_phone
from labonnealternance.kit.text import clean_line
from offers.actions import offers
from offers.actions.accesses import AccessDenied
from offers.actions.offers import OfferFields, RefusedOffer
from offers.actions.sheets import sheet_of_offer
from offers.enums import AccessStatus, OfferStatus
from offers.models import Access, Offer
from offers.recruiters.forms import DEFAULTS, LONGEST_JOB, OfferForm, focus_first_fault, initial_of

MAX_SUGGESTIONS = 10
# Of the establishments of one person, those that a new offer may be for: the newest.
MOST_ESTABLISHMENTS = 200

Save = Callable[[OfferForm], HttpResponse]


@dataclass(frozen=True)
class Occasion:
    """What the page says around the form. ``back`` leaves without saving; ``may_wait`` puts a first offer off."""

    title: str
    publish: str = "Publier l’offre"
    back: str = ""
    back_label: str = ""
    step: int = 0
    may_wait: bool = False


def serve(
    request: HttpRequest,
    *,
    occasion: Occasion,
    save: Save,
    at: datetime,
    establishment: Establishment,
    others: list[Establishment] | None = None,
    phone: str,
    initial: dict[str, Any] | None = None,
    kept: OfferFields | None = None,
    edited: Offer | None = None,
) -> HttpResponse:
    """The form, its preview, or what ``save`` answers; nothing typed is lost on the way.

    ``establishment`` came with its activity and its commune; the person may choose it among ``others``. ``phone`` is
    the number that the offer may show, ``kept`` what the offer that is copied or ``edited`` says already.
    """
    options: dict[str, Any] = {"at": at, "kept": kept, "edited": edited}
    context: dict[str, Any] = {
        "occasion": occasion,
        "establishment": establishment,
        "others": others or [],
        "phone": shown_phone(phone),
    }
    action = request.POST.get("action", "")
    if request.method != "POST":
        form = OfferForm(initial={**DEFAULTS, **(initial or {})}, **options)
        job_error = ""
    elif action in {"describe", "change"}:
        form = OfferForm.as_typed(request.POST, **options)
        job_error = form.job_read.error
    else:
        form = OfferForm(request.POST, **options)
        if form.is_valid():
            try:
                if action == "preview":
                    draft = offers.draft(
                        establishment=establishment,
                        fields=form.offer_fields(),
                        phone=phone,
                        at=at,
                        sheet=form.sheet,
                        known=edited,
                    )
                    context |= {"sheet": sheet_of_offer(offer=draft, at=at), "typed": OfferForm.typed_in(request.POST)}
                    return render(request, "offers/recruiters/offer_preview.html", context)
                return save(form)
            except RefusedOffer as refusal:
                form.add_refusal(refusal)
        focus_first_fault(form)
        job_error = " ".join(str(error) for error in form.errors.get("job", []))
    return render(request, "offers/recruiters/offer_form.html", {**context, "form": form, "job_error": job_error})


# ── Signed in ────────────────────────────────────────────────────────────────────────────────────────────────────────


@require_http_methods(["GET", "HEAD", "POST"])
def offer_new(request: HttpRequest) -> HttpResponse:
    """A new offer, for one of the person's establishments."""
    return _deposit(request, Occasion(title="Nouvelle offre"), siret=request.GET.get("siret", ""))


@require_http_methods(["GET", "HEAD", "POST"])
def offer_duplicate(request: HttpRequest, offer_id: UUID) -> HttpResponse:
    """A new offer that begins as a copy of one of the person's."""
    copied = get_object_or_404(_offers(request), pk=offer_id)
    if copied.access.status == AccessStatus.DENIED:
        messages.error(request, str(AccessDenied(copied.access)))
        return redirect("offers:recruiter_offer", copied.pk)
    return _deposit(request, Occasion(title="Dupliquer une offre"), siret=copied.establishment.siret, copied=copied)


def _deposit(request: HttpRequest, occasion: Occasion, *, siret: str, copied: Offer | None = None) -> HttpResponse:
    at = timezone.now()
    person = _person(request)
    accesses = {access.establishment.siret: access for access in _accesses(person, at)}
    if not accesses:
        messages.info(request, "Ajoutez d’abord l’établissement qui recrute.")
        return redirect("offers:register")
    asked = request.POST.get("siret", siret)
    access = accesses.get(asked) or next(iter(accesses.values()))

    def save(form: OfferForm) -> HttpResponse:
        if asked not in accesses:
            # Refused, or closed, while the form was open.
            raise RefusedOffer("Vous ne pouvez plus publier pour cet établissement : choisissez-en un autre.")
        offer = offers.deposit(
            access_id=access.pk, fields=form.offer_fields(), key=form.key, at=at, by=person, sheet=form.sheet
        )
        if offer.status == OfferStatus.ACTIVE:
            messages.success(request, "Votre offre est publiée : les candidats la voient dès maintenant.")
        else:
            messages.success(request, "Votre offre est déposée. Elle paraîtra d’elle-même : voici ce qu’elle attend.")
        return redirect("offers:recruiter_offer", offer.pk)

    kept = offers.fields_of(copied) if copied else None
    initial = initial_of(kept, job_label=copied.job_label) if copied and kept else {}
    if kept and kept.starts_on < localdate(at):
        del initial["starts_on"]
    return serve(
        request,
        occasion=replace(occasion, back=reverse("offers:space"), back_label="Espace recruteur"),
        save=save,
        at=at,
        establishment=access.establishment,
        others=[each.establishment for each in accesses.values()] if len(accesses) > 1 else None,
        phone=person.phone,
        initial=initial,
        kept=kept,
    )


@require_http_methods(["GET", "HEAD", "POST"])
def offer_edit(request: HttpRequest, offer_id: UUID) -> HttpResponse:
    """Changes an offer that is awaiting or published."""
    at = timezone.now()
    person = _person(request)
    offer = get_object_or_404(_offers(request), pk=offer_id)
    page = reverse("offers:recruiter_offer", args=[offer.pk])
    if offer.status != OfferStatus.AWAITING and not offer.is_public(at):
        messages.warning(request, "Cette offre est close : dupliquez-la pour recruter de nouveau.")
        return redirect(page)

    def save(form: OfferForm) -> HttpResponse:
        offers.edit(offer_id=offer.pk, fields=form.offer_fields(), by=person, at=at, sheet=form.sheet)
        messages.success(request, "Votre offre est modifiée.")
        return redirect(page)

    kept = offers.fields_of(offer)
    return serve(
        request,
        occasion=Occasion(title="Modifier l’offre", publish="Enregistrer", back=page, back_label=offer.title),
        save=save,
        at=at,
        establishment=offer.establishment,
        phone=person.phone,
        initial=initial_of(kept, job_label=offer.job_label),
        kept=kept,
        edited=offer,
    )


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


def _offers(request: HttpRequest) -> QuerySet[Offer]:
    """The person's own: another's id is a 404."""
    return Offer.objects.of(request.user).select_related(
        "access__establishment", "establishment__naf", "establishment__commune"
    )


def _accesses(person: User, at: datetime) -> list[Access]:
    """Where the person may deposit: what they confirmed, nobody refused, and is open.

    Those that publish at once come first, the newest before the others.
    """
    rows = Access.objects.of(person).filter(confirmed_at__isnull=False).exclude(status=AccessStatus.DENIED)
    rows = rows.filter(establishment__in=Establishment.objects.open(at))
    rows = rows.select_related("establishment__naf", "establishment__commune")
    waits = Case(When(status=AccessStatus.GRANTED, then=0), default=1)
    rows = rows.order_by(waits, "-asked_at", "-pk")
    return list(rows[:MOST_ESTABLISHMENTS])


# ── Help to type ─────────────────────────────────────────────────────────────────────────────────────────────────────


@login_not_required
@require_safe
@cache_control(public=True, max_age=3600)
def suggest_titles(request: HttpRequest) -> JsonResponse:
    """``{"suggestions": [{"label", "value"}]}`` for ``?q=``; ``value`` is the OGR code of the title."""
    text = clean_line(request.GET.get("q", ""))[:LONGEST_JOB]
    jobs = references.suggest_jobs(text=text, limit=MAX_SUGGESTIONS) if len(text) > 1 else []
    return JsonResponse({"suggestions": [{"label": job.label, "value": job.ogr} for job in jobs]})


@login_not_required
@require_safe
@cache_control(public=True, max_age=3600)
def job_sheet(request: HttpRequest) -> HttpResponse:
    """The part of the form that says what the job is, for ``?job=`` and ``?ogr=``: empty while it is not known."""
    form = OfferForm.as_typed(request.GET, at=timezone.now())
    return render(request, "offers/recruiters/_job_sheet.html", {"form": form})
