"""What an advisor reads of a file: how it stands, what its address proves, what happened to it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from companies.models import OpcoAssignment, spaced_siret
from labonnealternance.kit.text import french_moment, french_time, uncapitalised
from offers.enums import AccessStatus
from offers.models import Access, AccessMove
from opco.actions.comparisons import Comparison, Match
from opco.actions.desks import Desk
from opco.actions.words import moment, name_of
from opco.enums import DecisionKind, DecisionStatus
from opco.models import Answer, Case, Decision, Note


@dataclass(frozen=True)
class Standing:
    """A badge (``tone`` is DSFR's, empty for grey)."""

    label: str
    tone: str


_DECIDED = {
    DecisionKind.CERTIFY: "success",
    DecisionKind.REFUSE: "error",
    DecisionKind.PASS_ON: "info",
    DecisionKind.ASK: "info",
}


def case_of(access: Access) -> Case | None:
    """The queue's own row about ``access``, which came with it; without one nobody took it."""
    return getattr(access, "case", None)


def held_of(access: Access) -> Decision | None:
    """The decision that is held about ``access``, which came from ``queue.files``; its row has no name without one."""
    return getattr(access, "held", None)


def standing_of(access: Access, *, at: datetime) -> Standing:
    """How a file stands at ``at``; it came with ``held`` and its case."""
    held = held_of(access)
    if held:
        who = f"{held.get_kind_display()} par {name_of(held.made_by)} {moment(held.made_at, now=at)}"
        return Standing(who, _DECIDED[DecisionKind(held.kind)])
    if access.status == AccessStatus.GRANTED:
        return Standing("Certifié", "success")
    if access.status == AccessStatus.DENIED:
        return Standing("Refusé", "error")
    case = case_of(access)
    if case and case.asked_at:
        return Standing("En attente d’une réponse", "info")
    if case and case.answered_at:
        return Standing("Réponse reçue", "new")
    return Standing("À traiter", "warning")


def taking_of(access: Access, *, desk: Desk, at: datetime) -> str:
    """Who is on the file, as a sentence; empty for nobody."""
    case = case_of(access)
    if case is None or not case.is_taken(at):
        return ""
    assert case.taken_at
    who = "vous" if case.taken_by_id == desk.user.pk else name_of(case.taken_by)
    return f"Pris par {who} {moment(case.taken_at, now=at)}"


@dataclass(frozen=True)
class Verdict:
    """What the comparison of the address says: DSFR's tone, a title, a sentence."""

    tone: str
    title: str
    sentence: str


def verdicts_of(comparison: Comparison) -> list[Verdict]:
    """What the address proves; before it, that it is not the employer's but a training centre's."""
    told = [_verdict_of(comparison)]
    centre = comparison.centre
    if centre:
        whose = f"{centre.name} (SIRET {spaced_siret(centre.siret)}), qui est un établissement d’enseignement"
        if centre.is_contact:
            title, sentence = "Adresse d’un CFA", f"C’est l’adresse du contact connu de {whose}."
        else:
            title, sentence = "Domaine d’un CFA", f"@{comparison.domain} est le domaine du contact connu de {whose}."
        told.insert(0, Verdict("warning", title, f"{sentence} Seul l’employeur dépose ses offres."))
    return told


def _verdict_of(comparison: Comparison) -> Verdict:
    known = ", ".join(f"@{domain}" for domain in comparison.domains)
    others = f" Domaines connus de l’entreprise : {known}." if known else ""
    match comparison.match:
        case Match.SAME_ADDRESS:
            return Verdict("success", "Adresse connue", "C’est l’adresse du contact connu de l’établissement.")
        case Match.SAME_DOMAIN:
            return Verdict(
                "success", "Domaine connu", f"@{comparison.domain} est celui d’un contact connu de l’entreprise."
            )
        case Match.CERTIFIED_DOMAIN:
            return Verdict(
                "success",
                "Domaine déjà certifié",
                f"Une personne en @{comparison.domain} est déjà certifiée pour cette entreprise (même SIREN).",
            )
        case Match.FREE_MAIL:
            return Verdict(
                "warning",
                "Messagerie personnelle",
                f"N’importe qui peut avoir une adresse @{comparison.domain} : elle ne prouve rien.{others}",
            )
        case Match.OTHER_DOMAIN:
            return Verdict(
                "warning",
                "Autre domaine",
                f"@{comparison.domain} n’est le domaine d’aucun contact connu de l’entreprise.{others}",
            )
    return Verdict(
        "info",
        "Rien à comparer",
        "Aucun contact n’est connu de cette entreprise"
        + ("." if comparison.centre else f" ; @{comparison.domain} est un domaine professionnel."),
    )


# ── What happened ────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Happening:
    """A line of the history; ``text`` is what somebody wrote, and may be empty."""

    at: datetime
    what: str
    who: str
    text: str = ""

    @property
    def when(self) -> str:
        return french_moment(self.at)


def history(
    access: Access,
    *,
    moves: Iterable[AccessMove],
    decisions: Iterable[Decision],
    notes: Iterable[Note],
    answers: Iterable[Answer],
    assignments: Iterable[OpcoAssignment],
) -> list[Happening]:
    """All that happened to a file, latest first. What a decision did to the access is told once."""
    decisions = list(decisions)
    settled = {decision.settled_at for decision in decisions}
    person = access.user.get_full_name()
    lines = [Happening(access.asked_at, f"Demande faite ({uncapitalised(access.get_origin_display())})", person)]
    if access.confirmed_at:
        lines.append(Happening(access.confirmed_at, "Adresse e-mail confirmée", person))
    lines += [
        Happening(move.at, f"Accès {move.get_to_status_display().lower()}", name_of(move.by), move.reason)
        for move in moves
        if move.at not in settled
    ]
    lines += [_decided(decision) for decision in decisions]
    lines += [Happening(note.at, "Note", name_of(note.by), note.text) for note in notes]
    lines += [Happening(answer.at, "Réponse reçue", person, answer.text) for answer in answers]
    lines += [_assigned(assignment) for assignment in assignments if assignment.at not in settled]
    # Of what happened at one moment, what is told last above came last.
    return sorted(lines, key=lambda line: line.at)[::-1]


def _decided(decision: Decision) -> Happening:
    what = decision.get_kind_display()
    if decision.kind == DecisionKind.REFUSE:
        what = f"{what} : {uncapitalised(decision.get_reason_display())}"
    elif decision.kind == DecisionKind.PASS_ON:
        what = f"{what} à {decision.to_opco or 'l’équipe de La bonne alternance'}"
    match decision.status:
        case DecisionStatus.UNDONE:
            what = f"{what} – annulé par {name_of(decision.settled_by)}"
        case DecisionStatus.DROPPED:
            what = f"{what} – sans effet. {decision.settled_reason}"
        case DecisionStatus.HELD:
            what = f"{what} – effectif à {french_time(decision.effective_at, seconds=True)}"
    return Happening(decision.made_at, what, name_of(decision.made_by), decision.text)


def _assigned(assignment: OpcoAssignment) -> Happening:
    return Happening(
        assignment.at,
        f"OPCO de l’établissement : {assignment.opco or 'aucun'} ({uncapitalised(assignment.get_origin_display())})",
        name_of(assignment.by),
        assignment.reason,
    )
