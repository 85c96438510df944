"""The e-mails about requests: each says which establishment it is about, what was asked, and why it is sent.

Nothing that a visitor typed freely is in them: nobody knows yet whether the visitor is the reader.
"""

from typing import Any

from django.conf import settings
from django.urls import reverse

from labonnealternance.kit.text import counted
from labonnealternance.mail.actions import Letter
from unsubscribe.enums import Outcome
from unsubscribe.models import Request

LINK_HOURS = 72


def _address(name: str, *args: object) -> str:
    return settings.SITE_URL + reverse(f"unsubscribe:{name}", args=args)


def _what(request: Request) -> dict[str, Any]:
    return {
        "about": request.about,
        "by_siret": request.scope == "siret",
        "told": request.told(),
        "contact_email": settings.CONTACT_EMAIL,
    }


def link_to_act(*, request: Request, token: str) -> Letter:
    """To the known address of the establishment: the link that does what was asked."""
    context = {**_what(request), "link": _address("act", token), "hours": LINK_HOURS}
    return Letter("unsubscribe_link", request.address, context, confidential=True)


def link_to_confirm(*, request: Request, token: str) -> Letter:
    """To who asks support, with a document: the link that proves where to answer."""
    context = {**_what(request), "link": _address("confirm", token), "hours": LINK_HOURS}
    return Letter("unsubscribe_contact", request.address, context, confidential=True)


def done(*, request: Request, to: str, note: str = "") -> Letter:
    """It is done, and how to come back; ``note`` is what support adds."""
    context = {
        **_what(request),
        "counted": counted(request.establishments, "établissement", "établissements"),
        "establishments": request.establishments,
        "is_gone": request.outcome in {Outcome.LEAVE, Outcome.PAUSE},
        "is_for_good": request.outcome == Outcome.LEAVE,
        "form": _address("home"),
        "note": note,
    }
    return Letter("unsubscribe_done", to, context)


def refused(*, request: Request, answer: str) -> Letter:
    """Support could not do it; ``answer`` says why."""
    return Letter(
        "unsubscribe_refused", request.address, {**_what(request), "answer": answer, "form": _address("home")}
    )
