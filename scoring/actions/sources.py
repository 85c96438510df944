"""The database's side of the pipeline's inputs, as tables. Loaded by commands and workers only: it needs pandas."""

import tempfile

import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv
from django.db import connection

from companies.models import Commune, Establishment, Naf, NafRomeShare
from scoring.pipeline.dataset import ESTABLISHMENT_COLUMNS
from scoring.pipeline.simulated_country import References


def establishments() -> pd.DataFrame:
    """Every employer establishment, closed ones included (they were open when the model's past was), by COPY.

    The columns are those of ``scoring.pipeline.dataset.ESTABLISHMENT_COLUMNS``; months are numbers.
    """
    month = "(extract(year FROM {0}) * 12 + extract(month FROM {0}) - 1)::integer"
    query = f"""
        COPY (
            SELECT e.siret, left(e.siret, 9), coalesce(e.naf_id, ''), e.headcount_band,
                   {month.format("e.created_on")}, {month.format("e.closed_on")},
                   coalesce(e.commune_id, ''), coalesce(c.departement_id, ''), coalesce(c.employment_zone, '')
            FROM {Establishment._meta.db_table} e
            LEFT JOIN {Commune._meta.db_table} c ON c.code = e.commune_id
            WHERE e.is_employer
            ORDER BY e.siret
        ) TO STDOUT (FORMAT csv)
    """  # noqa: S608 (the tables' names are the models')
    with tempfile.TemporaryFile() as file:
        with connection.cursor() as cursor, cursor.copy(query) as copy:
            for block in copy:
                file.write(block)
        if not file.tell():
            return pd.DataFrame(columns=list(ESTABLISHMENT_COLUMNS))
        file.seek(0)
        types = {name: pa.string() for name in ESTABLISHMENT_COLUMNS}
        types |= {"created_month": pa.float64(), "closed_month": pa.float64()}
        table = pa_csv.read_csv(
            file,
            read_options=pa_csv.ReadOptions(column_names=list(ESTABLISHMENT_COLUMNS)),
            convert_options=pa_csv.ConvertOptions(column_types=types),
        )
    return table.to_pandas()


def rome_shares() -> pd.DataFrame:
    """The shares of the jobs in each activity's hirings: naf, rome, share."""
    return pd.DataFrame.from_records(
        NafRomeShare.objects.order_by("naf_id", "rome_id").values_list("naf_id", "rome_id", "share"),
        columns=["naf", "rome", "share"],
    )


def simulation_references() -> References:
    """The communes where people live, and the activities that hire for a known job (every activity where none does)."""
    communes = pd.DataFrame.from_records(
        Commune.objects.filter(population__gt=0, latitude__isnull=False, postcodes__len__gt=0)
        # Paris, Lyon and Marseille are drawn by arrondissement where these are known.
        .exclude(pk__in=Commune.objects.filter(parent__isnull=False).values("parent"))
        .order_by("code")
        .values_list(
            "code", "name", "postcodes__0", "departement_id", "population", "latitude", "longitude", "employment_zone"
        ),
        columns=[
            "code",
            "name",
            "postcode",
            "departement",
            "population",
            "latitude",
            "longitude",
            "employment_zone",
        ],
    )
    naf = Naf.objects.filter(rome_shares__isnull=False).distinct()
    if not naf.exists():
        naf = Naf.objects.all()
    return References(
        communes=communes,
        naf=pd.DataFrame.from_records(naf.order_by("code").values_list("code", "label"), columns=["code", "label"]),
    )
