"""What a user calls the tables, views and macros of a session, or a CTE around a search: the answers are the same."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pytest
from conftest import data

import modelhub_sql

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

# Few features, so that a search takes little time; words, numbers.
EXCLUDE = ["label", "split", "left_beer_name", "left_brew_factory_name", "right_beer_name", "right_brew_factory_name"]
MAX_JS = 0.5

#: What a name may be taken for. Macros of one and of two arguments, and tables without the columns that are looked for.
SHADOWS = {
    "macro": "CREATE OR REPLACE TEMP MACRO \"{name}\" () AS 'shadow', (a) AS 'shadow', (a, b) AS 'shadow', (a, b, c) AS 'shadow'",
    "table macro": 'CREATE OR REPLACE TEMP MACRO "{name}" () AS TABLE (SELECT 1 AS shadow), (a) AS TABLE (SELECT 1 AS shadow), (a, b) AS TABLE (SELECT 1 AS shadow)',
    "table": 'CREATE OR REPLACE TEMP TABLE "{name}" AS SELECT 1 AS shadow',
    "view": 'CREATE OR REPLACE TEMP VIEW "{name}" AS SELECT 1 AS shadow',
}
BUILT_IN = ("sha1", "lower", "list_transform", "sum", "ln", "greatest")
MORE_BUILT_IN = (
    "coalesce", "count", "epoch_us", "error", "exp", "flatten", "floor", "getvariable", "hash", "isfinite", "least", "left", "len",
    "list", "list_contains", "list_filter", "list_inner_product", "list_sort", "max", "md5", "md5_number", "min", "now", "range",
    "regexp_extract", "regexp_matches", "regexp_replace", "replace", "row_number", "sqrt", "starts_with", "string_agg", "typeof", "unnest",
    "words", "+", "-", "*", "/", "||", "%", "query_table", "query", "read_parquet", "parquet_scan", "duckdb_tables", "duckdb_functions",
    "modelhub_elements", "modelhub_histograms", "modelhub_similarities", "modelhub_open_pairs", "modelhub_minhash", "modelhub_matches", "modelhub_jslsh", "modelhub_dataset",
)  # fmt: skip


# -- the names of the hub ----------------------------------------------------------------------


@pytest.fixture(scope="session")
def small_hub_path(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A hub file with two models, of few features."""
    path = str(tmp_path_factory.mktemp("small") / "hub.duckdb")
    with modelhub_sql.connect(path, partition_size=100) as made:
        made.register("beer", data("beer"), exclude=EXCLUDE, accuracy=0.9)
        made.register("torso", data("torso1"), exclude=["activity"])
    return path


@cache
def names(path: str) -> dict[str, list[str]]:
    """The names of the hub's file: what users call, and what is behind it."""
    with duckdb.connect(path, read_only=True) as con:
        macros = con.execute(
            "SELECT schema_name, function_name, macro_definition FROM duckdb_functions()"
            " WHERE NOT internal AND database_name = current_database()"
        ).fetchall()
        views = con.execute("SELECT schema_name, view_name, sql FROM duckdb_views() WHERE NOT internal").fetchall()
        tables = con.execute("SELECT schema_name, table_name, '' FROM duckdb_tables() WHERE NOT internal").fetchall()
        functions = {name for (name,) in con.execute("SELECT function_name FROM duckdb_functions() WHERE internal").fetchall()}
    entries = [*macros, *views, *tables]
    public = {name for schema, name, _ in entries if schema == "main"}
    internal = {name for schema, name, _ in entries if schema != "main"}
    for *_, definition in entries:
        internal |= set(re.findall(r"(\w+)\"? AS (?:NOT )?(?:MATERIALIZED )?\(", definition or "", re.IGNORECASE))
    for folder in ("sketch", "search"):
        # The files are called like the relations in them.
        internal |= {
            file.stem.lstrip("0123456789_") for file in (Path(modelhub_sql.__file__).parent / "sql" / folder).glob("*.sql")
        }
    # A few are called like functions of DuckDB, too.
    return {
        "public": sorted(public),
        "internal": sorted(internal - public),
        "no function": sorted(internal - public - functions),
    }


def test_the_names_are_known(small_hub_path: str) -> None:
    known = names(small_hub_path)
    assert {"find_models", "explain_features", "explain_partitions", "sketch", "list_models", "help"} <= set(known["public"])
    assert {"models", "features", "partition_counts", "datasets"} <= {*known["public"], *known["internal"]}
    assert len(known["internal"]) >= 100


