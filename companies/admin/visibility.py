"""The decisions themselves, and the corrections of contacts: found by SIRET, SIREN or address, also for what is not
imported. Decisions are made and undone here; a correction is made on the page of its establishment.
"""

from collections.abc import Callable
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.contrib import admin
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.text import Truncator

from companies.actions import visibility
from companies.actions.visibility import RefusedDecision
from companies.admin.decisions import HIDING_REASONS, DayField, state_of, what_of
from companies.enums import Channel, DecisionKind, DecisionOrigin, DecisionScope
from companies.models import ContactCorrection, VisibilityDecision, spaced_siret, without_separators
from labonnealternance.accounts.models import User
from labonnealternance.kit.admin import NOT_CHOSEN, ReasonForm, ShownAdmin, button, moment
from labonnealternance.kit.contacts import searched_phone, shown_phone


class NewDecisionForm(forms.ModelForm):
    """A decision about a SIRET, a SIREN or an address, known to the table or not."""

    kind = forms.ChoiceField(
        label="Décision",
        choices=[NOT_CHOSEN, *((kind.value, kind.label) for kind in DecisionKind if kind != DecisionKind.LISTED)],
    )
    scope = forms.ChoiceField(label="Portée", choices=DecisionScope)
    value = forms.CharField(label="SIRET, SIREN ou adresse", max_length=254)
    channel = forms.ChoiceField(
        label="Moyen de contact à masquer", choices=[("", "—"), *Channel.choices], required=False
    )
    ends_on = DayField(
        label="Dernier jour", required=False, help_text="Vide : pour de bon. Une pause a un dernier jour."
    )
    reason = forms.ChoiceField(label="Motif", choices=[NOT_CHOSEN, *HIDING_REASONS])
    comment = forms.CharField(label="Commentaire", max_length=2000, required=False, widget=forms.Textarea({"rows": 3}))

    by: User

    class Meta:
        model = VisibilityDecision
        fields = ["comment"]

    def _post_clean(self):
        """The action judges and writes, not the model form; what it refuses is told on the page."""
        if self.errors:
            return
        asked = dict(self.cleaned_data)
        kind, channel = asked.pop("kind"), asked.pop("channel")
        if kind == DecisionKind.CHANNEL_HIDDEN:
            asked["channel"] = channel
        act: Callable[..., VisibilityDecision] = {
            DecisionKind.DELISTED: visibility.delist,
            DecisionKind.PAUSED: visibility.pause,
            DecisionKind.CHANNEL_HIDDEN: visibility.hide_channel,
        }[DecisionKind(kind)]  # type: ignore[assignment]
        try:
            self.instance = act(**asked, by=self.by, at=timezone.now(), origin=DecisionOrigin.SUPPORT)
        except RefusedDecision as refusal:
            self.add_error(None, str(refusal))

    def save(self, commit=True):
        return self.instance

    def save_m2m(self):
        """Nothing left to write."""


def _link_to_batch(made: VisibilityDecision | ContactCorrection) -> str:
    if made.batch_id is None:
        return "—"
    page = reverse("admin:companies_batch_change", args=[made.batch_id])
    return format_html('<a href="{}">{}</a>', page, made.batch)


