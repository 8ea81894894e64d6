"""The tables of a hub in a schema of a PostgreSQL database.

Numbers without a sign are of the next type that holds them, lists of numbers bytea: their values one after the other, each as
wide as DuckDB has it, the lowest byte first. All else has the type of its name. Nothing in the schema is run: of what is there
only tables without triggers, rules and expressions are read and written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit
from uuid import uuid4

import pyarrow as pa
import pyarrow.compute

from modelhub_sql import generated, opening, sql
from modelhub_sql.errors import (
    DiskFullError,
    ExtraError,
    HubAccessError,
    HubError,
    HubFormatError,
    HubLockedError,
    HubNotFoundError,
    HubReadOnlyError,
    OptionError,
)
from modelhub_sql.extras import extra
from modelhub_sql.shared import TABLES, Lost, State

__all__ = ["Postgres", "shown"]

#: The schema of a hub, where the address names no other.
_SCHEMA = "modelhub"
#: Seconds that a writer waits for the one before it, unless it is told longer; and that a server may take to answer at first.
_PATIENCE, _CONNECTING = 60, 10

#: Type of a column in a file -> the same on the server, and as Arrow has it.
_TYPES = {
    "SMALLINT": ("smallint", pa.int16()),
    "USMALLINT": ("integer", pa.uint16()),
    "UINTEGER": ("bigint", pa.uint32()),
    "UBIGINT": ("bigint", pa.uint64()),
    "DOUBLE": ("double precision", pa.float64()),
    "VARCHAR": ("text", pa.string()),
    "TIMESTAMP": ("timestamp", pa.timestamp("us")),
    "VARCHAR[]": ("text[]", pa.list_(pa.string())),
    "UINTEGER[]": ("bytea", pa.list_(pa.uint32())),
    "UBIGINT[]": ("bytea", pa.list_(pa.uint64())),
    "DOUBLE[]": ("bytea", pa.list_(pa.float64())),
}
#: What a type is called by the server's catalog, where it is another name.
_CALLED = {"timestamp": "timestamp without time zone"}
#: A dataset that a model needs can't go; one that is changed is deleted and inserted.
_KEYS = """
ALTER TABLE {0}.models ADD FOREIGN KEY (dataset_id) REFERENCES {0}.datasets DEFERRABLE INITIALLY DEFERRED;
CREATE INDEX ON {0}.models (dataset_id);
ALTER TABLE {0}.features ADD PRIMARY KEY (dataset_id, feature_id), ADD FOREIGN KEY (dataset_id) REFERENCES {0}.datasets;
ALTER TABLE {0}.partition_counts ADD PRIMARY KEY (dataset_id, feature_id, partition_id),
    ADD FOREIGN KEY (dataset_id) REFERENCES {0}.datasets;
