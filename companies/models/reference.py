"""The nomenclatures that the market speaks: places, activities, jobs, and the OPCO of each branch."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F

from companies.enums import ImportStatus, RomeItemKind


class ReferenceImport(models.Model):
    """One run of ``import_references``: what it read, what changed, and why it was refused or forced."""

    source = models.CharField("dossier", max_length=255)
    status = models.CharField("état", max_length=12, choices=ImportStatus)
    started_at = models.DateTimeField("début")
    finished_at = models.DateTimeField("fin")
    #: {table: {"read", "added", "changed", "removed", "kept"}}: numbers of rows.
    tables = models.JSONField("tables", default=dict)
    bad_lines = models.PositiveIntegerField("lignes écartées", default=0)
    #: The first ones: [[file, line, reason]].
    faults = models.JSONField("raisons", default=list)
    forced_reason = models.TextField("raison du passage en force", blank=True)
    refusal = models.TextField("raison du refus", blank=True)

    class Meta:
        verbose_name = "import des nomenclatures"
        verbose_name_plural = "imports des nomenclatures"

    def __str__(self):
        return f"{self.source} ({self.started_at:%d/%m/%Y})"


class Region(models.Model):
    code = models.CharField(primary_key=True, max_length=3)
    name = models.CharField("nom", max_length=100)

    class Meta:
        verbose_name = "région"

    def __str__(self):
        return self.name


class Departement(models.Model):
    code = models.CharField(primary_key=True, max_length=3)
    name = models.CharField("nom", max_length=100)
    region = models.ForeignKey(Region, on_delete=models.PROTECT, null=True, verbose_name="région")

    class Meta:
        verbose_name = "département"

    def __str__(self):
        return f"{self.name} ({self.code})"


class Commune(models.Model):
    """A commune or a municipal arrondissement; ``code`` is INSEE's (five characters), not the postcode."""

    code = models.CharField("code INSEE", primary_key=True, max_length=5)
    name = models.CharField("nom", max_length=100)
    search_key = models.CharField(max_length=120, editable=False)
    postcodes = ArrayField(models.CharField(max_length=5), verbose_name="codes postaux", default=list)
    departement = models.ForeignKey(Departement, on_delete=models.PROTECT, verbose_name="département")
    population = models.PositiveIntegerField(default=0)
    latitude = models.FloatField(null=True)
    longitude = models.FloatField(null=True)
    employment_zone = models.CharField("zone d’emploi", max_length=5, blank=True)
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, verbose_name="commune parente")

    class Meta:
        indexes = [
            GinIndex(fields=["search_key"], opclasses=["gin_trgm_ops"], name="commune_search_trgm"),
            models.Index(OpClass(F("search_key"), "varchar_pattern_ops"), name="commune_by_prefix"),
            GinIndex(fields=["postcodes"], name="commune_postcodes"),
            models.Index(fields=["-population", "code"], name="commune_by_population"),
        ]

    def __str__(self):
        return f"{self.name} ({self.departement_id})"


class FormerCommune(models.Model):
    """A commune that was merged: old files and addresses still name it."""

    code = models.CharField("code INSEE", primary_key=True, max_length=5)
    name = models.CharField("nom", max_length=100)
    search_key = models.CharField(max_length=120, editable=False)
    commune = models.ForeignKey(Commune, on_delete=models.CASCADE, related_name="former_communes")

    class Meta:
        verbose_name = "ancienne commune"
        verbose_name_plural = "anciennes communes"

    def __str__(self):
        return self.name


class Naf(models.Model):
    """An activity of NAF rev. 2 (``4711D``: four digits and a letter, no dot)."""

    code = models.CharField(primary_key=True, max_length=5)
    label = models.CharField("libellé", max_length=200)

    class Meta:
        verbose_name = "activité (NAF)"
        verbose_name_plural = "activités (NAF)"

    def __str__(self):
        return f"{self.code} {self.label}"


class Opco(models.Model):
    """One of the eleven skills operators."""

    code = models.SlugField(primary_key=True, max_length=30)
    name = models.CharField("nom", max_length=150)
    api_label = models.CharField(
        "nom dans le service public des OPCO", max_length=150, blank=True, default="", db_default=""
    )

    class Meta:
        verbose_name = "OPCO"
        verbose_name_plural = "OPCO"

    def __str__(self):
        return self.name


class Idcc(models.Model):
    """A collective agreement, and the OPCO of its branch."""

    code = models.CharField(primary_key=True, max_length=5)
    label = models.TextField("libellé")
    opco = models.ForeignKey(Opco, on_delete=models.PROTECT)

    class Meta:
        verbose_name = "convention collective (IDCC)"
        verbose_name_plural = "conventions collectives (IDCC)"

    def __str__(self):
        return f"{self.code} {self.label}"


