"""What support notes about an establishment."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("companies", "0002_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Remark",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("siret", models.CharField(max_length=14, verbose_name="SIRET")),
                ("text", models.TextField(blank=True, verbose_name="remarque")),
                ("at", models.DateTimeField(verbose_name="écrite le")),
                ("removed_at", models.DateTimeField(blank=True, null=True, verbose_name="retirée le")),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="auteur",
                    ),
                ),
                (
                    "removed_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="retirée par",
                    ),
                ),
            ],
            options={
                "verbose_name": "remarque",
                "indexes": [models.Index(fields=["siret", "-at", "-id"], name="remark_latest")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("siret__regex", "^\\d{14}$")),
                        name="remark_siret_has_14_digits",
                        violation_error_message="Un SIRET a 14 chiffres.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("removed_at__isnull", True),
                                ("removed_by__isnull", True),
                                models.Q(("text", ""), _negated=True),
                            ),
                            models.Q(("removed_at__isnull", False), ("removed_by__isnull", False), ("text", "")),
                            _connector="OR",
                        ),
                        name="remark_has_a_text_until_someone_removes_it",
                        violation_error_message="Une remarque a un texte, que seule la personne qui la retire efface.",
                    ),
                ],
            },
        ),
    ]
