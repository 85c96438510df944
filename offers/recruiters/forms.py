"""What a recruiter types: who they are, and the offer."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.functional import cached_property
from django.utils.timezone import localdate

from companies.actions import job_sheets, references
from companies.actions.job_sheets import JobSheet
from companies.actions.references import JobSuggestion
from companies.models import InvalidContact, Opco, clean_phone
from labonnealternance.kit.http import AddressField, LineField, ParagraphsField
from labonnealternance.kit.text import clean_line, search_key
from offers.actions.offers import OfferFields, RefusedOffer, last_start
from offers.enums import ContractType, Level
from offers.models import (
    LONGEST_DURATION,
    LONGEST_PRESENTATION,
    LONGEST_QUESTION,
    LONGEST_TITLE,
    MOST_POSITIONS,
    MOST_QUESTIONS,
    SHORTEST_DURATION,
    SHORTEST_PRESENTATION,
    SHORTEST_TITLE,
    Offer,
)

LONGEST_NAME = 100
LONGEST_PHONE = 40
LONGEST_JOB = 250
_LARGEST_OGR = 2**31 - 1
# What the form holds before anything is said; a class attribute of each field would also fill what was emptied.
DEFAULTS = {"contract_types": [ContractType.APPRENTICESHIP.value], "duration_months": "12", "positions": "1"}
_QUESTIONS = [f"question_{number}" for number in range(1, MOST_QUESTIONS + 1)]


def _text_input(**attrs: object) -> forms.TextInput:
    return forms.TextInput(attrs={"class": "fr-input", **attrs})


class ContactForm(forms.Form):
    """A person whom candidates, the OPCO and support may call."""

    first_name = LineField(
        label="Prénom",
        max_length=LONGEST_NAME,
        widget=_text_input(autocomplete="given-name"),
        error_messages={"required": "Indiquez votre prénom."},
    )
    last_name = LineField(
        label="Nom",
        max_length=LONGEST_NAME,
        widget=_text_input(autocomplete="family-name"),
        error_messages={"required": "Indiquez votre nom."},
    )
    phone = LineField(
        label="Téléphone",
        help_text="Par exemple 01 99 00 12 34",
        max_length=LONGEST_PHONE,
        widget=_text_input(type="tel", autocomplete="tel"),
        error_messages={"required": "Indiquez votre numéro de téléphone."},
    )

    def clean_phone(self) -> str:
        try:
            return clean_phone(self.cleaned_data["phone"])
        except InvalidContact as refusal:
            raise ValidationError(str(refusal), code="phone") from None


class RegistrationForm(ContactForm):
    """Who registers, unless they are signed in; the OPCO is asked only where no register could tell it."""

    email = AddressField(
        label="Adresse e-mail",
        help_text="Professionnelle de préférence : votre offre paraîtra plus vite. Par exemple nom@exemple.fr",
        widget=forms.EmailInput(attrs={"class": "fr-input", "autocomplete": "email", "spellcheck": "false"}),
    )
    opco = forms.ChoiceField(
        label="OPCO",
        help_text="L’organisme qui finance la formation de vos alternants.",
        required=False,
        widget=forms.Select(attrs={"class": "fr-select"}),
        error_messages={"invalid_choice": "Choisissez un OPCO de la liste."},
    )

    def __init__(self, *args, asks_who: bool, asks_opco: bool, **options):
        super().__init__(*args, **options)
        if asks_opco:
            opcos = Opco.objects.order_by("name").values_list("code", "name")
            self.fields["opco"].choices = [("", "Je ne sais pas"), *opcos]  # type: ignore[attr-defined]
        else:
            del self.fields["opco"]
        if not asks_who:
            for name in ("first_name", "last_name", "phone", "email"):
                del self.fields[name]


def focus_first_fault(form: forms.Form) -> None:
    """The page opens on the first field that is wrong."""
    for name, shown in form.fields.items():
        if name in form.errors:
            shown.widget.attrs["autofocus"] = True
            return


# ── The job ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Job:
    """The title ``text`` as far as it was understood: its sheet, or a sentence, with the titles that it may mean."""

    text: str
    sheet: JobSheet | None = None
    choices: list[JobSuggestion] = field(default_factory=list)
    error: str = ""


def read_job(typed: Any, *, edited: Offer | None) -> Job:
    """The job that ``typed`` (a POST, or initial values) tells.

    ``ogr`` is the choice made among the suggestions, believed as long as the text is its label; ``job_choice`` the one
    made among the titles that the page listed for the text ``choices_for``. What the offer that is ``edited`` is called
    already stands. Else the text itself is looked for.
    """
    text = clean_line(str(typed.get("job") or ""))
    if not text:
        return Job(text, error="Indiquez le métier recherché.")
    if len(text) > LONGEST_JOB:
        return Job(text, error="Ce métier est trop long : écrivez-le en quelques mots, par exemple « boulanger ».")
    chosen = _sheet(typed.get("job_choice")) if typed.get("choices_for") == text else None
    if chosen:
        return Job(text, sheet=chosen)
    suggested = _sheet(typed.get("ogr"))
    if suggested and search_key(suggested.label) == search_key(text):
        return Job(text, sheet=suggested)
    if edited and search_key(edited.job_label) == search_key(text):
        sheet = _sheet(edited.appellation_id) or job_sheets.sheet_of(rome_code=edited.rome_id)
        return Job(text, sheet=replace(sheet, label=edited.job_label))
    found = references.find_job(text=text)
    if found is None:
        return Job(text, error="Nous ne connaissons pas ce métier : essayez un nom plus courant, ou plus large.")
    if found.is_exact:
        return Job(text, sheet=_sheet(found.ogr))
    return Job(text, choices=[found, *found.alternatives], error="Précisez le métier : choisissez-le dans la liste.")


def _sheet(ogr: object) -> JobSheet | None:
    text = str(ogr or "")
    if not (text.isascii() and text.isdigit() and len(text) < 11 and int(text) <= _LARGEST_OGR):
        return None
    try:
        return job_sheets.sheet_of(appellation_ogr=int(text))
    except job_sheets.UnknownJob:
        return None


# ── The offer ────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Box:
    """A line of the sheet of a job, to keep or to untick."""

    label: str
    is_ticked: bool


def _number(label: str, smallest: int, largest: int, wrong: str) -> forms.IntegerField:
    return forms.IntegerField(
        label=label,
        help_text=f"De {smallest} à {largest}",
        min_value=smallest,
        max_value=largest,
        widget=forms.NumberInput(attrs={"class": "fr-input", "inputmode": "numeric"}),
        error_messages=dict.fromkeys(["required", "invalid", "min_value", "max_value"], wrong),
    )


def _question(number: int) -> LineField:
    return LineField(label=f"Question {number}", max_length=LONGEST_QUESTION, required=False, widget=_text_input())


class OfferForm(forms.Form):
    """An offer: a job title and a date are asked, everything else has a value already.

    What the sheet of the job lists is kept, but for what was unticked while it was shown (``boxes_of`` says of which
    title the boxes were).
    """

    job = forms.CharField(
        label="Métier recherché",
        help_text="Par exemple : boulanger, développeur web",
        required=False,
        widget=_text_input(maxlength=LONGEST_JOB, autocomplete="off", autocapitalize="none"),
    )
    starts_on = forms.DateField(
        label="Début du contrat",
        help_text="Une date approximative suffit",
        input_formats=["%Y-%m-%d", "%d/%m/%Y", "%d/%m/%y"],
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"class": "fr-input", "type": "date"}),
        error_messages={
            "required": "Indiquez quand le contrat commence, même à peu près.",
            "invalid": "Cette date n’existe pas : écrivez-la comme 31/01/2027.",
        },
    )
    custom_title = LineField(
        label="Titre de l’offre",
        help_text="S’il doit différer du métier",
        min_length=SHORTEST_TITLE,
        max_length=LONGEST_TITLE,
        required=False,
        widget=_text_input(),
    )
    contract_types = forms.MultipleChoiceField(
        label="Contrat",
        choices=ContractType.choices,
        error_messages={
            "required": "Cochez au moins un type de contrat.",
            "invalid_choice": "Choisissez un contrat de la liste.",
        },
    )
    level = forms.ChoiceField(
        label="Diplôme visé",
        choices=[("", "Indifférent"), *Level.choices],
        required=False,
        widget=forms.Select(attrs={"class": "fr-select"}),
        error_messages={"invalid_choice": "Choisissez un diplôme de la liste."},
    )
    duration_months = _number(
        "Durée du contrat, en mois",
        SHORTEST_DURATION,
        LONGEST_DURATION,
        f"Indiquez une durée de {SHORTEST_DURATION} à {LONGEST_DURATION} mois.",
    )
    positions = _number("Nombre de postes", 1, MOST_POSITIONS, f"Indiquez de 1 à {MOST_POSITIONS} postes.")
    presentation = ParagraphsField(
        label="Présentation de l’entreprise ou du poste",
        help_text=f"De {SHORTEST_PRESENTATION} à {LONGEST_PRESENTATION} caractères",
        min_length=SHORTEST_PRESENTATION,
        max_length=LONGEST_PRESENTATION,
        required=False,
        widget=forms.Textarea(attrs={"class": "fr-input", "rows": 4}),
    )
    question_1 = _question(1)
    question_2 = _question(2)
    question_3 = _question(3)
    shows_phone = forms.BooleanField(label="Montrer mon téléphone aux candidats", required=False)

    def __init__(self, *args, at: datetime, kept: OfferFields | None = None, edited: Offer | None = None, **options):
        """``kept``: what the offer that is copied or ``edited`` says already."""
        super().__init__(*args, **options)
        self.kept, self.edited = kept, edited
        self.fields["starts_on"].widget.attrs |= {
            "min": localdate(at).isoformat(),
            "max": last_start(at).isoformat(),
        }

    @classmethod
    def as_typed(cls, typed: QueryDict, **options: Any) -> "OfferForm":
        """The form as it was typed so far: nothing is judged, but the job."""
        lists = {"contract_types", "skills", "knowledge"}
        return cls(initial={name: typed.getlist(name) if name in lists else typed[name] for name in typed}, **options)

    @classmethod
    def typed_in(cls, post: QueryDict) -> list[tuple[str, str]]:
        """What a page must carry so that nothing typed is lost: names and values."""
        beside = ["deposit_key", "siret", "ogr", "job_choice", "choices_for", "boxes_of", "skills", "knowledge"]
        names = [*cls.base_fields, *beside]
        return [(name, value) for name in names for value in post.getlist(name)]

    @property
    def told(self) -> Any:
        """What was typed, or what the form begins with."""
        return self.data if self.is_bound else self.initial

    @cached_property
    def key(self) -> UUID:
        """Drawn when the form is first shown: two sendings of it are one offer. One that was garbled is a new one."""
        try:
            return UUID(str(self.told.get("deposit_key")))
        except ValueError:
            return uuid4()

    @cached_property
    def job_read(self) -> Job:
        return read_job(self.told, edited=self.edited)

    @property
    def sheet(self) -> JobSheet | None:
        return self.job_read.sheet

    @property
    def ogr(self) -> int | None:
        """The title that was understood."""
        return self.sheet.appellation.ogr if self.sheet and self.sheet.appellation else None

    @property
    def boxes_of(self) -> str:
        """What the boxes are those of: a title, or a job where its title left the nomenclature."""
        return str(self.ogr or self.sheet.rome.pk) if self.sheet else ""

    @property
    def job_text(self) -> str:
        """The title that was understood, else what was typed."""
        return self.sheet.label if self.sheet else self.job_read.text

    @property
    def skills(self) -> list[Box]:
        return self._boxes("skills")

    @property
    def knowledge(self) -> list[Box]:
        return self._boxes("knowledge")

    def _boxes(self, name: str) -> list[Box]:
        if self.sheet is None:
            return []
        listed: Sequence[str] = getattr(self.sheet, name)
        same_job = self.kept is not None and self.kept.appellation_ogr == self.ogr
        kept = getattr(self.kept, name) or [] if same_job else []
        if str(self.told.get("boxes_of")) == self.boxes_of:
            ticked = self.told.getlist(name) if self.is_bound else self.told.get(name, [])
        else:
            ticked = kept if same_job else listed
        return [Box(label, label in ticked) for label in dict.fromkeys([*listed, *kept])]

    @property
    def says_more(self) -> bool:
        """Whether what is folded holds something, or something wrong."""
        asked = {"job", "starts_on"}
        if self.is_bound and set(self.errors) - asked:
            return True
        said = {name: self[name].value() for name in self.fields if name not in asked}
        return any(_bare(value) != DEFAULTS.get(name, "") for name, value in said.items())

    def clean_job(self) -> str:
        if self.sheet is None:
            raise ValidationError(self.job_read.error, code="job")
        return self.sheet.label

    def offer_fields(self) -> OfferFields:
        """What was typed; the form is valid."""
        told = self.cleaned_data
        return OfferFields(
            appellation_ogr=self.ogr,
            starts_on=told["starts_on"],
            custom_title=told["custom_title"],
            contract_types=told["contract_types"],
            level=told["level"],
            duration_months=told["duration_months"],
            positions=told["positions"],
            presentation=told["presentation"],
            questions=[told[name] for name in _QUESTIONS if told[name]],
            shows_phone=told["shows_phone"],
            skills=[box.label for box in self.skills if box.is_ticked],
            knowledge=[box.label for box in self.knowledge if box.is_ticked],
        )

    def add_refusal(self, refusal: RefusedOffer) -> None:
        """Puts each sentence beside the field that it is about."""
        places = {"appellation_ogr": "job", "questions": _QUESTIONS[0], "skills": "job", "knowledge": "job"}
        for name, sentence in refusal.faults.items():
            self.add_error(places.get(name, name), sentence)
        if not refusal.faults:
            self.add_error(None, str(refusal))


def _bare(value: Any) -> str | list[str]:
    """A value as a browser sends it: numbers are text, an unticked box is nothing."""
    return [str(each) for each in value] if isinstance(value, list | tuple) else str(value or "")


def initial_of(fields: OfferFields, *, job_label: str) -> dict[str, Any]:
    """What the form shows of an offer that exists."""
    told = {name: getattr(fields, name) for name in OfferForm.base_fields if hasattr(fields, name)}
    questions = dict(zip(_QUESTIONS, fields.questions, strict=False))
    return {**told, **questions, "job": job_label, "ogr": fields.appellation_ogr}
