import companies.models.siret
import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.contrib.postgres.operations import BtreeGistExtension
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("companies", "0004_references"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        # Equality of texts beside an overlap of times, in one GiST index.
        BtreeGistExtension(),
        migrations.RemoveIndex(
            model_name="contactcorrection",
            name="correction_latest",
        ),
        migrations.AlterField(
            model_name="establishment",
            name="idcc",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="companies.idcc",
            ),
        ),
        migrations.AlterField(
            model_name="establishment",
            name="last_import",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="companies.establishmentimport",
            ),
        ),
        migrations.AddIndex(
            model_name="contactcorrection",
            index=models.Index(fields=["siret", "channel", "-decided_at", "-id"], name="correction_latest"),
        ),
        migrations.RemoveIndex(
            model_name="visibilitydecision",
            name="decision_scope_value",
        ),
        migrations.AddIndex(
            model_name="visibilitydecision",
            index=models.Index(fields=["value"], name="decision_value"),
        ),
        migrations.AlterField(
            model_name="establishment",
            name="naf",
            field=models.ForeignKey(
                db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, to="companies.naf", verbose_name="activité (NAF)"
            ),
        ),
        migrations.AlterField(
            model_name="establishment",
            name="commune",
            field=models.ForeignKey(
                db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, to="companies.commune"
            ),
        ),
        migrations.AlterField(
            model_name="establishment",
            name="opco",
            field=models.ForeignKey(
                db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, to="companies.opco", related_name="+"
            ),
        ),
        # A unique constraint alone: a unique column would carry a second index, for LIKE, that nothing uses.
        migrations.AlterField(
            model_name="establishment",
            name="siret",
            field=models.CharField(
                max_length=14,
                validators=[companies.models.siret.validate_siret],
                verbose_name="SIRET",
            ),
        ),
        migrations.AddConstraint(
            model_name="establishment",
            constraint=models.UniqueConstraint(fields=("siret",), name="establishment_siret"),
        ),
        migrations.AlterField(
            model_name="contact",
            name="siret",
            field=models.CharField(max_length=14, verbose_name="SIRET"),
        ),
        migrations.AddConstraint(
            model_name="contact",
            constraint=models.UniqueConstraint(fields=("siret",), name="contact_siret"),
        ),
        migrations.AddConstraint(
            model_name="contact",
            constraint=models.CheckConstraint(
                condition=models.Q(("siret__regex", "^\\d{14}$")), name="contact_siret_has_14_digits"
            ),
        ),
        migrations.AddConstraint(
            model_name="contact",
            constraint=models.CheckConstraint(
                condition=models.Q(("email", django.db.models.functions.text.Lower("email"))),
                name="contact_email_is_lower_case",
                violation_error_message="Une adresse e-mail s'écrit en minuscules.",
            ),
        ),
        migrations.AddConstraint(
            model_name="contactcorrection",
            constraint=models.CheckConstraint(
                condition=models.Q(("siret__regex", "^\\d{14}$")),
                name="correction_siret_has_14_digits",
                violation_error_message="Un SIRET a 14 chiffres.",
            ),
        ),
        migrations.AddConstraint(
            model_name="contactcorrection",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("channel", "email"), _negated=True),
                    ("value", django.db.models.functions.text.Lower("value")),
                    _connector="OR",
                ),
                name="correction_email_is_lower_case",
                violation_error_message="Une adresse e-mail s'écrit en minuscules.",
            ),
        ),
        migrations.AddConstraint(
            model_name="visibilitydecision",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind", "channel_hidden"), ("channel", "all"), _connector="OR"),
                name="decision_channel_only_when_hidden",
                violation_error_message="Un moyen de contact ne se choisit que pour être masqué.",
            ),
        ),
        migrations.AddConstraint(
            model_name="visibilitydecision",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("scope", "siret"), ("value__regex", "^\\d{14}$")),
                    models.Q(("scope", "siren"), ("value__regex", "^\\d{9}$")),
                    models.Q(
                        ("scope", "email"),
                        ("value", django.db.models.functions.text.Lower("value")),
                        ("value__contains", "@"),
                    ),
                    _connector="OR",
                ),
                name="decision_value_fits_its_scope",
                violation_error_message="La valeur d'une décision est un SIRET, un SIREN ou une adresse e-mail.",
            ),
        ),
        migrations.AddConstraint(
            model_name="visibilitydecision",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                condition=models.Q(("revoked_at__isnull", True)),
                expressions=[
                    ("kind", "="),
                    ("scope", "="),
                    ("value", "="),
                    ("channel", "="),
                    (
                        models.Func(
                            "starts_at",
                            "ends_at",
                            function="TSTZRANGE",
                            output_field=django.contrib.postgres.fields.ranges.DateTimeRangeField(),
                        ),
                        "&&",
                    ),
                ],
                name="decision_one_in_force",
                violation_error_message="La même décision est déjà en vigueur.",
            ),
        ),
    ]
