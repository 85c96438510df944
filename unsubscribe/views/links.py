"""The links of e-mails: readers of mail open them by themselves, and only a button acts."""

from datetime import datetime
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from companies.actions import visibility_links
from companies.actions.visibility_links import BadLink
from companies.enums import DecisionScope
from companies.models import spaced_siret
from labonnealternance.kit.http import client_ip
from labonnealternance.kit.limits import TooMany
from labonnealternance.kit.views import secret_page
from unsubscribe.actions import requests, why_shown
from unsubscribe.actions.effects import RefusedRequest
from unsubscribe.actions.requests import LinkNotValid
from unsubscribe.enums import Outcome, Proof, Status
from unsubscribe.forms import MailForm
from unsubscribe.models import Request
from unsubscribe.views.ask import HELP, page, too_many


def _not_valid(request: HttpRequest) -> HttpResponse:
    return render(request, "unsubscribe/link_not_valid.html", status=410)


@login_not_required
@secret_page
@require_http_methods(["GET", "HEAD", "POST"])
def act(request: HttpRequest, *, token: str) -> HttpResponse:
    """The establishments that the address speaks for, to tick, and the button; then, that it is done."""
    at = timezone.now()
    error = ""
    ticked = request.POST.getlist("siret") if request.method == "POST" else None
    try:
        if request.method == "POST":
            try:
                requests.act(token=token, sirets=ticked or [], all_of_them="tous" in request.POST, at=at)
            except RefusedRequest as refusal:
                error = str(refusal)
            else:
                return redirect(request.path)
        asked = requests.find(token=token, proof=Proof.MAILBOX, at=at)
        if asked.status == Status.DONE:
            return render(request, "unsubscribe/done.html", {"asked": asked})
        return _choice(request, asked, ticked=ticked, error=error, at=at)
    except LinkNotValid:
        return _not_valid(request)


def _choice(
    request: HttpRequest, asked: Request, *, ticked: list[str] | None, error: str, at: datetime
) -> HttpResponse:
    behind = requests.sirets_behind(asked)
    if not behind:
        raise LinkNotValid
    if ticked is None:
        # The one that was named, or the only one.
        ticked = behind[:1] if len(behind) == 1 or behind[0] == asked.value else []
    boxes = [
        {"place": place, "siret": spaced_siret(place.siret), "is_ticked": place.siret in ticked}
        for place in requests.places(behind)
    ]
    context = {
        "asked": asked,
        "told": asked.told(),
        "boxes": boxes,
        "total": len(behind),
        "hidden": len(behind) - len(boxes),
        "reaches_address": asked.outcome in {Outcome.LEAVE, Outcome.PAUSE, Outcome.HIDE},
        "all_ticked": "tous" in request.POST,
        "error": error,
        "whys": why_shown.of_sirets(behind, at=at),
    }
    return render(request, "unsubscribe/act.html", context)


@login_not_required
@secret_page
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, *, token: str) -> HttpResponse:
    """Who asked support confirms where to answer."""
    at = timezone.now()
    try:
        if request.method == "POST":
            requests.confirm(token=token, at=at)
            return redirect(request.path)
        asked = requests.find(token=token, proof=Proof.DOCUMENT, at=at)
    except LinkNotValid:
        return _not_valid(request)
    context = {"asked": asked, "told": asked.told(), "is_confirmed": asked.status != Status.ASKED}
    return render(request, "unsubscribe/confirm.html", context)


@login_not_required
@secret_page
@require_safe
def by_mail(request: HttpRequest, *, token: str) -> HttpResponse:
    """What may be asked for the establishment that a mail was about."""
    try:
        link = visibility_links.read(token=token)
    except BadLink:
        return _not_valid(request)
    choices = [{"outcome": outcome, "help": HELP[outcome]} for outcome in Outcome]
    context: dict[str, Any] = {"choices": choices, "siret": spaced_siret(link.siret), "token": token}
    # The link lasts as long as the mail: it proves nothing once the known address is another.
    if requests.known_address(scope=DecisionScope.SIRET, value=link.siret) == link.email:
        context["whys"] = why_shown.of_sirets([link.siret], at=timezone.now())
    return render(request, "unsubscribe/home.html", context)


@login_not_required
@secret_page
@require_http_methods(["GET", "HEAD", "POST"])
def ask_by_mail(request: HttpRequest, *, token: str, outcome: Outcome) -> HttpResponse:
    """The form of who read that mail: goes on to the button at once where the mail proves enough."""
    try:
        link = visibility_links.read(token=token)
    except BadLink:
        return _not_valid(request)
    form = MailForm(request.POST if request.method == "POST" else None, outcome=outcome)
    context = {"siret": spaced_siret(link.siret), "token": token}
    if form.is_bound and form.is_valid():
        try:
            secret = requests.ask_by_mail(
                siret=link.siret, email=link.email, wish=form.wish(), ip=client_ip(request), at=timezone.now()
            )
        except RefusedRequest as refusal:
            form.add_refusal(refusal)
        except TooMany as limit:
            return too_many(request, form, limit, **context)
        else:
            return redirect("unsubscribe:act", token=secret) if secret else redirect("unsubscribe:sent")
    return page(request, form, **context)
