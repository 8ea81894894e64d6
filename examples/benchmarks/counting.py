"""Numbers counted in numpy or by the hub's SQL: from how many columns on is which faster?

Chose ``most_columns`` of ``udfs/overlays.sql``: each column takes the longer to plan for numpy.

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

NUMPY, SQL = "numpy", "SQL"


def elements(con: duckdb.DuckDBPyConnection, most_columns: int) -> list[tuple[Any, ...]]:
    """The number of elements of the table ``numbers``, and the sum of their occurrences."""
    con.execute(f"CREATE OR REPLACE TEMP MACRO most_columns() AS {most_columns}")
    query = "SELECT count(*), sum(occurrences) FROM dataset_elements('numbers', forms := ['number'], nested := false)"
    return con.execute(query).fetchall()


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
                ways: dict[str, Callable[[], Any]] = {
                    NUMPY: partial(elements, hub.con, columns),
                    SQL: partial(elements, hub.con, 1),
                }
                timings = side_by_side(ways, given.repeats, given.budget)
                assert timings[NUMPY].result == timings[SQL].result
                table.append(
                    [f"{columns}", f"{rows:,}", f"{number(timings[NUMPY].median)} s", ratio(timings[SQL], timings[NUMPY])]
                )
    report.table(
        "Elements of numbers",
        ["columns", "rows", NUMPY, SQL],
        table,
        f"From a table of DuckDB. {SQL} is its time divided by that of {NUMPY}: above 1 is slower. It is planned for one "
        "column of numpy, as little as there can be; both count the same elements, which is checked.",
    )
    report.write(given.results, "counting")


if __name__ == "__main__":
    main()
