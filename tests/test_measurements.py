"""The programs under examples/measurements run from end to end on made-up tables, and find what they must."""

from __future__ import annotations

import csv
import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy.stats import ks_2samp

ROOT = Path(__file__).parent.parent
PROGRAMS = ROOT / "examples" / "measurements"
FEATURES = ("acc_mean", "acc_energy", "acc_cross", "gyro_shape_skew", "gyro_mean", "gyro_energy")
TASKS = (
    "abt_buy", "amazon_barnes", "amazon_goodreads", "amazon_google", "beer", "bikedekho_bikewale", "dblp_acm", "dblp_scholar",
    "fodors_zagats", "goodreads_barnes", "imdb_rotten", "imdb_tmdb", "itunes_amazon", "rottentomatoes_imdb", "walmart_amazon",
    "yelp_zomato",
)  # fmt: skip
TEXTS = ("mrpc", "qqp", "paws", "rte", "qnli", "scitail", "sick")
RNG = np.random.default_rng(0)


Columns = dict[str, list[Any]]


def write(path: Path, columns: Columns) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)


def words(rows: int, first: int, length: int = 4) -> list[str]:
    return [" ".join(f"word{first + i}" for i in RNG.integers(0, 60, length)) for _ in range(rows)]


def sensors(rows: int, centre: float) -> Columns:
    return {name: RNG.normal(centre + 3 * i, 1 + i, rows).tolist() for i, name in enumerate(FEATURES)}


