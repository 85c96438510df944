"""What a person types to sign in, or to change their address."""

from django import forms
from django.conf import settings
from django.utils.http import url_has_allowed_host_and_scheme

from labonnealternance.accounts.models import SignInLink, User
from labonnealternance.kit.http import AddressField

LONGEST_NEXT = SignInLink._meta.get_field("next_path").max_length or 0


def safe_next(path: str) -> str:
    """``path`` where it is an address of this site, written without host; else ""."""
    https = settings.SITE_URL.startswith("https://")
    stays_here = url_has_allowed_host_and_scheme(path, allowed_hosts=None, require_https=https)
    return path if path.startswith("/") and stays_here and len(path) <= LONGEST_NEXT else ""


class NextField(forms.CharField):
    """The page that was asked for. Nobody types it: what is no address of this site is left out, not refused."""

    widget = forms.HiddenInput

    def __init__(self):
        super().__init__(required=False)

    def clean(self, value) -> str:
        return safe_next(value) if isinstance(value, str) and value.isprintable() else ""


class SignInForm(forms.Form):
    """An address to send the link to, and the page that was asked for."""

    email = AddressField(
        label="Adresse e-mail",
        help_text="Celle que vous avez donnée à votre inscription. Format attendu : nom@domaine.fr",
        widget=forms.EmailInput(attrs={"autocomplete": "email", "spellcheck": "false", "class": "fr-input"}),
    )
    next = NextField()


class AddressChangeForm(forms.Form):
    """The new address of ``user``."""

    email = AddressField(
        label="Nouvelle adresse e-mail",
        help_text="Vous y recevrez un lien qui confirme le changement. Format attendu : nom@domaine.fr",
    )

    def __init__(self, *arguments, user: User, **options):
        super().__init__(*arguments, **options)
        self.user = user

    def clean_email(self) -> str:
        address = self.cleaned_data["email"]
        if address == self.user.email:
            raise forms.ValidationError("C’est déjà l’adresse de votre compte.", code="same")
        return address
