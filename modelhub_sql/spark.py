"""Sketches of what Spark holds: the rows stay where they are, each task counts its own (extra ``spark``; see ``sharding``)."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from modelhub_sql import sharding
from modelhub_sql.errors import DatasetError
from modelhub_sql.result import Sketch

if TYPE_CHECKING:
    from modelhub_sql.hub import Hub

__all__ = ["numbered", "sketch"]

#: Rows that are counted at once.
_MANY = 100_000


def numbered(spark: Any, plan: sharding.Plan, number: str = "row_number") -> Any:
    """The rows of a plan's parquet files as a Spark DataFrame, with a column of their numbers in the whole.

    spark: a SparkSession whose workers can read the files. Raises DatasetError.
    """
    from pyspark.sql import functions

    if any(shard.file is None or not shard.file.lower().endswith((".parquet", ".pq")) for shard in plan.shards):
        raise DatasetError(f"{plan.source}: Spark tells the number of a row only of parquet files")
    first = {shard.file: shard.first - shard.before for shard in plan.shards}
    before = spark.createDataFrame(list(first.items()), "file string, before long")
    path = functions.regexp_replace(functions.expr("url_decode(replace(_metadata.file_path, '+', '%2B'))"), "^file:/*", "/")
    rows = (
        spark.read.option("mergeSchema", "true")
        .parquet(*first)
        .select("*", path.alias("_modelhub_file"), functions.col("_metadata.row_index").alias("_modelhub_row"))
    )
    joined = rows.join(functions.broadcast(before), rows["_modelhub_file"] == before["file"])
    kept = [rows[f"`{name}`"] for name in rows.columns if not name.startswith("_modelhub_")]
    return joined.select(*kept, (before["before"] + rows["_modelhub_row"]).alias(number))


def sketch(rows: Any, number: str, *, exclude: Sequence[str] = (), hide_excluded: bool = False, hub: Hub | None = None) -> Sketch:
    """The sketch of a Spark DataFrame, the same as of its rows in the order of their numbers on one machine.

    number: the column that numbers the rows from 0, in any order: it decides which partition a row is in (``numbered`` has it
    from files). exclude, hide_excluded: columns to leave out, and whether their names are not kept, as of ``Hub.register``.
    hub: whose format and salt the sketch is to have.

    The rows are read three times: cache what is costly. Types are called as Spark has them. Raises DatasetError.
    """
    from pyspark.sql import functions

    from modelhub_sql.engine import names_of
    from modelhub_sql.hub import Hub as Opened

    if hub is None:
        with Opened() as plain:
            return sketch(rows, number, exclude=exclude, hide_excluded=hide_excluded, hub=plain)
    column = functions.col(f"`{number}`").cast("long")
    ((count, least, most, total),) = rows.agg(
        functions.count("*"), functions.min(column), functions.max(column), functions.sum(column.cast("decimal(38,0)"))
    ).collect()
    if count and (least != 0 or most != count - 1 or total != count * (count - 1) // 2):
        raise DatasetError(f"{number} does not number the {count} rows from 0 to {count - 1}: it has {least} to {most}")
    empty = rows.drop(number).limit(0).toArrow()
    with hub._lock, hub._dataset(empty) as ((name, _), _):
        plan = sharding.planned(hub, name, "the Spark DataFrame", count, names_of(exclude))
    plan = replace(plan, hide_excluded=hide_excluded).agreed(_each(rows, _task(plan, number, sharding.survey_rows)))
    return sharding.merge(plan, _each(rows, _task(plan, number, sharding.count_rows)))


def _each(rows: Any, task: Callable[[Iterator[Any]], Iterator[Any]]) -> Iterator[Any]:
    for (made,) in rows.mapInArrow(task, "made binary").toLocalIterator():
        yield pickle.loads(made)


def _task(plan: sharding.Plan, number: str, what: Callable[..., Any]) -> Callable[[Iterator[Any]], Iterator[Any]]:
    """What a task does with the batches of its rows."""

    def run(batches: Iterator[Any]) -> Iterator[Any]:
        import pyarrow as pa

        held: list[Any] = []
        for batch in batches:
            held.append(batch)
            if sum(each.num_rows for each in held) >= _MANY:
                yield made(pa, held)
                held = []
        if held:
            yield made(pa, held)

    def made(pa: Any, held: list[Any]) -> Any:
        part = what(plan, pa.Table.from_batches(held), number)
        return pa.RecordBatch.from_arrays([pa.array([pickle.dumps(part)], pa.binary())], ["made"])

    return run
