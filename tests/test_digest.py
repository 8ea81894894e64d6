"""docs/digest.sql tells whether the logic of a hub's file is the published one, and no macro of the file can answer for it."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from pathlib import Path
from types import ModuleType

import duckdb
import pytest
from conftest import data, stock_shell

import modelhub_sql

DOCS = Path(__file__).parent.parent / "docs"


def program() -> ModuleType:
    found = importlib.util.spec_from_file_location("make_digests", DOCS / "make_digests.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


MAKE_DIGESTS = program()


def digest(path: Path) -> str:
    found = MAKE_DIGESTS.digest(str(path))
    assert isinstance(found, str)
    assert len(found) == 64
    return found


@pytest.fixture(scope="session")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("digest") / "hub.duckdb"
    modelhub_sql.connect(path).close()
    return path


def test_hubs_of_other_settings_and_contents_have_one_digest(good: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.duckdb"
    with modelhub_sql.connect(other, salt="it's, (a) salt", seed=7, partition_size=50, minhash_bands=32, minhash_rows=2) as hub:
        hub.con.execute("CREATE TEMP TABLE t AS SELECT range AS n FROM range(100)")
        hub.register("m", "t")
    assert digest(other) == digest(good)


CHANGES = {
    "a word of a macro": "CREATE OR REPLACE MACRO _logic.smoothed(p, size) AS (p + 1e-5) / (1 + 1e-6 * size)",
    "a macro more": "CREATE MACRO lower(x) AS 'mine'",
    "an overload": "CREATE OR REPLACE MACRO _logic.settled(x) AS x, (x, y) AS y",
    "a view": "CREATE OR REPLACE VIEW models AS SELECT * REPLACE (getenv('HOME') AS uri) FROM _hub.models",
    "a view of a new name": "CREATE VIEW help_me AS SELECT 1 AS one",
    "a constant that is a query": "CREATE OR REPLACE MACRO _format.salt_fingerprint() AS (SELECT max(content) FROM read_text('*.txt'))",
    "a constant behind quotes": "CREATE OR REPLACE MACRO _format.seed() AS (SELECT max(\"'\") FROM (SELECT content AS \"'\" FROM read_text('*')))",
    "hash functions": "CREATE OR REPLACE MACRO _format.minhash_agg(h) AS [max((3 * h + 1) & 4294967295)]",
    "a table more": "CREATE TABLE more (a INTEGER DEFAULT random())",
    "a column more": "ALTER TABLE _hub.models ADD COLUMN more VARCHAR DEFAULT current_user()",
    "an index": "CREATE INDEX more ON _hub.models (lower(uri))",
    "a type": "CREATE TYPE more AS ENUM ('a')",
    "a sequence": "CREATE SEQUENCE more",
}


@pytest.mark.one_in(3)
@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_the_logic_is_noticed(good: Path, tmp_path: Path, change: str) -> None:
    path = Path(shutil.copy(good, tmp_path / "hub.duckdb"))
    statement = CHANGES[change].replace("getenv('HOME')", "current_user()")
    with duckdb.connect(str(path)) as con:
        con.execute(statement)
    assert digest(path) != digest(good)


def test_no_macro_of_the_file_answers_in_place_of_duckdb(good: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(good, tmp_path / "hub.duckdb"))
    functions = (
        "sha256", "string_agg", "concat_ws", "chr", "coalesce", "duckdb_functions", "duckdb_views", "version", "list_sort",
        "list_distinct", "string_split", "regexp_replace", "array_to_string", "getvariable", "+", "||", "=",
    )  # fmt: skip
    with duckdb.connect(str(path)) as con:
        for name in functions:
            con.execute(f"CREATE MACRO \"{name}\"() AS 'x', (a) AS 'x', (a, b) AS 'x', (a, b, c) AS 'x', (a, b, c, d) AS 'x'")
        for table in ("duckdb_functions", "duckdb_views", "duckdb_tables"):
            con.execute(f"CREATE MACRO {table}() AS TABLE SELECT 1 AS one")
    attached = digest(path)
    assert attached != digest(good)
    # The worst case: the file itself is open, so that its macros come before DuckDB's.
    with duckdb.connect(str(path), read_only=True) as con:
        con.execute("SET VARIABLE hub = 'hub'")
        ((_, opened),) = con.execute(DOCS.joinpath("digest.sql").read_text(encoding="utf-8")).fetchall()
    assert opened == attached


def shell(*arguments: str, script: str) -> str:
    """What the shell's own program prints: the one that pip starts can't be told -safe."""
    beside = Path(duckdb.__file__).parent.parent / "duckdb_cli" / "duckdb"
    program = str(beside) if beside.exists() else stock_shell()
    done = subprocess.run(
        [program, "-bail", "-csv", "-noheader", *arguments], input=script, capture_output=True, encoding="utf-8", check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


def test_the_stock_shell_says_the_digest_in_safe_mode(good: Path) -> None:
    script = "SET VARIABLE hub = current_database();\n" + DOCS.joinpath("digest.sql").read_text(encoding="utf-8")
    version, _, found = shell("-safe", "-readonly", str(good), script=script).partition(",")
    assert version.startswith("v")
    assert len(found) == 64


def test_the_recipe_for_a_hub_of_a_stranger_runs_and_nothing_outside_can_be_reached(tmp_path: Path) -> None:
    with modelhub_sql.connect(tmp_path / "hub.duckdb", partition_size=100) as hub:
        hub.register("restaurants", data("fodors_zagats"), exclude=["label", "split"])
    page = DOCS.joinpath("strangers.md").read_text(encoding="utf-8")
    recipe = next(block for block in re.findall(r"```sql\n(.*?)```", page, re.DOTALL) if "find_models" in block)
    recipe = recipe.replace("of_a_stranger.duckdb", str(tmp_path / "hub.duckdb")).replace("target.parquet", data("fodors_zagats"))
    assert "restaurants" in shell(script=recipe)
    with pytest.raises(AssertionError, match="Permissi"):
        shell(script=recipe + f"COPY (SELECT 1) TO '{tmp_path / 'loot.csv'}';")
    assert not (tmp_path / "loot.csv").exists()
