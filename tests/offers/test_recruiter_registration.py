"""The way in of a recruiter: each refusal with its own sentence, nothing lost, nothing told of who has an account."""

import socket
import time
import uuid
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from celery import current_app
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from companies.enums import RomeItemKind
from companies.models import Establishment, RomeAppellation, RomeItem
from labonnealternance.accounts.models import User
from labonnealternance.mail.models import Message
from offers.actions import registrations as acts
from offers.enums import AccessStatus, OfferStatus
from offers.models import Access, Offer, Registration
from offers.recruiters import registration as doors
from tests import factories
from tests.companies.conftest import impatient, opco_service, registry
from tests.offers.public_town import BAKER
from tests.offers.recruiter_journey import (
    BAD_TEXTS,
    CONTACT,
    DONE,
    KNOWLEDGE,
    OFFER,
    PERSON,
    REGISTER,
    SKILLS,
    TITLE,
    build_jobs,
    check_page,
    start,
    typed,
    words,
)

__all__ = ["impatient", "opco_service", "registry"]
pytestmark = pytest.mark.django_db

SIRET = factories.make_siret(1)


@pytest.fixture
def bakery():
    return factories.EstablishmentFactory(siret=SIRET, name="FOURNIL DU PONT", opco=factories.OpcoFactory())


@pytest.fixture
def jobs():
    build_jobs()


@pytest.fixture
def journey(client, bakery, jobs):
    """A visitor who told who they are, and is asked for the first offer."""
    assert tell(client).url == f"{OFFER}?siret={SIRET}"
    return client


def tell(client, siret=SIRET, **changes):
    return client.post(f"{CONTACT}?siret={siret}", PERSON | changes)


def deposit(client, siret=SIRET, **changes):
    return client.post(f"{OFFER}?siret={siret}", typed(**changes))


def sign_in(client, user):
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")


def ask(client, **query):
    answer = client.get(REGISTER, query)
    assert answer.status_code == 200
    return answer


# ── 1. Which establishment ───────────────────────────────────────────────────────────────────────────────────────────


def test_one_field_is_asked_and_no_account(client):
    page = ask(client)
    assert "SIRET ou nom de votre établissement" in words(page)
    assert page.text.count('type="text"') == 1
    assert "Erreur" not in words(page)


@pytest.mark.parametrize(
    "text", [SIRET, "000 000 018 00010", " 000.000.018-00010 ", "000\u00a0000\u00a0018\u00a000010", "\u200b" + SIRET]
)
def test_a_siret_leads_to_the_contact_however_it_is_spaced(client, text):
    answer = client.get(REGISTER, {"q": text})
    assert (answer.status_code, answer.url) == (302, f"{CONTACT}?siret={SIRET}")


def test_a_siret_of_la_poste_leads_to_the_contact(client):
    assert client.get(REGISTER, {"q": "356 000 000 00015"}).url == f"{CONTACT}?siret=35600000000015"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "Indiquez le SIRET ou le nom de votre établissement."),
        ("   ", "Indiquez le SIRET ou le nom de votre établissement."),
        ("0000000180001O", "Un SIRET ne contient que des chiffres."),
        (SIRET[:-1] + "1", "Ce SIRET n’existe pas : un de ses chiffres est faux."),
        ("35600000000016", "Ce SIRET n’existe pas : un de ses chiffres est faux."),
        (SIRET + "1", "Un SIRET a 14 chiffres : vous en avez donné 15."),
        ("123", "Un SIRET a 14 chiffres : vous en avez donné 3."),
        (SIRET[:13], "Un SIRET a 14 chiffres : vous en avez donné 13."),
        ("Zzyzx Wwwq", "Aucun établissement de ce nom : vérifiez-le, ou donnez le SIRET."),
        ("z", "Aucun établissement de ce nom : vérifiez-le, ou donnez le SIRET."),
    ],
)
def test_what_is_no_siret_has_its_own_sentence_beside_the_field_and_is_kept(client, text, sentence):
    page = ask(client, q=text)
    assert sentence in words(page)
    assert f'value="{text.strip()}"' in page.text
    assert 'aria-describedby="etablissement_helptext etablissement_error"' in page.text
    assert "<title>Erreur" in page.text


