"""The back-office: staff with a password and a second factor."""

from django_otp.admin import OTPAdminSite


class SupportAdminSite(OTPAdminSite):
    """The support team's site; nobody enters without a confirmed device."""

    site_header = "La bonne alternance — support"
    site_title = "Support"
    index_title = "Que voulez-vous faire ?"
    site_url = "/"
