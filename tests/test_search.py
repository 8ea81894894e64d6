"""Overlap, matches, adaptivity and ranking against brute force."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterable
from typing import Any

import duckdb
import numpy as np
import oracle
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import SENSORS, data
from scipy.spatial.distance import jensenshannon
from scipy.stats import entropy

import modelhub_sql
from modelhub_sql import sql

pytestmark = pytest.mark.filterwarnings("ignore:max_js = .* is below twice the sampling floor")

SPACES = ["aligned", "flattened"]


def sensor_histograms(name: str) -> dict[str, oracle.Floats]:
    return oracle.histograms(data(name), ("activity",), 100)


def shared(source: dict[str, oracle.Floats], target: dict[str, oracle.Floats], min_jaccard: float) -> dict[str, str]:
    """Equivalent features, target to source: same name first, then best Jaccard, then order."""
    replicas = 16
    scored = [
        (t.lower() != s.lower(), -oracle.jaccard(source[s].sum(axis=0), target[t].sum(axis=0), replicas), i, j, t, s)
        for i, t in enumerate(target)
        for j, s in enumerate(source)
    ]
    matched: dict[str, str] = {}
    for *_, t, s in sorted(pair for pair in scored if -pair[1] > min_jaccard):
        if t not in matched and s not in matched.values():
            matched[t] = s
    return matched


def renamed(name: str) -> pa.Table:
    table = pq.read_table(data(name)).drop_columns(["activity"])
    return table.rename_columns([f"other_{i}" for i in range(table.num_columns)])


@pytest.mark.parametrize("model", SENSORS)
@pytest.mark.parametrize("names", ["same", "different"])
def test_shared_features_are_those_of_brute_force(sensor_hub: modelhub_sql.Hub, model: str, names: str) -> None:
    target_name = "torso2"
    t2 = 0.4
    target: Any = data(target_name) if names == "same" else renamed(target_name)
    histograms = sensor_histograms(target_name)
    if names == "different":
        histograms = {f"other_{i}": histogram for i, histogram in enumerate(histograms.values())}
    exclude = ["activity"] if names == "same" else []
    rows = sensor_hub.explain(model, target, exclude=exclude, min_jaccard=t2).fetchall()
    expected = shared(sensor_histograms(model), histograms, t2)
    assert {row[0]: row[2] for row in rows if row[2] is not None} == expected
    for target_feature, _, source_feature, jaccard, *_ in rows:
        if source_feature is not None:
            p, q = sensor_histograms(model)[source_feature].sum(axis=0), histograms[target_feature].sum(axis=0)
            assert jaccard == pytest.approx(oracle.jaccard(p, q, 16), abs=1e-9)


def hub_pairs(hub: modelhub_sql.Hub, target: str, max_js: float, space: str, search: str) -> dict[str, set[tuple[int, int]]]:
    """The matching pairs of each model, from the stages that find_models goes through."""
    con = hub.con
    con.execute("SET VARIABLE the_target = ?", [data(target)])
    con.execute("CREATE OR REPLACE TEMP TABLE ts AS FROM sketch(getvariable('the_target'), exclude := ['activity'])")
    con.execute(
        "CREATE OR REPLACE TEMP TABLE opts AS FROM search_options(max_js := $1, sample_space := $2, search := $3)",
        [max_js, space, search],
    )
    rows = con.execute(
        "SELECT model, target_partition, matches FROM target_coverage('ts', 'opts') JOIN models USING (dataset_id)"
    ).fetchall()
    counted: dict[str, set[tuple[int, int]]] = {}
    for model, target_partition, matches in rows:
        counted.setdefault(model, set()).add((target_partition, matches))
    return counted


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("max_js", [0.03, 0.06, 0.12])
@pytest.mark.parametrize("target_name", ["torso2", "leg1"])
def test_exact_matches_adaptivity_coverage_and_ranking_are_those_of_brute_force(
    sensor_hub: modelhub_sql.Hub, space: str, max_js: float, target_name: str
) -> None:
    target = sensor_histograms(target_name)
    found = sensor_hub.find_models(data(target_name), exclude=["activity"], max_js=max_js, sample_space=space, search="exact")
    rows = {
        row[0]: row[1:]
        for row in found.select("model, rank, adaptivity, coverage, js_divergence").fetchall()
        if row[0] in SENSORS
    }
    counts = hub_pairs(sensor_hub, target_name, max_js, space, "exact")
    expected = {}
    for model in SENSORS:
        source = sensor_histograms(model)
        matched = shared(source, target, 0.15)
        both = [source[s] for s in matched.values()], [target[t] for t in matched]
        truth = oracle.matches(*both, space, max_js)
        n_t = len(next(iter(target.values())))
        per_target = {(j, sum(pair[1] == j for pair in truth.pairs)) for j in range(n_t)}
        assert counts[model] == per_target
        expected[model] = (len(truth.pairs) / n_t, sum(n > 0 for _, n in per_target) / n_t, truth.js_divergence)
        assert rows[model][1:] == pytest.approx(expected[model], abs=1e-9)
    by_rank = sorted(SENSORS, key=lambda model: rows[model][0])
    assert by_rank == sorted(SENSORS, key=lambda model: (-expected[model][0], expected[model][2]))
    assert any(adaptivity > 0 for adaptivity, *_ in expected.values())


@pytest.mark.once
@pytest.mark.parametrize("loaded", [True, False])
@pytest.mark.parametrize("space", SPACES)
def test_lsh_finds_a_subset_with_recall_and_does_not_try_every_pair(sensor_hub_path: str, space: str, loaded: bool) -> None:
    found = total = candidates = pairs = 0
    with duckdb.connect(sensor_hub_path, read_only=True) as con:
        if loaded:
            modelhub_sql.load(con)
        for target in SENSORS:
            con.execute("CREATE OR REPLACE TEMP TABLE target AS FROM sketch(?, exclude := ['activity'])", [data(target)])
            for max_js in (0.02, 0.05, 0.1):
                con.execute("SET VARIABLE js = ?", [max_js])
                con.execute("SET VARIABLE space = ?", [space])
                query = """
                    WITH options AS (
                        FROM search_options(max_js := getvariable('js'), sample_space := getvariable('space'), search := '{}')
                    )
                    SELECT model, adaptivity, search FROM rank_models('target', 'options')
                """
                exact = {
                    model: (adaptivity, search) for model, adaptivity, search in con.execute(query.format("exact")).fetchall()
                }
                hashed = {
                    model: (adaptivity, search) for model, adaptivity, search in con.execute(query.format("lsh")).fetchall()
                }
                assert {search for _, search in exact.values()} == {"exact"}
                assert {search for _, search in hashed.values()} == {"lsh"}
                for model, (adaptivity, _) in exact.items():
                    assert hashed[model][0] <= adaptivity + 1e-9
                    found += hashed[model][0]
                    total += adaptivity
        assert total > 50
        assert found / total >= 0.95
        # The signatures of far datasets share no band: the search by hashing left them out.
        con.execute(
            "CREATE OR REPLACE TEMP TABLE axis1 AS SELECT 1 AS space_id, 1 AS slot, i::INT AS bin, i + 1 AS position FROM range(30) t(i)"
        )
        con.execute("CREATE OR REPLACE TEMP TABLE functions1 AS FROM space_functions('axis1')")
        rng = np.random.default_rng(0)
        vectors = np.sqrt(np.concatenate([rng.dirichlet(np.full(31, 0.1), 40)]))
        con.execute("CREATE OR REPLACE TEMP TABLE vectors1 (owner INT, space_id INT, partition_id INT, roots DOUBLE[])")
        con.executemany("INSERT INTO vectors1 VALUES (?, 1, ?, ?)", [(i % 2, i // 2, v.tolist()) for i, v in enumerate(vectors)])
        con.execute(
            "CREATE OR REPLACE TEMP TABLE threshold1 AS SELECT 0.02 AS max_js, jslsh_width * sqrt(2 * 0.02 / ln(2)) AS width FROM settings"
        )
        con.execute("CREATE OR REPLACE TEMP TABLE s1 AS FROM jslsh_signatures('vectors1', 'functions1', 'threshold1')")
        pairs = 400
        candidates = con.execute("""
            SELECT count(DISTINCT (a.partition_id, b.partition_id)) FROM s1 a JOIN s1 b USING (space_id, band, signature)
            WHERE a.owner = 0 AND b.owner = 1
        """).fetchall()[0][0]
        assert candidates < pairs / 2


def test_a_larger_set_covers_a_part_of_it_better_than_the_part_covers_the_set(hub: modelhub_sql.Hub) -> None:
    whole = pq.read_table(data("torso1"))
    part = whole.filter(pa.compute.less(whole["acc_std"], float(np.median(whole["acc_std"].to_numpy()))))
    hub.register("whole", whole, exclude=["activity"])
    hub.register("part", part, exclude=["activity"])
    for space in SPACES:
        of_part = hub.find_models(part, exclude=["activity"], sample_space=space, max_js=0.3).select("model, adaptivity")
        of_whole = hub.find_models(whole, exclude=["activity"], sample_space=space, max_js=0.3).select("model, adaptivity")
        assert dict(of_part.fetchall())["whole"] > dict(of_whole.fetchall())["part"]


def test_divergences_of_whole_datasets_are_scipys(sensor_hub: modelhub_sql.Hub) -> None:
    target = sensor_histograms("torso2")
    found = sensor_hub.find_models(data("torso2"), exclude=["activity"], sample_space="flattened")
    for model, forward, backward, l2 in found.select("model, kl_target_source, kl_source_target, l2_distance").fetchall():
        if model not in SENSORS:
            continue
        source = sensor_histograms(model)
        matched = shared(source, target, 0.15)
        p = sum(source[s].sum(axis=0) for s in matched.values())
        q = sum(target[t].sum(axis=0) for t in matched)
        inside = np.asarray(q) > 0

        # The space: the target's bins, "missing", and one bin for everything else; 1e-6 is added to each.
        def over_space(x: Any, inside: Any = inside) -> Any:
            kept = np.concatenate([x[inside], [0.0], [x[~inside].sum()]]) / x.sum()
            return (kept + 1e-6) / (1 + 1e-6 * len(kept))

        assert forward == pytest.approx(entropy(over_space(q), over_space(p)), abs=1e-9)
        assert backward == pytest.approx(entropy(over_space(p), over_space(q)), abs=1e-9)
        tables = [pq.read_table(data(name)) for name in (model, "torso2")]
        centres = [
            [float(np.mean(t[n].to_numpy().astype(float))) for n in names]
            for t, names in zip(tables, (matched.values(), matched), strict=True)
        ]
        assert l2 == pytest.approx(math.dist(*centres), rel=1e-9)


@pytest.mark.parametrize(
    ("rank_by", "column", "descending"),
    [
        ("adaptivity", "adaptivity", True), ("coverage", "coverage", True), ("js", "js_divergence", False), ("l2", "l2_distance", False),
        ("kl_target_source", "kl_target_source", False), ("kl_source_target", "kl_source_target", False),
        ("source_accuracy", "source_accuracy", True),
    ],
)  # fmt: skip
def test_rank_by_orders_by_its_column(sensor_hub: modelhub_sql.Hub, rank_by: str, column: str, descending: bool) -> None:
    found = sensor_hub.find_models(data("leg2"), exclude=["activity"], rank_by=rank_by, max_js=0.08)
    values = [row[0] for row in found.select(column).fetchall() if row[0] is not None]
    assert len(values) >= 4
    assert values == sorted(values, reverse=descending)


def test_thresholds_leave_out_what_is_below_them(sensor_hub: modelhub_sql.Hub) -> None:
    everything = sensor_hub.find_models(data("leg2"), exclude=["activity"], min_overlap=0, max_js=0.08).fetchall()
    columns = sensor_hub.find_models(data("leg2"), exclude=["activity"]).columns
    at = {name: columns.index(name) for name in columns}
    least = sorted(row[at["adaptivity"]] for row in everything)[-2]
    kept = sensor_hub.find_models(data("leg2"), exclude=["activity"], min_overlap=0, max_js=0.08, min_adaptivity=least)
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
    assert hub.find_models(target, min_jaccard=1).fetchall() == []
    assert len(hub.find_models(target, min_jaccard=0.999).fetchall()) == 1


def test_the_threshold_used_comes_back_and_an_automatic_one_lets_about_three_models_match(sensor_hub: modelhub_sql.Hub) -> None:
    given = sensor_hub.find_models(data("leg2"), exclude=["activity"], max_js=0.123).select("max_js").fetchall()
    assert set(given) == {(0.123,)}
    for space in SPACES:
        auto = sensor_hub.find_models(data("leg2"), exclude=["activity"], max_js="auto", sample_space=space)
        adaptivities = [found for (found,) in auto.select("adaptivity").fetchall()]
        assert 0 < sum(found > 0 for found in adaptivities) <= 4


@pytest.mark.parametrize("space", SPACES)
def test_the_sampling_floor_is_the_divergence_of_two_samples_of_one_distribution(space: str) -> None:
    rng = np.random.default_rng(0)
    table = pa.table({f"x{i}": rng.lognormal(2, 0.6, 20_000) for i in range(4)})
    with modelhub_sql.connect(partition_size=500) as hub:
        hub.register("m", table)
        (floor,) = hub.find_models(table, sample_space=space, max_js=0.3).select("sampling_floor").fetchall()[0]
    counted = [oracle.number_bins(table[name].to_numpy()) for name in table.column_names]
    which = oracle.partitions(20_000, 500)
    histograms = [np.stack([np.bincount(b[which == k], minlength=oracle.BINS) for k in range(20)]).astype(float) for b in counted]
    p = oracle.distributions(histograms, space)
    from scipy.spatial.distance import jensenshannon

    measured = np.mean([jensenshannon(p[i], p[j]) ** 2 for i in range(10) for j in range(10, 20)])
    # An expectation for bins that all occur often: rare bins make it an upper estimate.
    assert 0.5 * floor < measured < 1.1 * floor


def test_a_threshold_below_twice_the_floor_warns(sensor_hub: modelhub_sql.Hub) -> None:
    with pytest.warns(UserWarning, match="sampling floor"):
        sensor_hub.find_models(data("leg2"), exclude=["activity"], max_js=1e-4)


def test_a_target_that_shares_nothing_finds_no_models_without_error(sensor_hub: modelhub_sql.Hub) -> None:
    stranger = pa.table({"when": pa.array([19_000 + i for i in range(50)], pa.date32())})
    assert sensor_hub.find_models(stranger).fetchall() == []
    assert sensor_hub.explain_partitions("torso1", stranger).fetchall() == []
    assert [row[2] for row in sensor_hub.explain("torso1", stranger).fetchall()] == [None]


def test_a_partition_without_values_is_far_from_one_with_values_and_near_another_without() -> None:
    rng = np.random.default_rng(1)
    a = rng.normal(5, 1, 200)
    half = pa.table({"a": a, "b": pa.array([None] * 100 + [1.0] * 100, pa.float64())})
    with modelhub_sql.connect(partition_size=100, partitioning="sequential") as hub:
        hub.register("half", half)
        for space in ("aligned",):
            rows = (
                hub.explain_partitions("half", half, max_js=0.2, sample_space=space)
                .select("target_partition, matches")
                .fetchall()
            )
            assert sorted(rows) == [(0, 1), (1, 1)]


def test_only_the_nearest_datasets_are_compared_partition_by_partition() -> None:
    rng = np.random.default_rng(2)
    with modelhub_sql.connect(partition_size=50, max_candidates=2) as hub:
        for i in range(4):
            hub.register(f"m{i}", pa.table({"x": rng.normal(10 + 3 * i, 1, 200)}))
        target = pa.table({"x": rng.normal(10, 1, 200)})
        assert [row[0] for row in hub.find_models(target, min_jaccard=0).select("model").fetchall()] == ["m0", "m1"]


@pytest.mark.once
def test_a_dataset_is_left_out_early_only_when_it_cannot_be_among_the_nearest() -> None:
    # Half of the names differ from dataset to dataset, so that what is known early are bounds.
    rng = np.random.default_rng(3)
    names = [f"x{i}" for i in range(6)]

    def dataset(shift: float, other: int) -> pa.Table:
        return pa.table({name + "'" * (i < other): rng.normal(10 * i + shift, 1, 100) for i, name in enumerate(names)})

    tables = [dataset(float(rng.exponential(2)), i % 4) for i in range(30)]
    with modelhub_sql.connect(partition_size=50) as hub:
        hub.register_many([{"name": f"m{i}", "dataset": table} for i, table in enumerate(tables)])
        target = dataset(0, 0)
        for space, min_overlap in itertools.product(SPACES, (0.0, 0.5)):
            found = {}
            for max_candidates in (5, 30):
                hub.con.execute("UPDATE settings SET max_candidates = ?", [max_candidates])
                rows = hub.find_models(target, rank_by="js", sample_space=space, min_overlap=min_overlap, min_jaccard=0.01)
                found[max_candidates] = rows.select("model, js_divergence").fetchall()
            assert len(found[30]) > 20
            assert found[5] == found[30][:5]


def test_automatic_search_hashes_only_when_a_partition_has_many_more_pairs_than_hashes() -> None:
    rng = np.random.default_rng(2)
    with modelhub_sql.connect(partition_size=10, jslsh_bands=2, jslsh_rows=1) as hub:
        hub.register("m", pa.table({"x": rng.normal(10, 1, 200)}))
        for partitions, search in ((16, "exact"), (17, "lsh")):
            target = pa.table({"x": rng.normal(10, 1, partitions * 10)})
            assert hub.find_models(target).select("search").fetchall() == [(search,)]


def test_find_models_names_every_partition_it_explains(sensor_hub: modelhub_sql.Hub) -> None:
    found = sensor_hub.find_models(data("leg2"), exclude=["activity"], max_js=0.08)
    best, adaptivity = found.select("model, adaptivity").limit(1).fetchall()[0]
    rows = sensor_hub.explain_partitions(best, data("leg2"), exclude=["activity"], max_js=0.08).fetchall()
    assert len(rows) == 12
    assert sum(row[1] for row in rows) / len(rows) == pytest.approx(adaptivity)


@pytest.mark.parametrize("search", ["exact", "lsh"])
@pytest.mark.parametrize("space", SPACES)
def test_the_sql_of_the_file_and_the_numpy_functions_answer_the_same(
    stock: duckdb.DuckDBPyConnection, sensor_hub: modelhub_sql.Hub, space: str, search: str
) -> None:
    for target in SENSORS:
        query = f"""
            SELECT model, rank, adaptivity, coverage, js_divergence, overlap, max_js, sampling_floor, l2_distance,
                kl_target_source, kl_source_target
            FROM find_models('{data(target)}', exclude := ['activity'], sample_space := '{space}', search := '{search}')
        """
        for in_sql, in_numpy in zip(stock.execute(query).fetchall(), sensor_hub.con.execute(query).fetchall(), strict=True):
            assert in_sql[:2] == in_numpy[:2]
            assert in_sql[2:] == pytest.approx(in_numpy[2:], abs=1e-9)


@pytest.mark.parametrize(("search", "max_js"), [("exact", "'auto'"), ("exact", "ln(2)"), ("lsh", "'auto'")])
@pytest.mark.parametrize("space", SPACES)
def test_sql_and_numpy_answer_the_same_where_values_are_missing(space: str, search: str, max_js: str) -> None:
    rng = np.random.default_rng(4)

    def gappy(shift: float) -> pa.Table:
        present = rng.random((300, 3)) < np.repeat(
            [[1, 0.5, 0.1], [1, 0, 0], [0, 1, 0], [0, 0, 0], [0, 0, 1], [1, 1, 1]], 50, axis=0
        )
        columns = [rng.normal(5 + shift, 1, 300), rng.poisson(3 + shift, 300), rng.choice(["a b", "b c", "c"], 300)]
        return pa.table(
            {f"x{i}": pa.array(column, mask=~present[:, i]) for i, column in enumerate(columns)}
            | {"weight": rng.normal(size=300)}
        )

    with modelhub_sql.connect(partition_size=50, partitioning="sequential") as hub:
        hub.register_many([{"name": f"m{i}", "dataset": gappy(i / 2)} for i in range(6)])
        hub.register("narrow", gappy(0).drop_columns(["x0", "weight"]))
        gaps = gappy(0)
        hub.con.register("gaps", gaps)
        hub.con.execute("CREATE TABLE target AS FROM gaps")
        query = f"""
            SELECT model, adaptivity, coverage, js_divergence, max_js
            FROM find_models('target', sample_space := '{space}', search := '{search}', min_overlap := 0, max_js := {max_js})
        """
        in_numpy, in_sql = hub.con.execute(query).fetchall(), hub.con.cursor().execute(query).fetchall()
    assert len(in_numpy) == 7
    assert len({row[1] for row in in_numpy}) > 3 or max_js == "ln(2)"
    for numpy_row, sql_row in zip(in_numpy, in_sql, strict=True):
        assert numpy_row[0] == sql_row[0]
        assert numpy_row[1:] == pytest.approx(sql_row[1:], abs=1e-9)


def steps(stages: Iterable[str]) -> set[str]:
    """Names of the CTEs in some stages."""
    pattern = re.compile(r"^(?:    WITH(?: RECURSIVE)?|   ) (\w+) AS ", re.MULTILINE)
    return {name for stage in stages for name in pattern.findall(sql.stages()[stage])}


def test_a_target_may_have_the_name_of_any_step_on_its_way(stock: duckdb.DuckDBPyConnection) -> None:
    # A target is read in its sketch, where the steps of later stages are not known but those around the sketch are.
    around = {"90_find_models", "95_explain"}
    inside, outside = steps(stage for stage in sql.stages() if stage < "60"), steps(around)
    inside |= set(sorted(steps(set(sql.stages()) - around) - inside)[::20])
    assert {"typed", "dataset_row"} <= inside
    assert {"target_sketch", "options"} <= outside
    ways = [
        (inside, "SELECT * EXCLUDE (partitions) FROM sketch(?, exclude := ['activity'])"),
        (outside, "SELECT model, adaptivity FROM find_models(?, exclude := ['activity'])"),
        (outside, "SELECT target_feature, jaccard FROM explain_features('torso1', ?, exclude := ['activity'])"),
    ]
    for names, query in ways:
        expected = stock.execute(query, [data("leg2")]).fetchall()
        assert expected
        for name in sorted(names):
            stock.execute(f"CREATE TEMP VIEW \"{name}\" AS FROM query_table('{data('leg2')}')")
            found = stock.execute(query, [name]).fetchall()
            stock.execute(f'DROP VIEW "{name}"')
            assert (name, found) == (name, expected)


REACHABLE = """
    WITH target AS (FROM sketch('the_target')),
    partition AS (FROM sketched_histograms('target')),
    options AS (FROM search_options(min_overlap := 0.1, min_jaccard := 0.01)),
    threshold AS (SELECT $1 AS max_js),
    distances AS (FROM whole_distances('target', 'partition')),
    matches AS (FROM feature_matches('target', 'options')),
    related AS (FROM dataset_overlap('matches', 'target', 'options')),
    candidates AS (FROM comparable_datasets('matches', 'related', 'options'))
    SELECT count(*) FROM reachable_datasets('candidates', 'matches', 'distances', 'threshold', 'options')
