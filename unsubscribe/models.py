"""What establishments ask for, before and after it is proved that they are the ones who ask; what visitors report."""

import secrets
import uuid
from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from companies.enums import Channel, DecisionReason, DecisionScope
from companies.models import Rome, spaced_siret
from labonnealternance.kit.contacts import LONGEST_ADDRESS, shown_phone
from labonnealternance.kit.states import Move, WithStatus
from labonnealternance.kit.text import french_date
from offers.models import Offer
from unsubscribe.enums import Outcome, Proof, ReportKind, ReportStatus, Status

LONGEST_COMMENT = 1000
MOST_JOBS = 3
_HIDDEN = {
    Channel.EMAIL: "l’adresse e-mail : plus de candidature par e-mail",
    Channel.PHONE: "le téléphone",
    Channel.APPLICATIONS: "la réception de candidatures : plus de candidature par notre site",
}


def _where(request: "Request", name: str) -> str:
    """A name that nobody guesses, and that says nothing of who sent the file; its end is that of its content."""
    return f"unsubscribe/{secrets.token_hex(16)}.{name.rpartition('.')[2]}"


class RequestQuerySet(models.QuerySet["Request"]):
    def to_treat(self):
        """What waits for support."""
        return self.filter(status=Status.CONFIRMED)


class Request(WithStatus):
    """One request. ``address`` is where its link was sent: the establishment's known one, or the person's own.

    With ``Proof.MAILBOX`` who opens the link speaks for the establishments whose known address it is. With
    ``Proof.DOCUMENT`` the link only proves where to answer, and support decides.
    """

    MOVES: ClassVar[dict] = {
        Status.ASKED: {Status.CONFIRMED, Status.EXPIRED},
        Status.CONFIRMED: {Status.DONE, Status.REFUSED},
        Status.DONE: set(),
        Status.REFUSED: set(),
        Status.EXPIRED: set(),
    }

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    outcome = models.CharField("demande", max_length=10, choices=Outcome)
    scope = models.CharField("désigné par", max_length=5, choices=DecisionScope)
    value = models.CharField("SIRET ou adresse", max_length=LONGEST_ADDRESS)
    covers_company = models.BooleanField("pour toute l’entreprise", default=False)
    reason = models.CharField("motif", max_length=25, choices=DecisionReason)
    ends_on = models.DateField("dernier jour", null=True, blank=True)
    channel = models.CharField("moyen de contact", max_length=12, choices=Channel, default=Channel.ALL)
    email = models.EmailField("nouvelle adresse", max_length=LONGEST_ADDRESS, blank=True)
    phone = models.CharField("nouveau téléphone", max_length=20, blank=True)
    rome_codes = ArrayField(models.CharField(max_length=5), verbose_name="métiers", default=list, blank=True)
    comment = models.TextField("explication", blank=True)
    status = models.CharField("état", max_length=10, choices=Status, default=Status.ASKED)
    proof = models.CharField("preuve", max_length=10, choices=Proof)
    address = models.EmailField("adresse du lien", max_length=LONGEST_ADDRESS)
    # Asked from the link of a mail, which may have been forwarded: it shows and reaches nothing else.
    is_narrow = models.BooleanField("pour ce seul établissement", default=False)
    document = models.FileField("justificatif", upload_to=_where, blank=True)
    digest = models.CharField(max_length=64, unique=True)
    asked_at = models.DateTimeField("demandée le")
    expires_at = models.DateTimeField("lien valable jusqu’au")
    confirmed_at = models.DateTimeField("confirmée le", null=True, blank=True)
    settled_at = models.DateTimeField("réglée le", null=True, blank=True)
    # How many establishments it was done for.
    establishments = models.PositiveIntegerField("établissements", default=0)
    taken_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="suivie par",
    )

    objects = RequestQuerySet.as_manager()

    class Meta:
        verbose_name = "demande"
        constraints = [
            models.CheckConstraint(
                condition=Q(scope=DecisionScope.SIRET, value__regex=r"^\d{14}$")
                | Q(scope=DecisionScope.EMAIL, value__contains="@", value=Lower("value"), proof=Proof.MAILBOX),
                name="unsubscribe_value_fits_its_scope",
                violation_error_message="Une demande désigne un SIRET, ou une adresse e-mail qu’un lien prouve.",
            ),
            models.CheckConstraint(
                condition=~Q(outcome=Outcome.PAUSE) | Q(ends_on__isnull=False),
                name="unsubscribe_pause_has_an_end",
                violation_error_message="Une pause a une date de fin.",
            ),
            models.CheckConstraint(
                condition=Q(outcome=Outcome.HIDE) ^ Q(channel=Channel.ALL),
                name="unsubscribe_channel_only_when_hidden",
                violation_error_message="Un moyen de contact se choisit pour être masqué, et alors seulement.",
            ),
            models.CheckConstraint(
                condition=~Q(outcome=Outcome.CORRECT) | ~Q(email="", phone=""),
                name="unsubscribe_correction_has_a_contact",
                violation_error_message="Une correction donne une adresse ou un téléphone.",
            ),
            models.CheckConstraint(
                condition=~Q(outcome=Outcome.BE_LISTED) | Q(rome_codes__len__gt=0),
                name="unsubscribe_listing_has_jobs",
                violation_error_message="Un référencement nomme au moins un métier.",
            ),
            models.CheckConstraint(
                condition=Q(status__in=[Status.ASKED, Status.EXPIRED]) ^ Q(confirmed_at__isnull=False),
                name="unsubscribe_confirmed_at_some_time",
                violation_error_message="Une demande confirmée l’est depuis un moment.",
            ),
        ]
        indexes = [
            models.Index(fields=["confirmed_at"], name="unsubscribe_to_treat", condition=Q(status=Status.CONFIRMED)),
            models.Index(fields=["value"], name="unsubscribe_value"),
            models.Index(fields=["asked_at"], name="unsubscribe_asked_at"),
        ]

    def __str__(self):
        return f"{self.get_outcome_display()} : {self.about}"

    @property
    def about(self) -> str:
        """The SIRET as it is read, or the address."""
        return spaced_siret(self.value) if self.scope == DecisionScope.SIRET else self.value

    def is_usable(self, at: datetime) -> bool:
        """Whether its link still does something at ``at``."""
        return self.status == Status.ASKED and at < self.expires_at

    def told(self) -> str:
        """What is asked, as the end of « Vous avez demandé »."""
        until = french_date(self.ends_on) if self.ends_on else ""
        match self.outcome:
            case Outcome.LEAVE:
                return "de ne plus apparaître sur le site"
            case Outcome.PAUSE:
                return f"de ne plus apparaître sur le site jusqu’au {until} inclus"
            case Outcome.HIDE:
                return f"de masquer {_HIDDEN[Channel(self.channel)]}"
            case Outcome.CORRECT:
                contacts = [f"e-mail {self.email}"] * bool(self.email)
                contacts += [f"téléphone {shown_phone(self.phone)}"] * bool(self.phone)
                return f"de remplacer les coordonnées connues ({', '.join(contacts)})"
        labels = Rome.objects.filter(code__in=self.rome_codes).order_by("code").values_list("label", flat=True)
        return f"d’apparaître jusqu’au {until} inclus pour : {', '.join(labels)}"

    def move(self, *, to: Status, by, at: datetime, reason: str = "") -> None:
        """Passes to ``to`` with a line of the journal. Raises ``ForbiddenMove``."""
        self._pass_to(to, by=by, at=at, reason=reason)
        if to == Status.CONFIRMED:
            self.confirmed_at = at
        elif to in {Status.DONE, Status.REFUSED}:
            self.settled_at = at
        self.save(update_fields=["status", "confirmed_at", "settled_at", "establishments"])


