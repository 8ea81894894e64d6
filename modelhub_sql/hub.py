"""The library: each verb checks, runs the SQL of its name, and returns."""

from __future__ import annotations

import json
import os
import re
import threading
import warnings
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from decimal import Decimal
from difflib import get_close_matches
from functools import wraps
from numbers import Real
from types import NoneType, TracebackType
from typing import Any, Concatenate, Literal, NamedTuple, ParamSpec, TypeVar

import duckdb

from modelhub_sql import datasets, logic, manifest, searching
from modelhub_sql.arguments import described
from modelhub_sql.datasets import Dataset
from modelhub_sql.errors import DatasetError, HubError, HubForkedError, OptionError, translated
from modelhub_sql.file import File
from modelhub_sql.opening import lay_macros, opened, upgrade, upgrade_script
from modelhub_sql.result import Result, Rows, Sketch
from modelhub_sql.visible import visible

__all__ = ["Hub", "connect"]

P = ParamSpec("P")
R = TypeVar("R")

# So many datasets are worth a group of rows of their own; fewer are merged with others when the hub is closed.
_OWN_GROUP = 10

#: Connections of hubs that were opened before a fork: theirs is the other process.
_LEFT: list[tuple[duckdb.DuckDBPyConnection, duckdb.DuckDBPyConnection]] = []

#: Options that are on or off; off is as if they were not given.
_FLAGS = ("all_models", "details", "latest")

#: What sql/sketch/30_left_out.sql says of a column.
_KEY = re.compile(r" \((numbers the rows|a key: each text is another|an index of pandas)\)$")

RankBy = Literal["distance", "adaptivity", "coverage", "js", "l2", "kl_target_source", "kl_source_target", "source_accuracy"]
Features = Literal["names", "values"]
SampleSpace = Literal["aligned", "flattened"]
Metric = Literal["accuracy", "f1", "r2"]
SearchMethod = Literal["auto", "exact", "lsh"]


def connect(path: str | os.PathLike[str] = ":memory:", *, read_only: bool = False, wait: float = 0, **settings: Any) -> Hub:
    """Open the hub at ``path``, or make one where there is none.

    path: a file, or ":memory:". read_only: search only; any number of processes may.
    wait: so many seconds for another process to close the hub, where one of the two writes.
    settings: of a new hub, see ``Settings``; for an existing hub they must be what it has.

    Raises HubNotFoundError (read_only, and no file), HubFormatError (not a hub, or of a newer
    format), HubAccessError (no permission), HubLockedError (another process writes) and SettingsError.
    """
    return Hub(path, read_only=read_only, wait=wait, **settings)


def _in_turn(method: Callable[Concatenate[Hub, P], R]) -> Callable[Concatenate[Hub, P], R]:
    """A method that threads which share the hub call one after the other."""

    @wraps(method)
    def waiting(hub: Hub, /, *args: P.args, **named: P.kwargs) -> R:
        hub._check_process()
        with hub._lock:
            return method(hub, *args, **named)

    return waiting


class Layout(NamedTuple):
    """The columns of a dataset that are not excluded. nested: whether there are structs, whose leaves they are.

    columns: name, type, and form of the cells, None where they can't be compared.
    """

    nested: bool
    columns: list[tuple[str, str, str | None]]

    @property
    def forms(self) -> list[str]:
        """The forms that occur."""
        return sorted({form for *_, form in self.columns if form is not None})


