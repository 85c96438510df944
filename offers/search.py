"""The search: establishments with a high hiring potential for some jobs, near a place, in the order of the day.

How an answer is found, and why it is exact, is told in ``docs/decisions/0007-search.md``.
"""
# ruff: noqa: S608 (the tables' names are made of an edition's number)

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import asin, ceil, cos, degrees, floor, pi, radians, sin, sqrt
from typing import Literal

from django.db import connection
from django.db.models import QuerySet
from django.utils.timezone import localdate

from companies.enums import DecisionKind, DecisionScope
from companies.models import Establishment, Rome, SearchEdition, VisibilityDecision

RADII_KM = (10, 30, 60, 100)
LONGEST_TOTAL = 500
MOST_CODES = 50
EARTH_RADIUS_KM = 6371.0088

# Entries in the disc up to which all of them are read, for the page and the total at once.
FEW_ENTRIES = 2_000
# An index entry met on the way costs about as much in one index as in the other; a descent of an index costs this many.
DESCENT = 8
# Entries of one job counted at first for a capped total: room for the hidden ones.
COUNTED_PER_JOB = LONGEST_TOTAL + 100

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
    """One row of an answer; ``establishment`` carries its activity, its commune, ``shown_phone`` and ``has_email``."""

    establishment: Establishment
    rome: Rome
    distance_km: float


@dataclass(frozen=True)
class Answer:
    """A page of establishments; ``total`` counts what may be shown, and stops at ``LONGEST_TOTAL`` (``total_is_capped``).

    A page beyond the last one is empty. ``used_radius_km`` differs from the one asked for when ``widened``.
    """

    establishments: list[FoundEstablishment]
    total: int
    total_is_capped: bool
    pages: int
    asked_radius_km: int
    used_radius_km: int
    widened: bool


def search(question: Question, *, at: datetime.datetime) -> Answer:
    """The answer to ``question`` as everything stands at ``at``: whole from one edition, nothing hidden in it.

    Takes the same number of queries whatever the number of rows: 4, or 5 where there is plenty; one or two more for
    each radius tried when it widens, and for the nearest first among plenty.
    """
    asked = question.radius_km
    radii = [asked, *(r for r in RADII_KM if r > asked)] if question.widen else [asked]
    edition = SearchEdition.objects.filter(is_current=True).first()
    codes = sorted(set(question.rome_codes))
    found, total, used = _Found([], 0), 0, asked
    if codes:
        for used in radii:
            found = _Reader(edition, codes, replace(question, radius_km=used), at).read()
            total = found.total
            if total:
                break
        else:
            used = asked
    return Answer(
        establishments=_load(found.rows, at=at),
        total=min(total, LONGEST_TOTAL),
        total_is_capped=total > LONGEST_TOTAL,
        pages=ceil(min(total, LONGEST_TOTAL) / question.per_page),
        asked_radius_km=asked,
        used_radius_km=used,
        widened=used != asked,
    )


@dataclass(frozen=True)
class _Found:
    """``rows``: (establishment id, rome code, distance in km) in order; ``total``: up to ``LONGEST_TOTAL + 1``."""

    rows: list[tuple[int, str, float]]
    total: int


