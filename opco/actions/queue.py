"""The queue, read: its lists, how many files each holds, and the file that comes next. Nothing here writes."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import CharField, Count, Exists, F, FilteredRelation, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Concat

from companies.models import without_separators
from labonnealternance.kit.text import search_key
from offers.enums import AccessStatus
from offers.models import Access, Offer
from opco.actions.desks import Desk, decisions_of, files_of
from opco.enums import DecisionKind, DecisionStatus, Tab
from opco.models import TAKING, Case, Decision

MOST_WORDS = 8
# What a line, or the head of a file, reads beside the access itself.
FACTS = ("user", "establishment__commune", "establishment__opco", "case__taken_by", "held__made_by")
# What support asks for in place of an OPCO's code.
WITHOUT_OPCO = "sans"


@dataclass(frozen=True)
class Filters:
    """What a list is narrowed to; an empty value narrows nothing.

    ``days``: waiting for as many at least. ``offers``: "avec" or "sans" offers waiting. ``opco``: a code, or
    ``WITHOUT_OPCO``; ``to_verify``: at establishments that the registry has not confirmed yet. Only support narrows by
    these two.
    """

    text: str = ""
    departement: str = ""
    days: int = 0
    origin: str = ""
    offers: str = ""
    opco: str = ""
    to_verify: bool = False


def waiting_offers() -> QuerySet[Offer]:
    """The live offers of the outer row's access: what a refusal cancels, and a certification publishes."""
    return Offer.objects.live().filter(access=OuterRef("pk"))


def files(*, desk: Desk, filters: Filters, at: datetime) -> QuerySet[Access]:
    """The desk's files, in any tab."""
    rows = files_of(desk).filter(_narrowed(filters, desk=desk, at=at))
    if filters.offers:
        has_offers = Exists(waiting_offers())
        rows = rows.filter(has_offers if filters.offers == "avec" else ~has_offers)
    return _matching(rows, filters.text)


def _held() -> FilteredRelation:
    """The decision that is held about a file; Django writes in the object, which is never shared."""
    return FilteredRelation("decisions", condition=Q(decisions__status=DecisionStatus.HELD))


def with_facts(rows: QuerySet[Access]) -> QuerySet[Access]:
    """``rows`` with what a line reads: ``FACTS``, ``held`` (the decision that is held about it), ``offers_count``."""
    offers = waiting_offers().order_by().values("access").annotate(number=Count("pk")).values("number")
    return rows.annotate(held=_held(), offers_count=Coalesce(Subquery(offers), 0)).select_related(*FACTS)


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
    if filters.to_verify and desk.is_support:
        asked["establishment__to_verify_since__isnull"] = False
    return Q(**{f"{prefix}{name}": value for name, value in asked.items()})


def _matching(rows: QuerySet, text: str, *, prefix: str = "", person: bool = True) -> QuerySet:
    """Rows of which every word of ``text`` begins a word: of a name, of an e-mail address; or that have the SIRET."""
    digits = without_separators(text)
    if digits.isdecimal() and digits.isascii():
        return rows.filter(**{f"{prefix}establishment__siret__startswith": digits})
    words = search_key(text).split()[:MOST_WORDS]
    if not words:
        # Signs alone are nobody's name.
        return rows.none() if text else rows
    told = ["establishment__name", "establishment__legal_name"]
    if person:
        told += ["user__first_name", "user__last_name", "user__email"]
    parts = [part for name in told for part in (f"{prefix}{name}", Value(" "))]
    rows = rows.alias(told=Concat(*parts, output_field=CharField()))
    return rows.filter(*(Q(told__regex=_begins_a_word(word)) for word in words))


def _written() -> dict[str, str]:
    """Each letter or digit of a key, and each pair that a ligature writes → the signs that it stands for."""
    signs: dict[str, str] = {}
    for sign in map(chr, range(0x30, 0x180)):
        key = search_key(sign)
        if key.isalnum():
            signs[key] = signs.get(key, "") + sign
    return signs


# Nothing is computed for each of 50,000 rows: the word that is looked for says how it may be written.
_WRITTEN = _written()


def _begins_a_word(word: str) -> str:
    """The regular expression of a word that begins as ``word``, however it is accented."""
    found, rest = "(^|[^[:alnum:]])", word
    while rest:
        one = f"[{_WRITTEN[rest[0]]}]" if rest[0] in _WRITTEN else f"\\{rest[0]}"
        pair = rest[:2]
        if len(pair) == 2 and pair in _WRITTEN:
            found += f"({one}[{_WRITTEN[rest[1]]}]|[{_WRITTEN[pair]}])"
            rest = rest[2:]
        else:
            found += one
            rest = rest[1:]
    return found


def _stands(*, asked: Q, held: Q, held_to: Callable[[DecisionKind], Q]) -> dict[Tab, tuple[Q, Q]]:
    """Which files each tab holds: those that stand there, and those that the decision held about them will bring."""
    awaiting = Q(status=AccessStatus.AWAITING) & ~held
    return {
        Tab.TO_TREAT: (awaiting & ~asked, Q(pk__in=[])),
        Tab.ASKED: (awaiting & asked, held_to(DecisionKind.ASK)),
        Tab.CERTIFIED: (Q(status=AccessStatus.GRANTED) & ~held, held_to(DecisionKind.CERTIFY)),
        Tab.REFUSED: (Q(status=AccessStatus.DENIED) & ~held, held_to(DecisionKind.REFUSE)),
    }


