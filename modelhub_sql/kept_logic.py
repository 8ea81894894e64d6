"""The package's logic, parsed once for all processes: a file in the user's cache, of which each hub that is opened has a copy.

To parse the macros takes several times as long as to copy them. The file says nothing of any hub: the constants of its format are
those of a new one, its tables are empty views, and both are replaced in the copy. Where it can't be kept, the logic is parsed.
Whether it is of this package is seen as Python sees it of compiled modules: by sizes and times, without reading what is there.
"""

from __future__ import annotations

import hashlib
import os
import stat
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path

import duckdb

from modelhub_sql.writing import beside

__all__ = ["FOLDER", "copied"]

#: The variable of the environment that says where the file is kept; empty: nowhere.
FOLDER = "MODELHUB_CACHE"
#: So many files are left: of this version and others, of DuckDB, with and without numpy.
_MOST_FILES = 8


def copied(
    con: duckdb.DuckDBPyConnection,
    catalog: str,
    kind: str,
    text: Callable[[], str],
    prepare: Callable[[duckdb.DuckDBPyConnection], None],
) -> bool:
    """Whether a catalog in memory has a copy of what a text makes in a catalog of its name.

    kind: what tells this text from others of this package. text: statements, asked for where the file is yet to be made, as
    is prepare: a connection that they can be run on.
    """
    folder, package = _folder(), _package(Path(__file__).resolve().parent)
    if folder is None or package is None:
        return False
    digest = hashlib.sha256(f"{duckdb.__version__} {catalog} {kind}\n{package}".encode()).hexdigest()
    file = folder / f"logic-{digest[:32]}.duckdb"
    kept = f"{catalog}_kept"
    # A hub may be called so.
    while kept in {
        name for (name,) in con.execute("SELECT system.main.lower(database_name) FROM system.main.duckdb_databases()").fetchall()
    }:
        kept += "_"
    try:
        if not file.exists():
            _make(file, catalog, text(), prepare)
        with con.cursor() as cursor:
            cursor.execute(f"ATTACH '{_escaped(file)}' AS {kept} (READ_ONLY)")
            try:
                cursor.execute(f"COPY FROM DATABASE {kept} TO {catalog} (SCHEMA)")
            finally:
                cursor.execute(f"DETACH {kept}")
    except duckdb.InterruptException:
        raise
    except (duckdb.Error, OSError):
        # What is not whole, or can't be read, is made anew by the next.
        with suppress(OSError):
            file.unlink(missing_ok=True)
        return False
    return True


def _folder() -> Path | None:
    """The folder of the file, which nobody else may write to; None where there is none."""
    said = os.environ.get(FOLDER)
    if said == "":
        return None
    try:
        if said is not None:
            folder = Path(said)
        elif sys.platform == "win32":
            folder = Path(os.environ["LOCALAPPDATA"]) / "modelhub" / "Cache"
        elif sys.platform == "darwin":
            folder = Path.home() / "Library" / "Caches" / "modelhub"
        else:
            folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "modelhub"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        about = folder.stat()
    except (OSError, KeyError, RuntimeError):
        return None
    # What is in it is run.
    is_ours = not hasattr(os, "getuid") or (about.st_uid == os.getuid() and not about.st_mode & (stat.S_IWGRP | stat.S_IWOTH))
    return folder if is_ours and os.access(folder, os.W_OK) else None


@cache
def _package(root: Path) -> str | None:
    """Which files the package in this folder has, with their sizes and times; None where they are no files of a folder."""
    found = [str(root)]
    try:
        for folder in (root, *sorted((root / "sql").iterdir()), root / "udfs", root / "udfs" / "relations"):
            if folder.is_dir():
                with os.scandir(folder) as entries:
                    files = sorted(
                        (e.name, e.stat().st_size, e.stat().st_mtime_ns) for e in entries if e.name.endswith((".py", ".sql"))
                    )
                found.append(f"{folder.name} {files}")
    except OSError:
        return None
    return "\n".join(found)


def _make(file: Path, catalog: str, text: str, prepare: Callable[[duckdb.DuckDBPyConnection], None]) -> None:
    new = beside(file, "new")
    try:
        with duckdb.connect() as con:
            prepare(con)
            # An older storage forgets which relations are to be materialized.
            con.execute(f"ATTACH '{_escaped(new)}' AS {catalog} (READ_WRITE, STORAGE_VERSION 'latest')")
            con.execute(f"USE {catalog}.main")
            con.execute("BEGIN TRANSACTION")
            for statement in con.extract_statements(text):
                con.execute(statement)
            con.execute("COMMIT")
            con.execute("USE memory.main")
            con.execute(f"DETACH {catalog}")
        os.replace(new, file)
    finally:
        for left in (new, Path(f"{new}.wal")):
            with suppress(OSError):
                left.unlink(missing_ok=True)
    # By the time they were made: what is used is in use, and stays readable, where it is deleted.
    others = sorted(file.parent.glob("logic-*.duckdb"), key=lambda each: each.stat().st_mtime, reverse=True)
    for old in others[_MOST_FILES:]:
        with suppress(OSError):
            old.unlink()


def _escaped(path: Path) -> str:
    return str(path).replace("'", "''")
