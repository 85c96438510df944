"""Who may deposit offers: each answer of the registry, its silence, and what the clock finishes."""

import datetime as dt
import threading
import time

import pytest
import time_machine
from django.conf import settings as django_settings
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from companies.actions import registrations
from companies.actions.registrations import CouldNotVerify, Outcome, RefusedEstablishment, keep, look_up
from companies.enums import OpcoOrigin
from companies.models import Establishment, OpcoAssignment
from companies.tasks import verify_pending as verify_pending_task
from labonnealternance.kit.commands import AlreadyRunning, single_run
from tests.companies import stock
from tests.companies.fake_registry import FAILURES, FakeRegistry
from tests.factories import (
    CommuneFactory,
    ContactFactory,
    EstablishmentFactory,
    EstablishmentImportFactory,
    FormerCommuneFactory,
    IdccFactory,
    NafFactory,
    OpcoFactory,
    VisibilityDecisionFactory,
    make_siren,
    make_siret,
)

pytestmark = pytest.mark.django_db

SIRET = make_siret(1)
AT = dt.datetime(2026, 11, 21, 11, tzinfo=dt.UTC)
YESTERDAY = AT - dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def _references():
    CommuneFactory()
    NafFactory()


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    """The pace of the clock's tasks has a test of its own."""
    monkeypatch.setattr(registrations, "VERIFICATIONS_A_SECOND", 1000)
    monkeypatch.setattr(registrations, "REFRESHMENTS_A_SECOND", 1000)


def refused(siret, at=AT):
    with pytest.raises(RefusedEstablishment) as refusal:
        look_up(siret=siret, at=at)
    with pytest.raises(RefusedEstablishment):
        keep(siret=siret, at=at)
    assert str(refusal.value) == refusal.value.sentence
    return refusal.value.code, refusal.value.sentence


def to_verify(siret=SIRET, since=YESTERDAY, **facts):
    return Establishment.objects.create(siret=siret, name="", is_employer=False, to_verify_since=since, **facts)


class TestKnownHere:
    def test_a_siret_of_the_local_table_is_shown_without_asking_anybody(self, registry):
        shop = EstablishmentFactory(siret=SIRET, name="CHEZ EXEMPLE", legal_name="EXEMPLE SAS")
        shown = look_up(siret=SIRET, at=AT)
        assert shown.establishment == shop
        assert (shown.siret, shown.name, shown.legal_name) == (SIRET, "CHEZ EXEMPLE", "EXEMPLE SAS")
        assert shown.naf_label == "Boulangerie et boulangerie-pâtisserie"
        assert shown.address_lines == ["1 PLACE D'ARMES", "57000 Metz"]
        assert not shown.is_to_verify
        assert registry.asked == []

    @pytest.mark.parametrize(
        "typed", [f" {SIRET[:3]} {SIRET[3:6]}.{SIRET[6:9]}-{SIRET[9:]} ", SIRET[:9] + "\u00a0" + SIRET[9:]]
    )
    def test_a_siret_is_known_with_spaces_and_dots(self, typed):
        EstablishmentFactory(siret=SIRET)
        assert look_up(siret=typed, at=AT).siret == SIRET

    def test_a_siret_of_the_post_office_passes(self):
        # Its digits make a multiple of 5, and no key of Luhn.
        siret = "35600000000015"
        EstablishmentFactory(siret=siret)
        assert look_up(siret=siret, at=AT).siret == siret

    def test_looking_writes_nothing(self, registry):
        registry.add(SIRET)
        look_up(siret=SIRET, at=AT)
        assert not Establishment.objects.exists()


