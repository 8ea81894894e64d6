"""All or nothing: killed processes, refusals half-way, locks, several readers."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from conftest import data, whole

import modelhub_sql
from modelhub_sql import udfs

REGISTER = """
import sys
import modelhub_sql
path, dataset = sys.argv[1:]
hub = modelhub_sql.connect(path)
print("registering", flush=True)
# The same table hundreds of times over: a register that takes seconds.
hub.con.execute(f"CREATE TEMP VIEW much AS SELECT d.* FROM '{dataset}' AS d, range(400)")
hub.register("much", "much")
print("done", flush=True)
"""

HOLD = """
import sys
import modelhub_sql
hub = modelhub_sql.connect(sys.argv[1], read_only=sys.argv[2] == "read")
print("open", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A hub file with one model."""
    path = tmp_path / "hub.duckdb"
    with modelhub_sql.connect(path, partition_size=100) as hub:
        hub.register("beer", data("beer"), exclude=["label", "split"])
    return path


@pytest.mark.one_in(3)
@pytest.mark.parametrize("seconds", [0.0, 0.05, 0.2, 0.5, 1.0])
def test_killing_the_process_during_register_leaves_the_hub_as_it_was(path: Path, seconds: float) -> None:
    before = whole(path)
    with subprocess.Popen(
        [sys.executable, "-c", REGISTER, str(path), data("adult")], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "registering\n"
        time.sleep(seconds)
        process.kill()
        assert process.wait() == -signal.SIGKILL
        assert process.stdout.read() == "", "the process was killed before it was done"
    assert whole(path) == before
    with modelhub_sql.connect(path) as hub:
        hub.register("after", data("fodors_zagats"), exclude=["label", "split"])
        assert [row[0] for row in hub.models().select("model").fetchall()] == ["after", "beer"]


def test_many_models_are_registered_all_or_none(path: Path) -> None:
    before = whole(path)
    good = {"name": "good", "dataset": data("fodors_zagats"), "exclude": ["label"]}
    also = {"name": "also good", "dataset": data("adult")}
    bad: list[tuple[dict[str, Any], type[Exception]]] = [
        ({"name": "bad", "dataset": "missing.parquet"}, modelhub_sql.DatasetError),
        ({"name": "beer", "dataset": data("beer")}, modelhub_sql.ModelExistsError),
        ({"name": "good", "dataset": data("beer")}, modelhub_sql.ModelExistsError),
        ({"name": "bad", "dataset": data("beer"), "accuracy": 2}, modelhub_sql.OptionError),
        ({"name": "bad", "like": "nobody"}, modelhub_sql.ModelNotFoundError),
    ]
    with modelhub_sql.connect(path) as hub:
        for model, error in bad:
            with pytest.raises(error):
                hub.register_many([good, also, model])
    assert whole(path) == before


def test_replacing_by_a_bad_dataset_keeps_the_model(path: Path) -> None:
    before = whole(path)
    with modelhub_sql.connect(path) as hub, pytest.raises(modelhub_sql.DatasetError):
        hub.register("beer", "missing.parquet", replace=True)
    assert whole(path) == before


def test_an_error_of_the_caller_half_way_leaves_the_hub_as_it_was(path: Path) -> None:
    def models() -> Iterator[dict[str, Any]]:
        yield {"name": "good", "dataset": data("adult")}
        raise RuntimeError("stop")

    before = whole(path)
    with modelhub_sql.connect(path) as hub:
        with pytest.raises(RuntimeError, match="stop"):
            hub.register_many(models())
        # The connection goes on working.
        assert hub.find_models(data("beer"), exclude=["label", "split"]).select("model").fetchall() == [("beer",)]
    assert whole(path) == before


@pytest.mark.parametrize(("held", "wanted"), [("write", "write"), ("write", "read"), ("read", "write")])
def test_a_hub_that_another_process_holds_says_who_may_do_what(path: Path, held: str, wanted: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path), held], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        with pytest.raises(modelhub_sql.HubLockedError, match="another process") as refused:
            modelhub_sql.connect(path, read_only=wanted == "read")
        assert str(path) in str(refused.value)
        assert "read_only=True" in str(refused.value)
        process.communicate()
    modelhub_sql.connect(path).close()


def test_several_processes_read_at_once(path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path), "read"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        with modelhub_sql.connect(path, read_only=True) as hub:
            assert len(hub.find_models(data("beer"), exclude=["label", "split"]).fetchall()) == 1
        process.communicate()


def test_a_reader_cannot_change_the_hub(path: Path) -> None:
    before = whole(path)
    with modelhub_sql.connect(path, read_only=True) as hub:
        for change in (
            lambda: hub.register("m", data("adult")),
            lambda: hub.remove("beer"),
            lambda: hub.sql("DELETE FROM hub._hub.models"),
        ):
            with pytest.raises((modelhub_sql.HubError, duckdb.Error), match="read-only"):
                change()
    assert whole(path) == before


#: Ctrl-C when a module is looked for, which is imported before the command runs or when it registers.
INTERRUPTED = """
import os, signal, sys
import modelhub_command
module = sys.argv.pop(1)

class Interrupts:
    def find_spec(self, name, *_):
        if name == module:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupts())
modelhub_command.main()
"""


@pytest.mark.parametrize("module", ["modelhub_sql", "modelhub_sql.cli", "datasketch"])
def test_ctrl_c_is_a_line_and_changes_nothing(tmp_path: Path, module: str) -> None:
    path = tmp_path / "hub.duckdb"
    ran = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, module, "register", path, "m", data("beer")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (130, "", "interrupted: nothing was changed\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("raised", "error"), [(KeyboardInterrupt, KeyboardInterrupt), (MemoryError, modelhub_sql.OutOfMemoryError)]
)
def test_what_stops_a_numpy_function_is_not_the_fault_of_the_data(
    path: Path, raised: type[BaseException], error: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: Any) -> Any:
        raise raised

    before = whole(path)
    _, *types = udfs.FUNCTIONS["modelhub_elements"]
    monkeypatch.setitem(udfs.FUNCTIONS, "modelhub_elements", (stopped, *types))
    with modelhub_sql.connect(path) as hub, pytest.raises(error):
        hub.register("new", data("adult"))
    assert whole(path) == before
