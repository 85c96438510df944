"""Establishments with a high hiring potential, or listed by hand, in the order of the day.

How an answer is found, and why it is exact, is told in ``docs/decisions/0007-search.md``.
"""
# ruff: noqa: S608 (the tables' names are made of an edition's number)

import datetime
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import degrees, floor, pi, sqrt
from operator import attrgetter
from typing import NamedTuple

from django.utils.timezone import localdate

from companies.enums import DecisionKind, DecisionScope
from companies.models import Commune, Establishment, Naf, Rome, SearchEdition, VisibilityDecision
from offers.sources import limits
from offers.sources.disc import EARTH_RADIUS_KM, Disc, kilometres
from offers.sources.statements import At, Loader, rows

# An entry met on the way costs about as much in one index as in the other; going down an index costs this many.
DESCENT = 8
# And one statement more, this many.
STATEMENT = 1_000


@dataclass(frozen=True)
class FoundEstablishment:
    """One row of an answer; ``establishment`` carries its activity and its commune.

    ``is_asked_for``: a decision lists it for this job; the model says nothing of it.
    """

    establishment: Establishment
    rome: Rome
    distance_km: float
    is_asked_for: bool = False


class Candidate(NamedTuple):
    """A pair in the disc; ``chord2``: the squared chord from the centre, on the unit sphere."""

    establishment_id: int
    rome: str
    order_key: int
    chord2: float
    is_asked_for: bool = False

    @property
    def distance_km(self) -> float:
        return kilometres(self.chord2)


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
        SELECT counted.total, counted.sure, page.rank, {LOAD.sql}
        FROM (SELECT count(*) AS total, count(*) FILTER (WHERE rank <= %(sure)s::bigint) AS sure FROM shown) counted
        LEFT JOIN shown page ON page.place > %(start)s::bigint AND page.place <= %(stop)s::bigint
        LEFT JOIN companies_establishment establishment ON establishment.id = page.number
        LEFT JOIN companies_rome rome ON rome.code = page.code
        LEFT JOIN companies_naf naf ON naf.code = establishment.naf_id
        LEFT JOIN companies_commune commune ON commune.code = establishment.commune_id
        ORDER BY page.place"""
    answer = rows(
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
    if answer[0][2] is not None:
        for row, loaded in zip(answer, LOAD(answer, skip=3), strict=True):
            if loaded["establishment"] is None or loaded["rome"] is None:
                continue
            loaded["establishment"].naf, loaded["establishment"].commune = loaded["naf"], loaded["commune"]
            candidate = candidates[row[2] - 1]
            found.append(
                FoundEstablishment(
                    loaded["establishment"], loaded["rome"], candidate.distance_km, is_asked_for=candidate.is_asked_for
                )
            )
    total, among_sure = answer[0][:2]
    return found, total, among_sure


LOAD = Loader(establishment=Establishment, naf=Naf, commune=Commune, rome=Rome)

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
    """Asks the current edition one question. Without an edition only what support listed is found."""

    def __init__(self, *, codes: list[str], disc: Disc, wanted: Wanted, at: datetime.datetime):
        self.codes = codes
        self.disc = disc
        self.wanted = wanted
        self.at = at
        self.edition, self.asked_for = self._edition_and_asked_for()

    def read(self) -> tuple[list[FoundEstablishment], int]:
        """The rows wanted, and the total up to ``LONGEST_TOTAL + 1``."""
        estimates = self._estimates()
        if sum(hits for _, hits in estimates.values()) > limits.FEW_ENTRIES:
            for generosity in (1, 4, 16):
                answer = self._read_among_many(estimates, generosity)
                if answer is not None:
                    return answer
        return self._read_all(self._once(self._in_disc(self.disc)))

    def _read_all(self, candidates: list[Candidate]) -> tuple[list[FoundEstablishment], int]:
        """The same among candidates in order; no more of them are looked at than needed."""
        if not candidates:
            return [], 0
        asked = limits.enough()
        while True:
            found, total, _ = _show(
                candidates[:asked], start=self.wanted.start, stop=self.wanted.stop, sure=asked, at=self.at
            )
            if total > limits.LONGEST_TOTAL or asked >= len(candidates):
                return found, min(total, limits.LONGEST_TOTAL + 1)
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
            page = self._nearest(estimates, wanted)
        else:
            # The first of each job may tell the total as well, where walking that far costs less than asking again.
            if self._met(estimates, enough) < self._met(estimates, wanted) + STATEMENT:
                wanted = max(wanted, enough)
            page = self._first(estimates, wanted)
        more: list[Candidate] = []
        if len(page) < enough:
            seen = {candidate.establishment_id for candidate in page}
            more = [Candidate(number, "", 0, 0.0) for number in self._some(estimates, enough) if number not in seen]
        found, total, sure = _show(
            [*page, *more[:enough]],
            start=self.wanted.start,
            stop=self.wanted.stop,
            sure=len(page),
            at=self.at,
        )
        if total <= limits.LONGEST_TOTAL or sure < self.wanted.stop:
            return None
        return found, limits.LONGEST_TOTAL + 1

    def _once(self, candidates: Iterable[Candidate]) -> list[Candidate]:
        """In the order asked for; an establishment found for several jobs once, for the job that brings it first."""
        best: dict[int, Candidate] = {}
        for candidate in candidates:
            known = best.get(candidate.establishment_id)
            if known is None or (candidate.order_key, candidate.rome) < (known.order_key, known.rome):
                best[candidate.establishment_id] = candidate
        if self.wanted.nearest_first:
            return sorted(best.values(), key=attrgetter("chord2", "establishment_id"))
        return sorted(best.values(), key=attrgetter("order_key", "establishment_id"))

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

    # ── candidates ───────────────────────────────────────────────────────────────────────────────────────────────

    def _ask(self, sql: str, disc: Disc, **params) -> list[tuple]:
        x, y, z = disc.point
        margin = disc.chord + 1e-6
        return rows(
            sql,
            {
                "x": x, "y": y, "z": z, "chord2": disc.chord**2,
                "y_low": y - margin, "y_high": y + margin, "z_low": z - margin, "z_high": z + margin,
                **params,
            },
        )  # fmt: skip

    def _ask_by_place(self, sql: str, disc: Disc, **params) -> list[tuple]:
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

    def _in_disc(self, disc: Disc) -> list[Candidate]:
        """Everything in the disc."""
        asked_for = [candidate for candidate in self.asked_for if candidate.chord2 <= disc.chord**2]
        if self.edition is None:
            return asked_for
        inside = self._ask_by_place(self._by_place(COLUMNS), disc, codes=self.codes)
        return [*asked_for, *itertools.starmap(Candidate, inside)]

    def _first(self, estimates: dict[str, tuple[int, float]], wanted: int) -> list[Candidate]:
        """The first ``wanted`` of many, or fewer, in order: each job is read by the index that meets fewer entries.

        Exact: an establishment of the first n is, for the job that brings it first, among the first n of that job,
        since each one before it there comes before it here too. Where a job was read in order, what comes after its
        last entry is left out: another of that job may come between.
        """
        in_order: list[str] = []
        by_place: list[str] = []
        for code, counted in estimates.items():
            met_in_order, met_by_place = self._met_by_index(counted, wanted)
            (in_order if met_in_order < met_by_place else by_place).append(code)
        candidates = list(self.asked_for)
        if by_place:
            candidates += itertools.starmap(
                Candidate, self._ask_by_place(self._by_place(COLUMNS), self.disc, codes=by_place)
            )
        if in_order:
            first = self._ask(self._in_order(COLUMNS), self.disc, codes=in_order, wanted=wanted)
            candidates += itertools.starmap(Candidate, first)
        return self._once(candidates)[:wanted]

    def _nearest(self, estimates: dict[str, tuple[int, float]], wanted: int) -> list[Candidate]:
        """The nearest ``wanted`` of many: a smaller disc that holds enough, widened until it does."""
        largest = self.disc.radius_km
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

    def _edition_and_asked_for(self) -> tuple[SearchEdition | None, list[Candidate]]:
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
        answer = rows(sql, {"codes": self.codes, "today": localdate(self.at), **near, **ASKED_FOR.params(self.at)})
        number, day, mean_expected = answer[0][:3]
        edition = SearchEdition(pk=number, day=day, mean_expected=mean_expected) if number is not None else None
        found = [
            Candidate(number, code, key, self.disc.chord2_to(latitude, longitude), is_asked_for=True)
            for _, _, _, number, code, key, latitude, longitude in answer
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


COLUMNS = "entry.establishment_id, code, entry.order_key, entry.chord2"
# The squared chord between an entry's point and the centre, on the unit sphere.
CHORD2 = " + ".join(f"({axis} - %({axis})s::float8) * ({axis} - %({axis})s::float8)" for axis in "xyz")
