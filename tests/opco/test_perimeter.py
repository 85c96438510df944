"""An OPCO sees its own establishments only: proved from the other side, on every address and by every method."""

import uuid

import pytest
from django.urls import NoReverseMatch, get_resolver, reverse

from companies.models import Opco
from labonnealternance.mail.models import Message
from opco.actions import advisors, answers
from opco.actions.desks import Desk
from opco.enums import Tab
from opco.models import Answer, Case, Decision, Note
from tests import factories
from tests.opco.desk import (
    AT,
    ask,
    certify,
    decided,
    make_advisor,
    make_desk,
    make_file,
    make_opco,
    pass_on,
    seated,
)
from tests.test_views_declare_who_may_see import views

pytestmark = pytest.mark.django_db

ALL = [name for name, _ in views(get_resolver()) if name.startswith("opco:")]
# Their own key is in the address: a signed link, whoever holds it.
BY_LINK = {"opco:answer"}
ASKED = [name for name in ALL if name not in BY_LINK]
OTHER_METHODS = ("HEAD", "PUT", "PATCH", "DELETE", "OPTIONS")
SECRETS = ("SECRETE", "inconnue@secret-exemple.fr", "Secretan")


@pytest.fixture
def town(desk):
    """A file of OPCO 1 in each state, none of whose words may reach anybody else."""
    told = {
        "establishment__name": "BOULANGERIE SECRETE",
        "user__last_name": "Secretan",
    }
    files = [make_file(**told, user__email=f"{n}inconnue@secret-exemple.fr", offers=1) for n in range(3)]
    # Certified: its domain is known. Held. Asked. To treat, twice.
    files += [make_file(**told, user__email=f"{n}inconnue@secret-exemple.fr") for n in range(3, 5)]
    decided(certify, desk, files[0])
    held = certify(desk, files[1])
    decided(ask, desk, files[2])
    batch = uuid.uuid4()
    Decision.objects.filter(pk=held.pk).update(batch=batch)
    return {"files": files, "held": held, "batch": batch}


def address(name: str, town, *, number: int = 3) -> str:
    values = {
        "access_id": town["files"][number].pk, "decision_id": town["held"].pk, "batch": town["batch"], "token": "jeton",
    }  # fmt: skip
    for names in ([], ["access_id"], ["decision_id"], ["batch"], ["token"]):
        try:
            return reverse(name, kwargs={each: values[each] for each in names})
        except NoReverseMatch:
            continue
    raise AssertionError(f"tell the test what the address of {name} needs")


def state() -> list:
    """All that the queue's addresses could change."""
    return [list(model.objects.order_by("pk").values()) for model in (Decision, Case, Note, Answer, Message)]


def ask_everything(client, path, town, *, asks_lists=True):
    """Every method, with what each form of the queue would send."""
    first = town["files"][3]
    body = {
        "seen": "awaiting.0", "reason": "other", "text": "Texte", "to": "support", "key": str(uuid.uuid4()),
        "instead_of": "", "domaine": "secret-exemple.fr", "dossier": [str(each.pk) for each in town["files"]],
        "lot": str(uuid.uuid4()),
    }  # fmt: skip
    queries = [
        "", "?q=secrete", f"?q={first.establishment.siret}", "?q=secretan", "?q=inconnue@secret-exemple.fr",
        "?domaine=secret-exemple.fr", f"?apres={first.pk}", *(f"?onglet={tab.value}" for tab in Tab),
        f"?opco={first.establishment.opco_id}",
    ]  # fmt: skip
    # A list is asked everything; the address of one file reads none of it.
    for query in queries if asks_lists else queries[:1]:
        yield "GET", client.get(path + query)
    yield "POST", client.post(path, body)
    for method in OTHER_METHODS:
        yield method, client.generic(method, path)


def is_about_one_file(name: str) -> bool:
    try:
        reverse(name)
    except NoReverseMatch:
        return True
    return False


def test_an_advisor_of_another_opco_sees_and_does_nothing(town):
    client = seated(make_advisor(make_opco(2)).user)
    before = state()
    for name in ASKED:
        for number in range(len(town["files"]) if is_about_one_file(name) else 1):
            path = address(name, town, number=number)
            for method, answer in ask_everything(client, path, town, asks_lists=not is_about_one_file(name)):
                said = answer.getvalue().decode()
                for secret in SECRETS:
                    # What the person themselves typed may be shown back, in its field.
                    typed = (f'value="{secret.lower()}"', 'value="inconnue@secret-exemple.fr"')
                    shown = said.replace(typed[0], "").replace(typed[1], "")
                    assert secret not in shown, (method, path)
                if is_about_one_file(name):
                    assert answer.status_code in {404, 405}, (method, path)
                else:
                    assert answer.status_code in {200, 302, 405}, (method, path)
        assert state() == before, name


@pytest.mark.parametrize("who", ["deactivated", "recruiter", "support without second factor", "account shut"])
def test_who_is_no_advisor_is_sent_away_whatever_they_ask(town, who):
    advisor = make_advisor()
    client = seated(advisor.user)
    if who == "deactivated":
        advisors.deactivate(advisor_id=advisor.pk, by=factories.StaffFactory(), at=AT)
        # Their session was closed; and one that they open again sees nothing.
        assert client.get(reverse("opco:queue")).status_code == 302
        client = seated(advisor.user)
    elif who == "recruiter":
        client = seated(town["files"][3].user)
    elif who == "support without second factor":
        client.force_login(factories.StaffFactory(), backend="django.contrib.auth.backends.ModelBackend")
    else:
        advisor.user.is_active = False
        advisor.user.save()
    before = state()
    for name in ASKED:
        for method, answer in ask_everything(client, address(name, town), town):
            # 302: nobody is signed in any more.
            expected = {302, 405} if who == "account shut" else {403, 405}
            assert answer.status_code in expected, (method, name)
            assert not any(secret in answer.getvalue().decode() for secret in SECRETS), (method, name)
        assert state() == before, name


