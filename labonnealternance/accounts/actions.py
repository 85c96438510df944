"""What happens to accounts: a link is asked for and used, an address changes, support comes and goes, time passes."""

import secrets
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

import structlog
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.db import IntegrityError, transaction
from django.utils.module_loading import import_string

from labonnealternance.accounts import emails, groups, visits
from labonnealternance.accounts.enums import GROUPS, Role
from labonnealternance.accounts.models import AddressChange, SecondFactor, Session, SignInLink, User, digest_of
from labonnealternance.kit import limits, readings
from labonnealternance.kit.http import network_of
from labonnealternance.kit.limits import Limit

logger = structlog.get_logger(__name__)

# Whoever lacks an e-mail asks again twice or thrice; a room of forty people behind one network signs in.
LINKS_PER_ADDRESS = Limit("sign-in-link-address", count=5, per=timedelta(minutes=15))
LINKS_PER_NETWORK = Limit("sign-in-link-network", count=60, per=timedelta(minutes=15))
# Each one writes to an address that someone typed.
CHANGES_PER_PERSON = Limit("address-change", count=5, per=timedelta(hours=1))

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


def request_link(*, address: str, ip: str, next_path: str, at: datetime, subject: str = "") -> None:
    """Sends a link to ``address`` (lower case) where an account has it; raises ``limits.TooMany``.

    Nothing that comes back tells whether an account has it.
    """
    _count_link(address=address, ip=ip, at=at)
    user = User.objects.filter(email=address).first()
    if user:
        send_link(user=user, next_path=next_path, subject=subject, at=at)


def _count_link(*, address: str, ip: str, at: datetime) -> None:
    limits.hit(LINKS_PER_NETWORK, subject=network_of(ip), at=at)
    limits.hit(LINKS_PER_ADDRESS, subject=address, at=at)


@transaction.atomic
def send_link(*, user: User, next_path: str, at: datetime, subject: str = "") -> SignInLink | None:
    """A link to ``user``'s address, without a limit; none to support, nor to an account that is shut.

    ``subject`` (« registration:12 ») is what its use confirms: the functions of ``settings.LINK_USED`` read it. Its
    first word names the mail in ``settings.LINK_EMAILS``; without one it is the ordinary mail of a sign-in.
    """
    if not user.enters_by_link:
        return None
    token = secrets.token_urlsafe(32)
    link = SignInLink.objects.create(
        digest=digest_of(token),
        user=user,
        address=user.email,
        next_path=next_path,
        subject=subject,
        created_at=at,
        expires_at=_end_of_a_link(at),
    )
    mail = settings.LINK_EMAILS.get(subject.partition(":")[0])
    (import_string(mail) if mail else emails.sign_in_link)(link=link, token=token, at=at)
    logger.info("sign_in_link_sent", user=user.pk)
    return link


def _end_of_a_link(at: datetime) -> datetime:
    return at + timedelta(minutes=settings.SIGN_IN_LINK_LIFETIME_MINUTES)


def usable_link(*, token: str, at: datetime) -> SignInLink | None:
    """The link that ``token`` would sign someone in with at ``at``; uses nothing."""
    return SignInLink.objects.usable(token=token, at=at).live().first()


@dataclass(frozen=True)
class LinkWords:
    """What the page of a link says before it is used: ``lines`` tell what ``button`` confirms, beside signing in.

    ``done`` is said once it is confirmed.
    """

    title: str
    lines: list[str]
    button: str
    done: str


def words_of_link(*, link: SignInLink) -> LinkWords | None:
    """The words of the app that asked for ``link`` (``settings.LINK_WORDS``); None where it only signs in."""
    words = settings.LINK_WORDS.get(link.subject.partition(":")[0])
    return import_string(words)(link=link) if words else None


def is_renewable(*, token: str, at: datetime) -> bool:
    """Whether ``token`` expired before it was used, and would be sent again."""
    return SignInLink.objects.renewable(token=token, at=at).live().exists()


def used_link(*, token: str, by: User) -> SignInLink | None:
    """The link that ``by`` has used already, if it is ``token``'s."""
    return SignInLink.objects.filter(digest=digest_of(token), user=by, used_at__isnull=False).first()


def _owner(**link: object) -> User:
    """Locks the person of a link, so that neither their address nor their account changes meanwhile."""
    owner = User.objects.entering_by_link().select_for_update(of=("self",), no_key=True).filter(**link).first()
    if owner is None:
        raise LinkNotValid
    return owner


