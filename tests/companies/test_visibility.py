"""Who is shown: facts and decisions, read at the second of the question."""

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from companies.actions import visibility
from companies.actions.visibility import RefusedDecision
from companies.enums import Channel, DecisionKind, DecisionOrigin, DecisionReason, DecisionScope
from companies.models import ContactCorrection, Establishment, VisibilityDecision
from tests.factories import (
    ContactCorrectionFactory,
    ContactFactory,
    EstablishmentFactory,
    RomeFactory,
    StaffFactory,
    VisibilityDecisionFactory,
    make_siren,
    make_siret,
)
from tests.offers.market import together
from tests.processes import wait_until

PARIS = ZoneInfo("Europe/Paris")
AT = dt.datetime(2026, 3, 10, 12, 0, tzinfo=PARIS)
SUPPORT = {"reason": DecisionReason.OTHER, "origin": DecisionOrigin.SUPPORT, "by": None}


def listed(at=AT):
    return set(Establishment.objects.listed(at=at).values_list("siret", flat=True))


@pytest.fixture
def shop(db):
    return EstablishmentFactory(siret=make_siret(1))


class TestFacts:
    def test_an_open_diffusible_employer_with_a_place_is_listed(self, shop):
        assert listed() == {shop.siret}

    @pytest.mark.parametrize(
        "facts",
        [
            {"is_diffusible": False},
            {"is_employer": False},
            {"latitude": None, "longitude": None},
            {"closed_on": AT.date()},
            {"closed_on": dt.date(2020, 1, 1)},
        ],
    )
    def test_closed_non_diffusible_placeless_and_non_employer_are_not(self, db, facts):
        EstablishmentFactory(**facts)
        assert listed() == set()

    def test_a_closure_to_come_hides_from_its_day_on_in_paris(self, db):
        shop = EstablishmentFactory(closed_on=dt.date(2026, 3, 11))
        assert listed(dt.datetime(2026, 3, 10, 23, 59, 59, tzinfo=PARIS)) == {shop.siret}
        # 23:30 UTC on the 10th is already the 11th in Paris.
        assert listed(dt.datetime(2026, 3, 10, 23, 30, tzinfo=dt.UTC)) == set()


class TestScopes:
    @pytest.mark.parametrize("kind", [visibility.delist, visibility.pause])
    @pytest.mark.parametrize(
        ("scope", "value"),
        [
            (DecisionScope.SIRET, make_siret(1)),
            (DecisionScope.SIREN, make_siren(1)),
            (DecisionScope.EMAIL, "chef@example.fr"),
        ],
    )
    def test_delisting_and_pausing_hide_by_siret_siren_and_address(self, shop, kind, scope, value):
        other = EstablishmentFactory(siret=make_siret(2))
        ContactFactory(siret=shop.siret, email="chef@example.fr")
        ContactFactory(siret=other.siret, email="autre@example.fr")
        ends = {"ends_on": dt.date(2026, 4, 1)} if kind is visibility.pause else {}
        kind(scope=scope, value=value, at=AT, **ends, **SUPPORT)
        assert listed(AT) == {other.siret}

    def test_a_siren_takes_all_its_establishments(self, shop):
        EstablishmentFactory(siret=make_siret(1, branch=2))
        visibility.delist(scope="siren", value=make_siren(1), at=AT, **SUPPORT)
        assert listed() == set()

    def test_an_address_reaches_by_the_corrected_contact_and_not_by_the_former_one(self, shop):
        ContactFactory(siret=shop.siret, email="ancien@example.fr")
        visibility.correct_contact(
            siret=shop.siret, channel="email", value="Nouveau@Example.fr", by=None, at=AT, reason="dit", origin="form"
        )
        visibility.delist(scope="email", value="ancien@example.fr", at=AT, **SUPPORT)
        assert listed() == {shop.siret}
        visibility.delist(scope="email", value="NOUVEAU@example.fr", at=AT, **SUPPORT)
        assert listed() == set()

    def test_an_erased_address_is_reached_no_more(self, shop):
        ContactFactory(siret=shop.siret, email="chef@example.fr")
        ContactCorrectionFactory(siret=shop.siret, value="", decided_at=AT)
        visibility.delist(scope="email", value="chef@example.fr", at=AT, **SUPPORT)
        assert listed() == {shop.siret}

    def test_of_two_corrections_the_latest_wins(self, shop):
        ContactCorrectionFactory(siret=shop.siret, value="second@example.fr", decided_at=AT)
        ContactCorrectionFactory(siret=shop.siret, value="premier@example.fr", decided_at=AT - dt.timedelta(days=1))
        visibility.delist(scope="email", value="premier@example.fr", at=AT, **SUPPORT)
        assert listed() == {shop.siret}

    def test_a_decision_holds_for_a_siret_that_is_not_imported_yet(self, db):
        visibility.delist(scope="siret", value=make_siret(9), at=AT, **SUPPORT)
        EstablishmentFactory(siret=make_siret(9))
        assert listed() == set()


