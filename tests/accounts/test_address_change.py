"""A person changes their address by themselves: the new one confirms, the old one is told, nothing tells who has it."""

import datetime as dt
import re
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
import time_machine
from django.contrib.auth import SESSION_KEY
from django.db import connection
from django.test import Client
from django.utils import timezone

from labonnealternance.accounts import actions
from labonnealternance.accounts.actions import CHANGES_PER_PERSON, LINKS_PER_ADDRESS
from labonnealternance.accounts.models import AddressChange, SignInLink, User
from labonnealternance.accounts.views import ANSWER_SECONDS
from labonnealternance.mail.models import Message
from tests.factories import StaffFactory, UserFactory

pytestmark = pytest.mark.django_db

FORM = "/compte/adresse/"
OLD, NEW = "ancienne@exemple.fr", "nouvelle@exemple.fr"
BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture(autouse=True)
def no_wait(request, monkeypatch):
    if "lasts" not in request.node.name:
        monkeypatch.setattr("labonnealternance.accounts.views.ANSWER_SECONDS", 0)


@pytest.fixture
def user():
    return UserFactory(email=OLD, email_confirmed_at=timezone.now() - dt.timedelta(days=30))


def signed_in(person) -> Client:
    client = Client()
    client.force_login(person, backend=BACKEND)
    return client


@pytest.fixture
def me(user):
    return signed_in(user)


def ask(client, address=NEW):
    return client.post(FORM, {"email": address})


def link_in(address) -> str:
    message = Message.objects.filter(kind="address_change", recipient=address).latest("created_at")
    return urlsplit(re.search(r"https?://\S+/lien/\S+", message.text_body).group()).path


@pytest.fixture
def path(me):
    ask(me)
    return link_in(NEW)


def kinds() -> set:
    return set(Message.objects.values_list("kind", "recipient"))


def address_of(person) -> str:
    return User.objects.get(pk=person.pk).email


def test_the_address_changes_when_the_link_sent_to_the_new_one_is_used_by_the_button(me, user, path):
    assert address_of(user) == OLD
    page = me.get(path)
    assert page.status_code == 200
    assert NEW in page.text
    assert "Changer mon adresse" in page.text
    assert address_of(user) == OLD
    answer = me.post(path, follow=True)
    assert answer.redirect_chain == [("/compte/", 302)]
    assert f"L’adresse du compte est maintenant {NEW}." in answer.text
    user.refresh_from_db()
    assert user.email == NEW
    assert user.email_confirmed_at > timezone.now() - dt.timedelta(minutes=1)


@pytest.mark.parametrize("method", ["get", "head", "options", "put"])
def test_only_post_changes_the_address(me, user, path, method):
    getattr(me, method)(path)
    assert address_of(user) == OLD


def test_the_link_works_without_being_signed_in_and_signs_nobody_in(user, path):
    stranger = Client()
    answer = stranger.post(path, follow=True)
    assert answer.redirect_chain == [("/compte/connexion/", 302)]
    assert NEW in answer.text
    assert SESSION_KEY not in stranger.session
    assert address_of(user) == NEW


def test_the_old_address_is_told_when_it_is_asked_and_when_it_is_done(me, path):
    assert kinds() == {("address_change", NEW), ("address_change_asked", OLD)}
    me.post(path)
    assert kinds() == {("address_change", NEW), ("address_change_asked", OLD), ("address_changed", OLD)}
    assert Message.objects.get(kind="address_change").confidential


def test_all_sessions_but_the_present_one_end_and_unused_links_die(me, user, path):
    elsewhere, neighbour = signed_in(user), signed_in(UserFactory())
    actions.send_link(user=user, next_path="", at=timezone.now())
    me.post(path)
    assert me.get("/compte/").status_code == 200
    assert elsewhere.get("/compte/").status_code == 302
    assert neighbour.get("/compte/").status_code == 200
    assert not SignInLink.objects.exists()


def test_used_from_another_browser_the_link_ends_every_session(me, path):
    Client().post(path)
    assert me.get("/compte/").status_code == 302


def test_a_link_is_used_once(me, user, path):
    me.post(path)
    again = me.post(path)
    assert again.status_code == 410
    assert "n’est plus valable" in again.text
    assert me.get(path).status_code == 410
    assert not AddressChange.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_eight_posts_at_the_same_moment_one_changes_the_address(user, path):
    def press(_):
        try:
            return Client().post(path).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(press, range(8))) == [302] + [410] * 7
    assert Message.objects.filter(kind="address_changed").count() == 1


@pytest.mark.parametrize("minutes, changes", [(9, True), (11, False)])
def test_a_link_is_valid_ten_minutes(user, path, minutes, changes):
    with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(minutes=minutes)):
        assert Client().get(path).status_code == (200 if changes else 410)
        Client().post(path)
    assert (address_of(user) == NEW) is changes


@pytest.mark.parametrize("fields", [{"is_active": False}, {"is_staff": True}])
def test_the_link_of_someone_who_left_or_joined_support_changes_nothing(user, path, fields):
    User.objects.update(**fields)
    assert Client().get(path).status_code == 410
    assert Client().post(path).status_code == 410
    assert address_of(user) == OLD


def test_asking_again_replaces_the_first_request(me, user, path):
    ask(me, "autre@exemple.fr")
    assert me.post(path).status_code == 410
    me.post(link_in("autre@exemple.fr"))
    assert address_of(user) == "autre@exemple.fr"


def test_a_request_waits_on_the_account_page_and_is_cancelled_there(me, user, path):
    assert f"Suivez le lien envoyé à {NEW}" in me.get("/compte/").text
    assert me.get("/compte/adresse/annuler/").status_code == 405
    answer = me.post("/compte/adresse/annuler/", follow=True)
    assert "est annulé" in answer.text
    assert "Suivez le lien" not in answer.text
    assert me.post(path).status_code == 410
    assert address_of(user) == OLD
    assert me.post("/compte/adresse/annuler/").status_code == 302


