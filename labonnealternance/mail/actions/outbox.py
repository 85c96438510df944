"""Write an e-mail, send those that are due, send one again."""

import logging
import re
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from celery import current_app
from django.db import transaction
from django.utils import timezone

from labonnealternance.kit.contacts import clean_email
from labonnealternance.mail.delivery import Postman, PutOff, Refused
from labonnealternance.mail.enums import MessageStatus
from labonnealternance.mail.models import LONGEST_ANSWER, RETRY_DELAYS, Message, Suppression
from labonnealternance.mail.render import one_line, render

logger = logging.getLogger(__name__)

# Headers that the outbox writes itself, or that would send the message elsewhere.
_RESERVED_HEADERS = {
    "from", "sender", "to", "cc", "bcc", "reply-to", "return-path", "subject", "date", "message-id", "mime-version",
}  # fmt: skip
_HEADER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,76}")


# Seconds. Kombu tries twice, so that a broker that hangs costs 0.4 s, once per silence and per process.
_SHORT_WAIT = {"socket_connect_timeout": 0.2, "socket_timeout": 0.2}
_SILENCE = 15.0
_broker_is_silent_until = 0.0


class NothingToResend(Exception):
    """The text of the message is erased, or the message is still about to leave."""


def _checked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name) or name.lower() in _RESERVED_HEADERS or name.lower().startswith("content-"):
            raise ValueError(f"Not a header that an e-mail may add: {name!r}")
        if value != one_line(value):
            raise ValueError(f"The header {name} is not one clean line: {value!r}")
    return dict(headers)


@dataclass(frozen=True)
class Letter:
    """An e-mail to write: ``name`` is the folder of its three templates, ``context`` holds every variable they name.

    ``to`` and ``reply_to`` are bare addresses; ``headers`` are additional ones. A ``confidential`` e-mail carries a
    link that opens a session: support does not read it, and its text is erased as soon as it has left.
    """

    name: str
    to: str
    context: Mapping[str, Any]
    reply_to: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    confidential: bool = False


def _message(letter: Letter, *, at: datetime) -> Message:
    rendered = render(letter.name, letter.context)
    return Message(
        kind=letter.name,
        recipient=clean_email(letter.to),
        reply_to=clean_email(letter.reply_to) if letter.reply_to else "",
        subject=rendered.subject,
        text_body=rendered.text,
        html_body=rendered.html,
        headers=_checked_headers(letter.headers),
        confidential=letter.confidential,
        created_at=at,
        next_attempt_at=at,
    )


def as_read(letter: Letter) -> str:
    """``letter`` as its reader will see it, in plain text: what is shown before it is written."""
    rendered = render(letter.name, letter.context)
    return f"À : {letter.to}\nObjet : {rendered.subject}\n\n{rendered.text}"


def write(
    *,
    name: str,
    to: str,
    context: Mapping[str, Any],
    at: datetime,
    reply_to: str = "",
    headers: Mapping[str, str] | None = None,
    confidential: bool = False,
) -> Message:
    """Puts an e-mail in the outbox, in the caller's transaction; it leaves after the commit, or not at all.

    The arguments are a ``Letter``'s. Raises ``NotAnAddress``, ``UnknownVariable``, ``TemplateDoesNotExist``, or
    ``ValueError`` for a header that is not allowed.
    """
    letter = Letter(name, to, context, reply_to=reply_to, headers=headers or {}, confidential=confidential)
    return write_many([letter], at=at)[0]


def write_many(letters: Iterable[Letter], *, at: datetime) -> list[Message]:
    """``write`` for several letters: one insert and one wake-up, whatever their number. All are held in memory."""
    messages = [_message(letter, at=at) for letter in letters]
    if messages:
        Message.objects.bulk_create(messages)
        first = messages[0].pk
        transaction.on_commit(_wake_sweeper if len(messages) > 1 else lambda: _wake(first), robust=True)
    return messages


def _wake(message_id: uuid.UUID):
    """Tells a worker that one message waits."""
    _tell("mail.send", str(message_id))


def _wake_sweeper():
    """Tells a worker that messages wait."""
    _tell("mail.sweep")


