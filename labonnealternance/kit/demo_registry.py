"""The demo of a laptop, told by the apps: what to prepare, who can be acted as, where the main pages are.

An app tells its part in a module named ``demo`` with any of four functions, found here by name as Django finds
``admin``; the ground knows no app:

``steps() -> list[Step]``
    What to prepare, in order; a step that is already done is passed over.
``accounts() -> dict[str, dict]``
    For each role, what a script needs to act as it. Parts of one role told by several apps are put together.
``pages() -> dict[str, str]``
    Names of the main pages and their paths.
``examples() -> dict[str, dict]``
    What else may be tried, by name: the facts that it takes.
"""

from collections.abc import Callable
from dataclasses import dataclass

from labonnealternance.kit.apps_tell import modules_named


@dataclass(frozen=True)
class Step:
    """One thing to prepare: a sentence that tells it, whether it is done, and how to do it."""

    label: str
    is_done: Callable[[], bool]
    run: Callable[[], object]


def _told(name: str) -> list:
    return [getattr(module, name)() for module in modules_named("demo") if hasattr(module, name)]


def steps() -> list[Step]:
    """Every step, lower floors first (the order of ``INSTALLED_APPS``)."""
    return [step for part in _told("steps") for step in part]


def accounts() -> dict[str, dict]:
    """For each role, what every app tells of it."""
    roles: dict[str, dict] = {}
    for part in _told("accounts"):
        for role, facts in part.items():
            roles.setdefault(role, {}).update(facts)
    return roles


def examples() -> dict[str, dict]:
    """What else may be tried: name → facts."""
    return {name: facts for part in _told("examples") for name, facts in part.items()}


def pages() -> dict[str, str]:
    """The main pages: name → path."""
    return {name: path for part in _told("pages") for name, path in part.items()}
