"""A country to measure on: towns of true-looking sizes, establishments around them, jobs that follow a long tail.

Deterministic: the same number of establishments and the same towns give the same country. Nothing here is real but the
place and the size of the largest towns and, where ``DATA_DIR`` names the official files, of all communes.
"""

import csv
import datetime as dt
import itertools
import os
import uuid
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from django.db import connection

from companies.models import Commune, Departement, Naf, Rome
from labonnealternance.accounts.models import User
from offers.models import Offer

# latitude, longitude, inhabitants (thousands, with the suburbs), rounded
CITIES = [
    (48.86, 2.35, 10_900), (45.76, 4.84, 2_300), (43.30, 5.37, 1_880), (50.63, 3.06, 1_510), (43.60, 1.44, 1_470),
    (44.84, -0.58, 1_380), (47.22, -1.55, 1_020), (43.70, 7.27, 620), (48.57, 7.75, 860), (48.11, -1.68, 760),
    (45.19, 5.72, 720), (49.44, 1.10, 710), (43.12, 5.93, 580), (43.61, 3.88, 810), (47.32, 5.04, 390),
    (49.12, 6.18, 370), (48.69, 6.18, 510), (47.39, 0.69, 520), (45.78, 3.08, 510), (47.90, 1.90, 450),
    (49.26, 4.03, 320), (49.49, 0.11, 290), (45.44, 4.39, 500), (47.47, -0.56, 430), (49.18, -0.37, 470),
    (48.39, -4.49, 370), (49.89, 2.30, 350), (45.83, 1.26, 290), (47.24, 6.02, 280), (42.70, 2.90, 400),
    (48.00, 0.20, 370), (46.58, 0.34, 270), (46.16, -1.15, 240), (43.30, -0.37, 240), (47.75, 7.34, 410),
    (50.37, 3.08, 360), (49.85, 3.29, 110), (44.93, 4.89, 250), (44.01, 4.81, 330), (-20.88, 55.45, 860),
    (14.61, -61.07, 360), (16.24, -61.53, 380), (4.92, -52.31, 290), (-12.78, 45.23, 300),
]  # fmt: skip
MAINLAND = (42.6, 50.6, -4.2, 7.9)
KM_PER_DEGREE = 111.19
JOBS = 1_500
JOBS_PER_ESTABLISHMENT = 6


@dataclass(frozen=True)
class Country:
    """``towns``: (latitude, longitude, inhabitants) a row. ``pairs``: establishment number, job number, expected."""

    towns: np.ndarray
    town: np.ndarray
    latitude: np.ndarray
    longitude: np.ndarray
    pair_establishment: np.ndarray
    pair_job: np.ndarray
    pair_expected: np.ndarray
    job_popularity: np.ndarray

    @property
    def establishments(self) -> int:
        return len(self.latitude)


def job_code(number: int) -> str:
    """``A1000`` … in the form of ROME codes."""
    return f"{'ABCDEFGHIJKLMN'[number % 14]}{1000 + number // 14}"


def siret(number: int) -> str:
    """Fourteen digits, SIREN range 000…: ten establishments a company."""
    return f"000{number // 10:06d}{number % 10:05d}"


