"""Where a running copy keeps its state: ``.local/`` beside manage.py, or ``STATE_DIR``."""

import os
import secrets
import stat
import tempfile
from pathlib import Path

PROJECT_DIR = Path(__file__).resolve().parents[2]

# A Unix socket's path holds 107 bytes; PostgreSQL adds "/.s.PGSQL.5432.lock".
LONGEST_SOCKET_FOLDER = 107 - len("/.s.PGSQL.5432.lock")


def state_dir() -> Path:
    """The folder of this copy's database, broker, secret and mails; created when missing."""
    folder = Path(os.environ.get("STATE_DIR") or PROJECT_DIR / ".local").expanduser().absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Made by root, most often, in a copy that an ordinary user runs next.
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError
    except OSError:
        raise SystemExit(
            f"{folder} ne peut pas être un dossier de ce compte : choisissez un autre STATE_DIR."
        ) from None
    return folder


def address_file() -> Path:
    """Holds the address of the copy that runs on this state, for commands typed in another terminal."""
    return state_dir() / "address"


def _mark() -> str:
    """A name of this state folder's own, drawn once: a new folder at the same path never meets the old one's data."""
    known = state_dir() / "mark"
    try:
        with open(known, "x") as file:
            file.write(secrets.token_hex(6))
    except FileExistsError:
        pass
    return known.read_text()


def reachable_by_others(folder: Path) -> bool:
    """Whether an account without rights on ``folder``'s parents may walk down to it."""
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in (folder, *folder.parents))


def service_home() -> Path:
    """The folder in which the database's account can work.

    PostgreSQL refuses to run as root, and runs as ``nobody`` instead; where the state folder lies under a private
    folder (a home in mode 700), its data go to a folder of /var/tmp that carries the state folder's mark.
    """
    folder = state_dir()
    if os.geteuid() != 0 or reachable_by_others(folder):
        return folder
    home = Path("/var/tmp") / f"labonnealternance-{_mark()}"  # noqa: S108 (ours alone, checked below)
    home.mkdir(mode=0o755, exist_ok=True)
    if home.stat().st_uid != 0 or home.is_symlink():
        raise SystemExit(f"{home} n’appartient pas à root : supprimez ce dossier, ou choisissez un autre STATE_DIR.")
    return home


def socket_folder(name: str) -> Path:
    """A folder short enough for a Unix socket: in the state folder, else in the temporary one."""
    folder = service_home() / name
    if len(str(folder)) > LONGEST_SOCKET_FOLDER:
        folder = Path(tempfile.gettempdir()) / f"lba-{_mark()}-{name}"
    return folder


def ensure_private(folder: Path, *, owner: int | None = None) -> Path:
    """``folder`` in mode 700, owned by ``owner`` (this process's own account by default)."""
    owner = os.geteuid() if owner is None else owner
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if stat.S_ISLNK(found.st_mode) or found.st_uid not in (owner, os.geteuid()):
        raise SystemExit(f"{folder} appartient à un autre compte : supprimez ce dossier.")
    if found.st_uid != owner:
        os.chown(folder, owner, -1)
    folder.chmod(0o700)
    return folder
