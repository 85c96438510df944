"""The clock of the offers on a full market: ``python -m tests.bench.bench_nightly [--offers N]``.

Two markets, a tenth of N and N active offers, five for each recruiter, whose last days are spread over the thirty that
may be; as many again that wait as one day holds, and one establishment in a hundred closed. Then the real actions, on
the worst night and on the one after:

- the first night nobody was ever reminded: a week of reminders leaves at once;
- the night after is an ordinary one.

Seconds, processor seconds (Python and PostgreSQL), statements for each batch, and the peak of memory, which must not
grow with the market. Databases of its own, dropped at the end. Tables are printed, and kept as JSON in
``bench-results/``.
"""

import argparse
import datetime as dt
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg

from labonnealternance.embedded import postgres, services

PROJECT = Path(__file__).resolve().parents[2]
DATABASE = "bench_nightly"
OFFERS_EACH = 5
LAST_DAYS = 30
GOAL_SECONDS = 60


# ── In the process of one database ───────────────────────────────────────────────────────────────────────────────────


def build(offers: int, at: dt.datetime) -> None:
    """Recruiters, their establishments, and their offers: active ones that end on each of thirty days, and some that
    wait.
    """
    from django.core.management import call_command
    from django.db import connection
    from django.utils.timezone import localdate

    from companies.models import Commune, Departement, Rome

    call_command("migrate", verbosity=0, skip_checks=True)
    Rome.objects.create(code="D1102", label="Boulanger / Boulangère", domain_code="D11")
    Departement.objects.create(code="57", name="Moselle")
    Commune.objects.create(code="57463", name="Metz", search_key="metz", departement_id="57", population=120_000)
    today, people = localdate(at), offers // OFFERS_EACH
    rows = {"at": at, "today": today, "people": people, "offers": offers, "each": OFFERS_EACH, "days": LAST_DAYS}
    with connection.cursor() as cursor:
        for statement in (
            """
            INSERT INTO accounts_user (id, password, is_superuser, email, first_name, last_name, phone, is_staff,
                is_active, joined_at, email_confirmed_at)
            SELECT n, '!', false, 'personne' || n || '@exemple.fr', 'Camille', 'Exemple', '', false,
                true, %(at)s, %(at)s
            FROM generate_series(1, %(people)s) n
            """,
            """
            INSERT INTO companies_establishment (id, siret, name, legal_name, headcount_band, address_complement,
                address, postcode, commune_id, latitude, longitude, is_headquarters, is_employer, is_diffusible,
                closed_on)
            SELECT n, '000' || lpad(n::text, 11, '0'), 'BOULANGERIE ' || n, 'BOULANGERIE ' || n, '11', '', '1 RUE',
                '57000', '57463', 49.1, 6.2, true, true, true, CASE WHEN n %% 100 = 0 THEN %(today)s::date END
            FROM generate_series(1, %(people)s) n
            """,
            """
            INSERT INTO offers_access (id, user_id, establishment_id, status, origin, asked_at, confirmed_at,
                decided_at)
            SELECT n, n, n, 'granted', 'registration', %(at)s, %(at)s, %(at)s FROM generate_series(1, %(people)s) n
            """,
            # Last days from yesterday, over, to the 28th from now.
            """
            INSERT INTO offers_offer (id, access_id, establishment_id, deposit_key, status, rome_id, job_label,
                custom_title, contract_types, level, duration_months, positions, starts_on, presentation, questions,
                shows_phone, description, skills, knowledge, latitude, longitude, created_at, confirmed_at,
                published_at, expires_on, outcome, filled_through, cancel_reason, outcome_comment)
            SELECT gen_random_uuid(), 1 + n / %(each)s, 1 + n / %(each)s, gen_random_uuid(), 'active', 'D1102',
                'Boulanger / Boulangère', '', '{apprenticeship}', '', 12, 1, %(today)s::date + 60, '', '{}', false,
                'Réalise des produits de boulangerie.', '{Pétrir une pâte}', '{}', 49.1, 6.2,
                day - interval '30 days', day - interval '30 days', day - interval '30 days', day, '', '', '', ''
            FROM (SELECT n, %(today)s::date - 1 + n %% %(days)s AS day FROM generate_series(0, %(offers)s - 1) n) o
            """,
            """
            INSERT INTO offers_offer (id, access_id, establishment_id, deposit_key, status, rome_id, job_label,
                custom_title, contract_types, level, duration_months, positions, starts_on, presentation, questions,
                shows_phone, description, skills, knowledge, created_at, confirmed_at, outcome, filled_through,
                cancel_reason, outcome_comment)
            SELECT gen_random_uuid(), 1 + n %% %(people)s, 1 + n %% %(people)s, gen_random_uuid(), 'awaiting', 'D1102',
                'Boulanger / Boulangère', '', '{apprenticeship}', '', 12, 1, %(today)s::date + 60, '', '{}', false, '',
                '{}', '{}', %(at)s, %(at)s, '', '', '', ''
            FROM generate_series(1, %(offers)s / %(days)s) n
            """,
        ):
            cursor.execute(statement, rows)
        for table in ("accounts_user", "companies_establishment", "offers_access", "offers_offer"):
            cursor.execute(f"VACUUM ANALYZE {table}")


