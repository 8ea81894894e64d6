"""Texts that can't be stored, as names of files that are no UTF-8, and values of other types: refused by name, nothing changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from click.testing import CliRunner

import modelhub_sql
from modelhub_sql import DatasetError, Hub, HubAccessError, HubDamagedError, HubError, OptionError, SettingsError, upkeep
from modelhub_sql.cli import main

HALF = "half \ud800"
TABLE = pa.table({"x": list(range(120))})


@pytest.fixture(scope="module")
def hub() -> Hub:
    hub = modelhub_sql.connect(partition_size=50)
    hub.register("a", TABLE)
    return hub


@pytest.mark.parametrize(
    ("named", "error", "does"),
    [
        ("name", OptionError, lambda hub: hub.register(HALF, TABLE)),
        ("version", OptionError, lambda hub: hub.register("b", TABLE, version=HALF)),
        ("uri", OptionError, lambda hub: hub.register("b", TABLE, uri=Path(HALF))),
        ("accuracy", OptionError, lambda hub: hub.register("b", TABLE, accuracy=HALF)),
        ("version", OptionError, lambda hub: hub.register_many([{"name": "b", "dataset": TABLE, "version": ["1"]}])),
        ("version", OptionError, lambda hub: hub.sync([{"name": "b", "dataset": TABLE, "version": object()}])),
        ("name", OptionError, lambda hub: hub.sync([{"name": HALF, "dataset": TABLE}])),
        ("task", OptionError, lambda hub: hub.update("a", task=object())),
        ("framework", OptionError, lambda hub: hub.update("a", framework={"torch": 2})),
        ("accuracy_rows", OptionError, lambda hub: hub.update("a", accuracy_rows=10**30)),
        ("version", OptionError, lambda hub: hub.remove("a", HALF)),
        ("half", DatasetError, lambda hub: hub.append("a", f"{HALF}.parquet")),
        ("half", DatasetError, lambda hub: hub.find_models(HALF)),
        ("exclude", OptionError, lambda hub: hub.find_models(TABLE, exclude=[HALF])),
        ("where", OptionError, lambda hub: hub.find_models(TABLE, where=HALF)),
        ("task", OptionError, lambda hub: hub.find_models(TABLE, task=HALF)),
        ("search", OptionError, lambda hub: hub.set(search=HALF)),
        ("path", OptionError, lambda hub: hub.export("a", f"{HALF}.sketch.parquet")),
        ("salt", SettingsError, lambda _: modelhub_sql.connect(salt=HALF)),
        ("half", OptionError, lambda _: modelhub_sql.connect(HALF)),
    ],
)
def test_what_is_no_text_is_refused_by_name(hub: Hub, named: str, error: type[HubError], does: Callable[[Hub], Any]) -> None:
    before = hub.models().fetchall()
    with pytest.raises(error, match=named):
        does(hub)
    assert hub.models().fetchall() == before


@pytest.mark.parametrize("size", [300, 250])
def test_a_name_that_is_too_long_is_said_to_be(tmp_path: Path, size: int) -> None:
    path = str(tmp_path / ("n" * size))
    with modelhub_sql.connect(tmp_path / "hub.duckdb") as hub:
        for does in (
            lambda: modelhub_sql.connect(path),
            lambda: upkeep.backup(hub.path, path),
            lambda: upkeep.compact(f"{path}{path}"),
            lambda: hub.register("a", "n" * size),
            lambda: hub.sync(f"{path}.csv"),
        ):
            with pytest.raises(HubError, match="n" * 100) as refused:
                does()
            assert not isinstance(refused.value, HubDamagedError)
        result = CliRunner().invoke(main, ["append", path, "a", "rows.csv"])
        assert isinstance(result.exception, SystemExit)
    # One that is there, whose journal can have no name.
    hub.close()
    if size < 256:
        (tmp_path / "hub.duckdb").rename(path)
        with pytest.raises(HubAccessError, match="too long"):
            modelhub_sql.connect(path)


def test_a_version_that_is_a_number_is_its_text() -> None:
    with modelhub_sql.connect(partition_size=50) as hub:
        hub.register("a", TABLE)
        for _ in range(2):
            hub.register("a", TABLE, version=2, replace=True)  # type: ignore[arg-type]
            hub.register_many([{"name": "a", "dataset": TABLE, "version": 3.5, "replace": True}])
            hub.sync([{"name": "a", "dataset": TABLE, "version": 1e9, "task": "t"}])
        assert [row["version"] for row in hub.models().dicts()] == ["", "1000000000.0", "2", "3.5"]
