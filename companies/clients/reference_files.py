"""The official reference files (ROME, NAF, communes, OPCO), read as their producers publish them.

One line is one record, in UTF-8: a line that cannot be read is put aside with its number and the reason, and the
others are kept, even when a quote was cut. ``read`` raises ``SourceRefused``, with a sentence, only when a whole file
cannot be used.
"""

import csv
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from companies.enums import RomeItemKind
from companies.models.search_keys import place_key, title_keys
from labonnealternance.kit.text import search_key

MAX_FILE_BYTES = 200 * 1024 * 1024
ROME_FOLDER = re.compile(r"^rome_v(\d+)$")
#: Answers of the OPCO service that name no operator.
NOT_AN_OPCO = {"UNKNOWN_OPCO", "MULTIPLE_OPCO"}
LONGEST_LABEL = 500

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


class SourceRefused(Exception):
    """The whole source is put aside; the message is a French sentence for the person who launched the import."""


class BadLine(Exception):
    """One line is put aside; the message is the reason, in French."""


@dataclass(frozen=True)
class Fault:
    """A line put aside: ``file`` is its path inside the source, ``line`` counts from 1, header included."""

    file: str
    line: int
    reason: str


@dataclass
class References:
    """What a source holds. Each list has the columns that its comment names, in that order, and no repeated key."""

    regions: list[tuple] = field(default_factory=list)  # code, name
    departements: list[tuple] = field(default_factory=list)  # code, name, region
    # code, name, search_key, postcodes, departement, population, latitude, longitude, employment_zone, parent
    communes: list[tuple] = field(default_factory=list)
    former_communes: list[tuple] = field(default_factory=list)  # code, name, search_key, commune
    nafs: list[tuple] = field(default_factory=list)  # code, label
    opcos: list[tuple] = field(default_factory=list)  # code, name, api_label
    idccs: list[tuple] = field(default_factory=list)  # code, label, opco
    # code, label, parent_code, domain_code, domain_label, large_domain_label, definition, access
    romes: list[tuple] = field(default_factory=list)
    # ogr, rome, label, short_label, search_key, masculine_key, feminine_key, is_rare, is_main
    appellations: list[tuple] = field(default_factory=list)
    items: list[tuple] = field(default_factory=list)  # rome, kind, ogr, label, category, is_core
    mobilities: list[tuple] = field(default_factory=list)  # rome, target, position
    rome_divisions: set[tuple[str, str]] = field(default_factory=set)  # ROME code, NAF division ("01")
    hirings: dict[tuple[str, str], int] = field(default_factory=dict)  # (NAF code, ROME 3 code): hirings counted
    read_lines: dict[str, int] = field(default_factory=dict)  # file: lines read, header left out
    faults: list[Fault] = field(default_factory=list)


def read(folder: Path) -> References:
    """Everything that ``folder`` holds (sub-folders ``geo``, ``naf``, ``opco``, ``rome_v<version>``).

    Raises ``SourceRefused`` when a file or a column is missing, or when a file has no line that can be used.
    """
    return _Reading(folder).everything()


