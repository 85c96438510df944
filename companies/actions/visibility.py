"""What people decide about establishments being shown.

A decision holds from the second it is made, for establishments that are not imported yet as well. The same decision
made twice is one row; a decision with another end or other jobs replaces the former one, which keeps its line.
"""

import datetime as dt
from collections.abc import Iterable

from django.db import connection, transaction
from django.utils import timezone

from companies.enums import Channel, DecisionKind, DecisionOrigin, DecisionReason, DecisionScope
from companies.models import (
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


def revoke_many(*, decision_ids: Iterable[int], by, at: dt.datetime, reason: str) -> int:
    """``revoke`` for each, in one query; returns how many ended now."""
    if not reason.strip():
        raise RefusedDecision("Dites pourquoi la décision est annulée.")
    standing = VisibilityDecision.objects.filter(pk__in=list(decision_ids), revoked_at=None)
    return standing.update(revoked_at=at, revoked_by=by, revocation_reason=reason.strip())


def correct_contact(
    *, siret: str, channel: str, value: str, by, at: dt.datetime, reason: str, origin: str
) -> ContactCorrection:
    """Puts ``value`` in the place of an establishment's known e-mail or phone; an empty value erases it.

    A phone may be typed in any French form; it is kept as E.164. The same correction twice is one row.
    """
    return correct_contacts(sirets=[siret], channel=channel, value=value, by=by, at=at, reason=reason, origin=origin)[0]


@transaction.atomic
def correct_contacts(
    *, sirets: Iterable[str], channel: str, value: str, by, at: dt.datetime, reason: str, origin: str
) -> list[ContactCorrection]:
    """``correct_contact`` for each of ``sirets``, all or none, in as many queries for thousands."""
    wanted = list(dict.fromkeys(normal_value(DecisionScope.SIRET, siret) for siret in sirets))
    if channel not in (Channel.EMAIL, Channel.PHONE):
        raise RefusedDecision("Seuls l'e-mail et le téléphone se corrigent.")
    if origin not in DecisionOrigin.values:
        raise RefusedDecision("L'origine de la correction est inconnue.")
    if not reason.strip():
        raise RefusedDecision("Dites pourquoi le contact est corrigé.")
    try:
        value = clean_email(value) if channel == Channel.EMAIL else clean_phone(value)
    except InvalidContact as refusal:
        raise RefusedDecision(str(refusal)) from None
    _one_at_a_time(f"contact:{siret}:{channel}" for siret in wanted)
    corrections = ContactCorrection.objects.filter(siret__in=wanted, channel=channel)
    latest = {each.siret: each for each in corrections.order_by("siret", "-decided_at", "-id").distinct("siret")}
    standing = {siret: each for siret, each in latest.items() if each.value == value}
    made = [
        ContactCorrection(
            siret=siret,
            channel=channel,
            value=value,
            origin=origin,
            reason=reason.strip(),
            decided_by=by,
            decided_at=at,
        )
        for siret in wanted
        if siret not in standing
    ]
    standing |= {each.siret: each for each in ContactCorrection.objects.bulk_create(made)}
    return [standing[siret] for siret in wanted]


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
) -> list[VisibilityDecision]:
    """The same decision about each of ``targets``, pairs of a scope and of its value: all of them, or none.

    As the verbs of one, in as many queries for thousands. Returns those in force, in the order of the targets without
    their doubles. Raises ``RefusedDecision``.
    """
    wanted = list(dict.fromkeys((str(scope), normal_value(scope, value)) for scope, value in targets))
    if reason not in DecisionReason.values:
        raise RefusedDecision("Choisissez un motif.")
    if origin not in DecisionOrigin.values:
        raise RefusedDecision("L'origine de la décision est inconnue.")
    if ends_on is not None and ends_on.year > at.year + LONGEST_YEARS:
        raise RefusedDecision("La date de fin est trop lointaine : laissez-la vide pour une décision sans fin.")
    if kind == DecisionKind.PAUSED and ends_on is None:
        raise RefusedDecision("Indiquez jusqu'à quand dure la pause.")
    if kind == DecisionKind.CHANNEL_HIDDEN and channel not in Channel.values:
        raise RefusedDecision("Choisissez le moyen de contact à masquer.")
    ends_at = end_of_day(ends_on) if ends_on is not None else None
    if ends_at is not None and ends_at <= at:
        raise RefusedDecision("La date de fin est déjà passée.")
    codes = _known_jobs(rome_codes) if kind == DecisionKind.LISTED else []
    _one_at_a_time(f"decision:{scope}:{value}" for scope, value in wanted)
    standing, replaced = {}, []
    # A SIRET, a SIREN and an address can't be mistaken for each other: the value alone names the target.
    same = VisibilityDecision.objects.filter(
        kind=kind, value__in=[value for _, value in wanted], channel=channel, revoked_at=None
    )
    for former in same.exclude(ends_at__lte=at).select_for_update(of=("self",)):
        if former.starts_at <= at and former.ends_at == ends_at and former.rome_codes == codes:
            standing[former.scope, former.value] = former
        else:
            replaced.append(former.pk)
    VisibilityDecision.objects.filter(pk__in=replaced).update(revoked_at=at, revoked_by=by, revocation_reason=REPLACED)
    made = [
        VisibilityDecision(
            kind=kind,
            scope=scope,
            value=value,
            channel=channel,
            rome_codes=codes,
            starts_at=at,
            ends_at=ends_at,
            reason=reason,
            comment=comment.strip(),
            origin=origin,
            decided_by=by,
            decided_at=at,
        )
        for scope, value in wanted
        if (scope, value) not in standing
    ]
    standing |= {(each.scope, each.value): each for each in VisibilityDecision.objects.bulk_create(made)}
    return [standing[target] for target in wanted]


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