def _load(rows: Sequence[tuple[int, str, float]], *, at: datetime.datetime) -> list[FoundEstablishment]:
    if not rows:
        return []
    establishments = {
        each.pk: each
        for each in Establishment.objects.filter(pk__in=[number for number, _, _ in rows])
        .with_contact(at=at)
        .select_related("naf", "commune")
    }
    jobs = Rome.objects.defer("definition", "access").in_bulk({code for _, code, _ in rows})
    return [
        FoundEstablishment(establishments[number], jobs[code], distance)
        for number, code, distance in rows
        if number in establishments and code in jobs
    ]


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
        self.first_row = (question.page - 1) * question.per_page
        self.last_row = min(self.first_row + question.per_page, LONGEST_TOTAL)
        self.disc = _Disc(question.latitude, question.longitude, question.radius_km)
        self.listed_sql, listed = _named(Establishment.objects.listed(at=at).values_list("pk"), "listed")
        self.contacts_sql, contacts = _named(
            Establishment.objects.with_contact(at=at).values_list("pk", "shown_phone", "has_email"), "contact"
        )
        self.decisions_sql, decisions = _named(
            VisibilityDecision.objects.in_force(at)
            .filter(kind=DecisionKind.LISTED, scope=DecisionScope.SIRET, rome_codes__overlap=codes)
            .values_list("value", "rome_codes"),
            "decision",
        )
        self.named_params = {**listed, **contacts, **decisions}

    def read(self) -> _Found:
        estimates = self._estimates()
        if sum(hits for _, hits in estimates.values()) <= FEW_ENTRIES:
            return self._read_all(self.disc)
        total = self._count()
        if self.first_row >= min(total, LONGEST_TOTAL):
            return _Found([], total)
        if self.question.sort == "distance":
            return _Found(self._nearest(estimates), total)
        return _Found(self._first(estimates), total)

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
        # The share of a cell that the box around the disc covers, and the disc's share of its box.
        overlap = (
            f"(least(%(north)s, (lat_cell + 1) * {cell}) - greatest(%(south)s, lat_cell * {cell}))"
            f" * (least(%(east)s, (lon_cell + 1) * {cell}) - greatest(%(west)s, lon_cell * {cell})) / {cell * cell}"
        )
        with connection.cursor() as cursor:
            cursor.execute(
                f"""
                SELECT code, coalesce(whole.entries, 0), coalesce(near.entries, 0) * pi() / 4
                FROM unnest(%(codes)s::text[]) AS asked (code)
                LEFT JOIN {self.edition.cells_table} whole ON whole.rome = code AND whole.lat_cell IS NULL
                LEFT JOIN LATERAL (
                    SELECT sum(entries * {overlap}) AS entries FROM {self.edition.cells_table}
                    WHERE rome = code AND lat_cell BETWEEN %(south_cell)s AND %(north_cell)s
                      AND lon_cell BETWEEN %(west_cell)s AND %(east_cell)s
                ) near ON true
                """,
                {
                    "codes": self.codes,
                    "south": south, "north": north, "west": west, "east": east,
                    "south_cell": floor(south / cell), "north_cell": floor(north / cell),
                    "west_cell": floor(west / cell), "east_cell": floor(east / cell),
                },
            )  # fmt: skip
            return {code: (entries, float(hits)) for code, entries, hits in cursor.fetchall()}

    # ── pieces of SQL ────────────────────────────────────────────────────────────────────────────────────────────

    def _params(self, disc: _Disc) -> dict:
        x, y, z = disc.point
        bands = disc.bands()
        margin = disc.chord + 1e-6
        return {
            "codes": self.codes,
            "x": x, "y": y, "z": z, "chord2": disc.chord**2,
            "y_low": y - margin, "y_high": y + margin, "z_low": z - margin, "z_high": z + margin,
            "bands": [band for band, _, _ in bands],
            "wests": [west for _, west, _ in bands],
            "easts": [east for _, _, east in bands],
            "at": self.at,
            "first_row": self.first_row,
            "last_row": self.last_row,
            "page_rows": self.last_row - self.first_row,
            "too_many": LONGEST_TOTAL + 1,
        }  # fmt: skip

    def _fill(self, sql: str, disc: _Disc, **params) -> list[tuple]:
        with connection.cursor() as cursor:
            cursor.execute(sql, {**self._params(disc), **self.named_params, **params})
            return cursor.fetchall()

    def _near(self, codes: str = "codes", *, per_job: int | None = None) -> str:
        """Entries in the disc, by place; at most ``per_job`` of each job, in no order."""
        assert self.edition
        limit = f"LIMIT {per_job}" if per_job else ""
        return f"""
            SELECT code AS rome, entry.establishment_id, entry.order_key, entry.chord2
            FROM unnest(%({codes})s::text[]) AS asked (code)
            CROSS JOIN LATERAL (
                SELECT found.* FROM unnest(%(bands)s::smallint[], %(wests)s::real[], %(easts)s::real[])
                    AS band (number, west, east)
                CROSS JOIN LATERAL (
                    SELECT establishment_id, order_key, {CHORD2} AS chord2 FROM {self.edition.entries_table}
                    WHERE rome = code AND lat_band = band.number AND lon BETWEEN band.west AND band.east
                ) found
                WHERE found.chord2 <= %(chord2)s {limit}
            ) entry"""

    def _first_of_each(self, codes: str) -> str:
        """The first ``last_row`` entries of each job that are in the disc and may be shown, in order."""
        assert self.edition
        return f"""
            SELECT code AS rome, entry.establishment_id, entry.order_key, entry.chord2
            FROM unnest(%({codes})s::text[]) AS asked (code)
            CROSS JOIN LATERAL (
                SELECT establishment_id, order_key, {CHORD2} AS chord2 FROM {self.edition.entries_table} e
                CROSS JOIN LATERAL {self._listed("e.establishment_id")} listed
                WHERE rome = code AND z BETWEEN %(z_low)s::real AND %(z_high)s::real
                  AND y BETWEEN %(y_low)s::real AND %(y_high)s::real AND {CHORD2} <= %(chord2)s
                ORDER BY order_key, establishment_id LIMIT %(last_row)s
            ) entry"""

    def _asked_for(self) -> str:
        """Pairs in the disc that support listed by hand: no release holds them, so they take a middling weight."""
        edition = self.edition or SearchEdition(day=localdate(self.at))
        order_key = edition.order_key_sql(
            establishment_id="e.id", weight=str(edition.mean_expected), is_contactless="NOT contact.is_known"
        )
        return f"""
            SELECT code AS rome, e.id AS establishment_id, {order_key} AS order_key, place.chord2
            FROM ({self.decisions_sql}) AS decision (siret, codes)
            JOIN companies_establishment e ON e.siret = decision.siret
            CROSS JOIN LATERAL unnest(decision.codes) AS code
            CROSS JOIN LATERAL (
                SELECT {CHORD2} AS chord2 FROM (
                    SELECT cosd(e.latitude) * cosd(e.longitude), cosd(e.latitude) * sind(e.longitude), sind(e.latitude)
                ) AS point (x, y, z)
            ) place
            CROSS JOIN LATERAL (
                SELECT c.phone <> '' OR c.has_email FROM ({self.contacts_sql}) AS c (id, phone, has_email)
                WHERE c.id = e.id
            ) AS contact (is_known)
            WHERE code = ANY (%(codes)s) AND place.chord2 <= %(chord2)s"""

    def _listed(self, number: str) -> str:
        """One row where the establishment may be shown; kept apart by OFFSET so that it is asked row by row."""
        return f"(SELECT 1 FROM ({self.listed_sql}) AS l (id) WHERE l.id = {number} OFFSET 0)"

    # ── answers ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _page(self, candidates: str, disc: _Disc, *, counted: bool, **params) -> _Found:
        """The page's rows among ``candidates``; ``counted``: also how many may be shown, up to ``LONGEST_TOTAL + 1``.

        An establishment found for several jobs is kept once, for the job that brings it first.
        """
        by_distance = self.question.sort == "distance"
        order = "chord2, establishment_id" if by_distance else "order_key, establishment_id"
        rows = self._fill(
            f"""
            WITH candidate AS MATERIALIZED ({candidates}),
            once AS MATERIALIZED (
                SELECT DISTINCT ON (establishment_id) establishment_id, rome, order_key, chord2
                FROM candidate ORDER BY establishment_id, order_key, rome
            ),
            shown AS MATERIALIZED (
                SELECT once.* FROM once CROSS JOIN LATERAL {self._listed("once.establishment_id")} listed
                ORDER BY {order} LIMIT %({"too_many" if counted else "last_row"})s
            )
            SELECT counted.total, page.establishment_id, page.rome, page.chord2
            FROM (SELECT count(*) AS total FROM shown) counted
            LEFT JOIN (
                SELECT * FROM shown ORDER BY {order} OFFSET %(first_row)s LIMIT %(page_rows)s
            ) page ON true
            ORDER BY {order}
            """,
            disc,
            **params,
        )
        return _Found(
            [(number, code, _kilometres(chord2)) for _, number, code, chord2 in rows if number is not None], rows[0][0]
        )

    def _read_all(self, disc: _Disc) -> _Found:
        candidates = [self._near(), self._asked_for()] if self.edition else [self._asked_for()]
        return self._page(" UNION ALL ".join(candidates), disc, counted=True)

    def _count(self) -> int:
        """How many establishments of the disc may be shown, up to ``LONGEST_TOTAL + 1``."""
        for per_job in (COUNTED_PER_JOB, None):
            total = self._fill(
                f"""
                SELECT count(*) FROM (
                    SELECT 1 FROM (
                        SELECT DISTINCT establishment_id FROM ({self._near(per_job=per_job)}) AS entry
                        UNION SELECT establishment_id FROM ({self._asked_for()}) AS asked_for
                    ) AS once
                    CROSS JOIN LATERAL {self._listed("once.establishment_id")} listed
                    LIMIT %(too_many)s
                ) AS shown
                """,
                self.disc,
            )[0][0]
            if total > LONGEST_TOTAL:
                break
        return total

    def _first(self, estimates: dict[str, tuple[int, float]]) -> list[tuple[int, str, float]]:
        """The page among many entries: each job is read by place or in order, whichever meets fewer entries.

        Exact: an establishment of the first ``n`` is, for the job that brings it first, among the first ``n`` of that
        job, since each one before it there is also before it in the answer.
        """
        bands = len(self.disc.bands())
        in_order, by_place = [], []
        for code, (entries, hits) in estimates.items():
            met_in_order = self.last_row * entries / max(hits, 0.5) + DESCENT
            met_by_place = hits * 4 / pi + bands * DESCENT
            (in_order if met_in_order < met_by_place else by_place).append(code)
        pieces = [self._asked_for()]
        if in_order:
            pieces.append(self._first_of_each("in_order"))
        if by_place:
            pieces.append(self._near("by_place"))
        candidates = " UNION ALL ".join(f"({piece})" for piece in pieces)
        return self._page(candidates, self.disc, counted=False, in_order=in_order, by_place=by_place).rows

    def _nearest(self, estimates: dict[str, tuple[int, float]]) -> list[tuple[int, str, float]]:
        """The page of the nearest among many: a smaller disc that holds enough, doubled until it does."""
        hits = max(entries for _, entries in estimates.values())
        radius = self.question.radius_km * min(1.0, sqrt(2 * self.last_row / max(hits, 1)))
        while True:
            disc = replace(self.disc, radius_km=min(radius, self.question.radius_km))
            found = self._read_all(disc)
            if found.total >= self.last_row or radius >= self.question.radius_km:
                return found.rows
            radius *= 2


# The square of the chord between an entry's point and the centre, on the unit sphere.
CHORD2 = "((x - %(x)s) * (x - %(x)s) + (y - %(y)s) * (y - %(y)s) + (z - %(z)s) * (z - %(z)s))"


def _kilometres(chord2: float) -> float:
    return 2 * EARTH_RADIUS_KM * asin(min(1.0, sqrt(chord2) / 2))


def _named(queryset: QuerySet, prefix: str) -> tuple[str, dict]:
    """A queryset's SQL with its parameters by name, to stand within a larger query."""
    sql, params = queryset.query.sql_with_params()
    names = iter(f"{prefix}_{n}" for n in range(len(params)))
    sql = re.sub(r"%s", lambda _: f"%({next(names)})s", sql)
    return sql, {f"{prefix}_{n}": value for n, value in enumerate(params)}
