"""Lines of the registry's stock files made into rows for PostgreSQL, whole columns at a time.

A line that can't be trusted (its SIRET, state, date…) is set aside with a sentence. A line that is sound but names an
activity or a commune that the references don't know keeps its place without it, and is counted: to set it aside would
make an establishment disappear for a nomenclature's delay. Loads pyarrow and numpy: see ``companies.clients.sirene``.
"""

import contextlib
import datetime as dt
import io
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
from pyproj import Transformer

from companies.clients.sirene import Batch, Rejected
from companies.enums import HeadcountBand
from companies.models import InvalidNumber, clean_siret

LA_POSTE = 356000000
LA_POSTE_HEADQUARTERS = 35600000000048
# A point further than this from its commune's own is a fault of the file (degrees of latitude, about 55 km).
FAR = 0.5
LONGEST_TEXT = 200
HIDDEN = "[ND]"
_SIRET = re.compile(r"(?<![0-9])[0-9]{14}(?![0-9])")

# Who projects what: Lambert-93 in the métropole, the UTM zone of each overseas département.
PROJECTIONS = {
    "971": 5490, "972": 5490, "977": 5490, "978": 5490, "973": 2972, "974": 2975, "975": 4467, "976": 4471,
}  # fmt: skip
LAMBERT_93 = 2154
WGS84 = 4326

WAYS = {
    "ALL": "ALLÉE", "AV": "AVENUE", "BD": "BOULEVARD", "CAR": "CARREFOUR", "CC": "CENTRE COMMERCIAL", "CHE": "CHEMIN",
    "CHS": "CHAUSSÉE", "COR": "CORNICHE", "CRS": "COURS", "CTRE": "CENTRE", "DOM": "DOMAINE", "DSC": "DESCENTE",
    "ESP": "ESPLANADE", "FG": "FAUBOURG", "GR": "GRANDE RUE", "HAM": "HAMEAU", "HLE": "HALLE", "IMP": "IMPASSE",
    "LD": "LIEU-DIT", "LOT": "LOTISSEMENT", "MAR": "MARCHÉ", "MTE": "MONTÉE", "PAS": "PASSAGE", "PL": "PLACE",
    "PLN": "PLAINE", "PLT": "PLATEAU", "PRO": "PROMENADE", "PRV": "PARVIS", "QUA": "QUARTIER", "RES": "RÉSIDENCE",
    "RLE": "RUELLE", "ROC": "ROCADE", "RPT": "ROND-POINT", "RTE": "ROUTE", "SEN": "SENTIER", "SQ": "SQUARE",
    "TPL": "TERRE-PLEIN", "TRA": "TRAVERSE", "VLA": "VILLA", "VLGE": "VILLAGE",
}  # fmt: skip


@dataclass(frozen=True)
class Places:
    """What the references know: NAF codes; communes as ``(code, département, latitude, longitude)``; mergers."""

    naf_codes: list[str]
    communes: list[tuple[str, str, float | None, float | None]]
    former: dict[str, str]

    @cached_property
    def naf(self) -> pa.Array:
        return pa.array(self.naf_codes, pa.string())

    @cached_property
    def known(self) -> pa.Array:
        """Every code that a file may give: communes, then former ones."""
        return pa.array([row[0] for row in self.communes] + list(self.former), pa.string())

    @cached_property
    def table(self) -> tuple[pa.Array, np.ndarray, np.ndarray, np.ndarray]:
        """For each of ``known``: today's code, the projection of its coordinates, latitude and longitude."""
        by_code = {row[0]: row for row in self.communes}
        rows = [by_code[row[0]] for row in self.communes] + [by_code[today] for today in self.former.values()]
        codes = pa.array([row[0] for row in rows], pa.string())
        projections = np.array([PROJECTIONS.get(row[1], LAMBERT_93) for row in rows], dtype=np.int32)
        latitudes = np.array([np.nan if row[2] is None else row[2] for row in rows], dtype=float)
        longitudes = np.array([np.nan if row[3] is None else row[3] for row in rows], dtype=float)
        return codes, projections, latitudes, longitudes