class TestTime:
    def test_a_delisting_holds_from_the_second_it_is_made(self, shop):
        assert listed(AT) == {shop.siret}
        visibility.delist(scope="siret", value=shop.siret, at=AT, **SUPPORT)
        assert listed(AT - dt.timedelta(microseconds=1)) == {shop.siret}
        assert listed(AT) == set()
        assert listed(AT + dt.timedelta(days=3650)) == set()

    @pytest.mark.parametrize(
        ("last_day", "utc_midnight"),
        [
            (dt.date(2026, 3, 20), dt.datetime(2026, 3, 20, 23, 0, tzinfo=dt.UTC)),
            # 29 March 2026: 23 hours; 25 October 2026: 25 hours.
            (dt.date(2026, 3, 28), dt.datetime(2026, 3, 28, 23, 0, tzinfo=dt.UTC)),
            (dt.date(2026, 3, 29), dt.datetime(2026, 3, 29, 22, 0, tzinfo=dt.UTC)),
            (dt.date(2026, 10, 24), dt.datetime(2026, 10, 24, 22, 0, tzinfo=dt.UTC)),
            (dt.date(2026, 10, 25), dt.datetime(2026, 10, 25, 23, 0, tzinfo=dt.UTC)),
        ],
    )
    def test_a_pause_ends_with_its_last_day_in_paris_on_both_clock_changes(self, shop, last_day, utc_midnight):
        decision = visibility.pause(scope="siret", value=shop.siret, ends_on=last_day, at=AT, **SUPPORT)
        assert decision.ends_at == utc_midnight
        assert listed(utc_midnight - dt.timedelta(seconds=1)) == set()
        assert listed(utc_midnight) == {shop.siret}

    def test_a_pause_until_today_holds_until_tonight(self, shop):
        visibility.pause(scope="siret", value=shop.siret, ends_on=AT.date(), at=AT, **SUPPORT)
        assert listed(AT) == set()

    def test_a_revoked_decision_hides_no_more(self, shop):
        decision = visibility.delist(scope="siret", value=shop.siret, at=AT, **SUPPORT)
        by = StaffFactory()
        later = AT + dt.timedelta(hours=1)
        visibility.revoke(decision_id=decision.pk, by=by, at=later, reason="Erreur de saisie")
        assert listed(later) == {shop.siret}
        decision.refresh_from_db()
        assert (decision.revoked_by, decision.revoked_at) == (by, later)
        again = visibility.revoke(decision_id=decision.pk, by=None, at=later + dt.timedelta(hours=1), reason="Encore")
        assert (again.revoked_by, again.revocation_reason) == (by, "Erreur de saisie")


class TestListed:
    def test_a_listed_establishment_is_shown_without_being_an_employer(self, db):
        shop = EstablishmentFactory(is_employer=False)
        RomeFactory(code="D1102")
        assert listed() == set()
        decision = visibility.list_establishment(siret=shop.siret, rome_codes=["D1102", "D1102"], at=AT, **SUPPORT)
        assert decision.rome_codes == ["D1102"]
        assert listed() == {shop.siret}

    def test_a_delisting_wins_over_a_listing(self, shop):
        RomeFactory(code="D1102")
        visibility.delist(scope="siren", value=make_siren(1), at=AT, **SUPPORT)
        visibility.list_establishment(siret=shop.siret, rome_codes=["D1102"], at=AT, **SUPPORT)
        assert listed() == set()

    def test_a_listing_never_shows_closed_or_non_diffusible(self, db):
        RomeFactory(code="D1102")
        for facts in ({"is_diffusible": False}, {"closed_on": AT.date()}):
            shop = EstablishmentFactory(**facts)
            visibility.list_establishment(siret=shop.siret, rome_codes=["D1102"], at=AT, **SUPPORT)
        assert listed() == set()

    def test_unknown_jobs_are_refused(self, shop):
        with pytest.raises(RefusedDecision, match="Codes ROME inconnus : Z0001, Z0002"):
            visibility.list_establishment(siret=shop.siret, rome_codes=["Z0002", "Z0001"], at=AT, **SUPPORT)
        with pytest.raises(RefusedDecision, match="au moins un métier"):
            visibility.list_establishment(siret=shop.siret, rome_codes=[], at=AT, **SUPPORT)


