"""The command line: what it prints, where, and how it ends."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import duckdb
import pytest
from click.testing import CliRunner, Result
from conftest import data

import modelhub_sql
from modelhub_sql import Hub
from modelhub_sql.arguments import described
from modelhub_sql.cli import main
from modelhub_sql.rendering import fitting

COMMANDS = sorted(main.commands)
VERBS = {"init", "register", "find", "explain", "list", "remove", "set", "shell", "steps", "upgrade"}


def run(*arguments: str, code: int = 0, given: str | None = None) -> Result:
    """A command's result; it must end with the code, and never with a traceback."""
    result = CliRunner().invoke(main, list(arguments), input=given)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code == code, result.output
    return result


def rows(*arguments: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run(*arguments, "--json").stdout)
    return found


def refused(*arguments: str) -> str:
    """The one line that a refusal says, on stderr; stdout stays empty."""
    result = run(*arguments, code=1)
    assert result.stdout == ""
    lines = [line for line in result.stderr.splitlines() if not line.startswith("warning: ")]
    assert len(lines) == 1
    assert lines[0].startswith("error: ")
    return lines[0]


@pytest.fixture(scope="module")
def made_hub(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A hub made and filled by the command line."""
    path = str(tmp_path_factory.mktemp("made") / "hub.duckdb")
    run("init", path, "--partition-size", "100")
    run(
        "register", path, "beer", data("beer"), "--exclude", "label", "--exclude", "split", "--accuracy", "0.94", "--version", "2"
    )
    run("register", path, "restaurants", data("fodors_zagats"), "--exclude", "label", "--exclude", "split")
    return path


@pytest.fixture
def hub_path(made_hub: str, tmp_path: Path) -> str:
    """A copy of that hub."""
    return str(shutil.copy(made_hub, tmp_path / "hub.duckdb"))


# -- help -----------------------------------------------------------------------------------


def test_there_is_a_command_for_every_verb() -> None:
    assert set(COMMANDS) >= VERBS


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_every_command_has_help(command: str, flag: str) -> None:
    result = run(command, flag)
    assert result.stdout.startswith("Usage: ")
    assert result.stderr == ""


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_and_every_option_says_what_it_is(command: str) -> None:
    declared = main.commands[command]
    assert declared.help
    for parameter in declared.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"modelhub {command} {parameter.opts[0]}"


def test_the_program_tells_its_commands_and_version() -> None:
    said = run("--help").stdout
    assert all(f"  {command} " in said for command in COMMANDS)
    assert modelhub_sql.__version__ in run("--version").stdout


def test_options_are_the_python_arguments_and_say_the_same() -> None:
    def options(command: str) -> dict[str, click.Option]:
        return {option.name or "": option for option in main.commands[command].params if isinstance(option, click.Option)}

    output = {"form", "wide", "columns"}
    assert set(options("register")) == set(described(Hub.register)) - {"name", "dataset"} | {"manifest"}
    assert set(options("find")) == set(described(Hub.find_models)) - {"target"} | output | {"plot"}
    assert set(options("steps")) == set(described(Hub.find_models)) - {"target"} | output
    both = set(described(Hub.explain)) | set(described(Hub.explain_partitions))
    assert set(options("explain")) == both - {"model", "target"} | output | {"partitions", "plot"}
    for command in ("find", "steps", "explain"):
        for name, option in options(command).items():
            if name in described(Hub.find_models) and name not in ("exclude", "read"):
                # explain has details of its own.
                argument = described(Hub.explain if (command, name) == ("explain", "details") else Hub.find_models)[name]
                assert (option.help or "").lower() == f"{argument.help.lower()}."
                if argument.choices:
                    assert isinstance(option.type, click.Choice)
                    assert list(option.type.choices) == argument.choices
    # As the macros have them.
    macros = "SELECT parameters FROM duckdb_functions() WHERE function_name = ? AND schema_name = 'main'"
    with modelhub_sql.connect() as hub:
        for macro, command in (("find_models", "find"), ("explain_partitions", "explain")):
            (parameters,) = hub.con.execute(macros, [macro]).fetchall()[0]
            # Python finds out what forms there are, and whether there are structs.
            assert set(parameters) - {"forms", "nested", "target", "model"} <= set(options(command))


# -- what is done ----------------------------------------------------------------------------


def test_init_makes_a_hub_with_the_settings_given_and_prints_no_data(tmp_path: Path) -> None:
    path = str(tmp_path / "hub.duckdb")
    result = run(
        "init", path, "--partition-size", "50", "--partitioning", "sequential", "--text-bins", "128", "--seed", "7",
        "--setting", "most_bins=64",
        "--setting", "min_jaccard=0.3", "--setting", "sample_space=flattened",
    )  # fmt: skip
    assert result.stdout == ""
    expected = {
        "partition_size": "50", "partitioning": "sequential", "most_bins": "64", "text_bins": "128", "seed": "7",
        "min_jaccard": "0.3", "sample_space": "flattened",
    }  # fmt: skip
    with duckdb.connect(path, read_only=True) as con:
        stored = dict(con.execute("SELECT setting, value FROM settings").fetchall())
    assert {name: stored[name] for name in expected} == expected


def test_registering_prints_no_data_and_keeps_what_was_said(hub_path: str, tmp_path: Path) -> None:
    result = run(
        "register", hub_path, "full", data("adult"), "--exclude", "income", "--accuracy", "0.8", "--version", "3", "--task", "income",
        "--framework", "xgboost", "--uri", "s3://x", "--metadata", '{"owner": "ann"}',
    )  # fmt: skip
    assert result.stdout == ""
    row = next(row for row in rows("list", hub_path) if row["model"] == "full")
    assert (row["source_accuracy"], row["version"], row["task"], row["framework"], row["uri"]) == (
        0.8,
        "3",
        "income",
        "xgboost",
        "s3://x",
    )
    assert json.loads(row["metadata"]) == {"owner": "ann"}


def test_registering_makes_the_hub_where_there_is_none(tmp_path: Path) -> None:
    path = str(tmp_path / "new.duckdb")
    run("register", path, "m", data("beer"))
    assert [row["model"] for row in rows("list", path)] == ["m"]


def test_like_and_replace_and_manifest_register_too(hub_path: str, tmp_path: Path) -> None:
    run("register", hub_path, "lager", "--like", "beer")
    run("register", hub_path, "beer", data("adult"), "--version", "2", "--replace")
    manifest = tmp_path / "models.csv"
    manifest.write_text(f"name,dataset,accuracy\na,{data('torso1')},0.5\nb,{data('torso2')},\n", encoding="utf-8")
    run("register", hub_path, "--manifest", str(manifest))
    listed = {row["model"]: row["rows"] for row in rows("list", hub_path)}
    assert listed == {"lager": 450, "beer": 1500, "restaurants": 946, "a": 1140, "b": 1140}


FOUND = ("--exclude", "label", "--exclude", "split", "--min-overlap", "0.1", "--max-js", "0.3")


def test_find_prints_what_python_finds_as_json_and_as_csv(hub_path: str) -> None:
    with modelhub_sql.connect(hub_path, read_only=True) as hub:
        found = hub.find_models(data("beer"), exclude=["label", "split"], min_overlap=0.1, max_js=0.3)
        expected = [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]
    assert expected[0]["model"] == "beer"
    # A small hub is searched without numpy, which may round otherwise.
    assert rows("find", hub_path, data("beer"), *FOUND) == [
        {name: pytest.approx(value, abs=1e-9) if isinstance(value, float) else value for name, value in row.items()}
        for row in expected
    ]
    read = list(csv.DictReader(io.StringIO(run("find", hub_path, data("beer"), *FOUND, "--csv").stdout)))
    assert [(row["rank"], row["model"]) for row in read] == [(str(row["rank"]), row["model"]) for row in expected]
    divergences = [row["js_divergence"] for row in expected]
    assert [float(row["js_divergence"]) for row in read] == pytest.approx(divergences, abs=1e-9)


def test_json_has_no_number_that_json_does_not_know(hub_path: str) -> None:
    query = "SELECT 'inf'::DOUBLE AS a, ['nan'::DOUBLE, 1.5] AS b, {'c': '-inf'::DOUBLE} AS d"
    printed = run("shell", hub_path, "--json", given=query + ";").stdout
    assert json.loads(printed, parse_constant=pytest.fail) == [{"a": None, "b": [None, 1.5], "d": {"c": None}}]


def test_find_prints_a_table_for_people_with_the_models_in_order(hub_path: str) -> None:
    said = run("find", hub_path, data("beer"), *FOUND).stdout
    assert "adaptivity" in said
    assert "beer" in said


def test_find_takes_every_option(hub_path: str) -> None:
    found = rows(
        "find", hub_path, data("beer"), "--exclude", "label", "--min-overlap", "0.1", "--min-jaccard", "0.1", "--max-js", "auto",
        "--min-adaptivity", "0", "--max-divergence", "0.69", "--sample-space", "flattened", "--rank-by", "js", "--search", "lsh", "--limit", "1",
    )  # fmt: skip
    assert [(row["rank"], row["model"], row["search"]) for row in found] == [(1, "beer", "lsh")]


def test_find_without_a_fit_ends_well_and_says_so_on_stderr(hub_path: str, tmp_path: Path) -> None:
    stranger = str(tmp_path / "stranger.csv")
    Path(stranger).write_text("when\n" + "2020-01-01\n" * 50, encoding="utf-8")
    result = run("find", hub_path, stranger)
    assert result.stdout == ""
    assert result.stderr
    assert rows("find", hub_path, stranger) == []
    assert run("find", hub_path, stranger, "--csv").stdout.count("\n") == 1


def test_a_warning_goes_to_stderr_and_leaves_the_data_clean(hub_path: str) -> None:
    result = run("find", hub_path, data("beer"), "--exclude", "label", "--exclude", "split", "--max-js", "0.000001", "--json")
    assert "sampling floor" in result.stderr
    assert json.loads(result.stdout)


def test_explain_prints_features_or_partitions(hub_path: str) -> None:
    features = rows("explain", hub_path, "beer", data("beer"), "--exclude", "label", "--exclude", "split")
    assert {row["target_feature"] for row in features} == {row["source_feature"] for row in features}
    assert len(features) == 8
    partitions = rows(
        "explain", hub_path, "beer", data("beer"), "--exclude", "label", "--exclude", "split", "--partitions", "--version", "2"
    )
    assert sorted(row["target_partition"] for row in partitions) == [0, 1, 2, 3, 4]


def test_list_prints_the_models_in_every_form(hub_path: str) -> None:
    assert [row["model"] for row in rows("list", hub_path)] == ["beer", "restaurants"]
    assert [row["model"] for row in csv.DictReader(io.StringIO(run("list", hub_path, "--csv").stdout))] == ["beer", "restaurants"]
    assert "restaurants" in run("list", hub_path).stdout


def test_remove_removes_one_version_or_all(hub_path: str) -> None:
    assert run("remove", hub_path, "beer", "--version", "2").stdout == ""
    run("remove", hub_path, "restaurants")
    assert rows("list", hub_path) == []


def test_shell_runs_queries_from_the_option_and_from_stdin(hub_path: str) -> None:
    assert rows("shell", hub_path, "-c", "SELECT count(*) AS models FROM models") == [{"models": 2}]
    result = run("shell", hub_path, "--csv", given="SELECT 1 AS a;\nSELECT\n  2 AS b;\n")
    assert result.stdout.split() == ["a", "1", "b", "2"]


def test_shell_goes_on_after_a_wrong_query(hub_path: str) -> None:
    result = run("shell", hub_path, "--csv", given="SELECT nothing_here;\nSELECT 2 AS b;\n")
    assert result.stdout.split() == ["b", "2"]
    assert "error: " in result.stderr


def test_shell_changes_nothing_when_read_only(hub_path: str) -> None:
    assert "read-only" in refused("shell", hub_path, "--read-only", "-c", "DELETE FROM hub._hub.models")
    assert len(rows("list", hub_path)) == 2


def test_set_changes_what_a_search_does_by_default(hub_path: str) -> None:
    def stored() -> dict[str, str]:
        return {row["setting"]: row["value"] for row in rows("shell", hub_path, "-c", "FROM settings WHERE NOT fixed")}

    before = stored()
    result = run("set", hub_path, "min_overlap=0.25", "max_js=auto", "rank_by=js", "max_candidates=7")
    assert (result.stdout, result.stderr) == ("", "set min_overlap, max_js, rank_by, max_candidates\n")
    assert stored() == before | {"min_overlap": "0.25", "rank_by": "js", "max_candidates": "7"}
    assert "min_overlap" in refused("set", hub_path, "rank_by=adaptivity", "min_overlap=2")
    assert stored()["rank_by"] == "js"
    none = hub_path + ".none"
    assert "no hub" in refused("set", none, "min_overlap=0.25")
    assert not Path(none).exists()


def test_steps_prints_the_relations_of_a_search(hub_path: str) -> None:
    taken = rows("steps", hub_path, data("beer"), *FOUND)
    assert [row["step"] for row in taken][-1] == "found_model"
    assert set(taken[0]) == {"step", "rows", "seconds", "what_a_row_is"}
    assert taken[-1]["rows"] == len(rows("find", hub_path, data("beer"), *FOUND))
    assert "found_model" in run("steps", hub_path, data("beer"), *FOUND).stdout


def test_a_large_target_is_searched_with_numpy_and_has_the_same_answer(hub_path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = rows("find", hub_path, data("beer"), *FOUND)
    monkeypatch.setattr(modelhub_sql.cli, "_MUCH_TARGET", 0)
    assert rows("find", hub_path, data("beer"), *FOUND) == [
        {name: pytest.approx(value, abs=1e-9) if isinstance(value, float) else value for name, value in row.items()}
        for row in expected
    ]


def test_no_cell_is_broken_however_narrow_the_window() -> None:
    columns, rows = (
        ["rank", "model", "verdict", "uri"],
        [["1", "beer", "same", "s3://" + "x" * 60], ["2", "a longer name", "far", ""]],
    )
    # Two blanks a column: 6, 15, 9 and 67.
    assert [fitting(columns, rows, width) for width in (97, 96, 30, 29, 21, 20, 5, 1)] == [4, 3, 3, 2, 2, 1, 1, 1]


@pytest.mark.one_in(2)
@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_table_of_a_search_has_what_people_decide_by(hub_path: str, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    import rich.console

    class Window(rich.console.Console):
        def __init__(self, **options: Any) -> None:
            super().__init__(**options | {"width": width})

    monkeypatch.setattr(rich.console, "Console", Window)
    printed = run("find", hub_path, data("beer"), *FOUND)
    lines = printed.stdout.splitlines()
    assert max(map(len, lines[1:])) <= width
    head = next(line for line in lines if "rank" in line).split()
    assert head[:5] == ["rank", "model", "verdict", "distance", "overlap"]
    # Nobody said a uri: it takes no room, and all that somebody said has some.
    assert "uri" not in head
    assert width < 120 or "too narrow" not in printed.stderr


def test_the_program_reads_only_what_it_uses(hub_path: str) -> None:
    heavy = {"numpy", "pyarrow", "pandas", "scipy", "datasketch", "rich"}
    code = (
        # DuckDB 1.5 itself reads some of them when a value is bound.
        "import sys, duckdb; duckdb.connect().execute('SELECT ?', [1]); read = set(sys.modules); import modelhub_sql.cli; "
        f"modelhub_sql.cli.main(['find', {hub_path!r}, {data('beer')!r}, '--exclude', 'label', '--csv'], standalone_mode=False); "
        f"print(sorted({heavy!r} & (set(sys.modules) - read)), file=sys.stderr)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=False)
    assert found.returncode == 0, found.stderr
    assert found.stderr.splitlines()[-1] == "[]"


def test_nothing_of_an_extra_is_imported_before_it_is_used() -> None:
    extras = {
        "altair", "datasets", "joblib", "mcp", "mlflow", "onnx", "onnxruntime", "pandas", "psycopg", "pyspark", "ray",
        "sklearn", "skops", "vl_convert", "yaml",
    }  # fmt: skip
    # estimator is a class of scikit-learn's, and is imported by who asks for one; pyarrow imports cloudpickle by itself.
    code = (
        "import importlib, pkgutil, sys, modelhub_sql; "
        "names = {each.name for each in pkgutil.iter_modules(modelhub_sql.__path__)} - {'__main__', 'estimator'}; "
        "[importlib.import_module('modelhub_sql.' + name) for name in names]; "
        f"print(len(names) > 40, {extras!r} & set(sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=False)
    assert (found.returncode, found.stdout) == (0, "True set()\n"), found.stderr


def test_a_sketch_by_processes_is_that_of_one(tmp_path: Path) -> None:
    def made(name: str, *options: str) -> list[tuple[Any, ...]]:
        path = tmp_path / f"{name}.sketch.parquet"
        run("sketch", data("adult"), "-o", str(path), "--exclude", "income", *options)
        return duckdb.read_parquet(str(path)).order("feature_id").fetchall()

    assert made("processes", "--processes", "1") == made("one")
    hidden = made("hidden", "--processes", "1", "--hide-excluded")
    assert hidden == made("hidden too", "--hide-excluded")
    assert "income" not in str(hidden)


# -- what is refused --------------------------------------------------------------------------


def test_a_users_error_is_one_line_and_exit_code_1(hub_path: str, tmp_path: Path) -> None:
    none = str(tmp_path / "none.duckdb")
    assert "none.duckdb" in refused("find", none, data("beer"))
    assert "none.duckdb" in refused("list", none)
    assert "none.duckdb" in refused("remove", none, "beer")
    assert not Path(none).exists()
    assert "missing.csv" in refused("register", hub_path, "m", "missing.csv")
    assert "missing.csv" in refused("find", hub_path, "missing.csv")
    assert "beer" in refused("register", hub_path, "beer", data("beer"), "--version", "2")
    assert "1.5" in refused("register", hub_path, "m", data("beer"), "--accuracy", "1.5")
    assert "colour" in refused("register", hub_path, "m", data("beer"), "--exclude", "colour")
    assert "nobody" in refused("remove", hub_path, "nobody")
    assert "nobody" in refused("explain", hub_path, "nobody", data("beer"))
    assert "min_overlap" in refused("find", hub_path, data("beer"), "--min-overlap", "2")
    assert "max_js" in refused("find", hub_path, data("beer"), "--max-js", "soon")
    assert "partition_size" in refused("init", str(tmp_path / "other.duckdb"), "--partition-size", "0")
    assert "README.md" in refused("list", str(Path(__file__).parent / "data" / "README.md"))
    assert [row["model"] for row in rows("list", hub_path)] == ["beer", "restaurants"]


@pytest.mark.parametrize(
    "text", ["name,dataset,colour\nm,beer.parquet,red\n", "dataset\nx\n", "name,dataset,metadata\nm,x,{oops\n", "name\nm\n"]
)
def test_a_wrong_manifest_is_a_users_error(hub_path: str, tmp_path: Path, text: str) -> None:
    manifest = tmp_path / "models.csv"
    manifest.write_text(text, encoding="utf-8")
    refused("register", hub_path, "--manifest", str(manifest))
    assert [row["model"] for row in rows("list", hub_path)] == ["beer", "restaurants"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["no-such-command"],
        ["find"],
        ["find", "hub.duckdb"],
        ["find", "hub.duckdb", "t.csv", "--no-such-option"],
        ["find", "hub.duckdb", "t.csv", "--rank-by", "price"],
        ["find", "hub.duckdb", "t.csv", "--min-overlap", "much"],
        ["find", "hub.duckdb", "t.csv", "--limit", "0"],
        ["register", "hub.duckdb", "m"],
        ["register", "hub.duckdb", "m", "d.csv", "--like", "other"],
        ["register", "hub.duckdb", "m", "d.csv", "--metadata", "{oops"],
        ["register", "hub.duckdb", "--manifest", "f.csv", "--accuracy", "0.5"],
        ["init", "hub.duckdb", "--setting", "colour=red"],
        ["init", "hub.duckdb", "--setting", "seed"],
        ["set", "hub.duckdb"],
        ["set", "hub.duckdb", "min_overlap"],
        ["set", "hub.duckdb", "partition_size=7"],
        ["steps", "hub.duckdb"],
    ],
)
def test_wrong_usage_is_exit_code_2(arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(*arguments, code=2)
    assert result.stdout == ""
    assert "Usage: " in result.stderr
    assert list(tmp_path.iterdir()) == []


# -- as a real process ------------------------------------------------------------------------


def process(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).parent / "modelhub"
    assert program.exists()
    return subprocess.run(
        [str(program), *arguments], capture_output=True, encoding="utf-8", check=False, env=os.environ | {"COLUMNS": "200"}
    )


def test_the_installed_program_keeps_data_and_messages_apart(hub_path: str) -> None:
    found = process("find", hub_path, data("beer"), *FOUND, "--json")
    assert found.returncode == 0
    assert found.stderr == ""
    assert json.loads(found.stdout)[0]["model"] == "beer"
    refused = process("find", hub_path, "missing.csv")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert len(refused.stderr.splitlines()) == 1
    wrong = process("find", hub_path)
    assert (wrong.returncode, wrong.stdout) == (2, "")


def test_the_program_runs_as_a_module_too(hub_path: str) -> None:
    listed = subprocess.run(
        [sys.executable, "-m", "modelhub_sql.cli", "list", hub_path, "--csv"], capture_output=True, encoding="utf-8", check=False
    )
    assert listed.returncode == 0
    assert [row["model"] for row in csv.DictReader(io.StringIO(listed.stdout))] == ["beer", "restaurants"]


def test_options_that_would_be_ignored_are_refused(hub_path: str) -> None:
    for option in (["--max-js", "0.1"], ["--min-overlap", "0.1"], ["--search", "lsh"], ["--sample-space", "flattened"]):
        result = run("explain", hub_path, "beer", data("beer"), *option, code=2)
        assert f"{option[0]} compares partitions" in result.stderr
        run("explain", hub_path, "beer", data("beer"), "--partitions", *option)


@pytest.mark.parametrize("path", ["", ":memory:"])
def test_a_hub_of_a_command_is_a_file(path: str) -> None:
    assert "a hub is a file" in run("register", path, "m", data("beer"), code=2).stderr


def test_a_table_given_as_the_hub_is_refused(tmp_path: Path, hub_path: str) -> None:
    table = tmp_path / "beer.parquet"
    shutil.copy(data("beer"), table)
    before = table.read_bytes()
    for arguments in (
        ["register", str(table), "m", data("beer")],
        ["init", str(table)],
        ["list", str(table)],
        ["find", str(table), hub_path],
    ):
        assert "is not a hub" in refused(*arguments)
    assert table.read_bytes() == before


def test_init_says_that_a_hub_is_there_already(tmp_path: Path) -> None:
    path = str(tmp_path / "hub.duckdb")
    assert "is ready" in run("init", path).stderr
    assert "already" in run("init", path).stderr
