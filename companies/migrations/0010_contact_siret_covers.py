"""The unique index of the contacts' SIRET also holds their address: the search asks whose establishment it is there.

Made while the table serves; the one that it replaces goes in the same instant as it takes its name.
"""

from django.db import migrations, models

MAKE = "CREATE UNIQUE INDEX CONCURRENTLY contact_siret_covers ON companies_contact (siret) INCLUDE (email)"
REPLACE = """
ALTER TABLE companies_contact DROP CONSTRAINT contact_siret;
ALTER INDEX contact_siret_covers RENAME TO contact_siret;
"""
MAKE_AGAIN = "CREATE UNIQUE INDEX CONCURRENTLY contact_siret_alone ON companies_contact (siret)"
PUT_BACK = """
DROP INDEX contact_siret;
ALTER TABLE companies_contact ADD CONSTRAINT contact_siret UNIQUE USING INDEX contact_siret_alone;
"""


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("companies", "0009_cells_of_all_editions")]

    operations = [
        migrations.RunSQL(MAKE, PUT_BACK),
        migrations.RunSQL(
            REPLACE,
            MAKE_AGAIN,
            state_operations=[
                migrations.RemoveConstraint(model_name="contact", name="contact_siret"),
                migrations.AddConstraint(
                    model_name="contact",
                    constraint=models.UniqueConstraint(
                        fields=["siret"],
                        include=["email"],
                        name="contact_siret",
                        violation_error_message="Un contact est déjà connu pour ce SIRET.",
                    ),
                ),
            ],
        ),
    ]
