"""What the lines of both queues say: who follows a row, and which establishment it is about."""

from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, Subquery

from companies.models import Establishment
from labonnealternance.kit.admin import author, moment, table

MINE, NOBODY_S = "moi", "personne"


class HolderFilter(admin.SimpleListFilter):
    title = "suivi"
    parameter_name = "suivi"

    def lookups(self, request, model_admin):
        return [(MINE, "Par moi"), (NOBODY_S, "Par personne")]

    def queryset(self, request, queryset):
        if self.value() == MINE:
            return queryset.filter(taken_by=request.user)
        return queryset.filter(taken_by__isnull=True) if self.value() == NOBODY_S else queryset


def journal_of(row: Any) -> str:
    """Who moved the row from one state to the other, when and why."""
    lines = row.journal.select_related("by").order_by("pk")
    told = ((moment(line.at), line.get_to_status_display(), author(line.by), line.reason) for line in lines)
    return table(told, ["Le", "État", "Auteur", "Raison"])


def name_of(column: str) -> Subquery:
    """The name of the establishment whose SIRET ``column`` has; none where we do not know it."""
    return Subquery(Establishment.objects.filter(siret=OuterRef(column)).values("name")[:1])
