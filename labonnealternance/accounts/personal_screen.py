"""The back-office's page about a person's data: what is held, taken out as a file, erased.

An address is typed in a form that is sent, never in the page's own address, which logs keep.
"""

import hashlib
import json
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify
from django.views.decorators.http import require_http_methods

from labonnealternance.accounts import erasure
from labonnealternance.accounts.models import User
from labonnealternance.kit import personal_registry, readings
from labonnealternance.kit.admin import ReasonForm
from labonnealternance.kit.http import AddressField
from labonnealternance.kit.personal_registry import Held, Subject

EXPORT, ERASE = "accounts.export_user", "accounts.erase_user"


class AddressForm(forms.Form):
    address = AddressField(
        label="Adresse e-mail",
        help_text="Avec un compte ou sans : contact d’un établissement, demande de retrait, signalement…",
        widget=forms.EmailInput(attrs={"class": "vTextField", "autocomplete": "off"}),
    )


class ErasureForm(ReasonForm):
    """``seen`` stands for what was read before: other rows by now are read again."""

    typed = forms.CharField(
        label="Pour confirmer, recopiez l’adresse",
        max_length=254,
        widget=forms.TextInput(attrs={"class": "vTextField", "autocomplete": "off"}),
    )

    def __init__(self, *arguments: Any, address: str, **options: Any):
        super().__init__(*arguments, **options)
        self.address = address

    def clean_typed(self) -> str:
        if self.cleaned_data["typed"].strip().lower() != self.address:
            raise forms.ValidationError(f"Ce n’est pas la même chose que « {self.address} ».")
        return self.address


def _seen(found: list[Held]) -> str:
    counts = [(each.kind.name, each.count) for each in found]
    return hashlib.sha256(json.dumps(counts).encode()).hexdigest()


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest) -> HttpResponseBase:
    """Asks for an address; then shows what there is and what erasing would do, and does what is pressed."""
    by = request.user
    assert isinstance(by, User)
    if not (by.has_perm(EXPORT) or by.has_perm(ERASE)):
        raise PermissionDenied
    if request.method != "POST":
        if "personne" not in request.GET:
            return _asked(request, AddressForm())
        person = get_object_or_404(User, pk=_number(request.GET["personne"]))
        return _shown(request, Subject(person.email, person))
    form = AddressForm(request.POST)
    if not form.is_valid():
        return _asked(request, form)
    subject = erasure.subject_of(address=form.cleaned_data["address"])
    if "export" in request.POST:
        return _file(request, subject)
    if "erase" in request.POST:
        return _erased(request, subject)
    return _shown(request, subject)


def _number(text: str) -> int:
    """A key of a row, or one that no row has."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def _page(request: HttpRequest, **told: Any) -> HttpResponse:
    context = {**admin.site.each_context(request), "title": "Données d’une personne", **told}
    return TemplateResponse(request, "admin/personal_data.html", context)


def _asked(request: HttpRequest, form: AddressForm) -> HttpResponse:
    return _page(request, form=form)


def _shown(request: HttpRequest, subject: Subject, *, form: ErasureForm | None = None) -> HttpResponse:
    by = request.user
    readings.note(
        by=by,
        at=timezone.now(),
        screen=erasure.SCREEN,
        model=User._meta.label_lower,
        object_key=subject.user.pk if subject.user else "",
    )
    found = personal_registry.held(subject)
    return _page(
        request,
        subject=subject,
        person_url=reverse("admin:accounts_user_change", args=[subject.user.pk]) if subject.user else "",
        held=[each for each in found if each.count],
        seen=_seen(found),
        may_export=by.has_perm(EXPORT),
        may_erase=by.has_perm(ERASE) and not (subject.user and subject.user.is_staff),
        erasure=form or ErasureForm(address=subject.address),
    )


def _file(request: HttpRequest, subject: Subject) -> StreamingHttpResponse:
    by = request.user
    assert isinstance(by, User)
    if not by.has_perm(EXPORT):
        raise PermissionDenied
    at = timezone.now()
    response = StreamingHttpResponse(
        erasure.export(subject=subject, by=by, at=at), content_type="application/json; charset=utf-8"
    )
    name = f"donnees-{slugify(subject.address)[:80] or 'personne'}-{timezone.localtime(at):%Y-%m-%d}.json"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _erased(request: HttpRequest, subject: Subject) -> HttpResponse:
    by = request.user
    assert isinstance(by, User)
    if not by.has_perm(ERASE):
        raise PermissionDenied
    form = ErasureForm(request.POST, address=subject.address)
    if not form.is_valid():
        return _shown(request, subject, form=form)
    if request.POST.get("seen", "") != _seen(personal_registry.held(subject)):
        form.add_error(None, "Ces données ont changé depuis : relisez-les, puis confirmez de nouveau.")
        return _shown(request, subject, form=form)
    try:
        found = erasure.erase(address=subject.address, by=by, at=timezone.now(), reason=form.cleaned_data["reason"])
    except erasure.NotErased as refusal:
        form.add_error(None, str(refusal))
        return _shown(request, subject, form=form)
    if any(each.count and each.kind.erase for each in found):
        messages.success(request, "Les données sont effacées, et la personne en est avertie par e-mail.")
    else:
        messages.info(request, "Il n’y avait rien à effacer.")
    return redirect("admin:personal_data")
