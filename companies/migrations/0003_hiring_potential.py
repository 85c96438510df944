"""Releases of hiring potentials and the editions that the search reads."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

STATUSES = [
    ("writing", "En écriture"),
    ("ready", "Prête"),
    ("current", "En ligne"),
    ("previous", "Précédente"),
    ("retired", "Retirée"),
    ("abandoned", "Abandonnée"),
]

# One partition per release: written aside, attached whole, detached when it is dropped.
CREATE_POTENTIALS = """
CREATE TABLE companies_hiringpotential (
    release_id bigint NOT NULL,
    establishment_id integer NOT NULL,
    expected real NOT NULL CONSTRAINT expected_contracts_is_a_number CHECK (expected > 0 AND expected < 'Infinity'),
    rome_id varchar(5) NOT NULL,
    PRIMARY KEY (release_id, establishment_id, rome_id)
) PARTITION BY LIST (release_id)
"""


class Migration(migrations.Migration):
    dependencies = [
        ("companies", "0002_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Release",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("status", models.CharField(choices=STATUSES, default="writing", max_length=10, verbose_name="état")),
                ("origin", models.CharField(max_length=200, verbose_name="origine")),
                ("policy", models.JSONField(default=dict, verbose_name="règle d'exposition")),
                ("summary", models.JSONField(default=dict, verbose_name="résumé")),
                ("written_rows", models.PositiveBigIntegerField(default=0, verbose_name="lignes reçues")),
                ("begun_at", models.DateTimeField(verbose_name="commencée le")),
                ("written_at", models.DateTimeField(verbose_name="dernière écriture")),
                ("finished_at", models.DateTimeField(null=True, verbose_name="prête le")),
                ("published_at", models.DateTimeField(null=True, verbose_name="mise en ligne le")),
                ("dropped_at", models.DateTimeField(null=True, verbose_name="potentiels supprimés le")),
            ],
            options={
                "verbose_name": "livraison de potentiels",
                "verbose_name_plural": "livraisons de potentiels",
                "indexes": [models.Index(fields=["-begun_at"], name="release_latest")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=["status"],
                        condition=models.Q(status="current"),
                        name="one_current_release",
                        violation_error_message="Une livraison est déjà en ligne.",
                    ),
                    models.UniqueConstraint(
                        fields=["status"],
                        condition=models.Q(status="previous"),
                        name="one_previous_release",
                        violation_error_message="Une livraison est déjà gardée pour un retour en arrière.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ReleaseMove",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("from_status", models.CharField(choices=STATUSES, max_length=10, verbose_name="de")),
                ("to_status", models.CharField(choices=STATUSES, max_length=10, verbose_name="à")),
                ("at", models.DateTimeField(verbose_name="le")),
                ("reason", models.TextField(blank=True, verbose_name="raison")),
                (
                    "by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="auteur",
                    ),
                ),
                (
                    "release",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="journal",
                        to="companies.release",
                        verbose_name="livraison",
                    ),
                ),
            ],
            options={
                "verbose_name": "passage d'un état à l'autre",
                "verbose_name_plural": "passages d'un état à l'autre",
            },
        ),
        migrations.CreateModel(
            name="SearchEdition",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField(verbose_name="jour")),
                ("begun_at", models.DateTimeField(verbose_name="commencée le")),
                ("built_at", models.DateTimeField(null=True, verbose_name="construite le")),
                ("is_current", models.BooleanField(default=False, verbose_name="lue par la recherche")),
                ("superseded_at", models.DateTimeField(null=True, verbose_name="remplacée le")),
                ("entries", models.PositiveBigIntegerField(default=0, verbose_name="lignes")),
                ("mean_expected", models.FloatField(default=1, verbose_name="potentiel moyen")),
                (
                    "release",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="editions",
                        to="companies.release",
                        verbose_name="livraison",
                    ),
                ),
            ],
            options={
                "verbose_name": "édition de la recherche",
                "verbose_name_plural": "éditions de la recherche",
                "constraints": [
                    models.UniqueConstraint(
                        fields=["is_current"], condition=models.Q(is_current=True), name="one_current_edition"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(is_current=False) | models.Q(built_at__isnull=False),
                        name="current_edition_is_built",
                    ),
                ],
            },
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(CREATE_POTENTIALS, "DROP TABLE companies_hiringpotential")],
            state_operations=[
                migrations.CreateModel(
                    name="HiringPotential",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "release_id",
                                "establishment_id",
                                "rome_id",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("expected", models.FloatField(verbose_name="contrats attendus en six mois")),
                        (
                            "release",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                to="companies.release",
                            ),
                        ),
                        (
                            "establishment",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="hiring_potentials",
                                to="companies.establishment",
                            ),
                        ),
                        (
                            "rome",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="hiring_potentials",
                                to="companies.rome",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "potentiel d'embauche",
                        "verbose_name_plural": "potentiels d'embauche",
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(expected__gt=0, expected__lt=float("inf")),
                                name="expected_contracts_is_a_number",
                            )
                        ],
                    },
                ),
            ],
        ),
    ]
