"""The same decision, or a list of corrections, about many establishments in one go: read first, then done, or undone.

What was read is what is done: the preview gives a signed mark of everything that it told, and ``apply`` does nothing
where it would tell something else.
"""

import datetime as dt
import hashlib
import json
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.core import signing
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, Subquery

from companies.actions import pasted, visibility
from companies.actions.pasted import WrongLine
from companies.actions.visibility import REPLACED, RefusedDecision, Terms
from companies.enums import BatchKind, Channel, DecisionKind, DecisionOrigin, DecisionScope, ReleaseStatus
from companies.models import (
    Batch,
    Contact,
    ContactCorrection,
    Establishment,
    HiringPotential,
    Release,
    VisibilityDecision,
)
from labonnealternance.kit.text import counted, french_date

# Establishments reached by companies or addresses are counted to here; so are those that a page names.
MOST_REACHED = 10_000
_NAMED = 20
_SALT = "companies.batches"
BACK = "Rétablie : le lot qui la remplaçait est annulé."


@dataclass(frozen=True)
class Order:
    """What is asked, as typed: ``text`` is a list (``pasted``), the rest is as ``visibility.decide_many`` has it."""

    kind: str
    text: str
    scope: str = DecisionScope.SIRET
    reason: str = ""
    comment: str = ""
    ends_on: dt.date | None = None
    channel: str = Channel.ALL
    rome_codes: tuple[str, ...] = ()

    @property
    def is_about_contacts(self) -> bool:
        return self.kind == BatchKind.CORRECTED


@dataclass(frozen=True)
class Effect:
    """What an order would do, and what it can't read.

    ``counts``, by name, each for the good lines, without their doubles:

    - ``wanted``: establishments, companies or addresses told; ``doubles``, ``wrong``: lines told twice, lines left out;
    - ``known``, ``unknown``: whether the tables know them; a decision holds all the same;
    - ``made``, ``already``, ``replaced``: decisions (or corrections) to make, those that stand already on the same
      terms, and others that the new ones end;
    - ``visible``: establishments reached that the public sees now; ``appearing``: that it would see, and does not;
      ``out_of_sight``: that it would not see even so. Up to ``MOST_REACHED``.
    """

    counts: dict[str, int]
    wrong: list[WrongLine] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    seen: str = ""

    @property
    def does_something(self) -> bool:
        return self.counts["made"] > 0


class Changed(Exception):
    """What was read before is not what would be done: ``effect`` is what would be, to be read."""

    def __init__(self, effect: Effect):
        super().__init__("L’effet n’est plus celui que vous avez lu : relisez-le.")
        self.effect = effect


def preview(*, order: Order, at: dt.datetime) -> Effect:
    """What ``apply`` would do; writes nothing. Raises ``RefusedDecision`` or ``pasted.RefusedList``."""
    return _Work(order, at).effect(key=str(uuid.uuid4()))


@transaction.atomic
def apply(*, order: Order, seen: str, by, at: dt.datetime) -> Batch:
    """Does what the preview that gave ``seen`` told, all of it; the same press twice makes one batch.

    Raises ``Changed`` where it would do something else, ``RefusedDecision`` and ``pasted.RefusedList``.
    """
    work = _Work(order, at)
    try:
        text, digest = signing.loads(seen, salt=_SALT)
        key: uuid.UUID | None = uuid.UUID(text)
    except (signing.BadSignature, ValueError, TypeError):
        key, digest = None, ""
    # Whoever presses at the same time, on the same preview or about the same establishments, waits.
    work.lock(key)
    done = Batch.objects.filter(pk=key).first() if key else None
    if done is not None:
        return done
    effect = work.effect(key=str(uuid.uuid4()))
    if key is None or signing.loads(effect.seen, salt=_SALT)[1] != digest:
        raise Changed(effect)
    if not effect.does_something:
        raise RefusedDecision("Il n’y a rien à faire : tout est déjà ainsi.")
    batch = Batch.objects.create(
        pk=key,
        kind=order.kind,
        scope=order.scope,
        asked=in_words(order, effect.counts["made"], establishments=effect.counts["wanted"]),
        reason=order.reason,
        comment=order.comment.strip(),
        counts=effect.counts,
        by=by,
        at=at,
    )
    work.do(batch)
    return batch


