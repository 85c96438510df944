"""The queue: its tabs, its lists, and the way from one file to the next."""

from dataclasses import dataclass
from datetime import datetime

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.timezone import localdate
from django.views.decorators.http import require_safe

from companies.actions.contacts import is_free_mail
from companies.models import spaced_siret
from labonnealternance.kit.pages import page_links
from labonnealternance.kit.text import counted, french_date, grouped
from offers.actions.sheets import place_of
from offers.enums import AccessStatus
from offers.models import Access
from opco.actions import queue as lists
from opco.actions.desks import Desk
from opco.enums import Tab
from opco.models import Decision
from opco.views.desk import at_desk, case_address, frame, narrowing, to_next, with_query
from opco.views.words import Standing, case_of, held_of, standing_of, taking_of

PER_PAGE = 25


@dataclass(frozen=True)
class Line:
    """A file in a list. ``waiting`` is empty once somebody decided, ``standing`` None where the list's name says it."""

    address: str
    name: str
    siret: str
    place: str
    opco: str
    is_to_verify: bool
    person: str
    email: str
    is_free_mail: bool
    waiting: str
    since: str
    offers: str
    standing: Standing | None
    taken: str


def line_of(access: Access, *, kept: dict[str, str], desk: Desk, at: datetime) -> Line:
    establishment, user = access.establishment, access.user
    assert access.confirmed_at
    days = (localdate(at) - localdate(access.confirmed_at)).days
    since = "Reçue aujourd’hui" if days < 1 else f"Depuis {counted(days, 'jour', 'jours')}"
    held, case = held_of(access), case_of(access)
    is_waiting = access.status == AccessStatus.AWAITING and not held
    tells_more = held or (is_waiting and case and case.answered_at)
    return Line(
        address=case_address(access.pk, kept),
        name=establishment.display_name,
        siret=spaced_siret(establishment.siret),
        place=place_of(establishment),
        opco=(establishment.opco.name if establishment.opco else "OPCO inconnu") if desk.is_support else "",
        is_to_verify=establishment.to_verify_since is not None,
        person=user.get_full_name() if user.first_name or user.last_name else "",
        email=user.email,
        is_free_mail=is_free_mail(user.email.rpartition("@")[2]),
        waiting=since if is_waiting else "",
        since=french_date(localdate(access.confirmed_at)),
        offers=counted(access.offers_count, "offre", "offres") if access.offers_count else "",  # type: ignore[attr-defined]
        standing=standing_of(access, at=at) if tells_more else None,
        taken=taking_of(access, desk=desk, at=at),
    )


@dataclass(frozen=True)
class Passed:
    """A file that the OPCO passed on: others treat it now, and their people are theirs."""

    name: str
    siret: str
    place: str
    to: str
    by: str
    on: str
    is_held: bool


def _passed(decision: Decision) -> Passed:
    establishment = decision.access.establishment
    return Passed(
        name=establishment.display_name,
        siret=spaced_siret(establishment.siret),
        place=place_of(establishment),
        to=decision.to_opco.name if decision.to_opco else "l’équipe de La bonne alternance",
        by=decision.made_by.get_full_name(),
        on=french_date(localdate(decision.made_at)),
        is_held=decision.settled_at is None,
    )


@require_safe
@at_desk
def queue(request: HttpRequest, desk: Desk) -> HttpResponse:
    """A tab of the queue, narrowed as its address says."""
    at = timezone.now()
    form = narrowing(request, desk)
    filters, kept = form.filters, form.kept
    tab = Tab(request.GET["onglet"]) if request.GET.get("onglet") in Tab else Tab.TO_TREAT
    counts = lists.counts(desk=desk, filters=filters, at=at)
    # Counted with the tabs already.
    page = Paginator(range(counts[tab]), PER_PAGE).get_page(request.GET.get("page"))
    start, stop = (page.number - 1) * PER_PAGE, page.number * PER_PAGE
    found: dict[str, list] = {"lines": [], "passed": []}
    if tab == Tab.PASSED_ON:
        rows = lists.passed_on(desk=desk, filters=filters, at=at)
        found["passed"] = [_passed(each) for each in rows[start:stop]]
    else:
        files = lists.page_of(tab=tab, desk=desk, filters=filters, at=at, start=start, stop=stop)
        found["lines"] = [line_of(each, kept=kept, desk=desk, at=at) for each in files]
    own = {} if tab == Tab.TO_TREAT else {"onglet": tab.value}
    context = {
        **frame(desk, section="queue", at=at, kept=kept),
        "form": form,
        "tab": tab,
        "tabs": [_tab(each, counts[each], kept, is_current=each == tab) for each in Tab],
        "total": counts[tab],
        **found,
        "page": page,
        "links": page_links(page, {**own, **kept}),
        "is_narrowed": bool(kept),
        "all_address": with_query(reverse("opco:queue"), own),
        "next_address": with_query(reverse("opco:next"), kept),
    }
    return render(request, "opco/queue.html", context)


def _tab(tab: Tab, count: int, kept: dict[str, str], *, is_current: bool) -> dict[str, object]:
    query = kept if tab == Tab.TO_TREAT else {"onglet": tab.value, **kept}
    return {
        "label": tab.label,
        "count": grouped(count),
        "address": with_query(reverse("opco:queue"), query),
        "is_current": is_current,
    }


@require_safe
@at_desk
def next_case(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Opens the file that follows ``apres``, or the first one."""
    after = request.GET.get("apres", "")
    number = int(after) if after.isdecimal() and len(after) < 19 else None
    return to_next(request, desk, after=number, at=timezone.now())
