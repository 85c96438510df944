"""The sheet of a job, as an offer takes it: what it is, what one does and what one knows, the essential first."""

from dataclasses import dataclass

from django.db.models import Case, IntegerField, Value, When

from companies.enums import RomeItemKind
from companies.models import Rome, RomeAppellation, RomeItem

MOST_SKILLS = 15
MOST_KNOWLEDGE = 10
# A diploma is no knowledge to have: it is what an apprentice comes for.
_DIPLOMAS = "Certifications et habilitations"
# What is proper to the job before what any job asks.
_GENERAL = "Transverse"


class UnknownJob(LookupError):
    """The nomenclature has no such job."""


@dataclass(frozen=True)
class JobSheet:
    """``label`` is the title asked for, or the job's; ``definition`` may hold several paragraphs."""

    rome: Rome
    appellation: RomeAppellation | None
    label: str
    definition: str
    skills: list[str]
    knowledge: list[str]


def sheet_of(*, appellation_ogr: int | None = None, rome_code: str | None = None) -> JobSheet:
    """The sheet of a title, or of a job. Raises ``UnknownJob``."""
    appellation = None
    if appellation_ogr is not None:
        appellation = RomeAppellation.objects.select_related("rome").filter(ogr=appellation_ogr).first()
        rome = appellation.rome if appellation else None
    else:
        rome = Rome.objects.filter(code=rome_code).first()
    if rome is None:
        raise UnknownJob(appellation_ogr or rome_code)
    items = RomeItem.objects.filter(rome=rome).exclude(category=_DIPLOMAS)
    essential_first = items.annotate(
        is_general=Case(When(category=_GENERAL, then=Value(1)), default=Value(0), output_field=IntegerField())
    ).order_by("-is_core", "is_general", "ogr")

    # One statement for both: a sheet lists some hundred items, and a deposit counts its queries.
    rows = list(
        essential_first.filter(kind__in=[RomeItemKind.SKILL, RomeItemKind.KNOWLEDGE]).values_list("kind", "label")
    )

    def labels(kind: RomeItemKind, most: int) -> list[str]:
        return [label for each, label in rows if each == kind][:most]

    return JobSheet(
        rome=rome,
        appellation=appellation,
        label=appellation.label if appellation else rome.label,
        definition=rome.definition,
        skills=labels(RomeItemKind.SKILL, MOST_SKILLS),
        knowledge=labels(RomeItemKind.KNOWLEDGE, MOST_KNOWLEDGE),
    )
