"""A hub in a DuckLake is the hub of the file, for many writers at once."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import postgres_server
import pytest
import quack_server
from conftest import normal
from sharing import is_that_of_the_file, write_at_once

import modelhub_sql
from modelhub_sql.ducklake import Ducklake, shown
from modelhub_sql.extensions import load
from modelhub_sql.shared import Raced

REASON = quack_server.why_not("postgres_scanner", "ducklake") or postgres_server.why_not()
needs_ducklake = pytest.mark.skipif(REASON is not None, reason=str(REASON))


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with postgres_server.running("fsync=off") as found:
        yield found


@pytest.fixture
def catalog(port: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """What libpq is told of a database of the test's own."""
    import psycopg

    monkeypatch.setenv("PGPASSWORD", postgres_server.PASSWORD)
    told = f"host=127.0.0.1 port={port} user=hub dbname="
    with psycopg.connect(f"{told}postgres", autocommit=True) as con:
        con.execute("CREATE DATABASE of_a_test")
        yield f"{told}of_a_test"
        con.execute("DROP DATABASE of_a_test WITH (FORCE)")


@pytest.fixture
def address(catalog: str, tmp_path: Path) -> str:
    return f"ducklake:postgres:{catalog}?data_path={tmp_path}/data"


def in_lake(catalog: str, statements: str) -> None:
    """Run SQL in the lake, as another client."""
    import duckdb

    with duckdb.connect() as con:
        load(con, "postgres_scanner", "ducklake", extra="ducklake")
        con.execute(f"ATTACH 'ducklake:postgres:{catalog}' AS lake; USE lake")
        con.execute(statements)


def test_a_duckdb_without_the_extension_says_which_has_it() -> None:
    if quack_server.why_not("postgres_scanner", "ducklake") is None:
        pytest.skip("this DuckDB has it")
    with pytest.raises(
        modelhub_sql.ExtraError, match=r"no extension postgres_scanner here: pip install 'modelhub-sql\[ducklake\]'.*1\.5"
    ):
        modelhub_sql.connect("ducklake:postgres:host=127.0.0.1")


def test_an_address_is_shown_without_its_password() -> None:
    for address, wanted in {
        "ducklake:postgres:host=h user=u password='a b' dbname=d?data_path=s3://b&schema=x": "ducklake:postgres:host=h user=u dbname=d?schema=x",
        "ducklake:postgres://u:secret@h:1/d?sslmode=require&data_path=p": "ducklake:postgres://u@h:1/d",
    }.items():
        assert shown(address) == wanted


@needs_ducklake
def test_a_hub_in_a_lake_is_that_of_the_file(address: str, sensor_hub: modelhub_sql.Hub, sensor_hub_path: str) -> None:
    is_that_of_the_file(address, sensor_hub, sensor_hub_path)


@needs_ducklake
def test_many_write_at_once_and_one_is_killed(address: str) -> None:
    write_at_once(address, processes=2, models=4)


@needs_ducklake
@pytest.mark.long
def test_four_processes_write_fifty_models_each_and_one_more_is_killed(address: str) -> None:
    write_at_once(address, processes=4, models=50)


@needs_ducklake
@pytest.mark.parametrize("inlined", [10, 0])
def test_of_two_changes_at_once_one_is_stored(address: str, catalog: str, inlined: int) -> None:
    one, other = (Ducklake(address, False) for _ in range(2))
    with closing(one), closing(other), modelhub_sql.connect(partition_size=100) as hub:
        rows = {
            name: hub.sql(f"FROM {hub._place.tables}._hub.{name}").arrow() for name in ("format", "minhash_functions", "defaults")
        }
        assert not one.is_there()
        # A row may be in the catalog, or in a file.
        assert not other.is_there()
        with ThreadPoolExecutor() as pool:
            made = list(pool.map(lambda each: each.create(rows), (one, other)))
        assert sorted(made) == [False, True]
        in_lake(catalog, f"CALL lake.set_option('data_inlining_row_limit', {inlined}); UPDATE modelhub.revision SET revision = 5")
        assert not other.create(rows)
        assert one.is_there()
        assert other.is_there()
        before = one.state()

        def write_at_once() -> None:
            with one.writing() as seen, other.writing() as state:
                assert seen == state == before

        with pytest.raises(Raced):
            write_at_once()
        assert one.state() == other.state() == (before.identity, before.revision + 1)


@needs_ducklake
def test_what_is_no_hub_is_called_so(address: str, catalog: str, tmp_path: Path) -> None:
    def refused(error: type[Exception], said: str, path: str = address, **given: Any) -> None:
        with pytest.raises(error, match=said), closing(modelhub_sql.connect(path, **given)):
            pass

    refused(modelhub_sql.HubNotFoundError, "there is no hub", read_only=True)
    assert os.listdir(tmp_path) == []
    refused(modelhub_sql.HubNotFoundError, "there is no lake yet", address.partition("?")[0])
    with_password = address.replace("user=hub", "user=hub password='secret of mine'")
    with pytest.raises(modelhub_sql.HubAccessError, match="authentication failed") as raised:
        modelhub_sql.connect(with_password)
    assert "secret" not in str(raised.value)
    refused(modelhub_sql.HubAccessError, "can't be reached", re.sub(r"port=\d+", "port=9", address))
    refused(modelhub_sql.OptionError, "no option of a lake is called 'dta_path'", address.replace("data_path", "dta_path"))
    refused(modelhub_sql.OptionError, "catalog in PostgreSQL", "ducklake:sqlite:x")
    with modelhub_sql.connect(address, partition_size=100) as hub:
        hub.register("a", normal(300, 0, 0))
        with pytest.raises(modelhub_sql.OptionError, match="NUL"):
            hub.register("b\0", normal(300, 0, 0))
        assert len(hub.models()) == 1
    refused(modelhub_sql.SettingsError, "partition_size = 100", partition_size=200)
    refused(modelhub_sql.HubNotFoundError, "there is no hub", address + "&schema=other", read_only=True)
    for statements, undone, said in (
        ("UPDATE modelhub.format SET format_version = 99", "UPDATE modelhub.format SET format_version = 2", "newer"),
        (
            "ALTER TABLE modelhub.models ADD COLUMN x INTEGER",
            "ALTER TABLE modelhub.models DROP COLUMN x",
            "models has other columns",
        ),
        ("DELETE FROM modelhub.revision", "INSERT INTO modelhub.revision VALUES ('x', 1)", "0 rows of revision"),
        (
            "ALTER TABLE modelhub.models RENAME TO kept; CREATE VIEW modelhub.models AS FROM modelhub.kept",
            "DROP VIEW modelhub.models; ALTER TABLE modelhub.kept RENAME TO models",
            "models is missing",
        ),
    ):
        in_lake(catalog, statements)
        refused(modelhub_sql.HubFormatError, said)
        in_lake(catalog, undone)
    modelhub_sql.connect(address).close()


@needs_ducklake
def test_a_lost_connection_loses_and_doubles_nothing(address: str, port: int) -> None:
    import psycopg

    with (
        modelhub_sql.connect(address, partition_size=100) as hub,
        psycopg.connect(f"host=127.0.0.1 port={port} user=hub dbname=postgres", autocommit=True) as server,
    ):
        for number in range(3):
            hub.register(f"m{number}", normal(300, number, number))
            server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'of_a_test'")
        assert [row["model"] for row in hub.models().dicts()] == ["m0", "m1", "m2"]
        assert hub.verify().fetchall() == []
