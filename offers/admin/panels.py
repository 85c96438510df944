"""What the market tells of an establishment, and of a person, on their pages of the back-office."""

from urllib.parse import urlencode

from django.db.models import OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce
from django.urls import reverse

from companies.models import spaced_siret
from labonnealternance.accounts.models import User
from labonnealternance.kit.admin import moment
from labonnealternance.kit.contacts import shown_phone
from labonnealternance.kit.panels import MOST_ADDRESSES, MOST_KEYS, MOST_LINES, Panel, addresses, behind_address, panel
from labonnealternance.kit.text import grouped
from offers.admin.finding import link, link_to_offer
from offers.enums import AccessStatus
from offers.models import Access, Offer, OfferDay


def _all_of(model: str, siret: str) -> str:
    return f"{reverse(f'admin:offers_{model}_changelist')}?{urlencode({'q': siret})}"


def _state(access: Access) -> str:
    if access.status == AccessStatus.AWAITING and access.confirmed_at is None:
        return "Adresse non confirmée"
    return access.get_status_display()


@panel("establishment", rank=30, permission="offers.view_access")
def accesses(*, key, at):
    known = Access.objects.filter(establishment__siret=key).select_related("user")
    return Panel(
        "Accès des recruteurs",
        ["Accès", "Personne", "Téléphone", "État", "Origine", "Demandé le", "Décidé le"],
        (
            (
                link(each, each.user.email),
                each.user.get_full_name(),
                shown_phone(each.user.phone) or "—",
                _state(each),
                each.get_origin_display(),
                moment(each.asked_at),
                moment(each.decided_at) or "—",
            )
            for each in known.order_by("-asked_at", "-pk")[:MOST_LINES]
        ),
        more=_all_of("access", key),
    )


@panel("establishment", rank=40, permission="offers.view_offer")
def offers(*, key, at):
    known = Offer.objects.filter(establishment__siret=key).select_related("access__user")
    known = known.annotate(opened=_sum("opened"), applied=_sum("applied"))
    return Panel(
        "Offres",
        [
            "Offre",
            "État",
            "Déposée par",
            "Déposée le",
            "Publiée le",
            "Dernier jour",
            "Ouvertures",
            "Candidatures",
            "Issue",
        ],
        (
            (
                link_to_offer(each),
                each.get_status_display(),
                each.access.user,
                moment(each.created_at),
                moment(each.published_at) or "—",
                f"{each.expires_on:%d/%m/%Y}" if each.expires_on else "—",
                grouped(each.opened),
                grouped(each.applied),
                _end(each),
            )
            for each in known.order_by("-created_at", "-pk")[:MOST_LINES]
        ),
        none="Aucune.",
        more=_all_of("offer", key),
    )


@panel("person", rank=30, permission="offers.view_access")
def accesses_of_person(*, key, at):
    known = Access.objects.filter(user__email=key).select_related("establishment")
    return Panel(
        "Établissements",
        ["Accès", "SIRET", "État", "Origine", "Demandé le", "Décidé le"],
        (
            (
                link(each, each.establishment.display_name),
                spaced_siret(each.establishment.siret),
                _state(each),
                each.get_origin_display(),
                moment(each.asked_at),
                moment(each.decided_at) or "—",
            )
            for each in known.order_by("-asked_at", "-pk")[:MOST_LINES]
        ),
        more=_all_of("access", key),
    )


@panel("person", rank=40, permission="offers.view_offer")
def offers_of_person(*, key, at):
    known = Offer.objects.filter(access__user__email=key).select_related("establishment")
    return Panel(
        "Offres",
        ["Offre", "Établissement", "État", "Déposée le", "Publiée le", "Dernier jour", "Issue"],
        (
            (
                link_to_offer(each),
                each.establishment.display_name,
                each.get_status_display(),
                moment(each.created_at),
                moment(each.published_at) or "—",
                f"{each.expires_on:%d/%m/%Y}" if each.expires_on else "—",
                _end(each),
            )
            for each in known.order_by("-created_at", "-pk")[:MOST_LINES]
        ),
        none="Aucune.",
        more=_all_of("offer", key),
    )


def _sum(column: str) -> Coalesce:
    """Of all the days of an offer; read for the lines that are shown."""
    days = OfferDay.objects.filter(offer=OuterRef("pk")).order_by().values("offer")
    return Coalesce(Subquery(days.annotate(sum=Sum(column)).values("sum")), 0)


def _end(offer: Offer) -> str:
    told = [offer.get_outcome_display(), offer.get_filled_through_display(), offer.get_cancel_reason_display()]
    return " : ".join(each for each in told if each) or "—"


@addresses("establishment")
def recruiters(*, key):
    known = User.objects.filter(accesses__establishment__siret=key).order_by("-accesses__asked_at")
    return known.values_list("email", flat=True)[:MOST_ADDRESSES]


@behind_address("establishment")
def recruited_for(*, address):
    known = Access.objects.filter(user__email=address).order_by("-asked_at", "-pk")
    return known.values_list("establishment__siret", flat=True)[:MOST_KEYS]
