import django.contrib.postgres.indexes
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("companies", "0003_hiring_potential"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="formercommune",
            options={"verbose_name": "ancienne commune", "verbose_name_plural": "anciennes communes"},
        ),
        migrations.CreateModel(
            name="ReferenceImport",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("source", models.CharField(max_length=255, verbose_name="dossier")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("running", "En cours"),
                            ("done", "Terminé"),
                            ("refused", "Refusé"),
                            ("interrupted", "Interrompu"),
                        ],
                        max_length=12,
                        verbose_name="état",
                    ),
                ),
                ("started_at", models.DateTimeField(verbose_name="début")),
                ("finished_at", models.DateTimeField(verbose_name="fin")),
                ("tables", models.JSONField(default=dict, verbose_name="tables")),
                ("bad_lines", models.PositiveIntegerField(default=0, verbose_name="lignes écartées")),
                ("faults", models.JSONField(default=list, verbose_name="raisons")),
                ("forced_reason", models.TextField(blank=True, verbose_name="raison du passage en force")),
                ("refusal", models.TextField(blank=True, verbose_name="raison du refus")),
            ],
            options={
                "verbose_name": "import des nomenclatures",
                "verbose_name_plural": "imports des nomenclatures",
            },
        ),
        migrations.AddField(
            model_name="opco",
            name="api_label",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=150, verbose_name="nom dans le service public des OPCO"
            ),
        ),
        migrations.AddField(
            model_name="rome",
            name="hirings",
            field=models.PositiveIntegerField(
                db_default=0,
                default=0,
                help_text="Embauches comptées dans toutes les activités : les métiers courants d'abord.",
                verbose_name="embauches",
            ),
        ),
        migrations.AddField(
            model_name="romeappellation",
            name="feminine_key",
            field=models.CharField(db_default="", default="", editable=False, max_length=300),
        ),
        migrations.AddField(
            model_name="romeappellation",
            name="masculine_key",
            field=models.CharField(db_default="", default="", editable=False, max_length=300),
        ),
        migrations.AddField(
            model_name="romeappellation",
            name="is_main",
            field=models.BooleanField(db_default=False, default=False, verbose_name="principale"),
        ),
        migrations.AddIndex(
            model_name="commune",
            index=models.Index(
                django.contrib.postgres.indexes.OpClass(models.F("search_key"), "varchar_pattern_ops"),
                name="commune_by_prefix",
            ),
        ),
    ]
