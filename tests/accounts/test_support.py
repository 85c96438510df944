"""Support enters by password and second factor; failures lock; superusers decide who is support."""

import base64
import io
import re

import pytest
import time_machine
from django.contrib.admin.models import LogEntry
from django.contrib.auth import SESSION_KEY
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from labonnealternance.accounts import actions
from labonnealternance.accounts.models import SignInLink, User
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

PASSWORD = "quatre chevaux au galop"
EMAIL = "aide@exemple.fr"
SIGN_IN = "/admin/login/"


@pytest.fixture
def device():
    return actions.create_support_account(email=EMAIL, password=PASSWORD)


def code(device, offset=0) -> str:
    return f"{TOTP(device.bin_key, device.step, device.t0, device.digits, device.drift + offset).token():06d}"


def enter(client, *, email=EMAIL, password=PASSWORD, token="", **more):
    return client.post(
        SIGN_IN, {"username": email, "password": password, "otp_token": token, "next": "/admin/"}, **more
    )


def is_in(client) -> bool:
    return client.get("/admin/").status_code == 200


def test_password_and_code_open_the_back_office(client, device):
    answer = enter(client, token=code(device))
    assert answer.url == "/admin/"
    page = client.get("/admin/")
    assert page.status_code == 200
    assert "Que voulez-vous faire ?" in page.text
    assert "no-store" in page["Cache-Control"]


@pytest.mark.parametrize(
    "password, token, sentence",
    [
        (PASSWORD, "", "Donnez le code que montre votre application d’authentification."),
        (PASSWORD, "000000", "Ce code n’est pas le bon"),
        (PASSWORD, "é", "Ce code n’est pas le bon"),
        (PASSWORD, "1" * 40, "au plus 32"),
        ("autre mot de passe", None, "n’est pas le bon, ou ce compte"),
        (PASSWORD + "\0", None, "nul"),
    ],
)
def test_one_factor_is_not_enough(client, device, password, token, sentence):
    answer = enter(client, password=password, token=code(device) if token is None else token)
    assert answer.status_code == 200
    assert sentence in answer.text.replace("&#x27;", "'")
    assert not is_in(client)


def test_a_code_serves_once(client, device):
    same = code(device)
    enter(client, token=same)
    other = Client()
    assert "il a déjà servi" in enter(other, token=same).text
    assert not is_in(other)


def test_wrong_codes_make_wait(client, device):
    enter(client, token="000000")
    assert "Trop de codes erronés" in enter(client, token=code(device)).text
    assert not is_in(client)


def test_an_account_without_second_factor_does_not_enter(client, device):
    TOTPDevice.objects.all().delete()
    assert "second facteur" in enter(client, token="123456").text


def test_another_s_device_is_no_second_factor(client, device):
    other = actions.create_support_account(email="autre@exemple.fr", password=PASSWORD)
    enter(client, token=code(other))
    assert not is_in(client)


def test_a_person_who_is_not_support_does_not_enter(client):
    person = UserFactory()
    person.set_password(PASSWORD)
    person.save()
    device = TOTPDevice.objects.create(user=person, confirmed=True)
    enter(client, email=person.email, token=code(device))
    assert not is_in(client)


def test_a_session_without_second_factor_does_not_open_the_back_office(client, device):
    client.force_login(User.objects.get(), backend="django.contrib.auth.backends.ModelBackend")
    assert client.get("/admin/").url.startswith(SIGN_IN)
    assert client.get("/admin/accounts/user/").url.startswith(SIGN_IN)


def test_the_back_office_sends_to_its_own_sign_in(client):
    assert client.get("/admin/accounts/user/").url == "/admin/login/?next=/admin/accounts/user/"


def test_the_sign_in_page_is_in_french(client):
    page = client.get(SIGN_IN).text
    for words in ("Mot de passe", "Code à 6 chiffres", "Connexion", "Adresse e-mail"):
        assert words in page
    assert "Token" not in page


def fail(client, times, **more):
    for _ in range(times):
        answer = enter(client, **({"password": "faux"} | more))
    return answer


def test_five_failures_close_the_door_with_a_page_in_french(client, device):
    assert fail(client, 4, token="1").status_code == 200
    locked = fail(client, 1, token="1")
    assert locked.status_code == 429
    assert "Réessayez dans" in locked.text
    assert "30 minutes" in locked.text
    assert int(locked["Retry-After"]) == 1800
    right = enter(client, token=code(device))
    assert right.status_code == 429
    assert not is_in(client)


def test_the_door_opens_again_after_half_an_hour(client, device):
    fail(client, 5, token="1")
    with time_machine.travel(timezone.now() + timezone.timedelta(minutes=31)):
        assert enter(client, token=code(device)).status_code == 302


def test_changing_case_or_spaces_gives_no_more_tries(client, device):
    for name in ("aide@exemple.fr", "AIDE@exemple.fr", " Aide@exemple.fr", "aide@EXEMPLE.fr", "aIde@exemple.fr"):
        answer = enter(client, email=name, password="faux", token="1")
    assert answer.status_code == 429


