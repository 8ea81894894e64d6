"""Every client answers the same: numpy functions or SQL alone, whatever the tables are called."""

from __future__ import annotations

import subprocess
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from conftest import SENSORS, both_ways, data, normal, stock_shell

import modelhub_sql
from modelhub_sql import logic

pytestmark = pytest.mark.filterwarnings("ignore:max_js = .* is below twice the sampling floor")


SPACES = ["aligned", "flattened"]


@pytest.mark.one_in(3)
@pytest.mark.parametrize("search", ["exact", "lsh"])
@pytest.mark.parametrize("space", SPACES)
def test_the_sql_of_the_file_and_the_numpy_functions_answer_the_same(
    stock: duckdb.DuckDBPyConnection, sensor_hub: modelhub_sql.Hub, space: str, search: str
) -> None:
    # One that has its own model's distribution, one of another kind of sensor.
    for target in SENSORS[1:3]:
        query = f"""
            SELECT model, rank, adaptivity, coverage, js_divergence, overlap, max_js, sampling_floor, l2_distance,
                kl_target_source, kl_source_target
            FROM find_models('{data(target)}', exclude := ['activity'], sample_space := '{space}', search := '{search}')
        """
        for in_sql, in_numpy in zip(stock.execute(query).fetchall(), sensor_hub.con.execute(query).fetchall(), strict=True):
            assert in_sql[:2] == in_numpy[:2]
            assert in_sql[2:] == pytest.approx(in_numpy[2:], abs=1e-9)


@pytest.mark.one_in(4)
@pytest.mark.parametrize(("search", "max_js"), [("exact", "'auto'"), ("exact", "ln(2)"), ("lsh", "'auto'")])
@pytest.mark.parametrize("space", SPACES)
def test_sql_and_numpy_answer_the_same_where_values_are_missing(space: str, search: str, max_js: str) -> None:
    rng = np.random.default_rng(4)

    def gappy(shift: float) -> pa.Table:
        present = rng.random((300, 3)) < np.repeat(
            [[1, 0.5, 0.1], [1, 0, 0], [0, 1, 0], [0, 0, 0], [0, 0, 1], [1, 1, 1]], 50, axis=0
        )
        columns = [rng.normal(5 + shift, 1, 300), rng.poisson(3 + shift, 300), rng.choice(["a b", "b c", "c"], 300)]
        return pa.table(
            {f"x{i}": pa.array(column, mask=~present[:, i]) for i, column in enumerate(columns)}
            | {"weight": rng.normal(size=300)}
        )

    with modelhub_sql.connect(partition_size=50, partitioning="sequential") as hub:
        hub.register_many([{"name": f"m{i}", "dataset": gappy(i / 2)} for i in range(6)])
        hub.register("narrow", gappy(0).drop_columns(["x0", "weight"]))
        gaps = gappy(0)
        query = f"""
            SELECT model, adaptivity, coverage, js_divergence, max_js
            FROM find_models('target', sample_space := '{space}', search := '{search}', all_models := true, max_js := {max_js})
        """
        in_numpy = both_ways(hub, gaps, query)
    assert len(in_numpy) == 7
    assert len({row[1] for row in in_numpy}) > 3 or max_js == "ln(2)"


@pytest.mark.long
def test_a_target_may_have_the_name_of_any_step_on_its_way(stock: duckdb.DuckDBPyConnection) -> None:
    # A target is read in its sketch, where the relations of the search are not known but those around the sketch are.
    inside = set(logic.relations("sketch")) | set(sorted(logic.relations("search"))[::10]) | {"typed", "cell"}
    outside = {"target_sketch", "options", "searched", "explained"}
    ways = [
        (inside, "SELECT * EXCLUDE (partitions) FROM sketch(?, exclude := ['activity'])"),
        (outside, "SELECT model, adaptivity FROM find_models(?, exclude := ['activity'], details := true)"),
        (outside, "SELECT target_feature, distance FROM explain_features('torso1', ?, exclude := ['activity'])"),
    ]
    for names, query in ways:
        expected = stock.execute(query, [data("leg2")]).fetchall()
        assert expected
        for name in sorted(names)[::3]:
            stock.execute(f"CREATE TEMP VIEW \"{name}\" AS FROM query_table('{data('leg2')}')")
            found = stock.execute(query, [name]).fetchall()
            stock.execute(f'DROP VIEW "{name}"')
            assert (name, found) == (name, expected)


