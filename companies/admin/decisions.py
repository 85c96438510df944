"""A decision about an establishment in the back-office: what it asks of support, and how it is told."""

import datetime as dt
import re

from django import forms
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from companies.enums import Channel, DecisionKind, DecisionOrigin, DecisionReason, DecisionScope
from companies.models import Establishment, VisibilityDecision, spaced_siret
from labonnealternance.kit.admin import NOT_CHOSEN, ReasonForm, Refused, moment
from labonnealternance.kit.text import counted

# Establishments of a company that a page counts; beyond, « plus de … ».
MOST_COUNTED = 500
HIDING_REASONS = [(each.value, each.label) for each in DecisionReason if each != DecisionReason.REQUESTED_LISTING]
LISTING_REASONS = [(each.value, each.label) for each in (DecisionReason.REQUESTED_LISTING, DecisionReason.OTHER)]


class DayField(forms.DateField):
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class DecisionForm(forms.Form):
    """What every decision asks: how far, why, until when."""

    scope = forms.ChoiceField(label="Portée", choices=DecisionScope, initial=DecisionScope.SIRET)
    reason = forms.ChoiceField(label="Motif", choices=[NOT_CHOSEN, *HIDING_REASONS])
    comment = forms.CharField(label="Commentaire", max_length=2000, required=False, widget=forms.Textarea({"rows": 3}))
    ends_on = DayField(label="Dernier jour", required=False, help_text="Vide : pour de bon.")


class PauseForm(DecisionForm):
    ends_on = DayField(label="Dernier jour de la pause")


class ChannelForm(DecisionForm):
    channel = forms.ChoiceField(label="Moyen de contact", choices=[NOT_CHOSEN, *Channel.choices])
    field_order = ["scope", "channel"]


class ListingForm(DecisionForm):
    scope = None  # type: ignore[assignment]
    reason = forms.ChoiceField(label="Motif", choices=[NOT_CHOSEN, *LISTING_REASONS])
    rome_codes = forms.CharField(
        label="Codes ROME", max_length=200, help_text="Séparés par des espaces ou des virgules : « D1102, D1104 »."
    )
    field_order = ["rome_codes"]

    def clean_rome_codes(self) -> list[str]:
        return [code.upper() for code in re.split(r"[\s,;]+", self.cleaned_data["rome_codes"]) if code]


class CorrectionForm(ReasonForm):
    channel = forms.ChoiceField(
        label="Contact", choices=[NOT_CHOSEN, (Channel.EMAIL.value, "E-mail"), (Channel.PHONE.value, "Téléphone")]
    )
    value = forms.CharField(
        label="Nouvelle valeur", max_length=254, required=False, help_text="Vide : le contact est effacé."
    )
    field_order = ["channel", "value", "reason"]


def saying_how_far(form: type[DecisionForm]):
    """``form`` for one establishment: each scope says what it reaches, before anything is decided."""

    def about(establishment: Establishment) -> type[DecisionForm]:
        class Form(form):  # type: ignore[valid-type,misc]
            scope = forms.ChoiceField(label="Portée", choices=_scopes(establishment), initial=DecisionScope.SIRET)

        return Form

    return about


def _scopes(establishment: Establishment) -> list[tuple[str, str]]:
    siret, email = spaced_siret(establishment.siret), with_effective_contact(establishment).effective_email
    same_company = Establishment.objects.open(timezone.now()).filter(siren=establishment.siret[:9])
    count = same_company[: MOST_COUNTED + 1].count()
    reached = (
        f"plus de {MOST_COUNTED} établissements"
        if count > MOST_COUNTED
        else counted(count, "établissement", "établissements")
    )
    return [
        (DecisionScope.SIRET.value, f"Cet établissement : SIRET {siret}"),
        (DecisionScope.SIREN.value, f"Toute l’entreprise : SIREN {siret[:11]}, {reached} en activité"),
        (
            DecisionScope.EMAIL.value,
            f"Tous ceux que l’on joint par {email}"
            if email
            else "Tous ceux qui ont la même adresse : aucune connue ici",
        ),
    ]


def decision_asked(request, establishment, answers) -> dict:
    """The arguments of a decision about ``establishment``: the scope asked for gives the value."""
    values = {
        DecisionScope.SIRET: establishment.siret,
        DecisionScope.SIREN: establishment.siret[:9],
        DecisionScope.EMAIL: with_effective_contact(establishment).effective_email,
    }
    if not values[answers["scope"]]:
        raise Refused("Cet établissement n’a pas d’adresse e-mail connue.")
    return {
        "value": values[answers["scope"]],
        "by": request.user,
        "at": timezone.now(),
        "origin": DecisionOrigin.SUPPORT,
        **answers,
    }


def with_effective_contact(establishment: Establishment):
    """The same, with the contacts that corrections and imports leave it."""
    return Establishment.objects.with_effective_contact().get(pk=establishment.pk)


def what_of(decision: VisibilityDecision) -> str:
    """What a decision does, in French."""
    if decision.kind == DecisionKind.CHANNEL_HIDDEN:
        return f"{decision.get_kind_display()} : {decision.get_channel_display().lower()}"
    if decision.kind == DecisionKind.LISTED:
        return f"{decision.get_kind_display()} : {', '.join(decision.rome_codes)}"
    return decision.get_kind_display()


def state_of(decision: VisibilityDecision, at) -> str:
    """Where a decision stands, in a word."""
    if decision.revoked_at is not None:
        return "annulée"
    if decision.ends_at is not None and decision.ends_at <= at:
        return "terminée"
    return "en vigueur" if decision.starts_at <= at else "à venir"


def standing(decision: VisibilityDecision, at):
    """Where a decision stands and why, with the way to undo what holds."""
    if decision.revoked_at is not None:
        return f"annulée le {moment(decision.revoked_at)} : {decision.revocation_reason}"
    state = state_of(decision, at)
    if state == "terminée":
        return state
    return format_html('{} – <a href="{}">annuler</a>', state, decision_url("revoke", decision))


def last_day(end) -> str:
    """A decision ends at the midnight that follows its last day."""
    return timezone.localtime(end - dt.timedelta(microseconds=1)).strftime("%d/%m/%Y") if end else ""


def decision_url(page: str, decision: VisibilityDecision) -> str:
    return reverse(f"admin:companies_visibilitydecision_{page}", args=[decision.pk])
