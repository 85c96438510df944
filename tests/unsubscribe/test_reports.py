"""What visitors report, without an account and without learning anything; and support's queue of it."""

import datetime as dt
import threading
import uuid

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from companies.enums import DecisionOrigin, DecisionReason
from companies.models import Establishment, VisibilityDecision
from labonnealternance.mail.models import Message
from tests import factories
from tests.factories import make_siret
from tests.office import enter
from tests.unsubscribe.conftest import ADDRESS, SIRET
from unsubscribe.actions import clock, reports
from unsubscribe.actions.effects import RefusedRequest
from unsubscribe.enums import ReportKind, ReportStatus
from unsubscribe.models import Report, ReportMove

pytestmark = pytest.mark.django_db

FORM = f"/signaler/etablissement/{SIRET}/"
TOLD = {"kind": "closed", "details": "Rideau baissé depuis mars.", "email": "Voisin@exemple.fr"}


def send(client, place=FORM, **told):
    return client.post(place, {**TOLD, "key": uuid.uuid4(), **told})


def page(name, report):
    return reverse(f"admin:unsubscribe_report_{name}", args=[report.pk])


class TestTheForm:
    def test_an_establishment_is_reported_from_its_page(self, client, shop):
        factories.VisibilityDecisionFactory(value=SIRET, kind="listed", rome_codes=[factories.RomeFactory().code])
        assert FORM in client.get(f"/etablissement/{SIRET}/").text
        assert "BOULANGERIE DU PONT" in client.get(FORM).text
        answer = send(client)
        assert answer["Location"] == "/signaler/merci/"
        assert client.get("/signaler/merci/").status_code == 200
        report = Report.objects.get()
        assert (report.siret, report.kind, report.email) == (SIRET, ReportKind.CLOSED, "voisin@exemple.fr")
        assert (report.details, report.offer, report.status) == (TOLD["details"], None, ReportStatus.TO_TREAT)

    def test_it_changes_nothing_and_writes_to_nobody(self, client, shop):
        send(client)
        assert Establishment.objects.listed(timezone.now()).filter(siret=SIRET).exists()
        assert not VisibilityDecision.objects.exists()
        assert not Message.objects.exists()

    def test_an_offer_is_reported_from_its_page_and_names_it(self, client):
        offer = factories.OfferFactory()
        place = reverse("unsubscribe:report_offer", args=[offer.pk])
        assert place in client.get(reverse("offers:offer", args=[offer.pk])).text
        assert offer.title in client.get(place).text
        assert send(client, place, kind="school").status_code == 302
        report = Report.objects.get()
        assert (report.offer, report.siret) == (offer, offer.establishment.siret)

    def test_what_the_public_does_not_see_is_not_named_and_the_answer_is_the_same(self, client, shop):
        factories.VisibilityDecisionFactory(value=SIRET)
        hidden, unknown = client.get(FORM), client.get(FORM.replace(SIRET, make_siret(77)))
        assert "BOULANGERIE DU PONT" not in hidden.text
        for text in (hidden.text, send(client).headers["Location"]):
            assert ADDRESS not in text
        assert unknown.status_code == hidden.status_code == 200
        assert send(client, FORM.replace(SIRET, make_siret(77))).status_code == 302

    def test_an_offer_that_is_not_public_has_no_form(self, client):
        offer = factories.OfferFactory(status="awaiting")
        assert client.get(reverse("unsubscribe:report_offer", args=[offer.pk])).status_code == 404
        assert client.get(reverse("unsubscribe:report_offer", args=[uuid.uuid4()])).status_code == 404

    def test_a_number_that_is_no_siret_has_no_form(self, client):
        assert client.get("/signaler/etablissement/12345678901234/").status_code == 404

    @pytest.mark.parametrize(
        ("told", "sentence"),
        [
            pytest.param({"kind": ""}, "Choisissez ce qui ne va pas.", id="nothing chosen"),
            pytest.param({"kind": "x"}, "Choisissez ce qui ne va pas dans la liste.", id="another kind"),
            pytest.param({"kind": "other", "details": " "}, "Dites ce qui ne va pas.", id="other without a word"),
            pytest.param({"email": "voisin"}, "adresse e-mail n’est pas valable", id="no address"),
            pytest.param({"details": "a\x1bb"}, "caractère invisible", id="escape"),
            pytest.param({"details": "é" * 1001}, "1000", id="too long"),
        ],
    )
    def test_what_is_wrong_is_said_and_what_was_typed_stays(self, client, shop, told, sentence):
        answer = send(client, **{"details": "Rideau <b>baissé</b>", **told})
        assert answer.status_code == 200
        assert sentence in answer.text
        assert "<b>baissé" not in answer.text
        assert not Report.objects.exists()

    def test_the_same_form_sent_twice_is_one_report(self, client, shop):
        key = uuid.uuid4()
        for _ in range(2):
            assert send(client, key=key).status_code == 302
        assert Report.objects.count() == 1
        assert send(client, key="abc").status_code == 302
        assert Report.objects.count() == 2

    def test_three_a_day_about_one_establishment_and_twenty_an_hour_in_all_from_one_network(self, client, shop):
        assert [send(client).status_code for _ in range(4)] == [302, 302, 302, 429]
        assert "Trop de signalements" in send(client).text
        # The two that were refused count too.
        others = [send(client, FORM.replace(SIRET, make_siret(n))).status_code for n in range(2, 18)]
        assert others == [302] * 15 + [429]
        assert send(Client(REMOTE_ADDR="192.0.2.9")).status_code == 302