class Statements:
    """Counts what is asked of the database."""

    def __init__(self):
        self.number = 0

    def __call__(self, execute, sql, params, many, context):
        self.number += 1
        return execute(sql, params, many, context)


def night(at: dt.datetime) -> dict:
    """What each task of a night takes, and how many rows it found."""
    from django.db import connection

    from labonnealternance.mail.models import Message
    from offers.actions import clock

    def server_seconds() -> float:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            schedule = Path(f"/proc/{cursor.fetchone()[0]}/schedstat")
        return int(schedule.read_text().split()[0]) / 1e9 if schedule.exists() else float("nan")

    measured: dict[str, dict] = {}
    for name, act in (
        ("expire", lambda: clock.expire_due(at=at)),
        ("remind", lambda: sum(clock.remind_due(at=at).values())),
        ("publish", lambda: clock.publish_ready(at=at)),
        ("close", lambda: clock.close_for_closed_establishments(at=at)),
        ("positions", lambda: clock.refresh_positions(at=at)),
    ):
        counted, mails = Statements(), Message.objects.count()
        start, processor = time.perf_counter(), time.process_time() + server_seconds()
        with connection.execute_wrapper(counted):
            rows = act()
        measured[name] = {
            "rows": rows,
            "mails": Message.objects.count() - mails,
            "seconds": round(time.perf_counter() - start, 1),
            "processor_seconds": round(time.process_time() + server_seconds() - processor, 1),
            "statements": counted.number,
        }
        print(f"  {name}: {measured[name]}", file=sys.stderr, flush=True)
    return measured


def measure(offers: int) -> dict:
    import django

    django.setup()
    from django.utils import timezone

    at = timezone.localtime().replace(hour=8, minute=0)
    build(offers, at)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    first, second = night(at), night(at + dt.timedelta(days=1))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"first": first, "second": second, "megabytes_before": before // 1024, "megabytes_peak": peak // 1024}


# ── Around them ──────────────────────────────────────────────────────────────────────────────────────────────────────


def told(result: dict) -> str:
    small, large = result["small"], result["large"]
    lines = [f"{result['offers']:,} active offers, last days spread over {LAST_DAYS}"]
    for name, label in (("first", "nobody was ever reminded"), ("second", "the night after")):
        lines.append(
            f"\n{label:<26}{'rows':>9}{'mails':>9}{'seconds':>10}{'CPU s':>8}{'statements':>12}{'a tenth':>10}"
        )
        for task, taken in large[name].items():
            lines.append(
                f"  {task:<24}{taken['rows']:>9}{taken['mails']:>9}{taken['seconds']:>10}"
                f"{taken['processor_seconds']:>8}{taken['statements']:>12}{small[name][task]['statements']:>10}"
            )
        seconds = sum(taken["seconds"] for taken in large[name].values())
        processor = sum(taken["processor_seconds"] for taken in large[name].values())
        lines.append(f"  {'in all (goal: under 60 s)':<42}{seconds:>10.1f}{processor:>8.1f}")
    lines.append(
        f"\npeak memory: {large['megabytes_peak']} MB ({large['megabytes_before']} MB before), "
        f"with a tenth of the offers {small['megabytes_peak']} MB"
    )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--offers", type=int, default=100_000)
    parser.add_argument("--in-database", nargs=2, metavar=("SIZE", "FILE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.in_database:
        Path(options.in_database[1]).write_text(json.dumps(measure(int(options.in_database[0]))))
        return
    given = os.environ.get("DATABASE_URL") or f"postgres://{postgres.USER}@{quote(postgres.host(), safe='')}/postgres"
    if not os.environ.get("DATABASE_URL"):
        os.environ["EMBEDDED_SERVICES"] = "DATABASE_URL REDIS_URL"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "labonnealternance.settings.local")
    os.environ["DEBUG"] = "0"
    os.environ["LOG_LEVEL"] = "WARNING"
    result: dict = {"offers": options.offers}
    with services(), psycopg.connect(given, autocommit=True) as server, tempfile.TemporaryDirectory() as folder:
        for name, size in {"small": options.offers // 10, "large": options.offers}.items():
            database = f"{DATABASE}_{size}"
            server.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")
            server.execute(f"CREATE DATABASE {database}")
            try:
                print(f"{size:,} offers", file=sys.stderr, flush=True)
                answer = Path(folder) / f"{name}.json"
                subprocess.run(
                    [sys.executable, "-m", "tests.bench.bench_nightly", "--in-database", str(size), str(answer)],
                    cwd=PROJECT,
                    env={
                        **os.environ,
                        "DATABASE_URL": urlunsplit(urlsplit(given)._replace(path=f"/{database}")),
                        "PROCESS_KIND": "worker",
                    },
                    check=True,
                )
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
    kept = PROJECT / "bench-results" / f"nightly-{options.offers}.json"
    kept.parent.mkdir(exist_ok=True)
    kept.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
