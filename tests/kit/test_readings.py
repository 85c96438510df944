"""What staff read of people is written: one line for a page, by keys alone."""

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from labonnealternance.kit.models import Reading
from tests.factories import AccessFactory, NafFactory, StaffFactory, UserFactory
from tests.office import enter
from tests.opco.desk import make_advisor, make_file, seated
from tests.test_personal_data import COLUMNS, NOT_PERSONAL

pytestmark = pytest.mark.django_db


def lines():
    return list(Reading.objects.order_by("pk").values_list("by", "screen", "model", "object_key"))


def test_who_opens_the_page_of_a_person_is_written_once_for_the_page(office, support):
    person = UserFactory(email="lue@exemple.fr", last_name="Nomlu")
    office.get(reverse("admin:accounts_user_change", args=[person.pk]))
    office.get(reverse("admin:accounts_user_history", args=[person.pk]))
    office.get(reverse("admin:accounts_user_deactivate", args=[person.pk]))
    about = ("accounts.user", str(person.pk))
    assert lines() == [
        (support.pk, "Fiche", *about),
        (support.pk, "Historique", *about),
        (support.pk, "Désactiver ce compte", *about),
    ]
    whole = str(Reading.objects.values_list())
    assert "lue@exemple.fr" not in whole and "Nomlu" not in whole


def test_the_pages_of_other_objects_are_written_too(office):
    access = AccessFactory()
    office.get(reverse("admin:offers_access_change", args=[access.pk]))
    assert [line[2:] for line in lines()] == [("offers.access", str(access.pk))]


def test_lists_and_nomenclatures_are_not(office):
    office.get(reverse("admin:accounts_user_changelist"))
    office.get(reverse("admin:companies_naf_change", args=[NafFactory().pk]))
    assert lines() == []


def test_what_is_not_there_or_not_allowed_is_not_read(office, client):
    office.get(reverse("admin:accounts_user_change", args=[999999]))
    assert lines() == []


def test_only_models_without_a_column_about_people_are_left_out():
    """Those that hold a staff member's name and reason alone are told here."""
    of_staff_alone = {"companies.EstablishmentImport", "companies.Release", "scoring.Run", "kit.Reading"}
    left_out = {
        model._meta.label for model, shown in admin.site._registry.items() if not getattr(shown, "is_personal", True)
    }
    personal = {model for model, field in COLUMNS if not {model, f"{model}.{field}"} & set(NOT_PERSONAL)}
    assert left_out & personal <= of_staff_alone


def test_a_page_costs_one_insert(office):
    person = UserFactory()
    with CaptureQueriesContext(connection) as queries:
        office.get(reverse("admin:accounts_user_change", args=[person.pk]))
    assert sum("kit_reading" in query["sql"] for query in queries) == 1


def test_the_journal_is_read_by_superusers_only_and_names_objects_by_their_keys(office, client):
    person = UserFactory()
    office.get(reverse("admin:accounts_user_change", args=[person.pk]))
    journal = reverse("admin:kit_reading_changelist")
    assert office.get(journal).status_code == 403
    chief = enter(client, StaffFactory(is_superuser=True))
    page = chief.get(journal)
    assert reverse("admin:accounts_user_change", args=[person.pk]) in page.text
    assert person.email not in page.text
    assert chief.get(journal, {"q": str(person.pk)}).context["cl"].result_count == 1
    assert chief.get(journal, {"q": "personne-inconnue@"}).context["cl"].result_count == 0
    # Reading the journal writes nothing in it.
    chief.get(reverse("admin:kit_reading_change", args=[Reading.objects.get().pk]))
    assert Reading.objects.count() == 1
    assert not LogEntry.objects.exists()


def test_support_that_opens_a_file_of_the_opco_s_queue_is_written_and_an_advisor_at_work_is_not(office, support):
    access = make_file(offers=0)
    page = reverse("opco:case", args=[access.pk])
    assert office.get(page).status_code == 200
    assert lines() == [(support.pk, "Dossier de la file OPCO", "offers.access", str(access.pk))]
    assert seated(make_advisor(access.establishment.opco).user).get(page).status_code == 200
    assert Reading.objects.count() == 1
