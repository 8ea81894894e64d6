"""A hub changed beside its file and swapped in: who reads it never meets the lock of who writes."""

from __future__ import annotations

import os
import shutil
import threading
import time
import weakref
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from modelhub_sql import journal
from modelhub_sql.errors import HubAccessError, HubBusyError, HubLockedError
from modelhub_sql.hub import Hub
from modelhub_sql.writing import beside, swept

try:
    import fcntl
except ImportError:  # pragma: no cover
    fcntl = None  # type: ignore[assignment]

__all__ = ["SwappedHub"]

_LOCK = threading.Lock()
#: Files that hubs of this process are to take the place of.
_SWAPPED: set[str] = set()


class SwappedHub(Hub):
    """A hub that changes a copy of its file, which takes the file's place when the hub is closed.

    Readers go on in the file that they have open, and meet the new one when they open it again. Meanwhile nobody else can change
    the hub. Where ``with`` is left by an error, or the program ends before the hub is closed, nothing is changed.
    """

    def __init__(self, path: str | os.PathLike[str], *, wait: float = 0, **given: Any) -> None:
        if fcntl is None:  # pragma: no cover
            raise HubAccessError("a file that is open can't be replaced on this system: open the hub without swap")
        self._target = Path(os.path.realpath(path))
        self._new = beside(self._target, "swap")
        self._end = time.monotonic() + wait
        self._is_failed = False
        self._reader: Hub | None = None
        with _LOCK:
            if str(self._target) in _SWAPPED:
                raise HubLockedError(f"{path} is being changed in this process already: close that hub first")
            _SWAPPED.add(str(self._target))
        try:
            self._discarding = weakref.finalize(self, _discard, self._new, str(self._target))
            self._reader = self._alone()
            try:
                self._copy()
            except OSError as error:
                raise HubAccessError(f"{self._new} can't be written: {error.strerror or error}") from error
            super().__init__(str(self._new), **given)
        except BaseException:
            self._leave()
            raise
        self.path = os.fspath(path)

    def _alone(self) -> Hub:
        """The hub open for reading, so that no other process writes it, and no other changes it as this one does."""
        while True:
            if journal.log_size(str(self._target)):
                # The log belongs to the file that is to be replaced.
                Hub(str(self._target), wait=self._left(), _numpy=False).close()
            reader = Hub(str(self._target), read_only=True, wait=self._left(), _numpy=False)
            held = reader._file.held if reader._file is not None else None
            if held is not None and held.locked() and held.is_at(str(self._target)) and not journal.log_size(str(self._target)):
                return reader
            if held is not None:
                held.unlocked()
            reader.close()
            if not self._left():
                raise HubLockedError(f"another process changes {self._target}: try again, or wait for it")
            time.sleep(0.05)

    def _left(self) -> float:
        return max(0.0, self._end - time.monotonic())

    def _copy(self) -> None:
        from modelhub_sql.upkeep import _copied

        swept(self._target, "swap")
        if not _copied(str(self._target), self._new):
            raise HubBusyError(f"{self._target} was written meanwhile: try again, nothing was changed")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._is_failed = kind is not None
        self.close()

    def close(self) -> None:
        """Close the connections, and let the changed file take the place of the hub's."""
        if self._reader is None or self._process != os.getpid():
            return
        try:
            super().close()
            if not self._is_failed:
                self._swap()
        finally:
            self._leave()

    def _swap(self) -> None:
        if journal.log_size(str(self._new)):
            # What a transaction of the user's has kept from the file.
            Hub(str(self._new), _numpy=False).close()
        try:
            shutil.copymode(self._target, self._new)
            journal.replaced(self._new, self._target)
        except OSError as error:
            raise HubAccessError(f"{self._target} can't be replaced: {error.strerror}; nothing was changed") from error

    def _leave(self) -> None:
        if self._reader is not None:
            if self._reader._file is not None:
                self._reader._file.held.unlocked()
            self._reader.close()
            self._reader = None
        self._discarding()


def _discard(new: Path, target: str) -> None:
    for file in (new, journal.log_of(str(new))):
        with suppress(OSError):
            file.unlink(missing_ok=True)
    _SWAPPED.discard(target)
