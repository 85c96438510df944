"""What support sees of e-mails: did it leave, what did the server say, who is left alone and why."""

from django import forms
from django.contrib import admin, messages
from django.utils import timezone
from django.utils.html import format_html

from labonnealternance.mail import actions
from labonnealternance.mail.enums import SuppressionSource
from labonnealternance.mail.models import JournalLine, Message, Suppression


class JournalAdmin(admin.ModelAdmin):
    """Rows that only actions write, in lists that stay bounded."""

    # A count of every row would cost more than the page.
    show_full_result_count = False
    list_per_page = 50
    list_max_show_all = 50

    def has_delete_permission(self, request, obj=None):
        return False


class JournalInline(admin.TabularInline):
    model = JournalLine
    extra = 0
    max_num = 0
    can_delete = False
    fields = readonly_fields = ("at", "from_status", "to_status", "by", "reason")
    ordering = ["at", "pk"]

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("by")

    def has_add_permission(self, request, obj=None):
        return False


@admin.register(Message)
class MessageAdmin(JournalAdmin):
    """The outbox. Searched by the first letters of an address, or the whole of it."""

    list_display = ["created_at", "status", "kind", "recipient", "subject", "attempts", "next_attempt_at", "sent_at"]
    list_filter = ["status", "created_at"]
    list_display_links = ["subject"]
    search_fields = ["recipient"]
    search_help_text = "Début de l'adresse du destinataire"
    ordering = ["-created_at"]
    actions = ["resend"]
    inlines = [JournalInline]
    fields = readonly_fields = (
        "status", "kind", "recipient", "reply_to", "subject", "created_at", "attempts", "next_attempt_at", "sent_at",
        "provider_answer", "sent_again", "shown_message_id", "shown_text",
    )  # fmt: skip

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def get_search_results(self, request, queryset, search_term):
        # The stored form is lower case: the index serves the first letters as they are typed.
        return queryset.filter(recipient__startswith=search_term.strip().lower()), False

    def has_resend_permission(self, request):
        return request.user.has_perm("mail.resend_message")

    @admin.display(description="Message-ID")
    def shown_message_id(self, message):
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
        copies = message.copies.order_by("created_at")[:20]
        described = [
            f"le {timezone.localtime(c.created_at):%d/%m/%Y à %H:%M} ({c.get_status_display()})" for c in copies
        ]
        if message.copy_of_id:
            described.insert(0, "est lui-même un renvoi")
        return ", ".join(described) or "Aucun"

    @admin.action(description="Renvoyer les e-mails choisis", permissions=["resend"])
    def resend(self, request, queryset):
        done = 0
        for message in queryset:
            try:
                actions.resend(message_id=message.pk, by=request.user, at=timezone.now())
            except actions.NothingToResend as refusal:
                self.message_user(request, f"« {message.subject} » : {refusal}", messages.WARNING)
            else:
                done += 1
        if done:
            plural = "s" if done > 1 else ""
            self.message_user(request, f"{done} e-mail{plural} remis à envoyer.", messages.SUCCESS)


class SuppressForm(forms.ModelForm):
    """An address that support sets aside."""

    class Meta:
        model = Suppression
        fields = ["address", "reason", "comment"]

    def clean_address(self):
        address = self.cleaned_data["address"].lower()
        if Suppression.objects.in_force().filter(address=address).exists():
            raise forms.ValidationError("Cette adresse est déjà écartée.")
        return address


class LiftForm(forms.ModelForm):
    """Why an address may be written to again."""

    lift_reason = forms.CharField(
        label="Raison du rétablissement", max_length=1000, widget=forms.Textarea(attrs={"rows": 3})
    )

    class Meta:
        model = Suppression
        fields = ["lift_reason"]


@admin.register(Suppression)
class SuppressionAdmin(JournalAdmin):
    """Addresses that nothing is sent to: added with a reason, put back with a reason, never edited."""

    list_display = ["address", "reason", "source", "at", "by", "lifted_at", "lifted_by"]
    list_filter = ["reason", "source", ("lifted_at", admin.EmptyFieldListFilter)]
    list_select_related = ["by", "lifted_by"]
    search_fields = ["address"]
    search_help_text = "Début de l'adresse"
    ordering = ["-at"]

    def get_search_results(self, request, queryset, search_term):
        return queryset.filter(address__startswith=search_term.strip().lower()), False

    def has_change_permission(self, request, obj=None):
        return (obj is None or obj.lifted_at is None) and super().has_change_permission(request, obj)

    def get_form(self, request, obj=None, change=False, **kwargs):
        return super().get_form(request, obj, change, form=LiftForm if obj else SuppressForm, **kwargs)

    def get_readonly_fields(self, request, obj=None):
        if obj is None:
            return []
        facts = ["address", "reason", "source", "comment", "by", "at"]
        return facts if obj.lifted_at is None else [*facts, "lifted_at", "lifted_by", "lift_reason"]

    def get_fieldsets(self, request, obj=None):
        if obj is None:
            return [(None, {"fields": ["address", "reason", "comment"]})]
        facts = (None, {"fields": ["address", "reason", "source", "comment", "by", "at"]})
        if obj.lifted_at is None:
            return [facts, ("Écrire de nouveau à cette adresse", {"fields": ["lift_reason"]})]
        return [facts, ("Rétablie", {"fields": ["lifted_at", "lifted_by", "lift_reason"]})]

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        buttons = {"show_save_and_continue": False, "show_save_and_add_another": False}
        return super().changeform_view(request, object_id, form_url, {**buttons, **(extra_context or {})})

    def save_model(self, request, obj, form, change):
        given, now = form.cleaned_data, timezone.now()
        if change:
            actions.lift(address=obj.address, by=request.user, at=now, reason=given["lift_reason"])
            return
        suppression = actions.suppress(
            address=given["address"],
            reason=given["reason"],
            source=SuppressionSource.SUPPORT,
            by=request.user,
            at=now,
            comment=given["comment"],
        )
        obj.pk = suppression.pk
