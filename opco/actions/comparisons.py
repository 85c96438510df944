"""How a recruiter's e-mail address compares with what is known: the first thing that an advisor looks at."""

from dataclasses import dataclass
from enum import StrEnum

from companies.actions import contacts
from companies.actions.contacts import TrainingCentre
from offers.enums import AccessStatus
from offers.models import Access
from opco.actions.desks import Desk, files_of

MOST_DOMAINS = 10


class Match(StrEnum):
    """What the address proves, by itself."""

    SAME_ADDRESS = "same_address"
    SAME_DOMAIN = "same_domain"
    CERTIFIED_DOMAIN = "certified_domain"
    FREE_MAIL = "free_mail"
    OTHER_DOMAIN = "other_domain"
    NOTHING_KNOWN = "nothing_known"


@dataclass(frozen=True)
class Comparison:
    """``domains`` are those of the contacts known of the company; a known address itself is told to nobody.

    ``centre`` is the training centre that the address points to, whatever else it proves.
    """

    match: Match
    domain: str
    domains: list[str]
    centre: TrainingCentre | None


def comparison_of(*, access: Access, desk: Desk) -> Comparison:
    """Compares the address of the person of ``access`` with the contacts of the company and those of training centres,
    and with who was certified.
    """
    establishment, email = access.establishment, access.user.email
    domain = email.rpartition("@")[2]
    known = contacts.known_contact(siret=establishment.siret)
    domains = contacts.known_domains(siren=establishment.siren)
    return Comparison(
        match=_match(access, desk, email=email, domain=domain, known=known, domains=domains),
        domain=domain,
        domains=sorted(domains)[:MOST_DOMAINS],
        centre=contacts.training_centre_of(email=email, besides=establishment.siren),
    )


def _match(access: Access, desk: Desk, *, email: str, domain: str, known: str, domains: set[str]) -> Match:
    if email == known:
        return Match.SAME_ADDRESS
    if contacts.is_free_mail(domain):
        return Match.FREE_MAIL
    if domain in domains:
        return Match.SAME_DOMAIN
    colleagues = files_of(desk).filter(
        establishment__siren=access.establishment.siren,
        status=AccessStatus.GRANTED,
        user__email__endswith=f"@{domain}",
    )
    if colleagues.exclude(pk=access.pk).exists():
        return Match.CERTIFIED_DOMAIN
    return Match.OTHER_DOMAIN if domains else Match.NOTHING_KNOWN