def test_a_name_gives_a_list_to_choose_from(client, bakery):
    factories.EstablishmentFactory(siret=factories.make_siret(2), name="FOURNIL DU PARC")
    page = ask(client, q="fournil")
    for siret in (SIRET, factories.make_siret(2)):
        assert f'href="{CONTACT}?siret={siret}"' in page.text
    assert "SIRET 000 000 018 00010" in words(page)
    assert "Erreur" not in words(page)


def test_the_first_nine_digits_give_the_establishments_of_the_company(client, bakery):
    other = factories.EstablishmentFactory(siret=factories.make_siret(1, branch=2), name="FOURNIL DU PARC")
    page = ask(client, q=SIRET[:9])
    assert SIRET in page.text
    assert other.siret in page.text


def test_suggestions_name_the_place_and_the_siret(client, bakery):
    answer = client.get("/recruteur/suggestions/etablissements/", {"q": "fournil metz"})
    [found] = answer.json()["suggestions"]
    assert found["value"] == SIRET
    assert found["label"].startswith("FOURNIL DU PONT – ")
    assert "Metz" in found["label"]
    assert found["label"].endswith("000\u00a0000\u00a0018\u00a000010")


def test_a_delisted_establishment_is_in_no_later_suggestion_and_no_cache_keeps_one(client, bakery):
    asked = {"q": "fournil"}
    answer = client.get("/recruteur/suggestions/etablissements/", asked)
    assert len(answer.json()["suggestions"]) == 1
    assert {"private", "no-store"} <= set(answer["Cache-Control"].split(", "))
    factories.VisibilityDecisionFactory(value=SIRET)
    assert client.get("/recruteur/suggestions/etablissements/", asked).json()["suggestions"] == []
    assert SIRET not in ask(client, q="fournil").text


def test_whatever_is_typed_as_an_establishment_there_is_a_page(client, bakery):
    for kind, text in BAD_TEXTS.items():
        check_page(client.get(REGISTER, {"q": text}), asked=kind)
        check_page(client.get(REGISTER, {"q": "fournil", "siret": text}), asked=kind)
        for path in (CONTACT, OFFER, DONE):
            check_page(client.get(path, {"siret": text}), asked=(path, kind))
        check_page(client.get("/recruteur/suggestions/etablissements/", {"q": text}), asked=kind)


def test_beyond_the_limit_the_answer_is_429_with_a_sentence_and_the_text_is_kept(client, bakery, monkeypatch):
    monkeypatch.setattr(doors, "SUGGESTIONS", doors.Limit("test", 1, doors.SUGGESTIONS.per))
    assert client.get("/recruteur/suggestions/etablissements/", {"q": "fournil"}).status_code == 200
    refused = client.get("/recruteur/suggestions/etablissements/", {"q": "fournil"})
    assert (refused.status_code, refused.json()) == (429, {"suggestions": []})
    page = client.get(REGISTER, {"q": "fournil"})
    assert page.status_code == 429
    assert int(page["Retry-After"]) > 0
    assert "Trop de demandes en peu de temps. Réessayez dans 5 minutes." in words(page)
    assert 'value="fournil"' in page.text


# ── 2. Who ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_legal_data_are_shown_for_confirmation(client, bakery):
    page = client.get(CONTACT, {"siret": SIRET})
    for line in (
        "FOURNIL DU PONT", "1 PLACE D'ARMES", "57000 Metz", "Boulangerie et boulangerie-pâtisserie",
        "SIRET 000 000 018 00010",
    ):  # fmt: skip
        assert line in words(page)
    assert "no-store" in page["Cache-Control"]


def test_four_fields_are_asked_and_the_opco_only_where_nobody_knows_it(client, bakery):
    page = client.get(CONTACT, {"siret": SIRET})
    assert page.text.count("<input") - page.text.count('type="hidden"') - page.text.count('type="radio"') == 4
    assert "OPCO" not in words(page)
    Establishment.objects.update(opco=None)
    page = client.get(CONTACT, {"siret": SIRET})
    assert '<option value="" selected>Je ne sais pas</option>' in page.text
    assert '<option value="opco-ep">' in page.text