"""


@pytest.mark.once
def test_only_datasets_that_may_match_are_compared_and_none_that_matches_is_left_out() -> None:
    # With some features shared and values missing, so that both bounds of a spread are used.
    rng = np.random.default_rng(6)

    def dataset(shift: float, features: int) -> pa.Table:
        columns = {f"x{i}": rng.normal(10 * i + shift, 2, 400) for i in range(features)}
        return pa.table(columns | {"gaps": pa.array(rng.normal(5, 1, 400), mask=rng.random(400) < 0.5)})

    models = [{"name": f"m{i}", "dataset": dataset(i / 3, 2 + i % 3)} for i in range(30)]
    target = dataset(0, 3)
    reached = []
    with modelhub_sql.connect(partition_size=50) as hub, modelhub_sql.connect(partition_size=50) as cautious:
        for each in (hub, cautious):
            each.register_many(models)
        cautious.con.execute("UPDATE features SET spread = ln(2); UPDATE datasets SET spread = 1e3")
        for max_js in (0.03, 0.1, 0.2, math.log(2)):
            found, everything = (
                each.find_models(target, max_js=max_js, min_overlap=0.1, min_jaccard=0.01).select("model, adaptivity").fetchall()
                for each in (hub, cautious)
            )
            assert found == everything
            assert len(found) == 30
            for each in (hub, cautious):
                each.con.register("the_target", target)
                reached.append((each.con.execute(REACHABLE, [max_js]).fetchall()[0][0], sum(row[1] > 0 for row in found)))
    assert all(matching <= reachable for reachable, matching in reached)
    assert [reachable for reachable, _ in reached[1::2]] == [30] * 4
    assert reached[0][0] < 25


def both_ways(hub: modelhub_sql.Hub, table: pa.Table, query: str) -> list[Any]:
    """What a query on the table ``target`` finds, with the numpy functions and in SQL alone; it must be the same."""
    answers = []
    for con in (hub.con, hub.con.cursor()):
        con.register("target", table)
        answers.append(con.execute(query).fetchall())
    with_numpy, in_sql = answers
    assert with_numpy == [
        tuple(pytest.approx(value, abs=1e-9) if isinstance(value, float) else value for value in row) for row in in_sql
    ]
    return with_numpy


def normal(rows: int, mean: float, seed: int) -> pa.Table:
    return pa.table(
        {"x": np.random.default_rng(seed).normal(mean, 1, rows), "y": np.random.default_rng(seed + 1).normal(0, 1, rows)}
    )


def partition_divergences(hub: modelhub_sql.Hub, model: str) -> list[float]:
    """JS divergences of the first four partitions of a model from the first four of a target of two numbers, by scipy."""
    found = hub.con.execute(
        """
        WITH t AS MATERIALIZED (FROM sketch('target')),
        tp AS (SELECT feature, unnest(range(len(partitions))) AS p, unnest(partitions) AS counts, bins FROM t),
        sp AS (
            SELECT feature, partition_id AS p, h.counts, f.bins
            FROM histograms AS h JOIN features AS f USING (dataset_id, feature_id) JOIN models USING (dataset_id) WHERE model = ?
        )
        SELECT tp.p, sp.p, tp.bins, tp.counts, sp.bins, sp.counts FROM tp JOIN sp USING (feature) WHERE tp.p < 4 AND sp.p < 4
        """,
        [model],
    ).fetchall()
    pairs: dict[tuple[int, int], list[float]] = {}
    for target, source, target_bins, target_counts, source_bins, source_counts in found:
        p, q = np.zeros(1000), np.zeros(1000)
        p[target_bins], q[source_bins] = target_counts, source_counts
        pairs.setdefault((target, source), []).append(jensenshannon(p, q) ** 2)
    return [float(np.mean(each)) for each in pairs.values()]


@pytest.mark.parametrize("settings", [{}, dict(auto_quantile=0.5), dict(auto_models=0.5)])
def test_an_automatic_threshold_weighs_every_dataset_alike(settings: dict[str, Any]) -> None:
    sizes = {"near": 100, "far": 1000, "farther": 700, "farthest": 250}
    with modelhub_sql.connect(partition_size=100, **settings) as hub:
        for step, (name, rows) in enumerate(sizes.items()):
            hub.register(name, normal(rows, step / 2, seed=10 * step))
        target = normal(500, 0, seed=99)
        found = both_ways(hub, target, "SELECT DISTINCT max_js FROM find_models('target', min_overlap := 0, min_jaccard := 0)")
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
                "SELECT any_value(max_js), max(adaptivity) FROM find_models('target', min_jaccard := 0)",
            )
            assert most < 27
            chosen.append(t)
    assert max(chosen) < 0.5


def test_a_threshold_at_which_nearly_everything_matches_is_not_chosen_silently() -> None:
    with modelhub_sql.connect(partition_size=100) as hub:
        for number in range(3):
            hub.register(f"m{number}", pa.table({"x": [0.0] * 20 + [10.0**number] * 980}))
        options = "min_jaccard := 0, min_overlap := 0"
        target = pa.table({"x": [0.0] * 20 + [-5.0] * 980})
        rows = both_ways(hub, target, f"SELECT max_js, warning FROM find_models('target', {options})")
        assert len(rows) == 3
        for t, warning in rows:
            assert 0.9 * math.log(2) < t < math.log(2)
            assert "next to nothing in common" in warning
        # A threshold that is given is the user's own choice.
        given = both_ways(hub, target, f"SELECT DISTINCT warning FROM find_models('target', max_js := 0.69, {options})")
        assert given == [(None,)]


@pytest.mark.parametrize(("multiple", "warns"), [(1.9, True), (2.1, False)])
def test_the_warning_is_of_twice_the_sampling_floor(sensor_hub: modelhub_sql.Hub, multiple: float, warns: bool) -> None:
    table = data("torso1")
    query = "SELECT min(sampling_floor) FROM find_models($1, exclude := ['activity'], max_js := 0.5)"
    ((floor,),) = sensor_hub.con.execute(query, [table]).fetchall()
    rows = sensor_hub.con.execute(
        "SELECT sampling_floor, warning FROM find_models($1, exclude := ['activity'], max_js := $2)", [table, multiple * floor]
    ).fetchall()
    told = [warning is not None for of_model, warning in rows if of_model == pytest.approx(floor)]
    assert told
    assert set(told) == {warns}


def test_a_misspelt_column_to_exclude_is_refused_in_sql(stock: duckdb.DuckDBPyConnection) -> None:
    for query in (
        "FROM find_models($1, exclude := ['activty'])",
        "FROM explain_features('torso1', $1, exclude := ['activity', 'x'])",
        "FROM sketch($1, exclude := ['activty'])",
    ):
        with pytest.raises(duckdb.Error, match=r"has no column (activty|x) to exclude"):
            stock.execute(query, [data("leg2")]).fetchall()


def test_an_empty_target_has_no_models_in_sql_whatever_is_excluded(sensor_hub_path: str) -> None:
    with duckdb.connect() as con:
        con.execute(f"ATTACH '{sensor_hub_path}' AS hub (READ_ONLY); USE hub")
        con.execute("CREATE TABLE memory.main.empty (x INTEGER, label VARCHAR)")
        assert con.execute("FROM find_models('memory.main.empty', exclude := ['label'])").fetchall() == []


def test_models_of_the_same_data_are_ranked_by_name_in_every_client() -> None:
    with modelhub_sql.connect(partition_size=100) as hub:
        for name in ("zoe", "ann", "mia"):
            hub.register(name, normal(700, 0, seed=3), version=name)
        hub.register("liz", like="ann")
        for space in SPACES:
            rows = both_ways(hub, normal(500, 0.3, seed=8), f"SELECT model FROM find_models('target', sample_space := '{space}')")
            assert [model for (model,) in rows] == ["ann", "liz", "mia", "zoe"]