@transaction.atomic
def use_link(*, token: str, at: datetime) -> SignInLink:
    """Uses the link, once: of requests at the same moment one passes. Raises ``LinkNotValid``.

    The address is confirmed (``email_confirmed_at == at`` when it was not before), and what the link stands for is done
    by the functions of ``settings.LINK_USED``: all of it, or nothing is used.
    """
    user = _owner(sign_in_links__digest=digest_of(token))
    if not SignInLink.objects.usable(token=token, at=at).filter(address=user.email).update(used_at=at):
        raise LinkNotValid
    link = SignInLink.objects.get(digest=digest_of(token))
    link.user = user
    if user.email_confirmed_at is None:
        user.email_confirmed_at = at
        user.save(update_fields=["email_confirmed_at"])
    for told in settings.LINK_USED:
        import_string(told)(link=link, at=at)
    logger.info("sign_in_link_used", user=user.pk)
    return link


def renew_link(*, token: str, ip: str, at: datetime) -> None:
    """Sends another link for what an expired one stood for, to the same address.

    Raises ``limits.TooMany``, and ``LinkNotValid`` where nothing is to be renewed.
    """
    expired = SignInLink.objects.renewable(token=token, at=at).live().select_related("user").first()
    if expired is None:
        raise LinkNotValid
    _count_link(address=expired.address, ip=ip, at=at)
    send_link(user=expired.user, next_path=expired.next_path, subject=expired.subject, at=at)


def request_address_change(*, user: User, address: str, ip: str, at: datetime) -> None:
    """Sends to ``address`` (lower case) the link that will make it ``user``'s, and tells the present one.

    Where another account has it, its owner is told instead, and nothing that comes back says so. Raises
    ``limits.TooMany``.
    """
    limits.hit(CHANGES_PER_PERSON, subject=str(user.pk), at=at)
    _count_link(address=address, ip=ip, at=at)
    token = secrets.token_urlsafe(32)
    asked = {"address": address, "digest": digest_of(token), "created_at": at, "expires_at": _end_of_a_link(at)}
    with transaction.atomic():
        change, _ = AddressChange.objects.update_or_create(user=user, defaults=asked)
        emails.address_change_asked(change=change, at=at)
        owner = User.objects.filter(email=address).first()
        if owner is None:
            emails.address_change(change=change, token=token, at=at)
        elif owner.is_active:
            emails.address_taken(owner=owner, at=at)
    logger.info("address_change_asked", user=user.pk)


def cancel_address_change(*, user: User) -> None:
    """The link that was sent to the new address is void."""
    AddressChange.objects.filter(user=user).delete()
    logger.info("address_change_cancelled", user=user.pk)


def waiting_address(*, user: User, at: datetime) -> str:
    """The address that ``user`` asked for and has not confirmed yet, or ""."""
    waiting = AddressChange.objects.filter(user=user, expires_at__gt=at)
    return waiting.values_list("address", flat=True).first() or ""


def asked_address(*, token: str, at: datetime) -> str:
    """The address that ``token`` would give to its account at ``at``, or ""; changes nothing."""
    waiting = AddressChange.objects.filter(
        digest=digest_of(token), expires_at__gt=at, user__in=User.objects.entering_by_link()
    )
    return waiting.values_list("address", flat=True).first() or ""


@transaction.atomic
def change_address(*, token: str, kept_session: str | None, at: datetime) -> User:
    """Gives the account its new address; its unused links die, and its sessions but ``kept_session`` (a key).

    Raises ``LinkNotValid``, also where another account took the address meanwhile.
    """
    user = _owner(address_change__digest=digest_of(token))
    change = AddressChange.objects.filter(digest=digest_of(token), expires_at__gt=at).first()
    if change is None:
        raise LinkNotValid
    before, user.email, user.email_confirmed_at = user.email, change.address, at
    try:
        with transaction.atomic():
            user.save(update_fields=["email", "email_confirmed_at"])
    except IntegrityError:
        raise LinkNotValid from None
    change.delete()
    user.sign_in_links.filter(used_at__isnull=True).delete()
    close_other_sessions(user=user, kept_session=kept_session)
    emails.address_changed(user=user, before=before, at=at)
    logger.info("address_changed", user=user.pk)
    return user


@transaction.atomic
def set_contact(*, user: User, first_name: str, last_name: str, phone: str, at: datetime) -> None:
    """How the person is called and reached; ``phone`` as it is kept (« +33199000018 »)."""
    user.first_name, user.last_name, user.phone = first_name, last_name, phone
    user.save(update_fields=["first_name", "last_name", "phone"])
    logger.info("contact_set", user=user.pk, at=at.isoformat())


