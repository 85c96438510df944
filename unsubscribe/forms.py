"""What an establishment types. The action judges what it asks; the form reads it."""

import uuid
from pathlib import PurePath
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile

from companies.actions import references
from companies.enums import DecisionScope
from companies.models import InvalidContact, InvalidNumber, clean_email, clean_siret
from labonnealternance.kit.http import AddressField, LineField, ParagraphsField
from labonnealternance.kit.text import clean_line, search_key
from unsubscribe.actions.effects import RefusedRequest
from unsubscribe.actions.requests import Wish
from unsubscribe.enums import CHANNELS, REASONS, Outcome, ReportKind
from unsubscribe.models import LONGEST_COMMENT, MOST_JOBS

LARGEST_DOCUMENT = 5 * 1024 * 1024
LONGEST_JOB = 250
# A kind of file is what its first bytes say; its name must not say another.
_SIGNATURES = {b"%PDF-": "pdf", b"\x89PNG\r\n\x1a\n": "png", b"\xff\xd8\xff": "jpg"}
_ENDS = {"pdf": {"pdf"}, "png": {"png"}, "jpg": {"jpg", "jpeg"}}
_CLOSES = {"pdf": b"%%EOF", "png": b"IEND", "jpg": b"\xff\xd9"}
_JOBS = [f"job_{number}" for number in range(1, MOST_JOBS + 1)]
_NOT_CHOSEN = ("", "Choisissez dans la liste")


def _select() -> forms.Select:
    return forms.Select(attrs={"class": "fr-select"})


def _input(**attrs: object) -> forms.TextInput:
    return forms.TextInput(attrs={"class": "fr-input", **attrs})


class DocumentField(forms.FileField):
    """A PDF, a PNG or a JPEG whose content is what its name says."""

    default_error_messages = {
        "required": "Joignez un justificatif.",
        "empty": "Ce fichier est vide.",
        "size": "Ce fichier dépasse 5 Mo.",
        "kind": "Ce fichier n’est ni un PDF, ni une image PNG ou JPEG.",
    }

    def clean(self, data, initial=None):
        document: UploadedFile = super().clean(data, initial)
        if (document.size or 0) > LARGEST_DOCUMENT:
            raise ValidationError(self.error_messages["size"], code="size")
        head = document.read(16)
        kind = next((kind for signature, kind in _SIGNATURES.items() if head.startswith(signature)), "")
        document.seek(max(0, (document.size or 0) - 2048))
        tail = document.read()
        document.seek(0)
        end = PurePath(document.name or "").suffix.lower().lstrip(".")
        if not kind or end not in _ENDS[kind] or _CLOSES[kind] not in tail:
            raise ValidationError(self.error_messages["kind"], code="kind")
        document.name = f"justificatif.{kind}"
        return document


