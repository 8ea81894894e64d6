"""The verbs of the hub: register, replace, share, remove, list, many at once; what they keep and what they leave."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from conftest import data

import modelhub_sql

LABELS = ["label", "split"]
TABLES = ("datasets", "models", "features", "histograms")


def sizes(hub: modelhub_sql.Hub) -> dict[str, int]:
    return {name: int(hub.con.execute("SELECT count(*) FROM query_table(?)", [name]).fetchall()[0][0]) for name in TABLES}


def listed(hub: modelhub_sql.Hub, columns: str = "model, version") -> list[Any]:
    return hub.models().select(columns).fetchall()


def test_a_model_is_listed_with_all_that_was_said_of_it(hub: modelhub_sql.Hub) -> None:
    hub.register(
        "beer matcher", data("beer"), exclude=LABELS, accuracy=0.94, version="1.0", task="matching", framework="sklearn",
        uri="s3://models/beer.pkl", metadata={"owner": "ann", "tags": ["a", "ü"], "depth": 3},
    )  # fmt: skip
    columns = "model, version, source_accuracy, task, framework, uri, rows, partitions, source, excluded"
    assert listed(hub, columns) == [
        ("beer matcher", "1.0", 0.94, "matching", "sklearn", "s3://models/beer.pkl", 450, 5, data("beer"), LABELS)
    ]
    (metadata,) = listed(hub, "metadata")[0]
    assert json.loads(metadata) == {"owner": "ann", "tags": ["a", "ü"], "depth": 3}


def test_a_model_needs_only_a_name_and_a_dataset(hub: modelhub_sql.Hub) -> None:
    hub.register("m", data("beer"))
    assert listed(hub, "model, version, source_accuracy, task, framework, uri, metadata, excluded") == [
        ("m", "", None, None, None, None, None, [])
    ]


@pytest.mark.parametrize("accuracy", [0, 0.0, 1, 1.0])
def test_the_ends_of_accuracy_are_allowed(hub: modelhub_sql.Hub, accuracy: float) -> None:
    hub.register("m", data("beer"), accuracy=accuracy)
    assert listed(hub, "source_accuracy") == [(accuracy,)]


def test_versions_stand_side_by_side_and_each_is_found(hub: modelhub_sql.Hub) -> None:
    hub.register("m", data("beer"), exclude=LABELS, version="1")
    hub.register("m", data("beer"), exclude=LABELS, version="2")
    assert listed(hub) == [("m", "1"), ("m", "2")]
    found = hub.find_models(data("beer"), exclude=LABELS).select("model, version").fetchall()
    assert sorted(found) == [("m", "1"), ("m", "2")]
    hub.remove("m", "1")
    assert listed(hub) == [("m", "2")]


def test_removing_a_model_without_a_version_removes_all_of_it_and_nothing_else(hub: modelhub_sql.Hub) -> None:
    for version in ("1", "2"):
        hub.register("m", data("beer"), version=version)
    hub.register("other", data("fodors_zagats"))
    only_other = sizes(hub)
    hub.remove("m")
    assert listed(hub) == [("other", "")]
    left = sizes(hub)
    assert (left["models"], left["datasets"]) == (1, 1)
    assert left["features"] == 14 < only_other["features"]
    assert (
        hub.con.execute("SELECT DISTINCT dataset_id FROM histograms").fetchall()
        == hub.con.execute("SELECT dataset_id FROM models").fetchall()
    )


def test_a_model_like_another_shares_its_sketch(hub: modelhub_sql.Hub) -> None:
    hub.register("first", data("beer"), exclude=LABELS, accuracy=0.9)
    before = sizes(hub)
    hub.register("second", like="first", accuracy=0.8, uri="u")
    assert sizes(hub) == before | {"models": 2}
    found = hub.find_models(data("beer"), exclude=LABELS).select("model, adaptivity, source_accuracy, uri").fetchall()
    assert sorted(found) == [("first", found[0][1], 0.9, None), ("second", found[0][1], 0.8, "u")]


def test_a_sketch_is_kept_as_long_as_a_model_uses_it(hub: modelhub_sql.Hub) -> None:
    hub.register("first", data("beer"), exclude=LABELS)
    with_sketch = sizes(hub)
    hub.register("second", like="first")
    hub.remove("first")
    assert sizes(hub) == with_sketch
    assert hub.find_models(data("beer"), exclude=LABELS).select("model, coverage").fetchall() == [("second", 1.0)]
    hub.remove("second")
    assert set(sizes(hub).values()) == {0}


def test_replacing_a_model_leaves_one_with_the_new_data(hub: modelhub_sql.Hub) -> None:
    hub.register("m", data("beer"), exclude=LABELS, accuracy=0.5, task="old")
    hub.register("m", data("fodors_zagats"), exclude=LABELS, accuracy=0.6, replace=True)
    assert listed(hub, "model, source_accuracy, task, rows") == [("m", 0.6, None, 946)]
    assert sizes(hub)["features"] == 12
    assert sizes(hub)["datasets"] == 1


def test_replacing_keeps_a_sketch_that_another_model_shares(hub: modelhub_sql.Hub) -> None:
    hub.register("first", data("beer"), exclude=LABELS)
    hub.register("second", like="first")
    hub.register("first", data("fodors_zagats"), exclude=LABELS, replace=True)
    assert listed(hub, "model, rows") == [("first", 946), ("second", 450)]
    assert sizes(hub)["datasets"] == 2


def test_a_model_may_be_replaced_by_one_on_its_own_dataset(hub: modelhub_sql.Hub) -> None:
    hub.register("m", data("beer"), exclude=LABELS, accuracy=0.5)
    before = sizes(hub)
    hub.register("m", like="m", accuracy=0.6, replace=True)
    assert listed(hub, "model, source_accuracy, rows") == [("m", 0.6, 450)]
    assert sizes(hub) == before


def test_replace_of_a_model_that_is_new_registers_it(hub: modelhub_sql.Hub) -> None:
    hub.register("m", data("beer"), replace=True)
    assert listed(hub) == [("m", "")]


def test_a_removed_name_may_be_registered_again(hub: modelhub_sql.Hub) -> None:
    hub.register("m", data("beer"))
    hub.remove("m")
    hub.register("m", data("fodors_zagats"))
    assert listed(hub, "model, rows") == [("m", 946)]


def test_models_on_one_dataset_given_together_share_its_sketch(hub: modelhub_sql.Hub) -> None:
    count = hub.register_many(
        [
            {"name": "tree", "dataset": data("beer"), "exclude": LABELS},
            {"name": "forest", "dataset": data("beer"), "exclude": LABELS, "accuracy": 0.9},
            {"name": "with labels", "dataset": data("beer")},
        ]
    )
    assert count == 3
    assert sizes(hub)["datasets"] == 2
    assert hub.sql("SELECT count(DISTINCT dataset_id) FROM models WHERE model IN ('tree', 'forest')").fetchall() == [(1,)]


ROWS: list[dict[str, Any]] = [
    {"name": "a", "dataset": "beer.parquet", "exclude": "label, split", "accuracy": 0.9, "version": "1", "metadata": '{"x": 1}'},
    {"name": "b", "dataset": "fodors_zagats.parquet", "exclude": "label", "accuracy": None, "version": None, "metadata": None},
]


@pytest.mark.parametrize("form", ["csv", "parquet", "json"])
def test_a_manifest_file_is_read_with_paths_relative_to_it(hub: modelhub_sql.Hub, tmp_path: Path, form: str) -> None:
    manifest = tmp_path / f"models.{form}"
    for row in ROWS:
        name = row["dataset"]
        (tmp_path / name).symlink_to(data(name.removesuffix(".parquet")))
    frame = pl.DataFrame(ROWS)
    if form == "csv":
        frame.write_csv(manifest)
    elif form == "parquet":
        frame.write_parquet(manifest)
    else:
        frame.write_json(manifest)
    assert hub.register_many(manifest) == 2
    assert listed(hub, "model, source_accuracy, rows, excluded") == [("a", 0.9, 450, LABELS), ("b", None, 946, ["label"])]
    assert json.loads(listed(hub, "metadata")[0][0]) == {"x": 1}


def absolute() -> pl.DataFrame:
    return pl.DataFrame([row | {"dataset": data(row["dataset"].removesuffix(".parquet"))} for row in ROWS])


MANIFESTS: dict[str, Any] = {
    "polars": absolute,
    "pandas": lambda: absolute().to_pandas(),
    "arrow": lambda: absolute().to_arrow(),
    "relation": lambda: duckdb.from_arrow(absolute().to_arrow()),
    "mappings": lambda: absolute().drop("metadata").with_columns(pl.col("exclude").str.split(", ")).to_dicts(),
}


@pytest.mark.parametrize("form", MANIFESTS)
def test_a_manifest_may_be_any_table(hub: modelhub_sql.Hub, form: str) -> None:
    assert hub.register_many(MANIFESTS[form]()) == 2
    assert listed(hub, "model, source_accuracy, rows") == [("a", 0.9, 450), ("b", None, 946)]
    assert sorted(listed(hub, "excluded")) == [(["label"],), (["label", "split"],)]


def test_a_manifest_may_share_datasets_by_like(hub: modelhub_sql.Hub) -> None:
    frame = pd.DataFrame({"name": ["a", "b"], "dataset": [data("beer"), None], "like": [None, "a"]})
    assert hub.register_many(frame) == 2
    assert sizes(hub)["datasets"] == 1


def test_progress_is_shown_on_stderr_only(hub: modelhub_sql.Hub, capfd: pytest.CaptureFixture[str]) -> None:
    assert hub.register_many([{"name": "a", "dataset": data("beer")}], progress=True) == 1
    assert capfd.readouterr().out == ""


def test_no_models_are_registered_from_an_empty_list(hub: modelhub_sql.Hub) -> None:
    assert hub.register_many([]) == 0
    assert set(sizes(hub).values()) == {0}


def test_a_hub_is_kept_in_its_file(tmp_path: Path) -> None:
    path = tmp_path / "hub.duckdb"
    with modelhub_sql.connect(path) as hub:
        hub.register("m", data("beer"), exclude=LABELS)
        first = hub.find_models(data("beer"), exclude=LABELS).fetchall()
    with modelhub_sql.connect(str(path)) as hub:
        assert hub.find_models(data("beer"), exclude=LABELS).fetchall() == first
    assert [file.name for file in tmp_path.iterdir()] == ["hub.duckdb"]


def test_no_text_of_the_data_is_in_the_hub(tmp_path: Path) -> None:
    secret = "zyxwvutsrqp"
    path = tmp_path / "hub.duckdb"
    with modelhub_sql.connect(path) as hub:
        hub.register("m", pa.table({"word": [secret] * 100}))
    content = path.read_bytes()
    assert secret.encode() not in content
    with duckdb.connect(str(path), read_only=True) as con:
        for name in TABLES:
            assert secret not in str(con.execute("FROM query_table(?)", [name]).fetchall())


def test_the_same_settings_and_data_make_the_same_hub_and_another_seed_another(tmp_path: Path) -> None:
    def sketch(**settings: Any) -> list[Any]:
        with modelhub_sql.connect(partition_size=50, **settings) as hub:
            hub.register("m", data("beer"), exclude=LABELS)
            return [hub.sql(f"FROM {name} ORDER BY ALL").fetchall() for name in ("features", "histograms")]

    assert sketch(seed=3) == sketch(seed=3)
    for ours, theirs in zip(sketch(seed=3), sketch(seed=4), strict=True):
        assert ours != theirs


def test_a_salt_moves_words_to_other_bins_and_leaves_numbers() -> None:
    table = pa.table({"word": [f"w{i}" for i in range(50)], "number": list(range(50))})

    def bins(salt: str) -> dict[str, list[int]]:
        with modelhub_sql.connect(salt=salt) as hub:
            hub.register("m", table)
            return dict(hub.sql("SELECT feature, bins FROM features").fetchall())

    plain, salted = bins(""), bins("pepper")
    assert plain["number"] == salted["number"]
    assert plain["word"] != salted["word"]


def test_find_models_returns_a_relation_that_outlives_the_next_search(sensor_hub: modelhub_sql.Hub) -> None:
    first = sensor_hub.find_models(data("torso1"), exclude=["activity"])
    rows = first.fetchall()
    sensor_hub.find_models(data("leg1"), exclude=["activity"])
    assert first.fetchall() == rows
    assert len(first.df()) == len(first.pl()) == len(rows)


def test_a_search_stores_nothing(hub: modelhub_sql.Hub) -> None:
    hub.register("m", data("beer"), exclude=LABELS)
    before = sizes(hub), hub.sql("SELECT count(*) FROM duckdb_tables()").fetchall()
    hub.find_models(pa.table({"a": [1, 2, 3]}))
    hub.explain("m", data("beer"))
    hub.explain_partitions("m", data("beer"))
    assert (sizes(hub), hub.sql("SELECT count(*) FROM duckdb_tables()").fetchall()) == before


def test_explain_takes_the_latest_version_or_the_one_named(hub: modelhub_sql.Hub) -> None:
    hub.register("m", data("beer"), exclude=LABELS, version="1")
    hub.register("m", data("fodors_zagats"), exclude=LABELS, version="2")
    latest, first = (
        [
            name
            for (name,) in hub.explain("m", data("beer"), exclude=LABELS, version=version).select("source_feature").fetchall()
            if name
        ]
        for version in (None, "1")
    )
    assert len(first) == 8
    assert not set(latest) & set(first)


def test_load_lays_the_fast_functions_over_a_hub_of_the_users(sensor_hub_path: str, sensor_hub: modelhub_sql.Hub) -> None:
    with duckdb.connect() as con:
        con.execute("CREATE TABLE mine AS FROM read_parquet(?)", [data("torso2")])
        con.execute(f"ATTACH '{sensor_hub_path}' AS hub (READ_ONLY)")
        con.execute("USE hub")
        assert modelhub_sql.load(con) is con
        assert modelhub_sql.load(con) is con
        macros = "SELECT count(*) FROM duckdb_functions() WHERE function_name = 'minhash_agg' AND database_name = 'temp'"
        assert con.execute(macros).fetchall() == [(1,)]
        columns = "model, adaptivity, coverage, js_divergence"
        rows = con.execute(f"SELECT {columns} FROM find_models('memory.main.mine', exclude := ['activity'])").fetchall()
    expected = sensor_hub.find_models(data("torso2"), exclude=["activity"]).select(columns).fetchall()
    assert len(rows) > 1
    for row, other in zip(rows, expected, strict=True):
        assert row == (other[0], *(pytest.approx(value, abs=1e-9) for value in other[1:]))


def test_a_closed_hub_can_be_opened_by_another(tmp_path: Path) -> None:
    path = tmp_path / "hub.duckdb"
    hub = modelhub_sql.connect(path)
    hub.close()
    hub.close()
    with modelhub_sql.connect(path) as again:
        assert listed(again) == []


def test_sql_runs_any_statement(hub: modelhub_sql.Hub) -> None:
    hub.sql("CREATE TABLE mine (a INTEGER)")
    hub.sql("INSERT INTO mine VALUES (1), (2)")
    assert hub.sql("SELECT sum(a) FROM mine WHERE a > ?", [1]).fetchall() == [(2,)]


@pytest.mark.parametrize("name", ["source", "json", "name", "self", "dataset"])
def test_a_table_is_never_a_variable_of_the_program(hub: modelhub_sql.Hub, name: str) -> None:
    hub.sql(f"CREATE TABLE {name} AS SELECT i AS a FROM range(100) AS r(i)")
    hub.register("m", name)
    hub.sql(f"DROP TABLE {name}")
    with pytest.raises(modelhub_sql.DatasetError, match="does not exist"):
        hub.find_models(name)


def test_the_files_that_a_hub_is_written_in_are_readable_by_older_clients(tmp_path: Path) -> None:
    path = tmp_path / "hub.duckdb"
    modelhub_sql.connect(path).close()
    with duckdb.connect(str(path), read_only=True) as con:
        tags = con.execute("SELECT tags FROM duckdb_databases() WHERE NOT internal").fetchall()[0][0]
    assert "v1.2.0" in str(tags)


def sources(hub: modelhub_sql.Hub) -> dict[tuple[str, str], str]:
    return {(model, version): Path(source).stem for model, version, source in listed(hub, "model, version, source")}


def test_models_of_one_batch_have_their_own_dataset_whatever_their_versions(hub: modelhub_sql.Hub) -> None:
    beer, places = data("beer"), data("fodors_zagats")
    hub.register_many(
        [
            dict(name="m", version="2", dataset=places),
            dict(name="m", version="1", dataset=beer),
            dict(name="same as 1", dataset=beer),
            dict(name="same as 2", dataset=places),
            dict(name="r", dataset=beer, exclude=["label"]),
            dict(name="r", dataset=places, exclude=["label"], replace=True),
            dict(name="as r was", dataset=beer, exclude=["label"]),
        ]
    )
    assert sources(hub) == {
        ("m", "2"): "fodors_zagats",
        ("m", "1"): "beer",
        ("same as 1", ""): "beer",
        ("same as 2", ""): "fodors_zagats",
        ("r", ""): "fodors_zagats",
        ("as r was", ""): "beer",
    }
    assert sizes(hub)["datasets"] == 4


@pytest.mark.parametrize("versions", [("9", "10"), ("10", "9"), ("b", "a")])
@pytest.mark.parametrize("together", [True, False])
def test_the_latest_version_is_the_one_registered_last(hub: modelhub_sql.Hub, versions: tuple[str, str], together: bool) -> None:
    models = [
        dict(name="m", version=version, dataset=data(name), exclude=LABELS)
        for version, name in zip(versions, ("beer", "fodors_zagats"), strict=True)
    ]
    for batch in [models] if together else [[model] for model in models]:
        hub.register_many(batch)
    hub.register("like", like="m")
    assert sources(hub)["like", ""] == "fodors_zagats"
    matched = hub.explain("m", data("fodors_zagats"), exclude=LABELS).fetchall()
    assert [row[4] for row in matched] == pytest.approx([0] * 12, abs=1e-9)


def test_a_dataset_that_is_shared_cannot_be_removed_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / "hub.duckdb"
    with modelhub_sql.connect(path) as one, modelhub_sql.connect(path) as other:
        one.register("m", data("beer"))
        with one._transaction():
            one._run_verb("register", model="n", like_model="m")
            with pytest.raises(modelhub_sql.HubBusyError, match="try again"):
                other.remove("m")
        assert listed(other) == [("m", ""), ("n", "")]
        other.remove("m")
        assert listed(one) == [("n", "")]
        assert sizes(one)["datasets"] == 1


def test_two_hubs_of_one_process_register_all_or_say_that_they_did_not(tmp_path: Path) -> None:
    path = tmp_path / "hub.duckdb"
    refused: list[str] = []
    with modelhub_sql.connect(path) as one, modelhub_sql.connect(path) as other:

        def register(hub: modelhub_sql.Hub, name: str) -> None:
            for number in range(5):
                try:
                    hub.register(f"{name} {number}", data("beer"))
                except modelhub_sql.HubBusyError:
                    refused.append(f"{name} {number}")

        with ThreadPoolExecutor(2) as threads:
            list(threads.map(register, (one, other), ("one", "other")))
        names = {model for model, _ in listed(one)}
        assert names == {f"{name} {number}" for name in ("one", "other") for number in range(5)} - set(refused)
        assert sizes(one)["datasets"] == len(names)


def test_threads_take_turns_on_one_hub(hub: modelhub_sql.Hub) -> None:
    hub.register("first", data("beer"))

    def use(number: int) -> int:
        hub.register(f"m{number}", data("beer"))
        return len(hub.find_models(data("beer"), exclude=LABELS))

    with ThreadPoolExecutor(4) as threads:
        assert all(found >= 1 for found in threads.map(use, range(4)))
    assert sizes(hub)["models"] == 5


def test_a_transaction_of_the_users_own_is_named(hub: modelhub_sql.Hub) -> None:
    hub.con.execute("BEGIN TRANSACTION")
    with pytest.raises(modelhub_sql.HubBusyError, match="COMMIT or ROLLBACK"):
        hub.register("m", data("beer"))


@pytest.mark.parametrize("name", ["table.csv", "table.parquet", "table.txt", "hub.duckdb"])
def test_a_file_that_is_no_database_is_no_hub_and_stays_as_it_is(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name.endswith("parquet"):
        path.write_bytes(Path(data("beer")).read_bytes())
    else:
        path.write_text("a,b\n1,2\n")
    before = path.read_bytes()
    for read_only in (True, False):
        with pytest.raises(modelhub_sql.HubFormatError, match="is not a hub"):
            modelhub_sql.connect(path, read_only=read_only)
    assert path.read_bytes() == before


def test_an_empty_file_becomes_a_hub_and_an_empty_path_does_not(tmp_path: Path) -> None:
    path = tmp_path / "hub.duckdb"
    path.touch()
    with modelhub_sql.connect(path) as hub:
        hub.register("m", data("beer"))
    with modelhub_sql.connect(path, read_only=True) as hub:
        assert listed(hub) == [("m", "")]
    with pytest.raises(modelhub_sql.HubNotFoundError, match="empty"):
        modelhub_sql.connect("")


def test_a_hub_open_for_writing_in_this_process_is_not_opened_for_reading(tmp_path: Path) -> None:
    path = tmp_path / "hub.duckdb"
    with modelhub_sql.connect(path), pytest.raises(modelhub_sql.HubLockedError, match="this process"):
        modelhub_sql.connect(path, read_only=True)


def test_a_csv_manifest_is_text_and_its_globs_are_beside_it(hub: modelhub_sql.Hub, tmp_path: Path) -> None:
    folder = tmp_path / "tables"
    folder.mkdir()
    for part in ("beer_1", "beer_2"):
        (folder / f"{part}.parquet").write_bytes(Path(data("beer")).read_bytes())
    manifest = tmp_path / "models.csv"
    manifest.write_text(
        "name,dataset,version,accuracy,replace\n123,tables/beer_1.parquet,1.10,0.5,false\n123,tables/beer_*.parquet,1.1,,TRUE\n"
        "123,tables/beer_?.parquet,1.2,,\n123,tables/beer_[2].parquet,1.3,,\n"
    )
    assert hub.register_many(manifest) == 4
    assert listed(hub, "version, source_accuracy, rows") == [
        ("1.1", None, 900), ("1.10", 0.5, 450), ("1.2", None, 900), ("1.3", None, 450)
    ]  # fmt: skip
    assert set(listed(hub, "model")) == {("123",)}


@pytest.mark.parametrize(
    ("row", "kind", "said"),
    [
        (dict(dataset="missing.parquet"), modelhub_sql.DatasetError, "missing.parquet"),
        (dict(dataset=data("beer"), accuracy="high"), modelhub_sql.OptionError, "high"),
        (dict(dataset=data("beer"), replace="maybe"), modelhub_sql.OptionError, "maybe"),
        (dict(dataset=data("beer"), exclude=["labl"]), modelhub_sql.DatasetError, "labl"),
        (dict(like="nobody"), modelhub_sql.ModelNotFoundError, "nobody"),
        (dict(like="first", exclude=["label"]), modelhub_sql.OptionError, "exclude"),
    ],
)
def test_what_is_refused_of_many_is_named(hub: modelhub_sql.Hub, row: dict[str, Any], kind: type[Exception], said: str) -> None:
    with pytest.raises(kind, match=rf"model 2 \(second\): .*{said}"):
        hub.register_many([dict(name="first", dataset=data("beer")), dict(name="second") | row])
    assert set(sizes(hub).values()) == {0}


def test_numbers_of_numpy_and_decimals_are_numbers(hub: modelhub_sql.Hub) -> None:
    hub.register("m", data("beer"), accuracy=np.float32(0.5))
    assert listed(hub, "source_accuracy") == [(0.5,)]
    for value in (np.float32(0.25), np.int64(0), Decimal("0.25")):
        assert len(hub.find_models(data("beer"), min_overlap=value)) == 1


def test_names_that_differ_in_letters_beyond_ascii_are_different(hub: modelhub_sql.Hub) -> None:
    table = pa.table({"É": [1.0, 2, 3, 4] * 100, "é": [100.0, 200, 300, 7] * 100, "Name": list(range(400))})
    hub.register("m", table)
    target = table.rename_columns(["É", "é", "NAME"])
    hub.con.register("target", target)
    for con in (hub.con, hub.con.cursor()):
        con.register("target", target)
        pairs = con.execute("SELECT target_feature, source_feature FROM explain_features('m', 'target') ORDER BY ALL").fetchall()
        assert pairs == [("NAME", "Name"), ("É", "É"), ("é", "é")]
        assert len(con.execute("FROM find_models('target')").fetchall()) == 1
        assert con.execute("SELECT feature FROM dataset_columns('target', exclude := ['É', 'name'])").fetchall() == [("é",)]


def test_a_warning_is_at_the_line_of_the_caller(hub: modelhub_sql.Hub) -> None:
    table = pa.table({"a": [1, 2], "b": [b"x", b"y"]})
    calls: list[Callable[[], Any]] = [
        lambda: hub.register("m", table),
        lambda: hub.register_many([dict(name="n", dataset=table)]),
        lambda: hub.find_models(table),
        lambda: hub.explain("m", table),
    ]
    for call in calls:
        with pytest.warns(UserWarning, match="skipped") as warned:
            call()
        assert {warning.filename for warning in warned} == {__file__}


def test_errors_of_the_users_own_statements_stay_duckdbs(hub: modelhub_sql.Hub) -> None:
    hub.sql("CREATE TABLE mine (id INTEGER PRIMARY KEY)")
    hub.sql("INSERT INTO mine VALUES (1)")
    with pytest.raises(duckdb.ConstraintException):
        hub.sql("INSERT INTO mine VALUES (1)")
    with pytest.raises(duckdb.TransactionException, match="no transaction is active"):
        hub.sql("COMMIT")


def test_the_time_of_registering_is_utc(hub: modelhub_sql.Hub) -> None:
    hub.con.execute("SET TimeZone = 'America/Los_Angeles'")
    hub.register("m", data("beer"))
    (times,) = hub.con.execute(
        "SELECT m.registered_at, d.registered_at FROM models AS m JOIN datasets AS d USING (dataset_id)"
    ).fetchall()
    now = dt.datetime.now(dt.timezone.utc).replace(tzinfo=None)
    assert all(abs(time - now) < dt.timedelta(hours=1) for time in times)
