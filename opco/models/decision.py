"""What advisors decide: held for a minute, then applied, once."""

from datetime import datetime, timedelta
from typing import ClassVar

from django.conf import settings
from django.db import models

from companies.models import Opco
from labonnealternance.kit.states import ForbiddenMove
from offers.enums import AccessStatus
from offers.models import Access
from opco.enums import DecisionKind, DecisionStatus, RefusalReason

# How long a decision may be undone, as if it never was.
HOLD = timedelta(seconds=60)

# What may be decided of an access, by its status.
KINDS: dict[AccessStatus, set[DecisionKind]] = {
    AccessStatus.AWAITING: set(DecisionKind),
    AccessStatus.GRANTED: {DecisionKind.REFUSE},
    AccessStatus.DENIED: {DecisionKind.CERTIFY},
}


class DecisionQuerySet(models.QuerySet["Decision"]):
    def held(self):
        """Not applied yet, and not undone."""
        return self.filter(status=DecisionStatus.HELD)

    def standing(self):
        """Held or applied: what counts as decided."""
        return self.filter(status__in=[DecisionStatus.HELD, DecisionStatus.APPLIED])


class Decision(models.Model):
    """One decision about a file. The row is its own journal: who made it and when, who settled it and when.

    ``opco`` is the one of the establishment when it was made. ``text`` is what the advisor wrote: to the person, in the
    e-mail (refuse, ask), or to the colleagues who receive the file (pass on).
    """

    MOVES: ClassVar[dict[DecisionStatus, set[DecisionStatus]]] = {
        DecisionStatus.HELD: {DecisionStatus.APPLIED, DecisionStatus.UNDONE, DecisionStatus.DROPPED},
        DecisionStatus.APPLIED: set(),
        DecisionStatus.UNDONE: set(),
        DecisionStatus.DROPPED: set(),
    }

    access = models.ForeignKey(Access, on_delete=models.PROTECT, related_name="decisions", verbose_name="accès")
    kind = models.CharField("décision", max_length=10, choices=DecisionKind)
    status = models.CharField("état", max_length=10, choices=DecisionStatus, default=DecisionStatus.HELD)
    opco = models.ForeignKey(
        Opco, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="OPCO"
    )
    # Empty where the file is passed on to support.
    to_opco = models.ForeignKey(
        Opco,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        verbose_name="transmis à",
    )
    reason = models.CharField("motif", max_length=20, choices=RefusalReason, blank=True)
    text = models.TextField("texte", blank=True)
    # What was decided in one go is undone in one go.
    batch = models.UUIDField("lot", null=True, blank=True)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name="décidé par"
    )
    made_at = models.DateTimeField("décidé le")
    effective_at = models.DateTimeField("appliqué à partir de")
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        verbose_name="réglé par",
    )
    settled_at = models.DateTimeField("réglé le", null=True, blank=True)
    settled_reason = models.CharField("pourquoi", max_length=200, blank=True)

    objects = DecisionQuerySet.as_manager()

    class Meta:
        verbose_name = "décision"
        constraints = [
            models.UniqueConstraint(
                fields=["access"],
                condition=models.Q(status=DecisionStatus.HELD),
                name="opco_one_held_decision_per_access",
                violation_error_message="Une décision est déjà en cours sur ce dossier.",
            ),
            models.CheckConstraint(
                condition=models.Q(status=DecisionStatus.HELD, settled_at__isnull=True)
                | (~models.Q(status=DecisionStatus.HELD) & models.Q(settled_at__isnull=False)),
                name="opco_decision_held_or_settled",
                violation_error_message="Une décision réglée l’est à une date.",
            ),
            models.CheckConstraint(
                condition=models.Q(kind=DecisionKind.REFUSE) ^ models.Q(reason=""),
                name="opco_refusal_has_a_reason",
                violation_error_message="Un refus a un motif, et lui seul.",
            ),
            models.CheckConstraint(
                condition=models.Q(kind=DecisionKind.PASS_ON) | models.Q(to_opco__isnull=True),
                name="opco_only_a_file_passed_on_goes_somewhere",
                violation_error_message="Seul un dossier transmis a un destinataire.",
            ),
        ]
        indexes = [
            models.Index(
                fields=["effective_at", "id"],
                name="opco_decision_held",
                condition=models.Q(status=DecisionStatus.HELD),
            ),
            # What an OPCO passed on, latest first.
            models.Index(
                fields=["opco", "-made_at", "-id"],
                name="opco_decision_passed_on",
                condition=models.Q(kind=DecisionKind.PASS_ON),
            ),
        ]

    def __str__(self):
        return f"Décision {self.pk}"

    def settle(self, *, to: DecisionStatus, by, at: datetime, reason: str = "") -> None:
        """Only writer of ``status``; the caller holds the row's lock. Raises ``ForbiddenMove``."""
        if to not in self.MOVES[DecisionStatus(self.status)]:
            raise ForbiddenMove(f"{self} : « {self.get_status_display()} » ne peut pas devenir « {to.label} ».")
        self.status, self.settled_by, self.settled_at, self.settled_reason = to, by, at, reason
        self.save(update_fields=["status", "settled_by", "settled_at", "settled_reason"])
