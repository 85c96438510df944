"""Establishments with a high hiring potential, or listed by hand, in the order of the day.

How an answer is found, and why it is exact, is told in ``docs/decisions/0007-search.md``.
"""
# ruff: noqa: S608 (the tables' names are made of an edition's number)

import datetime
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from math import degrees, floor, pi, sqrt
from typing import NamedTuple

from companies.enums import DecisionKind, DecisionScope
from companies.models import Establishment, Rome, SearchEdition, VisibilityDecision
from offers.sources import limits
from offers.sources.disc import EARTH_RADIUS_KM, Disc, kilometres
from offers.sources.statements import READ, At, Loader, Query, array, paris_day, rows

# An entry met on the way costs about as much in one index as in the other; going down an index costs this many.
DESCENT = 8
# And telling the total by others than the first ones, this many.
MORE = 300


@dataclass(frozen=True)
class FoundEstablishment:
    """One row of an answer; ``establishment`` carries its activity and its commune.

    ``is_asked_for``: a decision lists it for this job; the model says nothing of it.
    """

    establishment: Establishment
    rome: Rome
    distance_km: float
    is_asked_for: bool = False


class AskedFor(NamedTuple):
    """A pair that a decision lists; ``chord2``: the squared chord from the centre, on the unit sphere."""

    establishment_id: int
    rome: str
    order_key: int
    chord2: float


LOAD = Loader(**READ)

