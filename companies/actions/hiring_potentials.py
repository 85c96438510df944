"""Releases of hiring potentials: written aside, published at once, put back at once; and the order of the day.

What each step leaves behind when it is killed is of no use to anybody: nothing that a reader sees has changed, and the
next publication, or the nightly clean-up, takes the leftovers away.
"""
# ruff: noqa: S608 (the tables' names are made of the numbers of rows)

import datetime
import logging
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from django.db import DatabaseError, connection, transaction
from django.db.models import Count, F, OuterRef, Q, Subquery, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from companies import emails
from companies.enums import DecisionKind, DecisionScope, ReleaseStatus
from companies.models import (
    Establishment,
    Explanation,
    HiringPotential,
    Release,
    Rome,
    SearchEdition,
    VisibilityDecision,
)
from labonnealternance.accounts.models import User
from labonnealternance.kit.commands import single_run
from labonnealternance.kit.states import ForbiddenMove

PUBLICATION = "publication des potentiels"

# A reader that has just learnt which edition is current must still find its tables: no request lives that long.
KEEP_SUPERSEDED_EDITION = datetime.timedelta(hours=1)
KEEP_UNWRITTEN_RELEASE = datetime.timedelta(hours=24)
KEEP_UNPUBLISHED_RELEASE = datetime.timedelta(days=30)
# Their potentials are compared with the truth when it arrives, six months later and more.
KEPT_RETIRED_RELEASES = 12

LONGEST_JOB_LIST = 20

logger = logging.getLogger(__name__)


class ReleaseRefused(Exception):
    """What was written can't be a release: the sentence says why."""


class NothingToRollBackTo(Exception):
    """No previous release is kept."""

    def __init__(self):
        super().__init__("Aucune livraison précédente n’est gardée : il n’y a rien à remettre en ligne.")


class ReasonMissing(Exception):
    """A person who changes what the public reads says why."""

    def __init__(self):
        super().__init__("Dites pourquoi : la raison reste au journal.")


# ── A release, from its first row to its last ────────────────────────────────────────────────────────────────────────


@transaction.atomic
def begin_release(*, policy: dict, origin: str, at: datetime.datetime, measures: dict | None = None) -> Release:
    """Opens a release that ``write_potentials`` fills, from one process or several.

    ``measures``: how good it was found to be, which the public page about the algorithm tells.
    """
    release = Release.objects.create(policy=policy, origin=origin, measures=measures or {}, begun_at=at, written_at=at)
    with connection.cursor() as cursor:
        # Unlogged: what a crash of the server empties is noticed when the release is finished.
        cursor.execute(
            f"CREATE UNLOGGED TABLE {release.writing_table} (siret text NOT NULL, rome text NOT NULL,"
            " expected real NOT NULL CHECK (expected > 0 AND expected < 'Infinity'))"
        )
    return release


@transaction.atomic
def write_potentials(*, release: Release, rows: Iterable[tuple[str, str, float]]) -> int:
    """Adds ``(siret, rome_code, expected_contracts)`` rows to a release being written; returns how many.

    All rows of the call, or none. A pair written twice counts once, with its larger number, so that a chunk may be
    written again after an interruption. ``expected_contracts`` is a positive, finite number:
    ``django.db.IntegrityError`` or ``DataError`` otherwise.
    """
    _refuse_unless(release, ReleaseStatus.WRITING)
    written = 0
    with connection.cursor() as cursor:
        copying = f"COPY {release.writing_table} (siret, rome, expected) FROM STDIN"
        with connection.wrap_database_errors, cursor.copy(copying) as copy:
            for row in rows:
                copy.write_row(row)
                written += 1
        cursor.execute(
            "UPDATE companies_release SET written_rows = written_rows + %s, written_at = clock_timestamp()"
            " WHERE id = %s",
            [written, release.pk],
        )
    return written


