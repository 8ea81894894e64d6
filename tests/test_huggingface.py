"""Hugging Face: its folders of datasets are data, and models of a folder come into a hub by what their cards say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from conftest import data, normal

import modelhub_sql
from modelhub_sql import DatasetError, OptionError
from modelhub_sql.cli import main

pytest.importorskip("yaml", reason="the extra hf is not installed")

CLASSES = {"info": {"features": {"label": {"names": ["no", "yes"], "_type": "ClassLabel"}}}}


def labelled(rows: int, mean: float, seed: int) -> pa.Table:
    """Numbers and a label, which the schema calls one, as ``datasets`` does."""
    table = normal(rows, mean, seed).append_column("label", pa.array([i % 2 for i in range(rows)]))
    return table.replace_schema_metadata({"huggingface": json.dumps(CLASSES)})


def write(place: Path, content: pa.Table | str | dict[str, Any]) -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, pa.Table) and place.suffix == ".arrow":
        with pa.OSFile(str(place), "wb") as stream, pa.ipc.new_stream(stream, content.schema) as writer:
            writer.write_table(content)
    elif isinstance(content, pa.Table):
        pq.write_table(content, place)
    else:
        place.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return place


def saved(folder: Path, table: pa.Table) -> Path:
    """As ``Dataset.save_to_disk`` leaves it, in two files."""
    half = table.num_rows // 2
    names = ["data-00000-of-00002.arrow", "data-00001-of-00002.arrow"]
    for name, part in zip(names, (table[:half], table[half:]), strict=True):
        write(folder / name, part)
    write(folder / "dataset_info.json", {})
    write(folder / "state.json", {"_data_files": [{"filename": name} for name in names], "_split": None})
    return folder


def features(hub: modelhub_sql.Hub, model: str) -> Any:
    return hub.sql(
        "SELECT f.* EXCLUDE (dataset_id) FROM features AS f JOIN models USING (dataset_id) WHERE model = ? ORDER BY feature_id",
        [model],
    ).fetchall()


def test_a_saved_or_prepared_dataset_is_data(hub: modelhub_sql.Hub, tmp_path: Path) -> None:
    table = labelled(300, 0, 1)
    hub.register("plain", table)
    hub.register("saved", saved(tmp_path / "saved", table))
    prepared = tmp_path / "prepared"
    write(prepared / "dataset_info.json", {})
    write(prepared / "shop-train-00000-of-00001.arrow", table)
    write(prepared / "cache-1234.arrow", normal(5, 0, 2))
    hub.register("prepared", str(prepared))
    assert features(hub, "saved") == features(hub, "prepared") == features(hub, "plain")
    assert {row["source"] for row in hub.models().dicts()} == {"the Table passed", "saved", "prepared"}
    write(prepared / "shop-test.arrow", table)
    with pytest.raises(DatasetError, match=r"holds several tables \(test, train\): pass one of them, as .*shop-test\.arrow"):
        hub.register("both", prepared)
    write(tmp_path / "two" / "dataset_dict.json", {"splits": ["train", "test"]})
    for name in ("train", "test"):
        saved(tmp_path / "two" / name, table)
    with pytest.raises(DatasetError, match=r"several tables \(train, test\): pass one of them, as .*two/train"):
        hub.register("both", tmp_path / "two")
    (tmp_path / "saved" / "data-00001-of-00002.arrow").unlink()
    with pytest.raises(DatasetError, match="lacks 1 of its 2 files: data-00001"):
        hub.register("less", tmp_path / "saved")
    state = {"_data_files": [{"filename": f"../../two/train/data-0000{i}-of-00002.arrow"} for i in range(2)]}
    write(tmp_path / "prepared2" / "dataset_info.json", {})
    write(tmp_path / "prepared2" / "state.json", state)
    with pytest.raises(DatasetError, match="lacks 2 of its 2 files"):
        hub.register("elsewhere", tmp_path / "prepared2")


def test_the_names_of_columns_that_are_left_out_need_not_be_kept(cache: Path, tmp_path: Path) -> None:
    path = tmp_path / "shops.duckdb"
    told = CliRunner().invoke(main, ["import", "hf", str(cache), str(path), "--exclude", "y", "--hide-excluded"])
    assert told.exit_code == 0, told.stderr
    with modelhub_sql.connect(path, read_only=True) as hub:
        assert hub.sql("SELECT DISTINCT excluded FROM datasets").fetchall() == [([None],)]


CARD = """---
license: apache-2.0
datasets:
- {dataset}
pipeline_tag: tabular-classification
library_name: sklearn
model-index:
- name: x
  results:
  - task: {{type: tabular-classification}}
    dataset: {{name: shop, type: {dataset}, split: test}}
    metrics: [{{type: accuracy, value: {accuracy}}}, {{type: f1, value: 0.8}}]