LISTED = At(lambda at: Establishment.objects.listed(at=at).values_list("pk"), "listed")
CONTACTS = At(
    lambda at: Establishment.objects.with_contact(at=at).values_list("pk", "shown_phone", "has_email"), "contact"
)
ASKED_FOR = At(
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
    return rows(sql, {"numbers": list(numbers), **CONTACTS.params(at)})


def add_contacts(establishments: Iterable[Establishment], *, at: datetime.datetime) -> None:
    """Gives each ``shown_phone`` and ``has_email`` (``EstablishmentQuerySet.with_contact``)."""
    by_number = {each.pk: each for each in establishments}
    for number, phone, has_email in _contacts(by_number, at=at):
        by_number[number].shown_phone, by_number[number].has_email = phone, has_email  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Wanted:
    """Which rows of an answer: ``start`` included, ``stop`` excluded, the nearest or the first of the day first."""

    start: int
    stop: int
    nearest_first: bool = False


class Reader:
    """Asks the current edition one question, after ``first``. Without an edition only what support listed is found."""

    edition: SearchEdition | None
    asked_for: list[AskedFor]
    wanted: Wanted

    def __init__(self, *, codes: list[str], disc: Disc, at: datetime.datetime):
        self.codes = codes
        self.disc = disc
        self.at = at

    def read(self, first: list[tuple], wanted: Wanted) -> tuple[list[FoundEstablishment], int]:
        """The rows wanted, and the total up to ``LONGEST_TOTAL + 1``; ``first`` answers the query of this name."""
        self.edition, self.asked_for = self._edition_and_asked_for(first)
        self.wanted = wanted
        estimates = self._estimates()
        if sum(hits for _, hits in estimates.values()) > limits.FEW_ENTRIES:
            for generosity in (1, 4, 16):
                answer = self._read_among_many(estimates, generosity)
                if answer is not None:
                    return answer
        return self._read_all()

    def _read_all(self) -> tuple[list[FoundEstablishment], int]:
        """The same from everything in the disc; no more of it is looked at than needed."""
        asked = limits.enough()
        while True:
            shown = self._show(_Walk(self.disc, by_place=self.codes), asked)
            if shown.total > limits.LONGEST_TOTAL or shown.candidates < asked:
                return shown.page, min(shown.total, limits.LONGEST_TOTAL + 1)
            asked *= 4

    def _read_among_many(
        self, estimates: dict[str, tuple[int, float]], generosity: int
    ) -> tuple[list[FoundEstablishment], int] | None:
        """The same where the total is beyond the cap: the page is told from the first of each job, the total by some.

        None where these did not tell, so many are hidden among them.
        """
        wanted = generosity * (self.wanted.stop + self.wanted.stop // 10 + limits.ROOM_FOR_HIDDEN)
        enough = generosity * limits.enough()
        if self.wanted.nearest_first:
            walks = self._nearest(estimates, wanted)
        else:
            # The first of each job may tell the total as well, where walking that far costs less than asking for more.
            if self._met(estimates, enough) < self._met(estimates, wanted) + MORE:
                wanted = max(wanted, enough)
            walks = iter([self._first(estimates, wanted)])
        for walk in walks:
            shown = self._show(walk, wanted, enough=enough)
            if shown.candidates == wanted:
                break
        if shown.total <= limits.LONGEST_TOTAL or shown.among_candidates < self.wanted.stop:
            return None
        return shown.page, limits.LONGEST_TOTAL + 1

    # ── which index to walk ──────────────────────────────────────────────────────────────────────────────────────

    def _estimates(self) -> dict[str, tuple[int, float]]:
        """Job → its entries in the whole edition, and about how many in the disc."""
        if self.edition is None:
            return {}
        cell = SearchEdition.CELL
        reach = degrees(self.disc.radius_km / EARTH_RADIUS_KM)
        half = self.disc.half_width(self.disc.latitude - reach, self.disc.latitude + reach)
        south, north = self.disc.latitude - reach, self.disc.latitude + reach
        west, east = self.disc.longitude - half, self.disc.longitude + half
        # The share of a cell that the box around the disc covers, then the disc's share of its box.
        overlap = (
            f"(least(box.north, (lat_cell + 1) * {cell}::float8) - greatest(box.south, lat_cell * {cell}::float8))"
            f" * (least(box.east, (lon_cell + 1) * {cell}::float8) - greatest(box.west, lon_cell * {cell}::float8))"
            f" / {cell * cell}::float8"
        )
        answer = rows(
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
        return {code: (entries, float(hits)) for code, entries, hits in answer}

    def _met_by_index(self, counted: tuple[int, float], wanted: int) -> tuple[float, float]:
        """Entries met to read the first ``wanted`` of a job, walking in order, then by place."""
        entries, hits = counted
        return (
            wanted * entries / max(hits, 0.5) + DESCENT,
            hits * 4 / pi + self.disc.number_of_bands * DESCENT,
        )

    def _met(self, estimates: dict[str, tuple[int, float]], wanted: int) -> float:
        """Entries met to read the first ``wanted`` of each job, each by the better index."""
        return sum(min(self._met_by_index(counted, wanted)) for counted in estimates.values())

    def _first(self, estimates: dict[str, tuple[int, float]], wanted: int) -> "_Walk":
        """Where to find the first ``wanted`` of many: each job is read by the index that meets fewer entries.

        Exact: an establishment of the first n is, for the job that brings it first, among the first n of that job,
        since each one before it there comes before it here too.
        """
        in_order: list[str] = []
        by_place: list[str] = []
        for code, counted in estimates.items():
            met_in_order, met_by_place = self._met_by_index(counted, wanted)
            (in_order if met_in_order < met_by_place else by_place).append(code)
        return _Walk(self.disc, by_place=by_place, in_order=in_order, more=self._more(estimates, wanted))

    def _nearest(self, estimates: dict[str, tuple[int, float]], wanted: int) -> Iterator["_Walk"]:
        """Where to find the nearest ``wanted`` of many: a disc that should hold enough, then wider ones."""
        largest = self.disc.radius_km
        hits = sum(hits for _, hits in estimates.values())
        radius = largest * min(1.0, sqrt(2 * wanted / hits))
        more = self._more(estimates, wanted)
        while radius < largest:
            yield _Walk(replace(self.disc, radius_km=radius), by_place=self.codes, more=more)
            radius *= 2
        yield _Walk(self.disc, by_place=self.codes, more=more)

    def _more(self, estimates: dict[str, tuple[int, float]], wanted: int) -> list[str]:
        """Jobs that have enough establishments in the disc to tell a total beyond the cap, those that have most first.

        None where the ``wanted`` ones tell it.
        """
        if wanted >= limits.enough():
            return []
        codes, expected = [], 0.0
        for code, (_, hits) in sorted(estimates.items(), key=lambda item: -item[1][1]):
            codes.append(code)
            expected += hits
            if expected > 2 * limits.enough():
                break
        return codes

    # ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _show(self, walk: "_Walk", asked: int, *, enough: int = 0) -> "_Shown":
        """The first ``asked`` establishments of a walk, each once, for the job that brings it first; those of them that
        may be shown; and how many of ``enough`` others may be.

        One statement finds them, says who may be shown, and reads the rows: nothing can be decided in between.
        """
        entries = self._entries(walk)
        if not entries:
            return _Shown([], 0, 0, 0)
        key = "chord2" if self.wanted.nearest_first else "order_key"
        best = " UNION ALL ".join(entries)
        if len(self.codes) > 1 or len(entries) > 1:
            best = f"""
                SELECT DISTINCT ON (number) *
                FROM ({best}) AS entry (number, code, order_key, chord2, is_asked_for)
                ORDER BY number, order_key, code"""
        listed = f"EXISTS (SELECT FROM ({LISTED.sql}) AS listed (id) WHERE listed.id = number)"
        more = "0"
        if walk.more:
            more = f"""(
                SELECT count(*) FROM (
                    SELECT establishment_id AS number FROM ({self._by_place("more", limit="%(enough)s::integer")}) met
                    EXCEPT SELECT number FROM candidate LIMIT %(enough)s::integer
                ) other WHERE {listed}
            )"""
        sql = f"""
            WITH candidate AS MATERIALIZED (
                SELECT number, code, {key} AS key, chord2, is_asked_for
                FROM ({best}) AS entry (number, code, order_key, chord2, is_asked_for)
                ORDER BY key, number LIMIT %(asked)s::bigint
            ), shown AS MATERIALIZED (
                SELECT candidate.*, row_number() OVER (ORDER BY key, number) AS place FROM candidate WHERE {listed}
            )
            SELECT counted.*, page.chord2, page.is_asked_for, {LOAD.sql}
            FROM (
                SELECT (SELECT count(*) FROM candidate), (SELECT count(*) FROM shown), {more}
            ) AS counted
            LEFT JOIN shown page ON page.place > %(start)s::bigint AND page.place <= %(stop)s::bigint
            LEFT JOIN companies_establishment establishment ON establishment.id = page.number
            LEFT JOIN companies_rome rome ON rome.code = page.code
            LEFT JOIN companies_naf naf ON naf.code = establishment.naf_id
            LEFT JOIN companies_commune commune ON commune.code = establishment.commune_id
            ORDER BY page.place"""
        x, y, z = walk.disc.point
        margin = walk.disc.chord + 1e-6
        bands, wests, easts = zip(*walk.disc.bands(), strict=True)
        numbers, codes, keys, chords = zip(*self.asked_for, strict=True) if self.asked_for else ((), (), (), ())
        answer = rows(
            sql,
            {
                "by_place": walk.by_place, "in_order": walk.in_order, "more": walk.more,
                "bands": array(bands), "wests": array(wests), "easts": array(easts),
                "x": x, "y": y, "z": z, "chord2": walk.disc.chord**2,
                "y_low": y - margin, "y_high": y + margin, "z_low": z - margin, "z_high": z + margin,
                "numbers": array(numbers), "codes": list(codes), "keys": array(keys), "chords": array(chords),
                "asked": asked, "enough": enough, "start": self.wanted.start, "stop": self.wanted.stop,
                **LISTED.params(self.at),
            },
        )  # fmt: skip
        candidates, among_candidates, others = answer[0][:3]
        page = []
        for row, loaded in zip(answer, LOAD(answer, skip=5), strict=True):
            establishment = loaded["establishment"]
            if establishment is None or loaded["rome"] is None:
                continue
            establishment._state.fields_cache.update(naf=loaded["naf"], commune=loaded["commune"])
            page.append(FoundEstablishment(establishment, loaded["rome"], kilometres(row[3]), is_asked_for=row[4]))
        return _Shown(page, candidates, among_candidates, among_candidates + others)

    def _entries(self, walk: "_Walk") -> list[str]:
        """What a walk meets, as queries of (number, code, order_key, chord2, is_asked_for) rows."""
        columns = "establishment_id, code, order_key, chord2, false"
        entries = []
        if self.edition is not None and walk.by_place:
            entries.append(f"SELECT {columns} FROM ({self._by_place('by_place')}) met")
        if self.edition is not None and walk.in_order:
            entries.append(f"SELECT {columns} FROM ({self._in_order()}) met")
        if self.asked_for:
            entries.append(
                "SELECT number, code, order_key, found.chord2, true"
                " FROM unnest(%(numbers)s::integer[], %(codes)s::text[], %(keys)s::integer[], %(chords)s::float8[])"
                " AS found (number, code, order_key, chord2) WHERE found.chord2 <= %(chord2)s::float8"
            )
        return entries

    def _by_place(self, codes: str, *, limit: str = "ALL") -> str:
        """Entries of the disc for the jobs of a parameter, in no order; at most ``limit`` for each."""
        assert self.edition
        return f"""
            SELECT entry.*, code FROM unnest(%({codes})s::text[]) AS asked (code)
            CROSS JOIN LATERAL (
                SELECT found.* FROM unnest(%(bands)s::smallint[], %(wests)s::real[], %(easts)s::real[])
                    AS band (number, west, east)
                CROSS JOIN LATERAL (
                    SELECT establishment_id, order_key, {CHORD2} AS chord2 FROM {self.edition.entries_table}
                    WHERE rome = code AND lat_band = band.number AND lon BETWEEN band.west AND band.east
                ) found
                WHERE found.chord2 <= %(chord2)s::float8 LIMIT {limit}
            ) entry"""

    def _in_order(self) -> str:
        """The first ``asked`` entries of the disc for each job, in order."""
        assert self.edition
        return f"""
            SELECT entry.*, code FROM unnest(%(in_order)s::text[]) AS asked (code)
            CROSS JOIN LATERAL (
                SELECT establishment_id, order_key, {CHORD2} AS chord2 FROM {self.edition.entries_table}
                WHERE rome = code AND z BETWEEN %(z_low)s::real AND %(z_high)s::real
                  AND y BETWEEN %(y_low)s::real AND %(y_high)s::real AND {CHORD2} <= %(chord2)s::float8
                ORDER BY order_key, establishment_id LIMIT %(asked)s::bigint
            ) entry"""

    def first(self) -> Query:
        """The edition online, and the pairs of the disc that a decision lists: no release holds these, so they take a
        middling weight.
        """
        order_key = SearchEdition().order_key_sql(
            establishment_id="e.id",
            weight="coalesce(edition.mean_expected, 1)",
            is_contactless="false",
            day="coalesce(edition.day, %(today)s::date)",
        )
        sql = f"""
            SELECT edition.id, edition.day, edition.mean_expected, asked.*
            FROM (SELECT) AS always
            LEFT JOIN companies_searchedition edition ON edition.is_current
            LEFT JOIN LATERAL (
                SELECT e.id, code, {order_key}, e.latitude, e.longitude
                FROM ({ASKED_FOR.sql}) AS decision (siret, codes)
                JOIN companies_establishment e ON e.siret = decision.siret
                CROSS JOIN LATERAL unnest(decision.codes) AS code
                WHERE decision.codes && %(codes)s::varchar[] AND code = ANY (%(codes)s::text[])
                  AND e.latitude BETWEEN %(south)s::float8 AND %(north)s::float8
            ) asked ON true"""
        reach = degrees(self.disc.radius_km / EARTH_RADIUS_KM) + 1e-6
        near = {"south": self.disc.latitude - reach, "north": self.disc.latitude + reach}
        return sql, {"codes": self.codes, "today": paris_day(self.at), **near, **ASKED_FOR.params(self.at)}

    def _edition_and_asked_for(self, first: list[tuple]) -> tuple[SearchEdition | None, list[AskedFor]]:
        number, day, mean_expected = first[0][:3]
        edition = SearchEdition(pk=number, day=day, mean_expected=mean_expected) if number is not None else None
        found = [
            AskedFor(number, code, key, self.disc.chord2_to(latitude, longitude))
            for _, _, _, number, code, key, latitude, longitude in first
            if number is not None
        ]
        found = [each for each in found if each.chord2 <= self.disc.chord**2]
        if not found:
            return edition, []
        contacts = _contacts({each.establishment_id for each in found}, at=self.at)
        silent = {number for number, phone, has_email in contacts if not phone and not has_email}
        return edition, [
            each._replace(order_key=each.order_key + SearchEdition.CONTACTLESS)
            if each.establishment_id in silent
            else each
            for each in found
        ]


@dataclass(frozen=True)
class _Walk:
    """Where to look: the disc, the jobs read by place and those read in order; and jobs that tell the total by some."""

    disc: Disc
    by_place: list[str]
    in_order: list[str] = field(default_factory=list)
    more: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Shown:
    """What a walk gave: the page, how many candidates it met, how many of them may be shown, and of others too."""

    page: list[FoundEstablishment]
    candidates: int
    among_candidates: int
    total: int


# The squared chord between an entry's point and the centre, on the unit sphere.
CHORD2 = " + ".join(f"({axis} - %({axis})s::float8) * ({axis} - %({axis})s::float8)" for axis in "xyz")
