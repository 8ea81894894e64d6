"""The library: each verb checks, runs the SQL of its name, and returns."""

from __future__ import annotations

import json
import os
import string
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from decimal import Decimal
from functools import cache, wraps
from numbers import Real
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, TypeVar

import duckdb

from modelhub_sql import manifest
from modelhub_sql.errors import (
    DatasetError,
    HubError,
    OptionError,
    translated,
)
from modelhub_sql.opening import opened

__all__ = ["Hub", "connect"]

P = ParamSpec("P")
R = TypeVar("R")

_VARIABLES = (
    "model", "version", "dataset", "like_model", "like_version", "exclude", "source", "dataset_name",
    "accuracy", "task", "framework", "uri", "metadata", "replace",
)  # fmt: skip

# DuckDB compares names so, other letters as they are.
_FOLDED = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)

# So many datasets are worth a group of rows of their own; fewer are merged with others when the hub is closed.
_OWN_GROUP = 10


def connect(path: str | os.PathLike[str] = ":memory:", *, read_only: bool = False, **settings: Any) -> Hub:
    """Open the hub at ``path``, or make one where there is none.

    path: a file, or ":memory:". read_only: search only; any number of processes may.
    settings: of a new hub, see ``Settings``; for an existing hub they must be what it has.

    Raises HubNotFoundError (read_only, and no file), HubFormatError (not a hub, or of a newer
    format), HubAccessError (no permission), HubLockedError (another process writes) and SettingsError.
    """
    return Hub(path, read_only=read_only, **settings)


def _in_turn(method: Callable[Concatenate[Hub, P], R]) -> Callable[Concatenate[Hub, P], R]:
    """A method that threads which share the hub call one after the other."""

    @wraps(method)
    def waiting(hub: Hub, /, *args: P.args, **named: P.kwargs) -> R:
        with hub._lock:
            return method(hub, *args, **named)

    return waiting


