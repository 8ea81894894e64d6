"""What the documents show runs, what they name exists, and what exists is documented."""

from __future__ import annotations

import inspect
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner
from conftest import stock_shell

import modelhub_sql
from modelhub_sql import sql, tuning
from modelhub_sql.cli import main
from modelhub_sql.settings import RANK_METRICS

ROOT = Path(__file__).parent.parent
DOCS = sorted(ROOT.glob("docs/*.md")) + sorted(ROOT.glob("docs/howto/*.md"))
#: Pages whose blocks are run, and what they need beside the extra ``test``; howto/shared needs a server: test_shared.py.
RUN: dict[str, list[str]] = {
    "python": [],
    **{f"howto/{page.stem}": [] for page in ROOT.glob("docs/howto/*.md") if page.stem != "shared"},
} | {
    "howto/agents": ["mcp"],
    "howto/carry": ["skops"],
    "howto/hugging_face": ["yaml"],
    "howto/mlflow": ["mlflow"],
    "howto/try": ["skops"],
}


def text(page: str) -> str:
    return ROOT.joinpath(page).read_text(encoding="utf-8")


def blocks(page: str, languages: str = "sh|sql|python") -> list[tuple[str, str]]:
    """The blocks of a page that can be pasted, as (language, block); blocks of Python that follow each other are one session."""
    found: list[tuple[str, str]] = []
    for language, block in re.findall(rf"^```({languages})\n(.*?)^```$", text(page), flags=re.DOTALL | re.MULTILINE):
        if found and found[-1][0] == language == "python":
            block = found.pop()[1] + block
        # What pip brings is there.
        if not block.startswith(("pip install", "python3 -m venv")):
            found.append((language, block))
    return found


def hubs(page: str) -> list[str]:
    """The hubs that the blocks of a page name, the first of them first."""
    return list(dict.fromkeys(re.findall(r"[\w.]+\.duckdb\b", "".join(block for _, block in blocks(page)))))


