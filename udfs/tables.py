"""Kernels over tables: what ``FROM modelhub_similarities(source_side, ...)`` is in a relation of ``relations/``.

Each argument is a relation, of which a kernel takes the columns; what it returns are columns, too. A search in Python hands
them over as Arrow tables. Within one plan they are lists of rows, which DuckDB copies twice more.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from modelhub_sql.udfs.arrays import as_arrow

__all__ = ["Columns", "Kernel", "Table"]

#: Name of a column -> its values, of all rows.
Columns = Mapping[str, "pa.Array | pa.ChunkedArray"]
#: Of the columns of each argument makes those of what is computed. The first argument, which may be long, comes in parts.
Kernel = Callable[..., Mapping[str, npt.NDArray[Any]]]

#: Bins of the first table that are read at a time, about: 32 MB of them and their counts.
BINS = 1 << 21

_NUMPY = {"UBIGINT": np.uint64, "DOUBLE": np.float64}


class Table(NamedTuple):
    """What a kernel makes of tables. takes: DuckDB's type of a row of each. makes: its columns and DuckDB's types of them."""

    kernel: Kernel
    takes: tuple[str, ...]
    makes: Mapping[str, str]

    def of(self, first: Iterable[pa.RecordBatch], *others: pa.Table) -> pa.Table:
        """What is computed; nothing where one of the others is empty. first: rows of the first table, read as they are needed."""
        parts = (_columns(part.schema.names, part.columns) for part in first)
        found = self._columns(parts, [_columns(table.column_names, table.columns) for table in others if len(table)])
        return pa.table(dict(zip(self.makes, found, strict=True)))

    def rows_at_once(self, targets: pa.Table) -> int:
        """Rows of the first table to be read at a time, where the second is ``targets``: features of either have as many bins."""
        bins = sum(len(chunk.flatten()) for chunk in targets["bins"].chunks)
        return max(1, BINS * len(targets) // max(1, bins))

    def as_function(self) -> tuple[Callable[..., pa.Array], list[str], str]:
        """The same as a function of DuckDB: of each row a list of the rows of each argument, and a list of what is computed."""

        def of_lists(*arguments: pa.ChunkedArray) -> pa.Array:
            # DuckDB 1.5 asks for no rows, too.
            found = [pa.StructArray.from_arrays(self._columns((), ()), list(self.makes))]
            for row in zip(*arguments, strict=True):
                tables = [_columns(rows.values.type.names, rows.values.flatten()) for rows in row]
                found.append(pa.StructArray.from_arrays(self._columns(tables[:1], tables[1:]), list(self.makes)))
            ends = as_arrow(np.cumsum([len(rows) for rows in found]), np.int32)
            return pa.ListArray.from_arrays(ends, pa.concat_arrays(found))

        # DuckDB counts the parameters.
        one = inspect.Parameter.POSITIONAL_ONLY
        of_lists.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [inspect.Parameter(f"table_{place}", one) for place in range(len(self.takes))]
        )
        made = ", ".join(f"{name} {kind}" for name, kind in self.makes.items())
        return of_lists, [f"{row}[]" for row in self.takes], f"STRUCT({made})[]"

    def _columns(self, first: Iterable[Columns], others: Sequence[Columns]) -> list[pa.Array]:
        some = len(others) == len(self.takes) - 1
        found = self.kernel(first, *others) if some else dict.fromkeys(self.makes, np.empty(0))
        return [as_arrow(found[name], _NUMPY[kind]) for name, kind in self.makes.items()]


def _columns(names: Sequence[str], values: Sequence[Any]) -> Columns:
    return dict(zip(names, values, strict=True))
