"""E-mail addresses and telephone numbers as they are kept, compared and read."""

import re

import phonenumbers
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

# RFC 5321.
LONGEST_ADDRESS = 254
# A French number that is neither free nor dear.
_ORDINARY = re.compile(r"\+33([1-79])(\d\d)(\d\d)(\d\d)(\d\d)", re.ASCII)
# What a number is typed with.
_TYPED = re.compile(r"[+\d\s.()/\-]+")
# Numbers that cost the caller more than an ordinary call.
_SURCHARGED = {phonenumbers.PhoneNumberType.PREMIUM_RATE, phonenumbers.PhoneNumberType.SHARED_COST}
# The overseas départements and collectivities have numbering plans of their own; people write all of them with a zero.
_FRENCH_PLANS = ("FR", "GP", "MQ", "GF", "RE", "YT", "PM", "BL", "MF", "NC", "PF", "WF")
_WRITTEN_WITH_A_ZERO = ("FR", "GP", "MQ", "GF", "RE", "YT")
# The mobile numbers that the regulator keeps for fiction: no plan knows them, and examples need them.
_FICTION = "+3363998"


class NotAnAddress(ValueError):
    """What was given as an e-mail address is none; the message says why, in French."""


class NotANumber(ValueError):
    """What was given as a telephone number can't be kept; the message says why, in French."""


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
        raise NotAnAddress("Cette adresse e-mail n’est pas valide.") from None
    if is_a_machine(address):
        raise NotAnAddress("Cette adresse e-mail n’est pas valide.")
    return address


def clean_phone(text: str) -> str:
    """A French number in E.164 (``+33199000018``). Raises ``NotANumber``."""
    if len(text) > 40:
        raise NotANumber("Ce numéro de téléphone est trop long.")
    number = _parsed(text)
    if number is None or number.extension:
        raise NotANumber("Ce numéro de téléphone n’est pas valide.")
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if phonenumbers.region_code_for_number(number) not in _FRENCH_PLANS:
        raise NotANumber("Ce numéro de téléphone n’est pas français.")
    if phonenumbers.number_type(number) in _SURCHARGED:
        raise NotANumber("Ce numéro de téléphone est surtaxé.")
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


def searched_phone(text: str) -> str:
    """The number that somebody searches, as it is kept; "" where ``text`` is no French number."""
    try:
        return clean_phone(text) if _TYPED.fullmatch(text) else ""
    except NotANumber:
        return ""


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