#: Where each path leads from the folder a.b: to two rows.
DOTTED = ["./p.csv", "../a.b/p.csv", "../a.b/../a.b/*.csv", "p.v1.2.3.csv", "./[p].csv", "../x.y/p.csv"]


def test_a_path_may_have_dots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder, name, rows in (("a.b", "p.csv", 2), ("a.b", "p.v1.2.3.csv", 2), ("x.y", "p.csv", 2), (".", "p.csv", 7)):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / name).write_text("x,y\n" + "1,2\n" * rows)
    monkeypatch.chdir(tmp_path / "a.b")
    with modelhub_sql.connect("hub.duckdb", partition_size=100) as hub:
        for path in DOTTED:
            hub.register(path, path)
            assert hub.find_models(path, max_js=0.1).fetchall()
        counted = dict(hub.models().select("model, rows").fetchall())
    assert counted == {path: 4 if "*" in path else 2 for path in DOTTED}
    asked = "".join(f"SELECT count(*) FROM find_models('{path}', all_models := true);" for path in DOTTED)
    shell = subprocess.run(
        [stock_shell(), "hub.duckdb", "-noheader", "-list"], input=asked, capture_output=True, encoding="utf-8", check=True
    )
    assert (shell.stdout.split(), shell.stderr) == ([str(len(DOTTED))] * len(DOTTED), "")


def test_null_excludes_no_column_in_sql(stock: duckdb.DuckDBPyConnection) -> None:
    def found(query: str, exclude: str) -> list[list[object]]:
        rows = stock.execute(query.format(exclude), [data("leg2")]).fetchall()
        # Sums are added up in any order.
        return [[round(value, 9) if isinstance(value, float) else value for value in row] for row in rows]

    for query in ("FROM find_models($1, exclude := {})", "FROM explain_features('torso1', $1, exclude := {})"):
        assert found(query, "[]") == found(query, "NULL")
        # What the models' owners left out does not count, so another column.
        assert found(query, "[]") != found(query, "['acc_dc']")


def test_a_misspelt_column_to_exclude_is_refused_in_sql(stock: duckdb.DuckDBPyConnection) -> None:
    for query in (
        "FROM find_models($1, exclude := ['activty'])",
        "FROM explain_features('torso1', $1, exclude := ['activity', 'x'])",
        "FROM sketch($1, exclude := ['activty'])",
    ):
        with pytest.raises(duckdb.Error, match=r"has no column (activty|x) to exclude"):
            stock.execute(query, [data("leg2")]).fetchall()


def test_an_empty_target_is_refused_in_sql_whatever_is_excluded(sensor_hub_path: str) -> None:
    with duckdb.connect() as con:
        con.execute(f"ATTACH '{sensor_hub_path}' AS hub (READ_ONLY); USE hub")
        con.execute("CREATE TABLE memory.main.empty (x INTEGER, label VARCHAR)")
        with pytest.raises(duckdb.Error, match=r"memory\.main\.empty has no rows"):
            con.execute("FROM find_models('memory.main.empty', exclude := ['label'])")


def test_models_of_the_same_data_are_ranked_by_name_in_every_client() -> None:
    with modelhub_sql.connect(partition_size=100) as hub:
        for name in ("zoe", "ann", "mia"):
            hub.register(name, normal(700, 0, seed=3), version=name)
        hub.register("liz", like="ann")
        for space in SPACES:
            rows = both_ways(hub, normal(500, 0.3, seed=8), f"SELECT model FROM find_models('target', sample_space := '{space}')")
            assert [model for (model,) in rows] == ["ann", "liz", "mia", "zoe"]
