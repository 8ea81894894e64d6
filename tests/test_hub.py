"""The verbs of the hub: register, replace, share, remove, list, many at once; what they keep and what they leave."""

from __future__ import annotations

import datetime as dt
import json
import math
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from conftest import data, in_sql_alone, whole

import modelhub_sql
from modelhub_sql import opening
from modelhub_sql.arguments import described

LABELS = ["label", "split"]
TABLES = ("datasets", "models", "features", "histograms")


def sizes(hub: modelhub_sql.Hub) -> dict[str, int]:
    return {name: int(hub.con.execute("SELECT count(*) FROM query_table(?)", [name]).fetchall()[0][0]) for name in TABLES}


def listed(hub: modelhub_sql.Hub, columns: str = "model, version") -> list[Any]:
    rows: list[Any] = hub.models().select(columns).fetchall()
    return rows


def test_a_model_is_listed_with_all_that_was_said_of_it(hub: modelhub_sql.Hub) -> None:
    hub.register(
        "beer matcher", data("beer"), exclude=LABELS, accuracy=0.94, version="1.0", task="matching", framework="sklearn",
        uri="s3://models/beer.pkl", metadata={"owner": "ann", "tags": ["a", "ü"], "depth": 3},
    )  # fmt: skip
    columns = "model, version, source_accuracy, task, framework, uri, rows, partitions, source, excluded"
    assert listed(hub, columns) == [
        ("beer matcher", "1.0", 0.94, "matching", "sklearn", "s3://models/beer.pkl", 450, 5, "beer.parquet", LABELS)
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
    found = (
        hub.find_models(data("beer"), exclude=LABELS, details=True).select("model, adaptivity, source_accuracy, uri").fetchall()
    )
    assert sorted(found) == [("first", found[0][1], 0.9, None), ("second", found[0][1], 0.8, "u")]


def test_a_sketch_is_kept_as_long_as_a_model_uses_it(hub: modelhub_sql.Hub) -> None:
    hub.register("first", data("beer"), exclude=LABELS)
    with_sketch = sizes(hub)
    hub.register("second", like="first")
    hub.remove("first")
    assert sizes(hub) == with_sketch
    assert hub.find_models(data("beer"), exclude=LABELS, details=True).select("model, coverage").fetchall() == [("second", 1.0)]
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
        assert con.execute("SELECT count(*) FROM features").fetchall() == [(1,)]
    assert secret not in str(whole(path))


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
    first = sensor_hub.find_models(data("torso1"), exclude=["activity"], details=True)
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
        macros = (
            "SELECT count(*), count(*) FILTER (contains(macro_definition, 'modelhub_minhash')) FROM duckdb_functions() WHERE {}"
        )
        assert con.execute(macros.format("function_name = 'find_models' AND database_name = 'temp'")).fetchall() == [(1, 0)]
        # By a numpy function, in memory; the file's own is left as it is.
        assert con.execute(macros.format("function_name = 'minhash_agg' AND database_name <> 'hub'")).fetchall() == [(1, 1)]
        assert con.execute(macros.format("function_name = 'minhash_agg' AND database_name = 'hub'")).fetchall() == [(1, 0)]
        assert con.execute("SELECT current_database()").fetchall() == [("hub",)]
        columns = "model, adaptivity, coverage, js_divergence"
        rows = con.execute(
            f"SELECT {columns} FROM find_models('memory.main.mine', exclude := ['activity'], details := true)"
        ).fetchall()
    expected = sensor_hub.find_models(data("torso2"), exclude=["activity"], details=True).select(columns).fetchall()
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
    assert "v1.4.0" in str(tags)


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


@pytest.mark.one_in(3)
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
    assert [row[2] for row in matched] == pytest.approx([0] * 12, abs=1e-9)


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


def test_a_transaction_of_the_users_own_has_nothing_to_do_with_the_hub(hub: modelhub_sql.Hub) -> None:
    hub.con.execute("BEGIN TRANSACTION")
    hub.con.execute("CREATE TABLE mine AS SELECT i AS a FROM range(300) AS r(i)")
    hub.register("m", data("beer"), exclude=LABELS)
    # What is not committed is nobody else's yet.
    with pytest.raises(modelhub_sql.DatasetError, match=r"mine .*does not exist"):
        hub.register("n", "mine")
    hub.con.execute("ROLLBACK")
    assert listed(hub) == [("m", "")]
    assert len(hub.find_models(data("beer"), exclude=LABELS)) == 1


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
    numbers: list[Any] = [np.float32(0.25), np.int64(0), Decimal("0.25")]
    for value in numbers:
        assert len(hub.find_models(data("beer"), min_overlap=value)) == 1


def test_names_that_differ_in_letters_beyond_ascii_are_different(hub: modelhub_sql.Hub) -> None:
    table = pa.table({"É": [1.0, 2, 3, 4] * 100, "é": [100.0, 200, 300, 7] * 100, "Name": [i % 90 for i in range(400)]})
    hub.register("m", table)
    target = table.rename_columns(["É", "é", "NAME"])
    hub.con.register("target", target)
    for con in (hub.con, in_sql_alone(hub)):
        con.register("target", target)
        pairs = con.execute("SELECT target_feature, source_feature FROM explain_features('m', 'target') ORDER BY ALL").fetchall()
        assert pairs == [("NAME", "Name"), ("É", "É"), ("é", "é")]
        assert len(con.execute("FROM find_models('target')").fetchall()) == 1
        assert con.execute("SELECT feature FROM sketch('target', exclude := ['É', 'name'])").fetchall() == [("é",)]


def test_a_warning_is_at_the_line_of_the_caller(hub: modelhub_sql.Hub) -> None:
    table = pa.table({"a": [1, 2], "b": [b"x", b"y"]})
    calls: list[Callable[[], Any]] = [
        lambda: hub.register("m", table),
        lambda: hub.register_many([dict(name="n", dataset=table)]),
        lambda: hub.find_models(table),
        # What was just sketched is not told of again.
        lambda: hub.explain("m", table.slice(0)),
    ]
    for call in calls:
        with pytest.warns(UserWarning, match="skipped") as warned:
            call()
        assert {warning.filename for warning in warned} == {__file__}


def test_errors_of_the_users_own_statements_stay_duckdbs(hub: modelhub_sql.Hub) -> None:
    hub.sql("CREATE TABLE mine (id INTEGER PRIMARY KEY); CREATE TABLE models_of_mine (dataset_id INTEGER PRIMARY KEY)")
    for mine in ("mine", "models_of_mine"):
        hub.sql(f"INSERT INTO {mine} VALUES (1)")
        with pytest.raises(duckdb.ConstraintException):
            hub.sql(f"INSERT INTO {mine} VALUES (1)")
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


def test_tables_of_the_user_are_in_memory_and_those_of_the_hub_are_reached_by_its_name(hub: modelhub_sql.Hub) -> None:
    hub.con.execute("CREATE TABLE mine AS SELECT i AS a FROM range(300) AS r(i)")
    hub.register("m", "mine")
    path = hub.path
    assert hub.sql("FROM hub_of_the_test._hub.models").select("model").fetchall() == [("m",)]
    hub.close()
    assert "mine" not in whole(path)


def test_names_of_the_user_change_nothing_of_what_the_hub_does(hub: modelhub_sql.Hub) -> None:
    hub.register("m", data("beer"), exclude=LABELS)
    found = hub.find_models(data("beer"), exclude=LABELS).fetchall()
    for name in ("models", "features", "list_models", "verbs", "target_sketch", "options", "found_model", "element"):
        hub.con.execute(f"CREATE TEMP TABLE {name} AS SELECT 1 AS x")
    hub.con.execute("CREATE TEMP MACRO minhash_agg(h) AS 7; CREATE TEMP MACRO coalesce(a, b) AS 7; CREATE TEMP MACRO len(a) AS 7")
    assert hub.find_models(data("beer"), exclude=LABELS).fetchall() == found
    hub.register("n", data("beer"), exclude=LABELS)
    assert listed(hub) == [("m", ""), ("n", "")]
    assert len(hub.explain("n", data("beer"), exclude=LABELS)) == 8


# -- what a search answers with ---------------------------------------------------------------


def test_an_answer_joins_with_the_tables_of_the_hub(hub: modelhub_sql.Hub) -> None:
    hub.register("m", data("beer"), exclude=LABELS, task="matching")
    found = hub.find_models(data("beer"), exclude=LABELS)
    joined = found.select("model, overlap").join(hub.con.table("models").select("model, task"), "model")
    assert joined.fetchall() == [("m", 1.0, "matching")]
    assert found.filter("overlap > 1").fetchall() == []


def test_an_answer_outlives_the_hub(hub: modelhub_sql.Hub) -> None:
    hub.register("m", data("beer"), exclude=LABELS)
    found = hub.find_models(data("beer"), exclude=LABELS)
    rows = found.fetchall()
    hub.close()
    assert found.fetchall() == rows
    assert list(found) == rows
    assert found.dicts()[0]["model"] == "m"
    assert found.arrow().num_rows == len(found.df()) == len(found.pl()) == len(found) == 1
    assert found.select("model").fetchall() == [("m",)]
    assert "verdict" in repr(found)
    assert found.columns[:2] == ["rank", "model"]


def test_a_search_without_numpy_has_the_same_answer(hub: modelhub_sql.Hub) -> None:
    hub.register("m", data("beer"), exclude=LABELS)
    path = hub.path
    searches: list[Any] = ["exact", "lsh"]
    with_numpy = [hub.find_models(data("beer"), exclude=LABELS, search=search) for search in searches]
    rows = [answer.fetchall() for answer in with_numpy]
    hub.close()
    with modelhub_sql.Hub(path, read_only=True, _numpy=False) as plain:
        for search, answer, expected in zip(searches, with_numpy, rows, strict=True):
            found = plain.find_models(data("beer"), exclude=LABELS, search=search)
            assert found.columns == answer.columns
            assert len(found) == len(expected) == 1
            for row, other in zip(found.fetchall(), expected, strict=True):
                assert row == tuple(pytest.approx(value, abs=1e-9) if isinstance(value, float) else value for value in other)


def test_explain_after_a_search_does_not_sketch_again(hub: modelhub_sql.Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.register("m", data("beer"), exclude=LABELS)
    hub.find_models(data("beer"), exclude=LABELS)
    expected = hub.explain("m", data("adult")).fetchall()
    hub.find_models(data("beer"), exclude=LABELS)
    read: list[Any] = []
    dataset = modelhub_sql.Hub._dataset

    def counted(self: modelhub_sql.Hub, target: Any, *rest: Any) -> Any:
        read.append(target)
        return dataset(self, target, *rest)

    monkeypatch.setattr(modelhub_sql.Hub, "_dataset", counted)
    assert len(hub.explain("m", data("beer"), exclude=LABELS)) == 8
    assert len(hub.explain_partitions("m", data("beer"), exclude=LABELS)) == 5
    assert read == []
    # Other columns, or another target.
    hub.explain("m", data("beer"))
    assert hub.explain("m", data("adult")).fetchall() == expected
    assert read == [data("beer"), data("adult")]


def test_a_target_that_has_changed_is_sketched_again(hub: modelhub_sql.Hub, tmp_path: Path) -> None:
    target = tmp_path / "target.parquet"
    hub.register("m", data("beer"), exclude=LABELS)
    target.write_bytes(Path(data("beer")).read_bytes())
    assert len(hub.find_models(target, exclude=["label"])) == 1
    target.write_bytes(Path(data("fodors_zagats")).read_bytes())
    assert len(hub.explain("m", target, exclude=LABELS)) == 12


# -- step by step ------------------------------------------------------------------------------


def test_steps_are_the_relations_of_a_search_and_each_can_be_looked_at(hub: modelhub_sql.Hub) -> None:
    hub.register("m", data("beer"), exclude=LABELS)
    steps = hub.steps(data("beer"), exclude=LABELS)
    assert steps.columns == ["step", "rows", "seconds", "what_a_row_is"]
    taken = {step: (rows, seconds, said) for step, rows, seconds, said in steps.fetchall()}
    assert list(taken)[-1] == "found_model"
    assert all(seconds > 0 and said for _, seconds, said in taken.values())
    for step, (rows, *_) in taken.items():
        assert len(hub.step(step)) == rows
    assert hub.step("found_model").fetchall() == hub.find_models(data("beer"), exclude=LABELS, details=True).fetchall()


def test_steps_may_end_before_the_last_and_take_the_options_of_a_search(hub: modelhub_sql.Hub) -> None:
    hub.register("m", data("beer"), exclude=LABELS)
    assert hub.steps(data("beer"), exclude=LABELS, until="threshold", max_js=0.25).select("step").fetchall()[-1] == ("threshold",)
    assert hub.step("threshold").dicts()[0]["max_js"] == 0.25
    with pytest.raises(modelhub_sql.OptionError, match="was not taken"):
        hub.step("found_model")
    with pytest.raises(modelhub_sql.OptionError, match="no step is called 'nothing'"):
        hub.step("nothing")
    with pytest.raises(modelhub_sql.OptionError, match="min_jaccard"):
        hub.steps(data("beer"), min_jaccard=7)


# -- defaults ------------------------------------------------------------------------------------


def defaults(hub: modelhub_sql.Hub) -> dict[str, str | None]:
    return dict(hub.sql("SELECT setting, value FROM settings WHERE NOT fixed").fetchall())


def test_what_is_set_is_shown_kept_and_used(hub: modelhub_sql.Hub) -> None:
    hub.register("m", data("beer"), exclude=LABELS)
    before = defaults(hub)
    hub.set(min_overlap=0.25, max_js=0.3, rank_by="js", auto_models=2, max_candidates=7)
    changed = {"min_overlap": "0.25", "max_js": "0.3", "rank_by": "js", "auto_models": "2.0", "max_candidates": "7"}
    assert defaults(hub) == before | changed
    assert hub.find_models(data("beer"), exclude=LABELS, details=True).dicts()[0]["max_js"] == 0.3
    path = hub.path
    hub.close()
    with modelhub_sql.connect(path) as again:
        assert defaults(again) == before | changed
        again.set(max_js="auto")
        assert defaults(again) == before | changed | {"max_js": None}
    with duckdb.connect(path, read_only=True) as stock:
        assert dict(stock.execute("SELECT setting, value FROM settings WHERE NOT fixed").fetchall())["max_candidates"] == "7"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("min_overlap", 2), ("min_jaccard", -1), ("max_js", 0), ("max_js", "soon"), ("min_adaptivity", -1), ("sample_space", "x"),
        ("rank_by", "price"), ("search", "luck"), ("auto_models", -1), ("auto_models", "few"), ("max_candidates", 0),
        ("max_candidates", 2.5), ("max_candidates", 10_001), ("auto_models", 0), ("auto_models", math.inf),
        ("min_adaptivity", math.inf), ("min_adaptivity", math.nan),
    ],
)  # fmt: skip
def test_a_default_out_of_range_is_refused_and_nothing_is_set(hub: modelhub_sql.Hub, name: str, value: Any) -> None:
    before = defaults(hub)
    with pytest.raises(modelhub_sql.OptionError, match=name):
        hub.set(**{"min_overlap": 0.1, name: value})
    assert defaults(hub) == before
    hub.set(min_overlap=0.1)
    assert defaults(hub) == before | {"min_overlap": "0.1"}


