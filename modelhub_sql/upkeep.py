"""A hub's file looked after: is it whole (verify), what can be saved (rescue), a copy (backup), without waste (compact)."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import duckdb

from modelhub_sql import generated, journal, logic, opening, others
from modelhub_sql.datasets import arrow
from modelhub_sql.errors import (
    DiskFullError,
    HubAccessError,
    HubBusyError,
    HubDamagedError,
    HubError,
    HubFormatError,
    HubNotFoundError,
    HubReadOnlyError,
    OptionError,
    SettingsError,
)
from modelhub_sql.fetching import is_url, shown
from modelhub_sql.result import Result
from modelhub_sql.settings import Settings
from modelhub_sql.shared import must_be_a_file
from modelhub_sql.writing import beside, swept

if TYPE_CHECKING:
    from modelhub_sql.hub import Hub

__all__ = ["Fault", "Rescued", "as_result", "backup", "compact", "faults", "rescue"]

#: What is of a dataset.
_OF_DATASET = ("datasets", "features", "partition_counts", "models")
#: What is carried over; what else a hub has is made anew.
_TABLES = ("defaults", *_OF_DATASET, "outcomes")
#: What reading a damaged block raises.
_UNREADABLE = (duckdb.Error, RuntimeError, UnicodeDecodeError, ValueError)
#: Seconds that a backup waits for the end of a checkpoint of another process.
_PATIENCE = 60


class Fault(NamedTuple):
    """dataset_id: None where it is not of one. feature: the same."""

    dataset_id: int | None
    feature: str | None
    fault: str


def faults(hub: Hub) -> list[Fault]:
    """What is wrong with an open hub: each block that is in use is read, and what is stored in two ways is compared."""
    own, place, file = hub._own, hub._place, hub._file
    found: list[Fault] = []
    if file is not None:
        found += [Fault(None, None, f"the block {block} of {what} is not as it was written") for what, block in _torn(hub)]
    if found:
        return found
    row = opening._format_row(own, place.tables, hub.path)
    from datasketch import MinHash  # half a second

    number = row["minhash_bands"] * row["minhash_rows"]
    functions = MinHash(num_perm=number, seed=row["seed"], scheme="affine32").permutations
    if opening._functions(own, place.tables) != [(int(a), int(b)) for a, b in zip(*functions, strict=True)]:
        found.append(Fault(None, None, "the MinHash functions are not those of the seed"))
    for relation in logic.relations("check").values():
        try:
            rows = own.execute(logic.placed(relation.query, place)).fetchall()
        except duckdb.Error as error:
            found.append(Fault(None, None, f"{relation.name} can't be read: {' '.join(str(error).split())[:300]}"))
        else:
            found += [Fault(*row) for row in rows]
    if file is not None:
        found += [Fault(None, None, f"{what}: modelhub compact writes the file's logic anew") for what in _of_logic(hub)]
    return found


def _of_logic(hub: Hub) -> Iterator[str]:
    """What is wrong with the logic that a file carries for other clients. That of another version is not known here."""
    own, tables = hub._own, hub._place.tables
    told = own.execute(f"SELECT digest FROM {tables}._hub.logic").fetchall()
    if len(told) != 1:
        yield f"there are {len(told)} versions of the file's logic, not one"
        return
    if told[0][0] != logic.digest(opening._constants(own, hub._place)):
        return
    scripts = dict(own.execute(f"SELECT verb, script FROM {tables}._hub.verbs").fetchall())
    for verb, script in logic.verbs().items():
        if scripts.get(verb) != script:
            yield f"the script of the verb {verb} is not that of its version"
    found = {
        name.casefold()
        for listed, column in (("duckdb_functions()", "function_name"), ("duckdb_views()", "view_name"))
        for (name,) in own.execute(
            f"SELECT {column} FROM system.main.{listed} WHERE database_name = ? AND schema_name = 'main'",
            [tables[1:-1].replace('""', '"')],
        ).fetchall()
    }
    for missing in sorted({each.name.casefold() for each in logic.public()} - found):
        yield f"{missing} is missing in the file"


def as_result(hub: Hub, found: list[Fault]) -> Result:
    """The faults as rows."""
    import pyarrow as pa

    types = {"dataset_id": pa.int64(), "feature": pa.string(), "fault": pa.string()}
    columns = {name: pa.array([getattr(each, name) for each in found], type_) for name, type_ in types.items()}
    return Result(hub.con, pa.table(columns))


def _torn(hub: Hub) -> Iterator[tuple[str, int]]:
    """Blocks in use whose checksum is not that of what they hold, and what of."""
    assert hub._file is not None
    held, catalog = hub._file.held, hub._place.tables
    header = journal.newest(held.read(journal.HEADERS, 0))
    assert header is not None, "DuckDB has read it"
    wanted = dict.fromkeys(journal.metadata_blocks(hub._own, catalog), "metadata")
    for (table,) in hub._own.execute(
        "SELECT table_name FROM system.main.duckdb_tables() WHERE database_name = ? AND schema_name = '_hub'", [catalog[1:-1]]
    ).fetchall():
        rows = hub._own.execute(
            "SELECT block_id, additional_block_ids FROM system.main.pragma_storage_info(?) WHERE block_id >= 0",
            [f"{catalog}._hub.{table}"],
        ).fetchall()
        wanted |= {block: table for first, others in rows for block in (first, *(others or []))}
    for block, what in sorted(wanted.items()):
        if not journal.is_sound(held.read(header.block_size, journal.HEADERS + block * header.block_size)):
            yield what, block


def backup(path: str, output: str, replace: bool = False) -> int:
    """Copy a hub, which may be open and may be written to meanwhile; returns the bytes of the copy, which is verified.

    The copy has what was committed when it began. replace: it takes the place of an earlier one, when it is whole. Raises
    HubError, and OptionError where there is a file already that it is not to replace.
    """
    _must_be_there(path)
    is_there = replace and os.path.exists(output)
    if is_there:
        _must_be_replaceable(path, output)
    new = beside(Path(os.path.realpath(output)), "new") if is_there else _new_file(output)
    journal.mend(path)
    end = time.monotonic() + _PATIENCE
    with _removed(new):
        while not _copied(path, new):
            if time.monotonic() > end:
                raise HubBusyError(f"{path} is being written all the time: try again, nothing was copied")
            time.sleep(0.05)
        _check_copy(new, path)
        if is_there:
            journal.replaced(new, Path(os.path.realpath(output)))
        else:
            journal.moved(new, Path(output))
    return Path(output).stat().st_size


def _must_be_replaceable(path: str, output: str) -> None:
    """Refuse to replace what is no earlier copy, or one that was changed since."""
    if os.path.samefile(path, output):
        raise OptionError(f"{output} is the hub itself: name another file for the copy")
    # None of DuckDB's files is refused.
    opening._is_new(output)
    for beside_it in (journal.log_of(output), journal.journal_of(output)):
        if beside_it.exists():
            raise OptionError(f"{output} was changed itself ({beside_it} is beside it): name a new file for the copy")


def _copied(path: str, new: Path) -> bool:
    """Whether a hub could be copied without a checkpoint meanwhile. What a checkpoint writes in place would be torn."""
    held = journal.Held(path)
    try:
        before = held.read(journal.HEADERS, 0)
        if journal.journal_of(path).exists():
            return False
        size, at = os.stat(path).st_size, 0
        with new.open("wb") as stream:
            while at < size and (part := held.read(1 << 22, at)):
                stream.write(part)
                at += len(part)
        log = journal.log_of(str(new))
        log.unlink(missing_ok=True)
        if journal.log_size(path):
            try:
                shutil.copyfile(journal.log_of(path), log)
            except FileNotFoundError:
                if journal.log_of(path).exists():
                    raise
                # It went while it was copied: a checkpoint.
                return False
        return held.read(journal.HEADERS, 0) == before and not journal.journal_of(path).exists()
    finally:
        held.close()


def _check_copy(new: Path, path: str) -> None:
    from modelhub_sql.hub import Hub

    with Hub(str(new)) as copy:
        # Opening and closing brings the log into the file.
        if found := faults(copy):
            raise HubDamagedError(f"{path} is damaged, and so would be the copy: {found[0].fault}; see modelhub verify")


def compact(path: str, wait: float = 0, drop_others: bool = False) -> tuple[int, int]:
    """Write a hub anew, without what removed models have left; returns its bytes before and after.

    The new file takes the place of the old in one step. What else is in the file, tables of the user's own, is not in the new
    one: drop_others allows that. Raises HubError, and OptionError where there are such and it is not allowed.
    """
    from modelhub_sql.hub import Hub

    _must_be_there(path)
    before = os.stat(path).st_size
    place = Path(os.path.realpath(path))
    new = beside(place, "compact")
    with Hub(path, wait=wait, _numpy=False) as hub, _removed(new):
        assert hub._file is not None
        if hub._file.held.users() > 1:
            raise HubBusyError(f"{path} is open more than once in this process: close the others first")
        if (own := others.named(hub._own, hub._place.tables[1:-1].replace('""', '"'))) and not drop_others:
            raise OptionError(
                f"{path} has more than a hub in it: {_listed(own)}. Compacted it would be without; nothing was changed. Copy to "
                "another file what you need, then drop it, or let it go (drop_others, --drop-others)"
            )
        swept(place, "compact")
        _rebuilt(hub, new)
        shutil.copymode(place, new)
        hub._file.settle()
        # Whoever waits for the lock of the old file opens the new one then.
        journal.replaced(new, place)
    return before, os.stat(path).st_size


def _rebuilt(hub: Hub, new: Path) -> None:
    """The rows of a hub in a file of its own, with the logic of this version."""
    own, tables = hub._own, hub._place.tables
    settings = _settings(own, tables, hub.path)
    opening._make(str(new), settings)
    own.execute(f"ATTACH '{_text(str(new))}' AS modelhub_new")
    try:
        own.execute("BEGIN TRANSACTION; DELETE FROM modelhub_new._hub.defaults")
        for table in _TABLES:
            own.execute(f"INSERT INTO modelhub_new._hub.{table} BY NAME FROM {tables}._hub.{table}")
        own.execute("COMMIT; CHECKPOINT modelhub_new")
    except BaseException:
        with suppress(duckdb.Error):
            own.execute("ROLLBACK")
        raise
    finally:
        own.execute("DETACH modelhub_new")


def _settings(con: duckdb.DuckDBPyConnection, tables: str, path: str) -> Settings:
    row = opening._format_row(con, tables, path)
    return Settings(**{name: value for name, value in row.items() if name in Settings.names()})


class Rescued(NamedTuple):
    """models: that the new hub has. lost: datasets, and what is wrong with each. log: whether the last changes could be read.

    outcomes, defaults: why they are lost; None where they are not. others: tables of the user's own and the like, which were
    left. renamed: datasets whose models can't be read: one stands for them, called as the dataset.
    """

    models: int
    lost: list[tuple[int, str]]
    log: bool
    outcomes: str | None = None
    others: str = ""
    defaults: str | None = None
    renamed: tuple[int, ...] = ()


def rescue(path: str, output: str) -> Rescued:
    """Make a new hub of what of a damaged one can be read; the damaged one stays as it is.

    A dataset is taken over whole or not at all. Raises HubDamagedError where nothing can be read, HubFormatError where it is no
    hub, and OptionError where there is a file at ``output``.
    """
    _must_be_there(path)
    new = _new_file(output)
    with tempfile.TemporaryDirectory(dir=new.parent, prefix=".rescue-") as folder, _removed(new):
        copy = Path(folder) / "hub.duckdb"
        for source, target in (
            (Path(path), copy),
            (journal.log_of(path), journal.log_of(str(copy))),
            (journal.journal_of(path), journal.journal_of(str(copy))),
        ):
            if source.exists():
                shutil.copyfile(source, target)
        journal.mend(str(copy))
        _mend_header(copy)
        log = _opens(copy)
        if not log:
            journal.log_of(str(copy)).unlink(missing_ok=True)
        rescued = _taken_over(copy, new, path)
        journal.moved(new, Path(output))
    return rescued._replace(log=log)


def _mend_header(copy: Path) -> None:
    """DuckDB refuses a file of which either header is torn: the sound one is written in both places."""
    with copy.open("rb+") as stream:
        headers = stream.read(journal.HEADERS)
        header = journal.newest(headers)
        if header is not None:
            size = journal.HEADERS // 3
            other = 3 - header.slot
            if not journal.is_sound(headers[other * size : (other + 1) * size]):
                stream.seek(other * size)
                stream.write(headers[header.slot * size : (header.slot + 1) * size])


def _opens(copy: Path) -> bool:
    try:
        duckdb.connect(str(copy), read_only=True).close()
    except duckdb.Error:
        return False
    return True


def _taken_over(copy: Path, new: Path, path: str) -> Rescued:
    try:
        with _read(copy) as con:
            ((catalog,),) = con.execute("SELECT system.main.current_database()").fetchall()
            opening._check_tables(con, catalog, path)
            own = others.named(con, catalog)
        settings = _settings_kept(copy, catalog, path)
        numbers = _numbers(copy)
    except _UNREADABLE as error:
        if isinstance(error, HubError):
            raise
        raise HubDamagedError(f"nothing of {path} can be read any more: {_why(error)}. Restore a backup") from error
    from modelhub_sql.hub import Hub

    with Hub(str(new), **{name: getattr(settings, name) for name in Settings.names()}) as hub:
        tables = hub._place.tables
        lost, renamed = _datasets_taken_over(hub, copy, numbers)
        defaults = None
        columns = list(generated.DEFAULTS)
        try:
            with _read(copy) as con:
                (values,) = con.execute(f"SELECT {', '.join(columns)} FROM _hub.defaults").fetchall()
            Settings(**{name: value for name, value in zip(columns, values, strict=True) if name in Settings.names()})
        except _UNREADABLE as error:
            defaults = _why(error)
        else:
            hub._own.execute(f"UPDATE {tables}._hub.defaults SET {', '.join(f'{name} = ?' for name in columns)}", list(values))
        for fault in faults(hub):
            if fault.dataset_id is not None:
                lost.setdefault(fault.dataset_id, fault.fault if fault.feature is None else f"{fault.feature}: {fault.fault}")
        with hub._transaction():
            for number in lost:
                for table in _OF_DATASET:
                    hub._own.execute(f"DELETE FROM {tables}._hub.{table} WHERE dataset_id = ?", [number])
        outcomes = _outcomes_taken_over(hub, copy)
        left = tuple(number for number in renamed if number not in lost)
        return Rescued(len(hub.models()), sorted(lost.items()), True, outcomes, _listed(own), defaults, left)


def _read(copy: Path) -> duckdb.DuckDBPyConnection:
    # One for each that reads: what is damaged may leave it of no use.
    return duckdb.connect(str(copy), read_only=True)


def _why(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def _settings_kept(copy: Path, catalog: str, path: str) -> Settings:
    """What a hub was made with. Where that can't be read, or no hub is opened with it: by the constraint of the format, which
    the catalog has."""
    with suppress(*_UNREADABLE, HubFormatError), _read(copy) as con:
        return _settings(con, f'"{catalog}"', path)
    with _read(copy) as con:
        told = con.execute(
            "SELECT constraint_text FROM system.main.duckdb_constraints() "
            "WHERE schema_name = '_hub' AND table_name = 'format' AND constraint_type = 'CHECK'"
        ).fetchall()
    row = generated.row_of(told[0][0]) if len(told) == 1 else {}
    opening.check_version(row.get("format_version"), path)
    if row.keys() != generated.FORMAT.keys():
        raise HubFormatError(f"{path} is no hub that this version made: its format has other settings")
    try:
        return Settings(**{name: value for name, value in row.items() if name in Settings.names()})
    except SettingsError as error:
        raise HubFormatError(f"{path} is no hub that this version made: {error}") from error


def _numbers(copy: Path) -> list[int]:
    """The datasets that a table speaks of which can be read."""
    found: set[int] = set()
    failed: list[Exception] = []
    tables = ("datasets", "models", "features")
    for table in tables:
        try:
            with _read(copy) as con:
                found |= {number for (number,) in con.execute(f"SELECT DISTINCT dataset_id FROM _hub.{table}").fetchall()}
        except _UNREADABLE as error:
            failed.append(error)
    if len(failed) == len(tables):
        raise failed[0]
    return sorted(found)


def _datasets_taken_over(hub: Hub, copy: Path, numbers: list[int]) -> tuple[dict[int, str], list[int]]:
    """Take over the datasets that can be read; returns the others, with why, and those whose models can't be read."""
    tables = f"{hub._place.tables}._hub"
    lost: dict[int, str] = {}
    renamed: list[int] = []
    con: duckdb.DuckDBPyConnection | None = None

    def read(table: str, number: int) -> Any:
        nonlocal con
        con = con or _read(copy)
        try:
            return arrow(con.sql(f"FROM _hub.{table} WHERE dataset_id = ?", params=[number]))
        except _UNREADABLE:
            con.close()
            con = None
            raise

    for number in numbers:
        try:
            rows = {table: read(table, number) for table in _OF_DATASET if table != "models"}
        except _UNREADABLE as error:
            lost[number] = _why(error)
            continue
        if not rows["datasets"].num_rows:
            lost[number] = "it is missing, though models use it"
            continue
        with suppress(*_UNREADABLE):
            rows["models"] = read("models", number)
        with hub._transaction():
            for table, found in rows.items():
                hub._own.register("modelhub_found", found)
                hub._own.execute(f"INSERT INTO {tables}.{table} BY NAME FROM modelhub_found")
                hub._own.unregister("modelhub_found")
            if "models" not in rows:
                renamed.append(number)
                hub._own.execute(
                    f"INSERT INTO {tables}.models BY NAME SELECT dataset AS model, CASE WHEN EXISTS "
                    f"(FROM {tables}.models WHERE model = dataset AND version = '') THEN 'dataset ' || dataset_id ELSE '' END "
                    f"AS version, dataset_id, registered_at FROM {tables}.datasets WHERE dataset_id = ?",
                    [number],
                )
    if con is not None:
        con.close()
    return lost, renamed