@transaction.atomic
def finish_release(*, release: Release, at: datetime.datetime) -> Release:
    """Makes a release that can be published of what was written. Takes a few seconds per million rows.

    Rows of an unknown SIRET or ROME code are left out, and counted in ``summary``. Raises ``ReleaseRefused`` where rows
    were lost (the database server crashed) or where nothing is left.
    """
    release = Release.objects.select_for_update(of=("self",)).get(pk=release.pk)
    _refuse_unless(release, ReleaseStatus.WRITING)
    parent, writing, partition = HiringPotential._meta.db_table, release.writing_table, release.potentials_table
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {writing}")
        cursor.execute(
            "SELECT count(*), count(*) FILTER (WHERE e.id IS NULL), count(*) FILTER (WHERE r.code IS NULL)"
            f" FROM {writing} w LEFT JOIN companies_establishment e ON e.siret = w.siret"
            " LEFT JOIN companies_rome r ON r.code = w.rome"
        )
        found, unknown_sirets, unknown_romes = cursor.fetchone()
        if found != release.written_rows:
            raise ReleaseRefused(
                f"{release.written_rows} lignes ont été écrites et {found} sont là : le serveur a été interrompu."
            )
        cursor.execute(f"CREATE TABLE {partition} (LIKE {parent} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)")
        cursor.execute(
            f"INSERT INTO {partition} (release_id, establishment_id, rome_id, expected)"
            f" SELECT {release.pk}, e.id, r.code, max(w.expected) FROM {writing} w"
            " JOIN companies_establishment e ON e.siret = w.siret JOIN companies_rome r ON r.code = w.rome"
            " GROUP BY e.id, r.code ORDER BY e.id, r.code"
        )
        kept = cursor.rowcount
        if not kept:
            raise ReleaseRefused("Aucun potentiel ne concerne un établissement et un métier connus.")
        cursor.execute(
            f"ALTER TABLE {partition} ADD PRIMARY KEY (release_id, establishment_id, rome_id),"
            f" ADD CONSTRAINT {partition}_release CHECK (release_id = {release.pk})"
        )
        # The constraint spares the scan that attaching would make.
        cursor.execute(f"ALTER TABLE {parent} ATTACH PARTITION {partition} FOR VALUES IN ({release.pk})")
        cursor.execute(f"ALTER TABLE {partition} DROP CONSTRAINT {partition}_release")
        cursor.execute(f"ANALYZE {partition}")
        cursor.execute(f"DROP TABLE {writing}")
    counted = HiringPotential.objects.filter(release=release).aggregate(
        establishments=Count("establishment_id", distinct=True), romes=Count("rome_id", distinct=True)
    )
    release.summary = {
        **release.summary,
        **counted,
        "written_rows": found,
        "potentials": kept,
        "unknown_sirets": unknown_sirets,
        "unknown_romes": unknown_romes,
    }
    release.finished_at = at
    release.save(update_fields=["summary", "finished_at"])
    release.move(to=ReleaseStatus.READY, by=None, at=at)
    return release


def abandon(*, release: Release, at: datetime.datetime, reason: str, by: User | None = None) -> Release:
    """Gives up a release that was never published, and takes its tables away."""
    with transaction.atomic():
        release = Release.objects.select_for_update(of=("self",)).get(pk=release.pk)
        release.move(to=ReleaseStatus.ABANDONED, by=by, at=at, reason=reason)
    _drop_potentials(release, at=at)
    return release


# ── What the public reads ────────────────────────────────────────────────────────────────────────────────────────────