CREATE INDEX ON {0}.outcomes (model, version);
CREATE TABLE {0}.revision (hub text PRIMARY KEY, revision bigint NOT NULL);
COMMENT ON TABLE {0}.revision IS 'which hub this is, and how often it was changed (one row, which a writer locks)';
"""
_REVISION = [("hub", "text"), ("revision", "bigint")]

#: Tables and views of a schema with their columns, types, and whether the server computes a value.
_ALL_COLUMNS = """
SELECT c.relname, c.relkind::text, a.attname, format_type(a.atttypid, NULL), a.atthasdef
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE n.nspname = %s AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
ORDER BY c.relname, a.attnum
"""
#: Which of these tables of a schema have triggers, rules, checks or indexes of expressions.
_TABLES_WITH_CODE = """
SELECT c.relname
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relname = ANY(%s) AND (
    EXISTS (SELECT FROM pg_trigger AS t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal)
    OR EXISTS (SELECT FROM pg_rewrite AS r WHERE r.ev_class = c.oid)
    OR EXISTS (SELECT FROM pg_constraint AS k WHERE k.conrelid = c.oid AND k.contype NOT IN ('p', 'u', 'f', 'n'))
    OR EXISTS (SELECT FROM pg_index AS i WHERE i.indrelid = c.oid AND (i.indexprs IS NOT NULL OR i.indpred IS NOT NULL))
)
"""

#: What libpq says of a connection that is not made, for there is no code. Of other languages its own words are left.
_NO_DATABASE = re.compile(r'database ".*" does not exist')
_NO_ENTRY = re.compile(r"authentication failed|no password supplied|role \".*\" does not exist|no pg_hba.conf entry")


def _parts(address: str) -> tuple[str, str]:
    """What libpq is told, and the schema."""
    rest = address.partition(":")[2]
    if not rest.startswith("//"):
        found = re.search(r"(?:^|\s)schema=(\S+)", rest)
        return (rest if found is None else rest[: found.start()] + rest[found.end() :]).strip(), found[1] if found else _SCHEMA
    url = urlsplit(f"postgresql:{rest}")
    options = dict(parse_qsl(url.query, keep_blank_values=True))
    schema = options.pop("schema", _SCHEMA)
    return urlunsplit(url._replace(query=urlencode(options))), schema


def shown(address: str) -> str:
    """An address as messages have it: without a password."""
    rest = address.partition(":")[2]
    if rest.startswith("//"):
        url = urlsplit(f"postgresql:{rest}")
        user, at, host = url.netloc.rpartition("@")
        host = user.partition(":")[0] + at + host
        schema = dict(parse_qsl(url.query)).get("schema")
        return f"postgres://{host}{url.path}" + (f"?schema={schema}" if schema else "")
    words = re.findall(r"(user|host|port|dbname|service|schema)\s*=\s*('(?:[^'\\]|\\.)*'|\S+)", rest)
    return "postgres:" + " ".join(f"{name}={value}" for name, value in words)


class Postgres:
    """A hub's tables in PostgreSQL (see ``shared.Remote``).

    wait: seconds that a writer waits for another.
    Raises ExtraError, HubNotFoundError (no such database), HubAccessError (no server, no entry) and OptionError.
    """

    def __init__(self, address: str, read_only: bool, wait: float = 0) -> None:
        try:
            self._psycopg = extra("psycopg", "postgres")
        except ExtraError:
            raise
        except ImportError as error:
            raise ExtraError("psycopg has no libpq: pip install 'modelhub-sql[postgres]'") from error
        self.shown = shown(address)
        told, self._schema = _parts(address)
        try:
            self._told = self._psycopg.conninfo.conninfo_to_dict(told)
        except self._psycopg.Error as error:
            # What libpq says may have the password in it.
            raise OptionError(
                f"{self.shown} is no address of a database: write postgres://user@host:port/database, "
                "or 'postgres:host=... dbname=...'"
            ) from error
        self._password = self._told.get("password")
        self._read_only, self.wait = read_only, wait or _PATIENCE
        self._con: Any = None
        self.reconnect()

    def reconnect(self) -> None:
        """Connect anew, where the connection is not whole."""
        self.close()
        pg = self._psycopg
        settings = {"connect_timeout": _CONNECTING, "application_name": "modelhub", **self._told, "client_encoding": "utf8"}
        try:
            self._con = pg.connect(**settings, autocommit=True)
            # A client that hangs in the midst of a change does not keep others from theirs. Rows are never left out in silence.
            self._con.execute(
                "SELECT set_config('search_path', 'pg_catalog', false), set_config('row_security', 'off', false), "
                "set_config('idle_in_transaction_session_timeout', %s, false), set_config('lock_timeout', %s, false), "
                "set_config('default_transaction_read_only', %s, false)",
                [str(_PATIENCE * 1000), str(int(self.wait * 1000)), "on" if self._read_only else "off"],
            )
        except pg.Error as error:
            said = self._said(error)
            if _NO_DATABASE.search(said):
                raise HubNotFoundError(f"{self.shown}: there is no such database; createdb makes one ({said})") from error
            how = "" if not _NO_ENTRY.search(said) else "; a password can be in PGPASSWORD or ~/.pgpass"
            raise HubAccessError(f"{self.shown} can't be reached: {said}{how}") from error

    def close(self) -> None:
        """Close the connection."""
        if self._con is not None:
            with suppress(self._psycopg.Error):
                self._con.close()

    # -- the tables ---------------------------------------------------------------------

    def is_there(self) -> bool:
        """Whether there is a hub, whose tables are those that this package makes. Raises HubFormatError."""
        found = self._rows(_ALL_COLUMNS, self._schema)
        if not found:
            return False
        tables: dict[str, list[tuple[str, str]]] = {}
        for table, kind, column, type_, is_computed in found:
            if kind != "r":
                raise self._no_hub(f"{table} is not a table")
            if is_computed and table in (*TABLES, "revision"):
                raise self._no_hub(f"{table}.{column} is computed by the server")
            tables.setdefault(table, []).append((column, type_))
        if not {"format", "revision"} <= tables.keys():
            raise HubFormatError(
                f"{self.shown} is not a hub: its schema {self._schema} lacks the hub's tables; "
                "another schema is named by ?schema=NAME"
            )
        self._check_version()
        for table, columns in {**_columns(), "revision": _REVISION}.items():
            if tables.get(table) != columns:
                raise self._no_hub(f"the table {table} {'has other columns' if table in tables else 'is missing'}")
        self._check_code()
        return True

    def _check_version(self) -> None:
        with self._translating():
            rows = self._con.execute(f"SELECT * FROM {self._named('format')}")
            columns = [column.name for column in rows.description]
            row = dict(zip(columns, rows.fetchone() or [None] * len(columns), strict=True))
        opening.check_version(row.get("format_version"), self.shown)

    def _check_code(self) -> None:
        """Refuse tables that run expressions of others when they are read or written."""
        found = self._rows(_TABLES_WITH_CODE, self._schema, [*TABLES, "revision"])
        if found:
            raise self._no_hub(
                f"the table {found[0][0]} has triggers, rules or expressions, which would run statements of the database"
            )

    def _no_hub(self, why: str) -> HubFormatError:
        return HubFormatError(f"{self.shown} is no hub that this version made: {why}")

    def create(self, rows: Mapping[str, Any]) -> bool:
        """Make the tables and fill some, in one transaction; False where another process was first."""
        with self._translating(), self._transaction("BEGIN"):
            self._con.execute("SELECT pg_advisory_xact_lock(hashtextextended('modelhub ' || %s, 0))", [self._schema])
            if self.is_there():
                return False
            ((encoding,),) = self._rows("SHOW server_encoding")
            if encoding != "UTF8":
                raise HubFormatError(f"{self.shown} is a database of {encoding}: a hub needs one of UTF8")
            # Who may use a schema that is there need not be allowed to make one.
            if not self._rows("SELECT FROM pg_namespace WHERE nspname = %s", self._schema):
                self._con.execute(f"CREATE SCHEMA {self._quoted_schema()}")
            self._con.execute(_statements(self._quoted_schema()))
            self._con.execute(f"INSERT INTO {self._named('revision')} (hub, revision) VALUES (%s, 0)", [uuid4().hex])
            for table, each in rows.items():
                self.insert(table, each)
        return True

    def _quoted_schema(self) -> str:
        return '"' + self._schema.replace('"', '""') + '"'

    def _named(self, table: str) -> str:
        return f"{self._quoted_schema()}.{table}"

    # -- transactions -------------------------------------------------------------------

    def state(self) -> State:
        """The hub's state now."""
        return self._state("")

    def _state(self, how: str) -> State:
        rows = self._rows(f"SELECT hub, revision FROM {self._named('revision')} {how}")
        if len(rows) != 1:
            raise self._no_hub(f"it has {len(rows)} rows of revision, not one")
        return State(*rows[0])

    @contextmanager
    def reading(self) -> Iterator[State]:
        """A transaction in which all reads see one state."""
        with self._translating(), self._transaction("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"):
            yield self._state("")

    @contextmanager
    def writing(self) -> Iterator[State]:
        """A transaction that no other writer is in; it ends by a commit, and the next revision."""
        # Each statement sees what was committed before it; what is committed by this package was under the lock.
        with self._translating(), self._transaction("BEGIN ISOLATION LEVEL READ COMMITTED"):
            self._check_code()
            yield self._state("FOR UPDATE")
            self._con.execute(f"UPDATE {self._named('revision')} SET revision = revision + 1")

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[None]:
        self._con.execute(begin)
        try:
            yield
            self._con.execute("COMMIT")
        except BaseException:
            with suppress(self._psycopg.Error):
                self._con.execute("ROLLBACK")
            raise

    # -- rows ---------------------------------------------------------------------------

    def _rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with self._translating():
            rows: list[tuple[Any, ...]] = self._con.execute(query, values).fetchall()
        return rows

    def read(self, table: str, column: str | None = None, values: Sequence[Any] = ()) -> Any:
        """Rows of a table, where a column has one of the values, as an Arrow table."""
        columns = _arrow_types()[table]
        listed = ", ".join(f'"{name}"' for name in columns)
        which = "" if column is None else f' WHERE "{column}" = ANY(%s)'
        with self._translating(), self._con.cursor(binary=True) as cursor:
            cursor.execute(f"SELECT {listed} FROM {self._named(table)}{which}", [] if column is None else [list(values)])
            rows = cursor.fetchall()
        found = zip(*rows, strict=True) if rows else [[] for _ in columns]
        try:
            return pa.table(
                {name: _of_server(list(each), type_) for (name, type_), each in zip(columns.items(), found, strict=True)}
            )
        except (pa.ArrowException, OverflowError, TypeError, ValueError) as error:
            raise HubFormatError(f"{self.shown} holds what no hub does, in {table}: {error}") from error

    def last_dataset(self) -> int:
        """The greatest number of a dataset, or 0."""
        ((number,),) = self._rows(f"SELECT coalesce(max(dataset_id), 0) FROM {self._named('datasets')}")
        return int(number)

    def insert(self, table: str, rows: Any) -> None:
        """Add rows of an Arrow table."""
        columns = _arrow_types()[table]
        listed = ", ".join(f'"{name}"' for name in columns)
        cells = [_for_server(rows[name].cast(type_)) for name, type_ in columns.items()]
        with (
            self._translating(),
            self._con.cursor() as cursor,
            cursor.copy(f"COPY {self._named(table)} ({listed}) FROM STDIN (FORMAT BINARY)") as copy,
        ):
            copy.set_types([_CALLED.get(type_, type_) for _, type_ in _columns()[table]])
            for row in zip(*cells, strict=True):
                copy.write_row(row)

    def delete(self, table: str, keys: Any) -> None:
        """Remove the rows that have the values of all columns of one of the keys."""
        types = dict(_columns()[table])
        # A list of lists would be told as a matrix; no key needs one.
        names = [name for name in keys.column_names if not types[name].endswith("[]")]
        told = ", ".join(f"%s::{types[name]}[]" for name in names)
        same = " AND ".join(f't."{name}" IS NOT DISTINCT FROM k."{name}"' for name in names)
        listed = ", ".join(f'"{name}"' for name in names)
        with self._translating():
            self._con.execute(
                f"DELETE FROM {self._named(table)} AS t USING unnest({told}) AS k({listed}) WHERE {same}",
                [keys[name].to_pylist() for name in names],
            )

    # -- errors -------------------------------------------------------------------------

    @contextmanager
    def _translating(self) -> Iterator[None]:
        try:
            yield
        except self._psycopg.Error as error:
            raise self._translated(error) from error

    def _translated(self, error: Any) -> HubError:
        code, said = error.sqlstate or "", self._said(error)
        if self._con.closed or code.startswith(("08", "57P")) or (isinstance(error, self._psycopg.OperationalError) and not code):
            return Lost(f"{self.shown}: the connection broke: {said}")
        if code == "55P03":
            return HubLockedError(
                f"{self.shown}: another process changes the hub for more than {self.wait:.0f} seconds: try again"
            )
        if code == "42501":
            what = "read" if self._read_only else "change"
            return HubAccessError(
                f"{self.shown}: this user may not {what} the hub: {said}; read_only=True needs no more than SELECT"
            )
        if code == "25006":
            return HubReadOnlyError(f"{self.shown} can be read only: {said}")
        if code == "53100":
            return DiskFullError(f"{self.shown}: the server's disk is full; nothing was changed")
        if isinstance(error, self._psycopg.DataError) and "NUL" in said:
            return OptionError(f"{self.shown}: PostgreSQL keeps no text that has the character NUL in it; nothing was changed")
        if code in ("3F000", "42P01"):
            return HubFormatError(f"{self.shown} is a hub no more: {said}")
        return HubAccessError(f"{self.shown}: the server refuses: {said}")

    def _said(self, error: Any) -> str:
        text = " ".join(str(error).split())[:500]
        return text.replace(self._password, "...") if self._password else text


