"""Lines of a file of contacts (siret, email, phone, source) made into rows for PostgreSQL. Loads pyarrow."""

import pyarrow as pa

from companies.clients.sirene import Batch, Rejected
from companies.clients.sirene_rows import Parsed
from companies.models import InvalidContact, InvalidNumber, clean_email, clean_phone, clean_siret

LONGEST_SOURCE = 100


class ContactRows:
    """Judges contacts one by one: a number of phone is no matter for whole columns."""

    essential = ("siret", "email", "phone")
    optional = ("source",)
    columns = ("siret", "email", "phone", "source")

    def __init__(self, *, default_source: str):
        self.default_source = default_source[:LONGEST_SOURCE]
        self.met: set[str] = set()

    def parse(self, batch: Batch) -> Parsed:
        """A line with a wrong SIRET, e-mail or phone is set aside whole, to be corrected at its source."""
        rejected = list(batch.rejected)
        rows: list[tuple[str, str, str, str]] = []
        names = list(batch.columns)
        for line, values in zip(batch.lines.tolist(), zip(*batch.columns.values(), strict=True), strict=True):
            content = {name: value.as_py() for name, value in zip(names, values, strict=True)}
            try:
                rows.append(self._row(content))
            except (InvalidNumber, InvalidContact) as refusal:
                rejected.append(Rejected(line, str(refusal), content))
        table = pa.table(
            [pa.array([row[position] for row in rows], pa.string()) for position in range(len(self.columns))],
            names=list(self.columns),
        )
        return Parsed(len(rows), table, rejected, batch.position)

    def _row(self, content: dict[str, str]) -> tuple[str, str, str, str]:
        siret = clean_siret(content["siret"])
        if siret in self.met:
            raise InvalidNumber("Ce SIRET a déjà été lu plus haut.")
        email, phone = clean_email(content["email"]), clean_phone(content["phone"])
        if not email and not phone:
            raise InvalidContact("Cette ligne n’a ni e-mail ni téléphone.")
        self.met.add(siret)
        return siret, email, phone, (content.get("source", "").strip() or self.default_source)[:LONGEST_SOURCE]
