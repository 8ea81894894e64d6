"""A PostgreSQL server of the tests' own: in a folder that goes, on the loopback, with a password."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

PASSWORD = "a secret / of@the tests"


def programs() -> Path | None:
    """The folder of the server's programs; None where it is not installed."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "initdb").exists() and (folder / "postgres").exists()), None)


def why_not() -> str | None:
    """Why there is no server; None where there is one."""
    if find_spec("psycopg") is None:
        return "needs the extra postgres"
    return "needs PostgreSQL (apt-get install postgresql)" if programs() is None else None


@contextmanager
def running(*settings: str) -> Iterator[int]:
    """The port of a server whose user is hub and whose password is ``PASSWORD``; settings: of it, as fsync=off."""
    import psycopg

    folder = programs()
    assert folder is not None
    place = Path(mkdtemp(prefix="modelhub-postgres-"))
    # It does not run as root.
    other: dict[str, Any] = {}
    if os.geteuid() == 0:
        other = {"user": "postgres", "group": "postgres", "extra_groups": []}
        shutil.chown(place, "postgres", "postgres")
    password = place / "password"
    password.write_text(PASSWORD)
    if other:
        shutil.chown(password, "postgres", "postgres")
    port = free_port()
    data = place / "data"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")} | {"LC_ALL": "C"}
    quiet: dict[str, Any] = {"cwd": place, "env": environment, "stdout": subprocess.DEVNULL, **other}
    try:
        subprocess.run(
            [folder / "initdb", "-D", data, "-U", "hub", "-A", "scram-sha-256", "-E", "UTF8", "--pwfile", password, "--no-sync"],
            check=True, stderr=subprocess.PIPE, **quiet,
        )  # fmt: skip
        told = ("listen_addresses=127.0.0.1", f"port={port}", "unix_socket_directories=", "shared_buffers=32MB", *settings)
        with (place / "log").open("wb") as log:
            server = subprocess.Popen(
                [folder / "postgres", "-D", data, *(word for each in told for word in ("-c", each))], stderr=log, **quiet
            )
        try:
            for _ in range(200):
                # It listens before it answers.
                with suppress(psycopg.OperationalError):
                    psycopg.connect(host="127.0.0.1", port=port, user="hub", password=PASSWORD, dbname="postgres").close()
                    break
                assert server.poll() is None, (place / "log").read_text()
                time.sleep(0.05)
            yield port
        finally:
            server.terminate()
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()
    finally:
        shutil.rmtree(place, ignore_errors=True)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port
