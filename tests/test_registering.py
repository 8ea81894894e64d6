"""Models registered together are what they are one by one, byte for byte, whatever their datasets have in common."""

from __future__ import annotations

import datetime
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import modelhub_sql
from modelhub_sql import registering
from modelhub_sql.errors import DatasetError, ModelExistsError, OptionError

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
