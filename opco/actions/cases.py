"""A file while it is treated: who is on it, what colleagues note."""

import uuid
from datetime import datetime

from django.db import transaction

from labonnealternance.accounts.models import User
from offers.models import Access
from opco.actions.desks import Desk, locked_file
from opco.actions.words import moment, name_of
from opco.models import Case, Note


class TakenByAnother(Exception):
    """A colleague is on the file; the message says who and since when, in French."""

    def __init__(self, case: Case, *, now: datetime):
        assert case.taken_by
        assert case.taken_at
        self.by, self.at = case.taken_by, case.taken_at
        super().__init__(f"Dossier pris par {name_of(case.taken_by)} {moment(case.taken_at, now=now)}.")


class UsedKey(Exception):
    """The form's key is another form's: its text was not kept."""

    def __init__(self):
        super().__init__("Rechargez la page.")


def taken_by_another(access: Access, *, by: User, at: datetime) -> Case | None:
    """The case of ``access`` where somebody else than ``by`` is still on it at ``at``."""
    case = Case.objects.select_related("taken_by").filter(access=access).first()
    return case if case and case.is_taken(at) and case.taken_by_id != by.pk else None


def refuse_if_taken(access: Access, *, by: User, at: datetime) -> None:
    """Raises ``TakenByAnother``. The caller holds the file's lock."""
    case = taken_by_another(access, by=by, at=at)
    if case:
        raise TakenByAnother(case, now=at)


@transaction.atomic
def take(*, desk: Desk, access_id: int, at: datetime, instead_of: int | None = None) -> None:
    """Puts the file on one's own desk: for two hours colleagues are told, and can't decide.

    ``instead_of`` is the colleague whom the page showed on it, where it is taken over from them. Raises
    ``NotInYourOpco``, ``TakenByAnother`` for anybody else.
    """
    access = locked_file(desk, access_id)
    case = taken_by_another(access, by=desk.user, at=at)
    if case and case.taken_by_id != instead_of:
        raise TakenByAnother(case, now=at)
    Case.objects.update_or_create(access=access, defaults={"taken_by": desk.user, "taken_at": at})


@transaction.atomic
def release(*, desk: Desk, access_id: int, at: datetime) -> None:
    """Gives the file back to all; twice is no error. Raises ``NotInYourOpco``, ``TakenByAnother``."""
    access = locked_file(desk, access_id)
    refuse_if_taken(access, by=desk.user, at=at)
    Case.objects.filter(access=access).update(taken_by=None, taken_at=None)


@transaction.atomic
def note(*, desk: Desk, access_id: int, text: str, key: uuid.UUID, at: datetime) -> Note:
    """Writes something for colleagues. ``key`` is drawn with the form: sent twice, it is one note.

    Raises ``NotInYourOpco``, ``UsedKey``.
    """
    access = locked_file(desk, access_id)
    written, _ = Note.objects.get_or_create(
        key=key, defaults={"access": access, "by": desk.user, "text": text.strip(), "at": at}
    )
    if (written.access_id, written.by_id) != (access.pk, desk.user.pk):
        raise UsedKey
    return written
