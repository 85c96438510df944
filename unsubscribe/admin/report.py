"""Support's queue of reports: the oldest first, each followed by one agent, settled with a reason."""

from urllib.parse import urlencode

from django import forms
from django.contrib import admin
from django.db.models import Count, IntegerField, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join

from companies.models import Establishment, spaced_siret, without_separators
from labonnealternance.kit.admin import ReasonForm, Refused, ShownAdmin, author, button, moment, table
from labonnealternance.kit.text import counted
from offers.enums import OfferStatus
from unsubscribe.actions import reports
from unsubscribe.actions.effects import RefusedRequest
from unsubscribe.admin.holding import HolderFilter, journal_of, name_of
from unsubscribe.enums import ReportKind, ReportStatus
from unsubscribe.models import Report

_EVERY = "tous"
SHOWN_LINES = 20


def _waiting_about(report: Report) -> int:
    return Report.objects.to_treat().filter(siret=report.siret).exclude(pk=report.pk).count()


def _settling(base: type[forms.Form]):
    """``base``, and the others about the same establishment where there are any."""

    def about(report: Report) -> type[forms.Form]:
        others = _waiting_about(report)
        if not others:
            return base

        class Form(base):  # type: ignore[valid-type,misc]
            with_others = forms.BooleanField(
                label=f"Régler aussi {counted(others, 'autre signalement', 'autres signalements')} à son sujet",
                required=False,
                help_text="Ceux qu’un collègue suit restent à traiter.",
            )

        return Form

    return about


class TreatForm(ReasonForm):
    delist_as_closed = forms.BooleanField(
        label="Retirer l’établissement du site : il est fermé",
        required=False,
        help_text="Dès que vous confirmez, il n’est plus visible nulle part. La raison accompagne la décision.",
    )
    field_order = ["reason", "delist_as_closed"]


class StateFilter(admin.SimpleListFilter):
    """What waits for support, unless another state is asked for."""

    title = "état"
    parameter_name = "etat"

    def lookups(self, request, model_admin):
        settled = [each for each in ReportStatus if each != ReportStatus.TO_TREAT]
        return [*((each.value, each.label) for each in settled), (_EVERY, "Tous")]

    def choices(self, changelist):
        first, *others = super().choices(changelist)
        return [{**first, "display": ReportStatus.TO_TREAT.label}, *others]

    def queryset(self, request, queryset):
        if self.value() == _EVERY:
            return queryset
        return queryset.filter(status=self.value() or ReportStatus.TO_TREAT)


def _is_to_treat(report: Report) -> bool:
    return report.status == ReportStatus.TO_TREAT


