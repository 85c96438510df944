"""The demo's people: one for each role."""

import base64
import secrets
from pathlib import Path

from django.conf import settings
from django.urls import reverse
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from labonnealternance.accounts.actions import give_role
from labonnealternance.accounts.enums import Role
from labonnealternance.accounts.models import User
from labonnealternance.embedded import state_dir
from labonnealternance.kit.demo_registry import Step

SUPPORT = "support@exemple.fr"
PEOPLE = {
    Role.RECRUITER: ("recruteur@exemple.fr", "Rachida", "Recrute"),
    Role.ADVISOR: ("conseil@exemple.fr", "Camille", "Conseil"),
    Role.CFA: ("cfa@exemple.fr", "Florian", "Formateur"),
    Role.PARTNER: ("partenaire@exemple.fr", "Paule", "Partenaire"),
}


def _password_file() -> Path:
    return state_dir() / "support_password"


def _create():
    support = User.objects.filter(email=SUPPORT).first() or User.objects.create_superuser(
        SUPPORT, first_name="Sacha", last_name="Support"
    )
    password = secrets.token_urlsafe(12)
    kept = _password_file()
    kept.touch(mode=0o600)
    kept.write_text(password)
    support.set_password(password)
    support.save()
    TOTPDevice.objects.get_or_create(user=support, name="Démonstration", confirmed=True)
    for role, (email, first_name, last_name) in PEOPLE.items():
        person = User.objects.filter(email=email).first() or User.objects.create_user(
            email, first_name=first_name, last_name=last_name
        )
        give_role(user=person, role=role)


def steps():
    return [
        Step(
            "comptes de démonstration",
            lambda: _password_file().exists() and User.objects.filter(email=PEOPLE[Role.PARTNER][0]).exists(),
            _create,
        )
    ]


def accounts():
    """Support: password and second factor; the others: a link by e-mail, read in the development mailbox."""
    device = TOTPDevice.objects.filter(user__email=SUPPORT, confirmed=True).first()
    roles: dict[str, dict] = {
        "support": {
            "email": SUPPORT,
            "sign_in": settings.SITE_URL + reverse("admin:login"),
            "password": _password_file().read_text() if _password_file().exists() else None,
            "totp_secret": device and _base32(device.bin_key),
            "totp_now": device and f"{TOTP(device.bin_key).token():06d}",
        }
    }
    for role, (email, first_name, last_name) in PEOPLE.items():
        roles[role.value] = {
            "email": email,
            "name": f"{first_name} {last_name}",
            "sign_in": settings.SITE_URL + reverse("accounts:sign_in"),
        }
    return roles


def _base32(key: bytes) -> str:
    return base64.b32encode(key).decode()


def pages():
    return {
        "sign_in": reverse("accounts:sign_in"),
        "account": reverse("accounts:home"),
        "admin": reverse("admin:index"),
    }
