"""The way in of a recruiter: an establishment, a person, a first offer, a link by e-mail.

Nothing of it needs an account. The visitor's session remembers the registrations that they began, and the address of a
page says which establishment it is about: two tabs never mix two establishments.
"""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from companies.actions import registrations as registry
from companies.actions import suggestions
from companies.actions.registrations import RefusedEstablishment
from companies.actions.suggestions import EstablishmentSuggestion
from companies.models import InvalidNumber, clean_siret, spaced_siret, without_separators
from labonnealternance.accounts.models import User
from labonnealternance.kit import limits
from labonnealternance.kit.http import client_ip, network_of
from labonnealternance.kit.limits import Limit, TooMany
from labonnealternance.kit.text import clean_line, counted
from offers.actions import offers, registrations
from offers.actions.accesses import AccessDenied, NotForSupport
from offers.actions.registrations import RefusedRegistration
from offers.models import Registration
from offers.recruiters import offer_form
from offers.recruiters.forms import OfferForm, RegistrationForm, focus_first_fault
from offers.recruiters.offer_form import Occasion

# Rooms of recruiters behind one network type and register; a machine that reads the registry through us does not.
SUGGESTIONS = Limit("recruiter-suggestions", count=900, per=timedelta(minutes=5))
LOOK_UPS = Limit("recruiter-look-ups", count=120, per=timedelta(minutes=10))

REGISTER_PAGE = "offers/recruiters/register.html"
CONTACT_PAGE = "offers/recruiters/register_contact.html"
MAX_TEXT = 200
MAX_SUGGESTIONS = 8
# In one session: whoever keeps the books of many shops registers them one after the other.
MOST_REGISTRATIONS = 20


def _hit(request: HttpRequest, limit: Limit, *, at: datetime) -> None:
    """Counts one more for the network of who asks; raises ``TooMany``."""
    limits.hit(limit, subject=network_of(client_ip(request)), at=at)


def _sentence(limit: TooMany) -> str:
    return f"Trop de demandes en peu de temps. Réessayez dans {counted(limit.minutes, 'minute', 'minutes')}."


def _too_many(page: HttpResponse, limit: TooMany) -> HttpResponse:
    """``page``, as an answer that says when to come back."""
    page.status_code = 429
    page["Retry-After"] = str(limit.seconds)
    return page


# ── 1. Which establishment ───────────────────────────────────────────────────────────────────────────────────────────


@login_not_required
@never_cache
@require_safe
def register(request: HttpRequest) -> HttpResponse:
    """Asks for a SIRET or a name; a name gives a list to choose from."""
    if "q" not in request.GET and "siret" not in request.GET:
        return render(request, REGISTER_PAGE, {"text": ""})
    text = clean_line(request.GET.get("q", ""))[:MAX_TEXT]
    try:
        return _to_contact(clean_siret(request.GET.get("siret") or text))
    except InvalidNumber as refusal:
        error = str(refusal)
    context: dict[str, Any] = {"text": text, "found": [], "error": error}
    digits = sum(sign.isdigit() for sign in text)
    if len(text) > 1 and digits < 14:
        at = timezone.now()
        try:
            _hit(request, SUGGESTIONS, at=at)
        except TooMany as limit:
            return _too_many(render(request, REGISTER_PAGE, {"text": text, "refusal": _sentence(limit)}), limit)
        found = suggestions.suggest_establishments(text=text, at=at, limit=MAX_SUGGESTIONS)
        context["found"] = [{"suggestion": each, "siret": spaced_siret(each.siret)} for each in found]
    if context["found"]:
        context["error"] = ""
    elif not text:
        context["error"] = "Indiquez le SIRET ou le nom de votre établissement."
    elif digits < 9 and not without_separators(text).isdigit():
        context["error"] = "Aucun établissement de ce nom : vérifiez-le, ou donnez le SIRET."
    return render(request, REGISTER_PAGE, context)


