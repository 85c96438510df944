"""The e-mails about accounts, as they are read."""

import datetime as dt

import pytest

from labonnealternance.accounts import emails
from labonnealternance.accounts.models import AddressChange, SignInLink
from labonnealternance.mail.models import Message
from tests.factories import UserFactory
from tests.mail.snapshots import check_email

pytestmark = pytest.mark.django_db

AT = dt.datetime(2026, 11, 21, 9, 0, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def contact_address(settings):
    settings.CONTACT_EMAIL = "contact@exemple.fr"


@pytest.fixture
def user():
    return UserFactory(email="ancienne@exemple.fr")


@pytest.fixture
def change(user):
    return AddressChange(user=user, address="nouvelle@exemple.fr")


def check(recipient, *, confidential=False):
    message = Message.objects.get()
    assert (message.recipient, message.confidential) == (recipient, confidential)
    check_email(message, __file__)


def test_the_sign_in_link_goes_to_the_address_that_it_is_bound_to(user):
    emails.sign_in_link(link=SignInLink(user=user, address="liee@exemple.fr"), token="jeton", at=AT)
    check("liee@exemple.fr", confidential=True)


def test_the_link_that_changes_the_address_goes_to_the_new_one(change):
    emails.address_change(change=change, token="jeton", at=AT)
    check("nouvelle@exemple.fr", confidential=True)


def test_the_present_address_is_told_of_the_request(change):
    emails.address_change_asked(change=change, at=AT)
    check("ancienne@exemple.fr")


def test_the_former_address_is_told_of_the_change(user):
    user.email = "nouvelle@exemple.fr"
    emails.address_changed(user=user, before="ancienne@exemple.fr", at=AT)
    check("ancienne@exemple.fr")


def test_the_owner_of_an_address_is_told_that_it_was_given_for_another_account(user):
    emails.address_taken(owner=user, at=AT)
    check("ancienne@exemple.fr")


def test_who_had_their_data_erased_reads_what_stays():
    emails.personal_data_erased(address="effacee@exemple.fr", at=AT)
    check("effacee@exemple.fr", confidential=True)