@pytest.mark.parametrize(
    ("facts", "decided", "sentence", "following"),
    [
        ({"closed_on": "2020-01-01"}, False, "Cet établissement est fermé", "établissements ouverts de cette"),
        ({"is_diffusible": False}, False, "opposée à la diffusion de ses données", "auprès de l’Insee"),
        ({"naf__code": "8532Z"}, False, "établissement d’enseignement", "inscrivez-vous comme CFA"),
        ({}, True, "a demandé à ne plus figurer", "écrivez-nous"),
    ],
)  # fmt: skip
def test_each_refusal_has_its_own_sentence_and_next_step(client, facts, decided, sentence, following):
    factories.EstablishmentFactory(siret=SIRET, **facts)
    if decided:
        factories.VisibilityDecisionFactory(value=SIRET)
    for answer in (client.get(CONTACT, {"siret": SIRET}), tell(client)):
        assert answer.status_code == 200
        assert sentence in words(answer)
        assert following in words(answer)
        assert f'value="{SIRET}"' in answer.text
    assert not User.objects.exists()


def test_a_siret_that_the_registry_does_not_know_is_told_so(client, registry):
    page = client.get(CONTACT, {"siret": SIRET})
    assert "ne connaît pas ce SIRET" in words(page)
    assert "réessayez dans quelques jours" in words(page)


def test_one_that_only_the_registry_knows_is_shown_then_kept(client, jobs, registry):
    registry.add(SIRET)
    assert "FOURNIL EXEMPLE" in words(client.get(CONTACT, {"siret": SIRET}))
    assert not Establishment.objects.exists()
    assert tell(client).status_code == 302
    assert Establishment.objects.get().name == "FOURNIL EXEMPLE"


@pytest.mark.parametrize("mode", ["html", "429", "500", "half json", "hanging", "not an object"])
def test_whatever_the_registry_answers_the_person_goes_on_to_the_end(client, jobs, registry, impatient, mode):
    registry.mode = mode
    page = client.get(CONTACT, {"siret": SIRET})
    assert page.status_code == 200
    assert "Le registre des entreprises ne répond pas en ce moment. Continuez" in words(page)
    assert "SIRET 000 000 018 00010" in words(page)
    assert "invalide" not in words(page)
    assert tell(client).status_code == 302
    assert Establishment.objects.get().to_verify_since
    assert deposit(client).url == f"{DONE}?siret={SIRET}"
    assert Offer.objects.get().status == OfferStatus.AWAITING


@pytest.mark.parametrize(
    ("field", "text", "sentence"),
    [
        ("first_name", "", "Indiquez votre prénom."),
        ("last_name", " ", "Indiquez votre nom."),
        ("email", "camille", "Cette adresse e-mail n’est pas valable : elle s’écrit comme prenom.nom@exemple.fr."),
        ("email", "", "Indiquez une adresse e-mail."),
        ("phone", "", "Indiquez votre numéro de téléphone."),
        ("phone", "12", "Ce numéro de téléphone n’est pas valide."),
        ("phone", "+44 20 7946 0018", "Ce numéro de téléphone n’est pas français."),
        ("phone", "0899 12 34 56", "Ce numéro de téléphone est surtaxé."),
        ("first_name", "www.exemple.fr", "Un nom s’écrit sans adresse de site ni caractère invisible."),
        ("opco", "inconnu", "Choisissez un OPCO de la liste."),
    ],
)
def test_what_is_wrong_is_told_beside_its_field_and_the_rest_is_kept(client, bakery, field, text, sentence):
    page = tell(client, **{field: text})
    assert page.status_code == 200
    assert sentence in words(page)
    assert f'aria-describedby="id_{field}' in page.text
    assert f'id="id_{field}_error"' in page.text
    for name, kept in PERSON.items():
        assert name == field or f'value="{kept}"' in page.text
    assert not Registration.objects.exists()


@pytest.mark.parametrize("field", [*PERSON, "opco"])
def test_whatever_is_typed_of_oneself_there_is_a_page(client, bakery, field):
    for kind, text in BAD_TEXTS.items():
        check_page(tell(client, **{field: text}), asked=(field, kind))


def test_what_was_told_is_kept_and_holds_nothing(client, bakery, jobs):
    assert tell(client).url == f"{OFFER}?siret={SIRET}"
    kept = Registration.objects.get()
    assert (kept.first_name, kept.last_name, kept.phone) == ("Camille", "Exemple", "+33199001234")
    assert kept.access.user.email == "camille@exemple.fr"
    assert kept.access.status == AccessStatus.AWAITING
    assert not Message.objects.exists()
    assert "_auth_user_id" not in client.session


def test_the_opco_that_was_chosen_is_kept(client, bakery):
    Establishment.objects.update(opco=None)
    tell(client, opco="opco-ep")
    assert Registration.objects.get().opco_id == "opco-ep"


