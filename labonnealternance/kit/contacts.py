"""E-mail addresses as they are kept and compared, telephone numbers as they are read."""

import re

import phonenumbers
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

# RFC 5321.
LONGEST_ADDRESS = 254
# A French number that is neither free nor dear.
_ORDINARY = re.compile(r"\+33([1-79])(\d\d)(\d\d)(\d\d)(\d\d)", re.ASCII)


class NotAnAddress(ValueError):
    """What was given as an e-mail address is none; the message says why, in French."""


def is_a_machine(address: str) -> bool:
    """Whether ``address`` names a machine by its number (``a@[127.0.0.1]``): nobody's mailbox is there."""
    return address.endswith("]")


def clean_email(text: str) -> str:
    """``text`` in lower case, without the spaces around it. Raises ``NotAnAddress``."""
    address = text.strip().lower()
    if len(address) > LONGEST_ADDRESS:
        raise NotAnAddress(f"Une adresse e-mail a au plus {LONGEST_ADDRESS} caractères.")
    try:
        validate_email(address)
    except ValidationError:
        raise NotAnAddress("Cette adresse e-mail n'est pas valide.") from None
    if is_a_machine(address):
        raise NotAnAddress("Cette adresse e-mail n'est pas valide.")
    return address


def shown_phone(number: str) -> str:
    """A number in E.164 as people read it: ``01 99 00 00 18`` in France, else international; "" for none."""
    # Nearly all of them; the library reads one in the time of fifty.
    ordinary = _ORDINARY.fullmatch(number)
    if ordinary:
        return "0{} {} {} {} {}".format(*ordinary.groups())
    try:
        parsed = phonenumbers.parse(number, "FR")
    except phonenumbers.NumberParseException:
        return number
    forms = phonenumbers.PhoneNumberFormat
    return phonenumbers.format_number(parsed, forms.NATIONAL if parsed.country_code == 33 else forms.INTERNATIONAL)
