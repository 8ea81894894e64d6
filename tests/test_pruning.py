"""What is left out early cannot be among what is listed, or match: the bounds, and mutants of them that must not live."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from conftest import both_ways

import modelhub_sql

pytestmark = pytest.mark.filterwarnings("ignore:max_js = .* is below twice the sampling floor")

SPACES = ["aligned", "flattened"]


def normals(rng: np.random.Generator, means: dict[str, float], rows: int = 200) -> pa.Table:
    return pa.table({name: rng.normal(mean, 1, rows) for name, mean in means.items()})


def test_only_the_nearest_datasets_are_compared_partition_by_partition(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    with modelhub_sql.connect(tmp_path / "h.duckdb", partition_size=50, max_candidates=2) as hub:
        hub.register_many([{"name": f"m{i}", "dataset": normals(rng, {"x": 10 + i / 2})} for i in range(4)])
        target = normals(rng, {"x": 10})
        found = both_ways(hub, target, "SELECT model FROM find_models('target', all_models := true)")
        assert found == [("m0",), ("m1",)]
        dropped = dict(hub.explain_model(f"m{i}", target).select("model, dropped").fetchall()[0] for i in (2, 3))
        assert set(dropped.values()) == {"2 others are nearer (max_candidates)"}


def test_only_what_can_be_listed_bounds_what_may_be_near(tmp_path: Path) -> None:
    # Near in two of four features and so not above min_overlap; and one that is far, in all four.
    rng = np.random.default_rng(0)
    all_four = dict.fromkeys(["x0", "x1", "x2", "x3"], 10.0)
    with modelhub_sql.connect(tmp_path / "h.duckdb", partition_size=100, max_candidates=1) as hub:
        hub.register("two near", normals(rng, {"x0": 10, "x1": 10, "y2": -1e6, "y3": -1e6}, 1000))
        hub.register("four far", normals(rng, dict.fromkeys(all_four, 14.0), 1000))
        target = normals(rng, all_four, 1000)
        for options, model in (("min_overlap := 0.5", "four far"), ("min_overlap := NULL", "two near")):
            query = f"SELECT model, overlap FROM find_models('target', all_models := true, {options})"
            assert [row[0] for row in both_ways(hub, target, query)] == [model]


def test_a_bound_on_the_divergence_does_not_let_what_it_drops_push_others_out(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)

    with modelhub_sql.connect(tmp_path / "h.duckdb", partition_size=500, max_candidates=1) as hub:
        # A lesser distance but a greater divergence: all differs in one of two; a little, in both.
        hub.register("one lost", pa.table({"x": rng.normal(10, 1, 4000), "y": rng.normal(-1e6, 1, 4000)}))
        hub.register("both moved", pa.table({"x": rng.normal(11.9, 1, 4000), "y": rng.normal(11.9, 1, 4000)}))
        target = pa.table({"x": rng.normal(10, 1, 4000), "y": rng.normal(10, 1, 4000)})
        everything = hub.find_models(target, all_models=True).dicts()
        distances = {row["model"]: (row["distance"], row["js_divergence"]) for row in hub_rows(hub, target)}
        near, far = sorted(distances, key=lambda model: distances[model][0])
        assert [row["model"] for row in everything] == [near]
        # Between both divergences, whichever is greater: the one below is listed, though the other is as near or nearer.
        bound = (distances[near][1] + distances[far][1]) / 2
        below = min(distances, key=lambda model: distances[model][1])
        query = f"SELECT model FROM find_models('target', all_models := true, max_divergence := {bound})"
        assert both_ways(hub, target, query) == [(below,)]


def hub_rows(hub: modelhub_sql.Hub, target: pa.Table) -> list[dict[str, Any]]:
    """Distances of all models, however many candidates there may be."""
    hub.set(max_candidates=100)
    rows: list[dict[str, Any]] = hub.find_models(target, all_models=True).dicts()
    hub.set(max_candidates=1)
    return rows


@pytest.mark.once
def test_a_dataset_is_left_out_early_only_when_it_cannot_be_among_the_nearest() -> None:
    # Half of the names differ from dataset to dataset, so that what is known early are bounds.
    rng = np.random.default_rng(3)
    names = [f"x{i}" for i in range(6)]

    def dataset(shift: float, other: int) -> pa.Table:
        return pa.table({name + "'" * (i < other): rng.normal(10 * i + shift, 1, 100) for i, name in enumerate(names)})

    tables = [dataset(float(rng.exponential(1)), i % 4) for i in range(18)]
    left_out = 0
    with modelhub_sql.connect(partition_size=50) as hub:
        hub.register_many([{"name": f"m{i}", "dataset": table} for i, table in enumerate(tables)])
        target = dataset(0, 0)
        for min_overlap, features in itertools.product((None, 0.5), ("names", "values")):
            found = {}
            for most in (4, 18):
                hub.set(max_candidates=most)
                rows = hub.find_models(target, all_models=True, min_overlap=min_overlap, features=features)  # type: ignore[arg-type]
                found[most] = rows.select("model, round(distance, 12) AS distance").order("distance, model").fetchall()
            assert len(found[18]) > 10
            assert found[4] == found[18][:4]
            hub.set(max_candidates=4)
            hub.steps(target, until="possible_dataset", min_overlap=min_overlap or 0)
            left_out += 18 - len(hub.step("possible_dataset"))
    assert left_out > 0


@pytest.fixture
def halves(tmp_path: Path) -> Iterator[tuple[modelhub_sql.Hub, pa.Table]]:
    """A model that is like one half of a target, in the order of the rows."""
    rng = np.random.default_rng(0)
    target = pa.table({"x": np.concatenate([rng.normal(5, 1, 2000), rng.normal(5000, 500, 2000)])})
    with modelhub_sql.connect(tmp_path / "h.duckdb", partition_size=500, partitioning="sequential") as hub:
        hub.register("like one half", pa.table({"x": rng.normal(5, 1, 4000)}))
        yield hub, target


def test_the_spread_of_the_target_is_in_the_reach_too(halves: tuple[modelhub_sql.Hub, pa.Table]) -> None:
    hub, target = halves
    query = "SELECT adaptivity, coverage FROM find_models('target', max_js := 0.1, search := 'exact')"
    assert both_ways(hub, target, query) == [(4, 0.5)]


def test_the_spread_of_the_source_is_in_the_reach_too(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    source = pa.table({"x": np.concatenate([rng.normal(5, 1, 2000), rng.normal(5000, 500, 2000)])})
    with modelhub_sql.connect(tmp_path / "h.duckdb", partition_size=500, partitioning="sequential") as hub:
        hub.register("of two halves", source)
        query = "SELECT adaptivity, coverage FROM find_models('target', max_js := 0.1, search := 'exact')"
        assert both_ways(hub, pa.table({"x": rng.normal(5, 1, 4000)}), query) == [(4, 1)]


@pytest.mark.once
def test_only_datasets_that_may_match_are_compared_and_none_that_matches_is_left_out(tmp_path: Path) -> None:
    # With some features shared, resolutions that differ and values missing, so that both bounds of a spread are used.
    rng = np.random.default_rng(6)

    def dataset(shift: float, features: int, scale: float) -> pa.Table:
        columns = {f"x{i}": rng.normal(10 * i + shift, 2 * scale, 1200) for i in range(features)}
        return pa.table(columns | {"gaps": pa.array(rng.normal(5, 1, 1200), mask=rng.random(1200) < 0.5)})

    models = [{"name": f"m{i}", "dataset": dataset(float(i), 2 + i % 3, (1, 1.7)[i % 2])} for i in range(12)]
    target = dataset(0, 3, 1)
    reached = []
    path, cautious_path = str(tmp_path / "h.duckdb"), str(tmp_path / "cautious.duckdb")
    with modelhub_sql.connect(path, partition_size=300) as hub:
        hub.register_many(models)
    Path(cautious_path).write_bytes(Path(path).read_bytes())
    with duckdb.connect(cautious_path) as con:
        con.execute("UPDATE _hub.features SET spread = ln(2); UPDATE _hub.datasets SET spread = 1e3")
    with modelhub_sql.connect(path) as hub, modelhub_sql.connect(cautious_path) as cautious:
        for max_js in (0.05, 0.15, math.log(2)):
            found, everything = (
                each.find_models(target, max_js=max_js, all_models=True).select("model, adaptivity").fetchall()
                for each in (hub, cautious)
            )
            assert found == everything
            assert len(found) == 12
            for each in (hub, cautious):
                each.steps(target, until="reachable_dataset", max_js=max_js)
                reached.append((len(each.step("reachable_dataset")), sum(row[1] > 0 for row in found)))
    assert all(matching <= reachable for reachable, matching in reached)
    assert [reachable for reachable, _ in reached[1::2]] == [12] * 3
    assert reached[0][0] < 10


@pytest.mark.parametrize("space", SPACES)
def test_a_partition_without_values_is_near_another_without_only(tmp_path: Path, space: str) -> None:
    rng = np.random.default_rng(1)
    half = pa.table({"a": rng.normal(5, 1, 200), "b": pa.array([None] * 100 + [1.0] * 100, pa.float64())})
    with modelhub_sql.connect(tmp_path / "h.duckdb", partition_size=100, partitioning="sequential") as hub:
        hub.register("half", half)
        query = f"SELECT target_partition, matches FROM explain_partitions('half', 'target', max_js := 0.15, sample_space := '{space}')"
        assert sorted(both_ways(hub, half, query)) == [(0, 1), (1, 1)]


def test_automatic_search_hashes_only_when_a_partition_has_many_more_pairs_than_hashes() -> None:
    rng = np.random.default_rng(2)
    with modelhub_sql.connect(partition_size=10, jslsh_bands=2, jslsh_rows=1) as hub:
        hub.register("m", normals(rng, {"x": 10}))
        for partitions, search in ((16, "exact"), (17, "lsh")):
            target = normals(rng, {"x": 10}, partitions * 10)
            assert hub.find_models(target, all_models=True, details=True).select("search").fetchall() == [(search,)]
