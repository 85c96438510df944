"""One page per establishment: what the registry says, what people decided, how to reach it, what the other apps tell of
it; and support's buttons.
"""

from urllib.parse import urlencode

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.template.defaultfilters import linebreaksbr
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join

from companies.actions import explanations, hiring_potentials, opcos, registrations, remarks, visibility
from companies.actions.registrations import CouldNotVerify
from companies.actions.remarks import RefusedRemark
from companies.actions.visibility import RefusedDecision
from companies.admin.decisions import (
    ChannelForm,
    CorrectionForm,
    DecisionForm,
    ListingForm,
    PauseForm,
    decision_asked,
    decision_url,
    last_day,
    saying_how_far,
    standing,
    what_of,
    with_effective_contact,
)
from companies.enums import Channel, DecisionOrigin, DecisionScope, OpcoOrigin
from companies.models import (
    Contact,
    ContactCorrection,
    Establishment,
    EstablishmentImport,
    Opco,
    Remark,
    VisibilityDecision,
    spaced_siret,
    without_separators,
)
from companies.models.remark import LONGEST_REMARK
from companies.models.search_keys import NameKey
from labonnealternance.kit import panels
from labonnealternance.kit.admin import NOT_CHOSEN, ReasonForm, ShownAdmin, author, button, moment, table
from labonnealternance.kit.contacts import searched_phone, shown_phone
from labonnealternance.kit.http import ParagraphsField
from labonnealternance.kit.panels import MOST_LINES, panel
from labonnealternance.kit.text import counted, search_key
from labonnealternance.mail.admin import mails_to

MOST_FOUND = 500
SHORTEST_NAME = 3
MOST_WORDS = 8
SHOWN_LINES = 50
MOST_REASONS = 3


class OpcoForm(ReasonForm):
    opco = forms.ModelChoiceField(label="OPCO", queryset=Opco.objects.order_by("name"), empty_label=NOT_CHOSEN[1])
    field_order = ["opco", "reason"]


class RemarkForm(forms.Form):
    text = ParagraphsField(
        label="Remarque",
        max_length=LONGEST_REMARK,
        widget=forms.Textarea({"rows": 5}),
        help_text="Des faits utiles à vos collègues. La personne concernée peut demander à la lire.",
    )


def _remarks_to_remove(establishment: Establishment) -> type[forms.Form]:
    """One of the remarks that stand."""
    kept = Remark.objects.about(establishment.siret).filter(removed_at__isnull=True).select_related("by")
    choices = [
        (each.pk, f"{moment(each.at)}, {each.by.get_full_name()} : {each.text[:80]}") for each in kept[:SHOWN_LINES]
    ]

    class Form(forms.Form):
        remark_id = forms.TypedChoiceField(label="Remarque", choices=[NOT_CHOSEN, *choices], coerce=int)

    return Form


class VerificationFilter(admin.SimpleListFilter):
    title = "registre"
    parameter_name = "a_verifier"

    def lookups(self, request, model_admin):
        return [("oui", "À vérifier")]

    def queryset(self, request, queryset):
        return queryset.filter(to_verify_since__isnull=False) if self.value() == "oui" else queryset


