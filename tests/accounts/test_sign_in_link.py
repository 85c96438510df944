"""Sign-in by a link: single use, ten minutes, only on POST, bound to its address, renewed once expired.

Nothing is told about who has an account.
"""

import datetime as dt
import re
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
import time_machine
from celery import current_app
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from labonnealternance.accounts import actions, emails
from labonnealternance.accounts.actions import LINKS_PER_ADDRESS, LINKS_PER_NETWORK
from labonnealternance.accounts.enums import Role
from labonnealternance.accounts.models import SignInLink, User
from labonnealternance.accounts.views import ANSWER_SECONDS
from labonnealternance.kit.models import Counter
from labonnealternance.mail.models import Message
from tests.factories import RegistrationFactory, StaffFactory, UserFactory

pytestmark = pytest.mark.django_db

SIGN_IN = "/compte/connexion/"
EXPIRED = "Ce lien de connexion a expiré ou a déjà servi : demandez-en un autre."


@pytest.fixture(autouse=True)
def no_wait(request, monkeypatch):
    if "lasts" not in request.node.name:
        monkeypatch.setattr("labonnealternance.accounts.views.ANSWER_SECONDS", 0)


def ask(client, email, **more):
    return client.post(SIGN_IN, {"email": email, "next": "", **more})


def link_to(user) -> str:
    """The address in the last e-mail to ``user``, as typed in a browser's bar."""
    message = Message.objects.filter(recipient=user.email).latest("created_at")
    return re.search(r"https?://\S+/lien/\S+", message.text_body).group()


@pytest.fixture
def user():
    return UserFactory()


@pytest.fixture
def path(client, user):
    ask(client, user.email)
    return urlsplit(link_to(user)).path


def is_signed_in(client) -> bool:
    return SESSION_KEY in client.session


def test_the_link_signs_in_on_post_and_opens_the_person_s_space(client, user, path):
    page = client.get(path)
    assert page.status_code == 200
    assert "Me connecter" in page.text
    answer = client.post(path, follow=True)
    assert answer.redirect_chain == [("/recruteur/", 302)]
    assert user.email in client.get("/compte/").text


@pytest.mark.parametrize(
    ("roles", "opened"),
    [([Role.RECRUITER], "/recruteur/"), ([Role.ADVISOR], "/opco/"), ([Role.ADVISOR, Role.RECRUITER], "/opco/")],
)
def test_signing_in_opens_the_space_of_the_person_s_role(client, user, path, roles, opened):
    for role in roles:
        actions.give_role(user=user, role=role)
    assert client.post(path).url == opened


@pytest.mark.parametrize("method", ["get", "head", "options", "put"])
def test_only_post_consumes_the_link(client, path, method):
    getattr(client, method)(path)
    assert not is_signed_in(client)
    assert SignInLink.objects.get().used_at is None
    assert client.post(path).status_code == 302


def test_a_link_is_used_once(client, path):
    client.post(path)
    other = Client()
    again = other.post(path)
    assert again.status_code == 410
    assert EXPIRED in again.text
    assert f'action="{SIGN_IN}"' in again.text
    assert not is_signed_in(other)


@pytest.mark.parametrize("minutes, signs_in", [(9, True), (11, False)])
def test_a_link_is_valid_ten_minutes(client, path, minutes, signs_in):
    with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(minutes=minutes)):
        assert client.get(path).status_code == (200 if signs_in else 410)
        client.post(path)
    assert is_signed_in(client) is signs_in


@pytest.mark.parametrize("token", ["x", "a" * 43, "é", "%00", "a" * 3000])
def test_an_unknown_link_says_the_same_sentence(client, token):
    for answer in (client.get(f"/compte/lien/{token}/"), client.post(f"/compte/lien/{token}/")):
        assert answer.status_code == (400 if token == "%00" else 410)
        assert token == "%00" or EXPIRED in answer.text


def test_what_the_table_keeps_does_not_open_a_session(client, path):
    digest = SignInLink.objects.get().digest
    assert digest not in path
    assert len(path.split("/")[-2]) == 43
    assert client.post(f"/compte/lien/{digest}/").status_code == 410


