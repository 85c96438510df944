from django.apps import AppConfig


class OpcoConfig(AppConfig):
    """Who judges the recruiters: each OPCO those of its field, on one page each."""

    name = "opco"
    verbose_name = "OPCO"
