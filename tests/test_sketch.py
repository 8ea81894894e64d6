"""From any dataset to its sketch: types, partitions, bins and counts."""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import oracle
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import both_ways, data
from hypothesis import given, settings
from hypothesis import strategies as st

import modelhub_sql
from modelhub_sql import logic
from modelhub_sql.udfs import dyadic, histograms


def stored(hub: modelhub_sql.Hub, model: str) -> list[Any]:
    rows: list[Any] = hub.sql(
        """
        SELECT feature_id, feature, kind, "values", nulls, bins, counts, minhash,
            (SELECT list(h.counts ORDER BY partition_id) FROM histograms AS h
             WHERE h.dataset_id = f.dataset_id AND h.feature_id = f.feature_id) AS partitions
        FROM features AS f JOIN models USING (dataset_id)
        WHERE model = ? ORDER BY feature_id
        """,
        [model],
    ).fetchall()
    return rows


def rows_of(
    con: duckdb.DuckDBPyConnection, query: str, *, numpy: bool = False, changes: dict[str, str] | None = None
) -> list[Any]:
    """Rows of a query on the relations of the sketch of the table ``t``."""
    steps = logic.needed(logic.relations("sketch", numpy), query)
    texts = {step.name: step.query for step in steps}
    for old, new in (changes or {}).items():
        assert any(old in text for text in texts.values()), old
        texts = {name: text.replace(old, new) for name, text in texts.items()}
    relations = ", ".join(f"{name} AS ({text})" for name, text in texts.items())
    con.execute(
        "CREATE OR REPLACE TEMP MACRO of_the_sketch(dataset, exclude := [], forms := NULL, nested := NULL) AS TABLE "
        f"WITH {relations} {query}"
    )
    rows: list[Any] = con.execute("FROM of_the_sketch('t')").fetchall()
    return rows


#: The numbers of the table t and their partitions.
CELLS = 'SELECT i::INT, _logic.partition_at("_modelhub place 5f1c") FROM partitioned_row'


@pytest.mark.parametrize("partitioning", ["random", "sequential"])
@pytest.mark.parametrize(("rows", "size"), [(1, 10), (10, 10), (11, 10), (14, 10), (15, 10), (17, 5), (1000, 7), (997, 100)])
def test_a_partition_has_exactly_m_rows_and_the_last_what_is_left_if_not_too_few(partitioning: str, rows: int, size: int) -> None:
    with modelhub_sql.connect(partition_size=size, partitioning=partitioning) as hub:
        hub.con.execute("CREATE TABLE t AS SELECT i FROM range(?) r(i)", [rows])
        cells = rows_of(hub.con, CELLS)
    sizes = Counter(partition for _, partition in cells)
    assert sorted(value for value, _ in cells) == list(range(rows))
    # Fewer rows than half of a partition would be these rows.
    full = rows // size - (rows > size and 0 < rows % size < size / 2)
    expected = [size] * full + [rows - full * size] * (rows > full * size)
    assert [sizes[i] for i in range(len(sizes))] == expected
    assert 2 * min(expected) >= min(2 * rows, size)
    if partitioning == "sequential":
        assert all(partition == min(value // size, len(expected) - 1) for value, partition in cells)


def test_random_partitions_are_the_documented_permutation_and_mix_the_rows(hub: modelhub_sql.Hub) -> None:
    hub.con.execute("CREATE TABLE t AS SELECT i FROM range(1003) r(i)")
    cells = dict(rows_of(hub.con, CELLS))
    assert [cells[i] for i in range(1003)] == oracle.partitions(1003, 100).tolist()
    for partition in range(10):
        members = [i for i in range(1003) if cells[i] == partition]
        assert abs(np.mean(members) - 501) < 100


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 10**7))
def test_the_stride_is_coprime_to_the_rows(settled_hub: modelhub_sql.Hub, rows: int) -> None:
    (stride,) = settled_hub.sql("SELECT _logic.stride(?::BIGINT)", [rows]).fetchall()[0]
    assert math.gcd(stride, rows) == 1


