"""A hub survives a page that was half written.

DuckDB brings changes from the write-ahead log into the file at a checkpoint. There it writes new blocks where none is used,
but a header and its blocks of metadata in place: if the process is killed in the midst of these, or the power fails, the whole
file is lost. So the package makes the checkpoints itself: what will be written in place is first saved in a journal beside the
hub. Who opens the hub and finds a journal puts back what was torn; the log still has the changes.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import struct
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import duckdb

from modelhub_sql.errors import HubAccessError, HubForkedError

try:
    import fcntl
except ImportError:  # pragma: no cover
    # On Windows a file that DuckDB has open can't be read beside it: there, checkpoints are DuckDB's own.
    fcntl = None  # type: ignore[assignment]

__all__ = [
    "HEADERS",
    "MENDS",
    "Header",
    "Held",
    "checkpoint",
    "is_sound",
    "journal_of",
    "log_of",
    "log_size",
    "mend",
    "moved",
    "newest",
    "replaced",
    "synced",
]  # fmt: skip

#: Whether checkpoints are made with a journal.
MENDS = fcntl is not None

#: Bytes of a header; a file begins with three: the main one and two that checkpoints write in turn. Blocks follow.
_HEADER = 4096
HEADERS = 3 * _HEADER

#: Of DuckDB's checksum.
_FACTOR = 0xBF58476D1CE4E5B9

_LOCK = threading.Lock()
#: Of each file that this process has open: the number of it, who uses it, and the process that opened it.
_HELD: dict[tuple[int, int], tuple[int, int, int]] = {}


class Held:
    """A hub's file, open for reading beside DuckDB.

    On POSIX a process that closes a file loses all its locks of that file, DuckDB's too: so each file is opened once, and
    closed when nobody in the process has it any more. Raises OSError, and HubForkedError for what an ancestor has opened.
    """

    def __init__(self, path: str) -> None:
        with _LOCK:
            status = os.stat(path)
            self._key = (status.st_dev, status.st_ino)
            process = os.getpid()
            if self._key not in _HELD:
                _HELD[self._key] = (os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0)), 0, process)
            self._fd, users, opener = _HELD[self._key]
            if opener != process:
                raise HubForkedError(
                    f"{path} is open in the process that this one was forked from, and so can't be opened here: open it after "
                    "the fork, or start processes by spawn (multiprocessing.get_context('spawn'))"
                )
            _HELD[self._key] = (self._fd, users + 1, opener)
            self._is_open = True

    def read(self, size: int, at: int) -> bytes:
        """So many bytes from a place on; fewer at the end of the file."""
        if hasattr(os, "pread"):
            return os.pread(self._fd, size, at)
        os.lseek(self._fd, at, os.SEEK_SET)  # pragma: no cover
        return os.read(self._fd, size)  # pragma: no cover

    def is_at(self, path: str) -> bool:
        """Whether it is the file that has the name now, which another may have taken."""
        with suppress(OSError):
            return os.path.samestat(os.fstat(self._fd), os.stat(path))
        return False

    def users(self) -> int:
        """How many in this process have it open."""
        return _HELD[self._key][1]

    def locked(self) -> bool:
        """Whether nobody else has, or gets, this lock, which is beside those of DuckDB."""
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def unlocked(self) -> None:
        """Let others have it."""
        if self._is_open:
            fcntl.flock(self._fd, fcntl.LOCK_UN)

    def close(self) -> None:
        """Closes the file unless somebody else in this process has it, too."""
        with _LOCK:
            if self._is_open and os.getpid() == _HELD[self._key][2]:
                self._is_open = False
                fd, users, process = _HELD.pop(self._key)
                if users > 1 or _has_others(fd):
                    # A connection of the user's to the hub outlives it: the next hub at this place closes it.
                    _HELD[self._key] = (fd, users - 1, process)
                else:
                    os.close(fd)


def _has_others(fd: int) -> bool:
    """Whether this process has the same file open once more."""
    status = os.fstat(fd)
    try:
        others = [int(name) for name in os.listdir("/dev/fd")]
    except OSError:  # pragma: no cover
        return False
    for other in others:
        with suppress(OSError):
            if other != fd and os.path.samestat(os.fstat(other), status):
                return True
    return False


def _is_held(path: str) -> bool:
    status = os.stat(path)
    _, users, _ = _HELD.get((status.st_dev, status.st_ino), (0, 0, 0))
    return users > 0


class Header(NamedTuple):
    """One of the two headers that checkpoints write in turn. iteration: the greater is the present one."""

    slot: int
    iteration: int
    block_size: int


def is_sound(block: bytes) -> bool:
    """Whether a header or a block is as it was written: it begins with a checksum of the rest."""
    if len(block) < 16 or len(block) % 8:
        return False
    expected, found = int.from_bytes(block[:8], "little"), 5381
    if len(block) == _HEADER:
        for word in struct.unpack(f"<{len(block) // 8 - 1}Q", block[8:]):
            found ^= word * _FACTOR & 0xFFFFFFFFFFFFFFFF
        return found == expected
    import numpy as np  # a tenth of a second, for blocks only

    return found ^ int(np.bitwise_xor.reduce(np.frombuffer(block, "<u8")[1:] * np.uint64(_FACTOR))) == expected


def newest(headers: bytes) -> Header | None:
    """The present header among the first ``HEADERS`` bytes of a file; None where neither is sound."""
    found = []
    for slot in (1, 2):
        block = headers[slot * _HEADER : (slot + 1) * _HEADER]
        if is_sound(block):
            # checksum, iteration, first block of metadata, free list, number of blocks, their size
            iteration, size = (int.from_bytes(block[place * 8 : place * 8 + 8], "little") for place in (1, 5))
            found.append(Header(slot, iteration, size))
    return max(found, key=lambda header: header.iteration, default=None)


def journal_of(path: str) -> Path:
    """Where the journal of a hub is, while there is one."""
    return Path(os.path.realpath(path) + ".journal")


def log_of(path: str) -> Path:
    """Where DuckDB's write-ahead log of a hub is, while there is one."""
    return Path(path + ".wal")


