"""What must hold of establishments: what people decided is what is read."""
# ruff: noqa: S608, S611 (the tables' names are ours)

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.expressions import RawSQL
from django.utils.timezone import localdate

from companies.enums import Channel, DecisionKind, DecisionScope, ImportStatus, ReleaseStatus
from companies.models import (
    Contact,
    ContactCorrection,
    Establishment,
    EstablishmentImport,
    Release,
    SearchEdition,
    VisibilityDecision,
)
from labonnealternance.kit.consistency import MOST_COUNTED, Check, page_of
from labonnealternance.mail.models import Suppression

# The worker comes each minute, the order of the day each night: these are the turns that they may miss.
LATE = timedelta(hours=1)
MISSED_NIGHTS = timedelta(days=2)
LONGEST_IMPORT = timedelta(hours=12)
# Of the pauses that are over, the latest.
LOOKED_BACK = timedelta(days=30)

# The establishments that a decision in force hides, read from the decisions on: the queryset that every page reads goes
# the other way, and one can't hide the other's fault. ``{at}`` stands for the instant.
HIDDEN = """
    WITH decided AS MATERIALIZED (
        SELECT scope, value FROM companies_visibilitydecision
        WHERE kind IN ('delisted', 'paused') AND revoked_at IS NULL AND starts_at <= {at}
          AND (ends_at IS NULL OR ends_at > {at})
    ), corrected AS MATERIALIZED (
        SELECT DISTINCT ON (siret) siret, value FROM companies_contactcorrection WHERE channel = 'email'
        ORDER BY siret, decided_at DESC, id DESC
    ), reached (siret) AS (
        SELECT value FROM decided WHERE scope = 'siret'
        UNION
        SELECT e.siret FROM decided JOIN companies_establishment e ON e.siren = value WHERE scope = 'siren'
        UNION
        SELECT corrected.siret FROM decided JOIN corrected USING (value) WHERE scope = 'email'
        UNION
        SELECT contact.siret FROM decided JOIN companies_contact contact ON contact.email = value
        WHERE scope = 'email' AND contact.siret NOT IN (SELECT siret FROM corrected)
    )
    SELECT e.id FROM reached JOIN companies_establishment e USING (siret)"""


def _hidden(at: datetime) -> RawSQL:
    return RawSQL(HIDDEN.format(at="%s"), [at, at])


def shown_though_hidden(at: datetime) -> QuerySet:
    return Establishment.objects.listed(at).filter(pk__in=_hidden(at)).order_by("siret")


def hidden_though_free(at: datetime) -> QuerySet:
    """Those whose pause is over: nothing else hides them, and yet they are not shown."""
    over = VisibilityDecision.objects.filter(
        kind=DecisionKind.PAUSED, scope=DecisionScope.SIRET, ends_at__lte=at, ends_at__gt=at - LOOKED_BACK
    )
    shown = Establishment.objects.unhidden(at).filter(pk=OuterRef("pk"))
    paused = Establishment.objects.filter(siret__in=over.values("value"))
    return paused.exclude(pk__in=_hidden(at)).filter(~Exists(shown)).order_by("siret")


def reached_though_suppressed(at: datetime) -> QuerySet:
    """A candidate would apply to an address that nothing is sent to."""
    suppressed = Suppression.objects.in_force().values("address")
    imported = Contact.objects.filter(email__in=suppressed).values("siret")
    corrected = ContactCorrection.objects.filter(channel=Channel.EMAIL, value__in=suppressed).values("siret")
    known = Establishment.objects.open(at).filter(siret__in=imported.union(corrected))
    return known.with_contact(at).filter(effective_email__in=suppressed, has_email=True).order_by("siret")


def certified_without_opco(at: datetime) -> QuerySet:
    return Establishment.objects.filter(opco_is_certified=True, opco__isnull=True).order_by("siret")


