"""Texts as a person types them, made comparable; numbers as French writes them."""

import datetime
import re
import unicodedata

_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "ß": "ss", "’": "'", "ø": "o"})
_MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre",
    "décembre",
)  # fmt: skip
_NOT_A_WORD = re.compile(r"[^a-z0-9+#]+")


def search_key(text: str) -> str:
    """``text`` in lower case, without accents, ligatures nor punctuation, words separated by one space.

    >>> search_key("Développeur / Développeuse d'œuvres  C++")
    'developpeur developpeuse d oeuvres c++'
    """
    lowered = text.lower().translate(_LIGATURES)
    bare = "".join(c for c in unicodedata.normalize("NFD", lowered) if not unicodedata.combining(c))
    return _NOT_A_WORD.sub(" ", bare).strip()


def grouped(number: float) -> str:
    """A whole number with a narrow no-break space between thousands.

    >>> grouped(12345)
    '12\u202f345'
    """
    return f"{number:,.0f}".replace(",", "\u202f")


def counted(number: int, one: str, many: str) -> str:
    """``number`` and its noun, in the plural from two on.

    >>> counted(1, "ligne", "lignes"), counted(2000, "ligne", "lignes")
    ('1 ligne', '2\u202f000 lignes')
    """
    return f"{grouped(number)} {many if number > 1 else one}"


def french_date(day: datetime.date) -> str:
    """A day as French writes it in a sentence.

    >>> french_date(datetime.date(2026, 12, 1)), french_date(datetime.date(2026, 8, 21))
    ('1er décembre 2026', '21 août 2026')
    """
    return f"{'1er' if day.day == 1 else day.day} {_MONTHS[day.month - 1]} {day.year}"
