"""Where an import puts the lines that do not fit: a CSV file with the line's number, why, and what it held."""

import csv
import json
from pathlib import Path
from typing import TextIO


class Quarantine:
    """Written aside under a ``.part`` name, and renamed once whole; no file where every line fits."""

    def __init__(self, path: Path):
        self.path, self.rows = path, 0
        self._aside = path.with_name(path.name + ".part")
        self._file: TextIO | None = None

    def add(self, *, file_name: str, line: int, reason: str, content: str | dict[str, str]):
        """Sets a line aside. What it held is quoted as JSON, which no spreadsheet takes for a formula."""
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # Registry files name people: for the account that imports only.
            self._aside.touch(mode=0o600)
            self._file = self._aside.open("w", encoding="utf-8", newline="")
            self._writer = csv.writer(self._file)
            self._writer.writerow(["fichier", "ligne", "raison", "contenu"])
        self._writer.writerow([file_name, line, reason, json.dumps(content, ensure_ascii=False)])
        self.rows += 1

    def close(self) -> Path | None:
        """The file's path, or None when nothing was set aside."""
        if self._file is None:
            return None
        self._file.close()
        self._file = None
        self._aside.rename(self.path)
        return self.path
