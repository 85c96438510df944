from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """People, and how they sign in."""

    name = "labonnealternance.accounts"
    label = "accounts"
    verbose_name = "Comptes"
