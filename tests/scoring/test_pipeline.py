"""The pipeline without a database: what it reads, what it must not see, how good it is."""

import gzip
import shutil
import subprocess
import sys
import textwrap
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from scoring.pipeline import dataset as dataset_of
from scoring.pipeline import evaluate, features
from scoring.pipeline.dataset import Events, SiretIndex
from scoring.pipeline.errors import DegenerateWindow, TooManyFaults, UnreadableFile
from scoring.pipeline.predict import ExposurePolicy, expose
from scoring.pipeline.run import keep, previous_of, score
from scoring.pipeline.train import BASELINE_LABELS, Calibration, Model, Scores
from scoring.pipeline.windows import measure_delay, plan, target_counts
from tests.scoring import country


def rewrite(folder, target, name, change):
    """A history whose file ``name`` was changed by ``change(table) -> table``."""
    target.mkdir(exist_ok=True)
    for path in folder.glob("*.parquet"):
        if path.stem != name:
            (target / path.name).symlink_to(path)
    pq.write_table(change(pq.read_table(folder / f"{name}.parquet")), target / f"{name}.parquet")
    return target


# What runs where --------------------------------------------------------------------------------------------------


def test_the_pipeline_runs_without_django(history, tmp_path):
    script = """
        import sys
        from pathlib import Path
        import pandas as pd
        from scoring.pipeline import dataset, run
        from scoring.pipeline.predict import ExposurePolicy
        folder, out = Path(sys.argv[1]), Path(sys.argv[2])
        communes, shares = pd.read_json(out / "communes.json", dtype=str), pd.read_json(out / "shares.json")
        stock = dataset.establishments_from_stock(folder / "establishments.parquet", communes)
        data = dataset.read(folder, stock, run_month=2026 * 12 + 10, quarantine_path=out / "q.csv.gz")
        result = run.score(data, shares, policy=ExposurePolicy(), seed=1)
        assert len(result.exposed) > 1000
        print([name for name in ("django", "companies", "scoring.models") if name in sys.modules])
    """
    country.references().communes.to_json(tmp_path / "communes.json")
    country.shares().to_json(tmp_path / "shares.json")
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), str(history), str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr


