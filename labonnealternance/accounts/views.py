"""Signing in by a link, seeing one's account, its sessions and its address, signing out."""

import uuid

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, logout
from django.contrib.auth.decorators import login_not_required
from django.db.models import Q
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from labonnealternance.accounts import actions, visits
from labonnealternance.accounts.forms import AddressChangeForm, SignInForm, safe_next
from labonnealternance.accounts.models import SignInLink, User, Visit
from labonnealternance.accounts.visiting import forget
from labonnealternance.kit.http import client_ip
from labonnealternance.kit.limits import TooMany
from labonnealternance.kit.views import lasting

# Longer than writing an e-mail and waking a worker through a broker that hangs: a known address takes no longer than
# an unknown one.
ANSWER_SECONDS = 0.5

# Those that the account's page shows, the last seen ones; the button that closes the others closes them all.
SESSIONS_SHOWN = 20


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Asks for an address, and sends a link to it where an account has it; says the same where none has."""
    if isinstance(request.user, User):
        return HttpResponseRedirect(safe_next(request.GET.get("next", "")) or _own_space(request.user))
    if request.method != "POST":
        form = SignInForm(initial={"next": safe_next(request.GET.get("next", ""))})
        return render(request, "accounts/sign_in.html", {"form": form})
    form = SignInForm(request.POST)
    if not form.is_valid():
        return render(request, "accounts/sign_in.html", {"form": form})
    try:
        with lasting(ANSWER_SECONDS):
            actions.request_link(
                address=form.cleaned_data["email"],
                ip=client_ip(request),
                next_path=form.cleaned_data["next"],
                at=timezone.now(),
            )
    except TooMany as limit:
        return _too_many(request, "accounts/sign_in.html", form, limit)
    return redirect("accounts:link_sent")


def _wait(limit: TooMany) -> str:
    return f"Trop de liens ont été demandés. Réessayez dans {limit.minutes} minute{'s' if limit.minutes > 1 else ''}."


def _too_many(request: HttpRequest, template: str, form: Form, limit: TooMany) -> HttpResponse:
    form.add_error("email", _wait(limit))
    page = render(request, template, {"form": form}, status=429)
    page["Retry-After"] = str(limit.seconds)
    return page


@login_not_required
@require_safe
def link_sent(request: HttpRequest) -> HttpResponse:
    """Says to look at one's mailbox, and what to do where nothing comes."""
    return render(request, "accounts/link_sent.html")


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def use_link(request: HttpRequest, token: str) -> HttpResponse:
    """A button on GET (readers of mail open links by themselves, HEAD too); only POST signs in."""
    at = timezone.now()
    if request.method != "POST":
        found = actions.usable_link(token=token, at=at)
        if found is None:
            return _link_not_valid(request, token)
        return render(request, "accounts/use_link.html", {"words": actions.words_of_link(link=found)})
    # Once it is used, nothing is left to confirm.
    found = actions.usable_link(token=token, at=at)
    words = actions.words_of_link(link=found) if found else None
    try:
        link = actions.use_link(token=token, at=at)
    except actions.LinkNotValid:
        return _link_not_valid(request, token)
    login(request, link.user, backend="django.contrib.auth.backends.ModelBackend")
    if words:
        messages.success(request, words.done)
    return HttpResponseRedirect(_space(link))


def _space(link: SignInLink) -> str:
    return safe_next(link.next_path) or _own_space(link.user)


def _own_space(user: User) -> str:
    """Where the person works: the space of their role, else the one that is everybody's."""
    spaces = settings.NAVIGATION["account"]
    own = [space for space in spaces if space.get("role") in user.roles]
    found = own or [space for space in spaces if "role" not in space]
    return reverse(found[0]["url"] if len(found) == 1 else "accounts:home")


def _link_not_valid(request: HttpRequest, token: str, *, refusal: str = "") -> HttpResponse:
    """What can be done now: go on where the link led already, ask for another one, or type one's address."""
    if isinstance(request.user, User):
        link = actions.used_link(token=token, by=request.user)
        if link:
            return render(request, "accounts/link_used.html", {"space": _space(link)})
    is_renewable = actions.is_renewable(token=token, at=timezone.now())
    told = {"form": SignInForm(), "is_renewable": is_renewable, "refusal": refusal}
    return render(request, "accounts/link_not_valid.html", told, status=410)


