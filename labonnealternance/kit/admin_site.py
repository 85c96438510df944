"""The back-office: staff with a password and a second factor."""

from django import forms
from django.apps import apps
from django.conf import settings
from django.contrib.admin.forms import AdminAuthenticationForm
from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import URLResolver, path, reverse, reverse_lazy
from django.utils import timezone
from django.utils.module_loading import import_string
from django_otp import devices_for_user
from django_otp.admin import OTPAdminSite
from django_otp.models import VerifyNotAllowed

from labonnealternance.kit import todo

LIBRARIES = {"axes", "django", "django_otp", "dsfr"}


class SupportSignInForm(AdminAuthenticationForm):
    """Address, password and the code of the moment, in one go.

    A person has one device of each kind at most: it is found, not asked.
    """

    error_messages = {
        "invalid_login": "L’adresse ou le mot de passe n’est pas le bon, ou ce compte n’est pas un compte du support."
    }
    otp_token = forms.CharField(
        label="Code à 6 chiffres",
        max_length=32,
        help_text="Celui que montre en ce moment votre application d’authentification.",
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
        error_messages={"required": "Donnez le code que montre votre application d’authentification."},
    )

    def clean(self):
        cleaned = super().clean()
        user = self.get_user()
        if user is not None and cleaned.get("otp_token"):
            # A wrong code is counted on the device: the transaction ends before the refusal.
            with transaction.atomic():
                refusal = self._verify(user, cleaned["otp_token"].replace(" ", ""))
            if refusal:
                raise ValidationError(refusal, code="invalid_token")
        return cleaned

    @staticmethod
    def _verify(user, code: str) -> str:
        """Joins the device to ``user`` where ``code`` is its code; else what to tell."""
        device = next(iter(devices_for_user(user, for_verify=True)), None)
        if device is None:
            return "Ce compte n’a pas de second facteur : demandez à un administrateur d’en créer un."
        allowed, why = device.verify_is_allowed()
        if not allowed and why and why.get("reason") == VerifyNotAllowed.N_FAILED_ATTEMPTS:
            return "Trop de codes erronés : attendez quelques instants avant d’en donner un autre."
        if not allowed or not device.verify_token(code):
            return "Ce code n’est pas le bon, ou il a déjà servi : attendez le suivant."
        user.otp_device = device
        return ""


class SupportAdminSite(OTPAdminSite):
    """The support team's site; nobody enters without a confirmed device."""

    site_header = "La bonne alternance — support"
    site_title = "Support"
    index_title = "Que voulez-vous faire ?"
    site_url = "/"
    login_form = SupportSignInForm
    login_template = "admin/sign_in.html"

    def __init__(self, name="admin"):
        super().__init__(name)

    def register(self, model_or_iterable, admin_class=None, **options):
        """Only the pages written for support: those that libraries bring change what actions should, or say nothing."""
        if admin_class is None or admin_class.__module__.partition(".")[0] not in LIBRARIES:
            super().register(model_or_iterable, admin_class, **options)

    def get_app_list(self, request, app_label=None):
        """What the person may open, by the sections of ``ADMIN_SECTIONS``; an entry that it forgets comes last.

        ``ADMIN_PAGES`` are entries too, for who has their permission.
        """
        found = super().get_app_list(request, app_label)
        if app_label is not None:
            return found
        entries = {
            f"{app['app_label']}.{model['object_name'].lower()}": model for app in found for model in app["models"]
        }
        for page, (label, permission) in settings.ADMIN_PAGES.items():
            if not request.user.has_perm(permission):
                continue
            entries[page] = {"name": label, "object_name": page.replace(":", "-"), "admin_url": reverse(page)}
        sections = [
            {"name": name, "models": [entries.pop(label) for label in labels if label in entries]}
            for name, labels in settings.ADMIN_SECTIONS.items()
        ]
        sections.append({"name": "Autres", "models": list(entries.values())})
        return [{"app_label": "", "app_url": "", **section} for section in sections if section["models"]]

    def index(self, request, extra_context=None):
        """What waits comes before all that may be opened."""
        waiting = todo.waiting_for(request.user, at=timezone.now())
        return super().index(request, {"waiting": waiting, **(extra_context or {})})

    def app_index(self, request, app_label, extra_context=None):
        title = apps.get_app_config(app_label).verbose_name
        return super().app_index(request, app_label, {"title": title, **(extra_context or {})})

    def get_urls(self):
        own = [
            path(where, self.admin_view(import_string(view)), name=name)
            for where, (name, view) in settings.ADMIN_VIEWS.items()
        ]
        # Above the page that catches all the rest.
        pages = [*own, *super().get_urls()]
        _send_to_own_sign_in(pages)
        return pages


def _send_to_own_sign_in(patterns) -> None:
    """Who is not signed in is sent to the back-office's form, not to the one of the site."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            _send_to_own_sign_in(pattern.url_patterns)
        elif getattr(pattern.callback, "login_required", True):
            pattern.callback.login_url = reverse_lazy("admin:login")
