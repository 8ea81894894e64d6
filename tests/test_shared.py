"""A hub in PostgreSQL is the hub of the file, for many writers at once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import postgres_server
import pyarrow as pa
import pytest
from click.testing import CliRunner
from conftest import data, normal
from sharing import is_that_of_the_file, rows_of, write_at_once
from test_docs import blocks, run

import modelhub_sql
from modelhub_sql.cli import main
from modelhub_sql.errors import HubBusyError
from modelhub_sql.postgres import Postgres

psycopg = pytest.importorskip("psycopg", reason="needs the extra postgres")
if postgres_server.programs() is None:
    pytest.skip("needs PostgreSQL (apt-get install postgresql)", allow_module_level=True)

PASSWORD = quote(postgres_server.PASSWORD, safe="")


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with postgres_server.running("fsync=off") as found:
        yield found


@pytest.fixture
def server(port: int) -> Iterator[Any]:
    with psycopg.connect(
        host="127.0.0.1", port=port, user="hub", password=postgres_server.PASSWORD, dbname="postgres", autocommit=True
    ) as con:
        yield con


@pytest.fixture
def address(port: int, server: Any, request: pytest.FixtureRequest) -> Iterator[str]:
    """An address whose schema is the test's own."""
    yield f"postgres://hub:{PASSWORD}@127.0.0.1:{port}/postgres?schema=of_a_test"
    server.execute("DROP SCHEMA IF EXISTS of_a_test CASCADE")


def test_a_hub_in_postgres_is_that_of_the_file(address: str, sensor_hub: modelhub_sql.Hub, sensor_hub_path: str) -> None:
    with modelhub_sql.connect(address, partition_size=100) as hub:
        assert PASSWORD not in repr(hub)
    is_that_of_the_file(address, sensor_hub, sensor_hub_path)


def test_the_command_line_takes_a_database(address: str) -> None:
    def command(*words: str) -> Any:
        result = CliRunner().invoke(main, list(words))
        assert PASSWORD not in result.output
        assert postgres_server.PASSWORD not in result.output
        return result

    missing = command("remove", address, "leg1")
    assert missing.exit_code == 1
    assert "there is no hub at postgres://hub@127.0.0.1" in missing.output
    assert "is ready" in command("init", address, "--partition-size", "100").output
    assert "is a hub already" in command("init", address).output
    assert command("register", address, "leg1", data("leg1"), "--exclude", "activity").exit_code == 0
    assert "leg1 fits" in command("find", address, data("leg1"), "--exclude", "activity").output
    for words in (
        ["list"],
        ["show", "leg1"],
        ["update", "leg1", "--accuracy", "0.7"],
        ["verify"],
        ["explain", "leg1", data("leg1")],
    ):
        result = command(words[0], address, *words[1:])
        assert result.exit_code == 0, result.output
    for words in (["backup", "-o", "copy.duckdb"], ["compact"], ["upgrade"], ["rescue", "-o", "copy.duckdb"]):
        refused = command(words[0], address, *words[1:])
        assert refused.exit_code == 1
        assert "is in a database, not a file" in refused.output
    assert command("remove", address, "leg1").exit_code == 0
    assert command("list", address, "--json").stdout.strip() == "[]"


def test_the_page_runs(address: str, tmp_path: Path) -> None:
    for name in ("beer", "target"):
        shutil.copy(data("beer"), tmp_path / f"{name}.parquet")
    found = blocks("docs/howto/shared.md", "sh|python")
    assert [language for language, _ in found] == ["sh", "python"]
    for language, block in found:
        assert "beer fits" in run(tmp_path, language, block.replace("postgres://me@db.example.org/models", address))


def test_many_write_at_once_and_one_is_killed(address: str) -> None:
    write_at_once(address, processes=2, models=4)


@pytest.mark.long
def test_four_processes_write_fifty_models_each_and_one_more_is_killed(address: str) -> None:
    write_at_once(address, processes=4, models=50)