@login_not_required
@never_cache
@require_safe
def suggest_establishments(request: HttpRequest) -> HttpResponse:
    """``{"suggestions": [{"label", "value"}]}`` for ``?q=``; ``value`` is a SIRET.

    No cache keeps it: an establishment that is delisted is in no later answer.
    """
    text = clean_line(request.GET.get("q", ""))[:MAX_TEXT]
    at = timezone.now()
    try:
        _hit(request, SUGGESTIONS, at=at)
    except TooMany as limit:
        return _too_many(JsonResponse({"suggestions": []}), limit)
    found = suggestions.suggest_establishments(text=text, at=at, limit=MAX_SUGGESTIONS) if len(text) > 1 else []
    return JsonResponse({"suggestions": [{"label": _label(each), "value": each.siret} for each in found]})


def _label(found: EstablishmentSuggestion) -> str:
    return " – ".join(part for part in (found.name, found.place, spaced_siret(found.siret)) if part)


def _to_contact(siret: str) -> HttpResponse:
    return redirect(f"{reverse('offers:register_contact')}?{urlencode({'siret': siret})}")


# ── 2. Who ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def register_contact(request: HttpRequest) -> HttpResponse:
    """Shows what the registry says of the SIRET, and asks who is there; a person signed in only confirms."""
    at = timezone.now()
    siret = without_separators(request.GET.get("siret", ""))[:MAX_TEXT]
    try:
        _hit(request, LOOK_UPS, at=at)
        if request.method == "POST":
            return _tell(request, siret=siret, at=at)
        return _contact_page(request, siret=siret, at=at)
    except RefusedEstablishment as refused:
        context = {"text": siret, "error": refused.sentence, "code": refused.code, "siren": siret[:9]}
        return render(request, REGISTER_PAGE, context)
    except TooMany as limit:
        if request.method == "POST":
            return _too_many(_typed_again(request, siret=siret, refusal=_sentence(limit)), limit)
        return _too_many(render(request, REGISTER_PAGE, {"text": siret, "refusal": _sentence(limit)}), limit)


def _typed_again(request: HttpRequest, *, siret: str, refusal: str) -> HttpResponse:
    """The form as it was filled, to be sent again later: the registry is not read for it."""
    form = _contact_form(request, request.POST, asks_opco="opco" in request.POST)
    context = {"form": form, "siret": spaced_siret(siret), "refusal": refusal}
    return render(request, CONTACT_PAGE, context)


def _tell(request: HttpRequest, *, siret: str, at: datetime) -> HttpResponse:
    """Keeps what the form says and goes on, or shows it again with what is wrong."""
    form = _contact_form(request, request.POST, asks_opco="opco" in request.POST)
    refusal, limit, is_final = "", None, False
    if form.is_valid():
        try:
            return _begin(request, siret=siret, told=form.cleaned_data, at=at)
        except RefusedRegistration as refused:
            for name, sentence in refused.faults.items():
                form.add_error(name, sentence)
        except (AccessDenied, NotForSupport) as refused:
            refusal, is_final = str(refused), True
        except TooMany as reached:
            limit, refusal = reached, _sentence(reached)
    focus_first_fault(form)
    page = _contact_page(request, siret=siret, form=form, refusal=refusal, is_final=is_final, at=at)
    return _too_many(page, limit) if limit else page


def _contact_form(request: HttpRequest, typed: QueryDict | None, *, asks_opco: bool) -> RegistrationForm:
    return RegistrationForm(typed, asks_who=not request.user.is_authenticated, asks_opco=asks_opco)


def _contact_page(
    request: HttpRequest,
    *,
    siret: str,
    at: datetime,
    form: RegistrationForm | None = None,
    refusal: str = "",
    is_final: bool = False,
) -> HttpResponse:
    """``is_final``: sending the form again would be refused again, so it is not shown."""
    legal = registry.look_up(siret=siret, at=at)
    form = form or _contact_form(request, None, asks_opco=legal.opco is None)
    siret = spaced_siret(legal.siret)
    context = {"form": form, "legal": legal, "siret": siret, "refusal": refusal, "is_final": is_final}
    return render(request, CONTACT_PAGE, context)


def _begin(request: HttpRequest, *, siret: str, told: dict, at: datetime) -> HttpResponse:
    """Keeps what was told, and goes on to the first offer."""
    if isinstance(request.user, User):
        registrations.add_establishment(user=request.user, siret=siret, opco_code=told.get("opco", ""), at=at)
        return redirect(f"{reverse('offers:offer_new')}?{urlencode({'siret': siret})}")
    registration = registrations.begin(
        siret=siret,
        email=told["email"],
        first_name=told["first_name"],
        last_name=told["last_name"],
        phone=told["phone"],
        opco_code=told.get("opco", ""),
        ip=client_ip(request),
        at=at,
    )
    _remember(request, siret=siret, registration=registration)
    return redirect(f"{reverse('offers:register_offer')}?{urlencode({'siret': siret})}")


