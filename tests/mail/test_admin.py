"""What support reads of e-mails, and the little that it does."""

from datetime import timedelta

import pytest
from django.urls import reverse

from labonnealternance.kit.admin import author
from labonnealternance.mail.actions import deliver, lift, suppress
from labonnealternance.mail.enums import MessageStatus, SuppressionReason, SuppressionSource
from labonnealternance.mail.models import Message, Suppression
from tests.mail.conftest import AT

pytestmark = pytest.mark.django_db

MESSAGES = "/admin/mail/message/"
SUPPRESSIONS = "/admin/mail/suppression/"


def test_rows_named_by_what_is_no_key_are_a_demand_that_cannot_be_read(office, write):
    write()
    for name in ("abc", "9" * 40, "a\0b"):
        answer = office.post(MESSAGES, {"action": "resend_chosen", "_selected_action": name, "index": "0"})
        assert answer.status_code == 400


def failed(write, **given):
    message = write(**given)
    message.provider_answer = "550 adresse inconnue"
    message.move(to=MessageStatus.FAILED, by=None, at=AT, reason="550 adresse inconnue")
    return message


def test_the_outbox_is_listed_filtered_and_searched_by_address(office, write):
    write(to="anais@exemple.fr")
    failed(write, to="zoe@exemple.fr")
    assert "anais@exemple.fr" in office.get(MESSAGES).content.decode()
    only_failed = office.get(MESSAGES, {"status__exact": "failed"}).content.decode()
    assert "zoe@exemple.fr" in only_failed
    assert "anais@exemple.fr" not in only_failed
    found = office.get(MESSAGES, {"q": "Anais@"}).content.decode()
    assert "anais@exemple.fr" in found
    assert "zoe@exemple.fr" not in found


def test_the_list_has_the_same_number_of_queries_with_one_row_and_with_three(
    office, write, django_assert_max_num_queries
):
    write()
    with django_assert_max_num_queries(30) as one:
        office.get(MESSAGES)
    write()
    write()
    with django_assert_max_num_queries(30) as three:
        office.get(MESSAGES)
    assert len(one) == len(three)


def test_a_message_shows_its_text_its_journal_and_the_servers_answer(office, write):
    page = office.get(f"{MESSAGES}{failed(write).pk}/change/").content.decode()
    assert "Votre offre « Boulanger·ère à Nœux » est en ligne." in page
    assert "550 adresse inconnue" in page
    assert "À envoyer" in page
    assert "Refusé" in page


class TestWhyDidItNotLeave:
    def why(self, office, message):
        form = office.get(f"{MESSAGES}{message.pk}/change/").context["adminform"]
        return str(form.model_admin.why(Message.objects.get(pk=message.pk)))

    @pytest.fixture(autouse=True)
    def now(self, time_machine):
        time_machine.move_to(AT + timedelta(minutes=1), tick=False)

    def test_it_left(self, office, write, server):
        message = write()
        deliver(message_id=message.pk, at=AT)
        assert self.why(office, message) == "Oui, le 02/03/2026 09:30 : le serveur l’a accepté."

    def test_it_waits_for_its_turn(self, office, write):
        assert self.why(office, write()) == "Pas encore : il attend son premier essai, prévu le 02/03/2026 09:30."

    def test_nothing_sends_any_more(self, office, write, time_machine):
        message = write()
        time_machine.move_to(AT + timedelta(minutes=6), tick=False)
        assert "l’envoi des e-mails est en retard ou arrêté" in self.why(office, message)

    def test_the_server_puts_it_off(self, office, write, server):
        server.data = "451 plus tard"
        message = write()
        deliver(message_id=message.pk, at=AT)
        told = self.why(office, message)
        assert "remis à plus tard par le serveur, 1 essai. Dernière réponse du serveur : « 451 plus tard »." in told
        assert "Prochain essai le 02/03/2026 09:31." in told

    def test_the_server_refused_it(self, office, write):
        told = self.why(office, failed(write))
        assert "Non : refusé pour de bon" in told
        assert "« 550 adresse inconnue »" in told

    def test_the_address_is_set_aside_and_the_line_says_why_and_by_whom(self, office, support, write):
        waiting, message = write(), write()
        suppression = suppress(
            address="zoe@exemple.fr", reason=SuppressionReason.REQUEST, source=SuppressionSource.SUPPORT, by=support,
            at=AT, comment="Au téléphone <hier>",
        )  # fmt: skip
        deliver(message_id=message.pk, at=AT)
        told = self.why(office, message)
        assert told.startswith("Non : l’adresse était écartée.")
        assert f"Demande de la personne, par {author(support)} (« Au téléphone &lt;hier&gt; »)" in told
        assert f"{SUPPRESSIONS}{suppression.pk}/change/" in told
        assert "il ne partira pas" in self.why(office, waiting)
        lift(address="zoe@exemple.fr", by=support, at=AT, reason="Elle rappelle")
        told = self.why(office, message)
        assert "« Renvoyer » l’envoie" in told
        assert f"rétablie le 02/03/2026 09:30 par {author(support)}" in told


