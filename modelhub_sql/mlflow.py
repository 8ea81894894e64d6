"""MLflow: its registered models into a hub, and the sketch of a training dataset into a run.

Needs the extra ``mlflow``. The data of a model is what its run logged as input for training, or the sketch that
``log_sketch`` left there.
"""

from __future__ import annotations

import json
import math
import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote, urlsplit

from modelhub_sql.datasets import SKETCH_FILE, Dataset, is_sketch, said_of
from modelhub_sql.errors import HubError, OptionError
from modelhub_sql.extras import extra

if TYPE_CHECKING:
    from modelhub_sql.hub import Hub
    from modelhub_sql.result import Result

__all__ = ["import_models", "log_sketch"]

#: Tag of a run: where among its artifacts the sketch of its training data is.
_SKETCH_TAG = "modelhub.sketch"
#: Tag of a model version: the hub that knows it.
_HUB_TAG = "modelhub.hub"
_TRAINING = ("training", "train")
#: Metrics that are an accuracy, the most telling first.
_ACCURACIES = [
    *(f"{part}_accuracy{end}" for part in ("test", "testing", "val", "validation", "eval") for end in ("", "_score")),
    "accuracy", "accuracy_score", *(f"{part}_accuracy{end}" for part in ("training", "train") for end in ("", "_score")),
]  # fmt: skip
#: Parameters that name the column to predict.
_LABEL_PARAMETERS = ("target", "label", "target_column", "label_column", "target_name", "label_name", "y_column")


class _Left(Exception):
    """A model version that can't be taken; the message is the reason."""


def log_sketch(
    data: Any,
    *,
    exclude: Sequence[str] = (),
    hide_excluded: bool = False,
    hub: Hub | str | os.PathLike[str] | None = None,
    run_id: str | None = None,
    read: Mapping[str, Any] | None = None,
) -> str:
    """Log the sketch of training data as an artifact of a run, so that its models can be imported without the data.

    data, exclude, hide_excluded, read: as of ``Hub.register``. hub: whose format and salt the sketch is to have, by default
    those of a hub with default settings. run_id: by default the active run. Returns where the artifact is,
    runs:/RUN/modelhub/....

    Raises DatasetError, OptionError (no run), ExtraError.
    """
    from modelhub_sql.hub import Hub, connect

    mlflow = extra("mlflow", "mlflow")
    run = run_id or getattr(getattr(mlflow.active_run(), "info", None), "run_id", None)
    if run is None:
        raise OptionError("no run of MLflow is active: call log_sketch within mlflow.start_run(), or give run_id")
    place = f"modelhub/training{SKETCH_FILE}"
    with ExitStack() as stack:
        if not isinstance(hub, Hub):
            hub = stack.enter_context(connect() if hub is None else connect(hub, read_only=True))
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        written = hub.sketch(data, exclude=exclude, hide_excluded=hide_excluded, read=read).save(Path(folder) / Path(place).name)
        client = mlflow.MlflowClient()
        client.log_artifact(run, written, str(Path(place).parent))
        client.set_tag(run, _SKETCH_TAG, place)
    return f"runs:/{run}/{place}"


