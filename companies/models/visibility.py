"""What people decided about establishments: kept apart from imported facts, keyed by SIRET, SIREN or e-mail as text.

A decision holds for an establishment that is not imported yet, and no import and no score can undo it. What is visible
is computed from the decisions' dates each time it is read.
"""

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateTimeRangeField, RangeOperators
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Lower

from companies.enums import Channel, DecisionKind, DecisionOrigin, DecisionReason, DecisionScope

HIDING = [DecisionKind.DELISTED.value, DecisionKind.PAUSED.value]


# From ``starts_at``, included, to ``ends_at``, excluded; no end is for good.
TIME_RANGE = models.Func("starts_at", "ends_at", function="TSTZRANGE", output_field=DateTimeRangeField())


class DecisionQuerySet(models.QuerySet):
    def in_force(self, at):
        """Decisions that hold at ``at``."""
        return self.filter(starts_at__lte=at, revoked_at__isnull=True).filter(
            models.Q(ends_at__isnull=True) | models.Q(ends_at__gt=at)
        )

    def hiding(self):
        """Decisions that take the whole establishment out of sight."""
        return self.filter(kind__in=HIDING)

    def about(self, *, siret, email=""):
        """Decisions that reach the establishment ``siret``, whose address is ``email``: by SIRET, SIREN or address."""
        reach = models.Q(scope=DecisionScope.SIRET, value=siret) | models.Q(scope=DecisionScope.SIREN, value=siret[:9])
        if email:
            reach |= models.Q(scope=DecisionScope.EMAIL, value=email)
        return self.filter(reach)

    def locked(self):
        """Nobody else changes them before the end of the transaction. They are always locked in the same order: two
        lists that share some never wait for each other in turn.
        """
        return self.order_by("pk").select_for_update(of=("self",))


class VisibilityDecision(models.Model):
    """One decision: who, why, when, how far, until when. Never edited: revoked, with an author and a reason."""

    kind = models.CharField("décision", max_length=15, choices=DecisionKind)
    scope = models.CharField("portée", max_length=5, choices=DecisionScope)
    value = models.CharField("SIRET, SIREN ou adresse", max_length=254)
    channel = models.CharField("moyen de contact", max_length=12, choices=Channel, default=Channel.ALL)
    rome_codes = ArrayField(models.CharField(max_length=5), verbose_name="métiers", default=list, blank=True)
    starts_at = models.DateTimeField("début")
    ends_at = models.DateTimeField("fin", null=True, blank=True)
    reason = models.CharField("motif", max_length=25, choices=DecisionReason)
    comment = models.TextField("commentaire", blank=True)
    origin = models.CharField("origine", max_length=10, choices=DecisionOrigin)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="auteur",
    )
    decided_at = models.DateTimeField("décidé le")
    revoked_at = models.DateTimeField("annulé le", null=True, blank=True)
    revoked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="annulé par",
    )
    revocation_reason = models.TextField("raison de l’annulation", blank=True)
    # Made with others in one go; few are, and the index holds only them.
    batch = models.ForeignKey(
        "companies.Batch",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="decisions",
        db_index=False,
        verbose_name="lot",
    )

    objects = DecisionQuerySet.as_manager()

    class Meta:
        verbose_name = "décision de visibilité"
        verbose_name_plural = "décisions de visibilité"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends_at__isnull=True) | models.Q(ends_at__gt=models.F("starts_at")),
                name="decision_ends_after_it_starts",
                violation_error_message="La fin d’une décision vient après son début.",
            ),
            models.CheckConstraint(
                condition=models.Q(revoked_at__isnull=True) | ~models.Q(revocation_reason=""),
                name="decision_revoked_with_a_reason",
                violation_error_message="L’annulation d’une décision porte une raison.",
            ),
            models.CheckConstraint(
                condition=~models.Q(kind=DecisionKind.PAUSED) | models.Q(ends_at__isnull=False),
                name="decision_pause_has_an_end",
                violation_error_message="Une pause a une date de fin.",
            ),
            models.CheckConstraint(
                condition=models.Q(kind=DecisionKind.CHANNEL_HIDDEN) | models.Q(channel=Channel.ALL),
                name="decision_channel_only_when_hidden",
                violation_error_message="Un moyen de contact ne se choisit que pour être masqué.",
            ),
            models.CheckConstraint(
                condition=models.Q(scope=DecisionScope.SIRET, value__regex=r"^\d{14}$")
                | models.Q(scope=DecisionScope.SIREN, value__regex=r"^\d{9}$")
                | models.Q(scope=DecisionScope.EMAIL, value__contains="@", value=Lower("value")),
                name="decision_value_fits_its_scope",
                violation_error_message="La valeur d’une décision est un SIRET, un SIREN ou une adresse e-mail.",
            ),
            ExclusionConstraint(
                name="decision_one_in_force",
                expressions=[
                    ("kind", RangeOperators.EQUAL),
                    ("scope", RangeOperators.EQUAL),
                    ("value", RangeOperators.EQUAL),
                    ("channel", RangeOperators.EQUAL),
                    (TIME_RANGE, RangeOperators.OVERLAPS),
                ],
                condition=models.Q(revoked_at__isnull=True),
                violation_error_message="La même décision est déjà en vigueur.",
            ),
        ]
        indexes = [
            models.Index(fields=["value"], name="decision_value"),
            models.Index(fields=["batch"], condition=models.Q(batch__isnull=False), name="decision_batch"),
            # What the search asks: who was listed by hand for these jobs.
            GinIndex(
                fields=["rome_codes"],
                condition=models.Q(kind=DecisionKind.LISTED, revoked_at__isnull=True),
                name="decision_listed_for_job",
            ),
        ]

    def __str__(self):
        return f"{self.get_kind_display()} : {self.value}"


class ContactCorrection(models.Model):
    """A contact that a person gave; the latest one wins over the imported one. An empty value erases it."""

    siret = models.CharField("SIRET", max_length=14)
    channel = models.CharField(
        "moyen de contact",
        max_length=12,
        choices=[(Channel.EMAIL.value, Channel.EMAIL.label), (Channel.PHONE.value, Channel.PHONE.label)],
    )
    value = models.CharField("valeur", max_length=254, blank=True)
    origin = models.CharField("origine", max_length=10, choices=DecisionOrigin)
    reason = models.TextField("raison")
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="auteur",
    )
    decided_at = models.DateTimeField("décidé le")
    batch = models.ForeignKey(
        "companies.Batch",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="corrections",
        db_index=False,
        verbose_name="lot",
    )

    class Meta:
        verbose_name = "correction de contact"
        verbose_name_plural = "corrections de contact"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(siret__regex=r"^\d{14}$"),
                name="correction_siret_has_14_digits",
                violation_error_message="Un SIRET a 14 chiffres.",
            ),
            models.CheckConstraint(
                condition=~models.Q(channel=Channel.EMAIL) | models.Q(value=Lower("value")),
                name="correction_email_is_lower_case",
                violation_error_message="Une adresse e-mail s’écrit en minuscules.",
            ),
        ]
        indexes = [
            models.Index(fields=["siret", "channel", "-decided_at", "-id"], name="correction_latest"),
            models.Index(fields=["batch"], condition=models.Q(batch__isnull=False), name="correction_batch"),
            # Who was given this address?
            models.Index(fields=["value"], condition=models.Q(channel=Channel.EMAIL), name="correction_email"),
        ]

    def __str__(self):
        return f"{self.siret} : {self.get_channel_display()}"
