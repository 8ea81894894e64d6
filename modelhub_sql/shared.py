"""A hub that many share, in a database: a copy of its tables in memory, and changes that go there as a whole.

The package's logic runs over the copy, as over a file. Before each verb the hub's revision is asked for, one row; where it is
another, what changed is read: the rows of models and datasets, and the sketches of datasets whose row is another. The histograms
of partitions, most of a hub, can be left until a verb needs them. A verb changes
the copy in a transaction of its own. What is different then goes to the server in one transaction that no other writer is in, by
a lock or by going again: there a dataset gets its number, and what others changed meanwhile is looked at. Where it is the same
model, nothing is stored, and the verb runs again.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from importlib import import_module
from typing import Any, NamedTuple, Protocol, TypeVar

import duckdb

from modelhub_sql import generated, opening, sql
from modelhub_sql.datasets import arrow, fetched
from modelhub_sql.errors import (
    HubAccessError,
    HubBusyError,
    HubFormatError,
    HubLockedError,
    HubNotFoundError,
    HubReadOnlyError,
    OptionError,
    translated,
)
from modelhub_sql.opening import Opened, opened
from modelhub_sql.settings import Settings

__all__ = [
    "HEADS",
    "SKETCHES",
    "TABLES",
    "Incomplete",
    "Lost",
    "Moved",
    "Raced",
    "Remote",
    "Shared",
    "State",
    "is_shared",
    "must_be_a_file",
    "opened_there",
    "shown",
]

T = TypeVar("T")

#: What an address begins with.
_KIND = re.compile(r"(postgres|postgresql|quack|ducklake):", re.IGNORECASE)
#: Tables that are read whole when something has changed, and those of which only the datasets that did are.
HEADS, SKETCHES = ("defaults", "datasets", "models", "outcomes"), ("features", "partition_counts")
#: What a server has of a hub: all but the logic that a file carries for other clients.
TABLES = ("format", "minhash_functions", *HEADS, *SKETCHES)
#: What is read only when it is needed.
_LATE = "partition_counts"
#: Datasets whose sketches are read at once.
_MANY = 200
#: So often a change is sent again, and a verb run again, before it is given up.
_TIMES = 5


class Lost(HubAccessError):
    """The connection to the server broke, perhaps after a COMMIT was sent."""


class Incomplete(HubBusyError):
    """A verb needs the histograms of partitions, which have not been read yet; it runs again when they have."""


class Moved(HubBusyError):
    """What a verb has changed was changed by another process meanwhile; nothing was stored."""


class Raced(HubBusyError):
    """Another was faster: nothing was stored, or what was read is not of one state. It is for who asked to do it again."""


class State(NamedTuple):
    """identity: of the hub, made with it. revision: another after each change, mostly one more."""

    identity: str
    revision: int


class Remote(Protocol):
    """A server's tables. Rows travel as Arrow tables of the types of ``sql/format/tables.sql``.

    shown: the address, without a password. wait: seconds that a writer goes on trying beside others.
    """

    shown: str
    wait: float

    def is_there(self) -> bool:
        """Whether there is a hub, whose tables are those that this package makes. Raises HubFormatError."""

    def create(self, rows: Mapping[str, Any]) -> bool:
        """Make the tables and fill some, in one transaction; False where another process was first."""

    def state(self) -> State:
        """The hub's state now."""

    def reading(self) -> AbstractContextManager[State]:
        """A transaction in which all reads see one state. Raises Raced at its end where they did not."""

    def writing(self) -> AbstractContextManager[State]:
        """A transaction that no other writer is in; it ends by a commit, and the next revision. Raises Raced."""

    def read(self, table: str, column: str | None = None, values: Sequence[Any] = ()) -> Any:
        """Rows of a table, where a column has one of the values."""

    def last_dataset(self) -> int:
        """The greatest number of a dataset, or 0."""

    def insert(self, table: str, rows: Any) -> None:
        """Add rows."""

    def delete(self, table: str, keys: Any) -> None:
        """Remove the rows that have the values of all columns of one of the keys."""

    def reconnect(self) -> None:
        """Connect anew where the connection is lost."""

    def close(self) -> None:
        """Close the connection."""


def is_shared(path: str) -> bool:
    """Whether a hub is in a database server."""
    return _KIND.match(path) is not None


def must_be_a_file(path: str, instead: str) -> None:
    """Refuse a hub in a server where only a file will do; instead: what to do. Raises OptionError."""
    if is_shared(path):
        raise OptionError(f"{shown(path)} is in a database, not a file: {instead}")


