"""Every stored byte is the same whatever threads, files, clients and versions of DuckDB there are; a hub goes from one to another.

MODELHUB_OTHER_PYTHON names a Python with another DuckDB and what else the package needs, its shell beside it, or several of them
with a colon between: pytest -m long tests/test_determinism.py
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import data, stock_shell
from stored import digests, make

import modelhub_sql
from modelhub_sql import upkeep

ROOT = Path(__file__).parent.parent
OTHERS = [each for each in os.environ.get("MODELHUB_OTHER_PYTHON", "").split(os.pathsep) if each]
of_each_other = pytest.mark.parametrize(
    "other", OTHERS or [pytest.param("", marks=pytest.mark.skip(reason="MODELHUB_OTHER_PYTHON names no Python"))]
)


@pytest.fixture(scope="module")
def rows() -> pa.Table:
    """Numbers of all sizes, gaps, words, times: 5,000 rows, so that there is work for more threads than one."""
    adult = pq.read_table(data("adult")).to_pandas()
    random = np.random.default_rng(1)
    table = adult.iloc[random.integers(0, len(adult), 5000)].reset_index(drop=True)
    table["wide"] = np.exp(random.normal(0, 9, 5000))
    table["gaps"] = np.where(random.random(5000) < 0.4, np.nan, random.normal(0, 1, 5000))
    table["at"] = pd.Timestamp("2020-01-01") + pd.to_timedelta(random.integers(0, 10**8, 5000), "s")
    return pa.Table.from_pandas(table, preserve_index=False)


@pytest.fixture(scope="module")
def folder(rows: pa.Table, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rows as files of several forms, and hub.duckdb made of one by one thread."""
    made = tmp_path_factory.mktemp("stored")
    pq.write_table(rows, made / "one.parquet")
    pq.write_table(rows, made / "groups.parquet", row_group_size=512)
    rows.to_pandas().to_csv(made / "rows.csv", index=False)
    (made / "parts").mkdir()
    for number, start in enumerate(range(0, 5000, 1500)):
        pq.write_table(rows.slice(start, 1500), made / "parts" / f"{number}.parquet")
    make(made / "hub.duckdb", made / "one.parquet", threads=1)
    return made


def differing(path: Path, folder: Path) -> list[str]:
    wanted = digests(folder / "hub.duckdb")
    found = digests(path)
    assert found.keys() == wanted.keys()
    return [name for name in wanted if found[name] != wanted[name]]


@pytest.mark.parametrize(
    ("dataset", "threads"),
    [
        ("groups.parquet", 8), ("rows.csv", 2), pytest.param("one.parquet", 8, marks=pytest.mark.long),
        pytest.param("parts/*.parquet", 8, marks=pytest.mark.long), pytest.param("rows.csv", 8, marks=pytest.mark.long),
    ],
)  # fmt: skip
def test_threads_and_files_change_no_byte(folder: Path, tmp_path: Path, dataset: str, threads: int) -> None:
    make(tmp_path / "hub.duckdb", folder / dataset, threads)
    assert differing(tmp_path / "hub.duckdb", folder) == []


def test_a_dataframe_is_stored_as_its_file(folder: Path, rows: pa.Table, tmp_path: Path) -> None:
    make(tmp_path / "hub.duckdb", rows.to_pandas(), 8)
    assert differing(tmp_path / "hub.duckdb", folder) == []


def test_the_stock_shell_stores_the_bytes_of_python(folder: Path, tmp_path: Path) -> None:
    with duckdb.connect(str(folder / "hub.duckdb"), read_only=True) as con:
        ((script,),) = con.execute("SELECT script FROM verbs WHERE verb = 'register'").fetchall()
        ((remove,),) = con.execute("SELECT script FROM verbs WHERE verb = 'remove'").fetchall()
    path = shutil.copy(folder / "hub.duckdb", tmp_path / "hub.duckdb")
    told = f"SET threads = 8; SET VARIABLE model = 'm'; SET VARIABLE dataset = '{folder}/groups.parquet';\n{script}"
    subprocess.run(
        [stock_shell(), "-bail", path],
        input=f"SET VARIABLE model = 'm';\n{remove}\n{told}",
        text=True,
        check=True,
        capture_output=True,
    )
    assert differing(Path(path), folder) == []


# -- other versions of DuckDB ---------------------------------------------------------------


@cache
def version_of(python: str) -> tuple[int, ...]:
    asked = subprocess.run([python, "-c", "import duckdb; print(duckdb.__version__)"], capture_output=True, text=True, check=True)
    return tuple(map(int, asked.stdout.split(".")[:2]))


def run(python: str, *arguments: Any) -> dict[str, str]:
    if version_of(python) < (1, 5):
        pytest.skip("DuckDB 1.4 serves a stock shell, not Python")
    done = subprocess.run(
        [python, ROOT / "tests" / "stored.py", *map(str, arguments)], capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, str] = json.loads(done.stdout or "{}")
    return found


