"""The OPCO's queue when it is full: ``python -m tests.bench.bench_queue [--files N]``.

Two queues, a hundredth of N and N people who wait for one OPCO, with as many who were judged before and one in three
with an offer. Then its advisor's morning, as the site answers it (pages, with their templates; no network):

- each page, list, search and filter: median and slowest tenth of milliseconds, what the processor spent on it (also
  with a hundredth of the files), and queries;
- how long a decision, and its application by the clock a minute later, hold the file's lock: whole transactions;
- the whole export: seconds, lines, and the memory that it adds, which must not grow with the queue;
- the sweep that tells advisors of new files: of all of them, then of none.

Databases of its own, dropped at the end. Tables are printed, and kept as JSON in ``bench-results/``.
"""

import argparse
import datetime as dt
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg

from labonnealternance.embedded import postgres, services

PROJECT = Path(__file__).resolve().parents[2]
DATABASE = "bench_queue"
SMALLER = 100
PAGES = {
    "the list to treat": "/opco/",
    "its middle page": "/opco/?page={middle}",
    "its last page": "/opco/?page={last}",
    "search: a name": "/opco/?q=boulangerie+martin",
    "search: a SIRET": "/opco/?q={siret}",
    "search: an address": "/opco/?q=personne{some}%40metier",
    "search: nothing found": "/opco/?q=zzzz",
    "filter: a département": "/opco/?departement=57",
    "filter: waiting offers, 7 days": "/opco/?offres=avec&depuis=7",
    "the certified": "/opco/?onglet=certifies",
    "the refused": "/opco/?onglet=refuses",
    "next file, first": "/opco/suivant/",
    "next file, after the middle": "/opco/suivant/?apres={some}",
    "a file": "/opco/dossiers/{some}/",
    "batches": "/opco/lots/",
    "figures": "/opco/chiffres/",
}


# ── In the process of one database ───────────────────────────────────────────────────────────────────────────────────


def build(files: int, at: dt.datetime) -> None:
    """``files`` people who wait, as many who were judged, their establishments, and offers of one in three."""
    from django.core.management import call_command
    from django.db import connection
    from django.utils.timezone import localdate

    from companies.models import Commune, Departement, Opco, Rome

    call_command("migrate", verbosity=0, skip_checks=True)
    Rome.objects.create(code="D1102", label="Boulanger / Boulangère", domain_code="D11")
    for code, town in (("57", "Metz"), ("69", "Lyon")):
        Departement.objects.create(code=code, name=f"Département {code}")
        Commune.objects.create(
            code=f"{code}001", name=town, search_key=town.lower(), departement_id=code, population=120_000
        )
    Opco.objects.create(code="opco-ep", name="Opco entreprises de proximité")
    rows = {"at": at, "today": localdate(at), "files": files}
    trades = "'{BOULANGERIE,GARAGE,COIFFURE,PLOMBERIE,RESTAURANT,PHARMACIE,MENUISERIE}'::text[]"
    names = "'{MARTIN,DURAND,PETIT,MOREAU,LAURENT,GARCIA,ROUX,FOURNIER,MERCIER,BLANC,FAURE}'::text[]"
    with connection.cursor() as cursor:
        # A busy machine takes longer to fill the tables than the web would wait; the pages are asked as the web asks.
        cursor.execute("SET statement_timeout = 0")
        for statement in (
            """
            INSERT INTO accounts_user (id, password, is_superuser, email, first_name, last_name, phone, is_staff,
                is_active, joined_at, email_confirmed_at)
            SELECT n, '!', false,
                'personne' || n || CASE n %% 3 WHEN 0 THEN '@gmail.com' ELSE '@metier' || n / 5 || '.exemple.fr' END,
                'Camille', 'Exemple' || n, '+33199000018', false, true, %(at)s, %(at)s
            FROM generate_series(1, 2 * %(files)s) n
            """,
            f"""
            INSERT INTO companies_establishment (id, siret, name, legal_name, headcount_band, address_complement,
                address, postcode, commune_id, latitude, longitude, is_headquarters, is_employer, is_diffusible,
                opco_id, opco_is_certified)
            SELECT n, '000' || lpad(n::text, 11, '0'), label, label, '11', '', '1 RUE', '57000',
                CASE n %% 4 WHEN 0 THEN '57001' ELSE '69001' END, 49.1, 6.2, true, true, true, 'opco-ep', false
            FROM (SELECT n, ({trades})[1 + n %% 7] || ' ' || ({names})[1 + n %% 11] || ' ' || n AS label
                  FROM generate_series(1, 2 * %(files)s) n) named
            """,
            # Those of odd numbers wait since up to sixty days; the others were judged.
            """
            INSERT INTO offers_access (id, user_id, establishment_id, status, origin, asked_at, confirmed_at,
                decided_at)
            SELECT n, n, n, CASE WHEN n %% 2 = 1 THEN 'awaiting' WHEN n %% 10 = 0 THEN 'denied' ELSE 'granted' END,
                'registration', since, since, CASE WHEN n %% 2 = 0 THEN since + interval '1 day' END
            FROM (SELECT n, %(at)s - n * interval '5184000 seconds' / (2 * %(files)s) AS since
                  FROM generate_series(1, 2 * %(files)s) n) asked
            """,
            """
            INSERT INTO offers_accessmove (access_id, from_status, to_status, by_id, at, reason)
            SELECT id, 'awaiting', status, 1, decided_at, '' FROM offers_access WHERE decided_at IS NOT NULL
            """,
            """
            INSERT INTO opco_decision (access_id, kind, status, opco_id, reason, text, made_by_id, made_at,
                effective_at, settled_at, settled_reason)
            SELECT id, CASE status WHEN 'granted' THEN 'certify' ELSE 'refuse' END, 'applied', 'opco-ep',
                CASE status WHEN 'granted' THEN '' ELSE 'link_not_proven' END, '', 1,
                decided_at - interval '1 minute', decided_at, decided_at, ''
            FROM offers_access WHERE decided_at IS NOT NULL
            """,
            """
            INSERT INTO offers_offer (id, access_id, establishment_id, deposit_key, status, rome_id, job_label,
                custom_title, contract_types, level, duration_months, positions, starts_on, presentation, questions,
                shows_phone, description, skills, knowledge, created_at, confirmed_at, outcome, filled_through,
                cancel_reason, outcome_comment)
            SELECT gen_random_uuid(), id, id, gen_random_uuid(), 'awaiting', 'D1102',
                'Boulanger / Boulangère', '', '{apprenticeship}', '', 12, 1, %(today)s::date + 60, '', '{}', false, '',
                '{}', '{}', asked_at, asked_at, '', '', '', ''
            FROM offers_access WHERE status = 'awaiting' AND id %% 3 = 1
            """,
        ):
            cursor.execute(statement, rows)
        cursor.execute("SELECT setval('accounts_user_id_seq', (SELECT max(id) FROM accounts_user))")
        cursor.execute("VACUUM ANALYZE")
    connection.close()


