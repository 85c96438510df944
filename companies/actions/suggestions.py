"""Establishments as people type them: a SIRET or its first digits; words of the name, and the town beside them.

Each answer is read from the one queryset that says what may be named: a decision holds at the next keystroke. At most
``CANDIDATES`` rows of a reading of the text are weighed: where more fit, the town makes the difference.
"""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from django.contrib.postgres.search import TrigramStrictWordSimilarity
from django.db.models import F, Q

from companies.actions.references import suggest_places
from companies.models import Commune, Establishment, without_separators
from companies.models.search_keys import NameKey, place_key
from labonnealternance.kit.text import search_key

LONGEST_TEXT = 80
MOST_SUGGESTIONS = 20
MOST_WORDS = 8
SHORTEST_WORD = 3
#: A word this short is believed as typed.
SHORTEST_CORRECTED = 5
LONGEST_PLACE = 4
MOST_PLACES = 40
MOST_READINGS = 4
CANDIDATES = 200
CLOSE_ENOUGH = 0.4


@dataclass(frozen=True)
class EstablishmentSuggestion:
    """An establishment that may be the one: ``place`` is its address and town, on one line."""

    siret: str
    name: str
    place: str


@dataclass(frozen=True)
class _Reading:
    """One way to understand the text: words of a name, anywhere or in some communes, ``exact`` being those named."""

    words: tuple[str, ...]
    communes: frozenset[str] = frozenset()
    exact: frozenset[str] = frozenset()


def suggest_establishments(*, text: str, at: dt.datetime, limit: int = 8) -> list[EstablishmentSuggestion]:
    """The establishments that ``text`` may mean, best first, at most ``limit`` (and never more than 20).

    None that is closed, hidden by a decision, not diffusible or still to verify.
    """
    limit = max(0, min(limit, MOST_SUGGESTIONS))
    text = text[:LONGEST_TEXT]
    digits = without_separators(text)
    if not limit:
        return []
    if digits.isascii() and digits.isdigit():
        return _numbered(digits, at, limit) if SHORTEST_WORD <= len(digits) <= 14 else []
    words = tuple(dict.fromkeys(search_key(text).split()))[:MOST_WORDS]
    found: dict[int, tuple] = {}
    for reading in islice(_readings(words), MOST_READINGS):
        found |= {pk: rank for pk, rank in _named(reading, at) if pk not in found or rank < found[pk]}
    if not found:
        for reading in _mistyped_readings(words):
            found |= dict(_like(reading, at))
    return _shown(sorted(found, key=found.__getitem__), at, limit)


def _open(at: dt.datetime):
    """What may be suggested, as far as its own columns tell: decisions are asked of the few that are chosen."""
    return Establishment.objects.open(at).filter(is_diffusible=True, to_verify_since__isnull=True)


def _shown(ids: list[int], at: dt.datetime, limit: int) -> list[EstablishmentSuggestion]:
    """The first ``limit`` of ``ids`` that nothing hides, in their order."""
    shown: list[Establishment] = []
    for start in range(0, len(ids), 3 * limit):
        part = ids[start : start + 3 * limit]
        rows = Establishment.objects.showable(at).select_related("commune").in_bulk(part)
        shown += [rows[pk] for pk in part if pk in rows]
        if len(shown) >= limit:
            break
    return [_suggestion(row) for row in shown[:limit]]


def _suggestion(row: Establishment) -> EstablishmentSuggestion:
    town = f"{row.postcode} {row.commune.name if row.commune else ''}".strip()
    return EstablishmentSuggestion(row.siret, row.display_name, ", ".join(part for part in (row.address, town) if part))


def _numbered(digits: str, at: dt.datetime, limit: int) -> list[EstablishmentSuggestion]:
    """Those whose SIRET begins so, read as a range: the index on SIRETs answers whatever the collation."""
    first, last = digits.ljust(14, "0"), digits.ljust(14, "9")
    rows = _open(at).filter(siret__gte=first, siret__lte=last).order_by("siret")
    return _shown(list(rows.values_list("pk", flat=True)[:CANDIDATES]), at, limit)


# ── By name ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _readings(words: tuple[str, ...]) -> Iterator[_Reading]:
    """The whole text as a name; then its last words, or its first ones, as a town."""
    if _telling(words):
        yield _Reading(words)
    splits = _splits(words)
    towns = _towns(splits)
    for key, (name, may_be_unfinished) in splits.items():
        exact = frozenset(code for code, town, postcodes in towns if key == town or key in postcodes)
        begun = frozenset(code for code, town, _ in towns if may_be_unfinished and town.startswith(key))
        if exact | begun:
            yield _Reading(name, exact | begun, exact)


