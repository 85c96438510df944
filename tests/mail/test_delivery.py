"""What each answer of a real SMTP server does to a message."""

from datetime import timedelta
from smtplib import SMTPAuthenticationError, SMTPConnectError, SMTPHeloError

import pytest

from labonnealternance.mail import actions, delivery
from labonnealternance.mail.enums import MessageStatus, SuppressionReason, SuppressionSource
from labonnealternance.mail.models import RETRY_DELAYS, Message
from tests.mail.conftest import AT

pytestmark = pytest.mark.django_db


def deliver(message, at=AT):
    actions.deliver(message_id=message.pk, at=at)
    message.refresh_from_db()
    return message


def test_an_accepted_message_is_sent_once_with_its_id(write, server):
    message = deliver(write(reply_to="recruteur@exemple.fr", headers={"X-Offre": "1"}))
    assert (message.status, message.sent_at, message.attempts) == (MessageStatus.SENT, AT, 1)
    assert message.next_attempt_at is None
    (mail,) = server.received
    assert mail["Message-ID"] == message.message_id == f"<{message.pk}@labonnealternance.invalid>"
    assert mail["To"] == "zoe@exemple.fr"
    assert mail["Reply-To"] == "recruteur@exemple.fr"
    assert mail["X-Offre"] == "1"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Subject"] == "Bonjour Zoé"
    assert "Boulanger·ère à Nœux" in mail.get_body(("plain",)).get_content()
    assert "Boulanger·ère à Nœux" in mail.get_body(("html",)).get_content()
    deliver(message)
    assert len(server.received) == 1


def test_the_journal_tells_each_attempt(write, server):
    server.data = "451 revenez plus tard"
    message = deliver(write())
    server.data = "250 OK"
    deliver(message, at=message.next_attempt_at)
    lines = message.journal.order_by("pk").values_list("from_status", "to_status", "by", "at", "reason")
    assert list(lines) == [
        ("queued", "queued", None, AT, "451 revenez plus tard"),
        ("queued", "sent", None, AT + RETRY_DELAYS[0], "Accepté par le serveur"),
    ]


@pytest.mark.parametrize("step", ["rcpt", "data"])
def test_a_4xx_is_tried_again_later(write, server, step):
    setattr(server, step, "450 boîte occupée")
    message = deliver(write())
    assert (message.status, message.attempts) == (MessageStatus.QUEUED, 1)
    assert message.next_attempt_at == AT + timedelta(minutes=1)
    assert message.provider_answer == "450 boîte occupée"
    assert deliver(message).attempts == 1, "not before its time"


@pytest.mark.parametrize("step", ["rcpt", "data"])
def test_a_5xx_is_final_visible_and_told(write, server, step, caplog):
    setattr(server, step, "550 adresse inconnue")
    message = deliver(write())
    assert (message.status, message.attempts) == (MessageStatus.FAILED, 1)
    assert message.provider_answer == "550 adresse inconnue"
    assert message.next_attempt_at is None
    told = [record for record in caplog.records if record.levelname == "ERROR"]
    assert len(told) == 1
    assert str(message.pk) in told[0].getMessage()
    assert "zoe" not in told[0].getMessage()
    deliver(message, at=AT + timedelta(days=1))
    assert message.attempts == 1


def test_a_server_that_hangs_costs_its_timeout_and_the_message_is_kept(write, server, settings):
    server.hang = True
    settings.EMAIL_TIMEOUT = 1
    message = deliver(write())
    assert message.status == MessageStatus.QUEUED
    assert message.next_attempt_at == AT + RETRY_DELAYS[0]
    assert "timed out" in message.provider_answer


def test_a_line_dropped_after_data_repeats_the_message_under_the_same_id(write, server):
    server.drop = True
    message = deliver(write())
    assert message.status == MessageStatus.QUEUED
    server.drop = False
    deliver(message, at=message.next_attempt_at)
    assert message.status == MessageStatus.SENT
    assert server.message_ids == [message.message_id, message.message_id]