@pytest.mark.parametrize("name", [each.name for each in described(modelhub_sql.Hub.set).values() if not each.choices])
def test_a_hub_can_be_opened_whatever_was_set(hub: modelhub_sql.Hub, name: str) -> None:
    for value in (0, -0.0, 1, 2.5, 1e308, 1e-308, 10_000, math.inf, -math.inf, math.nan, "inf", "1e999", "auto", True):
        with suppress(modelhub_sql.OptionError):
            hub.set(**{name: value})  # type: ignore[arg-type]
        # What opening reads, and refuses.
        opening._format_row(hub._own, hub._place.tables, hub.path)


def test_the_format_of_a_hub_cannot_be_updated(hub: modelhub_sql.Hub) -> None:
    before = hub.sql("FROM settings WHERE fixed").fetchall()
    assert len(before) > 5
    for change in ("partition_size = 7", "format_version = format_version + 1", "salt_fingerprint = 'x'", "seed = 9"):
        with pytest.raises(duckdb.ConstraintException):
            hub.con.execute(f"UPDATE hub_of_the_test._hub.format SET {change}")
    assert hub.sql("FROM settings WHERE fixed").fetchall() == before


def test_settings_say_what_they_are(hub: modelhub_sql.Hub) -> None:
    rows = hub.sql("FROM settings").dicts()
    assert list(rows[0]) == ["setting", "value", "fixed", "meaning"]
    assert all(row["meaning"] for row in rows)
    assert {"partition_size": "100", "partitioning": "random"}.items() <= {
        row["setting"]: row["value"] for row in rows if row["fixed"]
    }.items()
    assert {"min_overlap", "max_js", "search"} <= {row["setting"] for row in rows if not row["fixed"]}


