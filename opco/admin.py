"""Support appoints advisors and takes them away, and sees who took lists out; it judges on the queue's own pages."""

from datetime import datetime

from django import forms
from django.contrib import admin
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join

from companies.models import Opco
from labonnealternance.accounts.models import User
from labonnealternance.kit.admin import ShownAdmin, author, button, moment
from labonnealternance.kit.contacts import NotAnAddress
from labonnealternance.kit.http import AddressField, LineField
from labonnealternance.kit.panels import MOST_LINES, Panel, panel
from labonnealternance.kit.todo import waits
from offers.models import Access
from opco.actions import advisors, queue
from opco.actions.advisors import NotAppointed
from opco.actions.desks import Desk
from opco.actions.queue import WITHOUT_OPCO, Filters
from opco.enums import Tab
from opco.models import Advisor, Case, Decision, Export

LONGEST_NAME = 100


class NewAdvisorForm(forms.ModelForm):
    """Who may judge an OPCO's files; someone who was deactivated comes back by the same form."""

    email = AddressField(
        label="Adresse e-mail", help_text="La personne se connecte par un lien envoyé à cette adresse."
    )
    first_name = LineField(label="Prénom", max_length=LONGEST_NAME)
    last_name = LineField(label="Nom", max_length=LONGEST_NAME)
    opco = forms.ModelChoiceField(label="OPCO", queryset=Opco.objects.order_by("name"), empty_label="— À choisir —")

    by: User

    class Meta:
        model = Advisor
        fields = ["opco"]

    def _post_clean(self):
        """The action judges and writes, not the model form; what it refuses is told beside the address."""
        if self.errors:
            return
        try:
            self.instance = advisors.appoint(**self.cleaned_data, by=self.by, at=timezone.now())
        except (NotAppointed, NotAnAddress) as refusal:
            self.add_error("email", str(refusal))

    def save(self, commit=True):
        return self.instance

    def save_m2m(self):
        """Nothing left to write."""


class ActiveFilter(admin.SimpleListFilter):
    title = "accès"
    parameter_name = "acces"

    def lookups(self, request, model_admin):
        return [("actif", "Actif"), ("retire", "Retiré")]

    def queryset(self, request, queryset):
        if self.value() == "actif":
            return queryset.active()
        return queryset.exclude(pk__in=Advisor.objects.active()) if self.value() == "retire" else queryset


@admin.register(Advisor)
class AdvisorAdmin(ShownAdmin):
    list_display = ["email", "last_name", "first_name", "opco", "is_active", "created_at", "last_login"]
    list_select_related = ["user", "opco", "created_by", "deactivated_by"]
    list_filter = [ActiveFilter, "opco"]
    search_fields = ["user__email__istartswith", "user__last_name__istartswith"]
    search_help_text = "Début de l’adresse e-mail ou du nom"
    ordering = ["-created_at", "-pk"]
    fields = [
        "email", "last_name", "first_name", "opco", "is_active", "last_login", "created_at", "created_by",
        "deactivated_at", "deactivated_by",
    ]  # fmt: skip
    readonly_fields = ["email", "last_name", "first_name", "is_active", "last_login"]
    buttons = ["deactivate"]

    @admin.display(description="adresse e-mail", ordering="user__email")
    def email(self, advisor):
        return advisor.user.email

    @admin.display(description="nom", ordering="user__last_name")
    def last_name(self, advisor):
        return advisor.user.last_name

    @admin.display(description="prénom", ordering="user__first_name")
    def first_name(self, advisor):
        return advisor.user.first_name

    @admin.display(description="actif", boolean=True)
    def is_active(self, advisor):
        return advisor.is_active

    @admin.display(description="dernière connexion", ordering="user__last_login")
    def last_login(self, advisor):
        return advisor.user.last_login

    @button(
        "Retirer l’accès",
        warning="La personne ne voit plus la file, tout de suite ; ses dossiers sont libres, et ce qu’elle a décidé "
        "dans la dernière minute est sans effet. Son compte reste. « Ajouter » lui rend l’accès.",
        when=lambda advisor: advisor.deactivated_at is None,
    )
    def deactivate(self, request, advisor, answers):
        advisors.deactivate(advisor_id=advisor.pk, by=request.user, at=timezone.now())
        return "La personne n’a plus accès à la file."

    # The page "Ajouter" makes a row, by the action that makes it everywhere.

    def has_add_permission(self, request):
        return request.user.has_perm("opco.add_advisor")

    def get_form(self, request, obj=None, change=False, **options):
        if change or obj is not None:
            return super().get_form(request, obj, change, **options)
        return type("Form", (NewAdvisorForm,), {"by": request.user})

    def get_fieldsets(self, request, obj=None):
        if obj is not None:
            return super().get_fieldsets(request, obj)
        return [(None, {"fields": ["email", "first_name", "last_name", "opco"]})]

    def get_readonly_fields(self, request, obj=None):
        return super().get_readonly_fields(request, obj) if obj is not None else []

    def add_view(self, request, form_url="", extra_context=None):
        with transaction.atomic():
            return super().add_view(request, form_url, extra_context)

    def save_model(self, request, obj, form, change):
        """Written by the action already."""