def import_models(
    hub: Hub,
    tracking_uri: str | None = None,
    *,
    experiment: Sequence[str] = (),
    exclude: Sequence[str] = (),
    hide_excluded: bool = False,
    accuracy: str | None = None,
    dry_run: bool = False,
    tag: bool = False,
    progress: bool = False,
) -> Result:
    """Register the model versions of an MLflow registry by their training data, those that the hub does not know yet.

    tracking_uri: of MLflow (sqlite:///mlflow.db, http://...), or the file of its database; by default that of the session.
    experiment: only models of runs of these experiments.
    exclude: columns to leave out, besides the labels that MLflow knows; one may be absent from a dataset.
    hide_excluded: do not keep the names of the excluded columns.
    accuracy: the metric that is the accuracy, by default accuracy, test_accuracy, val_accuracy and the like.
    dry_run: register nothing, say what would be.
    tag: tag each version in MLflow with the hub that knows it.
    progress: show a progress bar on stderr.

    Each model is a transaction of its own: an import that is broken off goes on where it was. Returns a row for each model
    version: what became of it, by which data, and what is to be said of it, the reason where it was left out.
    Raises OptionError (no such store or experiment), ExtraError and HubError.
    """
    import pyarrow as pa

    from modelhub_sql.rendering import tracked
    from modelhub_sql.result import Result

    mlflow = extra("mlflow", "mlflow")
    uri = _store(tracking_uri or mlflow.get_tracking_uri())
    try:
        client = mlflow.MlflowClient(tracking_uri=uri, registry_uri=uri if tracking_uri else None)
        registry = _Registry(mlflow, client, uri, _experiments(client, experiment))
        importing = _Importing(hub, registry, exclude, hide_excluded, accuracy, dry_run, tag)
        rows = [
            row for entry in tracked(list(registry.entries()), "Importing", progress) if (row := importing.one(entry)) is not None
        ]
    except mlflow.exceptions.MlflowException as error:
        raise OptionError(f"MLflow at {_without_password(uri)}: {_short(error)}") from error
    types = {"excluded": pa.list_(pa.string()), "accuracy": pa.float64()}
    names = ("model", "version", "outcome", "dataset", "excluded", "accuracy", "note")
    columns = {name: pa.array([row.get(name) for row in rows], types.get(name, pa.string())) for name in names}
    result = Result(hub.con, pa.table(columns))
    outcomes = [row["outcome"] for row in rows]
    result.summary = ", ".join(f"{outcomes.count(each)} {each}" for each in dict.fromkeys(outcomes)) or "no models"
    return result


@dataclass
class _Importing:
    """An import with its options, as of ``import_models``."""

    hub: Hub
    registry: _Registry
    exclude: Sequence[str]
    hide_excluded: bool
    accuracy: str | None
    dry_run: bool
    tag: bool
    #: Digest, source and exclusions of the models that this import has registered, and a model of each.
    _done: dict[tuple[str | None, str, tuple[str, ...]], tuple[str, str]] = field(default_factory=dict)

    def one(self, entry: Any) -> dict[str, Any] | None:
        """What became of a model version; None where it is of another experiment."""
        name, number = entry.name, str(entry.version)
        row: dict[str, Any] = {"model": name, "version": number, "outcome": "left out"}
        try:
            version = self.registry.looked_up(entry)
            if version is None:
                return None
            known = _known(self.hub, name, number)
            if known is not None:
                if known.get("run") != version.run.info.run_id:
                    raise _Left("the hub has another model of that name and version")
                return row | {"outcome": "known already"}
            with tempfile.TemporaryDirectory() as folder:
                data = _training_data(self.registry, version, folder)
                row["dataset"] = data.source
                left, notes = _left_out(self.hub, data.dataset, version, self.exclude)
                found, said = _accuracy(version, self.accuracy)
                row |= {"excluded": left, "accuracy": found}
                told: dict[str, Any] = dict(
                    version=number, accuracy=found, task=_task(version), framework=_framework(version.model),
                    uri=f"models:/{name}/{number}", metadata={"mlflow": _metadata(version, self.registry.uri, data)},
                )  # fmt: skip
                if self.dry_run:
                    row["outcome"] = "to be registered"
                else:
                    if same := self._of_same_data(data, left):
                        self.hub.register(name, like=same[0], like_version=same[1], **told)
                    else:
                        self.hub.register(name, data.dataset, exclude=left, hide_excluded=self.hide_excluded, **told)
                    self._done[data.digest, data.source, tuple(left)] = (name, number)
                    row["outcome"] = "registered"
                    if self.tag:
                        try:
                            self.registry.client.set_model_version_tag(
                                name, number, _HUB_TAG, self.hub.path if self.hub._shared else os.path.abspath(self.hub.path)
                            )
                        except self.registry.mlflow.exceptions.MlflowException as error:
                            said.append(f"the registry takes no tag: {_short(error)}")
                    said += _changed(self.hub, name, number, data)
                row["note"] = "; ".join(notes + said) or None
        except (_Left, HubError) as error:
            return row | {"note": _short(error)}
        return row

    def _of_same_data(self, data: _Data, exclude: list[str]) -> tuple[str, str] | None:
        """A model of the hub whose sketch is of the same data: of one digest, source and exclusions."""
        if data.digest is None or isinstance(data.dataset, Dataset):
            return None
        if self.hide_excluded and exclude:
            # What others exclude whose names are not kept, the hub can't say.
            return self._done.get((data.digest, data.source, tuple(exclude)))
        rows = _asked(
            self.hub,
            "SELECT model, version FROM {0}.models JOIN {0}.datasets AS d USING (dataset_id) "
            "WHERE d.source = $source AND excluded = $exclude AND json_valid(metadata) "
            "AND json_extract_string(metadata, '$.mlflow.digest') = $digest LIMIT 1",
            {"source": said_of(data.source), "exclude": exclude, "digest": data.digest},
        )
        return rows[0] if rows else None


