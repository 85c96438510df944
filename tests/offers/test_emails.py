"""The letters of the market, read as a person receives them."""

import uuid

import pytest
from django.urls import reverse

from companies.models import spaced_siret
from labonnealternance.accounts.models import SignInLink
from labonnealternance.mail.actions import write_many
from labonnealternance.mail.models import Message
from offers import emails
from offers.enums import AccessStatus, OfferStatus
from offers.models import Offer
from tests.factories import (
    AccessFactory,
    CommuneFactory,
    EstablishmentFactory,
    OfferFactory,
    RegistrationFactory,
    UserFactory,
    make_siret,
)
from tests.mail.snapshots import check_email
from tests.offers.market import AT, paris

pytestmark = pytest.mark.django_db

ID = uuid.UUID("11111111-1111-4111-8111-111111111111")
TOKENS = {"prolong": "jeton-prolonger", "filled": "jeton-pourvue", "close": "jeton-close"}


@pytest.fixture(autouse=True)
def contact(settings):
    settings.CONTACT_EMAIL = "contact@exemple.fr"


@pytest.fixture
def access():
    establishment = EstablishmentFactory(
        siret=make_siret(1), name="BOULANGERIE EXEMPLE & FILS", commune=CommuneFactory(name="Metz"), postcode="57000"
    )
    user = UserFactory(email="zoe@exemple.fr", first_name="Zoé", email_confirmed_at=AT)
    return AccessFactory(user=user, establishment=establishment)


@pytest.fixture
def offer(access):
    return OfferFactory(pk=ID, access=access, created_at=AT)


def told(letter, at=AT):
    """Writes the letter, and checks that it names the establishment, its SIRET and why it was sent."""
    [message] = write_many([letter], at=at)
    for body in (message.text_body, message.html_body):
        assert "SIRET" in body
        assert spaced_siret(make_siret(1)) in body, "an e-mail says which SIRET it is about"
    assert message.recipient == "zoe@exemple.fr"
    check_email(message, __file__)
    return message


def link_mail(access, registration):
    link = SignInLink(
        user=access.user, address=access.user.email, subject=emails.subject_of(registration), created_at=AT
    )
    emails.registration_link(link=link, token="jeton", at=AT)
    return Message.objects.get()


def test_the_link_of_a_registration_names_the_establishment_and_the_offer_it_confirms(access):
    registration = RegistrationFactory(access=access)
    OfferFactory(access=access, registration=registration, status=OfferStatus.AWAITING, confirmed_at=None)
    message = link_mail(access, registration)
    assert (message.recipient, message.confidential) == ("zoe@exemple.fr", True)
    assert "Boulanger / Boulangère" in message.text_body
    assert "10 minutes" in message.text_body
    check_email(message, __file__)


def test_the_link_of_a_registration_without_an_offer_names_the_establishment_alone(access):
    message = link_mail(access, RegistrationFactory(access=access))
    assert "Offre" not in message.text_body
    assert "57000 Metz" in message.text_body


def test_nothing_that_a_visitor_typed_of_themselves_is_written_to_an_address_that_nobody_proved(access):
    registration = RegistrationFactory(access=access, first_name="Gagnez", last_name="un lot", phone="+33199000099")
    message = link_mail(access, registration)
    for typed in ("Gagnez", "un lot", "199000099"):
        assert typed not in message.text_body + message.html_body


@pytest.mark.parametrize("gone", ["deleted", "denied", "another's"])
def test_a_registration_that_is_no_more_is_the_ordinary_mail_of_a_sign_in(access, gone):
    registration = RegistrationFactory(access=access)
    if gone == "deleted":
        registration.delete()
        registration.pk = ID
    elif gone == "denied":
        access.status = AccessStatus.DENIED
        access.save()
    else:
        registration = RegistrationFactory()
    assert link_mail(access, registration).kind == "sign_in_link"


def test_a_refused_registration_says_whom_to_write_to(access):
    access.status = AccessStatus.DENIED
    message = told(emails.registration_refused(access=access))
    assert "contact@exemple.fr" in message.text_body
    assert "/lien/" not in message.text_body


def test_a_registration_of_a_shut_account_says_so(access):
    access.user.is_active = False
    [message] = write_many([emails.registration_refused(access=access)], at=AT)
    assert "votre compte est fermé" in message.text_body