class AskForm(forms.Form):
    """One outcome, for whom: what ``outcome`` does not need is not asked."""

    who = LineField(
        label="SIRET ou adresse e-mail de l’établissement",
        help_text="Le SIRET a 14 chiffres. Avec une adresse e-mail, vous choisirez ensuite parmi ses établissements.",
        max_length=254,
        widget=_input(autocomplete="off", spellcheck="false"),
        error_messages={"required": "Indiquez un SIRET ou une adresse e-mail."},
    )
    reason = forms.ChoiceField(
        label="Pourquoi ?",
        choices=[_NOT_CHOSEN, *((reason.value, reason.label) for reason in REASONS)],
        widget=_select(),
        error_messages={"required": "Choisissez un motif.", "invalid_choice": "Choisissez un motif de la liste."},
    )
    ends_on = forms.DateField(
        label="Dernier jour de la pause",
        help_text="Un an au plus. Vous réapparaîtrez le lendemain. Format attendu : 31/12/2026",
        widget=forms.DateInput(attrs={"class": "fr-input", "type": "date"}, format="%Y-%m-%d"),
        error_messages={
            "required": "Indiquez le dernier jour de la pause.",
            "invalid": "Cette date n’existe pas : elle s’écrit comme 31/12/2026.",
        },
    )
    channel = forms.ChoiceField(
        label="Que faut-il masquer ?",
        choices=[_NOT_CHOSEN, *((channel.value, channel.label) for channel in CHANNELS)],
        widget=_select(),
        error_messages={
            "required": "Choisissez ce qu’il faut masquer.",
            "invalid_choice": "Choisissez ce qu’il faut masquer dans la liste.",
        },
    )
    email = AddressField(
        label="Nouvelle adresse e-mail",
        help_text="Elle recevra les candidatures et ne sera pas montrée. Vide : elle ne change pas.",
        required=False,
        widget=forms.EmailInput(attrs={"class": "fr-input", "autocomplete": "email", "spellcheck": "false"}),
    )
    phone = LineField(
        label="Nouveau téléphone",
        help_text="Il sera montré aux candidats. Vide : il ne change pas. Par exemple 01 99 00 12 34",
        max_length=40,
        required=False,
        widget=_input(type="tel", autocomplete="tel"),
    )
    job_1 = LineField(
        label="Métier",
        help_text="Le nom courant du métier, par exemple boulanger",
        max_length=LONGEST_JOB,
        widget=_input(autocomplete="off"),
        error_messages={"required": "Indiquez un métier."},
    )
    job_2 = LineField(
        label="Deuxième métier (facultatif)", max_length=LONGEST_JOB, required=False, widget=_input(autocomplete="off")
    )
    job_3 = LineField(
        label="Troisième métier (facultatif)", max_length=LONGEST_JOB, required=False, widget=_input(autocomplete="off")
    )

    FIELDS = {
        Outcome.LEAVE: ("reason",),
        Outcome.PAUSE: ("ends_on", "reason"),
        Outcome.HIDE: ("channel", "reason"),
        Outcome.CORRECT: ("email", "phone"),
        Outcome.BE_LISTED: tuple(_JOBS),
    }
    WHO: tuple[str, ...] = ("who",)
    MORE: tuple[str, ...] = ()

    def __init__(self, *args, outcome: Outcome, **options):
        super().__init__(*args, **options)
        self.outcome = outcome
        asked = [*self.WHO, *self.FIELDS[outcome], *self.MORE]
        self.fields = {name: self.fields[name] for name in asked}
        # The titles that were understood, by field.
        self.rome_codes: dict[str, str] = {}

    @property
    def shown(self) -> list[dict[str, Any]]:
        """The fields in their order, each with how it is drawn."""
        return [
            {
                "field": self[name],
                "is_select": isinstance(self.fields[name].widget, forms.Select),
                "is_job": name in _JOBS,
                "is_box": isinstance(self.fields[name].widget, forms.CheckboxInput),
                "is_file": isinstance(self.fields[name], forms.FileField),
            }
            for name in self.fields
        ]

    def clean_who(self) -> tuple[str, str]:
        """The scope and its value."""
        typed = self.cleaned_data["who"]
        try:
            if "@" in typed:
                return DecisionScope.EMAIL, clean_email(typed)
            return DecisionScope.SIRET, clean_siret(typed)
        except (InvalidContact, InvalidNumber) as refusal:
            raise ValidationError(str(refusal), code="who") from None

    def _job(self, name: str) -> str:
        typed = clean_line(self.cleaned_data[name])
        if not typed:
            return ""
        found = references.find_job(text=typed)
        if found is None:
            raise ValidationError(
                "Nous ne connaissons pas ce métier : essayez un nom plus courant, ou plus large.", code="job"
            )
        if not found.is_exact and search_key(found.label) != search_key(typed):
            near = " ; ".join([found.label, *(job.label for job in found.alternatives[:3])])
            raise ValidationError(f"Précisez le métier, par exemple : {near}.", code="job")
        self.rome_codes[name] = found.rome_codes[0]
        return found.label

    def clean_job_1(self) -> str:
        return self._job("job_1")

    def clean_job_2(self) -> str:
        return self._job("job_2")

    def clean_job_3(self) -> str:
        return self._job("job_3")

    def wish(self) -> Wish:
        """What was typed; the form is valid."""
        told = {
            name: self.cleaned_data[name]
            for name in ("reason", "ends_on", "channel", "email", "phone", "comment")
            if name in self.cleaned_data
        }
        return Wish(self.outcome, rome_codes=tuple(self.rome_codes.values()), **told)

    def add_refusal(self, refusal: RefusedRequest) -> None:
        """Puts each sentence beside the field that it is about."""
        for name, sentence in refusal.faults.items():
            self.add_error(name if name in self.fields else None, sentence)