@pytest.fixture
def report(shop):
    return factories.ReportFactory(siret=SIRET, details="Rideau baissé.")


class TestSupport:
    def test_the_queue_is_the_oldest_first_with_how_many_wait_about_each(self, office):
        at = timezone.now()
        late = factories.ReportFactory(siret=SIRET, reported_at=at - dt.timedelta(days=1))
        early = factories.ReportFactory(siret=SIRET, reported_at=at - dt.timedelta(days=3))
        factories.ReportFactory(siret=SIRET, status=ReportStatus.DISMISSED)
        place = reverse("admin:unsubscribe_report_changelist")
        shown = list(office.get(place).context["cl"].result_list)
        assert shown == [early, late]
        assert [each.waiting_count for each in shown] == [2, 2]
        assert office.get(f"{place}?etat=tous").context["cl"].result_count == 3
        assert office.get(place, {"q": f"{SIRET[:9]} {SIRET[9:]}"}).context["cl"].result_count == 2
        assert office.get(place, {"q": make_siret(8)}).context["cl"].result_count == 0

    def test_its_page_offers_what_mends_it(self, office, shop):
        closed = office.get(page("change", factories.ReportFactory(siret=SIRET))).text
        assert reverse("admin:companies_establishment_delist", args=[shop.pk]) in closed
        wrong = office.get(page("change", factories.ReportFactory(siret=SIRET, kind=ReportKind.CONTACT))).text
        assert reverse("admin:companies_establishment_correct_contact", args=[shop.pk]) in wrong
        unknown = office.get(page("change", factories.ReportFactory(siret=make_siret(9)))).text
        assert "absent de nos données" in unknown
        offer = factories.OfferFactory()
        about = office.get(page("change", factories.ReportFactory(offer=offer))).text
        assert reverse("admin:offers_offer_moderate", args=[offer.pk]) in about

    def test_treated_as_closed_it_is_gone_at_once_with_those_that_said_the_same(self, office, support, report):
        other, elsewhere = factories.ReportFactory(siret=SIRET), factories.ReportFactory()
        held = factories.ReportFactory(siret=SIRET, taken_by=factories.StaffFactory())
        answers = {"reason": "Vérifié au téléphone.", "delist_as_closed": "on", "with_others": "on"}
        told = office.post(page("treat", report), answers, follow=True).text
        assert "2 signalements sont traités, et l’établissement est retiré." in told
        assert not Establishment.objects.listed(timezone.now()).filter(siret=SIRET).exists()
        decision = VisibilityDecision.objects.get()
        assert (decision.reason, decision.origin, decision.decided_by) == (
            DecisionReason.CLOSED, DecisionOrigin.SUPPORT, support,
        )  # fmt: skip
        states = dict(Report.objects.values_list("pk", "status"))
        assert states[report.pk] == states[other.pk] == ReportStatus.TREATED
        assert states[held.pk] == states[elsewhere.pk] == ReportStatus.TO_TREAT
        line = ReportMove.objects.get(report=report)
        assert (line.by, line.reason) == (support, "Vérifié au téléphone.")

    def test_who_may_not_decide_of_an_establishment_does_not_by_a_report(self, client, report):
        moderator = enter(client, factories.StaffFactory(group="Modération"))
        answers = {"reason": "Vérifié.", "delist_as_closed": "on"}
        assert "pas le droit de retirer un établissement" in moderator.post(page("treat", report), answers).text
        assert not VisibilityDecision.objects.exists()
        assert "est traité." in moderator.post(page("treat", report), {"reason": "Vérifié."}, follow=True).text

    def test_dismissed_with_a_reason(self, office, report):
        assert "errorlist" in office.post(page("dismiss", report), {"reason": " "}).text
        told = office.post(page("dismiss", report), {"reason": "Ouvert, appelé ce jour."}, follow=True).text
        assert "Le signalement est écarté." in told
        report.refresh_from_db()
        assert (report.status, report.journal.get().reason) == (ReportStatus.DISMISSED, "Ouvert, appelé ce jour.")
        assert "n’est plus possible" in office.get(page("treat", report), follow=True).text
        assert not VisibilityDecision.objects.exists()

    def test_taken_given_back_and_taken_over(self, office, support, report):
        other = factories.StaffFactory()
        colleague = enter(Client(), other)
        office.post(page("take", report))
        report.refresh_from_db()
        assert report.taken_by == support
        assert (
            f"{support.get_full_name()} qui s’en charge"
            in colleague.post(page("treat", report), {"reason": "Vu."}).text
        )
        assert f"{support.get_full_name()} qui s’en charge" in colleague.post(page("give_back", report)).text
        colleague.post(page("take", report))
        colleague.post(page("give_back", report))
        report.refresh_from_db()
        assert (report.taken_by, report.status) == (None, ReportStatus.TO_TREAT)
        assert LogEntry.objects.filter(change_message="Prendre en charge").count() == 2

    def test_a_settled_report_is_settled_once(self, support, report):
        at = timezone.now()
        reports.dismiss(report_id=report.pk, by=support, at=at, reason="Ouvert.")
        for act in (reports.treat, reports.dismiss):
            with pytest.raises(RefusedRequest, match="déjà réglé"):
                act(report_id=report.pk, by=support, at=at, reason="Encore.")
        with pytest.raises(RefusedRequest):
            reports.take(report_id=report.pk, by=support, at=at)
        assert report.journal.count() == 1

    @pytest.mark.django_db(transaction=True)
    def test_two_agents_at_the_same_moment_settle_it_once(self):
        report, outcomes = factories.ReportFactory(siret=SIRET), []

        def run(agent):
            try:
                reports.treat(report_id=report.pk, by=agent, at=timezone.now(), reason="Vu.", delist_as_closed=True)
                outcomes.append("settled")
            except RefusedRequest:
                outcomes.append("refused")
            finally:
                connection.close()

        agents = [factories.StaffFactory(), factories.StaffFactory()]
        threads = [threading.Thread(target=run, args=(agent,)) for agent in agents]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(outcomes) == ["refused", "settled"]
        assert VisibilityDecision.objects.count() == ReportMove.objects.count() == 1

    def test_a_page_takes_as_many_queries_with_one_other_as_with_four(self, office, report):
        def queries():
            with CaptureQueriesContext(connection) as seen:
                assert office.get(page("change", report)).status_code == 200
            return len(seen)

        factories.ReportFactory(siret=SIRET, taken_by=factories.StaffFactory())
        queries()
        one = queries()
        for _ in range(3):
            factories.ReportFactory(siret=SIRET, taken_by=factories.StaffFactory())
        assert queries() == one


def test_details_are_erased_after_a_year_and_the_report_two_years_after_its_end(support):
    at = timezone.now()
    waiting = factories.ReportFactory(siret=SIRET, details="Rideau baissé.", email="voisin@exemple.fr", reported_at=at)
    settled = factories.ReportFactory(siret=SIRET, details="Fermé.", reported_at=at)
    reports.dismiss(report_id=settled.pk, by=support, at=at, reason="Mme Exemple dit le contraire.")
    year = dt.timedelta(days=365)
    assert clock.purge(at=at + year - dt.timedelta(seconds=1)).details == 0
    assert clock.purge(at=at + year, dry_run=True).details == 2
    assert Report.objects.get(pk=waiting.pk).details
    assert clock.purge(at=at + year).details == 2
    waiting.refresh_from_db()
    assert (waiting.details, waiting.email, waiting.status) == ("", "", ReportStatus.TO_TREAT)
    assert settled.journal.get().reason == ""
    assert clock.purge(at=at + year).details == 0
    assert clock.purge(at=at + 2 * year, dry_run=True).reports == 1
    assert clock.purge(at=at + 2 * year).reports == 1
    assert Report.objects.get() == waiting
