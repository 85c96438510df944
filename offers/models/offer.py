"""Offers: from the deposit to the outcome."""

import uuid
from datetime import date, datetime, timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Coalesce
from django.utils.timezone import localdate

from companies.models import Establishment, Rome, RomeAppellation
from labonnealternance.kit.states import Move, WithStatus
from offers.enums import (
    CancelReason,
    ContractType,
    Door,
    FilledThrough,
    Level,
    OfferEventKind,
    OfferStatus,
    Outcome,
    ReminderKind,
)
from offers.models.access import Access, Registration

LIFETIME = timedelta(days=30)
SHORTEST_TITLE, LONGEST_TITLE = 3, 150
SHORTEST_PRESENTATION, LONGEST_PRESENTATION = 30, 800
SHORTEST_DURATION, LONGEST_DURATION = 6, 36
MOST_POSITIONS = 10
MOST_QUESTIONS, LONGEST_QUESTION = 3, 200


def default_contract_types() -> list[str]:
    return [ContractType.APPRENTICESHIP.value]


class OfferQuerySet(models.QuerySet["Offer"]):
    def of(self, user):
        """The offers that ``user`` deposited: another's id is a 404."""
        return self.filter(access__user=user)

    def active(self, at: datetime):
        """Published, and not beyond their last day at ``at``, in Paris: no nightly task is waited for."""
        return self.filter(status=OfferStatus.ACTIVE, expires_on__gte=localdate(at))

    def public(self, at: datetime):
        """What the public may see at ``at``: active, of an establishment that is open and that nothing hides."""
        return self.active(at).filter(establishment__in=Establishment.objects.showable(at))

    def live(self):
        """Published, or on their way to be."""
        return self.filter(status__in=[OfferStatus.AWAITING, OfferStatus.ACTIVE])

    def with_counts(self):
        """Annotates ``shown``, ``opened`` and ``applied``: how often so far (``OfferDay``)."""
        days = OfferDay.objects.filter(offer=models.OuterRef("pk")).order_by().values("offer")
        return self.annotate(
            **{
                what: Coalesce(models.Subquery(days.values(sum=models.Sum(what))), 0)
                for what in ("shown", "opened", "applied")
            }
        )

    def publishable(self):
        """Awaiting, with nothing left to wait for."""
        return self.filter(
            status=OfferStatus.AWAITING,
            confirmed_at__isnull=False,
            access__status="granted",
            access__user__is_active=True,
            establishment__to_verify_since__isnull=True,
            establishment__closed_on__isnull=True,
            establishment__is_diffusible=True,
            establishment__refusal="",
        )


