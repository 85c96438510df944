"""Offers as support sees them: what each says, what happened to it; moderation, and acts for who telephones."""

import uuid

from django import forms
from django.contrib import admin
from django.db.models import Sum
from django.urls import reverse
from django.utils import timezone

from companies.models import spaced_siret
from labonnealternance.kit.admin import NOT_CHOSEN, ShownAdmin, author, button, moment, table
from labonnealternance.kit.http import ParagraphsField
from labonnealternance.mail import actions as mail
from offers import emails
from offers.actions import offers
from offers.admin.finding import SEARCH_HELP, SHOWN_LINES, link, link_to_establishment, narrowed
from offers.enums import (
    RECRUITER_CANCEL_REASONS,
    CancelReason,
    ContractType,
    Door,
    FilledThrough,
    OfferStatus,
    Outcome,
)
from offers.models import Offer

LIVE = {OfferStatus.AWAITING, OfferStatus.ACTIVE}


class ModerationForm(forms.Form):
    comment = ParagraphsField(
        label="Raison",
        max_length=offers.LONGEST_COMMENT,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Elle est écrite telle quelle au recruteur.",
    )


class ClosingForm(forms.Form):
    """What the recruiter says on the telephone."""

    outcome = forms.ChoiceField(label="Issue", choices=[NOT_CHOSEN, *Outcome.choices])
    filled_through = forms.ChoiceField(
        label="Si elle est pourvue par un autre moyen", choices=[("", "—"), *FilledThrough.choices], required=False
    )
    cancel_reason = forms.ChoiceField(
        label="Si elle est annulée",
        choices=[("", "—"), *((each.value, each.label) for each in RECRUITER_CANCEL_REASONS)],
        required=False,
    )
    comment = ParagraphsField(
        label="Précision", max_length=offers.LONGEST_COMMENT, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )


def _moderation(offer: Offer, answers: dict) -> str:
    return mail.as_read(emails.offer_moderated(offer=offer, comment=answers["comment"]))


