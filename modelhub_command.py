"""The command modelhub, beside the package: while that is imported, Ctrl-C is as quiet as later."""

from __future__ import annotations

import os
import signal
from typing import Any

__all__ = ["main"]


def _leave(*_: Any) -> None:
    # Not by an exception: a module of C that is being imported would make another of it.
    os.write(2, b"interrupted: nothing was changed\n")
    os._exit(130)


def main() -> None:
    """Run the command line."""
    before = signal.signal(signal.SIGINT, _leave)
    from modelhub_sql.cli import main as command

    signal.signal(signal.SIGINT, before)
    command(prog_name="modelhub")
