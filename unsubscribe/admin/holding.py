"""Who follows a row of a queue."""

from django.contrib import admin

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
