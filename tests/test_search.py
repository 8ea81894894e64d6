"""Overlap, matches, adaptivity and ranking against brute force."""

from __future__ import annotations

import itertools
import math
from typing import Any

import duckdb
import numpy as np
import oracle
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import SENSORS, both_ways, data
from scipy.stats import entropy

import modelhub_sql

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


@pytest.mark.parametrize("space", SPACES)
def test_each_dataset_is_compared_by_the_features_that_it_shares(space: str) -> None:
    rng = np.random.default_rng(5)
    size, t = 50, 0.22

    def drawn(names: str, rows: int) -> dict[str, oracle.Floats]:
        return {name: rng.normal("abcd".index(name), 1 + "abcd".index(name), rows) for name in names}

    def counted(values: oracle.Floats) -> oracle.Floats:
        counts = np.zeros((len(values) // size, oracle.BINS))
        np.add.at(counts, (np.arange(len(values)) // size, oracle.number_bins(values)), 1)
        return counts

    target = drawn("abcd", 400)
    datasets = {shared: drawn(shared, 300) for shared in ("a", "ab", "bc", "cb", "abcd", "d")}
    with modelhub_sql.connect(partition_size=size, partitioning="sequential") as hub:
        for model, columns in datasets.items():
            hub.register(model, pa.table(columns))
        query = f"SELECT model, adaptivity FROM find_models('target', min_overlap := 0, max_js := {t}, sample_space := '{space}')"
        found = dict(both_ways(hub, pa.table(target), query))
        gaps = pa.table({**target, "c": pa.array(target["c"], mask=np.arange(400) < size)})
        assert both_ways(hub, gaps, query)
    matches = {
        model: len(
            oracle.matches(
                [counted(columns[name]) for name in columns], [counted(target[name]) for name in columns], space, t
            ).pairs
        )
        / (400 // size)
        for model, columns in datasets.items()
    }
    assert found == pytest.approx(matches)
    assert len({*matches.values()} - {0}) >= 3
