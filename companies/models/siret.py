"""SIREN and SIRET numbers: text of 9 and 14 digits, never an integer."""

import re

from django.core.exceptions import ValidationError
from stdnum.exceptions import ValidationError as WrongNumber
from stdnum.fr import siren as siren_number
from stdnum.fr import siret as siret_number

# What people and spreadsheets put between the digits.
_SEPARATORS = re.compile(r"[\s.\-\u00a0\u202f\u200b\ufeff]+")
_DIGITS = re.compile(r"[0-9]+")


class InvalidNumber(ValueError):
    """The text is no SIRET or SIREN; the message says why, in French."""


def without_separators(text: str) -> str:
    """``text`` without the spaces, dots and hyphens that people put between digits."""
    return _SEPARATORS.sub("", text)


def _digits(text: str, *, name: str, length: int) -> str:
    bare = without_separators(text)
    if not bare:
        raise InvalidNumber(f"Indiquez un {name}.")
    if not _DIGITS.fullmatch(bare):
        raise InvalidNumber(f"Un {name} ne contient que des chiffres.")
    if len(bare) != length:
        given = "un seul" if len(bare) == 1 else str(len(bare))
        raise InvalidNumber(f"Un {name} a {length} chiffres : vous en avez donné {given}.")
    return bare


def clean_siret(text: str) -> str:
    """The 14 digits of ``text``, which may hold spaces, dots or hyphens.

    Luhn's key holds for the SIREN and the SIRET; La Poste's establishments follow their own rule (a sum of digits that
    5 divides). Raises ``InvalidNumber``.
    """
    digits = _digits(text, name="SIRET", length=14)
    try:
        return siret_number.validate(digits)
    except WrongNumber:
        raise InvalidNumber("Ce SIRET n’existe pas : un de ses chiffres est faux.") from None


def clean_siren(text: str) -> str:
    """The 9 digits of ``text``; raises ``InvalidNumber``."""
    digits = _digits(text, name="SIREN", length=9)
    try:
        return siren_number.validate(digits)
    except WrongNumber:
        raise InvalidNumber("Ce SIREN n’existe pas : un de ses chiffres est faux.") from None


def validate_siret(text: str):
    """Validator of form and model fields."""
    try:
        clean_siret(text)
    except InvalidNumber as refusal:
        raise ValidationError(str(refusal), code="invalid_siret") from None


def spaced_siret(siret: str) -> str:
    """``siret`` as people read it: ``000 000 018 00015``, with no-break spaces."""
    return "\u00a0".join((siret[:3], siret[3:6], siret[6:9], siret[9:]))
