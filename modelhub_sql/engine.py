"""An open hub, and how its verbs do what they say: connections, transactions, sketches, a search."""

from __future__ import annotations

import json
import os
import re
import sys
import threading
import warnings
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from decimal import Decimal
from difflib import get_close_matches
from functools import wraps
from numbers import Real
from types import NoneType, TracebackType
from typing import Any, Concatenate, NamedTuple, ParamSpec, TypeVar

import duckdb

from modelhub_sql import datasets, fetching, logic, salts, searching, shared
from modelhub_sql.arguments import check_text, is_writable
from modelhub_sql.datasets import Dataset, fetched
from modelhub_sql.errors import DatasetError, HubForkedError, OptionError, translated
from modelhub_sql.file import File
from modelhub_sql.opening import lay_macros, opened
from modelhub_sql.result import Result, Rows
from modelhub_sql.visible import visible

__all__ = ["Engine", "Layout", "as_json", "in_turn", "in_turn_late", "names_of", "plain", "warn_of_skipped"]

P = ParamSpec("P")
R = TypeVar("R")
E = TypeVar("E", bound="Engine")

# So many datasets are worth a group of rows of their own; fewer are merged with others when the hub is closed.
_OWN_GROUP = 10

#: Connections of hubs that were opened before a fork: theirs is the other process.
_LEFT: list[tuple[duckdb.DuckDBPyConnection, duckdb.DuckDBPyConnection]] = []

#: Options that are on or off; off is as if they were not given.
_FLAGS = ("all_models", "details", "latest")

#: What sql/sketch/31_left_out.sql says of a column.
_KEY = re.compile(r" \((numbers the rows|a key: each text is another|an index of pandas)\)$")


def in_turn(method: Callable[Concatenate[E, P], R]) -> Callable[Concatenate[E, P], R]:
    """A method that threads which share the hub call one after the other."""
    return _waiting(method, whole=True)


def in_turn_late(method: Callable[Concatenate[E, P], R]) -> Callable[Concatenate[E, P], R]:
    """Such a method, that does without the histograms of partitions, unless a step of a search reads them."""
    return _waiting(method, whole=False)


def _waiting(method: Callable[Concatenate[E, P], R], whole: bool) -> Callable[Concatenate[E, P], R]:
    @wraps(method)
    def waiting(hub: E, /, *args: P.args, **named: P.kwargs) -> R:
        hub._check_process()
        with hub._lock:
            if hub._shared is None:
                return method(hub, *args, **named)
            told: dict[str, Any] = dict(named)
            told.update(told.pop("options", None) or {})
            # A condition may be any SQL.
            needed = whole or bool(told.get("details") or told.get("where"))
            again: R = hub._shared.in_turn(lambda: method(hub, *args, **named), (*args, *named.values()), needed)
            return again

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