@dataclass
class Parsed:
    """Rows ready for COPY (CSV, in the order of ``columns``), and what was set aside or left blank."""

    rows: int
    table: pa.Table | None
    rejected: list[Rejected]
    position: int
    unknown_naf: int = 0
    unplaced: int = 0
    latest: dt.date | None = None

    def csv(self) -> bytes:
        """The rows as COPY … (FORMAT csv) reads them: a null is an empty field, an empty text is quoted."""
        if self.table is None:
            return b""
        sink = io.BytesIO()
        pacsv.write_csv(self.table, sink, pacsv.WriteOptions(include_header=False))
        return sink.getvalue()


class Numbers:
    """The SIRETs met so far, to tell a repeated one; 8 bytes each, in sorted runs that are merged as they grow."""

    def __init__(self):
        self.runs: list[np.ndarray] = []

    def repeated(self, numbers: np.ndarray) -> np.ndarray:
        """Which of ``numbers`` were met before, here or in an earlier call; then remembers them."""
        seen = np.ones(len(numbers), dtype=bool)
        fresh, first = np.unique(numbers, return_index=True)
        seen[first] = False
        for run in self.runs:
            if fresh.size and run[-1] >= fresh[0] and run[0] <= fresh[-1]:
                places = np.minimum(np.searchsorted(run, numbers), len(run) - 1)
                seen |= run[places] == numbers
        while self.runs and len(self.runs[-1]) <= len(fresh):
            fresh = np.union1d(self.runs.pop(), fresh)
        if fresh.size:
            self.runs.append(fresh)
        return seen


@dataclass
class _Lines:
    """The lines of a batch while they are judged: the first fault found is the one that is told."""

    batch: Batch
    reasons: dict[int, str] = field(default_factory=dict)

    def __len__(self):
        return len(self.batch.lines)

    @property
    def faulty(self) -> np.ndarray:
        mask = np.zeros(len(self), dtype=bool)
        mask[list(self.reasons)] = True
        return mask

    def text(self, column: str) -> pa.StringArray:
        """A column without spaces around; blank where the file lacks it or the registry hides it."""
        given = self.batch.columns.get(column)
        if given is None:
            return pa.array([""] * len(self), pa.string())
        trimmed = pc.utf8_trim_whitespace(given)
        return pc.if_else(pc.equal(trimmed, HIDDEN), "", trimmed)

    def set_aside(self, mask: np.ndarray, reason: str | Callable[[int], str]):
        for row in np.flatnonzero(mask):
            self.reasons.setdefault(int(row), reason if isinstance(reason, str) else reason(int(row)))

    def rejected(self) -> list[Rejected]:
        out = list(self.batch.rejected)
        for row, reason in sorted(self.reasons.items()):
            content = {name: array[row].as_py() for name, array in self.batch.columns.items()}
            filled = {name: value for name, value in content.items() if value}
            out.append(Rejected(int(self.batch.lines[row]), reason, filled))
        return out


def with_siret(rejected: Rejected) -> Rejected:
    """The same line with the SIRET that it names, its lost zeros given back: it is no sign of a closure."""
    if isinstance(rejected.content, str):
        named = _SIRET.findall(rejected.content)
    else:
        named = [rejected.content.get("siret", "").strip().zfill(14)]
    for text in named:
        with contextlib.suppress(InvalidNumber):
            return replace(rejected, siret=clean_siret(text))
    return rejected


def digits(array: pa.StringArray, length: int) -> tuple[np.ndarray, np.ndarray]:
    """``(figures, shaped)``: the figures of each text, a row of small integers; which texts are ``length`` digits."""
    shaped = pc.equal(pc.binary_length(array), length).to_numpy(zero_copy_only=False)
    fixed = pc.if_else(pa.array(shaped), array, "0" * length)
    data = fixed.buffers()[2]
    figures = np.frombuffer(data, dtype=np.uint8)[: len(array) * length].reshape(-1, length) - np.uint8(48)
    shaped = shaped & (figures <= 9).all(axis=1)
    return np.where(shaped[:, None], figures, 0).astype(np.uint8), shaped


