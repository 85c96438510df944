"""The outbox: each e-mail is a row, written with the fact that it tells and sent after it. And who is left alone."""

import uuid
from datetime import datetime, timedelta
from email.utils import parseaddr

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower

from labonnealternance.kit.states import Move, WithStatus
from labonnealternance.mail.enums import MessageStatus, SuppressionReason, SuppressionSource

# A message that a server puts off is tried again after each of these delays, 24 hours in all; then it has failed.
RETRY_DELAYS = tuple(timedelta(minutes=minutes) for minutes in (1, 4, 10, 15, 30, 60, 120, 240, 480, 480))

LONGEST_SUBJECT = 255
LONGEST_ANSWER = 1000


class MessageQuerySet(models.QuerySet["Message"]):
    def queued(self):
        """Messages that have not left and still may."""
        return self.filter(status=MessageStatus.QUEUED)

    def due(self, at: datetime):
        """Messages to send at ``at``."""
        return self.queued().filter(next_attempt_at__lte=at)

    def settled(self):
        """Messages that nothing will be tried for any more."""
        return self.exclude(status=MessageStatus.QUEUED)


class Message(WithStatus):
    """One e-mail to one person. Its ``Message-ID`` comes from its ``id``, so that a repeat is recognised."""

    MOVES = {
        MessageStatus.QUEUED: {
            MessageStatus.QUEUED,
            MessageStatus.SENT,
            MessageStatus.FAILED,
            MessageStatus.SUPPRESSED,
        },
        MessageStatus.SENT: set(),
        MessageStatus.FAILED: set(),
        MessageStatus.SUPPRESSED: set(),
    }

    id = models.UUIDField("identifiant", primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField("e-mail", max_length=100, help_text="Nom du dossier de ses trois fichiers.")
    status = models.CharField("état", max_length=10, choices=MessageStatus, default=MessageStatus.QUEUED)
    recipient = models.EmailField("destinataire", max_length=254)
    reply_to = models.EmailField("répondre à", max_length=254, blank=True)
    subject = models.CharField("objet", max_length=LONGEST_SUBJECT)
    text_body = models.TextField("texte", blank=True)
    html_body = models.TextField("HTML", blank=True)
    headers = models.JSONField("en-têtes", default=dict, blank=True)
    confidential = models.BooleanField(
        "confidentiel",
        default=False,
        help_text="Porte un lien qui ouvre une session : son texte ne se lit pas ici, et s’efface dès l’envoi.",
    )
    copy_of = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="copies", verbose_name="renvoi de"
    )
    created_at = models.DateTimeField("écrit le")
    attempts = models.PositiveSmallIntegerField("essais", default=0)
    next_attempt_at = models.DateTimeField("prochain essai", null=True, blank=True)
    sent_at = models.DateTimeField("envoyé le", null=True, blank=True)
    provider_answer = models.CharField("dernière réponse du serveur", max_length=LONGEST_ANSWER, blank=True)
    erased_at = models.DateTimeField("texte effacé le", null=True, blank=True)

    objects = MessageQuerySet.as_manager()

    class Meta:
        verbose_name = "e-mail"
        verbose_name_plural = "e-mails"
        permissions = [("resend_message", "Peut renvoyer un e-mail")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status=MessageStatus.QUEUED, next_attempt_at__isnull=False)
                | (~models.Q(status=MessageStatus.QUEUED) & models.Q(next_attempt_at__isnull=True)),
                name="mail_message_next_attempt_while_queued",
                violation_error_message="Un e-mail à envoyer, et lui seul, a une date de prochain essai.",
            ),
            models.CheckConstraint(
                condition=models.Q(status=MessageStatus.SENT, sent_at__isnull=False)
                | (~models.Q(status=MessageStatus.SENT) & models.Q(sent_at__isnull=True)),
                name="mail_message_sent_at_once_sent",
                violation_error_message="Un e-mail envoyé, et lui seul, a une date d’envoi.",
            ),
            models.CheckConstraint(
                condition=models.Q(recipient=Lower("recipient")),
                name="mail_message_recipient_is_lower_case",
                violation_error_message="Une adresse e-mail s’écrit en minuscules.",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"], name="mail_message_due", condition=models.Q(status=MessageStatus.QUEUED)
            ),
            # Serves the exact address and its first letters alike.
            models.Index(fields=["recipient"], name="mail_message_recipient", opclasses=["varchar_pattern_ops"]),
            models.Index(fields=["created_at"], name="mail_message_created"),
            models.Index(fields=["status", "created_at"], name="mail_message_status_created"),
            models.Index(
                fields=["created_at"], name="mail_message_to_erase", condition=models.Q(erased_at__isnull=True)
            ),
        ]

    def __str__(self):
        return f"{self.subject} → {self.recipient}"

    @property
    def message_id(self) -> str:
        """The ``Message-ID`` header: the same at each attempt."""
        domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]
        return f"<{self.id}@{domain}>"

    def move(self, *, to: MessageStatus, by, at: datetime, reason: str = ""):
        """Only writer of ``status``; every move, an attempt included, leaves a line in the journal."""
        self._pass_to(to, by=by, at=at, reason=reason[:LONGEST_ANSWER])
        self.sent_at = at if to == MessageStatus.SENT else None
        if to != MessageStatus.QUEUED:
            self.next_attempt_at = None
            if self.confidential:
                self.erase(at=at)
        self.save(
            update_fields=[
                "status", "attempts", "next_attempt_at", "sent_at", "provider_answer", "text_body", "html_body",
                "headers", "erased_at",
            ]
        )  # fmt: skip

    def erase(self, *, at: datetime):
        """Empties what the message said, without saving; that it was sent, to whom and when, stays."""
        self.text_body = self.html_body = ""
        self.headers = {}
        self.erased_at = at


