"""E-mail addresses as they are kept and compared, telephone numbers as they are read."""

import phonenumbers
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

# RFC 5321.
LONGEST_ADDRESS = 254


class NotAnAddress(ValueError):
    """What was given as an e-mail address is none; the message says why, in French."""


def clean_email(text: str) -> str:
    """``text`` in lower case, without the spaces around it. Raises ``NotAnAddress``."""
    address = text.strip().lower()
    if len(address) > LONGEST_ADDRESS:
        raise NotAnAddress(f"Une adresse e-mail a au plus {LONGEST_ADDRESS} caractères.")
    try:
        validate_email(address)
    except ValidationError:
        raise NotAnAddress("Cette adresse e-mail n'est pas valide.") from None
    return address


def shown_phone(number: str) -> str:
    """A number in E.164 as people read it: ``01 99 00 00 18`` in France, else international; "" for none."""
    try:
        parsed = phonenumbers.parse(number, "FR")
    except phonenumbers.NumberParseException:
        return number
    forms = phonenumbers.PhoneNumberFormat
    return phonenumbers.format_number(parsed, forms.NATIONAL if parsed.country_code == 33 else forms.INTERNATIONAL)
