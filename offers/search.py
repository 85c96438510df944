"""The search: establishments with a high hiring potential for some jobs, near a place, in the order of the day.

How an answer is found, and why it is exact, is told in ``docs/decisions/0007-search.md``.
"""
# ruff: noqa: S608 (the tables' names are made of an edition's number)

import datetime
import hashlib
import itertools
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property, lru_cache
from math import asin, ceil, cos, degrees, floor, pi, radians, sin, sqrt
from operator import attrgetter
from typing import Any, Literal, NamedTuple
from weakref import WeakKeyDictionary

import psycopg.sql
from django.db import connection
from django.db.models import Model, QuerySet
from django.utils.timezone import localdate

from companies.enums import DecisionKind, DecisionScope
from companies.models import Commune, Establishment, Naf, Rome, SearchEdition, VisibilityDecision

RADII_KM = (10, 30, 60, 100)
LONGEST_TOTAL = 100
MOST_CODES = 50
EARTH_RADIUS_KM = 6371.0088

# Entries in the disc up to which all of them are read, for the page and the total at once.
FEW_ENTRIES = 1_000
# An entry met on the way costs about as much in one index as in the other; going down an index costs this many.
DESCENT = 8
# Read beyond what is needed, since some may be hidden: this many, and a small share.
ROOM_FOR_HIDDEN = 10
ENOUGH = LONGEST_TOTAL + LONGEST_TOTAL // 20 + ROOM_FOR_HIDDEN

Sort = Literal["relevance", "distance"]


@dataclass(frozen=True)
class Question:
    """What a candidate asks: jobs (ROME codes), a point (degrees), a radius (km, one of ``RADII_KM``), a page (from 1).

    ``widen``: search further by itself, up to 100 km, when nothing is found. ``sort``: the order of the day, or the
    nearest first.
    """

    rome_codes: tuple[str, ...]
    latitude: float
    longitude: float
    radius_km: int = 30
    page: int = 1
    per_page: int = 20
    widen: bool = True
    sort: Sort = "relevance"

    def __post_init__(self):
        if self.radius_km not in RADII_KM:
            raise ValueError(f"radius_km is one of {RADII_KM}, not {self.radius_km}")
        if not (-90 <= self.latitude <= 90 and -180 <= self.longitude <= 180):
            raise ValueError(f"no such place: {self.latitude}, {self.longitude}")
        if self.page < 1 or not 1 <= self.per_page <= 150:
            raise ValueError("page starts at 1, per_page lies between 1 and 150")
        if len(self.rome_codes) > MOST_CODES:
            raise ValueError(f"at most {MOST_CODES} jobs")


@dataclass(frozen=True)
class FoundEstablishment:
    """One row of an answer; ``establishment`` carries its activity and its commune.

    ``is_asked_for``: a decision lists it for this job; the model says nothing of it.
    """

    establishment: Establishment
    rome: Rome
    distance_km: float
    is_asked_for: bool = False


@dataclass(frozen=True)
class Answer:
    """A page of establishments; ``total`` counts what may be shown.

    It stops at ``LONGEST_TOTAL`` (``total_is_capped``: there are more). A page beyond the last one is empty.
    ``used_radius_km`` differs from ``asked_radius_km`` when the search ``widened`` by itself.
    """

    establishments: list[FoundEstablishment]
    total: int
    total_is_capped: bool
    pages: int
    asked_radius_km: int
    used_radius_km: int
    widened: bool


