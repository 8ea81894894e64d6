"""What counts as near: thresholds that are given, and those that are chosen (section 3.5)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import oracle
import pyarrow as pa
import pytest
from conftest import both_ways, data, normal
from scipy.spatial.distance import jensenshannon

import modelhub_sql

pytestmark = pytest.mark.filterwarnings("ignore:max_js = .* is below twice the sampling floor")


SPACES: list[Any] = ["aligned", "flattened"]


def test_thresholds_leave_out_what_is_below_them(sensor_hub: modelhub_sql.Hub) -> None:
    everything = sensor_hub.find_models(data("leg2"), exclude=["activity"], max_js=0.08, all_models=True).fetchall()
    columns = sensor_hub.find_models(data("leg2"), exclude=["activity"], details=True).columns
    at = {name: columns.index(name) for name in columns}
    least = sorted(row[at["adaptivity"]] for row in everything)[-2]
    kept = sensor_hub.find_models(data("leg2"), exclude=["activity"], max_js=0.08, min_adaptivity=least, all_models=True)
    assert {row[0] for row in kept.select("model").fetchall()} == {
        row[at["model"]] for row in everything if row[at["adaptivity"]] >= least
    }
    nearest = min(row[at["js_divergence"]] for row in everything)
    near = sensor_hub.find_models(data("leg2"), exclude=["activity"], max_divergence=nearest + 1e-12).select("model").fetchall()
    assert len(near) == 1


def test_overlap_must_be_above_its_threshold_not_at_it(hub: modelhub_sql.Hub) -> None:
    hub.register("half", pa.table({"a": [1.0, 2.0] * 50}))
    target = pa.table({"a": [1.0, 2.0] * 50, "b": ["x"] * 100})
    assert hub.find_models(target, min_overlap=0.5).fetchall() == []
    assert hub.find_models(target, min_overlap=0.49).select("model, overlap, shared_features").fetchall() == [("half", 0.5, 1)]


def test_features_are_equivalent_above_min_jaccard_not_at_it(hub: modelhub_sql.Hub) -> None:
    hub.register("same", pa.table({"a": [1.0, 2.0] * 50}))
    target = pa.table({"a": [1.0, 2.0] * 50})
    assert hub.find_models(target, features="values", min_jaccard=1).fetchall() == []
    assert len(hub.find_models(target, features="values", min_jaccard=0.999).fetchall()) == 1


def test_the_threshold_used_comes_back_and_an_automatic_one_lets_about_three_models_match(sensor_hub: modelhub_sql.Hub) -> None:
    given = sensor_hub.find_models(data("leg2"), exclude=["activity"], max_js=0.123).select("max_js").fetchall()
    assert set(given) == {(0.123,)}
    for space in SPACES:
        auto = sensor_hub.find_models(data("leg2"), exclude=["activity"], max_js="auto", sample_space=space)
        adaptivities = [found for (found,) in auto.select("adaptivity").fetchall()]
        assert 0 < sum(found > 0 for found in adaptivities) <= 4


@pytest.mark.parametrize("space", SPACES)
def test_the_sampling_floor_is_the_divergence_of_two_samples_of_one_distribution(space: Any) -> None:
    rng = np.random.default_rng(0)
    table = pa.table({f"x{i}": rng.lognormal(2, 0.6, 20_000) for i in range(4)})
    with modelhub_sql.connect(partition_size=500) as hub:
        hub.register("m", table)
        (floor,) = hub.find_models(table, sample_space=space, max_js=0.3).select("sampling_floor").fetchall()[0]
        hub.con.register("t", table)
        sketched = hub.con.execute("SELECT bins, partitions FROM sketch('t')").fetchall()
    if space == "flattened":
        # Bins that are called alike are one.
        axis = {lower: place for place, lower in enumerate(sorted({lower for bins, _ in sketched for lower in bins}))}
        merged = np.zeros((len(sketched[0][1]), len(axis)))
        for bins, partitions in sketched:
            merged[:, [axis[lower] for lower in bins]] += np.array(partitions, float)
        histograms = [merged]
    else:
        histograms = [np.array(partitions, float) for _, partitions in sketched]
    pairs = [(i, j) for i in range(10) for j in range(10, 20)]
    measured = np.mean([[jensenshannon(h[i], h[j]) ** 2 for h in histograms] for i, j in pairs])
    # An expectation for bins that all occur often: rare bins make it an upper estimate.
    assert 0.5 * floor < measured < 1.1 * floor


def test_a_threshold_below_twice_the_floor_warns(sensor_hub: modelhub_sql.Hub) -> None:
    with pytest.warns(UserWarning, match="sampling floor"):
        sensor_hub.find_models(data("leg2"), exclude=["activity"], max_js=1e-4)


def partition_divergences(hub: modelhub_sql.Hub, model: str) -> list[float]:
    """JS divergences of the first four partitions of a model from the first four of a target of two numbers, by scipy."""
    found = hub.con.execute(
        """
        WITH t AS MATERIALIZED (FROM sketch('target')),
        tp AS (SELECT feature, unnest(range(len(partitions))) AS p, unnest(partitions) AS counts, bins, k, b FROM t),
        sp AS (
            SELECT feature, partition_id AS p, h.counts, f.bins, f.k, f.b
            FROM histograms AS h JOIN features AS f USING (dataset_id, feature_id) JOIN models USING (dataset_id) WHERE model = ?
        )
        SELECT tp.p, sp.p, tp.bins, tp.counts, sp.bins, sp.counts, tp.k, tp.b, sp.k, sp.b FROM tp JOIN sp USING (feature) WHERE tp.p < 4 AND sp.p < 4
        """,
        [model],
    ).fetchall()
    pairs: dict[tuple[int, int], list[float]] = {}
    for target, source, target_bins, target_counts, source_bins, source_counts, k, b, own_k, own_b in found:
        p: dict[float, int] = {}
        q: dict[float, int] = {}
        for side, bins, counts in ((p, target_bins, target_counts), (q, source_bins, source_counts)):
            for lower, n in zip(bins, counts, strict=True):
                coarse = oracle.number_bin(lower, oracle.coarser(oracle.Resolution(k, b), oracle.Resolution(own_k, own_b)))
                side[coarse] = side.get(coarse, 0) + n
        both = sorted({*p, *q})
        divergence = jensenshannon([p.get(lower, 0) for lower in both], [q.get(lower, 0) for lower in both]) ** 2
        pairs.setdefault((target, source), []).append(divergence)
    return [float(np.mean(each)) for each in pairs.values()]


@pytest.mark.one_in(3)
@pytest.mark.parametrize("settings", [{}, dict(auto_quantile=0.5), dict(auto_models=0.5)])
def test_an_automatic_threshold_weighs_every_dataset_alike(settings: dict[str, Any]) -> None:
    sizes = {"near": 100, "far": 1000, "farther": 700, "farthest": 250}
    with modelhub_sql.connect(partition_size=100, **settings) as hub:
        for step, (name, rows) in enumerate(sizes.items()):
            hub.register(name, normal(rows, step / 2, seed=10 * step))
        target = normal(500, 0, seed=99)
        found = both_ways(hub, target, "SELECT DISTINCT max_js FROM find_models('target', all_models := true, details := true)")
        hub.con.register("target", target)
        weighted = sorted((js, 1 / len(own)) for name in sizes for own in [partition_divergences(hub, name)] for js in own)
    share = settings.get("auto_quantile", min(0.25, settings.get("auto_models", 3) / len(sizes)))
    reached = np.cumsum([weight for _, weight in weighted]) >= share * len(sizes) - 1e-9
    assert found == [(pytest.approx(weighted[int(np.argmax(reached))][0], abs=1e-9),)]


def test_a_small_dataset_equal_to_the_target_comes_before_large_others() -> None:
    with modelhub_sql.connect(partition_size=100) as hub:
        hub.register("equal", normal(200, 0, seed=1))
        for number in range(1, 4):
            hub.register(f"other{number}", normal(5000, number * 2, seed=number))
        found = both_ways(hub, normal(200, 0, seed=1), "SELECT model, js_divergence FROM find_models('target')")
    assert found[0] == ("equal", pytest.approx(0, abs=1e-9))


def test_rows_in_order_are_sampled_evenly_for_an_automatic_threshold() -> None:
    rng = np.random.default_rng(5)
    ordinary, odd = rng.normal(0, 1, 2600), rng.normal(1e6, 1, 400)
    with modelhub_sql.connect(partition_size=100, partitioning="sequential") as hub:
        for number in range(6):
            hub.register(f"m{number}", pa.table({"x": rng.normal(number / 5, 1, 3000)}))
        chosen = []
        for values in (np.concatenate([odd, ordinary]), np.concatenate([ordinary, odd])):
            ((t, most),) = both_ways(
                hub,
                pa.table({"x": values}),
                "SELECT any_value(max_js), max(adaptivity) FROM find_models('target', all_models := true, details := true)",
            )
            assert most < 27
            chosen.append(t)
    assert max(chosen) < 0.5


def test_an_automatic_threshold_is_below_ln_2_where_nearly_nothing_is_shared_and_the_verdict_says_so() -> None:
    with modelhub_sql.connect(partition_size=100) as hub:
        for number in range(3):
            hub.register(f"m{number}", pa.table({"x": [0.0] * 20 + [10.0**number] * 980}))
        hub.con.register("target", pa.table({"x": [0.0] * 20 + [-5.0] * 980}))
        rows = hub.con.execute(
            "SELECT max_js, verdict FROM find_models('target', all_models := true, details := true)"
        ).fetchall()
    assert len(rows) == 3
    for t, verdict in rows:
        assert 0.9 * math.log(2) < t < math.log(2)
        assert verdict == "far"


@pytest.mark.one_in(2)
@pytest.mark.parametrize(("multiple", "warns"), [(1.9, True), (2.1, False)])
def test_the_warning_is_of_twice_the_sampling_floor(sensor_hub: modelhub_sql.Hub, multiple: float, warns: bool) -> None:
    table = data("torso1")
    query = "SELECT min(sampling_floor) FROM find_models($1, exclude := ['activity'], max_js := 0.5, all_models := true)"
    ((floor,),) = sensor_hub.con.execute(query, [table]).fetchall()
    rows = sensor_hub.con.execute(
        "SELECT sampling_floor, warning FROM find_models($1, exclude := ['activity'], max_js := $2, all_models := true)",
        [table, multiple * floor],
    ).fetchall()
    told = [warning is not None for of_model, warning in rows if of_model == pytest.approx(floor)]
    assert told
    assert set(told) == {warns}
