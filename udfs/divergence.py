"""Hellinger distances of all pairs: the numpy kernel of the macro ``all_pairs`` (section 2.1)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

__all__ = ["arrow", "close_pairs"]

PAIR = pa.struct(
    [
        ("owner", pa.uint32()),
        ("source_partition", pa.uint32()),
        ("target_partition", pa.uint32()),
        ("hellinger2", pa.float64()),
    ]
)


def close_pairs(
    source: npt.NDArray[np.float64], target: npt.NDArray[np.float64], bound: float
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], npt.NDArray[np.float64]]:
    """The pairs of distributions with a squared Hellinger distance of at most ``bound``.

    source, target: sqrt(P) and sqrt(Q) over d bins, shapes (n, d) and (m, d). bound: in [0, inf).

    Returns the rows in source, the rows in target and the squared distances, in [0, 1], three
    arrays of one length. H**2 = 1 - sum sqrt(p q): one matrix product.
    """
    hellinger2 = np.maximum(0.0, 1.0 - source @ target.T)
    rows, columns = np.nonzero(hellinger2 <= bound)
    return rows, columns, hellinger2[rows, columns]


def arrow(
    roots: pa.ChunkedArray,
    owners: pa.ChunkedArray,
    partitions: pa.ChunkedArray,
    target_roots: pa.ChunkedArray,
    target_partitions: pa.ChunkedArray,
    bound: pa.ChunkedArray,
) -> pa.Array:
    """``close_pairs`` for DuckDB: a row is a space, its matrices one list each, row after row."""
    found = []
    ends = [0]
    for space in zip(roots, owners, partitions, target_roots, target_partitions, bound, strict=True):
        source, owner, partition, target, target_partition = (column.values.to_numpy() for column in space[:5])
        rows, columns, hellinger2 = close_pairs(
            source.reshape(len(owner), -1), target.reshape(len(target_partition), -1), space[5].as_py()
        )
        pairs = [owner[rows], partition[rows], target_partition[columns], hellinger2]
        found.append(
            pa.StructArray.from_arrays(
                [pa.array(side, field.type) for side, field in zip(pairs, PAIR, strict=True)], fields=list(PAIR)
            )
        )
        ends.append(ends[-1] + len(rows))
    values = pa.concat_arrays(found) if found else pa.array([], PAIR)
    return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), values)
