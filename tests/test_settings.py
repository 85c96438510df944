"""A variable that is missing, wrong or contradictory stops the start, with a sentence that helps."""

import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from labonnealternance.settings import env

PRODUCTION = {
    "SECRET_KEY": "0123456789" * 6,
    "SITE_URL": "https://labonnealternance.example",
    "DATABASE_URL": "postgres://app:secret@base.example:5432/app",
    "REDIS_URL": "rediss://broker.example:6379/0",
    "EMAIL_URL": "smtp+tls://account:password@mail.example:587",
    "DEFAULT_FROM_EMAIL": "La bonne alternance <ne-pas-repondre@labonnealternance.example>",
    "CONTACT_EMAIL": "contact@labonnealternance.example",
}


def test_the_variables_of_production_are_enough():
    read = env.read(PRODUCTION)
    assert read.is_https
    assert not read.debug
    assert not read.is_local
    assert read.allowed_hosts == ["labonnealternance.example"]
    assert (read.database["HOST"], read.database["PORT"], read.database["NAME"]) == ("base.example", 5432, "app")
    assert read.proxy_count == 1
    assert (read.log_format, read.log_level) == ("json", "INFO")


def test_the_registers_of_advisors_each_have_a_name_and_an_address():
    told = " Un registre = https://un.example/e/{siret} ; Un autre=https://autre.example/?q={siren}&x=1;"
    assert env.read(PRODUCTION | {"PUBLIC_REGISTERS": told}).public_registers == [
        ("Un registre", "https://un.example/e/{siret}"),
        ("Un autre", "https://autre.example/?q={siren}&x=1"),
    ]
    assert env.read(PRODUCTION).public_registers == []


@pytest.mark.parametrize("name", sorted(PRODUCTION))
@pytest.mark.parametrize("value", [None, "", "   "])
def test_each_needed_variable_is_asked_for_by_its_name(name, value):
    variables = {key: given for key, given in PRODUCTION.items() if key != name}
    if value is not None:
        variables[name] = value
    with pytest.raises(ImproperlyConfigured, match=rf"- {name} manque : \w"):
        env.read(variables)


