"""One file on one page: all that one needs to decide, nothing to look up elsewhere."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.timezone import localdate
from django.views.decorators.http import require_POST, require_safe

from companies.models import Establishment, spaced_siret
from labonnealternance.kit import readings
from labonnealternance.kit.contacts import shown_phone
from labonnealternance.kit.text import french_date
from offers.actions.sheets import OfferSheet, place_of, sheet_of_offer
from offers.enums import AccessStatus
from offers.models import Access
from opco.actions import cases, queue
from opco.actions.comparisons import comparison_of
from opco.actions.decisions import version_of
from opco.actions.desks import Desk, NotInYourOpco, files_of
from opco.actions.queue import FACTS
from opco.enums import DecisionKind
from opco.forms import NoteForm, ReasonForm
from opco.models import KINDS, Answer
from opco.views.desk import (
    REFUSALS,
    at_desk,
    back_to_case,
    case_address,
    frame,
    narrowing,
    with_query,
)
from opco.views.words import case_of, held_of, history, standing_of, taking_of, verdicts_of

MOST_OFFERS = 10
MOST_OTHERS = 20
MOST_LINES = 100


def file_of(desk: Desk, access_id: int) -> Access:
    """A file with what its page reads. Raises ``NotInYourOpco``."""
    rows = queue.with_facts(files_of(desk)).select_related(*FACTS, "establishment__naf", "establishment__idcc")
    access = rows.filter(pk=access_id).first()
    if access is None:
        raise NotInYourOpco
    return access


@dataclass(frozen=True)
class Other:
    """Another file of the same establishment, or company."""

    address: str
    name: str
    siret: str
    place: str
    person: str
    email: str
    standing: str


def _others(access: Access, desk: Desk, *, siren: bool, kept: dict[str, str], at: datetime) -> list[Other]:
    """Other files on the SIRET; or on the SIREN's other establishments, those of the desk's OPCO."""
    rows = queue.with_facts(files_of(desk)).exclude(pk=access.pk)
    if siren:
        rows = rows.filter(establishment__siren=access.establishment.siren).exclude(establishment=access.establishment)
    else:
        rows = rows.filter(establishment=access.establishment)
    return [
        Other(
            address=case_address(each.pk, kept),
            name=each.establishment.display_name,
            siret=spaced_siret(each.establishment.siret),
            place=place_of(each.establishment),
            person=each.user.get_full_name(),
            email=each.user.email,
            standing=standing_of(each, at=at).label,
        )
        for each in rows.order_by("-confirmed_at", "-pk")[:MOST_OTHERS]
    ]


@dataclass(frozen=True)
class Offered:
    sheet: OfferSheet
    state: str
    questions: list[str]


def _offers(access: Access, *, at: datetime) -> list[Offered]:
    """The latest offers, as candidates read them. The establishment is the file's own: it is not asked again."""
    found = []
    for offer in access.offers.select_related("rome").order_by("-created_at", "-pk")[:MOST_OFFERS]:
        offer.establishment = access.establishment
        found.append(Offered(sheet_of_offer(offer=offer, at=at), offer.get_status_display(), offer.questions))
    return found


@dataclass(frozen=True)
class Fact:
    label: str
    value: str


def _exchange(access: Access, answers: list[Answer]) -> list[Answer]:
    """What came back since the last question, oldest first, where it waits for an advisor: it is read first."""
    row = case_of(access)
    if not (row and row.answered_at and answers):
        return []
    question = answers[0].question
    return [answer for answer in reversed(answers) if answer.question_id == question.pk]


def _legal(establishment: Establishment) -> list[Fact]:
    """What the register says; a line that is not known is left out."""
    commune = establishment.commune.name if establishment.commune else ""
    lines = [establishment.address_complement, establishment.address, f"{establishment.postcode} {commune}".strip()]
    facts = {
        "Nom": establishment.display_name,
        "Raison sociale": establishment.legal_name,
        "SIRET": spaced_siret(establishment.siret),
        "SIREN": spaced_siret(establishment.siret)[:11],
        "Adresse": ", ".join(line for line in lines if line),
        "Activité": str(establishment.naf) if establishment.naf else "",
        "Convention collective": f"{establishment.idcc_id} – {establishment.idcc.label}" if establishment.idcc else "",
        "Effectif": establishment.get_headcount_band_display(),
        "Création": french_date(establishment.created_on) if establishment.created_on else "",
        "Siège": "oui" if establishment.is_headquarters else "non",
        "OPCO": f"{establishment.opco or 'inconnu'}{' (certifié)' if establishment.opco_is_certified else ''}",
    }
    return [Fact(label, value) for label, value in facts.items() if value]