class _Work:
    """An order whose list is read, at the moment when its effect is weighed."""

    def __init__(self, order: Order, at: dt.datetime):
        self.order, self.at = order, at
        self.terms: Terms | None = None
        self.contacts: dict[tuple[str, str], str] = {}
        if order.is_about_contacts:
            if not order.comment.strip():
                raise RefusedDecision("Dites pourquoi les contacts sont corrigés.")
            contacts = pasted.read_contacts(text=order.text)
            self.contacts, self.values = contacts.values, contacts.sirets
            self.doubles, self.wrong = contacts.doubles, contacts.wrong
        else:
            if order.kind == BatchKind.LISTED and order.scope != DecisionScope.SIRET:
                raise RefusedDecision("On ne référence que des établissements : donnez des SIRET.")
            self.terms = visibility.checked_terms(
                kind=order.kind,
                at=at,
                reason=order.reason,
                ends_on=order.ends_on,
                channel=order.channel,
                rome_codes=order.rome_codes,
            )
            found = pasted.read(scope=order.scope, text=order.text)
            self.values, self.doubles, self.wrong = found.values, found.doubles, found.wrong

    @property
    def targets(self) -> list[tuple[str, str]]:
        return [(self.order.scope, value) for value in self.values]

    def lock(self, key: uuid.UUID | None) -> None:
        if self.order.is_about_contacts:
            visibility.lock_contacts(self.contacts, f"batch:{key}")
        else:
            visibility.lock_targets(self.targets, f"batch:{key}")

    def effect(self, *, key: str) -> Effect:
        known, reached = self._known()
        unknown = [value for value in self.values if value not in known]
        counts = {
            "wanted": len(self.values),
            "doubles": self.doubles,
            "wrong": len({each.number for each in self.wrong}),
            "known": len(self.values) - len(unknown),
            "unknown": len(unknown),
            **(self._of_corrections() if self.terms is None else self._of_decisions(self.terms, reached)),
        }
        told = json.dumps([_written(self.order), counts], sort_keys=True)
        digest = hashlib.sha256(told.encode()).hexdigest()
        return Effect(counts, self.wrong, unknown[:_NAMED], signing.dumps([key, digest], salt=_SALT))

    def do(self, batch: Batch) -> None:
        told: dict[str, Any] = {"by": batch.by, "at": self.at, "origin": DecisionOrigin.SUPPORT, "batch": batch}
        order = self.order
        if order.is_about_contacts:
            visibility.write_corrections(values=self.contacts, reason=order.comment, **told)
            return
        visibility.decide_many(
            kind=order.kind,
            targets=self.targets,
            reason=order.reason,
            comment=order.comment,
            ends_on=order.ends_on,
            channel=order.channel,
            rome_codes=order.rome_codes,
            **told,
        )

    def _known(self) -> tuple[set[str], Any]:
        """Those that the tables know, and the establishments that they reach."""
        establishments = Establishment.objects.order_by()
        if self.order.scope == DecisionScope.EMAIL:
            by_siret = _sirets_of(self.values)
            return set(by_siret.values()), establishments.filter(siret__in=list(by_siret))
        column = "siret" if self.order.scope == DecisionScope.SIRET else "siren"
        reached = establishments.filter(**{f"{column}__in": self.values})
        return set(reached.values_list(column, flat=True).distinct()), reached

    def _of_corrections(self) -> dict[str, int]:
        latest = visibility.latest_corrections(self.contacts)
        already = sum(pair in latest and latest[pair].value == value for pair, value in self.contacts.items())
        replaced = sum(pair in latest and latest[pair].value != value for pair, value in self.contacts.items())
        return {"made": len(self.contacts) - already, "already": already, "replaced": replaced}

    def _of_decisions(self, terms: Terms, reached) -> dict[str, int]:
        same, replaced = visibility.standing_among(terms=terms, targets=self.targets, at=self.at)
        counts = {"made": len(self.values) - len(same), "already": len(same), "replaced": len(replaced)}
        seen = _seen_by_the_public(self.at)
        counts["visible"] = _count(seen.filter(pk__in=reached.values("pk")))
        if terms.kind == DecisionKind.LISTED:
            could_be = Establishment.objects.showable(self.at).filter(
                pk__in=reached.values("pk"), latitude__isnull=False
            )
            able = _count(could_be)
            counts["appearing"] = able - counts["visible"]
            counts["out_of_sight"] = _count(reached) - able
        return counts


