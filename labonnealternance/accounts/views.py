"""Signing in by a link, seeing one's account, signing out."""

import contextlib
import time
from collections.abc import Iterator

from django.contrib import messages
from django.contrib.auth import login, logout
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from labonnealternance.accounts import actions
from labonnealternance.accounts.forms import SignInForm, safe_next
from labonnealternance.accounts.models import User
from labonnealternance.kit.http import client_ip
from labonnealternance.kit.limits import TooMany

# Longer than writing an e-mail and waking a worker through a broker that hangs: a known address takes no longer than
# an unknown one.
ANSWER_SECONDS = 0.5


@contextlib.contextmanager
def _lasting(seconds: float) -> Iterator[None]:
    """The block lasts ``seconds`` at least."""
    begun = time.monotonic()
    yield
    time.sleep(max(0.0, begun + seconds - time.monotonic()))


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Asks for an address, and sends a link to it where an account has it; says the same where none has."""
    if request.user.is_authenticated:
        return HttpResponseRedirect(safe_next(request.GET.get("next", "")) or reverse("accounts:home"))
    if request.method != "POST":
        form = SignInForm(initial={"next": safe_next(request.GET.get("next", ""))})
        return render(request, "accounts/sign_in.html", {"form": form})
    form = SignInForm(request.POST)
    if not form.is_valid():
        return render(request, "accounts/sign_in.html", {"form": form})
    try:
        with _lasting(ANSWER_SECONDS):
            actions.request_link(
                address=form.cleaned_data["email"],
                ip=client_ip(request),
                next_path=form.cleaned_data["next"],
                at=timezone.now(),
            )
    except TooMany as limit:
        minutes = f"{limit.minutes} minute{'s' if limit.minutes > 1 else ''}"
        form.add_error("email", f"Trop de liens ont été demandés. Réessayez dans {minutes}.")
        page = render(request, "accounts/sign_in.html", {"form": form}, status=429)
        page["Retry-After"] = str(limit.seconds)
        return page
    return redirect("accounts:link_sent")


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
        if not actions.is_usable(token=token, at=at):
            return _link_not_valid(request)
        return render(request, "accounts/use_link.html")
    try:
        link = actions.use_link(token=token, at=at)
    except actions.LinkNotValid:
        return _link_not_valid(request)
    login(request, link.user, backend="django.contrib.auth.backends.ModelBackend")
    return HttpResponseRedirect(safe_next(link.next_path) or reverse("accounts:home"))


def _link_not_valid(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/link_not_valid.html", {"form": SignInForm()}, status=410)


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Who I am here."""
    assert isinstance(request.user, User)
    return render(request, "accounts/home.html", {"roles": request.user.roles})


@login_not_required
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """Ends the session; where there is none any more, that is no error."""
    was_in = request.user.is_authenticated
    logout(request)
    if was_in:
        messages.success(request, "Votre session est fermée.")
    return redirect("/")
