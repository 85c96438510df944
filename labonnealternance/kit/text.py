"""Texts as a person types them, made comparable."""

import re
import unicodedata

_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "ß": "ss", "’": "'", "ø": "o"})
_NOT_A_WORD = re.compile(r"[^a-z0-9+#]+")


def search_key(text: str) -> str:
    """``text`` in lower case, without accents, ligatures nor punctuation, words separated by one space.

    >>> search_key("Développeur / Développeuse d'œuvres  C++")
    'developpeur developpeuse d oeuvres c++'
    """
    lowered = text.lower().translate(_LIGATURES)
    bare = "".join(c for c in unicodedata.normalize("NFD", lowered) if not unicodedata.combining(c))
    return _NOT_A_WORD.sub(" ", bare).strip()
