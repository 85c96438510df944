"""The e-mails to advisors: they say what waits, and nothing of the people who wait."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.conf import settings
from django.urls import reverse

from companies.models import spaced_siret
from labonnealternance.kit.text import counted, french_date, grouped
from labonnealternance.mail.actions import Letter
from offers.models import Access
from opco.models import Advisor

MOST_LINES = 10


def _address(name: str, *args: object) -> str:
    return settings.SITE_URL + reverse(f"opco:{name}", args=args)


def _for(advisor: Advisor) -> dict[str, str]:
    return {"first_name": advisor.user.first_name, "opco": advisor.opco.name, "queue": _address("queue")}


def _line(access: Access) -> dict[str, str]:
    establishment, offers = access.establishment, access.offers_count  # type: ignore[attr-defined]
    return {
        "establishment": establishment.display_name,
        "siret": spaced_siret(establishment.siret),
        "town": establishment.commune.name if establishment.commune else "",
        "offers": counted(offers, "offre en attente", "offres en attente") if offers else "",
        "link": _address("case", access.pk),
    }


def new_files(*, advisor: Advisor, files: Sequence[Access], total: int) -> Letter:
    """``total`` recruiters asked for an access in the OPCO's field, of whom ``files`` (10 at most) are named."""
    context = {
        **_for(advisor),
        "lines": [_line(each) for each in files],
        "total": total,
        "counted": counted(total, "nouveau recruteur", "nouveaux recruteurs"),
        "others": grouped(total - len(files)) if total > len(files) else "",
        "others_are_many": total - len(files) > 1,
    }
    return Letter("opco_new_files", advisor.user.email, context)


@dataclass(frozen=True)
class Counts:
    """What waits for an OPCO: files to treat; of them those whose person answered, and those that wait for a week;
    the live offers that they hold back; the day of the oldest.
    """

    waiting: int
    answered: int
    long: int
    offers: int
    oldest_on: date


def reminder(*, advisor: Advisor, counts: Counts) -> Letter:
    """What waits for the OPCO this morning."""
    facts = [
        (counts.answered, "réponse reçue à vos questions", "réponses reçues à vos questions"),
        (counts.long, "dossier en attente depuis plus d’une semaine", "dossiers en attente depuis plus d’une semaine"),
        (counts.offers, "offre d’alternance retenue", "offres d’alternance retenues"),
    ]
    context = {
        **_for(advisor),
        "waiting": counted(counts.waiting, "recruteur à valider", "recruteurs à valider"),
        "facts": [counted(number, one, many) for number, one, many in facts if number],
        "oldest_on": french_date(counts.oldest_on),
    }
    return Letter("opco_reminder", advisor.user.email, context)
