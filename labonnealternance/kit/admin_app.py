"""Django's admin as an app, with the support team's site in place of its own."""

from django.contrib.admin.apps import AdminConfig


class SupportAdminConfig(AdminConfig):
    """Kept apart from the site: Django reads this before the models exist."""

    default_site = "labonnealternance.kit.admin_site.SupportAdminSite"

    def ready(self):
        from django.contrib.admin.templatetags import admin_list

        # Django draws a tick that is read « True », and for no a red cross that looks like a fault.
        yes_or_no = {True: "Oui", False: "Non"}
        admin_list._boolean_icon = lambda value: yes_or_no.get(value, "—")  # type: ignore[attr-defined]
        super().ready()
