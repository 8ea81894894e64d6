"""A DuckDB server of the tests' own, which has a hub's file open: a process on the loopback."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from postgres_server import free_port

from modelhub_sql.errors import ExtraError
from modelhub_sql.extensions import load

TOKEN = "a token & of=the tests"
_PROGRAM = """
import sys, duckdb
from modelhub_sql.extensions import load
path, port, token = sys.argv[1:]
con = duckdb.connect(path)
load(con, "httpfs", "quack", extra="quack")
con.execute("CALL quack_serve(?, token := ?, disable_ssl := true)", [f"quack:localhost:{port}", token]).fetchall()
print("ready", flush=True)
sys.stdin.read()
con.close()
"""


def why_not(*names: str) -> str | None:
    """Why this DuckDB has no such extensions; None where it has."""
    import duckdb

    try:
        with duckdb.connect() as con:
            load(con, *names, extra=names[-1])
    except ExtraError as error:
        return str(error)
    return None


@contextmanager
def running(path: str, port: int | None = None) -> Iterator[int]:
    """The port of a server that has the file open; its token is ``TOKEN``."""
    port = port or free_port()
    server = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, path, str(port), TOKEN], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        assert server.stdout.readline() == "ready\n"
        yield port
    finally:
        try:
            server.communicate("", timeout=20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
