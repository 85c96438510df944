"""Writing an e-mail: in the caller's transaction, from three files, safe whatever people typed."""

import threading

import pytest
from django.db import connection, transaction
from django.template import TemplateDoesNotExist
from hypothesis import given
from hypothesis import strategies as st

from labonnealternance.kit.contacts import NotAnAddress
from labonnealternance.mail.enums import MessageStatus
from labonnealternance.mail.models import Message
from labonnealternance.mail.render import UnknownVariable, one_line
from tests.mail.conftest import AT

pytestmark = pytest.mark.django_db


class Undone(Exception):
    pass


def test_a_transaction_that_is_rolled_back_leaves_no_mail(write):
    with pytest.raises(Undone), transaction.atomic():
        write()
        raise Undone
    assert not Message.objects.exists()


def test_a_message_waits_in_the_outbox_with_all_it_needs(write):
    message = write(reply_to="Recruteur@Exemple.fr", to=" Zoe@Exemple.fr ", headers={"X-Offre": "1"})
    message.refresh_from_db()
    assert message.status == MessageStatus.QUEUED
    assert (message.kind, message.recipient, message.reply_to) == ("essai", "zoe@exemple.fr", "recruteur@exemple.fr")
    assert message.subject == "Bonjour Zoé"
    assert (message.created_at, message.next_attempt_at, message.attempts) == (AT, AT, 0)
    assert message.headers == {"X-Offre": "1"}


def test_the_text_says_what_is_meant_with_accents_and_why_it_was_received(write):
    message = write()
    assert "Votre offre « Boulanger·ère à Nœux » est en ligne." in message.text_body
    assert "Vous recevez cet e-mail parce que" in message.text_body
    assert "Vous recevez cet e-mail parce que" in message.html_body
    assert "\n\n\n" not in message.text_body


def test_html_is_escaped_and_text_is_not(write):
    message = write(context={"name": "<b>Jean & Fils</b>"})
    assert "Bonjour <b>Jean & Fils</b>," in message.text_body
    assert "Bonjour &lt;b&gt;Jean &amp; Fils&lt;/b&gt;," in message.html_body
    assert message.subject == "Bonjour <b>Jean & Fils</b>"


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r", "\x0b", "\x0c", "\x85", "\u2028", "\u2029", "\x00"])
def test_no_header_can_be_injected_through_the_subject(write, newline):
    message = write(context={"name": f"Zoé{newline}Bcc: tous@exemple.fr"})
    assert message.subject == "Bonjour Zoé Bcc: tous@exemple.fr"


@given(st.text())
def test_one_line_is_one_line_whatever_comes_in(text):
    line = one_line(text)
    assert len(line.splitlines()) <= 1
    assert not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in line)


def test_a_nul_character_does_not_reach_the_database(write):
    assert "Bonjour Zoé," in write(context={"name": "Zo\x00é"}).text_body


def test_a_long_subject_is_cut_and_says_so(write):
    message = write(context={"name": "é" * 400})
    assert len(message.subject) == 255
    assert message.subject.endswith("…")


@pytest.mark.parametrize(
    "headers",
    [
        {"Bcc": "tous@exemple.fr"},
        {"to": "tous@exemple.fr"},
        {"Message-ID": "<x@exemple.fr>"},
        {"Content-Type": "text/plain"},
        {"X-Note": "un\r\nBcc: tous@exemple.fr"},
        {"X-Note": "un\nBcc: tous@exemple.fr"},
        {"X-Note: a\r\nBcc": "tous@exemple.fr"},
        {"": "vide"},
    ],
)
def test_a_header_that_is_not_ours_to_add_is_refused(write, headers):
    with pytest.raises(ValueError, match="header"):
        write(headers=headers)
    assert not Message.objects.exists()


@pytest.mark.parametrize(
    "address",
    [
        "",
        "zoe",
        "zoe@",
        "Zoé <zoe@exemple.fr>",
        "zoe@exemple.fr, tous@exemple.fr",
        "zoe@exemple.fr\nBcc: tous@exemple.fr",
        "zoé@exemple.fr",
        "z" * 250 + "@exemple.fr",
    ],
)
def test_what_is_not_one_address_is_refused(write, address):
    with pytest.raises(NotAnAddress):
        write(to=address)
    if address:
        with pytest.raises(NotAnAddress):
            write(reply_to=address)


def test_a_variable_that_nobody_gave_stops_the_writing(write):
    with pytest.raises(UnknownVariable, match="person"):
        write(name="trop_curieux")


def test_an_attribute_that_does_not_exist_stops_the_writing(write):
    with pytest.raises(UnknownVariable, match="nickname"):
        write(name="trop_curieux", context={"person": object()})


def test_a_condition_on_an_unknown_variable_stops_the_writing(db):
    from labonnealternance.mail.render import render

    with pytest.raises(UnknownVariable, match="offer"):
        render("essai", {"name": "Zoé", "link": "http://exemple.fr"})


def test_an_email_without_subject_is_refused(write):
    with pytest.raises(ValueError, match="no subject"):
        write(name="sans_objet")


def test_an_email_without_its_files_is_refused(write):
    with pytest.raises(TemplateDoesNotExist):
        write(name="inconnu")


@pytest.mark.parametrize("name", ["../secret", "Essai", "", "essai/", "/essai", "a b"])
def test_the_name_of_an_email_is_a_folder_of_emails(write, name):
    with pytest.raises(ValueError, match="name of an e-mail"):
        write(name=name)


@pytest.mark.django_db(transaction=True)
def test_no_other_connection_sees_the_message_before_the_commit(write):
    seen = []

    def look():
        seen.append(Message.objects.count())
        connection.close()

    def from_elsewhere():
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()

    with transaction.atomic():
        write()
        from_elsewhere()
    from_elsewhere()
    assert seen == [0, 1]
