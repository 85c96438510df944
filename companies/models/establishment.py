"""Establishments as the registry knows them. Human decisions never share a column with these facts."""

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce, Left, Lower
from django.utils import timezone

from companies.enums import (
    Channel,
    DecisionKind,
    DecisionScope,
    HeadcountBand,
    ImportKind,
    ImportStatus,
    OpcoOrigin,
    Refusal,
)
from companies.models.contact_values import domain_of
from companies.models.reference import Commune, Idcc, Naf, Opco
from companies.models.search_keys import NameKey
from companies.models.siret import validate_siret
from companies.models.visibility import ContactCorrection, VisibilityDecision
from labonnealternance.kit.states import Move


class EstablishmentImport(models.Model):
    """One run of an import command on one file, or on the parts of one."""

    kind = models.CharField("contenu", max_length=15, choices=ImportKind, default=ImportKind.ESTABLISHMENTS)
    file_name = models.CharField("fichier", max_length=255)
    file_sha256 = models.CharField(max_length=64)
    file_dated_on = models.DateField("fichier du", null=True)
    is_partial = models.BooleanField("fichier partiel", default=False)
    status = models.CharField("état", max_length=12, choices=ImportStatus, default=ImportStatus.RUNNING)
    started_at = models.DateTimeField("début")
    finished_at = models.DateTimeField("fin", null=True)
    read_rows = models.PositiveIntegerField("lignes lues", default=0)
    quarantined_rows = models.PositiveIntegerField("lignes écartées", default=0)
    quarantine_file = models.CharField("fichier des lignes écartées", max_length=255, blank=True)
    added_rows = models.PositiveIntegerField("nouveaux", default=0)
    changed_rows = models.PositiveIntegerField("modifiés", default=0)
    closed_rows = models.PositiveIntegerField("fermés", default=0)
    reopened_rows = models.PositiveIntegerField("rouverts", default=0)
    unknown_naf_rows = models.PositiveIntegerField("activités inconnues", default=0)
    unplaced_rows = models.PositiveIntegerField("sans position", default=0)
    forced_reason = models.TextField("raison du passage en force", blank=True)
    refusal = models.TextField("raison du refus", blank=True)

    class Meta:
        verbose_name = "import"
        indexes = [models.Index(fields=["kind", "-started_at"], name="import_latest")]
        constraints = [
            # What the next import is compared with: two runs at once are stopped before, and here.
            models.UniqueConstraint(
                fields=["kind"],
                condition=Q(status=ImportStatus.RUNNING),
                name="one_running_import_of_a_kind",
                violation_error_message="Un import de ce contenu est déjà en cours.",
            ),
        ]

    def __str__(self):
        return self.file_name


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


def _correction(channel):
    """The latest correction of ``channel``: null where there is none, empty where the contact was erased."""
    latest = ContactCorrection.objects.filter(siret=OuterRef("siret"), channel=channel).order_by("-decided_at", "-id")
    return _first(latest.values("value"))


def _contact(field):
    return _first(Contact.objects.filter(siret=OuterRef("siret")).values(field))


def _first(rows):
    """The first of ``rows`` as an expression that keeps its meaning however deep it stands.

    Django names the tables of nested queries by letters, and three levels deep gives the innermost table the letter of
    the establishments that it is compared with: it then compares a row with itself. With a prefix of its own it keeps
    the name of its table.
    """
    rows = rows[:1]
    rows.query.alias_prefix = "own"
    return Subquery(rows)


def _reached(decisions):
    """Whether one of ``decisions`` reaches the outer row, which carries ``effective_email``.

    A SIRET, a SIREN and an address can't be mistaken for each other: one probe of the index on ``value`` answers
    for the three scopes, and the planner has no way to read the whole table of decisions for a hundred rows.
    """
    return Exists(decisions.filter(value__in=[OuterRef("siret"), OuterRef("siren"), OuterRef("effective_email")]))


