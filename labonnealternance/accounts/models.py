"""People, whose e-mail address is their name; the links that they sign in by, and the sessions that these open."""

import hashlib
import uuid
from datetime import datetime, timedelta
from importlib import import_module
from typing import ClassVar

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.contrib.sessions.base_session import AbstractBaseSession, BaseSessionManager
from django.db import models
from django.db.models.functions import Coalesce, Lower
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from labonnealternance.accounts.enums import Role

# A member of support sees a recruiter's space for this long at most, and the journal keeps these many of its pages.
LONGEST_VISIT = timedelta(minutes=30)
MOST_PAGES = 200
# A person who is not support and has not signed in for this long is anonymised.
KEPT_WITHOUT_ACTIVITY = timedelta(days=2 * 365)


def digest_of(token: str) -> str:
    """What a table keeps of a token of 256 random bits: it recognises the token, and does not make it."""
    return hashlib.sha256(token.encode()).hexdigest()


class UserQuerySet(models.QuerySet["User"]):
    def entering_by_link(self):
        """People whom a link lets in; support enters by password and second factor."""
        return self.filter(is_active=True, is_staff=False)

    def inactive(self, at: datetime):
        """People whom the service forgets at ``at``; support stays named in the journals that it signs."""
        return (
            self.filter(is_staff=False, anonymised_at__isnull=True)
            .alias(last_seen=Coalesce("last_login", "joined_at"))
            .filter(last_seen__lt=at - KEPT_WITHOUT_ACTIVITY)
        )


class UserManager(BaseUserManager.from_queryset(UserQuerySet)):  # type: ignore[misc]
    def create_user(self, email, password=None, **fields):
        """A person; without ``password`` only a signed link lets them in."""
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email, password=None, **fields):
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, email):
        return self.get(email=email.lower())


class User(AbstractBaseUser, PermissionsMixin):
    """A recruiter, an OPCO's advisor, a training centre's person, or a member of support (``is_staff``)."""

    email = models.EmailField(
        "adresse e-mail",
        max_length=254,
        unique=True,
        error_messages={"unique": "Une personne a déjà cette adresse e-mail."},
    )
    first_name = models.CharField("prénom", max_length=100, blank=True)
    last_name = models.CharField("nom", max_length=100, blank=True)
    phone = models.CharField("téléphone", max_length=20, blank=True)
    # A link sent to the address was used: the person reads it.
    email_confirmed_at = models.DateTimeField("adresse confirmée le", null=True, blank=True)
    is_staff = models.BooleanField("support", default=False, help_text="Peut entrer dans le back-office.")
    is_active = models.BooleanField("actif", default=True)
    joined_at = models.DateTimeField("inscription", default=timezone.now)
    anonymised_at = models.DateTimeField("anonymisé le", null=True, blank=True)

    objects = UserManager()

    EMAIL_FIELD = USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = "personne"
        permissions = [
            ("visit_user", "Peut voir l’espace d’un recruteur en lecture seule"),
            ("export_user", "Peut exporter les données d’une personne"),
            ("erase_user", "Peut effacer les données d’une personne"),
        ]
        indexes = [
            # The night's search for those whom the service forgets.
            models.Index(
                Coalesce("last_login", "joined_at"),
                name="accounts_user_last_seen",
                condition=models.Q(is_staff=False, anonymised_at__isnull=True),
            ),
            models.Index(fields=["-joined_at", "-id"], name="accounts_user_newest"),
            # Support is told a number, and asked whose it is.
            models.Index(fields=["phone"], name="accounts_user_phone", condition=~models.Q(phone="")),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(email=Lower("email")),
                name="accounts_user_email_is_lower_case",
                violation_error_message="Une adresse e-mail s’écrit en minuscules.",
            ),
        ]

    def __str__(self):
        return self.email

    def get_full_name(self):
        return f"{self.first_name} {self.last_name}".strip() or self.email

    def get_short_name(self):
        return self.first_name or self.email

    @property
    def enters_by_link(self) -> bool:
        """The same as ``entering_by_link`` of the table."""
        return self.is_active and not self.is_staff

    @property
    def may_be_visited(self) -> bool:
        """A recruiter, and nothing more: neither support, nor an OPCO's advisor, nor an account that is shut."""
        roles = self.roles
        return self.enters_by_link and not self.is_superuser and Role.RECRUITER in roles and Role.ADVISOR not in roles

    @property
    def roles(self) -> list[Role]:
        """The person's roles, support first."""
        groups = {group.name for group in self.groups.all()}
        return [role for role in Role if (self.is_staff if role is Role.SUPPORT else role.value in groups)]


class SignInLinkQuerySet(models.QuerySet["SignInLink"]):
    def usable(self, *, token: str, at: datetime):
        """The link that ``token`` opens at ``at``, or none; only columns of its own, so that one UPDATE can decide."""
        return self.filter(digest=digest_of(token), used_at__isnull=True, expires_at__gt=at)

    def renewable(self, *, token: str, at: datetime):
        """The link that ``token`` opened until it expired, without having been used."""
        return self.filter(digest=digest_of(token), used_at__isnull=True, expires_at__lte=at)

    def live(self):
        """Links of people whom a link lets in, and whose address is still the one that it was sent to."""
        return self.filter(user__in=User.objects.entering_by_link(), address=models.F("user__email"))

    def over(self, at: datetime):
        """Links that nobody can use any more at ``at``."""
        return self.filter(expires_at__lte=at)