class _Reading:
    def __init__(self, folder: Path):
        if not folder.is_dir():
            raise SourceRefused(f"Le dossier « {folder} » n’existe pas.")
        self.folder = folder
        self.found = References()

    def everything(self) -> References:
        self._places()
        self._activities()
        self._operators()
        self._jobs()
        return self.found

    # Files and lines

    def _rome(self, name: str) -> str:
        """The path of a ROME file, in the most recent version of the source (files end in ``_v460_utf8.csv``)."""
        versions = {
            int(match[1]): path.name
            for path in self.folder.iterdir()
            if path.is_dir() and (match := ROME_FOLDER.match(path.name))
        }
        if not versions:
            raise SourceRefused(
                f"Le dossier « {self.folder.name} » ne contient aucun dossier ROME (rome_v460, par exemple)."
            )
        latest = self.folder / versions[max(versions)]
        pattern = re.compile(re.escape(name) + r"_v\d+(_utf8)?\.csv$")
        files = sorted(path.name for path in latest.iterdir() if pattern.match(path.name))
        if not files:
            raise SourceRefused(f"Il manque le fichier {latest.name}/{name}_v{max(versions)}_utf8.csv.")
        return f"{latest.name}/{files[-1]}"

    def _lines(self, file: str, columns: tuple[str, ...]) -> Iterator[tuple[int, list[str]]]:
        """Yields (line number, values of ``columns`` without blanks around); lines that can't be cut are faults."""
        path = self.folder / file
        try:
            if path.stat().st_size > MAX_FILE_BYTES:
                raise SourceRefused(f"Le fichier {file} est trop gros ({MAX_FILE_BYTES // 2**20} Mo au plus).")
            content = path.read_bytes()
        except OSError as error:
            raise SourceRefused(f"Il manque le fichier {file}, ou il ne peut pas être lu.") from error
        lines = content.decode("utf-8-sig", errors="surrogateescape").split("\n")
        try:
            header = [name.strip() for name in _cut(lines[0])]
        except BadLine as error:
            raise SourceRefused(f"L’en-tête du fichier {file} est illisible : {error}.") from error
        missing = [name for name in columns if name not in header]
        if missing:
            names = ", ".join(f"« {name} »" for name in missing)
            raise SourceRefused(
                f"Dans le fichier {file}, il manque {_count(len(missing), 'la colonne', 'les colonnes')} {names}."
            )
        places = [header.index(name) for name in columns]
        read = used = 0
        for number, line in enumerate(lines[1:], start=2):
            if not line.strip():
                continue
            read += 1
            try:
                values = _cut(line)
                if len(values) != len(header):
                    raise BadLine(f"{len(values)} valeurs au lieu de {len(header)}")
            except BadLine as error:
                self._fault(file, number, error)
                continue
            used += 1
            yield number, [values[place].strip() for place in places]
        self.found.read_lines[file] = read
        if not used:
            raise SourceRefused(f"Le fichier {file} ne contient aucune ligne lisible.")

    def _fault(self, file: str, line: int, reason: object) -> None:
        self.found.faults.append(Fault(file=file, line=line, reason=str(reason)))

    def _table(self, file: str, columns: tuple[str, ...], row: Callable[..., tuple], *, key: int = 1) -> list[tuple]:
        """The rows that ``row(*values)`` makes of the lines; the ``key`` first values of a row are not repeated."""
        rows: dict[tuple, tuple] = {}
        for number, values in self._lines(file, columns):
            try:
                made = row(*values)
                if made[:key] in rows:
                    raise BadLine(f"« {' '.join(map(str, made[:key]))} » figure déjà plus haut")
            except BadLine as error:
                self._fault(file, number, error)
            else:
                rows[made[:key]] = made
        if not rows:
            raise SourceRefused(f"Le fichier {file} ne contient aucune ligne utilisable.")
        return list(rows.values())

    # Places

    def _places(self) -> None:
        found = self.found
        found.regions = self._table("geo/regions.csv", ("code", "nom"), lambda c, n: (_code(c, 2, 3), _label(n, 100)))
        regions = {row[0] for row in found.regions}

        def departement(code: str, name: str, region: str) -> tuple:
            return _code(code, 2, 3), _label(name, 100), _known(region, regions, "la région") if region else None

        found.departements = self._table("geo/departements.csv", ("code", "nom", "region"), departement)
        departements = {row[0] for row in found.departements}

        def commune(code, name, kind, parent, postcodes, departement, population, latitude, longitude, zone) -> tuple:
            if kind not in {"commune-actuelle", "arrondissement-municipal"}:
                raise BadLine(f"le type « {kind} » n’est pas connu")
            if len(zone) > 5:
                raise BadLine(f"la zone d’emploi « {zone} » est trop longue")
            point = _point(latitude, longitude)
            return (
                _code(code, 5, 5),
                _label(name, 100),
                place_key(name)[:120],
                sorted({_code(postcode, 5, 5) for postcode in postcodes.split("|") if postcode}),
                _known(departement, departements, "le département"),
                _number(population, "la population", at_most=100_000_000) if population else 0,
                *point,
                zone,
                parent or None,
            )

        file = "geo/communes.csv"
        rows = self._table(
            file,
            (
                "code_insee", "nom", "type", "commune_parente", "codes_postaux", "departement", "population",
                "latitude", "longitude", "zone_emploi",
            ),
            commune,
        )  # fmt: skip
        codes = {row[0] for row in rows}
        found.communes = [row for row in rows if row[-1] is None or row[-1] in codes]
        if len(found.communes) < len(rows):
            orphans = {row[0]: row[-1] for row in rows if row[-1] is not None and row[-1] not in codes}
            for number, (code,) in self._lines(file, ("code_insee",)):
                if code in orphans:
                    self._fault(file, number, f"la commune parente « {orphans[code]} » n’existe pas dans cette source")
        communes = {row[0] for row in found.communes}

        def former_commune(code: str, name: str, commune: str) -> tuple:
            return (
                _code(code, 5, 5), _label(name, 100), place_key(name)[:120], _known(commune, communes, "la commune"),
            )  # fmt: skip

        found.former_communes = self._table(
            "geo/anciennes_communes.csv", ("code_insee", "nom", "chef_lieu"), former_commune
        )

    # Activities and operators

    def _activities(self) -> None:
        self.found.nafs = self._table("naf/naf_rev2_732.csv", ("code", "label"), lambda c, n: (_naf(c), _label(n, 200)))
        nafs = {row[0] for row in self.found.nafs}

        def hiring(naf: str, rome: str, hirings: str) -> tuple:
            counted = _number(hirings, "le nombre d’embauches", at_most=100_000_000)
            return _known(naf, nafs, "l’activité"), _rome_code(rome), counted

        rows = self._table("naf/rome3_naf_hirings_raw.csv", ("naf_id", "rome_id", "hirings"), hiring, key=2)
        self.found.hirings = {(naf, rome): counted for naf, rome, counted in rows}

    def _operators(self) -> None:
        def opco(code: str, api_label: str) -> tuple:
            # The service writes "AKTO / Opco entreprises…" and "Uniformation, l'Opco…": people say the first words.
            name = re.split(r" / |, ", api_label)[0]
            return _slug(code), _label(name, 150), _label(api_label, 150)

        rows = self._table("opco/opco.csv", ("code", "api_label"), opco)
        self.found.opcos = [row for row in rows if row[0] not in NOT_AN_OPCO]
        opcos = {api_label: code for code, _, api_label in self.found.opcos}

        def idcc(code: str, label: str, opco: str) -> tuple:
            if not re.fullmatch(r"[0-9]{4}", code):
                raise BadLine(f"« {code} » n’est pas un numéro de convention collective (IDCC)")
            return code, _label(label, 2000), opcos[_known(opco, opcos, "l’OPCO")]

        self.found.idccs = self._table("opco/idcc_opco.csv", ("idcc", "libelle_convention", "opco_api_label"), idcc)

    # Jobs

    def _jobs(self) -> None:
        found = self.found
        domains = {
            row[0]: row[1:]
            for row in self._table(
                self._rome("unix_cr_gd_dp"),
                ("code_rome", "libelle_grand_domaine", "code_domaine_professionel", "libelle_domaine_professionel"),
                lambda rome, large, code, label: (
                    _rome_code(rome), _code(code, 3, 3), _label(label, 250), _label(large, 250),
                ),
            )
        }  # fmt: skip
        texts = self._texts()

        def rome(code: str, label: str, parent: str) -> tuple:
            if code not in domains:
                raise BadLine(f"le métier « {code} » n’a pas de domaine")
            return (
                _rome_code(code), _label(label, 250), _rome_code(parent) if parent else "", *domains[code],
                texts[code, "definition"], texts[code, "acces_metier"],
            )  # fmt: skip

        found.romes = self._table(
            self._rome("unix_referentiel_code_rome"), ("code_rome", "libelle_rome", "code_rome_parent"), rome
        )
        romes = {row[0] for row in found.romes}

        def appellation(ogr, rome, label, short_label, classification, rare) -> tuple:
            label = _label(label, 250)
            return (
                _ogr(ogr), _known(rome, romes, "le métier"), label, _label(short_label or label, 250),
                search_key(label)[:300], *(key[:300] for key in title_keys(label)),
                rare == "O", classification == "PRINCIPALE",
            )  # fmt: skip

        found.appellations = self._table(
            self._rome("unix_referentiel_appellation"),
            (
                "code_ogr", "code_rome", "libelle_appellation_long", "libelle_appellation_court", "classification",
                "peu_usite",
            ),
            appellation,
        )  # fmt: skip

        labels = self._item_labels()

        def item(rome: str, ogr: str, core: str) -> tuple:
            number = _ogr(ogr)
            if number not in labels:
                raise BadLine(f"l’élément « {ogr} » n’a pas de libellé")
            kind, label, category = labels[number]
            return _known(rome, romes, "le métier"), kind, number, label, category, bool(core)

        found.items = self._table(
            self._rome("unix_coherence_item"), ("code_rome", "code_ogr", "coeur_metier"), item, key=3
        )

        def mobility(rome: str, target: str, position: str) -> tuple:
            return (
                _known(rome, romes, "le métier"), _known(target, romes, "le métier"),
                _number(position, "le rang", at_most=1000),
            )  # fmt: skip

        found.mobilities = self._table(
            self._rome("unix_rubrique_mobilite"), ("code_rome", "code_rome_cible", "numero_ordre"), mobility, key=2
        )
        divisions = self._table(
            self._rome("rome_naf_division"),
            ("code_rome", "code_secteur_naf"),
            lambda rome, division: (_known(rome, romes, "le métier"), _division(division)),
            key=2,
        )
        found.rome_divisions = set(divisions)

    def _texts(self) -> dict[tuple[str, str], str]:
        """{(ROME code, kind of text): its sentences in order, one a line}."""
        rows = self._table(
            self._rome("unix_texte"),
            ("code_rome", "libelle_type_texte", "position_phrase", "libelle_texte"),
            # The producer's export doubles the apostrophes.
            lambda rome, kind, position, text: (
                _rome_code(rome), kind, _number(position, "la position", at_most=1000),
                _label(text.replace("''", "'"), 5000),
            ),
            key=3,
        )  # fmt: skip
        sentences: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        for rome, kind, _, text in sorted(rows):
            sentences[rome, kind].append(text)
        texts: defaultdict[tuple[str, str], str] = defaultdict(str)
        texts.update({key: "\n".join(parts) for key, parts in sentences.items()})
        return texts

    def _item_labels(self) -> dict[int, tuple[str, str, str]]:
        """{OGR code: (kind, label, category)} of the skills, the knowledge and the work contexts."""

        def reader(kind: RomeItemKind) -> Callable[..., tuple]:
            return lambda ogr, label, category: (
                _ogr(ogr), kind.value, _label(label, LONGEST_LABEL), category[:200],
            )  # fmt: skip

        rows = [
            *self._table(
                self._rome("unix_referentiel_competence"),
                ("code_ogr", "libelle_competence", "sous_cat_comp"),
                reader(RomeItemKind.SKILL),
            ),
            *self._table(
                self._rome("unix_referentiel_savoir"),
                ("code_ogr_savoir", "libelle_savoir", "categorie_savoir"),
                reader(RomeItemKind.KNOWLEDGE),
            ),
            *self._table(
                self._rome("unix_referentiel_contexte_travail"),
                ("code_ogr", "libelle_cont_travail", "libelle_type_cont_trav"),
                reader(RomeItemKind.CONTEXT),
            ),
        ]
        return {ogr: (kind, label, category) for ogr, kind, label, category in rows}