def close_session(*, session: Session) -> None:
    """The browser is out at its next request."""
    session.delete()
    logger.info("session_closed", user=session.user_id)


def close_other_sessions(*, user: User, kept_session: str | None) -> int:
    """Closes all of ``user``'s sessions but ``kept_session`` (its key, if any); returns their number."""
    closed = user.sessions.exclude(pk=kept_session).delete()[0]
    logger.info("sessions_closed", user=user.pk, closed=closed)
    return closed


@transaction.atomic
def give_role(*, user: User, role: Role) -> None:
    """Makes ``user`` one of the role's people; support is given by ``create_support_account`` only."""
    if role not in GROUPS:
        raise ValueError(role)
    user.groups.add(Group.objects.get_or_create(name=role.value)[0])


@transaction.atomic
def take_role(*, user: User, role: Role) -> None:
    """``user`` is no longer one of the role's people; twice is no error."""
    user.groups.remove(*Group.objects.filter(name=role.value))


@transaction.atomic
def create_support_account(
    *,
    email: str,
    password: str,
    first_name: str = "",
    last_name: str = "",
    superuser: bool = False,
    group: str = "",
    renew: bool = False,
) -> SecondFactor:
    """A member of support with a password and a new second factor, whose ``config_url`` is shown once.

    ``group`` says what they may do; empty, it is the one that they have, else the widest, and none for a superuser.
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
    if not group and not user.is_superuser and not user.groups.filter(name__in=groups.names()).exists():
        group = groups.names()[0]
    if group:
        groups.give(user=user, name=group)
    user.sessions.all().delete()
    SecondFactor.objects.filter(user=user).delete()
    logger.info("support_account_created", user=user.pk, superuser=user.is_superuser)
    return SecondFactor.objects.create(user=user, name="Application d’authentification", confirmed=True)


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


@transaction.atomic
def set_group(*, user_id: int, name: str, by: User) -> None:
    """What a member of support may do from now on: one group, in place of the former. Raises
    ``ReservedToAdministrators``.
    """
    user = User.objects.select_for_update().get(pk=user_id, is_staff=True)
    _check_rank(user, by=by)
    groups.give(user=user, name=name)
    logger.info("support_group_set", user=user.pk, group=name, by=by.pk)


def _check_rank(user: User, *, by: User) -> None:
    if user.is_staff and not by.is_superuser:
        raise ReservedToAdministrators("Seul un administrateur agit sur un compte du support.")


def _shut(user: User) -> None:
    user.is_active = False
    # Every session carries a digest of the password: a new one also ends those that open at this very moment.
    user.set_unusable_password()
    user.sessions.all().delete()
    user.sign_in_links.all().delete()
    AddressChange.objects.filter(user=user).delete()


def anonymise(*, user: User, at: datetime) -> None:
    """Keeps the row, which other rows point to, and nothing of the person."""
    _shut(user)
    user.email = f"anonyme-{user.pk}@anonyme.invalid"
    user.first_name = user.last_name = user.phone = ""
    user.email_confirmed_at = None
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
                anonymise(user=user, at=at)
        done += len(batch)
        if len(batch) < BATCH:
            return done


@dataclass(frozen=True)
class Purged:
    """How many rows were, or would be, deleted of each kind; ``people`` are anonymised."""

    links: int
    changes: int
    counters: int
    sessions: int
    failures: int
    people: int
    visits: int
    readings: int

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


def purge(*, at: datetime, dry_run: bool = False) -> Purged:
    """Forgets what has no more use; with ``dry_run`` only counts. Safe to run twice, or to be stopped."""

    def forget(rows) -> int:
        return rows.count() if dry_run else rows.delete()[0]

    purged = Purged(
        links=forget(SignInLink.objects.over(at - USED_LINKS_KEPT)),
        changes=forget(AddressChange.objects.filter(expires_at__lte=at)),
        counters=limits.purge(at=at, dry_run=dry_run),
        sessions=forget(Session.objects.over(at)),
        failures=forget(AccessAttempt.objects.filter(attempt_time__lt=at - FAILURES_KEPT)),
        people=anonymise_inactive(at=at, dry_run=dry_run),
        visits=visits.purge(at=at, dry_run=dry_run),
        readings=readings.purge(at=at, dry_run=dry_run),
    )
    if not dry_run:
        logger.info("accounts_purged", **purged.as_dict())
    return purged
