"""Any list of the queue as a file: the OPCO's own files, as the list shows them, and who took it is kept."""

import csv
import io

import pytest
from django.urls import reverse
from django.utils.http import urlencode

from opco.actions import exports
from opco.enums import Tab
from opco.models import Export
from tests import factories
from tests.opco.desk import AT, DAY, TICK, certify, decided, make_desk, make_file, make_opco, pass_on, refuse, seated

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def now(time_machine):
    time_machine.move_to(AT + 2 * TICK, tick=False)


def export(client, **asked):
    return client.post(f"{reverse('opco:export')}?{urlencode(asked)}")


def lines(answer) -> list[dict[str, str]]:
    text = answer.getvalue().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=";"))


def test_the_list_to_treat_with_what_one_needs_of_each_file(desk):
    make_file(
        offers=2,
        establishment__siret=factories.make_siret(7),
        establishment__name="FOURNIL",
        user__first_name="Zoé",
        user__last_name="Pétrin",
        user__email="zoe@exemple.fr",
        user__phone="+33199000018",
    )
    answer = export(seated(desk.user))
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="recruteurs-a-traiter-2026-11-23.csv"'
    assert "no-store" in answer["Cache-Control"]
    [line] = lines(answer)
    assert line == {
        "SIRET": factories.make_siret(7), "Établissement": "FOURNIL", "Raison sociale": "FOURNIL",
        "Adresse": "1 PLACE D'ARMES", "Code postal": "57000", "Commune": "Metz", "Département": "57",
        "OPCO": "OPCO 1", "Nom": "Pétrin", "Prénom": "Zoé", "E-mail": "zoe@exemple.fr",
        "Téléphone": line["Téléphone"], "Origine": "Inscription", "Demandé le": "22/11/2026 09:30",
        "Confirmé le": "22/11/2026 09:30", "État": "À traiter", "Pris par": "", "Offres en cours": "2",
        "Décidé le": "", "Décidé par": "", "Motif": "",
    }  # fmt: skip
    assert "99 00 00 18" in line["Téléphone"].replace("\xa0", " ").replace("\u202f", " ")


def test_each_list_has_its_own_files_and_why_they_were_decided(desk):
    named = {name: make_file(establishment__name=name) for name in ("A TRAITER", "CERTIFIE", "REFUSE", "TRANSMIS")}
    decided(certify, desk, named["CERTIFIE"])
    decided(refuse, desk, named["REFUSE"])
    decided(pass_on, desk, named["TRANSMIS"], make_opco(2))
    client = seated(desk.user)
    found = {tab: lines(export(client, onglet=tab.value)) for tab in Tab}
    assert {tab: [line["Établissement"] for line in each] for tab, each in found.items()} == {
        Tab.TO_TREAT: ["A TRAITER"],
        Tab.ASKED: [],
        Tab.CERTIFIED: ["CERTIFIE"],
        Tab.REFUSED: ["REFUSE"],
        Tab.PASSED_ON: ["TRANSMIS"],
    }
    [refused] = found[Tab.REFUSED]
    assert (refused["Motif"], refused["Décidé par"]) == ("Lien avec l’établissement non établi", "Anne Conseil")
    [passed] = found[Tab.PASSED_ON]
    assert passed["Transmis à"] == "OPCO 2"
    assert not {"Nom", "E-mail", "Téléphone"} & set(passed), "its people are the other OPCO's now"


def test_the_file_is_narrowed_and_ordered_as_the_list(desk):
    make_file(establishment__name="RECENT", asked_at=AT - DAY)
    make_file(establishment__name="ANCIEN", asked_at=AT - 8 * DAY)
    make_file(establishment__name="AVEC OFFRE", asked_at=AT - 4 * DAY, offers=1)
    client = seated(desk.user)

    def names(**asked):
        return [line["Établissement"] for line in lines(export(client, **asked))]

    assert names() == ["ANCIEN", "AVEC OFFRE", "RECENT"]
    assert names(depuis="3") == ["ANCIEN", "AVEC OFFRE"]
    assert names(offres="avec") == ["AVEC OFFRE"]
    assert names(q="recent") == ["RECENT"]
    assert names(page="2") == ["ANCIEN", "AVEC OFFRE", "RECENT"], "a list is taken out whole"


def test_an_opco_takes_out_its_own_files_only_and_support_all():
    make_file(establishment__name="UN")
    make_file(make_opco(2), establishment__name="DEUX")
    make_file(establishment__opco=None, establishment__name="AUCUN")
    advisor = seated(make_desk(make_opco(2)).user)
    assert [line["Établissement"] for line in lines(export(advisor))] == ["DEUX"]
    assert [line["Établissement"] for line in lines(export(advisor, opco="opco-1"))] == ["DEUX"]
    support = seated(factories.StaffFactory())
    assert {line["Établissement"] for line in lines(export(support))} == {"UN", "DEUX", "AUCUN"}
    assert {line["Établissement"] for line in lines(export(support, opco="sans"))} == {"AUCUN"}


def test_who_took_which_list_when_and_how_many_lines_is_kept(desk):
    for _ in range(3):
        make_file(establishment__name="FOURNIL")
    make_file(establishment__name="GARAGE")
    client = seated(desk.user)
    export(client).getvalue()
    export(client, q="fournil").getvalue()
    export(client, onglet="certifies").getvalue()
    kept = list(Export.objects.order_by("pk").values_list("by", "opco", "tab", "is_narrowed", "rows", "at"))
    now = AT + 2 * TICK
    assert kept == [
        (desk.user.pk, "opco-1", Tab.TO_TREAT, False, 4, now),
        (desk.user.pk, "opco-1", Tab.TO_TREAT, True, 3, now),
        (desk.user.pk, "opco-1", Tab.CERTIFIED, False, 0, now),
    ]


def test_a_reader_who_leaves_in_the_middle_is_kept_with_the_lines_that_left(desk):
    for _ in range(5):
        make_file()
    rows = exports.take_out(desk=desk, tab=Tab.TO_TREAT, filters=exports.Filters(), at=AT)
    assert Export.objects.get().rows is None, "the journal is written before the first line"
    next(rows), next(rows)
    rows.close()
    assert Export.objects.get().rows == 2


def test_what_a_recruiter_typed_is_run_by_no_spreadsheet(desk):
    typed = ["=cmd|' /C calc'!A0", "@SUM(1)", "+33", "-2", '";=1+1;"']
    for n, each in enumerate(typed):
        make_file(asked_at=AT - (9 - n) * DAY, user__last_name=each)
    found = lines(export(seated(desk.user)))
    assert [line["Nom"] for line in found] == [*(f"'{each}" for each in typed[:4]), typed[4]]


def test_a_list_is_taken_out_by_a_button_never_by_a_link(desk):
    assert seated(desk.user).get(reverse("opco:export")).status_code == 405
    assert Export.objects.count() == 0


def test_no_query_is_added_by_a_line(desk, django_assert_num_queries):
    client = seated(desk.user)
    make_file(offers=1)
    export(client).getvalue()
    with django_assert_num_queries(8):
        export(client).getvalue()
    for n in range(8):
        commune = factories.CommuneFactory(code=f"57{n:03d}")
        decided(certify, desk, make_file(establishment__commune=commune, offers=1))
        make_file(establishment__commune=commune, offers=1)
    with django_assert_num_queries(8):
        assert len(lines(export(client))) == 9
    with django_assert_num_queries(8):
        assert len(lines(export(client, onglet="certifies"))) == 8