class Offer(WithStatus):
    """One need for apprentices, of an establishment, told by a person who has (or waits for) access to it.

    ``description``, ``skills`` and ``knowledge`` are what the recruiter previewed: taken from the ROME sheet on the day
    of the deposit. ``latitude`` and ``longitude`` are the establishment's (degrees), copied for the search's index.
    """

    MOVES = {
        OfferStatus.AWAITING: {OfferStatus.ACTIVE, OfferStatus.CANCELLED},
        OfferStatus.ACTIVE: {OfferStatus.FILLED, OfferStatus.CANCELLED, OfferStatus.EXPIRED},
        OfferStatus.FILLED: set(),
        OfferStatus.CANCELLED: set(),
        OfferStatus.EXPIRED: set(),
    }

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    access = models.ForeignKey(Access, on_delete=models.PROTECT, related_name="offers", verbose_name="accès")
    # The access's own, repeated for the search; it never changes.
    establishment = models.ForeignKey(
        Establishment, on_delete=models.PROTECT, related_name="offers", verbose_name="établissement"
    )
    # Deposited by someone who had not proved their address yet.
    registration = models.ForeignKey(
        Registration, on_delete=models.SET_NULL, null=True, blank=True, related_name="offers"
    )
    # Drawn when the form is shown: the same form sent twice is one offer.
    deposit_key = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    status = models.CharField("état", max_length=10, choices=OfferStatus, default=OfferStatus.AWAITING)

    rome = models.ForeignKey(Rome, on_delete=models.PROTECT, related_name="+", verbose_name="métier", db_index=False)
    appellation = models.ForeignKey(
        RomeAppellation, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    job_label = models.CharField("métier tel que choisi", max_length=250)
    custom_title = models.CharField("titre", max_length=LONGEST_TITLE, blank=True)
    contract_types = ArrayField(
        models.CharField(max_length=20, choices=ContractType),
        verbose_name="contrats",
        default=default_contract_types,
    )
    level = models.CharField("diplôme visé", max_length=1, choices=Level, blank=True)
    duration_months = models.PositiveSmallIntegerField("durée en mois", default=12)
    positions = models.PositiveSmallIntegerField("postes", default=1)
    starts_on = models.DateField("début")
    presentation = models.TextField("présentation", blank=True)
    questions = ArrayField(
        models.CharField(max_length=LONGEST_QUESTION), verbose_name="questions aux candidats", default=list, blank=True
    )
    shows_phone = models.BooleanField("téléphone montré aux candidats", default=False)
    description = models.TextField("description", blank=True)
    skills = ArrayField(models.CharField(max_length=500), verbose_name="compétences", default=list, blank=True)
    knowledge = ArrayField(models.CharField(max_length=500), verbose_name="savoirs", default=list, blank=True)
    latitude = models.FloatField(null=True)
    longitude = models.FloatField(null=True)

    created_at = models.DateTimeField("déposée le")
    # When the person who deposited it proved their address; at once for someone signed in.
    confirmed_at = models.DateTimeField("confirmée le", null=True, blank=True)
    edited_at = models.DateTimeField("modifiée le", null=True, blank=True)
    published_at = models.DateTimeField("publiée le", null=True, blank=True)
    expires_on = models.DateField("dernier jour", null=True, blank=True)
    closed_at = models.DateTimeField("close le", null=True, blank=True)
    outcome = models.CharField("issue", max_length=20, choices=Outcome, blank=True)
    filled_through = models.CharField("pourvue par", max_length=20, choices=FilledThrough, blank=True)
    cancel_reason = models.CharField("motif d’annulation", max_length=25, choices=CancelReason, blank=True)
    outcome_comment = models.CharField("précision", max_length=500, blank=True)

    objects = OfferQuerySet.as_manager()

    class Meta:
        verbose_name = "offre"
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(status=OfferStatus.ACTIVE)
                | models.Q(confirmed_at__isnull=False, published_at__isnull=False, expires_on__isnull=False),
                name="offer_active_is_confirmed_and_dated",
                violation_error_message="Une offre publiée est confirmée, datée, et a un dernier jour.",
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=[OfferStatus.AWAITING, OfferStatus.ACTIVE], closed_at__isnull=True)
                | models.Q(
                    status__in=[OfferStatus.FILLED, OfferStatus.CANCELLED, OfferStatus.EXPIRED], closed_at__isnull=False
                ),
                name="offer_closed_at_once_closed",
                violation_error_message="Une offre close, et elle seule, a une date de clôture.",
            ),
            models.CheckConstraint(
                condition=models.Q(positions__gte=1, positions__lte=MOST_POSITIONS),
                name="offer_positions",
                violation_error_message=f"Une offre a de 1 à {MOST_POSITIONS} postes.",
            ),
            models.CheckConstraint(
                condition=models.Q(duration_months__gte=SHORTEST_DURATION, duration_months__lte=LONGEST_DURATION),
                name="offer_duration",
                violation_error_message=f"Un contrat dure de {SHORTEST_DURATION} à {LONGEST_DURATION} mois.",
            ),
            models.CheckConstraint(
                condition=models.Q(contract_types__len__gte=1),
                name="offer_has_a_contract_type",
                violation_error_message="Une offre propose au moins un type de contrat.",
            ),
            models.CheckConstraint(
                condition=models.Q(latitude__isnull=True, longitude__isnull=True)
                | models.Q(latitude__isnull=False, longitude__isnull=False),
                name="offer_point_is_whole",
                violation_error_message="Une position a une latitude et une longitude.",
            ),
        ]
        indexes = [
            # The search: the active offers of a job around a place, from the index alone.
            models.Index(
                fields=["rome", "latitude"],
                include=["longitude", "expires_on", "published_at", "establishment", "id"],
                name="offer_search",
                condition=models.Q(status=OfferStatus.ACTIVE),
            ),
            # The clock: what ends, and what is about to.
            models.Index(
                fields=["expires_on", "id"], name="offer_ending", condition=models.Q(status=OfferStatus.ACTIVE)
            ),
            models.Index(fields=["created_at"], name="offer_awaiting", condition=models.Q(status=OfferStatus.AWAITING)),
            models.Index(fields=["-created_at", "-id"], name="offer_newest"),
        ]

    def __str__(self):
        return self.title

    @property
    def title(self) -> str:
        """What the offer is called: the recruiter's title, else the job's."""
        return self.custom_title or self.job_label

    def is_public(self, at: datetime) -> bool:
        """Whether it is active at ``at``, as far as its own columns tell (see ``OfferQuerySet.public``)."""
        return self.status == OfferStatus.ACTIVE and self.expires_on is not None and self.expires_on >= localdate(at)

    def days_left(self, at: datetime) -> int:
        """Whole days until the last one, in Paris: 0 on the last day."""
        assert self.expires_on
        return (self.expires_on - localdate(at)).days

    @staticmethod
    def last_day_from(at: datetime) -> date:
        """The 30th day after ``at``, in Paris: an offer lives to its end."""
        return localdate(at) + LIFETIME

    def move(self, *, to, by, at, via, reason="", kind=OfferEventKind.CLOSED, **facts):
        """``move_all`` of this one."""
        type(self).move_all([self], to=to, by=by, at=at, via=via, reason=reason, kind=kind, **facts)

    @classmethod
    def move_all(cls, offers, *, to, by, at, via, reason="", kind=OfferEventKind.CLOSED, **facts):
        """Only writer of ``status``; every move leaves a line in the journal. Two statements, whatever the number.

        The caller holds the rows' locks. ``facts`` are the columns that the move settles (``outcome``…). An offer that
        becomes active gets its 30 days, and the position that its establishment has now. Raises ``ForbiddenMove``.
        """
        lines = []
        for offer in offers:
            offer.check_move(to)
            lines.append(
                OfferEvent(
                    offer=offer, kind=kind, from_status=offer.status, to_status=to, by=by, at=at, via=via, reason=reason
                )
            )
        columns = {"status": to, **facts}
        if to == OfferStatus.ACTIVE:
            columns |= {"published_at": at, "expires_on": cls.last_day_from(at)}
        else:
            columns |= {"closed_at": at}
        written = dict(columns)
        if to == OfferStatus.ACTIVE:
            place = Establishment.objects.filter(pk=models.OuterRef("establishment_id"))
            written |= {name: models.Subquery(place.values(name)) for name in ("latitude", "longitude")}
        OfferEvent.objects.bulk_create(lines)
        cls.objects.filter(pk__in=[offer.pk for offer in offers]).update(**written)
        for offer in offers:
            for name, value in columns.items():
                setattr(offer, name, value)


