"""One page per establishment: what the registry says, what people decided, how to reach it; and support's buttons."""

import re

from django import forms
from django.contrib import admin
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join

from companies.actions import hiring_potentials, visibility
from companies.actions.visibility import RefusedDecision
from companies.enums import Channel, DecisionOrigin, DecisionReason, DecisionScope
from companies.models import (
    Contact,
    ContactCorrection,
    Establishment,
    EstablishmentImport,
    VisibilityDecision,
    spaced_siret,
    without_separators,
)
from labonnealternance.kit.admin import ReasonForm, Refused, ShownAdmin, button
from labonnealternance.kit.text import search_key

MOST_FOUND = 500
SHORTEST_NAME = 3
MOST_WORDS = 8
SHOWN_LINES = 50


class DayField(forms.DateField):
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class DecisionForm(forms.Form):
    """What every decision asks: how far, why, until when."""

    scope = forms.ChoiceField(label="Portée", choices=DecisionScope, initial=DecisionScope.SIRET)
    reason = forms.ChoiceField(label="Motif", choices=DecisionReason)
    comment = forms.CharField(label="Commentaire", max_length=2000, required=False, widget=forms.Textarea({"rows": 3}))
    ends_on = DayField(label="Dernier jour", required=False, help_text="Vide : pour de bon.")


class PauseForm(DecisionForm):
    ends_on = DayField(label="Dernier jour de la pause")


class ChannelForm(DecisionForm):
    channel = forms.ChoiceField(label="Moyen de contact", choices=Channel)
    field_order = ["scope", "channel"]


class ListingForm(DecisionForm):
    scope = None  # type: ignore[assignment]
    rome_codes = forms.CharField(
        label="Codes ROME", max_length=200, help_text="Séparés par des espaces ou des virgules."
    )
    field_order = ["rome_codes"]

    def clean_rome_codes(self) -> list[str]:
        return [code.upper() for code in re.split(r"[\s,;]+", self.cleaned_data["rome_codes"]) if code]


class CorrectionForm(ReasonForm):
    channel = forms.ChoiceField(
        label="Contact", choices=[(Channel.EMAIL.value, "E-mail"), (Channel.PHONE.value, "Téléphone")]
    )
    value = forms.CharField(
        label="Nouvelle valeur", max_length=254, required=False, help_text="Vide : le contact est effacé."
    )
    field_order = ["channel", "value", "reason"]


