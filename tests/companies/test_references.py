"""``import_references``: the tables say what the official files say, or nothing changed and a sentence says why."""

import threading
from collections import defaultdict

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from companies.actions import naf_shares, reference_tables
from companies.actions.reference_tables import SourceRefused
from companies.enums import ImportStatus, RomeItemKind
from companies.models import (
    Commune,
    Departement,
    FormerCommune,
    Idcc,
    Naf,
    NafRomeShare,
    Opco,
    ReferenceImport,
    Region,
    Rome,
    RomeAppellation,
    RomeMobility,
)
from labonnealternance.kit.commands import AlreadyRunning, single_run
from tests.companies.sample_source import copy_sample, edit, load
from tests.factories import EstablishmentFactory, OfferFactory

JOBS = "rome_v460/unix_referentiel_code_rome_v460_utf8.csv"
TITLES = "rome_v460/unix_referentiel_appellation_v460_utf8.csv"


def without_line(starting: str):
    return lambda text: "\n".join(line for line in text.split("\n") if not line.startswith(starting))


@pytest.mark.django_db
def test_the_sample_fills_every_table(settings):
    settings.DATA_DIR = None
    call_command("import_references", verbosity=0)
    baker = Rome.objects.get(code="D1102")
    assert baker.label == "Boulanger / Boulangère"
    assert baker.domain_label
    assert baker.definition.count("\n") == 1, "two sentences, one a line"
    assert baker.access
    assert baker.hirings > 1000
    assert baker.appellations.filter(is_main=True).get().label == "Boulanger / Boulangère"
    title = RomeAppellation.objects.get(rome=baker, label="Boulanger-pâtissier / Boulangère-pâtissière")
    assert (title.masculine_key, title.feminine_key) == ("boulanger patissier", "boulangere patissiere")
    kinds = {kind for kind in RomeItemKind if baker.items.filter(kind=kind).exists()}
    assert kinds == set(RomeItemKind)
    assert baker.items.filter(is_core=True).exists() and baker.items.filter(is_core=False).exists()
    assert baker.mobilities.earliest("position").target_id == "D1104"
    assert Opco.objects.count() == 11
    assert Opco.objects.get(code="UNIFORMATION").name == "Uniformation"
    assert Idcc.objects.get(code="0843").opco.name == "Opco entreprises de proximité"
    assert Region.objects.count() == 26 and Departement.objects.count() == 109
    lyon = Commune.objects.get(code="69383")
    assert (lyon.parent_id, lyon.postcodes, lyon.search_key) == ("69123", ["69003"], "lyon 3")
    assert Commune.objects.get(code="57463").employment_zone
    papeete = Commune.objects.get(name="Papeete")
    assert (papeete.latitude, papeete.longitude) == (None, None), "kept without a point"
    assert FormerCommune.objects.exists()


@pytest.mark.django_db
def test_a_second_run_changes_nothing():
    load()
    again = load()
    assert {label: (t.added, t.changed, t.removed, t.kept) for label, t in again.tables.items()} == dict.fromkeys(
        again.tables, (0, 0, 0, 0)
    )
    assert ReferenceImport.objects.filter(status=ImportStatus.DONE).count() == 2


@pytest.mark.django_db
def test_the_shares_of_each_activity_sum_to_one_and_have_no_tail():
    load()
    shares = defaultdict(list)
    for naf, share in NafRomeShare.objects.values_list("naf_id", "share"):
        shares[naf].append(share)
    assert set(shares) == set(Naf.objects.values_list("code", flat=True)), "every activity has jobs"
    assert all(sum(parts) == pytest.approx(1, abs=1e-9) for parts in shares.values())
    assert all(len(parts) <= naf_shares.MOST_JOBS for parts in shares.values())
    assert all(min(parts) >= naf_shares.SMALLEST_SHARE for parts in shares.values())


