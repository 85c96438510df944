"""The search at the size of France: ``python -m tests.bench.bench_search [--establishments N] [--pages-only]``.

Two countries are drawn, a tenth of N and N establishments (``tests/bench/france.py``), imported, and published by the
real actions. Then, warm, for 1, 3 and 10 jobs within 10, 30, 60 and 100 km of centres half drawn by population, half
among all communes:

- the search that the page runs (``offers.search.search``: offers and establishments, first page of 20 with order,
  total, visibility);
- the same answers from memory (a BallTree per job, arrays of offers), which they are compared with: the lower bound;
- the query that one would write first (ORM: bounding box, join, great circle, sort and count) on the same tables with
  the indexes that it would want;
- the search of the small country and of the large one in turn, question by question: the growth.

And the results page through gunicorn with two workers, against the same page with a constant for an answer. Databases
of its own, dropped at the end (``--keep`` keeps them). Tables are printed, and kept as JSON in ``bench-results/``.
"""

import argparse
import contextlib
import datetime as dt
import http.client
import json
import multiprocessing
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from math import cos, degrees, radians
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

import numpy as np
import psutil
import psycopg

from labonnealternance.embedded import postgres, services

PROJECT = Path(__file__).resolve().parents[2]
DATABASE = "bench_search"
COUNTS, RADII = (1, 3, 10), (10, 30, 60, 100)
# A shared machine has slow seconds: each question is asked again in as many rounds, and its fastest answer counts.
QUESTIONS, ROUNDS = 40, 5
# The first thought takes long.
COMPARED, ROUNDS_COMPARED = 20, 2
SECONDS_OF_PAGES, CLIENTS = 8, 4
ALL = "all of them"
GROUPS = [(count, radius) for count in COUNTS for radius in RADII]


# ── In the process of one database ───────────────────────────────────────────────────────────────────────────────────


def build(establishments: int) -> tuple[object, dict]:
    """Draws and publishes a country; returns it with the seconds of each step and the megabytes of each table."""
    from django.core.management import call_command
    from django.db import connection
    from django.utils import timezone

    from companies.actions import hiring_potentials
    from tests.bench import france

    seconds: dict[str, float] = {}

    @contextlib.contextmanager
    def step(name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        seconds[name] = round(time.perf_counter() - start, 1)
        print(f"  {name}: {seconds[name]} s", file=sys.stderr, flush=True)

    call_command("migrate", verbosity=0, skip_checks=True)
    with step("draw the country"):
        country = france.draw_country(establishments)
    with step("load establishments, contacts, decisions"):
        france.load(country)
    release = hiring_potentials.begin_release(policy={}, origin="bench", at=timezone.now())
    with step("write_potentials (COPY)"):
        hiring_potentials.write_potentials(release=release, rows=france.potentials(country))
    with step("finish_release (resolve, index)"):
        release = hiring_potentials.finish_release(release=release, at=timezone.now())
    with step("publish (search tables, indexes, VACUUM, switch)"):
        hiring_potentials.publish(release_id=release.pk, by=None, at=timezone.now())
    with step("load offers, one for ten establishments (COPY)"):
        offers = france.load_offers(country, at=timezone.now())
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, round(pg_total_relation_size(oid) / 1048576.0) FROM pg_class WHERE relkind = 'r'"
            " AND relname ~ '^(offers_offer$|companies_(search|hiring|establishment$))' ORDER BY 2 DESC"
        )
        sizes = {name: int(megabytes) for name, megabytes in cursor.fetchall() if megabytes}
    return country, {
        "seconds": seconds,
        "megabytes": sizes,
        "potentials": release.summary["potentials"],
        "offers": offers,
    }


def questions(country, count: int, radius: int) -> list:
    """The same ``QUESTIONS`` for a size, a number of jobs and a radius each time."""
    from offers.search import Question
    from tests.bench import france

    draw = np.random.default_rng(1_000 * count + radius)
    towns = country.towns
    half = QUESTIONS // 2
    centres = [*draw.choice(len(towns), half, p=towns[:, 2] / towns[:, 2].sum()), *draw.choice(len(towns), half)]
    asked = []
    for centre in draw.permutation(centres):
        jobs = draw.choice(france.JOBS, count, replace=False, p=country.job_popularity)
        latitude, longitude, _ = towns[centre].tolist()
        codes = tuple(france.job_code(int(job)) for job in jobs)
        asked.append(Question(codes, latitude, longitude, radius_km=radius, widen=False))
    return asked