def test_a_server_that_is_down_puts_the_message_off(write, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    message = deliver(write())
    assert message.status == MessageStatus.QUEUED
    assert "ConnectionRefusedError" in message.provider_answer


def test_a_password_that_the_server_refuses_is_not_the_messages_fault(write, server, settings):
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "compte", "faux"
    assert deliver(write()).status == MessageStatus.QUEUED
    assert server.received == []


@pytest.mark.parametrize("code", [535, 554])
def test_a_5xx_before_the_message_is_spoken_of_puts_it_off(code):
    for fault in (SMTPAuthenticationError(code, b"no"), SMTPHeloError(code, b"no"), SMTPConnectError(code, b"no")):
        assert isinstance(delivery.read_fault(fault), delivery.PutOff)


def test_a_fault_that_nobody_foresaw_puts_the_message_off(write, settings):
    settings.EMAIL_BACKEND = "tests.mail.test_delivery.BrokenBackend"
    message = deliver(write())
    assert message.status == MessageStatus.QUEUED
    assert message.provider_answer == "ZeroDivisionError: division by zero"


class BrokenBackend:
    def __init__(self, **_):
        pass

    def open(self):
        return 1 / 0

    def close(self):
        pass


def test_delays_grow_and_last_24_hours():
    assert sum(RETRY_DELAYS, timedelta()) == timedelta(hours=24)
    assert list(RETRY_DELAYS) == sorted(RETRY_DELAYS)


def test_a_message_put_off_for_24_hours_has_failed(write, server):
    server.rcpt = "450 plus tard"
    message = write()
    moments = []
    while message.status == MessageStatus.QUEUED:
        moments.append(message.next_attempt_at)
        deliver(message, at=message.next_attempt_at)
    assert message.status == MessageStatus.FAILED
    assert moments[0] == AT
    assert moments[-1] == AT + timedelta(hours=24)
    assert message.attempts == message.journal.count() == len(RETRY_DELAYS) + 1


def test_nothing_is_sent_to_a_suppressed_address(write, server):
    message = write(to="Zoe@exemple.fr")
    actions.suppress(
        address="ZOE@exemple.fr", reason=SuppressionReason.BOUNCE, source=SuppressionSource.PROVIDER, by=None, at=AT
    )
    deliver(message)
    assert (message.status, message.attempts) == (MessageStatus.SUPPRESSED, 0)
    assert server.received == []
    actions.lift(address="zoe@exemple.fr", by=None, at=AT, reason="Boîte rouverte")
    assert deliver(write()).status == MessageStatus.SENT


def test_a_confidential_message_is_emptied_once_it_has_left(write, server):
    message = deliver(write(confidential=True))
    assert "http://exemple.fr/offre/1" in server.received[0].get_body(("plain",)).get_content()
    assert message.text_body == message.html_body == ""
    assert message.erased_at == AT
    with pytest.raises(actions.NothingToResend):
        actions.resend(message_id=message.pk, by=None, at=AT)


def test_a_confidential_message_that_is_put_off_keeps_its_text(write, server):
    server.data = "450 plus tard"
    assert deliver(write(confidential=True)).text_body


def test_the_sweeper_sends_all_that_is_due_through_one_connection(write, server):
    late = write(at=AT - timedelta(hours=2), context={"name": "A"})
    for name in "BCD":
        write(context={"name": name})
    write(at=AT + timedelta(minutes=1))
    counts = actions.deliver_due(at=AT, clock=lambda: AT)
    assert counts == {"queued": 0, "sent": 4, "failed": 0, "suppressed": 0}
    assert server.connections == 1
    assert server.message_ids[0] == late.message_id
    assert Message.objects.queued().count() == 1


def test_one_refused_message_does_not_stop_the_others(write, server):
    server.rcpt = lambda address: "550 inconnue" if address.startswith("non") else "250 OK"
    for address in ("non1@exemple.fr", "oui1@exemple.fr", "non2@exemple.fr", "oui2@exemple.fr"):
        write(to=address)
    counts = actions.deliver_due(at=AT, clock=lambda: AT)
    assert (counts["sent"], counts["failed"]) == (2, 2)
    assert {mail["To"] for mail in server.received} == {"oui1@exemple.fr", "oui2@exemple.fr"}


def test_the_sweeper_stops_at_a_server_that_is_down_and_spends_one_attempt_only(write, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    for _ in range(5):
        write()
    actions.deliver_due(at=AT, clock=lambda: AT)
    assert sorted(Message.objects.values_list("attempts", flat=True)) == [0, 0, 0, 0, 1]


def test_a_message_that_no_worker_took_for_days_is_still_sent(write, server):
    assert deliver(write(), at=AT + timedelta(days=3)).status == MessageStatus.SENT


def test_the_web_never_waits_longer_than_ten_seconds_for_a_mail_server():
    from labonnealternance.mail import transport

    assert transport.TIMEOUT <= 10


def test_the_envelope_holds_one_recipient(write):
    assert delivery.envelope(write()).recipients() == ["zoe@exemple.fr"]
