"""``import_establishments``: what it reads, what it sets aside, what it refuses, and what it never undoes."""

import csv
import datetime as dt
import gzip
import json
import signal
import subprocess
import zipfile
from pathlib import Path

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from companies.actions import visibility
from companies.enums import ImportKind, ImportStatus
from companies.models import Establishment, EstablishmentImport, LegalUnit, VisibilityDecision
from labonnealternance.kit.commands import AlreadyRunning, single_run
from tests import processes
from tests.companies import stock
from tests.companies.stock import line
from tests.factories import (
    CommuneFactory,
    DepartementFactory,
    EstablishmentFactory,
    FormerCommuneFactory,
    NafFactory,
    make_siren,
    make_siret,
)

pytestmark = pytest.mark.django_db(transaction=True)
PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def references():
    NafFactory()
    CommuneFactory()


@pytest.fixture
def bring(tmp_path, capsys):
    """Imports lines, or a file that the test wrote; gives what the command told."""

    def run(given, *options, name="StockEtablissement.csv"):
        path = given if isinstance(given, Path) else stock.write(tmp_path / name, given)
        call_command("import_establishments", str(path), *options)
        return capsys.readouterr().out

    return run


def the(n: int) -> Establishment:
    return Establishment.objects.get(siret=make_siret(n))


def listed() -> set[str]:
    return set(Establishment.objects.listed(at=timezone.now()).values_list("siret", flat=True))


def last_import() -> EstablishmentImport:
    return EstablishmentImport.objects.latest("id")


def set_aside(folder: Path) -> list[dict[str, str]]:
    (path,) = folder.glob("*.lignes-ecartees.csv")
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


class TestFacts:
    def test_a_line_becomes_an_establishment_with_its_facts(self, bring):
        told = bring([line(1)])
        assert "1 ligne lue, 1 nouveau, 0 modifié, 0 fermé, 0 rouvert" in told
        row = the(1)
        assert (row.name, row.legal_name) == ("LE FOURNIL EXEMPLE", "")
        assert (row.naf_id, row.headcount_band, row.commune_id, row.postcode) == ("1071C", "11", "57463", "57000")
        assert row.address == "12 B AVENUE FOCH"
        assert (row.latitude, row.longitude) == (49.1193, 6.1757)
        assert (row.is_employer, row.is_diffusible, row.is_headquarters, row.closed_on) == (True, True, True, None)
        assert row.created_on == dt.date(2015, 3, 2)
        assert row.registry_updated_at == dt.datetime(2026, 9, 1, 6, 12, 44, tzinfo=dt.UTC)
        assert row.last_import == last_import()
        assert listed() == {row.siret}

    def test_sirets_keep_their_leading_zeros(self, bring):
        bring([line(7)])
        siret, siren = Establishment.objects.values_list("siret", "siren").get()
        assert (siret, siren) == (make_siret(7), make_siren(7))
        assert siret.startswith("000")
        assert len(siret) == 14

    def test_closed_and_non_diffusible_are_kept_and_never_listed(self, bring):
        bring(
            [
                line(1, etatAdministratif="F", dateDebut="2024-05-31"),
                line(2, statutDiffusion="P", enseigne1Etablissement="[ND]", libelleVoie="[ND]", typeVoie="[ND]"),
                line(3, statutDiffusion="N"),
                line(4),
            ]
        )
        assert the(1).closed_on == dt.date(2024, 5, 31)
        assert (the(2).name, the(2).address) == ("", "12 B")
        assert listed() == {make_siret(4)}

    @pytest.mark.parametrize(
        ("flag", "band", "employer"), [("O", "NN", True), ("N", "12", False), ("", "12", True), ("", "00", False)]
    )
    def test_an_employer_is_what_the_registry_says_else_what_its_headcount_says(self, bring, flag, band, employer):
        bring([line(1, caractereEmployeur=flag, trancheEffectifs=band)])
        assert the(1).is_employer is employer

    def test_an_activity_is_read_with_and_without_its_dot_and_an_unknown_one_is_left_blank_and_counted(self, bring):
        told = bring(
            [
                line(1, activitePrincipale="1071C"),
                line(2, activitePrincipale="99.99Z"),
                line(3, activitePrincipale="10.71C", nomenclatureActivitePrincipale="NAFRev1"),
                line(4, activitePrincipale=""),
            ]
        )
        assert [the(n).naf_id for n in (1, 2, 3, 4)] == ["1071C", None, None, None]
        assert last_import().unknown_naf_rows == 2
        assert "2 établissements d’une activité inconnue" in told

    def test_former_communes_are_today_s_and_unknown_ones_leave_no_place(self, bring):
        FormerCommuneFactory(code="57999", commune_id="57463")
        CommuneFactory(
            code="75101", name="Paris 1er", departement=DepartementFactory(code="75"), latitude=48.86, longitude=2.34
        )
        told = bring([line(1, codeCommune="57999"), line(2, codeCommune="99138"), line(3, codeCommune="75101")])
        assert the(1).commune_id == "57463"
        assert (the(2).commune_id, the(2).latitude) == (None, None)
        assert the(3).commune_id == "75101"
        assert listed() == {make_siret(1), make_siret(3)}
        assert "1 établissement ouvert sans position" in told

    @pytest.mark.parametrize(
        ("departement", "code", "x", "y", "latitude", "longitude"),
        [
            ("57", "57463", "931882.0", "6895230.0", 49.1148, 6.177),
            ("974", "97411", "338500.0", "7690000.0", -20.88, 55.448),
            ("972", "97209", "708200.0", "1615400.0", 14.605, -61.068),
            ("973", "97302", "354200.0", "545000.0", 4.929, -52.314),
        ],
    )
    def test_coordinates_follow_the_projection_of_their_departement(
        self, bring, departement, code, x, y, latitude, longitude
    ):
        CommuneFactory(
            code=code, departement=DepartementFactory(code=departement), latitude=latitude, longitude=longitude
        )
        bring([line(1, codeCommune=code, coordonneeLambertAbscisse=x, coordonneeLambertOrdonnee=y)])
        row = the(1)
        if departement != "57":
            assert (row.latitude, row.longitude) != (latitude, longitude)
        assert row.latitude == pytest.approx(latitude, abs=0.01)
        assert row.longitude == pytest.approx(longitude, abs=0.01)

    @pytest.mark.parametrize(("x", "y"), [("0", "0"), ("abc", "6895230"), ("[ND]", "[ND]"), ("652000", "6862000")])
    def test_implausible_coordinates_give_the_commune_s_point(self, bring, x, y):
        bring([line(1, coordonneeLambertAbscisse=x, coordonneeLambertOrdonnee=y)])
        assert (the(1).latitude, the(1).longitude) == (49.1193, 6.1757)


