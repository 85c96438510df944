"""What people decide about establishments being shown.

A decision holds from the second it is made, for establishments that are not imported yet as well. The same decision
made twice is one row; a decision with another end or other jobs replaces the former one, which keeps its line.
"""

import datetime as dt
from collections.abc import Iterable
from typing import NamedTuple

from django.db import connection, transaction
from django.utils import timezone

from companies.enums import Channel, DecisionKind, DecisionOrigin, DecisionReason, DecisionScope
from companies.models import (
    Batch,
    ContactCorrection,
    InvalidContact,
    InvalidNumber,
    Rome,
    VisibilityDecision,
    clean_email,
    clean_phone,
    clean_siren,
    clean_siret,
)

REPLACED = "Remplacée par une décision plus récente."
# A day further than this is a slip, or a way to say "for good", which no end says.
LONGEST_YEARS = 50
# A power of two.
_LOCKS = 256


class RefusedDecision(ValueError):
    """The decision can't be taken; the message says why, in French."""


def delist(
    *, scope: str, value: str, by, at: dt.datetime, reason: str, origin: str, comment: str = "", ends_on=None
) -> VisibilityDecision:
    """Takes establishments out of sight, for good or to the end of the day ``ends_on`` in Paris.

    ``scope`` is a ``DecisionScope`` and ``value`` the SIRET, SIREN or e-mail address it names; ``by`` is a user, or
    None when the establishment itself or a machine decides. Raises ``RefusedDecision``.
    """
    return _decide(
        DecisionKind.DELISTED,
        scope=scope, value=value, by=by, at=at, reason=reason, origin=origin, comment=comment, ends_on=ends_on,
    )  # fmt: skip


def pause(
    *, scope: str, value: str, ends_on: dt.date, by, at: dt.datetime, reason: str, origin: str, comment: str = ""
) -> VisibilityDecision:
    """Takes establishments out of sight to the end of the day ``ends_on`` in Paris; as ``delist`` otherwise."""
    return _decide(
        DecisionKind.PAUSED,
        scope=scope, value=value, by=by, at=at, reason=reason, origin=origin, comment=comment, ends_on=ends_on,
    )  # fmt: skip


def hide_channel(
    *,
    scope: str,
    value: str,
    channel: str,
    by,
    at: dt.datetime,
    reason: str,
    origin: str,
    comment: str = "",
    ends_on=None,
) -> VisibilityDecision:
    """Hides a way to reach establishments that stay in sight; ``channel`` is a ``Channel``."""
    return _decide(
        DecisionKind.CHANNEL_HIDDEN, channel=channel,
        scope=scope, value=value, by=by, at=at, reason=reason, origin=origin, comment=comment, ends_on=ends_on,
    )  # fmt: skip


def list_establishment(
    *,
    siret: str,
    rome_codes: Iterable[str],
    by,
    at: dt.datetime,
    reason: str,
    origin: str,
    comment: str = "",
    ends_on=None,
) -> VisibilityDecision:
    """Has an establishment found for the jobs ``rome_codes`` without a score; a decision that hides it still wins."""
    return _decide(
        DecisionKind.LISTED, rome_codes=rome_codes, scope=DecisionScope.SIRET,
        value=siret, by=by, at=at, reason=reason, origin=origin, comment=comment, ends_on=ends_on,
    )  # fmt: skip


@transaction.atomic
def revoke(*, decision_id: int, by, at: dt.datetime, reason: str) -> VisibilityDecision:
    """Ends a decision now. Revoking it twice is no error: the first author and reason stay."""
    if not reason.strip():
        raise RefusedDecision("Dites pourquoi la décision est annulée.")
    decision = VisibilityDecision.objects.select_for_update(of=("self",)).get(pk=decision_id)
    if decision.revoked_at is None:
        _revoke(decision, by=by, at=at, reason=reason.strip())
    return decision


