"""Names of excluded columns that are not kept: nowhere in the hub, and what does not work without them."""

from __future__ import annotations

import inspect
import pickle
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from conftest import stock_shell
from sklearn.linear_model import LinearRegression

import modelhub_sql
from modelhub_sql import DatasetError, Hub, OptionError, fitted, huggingface, mlflow, sharding, spark
from modelhub_sql.cli import main

#: A name that is nowhere else.
LABEL = "has_diagnosis_x"


def patients(seed: int = 1, rows: int = 240) -> pa.Table:
    rng = np.random.default_rng(seed)
    return pa.table({"age": rng.integers(20, 90, rows), "pulse": rng.normal(70, 9, rows), LABEL: rng.integers(0, 2, rows)})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "patients.parquet"
    pq.write_table(patients(), path)
    return path


@pytest.fixture
def hub(file: Path) -> Hub:
    hub = modelhub_sql.connect(partition_size=60)
    hub.register("m", file, exclude=[LABEL], hide_excluded=True)
    return hub


def excluded(hub: Hub, model: str = "m") -> list[str | None]:
    ((found,),) = hub.sql("SELECT excluded FROM list_models WHERE model = ?", params=[model]).fetchall()
    return list(found)


def told_anywhere(path: Path) -> list[str]:
    """The tables of a hub's file in which the name is."""
    with duckdb.connect(str(path), read_only=True) as con:
        tables = con.execute("SELECT table_name FROM duckdb_tables() WHERE schema_name = '_hub'").fetchall()
        return [name for (name,) in tables if LABEL in str(con.execute(f"FROM _hub.{name}").fetchall())]


@pytest.mark.parametrize("hidden", [True, False])
@pytest.mark.parametrize(
    "how",
    ["register", "register_many", "sync", "sync command", "command", "sketch file", "shards", "model file", "shell"],
)
def test_the_name_is_nowhere_in_the_file(file: Path, tmp_path: Path, how: str, hidden: bool) -> None:
    path = tmp_path / "hub.duckdb"
    row = {"name": "m", "dataset": str(file), "exclude": [LABEL], "hide_excluded": hidden}
    with modelhub_sql.connect(path, partition_size=60) as hub:
        if how == "register":
            hub.register(**row)  # type: ignore[arg-type]
        elif how == "register_many":
            hub.register_many([row, {**row, "name": "n"}])
        elif how == "sync":
            # As a csv says it.
            (tmp_path / "models.csv").write_text(f"name,dataset,exclude,hide_excluded\nm,patients.parquet,{LABEL},{hidden}\n")
            hub.sync(tmp_path / "models.csv")
        elif how == "sketch file":
            hub.sketch(file, exclude=[LABEL], hide_excluded=hidden).save(tmp_path / "p.sketch.parquet")
            assert (LABEL in str(pq.read_table(tmp_path / "p.sketch.parquet").to_pylist())) != hidden
            hub.register("m", tmp_path / "p.sketch.parquet")
        elif how == "shards":
            hub.register("m", modelhub_sql.shards(file, 3, exclude=[LABEL], hide_excluded=hidden, hub=hub).sketch())
    if how == "model file":
        model = LinearRegression()
        modelhub_sql.keep_sketch(model, patients(), exclude=[LABEL], hide_excluded=hidden, hub=path)
        (tmp_path / "m.pkl").write_bytes(pickle.dumps(model))
        fitted = modelhub_sql.sketching(model, exclude=[LABEL], hide_excluded=hidden, hub=path).fit(patients(), np.ones(240))
        (tmp_path / "n.pkl").write_bytes(pickle.dumps(fitted))
        with modelhub_sql.connect(path) as hub:
            hub.register_many([{"name": name, "dataset": tmp_path / f"{name}.pkl"} for name in "mn"])
    if how == "command":
        given = ["register", str(path), "m", str(file), "--exclude", LABEL, *(["--hide-excluded"] if hidden else [])]
        assert CliRunner().invoke(main, given).exit_code == 0
    elif how == "sync command":
        (tmp_path / "models.csv").write_text("name,dataset,like\nm,patients.parquet,\nn,,m\n")
        given = ["sync", str(path), str(tmp_path / "models.csv"), "--exclude", LABEL, *(["--hide-excluded"] if hidden else [])]
        assert CliRunner().invoke(main, given).exit_code == 0
    if how == "shell":
        with duckdb.connect(str(path), read_only=True) as con:
            ((script,),) = con.execute("SELECT script FROM verbs WHERE verb = 'register'").fetchall()
        told = f"SET VARIABLE model = 'm'; SET VARIABLE dataset = '{file}'; SET VARIABLE exclude = ['{LABEL}'];"
        told += "SET VARIABLE hide_excluded = true;" if hidden else ""
        subprocess.run([stock_shell(), "-bail", path], input=told + script, text=True, check=True, capture_output=True)
    assert told_anywhere(path) == ([] if hidden else ["datasets"])
    with modelhub_sql.connect(path, read_only=True) as hub:
        assert excluded(hub) == ([None] if hidden else [LABEL])
        assert hub.verify().fetchall() == []
        (said,) = [row["meaning"] for row in hub.privacy().dicts() if row["what"] == "said in plain words"][:1]
        assert (LABEL in said, "names are not kept" in said) == (not hidden, hidden)


