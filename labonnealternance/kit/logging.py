"""Logs as JSON lines (or as text on a laptop), without personal data, link nor key.

An address that carries a secret puts it after a segment ``lien`` or ``action``: ``/compte/lien/<secret>/``. What is
masked there is masked wherever it appears: access log, error, trace, Sentry.
"""

import logging
import re
from typing import Any

import structlog

MASK = "***"

_HIDDEN = [
    # What follows the segment of an address that carries a secret.
    (re.compile(r"(/(?:lien|action)/)[^/\s\"'?#<>]+"), rf"\1{MASK}"),
    # The password of an address of server.
    (re.compile(r"(://[^:/\s@]*:)[^@/\s]+@"), rf"\1{MASK}@"),
    # E-mail addresses, as typed and as written in an address of page. Each word is tried once: a visitor may have a
    # very long one written in the log.
    (re.compile(r"(?<![\w.+-])[\w.+-]++(?:@|%40)[\w-]++(?:\.[\w-]++)+"), MASK),
    # French telephone numbers.
    (re.compile(r"(?<![\d.])(?:\+33|0033|0)[ .-]?[1-9](?:[ .-]?\d{2}){4}(?!\d)"), MASK),
    # Keys and passwords given by name.
    (
        re.compile(
            r"(?i)\b(authorization|bearer|api[_-]?key|token|password|passwd|secret|sessionid|session|csrf\w*)"
            r"([\"']?\s*[=:]\s*[\"']?|\s+)(?:bearer\s+)?[^\s,;&\"'}]{8,}"
        ),
        rf"\1\2{MASK}",
    ),
]


def masked(text: str) -> str:
    """``text`` without e-mail address, telephone number, secret link, key nor password."""
    for pattern, replacement in _HIDDEN:
        text = pattern.sub(replacement, text)
    return text


def mask_everything(value: Any) -> Any:
    """``value`` with every text in it masked, at any depth of dicts, lists and tuples."""
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, dict):
        return {key: mask_everything(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(mask_everything(each) for each in value)
    return value


def _mask_event(logger: Any, method: str, event: dict[str, Any]) -> dict[str, Any]:
    return {
        key: mask_everything(value)
        if value is None or isinstance(value, bool | int | float | str | dict | list | tuple)
        else masked(str(value))
        for key, value in event.items()
    }


def _no_trace_of_a_refusal(logger: Any, method: str, event: dict[str, Any]) -> dict[str, Any]:
    """What a visitor sent and was refused (4xx) is no fault of ours: a line, without the trace of where it was met."""
    if 400 <= (event.get("status_code") or 0) < 500:
        event.pop("exc_info", None)
    return event


def _drop_request(logger: Any, method: str, event: dict[str, Any]) -> dict[str, Any]:
    """Django joins the whole request to its records: cookies and forms have no place in a log."""
    event.pop("request", None)
    return event


_BEFORE: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.ExtraAdder(allow=["status_code", "method", "path", "status", "milliseconds", "bytes"]),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    _no_trace_of_a_refusal,
    structlog.processors.format_exc_info,
    _drop_request,
]


def configuration(*, level: str, form: str) -> dict[str, Any]:
    """The dictionary of ``logging.config``; ``form`` is ``json`` or ``text``. Everything goes to the standard error."""
    if form == "json":
        renderer: Any = structlog.processors.JSONRenderer(ensure_ascii=False, default=str)
    else:
        renderer = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    handled = {"handlers": ["output"], "level": level, "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "masked": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": _BEFORE,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, _mask_event, renderer],
            }
        },
        "handlers": {"output": {"class": "logging.StreamHandler", "formatter": "masked"}},
        "root": {"handlers": ["output"], "level": level},
        "loggers": {
            "django": handled,
            "django.server": handled,
            "gunicorn.error": handled,
            "gunicorn.access": handled,
            # A line for each HEAD: Django leaves to the server to send no body.
            "gunicorn.http.wsgi": {**handled, "level": "ERROR"},
            # Tells each sign-in, person by person.
            "axes": {**handled, "level": "ERROR"},
        },
    }


def start() -> None:
    """Sends what is logged through structlog to the standard library, where ``configuration`` masks and writes it."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_BEFORE,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    logging.captureWarnings(True)
