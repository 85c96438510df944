"""Files that go together: people whose address has the domain of someone whom the OPCO certified already."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.db import transaction
from django.db.models import Count, QuerySet

from companies.enums import FREE_MAIL
from companies.models import domain_of
from labonnealternance.accounts.models import User
from offers.enums import AccessStatus
from offers.models import Access
from opco.actions.cases import TakenByAnother
from opco.actions.decisions import YOUR_OWN, TooLateToUndo, decided_meanwhile, undo_locked
from opco.actions.desks import Desk, NotInYourOpco, decisions_of, files_of
from opco.actions.queue import Filters, in_tab, with_facts
from opco.enums import DecisionKind, DecisionStatus, Tab
from opco.models import HOLD, Case, Decision

logger = structlog.get_logger(__name__)

# Below, opening the file is as quick.
FEWEST = 2
MOST_CANDIDATES = 500
MOST_GROUPS = 50
MOST_FILES = 100
MOST_KNOWN = 10


class UnknownDomain(Exception):
    """Nobody vouches for the domain, or anybody may have an address there: its files are judged one by one."""

    def __init__(self):
        super().__init__("Ce domaine n’est celui de personne que vous ayez certifié : décidez dossier par dossier.")


@dataclass(frozen=True)
class Group:
    """``waiting`` files to treat whose people share ``domain``, and ``certified`` people who have it already."""

    domain: str
    waiting: int
    certified: int


@dataclass(frozen=True)
class Batch:
    """What was decided in one go, and what was not: each file with the sentence that says why."""

    id: uuid.UUID
    made: Sequence[Decision]
    refused: Sequence[tuple[Access, str]]


def _per_domain(rows: QuerySet[Access]) -> QuerySet:
    return rows.order_by().annotate(domain=domain_of("user__email")).values("domain").annotate(number=Count("pk"))


def groups(*, desk: Desk, at: datetime) -> list[Group]:
    """The domains that can be certified in one go, those with the most files first."""
    to_treat = in_tab(tab=Tab.TO_TREAT, desk=desk, filters=Filters(), at=at)
    candidates = _per_domain(to_treat).filter(number__gte=FEWEST).exclude(domain__in=FREE_MAIL)
    waiting = dict(candidates.order_by("-number", "domain").values_list("domain", "number")[:MOST_CANDIDATES])
    certified = _per_domain(files_of(desk).filter(status=AccessStatus.GRANTED)).filter(domain__in=waiting)
    known = dict(certified.values_list("domain", "number"))
    found = [Group(domain, number, known[domain]) for domain, number in waiting.items() if domain in known]
    return found[:MOST_GROUPS]


def certified_with(*, desk: Desk, domain: str) -> list[Access]:
    """The latest people of the desk's files who have ``domain`` and were certified: why it is known."""
    if domain in FREE_MAIL or "\0" in domain:
        return []
    rows = (
        files_of(desk).filter(status=AccessStatus.GRANTED).alias(domain=domain_of("user__email")).filter(domain=domain)
    )
    return list(rows.select_related("user", "establishment").order_by("-decided_at", "-pk")[:MOST_KNOWN])


def files_to_certify(*, desk: Desk, domain: str, at: datetime) -> list[Access]:
    """The first files to treat of people who have ``domain``. Raises ``UnknownDomain``."""
    if not certified_with(desk=desk, domain=domain):
        raise UnknownDomain
    rows = (
        in_tab(tab=Tab.TO_TREAT, desk=desk, filters=Filters(), at=at)
        .alias(domain=domain_of("user__email"))
        .filter(domain=domain)
    )
    return list(with_facts(rows).order_by("confirmed_at", "pk")[:MOST_FILES])


@transaction.atomic
def certify_all(*, desk: Desk, domain: str, access_ids: Iterable[int], batch: uuid.UUID, at: datetime) -> Batch:
    """Certifies files whose people have ``domain``; those decided, taken or asked about meanwhile are left as they are.

    ``batch`` is drawn with the preview: sent twice, it is one. Another OPCO's files, or another domain's, are passed
    over and not told. Raises ``UnknownDomain``.
    """
    if not certified_with(desk=desk, domain=domain):
        raise UnknownDomain
    rows = files_of(desk).alias(domain=domain_of("user__email")).filter(pk__in=list(access_ids), domain=domain)
    rows = rows.select_related("user", "establishment__opco").order_by("pk")
    locked = list(rows.select_for_update(of=("self",), no_key=True)[:MOST_FILES])
    done = list(decisions_of(desk).filter(batch=batch, made_by=desk.user).order_by("access_id"))
    if done:
        return Batch(batch, done, [])
    held = set(Decision.objects.held().filter(access__in=locked).values_list("access_id", flat=True))
    cases = {case.pk: case for case in Case.objects.select_related("taken_by").filter(access__in=locked)}
    chosen, refused = [], []
    for access in locked:
        why = _why_not(access, cases.get(access.pk), is_held=access.pk in held, by=desk.user, at=at)
        if why:
            refused.append((access, why))
        else:
            chosen.append(access)
    made = Decision.objects.bulk_create(
        Decision(
            access=access,
            kind=DecisionKind.CERTIFY,
            opco=access.establishment.opco,
            batch=batch,
            made_by=desk.user,
            made_at=at,
            effective_at=at + HOLD,
        )
        for access in chosen
    )
    Case.objects.filter(access__in=chosen).update(taken_by=None, taken_at=None)
    logger.info("opco_batch_certified", batch=batch, count=len(made), by=desk.user.pk)
    return Batch(batch, made, refused)


def _why_not(access: Access, case: Case | None, *, is_held: bool, by: User, at: datetime) -> str:
    if is_held or access.status != AccessStatus.AWAITING:
        return str(decided_meanwhile(access, now=at))
    if access.user_id == by.pk:
        return YOUR_OWN
    if case and case.asked_at:
        return "La réponse de la personne est attendue."
    if case and case.is_taken(at) and case.taken_by_id != by.pk:
        return str(TakenByAnother(case, now=at))
    return ""


@transaction.atomic
def undo_batch(*, desk: Desk, batch: uuid.UUID, at: datetime) -> int:
    """Undoes what is still held of a batch; returns how many. Raises ``NotInYourOpco``, ``TooLateToUndo``."""
    decisions = list(decisions_of(desk).filter(batch=batch).select_for_update(of=("self",)).order_by("pk"))
    if not decisions:
        raise NotInYourOpco
    held = [decision for decision in decisions if decision.status == DecisionStatus.HELD]
    if not held and any(decision.status == DecisionStatus.APPLIED for decision in decisions):
        raise TooLateToUndo
    for decision in held:
        undo_locked(decision, by=desk.user, at=at)
    return len(held)