def search(question: Question, *, at: datetime.datetime, with_contacts: bool = False) -> Answer:
    """The answer to ``question`` as everything stands at ``at``: whole from one edition, nothing hidden in it.

    ``with_contacts``: the establishments also carry ``shown_phone`` and ``has_email``
    (``EstablishmentQuerySet.with_contact``), for one query more.

    Takes 5 queries whatever the number of rows, 6 or 7 among many entries, one more where support listed something
    there for these jobs, 3 more for each further radius tried. It looks again only where much of a place is hidden.
    """
    asked = question.radius_km
    radii = [asked, *(r for r in RADII_KM if r > asked)] if question.widen else [asked]
    edition = _current_edition()
    codes = sorted(set(question.rome_codes))
    found: list[FoundEstablishment] = []
    total, used = 0, asked
    if codes:
        for used in radii:
            found, total = _Reader(edition, codes, replace(question, radius_km=used), at).read()
            if total:
                break
        else:
            used = asked
    if with_contacts:
        _add_contacts([each.establishment for each in found], at=at)
    return Answer(
        establishments=found,
        total=min(total, LONGEST_TOTAL),
        total_is_capped=total > LONGEST_TOTAL,
        pages=ceil(min(total, LONGEST_TOTAL) / question.per_page),
        asked_radius_km=asked,
        used_radius_km=used,
        widened=used != asked,
    )


class Candidate(NamedTuple):
    """A pair in the disc; ``chord2``: the squared chord from the centre, on the unit sphere."""

    establishment_id: int
    rome: str
    order_key: int
    chord2: float
    is_asked_for: bool = False

    @property
    def distance_km(self) -> float:
        return 2 * EARTH_RADIUS_KM * asin(min(1.0, sqrt(self.chord2) / 2))


def _show(
    candidates: Sequence[Candidate], *, start: int, stop: int, sure: int, at: datetime.datetime
) -> tuple[list[FoundEstablishment], int, int]:
    """Which candidates may be shown at ``at``: the rows ``start`` to ``stop`` of these, how many they are, and how many
    among the first ``sure``.

    One query says who may be shown and reads it: nothing can be decided in between.
    """
    sql = f"""
        WITH shown AS MATERIALIZED (
            SELECT number, code, rank, row_number() OVER (ORDER BY rank) AS place
            FROM unnest(%(numbers)s::integer[], %(codes)s::text[]) WITH ORDINALITY AS candidate (number, code, rank)
            WHERE EXISTS (SELECT FROM ({LISTED.sql}) AS listed (id) WHERE listed.id = candidate.number)
        )
        SELECT counted.total, counted.sure, page.rank, {_COLUMNS_READ}
        FROM (SELECT count(*) AS total, count(*) FILTER (WHERE rank <= %(sure)s::bigint) AS sure FROM shown) counted
        LEFT JOIN shown page ON page.place > %(start)s::bigint AND page.place <= %(stop)s::bigint
        LEFT JOIN companies_establishment establishment ON establishment.id = page.number
        LEFT JOIN companies_rome rome ON rome.code = page.code
        LEFT JOIN companies_naf naf ON naf.code = establishment.naf_id
        LEFT JOIN companies_commune commune ON commune.code = establishment.commune_id
        ORDER BY page.place"""
    rows = _rows(
        sql,
        {
            "numbers": [each.establishment_id for each in candidates],
            "codes": [each.rome for each in candidates],
            "start": start,
            "stop": stop,
            "sure": sure,
            **LISTED.params(at),
        },
    )
    found = []
    for _, _, rank, *values in rows:
        if rank is None:
            break
        cells = iter(values)
        loaded = {
            table: _instance(model, list(itertools.islice(cells, len(_columns(model))))) for table, model in LOADED
        }
        if loaded["establishment"] is None or loaded["rome"] is None:
            continue
        loaded["establishment"].naf, loaded["establishment"].commune = loaded["naf"], loaded["commune"]
        candidate = candidates[rank - 1]
        found.append(
            FoundEstablishment(
                loaded["establishment"], loaded["rome"], candidate.distance_km, is_asked_for=candidate.is_asked_for
            )
        )
    total, among_sure = rows[0][:2]
    return found, total, among_sure


LOADED: list[tuple[str, type[Model]]] = [
    ("establishment", Establishment),
    ("naf", Naf),
    ("commune", Commune),
    ("rome", Rome),
]
# Long texts that a list of results does not show.
LEFT_OUT = {"definition", "access"}