class TestContact:
    def seen(self, shop, at=AT):
        row = Establishment.objects.with_contact(at=at).get(pk=shop.pk)
        return row.shown_phone, row.has_email

    def test_without_contact_nothing_is_shown(self, shop):
        assert self.seen(shop) == ("", False)

    def test_the_imported_contact_is_shown(self, shop):
        ContactFactory(siret=shop.siret, email="chef@example.fr", phone="+33199000018")
        assert self.seen(shop) == ("+33199000018", True)

    def test_a_correction_wins_and_an_empty_one_erases(self, shop):
        ContactFactory(siret=shop.siret, email="", phone="+33199000018")
        correct = {"siret": shop.siret, "by": None, "at": AT, "reason": "dit", "origin": DecisionOrigin.FORM}
        visibility.correct_contact(channel="phone", value="01.99.00.00.42", **correct)
        visibility.correct_contact(channel="email", value="chef@example.fr", **correct)
        assert self.seen(shop) == ("+33199000042", True)
        visibility.correct_contact(channel="phone", value="", **correct)
        visibility.correct_contact(channel="email", value="  ", **correct)
        assert self.seen(shop) == ("", False)

    @pytest.mark.parametrize(
        ("channel", "shown"),
        [
            (Channel.ALL, ("", False)),
            (Channel.PHONE, ("", True)),
            (Channel.EMAIL, ("+33199000018", False)),
            (Channel.APPLICATIONS, ("+33199000018", False)),
        ],
    )
    @pytest.mark.parametrize("scope", ["siret", "siren", "email"])
    def test_a_hidden_channel_is_not_shown_and_the_establishment_stays(self, shop, scope, channel, shown):
        ContactFactory(siret=shop.siret, email="chef@example.fr", phone="+33199000018")
        value = {"siret": shop.siret, "siren": shop.siret[:9], "email": "chef@example.fr"}[scope]
        visibility.hide_channel(scope=scope, value=value, channel=channel, at=AT, **SUPPORT)
        assert self.seen(shop) == shown
        assert listed() == {shop.siret}

    def test_a_number_of_queries_that_does_not_grow(self, shop, django_assert_num_queries):
        EstablishmentFactory.create_batch(3)
        with django_assert_num_queries(1):
            assert len(Establishment.objects.listed(at=AT).with_contact(at=AT)) == 4


