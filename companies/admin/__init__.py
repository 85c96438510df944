"""The back-office of the establishments' world."""

from companies.admin import batches, establishment, hiring_potential, reference, visibility, why_shown

__all__ = ["batches", "establishment", "hiring_potential", "reference", "visibility", "why_shown"]