def processor_seconds() -> float:
    """Of this process and of the server's one that answers it: what a busy machine does not change."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        schedule = Path(f"/proc/{cursor.fetchone()[0]}/schedstat")
    server = int(schedule.read_text().split()[0]) / 1e9 if schedule.exists() else float("nan")
    return time.process_time() + server


def timed(act, rounds: int) -> tuple[list[float], float]:
    """Milliseconds of each round, and the processor's for one of them."""
    times, processor = [], processor_seconds()
    for _ in range(rounds):
        begun = time.perf_counter()
        act()
        times.append((time.perf_counter() - begun) * 1000)
    return times, (processor_seconds() - processor) * 1000 / rounds


def locks(desk, *, first: int, rounds: int) -> dict:
    """Milliseconds of the transactions that lock a file."""
    from django.utils import timezone

    from offers.models import Access
    from opco.actions import clock, decisions
    from opco.models import HOLD

    files = iter(Access.objects.awaiting().filter(pk__lte=first).order_by("-pk")[:rounds])
    now = timezone.now()
    # One decision a second, applied one by one.
    moments = [now + dt.timedelta(seconds=n) for n in range(rounds)]
    decided, applied = iter(moments), iter(moments)

    def decide():
        access = next(files)
        decisions.certify(desk=desk, access_id=access.pk, seen=decisions.version_of(access), at=next(decided))

    def apply():
        assert clock.apply_due(at=next(applied) + HOLD) == 1

    measured = {}
    for name, act in (("a decision", decide), ("its application", apply)):
        times, processor = timed(act, rounds)
        measured[name] = {
            "p50": round(statistics.median(times), 1),
            "worst": round(max(times), 1),
            "processor": round(processor, 1),
        }
    return measured


def measure(files: int, rounds: int) -> dict:
    import django

    django.setup()
    from django.conf import settings
    from django.db import connection, reset_queries
    from django.test import Client
    from django.utils import timezone

    from companies.models import Opco
    from labonnealternance.accounts.models import User
    from labonnealternance.mail.models import Message
    from opco.actions import advisors, telling
    from opco.actions.desks import Desk
    from opco.models import Export

    at = timezone.now()
    build(files, at)
    support = User.objects.create_superuser("support@exemple.fr")
    advisor = advisors.appoint(
        email="conseil@exemple.fr", first_name="Anne", last_name="Conseil", opco=Opco.objects.get(), by=support, at=at
    )
    client = Client(HTTP_HOST=urlsplit(settings.SITE_URL).netloc)
    client.force_login(advisor.user, backend="django.contrib.auth.backends.ModelBackend")
    some = files // 2 * 2 + 1
    values = {
        "some": some, "siret": "000" + str(some).rjust(11, "0"), "middle": files // 50 or 1, "last": files // 25 or 1,
    }  # fmt: skip
    measured: dict = {"pages": {}}
    for name, path in PAGES.items():
        address = path.format(**values)

        def ask(address=address):
            answer = client.get(address)
            assert answer.status_code in {200, 302}, (address, answer.status_code)

        ask()
        times, processor = timed(ask, rounds)
        connection.force_debug_cursor = True
        reset_queries()
        ask()
        queries = len(connection.queries)
        connection.force_debug_cursor = False
        measured["pages"][name] = {
            "processor": round(processor, 1),
            "p50": round(statistics.median(times), 1),
            "p90": round(statistics.quantiles(times, n=10)[-1], 1),
            "queries": queries,
        }
        print(f"  {name}: {measured['pages'][name]}", file=sys.stderr, flush=True)
    measured["locks"] = locks(Desk(advisor.user, advisor.opco), first=some, rounds=rounds)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begun, processor = time.perf_counter(), processor_seconds()
    size, first = 0, None
    for piece in client.post("/opco/export/").streaming_content:
        first = first or time.perf_counter() - begun
        size += len(piece)
    measured["export"] = {
        "seconds": round(time.perf_counter() - begun, 1),
        "processor_seconds": round(processor_seconds() - processor, 1),
        "first_byte": round(first or 0, 2),
        "lines": Export.objects.get().rows,
        "megabytes": round(size / 1e6, 1),
        "memory_added": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024,
    }
    measured["sweep"] = {}
    for name in ("all are new", "none is"):
        [taken], _ = timed(lambda: telling.tell_new(at=at), 1)
        measured["sweep"][name] = {"seconds": round(taken / 1000, 2), "mails": Message.objects.count()}
    return measured