def _batch_named(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


@admin.register(VisibilityDecision)
class VisibilityDecisionAdmin(ShownAdmin):
    list_display = ["value", "what", "state", "reason", "decided_by", "decided"]
    list_select_related = ["decided_by"]
    list_filter = ["kind", "scope", "origin"]
    search_fields = ["value"]
    search_help_text = "SIRET, SIREN ou adresse e-mail, en entier ; ou le numéro d’un lot."
    ordering = ["-pk"]
    fields = [
        "what", "scope", "value", "establishments", "state", "starts_at", "ends_at", "reason", "comment", "origin",
        "decided_by", "decided_at", "made_with", "revoked_at", "revoked_by", "revocation_reason",
    ]  # fmt: skip
    readonly_fields = ["what", "establishments", "state", "made_with"]
    buttons = ["revoke"]

    def get_search_results(self, request, queryset, search_term):
        text = search_term.strip().lower()
        if not text:
            return queryset, False
        if batch := _batch_named(text):
            return queryset.filter(batch=batch), False
        return queryset.filter(value__in=[text, without_separators(text)]), False

    @admin.display(description="Décision", ordering="kind")
    def what(self, decision):
        return what_of(decision)

    @admin.display(description="Le", ordering="decided_at")
    def decided(self, decision):
        return moment(decision.decided_at)

    @admin.display(description="Établissements")
    def establishments(self, decision):
        found = reverse("admin:companies_establishment_changelist")
        return format_html('<a href="{}?{}">Voir ce qu’elle atteint</a>', found, urlencode({"q": decision.value}))

    @admin.display(description="Lot")
    def made_with(self, decision):
        return _link_to_batch(decision)

    @admin.display(description="État")
    def state(self, decision):
        return state_of(decision, timezone.now())

    @button(
        "Annuler la décision",
        form=ReasonForm,
        warning="Ce qu’elle cachait redevient visible, si rien d’autre ne le cache.",
        when=lambda decision: decision.revoked_at is None,
        refusals=(RefusedDecision,),
    )
    def revoke(self, request, decision, answers):
        visibility.revoke(decision_id=decision.pk, by=request.user, at=timezone.now(), **answers)
        return "La décision est annulée."

    # The page "Ajouter": the one form of the back-office that makes a row, by the action that makes it everywhere.

    def has_add_permission(self, request):
        return request.user.has_perm("companies.add_visibilitydecision")

    def get_form(self, request, obj=None, change=False, **options):
        if change or obj is not None:
            return super().get_form(request, obj, change, **options)
        return type("Form", (NewDecisionForm,), {"by": request.user})

    def get_fieldsets(self, request, obj=None):
        if obj is not None:
            return super().get_fieldsets(request, obj)
        names = ["kind", "scope", "value", "channel", "ends_on", "reason", "comment"]
        return [(None, {"fields": names})]

    def get_readonly_fields(self, request, obj=None):
        return super().get_readonly_fields(request, obj) if obj is not None else []

    def add_view(self, request, form_url="", extra_context=None):
        with transaction.atomic():
            return super().add_view(request, form_url, extra_context)

    def save_model(self, request, obj, form, change):
        """Written by the action already."""


@admin.register(ContactCorrection)
class ContactCorrectionAdmin(ShownAdmin):
    """What people said of contacts, latest first; the latest of a SIRET and of a channel is the one that holds."""

    list_display = ["shown_siret", "channel", "shown_value", "decided_by", "decided", "why"]
    list_select_related = ["decided_by"]
    list_filter = ["channel", "origin"]
    search_fields = ["siret"]
    search_help_text = "SIRET, SIREN, adresse e-mail ou téléphone, en entier ; ou le numéro d’un lot."
    ordering = ["-pk"]
    fields = [
        "shown_siret", "establishment", "channel", "shown_value", "reason", "origin", "decided_by", "decided_at",
        "made_with",
    ]  # fmt: skip
    readonly_fields = ["shown_siret", "establishment", "shown_value", "made_with"]

    def get_search_results(self, request, queryset, search_term):
        text = search_term.strip().lower()
        digits = without_separators(text)
        if not text:
            return queryset, False
        if digits.isdecimal() and len(digits) in (9, 14):
            # A SIRET begins with its SIREN: a range is read by the index on SIRETs.
            return queryset.filter(siret__gte=digits.ljust(14, "0"), siret__lte=digits.ljust(14, "9")), False
        if phone := searched_phone(text):
            return queryset.filter(channel=Channel.PHONE, value=phone), False
        if batch := _batch_named(text):
            return queryset.filter(batch=batch), False
        return queryset.filter(channel=Channel.EMAIL, value=text), False

    @admin.display(description="SIRET", ordering="siret")
    def shown_siret(self, correction):
        return spaced_siret(correction.siret)

    @admin.display(description="Valeur")
    def shown_value(self, correction):
        value = shown_phone(correction.value) if correction.channel == Channel.PHONE else correction.value
        return value or "effacé"

    @admin.display(description="Raison")
    def why(self, correction):
        return Truncator(correction.reason).chars(120)

    @admin.display(description="Le", ordering="decided_at")
    def decided(self, correction):
        return moment(correction.decided_at)

    @admin.display(description="Établissement")
    def establishment(self, correction):
        found = reverse("admin:companies_establishment_changelist")
        return format_html('<a href="{}?{}">Voir sa fiche</a>', found, urlencode({"q": correction.siret}))

    @admin.display(description="Lot")
    def made_with(self, correction):
        return _link_to_batch(correction)
