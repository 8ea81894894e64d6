"""A hub that many processes register models in at once, and one that is synced again with nothing new.

Each process opens the hub, waits for the others, and registers tables one after the other. The servers are started here, on the
loopback: PostgreSQL where it is installed, a DuckDB server and a lake where DuckDB has the extensions.

    python examples/benchmarks/shared_hub.py [--full]
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from measuring import OMITTED, Report, arguments, number
from sketching import SEED

import modelhub_sql

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
import postgres_server
import quack_server

#: Gives the address of a hub for a while, or says why it can't; a folder is its own.
Place = Callable[[Path], AbstractContextManager[str]]


class Absent(Exception):
    """Why there is no such place on this machine."""


@contextmanager
def file(folder: Path) -> Iterator[str]:
    yield str(folder / "hub.duckdb")


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    if reason := postgres_server.why_not():
        raise Absent(reason)
    with postgres_server.running() as port:
        yield f"postgres://hub:{quote(postgres_server.PASSWORD, safe='')}@127.0.0.1:{port}/postgres"


@contextmanager
def duckdb_server(folder: Path) -> Iterator[str]:
    if reason := quack_server.why_not("httpfs", "quack"):
        raise Absent(reason)
    path = str(folder / "served.duckdb")
    modelhub_sql.connect(path).close()
    with quack_server.running(path) as port:
        yield f"quack:localhost:{port}?token={quote(quack_server.TOKEN, safe='')}"


@contextmanager
def lake(folder: Path) -> Iterator[str]:
    if reason := quack_server.why_not("postgres_scanner", "ducklake"):
        raise Absent(reason)
    with postgres(folder) as address:
        yield f"ducklake:{address}?data_path={folder / 'data'}"


PLACES: dict[str, Place] = {"a file": file, "PostgreSQL": postgres, "a DuckDB server": duckdb_server, "a DuckLake": lake}


def dataset(which: int, rows: int, columns: int) -> pa.Table:
    rng = np.random.default_rng([SEED, which])
    return pa.table({f"c{i}": rng.normal(which % 7, 1 + i, rows) for i in range(columns)})


def write(address: str, process: int, models: int, rows: int, columns: int, start: Barrier) -> None:
    """What one process does."""
    tables = [dataset(process * models + each, rows, columns) for each in range(models)]
    with modelhub_sql.connect(address) as hub:
        hub.models()
        start.wait()
        for each, table in enumerate(tables):
            hub.register(f"{process} {each}", table)
        start.wait()


def registered(place: Place, processes: int, models: int, rows: int, columns: int) -> tuple[float, float]:
    """Models a second of all processes together, and seconds to open the hub then. All must be there, each once."""
    with tempfile.TemporaryDirectory() as folder, place(Path(folder)) as address:
        modelhub_sql.connect(address).close()
        context = get_context("spawn")
        barrier = context.Barrier(processes + 1)
        writers = [
            context.Process(target=write, args=(address, process, models, rows, columns, barrier)) for process in range(processes)
        ]
        for each in writers:
            each.start()
        barrier.wait(timeout=300)
        started = time.perf_counter()
        barrier.wait(timeout=3600)
        seconds = time.perf_counter() - started
        for each in writers:
            each.join()
        started = time.perf_counter()
        with modelhub_sql.connect(address, read_only=True) as hub:
            opened = time.perf_counter() - started
            found = hub.sql(
                "SELECT count(*), count(DISTINCT model), count(DISTINCT dataset) FROM models JOIN datasets USING (dataset_id)"
            )
            assert found.fetchall() == [(processes * models,) * 3]
            assert hub.verify().fetchall() == []
    return processes * models / seconds, opened


def synced(place: Place, models: int, rows: int, columns: int) -> tuple[float, float]:
    """Seconds of a sync of so many files, and of the next, which finds nothing new."""
    with tempfile.TemporaryDirectory() as folder, place(Path(folder)) as address:
        manifest = []
        for which in range(models):
            path = f"{folder}/{which}.parquet"
            pq.write_table(dataset(which, rows, columns), path)
            manifest.append({"name": f"m{which}", "dataset": path})
        taken = []
        for wanted in ("new", "same"):
            started = time.perf_counter()
            with modelhub_sql.connect(address) as hub:
                actions = [row["action"] for row in hub.sync(manifest).dicts()]
            taken.append(time.perf_counter() - started)
            assert actions == [wanted] * models
    # Of few models to open the hub takes longer than all else.
    assert models < 100 or taken[1] < taken[0] / 10, taken
    return taken[0], taken[1]


def each_place(measure: Callable[[Place], list[str]], width: int) -> tuple[list[list[str]], str]:
    """A row for each place, and what is said of those that there are not here."""
    table, absent = [], []
    for name, place in PLACES.items():
        try:
            table.append([name, *measure(place)])
        except Absent as reason:
            table.append([name, *[OMITTED] * width])
            absent.append(f" Not in {name}: {reason}.")
    return table, "".join(absent)


def main() -> None:
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    given = arguments(
        __doc__,
        processes=([1, 2], [1, 4], "processes at once"),
        models=([5], [50], "models of each process"),
        rows=([1000], [2000], "rows of each dataset"),
        columns=([5], [10], "columns of each"),
        synced=([20], [137], "models of a hub that is synced"),
        synced_rows=([5000], [5000], "rows of each of their files"),
    )
    (models,), (rows,), (columns,) = given.models, given.rows, given.columns
    report = Report("Sharing a hub", given.full)

    def rates(place: Place) -> list[str]:
        # A file has one writer.
        counts = [count if place is not file else 1 for count in given.processes]
        measured: dict[int, Any] = {}
        for count in counts:
            measured.setdefault(count, registered(place, count, models, rows, columns))
        cells = [number(measured[count][0]) if place is not file or at == 0 else OMITTED for at, count in enumerate(counts)]
        return [*cells, number(measured[counts[-1]][1])]

    table, absent = each_place(rates, len(given.processes) + 1)
    heads = [f"{count} process{'es' if count > 1 else ''}: models a second" for count in given.processes]
    report.table(
        f"{models} models a process, {rows:,} rows x {columns} columns",
        ["hub in", *heads, "seconds to open it then"],
        table,
        "Each model is sketched and registered in a transaction of its own; all are there, each once, and the hub is whole."
        + absent,
    )
    (count,), (of_each,) = given.synced, given.synced_rows

    def syncs(place: Place) -> list[str]:
        first, again = synced(place, count, of_each, columns)
        return [number(first), number(again), f"{number(again / first)} x"]

    table, absent = each_place(syncs, 3)
    report.table(
        f"{count} files of {of_each:,} rows x {columns} columns, synced twice",
        ["hub in", "first, seconds", "again", "again / first"],
        table,
        "The hub is opened anew for each. With 100 files or more the program stops where the second takes a tenth of the first."
        + absent,
    )
    report.write(given.results, "shared_hub")


if __name__ == "__main__":
    main()
