"""What must hold of every model and of every page of the back-office, whoever adds the next one."""

from datetime import timedelta
from urllib.parse import quote

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.db.models.constraints import BaseConstraint
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from companies.enums import ImportStatus
from companies.models import (
    Batch,
    Commune,
    ContactCorrection,
    Departement,
    Establishment,
    EstablishmentImport,
    FormerCommune,
    Idcc,
    Naf,
    Opco,
    ReferenceImport,
    Region,
    Release,
    Rome,
    RomeAppellation,
    VisibilityDecision,
)
from labonnealternance.accounts.models import SecondFactor, User, Visit
from labonnealternance.kit.models import Reading
from labonnealternance.mail.enums import SuppressionReason, SuppressionSource
from labonnealternance.mail.models import Message, Suppression
from offers.models import Access, Offer, Registration
from opco.models import Advisor, Export
from scoring.models import Run
from tests import factories
from tests.office import enter
from unsubscribe.models import Report, Request

OURS = [
    model
    for label in ("accounts", "consistency", "mail", "kit", "companies", "offers", "scoring", "opco", "unsubscribe")
    for model in apps.get_app_config(label).get_models()
]


@pytest.mark.parametrize("model", OURS, ids=lambda model: model._meta.label)
def test_every_constraint_says_in_french_what_it_asks(model):
    silent = [
        constraint.name
        for constraint in model._meta.constraints
        if constraint.violation_error_message == BaseConstraint.default_violation_error_message
    ]
    assert silent == []


def release():
    now = timezone.now()
    return Release.objects.create(origin="essai", begun_at=now, written_at=now)


def another_commune(n):
    departement = factories.DepartementFactory(
        code=f"9{n}", name=f"Département {n}", region=factories.RegionFactory(code=f"8{n}", name=f"Région {n}")
    )
    return factories.CommuneFactory(code=f"9{n}001", name=f"Commune {n}", departement=departement)


# A row that leans on rows of its own: a list that reads them one by one is found out.
ROWS = {
    User: lambda n: factories.UserFactory(),
    Visit: lambda n: Visit.objects.create(
        digest=str(n), by=factories.StaffFactory(), user=factories.UserFactory(), reason="Essai",
        began_at=timezone.now(), ends_at=timezone.now() + timedelta(minutes=20),
    ),
    Reading: lambda n: Reading.objects.create(
        by=factories.StaffFactory(), at=timezone.now(), screen="Fiche", model="accounts.user", object_key=str(n)
    ),
    SecondFactor: lambda n: SecondFactor.objects.create(user=factories.StaffFactory(), name="essai", confirmed=True),
    Message: lambda n: Message.objects.create(
        kind="essai", recipient=f"a{n}@exemple.fr", subject="Essai",
        created_at=timezone.now(), next_attempt_at=timezone.now(),
    ),
    Suppression: lambda n: Suppression.objects.create(
        address=f"a{n}@exemple.fr", reason=SuppressionReason.OTHER, source=SuppressionSource.SUPPORT,
        by=factories.StaffFactory(), at=timezone.now() - timedelta(days=1), lifted_by=factories.StaffFactory(),
        lifted_at=timezone.now(), lift_reason="Essai",
    ),
    Establishment: lambda n: factories.EstablishmentFactory(
        commune=another_commune(n), naf=factories.NafFactory(code=f"000{n}Z")
    ),
    EstablishmentImport: lambda n: factories.EstablishmentImportFactory(status=ImportStatus.DONE),
    VisibilityDecision: lambda n: factories.VisibilityDecisionFactory(decided_by=factories.StaffFactory()),
    ContactCorrection: lambda n: factories.ContactCorrectionFactory(decided_by=factories.StaffFactory()),
    Batch: lambda n: factories.BatchFactory(by=factories.StaffFactory()),
    Access: lambda n: factories.AccessFactory(),
    Offer: lambda n: factories.OfferFactory(rome=factories.RomeFactory(code=f"Z000{n}")),
    Registration: lambda n: factories.RegistrationFactory(),
    Advisor: lambda n: Advisor.objects.create(
        user=factories.UserFactory(), opco=factories.OpcoFactory(code=f"opco-{n}"), created_at=timezone.now(),
        created_by=factories.StaffFactory(),
    ),
    Export: lambda n: Export.objects.create(
        by=factories.UserFactory(), opco=factories.OpcoFactory(code=f"opco-{n}"), tab="a-traiter", is_narrowed=False,
        at=timezone.now(), rows=n,
    ),
    Request: lambda n: factories.RequestFactory(taken_by=factories.StaffFactory()),
    Report: lambda n: factories.ReportFactory(taken_by=factories.StaffFactory()),
    Release: lambda n: release(),
    Run: lambda n: Run.objects.create(started_at=timezone.now(), history="essai", seed=1, release=release()),
    ReferenceImport: lambda n: ReferenceImport.objects.create(
        source="essai", status=ImportStatus.DONE, started_at=timezone.now(), finished_at=timezone.now()
    ),
    Region: lambda n: factories.RegionFactory(code=f"8{n}"),
    Departement: lambda n: another_commune(n).departement,
    Commune: another_commune,
    FormerCommune: lambda n: factories.FormerCommuneFactory(commune=another_commune(n)),
    Naf: lambda n: factories.NafFactory(code=f"000{n}Z"),
    Opco: lambda n: factories.OpcoFactory(code=f"opco-{n}"),
    Idcc: lambda n: factories.IdccFactory(code=f"{n:04d}", opco=factories.OpcoFactory(code=f"opco-{n}")),
    Rome: lambda n: factories.RomeFactory(code=f"Z000{n}"),
    RomeAppellation: lambda n: factories.RomeAppellationFactory(rome=factories.RomeFactory(code=f"Z000{n}")),
}  # fmt: skip
SHOWN = sorted(admin.site._registry, key=lambda model: model._meta.label)


