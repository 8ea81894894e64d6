"""What can go wrong, a class a meaning. The hub's SQL names the class before its message."""

from __future__ import annotations

import os
import re
import shlex
from difflib import get_close_matches

import duckdb

__all__ = [
    "DatasetError",
    "DiskFullError",
    "ExtraError",
    "HubAccessError",
    "HubBusyError",
    "HubDamagedError",
    "HubError",
    "HubForkedError",
    "HubFormatError",
    "HubLockedError",
    "HubLogError",
    "HubNotFoundError",
    "HubReadOnlyError",
    "ModelExistsError",
    "ModelNotFoundError",
    "OptionError",
    "OutOfMemoryError",
    "SaltError",
    "SettingsError",
    "TemporaryFilesError",
    "damaged",
    "is_not_permitted",
    "nearest_file",
    "of_opening",
    "translated",
]


class HubError(Exception):
    """Anything that ModelHub refuses; the message says what was wrong and what to do."""


class HubNotFoundError(HubError):
    """There is no hub at the path."""


class HubAccessError(HubError, OSError):
    """The hub's file can't be made, read or written by this user."""


class HubFormatError(HubError):
    """The file is not a hub, or one of a newer format."""


class HubDamagedError(HubFormatError):
    """The hub's file is damaged; ``modelhub rescue`` makes a new hub of what can be read."""


class HubLogError(HubFormatError):
    """Beside the hub lies the write-ahead log (.wal) of another, or of an older state of it."""


class HubForkedError(HubError):
    """The hub was opened before this process was forked; a process opens it for itself."""


class HubLockedError(HubError):
    """The hub is open in another process, or in this one in another mode, and one of the two writes."""


class HubBusyError(HubError):
    """Another transaction changes the same of the hub at the same time; nothing was changed."""


class HubReadOnlyError(HubError):
    """The hub was opened for reading only."""


class SettingsError(HubError, ValueError):
    """A setting of a new hub is out of range, or one of an existing hub would change."""


class SaltError(SettingsError):
    """A hub's salt is missing where texts are hashed with it, or is another one."""


class DatasetError(HubError, ValueError):
    """The dataset or target can't be read, is empty or has nothing to compare."""


class ExtraError(HubError, ImportError):
    """What was asked for needs a package that is not installed; the message says which extra brings it."""


class ModelExistsError(HubError, ValueError):
    """A model of that name and version is registered already."""


class ModelNotFoundError(HubError, KeyError):
    """No model of that name (and version) is registered."""

    def __str__(self) -> str:
        return str(self.args[0])


class OptionError(HubError, ValueError):
    """An argument is out of range or not one of the choices."""


class DiskFullError(HubError, OSError):
    """There is no room left where the hub or DuckDB's temporary files are."""


class TemporaryFilesError(HubError, OSError):
    """DuckDB's folder for temporary files can't be made or written."""


class OutOfMemoryError(HubError, MemoryError):
    """DuckDB's memory_limit does not suffice for the dataset."""


#: Classes that the hub's SQL names before its message.
_RAISED_IN_SQL = {
    cls.__name__: cls
    for cls in (DatasetError, HubFormatError, ModelExistsError, ModelNotFoundError, OptionError, SaltError, SettingsError)
}
_RAISED = re.compile(rf"Invalid Input Error: ({'|'.join(_RAISED_IN_SQL)}): (.*)", re.DOTALL)

#: What a function of Python raised, as DuckDB says it.
_RAISED_IN_PYTHON = re.compile(r"Invalid Input Error: Python exception occurred while executing the UDF: ([\w.]+)")

#: What DuckDB says, from its first letter on: a message has names of the user's data in it, which say nothing.
_LOCKED = re.compile(r"IO Error: (Could not set lock on file |Cannot open file .* being used by another process)", re.DOTALL)
_OPENED = re.compile(r"Connection Error: Can't open a connection to same database file with a different configuration")
_IN_TRANSACTION = re.compile(r"TransactionContext Error: cannot start a transaction within a transaction")
# Two transactions change the same: a row, or the next number of a dataset.
_CONFLICT = re.compile(r"TransactionContext Error: (Conflict on|Failed to commit|Catalog write-write conflict)")
_TAKEN = re.compile(r'Constraint Error: Duplicate key "(dataset_id: \d+"|model: .*, version: )', re.DOTALL)
_READ_ONLY = re.compile(
    r'Invalid Input Error: Cannot execute statement of type "[A-Z_ ]+" on database ".*" .*read-only mode', re.DOTALL
)
# What the system says stands at the end, where no name is.
_FULL = re.compile(r'IO Error: .*": No space left on device', re.DOTALL)
_TEMPORARY = re.compile(r'IO Error: (Failed to create directory "|Cannot open file "[^"]*/duckdb_temp_)')
_TEMPORARY_FULL = re.compile(r"Out of Memory Error: failed to offload data block")
_DAMAGED = re.compile(r"((IO Error: )?(Corrupt|Could not read|Failed to read)|(Serialization|INTERNAL|FATAL) Error: )")
#: What DuckDB says of its own files alone, also where it was reading another one.
_CORRUPT = re.compile(r"(IO Error: )?Corrupt database file")
_ANOTHER_LOG = re.compile(
    r'IO Error: (Failure while replaying WAL file "[^"]*": )?(WAL does not match database file|This WAL was created for)'
)
_BAD_LOG = re.compile(r'[\w ]+ Error: (Failure while replaying WAL file "|Corrupt WAL file)')
_VERSION = re.compile(r"IO Error: Trying to read a database file with (storage )?version number")
_ENCRYPTED = re.compile(r"[\w ]+ Error: Cannot open encrypted database")
_TOO_LONG = re.compile(r"(?i)file name too long")
_NOT_PERMITTED = re.compile(r'IO Error: Cannot open file ".*": Permission denied', re.DOTALL)

