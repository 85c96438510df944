"""The e-mails about accounts."""

from datetime import datetime

from django.conf import settings
from django.urls import reverse

from labonnealternance.accounts.models import SignInLink
from labonnealternance.mail.actions import write


def sign_in_link(*, link: SignInLink, token: str, at: datetime) -> None:
    """The link that signs ``link.user`` in; built from SITE_URL, whatever host the request named."""
    write(
        name="sign_in_link",
        to=link.user.email,
        at=at,
        confidential=True,
        context={
            "first_name": link.user.first_name,
            "link": settings.SITE_URL + reverse("accounts:use_link", args=[token]),
            "minutes": settings.SIGN_IN_LINK_LIFETIME_MINUTES,
        },
    )
