"""The development mailbox: what left is read by a person or by a script, and nowhere but on a laptop."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse

from labonnealternance.mail import actions, mailbox
from labonnealternance.mail.enums import MessageStatus
from tests.mail.conftest import AT

pytestmark = pytest.mark.django_db
URL = "/boite-aux-lettres/"


@pytest.fixture
def folder(settings, tmp_path):
    settings.EMAIL_BACKEND = "labonnealternance.mail.mailbox.MailboxBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path / "mailbox")
    return tmp_path / "mailbox"


@pytest.fixture
def left(write, folder):
    """Writes an e-mail and lets it leave."""

    def send(**given):
        message = actions.deliver(message_id=write(**given).pk, at=AT)
        assert message.status == MessageStatus.SENT
        return message

    return send


def test_the_page_has_its_address():
    assert reverse("mail:mailbox") == URL


def test_an_empty_mailbox_says_so(client, folder):
    page = client.get(URL)
    assert page.status_code == 200
    assert "Aucun e-mail n’est encore parti." in page.content.decode()


def test_mails_are_listed_newest_first_without_signing_in(client, left):
    for name in ("Anaïs", "Zoé"):
        left(context={"name": name})
    page = client.get(URL).content.decode()
    assert page.index("Bonjour Zoé") < page.index("Bonjour Anaïs")
    assert "2 e-mails" in page


def test_a_file_is_a_whole_eml_and_nothing_else_is_left(left, folder):
    message = left()
    (file,) = folder.iterdir()
    assert file.suffix == ".eml"
    assert message.message_id.encode() in file.read_bytes()


def test_a_mail_opens_with_its_headers_text_and_links(client, left):
    message = left(context={"link": "http://127.0.0.1:8000/compte/lien/abc?a=1&b=2"})
    (mail,) = mailbox.kept()
    page = client.get(f"{URL}{mail.name}/").content.decode()
    assert '<a href="http://127.0.0.1:8000/compte/lien/abc?a=1&amp;b=2">' in page
    assert "Votre offre « Boulanger·ère à Nœux » est en ligne." in page
    assert message.message_id.replace("<", "&lt;").replace(">", "&gt;") in page
    assert "zoe@exemple.fr" in page


def test_what_a_mail_says_is_escaped_on_the_page(client, left):
    left(context={"name": "<script>alert(1)</script>"})
    (mail,) = mailbox.kept()
    for url in (URL, f"{URL}{mail.name}/"):
        assert "<script>alert" not in client.get(url).content.decode()


def test_the_html_is_shown_in_a_frame_where_nothing_runs(client, left):
    left()
    (mail,) = mailbox.kept()
    page = client.get(f"{URL}{mail.name}/")
    assert re.search(rf'<iframe[^>]* src="{URL}{mail.name}/html/"[^>]* sandbox="allow-popups ', page.content.decode())
    assert "frame-src 'self'" in page["Content-Security-Policy"]
    html = client.get(f"{URL}{mail.name}/html/")
    directives = html["Content-Security-Policy"]
    assert "default-src 'none'" in directives
    assert "sandbox allow-popups" in directives
    assert "script-src" not in directives
    assert "allow-scripts" not in directives
    assert "frame-ancestors 'self'" in directives
    assert html["X-Frame-Options"] == "SAMEORIGIN"
    assert '<base target="_blank">' in html.content.decode()
    assert "Boulanger·ère à Nœux" in html.content.decode()


def test_a_script_reads_the_last_mail_to_an_address(client, left):
    left(to="autre@exemple.fr")
    left(context={"link": "http://exemple.fr/premier"})
    message = left(context={"link": "http://exemple.fr/second."})
    answer = client.get(URL, {"to": "ZOE@exemple.fr", "format": "json"}).json()
    assert len(answer["messages"]) == 2
    last = answer["messages"][0]
    assert last["to"] == "zoe@exemple.fr"
    assert last["subject"] == "Bonjour Zoé"
    assert last["message_id"] == message.message_id
    assert last["links"][0] == "http://exemple.fr/second"
    assert "Boulanger·ère à Nœux" in last["text"]
    assert last["html"].startswith("<!DOCTYPE html>")
    assert client.get(f"{URL}{last['name']}/", {"format": "json"}).json() == last


def test_the_list_is_bounded(client, left):
    for number in range(55):
        left(context={"name": str(number)})
    assert len(client.get(URL, {"format": "json"}).json()["messages"]) == 50


@pytest.mark.parametrize("name", ["20260302T083000000000-0123456789abcdef", "inconnu", "..", "%2e%2e%2fsecret"])
def test_a_mail_that_is_not_there_is_not_found(client, folder, name):
    assert client.get(f"{URL}{name}/").status_code == 404
    assert client.get(f"{URL}{name}/html/").status_code == 404


def test_only_files_of_the_mailbox_are_read(client, left, folder):
    left()
    (folder / "secret.eml").write_text("Subject: secret\n\nsecret")
    assert "secret" not in client.get(URL).content.decode()
    assert client.get(f"{URL}secret/").status_code == 404


def test_nothing_is_there_when_emails_really_leave(client, left, settings):
    left()
    (mail,) = mailbox.kept()
    pages = (URL, f"{URL}?format=json", f"{URL}{mail.name}/", f"{URL}{mail.name}/html/")
    assert {client.get(url).status_code for url in pages} == {200}
    settings.EMAIL_URL = "smtp://relais"
    assert {client.get(url).status_code for url in pages} == {404}


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_the_mailbox_only_shows(client, folder, method):
    assert getattr(client, method)(URL).status_code == 405


def test_private_pages_are_not_kept_by_the_browser(client, folder):
    assert "no-store" in client.get(URL)["Cache-Control"]


def test_a_mail_received_in_summer_is_shown_in_paris_time(client, left, folder):
    left()
    (file,) = folder.iterdir()
    file.rename(folder / "20260702T080000000000-0123456789abcdef.eml")
    assert "02/07/2026 10:00:00" in client.get(URL).content.decode()
    assert mailbox.kept()[0].received_at.utcoffset() == timedelta(0)
