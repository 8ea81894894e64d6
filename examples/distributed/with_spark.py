"""Sketch parquet files in the tasks of Spark: python with_spark.py 'rows/*.parquet' rows.sketch.parquet --exclude label

The sketch is bit for bit that of one machine, however Spark deals the rows. Each worker needs modelhub-sql and the files.
"""

from __future__ import annotations

import argparse

from pyspark.sql import SparkSession

import modelhub_sql
from modelhub_sql import spark


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files")
    parser.add_argument("output")
    parser.add_argument("--exclude", action="append", default=[])
    given = parser.parse_args()
    session = SparkSession.builder.config("spark.ui.enabled", "false").getOrCreate()
    rows = spark.numbered(session, modelhub_sql.shards(given.files), "row_number")
    # What comes after a join or a shuffle is in any order: the numbers are with the rows.
    made = spark.sketch(rows.repartition(7), "row_number", exclude=given.exclude)
    print(f"{made.save(given.output)}: {made.rows} rows, {len(made.features)} features")
    session.stop()


if __name__ == "__main__":
    main()
