"""What can go wrong, a class a meaning. The hub's SQL names the class before its message."""

from __future__ import annotations

import re

import duckdb

__all__ = [
    "DatasetError",
    "HubAccessError",
    "HubBusyError",
    "HubError",
    "HubFormatError",
    "HubLockedError",
    "HubNotFoundError",
    "HubReadOnlyError",
    "ModelExistsError",
    "ModelNotFoundError",
    "OptionError",
    "OutOfMemoryError",
    "SettingsError",
    "is_not_permitted",
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


class HubLockedError(HubError):
    """The hub is open in another process, or in this one in another mode, and one of the two writes."""


class HubBusyError(HubError):
    """Another transaction of this process changes the hub; nothing was changed."""


class HubReadOnlyError(HubError):
    """The hub was opened for reading only."""


class SettingsError(HubError, ValueError):
    """A setting of a new hub is out of range, or one of an existing hub would change."""


class DatasetError(HubError, ValueError):
    """The dataset or target can't be read, is empty or has nothing to compare."""


class ModelExistsError(HubError, ValueError):
    """A model of that name and version is registered already."""


class ModelNotFoundError(HubError, KeyError):
    """No model of that name (and version) is registered."""

    def __str__(self) -> str:
        return str(self.args[0])


class OptionError(HubError, ValueError):
    """An argument is out of range or not one of the choices."""


class OutOfMemoryError(HubError, MemoryError):
    """DuckDB's memory_limit does not suffice for the dataset."""


#: Classes that the hub's SQL names before its message.
_RAISED_IN_SQL = {
    cls.__name__: cls for cls in (DatasetError, HubFormatError, ModelExistsError, ModelNotFoundError, OptionError, SettingsError)
}
_RAISED = re.compile(rf"Invalid Input Error: ({'|'.join(_RAISED_IN_SQL)}): (.*)", re.DOTALL)

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
_NOT_PERMITTED = re.compile(r'IO Error: Cannot open file ".*": Permission denied', re.DOTALL)


def is_not_permitted(error: duckdb.Error) -> bool:
    """Whether the user may not open the file."""
    return isinstance(error, duckdb.IOException) and bool(_NOT_PERMITTED.fullmatch(str(error).strip()))


def translated(error: duckdb.Error, dataset: str | None = None, table: str = "", hub: str | None = None) -> Exception:
    """The HubError that a DuckDB error stands for; the error itself when it stands for none.

    dataset: what was being read, for the message. table: what SQL calls it. hub: the file, where nothing but its tables was
    read: what else goes wrong is their fault.
    """
    text = str(error)

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
        return HubReadOnlyError("the hub was opened read-only: open it without read_only to change it")
    if isinstance(error, duckdb.OutOfMemoryException):
        return OutOfMemoryError(
            f"DuckDB's memory_limit does not suffice{f' for {dataset}' if dataset else ''}: {text.splitlines()[0]}. "
            "Raise it (SET memory_limit = '2GB'), or use fewer threads (SET threads = 1); nothing was changed"
        )
    if dataset is not None and not isinstance(error, duckdb.InterruptException):
        return DatasetError(f"{dataset} can't be read as a dataset: {_of_a_reader(_in_short(text))}")
    # A full disk, say, is nobody's fault.
    if hub is not None and not isinstance(error, (duckdb.InterruptException, duckdb.IOException)):
        return HubFormatError(f"{hub} holds what no sketch has: {_in_short(text)}")
    return error


def _of_a_reader(text: str) -> str:
    """What a reader of files says, with the ways out that a caller of ours has."""
    said, found, _ = text.partition("Possible ")
    if not found and not any(sign in text for sign in ("CSV Error", "sniffing", "JSON")):
        return text
    hint = "encoding': 'latin-1" if "utf-8" in text or "unicode" in text else "delim': ';"
    name, _, value = hint.partition("': '")
    return (
        f"{said.strip()} Give options of DuckDB's reader, as read={{'{hint}'}} or --read {name}={value}; "
        "or read the file yourself, and pass a view, or a pandas or polars DataFrame"
    )


def _in_short(text: str) -> str:
    # Without the place in the SQL, which is ours.
    return " ".join(text.split("\n\nLINE ")[0].split())[:600]