class Engine:
    """An open hub without its verbs.

    The package's statements run on a connection apart from the user's, where nothing that the user names can be taken for theirs.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] = ":memory:",
        *,
        read_only: bool = False,
        wait: float = 0,
        salt_file: str | os.PathLike[str] | None = None,
        _numpy: bool = True,
        _progress: bool = False,
        _make: bool = True,
        _late: bool = False,
        **settings: Any,
    ) -> None:
        # _numpy: whether the numpy functions are worth their import. _progress: tell how a hub is fetched. _make: one in a
        # server, where there is none. _late: of one there, read the histograms of partitions only when a search needs them.
        named = os.fspath(path) if isinstance(path, os.PathLike) else path
        if not isinstance(named, str) or "\0" in named or not is_writable(named):
            raise OptionError(f"a hub is a file, named by its path, got {path!r:.200}")
        self.path = named
        settings = salts.told(settings, salt_file)
        self._process = os.getpid()
        self._shared: shared.Shared | None = None
        if shared.is_shared(self.path):
            (self._con, self._own, self._place, held), self._shared = shared.opened_there(
                self.path, read_only, settings, _numpy, wait, _make, _late
            )
            self.path = self._shared.shown
        elif fetching.is_url(self.path):
            self._con, self._own, self._place, held = fetching.opened_there(self.path, settings, _numpy, _progress)
            self.path, read_only = fetching.shown(self.path), True
        else:
            self._con, self._own, self._place, held = opened(self.path, read_only, settings, _numpy, wait)
        self._file = None if held is None else File(self._own, self._con, self._place.tables, self.path, held, read_only)
        # A hub that is let go of, or open at the end of the program, is closed as well.
        self._closing = weakref.finalize(self, _close, self._own, self._con, self._file, self._shared, self._process)
        self._numpy = _numpy
        self._has_macros = False
        self._registered = 0
        # Of the types that datasets had so far.
        self._forms: dict[str, str | None] = {}
        self._sketched: Any = None
        # What the target that was sketched last is called.
        self._target_source = ""
        self._read_only = read_only
        self._taken: frozenset[str] = frozenset()
        self._lock = threading.RLock()

    @property
    def con(self) -> duckdb.DuckDBPyConnection:
        """The connection for statements of your own. It is closed with the hub, and where nobody keeps the hub."""
        self._check_process()
        with self._lock:
            if self._shared is not None:
                self._shared.refresh(always=True)
            if not self._has_macros:
                lay_macros(self._own, self._place, self._numpy)
                self._has_macros = True
        return self._con

    def __enter__(self: E) -> E:
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

    def _run_verb(self, verb: str, called: str | None = None, /, **variables: Any) -> None:
        # called: the dataset as the caller named it. What a script that failed has left.
        self._own.execute("".join(f"RESET VARIABLE {name};" for name in logic.variables(verb) if variables.get(name) is None))
        for name, value in variables.items():
            if value is not None:
                if isinstance(value, str):
                    check_text(name, value)
                try:
                    self._own.execute(f"SET VARIABLE {name} = ?", [value])
                except duckdb.NotImplementedException as error:
                    raise OptionError(f"{name} must be text, got {value!r:.200}") from error
        script = logic.placed(logic.script_of(verb), self._place)
        try:
            self._own.execute(script.replace("BEGIN TRANSACTION;", "").replace("COMMIT;", ""))
        except duckdb.Error as error:
            raise translated(error, called, variables.get("dataset", ""), self.path) from error

    @in_turn_late
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
        for name, version in zip(explained[::2], explained[1::2], strict=True):
            check_model(name, version)
        own, place = self._own, self._place
        try:
            self._sketch(target, names_of(exclude), read)
            own.execute("BEGIN TRANSACTION")
            try:
                named = ", ".join(f"{name} := ${name}" for name in given)
                own.execute(
                    f"CREATE OR REPLACE TEMP TABLE options AS FROM {place.logic}._logic.search_options({named})", given or None
                )
                if explained:
                    call = "explained(?, ?)" if len(explained) == 2 else "both_explained(?, ?, ?, ?)"
                    own.execute(f"CREATE OR REPLACE TEMP TABLE explained AS FROM {place.logic}._logic.{call}", list(explained))
                # One model is judged as among others.
                if explained and until in ("explained_feature", "compared_model", "judged_model"):
                    own.execute("CREATE OR REPLACE TEMP TABLE searched AS FROM temp.main.explained")
                else:
                    self._choose(**asked)
                needs = self._shared.need_all if self._shared is not None else None
                searching.step_by_step(own, place, until, numpy=self._numpy, taken=taken, of_partitions=needs)
                self._taken = frozenset(("target_sketch", "options", "searched", *(name for name, *_ in taken or ())))
                if until == "found_model":
                    shown = ("details", "rank_by", "max_js", "min_adaptivity", "sample_space", "search")
                    condition = f"{place.logic}._logic.is_shown(name, {', '.join('?' * len(shown))})"
                    result = self._result(
                        f"SELECT COLUMNS(lambda name: {condition}) FROM temp.main.found_model",
                        [given.get(name) for name in shown],
                    )
                elif until == "explained_feature":
                    result = self._result(
                        f"SELECT COLUMNS(lambda name: {place.logic}._logic.explanation_shows(name, ?)) "
                        "FROM temp.main.explained_feature",
                        [given.get("details")],
                    )
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
        check_text("where", where)
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
            warn_of_skipped(skipped, source)
            self._target_source = source
        if key is not None:
            self._sketched = (key, exclude)

    def _both_sides(self) -> Any:
        """The histograms of the features of the target and of the model that was explained last, as an Arrow table."""
        self._own.execute(
            "SELECT 'target' AS side, feature, kind, k, b, bins, counts, \"values\" FROM temp.main.target_sketch UNION ALL "
            f"SELECT 'model', feature, kind, k, b, bins, counts, \"values\" FROM {self._place.tables}._hub.features "
            "WHERE dataset_id = (SELECT dataset_id FROM temp.main.explained)"
        )
        return fetched(self._own)

    def _looked_at(
        self, dataset: Any, exclude: Sequence[str], read: Mapping[str, Any] | None
    ) -> tuple[list[tuple[Any, ...]], list[str]]:
        """The features of a dataset (name, kind, values, nulls, distinct values), and what its sketch leaves out."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._sketch(dataset, names_of(exclude), read)
        features = self._own.execute(
            'SELECT feature, kind, "values", nulls, distincts FROM temp.main.target_sketch ORDER BY feature_id ASC'
        ).fetchall()
        ((skipped,),) = self._own.execute("SELECT any_value(skipped) FROM temp.main.target_sketch").fetchall()
        return features, skipped

    def _result(self, query: str, params: Sequence[Any] | None = None) -> Result:
        self._own.execute(query, params)
        return Result(self._con, fetched(self._own)) if self._numpy else Rows(self._con, self._own)

    @contextmanager
    def _dataset(
        self, dataset: Any, exclude: Sequence[str] = (), read: Mapping[str, Any] | None = None
    ) -> Iterator[tuple[Dataset, Layout]]:
        """A dataset that the package's connection can read, and its columns, those to exclude checked."""
        with datasets.readable(self._own, self._con, dataset, read) as found:
            yield found, self._layout(found.name, found.source, names_of(exclude))

    def _layout(self, name: str, source: str, exclude: list[str], columns: Sequence[tuple[str, str]] | None = None) -> Layout:
        # columns: name and type of each where they are known; none is a struct.
        rows = f"{self._place.logic}._logic"
        if datasets.is_sketch(name):
            return self._sketched_layout(name, source, exclude)
        try:
            nested = False
            if columns is None:
                described = self._own.execute(f"DESCRIBE FROM {rows}.dataset_rows(?)", [name]).fetchall()
                nested = any(type_.startswith("STRUCT") and not type_.endswith("]") for _, type_, *_ in described)
                if nested:
                    described = self._own.execute(f"DESCRIBE FROM {rows}.leaves(?, nested := true)", [name]).fetchall()
                columns = [(row[0], row[1]) for row in described]
            names, types = ([column[place] for column in columns] for place in (0, 1))
            if unseen := {*types} - self._forms.keys():
                self._forms |= dict(
                    self._own.execute(
                        f"SELECT type, {rows}.form_of(type) FROM (SELECT unnest(?::VARCHAR[]) AS type)", [list(unseen)]
                    ).fetchall()
                )
            left, unknown = names, []
            if exclude:
                ((left, unknown),) = self._own.execute(
                    f"SELECT list_filter($names::VARCHAR[], lambda name: NOT {rows}.is_excluded(name, $exclude::VARCHAR[])), "
                    f"{rows}.unknown_among($exclude::VARCHAR[], $names::VARCHAR[])",
                    {"names": names, "exclude": exclude},
                ).fetchall()
        except duckdb.Error as error:
            raise translated(error, source, name) from error
        _check_columns(source, names, unknown, left)
        kept = {*left}
        return Layout(
            nested, [(each, type_, self._forms[type_]) for each, type_ in zip(names, types, strict=True) if each in kept]
        )

    def _sketched_layout(self, name: str, source: str, exclude: list[str]) -> Layout:
        rows = f"{self._place.logic}._logic"
        try:
            ((names, left, unknown),) = self._own.execute(
                f"SELECT list(feature), list(feature) FILTER (NOT {rows}.is_excluded(feature, $exclude::VARCHAR[])), "
                # What was left out when it was made may be left out again.
                f"{rows}.unknown_among($exclude::VARCHAR[], list(feature) || any_value(excluded)::VARCHAR[]) "
                "FROM read_parquet($name)",
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
            if self._shared is not None:
                self._shared.remember()
            yield
            if self._shared is not None:
                self._shared.send()
            self._own.execute("COMMIT")
        except BaseException as error:
            if self._shared is not None:
                self._shared.forget()
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


def _close(
    own: duckdb.DuckDBPyConnection,
    con: duckdb.DuckDBPyConnection,
    file: File | None,
    server: shared.Shared | None,
    process: int,
) -> None:
    if process != os.getpid():
        # DuckDB would wait for threads that this process does not have, or crash.
        _LEFT.append((own, con))
        return
    if file is not None:
        file.settle()
    if server is not None:
        server.close()
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


def warn_of_skipped(skipped: list[str], source: str) -> None:
    """Say what a sketch leaves out, to who called the package."""
    keys = [column for column in skipped if _KEY.search(column)]
    if others := [column for column in skipped if column not in keys]:
        warnings.warn(visible(f"{source}: skipped, cannot be compared: {', '.join(others)}"), stacklevel=_callers_level())
    if keys:
        names = [_KEY.sub("", column) for column in keys]
        warnings.warn(
            visible(f"{source}: left out, says nothing of the data: {', '.join(keys)}; without a word: exclude={names}"),
            stacklevel=_callers_level(),
        )


def _callers_level() -> int:
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] in ("modelhub_sql", "contextlib"):
        level, frame = level + 1, frame.f_back
    return level


def plain(value: Any) -> Any:
    # A number of numpy, or a decimal one, as one of Python's own.
    if isinstance(value, Decimal) or (isinstance(value, Real) and not isinstance(value, (int, float))):
        return float(value)
    return value


def names_of(exclude: Sequence[str] | None) -> list[str]:
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
        check_text("exclude", column)
    return columns


def check_model(name: Any, version: Any) -> None:
    """Refuse what can't be the name and the version of a registered model."""
    if not isinstance(name, str):
        raise OptionError(f"model must be the name of a registered model, got {name!r:.200}")
    if version is not None and not isinstance(version, str):
        raise OptionError(f"version must be text, as '2', got {version!r:.200}")
    check_text("model", name)
    check_text("version", version)


def as_json(metadata: Any) -> str | None:
    if metadata is None:
        return None
    try:
        return json.dumps(metadata, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise OptionError(f"metadata must be what JSON can hold: {error}") from error


def _option(name: str, value: Any) -> Any:
    told = plain(value)
    if not isinstance(told, (str, int, float)):
        raise OptionError(f"{name} must be a number or text, got {value!r}")
    check_text(name, told)
    return told
