"""A dataset as the caller names it, made readable for the package's own connection."""

from __future__ import annotations

import os
import re
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import duckdb

from modelhub_sql.arguments import is_writable
from modelhub_sql.errors import DatasetError, OptionError, nearest_file, translated

__all__ = [
    "NUMBER", "SKETCH_FILE", "Dataset", "arrow", "arrow_file", "batches", "check_read", "fetched", "is_local_file", "is_model",
    "is_sketch", "key", "literal", "readable", "said_of",
]  # fmt: skip

#: The column of the number of a row, as sql/values/25_datasets.sql calls it.
NUMBER = '"_modelhub row 5f1c"'

#: How the name of a sketch file ends, as sql/values/25_datasets.sql has it.
SKETCH_FILE = ".sketch.parquet"

_PATH = re.compile(r"[/\\*?\[]|\.(parquet|csv|tsv|json|jsonl|ndjson|arrow|feather|ipc)(\.(gz|zst))?$", re.IGNORECASE)
_ARROW_FILE = re.compile(r"\.(arrow|feather|ipc)$", re.IGNORECASE)
_MODEL = re.compile(r"\.(onnx|skops|joblib|pkl|pickle)$", re.IGNORECASE)
_OBJECT = "modelhub_dataset"
_VIEW = "modelhub_files"


def is_sketch(name: str) -> bool:
    """Whether a dataset is the sketch of one."""
    return name.lower().endswith(SKETCH_FILE)


def is_model(dataset: Any) -> bool:
    """Whether a dataset is the file of a model, which may hold the sketch of what it was fitted on."""
    path = os.fspath(dataset) if isinstance(dataset, (str, os.PathLike)) else None
    return isinstance(path, str) and bool(_MODEL.search(path)) and os.path.isfile(path)


def _of_hugging_face(path: str) -> bool:
    return any(os.path.isfile(os.path.join(path, name)) for name in ("dataset_info.json", "dataset_dict.json"))


class Dataset(NamedTuple):
    """name: what query_table takes. source: what the caller calls it."""

    name: str
    source: str


def check_read(read: Any) -> None:
    """Refuse what can't be options of a reader. Raises OptionError."""
    if read is not None and not isinstance(read, Mapping):
        raise OptionError(
            f"read must be options of DuckDB's reader of files by their names, as {{'delim': ';'}}, got {read!r:.200}"
        )


