"""The figures of a queue: computed by hand here, by PostgreSQL there; plotted, and written beside each plot."""

import datetime as dt
import doctest
import statistics

import pytest
from django.urls import reverse

from labonnealternance.kit import plots
from offers.actions import accesses
from opco.actions import decisions
from opco.actions.figures import figures
from opco.enums import DecisionKind, RefusalReason
from opco.views import figures as view
from tests import factories
from tests.opco.desk import (
    AT,
    DAY,
    HOUR,
    MINUTE,
    PARIS,
    ask,
    certify,
    decided,
    make_desk,
    make_file,
    make_opco,
    pass_on,
    refuse,
    seated,
)

pytestmark = pytest.mark.django_db


def judged_after(desk, span: dt.timedelta, *, act=certify, at=AT):
    """A file decided ``span`` after its person had confirmed it."""
    return decided(act, desk, make_file(desk.opco, asked_at=at - span), at=at)


def test_the_examples_of_the_modules_hold():
    assert doctest.testmod(plots).failed == 0
    assert doctest.testmod(view).failed == 0


def test_months_are_shortened_as_french_does(desk):
    judged_after(desk, DAY)
    told = figures(desk=desk, at=AT + HOUR)
    drawn = str(view._columns(told))
    for month in ("janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."):
        assert f">{month}<" in drawn


def test_what_waits_now_and_since_when(desk):
    make_file(asked_at=AT - 9 * DAY)
    make_file()
    make_file(make_opco(2), asked_at=AT - 90 * DAY)
    decided(ask, desk, make_file(asked_at=AT - 20 * DAY))
    told = figures(desk=desk, at=AT + HOUR)
    assert (told.waiting, told.asked, told.oldest_on) == (2, 1, dt.date(2026, 11, 14))


def test_the_median_and_the_ninetieth_percentile_of_the_delay(desk):
    spans = [n * n * HOUR for n in range(1, 12)]
    for n, span in enumerate(spans):
        judged_after(desk, span, act=refuse if n % 3 else certify, at=AT + n * MINUTE)
    told = figures(desk=desk, at=AT + HOUR)
    assert told.delay.median == statistics.median(spans) == 36 * HOUR
    assert told.delay.ninetieth == spans[9], "the value below which nine in ten lie"
    assert told.months[-1].delay == told.delay


def test_a_file_counts_from_its_request_to_the_first_word_only(desk):
    judged_after(desk, 2 * DAY)
    # Asked, then certified: the question is no word on the person.
    asked = make_file(asked_at=AT - DAY)
    decided(ask, desk, asked)
    decided(certify, desk, asked, at=AT + DAY)
    # Refused by OPCO months after it was granted by itself, and certified after a refusal.
    granted = make_file(asked_at=AT - 90 * DAY)
    accesses.grant(access_id=granted.pk, by=factories.StaffFactory(), at=AT - 90 * DAY)
    granted.refresh_from_db()
    decided(refuse, desk, granted)
    changed = judged_after(desk, 2 * DAY, act=refuse).access
    changed.refresh_from_db()
    decided(certify, desk, changed, at=AT + 2 * DAY)
    # Passed on: nobody was judged.
    decided(pass_on, desk, make_file(asked_at=AT - 90 * DAY), make_opco(2))
    told = figures(desk=desk, at=AT + 3 * DAY)
    assert (told.delay.median, told.delay.ninetieth) == (2 * DAY, 2 * DAY)
    assert told.made == {
        DecisionKind.CERTIFY: 3,
        DecisionKind.REFUSE: 2,
        DecisionKind.PASS_ON: 1,
        DecisionKind.ASK: 1,
    }


def test_decisions_by_reason(desk):
    judged_after(desk, DAY, act=refuse)
    judged_after(desk, DAY, act=refuse)
    told = figures(desk=desk, at=AT + HOUR)
    assert {reason: number for reason, number in told.reasons.items() if number} == {RefusalReason.LINK_NOT_PROVEN: 2}


def test_a_month_begins_at_midnight_in_paris_and_there_are_twelve(desk):
    for moment in [
        dt.datetime(2025, 11, 30, 23, 59, 59, tzinfo=PARIS),
        dt.datetime(2025, 12, 1, 0, 0, tzinfo=PARIS),
        dt.datetime(2026, 10, 31, 23, 59, 59, tzinfo=PARIS),
        dt.datetime(2026, 11, 1, 0, 0, tzinfo=PARIS),
    ]:
        judged_after(desk, DAY, at=moment)
    told = figures(desk=desk, at=AT)
    made = {month.first: month.made[DecisionKind.CERTIFY] for month in told.months}
    assert len(made) == 12
    assert {first: number for first, number in made.items() if number} == {
        dt.date(2025, 12, 1): 1,
        dt.date(2026, 10, 1): 1,
        dt.date(2026, 11, 1): 1,
    }


def test_what_was_undone_is_not_counted(desk):
    certify(desk, make_file())
    undone = certify(desk, make_file())
    assert figures(desk=desk, at=AT).made[DecisionKind.CERTIFY] == 2
    decisions.undo(desk=desk, decision_id=undone.pk, at=AT)
    assert figures(desk=desk, at=AT).made[DecisionKind.CERTIFY] == 1


def test_an_opco_has_its_own_figures_and_support_those_of_all(desk):
    other = make_desk(make_opco(2))
    judged_after(desk, DAY)
    for _ in range(2):
        judged_after(other, 3 * DAY, act=refuse)
    made = figures(desk=other, at=AT + HOUR)
    assert (made.made[DecisionKind.CERTIFY], made.made[DecisionKind.REFUSE]) == (0, 2)
    assert made.delay.median == 3 * DAY
    support = type(desk)(factories.StaffFactory(), None)
    assert sum(figures(desk=support, at=AT + HOUR).made.values()) == 3


def test_the_queries_are_as_many_for_one_decision_as_for_thirty(desk, django_assert_num_queries):
    judged_after(desk, DAY)
    with django_assert_num_queries(6):
        figures(desk=desk, at=AT + HOUR)
    for n in range(29):
        judged_after(desk, DAY, at=AT - n * 11 * DAY)
    with django_assert_num_queries(6):
        figures(desk=desk, at=AT + HOUR)


def test_each_plot_has_its_name_and_its_table_beside_it(desk, time_machine):
    judged_after(desk, 26 * HOUR, act=refuse)
    judged_after(desk, 26 * HOUR)
    make_file()
    time_machine.move_to(AT + HOUR, tick=False)
    page = seated(desk.user).get(reverse("opco:figures")).content.decode()
    assert page.count('<svg role="img" aria-label="') == 2
    assert "<caption>Décisions par mois</caption>" in page
    assert "<caption>Refus par motif</caption>" in page
    assert "1 jour et 2 h" in page
    assert "Lien avec l’établissement non établi" in page
    assert "novembre 2026" in page
    plots_of_page = page[page.index("<svg role") : page.rindex("</svg>")]
    assert "style=" not in plots_of_page


def test_a_queue_without_decision_has_figures_too(desk, time_machine):
    time_machine.move_to(AT, tick=False)
    page = seated(desk.user).get(reverse("opco:figures"))
    assert page.status_code == 200
    assert "Aucune décision en douze mois." in page.content.decode()
