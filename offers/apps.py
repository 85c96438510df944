from django.apps import AppConfig


class OffersConfig(AppConfig):
    """The market: what candidates search and, later, the offers."""

    name = "offers"
    verbose_name = "Offres"