def editions_astray(at: datetime) -> Iterator[tuple[Release | None, str]]:
    """(release, sentence) pairs."""
    online = list(Release.objects.filter(status=ReleaseStatus.CURRENT)[:2])
    read = list(SearchEdition.objects.filter(is_current=True).select_related("release")[:2])
    if len(online) > 1 or len(read) > 1:
        yield None, f"{len(online)} livraisons en ligne, {len(read)} éditions lues"
        return
    release, edition = next(iter(online), None), next(iter(read), None)
    if release and not edition:
        yield release, f"{release} est en ligne, et la recherche ne lit aucune édition"
    if edition and edition.release != release:
        yield edition.release, f"{edition} est celle de la {str(edition.release).lower()}, qui n’est pas en ligne"
    if edition and edition.day < localdate(at - MISSED_NIGHTS):
        yield edition.release, f"{edition} est encore lue : l’ordre du jour n’a pas été renouvelé"
    if edition and _missing(edition):
        yield edition.release, f"{edition} n’a plus ses tables"


def _missing(edition: SearchEdition) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT to_regclass(%s) IS NULL OR to_regclass(%s) IS NULL", [edition.entries_table, edition.cells_table]
        )
        return cursor.fetchone()[0]


def entries_of_nobody(at: datetime) -> list[tuple[int, str]]:
    """(establishment id, job) pairs of the edition whose establishment, or job, is gone."""
    edition = SearchEdition.objects.filter(is_current=True).first()
    # One without its tables is told by its own check.
    if edition is None or _missing(edition):
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT establishment_id, rome FROM {edition.entries_table} entry
            WHERE NOT EXISTS (SELECT FROM companies_establishment e WHERE e.id = entry.establishment_id)
               OR NOT EXISTS (SELECT FROM companies_rome job WHERE job.code = entry.rome)
            LIMIT {MOST_COUNTED + 1}"""
        )
        return cursor.fetchall()


def publications_waiting(at: datetime) -> QuerySet:
    return Release.objects.filter(asked_at__lt=at - LATE).order_by("asked_at")


def imports_never_ended(at: datetime) -> QuerySet:
    running = EstablishmentImport.objects.filter(status=ImportStatus.RUNNING)
    return running.filter(started_at__lt=at - LONGEST_IMPORT).order_by("started_at")


def _siret(establishment: Establishment) -> str:
    return f"Établissement {establishment.siret}"


TECHNICAL = "Prévenez l’équipe technique."

CHECKS = [
    Check(
        "companies.shown_though_hidden",
        "Un établissement retiré ou en pause n’est montré nulle part.",
        shown_though_hidden,
        f"{TECHNICAL} C’est urgent.",
        label=_siret,
    ),
    Check(
        "companies.hidden_though_free",
        "Un établissement dont la pause est finie est de nouveau montré, si rien d’autre ne le cache.",
        hidden_though_free,
        TECHNICAL,
        label=_siret,
    ),
    Check(
        "companies.reached_though_suppressed",
        "Aucune candidature ne peut être envoyée à une adresse écartée.",
        reached_though_suppressed,
        "Corrigez le contact de l’établissement, ou masquez son e-mail ; si l’adresse marche, rétablissez-la.",
        label=_siret,
    ),
    Check(
        "companies.certified_without_opco",
        "Un établissement dont l’OPCO est certifié a un OPCO.",
        certified_without_opco,
        "Donnez-lui son OPCO depuis sa fiche.",
        label=_siret,
    ),
    Check(
        "companies.editions_astray",
        "La recherche lit une édition, du jour ou de la veille, de la livraison en ligne.",
        editions_astray,
        "La tâche de la nuit « companies.renew_search_order » n’est pas passée, ou échoue.",
        label=lambda pair: pair[1],
        page=lambda pair: page_of(pair[0]),
    ),
    Check(
        "companies.entries_of_nobody",
        "L’édition que lit la recherche ne nomme que des établissements et des métiers qui existent.",
        entries_of_nobody,
        "Ils ne sont pas montrés ; la prochaine livraison les oublie.",
        label=lambda pair: f"Établissement numéro {pair[0]}, métier {pair[1]}",
    ),
    Check(
        "companies.publications_waiting",
        "Une livraison dont la mise en ligne est demandée l’est dans l’heure.",
        publications_waiting,
        "Le worker est arrêté, ou la mise en ligne échoue : prévenez l’équipe technique.",
        label=str,
    ),
    Check(
        "companies.imports_never_ended",
        "Un import se termine dans les douze heures.",
        imports_never_ended,
        "Il a été arrêté sans pouvoir le dire : le prochain import du même contenu le marque interrompu.",
    ),
]
