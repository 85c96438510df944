"""How a job title or a place's name is written in its search column, and how a typed text is compared with it."""

import re

from django.db.models import Func, TextField

from labonnealternance.kit.text import search_key

_SAINTS = {"st": "saint", "ste": "sainte", "sts": "saints", "stes": "saintes"}
_ORDINAL = re.compile(r"^(\d{1,2})(?:er|ere|e|eme|ieme|nd|nde)$")
_NOT_PART_OF_A_PLACE = {"arrondissement", "arrdt", "ardt", "arr", "cedex"}


def place_key(text: str) -> str:
    """The key of a place: saints in full, arrondissements as a bare number.

    >>> place_key("St-Étienne"), place_key("Lyon 3e Arrondissement"), place_key("Paris 11ème")
    ('saint etienne', 'lyon 3', 'paris 11')
    """
    words = []
    for word in search_key(text).split():
        if word in _NOT_PART_OF_A_PLACE:
            continue
        ordinal = _ORDINAL.match(word)
        words.append(ordinal[1] if ordinal else _SAINTS.get(word, word))
    return " ".join(words)


def title_keys(label: str) -> tuple[str, str]:
    """The masculine and the feminine keys of a title as ROME writes it; twice the same when it has one form.

    The words after the feminine form belong to both forms.

    >>> title_keys("Mécanicien / Mécanicienne automobile")
    ('mecanicien automobile', 'mecanicienne automobile')
    >>> title_keys("Fleuriste")
    ('fleuriste', 'fleuriste')
    """
    left, slash, right = label.partition(" / ")
    masculine, feminine = search_key(left).split(), search_key(right).split()
    if not slash or not masculine or not feminine:
        key = search_key(label)
        return key, key
    return " ".join(masculine + feminine[len(masculine) :]), " ".join(feminine)


_ACCENTED, _PLAIN = "àáâãäåçèéêëìíîïñòóôõöùúûüýÿ", "aaaaaaceeeeiiiinooooouuuuyy"
# Written twice: once for SQL's quotes.
_PUNCTUATION = """''’‘`´-–./&,;:!?()"*°_«»|@"""


class NameKey(Func):
    """The form in which an establishment's name is looked for, and indexed: `` l atelier du pain ``.

    Lower case, without accents nor punctuation, spaces around each word: ``key__contains=" ate"`` is a word that
    begins so, ``"lier "`` one that ends so. Unlike ``search_key`` it is computed by PostgreSQL, so that no import
    writes it, and two spaces may follow each other. The index is built with it: another form is another index.
    """

    output_field = TextField()
    # Most names are plain capitals: they are spared the translation, which costs five times the rest.
    template = (
        "(' ' || CASE WHEN %(expressions)s ~ '[^A-Za-z0-9 ]' THEN translate(replace(lower(%(expressions)s), 'œ', 'oe'),"
        f" '{_ACCENTED}{_PUNCTUATION}', '{_PLAIN}{' ' * (len(_PUNCTUATION) - 1)}')"
        " ELSE lower(%(expressions)s) END || ' ')"
    )
    arity = 1