def _columns() -> dict[str, list[tuple[str, str]]]:
    """Columns and types of each table, as the server's catalog calls them."""
    return {
        table: [(name, _CALLED.get(_TYPES[type_][0], _TYPES[type_][0])) for name, type_ in columns]
        for table, columns in opening.expected().items()
        if table in TABLES
    }


def _arrow_types() -> dict[str, dict[str, Any]]:
    return {table: {name: _TYPES[type_][1] for name, type_ in columns} for table, columns in opening.expected().items()}


def _statements(schema: str) -> str:
    """The statements that make the tables: those of ``sql/format/tables.sql``, in types of the server."""
    text = sql.scripts("format")["tables"]
    format_columns = ",\n".join(f"    {name} {type_} NOT NULL" for name, (type_, _) in generated.FORMAT.items())
    text += f"CREATE TABLE _hub.format (\n{format_columns}\n);\n"
    made = []
    for table, body in re.findall(r"CREATE TABLE _hub\.(\w+) (\(.*?\n\);)", text, re.DOTALL):
        if table in TABLES:
            body = re.sub(r"COLLATE C\b", 'COLLATE "C"', body)
            made.append(f"CREATE TABLE {schema}.{table} " + re.sub(r"\b[A-Z]+(\[\])?(?=[ ,\n])", _server_type, body))
    for comment, table in re.findall(
        r"^(COMMENT ON (?:TABLE|COLUMN) _hub\.(\w+)[^;']* IS\s+'(?:[^']|'')*';)", text, re.MULTILINE
    ):
        if table in TABLES:
            made.append(comment.replace("_hub.", f"{schema}.", 1))
    return "\n".join(made) + _KEYS.format(schema)


