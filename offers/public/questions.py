"""What a candidate asks, read from the address of the page: whatever it holds, a question or a clear sentence."""

import datetime
import math
import re
from collections.abc import Container
from dataclasses import dataclass, field
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse

from companies.actions import references
from companies.models import Commune, Rome
from labonnealternance.kit.text import clean_line
from offers import search
from offers.enums import ContractType, Level
from offers.search import RADII_KM, Kind, Sort
from offers.sources.limits import LONGEST_TOTAL

DEFAULT_RADIUS_KM = 30
MAX_TEXT = 200
MAX_ROME_CODES = 20
PER_PAGE = 20
# One page more than there can be: an address may ask for it, and is told that it does not exist.
MAX_PAGE = LONGEST_TOTAL // PER_PAGE + 1
MAX_ALTERNATIVES = 5

_ROME_CODE = re.compile(r"[A-Z][0-9]{4}")
_COMMUNE_CODE = re.compile(r"[0-9][0-9AB][0-9]{3}")


@dataclass(frozen=True)
class Alternative:
    """Another reading of what was typed; ``query`` is the text after ``?`` that asks for it."""

    label: str
    query: str


@dataclass
class Question:
    """A question as far as it was understood. Texts are as typed, ``…_label`` as understood; points in degrees."""

    job_text: str = ""
    job_label: str = ""
    rome_codes: tuple[str, ...] = ()
    job_error: str = ""
    job_alternatives: list[Alternative] = field(default_factory=list)
    place_text: str = ""
    place_label: str = ""
    place_code: str = ""
    latitude: float | None = None
    longitude: float | None = None
    place_error: str = ""
    place_alternatives: list[Alternative] = field(default_factory=list)
    radius_km: int = DEFAULT_RADIUS_KM
    sort: Sort = "relevance"
    kind: str = ""
    level: str = ""
    contract: str = ""
    starts: str = ""
    page: int = 1
    notices: list[str] = field(default_factory=list)

    @property
    def is_complete(self) -> bool:
        """Whether a search can run."""
        return bool(self.rome_codes) and self.latitude is not None

    @property
    def is_filtered(self) -> bool:
        """Whether a filter narrows the answer."""
        return bool(self.kind or self.level or self.contract or self.starts)

    @property
    def filters(self) -> list[Alternative]:
        """The filters that narrow the answer, in words, each with the question that leaves it out."""
        chosen = {
            "genre": KINDS[self.kind][0] if self.kind else "",
            "niveau": LEVELS.get(self.level, ""),
            "contrat": CONTRACTS[self.contract].label if self.contract else "",
            "debut": f"Début\u00a0: {STARTS[self.starts][0].lower()}" if self.starts else "",
        }
        return [Alternative(label, self.query(**{name: ""})) for name, label in chosen.items() if label]

    @property
    def is_a_point(self) -> bool:
        """Whether the place is a point of the map, and no commune."""
        return self.latitude is not None and not self.place_code

    def query(self, **changes: str | int) -> str:
        """This question as the text after ``?``; ``changes`` replace parameters, an empty value leaves one out."""
        parameters: dict[str, str | int] = {
            "metier": self.job_label or self.job_text,
            "romes": ",".join(self.rome_codes),
            "lieu": self.place_label or self.place_text,
            "code": self.place_code,
            "rayon": self.radius_km,
            "tri": SORTS[self.sort],
            "genre": self.kind,
            "niveau": self.level,
            "contrat": self.contract,
            "debut": self.starts,
        }
        if self.is_a_point:
            parameters["lieu"] = self.place_text
            parameters |= {"lat": f"{self.latitude:.5f}", "lon": f"{self.longitude:.5f}"}
        parameters |= changes
        return urlencode({name: value for name, value in parameters.items() if value != ""})


