"""One message handed to the mail server or to the provider, and what its answer means.

What concerns the message (a mailbox that does not exist, a content that is refused) is ``Refused`` and final. What
concerns the moment or the connection (a server that is down, hangs, asks to come back, or does not know us) is
``PutOff``: the message is worth another try.
"""

import contextlib
import smtplib
from http import HTTPStatus
from typing import Any

from anymail.exceptions import (
    AnymailInvalidAddress,
    AnymailRecipientsRefused,
    AnymailRequestsAPIError,
    AnymailSerializationError,
    AnymailUnsupportedFeature,
)
from django.conf import settings
from django.core.mail import BadHeaderError, EmailMultiAlternatives, get_connection

from labonnealternance.mail.models import Message

POSTMARK = "anymail.backends.postmark.EmailBackend"

# Answers of a provider's API that say "not now" or "not you", where the others say "not this message".
_API_PUTS_OFF = {
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.PAYMENT_REQUIRED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.TOO_EARLY,
    HTTPStatus.TOO_MANY_REQUESTS,
}


class NotDelivered(Exception):
    """The message did not leave; the text is the server's answer, for support to read."""


class Refused(NotDelivered):
    """For good: this message to this address will not be accepted."""


class PutOff(NotDelivered):
    """For now; ``server_is_down`` tells that the next message would meet the same answer."""

    def __init__(self, answer: str, *, server_is_down: bool = False):
        super().__init__(answer)
        self.server_is_down = server_is_down


def _verdict(code: int, answer: bytes | str) -> NotDelivered:
    said = f"{code} {answer.decode(errors='replace') if isinstance(answer, bytes) else answer}"
    if 500 <= code < 600:
        return Refused(said)
    # 421 closes the whole service, the other 4xx put off one message.
    return PutOff(said, server_is_down=code == 421)


def read_fault(fault: Exception) -> NotDelivered:
    """What ``fault``, raised by a mail backend, means for the message."""
    match fault:
        case smtplib.SMTPRecipientsRefused():
            return _verdict(*next(iter(fault.recipients.values())))
        case smtplib.SMTPSenderRefused() | smtplib.SMTPDataError():
            return _verdict(fault.smtp_code, fault.smtp_error)
        case AnymailRecipientsRefused() | AnymailInvalidAddress():
            return Refused(str(fault))
        case AnymailUnsupportedFeature() | AnymailSerializationError() | BadHeaderError():
            return Refused(str(fault))
        case AnymailRequestsAPIError(status_code=int(code)):
            if code in _API_PUTS_OFF or code >= 500:
                return PutOff(str(fault), server_is_down=True)
            return Refused(str(fault))
        case OSError():
            # Connections refused or lost, time-outs, names that do not resolve, the errors of requests, and the rest of
            # smtplib's: a greeting or a password that is refused says nothing about the message.
            return PutOff(f"{type(fault).__name__}: {fault}", server_is_down=True)
        case _:
            return PutOff(f"{type(fault).__name__}: {fault}")


def envelope(message: Message) -> EmailMultiAlternatives:
    """``message`` as Django sends it."""
    mail = EmailMultiAlternatives(
        subject=message.subject,
        body=message.text_body,
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[message.recipient],
        reply_to=[message.reply_to] if message.reply_to else None,
        headers={
            "Auto-Submitted": "auto-generated",
            **message.headers,
            "Message-ID": message.message_id,
        },
    )
    if settings.EMAIL_BACKEND == POSTMARK:
        # Postmark writes its own Message-ID unless it is asked not to.
        mail.extra_headers["X-PM-KeepID"] = "true"
    mail.attach_alternative(message.html_body, "text/html")
    return mail


def _answer(mail: EmailMultiAlternatives) -> str:
    """What the provider said of a message that it took; SMTP's backend keeps no answer."""
    status: Any = getattr(mail, "anymail_status", None)
    if status is None:
        return "Accepté par le serveur"
    return f"Accepté par le fournisseur : {status.message_id}"


class Postman:
    """Hands messages over through one connection, opened at the first and again after a fault. A context manager."""

    def __enter__(self):
        self._connection = get_connection()
        self._is_open = False
        return self

    def __exit__(self, *_):
        self._close()

    def _close(self):
        if self._is_open:
            self._is_open = False
            # The message has its answer: how the conversation ends does not change it.
            with contextlib.suppress(OSError):
                self._connection.close()

    def hand_over(self, message: Message) -> str:
        """Sends ``message`` and returns the server's answer; raises ``Refused`` or ``PutOff``."""
        mail = envelope(message)
        try:
            if not self._is_open:
                self._is_open = True
                self._connection.open()
            self._connection.send_messages([mail])
        except Exception as fault:
            self._close()
            raise read_fault(fault) from fault
        return _answer(mail)