def milliseconds(work) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1_000


def quantiles(times: list[float]) -> dict[str, float]:
    ordered = sorted(times)
    return {"p50": round(statistics.median(ordered), 2), "p95": round(ordered[int(0.95 * (len(ordered) - 1))], 2)}


def processor_clock():
    """Milliseconds of processor that this process and its server took so far: what neighbours do not change."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        server = Path(f"/proc/{cursor.fetchone()[0]}/schedstat")
    if not server.exists():
        return lambda: float("nan")
    return lambda: time.process_time() * 1_000 + int(server.read_text().split()[0]) / 1e6


def ready(database: str = "") -> None:
    """A process of its own asks the questions, as the site's do: drawing a country leaves a heap where every allocation
    takes longer.
    """
    import django

    if database:
        os.environ["DATABASE_URL"] = database

    django.setup()
    from django.conf import settings

    settings.DEBUG = False


def measure_search(asked: dict[tuple[int, int], list], at) -> tuple[dict, dict, dict]:
    """Quantiles of each group, elapsed and of processor, and the answers for the comparison: identities, the total, and
    whether there are more.
    """
    from offers.search import search

    for question in asked[10, 100][:5]:
        search(question, at=at)
    answers: dict[tuple, tuple] = {}
    fastest: dict[tuple, tuple[float, float]] = {}
    clock = processor_clock()
    for _ in range(ROUNDS):
        for group in GROUPS:
            for n, question in enumerate(asked[group]):
                answer = search(question, at=at)
                answers[(*group, n)] = (
                    [identity(each) for each in answer.results], answer.total, answer.total_is_capped
                )  # fmt: skip
                before = clock()
                elapsed = milliseconds(lambda q=question: search(q, at=at))
                taken = clock() - before
                known = fastest.get((*group, n), (elapsed, taken))
                fastest[(*group, n)] = min(known[0], elapsed), min(known[1], taken)
    times = by_name(fastest)
    measured = {name: quantiles([elapsed for elapsed, _ in each]) for name, each in times.items()}
    processor = {name: quantiles([taken for _, taken in each]) for name, each in times.items()}
    return measured, processor, answers


def site(database: str = "") -> ProcessPoolExecutor:
    """Where questions are asked, of another database than this process's where one is given."""
    return ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), ready, (database,))


def taken(question, at) -> float:
    """Milliseconds of processor of one answer."""
    from offers.search import search

    clock = processor_clock()
    before = clock()
    search(question, at=at)
    return clock() - before


def measure_growth(asked: dict[tuple[int, int], list], at, small: str) -> dict:
    """Ours here over ours in the database ``small``: quantiles of each group, both asked in turn."""
    fastest: dict[tuple, list[float]] = defaultdict(lambda: [float("inf")] * 2)
    with site(small) as before, site() as here:
        for lap in range(1 + ROUNDS):
            for group in GROUPS:
                for n, question in enumerate(asked[group]):
                    for place, each in enumerate((before, here)):
                        spent = each.submit(taken, question, at).result()
                        # The first lap warms.
                        if lap:
                            fastest[(*group, n)][place] = min(fastest[(*group, n)][place], spent)
    times = by_name(fastest)
    quantile = {name: [quantiles(list(column)) for column in zip(*each, strict=True)] for name, each in times.items()}
    return {
        name: {which: round(here[which] / before[which], 2) for which in ("p50", "p95")}
        for name, (before, here) in quantile.items()
    }


def by_name(fastest: dict[tuple, Any]) -> dict[str, list]:
    """What was measured of each question, by the name of its group, and of all of them."""
    times = {name_of(group): [fastest[(*group, n)] for n in range(QUESTIONS)] for group in GROUPS}
    return {**times, ALL: list(fastest.values())}


def name_of(group: tuple[int, int]) -> str:
    return f"{group[0]} job{'s' if group[0] > 1 else ''}, {group[1]} km"