@pytest.mark.django_db(transaction=True)
def test_of_eight_posts_at_the_same_moment_one_opens_a_session(client, user, path):
    clients = [Client() for _ in range(8)]

    def press(one):
        try:
            return one.post(path).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(press, clients))
    assert sorted(answers) == [302] + [410] * 7
    assert sum(is_signed_in(one) for one in clients) == 1


def test_the_session_changes_its_name_at_sign_in(client, path):
    session = client.session
    session["before"] = True
    session.save()
    before = client.session.session_key
    client.post(path)
    assert client.session.session_key != before


def test_the_link_is_built_from_the_site_address_not_from_the_host_of_the_request(client, user, settings):
    settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "autre.exemple.fr"]
    client.post(SIGN_IN, {"email": user.email}, headers={"host": "autre.exemple.fr"})
    assert link_to(user).startswith(settings.SITE_URL + "/compte/lien/")


def test_an_unknown_host_is_refused(client, user):
    assert client.post(SIGN_IN, {"email": user.email}, headers={"host": "mechant.exemple.fr"}).status_code == 400
    assert not Message.objects.exists()


def test_known_and_unknown_addresses_read_the_same_answer(client, user):
    known, unknown = ask(client, user.email), ask(client, "inconnu@exemple.fr")
    assert (known.status_code, known.url) == (unknown.status_code, unknown.url) == (302, "/compte/connexion/envoye/")
    assert "Si un compte existe à cette adresse" in client.get(known.url).text
    assert [message.recipient for message in Message.objects.all()] == [user.email]


def test_an_answer_lasts_about_as_long_for_a_known_and_an_unknown_address(client, user):
    def seconds(email):
        begun = time.perf_counter()
        ask(client, email)
        return time.perf_counter() - begun

    # The shortest of each, asked again on a busy machine: what it adds says nothing of the address.
    known, unknown = [], []
    while len(known) < 2 or (abs(min(known) - min(unknown)) >= 0.05 and len(known) < 20):
        Counter.objects.all().delete()
        known.append(seconds(user.email))
        unknown.append(seconds("inconnu@exemple.fr"))
    assert min(*known, *unknown) >= ANSWER_SECONDS
    assert abs(min(known) - min(unknown)) < 0.05


