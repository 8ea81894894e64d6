"""The evaluation runs from end to end, and its numbers are those of independent computations."""

from __future__ import annotations

import math
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import DATA, SENSORS, data
from scipy.spatial.distance import jensenshannon
from scipy.stats import norm, pearsonr

from examples.evaluation.scores import disagreement, scores
from examples.evaluation.search import FLOORS, Evidence, Search, auto_quantile, auto_threshold, l2_collisions
from examples.evaluation.statistics import RANDOM, SOURCE, interval, judge, order, worse
from examples.evaluation.tasks import Draw, Outcome, matrix
from modelhub_sql import tuning

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


def test_adaptivity_counted_from_the_pairs_is_what_find_models_returns(draw: Draw, evidence: Evidence) -> None:
    assert disagreement(evidence) < 1e-9
    with Search(draw, seed=1) as search:
        for space, inside in evidence.spaces.items():
            rows = search.hub.find_models(
                draw.tables[TARGET], min_overlap=0, min_jaccard=0, sample_space=space, rank_by="js", search="exact"
            ).df()
            rows = rows.set_index("model").loc[list(MODELS)]
            # The hub's own automatic threshold, which the evaluation computes again for its candidates.
            assert rows["max_js"].iloc[0] == pytest.approx(
                auto_threshold(inside.pairs, auto_quantile(len(MODELS)), FLOORS * inside.floor), rel=1e-9
            )
            for metric, column in {"adaptivity auto": "adaptivity", "coverage auto": "coverage"}.items():
                np.testing.assert_allclose(scores(evidence)[f"{metric} · {space}"], rows[column], atol=1e-9)
            np.testing.assert_allclose(-scores(evidence)[f"js · {space}"], rows["js_divergence"], rtol=1e-9)


def test_metrics_of_pairs_are_those_of_a_loop_over_the_pairs(evidence: Evidence) -> None:
    found = scores(evidence)
    for space, inside in evidence.spaces.items():
        everything = sorted(float(d) for pairs in inside.pairs.values() for d in pairs[:4, :4].ravel())
        t = max(everything[int(np.ceil(len(everything) * 0.25)) - 1], inside.floor)
        for model, pairs in inside.pairs.items():
            matches, fit, covered, nearest = 0, 0.0, 0, 0.0
            for row in pairs:
                close = [d for d in row if d <= t]
                matches, fit, covered = matches + len(close), fit + sum(1 - d / t for d in close), covered + bool(close)
                nearest += min(row)
            n = len(pairs)
            assert found.loc[model, f"adaptivity auto, 1 floors · {space}"] == pytest.approx(matches / n)
            assert found.loc[model, f"fit auto, 1 floors · {space}"] == pytest.approx(fit / n)
            assert found.loc[model, f"coverage auto, 1 floors · {space}"] == pytest.approx(covered / n)
            assert found.loc[model, f"nearest 1 · {space}"] == pytest.approx(-nearest / n)


def test_fit_is_the_mean_of_adaptivity_over_all_thresholds_up_to_t(evidence: Evidence) -> None:
    inside = evidence.spaces["aligned"]
    t = auto_threshold(inside.pairs, auto_quantile(len(inside.pairs)), inside.floor)
    steps = (np.arange(2000) + 0.5) / 2000 * t
    for model, pairs in inside.pairs.items():
        adaptivities = (pairs.ravel() <= steps[:, None]).sum(axis=1) / len(pairs)
        assert scores(evidence).loc[model, "fit auto, 1 floors · aligned"] == pytest.approx(adaptivities.mean(), abs=0.01)


def test_the_table_of_the_same_body_part_is_chosen(draw: Draw, evidence: Evidence) -> None:
    rows = pd.DataFrame(judge("w", draw, TARGET, scores(evidence))).set_index("metric")
    for metric in (
        "fit auto, 1 floors · aligned",
        "adaptivity auto · aligned",
        "js · aligned",
        "js · flattened",
        "jaccard",
        "mmd",
    ):
        assert rows.loc[metric, "chosen"] == "torso2", metric
        assert rows.loc[metric, "regret"] == 0
    assert rows.loc[SOURCE, "chosen"] == "leg2"
    assert rows.loc[SOURCE, "regret"] == pytest.approx(0.3)


def test_statistics_of_a_search_are_those_of_scipy_and_a_loop() -> None:
    rng = np.random.default_rng(3)
    models = [f"model {i}" for i in range(7)]
    for _ in range(50):
        accuracy = rng.random(7).round(1)
        table = pd.DataFrame({"a · aligned": rng.normal(size=7).round(0), "js · aligned": rng.normal(size=7)}, index=models)
        source = pd.Series(rng.random(7), models)
        outcome = Outcome(pd.DataFrame({"t": accuracy}, index=models), source)
        draw = Draw("d", {}, models, {"t": models}, {"o": outcome})
        rows = pd.DataFrame(judge("w", draw, "t", table)).set_index("metric")
        ranked = sorted(range(7), key=lambda i: (-table["a · aligned"].iloc[i], -table["js · aligned"].iloc[i], models[i]))
        assert order(table, "a · aligned") == [models[i] for i in ranked]
        first, best = accuracy[ranked[0]], sorted(accuracy, reverse=True)
        row = rows.loc["a · aligned"]
        assert row["regret"] == pytest.approx(best[0] - first)
        assert row["top-1 error"] == float(first < best[0])
        assert row["top-2 error"] == float(first < best[1])
        for metric, values in (("a · aligned", table["a · aligned"]), (SOURCE, source)):
            assert rows.loc[metric, "pearson"] == pytest.approx(pearsonr(values, accuracy).statistic)
        assert rows.loc[RANDOM, "regret"] == pytest.approx(np.mean([best[0] - a for a in accuracy]))
        assert rows.loc[RANDOM, "top-2 error"] == pytest.approx(np.mean([a < best[1] for a in accuracy]))


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


