"""The link that every e-mail to an establishment carries: leave, pause, hide a contact.

It needs no account and never expires: who reads the mail of the address known of an establishment speaks for it, as
long as the address is still the known one. What the link may do by itself is told by the page that it opens.
"""

from typing import NamedTuple

from django.conf import settings
from django.core import signing
from django.urls import reverse

_SALT = "companies.visibility_links"


class BadLink(Exception):
    """Nobody signed this link: it is cut, or changed."""


class Read(NamedTuple):
    """What a link says: the establishment that the mail was about, and the address that it was sent to."""

    siret: str
    email: str


def make(*, siret: str, email: str) -> str:
    """The whole address of the link of a mail about ``siret`` that is sent to ``email``."""
    token = signing.dumps([siret, email.lower()], salt=_SALT)
    return settings.SITE_URL + reverse(settings.LEAVE_BY_MAIL_PAGE, args=[token])


def read(*, token: str) -> Read:
    """What ``token`` says. Raises ``BadLink``."""
    try:
        siret, email = signing.loads(token, salt=_SALT)
    except (signing.BadSignature, ValueError, TypeError) as fault:
        raise BadLink from fault
    return Read(siret, email)