@pytest.mark.django_db(transaction=True)
def test_an_answer_lasts_as_long_for_a_known_address_while_the_broker_hangs(client, user, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setattr(current_app.conf, "broker_write_url", f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
        seconds: list[float] = []
        while not seconds or (min(seconds) >= ANSWER_SECONDS + 0.05 and len(seconds) < 20):
            Counter.objects.all().delete()
            monkeypatch.setattr("labonnealternance.mail.actions.outbox._broker_is_silent_until", 0.0)
            begun = time.perf_counter()
            ask(client, user.email)
            seconds.append(time.perf_counter() - begun)
    assert min(seconds) < ANSWER_SECONDS + 0.05
    assert Message.objects.filter(recipient=user.email).exists()


def test_an_address_is_known_whatever_its_case(client, user):
    ask(client, f"  {user.email.upper()} ")
    assert Message.objects.get().recipient == user.email


def test_support_receives_no_link(client):
    staff = StaffFactory()
    assert ask(client, staff.email).url == "/compte/connexion/envoye/"
    assert not Message.objects.exists()


def test_a_link_asked_before_joining_support_signs_nobody_in(client, user, path):
    User.objects.update(is_staff=True)
    assert client.post(path).status_code == 410
    assert not is_signed_in(client)


def test_a_shut_account_neither_receives_nor_uses_a_link(client, user, path):
    User.objects.update(is_active=False)
    assert client.post(path).status_code == 410
    ask(client, user.email)
    assert Message.objects.count() == 1


@pytest.mark.parametrize(
    "email, sentence",
    [
        ("", "Indiquez une adresse e-mail."),
        ("pas une adresse", "Cette adresse e-mail n’est pas valable"),
        ("a" * 250 + "@exemple.fr", "254"),
        ("a\0@exemple.fr", "n’est pas valable"),
        ('"a\x01"@exemple.fr', "caractère invisible"),
        ("a\x1b@exemple.fr", "n’est pas valable"),
        ("a@exemple.fr\r\nBcc: autre@exemple.fr", "n’est pas valable"),
        ("moi@exemple.fr, lui@exemple.fr", "n’est pas valable"),
    ],
)
def test_a_text_that_is_no_address_is_told_beside_the_field(client, email, sentence):
    answer = ask(client, email)
    assert answer.status_code == 200
    assert sentence in answer.text.replace("&#x27;", "'")
    assert 'aria-invalid="true"' in answer.text
    assert not Message.objects.exists()


def test_the_sixth_link_for_an_address_within_a_quarter_of_an_hour_is_refused_known_or_not(client, user):
    for email in (user.email, "inconnu@exemple.fr"):
        for _ in range(LINKS_PER_ADDRESS.count):
            assert ask(client, email).status_code == 302
        refused = ask(client, email)
        assert refused.status_code == 429
        assert "Réessayez dans 15 minutes" in refused.text
        assert 0 < int(refused["Retry-After"]) <= 15 * 60
    assert Message.objects.count() == LINKS_PER_ADDRESS.count
    with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(minutes=16)):
        assert ask(client, user.email).status_code == 302


def test_a_network_asks_for_a_bounded_number_of_links_whatever_the_addresses(client):
    for n in range(LINKS_PER_NETWORK.count):
        assert ask(client, f"personne{n}@exemple.fr").status_code == 302
    assert ask(client, "encore@exemple.fr").status_code == 429
    assert Client(REMOTE_ADDR="192.0.2.7").post(SIGN_IN, {"email": "encore@exemple.fr"}).status_code == 302


def test_an_invented_forwarded_address_does_not_escape_the_limit(client, settings):
    settings.PROXY_COUNT = 1
    for n in range(LINKS_PER_NETWORK.count + 1):
        answer = client.post(
            SIGN_IN, {"email": f"p{n}@exemple.fr"}, headers={"x-forwarded-for": f"10.1.{n}.1, 192.0.2.9"}
        )
    assert answer.status_code == 429


def test_counters_hold_no_address(client, user):
    ask(client, user.email)
    assert Counter.objects.count() == 2
    assert all(re.fullmatch("[0-9a-f]{64}", counter.key) for counter in Counter.objects.all())


@pytest.mark.parametrize(
    "asked, opened",
    [
        ("/recherche/?metier=boulanger", "/recherche/?metier=boulanger"),
        ("https://mechant.exemple.fr/", "/recruteur/"),
        ("//mechant.exemple.fr/", "/recruteur/"),
        ("/\\mechant.exemple.fr/", "/recruteur/"),
        ("javascript:alert(1)", "/recruteur/"),
        ("recherche", "/recruteur/"),
        ("/" + "a" * 600, "/recruteur/"),
        ("", "/recruteur/"),
    ],
)
def test_the_page_asked_for_is_opened_only_on_this_site(client, user, asked, opened):
    page = client.get(SIGN_IN, {"next": asked})
    kept = re.search(r'name="next"(?: value="([^"]*)")?', page.text).group(1) or ""
    assert kept.replace("&amp;", "&") == (asked if asked == opened else "")
    ask(client, user.email, next=asked)
    assert client.post(urlsplit(link_to(user)).path).url == opened


@pytest.mark.parametrize("name", ["accounts:sign_in", "accounts:link_sent"])
def test_who_has_no_account_is_told_how_to_have_one(client, name):
    assert 'href="/recruteur/inscription/"' in re.search("<main.*</main>", client.get(reverse(name)).text, re.DOTALL)[0]


def test_a_stored_address_of_another_site_is_not_followed(client, user, path):
    SignInLink.objects.update(next_path="https://mechant.exemple.fr/")
    assert client.post(path).url == "/recruteur/"


def test_someone_signed_in_skips_the_form(client, user):
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(SIGN_IN).url == "/recruteur/"
    assert client.get(SIGN_IN, {"next": "/plan-du-site/"}).url == "/plan-du-site/"
    assert client.get(SIGN_IN, {"next": "//mechant.exemple.fr"}).url == "/recruteur/"


def test_the_account_page_asks_to_sign_in(client):
    assert client.get("/compte/").url == "/compte/connexion/?next=/compte/"


def test_signing_out_takes_a_post(client, user):
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(reverse("accounts:sign_out")).status_code == 405
    assert is_signed_in(client)
    assert client.post(reverse("accounts:sign_out")).url == "/"
    assert not is_signed_in(client)
    assert "Votre session est fermée." in client.get("/").text
    assert client.post(reverse("accounts:sign_out")).url == "/"
    assert "Votre session est fermée." not in client.get("/").text


def test_a_form_sent_from_another_site_is_refused(user):
    strict = Client(enforce_csrf_checks=True)
    answer = strict.post(SIGN_IN, {"email": user.email})
    assert answer.status_code == 403
    assert "formulaire a expiré" in answer.text


@pytest.mark.parametrize("where", ["account", "link", "sign_in"])
def test_private_pages_are_kept_by_no_cache(client, user, path, where):
    if where == "account":
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    page = client.get({"account": "/compte/", "link": path, "sign_in": SIGN_IN}[where])
    assert page.status_code == 200
    assert "no-store" in page["Cache-Control"]
    assert "private" in page["Cache-Control"]


def test_a_public_page_is_kept_by_no_cache_once_it_knows_who_reads_it(client, user):
    assert "no-store" not in client.get("/").get("Cache-Control", "")
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    assert "no-store" in client.get("/")["Cache-Control"]


def test_the_page_of_the_link_does_not_repeat_the_secret(client, path):
    assert path.split("/")[-2] not in client.get(path).text


def test_the_e_mail_is_confidential_and_says_how_long(client, user, path):
    message = Message.objects.get()
    assert message.confidential
    assert message.subject == "Votre lien de connexion à La bonne alternance"
    for body in (message.text_body, message.html_body):
        assert f"valable {settings.SIGN_IN_LINK_LIFETIME_MINUTES} minutes" in body
        assert link_to(user) in body


def test_nothing_leaves_when_the_transaction_is_undone(client, user, monkeypatch):
    def breaks(**anything):
        raise RuntimeError

    monkeypatch.setattr("labonnealternance.accounts.actions.emails.sign_in_link", breaks)
    client.raise_request_exception = False
    assert ask(client, user.email).status_code == 500
    assert not SignInLink.objects.exists()


# The address that a link was sent to


def test_a_link_dies_with_a_change_of_address(client, user, path):
    assert SignInLink.objects.get().address == user.email
    User.objects.update(email="nouvelle@exemple.fr")
    assert client.get(path).status_code == 410
    assert client.post(path).status_code == 410
    assert not is_signed_in(client)
    assert SignInLink.objects.get().used_at is None


def test_the_first_link_confirms_the_address_and_the_next_ones_leave_its_date(client, user, path):
    assert user.email_confirmed_at is None
    client.post(path)
    user.refresh_from_db()
    first = user.email_confirmed_at
    assert first == SignInLink.objects.get().used_at
    ask(Client(), user.email)
    assert Client().post(urlsplit(link_to(user)).path).status_code == 302
    user.refresh_from_db()
    assert user.email_confirmed_at == first


@pytest.mark.parametrize("fields", [{"is_staff": True}, {"is_active": False}])
def test_no_app_sends_a_link_to_support_nor_to_a_shut_account(fields):
    person = UserFactory(**fields)
    assert actions.send_link(user=person, next_path="", at=timezone.now()) is None
    assert not SignInLink.objects.exists()
    assert not Message.objects.exists()


# What a link stands for

uses = []
mails = []


def note_use(*, link, at):
    uses.append((link.subject, link.user.email, link.user.email_confirmed_at == at, connection.in_atomic_block))


def break_down(*, link, at):
    User.objects.update(first_name="Écrit avant la panne")
    raise RuntimeError("panne")


def own_mail(*, link, token, at):
    mails.append((link.subject, link.address))
    emails.sign_in_link(link=link, token=token, at=at)


def own_words(*, link):
    return actions.LinkWords("Confirmer l’essai", [f"<b>{link.subject}</b>"], "Oui, et me connecter", "C’est confirmé.")


@pytest.fixture
def told(settings):
    settings.LINK_USED = [f"{__name__}.note_use"]
    settings.LINK_EMAILS = {"essai": f"{__name__}.own_mail"}
    settings.LINK_WORDS = {"essai": f"{__name__}.own_words"}
    uses.clear()
    mails.clear()


def sent(user, **more) -> str:
    """The path of a link that an app sends."""
    actions.send_link(user=user, next_path="", at=timezone.now(), **more)
    return urlsplit(link_to(user)).path


def test_what_a_link_stands_for_is_told_when_it_is_used_and_not_before(client, user, told):
    path = sent(user, subject="essai:12")
    client.get(path)
    assert uses == []
    assert "C’est confirmé." in client.post(path, follow=True).text
    client.post(path)
    assert uses == [("essai:12", user.email, True, True)]


def test_a_subject_has_a_mail_of_its_own_and_the_others_the_ordinary_one(user, told):
    sent(user, subject="essai:12")
    sent(user, subject="autre:12")
    sent(user)
    assert mails == [("essai:12", user.email)]
    assert Message.objects.count() == 3


def test_the_page_of_a_link_says_what_its_button_confirms_and_how_to_leave(client, user, told):
    path = sent(user, subject="essai:12")
    page = client.get(path).text
    assert "<h1>Confirmer l’essai</h1>" in page
    assert "&lt;b&gt;essai:12&lt;/b&gt;" in page
    assert "Oui, et me connecter" in page
    assert '<a href="/">Quitter sans confirmer</a>' in page
    assert uses == []
    assert SignInLink.objects.get().used_at is None


@pytest.mark.parametrize("subject", ["", "autre:12"])
def test_the_page_of_a_link_that_only_signs_in_confirms_nothing_else(client, user, told, subject):
    page = client.get(sent(user, subject=subject)).text
    assert "Ouvrir votre espace" in page
    assert "confirme" not in page[page.index("<h1>") : page.index("</form>")]


def test_a_link_of_which_one_part_breaks_is_not_used_at_all(client, user, path, settings):
    settings.LINK_USED = [f"{__name__}.break_down"]
    client.raise_request_exception = False
    assert client.post(path).status_code == 500
    assert not is_signed_in(client)
    assert SignInLink.objects.get().used_at is None
    before = user.first_name
    user.refresh_from_db()
    assert (user.email_confirmed_at, user.first_name) == (None, before)
    settings.LINK_USED = []
    assert client.post(path).status_code == 302


@pytest.mark.django_db(transaction=True)
def test_of_eight_posts_at_the_same_moment_one_is_told(user, told):
    path = sent(user, subject="essai:12")

    def press(_):
        try:
            return Client().post(path).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(press, range(8))) == [302] + [410] * 7
    assert len(uses) == 1


