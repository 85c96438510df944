"""E-mail addresses and phone numbers as they are kept: lower case, E.164."""

import phonenumbers
from django.db import models

from labonnealternance.kit import contacts

# Numbers that cost the caller more than an ordinary call.
_SURCHARGED = {phonenumbers.PhoneNumberType.PREMIUM_RATE, phonenumbers.PhoneNumberType.SHARED_COST}
# The overseas départements and collectivities have numbering plans of their own; people write all of them with a zero.
_FRENCH_PLANS = ("FR", "GP", "MQ", "GF", "RE", "YT", "PM", "BL", "MF", "NC", "PF", "WF")
_WRITTEN_WITH_A_ZERO = ("FR", "GP", "MQ", "GF", "RE", "YT")
# The mobile numbers that the regulator keeps for fiction: no plan knows them, and examples need them.
_FICTION = "+3363998"


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
    if len(text) > 40:
        raise InvalidContact("Ce numéro de téléphone est trop long.")
    number = _parsed(text)
    if number is None or number.extension:
        raise InvalidContact("Ce numéro de téléphone n'est pas valide.")
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if phonenumbers.region_code_for_number(number) not in _FRENCH_PLANS:
        raise InvalidContact("Ce numéro de téléphone n'est pas français.")
    if phonenumbers.number_type(number) in _SURCHARGED:
        raise InvalidContact("Ce numéro de téléphone est surtaxé.")
    return written


def _parsed(text):
    for plan in _WRITTEN_WITH_A_ZERO:
        try:
            number = phonenumbers.parse(text, plan)
        except phonenumbers.NumberParseException:
            return None
        written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        if phonenumbers.is_valid_number(number) or (written.startswith(_FICTION) and len(written) == 12):
            return number
    return None


def domain_of(name: str | models.F) -> models.Func:
    """The domain of the address in the column ``name`` (an outer query's, by ``OuterRef``); "" where there is none."""
    column = models.F(name) if isinstance(name, str) else name
    return models.Func(
        column, models.Value("@"), models.Value(-1), function="split_part", output_field=models.CharField()
    )