_NOT_THERE = re.compile(
    r"(Catalog Error: Table with name .* does not exist|IO Error: No files found that match the pattern)", re.DOTALL
)
_NO_READER = re.compile(r"Binder Error: No extension found that is capable of reading the file")
_DATABASE = re.compile(r"Binder Error: Database \".*\" (has multiple|does not have any) tables", re.DOTALL)
_TOO_SMALL = re.compile(r"Invalid Input Error: File '.*' too small to be a Parquet file", re.DOTALL)


def is_not_permitted(error: duckdb.Error) -> bool:
    """Whether the user may not open the file."""
    return isinstance(error, duckdb.IOException) and bool(_NOT_PERMITTED.fullmatch(str(error).strip()))


def of_opening(error: duckdb.Error, path: str, read_only: bool) -> Exception:
    """The HubError that a DuckDB error stands for where a hub was opened."""
    text = str(error)
    said = text.splitlines()[0][:600]
    known = translated(error)
    if is_not_permitted(error):
        return HubAccessError(
            f"no permission to {'read' if read_only else 'write'} {path} or its folder"
            + ("" if read_only else ": to search a hub that is there, open it with read_only=True")
        )
    if known is not error:
        return known
    if _TOO_LONG.search(text):
        return HubAccessError(
            f"{path} has too long a name: beside a hub are files of longer ones (its log and the like); shorten it"
        )
    if _ANOTHER_LOG.match(text):
        return HubLogError(
            f"{path}.wal is no log of this state of {path}, but of another hub or of an older state, so it was not brought into "
            f"it; move {path}.wal away to use the hub as it is, or put the file back that it belongs to ({said})"
        )
    if _BAD_LOG.match(text):
        return HubLogError(
            f"{path}.wal, the log of the last changes of {path}, is damaged: move it away to use the hub as it was before them, "
            f"or `modelhub rescue {path} -o NEW` ({said})"
        )
    if _VERSION.match(text):
        return HubFormatError(f"{path} was written by a DuckDB of another version: use that or a newer one ({said})")
    if _ENCRYPTED.match(text):
        return HubFormatError(f"{path} is not a hub: it is encrypted")
    return damaged(path, text)


def damaged(path: str, text: str) -> HubDamagedError:
    """What to say of a hub's file that can't be read."""
    return HubDamagedError(
        f"{path} is not a hub, or a damaged one: `modelhub rescue {path} -o NEW` makes a new hub of what can be read "
        f"({' '.join(text.split(chr(10) * 2)[0].split())[:400]})"
    )


