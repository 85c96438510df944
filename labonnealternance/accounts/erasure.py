"""A person asks what is held about them, or asks that it be erased: with an account or without."""

from collections.abc import Iterator
from datetime import datetime

import structlog
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction

from labonnealternance.accounts import emails
from labonnealternance.accounts.models import User
from labonnealternance.kit import personal_registry, readings
from labonnealternance.kit.personal_registry import Held, Subject

logger = structlog.get_logger(__name__)

SCREEN = "Données d’une personne"


class NotErased(Exception):
    """The data of this person are not erased; the message says why, in French."""


def subject_of(*, address: str) -> Subject:
    """Who has ``address`` (lower case), with the account that goes with it."""
    return Subject(address, User.objects.filter(email=address).first())


def export(*, subject: Subject, by: User, at: datetime) -> Iterator[bytes]:
    """The file of what is held about ``subject``, piece by piece; that it was taken out is noted first."""
    _note(subject, by=by, at=at, screen="Export des données", sentence="Exporter ses données")
    return personal_registry.stream(subject, at=at)


@transaction.atomic
def erase(*, address: str, by: User, at: datetime, reason: str) -> list[Held]:
    """Erases what is held about ``address``, tells it so, and returns what there was; twice is no error.

    Raises ``NotErased`` for a member of support, whose name signs journals.
    """
    reason = reason.strip()
    if not reason:
        raise NotErased("Dites pourquoi ces données sont effacées.")
    # A link that is being used, or a second agent, waits for the end.
    user = User.objects.select_for_update(of=("self",)).filter(email=address).first()
    if user and (user.is_staff or user.is_superuser):
        raise NotErased("Un compte du support signe des journaux : désactivez-le, il ne s’efface pas.")
    subject = Subject(address, user)
    _note(subject, by=by, at=at, screen="Effacement des données", sentence=f"Effacer ses données : {reason}")
    found = personal_registry.erase(subject, by=by, at=at)
    if any(each.count and each.kind.erase for each in found):
        emails.personal_data_erased(address=address, at=at)
    logger.info("personal_data_erased", user=user and user.pk, by=by.pk)
    return found


def _note(subject: Subject, *, by: User, at: datetime, screen: str, sentence: str) -> None:
    """Two journals, none of which names the person: what was read, and what was done."""
    user = subject.user
    readings.note(by=by, at=at, screen=screen, model=User._meta.label_lower, object_key=user.pk if user else "")
    LogEntry.objects.create(
        user=by,
        action_time=at,
        content_type=ContentType.objects.get_for_model(User) if user else None,
        object_id=str(user.pk) if user else None,
        object_repr=f"Personne {user.pk}" if user else "Personne sans compte",
        action_flag=CHANGE,
        change_message=sentence.replace(subject.address, "(effacé)"),
    )