class TestRefused:
    @pytest.mark.parametrize(
        "typed, rule",
        [
            ("", "Indiquez un SIRET."),
            ("   ", "Indiquez un SIRET."),
            ("1234", "a 14 chiffres : vous en avez donné 4."),
            (make_siren(1), "a 14 chiffres : vous en avez donné 9."),
            (SIRET + "1", "a 14 chiffres : vous en avez donné 15."),
            (SIRET[:13] + "a", "ne contient que des chiffres."),
            (SIRET[:13] + str((int(SIRET[13]) + 1) % 10), "un de ses chiffres est faux."),
            ("35600000000016", "un de ses chiffres est faux."),
            ("٣" * 14, "ne contient que des chiffres."),
            ("\x00" * 14, "ne contient que des chiffres."),
            ("9" * 10_000, "a 14 chiffres : vous en avez donné 10000."),
        ],
    )
    def test_a_siret_that_is_none_is_told_by_its_rule_and_asks_nobody(self, registry, typed, rule):
        code, sentence = refused(typed)
        assert code == "invalid"
        assert rule in sentence
        assert "Le SIRET figure sur" in sentence
        assert registry.asked == []

    def test_unknown_to_the_registry(self, registry):
        code, sentence = refused(SIRET)
        assert code == "unknown"
        assert "ne connaît pas ce SIRET" in sentence
        assert django_settings.CONTACT_EMAIL in sentence

    def test_closed(self, registry):
        registry.add_closed(SIRET)
        code, sentence = refused(SIRET)
        assert code == "closed"
        assert "fermé" in sentence

    def test_not_diffusible(self, registry):
        registry.add_not_diffusible(SIRET)
        code, sentence = refused(SIRET)
        assert code == "not_diffusible"
        assert "opposée à la diffusion" in sentence

    @pytest.mark.parametrize("naf", ["85.31Z", "85.59A"])
    def test_a_school_is_told_to_register_as_a_training_centre(self, registry, naf):
        registry.add(SIRET, activite_principale=naf)
        code, sentence = refused(SIRET)
        assert code == "teaching"
        assert "inscrivez-vous comme CFA" in sentence
        assert django_settings.CONTACT_EMAIL in sentence

    @pytest.mark.parametrize(
        "decision",
        [{"value": SIRET}, {"value": SIRET[:9], "scope": "siren"}, {"value": "chef@exemple.fr", "scope": "email"}],
    )
    def test_one_that_left_the_service_is_told_so_without_its_name(self, registry, decision):
        EstablishmentFactory(siret=SIRET, name="FOURNIL SECRET", legal_name="SECRET SAS")
        ContactFactory(siret=SIRET, email="chef@exemple.fr")
        VisibilityDecisionFactory(**decision)
        code, sentence = refused(SIRET, at=timezone.now())
        assert code == "hidden"
        assert "SECRET" not in sentence
        assert django_settings.CONTACT_EMAIL in sentence
        assert registry.asked == []

    def test_one_that_left_before_it_was_imported_is_told_the_same(self, registry):
        registry.add(SIRET)
        VisibilityDecisionFactory(value=SIRET)
        assert refused(SIRET, at=timezone.now())[0] == "hidden"

    def test_each_refusal_has_its_own_sentence(self):
        sentences = [RefusedEstablishment(code).sentence for code in registrations._SENTENCES]
        assert len(set(sentences)) == len(sentences) == 5
        assert all(sentence.endswith(".") for sentence in sentences)

    @pytest.mark.parametrize(
        "facts, code",
        [
            ({"closed_on": dt.date(2026, 11, 21)}, "closed"),
            ({"is_diffusible": False}, "not_diffusible"),
            ({"naf_id": "8531Z"}, "teaching"),
            ({"refusal": "unknown"}, "unknown"),
        ],
    )
    def test_what_the_local_table_refuses_is_asked_of_the_registry_which_wins(self, registry, facts, code):
        NafFactory(code="8531Z")
        shop = EstablishmentFactory(siret=SIRET, naf=None)
        Establishment.objects.filter(pk=shop.pk).update(**facts)
        registry.mode = "500"
        assert refused(SIRET)[0] == code
        FakeRegistry.service.circuit.succeeded()
        registry.mode = "ok"
        if code == "closed":
            assert refused(SIRET)[0] == "closed", "what the registry does not know is closed, as the table says"
        registry.add(SIRET)
        assert look_up(siret=SIRET, at=AT).name == "FOURNIL EXEMPLE"
        kept = keep(siret=SIRET, at=AT)
        assert (kept.pk, kept.closed_on, kept.is_diffusible, kept.naf_id) == (shop.pk, None, True, "1071C")
        assert kept.refusal == ""
        assert keep(siret=SIRET, at=AT) == kept


