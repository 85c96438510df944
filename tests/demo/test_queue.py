"""The demo's advisor: a queue of people who wait, a year behind them, told to who wants to try it."""

import pytest
from django.utils import timezone

from labonnealternance.accounts import demo as people
from labonnealternance.kit import demo_registry
from labonnealternance.mail.models import Message
from offers.models import Access
from opco import demo
from opco.actions.desks import desk_of
from opco.actions.figures import figures
from opco.enums import DecisionStatus
from opco.models import Advisor, Decision
from tests.factories import ContactFactory, EstablishmentFactory, OpcoFactory, make_siret
from tests.opco.desk import make_file

pytestmark = pytest.mark.django_db


@pytest.fixture
def prepared(tmp_path, monkeypatch):
    """Accounts, three OPCOs, ten people who wait, of whom two for a known OPCO, and forty establishments."""
    monkeypatch.setattr(people, "state_dir", lambda: tmp_path)
    people._create()
    opcos = [OpcoFactory(code=f"opco-{n}", name=f"OPCO {n}") for n in range(3)]
    now = timezone.now()
    for n in range(10):
        make_file(
            opcos[1], at=now, establishment__siret=make_siret(100 + n),
            **({} if n < 2 else {"establishment__opco": None}),
        )  # fmt: skip
    for n in range(40):
        EstablishmentFactory(siret=make_siret(200 + n))
    # A company that an address is known of.
    ContactFactory(siret=make_siret(200))
    [step] = demo.steps()
    assert not step.is_done()
    step.run()
    assert step.is_done()
    return opcos[1]


def test_the_advisor_has_eight_people_to_judge_in_the_opco_that_most_wait_for(prepared):
    advisor = Advisor.objects.get(user__email=demo.ADVISOR)
    assert advisor.opco == prepared
    told = figures(desk=desk_of(user=advisor.user), at=timezone.now())
    assert told.waiting == demo.WAITING
    assert Access.objects.awaiting().count() >= 10


def test_a_year_of_decisions_is_behind_them_and_nobody_is_told_of_it_today(prepared):
    assert set(Decision.objects.values_list("status", flat=True)) == {DecisionStatus.APPLIED}
    assert Decision.objects.count() == demo.DECIDED
    told = figures(desk=desk_of(user=Advisor.objects.get().user), at=timezone.now())
    assert told.delay is not None
    assert sum(told.reasons.values()) > 0
    assert len([month for month in told.months if any(month.made.values())]) > 6
    assert not Message.objects.exists()


def test_a_script_is_told_where_the_queue_is_and_a_file_of_it(prepared, client):
    told = demo_registry.accounts()["advisor"]
    assert told["email"] == demo.ADVISOR
    assert (told["opco"], told["queue"][-6:]) == ("OPCO 1", "/opco/")
    client.force_login(Advisor.objects.get().user, backend="django.contrib.auth.backends.ModelBackend")
    pages = demo.pages()
    assert told["case"].endswith(pages["opco_case_example"])
    for name, page in pages.items():
        assert client.get(page).status_code == 200, name
