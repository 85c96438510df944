"""The doors of the decisions: each is one POST, after which the next file opens."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from labonnealternance.mail import actions as mail
from offers.actions import accesses
from offers.models import Access
from opco import emails
from opco.actions import decisions
from opco.actions.desks import Desk
from opco.enums import DecisionKind, RefusalReason
from opco.forms import AskForm, PassOnForm, RefuseForm
from opco.models import Decision
from opco.views.case import actions_context, file_of
from opco.views.desk import REFUSALS, at_desk, back_to_case, case_address, frame, narrowing, to_next, with_query

# What may be asked of anybody.
QUESTION = (
    "Quelle est votre fonction dans l’entreprise ? Pouvez-vous nous indiquer une adresse e-mail professionnelle, ou le"
    " numéro du standard où vous joindre ?"
)


def _decide(
    request: HttpRequest, desk: Desk, access_id: int, act: Callable[..., Decision], **facts: Any
) -> HttpResponse:
    """Decides, then opens the next file; where somebody came before, shows this one again, and says who."""
    at = timezone.now()
    try:
        act(desk=desk, access_id=access_id, seen=request.POST.get("seen", ""), at=at, **facts)
    except REFUSALS as refusal:
        messages.error(request, str(refusal))
        return back_to_case(request, desk, access_id)
    return to_next(request, desk, after=access_id, at=at)


@require_POST
@at_desk
def certify(request: HttpRequest, desk: Desk, *, access_id: int) -> HttpResponse:
    return _decide(request, desk, access_id, decisions.certify)


def _page(
    request: HttpRequest, desk: Desk, access: Access, form: forms.Form, *, kind: DecisionKind, preview: str = ""
) -> HttpResponse:
    """The page that asks what a decision needs, and shows the e-mail that it will send; not for a file that changed."""
    at = timezone.now()
    if "seen" in request.GET and request.method != "POST":
        try:
            decisions.refuse_if_changed(desk=desk, access=access, seen=request.GET["seen"], at=at)
        except REFUSALS as refusal:
            messages.error(request, str(refusal))
            return back_to_case(request, desk, access.pk)
    context = {
        **frame(desk, section="case", at=at, kept=narrowing(request, desk).kept),
        **actions_context(request, desk, access, at=at),
        "form": form,
        "kind": kind.value,
        "preview": preview,
    }
    if request.method == "POST":
        # What the person saw first: the decision is refused where somebody else decided meanwhile.
        context["seen"] = request.POST.get("seen", "")
    return render(request, "opco/decide.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@at_desk
def refuse(request: HttpRequest, desk: Desk, *, access_id: int) -> HttpResponse:
    """A reason makes an e-mail; the e-mail is read, and written otherwise if need be; then the refusal is sent."""
    access = file_of(desk, access_id)
    reason = request.GET.get("reason", "")
    proposed = decisions.PROPOSED[RefusalReason(reason)] if reason in RefusalReason else ""
    form = RefuseForm(request.POST if request.method == "POST" else None, initial={"reason": reason, "text": proposed})
    if form.is_bound and form.is_valid():
        if "apercu" not in request.POST:
            return _decide(
                request,
                desk,
                access_id,
                decisions.refuse,
                reason=RefusalReason(form.cleaned_data["reason"]),
                text=form.cleaned_data["text"],
            )
        proposed = form.cleaned_data["text"]
    preview = mail.as_read(accesses.denial_of(access=access, reason=proposed)) if proposed else ""
    return _page(request, desk, access, form, kind=DecisionKind.REFUSE, preview=preview)


@require_http_methods(["GET", "HEAD", "POST"])
@at_desk
def ask(request: HttpRequest, desk: Desk, *, access_id: int) -> HttpResponse:
    """A question, the e-mail that carries it; then it is sent."""
    access = file_of(desk, access_id)
    form = AskForm(request.POST if request.method == "POST" else None, initial={"text": QUESTION})
    text = QUESTION
    if form.is_bound and form.is_valid():
        text = form.cleaned_data["text"]
        if "apercu" not in request.POST:
            return _decide(request, desk, access_id, decisions.ask, text=text)
    asked = Decision(access=access, opco=access.establishment.opco, text=text)
    preview = mail.as_read(emails.information_asked(decision=asked, access=access, token=emails.NOT_SENT))
    return _page(request, desk, access, form, kind=DecisionKind.ASK, preview=preview)


@require_http_methods(["GET", "HEAD", "POST"])
@at_desk
def pass_on(request: HttpRequest, desk: Desk, *, access_id: int) -> HttpResponse:
    """The file goes to another OPCO, or to support, and leaves the list."""
    access = file_of(desk, access_id)
    form = PassOnForm(request.POST if request.method == "POST" else None, present=access.establishment.opco)
    if form.is_bound and form.is_valid():
        return _decide(
            request, desk, access_id, decisions.pass_on, to_opco=form.to_opco, text=form.cleaned_data["text"]
        )
    return _page(request, desk, access, form, kind=DecisionKind.PASS_ON)


@require_POST
@at_desk
def undo(request: HttpRequest, desk: Desk, *, decision_id: int) -> HttpResponse:
    """As if nothing had been decided; the file opens again."""
    at = timezone.now()
    try:
        decision = decisions.undo(desk=desk, decision_id=decision_id, at=at)
    except REFUSALS as refusal:
        messages.error(request, str(refusal))
        return redirect(with_query(reverse("opco:queue"), narrowing(request, desk).kept))
    messages.success(request, "La décision est annulée : personne n’en a été prévenu.")
    return redirect(case_address(decision.access_id, narrowing(request, desk).kept))