class TestRefusals:
    @pytest.mark.parametrize(
        ("scope", "value", "sentence"),
        [
            ("siret", "", "Indiquez un SIRET."),
            ("siret", "123", "Un SIRET a 14 chiffres : vous en avez donné 3."),
            ("siret", "1234567890123A", "Un SIRET ne contient que des chiffres."),
            ("siret", make_siret(1)[:-1] + str((int(make_siret(1)[-1]) + 1) % 10), "Ce SIRET n’existe pas"),
            ("siren", "00000001", "Un SIREN a 9 chiffres : vous en avez donné 8."),
            ("siren", "000000019", "Ce SIREN n’existe pas"),
            ("email", "chef@", "Cette adresse e-mail n’est pas valide."),
            ("email", "a" * 260 + "@example.fr", "adresse e-mail"),
            ("name", "x", "La portée est un SIRET, un SIREN ou une adresse e-mail."),
        ],
    )
    def test_a_bad_value_is_refused_with_a_sentence(self, db, scope, value, sentence):
        with pytest.raises(RefusedDecision, match=sentence):
            visibility.delist(scope=scope, value=value, at=AT, **SUPPORT)
        assert not VisibilityDecision.objects.exists()

    def test_a_pause_in_the_past_or_without_end_is_refused(self, shop):
        with pytest.raises(RefusedDecision, match="déjà passée"):
            visibility.pause(scope="siret", value=shop.siret, ends_on=dt.date(2026, 3, 9), at=AT, **SUPPORT)
        with pytest.raises(RefusedDecision, match="jusqu’à quand"):
            visibility.pause(scope="siret", value=shop.siret, ends_on=None, at=AT, **SUPPORT)

    def test_an_end_that_no_calendar_reaches_is_refused(self, shop):
        for day in (dt.date.max, dt.date(AT.year + 51, 1, 1)):
            with pytest.raises(RefusedDecision, match="trop lointaine"):
                visibility.delist(scope="siret", value=shop.siret, ends_on=day, at=AT, **SUPPORT)
        visibility.delist(scope="siret", value=shop.siret, ends_on=dt.date(AT.year + 50, 1, 1), at=AT, **SUPPORT)

    def test_an_unknown_reason_origin_or_channel_is_refused(self, shop):
        target = {"scope": "siret", "value": shop.siret, "at": AT, "by": None}
        with pytest.raises(RefusedDecision, match="motif"):
            visibility.delist(**target, reason="whim", origin="support")
        with pytest.raises(RefusedDecision, match="origine"):
            visibility.delist(**target, reason="other", origin="moon")
        with pytest.raises(RefusedDecision, match="moyen de contact"):
            visibility.hide_channel(**target, channel="pigeon", reason="other", origin="support")

    def test_revoking_needs_a_reason(self, shop):
        decision = VisibilityDecisionFactory(value=shop.siret)
        with pytest.raises(RefusedDecision, match="pourquoi"):
            visibility.revoke(decision_id=decision.pk, by=None, at=AT, reason="  ")

    @pytest.mark.parametrize(
        ("channel", "value", "sentence"),
        [
            ("email", "chef", "e-mail n’est pas valide"),
            ("phone", "12", "n’est pas valide"),
            ("phone", "+32 2 555 12 12", "n’est pas français"),
            ("phone", "0899 12 34 56", "surtaxé"),
            ("phone", "0" * 60, "trop long"),
            ("applications", "x", "Seuls l’e-mail et le téléphone"),
        ],
    )
    def test_a_bad_contact_is_refused_with_a_sentence(self, shop, channel, value, sentence):
        with pytest.raises(RefusedDecision, match=sentence):
            visibility.correct_contact(
                siret=shop.siret, channel=channel, value=value, by=None, at=AT, reason="dit", origin="support"
            )

    def test_values_are_kept_in_their_normal_form(self, db):
        siret = make_siret(18)
        spaced = f" {siret[:3]} {siret[3:6]}\u00a0{siret[6:9]}.{siret[9:]} "
        assert visibility.delist(scope="siret", value=spaced, at=AT, **SUPPORT).value == siret
        assert siret.startswith("000")
        assert visibility.delist(scope="email", value=" Chef@Example.FR ", at=AT, **SUPPORT).value == "chef@example.fr"


