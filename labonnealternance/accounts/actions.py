"""What happens to accounts: a link is asked for and used, support comes and goes, time passes."""

import secrets
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

import structlog
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.contrib.sessions.models import Session
from django.db import transaction

from labonnealternance.accounts import emails
from labonnealternance.accounts.enums import GROUPS, Role
from labonnealternance.accounts.models import SecondFactor, SignInLink, User
from labonnealternance.kit import limits
from labonnealternance.kit.http import network_of
from labonnealternance.kit.limits import Limit

logger = structlog.get_logger(__name__)

# Whoever lacks an e-mail asks again twice or thrice; a room of forty people behind one network signs in.
LINKS_PER_ADDRESS = Limit("sign-in-link-address", count=5, per=timedelta(minutes=15))
LINKS_PER_NETWORK = Limit("sign-in-link-network", count=60, per=timedelta(minutes=15))

USED_LINKS_KEPT = timedelta(days=1)
FAILURES_KEPT = timedelta(days=1)
BATCH = 500


class LinkNotValid(Exception):
    """The link was used, has expired, or never was: which one is not told."""


class AlreadySupport(Exception):
    """The account is a member of support already."""


class YourOwnAccount(Exception):
    """Nobody shuts themselves out."""


class ReservedToAdministrators(Exception):
    """Only a superuser shuts or opens an account of support."""


def request_link(*, address: str, ip: str, next_path: str, at: datetime) -> None:
    """Sends a link to ``address`` (lower case) where an account has it; raises ``limits.TooMany``.

    Nothing that comes back tells whether an account has it. Support gets none: it enters by password and second factor.
    """
    limits.hit(LINKS_PER_NETWORK, subject=network_of(ip), at=at)
    limits.hit(LINKS_PER_ADDRESS, subject=address, at=at)
    with transaction.atomic():
        user = User.objects.filter(email=address, is_active=True, is_staff=False).first()
        if user is None:
            return
        token = secrets.token_urlsafe(32)
        link = SignInLink.objects.create(
            digest=SignInLink.digest_of(token),
            user=user,
            next_path=next_path,
            created_at=at,
            expires_at=at + timedelta(minutes=settings.SIGN_IN_LINK_LIFETIME_MINUTES),
        )
        emails.sign_in_link(link=link, token=token, at=at)
    logger.info("sign_in_link_sent", user=user.pk)


def is_usable(*, token: str, at: datetime) -> bool:
    """Whether ``token`` would sign someone in at ``at``; uses nothing."""
    return SignInLink.objects.usable(token=token, at=at).exists()


def use_link(*, token: str, at: datetime) -> SignInLink:
    """Uses the link, once: of requests at the same moment one passes. Raises ``LinkNotValid``."""
    if not SignInLink.objects.usable(token=token, at=at).update(used_at=at):
        raise LinkNotValid
    link = SignInLink.objects.select_related("user").get(digest=SignInLink.digest_of(token))
    if not link.user.is_active or link.user.is_staff:
        raise LinkNotValid
    logger.info("sign_in_link_used", user=link.user.pk)
    return link


@transaction.atomic
def give_role(*, user: User, role: Role) -> None:
    """Makes ``user`` one of the role's people; support is given by ``create_support_account`` only."""
    if role not in GROUPS:
        raise ValueError(role)
    user.groups.add(Group.objects.get_or_create(name=role.value)[0])


@transaction.atomic
def create_support_account(
    *,
    email: str,
    password: str,
    first_name: str = "",
    last_name: str = "",
    superuser: bool = False,
    renew: bool = False,
) -> SecondFactor:
    """A member of support with a password and a new second factor, whose ``config_url`` is shown once.

    With ``renew`` an existing member gets a new password and a new second factor. Raises ``AlreadySupport`` without it,
    and Django's ``ValidationError`` for a password that is too weak.
    """
    user = User.objects.select_for_update().filter(email=email.lower()).first() or User(email=email.lower())
    if user.is_staff and not renew:
        raise AlreadySupport(email)
    user.first_name = first_name or user.first_name
    user.last_name = last_name or user.last_name
    validate_password(password, user)
    user.set_password(password)
    user.is_staff = user.is_active = True
    user.is_superuser = superuser or (renew and user.is_superuser)
    user.save()
    SecondFactor.objects.filter(user=user).delete()
    logger.info("support_account_created", user=user.pk, superuser=user.is_superuser)
    return SecondFactor.objects.create(user=user, name="Application d'authentification", confirmed=True)