class Memory:
    """Everything in memory: per job, the points on a BallTree, and the order; visibility as one array of booleans."""

    def __init__(self, at):
        import pyarrow as pa
        import pyarrow.csv as pacsv
        from django.db import connection

        from companies.models import Establishment, SearchEdition, VisibilityDecision
        from offers.models import Offer

        edition = SearchEdition.objects.get(is_current=True)
        with connection.cursor() as cursor, tempfile.TemporaryFile() as file:
            with cursor.copy(
                f"COPY (SELECT rome, e.id, order_key, latitude, longitude FROM {edition.entries_table} s"
                " JOIN companies_establishment e ON e.id = s.establishment_id ORDER BY rome) TO STDOUT (FORMAT csv)"
            ) as copy:
                for block in copy:
                    file.write(block)
            file.seek(0)
            table = pacsv.read_csv(
                pa.PythonFile(file, mode="r"), pacsv.ReadOptions(column_names=["rome", "id", "key", "lat", "lon"])
            )
            self.rome = np.asarray(table["rome"].to_pylist())
            self.id = table["id"].to_numpy()
            self.key = table["key"].to_numpy()
            self.point = np.radians(np.column_stack([table["lat"].to_numpy(), table["lon"].to_numpy()]))
            by_hand = VisibilityDecision.objects.in_force(at).filter(kind="listed").values_list("value", "rome_codes")
            self.extra = defaultdict(list)
            order = edition.order_key_sql(
                establishment_id="id", weight=str(edition.mean_expected), is_contactless="false"
            )
            for siret, codes in by_hand:
                cursor.execute(
                    f"SELECT id, {order}, latitude, longitude FROM companies_establishment WHERE siret = %s", [siret]
                )
                for number, key, latitude, longitude in cursor.fetchall():
                    contact = Establishment.objects.with_contact(at).get(pk=number)
                    last = 0 if contact.shown_phone or contact.has_email else 2**30
                    for code in codes:
                        self.extra[code].append((number, key + last, radians(latitude), radians(longitude)))
        offers = list(Offer.objects.public(at).values_list("rome_id", "pk", "latitude", "longitude", "published_at"))
        self.offers = defaultdict(list)
        for code, number, latitude, longitude, published in offers:
            self.offers[code].append(
                (number.int, radians(latitude), radians(longitude), (at - published).total_seconds() / 86_400 / 30)
            )
        self.offers = {code: np.array(rows) for code, rows in self.offers.items()}
        self.shown = np.zeros(int(self.id.max()) + 2, dtype=bool)
        self.shown[np.fromiter(Establishment.objects.listed(at).values_list("pk", flat=True).iterator(), dtype=int)] = 1
        self.trees: dict = {}

    def prepare(self, code: str) -> None:
        from sklearn.neighbors import BallTree

        if code in self.trees:
            return
        first, last = np.searchsorted(self.rome, [code, code + "~"])
        extra = np.array(self.extra[code]).reshape(-1, 4)
        number = np.concatenate([self.id[first:last], extra[:, 0].astype(int)])
        key = np.concatenate([self.key[first:last], extra[:, 1].astype(int)])
        point = np.concatenate([self.point[first:last], extra[:, 2:]])
        self.trees[code] = (BallTree(point, metric="haversine"), number, key) if len(number) else None

    def ask(self, question) -> tuple[list[int], int]:
        """The first twenty, an offer as a negative number, and how many there are."""
        offers = self.ask_offers(question)
        found, total = self.ask_establishments(question)
        return [*offers, *found][:20], total + len(offers)

    def ask_offers(self, question) -> list[int]:
        from offers.sources.disc import EARTH_RADIUS_KM

        south, west = radians(question.latitude), radians(question.longitude)
        near = []
        for code in question.rome_codes:
            if code not in self.offers:
                continue
            number, latitude, longitude, age = self.offers[code].T
            chord2 = 4 * (
                np.sin((latitude - south) / 2) ** 2
                + np.cos(latitude) * np.cos(south) * np.sin((longitude - west) / 2) ** 2
            )
            longest = 2 * np.sin(question.radius_km / EARTH_RADIUS_KM / 2)
            inside = chord2 <= longest**2
            near.append(np.column_stack([np.sqrt(chord2[inside]) / longest + age[inside], number[inside]]))
        if not near:
            return []
        rows = np.concatenate(near)
        return (-rows[np.lexsort([rows[:, 1], rows[:, 0]]), 1]).astype(int).tolist()

    def ask_establishments(self, question) -> tuple[list[int], int]:
        from offers.sources.disc import EARTH_RADIUS_KM

        centre, angle = np.radians([[question.latitude, question.longitude]]), question.radius_km / EARTH_RADIUS_KM
        numbers, keys = [], []
        for code in question.rome_codes:
            if self.trees[code] is None:
                continue
            tree, number, key = self.trees[code]
            inside = tree.query_radius(centre, angle)[0]
            numbers.append(number[inside])
            keys.append(key[inside])
        if not numbers:
            return [], 0
        number, key = np.concatenate(numbers), np.concatenate(keys)
        shown = self.shown[number]
        number, key = number[shown], key[shown]
        order = np.lexsort([number, key])
        _, first = np.unique(number[order], return_index=True)
        return number[order][np.sort(first)[:20]].tolist(), len(first)

    def on_the_edge(self, question) -> bool:
        """Whether an entry lies within two metres of the radius: four bytes a coordinate may tell otherwise."""
        from offers.sources.disc import EARTH_RADIUS_KM

        centre = np.radians([[question.latitude, question.longitude]])
        near, far = ((question.radius_km + away) / EARTH_RADIUS_KM for away in (-0.002, 0.002))
        trees = [self.trees[code][0] for code in question.rome_codes if self.trees[code]]
        return any(
            tree.query_radius(centre, far, count_only=True)[0] != tree.query_radius(centre, near, count_only=True)[0]
            for tree in trees
        )


