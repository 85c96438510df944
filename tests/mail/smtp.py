"""A real SMTP server whose answers are chosen: accept, put off, refuse, hang, drop the line."""

import asyncio
import email
import os
import signal
from collections.abc import Callable
from email.policy import default as modern

from aiosmtpd.controller import Controller

from tests import processes


class MailServer:
    """``received`` holds what the server took, parsed. The next answers are set by attribute:

    ``rcpt`` and ``data``: a line such as ``"450 plus tard"`` (``rcpt`` may be a function of the address); ``hang``:
    silence after DATA; ``drop``: takes the message and closes the line without a word; ``kill``: takes it, and kills
    the process that the function names (0: none) before it answers; ``delay``: seconds before each answer to DATA.
    """

    def __init__(self):
        self.received = []
        self.connections = 0
        self.rcpt: str | Callable[[str], str] = "250 OK"
        self.data = "250 OK"
        self.hang = self.drop = False
        self.delay = 0.0
        self.kill: Callable[[], int] | None = None
        self.host = "127.0.0.1"
        self.port = processes.free_port()
        self._controller = Controller(self, hostname=self.host, port=self.port, ready_timeout=10)

    def __enter__(self):
        self._controller.start()
        return self

    def __exit__(self, *_):
        self._controller.stop()

    @property
    def message_ids(self):
        return [mail["Message-ID"] for mail in self.received]

    async def handle_EHLO(self, server, session, envelope, hostname, responses):  # noqa: N802
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):  # noqa: N802
        answer = self.rcpt(address) if callable(self.rcpt) else self.rcpt
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        if self.hang:
            await asyncio.sleep(30)
        if not self.data.startswith("250"):
            return self.data
        await asyncio.sleep(self.delay)
        self.received.append(email.message_from_bytes(envelope.original_content, policy=modern))
        if self.kill and (victim := self.kill()):
            os.kill(victim, signal.SIGKILL)
        if self.drop:
            server.transport.abort()
        return self.data
