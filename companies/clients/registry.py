"""The State's register of companies, asked about one establishment (its public search, ``COMPANY_REGISTRY_URL``)."""

import datetime as dt
import re
from dataclasses import dataclass

from django.conf import settings

from companies.clients.json_service import Changed, Fields, JsonService, NoAnswer
from companies.enums import HeadcountBand

service = JsonService("The registry of companies", seconds=5)

_NAF = re.compile(r"(\d\d)\.?(\d\d[A-Z])")
_WITHOUT_STAFF = {HeadcountBand.UNKNOWN.value, HeadcountBand.NONE.value}


class RegistryError(Exception):
    """The registry did not give an establishment."""


class NotInRegistry(RegistryError):
    """The registry answers, and knows no such establishment."""


class RegistryDown(RegistryError):
    """The registry did not answer, or answered something else; nothing is known of the establishment.

    ``retry_after``: seconds to leave it alone for, None where it did not say.
    """

    def __init__(self, reason: str, *, retry_after: int | None = None):
        super().__init__(reason)
        self.retry_after = retry_after


class UnreadableAnswer(RegistryDown):
    """The registry works, and what it says of this establishment is not what it promises."""


@dataclass(frozen=True)
class RegistryEstablishment:
    """What the registry says of an establishment; texts are empty and dates None where it says nothing.

    ``naf`` has no dot (``1071C``), ``commune`` is INSEE's code, ``idccs`` have four digits. Of an establishment that
    is not diffusible only that is kept.
    """

    siret: str
    name: str
    legal_name: str
    naf: str
    headcount_band: str
    created_on: dt.date | None
    is_closed: bool
    closed_on: dt.date | None
    address: str
    postcode: str
    commune: str
    latitude: float | None
    longitude: float | None
    is_headquarters: bool
    is_employer: bool
    is_diffusible: bool
    idccs: tuple[str, ...]


def find_establishment(siret: str) -> RegistryEstablishment:
    """What the registry says of ``siret`` (14 digits). Raises ``NotInRegistry`` or ``RegistryDown``."""
    if not settings.COMPANY_REGISTRY_URL:
        raise RegistryDown("no address is set")
    try:
        answer = service.get(f"{settings.COMPANY_REGISTRY_URL}/search", q=siret)
    except NoAnswer as failure:
        raise RegistryDown(str(failure), retry_after=failure.retry_after) from None
    try:
        return _found(Fields(answer, where="answer"), siret)
    except Changed as change:
        service.warn(f"not what was expected at {change}")
        raise UnreadableAnswer(str(change)) from None


def _found(answer: Fields, siret: str) -> RegistryEstablishment:
    for company in answer.objects("results", needed=True):
        if company.text("siren", needed=True) != siret[:9]:
            continue
        for place in [*company.objects("matching_etablissements", needed=True), company.object("siege")]:
            if place.text("siret") == siret:
                return _read(company, place, siret)
    raise NotInRegistry(siret)


def _read(company: Fields, place: Fields, siret: str) -> RegistryEstablishment:
    company_state = company.one_of("etat_administratif", {"A", "C"})
    state = place.one_of("etat_administratif", {"A", "F"})
    is_closed = state == "F" or company_state == "C"
    company_diffusion = company.one_of("statut_diffusion", {"O", "P", "N"})
    diffusion = place.one_of("statut_diffusion_etablissement", {"O", "P", "N"})
    is_diffusible = company_diffusion == diffusion == "O"
    legal_name = company.text("nom_raison_sociale") or company.text("nom_complet", needed=True)
    signs = [*place.texts("liste_enseignes"), place.text("nom_commercial")]
    naf = _NAF.fullmatch(place.text("activite_principale", needed=True))
    band = place.text("tranche_effectif_salarie") or HeadcountBand.UNKNOWN.value
    postcode = place.text("code_postal", needed=True)
    # "1 PLACE D'ARMES 57000 METZ": the town has columns of its own.
    address = place.text("adresse", needed=True).split(f" {postcode} ")[0] if postcode else ""
    employer = place.text("caractere_employeur")
    latitude, longitude = _point(place) if is_diffusible else (None, None)
    idccs = place.texts("liste_idcc") or company.object("complements").texts("liste_idcc")
    return RegistryEstablishment(
        siret=siret,
        name=(signs[0] or legal_name)[:200] if is_diffusible else "",
        legal_name=legal_name[:200] if is_diffusible else "",
        naf=naf[1] + naf[2] if naf else "",
        headcount_band=band if band in HeadcountBand.values else HeadcountBand.UNKNOWN.value,
        created_on=place.day("date_creation"),
        is_closed=is_closed,
        closed_on=(place.day("date_fermeture") or company.day("date_fermeture")) if is_closed else None,
        address=address[:200] if is_diffusible else "",
        postcode=postcode[:5] if is_diffusible else "",
        commune=place.text("commune", needed=True)[:5],
        latitude=latitude,
        longitude=longitude,
        is_headquarters=place.flag("est_siege"),
        is_employer=employer == "O" or (not employer and band not in _WITHOUT_STAFF),
        is_diffusible=is_diffusible,
        idccs=tuple(code.zfill(4) for code in idccs),
    )


def _point(place: Fields) -> tuple[float, float] | tuple[None, None]:
    latitude, longitude = place.number("latitude"), place.number("longitude")
    if latitude is None or longitude is None or abs(latitude) > 90 or abs(longitude) > 180:
        return None, None
    return round(latitude, 6), round(longitude, 6)