# -- what MLflow knows ----------------------------------------------------------------


class _Registry(NamedTuple):
    """A registry that is read. experiments: names by id, None where all are wanted."""

    mlflow: Any
    client: Any
    uri: str
    experiments: dict[str, str] | None

    def entries(self) -> Iterator[Any]:
        """The model versions, each model's in order."""
        found, token = [], None
        while token != "":
            page = self.client.search_model_versions(page_token=token)
            found += page
            token = page.token or ""
        return iter(sorted(found, key=lambda entry: (entry.name, int(entry.version))))

    def looked_up(self, entry: Any) -> _Version | None:
        """What is known of a version; None where it is of another experiment. Raises _Left."""
        logged = self._logged_model(entry)
        run_id = entry.run_id or getattr(logged, "source_run_id", None)
        try:
            run = self.client.get_run(run_id) if run_id else None
        except self.mlflow.exceptions.MlflowException as error:
            raise _Left(f"its run can't be read: {_short(error)}") from error
        if self.experiments is not None and (run is None or run.info.experiment_id not in self.experiments):
            return None
        if run is None:
            raise _Left("it was registered without a run, so that its training data is not known")
        model = self._model(logged.artifact_location if logged is not None else entry.source)
        experiment = self.client.get_experiment(run.info.experiment_id).name
        aliases = self.client.get_model_version(entry.name, entry.version).aliases
        return _Version(entry, run, experiment, logged, model, list(aliases))

    def artifact(self, uri: str, folder: str) -> str:
        """A copy of an artifact in a folder; its path. Raises _Left."""
        try:
            got = self.mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=folder, tracking_uri=self.uri)
        except (self.mlflow.exceptions.MlflowException, OSError) as error:
            raise _Left(f"{uri} can't be read: {_short(error)}") from error
        return str(got)

    def _logged_model(self, entry: Any) -> Any:
        # models:/m-...: of a model that was logged in MLflow 3; models:/name/version are no such.
        logged = re.fullmatch(r"models:/(m-[^/]+)", entry.source or "")
        if logged is None:
            return None
        try:
            return self.client.get_logged_model(logged[1])
        except self.mlflow.exceptions.MlflowException:
            return None

    def _model(self, source: str | None) -> Any:
        """The MLmodel of a model's folder, None where there is none."""
        with tempfile.TemporaryDirectory() as folder:
            try:
                return extra("mlflow.models", "mlflow").Model.load(self.artifact(f"{source}/MLmodel", folder))
            except (_Left, self.mlflow.exceptions.MlflowException, OSError, ValueError):
                return None


class _Version(NamedTuple):
    """A model version and its run. logged: the model of MLflow 3. model: the MLmodel. Both None where there is none."""

    entry: Any
    run: Any
    experiment: str
    logged: Any
    model: Any
    aliases: list[str]


class _Data(NamedTuple):
    """What a model was trained on. dataset: for ``register``. source: what it is called. digest, rows: as MLflow has them."""

    dataset: Any
    source: str
    digest: str | None
    rows: int | None


