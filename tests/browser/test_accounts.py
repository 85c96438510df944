"""Signing in by mouse and by keyboard, and the back-office, in a real browser under the real policy."""

from contextlib import contextmanager
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from django_otp.oath import TOTP

from labonnealternance.accounts import actions
from labonnealternance.accounts.enums import Role
from labonnealternance.accounts.models import Session
from tests.accounts.test_address_change import link_in
from tests.accounts.test_sign_in_link import link_to
from tests.browser.conftest import NARROW, WIDE, violations
from tests.factories import StaffFactory, UserFactory
from tests.office import enter

pytestmark = pytest.mark.django_db(transaction=True)

PASSWORD = "quatre chevaux au galop"


@pytest.mark.parametrize("width", [NARROW, WIDE])
def test_a_person_signs_in_with_the_keyboard_alone_and_axe_finds_no_violation_on_the_way(visit, width):
    user = UserFactory()
    with looking_at(visit, "/compte/connexion/?next=/compte/", width=width) as (page, look):
        look("form")
        page.get_by_label("Adresse e-mail").focus()
        page.keyboard.type("pas une adresse")
        page.keyboard.press("Enter")
        page.get_by_text("n’est pas valable").wait_for()
        assert page.evaluate("document.activeElement.name") == "email"
        look("error")
        page.keyboard.press("Control+A")
        page.keyboard.type(user.email)
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Consultez votre messagerie").wait_for()
        look("sent")
        link = urlsplit(link_to(user)).path
        page.goto(link)
        look("button")
        page.get_by_role("button", name="Me connecter").focus()
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Mon espace").wait_for()
        look("account")
        page.get_by_role("button", name="Me déconnecter").click()
        page.wait_for_url("**/")
        page.goto(link)
        page.get_by_role("heading", name="Ce lien n’est plus valable").wait_for()
        look("used link")


@contextmanager
def looking_at(visit, path, *, width, **options):
    """``page, look``: ``look(step)`` tries axe and the width of what is shown; what it found is told at the end."""
    found = {}
    with visit(path, width=width, bypass_csp=True, complaints_expected=True, **options) as page:

        def look(step):
            page.wait_for_timeout(100)
            found[step] = violations(page)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, step

        yield page, look
    assert {step: faults for step, faults in found.items() if faults} == {}


def sign_in_through(page, user):
    page.goto("/compte/connexion/")
    page.get_by_label("Adresse e-mail").fill(user.email)
    page.get_by_role("button", name="Recevoir un lien de connexion").click()
    page.get_by_role("heading", name="Consultez votre messagerie").wait_for()
    page.goto(urlsplit(link_to(user)).path)
    page.get_by_role("button", name="Me connecter").click()
    page.get_by_role("heading", name="Espace recruteur").wait_for()
    page.goto("/compte/")


@pytest.mark.parametrize("width", [NARROW, WIDE])
def test_a_person_closes_the_session_of_another_browser_with_the_keyboard_alone_and_without_javascript(visit, width):
    user = UserFactory()
    with (
        visit("/", java_script_enabled=False) as elsewhere,
        visit("/", java_script_enabled=False, width=width) as here,
    ):
        sign_in_through(elsewhere, user)
        sign_in_through(here, user)
        assert here.get_by_role("heading", name="Chrome sur Linux").count() == 2
        assert here.get_by_role("heading", name="Chrome sur Linux Cette session").count() == 1
        here.get_by_role("button", name="Fermer cette session").nth(1).focus()
        here.keyboard.press("Enter")
        here.get_by_text("La session est fermée.").wait_for()
        assert here.get_by_role("heading", name="Chrome sur Linux").count() == 1
        elsewhere.reload()
        elsewhere.get_by_role("heading", name="Se connecter").wait_for()

        sign_in_through(elsewhere, user)
        here.reload()
        here.get_by_role("button", name="Fermer toutes les autres").focus()
        here.keyboard.press("Enter")
        here.get_by_text("Toutes vos autres sessions sont fermées.").wait_for()
        elsewhere.reload()
        elsewhere.get_by_role("heading", name="Se connecter").wait_for()


