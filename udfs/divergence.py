"""Distances of pairs of partitions (section 2.1).

The numpy kernels of the macros ``colliding_pairs`` and ``pair_divergences``, and of a matrix of all pairs.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from modelhub_sql.udfs.arrays import as_arrow, numbers

__all__ = [
    "close_pairs",
    "pair_divergences",
    "pair_divergences_arrow",
    "pair_hellinger2",
    "pair_hellinger2_arrow",
]

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]

#: Most elements of the pairs that are looked at in one go: what stays in the cache (measured).
CHUNK = 1 << 17
#: The matrix product of all pairs is as fast as so many times fewer pairs one by one (measured).
DENSE = 200


def close_pairs(source: Floats, target: Floats, bound: float) -> tuple[Rows, Rows, Floats]:
    """The pairs of distributions with a squared Hellinger distance of at most ``bound``.

    source, target: sqrt(P) and sqrt(Q) over d bins, shapes (n, d) and (m, d). bound: in [0, inf).

    Returns the rows in source, the rows in target and the squared distances, in [0, 1], three
    arrays of one length. H**2 = 1 - sum sqrt(p q): one matrix product.
    """
    hellinger2 = np.maximum(0.0, 1.0 - source @ target.T)
    rows, columns = np.nonzero(hellinger2 <= bound)
    return rows, columns, hellinger2[rows, columns]


def pair_hellinger2(source: Floats, target: Floats, source_rows: Rows, target_rows: Rows) -> Floats:
    """Squared Hellinger distances of given pairs.

    source, target: sqrt(P) and sqrt(Q) over d bins, shapes (n, d) and (m, d). source_rows,
    target_rows: the rows of each pair, two arrays of one length k. Returns k values in [0, 1].
    """
    if len(source_rows) * DENSE >= len(source) * len(target):
        products = (source @ target.T)[source_rows, target_rows]
    else:
        products = _summed(np.multiply, source, target, source_rows, target_rows)
    return np.asarray(np.maximum(0.0, 1.0 - products))


def pair_divergences(source: Floats, target: Floats, source_rows: Rows, target_rows: Rows) -> Floats:
    """Jensen-Shannon divergences (Eq. 2.1) of given pairs, in nats, in [0, ln 2].

    Arguments as of ``pair_hellinger2``. With ``h(x) = sum x ln x`` it is
    ``ln 2 + (h(P) + h(Q) - h(P + Q)) / 2``: one logarithm a bin and pair.
    """
    masses, target_masses = source * source, target * target
    both = _summed(lambda p, q: _negentropy(p + q), masses, target_masses, source_rows, target_rows)
    alone = _negentropy(masses).sum(axis=1)[source_rows] + _negentropy(target_masses).sum(axis=1)[target_rows]
    return np.asarray(np.clip(math.log(2) + (alone - both) / 2, 0.0, math.log(2)))


def _negentropy(mass: Floats) -> Floats:
    # m ln m, continued by 0.
    return np.asarray(mass * np.log(mass + 1e-300))


def _summed(
    function: Callable[[Floats, Floats], Floats], source: Floats, target: Floats, source_rows: Rows, target_rows: Rows
) -> Floats:
    # The sum over the bins of a function of both sides, for each pair; in chunks, to bound memory.
    step = max(1, CHUNK // max(1, source.shape[1]))
    result = np.empty(len(source_rows))
    for start in range(0, len(result), step):
        chunk = slice(start, start + step)
        result[chunk] = function(source[source_rows[chunk]], target[target_rows[chunk]]).sum(axis=1)
    return result


def pair_hellinger2_arrow(
    roots: pa.ChunkedArray,
    keys: pa.ChunkedArray,
    target_roots: pa.ChunkedArray,
    target_keys: pa.ChunkedArray,
    pair_keys: pa.ChunkedArray,
    pair_target_keys: pa.ChunkedArray,
) -> pa.Array:
    """``pair_hellinger2`` for DuckDB: a row is a space: its matrices and a key for each row; then the keys of its pairs."""
    return _pairs_arrow(pair_hellinger2, (roots, keys, target_roots, target_keys, pair_keys, pair_target_keys))


def pair_divergences_arrow(
    roots: pa.ChunkedArray,
    keys: pa.ChunkedArray,
    target_roots: pa.ChunkedArray,
    target_keys: pa.ChunkedArray,
    pair_keys: pa.ChunkedArray,
    pair_target_keys: pa.ChunkedArray,
) -> pa.Array:
    """``pair_divergences`` for DuckDB: a row is a space: its matrices and a key for each row; then the keys of its pairs."""
    return _pairs_arrow(pair_divergences, (roots, keys, target_roots, target_keys, pair_keys, pair_target_keys))


def _pairs_arrow(kernel: Callable[[Floats, Floats, Rows, Rows], Floats], columns: tuple[pa.ChunkedArray, ...]) -> pa.Array:
    found = []
    ends = [0]
    for space in zip(*columns, strict=True):
        source, source_keys, target, target_keys, pair_sources, pair_targets = (numbers(column.values) for column in space)
        found.append(
            kernel(
                source.reshape(len(source_keys), -1),
                target.reshape(len(target_keys), -1),
                _rows_of(source_keys, pair_sources),
                _rows_of(target_keys, pair_targets),
            )
        )
        ends.append(ends[-1] + len(found[-1]))
    values = np.concatenate(found) if found else np.empty(0)
    return pa.ListArray.from_arrays(as_arrow(ends, np.int32), as_arrow(values))


def _rows_of(keys: npt.NDArray[np.uint64], wanted: npt.NDArray[np.uint64]) -> Rows:
    order = np.argsort(keys)
    return np.asarray(order[np.searchsorted(keys, wanted, sorter=order)])
