"""The first models of a search, run on labelled rows: measured as by hand, and whatever a model does, the others go on."""

from __future__ import annotations

import math
import os
import pickle
import time
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
import scipy.stats
from click.testing import CliRunner
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import f1_score, r2_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import modelhub_sql
from modelhub_sql import DatasetError, OptionError
from modelhub_sql.cli import main
from modelhub_sql.scores import fitting_metric, rows_to_separate, scored


def shop(shift: float, seed: int, rows: int = 400) -> pd.DataFrame:
    """Rows of two numbers, and whether their sum is above that shift."""
    random = np.random.default_rng(seed)
    x, y = random.normal(shift, 1, rows), random.normal(0, 1, rows)
    return pd.DataFrame({"x": x, "y": y, "sold": (x + y + random.normal(0, 0.7, rows) > shift).astype(int)})


class Sleeps:
    def __reduce__(self) -> Any:
        return time.sleep, (60,)


class Dies:
    def __reduce__(self) -> Any:
        return os._exit, (3,)


@pytest.fixture
def shops(hub: modelhub_sql.Hub, tmp_path: Path) -> modelhub_sql.Hub:
    """A good model, one of another shop, one that dies, one that needs more columns, one that is not there."""
    near, far = shop(0, 1), shop(3, 2)
    for name, frame in (("near", near), ("far", far)):
        model = make_pipeline(StandardScaler(), LogisticRegression()).fit(frame[["x", "y"]], frame.sold)
        joblib.dump(model, tmp_path / f"{name}.joblib")
    more = near.assign(z=1.0)
    joblib.dump(LogisticRegression().fit(more[["x", "y", "z"]], more.sold), tmp_path / "more.joblib")
    (tmp_path / "dies.pkl").write_bytes(pickle.dumps(Dies()))
    for name, uri in (("near", "near.joblib"), ("far", "far.joblib"), ("more", "more.joblib"), 
                      ("dies", "dies.pkl"), ("gone", "gone.pkl"), ("nowhere", None)):  # fmt: skip
        hub.register(name, far if name == "far" else near, exclude=["sold"], uri=uri)
    return hub


def test_models_are_measured_as_by_hand_and_what_fails_is_said(shops: modelhub_sql.Hub, tmp_path: Path) -> None:
    target = shop(0, 3, 40)
    target.to_parquet(tmp_path / "target.parquet")
    before = shops.models().fetchall()
    found = shops.try_models(target, label="sold", top=10)
    rows = {row["model"]: row for row in found.dicts()}
    assert list(rows)[:2] == ["near", "far"]
    for name in ("near", "far"):
        right = int((joblib.load(tmp_path / f"{name}.joblib").predict(target[["x", "y"]]) == target.sold).sum())
        interval = scipy.stats.binomtest(right, 40).proportion_ci(method="wilson")
        told = (rows[name]["score"], rows[name]["low"], rows[name]["high"])
        assert told == pytest.approx((right / 40, interval.low, interval.high))
        assert (rows[name]["metric"], rows[name]["format"], rows[name]["runs_code"]) == ("accuracy", "joblib", True)
    for name, problem in {
        "dies": "ended with 3", "more": "lacks 1 of its 3 columns: z", "gone": "not at gone.pkl",
        "nowhere": "does not know where it is",
    }.items():  # fmt: skip
        assert problem in rows[name]["problem"]
        assert rows[name]["score"] is None
    assert found.summary is not None
    assert found.summary.startswith("near is best on 40 labelled rows: accuracy 0.")
    assert found.summary.endswith("; 4 could not be tried")
    assert shops.models().fetchall() == before
    assert len(shops.outcomes()) == 0


def test_what_is_measured_is_kept_where_that_is_asked_for(hub: modelhub_sql.Hub) -> None:
    hub.register("near", shop(0, 1), exclude=["sold"], accuracy=0.9)
    hub.register("far", shop(3, 2), exclude=["sold"])
    target, load = shop(0, 3, 40), lambda model: lambda rows: rows["x"] > (0 if model["model"] == "near" else "text")
    tried = hub.try_models(target, label="sold", record=True, load=load)
    (kept,) = hub.outcomes().dicts()
    (row,) = [row for row in tried.dicts() if row["problem"] is None]
    assert [kept[name] for name in ("model", "verdict", "distance", "metric", "score", "rows")] == [
        row[name] for name in ("model", "verdict", "distance", "metric", "score", "rows")
    ]
    assert (kept["target_rows"], kept["lost"]) == (40, pytest.approx(0.9 - row["score"]))
    (judged,) = hub.explain_model("near", target, exclude=["sold"]).dicts()
    assert hub.sql("SELECT expected_distance FROM outcomes").fetchall() == [(judged["expected_distance"],)]


