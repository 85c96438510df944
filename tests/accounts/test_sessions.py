"""Sessions are listed to their person and closed by them: a closed one is out at its next request."""

import datetime as dt
import re
import uuid

import pytest
import time_machine
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import UpdateError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from labonnealternance.accounts import actions
from labonnealternance.accounts.devices import device_name, shortened
from labonnealternance.accounts.models import Session
from labonnealternance.accounts.sessions import SessionStore
from labonnealternance.accounts.views import SESSIONS_SHOWN
from tests.factories import StaffFactory, UserFactory
from tests.office import enter

pytestmark = pytest.mark.django_db

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1"
    " Mobile/15E148 Safari/604.1"
)
GECKO = "AppleWebKit/537.36 (KHTML, like Gecko)"
CLOSE_OTHERS = "/compte/sessions/fermer/"


def browser(user, *, agent=FIREFOX, ip="192.0.2.34"):
    """A browser that ``user`` has signed in on, and shown itself by."""
    client = Client(HTTP_USER_AGENT=agent, REMOTE_ADDR=ip)
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    Session.objects.filter(pk=client.session.session_key).update(last_seen_at=timezone.now() - dt.timedelta(hours=1))
    client.get("/compte/")
    return client


def row(client) -> Session:
    return Session.objects.get(pk=client.session.session_key)


def close(client, session, **more):
    return client.post(f"/compte/sessions/{session.handle}/fermer/", **more)


def is_in(client) -> bool:
    return client.get("/compte/").status_code == 200


@pytest.fixture
def user():
    return UserFactory()


@pytest.fixture
def here(user):
    return browser(user)


@pytest.fixture
def phone(user):
    return browser(user, agent=IPHONE, ip="2001:db8:12:34::1")


def test_the_account_page_lists_the_open_sessions_this_one_first(here, phone, user):
    with time_machine.travel(dt.datetime(2026, 7, 14, 8, 30, tzinfo=dt.UTC)):
        Session.objects.update(created_at=timezone.now(), last_seen_at=timezone.now() + dt.timedelta(minutes=20))
    Session.objects.filter(pk=phone.session.session_key).update(last_seen_at=timezone.now())
    page = here.get("/compte/").text
    listed = page[page.index("Mes sessions ouvertes") :]
    assert re.findall("(?:Firefox|Safari) sur (?:Linux|iPhone)(?=\\s)", listed) == [
        "Firefox sur Linux",
        "Safari sur iPhone",
    ]
    assert listed.index("Cette session") < listed.index("Safari sur iPhone")
    assert listed.count("Cette session") == 1
    assert "Ouverte le 14 juillet 2026 à 10 h 30" in listed
    assert "réseau 192.0.2.*" in listed
    assert "réseau 2001:db8:12:*" in listed
    assert "Fermer toutes les autres" in listed


def test_neither_the_key_of_a_session_nor_a_whole_address_is_shown_or_kept(here, phone):
    page = here.get("/compte/").text
    for client in (here, phone):
        assert client.session.session_key not in page
        assert str(row(client)) == str(row(client).handle)
    assert "192.0.2.34" not in page
    kept = str(list(Session.objects.values("network", "device")))
    assert "192.0.2.34" not in kept
    assert "Mozilla" not in kept


def test_a_closed_session_is_out_at_its_next_request(here, phone, user):
    answer = here.post(f"/compte/sessions/{row(phone).handle}/fermer/", follow=True)
    assert answer.redirect_chain == [("/compte/", 302)]
    assert "La session est fermée." in answer.text
    out = phone.get("/compte/")
    assert out.url == "/compte/connexion/?next=/compte/"
    assert not phone.cookies["session"].value
    assert is_in(here)
    assert "Fermer toutes les autres" not in here.get("/compte/").text


