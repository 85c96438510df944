from django.apps import AppConfig


class CompaniesConfig(AppConfig):
    """Establishments, references, decisions about them, and their published hiring potentials."""

    name = "companies"
    verbose_name = "Établissements"
