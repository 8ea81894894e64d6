"""A hub's file while it is open: when its log is brought into it, and what is left when it is closed."""

from __future__ import annotations

import os
from contextlib import suppress

import duckdb

from modelhub_sql.journal import Held, checkpoint, log_size

__all__ = ["File"]

#: Bytes of a write-ahead log that is brought into the file before the hub is closed.
_LONG_LOG = 128_000_000


class File:
    """The file of an open hub; catalog: what SQL calls it."""

    def __init__(
        self,
        own: duckdb.DuckDBPyConnection,
        con: duckdb.DuckDBPyConnection,
        catalog: str,
        path: str,
        held: Held,
        read_only: bool,
    ) -> None:
        self._own, self._con, self._catalog, self._path, self.held = own, con, catalog, path, held
        self._read_only = read_only
        self._process = os.getpid()

    def keep_log_small(self) -> None:
        """Bring a long write-ahead log into the file, between two changes."""
        if log_size(self._path) > _LONG_LOG:
            checkpoint(self._own, self._catalog, self._path, self.held)

    def settle(self) -> None:
        """Bring the log into the file, which is whole then without it. What can't be now is brought when it is next closed."""
        if self._read_only or self._process != os.getpid():
            return
        # Where a connection of the user's is in a transaction, or the hub is closed already.
        with suppress(duckdb.Error):
            if checkpoint(self._own, self._catalog, self._path, self.held):
                # Other files that the user has attached are DuckDB's own affair.
                self._own.execute("PRAGMA enable_checkpoint_on_shutdown")

    def release(self) -> None:
        """To be called when DuckDB has closed the file."""
        self.held.close()