@admin.register(Report)
class ReportAdmin(ShownAdmin):
    list_display = ["about", "known_name", "kind", "waiting", "reported", "status", "taken_by"]
    list_select_related = ["taken_by"]
    list_filter = [StateFilter, HolderFilter, "kind"]
    search_fields = ["siret"]
    search_help_text = "SIRET, en entier."
    ordering = ["reported_at", "id"]
    fields = [
        "kind", "about", "details", "acts", "shown_offer", "others", "email", "reported_at", "status", "taken_by",
        "settled_at", "erased_at", "journal",
    ]  # fmt: skip
    readonly_fields = ["about", "acts", "shown_offer", "others", "journal"]
    buttons = ["take", "give_back", "treat", "dismiss"]

    def get_queryset(self, request):
        waiting = (
            Report.objects.to_treat()
            .filter(siret=OuterRef("siret"))
            .order_by()
            .values("siret")
            .annotate(count=Count("pk"))
            .values("count")
        )
        return super().get_queryset(request).annotate(
            waiting_count=Coalesce(Subquery(waiting, output_field=IntegerField()), 0), found_name=name_of("siret")
        )  # fmt: skip

    def get_search_results(self, request, queryset, search_term):
        text = search_term.strip()
        return (queryset.filter(siret=without_separators(text)) if text else queryset), False

    @admin.display(description="SIRET", ordering="siret")
    def about(self, report):
        return spaced_siret(report.siret)

    @admin.display(description="Établissement")
    def known_name(self, report):
        return report.found_name or "—"

    @admin.display(description="À traiter pour lui")
    def waiting(self, report):
        return report.waiting_count

    @admin.display(description="Signalé le", ordering="reported_at")
    def reported(self, report):
        return moment(report.reported_at)

    @admin.display(description="Ce qui peut être fait")
    def acts(self, report):
        """The page of the establishment, and its buttons that mend what is reported."""
        known = Establishment.objects.filter(siret=report.siret).first()
        if known is None:
            return format_html(
                'Établissement absent de nos données – <a href="{}?{}">chercher ses décisions</a>',
                reverse("admin:companies_visibilitydecision_changelist"),
                urlencode({"q": report.siret}),
            )
        pages = [("change", str(known))]
        if report.kind == ReportKind.CONTACT:
            pages += [("correct_contact", "Corriger un contact"), ("hide_channel", "Masquer un moyen de contact")]
        else:
            pages += [("verify", "Interroger le registre"), ("delist", "Retirer")]
        return format_html_join(
            " – ",
            '<a href="{}">{}</a>',
            ((reverse(f"admin:companies_establishment_{name}", args=[known.pk]), label) for name, label in pages),
        )

    @admin.display(description="Offre")
    def shown_offer(self, report):
        if report.offer is None:
            return "—"
        told = format_html(
            '<a href="{}">{}</a>, {}',
            reverse("admin:offers_offer_change", args=[report.offer.pk]),
            report.offer.title,
            report.offer.get_status_display().lower(),
        )
        if report.offer.status not in {OfferStatus.AWAITING, OfferStatus.ACTIVE}:
            return told
        moderate = reverse("admin:offers_offer_moderate", args=[report.offer.pk])
        return format_html('{} – <a href="{}">Retirer l’offre</a>', told, moderate)

    @admin.display(description="Autres signalements de cet établissement")
    def others(self, report):
        known = Report.objects.filter(siret=report.siret).exclude(pk=report.pk).select_related("taken_by")
        return table(
            (
                (
                    format_html(
                        '<a href="{}">{}</a>',
                        reverse("admin:unsubscribe_report_change", args=[each.pk]),
                        each.get_kind_display(),
                    ),
                    each.get_status_display(),
                    moment(each.reported_at),
                    author(each.taken_by),
                )
                for each in known.order_by("-reported_at", "-id")[:SHOWN_LINES]
            ),
            ["Signalement", "État", "Le", "Suivi par"],
        )

    @admin.display(description="Journal")
    def journal(self, report):
        return journal_of(report)

    @button(
        "Prendre en charge",
        warning="Le signalement est à votre nom, à la place de qui le suivait.",
        when=_is_to_treat,
        refusals=(RefusedRequest,),
    )
    def take(self, request, report, answers):
        reports.take(report_id=report.pk, by=request.user, at=timezone.now())
        return "Vous suivez ce signalement."

    @button(
        "Rendre",
        warning="Le signalement n’est plus à votre nom : un collègue peut le prendre en charge.",
        when=lambda report: _is_to_treat(report) and report.taken_by_id is not None,
        refusals=(RefusedRequest,),
    )
    def give_back(self, request, report, answers):
        reports.give_back(report_id=report.pk, by=request.user, at=timezone.now())
        return "Vous ne suivez plus ce signalement."

    @button(
        "Marquer traité",
        form=_settling(TreatForm),
        warning="Dites ce qui a été vérifié, et ce qui a été fait.",
        when=_is_to_treat,
        refusals=(RefusedRequest,),
    )
    def treat(self, request, report, answers):
        if answers["delist_as_closed"] and not request.user.has_perm("companies.change_establishment"):
            raise Refused("Vous n’avez pas le droit de retirer un établissement : laissez cette case décochée.")
        settled = reports.treat(report_id=report.pk, by=request.user, at=timezone.now(), **answers)
        end = ", et l’établissement est retiré" if answers["delist_as_closed"] else ""
        return f"{_settled(len(settled), 'traité')}{end}."

    @button(
        "Écarter",
        form=_settling(ReasonForm),
        warning="Rien n’était à faire : dites pourquoi.",
        when=_is_to_treat,
        refusals=(RefusedRequest,),
    )
    def dismiss(self, request, report, answers):
        settled = reports.dismiss(report_id=report.pk, by=request.user, at=timezone.now(), **answers)
        return f"{_settled(len(settled), 'écarté')}."


def _settled(number: int, word: str) -> str:
    return f"{number} signalements sont {word}s" if number > 1 else f"Le signalement est {word}"
