"""What the apps tell of one thing on its page of the back-office, each for itself: the page knows none of them.

The page belongs to a low floor; what is said of the thing lives on the floors above. Each app's ``admin`` tells its
panels, and the addresses by which it knows the thing:

    @panel("establishment", rank=20, permission="offers.view_access")
    def accesses(*, key, at):
        return Panel("Accès", ["Personne", "État"], rows, more=address_of_the_list)

Rows are bounded by who tells them; ``more`` leads to the others.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

MOST_LINES = 20
# Of one thing: those that its letters are looked up by.
MOST_ADDRESSES = 50
# That one address leads to, for one app.
MOST_KEYS = 500


@dataclass(frozen=True)
class Panel:
    """A table under a title: at most ``MOST_LINES`` rows, ``more`` where there may be others, ``none`` for no row."""

    title: str
    headings: Sequence[str]
    rows: Iterable[Iterable] = ()
    none: str = "Aucun."
    more: str = ""
    # What is read before the table.
    words: str = ""


@dataclass(frozen=True, order=True)
class _Told:
    rank: int
    permission: str
    tell: Callable[..., Panel] = field(compare=False)


_panels: dict[str, list[_Told]] = {}
_addresses: dict[str, list[Callable[..., Iterable[str]]]] = {}
_behind: dict[str, list[Callable[..., Iterable[str]]]] = {}


def panel(about: str, *, rank: int, permission: str) -> Callable[[Callable[..., Panel]], Callable[..., Panel]]:
    """Makes ``tell(key=…, at=…)`` a panel of the pages about ``about``, for who has ``permission``; low ranks first."""

    def register(tell: Callable[..., Panel]) -> Callable[..., Panel]:
        _panels.setdefault(about, []).append(_Told(rank, permission, tell))
        return tell

    return register


def addresses(about: str) -> Callable[[Callable[..., Iterable[str]]], Callable[..., Iterable[str]]]:
    """Makes ``tell(key=…)`` a source of the e-mail addresses of one ``about``."""

    def register(tell: Callable[..., Iterable[str]]) -> Callable[..., Iterable[str]]:
        _addresses.setdefault(about, []).append(tell)
        return tell

    return register


def behind_address(about: str) -> Callable[[Callable[..., Iterable[str]]], Callable[..., Iterable[str]]]:
    """Makes ``tell(address=…)`` a source of the keys of those ``about`` that an address, in lower case, leads to."""

    def register(tell: Callable[..., Iterable[str]]) -> Callable[..., Iterable[str]]:
        _behind.setdefault(about, []).append(tell)
        return tell

    return register


def panels_of(about: str, *, key: str, user, at: datetime) -> list[Panel]:
    """What ``user`` may read of the one that ``key`` names, in the order of the ranks."""
    return [each.tell(key=key, at=at) for each in sorted(_panels.get(about, ())) if user.has_perm(each.permission)]


def addresses_of(about: str, *, key: str) -> list[str]:
    """The addresses that the apps know of it, each once, at most ``MOST_ADDRESSES``."""
    known = dict.fromkeys(address for tell in _addresses.get(about, ()) for address in tell(key=key) if address)
    return list(known)[:MOST_ADDRESSES]


def keys_behind(about: str, *, address: str) -> list[str]:
    """The keys of those that the apps know by ``address``."""
    return [key for tell in _behind.get(about, ()) for key in tell(address=address)]
