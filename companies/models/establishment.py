"""Establishments as the registry knows them. Human decisions never share a column with these facts."""

from django.contrib.postgres.indexes import GinIndex
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Left

from companies.enums import HeadcountBand, ImportStatus
from companies.models.reference import Commune, Idcc, Naf, Opco


class EstablishmentImport(models.Model):
    """One run of ``import_establishments`` on one file."""

    file_name = models.CharField("fichier", max_length=255)
    file_sha256 = models.CharField(max_length=64)
    file_dated_on = models.DateField("fichier du")
    status = models.CharField("état", max_length=12, choices=ImportStatus, default=ImportStatus.RUNNING)
    started_at = models.DateTimeField("début")
    finished_at = models.DateTimeField("fin", null=True)
    read_rows = models.PositiveIntegerField("lignes lues", default=0)
    quarantined_rows = models.PositiveIntegerField("lignes écartées", default=0)
    added_rows = models.PositiveIntegerField("nouveaux", default=0)
    changed_rows = models.PositiveIntegerField("modifiés", default=0)
    closed_rows = models.PositiveIntegerField("fermés", default=0)
    reopened_rows = models.PositiveIntegerField("rouverts", default=0)
    forced_reason = models.TextField("raison du passage en force", blank=True)
    refusal = models.TextField("raison du refus", blank=True)

    class Meta:
        verbose_name = "import d'établissements"
        verbose_name_plural = "imports d'établissements"

    def __str__(self):
        return f"{self.file_name} ({self.file_dated_on})"


class LegalUnit(models.Model):
    """The company behind establishments (StockUniteLegale): gives them a name."""

    siren = models.CharField("SIREN", primary_key=True, max_length=9)
    name = models.CharField("dénomination", max_length=200)
    legal_category = models.CharField("catégorie juridique", max_length=4, blank=True)
    is_diffusible = models.BooleanField("diffusible", default=True)

    class Meta:
        verbose_name = "entreprise"

    def __str__(self):
        return f"{self.name} ({self.siren})"


class Establishment(models.Model):
    """An establishment of the SIRENE registry. ``siret`` is text: its zeros are kept."""

    id = models.AutoField(primary_key=True)
    siret = models.CharField(
        "SIRET", max_length=14, unique=True, validators=[RegexValidator(r"^\d{14}$", "Un SIRET a 14 chiffres.")]
    )
    siren = models.GeneratedField(
        expression=Left("siret", 9), output_field=models.CharField(max_length=9), db_persist=True, verbose_name="SIREN"
    )
    name = models.CharField("nom", max_length=200)
    legal_name = models.CharField("raison sociale", max_length=200, blank=True)
    naf = models.ForeignKey(Naf, on_delete=models.PROTECT, null=True, verbose_name="activité (NAF)")
    headcount_band = models.CharField("effectif", max_length=2, choices=HeadcountBand, default=HeadcountBand.UNKNOWN)
    created_on = models.DateField("création", null=True)
    address_complement = models.CharField("complément d'adresse", max_length=200, blank=True)
    address = models.CharField("adresse", max_length=200, blank=True)
    postcode = models.CharField("code postal", max_length=5, blank=True)
    commune = models.ForeignKey(Commune, on_delete=models.PROTECT, null=True)
    latitude = models.FloatField(null=True)
    longitude = models.FloatField(null=True)
    is_headquarters = models.BooleanField("siège", default=False)
    is_employer = models.BooleanField("employeur", default=True)
    is_diffusible = models.BooleanField("diffusible", default=True)
    closed_on = models.DateField("fermeture", null=True)
    registry_updated_at = models.DateTimeField("mise à jour au registre", null=True)
    last_import = models.ForeignKey(EstablishmentImport, on_delete=models.PROTECT, null=True, related_name="+")
    idcc = models.ForeignKey(Idcc, on_delete=models.PROTECT, null=True, related_name="+")
    opco = models.ForeignKey(Opco, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name = "établissement"
        constraints = [
            models.CheckConstraint(condition=models.Q(siret__regex=r"^\d{14}$"), name="siret_has_14_digits"),
            models.CheckConstraint(
                condition=models.Q(latitude__isnull=True, longitude__isnull=True)
                | models.Q(latitude__isnull=False, longitude__isnull=False),
                name="establishment_point_is_whole",
            ),
        ]
        indexes = [
            models.Index(fields=["siren"], name="establishment_siren"),
            GinIndex(fields=["name"], opclasses=["gin_trgm_ops"], name="establishment_name_trgm"),
        ]

    def __str__(self):
        return f"{self.name} ({self.siret})"


class Contact(models.Model):
    """The known contact of an establishment, as a source gave it; keyed by SIRET text."""

    siret = models.CharField("SIRET", max_length=14, unique=True)
    email = models.EmailField("adresse e-mail", max_length=254, blank=True)
    phone = models.CharField("téléphone", max_length=20, blank=True)
    source = models.CharField("source", max_length=100)
    imported_at = models.DateTimeField("import")

    class Meta:
        verbose_name = "contact"
        indexes = [models.Index(fields=["email"], name="contact_email")]

    def __str__(self):
        return self.siret
