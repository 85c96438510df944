from django.apps import AppConfig


class UnsubscribeConfig(AppConfig):
    """What establishments ask for about being shown: the form, and support's queue."""

    name = "unsubscribe"
    verbose_name = "Demandes des établissements"