def _seen_by_the_public(at: dt.datetime):
    """The establishments that have a page at ``at``: ``listed``, and some job."""
    online = Release.objects.filter(status=ReleaseStatus.CURRENT).values_list("pk", flat=True).first()
    has_a_job = Q(
        Exists(
            VisibilityDecision.objects.in_force(at).filter(
                kind=DecisionKind.LISTED, scope=DecisionScope.SIRET, value=OuterRef("siret")
            )
        )
    )
    if online is not None:
        has_a_job |= Q(Exists(HiringPotential.objects.filter(release_id=online, establishment_id=OuterRef("pk"))))
    return Establishment.objects.listed(at).filter(has_a_job)


def _sirets_of(addresses: Iterable[str]) -> dict[str, str]:
    """SIRET → the one of ``addresses`` that is known of it, ``MOST_REACHED`` at most."""
    addresses = list(addresses)
    now = Subquery(
        ContactCorrection.objects.filter(siret=OuterRef("siret"), channel=Channel.EMAIL)
        .order_by("-decided_at", "-id")
        .values("value")[:1]
    )
    imported = Contact.objects.filter(email__in=addresses).alias(corrected=now).filter(corrected__isnull=True)
    given = ContactCorrection.objects.filter(channel=Channel.EMAIL, value__in=addresses)
    given = given.alias(now=now).filter(now=F("value"))
    return {
        **dict(imported.order_by("siret").values_list("siret", "email")[:MOST_REACHED]),
        **dict(given.order_by("siret").values_list("siret", "value")[:MOST_REACHED]),
    }


def _count(rows) -> int:
    return rows.order_by()[:MOST_REACHED].count()


def _written(order: Order) -> list:
    """The order as its mark holds it."""
    ends_on = order.ends_on.isoformat() if order.ends_on else ""
    return [
        order.kind, order.scope, order.text, order.reason, order.comment, ends_on, order.channel,
        sorted(order.rome_codes),
    ]  # fmt: skip


# ── In words ─────────────────────────────────────────────────────────────────────────────────────────────────────────

_NOUNS = {
    DecisionScope.SIRET: ("établissement", "établissements"),
    DecisionScope.SIREN: ("entreprise", "entreprises"),
    DecisionScope.EMAIL: ("adresse e-mail", "adresses e-mail"),
}
_HIDDEN = {
    Channel.ALL: "tous les moyens de contact",
    Channel.EMAIL: "l’e-mail",
    Channel.PHONE: "le téléphone",
    Channel.APPLICATIONS: "le dépôt de candidatures",
}


def in_words(order: Order, count: int, *, establishments: int = 0) -> str:
    """What ``order`` does to ``count`` targets: « Retirer 12 établissements, sans fin »."""
    of_whom = counted(count, *_NOUNS[DecisionScope(order.scope)])
    until = f" jusqu’au {french_date(order.ends_on)}" if order.ends_on else ", sans fin"
    reached = f"les établissements de {of_whom}" if order.scope != DecisionScope.SIRET else of_whom
    match order.kind:
        case BatchKind.CORRECTED:
            many = counted(establishments, *_NOUNS[DecisionScope.SIRET])
            return f"Corriger {counted(count, 'contact', 'contacts')} de {many}"
        case BatchKind.DELISTED:
            return f"Retirer {reached}{until}"
        case BatchKind.PAUSED:
            return f"Mettre en pause {reached}{until}"
        case BatchKind.CHANNEL_HIDDEN:
            whose = reached.replace("les établissements", "des établissements", 1)
            link = "" if whose.startswith("des ") else "de "
            return f"Masquer {_HIDDEN[Channel(order.channel)]} {link}{whose}{until}"
        case _:
            return f"Référencer {of_whom} pour {', '.join(sorted(order.rome_codes))}{until}"


# ── Undone ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Undoing:
    """What undoing a batch would do.

    ``ended``: decisions that it ends; ``left``: those that are over, or that others replaced or revoked since, and
    stay so; ``back``: decisions that the batch had replaced and that come back, as new ones on the former terms;
    ``not_back``: those that do not, because their end has passed or their own batch was undone. ``restored``: contacts
    that take their former value again; ``corrected_since``: contacts that were corrected again, and stay so.
    """

    ended: int
    left: int
    back: int
    not_back: int
    restored: int
    corrected_since: int


@dataclass(frozen=True)
class _ToUndo:
    standing: list[VisibilityDecision]
    left: int
    back: list[VisibilityDecision]
    not_back: int
    former: dict[tuple[str, str], str]
    corrected_since: int