def test_a_model_that_hangs_is_ended(hub: modelhub_sql.Hub, tmp_path: Path) -> None:
    (tmp_path / "hangs.pkl").write_bytes(pickle.dumps(Sleeps()))
    hub.register("hangs", shop(0, 1), exclude=["sold"], uri="hangs.pkl")
    began = time.monotonic()
    found = hub.try_models(shop(0, 3, 40), label="sold", timeout=1)
    assert found.dicts()[0]["problem"] == "it took longer than 1 seconds (timeout)"
    assert time.monotonic() - began < 40
    assert found.summary == "none of 1 models could be tried"


def test_safe_runs_no_code_and_a_format_without_code_is_preferred(shops: modelhub_sql.Hub, tmp_path: Path) -> None:
    skops = pytest.importorskip("skops.io", reason="the extra try is not installed")
    model = joblib.load(tmp_path / "near.joblib")
    skops.dump(model, tmp_path / "near.skops")
    shop(0, 3, 40).to_parquet(tmp_path / "target.parquet")
    path = shops.path
    shops.close()
    call = ["try", path, str(tmp_path / "target.parquet"), "--label", "sold", "--top", "7", "--safe", "--csv", "--timeout", "600"]
    ran = CliRunner().invoke(main, call)
    assert ran.exit_code == 0, ran.output
    table = pd.read_csv(StringIO(ran.stdout)).set_index("model")
    assert table.loc["near", ["format", "runs_code"]].tolist() == ["skops", False]
    assert table.loc["near", "score"] > 0.6
    assert table.loc["dies", "problem"] == "pickle runs code, and safe is asked for"


def test_a_safe_trial_imports_nothing_from_the_folder_it_is_run_in(
    hub: modelhub_sql.Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    skops = pytest.importorskip("skops.io", reason="the extra try is not installed")
    there = tmp_path / "somewhere"
    there.mkdir()
    (there / "pyarrow.py").write_text(f"open({str(there / 'ran')!r}, 'w')", encoding="utf-8")
    frame = shop(0, 1)
    skops.dump(LogisticRegression().fit(frame[["x", "y"]], frame.sold), tmp_path / "near.skops")
    hub.register("near", frame, exclude=["sold"], uri="near.skops")
    monkeypatch.chdir(there)
    (row,) = hub.try_models(shop(0, 3, 40), label="sold", safe=True, timeout=600).dicts()
    assert (row["problem"], row["format"]) == (None, "skops")
    assert not (there / "ran").exists()


def test_only_the_file_that_is_named_is_run(hub: modelhub_sql.Hub, tmp_path: Path) -> None:
    (tmp_path / "model.txt").write_text("notes", encoding="utf-8")
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(Dies()))
    hub.register("notes", shop(0, 1), exclude=["sold"], uri="model.txt")
    (row,) = hub.try_models(shop(0, 3, 40), label="sold").dicts()
    assert "is of no known format" in row["problem"]


def test_a_label_that_is_nan_is_missing_and_a_score_that_is_no_number_is_a_problem(hub: modelhub_sql.Hub) -> None:
    hub.register("near", shop(0, 1), exclude=["sold"])
    target = shop(0, 3, 40)
    target["sold"] = target.sold.astype(float)
    target.loc[target.index[:10], "sold"] = math.nan
    (row,) = hub.try_models(target, label="sold", load=lambda model: lambda rows: (rows["x"] > 0).astype(int)).dicts()
    assert (row["metric"], row["rows"]) == ("accuracy", 30)
    assert fitting_metric([Decimal("1.5"), Decimal("2.25"), Decimal("9.1")]) == "r2"
    target["sold"] = 0.5
    (row,) = hub.try_models(target, label="sold", metric="r2", load=lambda model: lambda rows: rows["x"]).dicts()
    assert row["score"] is None
    assert "no number" in row["problem"]