class TestToldByTheRegistry:
    def test_one_that_is_not_here_is_shown_then_kept_with_what_the_registry_says(self, registry):
        registry.add(SIRET, liste_enseignes=["CHEZ EXEMPLE"])
        shown = look_up(siret=SIRET, at=AT)
        assert shown.establishment is None
        assert (shown.name, shown.legal_name) == ("CHEZ EXEMPLE", "FOURNIL EXEMPLE")
        assert shown.address_lines == ["1 PLACE D'ARMES", "57000 Metz"]
        assert shown.naf_label == "Boulangerie et boulangerie-pâtisserie"
        assert not shown.is_to_verify
        kept = keep(siret=SIRET, at=AT)
        assert (kept.name, kept.naf_id, kept.commune_id, kept.postcode) == ("CHEZ EXEMPLE", "1071C", "57463", "57000")
        assert (kept.latitude, kept.longitude) == (49.119, 6.176)
        assert (kept.to_verify_since, kept.checked_at, kept.registry_updated_at) == (None, AT, AT)
        assert Establishment.objects.listed(AT).filter(siret=SIRET).exists()
        assert keep(siret=SIRET, at=AT + dt.timedelta(days=1)) == kept
        assert len(registry.asked) == 2, "once kept, nobody is asked"

    @pytest.mark.parametrize(
        "told, naf, commune, point",
        [
            ({"activite_principale": "99.99Z"}, None, "57463", (49.119, 6.176)),
            ({"commune": "99999"}, "1071C", None, (49.119, 6.176)),
            ({"commune": "99999", "latitude": None}, "1071C", None, (None, None)),
            ({"latitude": None}, "1071C", "57463", (49.1193, 6.1757)),
            ({"latitude": "12.0"}, "1071C", "57463", (49.1193, 6.1757)),
            ({"commune": "57999"}, "1071C", "57463", (49.119, 6.176)),
        ],
    )
    def test_an_unknown_activity_or_commune_is_left_blank_and_the_row_kept(self, registry, told, naf, commune, point):
        FormerCommuneFactory(code="57999")
        registry.add(SIRET, **told)
        kept = keep(siret=SIRET, at=AT)
        assert (kept.naf_id, kept.commune_id) == (naf, commune)
        assert (kept.latitude, kept.longitude) == point
        assert look_up(siret=SIRET, at=AT).name == "FOURNIL EXEMPLE"

    def test_agreements_that_lead_to_one_opco_give_it(self, registry):
        ep, akto = OpcoFactory(), OpcoFactory(code="akto", name="AKTO")
        for code, opco in (("0843", ep), ("0953", ep), ("1979", akto)):
            IdccFactory(code=code, opco=opco)
        registry.add(SIRET, liste_idcc=["9999", "953", "843"])
        assert look_up(siret=SIRET, at=AT).opco == ep
        assert keep(siret=SIRET, at=AT).idcc_id == "0953"
        registry.add(make_siret(2), company={"complements": {"liste_idcc": ["1979"]}})
        assert keep(siret=make_siret(2), at=AT).idcc_id == "1979"
        registry.add(make_siret(3), liste_idcc=["0843", "1979"])
        assert keep(siret=make_siret(3), at=AT).idcc_id is None

    def test_the_opco_service_is_asked_where_none_is_known(self, registry, opco_service):
        ep = OpcoFactory()
        opco_service.names[SIRET] = "Opco Entreprises de Proximité"
        shop = EstablishmentFactory(siret=SIRET)
        assert look_up(siret=SIRET, at=AT).opco == ep
        assert len(opco_service.asked) == 1
        Establishment.objects.filter(pk=shop.pk).update(opco=ep)
        assert look_up(siret=SIRET, at=AT).opco == ep
        assert len(opco_service.asked) == 1

    def test_who_is_kept_has_the_opco_that_the_service_tells(self, registry, opco_service):
        ep = OpcoFactory()
        opco_service.names[SIRET] = opco_service.names[make_siret(2)] = "Opco entreprises de proximité"
        registry.add(SIRET)
        assert keep(siret=SIRET, at=AT).opco == ep
        EstablishmentFactory(siret=make_siret(2))
        assert keep(siret=make_siret(2), at=AT).opco == ep
        assert OpcoAssignment.objects.count() == 2
        keep(siret=SIRET, at=AT)
        assert len(opco_service.asked) == 2

    def test_one_in_use_without_an_opco_gets_it_at_night(self, registry, opco_service):
        ep = OpcoFactory()
        shop = EstablishmentFactory(siret=SIRET)
        registry.add(SIRET)
        registrations.refresh_used(establishment_ids=[shop.pk], at=AT)
        opco_service.names[SIRET] = "Opco entreprises de proximité"
        registrations.refresh_used(establishment_ids=[shop.pk], at=AT + dt.timedelta(days=1))
        shop.refresh_from_db()
        assert shop.opco == ep