def shown(path: str) -> str:
    """What messages call a hub: an address without its password, a path as it is."""
    if (kind := _KIND.match(path)) is None:
        return path
    told: str = _module(kind[1]).shown(path)
    return told


def _module(kind: str) -> Any:
    return import_module(f"modelhub_sql.{kind.lower().replace('postgresql', 'postgres')}")


def _remote(address: str, read_only: bool, wait: float) -> Remote:
    kind = _KIND.match(address)
    assert kind is not None
    module = _module(kind[1])
    # Postgres, Quack, Ducklake.
    made: Remote = getattr(module, module.__name__.rpartition(".")[2].capitalize())(address, read_only, wait)
    return made


def opened_there(
    address: str, read_only: bool, given: Mapping[str, Any], numpy: bool, wait: float, make: bool, late: bool
) -> tuple[Opened, Shared]:
    """A hub in a server, as ``opened`` opens a file, and what keeps its copy. make: one where there is none.

    late: the histograms of partitions are read when a verb needs them.
    """
    remote = _remote(address, read_only, wait)
    try:
        is_new = not remote.is_there()
        if is_new and (read_only or not make):
            raise HubNotFoundError(f"there is no hub at {remote.shown}: register a model to make one")
        copy = _Copy(remote, is_new)
        found = opened(remote.shown, read_only, given, numpy, copied=copy)
        try:
            shared = Shared(remote, found.own, found.place.tables, read_only, copy.is_new)
            shared.refresh(whole=False, always=not late)
        except BaseException:
            found.own.close()
            found.con.close()
            raise
    except BaseException:
        remote.close()
        raise
    return found, shared