def _cut(line: str) -> list[str]:
    """The values of one line. ``BadLine`` when its quotes do not close or its characters are not a text in UTF-8."""
    # A label of the NAF file lost half of its typographic apostrophe to an old conversion.
    line = line.removesuffix("\r").replace("\x19", "'")
    if _CONTROL.search(line):
        raise BadLine("des caractères ne sont pas du texte en UTF-8")
    try:
        return next(csv.reader([line], strict=True), [])
    except csv.Error as error:
        raise BadLine("un guillemet n’est pas fermé, ou la ligne est coupée") from error


def _count(number: int, one: str, many: str) -> str:
    return one if number < 2 else many


def _known(code: str, codes, name: str) -> str:
    if code not in codes:
        raise BadLine(f"{name} « {code[:40]} » n’existe pas dans cette source")
    return code


def _code(text: str, shortest: int, longest: int) -> str:
    if not (shortest <= len(text) <= longest and text.isascii() and text.isalnum() and text == text.upper()):
        raise BadLine(f"« {text[:40]} » n’est pas un code attendu")
    return text


def _slug(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,30}", text):
        raise BadLine(f"« {text[:40]} » n’est pas un code attendu")
    return text


def _naf(text: str) -> str:
    if not re.fullmatch(r"[0-9]{4}[A-Z]", text):
        raise BadLine(f"« {text[:40]} » n’est pas un code NAF (quatre chiffres et une lettre)")
    return text