class MailForm(AskForm):
    """The same, of who followed the link of a mail: the establishment is the one that it was about."""

    WHO = ()


class SupportForm(AskForm):
    """The same, for support: an establishment without a known address, or whose address is wrong."""

    siret = LineField(
        label="SIRET de l’établissement",
        help_text="14 chiffres",
        max_length=40,
        widget=_input(autocomplete="off", inputmode="numeric"),
        error_messages={"required": "Indiquez le SIRET de l’établissement."},
    )
    covers_company = forms.BooleanField(label="Pour tous les établissements de l’entreprise", required=False)
    address = AddressField(
        label="Votre adresse e-mail",
        help_text="Nous y envoyons un lien à suivre, puis la réponse. Par exemple nom@exemple.fr",
        widget=forms.EmailInput(attrs={"class": "fr-input", "autocomplete": "email", "spellcheck": "false"}),
    )
    document = DocumentField(
        label="Justificatif",
        help_text="Il montre que vous représentez l’établissement : extrait Kbis, avis de situation, papier à en-tête "
        "signé… PDF, PNG ou JPEG, 5 Mo au plus. Il est effacé 30 jours après la réponse.",
        widget=forms.FileInput(attrs={"class": "fr-upload", "accept": ".pdf,.png,.jpg,.jpeg"}),
    )
    comment = ParagraphsField(
        label="Précisions (facultatif)",
        help_text="Votre fonction dans l’entreprise, et ce que notre équipe doit savoir.",
        max_length=LONGEST_COMMENT,
        required=False,
        widget=forms.Textarea(attrs={"class": "fr-input", "rows": 4}),
    )

    WHO = ("siret",)
    MORE = ("address", "document", "comment")

    def __init__(self, *args, outcome: Outcome, **options):
        super().__init__(*args, outcome=outcome, **options)
        if outcome not in {Outcome.CORRECT, Outcome.BE_LISTED}:
            box = {"covers_company": self.base_fields["covers_company"]}
            self.fields = {"siret": self.fields.pop("siret")} | box | self.fields

    def clean_siret(self) -> str:
        try:
            return clean_siret(self.cleaned_data["siret"])
        except InvalidNumber as refusal:
            raise ValidationError(str(refusal), code="siret") from None


class ReportForm(forms.Form):
    """What a visitor saw that is wrong."""

    kind = forms.ChoiceField(
        label="Qu’est-ce qui ne va pas ?",
        choices=[_NOT_CHOSEN, *ReportKind.choices],
        widget=_select(),
        error_messages={
            "required": "Choisissez ce qui ne va pas.",
            "invalid_choice": "Choisissez ce qui ne va pas dans la liste.",
        },
    )
    details = ParagraphsField(
        label="Précisions (facultatif)",
        help_text="Ce que vous avez constaté, et ce qui serait juste si vous le savez.",
        max_length=LONGEST_COMMENT,
        required=False,
        widget=forms.Textarea(attrs={"class": "fr-input", "rows": 4}),
    )
    email = AddressField(
        label="Votre adresse e-mail (facultatif)",
        help_text="Seulement si vous voulez bien que notre équipe vous réponde. Par exemple nom@exemple.fr",
        required=False,
        widget=forms.EmailInput(attrs={"class": "fr-input", "autocomplete": "email", "spellcheck": "false"}),
    )
    key = forms.CharField(widget=forms.HiddenInput(), required=False)

    def clean_key(self) -> uuid.UUID:
        """The form's own, or a new one: who changed it is told nothing, and reports all the same."""
        try:
            return uuid.UUID(self.cleaned_data["key"])
        except ValueError:
            return uuid.uuid4()

    def add_refusal(self, refusal: RefusedRequest) -> None:
        """Puts each sentence beside the field that it is about."""
        for name, sentence in refusal.faults.items():
            self.add_error(name if name in self.fields else None, sentence)
