"""A visitor reports an establishment in a real browser, on a telephone and on a screen."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NARROW, WIDE, violations
from tests.offers.public_town import build_town
from unsubscribe.models import Report

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("width", [NARROW, WIDE])
def test_from_its_page_to_the_thanks_without_a_violation_nor_a_sideways_scroll(visit, width):
    shop = build_town(bakeries=1)[0]
    found = {}
    with visit(f"/etablissement/{shop.siret}/", width=width, bypass_csp=True, complaints_expected=True) as page:

        def look(step):
            page.wait_for_timeout(100)
            found[step] = violations(page)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, step

        page.get_by_role("link", name="signaler une erreur").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Signaler un problème")
        look("form")
        page.get_by_label("Votre adresse e-mail").fill("voisin")
        page.get_by_role("button", name="Envoyer le signalement").click()
        expect(page.get_by_label("Qu’est-ce qui ne va pas ?")).to_be_focused()
        look("wrong")
        page.get_by_label("Qu’est-ce qui ne va pas ?").select_option(label="Entreprise fermée")
        page.get_by_label("Votre adresse e-mail").fill("voisin@exemple.fr")
        page.get_by_role("button", name="Envoyer le signalement").press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Merci pour votre signalement")
        look("sent")
    assert {step: faults for step, faults in found.items() if faults} == {}
    assert Report.objects.get().siret == shop.siret