class TestSilence:
    @pytest.mark.parametrize("mode", FAILURES)
    def test_whatever_happens_to_the_registry_the_person_goes_on(self, registry, impatient, mode):
        registry.mode = mode
        shown = look_up(siret=SIRET, at=AT)
        assert shown.is_to_verify
        assert (shown.establishment, shown.siret, shown.name, shown.address_lines) == (None, SIRET, "", [])
        kept = keep(siret=SIRET, at=AT)
        assert (kept.siret, kept.to_verify_since, kept.name) == (SIRET, AT, "")

    def test_a_changed_schema_is_silence(self, registry):
        registry.add(SIRET, etat_administratif="X")
        assert look_up(siret=SIRET, at=AT).is_to_verify

    def test_without_addresses_of_services_the_person_goes_on(self):
        assert look_up(siret=SIRET, at=AT).is_to_verify
        assert keep(siret=SIRET, at=AT).to_verify_since == AT

    def test_nothing_of_it_is_public(self):
        keep(siret=SIRET, at=AT)
        assert not Establishment.objects.listed(AT).exists()

    def test_the_first_silence_dates_it(self):
        first = keep(siret=SIRET, at=AT)
        again = keep(siret=SIRET, at=AT + dt.timedelta(hours=3))
        assert (again.pk, again.to_verify_since) == (first.pk, AT)

    def test_the_next_person_gets_the_answer_when_there_is_one(self, registry):
        to_verify()
        registry.add(SIRET)
        shown = look_up(siret=SIRET, at=AT)
        assert (shown.name, shown.is_to_verify) == ("FOURNIL EXEMPLE", False)
        assert keep(siret=SIRET, at=AT).to_verify_since is None

    def test_a_wrong_siret_is_never_kept_to_verify(self):
        refused(SIRET[:13] + str((int(SIRET[13]) + 1) % 10))
        assert not Establishment.objects.exists()

    def test_an_import_does_not_close_what_waits_for_the_registry(self, tmp_path):
        waiting, gone = to_verify(), EstablishmentFactory(siret=make_siret(2))
        path = stock.write(tmp_path / "stock.csv", [stock.line(3)])
        call_command("import_establishments", str(path), verbosity=0)
        waiting.refresh_from_db()
        gone.refresh_from_db()
        assert waiting.closed_on is None
        assert gone.closed_on is not None


