"""Migrations let a database serve: what ``.ci/checks`` asks of squawk is answered as it should be."""

import pytest
from django.db import migrations, models
from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader

from tests import lint_migrations

pytestmark = pytest.mark.django_db


def rules(*operations, atomic=True):
    """Names of the rules that a migration of ``accounts`` with these operations would break."""
    migration = Migration("9999_essai", "accounts")
    migration.operations, migration.atomic = list(operations), atomic
    loader = MigrationLoader(None)
    state = loader.project_state(loader.graph.leaf_nodes("accounts"))
    found = lint_migrations.findings(lint_migrations.sql_of(migration, state), atomic=atomic)
    return {each["rule_name"] for each in found}


@pytest.mark.parametrize(
    ("rule", "operation"),
    [
        ("adding-required-field", migrations.RunSQL("ALTER TABLE accounts_user ADD COLUMN age integer NOT NULL")),
        ("ban-drop-default", migrations.AddField("user", "age", models.IntegerField(default=0))),
        ("changing-column-type", migrations.AlterField("user", "is_active", models.TextField())),
        ("renaming-column", migrations.RenameField("user", "phone", "telephone")),
        ("ban-drop-column", migrations.RemoveField("user", "phone")),
        (
            "require-concurrent-index-creation",
            migrations.AddIndex("user", models.Index(fields=["phone"], name="accounts_user_phone")),
        ),
        (
            "constraint-missing-not-valid",
            migrations.AddConstraint(
                "user", models.CheckConstraint(condition=~models.Q(phone="0"), name="accounts_user_phone_is_one")
            ),
        ),
    ],
)
def test_what_would_stop_or_break_the_service_is_caught(rule, operation):
    assert rule in rules(operation)


def test_what_harms_nobody_passes():
    assert rules(migrations.AddField("user", "age", models.IntegerField(null=True))) == set()
    assert rules(migrations.AddField("user", "age", models.IntegerField(db_default=0))) == set()
    assert rules(migrations.AlterField("user", "phone", models.CharField("mobile", max_length=20, blank=True))) == set()


def test_a_new_table_is_made_as_one_likes():
    person = models.ForeignKey("accounts.User", models.PROTECT, related_name="+")
    made = migrations.CreateModel("Dog", [("id", models.BigAutoField(primary_key=True)), ("name", models.TextField())])
    assert rules(made, migrations.AddField("dog", "person", person)) == set()


def test_an_answer_outlives_no_migration():
    known = MigrationLoader(None).disk_migrations
    assert set(lint_migrations.ANSWERED) <= set(known)
