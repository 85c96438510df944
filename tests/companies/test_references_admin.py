"""The nomenclatures in the back-office: looked up, never typed."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from companies.models import ReferenceImport
from tests.companies.sample_source import load
from tests.factories import StaffFactory
from tests.office import enter

pytestmark = pytest.mark.django_db


@pytest.fixture
def support():
    """A superuser signed in with a second factor."""
    return enter(Client(), StaffFactory(is_superuser=True))


def rows_of(page: str) -> list[str]:
    return re.findall(r'<th class="field-[^"]*"><a [^>]*>(.*?)</a>', page)


@pytest.mark.parametrize("model", ["commune", "idcc", "naf", "opco", "referenceimport", "rome", "romeappellation"])
def test_nothing_of_a_nomenclature_is_typed_in_the_back_office(model, support):
    assert support.get(reverse(f"admin:companies_{model}_add")).status_code == 403
    assert support.get(reverse(f"admin:companies_{model}_changelist")).status_code == 200


def test_a_code_or_a_name_finds_its_row(support):
    load()
    first_row = {}
    for model, text in (
        ("commune", "57463"),
        ("commune", "st étienne"),
        ("commune", "metz"),
        ("romeappellation", "Boulangère"),
        ("naf", "1071C"),
        ("naf", "coiffure"),
        ("rome", "D1102"),
        ("idcc", "0843"),
    ):
        page = support.get(reverse(f"admin:companies_{model}_changelist"), {"q": text}).content.decode()
        first_row[model, text] = rows_of(page)[0]
    assert list(first_row.values()) == [
        "Metz",
        "Saint-Étienne",
        "Metz",
        "Boulanger / Boulangère",
        "1071C",
        "9602A",
        "D1102",
        "0843",
    ]


@pytest.mark.parametrize("text", ["%", "'", "é" * 200, "(", "\\"])
def test_no_searched_text_is_an_error(support, text):
    load()
    for model in ("commune", "formercommune", "romeappellation", "naf", "idcc", "rome"):
        assert support.get(reverse(f"admin:companies_{model}_changelist"), {"q": text}).status_code == 200


@pytest.mark.parametrize("model", ["commune", "formercommune", "idcc", "naf", "rome", "romeappellation"])
def test_a_list_is_bounded_and_costs_the_same_queries_whatever_its_length(
    model, support, django_assert_max_num_queries
):
    load()
    with django_assert_max_num_queries(12):
        page = support.get(reverse(f"admin:companies_{model}_changelist")).content.decode()
    assert len(rows_of(page)) <= 50


def test_a_job_s_page_shows_its_sheet(support, django_assert_max_num_queries):
    load()
    with django_assert_max_num_queries(15):
        page = support.get(reverse("admin:companies_rome_change", args=["D1102"])).content.decode()
    assert "Pétrir une pâte" in page
    assert "Boulanger-pâtissier / Boulangère-pâtissière" in page
    assert "Pâtissier / Pâtissière" in page


def test_the_page_of_an_import_tells_what_it_did_and_what_was_put_aside(support):
    load()
    run = ReferenceImport.objects.get()
    run.faults = [["geo/communes.csv", 12, "le libellé est vide"]]
    run.save()
    page = support.get(reverse("admin:companies_referenceimport_change", args=[run.pk])).content.decode()
    assert "geo/communes.csv, ligne 12 : le libellé est vide" in page
    assert "métiers (ROME) : 77 lues, 77 ajoutées" in page
