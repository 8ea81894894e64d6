"""The SQL files keep their rules, and so does what a hub stores of them."""

from __future__ import annotations

from pathlib import Path

import check_sql
import duckdb
import pytest
from conftest import data

import modelhub_sql
from modelhub_sql import logic


def test_every_file_keeps_the_rules() -> None:
    assert [str(each) for each in check_sql.broken() if not each.known] == []


SEARCH = "sql/search/99_more.sql"
BREAKING = {
    "width": "-- a row of it\nSELECT " + "a, " * 50 + "b FROM t",
    "first line": "SELECT a FROM t",
    "stars": "-- a row of it\nSELECT * EXCLUDE (a, b) FROM t",
    "upper case": "-- a row of it\nSELECT a from t",
    "lower case": "-- a row of it\nSELECT Elements FROM t",
    "order": "-- a row of it\nSELECT list(a ORDER BY b DESC, c) FROM t",
    "parameter": "-- a row of it\nSELECT a FROM options WHERE a > min_jaccard",
}


@pytest.mark.parametrize("rule", BREAKING)
def test_what_breaks_a_rule_is_found(rule: str) -> None:
    assert {each.rule for each in check_sql.broken({SEARCH: BREAKING[rule]})} == {rule}


@pytest.mark.parametrize("call", ["list_sort(a)", "list_grade_up(list_sort(a, 'ASC'))", "list_reverse_sort(a)"])
def test_sorting_a_list_as_the_session_likes_is_found(call: str) -> None:
    assert [each.rule for each in check_sql.broken({SEARCH: f"-- a row of it\nSELECT {call} FROM t"})] == ["order"]


def test_what_keeps_the_rules_is_not_found() -> None:
    kept = """-- a row of it
    WITH o AS (FROM options)
    SELECT o.search, f.left, left(a, 3), x AS version, "Any name", list_sort(list(b ORDER BY c DESC NULLS LAST, d ASC), 'DESC')
    FROM t
    ORDER BY (SELECT o.rank_by FROM o) ASC, a DESC
    LIMIT 3"""
    assert check_sql.broken({SEARCH: kept}) == []


def test_the_relations_that_a_query_reads_are_known() -> None:
    query = """
        WITH mine AS (SELECT a, b FROM one AS o, two, range(3)) SELECT x, y FROM mine SEMI JOIN three USING (a, b)
        WHERE a IS NOT DISTINCT FROM b AND EXISTS (FROM four) AND (SELECT count(*), c FROM (SELECT d FROM _hub.models), five) = 1
    """
    assert check_sql.read(query) == {"one", "two", "three", "four", "five"}


ENDS = {
    # All but the first are named in a text: the forms that the columns have decide which are read.
    "sketch": {
        "sketched_feature",
        "kept_feature",
        "no_text",
        "sample_text",
        "no_sample_text",
        "no_sampled",
        "sampled_number",
        "sampled_time",
        "sampled_list",
    },
    "search": {
        "found_model",
        "found_dataset",
        "drawn_bin",
        "explained_feature",
        "explained_model",
        "explained_partition",
        "compared_model",
    },
    "pairs": {"dataset_pair"},
}


@pytest.mark.parametrize("folder", ENDS)
def test_every_relation_is_read(folder: str) -> None:
    queries = [relation.query for numpy in (False, True) for relation in logic.relations(folder, numpy).values()]
    unread = set(logic.relations(folder)) - ENDS[folder] - set().union(*map(check_sql.read, queries))
    assert unread == set()


# -- what a hub stores ------------------------------------------------------------------------

OBJECTS = """
    SELECT schema_name, function_name AS name, comment FROM duckdb_functions() WHERE NOT internal
    UNION ALL SELECT schema_name, view_name, comment FROM duckdb_views() WHERE NOT internal
    UNION ALL SELECT schema_name, table_name, comment FROM duckdb_tables() WHERE NOT internal
    UNION ALL SELECT schema_name, table_name || '.' || column_name, comment
    FROM duckdb_columns() SEMI JOIN (FROM duckdb_tables() WHERE NOT internal) USING (table_oid, schema_name, table_name)
"""


@pytest.fixture
def objects(stock: duckdb.DuckDBPyConnection) -> list[tuple[str, str, str | None]]:
    """Schema, name and comment of all that a hub's file holds."""
    return stock.execute(OBJECTS).fetchall()


def test_every_object_of_a_hub_has_a_comment(objects: list[tuple[str, str, str | None]]) -> None:
    assert len(objects) > 100
    assert [f"{schema}.{name}" for schema, name, comment in objects if not comment] == []


def test_every_object_is_in_a_schema_of_the_hub_and_few_are_public(objects: list[tuple[str, str, str | None]]) -> None:
    assert {schema for schema, *_ in objects} == {"main", "_hub", "_format", "_logic"}
    public = {name for schema, name, _ in objects if schema == "main"}
    assert public == {each.name for each in logic.public()} | {"settings", "help"}
    assert len(public) <= 20


def test_help_fits_a_screen_and_lists_all_that_is_public(
    stock: duckdb.DuckDBPyConnection, objects: list[tuple[str, str, str | None]]
) -> None:
    rows = stock.execute("FROM help").fetchall()
    assert len(rows) <= 21
    assert {name for name, *_ in rows} == {name for schema, name, _ in objects if schema == "main"} | {"USE hub"}
    for name, what_a_row_is, example in rows:
        assert what_a_row_is
        assert name in example


def test_each_example_of_help_runs(tmp_path: Path) -> None:
    path = tmp_path / "hub.duckdb"
    with modelhub_sql.connect(path, partition_size=100) as hub:
        hub.register("beer", data("beer"), exclude=["label", "split"], accuracy=0.95)
        hub.register("labelled", data("beer"), exclude=["split"])
        hub.register("restaurants", data("fodors_zagats"), exclude=["label", "split"])
        hub.record("beer", data("beer"), 0.9, exclude=["label", "split"])
    with duckdb.connect() as con:
        con.execute("SET file_search_path = ?", [str(tmp_path)])
        con.execute(f"ATTACH '{path}' AS first (READ_ONLY)")
        (use, _, attached), *others = con.execute("FROM first.main.help").fetchall()
        assert use == "USE hub"
        con.execute("DETACH first")
        con.execute(attached.replace("hub.duckdb", str(path)))
        for name, _, example in others:
            example = example.replace("target.parquet", data("beer")).replace("other.parquet", data("fodors_zagats"))
            assert con.execute(example).fetchall(), name


def test_a_connection_of_the_users_own_is_given_all_that_is_public(sensor_hub_path: str) -> None:
    with duckdb.connect(sensor_hub_path, read_only=True) as con:
        stored = "SELECT function_name, parameters FROM duckdb_functions() WHERE schema_name = 'main' AND NOT internal AND database_name"
        in_file = dict(con.execute(f"{stored} = current_database()").fetchall())
        modelhub_sql.load(con)
        given = dict(con.execute(f"{stored} = 'temp'").fetchall())
        assert given.keys() == in_file.keys()
        for name, parameters in given.items():
            assert parameters == [each for each in in_file[name] if each not in ("forms", "nested")], name
        for target in (f"find_models('{data('torso1')}'", f"find_for_each(['{data('torso1')}']"):
            query = f"SELECT model FROM {target}, exclude := ['activity']) WHERE rank = 1"
            assert con.execute(query).fetchall() == [("torso1",)]
