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

# Histograms by the hub's number_bin, and the tables as vectors of one space, by the hub's space_vectors.
VECTORS = """
    CREATE TEMP TABLE sketched AS
    WITH bin AS (
        SELECT owner, feature, number_bin(x) AS bin, count(*) AS n
        FROM (UNPIVOT given_rows ON COLUMNS(* EXCLUDE owner) INTO NAME feature VALUE x)
        GROUP BY ALL
    )
    SELECT
        owner, dense_rank() OVER (ORDER BY feature) AS feature_id,
        list(bin ORDER BY bin) AS bins, list(n::UINTEGER ORDER BY bin) AS counts
    FROM bin GROUP BY owner, feature;
    CREATE TEMP TABLE members AS
    SELECT
        owner, 1 AS space_id, feature_id, feature_id AS slot,
        (SELECT count(DISTINCT feature_id) FROM sketched) AS slots, bins
    FROM sketched;
    CREATE TEMP TABLE totals AS SELECT owner, feature_id, 0 AS partition_id, counts FROM sketched;
    CREATE TEMP TABLE options AS FROM search_options(sample_space := getvariable('space'));
    CREATE TEMP TABLE axis AS
    SELECT 1 AS space_id, slot, bin, row_number() OVER (ORDER BY slot, bin) AS position
    FROM (
        SELECT DISTINCT
            CASE getvariable('space') WHEN 'aligned' THEN feature_id ELSE 0 END AS slot,
            unnest(list_append(bins, missing_bin())) AS bin
        FROM sketched
    );
    CREATE TEMP TABLE sources AS
    SELECT 1 AS owner, space_id, owner AS partition_id, roots FROM space_vectors('members', 'totals', 'axis', 'options');
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
def prepared(rows: Any, space: str, **settings: Any) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to a hub with these settings and the tables as vectors of one space."""
    with modelhub_sql.connect(**settings) as hub:
        hub.con.register("given_rows", rows)
        hub.con.execute("SET VARIABLE space = ?", [space])
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
