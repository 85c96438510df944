"""What must hold of the market: of what is published first."""
# ruff: noqa: S608, S611 (the tables' names are ours)

from datetime import datetime, timedelta

from django.db.models import F, Q
from django.db.models.expressions import RawSQL
from django.utils.timezone import localdate

from companies.consistency import HIDDEN
from companies.models import Establishment, SearchEdition
from labonnealternance.kit.consistency import MOST_COUNTED, Check
from offers.actions.clock import REGISTRATION_KEPT
from offers.enums import AccessStatus, OfferStatus
from offers.models import Offer, Registration
from offers.sources import establishments_sql as search
from offers.sources.statements import rows

# The clock comes each minute, or each night: these are the turns that it may miss.
LATE = timedelta(minutes=10)
MISSED_NIGHTS = timedelta(days=2)


def _active():
    return Offer.objects.filter(status=OfferStatus.ACTIVE).order_by("pk")


def without_access(at: datetime):
    return _active().exclude(access__status=AccessStatus.GRANTED)


def of_another_establishment(at: datetime):
    return Offer.objects.exclude(establishment=F("access__establishment")).order_by("pk")


def without_confirmed_address(at: datetime):
    return _active().filter(Q(access__confirmed_at__isnull=True) | Q(access__user__email_confirmed_at__isnull=True))


def past_their_end(at: datetime):
    # The clock ends them each hour.
    return _active().filter(expires_on__lt=localdate(at - timedelta(hours=2)))


def of_gone_establishments(at: datetime):
    gone = Q(establishment__closed_on__lte=localdate(at)) | Q(establishment__is_diffusible=False)
    return _active().filter(gone | ~Q(establishment__refusal=""))


def ready_and_waiting(at: datetime):
    held = Q(establishment__checked_at__isnull=True) | Q(establishment__checked_at__lt=at - LATE)
    return (
        Offer.objects.publishable()
        .filter(held, confirmed_at__lt=at - LATE, access__decided_at__lt=at - LATE)
        .order_by("created_at")
    )


def found_though_hidden(at: datetime):
    """What the search's own statement would let through among those that facts or decisions hide."""
    edition = SearchEdition.objects.filter(is_current=True).first()
    entries = f"SELECT establishment_id FROM {edition.entries_table}" if edition else "SELECT NULL::integer WHERE false"
    sql = f"""
        SELECT id FROM ({search.LISTED.sql}) AS listed (id)
        WHERE id IN ({HIDDEN.format(at="%(at)s::timestamptz")}) OR id IN (
            SELECT e.id FROM companies_establishment e WHERE id IN ({entries})
               AND (closed_on <= %(on)s::date OR NOT is_diffusible)
        )
        LIMIT {MOST_COUNTED + 1}"""
    found = rows(sql, {"at": at, "on": localdate(at), **search.LISTED.params(at)})
    return Establishment.objects.filter(pk__in=[number for (number,) in found]).order_by("siret")


def public_though_hidden(at: datetime):
    hidden = RawSQL(HIDDEN.format(at="%s"), [at, at])
    return Offer.objects.public(at).filter(establishment__in=hidden).order_by("pk")


def kept_too_long(at: datetime):
    end = at - MISSED_NIGHTS - REGISTRATION_KEPT
    old = Q(confirmed_at__isnull=True, created_at__lt=end) | Q(confirmed_at__lt=end)
    return Registration.objects.filter(old).order_by("created_at")


TECHNICAL = "Prévenez l’équipe technique."

CHECKS = [
    Check(
        "offers.found_though_hidden",
        "La recherche ne montre aucun établissement retiré, en pause, fermé ou non diffusible.",
        found_though_hidden,
        f"{TECHNICAL} C’est urgent.",
        label=lambda establishment: f"Établissement {establishment.siret}",
    ),
    Check(
        "offers.public_though_hidden",
        "Aucune offre d’un établissement retiré ou en pause n’est montrée.",
        public_though_hidden,
        f"{TECHNICAL} C’est urgent.",
    ),
    Check(
        "offers.without_access",
        "Une offre publiée a été déposée par quelqu’un dont l’accès est accordé.",
        without_access,
        "Retirez l’offre depuis sa fiche, ou accordez l’accès s’il est légitime.",
    ),
    Check(
        "offers.without_confirmed_address",
        "Une offre publiée a été déposée par quelqu’un qui a confirmé son adresse e-mail.",
        without_confirmed_address,
        "Retirez l’offre depuis sa fiche.",
    ),
    Check(
        "offers.of_another_establishment",
        "Une offre est de l’établissement pour lequel son recruteur a un accès.",
        of_another_establishment,
        TECHNICAL,
    ),
    Check(
        "offers.past_their_end",
        "Une offre est close dans les deux heures qui suivent son dernier jour.",
        past_their_end,
        "Elle n’est plus visible, mais son recruteur n’est pas averti : la tâche « offers.expire_due » ne passe pas.",
    ),
    Check(
        "offers.of_gone_establishments",
        "Une offre publiée est celle d’un établissement ouvert, diffusible et qui n’est pas refusé.",
        of_gone_establishments,
        "Elle n’est plus visible. La tâche de 5 h 15 la retire et avertit le recruteur : "
        "un établissement fermé aujourd’hui attend la nuit.",
    ),
    Check(
        "offers.ready_and_waiting",
        "Une offre que rien ne retient est publiée dans les dix minutes.",
        ready_and_waiting,
        "La tâche « offers.publish_ready » ne passe pas : prévenez l’équipe technique.",
    ),
    Check(
        "offers.kept_too_long",
        "Une inscription est effacée après 30 jours.",
        kept_too_long,
        "La tâche de la nuit « offers.purge_registrations » n’est pas passée.",
    ),
]
