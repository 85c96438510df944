"""What visitors typed before they proved their address: read, never acted on."""

from django.contrib import admin

from companies.models import spaced_siret
from labonnealternance.kit.admin import ShownAdmin, moment, table
from labonnealternance.kit.contacts import shown_phone
from offers.admin.finding import SEARCH_HELP, SHOWN_LINES, link, link_to_establishment, link_to_offer, narrowed
from offers.models import Registration


class ConfirmedFilter(admin.SimpleListFilter):
    title = "état"
    parameter_name = "etat"

    def lookups(self, request, model_admin):
        return [("en-attente", "En attente"), ("confirmee", "Confirmée")]

    def queryset(self, request, queryset):
        if self.value() == "en-attente":
            return queryset.pending()
        return queryset.filter(confirmed_at__isnull=False) if self.value() == "confirmee" else queryset


@admin.register(Registration)
class RegistrationAdmin(ShownAdmin):
    list_display = ["created", "email", "names", "siret", "link_sent_at", "confirmed_at"]
    list_select_related = ["access__user", "access__establishment"]
    list_filter = [ConfirmedFilter]
    search_fields = ["access"]
    search_help_text = SEARCH_HELP
    ordering = ["-created_at", "-id"]
    fields = [
        "person", "names", "shown_number", "place", "operator", "created_at", "link_sent_at", "reminded_at",
        "confirmed_at", "offers",
    ]  # fmt: skip
    readonly_fields = ["person", "names", "shown_number", "place", "operator", "offers"]

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("access__user", "access__establishment")

    def get_search_results(self, request, queryset, search_term):
        return narrowed(queryset, search_term, access="access__"), False

    @admin.display(description="Demandée le", ordering="created_at")
    def created(self, registration):
        return moment(registration.created_at)

    @admin.display(description="Adresse e-mail")
    def email(self, registration):
        return registration.access.user

    @admin.display(description="Nom tel que tapé")
    def names(self, registration):
        return f"{registration.first_name} {registration.last_name}"

    @admin.display(description="Téléphone tel que tapé")
    def shown_number(self, registration):
        return shown_phone(registration.phone)

    @admin.display(description="SIRET")
    def siret(self, registration):
        return spaced_siret(registration.access.establishment.siret)

    @admin.display(description="Accès demandé")
    def person(self, registration):
        return link(registration.access, registration.access.user)

    @admin.display(description="Établissement")
    def place(self, registration):
        return link_to_establishment(registration.access.establishment)

    @admin.display(description="OPCO choisi")
    def operator(self, registration):
        return registration.opco or "—"

    @admin.display(description="Offres")
    def offers(self, registration):
        known = registration.offers.order_by("-created_at", "-pk")[:SHOWN_LINES]
        return table(
            ((link_to_offer(each), each.get_status_display()) for each in known), ["Offre", "État"], none="Aucune."
        )
