"""The tables of a hub in a schema of a DuckLake, whose catalog is in PostgreSQL.

A lake has no keys and no locks. It refuses to commit a change of a row that another changed meanwhile; so each change adds one to
the row of ``revision``, and of two that write at once one is made anew. The types are those of a file. A catalog in SQLite will
not do: where two changes meet, it stays locked until all have closed it.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import parse_qsl, urlencode
from uuid import uuid4

import duckdb

from modelhub_sql import opening, postgres, sql
from modelhub_sql.datasets import fetched
from modelhub_sql.errors import (
    DiskFullError,
    ExtraError,
    HubAccessError,
    HubError,
    HubFormatError,
    HubNotFoundError,
    HubReadOnlyError,
    OptionError,
)
from modelhub_sql.extensions import load, loaded
from modelhub_sql.shared import TABLES, Lost, Raced, State

__all__ = ["Ducklake", "shown"]

_LAKE, _SCHEMA = "modelhub_lake", "modelhub"
#: Seconds that a writer goes on trying beside others, unless it is told longer.
_PATIENCE = 60
#: So often a lake is made again where another makes it at the same time.
_TIMES = 8
_REVISION = [("hub", "VARCHAR"), ("revision", "BIGINT")]
#: Base tables with their columns, and what their values are where none is given.
_COLUMNS = (
    "SELECT t.table_name, c.column_name, c.data_type, c.column_default FROM duckdb_tables() AS t "
    "JOIN duckdb_columns() AS c USING (database_name, schema_name, table_name) "
    "WHERE database_name = ? AND schema_name = ? ORDER BY t.table_name ASC, c.column_index ASC"
)
_RACED = re.compile("conflict|could not serialize|deadlock|duplicate key|already exists|been created", re.IGNORECASE)
_NO_LAKE = re.compile("does not exist - and creating")
_BROKEN = re.compile("connection|server closed|could not connect|terminating", re.IGNORECASE)


def _parts(address: str) -> tuple[str, dict[str, str]]:
    """The catalog as libpq is told, and the options that are ours."""
    catalog, _, query = address.partition(":")[2].partition("?")
    options = dict(parse_qsl(query, keep_blank_values=True))
    ours: dict[str, str] = {}
    for name in ("data_path", "schema"):
        if name in options:
            ours[name] = options.pop(name)
    found = re.match("(?i)postgres(ql)?:", catalog)
    told = catalog[found.end() :] if found else ""
    if not told:
        raise OptionError(
            "a lake that many change has its catalog in PostgreSQL: write "
            "'ducklake:postgres:host=... dbname=...?data_path=FOLDER'"
        )
    if told.startswith("//"):
        return f"postgresql:{told}" + (f"?{urlencode(options)}" if options else ""), ours
    if options:
        raise OptionError(f"no option of a lake is called {sorted(options)[0]!r}; there are data_path and schema")
    return told, ours


def shown(address: str) -> str:
    """An address as messages have it: without a password."""
    catalog, ours = _parts(address)
    named = postgres.shown(catalog if catalog.startswith("postgresql:") else f"postgres:{catalog}")
    return f"ducklake:{named}" + (f"?schema={ours['schema']}" if "schema" in ours else "")


class Ducklake:
    """A hub's tables in a DuckLake (see ``shared.Remote``).

    wait: seconds that a writer goes on trying beside others.
    Raises ExtraError (no extension for this DuckDB) and OptionError.
    """

    def __init__(self, address: str, read_only: bool, wait: float = 0) -> None:
        self.shown = shown(address)
        self._catalog, ours = _parts(address)
        self._data_path, self._schema = ours.get("data_path"), ours.get("schema", _SCHEMA)
        self._read_only, self.wait = read_only, wait or _PATIENCE
        self._con = loaded("postgres_scanner", "ducklake", extra="ducklake")
        # A folder may be a bucket.
        with suppress(ExtraError):
            load(self._con, "httpfs", extra="ducklake")
        self._is_attached = False

    def reconnect(self) -> None:
        """Attach the lake anew."""
        if self._is_attached:
            self._is_attached = False
            with suppress(duckdb.Error):
                self._con.execute(f"DETACH {_LAKE}")
        self._attach(make=False)

    def close(self) -> None:
        """Close the lake."""
        self._con.close()

    def _attach(self, make: bool) -> bool:
        """Open the lake; False where there is none, and none is to be made."""
        options = {"CREATE_IF_NOT_EXISTS": str(make).lower()}
        if self._read_only:
            options["READ_ONLY"] = "true"
        if self._data_path is not None:
            options["DATA_PATH"] = _text(self._data_path)
        told = ", ".join(f"{name} {value}" for name, value in options.items())
        try:
            self._con.execute(f"ATTACH {_text('ducklake:postgres:' + self._catalog)} AS {_LAKE} ({told})")
        except duckdb.Error as error:
            if not make and _NO_LAKE.search(str(error)):
                return False
            raise self._translated(error) from error
        self._is_attached = True
        return True

    # -- the tables ---------------------------------------------------------------------

    def is_there(self) -> bool:
        """Whether there is a hub, whose tables are those that this package makes. Raises HubFormatError."""
        if not self._is_attached and not self._attach(make=False):
            return False
        with self._transaction():
            if not self._rows("SELECT 1 FROM duckdb_schemas() WHERE database_name = ? AND schema_name = ?", _LAKE, self._schema):
                return False
            views = "SELECT 1 FROM duckdb_views() WHERE database_name = ? AND schema_name = ?"
            if not self._found() and not self._rows(views, _LAKE, self._schema):
                return False
            self._check()
        return True

    def _found(self) -> dict[str, list[tuple[str, str]]]:
        tables: dict[str, list[tuple[str, str]]] = {}
        for table, column, type_, default in self._rows(_COLUMNS, _LAKE, self._schema):
            if default not in (None, "NULL"):
                raise self._no_hub(f"{table}.{column} is computed by the lake")
            tables.setdefault(table, []).append((column, type_))
        return tables

    def _check(self) -> None:
        """Refuse what are no tables of a hub: a view would be run here."""
        tables = self._found()
        if not {"format", "revision"} <= tables.keys():
            raise HubFormatError(
                f"{self.shown} is not a hub: its schema {self._schema} lacks the hub's tables; "
                "another schema is named by ?schema=NAME"
            )
        versions = self._rows(f"SELECT format_version FROM {self._named('format')}")
        opening.check_version(versions[0][0] if len(versions) == 1 else None, self.shown)
        for table, columns in {**opening.expected(), "revision": _REVISION}.items():
            if table in (*TABLES, "revision") and tables.get(table) != columns:
                raise self._no_hub(f"the table {table} {'has other columns' if table in tables else 'is missing'}")

    def _no_hub(self, why: str) -> HubFormatError:
        return HubFormatError(f"{self.shown} is no hub that this version made: {why}")

    def create(self, rows: Mapping[str, Any]) -> bool:
        """Make the tables and fill some, in one transaction; False where another process was first."""
        for attempt in range(_TIMES):
            try:
                # The lake, too, may be made by several at once.
                if not self._is_attached and not self._attach(make=False):
                    self._attach(make=True)
                self._create(rows)
            except Raced:
                if attempt == _TIMES - 1:
                    raise
            else:
                return True
            if self.is_there():
                return False
            time.sleep(random.random() * 0.05 * 2**attempt)
        raise AssertionError

    def _create(self, rows: Mapping[str, Any]) -> None:
        with self._transaction():
            if self._found():
                raise Raced(f"{self.shown}: another process makes the hub: try again")
            self._con.execute(f"CREATE SCHEMA IF NOT EXISTS {_LAKE}.{_quoted(self._schema)}")
            for table, columns in opening.expected().items():
                if table in TABLES:
                    self._make(table, columns)
            self._make("revision", _REVISION)
            self._con.execute(f"INSERT INTO {self._named('revision')} VALUES (?, 0)", [uuid4().hex])
            for table, each in rows.items():
                self.insert(table, each)

    def _make(self, table: str, columns: list[tuple[str, str]]) -> None:
        listed = ", ".join(f"{_quoted(name)} {type_}" for name, type_ in columns)
        self._con.execute(f"CREATE TABLE {self._named(table)} ({listed})")
        for name, said in _comments().get(table, {}).items():
            column = f".{_quoted(name)}" if name else ""
            self._con.execute(f"COMMENT ON {'COLUMN' if name else 'TABLE'} {self._named(table)}{column} IS {_text(said)}")

    def _named(self, table: str) -> str:
        return f"{_LAKE}.{_quoted(self._schema)}.{_quoted(table)}"

    # -- transactions -------------------------------------------------------------------

    def state(self) -> State:
        """The hub's state now."""
        with self._transaction():
            self._check()
            return self._state()

    def _state(self) -> State:
        rows = self._rows(f"SELECT hub, revision FROM {self._named('revision')}")
        if len(rows) != 1:
            raise self._no_hub(f"it has {len(rows)} rows of revision, not one")
        return State(*rows[0])

    @contextmanager
    def reading(self) -> Iterator[State]:
        """A transaction in which all reads see one state."""
        with self._transaction():
            self._check()
            yield self._state()

    @contextmanager
    def writing(self) -> Iterator[State]:
        """A transaction that ends by a commit, and the next revision. Raises Raced where another committed meanwhile."""
        with self._transaction():
            self._check()
            yield self._state()
            self._con.execute(f"UPDATE {self._named('revision')} SET revision = revision + 1")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            self._con.execute("BEGIN TRANSACTION")
            try:
                yield
                self._con.execute("COMMIT")
            except BaseException:
                with suppress(duckdb.Error):
                    self._con.execute("ROLLBACK")
                raise
        except duckdb.InterruptException:
            raise
        except duckdb.Error as error:
            raise self._translated(error) from error

    # -- rows ---------------------------------------------------------------------------

    def _rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        return self._con.execute(query, values).fetchall()

    def read(self, table: str, column: str | None = None, values: Sequence[Any] = ()) -> Any:
        """Rows of a table, where a column has one of the values, as an Arrow table."""
        which = ""
        if column is not None:
            # By what is told in the statement the lake knows which of its files have it. It keeps no text with NUL in it.
            told = [_text(each) if isinstance(each, str) else str(int(each)) for each in values if "\0" not in str(each)]
            which = f" WHERE {_quoted(column)} IN ({', '.join(told)})" if told else " WHERE false"
        listed = ", ".join(_quoted(name) for name, _ in opening.expected()[table])
        self._con.execute(f"SELECT {listed} FROM {self._named(table)}{which}")
        return fetched(self._con)

    def last_dataset(self) -> int:
        """The greatest number of a dataset, or 0."""
        ((number,),) = self._rows(f"SELECT coalesce(max(dataset_id), 0) FROM {self._named('datasets')}")
        return int(number)

    def insert(self, table: str, rows: Any) -> None:
        """Add rows of an Arrow table."""
        with self._registered(table, rows) as types:
            listed = ", ".join(map(_quoted, types))
            self._con.execute(f"INSERT INTO {self._named(table)} ({listed}) SELECT {listed} FROM modelhub_rows")

    def delete(self, table: str, keys: Any) -> None:
        """Remove the rows that have the values of all columns of one of the keys."""
        with self._registered(table, keys) as types:
            same = " AND ".join(
                f"t.{_quoted(name)} IS NOT DISTINCT FROM k.{_quoted(name)}" for name, type_ in types.items() if "[" not in type_
            )
            self._con.execute(f"DELETE FROM {self._named(table)} AS t USING modelhub_rows AS k WHERE {same}")

    @contextmanager
    def _registered(self, table: str, rows: Any) -> Iterator[dict[str, str]]:
        """Rows as the temporary table modelhub_rows, of the types that they have there."""
        types = {name: type_ for name, type_ in opening.expected()[table] if name in rows.column_names}
        self._con.register("modelhub_given", rows)
        try:
            listed = ", ".join(f"CAST({_quoted(name)} AS {type_}) AS {_quoted(name)}" for name, type_ in types.items())
            self._con.execute(f"CREATE OR REPLACE TEMP TABLE modelhub_rows AS SELECT {listed} FROM modelhub_given")
        finally:
            self._con.unregister("modelhub_given")
        texts = [f"contains({_quoted(name)}, chr(0))" for name, type_ in types.items() if type_ == "VARCHAR"]
        texts += [
            f"contains(array_to_string({_quoted(name)}, ''), chr(0))" for name, type_ in types.items() if type_ == "VARCHAR[]"
        ]
        if texts and self._rows(f"SELECT 1 FROM modelhub_rows WHERE {' OR '.join(texts)} LIMIT 1"):
            raise OptionError(f"{self.shown}: DuckLake keeps no text that has the character NUL in it; nothing was changed")
        yield types

    # -- errors -------------------------------------------------------------------------

    def _translated(self, error: duckdb.Error) -> HubError:
        said = " ".join(str(error).split())[:700]
        said = re.sub(r"password\s*=\s*('(?:[^'\\]|\\.)*'|\S+)", "password=...", said)
        said = re.sub(r"://([^:@/\s]*):[^@/\s]*@", r"://\1:...@", said)
        if _RACED.search(said):
            return Raced(f"{self.shown}: another process changes the hub: try again")
        if "read-only" in said or "read only" in said:
            return HubReadOnlyError(f"{self.shown} can be read only: {said}")
        if "No space left" in said:
            return DiskFullError(f"{self.shown}: the disk is full; nothing was changed")
        if "data_path is not set" in said:
            return HubNotFoundError(f"{self.shown}: there is no lake yet; ?data_path=FOLDER says where its files are to be")
        if isinstance(error, duckdb.CatalogException):
            return HubFormatError(f"{self.shown} is a hub no more: {said}")
        if _BROKEN.search(said):
            how = Lost if self._is_attached else HubAccessError
            return how(f"{self.shown} can't be reached: {re.sub('.*Unable to connect to Postgres at .*?: ', '', said)}")
        return HubAccessError(f"{self.shown} can't be used: {said}")


def _comments() -> dict[str, dict[str, str]]:
    """What is said of tables (under empty text) and their columns."""
    text = sql.scripts("format")["tables"]
    found: dict[str, dict[str, str]] = {}
    for table, column, said in re.findall(
        r"^COMMENT ON (?:TABLE|COLUMN) _hub\.(\w+)(?:\.\"?(\w+)\"?)? IS\s+'((?:[^']|'')*)';", text, re.MULTILINE
    ):
        found.setdefault(table, {})[column] = said.replace("''", "'")
    return found


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
