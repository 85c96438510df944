"""What the search asks about establishments, in SQL: written once for each of the few forms that a question takes."""
# ruff: noqa: S608 (the tables' names are made of an edition's number)

from functools import cache, lru_cache

from companies.enums import DecisionKind, DecisionScope
from companies.models import Establishment, SearchEdition, VisibilityDecision
from offers.models import Offer
from offers.sources.statements import READ, At, Loader

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
PUBLISHED = At(lambda at: Offer.objects.active(at).values_list("establishment_id", "rome_id"), "offer")

# The squared chord between an entry's point and the centre, on the unit sphere.
CHORD2 = " + ".join(f"({axis} - %({axis})s::float8) * ({axis} - %({axis})s::float8)" for axis in "xyz")


@cache
def contacts() -> str:
    """(establishment id, telephone number to show, whether an application can be sent) rows of ``numbers``."""
    return f"SELECT * FROM ({CONTACTS.sql}) AS contact (id, phone, has_email) WHERE id = ANY (%(numbers)s::integer[])"


@cache
def edition_and_asked_for() -> str:
    """The edition online, and the pairs near the disc that a decision lists: no release holds these, so they take a
    middling weight.

    Decisions come first, whatever the planner thinks of places it does not know yet: hence OFFSET.
    """
    order_key = SearchEdition().order_key_sql(
        establishment_id="e.id",
        weight="coalesce(edition.mean_expected, 1)",
        is_contactless="false",
        day="coalesce(edition.day, %(today)s::date)",
    )
    return f"""
        SELECT edition.id, asked.*
        FROM (SELECT) AS always
        LEFT JOIN companies_searchedition edition ON edition.is_current
        LEFT JOIN LATERAL (
            SELECT e.id, code, {order_key}, e.latitude, e.longitude
            FROM ({ASKED_FOR.sql}) AS decision (siret, codes)
            CROSS JOIN LATERAL (SELECT * FROM companies_establishment WHERE siret = decision.siret OFFSET 0) e
            CROSS JOIN LATERAL unnest(decision.codes) AS code
            WHERE decision.codes && %(codes)s::varchar[] AND code = ANY (%(codes)s::text[])
              AND e.latitude BETWEEN %(south)s::float8 AND %(north)s::float8
              AND e.longitude BETWEEN %(west)s::float8 AND %(east)s::float8
        ) asked ON true"""


@cache
def estimates() -> str:
    """For each job: its entries in the whole edition, and about how many in the disc. None without an edition."""
    cell = SearchEdition.CELL
    # The share of a cell that the box around the disc covers, then the disc's share of its box.
    height = f"least(%(north)s::float8, (lat_cell + 1) * {cell}) - greatest(%(south)s::float8, lat_cell * {cell})"
    width = f"least(%(east)s::float8, (lon_cell + 1) * {cell}) - greatest(%(west)s::float8, lon_cell * {cell})"
    current = "(SELECT id FROM companies_searchedition WHERE is_current)"
    return f"""
        SELECT code, coalesce(whole.entries, 0), coalesce(near.entries, 0) * pi() / 4
        FROM unnest(%(codes)s::text[]) AS asked (code)
        LEFT JOIN LATERAL (
            SELECT entries FROM {SearchEdition.ALL_CELLS}
            WHERE edition_id = {current} AND rome = code AND lat_cell IS NULL
        ) whole ON true
        LEFT JOIN LATERAL (
            SELECT sum(entries * ({height}) * ({width})) / {cell * cell} AS entries FROM {SearchEdition.ALL_CELLS}
            WHERE edition_id = {current} AND rome = code
              AND lat_cell = ANY (%(lat_cells)s::smallint[])
              AND lon_cell BETWEEN %(west_cell)s::smallint AND %(east_cell)s::smallint
        ) near ON true"""