# A link that was used


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_used_link_tells_its_person_that_they_are_signed_in_and_leads_to_the_page_asked_for(client, user, method):
    ask(client, user.email, next="/plan-du-site/")
    path = urlsplit(link_to(user)).path
    client.post(path)
    again = getattr(client, method)(path)
    assert again.status_code == 200
    assert "Ce lien a déjà servi" in again.text
    assert 'href="/plan-du-site/"' in again.text
    assert path.split("/")[-2] not in again.text
    assert "no-store" in again["Cache-Control"]


def test_a_used_link_tells_nothing_to_another_person(client, user, path):
    client.post(path)
    other = Client()
    other.force_login(UserFactory(), backend="django.contrib.auth.backends.ModelBackend")
    answer = other.get(path)
    assert answer.status_code == 410
    assert EXPIRED in answer.text


# A link that expired before it was used

RENEW = "Recevoir un nouveau lien"


@pytest.fixture
def later():
    with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(minutes=11)) as clock:
        yield clock


def renew(client, path):
    return client.post(f"{path}renouveler/")


@pytest.mark.parametrize("method", ["get", "post"])
def test_an_expired_link_offers_another_one_by_a_button(client, path, later, method):
    page = getattr(client, method)(path)
    assert page.status_code == 410
    assert RENEW in page.text
    assert 'action="renouveler/"' in page.text
    assert path.split("/")[-2] not in page.text
    assert SignInLink.objects.count() == 1
    assert client.get(f"{path}renouveler/").status_code == 405
    assert SignInLink.objects.count() == 1


