"""A member of support sees a recruiter's space as the recruiter does, to help: read-only, short, and journalled."""

import secrets
from datetime import datetime, timedelta

import structlog
from django.db import connection, transaction

from labonnealternance.accounts.models import LONGEST_VISIT, MOST_PAGES, User, Visit, digest_of
from labonnealternance.kit.logging import masked

logger = structlog.get_logger(__name__)

PERMISSION = "accounts.visit_user"
KEPT = timedelta(days=365)


class NotVisited(Exception):
    """The space can't be seen by this person; the message says why, in French."""


@transaction.atomic
def begin(*, user_id: int, by: User, reason: str, at: datetime) -> tuple[Visit, str]:
    """Opens a visit of half an hour, and gives the secret that the browser keeps; ``by``'s other visits end.

    Raises ``NotVisited``.
    """
    if not (by.is_staff and by.has_perm(PERMISSION)):
        raise NotVisited("Vous n’avez pas le droit de voir l’espace d’un recruteur.")
    user = User.objects.select_for_update(of=("self",), no_key=True).get(pk=user_id)
    if user.pk == by.pk or not user.may_be_visited:
        raise NotVisited("Seul l’espace d’un recruteur dont le compte est ouvert se visite.")
    if not reason.strip():
        raise NotVisited("Dites pourquoi vous avez besoin de voir cet espace.")
    Visit.objects.live(at).filter(by=by).update(ended_at=at)
    token = secrets.token_urlsafe(32)
    visit = Visit.objects.create(
        digest=digest_of(token), by=by, user=user, reason=reason.strip(), began_at=at, ends_at=at + LONGEST_VISIT
    )
    logger.info("visit_begun", visit=visit.pk, by=by.pk, user=user.pk)
    return visit, token


def find(*, token: str, by: User) -> Visit | None:
    """The visit of ``by`` that ``token`` opened, ended or not."""
    rows = Visit.objects.select_related("user").prefetch_related("user__groups").defer("pages")
    return rows.filter(digest=digest_of(token), by=by).first()


def may_go_on(visit: Visit, *, by: User, at: datetime) -> bool:
    """Whether ``visit`` still shows something at ``at``: asked at each page, so that a right that is lost ends it."""
    return visit.is_live(at) and by.is_active and by.is_staff and by.has_perm(PERMISSION) and visit.user.may_be_visited


def note(*, visit: Visit, what: str, at: datetime) -> None:
    """Writes in the journal that a page was asked for: « 14:32 GET /recruteur/ »; the first ``MOST_PAGES``."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE accounts_visit SET pages = array_append(pages, %(line)s)"
            " WHERE id = %(visit)s AND cardinality(pages) < %(most)s",
            {"line": masked(what)[:250], "visit": visit.pk, "most": MOST_PAGES},
        )


def end(*, visit: Visit, at: datetime) -> None:
    """Ends the visit; twice is no error, and one that the clock ended keeps its end."""
    Visit.objects.filter(pk=visit.pk, ended_at__isnull=True).update(ended_at=min(at, visit.ends_at))
    logger.info("visit_ended", visit=visit.pk)


def purge(*, at: datetime, dry_run: bool = False) -> int:
    """Deletes the journal of visits over a year old; returns their number."""
    over = Visit.objects.filter(began_at__lt=at - KEPT)
    return over.count() if dry_run else over.delete()[0]
