"""Certifying in one go the files that share a known domain, once each was shown."""

import uuid

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from labonnealternance.mail.models import Message
from opco.actions import batches, cases, clock
from opco.actions.batches import MOST_FILES, Group, UnknownDomain, certify_all, groups, undo_batch
from opco.actions.decisions import TooLateToUndo
from opco.actions.desks import NotInYourOpco
from opco.enums import DecisionStatus
from opco.models import Decision
from tests import factories
from tests.opco.desk import AT, HOUR, SECOND, TICK, ask, certify, decided, make_desk, make_file, make_opco, seated

pytestmark = pytest.mark.django_db
DOMAIN = "groupe-exemple.fr"


def waiting(number, domain=DOMAIN, **facts):
    return [make_file(user__email=f"{uuid.uuid4().hex}@{domain}", **facts) for _ in range(number)]


@pytest.fixture
def known(desk):
    """Someone of the domain was certified yesterday."""
    [access] = waiting(1)
    decided(certify, desk, access, at=AT - 24 * HOUR)
    return access


def all_of(desk, files, **options):
    return certify_all(
        **{
            "desk": desk, "domain": DOMAIN, "access_ids": [each.pk for each in files], "batch": uuid.uuid4(), "at": AT,
            **options,
        }
    )  # fmt: skip


def test_the_domains_of_people_certified_already_that_several_files_share(desk, known):
    waiting(3)
    waiting(1, "seul-exemple.fr")
    waiting(2, "inconnu-exemple.fr")
    waiting(4, "gmail.com")
    [mail] = waiting(1, "gmail.com")
    decided(certify, desk, mail)
    [single] = waiting(1, "seul-exemple.fr")
    decided(certify, desk, single)
    assert groups(desk=desk, at=AT) == [Group(DOMAIN, 3, 1)]


def test_a_domain_is_known_by_one_s_own_opco_only(desk, known):
    other = make_desk(make_opco(2))
    waiting(2, establishment__opco=other.opco)
    assert groups(desk=other, at=AT) == []
    with pytest.raises(UnknownDomain):
        batches.files_to_certify(desk=other, domain=DOMAIN, at=AT)


def test_the_preview_shows_the_files_to_treat_alone(desk, known):
    files = waiting(4)
    certify(desk, files[0])
    decided(ask, desk, files[1], at=AT - HOUR)
    assert batches.files_to_certify(desk=desk, domain=DOMAIN, at=AT) == files[2:]


@pytest.mark.parametrize(
    "domain", ["gmail.com", "inconnu.fr", "", "%", "\0", "a" * 300, "\U0001f956", "groupe-exemple"]
)
def test_a_domain_that_proves_nothing_is_certified_by_nobody(desk, domain):
    files = waiting(2, "gmail.com")
    decided(certify, desk, waiting(1, "gmail.com")[0])
    with pytest.raises(UnknownDomain):
        all_of(desk, files, domain=domain)


def test_a_batch_is_held_for_one_minute_then_applied_file_by_file(desk, known):
    Message.objects.all().delete()
    files = waiting(5)
    done = all_of(desk, files)
    assert len(done.made) == 5
    assert {each.batch for each in Decision.objects.held()} == {done.id}
    assert clock.apply_due(at=AT + TICK - 2 * SECOND) == 0
    assert clock.apply_due(at=AT + TICK) == 5
    assert Message.objects.filter(kind="access_granted").count() == 5


def test_a_batch_is_undone_in_one_go(desk, known):
    Message.objects.all().delete()
    done = all_of(desk, waiting(3))
    assert undo_batch(desk=desk, batch=done.id, at=AT + SECOND) == 3
    assert undo_batch(desk=desk, batch=done.id, at=AT + SECOND) == 0
    assert clock.apply_due(at=AT + TICK) == 0
    assert not Message.objects.exists()


def test_a_batch_that_is_applied_is_not_undone(desk, known):
    done = all_of(desk, waiting(2))
    with pytest.raises(NotInYourOpco):
        undo_batch(desk=make_desk(make_opco(2)), batch=done.id, at=AT)
    clock.apply_due(at=AT + TICK)
    with pytest.raises(TooLateToUndo):
        undo_batch(desk=desk, batch=done.id, at=AT + TICK)


def test_what_is_left_of_a_batch_is_undone_while_the_clock_is_at_it(desk, known):
    done = all_of(desk, waiting(3))
    Decision.objects.filter(pk=done.made[0].pk).update(effective_at=AT)
    clock.apply_due(at=AT)
    assert undo_batch(desk=desk, batch=done.id, at=AT + SECOND) == 2
    assert sorted(each.status for each in Decision.objects.filter(batch=done.id)) == [
        DecisionStatus.APPLIED, DecisionStatus.UNDONE, DecisionStatus.UNDONE,
    ]  # fmt: skip


