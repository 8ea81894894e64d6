"""A model keeps the sketch of what it was fitted on, in its file; registering that file needs no data and runs no code."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import modelhub_sql
from modelhub_sql import DatasetError, OptionError, fitted
from modelhub_sql.cli import main


def rows(shift: float, seed: int, count: int = 300) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    x, y = random.normal(shift, 1, count), random.normal(0, 1, count)
    return pd.DataFrame({"x": x, "y": y, "id": range(count), "sold": (x + y > shift).astype(int)})


def table(hub: modelhub_sql.Hub, model: str) -> Any:
    """What a hub has of a model's features."""
    return hub.sql(
        "SELECT f.* EXCLUDE (dataset_id) FROM features AS f JOIN models USING (dataset_id) WHERE model = ? ORDER BY feature_id",
        [model],
    ).fetchall()


@pytest.fixture(scope="module")
def model() -> Any:
    """An estimator that was fitted on two columns and an id, which its sketch leaves out."""
    frame = rows(0, 1)
    estimator = make_pipeline(StandardScaler(), LogisticRegression())
    return modelhub_sql.sketching(estimator, exclude=["id"]).fit(frame[["x", "y", "id"]], frame.sold)


class Breaks:
    """Whoever unpickles it leaves a file."""

    def __init__(self, place: str) -> None:
        self.place = place

    def __reduce__(self) -> Any:
        return os.mkdir, (self.place,)


def test_the_file_of_a_model_is_registered_as_its_data_are(model: Any, tmp_path: Path) -> None:
    skops = pytest.importorskip("skops.io", reason="the extra try is not installed")
    (tmp_path / "kept.pkl").write_bytes(pickle.dumps(model))
    joblib.dump(model.estimator_, tmp_path / "plain.joblib")
    joblib.dump([{"model": model}], tmp_path / "packed.joblib", compress=3)
    joblib.dump(model, tmp_path / "xz.joblib", compress=("xz", 3))
    skops.dump(model, tmp_path / "kept.skops")
    frame = rows(0, 1)
    with modelhub_sql.connect() as hub:
        hub.register("data", frame, exclude=["id", "sold"])
        for file in sorted(tmp_path.iterdir()):
            hub.register(file.name, file)
            assert table(hub, file.name) == table(hub, "data"), file.name
        uris = {row["model"]: row["uri"] for row in hub.models().dicts()}
        assert uris["kept.pkl"] == str(tmp_path / "kept.pkl")
        assert hub.find_models(tmp_path / "kept.skops").dicts()[0]["verdict"] == "same"
        # It is loaded as a safe format is.
        hub.remove("*")
        hub.register("kept", tmp_path / "kept.skops")
        (row,) = hub.try_models(rows(0, 2, 40), label="sold", safe=True).dicts()
        assert (row["problem"], row["format"]) == (None, "skops")
        assert row["score"] > 0.7


def test_an_estimator_that_keeps_a_sketch_is_as_the_one_in_it(model: Any) -> None:
    frame = rows(0, 1)
    bare = make_pipeline(StandardScaler(), LogisticRegression()).fit(frame[["x", "y", "id"]], frame.sold)
    assert (model.predict_proba(frame[["x", "y", "id"]]) == bare.predict_proba(frame[["x", "y", "id"]])).all()
    assert model.score(frame[["x", "y", "id"]], frame.sold) == bare.score(frame[["x", "y", "id"]], frame.sold)
    assert list(model.feature_names_in_) == ["x", "y", "id"]
    assert clone(model).get_params()["estimator__logisticregression__C"] == 1.0
    assert not hasattr(clone(model), "classes_")
    assert not hasattr(model, "transform")
    scores = cross_val_score(clone(model), frame[["x", "y", "id"]], frame.sold, cv=2)
    assert (scores == cross_val_score(bare, frame[["x", "y", "id"]], frame.sold, cv=2)).all()
    copy = pickle.loads(pickle.dumps(model))
    assert copy.modelhub_sketch_ == model.modelhub_sketch_
    assert clone(model).fit(rows(1, 2)[["x", "y", "id"]], rows(1, 2).sold).modelhub_sketch_ != model.modelhub_sketch_