def test_all_the_other_sessions_are_closed_at_once(here, user):
    others = [browser(user) for _ in range(3)]
    neighbour = browser(UserFactory())
    answer = here.post(CLOSE_OTHERS, follow=True)
    assert "Toutes vos autres sessions sont fermées." in answer.text
    assert [is_in(each) for each in others] == [False] * 3
    assert is_in(here)
    assert is_in(neighbour)
    assert here.post(CLOSE_OTHERS).status_code == 302
    assert is_in(here)


def test_closing_this_session_signs_out(here, phone):
    answer = close(here, row(here), follow=True)
    assert answer.redirect_chain == [("/", 302)]
    assert "Votre session est fermée." in answer.text
    assert not is_in(here)
    assert is_in(phone)


def test_another_person_s_session_is_not_found(here):
    neighbour = browser(UserFactory())
    assert close(here, row(neighbour)).status_code == 404
    assert is_in(neighbour)
    assert here.post(f"/compte/sessions/{uuid.uuid4()}/fermer/").status_code == 404
    assert here.post(f"/compte/sessions/{here.session.session_key}/fermer/").status_code == 404


def test_a_session_is_closed_by_a_post_of_this_site_only(here, phone, user):
    for path in (f"/compte/sessions/{row(phone).handle}/fermer/", CLOSE_OTHERS):
        assert here.get(path).status_code == 405
        strict = Client(enforce_csrf_checks=True)
        strict.cookies = here.cookies
        assert strict.post(path).status_code == 403
        assert Client().post(path).url.startswith("/compte/connexion/")
    assert is_in(phone)


def test_support_sees_and_closes_its_sessions_as_well():
    member = StaffFactory()
    office, forgotten = enter(Client(), member), enter(Client(), member)
    assert office.get("/admin/").status_code == 200
    assert str(row(forgotten).handle) in office.get("/compte/").text
    close(office, row(forgotten))
    assert forgotten.get("/admin/").url.startswith("/admin/login/")
    assert office.get("/admin/").status_code == 200


def test_a_session_that_expired_neither_enters_nor_is_listed(here, phone):
    Session.objects.filter(pk=phone.session.session_key).update(expire_date=timezone.now())
    assert "iPhone" not in here.get("/compte/").text
    assert not is_in(phone)


def test_a_session_closed_while_a_request_is_answered_does_not_come_back(here, user):
    open_elsewhere = SessionStore(here.session.session_key)
    assert open_elsewhere[SESSION_KEY] == str(user.pk)
    row(here).delete()
    open_elsewhere["more"] = True
    with pytest.raises(UpdateError):
        open_elsewhere.save()
    open_elsewhere.note_seen(at=timezone.now() + dt.timedelta(hours=1))
    assert not Session.objects.exists()


def test_what_is_written_in_a_session_leaves_its_name_and_its_beginning(here):
    before = row(here)
    with time_machine.travel(timezone.now() + dt.timedelta(hours=1)):
        session = here.session
        session["more"] = True
        session.save()
        after = row(here)
    assert (after.handle, after.created_at, after.user_id) == (before.handle, before.created_at, before.user_id)
    assert after.last_seen_at > before.last_seen_at


def test_a_session_belongs_to_whoever_signed_in_last_and_to_nobody_before(client, user):
    session = client.session
    session["registration"] = "12"
    session.save()
    assert (row(client).user, client.session["registration"]) == (None, "12")
    anonymous = row(client).handle
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    assert row(client).user == user
    assert row(client).handle != anonymous
    other = UserFactory()
    client.force_login(other, backend="django.contrib.auth.backends.ModelBackend")
    assert row(client).user == other
    assert not user.sessions.exists()


def test_the_last_activity_is_written_at_most_once_in_ten_minutes(here):
    begun = row(here).last_seen_at
    for minutes, written in ((9, False), (11, True), (20, False), (22, True)):
        with time_machine.travel(begun + dt.timedelta(minutes=minutes)), CaptureQueriesContext(connection) as queries:
            here.get("/compte/")
        assert any(query["sql"].startswith("UPDATE") for query in queries) is written, minutes