class OfferEvent(Move):
    """One line of an offer's journal: a move, or something else that happened (both statuses are then the same)."""

    offer = models.ForeignKey(Offer, on_delete=models.CASCADE, related_name="journal", verbose_name="offre")
    kind = models.CharField("événement", max_length=10, choices=OfferEventKind)
    from_status = models.CharField("de", max_length=10, choices=OfferStatus)
    to_status = models.CharField("à", max_length=10, choices=OfferStatus)
    via = models.CharField("par", max_length=10, choices=Door)

    class Meta:
        verbose_name = "événement d’une offre"
        verbose_name_plural = "événements d’une offre"

    def __str__(self):
        return f"{self.offer_id} : {self.get_kind_display()}"


class OfferReminder(models.Model):
    """That an e-mail about the end of an offer was written: once for each last day, however the clock stutters."""

    offer = models.ForeignKey(Offer, on_delete=models.CASCADE, related_name="reminders", verbose_name="offre")
    kind = models.CharField("rappel", max_length=10, choices=ReminderKind)
    expires_on = models.DateField("dernier jour annoncé")
    written_at = models.DateTimeField("écrit le")

    class Meta:
        verbose_name = "rappel"
        constraints = [
            models.UniqueConstraint(
                fields=["offer", "kind", "expires_on"],
                name="one_reminder_per_kind_and_last_day",
                violation_error_message="Ce rappel a déjà été écrit.",
            )
        ]

    def __str__(self):
        return f"{self.offer_id} : {self.get_kind_display()}"


class OfferDay(models.Model):
    """How often an offer was shown in results, opened, and asked how to apply to, on a day (Paris)."""

    offer = models.ForeignKey(Offer, on_delete=models.CASCADE, related_name="days", verbose_name="offre")
    day = models.DateField("jour")
    shown = models.PositiveIntegerField("vue dans les résultats", default=0)
    opened = models.PositiveIntegerField("ouverte", default=0)
    applied = models.PositiveIntegerField("candidatures", default=0)

    class Meta:
        verbose_name = "compteur d’une offre"
        verbose_name_plural = "compteurs d’une offre"
        constraints = [
            models.UniqueConstraint(
                fields=["offer", "day"],
                name="one_count_per_offer_and_day",
                violation_error_message="Cette offre a déjà un compteur pour ce jour.",
            )
        ]

    def __str__(self):
        return f"{self.offer_id} : {self.day}"
