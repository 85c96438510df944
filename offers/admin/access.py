"""Who asks to act for an establishment: what vouches for them, and support's word until an OPCO gives its own."""

from django import forms
from django.conf import settings
from django.contrib import admin
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from companies.actions import contacts
from companies.models import Opco, spaced_siret
from labonnealternance.kit.admin import ReasonForm, ShownAdmin, ShownInline, button, moment, table
from labonnealternance.kit.contacts import shown_phone
from labonnealternance.kit.http import ParagraphsField
from labonnealternance.mail import actions as mail
from offers.actions import accesses
from offers.admin.finding import SEARCH_HELP, SHOWN_LINES, link, link_to_establishment, link_to_offer, narrowed
from offers.enums import AccessStatus
from offers.models import Access, AccessMove


class DenialForm(forms.Form):
    reason = ParagraphsField(
        label="Raison",
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Elle est écrite telle quelle à la personne, et gardée avec votre nom.",
    )


TO_DECIDE, NOT_CONFIRMED = "À décider", "Adresse non confirmée"


class StandingFilter(admin.SimpleListFilter):
    title = "état"
    parameter_name = "etat"

    def lookups(self, request, model_admin):
        return [("a-decider", TO_DECIDE), ("non-confirme", NOT_CONFIRMED), *AccessStatus.choices[1:]]

    def queryset(self, request, queryset):
        if self.value() == "a-decider":
            return queryset.awaiting()
        if self.value() == "non-confirme":
            return queryset.filter(status=AccessStatus.AWAITING, confirmed_at__isnull=True)
        return queryset.filter(status=self.value()) if self.value() in AccessStatus else queryset


WITHOUT_OPCO = "inconnu"


class OperatorFilter(admin.SimpleListFilter):
    title = "OPCO"
    parameter_name = "opco"

    def lookups(self, request, model_admin):
        return [(WITHOUT_OPCO, "OPCO inconnu"), *Opco.objects.order_by("name").values_list("code", "name")]

    def queryset(self, request, queryset):
        if self.value() == WITHOUT_OPCO:
            return queryset.filter(establishment__opco__isnull=True)
        is_one = self.value() in dict(self.lookup_choices)
        return queryset.filter(establishment__opco=self.value()) if is_one else queryset


class RegistryFilter(admin.SimpleListFilter):
    title = "établissement"
    parameter_name = "etablissement"

    def lookups(self, request, model_admin):
        return [("a-verifier", "À vérifier auprès du registre")]

    def queryset(self, request, queryset):
        is_asked = self.value() == "a-verifier"
        return queryset.filter(establishment__to_verify_since__isnull=False) if is_asked else queryset


class JournalInline(ShownInline):
    model = AccessMove
    fields = ["at", "from_status", "to_status", "by", "reason"]
    ordering = ["at", "pk"]

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("by")


def _denial(access: Access, answers: dict) -> str:
    """What the person will read of a refusal."""
    if access.confirmed_at is None:
        return "Aucun e-mail : la personne n’a pas confirmé son adresse."
    return mail.as_read(accesses.denial_of(access=access, reason=answers["reason"]))


