"""An advisor at work: people who wait in their OPCO's queue, and a year of decisions, made by the real actions."""

import random
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Q
from django.urls import reverse
from django.utils import timezone

from companies.actions import opcos
from companies.enums import TEACHING, OpcoOrigin
from companies.models import Contact, Establishment, Opco
from labonnealternance.accounts.demo import PEOPLE, SUPPORT
from labonnealternance.accounts.enums import Role
from labonnealternance.accounts.models import User
from labonnealternance.kit.demo_registry import Step
from labonnealternance.mail.models import Message
from offers.actions import registrations
from offers.enums import AccessStatus
from offers.models import Access
from opco.actions import advisors, clock, decisions, queue
from opco.actions.desks import Desk
from opco.actions.queue import Filters
from opco.enums import DecisionKind, RefusalReason, Tab
from opco.models import HOLD, Advisor

SEED = 2026
WAITING, DECIDED = 8, 36
ADVISOR, FIRST_NAME, LAST_NAME = PEOPLE[Role.ADVISOR]
# How often each is decided, in a year.
KINDS = {DecisionKind.CERTIFY: 10, DecisionKind.REFUSE: 4, DecisionKind.PASS_ON: 1}
TOLD = ["access_granted", "access_denied", "information_asked"]


def _field() -> Opco:
    """The OPCO that most people wait for, or the first one."""
    waiting = Access.objects.awaiting().filter(establishment__opco__isnull=False).values("establishment__opco")
    most = waiting.annotate(number=Count("pk")).order_by("-number", "establishment__opco").first()
    return Opco.objects.get(pk=most["establishment__opco"]) if most else Opco.objects.order_by("name")[0]


def _appoint() -> None:
    """All of it or nothing."""
    rng, now = random.Random(SEED), timezone.now()  # noqa: S311 (a demo's draws)
    with transaction.atomic():
        support, opco = User.objects.get(email=SUPPORT), _field()
        begun = now - timedelta(days=360)
        advisor = advisors.appoint(
            email=ADVISOR, first_name=FIRST_NAME, last_name=LAST_NAME, opco=opco, by=support, at=begun
        )
        _give_them_files(opco, at=now)
        _a_year_of_decisions(Desk(advisor.user, opco), rng, begun=begun, now=now)
        # What was announced in the past has been read.
        Message.objects.queued().filter(kind__in=TOLD, created_at__lt=now).delete()


def _give_them_files(opco: Opco, *, at: datetime) -> None:
    """People wait for ``opco``: the public service tells that their establishments are its own."""
    waiting = Access.objects.awaiting().order_by("confirmed_at", "pk")
    missing = WAITING - waiting.filter(establishment__opco=opco).count()
    elsewhere = Q(establishment__opco=None) | ~Q(establishment__opco=opco)
    others = waiting.filter(elsewhere, establishment__opco_is_certified=False)
    for access in others[: max(0, missing)]:
        opcos.assign(establishment_id=access.establishment_id, opco=opco, origin=OpcoOrigin.SERVICE, by=None, at=at)


def _a_year_of_decisions(desk: Desk, rng: random.Random, *, begun: datetime, now: datetime) -> None:
    known = Contact.objects.exclude(email="").values_list("siret", flat=True)
    companies = {siret[:9] for siret in known}
    free = Establishment.objects.listed(now).filter(accesses__isnull=True).exclude(naf__code__startswith=TEACHING)
    found = free.order_by("siret").values_list("siret", flat=True)[:2000]
    sirets = [siret for siret in found if siret[:9] not in companies]
    rng.shuffle(sirets)
    moments = sorted(begun + rng.random() * (now - begun - timedelta(days=3)) for _ in sirets[:DECIDED])
    for n, (siret, at) in enumerate(zip(sirets, moments, strict=False)):
        person = User.objects.create_user(
            f"passe{n + 1}@ailleurs.exemple.fr",
            first_name="Dominique",
            last_name=f"Passé {n + 1}",
            email_confirmed_at=at,
            joined_at=at,
        )
        access = registrations.add_establishment(user=person, siret=siret, opco_code="", at=at)
        opcos.assign(
            establishment_id=access.establishment_id, opco=desk.opco, origin=OpcoOrigin.SERVICE, by=None, at=at
        )
        if access.status == AccessStatus.AWAITING:
            _decide(desk, access, rng, at=at + timedelta(hours=rng.expovariate(1 / 30)))


def _decide(desk: Desk, access: Access, rng: random.Random, *, at: datetime) -> None:
    asked: dict[str, Any] = {"desk": desk, "access_id": access.pk, "seen": decisions.version_of(access), "at": at}
    [kind] = rng.choices(list(KINDS), list(KINDS.values()))
    match kind:
        case DecisionKind.CERTIFY:
            decisions.certify(**asked)
        case DecisionKind.REFUSE:
            reason = rng.choice([each for each in RefusalReason if decisions.PROPOSED[each]])
            decisions.refuse(**asked, reason=reason, text=decisions.PROPOSED[reason])
        case _:
            decisions.pass_on(**asked, to_opco=None, text="")
    clock.apply_due(at=at + HOLD)


def steps() -> list[Step]:
    return [
        Step(
            "file de validation de l’OPCO de démonstration",
            lambda: Advisor.objects.filter(user__email=ADVISOR).exists(),
            _appoint,
        )
    ]


# ── What a script is told ────────────────────────────────────────────────────────────────────────────────────────────


def _advisor() -> Advisor | None:
    return Advisor.objects.active().select_related("user", "opco").filter(user__email=ADVISOR).first()


def _example(advisor: Advisor) -> int | None:
    """The file that a morning begins with."""
    desk, now = Desk(advisor.user, advisor.opco), timezone.now()
    rows = queue.rows_of(tab=Tab.TO_TREAT, desk=desk, filters=Filters(), at=now)
    return rows.values_list("pk", flat=True).first()


def accounts() -> dict[str, dict[str, Any]]:
    advisor = _advisor()
    if advisor is None:
        return {}
    told: dict[str, Any] = {"opco": advisor.opco.name, "queue": settings.SITE_URL + reverse("opco:queue")}
    example = _example(advisor)
    if example:
        told["case"] = settings.SITE_URL + reverse("opco:case", args=[example])
    return {Role.ADVISOR.value: told}


def pages() -> dict[str, str]:
    told = {"opco_queue": reverse("opco:queue"), "opco_figures": reverse("opco:figures")}
    advisor = _advisor()
    example = _example(advisor) if advisor else None
    if example:
        told["opco_case_example"] = reverse("opco:case", args=[example])
    return told