class Hub:
    """A hub: sketches of training data, the models trained on them, and the search.

    A context manager; ``con`` is its DuckDB connection, with the numpy UDFs laid over the SQL.
    Threads may share a hub: they take turns.
    """

    def __init__(self, path: str | os.PathLike[str] = ":memory:", *, read_only: bool = False, **settings: Any) -> None:
        self.path = os.fspath(path)
        self.con = opened(self.path, read_only, settings)
        self._registered = 0
        self._lock = threading.RLock()

    def __enter__(self) -> Hub:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; the hub stays as it is."""
        if self._registered < _OWN_GROUP:
            # Already closed, or read only: nothing is left to write.
            with suppress(duckdb.Error):
                self.con.execute("RESET max_vacuum_tasks")
        self.con.close()

    def __repr__(self) -> str:
        return f"Hub({self.path!r})"

    # -- register, remove ---------------------------------------------------------------

    @_in_turn
    def register(
        self,
        name: str,
        dataset: Any = None,
        *,
        exclude: Sequence[str] = (),
        accuracy: float | None = None,
        version: str | None = None,
        task: str | None = None,
        framework: str | None = None,
        uri: str | os.PathLike[str] | None = None,
        metadata: Mapping[str, Any] | None = None,
        like: str | None = None,
        replace: bool = False,
    ) -> None:
        """Register a model by the data that it was trained on. One transaction: all or nothing.

        name, version: what the model is called; a version may be registered once.
        dataset: a file or glob (parquet, csv, json), a table or view of the hub's connection, or
            an Arrow table, pandas or polars DataFrame or DuckDB relation. Only a sketch is kept.
        like: instead of ``dataset``, a registered model that was trained on the same data.
        exclude: columns to leave out of the sketch: labels, ids.
        accuracy: on the source dataset, in [0, 1]. metadata: anything JSON can hold.
        replace: allow the name and version to be registered already, and replace them.

        Raises DatasetError, ModelExistsError, ModelNotFoundError (``like``), OptionError.
        """
        with self._transaction():
            self._register_one(
                registered={}, name=name, dataset=dataset, exclude=exclude, accuracy=accuracy, version=version, task=task,
                framework=framework, uri=uri, metadata=metadata, like=like, replace=replace,
            )  # fmt: skip
        self._registered += 1

    @_in_turn
    def register_many(self, models: Any, *, progress: bool = False) -> int:
        """Register many models in one transaction; returns how many.

        models: mappings with the arguments of ``register``, or a manifest: a file, table or
            DataFrame with columns of those names (at least ``name`` and ``dataset`` or
            ``like``). Paths and globs in a manifest file are relative to it; what a csv says is
            text, version 1.10 too. Models of the same dataset and exclusions share its sketch.
        progress: show a progress bar on stderr (needs the extra ``cli``).
        """
        rows: Iterable[dict[str, Any]] = self._manifest(models)
        if progress:
            from rich.console import Console
            from rich.progress import track

            rows = track(rows, "Registering", console=Console(stderr=True))
        registered: dict[tuple[str, tuple[str, ...]], int] = {}
        count = 0
        with self._transaction():
            for row in rows:
                count += 1
                try:
                    self._register_one(registered=registered, **row)
                except HubError as error:
                    raise type(error)(f"model {count} ({row['name']!s:.200}): {error}") from error
        self._registered += count
        return count

    @_in_turn
    def remove(self, name: str, version: str | None = None) -> None:
        """Remove a model (all its versions, or one), and the sketch that no model is left to use.

        Raises ModelNotFoundError.
        """
        with self._transaction():
            self._run_verb("remove", model=name, version=version)

    # -- search -----------------------------------------------------------------------

    def find_models(self, target: Any, *, exclude: Sequence[str] = (), **options: Any) -> duckdb.DuckDBPyRelation:
        """The models related to a target, best first: ``FROM find_models(target, ...)``.

        target: as ``dataset`` of ``register``; nothing of it is stored. exclude: columns to leave out.
        options: min_overlap, min_jaccard, max_js, min_adaptivity, max_divergence, sample_space,
            rank_by, search; each defaults to the hub's setting.

        Returns a relation (``.show()``, ``.df()``, ``.pl()``, ``.fetchall()``); no model above
        the thresholds: no rows. Warns where the threshold is too close to sampling noise.
        Raises DatasetError and OptionError.
        """
        result = self._search("find_models", target, exclude=exclude, **options)
        for (message,) in result.filter("warning IS NOT NULL").select("warning").distinct().limit(1).fetchall():
            warnings.warn(message, stacklevel=2)
        return result

    def explain(
        self, model: str, target: Any, *, version: str | None = None, exclude: Sequence[str] = (), **options: Any
    ) -> duckdb.DuckDBPyRelation:
        """Why a model fits a target: ``FROM explain_features(model, target, ...)``.

        Returns a row for each feature of the target: the feature of the model's dataset that it
        matches, their Jaccard similarity and JS divergence. ``explain_partitions`` tells how many
        source partitions match each partition of the target.
        Raises ModelNotFoundError, DatasetError and OptionError.
        """
        return self._search("explain_features", target, model, version=version, exclude=exclude, **options)

    def explain_partitions(
        self, model: str, target: Any, *, version: str | None = None, exclude: Sequence[str] = (), **options: Any
    ) -> duckdb.DuckDBPyRelation:
        """What covers a target: ``FROM explain_partitions(model, target, ...)``.

        Returns a row for each partition of the target: how many partitions of the model's
        dataset match it. Raises ModelNotFoundError, DatasetError and OptionError.
        """
        return self._search("explain_partitions", target, model, version=version, exclude=exclude, **options)

    def models(self) -> duckdb.DuckDBPyRelation:
        """The registered models: ``FROM list_models``."""
        models: duckdb.DuckDBPyRelation = self.sql("FROM list_models")
        return models

    @_in_turn
    def sql(self, query: str, params: Sequence[Any] | Mapping[str, Any] | None = None) -> Any:
        """Run any statement on the hub; returns its result as a relation, where DuckDB has one, or None."""
        try:
            if [statement.type for statement in self.con.extract_statements(query)] == [duckdb.StatementType.SELECT]:
                return _relation(self._fetched(query, params))
            result = self.con.sql(query, params=params) if params else self.con.sql(query)
            return None if result is None else _relation(_arrow(result))
        except duckdb.Error as error:
            raise translated(error) from error

    # -- how --------------------------------------------------------------------------

    def _manifest(self, models: Any) -> list[dict[str, Any]]:
        """The arguments of ``register`` for each model, checked for their names."""
        if isinstance(models, (str, os.PathLike)) or hasattr(models, "columns"):
            with self._dataset(models) as (name, source):
                as_text = source == name and manifest.is_csv(name)
                reader = "read_csv(?, all_varchar := true)" if as_text else "query_table(quoted_path(?))"
                try:
                    result = self.con.execute(f"FROM {reader}", [name])
                    columns = [column[0] for column in result.description or ()]
                    rows = [dict(zip(columns, row, strict=True)) for row in result.fetchall()]
                except duckdb.Error as error:
                    raise translated(error, source) from error
            models = manifest.of_rows(rows, source)
        return manifest.checked(models)

    def _register_one(
        self,
        *,
        registered: dict[tuple[str, tuple[str, ...]], int],
        name: str,
        dataset: Any = None,
        exclude: Sequence[str] = (),
        accuracy: float | None = None,
        version: str | None = None,
        task: str | None = None,
        framework: str | None = None,
        uri: str | os.PathLike[str] | None = None,
        metadata: Mapping[str, Any] | None = None,
        like: str | None = None,
        replace: bool = False,
    ) -> None:
        if not isinstance(name, str) or not name.strip():
            raise OptionError(f"a model's name must be text that is not blank, got {name!r}")
        if replace not in (True, False):
            raise OptionError(f"model {name[:200]}: replace must be True or False, got {replace!r}")
        if (dataset is None) == (like is None):
            raise OptionError(f"model {name[:200]}: give a dataset, or like= a registered model trained on the same data")
        exclude = _columns(exclude)
        if like is not None and exclude:
            raise OptionError(f"model {name[:200]}: like= shares the sketch of {like} as it is; exclude goes with a dataset")
        shared = (os.fspath(dataset), tuple(exclude)) if isinstance(dataset, (str, os.PathLike)) else None
        like_version = None
        if shared in registered:
            # A model that uses it: none where it was replaced meanwhile.
            users = self.con.execute("SELECT model, version FROM models WHERE dataset_id = ?", [registered[shared]]).fetchall()
            if users:
                (like, like_version), dataset = users[0], None
        values = dict(
            model=name, version=version, like_model=like, like_version=like_version, exclude=exclude,
            accuracy=_plain(accuracy), task=task, framework=framework,
            uri=os.fspath(uri) if isinstance(uri, os.PathLike) else uri, metadata=_json(metadata), replace=replace,
        )  # fmt: skip
        if dataset is None:
            self._run_verb("register", **values)
        else:
            with self._dataset(dataset, exclude) as (table, source):
                self._run_verb("register", dataset=table, source=source, **values)
                ((skipped, dataset_id),) = self.con.execute(
                    "SELECT getvariable('registering_skipped'), getvariable('registering_dataset')"
                ).fetchall()
                _warn_of_skipped(skipped, source, stacklevel=5)
            if shared is not None:
                registered[shared] = dataset_id

    def _layout(self, table: str, source: str, exclude: Sequence[str]) -> dict[str, Any]:
        """What a sketch may be told of the dataset, after a warning for columns that are skipped.

        ``forms`` of the columns (leaves) that can be compared; ``nested``: whether there are structs.
        """
        try:
            ((nested,),) = self.con.execute("FROM has_structs(?)", [table]).fetchall()
            columns: list[tuple[str, str, str | None]] = self.con.execute(
                "SELECT feature, type, form FROM dataset_columns(?, exclude := ?, nested := ?)",
                [table, _columns(exclude), nested],
            ).fetchall()
        except duckdb.Error as error:
            raise translated(error, source) from error
        skipped = ", ".join(f"{feature} ({type_})" for feature, type_, form in columns if form is None)
        _warn_of_skipped(skipped, source, stacklevel=6)
        return {"forms": sorted({form for *_, form in columns if form is not None}), "nested": nested}

    def _run_verb(self, verb: str, **variables: Any) -> None:
        self._check_names()
        # What a script that failed has left.
        self.con.execute("".join(f"RESET VARIABLE {name};" for name in _VARIABLES if variables.get(name) is None))
        for name, value in variables.items():
            if value is not None:
                try:
                    self.con.execute(f"SET VARIABLE {name} = ?", [value])
                except duckdb.NotImplementedException as error:
                    raise OptionError(f"{name} must be text, got {value!r:.200}") from error
        # The hub's own script, which fits its SQL.
        ((script,),) = self.con.execute("SELECT script FROM verbs WHERE verb = ?", [verb]).fetchall()
        try:
            self.con.execute(script.replace("BEGIN TRANSACTION;", "").replace("COMMIT;", ""))
        except duckdb.Error as error:
            raise translated(error, variables.get("source")) from error

    @_in_turn
    def _search(
        self, /, macro: str, target: Any, model: str | None = None, *, exclude: Sequence[str], **options: Any
    ) -> duckdb.DuckDBPyRelation:
        self._check_names()
        given = {name: value for name, value in options.items() if value is not None}
        allowed = {
            name
            for (names,) in self.con.execute(
                "SELECT parameters FROM duckdb_functions() WHERE function_name = ? AND NOT internal", [macro]
            ).fetchall()
            for name in names
        } - {"target", "model", "exclude", "forms", "nested"}
        for name in given:
            if name not in allowed:
                raise OptionError(f"no option is called {name!r}; there are {', '.join(sorted(allowed))}")
            given[name] = _plain(given[name])
            if not isinstance(given[name], (str, int, float)):
                raise OptionError(f"{name} must be a number or text, got {given[name]!r}")
        if macro != "find_models" and not isinstance(model, str):
            raise OptionError(f"model must be the name of a registered model, got {model!r}")
        with self._dataset(target, exclude) as (table, source):
            arguments = {"target": table, "exclude": _columns(exclude), **self._layout(table, source, exclude), **given}
            if model is not None:
                arguments["model"] = model
            # Names come from the catalog; values travel as variables, which a macro takes as constants.
            for name, value in arguments.items():
                self.con.execute(f"SET VARIABLE search_{name} = ?", [value])
            named = ", ".join(f"{name} := getvariable('search_{name}')" for name in arguments)
            try:
                result = self._fetched(f"FROM {macro}({named})")
            except duckdb.Error as error:
                raise translated(error, source, table) from error
        return _relation(result)

    def _fetched(self, query: str, params: Sequence[Any] | Mapping[str, Any] | None = None) -> Any:
        """The Arrow table that a query returns. A relation would plan it when it is made, and again when it is run."""
        self.con.execute(query, params)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Arrow output on a DB-API result")
            return _arrow(self.con)

    @contextmanager
    def _dataset(self, dataset: Any, exclude: Sequence[str] = ()) -> Iterator[tuple[str, str]]:
        """A name that ``query_table`` knows the dataset by, and one that its user does."""
        if isinstance(dataset, (str, os.PathLike)):
            name = os.fspath(dataset)
            source = name
            if not name:
                raise DatasetError("a dataset needs a name: a file, a glob, a table or a view")
        else:
            name = "modelhub_dataset"
            source = f"the {type(dataset).__name__} passed"
            try:
                if isinstance(dataset, duckdb.DuckDBPyRelation):
                    dataset = _arrow(dataset)
                self.con.register(name, dataset)
            except (duckdb.Error, TypeError, RuntimeError) as error:
                raise DatasetError(f"{source} can't be read as a dataset: {error}") from error
        try:
            self._check_columns(name, source, exclude)
            yield name, source
        finally:
            if name == "modelhub_dataset":
                # In a transaction that failed this is refused, and undone by the rollback anyway.
                with suppress(duckdb.Error):
                    self.con.unregister(name)

    def _check_names(self) -> None:
        # DuckDB looks among what is temporary first, in stored SQL too.
        hidden = self.con.execute("SELECT name FROM hidden_names LIMIT 1").fetchall()
        if hidden:
            raise HubError(f"a temporary table or view of this connection hides the hub's {hidden[0][0]}: give it another name")

    def _check_columns(self, name: str, source: str, exclude: Sequence[str]) -> None:
        try:
            described = self.con.execute("DESCRIBE FROM query_table(quoted_path(?))", [name]).fetchall()
        except duckdb.Error as error:
            raise translated(error, source) from error
        columns = [column for (column, *_) in described]
        known = {column.translate(_FOLDED) for column in columns}
        for column in _columns(exclude):
            if column.translate(_FOLDED) not in known:
                raise DatasetError(f"{source} has no column {column!r} to exclude; its columns are {', '.join(columns)}")
        if known <= {column.translate(_FOLDED) for column in _columns(exclude)}:
            raise DatasetError(f"{source} has no column left: all of {', '.join(columns)} are excluded")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            self.con.execute("BEGIN TRANSACTION")
        except duckdb.Error as error:
            raise translated(error) from error
        try:
            yield
            self.con.execute("COMMIT")
        except BaseException as error:
            # A COMMIT that fails has rolled back itself.
            with suppress(duckdb.Error):
                self.con.execute("ROLLBACK")
            if isinstance(error, duckdb.Error):
                raise translated(error) from error
            raise


def _warn_of_skipped(skipped: str | None, source: str, stacklevel: int) -> None:
    if skipped:
        # The caller of the verb is meant.
        warnings.warn(f"{source}: skipped, cannot be compared: {skipped}", stacklevel=stacklevel)


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


def _arrow(relation: Any) -> Any:
    # Named to_arrow_table from DuckDB 1.5 on, before that fetch_arrow_table.
    return relation.to_arrow_table() if hasattr(relation, "to_arrow_table") else relation.fetch_arrow_table()


@cache
def _results() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


def _relation(table: Any) -> duckdb.DuckDBPyRelation:
    # Of a connection of its own: it outlives the hub, and does not wait for another thread that uses it.
    return _results().cursor().from_arrow(table)
