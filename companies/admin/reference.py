"""The nomenclatures as they were loaded: to look up a code, a place, a job. Nothing is typed here."""

from django.contrib import admin
from django.utils.html import format_html, format_html_join

from companies.models import (
    Commune,
    Departement,
    FormerCommune,
    Idcc,
    Naf,
    NafRomeShare,
    Opco,
    ReferenceImport,
    Region,
    Rome,
    RomeAppellation,
    RomeItem,
    RomeMobility,
)
from companies.models.search_keys import place_key
from labonnealternance.kit.admin import ShownAdmin, ShownInline
from labonnealternance.kit.text import search_key


@admin.register(ReferenceImport)
class ReferenceImportAdmin(ShownAdmin):
    """Each run of ``import_references``: what it changed, and why it was refused."""

    is_personal = False
    list_display = ["started_at", "source", "status", "bad_lines", "forced_reason", "refusal"]
    list_filter = ["status"]
    ordering = ["-started_at"]
    fields = readonly_fields = (
        "source", "status", "started_at", "finished_at", "forced_reason", "refusal", "bad_lines", "what_changed",
        "reasons",
    )  # fmt: skip

    @admin.display(description="tables")
    def what_changed(self, run):
        return format_html_join(
            "",
            "<div>{} : {} lues, {} ajoutées, {} modifiées, {} retirées, {} gardées</div>",
            (
                (label, table["read"], table["added"], table["changed"], table["removed"], table["kept"])
                for label, table in run.tables.items()
            ),
        )

    @admin.display(description="premières lignes écartées")
    def reasons(self, run):
        return format_html_join("", "<div>{}, ligne {} : {}</div>", run.faults) or "—"


@admin.register(Region)
class RegionAdmin(ShownAdmin):
    is_personal = False
    list_display = ["code", "name"]
    ordering = ["code"]


@admin.register(Departement)
class DepartementAdmin(ShownAdmin):
    is_personal = False
    list_display = ["code", "name", "region"]
    list_select_related = ["region"]
    search_fields = ["code", "name"]
    ordering = ["code"]


class _SearchedByKey(ShownAdmin):
    """Found by the beginning of the code, or by a piece of the name without accents (an index serves both)."""

    is_personal = False
    make_key = staticmethod(search_key)

    def get_search_results(self, request, queryset, search_term):
        found, may_repeat = super().get_search_results(request, queryset, "")
        key = self.make_key(search_term[:80])
        if key:
            found = found.filter(search_key__contains=key) | found.filter(pk__startswith=search_term.strip()[:5])
        return found, may_repeat


@admin.register(Commune)
class CommuneAdmin(_SearchedByKey):
    make_key = staticmethod(place_key)
    list_display = ["code", "name", "postcodes", "departement", "population", "employment_zone"]
    list_display_links = ["name"]
    list_select_related = ["departement"]
    search_fields = ["search_key"]
    search_help_text = "Nom, ou début du code INSEE"
    ordering = ["-population", "code"]


@admin.register(FormerCommune)
class FormerCommuneAdmin(_SearchedByKey):
    make_key = staticmethod(place_key)
    list_display = ["code", "name", "commune"]
    list_select_related = ["commune"]
    search_fields = ["search_key"]
    search_help_text = "Nom, ou début du code INSEE"
    ordering = ["code"]


class NafRomeShareInline(ShownInline):
    model = NafRomeShare
    verbose_name_plural = "métiers recrutés"
    fields = ["rome", "percentage"]
    readonly_fields = ["percentage"]
    ordering = ["-share"]

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("rome")

    @admin.display(description="part")
    def percentage(self, row):
        return f"{100 * row.share:.1f} %".replace(".", ",")


@admin.register(Naf)
class NafAdmin(ShownAdmin):
    is_personal = False
    list_display = ["code", "label"]
    search_fields = ["code__startswith", "label"]
    ordering = ["code"]
    inlines = [NafRomeShareInline]


@admin.register(Opco)
class OpcoAdmin(ShownAdmin):
    is_personal = False
    list_display = ["code", "name", "api_label"]
    ordering = ["name"]


@admin.register(Idcc)
class IdccAdmin(ShownAdmin):
    is_personal = False
    list_display = ["code", "label", "opco"]
    list_select_related = ["opco"]
    list_filter = ["opco"]
    search_fields = ["code__startswith", "label"]
    ordering = ["code"]


class RomeAppellationInline(ShownInline):
    model = RomeAppellation
    fields = ["ogr", "label", "is_main", "is_rare"]
    ordering = ["-is_main", "is_rare", "label"]


class RomeMobilityInline(ShownInline):
    model = RomeMobility
    fk_name = "rome"
    fields = ["position", "target"]
    ordering = ["position"]

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("target")


class RomeItemInline(ShownInline):
    model = RomeItem
    fields = ["kind", "label", "category", "is_core"]
    ordering = ["kind", "-is_core", "label"]


@admin.register(Rome)
class RomeAdmin(ShownAdmin):
    is_personal = False
    list_display = ["code", "label", "domain_label", "hirings"]
    search_fields = ["code__startswith", "label"]
    ordering = ["code"]
    inlines = [RomeAppellationInline, RomeMobilityInline, RomeItemInline]


@admin.register(RomeAppellation)
class RomeAppellationAdmin(ShownAdmin):
    is_personal = False
    list_display = ["ogr", "label", "job", "is_main", "is_rare"]
    list_display_links = ["label"]
    list_select_related = ["rome"]
    search_fields = ["search_key"]
    search_help_text = "Un mot du titre"
    ordering = ["-is_main", "is_rare", "ogr"]

    def get_search_results(self, request, queryset, search_term):
        key = search_key(search_term[:80])
        return (queryset.filter(search_key__contains=key) if key else queryset), False

    @admin.display(description="métier")
    def job(self, appellation):
        return format_html("{} {}", appellation.rome_id, appellation.rome.label)