class TestDifferences:
    def test_the_same_file_twice_changes_nothing(self, bring):
        bring([line(1), line(2)])
        before = list(Establishment.objects.order_by("siret").values())
        assert "2 lignes lues, 0 nouveau, 0 modifié, 0 fermé, 0 rouvert" in bring([line(1), line(2)])
        assert list(Establishment.objects.order_by("siret").values()) == before

    def test_new_changed_closed_reopened_and_gone_are_told_apart(self, bring):
        bring([line(n) for n in range(1, 10)] + [line(10, etatAdministratif="F", dateDebut="2020-01-31")])
        ids = dict(Establishment.objects.values_list("siret", "id"))
        told = bring(
            [
                line(1, enseigne1Etablissement="NOUVELLE ENSEIGNE"),
                line(2, etatAdministratif="F", dateDebut="2026-08-31"),
                *(line(n) for n in range(4, 10)),
                line(10),
                line(11),
            ],
            "--dated-on=2026-10-01",
        )
        assert "1 nouveau, 1 modifié, 2 fermés, 1 rouvert" in told
        assert the(1).name == "NOUVELLE ENSEIGNE"
        assert the(2).closed_on == dt.date(2026, 8, 31)
        assert the(3).closed_on == dt.date(2026, 10, 1)
        assert the(10).closed_on is None
        assert {siret: ids[siret] for siret in ids} == {
            siret: pk for siret, pk in Establishment.objects.values_list("siret", "id") if siret in ids
        }
        assert listed() == {make_siret(n) for n in (1, 4, 5, 6, 7, 8, 9, 10, 11)}

    def test_a_line_set_aside_closes_nothing(self, bring):
        bring([line(n) for n in range(1, 6)])
        bring([*(line(n) for n in range(1, 5)), line(5, etatAdministratif="?")])
        assert the(5).closed_on is None

    def test_a_line_set_aside_closes_nothing_when_it_is_cut_in_another_encoding_or_has_lost_its_zeros(
        self, bring, tmp_path
    ):
        bring([line(n) for n in range(1, 6)])
        whole = stock.as_csv([line(1), line(2, enseigne1Etablissement="CAFÉ"), *(line(n) for n in range(3, 6))])
        path = tmp_path / "stock.csv"
        lost_zeros = whole.replace(f",{make_siret(3)},", f",{make_siret(3).lstrip('0')},").encode("latin-1")
        # As a download that stopped leaves it.
        path.write_bytes(lost_zeros[:-40])
        bring(path)
        assert last_import().quarantined_rows == 3
        assert not Establishment.objects.filter(closed_on__isnull=False).exists()

    def test_a_partial_file_closes_nothing_by_its_silence_and_is_no_measure_for_the_next(self, bring):
        bring([line(n) for n in range(1, 6)])
        bring([line(1, enseigne1Etablissement="AUTRE")], "--partial")
        assert (the(1).name, the(5).closed_on) == ("AUTRE", None)
        with pytest.raises(CommandError, match="plus d’une ligne sur cinq"):
            bring([line(1), line(2)])

    def test_an_establishment_that_the_registry_told_of_after_the_file_s_day_stays_open(self, bring):
        EstablishmentFactory(
            siret=make_siret(50), registry_updated_at=dt.datetime(2026, 9, 20, tzinfo=dt.UTC), created_on=None
        )
        EstablishmentFactory(siret=make_siret(51), created_on=dt.date(2026, 9, 15))
        EstablishmentFactory(siret=make_siret(52), created_on=dt.date(2020, 9, 15))
        bring([line(1)])
        assert [the(n).closed_on for n in (50, 51, 52)] == [None, None, dt.date(2026, 9, 1)]

    def test_fresher_facts_of_the_registry_are_kept_unless_forced(self, bring):
        EstablishmentFactory(
            siret=make_siret(1), name="PLUS RÉCENT", registry_updated_at=dt.datetime(2026, 10, 1, tzinfo=dt.UTC)
        )
        bring([line(1)])
        assert the(1).name == "PLUS RÉCENT"
        bring([line(1)], "--force=retour au stock")
        assert the(1).name == "LE FOURNIL EXEMPLE"

    def test_a_closure_without_a_date_keeps_the_day_it_was_first_seen(self, bring):
        bring([line(1, etatAdministratif="F", dateDebut=""), line(2)])
        bring([line(1, etatAdministratif="F", dateDebut=""), line(2)], "--dated-on=2026-10-01")
        assert the(1).closed_on == dt.date(2026, 9, 1)

    def test_the_parts_of_a_stock_are_one_stock(self, bring, tmp_path):
        one = stock.write(tmp_path / "a.csv", [line(1), line(2)])
        two = stock.write(tmp_path / "b.csv", [line(3), line(1)])
        call_command("import_establishments", str(one), str(two))
        assert Establishment.objects.filter(closed_on=None).count() == 3
        assert set_aside(tmp_path)[0]["raison"] == "Ce SIRET a déjà été lu plus haut."
        assert last_import().file_name == "a.csv, b.csv"