def test_the_lock_counts_the_visitor_told_by_the_proxy_and_nobody_else(client, device, settings):
    settings.PROXY_COUNT = 1
    for n in range(5):
        answer = fail(client, 1, token="1", headers={"x-forwarded-for": f"10.0.0.{n}, 192.0.2.1"})
    assert answer.status_code == 429
    elsewhere = enter(client, token=code(device), headers={"x-forwarded-for": "10.0.0.1, 192.0.2.2"})
    assert elsewhere.status_code == 302


def test_the_lock_tells_a_script_no_more_than_a_person(client, device):
    fail(client, 5, token="1")
    answer = enter(client, token="1", headers={"x-requested-with": "XMLHttpRequest"})
    assert answer.status_code == 429
    assert EMAIL not in answer.text
    assert "Access-Control-Allow-Origin" not in answer


# The command


def run(*arguments, password=PASSWORD):
    out = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdin", io.StringIO(password + "\n"))
        call_command("create_support_account", *arguments, "--password-stdin", stdout=out)
    return out.getvalue()


def test_the_command_makes_an_account_that_enters(client):
    told = run("Aide@Exemple.fr", "--name", "Sacha Support")
    user = User.objects.get()
    assert (user.email, user.first_name, user.last_name, user.is_staff, user.is_superuser) == (
        EMAIL, "Sacha", "Support", True, False,
    )  # fmt: skip
    secret = re.search(r"otpauth://totp/\S*secret=([A-Z2-7]+)", told).group(1)
    assert "█" in told
    key = base64.b32decode(secret)
    assert key == TOTPDevice.objects.get().bin_key
    assert enter(client, token=f"{TOTP(key).token():06d}").status_code == 302


def test_the_command_does_not_touch_a_member_of_support_unless_told_to(device):
    with pytest.raises(CommandError, match="--renew"):
        run(EMAIL)
    assert TOTPDevice.objects.get() == device
    run(EMAIL, "--renew")
    assert TOTPDevice.objects.get() != device


@pytest.mark.parametrize("password", ["court", "motdepasse", "aide@exemple.fr", "123456789012345"])
def test_the_command_refuses_a_weak_password(password):
    with pytest.raises(CommandError):
        run(EMAIL, password=password)
    assert not User.objects.exists()


@pytest.mark.parametrize("email", ["aide", "a" * 250 + "@exemple.fr"])
def test_the_command_refuses_what_is_no_address(email):
    with pytest.raises(CommandError):
        run(email)


def test_renewing_ends_the_sessions(client, device):
    enter(client, token=code(device))
    run(EMAIL, "--renew")
    assert not is_in(client)


# People in the back-office


@pytest.fixture
def support(client, device):
    enter(client, token=code(device))
    return User.objects.get(email=EMAIL)


@pytest.fixture
def superuser(client):
    device = actions.create_support_account(email="chef@exemple.fr", password=PASSWORD, superuser=True)
    enter(client, email="chef@exemple.fr", token=code(device))
    return device.user


def button_url(name, user):
    return reverse(f"admin:accounts_user_{name}", args=[user.pk])


def test_people_are_shown_searched_and_filtered_but_not_typed_into(client, support):
    person = UserFactory(email="jeanne@exemple.fr", phone="+33199000018")
    listed = client.get("/admin/accounts/user/", {"q": "JEANNE"})
    assert listed.status_code == 200
    assert "jeanne@exemple.fr" in listed.text
    assert "jeanne@exemple.fr" not in client.get("/admin/accounts/user/", {"role": "support"}).text
    page = client.get(f"/admin/accounts/user/{person.pk}/change/")
    assert 'name="email"' not in page.text
    assert "01 99 00 00 18" in page.text
    assert client.post(f"/admin/accounts/user/{person.pk}/change/", {"email": "x@exemple.fr"}).status_code == 403
    assert client.get("/admin/accounts/user/add/").status_code == 403
    assert client.post(f"/admin/accounts/user/{person.pk}/delete/").status_code == 403


@pytest.mark.parametrize("typed", ["01 99 00 00 18", "0199000018", "+33 1 99 00 00 18", " 01.99.00.00.18 "])
def test_a_person_is_found_by_their_telephone_number_however_it_is_typed(client, support, typed):
    UserFactory(email="jeanne@exemple.fr", phone="+33199000018")
    UserFactory(email="zoe@exemple.fr", phone="+33199000019")
    found = client.get("/admin/accounts/user/", {"q": typed}).text
    assert "jeanne@exemple.fr" in found
    assert "zoe@exemple.fr" not in found


def test_the_list_of_people_takes_as_many_queries_with_one_as_with_three(client, support):
    with CaptureQueriesContext(
        connection,
    ) as one:
        client.get("/admin/accounts/user/")
    UserFactory.create_batch(3)
    with CaptureQueriesContext(connection) as more:
        client.get("/admin/accounts/user/")
    assert len(one) == len(more)