@contextmanager
def readable(
    own: duckdb.DuckDBPyConnection, con: duckdb.DuckDBPyConnection, dataset: Any, read: Mapping[str, Any] | None = None
) -> Iterator[Dataset]:
    """A dataset that the connection ``own`` can read, while the context lasts.

    dataset: a file or glob, or a list of files; a table or view of the user's connection ``con``; a ``Sketch``; an object of
    Python that holds a table (see ``objects``). read: options of DuckDB's reader of files. Raises DatasetError and
    OptionError.
    """
    check_read(read)
    if isinstance(dataset, Dataset):
        # A file under another name than its own: the copy of what is elsewhere.
        yield Dataset(_checked_path(dataset.name), dataset.source)
        return
    if isinstance(dataset, (list, tuple)) and dataset and all(isinstance(each, (str, os.PathLike)) for each in dataset):
        files = [_checked_path(os.fspath(each)) for each in dataset]
        with _files(own, files, f"{files[0]} and {len(files) - 1} more" if len(files) > 1 else files[0], read) as found:
            yield found
        return
    if is_model(dataset) and not read:
        with _in_model(os.fspath(dataset)) as found:
            yield found
        return
    if isinstance(dataset, (str, os.PathLike)):
        source = os.fspath(dataset)
        if not isinstance(source, str) or "\0" in source or not is_writable(source):
            raise DatasetError(f"a dataset is a path or the name of a table, got {source!r:.200}")
        if not source.strip():
            raise DatasetError("a dataset needs a name: a file, a glob, a table or a view")
        if _of_hugging_face(source) and not read:
            from modelhub_sql import huggingface

            dataset = huggingface.table_of(source)
        elif _PATH.search(source) or "." in source or read:
            path = _checked_path(source)
            if _ARROW_FILE.search(path):
                dataset = arrow_file(path)
            elif read:
                with _files(own, [path], source, read) as found:
                    yield found
                return
            else:
                yield Dataset(path, source)
                return
        else:
            if os.path.isdir(source) and not _exists(con, source):
                raise _folder(source)
            name, is_temporary = _qualified(con, source)
            if not is_temporary:
                yield Dataset(name, source)
                return
            # The package's connection does not see what is temporary in the user's.
            try:
                dataset = arrow(con.sql(f"FROM {name}"))
            except duckdb.Error as error:
                raise translated(error, source) from error
    else:
        source = f"the {type(dataset).__name__} passed"
        from modelhub_sql.result import Result, Sketch

        if isinstance(dataset, Sketch):
            # As its file is read and checked.
            with TemporaryDirectory() as folder:
                yield Dataset(dataset.save(Path(folder) / f"modelhub{SKETCH_FILE}"), source)
            return
        if isinstance(dataset, Result):
            dataset = dataset.relation
        if isinstance(dataset, duckdb.DuckDBPyRelation):
            try:
                dataset = arrow(dataset)
            except duckdb.Error as error:
                raise translated(error, source) from error
    if read:
        raise DatasetError(f"{source} is no file: read gives options to a reader of files")
    from modelhub_sql import objects  # numpy and pyarrow take a third of a second

    table = objects.as_table(dataset, source)
    try:
        own.register(_OBJECT, table)
    except (duckdb.Error, TypeError, RuntimeError, ValueError) as error:
        raise DatasetError(f"{source} can't be read as a dataset: {error}") from error
    try:
        yield Dataset(_OBJECT, source)
    finally:
        # In a transaction that failed this is refused, and undone by the rollback anyway.
        with suppress(duckdb.Error):
            own.unregister(_OBJECT)


@contextmanager
def _in_model(path: str) -> Iterator[Dataset]:
    from modelhub_sql import fitted

    with tempfile.TemporaryDirectory() as folder:
        sketch = fitted.sketch_in(path, folder)
        if sketch is None:
            # A pickle may be a table, too.
            table = next((f", or {how}" for ending, how in _OTHERS.items() if path.lower().endswith(ending)), "")
            raise DatasetError(
                f"{path} holds no sketch of what a model was fitted on: fit modelhub_sql.sketching(model), or call "
                f"modelhub_sql.keep_sketch(model, data) before it is saved; else pass the data{table}"
            )
        yield Dataset(sketch, path)


#: What DuckDB's readers are told, as in sql/values/25_datasets.sql.
_READERS: dict[str, tuple[str, dict[str, Any]]] = {
    "parquet": ("read_parquet", {"union_by_name": True, "hive_partitioning": False}),
    "csv": (
        "read_csv",
        {
            "sample_size": -1,
            "union_by_name": True,
            "hive_partitioning": False,
            "dateformat": "%Y-%m-%d",
            "auto_type_candidates": ["BIGINT", "DOUBLE", "DATE", "VARCHAR"],
        },
    ),
    "json": ("read_json", {"sample_size": -1, "union_by_name": True, "hive_partitioning": False}),
}


def _reader(path: str) -> str:
    if re.search(r"\.(parquet|pq)$", path, re.IGNORECASE):
        return "parquet"
    return "json" if re.search(r"\.(json|jsonl|ndjson)(\.(gz|zst))?$", path, re.IGNORECASE) else "csv"


