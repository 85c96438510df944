"""Decisions about files. Each is held for a minute, in which it may be undone; the clock applies it after that.

Whoever decides says what they have seen (``version_of``): a file that changed since is not decided unseen, and its
reader is told who decided and when.
"""

from datetime import datetime
from typing import Any

import structlog
from django.db import transaction

from companies.models import Opco
from labonnealternance.accounts.models import User
from offers.enums import AccessStatus
from offers.models import Access
from opco.actions.cases import refuse_if_taken
from opco.actions.desks import Desk, NotInYourOpco, decisions_of, files_of, locked_file
from opco.actions.words import moment, name_of
from opco.enums import DecisionKind, DecisionStatus, RefusalReason
from opco.models import HOLD, KINDS, Answer, Case, Decision

logger = structlog.get_logger(__name__)

# What a refusal for a listed reason tells the person, until the advisor writes it otherwise.
PROPOSED = {
    RefusalReason.NOT_OF_THE_COMPANY: (
        "Les éléments dont nous disposons indiquent que vous n’appartenez pas à cette entreprise."
    ),
    RefusalReason.LINK_NOT_PROVEN: (
        "Nous n’avons pas pu établir votre lien avec cet établissement. Une inscription avec une adresse e-mail"
        " professionnelle de l’entreprise le permettrait."
    ),
    RefusalReason.NO_ANSWER: "Vous n’avez pas répondu à nos questions sur votre lien avec l’établissement.",
    RefusalReason.INTERMEDIARY: (
        "Le dépôt d’offres est réservé à l’employeur. Un organisme de formation ou un intermédiaire peut inviter"
        " l’entreprise à s’inscrire elle-même."
    ),
    RefusalReason.NO_ACTIVITY: "Cet établissement n’a pas, à notre connaissance, d’activité permettant d’embaucher.",
    RefusalReason.UNFIT_OFFER: (
        "L’offre déposée n’est pas une embauche en contrat d’apprentissage ou de professionnalisation."
    ),
    RefusalReason.OTHER: "",
}

YOUR_OWN = "C’est votre propre demande : un collègue la traitera."


class AlreadyDecided(Exception):
    """Somebody decided meanwhile; the message says who, when and what, in French. ``by`` is None for the service."""

    def __init__(self, *, by: User | None, at: datetime, what: str, now: datetime):
        self.by, self.at = by, at
        super().__init__(f"Décision déjà prise par {name_of(by)} {moment(at, now=now)} : {what.lower()}.")


class TooLateToUndo(Exception):
    """The minute is over, and the decision applied."""

    def __init__(self):
        super().__init__("La minute est passée : la décision est appliquée, et la personne prévenue.")


class RefusedDecision(Exception):
    """What was asked can't be decided; the message says why, in French."""


def version_of(access: Access) -> str:
    """What a page has seen of the decisions about ``access``, and of the person's answers."""
    last = access.decisions.standing().order_by("-pk").values_list("pk", flat=True).first()
    answer = _last_answer(access)
    return f"{access.status}.{last or 0}.{answer.pk if answer else 0}"


def _last_answer(access: Access) -> Answer | None:
    return Answer.objects.filter(question__access=access).order_by("-pk").first()


def _changed(access: Access, *, seen: str, now: datetime) -> Exception:
    """What happened to ``access`` since a page that has ``seen`` less."""
    answer = _last_answer(access)
    if answer and seen.rpartition(".")[0] == version_of(access).rpartition(".")[0]:
        return RefusedDecision(
            f"La personne a répondu {moment(answer.at, now=now)} : lisez sa réponse avant de décider."
        )
    return decided_meanwhile(access, now=now)


def refuse_if_changed(*, desk: Desk, access: Access, seen: str, at: datetime) -> None:
    """Raises what keeps ``desk`` from deciding now, from a page that has ``seen`` what it says."""
    if access.decisions.held().exists():
        raise decided_meanwhile(access, now=at)
    if seen != version_of(access):
        raise _changed(access, seen=seen, now=at)
    if access.user_id == desk.user.pk:
        raise RefusedDecision(YOUR_OWN)
    refuse_if_taken(access, by=desk.user, at=at)