def luhn(figures: np.ndarray) -> np.ndarray:
    """Which rows of figures hold Luhn's key."""
    reverse = figures[:, ::-1]
    doubled = reverse[:, 1::2] * 2
    doubled = np.where(doubled > 9, doubled - 9, doubled)
    return (reverse[:, ::2].sum(axis=1, dtype=np.int32) + doubled.sum(axis=1, dtype=np.int32)) % 10 == 0


def valid_sirets(array: pa.StringArray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """``(numbers, shaped, sound)``: each SIRET as a number to compare, whether 14 digits, whether its key holds."""
    figures, shaped = digits(array, 14)
    numbers = figures.astype(np.int64) @ (10 ** np.arange(13, -1, -1, dtype=np.int64))
    by_luhn = luhn(figures)
    by_sum = figures.sum(axis=1, dtype=np.int32) % 5 == 0
    post_office = (numbers // 100_000 == LA_POSTE) & (numbers != LA_POSTE_HEADQUARTERS)
    sound = shaped & np.where(post_office, by_sum, by_luhn) & luhn(figures[:, :9])
    return numbers, shaped, sound


def _dates(lines: _Lines, column: str, reason: str) -> pa.Date32Array:
    """A column of dates (or of the days of times); what is no date is set aside."""
    texts = pc.utf8_slice_codeunits(lines.text(column), 0, 10)
    shaped = pc.match_substring_regex(texts, r"^[12][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")
    blank = pc.equal(texts, "")
    kept = pc.if_else(shaped, texts, pa.scalar(None, pa.string()))
    try:
        dates = pc.cast(kept, pa.date32())
    except pa.ArrowInvalid:
        dates = pa.array([_date(text) for text in kept.to_pylist()], pa.date32())
    wrong = pc.and_(pc.invert(blank), pc.is_null(dates))
    lines.set_aside(wrong.to_numpy(zero_copy_only=False), lambda row: f"{reason} : « {texts[row].as_py()} ».")
    return dates


def _date(text: str | None) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError:
        return None


def _times(lines: _Lines, column: str, dates: pa.Date32Array) -> pa.TimestampArray:
    """The times of a column whose days are ``dates``, as the clock of Paris showed them."""
    hours = pc.utf8_slice_codeunits(lines.text(column), 11, 19)
    shaped = pc.match_substring_regex(hours, r"^([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]$")
    texts = pc.binary_join_element_wise(pc.cast(dates, pa.string()), pc.if_else(shaped, hours, "00:00:00"), "T")
    return pc.cast(texts, pa.timestamp("s"))


def _one_of(lines: _Lines, column: str, values: list[str], name: str) -> pa.StringArray:
    """A column that holds one of ``values``; others are set aside."""
    texts = lines.text(column)
    wrong = pc.invert(pc.is_in(texts, pa.array(values, pa.string()))).to_numpy(zero_copy_only=False)
    lines.set_aside(wrong, lambda row: f"{name} inconnu{'e' if name[0] == 'T' else ''} : « {texts[row].as_py()} ».")
    return texts


def _cut(texts: pa.StringArray, length: int = LONGEST_TEXT) -> pa.StringArray:
    return pc.utf8_slice_codeunits(texts, 0, length)


def _joined(*parts: pa.StringArray) -> pa.StringArray:
    """The parts that are filled, separated by a space."""
    joined, *others = parts
    for part in others:
        separator = pc.if_else(pc.or_(pc.equal(joined, ""), pc.equal(part, "")), "", " ")
        joined = pc.binary_join_element_wise(joined, separator, part, "")
    return joined


def _floats(texts: pa.StringArray) -> np.ndarray:
    """Decimal numbers; NaN where the text is none."""
    shaped = pc.match_substring_regex(texts, r"^-?[0-9]{1,9}(\.[0-9]{1,12})?$")
    kept = pc.if_else(shaped, texts, pa.scalar(None, pa.string()))
    return pc.cast(kept, pa.float64()).to_numpy(zero_copy_only=False)


class EstablishmentRows:
    """Makes rows of ``StockEtablissement`` lines."""

    essential = (
        "siret",
        "statutDiffusionEtablissement",
        "etatAdministratifEtablissement",
        "trancheEffectifsEtablissement",
        "caractereEmployeurEtablissement",
        "activitePrincipaleEtablissement",
        "codePostalEtablissement",
        "codeCommuneEtablissement",
    )
    optional = (
        "dateCreationEtablissement",
        "dateDernierTraitementEtablissement",
        "dateDebut",
        "etablissementSiege",
        "complementAdresseEtablissement",
        "numeroVoieEtablissement",
        "indiceRepetitionEtablissement",
        "typeVoieEtablissement",
        "libelleVoieEtablissement",
        "coordonneeLambertAbscisseEtablissement",
        "coordonneeLambertOrdonneeEtablissement",
        "enseigne1Etablissement",
        "denominationUsuelleEtablissement",
        "nomenclatureActivitePrincipaleEtablissement",
    )
    columns = (
        "siret", "own_name", "naf_id", "headcount_band", "created_on", "address_complement", "address", "postcode",
        "commune_id", "latitude", "longitude", "is_headquarters", "is_employer", "is_diffusible", "is_closed",
        "closed_on", "registry_updated_at",
    )  # fmt: skip

    def __init__(self, places: Places, *, today: dt.date):
        self.places, self.today = places, today
        self.numbers = Numbers()
        self._transformers: dict[int, Transformer] = {}

    def parse(self, batch: Batch) -> Parsed:
        """Judges the lines of ``batch`` and makes rows of those that fit."""
        lines = _Lines(batch)
        if not len(lines):
            return Parsed(0, None, [with_siret(each) for each in batch.rejected], batch.position)
        sirets = lines.text("siret")
        numbers, shaped, sound = valid_sirets(sirets)
        lines.set_aside(~shaped, lambda row: f"Un SIRET a 14 chiffres : « {sirets[row].as_py()} ».")
        lines.set_aside(shaped & ~sound, lambda row: f"Ce SIRET n’existe pas (clé fausse) : {sirets[row].as_py()}.")
        state = _one_of(lines, "etatAdministratifEtablissement", ["A", "F"], "État administratif")
        diffusion = _one_of(lines, "statutDiffusionEtablissement", ["O", "P", "N"], "Statut de diffusion")
        bands = _one_of(lines, "trancheEffectifsEtablissement", ["", *HeadcountBand.values], "Tranche d’effectif")
        employer = _one_of(lines, "caractereEmployeurEtablissement", ["", "O", "N"], "Caractère employeur")
        created_on = _dates(lines, "dateCreationEtablissement", "Date de création illisible")
        began_on = _dates(lines, "dateDebut", "Date de début illisible")
        treated_on = _dates(lines, "dateDernierTraitementEtablissement", "Date de dernier traitement illisible")
        ahead = pc.greater(treated_on, pa.scalar(self.today + dt.timedelta(days=1), pa.date32()))
        lines.set_aside(
            pc.fill_null(ahead, False).to_numpy(zero_copy_only=False), "Date de dernier traitement à venir."
        )
        # Repeated SIRETs last, among the lines that are kept: the second one of a faulty first is not a repetition.
        kept = ~lines.faulty
        again = np.zeros(len(lines), dtype=bool)
        again[kept] = self.numbers.repeated(numbers[kept])
        lines.set_aside(again, "Ce SIRET a déjà été lu plus haut.")

        naf, unknown_naf = self._activities(lines)
        communes, latitudes, longitudes = self._places(lines)
        closed = pc.equal(state, "F")
        # A closure dated ahead is one all the same: it gets the day of the file.
        closed_since = pc.and_(closed, pc.less_equal(began_on, pa.scalar(self.today, pa.date32())))
        names = lines.text("enseigne1Etablissement")
        names = pc.if_else(pc.equal(names, ""), lines.text("denominationUsuelleEtablissement"), names)
        has_staff = pc.invert(pc.is_in(bands, pa.array(["", "NN", "00"])))
        is_employer = pc.or_(pc.equal(employer, "O"), pc.and_(pc.equal(employer, ""), has_staff))
        table = pa.table(
            [
                sirets,
                _cut(names),
                naf,
                pc.if_else(pc.equal(bands, ""), HeadcountBand.UNKNOWN.value, bands),
                created_on,
                _cut(lines.text("complementAdresseEtablissement")),
                _cut(self._address(lines)),
                _cut(lines.text("codePostalEtablissement"), 5),
                communes,
                latitudes,
                longitudes,
                pc.equal(pc.utf8_lower(lines.text("etablissementSiege")), "true"),
                is_employer,
                pc.equal(diffusion, "O"),
                closed,
                pc.if_else(closed_since, began_on, pa.scalar(None, pa.date32())),
                _times(lines, "dateDernierTraitementEtablissement", treated_on),
            ],
            names=list(self.columns),
        )
        fits = pa.array(~lines.faulty)
        unplaced = pc.and_(pc.and_(pc.is_null(latitudes), pc.invert(closed)), fits)
        table = table.filter(fits)
        return Parsed(
            rows=table.num_rows,
            table=table,
            rejected=[with_siret(each) for each in lines.rejected()],
            position=batch.position,
            unknown_naf=pc.sum(pc.and_(unknown_naf, fits)).as_py() or 0,
            unplaced=pc.sum(unplaced).as_py() or 0,
            latest=pc.max(treated_on.filter(fits)).as_py(),
        )

    def _activities(self, lines: _Lines) -> tuple[pa.StringArray, pa.BooleanArray]:
        """The known NAF codes (``47.11D`` or ``4711D``), and which open lines name another one."""
        given = pc.replace_substring(lines.text("activitePrincipaleEtablissement"), ".", "")
        nomenclature = lines.text("nomenclatureActivitePrincipaleEtablissement")
        current = pc.is_in(nomenclature, pa.array(["", "NAFRev2"]))
        known = pc.and_(pc.is_in(given, self.places.naf), current)
        unknown = pc.and_(
            pc.and_(pc.invert(pc.equal(given, "")), pc.invert(known)),
            pc.equal(lines.text("etatAdministratifEtablissement"), "A"),
        )
        return pc.if_else(known, given, pa.scalar(None, pa.string())), unknown

    def _places(self, lines: _Lines) -> tuple[pa.StringArray, pa.Array, pa.Array]:
        """Today's commune and a point: the registry's own where it is plausible, else the commune's."""
        found = pc.index_in(lines.text("codeCommuneEtablissement"), self.places.known)
        today, projections, latitudes, longitudes = self.places.table
        codes = today.take(found)
        where = pc.fill_null(found, -1).to_numpy(zero_copy_only=False)
        known = where >= 0
        latitude = np.where(known, latitudes[where] if latitudes.size else np.nan, np.nan)
        longitude = np.where(known, longitudes[where] if longitudes.size else np.nan, np.nan)
        x = _floats(lines.text("coordonneeLambertAbscisseEtablissement"))
        y = _floats(lines.text("coordonneeLambertOrdonneeEtablissement"))
        given = known & np.isfinite(x) & np.isfinite(y)
        for projection in np.unique(projections[where[given]]) if given.any() else ():
            mine = given & (projections[where] == projection)
            lon, lat = self._transformer(int(projection)).transform(x[mine], y[mine])
            near = np.isfinite(lat) & np.isfinite(lon)
            near &= ~(np.abs(lat - latitude[mine]) > FAR) & ~(np.abs(lon - longitude[mine]) > 2 * FAR)
            rows = np.flatnonzero(mine)[near]
            latitude[rows], longitude[rows] = np.round(lat[near], 6), np.round(lon[near], 6)
        blank = np.isnan(latitude) | np.isnan(longitude)
        return codes, pa.array(latitude, mask=blank), pa.array(longitude, mask=blank)

    def _transformer(self, projection: int) -> Transformer:
        if projection not in self._transformers:
            self._transformers[projection] = Transformer.from_crs(projection, WGS84, always_xy=True)
        return self._transformers[projection]

    def _address(self, lines: _Lines) -> pa.StringArray:
        way = lines.text("typeVoieEtablissement")
        found = pc.index_in(way, pa.array(list(WAYS), pa.string()))
        written = pc.coalesce(pa.array(list(WAYS.values()), pa.string()).take(found), way)
        return _joined(
            lines.text("numeroVoieEtablissement"),
            lines.text("indiceRepetitionEtablissement"),
            written,
            lines.text("libelleVoieEtablissement"),
        )


class LegalUnitRows:
    """Makes rows of ``StockUniteLegale`` lines."""

    essential = ("siren", "statutDiffusionUniteLegale", "denominationUniteLegale", "nomUniteLegale")
    optional = (
        "dateDernierTraitementUniteLegale",
        "denominationUsuelle1UniteLegale",
        "nomUsageUniteLegale",
        "prenomUsuelUniteLegale",
        "prenom1UniteLegale",
        "categorieJuridiqueUniteLegale",
    )
    columns = ("siren", "name", "legal_category", "is_diffusible")

    def __init__(self, *, today: dt.date):
        self.today = today
        self.numbers = Numbers()

    def parse(self, batch: Batch) -> Parsed:
        """Judges the lines of ``batch`` and makes rows of those that fit."""
        lines = _Lines(batch)
        if not len(lines):
            return Parsed(0, None, list(batch.rejected), batch.position)
        sirens = lines.text("siren")
        figures, shaped = digits(sirens, 9)
        sound = shaped & luhn(figures)
        lines.set_aside(~shaped, lambda row: f"Un SIREN a 9 chiffres : « {sirens[row].as_py()} ».")
        lines.set_aside(shaped & ~sound, lambda row: f"Ce SIREN n’existe pas (clé fausse) : {sirens[row].as_py()}.")
        diffusion = _one_of(lines, "statutDiffusionUniteLegale", ["O", "P", "N"], "Statut de diffusion")
        treated_on = _dates(lines, "dateDernierTraitementUniteLegale", "Date de dernier traitement illisible")
        ahead = pc.greater(treated_on, pa.scalar(self.today + dt.timedelta(days=1), pa.date32()))
        lines.set_aside(
            pc.fill_null(ahead, False).to_numpy(zero_copy_only=False), "Date de dernier traitement à venir."
        )
        kept = ~lines.faulty
        again = np.zeros(len(lines), dtype=bool)
        again[kept] = self.numbers.repeated(
            (figures.astype(np.int64) @ (10 ** np.arange(8, -1, -1, dtype=np.int64)))[kept]
        )
        lines.set_aside(again, "Ce SIREN a déjà été lu plus haut.")
        fits = pa.array(~lines.faulty)
        table = pa.table(
            [
                sirens,
                _cut(self._names(lines)),
                _cut(lines.text("categorieJuridiqueUniteLegale"), 4),
                pc.equal(diffusion, "O"),
            ],
            names=list(self.columns),
        ).filter(fits)
        latest = pc.max(treated_on.filter(fits)).as_py()
        return Parsed(table.num_rows, table, lines.rejected(), batch.position, latest=latest)

    def _names(self, lines: _Lines) -> pa.StringArray:
        """The company's name: its usual one, its legal one, else the person's."""
        first = lines.text("prenomUsuelUniteLegale")
        first = pc.if_else(pc.equal(first, ""), lines.text("prenom1UniteLegale"), first)
        last = lines.text("nomUsageUniteLegale")
        last = pc.if_else(pc.equal(last, ""), lines.text("nomUniteLegale"), last)
        names = _joined(first, last)
        for column in ("denominationUniteLegale", "denominationUsuelle1UniteLegale"):
            given = lines.text(column)
            names = pc.if_else(pc.equal(given, ""), names, given)
        return names
