"""The stock duckdb shell, without Python, answers and registers as Python does."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import duckdb
import pytest
from conftest import SENSORS, data, stock_shell, whole

import modelhub_sql

FEATURES = """
    SELECT feature_id, feature, kind, "values", nulls, bins, counts, minhash
    FROM features JOIN models USING (dataset_id) WHERE model = $model ORDER BY feature_id
"""
HISTOGRAMS = """
    SELECT feature_id, partition_id, counts FROM histograms JOIN models USING (dataset_id)
    WHERE model = $model ORDER BY feature_id, partition_id
"""
MEANS = """
    SELECT feature, coalesce(mean, 0) FROM features JOIN models USING (dataset_id) WHERE model = $model ORDER BY feature_id
"""
BANDS = """
    SELECT band, signature, feature_id FROM feature_bands JOIN models USING (dataset_id) WHERE model = $model ORDER BY ALL
"""


def shell(*arguments: str, script: str = "", program: str | None = None, cwd: Path | None = None) -> str:
    """What the shell prints for a script; it must end well and say nothing else."""
    run = refused_or_run(*arguments, script=script, program=program, cwd=cwd)
    assert (run.returncode, run.stderr) == (0, "")
    return run.stdout


def refused_or_run(
    *arguments: str, script: str, program: str | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [program or stock_shell(), "-bail", *arguments], input=script, cwd=cwd, capture_output=True, encoding="utf-8", check=False
    )


def asked(*arguments: str, script: str, program: str | None = None) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(shell("-json", *arguments, script=script, program=program))
    return rows


def query(target: str, options: str) -> str:
    return f"FROM find_models('{target}', exclude := ['activity']{options});"


def assert_same_answer(shell_rows: list[dict[str, Any]], relation: modelhub_sql.result.Result) -> None:
    rows = [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]
    assert len(rows) > 1
    assert [(row["rank"], row["model"], row["version"]) for row in shell_rows] == [
        (row["rank"], row["model"], row["version"]) for row in rows
    ]
    for ours, theirs in zip(shell_rows, rows, strict=True):
        assert ours.keys() == theirs.keys()
        for name, value in theirs.items():
            if isinstance(value, float):
                assert math.isclose(ours[name], value, rel_tol=0, abs_tol=1e-9), name
            else:
                assert ours[name] == value, name


OPTIONS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "exact": {"search": "exact", "max_js": 0.15},
    "lsh": {"search": "lsh", "max_js": 0.15},
    "flattened": {"sample_space": "flattened", "max_js": 0.1},
    "all overlaps, by JS": {"min_overlap": 0, "rank_by": "js"},
}


@pytest.mark.one_in(2)
@pytest.mark.parametrize("options", OPTIONS.values(), ids=list(OPTIONS))
def test_the_shell_gives_the_ranking_and_the_numbers_that_python_gives(
    sensor_hub_path: str, sensor_hub: modelhub_sql.Hub, options: dict[str, Any]
) -> None:
    named = "".join(f", {name} := {value!r}" for name, value in options.items())
    shell_rows = asked("-readonly", sensor_hub_path, script=query(data("torso2"), named))
    assert_same_answer(shell_rows, sensor_hub.find_models(data("torso2"), exclude=["activity"], **options))


def test_an_attached_hub_gives_the_same_answer_read_only_and_for_a_table_of_the_users(
    sensor_hub_path: str, sensor_hub: modelhub_sql.Hub
) -> None:
    script = f"""
        CREATE TABLE my_table AS FROM '{data("torso2")}';
        ATTACH '{sensor_hub_path}' AS hub (READ_ONLY);
        USE hub;
        {query("memory.main.my_table", "")}
    """
    assert_same_answer(asked(script=script), sensor_hub.find_models(data("torso2"), exclude=["activity"]))


def test_explanations_are_those_of_python(sensor_hub_path: str, sensor_hub: modelhub_sql.Hub) -> None:
    # The shell writes a UBIGINT as a JSON string.
    script = f"""
        SELECT * REPLACE (target_values::INT AS target_values, target_nulls::INT AS target_nulls,
            source_values::INT AS source_values, source_nulls::INT AS source_nulls)
        FROM explain_features('torso1', '{data("leg1")}', exclude := ['activity'], details := true);
    """
    relation = sensor_hub.explain("torso1", data("leg1"), exclude=["activity"], details=True)
    rows = [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]
    assert len(rows) == 8
    assert asked("-readonly", sensor_hub_path, script=script) == [
        {name: pytest.approx(value, abs=1e-9) if isinstance(value, float) else value for name, value in row.items()}
        for row in rows
    ]


if "MODELHUB_OLD_CLI" in os.environ:

    @pytest.mark.parametrize("options", OPTIONS.values(), ids=list(OPTIONS))
    def test_an_older_shell_reads_the_hub_and_gives_the_same_answer(
        sensor_hub_path: str, sensor_hub: modelhub_sql.Hub, options: dict[str, Any]
    ) -> None:
        named = "".join(f", {name} := {value!r}" for name, value in options.items())
        rows = asked("-readonly", sensor_hub_path, script=query(data("torso2"), named), program=os.environ["MODELHUB_OLD_CLI"])
        assert_same_answer(rows, sensor_hub.find_models(data("torso2"), exclude=["activity"], **options))

    def test_an_older_shell_says_that_it_cannot_read_structs(sensor_hub_path: str, tmp_path: Path) -> None:
        path = tmp_path / "nested.parquet"
        duckdb.execute(f"COPY (SELECT i AS n, {{'a': i, 'b': 2 * i}} AS s FROM range(200) AS r(i)) TO '{path}'")
        for options, code in (("", 1), (", exclude := ['s']", 0)):
            run = refused_or_run(
                "-readonly",
                sensor_hub_path,
                script=f"FROM find_models('{path}'{options});",
                program=os.environ["MODELHUB_OLD_CLI"],
            )
            assert run.returncode == code
            assert ("a column of structs (STRUCT(a BIGINT, b BIGINT)) takes DuckDB 1.5 or later" in run.stderr) == bool(code)


@pytest.fixture
def hub_file(tmp_path: Path) -> Path:
    """A hub file that one model is registered in, by Python."""
    path = tmp_path / "hub.duckdb"
    with modelhub_sql.connect(path, partition_size=100) as hub:
        hub.register("by python", data("adult"), exclude=["income"], accuracy=0.85, version="1", task="income", uri="s3://adult")
    return path


def verb(hub: Path, name: str) -> Path:
    """The script of a verb, saved from the hub as documented."""
    script = hub.parent / f"{name}.sql"
    script.write_text(
        shell(str(hub), "-noheader", "-list", script=f"SELECT script FROM verbs WHERE verb = '{name}';"), encoding="utf-8"
    )
    return script


def contents(path: Path, query: str, model: str) -> list[Any]:
    with duckdb.connect(str(path), read_only=True) as con:
        return con.execute(query, {"model": model}).fetchall()


def registering(hub: Path, **variables: str) -> str:
    return (
        "".join(f"SET VARIABLE {name} = {value};\n" for name, value in variables.items()) + f".read '{verb(hub, 'register')}'\n"
    )


def test_the_shell_registers_the_same_sketch_as_python(hub_file: Path) -> None:
    script = registering(
        hub_file, model="'by shell'", version="'1'", dataset=f"'{data('adult')}'", exclude="['income']", accuracy="0.85",
        task="'income'", uri="'s3://adult'",
    )  # fmt: skip
    shell(str(hub_file), script=script)
    for query in (FEATURES, HISTOGRAMS, BANDS):
        by_python, by_shell = (contents(hub_file, query, model) for model in ("by python", "by shell"))
        assert len(by_python) > 10
        assert by_shell == by_python
    for ours, theirs in zip(contents(hub_file, MEANS, "by python"), contents(hub_file, MEANS, "by shell"), strict=True):
        assert ours == (theirs[0], pytest.approx(theirs[1], rel=1e-12))
    with modelhub_sql.connect(hub_file, read_only=True) as hub:
        columns = "version, source_accuracy, task, framework, uri, metadata, rows, partitions, source, excluded"
        one, other = hub.models().select(columns).fetchall()
        assert one == other
        found = (
            hub.find_models(data("adult"), exclude=["income"], details=True).select("model, adaptivity, js_divergence").fetchall()
        )
    assert {model for model, *_ in found} == {"by python", "by shell"}
    assert found[0][1:] == pytest.approx(found[1][1:], abs=1e-12)


def test_the_shell_registers_a_table_of_its_own_and_one_model_after_another(hub_file: Path) -> None:
    script = f"CREATE TEMP TABLE mine AS FROM '{data('beer')}';\n" + registering(
        hub_file, model="'mine'", dataset="'mine'", exclude="['label', 'split']"
    )
    script += registering(hub_file, model="'also'", dataset=f"'{data('fodors_zagats')}'", exclude="['label', 'split']")
    shell(str(hub_file), script=script)
    with modelhub_sql.connect(hub_file) as hub:
        hub.register("again", data("beer"), exclude=["label", "split"])
        assert [row[0] for row in hub.models().select("model").fetchall()] == ["again", "also", "by python", "mine"]
    assert contents(hub_file, FEATURES, "mine") == contents(hub_file, FEATURES, "again")


def test_what_was_said_of_one_model_is_not_said_of_the_next(hub_file: Path) -> None:
    script = registering(
        hub_file,
        model="'one'",
        version="'7'",
        dataset=f"'{data('beer')}'",
        accuracy="0.99",
        task="'matching'",
        uri="'s3://one'",
    )
    script += registering(hub_file, model="'next'", dataset=f"'{data('fodors_zagats')}'")
    shell(str(hub_file), script=script)
    with duckdb.connect(str(hub_file), read_only=True) as con:
        rows = con.execute(
            "SELECT version, source_accuracy, task, uri FROM models WHERE model IN ('one', 'next') ORDER BY model DESC"
        ).fetchall()
    assert rows == [("7", 0.99, "matching", "s3://one"), ("", None, None, None)]


def test_the_shell_shares_the_dataset_of_a_model_and_replaces_one(hub_file: Path) -> None:
    shell(str(hub_file), script=registering(hub_file, model="'second'", like_model="'by python'", accuracy="0.9"))
    with duckdb.connect(str(hub_file), read_only=True) as con:
        assert con.execute("SELECT count(*), count(DISTINCT dataset_id) FROM models").fetchall() == [(2, 1)]
    shell(str(hub_file), script=registering(hub_file, model="'second'", dataset=f"'{data('beer')}'", replace="true"))
    with duckdb.connect(str(hub_file), read_only=True) as con:
        assert con.execute("SELECT model, rows FROM list_models ORDER BY model").fetchall() == [
            ("by python", 1500),
            ("second", 450),
        ]


def test_the_shell_removes_a_model_and_its_sketch(hub_file: Path) -> None:
    script = f"SET VARIABLE model = 'by python';\n.read '{verb(hub_file, 'remove')}'\n"
    shell(str(hub_file), script=script)
    with duckdb.connect(str(hub_file), read_only=True) as con:
        for table in ("models", "datasets", "features", "histograms"):
            assert con.execute("SELECT count(*) FROM query_table(?)", [table]).fetchall() == [(0,)], table


def recording(hub: Path, **variables: str) -> str:
    told = "".join(f"SET VARIABLE {name} = {value};\n" for name, value in variables.items())
    return f"{told}.read '{verb(hub, 'record')}'\n"


def test_the_shell_records_what_python_records_and_again_in_its_place(hub_file: Path) -> None:
    told = dict(model="'by python'", target=f"'{data('adult')}'", exclude="['income']")
    script = recording(hub_file, **told, score="0.7", version="'1'", rows="50", metric="'f1'")
    # What was said of one measurement is not said of the next; a table of the shell's is a target, too.
    script += f"CREATE TEMP TABLE mine AS FROM '{data('adult')}';\n"
    script += recording(hub_file, **(told | {"target": "'mine'"}), score="0.6") + recording(hub_file, **told, score="0.8")
    script += recording(hub_file, **told, score="0.81", source="'june'") + recording(
        hub_file, **told, score="0.82", source="'june'"
    )
    said = shell(str(hub_file), "-noheader", "-csv", script=script).splitlines()
    assert [line.split(",")[2] for line in said] == ["adult.parquet", "mine", "adult.parquet", "june", "june"]
    with modelhub_sql.connect(hub_file) as hub:
        hub.record("by python", data("adult"), 0.7, exclude=["income"], metric="f1", rows=50, version="1", source="by python")
        rows = {(row["target"], row["metric"]): row for row in hub.sql("FROM outcomes").dicts()}
        assert [row["lost"] for row in hub.outcomes().dicts() if row["target"] == "june"] == [pytest.approx(0.85 - 0.82)]
        assert not hub.verify().fetchall()
    assert {key: row["score"] for key, row in rows.items()} == {
        ("adult.parquet", "f1"): 0.7, ("mine", "accuracy"): 0.6, ("adult.parquet", "accuracy"): 0.8, ("june", "accuracy"): 0.82,
        ("by python", "f1"): 0.7,
    }  # fmt: skip
    own = ("target", "recorded_at")
    by_shell, by_python = (rows[(target, "f1")] for target in ("adult.parquet", "by python"))
    assert {name: value for name, value in by_shell.items() if name not in own} == {
        name: pytest.approx(value, abs=1e-12) if isinstance(value, float) else value
        for name, value in by_python.items()
        if name not in own
    }


NOT_RECORDED = {
    "no score": ({}, "set the variables model, target (a file, table or view) and score"),
    "a score in percent": (dict(score="85"), "a value of accuracy, must be a number in [0, 1], got 85"),
    "no number": (dict(score="'nan'", metric="'r2'"), "must be a number of at most 1, got nan"),
    "another metric": (dict(score="0.5", metric="'auc'"), "metric must be one of accuracy, f1, r2; got auc"),
    "no rows": (dict(score="0.5", rows="0"), "rows must be a whole number above 0, got 0"),
    "an unknown model": (dict(score="0.5", model="'by pythn'"), "the nearest name is by python"),
    "a missing file": (dict(score="0.5", target="'missing.parquet'"), "missing.parquet"),
}


@pytest.mark.one_in(3)
@pytest.mark.parametrize("case", NOT_RECORDED)
def test_what_the_shell_does_not_record_leaves_the_hub_as_it_was(hub_file: Path, case: str) -> None:
    variables, said = NOT_RECORDED[case]
    before = whole(hub_file)
    script = recording(hub_file, **({"model": "'by python'", "target": f"'{data('adult')}'"} | variables))
    run = refused_or_run(str(hub_file), script=script)
    assert run.returncode != 0
    assert said in run.stderr
    assert whole(hub_file) == before


REFUSED = {
    "no model": (dict(dataset="'{beer}'"), "a model needs a name"),
    "no dataset": (dict(model="'m'"), "dataset"),
    "a missing file": (dict(model="'m'", dataset="'missing.parquet'"), "missing.parquet"),
    "a name that is taken": (dict(model="'by python'", version="'1'", dataset="'{beer}'"), "registered already"),
    "an accuracy above 1": (dict(model="'m'", dataset="'{beer}'", accuracy="1.5"), "1.5"),
    "an unknown model": (dict(model="'m'", like_model="'nobody'"), "nobody"),
}


@pytest.mark.one_in(3)
@pytest.mark.parametrize("case", REFUSED)
def test_what_the_shell_refuses_leaves_the_hub_as_it_was(hub_file: Path, case: str) -> None:
    variables, said = REFUSED[case]
    given = {name: value.format(beer=data("beer")) for name, value in variables.items()}
    before = whole(hub_file)
    run = refused_or_run(str(hub_file), script=registering(hub_file, **given))
    assert run.returncode != 0
    assert said in run.stderr
    assert whole(hub_file) == before


def test_a_hub_that_is_copied_elsewhere_needs_nothing_beside_it(sensor_hub_path: str, tmp_path: Path) -> None:
    shutil.copy(sensor_hub_path, tmp_path / "moved.duckdb")
    shutil.copy(data("torso1"), tmp_path / "target.parquet")
    script = "SELECT model FROM find_models('target.parquet', exclude := ['activity'], rank_by := 'js') WHERE rank = 1;"
    assert shell("moved.duckdb", "-list", "-noheader", script=script, cwd=tmp_path).strip() == SENSORS[0]


def test_what_was_said_of_a_model_that_was_refused_is_not_said_of_the_next(hub_file: Path) -> None:
    # Without -bail, as at the prompt: the shell goes on after an error.
    script = registering(hub_file, model="'refused'", dataset="'missing.parquet'", accuracy="0.9", task="'vision'")
    script += registering(hub_file, model="'by python'", version="'1'", dataset=f"'{data('beer')}'", accuracy="0.9")
    script += registering(hub_file, model="'next'", dataset=f"'{data('beer')}'")
    run = subprocess.run([stock_shell(), str(hub_file)], input=script, capture_output=True, encoding="utf-8", check=False)
    assert "missing.parquet" in run.stderr
    assert "registered already" in run.stderr
    with duckdb.connect(str(hub_file), read_only=True) as con:
        rows = con.execute("SELECT model, source_accuracy, task FROM models WHERE model <> 'by python'").fetchall()
    assert rows == [("next", None, None)]


def test_the_shell_says_what_it_registered_and_what_it_skipped(hub_file: Path) -> None:
    with duckdb.connect() as con:
        con.execute(f"COPY (SELECT 1 AS a, 'x'::BLOB AS b, NULL::INTEGER AS c) TO '{hub_file.parent / 'odd.parquet'}'")
    script = registering(hub_file, model="'odd'", version="'7'", dataset=f"'{hub_file.parent / 'odd.parquet'}'")
    (row,) = asked(str(hub_file), script=script)
    assert (row["registered"], row["version"], int(row["rows"]), int(row["partitions"])) == ("odd", "7", 1, 1)
    assert row["skipped"] == ["b (BLOB)", "c (INTEGER, only NULL)"]


def test_the_shell_refuses_a_column_to_exclude_that_there_is_not(hub_file: Path) -> None:
    before = whole(hub_file)
    script = registering(hub_file, model="'m'", dataset=f"'{data('beer')}'", exclude="['labl']")
    run = refused_or_run(str(hub_file), script=script)
    assert run.returncode != 0
    assert "no column labl to exclude" in run.stderr
    assert whole(hub_file) == before


def test_an_attached_hub_says_that_it_must_be_used_first(sensor_hub_path: str) -> None:
    attach = f"ATTACH '{sensor_hub_path}' AS hub (READ_ONLY);\n"
    first = asked(script=attach + "SELECT * FROM hub.help LIMIT 1;")[0]
    assert first["name"] == "USE hub"
    comment = "SELECT comment FROM duckdb_views() WHERE database_name = 'hub' AND view_name = 'help';"
    assert "USE it first" in asked(script=attach + comment)[0]["comment"]
    query = f"SELECT count(*) AS found FROM hub.find_models('{data('torso2')}', exclude := ['activity']);"
    assert refused_or_run(script=attach + query).returncode != 0
    assert asked(script=f"{attach}{first['example'].split('; ')[1]};\n{query}")[0]["found"] > 1
