"""The queue, read: its lists, how many files each holds, and the file that comes next. Nothing here writes."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import (
    Case,
    CharField,
    Count,
    Exists,
    FilteredRelation,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Concat

from companies.models import without_separators
from companies.models.search_keys import NameKey
from labonnealternance.kit.text import search_key
from offers.enums import AccessStatus
from offers.models import Access, Offer
from opco.actions.desks import Desk, decisions_of, files_of
from opco.enums import DecisionKind, DecisionStatus, Tab
from opco.models import TAKING, Decision

MOST_WORDS = 8
# What a line, or the head of a file, reads beside the access itself.
FACTS = ("user", "establishment__commune", "establishment__opco", "case__taken_by", "held__made_by")
# What support asks for in place of an OPCO's code.
WITHOUT_OPCO = "sans"


@dataclass(frozen=True)
class Filters:
    """What a list is narrowed to; an empty value narrows nothing.

    ``days``: waiting for as many at least. ``offers``: "avec" or "sans" offers waiting. ``opco``: a code, or
    ``WITHOUT_OPCO``; only support has more than one to choose from.
    """

    text: str = ""
    departement: str = ""
    days: int = 0
    origin: str = ""
    offers: str = ""
    opco: str = ""


def waiting_offers() -> QuerySet[Offer]:
    """The live offers of the outer row's access: what a refusal cancels, and a certification publishes."""
    return Offer.objects.live().filter(access=OuterRef("pk"))


def files(*, desk: Desk, filters: Filters, at: datetime) -> QuerySet[Access]:
    """The desk's files, in any tab, each with ``held``: the decision that is held about it, if there is one."""
    rows = files_of(desk).annotate(
        held=FilteredRelation("decisions", condition=Q(decisions__status=DecisionStatus.HELD))
    )
    rows = rows.filter(_narrowed(filters, desk=desk, at=at))
    if filters.offers:
        has_offers = Exists(waiting_offers())
        rows = rows.filter(has_offers if filters.offers == "avec" else ~has_offers)
    return _matching(rows, filters.text)


def _narrowed(filters: Filters, *, desk: Desk, at: datetime, prefix: str = "") -> Q:
    asked: dict[str, object] = {}
    if filters.departement:
        asked["establishment__commune__departement"] = filters.departement
    if filters.days:
        asked["confirmed_at__lte"] = at - timedelta(days=filters.days)
    if filters.origin:
        asked["origin"] = filters.origin
    if filters.opco and desk.is_support:
        if filters.opco == WITHOUT_OPCO:
            asked["establishment__opco__isnull"] = True
        else:
            asked["establishment__opco"] = filters.opco
    return Q(**{f"{prefix}{name}": value for name, value in asked.items()})


def _matching(rows: QuerySet, text: str, *, prefix: str = "", person: bool = True) -> QuerySet:
    """Rows of which every word of ``text`` begins a word: of a name, of the SIRET, of the e-mail address."""
    digits = without_separators(text)
    words = [digits] if digits.isdecimal() else search_key(text).split()
    if not words:
        # Signs alone are nobody's name.
        return rows.none() if text else rows
    told = ["establishment__siret", "establishment__name", "establishment__legal_name"]
    if person:
        told += ["user__first_name", "user__last_name", "user__email"]
    parts = [part for name in told for part in (f"{prefix}{name}", Value(" "))]
    rows = rows.alias(told=NameKey(Concat(*parts, output_field=CharField())))
    return rows.filter(*(Q(told__contains=f" {word}") for word in words[:MOST_WORDS]))


