"""Names are found without accents nor punctuation, in a commune; built while the table is read and written."""

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models

from companies.models.search_keys import NameKey


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("companies", "0010_opcoassignment_establishment_checked_at_and_more")]
    operations = [
        AddIndexConcurrently(
            "establishment", GinIndex(OpClass(NameKey("name"), "gin_trgm_ops"), name="establishment_name_key")
        ),
        AddIndexConcurrently("establishment", models.Index(fields=["commune"], name="establishment_commune")),
        RemoveIndexConcurrently("establishment", "establishment_name_trgm"),
    ]
