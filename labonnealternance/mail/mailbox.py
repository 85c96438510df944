"""The development mailbox: a folder where each e-mail that left is a file, newest name last."""

import contextlib
import email
import heapq
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage as ParsedMail
from email.policy import default as modern
from email.utils import getaddresses
from pathlib import Path

from django.conf import settings
from django.core.mail.backends.base import BaseEmailBackend

from labonnealternance.mail import transport

_NAME = re.compile(r"[0-9]{8}T[0-9]{12}-[0-9a-f]{16}")
_LINK = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]]")


class MailboxBackend(BaseEmailBackend):
    """A mail backend that keeps: one ``.eml`` file a message, written aside and then renamed."""

    def send_messages(self, email_messages):
        folder = _folder()
        folder.mkdir(parents=True, exist_ok=True)
        for message in email_messages:
            name = f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{os.urandom(8).hex()}"
            aside = folder / f"{name}.part"
            aside.write_bytes(message.message().as_bytes())
            aside.rename(folder / f"{name}.eml")
        return len(email_messages)


@dataclass(frozen=True)
class KeptMail:
    """An e-mail of the mailbox; ``name`` is its file's, without the ending."""

    name: str
    mail: ParsedMail

    @property
    def received_at(self) -> datetime:
        return datetime.strptime(self.name[:21], "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC)

    @property
    def sender(self) -> str:
        return str(self.mail["From"] or "")

    @property
    def recipient(self) -> str:
        return str(self.mail["To"] or "")

    @property
    def subject(self) -> str:
        # A long one begins on the line after its name, whose indent is not part of it.
        return str(self.mail["Subject"] or "").strip()

    @property
    def message_id(self) -> str:
        return str(self.mail["Message-ID"] or "")

    @property
    def headers(self) -> list[tuple[str, str]]:
        return [(name, str(value)) for name, value in self.mail.items()]

    @property
    def text(self) -> str:
        return self._body("plain")

    @property
    def html(self) -> str:
        return self._body("html")

    @property
    def links(self) -> list[str]:
        """The addresses that the text names, in order, once each."""
        return list(dict.fromkeys(_LINK.findall(self.text)))

    def _body(self, kind: str) -> str:
        part = self.mail.get_body((kind,))
        return part.get_content() if part else ""

    def is_for(self, address: str) -> bool:
        found = {known.lower() for _, known in getaddresses([self.recipient])}
        return address.strip().lower() in found


def is_open() -> bool:
    """Whether e-mails stay on this machine, to be read in the mailbox."""
    return transport.read(settings.EMAIL_URL).is_mailbox


def _folder() -> Path:
    return Path(settings.EMAIL_FILE_PATH)


def _read(name: str) -> KeptMail | None:
    # A file may go between the listing and the reading.
    with contextlib.suppress(FileNotFoundError):
        content = (_folder() / f"{name}.eml").read_bytes()
        return KeptMail(name, email.message_from_bytes(content, policy=modern))
    return None


def _newest(bound: int) -> Iterator[KeptMail]:
    try:
        names = [entry.name[:-4] for entry in os.scandir(_folder()) if entry.name.endswith(".eml")]
    except FileNotFoundError:
        return
    for name in heapq.nlargest(bound, filter(_NAME.fullmatch, names)):
        if found := _read(name):
            yield found


def kept(*, to: str = "", limit: int = 50, among: int = 1000) -> list[KeptMail]:
    """The newest mails, to ``to`` when it is given: at most ``limit``, looked for in the ``among`` newest."""
    found = []
    for mail in _newest(among if to else limit):
        if not to or mail.is_for(to):
            found.append(mail)
        if len(found) == limit:
            break
    return found


def open_mail(name: str) -> KeptMail | None:
    """The mail of that name, or None."""
    return _read(name) if _NAME.fullmatch(name) else None
