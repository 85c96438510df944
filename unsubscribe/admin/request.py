"""Support's queue of requests: the oldest first, each followed by one agent, answered by a mail that is read before."""

from urllib.parse import urlencode

from django import forms
from django.contrib import admin
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from companies.models import Rome, without_separators
from labonnealternance.kit.admin import Refused, ShownAdmin, button, moment
from labonnealternance.kit.http import ParagraphsField
from labonnealternance.mail import actions as mail
from unsubscribe import emails
from unsubscribe.actions import treatment
from unsubscribe.actions.effects import RefusedRequest
from unsubscribe.admin.holding import HolderFilter, journal_of, name_of
from unsubscribe.enums import Status
from unsubscribe.models import LONGEST_COMMENT, Request

_EVERY = "toutes"


class TreatForm(forms.Form):
    """How far the request goes, and what is added to the letter."""

    for_company = forms.BooleanField(
        label="Pour toute l’entreprise (SIREN)",
        required=False,
        help_text="Tous ses établissements, connus ou à venir. À ne cocher que si le justificatif engage l’entreprise.",
    )
    note = ParagraphsField(
        label="Ajouter à l’e-mail", max_length=1000, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )


class AnswerForm(forms.Form):
    answer = ParagraphsField(
        label="Réponse",
        max_length=LONGEST_COMMENT,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text="Elle est envoyée telle quelle, et gardée avec votre nom.",
    )


class StateFilter(admin.SimpleListFilter):
    """What waits for support, unless another state is asked for."""

    title = "état"
    parameter_name = "etat"

    def lookups(self, request, model_admin):
        return [*((each.value, each.label) for each in Status if each != Status.CONFIRMED), (_EVERY, "Toutes")]

    def choices(self, changelist):
        first, *others = super().choices(changelist)
        return [{**first, "display": Status.CONFIRMED.label}, *others]

    def queryset(self, request, queryset):
        if self.value() == _EVERY:
            return queryset
        return queryset.filter(status=self.value() or Status.CONFIRMED)


def _is_to_treat(request: Request) -> bool:
    return request.status == Status.CONFIRMED


def _done(request: Request, answers: dict) -> str:
    letters = treatment.done_letters(request=request, note=answers["note"])
    return "\n\n\n".join(mail.as_read(letter) for letter in letters)


def _refused(request: Request, answers: dict) -> str:
    return mail.as_read(emails.refused(request=request, answer=answers["answer"].strip()))


@admin.register(Request)
class RequestAdmin(ShownAdmin):
    list_display = ["about", "known_name", "outcome", "status", "proof", "asked", "taken_by"]
    list_select_related = ["taken_by"]
    list_filter = [StateFilter, HolderFilter, "outcome", "proof"]
    search_fields = ["value"]
    search_help_text = "SIRET ou adresse e-mail, en entier."
    ordering = ["asked_at"]
    fields = [
        "what", "about", "establishment", "covers_company", "jobs", "reason", "comment", "proof", "asker",
        "has_document", "status", "asked_at", "confirmed_at", "settled_at", "taken_by", "journal",
    ]  # fmt: skip
    readonly_fields = ["what", "about", "establishment", "jobs", "asker", "has_document", "journal"]
    buttons = ["take", "give_back", "document", "treat", "refuse"]

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(found_name=name_of("value"))

    def get_search_results(self, request, queryset, search_term):
        text = search_term.strip().lower()
        return (queryset.filter(value__in=[text, without_separators(text)]) if text else queryset), False

    @admin.display(description="Demande")
    def what(self, asked):
        return f"L’établissement demande {asked.told()}."

    @admin.display(description="SIRET ou adresse", ordering="value")
    def about(self, asked):
        return asked.about

    @admin.display(description="Établissement")
    def known_name(self, asked):
        return asked.found_name or "—"

    @admin.display(description="Établissement")
    def establishment(self, asked):
        pages = reverse("admin:companies_establishment_changelist")
        decisions = reverse("admin:companies_visibilitydecision_changelist")
        asked_of = urlencode({"q": asked.value})
        return format_html(
            '<a href="{0}?{2}">Ses fiches</a> – <a href="{1}?{2}">Ses décisions</a>', pages, decisions, asked_of
        )

    @admin.display(description="Métiers")
    def jobs(self, asked):
        rows = Rome.objects.filter(code__in=asked.rome_codes).order_by("code")
        return ", ".join(f"{row.code} {row.label}" for row in rows) or "—"

    @admin.display(description="Demandée par")
    def asker(self, asked):
        return asked.address

    @admin.display(description="Justificatif", boolean=True)
    def has_document(self, asked):
        return bool(asked.document)

    @admin.display(description="Demandée le", ordering="asked_at")
    def asked(self, asked):
        return moment(asked.asked_at)

    @admin.display(description="Journal")
    def journal(self, asked):
        return journal_of(asked)

    @button(
        "Prendre en charge",
        warning="La demande est à votre nom, à la place de qui la suivait.",
        when=_is_to_treat,
        refusals=(RefusedRequest,),
    )
    def take(self, request, asked, answers):
        treatment.take(request_id=asked.pk, by=request.user, at=timezone.now())
        return "Vous suivez cette demande."

    @button(
        "Rendre",
        warning="La demande n’est plus à votre nom : un collègue peut la prendre en charge.",
        when=lambda asked: _is_to_treat(asked) and asked.taken_by_id is not None,
        refusals=(RefusedRequest,),
    )
    def give_back(self, request, asked, answers):
        treatment.give_back(request_id=asked.pk, by=request.user, at=timezone.now())
        return "Vous ne suivez plus cette demande."

    @button(
        "Télécharger le justificatif",
        warning="Le téléchargement est noté à votre nom dans l’historique. N’en gardez pas de copie.",
        when=lambda asked: bool(asked.document),
        gives_file=True,
    )
    def document(self, request, asked, answers):
        try:
            with asked.document.open("rb") as opened:
                content = opened.read()
        except FileNotFoundError:
            raise Refused("Le fichier n’est plus là.") from None
        self.log_change(request, asked, "Justificatif téléchargé")
        end = asked.document.name.rpartition(".")[2]
        # Never shown in the browser, whatever it holds.
        return HttpResponse(
            content,
            content_type="application/octet-stream",
            headers={"Content-Disposition": f'attachment; filename="justificatif-{asked.pk}.{end}"'},
        )

    @button(
        "Faire ce qui est demandé",
        form=TreatForm,
        warning="Dès que vous confirmez, c’est fait sur tout le site, et l’e-mail part. Relisez-le avant.",
        when=_is_to_treat,
        refusals=(RefusedRequest,),
        preview=_done,
    )
    def treat(self, request, asked, answers):
        treatment.treat(request_id=asked.pk, by=request.user, at=timezone.now(), **answers)
        return "C’est fait, et la réponse est partie."

    @button(
        "Refuser",
        form=AnswerForm,
        warning="Relisez l’e-mail avant de confirmer.",
        when=_is_to_treat,
        refusals=(RefusedRequest,),
        preview=_refused,
    )
    def refuse(self, request, asked, answers):
        treatment.refuse(request_id=asked.pk, by=request.user, at=timezone.now(), **answers)
        return "La demande est refusée, et la réponse est partie."