def test_a_message_cannot_be_edited_deleted_or_added(office, write):
    message = write()
    assert office.post(f"{MESSAGES}{message.pk}/change/", {"subject": "Autre"}).status_code == 403
    assert office.post(f"{MESSAGES}{message.pk}/delete/", {"post": "yes"}).status_code == 403
    assert office.get(f"{MESSAGES}add/").status_code == 403
    message.refresh_from_db()
    assert message.subject == "Bonjour Zoé"


def test_support_does_not_read_a_link_that_opens_a_session(office, write, server):
    message = write(confidential=True, context={"link": "http://exemple.fr/lien-secret"})
    page = office.get(f"{MESSAGES}{message.pk}/change/").content.decode()
    assert "lien-secret" not in page
    assert "Confidentiel" in page
    deliver(message_id=message.pk, at=AT)
    page = office.get(f"{MESSAGES}{message.pk}/change/").content.decode()
    assert "lien-secret" not in page
    assert "Effacé le 02/03/2026" in page


def test_a_refused_message_is_sent_again_as_a_copy_with_an_author(office, support, write):
    message = failed(write)
    answer = office.post(f"{MESSAGES}{message.pk}/resend/", follow=True)
    assert "La copie est prête à partir." in answer.content.decode()
    copy = Message.objects.get(copy_of=message)
    assert copy.status == MessageStatus.QUEUED
    assert copy.message_id != message.message_id
    assert (copy.recipient, copy.subject, copy.text_body, copy.html_body, copy.reply_to, copy.headers) == (
        message.recipient, message.subject, message.text_body, message.html_body, message.reply_to, message.headers,
    )  # fmt: skip
    assert copy.journal.get().by == support
    message.refresh_from_db()
    assert message.status == MessageStatus.FAILED
    assert "renvoyé le" in answer.content.decode()


def test_a_message_that_is_about_to_leave_is_not_sent_again(office, write):
    message = write()
    assert "/resend/" not in office.get(f"{MESSAGES}{message.pk}/change/").content.decode()
    office.post(f"{MESSAGES}{message.pk}/resend/")
    assert Message.objects.count() == 1


def test_several_messages_are_sent_again_and_those_that_cannot_are_named(office, write):
    refused, waiting = failed(write), write(context={"name": "Anaïs"})
    page = office.post(
        MESSAGES, {"action": "resend_chosen", "_selected_action": [refused.pk, waiting.pk]}, follow=True
    ).content.decode()
    assert "1 e-mail est prêt à partir." in page
    assert "« Bonjour Anaïs » : Cet e-mail est encore à envoyer." in page
    assert Message.objects.count() == 3


def test_support_sets_an_address_aside(office, support):
    office.post(f"{SUPPRESSIONS}add/", {"address": "Zoe@Exemple.fr", "reason": "request", "comment": "Au téléphone"})
    found = Suppression.objects.get()
    assert (found.address, found.reason, found.source, found.by, found.comment) == (
        "zoe@exemple.fr", "request", "support", support, "Au téléphone",
    )  # fmt: skip


def test_an_address_already_set_aside_is_told(office):
    given = {"address": "zoe@exemple.fr", "reason": "request"}
    office.post(f"{SUPPRESSIONS}add/", given)
    page = office.post(f"{SUPPRESSIONS}add/", {**given, "address": "ZOE@exemple.fr"})
    assert "Cette adresse est déjà écartée." in page.content.decode()
    assert Suppression.objects.count() == 1


def test_an_address_is_put_back_with_a_reason_and_an_author(office, support):
    held = suppress(
        address="zoe@exemple.fr", reason=SuppressionReason.BOUNCE, source=SuppressionSource.PROVIDER, by=None, at=AT
    )
    url = f"{SUPPRESSIONS}{held.pk}/lift/"
    assert url in office.get(f"{SUPPRESSIONS}{held.pk}/change/").content.decode()
    office.post(url, {"reason": "  "})
    assert Suppression.objects.in_force().exists()
    page = office.post(url, {"reason": "Boîte rouverte"}, follow=True).content.decode()
    assert "L’adresse est rétablie." in page.replace("&#x27;", "'")
    held.refresh_from_db()
    assert (held.lifted_by, held.lift_reason) == (support, "Boîte rouverte")
    assert url not in page


def test_suppressions_are_listed_and_searched(office):
    for address in ("anais@exemple.fr", "zoe@exemple.fr"):
        suppress(
            address=address,
            reason=SuppressionReason.BOUNCE,
            source=SuppressionSource.PROVIDER,
            by=None,
            at=AT - timedelta(days=1),
        )
    page = office.get(SUPPRESSIONS, {"q": "Zoe"}).content.decode()
    assert "zoe@exemple.fr" in page
    assert "anais@exemple.fr" not in page


@pytest.mark.parametrize("url", [MESSAGES, SUPPRESSIONS])
def test_nobody_else_comes_in(client, url):
    assert client.get(url).status_code == 302
    assert reverse("admin:login") in client.get(url)["Location"]
