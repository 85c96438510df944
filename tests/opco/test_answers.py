"""The recruiter answers by the link of an e-mail; the answer joins the file, which comes back among those to treat."""

import datetime as dt
import re
import uuid

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from labonnealternance.mail.models import Message
from opco.actions import answers, cases, clock, queue
from opco.actions.answers import KEPT, MOST_ANSWERS, BadLink, LinkExpired, RefusedAnswer
from opco.actions.queue import Filters
from opco.enums import DecisionStatus, Tab
from opco.models import Answer, Decision, Note
from tests.mail.snapshots import check_email
from tests.opco.desk import (
    AT,
    DAY,
    HOUR,
    SECOND,
    TICK,
    ask,
    certify,
    decided,
    make_desk,
    make_file,
    make_opco,
    pass_on,
    refuse,
    seated,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked(desk):
    """A file whose person was asked their function an hour ago."""
    return decided(ask, desk, make_file(establishment__name="LE FOURNIL"), at=AT - HOUR, text="Votre fonction ?")


@pytest.fixture
def client():
    with time_machine.travel(AT, tick=False):
        yield Client()


def link(question):
    return reverse("opco:answer", args=[answers.token_of(question)])


def told(**said):
    return {"text": "Je suis la gérante.", "key": str(uuid.uuid4()), **said}


def test_the_link_of_the_e_mail_leads_to_the_question(client, asked):
    mail = Message.objects.get()
    path = re.search(r"https?://[^/]+(/opco/reponse/lien/\S+)", mail.text_body)[1]
    page = client.get(path)
    assert page.status_code == 200
    said = page.content.decode()
    assert "Votre fonction ?" in said
    assert "LE FOURNIL" in said
    assert "Envoyer ma réponse" in said


def test_an_answer_is_threaded_on_the_file_which_comes_back_on_top(client, desk, asked):
    make_file(at=AT - 9 * DAY)
    answer = client.post(link(asked), told())
    assert answer.url == link(asked) + "?merci"
    assert "votre réponse est transmise" in client.get(answer.url).content.decode()
    first, _ = queue.rows_of(tab=Tab.TO_TREAT, desk=desk, filters=Filters(), at=AT)
    assert first == asked.access
    page = seated(desk.user).get(reverse("opco:case", args=[first.pk])).content.decode()
    assert "Je suis la gérante." in page
    assert page.index("Réponse reçue") < page.index("Informations demandées"), "in the history, latest first"
    head = page.split('id="reponse"')[1].split("</section>")[0]
    assert "Votre fonction ?" in head, "what came back is read first"
    assert "Je suis la gérante." in head


def test_a_get_answers_nothing_and_a_form_sent_twice_is_one_answer(client, asked):
    once = told()
    for method in (client.get, client.head):
        assert method(link(asked), once).status_code == 200
    assert not Answer.objects.exists()
    for _ in range(2):
        assert client.post(link(asked), once).status_code == 302
    assert Answer.objects.count() == 1


def test_each_form_that_is_shown_has_its_own_key(client, asked):
    keys = {client.get(link(asked)).context["form"]["key"].value() for _ in range(2)}
    assert len(keys) == 2


def test_someone_remembers_something_else_up_to_five_times(client, asked):
    for n in range(MOST_ANSWERS):
        client.post(link(asked), told(text=f"Précision {n}"))
    page = client.post(link(asked), told(text="Une de trop")).content.decode()
    assert "Vous avez déjà répondu plusieurs fois" in page
    assert "Une de trop" in page, "what was typed stays"
    assert Answer.objects.count() == MOST_ANSWERS


@pytest.mark.parametrize(
    "text, sentence",
    [
        ("", "Écrivez votre réponse."),
        (" \n ", "Écrivez votre réponse."),
        ("a" * 2_001, "dépasse 2000 caractères"),
        ("a" * 10_000, "dépasse 2000 caractères"),
        ("a\0b", "n’est pas autorisé"),
        ("a\u202eb", "caractère invisible"),
    ],
)
def test_what_can_t_be_kept_is_told_beside_the_field(client, asked, text, sentence):
    page = client.post(link(asked), told(text=text))
    assert page.status_code == 200
    said = page.content.decode()
    assert sentence in said
    assert 'aria-describedby="id_text_helptext id_text_error"' in said
    assert not Answer.objects.exists()


@pytest.mark.parametrize("text", ["🥖 É \u05d0", "a" * 2_000, "<script>alert(1)</script>", "Ligne 1\nLigne 2"])
def test_every_answer_is_taken_and_runs_nothing(client, desk, asked, text):
    client.post(link(asked), told(text=text))
    assert Answer.objects.get().text == text
    for page in (client.get(link(asked)), seated(desk.user).get(reverse("opco:case", args=[asked.access_id]))):
        assert "<script>alert" not in page.content.decode()


def test_once_the_file_is_decided_there_is_nothing_left_to_answer(client, desk, asked):
    decided(refuse, desk, asked.access, at=AT - 2 * TICK)
    page = client.get(link(asked)).content.decode()
    assert "Votre demande a été traitée" in page
    assert "<form" not in page.split("<main")[1].split("</main>")[0]
    page = client.post(link(asked), told()).content.decode()
    assert "il n’y a plus rien à répondre" in page.replace("\n", " ") or "traitée" in page
    assert not Answer.objects.exists()
    with pytest.raises(RefusedAnswer):
        answers.answer(token=answers.token_of(asked), text="x", key=uuid.uuid4(), at=AT)


def test_an_answer_that_comes_within_the_minute_of_a_decision_is_kept(desk, asked):
    access = asked.access
    certify(desk, access, at=AT)
    answers.answer(token=answers.token_of(asked), text="Gérante.", key=uuid.uuid4(), at=AT)
    assert queue.counts(desk=desk, filters=Filters(), at=AT)[Tab.CERTIFIED] == 1
    assert clock.apply_due(at=AT + TICK) == 1
    assert Answer.objects.count() == 1
    access.refresh_from_db()
    assert access.case.answered_at is None, "nothing waits any more"


def test_a_file_passed_on_keeps_its_thread_for_who_receives_it(client, desk, asked):
    other = make_desk(make_opco(2))
    decided(pass_on, desk, asked.access, other.opco, at=AT - 2 * TICK)
    client.post(link(asked), told())
    assert seated(desk.user).get(reverse("opco:case", args=[asked.access_id])).status_code == 404
    page = seated(other.user).get(reverse("opco:case", args=[asked.access_id])).content.decode()
    assert "Je suis la gérante." in page


def test_asked_again_after_an_answer_the_file_waits_again(desk, asked):
    answers.answer(token=answers.token_of(asked), text="Gérante.", key=uuid.uuid4(), at=AT)
    decided(ask, desk, asked.access, at=AT, text="Depuis quand ?")
    assert queue.counts(desk=desk, filters=Filters(), at=AT)[Tab.ASKED] == 1


@pytest.mark.parametrize(
    "token", ["jeton", "x" * 1000, "a:b:c", "%FF", "é", "WzFd:1tdUDe:AAAA", "%00"]
)  # fmt: skip
def test_a_link_that_nobody_signed_opens_nothing(client, token):
    answer = client.get(f"/opco/reponse/lien/{token}/")
    assert answer.status_code in {400, 404}
    assert client.post(f"/opco/reponse/lien/{token}/", told()).status_code in {400, 404}


def test_a_link_signed_for_something_else_opens_nothing(client, asked):
    from django.core import signing

    signers = [signing.Signer(), signing.Signer(salt="offers.links"), answers._SIGNER]
    for token in (signing.dumps(asked.pk), *(each.sign("x") for each in signers), signers[0].sign(str(asked.pk))):
        assert client.get(reverse("opco:answer", args=[token])).status_code == 404


def test_the_link_of_a_question_that_was_undone_opens_nothing(desk):
    question = ask(desk, make_file())
    with pytest.raises(BadLink):
        answers.question_of(token=answers.token_of(question), at=AT)
    question.settle(to=DecisionStatus.UNDONE, by=desk.user, at=AT)
    with pytest.raises(BadLink):
        answers.question_of(token=answers.token_of(question), at=AT)


def test_after_sixty_days_the_link_says_that_it_is_too_old(client, asked):
    answers.question_of(token=answers.token_of(asked), at=asked.settled_at + KEPT)
    with pytest.raises(LinkExpired):
        answers.question_of(token=answers.token_of(asked), at=asked.settled_at + KEPT + dt.timedelta(seconds=1))
    with time_machine.travel(AT + dt.timedelta(days=61), tick=False):
        page = Client().get(link(asked))
    assert page.status_code == 410
    assert "trop ancien" in page.content.decode()


def test_the_page_is_kept_by_no_cache_listed_by_no_engine_and_tells_its_address_to_nobody(client, asked):
    page = client.get(link(asked))
    assert "no-store" in page["Cache-Control"]
    assert page["Referrer-Policy"] == "same-origin"
    assert "noindex" in page["X-Robots-Tag"]
    assert answers.token_of(asked) not in page.content.decode().replace(f'action="{link(asked)}"', "")


def test_the_link_is_masked_in_the_logs(asked):
    from labonnealternance.kit.logging import masked

    assert answers.token_of(asked) not in masked(f"GET {link(asked)} 200")


def test_the_e_mail_that_asks(desk):
    access = make_file(establishment__name="LE FOURNIL", establishment__siret="00000004200012", user__first_name="Léa")
    decided(ask, desk, access, text="Quelle est votre fonction ?\nDepuis quand ?")
    question = Decision.objects.get()
    mail = Message.objects.get()
    check_email(mail, __file__, replace={answers.token_of(question): "jeton"})


def test_texts_are_erased_after_two_years_and_decisions_stay(desk, asked):
    answers.answer(token=answers.token_of(asked), text="Gérante.", key=uuid.uuid4(), at=AT)
    cases.note(desk=desk, access_id=asked.access_id, text="Note", key=uuid.uuid4(), at=AT)
    later = AT + dt.timedelta(days=731)
    assert clock.erase_old(at=AT + dt.timedelta(days=728)) == 0
    assert clock.erase_old(at=later, dry_run=True) == 3
    assert (Note.objects.count(), Answer.objects.count()) == (1, 1)
    assert clock.erase_old(at=later) == 3
    assert (Note.objects.count(), Answer.objects.count()) == (0, 0)
    assert Decision.objects.get().text == ""
    assert clock.erase_old(at=later) == 0


def test_a_key_of_another_question_keeps_nothing_and_is_no_fault(client, desk, asked):
    other, once = decided(ask, desk, make_file(), at=AT - HOUR), told()
    client.post(link(other), once)
    page = client.post(link(asked), once)
    assert page.status_code == 200
    assert "Rechargez la page." in page.content.decode()
    assert Answer.objects.count() == 1


def test_nobody_is_refused_within_the_minute_in_which_they_answered(desk, asked):
    refusal = refuse(desk, asked.access, at=AT)
    answers.answer(token=answers.token_of(asked), text="Je suis la gérante.", key=uuid.uuid4(), at=AT + SECOND)
    assert clock.apply_due(at=AT + TICK) == 0
    refusal.refresh_from_db()
    assert (refusal.status, refusal.settled_reason) == (DecisionStatus.DROPPED, "La personne a répondu entre-temps.")
    assert queue.rows_of(tab=Tab.TO_TREAT, desk=desk, filters=Filters(), at=AT + TICK).get() == asked.access
    assert not Message.objects.filter(kind="access_denied").exists()