@transaction.atomic
def revoke_many(*, decision_ids: Iterable[int], by, at: dt.datetime, reason: str) -> int:
    """``revoke`` for each, in as many queries for thousands; returns how many ended now."""
    if not reason.strip():
        raise RefusedDecision("Dites pourquoi la décision est annulée.")
    standing = VisibilityDecision.objects.filter(pk__in=list(decision_ids), revoked_at=None).locked()
    ended = VisibilityDecision.objects.filter(pk__in=[each.pk for each in standing])
    return ended.update(revoked_at=at, revoked_by=by, revocation_reason=reason.strip())


def correct_contact(
    *, siret: str, channel: str, value: str, by, at: dt.datetime, reason: str, origin: str
) -> ContactCorrection:
    """Puts ``value`` in the place of an establishment's known e-mail or phone; an empty value erases it.

    A phone may be typed in any French form; it is kept as E.164. The same correction twice is one row.
    """
    return correct_contacts(sirets=[siret], channel=channel, value=value, by=by, at=at, reason=reason, origin=origin)[0]


def correct_contacts(
    *, sirets: Iterable[str], channel: str, value: str, by, at: dt.datetime, reason: str, origin: str
) -> list[ContactCorrection]:
    """``correct_contact`` for each of ``sirets``, all or none, in as many queries for thousands."""
    values = [(siret, channel, value) for siret in sirets]
    return correct_each(values=values, by=by, at=at, reason=reason, origin=origin)


@transaction.atomic
def correct_each(
    *,
    values: Iterable[tuple[str, str, str]],
    by,
    at: dt.datetime,
    reason: str,
    origin: str,
    batch: Batch | None = None,
) -> list[ContactCorrection]:
    """``correct_contact`` for each (SIRET, channel, value), all or none, in as many queries for thousands.

    Returns what holds, in their order. Raises ``RefusedDecision``.
    """
    if origin not in DecisionOrigin.values:
        raise RefusedDecision("L’origine de la correction est inconnue.")
    if not reason.strip():
        raise RefusedDecision("Dites pourquoi le contact est corrigé.")
    clean: dict[tuple[str, str], str] = {}
    for siret, channel, value in values:
        clean[normal_value(DecisionScope.SIRET, siret), channel] = normal_contact(channel, value)
    return write_corrections(values=clean, by=by, at=at, reason=reason, origin=origin, batch=batch)


def write_corrections(
    *,
    values: dict[tuple[str, str], str],
    by,
    at: dt.datetime,
    reason: str,
    origin: str,
    batch: Batch | None = None,
) -> list[ContactCorrection]:
    """The correction of each (SIRET, channel) to a value that is kept as it stands; within a transaction."""
    lock_contacts(values)
    standing = latest_corrections(values)
    made = [
        ContactCorrection(
            siret=siret,
            channel=channel,
            value=value,
            origin=origin,
            reason=reason.strip(),
            decided_by=by,
            decided_at=at,
            batch=batch,
        )
        for (siret, channel), value in values.items()
        if (siret, channel) not in standing or standing[siret, channel].value != value
    ]
    standing |= {(each.siret, each.channel): each for each in ContactCorrection.objects.bulk_create(made)}
    return [standing[pair] for pair in values]


def latest_corrections(pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], ContactCorrection]:
    """The correction that holds for each (SIRET, channel) that has one; of the other channel too, maybe."""
    sirets = {siret for siret, _ in pairs}
    latest = ContactCorrection.objects.filter(siret__in=sirets).order_by("siret", "channel", "-decided_at", "-id")
    return {(each.siret, each.channel): each for each in latest.distinct("siret", "channel")}


def normal_contact(channel: str, value: str) -> str:
    """``value`` as corrections keep it: an address in lower case, a phone in E.164; empty erases."""
    if channel not in (Channel.EMAIL, Channel.PHONE):
        raise RefusedDecision("Seuls l’e-mail et le téléphone se corrigent.")
    try:
        return clean_email(value) if channel == Channel.EMAIL else clean_phone(value)
    except InvalidContact as refusal:
        raise RefusedDecision(str(refusal)) from None


