"""E-mail addresses and phone numbers as they are kept: lower case, E.164."""

from django.db import models

from labonnealternance.kit import contacts


class InvalidContact(ValueError):
    """The e-mail address or the phone number can't be kept; the message says why, in French."""


def clean_email(text: str) -> str:
    """An address in lower case; empty stays empty. Raises ``InvalidContact``."""
    if not text.strip():
        return ""
    try:
        return contacts.clean_email(text)
    except contacts.NotAnAddress as refusal:
        raise InvalidContact(str(refusal)) from None


def clean_phone(text: str) -> str:
    """A French number in E.164 (``+33199000018``); empty stays empty. Raises ``InvalidContact``."""
    if not text.strip():
        return ""
    try:
        return contacts.clean_phone(text)
    except contacts.NotANumber as refusal:
        raise InvalidContact(str(refusal)) from None


def domain_of(name: str | models.F) -> models.Func:
    """The domain of the address in the column ``name`` (an outer query's, by ``OuterRef``); "" where there is none."""
    column = models.F(name) if isinstance(name, str) else name
    return models.Func(
        column, models.Value("@"), models.Value(-1), function="split_part", output_field=models.CharField()
    )
