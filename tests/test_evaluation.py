"""The evaluation runs from end to end, and its numbers are those of independent computations."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import DATA, SENSORS, data
from scipy.stats import norm, pearsonr

import modelhub_sql
from examples.evaluation.rivals import energy_distance, reduced_set
from examples.evaluation.scores import ALTERNATIVE, DEFAULT, NEAR, QUALITY, accuracy_bound, scores, with_accuracy
from examples.evaluation.search import Evidence, Search
from examples.evaluation.statistics import (
    ELSEWHERE,
    HELD_OUT,
    RANDOM,
    SOURCE,
    difference,
    interval,
    judge,
    order,
    verdicts,
    worse,
)
from examples.evaluation.tasks import Draw, Outcome, matrix
from modelhub_sql.udfs.dyadic import number_bins

Floats = npt.NDArray[np.float64]
MODELS = SENSORS[1:]
TARGET = SENSORS[0]


@pytest.fixture(scope="module")
def draw() -> Draw:
    """One search among real tables of sensors; the accuracies are made up, the best is the same body part."""
    tables = {name: pq.read_table(data(name)).drop_columns(["activity"]) for name in SENSORS}
    accuracy = matrix({"torso2": {TARGET: 0.9}, "leg1": {TARGET: 0.5}, "leg2": {TARGET: 0.6}})
    outcome = Outcome(accuracy, pd.Series({"torso2": 0.7, "leg1": 0.8, "leg2": 0.95}))
    return Draw("sensors", tables, MODELS, {TARGET: MODELS}, {"made up": outcome}, {"partition_size": 100})


@pytest.fixture(scope="module")
def evidence(draw: Draw) -> Evidence:
    with Search(draw, seed=1) as search:
        return search(TARGET)


def test_what_rankings_are_computed_from_is_what_find_models_returns(draw: Draw, evidence: Evidence) -> None:
    # The evaluation's hub has the target's own model, which is no candidate: one without it finds the same.
    with modelhub_sql.connect(partition_size=100) as hub:
        hub.register_many([dict(name=name, dataset=draw.tables[name]) for name in MODELS])
        found = hub.find_models(draw.tables[TARGET], all_models=True, details=True).df().set_index("model").loc[list(MODELS)]
    models = evidence.models
    for column in (
        "distance",
        "expected_distance",
        "fit_score",
        "adaptivity",
        "coverage",
        "js_divergence",
        "l2_distance",
        "max_js",
    ):
        np.testing.assert_allclose(models[column], found[column], rtol=1e-9, err_msg=column)
    assert models["verdict"].tolist() == found["verdict"].tolist()
    np.testing.assert_allclose(scores(evidence)[f"{DEFAULT}, no accuracy"], -found["fit_score"])
    assert scores(evidence)["JS"].idxmax() == found["js_divergence"].idxmin()


def test_a_search_leaves_the_targets_own_model_out(draw: Draw) -> None:
    full = Draw(draw.name, draw.tables, SENSORS, draw.targets, draw.outcomes, draw.settings)
    with Search(full, seed=1) as search:
        one, two = search(TARGET), search(TARGET)
    assert list(one.models.index) == list(MODELS)
    pd.testing.assert_frame_equal(one.models, two.models)


def test_an_accuracy_weighs_as_much_as_in_the_hub(draw: Draw, evidence: Evidence) -> None:
    source = draw.outcomes["made up"].source
    rows = (HELD_OUT * evidence.models["source_rows"]).round()
    with modelhub_sql.connect(partition_size=100) as hub:
        for name in MODELS:
            hub.register(name, draw.tables[name], accuracy=source[name], accuracy_rows=int(rows[name]))
        found = hub.find_models(draw.tables[TARGET], all_models=True, details=True).df().set_index("model").loc[list(MODELS)]
    near = np.exp(-evidence.models["judged_distance"].clip(lower=0) / NEAR)
    expected = scores(evidence)[f"{DEFAULT}, no accuracy"] + QUALITY * near * (accuracy_bound(source, rows) - 0.5)
    np.testing.assert_allclose(-found["fit_score"], expected)
    known = with_accuracy(scores(evidence), source, rows)
    np.testing.assert_allclose(known[DEFAULT], expected)
    np.testing.assert_allclose(accuracy_bound(source, rows, upper=True), 1 - accuracy_bound(1 - source, rows))
    np.testing.assert_allclose(
        known[f"{DEFAULT} - 0.1 upper bound"] - known[f"{DEFAULT} - 0.1 accuracy"],
        0.1 * (accuracy_bound(source, rows, upper=True) - source),
    )


def test_the_alternative_distance_is_that_of_a_loop_over_bins(draw: Draw, evidence: Evidence) -> None:
    with Search(draw, seed=1) as search:
        search(TARGET)
        match = search.hub.step("feature_match").dicts()
        target = {row["feature_id"]: row for row in search.hub.step("target_feature").dicts()}
        source = {(row["dataset_id"], row["feature_id"]): row for row in search.hub.sql("FROM features").dicts()}
        (dataset,) = search.hub.sql("SELECT dataset_id FROM models WHERE model = 'torso2'").fetchall()[0]
    total = 0.0
    for row in match:
        if row["dataset_id"] == dataset:
            sides = (source[dataset, row["feature_id"]], target[row["target_feature_id"]])
            p: dict[float, float] = {}
            q: dict[float, float] = {}
            for counted, side in ((p, sides[0]), (q, sides[1])):
                bins = number_bins(np.array(side["bins"]), row["k"], row["b"])
                for bin_, n in zip(bins, side["counts"], strict=True):
                    counted[bin_] = counted.get(bin_, 0) + n / side["values"]
            for bin_ in p.keys() | q.keys():
                x, y = p.get(bin_, 0), q.get(bin_, 0)
                total += ((x - y) ** 2 - x / sides[0]["values"] - y / sides[1]["values"]) / (x + y) / 2
    missing = len(target) - sum(row["dataset_id"] == dataset for row in match)
    assert evidence.models.loc["torso2", "unbiased"] == pytest.approx((total + missing) / len(target))


def test_the_table_of_the_same_body_part_is_chosen(draw: Draw, evidence: Evidence) -> None:
    rows = pd.DataFrame(judge("w", draw, TARGET, scores(evidence))).set_index("metric")
    assert rows.loc[f"{DEFAULT}, no accuracy", "chosen"] == "torso2"
    for metric in (DEFAULT, ALTERNATIVE, "distance D", "JS", "raw rows: energy"):
        assert rows.loc[metric, "chosen"] == "torso2", metric
        assert rows.loc[metric, "regret"] == 0
    assert rows.loc[SOURCE, "chosen"] == "leg2"
    assert rows.loc[SOURCE, "regret"] == pytest.approx(0.3)
    assert ELSEWHERE not in rows.index, "there is one target only"


def test_verdicts_tell_what_is_lost(draw: Draw, evidence: Evidence) -> None:
    rows = pd.DataFrame(verdicts("w", draw, TARGET, evidence, {"made up": "torso2"})).set_index("model")
    assert rows["lost"].to_dict() == pytest.approx({"torso2": 0, "leg1": 0.4, "leg2": 0.3})
    assert rows["below"].to_dict() == pytest.approx({"torso2": -0.2, "leg1": 0.3, "leg2": 0.35})
    assert rows["first"].to_dict() == {"torso2": True, "leg1": False, "leg2": False}


def test_energy_distance_and_reduced_sets_are_what_they_say() -> None:
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(30, 3)), rng.normal(1, 1, size=(20, 3))

    def mean(pairs: list[tuple[Floats, Floats]]) -> float:
        return float(np.mean([np.linalg.norm(a - b) for a, b in pairs]))

    def within(rows: Floats) -> float:
        return mean([(a, b) for i, a in enumerate(rows) for j, b in enumerate(rows) if i != j])

    assert energy_distance(x, y) == pytest.approx(2 * mean([(a, b) for a in x for b in y]) - within(x) - within(y))
    points, weights = reduced_set(x, width=2.0, seed=1)
    at = rng.normal(size=(10, 3))

    def kernel(a: Floats, b: Floats) -> Floats:
        values: Floats = np.exp(-((a[:, None] - b[None]) ** 2).sum(axis=2) / 8)
        return values

    np.testing.assert_allclose(kernel(at, points) @ weights, kernel(at, x).mean(axis=1), atol=0.02)


def test_statistics_of_a_search_are_those_of_scipy_and_a_loop() -> None:
    rng = np.random.default_rng(3)
    models = [f"model {i}" for i in range(7)]
    for _ in range(50):
        accuracy = rng.random(7).round(1)
        rows = pd.Series(rng.integers(100, 1000, 7), models).astype(float)
        names = ("a", "distance D", "score without rows", f"{DEFAULT}, no accuracy", f"{ALTERNATIVE}, no accuracy")
        table = pd.DataFrame({name: rng.normal(size=7).round(0) for name in names}, index=models).assign(
            **{"largest source": rows}
        )
        source = pd.Series(rng.random(7), models)
        outcome = Outcome(pd.DataFrame({"t": accuracy, "other": rng.random(7)}, index=models), source)
        draw = Draw("d", {}, models, {"t": models}, {"o": outcome})
        found = pd.DataFrame(judge("w", draw, "t", table)).set_index("metric")
        ranked = sorted(range(7), key=lambda i: (-table["a"].iloc[i], -table["distance D"].iloc[i], -rows.iloc[i], models[i]))
        assert order(table, "a") == [models[i] for i in ranked]
        first, best = accuracy[ranked[0]], sorted(accuracy, reverse=True)
        row = found.loc["a"]
        assert row["regret"] == pytest.approx(best[0] - first)
        assert row["regret of 3"] == pytest.approx(best[0] - max(accuracy[i] for i in ranked[:3]))
        assert row["top-1 error"] == float(first < best[0])
        assert row["top-2 error"] == float(first < best[1])
        for metric, values in (("a", table["a"]), (SOURCE, source), (ELSEWHERE, outcome.accuracy["other"])):
            assert found.loc[metric, "pearson"] == pytest.approx(pearsonr(values, accuracy).statistic)
        assert found.loc[RANDOM, "regret"] == pytest.approx(np.mean([best[0] - a for a in accuracy]))
        threes = [best[0] - max(three) for three in itertools.combinations(accuracy, 3)]
        assert found.loc[RANDOM, "regret of 3"] == pytest.approx(np.mean(threes))
        assert found.loc[RANDOM, "top-2 error"] == pytest.approx(np.mean([a < best[1] for a in accuracy]))


def test_intervals_are_over_draws_and_cover_the_mean_as_often_as_they_say() -> None:
    rng = np.random.default_rng(5)
    covered = 0
    for _ in range(200):
        values = rng.normal(0.3, 0.1, 30)
        rows = pd.DataFrame({"draw": np.repeat(np.arange(30), 2), "target": [0, 1] * 30, "regret": np.repeat(values, 2)})
        mean, low, high = interval(rows, "regret", seed=1)
        assert mean == pytest.approx(values.mean())
        # The half-width of a normal interval, give or take the bootstrap's error.
        assert (high - low) / 2 == pytest.approx(norm.ppf(0.975) * values.std() / np.sqrt(30), rel=0.15)
        covered += low <= 0.3 <= high
    assert 180 <= covered <= 198
    better, much_worse = rows, rows.assign(regret=rows["regret"] + 0.2 + rng.normal(0, 0.05, 60))
    assert worse(much_worse, better, "regret", seed=1)
    assert not worse(better, much_worse, "regret", seed=1)
    assert not worse(better, better, "regret", seed=1)
    chance = rows.assign(regret=0.5)
    one, two, three = (each.assign(workload="w", outcome="o") for each in (much_worse, better, chance))
    mean, low, high = difference(one, two, three, seed=1)
    assert low < mean < high
    assert mean == pytest.approx((much_worse["regret"].mean() - better["regret"].mean()) / 0.5)
    assert difference(one[one["draw"] > 0], two, three, seed=1)[0] == pytest.approx(
        (one["regret"] - two["regret"])[one["draw"] > 0].mean() / 0.5
    )
    assert difference(one, None, three, seed=1)[0] == pytest.approx(one["regret"].mean() / 0.5)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with small tables in the formats that three workloads read: the test data under other names."""
    made = tmp_path_factory.mktemp("data")
    for place in ("har", "tabular"):
        (made / place).mkdir()
    sensors = []
    for name in SENSORS:
        table = pd.read_parquet(data(name))
        for half in (0, 1):
            part = table.iloc[half::2].head(200)
            sensors.append(
                part.assign(dataset="dsads", subject=f"{name[-1]}{half}", body_part=name[:-1], activity_common=part["activity"])
            )
    pq.write_table(pa.Table.from_pandas(pd.concat(sensors), preserve_index=False), made / "har" / "har54.parquet")
    people = pd.read_parquet(DATA / "adult.parquet")
    people = people.assign(native_country=[f"country {i % 5}" for i in range(len(people))], split="train")
    pq.write_table(pa.Table.from_pandas(people, preserve_index=False), made / "tabular" / "adult.parquet")
    return made


