"""The project's sample of the nomenclatures, whole or as a copy to spoil."""

import shutil
from pathlib import Path

from django.utils import timezone

from companies.actions import reference_tables
from companies.management.commands.import_references import SAMPLE


def copy_sample(folder: Path) -> Path:
    """A copy of the sample that a test may spoil."""
    return shutil.copytree(SAMPLE, folder / "source")


def load(source: Path = SAMPLE, **options) -> reference_tables.Report:
    return reference_tables.load(source=source, at=timezone.now(), **options)


def edit(source: Path, file: str, change) -> Path:
    """Writes ``change(text)`` in place of the text of ``file``."""
    path = source / file
    path.write_text(change(path.read_text("utf-8")), "utf-8")
    return path