def test_what_another_changed_meanwhile_is_seen(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with modelhub_sql.connect(address, partition_size=100) as one, modelhub_sql.connect(address) as other:
        for number in range(3):
            one.register(f"m{number}", normal(300, number, number))
        other.models()
        shared = other._shared
        assert shared is not None
        fresh = shared.refresh

        def stale_once(*_: Any) -> None:
            # The other's change comes after this one has looked.
            monkeypatch.setattr(shared, "refresh", fresh)

        monkeypatch.setattr(shared, "refresh", stale_once)
        one.register("new", normal(300, 7, 7))
        # Both gave the same number to a dataset; this one's is given anew.
        other.register("newer", normal(300, 8, 8))
        assert rows_of(one)["models"] != rows_of(other)["models"]
        assert one.verify().fetchall() == other.verify().fetchall() == []
        assert rows_of(one) == rows_of(other)
        assert len({row[2] for row in rows_of(one)["models"]}) == 5

        def met(change: Any, verb: Any) -> None:
            monkeypatch.setattr(shared, "refresh", stale_once)
            change()
            verb()

        met(lambda: one.update("m0", task="x"), lambda: other.update("m0", framework="y"))
        (row,) = (row for row in one.models().dicts() if row["model"] == "m0")
        assert (row["task"], row["framework"]) == ("x", "y")
        with pytest.raises(modelhub_sql.ModelExistsError):
            met(lambda: one.register("same", normal(300, 1, 9)), lambda: other.register("same", normal(300, 2, 9)))
        with pytest.raises(modelhub_sql.ModelNotFoundError):
            met(lambda: one.remove("m1"), lambda: other.register("shares", like="m1"))
        met(lambda: one.register("shares", like="m2"), lambda: other.remove("m2"))
        assert one.show("shares").fetchall()
        stream = pa.RecordBatchReader.from_batches(normal(300, 1, 1).schema, normal(300, 1, 1).to_batches())
        with pytest.raises(HubBusyError, match="try again"):
            met(lambda: one.register("late", normal(300, 1, 9)), lambda: other.register("late", stream, replace=True))
        assert one.verify().fetchall() == other.verify().fetchall() == []


def test_the_histograms_of_partitions_come_when_they_are_needed(
    address: str, sensor_hub: modelhub_sql.Hub, sensor_hub_path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with modelhub_sql.connect(address, partition_size=100) as hub:
        hub.import_hub(sensor_hub_path)
        target, exclude = data("leg1"), ["activity"]
        read: list[Any] = []
        there = Postgres.read

        def reading(self: Postgres, table: str, column: str | None = None, values: Any = ()) -> Any:
            if table == "partition_counts":
                read.append(list(values))
            return there(self, table, column, values)

        monkeypatch.setattr(Postgres, "read", reading)
        with modelhub_sql.connect(address, read_only=True, _late=True) as reader:
            for verb in ("models", "datasets", "outcomes"):
                assert len(getattr(reader, verb)()) == len(getattr(sensor_hub, verb)())
            assert reader.show("beer").fetchall() == sensor_hub.show("beer").fetchall()
            assert (
                reader.find_models(target, exclude=exclude).fetchall()
                == sensor_hub.find_models(target, exclude=exclude).fetchall()
            )
            assert (
                reader.explain("leg2", target, exclude=exclude).fetchall()
                == sensor_hub.explain("leg2", target, exclude=exclude).fetchall()
            )
            assert read == []
            # By its option, and by a default of the hub, which only the search itself knows.
            hub.set(rank_by="adaptivity")
            ranked = sensor_hub.find_models(target, exclude=exclude, rank_by="adaptivity").fetchall()
            assert [row[1] for row in reader.find_models(target, exclude=exclude).fetchall()] == [row[1] for row in ranked]
            assert [len(each) for each in read] == [6]
            hub.register("new", normal(300, 0, 0))
            assert len(reader.models()) == 7
            assert [len(each) for each in read] == [6]
            hub.remove("new")
            hub.register("newer", normal(300, 0, 0))
            assert reader.verify().fetchall() == []
            assert [len(each) for each in read] == [6, 1]
        with modelhub_sql.connect(address, read_only=True, _late=True) as reader:
            # Who looks at the tables finds them whole, now and later.
            query = f"SELECT count(DISTINCT dataset_id) FROM {reader._place.tables}._hub.partition_counts"
            con = reader.con
            assert con.execute(query).fetchall() == [(7,)]
            hub.register("newest", normal(300, 1, 1))
            reader.models()
            assert con.execute(query).fetchall() == [(8,)]


def test_a_lost_connection_loses_and_doubles_nothing(address: str, server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'modelhub'"
    with modelhub_sql.connect(address, partition_size=100) as hub:
        hub.register("a", normal(300, 0, 0))
        server.execute(cut)
        assert [row["model"] for row in hub.models().dicts()] == ["a"]
        shared = hub._shared
        assert shared is not None
        remote: Any = shared._remote
        real = psycopg.Connection.execute
        for name, when in (("before", "UPDATE"), ("after", "COMMIT")):
            is_cut: list[bool] = []

            def execute(con: Any, query: Any, *args: Any, when: str = when, is_cut: list[bool] = is_cut, **named: Any) -> Any:
                if query.startswith(when) and con is remote._con and not is_cut:
                    is_cut.append(True)
                    if when == "COMMIT":
                        real(con, query, *args, **named)
                    server.execute(cut)
                return real(con, query, *args, **named)

            with monkeypatch.context() as patched:
                patched.setattr(shared, "refresh", lambda *_: None)
                patched.setattr(psycopg.Connection, "execute", execute)
                hub.register(name, normal(300, 1, 1))
            assert is_cut
        assert [row["model"] for row in hub.models().dicts()] == ["a", "after", "before"]
        assert hub.verify().fetchall() == []
        assert server.execute("SELECT count(*) FROM of_a_test.datasets").fetchall() == [(3,)]


def test_what_is_no_hub_is_called_so(address: str, port: int, server: Any) -> None:
    def refused(error: type[Exception], said: str, path: str = address, **given: Any) -> None:
        with pytest.raises(error, match=said) as raised, closing(modelhub_sql.connect(path, **given)):
            pass
        assert "secret" not in str(raised.value)

    refused(modelhub_sql.HubNotFoundError, "there is no hub at postgres://hub@127.0.0.1", read_only=True)
    refused(modelhub_sql.HubAccessError, "PGPASSWORD", address.replace(PASSWORD, "secret"))
    refused(modelhub_sql.HubNotFoundError, "no such database", address.replace("/postgres?", "/nowhere?"))
    refused(modelhub_sql.HubAccessError, "can't be reached", address.replace(str(port), "9"))
    refused(modelhub_sql.OptionError, "is no address", "postgres://hub:secret%zz@host/db")
    refused(modelhub_sql.OptionError, "not a file", swap=True)
    server.execute("CREATE SCHEMA of_a_test; CREATE TABLE of_a_test.others (a int)")
    refused(modelhub_sql.HubFormatError, "is not a hub")
    server.execute("DROP TABLE of_a_test.others")
    # An empty schema is as good as none.
    modelhub_sql.connect(address, partition_size=100).close()
    refused(modelhub_sql.SettingsError, "partition_size = 100", partition_size=200)
    for statement, undone, said in (
        ("UPDATE of_a_test.format SET format_version = 99", "UPDATE of_a_test.format SET format_version = 2", "newer"),
        ("UPDATE of_a_test.format SET partition_size = -1", "UPDATE of_a_test.format SET partition_size = 100", "format: "),
        ("DELETE FROM of_a_test.minhash_functions WHERE function = 3", "", "MinHash functions"),
    ):
        server.execute(statement)
        refused(modelhub_sql.HubFormatError, said)
        server.execute(undone)
    server.execute("DROP SCHEMA of_a_test CASCADE")
    with modelhub_sql.connect(address, partition_size=100) as hub:
        hub.register("a", normal(300, 0, 0))
        server.execute("UPDATE of_a_test.features SET bins = substr(bins, 2); UPDATE of_a_test.datasets SET source = 'x'")
        server.execute("UPDATE of_a_test.revision SET revision = 9")
        with pytest.raises(modelhub_sql.HubFormatError, match="cut off"):
            hub.models()
    server.execute("CREATE FUNCTION of_a_test.run() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'")
    server.execute("CREATE TRIGGER t BEFORE INSERT ON of_a_test.models FOR EACH ROW EXECUTE FUNCTION of_a_test.run()")
    refused(modelhub_sql.HubFormatError, "triggers")
    server.execute("DROP TABLE of_a_test.models; CREATE VIEW of_a_test.models AS SELECT 1 AS model")
    refused(modelhub_sql.HubFormatError, "models is not a table")


def test_who_may_only_read_can_search(address: str, server: Any) -> None:
    with modelhub_sql.connect(address, partition_size=100) as hub:
        hub.register("a", normal(300, 0, 0))
    server.execute("DROP ROLE IF EXISTS reader; CREATE ROLE reader LOGIN PASSWORD 'r'; GRANT USAGE ON SCHEMA of_a_test TO reader")
    theirs = address.replace(f"hub:{PASSWORD}", "reader:r")
    with pytest.raises(modelhub_sql.HubAccessError, match="may not read"):
        modelhub_sql.connect(theirs, read_only=True)
    server.execute("GRANT SELECT ON ALL TABLES IN SCHEMA of_a_test TO reader")
    with modelhub_sql.connect(theirs, read_only=True) as hub:
        assert len(hub.find_models(normal(300, 0, 0))) == 1
    with modelhub_sql.connect(theirs) as hub, pytest.raises(modelhub_sql.HubAccessError, match="may not change"):
        hub.register("b", normal(300, 0, 1))
