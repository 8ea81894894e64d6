"""A dataset sketched shard by shard has the sketch of the whole, bit for bit, wherever its rows come from."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

import modelhub_sql
from modelhub_sql import sharding
from modelhub_sql.cli import main
from modelhub_sql.result import Sketch


def assert_same(whole: Sketch, shards: Sketch) -> None:
    here, there = whole.arrow(), shards.arrow()
    assert here.schema == there.schema
    for name in here.column_names:
        assert here[name].to_pylist() == there[name].to_pylist(), name


def table(rows: int) -> pa.Table:
    rng = np.random.default_rng(1)
    words = np.array(["red", "green", "blue", "deep sea"])
    return pa.table({
        "x": rng.normal(size=rows), "y": pa.array(rng.integers(0, 9, rows), mask=rng.random(rows) < 0.1),
        "word": words[rng.integers(0, 4, rows)], "day": pa.array(rng.integers(0, 4000, rows).astype("datetime64[D]")),
        "digits": [str(each) for each in rng.integers(0, 99, rows)], "list": pa.array([[0.7, each] for each in rng.normal(size=rows)]),
        "in": pa.array([{"a": int(each), "b": f"t{each % 5}"} for each in rng.integers(0, 9, rows)]), "id": np.arange(rows),
        "label": words[rng.integers(0, 2, rows)], "late": ["12"] * (rows - 1) + ["twelve"], "nothing": pa.nulls(rows),
    })  # fmt: skip


@pytest.fixture(scope="module")
def small() -> Iterator[modelhub_sql.Hub]:
    with modelhub_sql.connect(partition_size=50, max_partitions=8, sample_rows=300, seed=7, salt="sea") as hub:
        yield hub


def test_shards_of_a_table_in_any_order_are_the_whole(small: modelhub_sql.Hub) -> None:
    rows = table(701)
    whole = small.sketch(rows, exclude=["label"])
    assert {"in.a", "late"} < set(whole.features)
    assert_same(whole, sharding.shards(rows, 3, exclude=["label"], hub=small).sketch())
    # Each number comes with its row, as it does from whoever has shuffled them.
    plan = pickle.loads(pickle.dumps(sharding.shards(rows, exclude=["label"], hub=small)))
    numbered = rows.append_column("row", pa.array(np.arange(701))).take(pa.array(np.random.default_rng(2).permutation(701)))
    parts = [numbered[:500], numbered[500:501], numbered[501:]]
    plan = plan.agreed([sharding.survey_rows(plan, part, "row") for part in parts])
    counts = [sharding.count_rows(plan, part, "row") for part in parts]
    assert_same(whole, sharding.merge(plan, [counts[2], sharding.added_up(plan, counts[:2])]))
    with pytest.raises(modelhub_sql.DatasetError, match="701 rows in all, and 501 were counted"):
        sharding.merge(plan, counts[:2])


def test_shards_of_files_are_the_whole(small: modelhub_sql.Hub, tmp_path: Path) -> None:
    rows = table(400)
    pq.write_table(rows, tmp_path / "one.parquet", row_group_size=90)
    plan = sharding.shards(tmp_path / "one.parquet", 3, hub=small)
    assert [(each.first, each.rows) for each in plan.shards] == [(0, 134), (134, 134), (268, 132)]
    assert_same(small.sketch(tmp_path / "one.parquet"), plan.sketch())
    with pytest.raises(modelhub_sql.OptionError, match="not agreed on yet"):
        sharding.sketch_shard(plan, plan.shards[0])
    pq.write_table(rows[:300], tmp_path / "one.parquet")
    with pytest.raises(modelhub_sql.DatasetError, match=r"one.parquet has other rows than when"):
        plan.sketch()


def test_a_text_of_a_csv_is_read_as_all_files_have_it(small: modelhub_sql.Hub, tmp_path: Path) -> None:
    # By itself the first file has numbers and dates, and spells them otherwise.
    (tmp_path / "a.csv").write_text(
        "zip,day,v\n" + "".join(f"{i % 9:05d},2020-{i % 12 + 1}-{i % 27 + 1},{i}.50\n" for i in range(60))
    )
    (tmp_path / "b.csv").write_text("zip,day,v\n" + "".join(f"X{i % 9:05d},soon{i % 3},{i}\n" for i in range(50)))
    (tmp_path / "c.csv").write_text("day;zip\n" + "".join(f"2021-01-{i % 27 + 1:02d};{i % 7}\n" for i in range(30)))
    whole = small.sketch(str(tmp_path / "*.csv"))
    assert whole.features == ["zip", "day", "v"]
    assert_same(whole, sharding.shards(str(tmp_path / "*.csv"), hub=small).sketch())


def test_a_value_of_json_is_read_as_all_files_have_it(small: modelhub_sql.Hub, tmp_path: Path) -> None:
    def write(name: str, rows: list[dict[str, Any]]) -> None:
        (tmp_path / name).write_text("".join(json.dumps(row) + "\n" for row in rows))

    days = [f"{i % 27 + 1:02d}-0{i % 9 + 1}-2020" for i in range(60)]
    # By itself the first file has whole numbers, no texts, and days that may be months.
    write("a.json", [{"zip": i % 9, "v": i, "in": {"a": i}, "day": f"0{i % 9 + 1}-02-2020"} for i in range(60)])
    write(
        "b.json", [{"zip": f"X{i % 9}", "v": i / 2, "in": {"b": f"t{i % 5}"}, "day": days[i], "list": [i, 1]} for i in range(50)]
    )
    (tmp_path / "c.json").write_text(json.dumps([{"day": day, "zip": None} for day in days]))
    files, read = str(tmp_path / "*.json"), {"dateformat": "%d-%m-%Y"}
    whole = small.sketch(files, read=read)
    assert {"zip", "v", "in.a", "in.b", "day", "list"} == set(whole.features)
    assert_same(whole, sharding.shards(files, hub=small, read=read).sketch())
    with pytest.raises(modelhub_sql.DatasetError, match=r"has times \(day\): say how all files spell them"):
        sharding.shards(files, hub=small)


def test_what_cannot_be_cut_is_refused(small: modelhub_sql.Hub, tmp_path: Path) -> None:
    with pa.OSFile(str(tmp_path / "rows.arrow"), "w") as file, pa.ipc.new_file(file, table(9).schema) as writer:
        writer.write(table(9))
    with pytest.raises(modelhub_sql.DatasetError, match=r"can't be cut into shards: pass files of parquet, csv or json"):
        sharding.shards(tmp_path / "rows.arrow", hub=small)
    with pytest.raises(modelhub_sql.DatasetError, match="has no rows"):
        sharding.shards(table(1)[:0], hub=small)
    with pytest.raises(modelhub_sql.DatasetError, match="no column 'lable' to exclude"):
        sharding.shards(table(9), exclude=["lable"], hub=small)
    with pytest.raises(modelhub_sql.OptionError, match="count must be a whole number"):
        sharding.shards(table(9), 0, hub=small)


@pytest.mark.long
@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_one_two_and_eight_shards_and_processes_are_the_whole(ending: str, tmp_path: Path) -> None:
    import pyarrow.csv

    rows = table(5000) if ending == "parquet" else table(5000).drop_columns(["list", "in", "nothing"])
    write = pq.write_table if ending == "parquet" else pyarrow.csv.write_csv
    for number in range(8):
        write(rows[number * 700 : (number + 1) * 700], tmp_path / f"{number}.{ending}")
    files = str(tmp_path / f"*.{ending}")
    with modelhub_sql.connect() as hub:
        whole = hub.sketch(files, exclude=["label"])
        for count in (1, 2, 8):
            assert_same(whole, sharding.shards(rows, count, exclude=["label"], hub=hub).sketch())
            assert_same(whole, sharding.shards(files, count, exclude=["label"]).sketch())
        written = str(tmp_path / "made.sketch.parquet")
        run = CliRunner().invoke(main, ["sketch", files, "--exclude", "label", "--processes", "2", "-o", written])
        assert run.exit_code == 0, run.output
        there = pq.read_table(whole.save(tmp_path / "whole.sketch.parquet"))
        assert pq.read_table(written).to_pylist() == there.to_pylist()
