"""Offers that are public, near a place: one statement finds them, counts them and reads the rows wanted."""
# ruff: noqa: S608 (only names written here)

import datetime
from dataclasses import dataclass
from typing import Literal

from companies.models import Establishment, Rome
from offers.enums import OfferStatus
from offers.models import LIFETIME, Offer
from offers.sources import limits
from offers.sources.disc import Disc, kilometres
from offers.sources.statements import READ, At, Loader, Query, paris_day, rows

OfferSort = Literal["relevance", "distance", "date"]


@dataclass(frozen=True)
class FoundOffer:
    """One row of an answer; ``offer`` carries its establishment, with its activity and its commune."""

    offer: Offer
    rome: Rome
    distance_km: float

    @property
    def establishment(self) -> Establishment:
        return self.offer.establishment


@dataclass(frozen=True)
class Filters:
    """What an offer must be; an empty value asks nothing. Dates are of the start, both included."""

    level: str = ""
    contract: str = ""
    starts_from: datetime.date | None = None
    starts_until: datetime.date | None = None


# The squared chord of the unit sphere between an offer and the centre (degrees), by the haversine.
CHORD2 = """4 * (
    sin(radians(latitude - %(latitude)s::float8) / 2) ^ 2
    + cos(radians(latitude)) * cos(radians(%(latitude)s::float8))
        * sin(radians(longitude - %(longitude)s::float8) / 2) ^ 2
)"""
LIFE = LIFETIME.total_seconds()
# Near and new first: the whole radius weighs as much as the whole life of an offer.
KEYS: dict[OfferSort, str] = {
    "relevance": f"sqrt(chord2) / %(chord)s::float8 + extract(epoch from %(now)s::timestamptz - published_at) / {LIFE}",
    "distance": "chord2",
    "date": "-extract(epoch from published_at)",
}
SHOWABLE = At(lambda at: Establishment.objects.showable(at).values_list("pk"), "showable")
LOAD = Loader(
    offer=(
        Offer,
        (
            "id establishment_id rome_id status job_label custom_title contract_types level duration_months positions"
            " starts_on latitude longitude published_at expires_on"
        ),
    ),
    **READ,
)


@dataclass(frozen=True)
class Reader:
    """Asks for the offers ``start`` to ``stop`` of those that are public at ``at``, in the order of ``sort``, and how
    many there are, up to ``counted``.

    Says the same as ``Offer.objects.public(at)``: the same querysets tell who may be shown, in the same statement as
    the rows.
    """

    codes: list[str]
    disc: Disc
    filters: Filters
    sort: OfferSort
    start: int
    stop: int
    counted: int
    at: datetime.datetime

    def read(self, first: list[list[tuple]]) -> tuple[list[FoundOffer], int]:
        """The offers, and the total; ``first`` answers the queries of this name.

        Looks again only where many are hidden.
        """
        asked, (answer,) = limits.enough(self.counted), first
        while True:
            total, candidates = answer[0][:2]
            if total >= self.counted or candidates < asked:
                return _found(answer), total
            asked *= 4
            answer = rows(*self._query(asked))

    def first(self) -> list[Query]:
        return [self._query(limits.enough(self.counted))]

    def _query(self, asked: int) -> Query:
        """The rows wanted, told by the first ``asked`` candidates; and how many of these are shown."""
        disc, filters = self.disc, self.filters
        conditions = ""
        if filters.level:
            conditions += " AND level IN ('', %(level)s::text)"
        if filters.contract:
            conditions += " AND contract_types @> ARRAY[%(contract)s::varchar]"
        if filters.starts_from:
            conditions += " AND starts_on >= %(starts_from)s::date"
        if filters.starts_until:
            conditions += " AND starts_on <= %(starts_until)s::date"
        # The box is told before any sine is: most of the band of latitude lies east or west of the disc. And each
        # candidate is looked at by itself, whatever the planner thinks of tables it does not know yet: hence OFFSET.
        south, north, west, east = disc.box
        sql = f"""
            WITH candidate AS MATERIALIZED (
                SELECT id, establishment_id, chord2, {KEYS[self.sort]} AS key
                FROM unnest(%(codes)s::varchar[]) AS asked (code)
                CROSS JOIN LATERAL (
                    SELECT id, establishment_id, published_at, {CHORD2} AS chord2
                    FROM offers_offer
                    WHERE rome_id = code AND status = '{OfferStatus.ACTIVE.value}' AND expires_on >= %(today)s::date
                      AND latitude BETWEEN %(south)s::float8 AND %(north)s::float8
                      AND longitude BETWEEN %(west)s::float8 AND %(east)s::float8{conditions}
                ) near
                WHERE chord2 <= %(chord)s::float8 * %(chord)s::float8
                ORDER BY key, id LIMIT %(asked)s::bigint
            ), shown AS MATERIALIZED (
                SELECT id, chord2, row_number() OVER (ORDER BY key, id) AS place
                FROM candidate
                WHERE EXISTS (
                    SELECT FROM ({SHOWABLE.sql}) AS showable (id) WHERE showable.id = candidate.establishment_id
                    OFFSET 0
                )
                LIMIT %(counted)s::bigint
            )
            SELECT counted.total, counted.candidates, page.chord2, {LOAD.sql}
            FROM (SELECT (SELECT count(*) FROM shown) AS total, (SELECT count(*) FROM candidate) AS candidates) counted
            LEFT JOIN shown page ON page.place > %(start)s::bigint AND page.place <= %(stop)s::bigint
            LEFT JOIN offers_offer offer ON offer.id = page.id
            LEFT JOIN companies_establishment establishment ON establishment.id = offer.establishment_id
            LEFT JOIN companies_rome rome ON rome.code = offer.rome_id
            LEFT JOIN companies_naf naf ON naf.code = establishment.naf_id
            LEFT JOIN companies_commune commune ON commune.code = establishment.commune_id
            ORDER BY page.place"""
        return sql, {
            "codes": self.codes,
            "latitude": disc.latitude, "longitude": disc.longitude, "chord": disc.chord,
            "south": south, "north": north, "west": west, "east": east,
            "level": filters.level, "contract": filters.contract,
            "starts_from": filters.starts_from, "starts_until": filters.starts_until,
            "today": paris_day(self.at), "now": self.at,
            "asked": asked, "counted": self.counted, "start": self.start, "stop": self.stop,
            **SHOWABLE.params(self.at),
        }  # fmt: skip


def _found(answer: list[tuple]) -> list[FoundOffer]:
    found = []
    for (_, _, chord2, *_), loaded in zip(answer, LOAD(answer, skip=3), strict=True):
        offer, establishment, rome = loaded["offer"], loaded["establishment"], loaded["rome"]
        if offer is None:
            break
        establishment._state.fields_cache.update(naf=loaded["naf"], commune=loaded["commune"])
        offer._state.fields_cache.update(establishment=establishment, rome=rome)
        found.append(FoundOffer(offer, rome, kilometres(chord2)))
    return found