def _splits(words: tuple[str, ...]) -> dict[str, tuple[tuple[str, ...], bool]]:
    """``{town or postcode: (words of the name, whether the town may still be being typed)}``."""
    lengths = range(min(LONGEST_PLACE, len(words) - 1), 0, -1)
    splits: dict[str, tuple[tuple[str, ...], bool]] = {}
    for n in lengths:
        splits.setdefault(_place(words[-n:]), (words[:-n], True))
    for n in lengths:
        splits.setdefault(_place(words[:n]), (words[n:], False))
    return {key: split for key, split in splits.items() if len(key) > 1 and _telling(split[0])}


def _place(words: tuple[str, ...]) -> str:
    """The key of a town, whose postcode may stand beside it; of the postcode where it stands alone."""
    names = [word for word in words if not (word.isdigit() and len(word) == 5)]
    return place_key(" ".join(names or words[:1]))


def _towns(splits: dict[str, tuple[tuple[str, ...], bool]]) -> list[tuple[str, str, list[str]]]:
    """The largest communes of these names or postcodes: code, key, postcodes; a divided city's parts as itself."""
    if not splits:
        return []
    asked = Q(search_key__in=list(splits))
    if postcodes := [key for key in splits if key.isdigit() and len(key) == 5]:
        asked |= Q(postcodes__overlap=postcodes)
    for key, (_, may_be_unfinished) in splits.items():
        if may_be_unfinished and not key.isdigit():
            asked |= Q(search_key__startswith=key)
    columns = ("code", "search_key", "postcodes")
    # An expression: the index on populations would be walked until enough towns fit, which is all of it most often.
    largest = Commune.objects.filter(asked).order_by(F("population") * -1, "code")
    towns = list(largest.values_list(*columns)[:MOST_PLACES])
    by_code = {code: (key, codes) for code, key, codes in towns}
    parts = Commune.objects.filter(parent__in=by_code).values_list("code", "parent_id")
    return towns + [(part, *by_code[city]) for part, city in parts]


def _telling(words: Iterable[str]) -> list[str]:
    """The words that an index finds."""
    return [word for word in words if len(word) >= SHORTEST_WORD]


def _named(reading: _Reading, at: dt.datetime) -> Iterator[tuple[int, tuple]]:
    """Rows whose name has a word that begins like each word of the reading, with their rank: smallest first."""
    rows = _somewhere(reading, at)
    for word in _telling(reading.words):
        rows = rows.filter(key__contains=f" {word}")
    asked = " ".join(reading.words)
    for pk, name, commune in rows.values_list("pk", "name", "commune_id")[:CANDIDATES]:
        key = search_key(name)
        whole = sum(word in key.split() for word in reading.words)
        yield pk, (key != asked, not key.startswith(asked), commune not in reading.exact, -whole, len(key), pk)


def _somewhere(reading: _Reading, at: dt.datetime):
    rows = _open(at).alias(key=NameKey("name"))
    return rows.filter(commune__in=reading.communes) if reading.communes else rows


# ── Mistyped ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _mistyped_readings(words: tuple[str, ...]) -> list[_Reading]:
    """The readings with a town, where there is one; else the whole text, and the town that its end looks like."""
    with_a_town = [reading for reading in islice(_readings(words), MOST_READINGS) if reading.exact]
    if with_a_town:
        return with_a_town
    readings = [_Reading(words)] if _telling(words) else []
    for n in (1, 2):
        name, place = words[:-n], " ".join(words[-n:])
        if _telling(name) and len(place) >= SHORTEST_CORRECTED:
            codes = {town.code for town in suggest_places(text=place, limit=3)}
            codes |= set(Commune.objects.filter(parent__in=codes).values_list("code", flat=True))
            if codes:
                readings.append(_Reading(name, frozenset(codes)))
    return readings


def _like(reading: _Reading, at: dt.datetime) -> Iterator[tuple[int, tuple]]:
    """Rows whose name has, for each long word, its first or its second half: one slip leaves one of them whole."""
    rows = _somewhere(reading, at)
    words = _telling(reading.words)
    for word in words:
        half = len(word) // 2 + len(word) % 2 if len(word) >= SHORTEST_CORRECTED else len(word)
        rows = rows.filter(Q(key__contains=f" {word[:half]}") | Q(key__contains=f"{word[-half:]} "))
    likeness = {f"like_{n}": TrigramStrictWordSimilarity(word, NameKey("name")) for n, word in enumerate(words)}
    for pk, *like in rows.annotate(**likeness).values_list("pk", *likeness)[:CANDIDATES]:
        if min(like) >= CLOSE_ENOUGH:
            yield pk, (-sum(like), not reading.communes, pk)