class TestNames:
    HEADER = (
        "siren,statutDiffusionUniteLegale,denominationUniteLegale,denominationUsuelle1UniteLegale,nomUniteLegale,"
        "nomUsageUniteLegale,prenom1UniteLegale,prenomUsuelUniteLegale,categorieJuridiqueUniteLegale,"
        "dateDernierTraitementUniteLegale\n"
    )

    def units(self, tmp_path, *rows):
        path = tmp_path / "StockUniteLegale.csv"
        path.write_text(self.HEADER + "".join(f"{row}\n" for row in rows), encoding="utf-8")
        return path

    def test_companies_name_their_establishments_that_bear_no_sign(self, bring, tmp_path):
        path = self.units(
            tmp_path,
            f"{make_siren(1)},O,SOCIÉTÉ EXEMPLE,,,,,,5710,2026-09-01T00:00:00",
            f"{make_siren(2)},O,,,EXEMPLE,USAGE,CAMILLE,,1000,2026-09-01T00:00:00",
            f"{make_siren(3)},O,LÉGALE,USUELLE,,,,,5710,2026-09-01T00:00:00",
        )
        nameless = {"enseigne1Etablissement": ""}
        lines = stock.write(
            tmp_path / "stock.csv", [line(1, **nameless), line(2, **nameless), line(3), line(4, **nameless)]
        )
        # The order of the files does not matter: companies come first.
        call_command("import_establishments", str(lines), str(path))
        assert [(the(n).name, the(n).legal_name) for n in (1, 2, 3, 4)] == [
            ("SOCIÉTÉ EXEMPLE", "SOCIÉTÉ EXEMPLE"),
            ("CAMILLE USAGE", "CAMILLE USAGE"),
            ("LE FOURNIL EXEMPLE", "USUELLE"),
            ("", ""),
        ]
        assert the(4).display_name == "Établissement sans nom connu"
        assert LegalUnit.objects.get(siren=make_siren(1)).legal_category == "5710"
        kinds = EstablishmentImport.objects.order_by("id").values_list("kind", flat=True)
        assert list(kinds) == [ImportKind.LEGAL_UNITS, ImportKind.ESTABLISHMENTS]

    def test_a_company_imported_later_names_them_too_and_a_new_name_follows(self, bring, tmp_path):
        bring([line(1, enseigne1Etablissement=""), line(2)])
        for name in ("PREMIER NOM", "SECOND NOM"):
            bring(
                self.units(
                    tmp_path,
                    f"{make_siren(1)},O,{name},,,,,,5710,2026-09-01T00:00:00",
                    f"{make_siren(2)},O,{name},,,,,,5710,2026-09-01T00:00:00",
                )
            )
            assert (the(1).name, the(1).legal_name) == (name, name)
            assert (the(2).name, the(2).legal_name) == ("LE FOURNIL EXEMPLE", name)
        bring([line(1, enseigne1Etablissement=""), line(2)])
        assert last_import().changed_rows == 0

    def test_a_company_that_is_not_diffusible_hides_its_establishments(self, bring, tmp_path):
        bring([line(1)])
        bring(self.units(tmp_path, f"{make_siren(1)},P,[ND],,,,,,5710,2026-09-01T00:00:00"))
        assert listed() == set()
        bring([line(1)])
        assert listed() == set()