def test_the_web_loads_none_of_the_models_libraries():
    script = """
        import sys, django
        django.setup()
        from django.contrib import admin
        admin.autodiscover()
        import labonnealternance.urls, scoring.models, scoring.admin
        heavy = ("lightgbm", "pandas", "numpy", "pyarrow", "sklearn", "scipy")
        print([name for name in heavy if name in sys.modules])
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr


# Reading ----------------------------------------------------------------------------------------------------------


def test_every_contract_of_a_known_establishment_is_read(dataset, history):
    written = pq.read_table(history / "contracts.parquet")
    assert dataset.reports["contracts"].rows == written.num_rows == len(dataset.contracts)
    assert dataset.contracts.count.sum() == sum(written["count"].to_pylist())
    assert dataset.establishments["siret"].str.len().eq(14).all()


def test_csv_compressed_or_not_gives_the_same_dataset_as_parquet(dataset, history, tmp_path):
    for name in ("establishments", "hires", "financials"):
        (tmp_path / f"{name}.parquet").symlink_to(history / f"{name}.parquet")
    table = pq.read_table(history / "contracts.parquet")
    pa_csv.write_csv(table, tmp_path / "contracts.csv")
    plain = country.read(tmp_path, quarantine=tmp_path / "q.gz")
    (tmp_path / "contracts.csv.gz").write_bytes(gzip.compress((tmp_path / "contracts.csv").read_bytes()))
    (tmp_path / "contracts.csv").unlink()
    packed = country.read(tmp_path, quarantine=tmp_path / "q.gz")
    for found in (plain, packed):
        assert found.contracts.who.tolist() == dataset.contracts.who.tolist()
        assert found.contracts.count.sum() == dataset.contracts.count.sum()
        assert found.contracts.month.tolist() == dataset.contracts.month.tolist()


def test_months_may_be_written_without_a_day(history, tmp_path):
    target = rewrite(
        history,
        tmp_path / "h",
        "contracts",
        lambda table: table.set_column(
            1, "start_month", pa.array([f"{day:%Y-%m}" for day in table["start_month"].to_pylist()])
        ),
    )
    assert country.read(target).reports["contracts"].quarantined == 0


FAULTS = [
    ("siret", "123", "le SIRET n’a pas 14 chiffres"),
    ("siret", "00000000000001", "la clé du SIRET est fausse"),
    ("siret", "٠٠٠٠٠٠٠٠٠٠٠٠٠٠", "le SIRET n’a pas 14 chiffres"),
    ("start_month", "septembre", "le mois n’est pas de la forme AAAA-MM"),
    ("start_month", "2026-13-01", "le mois n’est pas de la forme AAAA-MM"),
    ("contract_type", "STAGE", "le type de contrat n’est pas l’un de : APR, PRO"),
    ("count", "0", "le nombre n’est pas entre 1 et 5000"),
    ("count", "1.5", "le nombre n’est pas entre 1 et 5000"),
    ("count", "beaucoup", "le nombre n’est pas entre 1 et 5000"),
    ("count", None, "le nombre n’est pas entre 1 et 5000"),
]


def test_each_faulty_row_goes_to_quarantine_with_its_line_and_its_reason(history, tmp_path):
    table = pq.read_table(history / "contracts.parquet").to_pandas().astype(str)
    for line, (column, value, _) in enumerate(FAULTS):
        table.loc[line, column] = value
    target = tmp_path / "h"
    rewrite(history, target, "contracts", lambda _: pa.Table.from_pandas(table, preserve_index=False))
    found = country.read(target, quarantine=tmp_path / "quarantine.csv.gz")
    assert found.reports["contracts"].quarantined == len(FAULTS)
    assert len(found.contracts) == len(table) - len(FAULTS)
    kept = pd.read_csv(tmp_path / "quarantine.csv.gz").sort_values("line")
    assert kept["line"].tolist() == list(range(1, len(FAULTS) + 1))
    assert kept["reason"].tolist() == [reason for _, _, reason in FAULTS]
    assert set(kept["file"]) == {"contracts.parquet"}
    assert found.reports["contracts"].reasons["le nombre n’est pas entre 1 et 5000"] == 4


def test_a_healthy_file_leaves_no_quarantine(dataset, history):
    assert not (history / "quarantine.csv.gz").exists()


def test_too_many_faulty_rows_stop_the_run(history, tmp_path):
    def break_some(table):
        kinds = ["CDI" if row % 10 == 0 else kind for row, kind in enumerate(table["contract_type"].to_pylist())]
        return table.set_column(2, "contract_type", pa.array(kinds))

    with pytest.raises(TooManyFaults, match="10,0 % des lignes sont écartées"):
        country.read(rewrite(history, tmp_path / "h", "contracts", break_some))


def test_sirets_written_as_numbers_are_refused_since_their_zeros_are_lost(history, tmp_path):
    def as_numbers(table):
        return table.set_column(0, "siret", table["siret"].cast(pa.int64()))

    with pytest.raises(UnreadableFile, match="zéros de tête"):
        country.read(rewrite(history, tmp_path / "h", "contracts", as_numbers))


def test_a_line_of_a_csv_that_is_cut_short_or_in_another_encoding_is_set_aside_and_the_others_pass(history, tmp_path):
    def spoil(text: bytes) -> bytes:
        lines = text.split(b"\n")
        lines[2:2] = [b"une ligne,cassee", "00000000000000,2026-01,\u00c9T\u00c9,1".encode("latin-1")]
        return b"\n".join([*lines[:-1], b"la derniere", b""])

    target = tmp_path / "h"
    shutil.copytree(history, target)
    table = pd.read_parquet(history / "contracts.parquet")
    (target / "contracts.parquet").unlink()
    (target / "contracts.csv").write_bytes(spoil(table.to_csv(index=False, lineterminator="\n").encode()))
    found = country.read(target, quarantine=tmp_path / "quarantine.csv.gz")
    assert found.reports["contracts"].quarantined == 3
    assert len(found.contracts) == len(table)
    kept = pd.read_csv(tmp_path / "quarantine.csv.gz").sort_values("line")
    assert kept["line"].tolist() == [3, 4, len(table) + 4]
    assert kept["reason"].tolist()[::2] == ["la ligne n’a pas autant de champs que l’en-tête"] * 2


@pytest.mark.parametrize(
    ("column", "values", "sentence"),
    [
        ("contract_type", pa.array([["APR"]]), "« contract_type » n’est pas du texte"),
        ("count", pa.array([[1]]), "« count » n’est pas un nombre"),
        ("count", pa.array([0], pa.date32()), "« count » n’est pas un nombre"),
    ],
)
def test_a_column_of_another_kind_is_a_sentence(history, tmp_path, column, values, sentence):
    def change(table):
        place = table.schema.get_field_index(column)
        return table.set_column(place, column, pa.chunked_array([values] * table.num_rows))

    with pytest.raises(UnreadableFile, match=sentence):
        country.read(rewrite(history, tmp_path / "h", "contracts", change))


def test_a_column_written_twice_is_a_sentence(history, tmp_path):
    with pytest.raises(UnreadableFile, match="« siret » est écrite deux fois"):
        country.read(
            rewrite(history, tmp_path / "h", "contracts", lambda table: table.append_column("siret", table["siret"]))
        )


def test_a_number_that_no_float_holds_is_one_faulty_row(history, tmp_path):
    def change(table):
        counts = [2**63 - 1, *table["count"].to_pylist()[1:]]
        return table.set_column(table.schema.get_field_index("count"), "count", pa.array(counts, pa.int64()))

    found = country.read(rewrite(history, tmp_path / "h", "contracts", change), quarantine=tmp_path / "q.csv.gz")
    assert found.reports["contracts"].quarantined == 1


@pytest.mark.parametrize("turnover", [float("inf"), 1e300])
def test_accounts_beyond_measure_are_set_aside(history, tmp_path, turnover):
    def change(table):
        values = [turnover, *table["turnover"].to_pylist()[1:]]
        return table.set_column(table.schema.get_field_index("turnover"), "turnover", pa.array(values, pa.float64()))

    found = country.read(rewrite(history, tmp_path / "h", "financials", change), quarantine=tmp_path / "q.csv.gz")
    assert found.reports["financials"].reasons == {"un montant ou un effectif est démesuré": 1}
    assert found.accounts["turnover"].max() < 1e13


def test_a_missing_column_a_missing_file_and_an_unreadable_one_are_named(history, tmp_path):
    with pytest.raises(UnreadableFile, match="« count »"):
        country.read(rewrite(history, tmp_path / "a", "contracts", lambda table: table.drop_columns(["count"])))
    stock = country.read(history).establishments
    with pytest.raises(UnreadableFile, match="contracts"):
        dataset_of.read(tmp_path, stock, run_month=country.RUN_MONTH, quarantine_path=tmp_path / "q")
    (tmp_path / "contracts.parquet").write_bytes(b"PAR1 not really")
    with pytest.raises(UnreadableFile, match="est vide, abîmé, ou n’est pas au format attendu"):
        dataset_of.read(tmp_path, stock, run_month=country.RUN_MONTH, quarantine_path=tmp_path / "q")


def test_unknown_sirets_and_contracts_signed_ahead_are_counted_and_left_out(history):
    whole = country.read(history)
    half = whole.establishments.iloc[::2]
    found = dataset_of.read(
        history, half, run_month=country.RUN_MONTH - 6, quarantine_path=history / "quarantine.csv.gz"
    )
    report = found.reports["contracts"]
    assert report.ahead == int((whole.contracts.month >= country.RUN_MONTH - 6).sum())
    assert 0.3 < report.unknown_share < 0.7
    assert found.horizon == country.RUN_MONTH - 6


def test_sirets_keep_their_zeros_and_the_post_office_has_its_own_rule():
    index = SiretIndex(pd.Series(["00000001800013", "35600000000048"]))
    assert index.find(np.array([b"35600000000048", b"00000001800013", b"00000000000000"])).tolist() == [1, 0, -1]
    assert dataset_of.has_luhn(np.array([b"35600000049837", b"35600000049838"], dtype="S14")).tolist() == [True, False]


# Windows and delays -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("declared", "expected"), [((), 0), ((0.4,), 1), ((0.3, 0.6, 0.8), 3), ((0.1, 0.2, 0.4, 0.6, 0.8), 5)]
)
def test_the_delay_of_declarations_is_measured_on_the_data(tmp_path, declared, expected):
    folder = country.make_history(tmp_path, size=20_000, seed=2, declared_after=declared)
    found = country.read(folder)
    delay = measure_delay(found)
    assert delay.months == expected
    for age, share in enumerate(declared):
        assert delay.completeness[age] == pytest.approx(share, abs=0.15)


def test_windows_are_of_one_season_and_the_delay_separates_features_from_target(dataset):
    delay = measure_delay(dataset)
    windows = plan(dataset, delay)
    starts = [windows.fit, windows.calibrate, windows.report, windows.target]
    assert [start % 12 for start in starts] == [windows.target % 12] * 4
    assert windows.report + 6 <= dataset.horizon - delay.months
    for start in starts:
        assert windows.cut(start) == start - delay.months
    assert windows.cut(windows.fit) - windows.lookback >= dataset.first_month


def test_late_declarations_push_the_report_window_a_year_back(dataset):
    delay = replace(measure_delay(dataset), months=7)
    assert plan(dataset, delay).report == dataset.horizon - 24


def test_a_history_too_short_is_refused_with_what_is_missing(dataset):
    contracts = dataset.contracts
    first = dataset.horizon - 40
    kept = contracts.month >= first
    short = replace(
        dataset,
        contracts=Events(contracts.who[kept], contracts.month[kept], contracts.kind[kept], contracts.count[kept]),
        first_month=first,
    )
    with pytest.raises(DegenerateWindow, match=r"il manque \d+ mois"):
        plan(short, measure_delay(short))
    with pytest.raises(DegenerateWindow, match="il en faut au moins 36"):
        measure_delay(replace(short, first_month=dataset.horizon - 30))


def test_a_window_without_employers_is_refused(dataset):
    contracts = dataset.contracts
    windows = plan(dataset, measure_delay(dataset))
    hole = (contracts.month >= windows.report) & (contracts.month < windows.report + 6)
    empty = replace(
        dataset,
        contracts=Events(contracts.who[~hole], contracts.month[~hole], contracts.kind[~hole], contracts.count[~hole]),
    )
    with pytest.raises(DegenerateWindow, match=r"d’évaluation .* 0 employeurs"):
        plan(empty, replace(measure_delay(dataset), months=windows.delay))


def test_a_window_where_everybody_hires_is_refused(dataset):
    windows = plan(dataset, measure_delay(dataset))
    everyone = np.arange(dataset.size, dtype=np.int32)
    contracts = dataset.contracts
    crowded = replace(
        dataset,
        contracts=Events(
            np.r_[contracts.who, everyone],
            np.r_[contracts.month, np.full(dataset.size, windows.report, np.int32)],
            np.r_[contracts.kind, np.zeros(dataset.size, np.int8)],
            np.r_[contracts.count, np.ones(dataset.size, np.int32)],
        ),
    )
    with pytest.raises(DegenerateWindow, match="dégénérée"):
        plan(crowded, measure_delay(dataset))


# Features ---------------------------------------------------------------------------------------------------------


def test_nothing_after_the_cut_changes_a_feature(dataset):
    windows = plan(dataset, measure_delay(dataset))
    levels = features.levels(dataset)
    before = features.build(dataset, windows, windows.report, levels)
    rng = np.random.default_rng(0)

    def shuffled(events):
        after = events.month >= windows.cut(windows.report)
        who = np.where(after, rng.integers(0, dataset.size, len(events.who)), events.who).astype(np.int32)
        count = np.where(after, rng.integers(1, 50, len(events.who)), events.count).astype(np.int32)
        return Events(who, events.month, events.kind, count)

    changed = replace(dataset, contracts=shuffled(dataset.contracts), hires=shuffled(dataset.hires))
    accounts = dataset.accounts.copy()
    accounts.loc[accounts["year"] >= windows.cut(windows.report) // 12, ["turnover", "headcount"]] *= 100
    changed = replace(changed, accounts=accounts)
    assert target_counts(changed, windows.report).tolist() != target_counts(dataset, windows.report).tolist()
    pd.testing.assert_frame_equal(before, features.build(changed, windows, windows.report, levels))


def test_features_say_what_they_are_named(dataset):
    windows = plan(dataset, measure_delay(dataset))
    table = features.build(dataset, windows, windows.target, features.levels(dataset))
    cut, contracts = windows.cut(windows.target), dataset.contracts
    assert list(table) == [feature.name for feature in features.specification(windows)]
    who = int(contracts.who[np.argmax((contracts.month < cut) * contracts.count)])
    mine = pd.DataFrame({"month": contracts.month, "count": contracts.count})[contracts.who == who]
    mine = mine[(mine["month"] < cut) & (mine["month"] >= cut - windows.lookback)]
    row = table.iloc[who]
    assert row["contracts_12m"] == mine[mine["month"] >= cut - 12]["count"].sum()
    assert row["contracts_half_1"] == mine[mine["month"].between(cut - 12, cut - 7)]["count"].sum()
    assert (
        row["contracts_season_1"] == mine[mine["month"].between(windows.target - 12, windows.target - 7)]["count"].sum()
    )
    assert row["contracts_past"] == mine["count"].sum()
    assert row["months_since_contract"] == cut - 1 - mine["month"].max()
    never = table["contracts_past"] == 0
    assert table.loc[never, "months_since_contract"].isna().all()
    assert (table.loc[never, "years_in_a_row"] == 0).all()
    assert table["years_in_a_row"].max() == windows.lookback // 12


def test_the_other_establishments_of_a_company_count_and_not_oneself(dataset):
    windows = plan(dataset, measure_delay(dataset))
    table = features.build(dataset, windows, windows.target, features.levels(dataset))
    alone = table["unit_establishments"] == 1
    assert (table.loc[alone, "unit_contracts_12m"] == 0).all()
    unit = dataset.unit[np.argmax(table["unit_establishments"])]
    members = table[dataset.unit == unit]
    assert (members["unit_contracts_12m"] + members["contracts_12m"]).nunique() == 1


# How good ---------------------------------------------------------------------------------------------------------


def test_the_model_beats_the_best_baseline_and_stays_under_the_oracle(result):
    metrics = result.report["metrics"]
    for figure in ("roc_auc", "pr_auc", "capture_employers_10"):
        best = max(metrics[name][figure] for name in BASELINE_LABELS)
        assert metrics["model"][figure] > best, figure
        assert metrics["model"][figure] < metrics["oracle"][figure], figure
    assert metrics["model"]["log_loss"] < min(metrics[name]["log_loss"] for name in BASELINE_LABELS)


def test_employers_without_a_past_are_found_better_than_by_chance_and_measured_apart(result):
    beginners = result.report["first_time"]
    assert 0.15 < beginners["share_of_employers"] < 0.5
    assert beginners["model"]["roc_auc"] > 0.58
    assert beginners["last_year"]["roc_auc"] == pytest.approx(0.5)


def test_every_departement_size_and_history_is_measured(result):
    groups = result.report["groups"]
    assert set(groups["departement"]) == set(country.DEPARTEMENTS)
    assert {"1–9", "10–19", "20–49", "50–249", "250+"} <= set(groups["size"])
    assert set(groups["first_time"]) == {"sans historique", "avec historique"}


def test_the_model_is_monotone_in_the_past(result, dataset):
    windows = result.windows
    table = features.build(dataset, windows, windows.target, features.levels(dataset)).head(500)
    more = table.copy()
    for name in ("contracts_12m", "contracts_past", "contracts_half_0", "contracts_season_1"):
        more[name] += 3
    assert (result.model.scores(more).rank >= result.model.scores(table).rank - 1e-12).all()


def test_the_same_seed_gives_the_same_scores(result, dataset):
    again = score(dataset, country.shares(), policy=ExposurePolicy(), seed=1)
    assert again.scores.rank.tolist() == result.scores.rank.tolist()
    assert again.exposed.expected.tolist() == result.exposed.expected.tolist()


def test_a_kept_run_is_read_again_with_its_features(result, dataset, tmp_path):
    keep(result, dataset, tmp_path)
    model = Model.load(tmp_path / "model")
    assert [feature.label for feature in model.features] == [feature.label for feature in result.model.features]
    table = features.build(dataset, result.windows, result.windows.target, features.levels(dataset)).head(200)
    assert model.scores(table).probability == pytest.approx(result.model.scores(table).probability)
    previous = previous_of(tmp_path, result.report)
    assert previous.volumes["contrats"] == dataset.reports["contracts"].rows
    again = score(dataset, country.shares(), policy=ExposurePolicy(), seed=1, previous=previous)
    assert again.report["jaccard"] > 0.99


# Figures ----------------------------------------------------------------------------------------------------------


def test_figures_of_a_perfect_ranking():
    contracts = np.array([0] * 90 + [1] * 8 + [5] * 2, dtype=float)
    truth = (contracts > 0).astype(float)
    figures = evaluate.measure(contracts, Scores(contracts, truth.clip(0.001, 0.999), contracts))
    assert figures["roc_auc"] == 1
    assert figures["capture_employers_10"] == 1
    assert figures["capture_contracts_5"] == pytest.approx(13 / 18)
    assert (figures["precision_10"], figures["lift_10"]) == (1, 10)


def test_the_comparison_of_two_rankings_knows_its_own_noise():
    rng = np.random.default_rng(1)
    differences, errors = [], []
    for _ in range(200):
        hired = rng.random(400) < 0.2
        signal = hired + rng.normal(0, 1, 400)
        found = evaluate.compare_auc(hired, signal + rng.normal(0, 0.5, 400), signal + rng.normal(0, 0.5, 400))
        differences.append(found.difference)
        errors.append(found.error)
    assert np.std(differences) == pytest.approx(np.mean(errors), rel=0.15)
    assert evaluate.compare_auc(np.arange(40) < 9, rng.random(40), rng.random(40)) is None


def test_stability_of_a_feature():
    rng = np.random.default_rng(2)
    same = pd.Series(rng.normal(0, 1, 5_000))
    assert evaluate.psi(same, pd.Series(rng.normal(0, 1, 5_000))) < 0.02
    assert evaluate.psi(same, pd.Series(rng.normal(1, 1, 5_000))) > 0.5
    assert evaluate.psi(same, same.where(rng.random(5_000) < 0.5)) > 0.5
    places = pd.Series(pd.Categorical(rng.choice(["57", "75"], 5_000), categories=["57", "75", "13"]))
    assert evaluate.psi(places, places) == pytest.approx(0)


def test_calibration_grows_and_is_never_certain():
    rng = np.random.default_rng(3)
    raw = rng.random(2_000)
    curve = Calibration.fit(raw, rng.random(2_000) < raw**2)
    said = curve(np.linspace(-1, 2, 50))
    assert (np.diff(said) >= 0).all()
    assert said.min() > 0
    assert said.max() < 1
    assert curve(np.array([0.5]))[0] == pytest.approx(0.25, abs=0.1)


# Exposure ---------------------------------------------------------------------------------------------------------


def place(rows):
    """Establishments of one activity: (zone, expected)."""
    table = pd.DataFrame(
        {
            "siret": [f"{number:014d}" for number in range(len(rows))],
            "naf": "1071C",
            "departement": "57",
            "employment_zone": [zone for zone, _ in rows],
        }
    )
    return table, np.arange(len(rows)), np.array([expected for _, expected in rows])


BAKERY = pd.DataFrame({"naf": ["1071C", "1071C"], "rome": ["D1102", "D1106"], "share": [0.6, 0.01]})


def test_a_pair_is_the_expected_number_times_the_share_of_the_job():
    table, scored, expected = place([("A", 0.5), ("A", 0.1)])
    found = expose(table, scored, expected, BAKERY, ExposurePolicy(establishment_share=1, exposed_share=1))
    assert list(found.rows(table["siret"].to_numpy())) == [
        ("00000000000000", "D1102", pytest.approx(0.3)),
        ("00000000000001", "D1102", pytest.approx(0.06)),
    ]


def test_a_city_is_not_flooded():
    table, scored, expected = place([("Paris", 1 - number / 1000) for number in range(100)])
    policy = ExposurePolicy(establishment_share=1, exposed_share=1, zone_ceiling=30, zone_floor=0)
    assert sorted(expose(table, scored, expected, BAKERY, policy).who) == list(range(30))


def test_a_rural_search_is_not_left_empty():
    rows = [("Paris", 1.0 + number / 100) for number in range(60)]
    rows += [("Lozère", 0.2 + number / 100) for number in range(20)]
    table, scored, expected = place([*rows, *[("Paris", 0.01)] * 60])
    policy = ExposurePolicy(establishment_share=1, exposed_share=0.2, floor_share=0.6, zone_floor=3)
    found = expose(table, scored, expected, BAKERY, policy)
    assert found.minimum_by_rome["D1102"] > 0.39 * 0.6
    shown = table["employment_zone"].iloc[found.who].value_counts()
    assert shown["Lozère"] == 3
    assert expected[found.who][table["employment_zone"].iloc[found.who] == "Lozère"].min() == pytest.approx(0.37)


def test_a_minimum_set_by_hand_is_obeyed_and_kept_with_the_release():
    table, scored, expected = place([("A", 0.5), ("A", 0.4), ("A", 0.1)])
    policy = ExposurePolicy(establishment_share=1, zone_floor=0, minimum_by_rome={"D1102": 0.2})
    found = expose(table, scored, expected, BAKERY, policy)
    assert sorted(found.who) == [0, 1]
    assert found.minimum_by_rome == {"D1102": 0.2}
    assert policy.as_json()["minimum_by_rome"] == {"D1102": 0.2}


def test_high_is_said_of_the_better_part_of_a_zone_only(result, dataset):
    shown = np.unique(result.exposed.who)
    assert len(shown) < 0.5 * len(result.scored)
    best = result.scores.expected[np.isin(result.scored, shown)].mean()
    assert best > 1.5 * result.scores.expected.mean()
    assert not np.isin(shown, np.flatnonzero(~dataset.open_at(dataset.horizon))).any()