def publish(*, release_id: int, by: User | None, at: datetime.datetime, reason: str = "") -> Release:
    """Puts a release online: the search's tables are built aside, then everything is switched in one transaction.

    The release that was online is kept for ``rollback``. A release retired since, whose potentials are still kept, may
    be published again. Raises ``ForbiddenMove`` for any other, ``AlreadyRunning`` during another publication.
    """
    with single_run(PUBLICATION):
        clean_up(at=at, alone=True)
        release = Release.objects.get(pk=release_id)
        _refuse_unless_publishable(release)
        edition = _build_edition(release, at=at, received={})
        with transaction.atomic():
            _lock_switch()
            release.refresh_from_db()
            _refuse_unless_publishable(release)
            for former, becomes in [
                (ReleaseStatus.PREVIOUS, ReleaseStatus.RETIRED),
                (ReleaseStatus.CURRENT, ReleaseStatus.PREVIOUS),
            ]:
                for each in Release.objects.filter(status=former):
                    each.move(to=becomes, by=by, at=at, reason=f"{release} mise en ligne")
            release.move(to=ReleaseStatus.CURRENT, by=by, at=at, reason=reason)
            _switch_to(edition, at=at)
        return release


@transaction.atomic
def ask_publication(*, release_id: int, by: User, at: datetime.datetime, reason: str) -> Release:
    """Has a release published by the worker, within a minute, in this person's name. Same refusals as ``publish``."""
    if not reason.strip():
        raise ReasonMissing
    release = Release.objects.select_for_update(of=("self",)).get(pk=release_id)
    _refuse_unless_publishable(release)
    release.asked_at, release.asked_by, release.asked_reason = at, by, reason
    release.save(update_fields=["asked_at", "asked_by", "asked_reason"])
    return release


def publish_asked(*, at: datetime.datetime) -> list[Release]:
    """Publishes what was asked for, oldest first. What can't be published any more is no longer asked, and whoever
    asked is told by e-mail, unless it is online by another way.
    """
    published = []
    for release in Release.objects.filter(asked_at__isnull=False).select_related("asked_by").order_by("asked_at"):
        refusal = ""
        try:
            published.append(publish(release_id=release.pk, by=release.asked_by, at=at, reason=release.asked_reason))
        except ForbiddenMove as forbidden:
            refusal = str(forbidden)
            logger.warning("%s", refusal)
        with transaction.atomic():
            asked = Release.objects.filter(pk=release.pk, asked_at=release.asked_at)
            is_online = asked.filter(status=ReleaseStatus.CURRENT).exists()
            if asked.update(asked_at=None, asked_by=None, asked_reason="") and refusal and not is_online:
                emails.publication_dropped(release=release, refusal=refusal, at=at)
    return published


@transaction.atomic
def rollback(*, by: User | None, at: datetime.datetime, reason: str) -> Release:
    """Puts the previous release back online at once, with the last edition that the search read of it.

    The release withdrawn is retired: it can be published again by ``publish``. Raises ``NothingToRollBackTo``.
    """
    if not reason.strip():
        raise ReasonMissing
    _lock_switch()
    previous = Release.objects.filter(status=ReleaseStatus.PREVIOUS).first()
    if previous is None:
        raise NothingToRollBackTo
    edition = previous.editions.filter(built_at__isnull=False).order_by("-built_at", "-pk").first()
    if edition is None:
        raise NothingToRollBackTo
    for withdrawn in Release.objects.filter(status=ReleaseStatus.CURRENT):
        withdrawn.move(to=ReleaseStatus.RETIRED, by=by, at=at, reason=reason)
    previous.move(to=ReleaseStatus.CURRENT, by=by, at=at, reason=reason)
    _switch_to(edition, at=at)
    return previous


def renew_order(*, at: datetime.datetime, received: Mapping[int, int] | None = None) -> SearchEdition | None:
    """Gives the search the order of the day, and the positions and contacts that the night's imports brought.

    ``received``: establishment id → number of applications it received lately, which lowers its chance of coming
    first. Returns None where no release is online. Raises ``AlreadyRunning`` during a publication.
    """
    with single_run(PUBLICATION):
        clean_up(at=at, alone=True)
        while release := Release.objects.filter(status=ReleaseStatus.CURRENT).first():
            edition = _build_edition(release, at=at, received=received or {})
            with transaction.atomic():
                _lock_switch()
                # A rollback may have come meanwhile: what was built is then of no use, the next clean-up drops it.
                if Release.objects.filter(pk=release.pk, status=ReleaseStatus.CURRENT).exists():
                    _switch_to(edition, at=at)
                    return edition
                SearchEdition.objects.filter(pk=edition.pk).update(superseded_at=at)
        return None