class TestTwice:
    def test_the_same_decision_twice_is_one_row(self, shop):
        first = visibility.delist(scope="siret", value=shop.siret, at=AT, **SUPPORT)
        second = visibility.delist(scope="siret", value=shop.siret, at=AT + dt.timedelta(days=1), **SUPPORT)
        assert first == second
        assert VisibilityDecision.objects.count() == 1

    def test_the_same_correction_twice_is_one_row(self, shop):
        correct = {"siret": shop.siret, "channel": "email", "by": None, "reason": "dit", "origin": "support"}
        visibility.correct_contact(value="chef@example.fr", at=AT, **correct)
        visibility.correct_contact(value="CHEF@example.fr", at=AT + dt.timedelta(days=1), **correct)
        assert ContactCorrection.objects.count() == 1

    def test_a_pause_with_another_end_replaces_the_former_one(self, shop):
        former = visibility.pause(scope="siret", value=shop.siret, ends_on=dt.date(2026, 6, 1), at=AT, **SUPPORT)
        later = AT + dt.timedelta(days=1)
        visibility.pause(scope="siret", value=shop.siret, ends_on=dt.date(2026, 3, 15), at=later, **SUPPORT)
        former.refresh_from_db()
        assert former.revoked_at == later
        assert former.revocation_reason == visibility.REPLACED
        assert listed(dt.datetime(2026, 3, 16, 0, 0, tzinfo=PARIS)) == {shop.siret}

    def test_an_ended_pause_leaves_room_for_a_new_one(self, shop):
        visibility.pause(scope="siret", value=shop.siret, ends_on=dt.date(2026, 3, 15), at=AT, **SUPPORT)
        again = dt.datetime(2026, 5, 1, 9, 0, tzinfo=PARIS)
        visibility.pause(scope="siret", value=shop.siret, ends_on=dt.date(2026, 5, 15), at=again, **SUPPORT)
        assert VisibilityDecision.objects.filter(revoked_at=None).count() == 2

    @pytest.mark.django_db(transaction=True)
    def test_eight_at_once_leave_one_row(self):
        barrier = threading.Barrier(8)
        made, refused = [], []

        def decide():
            try:
                barrier.wait()
                made.append(visibility.delist(scope="siret", value=make_siret(3), at=AT, **SUPPORT).pk)
            except Exception as error:
                refused.append(error)
            finally:
                connections["default"].close()

        threads = [threading.Thread(target=decide) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert refused == []
        assert len(set(made)) == 1
        assert VisibilityDecision.objects.count() == 1


class TestSpeed:
    def test_decisions_are_found_by_an_index_and_never_by_reading_the_whole_table(self, db):
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO companies_establishment (siret, name, legal_name, headcount_band, address_complement,"
                " address, postcode, latitude, longitude, is_headquarters, is_employer, is_diffusible)"
                " SELECT lpad(n::text, 14, '0'), 'X', '', 'NN', '', '', '', 48, 2, false, true, true"
                " FROM generate_series(1, 20000) n"
            )
            cursor.execute(
                "INSERT INTO companies_visibilitydecision (kind, scope, value, channel, rome_codes, starts_at, reason,"
                " comment, origin, decided_at, revocation_reason) SELECT 'delisted', s,"
                " CASE s WHEN 'siret' THEN lpad(n::text, 14, '0') WHEN 'siren' THEN '9' || lpad(n::text, 8, '0')"
                " ELSE 'x' || n || '@example.fr' END, 'all', '{}', now() - interval '1 day', 'other', '', 'form',"
                " now(), ''"
                " FROM generate_series(1, 5000) n, unnest(ARRAY['siret', 'siren', 'email']) s"
            )
            cursor.execute(
                "INSERT INTO companies_contact (siret, email, phone, source, imported_at)"
                " SELECT lpad(n::text, 14, '0'), 'x' || n || '@example.fr', '', '', now()"
                " FROM generate_series(1, 20000) n"
            )
            cursor.execute(
                "INSERT INTO companies_contactcorrection (siret, channel, value, origin, reason, decided_at)"
                " SELECT lpad(n::text, 14, '0'), 'email', '', 'form', 'x', now() FROM generate_series(1, 5000) n"
            )
            cursor.execute("ANALYZE")
        first = Establishment.objects.order_by("pk").values_list("pk", flat=True).first()
        candidates = Establishment.objects.filter(pk__in=range(first + 4900, first + 5100)).listed(at=timezone.now())
        plan = candidates.explain(analyze=True)
        assert "Seq Scan" not in plan, plan
        assert "decision_value" in plan, plan
        assert candidates.count() == 100


def test_kinds_that_hide_are_those_that_take_all_out_of_sight():
    from companies.models.visibility import HIDING

    assert set(HIDING) == {DecisionKind.DELISTED, DecisionKind.PAUSED}


def somebody_waits() -> bool:
    """Whether a session waits for a row that another one holds."""
    with connection.cursor() as cursor:
        # Within a transaction PostgreSQL tells what it told first.
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock')"
        )
        return cursor.fetchone()[0]