# A file stands where the decision that is held about it will bring it.
_NOT_HELD = Q(held__isnull=True)
_STANDS: dict[Tab, Q] = {
    Tab.TO_TREAT: Q(status=AccessStatus.AWAITING, case__asked_at__isnull=True) & _NOT_HELD,
    Tab.ASKED: (Q(status=AccessStatus.AWAITING, case__asked_at__isnull=False) & _NOT_HELD)
    | Q(held__kind=DecisionKind.ASK),
    Tab.CERTIFIED: (Q(status=AccessStatus.GRANTED) & _NOT_HELD) | Q(held__kind=DecisionKind.CERTIFY),
    Tab.REFUSED: (Q(status=AccessStatus.DENIED) & _NOT_HELD) | Q(held__kind=DecisionKind.REFUSE),
}
# What was answered comes first, then who has waited longest.
_RANK = Case(When(case__answered_at__isnull=False, then=Value(0)), default=Value(1))
_SINCE = Coalesce("case__answered_at", "confirmed_at")
_FIRST_TO_TREAT = ("rank", "since", "pk")


def counts(*, desk: Desk, filters: Filters, at: datetime) -> dict[Tab, int]:
    """How many files each tab holds; two queries."""
    found = files(desk=desk, filters=filters, at=at).aggregate(
        **{tab.name: Count("pk", filter=stands) for tab, stands in _STANDS.items()}
    )
    return {
        **{tab: found[tab.name] for tab in _STANDS},
        Tab.PASSED_ON: passed_on(desk=desk, filters=filters, at=at).count(),
    }


def rows_of(*, tab: Tab, desk: Desk, filters: Filters, at: datetime) -> QuerySet[Access]:
    """The files of ``tab`` with what a line of the list reads, ``offers_count`` among it; not for what was passed on.

    To treat: what was answered, then oldest first. Awaiting an answer: longest first. Decided: latest first.
    """
    rows = files(desk=desk, filters=filters, at=at).filter(_STANDS[tab])
    if tab == Tab.TO_TREAT:
        rows = rows.annotate(rank=_RANK, since=_SINCE).order_by(*_FIRST_TO_TREAT)
    elif tab == Tab.ASKED:
        rows = rows.order_by("case__asked_at", "pk")
    else:
        rows = rows.order_by(Coalesce("held__made_at", "decided_at").desc(), "-pk")
    return rows.select_related(*FACTS).annotate(offers_count=_how_many(waiting_offers()))


def _how_many(offers: QuerySet[Offer]) -> Coalesce:
    counted = offers.order_by().values("access").annotate(number=Count("pk")).values("number")
    return Coalesce(Subquery(counted), 0)


def passed_on(*, desk: Desk, filters: Filters, at: datetime) -> QuerySet[Decision]:
    """What the desk's OPCO passed on, latest first. The files are others' now: nothing is told of their people."""
    rows = decisions_of(desk).filter(
        _narrowed(filters, desk=desk, at=at, prefix="access__"),
        kind=DecisionKind.PASS_ON,
        status__in=[DecisionStatus.HELD, DecisionStatus.APPLIED],
    )
    rows = _matching(rows, filters.text, prefix="access__", person=False)
    return rows.select_related("access__establishment__commune", "to_opco", "opco", "made_by").order_by(
        "-made_at", "-pk"
    )


def next_file(*, desk: Desk, after: int | None, filters: Filters, at: datetime) -> int | None:
    """The file to open next: the one that follows ``after`` in the list to treat, else its first; None at the end.

    Files that a colleague took are passed over, and ``after`` itself.
    """
    rows = files(desk=desk, filters=filters, at=at).filter(_STANDS[Tab.TO_TREAT])
    rows = rows.filter(
        Q(case__taken_at__isnull=True) | Q(case__taken_at__lte=at - TAKING) | Q(case__taken_by=desk.user)
    )
    rows = rows.annotate(rank=_RANK, since=_SINCE).order_by(*_FIRST_TO_TREAT)
    if after is None:
        return rows.values_list("pk", flat=True).first()
    rows = rows.exclude(pk=after)
    here = files_of(desk).filter(pk=after).annotate(rank=_RANK, since=_SINCE).values("rank", "since").first()
    if here:
        place = Q(rank__gt=here["rank"]) | Q(rank=here["rank"], since__gt=here["since"])
        place |= Q(rank=here["rank"], since=here["since"], pk__gt=after)
        following = rows.filter(place).values_list("pk", flat=True).first()
        if following is not None:
            return following
    return rows.values_list("pk", flat=True).first()