def _lock_switch() -> None:
    """Held to the end of the transaction that changes what is online."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('companies.release'))")


def _switch_to(edition: SearchEdition, *, at: datetime.datetime) -> None:
    SearchEdition.objects.filter(is_current=True).update(is_current=False, superseded_at=at)
    edition.is_current, edition.superseded_at = True, None
    edition.save(update_fields=["is_current", "superseded_at"])


def _build_edition(release: Release, *, at: datetime.datetime, received: Mapping[int, int]) -> SearchEdition:
    """Writes the tables of ``SearchEdition``; nobody reads them until the switch."""
    edition = SearchEdition.objects.create(release=release, day=timezone.localdate(at), begun_at=at)
    entries, cells = edition.entries_table, edition.cells_table
    order_key = edition.order_key_sql(
        establishment_id="e.id", weight="p.expected / e.lowered_by", is_contactless="e.is_contactless"
    )
    contacts, contact_params = _sql(
        Establishment.objects.with_contact(at=at)
        .filter(latitude__isnull=False)
        .values_list("pk", "latitude", "longitude", "shown_phone", "has_email")
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            CREATE TABLE {entries} AS
            WITH e AS (
                SELECT c.id, floor(c.latitude / {SearchEdition.LAT_BAND})::smallint AS lat_band,
                       c.longitude::real AS lon,
                       (cosd(c.latitude) * cosd(c.longitude))::real AS x,
                       (cosd(c.latitude) * sind(c.longitude))::real AS y,
                       sind(c.latitude)::real AS z,
                       c.phone = '' AND NOT c.has_email AS is_contactless,
                       1 + coalesce(received.applications, 0) AS lowered_by
                FROM ({contacts}) AS c (id, latitude, longitude, phone, has_email)
                LEFT JOIN unnest(%s::integer[], %s::integer[]) AS received (id, applications) ON received.id = c.id
            )
            SELECT p.rome_id::text COLLATE "C" AS rome, e.lat_band, e.lon, e.x, e.y, e.z,
                   {order_key} AS order_key, e.id AS establishment_id
            FROM {release.potentials_table} p JOIN e ON e.id = p.establishment_id
            """,
            [*contact_params, list(received.keys()), list(received.values())],
        )
        rows = cursor.rowcount
        # Both indexes hold every column that the search reads: it never visits the table.
        cursor.execute(
            f"CREATE INDEX {entries}_near ON {entries} (rome, lat_band, lon)"
            " INCLUDE (x, y, z, order_key, establishment_id)"
        )
        cursor.execute(
            f"CREATE UNIQUE INDEX {entries}_first ON {entries} (rome, order_key, establishment_id) INCLUDE (x, y, z)"
        )
        cursor.execute(
            f"""
            CREATE TABLE {cells} AS
            SELECT {edition.pk}::bigint AS edition_id, rome,
                   floor(lat_band * {SearchEdition.LAT_BAND} / {SearchEdition.CELL} + 1e-6)::smallint AS lat_cell,
                   floor(lon / {SearchEdition.CELL})::smallint AS lon_cell, count(*)::integer AS entries
            FROM {entries} GROUP BY GROUPING SETS ((2, 3, 4), (2))
            """
        )
        cursor.execute(
            f"CREATE UNIQUE INDEX {cells}_place ON {cells} (edition_id, rome, lat_cell, lon_cell) INCLUDE (entries)"
        )
        cursor.execute(f"ALTER TABLE {SearchEdition.ALL_CELLS} ATTACH PARTITION {cells} FOR VALUES IN ({edition.pk})")
        # The visibility map is what lets an index answer alone. Within a caller's transaction there is no VACUUM:
        # the answers are the same, found through the table.
        clean = "ANALYZE" if connection.in_atomic_block else "VACUUM (FREEZE, ANALYZE)"
        for table in (entries, cells):
            cursor.execute(f"{clean} {table}")
        cursor.execute(f"SELECT coalesce(avg(expected), 1) FROM {release.potentials_table}")
        edition.mean_expected = cursor.fetchone()[0]
    edition.entries, edition.built_at = rows, at
    edition.save(update_fields=["entries", "built_at", "mean_expected"])
    return edition


