"""What support may do is a table in the code, written into the database by a command."""

import io

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import CommandError, call_command

from labonnealternance.accounts import actions, groups
from labonnealternance.accounts.consistency import groups_differ, without_group, without_second_factor
from labonnealternance.accounts.enums import Role
from tests.factories import StaffFactory, UserFactory

pytestmark = pytest.mark.django_db


def sync(*options):
    out = io.StringIO()
    call_command("sync_groups", *options, stdout=out)
    return out.getvalue()


def held(name):
    return {
        f"{app}.{code}"
        for app, code in Group.objects.get(name=name).permissions.values_list("content_type__app_label", "codename")
    }


@pytest.fixture
def strays():
    """Permissions that the table gives to nobody, or to others."""
    stray = Permission.objects.get(content_type__app_label="accounts", codename="delete_user")
    Group.objects.get(name="Support lecture").permissions.add(stray)
    Group.objects.get(name="Support").permissions.remove(Permission.objects.get(codename="change_offer"))
    Group.objects.create(name=Role.RECRUITER.value).permissions.add(stray)
    Group.objects.create(name="Inconnu").permissions.add(stray)
    person = UserFactory()
    person.user_permissions.add(stray)
    return person


def test_the_command_adds_what_is_missing_and_removes_the_rest(strays, settings):
    told = sync()
    for line in (
        "Groupe « Support » : manque offers.change_offer", "Groupe « Support lecture » : en trop accounts.delete_user",
        "Groupe « recruiter » : en trop accounts.delete_user", "Groupe « Inconnu » : en trop accounts.delete_user",
        f"Compte {strays.pk} : en trop accounts.delete_user", "C’est fait.",
    ):  # fmt: skip
        assert line in told
    assert {name: held(name) for name in groups.names()} == settings.STAFF_GROUPS
    assert held("recruiter") == held("Inconnu") == set()
    assert not strays.user_permissions.exists()
    assert sync() == "Les groupes sont déjà comme le code le dit.\n"


def test_a_dry_run_says_and_changes_nothing(strays):
    before = groups.changes()
    assert len(before) == 5
    assert "Rien n’a été changé" in sync("--dry-run")
    assert groups.changes() == before


def test_a_new_database_gets_all_its_groups(settings):
    Group.objects.all().delete()
    sync()
    assert {name: held(name) for name in groups.names()} == settings.STAFF_GROUPS


def test_a_permission_that_no_model_has_stops_the_command_with_a_sentence(settings):
    settings.STAFF_GROUPS = {"Support": frozenset({"offers.view_offer", "offers.view_ofer"})}
    with pytest.raises(CommandError, match=r"Ces droits n’existent pas : offers\.view_ofer\."):
        sync()
    assert "offers.change_offer" in held("Support")


def test_groups_that_differ_are_told(strays):
    assert len(list(groups_differ(None))) == 5


def test_support_without_group_or_second_factor_is_told():
    alone = StaffFactory()
    alone.groups.clear()
    chief = StaffFactory(is_superuser=True)
    assert list(without_group(None)) == [alone]
    assert set(without_second_factor(None)) == {alone, chief}
    chief.totpdevice_set.create(name="essai", confirmed=True)
    actions.deactivate(user_id=alone.pk, by=chief)
    assert list(without_group(None)) == list(without_second_factor(None)) == []


def test_only_superusers_decide_who_comes_in_and_read_who_read_what(settings):
    given = set().union(*settings.STAFF_GROUPS.values())
    assert not {each for each in given if each.startswith(("auth.", "otp_totp.", "axes."))}
    assert not given & {
        "accounts.add_user", "accounts.delete_user", "accounts.view_secondfactor", "accounts.delete_secondfactor",
        "kit.view_reading", "accounts.view_visit",
    }  # fmt: skip


def test_who_reads_acts_on_nothing(settings):
    assert {each.partition(".")[2].partition("_")[0] for each in settings.STAFF_GROUPS["Support lecture"]} == {"view"}


def test_support_sees_all_that_another_group_sees(settings):
    for name in groups.names():
        assert settings.STAFF_GROUPS[name] <= settings.STAFF_GROUPS["Support"]


def test_a_member_of_support_is_in_one_group_at_a_time():
    person = StaffFactory()
    actions.give_role(user=person, role=Role.CFA)
    chief = StaffFactory(is_superuser=True)
    actions.set_group(user_id=person.pk, name="Science", by=chief)
    assert set(person.groups.values_list("name", flat=True)) == {"Science", "cfa"}
    with pytest.raises(actions.ReservedToAdministrators):
        actions.set_group(user_id=person.pk, name="Support", by=person)
    with pytest.raises(ValueError, match="cfa"):
        groups.give(user=person, name="cfa")


def test_the_command_that_makes_an_account_gives_it_a_group():
    made = {"email": "aide@exemple.fr", "password": "quatre chevaux au galop"}
    person = actions.create_support_account(**made).user
    assert [group.name for group in person.groups.all()] == ["Support"]
    person = actions.create_support_account(**made, group="Modération", renew=True).user
    person = actions.create_support_account(**made, renew=True).user
    assert [group.name for group in person.groups.all()] == ["Modération"]
    chief = actions.create_support_account(**made | {"email": "chef@exemple.fr"}, superuser=True).user
    assert not chief.groups.exists()
