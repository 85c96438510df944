"""What support sees of e-mails: did it leave, what did the server say, who is left alone and why."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminEmailInputWidget
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from labonnealternance.kit.admin import ReasonForm, ShownAdmin, ShownInline, author, button, moment
from labonnealternance.kit.http import AddressField
from labonnealternance.kit.panels import MOST_LINES, Panel, panel
from labonnealternance.kit.text import counted
from labonnealternance.kit.todo import waits
from labonnealternance.mail.actions import outbox, suppressions
from labonnealternance.mail.enums import MessageStatus, SuppressionSource
from labonnealternance.mail.models import RETRY_DELAYS, JournalLine, Message, Suppression

# The sweeper comes each minute.
LATE = timedelta(minutes=5)
# Refusals that are older are on nobody's desk any more.
REFUSED_LATELY = timedelta(days=7)


@waits("E-mails refusés depuis 7 jours", rank=40, permission="mail.view_message")
def refused(*, at):
    since = timezone.localtime(at - REFUSED_LATELY).replace(hour=0, minute=0, second=0, microsecond=0)
    return Message.objects.filter(status=MessageStatus.FAILED, created_at__gte=since), _messages(
        status__exact=MessageStatus.FAILED.value, created_at__gte=since.isoformat(sep=" ")
    )


@waits("E-mails en retard d’envoi", rank=45, permission="mail.view_message")
def late(*, at):
    """Their hour is past: nothing sends them."""
    return Message.objects.due(at - LATE), _messages(status__exact=MessageStatus.QUEUED.value)


def _messages(**filters: str) -> str:
    return f"{reverse('admin:mail_message_changelist')}?{urlencode(filters)}"


def mails_to(addresses: Sequence[str], *, words: str = "", more: str = "") -> Panel:
    """The latest e-mails to ``addresses``, as a panel of a page."""
    rows = Message.objects.filter(recipient__in=addresses).order_by("-created_at", "-pk")
    return Panel(
        "E-mails",
        ["Objet", "À", "État", "Écrit le", "Envoyé le"],
        (
            (
                format_html(
                    '<a href="{}">{}</a>',
                    reverse("admin:mail_message_change", args=[each.pk]),
                    each.subject or "Objet effacé",
                ),
                each.recipient,
                each.get_status_display(),
                moment(each.created_at),
                moment(each.sent_at) or "—",
            )
            for each in rows[:MOST_LINES]
        ),
        words=words,
        more=more,
    )


@panel("person", rank=60, permission="mail.view_message")
def mails_of_person(*, key, at):
    return mails_to([key], more=_messages(q=key))


class JournalInline(ShownInline):
    model = JournalLine
    fields = ["at", "from_status", "to_status", "by", "reason"]
    ordering = ["at", "pk"]

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("by")


class WrittenFilter(admin.DateFieldListFilter):
    """Django names a filter after its column: « Par écrit le »."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.title = "date"