# ── What is kept, and for how long ───────────────────────────────────────────────────────────────────────────────────


def clean_up(*, at: datetime.datetime, alone: bool = False) -> None:
    """Takes away what killed runs left, and what nobody can read any more. ``alone``: the caller holds the lock."""
    if not alone:
        with single_run(PUBLICATION):
            return clean_up(at=at, alone=True)
    # The hand that writes leaves the real time.
    stale = timezone.now() - KEEP_UNWRITTEN_RELEASE
    for release in Release.objects.filter(status=ReleaseStatus.WRITING, written_at__lt=stale, begun_at__lt=stale):
        abandon(release=release, at=at, reason="Écriture interrompue.")
    for release in Release.objects.filter(status=ReleaseStatus.READY, finished_at__lt=at - KEEP_UNPUBLISHED_RELEASE):
        abandon(release=release, at=at, reason="Jamais mise en ligne.")
    retired = Release.objects.filter(status=ReleaseStatus.RETIRED, dropped_at__isnull=True)
    for release in retired.order_by("-published_at")[KEPT_RETIRED_RELEASES:]:
        _drop_potentials(release, at=at)
    for release in Release.objects.filter(status=ReleaseStatus.ABANDONED, dropped_at__isnull=True):
        _drop_potentials(release, at=at)
    _drop_unread_editions(at=at)
    _drop_orphan_tables()
    return None


def _drop_unread_editions(*, at: datetime.datetime) -> None:
    last_of_its_release = (
        SearchEdition.objects.filter(release=OuterRef("release"), built_at__isnull=False)
        .order_by("-built_at", "-pk")
        .values("pk")[:1]
    )
    kept_for_rollback = Q(release__status=ReleaseStatus.PREVIOUS, pk=Subquery(last_of_its_release))
    unread = SearchEdition.objects.filter(
        Q(built_at__isnull=True) | Q(superseded_at__lt=at - KEEP_SUPERSEDED_EDITION), is_current=False
    ).exclude(kept_for_rollback)
    for edition in unread:
        if _drop_tables(edition.entries_table, edition.cells_table):
            edition.delete()


