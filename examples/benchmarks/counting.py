"""Numbers counted in numpy or by the hub's SQL: from how many columns on is which faster?

Chose the bound of ``udfs/relations/number_element.sql``: each column takes the longer to plan for numpy.

    python examples/benchmarks/counting.py [--full]
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from measuring import Report, arguments, number, ratio, side_by_side

import modelhub_sql
from modelhub_sql import logic

NUMPY, SQL = "numpy", "SQL"


def prepare(con: duckdb.DuckDBPyConnection, place: logic.Place, columns: int, numpy: bool) -> str:
    """A temporary macro that counts the elements of a table of so many columns; returns its name."""
    name = f"counted_in_{'numpy' if numpy else 'sql'}"
    chain = logic.needed(logic.relations("sketch", numpy), "FROM number_element")
    steps = ",\n".join(f"{step.name} AS {'NOT ' if step.inlined else ''}MATERIALIZED ({step.query})" for step in chain)
    # As many columns as there are, instead of the bound.
    steps = steps.replace("width > 32", f"width > {columns}").replace("BETWEEN 2 AND 33", f"BETWEEN 2 AND {columns + 1}")
    con.execute(
        logic.placed(
            f"CREATE OR REPLACE TEMP MACRO {name}(dataset, exclude := [], forms := ['number'], nested := false) AS TABLE "
            f"WITH {steps} SELECT count(*), sum(occurrences) FROM number_element",
            place,
        )
    )
    return name


def counted(con: duckdb.DuckDBPyConnection, macro: str) -> list[tuple[Any, ...]]:
    """The number of elements of the table ``numbers``, and the sum of their occurrences."""
    return con.execute(f"FROM {macro}('numbers')").fetchall()


def main() -> None:
    given = arguments(
        __doc__,
        columns=([4, 16], [4, 16, 32, 64, 128], "columns of the tables"),
        rows=([1000, 20_000], [1000, 10_000, 100_000, 400_000], "rows of the tables"),
        most_cells=([1_000_000], [20_000_000], "cells of the largest table"),
    )
    report = Report("Counting numbers", given.full)
    table = []
    with modelhub_sql.connect() as hub:
        for columns in given.columns:
            for rows in given.rows:
                if columns * rows > given.most_cells[0]:
                    continue
                rng = np.random.default_rng(1)
                numbers = pa.table({f"c{i}": rng.normal(i, 10.0 ** (i % 4), rows) for i in range(columns)})
                hub.con.register("made", numbers)
                hub.con.execute("CREATE OR REPLACE TABLE numbers AS FROM made")
                ways: dict[str, Callable[[], Any]] = {}
                for way in (NUMPY, SQL):
                    macro = prepare(hub.con, hub._place, columns, way == NUMPY)
                    ways[way] = partial(counted, hub.con, macro)
                timings = side_by_side(ways, given.repeats, given.budget)
                assert timings[NUMPY].result == timings[SQL].result
                table.append(
                    [f"{columns}", f"{rows:,}", f"{number(timings[NUMPY].median)} s", ratio(timings[SQL], timings[NUMPY])]
                )
    report.table(
        "Elements of numbers",
        ["columns", "rows", NUMPY, SQL],
        table,
        f"From a table of DuckDB. {SQL} is its time divided by that of {NUMPY}: above 1 is slower. Both count the "
        "same elements, which is checked.",
    )
    report.write(given.results, "counting")


if __name__ == "__main__":
    main()
