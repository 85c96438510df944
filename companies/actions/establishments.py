"""Imports of the registry's files. Human decisions live in other tables; nothing here writes them."""

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.db import connection

from companies.actions.imports import QuarantineFile, Run, Source
from companies.enums import ImportKind
from companies.models import Commune, EstablishmentImport, FormerCommune, Naf

STAGED_ESTABLISHMENTS = """
    siret varchar(14), own_name varchar(200), naf_id varchar(5), headcount_band varchar(2), created_on date,
    address_complement varchar(200), address varchar(200), postcode varchar(5), commune_id varchar(5),
    latitude double precision, longitude double precision, is_headquarters boolean, is_employer boolean,
    is_diffusible boolean, is_closed boolean, closed_on date, registry_updated_at timestamp
"""
STAGED_LEGAL_UNITS = "siren varchar(9), name varchar(200), legal_category varchar(4), is_diffusible boolean"

_FACTS = (
    "name", "legal_name", "naf_id", "headcount_band", "created_on", "address_complement", "address", "postcode",
    "commune_id", "latitude", "longitude", "is_headquarters", "is_employer", "is_diffusible", "registry_updated_at",
)  # fmt: skip

# A staged line as the table keeps it: named by its sign, else by its company; hidden when either is.
_STAGED_FACTS = """
    SELECT s.siret, COALESCE(NULLIF(s.own_name, ''), u.name, '') AS name, COALESCE(u.name, '') AS legal_name,
        s.naf_id, s.headcount_band, s.created_on, s.address_complement, s.address, s.postcode, s.commune_id,
        s.latitude, s.longitude, s.is_headquarters, s.is_employer,
        s.is_diffusible AND COALESCE(u.is_diffusible, true) AS is_diffusible,
        s.registry_updated_at AT TIME ZONE 'Europe/Paris' AS registry_updated_at, s.is_closed, s.closed_on
    FROM staged s LEFT JOIN companies_legalunit u ON u.siren = left(s.siret, 9)
"""


def import_establishments(
    *,
    sources: list[Source],
    at: dt.datetime,
    quarantine: QuarantineFile,
    dated_on: dt.date | None = None,
    forced_reason: str = "",
    is_partial: bool = False,
    on_progress: Callable[[int], Any] = lambda position: None,
) -> EstablishmentImport:
    """Brings the table of establishments to what a stock file (or its parts) says.

    New SIRETs are added, changed facts are written, closed ones get their date; an establishment that a whole stock no
    longer holds is closed on the file's date, unless the table knows it from a later day or waits for the registry's
    word about it. ``dated_on`` is the day of the file, by default its latest line's. ``is_partial``: a part of the
    registry, which closes nothing by silence. Raises ``RefusedImport``, and then changes nothing; ``forced_reason``
    lets an old, small or faulty file through.
    """
    run = Run(ImportKind.ESTABLISHMENTS, sources, at, quarantine, dated_on, forced_reason, is_partial, on_progress)
    record = run.execute(STAGED_ESTABLISHMENTS, _apply_establishments)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE companies_establishment")
    return record


def import_legal_units(
    *,
    sources: list[Source],
    at: dt.datetime,
    quarantine: QuarantineFile,
    dated_on: dt.date | None = None,
    forced_reason: str = "",
    is_partial: bool = False,
    on_progress: Callable[[int], Any] = lambda position: None,
) -> EstablishmentImport:
    """Brings the table of companies to what a ``StockUniteLegale`` file says, and names their establishments.

    A company that the file no longer holds stays: its name does no harm. Raises ``RefusedImport``.
    """
    run = Run(ImportKind.LEGAL_UNITS, sources, at, quarantine, dated_on, forced_reason, is_partial, on_progress)
    return run.execute(STAGED_LEGAL_UNITS, _apply_legal_units)


def known_places() -> dict[str, Any]:
    """What a file's codes are checked against: NAF codes, communes with their point, former communes."""
    return {
        "naf_codes": list(Naf.objects.values_list("code", flat=True)),
        "communes": list(Commune.objects.values_list("code", "departement_id", "latitude", "longitude")),
        "former": dict(FormerCommune.objects.values_list("code", "commune_id")),
    }


