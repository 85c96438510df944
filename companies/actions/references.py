"""Jobs and places as people type them: accents, typos, word order, short forms. Answered from the local tables.

Each suggestion costs at most three queries on indexes. Whatever the text, the answer is a list (``find_…``: one
answer or None): nothing is raised.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import islice, product
from typing import Any

from django.db import connection

from companies.actions.job_words import NOISE, SAID_FOR
from companies.models import RomeMobility
from companies.models.search_keys import place_key
from labonnealternance.kit.text import search_key

LONGEST_TEXT = 80
MOST_SUGGESTIONS = 20
MOST_WORDS = 6
MOST_PHRASES = 24
#: A word this short is believed as typed.
SHORTEST_CORRECTED = 4
CLOSE_ENOUGH = 0.72
#: Whoever looks for an apprenticeship seldom looks for these: they come after, among titles that fit as well.
_LEADERS = [f"{leader} %" for leader in ("chef", "directeur", "expert", "formateur", "responsable")]


@dataclass(frozen=True)
class JobSuggestion:
    """A job title. ``rome_codes``: its own job, then the job that it was cut off from, whose employers are alike."""

    label: str
    rome_codes: list[str]
    ogr: int


@dataclass(frozen=True)
class PlaceSuggestion:
    """A commune or a municipal arrondissement: ``code`` is INSEE's, the point in degrees (None where unknown)."""

    code: str
    label: str
    postcode: str
    latitude: float | None
    longitude: float | None


@dataclass(frozen=True)
class FoundJob(JobSuggestion):
    """The best answer to a typed text; ``is_exact`` when it is what was typed, else ask with the ``alternatives``."""

    is_exact: bool
    alternatives: list[JobSuggestion]


@dataclass(frozen=True)
class FoundPlace(PlaceSuggestion):
    """The best answer to a typed text; ``is_exact`` when it is what was typed, and nothing else is called so: else ask
    with the ``alternatives``, the namesakes where there are any."""

    is_exact: bool
    alternatives: list[PlaceSuggestion]


# Jobs


def suggest_jobs(*, text: str, limit: int = 10) -> list[JobSuggestion]:
    """The job titles that ``text`` may mean, best first, at most ``limit`` (and never more than 20)."""
    return [job for job, _ in _jobs(text, limit)]


def near_jobs(*, rome_codes: Sequence[str], limit: int = 5) -> list[tuple[str, str]]:
    """Code and label of the jobs that someone who seeks these may also do, nearest first; one query."""
    near = (
        RomeMobility.objects.filter(rome__in=rome_codes)
        .exclude(target__in=rome_codes)
        .order_by("position", "rome_id", "target_id")
        .values_list("target_id", "target__label")[: limit * max(1, len(rome_codes))]
    )
    return list(dict(near).items())[:limit]


def find_job(*, text: str) -> FoundJob | None:
    """The job that a typed text means, without a list to choose from; None when nothing is near."""
    found = _jobs(text, 6)
    if not found:
        return None
    (best, is_exact), *others = found
    return FoundJob(
        label=best.label,
        rome_codes=best.rome_codes,
        ogr=best.ogr,
        is_exact=is_exact,
        alternatives=[job for job, _ in others],
    )


def _jobs(text: str, limit: int) -> list[tuple[JobSuggestion, bool]]:
    """Suggestions, each with whether it is the very text."""
    limit = max(0, min(limit, MOST_SUGGESTIONS))
    typed = search_key(text[:LONGEST_TEXT])
    words = _telling_words(typed)
    if not words or not limit:
        return []
    said = [_ways_to_say(word) for word in words]
    rows = _titles(said, typed=typed, limit=limit, all_words=True)
    if not rows:
        rows = _titles(_corrected(words, said), typed=typed, limit=limit, all_words=False)
    return rows[:limit]


def _telling_words(key: str) -> list[str]:
    words = list(dict.fromkeys(key.split()))
    return ([word for word in words if word not in NOISE] or words)[:MOST_WORDS]


def _ways_to_say(word: str) -> list[str]:
    """``word``, its singular, and what it is short for."""
    ways = [word]
    if len(word) > SHORTEST_CORRECTED and word[-1] in "sx":
        ways.append(word[:-1])
    for way in tuple(ways):
        ways += SAID_FOR.get(way, ())
    return list(dict.fromkeys(ways))