def identity(found) -> int:
    """An establishment by its number, an offer by its own below zero."""
    from offers.search import FoundOffer

    return -found.offer.pk.int if isinstance(found, FoundOffer) else found.establishment.pk


def measure_memory(country, at, answers: dict) -> tuple[dict, dict]:
    """Quantiles of the lower bound, and how far the answers agree."""
    from offers.sources.limits import LONGEST_TOTAL

    memory = Memory(at)
    measured, agreement = {}, {"same": 0, "on the edge": 0, "different": 0}
    for group in GROUPS:
        times = []
        for n, question in enumerate(questions(country, *group)):
            for code in question.rome_codes:
                memory.prepare(code)
            expected, total = memory.ask(question)
            times.append(min(milliseconds(lambda q=question: memory.ask(q)) for _ in range(2)))
            same = answers[(*group, n)] == (expected, min(total, LONGEST_TOTAL), total > LONGEST_TOTAL)
            agreement["same" if same else "on the edge" if memory.on_the_edge(question) else "different"] += 1
        measured[name_of(group)] = quantiles(times)
    return measured, agreement


def first_thought(question, release, at):
    """What one writes first, for offers then establishments: a box, a join, the great circle, a sort, a count."""
    from django.db.models import F, FloatField, Max
    from django.db.models.functions import ACos, Cos, Least, Radians, Sin

    from companies.models import Establishment
    from offers.models import Offer
    from offers.sources.disc import EARTH_RADIUS_KM

    south, west = radians(question.latitude), radians(question.longitude)
    reach = degrees(question.radius_km / EARTH_RADIUS_KM)
    wide = reach / cos(south)
    latitude = Radians(F("latitude"))
    distance = EARTH_RADIUS_KM * ACos(
        Least(
            Sin(latitude) * float(np.sin(south))
            + Cos(latitude) * float(np.cos(south)) * Cos(Radians(F("longitude")) - west),
            1.0,
            output_field=FloatField(),
        )
    )
    box = {
        "latitude__range": (question.latitude - reach, question.latitude + reach),
        "longitude__range": (question.longitude - wide, question.longitude + wide),
    }
    offers = (
        Offer.objects.public(at)
        .filter(**box, rome_id__in=question.rome_codes)
        .annotate(distance=distance)
        .filter(distance__lte=question.radius_km)
        .select_related("establishment__naf", "establishment__commune", "rome")
    )
    first, count = list(offers.order_by("-published_at")[:20]), offers.count()
    found = (
        Establishment.objects.listed(at)
        .filter(
            **box,
            hiring_potentials__release=release,
            hiring_potentials__rome_id__in=question.rome_codes,
        )
        .annotate(distance=distance, best=Max("hiring_potentials__expected"))
        .filter(distance__lte=question.radius_km)
    )
    rows = found.select_related("naf", "commune").order_by("-best", "pk")[: 20 - len(first)]
    return [*first, *rows], count + found.count()


