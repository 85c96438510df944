"""Lists as people paste them or keep them in files: numbers and addresses, and what is wrong, line by line.

A list may be bare (any separators, spaces within the numbers) or a table whose first line names its columns.
"""

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from companies.enums import Channel, DecisionScope
from companies.models import InvalidContact, InvalidNumber, clean_email, clean_phone, clean_siren, clean_siret
from labonnealternance.kit.http import has_control_characters
from labonnealternance.kit.text import counted, search_key

MOST = 5000
# Of a list: room for 5,000 lines that say more than a number.
LONGEST = 600_000
# What erases a contact: an empty cell leaves it as it is.
ERASE = "effacer"
_SHOWN = 80

_NAMES: dict[str, set[str]] = {
    DecisionScope.SIRET: {"siret", "numero siret", "n siret"},
    DecisionScope.SIREN: {"siren", "numero siren", "n siren"},
    DecisionScope.EMAIL: {"email", "e mail", "mail", "courriel", "adresse e mail", "adresse email", "adresse mail"},
    Channel.PHONE: {"telephone", "tel", "numero de telephone", "phone"},
}
_BETWEEN_NUMBERS = re.compile(r"[;,|/\t]+")
_WITHIN_NUMBERS = re.compile(r"[\s.\-\u00a0\u202f\u200b\ufeff]+")
_BETWEEN_ADDRESSES = re.compile(r"[\s;,|<>()\[\]\"«»]+")
# « SIRET : 000… », « n° 000… », and the quotes of a cell.
_AROUND_NUMBERS = re.compile(r"(?:n[°o]\s*)?\bsire[tn]\b|n°|[:=\"'«»]", re.IGNORECASE)
_ROUNDED = re.compile(r"\d(?:[.,]\d+)?\s?E\s?\+\s?\d+", re.IGNORECASE)
_ROUND = "Le tableur a arrondi ce numéro : mettez la colonne au format texte, et recopiez-le."


class RefusedList(ValueError):
    """Nothing can be read from the list; the message says why, in French."""


@dataclass(frozen=True)
class WrongLine:
    """A line, or a part of it, that is left out."""

    number: int
    text: str
    why: str


@dataclass
class Read:
    """``values`` in their order, each once; ``doubles``: how many more times some were there."""

    values: list[str] = field(default_factory=list)
    doubles: int = 0
    wrong: list[WrongLine] = field(default_factory=list)


@dataclass
class ReadContacts:
    """``values``: (SIRET, channel) → what the contact becomes, "" for none; else as ``Read``."""

    values: dict[tuple[str, str], str] = field(default_factory=dict)
    doubles: int = 0
    wrong: list[WrongLine] = field(default_factory=list)

    @property
    def sirets(self) -> list[str]:
        return list(dict.fromkeys(siret for siret, _ in self.values))


