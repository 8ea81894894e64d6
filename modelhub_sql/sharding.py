"""A dataset sketched shard by shard, by any number of processes or machines, to the bytes of its sketch as a whole.

The place of a row in the whole decides its partition, so a shard can be counted by whoever knows the numbers of its rows and
how many rows there are in all. What needs more than a shard (what a column of texts spells, the resolution of numbers, keys) is
agreed on first: shards are *surveyed*, the plan *agrees*, shards are *counted*, the counts are added up. The relations are those
of ``sql/sketch``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import duckdb

from modelhub_sql import datasets, logic
from modelhub_sql.datasets import NUMBER, fetched
from modelhub_sql.errors import DatasetError, OptionError, OutOfMemoryError, translated
from modelhub_sql.merging import run_relations
from modelhub_sql.result import Sketch
from modelhub_sql.settings import Settings

if TYPE_CHECKING:
    from modelhub_sql.hub import Hub

__all__ = [
    "Counts", "Plan", "Shard", "Survey", "added_up", "count_rows", "in_processes", "merge", "planned", "shards", "sketch_shard",
    "survey_rows", "survey_shard",
]  # fmt: skip

_VIEW = "modelhub_shard"
_OBJECT = "modelhub_rows"
#: What shards are counted by, agreed on once; the last is known only when all are surveyed.
_PLANNED = ("typed_column", "row_permutation")
_AGREED = ("dataset_column", "feature_resolution", "left_out", "distinct_value")


@dataclass(frozen=True)
class Shard:
    """Rows that follow one another in a dataset.

    first: the number of the first in the whole, from 0. rows: how many. file: where they are, ``before`` rows after its
    beginning; or table: the rows themselves (Arrow).
    """

    first: int
    rows: int
    file: str | None = None
    before: int = 0
    table: Any = field(default=None, repr=False)


class Survey(NamedTuple):
    """What of some rows has to be agreed on: so many rows, those of the sample, and what columns of texts spell (Arrow)."""

    rows: int
    sample: Any
    spelt: Any


class Counts(NamedTuple):
    """So many rows, counted: the bins of each feature in each partition (Arrow)."""

    rows: int
    elements: Any


@dataclass(frozen=True)
class Plan:
    """How a dataset is sketched by many. Small, and can be pickled: each worker gets it.

    columns: name and type of each column, as the rows have them together. tables: what is agreed on (Arrow).
    hide_excluded: the sketch says no more than that columns were excluded.
    threads: of DuckDB in each worker; None: as many as there are cores.
    """

    settings: Settings
    source: str
    rows: int
    columns: tuple[tuple[str, str], ...]
    exclude: tuple[str, ...]
    nested: bool
    forms: tuple[str, ...]
    tables: Mapping[str, Any] = field(repr=False)
    shards: tuple[Shard, ...] = ()
    read: Mapping[str, Any] | None = None
    hide_excluded: bool = False
    threads: int | None = None

    @property
    def is_agreed(self) -> bool:
        """Whether shards can be counted."""
        return "dataset_column" in self.tables

    def agreed(self, surveys: Iterable[Survey]) -> Plan:
        """The plan with all that shards are counted by. surveys: of all rows. Raises DatasetError."""
        found = list(surveys)
        self._check_rows((each.rows for each in found), "surveyed")
        import pyarrow as pa

        hub = _worker(self)
        with _given(hub, self.tables), _given(hub, {"modelhub_spelt": pa.concat_tables([each.spelt for each in found])}):
            spelt = _table(
                hub,
                "SELECT feature_id, bool_and(is_number) AS is_number, bool_and(is_comma_number) AS is_comma_number, "
                "bool_and(is_time) AS is_time, bool_and(is_clock) AS is_clock FROM modelhub_spelt GROUP BY feature_id",
            )
            known = {"sample_row": pa.concat_tables([each.sample for each in found]), "spelt_column": spelt}
            with _given(hub, known):
                given = (*_PLANNED, *known)
                agreed = {name: _ran(self, hub, f"FROM {name}", given) for name in _AGREED}
        return replace(self, tables={**self.tables, **agreed})

    def sketch(self, map: Callable[..., Iterable[Any]] = map) -> Sketch:
        """The sketch of the dataset: each shard surveyed, then counted.

        map: calls a function with each of a list, as ``map``, ``multiprocessing.Pool.map`` or ``Executor.map`` do; the function
        and its arguments can be pickled. Raises DatasetError.
        """
        from modelhub_sql.engine import warn_of_skipped

        # Each worker gets the plan, and only its own rows.
        plan = replace(self, shards=())
        if not plan.is_agreed:
            plan = plan.agreed(map(_surveyed, [(plan, each) for each in self.shards]))
        made = merge(plan, map(_counted, [(plan, each) for each in self.shards]))
        warn_of_skipped(made.skipped, self.source)
        return made

    def _check_rows(self, rows: Iterable[int], what: str) -> None:
        total = sum(rows)
        if total != self.rows:
            raise DatasetError(
                f"{self.source} has {self.rows} rows in all, and {total} were {what}: each shard has to be {what} once"
            )


def shards(
    dataset: Any,
    count: int | None = None,
    *,
    exclude: Sequence[str] = (),
    hide_excluded: bool = False,
    read: Mapping[str, Any] | None = None,
    hub: Hub | None = None,
    threads: int | None = None,
) -> Plan:
    """How to sketch a dataset shard by shard: ``shards("rows/*.parquet", 8).sketch(map=pool.map)``.

    dataset, exclude, hide_excluded, read: as of ``Hub.register``; files are parquet, csv or json. The order of rows is that of
    the names of the files that a glob means, or of a list of files, and in a file as they are.
    count: at least so many shards, where the rows can be cut: a parquet file or a table can, a csv or json file is one shard.
    hub: whose format and salt the sketch is to have; by default those of a hub with default settings.
    threads: of DuckDB in each worker; by default as many as there are cores.

    Of parquet only the footers are read here, of csv and json all rows, for their types. Raises DatasetError and OptionError.
    """
    from modelhub_sql.engine import names_of
    from modelhub_sql.hub import Hub as Opened

    if count is not None and (isinstance(count, bool) or not isinstance(count, int) or count < 1):
        raise OptionError(f"count must be a whole number above 0, got {count!r}")
    if hub is None:
        with Opened() as plain:
            return shards(dataset, count, exclude=exclude, hide_excluded=hide_excluded, read=read, hub=plain, threads=threads)
    with hub._lock, hub._dataset(dataset, read=read) as ((name, source), _):
        if datasets.is_sketch(name):
            raise DatasetError(f"{source} is a sketch: shards are of rows")
        cut = _of_files(hub, dataset, source, read, count) if _is_files(dataset) else _of_table(hub, name, source, count)
        return replace(
            planned(hub, name, source, sum(each.rows for each in cut), names_of(exclude)),
            shards=cut, read=dict(read) if read else None, hide_excluded=hide_excluded, threads=threads,
        )  # fmt: skip


def planned(hub: Hub, name: str, source: str, rows: int, exclude: list[str]) -> Plan:
    """A plan without shards, for who numbers the rows. name: of what the hub's connection reads, with the columns of the rows."""
    from modelhub_sql.upkeep import _settings

    if rows < 1:
        raise DatasetError(f"{source} has no rows: there is nothing to sketch")
    own, place = hub._own, hub._place
    layout = hub._layout(name, source, exclude)
    try:
        described = own.execute(f"DESCRIBE FROM {place.logic}._logic.dataset_rows(?)", [name]).fetchall()
        columns = tuple((column, type_) for column, type_, *_ in described)
        ((salt,),) = own.execute("SELECT getvariable('salt')").fetchall()
        settings = _settings(own, place.tables, hub.path)
        if salt and settings.salt_fingerprint:
            settings = replace(settings, salt=salt)
        plan = Plan(settings, source, rows, columns, tuple(exclude), layout.nested, tuple(layout.forms), {})
        worker = _worker(plan)
        one = worker._own
        listed = ", ".join(f"CAST(NULL AS {type_}) AS {_quoted(column)}" for column, type_ in columns)
        one.execute(f"CREATE OR REPLACE TEMP VIEW {_VIEW} AS SELECT {listed}")
        one.execute(
            f"CREATE OR REPLACE TEMP TABLE dataset_row AS FROM {worker._place.logic}._logic.numbered_rows("
            f"'{_VIEW}', exclude := {_literal(exclude)}::VARCHAR[], nested := {str(plan.nested).lower()})"
        )
        tables = {"typed_column": _ran(plan, worker, "FROM typed_column", ("dataset_row",))}
        one.execute("DROP TABLE IF EXISTS temp.main.dataset_row")
        tables["row_permutation"] = _ran(plan, worker, "FROM row_permutation", ())
    except duckdb.Error as error:
        raise translated(error, source, name) from error
    return replace(plan, tables=tables)