def _apply_establishments(run: Run):
    """Writes the differences between the staged lines and the table; one transaction: readers see before or after."""
    record = run.record
    given = {"dated_on": record.file_dated_on, "run": record.pk, "forced": bool(record.forced_reason)}
    # A closure without a date keeps the day it was first seen.
    closed_on = "CASE WHEN s.is_closed THEN COALESCE(s.closed_on, e.closed_on, %(dated_on)s) END"
    new, old = (", ".join(f"{table}.{column}" for column in _FACTS) for table in ("s", "e"))
    facts = ", ".join(_FACTS)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL work_mem = '192MB'")
        # Facts that the registry told since the day of the file are fresher than the file.
        cursor.execute(
            f"""
            CREATE TEMPORARY TABLE difference ON COMMIT DROP AS
            SELECT e.id, e.closed_on AS was_closed_on, {new}, {closed_on} AS closed_on
            FROM ({_STAGED_FACTS}) s JOIN companies_establishment e ON e.siret = s.siret
            WHERE ROW({new}, {closed_on}) IS DISTINCT FROM ROW({old}, e.closed_on)
                AND (%(forced)s OR s.registry_updated_at IS NULL OR e.registry_updated_at IS NULL
                    OR s.registry_updated_at >= e.registry_updated_at)
            """,  # noqa: S608 (names of columns, written above)
            given,
        )
        cursor.execute(
            f"""
            UPDATE companies_establishment e SET ({facts}, closed_on, last_import_id) = ({new}, s.closed_on, %(run)s)
            FROM difference s WHERE e.id = s.id
            """,  # noqa: S608 (names of columns, written above)
            given,
        )
        cursor.execute(
            """
            SELECT count(*) FILTER (WHERE (was_closed_on IS NULL) = (closed_on IS NULL)),
                count(*) FILTER (WHERE was_closed_on IS NULL AND closed_on IS NOT NULL),
                count(*) FILTER (WHERE was_closed_on IS NOT NULL AND closed_on IS NULL)
            FROM difference
            """
        )
        record.changed_rows, record.closed_rows, record.reopened_rows = cursor.fetchone()
        if not run.is_partial:
            cursor.execute(
                """
                UPDATE companies_establishment e SET closed_on = %(dated_on)s, last_import_id = %(run)s
                WHERE e.closed_on IS NULL AND e.to_verify_since IS NULL
                    AND NOT EXISTS (SELECT FROM staged s WHERE s.siret = e.siret)
                    AND NOT EXISTS (SELECT FROM set_aside a WHERE a.siret = e.siret)
                    AND (e.created_on IS NULL OR e.created_on <= %(dated_on)s)
                    AND (e.registry_updated_at IS NULL
                        OR (e.registry_updated_at AT TIME ZONE 'Europe/Paris')::date <= %(dated_on)s)
                """,
                given,
            )
            record.closed_rows += cursor.rowcount
        cursor.execute(
            f"""
            INSERT INTO companies_establishment (siret, {facts}, closed_on, last_import_id)
            SELECT s.siret, {new}, CASE WHEN s.is_closed THEN COALESCE(s.closed_on, %(dated_on)s) END, %(run)s
            FROM ({_STAGED_FACTS}) s
            WHERE NOT EXISTS (SELECT FROM companies_establishment e WHERE e.siret = s.siret)
            """,  # noqa: S608 (names of columns, written above)
            given,
        )
        record.added_rows = cursor.rowcount


def _apply_legal_units(run: Run):
    """Writes the companies, then the names of their establishments that bear none of their own."""
    record = run.record
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL work_mem = '192MB'")
        cursor.execute(
            """
            UPDATE companies_legalunit u
            SET (name, legal_category, is_diffusible) = (s.name, s.legal_category, s.is_diffusible)
            FROM staged s WHERE s.siren = u.siren
                AND ROW(s.name, s.legal_category, s.is_diffusible)
                    IS DISTINCT FROM ROW(u.name, u.legal_category, u.is_diffusible)
            """
        )
        record.changed_rows = cursor.rowcount
        cursor.execute(
            """
            INSERT INTO companies_legalunit (siren, name, legal_category, is_diffusible)
            SELECT s.siren, s.name, s.legal_category, s.is_diffusible FROM staged s
            ON CONFLICT (siren) DO NOTHING
            """
        )
        record.added_rows = cursor.rowcount
        # A name equal to the company's former one, or blank, was the company's.
        cursor.execute(
            """
            UPDATE companies_establishment e
            SET legal_name = u.name, is_diffusible = e.is_diffusible AND u.is_diffusible,
                name = CASE WHEN e.name IN ('', e.legal_name) THEN u.name ELSE e.name END
            FROM companies_legalunit u JOIN staged s ON s.siren = u.siren
            WHERE e.siren = u.siren AND (e.legal_name <> u.name OR (e.is_diffusible AND NOT u.is_diffusible))
            """
        )