@admin.register(Export)
class ExportAdmin(ShownAdmin):
    """The lists that left the service: who took which one, when, and how many lines it had."""

    list_display = ["at", "by", "opco", "tab", "is_narrowed", "rows"]
    list_select_related = ["by", "opco"]
    list_filter = ["tab", "opco"]
    search_fields = ["by__email__istartswith", "by__last_name__istartswith"]
    search_help_text = "Début de l’adresse e-mail ou du nom"
    ordering = ["-at", "-pk"]
    fields = ["at", "by", "opco", "tab", "is_narrowed", "rows"]


@panel("establishment", rank=35, permission="offers.view_access")
def judged(*, key, at):
    """What the OPCO's queue knows of the recruiters of an establishment: what was decided, what is under way."""
    cases = Case.objects.filter(access__establishment__siret=key).select_related("access__user", "taken_by")
    decisions = Decision.objects.filter(access__establishment__siret=key).select_related(
        "access__user", "opco", "made_by"
    )
    return Panel(
        "File de l’OPCO",
        ["Personne", "Décision", "État", "OPCO", "Par", "Le"],
        (
            (
                _file(each.access),
                " : ".join(filter(None, [each.get_kind_display(), each.get_reason_display()])),
                each.get_status_display(),
                each.opco or "—",
                author(each.made_by),
                moment(each.made_at),
            )
            for each in decisions.order_by("-made_at", "-pk")[:MOST_LINES]
        ),
        none="Aucune décision.",
        words=format_html_join(
            " ",
            "{} : {}.",
            (
                (_file(each.access), told)
                for each in cases.order_by("-pk")[:MOST_LINES]
                if (told := _under_way(each, at))
            ),
        ),
    )


@waits("Recruteurs à valider, sans OPCO", rank=30, permission="offers.change_access")
def nobody_s(*, at):
    """Support judges them: no advisor sees them."""
    # Any member of support has the same files.
    rows = queue.in_tab(tab=Tab.TO_TREAT, desk=Desk(User(), None), filters=Filters(opco=WITHOUT_OPCO), at=at)
    return rows, f"{reverse('opco:queue')}?opco={WITHOUT_OPCO}"


def _file(access: Access) -> str:
    return format_html('<a href="{}">{}</a>', reverse("opco:case", args=[access.pk]), access.user)


def _under_way(case: Case, at: datetime) -> str:
    told: list[str] = []
    if case.is_taken(at):
        told.append(format_html("pris par {} le {}", author(case.taken_by), moment(case.taken_at)))
    if case.asked_at:
        told.append(f"informations demandées le {moment(case.asked_at)}, sans réponse")
    if case.answered_at:
        told.append(f"réponse reçue le {moment(case.answered_at)}")
    return format_html_join(", ", "{}", ((each,) for each in told))
