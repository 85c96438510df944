"""An offer in words, as a candidate reads it: the public page, the recruiter's preview and lists show the same."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.utils.timezone import localdate

from companies.enums import HeadcountBand
from companies.models import Establishment
from labonnealternance.kit.text import counted, french_date
from offers.enums import ContractType, Level
from offers.models import Offer

ANY_LEVEL = "Indifférent"


@dataclass(frozen=True)
class Employer:
    """The establishment of an offer; a line that is not known is empty, and ``place`` is the commune's."""

    name: str
    activity: str
    size: str
    address_lines: list[str]
    place: str


@dataclass(frozen=True)
class OfferCard:
    """An offer in a list."""

    id: UUID
    title: str
    employer_name: str
    place: str
    contract: str
    start: str


@dataclass(frozen=True)
class OfferSheet:
    """A whole offer. ``job`` is empty where the title says it; both dates are empty before the offer is published.

    Neither the questions to candidates nor a telephone number is here: they are for who applies.
    """

    id: UUID
    title: str
    job: str
    employer: Employer
    contract: str
    level: str
    duration: str
    positions: str
    start: str
    presentation: str
    description: str
    skills: list[str]
    knowledge: list[str]
    published_on: str
    last_day: str


def sheet_of_offer(*, offer: Offer, at: datetime) -> OfferSheet:
    """``offer`` as it reads at ``at``; it may be one that is not saved. Asks the database nothing where ``offer`` came
    with ``establishment__naf`` and ``establishment__commune``.
    """
    return OfferSheet(
        id=offer.pk,
        title=offer.title,
        job=offer.job_label if offer.custom_title else "",
        employer=employer_of(establishment=offer.establishment),
        contract=_contract(offer),
        level=Level(offer.level).label if offer.level else ANY_LEVEL,
        duration=f"{offer.duration_months}\u00a0mois",
        positions=counted(offer.positions, "poste", "postes"),
        start=start_in_words(starts_on=offer.starts_on, at=at),
        presentation=offer.presentation,
        description=offer.description,
        skills=offer.skills,
        knowledge=offer.knowledge,
        published_on=french_date(localdate(offer.published_at)) if offer.published_at else "",
        last_day=french_date(offer.expires_on) if offer.expires_on else "",
    )


def card_of_offer(*, offer: Offer, at: datetime) -> OfferCard:
    """``offer`` for a list; it came with ``establishment__commune``."""
    return OfferCard(
        id=offer.pk,
        title=offer.title,
        employer_name=offer.establishment.display_name,
        place=place_of(offer.establishment),
        contract=_contract(offer),
        start=start_in_words(starts_on=offer.starts_on, at=at),
    )


def employer_of(*, establishment: Establishment) -> Employer:
    """``establishment`` in words, with its activity and its commune."""
    commune = establishment.commune.name if establishment.commune else ""
    lines = [
        establishment.address_complement,
        establishment.address,
        f"{establishment.postcode} {commune}".strip(),
    ]
    return Employer(
        name=establishment.display_name,
        activity=establishment.naf.label if establishment.naf else "",
        size=size_of(establishment),
        address_lines=[line for line in lines if line],
        place=place_of(establishment),
    )


def size_of(establishment: Establishment) -> str:
    """Its class of headcount, or "" where that is not known."""
    band = HeadcountBand(establishment.headcount_band)
    return str(band.label) if band != HeadcountBand.UNKNOWN else ""


def start_in_words(*, starts_on: date, at: datetime) -> str:
    """When the contract starts; a day that is over asks for someone as soon as possible."""
    if starts_on > localdate(at):
        return french_date(starts_on)
    return "Dès que possible"


def _contract(offer: Offer) -> str:
    kinds = [ContractType(each).label for each in offer.contract_types]
    return " ou ".join([kinds[0], *(each.lower() for each in kinds[1:])])


def place_of(establishment: Establishment) -> str:
    """Its commune and postcode: ``Metz (57000)``."""
    commune = establishment.commune
    if commune is None:
        return establishment.postcode
    return f"{commune.name} ({establishment.postcode or commune.departement_id})"
