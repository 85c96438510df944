"""Why the model names an establishment, for who proved to speak for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from companies.actions import explanations, hiring_potentials
from companies.actions.reasons import Reason
from companies.models import Establishment, Rome, spaced_siret

# Of an address that speaks for hundreds: the first ones, the one that was named among them.
MOST_EXPLAINED = 3
# Read without unfolding the others.
FIRST_JOBS = 3


@dataclass(frozen=True)
class Why:
    """An establishment that the model names: its jobs, highest first, each with its reasons, strongest first.

    A job without any reason has none yet (``is_awaited``), or had none kept.
    """

    name: str
    siret: str
    is_awaited: bool
    jobs: list[tuple[Rome, list[Reason]]]

    @property
    def first(self) -> list[tuple[Rome, list[Reason]]]:
        return self.jobs[:FIRST_JOBS]

    @property
    def others(self) -> list[tuple[Rome, list[Reason]]]:
        return self.jobs[FIRST_JOBS:]

    @property
    def is_explained(self) -> bool:
        return any(reasons for _, reasons in self.jobs)


def of_sirets(sirets: Sequence[str], *, at: datetime) -> list[Why]:
    """The first ``MOST_EXPLAINED`` of ``sirets``, without those that the site does not show for what the model says.

    The caller has the proof of who reads. Reasons that nobody asked for yet are asked for.
    """
    wanted = list(sirets)[:MOST_EXPLAINED]
    shown = {row.siret: row for row in Establishment.objects.listed(at).filter(siret__in=wanted)}
    rows = [shown[siret] for siret in wanted if siret in shown]
    numbers = [row.pk for row in rows]
    potentials = hiring_potentials.potentials_of(establishment_ids=numbers)
    reasons = explanations.reasons_of(establishment_ids=numbers, at=at)
    return [
        Why(
            name=row.display_name,
            siret=spaced_siret(row.siret),
            is_awaited=reasons[row.pk].is_awaited,
            jobs=[
                (potential.rome, reasons[row.pk].by_rome.get(potential.rome_id, [])) for potential in potentials[row.pk]
            ],
        )
        for row in rows
        if potentials[row.pk]
    ]
