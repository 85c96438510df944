"""Support's screen: why is this establishment shown, or not, at a moment?"""

import datetime as dt
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.views.decorators.http import require_safe

from companies.actions import explanations, why_shown
from companies.actions.reasons import Reason
from companies.actions.why_shown import Answer, Told
from companies.admin.decisions import what_of
from companies.admin.establishment import MOST_REASONS
from companies.enums import DecisionScope
from companies.models import InvalidNumber, clean_siret
from labonnealternance.kit import readings
from labonnealternance.kit.admin import author, moment, table
from labonnealternance.kit.http import LineField

MAY_READ = "companies.view_visibilitydecision"
# Beyond, a moment is a slip.
FIRST_YEAR, YEARS_TO_COME = 2000, 50


class QuestionForm(forms.Form):
    siret = LineField(
        label="SIRET", max_length=40, widget=forms.TextInput({"class": "vTextField", "autocomplete": "off"})
    )
    le = forms.DateTimeField(
        label="À quel moment",
        required=False,
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d"],
        widget=forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text="Vide : maintenant. L’heure est celle de Paris.",
    )

    def clean_siret(self) -> str:
        try:
            return clean_siret(self.cleaned_data["siret"])
        except InvalidNumber as refusal:
            raise forms.ValidationError(str(refusal)) from None

    def clean_le(self) -> dt.datetime | None:
        at = self.cleaned_data["le"]
        if at and not FIRST_YEAR <= at.year <= timezone.now().year + YEARS_TO_COME:
            raise forms.ValidationError("Ce moment est trop lointain.")
        return at


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Asks for a SIRET and a moment by its address; answers with each condition."""
    if not request.user.has_perm(MAY_READ):
        raise PermissionDenied
    form = QuestionForm(request.GET if "siret" in request.GET else None)
    now = timezone.now()
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": "Pourquoi cet établissement est-il affiché, ou non ?",
        "form": form,
    }
    if form.is_valid():
        answer = why_shown.why_shown(siret=form.cleaned_data["siret"], at=form.cleaned_data["le"] or now, now=now)
        if answer.establishment is not None:
            readings.note(
                by=request.user, at=now, screen="Pourquoi affiché ?",
                model="companies.establishment", object_key=answer.establishment.pk,
            )  # fmt: skip
        context |= {
            "answer": answer,
            "about": why_shown.in_words(answer),
            "conditions": _table(answer.conditions),
            "others": _table(answer.others),
            "jobs": _jobs(answer, now),
            "decisions": table(
                (_row(each) for each in answer.decisions),
                ["Décision", "Portée", "Alors", "Depuis", "Motif", "Par"],
                none="Aucune.",
            ),
            "page": reverse("admin:companies_establishment_change", args=[answer.establishment.pk])
            if answer.establishment
            else "",
        }
    return TemplateResponse(request, "admin/why_shown.html", context)


def _table(conditions: list[why_shown.Condition]) -> str:
    rows = (
        ("oui" if each.holds else format_html("<strong>{}</strong>", "non"), each.name, each.fact, each.since)
        for each in conditions
    )
    return table(rows, ["Vrai", "Condition", "Ce qui est su", "Depuis"])


def _jobs(answer: Answer, now: dt.datetime) -> str:
    """Each job with who gives it, its place, and why the score does."""
    unknown = "—"
    by_rome: dict[str, list[Reason]] = {}
    if answer.establishment is not None and answer.is_of_today:
        number = answer.establishment.pk
        why = explanations.reasons_of(establishment_ids=[number], at=now)[number]
        by_rome = why.by_rome
        unknown = "Calcul en cours : rechargez la page dans une minute." if why.is_awaited else "—"
    rows = (
        (
            f"{job.rome.label} ({job.rome.code})",
            "une décision" if job.is_asked_for else "le score",
            job.rank,
            "—"
            if job.is_asked_for
            else format_html_join("", "{}<br>", ((each,) for each in by_rome.get(job.rome.code, ())[:MOST_REASONS]))
            or unknown,
        )
        for job in answer.jobs
    )
    return table(rows, ["Métier", "Donné par", "Place", "Principales raisons"], none="Aucun.")


def _row(told: Told) -> tuple:
    decision = told.decision
    reach = "" if decision.scope == DecisionScope.SIRET else f" : {decision.value}"
    return (
        format_html(
            '<a href="{}">{}</a>',
            reverse("admin:companies_visibilitydecision_change", args=[decision.pk]),
            what_of(decision),
        ),
        f"{decision.get_scope_display()}{reach}",
        told.state,
        moment(decision.starts_at),
        decision.get_reason_display(),
        author(decision.decided_by, otherwise=decision.get_origin_display()),
    )