@cache
def _columns(model: type[Model]) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields if field.attname not in LEFT_OUT]


_COLUMNS_READ = ", ".join(f"{table}.{column}" for table, model in LOADED for column in _columns(model))


def _instance(model: type[Model], values: list) -> Any:
    """What was read of a row; None where the outer join found none (its key comes first)."""
    return model.from_db("default", _columns(model), values) if values[0] is not None else None


def _current_edition() -> SearchEdition | None:
    found = _rows("SELECT id, day, mean_expected FROM companies_searchedition WHERE is_current", {})
    return SearchEdition(pk=found[0][0], day=found[0][1], mean_expected=found[0][2]) if found else None


def _rows(sql: str, params: dict) -> list[tuple]:
    """The rows of a query whose plan each connection keeps: it takes as long to plan as to answer.

    Every parameter's type must be told by its surroundings, or by a cast: it is not known when the plan is made.
    """
    name, numbered, order = _prepared(sql)
    with connection.cursor() as cursor:
        kept = _PREPARED.setdefault(connection.connection, set())
        if name not in kept:
            with connection.wrap_database_errors:
                connection.connection.execute(f"PREPARE {name} AS {numbered}")
            kept.add(name)
        values = f"({', '.join(['%s'] * len(order))})" if order else ""
        cursor.execute(f"EXECUTE {name} {values}", [params[each] for each in order])
        return cursor.fetchall()


_PREPARED: WeakKeyDictionary[Any, set[str]] = WeakKeyDictionary()


@lru_cache(maxsize=64)
def _prepared(sql: str) -> tuple[str, str, list[str]]:
    """A name of its own, the same query with numbered parameters, and the names of these in order."""
    order: list[str] = []

    def number(match: re.Match) -> str:
        if match[1] not in order:
            order.append(match[1])
        return f"${order.index(match[1]) + 1}"

    numbered = re.sub(r"%\((\w+)\)s", number, sql)
    return f"search_{hashlib.sha256(sql.encode()).hexdigest()[:24]}", numbered, order


class _At:
    """The SQL of a queryset that depends on an instant, written once: writing it costs more than asking it.

    It is written for an instant that nothing else names, which then gives its place to the instant of each question.
    """

    MARK = datetime.datetime(9999, 6, 15, 12, 0, 0, 123456, tzinfo=datetime.UTC)

    def __init__(self, queryset: Callable[[datetime.datetime], QuerySet], prefix: str):
        self.queryset = queryset
        self.prefix = prefix

    @cached_property
    def sql(self) -> str:
        """To stand within a larger query, between parentheses. What is not an instant is written in it: an index on
        some kinds of rows only serves a plan that sees which kind it reads.
        """
        sql, params = self.queryset(self.MARK).query.sql_with_params()
        marks = {self.MARK: f"%({self.prefix}_at)s::timestamptz", localdate(self.MARK): f"%({self.prefix}_on)s::date"}
        return sql % tuple(
            marks[value] if isinstance(value, datetime.date) else psycopg.sql.Literal(value).as_string()
            for value in params
        )

    def params(self, at: datetime.datetime) -> dict:
        return {f"{self.prefix}_at": at, f"{self.prefix}_on": localdate(at)}


LISTED = _At(lambda at: Establishment.objects.listed(at=at).values_list("pk"), "listed")
CONTACTS = _At(
    lambda at: Establishment.objects.with_contact(at=at).values_list("pk", "shown_phone", "has_email"), "contact"
)
ASKED_FOR = _At(
    lambda at: (
        VisibilityDecision.objects.in_force(at)
        .filter(kind=DecisionKind.LISTED, scope=DecisionScope.SIRET)
        .values_list("value", "rome_codes")
    ),
    "decision",
)