class JournalLine(Move):
    """One move of a message: an attempt, its answer, its outcome."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="journal", verbose_name="e-mail")
    from_status = models.CharField("de", max_length=10, choices=MessageStatus)
    to_status = models.CharField("à", max_length=10, choices=MessageStatus)
    reason = models.CharField("réponse du serveur", max_length=LONGEST_ANSWER, blank=True)

    class Meta:
        verbose_name = "ligne du journal"
        verbose_name_plural = "journal"
        indexes = [
            models.Index(fields=["at"], name="mail_journal_failed", condition=models.Q(to_status=MessageStatus.FAILED))
        ]

    def __str__(self):
        return f"{self.get_from_status_display()} → {self.get_to_status_display()}"


class SuppressionQuerySet(models.QuerySet["Suppression"]):
    def in_force(self):
        """Suppressions that nobody lifted."""
        return self.filter(lifted_at__isnull=True)


class Suppression(models.Model):
    """An address that nothing is sent to. Never edited: lifted, with an author and a reason."""

    address = models.EmailField("adresse e-mail", max_length=254)
    reason = models.CharField("motif", max_length=10, choices=SuppressionReason)
    source = models.CharField("origine", max_length=10, choices=SuppressionSource)
    comment = models.TextField("commentaire", max_length=1000, blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="auteur",
    )
    at = models.DateTimeField("écartée le")
    lifted_at = models.DateTimeField("rétablie le", null=True, blank=True)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="rétablie par",
    )
    lift_reason = models.TextField("raison du rétablissement", max_length=1000, blank=True)

    objects = SuppressionQuerySet.as_manager()

    class Meta:
        verbose_name = "adresse écartée"
        verbose_name_plural = "adresses écartées"
        constraints = [
            models.UniqueConstraint(
                fields=["address"],
                condition=models.Q(lifted_at__isnull=True),
                name="mail_suppression_once_in_force",
                violation_error_message="Cette adresse est déjà écartée.",
            ),
            models.CheckConstraint(
                condition=models.Q(address=Lower("address")),
                name="mail_suppression_address_is_lower_case",
                violation_error_message="Une adresse e-mail s’écrit en minuscules.",
            ),
            models.CheckConstraint(
                condition=models.Q(lifted_at__isnull=True, lift_reason="")
                | (models.Q(lifted_at__isnull=False) & ~models.Q(lift_reason="")),
                name="mail_suppression_lifted_with_a_reason",
                violation_error_message="Le rétablissement d’une adresse porte une raison.",
            ),
        ]
        indexes = [
            models.Index(fields=["address"], name="mail_suppression_address", opclasses=["varchar_pattern_ops"]),
            models.Index(fields=["at"], name="mail_suppression_at"),
        ]

    def __str__(self):
        return self.address