def shell_beside(python: str) -> str:
    shell = Path(python).parent / "duckdb"
    if not shell.exists():
        pytest.skip(f"there is no duckdb shell beside {python}")
    return str(shell)


def registering(hub: Path, model: str, dataset: Path) -> str:
    """The statements that register a model in a stock shell."""
    with duckdb.connect(str(hub), read_only=True) as con:
        ((script,),) = con.execute("SELECT script FROM verbs WHERE verb = 'register'").fetchall()
    return f"SET VARIABLE model = '{model}'; SET VARIABLE dataset = '{dataset}';\n{script}"


def told(shell: str, path: Path, script: str) -> str:
    done = subprocess.run([shell, "-bail", "-json", str(path)], input=script, capture_output=True, text=True, timeout=600)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


#: Columns of an answer.
ANSWER = ("rank", "model", "verdict", "distance", "overlap", "adaptivity", "coverage", "shared_features", "summary")


@of_each_other
@pytest.mark.long
def test_another_duckdb_stores_the_same_bytes(folder: Path, tmp_path: Path, other: str) -> None:
    run(other, "make", tmp_path / "hub.duckdb", folder / "groups.parquet", 8)
    assert differing(tmp_path / "hub.duckdb", folder) == []


@of_each_other
@pytest.mark.long
@pytest.mark.parametrize("makes_first", ["this", "other"])
def test_a_hub_goes_from_one_duckdb_to_another(folder: Path, tmp_path: Path, makes_first: str, other: str) -> None:
    one, two = (sys.executable, other) if makes_first == "this" else (other, sys.executable)
    path = tmp_path / "hub.duckdb"
    made = run(one, "make", path, folder / "one.parquet")
    assert run(two, "read", path) == made
    # The log that one leaves is brought in by the other, and what that writes is read by the first.
    run(one, "leave", path, folder / "groups.parquet")
    assert Path(f"{path}.wal").stat().st_size > 0
    both = run(two, "read", path)
    assert not Path(f"{path}.wal").exists()
    assert run(one, "read", path) == both
    with modelhub_sql.connect(path, read_only=True) as hub:
        assert [row["model"] for row in hub.models().dicts()] == ["left", "m"]
        assert upkeep.faults(hub) == []


@of_each_other
@pytest.mark.long
def test_the_shell_of_another_version_registers_what_python_reads(folder: Path, tmp_path: Path, other: str) -> None:
    path = tmp_path / "hub.duckdb"
    shutil.copy(folder / "hub.duckdb", path)
    told(shell_beside(other), path, registering(path, "n", folder / "one.parquet"))
    with duckdb.connect(str(path), read_only=True) as con:
        ((same,),) = con.execute(
            "SELECT count(*) FROM (SELECT * EXCLUDE (dataset_id) FROM _hub.features WHERE dataset_id = 1 "
            "EXCEPT ALL SELECT * EXCLUDE (dataset_id) FROM _hub.features WHERE dataset_id = 2)"
        ).fetchall()
    assert same == 0


@of_each_other
@pytest.mark.long
@pytest.mark.parametrize("leaves", ["this", "other"])
def test_the_log_that_a_shell_leaves_is_recovered_by_the_shell_of_another_version(
    folder: Path, tmp_path: Path, leaves: str, other: str
) -> None:
    shells = (stock_shell(), shell_beside(other))
    one, two = shells if leaves == "this" else shells[::-1]
    path = Path(shutil.copy(folder / "hub.duckdb", tmp_path / "hub.duckdb"))
    told(one, path, "PRAGMA disable_checkpoint_on_shutdown;\n" + registering(path, "left", folder / "groups.parquet"))
    assert Path(f"{path}.wal").stat().st_size > 0
    assert json.loads(told(two, path, "SELECT model FROM list_models;")) == [{"model": "left"}, {"model": "m"}]
    assert not Path(f"{path}.wal").exists()
    with modelhub_sql.connect(path, read_only=True) as hub:
        assert upkeep.faults(hub) == []


@of_each_other
@pytest.mark.long
@pytest.mark.parametrize("made_by", ["this", "other"])
def test_the_shell_of_another_version_finds_what_python_finds(folder: Path, tmp_path: Path, made_by: str, other: str) -> None:
    path = tmp_path / "hub.duckdb"
    run(sys.executable if made_by == "this" else other, "make", path, folder / "one.parquet")
    with modelhub_sql.connect(path) as hub:
        hub.register("torso1", data("torso1"), exclude=["activity"])
        expected = hub.find_models(data("torso2"), exclude=["activity"], details=True, all_models=True)
        rows = expected.select(", ".join(ANSWER)).fetchall()
    options = "exclude := ['activity'], details := true, all_models := true"
    asked = f"SELECT {', '.join(ANSWER)} FROM find_models('{data('torso2')}', {options});"
    for shell in (stock_shell(), shell_beside(other)):
        assert [tuple(row.values()) for row in json.loads(told(shell, path, asked))] == [
            tuple(pytest.approx(value, abs=1e-9) if isinstance(value, float) else value for value in row) for row in rows
        ]