class TestQuarantine:
    def test_each_line_that_does_not_fit_is_set_aside_with_its_number_reason_and_content(self, bring, tmp_path):
        wrong = make_siret(1)[:-1] + str((int(make_siret(1)[-1]) + 1) % 10)
        lines = [
            line(1),
            {**line(2), "siret": "123"},
            {**line(3), "siret": wrong},
            line(4, etatAdministratif="X"),
            line(5, statutDiffusion=""),
            line(6, trancheEffectifs="99"),
            line(7, dateCreation="2021-02-30"),
            line(8, dateCreation="hier"),
            line(9, dateDernierTraitement="2999-01-01T00:00:00"),
            line(10, caractereEmployeur="?"),
            line(1),
        ]
        path = stock.write(tmp_path / "stock.csv", lines)
        path.write_text(path.read_text() + "trop,court\n\n\n")
        told = bring(path)
        assert "12 lignes lues, 1 nouveau" in told
        assert "11 lignes écartées" in told
        rows = set_aside(tmp_path)
        reasons = {int(row["ligne"]): row["raison"] for row in rows}
        assert reasons == {
            3: "Un SIRET a 14 chiffres : « 123 ».",
            4: f"Ce SIRET n’existe pas (clé fausse) : {wrong}.",
            5: "État administratif inconnu : « X ».",
            6: "Statut de diffusion inconnu : «  ».",
            7: "Tranche d’effectif inconnue : « 99 ».",
            8: "Date de création illisible : « 2021-02-30 ».",
            9: "Date de création illisible : « hier ».",
            10: "Date de dernier traitement à venir.",
            11: "Caractère employeur inconnu : « ? ».",
            12: "Ce SIRET a déjà été lu plus haut.",
            13: "2 colonnes au lieu de 54.",
        }
        content = json.loads(next(row["contenu"] for row in rows if row["ligne"] == "3"))
        assert (content["siret"], content["enseigne1Etablissement"]) == ("123", "LE FOURNIL EXEMPLE")
        assert last_import().quarantine_file.endswith(".lignes-ecartees.csv")
        assert next(tmp_path.glob("*.lignes-ecartees.csv")).stat().st_mode & 0o077 == 0

    def test_a_line_in_another_encoding_is_set_aside_and_the_others_pass(self, bring, tmp_path):
        text = stock.as_csv([line(1), line(2, enseigne1Etablissement="CAFÉ"), line(3)])
        path = tmp_path / "stock.csv"
        path.write_bytes(text.encode("latin-1"))
        bring(path)
        assert Establishment.objects.count() == 2
        assert [(row["ligne"], row["raison"]) for row in set_aside(tmp_path)] == [
            ("3", "Cette ligne n’est pas en UTF-8.")
        ]

    def test_without_faults_there_is_no_file(self, bring, tmp_path):
        bring([line(1)])
        assert not list(tmp_path.glob("*ecartees*"))

    def test_the_folder_can_be_chosen(self, bring, tmp_path):
        bring([line(1), line(1)], f"--quarantine-dir={tmp_path / 'ailleurs'}")
        assert len(set_aside(tmp_path / "ailleurs")) == 1

    def test_too_many_faults_stop_the_import_and_nothing_changes(self, bring):
        bring([line(n) for n in range(1, 30)])
        faulty = [line(n, etatAdministratif="?") for n in range(1, 28)]
        with pytest.raises(CommandError, match="27 lignes sur 29 ont été écartées"):
            bring([*faulty, line(28, enseigne1Etablissement="AUTRE"), line(29)])
        assert the(28).name == "LE FOURNIL EXEMPLE"
        assert last_import().status == ImportStatus.REFUSED

    def test_texts_are_cut_trimmed_and_freed_of_control_characters(self, bring):
        bring([line(1, enseigne1Etablissement="  A\tB\x01 " + "X" * 300)])
        assert the(1).name == "A B " + "X" * 196