def test_deactivating_asks_to_type_the_address_then_ends_the_sessions_for_good(client, support):
    person = UserFactory()
    theirs = Client()
    theirs.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    SignInLink.objects.create(
        digest="0" * 64, user=person, created_at=timezone.now(), expires_at=timezone.now() + timezone.timedelta(hours=1)
    )
    url = button_url("deactivate", person)
    assert "recopiez" in client.get(url).text
    assert "pas la même chose" in client.post(url, {"typed": "autre"}).text
    assert theirs.get("/compte/").status_code == 200

    client.post(url, {"typed": person.email})
    assert theirs.get("/compte/").status_code == 302
    assert not SignInLink.objects.exists()
    assert LogEntry.objects.get().change_message == "Désactiver ce compte"

    client.post(button_url("reactivate", person))
    assert User.objects.get(pk=person.pk).is_active
    assert theirs.get("/compte/").status_code == 302


def test_nobody_shuts_themselves_out(client, superuser):
    answer = client.post(button_url("deactivate", superuser), {"typed": superuser.email})
    assert "votre propre compte" in answer.text
    assert is_in(client)


def test_support_does_not_shut_a_colleague_out_but_a_superuser_does(client, support):
    colleague = actions.create_support_account(email="collegue@exemple.fr", password=PASSWORD).user
    answer = client.post(button_url("deactivate", colleague), {"typed": colleague.email})
    assert "Seul un administrateur" in answer.text
    assert User.objects.get(pk=colleague.pk).is_active

    chief = actions.create_support_account(email="chef@exemple.fr", password=PASSWORD, superuser=True).user
    actions.deactivate(user_id=colleague.pk, by=chief)
    assert not User.objects.get(pk=colleague.pk).is_active


def test_second_factors_are_for_superusers_to_see(client, support, device):
    assert client.get("/admin/accounts/secondfactor/").status_code == 403
    assert client.get(f"/admin/accounts/secondfactor/{device.pk}/remove/").status_code == 403
    assert "secondfactor" not in client.get("/admin/").text


def test_a_superuser_removes_a_lost_second_factor_without_reading_its_secret(client, superuser, device):
    member = Client()
    enter(member, token=code(device))
    assert is_in(member)
    assert "Seconds facteurs" in client.get("/admin/accounts/secondfactor/").text
    page = client.get(f"/admin/accounts/secondfactor/{device.pk}/change/")
    assert page.status_code == 200
    assert device.key not in page.text
    assert "otpauth" not in page.text
    answer = client.post(f"/admin/accounts/secondfactor/{device.pk}/remove/", {"typed": EMAIL}, follow=True)
    assert "Le second facteur est retiré." in answer.text
    assert not TOTPDevice.objects.filter(pk=device.pk).exists()
    assert not is_in(member)


def test_the_back_office_shows_no_page_that_a_library_brought(client, superuser):
    index = client.get("/admin/").text
    for library in ("auth", "otp_totp", "axes", "dsfr", "sites"):
        assert f"/admin/{library}/" not in index
        assert client.get(f"/admin/{library}/").status_code == 404


def test_the_account_page_leads_support_to_the_back_office(client, support):
    page = client.get("/compte/").text
    assert 'href="/admin/"' in page
    assert "Support" in page


def test_a_person_is_not_led_to_the_back_office(client):
    client.force_login(UserFactory(), backend="django.contrib.auth.backends.ModelBackend")
    assert 'href="/admin/"' not in client.get("/compte/").text


def test_the_account_page_tells_the_roles(client):
    person = UserFactory()
    for role in ("advisor", "recruiter"):
        actions.give_role(user=person, role=actions.Role(role))
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    page = client.get("/compte/").text
    assert "Recruteur, Conseiller OPCO" in page
    assert "Rôles" in page
    with pytest.raises(ValueError, match="support"):
        actions.give_role(user=person, role=actions.Role.SUPPORT)


def test_the_account_page_leads_to_the_spaces_that_the_settings_name(client, settings):
    settings.NAVIGATION = {
        **settings.NAVIGATION, "account": [{"label": "Espace d’essai", "url": "accounts:change_address"}],
    }  # fmt: skip
    client.force_login(UserFactory(), backend="django.contrib.auth.backends.ModelBackend")
    page = client.get("/compte/").text
    assert '<a class="fr-btn" href="/compte/adresse/">Espace d’essai</a>' in page
    assert "Espace d’essai" not in client.get("/").text


def test_a_weak_password_is_refused_by_the_action_too():
    with pytest.raises(ValidationError):
        actions.create_support_account(email=EMAIL, password="court")


def test_signing_out_of_the_back_office_takes_a_post(client, support):
    assert client.get("/admin/logout/").status_code == 405
    client.post("/admin/logout/")
    assert SESSION_KEY not in client.session
