"""What Python holds a table in, as an Arrow table of types that DuckDB reads: every column works, or is named."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from modelhub_sql.errors import DatasetError

__all__ = ["as_table"]

#: Read once, and then empty.
_STREAMS = (pa.RecordBatchReader,)


def as_table(dataset: Any, source: str) -> Any:
    """An object as an Arrow table, or as it is where DuckDB reads it bit by bit (``pyarrow.dataset``).

    source: what messages call it. Raises DatasetError, which says what to pass instead or names the column.
    """
    module = type(dataset).__module__.partition(".")[0]
    kind = type(dataset).__name__
    try:
        if isinstance(dataset, pa.Table):
            return _plain(dataset, source)
        if isinstance(dataset, pa.RecordBatch):
            return _plain(pa.Table.from_batches([dataset]), source)
        if isinstance(dataset, _STREAMS):
            return _not_empty(_plain(dataset.read_all(), source), source)
        if module == "pyarrow" and hasattr(dataset, "schema"):  # a Dataset or Scanner, which may be larger than memory
            odd = [field.name for field in dataset.schema if _to_cast(field.type) is not None]
            return _plain(dataset.to_table(), source) if odd else dataset
        if (module == "pandas" and kind in ("DataFrame", "Series")) or module == "geopandas":
            return _of_pandas(dataset.to_frame() if kind in ("Series", "GeoSeries") else dataset, source)
        if module == "polars":
            return _of_polars(dataset, kind, source)
        if isinstance(dataset, np.ndarray):
            return _plain(_of_numpy(dataset, source), source)
        if module == "datasets" or (hasattr(dataset, "with_format") and hasattr(dataset, "column_names")):
            return _of_hugging_face(dataset, kind, source)
        if isinstance(dataset, Mapping):
            return _of_mapping(dataset, source)
        if isinstance(dataset, (list, tuple)) and dataset and all(isinstance(row, Mapping) for row in dataset):
            return _of_rows(dataset, source)
        if hasattr(dataset, "__arrow_c_stream__"):
            return _not_empty(_plain(pa.table(dataset), source), source)
        if hasattr(dataset, "to_pandas"):
            return _of_pandas(dataset.to_pandas(), source)
        if hasattr(dataset, "toPandas"):
            return _of_pandas(dataset.toPandas(), source)
    except (pa.ArrowException, ValueError, TypeError, RuntimeError, NotImplementedError) as error:
        if isinstance(error, DatasetError):
            raise
        raise DatasetError(f"{source} can't be read as a dataset: {_short(error)}") from error
    if isinstance(dataset, Iterable) and not isinstance(dataset, Sequence):
        raise DatasetError(
            f"{source} can be read only once, and names no columns: pass a table that holds its rows (pandas, polars, Arrow)"
        )
    raise DatasetError(
        f"{source} can't be read as a dataset: pass a file or glob, a table or view, a pandas or polars DataFrame, "
        "an Arrow table, a numpy matrix of rows and features, a dict of columns or a list of dicts"
    )


def _not_empty(table: Any, source: str) -> Any:
    if not table.num_rows:
        raise DatasetError(f"{source} has no rows left: a stream can be read only once; pass a table, reader.read_all(), instead")
    return table


def _short(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]


# -- Arrow --------------------------------------------------------------------------


def _to_cast(type_: Any) -> Any:
    """What a type has to be cast to for DuckDB; None where it reads it."""
    if pa.types.is_dictionary(type_):
        # Names of any number at the speed of text.
        return _to_cast(type_.value_type) or type_.value_type
    if pa.types.is_float16(type_):
        return pa.float32()
    if pa.types.is_decimal(type_) and (type_.bit_width > 128 or type_.precision > 38):
        return pa.float64()
    if str(type_) in ("string_view", "binary_view"):
        return pa.large_string() if str(type_) == "string_view" else pa.large_binary()
    if pa.types.is_list(type_) or pa.types.is_large_list(type_) or pa.types.is_fixed_size_list(type_):
        inner = _to_cast(type_.value_type)
        return None if inner is None else pa.large_list(inner)
    if str(type_).startswith(("list_view", "large_list_view")):
        return pa.large_list(_to_cast(type_.value_type) or type_.value_type)
    if str(type_).startswith("run_end_encoded"):
        return _to_cast(type_.value_type) or type_.value_type
    if isinstance(type_, pa.BaseExtensionType) and type_.extension_name not in ("arrow.uuid", "arrow.json", "arrow.bool8"):
        return _to_cast(type_.storage_type) or type_.storage_type
    return None


def _plain(table: Any, source: str) -> Any:
    names, columns = [], []
    for field, column in zip(table.schema, table.columns, strict=True):
        names.append(field.name)
        columns.append(_plain_column(column, field.name, source))
    return pa.table(columns, names=names)


def _plain_column(column: Any, name: str, source: str) -> Any:
    wanted = _to_cast(column.type)
    if wanted is None:
        return column
    try:
        if isinstance(column.type, pa.BaseExtensionType):
            chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
            column = pa.chunked_array([chunk.storage for chunk in chunks], column.type.storage_type)
            return _plain_column(column, name, source)
        if pa.types.is_float16(column.type):
            halves = column.to_numpy() if not column.null_count else column.to_numpy(zero_copy_only=False)
            return pa.array(np.asarray(halves, dtype=np.float32), from_pandas=True)
        return column.cast(wanted)
    except (pa.ArrowException, NotImplementedError):
        try:
            return pa.array(column.to_pylist(), wanted)
        except (pa.ArrowException, NotImplementedError, TypeError, ValueError) as error:
            raise DatasetError(
                f"{source}: the column {name!r} ({column.type}) can't be read, drop or cast it: {_short(error)}"
            ) from error


# -- others --------------------------------------------------------------------------


def _of_pandas(frame: Any, source: str) -> Any:
    names = [".".join(map(str, name)) if isinstance(name, tuple) else str(name) for name in frame.columns]
    columns = [_pandas_column(frame.iloc[:, place], name, source) for place, name in enumerate(names)]
    return pa.table([_plain_column(column, name, source) for column, name in zip(columns, names, strict=True)], names=names)


def _pandas_column(series: Any, name: str, source: str) -> Any:
    dtype = str(series.dtype)
    if dtype == "geometry":
        series = series.to_wkb()
    elif dtype.startswith("Sparse"):
        series = series.sparse.to_dense()
    elif dtype.startswith(("period", "interval", "complex")):
        series = series.astype(str).where(series.notna(), None)
    try:
        return pa.array(series, from_pandas=True)
    except UnicodeEncodeError as error:
        raise DatasetError(f"{source}: the column {name!r} holds text that is not Unicode: {_short(error)}") from error
    except (pa.ArrowException, TypeError, ValueError, OverflowError, NotImplementedError):
        return _as_text(series.tolist(), series.notna().tolist(), name, source)


def _as_text(cells: Sequence[Any], present: Sequence[Any], name: str, source: str) -> Any:
    held = [cell if there is not False else None for cell, there in zip(cells, present, strict=True)]
    types = sorted({type(cell).__name__ for cell in held if cell is not None})
    try:
        texts = pa.array([None if cell is None else str(cell) for cell in held], pa.large_string())
    except (UnicodeEncodeError, pa.ArrowException) as error:
        raise DatasetError(f"{source}: the column {name!r} holds text that is not Unicode: {_short(error)}") from error
    if len(types) > 1:
        warnings.warn(f"{source}: the column {name!r} holds {', '.join(types[:5])}: taken as text", stacklevel=2)
    return texts


def _of_polars(frame: Any, kind: str, source: str) -> Any:
    if kind == "LazyFrame":
        frame = frame.collect()
    elif kind == "Series":
        frame = frame.to_frame()
    columns = []
    for name, dtype in zip(frame.columns, frame.dtypes, strict=True):
        series = frame.get_column(name)
        if str(dtype).startswith("Object"):
            cells = series.to_list()
            columns.append(_as_text(cells, [cell is not None for cell in cells], name, source))
            continue
        try:
            column = series.to_arrow()
        except BaseException as error:  # polars panics with one that is no Exception
            if isinstance(error, (KeyboardInterrupt, SystemExit)):
                raise
            raise DatasetError(f"{source}: the column {name!r} ({dtype}) can't be read: {_short(error)}") from error
        columns.append(_plain_column(column, name, source))
    return pa.table(columns, names=list(frame.columns))


def _of_numpy(array: Any, source: str) -> Any:
    if array.dtype.names:
        return pa.table({name: pa.array(np.ascontiguousarray(array[name]).ravel().tolist()) for name in array.dtype.names})
    if array.ndim == 1:
        array = array.reshape(-1, 1)
    if array.ndim != 2:
        raise DatasetError(
            f"{source} has {array.ndim} dimensions: a matrix has a row for each example and a column for each feature; "
            "reshape it, array.reshape(len(array), -1)"
        )
    names = [f"column{place}" for place in range(array.shape[1])]
    return pa.table({name: _numpy_column(array[:, place], name, source) for place, name in enumerate(names)})


def _numpy_column(column: Any, name: str, source: str) -> Any:
    try:
        return pa.array(np.ascontiguousarray(column), from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError):
        cells = column.tolist()
        return _as_text(cells, [cell is not None and cell == cell for cell in cells], name, source)


def _of_hugging_face(dataset: Any, kind: str, source: str) -> Any:
    if isinstance(dataset, Mapping):
        splits = ", ".join(map(str, dataset))
        first = next(iter(dataset), "train")
        raise DatasetError(f"{source} holds several tables ({splits}): pass one of them, dataset[{first!r}]")
    if not hasattr(dataset, "__len__"):
        raise DatasetError(f"{source} is a stream, which can be read only once: pass a Dataset that is not streamed")
    # Its rows, in the order that it says.
    return _plain(dataset.with_format("arrow")[:], source)


def _of_mapping(columns: Mapping[Any, Any], source: str) -> Any:
    if any(hasattr(value, "columns") or hasattr(value, "column_names") for value in columns.values()):
        raise DatasetError(f"{source} holds several tables ({', '.join(map(str, columns))}): pass one of them")
    if not columns or any(isinstance(value, (str, bytes)) or not hasattr(value, "__len__") for value in columns.values()):
        raise DatasetError(f"{source} is no table: a dict has a list of cells for each column; pass [row] for one row")
    if len({len(value) for value in columns.values()}) > 1:
        lengths = ", ".join(f"{name} {len(value)}" for name, value in columns.items())
        raise DatasetError(f"{source} has columns of different lengths: {lengths:.300}")
    arrays = {str(name): _cells(value, str(name), source) for name, value in columns.items()}
    return _plain(pa.table(arrays), source)


def _of_rows(rows: Sequence[Mapping[Any, Any]], source: str) -> Any:
    # All names, not only those of the first row.
    names = list(dict.fromkeys(name for row in rows for name in row))
    return _plain(pa.table({str(name): _cells([row.get(name) for row in rows], str(name), source) for name in names}), source)


def _cells(cells: Any, name: str, source: str) -> Any:
    if isinstance(cells, (pa.Array, pa.ChunkedArray)):
        return cells
    try:
        return pa.array(cells, from_pandas=True)
    except UnicodeEncodeError as error:
        raise DatasetError(f"{source}: the column {name!r} holds text that is not Unicode: {_short(error)}") from error
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        found = list(cells)
        return _as_text(found, [cell is not None and cell == cell for cell in found], name, source)
