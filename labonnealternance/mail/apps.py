from django.apps import AppConfig


class MailConfig(AppConfig):
    """E-mails: written with the facts, sent after them, never lost."""

    name = "labonnealternance.mail"
    label = "mail"
    verbose_name = "E-mails"
