"""A laptop, the demo: embedded services unless variables name others, e-mails kept in the development mailbox."""

import os
import secrets
from urllib.parse import quote

from labonnealternance.embedded import address_file, postgres, state_dir, valkey


def _secret_key() -> str:
    """Drawn once per state folder, so that sessions and links outlive a restart."""
    kept = state_dir() / "secret_key"
    if not kept.exists():
        aside = kept.with_suffix(f".{os.getpid()}")
        aside.touch(mode=0o600)
        aside.write_text(secrets.token_urlsafe(60))
        aside.rename(kept)
    return kept.read_text()


def _address() -> str:
    """``PORT`` of this command, else the address of the copy that runs, else port 8000."""
    port = os.environ.get("PORT")
    if not port and address_file().exists():
        return address_file().read_text()
    return f"http://127.0.0.1:{port or 8000}"


_files = state_dir() / "files"
_files.mkdir(mode=0o700, exist_ok=True)
_named_by_the_user = {name for name in ("DATABASE_URL", "REDIS_URL") if os.environ.get(name)}
_named_by_the_user -= set(os.environ.get("EMBEDDED_SERVICES", "").split())
_defaults = {
    "LOCAL": "1",
    "SECRET_KEY": _secret_key(),
    "SITE_URL": _address(),
    "ALLOWED_HOSTS": "127.0.0.1,localhost",
    "EMAIL_URL": f"mailbox://{quote(str(state_dir() / 'mailbox'))}",
    "DATABASE_URL": f"postgres://{postgres.USER}@{quote(postgres.host(), safe='')}/{postgres.DATABASE}",
    "REDIS_URL": f"redis+socket://{valkey.socket()}",
    "FILES_DIR": str(_files),
    # Tells this process's children, and the lease, which services are the embedded ones.
    "EMBEDDED_SERVICES": " ".join(sorted({"DATABASE_URL", "REDIS_URL"} - _named_by_the_user)),
}
for _name, _value in _defaults.items():
    if not os.environ.get(_name):
        os.environ[_name] = _value

from labonnealternance.settings.base import *  # noqa: E402, F403