class TestRefusals:
    def test_an_older_file_is_refused_unless_forced_with_a_reason(self, bring):
        bring([line(1)], "--dated-on=2026-10-01")
        with pytest.raises(CommandError, match="Le fichier est du 01/09/2026, plus ancien que le dernier importé"):
            bring([line(1, enseigne1Etablissement="VIEUX")])
        assert the(1).name == "LE FOURNIL EXEMPLE"
        refused = last_import()
        assert (refused.status, refused.refusal[:10]) == (ImportStatus.REFUSED, "Le fichier")
        bring([line(1, enseigne1Etablissement="VIEUX")], "--force=le fichier d’octobre est faux")
        assert the(1).name == "VIEUX"
        assert last_import().forced_reason == "le fichier d’octobre est faux"

    def test_a_file_under_80_percent_of_the_last_one_is_refused_unless_forced(self, bring):
        bring([line(n) for n in range(1, 11)])
        bring([line(n) for n in range(1, 9)])
        assert Establishment.objects.filter(closed_on=None).count() == 8
        with pytest.raises(CommandError, match="Le fichier a 6 lignes, le dernier importé en avait 8"):
            bring([line(n) for n in range(1, 7)])
        assert Establishment.objects.filter(closed_on=None).count() == 8
        bring([line(n) for n in range(1, 7)], "--force=fermetures vérifiées")
        assert Establishment.objects.filter(closed_on=None).count() == 6

    def test_a_closure_dated_ahead_is_a_closure_on_the_day_of_the_file(self, bring):
        bring([line(1), line(2, etatAdministratif="F", dateDebut="2999-01-01")])
        assert listed() == {make_siret(1)}
        assert the(2).closed_on == last_import().file_dated_on

    def test_a_day_to_come_is_refused(self, bring):
        with pytest.raises(CommandError, match="un jour à venir"):
            bring([line(1)], "--dated-on=2999-01-01")
        with pytest.raises(CommandError, match="« hier » n’est pas un jour"):
            bring([line(1)], "--dated-on=hier")

    def test_missing_columns_are_named(self, bring, tmp_path):
        header = ["siret", "etatAdministratifEtablissement"]
        path = stock.write(tmp_path / "stock.csv", [line(1)], header=header)
        with pytest.raises(CommandError, match=r"stock\.csv n’a pas les colonnes statutDiffusionEtablissement, "):
            bring(path)
        other = tmp_path / "autre.csv"
        other.write_text("a,b\n1,2\n")
        with pytest.raises(CommandError, match="n’a ni colonne siret ni colonne siren"):
            bring(other)

    @pytest.mark.parametrize(
        ("content", "sentence"),
        [
            (b"", "est vide"),
            (b"\n\n", "est vide, ou commence par une ligne vide"),
            ("siret,é\n".encode("utf-16"), "n’est pas en UTF-8"),
            ("siret,é\n".encode("latin-1"), "n’est pas en UTF-8"),
            (b"siret,siret\n1,2\n", "la colonne siret est écrite deux fois"),
            (b"123,,\n1,2,3\n", "des colonnes n’ont pas de nom"),
            (b"siret,a\r1,2\r", "a d’anciennes fins de ligne"),
            (b"PK\x05\x06" + b"\0" * 18, "ne contient aucun fichier"),
            (b"PAR1 is not parquet", "incomplet ou abîmé"),
            (b"PK\x03\x04 is not a zip", "incomplet ou abîmé"),
            (b"\x1f\x8b is not a gzip", "incomplet ou abîmé"),
        ],
    )
    def test_a_file_that_can_t_be_read_is_a_sentence(self, bring, tmp_path, content, sentence):
        path = tmp_path / "stock.csv"
        path.write_bytes(content)
        with pytest.raises(CommandError, match=sentence):
            bring(path)
        assert not Establishment.objects.exists()

    def test_a_missing_file_is_a_sentence(self, bring, tmp_path):
        with pytest.raises(CommandError, match="n’existe pas"):
            bring(tmp_path / "absent.csv")
        with pytest.raises(CommandError, match="est un dossier"):
            bring(tmp_path)

    def test_a_quarantine_that_can_t_be_written_is_a_sentence_and_nothing_changes(self, bring, tmp_path):
        (tmp_path / "occupé").write_text("un fichier")
        with pytest.raises(CommandError, match="rien n’a changé"):
            bring([line(1), line(1)], f"--quarantine-dir={tmp_path / 'occupé'}")
        assert not Establishment.objects.exists()

    def test_a_header_alone_is_refused(self, bring):
        with pytest.raises(CommandError, match="ne contient aucune ligne"):
            bring([])

    def test_an_open_quote_never_swallows_lines_in_silence(self, bring, tmp_path):
        path = tmp_path / "stock.csv"
        for column in ("enseigne1Etablissement", "enseigne3Etablissement"):
            lines = stock.as_csv([line(1), line(2, **{column: "QQQ"}), *(line(n) for n in range(3, 9))])
            path.write_text(lines.replace("QQQ", '"QQQ'))
            with pytest.raises(CommandError, match="ligne 3 : un guillemet"):
                bring(path)
            assert not Establishment.objects.exists()
            assert last_import().status == ImportStatus.INTERRUPTED

    def test_an_unknown_day_is_asked_for(self, bring):
        lines = [line(1, dateDernierTraitement="")]
        with pytest.raises(CommandError, match="--dated-on"):
            bring(lines)
        bring(lines, "--dated-on=2026-09-01")
        assert Establishment.objects.count() == 1


