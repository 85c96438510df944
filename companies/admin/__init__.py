"""The back-office of the establishments' world."""

from companies.admin import establishment, hiring_potential, reference, visibility

__all__ = ["establishment", "hiring_potential", "reference", "visibility"]
