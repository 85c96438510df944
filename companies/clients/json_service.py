"""Asks an outside service that answers JSON: in a bounded time, in bounded memory, and taking its word for nothing."""

import datetime as dt
import json
import logging
import math
import queue
import threading
import time
import unicodedata
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import requests
from django.conf import settings
from urllib3.exceptions import HTTPError

CONNECT_SECONDS = 2.0
# What failed faster than this is worth a second try: a visitor who waited already is not made to wait twice.
QUICK_SECONDS = 1.0
PAUSE_SECONDS = 0.2
MOST_BYTES = 1_000_000
MOST_REDIRECTIONS = 3
# Calls that one process has under way: more of them would only wait for the same silence.
MOST_CALLS = 8
MOST_FAILURES = 3
SHUT_SECONDS = 30.0
LONGEST_SHUT_SECONDS = 300.0

logger = logging.getLogger(__name__)


class NoAnswer(Exception):
    """The service gave nothing to build on; the message is for the log.

    ``retry_after``: seconds that it asked to wait, or that it is left alone for; None where nothing is known.
    """

    def __init__(self, reason: str, *, retry_after: int | None = None, is_fault: bool = True, once_more: bool = False):
        super().__init__(reason)
        self.retry_after = retry_after
        # Whether the service as a whole is at fault, and not this one question; and whether to ask again at once.
        self.is_fault, self.once_more = is_fault, once_more


class Changed(Exception):
    """The answer is JSON and not what was promised; the message says where."""


@dataclass
class Circuit:
    """Leaves alone, for a while, a service that failed several times in a row in this process."""

    failures: int = 0
    shut_until: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def enter(self) -> None:
        """Raises ``NoAnswer`` while the service is left alone."""
        with self._lock:
            now = time.monotonic()
            if now < self.shut_until:
                raise NoAnswer("left alone", retry_after=math.ceil(self.shut_until - now), is_fault=False)
            if self.failures >= MOST_FAILURES:
                # One call sees whether it is back; the others are still refused meanwhile.
                self.shut_until = now + SHUT_SECONDS

    def succeeded(self) -> None:
        with self._lock:
            self.failures, self.shut_until = 0, 0.0

    def failed(self, *, retry_after: int | None) -> None:
        with self._lock:
            self.failures += 1
            if retry_after:
                self.shut_until = time.monotonic() + min(retry_after, LONGEST_SHUT_SECONDS)
            elif self.failures >= MOST_FAILURES:
                self.shut_until = time.monotonic() + SHUT_SECONDS


class JsonService:
    """An outside service, called ``name`` in the log, whose answers are waited for ``seconds`` at most."""

    def __init__(self, name: str, *, seconds: float):
        self.name, self.seconds = name, seconds
        self.circuit = Circuit()
        self._calls = threading.BoundedSemaphore(MOST_CALLS)

    def get(self, url: str, **parameters: str) -> Any:
        """The JSON found at ``url``. Raises ``NoAnswer``, and nothing else, whatever the other side does."""
        self.circuit.enter()
        try:
            answer = self._waited_for(f"{url}?{urlencode(parameters)}")
        except NoAnswer as failure:
            self.warn(f"no answer, {failure}")
            if failure.is_fault:
                self.circuit.failed(retry_after=failure.retry_after)
            raise
        self.circuit.succeeded()
        return answer

    def warn(self, reason: str) -> None:
        """Tells who runs the service."""
        logger.warning("%s: %s", self.name, reason)

    def _waited_for(self, url: str) -> Any:
        """Asks in a thread of its own, left behind when the time is over.

        The timeouts of a socket bound each of its reads: neither the resolution of a name, nor headers that come one
        byte at a time.
        """
        if not self._calls.acquire(blocking=False):
            raise NoAnswer("too many calls wait for it")
        told: queue.SimpleQueue[Any] = queue.SimpleQueue()
        deadline = time.monotonic() + self.seconds

        def ask() -> None:
            try:
                told.put((_asked(url, deadline), None))
            except NoAnswer as failure:
                told.put((None, failure))
            except Exception as fault:
                logger.exception("%s: a fault of ours", self.name)
                told.put((None, NoAnswer(type(fault).__name__)))
            finally:
                self._calls.release()

        threading.Thread(target=ask, name=self.name, daemon=True).start()
        try:
            answer, failure = told.get(timeout=self.seconds)
        except queue.Empty:
            raise NoAnswer(f"silent for {self.seconds:g} s") from None
        if failure:
            raise failure
        return answer


def _asked(url: str, deadline: float) -> Any:
    """The answer, asked for a second time where the first failed quickly."""
    begun = time.monotonic()
    try:
        return _read(url, deadline)
    except NoAnswer as failure:
        if not failure.once_more or time.monotonic() - begun > QUICK_SECONDS:
            raise
    time.sleep(PAUSE_SECONDS)
    return _read(url, deadline)


