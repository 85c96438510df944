"""Admin shows, actions act."""

import pytest
from django import forms
from django.contrib import admin
from django.contrib.admin.utils import display_for_field, display_for_value
from django.contrib.messages import get_messages
from django.contrib.messages.storage.fallback import FallbackStorage
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.http import Http404
from django.test import RequestFactory
from django.urls import reverse
from django.utils import timezone

from labonnealternance.accounts.models import User
from labonnealternance.kit import admin as kit_admin
from labonnealternance.kit.admin import BoundedPaginator, Refused, ShownAdmin, author, button
from offers.models import AccessMove
from tests.factories import AccessFactory, StaffFactory, UserFactory, VisibilityDecisionFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("value", "word"), [(True, "Oui"), (False, "Non"), (None, "—")], ids=["yes", "no", "unknown"])
def test_what_is_or_is_not_is_told_in_a_word(value, word):
    assert display_for_value(value, "", boolean=True) == word
    assert display_for_field(value, User._meta.get_field("is_active"), "") == word


class NotNow(Exception):
    pass


class ReasonForm(forms.Form):
    reason = forms.CharField(max_length=20, label="Raison")


class PersonAdmin(ShownAdmin):
    buttons = ["greet", "erase"]

    @button("Saluer", form=ReasonForm, when=lambda person: person.is_active, refusals=(NotNow,))
    def greet(self, request, person, answers):
        if answers["reason"] == "non":
            raise NotNow("Pas maintenant.")
        if answers["reason"] == "refus":
            raise Refused("C’est refusé.")
        if answers["reason"] == "panne":
            raise ZeroDivisionError
        person.first_name = answers["reason"]
        person.save()
        return "C’est fait."

    @button("Effacer", typed=lambda person: person.email, permission="delete")
    def erase(self, request, person, answers):
        assert answers == {}
        person.delete()
        return "C’est effacé."


@pytest.fixture
def page(client):
    """The view of a button, as the one who is signed in presses it."""
    staff = StaffFactory(is_superuser=True)
    shown = PersonAdmin(User, admin.site)

    def press(name, person, data=None, *, by=staff):
        request = RequestFactory().post("/", data) if data is not None else RequestFactory().get("/")
        request.user = by
        by.is_verified = lambda: True
        request.session = {}
        request._messages = FallbackStorage(request)
        answer = shown._button_view(shown._button(name))(request, str(person.pk))
        answer.told = [str(message) for message in get_messages(request)]
        return answer

    return press


def test_nothing_is_typed_into_the_columns(rf):
    request = rf.get("/")
    request.user = StaffFactory(is_superuser=True)
    shown = PersonAdmin(User, admin.site)
    assert not shown.has_add_permission(request)
    assert not shown.has_change_permission(request)
    assert not shown.has_delete_permission(request)
    assert shown.has_view_permission(request)
    assert shown.get_actions(request) == {}


def test_a_button_asks_what_it_needs_then_acts_then_tells(page):
    person = UserFactory()
    assert page("greet", person).status_code == 200
    asked_again = page("greet", person, {})
    assert asked_again.context_data["form"].errors["reason"]
    done = page("greet", person, {"reason": "Bonjour"})
    assert (done.status_code, done.told) == (302, ["C’est fait."])
    person.refresh_from_db()
    assert person.first_name == "Bonjour"


@pytest.mark.parametrize("reason, sentence", [("non", "Pas maintenant."), ("refus", "C’est refusé.")])
def test_a_named_refusal_is_told_and_a_fault_is_not_hidden(page, reason, sentence):
    refused = page("greet", UserFactory(), {"reason": reason})
    assert refused.context_data["form"].non_field_errors() == [sentence]
    with pytest.raises(ZeroDivisionError):
        page("greet", UserFactory(), {"reason": "panne"})


def test_a_button_that_is_no_longer_possible_says_so_and_does_nothing(page):
    person = UserFactory(is_active=False, first_name="Camille")
    answer = page("greet", person, {"reason": "Bonjour"})
    assert answer.told == ["« Saluer » n’est plus possible ici."]
    person.refresh_from_db()
    assert person.first_name == "Camille"


