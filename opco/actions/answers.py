"""The recruiter's answer to what an advisor asked: by a link that does this and nothing else, and signs nobody in."""

import uuid
from datetime import datetime, timedelta

import structlog
from django.core import signing
from django.db import transaction

from offers.enums import AccessStatus
from offers.models import Access
from opco.enums import DecisionKind, DecisionStatus
from opco.models import Answer, Case, Decision

logger = structlog.get_logger(__name__)

_SIGNER = signing.Signer(salt="opco.answers")
KEPT = timedelta(days=60)
# Someone remembers something, and something else.
MOST_ANSWERS = 5


class BadLink(Exception):
    """Nobody signed this link, or its question is gone."""


class LinkExpired(Exception):
    """The link is ours, and too old."""


class RefusedAnswer(Exception):
    """The answer is not kept; the message says why, in French."""


def token_of(question: Decision) -> str:
    """The token of the link by which ``question`` is answered."""
    return _SIGNER.sign(str(question.pk))


def question_of(*, token: str, at: datetime) -> Decision:
    """The question that ``token`` answers, with its establishment. Raises ``BadLink``, ``LinkExpired``."""
    try:
        question_id = int(_SIGNER.unsign(token))
    except (signing.BadSignature, ValueError) as fault:
        raise BadLink from fault
    rows = Decision.objects.filter(kind=DecisionKind.ASK, status=DecisionStatus.APPLIED)
    question = rows.select_related("access__establishment").filter(pk=question_id).first()
    if question is None:
        raise BadLink
    assert question.settled_at
    if at > question.settled_at + KEPT:
        raise LinkExpired
    return question


@transaction.atomic
def answer(*, token: str, text: str, key: uuid.UUID, at: datetime) -> Answer:
    """Keeps an answer; the file comes back among those to treat. ``key`` is drawn with the form: sent twice, it is one.

    Raises ``BadLink``, ``LinkExpired``, ``RefusedAnswer``.
    """
    question = question_of(token=token, at=at)
    access = Access.objects.select_for_update(of=("self",), no_key=True).get(pk=question.access_id)
    known = Answer.objects.filter(key=key).first()
    if known and known.question_id == question.pk:
        return known
    if known:
        raise RefusedAnswer("Rechargez la page.")
    if access.status != AccessStatus.AWAITING:
        raise RefusedAnswer("Votre demande a été traitée entre-temps : il n’y a plus rien à répondre.")
    if question.answers.count() >= MOST_ANSWERS:
        raise RefusedAnswer("Vous avez déjà répondu plusieurs fois : vos réponses vont être lues.")
    written = Answer.objects.create(question=question, key=key, text=text.strip(), at=at)
    Case.objects.filter(access=access).update(asked_at=None, answered_at=at)
    logger.info("opco_answered", question=question.pk, access=access.pk)
    return written
