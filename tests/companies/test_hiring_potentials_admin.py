"""Support sees the releases, publishes one, puts the previous one back."""

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from companies import tasks
from companies.actions import hiring_potentials
from companies.models import Release, SearchEdition
from labonnealternance.kit.commands import single_run
from labonnealternance.mail.models import Message
from tests.companies.potentials import BAKER, METZ, NOW, make_establishments, make_jobs, make_release, put_online
from tests.mail.snapshots import check_email

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def that_day():
    """The day of the releases: one that waits for a month is abandoned."""
    with time_machine.travel(NOW):
        yield


@pytest.fixture
def bakeries():
    make_jobs()
    return make_establishments([METZ] * 2)


def page(release, button="change"):
    return reverse(f"admin:companies_release_{button}", args=[release.pk])


def test_a_release_is_shown_with_its_journal_and_its_summary(office, bakeries):
    release = put_online([(bakeries[0], BAKER, 1)])
    shown = office.get(page(release)).content.decode()
    for expected in ("En ligne", "<div>potentiels : 1</div>", "&quot;minimum&quot;: 0.1", "Revenir à la livraison"):
        assert expected in shown
    assert "Mettre en ligne" not in shown


def test_the_list_has_the_same_number_of_queries_with_one_row_and_with_three(
    office, bakeries, django_assert_max_num_queries
):
    address = reverse("admin:companies_release_changelist")
    put_online([(bakeries[0], BAKER, 1)])
    with django_assert_max_num_queries(30) as one:
        assert office.get(address).status_code == 200
    for _ in range(2):
        put_online([(bakeries[0], BAKER, 1)])
    with django_assert_max_num_queries(30) as three:
        assert office.get(address).status_code == 200
    assert len(one) == len(three)


def test_a_release_asked_for_is_published_by_the_worker_in_the_name_of_who_asked(office, support, bakeries):
    release = make_release([(bakeries[0], BAKER, 1)])
    office.post(page(release, "publish"), {"reason": "Contrôlée", "typed": str(release)})
    release.refresh_from_db()
    assert (release.status, release.asked_by) == ("ready", support)
    tasks.publish_asked()
    release.refresh_from_db()
    assert (release.status, release.asked_by, release.asked_at) == ("current", None, None)
    line = release.journal.get(to_status="current")
    assert (line.by, line.reason) == (support, "Contrôlée")


def test_what_is_asked_during_another_publication_waits_for_the_next_minute(office, support, bakeries):
    release = make_release([(bakeries[0], BAKER, 1)])
    hiring_potentials.ask_publication(release_id=release.pk, by=support, at=NOW, reason="Contrôlée")
    with single_run(hiring_potentials.PUBLICATION):
        tasks.publish_asked()
    assert Release.objects.get(asked_at__isnull=False) == release
    tasks.publish_asked()
    assert not Release.objects.filter(asked_at__isnull=False).exists()


def test_what_can_no_longer_be_published_is_no_longer_asked(support, bakeries):
    release = make_release([(bakeries[0], BAKER, 1)])
    hiring_potentials.ask_publication(release_id=release.pk, by=support, at=NOW, reason="Contrôlée")
    hiring_potentials.publish(release_id=release.pk, by=None, at=NOW)
    assert hiring_potentials.publish_asked(at=NOW) == []
    assert not Release.objects.filter(asked_at__isnull=False).exists()
    assert not Message.objects.exists()


def test_whoever_asked_for_what_can_no_longer_be_published_is_told_once(support, bakeries):
    release = make_release([(bakeries[0], BAKER, 1)])
    hiring_potentials.ask_publication(release_id=release.pk, by=support, at=NOW, reason="Contrôlée")
    hiring_potentials.abandon(release=release, at=NOW, reason="Trop vieille")
    for _ in range(2):
        assert hiring_potentials.publish_asked(at=NOW) == []
    message = Message.objects.get(recipient=support.email)
    check_email(message, __file__, replace={f"livraison {release.pk}": "livraison 12", f"/{release.pk}/": "/12/"})


def test_a_rollback_is_immediate_and_says_who_and_why(office, support, bakeries):
    first, second = (put_online([(bakery, BAKER, 1)]) for bakery in bakeries)
    office.post(page(second, "rollback"), {"reason": "Trop peu d’établissements", "typed": str(second)})
    first.refresh_from_db()
    line = first.journal.get(from_status="previous")
    assert (first.status, line.by, line.reason) == ("current", support, "Trop peu d’établissements")


@pytest.mark.parametrize("name", ["publish", "rollback"])
def test_a_release_is_put_online_or_taken_back_by_who_types_its_name(office, bakeries, name):
    put_online([(bakeries[1], BAKER, 1)])
    release = (put_online if name == "rollback" else make_release)([(bakeries[0], BAKER, 1)])
    for typed in ("", f"Livraison {release.pk + 1}"):
        assert office.post(page(release, name), {"reason": "essai", "typed": typed}).status_code == 200
    release.refresh_from_db()
    assert (release.status, release.asked_by) == ("current" if name == "rollback" else "ready", None)


def test_a_rollback_without_a_reason_or_without_a_previous_release_is_refused(office, bakeries):
    release = put_online([(bakeries[0], BAKER, 1)])
    assert "Ce champ est obligatoire" in office.post(page(release, "rollback"), {"reason": ""}).content.decode()
    answer = office.post(page(release, "rollback"), {"reason": "essai", "typed": str(release)})
    assert "Aucune livraison précédente" in answer.content.decode()


def test_the_night_renews_the_order(bakeries):
    put_online([(bakeries[0], BAKER, 1)], at=timezone.now())
    before = SearchEdition.objects.get(is_current=True)
    tasks.renew_search_order()
    assert SearchEdition.objects.get(is_current=True) != before


def test_the_page_of_an_establishment_shows_its_potentials(office, bakeries):
    put_online([(bakeries[0], BAKER, 1.25)])
    for bakery, expected in zip(bakeries, ["D1102 Métier D1102", "Aucun"], strict=True):
        shown = office.get(reverse("admin:companies_establishment_change", args=[bakery.pk])).content.decode()
        assert expected in shown
        assert ("1,25" in shown) == (expected != "Aucun")