def _contacts(numbers: Iterable[int], *, at: datetime.datetime) -> list[tuple[int, str, bool]]:
    """(establishment id, telephone number to show, whether an application can be sent) rows."""
    sql = f"SELECT * FROM ({CONTACTS.sql}) AS contact (id, phone, has_email) WHERE id = ANY (%(numbers)s::integer[])"
    return _rows(sql, {"numbers": list(numbers), **CONTACTS.params(at)})


def _add_contacts(establishments: Iterable[Any], *, at: datetime.datetime) -> None:
    by_number = {each.pk: each for each in establishments}
    for number, phone, has_email in _contacts(by_number, at=at):
        by_number[number].shown_phone, by_number[number].has_email = phone, has_email


@dataclass(frozen=True)
class _Disc:
    """A disc on the sphere, as the two indexes are asked for it."""

    latitude: float
    longitude: float
    radius_km: float

    @property
    def point(self) -> tuple[float, float, float]:
        latitude, longitude = radians(self.latitude), radians(self.longitude)
        return cos(latitude) * cos(longitude), cos(latitude) * sin(longitude), sin(latitude)

    @property
    def chord(self) -> float:
        """The straight line through the unit sphere that spans the radius."""
        return 2 * sin(self.radius_km / EARTH_RADIUS_KM / 2)

    def chord2_to(self, latitude: float, longitude: float) -> float:
        """The square of the chord from the centre to a point."""
        there = _Disc(latitude, longitude, 0).point
        return sum((a - b) ** 2 for a, b in zip(there, self.point, strict=True))

    def half_width(self, south: float, north: float) -> float:
        """Degrees of longitude, each side of the centre, that the disc reaches between two latitudes; 180 at a pole."""
        angle = self.radius_km / EARTH_RADIUS_KM
        centre = radians(self.latitude)
        if abs(centre) + angle >= pi / 2:
            return 180.0
        # The disc is widest at the latitude where its edge runs north–south; elsewhere its edge bounds it.
        widest = asin(sin(centre) / cos(angle))
        low, high = max(radians(south), centre - angle), min(radians(north), centre + angle)
        if low > high:
            return 0.0
        latitude = min(max(widest, low), high)
        haversine = sin(angle / 2) ** 2 - sin((latitude - centre) / 2) ** 2
        inner = max(haversine, 0.0) / (cos(centre) * cos(latitude))
        return degrees(2 * asin(min(1.0, sqrt(inner))))

    def bands(self) -> list[tuple[int, float, float]]:
        """``(lat_band, west, east)`` ranges that cover the disc, cut at the antimeridian."""
        step = SearchEdition.LAT_BAND
        reach = degrees(self.radius_km / EARTH_RADIUS_KM)
        ranges = []
        for band in range(floor((self.latitude - reach) / step), floor((self.latitude + reach) / step) + 1):
            # A hair more than needed: the exact test on the chord follows.
            half = self.half_width(band * step - 1e-6, (band + 1) * step + 1e-6) + 1e-5
            west, east = self.longitude - half, self.longitude + half
            if half >= 180:
                ranges.append((band, -180.0, 180.0))
            elif west < -180:
                ranges += [(band, -180.0, east), (band, west + 360, 180.0)]
            elif east > 180:
                ranges += [(band, west, 180.0), (band, -180.0, east - 360)]
            else:
                ranges.append((band, west, east))
        return ranges