@admin.register(Establishment)
class EstablishmentAdmin(ShownAdmin):
    list_display = ["shown_siret", "shown_name", "commune", "naf", "closed_on", "is_diffusible"]
    list_select_related = ["commune", "naf"]
    list_display_links = ["shown_siret", "shown_name"]
    list_filter = [VerificationFilter]
    search_fields = ["siret"]
    search_help_text = (
        "SIRET, SIREN, adresse e-mail (aussi celle d’un recruteur), téléphone, ou au moins trois lettres du nom."
    )
    change_form_template = "admin/told.html"
    told_about = "establishment"
    ordering = ["-pk"]
    # What support is asked about first, the registry's facts after.
    fieldsets = [
        (
            None,
            {
                "fields": [
                    "shown_siret", "shown_name", "visible", "known_remarks", "decisions", "contact", "corrections",
                    "potentials",
                ]
            },
        ),
        ("OPCO", {"fields": ["operator", "opcos_told"]}),
        (
            "Au registre",
            {
                "fields": [
                    "legal_name", "naf", "headcount_band", "address", "address_complement", "postcode", "commune",
                    "latitude", "longitude", "created_on", "closed_on", "is_headquarters", "is_employer",
                    "is_diffusible", "agreement", "registry_updated_at", "imported_by", "verification",
                ]
            },
        ),
    ]  # fmt: skip
    readonly_fields = [
        "shown_siret", "shown_name", "visible", "known_remarks", "decisions", "contact", "corrections", "potentials",
        "agreement", "operator", "opcos_told", "imported_by", "verification",
    ]  # fmt: skip
    buttons = [
        "delist", "pause", "hide_channel", "list_establishment", "correct_contact", "change_opco", "verify", "remark",
        "remove_remark",
    ]  # fmt: skip

    def get_search_results(self, request, queryset, search_term):
        """A number is looked up by its index, a name by its trigrams; never more than ``MOST_FOUND`` rows.

        What is found in other tables, or by words, is read first: joined, it would have the whole table read.
        """
        text = search_term.strip()
        digits = without_separators(text)
        if not text:
            return queryset, False
        if digits.isdecimal() and len(digits) in (9, 14):
            return queryset.filter(**{"siret" if len(digits) == 14 else "siren": digits}), False
        if "@" in text:
            address = text.lower()
            known = [*_sirets_with(email=address), *panels.keys_behind("establishment", address=address)]
            return queryset.filter(siret__in=known), False
        if phone := searched_phone(text):
            return queryset.filter(siret__in=_sirets_with(phone=phone)), False
        words = [word for word in search_key(text).split() if len(word) >= SHORTEST_NAME][:MOST_WORDS]
        if not words:
            return queryset.none(), False
        named = Establishment.objects.alias(key=NameKey("name"))
        for word in words:
            named = named.filter(key__contains=word)
        found = list(named.values_list("pk", flat=True)[: MOST_FOUND + 1])
        if len(found) > MOST_FOUND:
            told = f"Plus de {MOST_FOUND} noms contiennent ces mots : en voici {MOST_FOUND}. Ajoutez un mot du nom."
            messages.info(request, told)
        return queryset.filter(pk__in=found[:MOST_FOUND]), False

    def panel_key(self, establishment):
        return establishment.siret

    @admin.display(description="SIRET", ordering="siret")
    def shown_siret(self, establishment):
        return spaced_siret(establishment.siret)

    @admin.display(description="Nom", ordering="name")
    def shown_name(self, establishment):
        return establishment.display_name

    @admin.display(description="Convention collective (IDCC)")
    def agreement(self, establishment):
        return establishment.idcc or "—"

    @admin.display(description="OPCO")
    def operator(self, establishment):
        if establishment.opco is None:
            return "Inconnu."
        return f"{establishment.opco}, {'certifié' if establishment.opco_is_certified else 'non certifié'}"

    @admin.display(description="Journal de l’OPCO")
    def opcos_told(self, establishment):
        told = establishment.opco_journal.select_related("opco", "by").order_by("-at", "-pk")[:SHOWN_LINES]
        return table(
            (
                (
                    each.opco or "aucun",
                    author(each.by, otherwise=each.get_origin_display()),
                    moment(each.at),
                    each.reason,
                )
                for each in told
            ),
            ["OPCO", "Dit par", "Le", "Raison"],
        )

    @admin.display(description="Vérification")
    def verification(self, establishment):
        if establishment.refusal:
            return f"Refusé à l’inscription : {establishment.get_refusal_display().lower()}."
        checked = f"dernière réponse du registre le {moment(establishment.checked_at)}"
        if establishment.to_verify_since:
            known = checked if establishment.checked_at else "le registre n’a pas encore répondu"
            return f"À vérifier depuis le {moment(establishment.to_verify_since)} : {known}."
        return f"Faite : {checked}." if establishment.checked_at else "Connu par l’import."

    @admin.display(description="Dernier import")
    def imported_by(self, establishment):
        if establishment.last_import is None:
            return "—"
        page = reverse("admin:companies_establishmentimport_change", args=[establishment.last_import_id])
        started = moment(establishment.last_import.started_at)
        return format_html('<a href="{}">{}</a>, le {}', page, establishment.last_import, started)

    def view_on_site(self, establishment):
        """The public page, where there is one."""
        is_public, _ = _seen_by_the_public(establishment, timezone.now())
        return reverse(settings.ESTABLISHMENT_PAGE, args=[establishment.siret]) if is_public else None

    @admin.display(description="Visible du public")
    def visible(self, establishment):
        _, sentence = _seen_by_the_public(establishment, timezone.now())
        why = f"{reverse('admin:companies_why_shown')}?{urlencode({'siret': establishment.siret})}"
        return format_html('{} <a href="{}">Pourquoi ?</a>', sentence, why)

    @admin.display(description="Décisions")
    def decisions(self, establishment):
        email = with_effective_contact(establishment).effective_email
        at = timezone.now()
        known = (
            VisibilityDecision.objects.about(siret=establishment.siret, email=email)
            .select_related("decided_by", "revoked_by")
            .order_by("-decided_at", "-pk")[:SHOWN_LINES]
        )
        return table(
            (
                (
                    format_html('<a href="{}">{}</a>', decision_url("change", each), what_of(each)),
                    each.get_scope_display() + ("" if each.scope == DecisionScope.SIRET else f" : {each.value}"),
                    standing(each, at),
                    moment(each.starts_at),
                    last_day(each.ends_at) or "sans fin",
                    each.get_reason_display(),
                    author(each.decided_by, otherwise=each.get_origin_display()),
                )
                for each in known
            ),
            ["Décision", "Portée", "État", "Depuis", "Dernier jour", "Motif", "Par"],
            none="Aucune.",
        )

    @admin.display(description="Contact connu")
    def contact(self, establishment):
        imported = Contact.objects.filter(siret=establishment.siret).first()
        shown = with_effective_contact(establishment)
        source = f"{imported.source}, {moment(imported.imported_at)}" if imported else "aucun contact importé"
        return table(
            [(shown.effective_email or "aucun", shown_phone(shown.effective_phone) or "aucun", source)],
            ["E-mail", "Téléphone", "Source importée"],
        )

    @admin.display(description="Potentiels en ligne")
    def potentials(self, establishment):
        known = hiring_potentials.potentials_of(establishment_ids=[establishment.pk])[establishment.pk]
        why = explanations.reasons_of(establishment_ids=[establishment.pk], at=timezone.now())[establishment.pk]
        unknown = "Calcul en cours : rechargez la page dans une minute." if why.is_awaited else "—"
        return table(
            (
                (
                    each.rome,
                    f"{each.expected:.2f}".replace(".", ","),
                    format_html_join(
                        "", "{}<br>", ((reason,) for reason in why.by_rome.get(each.rome.pk, ())[:MOST_REASONS])
                    )
                    or unknown,
                )
                for each in known
            ),
            ["Métier", "Contrats attendus", "Principales raisons"],
        )

    @admin.display(description="Remarques")
    def known_remarks(self, establishment):
        known = Remark.objects.about(establishment.siret).select_related("by", "removed_by")[:SHOWN_LINES]
        return table(
            (
                (
                    moment(each.at),
                    author(each.by),
                    linebreaksbr(each.text)
                    if each.removed_at is None
                    else format_html("retirée le {} par {}", moment(each.removed_at), author(each.removed_by)),
                )
                for each in known
            ),
            ["Le", "Par", "Remarque"],
            none="Aucune.",
        )

    @admin.display(description="Corrections")
    def corrections(self, establishment):
        known = ContactCorrection.objects.filter(siret=establishment.siret).select_related("decided_by")
        return table(
            (
                (
                    each.get_channel_display(),
                    (shown_phone(each.value) if each.channel == Channel.PHONE else each.value) or "effacé",
                    moment(each.decided_at),
                    author(each.decided_by, otherwise=each.get_origin_display()),
                    each.reason,
                )
                for each in known.order_by("-decided_at", "-pk")[:SHOWN_LINES]
            ),
            ["Contact", "Valeur", "Le", "Par", "Raison"],
            none="Aucune.",
        )

    @button(
        "Retirer",
        form=saying_how_far(DecisionForm),
        warning="Dès que vous confirmez, l’établissement n’est plus visible nulle part.",
        refusals=(RefusedDecision,),
    )
    def delist(self, request, establishment, answers):
        visibility.delist(**decision_asked(request, establishment, answers))
        if answers["scope"] == DecisionScope.SIRET:
            return "L’établissement est retiré."
        return "Tous les établissements de cette portée sont retirés."

    @button(
        "Mettre en pause",
        form=saying_how_far(PauseForm),
        warning="L’établissement n’est plus visible jusqu’à la fin du dernier jour.",
        refusals=(RefusedDecision,),
    )
    def pause(self, request, establishment, answers):
        visibility.pause(**decision_asked(request, establishment, answers))
        if answers["scope"] == DecisionScope.SIRET:
            return "L’établissement est en pause."
        return "Tous les établissements de cette portée sont en pause."

    @button(
        "Masquer un moyen de contact",
        form=saying_how_far(ChannelForm),
        warning="L’établissement reste visible, sans ce moyen de le joindre.",
        refusals=(RefusedDecision,),
    )
    def hide_channel(self, request, establishment, answers):
        visibility.hide_channel(**decision_asked(request, establishment, answers))
        return "Le moyen de contact est masqué."

    @button(
        "Référencer",
        form=ListingForm,
        warning="L’établissement sera trouvé pour ces métiers, sans score.",
        refusals=(RefusedDecision,),
    )
    def list_establishment(self, request, establishment, answers):
        visibility.list_establishment(
            siret=establishment.siret, by=request.user, at=timezone.now(), origin=DecisionOrigin.SUPPORT, **answers
        )
        return "L’établissement est référencé."

    @button("Corriger un contact", form=CorrectionForm, refusals=(RefusedDecision,))
    def correct_contact(self, request, establishment, answers):
        visibility.correct_contact(
            siret=establishment.siret, by=request.user, at=timezone.now(), origin=DecisionOrigin.SUPPORT, **answers
        )
        return "Le contact est corrigé."

    @button(
        "Changer l’OPCO",
        form=OpcoForm,
        warning="Les demandes de ses recruteurs iront à cet OPCO. Aucun registre ne le changera plus.",
    )
    def change_opco(self, request, establishment, answers):
        opco = opcos.assign(
            establishment_id=establishment.pk, by=request.user, at=timezone.now(), origin=OpcoOrigin.SUPPORT, **answers
        )
        return f"L’OPCO de l’établissement est {opco}."

    @button(
        "Vérifier maintenant",
        warning="Le registre des entreprises est interrogé, et ce qu’il dit est écrit ici.",
        refusals=(CouldNotVerify,),
    )
    def verify(self, request, establishment, answers):
        verified = registrations.verify_now(establishment_id=establishment.pk, at=timezone.now())
        if verified.refusal:
            return f"L’établissement est refusé : {verified.get_refusal_display().lower()}."
        return "Ce que dit le registre est écrit."

    @button(
        "Ajouter une remarque",
        form=RemarkForm,
        warning="Elle se lit en haut de cette page, avec votre nom. Elle ne se modifie pas.",
        refusals=(RefusedRemark,),
    )
    def remark(self, request, establishment, answers):
        remarks.write(siret=establishment.siret, by=request.user, at=timezone.now(), **answers)
        return "La remarque est ajoutée."

    @button(
        "Retirer une remarque",
        form=_remarks_to_remove,
        warning="Son texte est effacé pour de bon. Qui l’avait écrite, et qui la retire, restent notés.",
        when=lambda establishment: Remark.objects.about(establishment.siret).filter(removed_at__isnull=True).exists(),
        refusals=(RefusedRemark,),
    )
    def remove_remark(self, request, establishment, answers):
        remarks.remove(siret=establishment.siret, by=request.user, at=timezone.now(), **answers)
        return "La remarque est retirée."


