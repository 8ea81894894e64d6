"""A search answers the same wherever the hub is: in a file, at a web address, in a database."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

import postgres_server
import pytest
import quack_server
from conftest import data
from test_web import Server

import modelhub_sql

#: What gives a copy of the hub at a path another address, for a while; a folder is its own.
Place = Callable[[str, Path], AbstractContextManager[str]]


@contextmanager
def at_a_web_address(path: str, _: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Server, directory=str(Path(path).parent))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/{Path(path).name}"
        server.shutdown()


@contextmanager
def in_postgres(path: str, folder: Path) -> Iterator[str]:
    if reason := postgres_server.why_not():
        pytest.skip(reason)
    with postgres_server.running("fsync=off") as port:
        address = f"postgres://hub:{quote(postgres_server.PASSWORD, safe='')}@127.0.0.1:{port}/postgres"
        with modelhub_sql.connect(address, partition_size=100) as hub:
            hub.import_hub(path)
        yield address


@contextmanager
def in_a_lake(path: str, folder: Path) -> Iterator[str]:
    if reason := quack_server.why_not("postgres_scanner", "ducklake"):
        pytest.skip(reason)
    with in_postgres(path, folder) as address:
        lake = f"ducklake:{address}?data_path={folder}/data"
        with modelhub_sql.connect(lake, partition_size=100) as hub:
            hub.import_hub(path)
        yield lake


@contextmanager
def in_a_duckdb_server(path: str, folder: Path) -> Iterator[str]:
    if reason := quack_server.why_not("httpfs", "quack"):
        pytest.skip(reason)
    served = str(folder / "served.duckdb")
    with modelhub_sql.connect(served, partition_size=100) as hub:
        hub.import_hub(path)
    with quack_server.running(served) as port:
        yield f"quack:localhost:{port}?token={quote(quack_server.TOKEN, safe='')}"


@pytest.mark.parametrize("place", [at_a_web_address, in_postgres, in_a_duckdb_server, in_a_lake])
def test_a_search_answers_the_same_wherever_the_hub_is(
    place: Place, sensor_hub: modelhub_sql.Hub, sensor_hub_path: str, tmp_path: Path
) -> None:
    with place(sensor_hub_path, tmp_path) as address, modelhub_sql.connect(address, read_only=True) as hub:
        here, there = (each.find_models(data("leg1"), exclude=["activity"], details=True) for each in (sensor_hub, hub))
        assert here.columns == there.columns
        assert here.fetchall() == there.fetchall()
        assert len(here) > 1
