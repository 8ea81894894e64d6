"""A hub that a DuckDB server has open is the hub of the file, for many writers at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa
import pytest
import quack_server
from click.testing import CliRunner
from conftest import data, normal
from sharing import is_that_of_the_file, rows_of, write_at_once

import modelhub_sql
from modelhub_sql.cli import main
from modelhub_sql.opening import expected
from modelhub_sql.postgres import _TYPES
from modelhub_sql.quack import Quack
from modelhub_sql.shared import Raced

REASON = quack_server.why_not("httpfs", "quack")
needs_quack = pytest.mark.skipif(REASON is not None, reason=str(REASON))
TOKEN = quote(quack_server.TOKEN, safe="")


@pytest.fixture
def path(tmp_path: Path) -> str:
    path = str(tmp_path / "hub.duckdb")
    modelhub_sql.connect(path, partition_size=100).close()
    return path


@pytest.fixture
def address(path: str) -> Iterator[str]:
    with quack_server.running(path) as port:
        yield f"quack:localhost:{port}?token={TOKEN}"


def test_a_duckdb_without_the_extension_says_which_has_it() -> None:
    if REASON is None:
        pytest.skip("this DuckDB has it")
    with pytest.raises(modelhub_sql.ExtraError, match=r"no extension httpfs here: pip install 'modelhub-sql\[quack\]'.*1\.5\.5"):
        modelhub_sql.connect("quack:localhost:9494")


@needs_quack
def test_a_hub_in_a_duckdb_server_is_that_of_the_file(address: str, sensor_hub: modelhub_sql.Hub, sensor_hub_path: str) -> None:
    is_that_of_the_file(address, sensor_hub, sensor_hub_path)


@needs_quack
def test_the_file_stays_a_hub(path: str) -> None:
    with quack_server.running(path) as port:
        address = f"quack:localhost:{port}?token={TOKEN}"
        for words in (["register", address, "leg1", data("leg1"), "--exclude", "activity"], ["find", address, data("leg1")]):
            run = CliRunner().invoke(main, words)
            assert run.exit_code == 0, run.output
            assert quack_server.TOKEN not in run.output
        with modelhub_sql.connect(address, read_only=True) as hub:
            assert TOKEN not in repr(hub)
            there = rows_of(hub)
    with modelhub_sql.connect(path) as hub:
        assert hub.verify().fetchall() == []
        assert rows_of(hub) == there
        # What is changed in the file itself is seen, too.
        hub.register("beer", data("beer"))
    with quack_server.running(path) as port, modelhub_sql.connect(f"quack:localhost:{port}?token={TOKEN}") as hub:
        assert [row["model"] for row in hub.models().dicts()] == ["beer", "leg1"]


@needs_quack
def test_many_write_at_once_and_one_is_killed(address: str) -> None:
    write_at_once(address, processes=2, models=4)


@needs_quack
@pytest.mark.long
def test_four_processes_write_fifty_models_each_and_one_more_is_killed(address: str) -> None:
    write_at_once(address, processes=4, models=50)


@needs_quack
def test_a_change_is_stored_only_where_the_hub_is_as_it_was(address: str) -> None:
    one, other = (Quack(address, False) for _ in range(2))
    with closing(one), closing(other):
        before = one.state()

        def recall(there: Quack, value: float) -> None:
            rows = there.read("defaults")
            there.delete("defaults", rows.select(["features"]))
            there.insert("defaults", rows.set_column(rows.column_names.index("recall"), "recall", pa.array([value])))

        def write_at_once() -> None:
            with one.writing():
                recall(one, 0.1)
                with other.writing() as state:
                    assert state == before
                    recall(other, 0.5)

        def read_meanwhile() -> None:
            with one.reading(), other.writing():
                recall(other, 0.7)

        for each, left in ((write_at_once, 0.5), (read_meanwhile, 0.7)):
            with pytest.raises(Raced):
                each()
            assert one.read("defaults")["recall"].to_pylist() == [left]
        assert one.state() == other.state() != before


@needs_quack
def test_what_travels_is_what_was_sent(address: str) -> None:
    texts = ["it's", 'a "b"', "a\0b", "\U0001f600\n\\", ""]
    numbers = [1e-320, 0.1, float("inf"), 2.0**63, 5e-324]
    with closing(Quack(address, False)) as there:
        # Rows of the types that a hub has, some of them at their bounds.
        types = {table: pa.schema([(name, _TYPES[type_][1]) for name, type_ in columns]) for table, columns in expected().items()}
        features = pa.table(
            {
                "dataset_id": [2**32 - 1], "feature_id": [2**16 - 1], "feature": [texts[2]], "kind": ["number"],
                "values": [2**64 - 1], "nulls": [0], "distincts": [None], "k": [-(2**15)], "b": [None], "bins": [numbers],
                "counts": [[2**64 - 1, 0]], "effective_bins": [0.1 + 0.2], "mean": [-1e308], "elements": [7], "minhash": [[]],
                "spread": [0.0],
            },
            types["features"],
        )  # fmt: skip
        datasets = pa.table(
            {
                "dataset_id": [2**32 - 1], "dataset": [texts[0]], "rows": [1], "partitions": [1], "source": [texts[1]],
                "excluded": [texts], "registered_at": [1_700_000_000_123_457], "fingerprint": ["f"], "spread": [0.5],
                "skipped": [[]],
            },
            types["datasets"],
        )  # fmt: skip
        with there.writing():
            there.insert("features", features)
            there.insert("datasets", datasets)
        assert there.read("features").to_pylist() == features.to_pylist()
        assert there.read("datasets", "dataset", [texts[0]]).to_pylist() == datasets.to_pylist()
        assert there.last_dataset() == 2**32 - 1


@needs_quack
def test_what_is_no_hub_is_called_so(tmp_path: Path) -> None:
    import duckdb

    def refused(error: type[Exception], said: str, path: str, **given: Any) -> None:
        with pytest.raises(error, match=said) as raised, closing(modelhub_sql.connect(path, **given)):
            pass
        assert quack_server.TOKEN not in str(raised.value)
        assert TOKEN not in str(raised.value)

    refused(modelhub_sql.HubAccessError, "can't be reached", f"quack:localhost:9?token={TOKEN}")
    refused(modelhub_sql.OptionError, "no option is called 'tokn'", f"quack:localhost:9?tokn={TOKEN}")
    refused(modelhub_sql.OptionError, "no address", "quack:")
    empty, other = str(tmp_path / "empty.duckdb"), str(tmp_path / "other.duckdb")
    duckdb.connect(empty).close()
    with duckdb.connect(other) as con:
        con.execute("CREATE SCHEMA _hub; CREATE TABLE _hub.format (format_version INTEGER)")
    with quack_server.running(empty) as port:
        refused(modelhub_sql.HubAccessError, "Authentication failed", f"quack:localhost:{port}?token=other")
        refused(modelhub_sql.HubAccessError, "QUACK_TOKEN", f"quack:localhost:{port}")
        refused(modelhub_sql.HubNotFoundError, "there is no hub", f"quack:localhost:{port}?token={TOKEN}", read_only=True)
        refused(modelhub_sql.HubNotFoundError, "modelhub init", f"quack:localhost:{port}?token={TOKEN}")
    with quack_server.running(other) as port:
        refused(modelhub_sql.HubFormatError, "its format is None", f"quack:localhost:{port}?token={TOKEN}")


@needs_quack
def test_a_server_that_is_started_anew_is_found_again(path: str) -> None:
    with quack_server.running(path) as port:
        hub = modelhub_sql.connect(f"quack:localhost:{port}?token={TOKEN}")
        hub.register("a", normal(300, 0, 0))
    with closing(hub):
        with pytest.raises(modelhub_sql.HubAccessError, match="can't be reached"):
            hub.models()
        with modelhub_sql.connect(path) as alone:
            alone.register("b", normal(300, 1, 1))
        with quack_server.running(path, port):
            hub.register("c", normal(300, 2, 2))
            assert sorted(row["model"] for row in hub.models().dicts()) == ["a", "b", "c"]
