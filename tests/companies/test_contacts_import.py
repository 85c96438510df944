"""``import_contacts``: what is kept, what is set aside, and the corrections that win."""

import csv

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from companies.actions import visibility
from companies.enums import ImportKind, ImportStatus
from companies.models import Contact, Establishment, EstablishmentImport, InvalidContact, clean_email, clean_phone
from tests.factories import ContactFactory, EstablishmentFactory, make_siret

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def bring(tmp_path, capsys):
    def run(*lines, header="siret,email,phone,source", options=()):
        path = tmp_path / "contacts.csv"
        path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
        call_command("import_contacts", str(path), *options)
        return capsys.readouterr().out

    return run


def known(n):
    return Contact.objects.values_list("email", "phone", "source").get(siret=make_siret(n))


def test_a_contact_is_kept_in_its_normal_form_for_a_siret_not_imported_yet(bring):
    told = bring(f"{make_siret(1)}, Chef@Example.FR ,01 99 00 12 34,annuaire", f"{make_siret(2)},,+33 6 39 98 00 01,")
    assert "2 lignes lues, 2 nouveaux" in told
    assert known(1) == ("chef@example.fr", "+33199001234", "annuaire")
    assert known(2) == ("", "+33639980001", "contacts.csv")


def test_the_same_file_twice_changes_nothing(bring):
    bring(f"{make_siret(1)},chef@example.fr,0199001234,x")
    before = Contact.objects.values().get()
    assert "0 nouveau, 0 modifié" in bring(f"{make_siret(1)},chef@example.fr,0199001234,x")
    assert Contact.objects.values().get() == before


def test_an_empty_field_leaves_the_known_one_and_a_filled_one_replaces_it(bring):
    ContactFactory(siret=make_siret(1), email="ancien@example.fr", phone="+33199000018")
    bring(f"{make_siret(1)},nouveau@example.fr,,annuaire")
    assert known(1) == ("nouveau@example.fr", "+33199000018", "annuaire")


def test_wrong_lines_are_set_aside_with_their_reason(bring, tmp_path):
    bring(
        f"{make_siret(1)},chef@example.fr,,x",
        "123,chef@example.fr,,x",
        f"{make_siret(2)},chef@,,x",
        f"{make_siret(3)},,0899 12 34 56,x",
        f"{make_siret(4)},,,x",
        f"{make_siret(1)},autre@example.fr,,x",
    )
    assert Contact.objects.count() == 1
    (path,) = tmp_path.glob("*.lignes-ecartees.csv")
    with path.open(encoding="utf-8", newline="") as file:
        assert {row["ligne"]: row["raison"] for row in csv.DictReader(file)} == {
            "3": "Un SIRET a 14 chiffres : vous en avez donné 3.",
            "4": "Cette adresse e-mail n’est pas valide.",
            "5": "Ce numéro de téléphone est surtaxé.",
            "6": "Cette ligne n’a ni e-mail ni téléphone.",
            "7": "Ce SIRET a déjà été lu plus haut.",
        }


def test_missing_columns_and_empty_files_are_sentences(bring):
    with pytest.raises(CommandError, match="n’a pas les colonnes email, phone"):
        bring(make_siret(1), header="siret")
    with pytest.raises(CommandError, match="ne contient aucune ligne"):
        bring()
    with pytest.raises(CommandError, match="Aucune ligne du fichier"):
        bring("1,2,3,4")
    record = EstablishmentImport.objects.latest("id")
    assert (record.kind, record.status) == (ImportKind.CONTACTS, ImportStatus.REFUSED)


def test_corrections_and_hidden_channels_survive_the_import(bring):
    shop = EstablishmentFactory(siret=make_siret(1))
    at = timezone.now()
    correct = {"siret": shop.siret, "by": None, "at": at, "reason": "dit", "origin": "form"}
    visibility.correct_contact(channel="email", value="vrai@example.fr", **correct)
    visibility.hide_channel(
        scope="siret", value=shop.siret, channel="phone", by=None, at=at, reason="other", origin="form"
    )
    bring(f"{shop.siret},faux@example.fr,0199001234,x")
    row = Establishment.objects.with_contact(at=timezone.now()).get()
    assert (row.effective_email, row.shown_phone, row.has_email) == ("vrai@example.fr", "", True)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("01 99 00 12 34", "+33199001234"),
        ("+33 (0)1 99 00 12 34", "+33199001234"),
        ("06.39.98.00.01", "+33639980001"),
        ("0262 12 34 56", "+262262123456"),
        ("0590 12 34 56", "+590590123456"),
        ("0806 12 34 56", "+33806123456"),
        ("   ", ""),
    ],
)
def test_french_phones_of_the_metropole_and_overseas_are_kept_as_e164(typed, kept):
    assert clean_phone(typed) == kept


@pytest.mark.parametrize(
    "typed", ["12", "abc", "0899123456", "0825123456", "3617", "+3225551212", "01 99 00 12 34 poste 5"]
)
def test_other_phones_are_refused_with_a_sentence(typed):
    with pytest.raises(InvalidContact, match="Ce numéro de téléphone"):
        clean_phone(typed)


def test_an_address_is_kept_in_lower_case_and_bounded():
    assert clean_email(" Chef@Example.FR ") == "chef@example.fr"
    assert clean_email("  ") == ""
    with pytest.raises(InvalidContact, match="au plus 254 caractères"):
        clean_email("a" * 60 + "@" + "exemple." * 30 + "fr")
