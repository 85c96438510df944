"""The groups of support, as ``settings.STAFF_GROUPS`` says them: compared with the database, and written into it.

A permission is held by a group of that table or by nobody: the groups that are roles open nothing by themselves, and no
person has one of their own.
"""

from dataclasses import dataclass

import structlog
from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.db import transaction

from labonnealternance.accounts.models import User

logger = structlog.get_logger(__name__)


class UnknownPermission(Exception):
    """The table names permissions that no model has; the sentence names them, in French."""


@dataclass(frozen=True)
class Change:
    """What stands otherwise than the table says, of a group or of a person (by number)."""

    who: str
    missing: tuple[str, ...] = ()
    unwanted: tuple[str, ...] = ()

    def __str__(self) -> str:
        parts = [f"manque {', '.join(self.missing)}"] * bool(self.missing)
        parts += [f"en trop {', '.join(self.unwanted)}"] * bool(self.unwanted)
        return f"{self.who} : {' ; '.join(parts)}"


def names() -> list[str]:
    """The groups of support."""
    return list(settings.STAFF_GROUPS)


def _known() -> dict[str, int]:
    """Every permission of the models: « app.codename » → its key."""
    rows = Permission.objects.values_list("content_type__app_label", "codename", "pk")
    return {f"{app}.{codename}": key for app, codename, key in rows}


def _wanted(known: dict[str, int]) -> dict[str, frozenset[str]]:
    unknown = sorted({each for asked in settings.STAFF_GROUPS.values() for each in asked} - set(known))
    if unknown:
        raise UnknownPermission(
            f"Ces droits n’existent pas : {', '.join(unknown)}. Corrigez settings/groups.py, ou migrez d’abord."
        )
    return settings.STAFF_GROUPS


def _held() -> dict[str, set[str]]:
    """Group → what it holds in the database; a group without permission is there too."""
    held: dict[str, set[str]] = {}
    columns = ("name", "permissions__content_type__app_label", "permissions__codename")
    for name, app, codename in Group.objects.values_list(*columns):
        held.setdefault(name, set()).update({f"{app}.{codename}"} if codename else set())
    return held


def _of_one_s_own() -> dict[int, set[str]]:
    own: dict[int, set[str]] = {}
    rows = User.user_permissions.through.objects.values_list(
        "user_id", "permission__content_type__app_label", "permission__codename"
    )
    for person, app, codename in rows:
        own.setdefault(person, set()).add(f"{app}.{codename}")
    return own


def changes() -> list[Change]:
    """What a sync would do; nothing where all is as the table says. Raises ``UnknownPermission``."""
    wanted, held = _wanted(_known()), _held()
    found = []
    for name in sorted(wanted.keys() | held.keys()):
        asked, has = wanted.get(name, frozenset()), held.get(name, set())
        if asked != has:
            found.append(Change(f"Groupe « {name} »", tuple(sorted(asked - has)), tuple(sorted(has - asked))))
    own = sorted(_of_one_s_own().items())
    return found + [Change(f"Compte {person}", unwanted=tuple(sorted(has))) for person, has in own]


@transaction.atomic
def sync(*, dry_run: bool = False) -> list[Change]:
    """Writes the table into the database: adds what is missing, removes the rest. Returns what it did, or would do.

    Raises ``UnknownPermission``, and then changes nothing.
    """
    known = _known()
    wanted = _wanted(known)
    found = changes()
    if dry_run:
        return found
    for name in wanted:
        Group.objects.get_or_create(name=name)
    if found:
        for group in Group.objects.select_for_update().order_by("pk"):
            group.permissions.set([known[each] for each in wanted.get(group.name, ())])
        User.user_permissions.through.objects.all().delete()
        logger.info("groups_synced", changes=len(found))
    return found


@transaction.atomic
def give(*, user: User, name: str) -> None:
    """Makes ``user`` one of the group's, in place of the other groups of support."""
    if name not in names():
        raise ValueError(name)
    user.groups.remove(*Group.objects.filter(name__in=set(names()) - {name}))
    user.groups.add(Group.objects.get_or_create(name=name)[0])
