"""Support's page of an establishment: it shows, and its buttons call the actions."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from companies.actions import opcos, remarks
from companies.enums import Channel, DecisionKind, DecisionOrigin, OpcoOrigin
from companies.models import Contact, ContactCorrection, Establishment, EstablishmentImport, Remark, VisibilityDecision
from companies.models.search_keys import NameKey
from labonnealternance.kit.admin import author
from labonnealternance.mail.models import Message
from offers.models import OfferDay
from opco.models import Case, Decision
from tests.factories import (
    AccessFactory,
    BatchFactory,
    ContactCorrectionFactory,
    ContactFactory,
    EstablishmentFactory,
    EstablishmentImportFactory,
    OfferFactory,
    OpcoFactory,
    ReportFactory,
    RequestFactory,
    RomeFactory,
    StaffFactory,
    UserFactory,
    VisibilityDecisionFactory,
    make_siren,
    make_siret,
)
from tests.office import enter

pytestmark = pytest.mark.django_db


@pytest.fixture
def support(client, support):
    """Signed in on ``client``."""
    enter(client, support)
    return support


@pytest.fixture
def shop():
    return EstablishmentFactory(siret=make_siret(1), name="LE FOURNIL EXEMPLE")


def page(shop, name="change"):
    return reverse(f"admin:companies_establishment_{name}", args=[shop.pk])


def is_listed(shop):
    return Establishment.objects.listed(at=timezone.now()).filter(pk=shop.pk).exists()


NOON = dt.datetime(2026, 11, 21, 11, tzinfo=dt.UTC)
LEAVING = {"scope": "siret", "reason": "no_apprentices", "comment": "Appel du 3", "ends_on": ""}
TOMORROW = (timezone.localdate() + dt.timedelta(days=1)).isoformat()


class TestPage:
    def test_it_shows_facts_decisions_contact_and_corrections(self, client, support, shop):
        ContactFactory(siret=shop.siret, email="chef@example.fr", phone="+33199000018", source="annuaire")
        VisibilityDecisionFactory(value=make_siren(1), scope="siren", decided_by=support)
        VisibilityDecisionFactory(value="chef@example.fr", scope="email", kind=DecisionKind.DELISTED)
        VisibilityDecisionFactory(value=make_siret(2))
        ContactCorrection.objects.create(
            siret=shop.siret,
            channel="phone",
            value="+33199000042",
            origin="form",
            reason="a déménagé",
            decided_at=timezone.now(),
        )
        text = client.get(page(shop)).text
        for told in (
            "LE FOURNIL EXEMPLE",
            make_siren(1),
            "chef@example.fr",
            "01 99 00 00 42",
            "annuaire",
            "a déménagé",
        ):
            assert told in text
        assert "en vigueur" in text
        assert make_siret(2) not in text
        assert "variable inconnue" not in text

    def test_it_says_whether_the_public_sees_it_and_why_not(self, client, support):
        def told(shop):
            return client.get(page(shop)).text.replace("&#x27;", "'")

        assert "Non : aucun métier ne lui est attribué." in told(EstablishmentFactory())
        assert "Non : fermé depuis le 01/02/2026." in told(EstablishmentFactory(closed_on=dt.date(2026, 2, 1)))
        assert "opposée à la diffusion" in told(EstablishmentFactory(is_diffusible=False))
        assert "n’est pas située" in told(EstablishmentFactory(latitude=None, longitude=None))
        assert "Non : il n’emploie personne" in told(EstablishmentFactory(is_employer=False))
        hidden = EstablishmentFactory()
        VisibilityDecisionFactory(value=hidden.siret)
        assert "Non : une décision en vigueur le cache." in told(hidden)
        assert f"{reverse('admin:companies_why_shown')}?siret={hidden.siret}" in told(hidden)

    def test_it_leads_to_the_public_page_while_there_is_one(self, client, support, shop):
        RomeFactory(code="D1102")
        public = reverse("offers:establishment", args=[shop.siret])
        assert public not in client.get(page(shop)).text
        VisibilityDecisionFactory(
            value=shop.siret, kind=DecisionKind.LISTED, rome_codes=["D1102"], reason="requested_listing"
        )
        text = client.get(page(shop)).text
        assert "Oui, pour 1 métier." in text
        assert public in text
        assert client.get(public).status_code == 200

    def test_it_is_found_by_the_address_that_a_message_came_from(self, client, support, shop):
        corrected = EstablishmentFactory()
        EstablishmentFactory(name="GARAGE")
        ContactFactory(siret=shop.siret, email="chef@example.fr")
        ContactCorrection.objects.create(
            siret=corrected.siret, channel="email", value="chef@example.fr", origin="form", reason="appel",
            decided_at=timezone.now(),
        )  # fmt: skip
        recruited = AccessFactory(user__email="chef@example.fr").establishment
        listed = client.get(reverse("admin:companies_establishment_changelist"), {"q": " Chef@Example.fr"}).text
        assert page(shop) in listed
        assert page(corrected) in listed
        assert page(recruited) in listed
        assert "GARAGE" not in listed

    @pytest.mark.parametrize(
        "text",
        [
            "01 99 00 00 18",
            "0199000018",
            "01.99.00.00.18",
            "+33 1 99 00 00 18",
            "0033199000018",
            "+33\u00a0(0)1-99-00-00-18",
        ],
    )
    def test_it_is_found_by_its_telephone_in_any_french_form(self, client, support, shop, text):
        corrected, other = EstablishmentFactory(), EstablishmentFactory(name="GARAGE")
        ContactFactory(siret=shop.siret, phone="+33199000018")
        ContactFactory(siret=other.siret, phone="+33199000019")
        ContactCorrectionFactory(siret=corrected.siret, channel="phone", value="+33199000018")
        listed = client.get(reverse("admin:companies_establishment_changelist"), {"q": text}).text
        assert page(shop) in listed
        assert page(corrected) in listed
        assert "GARAGE" not in listed

    def test_a_telephone_and_an_address_are_searched_by_their_indexes(self, db):
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO companies_contact (siret, email, phone, source, imported_at)"
                " SELECT lpad(n::text, 14, '0'), 'a' || n || '@exemple.fr', '+331990' || lpad(n::text, 5, '0'), '',"
                " now() FROM generate_series(1, 5000) n"
            )
            cursor.execute("ANALYZE companies_contact")
        assert "contact_phone" in Contact.objects.filter(phone="+33199000018").explain()
        assert "contact_email" in Contact.objects.filter(email="a18@exemple.fr").explain()

    def test_more_names_than_are_shown_is_told(self, client, support, shop, monkeypatch):
        monkeypatch.setattr("companies.admin.establishment.MOST_FOUND", 1)
        EstablishmentFactory(name="LE FOURNIL DU PONT")
        place = reverse("admin:companies_establishment_changelist")
        assert "Plus de 1 noms contiennent ces mots" in client.get(place, {"q": "fournil"}).text
        assert "Plus de" not in client.get(place, {"q": "fournil exemple"}).text

    def test_nothing_is_typed_into_it(self, client, support, shop):
        assert client.post(page(shop), {"name": "AUTRE"}).status_code == 403
        assert client.post(page(shop, "delete")).status_code == 403
        shop.refresh_from_db()
        assert shop.name == "LE FOURNIL EXEMPLE"

    @pytest.mark.parametrize(
        "text", ["fournil", "Exemple FOURN", make_siret(1), f" {make_siren(1)[:3]} {make_siren(1)[3:]} "]
    )
    def test_it_is_found_by_siret_siren_and_words_of_its_name(self, client, support, shop, text):
        EstablishmentFactory(siret=make_siret(2), name="GARAGE")
        listed = client.get(reverse("admin:companies_establishment_changelist"), {"q": text}).text
        assert page(shop) in listed
        assert "GARAGE" not in listed

    @pytest.mark.parametrize("text", ["zz", "%%%", "(((", "'\\", "999", "inconnu"])
    def test_odd_searches_find_nothing_and_break_nothing(self, client, support, shop, text):
        answer = client.get(reverse("admin:companies_establishment_changelist"), {"q": text})
        assert answer.status_code == 200
        assert page(shop) not in answer.text

    def test_a_name_is_searched_by_its_index(self, db):
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO companies_establishment (siret, name, legal_name, headcount_band, address_complement,"
                " address, postcode, is_headquarters, is_employer, is_diffusible)"
                " SELECT lpad(n::text, 14, '0'), 'NOM ' || md5(n::text), '', 'NN', '', '', '', false, true, true"
                " FROM generate_series(1, 20000) n"
            )
            cursor.execute("ANALYZE companies_establishment")
        named = Establishment.objects.alias(key=NameKey("name")).filter(key__contains="fournil")
        assert "establishment_name_key" in named.explain()

    def test_the_list_takes_as_many_queries_with_one_as_with_three(self, client, support, shop):
        def queries():
            with CaptureQueriesContext(
                connection,
            ) as seen:
                client.get(reverse("admin:companies_establishment_changelist"))
            return len(seen)

        queries()
        one = queries()
        EstablishmentFactory.create_batch(2)
        assert queries() == one


class TestWhatTheOtherAppsTell:
    def test_support_reads_the_whole_story_without_leaving_the_page(self, client, support, shop):
        at = timezone.now()
        ContactFactory(siret=shop.siret, email="chef@example.fr")
        access = AccessFactory(establishment=shop, user__email="recruteuse@exemple.fr")
        offer = OfferFactory(access=access, custom_title="Apprenti au fournil")
        OfferDay.objects.create(offer=offer, day=at.date(), opened=1234, applied=56)
        OfferDay.objects.create(offer=offer, day=at.date() - dt.timedelta(days=1), opened=1000, applied=1)
        ReportFactory(siret=shop.siret, kind="school", details="Un CFA répond.")
        RequestFactory(value=shop.siret, address="gerante@exemple.fr", taken_by=support)
        opcos.assign(establishment_id=shop.pk, opco=OpcoFactory(), origin=OpcoOrigin.SUPPORT, by=support, at=at)
        Case.objects.create(access=access, taken_by=support, taken_at=at)
        Decision.objects.create(
            access=access, kind="certify", made_by=support, made_at=at, effective_at=at, opco=OpcoFactory()
        )
        for to in ("chef@example.fr", "recruteuse@exemple.fr", "gerante@exemple.fr", "autre@exemple.fr"):
            Message.objects.create(kind="essai", recipient=to, subject=f"Pour {to}", created_at=at, next_attempt_at=at)
        text = client.get(page(shop)).text
        for told in (
            "recruteuse@exemple.fr", "Apprenti au fournil", reverse("admin:offers_offer_change", args=[offer.pk]),
            "École qui se fait passer pour un employeur", "Un CFA répond.", "Ne plus apparaître", "Certifié",
            f"pris par {author(support)}", "Pour chef@example.fr", "Pour recruteuse@exemple.fr",
            "Pour gerante@exemple.fr", f"?q={shop.siret}", "2\u202f234</td><td>57</td>",
        ):  # fmt: skip
            assert told in text, told
        assert "Pour autre@exemple.fr" not in text
        titles = ["Demandes de l", "Signalements", "Accès des recruteurs", "File de l", "Offres</h2>", "E-mails</h2>"]
        places = [text.index(title, text.index("panel-1")) for title in titles]
        assert places == sorted(places)
        assert text.index("Au registre") > places[-1]

    def test_who_may_not_open_offers_nor_mails_reads_nothing_of_them_here(self, client, shop):
        OfferFactory(access__establishment=shop, custom_title="Apprenti au fournil")
        scientist = enter(client, StaffFactory(group="Science"))
        text = scientist.get(page(shop)).text
        assert shop.name in text
        for told in ("Apprenti au fournil", "Accès des recruteurs", "E-mails</h2>", "Signalements</h2>"):
            assert told not in text, told

    def test_a_panel_holds_twenty_lines_and_leads_to_the_others(self, client, support, shop):
        ReportFactory.create_batch(22, siret=shop.siret, details="Une voisine le dit.")
        text = client.get(page(shop)).text
        assert text.count("Une voisine le dit.") == 20
        everything = f"{reverse('admin:unsubscribe_report_changelist')}?q={shop.siret}&etat=tous"
        assert everything.replace("&", "&amp;") in text
        assert client.get(everything).context["cl"].result_count == 22

    def test_the_page_takes_as_many_queries_with_three_of_each_as_with_one(self, client, support, shop):
        def add():
            access = AccessFactory(establishment=shop)
            OfferFactory(access=access)
            ReportFactory(siret=shop.siret, taken_by=UserFactory())
            RequestFactory(value=shop.siret, taken_by=UserFactory())
            remarks.write(siret=shop.siret, text="Vu.", by=UserFactory(), at=timezone.now())
            Case.objects.create(access=access, taken_by=UserFactory(), taken_at=timezone.now())
            Decision.objects.create(
                access=access, kind="certify", made_by=UserFactory(), made_at=timezone.now(),
                effective_at=timezone.now(), opco=OpcoFactory(),
            )  # fmt: skip
            Message.objects.create(
                kind="essai", recipient=access.user.email, subject="Essai", created_at=timezone.now(),
                next_attempt_at=timezone.now(),
            )  # fmt: skip

        def queries():
            with CaptureQueriesContext(connection) as seen:
                assert client.get(page(shop)).status_code == 200
            return len(seen)

        add()
        queries()
        one = queries()
        add()
        add()
        assert queries() == one


class TestRemarks:
    def write(self, client, shop, text):
        return client.post(page(shop, "remark"), {"text": text}, follow=True)

    def test_they_are_added_and_read_newest_first(self, client, support, shop):
        self.write(client, shop, "Rappeler en mars.\nDemander Mme Exemple.")
        told = self.write(client, shop, "Rappelée <b>deux fois</b>.").text
        assert told.index("Rappelée &lt;b&gt;deux") < told.index("Rappeler en mars.<br>Demander")
        assert Remark.objects.filter(siret=shop.siret, by=support).count() == 2
        assert "errorlist" in self.write(client, shop, " ").text
        assert "errorlist" in self.write(client, shop, "é" * 2001).text

    def test_one_is_taken_away_with_its_text_and_never_edited(self, client, support, shop):
        self.write(client, shop, "Malpolie.")
        self.write(client, shop, "Rappeler en mars.")
        remark = Remark.objects.get(text="Malpolie.")
        told = client.post(page(shop, "remove_remark"), {"remark_id": remark.pk}, follow=True).text
        assert "Malpolie" not in told
        assert f"par {author(support)}" in told
        assert "Rappeler en mars." in told
        remark.refresh_from_db()
        assert (remark.text, remark.removed_by) == ("", support)
        assert "errorlist" in client.post(page(shop, "remove_remark"), {"remark_id": remark.pk}).text

    def test_another_establishment_s_remark_is_not_taken_away_from_here(self, client, support, shop):
        stranger = remarks.write(siret=make_siret(9), text="Autre.", by=support, at=timezone.now())
        assert "n’est plus possible" in client.get(page(shop, "remove_remark"), follow=True).text
        self.write(client, shop, "Ici.")
        assert "errorlist" in client.post(page(shop, "remove_remark"), {"remark_id": stranger.pk}).text
        with pytest.raises(remarks.RefusedRemark):
            remarks.remove(remark_id=stranger.pk, siret=shop.siret, by=support, at=timezone.now())


class TestButtons:
    def press(self, client, shop, name, data):
        return client.post(page(shop, name), data, follow=True)

    def test_delist(self, client, support, shop):
        assert "plus visible nulle part" in client.get(page(shop, "delist")).text
        told = self.press(client, shop, "delist", LEAVING).text
        assert "L’établissement est retiré." in told
        decision = VisibilityDecision.objects.get()
        assert (decision.kind, decision.value, decision.ends_at) == (DecisionKind.DELISTED, shop.siret, None)
        assert (decision.decided_by, decision.origin) == (support, DecisionOrigin.SUPPORT)
        assert decision.comment == "Appel du 3"
        assert not is_listed(shop)

    def test_delist_a_whole_company(self, client, support, shop):
        other = EstablishmentFactory(siret=make_siret(1, branch=2))
        EstablishmentFactory(siret=make_siret(1, branch=3), closed_on=dt.date(2020, 1, 1))
        assert "2 établissements en activité" in client.get(page(shop, "delist")).text
        told = self.press(client, shop, "delist", {**LEAVING, "scope": "siren"}).text
        assert "Tous les établissements de cette portée sont retirés." in told
        assert not is_listed(other)

    @pytest.mark.parametrize("name", ["delist", "pause", "hide_channel", "list_establishment", "correct_contact"])
    def test_a_form_sent_as_it_stood_decides_nothing(self, client, support, shop, name):
        RomeFactory(code="D1102")
        filled = {"scope": "siret", "ends_on": TOMORROW, "rome_codes": "D1102", "value": "0199000042", "reason": ""}
        assert "errorlist" in self.press(client, shop, name, filled).text
        assert not VisibilityDecision.objects.exists()
        assert not ContactCorrection.objects.exists()

    def test_a_reason_to_leave_is_no_reason_to_be_listed(self, client, support, shop):
        RomeFactory(code="D1102")
        assert "errorlist" in self.press(client, shop, "list_establishment", {**LEAVING, "rome_codes": "D1102"}).text
        assert "errorlist" in self.press(client, shop, "delist", {**LEAVING, "reason": "requested_listing"}).text
        assert not VisibilityDecision.objects.exists()

    def test_an_address_that_is_not_known_is_refused_with_a_sentence(self, client, support, shop):
        told = self.press(client, shop, "delist", {**LEAVING, "scope": "email"}).text
        assert "n’a pas d’adresse e-mail connue" in told
        assert not VisibilityDecision.objects.exists()

    def test_pause_asks_for_its_last_day(self, client, support, shop):
        assert "errorlist" in self.press(client, shop, "pause", LEAVING).text
        past = self.press(client, shop, "pause", {**LEAVING, "ends_on": "2020-01-01"}).text
        assert "déjà passée" in past
        self.press(client, shop, "pause", {**LEAVING, "ends_on": TOMORROW})
        assert VisibilityDecision.objects.get().kind == DecisionKind.PAUSED
        assert not is_listed(shop)

    def test_hide_a_channel(self, client, support, shop):
        ContactFactory(siret=shop.siret, phone="+33199000018")
        self.press(client, shop, "hide_channel", {**LEAVING, "channel": Channel.PHONE})
        row = Establishment.objects.with_contact(at=timezone.now()).get()
        assert (row.shown_phone, row.has_email) == ("", True)
        assert is_listed(shop)

    def test_list(self, client, support):
        shop = EstablishmentFactory(is_employer=False)
        RomeFactory(code="D1102")
        RomeFactory(code="D1104")
        asked = {**LEAVING, "reason": "requested_listing"}
        told = self.press(client, shop, "list_establishment", {**asked, "rome_codes": "D1102, d1104 Z9999"}).text
        assert "Code ROME inconnu : Z9999." in told
        self.press(client, shop, "list_establishment", {**asked, "rome_codes": "D1102, d1104"})
        assert VisibilityDecision.objects.get().rome_codes == ["D1102", "D1104"]
        assert is_listed(shop)

    def test_correct_a_contact(self, client, support, shop):
        wrong = {"channel": "phone", "value": "0899123456", "reason": "appel"}
        assert "surtaxé" in self.press(client, shop, "correct_contact", wrong).text
        self.press(client, shop, "correct_contact", {**wrong, "value": "01 99 00 00 42"})
        correction = ContactCorrection.objects.get()
        assert (correction.value, correction.decided_by, correction.reason) == ("+33199000042", support, "appel")

    def test_undo_a_decision(self, client, support, shop):
        decision = VisibilityDecisionFactory(value=shop.siret)
        url = reverse("admin:companies_visibilitydecision_revoke", args=[decision.pk])
        assert url in client.get(page(shop)).text
        assert "errorlist" in client.post(url, {"reason": ""}).text
        client.post(url, {"reason": "Erreur de saisie"})
        decision.refresh_from_db()
        assert (decision.revoked_by, decision.revocation_reason) == (support, "Erreur de saisie")
        assert url not in client.get(page(shop)).text
        assert "Erreur de saisie" in client.get(page(shop)).text
        assert is_listed(shop)


class TestDecisions:
    NEW = {**LEAVING, "kind": "delisted", "channel": ""}

    def test_what_is_not_imported_yet_is_decided_about_by_its_number(self, client, support):
        url = reverse("admin:companies_visibilitydecision_add")
        assert client.get(url).status_code == 200
        answer = client.post(url, {**self.NEW, "value": f"{make_siret(9)[:9]} {make_siret(9)[9:]}"})
        assert answer.status_code == 302
        decision = VisibilityDecision.objects.get()
        assert (decision.value, decision.decided_by, decision.kind) == (make_siret(9), support, DecisionKind.DELISTED)

    @pytest.mark.parametrize(
        ("asked", "sentence"),
        [
            ({"value": "123"}, "Un SIRET a 14 chiffres"),
            ({"value": "chef", "scope": "email"}, "e-mail n’est pas valide"),
            ({"value": make_siret(9), "kind": "paused"}, "jusqu’à quand"),
            ({"value": make_siret(9), "kind": "channel_hidden"}, "moyen de contact à masquer"),
        ],
    )
    def test_what_the_action_refuses_is_told_on_the_page(self, client, support, asked, sentence):
        answer = client.post(reverse("admin:companies_visibilitydecision_add"), {**self.NEW, **asked})
        assert answer.status_code == 200
        assert sentence in answer.text
        assert not VisibilityDecision.objects.exists()

    def test_they_are_found_by_number_or_address(self, client, support):
        decision = VisibilityDecisionFactory(value=make_siret(9))
        VisibilityDecisionFactory(scope="email", value="chef@example.fr")
        url = reverse("admin:companies_visibilitydecision_changelist")
        found = client.get(url, {"q": f"{make_siret(9)[:9]} {make_siret(9)[9:]}"}).text
        assert reverse("admin:companies_visibilitydecision_change", args=[decision.pk]) in found
        assert "chef@example.fr" not in found
        assert "chef@example.fr" in client.get(url, {"q": "Chef@Example.fr"}).text

    def test_a_decision_s_page_shows_it(self, client, support):
        decision = VisibilityDecisionFactory(value=make_siret(9))
        text = client.get(reverse("admin:companies_visibilitydecision_change", args=[decision.pk])).text
        assert make_siret(9) in text
        assert "Annuler la décision" in text


class TestCorrections:
    LIST = "admin:companies_contactcorrection_changelist"

    @pytest.mark.parametrize("typed", ["{siret}", "{siren} {nic}", "{siren}", "Chef@Exemple.fr", "lot"])
    def test_they_are_found_by_number_address_or_batch(self, client, support, typed):
        siret = make_siret(9)
        batch = BatchFactory()
        ours = ContactCorrectionFactory(siret=siret, value="chef@exemple.fr", decided_by=support, batch=batch)
        other = ContactCorrectionFactory(siret=make_siret(10), value="autre@exemple.fr", reason="Une autre")
        typed = str(batch.pk) if typed == "lot" else typed.format(siret=siret, siren=siret[:9], nic=siret[9:])
        found = client.get(reverse(self.LIST), {"q": typed}).text
        assert ours.value in found
        assert other.value not in found

    def test_a_number_is_found_as_it_is_said_and_an_erased_contact_says_so(self, client, support):
        number = ContactCorrectionFactory(channel=Channel.PHONE, value="+33199000042", decided_by=support)
        erased = ContactCorrectionFactory(siret=number.siret, value="", reason="N’existe plus")
        found = client.get(reverse(self.LIST), {"q": "01 99 00 00 42"}).text
        assert "01 99 00 00 42" in found
        assert "effacé" not in found
        assert "effacé" in client.get(reverse(self.LIST), {"q": number.siret}).text
        page = client.get(reverse("admin:companies_contactcorrection_change", args=[erased.pk])).text
        assert "N’existe plus" in page
        assert 'type="submit"' not in page.split('id="content"')[1]


def test_imports_are_listed(client, support):
    record = EstablishmentImportFactory(file_name="StockEtablissement.zip")
    assert "StockEtablissement.zip" in client.get(reverse("admin:companies_establishmentimport_changelist")).text
    url = reverse("admin:companies_establishmentimport_change", args=[record.pk])
    assert "StockEtablissement.zip" in client.get(url).text
    assert client.post(url, {"file_name": "x"}).status_code == 403
    assert EstablishmentImport.objects.get().file_name == "StockEtablissement.zip"


class TestWhoMay:
    @pytest.fixture
    def addresses(self, shop):
        decision = VisibilityDecisionFactory(value=make_siret(9))
        return [
            reverse("admin:companies_establishment_changelist"),
            page(shop),
            *(
                page(shop, name)
                for name in ("delist", "pause", "hide_channel", "list_establishment", "correct_contact")
            ),
            reverse("admin:companies_visibilitydecision_add"),
            reverse("admin:companies_visibilitydecision_revoke", args=[decision.pk]),
            reverse("admin:companies_establishmentimport_changelist"),
        ]

    def outside(self, client, addresses):
        for url in addresses:
            for answer in (client.get(url), client.post(url, {**LEAVING, "kind": "delisted", "value": make_siret(3)})):
                assert answer.status_code == 302, url
                assert answer["Location"].startswith("/admin/login/"), url
        assert VisibilityDecision.objects.count() == 1

    def test_a_visitor_is_sent_to_the_sign_in(self, client, addresses):
        self.outside(client, addresses)

    def test_a_recruiter_is_sent_to_the_sign_in(self, client, addresses):
        enter(client, UserFactory())
        self.outside(client, addresses)

    def test_staff_without_second_factor_is_sent_to_the_sign_in(self, client, addresses):
        enter(client, StaffFactory(), second_factor=False)
        self.outside(client, addresses)

    def test_staff_without_the_permission_is_refused(self, client, addresses):
        person = StaffFactory()
        person.groups.clear()
        enter(client, person)
        for url in addresses:
            assert client.get(url).status_code == 403, url
            assert client.post(url, LEAVING).status_code == 403, url
        assert VisibilityDecision.objects.count() == 1


class TestRegistry:
    def test_the_page_leads_to_the_import_that_wrote_its_facts(self, client, support, shop):
        record = EstablishmentImportFactory()
        Establishment.objects.filter(pk=shop.pk).update(last_import=record)
        assert reverse("admin:companies_establishmentimport_change", args=[record.pk]) in client.get(page(shop)).text

    def test_the_page_says_where_the_verification_stands(self, client, support):
        def told(**facts):
            return client.get(page(EstablishmentFactory(**facts))).text.replace("&#x27;", "'")

        sentences = {
            "Connu par l’import.": {},
            "Faite : dernière réponse du registre le 21/11/2026 12:00.": {"checked_at": NOON},
            "À vérifier depuis le 21/11/2026 12:00 : le registre n’a pas encore répondu.": {"to_verify_since": NOON},
            "Refusé à l’inscription : inconnu du registre.": {"refusal": "unknown"},
        }
        for sentence, facts in sentences.items():
            assert sentence in told(**facts)
        assert "Non : ses données restent à vérifier" in told(to_verify_since=NOON, latitude=None, longitude=None)

    def test_support_has_the_registry_asked_now(self, client, support, registry, shop):
        registry.add(shop.siret, liste_enseignes=["NOM DU REGISTRE"])
        client.post(page(shop, "verify"))
        shop.refresh_from_db()
        assert shop.name == "NOM DU REGISTRE"

    def test_its_silence_is_told(self, client, support, registry, shop):
        registry.mode = "html"
        assert "Le registre ne répond pas" in client.post(page(shop, "verify")).text
        registry.mode = "ok"
        assert "Le registre ne connaît pas ce SIRET" in client.post(page(shop, "verify")).text

    def test_a_refusal_is_told(self, client, support, registry):
        row = EstablishmentFactory(to_verify_since=NOON)
        assert "inconnu du registre" in client.post(page(row, "verify"), follow=True).text

    def test_those_to_verify_are_listed(self, client, support, shop):
        waiting = EstablishmentFactory(to_verify_since=NOON)
        text = client.get(reverse("admin:companies_establishment_changelist"), {"a_verifier": "oui"}).text
        assert page(waiting) in text
        assert page(shop) not in text


class TestOpco:
    def test_support_changes_it_with_a_reason_and_the_journal_says_so(self, client, support, shop):
        ep, akto = OpcoFactory(), OpcoFactory(code="akto", name="AKTO")
        opcos.certify(
            establishment_id=shop.pk, opco=ep, by=UserFactory(), at=NOON, origin=OpcoOrigin.ADVISOR, reason="Contrôlé"
        )
        text = client.get(page(shop)).text
        assert "Opco entreprises de proximité, certifié" in text
        assert "Contrôlé" in text
        answer = client.post(page(shop, "change_opco"), {"opco": "akto", "reason": "Erreur de branche"}, follow=True)
        assert "L’OPCO de l’établissement est AKTO." in answer.text
        assert "AKTO, certifié" in answer.text
        assert "Erreur de branche" in answer.text
        shop.refresh_from_db()
        assert (shop.opco, shop.opco_journal.latest("pk").by) == (akto, support)

    @pytest.mark.parametrize(
        "answers", [{"opco": "", "reason": "x"}, {"opco": "autre", "reason": "x"}, {"opco": "akto"}]
    )
    def test_without_an_opco_or_a_reason_nothing_changes(self, client, support, shop, answers):
        OpcoFactory(code="akto", name="AKTO")
        assert client.post(page(shop, "change_opco"), answers).status_code == 200
        shop.refresh_from_db()
        assert shop.opco is None

    def test_the_page_takes_as_many_queries_with_one_line_as_with_five(self, client, support, shop):
        def queries():
            with CaptureQueriesContext(connection) as seen:
                client.get(page(shop))
            return len(seen)

        def tell(n):
            opcos.assign(
                establishment_id=shop.pk, opco=OpcoFactory(code=f"opco-{n}", name=f"Opco {n}"), by=StaffFactory(),
                at=NOON, origin=OpcoOrigin.SUPPORT, reason="essai",
            )  # fmt: skip

        tell(1)
        client.get(page(shop))
        one = queries()
        for n in range(2, 6):
            tell(n)
        assert queries() == one
