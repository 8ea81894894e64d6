"""What parquet files say of themselves, of many files at once: how many rows they have, and which columns of which types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import duckdb

__all__ = ["Header", "Schema", "headers"]

#: All that the type of a column depends on.
_ELEMENT = (
    "name", "type", "type_length", "repetition_type", "num_children", "converted_type", "scale", "precision", "logical_type",
    "duckdb_type",
)  # fmt: skip

_SCHEMAS = f"""
    SELECT schema, any_value(elements), list(file_name)
    FROM (
        SELECT file_name, list({{{", ".join(f"{name}: {name}" for name in _ELEMENT)}}} ORDER BY number ASC) AS elements,
            elements::VARCHAR AS schema
        FROM (SELECT row_number() OVER () AS number, * FROM parquet_schema($files))
        GROUP BY file_name
    )
    GROUP BY schema
"""


class Schema(NamedTuple):
    """key: the same for files whose columns are the same. columns: name and type of each; None where some are nested."""

    key: str
    columns: tuple[tuple[str, str], ...] | None


class Header(NamedTuple):
    """What a file says of itself."""

    rows: int
    schema: Schema


def headers(con: duckdb.DuckDBPyConnection, files: Sequence[str]) -> dict[str, Header]:
    """The headers of parquet files, without those that say of places on a map: of these types depend on more than the schema.

    files: paths, not globs. Raises duckdb.Error where one of them can't be read.
    """
    given = {"files": list(files)}
    schemas = con.execute(_SCHEMAS, given).fetchall()
    rows = dict(con.execute("SELECT file_name, num_rows FROM parquet_file_metadata($files)", given).fetchall())
    mapped = con.execute("SELECT DISTINCT file_name FROM parquet_kv_metadata($files) WHERE key = 'geo'::BLOB", given).fetchall()
    found: dict[str, Header] = {}
    for key, elements, names in schemas:
        schema = Schema(key, _columns(elements))
        found |= {name: Header(rows[name], schema) for name in names if (name,) not in mapped}
    return found


def _columns(elements: Sequence[dict[str, str | int | None]]) -> tuple[tuple[str, str], ...] | None:
    """Name and type of each column; None where some are nested, or of one name in DuckDB, which calls them by others."""
    _, *leaves = elements
    if any(leaf["num_children"] or leaf["repetition_type"] == "REPEATED" or leaf["duckdb_type"] is None for leaf in leaves):
        return None
    columns = tuple((str(leaf["name"]), str(leaf["duckdb_type"])) for leaf in leaves)
    return columns if len({name.lower() for name, _ in columns}) == len(columns) else None