# -- a connection of the user's own ------------------------------------------------------------


def test_load_is_for_any_connection_to_a_hub_and_runs_nothing_of_the_file(sensor_hub_path: str, tmp_path: Path) -> None:
    path = shutil.copy(sensor_hub_path, tmp_path / "sensors.duckdb")
    query = f"SELECT model, distance FROM find_models('{data('torso1')}', exclude := ['activity'])"
    with duckdb.connect(path) as con:
        expected = con.execute(query).fetchall()
        con.execute(
            "CREATE OR REPLACE MACRO main.find_models(target, exclude := []) AS TABLE SELECT 'nobody' AS model, 7 AS distance"
        )
    with duckdb.connect(path, read_only=True) as con:
        assert con.execute(query).fetchall() == [("nobody", 7)]
        modelhub_sql.load(con)
        assert con.execute(query).fetchall() == expected
        assert con.execute("SELECT count(*) FROM models").fetchall() == [(6,)]
        # The connection still is the user's.
        assert con.execute("SELECT current_database()").fetchall() == [("sensors",)]


def test_a_connection_may_load_one_hub_after_another(tmp_path: Path) -> None:
    for name, size in (("one", 50), ("two", 100)):
        with modelhub_sql.connect(tmp_path / f"{name}.duckdb", partition_size=size) as made:
            made.register(name, data("beer"), exclude=LABELS)
    with duckdb.connect() as con:
        for name, partitions in (("one", 9), ("two", 5), ("one", 9)):
            con.execute(f"ATTACH IF NOT EXISTS '{tmp_path / name}.duckdb' AS {name} (READ_ONLY); USE {name}")
            modelhub_sql.load(con)
            assert con.execute("SELECT model, partitions FROM list_models").fetchall() == [(name, partitions)]
            found = con.execute(f"FROM explain_partitions('{name}', '{data('beer')}', exclude := ['label', 'split'])").fetchall()
            assert len(found) == partitions
