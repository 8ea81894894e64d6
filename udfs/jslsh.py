"""JS-LSH hashes: the numpy kernel of the macro ``jslsh_signatures`` (Eq. 2.4)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from modelhub_sql.udfs.arrays import as_arrow, numbers

__all__ = ["arrow", "hashes"]


def hashes(
    roots: npt.NDArray[np.float64],
    directions: npt.NDArray[np.float64],
    shifts: npt.NDArray[np.float64],
    width: float,
) -> npt.NDArray[np.int64]:
    """``ceil((a . sqrt(P) + b) / r)`` of ``n`` distributions under ``k`` functions.

    roots: sqrt(P) over d bins, shape (n, d); each row has norm 1.
    directions: a ~ N(0, I), shape (k, d). shifts: b / r in [0, 1), shape (k,).
    width: r > 0, in units of the distance ``||sqrt(P) - sqrt(Q)||``.

    Returns whole numbers of either sign, shape (n, k).
    """
    projected: npt.NDArray[np.float64] = roots @ directions.T / width + shifts
    return np.ceil(projected).astype(np.int64)


def arrow(roots: pa.ChunkedArray, directions: pa.ChunkedArray, shifts: pa.ChunkedArray, width: pa.ChunkedArray) -> pa.Array:
    """``hashes`` for DuckDB: a row is a space, its matrices one list each, row after row."""
    rows: list[npt.NDArray[np.int64]] = []
    for space_roots, space_directions, space_shifts, r in zip(roots, directions, shifts, width, strict=True):
        shift = numbers(space_shifts.values)
        direction = numbers(space_directions.values).reshape(len(shift), -1)
        root = numbers(space_roots.values).reshape(-1, direction.shape[1])
        rows.append(hashes(root, direction, shift, r.as_py()).ravel())
    ends = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int32)
    return pa.ListArray.from_arrays(as_arrow(ends), as_arrow(np.concatenate(rows) if rows else np.empty(0, np.int64)))