@pytest.mark.parametrize(
    "name, value, sentence",
    [
        ("SECRET_KEY", "court", "SECRET_KEY a 5 caractères : il en faut 50."),
        ("SITE_URL", "labonnealternance.example", "SITE_URL n’est pas l’adresse d’un site"),
        ("SITE_URL", "https://labonnealternance.example/chemin", "SITE_URL n’est pas l’adresse d’un site"),
        ("SITE_URL", "https://labonnealternance.example?x=1", "SITE_URL n’est pas l’adresse d’un site"),
        ("SITE_URL", "https://labonnealternance.example#x", "SITE_URL n’est pas l’adresse d’un site"),
        ("SITE_URL", "https://moi@labonnealternance.example", "SITE_URL n’est pas l’adresse d’un site"),
        ("SITE_URL", "ftp://labonnealternance.example", "SITE_URL n’est pas l’adresse d’un site"),
        ("SITE_URL", "https://[", "SITE_URL n’est pas une adresse"),
        ("SITE_URL", "http://labonnealternance.example", "SITE_URL commence par http://"),
        ("DEBUG", "1", "DEBUG=1 montre réglages et données aux visiteurs"),
        ("DEBUG", "peut-être", "DEBUG ne vaut ni 0 ni 1"),
        ("DATABASE_URL", "sqlite:///base.sqlite3", "DATABASE_URL ne désigne pas une base PostgreSQL"),
        ("DATABASE_URL", "mysql://app@base.example/app", "DATABASE_URL ne désigne pas une base PostgreSQL"),
        ("DATABASE_URL", "base", "DATABASE_URL ne désigne pas une base PostgreSQL"),
        ("DATABASE_URL", "postgres://app@base.example", "DATABASE_URL ne désigne pas une base PostgreSQL"),
        ("DATABASE_URL", "postgres://app@base.example:port/app", "DATABASE_URL n’est pas une adresse"),
        ("REDIS_URL", "amqp://broker.example", "REDIS_URL commence par redis://"),
        ("EMAIL_URL", "mailbox:///var/mail", "EMAIL_URL=mailbox: garde les e-mails sur cette machine"),
        ("EMAIL_URL", "pigeon://mail.example", "EMAIL_URL"),
        ("DEFAULT_FROM_EMAIL", "La bonne alternance", "DEFAULT_FROM_EMAIL ne contient pas d’adresse e-mail"),
        ("DEFAULT_FROM_EMAIL", "A\n<a@exemple.fr>", "DEFAULT_FROM_EMAIL ne contient pas d’adresse e-mail"),
        ("CONTACT_EMAIL", "L’équipe <contact@exemple.fr>", "CONTACT_EMAIL est une adresse e-mail, sans nom devant"),
        ("CONTACT_EMAIL", "contact", "CONTACT_EMAIL ne contient pas d’adresse e-mail"),
        ("ALLOWED_HOSTS", "*", "ALLOWED_HOSTS donne des noms exacts"),
        ("ALLOWED_HOSTS", "https://www.exemple.fr", "ALLOWED_HOSTS donne des noms exacts"),
        ("ALLOWED_HOSTS", "www.exemple.fr, .exemple.fr", "ALLOWED_HOSTS donne des noms exacts"),
        ("PROXY_COUNT", "-1", "PROXY_COUNT n’est pas un nombre entier"),
        ("PROXY_COUNT", "deux", "PROXY_COUNT n’est pas un nombre entier"),
        ("PROCESS_KIND", "cron", "PROCESS_KIND vaut migration, script, web, worker"),
        ("DATA_DIR", "/n/existe/pas", "DATA_DIR n’est pas un dossier"),
        ("FILES_DIR", "/n/existe/pas", "FILES_DIR n’est pas un dossier"),
        ("SCORING_DIR", "/n/existe/pas", "SCORING_DIR n’est pas un dossier"),
        ("MAP_TILES_URL", "tuiles", "MAP_TILES_URL est un modèle d’adresse"),
        ("COMPANY_REGISTRY_URL", "http://registre.example", "COMPANY_REGISTRY_URL est l’adresse d’un service"),
        ("COMPANY_REGISTRY_URL", "registre.example", "COMPANY_REGISTRY_URL est l’adresse d’un service"),
        ("OPCO_SERVICE_URL", "https://opco.example/?cle=1", "OPCO_SERVICE_URL est l’adresse d’un service"),
        ("PUBLIC_REGISTERS", "https://registre.example/{siret}", "PUBLIC_REGISTERS s’écrit Nom=https://"),
        ("PUBLIC_REGISTERS", "Registre=http://registre.example/{siret}", "PUBLIC_REGISTERS s’écrit Nom=https://"),
        ("PUBLIC_REGISTERS", "Registre=https://registre.example/", "PUBLIC_REGISTERS s’écrit Nom=https://"),
        ("PUBLIC_REGISTERS", "Registre=https://registre.example/{0}{siret}", "PUBLIC_REGISTERS s’écrit Nom=https://"),
        ("SENTRY_DSN", "https://sentry.example/1", "SENTRY_DSN est une adresse, comme"),
        ("LOG_LEVEL", "bavard", "LOG_LEVEL vaut DEBUG, INFO"),
        ("LOG_FORMAT", "xml", "LOG_FORMAT vaut json ou text"),
    ],
)
def test_a_wrong_or_contradictory_value_is_told(name, value, sentence):
    with pytest.raises(ImproperlyConfigured) as told:
        env.read(PRODUCTION | {name: value})
    assert sentence in str(told.value)


def test_every_fault_is_told_at_once():
    with pytest.raises(ImproperlyConfigured) as told:
        env.read({"DEBUG": "1"})
    assert len(str(told.value).splitlines()) == 1 + len(PRODUCTION) + 1


