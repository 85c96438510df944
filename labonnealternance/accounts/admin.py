"""People in the back-office: shown, shut and opened again."""

from django.contrib import admin, messages
from django.shortcuts import redirect

from labonnealternance.accounts import actions
from labonnealternance.accounts.enums import GROUPS, Role
from labonnealternance.accounts.models import SecondFactor, User
from labonnealternance.kit.admin import ShownAdmin, button
from labonnealternance.kit.contacts import shown_phone


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
    """One page per person; ``search`` finds the beginning of an address or of a name."""

    list_display = ["email", "last_name", "first_name", "shown_roles", "is_active", "last_login", "joined_at"]
    list_filter = ["is_active", RoleFilter]
    search_fields = ["email__istartswith", "last_name__istartswith"]
    search_help_text = "Début de l'adresse e-mail ou du nom"
    ordering = ["-joined_at", "-id"]
    fields = [
        "email", "email_confirmed_at", "first_name", "last_name", "shown_number", "shown_roles", "is_superuser",
        "is_active", "joined_at", "last_login", "anonymised_at",
    ]  # fmt: skip
    buttons = ["deactivate", "reactivate"]

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("groups")

    @admin.display(description="téléphone")
    def shown_number(self, user):
        return shown_phone(user.phone) or "—"

    @admin.display(description="rôles")
    def shown_roles(self, user):
        return ", ".join(role.label for role in user.roles) or "—"

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
    search_help_text = "Début de l'adresse e-mail"
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
        warning="La personne ne pourra plus entrer dans le back-office avant d'en avoir reçu un autre "
        "(commande create_support_account --renew).",
        typed=lambda device: device.user.email,
        permission="delete",
    )
    def remove(self, request, device, answers):
        actions.remove_second_factor(user_id=device.user_id, by=request.user)
        self.message_user(request, "Le second facteur est retiré.", messages.SUCCESS)
        self.log_change(request, device.user, "Retirer ce second facteur")
        return redirect("admin:accounts_secondfactor_changelist")
