"""People in the back-office: shown, shut and opened again."""

from django import forms
from django.apps import apps
from django.conf import settings
from django.contrib import admin, messages
from django.shortcuts import redirect
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join

from labonnealternance.accounts import actions, groups, personal_screen, visits
from labonnealternance.accounts.enums import GROUPS, Role
from labonnealternance.accounts.models import MOST_PAGES, SecondFactor, User, Visit
from labonnealternance.accounts.visiting import remember
from labonnealternance.kit.admin import NOT_CHOSEN, ReasonForm, ShownAdmin, button
from labonnealternance.kit.contacts import searched_phone, shown_phone
from labonnealternance.kit.models import Reading


class GroupForm(forms.Form):
    name = forms.ChoiceField(label="Groupe", choices=lambda: [NOT_CHOSEN, *((each, each) for each in groups.names())])


class RoleFilter(admin.SimpleListFilter):
    title = "rôle"
    parameter_name = "role"

    def lookups(self, request, model_admin):
        return Role.choices

    def queryset(self, request, queryset):
        if self.value() == Role.SUPPORT:
            return queryset.filter(is_staff=True)
        if self.value() in GROUPS:
            return queryset.filter(groups__name=self.value())
        return queryset


@admin.register(User)
class UserAdmin(ShownAdmin):
    """One page per person, found by the beginning of an address or of a name, or by a whole telephone number."""

    list_display = ["email", "last_name", "first_name", "shown_roles", "is_active", "last_login", "joined_at"]
    list_filter = ["is_active", RoleFilter]
    search_fields = ["email__istartswith", "last_name__istartswith"]
    search_help_text = "Début de l’adresse e-mail ou du nom, ou numéro de téléphone"
    ordering = ["-joined_at", "-id"]
    fields = [
        "email", "email_confirmed_at", "first_name", "last_name", "shown_number", "shown_roles", "shown_groups",
        "is_superuser", "is_active", "joined_at", "last_login", "anonymised_at",
    ]  # fmt: skip
    buttons = ["visit", "set_group", "deactivate", "reactivate"]
    change_form_template = "admin/told.html"
    told_about = "person"

    def panel_key(self, user):
        return user.email

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("groups")

    def get_search_results(self, request, queryset, search_term):
        phone = searched_phone(search_term.strip())
        if phone:
            return queryset.filter(phone=phone), False
        return super().get_search_results(request, queryset, search_term)

    def links(self, request, user):
        if not (request.user.has_perm(personal_screen.EXPORT) or request.user.has_perm(personal_screen.ERASE)):
            return []
        return [
            {"label": "Exporter ou effacer ses données", "url": f"{reverse('admin:personal_data')}?personne={user.pk}"}
        ]

    @button(
        "Voir son espace en lecture seule",
        form=ReasonForm,
        warning="Pendant 30 minutes au plus, ce navigateur montrera le site comme cette personne le voit, sans rien "
        "pouvoir changer. Les pages ouvertes sont notées, et la personne peut les demander.",
        when=lambda user: user.may_be_visited,
        permission="visit",
        refusals=(visits.NotVisited,),
    )
    def visit(self, request, user, answers):
        _, token = visits.begin(user_id=user.pk, by=request.user, at=timezone.now(), **answers)
        self.log_change(request, user, "Voir son espace en lecture seule")
        response = redirect(settings.VISIT_PAGE)
        remember(response, token)
        return response

    @admin.display(description="téléphone")
    def shown_number(self, user):
        return shown_phone(user.phone) or "—"

    @admin.display(description="rôles")
    def shown_roles(self, user):
        return ", ".join(role.label for role in user.roles) or "—"

    @admin.display(description="groupe du support")
    def shown_groups(self, user):
        return ", ".join(sorted({group.name for group in user.groups.all()} & set(groups.names()))) or "—"

    @button(
        "Changer de groupe",
        form=GroupForm,
        warning="Le groupe dit ce que la personne voit et fait dans le back-office, dès sa prochaine page.",
        when=lambda user: user.is_staff and not user.is_superuser,
        # No group has it: superusers do.
        permission="add",
        refusals=(actions.ReservedToAdministrators,),
    )
    def set_group(self, request, user, answers):
        actions.set_group(user_id=user.pk, by=request.user, **answers)
        return f"La personne est du groupe « {answers['name']} »."

    @button(
        "Désactiver ce compte",
        warning="Ses sessions se terminent tout de suite et ses liens de connexion ne marchent plus.",
        when=lambda user: user.is_active,
        typed=lambda user: user.email,
        refusals=(actions.YourOwnAccount, actions.ReservedToAdministrators),
    )
    def deactivate(self, request, user, answers):
        actions.deactivate(user_id=user.pk, by=request.user)
        return "Le compte est désactivé, et ses sessions sont terminées."

    @button(
        "Réactiver ce compte",
        warning="La personne pourra de nouveau se connecter. Un membre du support devra aussi recevoir un nouveau "
        "mot de passe et un nouveau second facteur.",
        when=lambda user: not user.is_active and user.anonymised_at is None,
        refusals=(actions.ReservedToAdministrators,),
    )
    def reactivate(self, request, user, answers):
        actions.reactivate(user_id=user.pk, by=request.user)
        return "Le compte est réactivé."