def test_the_new_link_stands_for_the_same_thing_at_the_same_address_with_the_same_mail(client, user, told):
    actions.send_link(user=user, next_path="/plan-du-site/", subject="essai:12", at=timezone.now())
    path = urlsplit(link_to(user)).path
    with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(minutes=11)):
        assert renew(client, path).url == "/compte/connexion/envoye/"
        first, second = SignInLink.objects.order_by("created_at")
        for column in ("user_id", "address", "subject", "next_path"):
            assert getattr(first, column) == getattr(second, column)
        assert mails == [("essai:12", user.email)] * 2
        one, other = Message.objects.order_by("created_at")
        assert (one.kind, one.recipient, one.subject) == (other.kind, other.recipient, other.subject)
        assert client.post(urlsplit(link_to(user)).path).url == "/plan-du-site/"
    assert uses == [("essai:12", user.email, True, True)]


def test_the_link_of_a_registration_that_expired_is_renewed_with_the_words_of_the_first_and_confirms_it(client):
    registration = RegistrationFactory()
    user = registration.access.user
    subject = f"registration:{registration.pk}"
    actions.send_link(user=user, next_path=reverse("offers:space"), subject=subject, at=timezone.now())
    path = urlsplit(link_to(user)).path
    with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(minutes=11)):
        renew(client, path)
        second = urlsplit(link_to(user)).path
        one, other = Message.objects.order_by("created_at")
        assert one.kind == other.kind == "registration_link"
        assert one.text_body.replace(path, second) == other.text_body
        assert one.subject == other.subject
        assert client.post(second).url == reverse("offers:space")
    registration.refresh_from_db()
    user.refresh_from_db()
    assert registration.confirmed_at == user.email_confirmed_at == SignInLink.objects.latest("created_at").used_at