def decode(content: bytes) -> str:
    """The text of a file, in UTF-8 or as old spreadsheet programs write it. Raises ``RefusedList``."""
    if content.startswith(b"PK\x03\x04"):
        raise RefusedList("C’est un classeur : enregistrez-le au format CSV, puis donnez ce fichier-là.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    text = re.sub(r"\r\n?", "\n", text)
    if len(text) > LONGEST:
        raise RefusedList("Ce fichier est trop long : partagez-le.")
    if has_control_characters(text, allowed="\n\t"):
        raise RefusedList("Ce fichier n’est pas un texte : enregistrez-le au format CSV.")
    return text


def read(*, scope: str, text: str) -> Read:
    """The SIRETs, SIRENs or addresses (``scope``) of ``text``. Raises ``RefusedList``."""
    clean = {DecisionScope.SIRET: clean_siret, DecisionScope.SIREN: clean_siren, DecisionScope.EMAIL: clean_email}[
        DecisionScope(scope)
    ]
    found, met = Read(), set()
    for number, parts in _cells(text, scope) or _parts(text, scope):
        good: list[str] = []
        wrong: list[WrongLine] = []
        words: list[WrongLine] = []
        for part, is_bare in parts:
            try:
                if not part:
                    raise InvalidNumber(f"Il n’y a pas {_ITS[DecisionScope(scope)]} sur cette ligne.")
                if _ROUNDED.search(part):
                    raise InvalidNumber(_ROUND)
                good.append(clean(part))
            except (InvalidNumber, InvalidContact) as refusal:
                (wrong if is_bare else words).append(WrongLine(number, _short(part), str(refusal)))
        # Words beside a number are a name, or an address.
        found.wrong += wrong or ([] if good else words[:1])
        for value in good:
            found.doubles += value in met
            met.add(value)
            found.values.append(value)
    found.values = list(dict.fromkeys(found.values))
    _refuse_beyond(len(found.values), scope)
    return found


def read_contacts(*, text: str) -> ReadContacts:
    """The contacts of a table with the columns siret, email and telephone. Raises ``RefusedList``.

    An empty cell leaves the contact as it is, and « effacer » erases it. A line with one wrong cell is left out whole.
    """
    lines = list(_lines(text))
    if not lines:
        raise RefusedList("Collez une liste, ou donnez un fichier.")
    delimiter = _delimiter(lines[0][1])
    names = [_column(cell) for cell in _split(lines[0][1], delimiter)]
    if DecisionScope.SIRET in names:
        lines = lines[1:]
    else:
        # Without a line of names: in the order in which they are told.
        names = [DecisionScope.SIRET.value, Channel.EMAIL.value, Channel.PHONE.value]
    columns = {name: names.index(name) for name in (Channel.EMAIL.value, Channel.PHONE.value) if name in names}
    if not columns:
        raise RefusedList("Il manque une colonne « email » ou « telephone » à côté de « siret ».")
    found = ReadContacts()
    read_at: dict[str, tuple[int, dict[str, str]]] = {}
    for number, line in lines:
        cells = _split(line, delimiter)
        try:
            siret, contacts = _contacts(cells, names.index(DecisionScope.SIRET), columns)
            former = read_at.get(siret)
            if former and former[1] != contacts:
                raise InvalidContact(f"Ce SIRET a d’autres contacts à la ligne {former[0]}.")
        except (InvalidNumber, InvalidContact) as refusal:
            found.wrong.append(WrongLine(number, _short(line), str(refusal)))
            continue
        if former:
            found.doubles += 1
            continue
        read_at[siret] = number, contacts
        found.values |= {(siret, channel): value for channel, value in contacts.items()}
    _refuse_beyond(len(read_at), DecisionScope.SIRET)
    return found


def _contacts(cells: Sequence[str], siret_at: int, columns: dict[str, int]) -> tuple[str, dict[str, str]]:
    """A line's SIRET, and the contacts that it gives by channel."""

    def cell(position: int) -> str:
        return cells[position] if position < len(cells) else ""

    if _ROUNDED.search(cell(siret_at)):
        raise InvalidNumber(_ROUND)
    siret = clean_siret(cell(siret_at))
    cleaners: dict[str, Callable[[str], str]] = {Channel.EMAIL: clean_email, Channel.PHONE: clean_phone}
    contacts = {
        channel: "" if search_key(cell(position)) == ERASE else cleaners[channel](cell(position))
        for channel, position in columns.items()
        if cell(position)
    }
    if not contacts:
        raise InvalidContact("Cette ligne ne donne ni e-mail ni téléphone.")
    return siret, contacts


_ITS = {DecisionScope.SIRET: "de SIRET", DecisionScope.SIREN: "de SIREN", DecisionScope.EMAIL: "d’adresse e-mail"}
_NOUNS = {
    DecisionScope.SIRET: ("SIRET", "SIRET"),
    DecisionScope.SIREN: ("SIREN", "SIREN"),
    DecisionScope.EMAIL: ("adresse", "adresses"),
}


def _refuse_beyond(count: int, scope: str) -> None:
    if count > MOST:
        most = counted(MOST, *_NOUNS[DecisionScope(scope)])
        raise RefusedList(f"{most} au plus à la fois : votre liste en a {counted(count, '', '').strip()}. Partagez-la.")


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """The lines that say something, with their numbers from 1."""
    for number, line in enumerate(text.lstrip("\ufeff").replace("\r\n", "\n").split("\n"), start=1):
        if line.strip(" \t\r\u00a0;,|"):
            yield number, line


_Parts = list[tuple[str, bool]]
"""What a line gives: texts, each with whether it stands for a number or an address and nothing else."""


def _cells(text: str, scope: str) -> list[tuple[int, _Parts]]:
    """The column of a table that ``scope`` names; nothing where the first line names none."""
    lines = list(_lines(text))
    if not lines:
        raise RefusedList("Collez une liste, ou donnez un fichier.")
    delimiter = _delimiter(lines[0][1])
    names = [_column(cell) for cell in _split(lines[0][1], delimiter)]
    if scope not in names:
        return []
    if len(lines) == 1:
        raise RefusedList("Cette liste n’a qu’une ligne de titres.")
    position = names.index(scope)
    rows = ((number, _split(line, delimiter)) for number, line in lines[1:])
    return [(number, [(row[position] if position < len(row) else "", True)]) for number, row in rows]


def _parts(text: str, scope: str) -> Iterator[tuple[int, _Parts]]:
    """What is a number or an address, or should be, line by line."""
    for number, line in _lines(text):
        if scope == DecisionScope.EMAIL:
            parts = [(part, True) for part in _BETWEEN_ADDRESSES.split(line) if "@" in part]
            yield number, parts or [(line, True)]
        elif _ROUNDED.search(line):
            yield number, [(line, True)]
        else:
            parts = []
            for part in _BETWEEN_NUMBERS.split(_AROUND_NUMBERS.sub(" ", line)):
                parts += _numbers(part, scope)
            yield number, parts


def _numbers(part: str, scope: str) -> _Parts:
    """The numbers of a text whose spaces stand within them as well as between them; words among them are told whole."""
    pieces = [piece for piece in _WITHIN_NUMBERS.split(part) if piece]
    are_digits = [piece.isascii() and piece.isdigit() for piece in pieces]
    length = 14 if scope == DecisionScope.SIRET else 9
    digits = sum(map(len, pieces))
    if length == 9 and all(are_digits) and digits % 14 == 0 and digits % 9 != 0:
        # SIRETs: the first nine digits of what was not asked for name no company.
        return [(part.strip(), True)] if pieces else []
    numbers = [""]
    for piece, is_digits in zip(pieces, are_digits, strict=True):
        if not is_digits:
            numbers.append("")
            continue
        if len(numbers[-1]) >= length or (numbers[-1] and len(numbers[-1]) + len(piece) > length):
            numbers.append("")
        numbers[-1] += piece
    if all(are_digits):
        return [(number, True) for number in numbers if number]
    return [*((number, False) for number in numbers if len(number) >= length), (part.strip(), False)]


def _delimiter(line: str) -> str:
    return max(";\t,|", key=line.count)


def _split(line: str, delimiter: str) -> list[str]:
    """The cells of one line: none goes on in the next, so that a quote left open loses nothing but its own line."""
    cells = next(csv.reader([line], delimiter=delimiter), [])
    # Our own files protect what a spreadsheet would run by an apostrophe.
    return [cell.strip().removeprefix("'").strip() for cell in cells]


def _column(cell: str) -> str:
    key = search_key(cell)
    return next((name for name, known in _NAMES.items() if key in known), "")


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
