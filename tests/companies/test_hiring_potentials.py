"""Releases: written aside, published at once, put back at once, whoever is killed on the way."""

import datetime
import threading

import pytest
from django.db import DatabaseError, connection, transaction

from companies.actions import hiring_potentials
from companies.enums import ReleaseStatus
from companies.models import HiringPotential, Release, SearchEdition
from labonnealternance.kit.commands import AlreadyRunning, single_run
from labonnealternance.kit.states import ForbiddenMove
from offers.search import Question, search
from tests import processes
from tests.companies.potentials import (
    BAKER,
    COOK,
    METZ,
    NOW,
    hide,
    list_by_hand,
    make_establishment,
    make_establishments,
    make_jobs,
    make_release,
    put_online,
)
from tests.factories import StaffFactory

DAY = datetime.timedelta(days=1)
HOUR = datetime.timedelta(hours=1)


@pytest.fixture
def jobs(db):
    make_jobs()


def find(code=BAKER, *, at=NOW, **asked):
    return [each.establishment.pk for each in search(Question((code,), *METZ, **asked), at=at).establishments]


def tables() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r'"
            " AND relname ~ '^companies_(searchentry|searchcell|hiringpotential|releasewriting)_[0-9]+$'"
        )
        return {name for (name,) in cursor.fetchall()}


class TestWriting:
    def test_a_release_holds_what_was_written(self, jobs):
        bakery, canteen = make_establishments([METZ, METZ])
        release = make_release([(bakery, BAKER, 1.5), (bakery, COOK, 0.5), (canteen, COOK, 2)])
        assert release.status == ReleaseStatus.READY
        assert set(
            HiringPotential.objects.filter(release=release).values_list("establishment_id", "rome_id", "expected")
        ) == {(bakery.pk, BAKER, 1.5), (bakery.pk, COOK, 0.5), (canteen.pk, COOK, 2)}
        assert release.summary == {
            "written_rows": 3,
            "potentials": 3,
            "establishments": 2,
            "romes": 2,
            "unknown_sirets": 0,
            "unknown_romes": 0,
        }

    def test_rows_of_an_unknown_siret_or_job_are_counted_and_left_out(self, jobs):
        bakery = make_establishment()
        release = hiring_potentials.begin_release(policy={}, origin="test", at=NOW)
        rows = [(bakery.siret, BAKER, 1.0), ("00099999900019", BAKER, 1.0), (bakery.siret, "Z9999", 1.0)]
        assert hiring_potentials.write_potentials(release=release, rows=rows) == 3
        summary = hiring_potentials.finish_release(release=release, at=NOW).summary
        assert (summary["potentials"], summary["unknown_sirets"], summary["unknown_romes"]) == (1, 1, 1)

    def test_a_chunk_written_twice_counts_once(self, jobs):
        bakery = make_establishment()
        release = hiring_potentials.begin_release(policy={}, origin="test", at=NOW)
        for expected in (1.0, 2.0):
            hiring_potentials.write_potentials(release=release, rows=[(bakery.siret, BAKER, expected)])
        hiring_potentials.finish_release(release=release, at=NOW)
        assert HiringPotential.objects.get().expected == 2

    @pytest.mark.parametrize("expected", [0, -1, float("nan"), float("inf")])
    def test_a_number_of_contracts_is_positive_and_finite(self, jobs, expected):
        release = hiring_potentials.begin_release(policy={}, origin="test", at=NOW)
        with pytest.raises(DatabaseError), transaction.atomic():
            hiring_potentials.write_potentials(release=release, rows=[("00000000000000", BAKER, expected)])
        release.refresh_from_db()
        assert release.written_rows == 0

    def test_an_empty_release_is_refused(self, jobs):
        release = hiring_potentials.begin_release(policy={}, origin="test", at=NOW)
        with pytest.raises(hiring_potentials.ReleaseRefused):
            hiring_potentials.finish_release(release=release, at=NOW)
        release.refresh_from_db()
        assert release.status == ReleaseStatus.WRITING

    def test_rows_lost_by_a_crash_of_the_server_are_noticed(self, jobs):
        bakery = make_establishment()
        release = hiring_potentials.begin_release(policy={}, origin="test", at=NOW)
        hiring_potentials.write_potentials(release=release, rows=[(bakery.siret, BAKER, 1.0), (bakery.siret, COOK, 1)])
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {release.writing_table} WHERE rome = '{COOK}'")
        with pytest.raises(hiring_potentials.ReleaseRefused, match="2 lignes ont été écrites et 1"):
            hiring_potentials.finish_release(release=release, at=NOW)

    def test_a_finished_release_is_closed_to_writing(self, jobs):
        release = make_release([(make_establishment(), BAKER, 1)])
        with pytest.raises(ForbiddenMove):
            hiring_potentials.write_potentials(release=release, rows=[])


