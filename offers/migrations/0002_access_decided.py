"""The index by which the accesses decided last are listed first; made while the table serves."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("offers", "0001_initial")]

    operations = [
        AddIndexConcurrently(
            model_name="access",
            index=models.Index(
                condition=models.Q(("status", "awaiting"), _negated=True),
                fields=["status", "-decided_at", "-id"],
                name="access_decided",
            ),
        ),
    ]