def test_what_cannot_be_undone_asks_to_type_the_name(page):
    person = UserFactory()
    assert page("erase", person, {"typed": "autre"}).context_data["form"].errors["typed"]
    assert User.objects.filter(pk=person.pk).exists()
    page("erase", person, {"typed": f" {person.email} "})
    assert not User.objects.filter(pk=person.pk).exists()


def test_a_button_needs_its_permission(page):
    member = StaffFactory()
    person = UserFactory()
    assert page("greet", person, by=member).status_code == 200
    with pytest.raises(PermissionDenied):
        page("erase", person, by=member)
    with pytest.raises(PermissionDenied):
        page("greet", person, {"reason": "Bonjour"}, by=UserFactory())


def test_a_button_of_an_unknown_object_is_not_found(page):
    with pytest.raises(Http404):
        page("greet", User(pk=0))


def test_a_large_list_is_counted_by_estimate_and_a_filtered_one_up_to_a_bound(monkeypatch):
    monkeypatch.setattr(kit_admin, "LONGEST_EXACT_COUNT", 3)
    UserFactory.create_batch(3)
    assert BoundedPaginator(User.objects.order_by("pk"), 2).count == 3
    UserFactory.create_batch(5)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE accounts_user")
    assert BoundedPaginator(User.objects.order_by("pk"), 2).count == 8
    assert BoundedPaginator(User.objects.filter(is_active=True).order_by("pk"), 2).count == 4
    with connection.cursor() as cursor:
        cursor.execute("UPDATE pg_class SET reltuples = -1 WHERE relname = 'accounts_user'")
    assert BoundedPaginator(User.objects.order_by("pk"), 2).count == 4


@pytest.fixture
def entries(rf):
    """The names of the entries of the back-office's home by section, for a superuser."""

    def read():
        request = rf.get("/admin/")
        request.user = StaffFactory(is_superuser=True)
        return {
            section["name"]: [model["name"] for model in section["models"]]
            for section in admin.site.get_app_list(request)
        }

    return read


def test_every_entry_of_the_back_office_has_its_section_in_the_order_of_the_settings(entries, settings):
    read = entries()
    assert list(read) == list(settings.ADMIN_SECTIONS)
    assert read["Établissements"][0] == "Établissements"
    assert [len(names) for names in read.values()] == [len(labels) for labels in settings.ADMIN_SECTIONS.values()]


def test_an_entry_that_the_settings_forget_is_still_shown(entries, settings):
    settings.ADMIN_SECTIONS = {"Établissements": ["companies.establishment", "companies.nothing"]}
    read = entries()
    assert read["Établissements"] == ["Établissements"]
    assert "Personnes" in read["Autres"]


def test_a_person_sees_only_the_entries_that_they_may_open(rf):
    request = rf.get("/admin/")
    request.user = UserFactory()
    assert admin.site.get_app_list(request) == []


def test_who_did_something_is_read_by_name_with_the_address_under_the_pointer():
    claire = UserFactory.build(first_name="Claire", last_name="Martin", email="claire@exemple.fr")
    nameless = UserFactory.build(first_name="", last_name="", email="zoe@exemple.fr")
    assert author(claire) == '<span title="claire@exemple.fr">Claire Martin</span>'
    assert author(claire, in_full=True) == "Claire Martin (claire@exemple.fr)"
    assert author(nameless) == author(nameless, in_full=True) == "zoe@exemple.fr"
    assert (author(None), author(None, otherwise="le service")) == ("—", "le service")
    assert "<b>" not in author(UserFactory.build(first_name="<b>", last_name="x"))


def test_lists_sheets_and_journals_name_who_did_it(office):
    claire = StaffFactory(first_name="Claire", last_name="Martin", email="claire@exemple.fr")
    decision = VisibilityDecisionFactory(decided_by=claire)
    access = AccessFactory()
    AccessMove.objects.create(
        access=access, from_status="awaiting", to_status="granted", by=claire, at=timezone.now(), reason="Vue"
    )
    pointed_at = '<span title="claire@exemple.fr">Claire Martin</span>'
    assert pointed_at in office.get(reverse("admin:companies_visibilitydecision_changelist")).text
    sheet = office.get(reverse("admin:companies_visibilitydecision_change", args=[decision.pk])).text
    assert "Claire Martin (claire@exemple.fr)" in sheet
    assert pointed_at in office.get(reverse("admin:offers_access_change", args=[access.pk])).text