def shadow(con: duckdb.DuckDBPyConnection, kind: str, shadowed: list[str]) -> None:
    for name in shadowed:
        con.execute(SHADOWS[kind].replace("{name}", name))


def every_name(path: str, leaving: tuple[str, ...] = ()) -> list[str]:
    known = names(path)
    return [name for name in (*known["public"], *known["internal"]) if name not in leaving]


# -- the answers -------------------------------------------------------------------------------


def rounded(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [rounded(part) for part in value]
    return round(value, 9) if isinstance(value, float) else value


def answers(hub: modelhub_sql.Hub) -> dict[str, Any]:
    relations = {
        "find": hub.find_models(data("beer"), exclude=EXCLUDE, max_js=MAX_JS),
        "explain": hub.explain("beer", data("beer"), exclude=EXCLUDE),
        "explain_partitions": hub.explain_partitions("beer", data("beer"), exclude=EXCLUDE, max_js=MAX_JS),
        "list": hub.models(),
    }
    return {name: rounded(relation.fetchall()) for name, relation in relations.items()}


IN_SQL = {
    "find_models": f"FROM find_models('{data('beer')}', exclude := {EXCLUDE}, max_js := {MAX_JS})",
    "explain_features": f"FROM explain_features('beer', '{data('beer')}', exclude := {EXCLUDE})",
    "explain_partitions": f"FROM explain_partitions('beer', '{data('beer')}', exclude := {EXCLUDE}, max_js := {MAX_JS})",
    "list_models": "FROM list_models",
}


def answer(con: duckdb.DuckDBPyConnection, call: str, ctes: str = "") -> Any:
    return rounded(con.execute(ctes + IN_SQL[call]).fetchall())


def stored(path: str) -> list[Any]:
    """The sketches in the file."""
    with duckdb.connect(path, read_only=True) as con:
        return [con.execute(f"FROM _hub.{table} ORDER BY ALL").fetchall() for table in ("features", "partition_counts")]


@pytest.fixture(scope="session")
def expected(small_hub_path: str) -> dict[str, Any]:
    """What a session without a shadow is answered."""
    with modelhub_sql.connect(small_hub_path, read_only=True) as hub:
        found = answers(hub)
    with duckdb.connect(small_hub_path, read_only=True) as con:
        found |= {call: answer(con, call) for call in IN_SQL}
    assert all(found.values())
    return found


@pytest.fixture(scope="session")
def expected_sketch(small_hub_path: str, tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """What is stored when a session without a shadow has registered a model more."""
    path = str(shutil.copy(small_hub_path, tmp_path_factory.mktemp("more") / "hub.duckdb"))
    with modelhub_sql.connect(path) as hub:
        registered(hub)
    return stored(path)


def registered(hub: modelhub_sql.Hub) -> None:
    hub.register("more", data("beer"), exclude=EXCLUDE[:4])


@pytest.fixture
def open_hub(small_hub_path: str) -> Iterator[modelhub_sql.Hub]:
    with modelhub_sql.connect(small_hub_path, read_only=True) as hub:
        yield hub


@pytest.fixture
def con(small_hub_path: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """The file in a plain connection: the SQL alone."""
    with duckdb.connect(small_hub_path, read_only=True) as plain:
        yield plain


# -- in Python ----------------------------------------------------------------------------------


@pytest.mark.one_in(3)
@pytest.mark.parametrize("kind", SHADOWS)
def test_no_name_of_the_user_changes_an_answer(
    small_hub_path: str, expected: dict[str, Any], open_hub: modelhub_sql.Hub, kind: str
) -> None:
    shadow(open_hub.con, kind, [*every_name(small_hub_path), *BUILT_IN, *MORE_BUILT_IN])
    found = answers(open_hub)
    assert found == {name: expected[name] for name in found}


@pytest.mark.one_in(2)
@pytest.mark.parametrize("kind", SHADOWS)
def test_no_name_of_the_user_changes_what_is_stored(
    small_hub_path: str, expected_sketch: list[Any], tmp_path: Path, kind: str
) -> None:
    path = str(shutil.copy(small_hub_path, tmp_path / "hub.duckdb"))
    with modelhub_sql.connect(path) as hub:
        shadow(hub.con, kind, [*every_name(small_hub_path), *BUILT_IN, *MORE_BUILT_IN])
        registered(hub)
        hub.register("shared", like="more")
        hub.remove("shared")
    assert stored(path) == expected_sketch


ONE_BY_ONE = (
    "models",
    "features",
    "settings",
    "options",
    "target_feature",
    "feature_match",
    "find_models",
    "explain_features",
    "sha1",
    "sum",
)


def test_one_name_of_the_user_changes_no_answer(expected: dict[str, Any], open_hub: modelhub_sql.Hub) -> None:
    for place, name in enumerate(ONE_BY_ONE):
        kind = list(SHADOWS)[place % len(SHADOWS)]
        shadow(open_hub.con, kind, [name])
        found = rounded(open_hub.explain("beer", data("beer"), exclude=EXCLUDE).fetchall())
        assert found == expected["explain"], (kind, name)
        open_hub.con.execute(f'DROP {"MACRO TABLE" if kind == "table macro" else kind} temp."{name}"')


@pytest.mark.parametrize("kind", ["TABLE", "VIEW"])
def test_the_target_may_have_any_name(expected: dict[str, Any], open_hub: modelhub_sql.Hub, kind: str) -> None:
    for name in ("models", "dataset_row"):
        open_hub.con.execute(f"CREATE TEMP {kind} {name} AS FROM '{data('beer')}'")
        found = rounded(open_hub.explain("beer", name, exclude=EXCLUDE).fetchall())
        assert found == expected["explain"], name
        open_hub.con.execute(f"DROP {kind} temp.{name}")


def test_a_dataset_may_have_any_name(small_hub_path: str, expected_sketch: list[Any], tmp_path: Path) -> None:
    for name in ("features", "dataset_row"):
        path = str(shutil.copy(small_hub_path, tmp_path / "hub.duckdb"))
        with modelhub_sql.connect(path) as hub:
            hub.con.execute(f"CREATE TEMP TABLE {name} AS FROM '{data('beer')}'")
            hub.register("more", name, exclude=EXCLUDE[:4])
        assert stored(path) == expected_sketch, name


# -- in SQL --------------------------------------------------------------------------------------


def ctes(shadowed: list[str]) -> str:
    return "WITH " + ", ".join(f'"{name}" AS (SELECT 1 AS shadow)' for name in shadowed) + " "


@pytest.mark.one_in(3)
@pytest.mark.parametrize("call", IN_SQL)
def test_no_cte_around_a_call_changes_its_answer(
    small_hub_path: str, expected: dict[str, Any], open_hub: modelhub_sql.Hub, con: duckdb.DuckDBPyConnection, call: str
) -> None:
    # A CTE of the name that is called is called.
    around = ctes(every_name(small_hub_path, leaving=(call,)))
    assert answer(con, call, around) == expected[call]
    if call in ("explain_features", "list_models"):
        assert answer(open_hub.con, call, around) == expected[call]


@pytest.mark.one_in(4)
@pytest.mark.parametrize(
    ("call", "kind"), [*(("find_models", kind) for kind in SHADOWS), ("explain_features", "macro"), ("explain_features", "table")]
)
def test_no_name_but_the_one_that_is_called_changes_an_answer_in_sql_alone(
    small_hub_path: str, expected: dict[str, Any], con: duckdb.DuckDBPyConnection, call: str, kind: str
) -> None:
    known = names(small_hub_path)
    shadow(con, kind, [name for name in known["public"] if name not in (call, "list_models")])
    shadow(con, kind, known["no function" if kind == "macro" else "internal"])
    for called in (call, "list_models"):
        assert answer(con, called) == expected[called], called


def test_no_single_internal_name_changes_an_answer_in_sql_alone(small_hub_path: str, expected: dict[str, Any]) -> None:
    for place, name in enumerate(ONE_BY_ONE[:2]):
        with duckdb.connect(small_hub_path, read_only=True) as con:
            kind = list(SHADOWS)[place % len(SHADOWS)]
            shadow(con, kind, [name])
            assert answer(con, "explain_features") == expected["explain_features"], (kind, name)


def test_no_macro_called_like_a_function_changes_an_answer_in_sql_alone(
    expected: dict[str, Any], con: duckdb.DuckDBPyConnection
) -> None:
    shadow(con, "macro", [*BUILT_IN])
    assert answer(con, "find_models") == expected["find_models"]


def test_no_shadow_hides_a_table_of_the_user_from_a_search(expected: dict[str, Any], con: duckdb.DuckDBPyConnection) -> None:
    con.execute(f"CREATE TEMP TABLE mine AS FROM '{data('beer')}'")
    query = IN_SQL["explain_features"].replace(data("beer"), "mine")
    assert rounded(con.execute(ctes(["features", "models"]) + query).fetchall()) == expected["explain_features"]