@pytest.mark.django_db
def test_what_changed_is_changed_what_is_new_is_added_what_left_is_removed(tmp_path):
    load()
    source = copy_sample(tmp_path)
    edit(source, "naf/naf_rev2_732.csv", lambda text: text.replace("9602A,Coiffure", "9602A,Salons de coiffure"))
    edit(source, "opco/idcc_opco.csv", lambda text: text + "9999,,AFDAS,Une branche nouvelle,\n")
    edit(source, "opco/idcc_opco.csv", without_line("0044,"))
    report = load(source)
    assert Naf.objects.get(code="9602A").label == "Salons de coiffure"
    assert report.tables["activités (NAF)"].changed == 1
    assert Idcc.objects.get(code="9999").opco_id == "AFDAS"
    assert not Idcc.objects.filter(code="0044").exists()
    branches = report.tables["conventions collectives (IDCC)"]
    assert (branches.added, branches.changed, branches.removed, branches.kept) == (1, 0, 1, 0)


@pytest.mark.django_db
def test_what_left_the_source_but_is_in_use_is_kept_and_told(tmp_path, capsys):
    load()
    EstablishmentFactory(naf_id="9602A")
    source = copy_sample(tmp_path)
    edit(source, "naf/naf_rev2_732.csv", without_line("9602A,"))
    call_command("import_references", source=source)
    assert Naf.objects.filter(code="9602A").exists()
    told = capsys.readouterr().out
    assert "activités (NAF) : 1 hors de la source mais encore en usage (9602A)" in told
    assert "naf/rome3_naf_hirings_raw.csv, ligne" in told, "its hirings name an unknown activity"


@pytest.mark.django_db
def test_a_job_and_a_title_that_left_the_source_stay_while_an_offer_has_them(tmp_path, capsys):
    load()
    title = RomeAppellation.objects.select_related("rome").order_by("pk").first()
    offer = OfferFactory(rome=title.rome, appellation=title)
    source = copy_sample(tmp_path)
    edit(source, JOBS, without_line(f'"{title.rome.code}"'))
    edit(source, TITLES, without_line(f'"{title.pk}"'))
    call_command("import_references", source=source)
    offer.refresh_from_db()
    assert (offer.rome_id, offer.appellation_id) == (title.rome.code, title.pk)
    told = capsys.readouterr().out
    assert f"métiers (ROME) : 1 hors de la source mais encore en usage ({title.rome.code})" in told
    assert f"appellations (ROME) : 1 hors de la source mais encore en usage ({title.pk})" in told


@pytest.mark.django_db
def test_arrondissements_leave_with_their_city(tmp_path):
    load()
    source = copy_sample(tmp_path)
    edit(source, "geo/communes.csv", lambda text: "\n".join(li for li in text.split("\n") if "Lyon" not in li))
    report = load(source)
    assert report.tables["communes"].removed == 10
    assert not Commune.objects.filter(name__startswith="Lyon").exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("file", "line", "reason"),
    [
        ("geo/communes.csv", "57999,Ville,commune-actuelle,,57000,57,44,1000,95,6,,,,", "n’est pas un point"),
        ("geo/communes.csv", "57999,Ville,commune-actuelle,,57000,57,44,1000,nan,6,,,,", "n’est pas un point"),
        ("geo/communes.csv", "57999,Ville,commune-actuelle,,57000,57,44,beaucoup,49,6,,,,", "n’est pas un nombre"),
        ("geo/communes.csv", "57999,Ville,commune-actuelle,,57,57,44,1000,49,6,,,,", "n’est pas un code"),
        ("geo/communes.csv", "57999,Ville,hameau,,57000,57,44,1000,49,6,,,,", "le type « hameau »"),
        ("geo/communes.csv", "57999,Ville,commune-actuelle,,57000,00,44,1000,49,6,,,,", "le département « 00 »"),
        ("geo/communes.csv", "57999,Ville,arrondissement-municipal,57998,57000,57,44,1,49,6,,,,", "commune parente"),
        ("geo/communes.csv", "57463,Metz,commune-actuelle,,57000,57,44,1000,49,6,,,,", "figure déjà plus haut"),
        ("geo/communes.csv", "57999,Ville", "2 valeurs au lieu de 14"),
        ("geo/communes.csv", '57999,"Ville,commune-actuelle,,57000,57,44,1000,49,6,,,,', "guillemet"),
        ("naf/naf_rev2_732.csv", "47.11D,Supermarchés", "n’est pas un code NAF"),
        ("naf/naf_rev2_732.csv", "4799A,", "le libellé est vide"),
        ("naf/naf_rev2_732.csv", "4799A," + "x" * 201, "201 caractères"),
        ("naf/rome3_naf_hirings_raw.csv", "D1102,,9999Z,,5", "l’activité « 9999Z » n’existe pas"),
        ("naf/rome3_naf_hirings_raw.csv", "D1102,,4711D,,-5", "n’est pas un nombre"),
        ("opco/idcc_opco.csv", "na,,AFDAS,Une branche sans numéro,", "n’est pas un numéro de convention"),
        ("opco/idcc_opco.csv", "9998,,OPCO inventé,Une branche,", "l’OPCO « OPCO inventé » n’existe pas"),
    ],
)
def test_a_bad_line_is_told_with_its_number_and_the_good_ones_are_kept(tmp_path, file, line, reason):
    source = copy_sample(tmp_path)
    number = len((source / file).read_text("utf-8").split("\n"))
    edit(source, file, lambda text: f"{text}{line}\n")
    report = load(source)
    assert [(fault.file, fault.line) for fault in report.faults] == [(file, number)]
    assert reason in report.faults[0].reason
    assert Commune.objects.count() == 231 and Naf.objects.count() == 117
    kept = ReferenceImport.objects.get()
    assert (kept.bad_lines, kept.faults[0][:2]) == (1, [file, number])


