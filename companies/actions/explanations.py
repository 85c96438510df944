"""Why a release names establishments: asked for by the pages that tell it, answered by the worker, kept with it.

The exact share of each cause takes milliseconds of a library that the web does not load, for each establishment: it
is computed for those that somebody reads about, and never for two million others.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import transaction

from companies.actions.reasons import SENTENCES, Reason
from companies.enums import ReleaseStatus
from companies.models import Explanation, HiringPotential, Release

# Read together on one page.
MOST_ASKED = 50
# Of one turn of the worker: some seconds.
MOST_ANSWERED = 200

Potentials = dict[str, dict[str, float]]
"""SIRET → ROME code → expected contracts, of the exposed pairs."""
Explain = Callable[[int, Potentials], dict[str, dict[str, list[Reason]]]]
"""From the number of a release and some of its potentials, the reasons of each pair, strongest first; a SIRET whose
reasons were not kept is left out."""


class Explained(NamedTuple):
    """``by_rome``: the reasons of each job, strongest first. Empty where they are awaited, were not kept, or where the
    establishment has no potential.
    """

    is_awaited: bool
    by_rome: dict[str, list[Reason]]


def reasons_of(*, establishment_ids: Sequence[int], at: datetime) -> dict[int, Explained]:
    """Why the release online names each establishment; what is not known yet is asked for, and awaited.

    At most ``MOST_ASKED`` establishments. Support and the establishment itself read it: nobody else.
    """
    wanted = list(dict.fromkeys(establishment_ids))[:MOST_ASKED]
    release_id = Release.objects.filter(status=ReleaseStatus.CURRENT).values_list("pk", flat=True).first()
    if release_id is None:
        return {number: Explained(False, {}) for number in wanted}
    rows = Explanation.objects.filter(release_id=release_id, establishment_id__in=wanted)
    known = {
        row.establishment_id: Explained(row.answered_at is None, _read(row.reasons)) for row in rows.order_by("pk")
    }
    missing = [number for number in wanted if number not in known]
    asked = set()
    if missing:
        exposed = HiringPotential.objects.filter(release_id=release_id, establishment_id__in=missing)
        asked = set(exposed.order_by().values_list("establishment_id", flat=True).distinct())
        Explanation.objects.bulk_create(
            [Explanation(release_id=release_id, establishment_id=number, asked_at=at) for number in sorted(asked)],
            ignore_conflicts=True,
        )
    return {number: known.get(number) or Explained(number in asked, {}) for number in wanted}


def is_asked() -> bool:
    """Whether anybody waits for an answer."""
    return Explanation.objects.filter(answered_at__isnull=True).exists()


@transaction.atomic
def answer_asked(*, explain: Explain, at: datetime) -> int:
    """Answers what was asked, oldest first, at most ``MOST_ANSWERED``; returns how many."""
    asked = list(
        Explanation.objects.filter(answered_at__isnull=True)
        .select_for_update(of=("self",), skip_locked=True)
        .order_by("asked_at", "pk")[:MOST_ANSWERED]
    )
    of_release: dict[int, list[Explanation]] = defaultdict(list)
    for each in asked:
        of_release[each.release_id].append(each)
    for release_id, rows in of_release.items():
        potentials: Potentials = defaultdict(dict)
        siret_of = {}
        for number, siret, rome, expected in HiringPotential.objects.filter(
            release_id=release_id, establishment_id__in=[row.establishment_id for row in rows]
        ).values_list("establishment_id", "establishment__siret", "rome_id", "expected"):
            potentials[siret][rome] = expected
            siret_of[number] = siret
        found = explain(release_id, dict(potentials)) if potentials else {}
        for row in rows:
            row.reasons = _written(found.get(siret_of.get(row.establishment_id, ""), {}))
            row.answered_at = at
    Explanation.objects.bulk_update(asked, ["reasons", "answered_at"], batch_size=MOST_ANSWERED)
    return len(asked)


def _written(found: dict[str, list[Reason]]) -> dict[str, list]:
    unknown = {reason.family for reasons in found.values() for reason in reasons} - set(SENTENCES)
    if unknown:
        raise ValueError(f"No sentence for: {', '.join(sorted(unknown))}.")
    return {
        rome: [[reason.family, round(reason.weight, 4), dict(reason.facts)] for reason in reasons]
        for rome, reasons in found.items()
    }


def _read(kept: dict[str, list]) -> dict[str, list[Reason]]:
    return {rome: [Reason(*each) for each in reasons if each[0] in SENTENCES] for rome, reasons in kept.items()}