@contextmanager
def _files(own: duckdb.DuckDBPyConnection, paths: list[str], source: str, read: Mapping[str, Any] | None) -> Iterator[Dataset]:
    """Files as a temporary view, read with options."""
    if sketches := [path for path in paths if is_sketch(path)]:
        raise DatasetError(f"{sketches[0]} is a sketch: it is a dataset alone, without options of a reader")
    readers = sorted({_reader(path) for path in paths})
    if len(readers) > 1:
        raise DatasetError(f"{source} are of different formats ({', '.join(readers)}): a dataset has files of one format")
    function, options = _READERS[readers[0]]
    given = {str(name): value for name, value in (read or {}).items()}
    for name in given:
        if not re.fullmatch(r"[A-Za-z_]+", name):
            raise DatasetError(f"{source}: {name!r} is no option of a reader of {readers[0]}")
    passed = "".join(f", {name} := {literal(value)}" for name, value in {**options, **given}.items())
    try:
        own.execute(f"CREATE OR REPLACE TEMP VIEW {_VIEW} AS FROM {function}({literal(paths)}{passed})")
    except duckdb.Error as error:
        raise translated(error, source) from error
    try:
        yield Dataset(_VIEW, source)
    finally:
        with suppress(duckdb.Error):
            own.execute(f"DROP VIEW IF EXISTS temp.main.{_VIEW}")


def literal(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{literal(str(name))}: {literal(each)}" for name, each in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(literal, value)) + "]"
    return "'" + str(value).replace("'", "''") + "'"


def _checked_path(path: str) -> str:
    """The path, or the glob that means it, after a look at what lies there.

    Raises DatasetError for what is no table, or not yet.
    """
    file = Path(path)
    try:
        if file.is_dir():
            raise _folder(path)
        if file.exists() and not file.is_file():
            raise DatasetError(f"{path} is a pipe or a device, which can be read once only: write it to a file first")
        if not file.is_file():
            return path
        if suggestion := next((how for ending, how in _OTHERS.items() if path.lower().endswith(ending)), None):
            raise DatasetError(f"{path} can't be read as a dataset: pass {suggestion}")
        with file.open("rb") as stream:
            if stream.read(len(_POINTER)) == _POINTER:
                raise DatasetError(f"{path} is a pointer of Git LFS, not the data: run git lfs pull first")
    except (OSError, ValueError) as error:
        if isinstance(error, DatasetError):
            raise
        return path
    # A file that is called so, not a glob.
    return re.sub(r"[*?\[]", lambda sign: f"[{sign[0]}]", path) if re.search(r"[*?\[]", path) else path


_POINTER = b"version https://git-lfs.github.com/spec/"

#: What is passed instead of a file that DuckDB does not read.
_OTHERS = {
    ".xlsx": "its sheet, saved as a csv, or in Python pandas.read_excel(path)",
    ".xls": "its sheet, saved as a csv, or in Python pandas.read_excel(path)",
    ".pkl": "pandas.read_pickle(path)",
    ".pickle": "pandas.read_pickle(path)",
    ".npy": "numpy.load(path)",
    ".npz": "one array of numpy.load(path)",
    ".h5": "pandas.read_hdf(path)",
    ".hdf5": "pandas.read_hdf(path)",
    ".orc": "pandas.read_orc(path)",
    ".avro": "a table of its rows, by read_avro of DuckDB's extension avro in a view",
    ".sqlite": "a view of one of its tables, by sqlite_scan of DuckDB's extension sqlite",
    ".zip": "the files in it, unpacked",
}


def _folder(path: str) -> DatasetError:
    folder = Path(path)
    if (folder / "_delta_log").is_dir():
        return DatasetError(
            f"{path} is the folder of a Delta table, whose files are not all of its present rows: "
            "pass deltalake.DeltaTable(path).to_pyarrow_table(), or a view of delta_scan(path) (DuckDB's extension delta)"
        )
    if (folder / "metadata").is_dir() and any((folder / "metadata").glob("*.metadata.json")):
        return DatasetError(f"{path} is the folder of an Iceberg table: pass a view of iceberg_scan(path) (extension iceberg)")
    files = [file for file in folder.rglob("*") if file.is_file() and file.suffix.lower() in _ENDINGS]
    deep = any(file.parent != folder for file in files)
    endings = sorted({file.suffix for file in files})
    globs = " or ".join(f"'{folder}/{'**/' if deep else ''}*{ending}'" for ending in endings)
    advice = f"pass a glob of its files, {globs}" if globs else "it has no file of parquet, csv or json"
    return DatasetError(f"{path} is a folder: {advice}")


_ENDINGS = (".parquet", ".csv", ".tsv", ".json", ".jsonl", ".ndjson")