---
# A model
"""


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A cache of models and datasets, as the libraries lay it out."""
    revision = "0123456789abcdef0123456789abcdef01234567"
    made = tmp_path / "hub"
    cards = {
        "good": CARD.format(dataset="me/shop", accuracy=0.9), "prepared": CARD.format(dataset="shops", accuracy=93),
        "gone": CARD.format(dataset="me/gone", accuracy=0.9), "nothing": "---\nlicense: mit\n---\n", "bare": "# No front matter",
        "broken": "---\na: [\n---\n", "many": "---\ndatasets: [a, b]\n---\n", "away": "---\ndatasets: ../../etc\n---\n",
        "split": "---\ndatasets: me/split\n---\n",
    }  # fmt: skip
    for name, card in cards.items():
        folder = made / f"models--me--{name}"
        write(folder / "refs" / "main", revision)
        write(folder / "snapshots" / revision / "README.md", card)
        write(folder / "snapshots" / ("f" * 40) / "README.md", "---\nlicense: older\n---\n")
    dataset = made / "datasets--me--shop" / "snapshots" / revision
    for split, seed in (("train", 1), ("test", 2)):
        write(dataset / "data" / f"{split}-00000-of-00001.parquet", labelled(300, 0, seed))
    unclear = made / "datasets--me--split" / "snapshots" / revision / "data"
    for name in ("a", "test"):
        write(unclear / f"{name}.csv", "x,y\n1,2\n3,4\n")
    prepared = made / "shops" / "default" / "0.0.0" / "0a1b"
    write(prepared / "dataset_info.json", {"splits": {}})
    write(prepared / "shops-train.arrow", labelled(200, 3, 3))
    return made


def test_models_come_by_their_cards_and_what_can_not_come_with_a_reason(cache: Path, tmp_path: Path) -> None:
    path = tmp_path / "hub.duckdb"
    call = ["import", "hf", str(cache), str(path), "--json"]
    dry = CliRunner().invoke(main, [*call, "--dry-run"])
    assert dry.exit_code == 0, dry.output
    assert not path.exists()
    assert dry.stderr.strip() == "7 left out, 2 to be registered"
    ran = CliRunner().invoke(main, call)
    assert ran.exit_code == 0, ran.output
    assert not [row for row in json.loads(ran.stdout) if row["model"].startswith("models--")]
    rows = {row["model"]: row for row in json.loads(ran.stdout)}
    assert (rows["me/good"]["outcome"], rows["me/good"]["accuracy"], rows["me/good"]["licence"]) == (
        "registered",
        0.9,
        "apache-2.0",
    )
    assert rows["me/good"]["excluded"] == ["label"]
    assert rows["me/prepared"]["outcome"] == "registered"
    for name, reason in {
        "prepared": "accuracy is 93, which is no accuracy", "gone": "its dataset me/gone is not here",
        "nothing": "names no dataset", "bare": "names no dataset", "broken": "no YAML", "many": "trained on 2 datasets (a, b), and not all are here: its dataset a is not here",
        "away": "no name of a dataset", "split": "no split train",
    }.items():  # fmt: skip
        assert reason in rows[f"me/{name}"]["note"], name
    with modelhub_sql.connect(path) as hub:
        models = {row["model"]: row for row in hub.models().dicts()}
        good = models["me/good"]
        assert [good[name] for name in ("version", "source_accuracy", "task", "framework", "source", "rows", "excluded")] == [
            "0123456", 0.9, "tabular-classification", "sklearn", "me/shop", 300, ["label"],
        ]  # fmt: skip
        assert good["uri"].endswith("models--me--good/snapshots/0123456789abcdef0123456789abcdef01234567")
        told = json.loads(good["metadata"])["huggingface"]
        assert told["metrics"] == [{"metric": m, "dataset": "me/shop", "value": v} for m, v in (("accuracy", 0.9), ("f1", 0.8))]
        hub.register("by hand", labelled(300, 0, 1), exclude=["label"])
        assert features(hub, "me/good") == features(hub, "by hand")
    again = CliRunner().invoke(main, call)
    assert again.stderr.strip() == "7 left out, 2 known already"
    wrong = CliRunner().invoke(main, ["import", "hf", str(tmp_path / "nowhere"), str(path)])
    assert (wrong.exit_code, "there is no folder" in wrong.stderr) == (1, True)