def test_a_stranger_is_asked_to_sign_in(client, town):
    before = state()
    for name in ASKED:
        for method, answer in ask_everything(client, address(name, town), town):
            assert answer.status_code == 302, (method, name)
            assert answer.url.startswith("/compte/connexion/?next="), (method, name)
        assert state() == before, name


@pytest.mark.parametrize("name", ASKED)
def test_the_advisor_of_the_opco_is_answered_everywhere(town, name):
    """The proof that the tests above ask for what is there."""
    client = seated(town["held"].made_by)
    codes = {method: answer.status_code for method, answer in ask_everything(client, address(name, town), town)}
    assert {codes["GET"], codes["POST"]} & {200, 302}
    assert not {codes["GET"], codes["POST"]} & {403, 404}


@pytest.mark.parametrize("name", ASKED)
def test_support_with_its_second_factor_is_answered_everywhere(town, name):
    client = seated(factories.StaffFactory())
    asked = ask_everything(client, address(name, town), town, asks_lists=False)
    codes = {method: answer.status_code for method, answer in asked}
    assert not {codes["GET"], codes["POST"]} & {403, 404}


def test_support_sees_the_files_of_all_opcos_and_those_of_none():
    client = seated(factories.StaffFactory())
    one, two = make_file(establishment__name="UN"), make_file(make_opco(2), establishment__name="DEUX")
    none = make_file(establishment__opco=None, establishment__name="AUCUN")
    page = client.get(reverse("opco:queue")).content.decode()
    assert all(f">{name}</a>" in page for name in ("UN", "DEUX", "AUCUN"))
    page = client.get(reverse("opco:queue"), {"opco": "sans"}).content.decode()
    assert ">AUCUN</a>" in page
    assert ">UN</a>" not in page
    for each in (one, two, none):
        assert client.get(reverse("opco:case", args=[each.pk])).status_code == 200


def test_an_advisor_cannot_ask_for_another_opco_by_the_address():
    make_file(make_opco(2), establishment__name="DEUX")
    client = seated(make_advisor(make_opco(1)).user)
    page = client.get(reverse("opco:queue"), {"opco": "opco-2"}).content.decode()
    assert "DEUX" not in page


def test_the_file_that_was_passed_on_tells_nothing_more_of_its_person(desk):
    access = make_file(user__email="inconnue@secret-exemple.fr", user__last_name="Secretan")
    decided(pass_on, desk, access, make_opco(2))
    client = seated(desk.user)
    page = client.get(reverse("opco:queue"), {"onglet": Tab.PASSED_ON.value}).content.decode()
    assert access.establishment.name in page
    assert "Secretan" not in page
    assert "secret-exemple" not in page
    assert client.get(reverse("opco:case", args=[access.pk])).status_code == 404
    by_name = client.get(reverse("opco:queue"), {"onglet": Tab.PASSED_ON.value, "q": "Secretan"}).content.decode()
    assert access.establishment.name not in by_name


def test_other_files_of_the_company_are_shown_within_the_opco_only(desk):
    siren = factories.make_siren(7)
    here = make_file(establishment__siret=factories.make_siret(7, branch=1))
    same = make_file(establishment__siret=factories.make_siret(7, branch=2), establishment__name="SOEUR")
    make_file(
        make_opco(2), establishment__siret=factories.make_siret(7, branch=3), establishment__name="BOUTIQUE SECRETE"
    )
    assert here.establishment.siret.startswith(siren)
    page = seated(desk.user).get(reverse("opco:case", args=[here.pk])).content.decode()
    assert "SOEUR" in page
    assert same.user.email in page
    assert "SECRETE" not in page
    everything = seated(factories.StaffFactory()).get(reverse("opco:case", args=[here.pk])).content.decode()
    assert "SECRETE" in everything


def test_a_person_who_has_not_proved_their_address_is_in_nobody_s_queue(desk):
    access = make_file(confirmed_at=None)
    client = seated(desk.user)
    assert access.establishment.name not in client.get(reverse("opco:queue")).content.decode()
    assert client.get(reverse("opco:case", args=[access.pk])).status_code == 404


def test_the_link_of_an_answer_opens_its_question_and_nothing_else(client, desk):
    access, other = make_file(), make_file()
    question = decided(ask, desk, access, text="Votre fonction ?")
    refused = certify(desk, other)
    page = client.get(reverse("opco:answer", args=[answers.token_of(question)]))
    assert page.status_code == 200
    assert access.user.email not in page.content.decode(), "whoever holds the link learns nothing of the person"
    assert client.get(reverse("opco:answer", args=[answers.token_of(refused)])).status_code == 404
    assert client.get(reverse("opco:case", args=[access.pk])).status_code == 302


@pytest.mark.parametrize("kind", ["queue", "batches"])
def test_no_count_tells_of_another_opco(kind):
    first, second = make_desk(make_opco(1)), make_desk(make_opco(2))
    for n in range(3):
        make_file(make_opco(1), user__email=f"{n}@groupe-exemple.fr")
    known = make_file(make_opco(1), user__email="9@groupe-exemple.fr")
    decided(certify, first, known)
    page = seated(second.user).get(reverse(f"opco:{kind}")).content.decode()
    assert "groupe-exemple" not in page
    assert ">3<" not in page


def test_a_desk_is_the_opco_s_or_support_s():
    assert Desk(factories.StaffFactory(), None).is_support
    assert not make_desk().is_support
    assert Opco.objects.count() == 1