@lru_cache(maxsize=128)
def shown(
    entries_table: str, *, by_place: bool, in_order: bool, asked_for: bool, several: bool, nearest: bool, more: bool
) -> str:
    """The first ``asked`` establishments of what is walked, each once, for the job that brings it first; those of them
    that may be shown; and how many of ``enough`` others may be. No more than ``counted`` are looked at.

    What is walked: entries of the disc for the jobs ``by_place``, the first ones for the jobs ``in_order``, pairs that
    a decision lists (``asked_for``); empty without any. ``several``: an establishment may be met for several jobs.
    ``nearest``: by distance rather than in the order of the day. ``more``: others tell the total. Whoever is shown and
    has an active offer for one of the jobs asked has a public one.
    """
    columns = "establishment_id, code, order_key, chord2, false"
    walks = []
    if by_place:
        walks.append(f"SELECT {columns} FROM ({_by_place(entries_table, 'by_place')}) met")
    if in_order:
        walks.append(f"SELECT {columns} FROM ({_in_order(entries_table)}) met")
    if asked_for:
        walks.append(
            "SELECT number, code, order_key + CASE WHEN contact.phone <> '' OR contact.has_email THEN 0"
            f" ELSE {SearchEdition.CONTACTLESS} END, found.chord2, true"
            " FROM unnest(%(numbers)s::integer[], %(jobs)s::text[], %(keys)s::integer[], %(chords)s::float8[])"
            " AS found (number, code, order_key, chord2)"
            f" JOIN ({CONTACTS.sql}) AS contact (id, phone, has_email) ON contact.id = number"
            " WHERE found.chord2 <= %(chord2)s::float8"
        )
    if not walks:
        return ""
    best = " UNION ALL ".join(walks)
    if several or len(walks) > 1:
        best = f"""
            SELECT DISTINCT ON (number) *
            FROM ({best}) AS entry (number, code, order_key, chord2, is_asked_for)
            ORDER BY number, order_key, code"""
    # Each candidate by itself, whatever the planner thinks of tables that it does not know yet: hence OFFSET.
    is_listed = f"EXISTS (SELECT FROM ({LISTED.sql}) AS listed (id) WHERE listed.id = number OFFSET 0)"
    others = "0"
    if more:
        others = f"""(
            SELECT count(*) FROM (
                SELECT FROM (
                    SELECT establishment_id AS number
                    FROM ({_by_place(entries_table, "more", limit="%(enough)s::integer")}) met
                    EXCEPT SELECT number FROM candidate LIMIT %(enough)s::integer
                ) other
                WHERE {is_listed} LIMIT greatest(0, %(counted)s::bigint - (SELECT count(*) FROM shown))
            ) more
        )"""
    return f"""
        WITH candidate AS MATERIALIZED (
            SELECT number, code, {"chord2" if nearest else "order_key"} AS key, chord2, is_asked_for
            FROM ({best}) AS entry (number, code, order_key, chord2, is_asked_for)
            ORDER BY key, number LIMIT %(asked)s::bigint
        ), shown AS MATERIALIZED (
            SELECT candidate.*, row_number() OVER (ORDER BY key, number) AS place FROM candidate WHERE {is_listed}
            LIMIT %(counted)s::bigint
        )
        SELECT counted.*, page.chord2, page.is_asked_for, EXISTS (
            SELECT FROM ({PUBLISHED.sql}) AS offer (establishment, rome)
            WHERE offer.establishment = page.number AND offer.rome = ANY (%(codes)s::varchar[])
        ), {LOAD.sql}
        FROM (SELECT (SELECT count(*) FROM candidate), (SELECT count(*) FROM shown), {others}) AS counted
        LEFT JOIN shown page ON page.place > %(start)s::bigint AND page.place <= %(stop)s::bigint
        LEFT JOIN companies_establishment establishment ON establishment.id = page.number
        LEFT JOIN companies_rome rome ON rome.code = page.code
        LEFT JOIN companies_naf naf ON naf.code = establishment.naf_id
        LEFT JOIN companies_commune commune ON commune.code = establishment.commune_id
        ORDER BY page.place"""


def _by_place(entries_table: str, codes: str, *, limit: str = "ALL") -> str:
    """Entries of the disc for the jobs of a parameter, in no order; at most ``limit`` for each."""
    return f"""
        SELECT entry.*, code FROM unnest(%({codes})s::text[]) AS asked (code)
        CROSS JOIN LATERAL (
            SELECT found.* FROM unnest(%(bands)s::smallint[], %(wests)s::real[], %(easts)s::real[])
                AS band (number, west, east)
            CROSS JOIN LATERAL (
                SELECT establishment_id, order_key, {CHORD2} AS chord2 FROM {entries_table}
                WHERE rome = code AND lat_band = band.number AND lon BETWEEN band.west AND band.east
            ) found
            WHERE found.chord2 <= %(chord2)s::float8 LIMIT {limit}
        ) entry"""


def _in_order(entries_table: str) -> str:
    """The first ``asked`` entries of the disc for each job, in order."""
    return f"""
        SELECT entry.*, code FROM unnest(%(in_order)s::text[]) AS asked (code)
        CROSS JOIN LATERAL (
            SELECT establishment_id, order_key, {CHORD2} AS chord2 FROM {entries_table}
            WHERE rome = code AND z BETWEEN %(z_low)s::real AND %(z_high)s::real
              AND y BETWEEN %(y_low)s::real AND %(y_high)s::real AND {CHORD2} <= %(chord2)s::float8
            ORDER BY order_key, establishment_id LIMIT %(asked)s::bigint
        ) entry"""
