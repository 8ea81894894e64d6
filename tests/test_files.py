"""Files: all that they hold is read, wherever they lie and however they are cut, or it is said what to do."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from conftest import data
from same import registered, shape

import modelhub_sql
from modelhub_sql import DatasetError


def written(folder: Path, name: str, table: pd.DataFrame, **options: Any) -> str:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    table.to_parquet(path, index=False) if name.endswith("parquet") else table.to_csv(path, index=False, **options)
    return str(path)


def test_numbers_that_turn_to_decimals_late_are_decimals(settled_hub: modelhub_sql.Hub, tmp_path: Path) -> None:
    values = np.repeat([0, 3.7], 30000)
    path = tmp_path / "late.csv"
    path.write_text("v\n" + "0\n" * 30000 + "3.7\n" * 30000)
    assert registered(settled_hub, str(path)) == registered(settled_hub, pd.DataFrame({"v": values}))


def test_a_column_that_turns_to_text_late_is_text(settled_hub: modelhub_sql.Hub, tmp_path: Path) -> None:
    path = tmp_path / "late.csv"
    path.write_text("v\n" + "".join(f"{i % 9}\n" for i in range(30000)) + "x1\n")
    assert shape(settled_hub, str(path))["v"] == ("text", 30001, 0)


def test_columns_of_all_files_count(settled_hub: modelhub_sql.Hub, tmp_path: Path) -> None:
    written(tmp_path, "1.parquet", pd.DataFrame({"a": np.zeros(9, np.int32), "b": 1.5}))
    written(tmp_path, "2.parquet", pd.DataFrame({"a": np.full(9, 0.3), "c": "x"}))
    whole = pd.DataFrame({"a": [0.0] * 9 + [0.3] * 9, "b": [1.5] * 9 + [None] * 9, "c": [None] * 9 + ["x"] * 9})
    found = registered(settled_hub, str(tmp_path / "*.parquet"))
    assert found == registered(settled_hub, whole)
    assert found == registered(settled_hub, [tmp_path / "1.parquet", str(tmp_path / "2.parquet")])
    assert [row[0] for row in found] == ["a", "b", "c"]


def test_a_folder_with_equals_makes_no_column(settled_hub: modelhub_sql.Hub, tmp_path: Path) -> None:
    path = written(tmp_path, "label=3/t.parquet", pd.DataFrame({"a": [1.0, 2.0]}))
    assert list(shape(settled_hub, path)) == ["a"]
    assert list(shape(settled_hub, path, read={"hive_partitioning": True})) == ["a", "label"]


@pytest.mark.skipif(os.name == "nt", reason="not a name there")
@pytest.mark.parametrize("name", ["a[1].csv", "what?.csv", "st*r.parquet", "it's.csv", "a b.parquet"])
def test_a_file_is_found_by_any_name(settled_hub: modelhub_sql.Hub, tmp_path: Path, name: str) -> None:
    assert shape(settled_hub, written(tmp_path, name, pd.DataFrame({"a": [1.0, 2.0]}))) == {"a": ("number", 2, 0)}


def test_options_reach_the_reader(settled_hub: modelhub_sql.Hub, tmp_path: Path) -> None:
    table = pd.DataFrame({"a": [1.5, 2.5], "b": ["caf\u00e9", "-"]})
    path = written(tmp_path, "t.txt", table, sep="|", decimal=",", encoding="latin-1")
    options = {"delim": "|", "encoding": "latin-1", "nullstr": ["-", ""]}
    assert registered(settled_hub, path, read=options) == registered(settled_hub, table.replace("-", None))
    with pytest.raises(DatasetError, match='"nonsense"'):
        settled_hub.register("m", path, read={"nonsense": 1})
    with pytest.raises(DatasetError, match="is no option"):
        settled_hub.register("m", path, read={"delim := '|') --": 1})
    with pytest.raises(DatasetError, match="is no file"):
        settled_hub.register("m", table, read={"delim": "|"})
    found = settled_hub.find_models(path, read=options)
    assert found.summary


def test_a_message_names_options_that_register_has(settled_hub: modelhub_sql.Hub, tmp_path: Path) -> None:
    path = tmp_path / "l.csv"
    path.write_bytes("a,b\n1,caf\u00e9\n2,z\n".encode("latin-1"))
    with pytest.raises(DatasetError, match=r"read=\{'encoding': 'latin-1'\} or --read encoding=latin-1") as caught:
        settled_hub.register("m", str(path))
    assert "Possible" not in str(caught.value)


def test_what_is_no_table_is_refused_with_what_to_write(settled_hub: modelhub_sql.Hub, tmp_path: Path) -> None:
    written(tmp_path, "many/1.parquet", pd.DataFrame({"a": [1.0]}))
    written(tmp_path, "deep/b/1.csv", pd.DataFrame({"a": [1.0]}))
    (tmp_path / "delta" / "_delta_log").mkdir(parents=True)
    (tmp_path / "lfs.csv").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")
    (tmp_path / "t.xlsx").write_bytes(b"PK")
    for name, said in {
        "many": r"folder: pass a glob of its files, '.*/many/\*\.parquet'",
        "deep": r"'.*/deep/\*\*/\*\.csv'",
        "delta": "Delta table.*to_pyarrow_table",
        "lfs.csv": "git lfs pull",
        "t.xlsx": "pandas.read_excel",
    }.items():
        with pytest.raises(DatasetError, match=said):
            settled_hub.register("m", str(tmp_path / name))


def test_a_view_that_samples_is_read_once(settled_hub: modelhub_sql.Hub) -> None:
    settled_hub.sql("CREATE OR REPLACE TABLE t AS SELECT i::DOUBLE AS v, i % 7 AS w FROM range(10000) r(i)")
    settled_hub.sql("CREATE OR REPLACE VIEW s AS SELECT * FROM t USING SAMPLE 10 PERCENT (bernoulli)")
    for _ in range(3):
        for row in registered(settled_hub, "s"):
            _, _, values, nulls, *_, partitions, rows = row
            assert values + nulls == rows
            # What is left joins the last where it is less than half.
            assert len(partitions) == max(1, (rows + 250) // 500)
            assert sum(map(sum, partitions)) == values


def test_names_of_ours_change_nothing(settled_hub: modelhub_sql.Hub) -> None:
    names = ["modelhub row", "modelhub partition", "modelhub leaves", "dataset_row", "target", "feature_id"]
    plain = pd.DataFrame({f"c{place}": drawn for place, drawn in enumerate(np.random.default_rng(0).normal(size=(6, 50)))})
    ours = plain.set_axis(names, axis=1)
    assert sorted(row[1:] for row in registered(settled_hub, plain)) == sorted(row[1:] for row in registered(settled_hub, ours))
    for name in ("dataset_row", "whole_row", "csv_row", "typed_column", "modelhub_sketch"):
        settled_hub.sql(f"CREATE OR REPLACE TABLE {name} AS SELECT 1.5 AS mine")
        assert list(shape(settled_hub, name)) == ["mine"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("beer.parqet", r"beer\.parqet does not exist: .*; the nearest name is .*beer\.parquet$"),
        ("bear.parquet", r"bear\.parquet does not exist: .*; the nearest name is .*beer\.parquet$"),
        ("wine.parquet", r"wine\.parquet does not exist: no file and no table is called that$"),
        ("rows.txt", r"rows\.txt can't be read as a dataset: .*--read 'delim=;'"),
        ("empty.parquet", r"empty\.parquet can't be read as a dataset: the file is empty"),
        ("other.duckdb", r"other\.duckdb is a DuckDB database, not a table"),
        ("rows.xlsx", r"rows\.xlsx can't be read as a dataset: pass .*csv, or in Python pandas\.read_excel"),
    ],
)
def test_who_names_the_wrong_file_is_told_what_to_name(hub: modelhub_sql.Hub, tmp_path: Path, name: str, said: str) -> None:
    shutil.copy(data("beer"), tmp_path / "beer.parquet")
    tmp_path.joinpath("rows.txt").write_text("a;b\n1;2\n3;4\n")
    for empty in ("empty.parquet", "rows.xlsx"):
        tmp_path.joinpath(empty).write_bytes(b"")
    if name == "other.duckdb":
        with duckdb.connect(str(tmp_path / name)) as con:
            con.execute("CREATE TABLE a AS SELECT 1 AS x; CREATE TABLE b AS SELECT 1 AS x")
    with pytest.raises(DatasetError, match=said):
        hub.sketch(tmp_path / name)
    if name == "rows.txt":
        assert hub.sketch(tmp_path / name, read={"delim": ";"}).features == ["a", "b"]


def test_who_names_the_wrong_hub_is_told_the_nearest(tmp_path: Path) -> None:
    tmp_path.joinpath("hub.duckdb").write_bytes(b"")
    with pytest.raises(modelhub_sql.HubNotFoundError, match=r"no hub at .*hub\.duckb: .*; the nearest name is .*hub\.duckdb$"):
        modelhub_sql.connect(tmp_path / "hub.duckb", read_only=True)