@admin.register(Offer)
class OfferAdmin(ShownAdmin):
    list_display = ["shown_title", "company", "siret", "status", "created_at", "published_at", "expires_on"]
    list_select_related = ["establishment"]
    list_filter = ["status"]
    search_fields = ["access"]
    search_help_text = f"Identifiant de l’offre, {SEARCH_HELP}"
    ordering = ["-created_at", "-id"]
    fieldsets = [
        (None, {"fields": ["shown_title", "status", "place", "person", "counts"]}),
        (
            "Ce qu’elle dit",
            {
                "fields": [
                    "rome", "job_label", "custom_title", "contracts", "level", "duration_months", "positions",
                    "starts_on", "presentation", "asked", "shows_phone", "description", "known_skills",
                    "known_knowledge",
                ]
            },
        ),
        (
            "Sa vie",
            {
                "fields": [
                    "created_at", "confirmed_at", "published_at", "edited_at", "expires_on", "closed_at", "outcome",
                    "filled_through", "cancel_reason", "outcome_comment", "journal", "reminders", "identifier",
                ]
            },
        ),
    ]  # fmt: skip
    readonly_fields = [
        "shown_title", "place", "person", "counts", "contracts", "asked", "known_skills", "known_knowledge", "journal",
        "reminders", "identifier",
    ]  # fmt: skip
    buttons = ["moderate", "prolong", "close"]

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("access__user", "establishment", "rome")

    def get_search_results(self, request, queryset, search_term):
        try:
            return queryset.filter(pk=uuid.UUID(search_term.strip())), False
        except ValueError:
            return narrowed(queryset, search_term, access="access__"), False

    def view_on_site(self, offer):
        """The public page, where there is one."""
        is_public = Offer.objects.public(timezone.now()).filter(pk=offer.pk).exists()
        return reverse("offers:offer", args=[offer.pk]) if is_public else None

    @admin.display(description="Titre")
    def shown_title(self, offer):
        return offer.title

    @admin.display(description="Établissement")
    def company(self, offer):
        return offer.establishment.display_name

    @admin.display(description="SIRET")
    def siret(self, offer):
        return spaced_siret(offer.establishment.siret)

    @admin.display(description="Établissement")
    def place(self, offer):
        return link_to_establishment(offer.establishment)

    @admin.display(description="Déposée par")
    def person(self, offer):
        return link(offer.access, f"{offer.access.user}, accès {offer.access.get_status_display().lower()}")

    @admin.display(description="Lectures")
    def counts(self, offer):
        seen = offer.days.aggregate(shown=Sum("shown"), opened=Sum("opened"), applied=Sum("applied"))
        return table(
            [(seen["shown"] or 0, seen["opened"] or 0, seen["applied"] or 0)],
            ["Vue dans les résultats", "Ouverte", "Candidatures"],
        )

    @admin.display(description="Contrats")
    def contracts(self, offer):
        return ", ".join(ContractType(each).label for each in offer.contract_types)

    @admin.display(description="Questions aux candidats")
    def asked(self, offer):
        return table(((each,) for each in offer.questions), ["Question"], none="Aucune.")

    @admin.display(description="Compétences")
    def known_skills(self, offer):
        return ", ".join(offer.skills) or "—"

    @admin.display(description="Savoirs")
    def known_knowledge(self, offer):
        return ", ".join(offer.knowledge) or "—"

    @admin.display(description="Identifiant")
    def identifier(self, offer):
        return offer.pk

    @admin.display(description="Journal")
    def journal(self, offer):
        known = offer.journal.select_related("by").order_by("-at", "-pk")[:SHOWN_LINES]
        return table(
            (
                (
                    moment(each.at), each.get_kind_display(), each.get_to_status_display(), author(each.by),
                    each.get_via_display(), each.reason,
                )
                for each in known
            ),
            ["Le", "Événement", "État", "Par", "D’où", "Raison"],
        )  # fmt: skip

    @admin.display(description="Rappels")
    def reminders(self, offer):
        known = offer.reminders.order_by("-written_at", "-pk")[:SHOWN_LINES]
        return table(
            (
                (each.get_kind_display(), f"{each.expires_on:%d/%m/%Y}", moment(each.written_at))
                for each in known
            ),
            ["Rappel", "Dernier jour annoncé", "Écrit le"],
        )  # fmt: skip

    @button(
        "Retirer l’offre",
        form=ModerationForm,
        warning="Dès que vous confirmez, l’offre n’est plus visible nulle part, et pour de bon.",
        when=lambda offer: offer.status in LIVE,
        refusals=(offers.RefusedOffer,),
        preview=_moderation,
    )
    def moderate(self, request, offer, answers):
        offers.close(
            offer_id=offer.pk,
            outcome=Outcome.CANCELLED,
            cancel_reason=CancelReason.MODERATED,
            by=request.user,
            at=timezone.now(),
            via=Door.SUPPORT,
            **answers,
        )
        return "L’offre est retirée."

    @button(
        "Prolonger",
        warning="L’offre reste publiée 30 jours à partir d’aujourd’hui.",
        when=lambda offer: offer.status == OfferStatus.ACTIVE,
        refusals=(offers.RefusedOffer,),
    )
    def prolong(self, request, offer, answers):
        offers.prolong(offer_id=offer.pk, by=request.user, at=timezone.now(), via=Door.SUPPORT)
        return "L’offre est prolongée."

    @button(
        "Clôturer",
        form=ClosingForm,
        warning="Pour un recruteur qui le demande : l’offre n’est plus visible, et son issue est gardée.",
        when=lambda offer: offer.status in LIVE or (offer.status == OfferStatus.EXPIRED and not offer.outcome),
        refusals=(offers.RefusedOffer,),
    )
    def close(self, request, offer, answers):
        offers.close(offer_id=offer.pk, by=request.user, at=timezone.now(), via=Door.SUPPORT, **answers)
        return "L’offre est close."
