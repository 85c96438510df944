"""Django's admin as an app, with the support team's site in place of its own."""

from django.contrib.admin.apps import AdminConfig


class SupportAdminConfig(AdminConfig):
    """Kept apart from the site: Django reads this before the models exist."""

    default_site = "labonnealternance.kit.admin_site.SupportAdminSite"
