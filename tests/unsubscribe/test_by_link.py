"""An establishment leaves, pauses, hides or corrects a contact, is listed: by the link sent to its known address."""

import datetime as dt
import threading
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from companies.actions import visibility, visibility_links
from companies.enums import Channel, DecisionKind, DecisionOrigin, DecisionReason, DecisionScope
from companies.models import ContactCorrection, Establishment, VisibilityDecision
from labonnealternance.accounts.models import digest_of
from labonnealternance.mail.models import Message
from tests import factories
from tests.factories import make_siret
from tests.unsubscribe.conftest import ADDRESS, ANSWERS, SIRET, ask, last_link
from unsubscribe.actions import requests
from unsubscribe.enums import Outcome, Status
from unsubscribe.models import Request

PARIS = ZoneInfo("Europe/Paris")
NOON = dt.datetime(2026, 11, 21, 12, 0, tzinfo=PARIS)


@pytest.fixture(autouse=True)
def noon(time_machine):
    # Ticking: the latest letter is found by its time.
    time_machine.move_to(NOON, tick=True)


def listed():
    return set(Establishment.objects.listed(timezone.now()).values_list("siret", flat=True))


def press(client, *sirets, path=None, **more):
    return client.post(path or last_link(), {"siret": sirets or [SIRET], **more})


class TestOutcomes:
    def test_leave(self, client, shop):
        answer = ask(client)
        assert answer["Location"] == "/desinscription/demande-envoyee/"
        assert listed() == {SIRET}
        assert "BOULANGERIE DU PONT" in client.get(last_link()).text
        press(client)
        assert listed() == set()
        decision = VisibilityDecision.objects.get()
        asked = Request.objects.get()
        assert (decision.kind, decision.scope, decision.value) == (DecisionKind.DELISTED, DecisionScope.SIRET, SIRET)
        assert (decision.origin, decision.reason) == (DecisionOrigin.MAIL_LINK, DecisionReason.NO_APPRENTICES)
        assert (decision.ends_at, decision.decided_by, decision.comment) == (None, None, f"Demande {asked.pk}")
        assert asked.status == Status.DONE
        assert list(asked.journal.order_by("pk").values_list("to_status", flat=True)) == [Status.CONFIRMED, Status.DONE]
        page = client.get(last_link())
        assert "C’est fait" in page.text
        assert "/desinscription/etre-reference/" in page.text
        done = Message.objects.get(kind="unsubscribe_done")
        assert done.recipient == ADDRESS

    def test_pause_ends_by_itself_after_its_last_day(self, client, shop, time_machine):
        ask(client, "pause")
        press(client)
        assert listed() == set()
        time_machine.move_to(dt.datetime(2026, 12, 31, 23, 59, tzinfo=PARIS))
        assert listed() == set()
        time_machine.move_to(dt.datetime(2027, 1, 1, 0, 0, tzinfo=PARIS))
        assert listed() == {SIRET}

    @pytest.mark.parametrize(
        ("channel", "phone", "has_email"), [("phone", "", True), ("email", "+33199000018", False),
                                            ("applications", "+33199000018", False)],
    )  # fmt: skip
    def test_hide_a_channel_and_stay(self, client, shop, channel, phone, has_email):
        ask(client, "masquer", channel=channel)
        press(client)
        row = Establishment.objects.listed(timezone.now()).with_contact(timezone.now()).get()
        assert (row.shown_phone, row.has_email) == (phone, has_email)

    def test_correct_a_contact(self, client, shop):
        ask(client, "corriger")
        press(client)
        row = Establishment.objects.with_effective_contact().get()
        assert (row.effective_email, row.effective_phone) == ("nouveau@exemple.fr", "+33199000044")
        # To the address that the establishment had: whoever reads it is told.
        assert Message.objects.get(kind="unsubscribe_done").recipient == ADDRESS

    def test_a_correction_of_the_phone_leaves_the_address(self, client, shop):
        ask(client, "corriger", email="")
        press(client)
        assert list(ContactCorrection.objects.values_list("channel", flat=True)) == [Channel.PHONE]

    def test_be_listed_for_chosen_jobs_for_a_year(self, client, shop):
        factories.RomeAppellationFactory(label="Boulanger / Boulangère")
        Establishment.objects.update(is_employer=False)
        assert listed() == set()
        ask(client, "etre-reference")
        press(client)
        decision = VisibilityDecision.objects.get()
        assert (decision.kind, decision.rome_codes) == (DecisionKind.LISTED, ["D1102"])
        assert (decision.reason, timezone.localdate(decision.ends_at)) == (
            DecisionReason.REQUESTED_LISTING, dt.date(2027, 11, 22),
        )  # fmt: skip
        assert listed() == {SIRET}

    def test_an_unknown_job_is_a_sentence(self, client, shop):
        answer = ask(client, "etre-reference", job_1="zzzz")
        assert "Nous ne connaissons pas ce métier" in answer.text
        assert not Request.objects.exists()