@pytest.mark.django_db(transaction=True)
def test_two_people_at_the_same_moment_get_the_same_row(registry):
    registry.add(SIRET)
    registry.mode = "slow"
    kept, faults = [], []

    def register():
        try:
            kept.append(keep(siret=SIRET, at=AT).pk)
        except Exception as fault:
            faults.append(fault)
        finally:
            connection.close()

    threads = [threading.Thread(target=register) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert len(kept) == 6
    assert len(set(kept)) == 1
    assert Establishment.objects.get().name == "FOURNIL EXEMPLE"


class TestVerification:
    def test_what_the_registry_knows_is_written_and_is_to_verify_no_more(self, registry, opco_service):
        ep = OpcoFactory()
        opco_service.names[SIRET] = "Opco entreprises de proximité"
        row = to_verify()
        registry.add(SIRET)
        assert registrations.verify_pending(at=AT) == Outcome(written=1, refused=0, is_interrupted=False)
        row.refresh_from_db()
        assert (row.name, row.naf_id, row.commune_id) == ("FOURNIL EXEMPLE", "1071C", "57463")
        assert (row.to_verify_since, row.checked_at, row.refusal, row.opco) == (None, AT, "", ep)
        assert row.opco_journal.get().origin == OpcoOrigin.SERVICE
        assert registrations.verify_pending(at=AT).written == 0

    @pytest.mark.parametrize(
        "play, refusal",
        [
            (lambda registry: registry.add_closed(SIRET), "closed"),
            (lambda registry: registry.add_closed(SIRET, on=None), "closed"),
            (lambda registry: registry.add_closed(SIRET, on="2099-01-01"), "closed"),
            (lambda registry: registry.add_not_diffusible(SIRET), "not_diffusible"),
            (lambda registry: registry.add(SIRET, activite_principale="85.31Z"), "teaching"),
        ],
    )
    def test_what_it_refuses_is_kept_as_refused_and_never_public(self, registry, opco_service, play, refusal):
        row = to_verify()
        play(registry)
        assert registrations.verify_pending(at=AT) == Outcome(written=1, refused=1, is_interrupted=False)
        row.refresh_from_db()
        assert (row.refusal, row.to_verify_since) == (refusal, None)
        if refusal == "closed":
            assert row.closed_on <= AT.date()
        assert row.is_diffusible == (refusal != "not_diffusible")
        assert refusal == "teaching" or not Establishment.objects.showable(AT).exists()
        assert refused(SIRET)[0] == refusal
        assert opco_service.asked == []

    def test_an_unknown_siret_is_believed_when_it_is_said_again_another_day(self, registry):
        row = to_verify()
        assert registrations.verify_pending(at=AT).written == 0
        row.refresh_from_db()
        assert (row.checked_at, row.refusal) == (AT, "")
        assert row.to_verify_since is not None
        assert registrations.verify_pending(at=AT + dt.timedelta(hours=23)).written == 0
        assert len(registry.asked) == 1
        outcome = registrations.verify_pending(at=AT + dt.timedelta(hours=24))
        assert (outcome.written, outcome.refused) == (1, 1)
        row.refresh_from_db()
        assert (row.refusal, row.closed_on, row.to_verify_since) == ("unknown", dt.date(2026, 11, 22), None)
        assert not Establishment.objects.showable(AT + dt.timedelta(days=1)).exists()

    def test_an_unknown_siret_that_appears_meanwhile_is_verified(self, registry):
        row = to_verify()
        registrations.verify_pending(at=AT)
        registry.add(SIRET)
        assert registrations.verify_pending(at=AT + dt.timedelta(days=1)).refused == 0
        row.refresh_from_db()
        assert (row.name, row.closed_on) == ("FOURNIL EXEMPLE", None)

    def test_the_oldest_come_first(self, registry):
        for n in (3, 1, 2):
            to_verify(make_siret(n), since=YESTERDAY + dt.timedelta(minutes=n))
            registry.add(make_siret(n))
        registrations.verify_pending(at=AT, limit=2)
        assert Establishment.objects.get(to_verify_since__isnull=False).siret == make_siret(3)

    def test_it_stops_when_the_registry_is_down(self, registry, impatient):
        for n in range(1, 20):
            to_verify(make_siret(n))
        registry.mode = "html"
        assert registrations.verify_pending(at=AT) == Outcome(0, 0, is_interrupted=True)
        assert len(registry.asked) == 2, "one, and another that shows that it was not at fault"

    def test_one_row_that_fails_alone_stops_nobody(self, registry):
        registry.add(SIRET, etat_administratif="X")
        to_verify()
        to_verify(make_siret(2))
        registry.add(make_siret(2))
        assert registrations.verify_pending(at=AT) == Outcome(1, 0, is_interrupted=False)

    def test_without_an_address_nothing_is_asked_and_nothing_changes(self):
        to_verify()
        assert registrations.verify_pending(at=AT) == Outcome(0, 0, is_interrupted=True)

    def test_what_an_import_filled_meanwhile_needs_no_registry(self, settings):
        NafFactory(code="8531Z")
        run = EstablishmentImportFactory()
        fine = EstablishmentFactory(siret=make_siret(1), to_verify_since=YESTERDAY, last_import=run)
        school = EstablishmentFactory(
            siret=make_siret(2), to_verify_since=YESTERDAY, last_import=run, naf_id="8531Z", naf=None
        )
        Establishment.objects.filter(pk=school.pk).update(naf_id="8531Z")
        registrations.verify_pending(at=AT)
        told = Establishment.objects.order_by("siret").values_list("pk", "to_verify_since", "refusal")
        assert list(told) == [(fine.pk, None, ""), (school.pk, None, "teaching")]

    def test_two_at_once_are_one(self, registry):
        with single_run("vérification des établissements"), pytest.raises(AlreadyRunning):
            registrations.verify_pending(at=AT)
        with single_run("vérification des établissements"):
            verify_pending_task()

    def test_one_that_waits_for_more_than_a_day_is_told_to_who_runs_the_service(self, caplog):
        to_verify(since=AT - dt.timedelta(hours=25))
        registrations.verify_pending(at=AT)
        assert "to verify since 2026-11-20" in caplog.text

    def test_the_registry_is_asked_at_a_measured_pace(self, registry, monkeypatch):
        monkeypatch.setattr(registrations, "VERIFICATIONS_A_SECOND", 20)
        for n in range(1, 7):
            to_verify(make_siret(n))
            registry.add(make_siret(n))
        begun = time.monotonic()
        assert registrations.verify_pending(at=AT).written == 6
        assert time.monotonic() - begun >= 5 / 20

    def test_the_time_that_it_asks_for_is_waited(self, registry, monkeypatch):
        for n in (1, 2, 3):
            to_verify(make_siret(n), since=YESTERDAY + dt.timedelta(minutes=n))
            registry.add(make_siret(n))
        registry.mode, registry.retry_after = "429 once", "1"
        begun = time.monotonic()
        assert registrations.verify_pending(at=AT) == Outcome(2, 0, is_interrupted=False)
        assert time.monotonic() - begun >= 1
        assert Establishment.objects.get(to_verify_since__isnull=False).siret == make_siret(1)

    def test_the_task_wakes_it(self, registry):
        to_verify()
        registry.add(SIRET)
        with time_machine.travel(AT, tick=False):
            verify_pending_task()
        assert Establishment.objects.get().checked_at == AT


class TestNow:
    def test_support_asks_for_one(self, registry):
        shop = EstablishmentFactory(siret=SIRET, name="ANCIEN NOM")
        registry.add(SIRET)
        assert registrations.verify_now(establishment_id=shop.pk, at=AT).name == "FOURNIL EXEMPLE"

    def test_silence_is_told(self, registry):
        shop = EstablishmentFactory(siret=SIRET, name="ANCIEN NOM")
        registry.mode = "500"
        with pytest.raises(CouldNotVerify, match="ne répond pas"):
            registrations.verify_now(establishment_id=shop.pk, at=AT)
        shop.refresh_from_db()
        assert shop.name == "ANCIEN NOM"

    def test_an_unknown_one_that_was_known_is_left_as_it_is(self, registry):
        shop = EstablishmentFactory(siret=SIRET)
        with pytest.raises(CouldNotVerify, match="ne connaît pas"):
            registrations.verify_now(establishment_id=shop.pk, at=AT)
        shop.refresh_from_db()
        assert (shop.closed_on, shop.refusal) == (None, "")

    def test_an_unknown_one_to_verify_is_refused(self, registry):
        row = to_verify()
        assert registrations.verify_now(establishment_id=row.pk, at=AT).refusal == "unknown"


class TestRefreshment:
    def refresh(self, *shops, at=AT, **options):
        return registrations.refresh_used(establishment_ids=iter([shop.pk for shop in shops]), at=at, **options)

    def test_closed_ones_are_found_again(self, registry):
        open_one, closed_one = EstablishmentFactory(siret=make_siret(1)), EstablishmentFactory(siret=make_siret(2))
        registry.add(open_one.siret)
        registry.add_closed(closed_one.siret)
        assert self.refresh(open_one, closed_one) == Outcome(2, 0, is_interrupted=False)
        closed_one.refresh_from_db()
        open_one.refresh_from_db()
        assert (open_one.closed_on, open_one.checked_at) == (None, AT)
        assert (closed_one.closed_on, closed_one.refusal) == (dt.date(2025, 6, 30), "")

    def test_a_reopened_one_is_open(self, registry):
        shop = EstablishmentFactory(siret=SIRET, closed_on=dt.date(2026, 1, 1))
        registry.add(SIRET)
        self.refresh(shop)
        shop.refresh_from_db()
        assert shop.closed_on is None

    def test_a_closure_without_a_day_keeps_the_day_it_was_first_seen(self, registry):
        shop = EstablishmentFactory(siret=SIRET, closed_on=dt.date(2026, 3, 1))
        registry.add_closed(SIRET, on=None)
        self.refresh(shop)
        shop.refresh_from_db()
        assert shop.closed_on == dt.date(2026, 3, 1)

    def test_each_is_asked_once_a_day_in_paris(self, registry):
        shop = EstablishmentFactory(siret=SIRET)
        registry.add(SIRET)
        # 23:30 in Paris, then 0:30 the next day.
        for hours, asked in ((11.5, 1), (11.6, 1), (12.5, 2), (35, 2), (36.5, 3)):
            self.refresh(shop, at=AT + dt.timedelta(hours=hours))
            assert len(registry.asked) == asked, hours

    def test_the_longest_unchecked_come_first(self, registry):
        shops = [
            EstablishmentFactory(siret=make_siret(n), checked_at=checked)
            for n, checked in ((1, YESTERDAY), (2, None), (3, YESTERDAY - dt.timedelta(days=9)))
        ]
        for shop in shops:
            registry.add(shop.siret)
        self.refresh(*shops, limit=2)
        assert [address[-14:] for address in registry.asked] == [make_siret(2), make_siret(3)]

    def test_one_that_the_registry_loses_is_left_as_it_is(self, registry, caplog):
        shop = EstablishmentFactory(siret=SIRET)
        assert self.refresh(shop).written == 0
        shop.refresh_from_db()
        assert (shop.closed_on, shop.checked_at) == (None, AT)
        assert SIRET in caplog.text

    def test_one_to_verify_is_left_to_its_own_task(self, registry):
        assert self.refresh(to_verify()) == Outcome(0, 0, is_interrupted=False)
        assert registry.asked == []

    def test_it_stops_when_the_registry_is_down(self, registry, impatient):
        shops = EstablishmentFactory.create_batch(5)
        registry.mode = "html"
        assert self.refresh(*shops).is_interrupted
        assert len(registry.asked) == 2

    def test_what_the_registry_told_is_not_undone_by_an_older_file(self, registry, tmp_path):
        shop = EstablishmentFactory(siret=SIRET, name="ANCIEN NOM")
        registry.add(SIRET)
        self.refresh(shop)
        told = {"enseigne1": "NOM DU FICHIER", "dateDernierTraitement": "2026-10-30T08:00:00"}
        path = stock.write(tmp_path / "stock.csv", [stock.line(1, **told)])
        with time_machine.travel(AT):
            call_command("import_establishments", str(path), verbosity=0)
        shop.refresh_from_db()
        assert shop.name == "FOURNIL EXEMPLE"

    def test_queries_do_not_grow_with_what_is_not_due(self, registry):
        shop = EstablishmentFactory(siret=SIRET)
        registry.add(SIRET)
        others = EstablishmentFactory.create_batch(30, checked_at=AT)

        def queries(*shops):
            Establishment.objects.filter(pk=shop.pk).update(checked_at=None)
            with CaptureQueriesContext(connection) as seen:
                self.refresh(*shops)
            return len(seen)

        assert queries(shop) == queries(shop, *others)


def test_the_journal_of_opcos_tells_nothing_of_a_refused_one(registry, opco_service):
    to_verify()
    registry.add_closed(SIRET)
    registrations.verify_pending(at=AT)
    assert not OpcoAssignment.objects.exists()
