"""What a recruiter reads of the state of an offer, of what happened to it, and of an access."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.timezone import localdate

from companies.models import Opco
from labonnealternance.kit.text import counted, french_date, french_time
from offers.enums import AccessStatus, Door, OfferEventKind, OfferStatus, Outcome
from offers.models import Access, Offer, OfferEvent


@dataclass(frozen=True)
class State:
    """A badge (``tone`` is DSFR's, empty for grey) and the sentence that says what it means."""

    label: str
    tone: str
    sentence: str


def who_decides(opco: Opco | None) -> str:
    """Who judges the people of a field: the OPCO, by its name where it is known."""
    return f"l’OPCO de votre branche ({opco.name})" if opco else "l’équipe de La bonne alternance"


def state_of_offer(offer: Offer, *, at: datetime) -> State:
    """How ``offer`` stands at ``at``. It came with its access, its establishment and ``is_showable``."""
    if offer.status == OfferStatus.AWAITING:
        return _awaiting(offer)
    if offer.is_public(at):
        if not offer.is_showable:  # type: ignore[attr-defined]
            return State("Masquée", "warning", "L’établissement n’est plus montré par le service : l’offre non plus.")
        return State("En ligne", "success", _days_left(offer, at=at))
    if offer.status == OfferStatus.FILLED:
        return State("Pourvue", "info", f"{outcome_of(offer)}, {_closing_day(offer)}.")
    if offer.status == OfferStatus.CANCELLED:
        return State("Annulée", "", f"{outcome_of(offer)}, {_closing_day(offer)}.")
    assert offer.expires_on
    last_day = french_date(offer.expires_on)
    if offer.outcome:
        return State("Expirée", "", f"{outcome_of(offer)}. Son dernier jour était le {last_day}.")
    return State("Expirée", "new", f"Son dernier jour était le {last_day}. Dites-nous ce qu’elle est devenue.")


def _awaiting(offer: Offer) -> State:
    if offer.confirmed_at is None:
        return State("À confirmer", "warning", "Elle attend que vous confirmiez votre demande.")
    if offer.access.status == AccessStatus.AWAITING:
        decider = who_decides(offer.establishment.opco)
        return State("En attente", "info", f"Elle paraîtra d’elle-même dès que {decider} aura accepté votre demande.")
    if offer.establishment.to_verify_since:
        return State("En attente", "info", "Elle paraîtra d’elle-même dès que l’établissement sera vérifié.")
    if offer.establishment.closed_on or not offer.establishment.is_diffusible:
        return State("En attente", "warning", "Le registre des entreprises ne permet pas de la publier.")
    return State("En attente", "info", "Elle paraîtra d’elle-même d’ici une minute.")


def _days_left(offer: Offer, *, at: datetime) -> str:
    assert offer.expires_on
    days, last_day = offer.days_left(at), french_date(offer.expires_on)
    if days == 0:
        return "En ligne jusqu’à ce soir."
    return f"Encore {counted(days, 'jour', 'jours')}, jusqu’au {last_day} inclus."


def _closing_day(offer: Offer) -> str:
    assert offer.closed_at
    return f"le {french_date(localdate(offer.closed_at))}"


def outcome_of(offer: Offer) -> str:
    """What became of a closed offer, as far as it was said."""
    if offer.outcome == Outcome.FILLED_ELSEWHERE and offer.filled_through:
        return f"{offer.get_outcome_display()} – {offer.get_filled_through_display()}"
    if offer.outcome == Outcome.CANCELLED and offer.cancel_reason:
        return offer.get_cancel_reason_display()
    return offer.get_outcome_display() or "Close"


@dataclass(frozen=True)
class Happening:
    """A line of the history: when, what, by whom; ``detail`` may be empty."""

    day: str
    time: str
    what: str
    detail: str
    who: str


_WHAT = {
    OfferEventKind.DEPOSITED: "Offre déposée",
    OfferEventKind.CONFIRMED: "Demande confirmée",
    OfferEventKind.PUBLISHED: "Offre mise en ligne",
    OfferEventKind.EDITED: "Offre modifiée",
    OfferEventKind.PROLONGED: "Offre prolongée",
    OfferEventKind.OUTCOME: "Issue donnée",
}
_CLOSED = {
    OfferStatus.FILLED: "Offre pourvue",
    OfferStatus.CANCELLED: "Offre annulée",
    OfferStatus.EXPIRED: "Offre expirée",
}
# An offer has one person: what comes from the space or from a link was done by them, or in their name.
_WHO = {
    Door.SPACE: "vous",
    Door.MAIL_LINK: "vous, par le lien d’un e-mail",
    Door.SUPPORT: "le support",
    Door.OPCO: "l’OPCO",
    Door.CLOCK: "le service",
}


def happening(event: OfferEvent) -> Happening:
    """``event`` as the offer's person is told of it: nobody else is named."""
    is_end = event.kind == OfferEventKind.CLOSED
    return Happening(
        day=french_date(localdate(event.at)),
        time=french_time(event.at),
        what=_CLOSED[OfferStatus(event.to_status)] if is_end else _WHAT[OfferEventKind(event.kind)],
        # Written by the actions, from closed lists: nothing that somebody typed.
        detail=event.reason,
        who=_WHO[Door(event.via)],
    )


def state_of_access(access: Access) -> State:
    """How a right to publish stands; ``access`` came with its establishment, the OPCO of it, and ``is_showable``."""
    establishment = access.establishment
    if access.status == AccessStatus.DENIED:
        return State("Refusé", "error", "Vous ne pouvez pas publier d’offre pour cet établissement.")
    if access.confirmed_at is None:
        return State("À confirmer", "warning", "Confirmez votre demande pour qu’elle soit examinée.")
    if access.status == AccessStatus.AWAITING:
        return State("En attente", "info", f"Votre demande est examinée par {who_decides(establishment.opco)}.")
    if establishment.to_verify_since:
        return State("À vérifier", "info", "Vos offres paraîtront dès que l’établissement sera vérifié au registre.")
    if establishment.closed_on:
        return State("Fermé", "", "Le registre des entreprises dit cet établissement fermé.")
    if not access.is_showable:  # type: ignore[attr-defined]
        return State("Masqué", "warning", "Le service ne montre plus cet établissement : vos offres non plus.")
    return State("Accordé", "success", "Vos offres paraissent dès que vous les déposez.")