class TestComingBack:
    def test_who_left_by_itself_comes_back_by_being_listed(self, client, branches):
        factories.RomeAppellationFactory(label="Boulanger / Boulangère")
        ask(client, who=ADDRESS)
        press(client, SIRET, tous="oui")
        assert listed() == {make_siret(9)}
        ask(client, "etre-reference")
        press(client)
        # The others of the address stay away, those that were not imported too.
        assert listed() == {SIRET, make_siret(9)}
        factories.EstablishmentFactory(siret=make_siret(3))
        assert listed() == {SIRET, make_siret(9)}

    @pytest.mark.parametrize("scope", ["siret", "siren"])
    def test_what_support_hid_or_a_whole_company_is_for_support_to_show(self, client, shop, scope):
        factories.RomeAppellationFactory(label="Boulanger / Boulangère")
        visibility.delist(
            scope=scope, value=SIRET if scope == "siret" else SIRET[:9], by=None, at=timezone.now(),
            reason=DecisionReason.OTHER, origin=DecisionOrigin.SUPPORT,
        )  # fmt: skip
        ask(client, "etre-reference")
        assert "écrivez-nous" in press(client).text
        assert listed() == set()
        assert Request.objects.get().status == Status.ASKED


class TestSeveral:
    def test_tick_some(self, client, branches):
        ask(client, who=ADDRESS.upper())
        page = client.get(last_link()).text
        assert "Tous (3)" in page
        assert "pas encore présent" in page
        assert "autre@exemple.fr" not in page
        press(client, make_siret(2), make_siret(3))
        assert listed() == {SIRET, make_siret(9)}
        # Not imported yet: hidden when it comes.
        factories.EstablishmentFactory(siret=make_siret(3))
        assert listed() == {SIRET, make_siret(9)}
        assert "2 établissements" in client.get(last_link()).text

    def test_all_of_them_now_and_later(self, client, branches):
        ask(client, who=ADDRESS)
        client.post(last_link(), {"tous": "oui"})
        assert listed() == {make_siret(9)}
        later = make_siret(5)
        factories.ContactFactory(siret=later, email=ADDRESS)
        factories.EstablishmentFactory(siret=later)
        # Nor does one come back when its address changes.
        factories.ContactCorrectionFactory(siret=SIRET, value="ailleurs@exemple.fr")
        assert listed() == {make_siret(9)}

    def test_none_ticked_is_a_sentence(self, client, branches):
        ask(client, who=ADDRESS)
        page = client.post(last_link(), {}).text
        assert "Cochez au moins un établissement" in page
        assert "checked" not in page
        assert Request.objects.get().status == Status.ASKED

    def test_another_one_s_establishment_is_refused_and_nothing_is_done(self, client, branches):
        ask(client, who=ADDRESS)
        answer = press(client, SIRET, make_siret(9))
        assert "rattaché à votre adresse" in answer.text
        assert listed() == {SIRET, make_siret(2), make_siret(9)}

    def test_five_hundred_with_as_many_queries_as_two(self, client, branches, django_assert_max_num_queries):
        sirets = [make_siret(n) for n in range(100, 600)]
        for siret in sirets:
            factories.ContactFactory(siret=siret, email="siege@exemple.fr")
            factories.EstablishmentFactory(siret=siret)
        ask(client, who="siege@exemple.fr")
        path = last_link()
        client.get(path)
        with django_assert_max_num_queries(6):
            page = client.get(path)
        assert page.text.count('name="siret"') == 500
        with django_assert_max_num_queries(24):
            client.post(path, {"siret": sirets})
        assert listed() == {SIRET, make_siret(2), make_siret(9)}
        assert Request.objects.get(address="siege@exemple.fr").establishments == 500


