"""Support appoints advisors, takes them away at once, sees who took lists out, and opens the queue of all OPCOs."""

import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from labonnealternance.accounts.enums import Role
from labonnealternance.accounts.models import User
from labonnealternance.mail.models import Message
from opco.actions import clock
from opco.models import Advisor, Export
from tests import factories
from tests.opco.desk import AT, TICK, certify, make_advisor, make_desk, make_file, make_opco, seated

pytestmark = pytest.mark.django_db

ADD = reverse("admin:opco_advisor_add")


@pytest.fixture
def opco():
    return make_opco()


def answers(opco, /, **given):
    return {"email": "Nouvelle@exemple.fr", "first_name": "Nadia", "last_name": "Neuve", "opco": opco.pk} | given


def refusal(answer, field="email") -> str:
    assert answer.status_code == 200
    return " ".join(answer.context["adminform"].form.errors[field])


def deactivate(office, advisor):
    return office.post(reverse("admin:opco_advisor_deactivate", args=[advisor.pk]), follow=True)


def test_support_creates_an_advisor_for_one_opco_who_then_sees_its_queue(office, support, opco):
    answer = office.post(ADD, answers(opco), follow=True)
    advisor = Advisor.objects.select_related("user").get()
    assert (advisor.user.email, advisor.user.get_full_name()) == ("nouvelle@exemple.fr", "Nadia Neuve")
    assert (advisor.opco, advisor.created_by, advisor.is_active) == (opco, support, True)
    assert list(advisor.user.roles) == [Role.ADVISOR]
    assert not advisor.user.has_usable_password()
    assert "nouvelle@exemple.fr" in answer.content.decode()
    make_file(opco, establishment__name="A TRAITER")
    make_file(make_opco(2), establishment__name="AUTRE OPCO")
    page = seated(advisor.user).get(reverse("opco:queue")).content.decode()
    assert "A TRAITER" in page
    assert "AUTRE OPCO" not in page


def test_a_person_who_is_known_keeps_their_account_and_their_names(office, opco):
    known = factories.AccessFactory(user__email="connue@exemple.fr").user
    office.post(ADD, answers(opco, email="connue@exemple.fr", first_name="Autre", last_name="Nom"))
    known.refresh_from_db()
    assert known.advisor.opco == opco
    assert known.get_full_name() == "Camille Exemple"
    assert known.accesses.count() == 1


@pytest.mark.parametrize(
    ("given", "field", "sentence"),
    [
        ({"email": ""}, "email", "indiquez"),
        ({"email": "pas une adresse"}, "email", "valable"),
        ({"email": f"{'a' * 10_000}@exemple.fr"}, "email", "caractères"),
        ({"first_name": "\x00"}, "first_name", ""),
        ({"last_name": "x" * 10_000}, "last_name", "100"),
        ({"opco": "inconnu"}, "opco", "choix"),
    ],
)
def test_a_wrong_answer_is_told_beside_its_field_and_makes_nobody(office, opco, given, field, sentence):
    people = User.objects.count()
    assert sentence in refusal(office.post(ADD, answers(opco, **given)), field).lower()
    assert (Advisor.objects.count(), User.objects.count()) == (0, people)


def test_who_can_not_be_an_advisor_is_told_why(office, opco):
    make_advisor(email="deja@exemple.fr")
    factories.StaffFactory(email="interne@exemple.fr")
    factories.UserFactory(email="ferme@exemple.fr", is_active=False)
    for email, sentence in {"deja": "déjà", "interne": "support", "ferme": "désactivé"}.items():
        assert sentence in refusal(office.post(ADD, answers(opco, email=f"{email}@exemple.fr")))
    assert Advisor.objects.count() == 1


def test_what_is_typed_is_shown_as_it_is(office, opco):
    office.post(ADD, answers(opco, last_name="<script>alert(1)</script>"))
    page = office.get(reverse("admin:opco_advisor_changelist")).content.decode()
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_an_advisor_who_is_deactivated_loses_access_at_once(office, support, opco):
    advisor = make_advisor(opco)
    browser = seated(advisor.user)
    assert browser.get(reverse("opco:queue")).status_code == 200
    file = make_file(opco)
    certify(make_desk(opco), file)
    deactivate(office, advisor)
    assert browser.get(reverse("opco:queue")).status_code == 302, "their sessions are closed"
    assert seated(advisor.user).get(reverse("opco:queue")).status_code == 403, "and a new one sees nothing"
    advisor.refresh_from_db()
    assert (advisor.deactivated_by, advisor.is_active) == (support, False)
    assert User.objects.get(pk=advisor.user_id).is_active, "the account may be a recruiter's too"


def test_the_button_is_there_once_and_the_form_gives_the_access_back(office, opco):
    advisor = make_advisor(opco, email="revient@exemple.fr")
    page = reverse("admin:opco_advisor_change", args=[advisor.pk])
    assert "Retirer l" in office.get(page).content.decode()
    deactivate(office, advisor)
    assert reverse("admin:opco_advisor_deactivate", args=[advisor.pk]) not in office.get(page).content.decode()
    office.post(ADD, answers(make_opco(2), email="revient@exemple.fr"))
    advisor.refresh_from_db()
    assert (advisor.opco_id, advisor.is_active) == ("opco-2", True)
    assert Advisor.objects.count() == 1


