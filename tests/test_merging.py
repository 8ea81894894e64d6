"""What is kept of many rows stays small; sketches of parts make the sketch of the whole."""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from conftest import normal
from hypothesis import given
from hypothesis import strategies as st

import modelhub_sql
from modelhub_sql import merging
from modelhub_sql.result import Sketch

WHOLE = 'SELECT feature, kind, "values", nulls, k, b, bins, counts, elements, minhash, distincts, rows FROM s ORDER BY feature_id'


def rows_of(sketch: Sketch, query: str = WHOLE) -> list[tuple[object, ...]]:
    with duckdb.connect() as con:
        con.register("s", sketch.arrow())
        return con.execute(query).fetchall()


@pytest.mark.parametrize("partitioning", ["random", "sequential"])
def test_a_sample_of_the_partitions_is_kept_and_all_rows_count(partitioning: str) -> None:
    table = pa.table({"x": np.random.default_rng(0).normal(size=995), "y": np.arange(995) % 7})
    with (
        modelhub_sql.connect(partition_size=10, partitioning=partitioning) as every,
        modelhub_sql.connect(partition_size=10, max_partitions=30, partitioning=partitioning) as bounded,
    ):
        all_of_it, part = every.sketch(table), bounded.sketch(table)
        assert rows_of(part) == rows_of(all_of_it)
        query = "SELECT feature, unnest(partitions) AS counts FROM s"
        kept, there = rows_of(part, query), rows_of(all_of_it, query)
        assert (len(kept), len(there)) == (60, 200)
        assert {str(each) for each in kept} <= {str(each) for each in there}
        # Evenly from the first to the last, where they are in the order of the rows.
        first = [str(each) for each in there].index(str(kept[29]))
        assert (first > 90) == (partitioning == "sequential")


def test_a_bounded_sketch_ranks_as_the_whole_one_does() -> None:
    found: dict[int, dict[str, tuple[float, float]]] = {}
    for most in (1000, 20):
        with modelhub_sql.connect(partition_size=100, max_partitions=most) as hub:
            for mean, rows in ((0.0, 4000), (0.4, 2000), (2.0, 4000)):
                hub.register(f"mean {mean}", normal(rows, mean, seed=3))
            assert hub.sql("SELECT max(partitions) FROM datasets").fetchall() == [(min(most, 40),)]
            result = hub.find_models(normal(3000, 0.1, seed=5), all_models=True, max_js=0.13, search="exact", details=True)
            assert result.select("model").fetchall() == [("mean 0.0",), ("mean 0.4",), ("mean 2.0",)]
            found[most] = {row["model"]: (row["distance"], row["adaptivity"]) for row in result.dicts()}
    for model, (distance, adaptivity) in found[1000].items():
        # Pairs are counted in a sample and scaled up.
        assert found[20][model][0] == pytest.approx(distance)
        assert found[20][model][1] == pytest.approx(adaptivity, rel=0.25, abs=0.5)
    assert found[20]["mean 0.0"][1] > 10


def table_of(rows: int, seed: int) -> pa.Table:
    rng = np.random.default_rng(seed)
    words = np.array(["red", "green", "blue", "deep sea"])
    return pa.table({
        "x": rng.normal(size=rows), "y": pa.array(rng.integers(0, 9, rows), mask=rng.random(rows) < 0.1),
        "word": words[rng.integers(0, 4, rows)], "day": pa.array(rng.integers(0, 4000, rows).astype("datetime64[D]")),
        "digits": [str(each) for each in rng.integers(0, 99, rows)], "list": pa.array([[0.7, each] for each in rng.normal(size=rows)]),
    })  # fmt: skip


def test_old_and_appended_rows_are_the_whole_bit_for_bit_where_rows_keep_their_order() -> None:
    whole = table_of(1234, 1)
    with modelhub_sql.connect(partition_size=100, partitioning="sequential", sample_rows=500) as hub:
        # The resolution is that of the old rows: a sample of the whole may choose another.
        hub.register("grown", whole[:550])
        for start, end in ((550, 563), (563, 1000), (1000, 1234)):
            assert hub.append("grown", whole[start:end]) == end
        resolution = "SELECT feature, k, b FROM features ORDER BY dataset_id, feature_id"
        grown = hub.sql(resolution).fetchall()
        hub.register("whole", whole)
        assert hub.sql(resolution + " OFFSET 6").fetchall() == grown
        stored = (
            'SELECT feature, kind, "values", nulls, bins, counts, minhash, round(spread, 12), (SELECT list(h.counts ORDER BY partition_id) '
            "FROM histograms h WHERE (h.dataset_id, h.feature_id) = (f.dataset_id, f.feature_id)) FROM features f "
            "WHERE dataset_id = ? ORDER BY feature_id"
        )
        assert hub.sql(stored, [1]).fetchall() == hub.sql(stored, [2]).fetchall()


