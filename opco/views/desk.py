"""The door of the queue: whose desk it is, looked up at each request, and what every page of it shows."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from math import ceil
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from labonnealternance.kit.text import french_time
from opco.actions import desks, queue
from opco.actions.batches import MOST_FILES, UnknownDomain
from opco.actions.cases import TakenByAnother
from opco.actions.decisions import AlreadyDecided, RefusedDecision, TooLateToUndo
from opco.actions.desks import Desk, NotInYourOpco
from opco.forms import QueueForm
from opco.models import Decision

# What the page says as it is; the file is shown again.
REFUSALS = (AlreadyDecided, RefusedDecision, TakenByAnother, TooLateToUndo, UnknownDomain)


def at_desk(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Calls ``view(request, desk, …)`` for advisors, and for support with its second factor; others are sent away.

    A file that is not the desk's is a 404.
    """

    @wraps(view)
    def guarded(request: HttpRequest, **values) -> HttpResponseBase:
        desk = desks.desk_of(user=request.user)  # type: ignore[arg-type]
        if desk is None or (desk.is_support and not request.user.is_verified()):  # type: ignore[union-attr]
            raise PermissionDenied
        try:
            return view(request, desk, **values)
        except NotInYourOpco:
            raise Http404 from None

    return guarded


@dataclass(frozen=True)
class Held:
    """What the person decided within the minute, and may undo: one file, or a batch."""

    what: str
    name: str
    undo: str
    until: str
    seconds: int
    access_id: int | None


def held_by(desk: Desk, *, kept: dict[str, str], at: datetime) -> list[Held]:
    """Latest first; one query."""
    rows = Decision.objects.held().filter(made_by=desk.user).select_related("access__establishment")
    told: list[Held] = []
    batches: dict[object, list[Decision]] = {}
    for decision in rows.order_by("-made_at", "-pk")[: 2 * MOST_FILES]:
        batches.setdefault(decision.batch or decision.pk, []).append(decision)
    for decisions in batches.values():
        first = decisions[0]
        if first.batch:
            name = f"{len(decisions)} dossiers" if len(decisions) > 1 else "1 dossier"
            undo = reverse("opco:batch_undo", args=[first.batch])
        else:
            name = first.access.establishment.display_name
            undo = reverse("opco:undo", args=[first.pk])
        told.append(
            Held(
                what=first.get_kind_display(),
                name=name,
                undo=with_query(undo, kept),
                until=french_time(first.effective_at, seconds=True),
                seconds=max(0, ceil((first.effective_at - at).total_seconds())),
                access_id=None if first.batch else first.access_id,
            )
        )
    return told


def frame(desk: Desk, *, section: str, at: datetime, kept: dict[str, str] | None = None) -> dict[str, object]:
    """What every page of the queue shows around its own."""
    return {"desk": desk, "section": section, "held_decisions": held_by(desk, kept=kept or {}, at=at)}


def narrowing(request: HttpRequest, desk: Desk) -> QueueForm:
    """What the list was narrowed to when the person left it, as the address says."""
    return QueueForm(request.GET, desk=desk)


def with_query(address: str, kept: dict[str, str]) -> str:
    return f"{address}?{urlencode(kept)}" if kept else address


def case_address(access_id: int, kept: dict[str, str]) -> str:
    return with_query(reverse("opco:case", args=[access_id]), kept)


def to_next(request: HttpRequest, desk: Desk, *, after: int | None, at: datetime) -> HttpResponse:
    """To the next file to treat; at the end, to the list."""
    form = narrowing(request, desk)
    following = queue.next_file(desk=desk, after=after, filters=form.filters, at=at)
    if following is None:
        messages.info(request, "Il n’y a plus de dossier à traiter dans cette liste.")
        return redirect(with_query(reverse("opco:queue"), form.kept))
    return redirect(case_address(following, form.kept))


def back_to_case(request: HttpRequest, desk: Desk, access_id: int) -> HttpResponse:
    return redirect(case_address(access_id, narrowing(request, desk).kept))
