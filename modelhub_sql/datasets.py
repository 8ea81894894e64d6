"""A dataset as the caller names it, made readable for the package's own connection."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from modelhub_sql.errors import DatasetError, translated

__all__ = ["Dataset", "arrow", "key", "readable"]

_PATH = re.compile(r"[/\\*?\[]|\.(parquet|csv|tsv|json|jsonl|ndjson)(\.(gz|zst))?$", re.IGNORECASE)
_OBJECT = "modelhub_dataset"


class Dataset(NamedTuple):
    """name: what query_table takes. source: what the caller calls it."""

    name: str
    source: str


@contextmanager
def readable(own: duckdb.DuckDBPyConnection, con: duckdb.DuckDBPyConnection, dataset: Any) -> Iterator[Dataset]:
    """A dataset that the connection ``own`` can read, while the context lasts.

    dataset: a file or glob; a table or view of the user's connection ``con``; an Arrow table, DataFrame or relation.
    Raises DatasetError.
    """
    if isinstance(dataset, (str, os.PathLike)):
        source = os.fspath(dataset)
        if not isinstance(source, str) or "\0" in source:
            raise DatasetError(f"a dataset is a path or the name of a table, got {source!r:.200}")
        if not source.strip():
            raise DatasetError("a dataset needs a name: a file, a glob, a table or a view")
        if _PATH.search(source) or "." in source:
            yield Dataset(source, source)
            return
        name, is_temporary = _qualified(con, source)
        if not is_temporary:
            yield Dataset(name, source)
            return
        # The package's connection does not see what is temporary in the user's.
        try:
            dataset = arrow(con.sql(f"FROM {name}"))
        except duckdb.Error as error:
            raise translated(error, source) from error
    else:
        source = f"the {type(dataset).__name__} passed"
        if isinstance(dataset, duckdb.DuckDBPyRelation):
            try:
                dataset = arrow(dataset)
            except duckdb.Error as error:
                raise translated(error, source) from error
    try:
        own.register(_OBJECT, dataset)
    except (duckdb.Error, TypeError, RuntimeError, ValueError) as error:
        raise DatasetError(f"{source} can't be read as a dataset: {error}") from error
    try:
        yield Dataset(_OBJECT, source)
    finally:
        # In a transaction that failed this is refused, and undone by the rollback anyway.
        with suppress(duckdb.Error):
            own.unregister(_OBJECT)


def _qualified(con: duckdb.DuckDBPyConnection, name: str) -> tuple[str, bool]:
    """The name of a table of the user's connection for any other connection, and whether it is temporary."""
    try:
        found = con.execute(
            "SELECT database_name, schema_name, name, temporary FROM ("
            " SELECT database_name, schema_name, table_name AS name, temporary FROM system.main.duckdb_tables()"
            " UNION ALL SELECT database_name, schema_name, view_name, temporary FROM system.main.duckdb_views())"
            " WHERE system.main.lower(name) = system.main.lower(?) AND (temporary"
            " OR database_name = system.main.current_database() AND schema_name = system.main.current_schema())"
            " ORDER BY temporary DESC LIMIT 1",
            [name.strip('"')],
        ).fetchall()
    except duckdb.Error as error:
        raise translated(error) from error
    if not found:
        # Not left to DuckDB, to which the package's own names are known.
        raise DatasetError(f"{name} can't be read as a dataset: a table or view of that name does not exist")
    *path, is_temporary = found[0]
    return ".".join('"' + part.replace('"', '""') + '"' for part in path), is_temporary


def key(dataset: Any) -> Any:
    """What tells that a dataset is the one that was read before; None where nothing does.

    Files by their size and time; Arrow tables, which never change, by themselves.
    """
    if isinstance(dataset, (str, os.PathLike)):
        source = os.fspath(dataset)
        if not isinstance(source, str) or not _PATH.search(source) or "://" in source:
            return None
        try:
            path = Path(source)
            files = [path] if path.is_file() else sorted(Path(path.anchor or ".").glob(str(path.relative_to(path.anchor))))
            return (source, *((str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in files)) if files else None
        except (OSError, ValueError, NotImplementedError):
            return None
    return dataset if type(dataset).__module__.startswith("pyarrow") and type(dataset).__name__ == "Table" else None


def arrow(relation: Any) -> Any:
    """The rows of a relation or result as an Arrow table."""
    # Named to_arrow_table from DuckDB 1.5 on, before that fetch_arrow_table.
    return relation.to_arrow_table() if hasattr(relation, "to_arrow_table") else relation.fetch_arrow_table()