@pytest.mark.parametrize("width", [NARROW, WIDE])
def test_the_pages_of_the_account_have_no_violation_and_fit(visit, width):
    user = UserFactory(email="une.personne.dont.l.adresse.est.vraiment.longue@exemple.fr")
    with looking_at(visit, "/", width=width) as (page, look):
        sign_in_through(page, user)
        Session.objects.create(
            session_key="a" * 32, session_data="", user=user, expire_date=timezone.now() + timedelta(days=1),
            created_at=timezone.now(), last_seen_at=timezone.now(), device="Samsung Internet sur Android",
            network="2001:db8:1234:*",
        )  # fmt: skip
        page.reload()
        look("sessions")
        page.get_by_role("link", name="Changer mon adresse e-mail").click()
        look("address")
        page.get_by_label("Nouvelle adresse e-mail").fill(user.email)
        page.get_by_role("button", name="Recevoir le lien de confirmation").click()
        page.get_by_text("C’est déjà l’adresse de votre compte.").wait_for()
        look("same address")
        page.get_by_label("Nouvelle adresse e-mail").fill("nouvelle@exemple.fr")
        page.get_by_role("button", name="Recevoir le lien de confirmation").click()
        page.get_by_role("heading", name="Nouvelle adresse à confirmer").wait_for()
        look("waiting")
        page.goto(link_in("nouvelle@exemple.fr"))
        look("confirm")
        page.get_by_role("button", name="Changer mon adresse").click()
        page.get_by_text("L’adresse du compte est maintenant nouvelle@exemple.fr.").wait_for()
        look("changed")


@pytest.mark.parametrize("width", [NARROW, WIDE])
def test_an_expired_link_is_renewed_with_the_keyboard_alone_and_without_javascript(visit, width):
    user = UserFactory()
    actions.send_link(user=user, next_path="", at=timezone.now() - timedelta(minutes=11))
    expired = urlsplit(link_to(user)).path
    with looking_at(visit, "/", width=width) as (page, look):
        page.goto(expired)
        look("expired")
    with visit("/", width=width, java_script_enabled=False, complaints_expected=True) as page:
        page.goto(expired)
        page.get_by_role("button", name="Recevoir un nouveau lien").focus()
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Consultez votre messagerie").wait_for()
        page.goto(urlsplit(link_to(user)).path)
        page.get_by_role("button", name="Me connecter").focus()
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Espace recruteur").wait_for()
        # The menu of a small screen is folded by a script: without it, nothing of it may be lost.
        assert page.get_by_role("banner").get_by_role("link", name="Mon espace").is_visible()
        page.goto(urlsplit(link_to(user)).path)
        page.get_by_role("heading", name="Ce lien a déjà servi").wait_for()
        page.get_by_role("link", name="Continuer vers mon espace").focus()
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Espace recruteur").wait_for()
    with looking_at(visit, "/", width=width) as (page, look):
        sign_in_through(page, user)
        page.goto(urlsplit(link_to(user)).path)
        look("used")


def test_the_back_office_works_under_the_policy(visit):
    device = actions.create_support_account(email="chef@exemple.fr", password=PASSWORD, superuser=True)
    person = UserFactory()
    with visit("/admin/accounts/user/") as page:
        page.get_by_label("Adresse e-mail").fill("chef@exemple.fr")
        page.get_by_label("Mot de passe").fill(PASSWORD)
        page.get_by_label("Code à 6 chiffres").fill(f"{TOTP(device.bin_key).token():06d}")
        page.get_by_role("button", name="Connexion").click()
        page.get_by_role("link", name=person.email).click()
        page.get_by_role("link", name="Désactiver ce compte").click()
        page.get_by_label("Pour confirmer, recopiez").fill(person.email)
        page.get_by_role("button", name="Désactiver ce compte").click()
        page.get_by_text("Le compte est désactivé, et ses sessions sont terminées.").wait_for()
        for path in ("/admin/", "/admin/accounts/secondfactor/"):
            page.goto(path)
        page.get_by_role("button", name="Déconnexion").click()
        page.wait_for_url(lambda url: urlsplit(url).path == "/")


@pytest.mark.parametrize("width", [NARROW, WIDE])
def test_axe_finds_no_violation_in_the_banner_of_a_visit_and_its_button_leaves(visit, width, live_server):
    user = UserFactory(first_name="Rachida", last_name="Recrute")
    actions.give_role(user=user, role=Role.RECRUITER)
    agent = enter(Client(), StaffFactory())
    begun = agent.post(f"/admin/accounts/user/{user.pk}/visit/", {"reason": "Essai"})
    with looking_at(visit, "/compte/connexion/", width=width) as (page, look):
        page.context.add_cookies(
            [
                {"name": name, "value": agent.cookies[name].value, "url": live_server.url}
                for name in (settings.SESSION_COOKIE_NAME, settings.VISIT_COOKIE_NAME)
            ]
        )
        page.goto(begun.url)
        page.get_by_text("Vous voyez l’espace de Rachida Recrute en lecture seule").wait_for()
        look("space")
        page.goto("/compte/")
        page.get_by_role("button", name="Me déconnecter").click()
        page.get_by_role("heading", name="Rien n’a été fait").wait_for()
        look("refused")
        page.get_by_role("button", name="Quitter cet espace").click()
        page.wait_for_url(f"**/admin/accounts/user/{user.pk}/change/")
