"""Models registered together are what they are one by one, byte for byte, whatever their datasets have in common."""

from __future__ import annotations

import datetime
import warnings
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import modelhub_sql
from modelhub_sql import registering
from modelhub_sql.errors import DatasetError, ModelExistsError, OptionError
from modelhub_sql.headers import headers

MIXED = {"partition_size": 60, "max_partitions": 4, "sample_rows": 100, "salt": "pepper"}


def measured(number: int, rows: int) -> pa.Table:
    """A table of many kinds of columns, others of which are a key, numbers spelt as text, or only NULL."""
    rng = np.random.default_rng(number)
    days = [datetime.date(2000 + number % 5, 1, 1) + datetime.timedelta(days=int(day)) for day in rng.integers(0, 300, rows)]
    return pa.table({
        "row": np.arange(rows), "size": rng.normal(number, 2, rows), "text": rng.choice(["a b", "b-c", "ζ", ""], rows),
        "code": [f"{number}-{each}" for each in range(rows)], "spelt": [f"{each:.1f}" for each in rng.normal(0, 9, rows)],
        "day": days, "list": [list(map(float, rng.normal(0, 1, 3))) for _ in range(rows)],
        "of": [{"a": float(each), "b": "x" if each > 0 else "y"} for each in rng.normal(0, 1, rows)],
        "none": pa.array([None] * rows, pa.string()), "raw": [b"x"] * rows, "label": ["l"] * rows,
    })  # fmt: skip


def stored(hub: modelhub_sql.Hub) -> list[list[tuple[Any, ...]]]:
    """What is stored of each model, without numbers of datasets and times."""
    tables = f"{hub._place.tables}._hub"
    return [
        hub._own.execute(
            f"SELECT m.model, m.version, x.* EXCLUDE ({left_out}) FROM {tables}.models AS m JOIN {tables}.{table} AS x "
            "USING (dataset_id) ORDER BY ALL"
        ).fetchall()
        for table, left_out in {
            "datasets": "dataset_id, registered_at", "features": "dataset_id", "partition_counts": "dataset_id",
        }.items()
    ]  # fmt: skip


@pytest.mark.one_in(3)
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("settings", [{}, MIXED, {"partitioning": "sequential", "partition_size": 60}], ids=str)
def test_many_at_once_store_what_each_alone_stores(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registering, "MOST_ROWS", 500)
    data = {f"m{number}": measured(number, rows) for number, rows in enumerate([1, 2, 40, 150, 151, 350, 600])}
    data |= {f"n{number}": pa.table({"x": np.random.default_rng(number).normal(0, 10.0**number, 200)}) for number in range(4)}
    order = sorted(data, key=lambda name: name[::-1])
    with modelhub_sql.connect(**settings) as many, modelhub_sql.connect(**settings) as one:
        many.register_many([{"name": name, "dataset": data[name], "exclude": ["label?"]} for name in order])
        for name in order:
            one.register(name, data[name], exclude=["label?"])
        assert stored(many) == stored(one)
        by_time = "SELECT model FROM models ORDER BY registered_at"
        assert many.sql(by_time).fetchall() == one.sql(by_time).fetchall()
        many.verify()


@pytest.mark.parametrize("large_first", [True, False])
def test_a_large_table_among_small_ones_of_another_width(large_first: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registering, "MOST_ROWS", 100)
    rng = np.random.default_rng(0)
    large = {"name": "large", "dataset": pa.table({f"x{number}": rng.normal(number, 1, 101) for number in range(9)})}
    small = {"name": "small", "dataset": pa.table({"x": rng.normal(0, 1, 100)})}
    models = [large, small] if large_first else [small, large]
    with modelhub_sql.connect() as many, modelhub_sql.connect() as one:
        assert many.register_many(models) == 2
        for model in models:
            one.register(**model)
        assert stored(many) == stored(one)


def test_batches_end_where_cells_or_features_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registering, "MOST_CELLS", 500)
    monkeypatch.setattr(registering, "MOST_FEATURES", 7)
    rng = np.random.default_rng(0)
    data = [pa.table({"x": rng.normal(0, 1, 90), "y": rng.integers(0, 9, 90)}) for _ in range(8)]
    with modelhub_sql.connect() as many, modelhub_sql.connect() as one:
        many.register_many([{"name": f"m{number}", "dataset": table} for number, table in enumerate(data)])
        for number, table in enumerate(data):
            one.register(f"m{number}", table)
        assert stored(many) == stored(one)


