"""What the tests of the queue share: a moment, an OPCO with its advisors, recruiters who wait."""

import datetime as dt
from zoneinfo import ZoneInfo

from django.test import Client
from django.utils import timezone

from companies.models import Opco
from offers.enums import AccessStatus, OfferStatus
from offers.models import Access
from opco.actions import clock, decisions
from opco.actions.desks import Desk
from opco.models import HOLD, Advisor
from tests import factories
from tests.office import enter

PARIS = ZoneInfo("Europe/Paris")
AT = dt.datetime(2026, 11, 23, 9, 30, tzinfo=PARIS)
SECOND, MINUTE, HOUR, DAY = (dt.timedelta(seconds=n) for n in (1, 60, 3600, 86_400))
TICK = HOLD + SECOND


def make_opco(n: int = 1) -> Opco:
    return factories.OpcoFactory(code=f"opco-{n}", name=f"OPCO {n}")


def make_advisor(opco: Opco | None = None, **person) -> Advisor:
    """An active advisor; ``opco`` is OPCO 1 unless told otherwise."""
    user = factories.UserFactory(**{"first_name": "Anne", "last_name": "Conseil", **person})
    return Advisor.objects.create(user=user, opco=opco or make_opco(), created_at=timezone.now())


def make_desk(opco: Opco | None = None, **person) -> Desk:
    advisor = make_advisor(opco, **person)
    return Desk(advisor.user, advisor.opco)


def make_file(opco: Opco | None = None, *, at: dt.datetime = AT, offers: int = 0, **facts) -> Access:
    """A recruiter who waits since the day before ``at``; ``opco`` is OPCO 1 unless told otherwise."""
    told = {"establishment__opco": opco or make_opco(), "status": AccessStatus.AWAITING, "asked_at": at - DAY, **facts}
    access = factories.AccessFactory(**told)
    for _ in range(offers):
        factories.OfferFactory(access=access, status=OfferStatus.AWAITING, created_at=at - DAY)
    return access


def certify(desk: Desk, access: Access, *, at: dt.datetime = AT):
    return decisions.certify(desk=desk, access_id=access.pk, seen=decisions.version_of(access), at=at)


def refuse(desk: Desk, access: Access, *, at: dt.datetime = AT, text: str = "Lien non établi."):
    return decisions.refuse(
        desk=desk, access_id=access.pk, seen=decisions.version_of(access), at=at, text=text,
        reason=decisions.RefusalReason.LINK_NOT_PROVEN,
    )  # fmt: skip


def ask(desk: Desk, access: Access, *, at: dt.datetime = AT, text: str = "Quelle est votre fonction ?"):
    return decisions.ask(desk=desk, access_id=access.pk, seen=decisions.version_of(access), at=at, text=text)


def pass_on(desk: Desk, access: Access, to: Opco | None = None, *, at: dt.datetime = AT, text: str = ""):
    return decisions.pass_on(
        desk=desk, access_id=access.pk, seen=decisions.version_of(access), at=at, to_opco=to, text=text
    )


def decided(act, *arguments, at: dt.datetime = AT, **options):
    """A decision, and the minute after it."""
    decision = act(*arguments, at=at, **options)
    clock.apply_due(at=at + TICK)
    decision.refresh_from_db()
    return decision


def seated(person) -> Client:
    """The browser of ``person``, signed in."""
    client = Client()
    if person.is_staff:
        return enter(client, person)
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client