def test_whatever_keeps_a_sketch_can_leave_the_names_out() -> None:
    verbs: list[Callable[..., Any]] = [Hub.register, Hub.sketch]
    for module in (sharding, spark, fitted, mlflow, huggingface):
        verbs += [each for each in (getattr(module, name) for name in module.__all__) if inspect.isfunction(each)]
    excluding = [verb for verb in verbs if "exclude" in inspect.signature(verb).parameters]
    assert len(excluding) >= 9
    assert [verb for verb in excluding if "hide_excluded" not in inspect.signature(verb).parameters] == [sharding.planned]
    for command in (["register"], ["sync"], ["sketch"], ["import", "mlflow"], ["import", "hf"]):
        assert "--hide-excluded" in CliRunner().invoke(main, [*command, "--help"]).stdout, command


def test_a_target_that_has_the_column_counts_it_as_not_shared(hub: Hub) -> None:
    (whole,) = hub.find_models(patients(), exclude=[LABEL]).dicts()
    (with_label,) = hub.find_models(patients()).dicts()
    assert whole["overlap"] == 1
    assert whole["distance"] == 0
    # One of three features is wholly different.
    assert with_label["overlap"] == pytest.approx(2 / 3, abs=1e-3)
    assert with_label["distance"] == pytest.approx(1 / 3, abs=1e-3)
    hub.register("named", patients(), exclude=[LABEL])
    found = hub.find_models(patients(), all_models=True).dicts()
    assert {row["model"]: row["overlap"] for row in found} == {
        "m": pytest.approx(2 / 3, abs=1e-3),
        "named": 1,
    }


def test_new_rows_have_no_column_that_may_be_one_of_them(hub: Hub) -> None:
    with pytest.raises(DatasetError, match=f"{LABEL}.*is not kept"):
        hub.append("m", patients(2))
    assert hub.append("m", patients(2).drop_columns([LABEL])) == 480
    assert excluded(hub) == [None]


def test_sketches_that_are_merged_or_exported_go_on_not_saying_it(hub: Hub, tmp_path: Path) -> None:
    parts = [hub.sketch(patients(seed), exclude=[LABEL], hide_excluded=seed == 1) for seed in (1, 2)]
    hub.register("merged", hub.merge(parts))
    assert excluded(hub, "merged") == [LABEL, None]
    hub.register("hidden", hub.merge(parts), hide_excluded=True)
    assert excluded(hub, "hidden") == [None]
    with modelhub_sql.connect(partition_size=60) as other:
        other.register("m", hub.export("m", tmp_path / "m.sketch.parquet"))
        assert excluded(other) == [None]


@pytest.mark.parametrize("processes", [[], ["--processes", "1"]])
def test_a_sketch_of_the_command_hides_them_too(file: Path, tmp_path: Path, processes: list[str]) -> None:
    output = tmp_path / "p.sketch.parquet"
    given = ["sketch", str(file), "-o", str(output), "--exclude", LABEL, "--hide-excluded", *processes]
    assert CliRunner().invoke(main, given).exit_code == 0
    assert pq.read_table(output)["excluded"].to_pylist() == [[None], [None]]


def test_sync_sees_whether_names_are_kept(hub: Hub, file: Path) -> None:
    row = {"name": "m", "dataset": str(file), "exclude": [LABEL]}
    assert hub.sync([{**row, "hide_excluded": True}], dry_run=True).summary == (
        "nothing was changed; would be: 0 new, 0 changed, 0 updated, 0 gone, 1 same"
    )
    (changed,) = hub.sync([row]).dicts()
    assert (changed["action"], changed["why"]) == ("changed", "another exclude: columns whose names are not kept before")
    assert excluded(hub) == [LABEL]


def test_what_has_nothing_to_hide_says_so(hub: Hub, file: Path) -> None:
    hub.register("all", file, hide_excluded=True)
    assert excluded(hub, "all") == []
    with pytest.raises(OptionError, match="hide_excluded goes with a dataset"):
        hub.register("like", like="m", hide_excluded=True)
    with pytest.raises(OptionError, match="hide_excluded must be True or False"):
        hub.register("text", file, hide_excluded="yes")  # type: ignore[arg-type]
    assert "columns whose names are not kept" in str(hub.show("m").summary)
    assert hub.check(patients()).fetchall() == []
