"""Who may publish offers on behalf of an establishment, and how that was asked for."""

import uuid

from django.conf import settings
from django.db import models

from companies.models import Establishment, Opco
from labonnealternance.kit.states import Move, WithStatus
from offers.enums import AccessOrigin, AccessStatus


class AccessQuerySet(models.QuerySet["Access"]):
    def granted(self):
        return self.filter(status=AccessStatus.GRANTED)

    def awaiting(self):
        """Asked for by people who proved their address: what somebody has to judge."""
        return self.filter(status=AccessStatus.AWAITING, confirmed_at__isnull=False)

    def of(self, user):
        return self.filter(user=user)


class Access(WithStatus):
    """What lets a person publish offers on behalf of an establishment.

    It is judged once the person proved that they read the address (``confirmed_at``).
    """

    MOVES = {
        AccessStatus.AWAITING: {AccessStatus.GRANTED, AccessStatus.DENIED},
        AccessStatus.GRANTED: {AccessStatus.DENIED},
        AccessStatus.DENIED: {AccessStatus.GRANTED},
    }

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="accesses", verbose_name="personne"
    )
    establishment = models.ForeignKey(
        Establishment, on_delete=models.PROTECT, related_name="accesses", verbose_name="établissement"
    )
    status = models.CharField("état", max_length=10, choices=AccessStatus, default=AccessStatus.AWAITING)
    origin = models.CharField("origine", max_length=15, choices=AccessOrigin, default=AccessOrigin.REGISTRATION)
    asked_at = models.DateTimeField("demandé le")
    confirmed_at = models.DateTimeField("confirmé par la personne le", null=True, blank=True)
    decided_at = models.DateTimeField("décidé le", null=True, blank=True)

    objects = AccessQuerySet.as_manager()

    class Meta:
        verbose_name = "accès"
        verbose_name_plural = "accès"
        constraints = [
            models.UniqueConstraint(
                fields=["user", "establishment"],
                name="one_access_per_person_and_establishment",
                violation_error_message="Cette personne a déjà un accès à cet établissement.",
            ),
            models.CheckConstraint(
                condition=~models.Q(status=AccessStatus.GRANTED)
                | models.Q(confirmed_at__isnull=False, decided_at__isnull=False),
                name="access_granted_to_someone_confirmed",
                violation_error_message="Un accès n’est accordé qu’à une personne qui a confirmé son adresse.",
            ),
        ]
        indexes = [
            # The queue, oldest first.
            models.Index(
                fields=["confirmed_at", "id"],
                name="access_awaiting",
                condition=models.Q(status=AccessStatus.AWAITING, confirmed_at__isnull=False),
            ),
            models.Index(fields=["-asked_at", "-id"], name="access_newest"),
            # What was decided, latest first.
            models.Index(
                fields=["status", "-decided_at", "-id"],
                name="access_decided",
                condition=~models.Q(status=AccessStatus.AWAITING),
            ),
        ]

    def __str__(self):
        return f"Accès {self.pk}"

    def move(self, *, to, by, at, reason=""):
        """Only writer of ``status``; every move leaves a line in the journal."""
        self._pass_to(to, by=by, at=at, reason=reason)
        self.decided_at = at
        self.save(update_fields=["status", "decided_at"])


class AccessMove(Move):
    """One line of an access's journal."""

    access = models.ForeignKey(Access, on_delete=models.PROTECT, related_name="journal", verbose_name="accès")
    from_status = models.CharField("de", max_length=10, choices=AccessStatus)
    to_status = models.CharField("à", max_length=10, choices=AccessStatus)

    def __str__(self):
        return f"{self.access} : {self.get_from_status_display()} → {self.get_to_status_display()}"


class RegistrationQuerySet(models.QuerySet["Registration"]):
    def pending(self):
        """Not confirmed by the person yet."""
        return self.filter(confirmed_at__isnull=True)

    def to_confirm(self):
        """What a confirmation would still change: an access that nobody confirmed, or an offer of the registration's.

        The same establishment asked for twice leaves nothing to confirm once one of the two is; nor does a refusal.
        """
        with_offers = self.model.objects.filter(offers__status="awaiting", offers__confirmed_at__isnull=True)
        unconfirmed = models.Q(confirmed_at__isnull=True, access__confirmed_at__isnull=True)
        return self.exclude(access__status=AccessStatus.DENIED).filter(unconfirmed | models.Q(pk__in=with_offers))


class Registration(models.Model):
    """What a visitor without a session asked for in the name of an address: nothing of it holds before the link that
    is sent to that address is used.

    ``first_name``, ``last_name`` and ``phone`` reach the account on confirmation, and only one that was never
    confirmed before: a stranger who types someone's address changes nothing of theirs.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    access = models.ForeignKey(Access, on_delete=models.CASCADE, related_name="registrations", verbose_name="accès")
    first_name = models.CharField("prénom", max_length=100)
    last_name = models.CharField("nom", max_length=100)
    phone = models.CharField("téléphone", max_length=20)
    # Chosen where no register knew it; written on the establishment by the confirmation, like the rest.
    opco = models.ForeignKey(
        Opco, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False, verbose_name="OPCO"
    )
    created_at = models.DateTimeField("demandée le")
    link_sent_at = models.DateTimeField("lien envoyé le", null=True, blank=True)
    # The e-mail of the next morning, written once.
    reminded_at = models.DateTimeField("relancée le", null=True, blank=True)
    confirmed_at = models.DateTimeField("confirmée le", null=True, blank=True)

    objects = RegistrationQuerySet.as_manager()

    class Meta:
        verbose_name = "inscription"
        indexes = [models.Index(fields=["created_at"], name="registration_created")]

    def __str__(self):
        return f"Inscription du {self.created_at:%d/%m/%Y}"