def test_models_of_a_plain_folder_are_called_by_it_and_their_data_is_where_it_is_said(
    hub: modelhub_sql.Hub, tmp_path: Path
) -> None:
    from modelhub_sql.huggingface import import_models

    write(tmp_path / "models" / "team" / "beer" / "README.md", CARD.format(dataset="beer", accuracy=0.8))
    write(tmp_path / "models" / "team" / "beer" / "onnx" / "README.md", "how it was exported")
    write(tmp_path / "data" / "beer" / "README.md", "---\nconfigs:\n- config_name: default\n  data_files: beer.parquet\n---\n")
    (tmp_path / "data" / "beer" / "beer.parquet").write_bytes(Path(data("beer")).read_bytes())
    write(tmp_path / "data" / "beer" / "other.parquet", normal(3, 0, 1))
    assert import_models(hub, tmp_path / "models").summary == "1 left out"
    found = import_models(hub, tmp_path / "models", datasets=[tmp_path / "data"], exclude=["label", "split", "nothing"])
    (row,) = found.dicts()
    assert (row["model"], row["outcome"], row["accuracy"]) == ("team/beer", "registered", 0.8)
    hub.register("beer", data("beer"), exclude=["label", "split"])
    assert features(hub, "team/beer") == features(hub, "beer")
    with pytest.raises(OptionError, match="there is no folder"):
        import_models(hub, tmp_path / "models", datasets=[tmp_path / "nowhere"])


def test_a_model_of_several_datasets_has_the_rows_of_all_where_all_are_here_and_alike(
    hub: modelhub_sql.Hub, tmp_path: Path
) -> None:
    from modelhub_sql.huggingface import import_models

    north, south = labelled(300, 0, 1), labelled(200, 3, 2)
    wide = south.append_column("height", pa.array([1.0] * 200))
    texts = south.set_column(0, south.column_names[0], pa.array(["a"] * 200))
    for name, table in {"me/north": north, "south": south, "wide": wide, "texts": texts}.items():
        write(tmp_path / "data" / name / "train.parquet", table)
    cards = {
        "both": ["me/north", "south"], "missing": ["me/north", "east", "west"], "other": ["south", "wide"],
        "types": ["south", "texts"],
    }  # fmt: skip
    measured = "model-index: [{results: [{dataset: {type: me/north}, metrics: [{type: accuracy, value: 0.9}]}]}]"
    for name, named in cards.items():
        write(tmp_path / "models" / name / "README.md", f"---\ndatasets: {json.dumps(named)}\n{measured}\n---\n")
    found = import_models(hub, tmp_path / "models", datasets=[tmp_path / "data"])
    rows = {row["model"]: row for row in found.dicts()}
    assert found.summary == "1 registered, 3 left out"
    assert (rows["both"]["outcome"], rows["both"]["dataset"], rows["both"]["accuracy"]) == ("registered", "me/north, south", None)
    hub.register("by hand", pa.concat_tables([north, south]), exclude=["label"])
    assert features(hub, "both") == features(hub, "by hand")
    for name, reason in {
        "both": "its accuracy is not of all its datasets together: me/north 0.9",
        "missing": "trained on 3 datasets (me/north, east, west), and not all are here: its dataset east is not here",
        "other": "height is not in both south and wide", "types": "columns differ in type",
    }.items():  # fmt: skip
        assert reason in rows[name]["note"], name
    assert "its dataset west is not here" in rows["missing"]["note"]
