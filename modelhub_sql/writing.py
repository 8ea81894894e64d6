"""Files that are there whole or not at all, and what they are called until they are whole."""

from __future__ import annotations

import glob
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["beside", "swept", "whole"]


def beside(place: Path, what: str) -> Path:
    """A name beside a file that nothing has. The number of the process would not do: in containers all have the same."""
    return place.with_name(f"{place.name}.{what}-{secrets.token_hex(4)}")


def swept(place: Path, what: str) -> None:
    """Remove the files of such names that killed processes have left; for who is alone in using these names."""
    for left in place.parent.glob(f"{glob.escape(place.name)}.{what}-{'[0-9a-f]' * 8}*"):
        with suppress(OSError):
            left.unlink()


@contextmanager
def whole(path: str, what: str, refusal: type[Exception]) -> Iterator[str]:
    """The path to write a file at, which takes the place of ``path`` when it is written; what was there stays until then.

    what: the file, for the message. refusal: is raised where it can't be written.
    """
    new = beside(Path(path), "new")
    try:
        yield str(new)
        os.replace(new, path)
    except OSError as error:
        raise refusal(f"can't write {what} {path}: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            os.remove(new)
