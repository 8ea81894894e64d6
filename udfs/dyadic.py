"""Dyadic bins: numbers by their lower ends, at a resolution of each feature's own (the numpy kernel of ``number_element``).

A bin at resolution (k, b) is ``[lower, lower + quantum)`` with ``quantum(x) = max(2**k, 2**(octave(x) - b))``: absolute
near zero, relative far from it. The bins of a coarser resolution are unions of those of a finer one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from modelhub_sql.udfs.arrays import as_arrow, numbers, steps

__all__ = ["Counted", "arrow", "bin_counts", "far_bins", "number_bins"]

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.intp]

#: Largest table of counts, partitions by bins, that is filled at once.
DENSE = 1 << 24

ELEMENT = pa.struct(
    [("partition_id", pa.uint32()), ("feature_id", pa.uint16()), ("bin", pa.float64()), ("occurrences", pa.uint64())]
)


class Counted(NamedTuple):
    """Three arrays of one length: partition, bin and occurrences of what occurs; bin NaN counts what is missing."""

    partition: Whole
    bin: Floats
    occurrences: Whole


def number_bins(values: Floats, k: int, b: int) -> Floats:
    """Lower ends of the bins of numbers. values: any shape. k in [-1000, 1022], b in [0, 52].

    NaN stays NaN (missing); an infinity is a bin of its own.
    """
    with np.errstate(invalid="ignore", over="ignore", under="ignore"):
        bins: Floats = steps(values, 2.0**-k) * 2.0**k + 0.0
        far = np.flatnonzero(~(np.abs(values) < 2.0 ** min(1023, k + b + 1)))
        if len(far):
            bins[far] = far_bins(values[far], k, b)
    return bins


def far_bins(values: Floats, k: int | Whole, b: int | Whole) -> Floats:
    """Lower ends of the bins of numbers far from 0. k, b: one resolution, or one of each."""
    # frexp: x = m * 2**e with m in [0.5, 1), so the octave is e - 1, exactly.
    finite = np.isfinite(values)
    octave = np.frexp(np.where(finite, values, 1.0))[1] - 1
    quantum = np.ldexp(1.0, np.maximum(np.maximum(-1074, k), octave - b))
    with np.errstate(invalid="ignore", over="ignore"):
        return np.where(finite, np.floor(values / quantum) * quantum, values)


def bin_counts(values: Floats, partition: npt.NDArray[np.uint32], k: int, b: int) -> Counted:
    """How often each bin of one feature occurs in each partition.

    values, partition: of n rows, shape (n,). k, b: resolution.
    """
    edge = 2.0 ** min(1023, k + b + 1)
    with np.errstate(invalid="ignore", over="ignore", under="ignore"):
        whole = steps(values, 2.0**-k)
        is_near = np.abs(values) < edge
    if not is_near.all():
        near, far = np.flatnonzero(is_near), np.flatnonzero(~is_near)
        bins = np.concatenate([whole[near] * 2.0**k + 0.0, far_bins(values[far], k, b)])
        found = np.unique(bins, return_inverse=True)
        return _counted(found[0], found[1].reshape(-1), partition[np.concatenate([near, far])])
    low = whole.min(initial=0)
    width = int(whole.max(initial=0) - low) + 1 if len(whole) else 1
    if width * (int(partition.max(initial=0)) + 1) <= DENSE:
        place = (whole - low).astype(np.intp)
        return _counted((np.arange(width) + low) * 2.0**k + 0.0, place, partition)
    bins, place = np.unique(whole, return_inverse=True)
    return _counted(bins * 2.0**k + 0.0, place.reshape(-1), partition)


def _counted(bins: Floats, place: Whole, partition: npt.NDArray[np.uint32]) -> Counted:
    keys = partition.astype(np.intp) * len(bins) + place
    if len(bins) * (int(partition.max(initial=0)) + 1) <= DENSE:
        counts = np.bincount(keys)
        occurring = np.flatnonzero(counts)
        occurrences = counts[occurring]
    else:
        occurring, occurrences = np.unique(keys, return_counts=True)
    where, which = np.divmod(occurring, len(bins))
    return Counted(where, bins[which], occurrences)


def arrow(resolutions: pa.ChunkedArray, partitions: pa.ChunkedArray, *columns: pa.ChunkedArray) -> pa.Array:
    """``bin_counts`` for DuckDB: a row is a dataset: the resolutions of its columns (a list of k and b each; NULL: no numbers),
    the partition of its rows, and the numbers of each column, NULL or NaN where one is missing."""
    found: list[pa.StructArray] = []
    ends = [0]
    for resolution, partition, *collected in zip(resolutions, partitions, *columns, strict=True):
        where = numbers(partition.values)
        rows = 0
        for number, (pair, column) in enumerate(zip(resolution.as_py(), collected, strict=False), 1):
            if pair is None:
                continue
            counted = bin_counts(numbers(column.values), where, *pair)
            rows += len(counted.bin)
            found.append(
                pa.StructArray.from_arrays(
                    [
                        as_arrow(counted.partition, np.uint32),
                        as_arrow(np.full(len(counted.bin), number), np.uint16),
                        as_arrow(counted.bin, missing=np.isnan(counted.bin)),
                        as_arrow(counted.occurrences, np.uint64),
                    ],
                    fields=list(ELEMENT),
                )
            )
        ends.append(ends[-1] + rows)
    return pa.ListArray.from_arrays(as_arrow(ends, np.int32), pa.concat_arrays(found) if found else pa.array([], ELEMENT))
