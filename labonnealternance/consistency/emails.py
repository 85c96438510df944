"""The e-mails of the night's checks, to the address that support reads."""

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.urls import reverse

from labonnealternance.consistency.models import Result, Run
from labonnealternance.mail.actions import write

# Of each check, in the e-mail; the page shows more.
EXAMPLES = 3


def _page() -> str:
    return settings.SITE_URL + reverse("admin:coherence")


def checks_failed(*, run: Run, failing: Sequence[Result], at: datetime) -> None:
    """One e-mail for all that fails this night."""
    write(
        name="checks_failed",
        to=settings.CONTACT_EMAIL,
        at=at,
        context={
            "night": run.night,
            "page": _page(),
            "failing": [
                {
                    "rule": result.rule,
                    "said": result.error or f"{result.told_count[0].upper()}{result.told_count[1:]}.",
                    "since": result.failing_since,
                    "examples": [
                        {"label": each["label"], "url": each["page"] and settings.SITE_URL + each["page"]}
                        for each in result.examples[:EXAMPLES]
                    ],
                }
                for result in failing
            ],
        },
    )


def checks_hold_again(*, run: Run, at: datetime) -> None:
    """The word that ends what ``checks_failed`` told."""
    write(
        name="checks_hold_again",
        to=settings.CONTACT_EMAIL,
        at=at,
        context={"night": run.night, "page": _page()},
    )
