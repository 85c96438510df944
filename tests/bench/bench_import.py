"""The import of establishments against a bare COPY: ``python -m tests.bench.bench_import [--rows N]``.

Draws a stock file of N lines (deterministic, in the registry's 54 columns), then measures, each time on the real table
with all its indexes and foreign keys:

- our import into an empty table: reading, judging, staging, comparing, writing;
- a bare COPY of the very rows that the import wrote, into the table emptied: the bound;
- our import of the same file with about 2 % of differences.

Works in a database of its own, dropped at the end. The table is printed, and kept as JSON in ``bench-results/``.
"""

import argparse
import contextlib
import datetime as dt
import json
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import numpy as np
import psutil
import psycopg
import pyarrow as pa
import pyarrow.csv as pacsv

from labonnealternance.embedded import postgres, services

DATABASE = "bench_import"
CHUNK = 100_000
PROJECT = Path(__file__).resolve().parents[2]
WORDS = [
    "BOULANGERIE", "PATISSERIE", "GARAGE", "MENUISERIE", "ATELIER", "MAISON", "BATI", "RENOV", "CONSEIL",
    "INFORMATIQUE", "TRANSPORTS", "SERVICES", "COIFFURE", "PHARMACIE", "RESTAURANT", "HOTEL", "CARROSSERIE",
    "PLOMBERIE", "ELECTRICITE", "PAYSAGE", "JARDINS", "OPTIQUE", "FLEURS", "PRIMEURS", "CHARPENTE", "TOITURE",
    "METALLERIE", "IMPRIMERIE", "AMBULANCES", "CABINET", "AGENCE", "IMMOBILIER", "ASSURANCES", "FORMATION",
    "LOGISTIQUE",
]  # fmt: skip
PEOPLE = [
    "MARTIN", "BERNARD", "DUBOIS", "THOMAS", "ROBERT", "RICHARD", "PETIT", "DURAND", "LEROY", "MOREAU", "SIMON",
    "LAURENT", "LEFEBVRE", "MICHEL", "GARCIA", "DAVID", "BERTRAND", "ROUX", "VINCENT", "FOURNIER", "MOREL", "GIRARD",
    "ANDRE", "MERCIER", "DUPONT", "LAMBERT", "BONNET", "FRANCOIS", "MARTINEZ", "LEGRAND",
]  # fmt: skip
STREETS = [
    "DE LA GARE", "VICTOR HUGO", "DU MOULIN", "DES LILAS", "JEAN JAURES", "DE LA REPUBLIQUE", "PASTEUR", "DU STADE",
    "DES ECOLES",
]  # fmt: skip
NAFS = [f"{division:02d}{sub:02d}{letter}" for division in range(1, 90, 3) for sub in (11, 20) for letter in "ZB"]
TOWNS = 3_000


def stock_columns() -> list[str]:
    """The columns of the registry's file, in order."""
    second = "complementAdresse2 numeroVoie2 indiceRepetition2 typeVoie2 libelleVoie2 codePostal2 libelleCommune2"
    second += " libelleCommuneEtranger2 distributionSpeciale2 codeCommune2 codeCedex2 libelleCedex2"
    second += " codePaysEtranger2 libellePaysEtranger2"
    first = (
        "trancheEffectifs anneeEffectifs activitePrincipaleRegistreMetiers dateDernierTraitement +etablissementSiege"
        " nombrePeriodes complementAdresse numeroVoie indiceRepetition dernierNumeroVoie"
        " indiceRepetitionDernierNumeroVoie typeVoie libelleVoie codePostal libelleCommune libelleCommuneEtranger"
        " distributionSpeciale codeCommune codeCedex libelleCedex codePaysEtranger libellePaysEtranger"
        " identifiantAdresse coordonneeLambertAbscisse coordonneeLambertOrdonnee"
    )
    last = (
        "+dateDebut etatAdministratif +enseigne1Etablissement +enseigne2Etablissement +enseigne3Etablissement"
        " denominationUsuelle activitePrincipale nomenclatureActivitePrincipale caractereEmployeur"
        " activitePrincipaleNAF25"
    )
    names = f"+siren +nic +siret statutDiffusion dateCreation {first} {second} {last}".split()
    return [name[1:] if name[0] == "+" else f"{name}Etablissement" for name in names]


def luhn_digit(figures: np.ndarray) -> np.ndarray:
    """The key that completes each row of figures."""
    reverse = figures[:, ::-1].astype(np.int64)
    doubled = reverse[:, ::2] * 2
    total = np.where(doubled > 9, doubled - 9, doubled).sum(axis=1) + reverse[:, 1::2].sum(axis=1)
    return (10 - total % 10) % 10