@admin.register(Message)
class MessageAdmin(ShownAdmin):
    """The outbox; ``search`` finds the beginning of an address."""

    list_display = ["created_at", "status", "recipient", "subject", "attempts", "next_attempt_at", "sent_at"]
    list_display_links = ["subject"]
    list_filter = ["status", ("created_at", WrittenFilter)]
    search_fields = ["recipient"]
    search_help_text = "Début de l’adresse du destinataire"
    ordering = ["-created_at"]
    fields = (
        "status", "why", "recipient", "reply_to", "subject", "created_at", "attempts", "next_attempt_at", "sent_at",
        "provider_answer", "sent_again", "shown_text", "template", "identifier",
    )  # fmt: skip
    readonly_fields = ("why", "sent_again", "shown_text", "template", "identifier")
    inlines = [JournalInline]
    buttons = ["resend"]
    actions = ["resend_chosen"]

    def get_search_results(self, request, queryset, search_term):
        # Stored in lower case, so that the index serves the first letters as they are typed.
        return queryset.filter(recipient__startswith=search_term.strip().lower()), False

    def has_resend_permission(self, request):
        return request.user.has_perm("mail.resend_message")

    @admin.display(description="Est-il parti ?")
    def why(self, message):
        """Where it is, what keeps it there, and what may be done: the first thing that support is asked."""
        now = timezone.now()
        standing = Suppression.objects.in_force().filter(address=message.recipient).first()
        match message.status:
            case MessageStatus.SENT:
                told = f"Oui, le {moment(message.sent_at)} : le serveur l’a accepté."
            case MessageStatus.FAILED:
                told = f"Non : refusé pour de bon après {_attempts(message)}. {_answer(message)}"
            case MessageStatus.SUPPRESSED:
                told = "Non : l’adresse était écartée."
                if standing is None:
                    told += " Elle ne l’est plus : « Renvoyer » l’envoie."
            case _:
                told = _still_here(message, now, is_suppressed=standing is not None)
        latest = standing or Suppression.objects.filter(address=message.recipient).order_by("-at", "-pk").first()
        return format_html("{}{}", told, _suppressed(latest)) if latest else told

    @admin.display(description="Modèle")
    def template(self, message):
        return message.kind

    @admin.display(description="Identifiant (Message-ID)")
    def identifier(self, message):
        return message.message_id

    @admin.display(description="Texte")
    def shown_text(self, message):
        if message.erased_at:
            return f"Effacé le {timezone.localtime(message.erased_at):%d/%m/%Y}."
        if message.confidential:
            return "Confidentiel : cet e-mail porte un lien personnel."
        return format_html("<pre>{}</pre>", message.text_body)

    @admin.display(description="Renvois")
    def sent_again(self, message):
        copies = [
            f"renvoyé le {timezone.localtime(copy.created_at):%d/%m/%Y à %H:%M} ({copy.get_status_display()})"
            for copy in message.copies.order_by("created_at")[:20]
        ]
        origin = ["est lui-même un renvoi"] if message.copy_of_id else []
        return ", ".join(origin + copies) or "Aucun"

    @button(
        "Renvoyer",
        warning="Une copie de cet e-mail part vers la même adresse ; celui-ci garde son état et son journal.",
        when=lambda message: message.status != MessageStatus.QUEUED and message.erased_at is None,
        permission="resend",
        refusals=(outbox.NothingToResend,),
    )
    def resend(self, request, message, answers):
        outbox.resend(message_id=message.pk, by=request.user, at=timezone.now())
        return "La copie est prête à partir."

    @admin.action(description="Renvoyer les e-mails choisis", permissions=["resend"])
    def resend_chosen(self, request, queryset):
        done = 0
        for message in queryset[: self.list_max_show_all]:
            try:
                outbox.resend(message_id=message.pk, by=request.user, at=timezone.now())
            except outbox.NothingToResend as refusal:
                self.message_user(request, f"« {message.subject} » : {refusal}", messages.WARNING)
            else:
                done += 1
        if done:
            sentence = f"{done} e-mails sont prêts à partir." if done > 1 else "1 e-mail est prêt à partir."
            self.message_user(request, sentence, messages.SUCCESS)


def _attempts(message: Message) -> str:
    return counted(message.attempts, "essai", "essais")


def _answer(message: Message) -> str:
    return f"Dernière réponse du serveur : « {message.provider_answer} »." if message.provider_answer else ""


def _still_here(message: Message, now: datetime, *, is_suppressed: bool) -> str:
    """Why a message that may still leave has not."""
    if is_suppressed:
        return "Pas encore, et il ne partira pas : l’adresse est écartée."
    due = message.next_attempt_at
    if message.attempts:
        last = message.attempts >= len(RETRY_DELAYS)
        told = f"Pas encore : remis à plus tard par le serveur, {_attempts(message)}. {_answer(message)} "
        told += f"Prochain essai le {moment(due)}{', le dernier' if last else ''}."
    else:
        told = f"Pas encore : il attend son premier essai, prévu le {moment(due)}."
    if due and due < now - LATE:
        told += " L’heure est passée : l’envoi des e-mails est en retard ou arrêté, prévenez l’équipe technique."
    return told


