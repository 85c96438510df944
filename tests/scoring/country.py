"""A small country for the tests of the score: towns, activities, jobs; every number is made up."""

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
from django.db import connection

from companies.models import Commune, Departement, Establishment, Naf, NafRomeShare, Rome
from scoring.pipeline import dataset as dataset_of
from scoring.pipeline import months as month_of
from scoring.pipeline.dataset import Dataset
from scoring.pipeline.simulate import simulate
from scoring.pipeline.simulated_country import References, World

AS_OF = dt.date(2026, 11, 1)
NOW = dt.datetime(2026, 11, 20, 10, 0, tzinfo=dt.UTC)
RUN_MONTH = month_of.index(AS_OF)

DEPARTEMENTS = ("01", "13", "2A", "33", "54", "57", "75", "974")
NAF = (
    "0113Z", "1071C", "1071D", "2562B", "4120A", "4321A", "4322A", "4332A", "4334Z", "4399C", "4520A", "4711D",
    "4771Z", "4773Z", "4941A", "5510Z", "5610A", "5610C", "6201Z", "6831Z", "6920Z", "7112B", "8121Z", "8621Z", "9602A",
)  # fmt: skip
ROME = tuple(f"{letter}{number}" for letter in "ADFGHIJKMN" for number in (1101, 1102, 1201, 1202, 1601))


def references() -> References:
    """64 communes of 8 départements, from 800 to 400,000 people."""
    rng = np.random.default_rng(0)
    rows = [
        {
            "code": f"{departement[:2]}{number + 1:03d}" if departement != "974" else f"974{number + 1:02d}",
            "name": f"Ville-{departement}-{number}",
            "postcode": f"{'20' if departement == '2A' else departement[:2]}{number:03d}",
            "departement": departement,
            "population": float(int(400_000 / (number + 1) ** 1.8 / (1 + place % 3))),
            "latitude": -21.0 if departement == "974" else 43.0 + 6 * rng.random(),
            "longitude": 55.5 if departement == "974" else 0.0 + 6 * rng.random(),
            "employment_zone": f"{place:02d}{number % 2:02d}",
        }
        for place, departement in enumerate(DEPARTEMENTS)
        for number in range(8)
    ]
    return References(
        communes=pd.DataFrame(rows), naf=pd.DataFrame({"code": NAF, "label": [f"Activité {code}" for code in NAF]})
    )


def shares() -> pd.DataFrame:
    """Four jobs for each activity."""
    rows = [
        {"naf": naf, "rome": ROME[(place * 2 + jump) % len(ROME)], "share": share}
        for place, naf in enumerate(NAF)
        for jump, share in ((0, 0.5), (1, 0.3), (7, 0.15), (20, 0.05))
    ]
    return pd.DataFrame(rows)


def make_history(folder: Path, *, size: int = 5_000, seed: int = 5, **world) -> Path:
    """A simulated history in ``folder``."""
    simulate(World(size=size, seed=seed, as_of=AS_OF, **world), references(), folder)
    return folder


def read(folder: Path, *, run_month: int = RUN_MONTH, quarantine: Path | None = None) -> Dataset:
    """The dataset of a simulated history, without a database."""
    stock = dataset_of.establishments_from_stock(folder / "establishments.parquet", references().communes)
    return dataset_of.read(
        folder, stock, run_month=run_month, quarantine_path=quarantine or folder / "quarantine.csv.gz"
    )


#: The rows of a history that this process has put into its database once, as PostgreSQL copies them.
_copied: dict[Path, dict[str, bytes]] = {}


def load(folder: Path) -> None:
    """The country and the establishments of a history, in the database: written once, then copied."""
    tables = [model._meta.db_table for model in (Departement, Commune, Naf, Rome, NafRomeShare, Establishment)]
    with connection.cursor() as cursor:
        if folder not in _copied:
            _write(folder)
            _copied[folder] = {}
            for table in tables:
                with cursor.copy(f"COPY {table} TO STDOUT") as rows:
                    _copied[folder][table] = b"".join(bytes(row) for row in rows)
            return
        for table in tables:
            with cursor.copy(f"COPY {table} FROM STDIN") as rows:
                rows.write(_copied[folder][table])


def _write(folder: Path) -> None:
    known = references()
    Departement.objects.bulk_create([Departement(code=code, name=f"Département {code}") for code in DEPARTEMENTS])
    Commune.objects.bulk_create(
        [
            Commune(
                code=row.code,
                name=row.name,
                search_key=row.name.lower(),
                postcodes=[row.postcode],
                departement_id=row.departement,
                population=int(row.population),
                latitude=row.latitude,
                longitude=row.longitude,
                employment_zone=row.employment_zone,
            )
            for row in known.communes.itertuples(index=False)
        ]
    )
    Naf.objects.bulk_create([Naf(code=code, label=f"Activité {code}") for code in NAF])
    Rome.objects.bulk_create(
        [Rome(code=code, label=f"Métier {code}", domain_code=code[:3], domain_label="Domaine") for code in ROME]
    )
    NafRomeShare.objects.bulk_create(
        [NafRomeShare(naf_id=row.naf, rome_id=row.rome, share=row.share) for row in shares().itertuples(index=False)]
    )
    stock = dataset_of.establishments_from_stock(folder / "establishments.parquet", known.communes)
    places = known.communes.set_index("code")
    Establishment.objects.bulk_create(
        [
            Establishment(
                siret=row.siret,
                name=f"Maison {number}",
                naf_id=row.naf,
                headcount_band=row.band,
                created_on=month_of.first_day(int(row.created_month)),
                closed_on=None if np.isnan(row.closed_month) else month_of.first_day(int(row.closed_month)),
                commune_id=row.commune,
                latitude=places.latitude[row.commune],
                longitude=places.longitude[row.commune],
            )
            for number, row in enumerate(stock.itertuples(index=False))
        ],
        batch_size=2_000,
    )
