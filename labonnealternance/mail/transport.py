"""How e-mails leave: ``EMAIL_URL`` read into Django's and Anymail's settings. Loaded by the settings: no model here.

===================================================  =====================================================
``mailbox:///folder``                                kept as ``.eml`` files, read on the development mailbox page
``smtp://host:25``                                   in clear, for a relay on the same machine or network
``smtp+tls://account:password@host:587``             STARTTLS
``smtp+ssl://account:password@host:465``             TLS from the first byte
``anymail+brevo://?api_key=…``                       a provider's API; ``PROVIDERS`` names them all
===================================================  =====================================================

Accounts, passwords and keys are percent-encoded where they hold ``@ : / ? & # %``.
"""

from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

# Seconds for each exchange with a server: a sign-in link that waits longer than this waits in the outbox.
TIMEOUT = 10

MAILBOX_BACKEND = "labonnealternance.mail.mailbox.MailboxBackend"
SMTP_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
DEFAULT_PORTS = {"smtp": 25, "smtp+tls": 587, "smtp+ssl": 465}
ENCODED = "(les signes @ : / ? # d’un mot de passe s’écrivent %40 %3A %2F %3F %23)"


@dataclass(frozen=True)
class Provider:
    """What a provider's API asks for: settings without which it refuses, and those that it may have."""

    required: frozenset[str]
    optional: frozenset[str] = frozenset()


def _provider(*required: str, optional: str = "") -> Provider:
    return Provider(frozenset(required), frozenset({"api_url", *optional.split()}))


# Anymail's names, https://anymail.dev/en/stable/esps/. Left out: one that needs another package (Amazon SES), one that
# Anymail no longer supports (SendGrid); both also take smtp+tls.
PROVIDERS = {
    "brevo": _provider("api_key"),
    "mailersend": _provider("api_token"),
    "mailgun": _provider("api_key", optional="sender_domain webhook_signing_key"),
    "mailjet": _provider("api_key", "secret_key"),
    "mailtrap": _provider("api_token", optional="sandbox_id"),
    "mandrill": _provider("api_key", optional="webhook_key"),
    "postal": _provider("api_key", "api_url"),
    "postmark": _provider("server_token", optional="message_stream"),
    "resend": _provider("api_key"),
    "scaleway": _provider("secret_key", "project_id", optional="region"),
    "sparkpost": _provider("api_key", optional="subaccount"),
    "unisender_go": _provider("api_key", "api_url"),
}


class WrongTransport(ValueError):
    """``EMAIL_URL`` cannot be used; the sentence says what would help and repeats no secret."""


@dataclass(frozen=True)
class Transport:
    """The mail settings of Django: ``EMAIL_BACKEND``, ``EMAIL_FILE_PATH``, ``EMAIL_HOST``…, and ``ANYMAIL``."""

    backend: str
    folder: str = ""
    host: str = ""
    port: int = 25
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    use_tls: bool = False
    use_ssl: bool = False
    anymail: dict[str, object] = field(default_factory=dict, repr=False)

    @property
    def is_mailbox(self) -> bool:
        """Whether e-mails stay on this machine."""
        return self.backend == MAILBOX_BACKEND


def read(url: str) -> Transport:
    """``url`` as settings. Raises ``WrongTransport``."""
    scheme = url.partition(":")[0]
    if scheme == "mailbox":
        return _mailbox(url)
    if scheme in DEFAULT_PORTS:
        return _smtp(scheme, url)
    if scheme.startswith("anymail+"):
        return _anymail(scheme.removeprefix("anymail+"), url)
    raise WrongTransport(
        f"EMAIL_URL commence par {scheme[:20]!r}, et non par mailbox:, smtp:, smtp+tls:, smtp+ssl: ou anymail+…:"
    )


def _mailbox(url: str) -> Transport:
    parts = urlsplit(url)
    folder = unquote(parts.path)
    if parts.netloc or not folder.strip("/"):
        raise WrongTransport(
            "EMAIL_URL=mailbox: désigne un dossier par son chemin entier, comme mailbox:///var/tmp/mailbox"
        )
    return Transport(backend=MAILBOX_BACKEND, folder=folder)


def _smtp(scheme: str, url: str) -> Transport:
    example = f"{scheme}://compte:mot-de-passe@serveur:{DEFAULT_PORTS[scheme]}"
    parts = urlsplit(url)
    try:
        port = parts.port or DEFAULT_PORTS[scheme]
    except ValueError:
        raise WrongTransport(f"Le port d’EMAIL_URL n’est pas un nombre : comme {example} {ENCODED}") from None
    if not parts.hostname or parts.path.strip("/") or parts.query or parts.fragment:
        raise WrongTransport(f"EMAIL_URL désigne un serveur, et rien après : comme {example} {ENCODED}")
    if bool(parts.username) != bool(parts.password):
        raise WrongTransport(f"EMAIL_URL donne un compte et son mot de passe, ou aucun des deux : comme {example}")
    return Transport(
        backend=SMTP_BACKEND,
        host=parts.hostname,
        port=port,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        use_tls=scheme == "smtp+tls",
        use_ssl=scheme == "smtp+ssl",
    )


def _anymail(name: str, url: str) -> Transport:
    provider = PROVIDERS.get(name)
    if provider is None:
        raise WrongTransport(f"EMAIL_URL ne désigne aucun fournisseur connu : il y a {', '.join(PROVIDERS)}")
    given = parse_qs(urlsplit(url).query, keep_blank_values=True)
    values = {key: texts[-1].strip() for key, texts in given.items()}
    if missing := sorted(key for key in provider.required if not values.get(key)):
        form = "&".join(f"{key}=…" for key in sorted(provider.required))
        raise WrongTransport(f"Il manque à EMAIL_URL {', '.join(missing)} : anymail+{name}://?{form}")
    if unknown := sorted(values.keys() - provider.required - provider.optional):
        raise WrongTransport(
            f"EMAIL_URL donne ce que {name} n’accepte pas ({', '.join(unknown)}) : "
            f"{', '.join(sorted(provider.required | provider.optional))}"
        )
    prefix = name.upper()
    return Transport(
        backend=f"anymail.backends.{name}.EmailBackend",
        anymail={
            "REQUESTS_TIMEOUT": TIMEOUT,
            **{f"{prefix}_{key.upper()}": value for key, value in values.items() if value},
        },
    )
