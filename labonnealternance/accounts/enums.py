"""Closed lists of the accounts."""

from django.db import models


class Role(models.TextChoices):
    """What a person is here: shown to them, and filtered on by support.

    A role opens nothing by itself: what someone may do to an object comes from a row of the app that knows the object
    (an access to an establishment, an advisor's OPCO). Each is a group of Django's, but support, which is ``is_staff``.
    """

    SUPPORT = "support", "Support"
    RECRUITER = "recruiter", "Recruteur"
    ADVISOR = "advisor", "Conseiller OPCO"
    CFA = "cfa", "Centre de formation (CFA)"
    PARTNER = "partner", "Partenaire"


# Roles that are groups.
GROUPS = [role for role in Role if role is not Role.SUPPORT]