class SignInLink(models.Model):
    """A link that signs someone in once; the table holds what recognises it, never what makes it."""

    digest = models.CharField("empreinte", max_length=64, unique=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="sign_in_links", verbose_name="personne"
    )
    # The address that it was sent to: a link dies with a change of address.
    address = models.EmailField("adresse", max_length=254)
    next_path = models.CharField("page demandée", max_length=500, blank=True)
    # What its use confirms, in the words of the app that asked for it (``settings.LINK_USED``).
    subject = models.CharField("objet", max_length=100, blank=True)
    created_at = models.DateTimeField("demandé le")
    expires_at = models.DateTimeField("valable jusqu’à")
    used_at = models.DateTimeField("utilisé le", null=True, blank=True)

    objects = SignInLinkQuerySet.as_manager()

    class Meta:
        verbose_name = "lien de connexion"
        verbose_name_plural = "liens de connexion"
        indexes = [models.Index(fields=["expires_at"], name="accounts_link_expires_at")]

    def __str__(self):
        return f"{self.user_id} : {self.created_at:%d/%m/%Y %H:%M}"


class AddressChange(models.Model):
    """A new address that a person asked for: it becomes theirs when the link that was sent to it is used.

    One at most for a person: asking again replaces it, and using it deletes it.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="address_change", verbose_name="personne"
    )
    address = models.EmailField("nouvelle adresse", max_length=254)
    digest = models.CharField("empreinte", max_length=64, unique=True)
    created_at = models.DateTimeField("demandé le")
    expires_at = models.DateTimeField("valable jusqu’à", db_index=True)

    class Meta:
        verbose_name = "changement d’adresse"
        verbose_name_plural = "changements d’adresse"

    def __str__(self):
        return f"{self.user_id} : {self.created_at:%d/%m/%Y %H:%M}"


class SessionQuerySet(models.QuerySet["Session"]):
    def open(self, at: datetime):
        """Sessions that have not expired."""
        return self.filter(expire_date__gt=at)

    def over(self, at: datetime):
        return self.filter(expire_date__lte=at)


class SessionManager(BaseSessionManager.from_queryset(SessionQuerySet)):  # type: ignore[misc]
    """Django's, with our adjectives."""


class Session(AbstractBaseSession):
    """A browser that comes back; once signed in, it is listed to its person, who closes it.

    Of where it comes from only the beginning of an IP address and a device's name are kept.
    """

    # What an address or a page may name the session by: its key opens it, and is shown nowhere.
    handle = models.UUIDField("identifiant", default=uuid.uuid4, unique=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="sessions",
        verbose_name="personne",
    )
    # Signing in gives a session another key, hence another row: this is when its person signed in.
    created_at = models.DateTimeField("ouverte le")
    last_seen_at = models.DateTimeField("vue le")
    network = models.CharField("réseau", max_length=40, blank=True)
    device = models.CharField("appareil", max_length=60, blank=True)

    objects: ClassVar[SessionManager] = SessionManager()

    class Meta:
        verbose_name = "session"

    def __str__(self):
        return str(self.handle)

    @classmethod
    def get_session_store_class(cls):
        return import_module(settings.SESSION_ENGINE).SessionStore


class VisitQuerySet(models.QuerySet["Visit"]):
    def live(self, at: datetime):
        """Visits that neither the agent nor the clock has ended."""
        return self.filter(ended_at__isnull=True, ends_at__gt=at)


class Visit(models.Model):
    """A member of support sees the pages of a recruiter as the recruiter does, and changes nothing.

    The browser holds a secret that only works beside its own support session; the table keeps what recognises it. The
    row is its own journal: who, whom, why, from, to, and the pages that were asked for, without their questions.
    """

    digest = models.CharField("empreinte", max_length=64, unique=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="visits_made", verbose_name="par"
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="visits", verbose_name="espace de"
    )
    reason = models.TextField("raison")
    began_at = models.DateTimeField("ouverte le")
    ends_at = models.DateTimeField("finit au plus tard le")
    ended_at = models.DateTimeField("finie le", null=True, blank=True)
    # « 14:32 GET /recruteur/ », the first ones.
    pages = ArrayField(models.CharField(max_length=250), verbose_name="pages", default=list, blank=True)

    objects = VisitQuerySet.as_manager()

    class Meta:
        verbose_name = "visite d’un espace"
        verbose_name_plural = "visites d’espaces"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends_at__gt=models.F("began_at"))
                & models.Q(ends_at__lte=models.F("began_at") + LONGEST_VISIT),
                name="accounts_visit_is_short",
                violation_error_message="Une visite dure 30 minutes au plus.",
            ),
            models.CheckConstraint(
                condition=~models.Q(reason=""),
                name="accounts_visit_has_a_reason",
                violation_error_message="Une visite a une raison.",
            ),
            models.CheckConstraint(
                condition=~models.Q(by=models.F("user")),
                name="accounts_visit_is_of_another",
                violation_error_message="On ne visite pas son propre espace.",
            ),
        ]
        indexes = [models.Index(fields=["-began_at", "-id"], name="accounts_visit_latest")]

    def __str__(self):
        return f"Visite {self.pk}"

    def is_live(self, at: datetime) -> bool:
        """The same as ``live`` of the table."""
        return self.ended_at is None and at < self.ends_at


class SecondFactor(TOTPDevice):
    """The codes of a member of support, by its name here; the table is the library's."""

    class Meta:
        proxy = True
        verbose_name = "second facteur"
        verbose_name_plural = "seconds facteurs"
