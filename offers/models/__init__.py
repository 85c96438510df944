"""Tables of the market."""

from offers.models.access import Access, AccessMove, Registration
from offers.models.offer import (
    LIFETIME,
    LONGEST_DURATION,
    LONGEST_PRESENTATION,
    LONGEST_QUESTION,
    LONGEST_TITLE,
    MOST_POSITIONS,
    MOST_QUESTIONS,
    SHORTEST_DURATION,
    SHORTEST_PRESENTATION,
    SHORTEST_TITLE,
    Offer,
    OfferDay,
    OfferEvent,
    OfferReminder,
)

__all__ = [
    "LIFETIME",
    "LONGEST_DURATION",
    "LONGEST_PRESENTATION",
    "LONGEST_QUESTION",
    "LONGEST_TITLE",
    "MOST_POSITIONS",
    "MOST_QUESTIONS",
    "SHORTEST_DURATION",
    "SHORTEST_PRESENTATION",
    "SHORTEST_TITLE",
    "Access",
    "AccessMove",
    "Offer",
    "OfferDay",
    "OfferEvent",
    "OfferReminder",
    "Registration",
]
