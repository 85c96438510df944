"""Support appoints advisors, takes them away at once, sees who took lists out, and opens the queue of all OPCOs."""

import pytest
from django.test import Client
from django.urls import reverse

from labonnealternance.accounts.enums import Role
from labonnealternance.accounts.models import User
from opco.models import Advisor, Export
from tests import factories
from tests.opco.desk import AT, certify, make_advisor, make_desk, make_file, make_opco, seated

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