def read_towns() -> np.ndarray:
    """The official communes where ``DATA_DIR`` is set, else towns drawn around the large cities and in the country."""
    official = Path(os.environ.get("DATA_DIR") or "/nowhere") / "geo" / "communes.csv"
    if official.exists():
        with official.open(encoding="utf-8") as file:
            rows = [
                (float(row["latitude"]), float(row["longitude"]), float(row["population"]))
                for row in csv.DictReader(file)
                if row["latitude"] and row["longitude"] and (row["population"] or "0") != "0"
            ]
        return np.array(rows)
    draw = np.random.default_rng(1)
    towns = [(latitude, longitude, inhabitants * 400.0) for latitude, longitude, inhabitants in CITIES]
    for latitude, longitude, inhabitants in CITIES:
        count = max(5, inhabitants // 12)
        away = draw.exponential(4 + inhabitants**0.45 / 2, count) / KM_PER_DEGREE
        angle = draw.uniform(0, 2 * np.pi, count)
        sizes = draw.pareto(1.1, count) + 0.2
        sizes *= inhabitants * 600 / sizes.sum()
        towns += zip(
            latitude + away * np.sin(angle),
            longitude + away * np.cos(angle) / np.cos(np.radians(latitude)),
            sizes,
            strict=True,
        )
    south, north, west, east = MAINLAND
    rural = 30_000
    sizes = np.clip((draw.pareto(0.95, rural) + 0.3) * 250, 50, 60_000)
    towns += zip(draw.uniform(south, north, rural), draw.uniform(west, east, rural), sizes, strict=True)
    return np.array(towns)


def draw_country(establishments: int) -> Country:
    """Establishments follow inhabitants; jobs follow a long tail; potentials are log-normal."""
    towns = read_towns()
    draw = np.random.default_rng(establishments)
    town = draw.choice(len(towns), establishments, p=towns[:, 2] / towns[:, 2].sum())
    spread = (0.5 + np.sqrt(towns[town, 2]) / 150) / KM_PER_DEGREE
    latitude = towns[town, 0] + draw.normal(0, 1, establishments) * spread
    longitude = towns[town, 1] + draw.normal(0, 1, establishments) * spread / np.cos(np.radians(latitude))
    popularity = 1 / (np.arange(JOBS) + 20)
    popularity /= popularity.sum()
    owner = np.repeat(np.arange(establishments), JOBS_PER_ESTABLISHMENT)
    job = draw.choice(JOBS, len(owner), p=popularity)
    pairs = np.unique(owner.astype(np.int64) * JOBS + job)
    return Country(
        towns=towns,
        town=town,
        latitude=latitude,
        longitude=longitude,
        pair_establishment=(pairs // JOBS).astype(np.int32),
        pair_job=(pairs % JOBS).astype(np.int16),
        pair_expected=np.clip(draw.lognormal(-0.7, 0.9, len(pairs)), 0.05, 40).astype(np.float32),
        job_popularity=popularity,
    )


def load(country: Country) -> None:
    """Writes jobs, towns, establishments (ids from 1, in order), contacts and decisions; potentials are not loaded."""
    draw = np.random.default_rng(2)
    Rome.objects.bulk_create(
        [Rome(code=job_code(n), label=f"Métier {n}", domain_code=job_code(n)[:3]) for n in range(JOBS)]
    )
    Naf.objects.bulk_create([Naf(code=f"{n:04d}Z", label=f"Activité {n}") for n in range(100)])
    Departement.objects.create(code="00", name="Département")
    Commune.objects.bulk_create(
        [
            Commune(
                code=f"{n:05d}", name=f"Commune {n}", search_key=f"commune {n}", postcodes=[f"{n:05d}"],
                departement_id="00", population=int(town[2]), latitude=town[0], longitude=town[1],
            )
            for n, town in enumerate(country.towns)
        ],
        batch_size=5_000,
    )  # fmt: skip
    bands = ["01", "02", "03", "11", "12"]
    rows = zip(
        itertools.count(),
        country.latitude.round(6).tolist(),
        country.longitude.round(6).tolist(),
        country.town.tolist(),
        strict=False,
    )
    with connection.cursor() as cursor:
        columns = (
            "id, siret, name, legal_name, naf_id, headcount_band, address_complement, address, postcode, commune_id,"
            " latitude, longitude, is_headquarters, is_employer, is_diffusible"
        )
        with cursor.copy(f"COPY companies_establishment ({columns}) FROM STDIN") as copy:
            for n, latitude, longitude, town in rows:
                copy.write_row(
                    (
                        n + 1, siret(n), f"ETABLISSEMENT {n}", f"ENTREPRISE {n // 10}", f"{n % 100:04d}Z", bands[n % 5],
                        "", f"{n % 90 + 1} RUE DE L'EXEMPLE", f"{town:05d}", f"{town:05d}", latitude, longitude,
                        "t", "t", "t" if n % 1000 else "f",
                    )
                )  # fmt: skip
        with cursor.copy("COPY companies_contact (siret, email, phone, source, imported_at) FROM STDIN") as copy:
            for n in range(country.establishments):
                if n % 4:
                    copy.write_row(
                        (siret(n), f"contact{n}@example.fr", "+33199000000" if n % 3 else "", "bench", "now")
                    )
        decisions = [
            *(("delisted", "siret", siret(n), "{}") for n in sample(draw, country, 4_000)),
            *(("delisted", "siren", siret(n)[:9], "{}") for n in sample(draw, country, 200)),
            *(("delisted", "email", f"contact{n}@example.fr", "{}") for n in sample(draw, country, 800)),
            *(
                ("listed", "siret", siret(n), f"{{{job_code(int(draw.choice(JOBS, p=country.job_popularity)))}}}")
                for n in sample(draw, country, 2_000)
            ),
        ]
        with cursor.copy(
            "COPY companies_visibilitydecision (kind, scope, value, rome_codes, channel, starts_at, reason, comment,"
            " origin, decided_at, revocation_reason) FROM STDIN"
        ) as copy:
            for kind, scope, value, codes in decisions:
                copy.write_row(
                    (kind, scope, value, codes, "all", "2026-01-01", "other", "", "support", "2026-01-01", "")
                )
    connection.set_autocommit(True)
    with connection.cursor() as cursor:
        for table in ("establishment", "contact", "visibilitydecision", "commune"):
            cursor.execute(f"VACUUM ANALYZE companies_{table}")


def load_offers(country: Country, *, at: dt.datetime) -> int:
    """Active offers of a tenth of the establishments, published in the last thirty days; returns their number."""
    draw = np.random.default_rng(3)
    count = country.establishments // 10
    owners = draw.choice(country.establishments, count, replace=False)
    jobs = draw.choice(JOBS, count, p=country.job_popularity)
    ages = draw.uniform(0, 29, count)
    user = User.objects.create_user("recruteur@exemple.fr")
    skills = "{" + ",".join(f"Compétence {n}" for n in range(12)) + "}"
    with connection.cursor() as cursor:
        with cursor.copy(
            "COPY offers_access (id, user_id, establishment_id, status, origin, asked_at, confirmed_at, decided_at)"
            " FROM STDIN"
        ) as copy:
            for n, owner in enumerate(owners.tolist(), start=1):
                copy.write_row((n, user.pk, owner + 1, "granted", "registration", at, at, at))
        columns = (
            "id, access_id, establishment_id, deposit_key, status, rome_id, job_label, custom_title, contract_types,"
            " level, duration_months, positions, starts_on, presentation, questions, shows_phone, description, skills,"
            " knowledge, latitude, longitude, created_at, confirmed_at, published_at, expires_on, outcome,"
            " filled_through, cancel_reason, outcome_comment"
        )
        with cursor.copy(f"COPY offers_offer ({columns}) FROM STDIN") as copy:
            for n, (owner, job, age) in enumerate(zip(owners.tolist(), jobs.tolist(), ages.tolist(), strict=True)):
                published = at - dt.timedelta(days=age)
                copy.write_row(
                    (
                        uuid.UUID(int=n + 1), n + 1, owner + 1, uuid.UUID(int=n + 1), "active", job_code(job),
                        f"Métier {job}", "", "{apprenticeship}", str(3 + n % 5), 12, 1, published.date(), "", "{}", "f",
                        "Une description. " * 20, skills, "{}",
                        round(float(country.latitude[owner]), 6), round(float(country.longitude[owner]), 6),
                        published, published, published, Offer.last_day_from(published), "", "", "", "",
                    )
                )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE offers_offer")
        cursor.execute("VACUUM ANALYZE offers_access")
    return count


def sample(draw, country: Country, count: int) -> list[int]:
    """``count`` establishments, the number brought down with the country's size."""
    count = max(10, count * country.establishments // 1_000_000)
    return draw.choice(country.establishments, count, replace=False).tolist()


def potentials(country: Country):
    """``(siret, rome_code, expected)`` rows for ``write_potentials``."""
    codes = [job_code(n) for n in range(JOBS)]
    for n, job, expected in zip(
        country.pair_establishment.tolist(), country.pair_job.tolist(), country.pair_expected.tolist(), strict=True
    ):
        yield siret(n), codes[job], expected