def _training_data(registry: _Registry, version: _Version, folder: str) -> _Data:
    """The sketch that the run logged, or else the files of its training inputs. Raises _Left."""
    inputs = _training_inputs(version.run)
    digest = "+".join(each.digest for each in inputs) or None
    rows = [number for each in inputs if isinstance(number := _json(each.profile).get("num_rows"), int)]
    counted = sum(rows) if inputs and len(rows) == len(inputs) else None
    if place := version.run.data.tags.get(_SKETCH_TAG):
        source = f"runs:/{version.run.info.run_id}/{place}"
        return _Data(Dataset(registry.artifact(source, folder), source), source, digest, counted)
    if not inputs:
        others = sorted({_context(each) for each in version.run.inputs.dataset_inputs} - {""})
        logged = f"only datasets for {', '.join(others)}" if others else "no dataset"
        raise _Left(
            f"its run logged {logged}: log the training data in it, mlflow.log_input(..., context='training'), "
            "or its sketch, modelhub_sql.mlflow.log_sketch(data)"
        )
    files = [_file(each) for each in inputs]
    return _Data(files[0] if len(files) == 1 else files, ", ".join(files), digest, counted)


def _training_inputs(run: Any) -> list[Any]:
    """The datasets that a run was trained on: those that say so, or else the only one, where it says nothing."""
    inputs = list(run.inputs.dataset_inputs) if run.inputs else []
    training = [each.dataset for each in inputs if _context(each) in _TRAINING]
    if not training and len(inputs) == 1 and not _context(inputs[0]):
        training = [inputs[0].dataset]
    return training


def _context(logged: Any) -> str:
    return next((str(tag.value).lower() for tag in logged.tags if tag.key == "mlflow.data.context"), "")


def _file(dataset: Any) -> str:
    """The file or address of a logged dataset. Raises _Left."""
    source = _json(dataset.source)
    uri = next((source[key] for key in ("uri", "url") if isinstance(source.get(key), str)), None)
    if uri is None:
        raise _Left(
            f"its dataset {dataset.name} is not a file (source {dataset.source_type}): "
            "log a sketch in the run, modelhub_sql.mlflow.log_sketch(data)"
        )
    if uri.startswith("file:"):
        uri = unquote(urlsplit(uri).path)
    if "://" not in uri and not os.path.exists(uri) and not any(sign in uri for sign in "*?["):
        raise _Left(f"its data is not here: {uri}")
    return uri


def _json(text: str | None) -> dict[str, Any]:
    try:
        found = json.loads(text or "{}")
    except json.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


# -- what the hub is told -------------------------------------------------------------


def _left_out(hub: Hub, dataset: Any, version: _Version, exclude: Sequence[str]) -> tuple[list[str], list[str]]:
    """The columns to exclude, and what is to be said of that.

    With a signature, all but its inputs; without, what the parameters of the run name as the label.
    """
    given = [column if column.endswith("?") or "*" in column else f"{column}?" for column in exclude]
    if isinstance(dataset, Dataset) or (isinstance(dataset, str) and is_sketch(dataset)):
        return given, []
    columns = hub.columns_of(dataset)
    signature = getattr(version.model, "signature", None)
    inputs = signature.inputs.input_names() if signature is not None and signature.inputs is not None else []
    if inputs and all(isinstance(each, str) for each in inputs):
        used = {column for column in columns if any(column == each or column.startswith(f"{each}.") for each in inputs)}
        if used:
            unused = [column for column in columns if column not in used]
            return [*unused, *(each for each in given if each.rstrip("?") not in unused)], []
    logged = {
        spec["name"]
        for each in _training_inputs(version.run)
        for spec in _json(each.schema).get("mlflow_colspec", [])
        if isinstance(spec, dict) and "name" in spec
    }
    labels = {value for key, value in version.run.data.params.items() if key.lower() in _LABEL_PARAMETERS}
    left = [
        column
        for column in columns
        if column in labels or (logged and not any(column == each or column.startswith(f"{each}.") for each in logged))
    ]
    said = [] if labels & set(columns) or given else ["which column is the label is not known: no signature, no parameter target"]
    return [*left, *(each for each in given if each.rstrip("?") not in left)], said