def _corrected(words: list[str], said: list[list[str]]) -> list[list[str]]:
    """The ways to say each word, with the nearest words of the titles for those that may be mistyped."""
    longer = [word for word in words if len(word) >= SHORTEST_CORRECTED]
    if not longer:
        return said
    near: dict[str, list[str]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT typed.word, near.word FROM unnest(%s::text[]) typed(word) CROSS JOIN LATERAL ("
            " SELECT word, uses FROM companies_romeword WHERE word %% typed.word"
            " ORDER BY similarity(word, typed.word) DESC, uses DESC, word LIMIT 15) near",
            [longer],
        )
        for word, candidate in cursor.fetchall():
            near.setdefault(word, []).append(candidate)
    corrected = []
    for word, ways in zip(words, said, strict=True):
        by_closeness = sorted(
            ((SequenceMatcher(None, word, candidate).ratio(), candidate) for candidate in near.get(word, ())),
            key=lambda pair: -pair[0],
        )
        close = [candidate for ratio, candidate in by_closeness if ratio >= CLOSE_ENOUGH][:3]
        corrected.append(list(dict.fromkeys([*ways, *close])))
    return corrected


def _phrases(said: list[list[str]]) -> list[str]:
    """The texts that these ways to say each word make together, in the typed order."""
    return list(dict.fromkeys(" ".join(words) for words in islice(product(*said), MOST_PHRASES)))


def _titles(said: list[list[str]], *, typed: str, limit: int, all_words: bool) -> list[tuple[JobSuggestion, bool]]:
    """Titles that have a word beginning like one of the ways to say each word (all the words, or the most of them)."""
    parameters: dict[str, Any] = {"typed": typed, "rows": limit * 3}
    conditions = []
    for number, ways in enumerate(said):
        parts = []
        for rank, way in enumerate(ways):
            name = f"w{number}_{rank}"
            parameters[name], parameters[f"{name}_inside"] = f"{_literal(way)}%", f"% {_literal(way)}%"
            parts.append(f"a.search_key LIKE %({name})s OR a.search_key LIKE %({name}_inside)s")
        conditions.append(f"({' OR '.join(parts)})")
    phrases = _phrases(said)
    parameters["phrases"] = phrases
    parameters["starts"] = [f"{_literal(phrase)}%" for phrase in phrases]
    parameters["word_starts"] = [f"{_literal(phrase)} %" for phrase in phrases]
    parameters["whole_words"] = [f"% {_literal(phrase)} %" for phrase in phrases]
    parameters["leaders"] = _LEADERS
    # One or two letters begin thousands of titles: the main one of each job is enough.
    narrowed = "a.is_main AND " if len(typed) <= 2 and typed not in SAID_FOR else ""
    matched = " + ".join(f"{condition}::int" for condition in conditions)
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH found AS MATERIALIZED ("  # noqa: S608
            "SELECT a.ogr, a.label, a.search_key, a.masculine_key, a.feminine_key, a.is_rare, a.is_main, a.rome_id,"
            f" {'0' if all_words else matched} AS matched FROM companies_romeappellation a"
            f" WHERE {narrowed}({(' AND ' if all_words else ' OR ').join(conditions)}))"
            " SELECT found.ogr, found.label, found.rome_id, parent.code,"
            " (found.search_key = %(typed)s OR found.masculine_key = %(typed)s OR found.feminine_key = %(typed)s)"
            " FROM found JOIN companies_rome rome ON rome.code = found.rome_id"
            " LEFT JOIN companies_rome parent ON parent.code = rome.parent_code AND parent.code <> rome.code"
            " ORDER BY found.matched DESC, 5 DESC,"
            " (found.masculine_key = ANY(%(phrases)s) OR found.feminine_key = ANY(%(phrases)s)) DESC,"
            " (found.masculine_key LIKE ANY(%(word_starts)s) OR found.feminine_key LIKE ANY(%(word_starts)s)) DESC,"
            " (' ' || found.masculine_key || ' ' LIKE ANY(%(whole_words)s)"
            "  OR ' ' || found.feminine_key || ' ' LIKE ANY(%(whole_words)s)) DESC,"
            " (found.masculine_key LIKE ANY(%(starts)s) OR found.feminine_key LIKE ANY(%(starts)s)) DESC,"
            " found.is_rare, found.masculine_key LIKE ANY(%(leaders)s), found.is_main DESC, rome.hirings DESC,"
            " length(found.search_key), found.ogr"
            " LIMIT %(rows)s",
            parameters,
        )
        rows = cursor.fetchall()
    titles: dict[str, tuple[JobSuggestion, bool]] = {}
    for ogr, label, rome, parent, is_exact in rows:
        if label not in titles:
            titles[label] = JobSuggestion(label=label, rome_codes=[], ogr=ogr), is_exact
        codes = titles[label][0].rome_codes
        codes += [code for code in (rome, parent) if code and code not in codes]
    return list(titles.values())


# Places


def suggest_places(*, text: str, limit: int = 10) -> list[PlaceSuggestion]:
    """The communes and arrondissements that ``text`` may mean (name or postcode), best first, at most ``limit``."""
    return [place for place, _ in _places(text, limit)]


def find_place(*, text: str) -> FoundPlace | None:
    """The place that a typed text means, without a list to choose from; None when nothing is near."""
    found = _places(text, 6)
    if not found:
        return None
    (best, is_exact), *others = found
    # Saint-Denis is near Paris and on La Réunion: the largest is answered, and the others are told.
    namesakes = [place for place, is_namesake in others if is_namesake]
    return FoundPlace(
        code=best.code,
        label=best.label,
        postcode=best.postcode,
        latitude=best.latitude,
        longitude=best.longitude,
        is_exact=is_exact and not namesakes,
        alternatives=namesakes or [place for place, _ in others],
    )


_ARTICLES = ("le", "la", "les", "l")
#: Beginnings of thousands of names: like one or two letters, they are answered by the towns.
_TOO_COMMON = ("sai", "sain", "saint", "sainte")
_TOWN = 5_000

_PLACE = (
    "c.code, c.name, c.postcodes, c.departement_id, c.latitude, c.longitude,"
    " EXISTS (SELECT FROM companies_commune part WHERE part.parent_id = c.code) AS is_divided"
)


def _places(text: str, limit: int) -> list[tuple[PlaceSuggestion, bool]]:
    """Suggestions, each with whether it is the very text."""
    limit = max(0, min(limit, MOST_SUGGESTIONS))
    key = place_key(text[:LONGEST_TEXT])
    if not key or not limit:
        return []
    name, postcode = _name_and_postcode(key)
    if name:
        rows = _places_named(key, name, postcode, limit)
        if not rows and postcode:
            # "Paris (75000)" is nobody's postcode, and a mistaken one should not hide the name.
            rows = _places_named(name, name, "", limit)
        rows = rows or _places_like(name, limit)
    else:
        rows = _places_at(postcode, limit) or _places_in(postcode, limit)
    places = []
    for code, commune, codes, departement, latitude, longitude, is_divided, is_same_name in rows:
        shown = _shown_postcode(codes, typed=postcode, departement=departement, is_divided=is_divided)
        label = commune.replace("Arrondissement", "arrondissement") + (f" ({shown})" if shown else "")
        place = PlaceSuggestion(code=code, label=label, postcode=shown, latitude=latitude, longitude=longitude)
        is_exact = is_same_name and (shown.startswith(postcode) or key == place_key(commune))
        places.append((place, is_exact or key == shown))
    return places


def _name_and_postcode(key: str) -> tuple[str, str]:
    """("metz", "57000") for "metz 57000"; the number of an arrondissement stays in the name beside a postcode."""
    words = key.split()
    numbers = sorted((word for word in words if word.isdigit() and 2 <= len(word) <= 5), key=len)
    postcode = numbers[-1] if numbers else ""
    return " ".join(word for word in words if word != postcode), postcode


def _shown_postcode(codes: list[str], *, typed: str, departement: str, is_divided: bool) -> str:
    if is_divided:
        # Paris, Lyon and Marseille as a whole: the postcodes are those of their arrondissements.
        return f"{departement[:2]}000"
    return next((code for code in codes if typed and code.startswith(typed)), codes[0] if codes else "")


def _places_named(key: str, name: str, postcode: str, limit: int) -> list[tuple]:
    """Communes whose name, or whose former name, begins like ``name`` or holds it; a postcode beside it must agree."""
    parameters: dict[str, Any] = {
        "key": key,
        "name": name,
        "whole": f"{_literal(key)}%",
        "start": f"{_literal(name)}%",
        "inside": f"% {_literal(name)}%",
        "articles": [f"{article} {name}" for article in _ARTICLES],
        "word": f"% {_literal(name)}",
        "word_before": f"% {_literal(name)} %",
        "postcode": f"{postcode}%",
        "town": _TOWN,
        "rows": limit,
    }
    # "paris 11" is the name of an arrondissement; "lyon 69" and "metz 57000" are a name and where it is.
    agrees = (
        "AND (EXISTS (SELECT FROM unnest(c.postcodes) one WHERE one LIKE %(postcode)s) OR c.search_key LIKE %(whole)s)"
        if postcode
        else ""
    )
    inside = "OR c.search_key LIKE %(inside)s"
    if len(name) <= 2 or name in _TOO_COMMON:
        agrees += " AND (c.population >= %(town)s OR c.search_key = %(name)s)"
        inside = ""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_PLACE}, best.is_exact FROM ("  # noqa: S608
            " SELECT code, min(rank) AS rank, bool_or(rank < 2) AS is_exact, max(population) AS population FROM ("
            "  SELECT c.code, c.population, CASE WHEN c.search_key IN (%(key)s, %(name)s) THEN 0"
            "   WHEN c.search_key = ANY(%(articles)s) THEN 1"
            "   WHEN c.search_key LIKE ANY(ARRAY[%(start)s, %(word)s, %(word_before)s]) THEN 2 ELSE 4 END AS rank"
            "  FROM companies_commune c"
            f"  WHERE (c.search_key LIKE %(start)s {inside}) {agrees}"
            "  UNION ALL"
            "  SELECT c.code, c.population, CASE WHEN former.search_key = %(name)s THEN 3 ELSE 5 END"
            "  FROM companies_formercommune former JOIN companies_commune c ON c.code = former.commune_id"
            f"  WHERE former.search_key LIKE %(start)s {agrees}"
            " ) named GROUP BY code ORDER BY 2, 4 DESC, 1 LIMIT %(rows)s"
            ") best JOIN companies_commune c ON c.code = best.code ORDER BY best.rank, best.population DESC, c.code",
            parameters,
        )
        return cursor.fetchall()