def _outcomes_taken_over(hub: Hub, copy: Path) -> str | None:
    """Take over what was measured of the models that are there; None, or what is wrong."""
    tables = f"{hub._place.tables}._hub"
    try:
        with _read(copy) as con:
            found = arrow(con.sql("FROM _hub.outcomes"))
    except _UNREADABLE as error:
        return _why(error)
    with hub._transaction():
        hub._own.register("modelhub_found", found)
        hub._own.execute(
            f"INSERT INTO {tables}.outcomes BY NAME FROM modelhub_found SEMI JOIN {tables}.models USING (model, version)"
        )
        hub._own.unregister("modelhub_found")
    return None


def _listed(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _must_be_there(path: str) -> None:
    must_be_a_file(path, "its server copies it (pg_dump), and modelhub import takes its models into a file")
    if is_url(path):
        raise HubReadOnlyError(f"{shown(path)} is at a web address: fetch the file first (curl -o hub.duckdb ADDRESS)")
    if path == ":memory:" or opening._is_new(path):
        raise HubNotFoundError(f"there is no hub at {path}")


def _new_file(output: str) -> Path:
    place = Path(output)
    if os.path.exists(place):
        raise OptionError(f"there is a file at {output} already: name a new one")
    if not os.path.isdir(place.absolute().parent):
        raise HubAccessError(f"can't write {output}: its folder does not exist")
    return beside(place, "new")


@contextmanager
def _removed(new: Path) -> Iterator[None]:
    """A file that is on its way to its name: removed if it does not get there."""
    try:
        yield
    except OSError as error:
        if isinstance(error, HubError):
            raise
        if isinstance(error, FileExistsError):
            raise OptionError(f"there is a file at {error.filename2 or error.filename} by now: name a new one") from error
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise (DiskFullError if full else HubAccessError)(f"{new} can't be written: {error.strerror}") from error
    finally:
        for left in (new, journal.log_of(str(new)), journal.journal_of(str(new))):
            with suppress(OSError):
                left.unlink(missing_ok=True)


def _text(text: str) -> str:
    return text.replace("'", "''")