def test_advisors_are_found_by_address_by_name_by_opco_and_by_their_access(office, opco):
    one = make_advisor(opco, email="un@exemple.fr", last_name="Alpha")
    two = make_advisor(make_opco(2), email="deux@exemple.fr", last_name="Bravo")
    deactivate(office, two)
    url = reverse("admin:opco_advisor_changelist")
    for question, expected in {
        "q=un@": {one}, "q=brav": {two}, "acces=actif": {one}, "acces=retire": {two},
        "opco__code__exact=opco-2": {two}, "": {one, two},
    }.items():  # fmt: skip
        assert set(office.get(f"{url}?{question}").context["cl"].result_list) == expected, question


def test_nobody_but_support_enters(opco):
    advisor = make_advisor(opco)
    for client in (Client(), seated(advisor.user)):
        for page in (ADD, reverse("admin:opco_advisor_changelist"), reverse("admin:opco_export_changelist")):
            assert client.get(page).status_code == 302
        client.post(ADD, answers(opco))
    assert Advisor.objects.count() == 1


def test_support_sees_who_took_a_list_out(office, opco):
    advisor = make_advisor(opco, email="anne@exemple.fr")
    Export.objects.create(by=advisor.user, opco=opco, tab="refuses", is_narrowed=True, at=AT, rows=1234)
    page = office.get(reverse("admin:opco_export_changelist")).content.decode()
    assert "anne@exemple.fr" in page or "Anne Conseil" in page
    assert "Refusés" in page
    assert office.get(reverse("admin:opco_export_add")).status_code == 403


def test_the_back_office_opens_the_queue_of_all_opcos(office):
    make_file(establishment__opco=None, establishment__name="SANS OPCO")
    make_file(establishment__to_verify_since=AT, establishment__name="A VERIFIER")
    home = office.get(reverse("admin:index")).content.decode()
    assert f'<a href="{reverse("opco:queue")}">File des recruteurs à valider</a>' in home
    queue = office.get(reverse("opco:queue")).content.decode()
    assert "SANS OPCO" in queue
    assert "A VERIFIER" in queue


def test_the_back_office_narrows_the_accesses_to_unknown_opcos_and_to_establishments_to_verify(office):
    plain = make_file()
    nobodys = make_file(establishment__opco=None)
    to_verify = make_file(make_opco(2), establishment__to_verify_since=AT)
    url = reverse("admin:offers_access_changelist")
    for question, expected in {
        "opco=inconnu": {nobodys}, "opco=opco-2": {to_verify}, "etablissement=a-verifier": {to_verify},
        "opco=inconnu&etablissement=a-verifier": set(), "opco=x": {plain, nobodys, to_verify},
        "etablissement=x": {plain, nobodys, to_verify},
    }.items():  # fmt: skip
        assert set(office.get(f"{url}?{question}").context["cl"].result_list) == expected, question


def test_support_goes_from_the_access_to_its_file_acts_as_an_advisor_does_and_comes_back(office, support):
    access = make_file(establishment__opco=None, establishment__to_verify_since=AT)
    sheet = reverse("admin:offers_access_change", args=[access.pk])
    file = reverse("opco:case", args=[access.pk])
    page = office.get(sheet).content.decode()
    assert f'<a href="{file}">Ouvrir dans la file des recruteurs à valider</a>' in page
    assert "OPCO inconnu" in page
    answer = office.get(file)
    assert f'href="{sheet}"' in answer.content.decode()
    office.post(reverse("opco:pass_on", args=[access.pk]), {"to": make_opco().pk, "seen": answer.context["seen"]})
    clock.apply_due(at=timezone.now() + TICK)
    access.establishment.refresh_from_db()
    assert access.establishment.opco == make_opco()
    assert access.establishment.opco_journal.get().by == support
    # An advisor has no such links.
    assert sheet not in seated(make_advisor().user).get(file).content.decode()


def test_the_page_of_an_access_says_that_its_address_is_a_training_centre_s(office):
    access = make_file(user__email="lea@cfa-exemple.fr")
    school = factories.EstablishmentFactory(name="CFA DES PAINS", naf=factories.NafFactory(code="8532Z"))
    factories.ContactFactory(siret=school.siret, email="accueil@cfa-exemple.fr")
    page = office.get(reverse("admin:offers_access_change", args=[access.pk])).content.decode()
    assert "Le domaine est celui du contact connu d’un CFA, CFA DES PAINS" in page


def test_an_advisor_signs_in_by_the_link_of_an_e_mail_and_their_account_leads_to_the_queue(office, opco, monkeypatch):
    monkeypatch.setattr("labonnealternance.accounts.views.ANSWER_SECONDS", 0)
    office.post(ADD, answers(opco))
    client = Client()
    client.post(reverse("accounts:sign_in"), {"email": "nouvelle@exemple.fr", "next": ""})
    path = re.search(r"https?://[^/]+(/\S+)", Message.objects.get(recipient="nouvelle@exemple.fr").text_body)[1]
    client.post(path)
    assert reverse("opco:queue") in client.get(reverse("accounts:home")).content.decode()
    assert client.get(reverse("opco:queue")).status_code == 200
