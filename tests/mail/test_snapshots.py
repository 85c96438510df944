"""The letter itself, and the helper that other apps check theirs with."""

import pytest

from tests.mail.snapshots import check_email

pytestmark = pytest.mark.django_db


def test_the_letter_reads_as_its_snapshot(write):
    check_email(write(reply_to="recruteur@exemple.fr"), __file__)


def test_what_changes_is_replaced(write):
    check_email(
        write(reply_to="recruteur@exemple.fr", context={"link": "http://exemple.fr/offre/hasard"}),
        __file__,
        replace={"http://exemple.fr/offre/hasard": "http://exemple.fr/offre/1"},
    )


def test_a_letter_that_changed_is_seen(write):
    with pytest.raises(AssertionError, match=r"essai\.txt changed"):
        check_email(write(context={"name": "Anaïs"}), __file__)


def test_a_letter_without_a_snapshot_says_how_to_make_one(write, tmp_path):
    with pytest.raises(AssertionError, match="UPDATE_SNAPSHOTS=1"):
        check_email(write(), str(tmp_path / "test_other.py"))


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (
            {"html_body": '<img src="https://traceur.exemple.fr/1.png">Vous recevez cet e-mail'},
            "no image from elsewhere",
        ),
        ({"html_body": "<script>1</script>Vous recevez cet e-mail"}, "no script"),
        ({"html_body": '<a href="https://exemple.fr/x">x</a>Vous recevez cet e-mail'}, "the same links"),
        ({"html_body": '<a href="/x">x</a>Vous recevez cet e-mail'}, "a whole address"),
        ({"html_body": "Bonjour"}, "why it was received"),
        ({"text_body": "Bonjour"}, "the same links"),
    ],
)
def test_the_rules_of_every_email_are_held(write, change, rule):
    message = write()
    for name, value in change.items():
        setattr(message, name, value)
    with pytest.raises(AssertionError, match=rule):
        check_email(message, __file__)
