"""Matching, distance, ranking and adaptivity against brute force, by datasets of many resolutions, kinds and gaps."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import oracle
import pyarrow as pa
import pytest
from conftest import both_ways
from scipy.stats import entropy

import modelhub_sql

pytestmark = pytest.mark.filterwarnings("ignore:max_js = .* is below twice the sampling floor")

SPACES = ["aligned", "flattened"]
SIZE = 50
WORDS = [f"w{chr(97 + i)}" for i in range(20)]


def people(seed: int, rows: int, shift: float = 0.0, scale: float = 1.0, gaps: float = 0.0) -> pa.Table:
    """Numbers of four magnitudes and two texts."""
    rng = np.random.default_rng(seed)
    columns: dict[str, Any] = {
        "height": rng.normal(170 + 10 * shift, 10, rows) * scale,
        "rate": rng.lognormal(-9 + shift, 1, rows) * scale,
        "age": rng.poisson(40 + 5 * shift, rows),
        "balance": rng.normal(-3e6 + 1e5 * shift, 1e5, rows) * scale,
        "city": rng.choice(WORDS[:12], rows, p=np.arange(1, 13) / 78),
        "note": [" ".join(rng.choice(WORDS, 1 + int(n))) for n in rng.integers(0, 4, rows)],
    }
    present = rng.random((len(columns), rows)) >= gaps
    # Whole partitions without a value, in the order of the documented permutation.
    present[1, oracle.partitions(rows, SIZE) == 0] &= gaps == 0
    return pa.table({name: pa.array(column, mask=~present[i]) for i, (name, column) in enumerate(columns.items())})


def renamed(table: pa.Table) -> pa.Table:
    return table.rename_columns([f"f{i}" for i in range(table.num_columns)])


def others() -> dict[str, pa.Table]:
    """The data of each model."""
    table = people(6, 300)
    return {
        "alike": people(1, 400),
        "apart": people(2, 300, shift=1.0),
        "scaled": people(3, 250, scale=100.0),
        "gappy": people(4, 330, gaps=0.3),
        "renamed": renamed(people(5, 400)),
        "lacking": table.select(["note", "age", "height"]),
        "shouting": table.rename_columns([name.upper() for name in table.column_names]),
        "of other kinds": table.set_column(4, "city", [pa.array([i * i for i in range(300)])]).drop_columns(["rate"]),
        "excluding": people(7, 280),
    }


EXCLUDED = {"excluding": ["Balance", "note"]}
ACCURACIES: dict[str, tuple[float | None, int | None]] = {"alike": (0.9, None), "apart": (0.8, 40), "gappy": (1.0, 10)}


@pytest.fixture(scope="module")
def tables() -> dict[str, pa.Table]:
    return others()


@pytest.fixture(scope="module")
def sources(tables: dict[str, pa.Table]) -> dict[str, dict[str, oracle.Feature]]:
    return {
        name: oracle.features(
            table.select([c for c in table.column_names if c not in [e.lower() for e in EXCLUDED.get(name, [])]])
        )
        for name, table in tables.items()
    }


@pytest.fixture(scope="module")
def target() -> pa.Table:
    return people(99, 360)


@pytest.fixture(scope="module")
def sought(target: pa.Table) -> dict[str, oracle.Feature]:
    return oracle.features(target)


@pytest.fixture(scope="module")
def people_hub(tables: dict[str, pa.Table], tmp_path_factory: pytest.TempPathFactory) -> Iterator[modelhub_sql.Hub]:
    path = tmp_path_factory.mktemp("people") / "people.duckdb"
    with modelhub_sql.connect(path, partition_size=SIZE) as hub:
        hub.register_many(
            [
                {
                    "name": name,
                    "dataset": table,
                    "exclude": EXCLUDED.get(name, []),
                    "accuracy": ACCURACIES.get(name, (None, None))[0],
                    "accuracy_rows": ACCURACIES.get(name, (None, None))[1],
                }
                for name, table in tables.items()
            ]
        )
        yield hub


def test_sketches_have_the_bins_of_the_oracle(
    people_hub: modelhub_sql.Hub, sources: dict[str, dict[str, oracle.Feature]]
) -> None:
    rows = people_hub.sql(
        "SELECT model, feature, kind, k, b, bins, counts, effective_bins FROM features JOIN models USING (dataset_id)"
    )
    found = {(model, feature): rest for model, feature, *rest in rows}
    assert found.keys() == {(model, feature) for model, features in sources.items() for feature in features}
    for (model, name), (kind, k, b, bins, counts, effective) in found.items():
        expected = sources[model][name]
        assert (kind, (k, b)) == (expected.kind, expected.resolution or (None, None))
        assert dict(zip(bins, counts, strict=True)) == dict(expected.counts)
        assert effective == pytest.approx(oracle.effective_bins(expected))
    assert len({sources[model]["height"].resolution for model in ("alike", "scaled")}) == 2


def test_distance_error_score_verdict_and_rank_are_those_of_brute_force(
    people_hub: modelhub_sql.Hub,
    tables: dict[str, pa.Table],
    sources: dict[str, dict[str, oracle.Feature]],
    target: pa.Table,
    sought: dict[str, oracle.Feature],
) -> None:
    expected = {}
    for model, source in sources.items():
        excluded = EXCLUDED.get(model, ())
        accuracy, accuracy_rows = ACCURACIES.get(model, (None, None))
        expected[model] = oracle.fit(
            source, sought, oracle.by_both(source, sought, excluded), excluded=excluded, rows=tables[model].num_rows,
            accuracy=accuracy, accuracy_rows=accuracy_rows,
        )  # fmt: skip
    found = {row["model"]: row for row in people_hub.find_models(target, all_models=True, details=True).dicts()}
    assert found.keys() == expected.keys()
    for model, fit in expected.items():
        row = found[model]
        told = [row[name] for name in ("distance", "expected_distance", "js_divergence", "fit_score", "overlap")]
        assert told == pytest.approx(
            [fit.distance, fit.expected, fit.js, fit.score, fit.shared / (fit.shared + fit.missing)], abs=1e-9
        )
        assert (row["verdict"], row["shared_features"], row["missing_features"]) == (fit.verdict, fit.shared, fit.missing)
    assert sorted(found, key=lambda m: found[m]["rank"]) == sorted(expected, key=lambda m: expected[m].score)
    assert {fit.verdict for fit in expected.values()} >= {"same", "far"}
    query = "SELECT model, rank, distance, expected_distance, fit_score, verdict FROM find_models('target', all_models := true, details := true)"
    in_sql = {row[0]: row[1:] for row in both_ways(people_hub, target, query)}
    for model, row in found.items():
        columns = ("rank", "distance", "expected_distance", "fit_score")
        assert in_sql[model][:4] == pytest.approx([row[name] for name in columns], abs=1e-9)
        assert in_sql[model][4] == row["verdict"]


def matched(hub: modelhub_sql.Hub, model: str, target: pa.Table, **options: Any) -> dict[str, tuple[str, Any]]:
    """Features of the target, what they are compared with and how alike they are."""
    rows = hub.explain(model, target, details=True, **options).dicts()
    return {row["target_feature"]: (row["source_feature"], row["jaccard"]) for row in rows if row["matched_by"]}


def test_features_of_one_name_are_compared_and_others_only_above_the_bars(
    people_hub: modelhub_sql.Hub,
    sources: dict[str, dict[str, oracle.Feature]],
    target: pa.Table,
    sought: dict[str, oracle.Feature],
) -> None:
    for model in ("scaled", "renamed", "lacking", "of other kinds"):
        found = matched(people_hub, model, target)
        assert {t: s for t, (s, _) in found.items()} == oracle.by_both(sources[model], sought)
    assert len(matched(people_hub, "scaled", target)) == 6
    by_values = matched(people_hub, "renamed", target)
    assert len(by_values) >= 3
    for name, (other, alike) in by_values.items():
        assert alike == pytest.approx(oracle.jaccard(sources["renamed"][other], sought[name]), abs=1e-12)


@pytest.mark.parametrize("min_jaccard", [None, 0.05, 0.6])
def test_by_values_features_are_those_of_definition_3_whatever_their_names(
    people_hub: modelhub_sql.Hub,
    sources: dict[str, dict[str, oracle.Feature]],
    target: pa.Table,
    sought: dict[str, oracle.Feature],
    min_jaccard: float | None,
) -> None:
    for model in ("apart", "renamed", "scaled"):
        found = matched(people_hub, model, target, features="values", min_jaccard=min_jaccard)
        expected = oracle.by_values(sources[model], sought, 0.15 if min_jaccard is None else min_jaccard)
        assert {t: s for t, (s, _) in found.items()} == expected
        for name, (other, alike) in found.items():
            assert alike == pytest.approx(oracle.jaccard(sources[model][other], sought[name]), abs=1e-12)


@pytest.mark.one_in(2)
@pytest.mark.parametrize("features", ["names", "values"])
@pytest.mark.parametrize("space", SPACES)
def test_exact_matches_adaptivity_and_coverage_are_those_of_brute_force(
    people_hub: modelhub_sql.Hub,
    tables: dict[str, pa.Table],
    sources: dict[str, dict[str, oracle.Feature]],
    target: pa.Table,
    sought: dict[str, oracle.Feature],
    space: str,
    features: str,
) -> None:
    t = 0.2
    query = f"""
        SELECT model, rank, adaptivity, coverage FROM find_models(
            'target', max_js := {t}, sample_space := '{space}', features := '{features}', search := 'exact',
            rank_by := 'adaptivity', all_models := true)
    """
    found = {row[0]: row[1:] for row in both_ways(people_hub, target, query)}
    places = oracle.partitions(target.num_rows, SIZE)
    expected = {}
    for model, source in sources.items():
        excluded = EXCLUDED.get(model, ())
        counted = {name: each for name, each in sought.items() if name not in [e.lower() for e in excluded]}
        pairs = oracle.by_values(source, counted) if features == "values" else oracle.by_both(source, sought, excluded)
        both = oracle.partitions(tables[model].num_rows, SIZE).tolist(), places.tolist()
        expected[model] = oracle.matches(source, sought, pairs, both, t, space)
    for model, (_, adaptivity, coverage) in found.items():
        assert (adaptivity, coverage) == pytest.approx((expected[model].adaptivity, expected[model].coverage))
    ranked = sorted(found, key=lambda model: found[model][0])
    adaptivities = [expected[model].adaptivity for model in ranked]
    assert adaptivities == sorted(adaptivities, reverse=True)
    assert len(set(adaptivities)) > 2
    assert len(found) >= 8


def test_divergences_of_whole_datasets_are_scipys(
    people_hub: modelhub_sql.Hub, sources: dict[str, dict[str, oracle.Feature]], target: pa.Table, sought: dict[str, oracle.Feature]
) -> None:  # fmt: skip
    found = people_hub.find_models(target, all_models=True, max_js=0.3)
    for row in found.dicts():
        source = sources[row["model"]]
        pairs = oracle.by_both(source, sought, EXCLUDED.get(row["model"], ()))
        p: list[float] = []
        q: list[float] = []
        elsewhere = 0.0
        for t, s in pairs.items():
            x, y = oracle.together(source[s], sought[t])
            totals = sum(x.values()), sum(y.values())
            # The bins of the target, "missing", and one position for everything else; 1e-6 is added to each.
            p += [x.get(bin, 0) / totals[0] / len(pairs) for bin in y] + [0]
            q += [n / totals[1] / len(pairs) for n in y.values()] + [0]
            elsewhere += sum(n for bin, n in x.items() if bin not in y) / totals[0] / len(pairs)
        smooth = [(np.array(side) + 1e-6) / (1 + 1e-6 * (len(p) + 1)) for side in ([*p, elsewhere], [*q, 0])]
        assert row["kl_target_source"] == pytest.approx(entropy(smooth[1], smooth[0]), abs=1e-9)
        assert row["kl_source_target"] == pytest.approx(entropy(smooth[0], smooth[1]), abs=1e-9)
        centres = [
            [middle(side[name]) for name in names if side[name].kind == "number"]
            for side, names in ((source, pairs.values()), (sought, pairs))
        ]
        assert row["l2_distance"] == (pytest.approx(math.dist(*centres), rel=1e-9) if centres[0] else None)


def middle(feature: oracle.Feature) -> float:
    """Mean of a feature, each number in the middle of its bin."""
    assert feature.resolution is not None
    counts = feature.counts
    # A number just above the lower end tells the width of a bin of negative numbers.
    widths = {bin: float(oracle.quantum(math.nextafter(bin, 0) if bin < 0 else bin, feature.resolution)) for bin in counts}
    return sum((bin + widths[bin] / 2) * n for bin, n in counts.items()) / sum(counts.values())


@pytest.mark.parametrize(
    ("rank_by", "column", "descending"),
    [
        ("coverage", "coverage", True), ("js", "js_divergence", False), ("l2", "l2_distance", False),
        ("kl_target_source", "kl_target_source", False), ("source_accuracy", "source_accuracy", True), ("distance", "fit_score", False),
    ],
)  # fmt: skip
def test_rank_by_orders_by_its_column(
    people_hub: modelhub_sql.Hub, target: pa.Table, rank_by: Any, column: str, descending: bool
) -> None:
    found = people_hub.find_models(target, rank_by=rank_by, max_js=0.1, all_models=True).dicts()
    values = [row[column] for row in found if row[column] is not None]
    assert len(values) >= 3
    assert values == sorted(values, reverse=descending)
    assert all(row[column] is None for row in found[len(values) :])
    assert [row["rank"] for row in found] == list(range(1, len(found) + 1))


@pytest.mark.once
@pytest.mark.parametrize("space", SPACES)
def test_lsh_finds_a_subset_with_recall_and_does_not_try_every_pair(
    people_hub: modelhub_sql.Hub, target: pa.Table, space: Any
) -> None:
    found = total = candidates = pairs = 0
    for max_js in (0.05, 0.15):
        matches = {}
        for search in ("exact", "lsh"):
            people_hub.steps(target, until="partition_match", max_js=max_js, sample_space=space, search=search)
            assert people_hub.step("search_method").fetchall() == [(search,)]
            matches[search] = {row[:3] for row in people_hub.step("partition_match")}
        candidates += len(people_hub.step("colliding_pair"))
        pairs += 8 * len(people_hub.step("partition_vector").filter("owner <> 0"))
        assert matches["lsh"] <= matches["exact"]
        found += len(matches["lsh"])
        total += len(matches["exact"])
    assert total > 50
    assert found / total >= 0.95
    assert candidates < 0.9 * pairs


def test_a_target_that_shares_nothing_finds_no_models_without_error(people_hub: modelhub_sql.Hub) -> None:
    stranger = pa.table({"when": pa.array([19_000 + i for i in range(50)], pa.date32())})
    found = people_hub.find_models(stranger)
    assert (found.fetchall(), found.summary) == ([], "no model shares a feature with the target")
    assert people_hub.explain_partitions("alike", stranger).fetchall() == []
    assert [row[1] for row in people_hub.explain("alike", stranger).fetchall()] == [None]


def test_find_models_names_every_partition_it_explains_uncovered_ones_first(
    people_hub: modelhub_sql.Hub, target: pa.Table
) -> None:
    found = {row["model"]: row for row in people_hub.find_models(target, all_models=True, max_js=0.08).dicts()}
    rows = people_hub.explain_partitions("apart", target, max_js=0.08).fetchall()
    assert sorted(row[0] for row in rows) == list(range(7))
    # By their matches, then by their number.
    assert [row[:2] for row in rows] == sorted((row[:2] for row in rows), key=lambda row: (row[1], row[0]))
    assert sum(row[1] for row in rows) / len(rows) == pytest.approx(found["apart"]["adaptivity"])
    alike = people_hub.explain_partitions("alike", target, max_js=0.14, features="values").fetchall()
    assert len({matches for _, matches, *_ in alike}) > 1, "the order is of more than one number"
    assert [row[:2] for row in alike] == sorted((row[:2] for row in alike), key=lambda row: (row[1], row[0]))


def test_pairs_of_partitions_are_not_kept_with_their_vectors(tmp_path: Path) -> None:
    # In a file that is opened anew the logic has lost what was said of its CTEs.
    rng = np.random.default_rng(7)
    path = str(tmp_path / "h.duckdb")

    def table(rows: int) -> pa.Table:
        return pa.table({f"x{i}": rng.normal(0, 1, rows) for i in range(20)})

    with modelhub_sql.connect(path, partition_size=20) as hub:
        hub.register_many([{"name": f"m{i}", "dataset": table(2000)} for i in range(10)])
    target = table(6000)
    with duckdb.connect(path, read_only=True) as con:
        # Of each of 300,000 pairs the vectors would be some 10 kB.
        con.execute("SET memory_limit = '600MB'; SET temp_directory = ''")
        con.register("target", target)
        query = "SELECT model, adaptivity FROM find_models('target', details := true, search := 'exact', max_js := 0.4)"
        found = con.execute(query).fetchall()
    assert len(found) == 10
    with modelhub_sql.connect(path, read_only=True) as hub:
        rows = hub.find_models(target, details=True, search="exact", max_js=0.4).select("model, adaptivity").fetchall()
        assert sorted(rows) == [(model, pytest.approx(adaptivity)) for model, adaptivity in sorted(found)]