def test_appended_rows_count_in_the_whole_as_if_they_had_been_there() -> None:
    old, new = table_of(760, 2), table_of(440, 3)
    counted = 'SELECT feature, kind, "values", nulls, list_sort(bins), k, b, minhash, elements FROM features WHERE dataset_id = ? ORDER BY feature_id'
    with modelhub_sql.connect(partition_size=100) as hub:
        hub.register("grown", old, exclude=["day"])
        hub.append("grown", new)
        hub.register("old", old, exclude=["day"])
        bins = dict(hub.sql("SELECT feature, (k, b) FROM features WHERE dataset_id = 2").fetchall())
        rows, partitions = hub.sql("SELECT rows, partitions FROM datasets WHERE dataset_id = 1").fetchall()[0]
        assert (rows, partitions) == (1200, 12)
        sizes = hub.sql(
            "SELECT list_sort(list(list_sum(h.counts))) FROM histograms AS h JOIN features USING (dataset_id, feature_id) "
            "WHERE dataset_id = 1 AND feature = 'x'"
        ).fetchall()
        assert sizes == [([100] * 12,)]
        hub.register("whole", pa.concat_tables([old, new]), exclude=["day"])
        grown, whole = (hub.sql(counted, [number]).fetchall() for number in (1, 3))
        for here, there in zip(grown, whole, strict=True):
            assert here[:4] == there[:4]
            if here[5:7] == there[5:7]:
                assert here == there
        assert {row[0] for row in grown} == {"x", "y", "word", "digits", "list"} == set(bins)
        with pytest.raises(modelhub_sql.DatasetError, match="digits is a number in one part and a text"):
            hub.append("grown", {"x": [1.0], "digits": ["none of them"]})
        assert hub.sql("SELECT rows FROM datasets WHERE dataset_id = 1").fetchall() == [(1200,)]
        # What was excluded stays so; a column that is absent is missing in the new rows.
        assert hub.append("grown", {"x": [1.0], "z": [3.0]}) == 1201
        assert hub.sql("SELECT nulls FROM features WHERE dataset_id = 1 AND feature = 'z'").fetchall() == [(1200,)]
        # A single row joins others: it is no partition that one could read.
        assert hub.sql("SELECT partitions FROM datasets WHERE dataset_id = 1").fetchall() == [(12,)]
        assert hub.verify().fetchall() == []


def test_merged_sketches_count_what_their_rows_count_together() -> None:
    old, new = table_of(730, 2), table_of(485, 3)
    with modelhub_sql.connect(partition_size=100) as hub:
        merged = hub.sketch(old).merge(hub.sketch(new), hub=hub)
        whole = hub.sketch(pa.concat_tables([old, new]))
        assert merged.rows == 1215
        query = 'SELECT feature, kind, "values", nulls FROM s ORDER BY feature_id'
        assert rows_of(merged, query) == rows_of(whole, query)
        query = "SELECT feature, bins, counts, minhash FROM s WHERE kind = 'text' ORDER BY feature_id"
        assert rows_of(merged, query) == rows_of(whole, query)
        assert rows_of(merged, "SELECT DISTINCT len(partitions) FROM s") == [(12,)]
        hub.register("merged", table_of(10, 1))
        again = hub.merge([hub.sketch(new), hub.sketch(old)])
        query = "SELECT feature, bins, counts, minhash, spread FROM s ORDER BY feature_id"
        assert rows_of(again, query) == [
            tuple(pytest.approx(x) if isinstance(x, float) else x for x in row) for row in rows_of(merged, query)
        ]


def test_partitions_of_two_parts_are_mixed_and_each_gives_its_share() -> None:
    full = merging.partition_places((600, 300), (6, 3), 100, 1000)
    order = [part for _, part in sorted((number, part) for part, _, number in full)]
    assert order in ([1, 1, 2] * 3, [1, 2, 1] * 3)
    # What is left of both is one partition where it is hardly more than one.
    assert merging.partition_places((160, 170), (2, 2), 100, 1000)[1::2] == [(1, 1, 2), (2, 1, 2)]
    assert len({number for *_, number in merging.partition_places((190, 170), (2, 2), 100, 1000)}) == 4
    # A billion rows and a thousand: the thousand are one in a million.
    kept = merging.partition_places((10**9, 10**6), (1000, 1000), 100, 1000)
    assert len(kept) == 1000
    assert sum(part == 2 for part, *_ in kept) == 1
    assert merging.partition_places((160, 250), (2, 3), 100, 1000, sequential=True, filled=60) == [
        (1, 0, 0), (1, 1, 1), (2, 0, 1), (2, 1, 2), (2, 2, 3),
    ]  # fmt: skip


@given(st.lists(st.tuples(st.integers(1, 700), st.booleans()), min_size=2, max_size=12))
def test_no_partition_of_parts_has_fewer_rows_than_half_of_m(parts: list[tuple[int, bool]]) -> None:
    """Sizes of partitions dealt and joined as sketches are; the rows that are in none count in the whole alone."""
    size, most = 100, 15

    def dealt(rows: int) -> list[int]:
        number = max(1, (2 * rows + size) // (2 * size))
        return [size] * (number - 1) + [rows - (number - 1) * size]

    rows, sizes = parts[0][0], dealt(parts[0][0])
    for new, appended in parts[1:]:
        last = rows - (len(sizes) - 1) * size
        filled = last if appended and 0 < last < size else 0
        part = dealt(new + filled)
        part[0] -= filled
        places = merging.partition_places((rows, new), (len(sizes), len(part)), size, most, filled=filled)
        before, rows = {1: sizes, 2: part}, rows + new
        sizes = [0] * len({number for *_, number in places})
        for side, partition, number in places:
            sizes[number] += before[side][partition]
        left = rows - sum(sizes)
        assert 2 * min([*sizes, *([left] if left else [])]) >= min(2 * rows, size)
        assert len(sizes) <= min(most, len(dealt(rows)))
        assert left == 0 or len(dealt(rows)) > most