# What an address says ↔ what is asked, and the words of the form; an empty value asks nothing.
SORTS: dict[Sort, str] = {"relevance": "", "distance": "distance", "date": "date"}
KINDS = {"offres": ("Offres d’emploi", Kind.OFFERS), "entreprises": ("Entreprises à contacter", Kind.ESTABLISHMENTS)}
LEVELS = {level.value: level.label for level in Level}
CONTRACTS = {"apprentissage": ContractType.APPRENTICESHIP, "professionnalisation": ContractType.PROFESSIONALISATION}
# Months from today in which the contract starts: first and last.
STARTS = {
    "1": ("D’ici un mois", (0, 1)),
    "3": ("D’ici trois mois", (0, 3)),
    "6": ("D’ici six mois", (0, 6)),
    "apres": ("Dans plus de six mois", (6, None)),
}


def address_around(*, rome: Rome, commune: Commune | None) -> str:
    """The address of a search for a job around a commune; the search's form where the place is unknown."""
    if commune is None or commune.latitude is None:
        return reverse("offers:search")
    question = Question(job_label=rome.label, rome_codes=(rome.pk,), place_label=str(commune), place_code=commune.pk)
    return f"{reverse('offers:search')}?{question.query()}"


def asked_of_the_market(question: Question, *, today: datetime.date) -> search.Question:
    """The same question, as the search is asked it; it must be complete."""
    assert question.latitude is not None
    assert question.longitude is not None
    first, last = STARTS[question.starts][1] if question.starts else (None, None)
    return search.Question(
        rome_codes=question.rome_codes,
        latitude=question.latitude,
        longitude=question.longitude,
        radius_km=question.radius_km,
        page=question.page,
        per_page=PER_PAGE,
        sort=question.sort,
        kinds=frozenset([KINDS[question.kind][1]]) if question.kind else search.BOTH,
        filters=search.Filters(
            level=question.level,
            contract=CONTRACTS[question.contract] if question.contract else "",
            # From now on: an offer that should have started already asks for someone at once.
            starts_from=_months_after(today, first) + datetime.timedelta(days=1) if first else None,
            starts_until=_months_after(today, last) if last else None,
        ),
    )


def _months_after(day: datetime.date, months: int) -> datetime.date:
    """The same day ``months`` later, or the last one of a month that is shorter."""
    year, month = divmod(day.month - 1 + months, 12)
    for shorter in range(4):
        try:
            return day.replace(year=day.year + year, month=month + 1, day=day.day - shorter)
        except ValueError:
            continue
    raise AssertionError("no month is shorter than 28 days")


def is_asked(parameters: QueryDict) -> bool:
    """Whether an address asks anything: a bare one, or one that only says where it comes from, gets the form."""
    return any(name in parameters for name in ("metier", "romes", "lieu", "code", "lat", "lon"))


def read(parameters: QueryDict) -> Question:
    """Reads ``metier`` or ``romes``, ``lieu`` or ``code`` or ``lat`` and ``lon``, ``rayon``, ``tri``, ``page``, and the
    filters ``genre``, ``niveau``, ``contrat`` and ``debut``: one that is not known is left out.

    Two queries when the page itself wrote the address; a few more when a text is to be guessed.
    """
    sorts = {text: sort for sort, text in SORTS.items()}

    def chosen(name: str, among: Container[str]) -> str:
        value = parameters.get(name, "")
        return value if value in among else ""

    question = Question(
        sort=sorts.get(parameters.get("tri", ""), "relevance"),
        kind=chosen("genre", KINDS),
        level=chosen("niveau", LEVELS),
        contract=chosen("contrat", CONTRACTS),
        starts=chosen("debut", STARTS),
    )
    _read_radius(question, parameters.get("rayon", ""))
    _read_page(question, parameters.get("page", ""))
    jobs = _read_job(question, parameters)
    places = _read_place(question, parameters)
    # Only now is the other half of each alternative's address known.
    question.job_alternatives = [
        Alternative(job.label, question.query(metier=job.label, romes=",".join(job.rome_codes))) for job in jobs
    ]
    question.place_alternatives = [
        Alternative(place.label, question.query(lieu=place.label, code=place.code, lat="", lon="")) for place in places
    ]
    return question


