"""The environment variables, read and checked once: what is missing or contradictory stops the start with a sentence.

``docs/operations.md`` lists them. Only the web server's own (``gunicorn.py``) and a laptop's (``embedded``, ``demo``)
are read elsewhere.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parseaddr
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

from labonnealternance.mail import transport

EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
KINDS_OF_PROCESS = {"web", "worker", "script", "migration"}


class WrongEnvironment(ImproperlyConfigured):
    """The service can't start; the message tells every fault in French, a line each."""


@dataclass(frozen=True)
class Environment:
    """The settings that differ between two copies of the service."""

    is_local: bool
    debug: bool
    secret_key: str
    site_url: str
    allowed_hosts: list[str]
    database: dict
    redis_url: str
    email_url: str
    from_email: str
    contact_email: str
    hosted_by: str
    process_kind: str
    proxy_count: int
    data_dir: Path | None
    files_dir: Path | None
    scoring_dir: Path | None
    map_tiles_url: str
    map_tiles_credit: str
    company_registry_url: str
    opco_service_url: str
    public_registers: list[tuple[str, str]]
    sentry_dsn: str
    log_level: str
    log_format: str

    @property
    def is_https(self) -> bool:
        return self.site_url.startswith("https://")


def read(variables: Mapping[str, str], *, local: bool = False) -> Environment:
    """Reads ``variables``; ``local`` accepts what only a laptop may do (http, development mailbox, debug pages).

    Raises ``WrongEnvironment`` with every fault found.
    """
    env = environ.Env()
    env.ENVIRON = dict(variables)
    faults: list[str] = []

    def required(name: str, help_text: str) -> str:
        value = env.str(name, default="").strip()
        if not value:
            faults.append(f"{name} manque : {help_text}")
        return value

    def number(name: str, default: int) -> int:
        given = env.str(name, default="").strip()
        if given and not given.isdecimal():
            faults.append(f"{name} n’est pas un nombre entier, 0 ou plus : {given!r}")
        return int(given) if given.isdecimal() else default

    def split(name: str, url: str) -> SplitResult:
        try:
            parts = urlsplit(url)
            parts.port  # noqa: B018 (its reading is its check)
        except ValueError:
            # Its own words quote what stands in the place of the port: a part of the password, most often.
            faults.append(f"{name} n’est pas une adresse {transport.ENCODED}.")
            return urlsplit("")
        return parts

    def mailbox(name: str, default: str, help_text: str, *, may_be_named: bool) -> str:
        given = env.str(name, default="").strip() or (default if local else "")
        if not given:
            faults.append(f"{name} manque : {help_text}")
        elif not EMAIL.fullmatch(parseaddr(given)[1]) or not given.isprintable():
            faults.append(f"{name} ne contient pas d’adresse e-mail : {given!r}")
        elif not may_be_named and not EMAIL.fullmatch(given):
            faults.append(f"{name} est une adresse e-mail, sans nom devant : {given!r}")
        return given

    def flag(name: str) -> bool:
        value = env.str(name, default="").strip().lower()
        if value not in {"", "0", "1", "true", "false", "yes", "no"}:
            faults.append(f"{name} ne vaut ni 0 ni 1 : {value!r}")
        return value in {"1", "true", "yes"}

    def writable_folder(name: str) -> Path | None:
        given = env.str(name, default="").strip()
        if given and not (Path(given).is_dir() and os.access(given, os.W_OK)):
            faults.append(f"{name} n’est pas un dossier où ce compte peut écrire : {given!r}")
        return Path(given) if given else None

    def service_address(name: str) -> str:
        given = env.str(name, default="").strip().rstrip("/")
        address = split(name, given)
        allowed = {"https", "http"} if local else {"https"}
        if given and (address.scheme not in allowed or not address.hostname or address.query or address.fragment):
            faults.append(f"{name} est l’adresse d’un service, comme https://service.exemple.fr")
        return given

    def registers(name: str) -> list[tuple[str, str]]:
        """« label=address; label=address », each address a model that holds {siret} or {siren}."""
        found = []
        for entry in filter(None, (part.strip() for part in env.str(name, default="").split(";"))):
            label, _, model = (part.strip() for part in entry.partition("="))
            bare = model.replace("{siret}", "").replace("{siren}", "")
            place = split(name, bare)
            if not label or place.scheme != "https" or not place.hostname or bare == model or set("{}") & set(bare):
                faults.append(f"{name} s’écrit Nom=https://registre.exemple.fr/{{siret}} (ou {{siren}}) : {entry!r}")
            else:
                found.append((label, model))
        return found

    debug = flag("DEBUG")
    secret_key = required("SECRET_KEY", "un texte tiré au hasard, de 50 caractères ou plus, gardé hors du dépôt.")
    site_url = required("SITE_URL", "l’adresse publique du service, comme https://exemple.gouv.fr").rstrip("/")
    database_url = required("DATABASE_URL", "postgres://compte:mot-de-passe@serveur:5432/base")
    redis_url = required("REDIS_URL", "redis://serveur:6379/0 (la file d’attente des workers)")
    email_url = required("EMAIL_URL", "smtp+tls://compte:mot-de-passe@serveur:587, ou anymail+brevo://?api_key=…")

    address = split("SITE_URL", site_url)
    beside_its_name = address.path or address.query or address.fragment or address.username
    if site_url and (address.scheme not in {"http", "https"} or not address.hostname or beside_its_name):
        faults.append(f"SITE_URL n’est pas l’adresse d’un site (https:// et un nom, rien après) : {site_url!r}")
    if site_url and address.scheme == "http" and not local:
        faults.append(
            "SITE_URL commence par http:// : hors d’un poste de travail, les sessions et les liens demandent https://."
        )
    if debug and not local:
        faults.append(
            "DEBUG=1 montre réglages et données aux visiteurs : il est refusé hors de labonnealternance.settings.local."
        )
    if secret_key and len(secret_key) < 50:
        faults.append(f"SECRET_KEY a {len(secret_key)} caractère{'s' if len(secret_key) > 1 else ''} : il en faut 50.")
    if email_url:
        try:
            transport.read(email_url)
        except transport.WrongTransport as fault:
            faults.append(str(fault))
    if email_url.startswith("mailbox:") and not local:
        faults.append(
            "EMAIL_URL=mailbox: garde les e-mails sur cette machine : donnez un serveur SMTP ou un fournisseur."
        )

    allowed_hosts = [host.strip() for host in env.list("ALLOWED_HOSTS", default=[])]
    if any("*" in host or "/" in host or host.startswith(".") for host in allowed_hosts):
        faults.append("ALLOWED_HOSTS donne des noms exacts : ni *, ni point au début, ni https://.")
    if address.hostname and address.hostname not in allowed_hosts:
        allowed_hosts = [address.hostname, *allowed_hosts]

    database: dict = {}
    place = split("DATABASE_URL", database_url)
    if place.scheme in {"postgres", "postgresql"} and place.path.strip("/"):
        database = env.db_url_config(database_url)
        # A socket's folder is written %2Flike%2Fthis in place of the host.
        database["HOST"] = unquote(database.get("HOST") or "")
    elif database_url:
        faults.append("DATABASE_URL ne désigne pas une base PostgreSQL, la seule acceptée.")
    broker = split("REDIS_URL", redis_url)
    if redis_url and broker.scheme not in {"redis", "rediss", "redis+socket"}:
        faults.append("REDIS_URL commence par redis://, rediss:// ou redis+socket://")

    process_kind = env.str("PROCESS_KIND", default="").strip() or "script"
    if process_kind not in KINDS_OF_PROCESS:
        faults.append(f"PROCESS_KIND vaut {', '.join(sorted(KINDS_OF_PROCESS))}, et non {process_kind!r}.")

    data_dir = env.str("DATA_DIR", default="").strip()
    if data_dir and not Path(data_dir).is_dir():
        faults.append(
            f"DATA_DIR n’est pas un dossier : {data_dir!r} (celui des fichiers officiels ; sinon, ne le donnez pas)."
        )

    map_tiles_url = env.str("MAP_TILES_URL", default="").strip()
    if map_tiles_url and not (split("MAP_TILES_URL", map_tiles_url).hostname and "{z}" in map_tiles_url):
        faults.append("MAP_TILES_URL est un modèle d’adresse, comme https://tuiles.exemple.fr/{z}/{x}/{y}.png")

    sentry_dsn = env.str("SENTRY_DSN", default="").strip()
    if sentry_dsn and not (split("SENTRY_DSN", sentry_dsn).hostname and split("SENTRY_DSN", sentry_dsn).username):
        faults.append("SENTRY_DSN est une adresse, comme https://cle@sentry.exemple.fr/1")

    log_level = env.str("LOG_LEVEL", default="").strip().upper() or "INFO"
    if log_level not in {"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"}:
        faults.append(f"LOG_LEVEL vaut DEBUG, INFO, WARNING, ERROR ou CRITICAL, et non {log_level!r}.")

    log_format = env.str("LOG_FORMAT", default="").strip() or ("text" if local else "json")
    if log_format not in {"json", "text"}:
        faults.append(f"LOG_FORMAT vaut json ou text, et non {log_format!r}.")

    environment = Environment(
        is_local=local,
        debug=debug,
        secret_key=secret_key,
        site_url=site_url,
        allowed_hosts=allowed_hosts,
        database=database,
        redis_url=redis_url,
        email_url=email_url,
        from_email=mailbox(
            "DEFAULT_FROM_EMAIL",
            "La bonne alternance <ne-pas-repondre@labonnealternance.invalid>",
            "l’expéditeur des e-mails, comme La bonne alternance <ne-pas-repondre@exemple.gouv.fr>",
            may_be_named=True,
        ),
        contact_email=mailbox(
            "CONTACT_EMAIL",
            "contact@labonnealternance.example",
            "l’adresse à laquelle écrivent les visiteurs, comme contact@exemple.gouv.fr",
            may_be_named=False,
        ),
        hosted_by=env.str("HOSTED_BY", default=""),
        process_kind=process_kind,
        proxy_count=number("PROXY_COUNT", 0 if local else 1),
        data_dir=Path(data_dir) if data_dir else None,
        files_dir=writable_folder("FILES_DIR"),
        scoring_dir=writable_folder("SCORING_DIR"),
        map_tiles_url=map_tiles_url,
        map_tiles_credit=env.str("MAP_TILES_CREDIT", default=""),
        company_registry_url=service_address("COMPANY_REGISTRY_URL"),
        opco_service_url=service_address("OPCO_SERVICE_URL"),
        public_registers=registers("PUBLIC_REGISTERS"),
        sentry_dsn=sentry_dsn,
        log_level=log_level,
        log_format=log_format,
    )
    if faults:
        raise WrongEnvironment("Le service ne peut pas démarrer :\n" + "\n".join(f"  - {fault}" for fault in faults))
    return environment