@admin.register(Access)
class AccessAdmin(ShownAdmin):
    list_display = ["user", "company", "siret", "operator", "standing", "origin", "asked_at"]
    list_select_related = ["user", "establishment__opco"]
    list_filter = [StandingFilter, OperatorFilter, RegistryFilter, "origin"]
    search_fields = ["user"]
    search_help_text = SEARCH_HELP
    ordering = ["-asked_at", "-id"]
    fields = [
        "file", "person", "names", "phone", "place", "verification", "operator", "status", "origin", "asked_at",
        "confirmed_at", "decided_at", "known_contact", "known_domains", "comparison", "offers", "registrations",
    ]  # fmt: skip
    readonly_fields = [
        "file", "person", "names", "phone", "place", "verification", "operator", "known_contact", "known_domains",
        "comparison", "offers", "registrations",
    ]  # fmt: skip
    inlines = [JournalInline]
    buttons = ["grant", "deny"]

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("user", "establishment__opco")

    def get_search_results(self, request, queryset, search_term):
        return narrowed(queryset, search_term), False

    @admin.display(description="État", ordering="status")
    def standing(self, access):
        if access.status != AccessStatus.AWAITING:
            return access.get_status_display()
        return TO_DECIDE if access.confirmed_at else NOT_CONFIRMED

    @admin.display(description="Établissement")
    def company(self, access):
        return access.establishment.display_name

    @admin.display(description="SIRET")
    def siret(self, access):
        return spaced_siret(access.establishment.siret)

    @admin.display(description="Dossier")
    def file(self, access):
        """Where advisors certify, refuse, pass on and ask: support does so too, with what they see."""
        if access.confirmed_at is None:
            return "La personne n’a pas confirmé son adresse : personne ne la juge."
        page = reverse(settings.FILE_PAGE, args=[access.pk])
        return format_html('<a href="{}">Ouvrir dans la file des recruteurs à valider</a>', page)

    @admin.display(description="Personne")
    def person(self, access):
        return link(access.user)

    @admin.display(description="Nom")
    def names(self, access):
        return access.user.get_full_name()

    @admin.display(description="Téléphone")
    def phone(self, access):
        return shown_phone(access.user.phone) or "—"

    @admin.display(description="Établissement")
    def place(self, access):
        return link_to_establishment(access.establishment)

    @admin.display(description="Vérification auprès du registre")
    def verification(self, access):
        since = access.establishment.to_verify_since
        return f"à faire depuis le {moment(since)}" if since else "faite"

    @admin.display(description="OPCO")
    def operator(self, access):
        return access.establishment.opco or "OPCO inconnu"

    @admin.display(description="Contact connu de l’établissement")
    def known_contact(self, access):
        return contacts.known_contact(siret=access.establishment.siret) or "aucun"

    @admin.display(description="Domaines connus de l’entreprise")
    def known_domains(self, access):
        known = sorted(contacts.known_domains(siren=access.establishment.siren))
        return ", ".join(known[:SHOWN_LINES]) or "aucun"

    @admin.display(description="L’adresse de la personne")
    def comparison(self, access):
        centre = contacts.training_centre_of(email=access.user.email, besides=access.establishment.siren)
        told = self._what_it_proves(access)
        if centre is None:
            return told
        whose = "L’adresse est celle" if centre.is_contact else "Le domaine est celui"
        return f"{whose} du contact connu d’un CFA, {centre.name} (SIRET {spaced_siret(centre.siret)}). {told}"

    def _what_it_proves(self, access):
        email, establishment = access.user.email, access.establishment
        domain = email.rpartition("@")[2]
        if email == contacts.known_contact(siret=establishment.siret):
            return "C’est le contact connu de l’établissement."
        if contacts.is_free_mail(domain):
            return f"Ce n’est pas le contact connu, et n’importe qui peut avoir une adresse {domain}."
        if domain in contacts.known_domains(siren=establishment.siren):
            return "Son domaine est celui d’un contact connu de l’entreprise."
        return f"Rien ne rapproche {domain} de l’entreprise : l’établissement répond-il d’elle ?"

    @admin.display(description="Offres")
    def offers(self, access):
        known = access.offers.order_by("-created_at", "-pk")[:SHOWN_LINES]
        return table(
            ((link_to_offer(each), each.get_status_display(), moment(each.created_at)) for each in known),
            ["Offre", "État", "Déposée le"],
            none="Aucune.",
        )

    @admin.display(description="Inscriptions")
    def registrations(self, access):
        known = access.registrations.order_by("-created_at", "-pk")[:SHOWN_LINES]
        return table(
            (
                (link(each), f"{each.first_name} {each.last_name}", moment(each.confirmed_at) or "non confirmée")
                for each in known
            ),
            ["Inscription", "Nom tel que tapé", "Confirmée le"],
            none="Aucune.",
        )

    @button(
        "Accorder",
        form=ReasonForm,
        warning="La personne en est avertie, et ses offres en attente sont publiées aussitôt.",
        when=lambda access: access.status != AccessStatus.GRANTED and access.confirmed_at is not None,
        refusals=(accesses.AlreadyDecided, accesses.NotConfirmed, accesses.NotForSupport),
    )
    def grant(self, request, access, answers):
        accesses.grant(access_id=access.pk, by=request.user, at=timezone.now(), **answers)
        return "L’accès est accordé."

    @button(
        "Refuser",
        form=DenialForm,
        warning="Ses offres dans cet établissement, en attente ou publiées, sont annulées.",
        when=lambda access: access.status != AccessStatus.DENIED,
        refusals=(accesses.AlreadyDecided,),
        preview=_denial,
    )
    def deny(self, request, access, answers):
        accesses.deny(access_id=access.pk, by=request.user, at=timezone.now(), **answers)
        return "L’accès est refusé."
