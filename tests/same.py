"""Sketches of tables, to be compared bit for bit."""

from __future__ import annotations

from typing import Any

import duckdb

import modelhub_sql

#: What must be the same whatever a table is spelt in: everything but an estimate, and what the columns are typed as.
SKETCH = 'feature, kind, "values", nulls, k, b, bins, counts, elements, minhash, spread, partitions, rows'


def sketch(con: duckdb.DuckDBPyConnection, name: str) -> list[tuple[Any, ...]]:
    """The sketch of a dataset by a query, in the order of the names of its columns."""
    return con.execute(f"SELECT {SKETCH} FROM sketch(?) ORDER BY feature ASC", [name]).fetchall()


def registered(hub: modelhub_sql.Hub, dataset: Any, **options: Any) -> list[tuple[Any, ...]]:
    """The sketch of a dataset as it is stored."""
    hub.register("same", dataset, replace=True, **options)
    rows: list[tuple[Any, ...]] = hub.sql(
        'SELECT feature, kind, "values", nulls, k, b, bins, counts, elements, minhash, f.spread, '
        "(SELECT list(counts ORDER BY partition_id ASC) FROM histograms h WHERE (h.dataset_id, h.feature_id) = (f.dataset_id, f.feature_id)), rows "
        "FROM features f JOIN models USING (dataset_id) JOIN datasets USING (dataset_id) WHERE model = 'same' ORDER BY feature ASC"
    ).fetchall()
    return rows


def shape(hub: modelhub_sql.Hub, dataset: Any, **options: Any) -> dict[str, tuple[Any, ...]]:
    """Kind, values and missing cells of each column."""
    return {row[0]: tuple(row[1:4]) for row in registered(hub, dataset, **options)}