def _tell(task: str, *args: str):
    """Hands ``task`` to a worker, best effort: without a broker the sweeper finds the rows within a minute.

    A visitor waits behind this: less than half a second for a broker that hangs, then nothing for a while.
    """
    global _broker_is_silent_until
    if time.monotonic() < _broker_is_silent_until:
        return
    try:
        with current_app.connection_for_write(transport_options=_SHORT_WAIT) as connection:
            current_app.send_task(task, args=list(args), connection=connection, retry=False)
    except Exception as fault:
        _broker_is_silent_until = time.monotonic() + _SILENCE
        logger.warning("No broker for a wake-up (%s): the sweeper will send the message.", type(fault).__name__)


@transaction.atomic
def resend(*, message_id: uuid.UUID, by, at: datetime) -> Message:
    """A copy of a settled message, queued; the first one keeps its state and its journal.

    Raises ``NothingToResend``.
    """
    original = Message.objects.select_for_update(of=("self",)).get(pk=message_id)
    if original.status == MessageStatus.QUEUED:
        raise NothingToResend("Cet e-mail est encore à envoyer.")
    if original.erased_at:
        raise NothingToResend("Le texte de cet e-mail est effacé.")
    copy = Message.objects.create(
        kind=original.kind,
        recipient=original.recipient,
        reply_to=original.reply_to,
        subject=original.subject,
        text_body=original.text_body,
        html_body=original.html_body,
        headers=original.headers,
        copy_of=original,
        created_at=at,
        next_attempt_at=at,
    )
    copy.move(to=MessageStatus.QUEUED, by=by, at=at, reason="Renvoi demandé")
    transaction.on_commit(lambda: _wake(copy.pk), robust=True)
    return copy


def _note(message: Message, *, to: MessageStatus, answer: str, at: datetime):
    message.provider_answer = one_line(answer)[:LONGEST_ANSWER]
    message.move(to=to, by=None, at=at, reason=message.provider_answer)


@transaction.atomic
def _attempt(postman: Postman, *, at: datetime, message_id: uuid.UUID | None = None) -> tuple[Message, bool] | None:
    """Takes the due message that waits longest (or ``message_id``), sends it, writes what came of it.

    The row stays locked meanwhile: no other worker takes it, and a worker that dies gives it back. Returns the message
    and whether the server is down, or nothing when no message is free.
    """
    due = Message.objects.due(at)
    if message_id is not None:
        due = due.filter(pk=message_id)
    message = due.select_for_update(skip_locked=True, of=("self",)).order_by("next_attempt_at").first()
    if message is None:
        return None
    if Suppression.objects.in_force().filter(address=message.recipient).exists():
        message.move(to=MessageStatus.SUPPRESSED, by=None, at=at, reason="Adresse écartée")
        return message, False
    message.attempts += 1
    try:
        answer = postman.hand_over(message)
    except Refused as refusal:
        _note(message, to=MessageStatus.FAILED, answer=str(refusal), at=at)
        logger.error("E-mail %s (%s) was refused for good.", message.pk, message.kind)
        return message, False
    except PutOff as delay:
        if message.attempts > len(RETRY_DELAYS):
            _note(message, to=MessageStatus.FAILED, answer=str(delay), at=at)
            logger.error("E-mail %s (%s) was put off for a day: given up.", message.pk, message.kind)
        else:
            message.next_attempt_at = at + RETRY_DELAYS[message.attempts - 1]
            _note(message, to=MessageStatus.QUEUED, answer=str(delay), at=at)
            logger.warning("E-mail %s (%s) was put off, attempt %d.", message.pk, message.kind, message.attempts)
        return message, delay.server_is_down
    _note(message, to=MessageStatus.SENT, answer=answer, at=at)
    return message, False


def deliver(*, message_id: uuid.UUID, at: datetime) -> Message | None:
    """Sends one message if it is due and nobody else is sending it; returns it, or None."""
    with Postman() as postman:
        attempt = _attempt(postman, at=at, message_id=message_id)
    return attempt[0] if attempt else None


def deliver_due(
    *, at: datetime, seconds: float = 50, clock: Callable[[], datetime] = timezone.now
) -> dict[MessageStatus, int]:
    """Sends the messages that are due, oldest first, for at most ``seconds``; returns how many went to each status.

    Stops at the first sign that the server is down: one message pays for the try, and the others wait for the next
    sweep.
    """
    counts = dict.fromkeys(MessageStatus, 0)
    end = time.monotonic() + seconds
    with Postman() as postman:
        while time.monotonic() < end:
            attempt = _attempt(postman, at=max(at, clock()))
            if attempt is None:
                break
            message, server_is_down = attempt
            counts[MessageStatus(message.status)] += 1
            if server_is_down:
                break
    return counts
