"""Deciding about many establishments at once: a list, what it would do, the button; the journal of what was done."""

import re
from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from companies.actions import batches, pasted
from companies.actions.batches import Changed, Effect, Order
from companies.actions.pasted import RefusedList
from companies.actions.visibility import RefusedDecision
from companies.admin.decisions import HIDING_REASONS, LISTING_REASONS, DayField, state_of
from companies.enums import BatchKind, Channel, DecisionScope
from companies.models import Batch, spaced_siret
from labonnealternance.kit.admin import NOT_CHOSEN, ReasonForm, ShownAdmin, button, moment, table
from labonnealternance.kit.contacts import shown_phone
from labonnealternance.kit.http import ParagraphsField
from labonnealternance.kit.text import counted, grouped

MAY_DECIDE = "companies.add_visibilitydecision"
LARGEST_FILE = 2 * 1024 * 1024
SHOWN_LINES = 50
SHOWN_WRONG = 200


# ── What is asked ────────────────────────────────────────────────────────────────────────────────────────────────────


class ListField(ParagraphsField):
    """A pasted list: its lines keep their numbers."""

    def __init__(self, **options):
        super().__init__(max_length=pasted.LONGEST, strip=False, **options)


class BatchForm(forms.Form):
    """What every batch asks: a list, pasted or in a file, and why. ``kind`` says what is done to it."""

    kind: str

    listed = ListField(
        label="Liste",
        required=False,
        widget=forms.Textarea({"rows": 10, "class": "vLargeTextField", "autocomplete": "off", "spellcheck": "false"}),
        help_text=f"Collée telle quelle, {grouped(pasted.MOST)} au plus : un numéro par ligne, ou séparés par des"
        " virgules, des espaces, des tabulations.",
    )
    file = forms.FileField(
        label="Ou un fichier CSV",
        required=False,
        widget=forms.FileInput({"accept": ".csv,.txt,text/csv,text/plain"}),
        help_text="La colonne « siret », « siren » ou « email » est lue selon la portée. Sa liste viendra se mettre"
        " ci-dessus, où elle se corrige.",
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        sent, listed = cleaned.get("file"), cleaned.get("listed", "")
        if sent and listed.strip():
            self.add_error("file", "Donnez une liste ou un fichier, pas les deux.")
        elif sent:
            try:
                if sent.size > LARGEST_FILE:
                    raise RefusedList("Ce fichier est trop long : partagez-le.")
                cleaned["listed"] = pasted.decode(sent.read())
            except RefusedList as refusal:
                self.add_error("file", str(refusal))
            else:
                # From now on the page carries it as if it had been pasted.
                self.data = {**self.data.dict(), "listed": cleaned["listed"]}  # type: ignore[attr-defined]
        elif not listed.strip() and "listed" not in self.errors and "file" not in self.errors:
            self.add_error("listed", "Collez une liste, ou donnez un fichier.")
        return cleaned

    def order(self) -> Order:
        """What is asked, as the actions have it."""
        told = {name: value for name, value in self.cleaned_data.items() if name not in {"listed", "file"}}
        return Order(kind=self.kind, text=self.cleaned_data["listed"], **told)


class HidingForm(BatchForm):
    scope = forms.ChoiceField(
        label="Portée", choices=DecisionScope, initial=DecisionScope.SIRET, help_text="Ce que la liste contient."
    )
    reason = forms.ChoiceField(label="Motif", choices=[NOT_CHOSEN, *HIDING_REASONS])
    comment = ParagraphsField(label="Commentaire", max_length=2000, required=False, widget=forms.Textarea({"rows": 3}))
    ends_on = DayField(label="Dernier jour", required=False, help_text="Vide : pour de bon.")
    field_order = ["scope", "listed", "file"]


class DelistingForm(HidingForm):
    kind = BatchKind.DELISTED


class PausingForm(HidingForm):
    kind = BatchKind.PAUSED
    ends_on = DayField(label="Dernier jour de la pause")


class ChannelsForm(HidingForm):
    kind = BatchKind.CHANNEL_HIDDEN
    channel = forms.ChoiceField(label="Moyen de contact à masquer", choices=[NOT_CHOSEN, *Channel.choices])
    field_order = ["channel", "scope", "listed", "file"]


class ListingForm(HidingForm):
    kind = BatchKind.LISTED
    scope = None  # type: ignore[assignment]
    reason = forms.ChoiceField(label="Motif", choices=[NOT_CHOSEN, *LISTING_REASONS])
    rome_codes = forms.CharField(
        label="Codes ROME", max_length=200, help_text="Séparés par des espaces ou des virgules : « D1102, D1104 »."
    )
    field_order = ["rome_codes", "listed", "file"]

    def clean_rome_codes(self) -> tuple[str, ...]:
        codes = re.split(r"[\s,;]+", self.cleaned_data["rome_codes"])
        return tuple(dict.fromkeys(code.upper() for code in codes if code))


class CorrectingForm(BatchForm):
    kind = BatchKind.CORRECTED
    comment = ParagraphsField(
        label="Raison",
        max_length=1000,
        widget=forms.Textarea({"rows": 3}),
        help_text="Elle est gardée avec chaque correction.",
    )

    def __init__(self, *arguments: Any, **options: Any):
        super().__init__(*arguments, **options)
        self.fields["listed"].help_text = (
            "Trois colonnes : « siret;email;telephone ». Une case vide laisse le contact tel quel ; « effacer »"
            f" l’efface. {grouped(pasted.MOST)} SIRET au plus."
        )
        self.fields[
            "file"
        ].help_text = "Avec les mêmes colonnes. Sa liste viendra se mettre ci-dessus, où elle se corrige."


FORMS: dict[str, type[BatchForm]] = {
    form.kind: form for form in (DelistingForm, PausingForm, ChannelsForm, ListingForm, CorrectingForm)
}
WARNINGS = {
    BatchKind.DELISTED: "Les établissements ne sont plus visibles nulle part, dès que le bouton est pressé.",
    BatchKind.PAUSED: "Les établissements ne sont plus visibles jusqu’à la fin du dernier jour.",
    BatchKind.CHANNEL_HIDDEN: "Les établissements restent visibles, sans ce moyen de les joindre.",
    BatchKind.LISTED: "Les établissements seront trouvés pour ces métiers, sans score.",
    BatchKind.CORRECTED: "Les contacts donnés l’emportent sur ceux des imports, présents et à venir.",
}


# ── What it does, in words ───────────────────────────────────────────────────────────────────────────────────────────


def told(kind: str, counts: dict[str, int]) -> list[tuple[str, str, str]]:
    """What a batch does or did, as (what, how many, remark) rows; nothing is said of what there is none of."""
    is_about_contacts = kind == BatchKind.CORRECTED
    holds = "la correction vaut" if is_about_contacts else "la décision vaut"
    rows = [
        ("wanted", "Retenus", "sans les doublons ni les lignes écartées"),
        ("doubles", "En double", "retenus une seule fois"),
        ("wrong", "Lignes écartées", "les autres sont gardées"),
        ("known", "Connus de nos tables", ""),
        ("unknown", "Inconnus de nos tables", f"{holds} quand même, et tiendra le jour de leur arrivée"),
        ("already", "Déjà ainsi", "rien ne change"),
        (
            "replaced",
            "Déjà corrigés autrement" if is_about_contacts else "Déjà ainsi, à d’autres conditions",
            "la nouvelle valeur l’emporte" if is_about_contacts else "la nouvelle décision remplace l’ancienne",
        ),
        ("made", "Corrections nouvelles" if is_about_contacts else "Décisions nouvelles", ""),
        *_SEEN.get(kind, ()),
    ]
    always = {"wanted", "made", *(["visible"] if kind in _ALWAYS_SEEN else [])}
    return [
        (label, _number(name, counts[name]), remark)
        for name, label, remark in rows
        if name in counts and (counts[name] or name in always)
    ]


_GONE = ("visible", "Affichés avant, et plus après", "ils quittent la recherche, et leur page n’existe plus")
_SEEN: dict[str, tuple[tuple[str, str, str], ...]] = {
    BatchKind.DELISTED: (_GONE,),
    BatchKind.PAUSED: ((*_GONE[:2], "ils reviennent d’eux-mêmes après le dernier jour"),),
    BatchKind.CHANNEL_HIDDEN: (("visible", "Affichés avant comme après", "sans ce moyen de contact"),),
    BatchKind.LISTED: (
        ("visible", "Affichés avant comme après", "et désormais pour ces métiers aussi"),
        ("appearing", "Affichés après, et pas avant", ""),
        (
            "out_of_sight",
            "Toujours pas affichés",
            "fermés, non diffusibles, sans position, ou cachés par une décision",
        ),
    ),
}
_ALWAYS_SEEN = {BatchKind.DELISTED, BatchKind.PAUSED}


def _number(name: str, count: int) -> str:
    is_capped = name in {"visible", "appearing", "out_of_sight"} and count >= batches.MOST_REACHED
    return f"{grouped(count)} ou plus" if is_capped else grouped(count)


def _undoing(batch: Batch, answers: dict) -> str:
    """What undoing does, read before it is done."""
    found = batches.preview_undo(batch=batch, at=timezone.now())
    lines = [
        (found.ended, "décision prend fin", "décisions prennent fin"),
        (
            found.back,
            "décision qu’elle avait remplacée revient, aux mêmes conditions",
            "décisions qu’elles avaient remplacées reviennent, aux mêmes conditions",
        ),
        (
            found.not_back,
            "décision remplacée ne revient pas : sa fin est passée, ou son lot est annulé",
            "décisions remplacées ne reviennent pas : leur fin est passée, ou leur lot est annulé",
        ),
        (
            found.left,
            "décision était déjà terminée, annulée ou remplacée depuis : elle le reste",
            "décisions étaient déjà terminées, annulées ou remplacées depuis : elles le restent",
        ),
        (found.restored, "contact reprend sa valeur d’avant", "contacts reprennent leur valeur d’avant"),
        (
            found.corrected_since,
            "contact a été corrigé depuis : il garde sa valeur",
            "contacts ont été corrigés depuis : ils gardent leur valeur",
        ),
    ]
    said = [counted(number, one, many) for number, one, many in lines if number]
    if found.restored:
        said.append("Un contact remis est une correction : les imports ne le changeront plus.")
    return "\n".join(said) or "Rien ne change : plus rien de ce lot n’est en vigueur."


# ── The pages ────────────────────────────────────────────────────────────────────────────────────────────────────────


@admin.register(Batch)
class BatchAdmin(ShownAdmin):
    list_display = ["asked", "done", "by", "state"]
    list_select_related = ["by"]
    list_filter = ["kind"]
    ordering = ["-at", "-pk"]
    fields = [
        "asked", "reason", "comment", "by", "done", "effect", "state", "undone_at", "undone_by", "undone_reason",
        "lines",
    ]  # fmt: skip
    readonly_fields = ["done", "effect", "state", "lines"]
    buttons = ["undo"]

    def get_fields(self, request, obj=None):
        unknown = set() if obj is None or obj.undone_at else {"undone_at", "undone_by", "undone_reason"}
        return [name for name in super().get_fields(request, obj) if name not in unknown]

    def has_add_permission(self, request):
        return request.user.has_perm(MAY_DECIDE)

    @admin.display(description="Le", ordering="at")
    def done(self, batch):
        return moment(batch.at)

    @admin.display(description="État")
    def state(self, batch):
        return f"annulé le {moment(batch.undone_at)}" if batch.undone_at else "fait"

    @admin.display(description="Effet")
    def effect(self, batch):
        rows = ((label, number, remark) for label, number, remark in told(batch.kind, batch.counts))
        return table(rows, ["Quoi", "Nombre", "Précision"])

    @admin.display(description="Lignes")
    def lines(self, batch):
        rows: Iterator[tuple]
        if batch.kind == BatchKind.CORRECTED:
            pages = reverse("admin:companies_establishment_changelist")
            corrections = batch.corrections.order_by("pk")[:SHOWN_LINES]
            rows = (
                (
                    format_html('<a href="{}?q={}">{}</a>', pages, each.siret, spaced_siret(each.siret)),
                    each.get_channel_display(),
                    (shown_phone(each.value) if each.channel == Channel.PHONE else each.value) or "effacé",
                )
                for each in corrections
            )
            headings, more = ["SIRET", "Contact", "Valeur"], batch.corrections.count() - SHOWN_LINES
        else:
            at = timezone.now()
            rows = (
                (
                    format_html(
                        '<a href="{}">{}</a>',
                        reverse("admin:companies_visibilitydecision_change", args=[each.pk]),
                        spaced_siret(each.value) if each.scope == DecisionScope.SIRET else each.value,
                    ),
                    state_of(each, at),
                )
                for each in batch.decisions.order_by("pk")[:SHOWN_LINES]
            )
            headings, more = ["SIRET, SIREN ou adresse", "État"], batch.decisions.count() - SHOWN_LINES
        shown = table(rows, headings, none="Aucune.")
        if more <= 0:
            return shown
        if batch.kind == BatchKind.CORRECTED:
            return format_html("{}<p>Et {}.</p>", shown, counted(more, "autre correction", "autres corrections"))
        every = reverse("admin:companies_visibilitydecision_changelist")
        return format_html('{}<p><a href="{}?q={}">Toutes ses décisions</a></p>', shown, every, batch.pk)

    @button(
        "Annuler le lot",
        form=ReasonForm,
        warning="Ce que le lot a décidé et qui tient encore prend fin. Rien n’est effacé : l’annulation s’ajoute.",
        when=lambda batch: batch.undone_at is None,
        refusals=(RefusedDecision,),
        preview=_undoing,
        previewed="Ce qui sera fait",
    )
    def undo(self, request, batch, answers):
        batches.undo(batch_id=batch.pk, by=request.user, at=timezone.now(), **answers)
        return "Le lot est annulé."

    # The page "Ajouter": a list is read, then decided about by the button that says what it does.

    def add_view(self, request: HttpRequest, form_url="", extra_context=None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        kind = request.GET.get("quoi", "")
        asked = FORMS.get(kind, DelistingForm)
        form = asked(request.POST, request.FILES) if request.method == "POST" else asked()
        effect: Effect | None = None
        order: Order | None = None
        if request.method == "POST" and form.is_valid():
            order = form.order()
            try:
                if "do" in request.POST:
                    return self._done(request, order)
                effect = batches.preview(order=order, at=timezone.now())
            except Changed as changed:
                effect = changed.effect
                form.add_error(None, str(changed))
            except (RefusedDecision, RefusedList) as refusal:
                form.add_error(None, str(refusal))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Décider de plusieurs établissements",
            "list_url": self._list_url(),
            "kinds": [
                {"label": each.label, "query": f"?quoi={each}", "is_chosen": each == asked.kind} for each in BatchKind
            ],
            "warning": WARNINGS[BatchKind(asked.kind)],
            "form": form,
            **(_shown(order, effect) if order and effect else {}),
        }
        return TemplateResponse(request, "admin/decide_many.html", context)

    def _done(self, request: HttpRequest, order: Order) -> HttpResponse:
        batch = batches.apply(
            order=order, seen=request.POST.get("seen", "")[:500], by=request.user, at=timezone.now()
        )  # fmt: skip
        self.log_addition(request, batch, batch.asked)
        self.message_user(
            request, f"C’est fait : {batch.asked[0].lower()}{batch.asked[1:]}. Ce lot peut être annulé.",
            messages.SUCCESS,
        )  # fmt: skip
        return HttpResponseRedirect(reverse("admin:companies_batch_change", args=[batch.pk]))


def _shown(order: Order, effect: Effect) -> dict[str, Any]:
    """What the page tells of an effect."""
    made = effect.counts["made"]
    return {
        "effect": effect,
        "told": told(order.kind, effect.counts),
        "button": batches.in_words(order, made, establishments=effect.counts["wanted"]),
        "wrong": effect.wrong[:SHOWN_WRONG],
        "wrong_left": len(effect.wrong) - SHOWN_WRONG,
        "unknown": [spaced_siret(value) if order.scope == DecisionScope.SIRET else value for value in effect.unknown],
        "unknown_left": effect.counts["unknown"] - len(effect.unknown),
    }
