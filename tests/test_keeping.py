"""Keeping a hub: sync, update, remove by pattern, export and import."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from conftest import data, whole

import modelhub_sql
from modelhub_sql import HubFormatError, ModelNotFoundError, OptionError
from modelhub_sql.cli import main
from modelhub_sql.result import Result


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """Three models, two of them of files that may change."""
    for name in ("leg1", "leg2"):
        shutil.copy(data(name), tmp_path)
    file = tmp_path / "models.csv"
    file.write_text(f"name,dataset,accuracy\nleg1,leg1.parquet,0.9\nleg2,leg2.parquet,\nbeer,{data('beer')},0.8\n")
    return file


def actions(result: Result) -> dict[str, str]:
    return {row["model"]: row["action"] for row in result.dicts()}


def test_what_was_appended_is_not_shared_and_does_not_hide_a_changed_file(hub: modelhub_sql.Hub, tmp_path: Path) -> None:
    file = str(shutil.copy(data("leg1"), tmp_path / "leg1.parquet"))
    first = [dict(name="a", dataset=file), dict(name="hidden", dataset=file, source="")]
    hub.sync(first)
    hub.append("a", data("leg2"))
    hub.append("hidden", data("leg2"))
    assert hub.sql("SELECT source FROM list_models ORDER BY model").fetchall() == [("leg1.parquet + leg2.parquet",), ("",)]
    assert actions(hub.sync([*first, dict(name="c", dataset=file)])) == {"a": "same", "hidden": "same", "c": "new"}
    rows = dict(hub.sql("SELECT model, rows FROM list_models").fetchall())
    assert rows["a"] == rows["hidden"] > rows["c"]
    later = time.time() + 2
    os.utime(file, (later, later))
    hub.append("a", data("leg2"))
    assert actions(hub.sync(first, dry_run=True))["a"] == "changed"


def test_a_model_like_another_follows_it(hub: modelhub_sql.Hub, tmp_path: Path) -> None:
    file = str(shutil.copy(data("leg1"), tmp_path / "leg1.parquet"))
    models = [dict(name="a", dataset=file), dict(name="b", like="a")]
    hub.sync(models)
    later = time.time() + 2
    os.utime(file, (later, later))
    assert actions(hub.sync(models)) == {"a": "changed", "b": "changed"}
    ((one,), (other,)) = hub.sql("SELECT dataset_id FROM models ORDER BY model").fetchall()
    assert one == other
    # The file's time is still to come.
    os.utime(file, (later - 1000, later - 1000))
    assert set(actions(hub.sync(models)).values()) == {"same"}


def test_only_what_has_changed_is_sketched_again(hub: modelhub_sql.Hub, manifest: Path) -> None:
    exclude = ["activity?", "label?", "split?"]
    before = hub.sql("FROM models").fetchall()
    assert set(actions(hub.sync(manifest, exclude=exclude, dry_run=True)).values()) == {"new"}
    assert hub.sql("FROM models").fetchall() == before
    assert actions(hub.sync(manifest, exclude=exclude, task="t")) == {"leg1": "new", "leg2": "new", "beer": "new"}
    sketched = dict(hub.sql("SELECT model, dataset_id FROM models").fetchall())
    hub.append("beer", pa.table({"left_beer_name": ["new"]}))
    assert "/" not in hub.sql("SELECT string_agg(source) FROM datasets").fetchall()[0][0]
    second = hub.sync(manifest, exclude=exclude)
    assert set(actions(second).values()) == {"same"}
    assert second.summary == "0 new, 0 changed, 0 updated, 0 gone, 3 same"

    pq.write_table(pq.read_table(data("torso1")).slice(0, 300), manifest.parent / "leg1.parquet")
    later = time.time() + 2
    os.utime(manifest.parent / "leg1.parquet", (later, later))
    manifest.write_text("\n".join(manifest.read_text().replace("leg2.parquet,", "leg2.parquet,0.7").splitlines()[:3]))
    hub.update("leg1", uri="s3://here")
    planned = hub.sync(manifest, exclude=exclude, dry_run=True)
    done = hub.sync(manifest, exclude=exclude)
    assert actions(planned) == actions(done) == {"leg1": "changed", "leg2": "updated", "beer": "gone"}
    rows = {row[0]: row[1:] for row in hub.sql("SELECT model, source_accuracy, uri, task, rows FROM list_models").fetchall()}
    assert rows["leg1"] == (0.9, "s3://here", "t", 300)
    assert rows["leg2"][0] == 0.7
    now = dict(hub.sql("SELECT model, dataset_id FROM models").fetchall())
    assert now["leg2"] == sketched["leg2"]
    assert now["leg1"] != sketched["leg1"]
    assert actions(hub.sync(manifest, exclude=exclude, remove=True))["beer"] == "gone"
    assert "beer" not in dict(hub.sql("SELECT model, dataset_id FROM models").fetchall())


def test_errors_of_all_rows_are_told_at_once_and_nothing_is_changed(hub: modelhub_sql.Hub, tmp_path: Path) -> None:
    models = [
        {"name": "good", "dataset": data("beer")}, {"name": "absent", "dataset": str(tmp_path / "no.parquet")},
        {"name": "misspelt", "dataset": data("beer"), "exclude": ["lable"]}, {"name": "good", "dataset": data("leg1")},
    ]  # fmt: skip
    with pytest.raises(
        OptionError, match=r"3 of 4 models.*model 2 \(absent\).*model 3 \(misspelt\).*lable.*model 4 \(good\).*twice"
    ):
        hub.sync(models)
    assert not len(hub.models())


def test_what_is_known_of_a_model_is_changed_and_the_rest_stays(hub: modelhub_sql.Hub) -> None:
    hub.register("m", {"x": [1, 2, 3]}, accuracy=0.5, task="t", version="1")
    hub.register("m", like="m", version="2")
    hub.update("m", version="1", accuracy=0.75, metadata={"a": 1})
    rows = hub.sql("SELECT version, source_accuracy, task, metadata FROM models ORDER BY version").fetchall()
    assert rows == [("1", 0.75, "t", '{"a": 1}'), ("2", None, None, None)]
    for accuracy, counted in ((2, None), (None, 0), (None, None)):
        with pytest.raises(OptionError):
            hub.update("m", accuracy=accuracy, accuracy_rows=counted)
    with pytest.raises(ModelNotFoundError):
        hub.update("n", accuracy=1)
    assert "accuracy 0.75" in str(hub.show("m", version="1").summary)
    assert hub.datasets().select("rows, models").fetchall() == [(3, ["m 1", "m 2"])]


def test_a_pattern_removes_what_it_matches_and_a_name_only_itself(hub: modelhub_sql.Hub) -> None:
    for name in ("beer", "beer_2", "beer*", "wine"):
        hub.register(name, {"x": [1, 2, 3]})
    assert hub.remove("beer*", dry_run=True) == [("beer*", "")]
    hub.remove("beer*")
    assert hub.remove("beer*", dry_run=True) == [("beer", ""), ("beer_2", "")]
    assert len(hub.models()) == 3
    hub.remove("beer*")
    assert [row["model"] for row in hub.models().dicts()] == ["wine"]
    with pytest.raises(ModelNotFoundError, match="wine"):
        hub.remove("beer*")


def test_models_of_another_hub_come_with_their_sketches(sensor_hub_path: str, tmp_path: Path) -> None:
    path = str(tmp_path / "new.duckdb")
    with modelhub_sql.connect(path, partition_size=100) as hub:
        hub.register("leg1", data("beer"), exclude=["label", "split"])
        planned = hub.import_hub(sensor_hub_path, models=["leg*", "torso1"], dry_run=True)
        done = hub.import_hub(sensor_hub_path, models=["leg*", "torso1"])
        assert actions(planned) == actions(done) == {"leg1": "clash", "leg2": "new", "torso1": "new"}
        assert "1 have names that are taken" in str(done.summary)
        assert actions(hub.import_hub(sensor_hub_path, models=["leg*"], replace=True)) == {"leg1": "replaced", "leg2": "same"}
        hub.import_hub(sensor_hub_path)
        with pytest.raises(ModelNotFoundError, match="no model wine"):
            hub.import_hub(sensor_hub_path, models=["wine"])
        with modelhub_sql.connect(sensor_hub_path, read_only=True) as other:
            answers = [
                each.find_models(data("torso2"), exclude=["activity"], all_models=True, details=True)
                .select("model, distance, adaptivity")
                .fetchall()
                for each in (hub, other)
            ]
        assert answers[0] == answers[1]
        assert hub.sql("SELECT count(*) FROM datasets").fetchall() == [(6,)]
    with modelhub_sql.connect(partition_size=50) as hub, pytest.raises(HubFormatError, match="another format"):
        hub.import_hub(sensor_hub_path)
    with modelhub_sql.connect(path) as hub, pytest.raises(OptionError, match="itself"):
        hub.import_hub(path)


def test_an_exported_sketch_is_the_sketch_of_the_data(sensor_hub: modelhub_sql.Hub, tmp_path: Path) -> None:
    file = sensor_hub.export("beer", tmp_path / "beer.sketch.parquet")
    made = sensor_hub.sketch(data("beer"), exclude=["label", "split"]).arrow()
    # What is computed of the counts may differ in its last digit.
    rounded = ["effective_bins", "mean", "spread", "dataset_spread"]
    assert sensor_hub.sketch(file).arrow().drop_columns(rounded).to_pydict() == made.drop_columns(rounded).to_pydict()
    assert sensor_hub.find_models(file).select("model, verdict").fetchall() == [("beer", "same")]


def test_the_commands_say_what_they_did(sensor_hub_path: str, manifest: Path, tmp_path: Path) -> None:
    path = str(tmp_path / "hub.duckdb")

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(main, list(arguments))
        assert result.exit_code == 0, result.output
        return result.output

    assert "would be: 3 new" in run("sync", path, str(manifest), "--dry-run")
    assert not Path(path).exists()
    assert "3 new" in run("sync", path, str(manifest), "--exclude", "activity?")
    assert "nothing has changed" in run("sync", path, str(manifest), "--exclude", "activity?")
    run("update", path, "beer", "--accuracy", "0.5")
    assert "accuracy 0.5" in run("show", path, "beer")
    assert "leg1" in run("datasets", path)
    before = whole(path)
    assert "would remove leg1, leg2" in run("remove", path, "leg*", "--dry-run")
    assert whole(path) == before
    new = tmp_path / "new.parquet"
    pq.write_table(pa.table({"x": [1.0, 2.0]}), new)
    rows = pq.read_metadata(data("beer")).num_rows + 2
    assert f"{rows} rows now" in run("append", path, "beer", str(new))
    sketch = str(tmp_path / "s.sketch.parquet")
    run("export", path, "beer", "-o", sketch)
    assert f"{2 * rows} rows" in run("merge", sketch, sketch, "-o", str(tmp_path / "t.sketch.parquet"), "--hub", path)


def test_an_alias_is_of_one_version_and_stays_when_the_rest_is_changed() -> None:
    rows = {"x": [float(each % 7) for each in range(60)]}
    with modelhub_sql.connect(partition_size=20) as hub:
        hub.register("n", rows)
        hub.register("m", version="1", like="n", metadata={"run": 1})
        hub.register("m", {"y": [0.5] * 40 + [2.5] * 20}, version="2")
        assert hub.alias("m", "champion", version="1") == "1"
        assert hub.explain("m", rows, version="@champion").fetchall() == hub.explain("m", rows, version="1").fetchall()
        query = "SELECT version FROM explain_model('m', ?, version := '@champion')"
        hub.con.register("target", pa.table(rows))
        assert hub.sql(query, ["target"]).fetchall() == [("1",)]
        hub.update("m", version="@champion", metadata={"run": 2})
        manifest = [dict(name="m", version="1", like="n", metadata={"run": 2})]
        assert hub.sync(manifest, dry_run=True).fetchall()[0][2] == "same"
        hub.register("m", rows, version="1", replace=True, metadata={"run": 3})
        assert "aliases champion" in str(hub.show("m", version="@champion").summary)
        assert hub.alias("m", "champion", version="2") == "2"
        stored = hub.models(where="model = 'm'").select("version, metadata").fetchall()
        assert stored == [("1", '{"run": 3}'), ("2", '{"aliases": ["champion"]}')]
        with pytest.raises(OptionError, match="an alias is a word"):
            hub.alias("m", "a b")
        with pytest.raises(ModelNotFoundError):
            hub.alias("m", "x", version="9")
        assert hub.alias("m", "champion", remove=True) is None
        with pytest.raises(modelhub_sql.ModelNotFoundError, match="version @champion"):
            hub.show("m", version="@champion")
