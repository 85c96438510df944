from django.apps import AppConfig


class DemoConfig(AppConfig):
    """The demo of a laptop."""

    name = "labonnealternance.demo"
    label = "demo"
    verbose_name = "Démonstration"