def arrow_file(path: str) -> Any:
    """The rows of a file of Arrow, mapped into memory. Raises DatasetError."""
    import pyarrow as pa

    try:
        with pa.memory_map(path) as stream:
            if stream.read(6) == b"ARROW1":
                stream.seek(0)
                return pa.ipc.open_file(stream).read_all()
            stream.seek(0)
            return pa.ipc.open_stream(stream).read_all()
    except (OSError, pa.ArrowException) as error:
        raise DatasetError(f"{path} can't be read as an Arrow file: {error}") from error


def _exists(con: duckdb.DuckDBPyConnection, name: str) -> bool:
    try:
        return bool(
            con.execute(
                "SELECT 1 FROM (SELECT table_name AS name FROM system.main.duckdb_tables()"
                " UNION ALL SELECT view_name FROM system.main.duckdb_views())"
                " WHERE system.main.lower(name) = system.main.lower(?)",
                [name],
            ).fetchall()
        )
    except duckdb.Error:
        return True


def _qualified(con: duckdb.DuckDBPyConnection, name: str) -> tuple[str, bool]:
    """The name of a table of the user's connection for any other connection, and whether it is temporary."""
    try:
        found = con.execute(
            "SELECT database_name, schema_name, name, temporary FROM ("
            " SELECT database_name, schema_name, table_name AS name, temporary FROM system.main.duckdb_tables()"
            " UNION ALL SELECT database_name, schema_name, view_name, temporary FROM system.main.duckdb_views())"
            " WHERE system.main.lower(name) = system.main.lower(?) AND (temporary"
            " OR database_name = system.main.current_database() AND schema_name = system.main.current_schema())"
            " ORDER BY temporary DESC LIMIT 1",
            [name.strip('"')],
        ).fetchall()
    except duckdb.Error as error:
        raise translated(error) from error
    if not found:
        # Not left to DuckDB, to which the package's own names are known.
        raise DatasetError(f"{name} does not exist: no file and no table is called that{nearest_file(name)}")
    *path, is_temporary = found[0]
    return ".".join('"' + part.replace('"', '""') + '"' for part in path), is_temporary


def is_local_file(name: str) -> bool:
    """Whether a dataset is called as files of this machine are."""
    return bool(_PATH.search(name)) and "://" not in name


def key(dataset: Any) -> Any:
    """What tells that a dataset is the one that was read before; None where nothing does.

    Files by their size and time; Arrow tables, which never change, by themselves.
    """
    if isinstance(dataset, (str, os.PathLike)):
        source = os.fspath(dataset)
        if not isinstance(source, str) or not _PATH.search(source) or "://" in source:
            return None
        try:
            path = Path(source)
            files = [path] if os.path.isfile(path) else sorted(Path(path.anchor or ".").glob(str(path.relative_to(path.anchor))))
            return (source, *((str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in files)) if files else None
        except (OSError, ValueError, NotImplementedError):
            return None
    return dataset if type(dataset).__module__.startswith("pyarrow") and type(dataset).__name__ == "Table" else None


def arrow(relation: Any) -> Any:
    """The rows of a relation or result as an Arrow table."""
    # Named to_arrow_table from DuckDB 1.5 on, before that fetch_arrow_table.
    return relation.to_arrow_table() if hasattr(relation, "to_arrow_table") else relation.fetch_arrow_table()


def batches(relation: Any, rows: int) -> Any:
    """The rows of a relation, so many at a time, as a reader of Arrow's."""
    # Named to_arrow_reader from DuckDB 1.5 on, before that fetch_record_batch.
    return relation.to_arrow_reader(rows) if hasattr(relation, "to_arrow_reader") else relation.fetch_record_batch(rows)


def fetched(con: duckdb.DuckDBPyConnection) -> Any:
    """The Arrow table of what a connection has run. A relation would plan it when it is made, and again when it is run."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Arrow output on a DB-API result")
        return arrow(con)


def said_of(source: str) -> str:
    """What a hub says of where a dataset is from: no folders, which may tell of people and projects."""
    return re.split(r"[/\\]", source.rstrip("/"))[-1]
