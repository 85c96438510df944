"""One e-mail is one function and three files: its snapshot is read like the letter that a person receives.

    def test_the_sign_in_link(…):
        accounts.emails.sign_in_link(link=link, token="jeton", at=AT)
        check_email(Message.objects.get(), __file__)

compares with ``snapshots/<kind>.txt`` and ``.html`` beside the test. ``UPDATE_SNAPSHOTS=1 pytest …`` writes them again;
the difference is then read in the commit.
"""

import os
import re
from html.parser import HTMLParser
from pathlib import Path

from django.conf import settings

from labonnealternance.mail.models import Message

SITE = "https://site.exemple.fr"
_LINK = re.compile(r"https?://[^\s<>\"']+")


class _Reader(HTMLParser):
    """Gathers the links of an HTML body, and what no mail client should be given."""

    def __init__(self):
        super().__init__()
        self.links: list[str] = []
        self.unwanted: list[str] = []

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            if name == "href":
                self.links.append(value or "")
            if name.startswith("on") or (name == "src" and not (value or "").startswith("data:")):
                self.unwanted.append(f"<{tag} {name}>")
        if tag in {"script", "link", "iframe", "form", "object"}:
            self.unwanted.append(f"<{tag}>")


def check_email(message: Message, test_file: str, *, replace: dict[str, str] | None = None) -> None:
    """Checks the rules that every e-mail keeps, then ``message`` against its snapshot.

    ``replace`` names what changes from a run to the next (a token, an id) and what stands for it.
    """
    text, html = message.text_body, message.html_body
    for old, new in {settings.SITE_URL: SITE, **(replace or {})}.items():
        text, html = text.replace(old, new), html.replace(old, new)

    reader = _Reader()
    reader.feed(html)
    assert reader.unwanted == [], "no script, no frame, no image from elsewhere"
    whole = ("https://", "http://", "mailto:", "tel:")
    assert [link for link in reader.links if not link.startswith(whole)] == [], "a link is a whole address"
    in_text = {link.rstrip(".,/") for link in _LINK.findall(text)}
    missing = [link for link in reader.links if link.startswith("http") and link.rstrip("/") not in in_text]
    assert [link for link in missing if link != SITE] == [], "whoever reads the text has the same links"
    for body in (message.subject, text, html):
        assert "{{" not in body
        assert "{%" not in body
    assert "Vous recevez cet e-mail" in text, "an e-mail says why it was received"
    assert "Vous recevez cet e-mail" in html, "an e-mail says why it was received"

    folder = Path(test_file).parent / "snapshots"
    name = message.kind.replace("/", "-")
    letters = {
        folder / f"{name}.txt": f"Objet : {message.subject}\nRépondre à : {message.reply_to or '—'}\n\n{text}",
        folder / f"{name}.html": html,
    }
    if os.environ.get("UPDATE_SNAPSHOTS") == "1":
        folder.mkdir(exist_ok=True)
        for path, letter in letters.items():
            path.write_text(letter)
    for path, letter in letters.items():
        assert path.exists(), f"UPDATE_SNAPSHOTS=1 pytest {Path(test_file).name} writes {path.name}"
        assert letter == path.read_text(), f"{path.name} changed"