def translated(error: duckdb.Error, dataset: str | None = None, table: str = "", hub: str | None = None) -> Exception:
    """The HubError that a DuckDB error stands for; the error itself when it stands for none.

    dataset: what was being read, for the message. table: what SQL calls it. hub: the file, where nothing but its tables was
    read: what else goes wrong is their fault.
    """
    text = str(error)
    if raised := _RAISED_IN_PYTHON.match(text):
        # Of the numpy functions, or of a stream of the user's.
        if raised[1] == "KeyboardInterrupt":
            raise KeyboardInterrupt from error
        if raised[1].endswith("MemoryError"):
            what = " and ".join(filter(None, (dataset, hub))) or "that"
            return OutOfMemoryError(
                f"memory does not suffice for {what}: {_in_short(text)}. Use fewer threads "
                "(SET threads = 1), or more memory; a hub that is damaged may ask for any amount (modelhub verify)"
            )

    def says(kind: type[duckdb.Error], beginning: re.Pattern[str]) -> bool:
        return isinstance(error, kind) and bool(beginning.match(text))

    if isinstance(error, duckdb.InvalidInputException) and (raised := _RAISED.match(text)):
        message = raised[2].split("\n\nLINE ")[0].strip()
        cls = _RAISED_IN_SQL[raised[1]]
        if cls is HubFormatError and hub:
            return cls(f"{hub}: {message}")
        return cls(dataset + message.removeprefix(table) if dataset and table and message.startswith(table) else message)
    if says(duckdb.IOException, _LOCKED):
        return HubLockedError(
            f"the hub is open in another process, and one of the two writes: {text.splitlines()[0]} "
            "Any number of processes may read at once (read_only=True); only one may write, and only alone."
        )
    if says(duckdb.ConnectionException, _OPENED):
        return HubLockedError(
            "this process has opened the hub already, for reading where this is for writing or the other way round: "
            "open it in the same way, or close the other first"
        )
    if says(duckdb.TransactionException, _IN_TRANSACTION):
        return HubBusyError("the hub's connection is in a transaction that is not ended: COMMIT or ROLLBACK it first")
    if says(duckdb.TransactionException, _CONFLICT) or says(duckdb.ConstraintException, _TAKEN):
        return HubBusyError(
            f"another transaction changed the hub at the same time, try again; nothing was changed: {_in_short(text)}"
        )
    if says(duckdb.InvalidInputException, _READ_ONLY):
        return HubReadOnlyError(
            "the hub was opened read-only, as one at a web address always is: open its file without read_only to change it"
        )
    if _FULL.fullmatch(text.strip()):
        return DiskFullError(
            f"no space left on the device, for the hub or for DuckDB's temporary files (SET temp_directory = '...' moves these); "
            f"nothing was changed: {_in_short(text)}"
        )
    if _TEMPORARY.match(text):
        return TemporaryFilesError(
            "DuckDB's folder for temporary files can't be made or written: name another (SET temp_directory = '...'), "
            f"or make room in memory (SET memory_limit = '4GB'); nothing was changed: {_in_short(text)}"
        )
    if _TEMPORARY_FULL.match(text):
        return DiskFullError(
            "no space left for DuckDB's temporary files: name a folder with more (SET temp_directory = '...'), "
            f"or make room in memory (SET memory_limit = '4GB'); nothing was changed: {_in_short(text)[:200]}"
        )
    if isinstance(error, duckdb.OutOfMemoryException):
        return OutOfMemoryError(
            f"DuckDB's memory_limit does not suffice{f' for {dataset}' if dataset else ''}: {text.splitlines()[0]}. "
            "Raise it (SET memory_limit = '2GB'), or use fewer threads (SET threads = 1); nothing was changed"
        )
    if hub is not None and _CORRUPT.match(text):
        return damaged(hub, text)
    if dataset is not None and not isinstance(error, duckdb.InterruptException):
        return DatasetError(_of_a_dataset(error, dataset))
    if hub is not None and _DAMAGED.match(text):
        return damaged(hub, text)
    # What else the system says of a file is nobody's fault.
    if hub is not None and not isinstance(error, (duckdb.InterruptException, duckdb.IOException)):
        return HubFormatError(f"{hub} holds what no sketch has: {_in_short(text)}")
    return error


def _of_a_dataset(error: duckdb.Error, dataset: str) -> str:
    """What is wrong with a dataset that DuckDB did not read, and what to do."""
    text = str(error)
    if isinstance(error, (duckdb.CatalogException, duckdb.IOException)) and _NOT_THERE.match(text):
        return f"{dataset} does not exist: no file and no table is called that{nearest_file(dataset)}"
    if isinstance(error, duckdb.BinderException) and _NO_READER.match(text):
        return (
            f"{dataset} can't be read as a dataset: its name does not say what it is. Call it .parquet, .csv, .tsv, "
            ".json or .jsonl; or say what parts its columns, as read={'delim': ';'} or --read 'delim=;', and it is read as a csv"
        )
    if isinstance(error, duckdb.BinderException) and _DATABASE.match(text):
        return (
            f"{dataset} is a DuckDB database, not a table: ATTACH it, and pass database.schema.table; "
            "or write a table to a parquet file"
        )
    if isinstance(error, duckdb.InvalidInputException) and _TOO_SMALL.match(text):
        return f"{dataset} can't be read as a dataset: the file is empty, or was cut off while it was written"
    return f"{dataset} can't be read as a dataset: {_of_a_reader(_in_short(text))}"


def nearest_file(path: str) -> str:
    """Which file of the same folder has the name most like it, as the end of a message; empty where none is like it."""
    folder, name = os.path.split(path)
    if re.search(r"[*?\[]|://", path):
        return ""
    try:
        found = get_close_matches(name, os.listdir(folder or "."), 1, 0.8)
    except (OSError, ValueError):
        return ""
    return f"; the nearest name is {os.path.join(folder, found[0])}" if found else ""


def _of_a_reader(text: str) -> str:
    """What a reader of files says, with the ways out that a caller of ours has."""
    said, found, _ = text.partition("Possible ")
    if not found and not any(sign in text for sign in ("CSV Error", "sniffing", "JSON")):
        return text
    hint = "encoding': 'latin-1" if "utf-8" in text or "unicode" in text else "delim': ';"
    name, _, value = hint.partition("': '")
    return (
        f"{said.strip()} Give options of DuckDB's reader, as read={{'{hint}'}} or --read {shlex.quote(f'{name}={value}')}; "
        "or read the file yourself, and pass a view, or a pandas or polars DataFrame"
    )


def _in_short(text: str) -> str:
    # Without the place in the SQL, which is ours.
    return " ".join(text.split("\n\nLINE ")[0].split())[:600]
