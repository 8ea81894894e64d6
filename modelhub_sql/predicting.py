"""A model loaded and run, in a process of its own: ``python -m modelhub_sql.predicting FOLDER``.

The folder holds request.json (how to load, columns) and rows.arrow; answer.json is left there: predictions, or the problem.
Loading a pickle or an MLflow model runs code that is in it.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from modelhub_sql.errors import ExtraError
from modelhub_sql.extras import extra

__all__ = ["FORMATS", "SAFE", "main"]

#: Endings of files by format; those that can't run code first.
FORMATS = {"onnx": (".onnx",), "skops": (".skops",), "joblib": (".joblib",), "pickle": (".pkl", ".pickle")}
#: Formats that are data and no program.
SAFE = ("onnx", "skops")
#: What ``modelhub_sql.sketching`` makes.
_OURS = "modelhub_sql.estimator.Sketching"


class _Problem(Exception):
    """Why a model can't be run; the message is for the user."""


def main(folder: str) -> None:
    """Load and run the model that FOLDER tells of."""
    request = json.loads(Path(folder, "request.json").read_text(encoding="utf-8"))
    answer: dict[str, Any]
    try:
        answer = {"predictions": _predicted(request, folder)}
    except (_Problem, ExtraError) as error:
        answer = {"problem": str(error)}
    except Exception as error:  # whatever a model does
        answer = {"problem": f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"}
    Path(folder, "answer.json").write_text(json.dumps(answer), encoding="utf-8")


def _predicted(request: dict[str, Any], folder: str) -> list[Any]:
    import pyarrow as pa

    with pa.memory_map(os.path.join(folder, "rows.arrow")) as stream:
        table = pa.ipc.open_file(stream).read_all()
    frame = table.to_pandas()
    load: dict[str, Callable[[dict[str, Any]], tuple[Callable[[Any], Any], list[str] | None, int | None]]] = {
        "onnx": _onnx, "skops": _skops, "joblib": _joblib, "pickle": _joblib, "mlflow": _mlflow, "callable": _callable,
    }  # fmt: skip
    predict, named, count = load[request["format"]](request)
    given = predict(frame[_columns(list(frame.columns), request, named, count)])
    return _as_list(given, len(frame), request["classes"])


def _columns(there: Sequence[str], request: dict[str, Any], named: list[str] | None, count: int | None) -> list[str]:
    """The columns that a model is given, in its order: those that it names, else those that it was registered with."""
    wanted = named or request["features"]
    missing = [column for column in wanted if column not in there]
    if missing and (named or count is not None):
        raise _Problem(f"the target lacks {len(missing)} of its {len(wanted)} columns: {', '.join(missing[:10])}")
    columns = [column for column in wanted if column in there] or list(there)
    if count is not None and len(columns) != count:
        raise _Problem(f"it takes {count} columns, and does not say which: {len(columns)} are those of its dataset")
    return columns


def _as_list(given: Any, rows: int, classes: bool) -> list[Any]:
    import numpy as np

    if hasattr(given, "columns"):  # a frame: mlflow of other flavours
        given = given["prediction"] if "prediction" in given.columns else given.iloc[:, 0]
    array = np.asarray(given)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim == 2 and array.dtype.kind == "f" and classes:
        # A probability of each class, where classes are numbers.
        array = array.argmax(axis=1)
    if array.ndim != 1 or len(array) != rows:
        raise _Problem(
            f"its predictions have the shape {array.shape}, not one for each of {rows} rows: load= may give one that has"
        )
    return [each if isinstance(each, (int, float, bool, str)) else str(each) for each in array.tolist()]


def _estimator(model: Any) -> tuple[Callable[[Any], Any], list[str] | None, int | None]:
    if not hasattr(model, "predict"):
        if not callable(model):
            raise _Problem(f"a {type(model).__name__} has no predict")
        return model, None, None
    names = getattr(model, "feature_names_in_", None)
    count = getattr(model, "n_features_in_", None)
    if names is not None:
        return model.predict, [str(name) for name in names], count
    # Fitted without names: numbers in the order of its dataset.
    return (lambda frame: model.predict(frame.to_numpy())) if count is not None else model.predict, None, count


def _joblib(request: dict[str, Any]) -> Any:
    return _estimator(extra("joblib", "try").load(request["path"]))


def _skops(request: dict[str, Any]) -> Any:
    skops = extra("skops.io", "try")
    types = skops.get_untrusted_types(file=request["path"])
    if untrusted := [each for each in types if each != _OURS]:
        raise _Problem(f"it holds types that skops does not trust: {', '.join(untrusted[:5])}")
    return _estimator(skops.load(request["path"], trusted=[each for each in types if each == _OURS]))


def _callable(request: dict[str, Any]) -> Any:
    load = extra("cloudpickle", "try").loads(Path(request["load"]).read_bytes())
    return _estimator(load(request["model"]))


def _mlflow(request: dict[str, Any]) -> Any:
    mlflow = extra("mlflow", "mlflow")
    if request["tracking_uri"] and not os.environ.get("MLFLOW_TRACKING_URI"):
        mlflow.set_tracking_uri(request["tracking_uri"])
    model = extra("mlflow.pyfunc", "mlflow").load_model(request["path"])
    inputs = model.metadata.get_input_schema()
    if inputs is not None and inputs.has_input_names():
        return model.predict, inputs.input_names(), None
    # Without a signature the estimator inside may tell.
    inner = getattr(getattr(model, "_model_impl", None), "sklearn_model", None)
    _, names, count = _estimator(inner) if hasattr(inner, "predict") else (None, None, None)
    return model.predict, names, count


def _onnx(request: dict[str, Any]) -> Any:
    import numpy as np

    session = extra("onnxruntime", "try").InferenceSession(request["path"], providers=["CPUExecutionProvider"])
    inputs = session.get_inputs()
    types = {"tensor(float)": "float32", "tensor(double)": "float64", "tensor(int64)": "int64", "tensor(string)": "object"}

    def array(cells: Any, each: Any) -> Any:
        if each.type not in types:
            raise _Problem(f"its input {each.name} is a {each.type}")
        return np.asarray(cells).astype(types[each.type])

    if len(inputs) == 1:
        width = inputs[0].shape[-1] if len(inputs[0].shape) > 1 else 1
        count = width if isinstance(width, int) else None
        return (lambda frame: session.run(None, {inputs[0].name: array(frame, inputs[0])})[0]), None, count

    def by_name(frame: Any) -> Any:
        return session.run(None, {each.name: array(frame[[each.name]], each) for each in inputs})[0]

    return by_name, [each.name for each in inputs], None


if __name__ == "__main__":
    main(sys.argv[1])