def _server_type(word: re.Match[str]) -> str:
    return _TYPES[word[0]][0] if word[0] in _TYPES else word[0]


def _of_server(values: list[Any], type_: Any) -> Any:
    """A column as it is in a file."""
    if not _is_packed(type_):
        return pa.array(values, type_)
    packed = pa.array(values, pa.large_binary())
    width = type_.value_type.bit_width // 8
    if packed.null_count or any(len(each) % width for each in values):
        raise ValueError("a list of numbers is cut off")
    offsets = pa.Array.from_buffers(pa.int64(), len(values) + 1, [None, packed.buffers()[1]])
    starts = pa.compute.divide(offsets, width).cast(pa.int32())
    count = starts[-1].as_py() if values else 0
    return pa.ListArray.from_arrays(starts, pa.Array.from_buffers(type_.value_type, count, [None, packed.buffers()[2]]))


def _for_server(column: Any) -> list[Any]:
    """The cells of a column as the server has them."""
    if not _is_packed(column.type):
        cells: list[Any] = column.to_pylist()
        return cells
    found = []
    for chunk in column.chunks:
        width = chunk.type.value_type.bit_width // 8
        whole = memoryview(chunk.values.buffers()[1] or b"")
        start = chunk.values.offset
        bounds = [(start + each) * width for each in chunk.offsets.to_pylist()]
        found += [bytes(whole[first:last]) for first, last in pairwise(bounds)]
    return found


def _is_packed(type_: Any) -> bool:
    return bool(pa.types.is_list(type_) and not pa.types.is_string(type_.value_type))
