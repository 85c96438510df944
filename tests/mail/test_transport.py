"""EMAIL_URL: each form it takes, and what a wrong one says."""

import os

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import get_connection

from labonnealternance.mail import transport
from labonnealternance.mail.transport import PROVIDERS, WrongTransport, read
from labonnealternance.settings import env


def test_mailbox_names_a_folder():
    found = read("mailbox:///srv/boite%20aux%20lettres")
    assert found.is_mailbox
    assert found.folder == "/srv/boite aux lettres"


@pytest.mark.parametrize(
    ("url", "port", "use_tls", "use_ssl"),
    [
        ("smtp://relais", 25, False, False),
        ("smtp://relais:2525", 2525, False, False),
        ("smtp+tls://relais", 587, True, False),
        ("smtp+ssl://relais:4650", 4650, False, True),
    ],
)
def test_smtp_names_a_server(url, port, use_tls, use_ssl):
    found = read(url)
    assert found.backend == "django.core.mail.backends.smtp.EmailBackend"
    assert (found.host, found.port, found.use_tls, found.use_ssl) == ("relais", port, use_tls, use_ssl)
    assert (found.user, found.password) == ("", "")
    assert not found.is_mailbox


def test_an_account_and_its_password_are_decoded_and_never_printed():
    found = read("smtp+tls://compte%40exemple.fr:p%40ss%2Fmot%3A%23@smtp.exemple.fr:587")
    assert (found.user, found.password) == ("compte@exemple.fr", "p@ss/mot:#")
    assert "p@ss" not in repr(found)


@pytest.mark.parametrize("name", PROVIDERS)
def test_each_provider_starts_with_the_settings_made_from_the_address(name, settings):
    query = "&".join(f"{key}=https%3A%2F%2Fapi.exemple.fr%2F" for key in sorted(PROVIDERS[name].required))
    found = read(f"anymail+{name}://?{query}")
    settings.ANYMAIL = found.anymail
    backend = get_connection(found.backend)
    assert backend.timeout == transport.TIMEOUT


def test_a_key_is_decoded_and_never_printed():
    found = read("anymail+brevo://?api_key=cle%2Bsecrete%26")
    assert found.anymail == {"REQUESTS_TIMEOUT": 10, "BREVO_API_KEY": "cle+secrete&"}
    assert "secrete" not in repr(found)


@pytest.mark.parametrize(
    ("url", "help_text"),
    [
        ("secret", "et non par mailbox:, smtp:"),
        ("sendgrid://secret", "et non par mailbox:, smtp:"),
        ("SMTP://secret", "et non par mailbox:, smtp:"),
        ("mailbox:", "désigne un dossier par son chemin entier"),
        ("mailbox:///", "désigne un dossier par son chemin entier"),
        ("mailbox://secret/folder", "désigne un dossier par son chemin entier"),
        ("smtp://", "désigne un serveur"),
        ("smtp://host/secret", "désigne un serveur"),
        ("smtp+tls://compte:sec/ret@host", "d’un mot de passe s’écrivent %40"),
        ("smtp+tls://compte:sec#ret@host:587", "d’un mot de passe s’écrivent %40"),
        ("smtp+tls://host:secret", "n’est pas un nombre"),
        ("smtp+tls://secret@host", "un compte et son mot de passe, ou aucun des deux"),
        ("anymail+pigeon://?api_key=secret", "il y a brevo"),
        ("anymail+brevo://secret", "api_key : anymail+brevo://?api_key=…"),
        ("anymail+brevo://?api_key=", "Il manque à EMAIL_URL api_key"),
        ("anymail+mailjet://?api_key=secret", "Il manque à EMAIL_URL secret_key"),
        ("anymail+brevo://?api_key=secret&domaine=secret", "n’accepte pas (domaine)"),
    ],
)
def test_a_wrong_address_is_told_how_to_be_right_without_its_secrets(url, help_text):
    with pytest.raises(WrongTransport) as fault:
        read(url)
    assert help_text in str(fault.value)
    assert "EMAIL_URL" in str(fault.value)
    assert not url.startswith(("smtp", "anymail")) or "secret" not in str(fault.value).replace("secret_key", "")


def test_a_wrong_address_stops_the_start():
    variables = {**os.environ, "EMAIL_URL": "anymail+brevo://?cle=1"}
    with pytest.raises(ImproperlyConfigured, match="Il manque à EMAIL_URL api_key"):
        env.read(variables, local=True)


def test_the_mailbox_is_refused_outside_a_laptop():
    variables = {**os.environ, "EMAIL_URL": "mailbox:///srv/mails", "LOCAL": ""}
    with pytest.raises(ImproperlyConfigured, match="EMAIL_URL=mailbox: garde les e-mails sur cette machine"):
        env.read(variables, local=False)
