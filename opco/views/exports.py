"""Any list of the queue as a file for a spreadsheet."""

from collections.abc import Callable, Sequence
from datetime import datetime

from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone
from django.utils.timezone import localdate, localtime
from django.views.decorators.http import require_POST

from companies.models import Establishment
from labonnealternance.kit import csv
from labonnealternance.kit.contacts import shown_phone
from labonnealternance.kit.csv import Cell
from offers.models import Access
from opco.actions import exports
from opco.actions.desks import Desk
from opco.actions.words import name_of
from opco.enums import RefusalReason, Tab
from opco.models import Decision
from opco.views.desk import at_desk, narrowing
from opco.views.words import case_of, standing_of

_PLACE = ["SIRET", "Établissement", "Raison sociale", "Adresse", "Code postal", "Commune", "Département", "OPCO"]
_FILE = [
    *_PLACE, "Nom", "Prénom", "E-mail", "Téléphone", "Origine", "Demandé le", "Confirmé le", "État", "Pris par",
    "Offres en cours", "Décidé le", "Décidé par", "Motif",
]  # fmt: skip
_PASSED = [*_PLACE, "Transmis à", "Transmis par", "Transmis le"]


def _moment(at: datetime | None) -> str:
    """A moment in Paris as a French spreadsheet reads it."""
    return f"{localtime(at):%d/%m/%Y %H:%M}" if at else ""


def _place(establishment: Establishment, opco: str) -> list[Cell]:
    commune = establishment.commune
    return [
        establishment.siret,
        establishment.display_name,
        establishment.legal_name,
        establishment.address,
        establishment.postcode,
        commune.name if commune else "",
        commune.departement_id if commune else "",
        opco,
    ]


def _of_file(access: Access, *, at: datetime) -> list[Cell]:
    user, case = access.user, case_of(access)
    taken = case.taken_by if case and case.is_taken(at) else None
    reason: str = access.reason  # type: ignore[attr-defined]
    judge: str | None = access.judge  # type: ignore[attr-defined]
    return [
        *_place(access.establishment, access.establishment.opco.name if access.establishment.opco else ""),
        user.last_name,
        user.first_name,
        user.email,
        shown_phone(user.phone),
        access.get_origin_display(),
        _moment(access.asked_at),
        _moment(access.confirmed_at),
        standing_of(access, at=at).label,
        name_of(taken) if taken else "",
        access.offers_count,  # type: ignore[attr-defined]
        _moment(access.decided_at),
        judge,
        RefusalReason(reason).label if reason else "",
    ]


def _of_passed(decision: Decision) -> list[Cell]:
    """Where a file went. Its people are others' now: nothing is told of them."""
    return [
        *_place(decision.access.establishment, decision.opco.name if decision.opco else ""),
        decision.to_opco.name if decision.to_opco else "Équipe de La bonne alternance",
        name_of(decision.made_by),
        _moment(decision.made_at),
    ]


@require_POST
@at_desk
def export(request: HttpRequest, desk: Desk) -> StreamingHttpResponse:
    """The list that the address names, as the queue shows it, whole."""
    at = timezone.now()
    tab = Tab(request.GET["onglet"]) if request.GET.get("onglet") in Tab else Tab.TO_TREAT
    rows = exports.take_out(desk=desk, tab=tab, filters=narrowing(request, desk).filters, at=at)
    headings: Sequence[str] = _PASSED if tab == Tab.PASSED_ON else _FILE
    line: Callable[..., list[Cell]] = _of_passed if tab == Tab.PASSED_ON else lambda row: _of_file(row, at=at)
    response = StreamingHttpResponse(
        csv.stream(headings, (line(row) for row in rows)), content_type="text/csv; charset=utf-8"
    )
    response["Content-Disposition"] = f'attachment; filename="recruteurs-{tab.value}-{localdate(at)}.csv"'
    return response
