"""Support's search with all of France: ``python -m tests.bench.bench_office [--establishments N] [--rounds N]``.

N establishments with names like those of French signs (``tests/bench/shops.py``), three contacts for four of them,
corrections and decisions; a company of 500 establishments, and an address behind 300. Then the back-office's own list
of establishments is asked, page and templates included, for each kind of term that support types; and the page of one
establishment, with all that is told of it. No network.

Milliseconds by the clock, and of processor (Python and the server's process; the database is told not to share a query
between several); beside them a bare page, that reads one row by its primary key, in the same run.

Works in a database of its own, dropped at the end. The table is printed, and kept as JSON in ``bench-results/``.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import time
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

import psycopg

from labonnealternance.embedded import postgres, services

DATABASE = "bench_office"
PROJECT = Path(__file__).resolve().parents[2]
LIST = "/admin/companies/establishment/"
LARGE_COMPANY, LARGE_ADDRESS = 500, 300
MANY = 1_000
GROUP_MAIL = "groupe@exemple.fr"


def load(count: int) -> None:
    """The rows that the questions below are about."""
    from django.core.management import call_command
    from django.db import connection

    from tests.bench import shops

    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        call_command("migrate", verbosity=0)
        call_command("import_references")
        # As after an import: an index of trigrams that is made at the end is whole.
        cursor.execute("SELECT pg_get_indexdef('establishment_name_key'::regclass)")
        definition = cursor.fetchone()[0]
        cursor.execute("DROP INDEX establishment_name_key")
        shops.load(count)
        for statement in (
            definition,
            # Their SIRETs begin with a SIREN that nobody else has.
            f"""
            UPDATE companies_establishment
            SET siret = '001000000' || lpad(id::text, 5, '0'), name = 'HALLES ' || id WHERE id <= {LARGE_COMPANY}
            """,
            f"""
            INSERT INTO companies_contact (siret, email, phone, source, imported_at)
            SELECT siret,
                CASE WHEN id % {count // LARGE_ADDRESS} = 1 THEN '{GROUP_MAIL}'
                    ELSE 'contact' || id || '@exemple.fr' END,
                '+33199' || lpad((id % 1000000)::text, 6, '0'), 'bench', now()
            FROM companies_establishment WHERE id % 4 > 0
            """,
            """
            INSERT INTO companies_contactcorrection (siret, channel, value, origin, reason, decided_at)
            SELECT siret, CASE WHEN id % 200 = 0 THEN 'phone' ELSE 'email' END,
                CASE WHEN id % 200 = 0 THEN '+33199' || lpad((id % 1000000)::text, 6, '0')
                    ELSE 'corrige' || id || '@exemple.fr' END,
                'form', 'bench', now()
            FROM companies_establishment WHERE id % 100 = 0
            """,
            """
            INSERT INTO companies_visibilitydecision (kind, scope, value, rome_codes, channel, starts_at, reason,
                comment, origin, decided_at, revocation_reason)
            SELECT 'delisted', 'siret', siret, '{}', 'all', '2026-01-01', 'other', '', 'support', '2026-01-01', ''
            FROM companies_establishment WHERE id % 500 = 0
            """,
        ):
            cursor.execute(statement)
        connection.set_autocommit(True)
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("RESET statement_timeout")


def questions(count: int) -> dict[str, list[str]]:
    """What is typed, by kind: several of each, since the first letters of one may be luckier than another's."""
    from companies.models import Establishment
    from companies.models.search_keys import NameKey

    some = range(1_003, count, count // 20)
    rows = list(Establishment.objects.filter(pk__in=[*some]).values_list("siret", "name"))
    assert rows
    named = Establishment.objects.alias(key=NameKey("name"))
    words = {name.split()[-1].lower() for _, name in rows}
    rare = sorted(words, key=lambda word: (named.filter(key__contains=word)[:MANY].count(), word))[:5]
    return {
        "SIRET": [f"{siret[:3]} {siret[3:6]} {siret[6:9]} {siret[9:]}" for siret, _ in rows],
        "SIREN, 10 establishments": [siret[:9] for siret, _ in rows],
        f"SIREN, {LARGE_COMPANY} establishments": ["001000000"],
        "« boulangerie »": ["boulangerie"],
        "another common word": ["coiffure", "garage", "sarl", "société", "gare", "bar"],
        "a rare word": rare,
        "a word of no name": ["zzyzx", "mairiez", "qwertyuiop"],
        "two words": ["boulangerie gare", "garage cormet", "pharmacie centre", "coiffure beauté"],
        "a whole name": [name for _, name in rows[:10]],
        "two words never together": ["boulangerie notaire", "pharmacie pizzeria"],
        "three letters": ["bar", "zan", "san"],
        "an address": [f"contact{number}@exemple.fr" for number in some if number % 4],
        f"an address behind {LARGE_ADDRESS}": [GROUP_MAIL],
        "an address of nobody": ["personne@exemple.fr"],
        "a telephone": [f"01 99 {number % 1_000_000:06d}" for number in some if number % 4],
        "a telephone of nobody": ["04 99 00 00 18"],
    }


def measure(get, paths: list[str], rounds: int) -> dict:
    """Of each page, once warm."""
    from tests.bench.bench_search import processor_clock

    clock = processor_clock()
    times, taken = [], []
    for path in paths:
        get(path)
    for _ in range(max(rounds, -(-20 // len(paths)))):
        for path in paths:
            begun, used = time.perf_counter(), clock()
            get(path)
            times.append((time.perf_counter() - begun) * 1000)
            taken.append(clock() - used)
    return {"asks": len(times), **_cuts("clock", times), **_cuts("processor", taken)}


def _cuts(name: str, values: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(values, n=100)
    return {
        f"{name} p50": round(cuts[49], 1), f"{name} p95": round(cuts[94], 1), f"{name} max": round(max(values), 1),
    }  # fmt: skip


def results(count: int, rounds: int) -> dict:
    """Loads, then asks as a member of support."""
    from django.conf import settings
    from django.db import connection
    from django.test import Client

    from companies.models import Region
    from labonnealternance.accounts.models import User
    from tests.office import enter

    if "companies_establishment" not in connection.introspection.table_names():
        begun = time.perf_counter()
        load(count)
        print(f"{count:,} establishments loaded in {time.perf_counter() - begun:.0f} s", file=sys.stderr, flush=True)
    support = User.objects.filter(is_superuser=True).first() or User.objects.create_superuser("support@exemple.fr")
    client = enter(Client(HTTP_HOST=urlsplit(settings.SITE_URL).netloc), support)

    def get(path: str) -> None:
        answer = client.get(path)
        assert answer.status_code == 200, (path, answer.status_code)

    pages = {"bare": [f"/admin/companies/region/{Region.objects.first().pk}/change/"]}
    pages |= {kind: [f"{LIST}?{urlencode({'q': text})}" for text in texts] for kind, texts in questions(count).items()}
    pages |= {
        "the list, nothing asked": [LIST, f"{LIST}?p=2"],
        "the page of an establishment": [f"{LIST}{number}/change/" for number in (1, 1_003, count // 2)],
    }
    measured: dict = {"pages": {}}
    for kind, paths in pages.items():
        measured["pages"][kind] = measure(get, paths, rounds)
        connection.force_debug_cursor = True
        connection.queries_log.clear()
        get(paths[0])
        measured["pages"][kind]["queries"] = len(connection.queries)
        connection.force_debug_cursor = False
        print(f"  {kind}: {measured['pages'][kind]}", file=sys.stderr, flush=True)
    return measured


def told(measured: dict, count: int) -> str:
    bare = measured["pages"]["bare"]["processor p50"]
    names = ("clock p50", "clock p95", "clock max", "processor p50", "processor p95", "processor max")
    lines = [
        f"{count:,} establishments; milliseconds",
        f"{'':<34}" + "".join(f"{name:>15}" for name in names) + f"{'ratio':>8}{'queries':>9}",
    ]
    lines += [
        f"{kind:<34}"
        + "".join(f"{row[name]:>15}" for name in names)
        + f"{row['processor p50'] / bare:>8.1f}{row['queries']:>9}"
        for kind, row in measured["pages"].items()
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--establishments", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--keep", action="store_true", help="leave the database, and ask again of the one that was left"
    )
    arguments = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "labonnealternance.settings.local")
    os.environ["DEBUG"] = "0"
    os.environ["LOG_LEVEL"] = "WARNING"
    os.environ["PROCESS_KIND"] = "web"
    with services():
        server = os.environ.get("DATABASE_URL") or (
            f"postgres://{postgres.USER}@{quote(postgres.host(), safe='')}/{postgres.DATABASE}"
        )
        with psycopg.connect(server, autocommit=True) as admin:
            is_there = admin.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE]).fetchone() is not None
            if is_there and not arguments.keep:
                admin.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")
            if not (is_there and arguments.keep):
                admin.execute(f"CREATE DATABASE {DATABASE}")
            admin.execute(f"ALTER DATABASE {DATABASE} SET max_parallel_workers_per_gather = 0")
            os.environ["DATABASE_URL"] = urlunsplit(urlsplit(server)._replace(path=f"/{DATABASE}"))
            try:
                import django

                django.setup()
                measured = results(arguments.establishments, arguments.rounds)
                from django.db import connection

                connection.close()
            finally:
                if not arguments.keep:
                    admin.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
    print(told(measured, arguments.establishments))
    measured["machine"] = {"python": platform.python_version(), "cores": os.cpu_count()}
    kept = PROJECT / "bench-results" / f"office-{arguments.establishments}.json"
    kept.parent.mkdir(exist_ok=True)
    kept.write_text(json.dumps(measured, indent=2) + "\n")


if __name__ == "__main__":
    main()
