"""A search as it runs in Python: one relation of ``sql/search`` after the other, each a temporary table."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import duckdb

from modelhub_sql import logic
from modelhub_sql.datasets import batches, fetched

__all__ = ["HEADS", "WITHOUT_DETAILS", "Step", "step_by_step"]

#: What a search starts from: relations that are there before its first step.
HEADS = ("target_sketch", "options", "searched", "explained")

#: What a search without details does without: that relation and its columns, empty.
WITHOUT_DETAILS = (
    "partition_score",
    "NULL::UINTEGER AS dataset_id, NULL::DOUBLE AS adaptivity, NULL::DOUBLE AS coverage, "
    "NULL::DOUBLE AS kl_target_source, NULL::DOUBLE AS kl_source_target, NULL::DOUBLE AS l2_distance, "
    "NULL::DOUBLE AS flattened_js, NULL::DOUBLE AS max_js, NULL::DOUBLE AS sampling_floor, NULL::VARCHAR AS search",
)

#: After a step: what tells that a later relation is empty, that relation, and its columns. What it needs is not even planned.
_EMPTY = {
    "options": ("SELECT NOT details FROM temp.main.options", {True: WITHOUT_DETAILS}),
    # None is too far to be a candidate.
    "known_dataset": (
        "SELECT count(*) <= (SELECT max_candidates FROM temp.main.options) FROM temp.main.known_dataset",
        {
            True: (
                "named_distance",
                "NULL::USMALLINT AS target_feature_id, NULL::UINTEGER AS dataset_id, NULL::DOUBLE AS distance",
            ),
        },
    ),
    "open_target": (
        "SELECT count(*) = 0 FROM temp.main.open_target",
        {
            True: (
                "open_match",
                "NULL::USMALLINT AS target_feature_id, NULL::UINTEGER AS dataset_id, NULL::USMALLINT AS feature_id, "
                "NULL::DOUBLE AS jaccard, NULL::DOUBLE AS js_divergence, NULL::DOUBLE AS distance, "
                "NULL::SMALLINT AS k, NULL::SMALLINT AS b",
            ),
        },
    ),
    "search_method": (
        "SELECT search = 'exact' FROM temp.main.search_method",
        {
            True: (
                "verified_pair",
                "NULL::UINTEGER AS owner, NULL::UINTEGER AS source_partition, NULL::UINTEGER AS target_partition, "
                "NULL::DOUBLE AS hellinger2",
            ),
            False: (
                "hashed_pair",
                "NULL::HUGEINT AS pair_id, NULL::UINTEGER AS owner, NULL::UINTEGER AS space_id, "
                "NULL::UINTEGER AS source_partition, NULL::UINTEGER AS target_partition, NULL::DOUBLE AS hellinger2",
            ),
        },
    ),
}

#: After a step: what tells that a later relation can be made at once, without numpy and what that needs.
_PLAIN = {
    "possible_dataset": (
        "SELECT NOT _logic.are_too_many(count(*), (SELECT max_candidates FROM temp.main.options))"
        " FROM temp.main.possible_dataset",
        "promising_dataset",
    ),
}

#: Relation, its rows, seconds that it took, and what a row is.
Step = tuple[str, int, float, str]


def _make(con: duckdb.DuckDBPyConnection, place: logic.Place, step: logic.Relation) -> None:
    if step.computed is None:
        con.execute(logic.placed(logic.step_statement(step), place))
        return
    from modelhub_sql.udfs import TABLES

    first, *others = (logic.placed(query, place) for query in step.computed.tables)
    tables = []
    for query in others:
        con.execute(query)
        tables.append(fetched(con))
    made = TABLES[step.computed.function]
    parts = batches(con.sql(first), made.rows_at_once(tables[0]))
    con.register("modelhub_computed", made.of(parts, *tables))
    try:
        con.execute(logic.placed(logic.step_statement(replace(step, query=step.computed.rest)), place))
    finally:
        # A transaction that is aborted refuses this, too.
        with suppress(duckdb.Error):
            con.unregister("modelhub_computed")


def step_by_step(
    con: duckdb.DuckDBPyConnection,
    place: logic.Place,
    until: str,
    *,
    numpy: bool,
    taken: list[Step] | None = None,
    of_partitions: Callable[[], None] | None = None,
) -> None:
    """Make the relations that ``until`` needs, and it, from ``HEADS``, which are temporary tables of the connection.

    taken: takes a row for each step; all are kept then. Without it nothing is kept but ``until`` and the summary.
    of_partitions: called before a step that reads the histograms of the hub's partitions.
    """
    done: list[logic.Relation] = []
    left_out: list[str] = []

    def rest() -> list[logic.Relation]:
        return logic.steps(f"FROM {until}", (*HEADS, *left_out, *(step.name for step in done)), numpy=numpy)

    def holds(condition: str) -> bool:
        return con.execute(logic.placed(condition, place)).fetchall() == [(True,)]

    def leave_out_after(name: str) -> None:
        if name in _PLAIN:
            condition, relation = _PLAIN[name]
            if any(step.name == relation for step in wanted) and holds(condition):
                make(logic.relations("search")[relation])
                wanted[:] = rest()
        if name not in _EMPTY:
            return
        condition, relations = _EMPTY[name]
        # The same with the numpy functions and without, unless there is another.
        empty, columns = relations.get(numpy, relations[True])
        if any(step.name == empty for step in wanted) and holds(condition):
            con.execute(f"CREATE OR REPLACE TEMP TABLE {empty} AS SELECT {columns} WHERE false")
            left_out.append(empty)
            wanted[:] = rest()

    def make(step: logic.Relation) -> None:
        began = time.perf_counter()
        _make(con, place, step)
        done.append(step)
        if taken is not None:
            ((rows,),) = con.execute(f"SELECT count(*) FROM temp.main.{step.name}").fetchall()
            taken.append((step.name, rows, time.perf_counter() - began, step.comment))

    wanted = rest()
    leave_out_after("options")
    while wanted:
        step = wanted.pop(0)
        if of_partitions is not None and "partition_counts" in step.query:
            of_partitions()
        make(step)
        leave_out_after(step.name)
    if taken is None:
        # Views first, which read tables.
        for step in reversed(done):
            if step.name not in (until, "search_summary"):
                con.execute(f"DROP {'VIEW' if step.inlined else 'TABLE'} temp.main.{step.name}")