def _drop_orphan_tables() -> None:
    """Tables whose row was deleted by hand."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'"
            " AND relname ~ '^companies_(searchentry|searchcell|hiringpotential|releasewriting)_[0-9]+$'"
        )
        found: dict[str, set[int]] = defaultdict(set)
        for (name,) in cursor.fetchall():
            match = re.fullmatch(r"(companies_[a-z]+)_(\d+)", name)
            assert match
            found[match[1]].add(int(match[2]))
    models: dict[str, type[SearchEdition] | type[Release]] = {
        "companies_searchentry": SearchEdition,
        "companies_searchcell": SearchEdition,
        "companies_hiringpotential": Release,
        "companies_releasewriting": Release,
    }
    for prefix, numbers in found.items():
        known = set(models[prefix].objects.filter(pk__in=numbers).values_list("pk", flat=True))
        for number in numbers - known:
            _drop_tables(f"{prefix}_{number}")


def _drop_potentials(release: Release, *, at: datetime.datetime) -> None:
    if _drop_tables(release.writing_table, release.potentials_table):
        Explanation.objects.filter(release=release).delete()
        Release.objects.filter(pk=release.pk).update(dropped_at=at)
        release.dropped_at = at


def _drop_tables(*names: str) -> bool:
    """Drops tables, unless somebody reads them, or their siblings, for long: the next clean-up will.

    A partition waits for the readers of them all, and new readers wait behind it.
    """
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', '300ms', true)")
            for name in names:
                cursor.execute(f"DROP TABLE IF EXISTS {name}")
    except DatabaseError as fault:
        logger.warning("Tables kept until the next clean-up: %s (%s)", ", ".join(names), fault)
        return False
    return True


# ── What pages say ───────────────────────────────────────────────────────────────────────────────────────────────────


def potentials_of(*, establishment_ids: Sequence[int]) -> dict[int, list[HiringPotential]]:
    """The potentials of the release online, highest first, at most ``LONGEST_JOB_LIST`` per establishment."""
    ranked = (
        HiringPotential.objects.filter(
            release__status=ReleaseStatus.CURRENT, establishment_id__in=list(establishment_ids)
        )
        .annotate(
            rank=Window(RowNumber(), partition_by=F("establishment_id"), order_by=[F("expected").desc(), F("rome_id")])
        )
        .filter(rank__lte=LONGEST_JOB_LIST)
        .select_related("rome")
        .order_by("establishment_id", "rank")
    )
    found: dict[int, list[HiringPotential]] = {number: [] for number in establishment_ids}
    for potential in ranked:
        found[potential.establishment_id].append(potential)
    return found


class Jobs(NamedTuple):
    """The jobs that an establishment is shown for, at most ``LONGEST_JOB_LIST`` of each, none twice."""

    asked: list[Rome]
    """Listed by a decision in force, by label: nothing is said of their potential."""
    likely: list[Rome]
    """Of high potential, highest first."""


def jobs_of(*, establishment: Establishment, at: datetime.datetime) -> Jobs:
    """What the establishment asked to be shown for, and what the release online names it for."""
    decisions = VisibilityDecision.objects.in_force(at).filter(
        kind=DecisionKind.LISTED, scope=DecisionScope.SIRET, value=establishment.siret
    )
    codes = {code for decision in decisions for code in decision.rome_codes}
    potentials = potentials_of(establishment_ids=[establishment.pk])[establishment.pk]
    likely = [potential.rome for potential in potentials]
    asked = Rome.objects.filter(code__in=codes).exclude(code__in=[job.code for job in likely]).order_by("label")
    return Jobs(list(asked[:LONGEST_JOB_LIST]), likely)


def was_public(*, siret: str, at: datetime.datetime) -> bool:
    """Whether a page of this establishment existed: a release that was online held it, or a decision listed it."""
    published = Release.objects.filter(published_at__isnull=False, dropped_at__isnull=True).values_list("pk", flat=True)
    return (
        HiringPotential.objects.filter(release_id__in=list(published), establishment__siret=siret).exists()
        or VisibilityDecision.objects.filter(
            kind=DecisionKind.LISTED, scope=DecisionScope.SIRET, value=siret, starts_at__lte=at
        ).exists()
    )


def _refuse_unless(release: Release, *statuses: ReleaseStatus) -> None:
    if release.status not in statuses:
        raise ForbiddenMove(f"La {str(release).lower()} est « {release.get_status_display()} ».")


def _refuse_unless_publishable(release: Release) -> None:
    _refuse_unless(release, ReleaseStatus.READY, ReleaseStatus.RETIRED)
    if release.dropped_at:
        raise ForbiddenMove(f"Les potentiels de la {str(release).lower()} ont été supprimés.")


def _sql(queryset) -> tuple[str, tuple]:
    """A queryset's SQL and its parameters, to stand within a larger query."""
    return queryset.query.sql_with_params()
