"""The back-office of the market: who may act for an establishment, and what is offered."""

from offers.admin import access, offer, panels, registration

__all__ = ["access", "offer", "panels", "registration"]
