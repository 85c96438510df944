"""What a migration would do to a database that serves: squawk reads the SQL of those newer than the initial ones.

    python -m tests.lint_migrations

The initial migrations make tables that nobody reads yet. A finding is mended, or answered in ``ANSWERED``.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from django.apps import apps
from django.db import connection
from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState

ROOT = Path(__file__).parent.parent

# (app, migration) → rules whose finding a person answered for, each with the reason.
ANSWERED: dict[tuple[str, str], dict[str, str]] = {
    ("companies", "0006_batch"): {
        "adding-foreign-key-constraint": "a new column that holds nothing, to a table made just before: PostgreSQL"
        " knows both, and reads no row (nothing is validated where the column comes without a default)",
    },
    ("companies", "0010_contact_siret_covers"): {
        "ban-drop-constraint": "the index made just before holds the same guarantee",
        "renaming-object": "no statement names an index",
    },
}

NOT_ASKED = [
    # Style: Django chooses the types, and records what was run.
    "prefer-bigint-over-int",
    "prefer-bigint-over-smallint",
    "prefer-identity",
    "prefer-robust-stmts",
    "prefer-text-field",
    # A connection that migrates has its own (settings.LOCK_TIMEOUTS, STATEMENT_TIMEOUTS).
    "require-lock-timeout",
    "require-statement-timeout",
]


def ours() -> set[str]:
    """Labels of the project's own apps."""
    return {
        each.label for each in apps.get_app_configs() if Path(each.path).parent in {ROOT, ROOT / "labonnealternance"}
    }


def sql_of(migration: Migration, state: ProjectState) -> str:
    """The SQL that ``migration`` would run; ``state`` is what it starts from, and becomes what it ends at."""
    with connection.schema_editor(collect_sql=True, atomic=False) as editor:
        migration.apply(state, editor, collect_sql=True)
    return "\n".join(editor.collected_sql)


def newer_than_initial() -> Iterator[tuple[Migration, str]]:
    """The migrations to read, and their SQL."""
    loader = MigrationLoader(connection)
    for key, migration in loader.disk_migrations.items():
        if key[0] in ours() and not migration.initial:
            yield migration, sql_of(migration, loader.project_state(key, at_end=False))


def findings(sql: str, *, atomic: bool = True) -> list[dict]:
    """What squawk says of ``sql``, which runs in a transaction or not; nothing of the tables that it makes itself."""
    squawk = Path(sys.executable).parent / "squawk"
    options = ["--reporter=json", "--pg-version=15", f"--exclude={','.join(NOT_ASKED)}"]
    answer = subprocess.run(
        [squawk, *options, *(["--assume-in-transaction"] if atomic else []), "--stdin-filepath=migration.sql"],
        input=sql, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    if answer.returncode not in (0, 1):
        raise RuntimeError(answer.stderr)
    lines, made = sql.splitlines(), re.findall(r'CREATE TABLE "(\w+)"', sql)
    is_new = [re.compile(rf'(?:TABLE|ON) "{table}"') for table in made]
    found = json.loads(answer.stdout or "[]")
    return [each for each in found if not any(table.search(lines[each["line"]]) for table in is_new)]


def main() -> int:
    unanswered = 0
    for migration, sql in newer_than_initial():
        answered = ANSWERED.get((migration.app_label, migration.name), {})
        for found in findings(sql, atomic=migration.atomic):
            if found["rule_name"] not in answered:
                unanswered += 1
                print(f"{migration}: {found['rule_name']}: {found['message']}")
    return 1 if unanswered else 0


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "labonnealternance.settings.local")
    import django

    from labonnealternance.embedded import services

    with services():
        django.setup()
        sys.exit(main())