def _account(kind):
    if kind == "support":
        factories.StaffFactory(email="camille@exemple.fr")
    elif kind != "new":
        user = factories.UserFactory(email="camille@exemple.fr", email_confirmed_at=timezone.now())
        status = AccessStatus.DENIED if kind == "denied" else AccessStatus.GRANTED
        factories.AccessFactory(user=user, establishment=Establishment.objects.get(), status=status)


def test_the_answer_is_the_same_whoever_has_the_address(bakery, jobs):
    seen = {}
    for kind in ("new", "known", "denied", "support"):
        Offer.objects.all().delete()
        Registration.objects.all().delete()
        Access.objects.all().delete()
        User.objects.all().delete()
        _account(kind)
        visitor = Client()
        pages = [tell(visitor), visitor.get(f"{OFFER}?siret={SIRET}"), deposit(visitor)]
        pages.append(visitor.get(pages[-1].url))
        seen[kind] = [(page.status_code, page.headers.get("Location"), words(page)) for page in pages]
    assert seen["new"] == seen["known"] == seen["denied"] == seen["support"]


def test_the_same_contact_sent_twice_is_one_registration_and_the_same_answer(client, bakery):
    assert tell(client).url == tell(client).url
    assert Registration.objects.count() == Access.objects.count() == User.objects.count() == 1


def test_too_many_registrations_are_answered_429_with_a_sentence_and_what_was_typed(client, bakery, monkeypatch):
    monkeypatch.setattr(acts, "REGISTRATIONS_PER_ADDRESS", acts.Limit("test", 1, acts.REGISTRATIONS_PER_ADDRESS.per))
    tell(client)
    page = tell(client)
    assert page.status_code == 429
    assert "Trop de demandes en peu de temps. Réessayez dans 60 minutes." in words(page)
    assert 'value="Camille@exemple.fr"' in page.text


def test_too_many_look_ups_are_answered_429(client, bakery, monkeypatch):
    monkeypatch.setattr(doors, "LOOK_UPS", doors.Limit("test", 1, doors.LOOK_UPS.per))
    client.get(CONTACT, {"siret": SIRET})
    page = client.get(CONTACT, {"siret": SIRET})
    assert page.status_code == 429
    assert "Trop de demandes" in words(page)


def test_a_filled_form_beyond_the_limit_of_look_ups_is_answered_429_and_kept(client, bakery, monkeypatch):
    monkeypatch.setattr(doors, "LOOK_UPS", doors.Limit("test", 1, doors.LOOK_UPS.per))
    client.get(CONTACT, {"siret": SIRET})
    page = tell(client)
    assert page.status_code == 429
    assert page["Retry-After"]
    assert "Trop de demandes" in words(page)
    assert 'value="Camille@exemple.fr"' in page.text
    assert 'value="01 99 00 12 34"' in page.text
    assert "SIRET 000 000 018 00010" in words(page)
    assert "Continuer" in words(page)
    assert tell(client, siret="<script>").status_code == 429
    assert not Registration.objects.exists()


class TestSignedIn:
    @pytest.fixture
    def person(self, client):
        user = factories.UserFactory(email_confirmed_at=timezone.now())
        sign_in(client, user)
        return user

    def test_the_contact_is_not_asked_again(self, client, bakery, person):
        page = client.get(CONTACT, {"siret": SIRET})
        assert "Ajouter cet établissement" in words(page)
        assert "id_email" not in page.text
        assert "id_phone" not in page.text

    def test_the_establishment_is_added_and_an_offer_may_follow(self, client, bakery, person):
        assert client.post(f"{CONTACT}?siret={SIRET}").url == f"/recruteur/offres/nouvelle/?siret={SIRET}"
        assert client.post(f"{CONTACT}?siret={SIRET}").status_code == 302
        access = Access.objects.get()
        assert (access.user, access.establishment) == (person, bakery)
        assert access.confirmed_at

    def test_the_opco_is_asked_where_nobody_knows_it(self, client, bakery, person):
        Establishment.objects.update(opco=None)
        assert "Je ne sais pas" in words(client.get(CONTACT, {"siret": SIRET}))
        client.post(f"{CONTACT}?siret={SIRET}", {"opco": "opco-ep"})
        assert Establishment.objects.get().opco_id == "opco-ep"

    def test_who_was_refused_is_told_so_and_whom_to_write_to(self, client, bakery, person):
        factories.AccessFactory(user=person, establishment=bakery, status=AccessStatus.DENIED)
        page = client.post(f"{CONTACT}?siret={SIRET}")
        assert page.status_code == 200
        assert "a été refusée" in words(page)
        assert settings.CONTACT_EMAIL in words(page)
        assert "Ajouter cet établissement" not in words(page)
        assert 'href="/recruteur/"' in page.text

    def test_support_is_told_that_it_acts_elsewhere(self, client, bakery):
        sign_in(client, factories.StaffFactory())
        assert "back-office" in words(client.post(f"{CONTACT}?siret={SIRET}"))

    def test_the_steps_of_a_visitor_lead_to_one_s_own_pages(self, client, bakery, person):
        assert client.get(f"{OFFER}?siret={SIRET}").url == f"/recruteur/offres/nouvelle/?siret={SIRET}"
        assert client.get(DONE).url == "/recruteur/"