@pytest.mark.parametrize("name", ["torso1", "beer", "adult"])
def test_histograms_add_up_to_the_values_counted(hub: modelhub_sql.Hub, name: str) -> None:
    hub.register(name, data(name))
    table = pq.read_table(data(name))
    for _, feature, kind, values, nulls, bins, counts, _, partitions in stored(hub, name):
        assert nulls == table[feature].null_count
        assert sum(counts) == values
        assert len(bins) == len(set(bins))
        assert list(zip(counts, bins, strict=True)) == sorted(
            zip(counts, bins, strict=True), key=lambda pair: (-pair[0], pair[1])
        )
        assert np.sum([p for p in partitions if p], axis=0).tolist() == counts
        if kind == "number":
            assert values == len(table) - nulls
            assert all(sum(p) < 150 for p in partitions)


def test_the_same_data_makes_the_same_sketch_whatever_holds_it(hub: modelhub_sql.Hub, tmp_path: Path) -> None:
    table = pq.read_table(data("adult")).slice(0, 400).drop_columns(["workclass", "occupation", "native_country"])
    pq.write_table(table, tmp_path / "one.parquet")
    duckdb.from_arrow(table).write_csv(str(tmp_path / "one.csv"))
    hub.con.register("arrow_view", table)
    hub.con.sql("FROM arrow_view").to_df().to_json(tmp_path / "one.json", orient="records", lines=True)
    (tmp_path / "parts").mkdir()
    pq.write_table(table.slice(0, 150), tmp_path / "parts" / "a.parquet")
    pq.write_table(table.slice(150), tmp_path / "parts" / "b.parquet")
    hub.con.execute("CREATE TABLE stored_table AS FROM arrow_view; CREATE VIEW stored_view AS FROM stored_table")
    datasets: dict[str, Any] = {
        "parquet": str(tmp_path / "one.parquet"),
        "path": tmp_path / "one.parquet",
        "csv": str(tmp_path / "one.csv"),
        "json": str(tmp_path / "one.json"),
        "glob": str(tmp_path / "parts" / "*.parquet"),
        "table": "stored_table",
        "view": "stored_view",
        "arrow": table,
        "pandas": table.to_pandas(),
        "polars": pl.from_arrow(table),
        "relation": hub.con.sql("FROM stored_table"),
    }
    for name, dataset in datasets.items():
        hub.register(name, dataset)
    first = stored(hub, "parquet")
    assert len(first) == table.num_columns
    for name in datasets:
        assert stored(hub, name) == first, name


def test_every_type_has_its_kind_and_blobs_are_skipped_with_a_warning(hub: modelhub_sql.Hub) -> None:
    hub.con.execute("""
        CREATE TABLE t AS SELECT
            i::TINYINT AS tiny, i::UBIGINT AS unsigned, i::HUGEINT AS huge, (i / 3)::DECIMAL(10, 2) AS dec, i::FLOAT AS f,
            i % 2 = 0 AS flag, DATE '2020-01-01' + i::INT AS d, TIMESTAMP '2020-01-01' + to_hours(i) AS ts,
            TIMESTAMPTZ '2020-01-01 00:00:00+00' + to_hours(i) AS tz, TIME '10:00' + to_minutes(i) AS t, to_days(i::INT) AS iv,
            'word' || i AS s, repeat('long text ', 50) || i AS long, (['a', 'b'])[i % 2 + 1]::ENUM('a', 'b') AS e,
            ('00000000-0000-0000-0000-0000000000' || (10 + i))::UUID AS u,
            [i, i + 1] AS li, [[i], [i, i]] AS nested, [i, 2, 3]::INTEGER[3] AS arr, [[[i]]] AS deep, ['x y', 'z'] AS words,
            {'a': i, 'b': {'c': 'q', 'a': [i]}} AS st, MAP {'k': i} AS m, 'b'::BLOB AS raw, NULL AS nothing
        FROM range(40) r(i)
    """)
    with pytest.warns(UserWarning, match=r"raw \(BLOB\)"):
        hub.register("all", "t")
    kinds = {feature: (kind, values) for _, feature, kind, values, *_ in stored(hub, "all")}
    numbers = dict.fromkeys(("tiny", "unsigned", "huge", "dec", "f", "flag", "st.a", "deep"), 40) | {
        "li": 80, "nested": 120, "arr": 120, "st.b.a": 40,
    }  # fmt: skip
    times = dict.fromkeys(("d", "ts", "tz", "t", "iv"), 40)
    texts = {"s": 40, "long": 40 * 101, "e": 40, "words": 120, "st.b.c": 40, "u": 200, "m": 80}
    expected = {n: ("number", v) for n, v in numbers.items()} | {n: ("time", v) for n, v in times.items()}
    assert kinds == expected | {n: ("text", v) for n, v in texts.items()}