class Hub:
    """A hub: sketches of training data, the models trained on them, and the search.

    A context manager; ``con`` is a DuckDB connection for statements of your own, where the hub's tables are views
    (``FROM models``) and ``find_models`` is a macro. The hub's verbs run on a connection apart, where nothing that you
    name there can be taken for theirs. Threads may share a hub: they take turns.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] = ":memory:",
        *,
        read_only: bool = False,
        wait: float = 0,
        _numpy: bool = True,
        **settings: Any,
    ) -> None:
        # _numpy: whether the numpy functions are worth their import.
        self.path = os.fspath(path)
        self._process = os.getpid()
        self._con, self._own, self._place, held = opened(self.path, read_only, settings, _numpy, wait)
        self._file = None if held is None else File(self._own, self._con, self._place.tables, self.path, held, read_only)
        # A hub that is let go of, or open at the end of the program, is closed as well.
        self._closing = weakref.finalize(self, _close, self._own, self._con, self._file, self._process)
        self._numpy = _numpy
        self._has_macros = False
        self._registered = 0
        self._sketched: Any = None
        self._taken: frozenset[str] = frozenset()
        self._lock = threading.RLock()

    @property
    def con(self) -> duckdb.DuckDBPyConnection:
        """The connection for statements of your own."""
        self._check_process()
        with self._lock:
            if not self._has_macros:
                lay_macros(self._own, self._place, self._numpy)
                self._has_macros = True
        return self._con

    def __enter__(self) -> Hub:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; the hub stays as it is."""
        if self._registered < _OWN_GROUP and self._process == os.getpid():
            # Already closed, or read only: nothing is left to write.
            with suppress(duckdb.Error):
                self._own.execute("RESET max_vacuum_tasks")
        self._closing()

    def __repr__(self) -> str:
        return f"Hub({self.path!r})"

    def _repr_html_(self) -> str:
        from modelhub_sql import notebook

        models = self.models()
        shown = ["model", "version", "source_accuracy", "task", "framework", "rows", "registered_at"]
        rows = [[row[name] for name in shown] for row in models.dicts()]
        return notebook.page(shown, rows, f"Hub {self.path}: {len(rows)} models")

    # -- register, remove ---------------------------------------------------------------

    @_in_turn
    def register(
        self,
        name: str,
        dataset: Any = None,
        *,
        exclude: Sequence[str] = (),
        accuracy: float | None = None,
        accuracy_rows: int | None = None,
        version: str | None = None,
        task: str | None = None,
        framework: str | None = None,
        uri: str | os.PathLike[str] | None = None,
        metadata: Mapping[str, Any] | None = None,
        like: str | None = None,
        like_version: str | None = None,
        source: str | None = None,
        replace: bool = False,
        read: Mapping[str, Any] | None = None,
    ) -> None:
        """Register a model by the data that it was trained on. One transaction: all or nothing.

        name: what the model is called.
        dataset: a file or glob (parquet, csv, json), a list of files, a table or view of the hub's connection, or an Arrow
            table or stream, pandas or polars DataFrame, numpy matrix (rows x features), Hugging Face dataset, dict of columns,
            list of dicts or DuckDB relation. Only a sketch is kept.
        exclude: columns to leave out of the sketch (label, id): a column of a struct by its path (buyer.age), a pattern
            (*_id), or a name that may be absent (label?).
        accuracy: on the source dataset, in [0, 1].
        accuracy_rows: rows that it was measured on, by default as many as the dataset has.
        version: of the model; a version may be registered once.
        task: what the model does.
        framework: what the model runs on.
        uri: where the model is.
        metadata: anything else that JSON can hold.
        like: instead of a dataset, a registered model that was trained on the same data.
        like_version: which version of it, by default the latest.
        source: what the hub is to say of where the data are from; by default the file's name, without its folders.
        replace: allow the name and version to be registered already, and replace them.
        read: options of DuckDB's reader of files, as delim, encoding, nullstr of a csv.

        Raises DatasetError, ModelExistsError, ModelNotFoundError (``like``), OptionError.
        """
        given = {name: value for name, value in locals().items() if name != "self"}
        with self._transaction():
            self._register_one({}, given)
        self._registered += 1

    @_in_turn
    def register_many(self, models: Any, *, progress: bool = False) -> int:
        """Register many models in one transaction; returns how many.

        models: mappings with the arguments of ``register``, or a manifest: a file, table or
            DataFrame with columns of those names (at least ``name`` and ``dataset`` or
            ``like``). Paths and globs in a manifest file are relative to it; what a csv says is
            text, version 1.10 too. Models of the same dataset and exclusions share its sketch.
        progress: show a progress bar on stderr.
        """
        rows: Iterable[dict[str, Any]] = self._manifest(models)
        if progress:
            from rich.console import Console
            from rich.progress import track

            rows = track(rows, "Registering", console=Console(stderr=True))
        registered: dict[tuple[str, tuple[str, ...], str | None], int] = {}
        count = 0
        with self._transaction():
            for row in rows:
                count += 1
                try:
                    self._register_one(registered, row)
                except HubError as error:
                    raise type(error)(f"model {count} ({row['name']!s:.200}): {error}") from error
        self._registered += count
        return count

    @_in_turn
    def append(self, name: str, dataset: Any, *, version: str | None = None, read: Mapping[str, Any] | None = None) -> int:
        """Add new rows to the dataset that a model was trained on; returns the rows that it has now. One transaction.

        name: of a registered model. Every model that shares its dataset is meant.
        dataset, read: the new rows, as of ``register``; what was excluded is excluded. The old rows are not needed.
        version: of the model; by default the latest.

        New rows are counted in the bins of the old; a column that is new, or is missing now, is missing in the other rows.
        Raises ModelNotFoundError, and DatasetError where a column is of another kind than it was.
        """
        from modelhub_sql import merging

        with self._transaction():
            total = merging.append(self, name, version, dataset, read)
        self._registered += 1
        return total

    @_in_turn
    def remove(self, name: str, version: str | None = None, *, dry_run: bool = False) -> list[tuple[str, str]]:
        """Remove a model, and the sketch that no model is left to use; returns what was removed, model and version.

        name: of a model, or a pattern (beer*) where no model is called so.
        version: only this one; by default all.
        dry_run: remove nothing, say what would be.

        One transaction. Raises ModelNotFoundError.
        """
        from modelhub_sql import keeping

        found = keeping.matching(self, name, version)
        if not dry_run:
            with self._transaction():
                for model, its_version in found:
                    self._run_verb("remove", model=model, version=its_version)
        return found

    @_in_turn
    def update(
        self,
        name: str,
        *,
        version: str | None = None,
        accuracy: float | None = None,
        accuracy_rows: int | None = None,
        task: str | None = None,
        framework: str | None = None,
        uri: str | os.PathLike[str] | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Change what is known of a model; what is not given stays, and so does its sketch.

        name: of a registered model.
        version: of the model; by default the latest.
        accuracy: on the source dataset, in [0, 1].
        accuracy_rows: rows that it was measured on.
        task: what the model does.
        framework: what the model runs on.
        uri: where the model is.
        metadata: anything else that JSON can hold.

        Raises ModelNotFoundError and OptionError.
        """
        given = {name: value for name, value in locals().items() if name not in ("self", "name", "version")}
        from modelhub_sql import keeping

        with self._transaction():
            keeping.update(self, name, version, given)

    @_in_turn
    def sync(
        self,
        /,
        models: Any,
        *,
        exclude: Sequence[str] | None = None,
        remove: bool = False,
        dry_run: bool = False,
        **defaults: Any,
    ) -> Result:
        """Bring the hub in line with a manifest: a row for each model, what was done with it (``action``) and why.

        models: a manifest, as of ``register_many``.
        exclude: columns to leave out of each dataset whose row of the manifest has no exclude.
        remove: remove models of the hub that the manifest does not have; by default they are listed as gone and stay.
        dry_run: change nothing, say what would be.
        defaults: of other arguments of ``register``, as task, for rows that do not have them.

        A model is *new*; *changed*, its data is another, is newer than its sketch or excludes other columns (sketched again);
        *updated*, only what is known of it (accuracy, task ...) is another; *same*; or *gone*. One transaction. The result's
        ``summary`` counts them. Raises OptionError with the errors of all rows.
        """
        from modelhub_sql import keeping

        unknown = [name for name in defaults if name not in described(Hub.register) or name in ("name", "dataset", "like")]
        if unknown:
            raise OptionError(f"no default is called {unknown[0]!r}: defaults are arguments of register")
        given = defaults if exclude is None else {**defaults, "exclude": _columns(exclude)}
        return keeping.sync(self, models, given, remove, dry_run)

    @_in_turn
    def export(self, name: str, path: str | os.PathLike[str], *, version: str | None = None) -> str:
        """Write the sketch of a model's dataset to a sketch file, which is taken wherever a dataset is; returns its path.

        name: of a registered model.
        path: must end in .sketch.parquet.
        version: of the model; by default the latest.

        Raises ModelNotFoundError.
        """
        from modelhub_sql import exchange

        return exchange.exported(self, name, version).save(path)

    @_in_turn
    def import_hub(
        self, other: str | os.PathLike[str], *, models: Sequence[str] = (), replace: bool = False, dry_run: bool = False
    ) -> Result:
        """Take over models of another hub, with their sketches: a row for each, what was done (``action``) and why.

        other: a hub of the same format, seed and salt. Nothing of it but its tables is read.
        models: names or patterns (beer*); by default all.
        replace: take also those whose name and version are registered here with something else; by default they are left.
        dry_run: change nothing, say what would be.

        One transaction. Raises HubFormatError and ModelNotFoundError.
        """
        from modelhub_sql import exchange

        with self._transaction():
            result = exchange.import_hub(self, other, _columns(models), replace, dry_run)
        self._registered += sum(action in ("new", "replaced") for _, _, action, _ in result.fetchall()) if not dry_run else 0
        return result

    @_in_turn
    def set(
        self,
        *,
        features: Features | None = None,
        min_overlap: float | None = None,
        min_jaccard: float | None = None,
        max_js: float | Literal["auto"] | None = None,
        min_adaptivity: float | None = None,
        sample_space: SampleSpace | None = None,
        rank_by: RankBy | None = None,
        search: SearchMethod | None = None,
        auto_models: float | None = None,
        max_candidates: int | None = None,
    ) -> None:
        """Change what a search does unless it is told otherwise; what is not given stays (``FROM settings``).

        Arguments as of ``find_models``, and
        auto_models: about how many models an automatic max_js lets match.
        max_candidates: datasets, nearest first, whose partitions are compared.

        Raises OptionError.
        """
        given = {name: value for name, value in locals().items() if name != "self"}
        with self._transaction():
            self._run_verb("set", **{name: _plain(value) for name, value in given.items()})

    @_in_turn
    def upgrade(self) -> bool:
        """Bring the logic that the file carries, for clients without this package, to this version's; whether it was another.

        Searching from Python does not need it. One transaction.
        """
        try:
            return upgrade(self._own, self._place)
        except duckdb.Error as error:
            raise translated(error) from error

    def upgrade_script(self) -> str:
        """What ``upgrade`` does, as a script that any DuckDB client can run in the hub."""
        with self._lock:
            return upgrade_script(self._own, self._place)

    # -- search -----------------------------------------------------------------------

    def find_models(
        self,
        target: Any,
        *,
        exclude: Sequence[str] = (),
        top: int | None = None,
        all_models: bool = False,
        details: bool = False,
        task: str | None = None,
        framework: str | None = None,
        latest: bool = False,
        where: str | None = None,
        features: Features | None = None,
        min_overlap: float | None = None,
        min_jaccard: float | None = None,
        max_js: float | Literal["auto"] | None = None,
        min_adaptivity: float | None = None,
        max_divergence: float | None = None,
        sample_space: SampleSpace | None = None,
        rank_by: RankBy | None = None,
        search: SearchMethod | None = None,
        max_candidates: int | None = None,
        read: Mapping[str, Any] | None = None,
    ) -> Result:
        """The models related to a target, best first: ``FROM find_models(target, ...)``.

        target: as ``dataset`` of ``register``; nothing of it is stored.
        exclude: columns to leave out (label, id).
        top: at most so many models.
        all_models: ranked by distance, list those whose verdict is far, too; by default only the nearest where all are.
        details: compare partitions, too, and show all columns; so does any option that says how they are compared.
        task: search only models of this task.
        framework: search only models of this framework.
        latest: search only the latest version of each model.
        where: search only models for which this holds, SQL over the columns of ``models()`` (source_accuracy > 0.9).
        features: names (features of one name are compared, others where they are alike) or values (Def. 3 to the letter).
        min_overlap: share of the target's features that a model must have, t1 (Def. 3), in [0, 1].
        min_jaccard: features of different names are the same above this similarity, t2 (Def. 3), in [0, 1].
        max_js: two partitions match up to this JS divergence, t (Def. 2), in (0, ln 2], or auto.
        min_adaptivity: least adaptivity of a model, t_adaptivity (Def. 4), 0 or above.
        max_divergence: greatest JS divergence of a model's whole dataset, 0 or above.
        sample_space: feature by feature (aligned), or all in one (flattened).
        rank_by: what decides the order.
        search: how partitions are compared.
        max_candidates: datasets, nearest first, whose partitions are compared; at least top.
        read: options of DuckDB's reader of files, as of ``register``.

        Each option is the hub's default where it is not given. No model above the thresholds: no rows. The answer in a
        sentence is the result's ``summary``. Warns where a given max_js is too close to sampling noise.
        Raises DatasetError and OptionError.
        """
        options = {name: value for name, value in locals().items() if name not in ("self", "target", "exclude", "read")}
        result = self._search("found_model", target, exclude=exclude, options=options, also="search_summary", read=read)
        if "warning" in result.columns:
            for message in dict.fromkeys(row["warning"] for row in result.dicts() if row["warning"]):
                warnings.warn(message, stacklevel=2)
        return result

    def try_models(
        self,
        target: Any,
        *,
        label: str,
        top: int = 5,
        rows: int = 50,
        exclude: Sequence[str] = (),
        metric: Metric | None = None,
        timeout: float = 60,
        safe: bool = False,
        load: Callable[[dict[str, Any]], Any] | None = None,
        read: Mapping[str, Any] | None = None,
    ) -> Result:
        """The first models of a search loaded, run on labelled rows of the target and measured, the best first.

        Loading a model runs the code that is in it, unless its format is onnx or skops (``safe``).

        target, exclude, read: as of ``find_models``.
        label: the column to predict; rows where it is missing are not used to measure.
        top: models, the first of the search, that are tried.
        rows: labelled rows that they are run on, drawn at random.
        metric: what is measured; by default accuracy, and r2 where the label is a measured number.
        timeout: seconds that a model may take to be loaded and run, each in a process of its own.
        safe: only formats that run no code, onnx and skops.
        load: instead of the uri, a function of the model (a row of ``find_models``) that returns what has ``predict``, or a
            function of a pandas DataFrame.

        A model's uri names a file (.onnx, .skops, .joblib, .pkl), a folder with one, or an MLflow model. Returns a row for each
        model: score, the interval (low, high) that holds the score of all rows 95 times of 100, and what the search said; where
        it could not be run, the problem. The ``summary`` says which is best, and about how many rows would tell it from the
        second. Raises DatasetError, OptionError and ExtraError.
        """
        from modelhub_sql import trying

        given = {name: value for name, value in locals().items() if name not in ("self", "trying", "target")}
        return trying.try_models(self, target, **given)

    def find_datasets(
        self,
        target: Any,
        *,
        exclude: Sequence[str] = (),
        top: int | None = None,
        features: Features | None = None,
        min_overlap: float | None = None,
        min_jaccard: float | None = None,
        max_divergence: float | None = None,
        read: Mapping[str, Any] | None = None,
    ) -> Result:
        """The datasets of the hub that are like a target, nearest first: ``FROM find_datasets(target, ...)``.

        target, exclude, features, min_overlap, min_jaccard, max_divergence, read: as of ``find_models``.
        top: at most so many datasets.

        Only the data is looked at: which of our tables is like this one? Returns a row for each dataset that shares features
        with the target: verdict, distance, overlap, and the models that were trained on it.
        Raises DatasetError and OptionError.
        """
        options = dict(
            top=top, features=features, min_overlap=min_overlap, min_jaccard=min_jaccard, max_divergence=max_divergence
        )
        return self._search("found_dataset", target, exclude=exclude, options=options, read=read)

    @_in_turn
    def dataset_pairs(self) -> Result:
        """All datasets of the hub against all, nearest first: ``FROM dataset_pairs``.

        A row for each two that share features of one name: how far the second (``dataset``) is, as a whole, from the first as
        the target; so there is a row for each direction. A distance is as ``find_models`` measures it, except that a feature
        of another name counts as missing, however alike it is.
        """
        try:
            # It lays the view.
            _ = self.con
            return self._result(
                f"FROM {self._place.logic}.main.dataset_pairs ORDER BY distance ASC, target_id ASC, dataset_id ASC"
            )
        except duckdb.Error as error:
            raise translated(error, hub=self.path) from error

    def explain(
        self,
        model: str,
        target: Any,
        *,
        version: str | None = None,
        exclude: Sequence[str] = (),
        features: Features | None = None,
        min_jaccard: float | None = None,
        details: bool = False,
        read: Mapping[str, Any] | None = None,
    ) -> Result:
        """Why a model fits a target: ``FROM explain_features(model, target, ...)``.

        model: name of a registered model.
        version: of the model; by default the latest.
        target, exclude, features, min_jaccard, read: as of ``find_models``.
        details: numbers unrounded, and how each feature was matched, its values, its missing values.

        After a search of the same target it is not sketched again. Returns a row for each feature of the target: what it was
        compared with, by name or by values, how far apart they are, both ranges, and the reason where it was not compared or
        differs. ``explain_model`` tells the model's rank or what dropped it, ``explain_partitions`` how many source
        partitions match each partition of the target.
        Raises ModelNotFoundError, DatasetError and OptionError.
        """
        with self._lock:
            result = self._search(
                "explained_feature",
                target,
                exclude=exclude,
                options=dict(features=features, min_jaccard=min_jaccard, details=details),
                explained=(model, version),
                read=read,
            )
            result.about = model if version is None else f"{model} {version}"
            if self._numpy:
                result.histograms = self._both_sides()
                result.compared = self._result("FROM temp.main.explained_feature").dicts()
        return result

    def compare(
        self,
        model: str,
        other: str,
        target: Any,
        *,
        version: str | None = None,
        other_version: str | None = None,
        exclude: Sequence[str] = (),
        features: Features | None = None,
        min_jaccard: float | None = None,
        read: Mapping[str, Any] | None = None,
    ) -> Result:
        """Two models side by side: ``FROM compare(model, other, target, ...)``.

        model, other: names of registered models.
        version: of the model; by default the latest.
        other_version: of the other; by default the latest.
        target, exclude, features, min_jaccard, read: as of ``find_models``.

        Returns a row for each feature of the target: which model's data is nearer there, both distances, all three ranges and
        reasons; where they differ most comes first. The result's ``summary`` says which is nearer as a whole.
        Raises ModelNotFoundError, DatasetError and OptionError.
        """
        return self._search(
            "compared_model",
            target,
            exclude=exclude,
            options=dict(features=features, min_jaccard=min_jaccard),
            explained=(model, version, other, other_version),
            also="compared_model",
            read=read,
        )

    def explain_model(
        self,
        model: str,
        target: Any,
        *,
        version: str | None = None,
        exclude: Sequence[str] = (),
        top: int | None = None,
        all_models: bool = False,
        task: str | None = None,
        framework: str | None = None,
        latest: bool = False,
        where: str | None = None,
        features: Features | None = None,
        min_overlap: float | None = None,
        min_jaccard: float | None = None,
        max_js: float | Literal["auto"] | None = None,
        min_adaptivity: float | None = None,
        max_divergence: float | None = None,
        sample_space: SampleSpace | None = None,
        rank_by: RankBy | None = None,
        search: SearchMethod | None = None,
        max_candidates: int | None = None,
        read: Mapping[str, Any] | None = None,
    ) -> Result:
        """The model as ``find_models`` judges it: ``FROM explain_model(model, target, ...)``.

        Arguments as of ``explain`` and ``find_models``. Returns one row: its rank and verdict, or which rule dropped it and by
        how much. Raises ModelNotFoundError, DatasetError and OptionError.
        """
        given = ("self", "model", "target", "version", "exclude", "read")
        options = {name: value for name, value in locals().items() if name not in (*given, "given")} | {"details": True}
        return self._search("explained_model", target, exclude=exclude, options=options, explained=(model, version), read=read)

    def explain_partitions(
        self,
        model: str,
        target: Any,
        *,
        version: str | None = None,
        exclude: Sequence[str] = (),
        features: Features | None = None,
        min_overlap: float | None = None,
        min_jaccard: float | None = None,
        max_js: float | Literal["auto"] | None = None,
        sample_space: SampleSpace | None = None,
        search: SearchMethod | None = None,
        max_candidates: int | None = None,
        read: Mapping[str, Any] | None = None,
    ) -> Result:
        """What covers a target: ``FROM explain_partitions(model, target, ...)``.

        Arguments as of ``explain`` and ``find_models``.

        Returns a row for each partition of the target: how many partitions of the model's
        dataset match it. Raises ModelNotFoundError, DatasetError and OptionError.
        """
        options = dict(
            features=features, min_overlap=min_overlap, min_jaccard=min_jaccard, max_js=max_js, sample_space=sample_space,
            search=search, max_candidates=max_candidates, details=True,
        )  # fmt: skip
        return self._search(
            "explained_partition", target, exclude=exclude, options=options, explained=(model, version), read=read
        )

    @_in_turn
    def sketch(self, dataset: Any, *, exclude: Sequence[str] = (), read: Mapping[str, Any] | None = None) -> Sketch:
        """The sketch of a dataset, in the hub's format: all that a hub keeps of it. Nothing is stored.

        dataset, exclude, read: as of ``register``. Returns a row for each feature; ``save`` writes a sketch file, which is
        taken wherever a dataset is. Raises DatasetError.
        """
        self._sketch(dataset, _columns(exclude), read)
        self._own.execute("FROM temp.main.target_sketch ORDER BY feature_id ASC")
        return Sketch(self._con, _fetched(self._own))

    @_in_turn
    def columns_of(self, dataset: Any, *, read: Mapping[str, Any] | None = None) -> list[str]:
        """The columns of a dataset as ``exclude`` knows them: of a struct, its leaves by their path.

        dataset, read: as of ``register``. Raises DatasetError.
        """
        with self._dataset(dataset, read=read) as (_, layout):
            return [name for name, *_ in layout.columns]

    @_in_turn
    def merge(self, sketches: Sequence[Sketch | str | os.PathLike[str]]) -> Sketch:
        """The sketch of a dataset from those of its parts, each of other rows. Nothing is stored.

        sketches: of this hub's format, or sketch files. What is counted of the whole (histograms, signatures, missing values) is
        what all rows together give, at the coarsest resolution that a part has; the partitions are those of the parts.

        Raises DatasetError where they are no parts of one dataset.
        """
        from modelhub_sql import merging

        return merging.merge(self, sketches)

    @_in_turn
    def check(self, dataset: Any, *, exclude: Sequence[str] = (), read: Mapping[str, Any] | None = None) -> Result:
        """What of a dataset says nothing, before it is registered: a row for each column that is left out or should be.

        dataset, exclude, read: as of ``register``; nothing is stored.

        Keys, constants, columns that can't be compared, and names that most datasets of the hub exclude; the result's
        ``summary`` is the exclude to paste. Raises DatasetError.
        """
        from modelhub_sql import check

        return check.as_result(self, check.findings(self, dataset, exclude, read))

    def report(self, target: Any, path: str | os.PathLike[str], *, exclude: Sequence[str] = (), **options: Any) -> str:
        """Write a report on a target, one HTML file that opens without a network; returns its path. Extra ``plots``.

        target, exclude, options: as of ``find_models``.
        path: must end in .html. A file that is there already is replaced when the new one is whole.

        The answer in a sentence, the ranking, why each of the first five fits and why others are not listed, pictures, and
        what was left out. Raises DatasetError and OptionError.
        """
        from modelhub_sql import report

        return report.write(self, target, os.fspath(path), exclude=exclude, **options)

    @_in_turn
    def verify(self) -> Result:
        """What is wrong with the hub: a row for each fault, none where it is whole. Each block in use is read.

        What is stored in two ways is compared: partitions and whole, features and datasets, formats, hash functions.
        """
        from modelhub_sql import upkeep

        return upkeep.as_result(self, upkeep.faults(self))

    @_in_turn
    def privacy(self) -> Result:
        """What whoever has the hub can learn of the training data: small partitions, values of few rows, words to be guessed.

        A row for each dataset or feature and kind; ``docs/privacy.md`` says what can be done.
        """
        from modelhub_sql import privacy

        return privacy.disclosed(self)

    def backup(self, output: str | os.PathLike[str]) -> int:
        """Copy the hub to a new file, with all that is committed; returns its bytes. The copy is verified.

        Raises OptionError where there is a file already, and HubError.
        """
        from modelhub_sql import upkeep

        return upkeep.backup(self.path, os.fspath(output))

    @_in_turn
    def steps(
        self,
        /,
        target: Any,
        *,
        exclude: Sequence[str] = (),
        until: str = "found_model",
        top: int | None = None,
        all_models: bool = False,
        details: bool = True,
        task: str | None = None,
        framework: str | None = None,
        latest: bool = False,
        where: str | None = None,
        features: Features | None = None,
        min_overlap: float | None = None,
        min_jaccard: float | None = None,
        max_js: float | Literal["auto"] | None = None,
        min_adaptivity: float | None = None,
        max_divergence: float | None = None,
        sample_space: SampleSpace | None = None,
        rank_by: RankBy | None = None,
        search: SearchMethod | None = None,
        max_candidates: int | None = None,
        read: Mapping[str, Any] | None = None,
    ) -> Result:
        """A search step by step: a row for each relation of ``sql/search``, with its rows and seconds.

        Arguments as of ``find_models``, with its details unless they are not wanted, and
        until: the last relation.

        Each can be looked at by ``step`` until the next search.
        """
        options = {name: value for name, value in locals().items() if name not in ("self", "target", "exclude", "until", "read")}
        taken: list[searching.Step] = []
        if until not in logic.relations("search"):
            raise OptionError(f"no step is called {until!r}; there are {', '.join(logic.relations('search'))}")
        with self._lock:
            self._search(until, target, exclude=exclude, options=options, read=read, taken=taken)
            self._own.execute(
                "CREATE OR REPLACE TEMP TABLE taken (step VARCHAR, rows UBIGINT, seconds DOUBLE, what_a_row_is VARCHAR)"
            )
            self._own.executemany("INSERT INTO taken VALUES (?, ?, ?, ?)", taken)
            return self._result("FROM taken")

    @_in_turn
    def step(self, name: str) -> Result:
        """The rows of a step of the last ``steps``."""
        known = {*searching.HEADS, *logic.relations("search")}
        if name not in known:
            raise OptionError(f"no step is called {name!r}; there are {', '.join(sorted(known))}")
        if name not in self._taken:
            raise OptionError(f"the step {name} was not taken: call steps first")
        return self._result(f"FROM temp.main.{name}")

    @_in_turn
    def models(
        self, *, task: str | None = None, framework: str | None = None, latest: bool = False, where: str | None = None
    ) -> Result:
        """The registered models: ``FROM list_models``.

        task, framework, latest, where: as of ``find_models``; by default all are listed.

        Raises OptionError.
        """
        self._check_process()
        query = f"FROM {self._place.logic}.main.list_models"
        if task is None and framework is None and not latest and where is None:
            return self._result(query)
        self._choose(task, framework, latest, where)
        return self._result(f"{query} SEMI JOIN temp.main.searched USING (model, version) ORDER BY model ASC, version ASC")

    @_in_turn
    def show(self, name: str, *, version: str | None = None) -> Result:
        """The features of the dataset of a model; what is known of the model is the result's ``summary``.

        name: of a registered model. version: by default the latest. Raises ModelNotFoundError.
        """
        from modelhub_sql import keeping

        return keeping.shown(self, name, version)

    @_in_turn
    def datasets(self) -> Result:
        """The sketched datasets, and the models that were trained on each."""
        from modelhub_sql import keeping

        return keeping.datasets_of(self)

    @_in_turn
    def sql(self, query: str, params: Sequence[Any] | Mapping[str, Any] | None = None) -> Any:
        """Run any statement on ``con``; returns its rows, where it has any, or None."""
        try:
            if [statement.type for statement in self.con.extract_statements(query)] == [duckdb.StatementType.SELECT]:
                self.con.execute(query, params)
                return Result(self.con, _fetched(self.con))
            result = self.con.sql(query, params=params) if params else self.con.sql(query)
            return None if result is None else Result(self.con, datasets.arrow(result))
        except duckdb.ConstraintException:
            # Of a table of the user's own, whatever its columns are called.
            raise
        except duckdb.Error as error:
            raise translated(error) from error

    # -- how --------------------------------------------------------------------------

    def _manifest(self, models: Any) -> list[dict[str, Any]]:
        """The arguments of ``register`` for each model, checked for their names."""
        if isinstance(models, (str, os.PathLike)) or hasattr(models, "columns"):
            with self._dataset(models) as ((name, source), _):
                as_text = source == name and manifest.is_csv(name)
                reader = (
                    "read_csv(?, all_varchar := true)" if as_text else f"query_table({self._place.logic}._logic.quoted_path(?))"
                )
                try:
                    result = self._own.execute(f"FROM {reader}", [name])
                    columns = [column[0] for column in result.description or ()]
                    rows = [dict(zip(columns, row, strict=True)) for row in result.fetchall()]
                except duckdb.Error as error:
                    raise translated(error, source) from error
            models = manifest.of_rows(rows, source, described(Hub.register))
        return manifest.checked(models, described(Hub.register))

    def _register_one(self, registered: dict[tuple[str, tuple[str, ...], str | None], int], given: Mapping[str, Any]) -> None:
        """given: arguments of ``register``. registered: datasets of the same transaction, by source and exclusions."""
        told = {name: argument.default for name, argument in described(Hub.register).items()} | dict(given)
        name, dataset, replace, read = (told[each] for each in ("name", "dataset", "replace", "read"))
        like, like_version = told["like"], told["like_version"]
        if not isinstance(name, str) or not name.strip():
            raise OptionError(f"a model's name must be text that is not blank, got {name!r}")
        if replace not in (True, False):
            raise OptionError(f"model {name[:200]}: replace must be True or False, got {replace!r}")
        if (dataset is None) == (like is None):
            raise OptionError(f"model {name[:200]}: give a dataset, or like= a registered model trained on the same data")
        exclude = _columns(told["exclude"])
        if like is None and like_version is not None:
            raise OptionError(f"model {name[:200]}: like_version is a version of like=, which is not given")
        if like is not None and exclude:
            raise OptionError(f"model {name[:200]}: like= shares the sketch of {like} as it is; exclude goes with a dataset")
        is_named = isinstance(dataset, (str, os.PathLike)) and not read
        shared = (os.fspath(dataset), tuple(exclude), told["source"]) if is_named else None
        if shared in registered:
            # A model that uses it: none where it was replaced meanwhile.
            users = self._own.execute(
                f"SELECT model, version FROM {self._place.tables}._hub.models WHERE dataset_id = ?", [registered[shared]]
            ).fetchall()
            if users:
                (like, like_version), dataset = users[0], None
        uri = told["uri"]
        values = {each: told[each] for each in ("version", "task", "framework", "replace")} | dict(
            model=name, like_model=like, like_version=like_version, exclude=exclude, accuracy=_plain(told["accuracy"]),
            accuracy_rows=_plain(told["accuracy_rows"]),
            uri=os.fspath(uri) if isinstance(uri, os.PathLike) else uri, metadata=_json(told["metadata"]),
        )  # fmt: skip
        if dataset is None:
            self._run_verb("register", **values)
        else:
            with self._dataset(dataset, exclude, read) as ((table, source), layout):
                said = datasets.said_of(source) if told["source"] is None else told["source"]
                self._run_verb("register", source, dataset=table, source=said, nested=layout.nested, forms=layout.forms, **values)
                ((skipped, dataset_id),) = self._own.execute(
                    "SELECT getvariable('registering_skipped'), getvariable('registering_dataset')"
                ).fetchall()
                _warn_of_skipped(skipped, source, stacklevel=5)
            if shared is not None:
                registered[shared] = dataset_id

    def _run_verb(self, verb: str, called: str | None = None, /, **variables: Any) -> None:
        # called: the dataset as the caller named it. What a script that failed has left.
        self._own.execute("".join(f"RESET VARIABLE {name};" for name in logic.variables(verb) if variables.get(name) is None))
        for name, value in variables.items():
            if value is not None:
                try:
                    self._own.execute(f"SET VARIABLE {name} = ?", [value])
                except duckdb.NotImplementedException as error:
                    raise OptionError(f"{name} must be text, got {value!r:.200}") from error
        script = logic.placed(logic.verbs()[verb], self._place)
        try:
            self._own.execute(script.replace("BEGIN TRANSACTION;", "").replace("COMMIT;", ""))
        except duckdb.Error as error:
            raise translated(error, called, variables.get("dataset", ""), self.path) from error

    @_in_turn
    def _search(
        self,
        until: str,
        target: Any,
        *,
        exclude: Sequence[str],
        options: Mapping[str, Any],
        explained: tuple[str | None, ...] = (),
        also: str | None = None,
        read: Mapping[str, Any] | None = None,
        taken: list[searching.Step] | None = None,
    ) -> Result:
        """Run the relations of ``sql/search`` up to one, each into a temporary table, and return its rows."""
        off = (name for name in _FLAGS if options.get(name) is False)
        options = {name: value for name, value in options.items() if name not in set(off)}
        given = {name: _option(name, value) for name, value in options.items() if value is not None}
        asked = {name: given.pop(name, None) for name in ("task", "framework", "latest", "where")}
        for name in explained[::2]:
            if not isinstance(name, str):
                raise OptionError(f"model must be the name of a registered model, got {name!r}")
        own, place = self._own, self._place
        try:
            self._sketch(target, _columns(exclude), read)
            own.execute("BEGIN TRANSACTION")
            try:
                named = ", ".join(f"{name} := ${name}" for name in given)
                own.execute(
                    f"CREATE OR REPLACE TEMP TABLE options AS FROM {place.logic}._logic.search_options({named})", given or None
                )
                if explained:
                    call = "explained(?, ?)" if len(explained) == 2 else "both_explained(?, ?, ?, ?)"
                    own.execute(f"CREATE OR REPLACE TEMP TABLE explained AS FROM {place.logic}._logic.{call}", list(explained))
                if until in ("explained_feature", "compared_model"):
                    own.execute("CREATE OR REPLACE TEMP TABLE searched AS FROM temp.main.explained")
                else:
                    self._choose(**asked)
                searching.step_by_step(own, place, until, numpy=self._numpy, taken=taken)
                self._taken = frozenset(("target_sketch", "options", "searched", *(name for name, *_ in taken or ())))
                if until == "found_model":
                    shown = ("details", "rank_by", "max_js", "min_adaptivity", "sample_space", "search")
                    condition = f"{place.logic}._logic.is_shown(name, {', '.join('?' * len(shown))})"
                    result = self._result(
                        f"SELECT COLUMNS(lambda name: {condition}) FROM temp.main.found_model",
                        [given.get(name) for name in shown],
                    )
                elif until == "explained_feature":
                    condition = f"{place.logic}._logic.explanation_shows(name, {'details' in given})"
                    result = self._result(f"SELECT COLUMNS(lambda name: {condition}) FROM temp.main.explained_feature")
                else:
                    result = self._result(f"FROM temp.main.{until}")
                if also is not None:
                    ((result.summary,),) = own.execute(f"SELECT any_value(summary) FROM temp.main.{also}").fetchall()
                own.execute("COMMIT")
            except BaseException:
                with suppress(duckdb.Error):
                    own.execute("ROLLBACK")
                raise
        except duckdb.Error as error:
            raise translated(error, hub=self.path) from error
        return result

    def _choose(self, task: Any, framework: Any, latest: Any, where: Any) -> None:
        """The models that are searched, as the temporary table searched."""
        if not isinstance(where, (str, NoneType)):
            raise OptionError(f"where must be SQL, as 'source_accuracy > 0.9', got {where!r}")
        condition = f"(\n{where}\n)" if where else "true"
        query = (
            f"CREATE OR REPLACE TEMP TABLE searched AS FROM {self._place.logic}._logic.searched_models("
            f"task := $task, framework := $framework, latest := $latest, condition := {condition})"
        )
        try:
            # On its own, too: it may not close our bracket.
            if where and {len(self._own.extract_statements(text)) for text in (query, f"SELECT 1 WHERE\n{where}")} != {1}:
                raise OptionError(f"where must be one condition, got {where!r}")
            self._own.execute(query, dict(task=task, framework=framework, latest=latest))
        except (duckdb.BinderException, duckdb.ConversionException, duckdb.ParserException) as error:
            if not where:
                raise
            raise OptionError(
                "where must be a condition on the columns of models(), as source_accuracy > 0.9 AND task = 'matching', "
                f"got {where!r}: {' '.join(str(error).split('LINE ')[0].split())}"
            ) from error

    def _sketch(self, target: Any, exclude: list[str], read: Mapping[str, Any] | None = None) -> None:
        """The target's sketch as the temporary table target_sketch, unless it is there already."""
        key = None if read else datasets.key(target)
        if key is not None and self._sketched is not None:
            before, excluded = self._sketched
            if excluded == exclude and (key is before or (isinstance(key, tuple) and key == before)):
                return
        self._sketched = None
        with self._dataset(target, exclude, read) as ((table, source), layout):
            arguments = {"exclude": exclude, "forms": layout.forms, "nested": layout.nested}
            # Values travel as variables, which a macro takes as constants.
            for name, value in {"dataset": table, **arguments}.items():
                self._own.execute(f"SET VARIABLE sketch_{name} = ?", [value])
            passed = "".join(f", {name} := getvariable('sketch_{name}')" for name in arguments)
            try:
                self._own.execute(
                    "CREATE OR REPLACE TEMP TABLE target_sketch AS "
                    f"FROM {self._place.logic}._logic.sketch(getvariable('sketch_dataset'){passed})"
                )
                ((skipped,),) = self._own.execute("SELECT any_value(skipped) FROM temp.main.target_sketch").fetchall()
            except duckdb.Error as error:
                raise translated(error, source, table) from error
            _warn_of_skipped(skipped, source, stacklevel=6)
        if key is not None:
            self._sketched = (key, exclude)

    def _both_sides(self) -> Any:
        """The histograms of the features of the target and of the model that was explained last, as an Arrow table."""
        self._own.execute(
            "SELECT 'target' AS side, feature, kind, k, b, bins, counts, \"values\" FROM temp.main.target_sketch UNION ALL "
            f"SELECT 'model', feature, kind, k, b, bins, counts, \"values\" FROM {self._place.tables}._hub.features "
            "WHERE dataset_id = (SELECT dataset_id FROM temp.main.explained)"
        )
        return _fetched(self._own)

    def _looked_at(
        self, dataset: Any, exclude: Sequence[str], read: Mapping[str, Any] | None
    ) -> tuple[list[tuple[Any, ...]], list[str]]:
        """The features of a dataset (name, kind, values, nulls, distinct values), and what its sketch leaves out."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._sketch(dataset, _columns(exclude), read)
        features = self._own.execute(
            'SELECT feature, kind, "values", nulls, distincts FROM temp.main.target_sketch ORDER BY feature_id ASC'
        ).fetchall()
        ((skipped,),) = self._own.execute("SELECT any_value(skipped) FROM temp.main.target_sketch").fetchall()
        return features, skipped

    def _result(self, query: str, params: Sequence[Any] | None = None) -> Result:
        self._own.execute(query, params)
        return Result(self._con, _fetched(self._own)) if self._numpy else Rows(self._con, self._own)

    @contextmanager
    def _dataset(
        self, dataset: Any, exclude: Sequence[str] = (), read: Mapping[str, Any] | None = None
    ) -> Iterator[tuple[Dataset, Layout]]:
        """A dataset that the package's connection can read, and its columns, those to exclude checked."""
        with datasets.readable(self._own, self._con, dataset, read) as found:
            yield found, self._layout(found.name, found.source, _columns(exclude))

    def _layout(self, name: str, source: str, exclude: list[str]) -> Layout:
        rows = f"{self._place.logic}._logic"
        if datasets.is_sketch(name):
            return self._sketched_layout(name, source, exclude)
        try:
            described = self._own.execute(f"DESCRIBE FROM {rows}.dataset_rows(?)", [name]).fetchall()
            nested = any(type_.startswith("STRUCT") and not type_.endswith("]") for _, type_, *_ in described)
            if nested:
                described = self._own.execute(f"DESCRIBE FROM {rows}.leaves(?, nested := true)", [name]).fetchall()
            names, types = ([row[place] for row in described] for place in (0, 1))
            columns = self._own.execute(
                f"SELECT feature, type, {rows}.form_of(type) AS form FROM (SELECT unnest($names::VARCHAR[]) AS feature, "
                f"unnest($types::VARCHAR[]) AS type) WHERE NOT {rows}.is_excluded(feature, $exclude::VARCHAR[])",
                {"names": names, "types": types, "exclude": exclude},
            ).fetchall()
            ((unknown,),) = self._own.execute(
                f"SELECT {rows}.unknown_among($exclude::VARCHAR[], $names::VARCHAR[])", {"exclude": exclude, "names": names}
            ).fetchall()
        except duckdb.Error as error:
            raise translated(error, source, name) from error
        _check_columns(source, names, unknown, columns)
        return Layout(nested, columns)

    def _sketched_layout(self, name: str, source: str, exclude: list[str]) -> Layout:
        rows = f"{self._place.logic}._logic"
        try:
            ((names, left, unknown),) = self._own.execute(
                f"SELECT list(feature), list(feature) FILTER (NOT {rows}.is_excluded(feature, $exclude::VARCHAR[])), "
                f"{rows}.unknown_among($exclude::VARCHAR[], list(feature)) FROM read_parquet($name)",
                {"name": name, "exclude": exclude},
            ).fetchall()
        except duckdb.Error as error:
            raise translated(error, source, name) from error
        _check_columns(source, names or [], unknown, left)
        return Layout(False, [])

    def _check_process(self) -> None:
        # DuckDB's threads are not there: a query would wait for them for ever.
        if self._process != os.getpid():
            raise HubForkedError(
                f"{self.path} was opened in the process that this one was forked from: connect again here, "
                "or start processes by spawn (multiprocessing.get_context('spawn'))"
            )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            self._own.execute("BEGIN TRANSACTION")
        except duckdb.Error as error:
            raise translated(error) from error
        try:
            yield
            self._own.execute("COMMIT")
        except BaseException as error:
            # A COMMIT that fails has rolled back itself.
            with suppress(duckdb.Error):
                self._own.execute("ROLLBACK")
            if isinstance(error, duckdb.Error):
                raise translated(error) from error
            raise
        if self._file is not None:
            # The change is made. What can't be brought into the file now is brought when the hub is closed.
            with suppress(duckdb.Error, OSError):
                self._file.keep_log_small()


def _close(own: duckdb.DuckDBPyConnection, con: duckdb.DuckDBPyConnection, file: File | None, process: int) -> None:
    if process != os.getpid():
        # DuckDB would wait for threads that this process does not have, or crash.
        _LEFT.append((own, con))
        return
    if file is not None:
        file.settle()
    own.close()
    con.close()
    if file is not None:
        file.release()


def _check_columns(source: str, names: list[str], unknown: list[str], left: Sequence[Any] | None) -> None:
    """Refuse what excludes a column that is not there, or all."""
    shown = ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
    if unknown:
        if len(names) > 20:
            nearest = get_close_matches(unknown[0], names, 10, 0) or names[:10]
            shown = f"{', '.join(nearest)} and {len(names) - len(nearest)} more"
        raise DatasetError(
            f"{source} has no column {unknown[0]!r} to exclude; its columns are {shown}. "
            f"Write {unknown[0] + '?'!r} where it may be absent"
        )
    if not left:
        raise DatasetError(f"{source} has no column left: all of {shown} are excluded")


def _warn_of_skipped(skipped: list[str], source: str, stacklevel: int) -> None:
    # The caller of the verb is meant.
    keys = [column for column in skipped if _KEY.search(column)]
    if others := [column for column in skipped if column not in keys]:
        warnings.warn(visible(f"{source}: skipped, cannot be compared: {', '.join(others)}"), stacklevel=stacklevel)
    if keys:
        names = [_KEY.sub("", column) for column in keys]
        warnings.warn(
            visible(f"{source}: left out, says nothing of the data: {', '.join(keys)}; without a word: exclude={names}"),
            stacklevel=stacklevel,
        )


def _plain(value: Any) -> Any:
    # A number of numpy, or a decimal one, as one of Python's own.
    if isinstance(value, Decimal) or (isinstance(value, Real) and not isinstance(value, (int, float))):
        return float(value)
    return value


def _columns(exclude: Sequence[str] | None) -> list[str]:
    if exclude is None:
        return []
    if isinstance(exclude, str):
        raise OptionError(f"exclude must be a list of columns, got the text {exclude!r}: write [{exclude!r}]")
    try:
        columns = list(exclude)
    except TypeError as error:
        raise OptionError(f"exclude must be a list of columns, got {exclude!r}") from error
    for column in columns:
        if not isinstance(column, str):
            raise OptionError(f"exclude must be a list of column names, got {column!r} in it")
    return columns


def _json(metadata: Any) -> str | None:
    if metadata is None:
        return None
    try:
        return json.dumps(metadata, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise OptionError(f"metadata must be what JSON can hold: {error}") from error


def _option(name: str, value: Any) -> Any:
    plain = _plain(value)
    if not isinstance(plain, (str, int, float)):
        raise OptionError(f"{name} must be a number or text, got {value!r}")
    return plain


def _fetched(con: duckdb.DuckDBPyConnection) -> Any:
    """The Arrow table of what a connection has run. A relation would plan it when it is made, and again when it is run."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Arrow output on a DB-API result")
        return datasets.arrow(con)
