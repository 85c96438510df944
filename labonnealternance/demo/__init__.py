"""The demo of a laptop: what to prepare, who can be acted as, where the main pages are.

An app tells its part in a module named ``demo`` with any of three functions, found here by name as Django finds
``admin``; the ground knows no app:

``steps() -> list[Step]``
    What to prepare, in order; a step that is already done is passed over.
``accounts() -> dict[str, dict]``
    For each role, what a script needs to act as it. Parts of one role told by several apps are put together.
``pages() -> dict[str, str]``
    Names of the main pages and their paths.

Installed on a laptop only: it knows passwords.
"""

from labonnealternance.demo.registry import Step, accounts, pages, steps

__all__ = ["Step", "accounts", "pages", "steps"]
