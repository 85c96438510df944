"""The search: what is here for some jobs, near a place. Pages, API and feeds ask it, and nothing else answers.

Offers come from ``offers.sources.offers``, establishments with a high hiring potential from
``offers.sources.establishments``; ``docs/decisions/0007-search.md`` tells how.
"""

import datetime
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from math import ceil

from companies.models import Establishment
from offers.sources import establishments, limits, offers
from offers.sources.disc import Disc
from offers.sources.establishments import FoundEstablishment, Wanted
from offers.sources.offers import Filters, FoundOffer, OfferSort
from offers.sources.statements import rows_of

RADII_KM = (10, 30, 60, 100)
MOST_CODES = 50

Found = FoundOffer | FoundEstablishment
Sort = OfferSort


class Kind(StrEnum):
    """What an answer holds."""

    OFFERS = "offers"
    ESTABLISHMENTS = "establishments"


BOTH = frozenset(Kind)


@dataclass(frozen=True)
class Question:
    """What a candidate asks: jobs (ROME codes), a point (degrees), a radius (km, one of ``RADII_KM``), a page (from 1).

    ``kinds``: offers, establishments to contact, or both; ``filters`` are about offers only. ``widen``: search further
    by itself, up to 100 km, when nothing is found. ``sort``: by "relevance" the offers come first (near and new ones
    before), then the establishments in the order of the day; by "date" the newest offers, then the establishments; by
    "distance" the nearest of both.
    """

    rome_codes: tuple[str, ...]
    latitude: float
    longitude: float
    radius_km: int = 30
    page: int = 1
    per_page: int = 20
    widen: bool = True
    sort: Sort = "relevance"
    kinds: frozenset[Kind] = BOTH
    filters: Filters = field(default_factory=Filters)

    def __post_init__(self):
        if self.radius_km not in RADII_KM:
            raise ValueError(f"radius_km is one of {RADII_KM}, not {self.radius_km}")
        if not (-90 <= self.latitude <= 90 and -180 <= self.longitude <= 180):
            raise ValueError(f"no such place: {self.latitude}, {self.longitude}")
        if self.page < 1 or not 1 <= self.per_page <= 150:
            raise ValueError("page starts at 1, per_page lies between 1 and 150")
        if len(self.rome_codes) > MOST_CODES:
            raise ValueError(f"at most {MOST_CODES} jobs")
        if not self.kinds:
            raise ValueError("kinds holds one at least")


@dataclass(frozen=True)
class Answer:
    """A page of ``results``, in order; ``total`` counts what may be shown, of which ``offers_total`` are offers.

    Both stop at ``LONGEST_TOTAL`` (``total_is_capped``: there are more). A page beyond the last one is empty.
    ``used_radius_km`` differs from ``asked_radius_km`` when the search ``widened`` by itself.
    """

    results: list[Found]
    total: int
    offers_total: int
    total_is_capped: bool
    pages: int
    asked_radius_km: int
    used_radius_km: int
    widened: bool

    @property
    def establishments(self) -> list[FoundEstablishment]:
        """The establishments to contact among the results."""
        return [each for each in self.results if isinstance(each, FoundEstablishment)]

    @property
    def offers(self) -> list[FoundOffer]:
        """The offers among the results."""
        return [each for each in self.results if isinstance(each, FoundOffer)]


def search(question: Question, *, at: datetime.datetime, with_contacts: bool = False) -> Answer:
    """The answer to ``question`` as everything stands at ``at``: nothing hidden in it, and the establishments all from
    one edition.

    ``with_contacts``: the establishments also carry ``shown_phone`` and ``has_email``
    (``EstablishmentQuerySet.with_contact``), for one query more.

    Takes 2 round trips whatever the number of rows, as many for each further radius tried. It looks again only where
    much of a place is hidden.
    """
    asked = question.radius_km
    radii = [asked, *(r for r in RADII_KM if r > asked)] if question.widen else [asked]
    codes = sorted(set(question.rome_codes))
    results: list[Found] = []
    total, offers_total, used = 0, 0, asked
    if codes:
        for used in radii:
            results, total, offers_total = _read(question, codes, used, at)
            if total:
                break
        else:
            used = asked
    if with_contacts:
        known: list[Establishment] = [each.establishment for each in results if isinstance(each, FoundEstablishment)]
        establishments.add_contacts(known, at=at)
    cap = limits.LONGEST_TOTAL
    return Answer(
        results=results,
        total=min(total, cap),
        offers_total=min(offers_total, cap),
        total_is_capped=total > cap,
        pages=ceil(min(total, cap) / question.per_page),
        asked_radius_km=asked,
        used_radius_km=used,
        widened=used != asked,
    )


def _read(question: Question, codes: list[str], radius_km: int, at: datetime.datetime) -> tuple[list[Found], int, int]:
    """The rows of the page, the total and that of offers, both up to ``LONGEST_TOTAL + 1``."""
    disc = Disc(question.latitude, question.longitude, radius_km)
    start = (question.page - 1) * question.per_page
    stop = min(start + question.per_page, limits.LONGEST_TOTAL)
    counted = limits.LONGEST_TOTAL + 1
    # By distance the page may hold any mix of the first ones of each.
    mixed = question.sort == "distance"
    found: list[Found] = []
    offers_total = establishments_total = 0
    offers_reader = offers.Reader(
        codes=codes,
        disc=disc,
        filters=question.filters,
        sort=question.sort,
        start=0 if mixed else start,
        stop=stop,
        counted=counted,
        at=at,
    )
    establishments_reader = establishments.Reader(codes=codes, disc=disc, at=at)
    readers: dict[Kind, offers.Reader | establishments.Reader] = {
        Kind.OFFERS: offers_reader,
        Kind.ESTABLISHMENTS: establishments_reader,
    }
    queries = {kind: readers[kind].first() for kind in Kind if kind in question.kinds}
    answers = iter(rows_of([query for each in queries.values() for query in each]))
    first = {kind: list(islice(answers, len(each))) for kind, each in queries.items()}
    if Kind.OFFERS in first:
        found_offers, offers_total = offers_reader.read(first[Kind.OFFERS])
        found += found_offers
    if Kind.ESTABLISHMENTS in first and (mixed or offers_total < counted):
        before = 0 if mixed else offers_total
        last = max(0, stop - before)
        wanted = Wanted(
            start=0 if mixed else max(0, start - before),
            stop=last,
            counted=max(last, counted - offers_total),
            nearest_first=mixed,
        )
        found_establishments, establishments_total = establishments_reader.read(first[Kind.ESTABLISHMENTS], wanted)
        found += found_establishments
    if mixed:
        found = sorted(found, key=lambda each: each.distance_km)[start:stop]
    return found, min(offers_total + establishments_total, counted), offers_total
