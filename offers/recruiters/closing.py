"""The question asked when an offer ends: what became of it. The space asks it, and so do the links of e-mails."""

from typing import Any

from django import forms

from labonnealternance.kit.http import ParagraphsField
from offers.enums import RECRUITER_CANCEL_REASONS, FilledThrough, OfferStatus, Outcome
from offers.models import Offer

LONGEST_COMMENT = Offer._meta.get_field("outcome_comment").max_length or 0
_FILLED = [Outcome.FILLED_HERE, Outcome.FILLED_ELSEWHERE]


class CloseForm(forms.Form):
    """What became of an offer: filled here, filled elsewhere and how, or cancelled and why."""

    outcome = forms.ChoiceField(
        label="Qu’est devenue cette offre ?",
        error_messages={
            "required": "Choisissez ce qu’est devenue l’offre.",
            "invalid_choice": "Choisissez une réponse de la liste.",
        },
    )
    filled_through = forms.ChoiceField(
        label="Par quel moyen l’avez-vous pourvue ?",
        required=False,
        choices=[("", "Choisissez un moyen"), *FilledThrough.choices],
        widget=forms.Select(attrs={"class": "fr-select"}),
        error_messages={"invalid_choice": "Choisissez un moyen de la liste."},
    )
    cancel_reason = forms.ChoiceField(
        label="Pourquoi l’annulez-vous ?",
        required=False,
        choices=[("", "Choisissez une raison"), *((reason.value, reason.label) for reason in RECRUITER_CANCEL_REASONS)],
        widget=forms.Select(attrs={"class": "fr-select"}),
        error_messages={"invalid_choice": "Choisissez une raison de la liste."},
    )
    comment = ParagraphsField(
        label="Précision",
        help_text=f"Facultatif, {LONGEST_COMMENT} caractères au plus. Elle aide à améliorer le service.",
        required=False,
        max_length=LONGEST_COMMENT,
        widget=forms.Textarea(attrs={"class": "fr-input", "rows": 3}),
        error_messages={"max_length": f"Cette précision dépasse {LONGEST_COMMENT} caractères : raccourcissez-la."},
    )

    def __init__(self, *args, offer: Offer, filled_only: bool = False, **options):
        super().__init__(*args, **options)
        # What was never published was seen by nobody: it can only be withdrawn.
        is_withdrawn = offer.status == OfferStatus.AWAITING
        answers = [Outcome.CANCELLED] if is_withdrawn else _FILLED if filled_only else list(Outcome)
        self.fields["outcome"].choices = [(each.value, each.label) for each in answers]  # type: ignore[attr-defined]
        if len(answers) == 1:
            self.initial.setdefault("outcome", answers[0].value)

    def clean(self) -> dict[str, Any]:
        answers = super().clean() or {}
        outcome = answers.get("outcome")
        if outcome != Outcome.FILLED_ELSEWHERE:
            answers["filled_through"] = ""
            self.errors.pop("filled_through", None)
        elif not answers.get("filled_through") and "filled_through" not in self.errors:
            self.add_error("filled_through", "Choisissez par quel moyen l’offre est pourvue.")
        if outcome != Outcome.CANCELLED:
            answers["cancel_reason"] = ""
            self.errors.pop("cancel_reason", None)
        elif not answers.get("cancel_reason") and "cancel_reason" not in self.errors:
            self.add_error("cancel_reason", "Choisissez pourquoi l’offre est annulée.")
        return answers
