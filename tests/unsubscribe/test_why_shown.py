"""Who proves to speak for an establishment reads why the model names it; nobody else does."""

import pytest
from django.utils import timezone

from companies.actions import explanations, visibility_links
from companies.actions.reasons import Reason
from companies.models import Establishment, Explanation
from labonnealternance.mail.models import Message
from tests import factories
from tests.companies import potentials
from tests.companies.potentials import BAKER, COOK
from tests.factories import make_siret
from tests.unsubscribe.conftest import ADDRESS, SIRET, ask, last_link
from unsubscribe.actions import why_shown

TITLE = "Pourquoi votre établissement est-il proposé"
SIZE = "Effectif de l’établissement : 20 à 49 salariés"
REASONS = [Reason("headcount", 0.8, {"headcount": "12"}), Reason("age", -0.3, {"age_months": 7})]


def answer():
    """What the worker does, without a model."""
    return explanations.answer_asked(
        explain=lambda release_id, found: {siret: dict.fromkeys(jobs, REASONS) for siret, jobs in found.items()},
        at=timezone.now(),
    )


@pytest.fixture
def proposed(shop):
    potentials.make_jobs()
    potentials.put_online([(shop, BAKER, 2.0), (shop, COOK, 1.0)])
    return shop


@pytest.fixture
def by_mail(proposed, settings):
    return visibility_links.make(siret=SIRET, email=ADDRESS).removeprefix(settings.SITE_URL)


def test_the_reasons_are_ready_when_the_mail_of_the_link_is_read(client, proposed):
    ask(client)
    assert answer() == 1
    page = client.get(last_link()).text
    assert TITLE in page
    assert f"Métier {BAKER}" in page
    assert f"Métier {COOK}" in page
    assert f"{SIZE}&nbsp;: <strong>augmente l’estimation</strong>" in page
    assert "Établissement créé il y a moins d’un an&nbsp;: <strong>diminue l’estimation</strong>" in page
    assert "/desinscription/etre-reference/" in page


def test_reasons_that_are_not_computed_yet_are_said_to_be(client, proposed):
    ask(client)
    path = last_link()
    page = client.get(path).text
    assert "Les raisons sont en cours de calcul" in page
    assert f'href="{path}"' in page
    answer()
    assert "en cours de calcul" not in client.get(path).text


def test_reasons_that_were_not_kept_are_said_to_be(client, proposed):
    ask(client)
    explanations.answer_asked(explain=lambda release_id, found: {}, at=timezone.now())
    assert "n’a pas été conservé" in client.get(last_link()).text


def test_the_lasting_link_of_a_mail_tells_the_reasons_of_its_establishment(client, by_mail):
    client.get(by_mail)
    answer()
    page = client.get(by_mail)
    assert SIZE in page.text
    assert f"{by_mail}quitter/" in page.text
    assert "no-store" in page["Cache-Control"]


def test_the_link_of_a_mail_tells_nothing_once_the_known_address_is_another(client, by_mail):
    factories.ContactCorrectionFactory(siret=SIRET, value="ailleurs@exemple.fr")
    assert TITLE not in client.get(by_mail).text
    assert not Explanation.objects.exists()


def test_nothing_is_told_without_a_proof(client, by_mail):
    client.get(by_mail)
    answer()
    other = visibility_links.make(siret=make_siret(9), email=ADDRESS)
    for path in (
        "/desinscription/",
        "/desinscription/quitter/",
        f"/etablissement/{SIRET}/",
        f"{by_mail[:-9]}x/",
        other,
    ):
        text = client.get(path).text
        assert TITLE not in text, path
        assert SIZE not in text, path
    ask(client, who="inconnu@exemple.fr")
    assert not Message.objects.exists()


def test_nothing_is_told_of_an_establishment_that_the_model_does_not_name_or_that_left(client, branches):
    potentials.make_jobs()
    shop = Establishment.objects.get(siret=SIRET)
    potentials.put_online([(shop, BAKER, 2.0)])
    ask(client, who=make_siret(2))
    page = client.get(last_link()).text
    assert page.count("<h3") == page.count('class="fr-h6 fr-mb-1w"') == 1
    potentials.hide(shop, at=timezone.now())
    assert TITLE not in client.get(last_link()).text


def test_the_page_has_the_same_queries_whatever_the_address_speaks_for(client, proposed, django_assert_max_num_queries):
    ask(client)
    answer()
    path = last_link()
    client.get(path)
    with django_assert_max_num_queries(30) as one:
        client.get(path)
    most = len(one)
    others = [factories.EstablishmentFactory(siret=make_siret(n)) for n in range(2, 9)]
    for each in others:
        factories.ContactFactory(siret=each.siret, email=ADDRESS)
    potentials.put_online([(each, rome, 1.0) for each in (proposed, *others) for rome in (BAKER, COOK)])
    client.get(path)
    answer()
    with django_assert_max_num_queries(most):
        page = client.get(path).text
    assert page.count('class="fr-h6 fr-mb-1w"') == why_shown.MOST_EXPLAINED