def test_infinities_have_bins_of_their_own_and_nan_is_missing_as_null_is(hub: modelhub_sql.Hub) -> None:
    values = [1.0, math.nan, math.nan, math.inf, -math.inf, None, None, None]
    hub.register("m", pa.table({"x": pa.array(values, pa.float64()), "d": pa.array([dt.date(2020, 1, 1)] * 8)}))
    x = stored(hub, "m")[0]
    assert (x[3], x[4]) == (3, 5)
    assert dict(zip(x[5], x[6], strict=True)) == {1.0: 1, math.inf: 1, -math.inf: 1}


def test_infinite_dates_are_told_from_finite_ones(hub: modelhub_sql.Hub) -> None:
    hub.con.execute("CREATE TABLE t AS SELECT unnest(['infinity', '-infinity', '2020-01-01', '2020-01-02'])::TIMESTAMP AS d")
    hub.register("m", "t")
    assert stored(hub, "m")[0][5:7] == ([-math.inf, *sorted(stored(hub, "m")[0][5])[1:3], math.inf], [1, 1, 1, 1])


#: Numbers with every kind of gap, columns of other kinds between, and a partition without any element of the last.
TROUBLED = """
    CREATE TABLE t AS SELECT
        CASE i % 7 WHEN 0 THEN NULL WHEN 1 THEN 'nan' WHEN 2 THEN 'inf' WHEN 3 THEN '-inf' ELSE i * 1e3 - 5e5 END::DOUBLE AS troubled,
        'word' || i % 5 AS words,
        CASE WHEN i >= 300 THEN i % 11 END AS late,
        DATE '2020-01-01' + i::INT AS day,
        1e300 * (i % 3 - 1) AS extreme,
        NULL::INT AS nothing,
        CASE WHEN i < 700 THEN []::INT[] ELSE [i, NULL] END AS list
    FROM range(1050) AS r(i)
"""