def decided_meanwhile(access: Access, *, now: datetime) -> Exception:
    """Who decided last about ``access``, here or elsewhere."""
    last = access.decisions.standing().select_related("made_by").order_by("-made_at", "-pk").first()
    move = access.journal.select_related("by").order_by("-at", "-pk").first()
    # A decision that is applied moves the access at the moment when it is settled.
    is_elsewhere = move and last and move.at > last.made_at and move.at != last.settled_at
    if last and not is_elsewhere:
        return AlreadyDecided(by=last.made_by, at=last.made_at, what=last.get_kind_display(), now=now)
    if move:
        return AlreadyDecided(by=move.by, at=move.at, what=move.get_to_status_display(), now=now)
    return RefusedDecision("Ce dossier n’est plus celui que la page montrait : relisez-le avant de décider.")


@transaction.atomic
def _hold(kind: DecisionKind, *, desk: Desk, access_id: int, seen: str, at: datetime, **facts: Any) -> Decision:
    """Writes a decision that the clock will apply. The same one by the same person twice is one."""
    access = locked_file(desk, access_id)
    held = access.decisions.held().first()
    if held and held.made_by_id == desk.user.pk and held.kind == kind and _is_same(held, facts):
        return held
    refuse_if_changed(desk=desk, access=access, seen=seen, at=at)
    if kind not in KINDS[AccessStatus(access.status)]:
        raise decided_meanwhile(access, now=at)
    decision = Decision.objects.create(
        access=access,
        kind=kind,
        opco=access.establishment.opco,
        made_by=desk.user,
        made_at=at,
        effective_at=at + HOLD,
        **facts,
    )
    Case.objects.filter(access=access).update(taken_by=None, taken_at=None)
    logger.info("opco_decided", decision=decision.pk, access=access.pk, kind=kind.value, by=desk.user.pk)
    return decision


def _is_same(held: Decision, facts: dict[str, Any]) -> bool:
    return all(getattr(held, name) == value for name, value in facts.items())


def certify(*, desk: Desk, access_id: int, seen: str, at: datetime) -> Decision:
    """The person acts for the establishment, whose OPCO is the right one.

    Raises, as every decision: ``NotInYourOpco``, ``AlreadyDecided``, ``TakenByAnother``, ``RefusedDecision``.
    """
    return _hold(DecisionKind.CERTIFY, desk=desk, access_id=access_id, seen=seen, at=at)


def refuse(*, desk: Desk, access_id: int, reason: RefusalReason, text: str, seen: str, at: datetime) -> Decision:
    """The person may not act for the establishment; ``text`` is what the e-mail tells them of why."""
    text = text.strip()
    if not text:
        raise RefusedDecision("Dites à la personne pourquoi sa demande est refusée.")
    return _hold(DecisionKind.REFUSE, desk=desk, access_id=access_id, seen=seen, at=at, reason=reason, text=text)


def pass_on(*, desk: Desk, access_id: int, to_opco: Opco | None, text: str, seen: str, at: datetime) -> Decision:
    """The establishment is another OPCO's, or nobody knows whose (None: to support); ``text`` is for its reader."""
    access = files_of(desk).filter(pk=access_id).select_related("establishment__opco").first()
    if access is None:
        raise NotInYourOpco
    if access.establishment.opco == to_opco:
        raise RefusedDecision(f"Ce dossier est déjà chez {to_opco}." if to_opco else "Ce dossier est déjà au support.")
    return _hold(
        DecisionKind.PASS_ON, desk=desk, access_id=access_id, seen=seen, at=at, to_opco=to_opco, text=text.strip()
    )


def ask(*, desk: Desk, access_id: int, text: str, seen: str, at: datetime) -> Decision:
    """Asks the person for information: ``text`` goes to them by e-mail, with a link to answer by."""
    text = text.strip()
    if not text:
        raise RefusedDecision("Écrivez ce que vous demandez à la personne.")
    return _hold(DecisionKind.ASK, desk=desk, access_id=access_id, seen=seen, at=at, text=text)


@transaction.atomic
def undo(*, desk: Desk, decision_id: int, at: datetime) -> Decision:
    """As if it had never been decided, as long as it is not applied; twice is no error.

    Raises ``NotInYourOpco``, ``TooLateToUndo``.
    """
    rows = decisions_of(desk).select_related("access__establishment").select_for_update(of=("self",))
    decision = rows.filter(pk=decision_id).first()
    if decision is None:
        raise NotInYourOpco
    if decision.status == DecisionStatus.APPLIED:
        raise TooLateToUndo
    if decision.status == DecisionStatus.HELD:
        undo_locked(decision, by=desk.user, at=at)
    return decision


def undo_locked(decision: Decision, *, by: User, at: datetime) -> None:
    """Undoes a held decision whose row the caller has locked."""
    decision.settle(to=DecisionStatus.UNDONE, by=by, at=at)
    logger.info("opco_decision_undone", decision=decision.pk, by=by.pk)
