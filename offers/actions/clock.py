"""What time does to offers and registrations. Each function finds its rows: late, twice, or twice at once, it is one.

A batch is one transaction: the moves, the reminders and the e-mails of its rows are there together, or not at all. The
rows are locked while they are handled, and passed over by who else looks for them meanwhile.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict, astuple, dataclass
from datetime import date, datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.utils.timezone import localdate, localtime

from companies.actions import contacts
from companies.actions import registrations as establishments
from companies.actions.registrations import RefusedEstablishment
from companies.enums import Refusal
from companies.models import Establishment
from labonnealternance.accounts.models import User
from labonnealternance.mail import actions as mail
from labonnealternance.mail.actions import Letter
from offers import emails
from offers.actions import accesses, links, offers
from offers.enums import AccessStatus, CancelReason, Door, OfferStatus, Outcome, ReminderKind
from offers.models import Access, Offer, OfferReminder, Registration

logger = structlog.get_logger(__name__)

BATCH = 500
WEEK, DAY = timedelta(days=7), timedelta(days=1)
# An inscription that nobody confirmed, and what was said in one that somebody did.
REGISTRATION_KEPT = timedelta(days=30)


def _in_batches(handle: Callable[[], int]) -> int:
    """``handle`` in transactions of its own, until it finds less than ``BATCH`` rows; returns how many it found."""
    total = 0
    while True:
        with transaction.atomic():
            found = handle()
        total += found
        if found < BATCH:
            return total


# ── The end of an offer ──────────────────────────────────────────────────────────────────────────────────────────────


def _taken(rows: QuerySet[Offer]) -> list[Offer]:
    """The first rows that nobody else is handling, locked, with whom to write to."""
    rows = rows.select_related("access__user", "access__establishment").order_by("expires_on", "pk")
    return list(rows.select_for_update(of=("self",), no_key=True, skip_locked=True)[:BATCH])


def _write(letters: Iterator[Letter], offers_told: list[Offer], kind: ReminderKind, *, at: datetime) -> None:
    reminders = []
    for offer in offers_told:
        assert offer.expires_on
        reminders.append(OfferReminder(offer=offer, kind=kind, expires_on=offer.expires_on, written_at=at))
    OfferReminder.objects.bulk_create(reminders)
    mail.write_many(letters, at=at)


def expire_due(*, at: datetime) -> int:
    """Expires the offers whose last day is over, in Paris, and asks what became of them; returns their number."""

    def handle() -> int:
        due = _taken(Offer.objects.filter(status=OfferStatus.ACTIVE, expires_on__lt=localdate(at)))
        Offer.move_all(due, to=OfferStatus.EXPIRED, by=None, at=at, via=Door.CLOCK)
        told = [offer for offer in due if offer.access.user.is_active]
        letters = (emails.offer_expired(offer=offer, tokens=links.all_of(offer)) for offer in told)
        _write(letters, told, ReminderKind.EXPIRED, at=at)
        return len(due)

    expired = _in_batches(handle)
    logger.info("offers_expired", count=expired)
    return expired


def remind_due(*, at: datetime) -> dict[ReminderKind, int]:
    """Writes, once for each last day, that an offer ends within a week, then that it ends tomorrow.

    Late by a day or more, each is written as long as it is true; where both are due, the second alone. Returns how many
    of each.
    """
    today = localdate(at)
    written = {
        ReminderKind.DAY: _remind(ReminderKind.DAY, first=today, last=today + DAY, at=at),
        ReminderKind.WEEK: _remind(ReminderKind.WEEK, first=today + 2 * DAY, last=today + WEEK, at=at),
    }
    logger.info("offers_reminded", **{kind.value: count for kind, count in written.items()})
    return written


_LETTERS = {ReminderKind.DAY: emails.offer_expires_tomorrow, ReminderKind.WEEK: emails.offer_expires_soon}


def _remind(kind: ReminderKind, *, first: date, last: date, at: datetime) -> int:
    told_already = OfferReminder.objects.filter(kind=kind, offer=OuterRef("pk"), expires_on=OuterRef("expires_on"))
    due = Offer.objects.filter(
        ~Exists(told_already), status=OfferStatus.ACTIVE, expires_on__range=(first, last), access__user__is_active=True
    )

    def handle() -> int:
        taken = _taken(due)
        # Whoever held these rows a moment ago may have written since this statement's view of the reminders was taken.
        pairs = OfferReminder.objects.filter(kind=kind, offer__in=taken).values_list("offer_id", "expires_on")
        told = set(pairs)
        untold = [offer for offer in taken if (offer.pk, offer.expires_on) not in told]
        letters = (_LETTERS[kind](offer=offer, tokens=links.all_of(offer), at=at) for offer in untold)
        _write(letters, untold, kind, at=at)
        return len(taken)

    return _in_batches(handle)


def close_for_closed_establishments(*, at: datetime) -> int:
    """Withdraws the offers of establishments that are closed, may not be shown, or were refused once verified.

    A person gets one e-mail for an establishment, however many their offers there. Returns the number of offers.
    """
    gone = Establishment.objects.filter(Q(closed_on__lte=localdate(at)) | Q(is_diffusible=False) | ~Q(refusal=""))
    concerned = Offer.objects.live().filter(access=OuterRef("pk"))
    closed = 0

    def handle() -> int:
        nonlocal closed
        accesses = list(
            Access.objects.filter(Exists(concerned), establishment__in=gone)
            .select_related("user", "establishment")
            .order_by("pk")
            .select_for_update(of=("self",), no_key=True, skip_locked=True)[:BATCH]
        )
        live = Offer.objects.live().filter(access__in=accesses).order_by("created_at", "pk")
        by_access: dict[int, list[Offer]] = {access.pk: [] for access in accesses}
        for offer in live.select_for_update(no_key=True):
            by_access[offer.access_id].append(offer)
        withdrawn = [offer for found in by_access.values() for offer in found]
        Offer.move_all(
            withdrawn,
            to=OfferStatus.CANCELLED,
            by=None,
            at=at,
            via=Door.CLOCK,
            reason=CancelReason.ESTABLISHMENT_CLOSED.label,
            outcome=Outcome.CANCELLED,
            cancel_reason=CancelReason.ESTABLISHMENT_CLOSED,
        )
        # Nobody is told of what they did not ask for, nor of what they have closed meanwhile.
        told = [access for access in accesses if access.confirmed_at and access.user.is_active and by_access[access.pk]]
        letters = (
            emails.offers_closed_with_establishment(
                access=access, closed=by_access[access.pk], reason=_why_gone(access.establishment)
            )
            for access in told
        )
        mail.write_many(letters, at=at)
        closed += len(withdrawn)
        return len(accesses)

    _in_batches(handle)
    logger.info("offers_closed_with_establishments", count=closed)
    return closed


def _why_gone(establishment: Establishment) -> str:
    """The sentence that whoever registered it now would read."""
    refusal = Refusal.CLOSED if establishment.closed_on else Refusal.NOT_DIFFUSIBLE
    return RefusedEstablishment(Refusal(establishment.refusal or refusal)).sentence


# ── What an offer waits for ──────────────────────────────────────────────────────────────────────────────────────────


def publish_ready(*, at: datetime) -> int:
    """Publishes what nothing holds back any more (an establishment was verified meanwhile); returns their number."""
    total = 0
    while True:
        published = offers.publish_batch(at=at, size=BATCH)
        total += published
        if published < BATCH:
            return total


def judge_awaiting(*, at: datetime) -> int:
    """Grants the accesses that wait and that a contact vouches for by now; returns their number.

    A contact comes with an import or a correction, a person changes address: none of them knows who waits here. Each
    access is judged in a transaction of its own, and one that fails stops no other.
    """
    waiting = Access.objects.awaiting().filter(
        contacts.may_be_vouched_for(email="user__email", establishment="establishment"),
        user__is_active=True,
        user__is_staff=False,
    )
    granted = last = 0
    while True:
        found = list(waiting.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH])
        for access_id in found:
            try:
                granted += accesses.judge_again(access_id=access_id, at=at)
            except Exception:
                logger.exception("access_not_judged", access=access_id)
        if len(found) < BATCH:
            return granted
        last = found[-1]


def refresh_registry(*, at: datetime) -> establishments.Outcome:
    """Asks the registry again about the establishments that someone may act for. Raises ``AlreadyRunning``."""
    used = Access.objects.exclude(status=AccessStatus.DENIED).filter(confirmed_at__isnull=False)
    ids = used.order_by("establishment_id").values_list("establishment_id", flat=True).distinct()
    return establishments.refresh_used(establishment_ids=ids.iterator(), at=at)


def refresh_positions(*, at: datetime) -> int:
    """Gives published offers the position that their establishment has now; returns how many moved."""
    here, there = ("latitude", "longitude"), (F("establishment__latitude"), F("establishment__longitude"))
    elsewhere = Q()
    for name, value in zip(here, there, strict=True):
        elsewhere |= Q(**{f"{name}__lt": value}) | Q(**{f"{name}__gt": value})
    placed = Q(latitude__isnull=True, establishment__latitude__isnull=False)
    unplaced = Q(latitude__isnull=False, establishment__latitude__isnull=True)
    moved = Offer.objects.filter(elsewhere | placed | unplaced, status=OfferStatus.ACTIVE)
    place = Establishment.objects.filter(pk=OuterRef("establishment_id"))

    def handle() -> int:
        locked = moved.order_by("pk").select_for_update(of=("self",), no_key=True, skip_locked=True)
        chosen = list(locked.values_list("pk", flat=True)[:BATCH])
        Offer.objects.filter(pk__in=chosen).update(
            latitude=Subquery(place.values("latitude")), longitude=Subquery(place.values("longitude"))
        )
        return len(chosen)

    return _in_batches(handle)


# ── Registrations ────────────────────────────────────────────────────────────────────────────────────────────────────


def remind_registrations(*, at: datetime) -> int:
    """From the morning after the link on, writes once how to finish a registration; returns the number of e-mails."""
    waiting = Registration.objects.to_confirm().filter(
        reminded_at__isnull=True,
        link_sent_at__isnull=False,
        created_at__gt=at - REGISTRATION_KEPT,
        access__user__is_active=True,
        access__user__is_staff=False,
    )
    written = 0

    def handle() -> int:
        nonlocal written
        due = list(
            waiting.filter(link_sent_at__lt=_midnight(at))
            .select_related("access__user", "access__establishment")
            .order_by("access_id", "created_at")
            .select_for_update(of=("self",), no_key=True, skip_locked=True)[:BATCH]
        )
        # The same establishment asked for twice is one e-mail, and its other requests are told by it.
        once = {registration.access_id: registration for registration in due}
        Registration.objects.pending().filter(access__in=once).update(reminded_at=at)
        letters = (emails.registration_unfinished(registration=registration) for registration in once.values())
        written += len(mail.write_many(letters, at=at))
        return len(due)

    _in_batches(handle)
    return written


def _midnight(at: datetime) -> datetime:
    """The beginning of the day of ``at``, in Paris."""
    return localtime(at).replace(hour=0, minute=0, second=0, microsecond=0)


@dataclass(frozen=True)
class Purged:
    """How many rows were, or would be, deleted of each kind."""

    registrations: int = 0
    offers: int = 0
    accesses: int = 0
    people: int = 0

    def __add__(self, other: "Purged") -> "Purged":
        return Purged(*(mine + theirs for mine, theirs in zip(astuple(self), astuple(other), strict=True)))


def purge_registrations(*, at: datetime, dry_run: bool = False) -> Purged:
    """Forgets registrations after 30 days: unconfirmed, with all that they brought; confirmed, the row alone.

    What goes with one that nobody confirmed: its offers, the access and the account that it made, unless something else
    holds them. A refused access stays: it is what keeps a refusal a refusal.
    """
    total = Purged()
    last = 0
    while True:
        with transaction.atomic():
            people = _owners_of_old_registrations(at=at, after=last, lock=not dry_run)
            total += _purge(people, at=at, dry_run=dry_run)
        if len(people) < BATCH:
            break
        last = people[-1]
    if not dry_run:
        logger.info("registrations_purged", **asdict(total))
    return total


def _old(rows: QuerySet[Registration], *, at: datetime) -> QuerySet[Registration]:
    limit = at - REGISTRATION_KEPT
    return rows.filter(Q(confirmed_at__isnull=True, created_at__lt=limit) | Q(confirmed_at__lt=limit))


def _owners_of_old_registrations(*, at: datetime, after: int, lock: bool) -> list[int]:
    """Keys of people, in order, beyond ``after``. The lock keeps a registration that begins now waiting."""
    theirs = _old(Registration.objects.filter(access__user=OuterRef("pk")), at=at)
    people = User.objects.filter(Exists(theirs), pk__gt=after).order_by("pk")
    if lock:
        people = people.select_for_update(of=("self",), skip_locked=True)
    return list(people.values_list("pk", flat=True)[:BATCH])


def _purge(people: list[int], *, at: datetime, dry_run: bool) -> Purged:
    old = _old(Registration.objects.filter(access__user__in=people), at=at)
    registrations = list(old.values_list("pk", flat=True))
    offers_gone = list(
        Offer.objects.filter(registration__in=registrations, confirmed_at__isnull=True).values_list("pk", flat=True)
    )
    other_registrations = Registration.objects.filter(access=OuterRef("pk")).exclude(pk__in=registrations)
    other_offers = Offer.objects.filter(access=OuterRef("pk")).exclude(pk__in=offers_gone)
    accesses = list(
        Access.objects.filter(
            ~Exists(other_registrations),
            ~Exists(other_offers),
            user__in=people,
            status=AccessStatus.AWAITING,
            confirmed_at__isnull=True,
        ).values_list("pk", flat=True)
    )
    other_accesses = Access.objects.filter(user=OuterRef("pk")).exclude(pk__in=accesses)
    accounts = list(
        User.objects.filter(
            ~Exists(other_accesses),
            pk__in=people,
            is_staff=False,
            email_confirmed_at__isnull=True,
            last_login__isnull=True,
            groups__isnull=True,
        ).values_list("pk", flat=True)
    )
    if not dry_run:
        Offer.objects.filter(pk__in=offers_gone).delete()
        Registration.objects.filter(pk__in=registrations).delete()
        Access.objects.filter(pk__in=accesses).delete()
        User.objects.filter(pk__in=accounts).delete()
    return Purged(len(registrations), len(offers_gone), len(accesses), len(accounts))