@admin.register(EstablishmentImport)
class EstablishmentImportAdmin(ShownAdmin):
    is_personal = False
    list_display = ["file_name", "kind", "status", "file_dated_on", "started_at", "read_rows", "quarantined_rows"]
    list_filter = ["kind", "status"]
    ordering = ["-started_at", "-pk"]
    fields = [
        *(field.name for field in EstablishmentImport._meta.fields if field.name not in {"id", "file_sha256"}),
        "fingerprint",
    ]
    readonly_fields = ["fingerprint"]

    @admin.display(description="Empreinte du fichier (SHA-256)")
    def fingerprint(self, record):
        return record.file_sha256


@panel("establishment", rank=60, permission="mail.view_message")
def mails(*, key, at):
    """The latest ones to the addresses that the apps know of it; those of its people may be about their others."""
    known = panels.addresses_of("establishment", key=key)
    place = reverse("admin:mail_message_changelist")
    addresses = format_html_join(", ", '<a href="{}?{}">{}</a>', ((place, urlencode({"q": to}), to) for to in known))
    return mails_to(
        known,
        words=format_html("Les {} derniers. Tous ceux d’une adresse : {}.", MOST_LINES, addresses) if known else "",
    )


@panels.addresses("establishment")
def contact_addresses(*, key):
    """Those that were imported or given, past ones too."""
    corrected = ContactCorrection.objects.filter(siret=key, channel=Channel.EMAIL).order_by("-decided_at", "-id")
    return [
        *corrected.values_list("value", flat=True)[: panels.MOST_ADDRESSES],
        *Contact.objects.filter(siret=key).values_list("email", flat=True),
    ]


