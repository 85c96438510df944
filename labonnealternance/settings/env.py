"""The environment variables, read and checked once: what is missing or contradictory stops the start with a sentence.

``docs/operations.md`` lists them. Nothing else in the project reads ``os.environ`` for a setting.
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
    sentry_dsn: str
    log_level: str
    log_format: str

    @property
    def is_https(self) -> bool:
        return self.site_url.startswith("https://")


def read(variables: Mapping[str, str], *, local: bool = False) -> Environment:
    """Reads ``variables``; ``local`` accepts what only a laptop may do (http, development mailbox, debug pages).

    Raises ``ImproperlyConfigured`` with every fault found, a line each.
    """
    env = environ.Env()
    env.ENVIRON = dict(variables)
    faults: list[str] = []

    def required(name: str, help_text: str) -> str:
        value = env.str(name, default="").strip()
        if not value:
            faults.append(f"{name} is missing: {help_text}")
        return value

    def number(name: str, default: int) -> int:
        given = env.str(name, default="").strip()
        if given and not given.isdecimal():
            faults.append(f"{name} is not a whole number, 0 or more: {given!r}")
        return int(given) if given.isdecimal() else default

    def split(name: str, url: str) -> SplitResult:
        try:
            parts = urlsplit(url)
            parts.port  # noqa: B018 (its reading is its check)
        except ValueError as fault:
            faults.append(f"{name} is not an address: {fault}.")
            return urlsplit("")
        return parts

    def sender(name: str, default: str, help_text: str) -> str:
        given = env.str(name, default="").strip() or (default if local else "")
        if not given:
            faults.append(f"{name} is missing: {help_text}")
        elif not EMAIL.fullmatch(parseaddr(given)[1]):
            faults.append(f"{name} holds no e-mail address: {given!r}")
        return given

    def flag(name: str) -> bool:
        value = env.str(name, default="").strip().lower()
        if value not in {"", "0", "1", "true", "false", "yes", "no"}:
            faults.append(f"{name} is neither 0 nor 1: {value!r}")
        return value in {"1", "true", "yes"}

    debug = flag("DEBUG")
    secret_key = required("SECRET_KEY", "a random text of 50 characters or more, kept out of the repository.")
    site_url = required("SITE_URL", "the public address of the service, as in https://exemple.gouv.fr").rstrip("/")
    database_url = required("DATABASE_URL", "postgres://account:password@host:5432/database")
    redis_url = required("REDIS_URL", "redis://host:6379/0 (the broker of the workers)")
    email_url = required("EMAIL_URL", "smtp+tls://account:password@host:587, or anymail+brevo://?api_key=…")

    address = split("SITE_URL", site_url)
    if site_url and (address.scheme not in {"http", "https"} or not address.hostname or address.path):
        faults.append(f"SITE_URL is not the address of a site (scheme and host, nothing after): {site_url!r}")
    if site_url and address.scheme == "http" and not local:
        faults.append("SITE_URL starts with http://: sessions and links need https:// outside a laptop.")
    if debug and not local:
        faults.append(
            "DEBUG=1 shows settings and data to visitors: it is refused outside labonnealternance.settings.local."
        )
    if secret_key and len(secret_key) < 50:
        faults.append(f"SECRET_KEY has {len(secret_key)} characters: 50 are needed.")
    if email_url:
        try:
            transport.read(email_url)
        except transport.WrongTransport as fault:
            faults.append(str(fault))
    if email_url.startswith("mailbox:") and not local:
        faults.append("EMAIL_URL=mailbox: keeps e-mails on this machine: give an SMTP server or a provider.")

    allowed_hosts = env.list("ALLOWED_HOSTS", default=[])
    if any("*" in host or host.startswith(".") for host in allowed_hosts):
        faults.append("ALLOWED_HOSTS names hosts exactly: no * and no leading dot.")
    if address.hostname and address.hostname not in allowed_hosts:
        allowed_hosts = [address.hostname, *allowed_hosts]

    database: dict = {}
    place = split("DATABASE_URL", database_url)
    if place.scheme in {"postgres", "postgresql"} and place.path.strip("/"):
        database = env.db_url_config(database_url)
        # A socket's folder is written %2Flike%2Fthis in place of the host.
        database["HOST"] = unquote(database.get("HOST") or "")
    elif database_url:
        faults.append("DATABASE_URL does not name a PostgreSQL database: no other one is supported.")
    broker = split("REDIS_URL", redis_url)
    if redis_url and broker.scheme not in {"redis", "rediss", "redis+socket"}:
        faults.append("REDIS_URL starts with redis://, rediss:// or redis+socket://")

    process_kind = env.str("PROCESS_KIND", default="script")
    if process_kind not in KINDS_OF_PROCESS:
        faults.append(f"PROCESS_KIND is one of {', '.join(sorted(KINDS_OF_PROCESS))}, not {process_kind!r}.")

    data_dir = env.str("DATA_DIR", default="").strip()
    if data_dir and not Path(data_dir).is_dir():
        faults.append(f"DATA_DIR is not a folder: {data_dir!r} (the official reference files, or leave it out).")

    files_dir = env.str("FILES_DIR", default="").strip()
    if files_dir and not (Path(files_dir).is_dir() and os.access(files_dir, os.W_OK)):
        faults.append(f"FILES_DIR is not a folder that this account may write in: {files_dir!r}")

    scoring_dir = env.str("SCORING_DIR", default="").strip()
    if scoring_dir and not (Path(scoring_dir).is_dir() and os.access(scoring_dir, os.W_OK)):
        faults.append(f"SCORING_DIR is not a folder that this account may write in: {scoring_dir!r}")

    map_tiles_url = env.str("MAP_TILES_URL", default="").strip()
    if map_tiles_url and not (split("MAP_TILES_URL", map_tiles_url).hostname and "{z}" in map_tiles_url):
        faults.append("MAP_TILES_URL is a template such as https://tuiles.exemple.fr/{z}/{x}/{y}.png")

    sentry_dsn = env.str("SENTRY_DSN", default="").strip()
    if sentry_dsn and not (split("SENTRY_DSN", sentry_dsn).hostname and split("SENTRY_DSN", sentry_dsn).username):
        faults.append("SENTRY_DSN is an address such as https://key@sentry.exemple.fr/1")

    log_level = env.str("LOG_LEVEL", default="").strip().upper() or "INFO"
    if log_level not in {"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"}:
        faults.append(f"LOG_LEVEL is DEBUG, INFO, WARNING, ERROR or CRITICAL, not {log_level!r}.")

    log_format = env.str("LOG_FORMAT", default="").strip() or ("text" if local else "json")
    if log_format not in {"json", "text"}:
        faults.append(f"LOG_FORMAT is json or text, not {log_format!r}.")

    environment = Environment(
        is_local=local,
        debug=debug,
        secret_key=secret_key,
        site_url=site_url,
        allowed_hosts=allowed_hosts,
        database=database,
        redis_url=redis_url,
        email_url=email_url,
        from_email=sender(
            "DEFAULT_FROM_EMAIL",
            "La bonne alternance <ne-pas-repondre@labonnealternance.invalid>",
            "who the e-mails come from, as in La bonne alternance <ne-pas-repondre@exemple.gouv.fr>",
        ),
        contact_email=sender(
            "CONTACT_EMAIL",
            "contact@labonnealternance.example",
            "whom visitors write to: contact@exemple.gouv.fr",
        ),
        hosted_by=env.str("HOSTED_BY", default=""),
        process_kind=process_kind,
        proxy_count=number("PROXY_COUNT", 0 if local else 1),
        data_dir=Path(data_dir) if data_dir else None,
        files_dir=Path(files_dir) if files_dir else None,
        scoring_dir=Path(scoring_dir) if scoring_dir else None,
        map_tiles_url=map_tiles_url,
        map_tiles_credit=env.str("MAP_TILES_CREDIT", default=""),
        sentry_dsn=sentry_dsn,
        log_level=log_level,
        log_format=log_format,
    )
    if faults:
        raise ImproperlyConfigured("The service cannot start:\n" + "\n".join(f"  - {fault}" for fault in faults))
    return environment