class TestFormats:
    LINES = [line(1, enseigne1Etablissement='LE "PETIT", ÉTÉ'), line(2)]

    def check(self):
        assert the(1).name == 'LE "PETIT", ÉTÉ'
        assert Establishment.objects.count() == 2

    def test_gzip(self, bring, tmp_path):
        path = tmp_path / "stock.csv.gz"
        path.write_bytes(gzip.compress(stock.as_csv(self.LINES).encode()))
        bring(path)
        self.check()

    def test_a_truncated_gzip_changes_nothing(self, bring, tmp_path):
        path = tmp_path / "stock.csv.gz"
        whole = gzip.compress(stock.as_csv([line(n) for n in range(1, 400)]).encode())
        path.write_bytes(whole[:-20])
        with pytest.raises(CommandError, match="incomplet ou abîmé"):
            bring(path)
        assert not Establishment.objects.exists()

    def test_zip(self, bring, tmp_path):
        path = tmp_path / "stock.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("StockEtablissement_utf8.csv", stock.as_csv(self.LINES))
        bring(path)
        self.check()

    def test_a_zip_of_several_files_or_a_workbook_is_refused(self, bring, tmp_path):
        path = tmp_path / "stock.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a.csv", "x")
            archive.writestr("b.csv", "x")
        with pytest.raises(CommandError, match="contient 2 fichiers ; il en faut un seul"):
            bring(path)
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("[Content_Types].xml", "x")
        with pytest.raises(CommandError, match="est un classeur"):
            bring(path)

    def test_a_zip_packed_in_an_unknown_manner_is_a_sentence(self, bring, tmp_path):
        path = tmp_path / "stock.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a.csv", "x")
        unknown, content = b"\x63\0", bytearray(path.read_bytes())
        directory = content.rfind(b"PK\x01\x02")
        content[8:10] = content[directory + 10 : directory + 12] = unknown
        path.write_bytes(content)
        with pytest.raises(CommandError, match="compressé d’une manière que nous ne lisons pas"):
            bring(path)

    @pytest.mark.parametrize("delimiter", [";", "\t"])
    def test_another_separator_a_byte_order_mark_and_windows_line_ends(self, bring, tmp_path, delimiter):
        path = tmp_path / "stock.csv"
        text = stock.as_csv(self.LINES, delimiter=delimiter).replace("\n", "\r\n")
        path.write_bytes(b"\xef\xbb\xbf" + text.encode())
        bring(path)
        self.check()

    def test_more_columns_in_another_order_are_no_matter(self, bring, tmp_path):
        header = ["nouvelle", *reversed(self.LINES[0])]
        bring(stock.write(tmp_path / "stock.csv", self.LINES, header=header))
        self.check()

    def parquet(self, path, **changes):
        columns = {name: [row.get(name, "") or None for row in self.LINES] for name in self.LINES[0]}
        arrays = {name: pa.array(values, pa.string()) for name, values in columns.items()} | changes
        pq.write_table(pa.table(arrays), path)
        return path

    def test_parquet(self, bring, tmp_path):
        days = pa.array([dt.date(2015, 3, 2)] * 2)
        times = pa.array([dt.datetime(2026, 9, 1, 8, 12, 44)] * 2, pa.timestamp("us"))
        bring(
            self.parquet(
                tmp_path / "stock.parquet",
                dateCreationEtablissement=days,
                dateDernierTraitementEtablissement=times,
                etablissementSiege=pa.array([True, False]),
                trancheEffectifsEtablissement=pa.array(["11", "01"]).dictionary_encode(),
            )
        )
        self.check()
        assert the(1).registry_updated_at == dt.datetime(2026, 9, 1, 6, 12, 44, tzinfo=dt.UTC)
        assert (the(1).is_headquarters, the(2).headcount_band) == (True, "01")

    @pytest.mark.parametrize("column", ["siret", "codeCommuneEtablissement", "codePostalEtablissement"])
    def test_parquet_with_codes_as_numbers_is_refused_since_their_zeros_are_lost(self, bring, tmp_path, column):
        path = self.parquet(tmp_path / "stock.parquet", **{column: pa.array([1, 2], pa.int64())})
        with pytest.raises(CommandError, match=f"la colonne {column} contient des nombres, qui ont perdu leurs zéros"):
            bring(path)

    def test_a_parquet_column_written_twice_is_refused(self, bring, tmp_path):
        path = self.parquet(tmp_path / "stock.parquet")
        table = pq.read_table(path)
        pq.write_table(table.append_column("siret", table["siret"]), path)
        with pytest.raises(CommandError, match="la colonne siret est écrite deux fois"):
            bring(path)

    def test_a_truncated_parquet_is_refused(self, bring, tmp_path):
        path = self.parquet(tmp_path / "stock.parquet")
        path.write_bytes(path.read_bytes()[:-30])
        with pytest.raises(CommandError, match="incomplet ou abîmé"):
            bring(path)