def test_another_person_s_request_is_neither_shown_nor_cancelled(user, path):
    other = signed_in(UserFactory())
    assert NEW not in other.get("/compte/").text
    other.post("/compte/adresse/annuler/")
    Client().post(path)
    assert address_of(user) == NEW


# Addresses that someone has


@pytest.mark.parametrize("owner", [UserFactory, StaffFactory])
def test_an_address_that_someone_has_reads_the_same_answer_and_its_owner_is_told(me, user, owner):
    owner(email="prise@exemple.fr")
    free, taken = ask(me, NEW), ask(me, "prise@exemple.fr")
    assert (free.status_code, free.url) == (taken.status_code, taken.url) == (302, "/compte/")
    page = me.get("/compte/").text
    assert "Suivez le lien envoyé à prise@exemple.fr" in page
    assert kinds() == {
        ("address_change", NEW), ("address_change_asked", OLD), ("address_taken", "prise@exemple.fr"),
    }  # fmt: skip
    assert address_of(user) == OLD


def test_an_address_of_a_shut_account_is_neither_given_nor_written_to(me):
    UserFactory(email="prise@exemple.fr", is_active=False)
    assert ask(me, "prise@exemple.fr").url == "/compte/"
    assert kinds() == {("address_change_asked", OLD)}


def test_an_answer_lasts_as_long_for_an_address_that_someone_has(me):
    UserFactory(email="prise@exemple.fr")

    def seconds(address):
        begun = time.perf_counter()
        ask(me, address)
        return time.perf_counter() - begun

    taken, free = seconds("prise@exemple.fr"), seconds(NEW)
    assert min(taken, free) >= ANSWER_SECONDS


def test_an_address_taken_meanwhile_is_not_given_twice(me, user, path):
    UserFactory(email=NEW)
    assert me.post(path).status_code == 410
    assert address_of(user) == OLD
    assert User.objects.filter(email=NEW).count() == 1


# What is typed


@pytest.mark.parametrize(
    "address, sentence",
    [
        ("", "Indiquez une adresse e-mail."),
        ("pas une adresse", "n’est pas valable"),
        ("<script>alert(1)</script>", "n’est pas valable"),
        ("a" * 250 + "@exemple.fr", "254"),
        ("a" * 10_000, "254"),
        ("é🙂@exemple.fr", "n’est pas valable"),
        ("a\0@exemple.fr", "n’est pas valable"),
        ("a@exemple.fr\r\nBcc: autre@exemple.fr", "n’est pas valable"),
        ('"\u202e"@exemple.fr', "n’est pas valable"),
        (OLD, "C’est déjà l’adresse de votre compte."),
        (f"  {OLD.upper()} ", "C’est déjà l’adresse de votre compte."),
    ],
)
def test_what_can_not_be_the_new_address_is_told_beside_the_field(me, address, sentence):
    answer = ask(me, address)
    assert answer.status_code == 200
    assert sentence in answer.text.replace("&#x27;", "'")
    assert 'aria-invalid="true"' in answer.text
    assert "<script>alert(1)" not in answer.text
    assert not Message.objects.exists()


def test_an_address_is_kept_in_lower_case(me, user):
    ask(me, f" {NEW.upper()} ")
    me.post(link_in(NEW))
    assert address_of(user) == NEW


def test_an_empty_post_is_an_error_beside_the_field(me):
    assert "Indiquez une adresse e-mail." in me.post(FORM).text


def test_a_person_asks_for_a_bounded_number_of_changes(me, user):
    for n in range(CHANGES_PER_PERSON.count):
        assert ask(me, f"a{n}@exemple.fr").status_code == 302
    refused = ask(me, "encore@exemple.fr")
    assert refused.status_code == 429
    assert "Réessayez dans 60 minutes" in refused.text
    assert int(refused["Retry-After"]) > 0
    assert ask(signed_in(UserFactory()), "encore@exemple.fr").status_code == 302


def test_an_address_receives_a_bounded_number_of_links_whoever_asks(client):
    for _ in range(LINKS_PER_ADDRESS.count):
        assert ask(signed_in(UserFactory())).status_code == 302
    assert ask(signed_in(UserFactory())).status_code == 429


def test_support_changes_no_address_by_a_link():
    member = signed_in(StaffFactory())
    assert member.get(FORM).status_code == 404
    assert ask(member).status_code == 404
    assert FORM not in member.get("/compte/").text


def test_the_form_asks_to_sign_in_and_comes_from_this_site(client, user):
    assert client.get(FORM).url == f"/compte/connexion/?next={FORM}"
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(user, backend=BACKEND)
    assert ask(strict).status_code == 403


def test_neither_the_page_of_the_link_nor_the_table_holds_the_secret(me, path):
    token = path.split("/")[-2]
    assert token not in me.get(path).text
    assert AddressChange.objects.get().digest != token
    assert Client().post(f"/compte/adresse/lien/{AddressChange.objects.get().digest}/").status_code == 410


def test_deactivating_and_anonymising_forget_the_request(me, user, path):
    actions.deactivate(user_id=user.pk, by=StaffFactory())
    assert not AddressChange.objects.exists()


# Names and telephone


def test_the_contact_of_a_person_is_written_at_once(user):
    actions.set_contact(user=user, first_name="Anaïs", last_name="Exemple", phone="+33199000018", at=timezone.now())
    user.refresh_from_db()
    assert (user.first_name, user.last_name, user.phone) == ("Anaïs", "Exemple", "+33199000018")
