"""What each answer of a provider's API does to a message: Anymail's own code, and a real HTTP server."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from labonnealternance.mail import actions, transport
from labonnealternance.mail.enums import MessageStatus
from tests.mail.conftest import AT

pytestmark = pytest.mark.django_db


class Api:
    """Answers ``status`` and ``answer`` to each POST, and keeps what was posted."""

    def __init__(self):
        self.status, self.answer, self.posted = 201, {"messageId": "<42@fournisseur.example>"}, []
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                api.posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                content = json.dumps(api.answer).encode()
                self.send_response(api.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"


@pytest.fixture
def api(settings):
    api = Api()
    thread = threading.Thread(target=api.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    found = transport.read(f"anymail+brevo://?api_key=cle&api_url={api.url}")
    settings.EMAIL_BACKEND, settings.ANYMAIL = found.backend, found.anymail
    yield api
    api.server.shutdown()
    thread.join()
    api.server.server_close()


def deliver(message):
    actions.deliver(message_id=message.pk, at=AT)
    message.refresh_from_db()
    return message


def test_what_the_provider_takes_is_sent_with_our_message_id_and_its_answer_is_kept(write, api):
    message = deliver(write())
    assert message.status == MessageStatus.SENT
    assert "42@fournisseur.example" in message.provider_answer
    (posted,) = api.posted
    assert posted["to"] == [{"email": "zoe@exemple.fr"}]
    assert posted["subject"] == "Bonjour Zoé"
    assert posted["headers"]["Message-ID"] == message.message_id


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_message_that_the_provider_refuses_has_failed(write, api, status):
    api.status, api.answer = status, {"code": "invalid_parameter", "message": "email is not valid"}
    message = deliver(write())
    assert message.status == MessageStatus.FAILED
    assert "email is not valid" in message.provider_answer


@pytest.mark.parametrize("status", [401, 402, 403, 404, 408, 429, 500, 502, 503])
def test_a_provider_that_is_down_full_or_does_not_know_us_is_tried_again(write, api, status):
    api.status = status
    message = deliver(write())
    assert message.status == MessageStatus.QUEUED
    assert message.attempts == 1


def test_a_provider_that_does_not_answer_is_tried_again(write, settings):
    found = transport.read("anymail+brevo://?api_key=cle&api_url=http://127.0.0.1:1/")
    settings.EMAIL_BACKEND, settings.ANYMAIL = found.backend, found.anymail
    assert deliver(write()).status == MessageStatus.QUEUED


def test_the_key_is_not_kept_with_the_answer(write, api):
    api.status, api.answer = 401, {"message": "Key not found"}
    assert "cle" not in deliver(write()).provider_answer