def test_js_of_all_features_together_is_scipys(evidence: Evidence, draw: Draw) -> None:
    # Of one feature, by the hub's own histograms: the mean over features is the aligned divergence.
    with Search(draw, seed=1) as search:
        search(TARGET)
        rows = search.con.execute("""
            SELECT t.feature_id, s.bins, s.counts, t.bins, t.counts
            FROM features AS s
            JOIN models USING (dataset_id)
            JOIN evaluation_matches AS m USING (dataset_id, feature_id)
            JOIN evaluation_sketch AS t ON t.feature_id = m.target_feature_id
            WHERE model = 'torso2'
        """).fetchall()
    features = []
    for feature, *sides in rows:
        p, q = (dict(zip(sides[i], sides[i + 1], strict=True)) for i in (0, 2))
        bins = sorted(p.keys() | q.keys())
        expected = jensenshannon([p.get(b, 0) for b in bins], [q.get(b, 0) for b in bins]) ** 2
        assert evidence.features.loc["torso2", feature] == pytest.approx(expected)
        features.append(expected)
    assert -scores(evidence).loc["torso2", "js · aligned"] == pytest.approx(np.mean(features))


def test_l2_lsh_collides_as_often_as_datar_says() -> None:
    rng = np.random.default_rng(7)
    source = rng.normal(size=(3, 20))
    target = source + np.array([[0.5], [1.0], [3.0]]) * (lambda d: d / np.linalg.norm(d))(rng.normal(size=20))
    shares = l2_collisions(source, target, 40_000, seed=2)
    for share, c in zip(shares, (0.5, 1.0, 3.0), strict=True):  # r is the median, 1
        r = 1.0
        expected = 1 - 2 * norm.cdf(-r / c) - 2 * c / (np.sqrt(2 * np.pi) * r) * (1 - np.exp(-(r**2) / (2 * c**2)))
        assert share == pytest.approx(expected, abs=0.01)


def test_js_lsh_collides_as_often_as_its_law_says(evidence: Evidence) -> None:
    # The law is of the distance, which the divergence bounds: 2 JS <= distance**2 <= 2 JS / ln 2.
    found = scores(evidence)
    functions = tuning.tune_jslsh()
    for space, result in evidence.spaces.items():
        width = functions.width * tuning.match_distance(result.threshold)
        error = 3 * 0.5 / math.sqrt(functions.bands * functions.rows)
        for model, share in found[f"js, LSH · {space}"].items():
            js = -found.loc[model, f"js · {space}"]
            nearest, farthest = math.sqrt(2 * js), math.sqrt(2 * js / math.log(2))
            assert share > tuning.collision_probability(farthest, width) - error
            assert share < tuning.collision_probability(nearest, width) + error


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


def test_the_fast_mode_runs_from_end_to_end(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("sklearn")
    pytest.importorskip("matplotlib")
    from examples.evaluation.__main__ import main

    real = Path(os.environ.get("MODELHUB_DATA", ""))
    there = "MODELHUB_DATA" in os.environ and (real / "har" / "har54.parquet").is_file()
    used = ["--data", str(real if there else folder), "--fast", "--seed", "1"]
    assert main([*used, "--out", str(tmp_path)]) == 0
    said = capsys.readouterr().err
    assert float(said.split("its stages: ")[1].split()[0]) < 1e-9
    assert there or "mnist_skewed: skipped, images/mnist10k.parquet is not in the data folder" in said
    summary = pd.read_csv(tmp_path / "summary.csv")
    searches = pd.read_csv(tmp_path / "searches.csv")
    # The report is what a look at the single choices says.
    for case in ("har54 (trees)", "adult_country (trees)"):
        told = summary[(summary["case"] == case) & (summary["metric"] == "js · aligned")].iloc[0]
        own = searches[(searches["case"] == case) & (searches["metric"] == "js · aligned")]
        assert told["searches"] == len(own) > 0
        assert told["regret"] == pytest.approx(own["regret"].mean(), abs=1e-3)
        assert told["regret low"] <= told["regret"] <= told["regret high"]
        assert told["regret"] < summary[(summary["case"] == case) & (summary["metric"] == "random")]["regret"].iloc[0] + 0.2
    assert f"{told['regret']:.3f}" in (tmp_path / "README.md").read_text()
    for name in (
        "rankings.md",
        "latency.md",
        "latency.csv",
        "latency_by_partition_size.csv",
        "har54.md",
        "regret.png",
        "latency.png",
    ):
        assert (tmp_path / name).stat().st_size > 0, name


def test_without_any_data_it_says_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("sklearn")
    pytest.importorskip("matplotlib")
    from examples.evaluation.__main__ import main

    assert main(["--data", str(tmp_path), "--fast", "--only", "wisdm"]) == 1
    assert "har/wisdm.parquet is not in the data folder" in capsys.readouterr().err