@pytest.mark.parametrize("before", ReleaseStatus)
@pytest.mark.parametrize("after", ReleaseStatus)
def test_a_release_only_makes_the_moves_of_its_table(db, before, after):
    release = Release.objects.create(status=before, origin="test", begun_at=NOW, written_at=NOW)
    if after in Release.MOVES[before]:
        release.move(to=after, by=None, at=NOW, reason="essai")
        line = release.journal.get()
        assert (line.from_status, line.to_status, line.reason) == (before, after, "essai")
    else:
        with pytest.raises(ForbiddenMove):
            release.move(to=after, by=None, at=NOW)
        assert not release.journal.exists()


class TestPublishing:
    def test_the_former_release_is_kept_then_retired(self, jobs):
        bakery = make_establishment()
        first, second, third = (put_online([(bakery, BAKER, n)]) for n in (1, 2, 3))
        first.refresh_from_db()
        second.refresh_from_db()
        assert [each.status for each in (first, second, third)] == ["retired", "previous", "current"]
        assert [line.to_status for line in first.journal.order_by("pk")] == ["ready", "current", "previous", "retired"]

    def test_who_published_and_why_is_written_down(self, jobs):
        person = StaffFactory()
        release = make_release([(make_establishment(), BAKER, 1)])
        hiring_potentials.publish(release_id=release.pk, by=person, at=NOW, reason="Vérifiée avec l’équipe")
        line = release.journal.get(to_status="current")
        assert (line.by, line.reason, line.at) == (person, "Vérifiée avec l’équipe", NOW)

    def test_the_search_reads_the_release_online(self, jobs):
        bakery, canteen = make_establishments([METZ, METZ])
        put_online([(bakery, BAKER, 1)])
        assert find() == [bakery.pk]
        put_online([(canteen, BAKER, 1)])
        assert find() == [canteen.pk]

    def test_only_a_ready_or_retired_release_can_be_published(self, jobs):
        bakery = make_establishment()
        current = put_online([(bakery, BAKER, 1)])
        writing = hiring_potentials.begin_release(policy={}, origin="test", at=NOW)
        abandoned = make_release([(bakery, BAKER, 1)])
        hiring_potentials.abandon(release=abandoned, at=NOW, reason="essai")
        for release in (current, writing, abandoned):
            with pytest.raises(ForbiddenMove):
                hiring_potentials.publish(release_id=release.pk, by=None, at=NOW)

    def test_a_rollback_restores_the_previous_release_at_once(self, jobs):
        bakery, canteen = make_establishments([METZ, METZ])
        first = put_online([(bakery, BAKER, 1)])
        second = put_online([(canteen, BAKER, 1)])
        restored = hiring_potentials.rollback(by=None, at=NOW, reason="Des établissements manquent")
        second.refresh_from_db()
        assert (restored, restored.status, second.status) == (first, "current", "retired")
        assert find() == [bakery.pk]

    def test_a_release_withdrawn_can_be_published_again(self, jobs):
        bakery, canteen = make_establishments([METZ, METZ])
        put_online([(bakery, BAKER, 1)])
        second = put_online([(canteen, BAKER, 1)])
        hiring_potentials.rollback(by=None, at=NOW, reason="Erreur")
        hiring_potentials.publish(release_id=second.pk, by=None, at=NOW, reason="Ce n’en était pas une")
        assert find() == [canteen.pk]

    def test_without_a_previous_release_there_is_nothing_to_roll_back_to(self, jobs):
        put_online([(make_establishment(), BAKER, 1)])
        with pytest.raises(hiring_potentials.NothingToRollBackTo):
            hiring_potentials.rollback(by=None, at=NOW, reason="essai")

    def test_a_rollback_says_why(self, jobs):
        with pytest.raises(hiring_potentials.ReasonMissing):
            hiring_potentials.rollback(by=None, at=NOW, reason="  ")

    def test_two_publications_at_once_the_second_one_says_so(self, jobs):
        release = make_release([(make_establishment(), BAKER, 1)])
        with single_run(hiring_potentials.PUBLICATION), pytest.raises(AlreadyRunning):
            hiring_potentials.publish(release_id=release.pk, by=None, at=NOW)
        release.refresh_from_db()
        assert release.status == ReleaseStatus.READY


