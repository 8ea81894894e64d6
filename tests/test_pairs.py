"""All datasets against all, and the datasets that are like a target."""

from __future__ import annotations

import json
import math

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from click.testing import CliRunner
from conftest import SENSORS, data

import modelhub_sql
from modelhub_sql.cli import main
from modelhub_sql.errors import HubFormatError
from modelhub_sql.udfs.pairs import common_sums


def test_a_pair_is_as_far_apart_as_a_search_with_the_first_as_its_target_says(sensor_hub: modelhub_sql.Hub) -> None:
    pairs = {(pair["target"], pair["dataset"]): pair for pair in sensor_hub.dataset_pairs().dicts()}
    for name in SENSORS:
        found = {row["dataset"]: row for row in sensor_hub.find_datasets(data(name), exclude=["activity"]).dicts()}
        assert found[name]["distance"] == 0
        for other in set(SENSORS) - {name}:
            for each in ("distance", "overlap", "js_divergence", "missing_features"):
                assert pairs[name, other][each] == pytest.approx(found[other][each], abs=1e-11), (name, other, each)


def test_pairs_are_the_same_in_sql_alone(sensor_hub: modelhub_sql.Hub, stock: duckdb.DuckDBPyConnection) -> None:
    in_sql = stock.execute("FROM dataset_pairs ORDER BY distance, target_id, dataset_id").fetchall()
    assert len(in_sql) >= len(SENSORS) * (len(SENSORS) - 1)
    for row, other in zip(sensor_hub.dataset_pairs().fetchall(), in_sql, strict=True):
        assert row == tuple(pytest.approx(value, abs=1e-11) if isinstance(value, float) else value for value in other)


def test_what_a_dataset_lacks_counts_and_what_its_owner_left_out_does_not(hub: modelhub_sql.Hub) -> None:
    rng = np.random.default_rng(1)
    x, words = rng.normal(size=300), rng.choice(["red", "green", "blue"], 300)
    hub.register("both", pa.table({"x": x, "Words": words, "label": x > 0}), exclude=["label"])
    hub.register("labelled", pa.table({"X": x, "words": words, "label": x > 0}))
    hub.register("half", pa.table({"x": x}))
    hub.register("stranger", pa.table({"y": x}))
    pairs = {(pair["target"], pair["dataset"]): pair for pair in hub.dataset_pairs().dicts()}
    assert {name: pair["distance"] for name, pair in pairs.items()} == pytest.approx(
        {
            ("both", "labelled"): 0, ("labelled", "both"): 0, ("both", "half"): 1 / 2, ("labelled", "half"): 2 / 3,
            ("half", "both"): 0, ("half", "labelled"): 0,
        }
    )  # fmt: skip
    assert pairs["labelled", "half"]["overlap"] == pytest.approx(1 / 3)
    assert pairs["labelled", "half"]["js_divergence"] == pytest.approx(2 / 3 * math.log(2))


@pytest.mark.parametrize(("n", "m"), [(3, 4), (300, 250)])
def test_sums_of_all_pairs_are_those_of_each_pair(n: int, m: int) -> None:
    rng = np.random.default_rng(n)
    source, target = (rng.random((5, each)) * (rng.random((5, each)) < 0.5) for each in (n, m))
    target[:, : m // 2] *= np.array([[1], [1], [0], [0], [1]])
    affinity, gain = common_sums(source, target)
    for i, j in [(0, 0), (n - 1, m - 1), (n // 2, m // 3), (1, m // 2)]:
        both = [(p, q) for p, q in zip(source[:, i], target[:, j], strict=True) if p and q]
        assert affinity[i, j] == pytest.approx(sum(2 * p * q / (p + q) for p, q in both))
        said = sum(p * math.log(p) + q * math.log(q) - (p + q) * math.log(p + q) for p, q in both)
        assert gain[i, j] == pytest.approx(said, abs=1e-12)


def test_datasets_like_a_target_come_with_the_models_that_were_trained_on_them(hub: modelhub_sql.Hub) -> None:
    hub.register("torso", data("torso1"), exclude=["activity"])
    hub.register("torso twice", like="torso")
    hub.register("leg", data("leg1"), exclude=["activity"])
    found = hub.find_datasets(data("torso1"), exclude=["activity"], top=1).dicts()
    assert [(row["dataset"], row["verdict"], row["models"]) for row in found] == [("torso", "same", ["torso", "torso twice"])]


def test_a_hub_without_pairs_has_none(hub: modelhub_sql.Hub) -> None:
    assert hub.dataset_pairs().fetchall() == []
    hub.register("alone", data("beer"), exclude=["label", "split"])
    assert hub.dataset_pairs().fetchall() == []


def test_a_dataset_of_another_format_is_named(hub: modelhub_sql.Hub) -> None:
    for name in ("torso1", "leg1"):
        hub.register(name, data(name), exclude=["activity"])
    hub.con.execute(f"UPDATE {hub._place.tables}._hub.datasets SET fingerprint = 'x' WHERE dataset = 'leg1'")
    with pytest.raises(HubFormatError, match="leg1 was sketched in another format"):
        hub.dataset_pairs()


def test_commands_print_pairs_and_datasets(sensor_hub_path: str) -> None:
    run = CliRunner().invoke(main, ["pairs", sensor_hub_path, "--limit", "3", "--json"])
    assert run.exit_code == 0, run.output
    nearest = json.loads(run.output)
    assert len(nearest) == 3
    assert {nearest[0]["target"], nearest[0]["dataset"]} <= set(SENSORS)
    run = CliRunner().invoke(main, ["find-datasets", sensor_hub_path, data("beer"), "--exclude", "label", "--exclude", "split"])
    assert run.exit_code == 0, run.output
    assert "beer" in run.output