def test_an_address_of_support_is_sent_to_the_back_office(access):
    assert "/admin/" in told(emails.registration_of_support(access=access)).text_body


def test_an_unfinished_registration_says_how_to_finish(access):
    told(emails.registration_unfinished(registration=RegistrationFactory(access=access)))


def test_a_granted_access_says_what_was_published(access):
    told(emails.access_granted(access=access, published=2))
    [one, none] = write_many([emails.access_granted(access=access, published=number) for number in (1, 0)], at=AT)
    assert "L’offre que vous aviez déposée est en ligne." in one.text_body
    assert reverse("offers:offer_new") in none.text_body


def test_a_refused_access_says_why_and_what_was_cancelled(access):
    cancelled = [Offer(job_label="Boulanger / Boulangère"), Offer(custom_title="Vendeur <de nuit>")]
    told(
        emails.access_denied(
            access=access, reason="SIRET d’une\nautre entreprise", was_granted=False, cancelled=cancelled
        )
    )
    [message] = write_many([emails.access_denied(access=access, reason="", was_granted=True, cancelled=[])], at=AT)
    assert "Motif" not in message.text_body
    assert "retiré" in message.text_body


def test_a_mail_about_many_offers_names_twenty_and_counts_the_others(access):
    cancelled = [Offer(job_label=f"Métier {n}") for n in range(25)]
    letter = emails.access_denied(access=access, reason="", was_granted=True, cancelled=cancelled)
    [message] = write_many([letter], at=AT)
    assert "Métier 19" in message.text_body
    assert "Métier 20" not in message.text_body
    assert "et 5 autres" in message.text_body


def test_a_published_offer_says_where_it_is_how_long_and_how_to_change_it(offer):
    message = told(emails.offer_published(offer=offer, tokens=TOKENS))
    for address in (f"/offre/{ID}/", f"/recruteur/offres/{ID}/", "jeton-prolonger", "jeton-pourvue"):
        assert address in message.text_body
    assert "jusqu’au 23 décembre 2026 inclus" in message.text_body


def test_a_week_before_the_end_it_may_be_prolonged_or_filled_in_one_act(offer):
    message = told(emails.offer_expires_soon(offer=offer, tokens=TOKENS, at=paris(2026, 12, 16, 8)))
    assert "7 jours" in message.text_body
    assert all(token in message.text_body for token in TOKENS.values())


def test_the_day_before_the_end_the_same_and_it_says_tomorrow_or_this_evening(offer):
    message = told(emails.offer_expires_tomorrow(offer=offer, tokens=TOKENS, at=paris(2026, 12, 22, 8)))
    assert "demain soir" in message.subject
    letter = emails.offer_expires_tomorrow(offer=offer, tokens=TOKENS, at=paris(2026, 12, 23, 8))
    [late] = write_many([letter], at=AT)
    assert "ce soir" in late.subject


def test_an_expired_offer_asks_what_became_of_it(offer):
    message = told(emails.offer_expired(offer=offer, tokens=TOKENS))
    assert "Qu’est-elle devenue ?" in message.text_body
    assert "jeton-prolonger" not in message.text_body


def test_offers_of_a_closed_establishment_are_told_in_one_mail(access):
    closed = [Offer(job_label="Boulanger / Boulangère"), Offer(custom_title="Vendeur en boulangerie")]
    reason = "Cet établissement est fermé, selon le registre des entreprises."
    message = told(emails.offers_closed_with_establishment(access=access, closed=closed, reason=reason))
    assert reason in message.text_body
    assert "Vos offres" in message.subject


def test_a_moderated_offer_says_why(offer):
    told(emails.offer_moderated(offer=offer, comment="Ce n’est pas une alternance."))


def test_a_title_injects_nothing(offer):
    offer.custom_title = '<img src=x onerror="alert(1)"> & Fils'
    [message] = write_many([emails.offer_expired(offer=offer, tokens=TOKENS)], at=AT)
    assert "<img" not in message.html_body
    assert "&lt;img" in message.html_body
    assert '<img src=x onerror="alert(1)"> & Fils' in message.text_body
    assert "\n" not in message.subject