def log_size(path: str) -> int:
    """Bytes of a hub's write-ahead log; 0 where there is none."""
    try:
        return log_of(path).stat().st_size
    except OSError:
        return 0


def checkpoint(con: duckdb.DuckDBPyConnection, catalog: str, path: str, held: Held | None) -> bool:
    """Bring what is in the write-ahead log into the hub's file; whether nothing is left in the log.

    catalog: of the file, as SQL writes it. It is put off while another connection is in a transaction: the log keeps the changes.
    """
    if log_size(path) == 0:
        return True
    journal = journal_of(path)
    try:
        if held is not None:
            _save(journal, held, metadata_blocks(con, catalog))
        con.execute(f"CHECKPOINT {catalog}")
    except (duckdb.TransactionException, OSError):
        # Nothing was written yet. No room for the journal, say: there was none for a checkpoint either.
        _forget(journal)
        return False
    _forget(journal)
    return True


def metadata_blocks(con: duckdb.DuckDBPyConnection, catalog: str) -> list[int]:
    """Numbers of the blocks that hold metadata."""
    name = catalog[1:-1].replace('""', '"')
    rows = con.execute("SELECT block_id FROM system.main.pragma_metadata_info(?) ORDER BY block_id ASC", [name]).fetchall()
    return [block for (block,) in rows]


