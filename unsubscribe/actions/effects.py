"""What a request that is proved changes: decisions and corrections of ``companies``, all of them or none."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.utils.timezone import localdate

from companies.actions import contacts, visibility
from companies.actions.visibility import RefusedDecision
from companies.enums import Channel, DecisionKind, DecisionOrigin, DecisionScope
from companies.models import VisibilityDecision
from unsubscribe.enums import Outcome, Proof, Status
from unsubscribe.models import Request

# Of one address: beyond, what hides the address itself hides the rest.
MOST_DECIDED = 5000
_OWN = [DecisionOrigin.MAIL_LINK, DecisionOrigin.FORM]
_KINDS = {
    Outcome.LEAVE: DecisionKind.DELISTED,
    Outcome.PAUSE: DecisionKind.PAUSED,
    Outcome.HIDE: DecisionKind.CHANNEL_HIDDEN,
    Outcome.BE_LISTED: DecisionKind.LISTED,
}


class RefusedRequest(ValueError):
    """What was typed can't be done: ``faults`` tells, by the name of the field, the sentence in French."""

    def __init__(self, **faults: str):
        super().__init__(" ".join(faults.values()))
        self.faults = faults


def apply(*, request: Request, targets: Iterable[tuple[str, str]], by, at: datetime, origin: DecisionOrigin) -> None:
    """Does what the confirmed ``request`` asks for ``targets``, pairs of a scope and its value, and settles it.

    Raises ``RefusedRequest``.
    """
    targets = list(targets)
    sirets = [value for scope, value in targets if scope == DecisionScope.SIRET]
    told: dict[str, Any] = {"by": by, "at": at, "origin": origin}
    try:
        if request.outcome == Outcome.CORRECT:
            for channel, value in ((Channel.EMAIL, request.email), (Channel.PHONE, request.phone)):
                if value:
                    visibility.correct_contacts(
                        sirets=sirets, channel=channel, value=value, reason=_trace(request), **told
                    )
        else:
            if request.outcome == Outcome.BE_LISTED:
                targets = [target for target in targets if target[0] == DecisionScope.SIRET]
                _come_back(request, sirets=sirets, by=by, at=at)
            visibility.decide_many(
                kind=_KINDS[Outcome(request.outcome)],
                targets=targets,
                reason=request.reason,
                # A pause and a listing end; to leave, and to hide a contact, is for good.
                ends_on=request.ends_on,
                channel=request.channel,
                rome_codes=request.rome_codes,
                comment=_trace(request),
                **told,
            )
    except RefusedDecision as refusal:
        raise RefusedRequest(sirets=str(refusal)) from None
    request.establishments = max(1, len(sirets))
    request.move(to=Status.DONE, by=by, at=at)


def _trace(request: Request) -> str:
    """What the decisions keep of the request: its number, and nothing of who made it."""
    return f"Demande {request.pk}"


def _come_back(request: Request, *, sirets: list[str], by, at: datetime) -> None:
    """Ends what hides the establishments: by their own wish alone, unless support (``by``) decides.

    What hides a whole company is never ended by one of its establishments. What hid an address is kept for the other
    establishments that have it.
    """
    address = [request.address] if request.proof == Proof.MAILBOX else []
    values = {*sirets, *(siret[:9] for siret in sirets), *address}
    found = list(VisibilityDecision.objects.in_force(at).hiding().filter(value__in=values).order_by("pk"))
    if any(each.scope == DecisionScope.SIREN for each in found):
        raise RefusedRequest(sirets="Une décision retire toute l’entreprise : écrivez-nous pour la lever d’abord.")
    if by is None and any(each.origin not in _OWN for each in found):
        raise RefusedRequest(
            sirets="Une décision de notre équipe retire l’un de ces établissements : écrivez-nous pour en parler."
        )
    told: dict[str, Any] = {"by": by, "at": at}
    others = set(contacts.sirets_of(email=request.address, limit=MOST_DECIDED)) - set(sirets) if address else set()
    for each in found:
        if each.scope == DecisionScope.EMAIL and others:
            visibility.decide_many(
                kind=each.kind,
                targets=[(DecisionScope.SIRET, siret) for siret in sorted(others)],
                reason=each.reason,
                origin=each.origin,
                comment=each.comment,
                ends_on=localdate(each.ends_at - timedelta(seconds=1)) if each.ends_at else None,
                **told,
            )
    visibility.revoke_many(
        decision_ids=[each.pk for each in found], reason=f"{_trace(request)} : être référencé", **told
    )