def _rome_code(text: str) -> str:
    if not re.fullmatch(r"[A-Z][0-9]{4}", text):
        raise BadLine(f"« {text[:40]} » n’est pas un code ROME (une lettre et quatre chiffres)")
    return text


def _division(text: str) -> str:
    if not re.fullmatch(r"[0-9]{1,2}", text):
        raise BadLine(f"« {text[:40]} » n’est pas une division de la NAF")
    return text.zfill(2)


def _ogr(text: str) -> int:
    return _number(text, "le code OGR", at_most=2_147_483_647)


def _number(text: str, name: str, *, at_most: int) -> int:
    if not re.fullmatch(r"[0-9]{1,10}", text) or int(text) > at_most:
        raise BadLine(f"{name} « {text[:40]} » n’est pas un nombre attendu")
    return int(text)


def _label(text: str, longest: int) -> str:
    if not text:
        raise BadLine("le libellé est vide")
    if len(text) > longest:
        raise BadLine(f"le libellé a {len(text)} caractères ({longest} au plus)")
    return text


def _point(latitude: str, longitude: str) -> tuple[float | None, float | None]:
    if not latitude and not longitude:
        return None, None
    try:
        north, east = float(latitude), float(longitude)
    except ValueError:
        north = east = float("nan")
    if not (-90 <= north <= 90 and -180 <= east <= 180):
        raise BadLine(f"« {latitude[:20]}, {longitude[:20]} » n’est pas un point de la Terre")
    return north, east