@pytest.fixture
def chief(db, client):
    """A superuser in the back-office: every page is theirs."""
    return enter(client, factories.StaffFactory(is_superuser=True))


def address(model, page, *arguments):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=arguments)


def test_every_list_of_the_back_office_has_rows_to_be_tried_with():
    assert set(SHOWN) == set(ROWS)


@pytest.mark.parametrize("model", SHOWN, ids=lambda model: model._meta.label)
def test_a_list_of_the_back_office_is_bounded_and_has_the_same_queries_with_one_row_and_with_four(model, chief):
    shown = admin.site._registry[model]
    assert max(shown.list_per_page, shown.list_max_show_all) <= 50
    ROWS[model](1)
    chief.get(address(model, "changelist"))
    with CaptureQueriesContext(connection) as one:
        assert chief.get(address(model, "changelist")).status_code == 200
    for n in (2, 3, 4):
        ROWS[model](n)
    with CaptureQueriesContext(connection) as four:
        page = chief.get(address(model, "changelist"))
    assert page.context["cl"].result_count >= 4
    assert len(four) == len(one), [query["sql"] for query in four]


ODD_QUESTIONS = (
    "p=99999999999999999999", "p=-1", "p=abc", "o=99.-3.x", "e=1", "all=", "colonne=1", "id__in=a", "pk__gte=x",
    "status__exact=%ff", "kind__exact=%27", "created_at__gte=hier", "is_active__exact=peut-etre", "q=%ff%fe", "q=%00",
    "q=" + "%C3%A9+" * 200, "q=%25%5C_", "_popup=1", "_to_field=autre",
)  # fmt: skip


@pytest.mark.parametrize("model", SHOWN, ids=lambda model: model._meta.label)
def test_no_question_asked_of_a_list_is_a_fault(model, chief):
    ROWS[model](1)
    for question in ODD_QUESTIONS:
        answer = chief.get(f"{address(model, 'changelist')}?{question}")
        assert answer.status_code in {200, 302, 400}, question


ODD_NAMES = ("0", "-1", "x", "9" * 30, "é" * 100, "a" * 600, "_2F", "1/2", "'", "%", "\udcff", " ")


@pytest.mark.parametrize("model", SHOWN, ids=lambda model: model._meta.label)
def test_no_name_of_a_row_is_a_fault(model, chief):
    pages = ["change", "history", "delete", *getattr(admin.site._registry[model], "buttons", [])]
    for page in pages:
        whole = address(model, page, "PLACE")
        for name in ODD_NAMES:
            answer = chief.get(whole.replace("PLACE", quote(name, errors="surrogateescape")))
            assert answer.status_code in {302, 403, 404}, (page, name)
