"""Extensions of DuckDB, from packages of PyPI or from where DuckDB keeps those that it has installed. Nothing is fetched."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import duckdb

from modelhub_sql.errors import ExtraError

__all__ = ["load", "loaded"]


def load(con: duckdb.DuckDBPyConnection, *names: str, extra: str) -> None:
    """Load extensions in a connection. extra: of modelhub-sql, which brings them. Raises ExtraError."""
    ((version,),) = con.execute("SELECT version()").fetchall()
    for name in names:
        packaged = _packaged(name)
        mine = next((file for file in packaged if file.parent.name == version), None)
        try:
            con.execute(f"LOAD '{str(mine).replace(chr(39), chr(39) * 2)}'" if mine else f"LOAD {name}")
        except duckdb.Error as error:
            raise ExtraError(_missing(name, version, [file.parent.name for file in packaged], extra, error)) from error


def loaded(*names: str, extra: str) -> duckdb.DuckDBPyConnection:
    """A database in memory that has extensions. Raises ExtraError."""
    con = duckdb.connect(":memory:", config={"autoinstall_known_extensions": "false"})
    try:
        load(con, *names, extra=extra)
    except BaseException:
        con.close()
        raise
    return con


def _packaged(name: str) -> list[Path]:
    """The builds that a package of PyPI has brought, each in a folder called as the version of DuckDB that it is for."""
    spec = find_spec(f"duckdb_extension_{name}")
    folders = spec.submodule_search_locations if spec is not None else None
    return sorted(file for folder in folders or () for file in Path(folder).glob(f"extensions/*/{name}.duckdb_extension"))


def _missing(name: str, version: str, others: list[str], extra: str, error: duckdb.Error) -> str:
    if version in others:
        return f"the extension {name} can't be loaded: {str(error).splitlines()[0]}"
    if others:
        of = others[-1].removeprefix("v")
        return (
            f"the extension {name} that is installed is for DuckDB {of}, and this is DuckDB {version.removeprefix('v')}: "
            f"pip install duckdb=={of}"
        )
    return (
        f"DuckDB {version.removeprefix('v')} has no extension {name} here: pip install 'modelhub-sql[{extra}]' brings it, "
        "and the DuckDB that it is built for (so far 1.5.5); better in an environment of its own"
    )
