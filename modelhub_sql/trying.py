"""The first models of a search tried: loaded, run on labelled rows, measured side by side, each in a process of its own."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import duckdb

from modelhub_sql import outcomes
from modelhub_sql.datasets import fetched, is_sketch
from modelhub_sql.errors import DatasetError, OptionError, translated
from modelhub_sql.extras import extra
from modelhub_sql.predicting import FORMATS, SAFE
from modelhub_sql.scores import Score, fitting_metric, rows_to_separate, scored

if TYPE_CHECKING:
    from modelhub_sql.hub import Hub, Metric
    from modelhub_sql.result import Result

__all__ = ["try_models"]

#: How Python runs the module without looking for any in the folder where somebody happens to work: a safe format needs none.
_ALONE = ("-c", "import sys; del sys.path[0]; from modelhub_sql.predicting import main; main(sys.argv[1])")

Load = Callable[[dict[str, Any]], Any]


class _Tried(NamedTuple):
    """predictions: a value for each row, None where there is a problem. seconds: to load and to predict."""

    predictions: list[Any] | None
    problem: str | None
    seconds: float


def try_models(
    hub: Hub,
    target: Any,
    *,
    label: str,
    top: int,
    rows: int,
    exclude: Sequence[str],
    metric: Metric | None,
    timeout: float,
    safe: bool,
    record: bool,
    load: Load | None,
    read: Mapping[str, Any] | None,
) -> Result:
    """As ``Hub.try_models``."""
    import pyarrow as pa

    from modelhub_sql.result import Result

    for name, value, bound in (("top", top, 1), ("rows", rows, 2)):
        if not isinstance(value, int) or isinstance(value, bool) or value < bound:
            raise OptionError(f"{name} must be a whole number of at least {bound}, got {value!r}")
    if not isinstance(timeout, (int, float)) or not timeout > 0:
        raise OptionError(f"timeout must be a number of seconds above 0, got {timeout!r}")
    if record:
        outcomes.must_be_writable(hub)
    table = _labelled(hub, target, label, rows, read)
    labels = table.column(label).to_pylist()
    measure = metric or fitting_metric(labels)
    with hub._lock:
        found = hub.find_models(target, exclude=[*exclude, f"{label}?"], top=top, all_models=True, read=read).dicts()
        by_chance = hub._own.execute("SELECT model, version, expected_distance FROM temp.main.found_model").fetchall()
        named = outcomes.target_of(hub)
    features = table.drop_columns([label])
    classes = measure != "r2" and all(isinstance(each, int) and each >= 0 for each in labels)
    tried, measured = [], {}
    for model in found:
        how, path, problem = _how(hub, model, load, safe)
        outcome = _Tried(None, problem, 0.0) if problem else _run(hub, model, how, path, features, load, timeout, classes)
        score = None
        if outcome.predictions is not None:
            try:
                measurement = scored(measure, labels, outcome.predictions)
                if not math.isfinite(measurement.value):
                    raise ValueError(f"its {measure} on these rows is no number: the labels or its predictions are all one value")
                score = measurement
                measured[(model["model"], model["version"])] = outcome.predictions
            except ValueError as error:
                outcome = outcome._replace(problem=str(error))
        tried.append(_row(model, score, outcome, how, len(labels), measure))
    tried.sort(key=lambda row: (row["score"] is None, -(row["score"] or 0), row["rank"]))
    columns = {name: pa.array([row[name] for row in tried], type_) for name, type_ in _columns(pa).items()}
    if record:
        expected = {(model, version): distance for model, version, distance in by_chance}
        outcomes.keep(hub, (_outcome(row, expected) for row in tried if row["score"] is not None), *named)
    result = Result(hub.con, pa.table(columns))
    result.summary = _summary(tried, measured, labels, measure)
    return result


def _columns(pa: Any) -> dict[str, Any]:
    text, number = pa.string(), pa.float64()
    return dict(
        model=text, version=text, score=number, low=number, high=number, metric=text, rows=pa.int64(), rank=pa.int64(),
        verdict=text, distance=number, source_accuracy=number, format=text, runs_code=pa.bool_(), seconds=number, problem=text,
        uri=text,
    )  # fmt: skip


def _row(
    model: dict[str, Any], score: Score | None, outcome: _Tried, how: str | None, rows: int, metric: Metric
) -> dict[str, Any]:
    told = {name: model[name] for name in ("model", "version", "rank", "verdict", "distance", "source_accuracy", "uri")}
    value, low, high = score or (None, None, None)
    return told | dict(
        score=value, low=low, high=high, metric=metric, rows=rows, format=how,
        runs_code=None if how is None else how not in SAFE, seconds=outcome.seconds, problem=outcome.problem,
    )  # fmt: skip


def _outcome(row: dict[str, Any], expected: Mapping[tuple[str, str], float]) -> outcomes.Outcome:
    told = {name: row[name] for name in ("model", "version", "verdict", "distance", "metric", "score", "rows")}
    return outcomes.Outcome(**told, expected_distance=expected[(row["model"], row["version"])])


def _labelled(hub: Hub, target: Any, label: str, rows: int, read: Mapping[str, Any] | None) -> Any:
    """So many of the rows with a label, drawn at random, the same each time. Raises DatasetError."""
    with hub._lock, hub._dataset(target, read=read) as ((name, source), layout):
        if is_sketch(name):
            raise DatasetError(f"{source} is a sketch, which has no rows to try models on: pass the data")
        if label not in (names := [column for column, *_ in layout.columns]):
            raise DatasetError(f"{source} has no column {label!r}; its columns are {', '.join(names[:100])}")
        quoted = '"' + label.replace('"', '""') + '"'
        # NaN is missing.
        is_float = any(column == label and type_ in ("FLOAT", "DOUBLE") for column, type_, _ in layout.columns)
        is_there = f"{quoted} IS NOT NULL" + (f" AND NOT isnan({quoted})" if is_float else "")
        try:
            hub._own.execute(
                f"FROM {hub._place.logic}._logic.dataset_rows(?) WHERE {is_there} "
                f"ORDER BY md5(concat(row_number() OVER (), ' of a trial')) ASC LIMIT {rows:d}",
                [name],
            )
            table = fetched(hub._own)
        except duckdb.Error as error:
            raise translated(error, source, name) from error
    if table.num_rows < 2:
        raise DatasetError(f"{source} has {table.num_rows} rows with a {label}: label some, 20 to 50 tell much")
    return table


def _how(hub: Hub, model: dict[str, Any], load: Load | None, safe: bool) -> tuple[str | None, str, str | None]:
    """The format and place of a model, or the problem."""
    if load is not None:
        return "callable", "", None
    uri = model["uri"]
    if not uri:
        return None, "", "the hub does not know where it is: register it with a uri, or give load="
    if uri.startswith(("models:/", "runs:/", "mlflow-artifacts:")):
        return ("mlflow", uri, None) if not safe else ("mlflow", uri, "an MLflow model runs code, and safe is asked for")
    # Beside the hub first: what lies where somebody happens to work is not meant.
    places = [Path(hub.path).parent / uri, Path(uri.removeprefix("file://"))]
    place = next((each for each in places if each.exists()), None)
    if place is None:
        return None, "", f"it is not at {uri}"
    if place.is_dir() and (place / "MLmodel").is_file():
        return "mlflow", str(place), "an MLflow model runs code, and safe is asked for" if safe else None
    # Of several formats the one that is no program: what lies in a folder, or the same model as data beside a file.
    beside = sorted(place.iterdir()) if place.is_dir() else [place]
    if place.suffix.lower() in {ending for endings in FORMATS.values() for ending in endings}:
        data = {ending for how in SAFE for ending in FORMATS[how]}
        beside += [each for each in sorted(place.parent.glob(f"{_escaped(place.stem)}.*")) if each.suffix.lower() in data]
    for how, endings in FORMATS.items():
        for file in beside:
            if file.suffix.lower() in endings and file.is_file():
                return how, str(file), f"{how} runs code, and safe is asked for" if safe and how not in SAFE else None
    known = ", ".join(ending for endings in FORMATS.values() for ending in endings)
    return None, "", f"{uri} is of no known format ({known}, MLflow): give load="


def _escaped(name: str) -> str:
    return "".join(f"[{sign}]" if sign in "*?[" else sign for sign in name)


def _run(
    hub: Hub, model: dict[str, Any], how: str | None, path: str, table: Any, load: Load | None, timeout: float, classes: bool
) -> _Tried:
    """A model loaded and run on rows in a process of its own, which is ended when it takes too long.

    classes: the labels are numbers of classes, so that a probability of each may stand for one.
    """
    import pyarrow as pa

    with tempfile.TemporaryDirectory() as folder:
        with pa.OSFile(os.path.join(folder, "rows.arrow"), "wb") as stream, pa.ipc.new_file(stream, table.schema) as writer:
            writer.write_table(table)
        request = _known(hub, model) | dict(format=how, path=path, load=os.path.join(folder, "load"), classes=classes)
        request["model"] = {name: value for name, value in model.items() if isinstance(value, (str, int, float, type(None)))}
        if load is not None:
            Path(folder, "load").write_bytes(extra("cloudpickle", "try").dumps(load))
        Path(folder, "request.json").write_text(json.dumps(request), encoding="utf-8")
        began = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, *(_ALONE if how in SAFE else ("-m", "modelhub_sql.predicting")), folder],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(each for each in sys.path if each)},
        )  # fmt: skip
        try:
            _, said = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            return _Tried(None, f"it took longer than {timeout:g} seconds (timeout)", time.perf_counter() - began)
        finally:
            _end(process)
        seconds = time.perf_counter() - began
        try:
            answer = json.loads(Path(folder, "answer.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            last = said.decode("utf-8", "replace").strip().splitlines()[-1:]
            return _Tried(None, f"its process ended with {process.returncode}{': ' + last[0][:300] if last else ''}", seconds)
        return _Tried(answer.get("predictions"), answer.get("problem"), seconds)


def _end(process: subprocess.Popen[bytes]) -> None:
    # With all that it has started.
    with suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL) if hasattr(os, "killpg") else process.kill()
    process.wait()
    if process.stderr is not None:
        process.stderr.close()


def _known(hub: Hub, model: dict[str, Any]) -> dict[str, Any]:
    """What the hub knows that a model may need: the features of its dataset, in order, and where its MLflow is."""
    tables = f"{hub._place.tables}._hub"
    with hub._lock:
        ((metadata, features),) = hub._own.execute(
            f"SELECT metadata, (SELECT list(feature ORDER BY feature_id ASC) FROM {tables}.features AS f "
            f"WHERE f.dataset_id = m.dataset_id) FROM {tables}.models AS m WHERE model = ? AND version = ?",
            [model["model"], model["version"]],
        ).fetchall()
    told = json.loads(metadata) if metadata else {}
    origin = told.get("mlflow") if isinstance(told, dict) else None
    tracking = origin.get("tracking_uri") if isinstance(origin, dict) else None
    return {"features": features or [], "tracking_uri": tracking}


def _summary(tried: list[dict[str, Any]], measured: dict[Any, list[Any]], labels: list[Any], metric: Metric) -> str:
    """The answer in a sentence: which is best, and whether the rows suffice to say so."""
    ran = [row for row in tried if row["score"] is not None]
    failed = f"; {len(tried) - len(ran)} could not be tried" if len(ran) < len(tried) else ""
    if not ran:
        return f"none of {len(tried)} models could be tried" if tried else "no model in the hub fits the target"
    names = [row["model"] + (f" {row['version']}" if row["version"] else "") for row in ran]
    best = ran[0]
    said = (
        f"{names[0]} is best on {best['rows']} labelled rows: {metric} {best['score']:.2f} "
        f"({best['low']:.2f} to {best['high']:.2f})"
    )
    if len(ran) > 1:
        first, second = (measured[(row["model"], row["version"])] for row in ran[:2])
        needed = rows_to_separate(metric, labels, first, second)
        if needed is None:
            said = f"{names[0]} and {names[1]} are equally good on {best['rows']} labelled rows: {metric} {best['score']:.2f}"
        elif needed <= len(labels):
            said += f", better than {names[1]} beyond chance"
        else:
            said += f"; about {_rounded(needed)} rows would tell it from {names[1]}"
    return said + failed


def _rounded(number: int) -> int:
    # No more digits than are known.
    step: int = 10 ** max(0, len(str(number)) - 2)
    return int(-(-number // step) * step)
