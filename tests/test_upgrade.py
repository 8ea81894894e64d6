"""The copy of the logic that a file carries: older than the package's, brought to it, and what is newer."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner
from conftest import data, stock_shell, whole

import modelhub_sql
from modelhub_sql import logic
from modelhub_sql.cli import main

COLUMNS = "rank, model, version, adaptivity, coverage, js_divergence, overlap, shared_features, max_js, search"
TARGET = data("torso2")
QUERY = f"SELECT {COLUMNS} FROM find_models('{TARGET}', exclude := ['activity'], details := true)"

#: What an older version of the logic may be like.
OLDER = {
    "a macro that is missing": "DROP MACRO _logic.search_options",
    "a table macro that is missing": "DROP MACRO TABLE _logic.sketch",
    "a macro that says something else": "CREATE OR REPLACE MACRO _logic.dataset_of(model_name, model_version) AS 7",
    "a search that finds something else": (
        "CREATE OR REPLACE MACRO main.find_models(target, exclude := [], details := false) AS TABLE "
        f"SELECT {', '.join(f'7 AS {name}' for name in COLUMNS.split(', '))}"
    ),
    "a constant that is another": "CREATE OR REPLACE MACRO _format.partition_size() AS 7",
    "no logic at all": "DROP SCHEMA _logic CASCADE; DROP SCHEMA _format CASCADE; DROP MACRO TABLE main.find_models",
    "a script that is another": "UPDATE _hub.verbs SET script = 'SELECT 7'",
}

#: All are the same to what brings them up to date; whoever changes that runs the others, too.
FEW = ("a search that finds something else", "no logic at all", "a script that is another")
EACH = [pytest.param(how, marks=() if how in FEW else pytest.mark.long) for how in OLDER]


@pytest.fixture
def path(sensor_hub_path: str, tmp_path: Path) -> Path:
    """A hub that may be changed."""
    return Path(shutil.copy(sensor_hub_path, tmp_path / "hub.duckdb"))


def made_older(path: Path, how: str) -> None:
    with duckdb.connect(str(path)) as con:
        con.execute(how)
        con.execute("UPDATE _hub.logic SET version = '0.0.1', digest = 'of another text'")


def logic_of(path: Path) -> list[Any]:
    """All macros and views that a file carries."""
    with duckdb.connect(str(path), read_only=True) as con:
        return con.execute(
            "SELECT schema_name, function_name, parameters, macro_definition, comment FROM duckdb_functions() "
            "WHERE database_name = current_database() AND NOT internal "
            "UNION ALL SELECT schema_name, view_name, NULL, sql, comment FROM duckdb_views() "
            "WHERE database_name = current_database() AND NOT internal ORDER BY ALL"
        ).fetchall()


def found(path: Path) -> list[Any]:
    with modelhub_sql.connect(path, read_only=True) as hub:
        rows: list[Any] = hub.find_models(TARGET, exclude=["activity"], details=True).select(COLUMNS).fetchall()
    return rows


def by_stock(path: Path) -> list[Any]:
    with duckdb.connect(str(path), read_only=True) as con:
        return con.execute(QUERY).fetchall()


def near(rows: list[Any]) -> list[Any]:
    return [tuple(pytest.approx(value, abs=1e-9) if isinstance(value, float) else value for value in row) for row in rows]


@pytest.mark.one_in(2)
@pytest.mark.parametrize("how", EACH)
def test_a_file_with_older_logic_answers_in_python_as_before_and_is_not_changed(path: Path, how: str) -> None:
    expected = found(path)
    made_older(path, OLDER[how])
    before = whole(path), logic_of(path)
    assert found(path) == expected
    with modelhub_sql.connect(path) as hub:
        assert hub.sql(QUERY).fetchall() == expected
        assert [row[0] for row in hub.models().select("model").fetchall()] == [row[0] for row in before[0]["models"]]
    assert (whole(path), logic_of(path)) == before


@pytest.mark.one_in(2)
@pytest.mark.parametrize("how", EACH)
def test_upgrade_makes_the_stock_client_answer_as_python_does(path: Path, how: str) -> None:
    expected = found(path)
    fresh = whole(path), logic_of(path)
    made_older(path, OLDER[how])
    with modelhub_sql.connect(path) as hub:
        assert hub.upgrade() is True
        assert hub.upgrade() is False
        assert hub.find_models(TARGET, exclude=["activity"], details=True).select(COLUMNS).fetchall() == expected
    assert (whole(path), logic_of(path)) == fresh
    assert by_stock(path) == near(expected)


def test_upgrade_of_what_is_of_this_version_changes_nothing(path: Path) -> None:
    before = path.read_bytes()
    with modelhub_sql.connect(path) as hub:
        assert hub.upgrade() is False
    assert path.read_bytes() == before


@pytest.mark.one_in(3)
@pytest.mark.parametrize("fails", ["INSERT INTO _hub.verbs", "CREATE SCHEMA _logic", "INSERT INTO _hub.logic"])
def test_an_upgrade_that_fails_half_way_leaves_the_file_as_it_was(
    path: Path, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    made_older(path, OLDER["a macro that says something else"])
    before = whole(path), logic_of(path)
    stored: Callable[[str, str], str] = logic.stored

    def broken(version: str, constants: str) -> str:
        text = stored(version, constants)
        assert fails in text
        return text.replace(fails, f"SELECT error('stop'); {fails}", 1)

    monkeypatch.setattr(logic, "stored", broken)
    with modelhub_sql.connect(path) as hub:
        with pytest.raises(duckdb.InvalidInputException, match="stop"):
            hub.upgrade()
        # The connection goes on working.
        assert len(hub.models()) == 6
    assert (whole(path), logic_of(path)) == before
    monkeypatch.undo()
    with modelhub_sql.connect(path) as hub:
        assert hub.upgrade() is True


def test_a_reader_cannot_upgrade(path: Path) -> None:
    made_older(path, OLDER["no logic at all"])
    with modelhub_sql.connect(path, read_only=True) as hub, pytest.raises(modelhub_sql.HubReadOnlyError):
        hub.upgrade()


def run(*arguments: str, code: int = 0) -> Any:
    result = CliRunner().invoke(main, list(arguments))
    assert result.exit_code == code, result.output
    return result


def test_the_command_upgrades(path: Path) -> None:
    expected = found(path)
    made_older(path, OLDER["no logic at all"])
    assert "is upgraded" in run("upgrade", str(path)).stderr
    assert by_stock(path) == near(expected)
    assert "already" in run("upgrade", str(path)).stderr
    none = path.with_name("none.duckdb")
    assert "no hub" in run("upgrade", str(none), code=1).stderr
    assert not none.exists()


@pytest.mark.one_in(3)
@pytest.mark.parametrize("how", ["no logic at all", "a constant that is another", "a script that is another"])
def test_the_script_upgrades_in_the_stock_shell(path: Path, how: str) -> None:
    fresh = whole(path), logic_of(path)
    expected = found(path)
    made_older(path, OLDER[how])
    before = whole(path), logic_of(path)
    script = run("upgrade", str(path), "--script").stdout
    assert (whole(path), logic_of(path)) == before
    assert script.startswith("BEGIN TRANSACTION;\n")
    assert script.endswith("COMMIT;\n")
    file = path.with_name("upgrade.sql")
    file.write_text(script, encoding="utf-8")
    for how_run in ([str(path), "-bail", "-f", str(file)], [str(path), "-bail", "-c", f".read '{file}'"]):
        ran = subprocess.run([stock_shell(), *how_run], capture_output=True, encoding="utf-8", check=False)
        assert (ran.returncode, ran.stderr) == (0, "")
        assert whole(path) == fresh[0]
        assert [row[:2] for row in logic_of(path)] == [row[:2] for row in fresh[1]]
    asked = subprocess.run(
        [stock_shell(), "-readonly", "-json", str(path), "-c", QUERY], capture_output=True, encoding="utf-8", check=True
    )
    assert [tuple(row.values()) for row in json.loads(asked.stdout)] == near(expected)


@pytest.mark.parametrize(
    "command", [["list"], ["upgrade"], ["upgrade", "--script"], ["set", "min_overlap=0.5"], ["find", TARGET]]
)
def test_a_newer_format_is_refused_by_every_command(path: Path, command: list[str]) -> None:
    with duckdb.connect(str(path)) as con:
        con.execute("CREATE TABLE newer AS SELECT * REPLACE (format_version + 1 AS format_version) FROM _hub.format")
        con.execute("DROP TABLE _hub.format; CREATE TABLE _hub.format AS FROM newer; DROP TABLE newer")
    before = whole(path)
    name, *rest = command
    said = run(name, str(path), *rest, code=1)
    assert said.stdout == ""
    assert len(said.stderr.splitlines()) == 1
    assert "newer than" in said.stderr
    assert "upgrade modelhub-sql" in said.stderr
    assert whole(path) == before