def test_onnx_and_a_function_are_run(hub: modelhub_sql.Hub, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime", reason="the extra try is not installed")
    onnx = pytest.importorskip("onnx", reason="the extra try is not installed")
    target = shop(0, 3, 40)
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    # Probabilities by a softmax of (0, x + y).
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["rows", "weights"], ["sums"]), helper.make_node("Softmax", ["sums"], ["p"], axis=1)],
        "model",
        [helper.make_tensor_value_info("rows", kind, [None, 2])],
        [helper.make_tensor_value_info("p", kind, [None, 2])],
        [helper.make_tensor("weights", kind, [2, 2], [0, 1, 0, 1])],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(made, tmp_path / "model.onnx")
    hub.register("sum", shop(0, 1), exclude=["sold"], uri=tmp_path / "model.onnx")
    (row,) = hub.try_models(target, label="sold", safe=True, timeout=600).dicts()
    assert (row["problem"], row["score"]) == (None, float(((target.x + target.y > 0) == target.sold).mean()))
    (row,) = hub.try_models(target, label="sold", load=lambda model: lambda frame: frame["x"] > len(model["model"]) - 3).dicts()
    assert (row["problem"], row["score"]) == (None, float(((target.x > 0) == target.sold).mean()))


def test_bad_requests_are_refused(hub: modelhub_sql.Hub, tmp_path: Path) -> None:
    frame = shop(0, 1)
    hub.register("near", frame, exclude=["sold"])
    with pytest.raises(DatasetError, match=r"no column 'sole'; its columns are x, y, sold"):
        hub.try_models(frame, label="sole")
    with pytest.raises(DatasetError, match="0 rows with a sold"):
        hub.try_models(frame.assign(sold=None), label="sold")
    with pytest.raises(OptionError, match="rows must be a whole number of at least 2"):
        hub.try_models(frame, label="sold", rows=1)
    with pytest.raises(DatasetError, match="no rows to try"):
        hub.try_models(hub.sketch(frame).save(tmp_path / "f.sketch.parquet"), label="sold")


def test_scores_are_those_of_scikit_learn_and_their_intervals_hold_them() -> None:
    random = np.random.default_rng(4)
    labels, told = random.integers(3, size=60).tolist(), random.integers(3, size=60).tolist()
    found = scored("f1", labels, told)
    assert found.value == pytest.approx(f1_score(labels, told, average="macro"))
    assert found.low < found.value < found.high
    x = random.normal(size=(60, 1))
    y = x[:, 0] + random.normal(size=60)
    predictions = LinearRegression().fit(x, y).predict(x)
    found = scored("r2", y.tolist(), predictions.tolist())
    assert found.value == pytest.approx(r2_score(y, predictions))
    assert found.low < found.value < found.high
    assert scored("accuracy", [True, 1, "2", 0.0], ["True", 1.0, 2, False]).value == 1
    assert [fitting_metric(each) for each in (["a", "b"], [True, False], [0, 1] * 9, [0.5, 1.5], list(range(30)))] == [
        "accuracy", "accuracy", "accuracy", "r2", "r2",
    ]  # fmt: skip


def test_so_many_rows_would_tell_two_models_apart() -> None:
    # Of 40 rows the first alone is right on 6, the second alone on 3; so many more of the same kind.
    truth = [1] * 40
    first, second = [1] * 6 + [0] * 3 + [1] * 31, [0] * 6 + [1] * 3 + [1] * 31
    needed = rows_to_separate("accuracy", truth, first, second)
    assert needed is not None
    assert needed > 40
    for rows, apart in ((0.8 * needed, False), (1.3 * needed, True)):
        share = rows / 40
        mean, square = 3 / 40, 9 / 40
        error = math.sqrt((square - mean**2) / rows)
        assert (mean - 1.96 * error > 0) == apart, share
    assert rows_to_separate("accuracy", truth, first, first) is None
    # Five rows that all differ one way come by chance one time in sixteen (the sign test); six one in thirty-two.
    for rows, apart in ((2, False), (5, False), (6, True)):
        needed = rows_to_separate("accuracy", [1] * rows, [1] * rows, [0] * rows)
        assert needed is not None
        assert (needed <= rows) == apart