def _accuracy(version: _Version, metric: str | None) -> tuple[float | None, list[str]]:
    """The accuracy among the metrics of the run, and what is to be said of it."""
    metrics = {each.key: each.value for each in getattr(version.logged, "metrics", None) or []} | version.run.data.metrics
    if metric is not None and metric not in metrics:
        return None, [f"no metric {metric}: there are {', '.join(sorted(metrics)) or 'none'}"]
    name = metric or next((each for each in _ACCURACIES if each in metrics), None)
    if name is None:
        return None, []
    if not 0 <= metrics[name] <= 1:
        return None, [f"{name} is {metrics[name]:.6g}, which is no accuracy in [0, 1]"]
    return float(metrics[name]), []


def _metadata(version: _Version, uri: str, data: _Data) -> dict[str, Any]:
    metrics = version.run.data.metrics
    known = dict(
        tracking_uri=_without_password(uri), experiment=version.experiment, run=version.run.info.run_id, digest=data.digest,
        metrics={name: value for name, value in metrics.items() if math.isfinite(value)}, aliases=version.aliases,
        tags=dict(version.entry.tags or {}), description=version.entry.description,
    )  # fmt: skip
    return {name: value for name, value in known.items() if value not in (None, {}, [], "")}


def _framework(model: Any) -> str | None:
    return next((flavor for flavor in getattr(model, "flavors", None) or {} if flavor != "python_function"), None)


def _task(version: _Version) -> str | None:
    flavors = getattr(version.model, "flavors", None) or {}
    of_flavor = next((flavor["task"] for flavor in flavors.values() if isinstance(flavor.get("task"), str)), None)
    return (version.entry.tags or {}).get("task") or version.run.data.tags.get("task") or of_flavor


def _known(hub: Hub, model: str, version: str) -> dict[str, Any] | None:
    """What the import that registered a version told of it; empty for a model of other origin, None for none."""
    rows = _asked(hub, "SELECT metadata FROM {0}.models WHERE model = ? AND version = ?", [model, version])
    if not rows:
        return None
    told = _json(rows[0][0]).get("mlflow")
    return told if isinstance(told, dict) else {}


def _changed(hub: Hub, model: str, version: str, data: _Data) -> list[str]:
    """A word where the data is not what MLflow saw."""
    ((rows,),) = _asked(
        hub,
        "SELECT rows FROM {0}.models JOIN {0}.datasets USING (dataset_id) WHERE model = ? AND version = ?",
        [model, version],
    )
    if data.rows is None or data.rows == rows:
        return []
    return [f"the data has {rows} rows, {data.rows} when it was logged"]


def _asked(hub: Hub, query: str, parameters: Any) -> list[tuple[Any, ...]]:
    """Rows of the hub's own tables, whatever the user's connection calls so."""
    with hub._lock:
        return hub._own.execute(query.format(f"{hub._place.tables}._hub"), parameters).fetchall()


# -- the store ------------------------------------------------------------------------


def _store(uri: str) -> str:
    """The uri of a store that is there: MLflow would make a database at a name that is mistyped. Raises OptionError."""
    if uri in ("databricks", "databricks-uc") or uri.startswith(("databricks:", "uc:")):
        return uri
    path = uri.removeprefix("sqlite:///") if uri.startswith("sqlite:") else None if "://" in uri else uri.removeprefix("file:")
    if path is None or (not path and "://" in uri):
        return uri
    if not os.path.exists(path):
        raise OptionError(f"there is no MLflow store at {uri}")
    is_database = uri.startswith("sqlite:") or Path(path).is_file()
    return f"sqlite:///{os.path.abspath(path)}" if is_database else os.path.abspath(path)


def _experiments(client: Any, names: Sequence[str]) -> dict[str, str] | None:
    """Ids of experiments; None for all. Raises OptionError."""
    found = {}
    for name in names:
        experiment = client.get_experiment_by_name(name)
        if experiment is None:
            there = ", ".join(sorted(each.name for each in client.search_experiments()))
            raise OptionError(f"MLflow has no experiment {name!r}; there are {there:.500}")
        found[experiment.experiment_id] = name
    return found or None


def _without_password(uri: str) -> str:
    return re.sub(r"//[^/@]*@", "//", uri)


def _short(error: BaseException) -> str:
    return " ".join(str(error).split())[:400]
