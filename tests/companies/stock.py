"""Stock files for the tests: the registry's columns, fictitious establishments."""

import csv
import io
from pathlib import Path

from tests.bench.bench_import import stock_columns
from tests.factories import make_siret

LINE = {
    "statutDiffusionEtablissement": "O",
    "dateCreationEtablissement": "2015-03-02",
    "trancheEffectifsEtablissement": "11",
    "dateDernierTraitementEtablissement": "2026-09-01T08:12:44.000",
    "etablissementSiege": "true",
    "numeroVoieEtablissement": "12",
    "indiceRepetitionEtablissement": "B",
    "typeVoieEtablissement": "AV",
    "libelleVoieEtablissement": "FOCH",
    "codePostalEtablissement": "57000",
    "libelleCommuneEtablissement": "METZ",
    "codeCommuneEtablissement": "57463",
    "dateDebut": "2015-03-02",
    "etatAdministratifEtablissement": "A",
    "enseigne1Etablissement": "LE FOURNIL EXEMPLE",
    "activitePrincipaleEtablissement": "10.71C",
    "nomenclatureActivitePrincipaleEtablissement": "NAFRev2",
    "caractereEmployeurEtablissement": "O",
}


def line(n: int, **facts: str) -> dict[str, str]:
    """The line of the ``n``-th fictitious company; ``facts`` by short or whole names of columns."""
    siret = make_siret(n)
    whole = {name if name in stock_columns() else f"{name}Etablissement": value for name, value in facts.items()}
    return {**LINE, "siret": siret, "siren": siret[:9], "nic": siret[9:], **whole}


def as_csv(lines: list[dict[str, str]], *, header: list[str] | None = None, delimiter: str = ",") -> str:
    text = io.StringIO()
    writer = csv.DictWriter(
        text, header or stock_columns(), delimiter=delimiter, lineterminator="\n", extrasaction="ignore"
    )
    writer.writeheader()
    writer.writerows(lines)
    return text.getvalue()


def write(path: Path, lines: list[dict[str, str]], **options) -> Path:
    path.write_text(as_csv(lines, **options), encoding="utf-8")
    return path