@pytest.mark.parametrize(
    "changes",
    [{}, {"1 << 26": "0"}, {"width > 32": "width > 3"}],
    ids=["counted in numpy", "too large for numpy", "too wide for numpy"],
)
def test_every_way_to_count_finds_the_same_elements(changes: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[int] = []
    kernel = dyadic.bin_counts

    def counting(values: Any, *rest: Any) -> Any:
        counted.append(len(values))
        return kernel(values, *rest)

    monkeypatch.setattr(dyadic, "bin_counts", counting)
    with modelhub_sql.connect(partition_size=100, partitioning="sequential") as hub:
        hub.con.execute(TROUBLED)
        query = "SELECT partition_id, feature, bin, occurrences FROM element JOIN dataset_column USING (feature_id) ORDER BY ALL"
        in_sql = rows_of(hub.con, query)
        assert not counted
        assert rows_of(hub.con, query, numpy=True, changes=changes) == in_sql
        # The four columns of numbers go to the kernel, or none; a list's numbers never do.
        assert counted == ([] if changes else [1050] * 4)
        values = dict(zip(("troubled", "late", "extreme", "list"), hub.con.execute(
            "SELECT list(troubled), list(late), list(extreme), list(list) FROM t"
        ).fetchall()[0], strict=True))  # fmt: skip
    values["list"] = [x for each in values["list"] for x in each or [None]]
    for feature, numbers in values.items():
        finite = [math.nan if x is None else float(x) for x in numbers]
        sampled = [x for i, x in enumerate(finite) if x == x]
        at = oracle.coarsened(finite, oracle.resolution(sampled if feature != "list" else finite))
        expected = Counter(oracle.number_bin(x, at) for x in finite if x == x)
        found: Counter[float] = Counter()
        for _, name, lower, occurrences in in_sql:
            if name == feature and lower is not None:
                found[lower] += occurrences
        if feature == "list":
            # About sixteen numbers of a list are sampled: these are shorter, so all.
            assert len(found) > 10
        assert found == expected
        missing = sum(n for _, name, lower, n in in_sql if name == feature and lower is None)
        assert missing == len(finite) - sum(expected.values())


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.one_of(st.floats(), st.integers(-40, 40).map(float)), st.integers(0, 9)), min_size=1, max_size=40),
    st.integers(-5, 5), st.integers(0, 8), st.booleans(),
)  # fmt: skip
def test_the_kernel_counts_what_a_counter_counts(cells: list[tuple[float, int]], k: int, b: int, dense: bool) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dyadic, "DENSE", 1 << 24 if dense else 0)
        values, partition = np.array([x for x, _ in cells]), np.array([place for _, place in cells], np.uint32)
        found: Counter[tuple[int, float | None]] = Counter()
        for where, lower, n in zip(*(side.tolist() for side in dyadic.bin_counts(values, partition, k, b)), strict=True):
            assert n > 0
            found[where, None if math.isnan(lower) else lower] += n
    at = oracle.Resolution(k, b)
    assert found == Counter((place, None if math.isnan(x) else oracle.number_bin(x, at)) for x, place in cells)


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(
        st.tuples(st.integers(0, 5), st.floats(allow_nan=False).map(lambda x: x + 0.0)), st.integers(1, 2**32 - 1), min_size=1
    )
)
def test_the_kernel_lays_out_the_histograms_of_partitions(occurring: dict[tuple[int, float], int]) -> None:
    # In the order of the sketch, which is not that of the numbers.
    bins = sorted({lower for _, lower in occurring}, key=lambda x: (-x % 7 if math.isfinite(x) else 0, x))
    table = histograms.histograms(
        np.array(bins), np.array([place for place, _ in occurring], np.uint32), np.array([lower for _, lower in occurring]),
        np.array(list(occurring.values()), np.uint32), 6,
    )  # fmt: skip
    assert table.tolist() == [[occurring.get((partition, lower), 0) for lower in bins] for partition in range(6)]


def test_tokens_are_lower_cased_words_of_any_script(hub: modelhub_sql.Hub) -> None:
    text = "Café-CRÈME, naïve_user 42! 東京 Straße"
    tokens = "SELECT list(token) FROM (SELECT unnest(_logic.tokens(word)) AS token FROM (SELECT unnest(_logic.words(?)) AS word) WHERE word <> '')"
    assert hub.sql(tokens, [text]).fetchall() == [(["café", "crème", "naïve", "user", "42", "東京", "straße"],)]
    assert hub.sql(tokens, ["-- ||"]).fetchall() == [(["--", "||"],)]
    assert hub.sql(tokens, [" "]).fetchall() == [([""],)]


