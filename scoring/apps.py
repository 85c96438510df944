from django.apps import AppConfig


class ScoringConfig(AppConfig):
    """The model that names the establishments likely to hire."""

    name = "scoring"
    verbose_name = "Score"
