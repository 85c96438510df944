"""Establishments with a high hiring potential, or listed by hand, in the order of the day.

How an answer is found, and why it is exact, is told in ``docs/decisions/0007-search.md``.
"""

import datetime
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from math import floor, pi, sqrt
from typing import NamedTuple

from companies.models import Establishment, Rome, SearchEdition
from offers.sources import establishments_sql as sql
from offers.sources import limits
from offers.sources.disc import Disc, kilometres
from offers.sources.statements import Query, array, paris_day, rows

# An entry met on the way costs about as much in one index as in the other; going down an index costs this many.
DESCENT = 8
# And telling the total by others than the first ones, this many.
MORE = 300


@dataclass(frozen=True)
class FoundEstablishment:
    """One row of an answer; ``establishment`` carries its activity and its commune.

    ``is_asked_for``: a decision lists it for this job; the model says nothing of it. ``has_offer``: it has published an
    offer for one of the jobs asked.
    """

    establishment: Establishment
    rome: Rome
    distance_km: float
    is_asked_for: bool = False
    has_offer: bool = False


class AskedFor(NamedTuple):
    """A pair that a decision lists; ``chord2``: the squared chord from the centre, on the unit sphere."""

    establishment_id: int
    rome: str
    order_key: int
    chord2: float


def add_contacts(establishments: Iterable[Establishment], *, at: datetime.datetime) -> None:
    """Gives each ``shown_phone`` and ``has_email`` (``EstablishmentQuerySet.with_contact``)."""
    by_number = {each.pk: each for each in establishments}
    for number, phone, has_email in rows(sql.contacts(), {"numbers": list(by_number), **sql.CONTACTS.params(at)}):
        by_number[number].shown_phone, by_number[number].has_email = phone, has_email  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Wanted:
    """Which rows of an answer: ``start`` included, ``stop`` excluded, the nearest or the first of the day first.

    ``counted``: how far the total is told, ``stop`` or more.
    """

    start: int
    stop: int
    counted: int
    nearest_first: bool = False