@transaction.atomic
def remove_second_factor(*, user_id: int, by: User) -> None:
    """Takes the codes of a member of support away: nobody enters with them any more, and open sessions end."""
    SecondFactor.objects.filter(user_id=user_id).delete()
    logger.info("second_factor_removed", user=user_id, by=by.pk)


@transaction.atomic
def deactivate(*, user_id: int, by: User) -> None:
    """Shuts the account: its sessions end at once and for good, its links are void. Raises ``YourOwnAccount``,
    ``ReservedToAdministrators``.
    """
    if user_id == by.pk:
        raise YourOwnAccount("Vous ne pouvez pas désactiver votre propre compte.")
    user = User.objects.select_for_update().get(pk=user_id)
    _check_rank(user, by=by)
    _shut(user)
    user.save(update_fields=["is_active", "password"])
    logger.info("account_deactivated", user=user.pk, by=by.pk)


@transaction.atomic
def reactivate(*, user_id: int, by: User) -> None:
    """Opens the account again; a member of support also needs ``create_support_account --renew``."""
    user = User.objects.select_for_update().get(pk=user_id, anonymised_at__isnull=True)
    _check_rank(user, by=by)
    user.is_active = True
    user.save(update_fields=["is_active"])
    logger.info("account_reactivated", user=user.pk, by=by.pk)


def _check_rank(user: User, *, by: User) -> None:
    if user.is_staff and not by.is_superuser:
        raise ReservedToAdministrators("Seul un administrateur agit sur un compte du support.")


def _shut(user: User) -> None:
    user.is_active = False
    # Every session carries a digest of the password: a new one ends them all, and they don't come back with the person.
    user.set_unusable_password()
    user.sign_in_links.all().delete()


def _anonymise(user: User, *, at: datetime) -> None:
    """Keeps the row, which other rows point to, and nothing of the person."""
    _shut(user)
    user.email = f"anonyme-{user.pk}@anonyme.invalid"
    user.first_name = user.last_name = ""
    user.anonymised_at = at
    user.groups.clear()
    user.save()


def anonymise_inactive(*, at: datetime, dry_run: bool = False) -> int:
    """Anonymises the people without activity for two years; returns their number."""
    if dry_run:
        return User.objects.inactive(at).count()
    done = 0
    while True:
        with transaction.atomic():
            batch = list(User.objects.inactive(at).select_for_update(skip_locked=True)[:BATCH])
            for user in batch:
                _anonymise(user, at=at)
        done += len(batch)
        if len(batch) < BATCH:
            return done


@dataclass(frozen=True)
class Purged:
    """How many rows were, or would be, deleted of each kind; ``people`` are anonymised."""

    links: int
    counters: int
    sessions: int
    failures: int
    people: int

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


def purge(*, at: datetime, dry_run: bool = False) -> Purged:
    """Forgets what has no more use; with ``dry_run`` only counts. Safe to run twice, or to be stopped."""

    def forget(rows) -> int:
        return rows.count() if dry_run else rows.delete()[0]

    purged = Purged(
        links=forget(SignInLink.objects.over(at - USED_LINKS_KEPT)),
        counters=limits.purge(at=at, dry_run=dry_run),
        sessions=forget(Session.objects.filter(expire_date__lt=at)),
        failures=forget(AccessAttempt.objects.filter(attempt_time__lt=at - FAILURES_KEPT)),
        people=anonymise_inactive(at=at, dry_run=dry_run),
    )
    if not dry_run:
        logger.info("accounts_purged", **purged.as_dict())
    return purged