# ── Around them ──────────────────────────────────────────────────────────────────────────────────────────────────────


def told(result: dict) -> str:
    small, large = result["small"], result["large"]
    lines = [
        f"{result['files']:,} people wait for one OPCO, as many were judged; milliseconds",
        f"{'':<32}{'p50':>8}{'p90':>8}{'processor':>11}{'a hundredth':>13}{'ratio':>8}{'queries':>9}",
    ]
    for name, taken in large["pages"].items():
        base = small["pages"][name]["processor"]
        lines.append(
            f"{name:<32}{taken['p50']:>8}{taken['p90']:>8}{taken['processor']:>11}{base:>13}"
            f"{taken['processor'] / base:>8.1f}{taken['queries']:>9}"
        )
    lines.append("")
    for name, taken in large["locks"].items():
        base = small["locks"][name]["processor"]
        lines.append(
            f"{name} locks its file for {taken['p50']} ms (worst {taken['worst']}), {taken['processor']} of processor"
            f" ({base} with a hundredth, ratio {taken['processor'] / base:.1f})"
        )
    export, little = large["export"], small["export"]
    lines.append(
        f"\nexport: {export['lines']:,} lines, {export['megabytes']} MB in {export['seconds']} s"
        f" ({export['processor_seconds']} of processor), first byte after"
        f" {export['first_byte']} s, {export['memory_added']} MB of memory added ({little['memory_added']} MB for"
        f" {little['lines']:,} lines)"
    )
    for name, taken in large["sweep"].items():
        lines.append(f"sweep, {name}: {taken['seconds']} s, {taken['mails']} e-mail in all")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--in-database", nargs=2, metavar=("SIZE", "FILE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.in_database:
        measured = measure(int(options.in_database[0]), options.rounds)
        Path(options.in_database[1]).write_text(json.dumps(measured))
        return
    given = os.environ.get("DATABASE_URL") or f"postgres://{postgres.USER}@{quote(postgres.host(), safe='')}/postgres"
    if not os.environ.get("DATABASE_URL"):
        os.environ["EMBEDDED_SERVICES"] = "DATABASE_URL REDIS_URL"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "labonnealternance.settings.local")
    os.environ["DEBUG"] = "0"
    os.environ["LOG_LEVEL"] = "WARNING"
    result: dict = {"files": options.files}
    with services(), psycopg.connect(given, autocommit=True) as server, tempfile.TemporaryDirectory() as folder:
        for name, size in {"small": options.files // SMALLER, "large": options.files}.items():
            database = f"{DATABASE}_{size}"
            server.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")
            server.execute(f"CREATE DATABASE {database}")
            try:
                print(f"{size:,} files", file=sys.stderr, flush=True)
                answer = Path(folder) / f"{name}.json"
                subprocess.run(
                    [
                        sys.executable, "-m", "tests.bench.bench_queue", "--rounds", str(options.rounds),
                        "--in-database", str(size), str(answer),
                    ],
                    cwd=PROJECT,
                    # As the site asks: the statements that the web would cut are cut here.
                    env={
                        **os.environ,
                        "DATABASE_URL": urlunsplit(urlsplit(given)._replace(path=f"/{database}")),
                        "PROCESS_KIND": "web",
                    },
                    check=True,
                )  # fmt: skip
                result[name] = json.loads(answer.read_text())
            finally:
                server.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")
        result |= {
            "measured_at": dt.datetime.now(tz=dt.UTC).isoformat(timespec="seconds"),
            "processors": os.cpu_count(),
            "postgresql": server.info.server_version,
            "python": platform.python_version(),
        }
    print(told(result))
    kept = PROJECT / "bench-results" / f"queue-{options.files}.json"
    kept.parent.mkdir(exist_ok=True)
    kept.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