class TestOrderOfTheDay:
    def test_the_order_changes_with_the_day_and_not_within_it(self, jobs):
        places = make_establishments([METZ] * 30)
        put_online([(each, BAKER, 1) for each in places])
        morning = find(per_page=30)
        hiring_potentials.renew_order(at=NOW + HOUR)
        assert find(per_page=30) == morning
        hiring_potentials.renew_order(at=NOW + DAY)
        next_day = find(per_page=30)
        assert next_day != morning
        assert sorted(next_day) == sorted(morning)

    def test_the_day_is_that_of_paris(self, jobs):
        put_online([(make_establishment(), BAKER, 1)])
        late = datetime.datetime(2026, 11, 20, 23, 30, tzinfo=datetime.UTC)
        assert hiring_potentials.renew_order(at=late).day == datetime.date(2026, 11, 21)

    def test_a_higher_potential_comes_first_more_often(self, jobs):
        strong, *others = make_establishments([METZ] * 10)
        put_online([(strong, BAKER, 9.0), *((each, BAKER, 1.0) for each in others)])
        first = 0
        for days in range(40):
            hiring_potentials.renew_order(at=NOW + days * DAY)
            first += find()[0] == strong.pk
        # A draw by weight: nine chances out of eighteen, each day; 7 and 33 are four standard deviations away.
        assert 7 < first < 33

    def test_many_applications_received_lower_an_establishment(self, jobs):
        busy, *others = make_establishments([METZ] * 5)
        put_online([(each, BAKER, 1.0) for each in (busy, *others)])
        ranks = []
        for days in range(20):
            hiring_potentials.renew_order(at=NOW + days * DAY, received={busy.pk: 200})
            ranks.append(find().index(busy.pk))
        assert sum(rank == 4 for rank in ranks) > 15

    def test_those_without_any_contact_come_last(self, jobs):
        silent = make_establishments([METZ] * 5, with_phone=False)
        reachable = make_establishments([METZ] * 5)
        put_online([*((each, BAKER, 30.0) for each in silent), *((each, BAKER, 0.2) for each in reachable)])
        found = find()
        assert set(found[:5]) == {each.pk for each in reachable}
        assert set(found[5:]) == {each.pk for each in silent}

    def test_without_a_release_online_there_is_nothing_to_renew(self, jobs):
        assert hiring_potentials.renew_order(at=NOW) is None

    def test_the_night_takes_the_new_positions(self, jobs):
        bakery = make_establishment()
        put_online([(bakery, BAKER, 1)])
        bakery.latitude, bakery.longitude = -20.88, 55.45
        bakery.save()
        hiring_potentials.renew_order(at=NOW + DAY)
        assert find(widen=False) == []


class TestCleaning:
    def test_old_editions_go_and_the_one_for_a_rollback_stays(self, jobs):
        bakery = make_establishment()
        previous = put_online([(bakery, BAKER, 1)])
        current = put_online([(bakery, BAKER, 2)])
        for days in range(1, 4):
            hiring_potentials.renew_order(at=NOW + days * DAY)
        hiring_potentials.clean_up(at=NOW + 4 * DAY)
        left = SearchEdition.objects.order_by("pk")
        assert [each.release for each in left] == [previous, current]
        assert {name for name in tables() if "search" in name} == {
            name for each in left for name in (each.entries_table, each.cells_table)
        }

    def test_an_edition_just_superseded_stays_for_those_who_read_it(self, jobs):
        put_online([(make_establishment(), BAKER, 1)])
        hiring_potentials.renew_order(at=NOW + DAY)
        hiring_potentials.clean_up(at=NOW + DAY + HOUR / 2)
        assert SearchEdition.objects.count() == 2

    def test_what_nobody_will_publish_is_given_up(self, jobs):
        bakery = make_establishment()
        long_ago = NOW - 40 * DAY
        dead = hiring_potentials.begin_release(policy={}, origin="test", at=long_ago)
        forgotten = make_release([(bakery, BAKER, 1)], at=long_ago)
        fresh = make_release([(bakery, BAKER, 1)])
        hiring_potentials.clean_up(at=NOW)
        statuses = dict(Release.objects.values_list("pk", "status"))
        assert statuses == {dead.pk: "abandoned", forgotten.pk: "abandoned", fresh.pk: "ready"}
        assert tables() == {fresh.potentials_table}

    def test_only_the_latest_retired_releases_keep_their_potentials(self, jobs, monkeypatch):
        monkeypatch.setattr(hiring_potentials, "KEPT_RETIRED_RELEASES", 1)
        bakery = make_establishment()
        releases = [put_online([(bakery, BAKER, 1)], at=NOW + n * DAY) for n in range(4)]
        hiring_potentials.clean_up(at=NOW + 4 * DAY)
        kept = set(HiringPotential.objects.values_list("release_id", flat=True))
        assert kept == {release.pk for release in releases[1:]}
        with pytest.raises(ForbiddenMove, match="supprimés"):
            hiring_potentials.publish(release_id=releases[0].pk, by=None, at=NOW + 4 * DAY)

    def test_tables_without_a_row_are_dropped(self, jobs):
        put_online([(make_establishment(), BAKER, 1)])
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE companies_searchentry_999999 ()")
        hiring_potentials.clean_up(at=NOW)
        assert "companies_searchentry_999999" not in tables()


