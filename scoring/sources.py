"""The database's side of the pipeline's inputs, as tables. Loaded by commands only: it needs pandas."""

import pandas as pd

from companies.models import Commune, Naf
from scoring.pipeline.simulate import References


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
            "code", "name", "postcode", "departement", "population", "latitude", "longitude", "employment_zone"
        ],
    )  # fmt: skip
    naf = Naf.objects.filter(rome_shares__isnull=False).distinct() or Naf.objects.all()
    return References(
        communes=communes,
        naf=pd.DataFrame.from_records(naf.order_by("code").values_list("code", "label"), columns=["code", "label"]),
    )
