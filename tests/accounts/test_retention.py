"""What has no more use is forgotten; what is in use is kept; a dry run only counts."""

import datetime as dt
import io

import pytest
from axes.models import AccessAttempt
from django.core.management import call_command
from django.utils import timezone

from labonnealternance.accounts import actions
from labonnealternance.accounts.enums import Role
from labonnealternance.accounts.models import AddressChange, Session, SignInLink, User, Visit
from labonnealternance.accounts.tasks import purge
from labonnealternance.kit.models import Counter, Reading
from tests.factories import StaffFactory, UserFactory

pytestmark = pytest.mark.django_db

AT = dt.datetime(2026, 6, 1, 3, 0, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
TWO_YEARS = 730 * DAY


def link(expires_at):
    return SignInLink.objects.create(
        digest=str(expires_at), user=UserFactory(), created_at=AT - 3 * DAY, expires_at=expires_at
    )


def failure(at):
    attempt = AccessAttempt.objects.create(
        username=f"{at}", ip_address="192.0.2.1", user_agent="", failures_since_start=1
    )
    AccessAttempt.objects.filter(pk=attempt.pk).update(attempt_time=at)
    return attempt


def session(key, expires_at):
    return Session.objects.create(
        session_key=key * 32, session_data="", expire_date=expires_at, created_at=AT - 20 * DAY, last_seen_at=AT - DAY
    )


def change(expires_at):
    return AddressChange.objects.create(
        user=UserFactory(),
        address="nouvelle@exemple.fr",
        digest=str(expires_at),
        created_at=AT - DAY,
        expires_at=expires_at,
    )


def visit(began_at):
    return Visit.objects.create(
        digest=str(began_at), by=StaffFactory(), user=UserFactory(), reason="Essai", began_at=began_at,
        ends_at=began_at + dt.timedelta(minutes=30),
    )  # fmt: skip


def reading(at):
    return Reading.objects.create(by=StaffFactory(), at=at, screen="Fiche", model="accounts.user", object_key="1")


def rows():
    kept = [link(AT - dt.timedelta(hours=23)), failure(AT - dt.timedelta(hours=23))]
    kept += [session("b", AT + DAY), change(AT + dt.timedelta(seconds=1))]
    kept += [visit(AT - 364 * DAY), reading(AT - 364 * DAY)]
    kept += [Counter.objects.create(key="b" * 64, hits=1, ends_at=AT + dt.timedelta(seconds=1))]
    gone = [link(AT - dt.timedelta(hours=25)), failure(AT - dt.timedelta(hours=25))]
    gone += [session("a", AT - DAY), change(AT)]
    gone += [visit(AT - 366 * DAY), reading(AT - 366 * DAY)]
    gone += [Counter.objects.create(key="a" * 64, hits=1, ends_at=AT)]
    return kept, gone


def exists(row):
    return type(row)._default_manager.filter(pk=row.pk).exists()


def test_what_is_over_is_deleted_and_what_is_in_use_is_kept():
    kept, gone = rows()
    purged = actions.purge(at=AT)
    assert purged.as_dict() == {
        "links": 1, "changes": 1, "counters": 1, "sessions": 1, "failures": 1, "people": 0, "visits": 1, "readings": 1,
    }  # fmt: skip
    assert all(exists(row) for row in kept)
    assert not any(exists(row) for row in gone)
    assert not any(actions.purge(at=AT).as_dict().values())


def test_a_dry_run_counts_the_same_and_deletes_nothing():
    kept, gone = rows()
    UserFactory(last_login=AT - TWO_YEARS - DAY)
    told = actions.purge(at=AT, dry_run=True)
    assert told.as_dict() == {
        "links": 1, "changes": 1, "counters": 1, "sessions": 1, "failures": 1, "people": 1, "visits": 1, "readings": 1,
    }  # fmt: skip
    assert all(exists(row) for row in kept + gone)
    assert actions.purge(at=AT) == told


@pytest.mark.parametrize(
    "fields, forgotten",
    [
        ({"last_login": AT - TWO_YEARS - DAY}, True),
        ({"last_login": AT - TWO_YEARS + DAY}, False),
        ({"joined_at": AT - TWO_YEARS - DAY}, True),
        ({"joined_at": AT - 2 * TWO_YEARS, "last_login": AT - DAY}, False),
        ({"joined_at": AT - DAY}, False),
    ],
)
def test_a_person_without_activity_for_two_years_is_anonymised(fields, forgotten):
    person = UserFactory(
        email="jeanne@exemple.fr", first_name="Jeanne", last_name="Exemple", phone="+33199000012", **fields
    )
    assert actions.anonymise_inactive(at=AT) == forgotten
    person.refresh_from_db()
    assert (person.email == f"anonyme-{person.pk}@anonyme.invalid") is forgotten
    assert (person.first_name == person.last_name == person.phone == "") is forgotten
    assert person.is_active is not forgotten
    assert actions.anonymise_inactive(at=AT) == 0


def test_anonymising_ends_sessions_and_roles(client):
    person = UserFactory(joined_at=AT - 2 * TWO_YEARS)
    actions.give_role(user=person, role=Role.RECRUITER)
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    User.objects.update(last_login=AT - 2 * TWO_YEARS)
    actions.anonymise_inactive(at=AT)
    assert client.get("/compte/").status_code == 302
    assert not person.groups.exists()
    assert not person.sessions.exists()


def test_support_stays_named_in_the_journals_that_it_signs():
    StaffFactory(joined_at=AT - 2 * TWO_YEARS)
    assert actions.anonymise_inactive(at=AT) == 0


def test_many_people_are_anonymised_by_batches(monkeypatch):
    monkeypatch.setattr(actions, "BATCH", 2)
    UserFactory.create_batch(5, joined_at=AT - 2 * TWO_YEARS)
    assert actions.anonymise_inactive(at=AT) == 5


def test_the_command_says_what_it_does_and_a_dry_run_that_it_did_nothing():
    SignInLink.objects.create(digest="a", user=UserFactory(), created_at=AT, expires_at=timezone.now() - 2 * DAY)
    out = io.StringIO()
    call_command("purge_accounts", "--dry-run", stdout=out)
    assert "1  liens de connexion expirés" in out.getvalue()
    assert "Rien n’a été effacé" in out.getvalue()
    assert SignInLink.objects.exists()
    call_command("purge_accounts", stdout=io.StringIO())
    assert not SignInLink.objects.exists()


def test_the_nightly_task_purges_and_beat_knows_it(settings):
    SignInLink.objects.create(digest="a", user=UserFactory(), created_at=AT, expires_at=timezone.now() - 2 * DAY)
    purge()
    assert not SignInLink.objects.exists()
    assert settings.CELERY_BEAT_SCHEDULE["accounts.purge"]["task"] == purge.name
