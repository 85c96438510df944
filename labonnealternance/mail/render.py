"""An e-mail from its three files: ``emails/<name>/{subject.txt,body.txt,body.html}``.

A variable that the context does not hold stops the writing, in production too: a letter that starts with "Bonjour ,"
has already left when someone reads it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.conf import settings
from django.template import Context
from django.template.backends.django import DjangoTemplates
from django.template.engine import Engine

from labonnealternance.mail.models import LONGEST_SUBJECT

NAME = re.compile(r"[a-z][a-z0-9_]*(/[a-z][a-z0-9_]*)*")

# Control characters but the tab and the line feed: no letter needs them, and PostgreSQL refuses the first one.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_EMPTY_LINES = re.compile(r"\n[ \t]*(\n[ \t]*)+\n")


class UnknownVariable(Exception):
    """A template of an e-mail names a variable that its context does not hold."""


@dataclass(frozen=True)
class Rendered:
    """An e-mail as it is read: ``subject`` on one line, both bodies whole."""

    subject: str
    text: str
    html: str


class _Loud(str):
    """What Django writes in place of an attribute that is not there: nothing, loudly."""

    def __mod__(self, variable):
        raise UnknownVariable(str(variable))


class _StrictContext(Context):
    """A context in which a name that nobody gave is a fault, in ``{% if %}`` and ``{% for %}`` too."""

    def __getitem__(self, key):
        try:
            return super().__getitem__(key)
        except KeyError:
            raise UnknownVariable(key) from None


@cache
def _engine(*, autoescape: bool) -> Engine:
    return DjangoTemplates(
        {
            "NAME": "emails",
            "DIRS": settings.TEMPLATES[0]["DIRS"],
            "APP_DIRS": True,
            "OPTIONS": {"autoescape": autoescape, "string_if_invalid": _Loud("%s")},
        }
    ).engine


def _render(template: str, context: Mapping[str, Any], *, autoescape: bool) -> str:
    found = _engine(autoescape=autoescape).get_template(template)
    return found.render(_StrictContext(dict(context), autoescape=autoescape))


def _clean(text: str) -> str:
    return _CONTROLS.sub("", text.replace("\r\n", "\n")).strip() + "\n"


def one_line(text: str) -> str:
    """``text`` without line breaks nor control characters, spaces reduced to one: safe as a header's value."""
    return " ".join(_CONTROLS.sub(" ", text).split())


def render(name: str, context: Mapping[str, Any]) -> Rendered:
    """The e-mail ``name`` with ``context``, to which ``site_name``, ``site_url`` and ``subject`` are added.

    Raises ``UnknownVariable``, and ``TemplateDoesNotExist`` when one of the three files is missing.
    """
    if not NAME.fullmatch(name):
        raise ValueError(f"Not the name of an e-mail: {name!r}")
    known = {"site_name": settings.SITE_NAME, "site_url": settings.SITE_URL, **context}
    subject = one_line(_render(f"emails/{name}/subject.txt", known, autoescape=False))
    if not subject:
        raise ValueError(f"The e-mail {name!r} has no subject.")
    if len(subject) > LONGEST_SUBJECT:
        subject = subject[: LONGEST_SUBJECT - 1].rstrip() + "…"
    known["subject"] = subject
    text = _render(f"emails/{name}/body.txt", known, autoescape=False)
    return Rendered(
        subject=subject,
        text=_EMPTY_LINES.sub("\n\n", _clean(text)),
        html=_clean(_render(f"emails/{name}/body.html", known, autoescape=True)),
    )
