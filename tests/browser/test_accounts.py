"""Signing in by mouse and by keyboard, and the back-office, in a real browser under the real policy."""

from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from django_otp.oath import TOTP

from labonnealternance.accounts import actions
from tests.accounts.test_sign_in_link import link_to
from tests.browser.conftest import NARROW, WIDE
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db(transaction=True)

PASSWORD = "quatre chevaux au galop"


def faults(page) -> list:
    return [
        (fault["id"], [node["html"][:150] for node in fault["nodes"]])
        for fault in Axe().run(page).response["violations"]
    ]


@pytest.mark.parametrize("width", [NARROW, WIDE])
def test_a_person_signs_in_with_the_keyboard_alone_and_axe_finds_no_violation_on_the_way(visit, width):
    user = UserFactory()
    found = {}
    with visit("/compte/connexion/?next=/compte/", width=width, bypass_csp=True, complaints_expected=True) as page:

        def look(step):
            page.wait_for_timeout(100)
            found[step] = faults(page)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, step

        look("form")
        page.get_by_label("Adresse e-mail").focus()
        page.keyboard.type("pas une adresse")
        page.keyboard.press("Enter")
        page.get_by_text("n'est pas valable").wait_for()
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
    assert {step: violations for step, violations in found.items() if violations} == {}


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
