"""Opening a hub: made where there is none, checked where there is one, and the package's logic laid beside its tables.

Of a file only the base tables of the schema ``_hub`` are read. Views, macros and scripts of the file are never run: the
connections look names up in an in-memory database, which holds the package's own logic over those tables.
"""

from __future__ import annotations

import os
import re
import stat
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import duckdb

from modelhub_sql import generated, kept_logic, logic, salts, sql
from modelhub_sql.errors import (
    ExtraError,
    HubAccessError,
    HubDamagedError,
    HubFormatError,
    HubLockedError,
    HubLogError,
    HubNotFoundError,
    SettingsError,
    nearest_file,
    of_opening,
)  # fmt: skip
from modelhub_sql.journal import MENDS, Held, journal_of, log_of, log_size, mend, moved
from modelhub_sql.settings import FORMAT_VERSION, Settings
from modelhub_sql.writing import beside

__all__ = [
    "Copied", "Opened", "check_version", "create", "expected", "installed", "lay_macros", "load", "opened", "upgrade",
    "upgrade_script",
]  # fmt: skip

# DuckDB 1.4 and later, and its Wasm build, read files of this storage version. Before it, a write-ahead log did not say which
# file it belongs to, and DuckDB brought that of one hub into another.
_STORAGE = {"storage_compatibility_version": "v1.4.0"}
#: How the package's statements are read, whatever the user sets for the whole instance.
_SESSION = {
    "default_collation": "",
    "default_order": "ASC",
    "default_null_order": "NULLS_LAST",
    "ieee_floating_point_ops": "true",
    "integer_division": "false",
    "old_implicit_casting": "false",
    "preserve_insertion_order": "true",
}
#: The in-memory database of the logic.
_LOGIC = "modelhub_logic"
#: The DuckDB that Python needs. In 1.4 a stock shell searches and registers, but to make a hub takes 13 s.
_NEEDED = (1, 5)
_INSTALLING = threading.Lock()


class Opened(NamedTuple):
    """A hub's connections: con is the user's; own runs the package's statements, where nothing of the user's hides a name.

    held: its file, open beside DuckDB; None in memory.
    """

    con: duckdb.DuckDBPyConnection
    own: duckdb.DuckDBPyConnection
    place: logic.Place
    held: Held | None


class Copied(Protocol):
    """Tables of a hub that are elsewhere. is_new: whether they are yet to be made."""

    is_new: bool

    def fill(self, con: duckdb.DuckDBPyConnection, settings: Settings) -> None:
        """Make the tables of the hub in a database that has none, and where it is new, there too."""


def opened(
    path: str,
    read_only: bool,
    given: Mapping[str, Any],
    numpy: bool = True,
    wait: float = 0,
    copied: Copied | None = None,
) -> Opened:
    """Connections to the hub at the path, or ``:memory:``. The macros that users call are not there yet: see ``lay_macros``.

    given: settings of a new hub; those of a hub that is there must be the same. numpy: with the functions that are faster
    where there is much to compute; what opens the same hub in the same process meanwhile finds the logic as it is. wait: so
    many seconds for another process to close it. copied: what makes the tables, in memory, where the path is no file's.

    Raises HubNotFoundError, HubAccessError, HubFormatError, HubLockedError, SettingsError and ExtraError (an old DuckDB).
    """
    _check_duckdb()
    unknown = set(given) - set(Settings.names())
    if unknown:
        raise SettingsError(f"no setting is called {sorted(unknown)[0]!r}; there are {', '.join(Settings.names())}")
    in_memory = path == ":memory:" or copied is not None
    is_new = copied.is_new if copied is not None else in_memory or _is_new(path)
    if is_new and read_only:
        raise HubNotFoundError(f"there is no hub at {path}: register a model to make one{nearest_file(path)}")
    inherited = None if "salt" in given else salts.of_environment()
    settings = Settings(**given) if inherited is None or not is_new else Settings(**{**given, "salt": inherited})
    if is_new and not in_memory:
        if not os.path.isdir(Path(path).absolute().parent):
            raise HubNotFoundError(f"can't make a hub at {path}: its folder does not exist")
        _make(path, settings)
    con, held = (_connected(":memory:", False), None) if in_memory else _connected_in_time(path, read_only, wait)
    try:
        if copied is not None:
            copied.fill(con, settings)
            # Who was first has made it with settings of its own.
            is_new = copied.is_new
        elif not read_only and (in_memory or not _has_tables(con)):
            create(con, settings, with_logic=not in_memory)
        place = installed(con, path, numpy)
        if given and not is_new:
            _check_settings(con, place, path, settings, given)
        salt = settings.salt or inherited
        con.execute(f"USE {place.logic}.main")
        own = con.cursor()
        own.execute(f"USE {place.logic}._logic")
        own.execute("".join(f"SET SESSION {name} = '{value}'; " for name, value in _SESSION.items()))
        for each in (con, own):
            if salt:
                each.execute("SET VARIABLE salt = ?", [salt])
            # A dataset is named in SQL; a Python variable of that name is not meant.
            each.execute("SET python_enable_replacements = false")
        if not read_only:
            # A checkpoint writes what is new as a group of rows of its own, and may merge it with those before, which
            # are written again: what they leave free can be as much as what is used. So few checkpoints, and no merging.
            con.execute("SET checkpoint_threshold = '100TB'; SET max_vacuum_tasks = 0")
        if not read_only and held is not None:
            con.execute("PRAGMA disable_checkpoint_on_shutdown")
    except BaseException as error:
        con.close()
        if held is not None:
            held.close()
        if isinstance(error, duckdb.Error) and not isinstance(error, duckdb.InterruptException):
            raise of_opening(error, path, read_only) from error
        raise
    return Opened(con, own, place, held)


