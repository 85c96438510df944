"""Makes the virtual environment with what a bare machine has: Python 3.11, and nothing else.

    python3 labonnealternance/embedded/bootstrap.py [--browser]

Standard library only; run again, it does nothing when the requirements have not changed. With ``--browser`` it also
sees to it that Chromium is there for the browser tests.
"""

import ctypes
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

PROJECT = Path(__file__).resolve().parents[2]
REQUIREMENTS = PROJECT / "requirements-dev.txt"
VENV = Path(os.environ.get("VENV") or PROJECT / ".venv").absolute()
PYTHON = VENV / "bin" / "python"
AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")


def say(text):
    print(f"— {text}", flush=True)


def stop(text) -> NoReturn:
    raise SystemExit(f"\n{text}")


def run(*command, **options):
    return subprocess.run([str(part) for part in command], check=True, **options)


def apt_install(*packages):
    """Installs Debian packages when this account may; says whether it did."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    say(f"apt-get install {' '.join(packages)}")
    quiet = {"env": environment, "stdout": subprocess.DEVNULL}
    try:
        run("apt-get", "update", "-qq", **quiet)
        run("apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages, **quiet)
    except subprocess.CalledProcessError:
        return False
    return True


def pinned(name):
    """The lines of one package in the requirements: its version and its hashes."""
    found = re.search(rf"^{name}==(?:.*\\\n)*.*\n", REQUIREMENTS.read_text(), re.MULTILINE)
    return found.group(0) if found else name


def mark():
    parts = (sys.version, VENV, REQUIREMENTS.read_text())
    return hashlib.sha256("\n".join(str(part) for part in parts).encode()).hexdigest()


def find_uv():
    """uv on the path, else from pip, however this machine comes by pip."""
    on_path = shutil.which("uv")
    if on_path:
        return on_path
    if (VENV / "bin" / "uv").exists():
        return VENV / "bin" / "uv"
    aside = VENV / "bootstrap"
    # Debian keeps pip and venv in packages of their own.
    if importlib.util.find_spec("ensurepip") is None and importlib.util.find_spec("pip") is None:
        apt_install("python3-venv")
    requirement = VENV / "uv-requirement.txt"
    VENV.mkdir(parents=True, exist_ok=True)
    requirement.write_text(pinned("uv"))
    arguments = ["install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r", requirement]
    # A child asks again: what apt has just installed is not seen by this process.
    if subprocess.run([sys.executable, "-c", "import ensurepip"], stderr=subprocess.DEVNULL).returncode == 0:
        run(sys.executable, "-m", "venv", aside)
        run(aside / "bin" / "python", "-m", "pip", *arguments)
    elif importlib.util.find_spec("pip") is not None:
        run(sys.executable, "-m", "pip", *arguments, "--target", aside)
    else:
        stop(
            "Python est là, mais ni pip ni venv. Debian les range à part :\n"
            "    sudo apt-get install python3-venv\npuis relancez la même commande."
        )
    return aside / "bin" / "uv"


def make_environment():
    kept = VENV / "installed"
    if kept.exists() and kept.read_text() == mark() and PYTHON.exists():
        return
    say(f"environnement Python dans {VENV.name}/ (une minute la première fois)")
    uv = find_uv()
    environment = {**os.environ, "VIRTUAL_ENV": str(VENV)}
    # uv brings its own authorities; those of the machine, a company's proxy among them, are the ones to trust.
    if AUTHORITIES.exists():
        environment.setdefault("UV_SYSTEM_CERTS", "1")
    if not PYTHON.exists():
        run(uv, "venv", "--quiet", "--allow-existing", "--python", sys.executable, VENV, env=environment)
    run(uv, "pip", "sync", "--quiet", "--require-hashes", REQUIREMENTS, env=environment)
    kept.write_text(mark())


def provide_openmp():
    """LightGBM needs libgomp: from Debian, else the copy that scikit-learn carries (the Makefile sets the path)."""
    try:
        ctypes.CDLL("libgomp.so.1")
        return
    except OSError:
        pass
    folder = VENV / "lib" / "openmp"
    if (folder / "libgomp.so.1").exists() or apt_install("libgomp1"):
        return
    carried = next(VENV.glob("lib/python*/site-packages/scikit_learn.libs/libgomp-*.so*"), None)
    if carried is None:
        stop("LightGBM a besoin de libgomp : sudo apt-get install libgomp1, puis relancez la même commande.")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "libgomp.so.1").symlink_to(carried)


def provide_browser():
    if shutil.which("chromium") or apt_install("chromium", "fonts-dejavu-core"):
        return
    stop(
        "Les tests du navigateur ont besoin de Chromium, que ce compte ne peut pas installer :\n"
        "    sudo apt-get install chromium\npuis relancez la même commande."
    )


def main():
    if sys.version_info < (3, 11):  # noqa: UP036 (any python3 may run this file)
        stop(f"Python 3.11 ou plus récent est nécessaire ; celui-ci est {sys.version.split()[0]} (PYTHON=… en change).")
    try:
        make_environment()
        provide_openmp()
        if "--browser" in sys.argv:
            provide_browser()
    except subprocess.CalledProcessError as failure:
        stop(f"Cette commande a échoué (code {failure.returncode}) : {' '.join(failure.cmd)}")
    except KeyboardInterrupt:
        stop("Arrêté.")


if __name__ == "__main__":
    main()