def _places_at(postcode: str, limit: int) -> list[tuple]:
    """Communes of a postcode or of its first digits; of a whole city and its arrondissements, the arrondissement."""
    if len(postcode) == 5:
        condition = "c.postcodes @> ARRAY[%(postcode)s]::varchar(5)[]"
    else:
        condition = (
            "c.departement_id = ANY(%(departements)s)"
            " AND EXISTS (SELECT FROM unnest(c.postcodes) one WHERE one LIKE %(postcode)s || '%%')"
        )
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_PLACE}, length(%(postcode)s) = 5 FROM companies_commune c WHERE {condition}"  # noqa: S608
            " ORDER BY length(%(postcode)s) = 5"
            "  AND EXISTS (SELECT FROM companies_commune part WHERE part.parent_id = c.code),"
            "  c.population DESC, c.code LIMIT %(rows)s",
            {"postcode": postcode, "departements": _departements(postcode), "rows": limit},
        )
        return cursor.fetchall()


def _places_in(postcode: str, limit: int) -> list[tuple]:
    """The largest communes of the département, for a postcode that nobody has (75000, 69000)."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_PLACE}, false FROM companies_commune c WHERE c.departement_id = ANY(%(departements)s)"  # noqa: S608
            " ORDER BY c.population DESC, c.code LIMIT %(rows)s",
            {"departements": _departements(postcode), "rows": limit},
        )
        return cursor.fetchall()


def _places_like(name: str, limit: int) -> list[tuple]:
    """Communes whose name looks like ``name``: letters missing, doubled or swapped."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_PLACE}, false FROM companies_commune c WHERE c.search_key %% %(name)s"  # noqa: S608
            " ORDER BY similarity(c.search_key, %(name)s) + least(ln(1 + c.population), 14) / 40 DESC, c.code"
            " LIMIT %(rows)s",
            {"name": name, "rows": limit},
        )
        return cursor.fetchall()


def _departements(postcode: str) -> list[str]:
    """The départements that a postcode may be in (postcodes of a neighbour's are found whole only)."""
    if postcode.startswith("20"):
        return ["2A", "2B"]
    if postcode[:2] in {"97", "98"}:
        return [postcode[:3]] if len(postcode) > 2 else [f"{postcode}{last}" for last in range(10)]
    return [postcode[:2]]


def _literal(text: str) -> str:
    """``text`` without the signs that LIKE reads (search keys have none; a double lock costs nothing)."""
    return re.sub(r"[%_\\]", "", text)