class RequestMove(Move):
    """One line of the journal of a request."""

    request = models.ForeignKey(Request, on_delete=models.CASCADE, related_name="journal", verbose_name="demande")
    from_status = models.CharField("de", max_length=10, choices=Status)
    to_status = models.CharField("à", max_length=10, choices=Status)

    class Meta(Move.Meta):
        pass

    def __str__(self):
        return f"{self.request_id} : {self.get_to_status_display()}"


class ReportQuerySet(models.QuerySet["Report"]):
    def to_treat(self):
        """What waits for support."""
        return self.filter(status=ReportStatus.TO_TREAT)


class Report(WithStatus):
    """What a visitor says of an establishment, or of one of its offers. Nothing proves who they are."""

    MOVES: ClassVar[dict] = {
        ReportStatus.TO_TREAT: {ReportStatus.TREATED, ReportStatus.DISMISSED},
        ReportStatus.TREATED: set(),
        ReportStatus.DISMISSED: set(),
    }

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # Drawn when the form is shown: the same form sent twice is one report.
    key = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    siret = models.CharField("SIRET", max_length=14)
    offer = models.ForeignKey(
        Offer,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        verbose_name="offre",
    )
    kind = models.CharField("problème", max_length=10, choices=ReportKind)
    details = models.TextField("précisions", blank=True)
    email = models.EmailField("adresse du visiteur", max_length=LONGEST_ADDRESS, blank=True)
    status = models.CharField("état", max_length=10, choices=ReportStatus, default=ReportStatus.TO_TREAT)
    reported_at = models.DateTimeField("signalé le")
    settled_at = models.DateTimeField("réglé le", null=True, blank=True)
    erased_at = models.DateTimeField("précisions effacées le", null=True, blank=True)
    taken_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        verbose_name="suivi par",
    )

    objects = ReportQuerySet.as_manager()

    class Meta:
        verbose_name = "signalement"
        constraints = [
            models.CheckConstraint(
                condition=Q(siret__regex=r"^\d{14}$"),
                name="report_siret_has_14_digits",
                violation_error_message="Un SIRET a 14 chiffres.",
            ),
            models.CheckConstraint(
                condition=Q(status=ReportStatus.TO_TREAT) ^ Q(settled_at__isnull=False),
                name="report_settled_at_some_time",
                violation_error_message="Un signalement réglé l’est depuis un moment.",
            ),
            models.CheckConstraint(
                condition=Q(erased_at__isnull=True) | Q(details="", email=""),
                name="report_erased_has_no_details",
                violation_error_message="Un signalement effacé n’a plus ni précisions ni adresse.",
            ),
        ]
        indexes = [
            models.Index(
                fields=["reported_at", "id"], name="report_to_treat", condition=Q(status=ReportStatus.TO_TREAT)
            ),
            models.Index(fields=["siret", "-reported_at"], name="report_about"),
            models.Index(fields=["reported_at"], name="report_to_erase", condition=Q(erased_at__isnull=True)),
        ]

    def __str__(self):
        return f"{self.get_kind_display()} : {spaced_siret(self.siret)}"

    def move(self, *, to: ReportStatus, by, at: datetime, reason: str) -> None:
        """Passes to ``to`` with a line of the journal. Raises ``ForbiddenMove``."""
        self._pass_to(to, by=by, at=at, reason=reason)
        self.settled_at = at
        self.save(update_fields=["status", "settled_at"])


class ReportMove(Move):
    """One line of the journal of a report."""

    report = models.ForeignKey(Report, on_delete=models.CASCADE, related_name="journal", verbose_name="signalement")
    from_status = models.CharField("de", max_length=10, choices=ReportStatus)
    to_status = models.CharField("à", max_length=10, choices=ReportStatus)

    class Meta(Move.Meta):
        pass

    def __str__(self):
        return f"{self.report_id} : {self.get_to_status_display()}"
