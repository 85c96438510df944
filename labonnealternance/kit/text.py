"""Texts as a person types them, made comparable; numbers as French writes them."""

import datetime
import re
import unicodedata

from django.utils.timezone import localtime

_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "ß": "ss", "’": "'", "ø": "o"})
_MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre",
    "décembre",
)  # fmt: skip
_SHORT_MONTHS = (
    "janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc.",
)  # fmt: skip
_NOT_A_WORD = re.compile(r"[^a-z0-9+#]+")
_INVISIBLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]+")


def search_key(text: str) -> str:
    """``text`` in lower case, without accents, ligatures nor punctuation, words separated by one space.

    >>> search_key("Développeur / Développeuse d'œuvres  C++")
    'developpeur developpeuse d oeuvres c++'
    """
    lowered = text.lower().translate(_LIGATURES)
    bare = "".join(c for c in unicodedata.normalize("NFD", lowered) if not unicodedata.combining(c))
    return _NOT_A_WORD.sub(" ", bare).strip()


def clean_line(text: str) -> str:
    """``text`` on one line, without invisible characters (NUL among them, that no database takes) nor spaces to spare.

    >>> clean_line("  Boulanger\\x00\\n pâtissier ")
    'Boulanger pâtissier'
    """
    return " ".join(_INVISIBLE.sub(" ", text).split())


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


def french_month(day: datetime.date) -> str:
    """The month and the year of ``day``.

    >>> french_month(datetime.date(2026, 8, 21))
    'août 2026'
    """
    return f"{_MONTHS[day.month - 1]} {day.year}"


def short_month(day: datetime.date) -> str:
    """The month of ``day`` as French shortens it, where there is no room for the whole word.

    >>> [short_month(datetime.date(2026, month, 1)) for month in (1, 5, 6, 7, 9)]
    ['janv.', 'mai', 'juin', 'juil.', 'sept.']
    """
    return _SHORT_MONTHS[day.month - 1]


def french_time(at: datetime.datetime, *, seconds: bool = False) -> str:
    """The hour of a moment in Paris, as French writes it; ``seconds`` where a minute is too long.

    >>> evening = datetime.datetime(2026, 11, 21, 13, 7, 5, tzinfo=datetime.UTC)
    >>> french_time(evening), french_time(evening, seconds=True)
    ('14 h 07', '14 h 07 min 05 s')
    """
    there = localtime(at)
    return f"{there.hour} h {there:%M min %S s}" if seconds else f"{there.hour} h {there:%M}"


def french_moment(at: datetime.datetime) -> str:
    """A day and its hour in Paris.

    >>> french_moment(datetime.datetime(2026, 11, 30, 23, 30, tzinfo=datetime.UTC))
    '1er décembre 2026 à 0 h 30'
    """
    return f"{french_date(localtime(at).date())} à {french_time(at)}"


def uncapitalised(text: str) -> str:
    """``text`` as it goes on within a sentence: acronyms stay what they are.

    >>> uncapitalised("Service public des OPCO")
    'service public des OPCO'
    """
    return text[:1].lower() + text[1:]


# The endings that adverts use; "Développeur ASP.NET" and "Node.js" are jobs.
_ADDRESS = re.compile(
    r"https?:|www\.|[^\s@]@[^\s@]"
    r"|(?<![\w-])(?!asp\.net\b)[\w-]+\.(?:fr|com|org|net|eu|info|biz|io|co|me|tv|be|ch|de|es|it|uk|ru|re|bzh|paris|alsace"
    r"|corsica|pro|site|online|shop|store|app|dev|link|click|top|xyz|ly|gg|work|jobs|club|live)(?![\w-])",
    re.IGNORECASE,
)


def names_an_address(text: str) -> bool:
    """Whether ``text`` holds an e-mail address or the address of a site, however it is disguised by its signs' width.

    >>> names_an_address("Boulanger, voir exemple.fr/offre"), names_an_address("Développeur Node.js H/F")
    (True, False)
    """
    return bool(_ADDRESS.search(unicodedata.normalize("NFKC", text)))
