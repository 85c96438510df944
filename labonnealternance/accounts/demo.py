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
from labonnealternance.accounts.groups import give
from labonnealternance.accounts.models import User
from labonnealternance.embedded import state_dir
from labonnealternance.kit.demo_registry import Step

# Who enters by a password and a code: role → address, first name, last name, group (none for a superuser), its name.
STAFF = {
    "support": ("support@exemple.fr", "Sacha", "Support", "Support", ""),
    "support_reader": ("lecture@exemple.fr", "Lou", "Lecture", "Support lecture", "Support, en lecture"),
    "administrator": ("administration@exemple.fr", "Andrea", "Administre", "", "Administrateur du support"),
}
SUPPORT = STAFF["support"][0]
PEOPLE = {
    Role.RECRUITER: ("recruteur@exemple.fr", "Rachida", "Recrute"),
    Role.ADVISOR: ("conseil@exemple.fr", "Camille", "Conseil"),
    Role.CFA: ("cfa@exemple.fr", "Florian", "Formateur"),
    Role.PARTNER: ("partenaire@exemple.fr", "Paule", "Partenaire"),
}


def _password_file(role: str) -> Path:
    return state_dir() / f"{role}_password"


def _create():
    for role, (email, first_name, last_name, group, _) in STAFF.items():
        person = User.objects.filter(email=email).first() or User.objects.create_user(
            email, first_name=first_name, last_name=last_name, is_staff=True
        )
        person.is_superuser = not group
        password = secrets.token_urlsafe(12)
        kept = _password_file(role)
        kept.touch(mode=0o600)
        kept.write_text(password)
        person.set_password(password)
        person.save()
        if group:
            give(user=person, name=group)
        TOTPDevice.objects.get_or_create(user=person, name="Démonstration", confirmed=True)
    for role, (email, first_name, last_name) in PEOPLE.items():
        person = User.objects.filter(email=email).first() or User.objects.create_user(
            email, first_name=first_name, last_name=last_name
        )
        give_role(user=person, role=role)


def steps():
    return [
        Step(
            "comptes de démonstration",
            lambda: (
                all(_password_file(role).exists() for role in STAFF)
                and User.objects.filter(email=PEOPLE[Role.PARTNER][0]).exists()
            ),
            _create,
        )
    ]


def accounts():
    """Support: password and second factor; the others: a link by e-mail, read in the development mailbox."""
    roles: dict[str, dict] = {}
    for name, (email, _, _, _, label) in STAFF.items():
        device = TOTPDevice.objects.filter(user__email=email, confirmed=True).first()
        roles[name] = {
            "email": email,
            "sign_in": settings.SITE_URL + reverse("admin:login"),
            "password": _password_file(name).read_text() if _password_file(name).exists() else None,
            "totp_secret": device and _base32(device.bin_key),
            "totp_now": device and f"{TOTP(device.bin_key).token():06d}",
        }
        if label:
            roles[name]["label"] = label
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