def test_a_password_is_not_repeated_in_what_is_told():
    with pytest.raises(ImproperlyConfigured) as told:
        env.read(PRODUCTION | {"DATABASE_URL": "mysql://app:motdepasse@base.example/app", "SECRET_KEY": "tropcourt"})
    assert "motdepasse" not in str(told.value)
    assert "tropcourt" not in str(told.value)


def test_a_part_of_a_password_that_is_taken_for_the_port_is_not_repeated_either():
    with pytest.raises(ImproperlyConfigured) as told:
        env.read(PRODUCTION | {"DATABASE_URL": "postgres://app:mot/depasse@base.example/app"})
    assert "DATABASE_URL n’est pas une adresse (les signes @ : / ? #" in str(told.value)
    assert "'mot" not in str(told.value)


def test_a_laptop_may_do_what_production_may_not():
    local = {"SITE_URL": "http://127.0.0.1:8000", "EMAIL_URL": "mailbox:///var/mail", "DEBUG": "1"}
    variables = {key: value for key, value in PRODUCTION.items() if key not in {"DEFAULT_FROM_EMAIL", "CONTACT_EMAIL"}}
    read = env.read(variables | local, local=True)
    assert (read.debug, read.is_https, read.proxy_count, read.log_format) == (True, False, 0, "text")


def test_a_socket_s_folder_is_read_as_the_host():
    read = env.read(PRODUCTION | {"DATABASE_URL": "postgres://app@%2Fvar%2Frun%2Fpostgresql/app"})
    assert read.database["HOST"] == "/var/run/postgresql"


def manage(*arguments, **variables):
    environment = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "labonnealternance.settings.base"}
    return subprocess.run(
        [sys.executable, "-W", "error", "manage.py", *arguments],
        cwd=settings.BASE_DIR, env=environment | variables, capture_output=True, text=True, timeout=60,
    )  # fmt: skip


def test_the_deployment_check_is_clean_with_the_variables_of_production():
    answer = manage("check", "--deploy", "--fail-level", "WARNING", **PRODUCTION)
    assert answer.returncode == 0, answer.stderr
    assert "no issues (0 silenced)" in answer.stdout


@pytest.mark.parametrize("name", ["WEB_CONCURRENCY", "WEB_THREADS"])
@pytest.mark.parametrize("value", ["deux", "0", "-1"])
def test_a_wrong_number_of_processes_or_threads_stops_the_web_server(name, value):
    answer = subprocess.run(
        [sys.executable, "-c", "import labonnealternance.gunicorn"],
        cwd=settings.BASE_DIR, env={"PATH": os.environ["PATH"], name: value}, capture_output=True, text=True,
    )  # fmt: skip
    assert answer.returncode == 1
    assert answer.stderr.splitlines() == [f"{name} n’est pas un nombre entier, 1 ou plus : {value!r}"]


@pytest.mark.parametrize(
    ("given", "level"), [("debug", "DEBUG"), (" warning ", "WARNING"), ("bavard", "INFO"), ("", "INFO")]
)
def test_the_web_server_reads_the_level_as_the_settings_do_and_leaves_them_to_tell_a_wrong_one(given, level):
    answer = subprocess.run(
        [sys.executable, "-c", "from labonnealternance.gunicorn import logconfig_dict as d; print(d['root']['level'])"],
        cwd=settings.BASE_DIR, env={"PATH": os.environ["PATH"], "LOG_LEVEL": given}, capture_output=True, text=True,
    )  # fmt: skip
    assert answer.stdout.strip() == level


def test_a_process_without_its_variables_does_not_start():
    answer = manage("check", **{key: value for key, value in PRODUCTION.items() if key != "SITE_URL"})
    assert answer.returncode != 0
    assert answer.stderr.startswith("Le service ne peut pas démarrer :\n  - SITE_URL manque")
