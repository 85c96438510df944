"""Tables of the establishments' world."""

from companies.models.establishment import Contact, Establishment, EstablishmentImport, LegalUnit
from companies.models.reference import (
    Commune,
    Departement,
    FormerCommune,
    Idcc,
    Naf,
    NafRomeShare,
    Opco,
    Region,
    Rome,
    RomeAppellation,
    RomeItem,
    RomeMobility,
)
from companies.models.visibility import ContactCorrection, VisibilityDecision

__all__ = [
    "Commune",
    "Contact",
    "ContactCorrection",
    "Departement",
    "Establishment",
    "EstablishmentImport",
    "FormerCommune",
    "Idcc",
    "LegalUnit",
    "Naf",
    "NafRomeShare",
    "Opco",
    "Region",
    "Rome",
    "RomeAppellation",
    "RomeItem",
    "RomeMobility",
    "VisibilityDecision",
]
