"""A hub at a web address: its file, fetched for as long as the hub is open.

The whole file and not parts of it: what a server puts in its place meanwhile does not mix with it, any server will do, and
no extension of DuckDB is needed.
"""

from __future__ import annotations

import atexit
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from modelhub_sql.errors import DiskFullError, HubAccessError, HubError, HubFormatError, HubNotFoundError, OptionError
from modelhub_sql.journal import MENDS
from modelhub_sql.opening import Opened, opened

__all__ = ["fetched", "is_url", "opened_there", "shown"]

#: Bytes of a hub that are fetched at the most, unless the variable of that name says another number.
_MOST, _VARIABLE = 4_000_000_000, "MODELHUB_MAX_DOWNLOAD"
#: Seconds that a server may be silent.
_PATIENCE = 30
_PART = 1 << 20
#: Bytes from which on it is worth to tell how far it is.
_LONG = 5_000_000
_PORTS = {"http": 80, "https": 443}


def is_url(path: str) -> bool:
    """Whether a hub is at a web address."""
    return bool(re.match(r"https?://", path, re.IGNORECASE))


def shown(url: str) -> str:
    """A web address as messages have it: without a password, or what signs it."""
    bare = re.sub(r"^(\w+://)[^/?#]*@", r"\1", url)
    return re.sub(r"\?.*$", "?...", bare)


def opened_there(url: str, given: Mapping[str, Any], numpy: bool, progress: bool) -> Opened:
    """A hub at a web address, which can be read only; arguments as of ``opened`` and ``fetched``."""
    file = fetched(url, progress)
    try:
        found = opened(file, True, given, numpy)
    except BaseException as error:
        _remove(file)
        if isinstance(error, HubError):
            raise type(error)(str(error).replace(file, shown(url))) from error
        raise
    if MENDS:
        # What a process has open can be removed: nothing is left, whatever becomes of the process.
        _remove(file)
    else:  # pragma: no cover
        atexit.register(_remove, file)
    return found


def _remove(file: str) -> None:
    shutil.rmtree(Path(file).parent, ignore_errors=True)


def fetched(url: str, progress: bool = False) -> str:
    """The path of a copy of a hub's file, alone in a folder that only this user can look into.

    progress: tell on stderr how far it is, where that is a terminal and the file is large.
    Raises HubNotFoundError, HubAccessError, HubFormatError and DiskFullError.
    """
    folder = tempfile.mkdtemp(prefix="modelhub-")
    file = os.path.join(folder, "hub.duckdb")
    try:
        _fetch(url, file, progress)
    except BaseException as error:
        _remove(file)
        if isinstance(error, HubError):
            raise
        if isinstance(error, HTTPError):
            raise _refused(url, error) from error
        reason = error.reason if isinstance(error, URLError) else error
        if isinstance(reason, TimeoutError):
            raise HubAccessError(f"{shown(url)}: the server was silent for {_PATIENCE} seconds") from error
        if isinstance(error, (OSError, HTTPException, ValueError)):
            raise HubAccessError(f"{shown(url)} can't be read: {reason}") from error
        raise
    return file


def _fetch(url: str, file: str, progress: bool) -> None:
    most = _most()
    if not urlsplit(url).hostname:
        raise HubNotFoundError(f"{shown(url)} names no server")
    if "@" in urlsplit(url).netloc:
        raise HubAccessError(f"{shown(url)}: a user and password in an address are not sent; sign the address, or fetch the file")
    # Compressed by a server on the way, it would be another file.
    request = Request(url, headers={"User-Agent": "modelhub-sql", "Accept-Encoding": "identity"})
    with build_opener(_SameServer).open(request, timeout=_PATIENCE) as response:
        told = response.headers.get("Content-Length")
        size = int(told) if told and told.isdigit() else None
        part = response.read(12)
        if part[8:12] != b"DUCK":
            kind = response.headers.get_content_type()
            what = "the server sends a page" if kind == "text/html" else "no DuckDB file"
            raise HubFormatError(f"{shown(url)} is not a hub: {what}")
        if size is not None and size > most:
            raise HubAccessError(_too_much(url, f"has {size / 1e9:.2f} GB, more", most))
        if size is not None and size > (free := shutil.disk_usage(os.path.dirname(file)).free):
            raise DiskFullError(
                f"{shown(url)} has {size / 1e9:.2f} GB, and {os.path.dirname(os.path.dirname(file))} {free / 1e9:.2f} GB free: "
                "set the environment variable TMPDIR to a folder with more"
            )
        done = 0
        with open(file, "wb") as stream, _told(size, progress) as tell:
            while part:
                stream.write(part)
                done += len(part)
                tell(done)
                if done > most:
                    raise HubAccessError(_too_much(url, "has more", most))
                part = response.read(_PART)
    if size is not None and done != size:
        raise HubAccessError(f"{shown(url)} broke off after {done} of {size} bytes: try again")


def _most() -> int:
    told = os.environ.get(_VARIABLE)
    try:
        return _MOST if told is None else int(float(told))
    except (ValueError, OverflowError) as error:
        raise OptionError(f"the environment variable {_VARIABLE} must be a number of bytes, got {told!r}") from error


def _too_much(url: str, more: str, most: int) -> str:
    return f"{shown(url)} {more} than the {most / 1e9:.2f} GB that are fetched: set {_VARIABLE} to more bytes, or fetch the file"


def _refused(url: str, error: HTTPError) -> HubNotFoundError | HubAccessError:
    if error.code in (404, 410):
        return HubNotFoundError(f"there is no hub at {shown(url)}: the server answers {error.code} {error.reason}")
    how = "; a private bucket takes a signed address" if error.code in (401, 403) else ""
    return HubAccessError(f"{shown(url)} can't be read: the server answers {error.code} {error.reason}{how}")


class _SameServer(HTTPRedirectHandler):
    """Follows to another address of the same server, and to its https; what is elsewhere the user has to name."""

    def redirect_request(self, req: Request, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Request | None:
        before, after = urlsplit(req.full_url), urlsplit(newurl)
        is_same = (before.scheme, before.hostname, _port(before)) == (after.scheme, after.hostname, _port(after))
        is_safer = (before.scheme, after.scheme) == ("http", "https") and before.hostname == after.hostname
        if not (is_same or is_safer):
            raise HubAccessError(f"{shown(req.full_url)} is elsewhere, at {shown(newurl)}: give that address if you trust it")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _port(address: Any) -> Any:
    return address.port or _PORTS.get(address.scheme)


@contextmanager
def _told(size: int | None, progress: bool) -> Iterator[Any]:
    """What to call with the bytes that are done."""
    if not (progress and sys.stderr.isatty() and (size is None or size > _LONG)):
        yield lambda done: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TransferSpeedColumn

    columns = ("fetching the hub", BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=size)
        yield lambda done: bar.update(task, completed=done)