def _key(object_id: str) -> int:
    """The key that an address names; 0, which no row has, where it can't be one."""
    text = unquote(object_id)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else 0


def _sirets_with(*, email: str = "", phone: str = "") -> list[str]:
    """The SIRETs that were given this address, or this number, by an import or by someone."""
    channel, value = (Channel.EMAIL, email) if email else (Channel.PHONE, phone)
    imported = Contact.objects.filter(**{channel.value: value}).values_list("siret", flat=True)
    corrected = ContactCorrection.objects.filter(channel=channel, value=value).values_list("siret", flat=True)
    return [*imported[:MOST_FOUND], *corrected[:MOST_FOUND]]


def _seen_by_the_public(establishment: Establishment, at) -> tuple[bool, str]:
    """Whether its page exists, and the sentence that says why."""
    if Establishment.objects.listed(at).filter(pk=establishment.pk).exists():
        jobs = sum(map(len, hiring_potentials.jobs_of(establishment=establishment, at=at)))
        if jobs:
            return True, f"Oui, pour {counted(jobs, 'métier', 'métiers')}."
        return False, "Non : aucun métier ne lui est attribué. « Référencer » lui en donne."
    if not Establishment.objects.open(at).filter(pk=establishment.pk).exists():
        return False, f"Non : fermé depuis le {establishment.closed_on:%d/%m/%Y}."
    if not establishment.is_diffusible:
        return False, "Non : l’entreprise s’est opposée à la diffusion de ses données à l’Insee."
    if establishment.to_verify_since:
        return False, "Non : ses données restent à vérifier au registre."
    if establishment.latitude is None:
        return False, "Non : son adresse n’est pas située sur la carte."
    if not Establishment.objects.unhidden(at).filter(pk=establishment.pk).exists():
        return False, "Non : une décision en vigueur le cache."
    return False, "Non : il n’emploie personne, selon le registre. « Référencer » le rend visible."