def test_a_page_that_failed_is_no_activity(here, monkeypatch):
    def breaks(*anything, **more):
        raise RuntimeError

    Session.objects.update(last_seen_at=timezone.now() - dt.timedelta(days=1))
    monkeypatch.setattr("labonnealternance.accounts.actions.waiting_address", breaks)
    here.raise_request_exception = False
    assert here.get("/compte/").status_code == 500
    assert row(here).last_seen_at < timezone.now() - dt.timedelta(hours=23)


def test_reading_a_session_is_one_query_and_a_visitor_without_cookie_costs_none(here, client):
    def of_sessions(who):
        with CaptureQueriesContext(connection) as queries:
            assert who.get("/plan-du-site/").status_code == 200
        return [query["sql"] for query in queries if "accounts_session" in query["sql"]]

    assert len(of_sessions(here)) == 1
    assert of_sessions(client) == []


def test_the_list_is_bounded_shows_this_session_and_takes_the_same_queries_with_one_and_with_thirty(here, user):
    with CaptureQueriesContext(connection) as one:
        here.get("/compte/")
    Session.objects.bulk_create(
        Session(
            session_key=f"{n:032}", session_data="", user=user, expire_date=timezone.now() + dt.timedelta(days=1),
            created_at=timezone.now(), last_seen_at=timezone.now() + dt.timedelta(minutes=n),
        )
        for n in range(30)
    )  # fmt: skip
    with CaptureQueriesContext(connection) as thirty:
        page = here.get("/compte/").text
    assert len(one) == len(thirty)
    assert page.count("Fermer cette session") == SESSIONS_SHOWN
    assert "Cette session" in page
    assert str(row(here).handle) in page
    here.post(CLOSE_OTHERS)
    assert Session.objects.get() == row(here)


def test_deactivating_a_person_forgets_where_they_came_from(here, user):
    actions.deactivate(user_id=user.pk, by=StaffFactory())
    assert not user.sessions.exists()
    assert not is_in(here)


@pytest.mark.parametrize(
    "agent, name",
    [
        (FIREFOX, "Firefox sur Linux"),
        (IPHONE, "Safari sur iPhone"),
        (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {GECKO} Chrome/140.0.0.0 Safari/537.36", "Chrome sur Windows"),
        (f"Mozilla/5.0 (Windows NT 10.0) {GECKO} Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0", "Edge sur Windows"),
        (
            f"Mozilla/5.0 (Linux; Android 15) {GECKO} SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36",
            "Samsung Internet sur Android",
        ),
        (f"Mozilla/5.0 (iPad; CPU OS 18_1 like Mac OS X) {GECKO} FxiOS/140.0 Safari/605.1.15", "Firefox sur iPad"),
        (f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {GECKO} Version/18.1 Safari/605.1.15", "Safari sur macOS"),
        (f"Mozilla/5.0 (X11; CrOS x86_64) {GECKO} Chrome/140.0.0.0 Safari/537.36 OPR/120.0", "Opera sur ChromeOS"),
        ("Lynx/2.9.2 (Linux)", "Navigateur sur Linux"),
        ("Firefox", "Firefox"),
        ("<script>alert(1)</script>", "Appareil inconnu"),
        ("é" * 10_000, "Appareil inconnu"),
        ("", "Appareil inconnu"),
    ],
)
def test_a_device_is_named_by_its_browser_and_its_system(agent, name):
    assert device_name(agent) == name


@pytest.mark.parametrize(
    "ip, told",
    [
        ("192.0.2.34", "192.0.2.*"),
        ("2001:db8:12:34::1", "2001:db8:12:*"),
        ("::ffff:192.0.2.34", "192.0.2.*"),
        ("::1", "0:0:0:*"),
        ("", ""),
    ],
)
def test_of_an_address_only_the_beginning_is_kept(ip, told):
    assert shortened(ip) == told