class TestDecisions:
    """No import undoes what a person decided."""

    def delist(self, n):
        visibility.delist(
            scope="siret", value=make_siret(n), by=None, at=timezone.now(), reason="no_apprentices", origin="form"
        )

    def test_a_delisted_establishment_stays_hidden_after_any_import(self, bring):
        bring([line(1), line(2)])
        self.delist(1)
        bring([line(1, enseigne1Etablissement="AUTRE"), line(2)])
        bring([line(1, etatAdministratif="F"), line(2)])
        bring([line(1), line(2)])
        assert listed() == {make_siret(2)}
        assert VisibilityDecision.objects.get().revoked_at is None

    def test_a_decision_older_than_the_establishment_s_first_import_holds(self, bring):
        self.delist(1)
        bring([line(1), line(2)])
        assert listed() == {make_siret(2)}


class TestInterruptions:
    """Killed at any point, readers see the table as it was; a second run ends the work."""

    @pytest.fixture
    def large(self, tmp_path):
        return stock.write(tmp_path / "StockEtablissement.csv", [line(n) for n in range(1, 2_001)])

    def start(self, path):
        return processes.start(
            "manage.py", "import_establishments", str(path), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            # A shell that runs the tests in its background has what it starts ignore Ctrl-C.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )  # fmt: skip

    def test_killed_while_it_reads_and_run_again(self, bring, large):
        with psycopg.connect(processes.database_url()) as other:
            # However slow this process is to see that it reads, it writes nothing meanwhile.
            other.execute("LOCK TABLE companies_establishment IN SHARE MODE")
            process = self.start(large)
            processes.wait_until(lambda: EstablishmentImport.objects.filter(status=ImportStatus.RUNNING).exists())
            processes.kill(process)
            assert Establishment.objects.count() == 0
        self.run_again(bring, large)

    def test_killed_while_it_writes_and_run_again(self, bring, large):
        with psycopg.connect(processes.database_url()) as other:
            # The import can stage, compare, and then waits at its first write.
            other.execute("LOCK TABLE companies_establishment IN SHARE MODE")
            process = self.start(large)
            processes.wait_until(self.someone_waits)
            processes.kill(process)
            assert Establishment.objects.count() == 0
        self.run_again(bring, large)

    @staticmethod
    def someone_waits():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database"
                " WHERE NOT granted AND locktype = 'relation' AND datname = current_database()"
            )
            return cursor.fetchone()[0] > 0

    def run_again(self, bring, large):
        told = processes.once_the_lock_is_back(lambda: bring(large))
        assert "2\u202f000 nouveaux" in told
        assert Establishment.objects.count() == 2_000
        states = EstablishmentImport.objects.order_by("id").values_list("status", flat=True)
        assert list(states) == [ImportStatus.INTERRUPTED, ImportStatus.DONE]

    def test_ctrl_c_says_that_nothing_changed(self, large):
        with psycopg.connect(processes.database_url()) as other:
            other.execute("LOCK TABLE companies_establishment IN SHARE MODE")
            process = self.start(large)
            processes.wait_until(self.someone_waits)
            process.send_signal(signal.SIGINT)
            _, told = process.communicate(timeout=120)
        assert process.returncode == 130
        assert "Import interrompu : rien n’a changé." in told
        assert "Traceback" not in told
        assert Establishment.objects.count() == 0
        assert last_import().status == ImportStatus.INTERRUPTED

    def test_a_database_that_goes_away_is_a_sentence_and_nothing_changes(self, large):
        with psycopg.connect(processes.database_url()) as other:
            other.execute("LOCK TABLE companies_establishment IN SHARE MODE")
            process = self.start(large)
            processes.wait_until(self.someone_waits)
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_database d ON d.oid = database"
                " WHERE NOT granted AND locktype = 'relation' AND datname = current_database()"
            )
            _, told = process.communicate(timeout=120)
        assert "la base ne répond plus. Rien n’a changé." in told
        assert "Traceback" not in told
        assert Establishment.objects.count() == 0

    def test_a_disk_that_is_full_is_a_sentence_and_nothing_changes(self, bring):
        with connection.cursor() as cursor:
            cursor.execute(
                "CREATE FUNCTION pg_temp.full() RETURNS trigger LANGUAGE plpgsql AS"
                " $$ BEGIN RAISE 'no space left' USING ERRCODE = 'disk_full'; END $$;"
                "CREATE TRIGGER is_full BEFORE INSERT ON companies_establishment EXECUTE FUNCTION pg_temp.full()"
            )
        try:
            with pytest.raises(CommandError, match=r"plus de place sur son disque\. Rien n’a changé\."):
                bring([line(1)])
        finally:
            with connection.cursor() as cursor:
                cursor.execute("DROP TRIGGER is_full ON companies_establishment")
        assert last_import().status == ImportStatus.INTERRUPTED

    def test_two_at_once_the_second_says_so_and_stops(self, bring):
        with single_run("import_establishments"), pytest.raises(AlreadyRunning, match="est déjà en cours"):
            bring([line(1)])
        assert not EstablishmentImport.objects.exists()