class TestTheLink:
    def test_looking_changes_nothing(self, client, shop):
        ask(client)
        for _ in range(2):
            assert client.get(last_link()).status_code == client.head(last_link()).status_code == 200
        assert Request.objects.get().status == Status.ASKED
        assert listed() == {SIRET}

    def test_its_secret_is_not_kept_and_no_cache_nor_engine_keeps_its_page(self, client, shop):
        ask(client)
        secret = last_link().rstrip("/").rpartition("/")[2]
        assert Request.objects.get().digest == digest_of(secret)
        page = client.get(last_link())
        assert "no-store" in page["Cache-Control"]
        assert (page["Referrer-Policy"], page["X-Robots-Tag"]) == ("same-origin", "noindex, nofollow")
        assert Message.objects.get().confidential

    def test_twice_is_once(self, client, shop):
        ask(client)
        press(client)
        assert press(client).status_code == 302
        assert VisibilityDecision.objects.count() == Message.objects.filter(kind="unsubscribe_done").count() == 1

    def test_it_lasts_seventy_two_hours(self, client, shop, time_machine):
        ask(client)
        asked_at = Request.objects.get().asked_at
        time_machine.move_to(asked_at + dt.timedelta(hours=72, minutes=-1))
        assert client.get(last_link()).status_code == 200
        time_machine.move_to(asked_at + dt.timedelta(hours=72))
        assert client.get(last_link()).status_code == press(client).status_code == 410
        assert listed() == {SIRET}

    def test_one_that_was_changed_does_nothing(self, client, shop):
        ask(client)
        path = last_link()
        for wrong in (path[:-3] + "/", path[:-2] + "x/", "/desinscription/lien/x/"):
            assert client.get(wrong).status_code == press(client, path=wrong).status_code == 410
        # That of support's answers opens no other page.
        assert client.post(path.replace("/lien/", "/reponse/lien/")).status_code == 410
        assert listed() == {SIRET}

    def test_an_address_that_is_no_longer_the_known_one_decides_nothing(self, client, shop):
        ask(client)
        factories.ContactCorrectionFactory(siret=SIRET, value="ailleurs@exemple.fr")
        assert client.get(last_link()).status_code == press(client).status_code == 410
        assert listed() == {SIRET}

    @pytest.mark.django_db(transaction=True)
    def test_two_at_the_same_moment_are_one(self, client, shop):
        ask(client)
        path = last_link()
        answers = []

        def run():
            try:
                answers.append(Client().post(path, {"siret": [SIRET]}).status_code)
            finally:
                connection.close()

        threads = [threading.Thread(target=run) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert answers == [302, 302, 302]
        assert VisibilityDecision.objects.count() == Message.objects.filter(kind="unsubscribe_done").count() == 1


class TestNothingIsRevealed:
    @pytest.mark.parametrize("who", [ADDRESS, SIRET, "inconnue@exemple.fr", make_siret(77)])
    def test_the_answer_is_the_same_whether_it_is_known_or_not(self, client, shop, who):
        answer = ask(client, who=who)
        assert (answer.status_code, answer["Location"]) == (302, "/desinscription/demande-envoyee/")
        page = client.get(answer["Location"]).text
        assert "Si l’établissement est connu, un message est parti à son adresse" in page
        assert ADDRESS not in page
        assert "PONT" not in page

    def test_nothing_is_kept_nor_sent_of_what_is_not_known(self, client, shop):
        ask(client, who="inconnue@exemple.fr")
        ask(client, who=make_siret(77))
        assert not Request.objects.exists()
        assert not Message.objects.exists()

    def test_an_answer_lasts_as_long_as_a_letter(self, client, shop, monkeypatch):
        lasted = []
        monkeypatch.setattr("unsubscribe.views.ask.ANSWER_SECONDS", 0.3)
        monkeypatch.setattr("labonnealternance.kit.views.time.sleep", lasted.append)
        ask(client)
        ask(client, who=make_siret(77))
        assert len(lasted) == 2
        assert min(lasted) > 0

    def test_the_sixth_for_one_subject_within_the_hour_is_asked_to_wait_known_or_not(self, client, shop):
        for who in (SIRET, "inconnue@exemple.fr"):
            for _ in range(5):
                assert ask(client, who=who).status_code == 302
            answer = ask(client, who=who)
            assert (answer.status_code, answer["Retry-After"]) == (429, "3600")
            assert "Réessayez dans 60 minutes" in answer.text

    def test_one_address_receives_ten_letters_an_hour_and_no_answer_says_so(self, client, shop):
        for n in range(100, 115):
            factories.ContactFactory(siret=make_siret(n), email=ADDRESS)
            assert ask(client, who=make_siret(n)).status_code == 302
        assert Message.objects.count() == 10

    def test_a_network_is_asked_to_wait_too(self, client, shop, monkeypatch):
        monkeypatch.setattr(requests, "PER_NETWORK", requests.Limit("essai", count=2, per=dt.timedelta(hours=1)))
        answers = [ask(client, who=make_siret(n)).status_code for n in (50, 51, 52)]
        assert answers == [302, 302, 429]


class TestTyped:
    @pytest.mark.parametrize(
        ("word", "typed", "sentence"),
        [
            ("quitter", {"who": ""}, "Indiquez un SIRET ou une adresse e-mail."),
            ("quitter", {"who": "123"}, "Un SIRET a 14 chiffres"),
            ("quitter", {"who": "a@b"}, "pas valide"),
            ("quitter", {"who": "a\0b@exemple.fr"}, "caractère"),
            ("quitter", {"who": "é" * 10_000}, "254"),
            ("quitter", {"reason": ""}, "Choisissez un motif."),
            ("quitter", {"reason": "requested_listing"}, "Choisissez un motif de la liste."),
            ("pause", {"ends_on": "2026-11-21"}, "demain au plus tôt"),
            ("pause", {"ends_on": "2027-11-23"}, "Une pause finit dans l’année qui vient"),
            ("pause", {"ends_on": "2026-02-30"}, "Cette date n’existe pas"),
            ("masquer", {"channel": "all"}, "dans la liste"),
            ("corriger", {"email": "", "phone": ""}, "Donnez la nouvelle adresse"),
            ("corriger", {"email": "<script>"}, "pas valable"),
            ("corriger", {"phone": "+44 20 7946 0000"}, "français"),
            ("etre-reference", {"job_1": ""}, "Indiquez un métier."),
        ],
    )
    def test_what_is_wrong_is_told_beside_its_field_and_what_was_typed_is_kept(
        self, client, shop, word, typed, sentence
    ):
        answer = client.post(f"/desinscription/{word}/", {"who": SIRET, **ANSWERS[word], **typed})
        assert answer.status_code == 200
        (name,) = typed.keys() if len(typed) == 1 else ["email"]
        assert sentence in answer.text
        assert f"id_{name}_error" in answer.text
        assert SIRET in answer.text or name == "who"
        assert not Request.objects.exists()

    def test_another_outcome_is_no_address(self, client, db):
        assert client.get("/desinscription/autre/").status_code == 404

    def test_a_candidate_is_shown_the_right_door(self, client, db):
        for path in ("/desinscription/", "/desinscription/quitter/"):
            page = client.get(path).text
            assert "Vous cherchez une alternance" in page
            assert 'href="/"' in page


class TestTheLinkOfAMail:
    @pytest.fixture
    def path(self, shop, settings):
        return visibility_links.make(siret=SIRET, email=ADDRESS).removeprefix(settings.SITE_URL)

    def test_it_leads_to_the_button_without_another_letter(self, client, branches, path):
        assert "Faire une pause" in client.get(path).text
        answer = client.post(f"{path}quitter/", ANSWERS["quitter"])
        assert listed() == {SIRET, make_siret(2), make_siret(9)}
        assert not Message.objects.exists()
        # The mail may have been forwarded: nothing is told of the others.
        page = client.get(answer["Location"]).text
        assert "BOULANGERIE DU PONT" in page
        assert "DE LA GARE" not in page
        assert "rattaché" in press(client, make_siret(2), path=answer["Location"]).text
        client.post(answer["Location"], {"tous": "oui"})
        assert listed() == {make_siret(2), make_siret(9)}

    @pytest.mark.parametrize("word", ["corriger", "etre-reference"])
    def test_another_contact_and_a_listing_ask_for_a_fresh_link(self, client, path, word):
        factories.RomeAppellationFactory(label="Boulanger / Boulangère")
        answer = client.post(f"{path}{word}/", ANSWERS[word])
        assert answer["Location"] == "/desinscription/demande-envoyee/"
        assert Message.objects.get().recipient == ADDRESS

    def test_an_old_mail_of_another_address_sends_the_link_to_the_known_one(self, client, path):
        factories.ContactCorrectionFactory(siret=SIRET, value="ailleurs@exemple.fr")
        answer = client.post(f"{path}quitter/", ANSWERS["quitter"])
        assert answer["Location"] == "/desinscription/demande-envoyee/"
        assert Message.objects.get().recipient == "ailleurs@exemple.fr"

    def test_one_that_was_changed_is_no_link(self, client, path):
        assert client.get(path[:-2] + "/").status_code == 410
        assert client.post(path[:-2] + "/quitter/").status_code == 410


def test_every_outcome_has_its_form(client, db):
    home = client.get("/desinscription/").text
    for word, outcome in zip(ANSWERS, Outcome, strict=True):
        assert f'href="/desinscription/{word}/"' in home
        assert outcome.label in client.get(f"/desinscription/{word}/").text