@pytest.mark.django_db
@pytest.mark.parametrize("missing", ["geo/communes.csv", TITLES, "opco/opco.csv", "naf/rome3_naf_hirings_raw.csv"])
def test_a_source_with_a_missing_file_is_refused(tmp_path, missing):
    source = copy_sample(tmp_path)
    (source / missing).unlink()
    with pytest.raises(SourceRefused, match="Il manque le fichier"):
        load(source)
    assert not Rome.objects.exists()
    assert ReferenceImport.objects.get().status == ImportStatus.REFUSED


@pytest.mark.django_db
def test_a_renamed_column_is_told_with_its_file(tmp_path):
    source = copy_sample(tmp_path)
    edit(source, "geo/communes.csv", lambda text: text.replace("codes_postaux", "code_postal", 1))
    with pytest.raises(CommandError, match=r"geo/communes\.csv, il manque la colonne « codes_postaux »"):
        call_command("import_references", source=source)


@pytest.mark.django_db
def test_no_rome_folder_no_folder_at_all(tmp_path):
    with pytest.raises(SourceRefused, match="n’existe pas"):
        load(tmp_path / "absent")
    source = copy_sample(tmp_path)
    (source / "rome_v460").rename(source / "rome")
    with pytest.raises(SourceRefused, match="aucun dossier ROME"):
        load(source)


@pytest.mark.django_db
def test_the_most_recent_version_of_rome_is_read(tmp_path):
    source = copy_sample(tmp_path)
    newer = source / "rome_v461"
    newer.mkdir()
    for path in (source / "rome_v460").iterdir():
        (newer / path.name.replace("v460", "v461")).write_bytes(path.read_bytes())
    edit(
        source, "rome_v461/unix_referentiel_code_rome_v461_utf8.csv", lambda text: text.replace("Fleuriste", "Bouquets")
    )
    load(source)
    assert Rome.objects.get(code="D1209").label == "Bouquets"


@pytest.mark.django_db
def test_a_source_much_smaller_than_the_tables_is_refused_unless_a_person_says_why(tmp_path, capsys):
    load()
    source = copy_sample(tmp_path)
    edit(source, JOBS, lambda text: "\n".join(text.split("\n")[:41]))
    with pytest.raises(CommandError, match=r"métiers \(ROME\), 40 au lieu de 77.*--force RAISON"):
        call_command("import_references", source=source)
    assert Rome.objects.count() == 77
    call_command("import_references", source=source, force="Essai de la moitié")
    assert Rome.objects.count() == 40
    assert ReferenceImport.objects.get(forced_reason="Essai de la moitié").status == ImportStatus.DONE
    assert RomeMobility.objects.exclude(target__in=Rome.objects.all()).count() == 0


