"""Files that are there whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

__all__ = ["whole"]


@contextmanager
def whole(path: str, what: str, refusal: type[Exception]) -> Iterator[str]:
    """The path to write a file at, which takes the place of ``path`` when it is written; what was there stays until then.

    what: the file, for the message. refusal: is raised where it can't be written.
    """
    beside = f"{path}.{os.getpid()}.tmp"
    try:
        yield beside
        os.replace(beside, path)
    except OSError as error:
        raise refusal(f"can't write {what} {path}: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            os.remove(beside)
