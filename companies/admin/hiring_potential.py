"""What support sees of releases, and its two buttons: put one online, put the previous one back."""

import json

from django.contrib import admin
from django.utils import timezone
from django.utils.html import format_html, format_html_join

from companies.actions import hiring_potentials
from companies.enums import ReleaseStatus
from companies.models import Release, ReleaseMove, SearchEdition
from labonnealternance.kit.admin import ReasonForm, ShownAdmin, ShownInline, button
from labonnealternance.kit.states import ForbiddenMove

# What a release counts, as support reads it.
SUMMARY = {
    "romes": "métiers",
    "establishments": "établissements",
    "potentials": "potentiels",
    "written_rows": "lignes reçues",
    "unknown_sirets": "lignes d’un SIRET inconnu",
    "unknown_romes": "lignes d’un métier inconnu",
}


class JournalInline(ShownInline):
    model = ReleaseMove
    fields = ["at", "from_status", "to_status", "by", "reason"]
    ordering = ["at", "pk"]

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("by")


class EditionInline(ShownInline):
    model = SearchEdition
    fields = ["day", "built_at", "is_current", "superseded_at", "entries"]
    ordering = ["-pk"]


@admin.register(Release)
class ReleaseAdmin(ShownAdmin):
    """The releases of the score, latest first."""

    is_personal = False
    list_display = ["number", "status", "origin", "begun_at", "published_at", "potentials", "establishments"]
    list_filter = ["status"]
    ordering = ["-begun_at"]
    fields = [
        "status", "origin", "begun_at", "finished_at", "published_at", "dropped_at", "asked_at", "asked_by",
        "asked_reason", "shown_summary", "shown_policy",
    ]  # fmt: skip
    readonly_fields = ["shown_summary", "shown_policy"]
    inlines = [JournalInline, EditionInline]
    buttons = ["publish", "rollback"]

    @admin.display(description="Livraison", ordering="pk")
    def number(self, release):
        return str(release)

    @admin.display(description="Potentiels")
    def potentials(self, release):
        return release.summary.get("potentials", "—")

    @admin.display(description="Établissements")
    def establishments(self, release):
        return release.summary.get("establishments", "—")

    @admin.display(description="Résumé")
    def shown_summary(self, release):
        return format_html_join(
            "", "<div>{} : {}</div>", ((SUMMARY.get(name, name), value) for name, value in release.summary.items())
        )

    @admin.display(description="Règle d’exposition")
    def shown_policy(self, release):
        return format_html(
            "<details><summary>Voir les réglages et le minimum de chaque métier</summary><pre>{}</pre></details>",
            json.dumps(release.policy, indent=2, ensure_ascii=False),
        )

    @button(
        "Mettre en ligne",
        form=ReasonForm,
        typed=str,
        warning="Les candidats verront cette livraison. Celle qui est en ligne est gardée pour un retour en arrière.",
        when=lambda release: release.is_publishable,
        refusals=(ForbiddenMove, hiring_potentials.ReasonMissing),
    )
    def publish(self, request, release, answers):
        hiring_potentials.ask_publication(release_id=release.pk, by=request.user, at=timezone.now(), **answers)
        return "La mise en ligne commence dans la minute ; cette page dira quand elle est faite."

    @button(
        "Revenir à la livraison précédente",
        form=ReasonForm,
        typed=str,
        warning="La livraison précédente revient en ligne aussitôt ; celle-ci est retirée.",
        when=lambda release: release.status == ReleaseStatus.CURRENT,
        refusals=(ForbiddenMove, hiring_potentials.ReasonMissing, hiring_potentials.NothingToRollBackTo),
    )
    def rollback(self, request, release, answers):
        restored = hiring_potentials.rollback(by=request.user, at=timezone.now(), **answers)
        return f"La {str(restored).lower()} est de nouveau en ligne."
