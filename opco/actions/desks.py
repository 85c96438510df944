"""Who sits at the queue, and which files are theirs."""

from dataclasses import dataclass

from django.db.models import QuerySet

from companies.models import Opco
from labonnealternance.accounts.models import User
from offers.models import Access
from opco.models import Advisor, Decision


class NotInYourOpco(Exception):
    """The file is another OPCO's, or there is none: which one is not told."""


@dataclass(frozen=True)
class Desk:
    """``opco`` is the advisor's; None is support, who sees all files and those that no OPCO has."""

    user: User
    opco: Opco | None

    @property
    def is_support(self) -> bool:
        return self.opco is None


def desk_of(*, user: User) -> Desk | None:
    """The desk of ``user`` as it stands now: an advisor who was deactivated a second ago has none."""
    if not user.is_active:
        return None
    if user.is_staff:
        # Who may judge an access in the back-office judges it here.
        return Desk(user, None) if user.has_perm("offers.change_access") else None
    advisor = Advisor.objects.active().select_related("opco").filter(user=user).first()
    return Desk(user, advisor.opco) if advisor else None


def files_of(desk: Desk) -> QuerySet[Access]:
    """The desk's files: the accesses asked for by people who proved their address, at its OPCO's establishments."""
    files = Access.objects.filter(confirmed_at__isnull=False)
    return files if desk.opco is None else files.filter(establishment__opco=desk.opco)


def decisions_of(desk: Desk) -> QuerySet[Decision]:
    """The decisions made in the name of the desk's OPCO, also about files that it passed on."""
    decisions = Decision.objects.all()
    return decisions if desk.opco is None else decisions.filter(opco=desk.opco)


def locked_file(desk: Desk, access_id: int) -> Access:
    """One file of the desk; whoever else acts on it waits for this transaction. Raises ``NotInYourOpco``."""
    rows = files_of(desk).select_related("user", "establishment__opco")
    file = rows.select_for_update(of=("self",), no_key=True).filter(pk=access_id).first()
    if file is None:
        raise NotInYourOpco
    return file