# Lists ask with EXISTS, of which PostgreSQL knows the odds: a first page is read in its order, and nothing is sorted.
_ANSWERED = Exists(Case.objects.filter(access=OuterRef("pk"), answered_at__isnull=False))
_LISTED = _stands(
    asked=Q(Exists(Case.objects.filter(access=OuterRef("pk"), asked_at__isnull=False))),
    held=Q(Exists(Decision.objects.held().filter(access=OuterRef("pk")))),
    held_to=lambda kind: Q(Exists(Decision.objects.held().filter(access=OuterRef("pk"), kind=kind))),
)
# Counts read every file: joined once, it is four times as quick.
_COUNTED = _stands(
    asked=Q(case__asked_at__isnull=False),
    held=Q(held__isnull=False),
    held_to=lambda kind: Q(held__kind=kind),
)
# What is within its minute, then what was decided, latest first.
_LATEST_FIRST = (F("held__made_at").desc(nulls_last=True), "-decided_at", "-pk")
_ORDER: dict[Tab, tuple] = {
    Tab.TO_TREAT: (F("case__answered_at").asc(nulls_last=True), "confirmed_at", "pk"),
    Tab.ASKED: (F("held__made_at").asc(nulls_first=True), "case__asked_at", "pk"),
    Tab.CERTIFIED: _LATEST_FIRST,
    Tab.REFUSED: _LATEST_FIRST,
}


def counts(*, desk: Desk, filters: Filters, at: datetime) -> dict[Tab, int]:
    """How many files each tab holds; two queries."""
    rows = files(desk=desk, filters=filters, at=at).alias(held=_held())
    found = rows.aggregate(**{tab.name: Count("pk", filter=stand | held) for tab, (stand, held) in _COUNTED.items()})
    return {
        **{tab: found[tab.name] for tab in _COUNTED},
        Tab.PASSED_ON: passed_on(desk=desk, filters=filters, at=at).count(),
    }


def in_tab(*, tab: Tab, desk: Desk, filters: Filters, at: datetime) -> QuerySet[Access]:
    """The files of ``tab``, in no order; not for what was passed on."""
    stand, held = _LISTED[tab]
    return files(desk=desk, filters=filters, at=at).filter(stand | held)


def rows_of(*, tab: Tab, desk: Desk, filters: Filters, at: datetime) -> QuerySet[Access]:
    """``in_tab`` with what a line reads, in the order of the list.

    To treat: what was answered, then oldest first. Awaiting an answer: longest first. Decided: latest first.
    """
    return with_facts(in_tab(tab=tab, desk=desk, filters=filters, at=at)).order_by(*_ORDER[tab])


def page_of(*, tab: Tab, desk: Desk, filters: Filters, at: datetime, start: int, stop: int) -> list[Access]:
    """The files of ``rows_of`` from ``start`` to ``stop``, without reading those before and after."""
    first, others = _in_order(tab, files(desk=desk, filters=filters, at=at))
    before = first.count()
    chosen = [*_keys(first[start:stop]), *_keys(others[max(0, start - before) : max(0, stop - before)])]
    found = with_facts(Access.objects.filter(pk__in=chosen)).in_bulk()
    return [found[pk] for pk in chosen if pk in found]


def _in_order(tab: Tab, rows: QuerySet[Access]) -> tuple[QuerySet[Access], QuerySet[Access]]:
    """The list of ``tab`` among ``rows``, in the order of ``rows_of``: in two, each of which an index serves."""
    if tab == Tab.ASKED:
        # Of which there are few.
        both = _LISTED[tab][0] | _LISTED[tab][1]
        return rows.none(), rows.filter(both).annotate(held=_held()).order_by(*_ORDER[tab])
    stand, held = (rows.filter(each) for each in _LISTED[tab])
    if tab == Tab.TO_TREAT:
        answered = stand.filter(_ANSWERED).order_by("case__answered_at", "pk")
        return answered, stand.filter(~_ANSWERED).order_by("confirmed_at", "pk")
    held = held.annotate(held=_held()).order_by("-held__made_at", "-decided_at", "-pk")
    return held, stand.order_by("-decided_at", "-pk")


def _keys(rows: QuerySet[Access]) -> list[int]:
    return list(rows.values_list("pk", flat=True))


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
    taken = Case.objects.filter(access=OuterRef("pk"), taken_at__gt=at - TAKING).exclude(taken_by=desk.user)
    rows = files(desk=desk, filters=filters, at=at).filter(~Exists(taken))
    here = None
    if after is not None:
        rows = rows.exclude(pk=after)
        here = files_of(desk).select_related("case").filter(pk=after).first()
    answered, others = _in_order(Tab.TO_TREAT, rows)
    in_turn = [answered, others]
    if here is not None:
        case = getattr(here, "case", None)
        if case and case.answered_at:
            in_turn = [_beyond(answered, "case__answered_at", case.answered_at, here.pk), others, answered]
        else:
            in_turn = [_beyond(others, "confirmed_at", here.confirmed_at, here.pk), answered, others]
    for each in in_turn:
        following = each.values_list("pk", flat=True).first()
        if following is not None:
            return following
    return None


def _beyond(rows: QuerySet[Access], name: str, value: datetime | None, pk: int) -> QuerySet[Access]:
    """The rows that come after this place in an order by ``name``, then by key."""
    return rows.filter(Q(**{f"{name}__gt": value}) | Q(**{name: value, "pk__gt": pk}), **{f"{name}__gte": value})