# ── 3. The first offer ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", [OFFER, DONE])
@pytest.mark.parametrize("method", ["get", "post"])
def test_without_a_registration_one_is_led_back_to_the_beginning_with_a_sentence(client, bakery, path, method):
    answer = getattr(client, method)(f"{path}?siret={SIRET}", follow=True)
    assert answer.redirect_chain == [(REGISTER, 302)]
    assert "Nous ne retrouvons pas votre inscription." in words(answer)


def test_another_visitor_has_nothing_of_a_registration(journey):
    assert Client().get(f"{OFFER}?siret={SIRET}").url == REGISTER
    assert Client().get(f"{DONE}?siret={SIRET}").url == REGISTER


def test_a_registration_that_time_took_away_is_begun_again(journey):
    Registration.objects.all().delete()
    assert journey.get(f"{OFFER}?siret={SIRET}").url == REGISTER


def test_a_title_and_a_start_are_enough(journey):
    page = journey.get(f"{OFFER}?siret={SIRET}")
    assert "Pour FOURNIL DU PONT , Metz" in words(page)
    assert journey.post(f"{OFFER}?siret={SIRET}", typed()).url == f"{DONE}?siret={SIRET}"
    offer = Offer.objects.get()
    assert (offer.job_label, offer.starts_on, offer.status) == (TITLE, start(), OfferStatus.AWAITING)
    assert (offer.contract_types, offer.level, offer.duration_months, offer.positions) == (
        ["apprenticeship"],
        "",
        12,
        1,
    )
    assert (offer.skills, offer.knowledge) == (SKILLS, KNOWLEDGE)
    assert offer.description == "Réalise des produits de boulangerie."
    assert offer.registration == Registration.objects.get()
    message = Message.objects.get()
    assert message.recipient == "camille@exemple.fr"
    assert "000 000 018 00010" in message.text_body.replace("\u00a0", " ")
    assert TITLE in message.text_body


def test_the_same_form_sent_twice_is_one_offer_one_mail_and_the_same_answer(journey):
    form = typed()
    answers = [journey.post(f"{OFFER}?siret={SIRET}", form) for _ in range(2)]
    assert [answer.url for answer in answers] == [f"{DONE}?siret={SIRET}"] * 2
    assert Offer.objects.count() == Message.objects.count() == 1


def test_a_garbled_key_is_a_new_one(journey):
    for key in ("", "x", "a\0b", "9" * 10_000):
        Offer.objects.all().delete()
        assert deposit(journey, deposit_key=key).status_code == 302
        assert Offer.objects.count() == 1


def test_each_display_of_the_form_draws_its_own_key(journey):
    def key():
        return journey.get(f"{OFFER}?siret={SIRET}").text.split('name="deposit_key" value="')[1].split('"')[0]

    assert uuid.UUID(key()) != uuid.UUID(key())


def test_two_tabs_of_two_establishments_never_mix(journey):
    second = factories.EstablishmentFactory(siret=factories.make_siret(2), name="FOURNIL DU PARC")
    tell(journey, siret=second.siret)
    assert deposit(journey, siret=SIRET).url == f"{DONE}?siret={SIRET}"
    assert deposit(journey, siret=second.siret).url == f"{DONE}?siret={second.siret}"
    assert {offer.establishment.siret for offer in Offer.objects.all()} == {SIRET, second.siret}


def test_two_tabs_of_one_establishment_are_two_offers(journey):
    deposit(journey)
    deposit(journey)
    assert Offer.objects.count() == 2