@pytest.mark.long
def test_the_fast_mode_runs_from_end_to_end(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("sklearn")
    pytest.importorskip("matplotlib")
    from examples.evaluation.__main__ import main

    real = Path(os.environ.get("MODELHUB_DATA", ""))
    there = "MODELHUB_DATA" in os.environ and (real / "har" / "har54.parquet").is_file()
    used = ["--data", str(real if there else folder), "--fast", "--seed", "1"]
    assert main([*used, "--out", str(tmp_path), "--searches", str(tmp_path / "searches.csv")]) == 0
    said = capsys.readouterr().err
    assert there or "mnist_skewed: skipped, images/mnist10k.parquet is not in the data folder" in said
    searches = pd.read_csv(tmp_path / "searches.csv")
    page = (tmp_path / "README.md").read_text()
    # The report is what a look at the single choices says.
    for workload in ("har54", "adult_country"):
        own = searches[(searches["workload"] == workload) & ~searches["tune"]].groupby("metric")["regret"].mean()
        rows = page.split("## By workload")[1].splitlines()
        cells = next(row.split(" | ") for row in rows if row.startswith(f"| {workload} |"))
        assert float(cells[1]) == pytest.approx(own[DEFAULT] / own[RANDOM], abs=0.006)
    assert "| same |" in page.split("## Verdicts")[1]
    for name in ("latency.md", "latency.png", "settings.md", "regret.png"):
        assert there or name == "settings.md" or (tmp_path / name).stat().st_size > 0, name


def test_without_any_data_it_says_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("sklearn")
    pytest.importorskip("matplotlib")
    from examples.evaluation.__main__ import main

    assert main(["--data", str(tmp_path), "--fast", "--only", "wisdm"]) == 1
    assert "har/wisdm.parquet is not in the data folder" in capsys.readouterr().err