def _warnings(access: Access, *, at: datetime) -> list[str]:
    establishment = access.establishment
    told = []
    if establishment.closed_on and establishment.closed_on <= localdate(at):
        told.append(f"Établissement fermé depuis le {french_date(establishment.closed_on)}, selon le registre.")
    if establishment.refusal:
        told.append(f"Le registre ne permet pas d’offre ici : {establishment.get_refusal_display().lower()}.")
    if not establishment.is_diffusible:
        told.append("L’entreprise s’oppose à la diffusion de ses données : aucune offre ne paraîtra.")
    if establishment.to_verify_since:
        told.append("Le registre n’a pas encore répondu sur cet établissement : ses données manquent.")
    if not access.user.is_active:
        told.append("Le compte de cette personne est fermé.")
    return told


def _in_the_back_office(access: Access) -> list[tuple[str, str]]:
    """The pages that support alone has."""
    establishment = access.establishment
    return [
        ("Cet accès dans le back-office", reverse("admin:offers_access_change", args=[access.pk])),
        ("L’établissement", reverse("admin:companies_establishment_change", args=[establishment.pk])),
        ("La personne", reverse("admin:accounts_user_change", args=[access.user_id])),
    ]


def _registers(establishment: Establishment) -> list[tuple[str, str]]:
    """The public registers' pages about the establishment; their addresses come from the settings."""
    names = {"siret": establishment.siret, "siren": establishment.siren}
    return [(label, address.format(**names)) for label, address in settings.PUBLIC_REGISTERS]


@require_safe
@at_desk
def case(request: HttpRequest, desk: Desk, *, access_id: int) -> HttpResponse:
    """The file, and what may be decided of it."""
    at = timezone.now()
    access = file_of(desk, access_id)
    if desk.is_support:
        readings.note(
            by=desk.user, at=at, screen="Dossier de la file OPCO", model="offers.access", object_key=access.pk
        )
    return render(request, "opco/case.html", case_context(request, desk, access, at=at))


def case_context(
    request: HttpRequest, desk: Desk, access: Access, *, at: datetime, note_form: NoteForm | None = None
) -> dict[str, Any]:
    establishment = access.establishment
    kept = narrowing(request, desk).kept
    moves = access.journal.select_related("by").order_by("-at", "-pk")[:MOST_LINES]
    decisions = access.decisions.select_related("made_by", "settled_by", "to_opco").order_by("-made_at", "-pk")
    answers = list(
        Answer.objects.filter(question__access=access).select_related("question").order_by("-at", "-pk")[:MOST_LINES]
    )
    notes = access.notes.select_related("by").order_by("-at", "-pk")[:MOST_LINES]
    assignments = establishment.opco_journal.select_related("opco", "by").order_by("-at", "-pk")[:MOST_LINES]
    others_on_siret = _others(access, desk, siren=False, kept=kept, at=at)
    return {
        **frame(desk, section="case", at=at, kept=kept),
        **actions_context(request, desk, access, at=at),
        "exchange": _exchange(access, answers),
        "legal": _legal(establishment),
        "warnings": _warnings(access, at=at),
        "registers": _registers(establishment),
        "back_office": _in_the_back_office(access) if desk.is_support else [],
        "phone": shown_phone(access.user.phone),
        "asked_on": french_date(localdate(access.asked_at)),
        "verdicts": verdicts_of(comparison_of(access=access, desk=desk)),
        "offers": _offers(access, at=at),
        "others_on_siret": others_on_siret,
        "others_on_siren": _others(access, desk, siren=True, kept=kept, at=at),
        "history": history(
            access,
            moves=moves,
            decisions=decisions[:MOST_LINES],
            notes=notes,
            answers=answers,
            assignments=assignments,
        ),
        "note_form": note_form or NoteForm(),
    }