def test_the_offer_may_be_put_off_and_the_link_leaves_all_the_same(journey):
    answer = journey.post(f"{OFFER}?siret={SIRET}", {"action": "later"})
    assert answer.url == f"{DONE}?siret={SIRET}"
    assert not Offer.objects.exists()
    assert Message.objects.get().recipient == "camille@exemple.fr"
    assert "Pour ouvrir votre espace, suivez le lien" in words(journey.get(answer.url))


def test_once_the_address_is_confirmed_one_signs_in_to_deposit(journey):
    Registration.objects.update(confirmed_at=timezone.now())
    answer = journey.get(f"{OFFER}?siret={SIRET}")
    place = urlsplit(answer.url)
    assert place.path == "/compte/connexion/"
    assert parse_qs(place.query)["next"] == [f"/recruteur/offres/nouvelle/?siret={SIRET}"]
    assert "connectez-vous pour déposer une offre" in words(journey.get(answer.url))


def test_a_broker_that_hangs_costs_nobody_anything_and_the_mail_is_there(journey, monkeypatch):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        monkeypatch.setattr(current_app.conf, "broker_write_url", f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
        monkeypatch.setattr("labonnealternance.mail.actions.outbox._broker_is_silent_until", 0.0)
        begun = time.monotonic()
        assert deposit(journey).url == f"{DONE}?siret={SIRET}"
        assert time.monotonic() - begun < 8
    assert Offer.objects.count() == 1
    assert Message.objects.get().status == "queued"


def _queries(journey, **changes) -> int:
    """The statements of a deposit but those that begin and end a transaction."""
    with CaptureQueriesContext(connection) as queries:
        assert deposit(journey, **changes).status_code == 302
    return len([query for query in queries if "SAVEPOINT" not in query["sql"]])


@pytest.mark.parametrize("is_chosen", [True, False])
def test_a_deposit_takes_a_constant_number_of_queries_fifteen_at_most(journey, is_chosen):
    chosen = {"ogr": str(RomeAppellation.objects.get(label=TITLE).ogr)} if is_chosen else {}
    alone = _queries(journey, **chosen)
    for n in range(30):
        access = factories.AccessFactory(user=User.objects.get(), status=AccessStatus.AWAITING, confirmed_at=None)
        factories.OfferFactory(access=access, job_label=f"Offre {n}")
        factories.RomeAppellationFactory(label=f"Boulanger {n} / Boulangère {n}")
        RomeItem.objects.create(rome_id=BAKER, kind=RomeItemKind.SKILL, ogr=1_000 + n, label=f"Savoir-faire {n}")
    Registration.objects.update(link_sent_at=None)
    around = _queries(journey, **chosen)
    assert alone == around <= 15


# ── 4. The link ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_end_says_where_to_look_and_what_follows(journey):
    page = words(journey.get(deposit(journey).url))
    assert "Consultez votre messagerie" in page
    assert "camille@exemple.fr" in page
    assert "valable 10 minutes" in page
    assert "votre OPCO vérifie" in page


def test_the_link_is_sent_again_on_demand_but_not_within_a_minute(journey):
    done = deposit(journey).url
    journey.post(done)
    assert Message.objects.count() == 1
    with time_machine.travel(timezone.now() + timezone.timedelta(minutes=2)):
        assert journey.post(done).url == done
    assert Message.objects.count() == 2


def test_beyond_the_limit_the_page_says_when_to_ask_again(journey, monkeypatch):
    monkeypatch.setattr(acts, "LINKS_PER_ADDRESS", acts.Limit("test", 0, acts.LINKS_PER_ADDRESS.per))
    done = deposit(journey).url
    with time_machine.travel(timezone.now() + timezone.timedelta(minutes=2)):
        page = journey.post(done, follow=True)
    assert "Plusieurs liens sont déjà partis à cette adresse. Redemandez-en un dans" in words(page)
    assert Message.objects.count() == 1


@pytest.mark.parametrize("path", [REGISTER, CONTACT, OFFER, DONE])
def test_what_a_visitor_types_is_kept_by_no_cache(journey, path):
    assert "no-store" in journey.get(f"{path}?siret={SIRET}")["Cache-Control"]


@pytest.mark.parametrize("path", [CONTACT, OFFER, DONE])
def test_a_form_sent_from_another_site_is_refused(bakery, path):
    assert Client(enforce_csrf_checks=True).post(f"{path}?siret={SIRET}", PERSON).status_code == 403