def preview_undo(*, batch: Batch, at: dt.datetime) -> Undoing:
    """What ``undo`` would do; writes nothing."""
    found = _to_undo(batch, at)
    return Undoing(
        len(found.standing), found.left, len(found.back), found.not_back, len(found.former), found.corrected_since
    )


@transaction.atomic
def undo(*, batch_id: uuid.UUID, by, at: dt.datetime, reason: str) -> Batch:
    """Ends what the batch decided and still holds, and puts back what it replaced, by new decisions and corrections.

    Undoing it twice is no error: the first author and reason stay. Raises ``RefusedDecision``.
    """
    if not reason.strip():
        raise RefusedDecision("Dites pourquoi le lot est annulé.")
    batch = Batch.objects.select_for_update(of=("self",)).get(pk=batch_id)
    if batch.undone_at is not None:
        return batch
    decided = batch.decisions.values_list("scope", "value")
    corrected = batch.corrections.values_list("siret", "channel")
    visibility.lock_targets(decided, *(f"contact:{siret}:{channel}" for siret, channel in corrected))
    found = _to_undo(batch, at, lock=True)
    visibility.revoke_many(decision_ids=[each.pk for each in found.standing], by=by, at=at, reason=reason)
    VisibilityDecision.objects.bulk_create(
        VisibilityDecision(
            kind=former.kind,
            scope=former.scope,
            value=former.value,
            channel=former.channel,
            rome_codes=former.rome_codes,
            starts_at=max(at, former.starts_at),
            ends_at=former.ends_at,
            reason=former.reason,
            comment=f"{former.comment}\n{BACK}".strip(),
            origin=former.origin,
            decided_by=by,
            decided_at=at,
            batch_id=former.batch_id,
        )
        for former in found.back
    )
    visibility.write_corrections(
        values=found.former, by=by, at=at, reason=f"Lot annulé : {reason.strip()}", origin=DecisionOrigin.SUPPORT
    )
    batch.undone_at, batch.undone_by, batch.undone_reason = at, by, reason.strip()
    batch.save(update_fields=["undone_at", "undone_by", "undone_reason"])
    return batch


def _to_undo(batch: Batch, at: dt.datetime, *, lock: bool = False) -> _ToUndo:
    decisions = list(batch.decisions.locked() if lock else batch.decisions.all())
    standing = [each for each in decisions if each.revoked_at is None and (each.ends_at is None or each.ends_at > at)]
    replaced = VisibilityDecision.objects.filter(
        kind=batch.kind,
        value__in=[each.value for each in standing],
        revoked_at=batch.at,
        revocation_reason=REPLACED,
    ).select_related("batch")
    held = {(each.scope, each.value, each.channel) for each in standing}
    formers = [each for each in replaced if (each.scope, each.value, each.channel) in held]
    back = [
        each
        for each in formers
        if (each.ends_at is None or each.ends_at > at) and (each.batch is None or each.batch.undone_at is None)
    ]
    former, corrected_since = _former_contacts(batch)
    return _ToUndo(standing, len(decisions) - len(standing), back, len(formers) - len(back), former, corrected_since)


def _former_contacts(batch: Batch) -> tuple[dict[tuple[str, str], str], int]:
    """What the contacts that the batch corrected were before it, and how many were corrected again since."""
    corrections = {(each.siret, each.channel): each for each in batch.corrections.all()}
    if not corrections:
        return {}, 0
    latest = visibility.latest_corrections(corrections)
    held = [pair for pair, each in corrections.items() if latest[pair].pk == each.pk]
    sirets = {siret for siret, _ in held}
    earlier = (
        ContactCorrection.objects.filter(Q(batch__isnull=True) | ~Q(batch=batch), siret__in=sirets)
        .filter(decided_at__lte=batch.at)
        .order_by("siret", "channel", "-decided_at", "-id")
        .distinct("siret", "channel")
    )
    before: dict[tuple[str, str], str] = {(each.siret, each.channel): each.value for each in earlier}
    imported: dict[tuple[str, str], str] = {}
    for contact in Contact.objects.filter(siret__in=sirets):
        imported |= {(contact.siret, Channel.EMAIL): contact.email, (contact.siret, Channel.PHONE): contact.phone}
    former = {pair: before.get(pair, imported.get(pair, "")) for pair in held}
    return former, len(corrections) - len(held)
