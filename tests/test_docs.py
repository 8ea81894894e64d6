"""What the documents show runs, what they name exists, and what exists is documented."""

from __future__ import annotations

import inspect
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner
from conftest import data, stock_shell

import modelhub_sql
from modelhub_sql import sql, tuning
from modelhub_sql.cli import main
from modelhub_sql.settings import RANK_METRICS

ROOT = Path(__file__).parent.parent
README = ROOT.joinpath("README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, flags=re.DOTALL | re.MULTILINE)


SESSIONS = [block for block in blocks("text") if block.startswith("$ duckdb")]
COMMANDS = [block for block in blocks("sh") if block.startswith("modelhub ")]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the files that the README speaks of."""
    tmp_path.joinpath("examples").symlink_to(ROOT / "examples")
    shutil.copy(data("beer"), tmp_path / "beer.parquet")
    shutil.copy(data("beer"), tmp_path / "new_beer.parquet")
    shutil.copy(data("fodors_zagats"), tmp_path / "target.parquet")
    tmp_path.joinpath("models.csv").write_text("name,dataset,exclude\nrestaurants,target.parquet,label\n", encoding="utf-8")
    return tmp_path


def make_hub(folder: Path, block: str) -> None:
    """The hub that a block of the README starts with: empty where it registers, else with a model."""
    with modelhub_sql.connect(folder / "hub.duckdb") as hub:
        if "register" not in block:
            hub.register("beer", folder / "beer.parquet", exclude=["label", "split"])


def test_the_readme_shows_sql_python_the_command_line_and_the_stock_shell() -> None:
    assert blocks("sql")
    assert blocks("python")
    assert COMMANDS
    assert SESSIONS


@pytest.mark.parametrize("block", blocks("python"))
def test_python_of_the_readme_runs(folder: Path, block: str) -> None:
    done = subprocess.run([sys.executable, "-c", block], cwd=folder, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    assert "restaurants" in done.stdout


@pytest.mark.long
def test_the_tutorial_runs_from_its_first_block_to_its_last(tmp_path: Path) -> None:
    tmp_path.joinpath("examples").symlink_to(ROOT / "examples")
    page = ROOT.joinpath("docs/tutorial.md").read_text(encoding="utf-8")
    program = "\n".join(re.findall(r"^```python\n(.*?)^```$", page, flags=re.DOTALL | re.MULTILINE))
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    (sentence,) = re.findall(r"The sentence is the answer: `(.*?)`", page)
    assert sentence in done.stdout
    for name in ("ranking.svg", "why.svg", "map.svg", "fit.html"):
        assert tmp_path.joinpath(name).stat().st_size > 1000, name


@pytest.mark.long
@pytest.mark.parametrize("page", sorted(ROOT.glob("docs/howto/*.md")), ids=lambda page: page.stem)
def test_a_how_to_runs_from_its_first_block_to_its_last(page: Path, tmp_path: Path) -> None:
    if page.stem == "mlflow":
        pytest.importorskip("mlflow", reason="needs the extra mlflow")
    tmp_path.joinpath("examples").symlink_to(ROOT / "examples")
    beside = [str(Path(sys.executable).parent), str(Path(stock_shell()).parent), os.environ["PATH"]]
    text = page.read_text(encoding="utf-8")
    steps: list[tuple[str, str]] = []
    for language, block in re.findall(r"^```(sh|sql|python)\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE):
        if steps and steps[-1][0] == language == "python":
            # Blocks of Python that follow each other are one session.
            block = steps.pop()[1] + block
        if not block.startswith("pip install"):
            steps.append((language, block))
    assert steps
    called = {
        "sh": ["bash", "-euo", "pipefail", "-c"],
        "python": [sys.executable, "-c"],
        "sql": [stock_shell(), "-bail", "-readonly", "hub.duckdb", "-c"],
    }
    for language, block in steps:
        done = subprocess.run(
            [*called[language], block],
            input="",
            cwd=tmp_path,
            env=os.environ | {"PATH": os.pathsep.join(beside)},
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"


@pytest.mark.parametrize("block", blocks("sql"))
def test_sql_of_the_readme_runs(folder: Path, block: str) -> None:
    make_hub(folder, block)
    shell = [stock_shell(), "-bail", "-csv", "-readonly", "hub.duckdb"]
    done = subprocess.run(shell, input=block, cwd=folder, capture_output=True, encoding="utf-8", check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout


@pytest.mark.parametrize("block", COMMANDS)
def test_commands_of_the_readme_run(folder: Path, block: str, monkeypatch: pytest.MonkeyPatch) -> None:
    make_hub(folder, block)
    monkeypatch.chdir(folder)
    for line in block.splitlines():
        result = CliRunner().invoke(main, shlex.split(line)[1:], input="")
        assert result.exit_code == 0, f"{line}: {result.output}"


@pytest.mark.parametrize("block", SESSIONS)
def test_sessions_of_the_readme_in_the_stock_shell_run(folder: Path, block: str) -> None:
    make_hub(folder, block)
    calls: list[tuple[str, str]] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            calls.append((line.removeprefix("$ "), ""))
        elif line.startswith("D "):
            call, given = calls.pop()
            calls.append((call, given + line.removeprefix("D ") + "\n"))
    path = os.pathsep.join([str(Path(stock_shell()).parent), os.environ["PATH"]])
    for call, given in calls:
        command = call.replace("duckdb ", "duckdb -bail ", 1)
        done = subprocess.run(
            command,
            shell=True,
            input=given,
            cwd=folder,
            env=os.environ | {"PATH": path},
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, ""), call
    if "register" in block:
        with modelhub_sql.connect(folder / "hub.duckdb", read_only=True) as hub:
            assert hub.models().select("model").fetchall() == [("beer",)]


def test_the_first_sql_of_the_readme_returns_the_columns_that_it_shows(sensor_hub: modelhub_sql.Hub) -> None:
    query = blocks("sql")[0].replace("'target.parquet'", f"'{data('torso1')}', exclude := ['activity']")
    shown = next(block for block in blocks("text") if block.startswith("┌")).splitlines()[1]
    assert sensor_hub.sql(query.strip().rstrip(";")).columns == shown.replace("│", " ").split()


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        "CONTRIBUTING.md",
        "docs/reference.md",
        "docs/architecture.md",
        "docs/strangers.md",
        "docs/tutorial.md",
        "docs/concepts.md",
        "docs/manifest.md",
        "docs/sharding.md",
        "docs/page.md",
        *(f"docs/howto/{page.name}" for page in sorted(ROOT.glob("docs/howto/*.md"))),
        "CHANGELOG.md",
        "tests/data/README.md",
    ],
)
def test_links_of_the_documents_lead_somewhere(page: str) -> None:
    path = ROOT / page
    for link in re.findall(r"\]\(([^)#]+)", path.read_text(encoding="utf-8")):
        if "://" not in link:
            assert path.parent.joinpath(link).exists(), link


def test_the_reference_is_what_the_hub_and_the_commands_say() -> None:
    done = subprocess.run(
        [sys.executable, "docs/make_reference.py", "--check"], cwd=ROOT, capture_output=True, encoding="utf-8", check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_readme_names_every_command_and_every_metric() -> None:
    for command in main.commands:
        if command not in ("init", "check"):
            assert f"modelhub {command} " in README, command
    for metric in RANK_METRICS:
        assert f"`{metric}`" in README, metric


@pytest.mark.parametrize("option", ["all_models", "features := 'values'", "exclude"])
def test_the_readme_speaks_of(option: str) -> None:
    assert option in README


def test_help_is_a_page_with_an_example_of_each(hub: modelhub_sql.Hub) -> None:
    listed = hub.sql("SELECT name, what_a_row_is, example FROM help").fetchall()
    assert 10 <= len(listed) <= 20
    assert all(all(row) for row in listed)


def test_every_object_and_column_that_is_stored_has_a_comment(hub: modelhub_sql.Hub) -> None:
    with duckdb.connect(hub.path, read_only=False) as con:
        silent = """
            SELECT table_name, column_name FROM duckdb_columns()
            WHERE database_name = current_database() AND schema_name = '_hub' AND coalesce(comment, '') = ''
            UNION ALL SELECT table_name, '' FROM duckdb_tables() WHERE database_name = current_database() AND coalesce(comment, '') = ''
            UNION ALL SELECT view_name, '' FROM duckdb_views()
            WHERE NOT internal AND database_name = current_database() AND coalesce(comment, '') = ''
            UNION ALL SELECT function_name, '' FROM duckdb_functions()
            WHERE NOT internal AND function_type IN ('macro', 'table_macro') AND database_name = current_database()
                AND coalesce(comment, '') = ''
        """
        assert con.execute(silent).fetchall() == []


def test_every_file_of_the_logic_begins_by_saying_what_it_is() -> None:
    for folder in ("format", "values", "sketch", "search", "public", "verbs"):
        for name, text in sql.scripts(folder).items():
            assert text.startswith("-- "), name


def test_every_public_name_of_the_package_has_a_docstring() -> None:
    for module in (modelhub_sql, tuning):
        for name in module.__all__:
            thing = getattr(module, name)
            assert inspect.getdoc(thing), name
            if inspect.isclass(thing) and thing is modelhub_sql.Hub:
                for method, function in inspect.getmembers(thing, inspect.isfunction):
                    assert method.startswith("_") or function.__doc__, method


def test_every_setting_is_described_in_python_and_in_the_hub(hub: modelhub_sql.Hub) -> None:
    described = inspect.getdoc(modelhub_sql.Settings) or ""
    stored = {name for (name,) in hub.sql("SELECT setting FROM settings WHERE meaning <> ''").fetchall()}
    for name in modelhub_sql.Settings.names():
        assert re.search(rf"\b{name}\b", described), name
        assert name in stored, name


def test_the_change_log_knows_this_version() -> None:
    assert f"## {modelhub_sql.__version__}" in ROOT.joinpath("CHANGELOG.md").read_text(encoding="utf-8")
