from django.apps import AppConfig


class ConsistencyConfig(AppConfig):
    """Whether the data hold together: looked at each night, told to support when they do not."""

    name = "labonnealternance.consistency"
    label = "consistency"
    verbose_name = "Cohérence des données"