def run(folder: Path, language: str, block: str, hub: str = "hub.duckdb") -> str:
    """What a block prints, pasted into a terminal, Python, or a stock shell over a hub of the folder."""
    called = {
        "sh": ["bash", "-euo", "pipefail", "-c"],
        "python": [sys.executable, "-c"],
        "sql": [stock_shell(), "-bail", "-readonly", hub, "-c"],
    }
    beside = [str(Path(sys.executable).parent), str(Path(stock_shell()).parent), os.environ["PATH"]]
    done = subprocess.run(
        [*called[language], block],
        input="",
        cwd=folder,
        env=os.environ | {"PATH": os.pathsep.join(beside)},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that is to the pages what the root of the repository is, without being it."""
    tmp_path.joinpath("examples").symlink_to(ROOT / "examples")
    tmp_path.joinpath("tests").symlink_to(ROOT / "tests")
    return tmp_path


def test_the_readme_runs_and_its_first_line_of_sql_prints_what_is_shown(folder: Path) -> None:
    languages = [language for language, _ in blocks("README.md")]
    assert languages == ["sql", "sh", "python"]
    (question, *others) = blocks("README.md")
    said = "".join(run(folder, *block) for block in others)
    (sentence,) = re.findall(r"^!\[(.*) differs", text("README.md"), flags=re.MULTILINE)
    assert sentence in said
    assert run(folder, *question).strip() == blocks("README.md", "text")[0][1].strip()


def test_the_two_commands_and_the_hub_of_the_readme_are_of_files_that_are_there() -> None:
    commands = re.findall(r"^python3 -m venv .*$", text("README.md"), flags=re.MULTILINE)
    assert len(commands) == 2
    assert "examples/quickstart/run.py" in commands[0]
    assert "-m pytest" in commands[1]


@pytest.mark.long
def test_the_notebook_of_the_tutorial_runs_and_finds_what_the_page_says(folder: Path) -> None:
    nbclient = pytest.importorskip("nbclient", reason="needs the extra docs")
    pytest.importorskip("ipykernel", reason="needs the extra docs")
    nbformat = pytest.importorskip("nbformat")
    docs = folder / "docs"
    docs.mkdir()
    notebook = nbformat.read(ROOT / "docs" / "tutorial.ipynb", as_version=4)
    nbformat.validate(notebook)
    # Nothing of the machine where it was written is in it.
    assert not any(cell.get("outputs") for cell in notebook.cells)
    nbclient.NotebookClient(notebook, timeout=600, resources={"metadata": {"path": docs}}).execute()
    said = "".join(output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", ()))
    (sentence,) = re.findall(r"The sentence is the answer: `(.*?)`", text("docs/tutorial.md"))
    assert sentence in said
    for name in ("ranking.svg", "why.svg", "map.svg", "fit.html"):
        assert folder.joinpath(name).stat().st_size > 1000, name
    (question,) = (block for language, block in blocks("docs/tutorial.md") if language == "sql")
    folder.joinpath("tutorial.duckdb").rename(folder / "hub.duckdb")
    assert "dblp_acm" in run(folder, "sql", question)


def test_the_notebook_of_the_tutorial_is_what_the_page_says() -> None:
    done = subprocess.run([sys.executable, "docs/make_notebook.py", "--check"], cwd=ROOT, check=False)
    assert done.returncode == 0


@pytest.mark.long
@pytest.mark.parametrize("page", RUN)
def test_a_page_runs_from_its_first_block_to_its_last(page: str, folder: Path) -> None:
    for module in RUN[page]:
        pytest.importorskip(module)
    assert blocks(f"docs/{page}.md")
    for block in blocks(f"docs/{page}.md"):
        run(folder, *block, hubs(f"docs/{page}.md")[0])


def test_pages_that_are_followed_in_one_folder_do_not_meet_in_a_hub() -> None:
    pages = ["README.md", "docs/cli.md", "docs/tutorial.md", *(f"docs/{page}.md" for page in RUN)]
    named = [hub for page in pages for hub in hubs(page)]
    assert len(named) > len(pages)
    assert len(named) == len(set(named)), sorted(named)


def test_every_command_is_shown_and_those_of_the_page_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for command in main.commands:
        assert f"modelhub {command}" in text("docs/cli.md").replace("--swap ", ""), command
    monkeypatch.chdir(folder)
    for line in "".join(block for _, block in blocks("docs/cli.md")).splitlines():
        if line.startswith("modelhub "):
            result = CliRunner().invoke(main, shlex.split(line)[1:], input="")
            assert result.exit_code == 0, f"{line}: {result.output}"
        else:
            run(folder, "sh", line)


PAGES = [
    *DOCS,
    *(ROOT / page for page in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "tests/data/README.md")),
]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_of_the_documents_lead_somewhere(path: Path) -> None:
    for link in re.findall(r"\]\(([^)#]+)", path.read_text(encoding="utf-8")):
        if "://" not in link:
            assert path.parent.joinpath(link).exists(), link


def test_the_reference_is_what_the_hub_and_the_commands_say() -> None:
    done = subprocess.run(
        [sys.executable, "docs/make_reference.py", "--check"], cwd=ROOT, capture_output=True, encoding="utf-8", check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("option", [*RANK_METRICS, "all_models", "features := 'values'", "details := true"])
def test_what_the_numbers_mean_tells_of(option: str) -> None:
    assert f"`{option}`" in text("docs/concepts.md")


def test_each_page_is_in_the_navigation_of_the_site() -> None:
    listed = set(re.findall(r"[\w/]+\.md", ROOT.joinpath("mkdocs.yml").read_text(encoding="utf-8")))
    assert {str(page.relative_to(ROOT / "docs")) for page in DOCS} <= listed


def test_help_is_a_page_with_an_example_of_each(hub: modelhub_sql.Hub) -> None:
    listed = hub.sql("SELECT name, what_a_row_is, example FROM help").fetchall()
    assert 10 <= len(listed) <= 21
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
        # Of the salt the hub has only what tells that it is the right one.
        assert name in stored or name == "salt", name
    assert "salt" not in stored


def test_the_change_log_knows_this_version() -> None:
    assert f"## {modelhub_sql.__version__}" in ROOT.joinpath("CHANGELOG.md").read_text(encoding="utf-8")
