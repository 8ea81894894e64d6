"""Spark counts its own rows, in any order, to the bytes of one machine."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from test_sharding import assert_same, table

import modelhub_sql


@pytest.mark.long
def test_shuffled_rows_of_spark_are_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyspark", reason="needs the extra spark")
    if shutil.which("java") is None:
        pytest.skip("Spark needs a Java runtime")
    from pyspark.sql import SparkSession

    from modelhub_sql import spark

    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    folder = tmp_path / "a folder"
    folder.mkdir()
    # Spark has no type of NULL alone.
    rows = table(701)
    rows = rows.set_column(rows.column_names.index("nothing"), "nothing", pa.nulls(701, pa.int32()))
    for number in range(3):
        pq.write_table(rows[number * 250 : (number + 1) * 250], folder / f"{number}.parquet")
    session = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
    try:
        with modelhub_sql.connect(partition_size=50, sample_rows=300) as hub:
            whole = hub.sketch(str(folder / "*.parquet"), exclude=["label"])
            held = spark.numbered(session, modelhub_sql.shards(str(folder / "*.parquet"), hub=hub), "number").repartition(7)
            assert_same(whole, spark.sketch(held, "number", exclude=["label"], hub=hub))
            with pytest.raises(modelhub_sql.DatasetError, match="does not number the 700 rows"):
                spark.sketch(held.filter("number <> 3"), "number", hub=hub)
    finally:
        session.stop()
