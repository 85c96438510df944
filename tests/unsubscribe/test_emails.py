"""The letters about requests, as they are read."""

import datetime as dt

import pytest

from labonnealternance.mail.actions import write_many
from tests import factories
from tests.factories import make_siret
from tests.mail.snapshots import check_email
from unsubscribe import emails
from unsubscribe.enums import Outcome

pytestmark = pytest.mark.django_db
AT = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC)


def check(letter):
    check_email(write_many([letter], at=AT)[0], __file__)


@pytest.fixture
def asked():
    return factories.RequestFactory(
        value=make_siret(1), address="accueil@exemple.fr", outcome=Outcome.PAUSE, ends_on=dt.date(2027, 3, 1)
    )


def test_the_link_to_the_known_address(asked):
    check(emails.link_to_act(request=asked, token="jeton"))


def test_the_link_to_who_asks_support(asked):
    check(emails.link_to_confirm(request=asked, token="jeton"))


def test_it_is_done(asked):
    asked.establishments = 3
    check(emails.done(request=asked, to=asked.address, note="Merci.\nBonne fin d’année."))


def test_it_is_refused(asked):
    check(emails.refused(request=asked, answer="Le document nomme une autre entreprise.\nJoignez le vôtre."))


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ({"outcome": Outcome.LEAVE}, "de ne plus apparaître sur le site"),
        ({"outcome": Outcome.HIDE, "channel": "phone"}, "de masquer le téléphone"),
        (
            {"outcome": Outcome.CORRECT, "email": "a@exemple.fr", "phone": "+33199000018"},
            "de remplacer les coordonnées connues (e-mail a@exemple.fr, téléphone 01 99 00 00 18)",
        ),
        (
            {"outcome": Outcome.BE_LISTED, "rome_codes": ["D1102"], "ends_on": dt.date(2027, 3, 1)},
            "d’apparaître jusqu’au 1er mars 2027 inclus pour : Boulanger / Boulangère",
        ),
    ],
)
def test_what_is_asked_is_said_in_words(told, sentence):
    factories.RomeFactory()
    asked = factories.RequestFactory(**told)
    assert asked.told() == sentence
    assert sentence.split("(")[0] in emails.link_to_act(request=asked, token="jeton").context["told"]