@login_not_required
@never_cache
@require_POST
def renew_link(request: HttpRequest, token: str) -> HttpResponse:
    """Sends another link in place of one that expired, to the same address."""
    try:
        actions.renew_link(token=token, ip=client_ip(request), at=timezone.now())
    except actions.LinkNotValid:
        return _link_not_valid(request, token)
    except TooMany as limit:
        page = _link_not_valid(request, token, refusal=_wait(limit))
        page.status_code = 429
        page["Retry-After"] = str(limit.seconds)
        return page
    return redirect("accounts:link_sent")


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Who I am here, what is mine, and where I am signed in."""
    assert isinstance(request.user, User)
    at = timezone.now()
    told = {
        "roles": request.user.roles,
        "waiting_address": actions.waiting_address(user=request.user, at=at),
        "sessions": (
            request.user.sessions.open(at)
            .annotate(is_this_one=Q(pk=request.session.session_key))
            .order_by("-is_this_one", "-last_seen_at", "handle")[:SESSIONS_SHOWN]
        ),
    }
    return render(request, "accounts/home.html", told)


@require_POST
def close_session(request: HttpRequest, handle: uuid.UUID) -> HttpResponse:
    """Closes one of my sessions; this one too, which signs me out."""
    assert isinstance(request.user, User)
    session = get_object_or_404(request.user.sessions.open(timezone.now()), handle=handle)
    if session.pk == request.session.session_key:
        return sign_out(request)
    actions.close_session(session=session)
    messages.success(request, "La session est fermée.")
    return redirect("accounts:home")


@require_POST
def close_other_sessions(request: HttpRequest) -> HttpResponse:
    """Closes all my sessions but this one."""
    assert isinstance(request.user, User)
    actions.close_other_sessions(user=request.user, kept_session=request.session.session_key)
    messages.success(request, "Toutes vos autres sessions sont fermées.")
    return redirect("accounts:home")


@require_POST
def leave_visit(request: HttpRequest) -> HttpResponse:
    """Ends the visit of a recruiter's space, and goes back to their page of the back-office."""
    visit = getattr(request, "visit", None)
    if not isinstance(visit, Visit):
        return redirect("accounts:home")
    visits.end(visit=visit, at=timezone.now())
    return forget(redirect("admin:accounts_user_change", visit.user_id))


@require_http_methods(["GET", "HEAD", "POST"])
def change_address(request: HttpRequest) -> HttpResponse:
    """Asks for a new address, and sends there the link that confirms it; says the same where an account has it."""
    user = request.user
    assert isinstance(user, User)
    if not user.enters_by_link:
        raise Http404
    form = AddressChangeForm(request.POST if request.method == "POST" else None, user=user)
    if request.method != "POST" or not form.is_valid():
        return render(request, "accounts/change_address.html", {"form": form})
    address = form.cleaned_data["email"]
    try:
        with lasting(ANSWER_SECONDS):
            actions.request_address_change(user=user, address=address, ip=client_ip(request), at=timezone.now())
    except TooMany as limit:
        return _too_many(request, "accounts/change_address.html", form, limit)
    messages.info(request, f"Un lien vient d’être envoyé à {address} : suivez-le pour confirmer le changement.")
    return redirect("accounts:home")


@require_POST
def cancel_address_change(request: HttpRequest) -> HttpResponse:
    """My address stays what it is."""
    assert isinstance(request.user, User)
    actions.cancel_address_change(user=request.user)
    messages.success(request, "Le changement d’adresse est annulé.")
    return redirect("accounts:home")


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def use_address_link(request: HttpRequest, token: str) -> HttpResponse:
    """A button on GET; only POST changes the address. It signs nobody in: the address may have been typed wrong."""
    at = timezone.now()
    if request.method != "POST":
        address = actions.asked_address(token=token, at=at)
        if not address:
            return render(request, "accounts/address_link_not_valid.html", status=410)
        return render(request, "accounts/use_address_link.html", {"address": address})
    try:
        user = actions.change_address(token=token, kept_session=request.session.session_key, at=at)
    except actions.LinkNotValid:
        return render(request, "accounts/address_link_not_valid.html", status=410)
    messages.success(request, f"L’adresse du compte est maintenant {user.email}.")
    return redirect("accounts:home" if request.user.is_authenticated else "accounts:sign_in")


@login_not_required
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """Ends the session; where there is none any more, that is no error."""
    was_in = request.user.is_authenticated
    logout(request)
    if was_in:
        messages.success(request, "Votre session est fermée.")
    return redirect("/")