def in_processes(plan: Plan, processes: int) -> Sketch:
    """The sketch of a plan's dataset, made by so many processes of this machine. Raises DatasetError and OutOfMemoryError."""
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import get_context

    threads = max(1, (os.cpu_count() or 1) // processes)
    try:
        # What DuckDB's threads hold does not survive a fork.
        with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
            return replace(plan, threads=threads).sketch(map=pool.map)
    except BrokenProcessPool as error:
        raise OutOfMemoryError(
            f"{plan.source}: a process that sketched was killed, as a system without memory does: use fewer processes"
        ) from error


def survey_shard(plan: Plan, shard: Shard) -> Survey:
    """What of a shard has to be agreed on. Raises DatasetError."""
    with _shard_rows(plan, shard) as hub:
        return _survey(plan, hub)


def survey_rows(plan: Plan, rows: Any, number: str) -> Survey:
    """The same of any rows, an Arrow table. number: the column of the number of each in the whole, from 0."""
    with _numbered_rows(plan, rows, number) as hub:
        return _survey(plan, hub)


def sketch_shard(plan: Plan, shard: Shard) -> Counts:
    """A shard counted, by what is agreed on. Raises DatasetError."""
    with _shard_rows(plan, shard) as hub:
        return _count(plan, hub)


def count_rows(plan: Plan, rows: Any, number: str) -> Counts:
    """The same of any rows, an Arrow table. number: the column of the number of each in the whole, from 0."""
    with _numbered_rows(plan, rows, number) as hub:
        return _count(plan, hub)


def added_up(plan: Plan, parts: Iterable[Counts]) -> Counts:
    """Counts of several rows as one; in any order, any grouping."""
    import pyarrow as pa

    found = list(parts)
    hub = _worker(plan)
    with _given(hub, {"modelhub_counts": pa.concat_tables([each.elements for each in found])}):
        elements = _table(
            hub,
            "SELECT partition_id, feature_id, bin, sum(occurrences)::UBIGINT AS occurrences FROM modelhub_counts GROUP BY ALL",
        )
    return Counts(sum(each.rows for each in found), elements)


def merge(plan: Plan, parts: Iterable[Counts]) -> Sketch:
    """The sketch of the counts of all shards, each once. Raises DatasetError."""
    whole = added_up(plan, parts)
    plan._check_rows([whole.rows], "counted")
    hub = _worker(plan)
    given = (*_PLANNED, *_AGREED, "fine_element")
    with _given(hub, {**plan.tables, "fine_element": whole.elements}):
        ran = _ran(
            plan, hub,
            f"SELECT * EXCLUDE (dataset_number), {_literal(plan.exclude)}::VARCHAR[] AS excluded, "
            "_format.fingerprint() AS fingerprint FROM whole_feature ORDER BY feature_id ASC",
            given,
        )  # fmt: skip
        if not len(ran):
            (skipped,) = _ran(plan, hub, "FROM skipped_column", given)["skipped"].to_pylist()
            raise DatasetError(
                f"{plan.source} has no column that can be compared: {', '.join(skipped)}. "
                "Pass a table with numbers, text, dates or lists that are not all NULL"
            )
    made = Sketch(hub._con, ran)
    return made.without_excluded_names() if plan.hide_excluded else made


def _surveyed(both: tuple[Plan, Shard]) -> Survey:
    return survey_shard(*both)


def _counted(both: tuple[Plan, Shard]) -> Counts:
    return sketch_shard(*both)


# -- where rows are ---------------------------------------------------------------------


def _is_files(dataset: Any) -> bool:
    some = dataset if isinstance(dataset, (list, tuple)) and dataset else [dataset]
    if not all(isinstance(each, (str, os.PathLike)) for each in some):
        return False
    return len(some) > 1 or "." in os.fspath(some[0]) or "/" in os.fspath(some[0])


def _of_files(hub: Hub, dataset: Any, source: str, read: Mapping[str, Any] | None, count: int | None) -> tuple[Shard, ...]:
    own = hub._own
    named = [os.fspath(each) for each in (dataset if isinstance(dataset, (list, tuple)) else [dataset])]
    try:
        files = [
            file
            for each in named
            for (file,) in own.execute("SELECT file FROM glob(?)", [datasets._checked_path(each)]).fetchall()
        ]
        if not files:
            raise DatasetError(f"{source} can't be read as a dataset: there is no such file")
        kinds = {datasets._reader(file) for file in files}
        if len(kinds) > 1 or any(file.lower().endswith((".arrow", ".feather", ".ipc")) for file in files):
            raise DatasetError(f"{source} can't be cut into shards: pass files of parquet, csv or json, or a table")
        if kinds == {"json"}:
            _check_times(hub, files, source, read)
        counted = [own.execute(f"SELECT count(*) FROM {_reading(file, read)}").fetchall()[0][0] for file in files]
    except duckdb.Error as error:
        raise translated(error, source) from error
    cut, first = [], 0
    size = max(1, -(-sum(counted) // (count or 1)))
    for file, rows in zip(files, counted, strict=True):
        pieces = -(-rows // size) if count and _can_be_cut(hub, file, read) else 1
        step = max(1, -(-rows // pieces)) if pieces else 1
        for before in range(0, rows, step):
            taken = min(step, rows - before)
            cut.append(Shard(first + before, taken, os.path.abspath(file), before))
        first += rows
    return tuple(cut)


def _check_times(hub: Hub, files: list[str], source: str, read: Mapping[str, Any] | None) -> None:
    """Refuse times of json whose spelling is for each file to guess."""
    function, options = datasets._READERS["json"]
    passed = "".join(f", {name} := {_literal(value)}" for name, value in {**options, **(read or {})}.items())
    described = hub._own.execute(f"DESCRIBE FROM {function}({_literal(files)}{passed})").fetchall()
    told = {name.lower() for name in read or {}} & {"dateformat", "date_format", "timestampformat", "timestamp_format"}
    for name, type_, *_ in described:
        for option, is_one in (("dateformat", r"\bDATE\b"), ("timestampformat", r"\bTIMESTAMP")):
            if re.search(is_one, type_) and not told & {option, option.replace("format", "_format")}:
                raise DatasetError(
                    f"{source} has times ({name}): say how all files spell them, as read={{'{option}': '%Y-%m-%d'}}, "
                    "or pass parquet"
                )


def _can_be_cut(hub: Hub, file: str, read: Mapping[str, Any] | None) -> bool:
    # The number of a row of a file has a name that a column may have.
    if datasets._reader(file) != "parquet":
        return False
    described = hub._own.execute(f"DESCRIBE FROM {_reading(file, read)}").fetchall()
    return all(name.lower() != "file_row_number" for name, *_ in described)


def _reading(file: str, read: Mapping[str, Any] | None, **more: Any) -> str:
    function, options = datasets._READERS[datasets._reader(file)]
    passed = "".join(f", {name} := {_literal(value)}" for name, value in {**options, **(read or {}), **more}.items())
    # The name of one file, not a glob.
    return f"{function}({_literal([datasets._checked_path(file)])}{passed})"


def _typed_reading(hub: Hub, plan: Plan, file: str) -> str:
    """What reads a file; with the types that its columns have in all files: what is a text there keeps its letters."""
    reading = _reading(file, plan.read)
    if datasets._reader(file) == "json" and "columns" not in (plan.read or {}):
        return _reading(file, plan.read, columns=dict(plan.columns))
    if datasets._reader(file) != "csv" or "columns" in (plan.read or {}):
        return reading
    there = {name.lower() for name, *_ in hub._own.execute(f"DESCRIBE FROM {reading}").fetchall()}
    types = {name: type_ for name, type_ in plan.columns if name.lower() in there}
    others = {name: value for name, value in (plan.read or {}).items() if name.lower() not in ("types", "dtypes")}
    return _reading(file, others, types=types)


def _of_table(hub: Hub, name: str, source: str, count: int | None) -> tuple[Shard, ...]:
    table = _table(hub, f"FROM {hub._place.logic}._logic.dataset_rows({_literal(name)})")
    size = max(1, -(-table.num_rows // (count or 1)))
    return tuple(
        Shard(first, len(part), table=part) for first in range(0, table.num_rows, size) for part in [table.slice(first, size)]
    )


# -- what a worker does -----------------------------------------------------------------


def _worker(plan: Plan) -> Hub:
    """A hub in memory of the plan's format, one in each process."""
    hub = _opened(plan.settings, os.getpid())
    if plan.threads is not None:
        hub._own.execute(f"SET threads = {int(plan.threads)}")
    return hub


@cache
def _opened(settings: Settings, process: int) -> Hub:
    from modelhub_sql.hub import Hub as Opened

    return Opened(**asdict(settings))


@contextmanager
def _shard_rows(plan: Plan, shard: Shard) -> Iterator[Hub]:
    """The rows of a shard as the temporary table dataset_row."""
    if shard.table is not None:
        with _read(plan, _OBJECT, f"row_number() OVER () - 1 + {shard.first}", shard.table, shard.rows) as hub:
            yield hub
        return
    assert shard.file is not None
    worker = _worker(plan)
    try:
        if _can_be_cut(worker, shard.file, plan.read):
            reading = _reading(shard.file, plan.read, file_row_number=True)
            first, last = shard.before, shard.before + shard.rows - 1
            rows = f"(FROM {reading} WHERE file_row_number BETWEEN {first} AND {last})"
            number = f"file_row_number + {shard.first - shard.before}"
        else:
            rows, number = _typed_reading(worker, plan, shard.file), f"row_number() OVER () - 1 + {shard.first}"
    except duckdb.Error as error:
        raise translated(error, shard.file) from error
    with _read(plan, rows, number, None, shard.rows, shard.file) as hub:
        yield hub


@contextmanager
def _numbered_rows(plan: Plan, rows: Any, number: str) -> Iterator[Hub]:
    with _read(plan, _OBJECT, f"{_quoted(number)}::BIGINT", rows, rows.num_rows) as hub:
        yield hub


@contextmanager
def _read(plan: Plan, rows: str, number: str, table: Any, expected: int, source: str | None = None) -> Iterator[Hub]:
    """Rows as the temporary table dataset_row, in the columns and types of the whole. number: SQL for the number of a row."""
    hub = _worker(plan)
    own = hub._own
    try:
        if table is not None:
            own.register(_OBJECT, table)
        there = {name.lower() for name, *_ in own.execute(f"DESCRIBE FROM {rows}").fetchall()}
        listed = "".join(
            f", CAST({_quoted(name) if name.lower() in there else 'NULL'} AS {type_}) AS {_quoted(name)}"
            for name, type_ in plan.columns
        )
        own.execute(f"CREATE OR REPLACE TEMP VIEW {_VIEW} AS SELECT {number} AS {NUMBER}{listed} FROM {rows}")
        features = "".join(f", {_quoted(name)}" for name in plan.tables["typed_column"]["feature"].to_pylist())
        own.execute(
            f"CREATE OR REPLACE TEMP TABLE dataset_row AS SELECT {NUMBER}{features} "
            f"FROM {hub._place.logic}._logic.leaves('{_VIEW}', nested := {str(plan.nested).lower()})"
        )
        ((count, least, most),) = own.execute(
            f"SELECT count(*), min({NUMBER}), max({NUMBER}) FROM temp.main.dataset_row"
        ).fetchall()
        if count != expected:
            raise DatasetError(f"{source or plan.source} has other rows than when the plan was made: make it anew")
        if count and not 0 <= least <= most < plan.rows:
            raise DatasetError(f"{plan.source} has rows 0 to {plan.rows - 1}, and one is numbered {least if least < 0 else most}")
        yield hub
    except duckdb.Error as error:
        raise translated(error, source or plan.source) from error
    finally:
        with suppress(duckdb.Error):
            own.execute(f"DROP TABLE IF EXISTS temp.main.dataset_row; DROP VIEW IF EXISTS temp.main.{_VIEW}")
        if table is not None:
            own.unregister(_OBJECT)


def _survey(plan: Plan, hub: Hub) -> Survey:
    given = ("dataset_row", *_PLANNED)
    with _given(hub, plan.tables):
        ((rows,),) = hub._own.execute("SELECT count(*) FROM temp.main.dataset_row").fetchall()
        return Survey(rows, _ran(plan, hub, "FROM sample_row", given), _ran(plan, hub, "FROM spelt_column", given))


def _count(plan: Plan, hub: Hub) -> Counts:
    if not plan.is_agreed:
        raise OptionError("the plan is not agreed on yet: survey all shards first, and count by plan.agreed(surveys)")
    with _given(hub, plan.tables):
        ((rows,),) = hub._own.execute("SELECT count(*) FROM temp.main.dataset_row").fetchall()
        return Counts(rows, _ran(plan, hub, "FROM fine_element", ("dataset_row", *_PLANNED, *_AGREED)))


def _ran(plan: Plan, hub: Hub, query: str, given: tuple[str, ...]) -> Any:
    """The rows of a query over the relations of ``sql/sketch``; given: those that are there, as temporary tables."""
    relations = dict(logic.relations("sketch", hub._numpy))
    for name, relation in relations.items():
        text = relation.query
        if name == "dataset_size":
            text = f"SELECT 0::USMALLINT AS dataset_number, 0::UBIGINT AS features_before, {plan.rows}::BIGINT AS rows"
        relations[name] = logic.Relation(name, relation.comment, logic.with_forms(text, plan.forms), relation.inlined)
    try:
        return run_relations(hub, relations, query, given, keep=True)
    except duckdb.Error as error:
        raise translated(error, plan.source) from error


@contextmanager
def _given(hub: Hub, tables: Mapping[str, Any]) -> Iterator[None]:
    """Arrow tables as temporary tables of their names."""
    own = hub._own
    try:
        for name, table in tables.items():
            own.register("modelhub_given", table)
            own.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS FROM modelhub_given")
            own.unregister("modelhub_given")
        yield
    finally:
        with suppress(duckdb.Error):
            for name in tables:
                own.execute(f"DROP TABLE IF EXISTS temp.main.{name}")


def _table(hub: Hub, query: str) -> Any:
    hub._own.execute(query)
    return fetched(hub._own)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(value: Any) -> str:
    return datasets.literal(value)