class Reader:
    """Asks the current edition one question, after ``first``. Without an edition only what support listed is found."""

    entries_table: str
    asked_for: list[AskedFor]
    wanted: Wanted

    def __init__(self, *, codes: list[str], disc: Disc, at: datetime.datetime):
        self.codes = codes
        self.disc = disc
        self.at = at

    def first(self) -> list[Query]:
        """The edition online with the pairs near the disc that a decision lists; and how many entries to expect."""
        cell = SearchEdition.CELL
        south, north, west, east = self.disc.box
        box = {"codes": self.codes, "south": south, "north": north, "west": west, "east": east}
        cells = {
            "lat_cells": array(range(floor(south / cell), floor(north / cell) + 1)),
            "west_cell": floor(west / cell),
            "east_cell": floor(east / cell),
        }
        return [
            (sql.edition_and_asked_for(), {**box, "today": paris_day(self.at), **sql.ASKED_FOR.params(self.at)}),
            (sql.estimates(), {**box, **cells}),
        ]

    def read(self, first: list[list[tuple]], wanted: Wanted) -> tuple[list[FoundEstablishment], int]:
        """The rows wanted, and the total; ``first`` answers the queries of this name."""
        edition_and_asked_for, estimated = first
        number = edition_and_asked_for[0][0]
        self.entries_table = "" if number is None else _entries_table(number)
        self.asked_for = list(self._asked_for(edition_and_asked_for))
        self.wanted = wanted
        estimates = {code: (entries, float(hits)) for code, entries, hits in estimated}
        if sum(hits for _, hits in estimates.values()) > limits.FEW_ENTRIES:
            for generosity in (1, 4, 16):
                answer = self._read_among_many(estimates, generosity)
                if answer is not None:
                    return answer
        return self._read_all()

    def _read_all(self) -> tuple[list[FoundEstablishment], int]:
        """The same from everything in the disc; no more of it is looked at than needed."""
        counted = self.wanted.counted
        asked = limits.enough(counted)
        while True:
            shown = self._show(_Walk(self.disc, by_place=self.codes), asked)
            if shown.total >= counted or shown.candidates < asked:
                return shown.page, shown.total
            asked *= 4

    def _read_among_many(
        self, estimates: dict[str, tuple[int, float]], generosity: int
    ) -> tuple[list[FoundEstablishment], int] | None:
        """The same where there are more than counted: the page is told from the first of each job, the total by some.

        None where these did not tell, so many are hidden among them.
        """
        wanted = generosity * (self.wanted.stop + self.wanted.stop // 10 + limits.ROOM_FOR_HIDDEN)
        enough = generosity * limits.enough(self.wanted.counted)
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
        if shown.total < self.wanted.counted or shown.among_candidates < self.wanted.stop:
            return None
        return shown.page, self.wanted.counted

    # ── which index to walk ──────────────────────────────────────────────────────────────────────────────────────

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
        """Jobs that have enough establishments in the disc to tell the total, those that have most first.

        None where the ``wanted`` ones tell it.
        """
        enough = limits.enough(self.wanted.counted)
        if wanted >= enough:
            return []
        codes, expected = [], 0.0
        for code, (_, hits) in sorted(estimates.items(), key=lambda item: -item[1][1]):
            codes.append(code)
            expected += hits
            if expected > 2 * enough:
                break
        return codes

    # ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _show(self, walk: "_Walk", asked: int, *, enough: int = 0) -> "_Shown":
        """What ``establishments_sql.shown`` says of a walk.

        One statement finds candidates, says who may be shown, and reads the rows: nothing can be decided in between.
        """
        statement = sql.shown(
            self.entries_table,
            by_place=bool(self.entries_table and walk.by_place),
            in_order=bool(self.entries_table and walk.in_order),
            asked_for=bool(self.asked_for),
            several=len(self.codes) > 1,
            nearest=self.wanted.nearest_first,
            more=bool(walk.more),
        )
        if not statement:
            return _Shown([], 0, 0, 0)
        x, y, z = walk.disc.point
        margin = walk.disc.chord + 1e-6
        bands, wests, easts = zip(*walk.disc.bands(), strict=True)
        numbers, jobs, keys, chords = zip(*self.asked_for, strict=True) if self.asked_for else ((), (), (), ())
        answer = rows(
            statement,
            {
                "by_place": walk.by_place, "in_order": walk.in_order, "more": walk.more,
                "bands": array(bands), "wests": array(wests), "easts": array(easts),
                "x": x, "y": y, "z": z, "chord2": walk.disc.chord**2,
                "y_low": y - margin, "y_high": y + margin, "z_low": z - margin, "z_high": z + margin,
                "codes": self.codes, "numbers": array(numbers), "jobs": list(jobs), "keys": array(keys),
                "chords": array(chords),
                "asked": asked, "enough": enough, "counted": self.wanted.counted,
                "start": self.wanted.start, "stop": self.wanted.stop,
                **sql.LISTED.params(self.at), **sql.CONTACTS.params(self.at), **sql.PUBLISHED.params(self.at),
            },
        )  # fmt: skip
        candidates, among_candidates, others = answer[0][:3]
        page = []
        for row, loaded in zip(answer, sql.LOAD(answer, skip=6), strict=True):
            establishment = loaded["establishment"]
            if establishment is None or loaded["rome"] is None:
                continue
            establishment._state.fields_cache.update(naf=loaded["naf"], commune=loaded["commune"])
            page.append(FoundEstablishment(establishment, loaded["rome"], kilometres(row[3]), *row[4:6]))
        return _Shown(page, candidates, among_candidates, among_candidates + others)

    def _asked_for(self, answer: list[tuple]) -> Iterator[AskedFor]:
        """The pairs of the disc that a decision lists."""
        for _, number, code, order_key, latitude, longitude in answer:
            if number is not None:
                chord2 = self.disc.chord2_to(latitude, longitude)
                if chord2 <= self.disc.chord**2:
                    yield AskedFor(number, code, order_key, chord2)


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


@lru_cache(maxsize=8)
def _entries_table(number: int) -> str:
    return SearchEdition(pk=number).entries_table
