"""The back-office's first page tells what waits, to who may open it."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from labonnealternance.consistency.enums import Outcome
from labonnealternance.consistency.models import Result, Run
from labonnealternance.kit import todo
from labonnealternance.mail.enums import MessageStatus
from labonnealternance.mail.models import Message
from tests import factories
from tests.office import enter
from unsubscribe.models import Report

pytestmark = pytest.mark.django_db

LINES = [
    "Demandes d’établissements", "Signalements", "Recruteurs à valider, sans OPCO", "E-mails refusés depuis 7 jours",
    "E-mails en retard d’envoi", "Contrôles des données en défaut",
]  # fmt: skip


def told(client):
    """Label → (what the first page says, where it leads)."""
    page = client.get("/admin/").text.partition('<div class="module waiting">')[2].partition("</div>")[0]
    found = re.findall(r'<a href="([^"]*)">([^<]*)</a></th>\s*<td class="number">([^<]*)</td>', page)
    return {label.replace("&#x27;", "'"): (number, url.replace("&amp;", "&")) for url, label, number in found}


def message(n, status, *, at, due=None):
    return Message.objects.create(
        kind="essai", recipient=f"a{n}@exemple.fr", subject="Essai", status=status, created_at=at, next_attempt_at=due
    )


def put_one_of_each(n):
    now = timezone.now()
    factories.RequestFactory()
    factories.ReportFactory()
    factories.AccessFactory(status="awaiting")
    message(n, MessageStatus.FAILED, at=now - timedelta(days=1))
    message(n, MessageStatus.QUEUED, at=now, due=now - timedelta(hours=1))
    run = Run.objects.create(asked_at=now, started_at=now, finished_at=now)
    for number in range(n):
        Result.objects.create(
            run=run, name=f"essai.{number}", rule="Ceci tient.", outcome=Outcome.FAILS, count=3, failing_since=now
        )
    Result.objects.create(run=run, name="essai.bon", rule="Cela tient.", outcome=Outcome.HOLDS)


def test_each_line_counts_what_waits_and_opens_the_list_that_shows_it_in_as_many_queries_for_one_as_for_three(client):
    support = enter(client, factories.StaffFactory())
    assert list(told(support)) == LINES
    assert {number for number, _ in told(support).values()} == {"0"}
    put_one_of_each(1)
    with CaptureQueriesContext(connection) as few:
        assert {number for number, _ in told(support).values()} == {"1"}
    for n in (2, 3):
        put_one_of_each(n)
    with CaptureQueriesContext(connection) as more:
        found = told(support)
    assert {number for number, _ in found.values()} == {"3"}
    assert len(few) == len(more)
    for label, (_, url) in found.items():
        assert support.get(url).status_code == 200, label


def test_what_is_done_old_in_time_or_another_s_is_not_told(client):
    support = enter(client, factories.StaffFactory())
    now = timezone.now()
    factories.RequestFactory(status="done")
    factories.ReportFactory(status="treated")
    factories.AccessFactory(status="awaiting", establishment__opco=factories.OpcoFactory())
    factories.AccessFactory(status="awaiting", confirmed_at=None)
    message(1, MessageStatus.FAILED, at=now - timedelta(days=9))
    message(2, MessageStatus.QUEUED, at=now, due=now - timedelta(minutes=1))
    put_one_of_each(0)
    put_one_of_each(0)
    assert [number for number, _ in told(support).values()] == ["2", "2", "2", "2", "2", "0"]


def test_more_than_a_hundred_are_told_without_being_counted(client):
    Report.objects.bulk_create(factories.ReportFactory.build() for _ in range(todo.MOST_COUNTED + 2))
    with CaptureQueriesContext(connection) as asked:
        assert told(enter(client, factories.StaffFactory()))["Signalements"][0] == "100+"
    counts = [query["sql"] for query in asked if "unsubscribe_report" in query["sql"]]
    assert [f"LIMIT {todo.MOST_COUNTED + 1}" in each for each in counts] == [True]


def test_nothing_is_told_nor_counted_of_what_the_person_may_not_open(client):
    science = enter(client, factories.StaffFactory(group="Science"))
    with CaptureQueriesContext(connection) as asked:
        assert list(told(science)) == ["Contrôles des données en défaut"]
    assert not [query for query in asked if "unsubscribe_" in query["sql"]]
    reader = enter(client, factories.StaffFactory(group="Support lecture"))
    assert "Recruteurs à valider, sans OPCO" not in told(reader)