@admin.register(Establishment)
class EstablishmentAdmin(ShownAdmin):
    list_display = ["shown_siret", "display_name", "commune", "naf", "closed_on", "is_diffusible"]
    list_select_related = ["commune", "naf"]
    list_display_links = ["shown_siret", "display_name"]
    search_fields = ["siret"]
    search_help_text = "SIRET, SIREN, ou au moins trois lettres du nom."
    ordering = ["-pk"]
    fields = [
        "shown_siret", "name", "legal_name", "visible", "naf", "headcount_band", "address", "address_complement",
        "postcode", "commune", "latitude", "longitude", "created_on", "closed_on", "is_headquarters", "is_employer",
        "is_diffusible", "idcc", "opco", "registry_updated_at", "last_import", "decisions", "contact", "corrections",
        "potentials",
    ]  # fmt: skip
    readonly_fields = ["shown_siret", "visible", "decisions", "contact", "corrections", "potentials"]
    buttons = ["delist", "pause", "hide_channel", "list_establishment", "correct_contact"]

    def get_search_results(self, request, queryset, search_term):
        """A number is looked up by its index, a name by its trigrams; never more than ``MOST_FOUND`` rows."""
        text = search_term.strip()
        digits = without_separators(text)
        if not text:
            return queryset, False
        if digits.isdecimal() and len(digits) in (9, 14):
            return queryset.filter(**{"siret" if len(digits) == 14 else "siren": digits}), False
        words = [word for word in text.split() if len(word) >= SHORTEST_NAME][:MOST_WORDS]
        if not words:
            return queryset.none(), False
        named = Establishment.objects.all()
        for word in words:
            named = named.filter(Q(name__iregex=re.escape(word)) | Q(name__iregex=re.escape(search_key(word) or word)))
        found = list(named.values_list("pk", flat=True)[:MOST_FOUND])
        return queryset.filter(pk__in=found), False

    @admin.display(description="SIRET", ordering="siret")
    def shown_siret(self, establishment):
        return spaced_siret(establishment.siret)

    @admin.display(description="Visible du public", boolean=True)
    def visible(self, establishment):
        return Establishment.objects.listed(at=timezone.now()).filter(pk=establishment.pk).exists()

    @admin.display(description="Décisions")
    def decisions(self, establishment):
        email = _effective(establishment).effective_email
        at = timezone.now()
        known = (
            VisibilityDecision.objects.about(siret=establishment.siret, email=email)
            .select_related("decided_by", "revoked_by")
            .order_by("-decided_at", "-pk")[:SHOWN_LINES]
        )
        return _lines(
            (
                format_html(
                    '<a href="{}">{}</a>', reverse("admin:companies_visibilitydecision_change", args=[each.pk]), each
                ),
                state_of(each, at),
                _moment(each.starts_at),
                _moment(each.ends_at) or "sans fin",
                each.get_reason_display(),
                each.get_origin_display(),
                each.decided_by or "—",
            )
            for each in known
        )

    @admin.display(description="Contact connu")
    def contact(self, establishment):
        imported = Contact.objects.filter(siret=establishment.siret).first()
        shown = _effective(establishment)
        source = f"{imported.source}, {_moment(imported.imported_at)}" if imported else "aucun contact importé"
        return _lines([(shown.effective_email or "pas d'e-mail", shown.effective_phone or "pas de téléphone", source)])

    @admin.display(description="Potentiels en ligne")
    def potentials(self, establishment):
        known = hiring_potentials.potentials_of(establishment_ids=[establishment.pk])[establishment.pk]
        return _lines((each.rome, f"{each.expected:.2f}".replace(".", ",")) for each in known) if known else "Aucun."

    @admin.display(description="Corrections")
    def corrections(self, establishment):
        known = ContactCorrection.objects.filter(siret=establishment.siret).select_related("decided_by")
        return _lines(
            (
                each.get_channel_display(),
                each.value or "effacé",
                _moment(each.decided_at),
                each.get_origin_display(),
                each.decided_by or "—",
                each.reason,
            )
            for each in known.order_by("-decided_at", "-pk")[:SHOWN_LINES]
        )

    @button(
        "Retirer",
        form=DecisionForm,
        warning="L'établissement n'est plus visible nulle part, dès maintenant.",
        refusals=(RefusedDecision,),
    )
    def delist(self, request, establishment, answers):
        visibility.delist(**_asked(request, establishment, answers))
        return "L'établissement est retiré."

    @button(
        "Mettre en pause",
        form=PauseForm,
        warning="L'établissement n'est plus visible jusqu'à la fin du dernier jour.",
        refusals=(RefusedDecision,),
    )
    def pause(self, request, establishment, answers):
        visibility.pause(**_asked(request, establishment, answers))
        return "L'établissement est en pause."

    @button(
        "Masquer un moyen de contact",
        form=ChannelForm,
        warning="L'établissement reste visible, sans ce moyen de le joindre.",
        refusals=(RefusedDecision,),
    )
    def hide_channel(self, request, establishment, answers):
        visibility.hide_channel(**_asked(request, establishment, answers))
        return "Le moyen de contact est masqué."

    @button(
        "Référencer",
        form=ListingForm,
        warning="L'établissement sera trouvé pour ces métiers, sans score.",
        refusals=(RefusedDecision,),
    )
    def list_establishment(self, request, establishment, answers):
        visibility.list_establishment(
            siret=establishment.siret, by=request.user, at=timezone.now(), origin=DecisionOrigin.SUPPORT, **answers
        )
        return "L'établissement est référencé."

    @button("Corriger un contact", form=CorrectionForm, refusals=(RefusedDecision,))
    def correct_contact(self, request, establishment, answers):
        visibility.correct_contact(
            siret=establishment.siret, by=request.user, at=timezone.now(), origin=DecisionOrigin.SUPPORT, **answers
        )
        return "Le contact est corrigé."


@admin.register(EstablishmentImport)
class EstablishmentImportAdmin(ShownAdmin):
    list_display = [
        "file_name", "kind", "status", "file_dated_on", "started_at", "read_rows", "added_rows", "changed_rows",
        "closed_rows", "reopened_rows", "quarantined_rows",
    ]  # fmt: skip
    list_filter = ["kind", "status"]
    ordering = ["-started_at", "-pk"]
    fields = [field.name for field in EstablishmentImport._meta.fields if field.name != "id"]


def _effective(establishment: Establishment):
    return Establishment.objects.with_effective_contact().get(pk=establishment.pk)


def _asked(request, establishment, answers) -> dict:
    """The arguments of a decision about ``establishment``: the scope asked for gives the value."""
    values = {
        DecisionScope.SIRET: establishment.siret,
        DecisionScope.SIREN: establishment.siret[:9],
        DecisionScope.EMAIL: _effective(establishment).effective_email,
    }
    if not values[answers["scope"]]:
        raise Refused("Cet établissement n'a pas d'adresse e-mail connue.")
    return {
        "value": values[answers["scope"]],
        "by": request.user,
        "at": timezone.now(),
        "origin": DecisionOrigin.SUPPORT,
        **answers,
    }


def state_of(decision: VisibilityDecision, at) -> str:
    """Where a decision stands, in French."""
    if decision.revoked_at is not None:
        return f"annulée le {_moment(decision.revoked_at)} : {decision.revocation_reason}"
    if decision.ends_at is not None and decision.ends_at <= at:
        return "terminée"
    return "en vigueur" if decision.starts_at <= at else "à venir"


def _moment(moment) -> str:
    return timezone.localtime(moment).strftime("%d/%m/%Y %H:%M") if moment else ""


def _lines(rows):
    cells = [(format_html_join("", "<td>{}</td>", ((cell,) for cell in row)),) for row in rows]
    if not cells:
        return "Aucune."
    return format_html("<table>{}</table>", format_html_join("", "<tr>{}</tr>", cells))
