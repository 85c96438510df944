"""The back-office of the establishments' world."""

from companies.admin import hiring_potential, reference

__all__ = ["hiring_potential", "reference"]