@pytest.mark.django_db(transaction=True)
def test_a_run_stopped_midway_leaves_the_tables_as_they_were(tmp_path, monkeypatch):
    load()
    source = copy_sample(tmp_path)
    edit(source, "naf/naf_rev2_732.csv", lambda text: text.replace("9602A,Coiffure", "9602A,Salons"))

    def stopped(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(reference_tables, "_remove", stopped)
    with pytest.raises(KeyboardInterrupt):
        load(source)
    assert Naf.objects.get(code="9602A").label == "Coiffure"
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_class WHERE relname LIKE 'staged_%' AND relpersistence = 't'")
        assert cursor.fetchone() == (0,)


@pytest.mark.django_db
def test_a_disk_that_is_full_is_a_sentence():
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION pg_temp.full() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE 'no space left' USING ERRCODE = 'disk_full'; END $$;"
            "CREATE TRIGGER is_full BEFORE INSERT ON companies_naf EXECUTE FUNCTION pg_temp.full()"
        )
    with pytest.raises(CommandError, match=r"plus de place sur son disque\. Rien n’a changé\."):
        call_command("import_references")


@pytest.mark.django_db(transaction=True)
def test_readers_see_the_old_tables_whole_until_the_new_ones_are(tmp_path, monkeypatch):
    load()
    source = copy_sample(tmp_path)
    edit(source, "naf/naf_rev2_732.csv", lambda text: text.replace("9602A,Coiffure", "9602A,Salons"))
    written, may_end = threading.Event(), threading.Event()
    remove = reference_tables._remove

    def wait_then_remove(*args):
        written.set()
        assert may_end.wait(30)
        remove(*args)

    def import_aside():
        load(source)
        connection.close()

    monkeypatch.setattr(reference_tables, "_remove", wait_then_remove)
    importing = threading.Thread(target=import_aside)
    importing.start()
    assert written.wait(30)
    during = Naf.objects.get(code="9602A").label
    may_end.set()
    importing.join(30)
    assert (during, Naf.objects.get(code="9602A").label) == ("Coiffure", "Salons")


@pytest.mark.django_db
def test_two_imports_at_once_the_second_says_so_and_stops():
    with single_run("import_references"), pytest.raises(AlreadyRunning):
        call_command("import_references")


@pytest.mark.django_db
def test_if_empty_leaves_loaded_tables_alone(tmp_path, capsys):
    load()
    call_command("import_references", "--if-empty", source=tmp_path / "absent")
    assert "déjà chargées" in capsys.readouterr().out


def test_hirings_go_to_the_job_that_kept_its_code_first_then_to_those_of_the_division():
    counts = naf_shares.hirings_by_job(
        hirings={("1071C", "D1102"): 350},
        parents={"D1102": "D1102", "D1108": "D1102", "D1114": "D1102"},
        titles={"D1102": 1, "D1108": 4, "D1114": 10},
        divisions={("D1108", "10")},
    )
    assert counts["1071C"] == pytest.approx({"D1102": 350 * 3 / 8, "D1108": 350 * 4 / 8, "D1114": 350 * 1 / 8})


def test_an_activity_without_hirings_takes_those_of_its_group_then_of_its_division_then_of_all():
    counts = {"4321A": {"F1602": 80.0, "F1201": 20.0}, "4711D": {"D1507": 300.0}}
    rows = naf_shares.shares(nafs=["4321B", "4399Z", "0111Z"], counts=counts)
    shares = {(naf, rome): share for naf, rome, share in rows}
    assert shares["4321B", "F1602"] == pytest.approx(0.8)
    assert shares["4399Z", "F1201"] == pytest.approx(0.2)
    assert shares["0111Z", "D1507"] == pytest.approx(0.75)


def test_too_few_hirings_say_nothing_of_an_activity():
    counts = {"4321A": {"F1602": 80.0}, "4321B": {"M1607": float(naf_shares.FEWEST_HIRINGS - 1)}}
    rows = naf_shares.shares(nafs=["4321B"], counts=counts)
    assert rows[0][1] == "F1602"
