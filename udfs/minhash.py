"""MinHash signatures: the numpy kernel of the macro ``minhash_agg`` (section 3.4)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from modelhub_sql.udfs.arrays import as_arrow, numbers

__all__ = ["arrow", "signatures"]

EMPTY = np.uint32(0xFFFFFFFF)


def signatures(
    hashes: npt.NDArray[np.uint32],
    offsets: npt.NDArray[np.int64],
    multipliers: npt.NDArray[np.uint32],
    increments: npt.NDArray[np.uint32],
) -> npt.NDArray[np.uint32]:
    """MinHash signatures of ``n`` sets under ``k`` functions.

    hashes: the sets' elements one after the other, 32-bit hashes after the MurmurHash3
        finaliser; shape (m,).
    offsets: where each set begins, and the end; shape (n + 1,), ascending, from 0 to m.
    multipliers, increments: a (odd) and b of ``h -> a h + b mod 2**32``; shape (k,).

    Returns the minima, shape (n, k); the greatest hash for an empty set. This is the
    ``affine32`` scheme of datasketch 2.0.
    """
    filled = np.flatnonzero(np.diff(offsets))
    result = np.full((len(offsets) - 1, len(multipliers)), EMPTY, dtype=np.uint32)
    if len(filled):
        starts = offsets[filled]
        for function, (a, b) in enumerate(zip(multipliers, increments, strict=True)):
            # uint32 arithmetic wraps: this is the "mod 2**32".
            result[filled, function] = np.minimum.reduceat(hashes * a + b, starts)
    return result


def arrow(hashes: pa.ChunkedArray, multipliers: pa.ChunkedArray, increments: pa.ChunkedArray) -> pa.Array:
    """``signatures`` for DuckDB: a list of hashes a row; the functions are the same in every row."""
    lists = hashes.combine_chunks()
    offsets = numbers(lists.offsets).astype(np.int64)
    values = numbers(lists.values)[offsets[0] : offsets[-1]]
    a = numbers(multipliers[0].values)
    b = numbers(increments[0].values)
    minima = signatures(values, offsets - offsets[0], a, b)
    ends = np.arange(len(minima) + 1, dtype=np.int32) * len(a)
    return pa.ListArray.from_arrays(as_arrow(ends), as_arrow(minima.ravel()))
