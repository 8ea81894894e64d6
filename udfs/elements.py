"""Bins counted: the numpy kernel of the macro ``number_elements`` (section 2.1)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

__all__ = ["arrow", "bin_counts"]

Whole = npt.NDArray[np.intp]

ELEMENT = pa.struct([("feature_id", pa.uint16()), ("bin", pa.uint16()), ("occurrences", pa.uint64()), ("total", pa.float64())])
#: Counters that stay in the cache.
BLOCK = 1 << 17


def bin_counts(bins: npt.NDArray[np.uint16], ends: Whole, width: int) -> tuple[Whole, Whole, Whole, Whole]:
    """How often each bin occurs in each column of each partition.

    bins: of n rows and d columns, shape (n, d); those of width - 1 and above count as one. ends: of the
    p partitions' rows, ascending, the last is n.

    Returns partition in [0, p), column in [0, d), bin in [0, width) and occurrences of what occurs,
    four arrays of one length, in this order.
    """
    columns = bins.shape[1]
    size = columns * width
    step = max(1, BLOCK // size)
    starts = np.concatenate([[0], ends])
    found = [(np.empty(0, np.intp),) * 2]
    for first in range(0, len(ends), step):
        block = bins[starts[first] : starts[min(first + step, len(ends))]]
        rows = np.diff(starts[first : first + step + 1])
        keys = np.repeat(np.arange(len(rows), dtype=np.uint32) * size, rows * columns)
        keys += np.tile(np.arange(columns, dtype=np.uint32) * width, len(block))
        keys += np.minimum(block, np.uint16(width - 1)).ravel()
        counts = np.bincount(keys, minlength=len(rows) * size)
        occurring = np.flatnonzero(counts != 0)
        found.append((occurring + first * size, counts[occurring]))
    place, occurrences = (np.concatenate(side) for side in zip(*found, strict=True))
    group, bin_number = np.divmod(place, width)
    partition, column = np.divmod(group, columns)
    return partition, column, bin_number, occurrences


def arrow(bins: pa.ChunkedArray, sums: pa.ChunkedArray, number_bins: pa.ChunkedArray) -> pa.Array:
    """``bin_counts`` for DuckDB: a row is a partition, the bins of its rows and the sums of its columns' finite values.

    Bins from ``number_bins`` on are those of NaN and infinities, and at last of NULL. The total of an element is its
    share of the sum, as if every finite value were the mean.
    """
    rows = bins.combine_chunks()
    ends = np.cumsum(rows.value_lengths().to_numpy().astype(np.intp))
    finite_bins = number_bins[0].as_py()
    null_bin = finite_bins + 3
    matrix = rows.flatten().flatten().to_numpy().reshape(ends[-1], -1)
    partition, column, bin_number, occurrences = bin_counts(matrix, ends, null_bin + 1)
    sums_matrix = sums.combine_chunks().flatten().to_numpy(zero_copy_only=False).reshape(len(rows), -1)
    is_finite = bin_number < finite_bins
    group = partition * matrix.shape[1] + column
    finite = np.bincount(group[is_finite], occurrences[is_finite], minlength=sums_matrix.size)
    with np.errstate(divide="ignore", invalid="ignore"):
        means = sums_matrix.ravel() / finite
    total = means[group] * occurrences
    elements = pa.StructArray.from_arrays(
        [
            pa.array((column + 1).astype(np.uint16)),
            pa.array(bin_number.astype(np.uint16), mask=bin_number == null_bin),
            pa.array(occurrences.astype(np.uint64)),
            pa.array(total, mask=~is_finite),
        ],
        fields=list(ELEMENT),
    )
    offsets = np.concatenate([[0], np.cumsum(np.bincount(partition, minlength=len(rows)))]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), elements)