@pytest.mark.parametrize(
    "fields", [{"email": "nouvelle@exemple.fr"}, {"is_staff": True}, {"is_active": False}], ids=lambda each: str(each)
)
def test_a_link_that_would_let_nobody_in_is_not_renewed(client, path, later, fields):
    User.objects.update(**fields)
    assert RENEW not in client.get(path).text
    refused = renew(client, path)
    assert refused.status_code == 410
    assert EXPIRED in refused.text
    assert Message.objects.count() == 1


def test_a_link_in_use_or_used_or_unknown_is_not_renewed(client, user, path):
    assert renew(client, path).status_code == 410
    client.post(path)
    with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(minutes=11)):
        assert renew(Client(), path).status_code == 410
        assert renew(Client(), "/compte/lien/inconnu/").status_code == 410
    assert Message.objects.count() == 1


def test_an_expired_link_is_renewed_until_it_is_purged_then_the_ordinary_sign_in_remains(client, user, path):
    with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(hours=23)):
        actions.purge(at=timezone.now())
        assert RENEW in client.get(path).text
    with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(hours=25)):
        actions.purge(at=timezone.now())
        page = client.get(path)
    assert page.status_code == 410
    assert RENEW not in page.text
    assert f'action="{SIGN_IN}"' in page.text


def test_renewing_counts_as_asking_for_an_address_and_for_a_network(client, user, path, later):
    for _ in range(LINKS_PER_ADDRESS.count - 1):
        assert renew(client, path).status_code == 302
    # The first one was asked for in the same quarter of an hour.
    refused = renew(client, path)
    assert refused.status_code == 429
    assert "Trop de liens ont été demandés. Réessayez dans 4 minutes." in refused.text
    assert 0 < int(refused["Retry-After"]) <= 4 * 60
    assert 'action="./"' in refused.text
    assert ask(client, user.email).status_code == 429
    assert Message.objects.count() == LINKS_PER_ADDRESS.count

    for n in range(LINKS_PER_NETWORK.count):
        ask(client, f"personne{n}@exemple.fr")
    other = UserFactory()
    there = sent(other)
    later.shift(dt.timedelta(minutes=11))
    for n in range(LINKS_PER_NETWORK.count):
        ask(client, f"autre{n}@exemple.fr")
    assert renew(client, there).status_code == 429
    assert renew(Client(REMOTE_ADDR="192.0.2.7"), there).status_code == 302


def test_a_renewal_sent_from_another_site_is_refused(path, later):
    assert renew(Client(enforce_csrf_checks=True), path).status_code == 403
    assert SignInLink.objects.count() == 1