class TestWhatPagesSay:
    def test_the_jobs_of_an_establishment_highest_first(self, jobs):
        bakery, other = make_establishments([METZ, METZ])
        put_online([(bakery, COOK, 0.5), (bakery, BAKER, 2), (other, COOK, 9)])
        found = hiring_potentials.potentials_of(establishment_ids=[bakery.pk, other.pk])
        assert [each.rome_id for each in found[bakery.pk]] == [BAKER, COOK]
        assert [each.rome_id for each in found[other.pk]] == [COOK]

    def test_a_job_listed_by_hand_is_told_apart_from_those_of_high_potential(self, jobs):
        bakery = make_establishment()
        put_online([(bakery, BAKER, 2)])
        list_by_hand(bakery, COOK)
        asked, likely = hiring_potentials.jobs_of(establishment=bakery, at=NOW)
        assert [job.code for job in asked] == [COOK]
        assert [job.code for job in likely] == [BAKER]

    def test_a_page_existed_where_a_release_online_held_it_or_a_decision_listed_it(self, jobs):
        shown, never, by_hand, ready = make_establishments([METZ] * 4)
        put_online([(shown, BAKER, 1)])
        put_online([(never, BAKER, 1), (shown, BAKER, 1)])
        hiring_potentials.rollback(by=None, at=NOW, reason="essai")
        make_release([(ready, BAKER, 1)])
        list_by_hand(by_hand, COOK).delete()
        hide(shown)
        assert hiring_potentials.was_public(siret=shown.siret, at=NOW)
        assert hiring_potentials.was_public(siret=never.siret, at=NOW)
        assert not hiring_potentials.was_public(siret=ready.siret, at=NOW)
        assert not hiring_potentials.was_public(siret=by_hand.siret, at=NOW)
        list_by_hand(by_hand, COOK)
        assert hiring_potentials.was_public(siret=by_hand.siret, at=NOW)


@pytest.mark.django_db(transaction=True)
def test_readers_see_one_release_whole_while_others_come_and_go():
    make_jobs()
    places = make_establishments([METZ] * 40)
    odd = {each.pk for each in places[::2]}
    even = {each.pk for each in places[1::2]}
    releases = [make_release([(each, BAKER, 1) for each in places if each.pk in half]) for half in (odd, even)]
    hiring_potentials.publish(release_id=releases[0].pk, by=None, at=NOW)
    stop, faults, seen = threading.Event(), [], []

    def read():
        try:
            while not stop.is_set():
                answer = search(Question((BAKER,), *METZ, per_page=50), at=NOW)
                found = {each.establishment.pk for each in answer.establishments}
                seen.append(found == odd)
                if found not in (odd, even) or answer.total != 20:
                    faults.append(found)
        except Exception as fault:
            faults.append(fault)
        finally:
            connection.close()

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    try:
        for turn in range(4):
            hiring_potentials.publish(release_id=releases[1].pk, by=None, at=NOW + turn * HOUR)
            hiring_potentials.renew_order(at=NOW + turn * HOUR)
            hiring_potentials.rollback(by=None, at=NOW + turn * HOUR, reason="essai")
            hiring_potentials.renew_order(at=NOW + turn * HOUR)
    finally:
        stop.set()
        for reader in readers:
            reader.join()
    assert not faults
    assert {True, False} == set(seen)


KILLED = """
    import os, sys, signal
    import django
    django.setup()
    from django.db import connection
    from django.utils import timezone
    from companies.actions import hiring_potentials
    def stop_at(execute, sql, params, many, context):
        if sys.argv[2] in sql:
            print("here", flush=True)
            signal.pause()
        return execute(sql, params, many, context)
    with connection.execute_wrapper(stop_at):
        hiring_potentials.publish(release_id=int(sys.argv[1]), by=None, at=timezone.now())
"""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "step",
    ['INSERT INTO "companies_searchedition"', "CREATE INDEX", "VACUUM", "pg_advisory_xact_lock", 'SET "is_current"'],
)
def test_a_publication_killed_at_any_step_leaves_the_current_release_online(step):
    make_jobs()
    bakery, canteen = make_establishments([METZ, METZ])
    current = put_online([(bakery, BAKER, 1)])
    release = make_release([(canteen, BAKER, 1)])
    processes.kill(processes.start_until("here", KILLED, str(release.pk), step))
    assert find() == [bakery.pk]
    current.refresh_from_db()
    assert current.status == ReleaseStatus.CURRENT

    processes.once_the_lock_is_back(lambda: hiring_potentials.publish(release_id=release.pk, by=None, at=NOW))
    assert find() == [canteen.pk]
    editions = set(SearchEdition.objects.all())
    assert {each.release_id for each in editions} == {current.pk, release.pk}
    assert {name for name in tables() if "searchentry" in name} == {each.entries_table for each in editions}