class EstablishmentQuerySet(models.QuerySet):
    """What may be shown is computed from facts, decisions and ``at`` each time it is read: no flag is kept."""

    def open(self, at):
        """Not closed on the day of ``at``, in Paris."""
        return self.filter(Q(closed_on__isnull=True) | Q(closed_on__gt=timezone.localdate(at)))

    def with_effective_contact(self):
        """Annotates ``effective_email`` and ``effective_phone``: the latest correction, else the imported contact.

        For the service's own use, never for a public page. Empty where there is none.
        """
        return self.annotate(
            effective_email=Coalesce(
                _correction(Channel.EMAIL), _contact("email"), Value(""), output_field=models.CharField()
            ),
            effective_phone=Coalesce(_correction(Channel.PHONE), _contact("phone"), Value("")),
        )

    def unhidden(self, at):
        """Without a decision in force at ``at`` that delists or pauses it, by SIRET, SIREN or e-mail address."""
        hiding = VisibilityDecision.objects.in_force(at).hiding()
        rows = self.alias(
            effective_email=Coalesce(_correction(Channel.EMAIL), _contact("email"), output_field=models.CharField())
        )
        return rows.filter(~_reached(hiding))

    def showable(self, at):
        """What any page may name at ``at``: open, diffusible, not hidden by a decision."""
        return self.open(at).filter(is_diffusible=True).unhidden(at)

    def listed(self, at):
        """What the public may see at ``at``: the one answer for pages, search, API and feeds.

        Open, diffusible, placed on the map, not hidden by a decision; and an employer, unless a decision lists it.
        """
        asked_to_be = VisibilityDecision.objects.in_force(at).filter(
            kind=DecisionKind.LISTED, scope=DecisionScope.SIRET, value=OuterRef("siret")
        )
        return self.showable(at).filter(Q(is_employer=True) | Exists(asked_to_be), latitude__isnull=False)

    def with_contact(self, at):
        """Annotates what a public page may say of the contact at ``at``.

        ``shown_phone``: E.164 text, empty where there is none or it is hidden. ``has_email``: whether an application
        can be sent there (an address is known; neither the e-mail nor the applications are hidden).
        """
        hidden = VisibilityDecision.objects.in_force(at).filter(kind=DecisionKind.CHANNEL_HIDDEN)
        phone_hidden = _reached(hidden.filter(channel__in=[Channel.ALL, Channel.PHONE]))
        email_hidden = _reached(hidden.filter(channel__in=[Channel.ALL, Channel.EMAIL, Channel.APPLICATIONS]))
        return self.with_effective_contact().annotate(
            shown_phone=Case(When(phone_hidden, then=Value("")), default=F("effective_phone")),
            has_email=Case(
                When(effective_email="", then=Value(False)), When(email_hidden, then=Value(False)), default=Value(True)
            ),
        )


