"""The e-mails about accounts."""

from datetime import datetime

from django.conf import settings
from django.urls import reverse

from labonnealternance.accounts.models import AddressChange, SignInLink, User
from labonnealternance.mail.actions import write


def sign_in_link(*, link: SignInLink, token: str, at: datetime) -> None:
    """The link that signs ``link.user`` in; built from SITE_URL, whatever host the request named, as all below."""
    write(
        name="sign_in_link",
        to=link.address,
        at=at,
        confidential=True,
        context={
            "first_name": link.user.first_name,
            "link": settings.SITE_URL + reverse("accounts:use_link", args=[token]),
            "minutes": settings.SIGN_IN_LINK_LIFETIME_MINUTES,
        },
    )


def address_change(*, change: AddressChange, token: str, at: datetime) -> None:
    """To the new address: the link that makes it the account's."""
    write(
        name="address_change",
        to=change.address,
        at=at,
        confidential=True,
        context={
            "first_name": change.user.first_name,
            "link": settings.SITE_URL + reverse("accounts:use_address_link", args=[token]),
            "minutes": settings.SIGN_IN_LINK_LIFETIME_MINUTES,
        },
    )


def address_change_asked(*, change: AddressChange, at: datetime) -> None:
    """To the present address, while it can still be prevented."""
    write(
        name="address_change_asked",
        to=change.user.email,
        at=at,
        context={
            "first_name": change.user.first_name,
            "address": change.address,
            "account": settings.SITE_URL + reverse("accounts:home"),
            "contact_email": settings.CONTACT_EMAIL,
        },
    )


def address_changed(*, user: User, before: str, at: datetime) -> None:
    """To the address that the account no longer has."""
    write(
        name="address_changed",
        to=before,
        at=at,
        context={"first_name": user.first_name, "address": user.email, "contact_email": settings.CONTACT_EMAIL},
    )


def personal_data_erased(*, address: str, at: datetime) -> None:
    """To a person whose data are erased: what became of them, and what stays."""
    write(
        name="personal_data_erased",
        to=address,
        at=at,
        confidential=True,
        context={"address": address, "contact_email": settings.CONTACT_EMAIL},
    )


def address_taken(*, owner: User, at: datetime) -> None:
    """To someone whose address was given for another account."""
    write(
        name="address_taken",
        to=owner.email,
        at=at,
        context={
            "first_name": owner.first_name,
            "sign_in": settings.SITE_URL + reverse("accounts:sign_in"),
            "contact_email": settings.CONTACT_EMAIL,
        },
    )
