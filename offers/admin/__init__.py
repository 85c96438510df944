"""The back-office of the market: who may act for an establishment, and what is offered."""

from offers.admin import access, offer, registration

__all__ = ["access", "offer", "registration"]