class Establishment(models.Model):
    """An establishment of the SIRENE registry. ``siret`` is text: its zeros are kept."""

    id = models.AutoField(primary_key=True)
    siret = models.CharField("SIRET", max_length=14, validators=[validate_siret])
    siren = models.GeneratedField(
        expression=Left("siret", 9), output_field=models.CharField(max_length=9), db_persist=True, verbose_name="SIREN"
    )
    name = models.CharField("nom", max_length=200)
    legal_name = models.CharField("raison sociale", max_length=200, blank=True)
    # No index on what nothing looks up: each one slows every import of millions of rows.
    naf = models.ForeignKey(Naf, on_delete=models.PROTECT, null=True, db_index=False, verbose_name="activité (NAF)")
    headcount_band = models.CharField("effectif", max_length=2, choices=HeadcountBand, default=HeadcountBand.UNKNOWN)
    created_on = models.DateField("création", null=True)
    address_complement = models.CharField("complément d’adresse", max_length=200, blank=True)
    address = models.CharField("adresse", max_length=200, blank=True)
    postcode = models.CharField("code postal", max_length=5, blank=True)
    # Indexed below: its own index would carry a second one, for LIKE.
    commune = models.ForeignKey(Commune, on_delete=models.PROTECT, null=True, db_index=False)
    latitude = models.FloatField(null=True)
    longitude = models.FloatField(null=True)
    is_headquarters = models.BooleanField("siège", default=False)
    is_employer = models.BooleanField("employeur", default=True)
    is_diffusible = models.BooleanField("diffusible", default=True)
    closed_on = models.DateField("fermeture", null=True)
    registry_updated_at = models.DateTimeField("mise à jour au registre", null=True)
    # The import that wrote these facts last.
    last_import = models.ForeignKey(
        EstablishmentImport,
        on_delete=models.DO_NOTHING,
        null=True,
        related_name="+",
        db_index=False,
        # One value for a whole import: PostgreSQL would look it up again for each of millions of rows.
        db_constraint=False,
    )
    idcc = models.ForeignKey(Idcc, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    # Written by ``companies.actions.opcos`` only, never by an import; its journal says who told it.
    opco = models.ForeignKey(Opco, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    opco_is_certified = models.BooleanField(
        "OPCO certifié", default=False, db_default=False, help_text="Seuls un conseiller ou le support le changent."
    )
    # Someone registered while the registry could not answer: the row holds a SIRET and waits for its facts.
    to_verify_since = models.DateTimeField("à vérifier depuis", null=True)
    # The registry's last answer about this one establishment.
    checked_at = models.DateTimeField("vérifié au registre le", null=True)
    # What the registry's answer to such a registration forbade; empty where nothing does.
    refusal = models.CharField("refus", max_length=15, choices=Refusal, blank=True, default="", db_default="")

    objects = EstablishmentQuerySet.as_manager()

    class Meta:
        verbose_name = "établissement"
        constraints = [
            # Not a unique column: it would carry a second index, for LIKE, that nothing uses.
            models.UniqueConstraint(
                fields=["siret"],
                name="establishment_siret",
                violation_error_message="Un établissement a déjà ce SIRET.",
            ),
            models.CheckConstraint(
                condition=Q(siret__regex=r"^\d{14}$"),
                name="siret_has_14_digits",
                violation_error_message="Un SIRET a 14 chiffres.",
            ),
            models.CheckConstraint(
                condition=Q(latitude__isnull=True, longitude__isnull=True)
                | Q(latitude__isnull=False, longitude__isnull=False),
                name="establishment_point_is_whole",
                violation_error_message="Une position a une latitude et une longitude.",
            ),
        ]
        indexes = [
            models.Index(fields=["siren"], name="establishment_siren"),
            GinIndex(OpClass(NameKey("name"), "gin_trgm_ops"), name="establishment_name_key"),
            models.Index(fields=["commune"], name="establishment_commune"),
            models.Index(
                fields=["to_verify_since"],
                name="establishment_to_verify",
                condition=Q(to_verify_since__isnull=False),
            ),
        ]

    def __str__(self):
        return f"{self.display_name} ({self.siret})"

    @property
    def display_name(self) -> str:
        """The name to show: a registry file without the companies' names leaves some establishments nameless."""
        return self.name or "Établissement sans nom connu"


class OpcoAssignment(Move):
    """One line of the journal of ``Establishment.opco``: who told it, when, why."""

    establishment = models.ForeignKey(
        Establishment, on_delete=models.PROTECT, related_name="opco_journal", verbose_name="établissement"
    )
    opco = models.ForeignKey(Opco, on_delete=models.PROTECT, null=True, related_name="+", verbose_name="OPCO")
    origin = models.CharField("origine", max_length=10, choices=OpcoOrigin)

    class Meta:
        verbose_name = "attribution d’OPCO"
        verbose_name_plural = "attributions d’OPCO"

    def __str__(self):
        return f"{self.establishment_id} : {self.opco_id}"


class Contact(models.Model):
    """The known contact of an establishment, as a source gave it; keyed by SIRET text."""

    siret = models.CharField("SIRET", max_length=14)
    email = models.EmailField("adresse e-mail", max_length=254, blank=True)
    phone = models.CharField("téléphone", max_length=20, blank=True)
    source = models.CharField("source", max_length=100)
    imported_at = models.DateTimeField("import")

    class Meta:
        verbose_name = "contact"
        constraints = [
            models.UniqueConstraint(
                fields=["siret"],
                # The search asks whose address it is, of hundreds of establishments: the index alone answers.
                include=["email"],
                name="contact_siret",
                violation_error_message="Un contact est déjà connu pour ce SIRET.",
            ),
            models.CheckConstraint(
                condition=Q(siret__regex=r"^\d{14}$"),
                name="contact_siret_has_14_digits",
                violation_error_message="Un SIRET a 14 chiffres.",
            ),
            models.CheckConstraint(
                condition=Q(email=Lower("email")),
                name="contact_email_is_lower_case",
                violation_error_message="Une adresse e-mail s’écrit en minuscules.",
            ),
        ]
        indexes = [
            models.Index(fields=["email"], name="contact_email"),
            # Support is told a number, and asked whose it is.
            models.Index(fields=["phone"], name="contact_phone", condition=~Q(phone="")),
            # Whose domain it is, that a recruiter writes from.
            models.Index(domain_of("email"), name="contact_domain"),
        ]

    def __str__(self):
        return self.siret
