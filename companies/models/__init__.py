"""Tables of the establishments' world."""

from companies.models.batch import Batch
from companies.models.contact_values import InvalidContact, clean_email, clean_phone, domain_of
from companies.models.establishment import Contact, Establishment, EstablishmentImport, LegalUnit, OpcoAssignment
from companies.models.hiring_potential import Explanation, HiringPotential, Release, ReleaseMove, SearchEdition
from companies.models.reference import (
    Commune,
    Departement,
    FormerCommune,
    Idcc,
    Naf,
    NafRomeShare,
    Opco,
    ReferenceImport,
    Region,
    Rome,
    RomeAppellation,
    RomeItem,
    RomeMobility,
    RomeWord,
)
from companies.models.remark import Remark
from companies.models.siret import (
    InvalidNumber,
    clean_siren,
    clean_siret,
    spaced_siret,
    validate_siret,
    without_separators,
)
from companies.models.visibility import ContactCorrection, VisibilityDecision

__all__ = [
    "Batch",
    "Commune",
    "Contact",
    "ContactCorrection",
    "Departement",
    "Establishment",
    "EstablishmentImport",
    "Explanation",
    "FormerCommune",
    "HiringPotential",
    "Idcc",
    "InvalidContact",
    "InvalidNumber",
    "LegalUnit",
    "Naf",
    "NafRomeShare",
    "Opco",
    "OpcoAssignment",
    "ReferenceImport",
    "Region",
    "Release",
    "ReleaseMove",
    "Remark",
    "Rome",
    "RomeAppellation",
    "RomeItem",
    "RomeMobility",
    "RomeWord",
    "SearchEdition",
    "VisibilityDecision",
    "clean_email",
    "clean_phone",
    "clean_siren",
    "clean_siret",
    "domain_of",
    "spaced_siret",
    "validate_siret",
    "without_separators",
]