def load(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Give a connection of the user's own the package's logic over the hub that it uses; returns ``con``.

    What users call (``find_models``, ...) is there as temporary macros and views; nothing of the file's own SQL runs.

    Raises HubFormatError when the connection's current database is not a hub, or one of a newer format; ExtraError where
    DuckDB is too old.
    """
    _check_duckdb()
    place = installed(con, None)
    lay_macros(con, place)
    for name, kind, *_, required, optional in logic.public():
        if kind == "VIEW":
            con.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS FROM {place.logic}.main.{name}")
        else:
            declared = ", ".join([*required, *(f"{each} := {default}" for each, default in optional)])
            passed = ", ".join([*required, *(f"{each} := {each}" for each, _ in optional)])
            con.execute(f"CREATE OR REPLACE TEMP MACRO {name}({declared}) AS TABLE FROM {place.logic}.main.{name}({passed})")
    return con


def _check_duckdb() -> None:
    if tuple(int(part) for part in duckdb.__version__.split(".")[:2]) < _NEEDED:
        raise ExtraError(
            f"in Python ModelHub needs DuckDB {'.'.join(map(str, _NEEDED))} or later, and {duckdb.__version__} is installed: "
            "pip install --upgrade duckdb"
        )


def installed(con: duckdb.DuckDBPyConnection, path: str | None, numpy: bool = True) -> logic.Place:
    """Where the current database's tables are, checked, and the package's logic over them, laid into memory if it is not yet.

    The current database is the file's: no function is called here without its schema, count(*) neither (it is count_star()).

    path: of the file, for messages. Raises HubFormatError.
    """
    ((current,),) = con.execute("SELECT system.main.current_database()").fetchall()
    named = path or current
    tables = _quoted(current)
    _check_tables(con, current, named)
    row = _format_row(con, tables, named)
    with _INSTALLING:
        place = logic.Place(tables, _logic_catalog(con, current, generated.fingerprint(row)))
        if numpy:
            from modelhub_sql import udfs  # numpy and pyarrow take a third of a second

            # Of the instance, not of a connection: a cursor leaves the user's current database as it is.
            with con.cursor() as cursor:
                cursor.execute(f"USE {place.logic}.main")
                udfs.register(cursor)
        if not _is_there(con, f"{place.logic}.main.help"):
            # Another catalog than that of a single hub, and one of a user's own connection, are not for the next process.
            is_kept = path is not None and place.logic == _LOGIC
            prepare = _with_functions if numpy else lambda _: None
            kind = "numpy" if numpy else "SQL"
            if not (is_kept and kept_logic.copied(con, _LOGIC, kind, lambda: _kept(numpy), prepare)):
                _laid(con, place, f"{_neutral(place, numpy)}\n{logic.install(_beside(place), numpy)}")
            constants = generated.constants(row, _functions(con, tables), numpy=numpy)
            _laid(con, place, f"{_replacing(logic.placed(constants, place))}\n{_views(place)}")
    return place


def _beside(place: logic.Place) -> logic.Place:
    """Where the logic looks for tables: views beside it, so that its text is the same for each hub."""
    return logic.Place(place.logic, place.logic)


def _neutral(place: logic.Place, numpy: bool) -> str:
    """What the logic needs to be made: the constants of a new hub's format, and views without rows for its tables."""
    constants = generated.constants(Settings().row(), [(1, 0)], numpy=numpy)
    tables = "".join(
        f"CREATE VIEW {place.logic}._hub.{table} AS SELECT "
        + ", ".join(f"NULL::{type_} AS {_quoted(column)}" for column, type_ in columns)
        + " WHERE false;\n"
        for table, columns in expected().items()
    )
    return (
        f"CREATE SCHEMA {place.logic}._format;\n{logic.without_comments(logic.placed(constants, place))}\n"
        f"CREATE SCHEMA {place.logic}._hub;\n{tables}"
    )


def _replacing(constants: str) -> str:
    return logic.without_comments(constants).replace("CREATE MACRO ", "CREATE OR REPLACE MACRO ")


def _views(place: logic.Place) -> str:
    return "".join(
        f"CREATE OR REPLACE VIEW {place.logic}._hub.{table} AS FROM {place.tables}._hub.{table};\n" for table in expected()
    )


def _kept(numpy: bool) -> str:
    """All of the logic, for any hub."""
    place = logic.Place(_LOGIC, _LOGIC)
    return f"{_neutral(place, numpy)}\n{logic.install(place, numpy)}\n{_all_macros(place, numpy)}"


def _with_functions(con: duckdb.DuckDBPyConnection) -> None:
    from modelhub_sql import udfs

    udfs.register(con)


def lay_macros(con: duckdb.DuckDBPyConnection, place: logic.Place, numpy: bool = True) -> None:
    """The macros that users call, beside the rest of the logic, unless they are there."""
    with _INSTALLING:
        if not _is_there(con, f"{place.logic}._logic.has_macros"):
            _laid(con, place, _all_macros(_beside(place), numpy))


def _all_macros(place: logic.Place, numpy: bool) -> str:
    return f"{logic.install_macros(place, numpy)}\nCREATE VIEW {place.logic}._logic.has_macros AS SELECT true AS has_macros"


def _laid(con: duckdb.DuckDBPyConnection, place: logic.Place, statements: str) -> None:
    with con.cursor() as cursor:
        cursor.execute(f"USE {place.logic}.main")
        cursor.execute("BEGIN TRANSACTION")
        _run(cursor, statements)
        cursor.execute("COMMIT")


def _run(con: duckdb.DuckDBPyConnection, text: str) -> None:
    # DuckDB 1.4 takes minutes for the same text in one call.
    for statement in con.extract_statements(text):
        con.execute(statement)


def _is_there(con: duckdb.DuckDBPyConnection, view: str) -> bool:
    # All that there is in a catalog is many times as long to list.
    try:
        with con.cursor() as cursor:
            cursor.execute(f"FROM {view} LIMIT 0")
    except duckdb.CatalogException:
        return False
    return True


def _functions(con: duckdb.DuckDBPyConnection, tables: str) -> list[tuple[int, int]]:
    return con.execute(f"SELECT multiplier, increment FROM {tables}._hub.minhash_functions ORDER BY function ASC").fetchall()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _logic_catalog(con: duckdb.DuckDBPyConnection, current: str, fingerprint: str) -> str:
    # A file may be called as the catalog is; a user's connection may use one hub after another.
    attached = {name for (name,) in con.execute("SELECT database_name FROM system.main.duckdb_databases()").fetchall()}
    name = _LOGIC if current == "memory" or len(attached) < 6 else f"{_LOGIC}_{fingerprint[:8]}"
    while name.casefold() == current.casefold():
        name += "_"
    con.execute(f"ATTACH IF NOT EXISTS ':memory:' AS {name} (READ_WRITE)")
    return name


def upgrade(con: duckdb.DuckDBPyConnection, place: logic.Place) -> bool:
    """Bring the logic that a file carries to the package's, in one transaction; whether it was another.

    con: the package's own connection.
    """
    constants = _constants(con, place)
    if con.execute(f"SELECT version, digest FROM {place.tables}._hub.logic").fetchall() == [
        (_version(), logic.digest(constants))
    ]:
        return False
    with con.cursor() as cursor:
        cursor.execute(f"USE {place.tables}.main")
        cursor.execute("BEGIN TRANSACTION")
        try:
            _run(cursor, logic.stored(_version(), constants))
            cursor.execute("COMMIT")
        except BaseException:
            with suppress(duckdb.Error):
                cursor.execute("ROLLBACK")
            raise
    return True


def upgrade_script(con: duckdb.DuckDBPyConnection, place: logic.Place) -> str:
    """What ``upgrade`` does as a script, for any client that has the file open."""
    return f"BEGIN TRANSACTION;\n{logic.stored(_version(), _constants(con, place))}COMMIT;\n"


def _constants(con: duckdb.DuckDBPyConnection, place: logic.Place) -> str:
    return generated.constants(_format_row(con, place.tables, place.tables), _functions(con, place.tables))


def _version() -> str:
    from modelhub_sql import __version__

    return __version__


def _is_new(path: str) -> bool:
    """Whether a hub is yet to be made at the path.

    Raises HubFormatError for a file that is none of DuckDB's, HubAccessError for one that can't be read.
    """
    if not path:
        raise HubNotFoundError("a hub needs a path, got empty text")
    file = Path(path)
    try:
        status = file.stat()
        if not stat.S_ISREG(status.st_mode):
            raise HubFormatError(f"{path} is not a hub: {_kind(status.st_mode)}, not a file")
        if status.st_size:
            # DuckDB opens a table of another format as a database of its own, in memory.
            held = Held(path)
            try:
                if held.read(4, 8) != b"DUCK":
                    raise HubFormatError(f"{path} is not a hub: no DuckDB file. The hub comes first, then the dataset or target")
            finally:
                held.close()
    except FileNotFoundError:
        return True
    except (OSError, ValueError) as error:
        raise HubAccessError(f"{path[:200]!r} can't be opened as a hub: {getattr(error, 'strerror', error)}") from error
    return not status.st_size


def _kind(mode: int) -> str:
    kinds = {stat.S_ISDIR: "a folder", stat.S_ISFIFO: "a named pipe", stat.S_ISSOCK: "a socket"}
    return next((name for is_one, name in kinds.items() if is_one(mode)), "a device")


def _make(path: str, settings: Settings) -> None:
    """A hub file where there is none yet, or an empty file, which is none of DuckDB's. It is whole when it has its name."""
    if log_size(path):
        raise HubLogError(
            f"{path}.wal has changes of a hub that is not there any more: put that hub back to its place, "
            "or remove the .wal file to make a new one"
        )
    place = Path(os.path.realpath(path))
    new = beside(place, "new")
    # Only a new file needs the storage version; it keeps it. Any other connection of this
    # process must open the file with the same configuration, so have none from then on.
    try:
        con = _connected(str(new), read_only=False, config=_STORAGE)
        try:
            create(con, settings)
        finally:
            con.close()
        # Whoever made one in the same instant was first.
        with suppress(FileExistsError):
            moved(new, place, over_empty=True)
    except HubAccessError as error:
        raise HubAccessError(str(error).replace(str(new), path)) from error
    except OSError as error:
        raise HubAccessError(f"can't make a hub at {path}: {error.strerror}") from error
    finally:
        for left in (new, log_of(str(new))):
            with suppress(OSError):
                left.unlink(missing_ok=True)


def _connected_in_time(path: str, read_only: bool, wait: float) -> tuple[duckdb.DuckDBPyConnection, Held | None]:
    """A connection to a hub's file, which is mended first where that is needed, and the same file open beside it."""
    end = time.monotonic() + wait
    # Whoever stops in the midst of a checkpoint and lets go of the file meanwhile leaves a journal.
    looks = 20
    try:
        journal_of(path).exists()
    except OSError as error:
        # Its name has room for no end more.
        raise HubAccessError(f"{path[:200]!r} can't be opened as a hub: {error.strerror}") from error
    while True:
        mend(path)
        held = Held(path) if MENDS else None
        try:
            con = _connected(path, read_only)
        except BaseException as error:
            if held is not None:
                held.close()
            # A file that is to be mended can't be read while another process has it.
            is_busy = isinstance(error, HubLockedError) or (isinstance(error, HubDamagedError) and journal_of(path).exists())
            if not is_busy or time.monotonic() >= end:
                raise
        else:
            looks -= 1
            is_mended = held is None or held.users() > 1 or not journal_of(path).exists() or not looks
            if held is None or (held.is_at(path) and is_mended):
                return con, held
            con.close()
            held.close()
        time.sleep(0.05)


def _connected(path: str, read_only: bool, config: Mapping[str, str] | None = None) -> duckdb.DuckDBPyConnection:
    try:
        return duckdb.connect(path, read_only=read_only, config=dict(config or {}))
    except duckdb.Error as error:
        raise of_opening(error, path, read_only) from error


_TABLES = "SELECT table_name, schema_name FROM system.main.duckdb_tables() WHERE database_name = ? AND NOT internal"


def _has_tables(con: duckdb.DuckDBPyConnection) -> bool:
    ((current,),) = con.execute("SELECT system.main.current_database()").fetchall()
    return bool(con.execute(_TABLES, [current]).fetchall())


def _check_tables(con: duckdb.DuckDBPyConnection, catalog: str, path: str) -> None:
    """Refuse what is not a hub, or whose tables are not what this package makes: they may hold code, too."""
    tables = {name for name, schema in con.execute(_TABLES, [catalog]).fetchall() if schema == "_hub"}
    if "format" not in tables:
        views = con.execute(
            "SELECT 1 FROM system.main.duckdb_views() WHERE database_name = ? AND schema_name = '_hub' AND view_name = 'format'",
            [catalog],
        ).fetchall()
        raise HubFormatError(
            f"{path} is a DuckDB file, but not a hub: "
            + ("its format is a view, not a table" if views else "it lacks the hub's tables")
        )
    found: dict[str, list[tuple[str, str]]] = {}
    for table, column, type_, default in _columns(con, catalog, sorted(tables)):
        if default is not None:
            raise HubFormatError(f"{path} is no hub that this version made: {table}.{column} is computed by the file")
        found.setdefault(table, []).append((column, type_))
    for table, columns in expected().items():
        if table not in tables:
            raise HubFormatError(f"{path} is no hub that this version made: {table} is not a table")
        if found.get(table) != columns and table != "format":
            raise HubFormatError(f"{path} is no hub that this version made: the table {table} has other columns")
    checked = con.execute(
        "SELECT table_name FROM system.main.duckdb_constraints() WHERE database_name = ? AND schema_name = '_hub' "
        "AND constraint_type NOT IN ('PRIMARY KEY', 'NOT NULL') AND table_name <> 'format' "
        "UNION ALL SELECT table_name FROM system.main.duckdb_indexes() WHERE database_name = ? AND schema_name = '_hub'",
        [catalog, catalog],
    ).fetchall()
    if checked:
        raise HubFormatError(
            f"{path} is no hub that this version made: the table {checked[0][0]} has constraints or indexes of its own"
        )
    # A trigger would run when a model is registered or removed. DuckDB has them from 2.0 on.
    with suppress(duckdb.CatalogException):
        if con.execute("SELECT 1 FROM system.main.duckdb_triggers() WHERE database_name = ? LIMIT 1", [catalog]).fetchall():
            raise HubFormatError(
                f"{path} is no hub that this version made: it has triggers, which would run statements of the file"
            )


def _columns(con: duckdb.DuckDBPyConnection, catalog: str, tables: list[str]) -> list[tuple[str, str, str, str | None]]:
    """Table, name, type and default of each column of the tables of _hub, in order."""
    if '"' in catalog:
        # DuckDB 1.5 does not find such a name by pragma_table_info.
        return con.execute(
            "SELECT table_name, column_name, data_type, column_default FROM system.main.duckdb_columns() "
            "WHERE database_name = ? AND schema_name = '_hub' ORDER BY table_name ASC, column_index ASC",
            [catalog],
        ).fetchall()
    # duckdb_columns() looks at all views of the system first, which takes as long as all else.
    each = " UNION ALL ".join(["SELECT ? AS of, cid, name, type, dflt_value FROM system.main.pragma_table_info(?)"] * len(tables))
    names = [name for table in tables for name in (table, f"{_quoted(catalog)}._hub.{_quoted(table)}")]
    return con.execute(f"SELECT of, name, type, dflt_value FROM ({each}) ORDER BY of ASC, cid ASC", names).fetchall()


def expected() -> dict[str, list[tuple[str, str]]]:
    """Columns and types of each table of a hub."""
    tables = re.findall(r"CREATE TABLE _hub\.(\w+) \((.*?)\n\);", sql.scripts("format")["tables"], re.DOTALL)
    found = {name: re.findall(r"^    \"?([a-z_]+)\"? +([A-Z]+(?:\[\])?)", body, re.MULTILINE) for name, body in tables}
    return {**found, "format": [(name, type_) for name, (type_, _) in generated.FORMAT.items()]}


def _format_row(con: duckdb.DuckDBPyConnection, tables: str, path: str) -> dict[str, Any]:
    result = con.execute(f"FROM {tables}._hub.format")
    columns = [column[0] for column in result.description or ()]
    rows = result.fetchall()
    row = dict(zip(columns, rows[0], strict=True)) if len(rows) == 1 else {}
    check_version(row.get("format_version"), path)
    if others := sorted(set(row) ^ set(generated.FORMAT)):
        raise HubFormatError(
            f"{path} is no hub that this version made: its format has other settings ({', '.join(others)}): "
            "register its models in a new hub"
        )
    defaults = con.execute(f"FROM {tables}._hub.defaults")
    columns = [column[0] for column in defaults.description or ()]
    found = defaults.fetchall()
    if len(found) != 1:
        raise HubFormatError(f"{path} is no hub that this version made: it has {len(found)} rows of defaults, not one")
    told = row | dict(zip(columns, found[0], strict=True))
    try:
        Settings(**{name: value for name, value in told.items() if name in Settings.names()})
    except SettingsError as error:
        raise HubFormatError(
            f"{path} is no hub that this version made: {error}; modelhub rescue makes one of what it holds"
        ) from error
    functions = con.execute(f"SELECT function FROM {tables}._hub.minhash_functions ORDER BY function ASC LIMIT 9999").fetchall()
    wanted = row["minhash_bands"] * row["minhash_rows"]
    if functions != [(number,) for number in range(wanted)]:
        raise HubFormatError(
            f"{path} is no hub that this version made: it has {len(functions)} MinHash functions, not those of "
            f"{row['minhash_bands']} bands of {row['minhash_rows']}"
        )
    return row


def check_version(version: Any, path: str) -> None:
    """Refuse a hub whose format is not the one that is known here. Raises HubFormatError."""
    if isinstance(version, int) and version > FORMAT_VERSION:
        raise HubFormatError(f"{path} has format {version}, newer than the {FORMAT_VERSION} known here: upgrade modelhub-sql")
    if version != FORMAT_VERSION:
        raise HubFormatError(
            f"{path} is no hub that this version made: its format is {version!r}, known here is {FORMAT_VERSION}"
        )


def _check_settings(
    con: duckdb.DuckDBPyConnection, place: logic.Place, path: str, wanted: Settings, given: Mapping[str, Any]
) -> None:
    rows = con.execute(f"SELECT f.*, d.* FROM {place.tables}._hub.format AS f, {place.tables}._hub.defaults AS d")
    stored = dict(zip([column[0] for column in rows.description], rows.fetchall()[0], strict=True))
    if "salt" in given:
        salts.check(path, wanted.salt, stored["salt_fingerprint"])
    for name, value in wanted.row().items():
        if name in given and stored[name] != value:
            how = (
                "which is fixed: make a new hub for" if name in generated.FORMAT else "a default: change it with the verb set to"
            )
            raise SettingsError(f"{path} was made with {name} = {stored[name]!r}, {how} {value!r}, or leave the setting out")


def create(con: duckdb.DuckDBPyConnection, settings: Settings, with_logic: bool = True) -> None:
    """The tables of an empty hub, and a copy of the logic, in the current database."""
    from datasketch import MinHash  # brings scipy: half a second at each start

    row = settings.row()
    functions = MinHash(num_perm=row["minhash_bands"] * row["minhash_rows"], seed=settings.seed, scheme="affine32").permutations
    pairs = [(int(a), int(b)) for a, b in zip(*functions, strict=True)]
    con.execute("BEGIN TRANSACTION")
    try:
        con.execute("CREATE SCHEMA _hub")
        con.execute(sql.scripts("format")["tables"])
        con.execute(generated.format_table(row))
        defaults = {name: row[name] for name in generated.DEFAULTS}
        con.execute(
            f"INSERT INTO _hub.defaults BY NAME SELECT {', '.join(f'? AS {key}' for key in defaults)}", list(defaults.values())
        )
        con.execute(
            "INSERT INTO _hub.minhash_functions SELECT unnest(range(len($a))), unnest($a), unnest($b)",
            {"a": [a for a, _ in pairs], "b": [b for _, b in pairs]},
        )
        if with_logic:
            _run(con, logic.stored(_version(), generated.constants(row, pairs)))
        con.execute("COMMIT")
    except BaseException:
        con.execute("ROLLBACK")
        raise