class Rome(models.Model):
    """A job of ROME 4.0; ``parent_code`` is its code in ROME 3."""

    code = models.CharField(primary_key=True, max_length=5)
    label = models.CharField("libellé", max_length=250)
    parent_code = models.CharField(max_length=5, blank=True)
    domain_code = models.CharField(max_length=3)
    domain_label = models.CharField("domaine", max_length=250)
    large_domain_label = models.CharField("grand domaine", max_length=250)
    definition = models.TextField("définition", blank=True)
    access = models.TextField("accès au métier", blank=True)
    hirings = models.PositiveIntegerField(
        "embauches",
        default=0,
        db_default=0,
        help_text="Embauches comptées dans toutes les activités : les métiers courants d’abord.",
    )

    class Meta:
        verbose_name = "métier (ROME)"
        verbose_name_plural = "métiers (ROME)"

    def __str__(self):
        return f"{self.code} {self.label}"


class RomeAppellation(models.Model):
    """A job title; people know these, not the codes."""

    ogr = models.PositiveIntegerField("code OGR", primary_key=True)
    rome = models.ForeignKey(Rome, on_delete=models.CASCADE, related_name="appellations")
    label = models.CharField("libellé", max_length=250)
    short_label = models.CharField("libellé court", max_length=250)
    search_key = models.CharField(max_length=300, editable=False)
    masculine_key = models.CharField(max_length=300, editable=False, default="", db_default="")
    feminine_key = models.CharField(max_length=300, editable=False, default="", db_default="")
    is_rare = models.BooleanField("peu usitée", default=False)
    is_main = models.BooleanField("principale", default=False, db_default=False)

    class Meta:
        verbose_name = "appellation (ROME)"
        verbose_name_plural = "appellations (ROME)"
        indexes = [GinIndex(fields=["search_key"], opclasses=["gin_trgm_ops"], name="appellation_search_trgm")]

    def __str__(self):
        return self.label


class RomeWord(models.Model):
    """A word of the job titles: a typed word that none has is brought back to the nearest."""

    word = models.CharField("mot", primary_key=True, max_length=100)
    uses = models.PositiveIntegerField("titres qui le portent")

    class Meta:
        verbose_name = "mot des appellations"
        verbose_name_plural = "mots des appellations"
        indexes = [GinIndex(fields=["word"], opclasses=["gin_trgm_ops"], name="rome_word_trgm")]

    def __str__(self):
        return self.word


class RomeItem(models.Model):
    """A skill, a piece of knowledge or a work context that the sheet of a job lists."""

    rome = models.ForeignKey(Rome, on_delete=models.CASCADE, related_name="items")
    kind = models.CharField(max_length=10, choices=RomeItemKind)
    ogr = models.PositiveIntegerField("code OGR")
    label = models.CharField("libellé", max_length=500)
    category = models.CharField("catégorie", max_length=200, blank=True)
    is_core = models.BooleanField("cœur de métier", default=False)

    class Meta:
        verbose_name = "élément d’une fiche métier"
        verbose_name_plural = "éléments d’une fiche métier"
        constraints = [
            models.UniqueConstraint(
                fields=["rome", "kind", "ogr"],
                name="rome_item_unique",
                violation_error_message="Ce métier a déjà cet élément.",
            )
        ]

    def __str__(self):
        return self.label


class RomeMobility(models.Model):
    """A job near another one, nearest first."""

    rome = models.ForeignKey(Rome, on_delete=models.CASCADE, related_name="mobilities")
    target = models.ForeignKey(Rome, on_delete=models.CASCADE, related_name="+")
    position = models.PositiveSmallIntegerField()

    class Meta:
        verbose_name = "métier proche"
        verbose_name_plural = "métiers proches"
        constraints = [
            models.UniqueConstraint(
                fields=["rome", "target"],
                name="rome_mobility_unique",
                violation_error_message="Ces deux métiers sont déjà dits proches.",
            )
        ]

    def __str__(self):
        return f"{self.rome_id} → {self.target_id}"


class NafRomeShare(models.Model):
    """The share of an activity's hirings that go to a job: sums to 1 for each NAF code."""

    naf = models.ForeignKey(Naf, on_delete=models.CASCADE, related_name="rome_shares")
    rome = models.ForeignKey(Rome, on_delete=models.CASCADE, related_name="naf_shares")
    share = models.FloatField("part")

    class Meta:
        verbose_name = "part d’un métier dans une activité"
        verbose_name_plural = "parts des métiers dans les activités"
        constraints = [
            models.UniqueConstraint(
                fields=["naf", "rome"],
                name="naf_rome_share_unique",
                violation_error_message="Cette activité a déjà une part pour ce métier.",
            ),
            models.CheckConstraint(
                condition=models.Q(share__gt=0, share__lte=1),
                name="naf_rome_share_is_a_share",
                violation_error_message="Une part est plus grande que 0, et de 1 au plus.",
            ),
        ]

    def __str__(self):
        return f"{self.naf_id} → {self.rome_id}: {self.share:.3f}"