def _remember(request: HttpRequest, *, siret: str, registration: Registration) -> None:
    kept = request.session.get("registrations", {})
    kept.pop(siret, None)
    kept[siret] = str(registration.pk)
    request.session["registrations"] = dict(list(kept.items())[-MOST_REGISTRATIONS:])


# ── 3. The first offer ───────────────────────────────────────────────────────────────────────────────────────────────


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def register_offer(request: HttpRequest) -> HttpResponse:
    """The first offer, which may be put off; the link leaves with either."""
    at = timezone.now()
    siret = request.GET.get("siret", "")
    if request.user.is_authenticated:
        return redirect(f"{reverse('offers:offer_new')}?{urlencode({'siret': siret})}")
    registration = _remembered(request, siret)
    if registration is None:
        return _start_again(request)
    if registration.confirmed_at:
        return _sign_in(request, siret)
    if request.method == "POST" and request.POST.get("action") == "later":
        return _finish(request, registration, at=at)

    def save(form: OfferForm) -> HttpResponse:
        offers.deposit(
            access_id=registration.access_id,
            fields=form.offer_fields(),
            key=form.key,
            at=at,
            registration=registration,
            sheet=form.sheet,
        )
        return _finish(request, registration, at=at)

    return offer_form.serve(
        request,
        at=at,
        establishment=registration.access.establishment,
        save=save,
        phone=registration.phone,
        occasion=Occasion(title="Votre première offre", step=3, may_wait=True),
    )


def _remembered(request: HttpRequest, siret: str) -> Registration | None:
    """The visitor's own registration for ``siret``, the last one where no SIRET is told."""
    kept = request.session.get("registrations", {})
    found = kept.get(siret) if siret else next(reversed(kept.values()), None)
    if found is None:
        return None
    rows = Registration.objects.select_related("access__user", "access__establishment__naf")
    return rows.select_related("access__establishment__commune").filter(pk=found).first()


def _start_again(request: HttpRequest) -> HttpResponse:
    messages.warning(request, "Nous ne retrouvons pas votre inscription. Indiquez votre établissement : c’est rapide.")
    return redirect("offers:register")


def _sign_in(request: HttpRequest, siret: str) -> HttpResponse:
    messages.info(request, "Votre adresse est confirmée : connectez-vous pour déposer une offre.")
    following = f"{reverse('offers:offer_new')}?{urlencode({'siret': siret})}"
    return redirect(f"{reverse('accounts:sign_in')}?{urlencode({'next': following})}")


# ── 4. The link ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _finish(request: HttpRequest, registration: Registration, *, at: datetime) -> HttpResponse:
    """Sends the link, and says where to look. What was deposited stays where too many links have left already."""
    try:
        registrations.send_link(registration_id=registration.pk, at=at)
    except TooMany as limit:
        wait = counted(limit.minutes, "minute", "minutes")
        messages.warning(request, f"Plusieurs liens sont déjà partis à cette adresse. Redemandez-en un dans {wait}.")
    siret = registration.access.establishment.siret
    return redirect(f"{reverse('offers:register_done')}?{urlencode({'siret': siret})}")


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def register_done(request: HttpRequest) -> HttpResponse:
    """Says to look at one's mailbox and what follows; sends the link again on demand."""
    at = timezone.now()
    if request.user.is_authenticated:
        return redirect("offers:space")
    registration = _remembered(request, request.GET.get("siret", ""))
    if registration is None:
        return _start_again(request)
    if registration.confirmed_at:
        return _sign_in(request, registration.access.establishment.siret)
    if request.method == "POST":
        return _finish(request, registration, at=at)
    context = {
        "email": registration.access.user.email,
        "siret": registration.access.establishment.siret,
        "has_offer": registration.offers.exists(),
        "minutes": settings.SIGN_IN_LINK_LIFETIME_MINUTES,
    }
    return render(request, "offers/recruiters/register_done.html", context)