@settings(max_examples=100, deadline=None)
# The scripts that are written without spaces begin with Thai.
@given(text=st.text(st.characters(codec="utf-8", exclude_characters="\0", max_codepoint=0x0DFF), max_size=40))
def test_a_text_that_has_a_word_or_sign_has_tokens_and_its_words_are_among_them(settled_hub: modelhub_sql.Hub, text: str) -> None:
    query = "SELECT list(token) FROM (SELECT unnest(_logic.tokens(word)) AS token FROM (SELECT unnest(_logic.words(?)) AS word) WHERE word <> '')"
    ((tokens,),) = settled_hub.con.execute(query, [text]).fetchall()
    ((runs,),) = settled_hub.con.execute(
        "SELECT regexp_extract_all(nfc_normalize(lower(?)), '[\\p{L}\\p{M}\\p{N}]*[\\p{L}\\p{N}][\\p{L}\\p{M}\\p{N}]*')", [text]
    ).fetchall()
    assert tokens
    assert Counter(runs) <= Counter(tokens)


CURSED = [
    'quo"te', "semi;colon", "row", "row_1", "select", "Robert'); DROP TABLE models;--", "ünïcödé", "🦆", " ", "a.b", "cell", "x" * 10_000,
    "partition_id", "feature_id", "bin", "values", "target", "exclude", "rows", "value",
]  # fmt: skip


def test_any_column_name_is_only_a_name(hub: modelhub_sql.Hub) -> None:
    table = pa.table({name: [float(i), 2.0, 3.0] for i, name in enumerate(CURSED)})
    hub.register("cursed", table, exclude=["semi;colon"])
    assert [row[1] for row in stored(hub, "cursed")] == [name for name in CURSED if name != "semi;colon"]
    found = hub.find_models(table, exclude=["semi;colon"]).select("model, overlap").fetchall()
    assert found == [("cursed", 1.0)]


@pytest.mark.one_in(4)
@pytest.mark.parametrize("name", CURSED)
def test_any_model_name_is_only_a_name(hub: modelhub_sql.Hub, name: str) -> None:
    table = pa.table({"a": list(range(50))})
    if not name.strip():
        with pytest.raises(modelhub_sql.OptionError):
            hub.register(name, table)
        return
    hub.register(name, table, version=name, uri=name, metadata={name: name})
    assert hub.find_models(table).select("model, version, uri").fetchall() == [(name, name, name)]
    hub.remove(name)
    assert hub.models().fetchall() == []


def test_a_file_name_with_quotes_is_read(hub: modelhub_sql.Hub, tmp_path: Path) -> None:
    path = tmp_path / "it's; a 'file'.parquet"
    pq.write_table(pa.table({"a": [1, 2]}), path)
    hub.register("m", path)
    assert hub.sql("SELECT source FROM list_models").fetchall() == [(path.name,)]


def test_a_feature_without_values_is_left_out_and_a_partition_without_any_is_missing(hub: modelhub_sql.Hub) -> None:
    table = pa.table({"a": [i % 7 for i in range(300)], "empty": pa.array([None] * 300, pa.float64())})
    with pytest.warns(UserWarning, match=r"skipped, cannot be compared: empty \(DOUBLE, only NULL\)"):
        hub.register("m", table)
    assert [row[1] for row in stored(hub, "m")] == ["a"]
    with modelhub_sql.connect(partition_size=100, partitioning="sequential") as ordered:
        ordered.register("m", pa.table({"a": [i % 7 for i in range(300)], "b": [1.0] * 100 + [None] * 200}))
        assert stored(ordered, "m")[1][8] == [[100], [], []]


def test_pandas_index_and_nullable_columns_are_read(hub: modelhub_sql.Hub) -> None:
    frame = pd.DataFrame({"a": pd.array([1, None, 3], dtype="Int64"), "c": pd.Categorical(["x", "y", "x"])}, index=[7, 8, 9])
    hub.register("m", frame)
    assert [(f, k, v, n) for _, f, k, v, n, *_ in stored(hub, "m")] == [("a", "number", 2, 1), ("c", "text", 3, 0)]