def test_an_onnx_model_keeps_it_in_its_metadata(model: Any, tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx", reason="the extra try is not installed")
    kind = onnx.TensorProto.FLOAT
    ends = [onnx.helper.make_tensor_value_info(name, kind, [None, 2]) for name in ("rows", "same")]
    graph = onnx.helper.make_graph([onnx.helper.make_node("Identity", ["rows"], ["same"])], "model", ends[:1], ends[1:])
    made = onnx.helper.make_model(graph)
    for data in (rows(2, 5), model):
        assert modelhub_sql.keep_sketch(made, data, exclude=["id", "sold"]) is made
    assert [entry.key for entry in made.metadata_props] == ["modelhub_sketch_"]
    onnx.checker.check_model(made)
    onnx.save(made, tmp_path / "model.onnx")
    with modelhub_sql.connect(tmp_path / "hub.duckdb") as hub:
        hub.register("data", rows(0, 1), exclude=["id", "sold"])
    ran = CliRunner().invoke(main, ["register", str(tmp_path / "hub.duckdb"), "kept", str(tmp_path / "model.onnx")])
    assert ran.exit_code == 0, ran.output
    with modelhub_sql.connect(tmp_path / "hub.duckdb", read_only=True) as hub:
        assert table(hub, "kept") == table(hub, "data")


def test_no_code_of_a_file_runs_and_a_sketch_that_is_not_whole_is_none(model: Any, tmp_path: Path) -> None:
    sketch = model.modelhub_sketch_
    place = tmp_path / "it_ran"
    with modelhub_sql.connect() as hub:
        (tmp_path / "breaks.pkl").write_bytes(pickle.dumps([Breaks(str(place)), sketch]))
        hub.register("breaks", tmp_path / "breaks.pkl")
        assert not place.exists()
        for name, content in {
            "none.pkl": pickle.dumps({"a": 1}), "empty.joblib": b"", "cut.pkl": pickle.dumps(sketch)[:-200],
            "changed.pkl": pickle.dumps(sketch).replace(b"PAR1", b"PAR2"), "marks.pkl": sketch[:20] * 50,
        }.items():  # fmt: skip
            (tmp_path / name).write_bytes(content)
            with pytest.raises(DatasetError, match=rf"{name} holds no sketch .*sketching\(model\)"):
                hub.register("bad", tmp_path / name)
        (tmp_path / "x.joblib").write_bytes(b"\x78\x9c no")
        with pytest.raises(DatasetError, match=r"x\.joblib"):
            hub.register("bad", tmp_path / "x.joblib")
        # After one that is not whole.
        (tmp_path / "second.pkl").write_bytes(sketch[:40] + b"?" * 100 + sketch)
        hub.register("second", tmp_path / "second.pkl")
        assert [row["model"] for row in hub.models().dicts()] == ["breaks", "second"]
    with pytest.raises(OptionError, match="takes no attributes"):
        modelhub_sql.keep_sketch(3, rows(0, 1))
    with pytest.raises(DatasetError):
        modelhub_sql.sketching(LogisticRegression()).fit(np.zeros((2, 2, 2)), [0, 1])


def test_what_is_called_onnx_and_is_no_model_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="onnx is in the extra try")
    (tmp_path / "x.onnx").write_bytes(b"no model")
    with modelhub_sql.connect() as hub, pytest.raises(DatasetError, match=r"x\.onnx"):
        hub.register("bad", tmp_path / "x.onnx")


@pytest.mark.parametrize("part", [7, 1 << 22])
def test_a_sketch_is_found_wherever_it_lies_in_a_stream(part: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import hashlib

    content = bytes(range(256)) * 3
    sketch = fitted._MARK + len(content).to_bytes(8, "big") + hashlib.sha256(content).digest() + content
    monkeypatch.setattr(fitted, "_PART", part)
    for before in (0, 1, 6, 7, 100):
        (tmp_path / "x.pkl").write_bytes(b"\x93" * before + sketch + b"after")
        found = fitted.sketch_in(str(tmp_path / "x.pkl"), str(tmp_path))
        assert found is not None
        assert Path(found).read_bytes() == content