def _save(journal: Path, held: Held, blocks: Sequence[int]) -> None:
    headers = held.read(HEADERS, 0)
    header = newest(headers)
    if header is None:
        return
    size = header.block_size
    # A block that is yet to be written for the first time lies behind the end of the file.
    bodies = {block: held.read(size, HEADERS + block * size) for block in blocks}
    bodies = {block: body for block, body in bodies.items() if len(body) == size}
    head = json.dumps({"modelhub journal": 1, "block_size": size, "blocks": list(bodies)}).encode() + b"\n"
    content = b"".join([head, headers, *bodies.values()])
    new = journal.with_name(journal.name + ".new")
    with new.open("wb") as stream:
        stream.write(content + hashlib.sha256(content).digest())
        stream.flush()
        os.fsync(stream.fileno())
    new.replace(journal)
    synced(journal.parent)


def _forget(journal: Path) -> None:
    with suppress(OSError):
        journal.unlink(missing_ok=True)
        journal.with_name(journal.name + ".new").unlink(missing_ok=True)


def moved(new: Path, place: Path, *, over_empty: bool = False) -> None:
    """Give a new file its name. Raises OSError, FileExistsError where another file has it by then (over_empty: unless empty)."""
    with new.open("rb+") as stream:
        os.fsync(stream.fileno())
    try:
        # Fails where somebody else has made one in the meantime.
        os.link(new, place)
    except FileExistsError:
        if not over_empty or place.stat().st_size:
            raise
        new.replace(place)
    except OSError:
        # A file system without links.
        new.replace(place)
    synced(place.parent)


def replaced(new: Path, place: Path) -> None:
    """Let a new file take the place of another in one step. Raises OSError."""
    with new.open("rb+") as stream:
        os.fsync(stream.fileno())
    new.replace(place)
    synced(place.parent)


def synced(folder: Path) -> None:
    """See to it that a file made or renamed in a folder is there after a power failure."""
    with suppress(OSError):
        fd = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


class _Saved(NamedTuple):
    headers: bytes
    blocks: dict[int, bytes]
    size: int


def _read(journal: Path) -> _Saved | None:
    """A journal; None where it is not whole, and so was never used."""
    content = journal.read_bytes()
    content, digest = content[:-32], content[-32:]
    head, _, body = content.partition(b"\n")
    if hashlib.sha256(content).digest() != digest:
        return None
    told = json.loads(head)
    size, places = told["block_size"], range(HEADERS, len(body), told["block_size"])
    return _Saved(body[:HEADERS], {b: body[at : at + size] for b, at in zip(told["blocks"], places, strict=True)}, size)


def mend(path: str) -> None:
    """Put back what a checkpoint of the hub has left half written; nothing where none was interrupted.

    Raises HubAccessError where that needs a permission that the user lacks.
    """
    journal = journal_of(path)
    if fcntl is None or not journal.exists() or not stat.S_ISREG(os.stat(path).st_mode):
        return
    with _LOCK:
        if _is_held(path):
            return
        try:
            fd = os.open(path, os.O_RDWR)
        except OSError as error:
            raise HubAccessError(
                f"the last change of {path} was interrupted, and no permission to mend the file ({error.strerror}): "
                "open it once as a user who may write it"
            ) from error
        try:
            try:
                fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                # Another process has it open, and will say so.
                return
            saved = _read(journal)
            if saved is not None:
                _put_back(fd, saved)
            _forget(journal)
            synced(journal.parent)
        finally:
            os.close(fd)


def _put_back(fd: int, saved: _Saved) -> None:
    before, headers = newest(saved.headers), os.pread(fd, HEADERS, 0)
    now = newest(headers)
    if before is None or (now is not None and now.iteration > before.iteration):
        # The checkpoint was done.
        return
    of_it = slice(before.slot * _HEADER, (before.slot + 1) * _HEADER)
    if headers[:_HEADER] != saved.headers[:_HEADER] or headers[of_it] != saved.headers[of_it]:
        # Another file has taken its place meanwhile.
        return
    for block, body in saved.blocks.items():
        os.pwrite(fd, body, HEADERS + block * saved.size)
    os.fsync(fd)
    os.pwrite(fd, saved.headers, 0)
    os.fsync(fd)
