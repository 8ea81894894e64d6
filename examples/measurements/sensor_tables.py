"""162 tables of real sensor features as distributions over one space, for the programs on LSH.

The tables are the 137 (dataset, subject, body part) tables of har54 and 25 of dsads81 (subjects 1
to 5, five body parts: the same people and features, cut from another extraction), with the 54
features that both have.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

import modelhub_sql

__all__ = ["MAX_JS", "arguments", "prepared", "table", "timed", "vectors"]

MAX_JS = 0.1
RESULTS = Path(__file__).parent / "results"
Floats = npt.NDArray[np.float64]

TABLES = """
    WITH given AS (
        SELECT
            dataset || '_' || subject || '_' || body_part AS name, COLUMNS(lambda c: list_contains(getvariable('features'), c))
        FROM read_parquet($har)
        UNION ALL BY NAME
        SELECT 'dsads81_' || subject || '_' || body_part AS name, COLUMNS(lambda c: list_contains(getvariable('features'), c))
        FROM read_parquet($dsads) WHERE subject <= 5
    )
    SELECT dense_rank() OVER (ORDER BY name) AS owner, * EXCLUDE (name) FROM given
"""

# Histograms of all tables at one resolution of each feature, and the tables as vectors of one space.
VECTORS = """
    CREATE TEMP TABLE given_value AS
    SELECT owner, feature, x FROM (UNPIVOT given_rows ON COLUMNS(* EXCLUDE owner) INTO NAME feature VALUE x);
    CREATE TEMP TABLE resolution AS
    SELECT feature, unnest(_logic.resolution(list(x ORDER BY x))) FROM given_value WHERE isfinite(x) GROUP BY feature;
    CREATE TEMP TABLE probability AS
    SELECT owner, slot, bin, n / sum(n) OVER (PARTITION BY owner) AS p
    FROM (
        SELECT
            owner, CASE getvariable('space') WHEN 'aligned' THEN feature ELSE '' END AS slot,
            _logic.number_bin(x, k + getvariable('coarser'), b - getvariable('coarser')) AS bin, count(*) AS n
        FROM given_value
        JOIN resolution USING (feature)
        WHERE x IS NOT NULL
        GROUP BY ALL
    );
    CREATE TEMP TABLE space_axis AS
    SELECT
        1 AS space_id, dense_rank() OVER (ORDER BY slot)::INTEGER AS slot, bin,
        row_number() OVER (PARTITION BY slot ORDER BY bin) AS ordinal, row_number() OVER (ORDER BY slot, bin) AS position
    FROM (SELECT DISTINCT slot, bin FROM probability);
    CREATE TEMP TABLE sources AS
    WITH place AS (
        SELECT owner, position, p
        FROM (SELECT *, dense_rank() OVER (ORDER BY slot) AS number FROM probability) AS v
        JOIN space_axis AS a ON a.slot = v.number AND a.bin = v.bin
    ),
    dense AS (
        SELECT o.owner, a.position, coalesce(p, 0) AS p
        FROM (SELECT DISTINCT owner FROM probability) AS o
        CROSS JOIN space_axis AS a
        LEFT JOIN place AS v ON v.owner = o.owner AND v.position = a.position
    )
    -- The last is everything else, which nobody has here.
    SELECT 1 AS owner, 1 AS space_id, owner AS partition_id, list_append(list(sqrt(p) ORDER BY position), 0::DOUBLE) AS roots
    FROM dense
    GROUP BY owner;
"""


def arguments(doc: str | None, fast: str) -> tuple[argparse.Namespace, Any]:
    """The command's options, and the rows of the tables in the folder that it names."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("data"), help="folder of har/har54.parquet and har/dsads81.parquet")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder to write to")
    parser.add_argument("--fast", action="store_true", help=fast)
    given = parser.parse_args()
    har, dsads = given.data / "har" / "har54.parquet", given.data / "har" / "dsads81.parquet"
    for path in (har, dsads):
        if not path.exists():
            parser.error(f"{path} is missing: --data names the folder that holds it")
    given.results.mkdir(exist_ok=True, parents=True)
    return given, tables(str(har), str(dsads))


def tables(har: str, dsads: str) -> Any:
    """The rows of the 162 tables as one Arrow table; ``owner`` numbers the tables."""
    with duckdb.connect() as con:
        names = [row[0] for row in con.execute("DESCRIBE FROM read_parquet(?)", [har]).fetchall()]
        con.execute("SET VARIABLE features = ?", [[name for name in names if name.startswith(("acc_", "gyr"))]])
        return con.sql(TABLES, params={"har": har, "dsads": dsads}).to_arrow_table()


@contextmanager
def prepared(rows: Any, space: str, coarser: int = 0) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to a hub and the tables as vectors of one space; coarser: bins of so many times twice the width."""
    with modelhub_sql.connect() as hub:
        hub.con.register("given_rows", rows)
        hub.con.execute("SET VARIABLE space = ?", [space])
        hub.con.execute("SET VARIABLE coarser = ?", [coarser])
        hub.con.execute(VECTORS)
        yield hub.con


def vectors(con: duckdb.DuckDBPyConnection) -> tuple[npt.NDArray[np.intp], Floats]:
    """Numbers and vectors of the tables."""
    rows = con.execute("SELECT partition_id, roots FROM sources ORDER BY partition_id").fetchall()
    return np.array([row[0] for row in rows]), np.array([row[1] for row in rows])


def timed(call: Callable[..., Any], *given: Any) -> tuple[float, Any]:
    """Seconds that a call took, and its result."""
    started = time.perf_counter()
    result = call(*given)
    return time.perf_counter() - started, result


def table(header: str, rows: list[str]) -> list[str]:
    """A Markdown table."""
    return [f"| {header} |", "|---" * (header.count("|") + 1) + "|", *(f"| {row} |" for row in rows), ""]