def normal_value(scope: str, value: str) -> str:
    """``value`` as decisions keep it: digits of a SIRET or SIREN, an address in lower case."""
    try:
        if scope == DecisionScope.SIRET:
            return clean_siret(value)
        if scope == DecisionScope.SIREN:
            return clean_siren(value)
    except InvalidNumber as refusal:
        raise RefusedDecision(str(refusal)) from None
    if scope != DecisionScope.EMAIL:
        raise RefusedDecision("La portée est un SIRET, un SIREN ou une adresse e-mail.")
    try:
        address = clean_email(value)
    except InvalidContact as refusal:
        raise RefusedDecision(str(refusal)) from None
    if not address:
        raise RefusedDecision("Indiquez une adresse e-mail.")
    return address


def end_of_day(day: dt.date) -> dt.datetime:
    """The midnight that ends ``day`` in Paris, whatever the clock does that day."""
    following = dt.datetime.combine(day + dt.timedelta(days=1), dt.time.min)
    return timezone.make_aware(following, timezone.get_default_timezone())


def _decide(kind, *, scope, value, **told) -> VisibilityDecision:
    return decide_many(kind=kind, targets=[(scope, value)], **told)[0]


class Terms(NamedTuple):
    """What a decision says, whomever it is about; checked."""

    kind: str
    ends_at: dt.datetime | None
    channel: str
    rome_codes: list[str]


class Standing(NamedTuple):
    """What a decision finds on its way: the same ones, in force, and those that it would replace."""

    same: dict[tuple[str, str], VisibilityDecision]
    replaced: list[VisibilityDecision]


@transaction.atomic
def decide_many(
    *,
    kind: str,
    targets: Iterable[tuple[str, str]],
    by,
    at: dt.datetime,
    reason: str,
    origin: str,
    comment: str = "",
    ends_on: dt.date | None = None,
    channel: str = Channel.ALL,
    rome_codes: Iterable[str] = (),
    batch: Batch | None = None,
) -> list[VisibilityDecision]:
    """The same decision about each of ``targets``, pairs of a scope and of its value: all of them, or none.

    As the verbs of one, in as many queries for thousands; what is made names ``batch``. Returns those in force, in the
    order of the targets without their doubles. Raises ``RefusedDecision``.
    """
    wanted = list(dict.fromkeys((str(scope), normal_value(scope, value)) for scope, value in targets))
    if origin not in DecisionOrigin.values:
        raise RefusedDecision("L’origine de la décision est inconnue.")
    terms = checked_terms(
        kind=kind, at=at, reason=reason, ends_on=ends_on, channel=channel, rome_codes=rome_codes
    )  # fmt: skip
    lock_targets(wanted)
    standing, replaced = standing_among(terms=terms, targets=wanted, at=at, lock=True)
    replaced_now = VisibilityDecision.objects.filter(pk__in=[each.pk for each in replaced])
    replaced_now.update(revoked_at=at, revoked_by=by, revocation_reason=REPLACED)
    made = [
        VisibilityDecision(
            kind=kind,
            scope=scope,
            value=value,
            channel=terms.channel,
            rome_codes=terms.rome_codes,
            starts_at=at,
            ends_at=terms.ends_at,
            reason=reason,
            comment=comment.strip(),
            origin=origin,
            decided_by=by,
            decided_at=at,
            batch=batch,
        )
        for scope, value in wanted
        if (scope, value) not in standing
    ]
    standing |= {(each.scope, each.value): each for each in VisibilityDecision.objects.bulk_create(made)}
    return [standing[target] for target in wanted]


