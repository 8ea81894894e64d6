"""Opening a hub: made where there is none, checked where there is one, and its connection set up."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb
from datasketch import MinHash

from modelhub_sql import generated, sql, udfs
from modelhub_sql.errors import HubAccessError, HubFormatError, HubNotFoundError, SettingsError, translated
from modelhub_sql.settings import FORMAT_VERSION, Settings

__all__ = ["opened"]

# DuckDB 1.4 and later, and its Wasm build, read files of this storage version.
_STORAGE = {"storage_compatibility_version": "v1.2.0"}


def opened(path: str, read_only: bool, given: Mapping[str, Any]) -> duckdb.DuckDBPyConnection:
    """A connection to the hub at the path, or ``:memory:``, with the numpy UDFs laid over its SQL.

    given: settings of a new hub; those of a hub that is there must be the same.

    Raises HubNotFoundError, HubAccessError, HubFormatError, HubLockedError and SettingsError.
    """
    unknown = set(given) - set(Settings.names())
    if unknown:
        raise SettingsError(f"no setting is called {sorted(unknown)[0]!r}; there are {', '.join(Settings.names())}")
    in_memory = path == ":memory:"
    is_new = in_memory or _is_new(path)
    if is_new and read_only:
        raise HubNotFoundError(f"there is no hub at {path}: register a model to make one")
    settings = Settings(**given)
    if is_new and not in_memory:
        if not Path(path).absolute().parent.is_dir():
            raise HubNotFoundError(f"can't make a hub at {path}: its folder does not exist")
        _make(path, settings)
    con = _connected(path, read_only)
    try:
        _set_up(con, read_only)
        if not read_only and not _tables(con):
            _create(con, settings)
        _check_format(con, path)
        if given and not is_new:
            _check_settings(con, path, settings, given)
        udfs.load(con)
    except BaseException:
        con.close()
        raise
    return con


def _is_new(path: str) -> bool:
    """Whether a hub is yet to be made at the path.

    Raises HubFormatError for a file that is none of DuckDB's, HubAccessError for one that can't be read.
    """
    if not path:
        raise HubNotFoundError("a hub needs a path, got empty text")
    file = Path(path)
    try:
        size = file.stat().st_size
        if file.is_file() and size:
            # DuckDB opens a table of another format as a database of its own, in memory.
            with file.open("rb") as stream:
                if stream.read(12)[8:] != b"DUCK":
                    raise HubFormatError(f"{path} is not a hub: no DuckDB file. The hub comes first, then the dataset or target")
    except FileNotFoundError:
        return True
    except (OSError, ValueError) as error:
        raise HubAccessError(f"{path[:200]!r} can't be opened as a hub: {getattr(error, 'strerror', error)}") from error
    return file.is_file() and not size


def _make(path: str, settings: Settings) -> None:
    """A hub file where there is none yet, or an empty file, which is none of DuckDB's."""
    try:
        Path(path).unlink(missing_ok=True)
    except OSError as error:
        raise HubAccessError(f"can't make a hub at {path}: {error.strerror}") from error
    # Only a new file needs the storage version; it keeps it. Any other connection of this
    # process must open the file with the same configuration, so have none from then on.
    con = _connected(path, read_only=False, config=_STORAGE)
    try:
        _create(con, settings)
    except BaseException:
        con.close()
        Path(path).unlink(missing_ok=True)
        raise
    con.close()


def _connected(path: str, read_only: bool, config: Mapping[str, str] | None = None) -> duckdb.DuckDBPyConnection:
    try:
        return duckdb.connect(path, read_only=read_only, config=dict(config or {}))
    except duckdb.Error as error:
        known = translated(error)
        if "Permission denied" in str(error):
            known = HubAccessError(
                f"no permission to {'read' if read_only else 'write'} {path} or its folder"
                + ("" if read_only else ": to search a hub that is there, open it with read_only=True")
            )
        elif known is error:
            known = HubFormatError(f"{path} is not a hub: {str(error).splitlines()[0]}")
        raise known from error


def _set_up(con: duckdb.DuckDBPyConnection, read_only: bool) -> None:
    # A dataset is named in SQL; a Python variable of that name is not meant.
    con.execute("SET python_enable_replacements = false")
    # A tenth of the time of a search of 10,000 models, and it changes nothing there. Not in DuckDB before 2.0.
    with suppress(duckdb.Error):
        con.execute("SET disabled_optimizers = 'projection_pullup'")
    if not read_only:
        # A checkpoint writes what is new as a group of rows of its own, and may merge it with those before, which
        # are written again: what they leave free can be as much as what is used. So few checkpoints, and no merging.
        con.execute("SET checkpoint_threshold = '128MB'; SET max_vacuum_tasks = 0")


def _tables(con: duckdb.DuckDBPyConnection) -> set[str]:
    rows = con.execute("SELECT table_name FROM duckdb_tables() WHERE NOT temporary AND NOT internal").fetchall()
    return {name for (name,) in rows}


def _check_format(con: duckdb.DuckDBPyConnection, path: str) -> None:
    if not {"settings", "models", "datasets", "features", "partition_counts"} <= _tables(con):
        raise HubFormatError(f"{path} is a DuckDB file, but not a hub: it lacks the hub's tables")
    (version,) = con.execute("SELECT format_version FROM settings").fetchall()[0]
    if version > FORMAT_VERSION:
        raise HubFormatError(f"{path} has format {version}, newer than the {FORMAT_VERSION} known here: upgrade modelhub-sql")


def _check_settings(con: duckdb.DuckDBPyConnection, path: str, wanted: Settings, given: Mapping[str, Any]) -> None:
    rows = con.execute("FROM settings")
    stored = dict(zip([column[0] for column in rows.description], rows.fetchall()[0], strict=True))
    for name, value in wanted.row().items():
        if name in given and stored[name] != value:
            raise SettingsError(
                f"{path} was made with {name} = {stored[name]!r}, which is fixed: "
                f"make a new hub for {value!r}, or leave the setting out"
            )


def _create(con: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    row = settings.row()
    functions = MinHash(num_perm=row["minhash_bands"] * row["minhash_rows"], seed=settings.seed, scheme="affine32").permutations
    pairs = [(int(a), int(b)) for a, b in zip(*functions, strict=True)]
    con.execute("BEGIN TRANSACTION")
    try:
        for name, text in sql.stages().items():
            con.execute(text)
            if name == "10_tables":
                con.execute(f"INSERT INTO settings BY NAME SELECT {', '.join(f'? AS {key}' for key in row)}", list(row.values()))
                con.executemany("INSERT INTO minhash_functions VALUES (?, ?, ?)", [(i, a, b) for i, (a, b) in enumerate(pairs)])
            if name == "12_bins":
                con.execute(generated.statements(row, pairs))
        con.executemany("INSERT INTO verbs VALUES (?, ?)", list(sql.verbs().items()))
        con.execute("COMMIT")
    except BaseException:
        con.execute("ROLLBACK")
        raise
