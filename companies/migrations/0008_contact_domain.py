"""The index by which the domain of a recruiter's address is found among known contacts; made while the table serves."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("companies", "0007_batch_indexes")]

    operations = [
        AddIndexConcurrently(
            model_name="contact",
            index=models.Index(
                models.Func(
                    models.F("email"),
                    models.Value("@"),
                    models.Value(-1),
                    function="split_part",
                    output_field=models.CharField(),
                ),
                name="contact_domain",
            ),
        ),
    ]
