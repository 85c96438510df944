"""The links of the e-mails about an offer: each does one act on one offer, signs nobody in, and acts on a button."""

import uuid
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from django.core import signing
from django.utils.timezone import localdate

from offers.models import Offer

_SALT = "offers.links"
# How long after the last day that it announces a link still opens: the outcome of an offer may come late.
KEPT = timedelta(days=30)


class Act(StrEnum):
    """What a link lets its bearer do, on a button."""

    PROLONG = "prolong"
    FILLED = "filled"
    CLOSE = "close"


class BadLink(Exception):
    """Nobody signed this link: it is cut, changed, or was made for something else."""


class LinkExpired(Exception):
    """The link is ours, and too old."""


class Read(NamedTuple):
    """What a link says: the act, the offer, and the last day that the offer had when the link was written."""

    offer_id: uuid.UUID
    act: Act
    expires_on: date


def make(*, offer: Offer, act: Act) -> str:
    """The token of a link for ``act`` on ``offer``, which has a last day."""
    assert offer.expires_on
    return signing.dumps([offer.pk.hex, Act(act).value, offer.expires_on.toordinal()], salt=_SALT)


def all_of(offer: Offer) -> dict[str, str]:
    """The token of each act on ``offer``, by the act's name: what its e-mails need."""
    return {act.value: make(offer=offer, act=act) for act in Act}


def read(*, token: str, at: datetime) -> Read:
    """What ``token`` says. Raises ``BadLink``, ``LinkExpired``."""
    try:
        offer, act, last_day = signing.loads(token, salt=_SALT)
        found = Read(uuid.UUID(offer), Act(act), date.fromordinal(last_day))
    except (signing.BadSignature, ValueError, TypeError) as fault:
        raise BadLink from fault
    if localdate(at) > found.expires_on + KEPT:
        raise LinkExpired
    return found