class TestMany:
    """The same decision about many, as one."""

    def many(self, targets, **told):
        return visibility.decide_many(kind=DecisionKind.DELISTED, targets=targets, at=AT, **SUPPORT | told)

    def test_all_are_decided_and_doubles_are_one(self, shop):
        other = EstablishmentFactory(siret=make_siret(2))
        EstablishmentFactory(siret=make_siret(3))
        targets = [("siret", shop.siret), ("siret", f" {other.siret} "), ("siret", other.siret)]
        made = self.many([*targets, ("email", "Gerant@exemple.fr"), ("siren", make_siren(9))])
        assert [each.value for each in made] == [shop.siret, other.siret, "gerant@exemple.fr", make_siren(9)]
        assert listed() == {make_siret(3)}

    def test_one_that_is_wrong_and_none_is_decided(self, shop):
        with pytest.raises(RefusedDecision):
            self.many([("siret", shop.siret), ("siret", "123")])
        assert listed() == {shop.siret}

    def test_those_that_hold_already_stay_and_those_with_another_end_are_replaced(self, shop):
        stays = visibility.delist(scope="siret", value=shop.siret, at=AT - dt.timedelta(days=1), **SUPPORT)
        ends = dt.date(2026, 5, 1)
        ended = visibility.delist(
            scope="siret", value=make_siret(2), at=AT - dt.timedelta(days=1), ends_on=ends, **SUPPORT
        )
        again = self.many([("siret", shop.siret), ("siret", make_siret(2))])
        assert again[0] == stays
        ended.refresh_from_db()
        assert (ended.revoked_at, ended.revocation_reason) == (AT, visibility.REPLACED)
        assert again[1] != ended
        assert VisibilityDecision.objects.in_force(AT).count() == 2

    def test_a_pause_of_many_has_an_end(self, db):
        with pytest.raises(RefusedDecision, match="jusqu’à quand"):
            visibility.decide_many(kind=DecisionKind.PAUSED, targets=[("siret", make_siret(1))], at=AT, **SUPPORT)

    def test_as_many_queries_for_five_hundred_as_for_one(self, db, django_assert_max_num_queries):
        with django_assert_max_num_queries(7):
            assert len(self.many([("siret", make_siret(n)) for n in range(1, 501)])) == 500
        assert VisibilityDecision.objects.count() == 500

    def test_thousands_fill_no_table_of_locks(self, db):
        assert len(self.many([("siret", make_siret(n)) for n in range(1, 8001)])) == 8000

    def test_contacts_of_many_are_corrected_and_those_that_have_it_already_stay(self, db):
        told = {"channel": Channel.EMAIL, "value": "Accueil@exemple.fr", "by": None, "origin": DecisionOrigin.FORM}
        first = visibility.correct_contact(siret=make_siret(1), at=AT, reason="essai", **told)
        sirets = [make_siret(n) for n in (1, 2, 2, 3)]
        rows = visibility.correct_contacts(sirets=sirets, at=AT + dt.timedelta(days=1), reason="essai", **told)
        assert rows[0] == first
        assert [(row.siret, row.value) for row in rows] == [(make_siret(n), "accueil@exemple.fr") for n in (1, 2, 3)]
        assert ContactCorrection.objects.count() == 3

    @pytest.mark.django_db(transaction=True)
    def test_two_lists_that_share_targets_end_as_one_decision_each(self):
        sirets = [make_siret(n) for n in range(1, 301)]
        faults = []

        def decide(order):
            try:
                self.many([("siret", siret) for siret in order])
            except Exception as fault:
                faults.append(fault)
            finally:
                connection.close()

        threads = [threading.Thread(target=decide, args=(order,)) for order in (sirets, sirets[::-1]) * 2]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert faults == []
        assert VisibilityDecision.objects.count() == 300

    @pytest.mark.django_db(transaction=True)
    @pytest.mark.parametrize("act", ["revoked", "replaced"])
    def test_lists_are_locked_in_one_order_so_that_two_never_wait_for_each_other_in_turn(self, act):
        targets = [("siret", make_siret(n)) for n in (1, 2, 3)]
        numbers = [each.pk for each in self.many(targets)]
        # What was written again stands last in the table and in its indexes.
        for value in (make_siret(9), make_siret(1)):
            VisibilityDecision.objects.filter(pk=numbers[0]).update(value=value)
        acts = {
            "revoked": lambda: visibility.revoke_many(decision_ids=numbers, by=None, at=AT, reason="Retour"),
            "replaced": lambda: self.many(targets, ends_on=dt.date(2026, 5, 1)),
        }
        with ThreadPoolExecutor(1) as pool:
            with transaction.atomic():
                VisibilityDecision.objects.select_for_update().get(pk=numbers[-1])
                done = pool.submit(together, acts[act])
                wait_until(somebody_waits, 60)
                free = VisibilityDecision.objects.select_for_update(skip_locked=True).values_list("pk", flat=True)
                assert list(free) == numbers[-1:]
            assert [each for each in done.result(60) if isinstance(each, Exception)] == []