def _suppressed(suppression: Suppression) -> str:
    """The line of the list that keeps, or kept, an address from being written to."""
    end: str = ""
    if suppression.lifted_at:
        by = author(suppression.lifted_by, otherwise="le service")
        end = format_html(", rétablie le {} par {}", moment(suppression.lifted_at), by)
    return format_html(
        '<br>Adresse écartée le {} – {}, {}{}{} : <a href="{}">voir</a>',
        moment(suppression.at),
        suppression.get_reason_display(),
        format_html("par {}", author(suppression.by)) if suppression.by else suppression.get_source_display(),
        f" (« {suppression.comment} »)" if suppression.comment else "",
        end,
        reverse("admin:mail_suppression_change", args=[suppression.pk]),
    )


class SuppressForm(forms.ModelForm):
    """An address that support sets aside."""

    address = AddressField(label="Adresse e-mail", widget=AdminEmailInputWidget)

    class Meta:
        model = Suppression
        fields = ["address", "reason", "comment"]

    def clean_address(self):
        address = self.cleaned_data["address"]
        if Suppression.objects.in_force().filter(address=address).exists():
            raise forms.ValidationError("Cette adresse est déjà écartée.")
        return address


class StandingFilter(admin.SimpleListFilter):
    title = "état"
    parameter_name = "etat"

    def lookups(self, request, model_admin):
        return [("ecartee", "Écartée"), ("retablie", "Rétablie")]

    def queryset(self, request, queryset):
        if self.value() == "ecartee":
            return queryset.in_force()
        return queryset.filter(lifted_at__isnull=False) if self.value() == "retablie" else queryset


@admin.register(Suppression)
class SuppressionAdmin(ShownAdmin):
    """Addresses that nothing is sent to: added with a reason, put back with a reason, never edited."""

    list_display = ["address", "reason", "source", "at", "by", "lifted_at", "lifted_by"]
    list_filter = [StandingFilter, "reason", "source"]
    list_select_related = ["by", "lifted_by"]
    search_fields = ["address"]
    search_help_text = "Début de l’adresse"
    ordering = ["-at"]
    fields = ("address", "reason", "source", "comment", "by", "at", "lifted_at", "lifted_by", "lift_reason")
    buttons = ["lift"]

    def get_search_results(self, request, queryset, search_term):
        return queryset.filter(address__startswith=search_term.strip().lower()), False

    def has_add_permission(self, request):
        return request.user.has_perm("mail.add_suppression")

    def get_form(self, request, obj=None, change=False, **kwargs):
        if obj is None:
            kwargs.update(form=SuppressForm, fields=SuppressForm.Meta.fields)
        return super().get_form(request, obj, change, **kwargs)

    def get_fields(self, request, obj=None):
        return self.fields if obj else SuppressForm.Meta.fields

    def save_model(self, request, obj, form, change):
        given = form.cleaned_data
        suppression = suppressions.suppress(
            address=given["address"],
            reason=given["reason"],
            source=SuppressionSource.SUPPORT,
            by=request.user,
            at=timezone.now(),
            comment=given["comment"],
        )
        obj.pk = suppression.pk

    @button(
        "Écrire de nouveau à cette adresse",
        form=ReasonForm,
        warning="Les e-mails à venir partiront vers cette adresse ; ceux qui n’ont pas été envoyés restent à renvoyer.",
        when=lambda suppression: suppression.lifted_at is None,
    )
    def lift(self, request, suppression, answers):
        suppressions.lift(address=suppression.address, by=request.user, at=timezone.now(), reason=answers["reason"])
        return "L’adresse est rétablie."
