"""The form, which anyone may fill in: what comes back never tells whether an establishment or an address is known."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from labonnealternance.kit.http import client_ip
from labonnealternance.kit.limits import TooMany
from labonnealternance.kit.text import counted
from labonnealternance.kit.views import lasting
from unsubscribe.actions import requests
from unsubscribe.actions.effects import RefusedRequest
from unsubscribe.emails import LINK_HOURS
from unsubscribe.enums import Outcome
from unsubscribe.forms import AskForm, SupportForm

# Longer than writing an e-mail and waking a worker through a broker that hangs.
ANSWER_SECONDS = 0.5
# What each outcome changes, as the choices and the forms say it.
HELP = {
    Outcome.LEAVE: "Vos établissements disparaissent du site pour de bon, aussitôt la demande confirmée.",
    Outcome.PAUSE: "Vos établissements disparaissent du site jusqu’à une date, puis réapparaissent d’eux-mêmes.",
    Outcome.HIDE: "Vos établissements restent visibles, sans l’e-mail, sans le téléphone ou sans candidatures.",
    Outcome.CORRECT: "Vous changez l’adresse qui reçoit les candidatures, ou le téléphone montré aux candidats.",
    Outcome.BE_LISTED: "Vous apparaissez dans les recherches pour les métiers de votre choix, pendant un an. "
    "C’est aussi la façon de revenir après un départ.",
}


@login_not_required
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """What may be asked, and the right door for who is no establishment."""
    choices = [{"outcome": outcome, "help": HELP[outcome]} for outcome in Outcome]
    return render(request, "unsubscribe/home.html", {"choices": choices})


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest, outcome: Outcome) -> HttpResponse:
    """Who, and what for; the link goes to the known address."""
    form = AskForm(request.POST if request.method == "POST" else None, outcome=outcome)
    if form.is_bound and form.is_valid():
        scope, value = form.cleaned_data["who"]
        try:
            with lasting(ANSWER_SECONDS):
                requests.ask(scope=scope, value=value, wish=form.wish(), ip=client_ip(request), at=timezone.now())
        except RefusedRequest as refusal:
            form.add_refusal(refusal)
        except TooMany as limit:
            return too_many(request, form, limit)
        else:
            return redirect("unsubscribe:sent")
    return page(request, form)


def page(request: HttpRequest, form: AskForm, **context) -> HttpResponse:
    """The form, with what is wrong in it; it opens on the first field that is."""
    for name in form.fields:
        if name in form.errors:
            form.fields[name].widget.attrs["autofocus"] = True
            break
    context = {"form": form, "outcome": form.outcome, "help": HELP[form.outcome], **context}
    return render(request, "unsubscribe/ask.html", context)


def too_many(request: HttpRequest, form: AskForm, limit: TooMany, **context) -> HttpResponse:
    """The form as it was typed, and when to send it again."""
    wait = counted(limit.minutes, "minute", "minutes")
    form.add_error(None, f"Trop de demandes en peu de temps. Réessayez dans {wait}.")
    answer = page(request, form, **context)
    answer.status_code = 429
    answer["Retry-After"] = str(limit.seconds)
    return answer


@login_not_required
@require_safe
def sent(request: HttpRequest) -> HttpResponse:
    """The same for everyone: look at the mailbox, and what to do where nothing comes."""
    return render(request, "unsubscribe/sent.html", {"hours": LINK_HOURS, "outcomes": list(Outcome)})


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def ask_support(request: HttpRequest, outcome: Outcome) -> HttpResponse:
    """The same request with a document, where the known address can't be read: support decides."""
    is_sent = request.method == "POST"
    form = SupportForm(request.POST if is_sent else None, request.FILES if is_sent else None, outcome=outcome)
    if form.is_bound and form.is_valid():
        try:
            requests.ask_support(
                siret=form.cleaned_data["siret"],
                covers_company=form.cleaned_data.get("covers_company", False),
                wish=form.wish(),
                address=form.cleaned_data["address"],
                document=form.cleaned_data["document"],
                ip=client_ip(request),
                at=timezone.now(),
            )
        except RefusedRequest as refusal:
            form.add_refusal(refusal)
        except TooMany as limit:
            return too_many(request, form, limit, is_support=True)
        else:
            return redirect("unsubscribe:to_confirm")
    return page(request, form, is_support=True)


@login_not_required
@require_safe
def to_confirm(request: HttpRequest) -> HttpResponse:
    """Support reads the request once its address is confirmed."""
    return render(request, "unsubscribe/to_confirm.html", {"hours": LINK_HOURS})