def actions_context(request: HttpRequest, desk: Desk, access: Access, *, at: datetime) -> dict[str, Any]:
    """The head of the file, and the buttons that its state allows: on its page, and on those of its decisions."""
    kept = narrowing(request, desk).kept
    held, row = held_of(access), case_of(access)
    taken = taking_of(access, desk=desk, at=at)
    is_mine = bool(taken) and row is not None and row.taken_by_id == desk.user.pk
    kinds = set() if held or (taken and not is_mine) or access.user_id == desk.user.pk else KINDS[
        AccessStatus(access.status)
    ]  # fmt: skip

    version = version_of(access)

    def address(name: str) -> str:
        # The pages of a decision say what was seen before they were asked for.
        query = {**kept, "seen": version} if name in {"pass_on", "ask"} else kept
        return with_query(reverse(f"opco:{name}", args=[access.pk]), query)

    return {
        "access": access,
        "establishment": access.establishment,
        "place": place_of(access.establishment),
        "siret": spaced_siret(access.establishment.siret),
        "standing": standing_of(access, at=at),
        "held": held,
        "seen": version,
        "may_certify": DecisionKind.CERTIFY in kinds,
        "may_refuse": DecisionKind.REFUSE in kinds,
        "may_pass_on": DecisionKind.PASS_ON in kinds,
        "may_ask": DecisionKind.ASK in kinds,
        "may_take": access.status == AccessStatus.AWAITING and not held and not taken,
        "taken": taken,
        "is_mine": is_mine,
        "taken_by_id": row.taken_by_id if row and taken else None,
        "is_own_request": access.user_id == desk.user.pk,
        "reason_form": ReasonForm(),
        "addresses": {name: address(name) for name in (
            "case", "certify", "refuse", "pass_on", "ask", "take", "release", "note",
        )},
        "kept": kept,
        "asked_from": {**kept, "seen": version},
        "list_address": with_query(reverse("opco:queue"), kept),
        "skip_address": with_query(reverse("opco:next"), {**kept, "apres": str(access.pk)}),
    }  # fmt: skip


@require_POST
@at_desk
def take(request: HttpRequest, desk: Desk, *, access_id: int) -> HttpResponse:
    """The file is mine for two hours; where a colleague was on it, the page that showed them says so."""
    shown = request.POST.get("instead_of", "")
    instead_of = int(shown) if shown.isdecimal() and len(shown) < 19 else None
    try:
        cases.take(desk=desk, access_id=access_id, at=timezone.now(), instead_of=instead_of)
    except REFUSALS as refusal:
        messages.error(request, str(refusal))
    return back_to_case(request, desk, access_id)


@require_POST
@at_desk
def release(request: HttpRequest, desk: Desk, *, access_id: int) -> HttpResponse:
    """The file is everybody's again."""
    try:
        cases.release(desk=desk, access_id=access_id, at=timezone.now())
    except REFUSALS as refusal:
        messages.error(request, str(refusal))
    return back_to_case(request, desk, access_id)


@require_POST
@at_desk
def note(request: HttpRequest, desk: Desk, *, access_id: int) -> HttpResponse:
    """Something for colleagues."""
    at = timezone.now()
    if not files_of(desk).filter(pk=access_id).exists():
        raise NotInYourOpco
    form = NoteForm(request.POST)
    if not form.is_valid():
        access = file_of(desk, access_id)
        return render(request, "opco/case.html", case_context(request, desk, access, at=at, note_form=form))
    try:
        cases.note(desk=desk, access_id=access_id, at=at, **form.cleaned_data)
    except cases.UsedKey as refusal:
        form.add_error("key", str(refusal))
        context = case_context(request, desk, file_of(desk, access_id), at=at, note_form=form)
        return render(request, "opco/case.html", context)
    return redirect(f"{case_address(access_id, narrowing(request, desk).kept)}#notes")