def joined(parts: list[Columns]) -> Columns:
    return {name: [x for part in parts for x in part[name]] for name in parts[0]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small tables in the formats that the programs read."""
    made = tmp_path_factory.mktemp("data")
    rows = 160
    har = []
    for dataset, centre in (("one", 0.0), ("two", 20.0)):
        for subject in range(4):
            keys: Columns = {"dataset": [dataset] * rows, "subject": [subject] * rows, "body_part": ["arm"] * rows}
            keys |= {"activity": ["walk"] * rows, "activity_common": ["walk"] * rows}
            har.append(keys | sensors(rows, centre + subject / 4))
    write(made / "har" / "har54.parquet", joined(har))
    dsads = []
    for subject in (1, 2, 3):
        keys = {"activity": [1] * rows, "subject": [subject] * rows, "segment": [0] * rows, "body_part": ["leg"] * rows}
        dsads.append(keys | sensors(rows, 20.0 + subject) | {"mag_mean": RNG.normal(0, 1, rows).tolist()})
    write(made / "har" / "dsads81.parquet", joined(dsads))
    write(made / "har" / "wisdm.parquet", joined([{"subject": [s] * 240} | sensors(240, 5.0 * s) for s in (1, 2)]))
    n = 1280
    write(made / "tabular" / "adult.parquet", {
        "split": ["train"] * n, "native_country": [f"country {i % 4}" for i in range(n)],
        "workclass": [f"class {i // 4 % 4}" for i in range(n)], "occupation": words(n, 0, 1), "education": words(n, 100, 1),
        **{name: RNG.lognormal(i, 1, n).tolist() for i, name in enumerate(("age", "hours_per_week", "capital_gain", "fnlwgt"))},
    })  # fmt: skip
    write(made / "tabular" / "loans_full_schema.parquet", {
        "state": [f"state {i % 4}" for i in range(n)], "purpose": words(n, 0, 1), "job": words(n, 200, 2),
        **{name: RNG.lognormal(2 * i, 1, n).tolist() for i, name in enumerate(("interest_rate", "annual_income", "balance"))},
    })  # fmt: skip
    for place, task in enumerate(TASKS):
        write(made / "em" / f"{task}.parquet", {
            **{f"{side}_name": words(110, 40 * place) for side in ("left", "right")},
            **{f"{side}_price": [f"$ {x:.2f}" for x in RNG.lognormal(1 + place / 4, 1, 110)] for side in ("left", "right")},
            "label": [0] * 110, "split": ["train"] * 110,
        })  # fmt: skip
    for place, task in enumerate(TEXTS):
        sentences = {f"sentence{i}": words(220, 100 * place, 8) for i in (1, 2)}
        write(made / "text" / f"{task}.parquet", {**sentences, "label": [0] * 220, "split": ["train"] * 220})
    return made


def results(program: str, folder: Path, to: Path, *options: str) -> list[dict[str, str]]:
    """The records that a program writes."""
    done = subprocess.run(
        [sys.executable, str(PROGRAMS / f"{program}.py"), "--data", str(folder), "--results", str(to), *options],
        env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert to.joinpath(f"{program}.md").read_text(encoding="utf-8").startswith("# ")
    with to.joinpath(f"{program}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_lsh_finds_what_comparing_all_pairs_finds_and_the_ways_to_compare_agree(folder: Path, tmp_path: Path) -> None:
    # The program itself asserts that the product, the bounds and the pairwise comparison find the same pairs.
    runs = results("figures_3_4", folder, tmp_path, "--fast")
    assert runs
    for run in runs:
        assert float(run["precision"]) == 1
        assert float(run["recall"]) >= 0.97
        assert 0 < float(run["related"]) <= float(run["candidates"]) < 1


def test_bands_of_larger_hubs_keep_few_pairs_and_lose_few_matches(folder: Path, tmp_path: Path) -> None:
    hubs = results("lsh_crossover", folder, tmp_path, "--fast")
    assert len({hub["distributions"] for hub in hubs}) > 1
    assert all(float(hub["recall"]) >= 0.95 for hub in hubs)
    assert min(float(hub["candidates"]) for hub in hubs) < 0.1


@pytest.mark.long
def test_partitions_that_match_share_a_band(folder: Path, tmp_path: Path) -> None:
    records = results("lsh_recall", folder, tmp_path, "--fast")
    exact, lsh, both, pairs, candidates = (
        sum(int(r[name]) for r in records) for name in ("exact", "lsh", "both", "pairs", "candidates")
    )
    assert exact > 0
    assert lsh == both, "precision is 1"
    assert both / exact >= 0.97
    assert candidates < pairs, "not every pair shares a band"


@pytest.mark.long
def test_the_bars_of_other_names_leave_fewer_wrong_matches(folder: Path, tmp_path: Path) -> None:
    # The program itself asserts that the rule it calls built in has the bars of the hub.
    records = results("jaccard_roc", folder, tmp_path)
    assert {r["kind"] for r in records} == {"number", "text", "time"}
    for kind in ("number", "text"):
        wrong = {r["rule"]: int(r["wrong"]) for r in records if r["kind"] == kind and r["tables"] == "strangers"}
        rules = list(wrong)
        assert wrong[rules[-1]] <= wrong[rules[0]]
        assert "built in" in rules[-1]
        assert all(int(r["right"]) <= int(r["possible"]) for r in records)


def test_the_nearest_are_among_those_that_are_promising(folder: Path, tmp_path: Path) -> None:
    (record,) = results("promising", folder, tmp_path, "--targets", "2", "--candidates", "10")
    assert int(record["compared"]) < int(record["datasets"])
    assert record["nearest"] == record["targets"]
    assert int(record["ten"]) >= 0.99 * int(record["of"])


@pytest.mark.parametrize("program", ["jaccard_roc", "figures_3_4", "lsh_crossover", "lsh_recall", "promising"])
def test_a_folder_without_the_data_is_refused_by_name(program: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(PROGRAMS / f"{program}.py"), "--data", str(tmp_path)],
        env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "is missing: --data names the folder" in done.stderr


def test_what_a_verdict_is_guessed_to_cost_errs_by_what_is_known_by_hand() -> None:
    errors = runpy.run_path(str(PROGRAMS / "outcomes.py"))["errors"]

    # A model is always right, or always wrong: what is measured on few rows is what is so.
    def tries(hub: str, lost: int) -> list[dict[str, Any]]:
        told = {"hub": hub, "tables": hub, "verdict": "partly", "source": 1.0, "accuracy": 1.0 - lost}
        return [{**told, "target": f"target {i}"} for i in range(10) for _ in range(3)]

    found = errors(pd.DataFrame(tries("here", 1) + tries("elsewhere", 0)))
    here = {row["targets"]: row for row in found[found["hub"] == "here"].to_dict("records")}
    assert set(here) == {"1", "2", "3", "4", "5 to 8"}
    for group in ("1", "2", "3", "4"):
        # The package guesses 0, and 1 is lost: a mean of n targets with two more of 0 is short by 2 of n + 2.
        assert here[group]["package"] == 1
        assert here[group]["mean"] == 0
        assert here[group]["weighed, 2"] == pytest.approx((2 / (int(group) + 2)) ** 2)
        assert here[group]["shifted, 4"] == pytest.approx((4 / (int(group) + 4)) ** 2)


def test_who_comes_first_of_two_units_is_told_by_rows(tmp_path: Path) -> None:
    program = runpy.run_path(str(PROGRAMS / "units.py"))
    rng = np.random.default_rng(0)
    x, y = rng.normal(0, 1, 500), rng.normal(1, 2, 500).round(1)
    assert program["moved"](x, y) == pytest.approx(ks_2samp(x, y).statistic)
    pairs = [
        {"rows": rows, "other rows": other, "known": known, "features": 6, "moved": 0.9, "seen": True, "first": rows == 50 < other}
        for rows in program["ROWS"] for other in program["OTHER_ROWS"] for known in (False, True)
    ]  # fmt: skip
    lines = program["page"](pd.DataFrame(pairs)).splitlines()
    assert [line for line in lines if line.startswith("| 50 | 0.0 |")] == ["| 50 | 0.0 |" + " 100.0 |" * 7] * 2
    assert [line for line in lines if line.startswith("| 100 |")] == ["| 100 |" + " 0.0 |" * 8] * 2 + ["| 100 | - | 0.0 | - |"]
    assert lines[-1] == "| 0.5 to 1 (1 tables) | 0.0 | 0.0 | 0.0 | 0.0 | 100.0 |"
    assert program["main"](["--tables", "1", "--out", str(tmp_path)]) == 0
    assert "1 tables of 2 to 12 columns" in (tmp_path / "units.md").read_text()