class _Reader:
    """Asks an edition one question. Without an edition only what support listed is found."""

    def __init__(self, edition: SearchEdition | None, codes: list[str], question: Question, at: datetime.datetime):
        self.edition = edition
        self.codes = codes
        self.question = question
        self.at = at
        self.start = (question.page - 1) * question.per_page
        self.stop = min(self.start + question.per_page, LONGEST_TOTAL)
        self.disc = _Disc(question.latitude, question.longitude, question.radius_km)
        self.asked_for = self._asked_for()

    def read(self) -> tuple[list[FoundEstablishment], int]:
        """The rows of the page, and the total up to ``LONGEST_TOTAL + 1``."""
        estimates = self._estimates()
        if sum(hits for _, hits in estimates.values()) > FEW_ENTRIES:
            for generosity in (1, 4, 16):
                answer = self._read_among_many(estimates, generosity)
                if answer is not None:
                    return answer
        return self._read_all(self._once(self._in_disc(self.disc)))

    def _read_all(self, candidates: list[Candidate]) -> tuple[list[FoundEstablishment], int]:
        """The same among candidates in order; no more of them are looked at than needed."""
        asked = ENOUGH
        while True:
            found, total, _ = _show(candidates[:asked], start=self.start, stop=self.stop, sure=asked, at=self.at)
            if total > LONGEST_TOTAL or asked >= len(candidates):
                return found, min(total, LONGEST_TOTAL + 1)
            asked *= 4

    def _read_among_many(
        self, estimates: dict[str, tuple[int, float]], generosity: int
    ) -> tuple[list[FoundEstablishment], int] | None:
        """The same where the total is beyond the cap: the page is told from the first of each job, the total by some.

        None where these did not tell, so many are hidden among them.
        """
        wanted = generosity * (self.stop + self.stop // 10 + ROOM_FOR_HIDDEN)
        by_distance = self.question.sort == "distance"
        page = self._nearest(estimates, wanted) if by_distance else self._first(estimates, wanted)
        seen = {candidate.establishment_id for candidate in page}
        some = self._some(estimates, generosity * ENOUGH)
        more = [Candidate(number, "", 0, 0.0) for number in some if number not in seen]
        found, total, sure = _show(
            [*page, *more[: generosity * ENOUGH]], start=self.start, stop=self.stop, sure=len(page), at=self.at
        )
        if total <= LONGEST_TOTAL or sure < self.stop:
            return None
        return found, LONGEST_TOTAL + 1

    def _once(self, candidates: Iterable[Candidate]) -> list[Candidate]:
        """In the order asked for; an establishment found for several jobs once, for the job that brings it first."""
        best: dict[int, Candidate] = {}
        for candidate in candidates:
            known = best.get(candidate.establishment_id)
            if known is None or (candidate.order_key, candidate.rome) < (known.order_key, known.rome):
                best[candidate.establishment_id] = candidate
        if self.question.sort == "distance":
            return sorted(best.values(), key=attrgetter("chord2", "establishment_id"))
        return sorted(best.values(), key=attrgetter("order_key", "establishment_id"))

    # ── which index to walk ──────────────────────────────────────────────────────────────────────────────────────

    def _estimates(self) -> dict[str, tuple[int, float]]:
        """Job → its entries in the whole edition, and about how many in the disc."""
        if self.edition is None:
            return {}
        cell = SearchEdition.CELL
        reach = degrees(self.question.radius_km / EARTH_RADIUS_KM)
        half = self.disc.half_width(self.disc.latitude - reach, self.disc.latitude + reach)
        south, north = self.disc.latitude - reach, self.disc.latitude + reach
        west, east = self.disc.longitude - half, self.disc.longitude + half
        # The share of a cell that the box around the disc covers, then the disc's share of its box.
        overlap = (
            f"(least(box.north, (lat_cell + 1) * {cell}::float8) - greatest(box.south, lat_cell * {cell}::float8))"
            f" * (least(box.east, (lon_cell + 1) * {cell}::float8) - greatest(box.west, lon_cell * {cell}::float8))"
            f" / {cell * cell}::float8"
        )
        rows = _rows(
            f"""
            SELECT code, coalesce(whole.entries, 0), coalesce(near.entries, 0) * pi() / 4
            FROM (
                SELECT %(north)s::float8, %(south)s::float8, %(east)s::float8, %(west)s::float8
            ) AS box (north, south, east, west)
            CROSS JOIN unnest(%(codes)s::text[]) AS asked (code)
            LEFT JOIN {self.edition.cells_table} whole ON whole.rome = code AND whole.lat_cell IS NULL
            LEFT JOIN LATERAL (
                SELECT sum(entries * {overlap}) AS entries FROM {self.edition.cells_table}
                WHERE rome = code AND lat_cell BETWEEN %(south_cell)s::smallint AND %(north_cell)s::smallint
                  AND lon_cell BETWEEN %(west_cell)s::smallint AND %(east_cell)s::smallint
            ) near ON true
            """,
            {
                "codes": self.codes,
                "south": south, "north": north, "west": west, "east": east,
                "south_cell": floor(south / cell), "north_cell": floor(north / cell),
                "west_cell": floor(west / cell), "east_cell": floor(east / cell),
            },
        )  # fmt: skip
        return {code: (entries, float(hits)) for code, entries, hits in rows}

    # ── candidates ───────────────────────────────────────────────────────────────────────────────────────────────

    def _ask(self, sql: str, disc: _Disc, **params) -> list[tuple]:
        x, y, z = disc.point
        margin = disc.chord + 1e-6
        return _rows(
            sql,
            {
                "x": x, "y": y, "z": z, "chord2": disc.chord**2,
                "y_low": y - margin, "y_high": y + margin, "z_low": z - margin, "z_high": z + margin,
                **params,
            },
        )  # fmt: skip

    def _ask_by_place(self, sql: str, disc: _Disc, **params) -> list[tuple]:
        bands, wests, easts = zip(*disc.bands(), strict=True)
        return self._ask(sql, disc, bands=list(bands), wests=list(wests), easts=list(easts), **params)

    def _by_place(self, columns: str, limit: str = "") -> str:
        """Entries of the disc, in no order."""
        assert self.edition
        return f"""
            SELECT {columns} FROM unnest(%(codes)s::text[]) AS asked (code)
            CROSS JOIN LATERAL (
                SELECT found.* FROM unnest(%(bands)s::smallint[], %(wests)s::real[], %(easts)s::real[])
                    AS band (number, west, east)
                CROSS JOIN LATERAL (
                    SELECT establishment_id, order_key, {CHORD2} AS chord2 FROM {self.edition.entries_table}
                    WHERE rome = code AND lat_band = band.number AND lon BETWEEN band.west AND band.east
                ) found
                WHERE found.chord2 <= %(chord2)s::float8 {limit}
            ) entry"""

    def _in_order(self, columns: str) -> str:
        """The first ``wanted`` entries of the disc for each job, in order."""
        assert self.edition
        return f"""
            SELECT {columns} FROM unnest(%(codes)s::text[]) AS asked (code)
            CROSS JOIN LATERAL (
                SELECT establishment_id, order_key, {CHORD2} AS chord2 FROM {self.edition.entries_table}
                WHERE rome = code AND z BETWEEN %(z_low)s::real AND %(z_high)s::real
                  AND y BETWEEN %(y_low)s::real AND %(y_high)s::real AND {CHORD2} <= %(chord2)s
                ORDER BY order_key, establishment_id LIMIT %(wanted)s::integer
            ) entry"""

    def _in_disc(self, disc: _Disc) -> list[Candidate]:
        """Everything in the disc."""
        asked_for = [candidate for candidate in self.asked_for if candidate.chord2 <= disc.chord**2]
        if self.edition is None:
            return asked_for
        rows = self._ask_by_place(self._by_place(COLUMNS), disc, codes=self.codes)
        return [*asked_for, *itertools.starmap(Candidate, rows)]

    def _first(self, estimates: dict[str, tuple[int, float]], wanted: int) -> list[Candidate]:
        """The first ``wanted`` of many, or fewer, in order: each job is read by the index that meets fewer entries.

        Exact: an establishment of the first n is, for the job that brings it first, among the first n of that job,
        since each one before it there comes before it here too. Where a job was read in order, what comes after its
        last entry is left out: another of that job may come between.
        """
        bands = len(self.disc.bands())
        in_order: list[str] = []
        by_place: list[str] = []
        for code, (entries, hits) in estimates.items():
            met_in_order = wanted * entries / max(hits, 0.5) + DESCENT
            met_by_place = hits * 4 / pi + bands * DESCENT
            (in_order if met_in_order < met_by_place else by_place).append(code)
        candidates = list(self.asked_for)
        if by_place:
            candidates += itertools.starmap(
                Candidate, self._ask_by_place(self._by_place(COLUMNS), self.disc, codes=by_place)
            )
        if in_order:
            rows = self._ask(self._in_order(COLUMNS), self.disc, codes=in_order, wanted=wanted)
            candidates += itertools.starmap(Candidate, rows)
        return self._once(candidates)[:wanted]

    def _nearest(self, estimates: dict[str, tuple[int, float]], wanted: int) -> list[Candidate]:
        """The nearest ``wanted`` of many: a smaller disc that holds enough, widened until it does."""
        largest = self.question.radius_km
        hits = sum(hits for _, hits in estimates.values())
        radius = largest * min(1.0, sqrt(2 * wanted / hits))
        while True:
            disc = replace(self.disc, radius_km=min(radius, largest))
            found = self._once(self._in_disc(disc))
            if len(found) >= wanted or radius >= largest:
                return found[:wanted]
            radius *= 2

    def _some(self, estimates: dict[str, tuple[int, float]], enough: int) -> list[int]:
        """Enough establishments of the disc to tell that the total is beyond the cap, from the jobs that have most."""
        codes, expected = [], 0.0
        for code, (_, hits) in sorted(estimates.items(), key=lambda item: -item[1][1]):
            codes.append(code)
            expected += hits
            if expected > 2 * enough:
                break
        sql = self._by_place("DISTINCT entry.establishment_id", limit="LIMIT %(enough)s::integer")
        return [number for (number,) in self._ask_by_place(sql, self.disc, codes=codes, enough=enough)]

    def _asked_for(self) -> list[Candidate]:
        """Pairs of the disc that support listed by hand: no release holds them, so they take a middling weight."""
        edition = self.edition or SearchEdition(day=localdate(self.at))
        order_key = edition.order_key_sql(
            establishment_id="e.id", weight=str(edition.mean_expected), is_contactless="false"
        )
        sql = f"""
            SELECT e.id, code, {order_key}, e.latitude, e.longitude
            FROM ({ASKED_FOR.sql}) AS decision (siret, codes)
            JOIN companies_establishment e ON e.siret = decision.siret
            CROSS JOIN LATERAL unnest(decision.codes) AS code
            WHERE decision.codes && %(codes)s::varchar[] AND code = ANY (%(codes)s::text[])
              AND e.latitude BETWEEN %(south)s::float8 AND %(north)s::float8"""
        reach = degrees(self.question.radius_km / EARTH_RADIUS_KM) + 1e-6
        near = {"south": self.disc.latitude - reach, "north": self.disc.latitude + reach}
        found = [
            Candidate(number, code, key, self.disc.chord2_to(latitude, longitude), is_asked_for=True)
            for number, code, key, latitude, longitude in _rows(
                sql, {"codes": self.codes, **near, **ASKED_FOR.params(self.at)}
            )
        ]
        found = [each for each in found if each.chord2 <= self.disc.chord**2]
        if not found:
            return []
        contacts = _contacts({each.establishment_id for each in found}, at=self.at)
        silent = {number for number, phone, has_email in contacts if not phone and not has_email}
        return [
            each._replace(order_key=each.order_key + SearchEdition.CONTACTLESS)
            if each.establishment_id in silent
            else each
            for each in found
        ]


COLUMNS = "entry.establishment_id, code, entry.order_key, entry.chord2"
# The squared chord between an entry's point and the centre, on the unit sphere.
CHORD2 = " + ".join(f"({axis} - %({axis})s::float8) * ({axis} - %({axis})s::float8)" for axis in "xyz")