def figures_of(numbers: np.ndarray, length: int) -> np.ndarray:
    return (numbers[:, None] // 10 ** np.arange(length - 1, -1, -1, dtype=np.int64)) % 10


def sirets(first: int, count: int) -> np.ndarray:
    """Valid SIRETs of the range 000…, in the order of the numbers: 100,000 companies, the rest are branches."""
    rank = np.arange(first, first + count, dtype=np.int64)
    company = figures_of(rank % 100_000, 8)
    siren = np.hstack([company, luhn_digit(company)[:, None]])
    body = np.hstack([siren, figures_of(rank // 100_000 + 1, 4)])
    whole = np.hstack([body, luhn_digit(body)[:, None]])
    return (whole + 48).astype(np.uint8).view("S14").ravel().astype(str)


def write_stock(path: Path, rows: int, *, changed: bool):
    """``changed``: about 1 % of new facts, 0.5 % closed, 0.25 % gone and 0.25 % new, as from one month to the next."""
    header = stock_columns()
    draw = np.random.default_rng(7)
    later = np.random.default_rng(8)
    schema = pa.schema([(name, pa.string()) for name in header])
    with pacsv.CSVWriter(path, schema, write_options=pacsv.WriteOptions(quoting_style="needed")) as writer:
        for first in range(0, rows, CHUNK):
            count = min(CHUNK, rows - first)
            columns = draw_lines(draw, first, count)
            if changed:
                change_lines(columns, later, first, rows)
            empty = np.full(count, "")
            arrays = [pa.array(columns.get(name, empty), pa.string()) for name in header]
            writer.write_batch(pa.record_batch(arrays, schema=schema))


def draw_lines(draw, first: int, count: int) -> dict[str, np.ndarray]:
    def choice(values, weights=None):
        return draw.choice(np.array(values, dtype=object), count, p=weights)

    town = draw.integers(0, TOWNS, count)
    names = choice(WORDS) + " " + choice(PEOPLE) + " " + choice([*PEOPLE, *WORDS])
    has_sign = draw.random(count) < 0.4
    siret = sirets(first, count)
    # The middle of France on a grid of towns, in Lambert-93.
    x = 650_000 + (town % 60 - 30) * 8_000 + draw.normal(0, 900, count)
    y = 6_650_000 + (town // 60 - 25) * 8_000 + draw.normal(0, 900, count)
    day = draw.integers(0, 9_000, count)
    created = (np.datetime64("2000-01-01") + day).astype(str)
    code = np.char.zfill(town.astype(str), 4)
    return {
        "siren": np.array([text[:9] for text in siret]),
        "nic": np.array([text[9:] for text in siret]),
        "siret": siret,
        "statutDiffusionEtablissement": choice(["O", "P"], [0.93, 0.07]),
        "dateCreationEtablissement": created,
        "trancheEffectifsEtablissement": choice(
            ["01", "02", "03", "11", "12", "21"], [0.4, 0.25, 0.15, 0.1, 0.07, 0.03]
        ),
        "anneeEffectifsEtablissement": choice(["2023"]),
        "dateDernierTraitementEtablissement": choice(["2026-06-03T09:12:44.000", "2025-11-30T14:03:10.000"]),
        "etablissementSiege": choice(["true", "false"]),
        "nombrePeriodesEtablissement": choice(["1", "2", "3"]),
        "numeroVoieEtablissement": draw.integers(1, 180, count).astype(str),
        "typeVoieEtablissement": choice(["RUE", "AV", "BD", "PL", "CHE"]),
        "libelleVoieEtablissement": choice(STREETS),
        "codePostalEtablissement": np.char.add("5", code),
        "libelleCommuneEtablissement": choice(["VILLE EXEMPLE", "BOURG EXEMPLE"]),
        "codeCommuneEtablissement": np.char.add("5", code),
        "identifiantAdresseEtablissement": np.char.add(np.char.add("5", code), "0001_B"),
        "coordonneeLambertAbscisseEtablissement": np.round(x, 6).astype(str),
        "coordonneeLambertOrdonneeEtablissement": np.round(y, 6).astype(str),
        "dateDebut": created,
        "etatAdministratifEtablissement": choice(["A"]),
        "enseigne1Etablissement": np.where(has_sign, names, ""),
        "denominationUsuelleEtablissement": np.where(has_sign, "", names),
        "activitePrincipaleEtablissement": choice([f"{code[:2]}.{code[2:]}" for code in NAFS]),
        "nomenclatureActivitePrincipaleEtablissement": choice(["NAFRev2"]),
        "caractereEmployeurEtablissement": choice(["O"]),
    }


def change_lines(columns: dict[str, np.ndarray], later, first: int, rows: int):
    fate = later.random(len(columns["siret"]))
    moved, closed, replaced = fate < 0.01, (fate >= 0.01) & (fate < 0.015), (fate >= 0.015) & (fate < 0.0175)
    columns["numeroVoieEtablissement"] = np.where(moved, "999", columns["numeroVoieEtablissement"])
    columns["etatAdministratifEtablissement"] = np.where(closed, "F", columns["etatAdministratifEtablissement"])
    columns["dateDebut"] = np.where(closed, "2026-06-30", columns["dateDebut"])
    touched = moved | closed
    stamp = columns["dateDernierTraitementEtablissement"]
    columns["dateDernierTraitementEtablissement"] = np.where(touched, "2026-07-01T08:00:00.000", stamp)
    fresh = sirets(rows + first, len(fate))
    columns["siret"] = np.where(replaced, fresh, columns["siret"])
    columns["siren"] = np.array([text[:9] for text in columns["siret"]])


class Watch:
    """The highest memory (bytes) and the processor time (seconds) of a process and of its database sessions.

    Sampled five times a second; ``own_session`` is the bench's. On a busy machine processor time says more than a
    clock.
    """

    def __init__(self, process: subprocess.Popen, own_session: int):
        self.memory = self.session_memory = 0
        self._process, self._own_session = psutil.Process(process.pid), own_session
        self._cpu: dict[int, float] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def _watch(self):
        while not self._stop.wait(0.2):
            with contextlib.suppress(psutil.Error):
                self.memory = max(self.memory, self._process.memory_info().rss)
                self._cpu[self._process.pid] = processor_time(self._process)
            for each in psutil.process_iter(["cmdline"]):
                title = " ".join(each.info["cmdline"] or [])
                if title.startswith("postgres:") and f" {DATABASE} " in title and each.pid != self._own_session:
                    # Its own memory: what it maps of the shared buffers is the server's.
                    with contextlib.suppress(psutil.Error):
                        self.session_memory = max(self.session_memory, each.memory_full_info().uss)
                        self._cpu[each.pid] = processor_time(each)

    def end(self) -> float:
        """Stops; gives the processor time of all."""
        self._stop.set()
        self._thread.join()
        return sum(self._cpu.values())


def processor_time(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def run_import(path: Path, environment: dict[str, str], own_session: int) -> dict:
    command = [sys.executable, "manage.py", "import_establishments", str(path)]
    begun = time.perf_counter()
    process = subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=subprocess.PIPE, text=True)
    watch = Watch(process, own_session)
    told, _ = process.communicate()
    seconds = time.perf_counter() - begun
    cpu = watch.end()
    if process.returncode:
        raise SystemExit("L'import a échoué.")
    print(told, end="", file=sys.stderr)
    return {
        "seconds": seconds,
        "processor_seconds": cpu,
        "memory_mb": watch.memory / 1e6,
        "session_memory_mb": watch.session_memory / 1e6,
    }


def bare_copy(connection, folder: Path) -> dict:
    """What COPY takes for the rows of the table, into the table emptied."""
    columns = [
        row[0]
        for row in connection.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = 'companies_establishment'::regclass AND attnum > 0"
            " AND NOT attisdropped AND attgenerated = '' AND attname <> 'id' ORDER BY attnum"
        )
    ]
    names = ", ".join(columns)
    rows = folder / "rows.copy"
    with (
        rows.open("wb") as file,
        connection.cursor() as cursor,
        cursor.copy(f"COPY companies_establishment ({names}) TO STDOUT") as copy,
    ):
        for block in copy:
            file.write(block)
    connection.execute("TRUNCATE companies_establishment RESTART IDENTITY CASCADE")
    connection.execute("CHECKPOINT")
    processes = [psutil.Process(), psutil.Process(connection.info.backend_pid)]
    begun, spent = time.perf_counter(), sum(map(processor_time, processes))
    with (
        rows.open("rb") as file,
        connection.cursor() as cursor,
        cursor.copy(f"COPY companies_establishment ({names}) FROM STDIN") as copy,
    ):
        while block := file.read(1 << 20):
            copy.write(block)
    return {
        "seconds": time.perf_counter() - begun,
        "processor_seconds": sum(map(processor_time, processes)) - spent,
    }


def grow_log(connection, rows: int):
    """Makes the files of the write-ahead log: a new server creates them once, a server that lives has them."""
    for _ in range(2):
        connection.execute(
            f"CREATE TABLE filler AS SELECT repeat(md5(n::text), 30) FROM generate_series(1, {rows * 3 // 4}) n"
        )
        connection.execute("DROP TABLE filler")
        connection.execute("CHECKPOINT")


def write_references(connection):
    connection.execute("INSERT INTO companies_region (code, name) VALUES ('00', 'Région')")
    connection.execute("INSERT INTO companies_departement (code, name, region_id) VALUES ('50', 'Département', '00')")
    with connection.cursor() as cursor:
        cursor.executemany("INSERT INTO companies_naf (code, label) VALUES (%s, %s)", [(c, "Activité") for c in NAFS])
        from pyproj import Transformer

        town = np.arange(TOWNS)
        to_degrees = Transformer.from_crs(2154, 4326, always_xy=True)
        longitude, latitude = to_degrees.transform(
            650_000 + (town % 60 - 30) * 8_000, 6_650_000 + (town // 60 - 25) * 8_000
        )
        cursor.executemany(
            "INSERT INTO companies_commune (code, name, search_key, postcodes, departement_id, population, latitude,"
            " longitude, employment_zone) VALUES (%s, 'Ville', 'ville', '{}', '50', 1000, %s, %s, '')",
            [(f"5{n:04d}", float(latitude[n]), float(longitude[n])) for n in range(TOWNS)],
        )


def measure(rows: int, address: str, environment: dict[str, str]) -> dict:
    with tempfile.TemporaryDirectory() as name, psycopg.connect(address, autocommit=True) as connection:
        folder = Path(name)
        write_references(connection)
        first, second = folder / "StockEtablissement_1.csv", folder / "StockEtablissement_2.csv"
        write_stock(first, rows, changed=False)
        write_stock(second, rows, changed=True)
        connection.execute("CHECKPOINT")
        grow_log(connection, rows)
        own = connection.info.backend_pid
        empty = run_import(first, environment, own)
        copied = bare_copy(connection, folder)
        again = run_import(second, environment, own)
        return {
            "rows": rows,
            "file_mb": first.stat().st_size / 1e6,
            "bare_copy": copied,
            "import_into_empty_table": empty,
            "import_of_two_percent": again,
            "share_of_bare_copy_speed": copied["seconds"] / empty["seconds"],
            "share_by_processor_time": copied["processor_seconds"] / empty["processor_seconds"],
        }


def told(result: dict) -> str:
    rows = result["rows"]
    lines = [f"{rows:,} lines, {result['file_mb']:.0f} MB of CSV", ""]
    lines.append(f"{'':34}{'seconds':>9}{'processor':>11}{'rows/s':>10}{'memory':>10}{'session':>10}")
    for key, label in (
        ("bare_copy", "bare COPY, same rows and indexes"),
        ("import_into_empty_table", "import into the empty table"),
        ("import_of_two_percent", "import with 2 % of differences"),
    ):
        one = result[key]
        memory = f"{one['memory_mb']:>7.0f} MB{one['session_memory_mb']:>7.0f} MB" if "memory_mb" in one else ""
        speed = f"{one['seconds']:>9.1f}{one['processor_seconds']:>11.1f}{rows / one['seconds']:>10,.0f}"
        lines.append(f"{label:34}{speed}{memory}")
    lines += [
        "",
        f"the import runs at {result['share_of_bare_copy_speed']:.0%} of the bare COPY's speed (goal: 50 %)",
        f"by processor time at {result['share_by_processor_time']:.0%}",
    ]
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=2_400_000)
    options = parser.parse_args()
    given = os.environ.get("DATABASE_URL") or f"postgres://{postgres.USER}@{quote(postgres.host(), safe='')}/postgres"
    address = urlunsplit(urlsplit(given)._replace(path=f"/{DATABASE}"))
    if not os.environ.get("DATABASE_URL"):
        os.environ["EMBEDDED_SERVICES"] = "DATABASE_URL REDIS_URL"
    with services(), psycopg.connect(given, autocommit=True) as server:
        server.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        server.execute(f"CREATE DATABASE {DATABASE}")
        try:
            environment = {**os.environ, "DATABASE_URL": address}
            subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=PROJECT, env=environment, check=True)
            result = measure(options.rows, address, environment)
            result |= {
                "measured_at": dt.datetime.now(tz=dt.UTC).isoformat(timespec="seconds"),
                "processors": os.cpu_count(),
                "postgresql": server.info.server_version,
                "python": platform.python_version(),
            }
        finally:
            server.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
    print(told(result))
    kept = PROJECT / "bench-results" / f"import-{options.rows}.json"
    kept.parent.mkdir(exist_ok=True)
    kept.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
