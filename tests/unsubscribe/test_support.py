"""An establishment without a known address: a document, an address to answer to, and support that decides."""

import datetime as dt
import io
import threading

import pytest
from django.contrib.admin.models import LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from companies.enums import DecisionOrigin, DecisionReason, DecisionScope
from companies.models import Establishment, VisibilityDecision
from labonnealternance.mail.models import Message
from tests import factories
from tests.factories import make_siret
from tests.office import enter
from tests.unsubscribe.conftest import ANSWERS, PDF, SIRET, last_link, page, press
from unsubscribe.actions import clock, treatment
from unsubscribe.actions.effects import RefusedRequest
from unsubscribe.enums import Outcome, Proof, Status
from unsubscribe.models import Request

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40 + b"IEND\xaeB`\x82"
JPEG = b"\xff\xd8\xff\xe0" + b"\0" * 40 + b"\xff\xd9"
ASKER = "gerant@exemple.fr"


@pytest.fixture(autouse=True)
def files(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def kept(files):
    return [path for path in files.rglob("*") if path.is_file()]


def ask(client, word="quitter", *, document=None, **more):
    document = document or SimpleUploadedFile("Kbis de la société.pdf", PDF, "application/pdf")
    told = {"siret": SIRET, "address": ASKER, "document": document, "comment": "Gérante"}
    return client.post(f"/desinscription/{word}/sans-adresse/", {**told, **ANSWERS[word], **more})


def listed():
    return set(Establishment.objects.listed(timezone.now()).values_list("siret", flat=True))


@pytest.fixture
def shop(db):
    """Listed, and nobody knows its address."""
    return factories.EstablishmentFactory(siret=SIRET)


@pytest.fixture
def asked(client, shop):
    """A request with a document, confirmed: support's to treat."""
    ask(client)
    client.post(last_link())
    return Request.objects.get()


class TestAsking:
    def test_nobody_reads_it_before_its_address_is_confirmed(self, client, shop, files):
        assert ask(client)["Location"] == "/desinscription/demande-a-confirmer/"
        assert Request.objects.get().status == Status.ASKED
        assert not Request.objects.to_treat().exists()
        assert Message.objects.get().recipient == ASKER
        assert client.get(last_link()).status_code == 200
        assert not Request.objects.to_treat().exists()
        for _ in range(2):
            assert client.post(last_link()).status_code == 302
        assert Request.objects.to_treat().count() == 1
        assert Request.objects.get().journal.count() == 1
        assert "Votre demande est chez nous" in client.get(last_link()).text
        assert listed() == {SIRET}

    def test_its_link_does_nothing_of_what_is_asked(self, client, shop):
        ask(client)
        assert client.post(last_link().replace("/reponse/", "/"), {"siret": SIRET}).status_code == 410
        assert listed() == {SIRET}

    def test_the_document_is_kept_under_a_name_that_tells_nothing_and_no_address_serves_it(self, asked, client, files):
        (path,) = kept(files)
        assert path.read_bytes() == PDF
        assert "Kbis" not in path.name
        assert len(path.stem) == 32
        for place in (f"/files/{asked.document.name}", f"/media/{asked.document.name}", f"/{asked.document.name}"):
            assert client.get(place).status_code == 404

    @pytest.mark.parametrize(("name", "content"), [("a.png", PNG), ("a.JPG", JPEG), ("a.jpeg", JPEG), ("a.pdf", PDF)])
    def test_an_image_will_do(self, client, shop, name, content):
        assert ask(client, document=SimpleUploadedFile(name, content)).status_code == 302

    @pytest.mark.parametrize(
        ("name", "content", "sentence"),
        [
            ("a.pdf", b"<script>alert(1)</script>", "ni un PDF, ni une image"),
            ("a.png", PDF, "ni un PDF, ni une image"),
            ("a.html", PDF, "ni un PDF, ni une image"),
            ("a.pdf", b"%PDF-1.7 cut", "ni un PDF, ni une image"),
            ("a.pdf", b"MZ" + PDF, "ni un PDF, ni une image"),
            ("a.pdf", b"", "vide"),
            ("a.pdf", PDF[:9] + b" " * (5 * 1024 * 1024) + PDF[9:], "dépasse 5 Mo"),
        ],
    )
    def test_a_file_that_is_not_what_it_says_or_too_large_is_refused(
        self, client, shop, files, name, content, sentence
    ):
        answer = ask(client, document=SimpleUploadedFile(name, content))
        assert answer.status_code == 200
        assert sentence in answer.text
        assert ASKER in answer.text
        assert not Request.objects.exists()
        assert kept(files) == []

    def test_a_request_far_too_large_is_not_read(self, client, shop, files):
        large = SimpleUploadedFile("a.pdf", PDF + b" " * (7 * 1024 * 1024))
        assert ask(client, document=large).status_code in {400, 413}
        assert kept(files) == []

    def test_without_a_document_it_is_a_sentence(self, client, shop):
        answer = client.post("/desinscription/quitter/sans-adresse/", {"siret": SIRET, "address": ASKER})
        assert "Joignez un justificatif." in answer.text

    def test_ten_documents_an_hour_from_one_network(self, client, shop):
        answers = [ask(client, address=f"a{n}@exemple.fr").status_code for n in range(11)]
        assert answers == [302] * 10 + [429]


class TestTreating:
    def test_the_queue_shows_what_waits_oldest_first(self, office):
        at = timezone.now()
        late = factories.RequestFactory(asked_at=at - dt.timedelta(days=1))
        early = factories.RequestFactory(asked_at=at - dt.timedelta(days=3))
        factories.RequestFactory(status=Status.DONE)
        factories.RequestFactory(status=Status.ASKED)
        place = reverse("admin:unsubscribe_request_changelist")
        assert list(office.get(place).context["cl"].result_list) == [early, late]
        assert office.get(f"{place}?etat=toutes").context["cl"].result_count == 4

    def test_done_at_once_and_told(self, asked, client, support):
        office = enter(client, support)
        first = office.post(page("treat", asked), {"note": "Merci de votre patience."})
        assert f"À : {ASKER}" in first.context["preview"]
        assert listed() == {SIRET}
        press(office, "treat", asked, note="Merci de votre patience.")
        assert listed() == set()
        decision = VisibilityDecision.objects.get()
        assert (decision.decided_by, decision.origin, decision.scope) == (
            support, DecisionOrigin.FORM, DecisionScope.SIRET,
        )  # fmt: skip
        letter = Message.objects.get(kind="unsubscribe_done")
        assert letter.recipient == ASKER
        assert "Merci de votre patience." in letter.text_body
        asked.refresh_from_db()
        assert asked.status == Status.DONE
        assert asked.journal.get(to_status=Status.DONE).by == support

    def test_the_known_address_is_told_too(self, asked, client, support):
        factories.ContactFactory(siret=SIRET, email="ancienne@exemple.fr")
        press(enter(client, support), "treat", asked, note="")
        letters = Message.objects.filter(kind="unsubscribe_done").values_list("recipient", flat=True)
        assert set(letters) == {ASKER, "ancienne@exemple.fr"}

    def test_for_a_whole_company(self, asked, client, support):
        other = factories.make_siret(1, branch=2)
        factories.EstablishmentFactory(siret=other)
        factories.EstablishmentFactory(siret=make_siret(9))
        press(enter(client, support), "treat", asked, note="", for_company="on")
        assert listed() == {make_siret(9)}
        later = factories.make_siret(1, branch=3)
        factories.EstablishmentFactory(siret=later)
        assert listed() == {make_siret(9)}

    def test_a_contact_is_never_that_of_a_whole_company(self, shop, support):
        asked = factories.RequestFactory(outcome=Outcome.CORRECT, email="a@exemple.fr", value=SIRET)
        with pytest.raises(RefusedRequest):
            treatment.treat(request_id=asked.pk, by=support, at=timezone.now(), for_company=True)

    @pytest.mark.parametrize(
        "told",
        [
            {"outcome": Outcome.PAUSE, "ends_on": timezone.localdate() + dt.timedelta(days=30)},
            {"outcome": Outcome.HIDE, "channel": "phone"},
            {"outcome": Outcome.CORRECT, "email": "a@exemple.fr"},
            {
                "outcome": Outcome.BE_LISTED,
                "rome_codes": ["D1102"],
                "reason": DecisionReason.REQUESTED_LISTING,
                "ends_on": timezone.localdate() + dt.timedelta(days=30),
            },
        ],
        ids=lambda told: told["outcome"],
    )
    def test_every_outcome(self, office, shop, told):
        factories.RomeFactory()
        asked = factories.RequestFactory(value=SIRET, **told)
        assert office.get(page("change", asked)).status_code == 200
        press(office, "treat", asked, note="")
        asked.refresh_from_db()
        assert asked.status == Status.DONE
        row = Establishment.objects.with_contact(timezone.now()).get()
        match told["outcome"]:
            case Outcome.PAUSE:
                assert listed() == set()
            case Outcome.HIDE:
                assert row.shown_phone == ""
                assert VisibilityDecision.objects.get().channel == "phone"
            case Outcome.CORRECT:
                assert row.effective_email == "a@exemple.fr"
            case Outcome.BE_LISTED:
                assert VisibilityDecision.objects.get().rome_codes == ["D1102"]

    def test_refused_with_a_mail_that_was_read_before(self, asked, client, support):
        office = enter(client, support)
        press(office, "refuse", asked, answer="Le document nomme une autre entreprise.")
        asked.refresh_from_db()
        assert (asked.status, listed()) == (Status.REFUSED, {SIRET})
        assert "Le document nomme une autre entreprise." in Message.objects.get(kind="unsubscribe_refused").text_body
        assert "n’est plus possible" in office.get(page("treat", asked), follow=True).text

    def test_one_agent_takes_over_from_another(self, asked, client, support):
        office = enter(client, support)
        press(office, "take", asked)
        asked.refresh_from_db()
        assert asked.taken_by == support
        other = factories.StaffFactory()
        colleague = enter(Client(), other)
        for name in ("give_back", "treat", "refuse"):
            told = press(colleague, name, asked, note="", answer="Non.").text
            assert f"{support.get_full_name()} qui s’en charge" in told, name
        press(colleague, "take", asked)
        asked.refresh_from_db()
        assert asked.taken_by == other
        press(colleague, "give_back", asked)
        asked.refresh_from_db()
        assert (asked.taken_by, asked.status) == (None, Status.CONFIRMED)
        assert "n’est plus possible" in colleague.get(page("give_back", asked), follow=True).text

    def test_the_queue_is_narrowed_to_what_an_agent_follows_and_to_what_nobody_does(self, office, support):
        mine, nobody_s = factories.RequestFactory(taken_by=support), factories.RequestFactory()
        factories.RequestFactory(taken_by=factories.StaffFactory())
        place = reverse("admin:unsubscribe_request_changelist")
        assert list(office.get(f"{place}?suivi=moi").context["cl"].result_list) == [mine]
        assert list(office.get(f"{place}?suivi=personne").context["cl"].result_list) == [nobody_s]

    @pytest.mark.django_db(transaction=True)
    def test_two_agents_at_the_same_moment_treat_it_once(self, shop):
        asked = factories.RequestFactory(value=SIRET)
        agents, outcomes = [factories.StaffFactory(), factories.StaffFactory()], []

        def run(agent):
            try:
                treatment.treat(request_id=asked.pk, by=agent, at=timezone.now())
                outcomes.append("done")
            except RefusedRequest:
                outcomes.append("refused")
            finally:
                connection.close()

        threads = [threading.Thread(target=run, args=(agent,)) for agent in agents]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(outcomes) == ["done", "refused"]
        assert VisibilityDecision.objects.count() == Message.objects.count() == 1


class TestTheDocument:
    def test_support_downloads_it_as_a_file_and_the_history_says_who(self, asked, client, support):
        office = enter(client, support)
        answer = office.post(page("document", asked))
        assert answer.content == PDF
        assert answer["Content-Disposition"].startswith("attachment")
        assert answer["Content-Type"] == "application/octet-stream"
        assert LogEntry.objects.get(user=support).change_message == "Justificatif téléchargé"

    def test_nobody_else_does(self, asked, client):
        for person in (None, factories.UserFactory()):
            if person:
                client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
            answer = client.post(page("document", asked))
            assert answer.status_code == 302
            assert "/admin/login/" in answer["Location"]

    def test_a_file_that_is_gone_is_a_sentence(self, asked, client, support, files):
        kept(files)[0].unlink()
        assert "plus là" in enter(client, support).post(page("document", asked)).text


class TestTime:
    def test_what_nobody_confirmed_expires_and_its_document_is_erased(self, client, shop, files):
        ask(client)
        at = timezone.now() + dt.timedelta(hours=73)
        assert clock.purge(at=at, dry_run=True).expired == 1
        assert len(kept(files)) == 1
        purged = clock.purge(at=at)
        assert (purged.expired, purged.documents, purged.requests) == (1, 1, 0)
        assert (Request.objects.get().status, kept(files)) == (Status.EXPIRED, [])
        assert clock.purge(at=at + dt.timedelta(days=31)).requests == 1
        assert not Request.objects.exists()

    def test_a_document_is_erased_thirty_days_after_the_answer(self, asked, files, support):
        at = timezone.now()
        treatment.treat(request_id=asked.pk, by=support, at=at)
        assert clock.purge(at=at + dt.timedelta(days=30, seconds=-1)).documents == 0
        assert len(kept(files)) == 1
        assert clock.purge(at=at + dt.timedelta(days=30)).documents == 1
        assert kept(files) == []
        assert clock.purge(at=at + dt.timedelta(days=729)).requests == 0
        assert clock.purge(at=at + dt.timedelta(days=730)).requests == 1
        # What was decided stays.
        assert listed() == set()

    def test_what_waits_for_support_is_never_forgotten(self, asked, files):
        assert clock.purge(at=timezone.now() + dt.timedelta(days=3000)) == clock.Purged(0, 0, 0, 0, 0)
        assert len(kept(files)) == 1

    def test_the_task_of_the_night(self, db):
        from unsubscribe.tasks import purge

        factories.RequestFactory(status=Status.ASKED, proof=Proof.MAILBOX,
                                 asked_at=timezone.now() - dt.timedelta(days=4))  # fmt: skip
        told = io.StringIO()
        call_command("purge_requests", "--dry-run", stdout=told)
        assert "1  demandes jamais confirmées" in told.getvalue()
        assert Request.objects.get().status == Status.ASKED
        purge()
        assert Request.objects.get().status == Status.EXPIRED