class _Copy:
    """What makes a database in memory the copy of a server's hub, or both anew. is_new: whether there is none there."""

    def __init__(self, remote: Remote, is_new: bool) -> None:
        self._remote, self.is_new = remote, is_new

    def fill(self, con: duckdb.DuckDBPyConnection, settings: Settings) -> None:
        """The hub's tables in a database: its format, its defaults and no models yet."""
        if self.is_new:
            opening.create(con, settings, with_logic=False)
            rows = {name: arrow(con.sql(f"FROM _hub.{name}")) for name in ("format", "minhash_functions", "defaults")}
            if self._remote.create(rows):
                return
            con.execute("DROP SCHEMA _hub CASCADE")
            self.is_new = False
        (row,) = self._one_row("format")
        opening.check_version(row["format_version"], self._remote.shown)
        con.execute("CREATE SCHEMA _hub")
        con.execute(sql.scripts("format")["tables"])
        con.execute(generated.format_table(row))
        for table in ("minhash_functions", "defaults"):
            _insert(con, f"_hub.{table}", self._remote.read(table), self._remote.shown)

    def _one_row(self, table: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self._remote.read(table).to_pylist()
        if len(rows) != 1:
            raise HubFormatError(f"{self._remote.shown} is no hub that this version made: it has {len(rows)} rows of {table}")
        return rows


class Shared:
    """The copy of a server's hub: brought up to date before a verb, its changes sent after it.

    own, tables: the package's connection, and what SQL there calls the database that holds the copy. is_new: whether the hub was
    made when it was opened.
    """

    def __init__(
        self, remote: Remote, own: duckdb.DuckDBPyConnection, tables: str, read_only: bool, is_new: bool = False
    ) -> None:
        self.is_new = is_new
        self._remote, self._own, self._tables, self._read_only = remote, own, f"{tables}._hub", read_only
        self.shown = remote.shown
        self._identity: str | None = None
        #: None: what the copy is like is not known.
        self._state: State | None = None
        self._depth = 0
        #: Datasets whose histograms of partitions are not here; whether they are to be read with all else.
        self._missing: set[int] = set()
        self._is_whole = False

    def in_turn(self, verb: Callable[[], Any], given: Sequence[Any], whole: bool = True) -> Any:
        """What a verb returns over what the hub is now; run again where it met another's change.

        given: what it was called with. whole: whether it needs, or may need, the histograms of partitions.
        """
        if self._depth:
            if whole:
                self.need_all()
            return verb()
        # A stream has been read.
        can_again = not any(hasattr(each, "__next__") or hasattr(each, "read_next_batch") for each in given)
        whole = whole or not can_again
        for attempt in range(_TIMES):
            self.refresh(whole)
            self._depth += 1
            try:
                return verb()
            except Incomplete:
                whole = True
                continue
            except Moved:
                if not can_again or attempt == _TIMES - 1:
                    raise
            finally:
                self._depth -= 1
            time.sleep(random.random() * 0.05 * 2**attempt)
        raise AssertionError

    def need_all(self) -> None:
        """Refuse to go on where the histograms of some partitions are not here. Raises Incomplete."""
        if self._missing:
            raise Incomplete(f"{self._remote.shown}: the histograms of partitions have not been read")

    def refresh(self, whole: bool = True, always: bool = False) -> None:
        """Bring the copy up to date. Raises HubFormatError where the hub was made anew meanwhile.

        whole: with the histograms of partitions. always: from now on, for somebody looks at the tables themselves.
        """
        if self._depth:
            return
        self._is_whole = self._is_whole or always
        whole = whole or self._is_whole

        def act() -> None:
            self._refresh(whole)

        try:
            self._again(act)
        except Lost:
            # A server was started anew, or a connection was idle for too long.
            self._remote.reconnect()
            self._again(act)

    def _again(self, act: Callable[[], T]) -> T:
        """What is done until no other is faster. Raises HubLockedError."""
        end = time.monotonic() + self._remote.wait
        attempt = 0
        while True:
            try:
                return act()
            except Raced as error:
                if time.monotonic() > end:
                    raise HubLockedError(
                        f"{self._remote.shown}: others change the hub for more than {self._remote.wait:.0f} seconds: try again"
                    ) from error
            attempt = min(attempt + 1, 8)
            time.sleep(random.random() * 0.02 * attempt)

    def _refresh(self, whole: bool) -> None:
        if self._state is not None and self._remote.state() == self._state and not (whole and self._missing):
            return
        self._state = None
        with self._remote.reading() as state:
            if self._identity not in (None, state.identity):
                raise HubFormatError(f"{self._remote.shown} is another hub than before: connect again")
            with self._copied({table: self._remote.read(table) for table in HEADS}):
                try:
                    self._own.execute("BEGIN TRANSACTION")
                    try:
                        missing = self._apply(whole)
                        self._own.execute("COMMIT")
                        self._missing = missing
                    except BaseException:
                        with suppress(duckdb.Error):
                            self._own.execute("ROLLBACK")
                        raise
                except duckdb.Error as error:
                    raise _of_content(error, self._remote.shown) from error
        self._state, self._identity = state, state.identity

    def _apply(self, whole: bool) -> set[int]:
        """What changed there, here; the datasets whose histograms of partitions are not."""
        own, tables = self._own, self._tables
        gone = self._ids(f"FROM {tables}.datasets EXCEPT FROM modelhub_there_datasets")
        for table in ("datasets", *SKETCHES) if gone else ():
            own.execute(f"DELETE FROM {tables}.{table} WHERE list_contains(?::UINTEGER[], dataset_id)", [gone])
        new = self._ids(f"FROM modelhub_there_datasets EXCEPT FROM {tables}.datasets")
        own.execute(
            f"INSERT INTO {tables}.datasets BY NAME FROM modelhub_there_datasets "
            "WHERE list_contains(?::UINTEGER[], dataset_id) ORDER BY dataset_id ASC",
            [new],
        )
        missing = (self._missing - {*gone}) | {*new}
        for table in SKETCHES:
            wanted = new if table != _LATE else sorted(missing) if whole else []
            for some in (wanted[start : start + _MANY] for start in range(0, len(wanted), _MANY)):
                _insert(own, f"{tables}.{table}", self._remote.read(table, "dataset_id", some), self._remote.shown)
        own.execute(
            f"DELETE FROM {tables}.models WHERE (model, version) IN (SELECT (model, version) FROM "
            f"(FROM {tables}.models EXCEPT FROM modelhub_there_models));"
            f"INSERT INTO {tables}.models BY NAME FROM (FROM modelhub_there_models EXCEPT FROM {tables}.models) "
            "ORDER BY registered_at ASC, model ASC, version ASC;"
        )
        for table in ("outcomes", "defaults"):
            own.execute(f"DELETE FROM {tables}.{table}; INSERT INTO {tables}.{table} BY NAME FROM modelhub_there_{table}")
        return set() if whole else missing

    def remember(self) -> None:
        """What the copy is like before a verb changes it, in the transaction that it is changed in."""
        if self._read_only:
            raise HubReadOnlyError(f"{self._remote.shown} was opened read-only: open it without read_only to change it")
        for table in HEADS:
            self._own.execute(f"CREATE OR REPLACE TEMP TABLE modelhub_before_{table} AS FROM {self._tables}.{table}")

    def send(self) -> None:
        """Bring what the verb changed to the server, before it is committed here. Raises Moved, HubLockedError and Lost."""
        changes = self._changes()
        if not changes.names and not any(len(rows) for each in (changes.gone, changes.new) for rows in each.values()):
            return
        before, self._state = self._state, None
        maybe_done = False

        def once() -> None:
            nonlocal maybe_done
            was_done = maybe_done
            try:
                with self._remote.writing() as state:
                    first = None
                    if state != before:
                        if maybe_done and self._is_done(changes):
                            return
                        self._check(changes)
                        first = self._remote.last_dataset() + 1
                    self._write(changes, first)
                    maybe_done = True
            except Raced:
                maybe_done = was_done
                raise
            if state == before:
                # No other has changed it: the copy is what the server has, once it is committed, too.
                self._state = State(state.identity, state.revision + 1)

        for attempt in range(_TIMES):
            try:
                if attempt:
                    self._remote.reconnect()
                self._again(once)
                return
            except Lost as error:
                if attempt == _TIMES - 1:
                    known = "it is not known whether the change was made" if maybe_done else "nothing was changed"
                    raise HubAccessError(f"{error}; {known}") from error
                time.sleep(0.1 * 2**attempt)

    def forget(self) -> None:
        """What was sent was not committed here: read anew what the server has."""
        self._state = None

    def close(self) -> None:
        """Close the connection to the server."""
        self._remote.close()

    def _changes(self) -> _Changes:
        tables = self._tables
        gone, new = {}, {}
        for table in HEADS:
            before = f"temp.main.modelhub_before_{table}"
            gone[table] = self._rows(f"FROM {before} EXCEPT ALL FROM {tables}.{table}")
            new[table] = self._rows(f"FROM {tables}.{table} EXCEPT ALL FROM {before}")
        ids = new["datasets"]["dataset_id"].to_pylist()
        # Their sketches take the place of those there.
        assert self._missing.isdisjoint(ids)
        for table in SKETCHES:
            new[table] = self._rows(f"FROM {tables}.{table} WHERE list_contains(?::UINTEGER[], dataset_id)", [ids])
        known = {row for (row,) in self._own.execute("SELECT dataset_id FROM temp.main.modelhub_before_datasets").fetchall()}
        return _Changes(gone, new, known)

    def _check(self, changes: _Changes) -> None:
        """Refuse where what the verb has seen, and changes or builds on, is another by now."""
        moved = self._others(changes)
        if moved:
            raise Moved(
                f"another process changed {moved} in {self._remote.shown} at the same time; nothing was changed, try again"
            )

    def _others(self, changes: _Changes) -> str:
        if names := changes.names:
            there = self._remote.read("models", "model", names)
            if self._differs(there, "FROM temp.main.modelhub_before_models WHERE list_contains(?::VARCHAR[], model)", [names]):
                return f"the model {names[0]}" if len(names) == 1 else "one of the models"
        if ids := changes.seen_datasets:
            there = self._remote.read("datasets", "dataset_id", ids)
            before = "FROM temp.main.modelhub_before_datasets WHERE list_contains(?::UINTEGER[], dataset_id)"
            if self._differs(there, before, [ids]):
                return "the dataset of the model"
        if ids := changes.removed_datasets:
            users = self._remote.read("models", "dataset_id", ids).select(["model", "version"]).to_pylist()
            leaving = changes.gone["models"].select(["model", "version"]).to_pylist()
            if any(each not in leaving for each in users):
                return "the models of the dataset"
        if len(changes.gone["outcomes"]):
            there = self._remote.read("outcomes", "model", names)
            with self._copied({"outcomes": there, "gone": changes.gone["outcomes"]}):
                if self._own.execute("FROM modelhub_there_gone EXCEPT ALL FROM modelhub_there_outcomes").fetchall():
                    return "the outcomes of the model"
        if len(changes.gone["defaults"]) and self._differs(
            self._remote.read("defaults"), "FROM temp.main.modelhub_before_defaults"
        ):
            return "the defaults"
        return ""

    def _is_done(self, changes: _Changes) -> bool:
        """Whether the server has what a lost connection was told."""
        here = f"SELECT * EXCLUDE (dataset_id) FROM {self._tables}.models WHERE list_contains(?::VARCHAR[], model)"
        there = self._remote.read("models", "model", changes.names).drop_columns(["dataset_id"])
        outcomes = self._remote.read("outcomes", "model", changes.names)
        return not (
            self._differs(there, here, [changes.names])
            or self._differs(outcomes, f"FROM {self._tables}.outcomes WHERE list_contains(?::VARCHAR[], model)", [changes.names])
            or self._differs(self._remote.read("defaults"), f"FROM {self._tables}.defaults")
        )

    def _write(self, changes: _Changes, first: int | None) -> None:
        """Send what was changed. first: the number of the first new dataset, where others may have been registered."""
        remote, gone = self._remote, changes.gone
        for table in ("outcomes", "models", "defaults"):
            if len(gone[table]):
                keys = gone[table].select(["model", "version"]) if table == "models" else gone[table]
                remote.delete(table, keys)
        if len(gone["datasets"]):
            for table in (*reversed(SKETCHES), "datasets"):
                remote.delete(table, gone["datasets"].select(["dataset_id"]))
        for table in ("defaults", "datasets", *SKETCHES, "models", "outcomes"):
            rows = changes.new[table]
            if len(rows):
                remote.insert(table, rows if first is None else self._renumbered(rows, changes, first))

    def _renumbered(self, rows: Any, changes: _Changes, first: int) -> Any:
        made = changes.made_datasets
        if "dataset_id" not in rows.column_names or not made or made[0] >= first:
            return rows
        numbers = dict(zip(made, range(first, first + len(made)), strict=True))
        import pyarrow as pa

        ids = [numbers.get(each, each) for each in rows["dataset_id"].to_pylist()]
        place = rows.column_names.index("dataset_id")
        return rows.set_column(place, "dataset_id", pa.array(ids, pa.uint32()))

    def _differs(self, there: Any, here: str, params: Sequence[Any] = ()) -> bool:
        with self._copied({"seen": self._rows(here, params or None), "now": there}):
            return any(
                self._own.execute(f"FROM modelhub_there_{one} EXCEPT ALL FROM modelhub_there_{other} LIMIT 1").fetchall()
                for one, other in (("seen", "now"), ("now", "seen"))
            )

    def _rows(self, query: str, params: Sequence[Any] | None = None) -> Any:
        self._own.execute(query, params)
        return fetched(self._own)

    def _ids(self, query: str) -> list[int]:
        return [number for (number,) in self._own.execute(f"SELECT dataset_id FROM ({query}) ORDER BY dataset_id ASC").fetchall()]

    @contextmanager
    def _copied(self, rows: Mapping[str, Any]) -> Iterator[None]:
        names = {f"modelhub_there_{table}": each for table, each in rows.items()}
        for name, each in names.items():
            self._own.register(name, each)
        try:
            yield
        finally:
            for name in names:
                self._own.unregister(name)


class _Changes(NamedTuple):
    """Rows that a verb has removed and added, of each table. known: the datasets that there were before."""

    gone: dict[str, Any]
    new: dict[str, Any]
    known: set[int]

    @property
    def names(self) -> list[str]:
        """The models that it is about."""
        found = {
            name for rows in (self.gone, self.new) for table in ("models", "outcomes") for name in _column(rows, table, "model")
        }
        return sorted(found)

    @property
    def made_datasets(self) -> list[int]:
        return sorted({*_column(self.new, "datasets", "dataset_id")} - self.known)

    @property
    def removed_datasets(self) -> list[int]:
        return sorted({*_column(self.gone, "datasets", "dataset_id")} - {*_column(self.new, "datasets", "dataset_id")})

    @property
    def seen_datasets(self) -> list[int]:
        """Datasets that it changes, or that models which it adds share."""
        used = {*_column(self.gone, "datasets", "dataset_id"), *_column(self.new, "models", "dataset_id")}
        return sorted(used & self.known)


def _column(rows: Mapping[str, Any], table: str, name: str) -> list[Any]:
    values: list[Any] = rows[table][name].to_pylist()
    return values


def _insert(con: duckdb.DuckDBPyConnection, table: str, rows: Any, shown: str) -> None:
    con.register("modelhub_there", rows)
    try:
        con.execute(f"INSERT INTO {table} BY NAME FROM modelhub_there ORDER BY ALL")
    except duckdb.Error as error:
        raise _of_content(error, shown) from error
    finally:
        con.unregister("modelhub_there")


def _of_content(error: duckdb.Error, shown: str) -> Exception:
    """What is there does not keep to what the tables of a hub hold."""
    return (
        translated(error, hub=shown)
        if not isinstance(error, duckdb.ConstraintException)
        else HubFormatError(f"{shown} holds what no hub does: {str(error).splitlines()[0][:300]}")
    )