def checked_terms(
    *,
    kind: str,
    at: dt.datetime,
    reason: str,
    ends_on: dt.date | None = None,
    channel: str = Channel.ALL,
    rome_codes: Iterable[str] = (),
) -> Terms:
    """What is asked, as decisions keep it. Raises ``RefusedDecision``."""
    if reason not in DecisionReason.values:
        raise RefusedDecision("Choisissez un motif.")
    if ends_on is not None and ends_on.year > at.year + LONGEST_YEARS:
        raise RefusedDecision("La date de fin est trop lointaine : laissez-la vide pour une décision sans fin.")
    if kind == DecisionKind.PAUSED and ends_on is None:
        raise RefusedDecision("Indiquez jusqu’à quand dure la pause.")
    if kind == DecisionKind.CHANNEL_HIDDEN and channel not in Channel.values:
        raise RefusedDecision("Choisissez le moyen de contact à masquer.")
    ends_at = end_of_day(ends_on) if ends_on is not None else None
    if ends_at is not None and ends_at <= at:
        raise RefusedDecision("La date de fin est déjà passée.")
    return Terms(kind, ends_at, channel, _known_jobs(rome_codes) if kind == DecisionKind.LISTED else [])


def standing_among(
    *, terms: Terms, targets: Iterable[tuple[str, str]], at: dt.datetime, lock: bool = False
) -> Standing:
    """What a decision of these ``terms`` about ``targets`` finds in force at ``at``; ``lock``: nobody revokes them
    before the end of the transaction.
    """
    standing = Standing({}, [])
    # A SIRET, a SIREN and an address can't be mistaken for each other: the value alone names the target.
    formers = VisibilityDecision.objects.filter(
        kind=terms.kind, value__in=[value for _, value in targets], channel=terms.channel, revoked_at=None
    )
    if lock:
        formers = formers.locked()
    for former in formers.exclude(ends_at__lte=at):
        is_same = (former.ends_at, former.rome_codes) == (terms.ends_at, terms.rome_codes)
        if is_same and former.starts_at <= at:
            standing.same[former.scope, former.value] = former
        else:
            standing.replaced.append(former)
    return standing


def _known_jobs(rome_codes: Iterable[str]) -> list[str]:
    codes = sorted(set(rome_codes))
    if not codes:
        raise RefusedDecision("Indiquez au moins un métier.")
    unknown = sorted(set(codes) - set(Rome.objects.filter(code__in=codes).values_list("code", flat=True)))
    if unknown:
        plural = "Codes ROME inconnus" if len(unknown) > 1 else "Code ROME inconnu"
        raise RefusedDecision(f"{plural} : {', '.join(unknown)}.")
    return codes


def _revoke(decision, *, by, at, reason):
    decision.revoked_at, decision.revoked_by, decision.revocation_reason = at, by, reason
    decision.save(update_fields=["revoked_at", "revoked_by", "revocation_reason"])


def lock_targets(targets: Iterable[tuple[str, str]], *others: str) -> None:
    """Until the end of the transaction, decisions about ``targets`` are made here only; the same for ``others``."""
    _one_at_a_time([*(f"decision:{scope}:{value}" for scope, value in targets), *others])


def lock_contacts(pairs: Iterable[tuple[str, str]], *others: str) -> None:
    """The same, for corrections of (SIRET, channel) pairs."""
    _one_at_a_time([*(f"contact:{siret}:{channel}" for siret, channel in pairs), *others])


def _one_at_a_time(names: Iterable[str]):
    """Until the end of the transaction, whoever decides about one of ``names`` waits for the one who does.

    The names share ``_LOCKS`` locks, taken in their order: thousands of names fill no table of locks, and two lists
    that share some never wait for each other in turn.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT pg_advisory_xact_lock(hashtext('companies.visibility'), number)
            FROM (SELECT DISTINCT hashtext(name) & %(last)s AS number FROM unnest(%(names)s::text[]) AS name
                  ORDER BY number) AS numbers
            """,
            {"last": _LOCKS - 1, "names": list(names)},
        )