@admin.register(SecondFactor)
class SecondFactorAdmin(ShownAdmin):
    """Superusers see who has a second factor, and remove one; a new one comes from ``create_support_account``."""

    list_display = ["user", "made_at", "used_at"]
    list_select_related = ["user"]
    search_fields = ["user__email__istartswith"]
    search_help_text = "Début de l’adresse e-mail"
    ordering = ["-id"]
    fields = ["user", "made_at", "used_at"]
    buttons = ["remove"]

    @admin.display(description="créé le", ordering="created_at")
    def made_at(self, device):
        return device.created_at

    @admin.display(description="dernier code accepté le", ordering="last_used_at")
    def used_at(self, device):
        return device.last_used_at

    @button(
        "Retirer ce second facteur",
        warning="La personne ne pourra plus entrer dans le back-office avant d’en avoir reçu un autre "
        "(commande create_support_account --renew).",
        typed=lambda device: device.user.email,
        permission="delete",
    )
    def remove(self, request, device, answers):
        actions.remove_second_factor(user_id=device.user_id, by=request.user)
        self.message_user(request, "Le second facteur est retiré.", messages.SUCCESS)
        self.log_change(request, device.user, "Retirer ce second facteur")
        return redirect("admin:accounts_secondfactor_changelist")


@admin.register(Visit)
class VisitAdmin(ShownAdmin):
    """Who saw whose space, why, when, and which of its pages."""

    list_display = ["began_at", "by", "user", "ended_at"]
    list_select_related = ["by", "user"]
    search_fields = ["user__email__istartswith", "by__email__istartswith"]
    search_help_text = "Début de l’adresse de la personne visitée, ou du membre du support"
    ordering = ["-began_at", "-id"]
    fields = ["by", "user", "reason", "began_at", "ends_at", "ended_at", "shown_pages"]

    def get_queryset(self, request):
        return super().get_queryset(request).defer("digest")

    @admin.display(description="pages demandées")
    def shown_pages(self, visit):
        lines = format_html_join("", "<div>{}</div>", ((page,) for page in visit.pages))
        if len(visit.pages) < MOST_PAGES:
            return lines or "Aucune."
        return format_html("{}<div>Les suivantes ne sont pas gardées.</div>", lines)


@admin.register(Reading)
class ReadingAdmin(ShownAdmin):
    """What members of support read of people; who may read it is said by ``view_reading``."""

    # The journal is not written by being read.
    is_personal = False
    list_display = ["at", "by", "screen", "shown_object"]
    list_select_related = ["by"]
    search_fields = ["by__email__istartswith", "object_key"]
    search_help_text = "Début de l’adresse d’un membre du support, ou identifiant d’un objet"
    ordering = ["-at", "-id"]
    fields = ["at", "by", "screen", "shown_object"]

    def get_search_results(self, request, queryset, search_term):
        term = search_term.strip()
        if not term:
            return queryset, False
        if "@" in term:
            return queryset.filter(by__email__startswith=term.lower()), False
        return queryset.filter(object_key=term), False

    @admin.display(description="objet")
    def shown_object(self, reading):
        """Its kind and its key, and a link where its page still has a name."""
        app, _, name = reading.model.partition(".")
        try:
            label = apps.get_model(reading.model)._meta.verbose_name
            url = reverse(f"admin:{app}_{name}_change", args=[reading.object_key])
        except (LookupError, ValueError, NoReverseMatch):
            return f"{reading.model} {reading.object_key}".strip()
        return format_html('{} <a href="{}">{}</a>', label, url, reading.object_key)
