"""Hubs and data that the tests share."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest

import modelhub_sql

DATA = Path(__file__).parent / "data"
SENSORS = ("torso1", "torso2", "leg1", "leg2")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--every-case", action="store_true", help="all cases of the tests of which one in n is run otherwise")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--every-case") or any("::" in each for each in config.args):
        return
    seen: dict[str, int] = {}
    kept: list[pytest.Item] = []
    left: list[pytest.Item] = []
    for item in items:
        marker = item.get_closest_marker("one_in")
        test = item.nodeid.partition("[")[0]
        place = seen[test] = seen.get(test, -1) + 1
        (left if marker is not None and place % marker.args[0] else kept).append(item)
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = kept


def data(name: str) -> str:
    """Path of a real table."""
    return str(DATA / f"{name}.parquet")


def stock_shell() -> str:
    """Path of the duckdb shell that stands beside this Python."""
    beside = Path(sys.executable).parent / "duckdb"
    found = str(beside) if beside.exists() else shutil.which("duckdb")
    assert found is not None, "the tests need the duckdb shell: pip install duckdb-cli"
    return found


def planned_quickly(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """The connection, without the one optimizer of DuckDB 2.0 that takes as long as all else of a search in SQL alone.

    The fixture ``stock`` is with it, as a client that sets nothing is.
    """
    if int(duckdb.__version__.split(".")[0]) >= 2:
        con.execute("SET disabled_optimizers = 'projection_pullup'")
    return con


def in_sql_alone(hub: modelhub_sql.Hub) -> duckdb.DuckDBPyConnection:
    """A connection to the hub's file as any client has one: the logic that it finds is the file's own."""
    assert hub.path != ":memory:", "only a file carries its logic"
    con = hub.con.cursor()
    con.execute(f"USE {hub._place.tables}.main")
    return planned_quickly(con)


def whole(path: Path | str) -> dict[str, list[Any]]:
    """All that a hub's file holds in its tables."""
    with duckdb.connect(str(path), read_only=True) as con:
        tables = con.execute(
            "SELECT table_name, schema_name FROM duckdb_tables() WHERE NOT internal AND database_name = current_database() ORDER BY ALL"
        ).fetchall()
        assert ("models", "_hub") in tables
        return {name: con.execute(f'FROM {schema}."{name}" ORDER BY ALL').fetchall() for name, schema in tables}


def both_ways(hub: modelhub_sql.Hub, table: pa.Table, query: str) -> list[Any]:
    """What a query on the table ``target`` finds, with the package's logic and in the SQL of the file alone; it must be the same."""
    answers = []
    with beside(hub) as plain:
        for con in (hub.con, plain):
            con.register("target", table)
            answers.append(con.execute(query).fetchall())
            con.unregister("target")
    with_numpy, in_sql = answers
    assert with_numpy == [
        tuple(pytest.approx(value, abs=1e-9) if isinstance(value, float) else value for value in row) for row in in_sql
    ]
    return with_numpy


def beside(hub: modelhub_sql.Hub) -> duckdb.DuckDBPyConnection:
    """A plain connection to the file of an open hub, where the logic is the file's own."""
    if hub.path == ":memory:":
        # Without a file nobody needs a copy of the logic, until it is asked for.
        hub.upgrade()
        con = hub.con.cursor()
        con.execute("USE memory.main")
        return planned_quickly(con)
    ((read_only,),) = hub.con.execute(
        "SELECT readonly FROM duckdb_databases() WHERE path IS NOT NULL AND NOT internal"
    ).fetchall()
    return planned_quickly(duckdb.connect(hub.path, read_only=read_only))


def normal(rows: int, mean: float, seed: int) -> pa.Table:
    """Rows of two normal numbers, the first of that mean."""
    return pa.table(
        {"x": np.random.default_rng(seed).normal(mean, 1, rows), "y": np.random.default_rng(seed + 1).normal(0, 1, rows)}
    )


@pytest.fixture(scope="session")
def empty_hub_path(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A hub file with small partitions and nothing in it."""
    path = str(tmp_path_factory.mktemp("empty") / "hub.duckdb")
    modelhub_sql.connect(path, partition_size=100).close()
    return path


@pytest.fixture
def hub(empty_hub_path: str, tmp_path: Path) -> Iterator[modelhub_sql.Hub]:
    """An empty hub with small partitions: to open a copy takes a quarter of the time of making one."""
    path = shutil.copy(empty_hub_path, tmp_path / "hub_of_the_test.duckdb")
    with modelhub_sql.connect(path) as opened:
        yield opened


@pytest.fixture(scope="session")
def settled_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[modelhub_sql.Hub]:
    """An empty hub with the default settings, for what does not change it."""
    with modelhub_sql.connect(tmp_path_factory.mktemp("settled") / "hub.duckdb") as made:
        yield made


@pytest.fixture(scope="session")
def sensor_hub_path(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A hub file with a model for each table of sensor features, and two of words."""
    path = str(tmp_path_factory.mktemp("hub") / "sensors.duckdb")
    with modelhub_sql.connect(path, partition_size=100) as made:
        for name in SENSORS:
            made.register(name, data(name), exclude=["activity"], accuracy=0.9)
        made.register("beer", data("beer"), exclude=["label", "split"])
        made.register("adult", data("adult"), exclude=["income"])
    return path


@pytest.fixture
def sensor_hub(sensor_hub_path: str) -> Iterator[modelhub_sql.Hub]:
    """That hub, open for reading, with the numpy functions."""
    with modelhub_sql.connect(sensor_hub_path, read_only=True) as opened:
        yield opened


@pytest.fixture
def stock(sensor_hub_path: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """That hub without any Python function: the SQL of the file alone."""
    with duckdb.connect(sensor_hub_path, read_only=True) as con:
        yield con