def test_a_partition_of_empty_lists_counts_as_a_partition(tmp_path: Path) -> None:
    table = pa.table({"list": pa.array([[1.0, 2.0]] * 20 + [[]] * 30, pa.list_(pa.float64()))})
    with modelhub_sql.connect(tmp_path / "hub.duckdb", partition_size=10, partitioning="sequential") as hub:
        hub.register("m", table)
        assert hub.sql("SELECT rows, partitions FROM list_models").fetchall() == [(50, 5)]
        assert hub.sql("SELECT count(*), count(*) FILTER (len(counts) > 0) FROM histograms").fetchall() == [(5, 2)]
        # Two of five partitions have values and match two, three are empty and match three.
        found = both_ways(hub, table, "SELECT adaptivity, coverage FROM find_models('target', max_js := 0.01)")
        assert found == [((2 * 2 + 3 * 3) / 5, 1)]


def test_an_instant_is_the_same_in_every_time_zone() -> None:
    start = dt.datetime(2024, 2, 28, tzinfo=dt.timezone.utc)
    table = pa.table({"at": [start + dt.timedelta(days=day) for day in range(48)]})
    sketches = []
    for zone in ("UTC", "America/Los_Angeles", "Asia/Tokyo"):
        with modelhub_sql.connect() as hub:
            hub.con.execute(f"SET TimeZone = '{zone}'")
            hub.register("m", table)
            sketches.append(hub.sql("SELECT bins, counts, mean FROM features").fetchall())
    assert sketches[0] == sketches[1] == sketches[2]
    seconds = [row.timestamp() for row in table["at"].to_pylist()]
    # In microseconds, to the width of a bin.
    assert sketches[0][0][2] == pytest.approx(np.mean(seconds) * 1e6, abs=2**39)


def test_the_mean_of_times_is_in_microseconds(hub: modelhub_sql.Hub) -> None:
    days = [dt.date(2012, 1, 1), dt.date(2014, 1, 1)]
    hub.register("m", pa.table({"day": days, "hour": [dt.time(6), dt.time(9)]}))
    micros = [dt.datetime(2013, 1, 1, tzinfo=dt.timezone.utc).timestamp() * 1e6, 7.5 * 3600e6]
    found = [row for (row,) in hub.sql("SELECT mean FROM features ORDER BY feature_id").fetchall()]
    # Each in the middle of its bin, about an eighth of the difference wide.
    assert found == [pytest.approx(micros[0], abs=2 * 366 * 86400e6 / 16), pytest.approx(micros[1], abs=3 * 3600e6 / 16)]


def test_dates_beyond_timestamps_are_on_their_side(hub: modelhub_sql.Hub) -> None:
    far = "SELECT _logic.time_value(d) FROM (VALUES (DATE '300000-01-01'), (DATE 'infinity'), (DATE '-infinity')) AS v(d)"
    assert [value for (value,) in hub.sql(far).fetchall()] == [math.inf, math.inf, -math.inf]


@pytest.mark.parametrize("replicas", [1, 2, 16])
def test_every_feature_with_values_has_a_signature(replicas: int) -> None:
    with modelhub_sql.connect(replicas=replicas) as hub:
        for times in (1, 15, 29, 30, 34):
            hub.register(f"m{times}", pa.table({"a": [10.0**i for i in range(8)] * times}))
        assert hub.sql("SELECT count(*), min(elements) FROM features").fetchall()[0][0] == 5
        assert hub.sql("SELECT min(elements) >= 1 FROM features").fetchall() == [(True,)]


def test_a_column_may_be_called_as_rows_are(hub: modelhub_sql.Hub) -> None:
    hub.register("m", pa.table({"the row": [1, 2, 3], "row": [1, 2, 3], "value": [1, 2, 3]}))
    assert hub.sql("SELECT feature FROM features ORDER BY feature_id").fetchall() == [("the row",), ("row",), ("value",)]
