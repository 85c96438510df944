"""From the hirings counted by activity to the share of each job in an activity.

The counts name jobs by their ROME 3 code; ROME 4 cut many of these jobs into several. Three steps, none hidden
(``docs/decisions/0004-naf-rome-shares.md``):

1. The hirings of a (NAF, ROME 3) pair go to the ROME 4 jobs that come from this code, in proportion to their number of
   usual titles. The job that kept the code weighs three times more than those that were cut off from it; among these,
   one that the official table does not name for the NAF's division weighs ten times less.
2. A NAF with fewer than ``FEWEST_HIRINGS`` counted hirings takes the shares of its group (three digits), else of its
   division, else of the whole country.
3. What is under ``SMALLEST_SHARE``, and what comes after the first ``MOST_JOBS``, is cut; the rest sums to 1.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

FEWEST_HIRINGS = 30
SMALLEST_SHARE = 0.005
MOST_JOBS = 30
#: Weight of the job that kept its ROME 3 code: the others are specialities that were cut off from it.
KEPT_ITS_CODE = 3.0
#: Weight of a speciality outside the divisions that the official table names for it.
OUTSIDE_ITS_DIVISIONS = 0.1


def national_hirings(*, counts: Mapping[str, Mapping[str, float]]) -> dict[str, int]:
    """{ROME 4 code: hirings in the whole country}, from the answer of ``hirings_by_job``."""
    totals: Counter = Counter()
    for jobs in counts.values():
        totals.update(jobs)
    return {rome: round(total) for rome, total in totals.items()}


def hirings_by_job(
    *,
    hirings: Mapping[tuple[str, str], int],
    parents: Mapping[str, str],
    titles: Mapping[str, int],
    divisions: set[tuple[str, str]],
) -> dict[str, dict[str, float]]:
    """{NAF code: {ROME 4 code: hirings}}.

    ``hirings``: {(NAF code, ROME 3 code): count}; ``parents``: {ROME 4 code: ROME 3 code}; ``titles``: {ROME 4 code:
    number of usual titles}; ``divisions``: (ROME 4 code, NAF division) pairs of the official table.
    """
    children = defaultdict(list)
    for rome, parent in sorted(parents.items()):
        children[parent].append(rome)
    counts: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for (naf, rome_3), counted in sorted(hirings.items()):
        weights = {}
        for rome in children[rome_3]:
            weights[rome] = float(max(titles.get(rome, 0), 1))
            if rome == rome_3:
                weights[rome] *= KEPT_ITS_CODE
            elif (rome, naf[:2]) not in divisions:
                weights[rome] *= OUTSIDE_ITS_DIVISIONS
        whole = sum(weights.values())
        for rome, weight in weights.items():
            if counted:
                counts[naf][rome] = counted * weight / whole
    return dict(counts)


def shares(*, nafs: Iterable[str], counts: Mapping[str, Mapping[str, float]]) -> list[tuple[str, str, float]]:
    """(NAF code, ROME 4 code, share) rows; those of one NAF sum to 1. ``counts`` is what ``hirings_by_job`` answers."""
    # From the finest to the whole: class, group, division, country.
    by_prefix: defaultdict[str, Counter] = defaultdict(Counter)
    for naf, jobs in counts.items():
        for prefix in (naf, naf[:3], naf[:2], ""):
            by_prefix[prefix].update(jobs)
    rows = []
    for naf in nafs:
        for prefix in (naf, naf[:3], naf[:2], ""):
            jobs = by_prefix[prefix]
            if jobs and (jobs.total() >= FEWEST_HIRINGS or not prefix):
                break
        rows += [(naf, rome, share) for rome, share in _without_tail(jobs).items()]
    return rows


def _without_tail(jobs: Mapping[str, float]) -> dict[str, float]:
    """The shares of the main jobs, largest first; at least one, and they sum to 1."""
    whole = sum(jobs.values())
    largest = sorted(jobs.items(), key=lambda job: (-job[1], job[0]))[:MOST_JOBS]
    kept = [(rome, count) for rome, count in largest if count >= SMALLEST_SHARE * whole] or largest[:1]
    whole = sum(count for _, count in kept)
    return {rome: count / whole for rome, count in kept}