def measure_first_thought(asked: dict[tuple[int, int], list], at) -> dict:
    """Quantiles on the first ``COMPARED`` questions of each group, beside ours on the same ones, asked in turn."""
    from django.db import connection

    from companies.models import Release
    from offers.search import search

    release = Release.objects.get(status="current")
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE INDEX IF NOT EXISTS bench_first_thought ON companies_establishment (latitude, longitude)"
        )
        cursor.execute("ANALYZE companies_establishment")
    contenders = [lambda question: first_thought(question, release, at), lambda question: search(question, at=at)]
    fastest: dict[tuple, list[float]] = defaultdict(lambda: [float("inf")] * 2)
    for _ in range(ROUNDS_COMPARED):
        for group in GROUPS:
            for n, question in enumerate(asked[group][:COMPARED]):
                for place, ask in enumerate(contenders):
                    elapsed = min(milliseconds(lambda q=question, ask=ask: ask(q)) for _ in range(2))
                    fastest[(*group, n)][place] = min(fastest[(*group, n)][place], elapsed)
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX bench_first_thought")
    measured = {}
    for group in GROUPS:
        theirs, ours = zip(*(fastest[(*group, n)] for n in range(COMPARED)), strict=True)
        measured[name_of(group)] = {
            "first thought": quantiles(list(theirs)),
            "ours": quantiles(list(ours)),
            "ratio": round(statistics.median(theirs) / statistics.median(ours), 1),
            "ratio_of_sums": round(sum(theirs) / sum(ours), 1),
        }
    return measured


def pages_to_ask(country) -> list[str]:
    """Addresses of results pages of every size of question, in a fixed disorder."""
    towns = country.towns
    addresses = []
    for group in GROUPS:
        for question in questions(country, *group)[:10]:
            commune = int(np.abs(towns[:, :2] - [question.latitude, question.longitude]).sum(axis=1).argmin())
            asked = {"romes": ",".join(question.rome_codes), "code": f"{commune:05d}", "rayon": question.radius_km}
            addresses.append(f"/recherche/?{urlencode(asked)}")
    return np.random.default_rng(5).permutation(addresses).tolist()


def measure_pages(country) -> dict:
    """Requests a second of gunicorn's two workers: the search, then a constant."""
    addresses = pages_to_ask(country)
    measured = {}
    for name, application in (
        ("search", "labonnealternance.wsgi"),
        ("constant", "tests.bench.constant_search"),
        ("search again", "labonnealternance.wsgi"),
        ("constant again", "tests.bench.constant_search"),
    ):
        with gunicorn(application) as (port, server):
            ask_pages(port, addresses, 4)
            before = processor_of(server)
            measured[name] = ask_pages(port, addresses, SECONDS_OF_PAGES)
            taken = processor_of(server) - before
            measured[name]["processor"] = round(taken / (measured[name]["rps"] * SECONDS_OF_PAGES), 2)
    pairs = ("search", "constant")
    best = {name: max(measured[name]["rps"], measured[f"{name} again"]["rps"]) for name in pairs}
    least = {name: min(measured[name]["processor"], measured[f"{name} again"]["processor"]) for name in pairs}
    return {
        **measured,
        "ratio": round(best["search"] / best["constant"], 2),
        "processor_ratio": round(least["constant"] / least["search"], 2),
    }


