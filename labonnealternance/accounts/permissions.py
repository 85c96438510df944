"""What support may do in the back-office, said once: no table to fill, nothing to forget when a model is added."""

from django.contrib.auth.backends import BaseBackend

# Who may come in, and by which second factor: superusers decide.
RESERVED_APPS = {"auth", "otp_totp", "axes", "contenttypes"}
RESERVED_ACTIONS = {"add_user", "delete_user", "view_secondfactor", "change_secondfactor", "delete_secondfactor"}
# Those who are told of do not read the journal.
RESERVED_JOURNALS = {"kit.view_reading", "kit.change_reading", "accounts.view_visit", "accounts.change_visit"}


class SupportBackend(BaseBackend):
    """Gives the members of support every permission but those by which one enters; authenticates nobody."""

    def authenticate(self, request, **credentials):
        return None

    def has_perm(self, user_obj, perm, obj=None):
        app, _, action = perm.partition(".")
        return (
            user_obj.is_active
            and getattr(user_obj, "is_staff", False)
            and app not in RESERVED_APPS
            and not (app == "accounts" and action in RESERVED_ACTIONS)
            and perm not in RESERVED_JOURNALS
        )

    def has_module_perms(self, user_obj, app_label):
        return user_obj.is_active and getattr(user_obj, "is_staff", False) and app_label not in RESERVED_APPS