@pytest.mark.filterwarnings("ignore")
def test_files_that_are_read_together_are_stored_as_each_alone_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, most in {"MOST_ROWS": 500, "MOST_FILES": 9, "MOST_SELECTS": 3, "MOST_CELLS": 9000}.items():
        monkeypatch.setattr(registering, name, most)
    rng = np.random.default_rng(1)
    tables = {
        **{f"same {number}": pa.table({"x": rng.normal(number, 1, rows), "y": ["a", "b"] * (rows // 2)})
           for number, rows in enumerate([200, 40, 600, 2, 200, 700])},
        **{f"own'{number}": pa.table({f'x"{number}': rng.normal(number, 1, 90), f"y{number}": range(90)}) for number in range(5)},
        **{f"of one kind {number}": pa.table({"y": ["a"] * 80, "x": rng.integers(0, 9, 80), "Y": [1.5] * 80}) for number in range(2)},
        **{f"with leaves {number}": measured(number, 120) for number in range(2)},
        "its own number": pa.table({"file_row_number": rng.normal(0, 1, 50), "file_index": rng.integers(0, 5, 50)}),
        "lists": pa.table({"l": [[1.0, None, float(each)] for each in range(70)], "m": [["a", "b c"]] * 70}),
    }  # fmt: skip
    files = {}
    for name, table in tables.items():
        files[name] = str(tmp_path / f"{name}.parquet")
        pq.write_table(table, files[name], row_group_size=64)
    order = sorted(files, key=lambda name: name[::-1])
    rows = [{"name": name, "dataset": files[name], "version": version} for version in ("1", "2") for name in order]
    with modelhub_sql.connect() as many, modelhub_sql.connect() as one, modelhub_sql.connect() as synced:
        # What is there is taken the place of, also where what takes it is large.
        for hub in (many, one, synced):
            for name in ("same 2", "own'1"):
                hub.register(name, tables["lists"], version="1")
        many.register_many([{**row, "replace": True} for row in rows])
        for row in rows:
            one.register(row["name"], row["dataset"], version=row["version"], replace=True)
        synced.sync(rows)
        assert stored(many) == stored(synced)
        # Each dataset once where models share it.
        assert [{*map(str, table)} for table in stored(many)] == [{*map(str, table)} for table in stored(one)]
        assert len(many.datasets()) == len(files)
        by_time = "SELECT model, version FROM models ORDER BY registered_at"
        assert many.sql(by_time).fetchall() == one.sql(by_time).fetchall()
        many.verify()


def test_columns_are_of_the_types_that_a_file_says(tmp_path: Path) -> None:
    values = (
        "1::TINYINT", "2::UHUGEINT", "3.5::DECIMAL(9, 2)", "DATE '2020-01-01'", "TIMESTAMP '2020-01-01'", "TIMESTAMPTZ '2020-01-01'",
        "TIME '10:00'", "INTERVAL 3 DAY", "true", "'x'", "'x'::BLOB", "uuid()", "TIMESTAMP_NS '2020-01-01'", "'a'::ENUM('a')",
        "'{}'::JSON", "1.5::FLOAT", "TIMETZ '10:00:00+02'", "NULL", "1::UTINYINT", "TIMESTAMP_MS '2020-01-01'", "'1'::BIT",
    )  # fmt: skip
    path = str(tmp_path / "types.parquet")
    with duckdb.connect() as con:
        con.execute(f"COPY (SELECT {', '.join(f'{value} AS c{place}' for place, value in enumerate(values))}) TO '{path}'")
        described = [row[:2] for row in con.execute("DESCRIBE FROM read_parquet(?)", [path]).fetchall()]
        assert headers(con, [path])[path] == (1, (ANY, tuple(described)))


def test_a_file_that_can_not_be_read_is_named(tmp_path: Path) -> None:
    files = [tmp_path / f"{number}.parquet" for number in range(4)]
    for file in files:
        pq.write_table(pa.table({"x": np.arange(900.0) % 77, "y": ["a"] * 900}), file, compression="snappy", use_dictionary=False)
    whole = files[2].read_bytes()
    rows = [{"name": file.name, "dataset": file} for file in files]
    broken = {
        "its pages": whole[:4] + b"\xff" * 400 + whole[404:], "its footer": whole[:-600] + b"\xff" * 590 + whole[-10:],
        "all": b"", "not there": None,
    }  # fmt: skip
    with modelhub_sql.connect() as hub:
        hub.register("there", pa.table({"x": np.arange(50.0) % 7}))
        for what, content in broken.items():
            files[2].write_bytes(content) if content is not None else files[2].unlink()
            with pytest.raises(DatasetError, match=r"model 3 \(2.parquet\): .*2\.parquet"):
                hub.register_many(rows)
            assert [each["model"] for each in hub.models().dicts()] == ["there"], what
        files[2].write_bytes(whole)
        assert hub.register_many(rows) == 4


def test_models_of_the_same_data_share_a_dataset_and_the_latest_version_is_the_last(tmp_path: Path) -> None:
    pq.write_table(pa.table({"x": np.arange(300.0), "label": ["a"] * 300}), tmp_path / "a.parquet")
    pq.write_table(pa.table({"x": np.arange(300.0) ** 2, "label": ["a"] * 300}), tmp_path / "b.parquet")
    a, b = str(tmp_path / "a.parquet"), str(tmp_path / "b.parquet")
    with modelhub_sql.connect() as hub, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        hub.register("kept", a)
        hub.record("kept", a, 0.9)
        hub.register_many([
            {"name": "m", "dataset": a, "version": "2", "exclude": ["label"]},
            {"name": "m", "dataset": a, "version": "10", "exclude": ["label"], "accuracy": 0.5, "task": "t"},
            {"name": "other", "dataset": a},
            {"name": "like it", "like": "m"},
            {"name": "m", "dataset": b, "version": "1"},
            {"name": "kept", "dataset": b, "replace": True, "metadata": {"n": 1}},
            {"name": "kept", "dataset": b, "replace": True, "metadata": {"n": 2}},
            {"name": "m", "dataset": b, "version": "1", "replace": True, "accuracy_rows": 7},
        ])  # fmt: skip
        found = hub.sql(
            "SELECT model, version, dataset_id, source_accuracy, accuracy_rows, task, metadata FROM models"
        ).fetchall()
        ids = {(model, version): dataset for model, version, dataset, *_ in found} if found else {}
        assert ids["m", "2"] == ids["m", "10"] == ids["like it", ""]
        assert ids["kept", ""] == ids["m", "1"] != ids["other", ""]
        assert len({*ids.values()}) == hub.sql("SELECT count(*) FROM datasets").fetchall()[0][0] == 3
        assert hub.sql("SELECT version FROM models WHERE model = 'm' ORDER BY registered_at DESC LIMIT 1").fetchall() == [("1",)]
        assert ("kept", "", ids["kept", ""], None, None, None, '{"n": 2}') in found
        assert hub.outcomes().dicts() == []


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("row", "error", "said"),
    [
        ({"name": "b", "accuracy": 2.0}, OptionError, r"model 2 \(b\): the accuracy must be a number in \[0, 1\], got 2"),
        ({"name": "b", "accuracy_rows": 0.5}, OptionError, r"model 2 \(b\): accuracy_rows must be a whole number"),
        ({"name": "there"}, ModelExistsError, r"model 2 \(there\): model there, version '', is registered already"),
        ({"name": "a"}, ModelExistsError, r"model 2 \(a\): model a, version '', is registered already"),
        ({"name": "b", "dataset": pa.table({"x": pa.array([], pa.float64())})}, DatasetError, r"model 2 \(b\): .*no rows"),
        ({"name": "b", "dataset": pa.table({"x": pa.array([None, None], pa.float64())})}, DatasetError, r"model 2 \(b\): .*no column"),
        ({"name": "b", "dataset": "missing.parquet"}, DatasetError, r"model 2 \(b\): missing.parquet"),
        ({"name": "b", "exclude": ["nope"]}, DatasetError, r"model 2 \(b\): .*'nope'"),
    ],
    ids=str,
)  # fmt: skip
def test_one_that_cannot_be_registered_is_named_and_none_is(row: Any, error: type[Exception], said: str) -> None:
    table = pa.table({"x": np.arange(100.0)})
    with modelhub_sql.connect() as hub:
        hub.register("there", table)
        rows = [{"name": "a", "dataset": table}, {"dataset": table, **row}, {"name": "c", "dataset": table}]
        with pytest.raises(error, match=said):
            hub.register_many(rows)
        assert [each["model"] for each in hub.models().dicts()] == ["there"]
        assert hub.register_many(rows[::2]) == 2
        assert (
            hub._own.execute("SELECT table_name FROM duckdb_tables() WHERE temporary AND table_name LIKE 'modelhub%'").fetchall()
            == []
        )


def test_a_stream_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registering, "MOST_ROWS", 50)
    table = pa.table({"x": np.random.default_rng(0).normal(0, 1, 100)})
    with modelhub_sql.connect() as many, modelhub_sql.connect() as one:
        many.register_many([{"name": "a", "dataset": table.to_reader()}, {"name": "b", "dataset": table}])
        for name in ("a", "b"):
            one.register(name, table, source="the RecordBatchReader passed" if name == "a" else None)
        assert stored(many) == stored(one)