def processor_of(server: subprocess.Popen) -> float:
    """Milliseconds of processor taken so far by gunicorn and by the sessions of PostgreSQL that it opened."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'labonnealternance-web'"
        )
        pids = [server.pid, *(child.pid for child in psutil.Process(server.pid).children())]
        pids += [pid for (pid,) in cursor.fetchall()]
    clocks = [clock for pid in pids for clock in Path(f"/proc/{pid}/task").glob("*/schedstat")]
    return sum(int(clock.read_text().split()[0]) for clock in clocks) / 1e6 if clocks else float("nan")


@contextlib.contextmanager
def gunicorn(application: str) -> Iterator[tuple[int, subprocess.Popen]]:
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryFile() as log:
        server = subprocess.Popen(
            [
                sys.executable, "-m", "gunicorn", "--config", "python:labonnealternance.gunicorn",
                "--bind", f"127.0.0.1:{port}", "--workers", "2", application,
            ],
            cwd=PROJECT,
            env={**os.environ, "PROCESS_KIND": "web", "DEBUG": "0", "LOG_LEVEL": "WARNING"},
            stdout=log,
            stderr=log,
        )  # fmt: skip
        try:
            for _ in range(200):
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                    break
                time.sleep(0.1)
            yield port, server
        finally:
            server.terminate()
            server.wait()


def ask_pages(port: int, addresses: list[str], seconds: float) -> dict:
    """``CLIENTS`` visitors who ask one page after the other."""
    end, times, faults = time.perf_counter() + seconds, [], []

    def visit(start: int) -> None:
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        for n in range(start, 10**9, CLIENTS):
            before = time.perf_counter()
            if before > end:
                break
            line.request("GET", addresses[n % len(addresses)], headers={"Host": "127.0.0.1"})
            answer = line.getresponse()
            answer.read()
            times.append((time.perf_counter() - before) * 1_000)
            if answer.status != 200:
                faults.append(answer.status)
        line.close()

    visitors = [threading.Thread(target=visit, args=(n,)) for n in range(CLIENTS)]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join()
    if faults:
        raise SystemExit(f"The page answered {faults[0]} ({len(faults)} times).")
    return {"rps": round(len(times) / seconds, 1), **quantiles(times)}


def measure(establishments: int, *, whole: bool, reuse: bool, pages_only: bool) -> dict:
    ready()
    from django.db import connection
    from django.utils import timezone

    from tests.bench import france

    if reuse:
        country, result = france.draw_country(establishments), {}
    else:
        country, result = build(establishments)
    at = timezone.now()
    asked = {group: questions(country, *group) for group in GROUPS}
    connection.close()
    if not whole:
        return result
    with site() as asking:
        if not pages_only:
            result["search"], result["processor"], answers = asking.submit(measure_search, asked, at).result()
            result["memory"], result["agreement"] = measure_memory(country, at, answers)
        result["pages"] = measure_pages(country)
        if not pages_only:
            result["first thought"] = asking.submit(measure_first_thought, asked, at).result()
            result["growth"] = measure_growth(asked, at, os.environ["BENCH_SMALL"])
    return result


# ── In the process that is typed ─────────────────────────────────────────────────────────────────────────────────────


def told(result: dict) -> str:
    """The tables that are printed."""
    large = result["large"]
    sizes = f"{large.get('potentials', 0):,} potentials, {large.get('offers', 0):,} active offers"
    lines = [f"\n{result['establishments']:,} establishments, {sizes}"]
    if "seconds" in large:
        lines += [f"  {name:<52}{seconds:>8.1f} s" for name, seconds in large["seconds"].items()]
        lines += [f"  {name:<52}{megabytes:>8} MB" for name, megabytes in large["megabytes"].items()]
    if "search" in large:
        heads = [("p50", 8), ("p95", 8), ("CPU p50", 9), ("p95", 7), ("memory p50", 12), ("p95", 8)]
        heads += [("first thought p50", 19), ("p95", 9), ("ratio", 8), ("of sums", 9), ("growth p50", 12), ("p95", 7)]
        lines += [
            f"\nSearch (ms), {QUESTIONS} questions each; first thought on {COMPARED} of them; growth from a tenth",
            "CPU: Python and PostgreSQL together, which neighbours on the machine do not change",
            " " * 16 + "".join(head.rjust(width) for head, width in heads),
        ]
        for name in map(name_of, GROUPS):
            ours, memory, taken = large["search"][name], large["memory"][name], large["processor"][name]
            thought, growth = large["first thought"][name], large["growth"][name]
            lines.append(
                f"{name:<16}{ours['p50']:>8.1f}{ours['p95']:>8.1f}{taken['p50']:>9.1f}{taken['p95']:>7.1f}{memory['p50']:>12.2f}{memory['p95']:>8.2f}"
                f"{thought['first thought']['p50']:>19.0f}{thought['first thought']['p95']:>9.0f}"
                f"{'×' + str(thought['ratio']):>8}{'×' + str(thought['ratio_of_sums']):>9}"
                f"{'×' + str(growth['p50']):>12}{'×' + str(growth['p95']):>7}"
            )
        ours, taken = large["search"][ALL], large["processor"][ALL]
        p50, p95 = (f"×{large['growth'][ALL][each]}" for each in ("p50", "p95"))
        lines.append(
            f"{ALL:<16}{ours['p50']:>8.1f}{ours['p95']:>8.1f}{taken['p50']:>9.1f}{taken['p95']:>7.1f}{p50:>77}{p95:>7}"
        )
        lines.append(f"Answers compared with those from memory: {large['agreement']}")
    lines.append("\nResults page, gunicorn, 2 workers (CPU: gunicorn and its sessions of PostgreSQL, a request)")
    for name in ("search", "constant", "search again", "constant again"):
        page = large["pages"][name]
        lines.append(
            f"  {name:<16}{page['rps']:>8.1f} requests/s   p50 {page['p50']:>6.1f}   p95 {page['p95']:>6.1f}"
            f"   CPU {page['processor']:>6.2f} ms"
        )
    pages = large["pages"]
    lines.append(
        f"  the search serves {pages['ratio']:.0%} of the constant's requests ({pages['processor_ratio']:.0%} by CPU)"
    )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--establishments", type=int, default=1_000_000)
    parser.add_argument("--keep", action="store_true", help="keep the databases, and use those kept")
    parser.add_argument("--pages-only", action="store_true")
    parser.add_argument("--in-database", nargs=2, metavar=("SIZE", "FILE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.in_database:
        size = int(options.in_database[0])
        result = measure(
            size,
            whole=size == options.establishments,
            reuse=os.environ.get("BENCH_REUSE") == "1",
            pages_only=options.pages_only,
        )
        Path(options.in_database[1]).write_text(json.dumps(result))
        return
    given = os.environ.get("DATABASE_URL") or f"postgres://{postgres.USER}@{quote(postgres.host(), safe='')}/postgres"
    if not os.environ.get("DATABASE_URL"):
        os.environ["EMBEDDED_SERVICES"] = "DATABASE_URL REDIS_URL"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "labonnealternance.settings.local")
    os.environ["DEBUG"] = "0"
    result: dict = {"establishments": options.establishments}
    start = time.perf_counter()
    with services(), psycopg.connect(given, autocommit=True) as server, tempfile.TemporaryDirectory() as folder:
        sizes = {"small": options.establishments // 10, "large": options.establishments}
        databases = {name: f"{DATABASE}_{size}" for name, size in sizes.items()}
        urls = {name: urlunsplit(urlsplit(given)._replace(path=f"/{each}")) for name, each in databases.items()}
        try:
            for name, size in sizes.items():
                if options.pages_only and name == "small":
                    continue
                database = databases[name]
                known = server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone()
                reuse = options.keep and known is not None
                if not reuse:
                    server.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")
                    server.execute(f"CREATE DATABASE {database}")
                print(f"{size:,} establishments", file=sys.stderr, flush=True)
                answer = Path(folder) / f"{name}.json"
                subprocess.run(
                    [
                        sys.executable, "-m", "tests.bench.bench_search", *sys.argv[1:],
                        "--in-database", str(size), str(answer),
                    ],
                    cwd=PROJECT,
                    env={
                        **os.environ,
                        "DATABASE_URL": urls[name],
                        "BENCH_SMALL": urls["small"],
                        "BENCH_REUSE": "1" if reuse else "0",
                    },
                    check=True,
                )  # fmt: skip
                result[name] = json.loads(answer.read_text())
        finally:
            if not options.keep:
                for database in databases.values():
                    server.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")
        result |= {
            "measured_at": dt.datetime.now(tz=dt.UTC).isoformat(timespec="seconds"),
            "processors": os.cpu_count(),
            "postgresql": server.info.server_version,
            "python": platform.python_version(),
            "seconds": round(time.perf_counter() - start),
        }
    print(told(result))
    kept = PROJECT / "bench-results" / f"search-{options.establishments}.json"
    kept.parent.mkdir(exist_ok=True)
    kept.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