def _read_radius(question: Question, text: str) -> None:
    if not text:
        return
    try:
        asked = float(text.replace(",", "."))
    except ValueError:
        asked = math.nan
    if not math.isfinite(asked):
        question.notices.append(
            f"La distance demandée n’est pas un nombre\u00a0: nous avons pris {DEFAULT_RADIUS_KM} km."
        )
        return
    question.radius_km = min(RADII_KM, key=lambda radius: abs(radius - asked))
    if question.radius_km != asked:
        question.notices.append(f"Cette distance n’est pas proposée\u00a0: nous avons pris {question.radius_km} km.")


def _read_page(question: Question, text: str) -> None:
    if not text:
        return
    if text.isascii() and text.isdigit() and text.strip("0"):
        question.page = min(int(text[:20]), MAX_PAGE)
    else:
        question.notices.append("Cette page de résultats n’existe pas\u00a0: voici la première.")


def _read_job(question: Question, parameters: QueryDict) -> list[references.JobSuggestion]:
    """Fills the job; returns what else the text may mean."""
    question.job_text = clean_line(parameters.get("metier", ""))
    if len(question.job_text) > MAX_TEXT:
        question.job_text = question.job_text[:MAX_TEXT]
        question.job_error = f"Le métier est trop long\u00a0: {MAX_TEXT} caractères au plus."
        return []
    codes = [code.strip().upper() for text in parameters.getlist("romes") for code in text[:1000].split(",")]
    codes = list(dict.fromkeys(code for code in codes if _ROME_CODE.fullmatch(code)))[:MAX_ROME_CODES]
    if codes:
        known = dict(Rome.objects.filter(code__in=codes).values_list("code", "label"))
        question.rome_codes = tuple(code for code in codes if code in known)
        question.job_label = question.job_text or ", ".join(known[code] for code in question.rome_codes[:3])
        question.job_text = question.job_label
        if question.rome_codes:
            return []
    if not question.job_text:
        question.job_error = "Indiquez un métier."
        return []
    job = references.find_job(text=question.job_text)
    if job is None:
        question.job_error = "Nous ne connaissons pas ce métier. Essayez un nom plus courant ou plus court."
        return []
    question.job_label, question.rome_codes = job.label, tuple(job.rome_codes[:MAX_ROME_CODES])
    return [] if job.is_exact else job.alternatives[:MAX_ALTERNATIVES]


def _read_place(question: Question, parameters: QueryDict) -> list[references.PlaceSuggestion]:
    """Fills the place; returns what else the text may mean."""
    question.place_text = clean_line(parameters.get("lieu", ""))
    if len(question.place_text) > MAX_TEXT:
        question.place_text = question.place_text[:MAX_TEXT]
        question.place_error = f"Le lieu est trop long\u00a0: {MAX_TEXT} caractères au plus."
        return []
    code = parameters.get("code", "").strip().upper()
    if _COMMUNE_CODE.fullmatch(code):
        commune = Commune.objects.filter(pk=code, latitude__isnull=False).first()
        if commune:
            question.place_code = commune.pk
            question.latitude, question.longitude = commune.latitude, commune.longitude
            question.place_label = question.place_text = question.place_text or str(commune)
            return []
    place = references.find_place(text=question.place_text) if question.place_text else None
    if place is None and _read_point(question, parameters):
        question.place_label = question.place_text or "la position choisie"
        return []
    if not question.place_text:
        question.place_error = "Indiquez une commune ou un code postal."
        return []
    if place is None or place.latitude is None:
        question.place_error = "Nous ne connaissons pas ce lieu. Indiquez une commune ou un code postal de France."
        return place.alternatives[:MAX_ALTERNATIVES] if place else []
    question.place_label, question.place_code = place.label, place.code
    question.latitude, question.longitude = place.latitude, place.longitude
    return [] if place.is_exact else place.alternatives[:MAX_ALTERNATIVES]


def _read_point(question: Question, parameters: QueryDict) -> bool:
    try:
        latitude, longitude = float(parameters.get("lat", "")), float(parameters.get("lon", ""))
    except ValueError:
        return False
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        return False
    question.latitude, question.longitude = latitude, longitude
    return True
