"""What the tests of a recruiter's way in share: what they type, and pages as they read."""

import datetime as dt
import html
import re
import uuid

from django.utils import timezone

from companies.enums import RomeItemKind
from companies.models import RomeItem
from tests.offers.public_town import BAKER, build_references

REGISTER, CONTACT = "/recruteur/inscription/", "/recruteur/inscription/contact/"
OFFER, DONE = "/recruteur/inscription/offre/", "/recruteur/inscription/merci/"
TITLE = "Boulanger / Boulangère"
SKILLS = ["Pétrir une pâte", "Conduire une cuisson", "Façonner des pains"]
KNOWLEDGE = ["Types de farine"]
PERSON = {"first_name": "Camille", "last_name": "Exemple", "phone": "01 99 00 12 34", "email": "Camille@exemple.fr"}

# What no form expects; each is answered by a page.
BAD_TEXTS = {
    "emoji": "🥖👩‍🍳",
    "right to left": "مخبز",
    "turned order": "abc\u202egpj.exe",
    "10 000 characters": "a" * 10_000,
    "script": "<script>alert(1)</script>",
    "nul": "a\0b",
    "lone mark": "\u0301\u0301",
    "markup": '"><img src=x onerror=alert(1)>',
    "template": "{{7*7}}{%debug%}",
    "header": "a\r\nSet-Cookie: a=b",
    "spaces": " \u00a0\u200b ",
    "number": "99999999999999999999999",
    "negative": "-1",
    "percent": "%s%(a)s",
}


def build_jobs() -> None:
    """Jobs, and a sheet for the baker's."""
    build_references()
    for n, label in enumerate(SKILLS):
        RomeItem.objects.create(rome_id=BAKER, kind=RomeItemKind.SKILL, ogr=100 + n, label=label)
    for n, label in enumerate(KNOWLEDGE):
        RomeItem.objects.create(rome_id=BAKER, kind=RomeItemKind.KNOWLEDGE, ogr=200 + n, label=label)


def start() -> dt.date:
    return timezone.localdate() + dt.timedelta(days=30)


def typed(**changes) -> dict:
    """A form of an offer as the page sends it when only the title and the start are given; None leaves a field out."""
    told = {
        "action": "publish",
        "deposit_key": str(uuid.uuid4()),
        "job": TITLE,
        "ogr": "",
        "starts_on": start().isoformat(),
        "custom_title": "",
        "contract_types": ["apprenticeship"],
        "level": "",
        "duration_months": "12",
        "positions": "1",
        "presentation": "",
        "question_1": "",
        "question_2": "",
        "question_3": "",
    } | changes
    return {name: value for name, value in told.items() if value is not None}


def words(answer) -> str:
    """A page as it reads."""
    bare = re.sub(r"<(script|style).*?</\1>", " ", answer.text, flags=re.DOTALL)
    text = html.unescape(re.sub(r"<[^>]+>", " ", bare))
    return " ".join(text.replace("\u00a0", " ").replace("\u202f", " ").split())


def check_page(answer, *, asked: object) -> None:
    """A page, whatever was sent: no fault, nothing of ours, nothing of theirs that lives."""
    assert answer.status_code in {200, 302, 400}, (asked, answer.status_code)
    assert "⟪variable inconnue" not in answer.text, asked
    assert "<script>alert(1)" not in answer.text, asked
    assert "<img src=x" not in answer.text, asked
    assert "a=b" not in str(answer.cookies), asked
