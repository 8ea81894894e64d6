"""The tables of a hub's file that a DuckDB server has open (``quack_serve``).

A server keeps the session of a client that is gone, and what its transaction holds. So nothing is begun that is not ended in the
same request: reads are looked at twice, and a change goes as one script, which is stored only where the hub is as it was read.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl

import duckdb

from modelhub_sql import opening
from modelhub_sql.datasets import fetched
from modelhub_sql.errors import (
    DiskFullError,
    HubAccessError,
    HubError,
    HubFormatError,
    HubNotFoundError,
    HubReadOnlyError,
    OptionError,
)
from modelhub_sql.extensions import loaded
from modelhub_sql.shared import HEADS, TABLES, Lost, Raced, State

__all__ = ["Quack", "shown"]

#: Seconds that a change may take, and that a writer goes on trying beside others unless it is told longer.
_SLOWEST, _PATIENCE = 600, 60

#: What the hub is, and what it holds now: a number that another content has not, of whatever client it is.
_STATE = (
    "SELECT (SELECT hash(list(f))::VARCHAR FROM _hub.format AS f) || '-' || "
    "(SELECT hash(list(m ORDER BY m.function))::VARCHAR FROM _hub.minhash_functions AS m) AS identity, "
    "(SELECT (coalesce(sum(h), 0) % 4611686018427387904)::BIGINT FROM ("
    + " UNION ALL ".join(f"SELECT hash('{table}', t) AS h FROM _hub.{table} AS t" for table in HEADS)
    + ")) AS revision"
)
_COLUMNS = (
    "SELECT table_name, column_name, data_type FROM duckdb_columns() "
    "WHERE database_name = current_database() AND schema_name = '_hub' ORDER BY table_name ASC, column_index ASC"
)
#: What the script says where the hub is another, and what DuckDB says of two that write at once.
_MOVED = "modelhub: the hub has changed"
_RACED = re.compile(re.escape(_MOVED) + "|conflict|Duplicate key|PRIMARY KEY or UNIQUE", re.IGNORECASE)


def _parts(address: str) -> tuple[str, dict[str, str]]:
    """The server as DuckDB calls it, and the options."""
    server, _, query = address.partition("?")
    return "quack:" + server.partition(":")[2].removeprefix("//").rstrip("/"), dict(parse_qsl(query, keep_blank_values=True))


def shown(address: str) -> str:
    """An address as messages have it: without a token."""
    return _parts(address)[0]


class Quack:
    """A hub's tables in a DuckDB server (see ``shared.Remote``).

    wait: seconds that a writer goes on trying beside others.
    Raises ExtraError (no extension for this DuckDB) and OptionError.
    """

    def __init__(self, address: str, read_only: bool, wait: float = 0) -> None:
        self._server, options = _parts(address)
        self.shown = self._server
        unknown = sorted(set(options) - {"token", "ssl"})
        if unknown or options.get("ssl", "on") not in ("on", "off") or not self._server.removeprefix("quack:"):
            what = f"no option is called {unknown[0]!r}" if unknown else "it is no address of a server"
            raise OptionError(f"{self.shown}: {what}: write quack:host:port?token=...&ssl=off")
        self._read_only, self.wait = read_only, wait or _PATIENCE
        token = options.get("token") or os.environ.get("QUACK_TOKEN")
        given = {"token": token, "disable_ssl": {"on": False, "off": True}.get(options.get("ssl", ""))}
        self._told = {name: value for name, value in given.items() if value is not None}
        self._secret = token
        self._con = loaded("httpfs", "quack", extra="quack")
        # What was sent once may have been done.
        self._con.execute(f"SET http_retries = 0; SET http_timeout = {_SLOWEST}")
        self._script: list[str] = []
        self._was_reached = False

    def reconnect(self) -> None:
        """Nothing: each request is a connection of its own."""

    def close(self) -> None:
        """Close what the requests were made with."""
        self._con.close()

    # -- the tables ---------------------------------------------------------------------

    def is_there(self) -> bool:
        """Whether there is a hub, whose tables are those that this package makes. Raises HubFormatError."""
        tables: dict[str, list[tuple[str, str]]] = {}
        for table, column, type_ in self._rows(_COLUMNS):
            tables.setdefault(table, []).append((column, type_))
        if not tables:
            return False
        if "format" not in tables:
            raise HubFormatError(f"{self.shown} is not a hub: it lacks the hub's tables")
        versions = self._rows("SELECT format_version FROM _hub.format")
        opening.check_version(versions[0][0] if len(versions) == 1 else None, self.shown)
        for table, columns in opening.expected().items():
            if table in TABLES and tables.get(table) != columns:
                what = "has other columns" if table in tables else "is missing"
                raise HubFormatError(f"{self.shown} is no hub that this version made: the table {table} {what}")
        return True

    def create(self, rows: Mapping[str, Any]) -> bool:
        """Nothing: the server has a file. Raises HubNotFoundError."""
        raise HubNotFoundError(
            f"the database at {self.shown} is no hub: make one with modelhub init hub.duckdb, and let the server open that file"
        )

    # -- transactions -------------------------------------------------------------------

    def state(self) -> State:
        """The hub's state now."""
        ((identity, revision),) = self._rows(_STATE)
        return State(identity, revision)

    @contextmanager
    def reading(self) -> Iterator[State]:
        """Reads that see one state; if another was there at the end, Raced."""
        state = self.state()
        yield state
        if self.state() != state:
            raise Raced(f"{self.shown} changed while it was read: try again")

    @contextmanager
    def writing(self) -> Iterator[State]:
        """What is written goes at the end as one transaction, if the hub is still as it was. Raises Raced."""
        state = self.state()
        self._script = []
        yield state
        seen = f"{_text(state.identity)}, {state.revision}"
        self._query(
            # Of those that write at once, one has this row.
            "BEGIN; UPDATE _hub.format SET format_version = format_version; "
            f"SELECT CASE WHEN (identity, revision) IS DISTINCT FROM ({seen}) THEN error('{_MOVED}') END FROM ({_STATE}); "
            + "".join(f"{each}; " for each in self._script)
            + "COMMIT"
        )

    # -- rows ---------------------------------------------------------------------------

    def read(self, table: str, column: str | None = None, values: Sequence[Any] = ()) -> Any:
        """Rows of a table, where a column has one of the values, as an Arrow table."""
        types = dict(opening.expected()[table])
        which = ""
        if column is not None:
            told = [value if isinstance(value, str) else str(value) for value in values]
            which = f' WHERE "{column}" IN (SELECT {_unnested(told, types[column])})'
        return self._query(f"SELECT {', '.join(map(_quoted, types))} FROM _hub.{table}{which}")

    def last_dataset(self) -> int:
        """The greatest number of a dataset, or 0."""
        ((number,),) = self._rows("SELECT coalesce(max(dataset_id), 0) FROM _hub.datasets")
        return int(number)

    def insert(self, table: str, rows: Any) -> None:
        """Add rows of an Arrow table."""
        types = dict(opening.expected()[table])
        self._script.append(f"INSERT INTO _hub.{table} ({', '.join(map(_quoted, types))}) SELECT {self._listed(rows, types)}")

    def delete(self, table: str, keys: Any) -> None:
        """Remove the rows that have the values of all columns of one of the keys."""
        types = {name: type_ for name, type_ in opening.expected()[table] if name in keys.column_names and "[" not in type_}
        same = " AND ".join(f"t.{_quoted(name)} IS NOT DISTINCT FROM k.{_quoted(name)}" for name in types)
        self._script.append(f"DELETE FROM _hub.{table} AS t USING (SELECT {self._listed(keys, types)}) AS k WHERE {same}")

    def _listed(self, rows: Any, types: Mapping[str, str]) -> str:
        """SQL for columns of an Arrow table, each from one text: a list of many literals takes a server long to read."""
        self._con.register("modelhub_rows", rows)
        try:
            told = ", ".join(
                _quoted(name) if type_ == "VARCHAR[]" else f"CAST({_quoted(name)} AS {type_})::VARCHAR"
                for name, type_ in types.items()
            )
            found = self._con.execute(f"SELECT {told} FROM modelhub_rows").fetchall()
        finally:
            self._con.unregister("modelhub_rows")
        columns = zip(*found, strict=True) if found else ([] for _ in types)
        return ", ".join(
            f"{_unnested(list(column), type_)} AS {_quoted(name)}"
            for (name, type_), column in zip(types.items(), columns, strict=True)
        )

    # -- requests -----------------------------------------------------------------------

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        return [tuple(row.values()) for row in self._query(query).to_pylist()]

    def _query(self, query: str) -> Any:
        try:
            options = "".join(f", {name} := ?" for name in self._told)
            self._con.execute(f"FROM quack_query(?, ?{options})", [self._server, query, *self._told.values()])
            rows = fetched(self._con)
            self._was_reached = True
            return rows
        except duckdb.InterruptException:
            raise
        except duckdb.Error as error:
            raise self._translated(error) from error

    def _translated(self, error: duckdb.Error) -> HubError:
        said = str(error).splitlines()[0].partition("Error: ")[2][:500] or str(error)[:500]
        if self._secret:
            said = said.replace(self._secret, "...")
        if isinstance(error, duckdb.IOException):
            how = Lost if self._was_reached else HubAccessError
            return how(f"{self.shown} can't be reached: {said.rpartition('Error: ')[2]}")
        if re.search("authenticat", said, re.IGNORECASE):
            return HubAccessError(f"{self.shown}: {said}; the token is told by ?token=... or QUACK_TOKEN")
        if _RACED.search(said):
            return Raced(f"{self.shown}: another process changes the hub: try again")
        if "read-only" in said or "read only" in said:
            return HubReadOnlyError(f"{self.shown} can be read only: {said}")
        if "does not exist" in said:
            return HubFormatError(f"{self.shown} is a hub no more: {said}")
        if "No space left" in said:
            return DiskFullError(f"{self.shown}: the server's disk is full; nothing was changed")
        return HubAccessError(f"{self.shown}: the server refuses: {said}")


def _unnested(cells: list[Any], type_: str) -> str:
    kind = [["VARCHAR"]] if type_ == "VARCHAR[]" else ["VARCHAR"]
    return f"unnest(from_json({_text(json.dumps(cells))}, {_text(json.dumps(kind))}))::{type_}"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
