"""Why a release names an establishment, and how good the release was found to be."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("companies", "0004_contact_phone")]

    operations = [
        migrations.AddField(
            model_name="release",
            name="measures",
            field=models.JSONField(
                db_default=models.Value({}, models.JSONField()), default=dict, verbose_name="mesures publiées"
            ),
        ),
        migrations.CreateModel(
            name="Explanation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("asked_at", models.DateTimeField(verbose_name="demandée le")),
                ("answered_at", models.DateTimeField(null=True, verbose_name="calculée le")),
                ("reasons", models.JSONField(default=dict, verbose_name="raisons")),
                (
                    "establishment",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="explanations",
                        to="companies.establishment",
                    ),
                ),
                (
                    "release",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="explanations",
                        to="companies.release",
                    ),
                ),
            ],
            options={
                "verbose_name": "explication",
                "indexes": [
                    models.Index(
                        condition=models.Q(("answered_at__isnull", True)),
                        fields=["asked_at"],
                        name="explanation_awaited",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("release", "establishment"),
                        name="one_explanation_by_release",
                        violation_error_message="Cet établissement a déjà une explication pour cette livraison.",
                    )
                ],
            },
        ),
    ]