def test_files_that_changed_since_the_preview_are_left_and_each_is_told_why(desk, known):
    fine, decided_about, asked, taken, granted, own = (waiting(1)[0] for _ in range(6))
    own.user = desk.user
    own.save()
    desk.user.email = f"anne@{DOMAIN}"
    desk.user.save()
    colleague = make_desk(desk.opco, first_name="Bruno", last_name="Second")
    certify(colleague, decided_about)
    decided(ask, colleague, asked, at=AT - HOUR)
    cases.take(desk=colleague, access_id=taken.pk, at=AT)
    decided(certify, colleague, granted, at=AT - HOUR)
    done = all_of(desk, [fine, decided_about, asked, taken, granted, own])
    assert [each.access for each in done.made] == [fine]
    assert {access.pk: why for access, why in done.refused} == {
        decided_about.pk: "Décision déjà prise par Bruno Second à 9 h 30 : certifié.",
        asked.pk: "La réponse de la personne est attendue.",
        taken.pk: "Dossier pris par Bruno Second à 9 h 30.",
        granted.pk: "Décision déjà prise par Bruno Second à 8 h 30 : certifié.",
        own.pk: "C’est votre propre demande : un collègue la traitera.",
    }


def test_neither_another_opco_s_files_nor_another_domain_s_are_certified_with_them(desk, known):
    [mine], [theirs], [other] = waiting(1), waiting(1, establishment__opco=make_opco(2)), waiting(1, "autre-exemple.fr")
    done = all_of(desk, [mine, theirs, other])
    assert [each.access for each in done.made] == [mine]
    assert done.refused == []


def test_the_same_preview_sent_twice_is_one_batch(desk, known):
    files, batch = waiting(2), uuid.uuid4()
    first = all_of(desk, files, batch=batch)
    second = all_of(desk, files, batch=batch, at=AT + SECOND)
    assert [each.pk for each in second.made] == [each.pk for each in first.made]
    assert second.refused == []
    assert Decision.objects.filter(batch=batch).count() == 2


# ── Its pages ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def client(desk):
    with time_machine.travel(AT, tick=False):
        yield seated(desk.user)


def test_from_the_list_of_domains_to_the_preview_to_the_batch_and_back(client, desk, known):
    files = waiting(3)
    page = client.get(reverse("opco:batches")).content.decode()
    assert f"?domaine={DOMAIN}" in page
    assert "3 dossiers à traiter" in page
    preview = client.get(reverse("opco:batch_certify"), {"domaine": DOMAIN})
    said = preview.content.decode()
    assert known.user.email in said, "why the domain is known"
    assert all(each.user.email in said and each.establishment.name in said for each in files)
    assert said.count(" checked ") == 3
    assert not Decision.objects.held().exists(), "a preview decides nothing"
    ticked = {"domaine": DOMAIN, "lot": str(preview.context["batch"]), "dossier": [files[0].pk, files[2].pk]}
    page = client.post(reverse("opco:batch_certify"), ticked, follow=True).content.decode()
    assert "<strong>Certifié&nbsp;:</strong> 2 dossiers" in page
    undo = reverse("opco:batch_undo", args=[preview.context["batch"]])
    assert f'action="{undo}"' in page
    page = client.post(undo, follow=True).content.decode()
    assert "2 décisions annulées" in page
    assert not Decision.objects.held().exists()


@pytest.mark.parametrize(
    "body",
    [
        {}, {"domaine": DOMAIN}, {"domaine": DOMAIN, "dossier": ["x", "-1", "9" * 30, "٣", ""]},
        {"domaine": DOMAIN, "dossier": "0", "lot": "x"}, {"domaine": "\u202e", "lot": ""},
        {"domaine": "\0", "lot": "\0", "dossier": "\0"},
    ],
)  # fmt: skip
def test_no_form_is_a_fault(client, known, body):
    waiting(2)
    assert client.post(reverse("opco:batch_certify"), body).status_code == 302
    assert not Decision.objects.held().exists()


def test_a_preview_holds_a_hundred_files_at_most_and_its_queries_do_not_grow(client, desk, known, monkeypatch):
    waiting(2)
    path = reverse("opco:batch_certify") + f"?domaine={DOMAIN}"
    with CaptureQueriesContext(connection) as few:
        client.get(path)
    waiting(9)
    with CaptureQueriesContext(connection) as many:
        page = client.get(path).content.decode()
    assert len(many) == len(few)
    assert page.count(" checked ") == 11
    monkeypatch.setattr(batches, "MOST_FILES", 4)
    assert client.get(path).content.decode().count(" checked ") == 4
    assert MOST_FILES == 100


def test_the_preview_says_that_the_domain_is_a_training_centre_s(client, known):
    waiting(2)
    path = reverse("opco:batch_certify") + f"?domaine={DOMAIN}"
    assert "CFA" not in client.get(path).content.decode()
    school = factories.EstablishmentFactory(name="CFA DES PAINS", naf=factories.NafFactory(code="8532Z"))
    factories.ContactFactory(siret=school.siret, email=f"accueil@{DOMAIN}")
    assert "est aussi le domaine du contact connu de CFA DES PAINS" in client.get(path).content.decode()
