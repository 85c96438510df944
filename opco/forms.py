"""What an advisor narrows, decides and writes, and what a recruiter answers."""

import uuid
from typing import Any

from django import forms

from companies.models import Departement, Opco
from labonnealternance.kit.http import LineField, ParagraphsField
from offers.enums import AccessOrigin
from opco.actions.desks import Desk
from opco.actions.queue import WITHOUT_OPCO, Filters
from opco.enums import RefusalReason
from opco.models import LONGEST_TEXT

LONGEST_SEARCH = 200
_TOO_LONG = {"max_length": f"Ce texte dépasse {LONGEST_TEXT} caractères : raccourcissez-le."}


def _select(label: str, choices: list[tuple[Any, str]]) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=label,
        required=False,
        choices=choices,
        widget=forms.Select(attrs={"class": "fr-select"}),
        error_messages={"invalid_choice": "Choisissez dans la liste."},
    )


def _text(label: str, *, asked: str, rows: int = 5, **options) -> ParagraphsField:
    return ParagraphsField(
        label=label,
        max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"class": "fr-input", "rows": rows}),
        error_messages={"required": asked, **_TOO_LONG},
        **options,
    )


class QueueForm(forms.Form):
    """What the list is narrowed to, as its address says it. A value that it does not know narrows nothing."""

    q = LineField(
        label="Nom, SIRET ou adresse e-mail",
        required=False,
        max_length=LONGEST_SEARCH,
        widget=forms.TextInput(attrs={"class": "fr-input", "type": "search", "autocomplete": "off"}),
        error_messages={"max_length": f"Cherchez avec {LONGEST_SEARCH} caractères au plus."},
    )
    departement = _select("Département", [("", "Tous")])
    depuis = _select(
        "En attente depuis",
        [
            ("", "Toujours"),
            *((str(days), f"{days} jour{'s' if days > 1 else ''} ou plus") for days in (1, 3, 7, 15, 30)),
        ],
    )
    origine = _select("Origine", [("", "Toutes"), *AccessOrigin.choices])
    offres = _select("Offres en attente", [("", "Avec ou sans"), ("avec", "Avec"), ("sans", "Sans")])
    opco = _select("OPCO", [("", "Tous"), (WITHOUT_OPCO, "OPCO inconnu")])
    etablissement = _select("Établissement", [("", "Tous"), ("a-verifier", "À vérifier")])

    def __init__(self, data, *, desk: Desk):
        super().__init__(data)
        departements = Departement.objects.order_by("code").values_list("code", "name")
        self.fields["departement"].choices += [(code, f"{code} – {name}") for code, name in departements]  # type: ignore[attr-defined]
        if desk.is_support:
            self.fields["opco"].choices += list(Opco.objects.order_by("name").values_list("code", "name"))  # type: ignore[attr-defined]
        else:
            del self.fields["opco"], self.fields["etablissement"]

    @property
    def filters(self) -> Filters:
        self.is_valid()
        said = self.cleaned_data
        return Filters(
            text=said.get("q", ""),
            departement=said.get("departement", ""),
            days=int(said.get("depuis") or 0),
            origin=said.get("origine", ""),
            offers=said.get("offres", ""),
            opco=said.get("opco", ""),
            to_verify=bool(said.get("etablissement")),
        )

    @property
    def kept(self) -> dict[str, str]:
        """What narrows, by its names in the address."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}


class ReasonForm(forms.Form):
    """Why a recruiter is refused: the first word of an e-mail."""

    reason = forms.ChoiceField(
        label="Motif du refus",
        choices=[("", "Choisissez un motif"), *RefusalReason.choices],
        widget=forms.Select(attrs={"class": "fr-select"}),
        error_messages={"required": "Choisissez un motif.", "invalid_choice": "Choisissez un motif de la liste."},
    )


class RefuseForm(ReasonForm):
    text = _text(
        "Ce que l’e-mail dit du motif",
        asked="Dites à la personne pourquoi sa demande est refusée.",
        help_text="Modifiez-le librement : la personne le lira tel quel.",
    )


class AskForm(forms.Form):
    text = _text(
        "Votre question",
        asked="Écrivez ce que vous demandez à la personne.",
        help_text="La personne la lira telle quelle, et répondra par un lien : sa réponse s’ajoutera au dossier.",
    )


class PassOnForm(forms.Form):
    """Where a file goes; its own OPCO is no choice."""

    SUPPORT = "support"

    to = forms.ChoiceField(
        label="Transmettre à",
        widget=forms.Select(attrs={"class": "fr-select"}),
        error_messages={"required": "Choisissez à qui.", "invalid_choice": "Choisissez dans la liste."},
    )
    text = _text(
        "Pourquoi",
        asked="",
        rows=3,
        required=False,
        help_text="Facultatif. Lu par qui reçoit le dossier, jamais par la personne.",
    )

    def __init__(self, *arguments, present: Opco | None, **options):
        super().__init__(*arguments, **options)
        self.opcos = {opco.pk: opco for opco in Opco.objects.order_by("name") if opco != present}
        choices = [("", "Choisissez"), *((opco.pk, opco.name) for opco in self.opcos.values())]
        if present:
            choices.append((self.SUPPORT, "Je ne sais pas : à l’équipe de La bonne alternance"))
        self.fields["to"].choices = choices  # type: ignore[attr-defined]

    @property
    def to_opco(self) -> Opco | None:
        return self.opcos.get(self.cleaned_data["to"])


class _OnceForm(forms.Form):
    """A form whose key is drawn when it is shown: sent twice, it is one."""

    key = forms.UUIDField(
        widget=forms.HiddenInput,
        initial=uuid.uuid4,
        error_messages={"required": "Rechargez la page.", "invalid": "Rechargez la page."},
    )


class NoteForm(_OnceForm):
    text = _text("Note pour vos collègues", asked="Écrivez votre note.", rows=3)


class AnswerForm(_OnceForm):
    text = _text(
        "Votre réponse",
        asked="Écrivez votre réponse.",
        rows=8,
        help_text=f"{LONGEST_TEXT} caractères au plus. Elle est lue par le conseiller qui examine votre demande.",
    )