def _read(url: str, deadline: float) -> Any:
    for _ in range(MOST_REDIRECTIONS + 1):
        left = max(0.1, deadline - time.monotonic())
        try:
            with requests.get(
                url,
                headers={"Accept": "application/json", "User-Agent": f"labonnealternance (+{settings.SITE_URL})"},
                timeout=(min(CONNECT_SECONDS, left), left),
                allow_redirects=False,
                stream=True,
            ) as response:
                if not response.is_redirect:
                    return _json(response, deadline)
                url = _followed(url, response.headers["Location"])
        except requests.Timeout:
            raise NoAnswer("too slow") from None
        except (requests.RequestException, HTTPError, OSError) as fault:
            # Refused, reset, cut in the middle: gone in an instant, most often.
            raise NoAnswer(type(fault).__name__, once_more=True) from None
        except ValueError as fault:
            raise NoAnswer(f"unreadable: {type(fault).__name__}") from None
    raise NoAnswer("it turns in circles")


def _followed(url: str, location: str) -> str:
    """Where a redirection leads: the same host, and https all along; anywhere else is no answer."""
    target = urljoin(url, location)
    here, there = urlsplit(url), urlsplit(target)
    if (here.scheme, here.netloc) != (there.scheme, there.netloc) or there.scheme != "https":
        raise NoAnswer("it sends elsewhere")
    return target


def _json(response: requests.Response, deadline: float) -> Any:
    status = response.status_code
    if status == 429 or status >= 500:
        retry_after = _seconds(response.headers.get("Retry-After", ""))
        raise NoAnswer(f"answered {status}", retry_after=retry_after, once_more=status != 429 and not retry_after)
    if status != 200:
        # It works, and does not like the question.
        raise NoAnswer(f"answered {status}", is_fault=False)
    body = bytearray()
    while piece := response.raw.read1(65_536, decode_content=True):
        body += piece
        if len(body) > MOST_BYTES:
            raise NoAnswer("too long")
        if time.monotonic() > deadline:
            raise NoAnswer("too slow")
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise NoAnswer("not JSON") from None


def _seconds(retry_after: str) -> int | None:
    """``Retry-After`` in seconds, whether it is written as a number or as a date."""
    text = retry_after.strip()
    if text.isascii() and text.isdigit() and len(text) < 7:
        return int(text) or None
    try:
        wait = parsedate_to_datetime(text) - dt.datetime.now(dt.UTC)
    except (TypeError, ValueError):
        return None
    return max(1, math.ceil(wait.total_seconds()))


class Fields:
    """One object of an answer. Each reading checks the type, and raises ``Changed`` where it is another.

    A field that is null reads as empty; one that is missing too, unless it is ``needed``.
    """

    def __init__(self, value: Any, *, where: str):
        if not isinstance(value, dict):
            raise Changed(where)
        self._values, self._where = value, where

    def _of_type(self, name: str, kind: type, needed: bool) -> Any:
        if needed and name not in self._values:
            raise Changed(f"{self._where}.{name}")
        value = self._values.get(name)
        if value is not None and not isinstance(value, kind):
            raise Changed(f"{self._where}.{name}")
        return value

    def text(self, name: str, *, needed: bool = False) -> str:
        return _clean(self._of_type(name, str, needed) or "")

    def one_of(self, name: str, values: set[str]) -> str:
        """A text that must be one of ``values``."""
        text = self.text(name, needed=True)
        if text not in values:
            raise Changed(f"{self._where}.{name}")
        return text

    def texts(self, name: str) -> list[str]:
        """The texts of a list, without the empty ones."""
        values = self._of_type(name, list, False) or []
        if not all(value is None or isinstance(value, str) for value in values):
            raise Changed(f"{self._where}.{name}")
        return [text for text in map(_clean, filter(None, values)) if text]

    def objects(self, name: str, *, needed: bool = False) -> list["Fields"]:
        values = self._of_type(name, list, needed) or []
        return [Fields(value, where=f"{self._where}.{name}[{n}]") for n, value in enumerate(values)]

    def object(self, name: str) -> "Fields":
        """An object, empty where there is none."""
        return Fields(self._of_type(name, dict, False) or {}, where=f"{self._where}.{name}")

    def flag(self, name: str) -> bool:
        return bool(self._of_type(name, bool, False))

    def day(self, name: str) -> dt.date | None:
        """A date; None where there is none, or one that no calendar has."""
        try:
            return dt.date.fromisoformat(self.text(name)[:10])
        except ValueError:
            return None

    def number(self, name: str) -> float | None:
        """A number, also when it is written as a text; None where there is none."""
        value = self._values.get(name)
        if not isinstance(value, str | float | int):
            return None
        try:
            number = float(value)
        except (ValueError, OverflowError):
            return None
        return number if math.isfinite(number) else None


def _clean(text: str) -> str:
    """``text`` on one line, without the signs that no register means (PostgreSQL refuses some)."""
    return " ".join("".join(" " if unicodedata.category(c) in {"Cc", "Cs"} else c for c in text).split())
